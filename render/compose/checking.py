"""Part 8, how the numbers were checked; and the numbers that somebody printed, held against ours."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

import flint
import numpy as np
from flint import fmpq

from derive.closed_form import flat_derivative
from derive.derivation import Derivation
from derive.digits import Exact, ends
from derive.evaluate.balls import Array, element, run
from derive.notation import plain_name
from derive.quantities import reader
from derive.scalars import Scalar
from derive.verification.published import Comparison, Explained, compare
from render.compose.pen import Pen, capital, count, listed, paragraph, prose
from render.compose.structure import LayerView, Selection
from render.compose.tables import Cell, table
from render.document import Block, Inlines, Reference, Section

STEP = fmpq(1, 10**12)
"""The step of the finite differences: their error is about its square, some 24 digits below the gradient."""

BITS = 256
CLOSED_FORM_LIMIT = 24
"""A network with more parameters than this has closed forms too long to be differentiated in a moment."""


def checks_part(pen: Pen, views: Sequence[LayerView], selection: Selection) -> Section:
    """Chain rule, closed form and finite differences, and the digits to which they agree."""
    blocks: list[Block] = []
    if pen.numbers:
        every = [s for name in pen.derivation.program.parameters for s in pen.derivation.graph.scalars(name)]
        chosen = [w for view in views for w in selection.weights[view.number]][:12]
        blocks += checks_table(pen, every if len(every) <= CLOSED_FORM_LIMIT else chosen)
    else:
        blocks.append(
            paragraph(
                "Every local derivative on this page was taken by SymPy, and the gradients were put together from "
                "them by the chain rule. "
                "Differentiating the error as one closed expression gives the same formulas."
            )
        )
    return Section("checks", prose("How the numbers were checked"), tuple(blocks))


def checks_table(pen: Pen, scalars: Sequence[Scalar]) -> list[Block]:
    """The gradients of some scalars by each of the ways, and what was compared."""
    derivation = pen.derivation
    sizes = (int(np.prod(derivation.program.shape(name))) for name in derivation.program.parameters)
    small = sum(sizes) <= CLOSED_FORM_LIMIT
    rows: list[list[Cell]] = []
    fewest: dict[str, int] = {}
    for scalar in scalars:
        found = agreements(derivation, scalar, closed=small)
        fewest = {key: min(value, fewest.get(key, 99)) for key, value in found.items()}
        rows.append(
            [
                pen.symbol(scalar),
                pen.gradient(scalar),
                *([str(found["closed"])] if small else []),
                str(found["difference"]),
            ]
        )
    header: list[Cell] = [
        "",
        "by the chain rule",
        *(["digits equal to the closed form's"] if small else []),
        "digits equal to the finite difference's",
    ]
    how = (
        "Each gradient was computed in more ways than one. First by the chain rule, as on this page. "
        + (
            "Then the error was written as a single formula in all the weights, and that was differentiated by SymPy "
            "directly. "
            if small
            else ""
        )
        + "And without any calculus: the weight was moved a little to either side, by {step}, and the change of the error divided by the distance. All of it was done with "
        "{digits} digits, so that what is compared are the methods and not the rounding."
    )
    blocks: list[Block] = [
        paragraph(how, step=pen.power_of_ten(-12), digits=int(BITS * 0.30103)),
        *table(
            "tab-checks",
            prose("The gradients, and to how many significant digits the other ways agree."),
            header,
            rows,
            [False, True, *([True] if small else []), True],
        ),
    ]
    closing = ("The closed form agrees to all {closed} digits compared. " if small else "") + (
        "So do the finite differences: the error is a quadratic function of each single weight here, and for those they are exact."
        if fewest["difference"] == MOST_DIGITS
        else "The finite differences agree to {difference} digits or more, which is what a step of that length allows."
    )
    blocks.append(paragraph(closing, closed=fewest.get("closed", 0), difference=fewest["difference"]))
    return blocks


def agreements(derivation: Derivation, scalar: Scalar, *, closed: bool) -> dict[str, int]:
    """To how many digits the chain rule agrees with the "difference", and where asked with the "closed" form."""
    ours = _gradient(derivation, scalar)
    found = {"difference": digits_of_agreement(ours, _central_difference(derivation, scalar))}
    if closed:
        found["closed"] = digits_of_agreement(ours, _closed_form(derivation, scalar))
    return found


def _gradient(derivation: Derivation, scalar: Scalar) -> Fraction:
    name = derivation.gradient.adjoints[scalar.array]
    return _middle(derivation.enclosures.at(BITS)[name][scalar.index])


def _closed_form(derivation: Derivation, scalar: Scalar) -> Fraction:
    read = reader(derivation, flat_derivative(derivation.closed, scalar))
    with flint.ctx.workprec(BITS):
        return _middle(read(derivation.enclosures.at(BITS)))


def _central_difference(derivation: Derivation, scalar: Scalar) -> Fraction:
    """(E(w + h) − E(w − h)) / 2h."""
    with flint.ctx.workprec(2 * BITS):
        above, below = (_error_at(derivation, scalar, step) for step in (STEP, -STEP))
        return _middle((above - below) / (2 * STEP))


def _error_at(derivation: Derivation, scalar: Scalar, step: fmpq) -> Exact:
    given: dict[str, Array] = dict(derivation.given)
    moved = given[scalar.array].copy()
    moved[scalar.index] = moved[scalar.index] + step
    given[scalar.array] = moved
    return element(run(derivation.program.equations, given)[derivation.program.error], ())


def _middle(value: Exact) -> Fraction:
    low, high = ends(value)
    return (low + high) / 2


MOST_DIGITS = 60


def digits_of_agreement(left: Fraction, right: Fraction) -> int:
    """To how many significant digits two numbers are the same, at most 60."""
    if left == right:
        return MOST_DIGITS
    size = max(abs(left), abs(right))
    ratio = abs(left - right) / size
    digits = 0
    while digits < MOST_DIGITS and ratio < Fraction(1, 10 ** (digits + 1)):
        digits += 1
    return digits


# ---- published numbers -----------------------------------------------------------------------


def published_part(pen: Pen) -> Section | None:
    """The numbers that somebody printed, ours at the same precision, and by which convention those that differ agree."""
    if not pen.derivation.problem.published or not pen.numbers:
        return None
    comparison = compare(pen.derivation)
    rows: list[list[Cell]] = [
        [
            written_quantity(pen, row.published.name),
            row.published.value,
            row.derived,
            "yes" if row.same else "no",
            row.published.where,
        ]
        for row in comparison.rows
    ]
    blocks: list[Block] = [
        paragraph(
            "Numbers for this very problem have been printed before. {ref} has them beside ours, rounded to the places that were printed: {agree} of {all} agree.",
            ref=Reference("tab-published"),
            agree=len(rows) - len(comparison.differing),
            all=len(rows),
        ),
        *table(
            "tab-published",
            prose("Printed numbers and ours."),
            ("quantity", "printed", "ours", "the same?", "where"),
            rows,
            (False, True, True, False, False),
        ),
    ]
    if comparison.differing:
        blocks += _differing(pen, comparison)
    return Section("published", prose("Printed numbers"), tuple(blocks))


IN_WORDS = {
    "update_order_sequential": "the layers are updated *in sequence*: the output layer's weights first, and then the deltas are passed back through the weights already updated",
    "update_order_simultaneous": "all weights are updated *at once*, each by the gradient at the old weights",
}
"""What is set off in a convention's words, where something is."""


