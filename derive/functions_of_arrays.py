"""Symbolic arrays: what `derive.trace` hands to a function, and the functions that take them.

Each function of the equation language has its namesake here, with the same arguments as NumPy and
PyTorch give them: ``from derive.functions_of_arrays import tanh, sum``. What is done to an array is
written down as an equation; nothing is computed.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from numbers import Integral, Real
from typing import Any

import sympy

from derive.arrays import elementwise
from derive.equations import EquationError, parse
from derive.errors import ChainruleError, shown, unknown
from derive.files.numbers import exact
from derive.language import FUNCTIONS, Function
from derive.program import Expression, Ref, Shape


class TraceError(ChainruleError, TypeError):
    """Something that cannot be done with a symbolic array; the text says what can."""


@dataclass(frozen=True, eq=False)
class Array:
    """An array without numbers, or (``condition``) a comparison of two.

    ``node`` is its equation's right-hand side in Python's syntax; in it the ``operands`` stand under
    the names "a0", "a1", …. A given array has a ``name`` and no node.
    """

    shape: Shape
    node: ast.expr | None = None
    operands: tuple[Array, ...] = ()
    name: str = ""
    condition: bool = field(default=False)
    __array_ufunc__ = None  # NumPy leaves `number * array` to this class

    @property
    def ndim(self) -> int:
        """How many axes."""
        return len(self.shape)

    @property
    def T(self) -> Array:  # noqa: N802 - NumPy's name
        """The axes in reverse order."""
        return _made(lambda x: ast.Attribute(x, "T"), self)

    def __add__(self, other: Any) -> Array:
        return _binary(ast.Add(), self, other)

    def __radd__(self, other: Any) -> Array:
        return _binary(ast.Add(), other, self)

    def __sub__(self, other: Any) -> Array:
        return _binary(ast.Sub(), self, other)

    def __rsub__(self, other: Any) -> Array:
        return _binary(ast.Sub(), other, self)

    def __mul__(self, other: Any) -> Array:
        return _binary(ast.Mult(), self, other)

    def __rmul__(self, other: Any) -> Array:
        return _binary(ast.Mult(), other, self)

    def __truediv__(self, other: Any) -> Array:
        return _binary(ast.Div(), self, other)

    def __rtruediv__(self, other: Any) -> Array:
        return _binary(ast.Div(), other, self)

    def __pow__(self, other: Any) -> Array:
        return _binary(ast.Pow(), self, other)

    def __rpow__(self, other: Any) -> Array:
        return _binary(ast.Pow(), other, self)

    def __matmul__(self, other: Any) -> Array:
        return _binary(ast.MatMult(), self, other)

    def __rmatmul__(self, other: Any) -> Array:
        return _binary(ast.MatMult(), other, self)

    def __neg__(self) -> Array:
        return _made(lambda x: ast.UnaryOp(ast.USub(), x), self)

    def __pos__(self) -> Array:
        return self

    def __gt__(self, other: Any) -> Array:
        return _compared(ast.Gt(), self, other)

    def __ge__(self, other: Any) -> Array:
        return _compared(ast.GtE(), self, other)

    def __lt__(self, other: Any) -> Array:
        return _compared(ast.Lt(), self, other)

    def __le__(self, other: Any) -> Array:
        return _compared(ast.LtE(), self, other)

    def __eq__(self, other: object) -> Array:  # type: ignore[override]
        return _compared(ast.Eq(), self, other)

    def __ne__(self, other: object) -> Array:  # type: ignore[override]
        return _compared(ast.NotEq(), self, other)

    __hash__ = object.__hash__

    def __getitem__(self, key: Any) -> Array:
        """NumPy's basic indexing: whole numbers, slices, None, …, lists of whole numbers."""
        return _made(lambda x: ast.Subscript(x, _key(key)), self)

    def __len__(self) -> int:
        if not self.shape:
            raise TraceError("a number without axes has no length")
        return self.shape[0]

    def __iter__(self) -> Iterator[Array]:
        return (self[row] for row in range(len(self)))

    def __bool__(self) -> bool:
        raise TraceError("a symbolic array is neither true nor false: write where(condition, x, y) in place of if")

    def __float__(self) -> float:
        raise TraceError("a symbolic array has no numbers yet: use the functions of derive.functions_of_arrays")

    def __array__(self, *arguments: Any, **options: Any) -> Any:
        raise TraceError("NumPy's functions take no symbolic arrays: use those of derive.functions_of_arrays")


# ---- making equations ----------------------------------------------------------------------


def _binary(operator: ast.operator, left: Any, right: Any) -> Array:
    return _made(lambda x, y: ast.BinOp(x, operator, y), left, right)


def _compared(operator: ast.cmpop, left: Any, right: Any) -> Array:
    return _made(lambda x, y: ast.Compare(x, [operator], [y]), left, right, condition=True)


def _made(write: Any, *operands: Any, condition: bool = False) -> Array:
    """The array that ``write`` makes of its operands' syntax; numbers among them stand as they are."""
    arrays: list[Array] = []
    nodes: list[ast.expr] = []
    for operand in operands:
        if isinstance(operand, Array):
            nodes.append(ast.Name(f"a{len(arrays)}"))
            arrays.append(operand)
        else:
            nodes.append(number(operand))
    node = ast.fix_missing_locations(write(*nodes))
    return Array(_shape(node, arrays, condition), node, tuple(arrays), condition=condition)


