"""The lines of a sheet in float64: fast, for seeing which of many edits may fit. Nothing is decided by it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
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
    Shape,
    Softmax,
    Total,
    Transpose,
)

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


def evaluate(expression: Expression, values: Mapping[str, Floats], stacked: int = 0) -> Floats:
    """One expression over arrays of floats.

    ``stacked``: the arrays have so many axes (0 or 1) in front, along which other values of the same arrays lie; an
    array that is the same for all has length one there.
    """
    match expression:
        case Ref(name):
            return values[name]
        case Map():
            return _map(expression, values, stacked)
        case Contract(axes, out, (left, right)):
            each = "..." * stacked
            operands = evaluate(left, values, stacked), evaluate(right, values, stacked)
            return np.asarray(np.einsum(f"{each}{axes[0]},{each}{axes[1]}->{each}{out}", *operands))
        case Transpose(argument, axes):
            inner = tuple(axis + stacked for axis in axes)
            return np.transpose(evaluate(argument, values, stacked), (*range(stacked), *inner))
        case Total(argument, axes, keepdims):
            inner = tuple(axis + stacked for axis in axes)
            return np.asarray(np.sum(evaluate(argument, values, stacked), axis=inner, keepdims=keepdims))
        case Softmax(argument, axis, _, logarithm):
            return _softmax(evaluate(argument, values, stacked), axis + stacked, logarithm)
        case Reshape(argument, shape):
            found = evaluate(argument, values, stacked)
            return found.reshape(*found.shape[:stacked], *shape)
        case Gather(arguments, positions):
            parts = _level([evaluate(part, values, stacked) for part in arguments], stacked)
            pool = np.concatenate([*parts, np.zeros((*parts[0].shape[:stacked], 1))], axis=-1)
            return np.asarray(pool[..., positions.array])
        case Scatter(argument, positions, offset, shape):
            (row,) = _level([evaluate(argument, values, stacked)], stacked)
            return _scattered(row, positions.array.reshape(-1) - offset, shape)
        case Largest(argument, axis, keepdims, _, mask):
            return _largest(evaluate(argument, values, stacked), axis + stacked, keepdims, mask)
    raise TypeError(f"cannot evaluate {type(expression).__name__}")


def _map(expression: Map, values: Mapping[str, Floats], stacked: int) -> Floats:
    function, shape = compiled(expression.formula, expression.symbols), expression.shape
    if not expression.symbols:
        return np.full((1,) * stacked + shape, function())
    parts = [evaluate(part, values, stacked) for part in expression.arguments]
    if stacked:  # each as the others broadcast against it
        parts = [part.reshape(len(part), *(1,) * (len(shape) + 1 - part.ndim), *part.shape[1:]) for part in parts]
    found = np.asarray(function(*parts), dtype=np.float64)
    wanted = (max(map(len, parts)), *shape) if stacked else shape
    return found if found.shape == wanted else np.broadcast_to(found, wanted)


def _level(parts: list[Floats], stacked: int) -> list[Floats]:
    """Each array laid out in one row, as long a stack as the longest."""
    rows = [part.reshape(*part.shape[:stacked], -1) for part in parts]
    stack = np.broadcast_shapes(*(row.shape[:stacked] for row in rows))
    return [np.broadcast_to(row, (*stack, row.shape[-1])) for row in rows]


def _scattered(row: Floats, places: NDArray[np.intp], shape: Shape) -> Floats:
    """Each number of a row added to its place; those outside are left out."""
    size = math.prod(shape)
    inside = (places >= 0) & (places < size)
    stack = row.shape[:-1]
    rows = math.prod(stack)
    everywhere = places[inside] + size * np.arange(rows)[:, np.newaxis]
    added = np.bincount(everywhere.reshape(-1), weights=row[..., inside].reshape(-1), minlength=rows * size)
    return np.asarray(added, dtype=np.float64).reshape(*stack, *shape)


def _largest(found: Floats, axis: int, keepdims: bool, mask: bool) -> Floats:
    if not mask:
        return np.asarray(np.max(found, axis=axis, keepdims=keepdims))
    where = np.zeros(found.shape)
    np.put_along_axis(where, np.argmax(found, axis=axis, keepdims=True), 1.0, axis=axis)
    return where


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
