"""Equations as text → expressions, by a walk of our own over Python's syntax tree.

Nothing is ever evaluated: a node type that is not in the tables below is refused, with its line
and column and what is known.
"""

from __future__ import annotations

import ast
import keyword
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sympy
from sympy.logic.boolalg import Boolean

from derive import arrays, selections
from derive.errors import ChainruleError, unknown
from derive.files.numbers import MAX_DIGITS, NumberText, exact
from derive.language import FUNCTIONS, REQUIRED, Function
from derive.program import Equation, Expression, Map, Ref, parts

OPERATORS: dict[type[ast.operator], Callable[[Expression, Expression], Expression]] = {
    ast.Add: arrays.add,
    ast.Sub: arrays.subtract,
    ast.Mult: arrays.multiply,
    ast.Div: arrays.divide,
    ast.Pow: arrays.power,
    ast.MatMult: arrays.matmul,
}

COMPARISONS: dict[type[ast.cmpop], Any] = {
    ast.Gt: sympy.Gt,
    ast.GtE: sympy.Ge,
    ast.Lt: sympy.Lt,
    ast.LtE: sympy.Le,
    ast.Eq: sympy.Eq,
    ast.NotEq: sympy.Ne,
}


class DecimalText(float):
    """A number with a point or a power as it is written: Python's float has 17 of its digits, and 1e400 not at all."""

    def __new__(cls, text: str) -> DecimalText:
        """The number that ``text`` states; it prints as ``text``."""
        made = super().__new__(cls, text)
        made.text = text
        return made

    text: str

    def __repr__(self) -> str:
        return self.text


CONDITION = "a condition stands only in where(condition, x, y); for the numbers 1 and 0 write where(condition, 1, 0)"
MOST_EQUATIONS = 10_000
LONGEST_TEXT = 1_000_000


class EquationError(ChainruleError):
    """An equation that cannot be read: where it stands, what was found, what is known."""


def parse(text: str, known: Mapping[str, Expression]) -> tuple[Equation, ...]:
    """Read assignments, one a line, over the arrays ``known``; each result is known to the next.

    Raises EquationError with line and column.
    """
    names = dict(known)
    equations: list[Equation] = []
    lines = rows(text)
    for statement in _statements(text):
        match statement:
            case ast.Assign(targets=[ast.Name(id=name) as target], value=value):
                if fault := _illegal(name, names):
                    raise EquationError(f"{_place(target)}: {fault}")
                expression = _read_whole(value, names)
                names[name] = Ref(name, expression.shape)
                equations.append(Equation(name, expression, *_as_written(lines, statement)))
            case _:
                raise EquationError(f"{_place(statement)}: expected an equation, name = expression")
    return tuple(equations)


def _statements(text: str) -> list[ast.stmt]:
    if len(text) > LONGEST_TEXT:
        raise EquationError(f"{len(text):,} characters of equations; at most {LONGEST_TEXT:,} can be read")
    try:
        body = syntax(text)
    except SyntaxError as error:
        raise EquationError(f"line {error.lineno}, column {error.offset}: not an equation: {error.msg}") from None
    except (ValueError, RecursionError, MemoryError) as error:  # a NUL character; nested too deeply
        raise EquationError(f"not an equation: {error or 'nested too deeply'}") from None
    if len(body) > MOST_EQUATIONS:
        raise EquationError(f"{len(body):,} equations; at most {MOST_EQUATIONS:,} can be worked out")
    return body


def rows(text: str) -> list[str]:
    """The lines of a text as Python counts them."""
    return re.split(r"\r\n|\r|\n", text)


def syntax(text: str) -> list[ast.stmt]:
    """Python's statements of a text, decimals in it as they are written."""
    body = ast.parse(text).body
    lines = [line.encode() for line in rows(text)]
    for node in (node for statement in body for node in ast.walk(statement)):
        if isinstance(node, ast.Constant) and isinstance(node.value, float):
            node.value = DecimalText(lines[node.lineno - 1][node.col_offset : node.end_col_offset].decode())
    return body


def _as_written(lines: Sequence[str], statement: ast.stmt) -> tuple[str, str]:
    """The text of an equation, on one line, and the comment behind it."""
    found = list(lines[statement.lineno - 1 : statement.end_lineno])
    last = found[-1].encode()
    found[-1] = last[: statement.end_col_offset].decode()
    found[0] = found[0].encode()[statement.col_offset :].decode()
    rest = last[statement.end_col_offset or 0 :].decode().strip()
    code = " ".join(line.split("#")[0].strip() for line in found)
    return code, rest[1:].strip() if rest.startswith("#") else ""


def _illegal(name: str, names: Mapping[str, Expression]) -> str:
    """What is wrong with a name that is about to be assigned; "" if nothing is."""
    if name in names:
        return f"{name} is assigned already; give the new value a new name"
    return illegal_name(name)


