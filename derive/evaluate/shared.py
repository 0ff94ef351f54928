"""Many similar programs written out as one function: a line that several of them have is computed once.

The lines of a sheet and of all its edited versions are numbered by what they compute, and of each line only the
elements that somebody asks for are written, one local variable each. The same lines are written in three ways: in
plain floats, in balls that hold the exact number, and in balls that hold whatever a calculation may give that rounds
every step to so many digits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import flint
import numpy as np
import sympy
from flint import arb, fmpq
from sympy import Expr

from derive.digits import Exact
from derive.evaluate import balls, floats, unrolled
from derive.evaluate.balls import UndecidedError, positive
from derive.evaluate.code import BALL, source
from derive.evaluate.lines import MOST_TERMS, Lines, TooLongError
from derive.evaluate.unrolled import Writer, needed
from derive.functions import Elementwise
from derive.program import (
    Equation,
)
from derive.scalars import Best, Node, Scalar, Share, Terms, Times

Function = Callable[..., tuple[Any, ...]]

# ---- floats --------------------------------------------------------------------------------


def _safe(function: Callable[..., float], overflow: float = math.nan) -> Callable[..., float]:
    def apply(*values: float) -> float:
        try:
            return function(*values)
        except OverflowError:
            return overflow
        except ValueError:
            return math.nan

    return apply


FLOATS: dict[str, Any] = unrolled.NAMESPACE | {
    name: _safe(unrolled.NAMESPACE[name], math.inf if name in ("exp", "expm1", "power") else math.nan)
    for name in ("exp", "expm1", "log", "log1p", "sqrt", "sin", "cos", "power")
}
"""Functions that are nan or infinite where Python's raise: one mistake must not stop all others."""


@dataclass
class FloatWriter(Writer):
    """Plain floats; the same text twice is one variable, and a quotient by 0 is nan."""

    memory: dict[str, str] = field(default_factory=dict)
    namespace: Mapping[str, Any] = field(default_factory=lambda: FLOATS)
    arguments: str = ""

    def temporary(self, text: str) -> str:
        """The variable with this value."""
        if text not in self.memory:
            name = self.memory[text] = f"t{len(self.memory)}"
            self.lines += self.statement(name, text)
        return self.memory[text]

    def statement(self, name: str, text: str) -> list[str]:
        """The assignment of a variable."""
        if "/" not in text:
            return [f"{name} = {text}"]
        return [f"try: {name} = {text}", f"except ZeroDivisionError: {name} = nan"]

    def defined(self, scalar: Scalar, node: Node) -> None:
        """Writes the definition of a scalar."""
        text = self.write(node)
        self.names[scalar] = text if text.isidentifier() else self.temporary(text)


# ---- balls ---------------------------------------------------------------------------------


@dataclass
class BallWriter(FloatWriter):
    """Exact numbers and balls, at the precision of the context."""

    namespace: Mapping[str, Any] = field(default_factory=lambda: balls.NAMESPACE)

    def statement(self, name: str, text: str) -> list[str]:
        """The assignment of a variable, which is never a mere int."""
        sure = any(map(str.isalpha, text)) and " if " not in text
        return [f"{name} = {text}" if sure else f"{name} = fmpq(0) + {text}"]

    def _form(self, formula: Expr, symbols: tuple[sympy.Symbol, ...], parts: tuple[Node, ...]) -> str:
        names: dict[Expr, str] = {s: self._named(part) for s, part in zip(symbols, parts, strict=True)}
        return source(formula, names, BALL, self.temporary)

    def _named(self, node: Node) -> str:
        text = self.write(node)
        return text if text.isidentifier() else self.temporary(text)

    def _best(self, node: Best) -> str:
        row = ", ".join(self._named(each) for each in node.row)
        return f"largest({row})" if node.place < 0 else f"chosen({node.place}, {row})"

    def _share(self, node: Share) -> str:
        scores = [self._named(score) for score in node.scores]
        powers = [self.temporary(f"exp({score})") for score in scores]
        total = self.temporary(unrolled.added(powers))
        return f"({scores[node.place]} - log({total}))" if node.logarithm else f"({powers[node.place]}/{total})"


# ---- balls that hold every rounding --------------------------------------------------------


LEAST, MOST = 1e-280, 1e280
"""Of numbers beyond these floats nothing is promised: what rounding does to them may be no float."""


