"""Fill in the missing factor of a chain rule."""

from __future__ import annotations

from dataclasses import replace

from derive.formula import Formula, Gap, Product, Side
from derive.scalars import Scalar
from derive.variants.asked import Asked
from render.compose.pen import Pen, paragraph, prose
from render.document import Equation, Space
from render.exercises.blanks import shown
from render.exercises.desk import Desk, Ground, Planned, split
from render.exercises.kind import Kind, Told
from render.exercises.kinds.calculation import to_digits
from render.exercises.kinds.local_derivative import derivative_lines
from render.exercises.model import ChoiceAnswer, Exercise, Item, Option, SolutionStep
from render.exercises.paths import Link, factors_of, single_products

ROOM = 4
"""So many lines there are to compute the factor; a solution with blanks would tell which it is."""


def asked(ground: Ground, about: tuple[Scalar, ...]) -> tuple[Asked, ...]:
    """The number of the missing factor, where it is the derivative of an activation."""
    _, by = missing(factors_of(ground.derivation, about[0]))
    return (Asked("local", by),) if ground.derivation.has_numbers and by.array in ground.outputs else ()


def told(ground: Ground, about: tuple[Scalar, ...]) -> Told:
    """The factor that is missing is to be found, with a number or without."""
    _, by = missing(factors_of(ground.derivation, about[0]))
    return Told((), (Asked("local", by),) if by.array in ground.outputs else ())


def missing(factors: tuple[Link, ...]) -> Link:
    """Which factor is left out: the one in the middle."""
    return factors[len(factors) // 2]


def make(desk: Desk, planned: Planned) -> Exercise:
    """∂E/∂w = ∂E/∂out · ▢ · ∂net/∂w: what stands in the blank, and how much is it?"""
    target, pen = planned.about[0], desk.pen
    factors = factors_of(desk.derivation, target)
    gone = missing(factors)
    points = (1 + 2 * len(planned.asked)) if planned.points is None else planned.points
    shares = split(points, [1, 2][: 1 + len(planned.asked)])
    options = desk.shuffled(_options(desk, factors, gone), "options")
    items = [Item("a" if planned.asked else "", prose("the missing factor"), ChoiceAnswer(tuple(options)), shares[0])]
    solution = [_found(pen, target, factors, gone, shares[0])]
    if planned.asked:
        number = desk.item(planned.asked[0], shares[1], letter="b")
        items.append(replace(number, label=prose("its value")))  # its name would answer the question before
        solution.append(_number(desk, planned.asked[0], shares[1]))
    prompt = (
        paragraph("In this chain rule one factor is missing:"),
        Equation(_chain(pen, target, factors, gone)),
        paragraph(
            "Which is it?" + (" And how much is it here?" + to_digits(desk) if planned.asked else ""),
        ),
    )
    made = tuple(solution)
    room = (Space(ROOM),) if planned.asked and planned.blanks > 0 else shown(made, planned.blanks)
    return Exercise(planned.kind, "A missing factor", prompt, tuple(items), made, room)


def _chain(pen: Pen, target: Scalar, factors: tuple[Link, ...], gone: Link | None) -> tuple[Side, ...]:
    written: list[Formula] = [pen.partial(*each) for each in factors]
    shown = tuple(Gap(each) if link == gone else each for each, link in zip(written, factors, strict=True))
    return (Side(pen.partial(None, target), ""), Side(Product(shown, "dot")))


def _options(desk: Desk, factors: tuple[Link, ...], gone: Link) -> list[Option]:
    pen = desk.pen
    of, by = gone
    last = factors[-1][1]
    choices: list[tuple[Link, str]] = []
    if of is not None:
        choices.append(
            ((by, of), "Upside down: the chain rule needs the derivative by what stands nearer to the weight.")
        )
        choices.append(
            ((None, by), "That goes all the way to the error, and part of this way is in the factors before.")
        )
        if by != last:
            choices.append(
                ((of, last), "That goes all the way to the last quantity, and its last step is a factor already.")
            )
        else:
            choices.append(((None, last), "That is what the whole product is to give."))
        if len(by.index) and (other := _sibling(desk, of, by)) is not None:
            choices.append((other, "That belongs to another unit, which is not on this path."))
    wrong: dict[Formula, str] = {}
    printed = {pen.partial(*link) for link in (gone, *factors)}  # the error may be a quantity of its own
    for link, words in choices:
        if pen.partial(*link) not in printed:
            wrong.setdefault(pen.partial(*link), words)
    return [
        Option(
            prose("{it}", it=pen.partial(*gone)),
            True,
            "Right: what it is differentiated by cancels with its neighbour.",
        ),
        *(Option(prose("{it}", it=partial), False, words) for partial, words in wrong.items()),
    ]


def _sibling(desk: Desk, of: Scalar, by: Scalar) -> Link | None:
    """The same two quantities of the next unit; None where there is only one."""
    shape = desk.derivation.program.shape(by.array)
    if of.index != by.index or shape != desk.derivation.program.shape(of.array) or not shape or shape[-1] < 2:
        return None
    index = (*by.index[:-1], (by.index[-1] + 1) % shape[-1])
    return Scalar(of.array, index), Scalar(by.array, index)


def _found(pen: Pen, target: Scalar, factors: tuple[Link, ...], gone: Link, points: int) -> SolutionStep:
    of, by = gone
    sentence = paragraph(
        "Each factor begins where the one before it ends: what stands below is above in the next. Between {by} and {of} "
        "the step {gone} is missing:",
        by=pen.symbol(by),
        of=pen.error if of is None else pen.symbol(of),
        gone=pen.partial(*gone),
    )
    return SolutionStep((sentence, Equation(_chain(pen, target, factors, None))), points, prose("the right factor"))


def _number(desk: Desk, asked: Asked, points: int) -> SolutionStep:
    net = asked.scalar
    *before, last = [line.sides for line in derivative_lines(desk, net)]
    return SolutionStep(
        (
            paragraph("With {values} its number is:", values=_value(desk, net)),
            *(Equation(sides) for sides in before),
            Equation(last, boxed=True),
        ),
        points,
        prose("its number"),
    )


def _value(desk: Desk, scalar: Scalar) -> tuple[Side, ...]:
    return (Side(desk.pen.symbol(scalar), ""), desk.pen.value(scalar).side)


KIND = Kind(
    "missing_factor",
    "fill in the missing factor of a chain rule",
    single_products,
    make,
    asked,
    told,
    numbers=False,
    nothing="no gradient of it is a single product",
)
