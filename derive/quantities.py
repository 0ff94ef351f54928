"""Quantities by the names that people print: ``net_h1``, ``dE/dw5``, ``delta_o1``, ``w5+``, ``E@10000``."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import sympy

from derive.digits import Exact
from derive.errors import ChainruleError
from derive.evaluate.balls import Array, Enclosures, compiled, element, exact, exact_array
from derive.notation import plain_name
from derive.scalars import Scalar

if TYPE_CHECKING:
    from derive.derivation import Derivation

Read = Callable[[dict[str, Array]], Exact]


@dataclass(frozen=True)
class Quantity:
    """A number that a derivation determines: read from ``enclosures`` at any precision.

    ``step`` is the number of updates after which it is taken (0: before any).
    """

    enclosures: Enclosures
    read: Read
    step: int = 0

    def decimal(self, digits: int) -> str:
        """The number, correctly rounded to significant digits."""
        return self.enclosures.decimal(self.read, digits)


def quantity(derivation: Derivation, name: str) -> Quantity:
    """The quantity of a name.

    A scalar by its name or index; ``dU/dV`` any scalar's derivative by another; ``delta_U`` the delta
    of a unit; ``NAME+`` after one update; ``NAME@N`` after N. Raises ChainruleError for anything else, and for what is
    a formula in this problem and no number.
    """
    read, steps = read_at(derivation, name)
    if "@" in name or steps:
        return Quantity(_trained(derivation, steps), read, steps)
    return Quantity(derivation.enclosures, read)


def read_at(derivation: Derivation, name: str) -> tuple[Read, int]:
    """How a quantity is read from the arrays, and after how many updates these are to be taken."""
    if match := re.fullmatch(r"(.+)@(\d+)", name):
        return _scalar(derivation, match[1]), int(match[2])
    if name.endswith("+"):
        return _scalar(derivation, name[:-1]), 1
    if match := re.fullmatch(r"[d∂]\s*([^/]+?)\s*/\s*[d∂]\s*([^/]+)", name):
        expression = derivative(derivation, derivation.scalar(match[1]), derivation.scalar(match[2]))
        _numeric(derivation, name, {derivation.scalar_of(symbol).array for symbol in expression.free_symbols})
        return reader(derivation, expression), 0
    if (delta := _deltas(derivation).get(name)) is not None:
        adjoint = derivation.gradient.adjoints[delta.array]
        _numeric(derivation, name, {adjoint})
        return reads(adjoint, delta.index), 0
    _numeric(derivation, name, {derivation.scalar(name).array})
    return _scalar(derivation, name), 0


def _numeric(derivation: Derivation, name: str, arrays: set[str]) -> None:
    """Raise ChainruleError where one of the arrays has no numbers."""
    if not arrays <= derivation.numeric:
        symbols = ", ".join(each for each in derivation.program.given if each not in derivation.given)
        raise ChainruleError(f"{name} is a formula here and no number: the problem leaves {symbols} symbols")


def _scalar(derivation: Derivation, name: str) -> Read:
    scalar = derivation.scalar(name)
    return reads(scalar.array, scalar.index)


def reads(array: str, index: tuple[int, ...]) -> Read:
    """Reads one element of an array."""

    def read(values: dict[str, Array]) -> Exact:
        return element(values[array], index)

    return read


def reader(derivation: Derivation, expression: sympy.Expr) -> Read:
    """Reads an expression in the symbols of scalars."""
    symbols = tuple(sorted(expression.free_symbols, key=str))
    function = compiled(expression, symbols)
    scalars = [derivation.scalar_of(symbol) for symbol in symbols]

    def read(values: dict[str, Array]) -> Exact:
        result = function(*(values[s.array][s.index] for s in scalars))
        return exact(result) if isinstance(result, int) else result

    return read


def _deltas(derivation: Derivation) -> dict[str, Scalar]:
    return {
        plain_name(derivation.names.delta(variable.name, scalar.index)): scalar
        for variable in derivation.program.by_role("net")
        for scalar in derivation.graph.scalars(variable.name)
    }


def derivative(derivation: Derivation, of: Scalar, by: Scalar) -> sympy.Expr:
    """∂of/∂by by the chain rule over every path between them, in the symbols of scalars."""
    every = frozenset(derivation.program.variables)
    found: dict[Scalar, sympy.Expr] = {by: sympy.S.One}

    def walk(scalar: Scalar) -> sympy.Expr:
        if scalar not in found:
            defined = scalar.array in derivation.program.definitions
            partials = derivation.graph.partials(scalar, every) if defined else {}
            terms = [sympy.Mul(partial, walk(source)) for source, partial in partials.items()]
            found[scalar] = sympy.Add(*terms)
        return found[scalar]

    return walk(of)


FLOATS_FROM = 50
"""From so many steps on training is done in float64: its error stays far below what anybody prints."""


def _trained(derivation: Derivation, steps: int) -> Enclosures:
    if steps < FLOATS_FROM:
        return derivation.train_exactly(steps)
    values, _ = derivation.train_in_floats(steps)
    arrays = {
        name: exact_array(
            [Fraction(float(v)) for v in value.reshape(-1)] if value.shape else Fraction(float(value)), value.shape
        )
        for name, value in values.items()
    }
    return Enclosures(lambda bits: arrays)


def checked(name: str, value: str, found: Quantity) -> tuple[str, bool]:
    """The derived number at the precision of a printed one, and whether they are the same.

    ``value`` is decimal text; its last place is its precision. Raises ChainruleError for other text.
    """
    if not _DECIMAL.fullmatch(value):
        raise ChainruleError(f"{name}: {value!r} is no decimal number")
    places = places_of(value)
    derived = Fraction(found.decimal(max(30, places + 20)))
    at_precision = round(derived * Fraction(10) ** places) / Fraction(10) ** places
    return fixed(at_precision, places), at_precision == Fraction(value)


_DECIMAL = re.compile(r"[-+]?\d*\.?(\d*)(?:[eE]([-+]?\d+))?")


def places_of(value: str) -> int:
    """How many decimals a decimal text has; negative for 12e3, whose last place is the thousands."""
    match = _DECIMAL.fullmatch(value)
    assert match is not None, f"{value!r} is no decimal number"
    return (len(match[1]) if "." in value else 0) - int(match[2] or 0)


def fixed(value: Fraction, places: int) -> str:
    """A number rounded to so many decimals."""
    scaled = str(abs(round(value * Fraction(10) ** max(places, 0)))).rjust(max(places, 0) + 1, "0")
    text = f"{scaled[: len(scaled) - places]}.{scaled[len(scaled) - places :]}" if places > 0 else scaled
    return f"-{text}" if value < 0 else text
