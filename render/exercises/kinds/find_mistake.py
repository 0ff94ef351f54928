"""Find the mistake: a worked solution in which one line is wrong, and everything after it goes on with its result."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import islice

from derive.derivation import Derivation
from derive.errors import ChainruleError, unknown
from derive.evaluate.balls import Enclosures
from derive.formula import Side
from derive.plain import plain_equation
from derive.scalars import Scalar
from derive.variants.asked import Asked
from derive.verification.edit import BACKWARD, Edit
from derive.verification.family import SENTENCES
from derive.verification.lines import wrong_lines
from derive.verification.precision import Precision
from derive.verification.sheet import DoesNotApplyError
from render.compose.pen import SIX, capital, paragraph, prose
from render.compose.verification.lines import WrittenLine, written_line
from render.document import Block, Equation
from render.exercises.desk import Desk, Ground, Planned, split
from render.exercises.kind import Kind, weights
from render.exercises.lines import Line, backward_lines, starting_from
from render.exercises.model import ChoiceAnswer, Exercise, FormulaAnswer, Item, Option, SolutionStep

MOST_TRIED = 4
"""So many weights are looked at for one in whose calculation a mistake shows."""


def candidates(ground: Ground) -> Iterator[tuple[Scalar, ...]]:
    """Weights in whose calculation a known mistake shows."""
    for about in islice(weights(ground), MOST_TRIED):
        desk = Desk(ground, ground.pen(ground.derivation, SIX), {}, Precision("sf", SIX), "")
        right = backward_lines(desk, about[0])
        if any(_shown(desk, edit, right) is not None for edit in _edits(desk)):
            yield about


def asked(ground: Ground, about: tuple[Scalar, ...]) -> tuple[Asked, ...]:
    """∂E/∂w: whatever mistake is made, it is to be seen in the gradient."""
    return (Asked("gradient", about[0]),)


def make(desk: Desk, planned: Planned) -> Exercise:
    """Which line is wrong, and what should it be?"""
    target, pen = planned.about[0], desk.pen
    right = backward_lines(desk, target)
    edit, slip, wrong = _wrong_solution(desk, planned, right)
    place = next(number for number, line in enumerate(wrong) if line.scalar == slip.wrong.scalar)
    points = 4 if planned.points is None else planned.points
    shares = split(points, [1, 1])
    shown: list[Block] = [
        paragraph(
            "Somebody has computed {partial} like this. One line is wrong; everything after it goes on rightly with what "
            "came out of it.",
            partial=pen.partial(None, target),
        ),
        *starting_from(desk, right),
    ]
    for number, line in enumerate(wrong, start=1):
        shown += [paragraph("Line {n}. {words}", n=number, words=line.words), Equation(line.sides)]
    options = tuple(
        Option(prose("line {n}", n=number), number == place + 1, _said(number == place + 1, number, place + 1, edit))
        for number in range(1, len(wrong) + 1)
    )
    should_be = slip.right[1].formula if len(slip.right) > 1 else slip.right[0].formula
    items = (
        Item("a", prose("the wrong line"), ChoiceAnswer(options), shares[0]),
        Item(
            "b",
            prose("the line as it should be"),
            FormulaAnswer(should_be, plain_equation((Side(should_be, ""),))),
            shares[1],
        ),
    )
    solution = (
        SolutionStep(
            (paragraph("Line {n} is wrong: {words}.", n=place + 1, words=SENTENCES[edit.mistake]),),
            shares[0],
            prose("line {n}", n=place + 1),
        ),
        SolutionStep(
            (
                paragraph("It should be:"),
                Equation(slip.right),
                *_rest(right[place + 1 :]),
            ),
            shares[1],
            prose("the line as it should be"),
        ),
    )
    return Exercise(planned.kind, "Find the mistake", tuple(shown), items, solution)


def _rest(lines: Sequence[Line]) -> list[Block]:
    if not lines:
        return []
    return [paragraph("And from there on:"), *(Equation(line.sides) for line in lines)]


def _said(right: bool, number: int, place: int, edit: Edit) -> str:
    if right:
        return f"{capital(SENTENCES[edit.mistake])}."
    return (
        "Up to here all is right."
        if number < place
        else "This line is right in itself: it goes on with what came before."
    )


# ---- the wrong solution ------------------------------------------------------------------------


def _wrong_solution(desk: Desk, planned: Planned, right: Sequence[Line]) -> tuple[Edit, WrittenLine, list[Line]]:
    """A mistake that shows in one of the lines, and the lines as somebody writes them who makes it."""
    edits = [edit for edit in _edits(desk) if planned.mistake in (None, edit.mistake)]
    by_name: dict[str, list[Edit]] = {}
    for edit in edits:
        by_name.setdefault(edit.mistake, []).append(edit)
    for name in desk.shuffled(sorted(by_name), "mistake"):
        for edit in desk.shuffled(by_name[name], name):
            found = _shown(desk, edit, right)
            if found is not None:
                return edit, *found
    known = sorted({edit.mistake for edit in _edits(desk)})
    if planned.mistake is not None and planned.mistake not in known:
        raise ChainruleError(f"exercises: find_mistake: mistake: {unknown(planned.mistake, known)}")
    name = planned.mistake or "no known mistake"
    shows = "shows in no line" if planned.mistake else "shows in a line"
    raise ChainruleError(f"exercises: find_mistake: {name} {shows} of this calculation; ask of another weight")


def _edits(desk: Desk) -> Iterator[Edit]:
    """The mistakes of the backward pass, in one layer each."""
    return (
        edit
        for edit in desk.ground.edits
        if (edit.stage == BACKWARD and edit.layer != "all") or edit.mistake in ALL_LAYERS
    )


ALL_LAYERS = ("sign_of_error", "factor_two", "target_forgotten")


def _shown(desk: Desk, edit: Edit, right: Sequence[Line]) -> tuple[WrittenLine, list[Line]] | None:
    """The lines with the mistake, where it shows in one of them and changes its number; else None."""
    if not {line.scalar.array for line in right} & set(desk.places(edit)):
        return None  # it is made elsewhere: nearly all are
    base = desk.ground.base
    found = wrong_lines(desk.derivation, base, [edit], rather={line.scalar for line in right})
    if not found or found[0].handed or not found[0].adjoint:
        return None
    places = [number for number, line in enumerate(right) if line.scalar == found[0].scalar]
    alike = [line for line in right if line.scalar.array == found[0].array]
    if not places or len(alike) > 1:  # it would be made in several lines at once
        return None
    with suppress(ArithmeticError, DoesNotApplyError):
        slip = written_line(desk.pen, found[0])
        other = _with_values(desk.derivation, Enclosures.of(edit.apply(base).equations, desk.derivation.given))
        pen = desk.ground.pen(other, desk.pen.decimals)
        again = backward_lines(replace(desk, pen=pen, memory={}), right[-1].scalar)
        (place,) = places
        lines = [*right[:place], replace(right[place], sides=slip.written), *again[place + 1 :]]
        if slip.written[-1] != slip.right[-1]:
            return slip, lines
    return None


def _with_values(derivation: Derivation, enclosures: Enclosures) -> Derivation:
    """The derivation with other numbers in its lines."""
    other = derivation.with_numbers(derivation.problem)
    vars(other)["enclosures"] = enclosures
    return other


KIND = Kind(
    "find_mistake",
    "find the line that is wrong in a worked solution, and put it right",
    candidates,
    make,
    asked,
    mistakes=True,
    nothing="no known mistake shows in a line of its calculation",
)
