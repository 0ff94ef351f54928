"""A sheet's numbers with the rounding that a calculation of so many digits may have: enclosures that hold them all.

The exact values are enclosed in balls, and each line's result is widened by what rounding it can do: for a sum of n
terms n units times the sum of their sizes, for a formula a unit for each of its operations times the size that its
terms reach before they cancel. What comes out of the last line encloses every result that a calculation of that
precision can give, in whatever order it adds. Where a rounding may decide a condition (a net input beside relu's
kink), both ways are enclosed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from typing import Any

import flint
import numpy as np
import sympy
from flint import arb, fmpq

from derive.digits import Exact
from derive.evaluate import balls
from derive.evaluate.balls import Array, UndecidedError
from derive.evaluate.code import BALL, source
from derive.functions import expand
from derive.program import (
    Contract,
    Equation,
    Expression,
    Largest,
    Map,
    Ref,
    Softmax,
    Total,
    parts,
    rebuilt,
)

SAFETY = 2
"""Library functions are accurate to a unit or two, not to a half."""

MOST_CHOICES = 64
"""So many ways through the conditions of one formula are enclosed."""

TINY = {True: 1e-300, False: 1e-37}


@dataclass(frozen=True)
class Rounding:
    """How each step is rounded: relatively by ``unit``, absolutely by ``absolute``."""

    unit: Fraction
    absolute: Fraction = Fraction(0)

    @property
    def least(self) -> float:
        """What is smaller than this may be lost altogether."""
        return TINY[self.unit < Fraction(1, 2**30)] + float(self.absolute)


def enclosed(
    equations: Iterable[Equation],
    given: Mapping[str, Array],
    rounding: Rounding,
    bits: int = 192,
    *,
    exactly: bool = False,
) -> dict[str, Array]:
    """All arrays, each element a ball that holds what a calculation with such rounding may give.

    ``exactly``: it starts from the given numbers as they are, and not from these rounded.
    """
    with flint.ctx.workprec(bits):
        work = _Work(rounding)
        rounded = {} if exactly else {name: work.widened(array, _sizes(array)) for name, array in given.items()}
        values = {**given, **rounded}
        for equation in equations:
            values[equation.target] = work.line(equation.expression, values)
        return values


def _sizes(array: Array) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.asarray(np.abs(_floats(array)))


def _floats(array: Array) -> np.ndarray[Any, np.dtype[np.float64]]:
    found = np.frompyfunc(_float, 1, 1)(array)
    return np.asarray(found, dtype=np.float64)


def _float(value: Exact) -> float:
    """A bound on the size of a ball's elements, or an exact number, as a float."""
    if isinstance(value, fmpq):
        return int(value.p) / int(value.q)
    return float(value.abs_upper())


class _Work:
    def __init__(self, rounding: Rounding) -> None:
        self.rounding = rounding
        self.unit = float(rounding.unit) * SAFETY

    def widened(self, values: Array, sizes: Any, operations: int = 1) -> Array:
        """Each ball widened by so many roundings of numbers of these sizes."""
        radii = np.broadcast_to(np.asarray(sizes * (self.unit * operations) + self.rounding.least), np.shape(values))
        return balls.filled(np.frompyfunc(_widen, 2, 1)(values, radii), np.shape(values))

    def line(self, expression: Expression, values: Mapping[str, Array]) -> Array:
        """One expression, every operation in it rounded."""
        match expression:
            case Ref(name):
                return values[name]
            case Map():
                return self._map(expression, [self.line(part, values) for part in expression.arguments])
            case Contract(axes, out, (left, right)):
                parts = [self.line(left, values), self.line(right, values)]
                subscripts = f"{axes[0]},{axes[1]}->{out}"
                product = balls.filled(np.einsum(subscripts, *parts), expression.shape)
                sizes = np.asarray(np.einsum(subscripts, *(_sizes(part) for part in parts)))
                terms = _terms(axes, out, (left.shape, right.shape))
                return self.widened(product, sizes, terms + 1)
            case Total(argument, axes, keepdims):
                inner = self.line(argument, values)
                total = balls.filled(np.sum(inner, axis=axes, keepdims=keepdims), expression.shape)
                sizes = np.asarray(np.sum(_sizes(inner), axis=axes, keepdims=keepdims))
                return self.widened(total, sizes, int(np.prod([argument.shape[axis] for axis in axes])))
            case Softmax(argument, axis, shape, _):
                inner = self.line(argument, values)
                result = balls.evaluate(_on_name(expression), {"": inner})
                reach = np.max(_sizes(inner), axis=axis, keepdims=True) + shape[axis] + 4
                return self.widened(result, _sizes(result) * reach + (reach if expression.logarithm else 0.0), 2)
            case Largest():
                return self._largest(expression, self.line(expression.argument, values))
        arguments = {f"{k}": self.line(part, values) for k, part in enumerate(_parts(expression))}
        return balls.evaluate(_renamed(expression), arguments)

    def _map(self, expression: Map, arguments: list[Array]) -> Array:
        formula, symbols = expression.formula, expression.symbols
        if not arguments:
            return balls.evaluate(expression, {})
        function = np.frompyfunc(_both_ways(_compiled(formula, symbols)), len(arguments), 1)
        result = balls.filled(function(*arguments), expression.shape)
        if formula in symbols:
            return result
        operations = max(1, int(sympy.count_ops(expand(formula))))
        reach = np.frompyfunc(_both_ways(_compiled(_reach(expand(formula)), symbols)), len(arguments), 1)
        sizes = _floats(balls.filled(reach(*arguments), expression.shape))
        return self.widened(result, sizes, operations)

    def _largest(self, expression: Largest, inner: Array) -> Array:
        """The maximum of balls: from the largest lower end to the largest upper one; its mask 0 to 1 where unsure."""
        axis = expression.axis
        lower, upper = (np.asarray(np.frompyfunc(end, 1, 1)(inner)) for end in (_lower, _upper))
        top = np.max(lower, axis=axis, keepdims=True)
        if expression.mask:
            possible = upper >= top
            sure = possible & (np.sum(possible, axis=axis, keepdims=True) == 1)
            either = arb(0.5, 0.5)
            flat = [fmpq(1) if s else either if p else fmpq(0) for s, p in zip(sure.flat, possible.flat, strict=True)]
            return balls.filled(np.array(flat, dtype=object).reshape(inner.shape), inner.shape)
        highest = np.max(upper, axis=axis, keepdims=expression.keepdims)
        lowest = np.max(lower, axis=axis, keepdims=expression.keepdims)
        return balls.filled(
            np.frompyfunc(lambda low, high: arb(low).union(arb(high)), 2, 1)(lowest, highest), expression.shape
        )