def illegal_name(name: str) -> str:
    """Why a name cannot be an array's; "" if it can."""
    if not name.isidentifier() or keyword.iskeyword(name):
        return f"{name!r} is no name"
    if name in FUNCTIONS or name == "pi":
        return f"{name} is a {'constant' if name == 'pi' else 'function'} of the language; choose another name"
    return ""


def _place(node: ast.stmt | ast.expr) -> str:
    return f"line {node.lineno}, column {node.col_offset + 1}"


def _shown(node: ast.expr) -> str:
    text = ast.unparse(node)
    return text if len(text) <= 60 else f"{text[:40]} … {text[-12:]}"


def _is_condition(expression: Expression) -> bool:
    formula = expression.formula if isinstance(expression, Map) else None
    return isinstance(formula, Boolean) and not isinstance(formula, sympy.Expr)  # a symbol is both


def _read_whole(node: ast.expr, names: Mapping[str, Expression]) -> Expression:
    try:
        expression = _Reader(names).read(node)
    except RecursionError:
        raise EquationError(f"{_place(node)}: the expression is nested too deeply") from None
    if _huge(expression):
        raise EquationError(f"{_place(node)}: {_shown(node)}: it holds a constant of more than {MAX_DIGITS} digits")
    if _meaningless(expression):
        raise EquationError(
            f"{_place(node)}: {_shown(node)}: it holds a constant that is no finite real number, like 1/0, log(0) or "
            "sqrt(-1)"
        )
    return expression


def _meaningless(expression: Expression) -> bool:
    """Whether a constant of an expression has no value."""
    if isinstance(expression, Map) and expression.formula.doit().has(sympy.zoo, sympy.nan, sympy.oo, sympy.I):
        return True
    return any(_meaningless(part) for part in parts(expression))


def _huge(expression: Expression) -> bool:
    """Whether constants of an expression multiply to a number that is longer than one that may be written."""
    if isinstance(expression, Map):
        for number in expression.formula.doit().atoms(sympy.Rational):
            if max(abs(number.p).bit_length(), number.q.bit_length()) > MAX_DIGITS * math.log2(10):
                return True
    return any(_huge(part) for part in parts(expression))


class _Reader:
    """Reads one expression over known arrays."""

    def __init__(self, names: Mapping[str, Expression]) -> None:
        self.names = names

    def read(self, node: ast.expr) -> Expression:
        """The array of numbers that a syntax node stands for."""
        expression = self._bounded(node)
        if _is_condition(expression):
            raise EquationError(f"{_place(node)}: {_shown(node)}: {CONDITION}")
        return expression

    def _condition(self, node: ast.expr) -> Expression:
        expression = self._bounded(node)
        if not _is_condition(expression):
            found = _shown(node)
            raise EquationError(
                f"{_place(node)}: found {found}; a condition is expected, such as {found} > 0; of numbers 0 and 1 "
                f"write {found} != 0"
            )
        return expression

    def _bounded(self, node: ast.expr) -> Expression:
        try:
            expression = self._read(node)
            arrays.bounded(expression.shape)
        except arrays.ShapeError as error:
            raise EquationError(f"{_place(node)}: {_shown(node)}: {error}") from None
        except TypeError:  # SymPy's, of a constant such as log(-1)
            raise EquationError(f"{_place(node)}: {_shown(node)}: compares what is no real number") from None
        return expression

    def _read(self, node: ast.expr) -> Expression:
        match node:
            case ast.Name(id="pi"):
                return arrays.constant(sympy.pi)
            case ast.Name(id=name):
                if name in self.names:
                    return self.names[name]
                if name in FUNCTIONS:
                    raise EquationError(f"{_place(node)}: {name} is a function: {name}(…)")
                raise EquationError(f"{_place(node)}: unknown name: {unknown(name, self.names)}")
            case ast.Constant():
                return arrays.number(_number(node))
            case ast.BinOp(left=left, op=operator, right=right) if type(operator) in OPERATORS:
                return OPERATORS[type(operator)](self.read(left), self.read(right))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return arrays.negate(self.read(operand))
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.read(operand)
            case ast.Compare(left=left, ops=[operator], comparators=[right]) if type(operator) in COMPARISONS:
                relation = COMPARISONS[type(operator)]
                return arrays.elementwise(
                    lambda x, y: relation(x, y, evaluate=x.is_number and y.is_number), self.read(left), self.read(right)
                )
            case ast.Attribute(value=value, attr="T"):
                return arrays.transpose(self.read(value))
            case ast.Subscript(value=value, slice=key):
                return selections.index(self.read(value), _key(key))
            case ast.Call(func=ast.Name(id=name)):
                return self._call(name, node)
        raise EquationError(f"{_place(node)}: {_shown(node)!r} is no part of the equation language")

    def _call(self, name: str, node: ast.Call) -> Expression:
        if name not in FUNCTIONS:
            raise EquationError(f"{_place(node)}: unknown function: {unknown(name, FUNCTIONS)}")
        row = FUNCTIONS[name]
        given = self._arguments(name, row, node)
        operands: list[Any] = []
        for position, operand in enumerate(row.operands):
            if operand in given:
                argument = given.pop(operand)
                read = self._condition if operand == "condition" else self.read
                operands.append(self._list(argument, name) if row.listed else read(argument))
            elif position < len(row.operands) - row.optional:
                raise EquationError(f"{_place(node)}: {name} wants {', '.join(row.operands)}; {operand} is missing")
        for option in REQUIRED.get(name, ()):
            if option not in given:
                raise EquationError(f"{_place(node)}: {name} wants {option}")
        options = {option: _option(row.options[option], argument) for option, argument in given.items()}
        if row.optional and len(operands) < len(row.operands):
            return row.build(*operands, None, **options)
        built: Expression = row.build(*operands, **options)
        return built

    def _arguments(self, name: str, row: Function, node: ast.Call) -> dict[str, ast.expr]:
        """The arguments by the names of their places."""
        places = (*row.operands, *row.options)
        if len(node.args) > len(places):
            raise EquationError(f"{_place(node)}: {name} takes {', '.join(places)}; found {len(node.args)} arguments")
        given = dict(zip(places, node.args, strict=False))
        for named in node.keywords:
            if named.arg is None or named.arg not in places:
                raise EquationError(f"{_place(node)}: {name}: {unknown(str(named.arg), places)}")
            if named.arg in given:
                raise EquationError(f"{_place(node)}: {name}: {named.arg} is given twice")
            given[named.arg] = named.value
        for argument in given.values():
            if isinstance(argument, ast.Starred):
                raise EquationError(f"{_place(node)}: {_shown(node)!r} is no part of the equation language")
        return given

    def _list(self, node: ast.expr, name: str) -> Sequence[Expression]:
        if not isinstance(node, ast.List | ast.Tuple):
            raise EquationError(f"{_place(node)}: {name} wants a list of arrays, [a, b]")
        return [self.read(element) for element in node.elts]


