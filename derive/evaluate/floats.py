"""The lines of a sheet in float64: fast, for seeing which of many edits may fit. Nothing is decided by it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any

import numpy as np
import sympy
from numpy.typing import NDArray

from derive.evaluate.code import FLOAT, source
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
from derive.verification.sheet import read_by

Floats = NDArray[np.float64]
NAMESPACE: dict[str, Any] = {
    name: getattr(math, name)
    for name in ("exp", "expm1", "log", "log1p", "tanh", "sqrt", "sin", "cos", "erf", "erfc", "pi")
} | {"abs": abs, "power": math.pow, "largest": max, "chosen": lambda place, *row: float(row.index(max(row)) == place)}


@cache
def compiled(formula: sympy.Expr, symbols: tuple[sympy.Symbol, ...]) -> Callable[..., Any]:
    """A formula as a ufunc of floats; what has no value is nan."""
    names: dict[sympy.Expr, str] = {symbol: f"v{i}" for i, symbol in enumerate(symbols)}
    text = f"lambda {', '.join(names.values())}: {source(formula, names, FLOAT)}"
    function: Callable[..., Any] = eval(text, dict(NAMESPACE))  # noqa: S307 - our own source, see derive/evaluate/code.py
    if symbols and _arithmetic(formula):
        return function

    def safe(*values: float) -> float:
        try:
            return float(function(*values))
        except (ArithmeticError, ValueError, TypeError):
            return math.nan

    return np.frompyfunc(safe, len(symbols), 1) if symbols else safe


def _arithmetic(formula: sympy.Expr) -> bool:
    """Only sums, products and small whole powers: as good for arrays as for numbers."""
    return all(
        part.is_Symbol
        or part.is_Rational
        or isinstance(part, sympy.Add | sympy.Mul)
        or (isinstance(part, sympy.Pow) and part.exp.is_Integer and abs(part.exp) <= 4)
        for part in sympy.preorder_traversal(formula)
    )


def evaluate(expression: Expression, values: Mapping[str, Floats]) -> Floats:
    """One expression over arrays of floats."""
    match expression:
        case Ref(name):
            return values[name]
        case Map(formula, symbols, arguments, shape):
            parts = [evaluate(part, values) for part in arguments]
            if symbols == () or not arguments:
                return np.full(shape, compiled(formula, ())())
            if formula == symbols[0] and len(symbols) == 1:
                return np.broadcast_to(parts[0], shape)
            return np.broadcast_to(np.asarray(compiled(formula, symbols)(*parts), dtype=np.float64), shape)
        case Contract(axes, out, (left, right)):
            return np.asarray(np.einsum(f"{axes[0]},{axes[1]}->{out}", evaluate(left, values), evaluate(right, values)))
        case Transpose(argument, axes):
            return np.transpose(evaluate(argument, values), axes)
        case Total(argument, axes, keepdims):
            return np.asarray(np.sum(evaluate(argument, values), axis=axes, keepdims=keepdims))
        case Softmax(argument, axis, _, logarithm):
            return _softmax(evaluate(argument, values), axis, logarithm)
        case Reshape(argument, shape):
            return evaluate(argument, values).reshape(shape)
        case Gather(arguments, positions):
            pool = np.concatenate([*(evaluate(part, values).reshape(-1) for part in arguments), np.zeros(1)])
            return np.asarray(pool[positions.array])
        case Scatter(argument, positions, offset, shape):
            size = int(np.prod(shape))
            places = positions.array.reshape(-1) - offset
            inside = (places >= 0) & (places < size)
            weights = evaluate(argument, values).reshape(-1)[inside]
            added = np.bincount(places[inside], weights=weights, minlength=size)
            return np.asarray(added, dtype=np.float64).reshape(shape)
        case Largest(argument, axis, keepdims, _, mask):
            found = evaluate(argument, values)
            if mask:
                first = np.argmax(found, axis=axis, keepdims=True)
                return np.where(
                    np.arange(found.shape[axis]).reshape([-1 if k == axis else 1 for k in range(found.ndim)]) == first,
                    1.0,
                    0.0,
                )
            return np.asarray(np.max(found, axis=axis, keepdims=keepdims))
    raise TypeError(f"cannot evaluate {type(expression).__name__}")


def _softmax(values: Floats, axis: int, logarithm: bool) -> Floats:
    shifted = values - np.max(values, axis=axis, keepdims=True)
    exponentials = np.exp(shifted)
    totals = np.sum(exponentials, axis=axis, keepdims=True)
    return np.asarray(shifted - np.log(totals) if logarithm else exponentials / totals)


def run(equations: Iterable[Equation], given: Mapping[str, Floats]) -> dict[str, Floats]:
    """All arrays, given ones included."""
    values = dict(given)
    with np.errstate(all="ignore"):
        for equation in equations:
            values[equation.target] = evaluate(equation.expression, values)
    return values


def floats(array: NDArray[np.object_]) -> Floats:
    """Exact numbers as float64."""
    return np.asarray(np.frompyfunc(lambda v: int(v.p) / int(v.q), 1, 1)(array), dtype=np.float64)


Lines = Mapping[str, Expression]


class Values(Mapping[str, Floats]):
    """The values of a sheet's lines, each computed when it is asked for.

    Where they are those of a sheet that differs from another (``base``) in a few lines, a line that is the same, and
    reads nothing that ``changed``, is taken over from there.
    """

    def __init__(self, lines: Lines, given: Mapping[str, Floats], base: Values | None = None) -> None:
        self.lines, self.given, self.base = lines, given, base
        self.known: dict[str, Floats] = dict(given)
        self.changed: set[str] = set()
        self._reads: dict[str, frozenset[str]] = {}

    def of(self, lines: Lines) -> Values:
        """The values of other lines, on the same given arrays."""
        return Values(lines, self.given, self)

    def reads(self, name: str) -> frozenset[str]:
        """What a line reads; asked of the base where it is the same line, since to look one up takes long."""
        found = self._reads.get(name)
        if found is None:
            expression = self.lines[name]
            same = self.base is not None and self.base.lines.get(name) is expression
            found = self.base.reads(name) if same and self.base is not None else read_by(expression)
            self._reads[name] = found
        return found

    def __getitem__(self, name: str) -> Floats:
        """The value of a line, and of every line that it needs."""
        if name in self.known:
            return self.known[name]
        waiting = [name]
        with np.errstate(all="ignore"):
            while waiting:
                top = waiting[-1]
                missing = [] if top in self.known else [each for each in self.reads(top) if each not in self.known]
                if missing:
                    waiting += missing
                    continue
                if top not in self.known:
                    self.known[top] = self._value(top)
                waiting.pop()
        return self.known[name]

    def _value(self, name: str) -> Floats:
        """A line's value, where all that it reads is known."""
        expression = self.lines[name]
        if self.base is not None and self.changed.isdisjoint(self.reads(name)):
            same = self.base.lines.get(name)
            if same is not None and (same is expression or same == expression):
                return self.base[name]
        self.changed.add(name)
        return evaluate(expression, self.known)

    def __iter__(self) -> Iterator[str]:
        return iter(self.lines)

    def __len__(self) -> int:
        return len(self.lines)
