"""Between which ends numbers may lie. Most are decided in float64, with a margin that is sure; the rest exactly."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np
from flint import arb, fmpq
from numpy.typing import NDArray

from derive.digits import Exact

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Ends = tuple[Fraction, Fraction]

ANYTHING = Fraction(10**200)
NOTHING = (Fraction(0), Fraction(-1))
"""The ends of an interval that holds no number."""

MARGIN = 2.0**-49
"""More than all that four roundings to float64 can do, relatively."""

LEAST = 1e-290
"""More than what may be lost of a float64 that is smaller than any."""


@dataclass(frozen=True)
class Bounds(Sequence[Ends]):
    """The ends of the interval for each number: a ball, widened by half a unit of the number's print.

    ``otherwise``: the ends where the ball has no finite ones. They are exact, and made when one asks for them.
    """

    balls: tuple[Exact, ...]
    halves: tuple[Fraction, ...]
    otherwise: Ends = NOTHING

    def __len__(self) -> int:
        """How many numbers there are."""
        return len(self.balls)

    def __getitem__(self, place: int) -> Ends:  # type: ignore[override]
        """The exact ends for one of them."""
        low, high = self.rational(place)
        return Fraction(int(low.p), int(low.q)), Fraction(int(high.p), int(high.q))

    def rational(self, place: int) -> tuple[fmpq, fmpq]:
        """The same as flint's rationals, with which it is quick to calculate."""
        ball, half = self.balls[place], self.halves[place]
        if not (isinstance(ball, fmpq) or ball.is_finite()):
            low, high = self.otherwise
            return rational(low), rational(high)
        middle, reach = exactly(ball)
        reach = reach + rational(half) if half else reach
        return middle - reach, middle + reach

    def __iter__(self) -> Iterator[Ends]:
        """The exact ends of all."""
        return (self[place] for place in range(len(self)))

    @cached_property
    def middles(self) -> Floats:
        """The middle of each in float64; nan where its size has no end."""
        return np.array([middle(ball) for ball in self.balls])

    @cached_property
    def reaches(self) -> Floats:
        """How far each goes to either side, in float64."""
        radii = np.array([radius(ball) for ball in self.balls])
        sizeless = self.otherwise[1] - self.otherwise[0]
        return np.where(np.isfinite(radii), radii + as_floats(self.halves), float(sizeless) / 2)

    def hold(self, values: Sequence[Fraction], floats: Floats) -> Flags:
        """Which of the values lie between their ends; ``floats`` are the same in float64."""
        with np.errstate(all="ignore"):
            away = np.abs(floats - self.middles)
            unsure = MARGIN * (np.abs(floats) + np.abs(self.middles) + self.reaches) + LEAST
            inside, outside = away + unsure <= self.reaches, away > self.reaches + unsure
        for place in np.flatnonzero(~(inside | outside)).tolist():
            low, high = self[place]
            inside[place] = low <= values[place] <= high
        return np.asarray(inside)


def rational(value: Fraction) -> fmpq:
    """A fraction as flint's rational."""
    return fmpq(value.numerator, value.denominator)


def exactly(ball: Exact) -> tuple[fmpq, fmpq]:
    """The middle and the radius of a finite ball."""
    if isinstance(ball, fmpq):
        return ball, ZERO
    return _dyadic(ball.mid()), _dyadic(ball.rad())


ZERO = fmpq(0)


def _dyadic(value: arb) -> fmpq:
    """An exact ball as a rational."""
    mantissa, exponent = value.man_exp()
    power = int(exponent)
    return fmpq(mantissa << power) if power >= 0 else fmpq(mantissa, 1 << -power)


def middle(ball: Exact) -> float:
    """The middle of a ball in float64, nan where it has none."""
    if isinstance(ball, fmpq):
        return as_float(ball)
    return float(ball) if ball.is_finite() else np.nan


def radius(ball: Exact) -> float:
    """The radius of a ball, infinite where it has no end."""
    if isinstance(ball, arb):
        return float(ball.rad()) if ball.is_finite() else np.inf
    return 0.0


def as_floats(values: Sequence[Fraction]) -> Floats:
    """Fractions in float64."""
    return np.array([as_float(value) if value else 0.0 for value in values])


def as_float(value: Fraction | fmpq) -> float:
    """A fraction in float64; infinite where it is larger than any."""
    try:
        if isinstance(value, fmpq):
            return int(value.p) / int(value.q)
        return value.numerator / value.denominator
    except OverflowError:
        return np.inf if value > 0 else -np.inf
