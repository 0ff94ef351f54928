"""Exact evaluation: rationals where they stay rational, balls (python-flint's arb) where not.

Every given number is an exact decimal, so every result has as many true digits as are asked for:
the precision is doubled until the enclosures decide them.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import cache
from typing import Any

import flint
import numpy as np
import sympy
from flint import arb, fmpq
from numpy.typing import NDArray

from derive.digits import Exact, decide
from derive.evaluate.code import BALL, source
from derive.program import (
    Contract,
    Equation,
    Expression,
    Gather,
    Largest,
    Map,
    Ref,
    Reshape,
    Scatter,
    Softmax,
    Total,
    Transpose,
)

Array = NDArray[np.object_]

FIRST_BITS = 128
LAST_BITS = 2**15


class UndecidedError(ArithmeticError):
    """A sign that the precision at hand does not decide: try again with more bits."""


def exact(value: Fraction | int) -> fmpq:
    """An exact number for exact arithmetic."""
    return fmpq(value.numerator, value.denominator)


def exact_array(values: object, shape: tuple[int, ...]) -> Array:
    """Nested tuples of Fractions (a Fraction for an array without axes) as an array of fmpq."""
    result = np.empty(shape, dtype=object)
    flat: Any = np.array(values, dtype=object).reshape(-1) if shape else [values]
    result.reshape(-1)[:] = [exact(value) for value in flat]
    return result


def element(array: Array, index: tuple[int, ...]) -> Exact:
    """One element of an exact array."""
    found: Exact = array[index]
    return found


def positive(value: Exact, strict: bool) -> bool:
    """value > 0 (or ≥ 0), decided; at the last precision an undecided value counts as 0."""
    if isinstance(value, arb) and not value.is_exact() and value.contains(0):
        if flint.ctx.prec < LAST_BITS:
            raise UndecidedError
        return not strict
    return bool(value > 0 if strict else value >= 0)


def _same(left: Exact, right: Exact) -> bool:
    """left = right, decided; at the last precision an undecided difference counts as 0."""
    difference = left - right
    if isinstance(difference, arb) and not difference.is_exact() and difference.contains(0):
        if flint.ctx.prec < LAST_BITS:
            raise UndecidedError
        return True
    return bool(difference == 0)


def _from_zero(value: arb, rising: Callable[[arb], arb]) -> arb:
    """A rising function that begins at f(0) = 0, of an enclosure that may reach below 0.

    A sum of squares is often 0 only because everything in it cancels, and its enclosure then never leaves 0
    behind. Whether a number is 0 or negative is asked of more bits first; at the last precision it counts as 0.
    A number that is found to be negative stays one, and the function is not finite there.
    """
    if not value.is_finite() or value.is_exact() or not value.contains(0):
        return rising(value)
    if value.lower() < 0 and flint.ctx.prec < LAST_BITS:
        raise UndecidedError
    return arb(0).union(rising(value.upper()))


def _rational_at(point: int, result: int, function: Callable[[arb], arb]) -> Callable[[Exact], Exact]:
    """A function that stays rational at the one rational point where it is (e⁰ = 1, ln 1 = 0)."""

    def apply(value: Exact) -> Exact:
        return fmpq(result) if isinstance(value, fmpq) and value == point else function(arb(value))

    return apply


def _power(base: Exact | int, exponent: Exact | int) -> Exact:
    """base to an exponent; a rational to a whole one exactly."""
    base = fmpq(base) if isinstance(base, int) else base
    if isinstance(exponent, int) or (isinstance(exponent, fmpq) and exponent.q == 1):
        return _whole_power(base, int(exponent) if isinstance(exponent, int) else int(exponent.p))
    if exponent > 0:
        return _from_zero(arb(base), lambda value: value ** arb(exponent))
    return arb(base) ** arb(exponent)


def _whole_power(base: Exact, exponent: int) -> Exact:
    """base to a whole exponent; arb's own makes no number of a ball around 0."""
    if isinstance(base, fmpq) or base.mid() != 0 or exponent <= 0:
        result: Exact = base**exponent
        return result
    top = base.upper() ** exponent
    return (arb(0) if exponent % 2 == 0 else -top).union(top)