def half_unit(top: float, kind: str, places: int) -> float:
    """Half a unit in the last place of a number of this size that is rounded to significant digits or decimals.

    Infinite for one beyond `LEAST` and `MOST`.
    """
    if kind == "dp" or top == 0:
        return 0.5 * 10.0**-places if kind == "dp" else 0.0
    if not LEAST <= top <= MOST:
        return math.inf
    exponent = math.floor(math.log10(top))
    exponent += 1 if top >= 10.0 ** (exponent + 1) else -1 if top < 10.0**exponent else 0
    return 0.5 * 10.0 ** (exponent - places + 1)


def rounder(kind: str, places: int) -> Callable[[Exact | int], Exact]:
    """A function that widens a ball by what rounding its numbers to so many digits can do; what fits stays as it is."""

    def rounded(value: Exact | int) -> Exact:
        if isinstance(value, int):
            value = fmpq(value)
        if isinstance(value, fmpq):
            if value == 0:
                return value
            size = half_unit(float(arb(value).abs_upper()), kind, places)
            if size in (0, math.inf):
                return arb(0, math.inf)
            shift = round(math.log10(0.5 / size))
            if (value * fmpq(10) ** shift).q == 1:
                return value
            return arb(value) + arb(0, size)
        if not value.is_finite():
            return value
        return value + arb(0, half_unit(float(value.abs_upper()), kind, places))

    return rounded


def _first_largest(row: Sequence[Exact]) -> int:
    """Where the largest of a row stands; UndecidedError for a tie, except of zeros: units that are off give these."""
    best = 0
    for place in range(1, len(row)):
        difference = row[place] - row[best]
        if difference == 0 and row[best] != 0:
            raise UndecidedError
        if positive(difference, strict=True):
            best = place
    return best


ROUNDED: dict[str, Any] = balls.NAMESPACE | {
    "largest": lambda *row: row[_first_largest(row)],
    "chosen": lambda place, *row: fmpq(_first_largest(row) == place),
}


@dataclass
class RoundedWriter(BallWriter):
    """Every product, sum and value of a function rounded once, in the order in which it is written."""

    def write(self, node: Node) -> str:
        """The source of a definition."""
        match node:
            case Terms(terms):
                return f"r({unrolled.added([self.write(term) for term in terms])})"
            case Times(left, right):
                return f"r({self.write(left)}*{self.write(right)})"
        return super().write(node)

    def _form(self, formula: Expr, symbols: tuple[sympy.Symbol, ...], parts: tuple[Node, ...]) -> str:
        names: dict[Expr, str] = {s: self._named(part) for s, part in zip(symbols, parts, strict=True)}
        return self._steps(formula, names)

    def _steps(self, formula: Expr, names: dict[Expr, str]) -> str:
        """A formula, a call of r around each step."""
        if formula in names:
            return names[formula]
        match formula:
            case sympy.Add(args=terms):
                return f"r({unrolled.added([self._steps(term, names) for term in terms])})"
            case sympy.Mul(args=factors):
                return self._product(factors, names)
            case sympy.Pow(base=base, exp=exponent) if exponent.is_Integer:
                inner = self._kept(self._steps(base, names))
                power = (
                    "*".join([inner] * abs(int(exponent))) if abs(exponent) <= 4 else f"power({inner}, {abs(exponent)})"
                )
                return f"r({power})" if exponent > 0 else f"r(1/({power}))"
            case Elementwise() | sympy.exp() | sympy.log() | sympy.tanh() | sympy.sin() | sympy.cos() | sympy.erf():
                symbol = sympy.Symbol("u", real=True)
                inner = self._kept(self._steps(formula.args[0], names))
                return f"r({source(formula.func(symbol, *formula.args[1:]), {symbol: inner}, BALL)})"
            case sympy.Piecewise(args=rows):
                kept = [(sympy.Symbol(f"p{row}", real=True), value) for row, (value, _) in enumerate(rows)]
                branches = names | {symbol: self._steps(value, names) for symbol, value in kept}
                chosen = zip(kept, rows, strict=True)
                return source(
                    sympy.Piecewise(*((symbol, row[1]) for (symbol, _), row in chosen), evaluate=False), branches, BALL
                )
        if isinstance(formula, sympy.Pow):
            inner = self._kept(self._steps(formula.base, names))
            symbol = sympy.Symbol("u", real=True)
            return f"r({source(sympy.Pow(symbol, formula.exp, evaluate=False), {symbol: inner}, BALL)})"
        text = source(formula, names, BALL)
        return text if formula.is_number or isinstance(formula, sympy.Abs) else f"r({text})"

    def _kept(self, text: str) -> str:
        return text if text.isidentifier() else self.temporary(text)

    def _product(self, factors: tuple[Expr, ...], names: dict[Expr, str]) -> str:
        sign = "-" if factors[0] == -1 else ""
        above: list[str] = []
        below: list[str] = []
        for factor in factors[bool(sign) :]:
            inverse = isinstance(factor, sympy.Pow) and factor.exp == -1
            (below if inverse else above).append(self._steps(factor.base if inverse else factor, names))
        text = above[0] if above else "fmpq(1)"
        for each in above[1:]:
            text = f"r({text}*{each})"
        for each in below:
            text = f"r({text}/{each})"
        return f"({sign}{text})"

    def _share(self, node: Share) -> str:
        scores = [self._named(score) for score in node.scores]
        powers = [self.temporary(f"r(exp({score}))") for score in scores]
        total = self.temporary(f"r({unrolled.added(powers)})")
        if node.logarithm:
            return f"r({scores[node.place]} - r(log({total})))"
        return f"r({powers[node.place]}/{total})"


