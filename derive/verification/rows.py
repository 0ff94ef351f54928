"""The rows of a report: each number beside its reference. Of a hundred thousand only those looked at are made."""

from __future__ import annotations

import math
from fractions import Fraction

import flint
import numpy as np
from flint import arb, fmpq
from numpy.typing import NDArray

from derive.digits import Exact, from_float, significant
from derive.verification.bounds import middle, radius
from derive.verification.handed import Item
from derive.verification.points import Point
from derive.verification.report import Row, Rows

Floats = NDArray[np.float64]

MOST_DIGITS = 17

SMALLEST, LARGEST = 5e-324, 1e308

GUARD_BITS = 64
"""So many bits more than the reference's are enough for how far a decimal is from it."""


def rows_of(point: Point) -> Rows:
    """Each number beside its reference."""
    inside = point.within(point.bounds)
    return Rows(lambda place: _row(point, place, bool(inside[place])), inside, lambda: _all_digits(point))


def _row(point: Point, place: int, within: bool) -> Row:
    item, right = point.items[place], point.right_number(place)
    low, high = point.bounds[place]
    difference = abs(point.values[place] - right)
    known = bool(right) and item.value is not None
    relative = (quotient(difference, abs(right)) if difference else 0.0) if known else None
    return Row(
        item.name,
        item.text,
        significant(right, MOST_DIGITS),
        "" if relative is None else _three(relative),
        _digits(relative, item.value is not None and not difference),
        _three(quotient(max(high - right, right - low), 1)),
        within,
        _array_of(item),
    )


def _array_of(item: Item) -> str:
    """How a report calls the array of a number."""
    name = item.scalar.array
    return f"dE/d{name}" if item.kind == "delta" else f"{name}{'+' * (item.kind == 'updated')}"


def quotient(top: Fraction, bottom: Fraction | int) -> float:
    """A positive quotient as a float; what is smaller than any is the smallest, what is larger the largest."""
    found = top / bottom
    return LARGEST if found > LARGEST else max(float(found), SMALLEST)


def _three(value: float) -> str:
    """Three significant digits."""
    return "0" if value == 0 else from_float(float(f"{value:.2e}"))


def _digits(relative: float | None, equal: bool) -> int:
    """How many significant digits are right."""
    if equal:
        return MOST_DIGITS
    if relative is None or relative >= 1:
        return 0
    return max(0, min(MOST_DIGITS, math.floor(-math.log10(relative or 1e-18))))


def _all_digits(point: Point) -> NDArray[np.int_]:
    """How many digits of each number are right, without making its row."""
    found = []
    longest = max((ball.mid().bits() for ball in point.reference if isinstance(ball, arb)), default=0)
    with flint.ctx.workprec(longest + GUARD_BITS):
        for item, ball in zip(point.items, point.reference, strict=True):
            found.append(_digits_beside(item.value, ball))
    return np.array(found, dtype=np.int_)


def _digits_beside(value: Fraction | None, ball: Exact) -> int:
    if value is None:
        return 0
    middle_of = ball if isinstance(ball, fmpq) else ball.mid()
    if isinstance(ball, arb) and abs(middle(ball)) <= 2 * radius(ball):
        return MOST_DIGITS if not value else 0
    difference = fmpq(value.numerator, value.denominator) - middle_of
    if middle_of == 0 or difference == 0:
        return MOST_DIGITS if difference == 0 else 0
    relative: Exact = abs(difference / middle_of)  # type: ignore[assignment]
    return _digits(middle(relative) or SMALLEST, equal=False)