def _shape(node: ast.expr, operands: Sequence[Array], condition: bool) -> Shape:
    """The shape of an expression, by the language's own rules."""
    known = {f"a{place}": _operand(f"a{place}", operand) for place, operand in enumerate(operands)}
    text = ast.unparse(node)
    try:
        (equation,) = parse(f"r = where({text}, 1, 0)" if condition else f"r = {text}", known)
    except EquationError as error:
        called = {f"a{place}": _called(operand) for place, operand in enumerate(operands)}
        shapes = ", ".join(f"{called[name]} {known[name].shape}" for name in known)
        raise TraceError(f"{_renamed(node, called)}: {str(error).rpartition(': ')[2]} ({shapes})") from None
    return equation.expression.shape


def _called(operand: Array) -> str:
    """A given array by its name; what was made of such by its expression, in which others are dots."""
    if operand.node is None:
        return operand.name
    names = {f"a{place}": each.name or "…" for place, each in enumerate(operand.operands)}
    written = _renamed(operand.node, names)
    return written if isinstance(operand.node, ast.Call | ast.Subscript | ast.Attribute) else f"({written})"


def _renamed(node: ast.expr, names: Mapping[str, str]) -> str:
    """An expression's text with other names for its operands."""
    text = ast.unparse(node)
    return re.sub(r"\ba\d+\b", lambda match: names.get(match[0], match[0]), text)


def _operand(name: str, operand: Array) -> Expression:
    """What a name stands for while a shape is worked out: an array, or a condition of that shape."""
    array = Ref(name, operand.shape)
    return elementwise(lambda x: sympy.Gt(x, 0, evaluate=False), array) if operand.condition else array


def number(value: Any) -> ast.expr:
    """A number of Python's as the language writes it, exactly."""
    if isinstance(value, bool) or not isinstance(value, Real | Decimal):
        hint = "; give it as a named argument" if hasattr(value, "shape") or isinstance(value, list | tuple) else ""
        raise TraceError(f"found {shown(value)}; an array of this function or a number is expected{hint}")
    if isinstance(value, Integral):
        whole = int(value)
        return ast.Constant(whole) if whole >= 0 else ast.UnaryOp(ast.USub(), ast.Constant(-whole))
    try:
        ratio = exact(value)
    except ValueError as error:
        raise TraceError(str(error)) from None
    size = _positive(abs(ratio))
    return size if ratio >= 0 else ast.UnaryOp(ast.USub(), size)


def _positive(ratio: Fraction) -> ast.expr:
    """A decimal where one says it exactly, else a fraction."""
    decimal = float(ratio)
    if ratio.denominator == 1:
        return ast.Constant(int(ratio))
    if Fraction(repr(decimal)) == ratio:
        return ast.Constant(decimal)
    return ast.BinOp(ast.Constant(ratio.numerator), ast.Div(), ast.Constant(ratio.denominator))


def _key(key: Any) -> ast.expr:
    """What stands in brackets."""
    match key:
        case tuple():
            return ast.Tuple([_key(part) for part in key])
        case slice():
            bounds = (None if part is None else _key(part) for part in (key.start, key.stop, key.step))
            return ast.Slice(*bounds)
        case None:
            return ast.Constant(None)
        case _ if key is ...:
            return ast.Constant(...)
        case _:
            return constant(key)


def constant(value: Any) -> ast.expr:
    """An option: a whole number, True, None, a number, or lists of them."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    match value:
        case bool() | None:
            return ast.Constant(value)
        case list():
            return ast.List([constant(each) for each in value])
        case tuple():
            return ast.Tuple([constant(each) for each in value])
    if isinstance(value, Array):
        raise TraceError("found a symbolic array where a whole number is expected")
    return number(value)


# ---- the functions -------------------------------------------------------------------------


def _call(name: str, row: Function, arguments: tuple[Any, ...], options: dict[str, Any]) -> Array:
    places = (*row.operands, *row.options)
    if len(arguments) > len(places):
        raise TraceError(f"{name} takes {', '.join(places)}; found {len(arguments)} arguments")
    given = dict(zip(places, arguments, strict=False))
    for option, value in options.items():
        if option not in places or option in given:
            fault = "is given twice" if option in given else unknown(option, places)
            raise TraceError(f"{name}: {option}: {fault}")
        given[option] = value
    listed = row.listed and given.get(row.operands[0])
    operands = [given[each] for each in row.operands if given.get(each) is not None]
    if listed:
        operands = list(listed)
    keywords = [ast.keyword(option, constant(given[option])) for option in row.options if option in given]

    def write(*nodes: ast.expr) -> ast.expr:
        return ast.Call(ast.Name(name), [ast.List(list(nodes))] if listed else list(nodes), keywords)

    return _made(write, *operands)


def _function(name: str, row: Function) -> Any:
    def function(*arguments: Any, **options: Any) -> Array:
        return _call(name, row, arguments, options)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"{name}({', '.join((*row.operands, *row.options))}) of symbolic arrays."
    return function


_NAMESAKES = {name: _function(name, row) for name, row in FUNCTIONS.items()}
__all__ = [*_NAMESAKES, "pi"]

pi = Array((), ast.Name("pi"))


def __getattr__(name: str) -> Any:
    """The functions of the language, by their names there."""
    if name not in _NAMESAKES:
        raise AttributeError(f"no function of that name: {unknown(name, _NAMESAKES)}")
    return _NAMESAKES[name]
