"""The equations of a problem, read with all their faults; what would hang, or means nothing, is refused in words."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache

from derive.arrays import LARGEST_EXPONENT
from derive.equations import DecimalText, EquationError, parse, rows, syntax
from derive.files.numbers import MAX_DIGITS, NumberText, exact
from derive.program import Equation, Expression, Ref, Shape

MOST_FAULTS = 20
MOST_BITS = 10 * MAX_DIGITS  # an estimate from above: what is let through is looked at again when it has been read


@dataclass(frozen=True)
class Reading:
    """Equations as far as they could be read: ``faults`` in words, ``unsure`` the names that depend on them."""

    equations: tuple[Equation, ...]
    faults: tuple[str, ...] = ()
    unsure: frozenset[str] = frozenset()


@lru_cache(maxsize=8)
def equations(text: str, shapes: tuple[tuple[str, Shape], ...]) -> tuple[Equation, ...]:
    """The equations over arrays of these shapes: read once when a problem is checked, and not again when it is derived.

    Raises EquationError with line and column.
    """
    return _parsed(text, {name: Ref(name, shape) for name, shape in shapes})


def read(text: str, shapes: Mapping[str, Shape], unsure: Collection[str] = ()) -> Reading:
    """Read equations over arrays of these shapes, going on after a fault.

    What reads a name in doubt (``unsure``, or one whose own equation has a fault) is in doubt itself.
    """
    first = ""
    if not unsure:
        try:
            return Reading(equations(text, tuple(shapes.items())))
        except EquationError as error:
            first = str(error)
    known: dict[str, Expression] = {name: Ref(name, shape) for name, shape in shapes.items()}
    doubted = set(unsure)
    found: list[Equation] = []
    faults: list[str] = []
    for statement in statements(text):
        if len(faults) == MOST_FAULTS:
            break
        names = {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}
        targets = set(_targets(statement))
        if (names - targets) & doubted:
            doubted |= targets
            continue
        try:
            (equation,) = _parsed("\n" * (statement.lineno - 1) + _source(text, statement), known)
        except EquationError as error:
            faults.append(str(error))
            doubted |= targets
        else:
            found.append(equation)
            known[equation.target] = Ref(equation.target, equation.expression.shape)
    return Reading(tuple(found), tuple(faults) or ((first,) if first else ()), frozenset(doubted))


def _parsed(text: str, known: Mapping[str, Expression]) -> tuple[Equation, ...]:
    for statement in statements(text):
        _refuse_huge(statement)
    with warnings.catch_warnings():  # Python's opinions on odd syntax
        warnings.simplefilter("ignore", SyntaxWarning)
        try:
            return parse(text, known)
        except MemoryError:
            raise EquationError("there is not enough memory for its arrays; choose smaller ones") from None


# ---- statements ----------------------------------------------------------------------------


def statements(text: str) -> list[ast.stmt]:
    """Python's statements of a text; none where it has none (then `parse` says why)."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            return syntax(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []


def defining_lines(text: str) -> dict[str, int]:
    """The line on which each name is assigned, as far as the text is one of assignments."""
    return {name: statement.lineno for statement in reversed(statements(text)) for name in _targets(statement)}


def _targets(statement: ast.stmt) -> list[str]:
    if not isinstance(statement, ast.Assign):
        return []
    return [target.id for target in statement.targets if isinstance(target, ast.Name)]


def _source(text: str, statement: ast.stmt) -> str:
    """The source of one statement, without what stands before it on its line."""
    found = [row.encode() for row in rows(text)[statement.lineno - 1 : statement.end_lineno]]
    found[-1] = found[-1][: statement.end_col_offset]
    return found[0][statement.col_offset :].decode() + "".join(f"\n{row.decode()}" for row in found[1:])


# ---- what is refused -----------------------------------------------------------------------


def _refuse_huge(statement: ast.stmt) -> None:
    """A power of constants is worked out when it is read: not one of a million digits."""
    for node in ast.walk(statement):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow) and _bits(node) > MOST_BITS:
            place = f"line {node.lineno}, column {node.col_offset + 1}"
            raise EquationError(f"{place}: a constant of more than {MAX_DIGITS} digits; choose smaller powers")


def _bits_of_decimal(text: str) -> int:
    try:
        number = exact(NumberText(text))
    except ValueError:
        return 0  # refused when it is read
    return number.numerator.bit_length() + number.denominator.bit_length()


def _bits(node: ast.expr) -> int:
    """How many binary digits a constant may have, at most; 0 for what is none."""
    match node:
        case ast.Constant(value=int(value)):
            return max(1, value.bit_length())
        case ast.Constant(value=DecimalText() as value):
            return _bits_of_decimal(value.text)
        case ast.UnaryOp(operand=operand):
            return _bits(operand)
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            return _bits(left) + _bits(right)
        case ast.BinOp(left=left, op=ast.Pow(), right=ast.Constant(value=int(exponent))):
            return _bits(left) * exponent
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            return _bits(left) * (LARGEST_EXPONENT if _bits(right) else 0)
    return 0