def _differing(pen: Pen, comparison: Comparison) -> list[Block]:
    """Where the difference comes from, and the same numbers with that convention."""
    explained = comparison.explanations[0] if comparison.explanations else comparison.partly
    if explained is None:
        return [
            paragraph(
                "The others are not what this problem's numbers give, and no convention that was tried, such as another order of update or another constant in the error, brings them out."
            )
        ]
    of_update = all(each.identifier.startswith("update_order") for each in explained.conventions)
    condition = ", and ".join(IN_WORDS.get(each.identifier, each.words) for each in explained.conventions)
    number = len(comparison.differing)
    words = "They come out, to every printed digit, if " if comparison.explanations else "{held} {come} out if "
    blocks: list[Block] = [
        paragraph(
            "Where does the difference come from? {Names} {are} not what this problem's {what}. "
            + (words if number > 1 else "It comes out, to every printed digit, if ")
            + condition
            + ".",
            Names=capital(count(number, "number")),
            are="is" if number == 1 else "are",
            what="update gives" if of_update else "statement gives",
            held=capital(count(len(explained.held), "of them", "of them")),
            come="comes" if len(explained.held) == 1 else "come",
        )
    ]
    blocks += _lost(pen, explained, of_update)
    rows: list[list[Cell]] = [
        [written_quantity(pen, row.published.name), row.published.value, row.derived, explained.values[row.published]]
        for row in comparison.rows
        if not row.same
    ]
    other = "in the other order" if of_update else "with that convention"
    caption = "both orders of update" if of_update else "the same with and without that convention"
    header = ("quantity", "printed", "as on this page", other)
    numeric = (False, True, True, True)
    return [*blocks, *table("tab-sequential", prose(f"Printed numbers, and {caption}."), header, rows, numeric)]


def _lost(pen: Pen, explained: Explained, of_update: bool) -> list[Block]:
    """What agrees only without the convention: then two calculations have been printed as one."""
    names = listed([written_quantity(pen, each.name) for each in explained.lost])
    if not explained.lost:
        return []
    if of_update and all(each.name.endswith("+") for each in explained.lost):
        return [
            paragraph(
                "The new weights that were printed, however, are not those of that order: {names} are as they stand on this page. So the calculation that was shown and the program that was run "
                "differ in the order of update.",
                names=names,
            )
        ]
    return [
        paragraph(
            "Not all of the printed numbers are those of that calculation, however: {names} {are} as on this page. So they come from more than one.",
            names=names,
            are="is" if len(explained.lost) == 1 else "are",
        )
    ]


def written_quantity(pen: Pen, name: str) -> Inlines:
    """A printed quantity as the page writes it: E_total after 10 000 steps, ∂E/∂w5, w5⁺."""
    derivation = pen.derivation
    if match := re.fullmatch(r"(.+)@(\d+)", name):
        steps = int(match[2])
        return prose(
            "{symbol} after {steps}",
            symbol=pen.symbol(derivation.scalar(match[1])),
            steps="one step" if steps == 1 else f"{steps:,} steps".replace(",", " "),
        )
    if name.endswith("+"):
        return prose("{symbol}", symbol=pen.updated(derivation.scalar(name[:-1])))
    if match := re.fullmatch(r"[d∂](\S+)/[d∂](.+)", name):
        of, by = (derivation.scalar(part) for part in match.groups())
        return prose("{symbol}", symbol=pen.partial(of, by))
    for variable in derivation.program.by_role("net"):
        for scalar in derivation.graph.scalars(variable.name):
            if plain_name(derivation.names.delta(scalar.array, scalar.index)) == name:
                return prose("{symbol}", symbol=pen.delta(scalar))
    return prose("{symbol}", symbol=pen.symbol(derivation.scalar(name)))
