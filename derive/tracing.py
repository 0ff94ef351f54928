"""``derive.trace``: a Python function of arrays, run once on symbolic ones, as a problem in equations."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from types import FrameType
from typing import Any

from derive.equations import illegal_name
from derive.errors import ProblemError, shown
from derive.files.numbers import exact
from derive.functions_of_arrays import Array, TraceError
from derive.problem import Problem, load


def trace(
    function: Callable[..., Any],
    *,
    parameters: Sequence[str] | None = None,
    values: Mapping[str, Any] | None = None,
    options: Mapping[str, Any] | None = None,
    **arrays: Any,
) -> Problem:
    """The problem whose equations are what ``function`` does to its arrays.

    Each keyword names an argument of the function: a shape, ``x=(2,)``, makes symbols of it; nested
    lists or a NumPy array, or ``values``, give it numbers. The function returns the error: a number, or
    an array where ``options`` holds its ``seed``. It is run once, on symbolic arrays, with the functions
    of `derive.functions_of_arrays`; a local variable's name names its equation, so that
    ``z = W @ x + b`` becomes just that, and a loop's h becomes h1, h2, h3. ``options`` are further keys of
    a problem file (update, penalty, outputs, title, …).

    Raises ProblemError and TraceError (a TypeError).
    """
    given = {name: _stated(name, value) for name, value in (*arrays.items(), *(values or {}).items())}
    shapes = {name: _shape(value) for name, value in given.items()}
    _check_names(function, shapes)
    symbols = {name: Array(shape, name=name) for name, shape in shapes.items()}
    result, named = _run(function, symbols)
    if not isinstance(result, Array) or result.condition:
        raise TraceError(f"{_called(function)} returned {shown(result)}; the error, an array, is expected")
    reached = {id(array) for array in _in_order([result])}
    order = _in_order([*(array for _, array in named if id(array) in reached and array is not result), result])
    lines, error = _lines(order, _names(named, order, set(symbols)))
    stated: dict[str, Any] = {
        "equations": "\n".join(lines) + "\n",
        "error": error,
        "values": {name: value for name, value in given.items() if not isinstance(value, tuple)},
        "shapes": {name: list(value) for name, value in given.items() if isinstance(value, tuple)},
    }
    if parameters is not None:
        stated["parameters"] = list(parameters)
    return load(stated | dict(options or {}))


def _called(function: Callable[..., Any]) -> str:
    return getattr(function, "__name__", "the function")


# ---- the arrays given ----------------------------------------------------------------------


def _stated(name: str, value: Any) -> Any:
    """A shape as a tuple of whole numbers, or an array as nested lists or a number."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, tuple) and all(isinstance(each, int) and not isinstance(each, bool) for each in value):
        return value
    if isinstance(value, list | tuple):
        return list(value)
    try:
        exact(value)
    except ValueError as error:
        message = f"{error}, or a shape such as (3, 2), or nested lists of numbers"
        raise ProblemError(f"{name}: {message}", "trace") from None
    return value


def _shape(value: Any) -> tuple[int, ...]:
    if isinstance(value, tuple):
        return value
    lengths: list[int] = []
    while isinstance(value, list):
        lengths.append(len(value))
        value = value[0] if value else None
    return tuple(lengths)


def _check_names(function: Callable[..., Any], given: Mapping[str, Any]) -> None:
    for name in given:
        if message := illegal_name(name):
            raise ProblemError(message, "trace")
    try:
        inspect.signature(function).bind(**given)
    except TypeError as error:
        raise TraceError(f"{_called(function)}: {error}; give each of its arguments a shape or an array") from None


# ---- running the function ------------------------------------------------------------------


