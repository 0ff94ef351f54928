"""Where no mistake of the family fits: numbers that are the reference times one constant, and which."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from flint import fmpq

from derive.digits import significant
from derive.verification.bounds import exactly, rational
from derive.verification.points import Point
from derive.verification.text import listed

CHANCE = Fraction(1, 20)
"""A simple fraction is told where one as simple would lie between the ends by chance so rarely, or more rarely."""

MOST_DIGITS = 17

MOST_PARTS = 20
"""137/100 is easier to read as 1.37."""

Array = tuple[str, str]


@dataclass(frozen=True)
class Range:
    """The constants that are consistent with ``count`` numbers which are not zero."""

    low: Fraction
    high: Fraction
    count: int

    def __and__(self, other: Range) -> Range:
        return Range(max(self.low, other.low), min(self.high, other.high), self.count + other.count)


def notes(points: Sequence[Point]) -> list[str]:
    """Of all gradients, or of single arrays that are wrong: what they are the reference times, at every point."""
    ranges = {array: _range(points, array) for array in _arrays(points[0])}
    wrong = {array for array, found in ranges.items() if found is None or not found.low <= 1 <= found.high}
    groups: list[tuple[list[Array], Range]] = []
    for array in (each for each in ranges if each in wrong):
        found = ranges[array]
        if found is None:
            continue
        for place, (members, common) in enumerate(groups):
            if _possible(both := common & found):
                groups[place] = ([*members, array], both)
                break
        else:
            groups.append(([array], found))
    told = [(members, common) for members, common in groups if common.count > 1]
    return [_words(members, common, points[0], whole=len(members) == len(points[0].arrays)) for members, common in told]


def _arrays(point: Point) -> list[Array]:
    """The gradients and deltas that were handed over."""
    every = [(each.example.kind, each.example.scalar.array) for each in reversed(point.arrays)]
    return [(kind, name) for kind, name in every if kind in ("gradient", "delta")]


def _range(points: Sequence[Point], array: Array) -> Range | None:
    """The constants with which every number of an array lies within its bound; None where there are none.

    What was computed lies within its own bound of the reference, and a constant only scales that; what was printed
    lies within half a unit of it. To be multiplied by a constant may cost two roundings more.
    """
    found: Range | None = None
    unsure: list[tuple[fmpq, fmpq]] = []
    for point in points:
        for place in _places(point, array):
            if point.items[place].value is None:
                return None
            ball = point.bounds.balls[place]
            if not (isinstance(ball, fmpq) or ball.is_finite()):
                continue
            middle, reach = exactly(ball)
            reach += 2 * abs(middle) * rational(point.precision.unit)
            yours, half = rational(point.values[place]), rational(point.half_units[place])
            if abs(middle) <= reach:  # it may be 0, and says only how large the constant is at least
                unsure.append((abs(yours) - half, abs(middle) + reach))
                continue
            ends = [(yours + a) / (middle + b) for a in (-half, half) for b in (-reach, reach)]
            one = Range(_fraction(min(ends)), _fraction(max(ends)), int(abs(yours) > half))
            found = one if found is None else found & one
            if not _possible(found):
                return None
    if found is None or found.low <= 0 <= found.high:
        return None
    largest = rational(max(abs(found.low), abs(found.high)))
    return found if all(size <= largest * most for size, most in unsure) else None


def _places(point: Point, array: Array) -> range:
    """Where the numbers of an array stand among all."""
    slices = (each.place for each in point.arrays if (each.example.kind, each.example.scalar.array) == array)
    return range(len(point.items))[next(slices, slice(0))]


def _possible(found: Range) -> bool:
    return found.low <= found.high


def _fraction(value: fmpq) -> Fraction:
    return Fraction(int(value.p), int(value.q))


# ---- in words ------------------------------------------------------------------------------


def _words(members: Sequence[Array], found: Range, point: Point, *, whole: bool) -> str:
    names = [f"dE/d{name}" if kind == "delta" else name for kind, name in members]
    which = "every number" if whole else f"every number of {listed(names)}"
    simple = simplest(found.low, found.high)
    sure = (found.high - found.low) * simple.denominator * max(abs(simple.numerator), simple.denominator) <= CHANCE
    long = simple.numerator != 1 and simple.denominator > MOST_PARTS
    if not sure or long:
        return f"{which} is {_signed(_decimal(found))} times the reference"
    if simple.denominator == 1:
        return f"{which} is {_signed(str(simple))} times the reference{_sum(simple, 'sum', 'mean', point)}"
    hint = _sum(1 / simple, "mean", "sum", point) if simple.numerator == 1 else ""
    return (
        f"{which} is {simple} of the reference{hint}"
        if simple > 0
        else f"{which} is {_signed(str(simple))} times the reference"
    )


def _signed(number: str) -> str:
    return number.replace("-", "−")


def _sum(count: Fraction, taken: str, right: str, point: Point) -> str:
    """A guess at where a factor comes from: the number of things that somebody may have added up, or averaged."""
    sizes = {size for variable in point.sheet.program.variables.values() for size in variable.shape}
    return f" (a {taken} taken where the error is a {right}?)" if count > 1 and count in sizes else ""


def _decimal(found: Range) -> str:
    """The shortest decimal between the ends, or the middle of both."""
    middle = (found.low + found.high) / 2
    for digits in range(1, MOST_DIGITS):
        text = significant(middle, digits)
        if found.low <= Fraction(text) <= found.high:
            return text
    return significant(middle, MOST_DIGITS)


def simplest(low: Fraction, high: Fraction) -> Fraction:
    """The fraction with the smallest denominator between two ends of the same sign."""
    if high < 0:
        return -simplest(-high, -low)
    whole = list(_terms(low, high))
    found = Fraction(whole[-1])
    for term in reversed(whole[:-1]):
        found = term + 1 / found
    return found


def _terms(low: Fraction, high: Fraction) -> Iterator[int]:
    """The continued fraction of the simplest number between two ends that are not negative."""
    while True:
        floor = low.numerator // low.denominator
        if low == floor or floor + 1 <= high:
            yield floor if low == floor else floor + 1
            return
        yield floor
        low, high = 1 / (high - floor), 1 / (low - floor)