# ---- compiled ------------------------------------------------------------------------------


def compiled(
    lines: Lines,
    writer: FloatWriter,
    inputs: Sequence[Scalar],
    outputs: Sequence[Scalar],
    also: Sequence[Scalar] = (),
    most: int = MOST_TERMS,
) -> Function:
    """``f(*inputs) -> tuple of outputs``, of single elements; those of ``also`` are computed and not returned.

    Raises TooLongError for what is too large to be written out.
    """
    writer.names |= {scalar: f"x{place}" for place, scalar in enumerate(inputs)}
    demanded = lines.demanded((*outputs, *also), most)
    for scalar, node in demanded.items():
        writer.defined(scalar, node)
    arguments = ", ".join(f"x{place}" for place in range(len(inputs)))
    results = ", ".join(writer.names[scalar] for scalar in outputs)
    body = [f"    {line}" for line in (*writer.lines, f"return ({results}{',' * bool(outputs)})")]
    namespace: dict[str, Any] = {**writer.namespace, "nan": math.nan}
    exec(compile("\n".join([f"def evaluate({arguments}):", *body]), "<sheets>", "exec"), namespace)  # noqa: S102 - our own source, see code.py
    function: Function = namespace["evaluate"]
    return function


Run = Callable[[dict[str, Any], tuple[Equation, ...]], Mapping[str, Any]]


def _by_array(
    lines: Lines, inputs: Sequence[Scalar], outputs: Sequence[Scalar], run: Run, kind: type[np.generic]
) -> Function:
    """The same function array by array, for networks that are too large to be written out."""
    every = tuple(Equation(name, expression) for name, expression in lines.expressions.items())
    wanted = needed(every, {scalar.array for scalar in outputs})

    def evaluate(*values: Any) -> tuple[Any, ...]:
        given: dict[str, Any] = {name: np.empty(shape, dtype=kind) for name, shape in lines.given.items()}
        for scalar, value in zip(inputs, values, strict=True):
            given[scalar.array][scalar.index] = value
        found = run(given, wanted)
        return tuple(found[scalar.array][scalar.index] for scalar in outputs)

    return evaluate


def in_floats(lines: Lines, inputs: Sequence[Scalar], outputs: Sequence[Scalar]) -> Function:
    """The elements in plain floats, nan or infinite where they have no value."""
    try:
        return compiled(lines, FloatWriter(), inputs, outputs)
    except TooLongError:
        return _by_array(lines, inputs, outputs, lambda given, needed: floats.run(needed, given), np.float64)


def in_balls(lines: Lines, inputs: Sequence[Scalar], outputs: Sequence[Scalar]) -> Function:
    """The elements enclosed, at the precision of the context; UndecidedError where that decides no condition."""
    try:
        return compiled(lines, BallWriter(), inputs, outputs)
    except TooLongError:
        return _by_array(lines, inputs, outputs, lambda given, needed: balls.run(needed, given), np.object_)


def in_roundings(
    lines: Lines,
    inputs: Sequence[Scalar],
    outputs: Sequence[Scalar],
    also: Sequence[Scalar],
    kind: str,
    places: int,
) -> Function:
    """Balls that hold what somebody may get who rounds every step to so many significant digits ("sf") or decimals.

    Raises UndecidedError where such roundings may turn a condition over, of ``also`` too: at a kink.
    """
    space = {**ROUNDED, "r": rounder(kind, places)}
    function = compiled(lines, RoundedWriter(namespace=space), inputs, outputs, also, 10 * MOST_TERMS)

    def evaluate(*values: Exact) -> tuple[Any, ...]:
        with flint.ctx.workprec(64):
            return function(*values)

    return evaluate