def _run(function: Callable[..., Any], symbols: Mapping[str, Array]) -> tuple[Any, list[tuple[str, Array]]]:
    """What the function returns, and the arrays that its local variables held, in the order of their making."""
    named: dict[int, tuple[str, Array]] = {}

    def note(frame: FrameType) -> None:
        for name, value in frame.f_locals.items():
            if isinstance(value, Array) and value.node is not None:
                named.setdefault(id(value), (name, value))

    def watch(frame: FrameType, event: str, argument: Any) -> Any:
        if frame.f_code is not code:
            return None
        note(frame)
        return watch

    code = getattr(function, "__code__", None)
    before = sys.gettrace()
    try:
        if code is not None:
            sys.settrace(watch)
        result = function(**symbols)
    finally:
        sys.settrace(before)
    return result, list(named.values())


# ---- names and lines -----------------------------------------------------------------------


def _names(named: Sequence[tuple[str, Array]], order: Sequence[Array], taken: set[str]) -> dict[int, str]:
    """A name for every array that is to have an equation: its variable's, numbered where a variable held several."""
    result = order[-1]
    reached = {id(array) for array in order}
    held: dict[str, list[Array]] = {}
    for name, array in named:
        if id(array) in reached and not array.condition and not illegal_name(name):
            held.setdefault(name, []).append(array)
    names: dict[int, str] = {}
    taken = taken | {name for name, arrays in held.items() if len(arrays) == 1}
    for name, arrays in held.items():
        for place, array in enumerate(arrays, start=1):
            own = name if len(arrays) == 1 and name not in names.values() else _free(name, place, taken)
            names[id(array)] = own
            taken.add(own)
    uses: dict[int, int] = {}
    for array in order:
        for operand in array.operands:
            uses[id(operand)] = uses.get(id(operand), 0) + 1
    for array in order:
        several = uses.get(id(array), 0) > 1 and bool(array.operands) and not array.condition
        if id(array) not in names and (several or array is result):
            names[id(array)] = "E" if array is result and "E" not in taken else _free("v", 1, taken)
            taken.add(names[id(array)])
    return names


def _free(name: str, number: int, taken: set[str]) -> str:
    """name1, or the first of name2, name3, … that is free."""
    joined = f"{name}_" if name[-1].isdigit() else name
    while f"{joined}{number}" in taken:
        number += 1
    return f"{joined}{number}"


def _in_order(arrays: Sequence[Array]) -> list[Array]:
    """These arrays in their order, and before each what it is made of."""
    order: list[Array] = []
    seen: set[int] = set()
    waiting = [(array, False) for array in reversed(arrays)]
    while waiting:
        array, ready = waiting.pop()
        if ready:
            order.append(array)
        elif id(array) not in seen:
            seen.add(id(array))
            waiting.append((array, True))
            waiting += [(operand, False) for operand in reversed(array.operands)]
    return order


def _lines(order: Sequence[Array], names: Mapping[int, str]) -> tuple[list[str], str]:
    """The equations as text, and the name of the last."""
    result = order[-1]
    if result.node is None:
        return [f"E = {result.name}"], "E"
    written: dict[int, ast.expr] = {}
    lines: list[str] = []
    for array in order:
        if array.node is None:
            written[id(array)] = ast.Name(array.name)
            continue
        operands = {f"a{place}": written[id(operand)] for place, operand in enumerate(array.operands)}
        node = _Filled(operands).visit(array.node)
        if id(array) in names:
            lines.append(f"{names[id(array)]} = {ast.unparse(node)}")
            node = ast.Name(names[id(array)])
        written[id(array)] = node
    return lines, names[id(result)]


class _Filled(ast.NodeTransformer):
    """A copy of an expression with its operands put in."""

    def __init__(self, operands: Mapping[str, ast.expr]) -> None:
        self._operands = operands

    def generic_visit(self, node: ast.AST) -> ast.AST:
        """A copy, so that the array's own syntax stays as it is."""
        fields = {name: self._each(value) for name, value in ast.iter_fields(node)}
        return type(node)(**fields)

    def _each(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._each(each) for each in value]
        return self.visit(value) if isinstance(value, ast.AST) else value

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """An operand's own syntax; other names (functions, pi) stay."""
        return self._operands.get(node.id, node)
