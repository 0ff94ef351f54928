"""The way back as a sheet has it, right or with a mistake: every line in the same form, so that none stands out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from derive.derivation import Derivation
from derive.evaluate.balls import Enclosures
from derive.program import references
from derive.scalars import Scalar, leaves
from derive.verification.edit import Edit
from derive.verification.lines import Reading, reading_of
from derive.verification.sheet import DoesNotApplyError, Sheet
from render.compose.verification.lines import gradient, reading_sides
from render.exercises.desk import Desk, Ground
from render.exercises.lines import MOST_LINES, Line
from render.exercises.wording import back_to, delta_words

Way = Mapping[Scalar, Reading]
"""The lines back to a quantity, the error's side first, itself last."""


def way(derivation: Derivation, sheet: Sheet, target: Scalar, most: int = MOST_LINES) -> Way:
    """The lines from the error back to ∂E/∂target; of very many the last."""
    found: dict[Scalar, Reading] = {}
    waiting = [target]
    while waiting:
        scalar = waiting.pop()
        if scalar in found:
            continue
        reading = reading_of(derivation, sheet, scalar.array, scalar.index)
        if reading is not None:
            found[scalar] = reading
            waiting += [each for each in upstream(reading) if each not in found]
    places = {equation.target: place for place, equation in enumerate(sheet.equations)}
    ordered = sorted(found, key=lambda each: (each == target, places[found[each].line], each.index))
    return {scalar: found[scalar] for scalar in ordered[-most:]}


def upstream(reading: Reading) -> list[Scalar]:
    """The quantities whose ∂E a line reads."""
    return [
        Scalar(reading.gradients[each.array], each.index)
        for each in leaves(reading.node)
        if each.array in reading.gradients
    ]


def with_mistake(derivation: Derivation, base: Sheet, right: Way, edit: Edit) -> tuple[Scalar, Way] | None:
    """The one line in which a mistake shows, and all lines as they are then; None where it does not show in one."""
    target = list(right)[-1]
    try:
        edited = edit.apply(base)
    except DoesNotApplyError:
        return None
    if dict(edited.results) != dict(base.results):
        return None  # something else was handed over: no line is wrong
    lines = base.lines
    touched = {name for name, expression in edited.lines.items() if lines.get(name) != expression}
    wrong = dict(right)
    for scalar, reading in right.items():
        if touched.isdisjoint(reached(base, reading.line, frozenset(reading.gradients))):
            continue
        other = reading_of(derivation, edited, scalar.array, scalar.index)
        if other is None:
            return None
        wrong[scalar] = other
    changed = [scalar for scalar in right if wrong[scalar].node != right[scalar].node]
    strangers = {each for scalar in changed for each in upstream(wrong[scalar])} - set(right)
    known = {each for reading in right.values() for each in upstream(reading)}
    if len(changed) != 1 or strangers - known or changed[0] not in _line_of(right, target):
        return None
    return changed[0], wrong


def reached(sheet: Sheet, line: str, named: frozenset[str]) -> set[str]:
    """A line and those without a name that are written out in it."""
    found, waiting = {line}, [line]
    while waiting:
        for name in references(sheet.lines[waiting.pop()]):
            if name in sheet.lines and name not in found and name not in named:
                found.add(name)
                waiting.append(name)
    return found


def _line_of(right: Way, target: Scalar) -> set[Scalar]:
    """The quantities on which ∂E/∂target rests, as the right lines have it."""
    found, waiting = set(), [target]
    while waiting:
        scalar = waiting.pop()
        if scalar in right and scalar not in found:
            found.add(scalar)
            waiting += upstream(right[scalar])
    return found


def lines(desk: Desk, the_way: Way, sheet: Sheet) -> list[Line]:
    """The lines in the numbers of one variant, each computed with what the lines before it give."""
    enclosures = Enclosures.of(sheet.equations, desk.derivation.given)
    made = []
    for scalar, reading in the_way.items():
        sides = reading_sides(desk.pen, gradient(desk.pen, scalar), replace(reading, enclosures=enclosures))
        words = delta_words(desk, scalar) if desk.views and desk.has_delta(scalar) else back_to(desk, scalar)
        made.append(Line(scalar, True, sides, words))
    return made


def read_by(ground: Ground, the_way: Way) -> tuple[list[Scalar], list[Scalar]]:
    """What lines read and none of them computes: values of the forward pass, and quantities with their ∂E."""
    program = ground.derivation.program
    read = [each for reading in the_way.values() for each in leaves(reading.node)]
    values = dict.fromkeys(each for each in read if each.array in program.definitions)
    before = dict.fromkeys(each for reading in the_way.values() for each in upstream(reading) if each not in the_way)
    return list(values), list(before)