# ---- constants: numbers, indices, options ----------------------------------------------------


def _number(node: ast.Constant) -> sympy.Rational:
    value = node.value
    if isinstance(value, int) and not isinstance(value, bool):
        return sympy.Integer(value)
    if isinstance(value, DecimalText):
        try:
            return sympy.Rational(exact(NumberText(value.text)))
        except ValueError as error:
            raise EquationError(f"{_place(node)}: {error}") from None
    raise EquationError(f"{_place(node)}: {_shown(node)!r} is no part of the equation language")


def _whole(node: ast.expr) -> int:
    match node:
        case ast.Constant(value=int(value)) if not isinstance(value, bool):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_whole(operand)
    raise EquationError(f"{_place(node)}: found {_shown(node)}; a whole number is expected")


def _wholes(node: ast.expr) -> int | tuple[int, ...]:
    if isinstance(node, ast.Tuple | ast.List):
        return tuple(_whole(element) for element in node.elts)
    return _whole(node)


def _nested_wholes(node: ast.expr) -> Any:
    if isinstance(node, ast.Tuple | ast.List):
        return [_nested_wholes(element) for element in node.elts]
    return _whole(node)


def _option(kind: str, node: ast.expr) -> Any:
    """The value of an option."""
    if isinstance(node, ast.Constant) and node.value is None and kind in ("axes", "wholes"):
        return None
    match kind:
        case "flag":
            if isinstance(node, ast.Constant) and isinstance(node.value, bool):
                return node.value
            raise EquationError(f"{_place(node)}: found {_shown(node)}; True or False is expected")
        case "axis":
            return _whole(node)
        case "axes":
            axes = _wholes(node)
            return (axes,) if isinstance(axes, int) else axes
        case "wholes":
            return _wholes(node)
        case "indices":
            return _nested_wholes(node)
        case "number":
            return _signed_number(node)
    raise TypeError(kind)


def _signed_number(node: ast.expr) -> sympy.Rational:
    match node:
        case ast.Constant():
            return _number(node)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_signed_number(operand)
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            return _signed_number(left) / _signed_number(right)
    raise EquationError(f"{_place(node)}: found {_shown(node)}; a number is expected")


def _key(node: ast.expr) -> tuple[Any, ...]:
    """What stands in brackets: whole numbers, slices, None, …, lists of whole numbers."""
    parts = node.elts if isinstance(node, ast.Tuple) else [node]
    return tuple(_key_part(part) for part in parts)


def _key_part(node: ast.expr) -> Any:
    match node:
        case ast.Slice(lower=lower, upper=upper, step=step):
            bounds = (None if part is None else _whole(part) for part in (lower, upper, step))
            start, stop, stride = bounds
            if stride == 0:
                raise EquationError(f"{_place(node)}: a slice's step cannot be 0")
            return slice(start, stop, stride)
        case ast.Constant(value=None):
            return None
        case ast.Constant(value=value) if value is ...:
            return ...
        case ast.List():
            return _nested_wholes(node)
    return _whole(node)
