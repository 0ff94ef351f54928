"""The line that went wrong, as a pen writes it: what was probably written, and what it should be."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from derive.derivation import Derivation
from derive.formula import Formula, Side
from derive.notation import Names
from derive.quantities import reads
from derive.scalars import Scalar
from derive.verification.judge import base_sheet
from derive.verification.lines import Reading, Wrong, wrong_lines
from derive.verification.report import Explanation
from render.compose.pen import Pen


@dataclass(frozen=True)
class WrittenLine:
    """One line of the calculation in two versions, each with symbols, numbers and result."""

    wrong: Wrong
    written: tuple[Side, ...]
    right: tuple[Side, ...]


def lines_of(pen: Pen, explanation: Explanation) -> list[WrittenLine]:
    """The line of each mistake of an explanation; none for what shows in no single line."""
    derivation = pen.derivation
    if not explanation.edits or not pen.numbers:
        return []
    found = wrong_lines(derivation, base_sheet(derivation), explanation.edits, explanation.point)
    lines = []
    for each in found:
        with suppress(ArithmeticError):  # a line whose numbers are not finite is not shown
            lines.append(written_line(pen, each))
    return lines


def shown_elsewhere(derivation: Derivation, explanation: Explanation) -> bool:
    """Are the numbers of its lines those of a point that is not the problem's own?"""
    own, point = derivation.given, explanation.point
    return point is not None and not all(np.array_equal(array, point.given[name]) for name, array in own.items())


ELSEWHERE = "The numbers are those of the point that is told below: there the mistake shows."
"""What is said before lines with other numbers than the problem's own."""


def written_line(pen: Pen, wrong: Wrong) -> WrittenLine:
    """A wrong line beside the right one; ArithmeticError where a number of it is not finite."""
    return WrittenLine(wrong, _sides(pen, wrong, wrong.written), _sides(pen, wrong, wrong.right))


def pen_of(derivation: Derivation, decimals: int = 9) -> Pen:
    """A pen in the notation of the problem."""
    return Pen(derivation, derivation.names.notation, decimals)


def left_of(pen: Pen, wrong: Wrong) -> Formula:
    """What the line computes: a quantity, its delta, or ∂E by it."""
    scalar = wrong.scalar
    if not wrong.adjoint:
        return pen.symbol(scalar)
    return gradient(pen, scalar)


def gradient(pen: Pen, scalar: Scalar) -> Formula:
    """∂E/∂scalar: the delta of a net input, the short name of a parameter's gradient where there is one."""
    variable = pen.derivation.program.variables[scalar.array]
    if variable.role == "net" and _has_deltas(pen.names):
        return pen.delta(scalar)
    if scalar.array in pen.derivation.program.parameters:
        return pen.gradient_symbol(scalar)
    return pen.partial(None, scalar)


def _has_deltas(names: Names) -> bool:
    return names.notation.element("delta") is not None


def _sides(pen: Pen, wrong: Wrong, reading: Reading) -> tuple[Side, ...]:
    """The line as it is on one of the two sheets; of what was handed over only what it is."""

    left = None if wrong.handed else left_of(pen, wrong)
    return reading_sides(pen, left, reading)


def reading_sides(pen: Pen, left: Formula | None, reading: Reading) -> tuple[Side, ...]:
    """An element of a sheet in symbols, numbers and result, after what it is."""

    def symbol(scalar: Scalar) -> Formula:
        array = reading.gradients.get(scalar.array)
        return pen.symbol(scalar) if array is None else gradient(pen, Scalar(array, scalar.index))

    def number(scalar: Scalar) -> Formula:
        return pen.show(reads(scalar.array, scalar.index), reading.enclosures).formula

    formula = reading.formula(symbol)
    result = pen.show(reads(reading.line, reading.index), reading.enclosures)
    formulas: Sequence[Formula] = (formula,) if left is None else (left, formula)
    first, *rest = (pen.elided(each) for each in formulas)
    return pen.line(first, *rest, numbers=reading.formula(number), result=result)
