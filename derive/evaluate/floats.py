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


class Run:
    """A sheet's values, from which those of a similar sheet are had by computing again only what differs."""

    def __init__(self, equations: Iterable[Equation], given: Mapping[str, Floats]) -> None:
        self.lines = {equation.target: equation.expression for equation in equations}
        self.given = given
        self.values = run(tuple(Equation(n, e) for n, e in self.lines.items()), given)

    def of(self, equations: Iterable[Equation]) -> Lazy:
        """The values of other equations, each computed when it is asked for."""
        return Lazy(self, {equation.target: equation.expression for equation in equations})


class Lazy(Mapping[str, Floats]):
    """A sheet's values on demand; a line that is the same, and reads nothing that changed, is taken over."""

    def __init__(self, base: Run, lines: dict[str, Expression]) -> None:
        self.base, self.lines = base, lines
        self.known: dict[str, Floats] = dict(base.given)
        self.changed: set[str] = set()

    def __getitem__(self, name: str) -> Floats:
        """The value of a line, and of every line that it needs."""
        waiting = [name]
        with np.errstate(all="ignore"):
            while waiting:
                top = waiting[-1]
                if top in self.known:
                    waiting.pop()
                    continue
                expression = self.lines[top]
                reads = read_by(expression)
                missing = [each for each in reads if each not in self.known]
                if missing:
                    waiting += missing
                    continue
                same = self.base.lines.get(top)
                if same is not None and not (reads & self.changed) and (same is expression or same == expression):
                    self.known[top] = self.base.values[top]
                else:
                    self.changed.add(top)
                    self.known[top] = evaluate(expression, self.known)
                waiting.pop()
        return self.known[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.lines)

    def __len__(self) -> int:
        return len(self.lines)