def _first_largest(row: Sequence[Exact]) -> int:
    best = 0
    for place in range(1, len(row)):
        if positive(row[place] - row[best], strict=True):
            best = place
    return best


NAMESPACE: dict[str, Any] = {
    "exp": _rational_at(0, 1, arb.exp),
    "log": _rational_at(1, 0, arb.log),
    "tanh": _rational_at(0, 0, arb.tanh),
    "sqrt": _rational_at(0, 0, lambda value: _from_zero(value, arb.sqrt)),
    "sin": _rational_at(0, 0, arb.sin),
    "cos": _rational_at(0, 1, arb.cos),
    "erf": _rational_at(0, 0, arb.erf),
    "erfc": _rational_at(0, 1, arb.erfc),
    "power": _power,
    "largest": lambda *row: row[_first_largest(row)],
    "chosen": lambda place, *row: fmpq(_first_largest(row) == place),
    "pi": arb.pi,
    "abs": abs,
    "positive": positive,
    "same": _same,
    "fmpq": fmpq,
}


@cache
def compiled(formula: sympy.Expr, symbols: tuple[sympy.Symbol, ...]) -> Callable[..., Any]:
    """A formula as a Python function of balls."""
    names: dict[sympy.Expr, str] = {symbol: f"v{i}" for i, symbol in enumerate(symbols)}
    text = f"lambda {', '.join(names.values())}: fmpq(0) + {source(formula, names, BALL)}"  # never a mere int
    tree = ast.parse(text, mode="eval")
    function: Callable[..., Any] = eval(compile(tree, "<formula>", "eval"), dict(NAMESPACE))  # noqa: S307 - our own source
    return function


def evaluate(expression: Expression, values: Mapping[str, Array]) -> Array:
    """One array expression over arrays of exact numbers, at the context's precision."""
    match expression:
        case Ref(name):
            return values[name]
        case Map(formula, symbols, arguments, shape):
            return _map(compiled(formula, symbols), [evaluate(part, values) for part in arguments], shape)
        case Contract(axes, out, (left, right)):
            product = np.einsum(f"{axes[0]},{axes[1]}->{out}", evaluate(left, values), evaluate(right, values))
            return filled(product, expression.shape)
        case Transpose(argument, axes):
            return np.transpose(evaluate(argument, values), axes)
        case Total(argument, axes, keepdims):
            return filled(np.sum(evaluate(argument, values), axis=axes, keepdims=keepdims), expression.shape)
        case Softmax(argument, axis, _, logarithm):
            return _softmax(evaluate(argument, values), axis, logarithm)
        case Reshape(argument, shape):
            return evaluate(argument, values).reshape(shape)
        case Gather(arguments, positions):
            pool = np.concatenate([*(evaluate(part, values).reshape(-1) for part in arguments), [fmpq(0)]])
            return filled(pool[positions.array], expression.shape)
        case Scatter(argument, positions, offset, shape):
            return _scattered(evaluate(argument, values), positions.array - offset, shape)
        case Largest(argument, axis, keepdims, _, mask):
            return _largest(evaluate(argument, values), axis, keepdims, mask)
    raise TypeError(f"cannot evaluate {type(expression).__name__}")


def filled(value: Any, shape: tuple[int, ...]) -> Array:
    """An object array of a shape, also where NumPy would make a bare element of it."""
    result = np.empty(shape, dtype=object)
    result[...] = value
    return result


def _map(function: Callable[..., Any], arguments: list[Array], shape: tuple[int, ...]) -> Array:
    if not arguments:
        return filled(function(), shape)
    return filled(np.frompyfunc(function, len(arguments), 1)(*arguments), shape)


def _softmax(values: Array, axis: int, logarithm: bool) -> Array:
    exponentials = _map(NAMESPACE["exp"], [values], values.shape)
    totals = filled(
        np.sum(exponentials, axis=axis, keepdims=True), (*values.shape[:axis], 1, *values.shape[axis + 1 :])
    )
    if logarithm:
        return np.asarray(values - _map(NAMESPACE["log"], [totals], totals.shape))
    return np.asarray(exponentials / totals)


