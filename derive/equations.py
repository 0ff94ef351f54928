"""Equations as text → expressions, by a walk of our own over Python's syntax tree.

Nothing is ever evaluated: a node type that is not in the tables below is refused, with its line
and column and what is known.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping
from fractions import Fraction

import sympy

from derive import arrays
from derive.errors import ChainruleError, unknown
from derive.functions import ACTIVATIONS
from derive.program import Equation, Expression, Ref

OPERATORS: dict[type[ast.operator], Callable[[Expression, Expression], Expression]] = {
    ast.Add: arrays.add,
    ast.Sub: arrays.subtract,
    ast.Mult: arrays.multiply,
    ast.Div: arrays.divide,
    ast.Pow: arrays.power,
    ast.MatMult: arrays.matmul,
}


def _elementwise(function: Callable[..., sympy.Expr]) -> Callable[..., Expression]:
    return lambda argument: arrays.elementwise(function, argument)


def _activation(name: str) -> Callable[..., Expression]:
    return lambda argument, slope=None: arrays.apply(ACTIVATIONS[name], argument, slope)


FUNCTIONS: dict[str, Callable[..., Expression]] = {
    "exp": _elementwise(lambda x: sympy.exp(x, evaluate=False)),
    "log": _elementwise(lambda x: sympy.log(x, evaluate=False)),
    "sum": lambda argument, axis=None, keepdims=False: arrays.total(argument, axis, keepdims=keepdims),
    "mean": lambda argument, axis=None, keepdims=False: arrays.mean(argument, axis, keepdims=keepdims),
    **{name: _activation(name) for name in ACTIVATIONS},
}


class EquationError(ChainruleError):
    """An equation that cannot be read: where it stands, what was found, what is known."""


def parse(text: str, known: Mapping[str, Expression]) -> tuple[Equation, ...]:
    """Read assignments, one a line, over the arrays ``known``; each result is known to the next.

    Raises EquationError with line and column.
    """
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        raise EquationError(f"line {error.lineno}, column {error.offset}: not an equation: {error.msg}") from None
    except (ValueError, RecursionError, MemoryError) as error:  # a NUL character; nested too deeply
        raise EquationError(f"not an equation: {error or 'nested too deeply'}") from None
    names = dict(known)
    equations: list[Equation] = []
    for statement in tree.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                expression = _read_whole(value, names)
                names[name] = Ref(name, expression.shape)
                equations.append(Equation(name, expression))
            case _:
                raise EquationError(f"{_place(statement)}: expected an equation, name = expression")
    return tuple(equations)


def _place(node: ast.stmt | ast.expr) -> str:
    return f"line {node.lineno}, column {node.col_offset + 1}"


def _read_whole(node: ast.expr, names: Mapping[str, Expression]) -> Expression:
    try:
        return _Reader(names).read(node)
    except RecursionError:
        raise EquationError(f"{_place(node)}: the expression is nested too deeply") from None


class _Reader:
    """Reads one expression over known arrays."""

    def __init__(self, names: Mapping[str, Expression]) -> None:
        self.names = names

    def read(self, node: ast.expr) -> Expression:
        """The expression that a syntax node stands for."""
        try:
            return self._read(node)
        except arrays.ShapeError as error:
            raise EquationError(f"{_place(node)}: {ast.unparse(node)}: {error}") from None

    def _read(self, node: ast.expr) -> Expression:
        match node:
            case ast.Name(id=name):
                if name not in self.names:
                    raise EquationError(f"{_place(node)}: unknown name: {unknown(name, self.names)}")
                return self.names[name]
            case ast.Constant(value=bool()):
                pass
            case ast.Constant(value=int(value)):
                return arrays.number(value)
            case ast.Constant(value=float(value)) if not math.isfinite(value):
                raise EquationError(f"{_place(node)}: found a number beyond float64; a finite number is expected")
            case ast.Constant(value=float(value)):
                exact = Fraction(repr(value))
                return arrays.number(sympy.Rational(exact.numerator, exact.denominator))
            case ast.BinOp(left=left, op=operator, right=right) if type(operator) in OPERATORS:
                return OPERATORS[type(operator)](self.read(left), self.read(right))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return arrays.negate(self.read(operand))
            case ast.Attribute(value=value, attr="T"):
                return arrays.transpose(self.read(value))
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
                if name not in FUNCTIONS:
                    raise EquationError(f"{_place(node)}: unknown function: {unknown(name, FUNCTIONS)}")
                if len(arguments) != 1:
                    raise EquationError(f"{_place(node)}: {name} takes one array, and found {len(arguments)}")
                return FUNCTIONS[name](self.read(arguments[0]))
        raise EquationError(f"{_place(node)}: {ast.unparse(node)!r} is no part of the equation language")
