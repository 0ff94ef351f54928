"""Printed numbers as somebody gets them who rounds every intermediate result before going on with it."""

from __future__ import annotations

from fractions import Fraction

import flint
from flint import fmpq

from derive.derivation import Derivation
from derive.digits import ends
from derive.errors import ChainruleError
from derive.evaluate.balls import Array
from derive.evaluate.rounding import Rounding, enclosed
from derive.optimizers import updated_name
from derive.quantities import fixed, places_of, read_at
from derive.training import start_exactly
from derive.verification.precision import Precision

BITS = 192


MOST_STEPS = 20
"""A training of more steps is not followed with its roundings."""


def rounded_quantity(derivation: Derivation, name: str, value: str, how: Precision) -> tuple[str, bool]:
    """Between which numbers a quantity may lie with such rounding, and whether the printed ``value`` does.

    Raises ChainruleError for a quantity after more updates than are followed.
    """
    read, steps = read_at(derivation, name)
    if steps > MOST_STEPS:
        raise ChainruleError(f"{name}: so many steps are not followed with their roundings")
    with flint.ctx.workprec(BITS):
        found = read(_arrays(derivation, steps, how))
    if not isinstance(found, fmpq) and not found.is_finite():
        return "", False
    low, high = ends(found)
    places = places_of(value)
    half = Fraction(10) ** -places / 2
    texts = dict.fromkeys(fixed(end, places) for end in (low - half, high + half))
    return " to ".join(texts), low - half <= Fraction(value) <= high + half


def _arrays(derivation: Derivation, steps: int, how: Precision) -> dict[str, Array]:
    """Every array after so many updates, and before any the adjoints too, as wide as the roundings make them."""
    if steps == 0:
        equations = (*derivation.program.equations, *derivation.gradient.equations)
        known = [each for each in equations if each.target in derivation.numeric]
        return enclosed(known, derivation.given, _rounding(how), BITS, exactly=True)
    training = derivation.training
    values = start_exactly(training, derivation.given)
    for _ in range(steps):
        after = enclosed(training.equations, values, _rounding(how), BITS, exactly=True)
        values |= {name: after[updated_name(name)] for name in training.carried}
    return enclosed(derivation.program.equations, values, _rounding(how), BITS, exactly=True)


def _rounding(how: Precision) -> Rounding:
    return Rounding(how.unit, how.absolute)
