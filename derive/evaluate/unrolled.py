"""Plain floats: a program's equations written out, one local variable per element.

For small networks nothing is faster in Python: no array is made, every name is a local.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import sympy

from derive.evaluate.code import FLOAT, source
from derive.program import Equation, Expression, Shape, references
from derive.scalars import Best, Form, Leaf, Node, Scalar, Share, Terms, Times, element


def _chosen(place: int, *row: float) -> float:
    return float(row.index(max(row)) == place)


NAMESPACE: dict[str, Any] = {
    name: getattr(math, name)
    for name in ("exp", "expm1", "log", "log1p", "tanh", "sqrt", "sin", "cos", "erf", "erfc", "pi")
} | {"abs": abs, "power": math.pow, "largest": max, "chosen": _chosen}


def needed(equations: Sequence[Equation], outputs: Iterable[str]) -> tuple[Equation, ...]:
    """The equations that ``outputs`` depend on, in order."""
    wanted = set(outputs)
    kept = []
    for equation in reversed(equations):
        if equation.target in wanted:
            kept.append(equation)
            wanted |= references(equation.expression)
    return tuple(reversed(kept))


def indices(shape: Shape) -> list[tuple[int, ...]]:
    """All indices of an array, row by row."""
    return list(np.ndindex(*shape))


LONGEST_SUM = 100


def added(terms: list[str]) -> str:
    """The source of a sum; a long one is a sum of sums, since Python's compiler goes one deeper with every term."""
    while len(terms) > LONGEST_SUM:
        terms = [added(terms[start : start + LONGEST_SUM]) for start in range(0, len(terms), LONGEST_SUM)]
    return f"({' + '.join(terms)})"


@dataclass
class Writer:
    """Writes statements; every scalar and every temporary gets a name of its own."""

    names: dict[Scalar, str] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    rows: dict[tuple[Node, ...], tuple[str, str]] = field(default_factory=dict)
    shares: dict[tuple[Node, ...], tuple[list[str], str, str]] = field(default_factory=dict)

    def name(self, scalar: Scalar) -> str:
        """The variable of a scalar."""
        return self.names.setdefault(scalar, f"v{len(self.names)}")

    def temporary(self, text: str) -> str:
        """A new variable with this value."""
        self.lines.append(f"t{len(self.lines)} = {text}")
        return f"t{len(self.lines) - 1}"

    def equation(self, target: str, expression: Expression) -> None:
        """A statement for every element of an equation."""
        for index in indices(expression.shape):
            text = self.write(element(expression, index))
            self.lines.append(f"{self.name(Scalar(target, index))} = {text}")

    def write(self, node: Node) -> str:
        """The source of a definition."""
        match node:
            case Leaf(scalar):
                return self.name(scalar)
            case Terms(terms):
                return added([self.write(term) for term in terms])
            case Times(left, right):
                return f"{self.write(left)}*{self.write(right)}"
            case Form(formula, symbols, parts):
                return self._form(formula, symbols, parts)
            case Share():
                return self._share(node)
            case Best():
                return self._best(node)
        raise TypeError(f"no source for {type(node).__name__}")

    def _form(self, formula: sympy.Expr, symbols: tuple[sympy.Symbol, ...], parts: tuple[Node, ...]) -> str:
        written = [self.write(part) for part in parts]
        once = isinstance(formula, sympy.Add)  # a mere sum reads its parts once
        names: dict[sympy.Expr, str] = {
            symbol: text if once or text.isidentifier() else self.temporary(text)
            for symbol, text in zip(symbols, written, strict=True)
        }
        return source(formula, names, FLOAT, self.temporary)

    def _best(self, node: Best) -> str:
        """The largest of a row, or whether a place holds the first largest."""
        if node.row not in self.rows:
            row = [self.write(each) for each in node.row]
            row = [text if text.isidentifier() else self.temporary(text) for text in row]
            largest = self.temporary(f"max({', '.join(row)})") if len(row) > 1 else row[0]
            self.rows[node.row] = (largest, self.temporary(f"({', '.join(row)},).index({largest})"))
        largest, first = self.rows[node.row]
        return largest if node.place < 0 else f"(1.0 if {first} == {node.place} else 0.0)"

    def _share(self, node: Share) -> str:
        """Softmax with the largest score taken off first, so that nothing overflows; computed once for all places."""
        if node.scores not in self.shares:
            scores = [self.write(score) for score in node.scores]
            scores = [text if text.isidentifier() else self.temporary(text) for text in scores]
            largest = self.temporary(f"max({', '.join(scores)})") if len(scores) > 1 else scores[0]
            powers = [self.temporary(f"exp({score} - {largest})") for score in scores]
            total = self.temporary(added(powers))
            self.shares[node.scores] = ([*powers, *scores], total, largest)
        kept, total, largest = self.shares[node.scores]
        if node.logarithm:
            return f"({kept[len(node.scores) + node.place]} - {largest} - log({total}))"
        return f"({kept[node.place]}/{total})"


def _compile(lines: list[str], name: str) -> Callable[..., Any]:
    namespace: dict[str, Any] = dict(NAMESPACE)
    exec(compile("\n".join(lines), f"<{name}>", "exec"), namespace)  # noqa: S102 - our own source, see code.py
    function: Callable[..., Any] = namespace[name]
    return function


def function(
    equations: Sequence[Equation], inputs: Sequence[tuple[str, Shape]], outputs: Sequence[tuple[str, Shape]]
) -> Callable[..., Any]:
    """``f(*elements of inputs) -> tuple of elements of outputs``, all plain floats, row by row."""
    writer = Writer()
    arguments = [writer.name(Scalar(name, index)) for name, shape in inputs for index in indices(shape)]
    for equation in needed(equations, [name for name, _ in outputs]):
        writer.equation(equation.target, equation.expression)
    results = [writer.name(Scalar(name, index)) for name, shape in outputs for index in indices(shape)]
    body = [*writer.lines, f"return ({', '.join(results)},)"]
    return _compile([f"def evaluate({', '.join(arguments)}):", *(f"    {line}" for line in body)], "evaluate")


def loop(
    equations: Sequence[Equation],
    state: Sequence[tuple[str, str, Shape]],
    constants: Sequence[tuple[str, Shape]],
) -> Callable[..., Any]:
    """``run(steps, *elements of state, *elements of constants) -> tuple of elements of state``.

    ``state`` names each array that changes and the equation of its new value.
    """
    writer = Writer()
    held = [writer.name(Scalar(name, index)) for name, _, shape in state for index in indices(shape)]
    rest = [writer.name(Scalar(name, index)) for name, shape in constants for index in indices(shape)]
    for equation in needed(equations, [new for _, new, _ in state]):
        writer.equation(equation.target, equation.expression)
    new = [writer.name(Scalar(after, index)) for _, after, shape in state for index in indices(shape)]
    lines = [f"def run({', '.join(['steps', *held, *rest])}):", "    for _ in range(steps):"]
    lines += [f"        {line}" for line in writer.lines]
    lines += [f"        {old} = {value}" for old, value in zip(held, new, strict=True)] or ["        pass"]
    lines += [f"    return ({', '.join(held)}{',' * bool(held)})"]
    return _compile(lines, "run")