def _widen(value: Exact, radius: float) -> arb:
    return arb(value) + arb(0, radius)


def _lower(value: Exact) -> arb:
    return arb(value).lower()


def _upper(value: Exact) -> arb:
    return arb(value).upper()


def _terms(axes: tuple[str, str], out: str, shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> int:
    sizes = {
        letter: size
        for letters, shape in zip(axes, shapes, strict=True)
        for letter, size in zip(letters, shape, strict=True)
    }
    return int(np.prod([size for letter, size in sizes.items() if letter not in out] or [1]))


def _parts(expression: Expression) -> tuple[Expression, ...]:
    return parts(expression)


def _renamed(expression: Expression) -> Expression:
    return rebuilt(expression, tuple(Ref(str(k), part.shape) for k, part in enumerate(_parts(expression))))


def _on_name(expression: Softmax) -> Softmax:
    return replace(expression, argument=Ref("", expression.argument.shape))


# ---- conditions ----------------------------------------------------------------------------


@cache
def _compiled(formula: sympy.Expr, symbols: tuple[sympy.Symbol, ...]) -> Callable[..., Any]:
    """A formula as a function of a decider of signs and balls."""
    names: dict[sympy.Expr, str] = {symbol: f"v{i}" for i, symbol in enumerate(symbols)}
    text = f"lambda positive, {', '.join(names.values())}: fmpq(0) + {source(formula, names, BALL)}"
    function: Callable[..., Any] = eval(text, dict(balls.NAMESPACE))  # noqa: S307 - our own source, see code.py
    return function


def _both_ways(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, and where a sign is not decided the hull of what it is either way."""

    def apply(*values: Exact) -> Exact:
        results: list[Exact] = [function(_Decider(script).positive, *values) for script in _scripts(function, values)]
        if len(results) == 1:
            return results[0]
        hull = arb(results[0])
        for result in results[1:]:
            hull = hull.union(arb(result))
        return hull

    return apply


class _Decider:
    """Decides signs that balls leave open by a script; more of them than it has raise UndecidedError."""

    def __init__(self, script: tuple[bool, ...]) -> None:
        self.script, self.asked = script, 0

    def positive(self, value: Exact, strict: bool) -> bool:
        """value > 0 (or ≥ 0)."""
        if isinstance(value, arb) and value.contains(0) and not value.is_exact():
            self.asked += 1
            if self.asked > len(self.script):
                raise UndecidedError
            return self.script[self.asked - 1]
        return bool(value > 0 if strict else value >= 0)


def _scripts(function: Callable[..., Any], values: tuple[Exact, ...]) -> Iterator[tuple[bool, ...]]:
    """Every script with which the function comes to an end."""
    waiting: list[tuple[bool, ...]] = [()]
    found = 0
    while waiting and found < MOST_CHOICES:
        script = waiting.pop()
        try:
            function(_Decider(script).positive, *values)
        except UndecidedError:
            waiting += [(*script, False), (*script, True)]
            continue
        found += 1
        yield script


# ---- how large the parts of a formula get --------------------------------------------------


@cache
def _reach(formula: sympy.Expr) -> sympy.Expr:
    """A bound on |formula| as it would be if nothing cancelled: what one rounding of its parts is a unit of."""
    if formula.is_Symbol or formula.is_number:
        return sympy.Abs(formula)
    match formula:
        case sympy.Add(args=terms):
            return sympy.Add(*(_reach(term) for term in terms))
        case sympy.Mul(args=factors):
            return sympy.Mul(*(_reach(factor) for factor in factors))
        case sympy.Pow(base=base, exp=exponent) if exponent.is_number:
            grown = abs(exponent) * _reach(base) / sympy.Abs(base) if base.is_Add else sympy.S.One
            return sympy.Abs(formula) * (1 + grown)
        case sympy.exp(args=(inner,)):
            return sympy.Abs(formula) * (1 + _reach(inner))
        case sympy.log(args=(inner,)):
            return sympy.Abs(formula) + (_reach(inner) / sympy.Abs(inner) if not inner.is_Symbol else 1)
        case sympy.Piecewise(args=rows):
            return sympy.Add(*(_reach(value) for value, _ in rows))
        case sympy.Function(args=inner):
            return sympy.Abs(formula) + 2 * sympy.Add(*(_reach(each) for each in inner))
    return sympy.Abs(formula)
