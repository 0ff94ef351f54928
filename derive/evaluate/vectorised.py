"""NumPy code printed from a program: one ufunc or BLAS call a line, every result into a buffer that is reused."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import sympy
from numpy.typing import NDArray

from derive.evaluate.code import FLOAT, definition, expm1, float_number, steady
from derive.evaluate.unrolled import needed
from derive.functions import Elementwise, StopGradient
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

UFUNCS = {
    sympy.exp: "exp",
    expm1: "expm1",
    sympy.tanh: "tanh",
    sympy.Abs: "absolute",
    sympy.log: "log",
    sympy.sin: "sin",
    sympy.cos: "cos",
}
ONE_BY_ONE = {sympy.erf: "erf", sympy.erfc: "erfc"}
"""Functions that NumPy lacks."""
COMPARISONS = {
    ">": "greater",
    ">=": "greater_equal",
    "<": "less",
    "<=": "less_equal",
    "==": "equal",
    "!=": "not_equal",
}


@dataclass
class Writer:
    """Writes statements; ``buffers`` are the arrays to allocate once, by the name of their variable."""

    names: dict[str, str] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    buffers: dict[str, Shape] = field(default_factory=dict)
    fresh: frozenset[str] = frozenset()
    positions: dict[str, NDArray[np.intp]] = field(default_factory=dict)

    def buffer(self, shape: Shape) -> str:
        """A new buffer of a shape."""
        name = f"b{len(self.buffers)}"
        self.buffers[name] = shape
        return name

    def equation(self, equation: Equation) -> None:
        """The statements of one equation; its result is made anew where the caller keeps it."""
        expression = equation.expression
        if isinstance(expression, Ref):
            self.names[equation.target] = self.names[expression.name]
            return
        if equation.target in self.fresh:
            out = f"r{len(self.names)}"
            self.lines.append(f"{out} = empty({expression.shape})")
        else:
            out = self.buffer(expression.shape)
        self.into(expression, out)
        self.names[equation.target] = out

    def value(self, expression: Expression) -> str:
        """A variable (or view) that holds an expression."""
        if isinstance(expression, Ref):
            return self.names[expression.name]
        if isinstance(expression, Transpose):
            return f"{self.value(expression.argument)}.transpose({expression.axes})"
        if isinstance(expression, Reshape):
            return f"{self.value(expression.argument)}.reshape({expression.shape})"
        out = self.buffer(expression.shape)
        self.into(expression, out)
        return out

    def into(self, expression: Expression, out: str) -> None:
        """Compute an expression into a buffer."""
        match expression:
            case Map():
                self._map(expression, out)
            case Contract():
                self.lines.append(self._contract(expression, out))
            case Total(argument, axes, keepdims):
                self.lines.append(f"add.reduce({self.value(argument)}, axis={axes}, keepdims={keepdims}, out={out})")
            case Softmax(argument, axis, _, logarithm):
                self._softmax(self.value(argument), axis, argument.shape, logarithm, out)
            case Gather(arguments, positions):
                pool = [f"{self.value(part)}.ravel()" for part in arguments]
                pool += ["zero"] if (positions.array < 0).any() else []
                joined = pool[0] if len(pool) == 1 else f"concatenate(({', '.join(pool)}))"
                self.lines.append(f"take({joined}, {self.kept(positions.array)}, out={out}, mode='wrap')")
            case Scatter(argument, positions, offset, shape):
                self._scatter(self.value(argument), positions.array - offset, shape, out)
            case Largest(argument, axis, keepdims, _, mask):
                value = self.value(argument)
                if mask:
                    first = f"argmax({value}, axis={axis}, keepdims=True)"
                    self.lines += [f"{out}.fill(0.0)", f"put_along_axis({out}, {first}, 1.0, axis={axis})"]
                else:
                    self.lines.append(f"maximum.reduce({value}, axis={axis}, keepdims={keepdims}, out={out})")
            case _:
                self.lines.append(f"copyto({out}, {self.value(expression)})")

    def kept(self, array: NDArray[np.intp]) -> str:
        """A variable that holds positions."""
        name = f"p{len(self.positions)}"
        self.positions[name] = array
        return name

    def _scatter(self, value: str, places: NDArray[np.intp], shape: Shape, out: str) -> None:
        size = int(np.prod(shape))
        inside = (places >= 0) & (places < size)
        where = self.kept(np.flatnonzero(inside))
        to = self.kept(places[inside])
        flat = f"{value}.ravel()" if inside.all() else f"{value}.ravel()[{where}]"
        self.lines.append(f"copyto({out}, bincount({to}, weights={flat}, minlength={size}).reshape({shape}))")

    def _softmax(self, scores: str, axis: int, shape: Shape, logarithm: bool, out: str) -> None:
        narrow = self.buffer((*shape[:axis], 1, *shape[axis + 1 :]))
        powers = self.buffer(shape) if logarithm else out
        self.lines += [
            f"maximum.reduce({scores}, axis={axis}, keepdims=True, out={narrow})",
            f"subtract({scores}, {narrow}, out={out})",
            f"exp({out}, out={powers})",
            f"add.reduce({powers}, axis={axis}, keepdims=True, out={narrow})",
        ]
        if logarithm:
            self.lines += [f"log({narrow}, out={narrow})", f"subtract({out}, {narrow}, out={out})"]
        else:
            self.lines.append(f"divide({out}, {narrow}, out={out})")

    def _contract(self, expression: Contract, out: str) -> str:
        """A matrix product where it is one (BLAS), else einsum."""
        (left, right), (first, second) = expression.axes, expression.arguments
        a, b = self.value(first), self.value(second)
        shared = set(left) & set(right)
        if (
            len(left) == len(right) == len(expression.out) == 2
            and len(shared) == 1
            and len(set(left)) == len(set(right)) == 2
        ):
            (inner,) = shared
            if expression.out[0] in right:
                left, right, a, b, first, second = right, left, b, a, second, first
            rows = a if left[1] == inner else f"{a}.T"
            columns = b if right[0] == inner else f"{b}.T"
            if first.shape[left.index(inner)] == 1:  # an outer product: broadcasting beats BLAS
                return f"multiply({rows}, {columns}, out={out})"
            return f"dot({rows}, {columns}, out={out})"
        return f"einsum({','.join(expression.axes) + '->' + expression.out!r}, {a}, {b}, out={out})"

    def _map(self, expression: Map, out: str) -> None:
        operands = {s: self.value(part) for s, part in zip(expression.symbols, expression.arguments, strict=True)}
        shapes = {s: part.shape for s, part in zip(expression.symbols, expression.arguments, strict=True)}
        _Formula(self, operands, expression.shape, shapes).into(expression.formula, out)


@dataclass
class _Formula:
    """Writes one elementwise formula as ufunc calls."""

    writer: Writer
    known: dict[sympy.Expr, str]
    shape: Shape
    shapes: dict[sympy.Symbol, Shape]

    def operand(self, node: sympy.Expr) -> str:
        """A variable or literal that holds a part of the formula; what occurred before is not computed again."""
        if node in self.known:
            return self.known[node]
        if node.is_Rational:
            return float_number(node)
        if node.is_number:
            return repr(float(node))
        out = self.writer.buffer(np.broadcast_shapes(*(self.shapes.get(s, self.shape) for s in node.free_symbols)))
        self.into(node, out)
        self.known[node] = out
        return out

    def into(self, node: sympy.Expr, out: str) -> None:
        """Compute a part of the formula into a buffer."""
        if node in self.known or node.is_number:
            self.emit(f"copyto({out}, {self.operand(node)})")
            return
        if isinstance(node, Elementwise):
            argument = sympy.Symbol(f"argument {len(self.known)}", real=True)
            self.known[argument] = self.operand(node.args[0])
            self.shapes[argument] = np.broadcast_shapes(
                *(self.shapes.get(s, self.shape) for s in node.args[0].free_symbols)
            )
            self.into(definition(node.func(argument, *node.args[1:]), FLOAT), out)
            return
        match node:
            case sympy.Add() if (whole := steady(node)) != node:
                self.into(whole, out)
            case sympy.Add(args=terms):
                self._sum(terms, out)
            case sympy.Mul(args=factors):
                self._product(factors, out)
            case sympy.Pow(base=base, exp=exponent) if exponent == -1:
                self.emit(f"divide(1.0, {self.operand(base)}, out={out})")
            case sympy.Pow(base=base, exp=exponent) if exponent == 2:
                value = self.operand(base)
                self.emit(f"multiply({value}, {value}, out={out})")
            case sympy.Pow(base=base, exp=exponent):
                self.emit(f"power({self.operand(base)}, {self.operand(exponent)}, out={out})")
            case sympy.Max(args=(left, right)):
                self.emit(f"maximum({self.operand(left)}, {self.operand(right)}, out={out})")
            case sympy.log(args=(sympy.Add(args=(sympy.Integer() as one, rest)),)) if one == 1:
                self.emit(f"log1p({self.operand(rest)}, out={out})")
            case sympy.Piecewise():
                self._cases(node, out)
            case StopGradient():
                self.into(node.args[0], out)
            case sympy.Function() if node.func in ONE_BY_ONE:
                self.emit(f"copyto({out}, {ONE_BY_ONE[node.func]}({self.operand(node.args[0])}))")
            case sympy.Function() if node.func in UFUNCS:
                self.emit(f"{UFUNCS[node.func]}({self.operand(node.args[0])}, out={out})")
            case _:
                raise NotImplementedError(f"no NumPy code for {type(node).__name__}: {node}")

    def _cases(self, node: sympy.Piecewise, out: str) -> None:
        """Every case is computed everywhere; what is not finite where another case holds is of no account."""
        *rows, last = node.args
        apart = any(_may_fail(row.args[0]) for row in node.args)
        start, known = len(self.writer.lines), dict(self.known)
        text = self.operand(last.args[0])
        for value, condition in ((row.args[0], row.args[1]) for row in reversed(rows)):
            text = f"where({self._condition(condition)}, {self.operand(value)}, {text})"
        self.emit(f"copyto({out}, {text})")
        if apart:
            self.known = known  # an infinity that was let pass here is not used elsewhere
            lines = self.writer.lines
            lines[start:] = ["with errstate(all='ignore'):", *(f"    {line}" for line in lines[start:])]
            self.emit(f"finite({out})")

    def _condition(self, condition: sympy.Basic) -> str:
        if condition in (sympy.true, sympy.false):
            return str(condition)
        if isinstance(condition, sympy.And | sympy.Or):
            name = "logical_and" if isinstance(condition, sympy.And) else "logical_or"
            first, *rest = (self._condition(part) for part in condition.args)
            for each in rest:
                first = f"{name}({first}, {each})"
            return first
        if isinstance(condition, sympy.Not):
            return f"logical_not({self._condition(condition.args[0])})"
        return f"{COMPARISONS[condition.rel_op]}({self.operand(condition.lhs)}, {self.operand(condition.rhs)})"

    def emit(self, line: str) -> None:
        self.writer.lines.append(line)

    def _sum(self, terms: Sequence[sympy.Expr], out: str) -> None:
        negative = [term for term in terms if term.could_extract_minus_sign() and not term.is_Rational]
        ordered = [term for term in terms if term not in negative]
        if not ordered:
            ordered, negative = [negative[0]], negative[1:]
        left = self.operand(ordered[0])
        for term in ordered[1:]:
            self.emit(f"add({left}, {self.operand(term)}, out={out})")
            left = out
        for term in negative:
            self.emit(f"subtract({left}, {self.operand(-term)}, out={out})")
            left = out

    def _product(self, factors: Sequence[sympy.Expr], out: str) -> None:
        above = [f for f in factors if not (isinstance(f, sympy.Pow) and f.exp == -1)]
        below = [f.base for f in factors if isinstance(f, sympy.Pow) and f.exp == -1]
        if above and above[0] == -1:
            above = above[1:]
            left = self.operand(above[0]) if above else "1.0"
            self.emit(f"negative({left}, out={out})")
            left = out
        else:
            left = self.operand(above[0]) if above else "1.0"
        for factor in above[1:]:
            self.emit(f"multiply({left}, {self.operand(factor)}, out={out})")
            left = out
        for factor in below:
            self.emit(f"divide({left}, {self.operand(factor)}, out={out})")
            left = out


def _may_fail(value: sympy.Expr) -> bool:
    """May a formula overflow, or be undefined, at some finite number?"""
    return any(
        not (part.is_number or (isinstance(part, sympy.exp) and part.args[0].is_nonpositive))
        and not (isinstance(part, sympy.Pow) and part.exp.is_Integer and part.exp > 0)
        for part in value.atoms(sympy.exp, sympy.log, sympy.Pow, expm1)
    )


def _finite(values: NDArray[np.float64]) -> None:
    """Raises as NumPy does for what is not finite, where the caller has asked it to."""
    if np.geterr()["invalid"] == "raise" and not np.isfinite(values).all():
        raise FloatingPointError("not finite")


def _each(function: Callable[[float], float]) -> Callable[[Any], Any]:
    """A function of one float as one of arrays, element by element."""
    return np.vectorize(function, otypes=[np.float64])


def function(
    equations: Sequence[Equation],
    inputs: Sequence[str],
    outputs: Sequence[str],
    *,
    reuse: bool = False,
) -> Callable[..., Any]:
    """``f(*input arrays) -> tuple of output arrays``.

    With ``reuse`` the outputs too are buffers, overwritten by the next call.
    """
    kept = needed(equations, outputs)
    writer = Writer(fresh=frozenset() if reuse else frozenset(outputs))
    for position, name in enumerate(inputs):
        writer.names[name] = f"x{position}"
    for equation in kept:
        writer.equation(equation)
    results = [writer.names[name] for name in outputs]
    header = f"def evaluate({', '.join(writer.names[name] for name in inputs)}):"
    lines = [header, *(f"    {line}" for line in writer.lines), f"    return ({', '.join(results)},)"]
    used = (
        "add subtract multiply divide negative power exp expm1 log log1p tanh absolute maximum "
        "greater greater_equal less less_equal where copyto dot einsum empty sqrt sin cos equal not_equal logical_and "
        "logical_or logical_not "
        "errstate concatenate take argmax put_along_axis bincount"
    )
    namespace: dict[str, Any] = {name: getattr(np, name) for name in used.split()}
    namespace |= {name: np.empty(shape) for name, shape in writer.buffers.items()}
    namespace |= {
        "erf": _each(math.erf),
        "erfc": _each(math.erfc),
        "finite": _finite,
        "zero": np.zeros(1),
        **writer.positions,
    }
    exec(compile("\n".join(lines), "<evaluate>", "exec"), namespace)  # noqa: S102 - our own source, see code.py
    result: Callable[..., Any] = namespace["evaluate"]
    return result
