"""The rows of a report: each number beside its reference. Of a hundred thousand only those looked at are made."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from flint import fmpq

from derive.digits import from_float, significant
from derive.verification.bounds import as_float, rational
from derive.verification.handed import Item
from derive.verification.points import Point
from derive.verification.report import Errors, Row, Rows

MOST_DIGITS = 17

SMALLEST, LARGEST = 5e-324, 1e308


def rows_of(point: Point) -> Rows:
    """Each number beside its reference."""
    inside = point.within(point.bounds)
    return Rows(lambda place: _row(point, place, bool(inside[place])), inside, lambda: _errors(point))


def _row(point: Point, place: int, within: bool) -> Row:
    item, right = point.items[place], point.right_number(place)
    low, high = point.bounds.rational(place)
    difference = abs(rational(point.values[place]) - right)
    known = bool(right) and item.value is not None
    relative = (_size(difference / abs(right)) if difference else 0.0) if known else None
    return Row(
        item.name,
        item.text,
        significant(Fraction(int(right.p), int(right.q)), MOST_DIGITS),
        "" if relative is None else _three(relative),
        _digits(relative, item.value is not None and not difference),
        _three(_size(max(high - right, right - low))),
        within,
        _array_of(item),
    )


def _array_of(item: Item) -> str:
    """How a report calls the array of a number."""
    name = item.scalar.array
    return f"dE/d{name}" if item.kind == "delta" else f"{name}{'+' * (item.kind == 'updated')}"


def _size(value: fmpq) -> float:
    """A positive number as a float; what is smaller than any is the smallest, what is larger the largest."""
    return min(max(as_float(value), SMALLEST), LARGEST)


def _three(value: float) -> str:
    """Three significant digits."""
    return "0" if value == 0 else from_float(_to_three(value))


def _to_three(value: float) -> float:
    return float(f"{value:.2e}")


def _digits(relative: float | None, equal: bool) -> int:
    """How many significant digits are right."""
    if equal:
        return MOST_DIGITS
    if relative is None or relative >= 1:
        return 0
    return max(0, min(MOST_DIGITS, math.floor(-math.log10(relative or 1e-18))))


def _errors(point: Point) -> Errors:
    """How many digits of each number are right, and its relative error, without making its row."""
    digits, relative = np.zeros(len(point.items), dtype=np.int_), np.full(len(point.items), np.inf)
    for place, item in enumerate(point.items):
        if item.value is not None:
            right = point.right_number(place)
            difference = abs(rational(item.value) - right)
            error = _size(difference / abs(right)) if right and difference else None
            digits[place] = _digits(error, not difference)
            relative[place] = _to_three(error) if error is not None else 0.0 if not difference else np.inf
    return digits, relative