def _scattered(values: Array, places: NDArray[np.intp], shape: tuple[int, ...]) -> Array:
    size = int(np.prod(shape))
    result = np.full(size, fmpq(0), dtype=object)
    for value, place in zip(values.reshape(-1), places.reshape(-1), strict=True):
        if 0 <= place < size:
            result[place] = result[place] + value
    return result.reshape(shape)


def _largest(values: Array, axis: int, keepdims: bool, mask: bool) -> Array:
    """The maximum along an axis, decided; or where it stands, the first of several."""
    moved = np.moveaxis(values, axis, -1)
    places = np.empty(moved.shape[:-1], dtype=np.intp)
    for index in np.ndindex(*places.shape):
        places[index] = _first_largest(list(moved[index]))
    if mask:
        chosen = np.arange(moved.shape[-1]) == places[..., None]
        return np.moveaxis(np.array([fmpq(0), fmpq(1)], dtype=object)[chosen.astype(np.intp)], -1, axis)
    found = np.take_along_axis(moved, places[..., None], -1)
    return np.moveaxis(found, -1, axis) if keepdims else found[..., 0]


def run(equations: tuple[Equation, ...], given: Mapping[str, Array]) -> dict[str, Array]:
    """All arrays of a program, given ones included, at the context's precision."""
    values = dict(given)
    for equation in equations:
        values[equation.target] = tamed(evaluate(equation.expression, values))
    return values


LONGEST_FRACTION = 20_000
"""A fraction of more bits than this goes on as a ball: squared again and again it would never end."""


def tamed(array: Array) -> Array:
    """The array with balls for fractions that have grown too long."""
    if not any(isinstance(v, fmpq) and v.q.bit_length() + v.p.bit_length() > LONGEST_FRACTION for v in array.flat):
        return array
    return filled(np.frompyfunc(arb, 1, 1)(array), array.shape)


class Enclosures:
    """Values that can be had to any precision: computed when asked, kept per precision."""

    def __init__(self, compute: Callable[[int], dict[str, Array]]) -> None:
        self._compute = cache(compute)
        self._enough = 0  # bits below which something stays undecided, which is found out once

    @classmethod
    def of(cls, equations: tuple[Equation, ...], given: Mapping[str, Array]) -> Enclosures:
        """The values of a program's arrays."""
        return cls(lambda bits: run(equations, given))

    def at(self, bits: int) -> dict[str, Array]:
        """All arrays, enclosed with at least ``bits`` of working precision."""
        bits = max(bits, self._enough)
        while True:
            try:
                with flint.ctx.workprec(bits):
                    return self._compute(bits)
            except UndecidedError:
                bits *= 2
                self._enough = bits

    def decimal(self, read: Callable[[dict[str, Array]], Exact], digits: int) -> str:
        """A number made from the values, correctly rounded to significant digits.

        One that still encloses zero at the last precision is "0". Raises ArithmeticError for one that is not finite.
        """
        bits = max(FIRST_BITS, int(digits * 3.33) + 64)
        last = max(LAST_BITS, 2 * bits)
        while True:
            values = self.at(bits)
            with flint.ctx.workprec(bits):
                value = read(values)
            finite = isinstance(value, fmpq) or value.is_finite()
            text = decide(value, digits) if finite else None
            if text is not None:
                return text
            if bits == last:
                break
            bits = min(2 * bits, last)
        if not finite:  # only now: at fewer bits 1 − σ(100) contains zero, and its logarithm is not finite
            raise ArithmeticError("not finite")
        return "0" if isinstance(value, fmpq) or value.contains(0) else decide(value.mid(), digits) or "0"


def fraction(value: Exact) -> Fraction | None:
    """The exact value of a rational; None for a ball."""
    return Fraction(int(value.p), int(value.q)) if isinstance(value, fmpq) else None
