"""Numbers against their bounds: what float64 decides quickly is what exact fractions say, at the very ends too."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from flint import arb
from hypothesis import given
from hypothesis import strategies as st

from derive.verification.bounds import ANYTHING, NOTHING, Bounds, as_floats

EXPONENTS = st.integers(-60, 8)
STEPS = st.integers(-3, 3)


@given(st.floats(-1e6, 1e6), EXPONENTS, st.integers(0, 3), STEPS, STEPS)
def test_a_number_near_an_end_is_decided_exactly(middle: float, size: int, half: int, side: int, off: int) -> None:
    radius, print_half = 2.0**size, Fraction(half) * Fraction(2) ** (size - 2)
    bounds = Bounds((arb(middle, radius),), (print_half,))
    low, high = bounds[0]
    value = (high if side > 0 else low) + off * Fraction(2) ** (size - 40)
    inside = bounds.hold((value,), as_floats((value,)))
    assert bool(inside[0]) == (low <= value <= high)


def test_what_has_no_finite_bound_may_be_anything_or_is_nothing() -> None:
    for otherwise, expected in (((-ANYTHING, ANYTHING), True), (NOTHING, False)):
        bounds = Bounds((arb("nan"),), (Fraction(0),), otherwise)
        assert bounds.hold((Fraction(1),), np.array([1.0])).tolist() == [expected]


def test_numbers_beyond_every_float_are_compared_all_the_same() -> None:
    bounds = Bounds((arb(0, 1), arb(10) ** 400), (Fraction(0), Fraction(1)))
    values = (Fraction(10**400), Fraction(10**400))
    assert bounds.hold(values, as_floats(values)).tolist() == [False, True]
