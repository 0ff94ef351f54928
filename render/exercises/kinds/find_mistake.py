"""Find the mistake: a worked solution in which one line is wrong, and everything after it goes on with its result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache

from derive.errors import ChainruleError, unknown
from derive.plain import plain_equation
from derive.scalars import Scalar
from derive.variants.asked import Asked
from derive.verification.edit import BACKWARD, Edit
from render.compose.pen import paragraph, prose
from render.document import Block, Equation
from render.exercises import written_out
from render.exercises.desk import Desk, Ground, Planned, split
from render.exercises.given import given_values
from render.exercises.kind import Kind, Told, weights
from render.exercises.lines import Line, in_order
from render.exercises.model import ChoiceAnswer, Exercise, FormulaAnswer, Item, Option, SolutionStep
from render.exercises.written_out import Way

KEPT = 256
"""So many ways back are kept for the next variant, which has the same lines."""

MOST_SHOWN = 10
"""So many lines are shown; what comes before them is given."""

ALL_LAYERS = ("sign_of_error", "factor_two", "target_forgotten")
"""Mistakes of all layers at once that are made in the first line of the way back."""


OF_THE_ERROR = ("sign_of_error", "factor_two", "target_forgotten", "error_value_as_delta")
"""Mistakes in the derivative of the error: in a line that starts from another ∂E they would be called wrongly."""


@dataclass(frozen=True)
class _Slip:
    """A mistake and the one line in which it shows; all lines as somebody writes them who makes it."""

    edit: Edit
    scalar: Scalar
    way: Way


def possible(ground: Ground, about: tuple[Scalar, ...]) -> bool:
    """Does a known mistake show in its calculation?"""
    return bool(slips(ground, about[0]))


def told(ground: Ground, about: tuple[Scalar, ...]) -> Told:
    """The values from which the lines start are given, and all lines but one are right."""
    right = right_way(ground, about[0])
    values, before = written_out.read_by(ground, right)
    given = (*(Asked("value", each) for each in values), *(Asked("delta", each) for each in before))
    return Told(given, tuple(Asked("delta", each) for each in right))


def asked(ground: Ground, about: tuple[Scalar, ...]) -> tuple[Asked, ...]:
    """∂E/∂w: whatever mistake is made, it is to be seen in the gradient."""
    return (Asked("gradient", about[0]),)


def make(desk: Desk, planned: Planned) -> Exercise:
    """Which line is wrong, and what should it be?"""
    target, pen = planned.about[0], desk.pen
    slip, right, wrong = _wrong_solution(desk, planned)
    place = next(number for number, line in enumerate(right) if line.scalar == slip.scalar)
    points = 4 if planned.points is None else planned.points
    shares = split(points, [1, 1])
    shown: list[Block] = [
        paragraph(
            "Somebody has computed {partial} like this. One line is wrong; everything after it goes on rightly with what "
            "came out of it.",
            partial=pen.partial(None, target),
        ),
        *_given(desk, right_way(desk.ground, target), slip.way),
    ]
    for number, line in enumerate(wrong, start=1):
        shown += [paragraph("Line {n}. {words}", n=number, words=line.words), Equation(line.sides)]
    options = tuple(
        Option(
            prose("line {n}", n=number),
            number == place + 1,
            _said(number == place + 1, number, place + 1, desk.said(slip.edit.mistake)),
        )
        for number in range(1, len(wrong) + 1)
    )
    should_be = right[place].sides[1].formula
    typed = plain_equation((right[place].sides[1],))
    items = (
        Item("a", prose("the wrong line"), ChoiceAnswer(options), shares[0]),
        Item("b", prose("the line as it should be"), FormulaAnswer(should_be, typed), shares[1]),
    )
    return Exercise(planned.kind, "Find the mistake", tuple(shown), items, _solved(desk, slip, right, wrong, shares))


def _solved(
    desk: Desk, slip: _Slip, right: Sequence[Line], wrong: Sequence[Line], shares: Sequence[int]
) -> tuple[SolutionStep, ...]:
    """The line that is wrong, as it should be, and those that its result changes."""
    changed = [(n, line) for n, (line, other) in enumerate(zip(right, wrong, strict=True), 1) if line != other]
    place, line = next((n, line) for n, line in changed if line.scalar == slip.scalar)
    found = paragraph("Line {n} is wrong. {words}", n=place, words=desk.said(slip.edit.mistake))
    rest = _rest([other for n, other in changed if n > place])
    return (
        SolutionStep((found,), shares[0], prose("line {n}", n=place)),
        SolutionStep(
            (paragraph("It should be:"), Equation(line.sides), *rest),
            shares[1],
            prose("the line as it should be: the formula; its number follows from it"),
        ),
    )


def _given(desk: Desk, right: Way, wrong: Way) -> tuple[Block, ...]:
    """What the lines start from."""
    values, before = written_out.read_by(desk.ground, right)
    more, _ = written_out.read_by(desk.ground, wrong)
    return given_values(desk, in_order(desk, dict.fromkeys([*values, *more])), before)


def _rest(lines: Sequence[Line]) -> list[Block]:
    if not lines:
        return []
    return [paragraph("And from there on:"), *(Equation(line.sides) for line in lines)]


def _said(right: bool, number: int, place: int, words: str) -> str:
    if right:
        return words
    return (
        "Up to here all is right."
        if number < place
        else "This line is right in itself: it goes on with what came before."
    )


# ---- the wrong solution ------------------------------------------------------------------------


@lru_cache(KEPT)
def right_way(ground: Ground, target: Scalar) -> Way:
    """The lines back to a gradient, rightly."""
    return written_out.way(ground.derivation, ground.base, target, MOST_SHOWN)


@lru_cache(KEPT)
def slips(ground: Ground, target: Scalar) -> Mapping[str, tuple[_Slip, ...]]:
    """The mistakes that show in one of the lines, by name."""
    right, found = right_way(ground, target), dict[str, list[_Slip]]()
    layers = {ground.derivation.program.variables[each.array].layer for each in right}
    for edit in _edits(ground, layers):
        shown = written_out.with_mistake(ground.derivation, ground.base, right, edit)
        if shown is not None and not (edit.mistake in OF_THE_ERROR and written_out.upstream(right[shown[0]])):
            found.setdefault(edit.mistake, []).append(_Slip(edit, *shown))
    return {name: tuple(found[name]) for name in sorted(found)}


def _edits(ground: Ground, layers: set[int]) -> Iterator[Edit]:
    """The mistakes of the backward pass, in one layer each."""
    for edit in ground.edits:
        one_layer = edit.stage == BACKWARD and edit.layer != "all"
        if (one_layer and (edit.layer in layers or layers == {0})) or edit.mistake in ALL_LAYERS:
            yield edit


def _wrong_solution(desk: Desk, planned: Planned) -> tuple[_Slip, list[Line], list[Line]]:
    """A mistake that shows in one of the lines, and the lines without it and with it.

    One before whose line nothing stands that another exercise asks for goes before others.
    """
    by_name = slips(desk.ground, planned.about[0])
    way = right_way(desk.ground, planned.about[0])
    right = written_out.lines(desk, way, desk.ground.base)
    names = [name for name in by_name if planned.mistake in (None, name)]
    tried = [slip for name in desk.shuffled(names, "mistake") for slip in desk.shuffled(by_name[name], name)]
    for slip in sorted(tried, key=lambda each: _gives_away(planned, way, each)):
        with suppress(ArithmeticError):
            wrong = written_out.lines(desk, slip.way, slip.edit.apply(desk.ground.base))
            place = list(way).index(slip.scalar)
            if wrong[place].sides[-1] != right[place].sides[-1]:
                return slip, right, wrong
    if planned.mistake is not None and planned.mistake not in by_name:
        raise ChainruleError(f"exercises: find_mistake: mistake: {unknown(planned.mistake, by_name)}")
    raise ChainruleError(
        "exercises: find_mistake: no known mistake shows in a line of this calculation; ask of another weight"
    )


def _gives_away(planned: Planned, right: Way, slip: _Slip) -> int:
    """How many right results that other exercises ask for stand on the sheet."""
    wrong = {slip.scalar}
    for scalar in right:
        if wrong & {*written_out.upstream(right[scalar])}:
            wrong.add(scalar)
    return sum(scalar in planned.secret for scalar in right if scalar not in wrong)


KIND = Kind(
    "find_mistake",
    "find the line that is wrong in a worked solution, and put it right",
    weights,
    make,
    asked,
    told,
    possible,
    mistakes=True,
    nothing="no known mistake shows in a line of its calculation",
)
