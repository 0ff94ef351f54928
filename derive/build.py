"""The program that a problem states, in layers or in equations, and the exact numbers that it gives."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache, reduce

from sympy import Basic, Piecewise, Rational
from sympy.logic.boolalg import Boolean

from derive import arrays, layers
from derive.equations import EquationError, parse
from derive.evaluate.balls import Array, exact_array
from derive.problem import Penalty, Problem
from derive.program import Equation, Expression, Map, Program, Ref, Shape, Variable, parts, references


def program(problem: Problem) -> Program:
    """The program of a problem, its penalty included. Raises EquationError for equations that cannot be read."""
    stated = _of_equations(problem) if problem.equations else layers.program(problem)
    return stated if problem.penalty is None else _penalised(stated, problem.penalty)


def given(problem: Problem, program: Program) -> dict[str, Array]:
    """The exact values of the arrays that a problem gives numbers for."""
    if not problem.equations:
        return layers.given(problem, program)
    numbers = {array.name: array.numbers for array in problem.arrays if array.numbers is not None}
    if problem.seed is not None:
        numbers[_free("seed", _taken(problem))] = problem.seed
    return {
        name: exact_array(values if program.shape(name) else values[0], program.shape(name))
        for name, values in numbers.items()
    }


# ---- equations -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Reading:
    """Equations as far as they could be read: ``faults`` in words, ``unsure`` the names that depend on them."""

    equations: tuple[Equation, ...]
    faults: tuple[str, ...] = ()
    unsure: frozenset[str] = frozenset()


def read(text: str, shapes: Mapping[str, Shape], unsure: Collection[str] = ()) -> Reading:
    """Read equations over arrays of these shapes, going on after a fault.

    What reads a name in doubt (``unsure``, or one whose own equation has a fault) is in doubt itself.
    """
    try:
        if not unsure:
            return Reading(_parsed(text, tuple(shapes.items())))
    except EquationError as error:
        first = str(error)
    else:
        first = ""
    known: dict[str, Expression] = {name: Ref(name, shape) for name, shape in shapes.items()}
    doubted = set(unsure)
    equations: list[Equation] = []
    faults: list[str] = []
    for statement in _statements(text):
        if len(faults) == MOST_FAULTS:
            break
        names = {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}
        targets = set(_targets(statement))
        if (names - targets) & doubted:
            doubted |= targets
            continue
        try:
            (equation,) = _parse_quietly("\n" * (statement.lineno - 1) + _lines(text, statement), known)
        except EquationError as error:
            faults.append(str(error))
            doubted |= targets
        else:
            equations.append(equation)
            known[equation.target] = Ref(equation.target, equation.expression.shape)
    return Reading(tuple(equations), tuple(faults) or ((first,) if first else ()), frozenset(doubted))


@lru_cache(maxsize=8)
def _parsed(text: str, shapes: tuple[tuple[str, Shape], ...]) -> tuple[Equation, ...]:
    """The equations of a problem: read once when it is checked, and not again when it is derived."""
    return _parse_quietly(text, {name: Ref(name, shape) for name, shape in shapes})


def _parse_quietly(text: str, known: Mapping[str, Expression]) -> tuple[Equation, ...]:
    for statement in _statements(text):
        _refuse_huge(statement)
    with warnings.catch_warnings():  # Python's opinions on odd syntax
        warnings.simplefilter("ignore", SyntaxWarning)
        try:
            equations = parse(text, known)
        except MemoryError:
            raise EquationError("there is not enough memory for its arrays; choose smaller ones") from None
        except TypeError:  # SymPy's, of a condition in a sum or product
            raise EquationError(CONDITION) from None
    for equation in equations:
        _refuse_conditions(equation.target, equation.expression)
    return equations


CONDITION = "a condition stands only in where(condition, x, y); for the numbers 1 and 0 write where(condition, 1, 0)"


def _refuse_conditions(target: str, expression: Expression) -> None:
    """x > 0 is no number: nothing can be computed with it but a choice."""
    if isinstance(expression, Map) and _holds_condition(expression.formula):
        raise EquationError(f"{target}: {CONDITION}")
    for part in parts(expression):
        _refuse_conditions(target, part)


def _holds_condition(formula: Basic) -> bool:
    """Is a condition used as a number? (The conditions of a Piecewise are not.)"""
    if isinstance(formula, Boolean):
        return True
    inner = (row.args[0] for row in formula.args) if isinstance(formula, Piecewise) else formula.args
    return any(_holds_condition(part) for part in inner)


MOST_FAULTS:
            break
        names = {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}
        targets = set(_targets(statement))
        if (names - targets) & doubted:
            doubted |= targets
            continue
        try:
            (equation,) = _parse_quietly("\n" * (statement.lineno - 1) + _lines(text, statement), known)
        except EquationError as error:
            faults.append(str(error))
            doubted |= targets
        else:
            equations.append(equation)
            known[equation.target] = Ref(equation.target, equation.expression.shape)
    return Reading(tuple(equations), tuple(faults) or ((first,) if first else ()), frozenset(doubted))


@lru_cache(maxsize=8)
def _parsed(text: str, shapes: tuple[tuple[str, Shape], ...]) -> tuple[Equation, ...]:
    """The equations of a problem: read once when it is checked, and not again when it is derived."""
    return _parse_quietly(text, {name: Ref(name, shape) for name, shape in shapes})


def _parse_quietly(text: str, known: Mapping[str, Expression]) -> tuple[Equation, ...]:
    for statement in _statements(text):
        _refuse_huge(statement)
    with warnings.catch_warnings():  # Python's opinions on odd syntax
        warnings.simplefilter("ignore", SyntaxWarning)
        try:
            equations = parse(text, known)
        except MemoryError:
            raise EquationError("there is not enough memory for its arrays; choose smaller ones") from None
        except TypeError:  # SymPy's, of a condition in a sum or product
            raise EquationError(CONDITION) from None
    for equation in equations:
        _refuse_conditions(equation.target, equation.expression)
    return equations


def _refuse_conditions(target: str, expression: Expression) -> None:
    """x > 0 is no number, so that nothing can be computed with it but a choice."""
    if isinstance(expression, Map) and not all(_is_number(part) for part in sympy.preorder_traversal(expression.formula)):
        raise EquationError(f"{target}: a condition stands only in where(condition, x, y); for 1 or 0 write where(…, 1, 0)")
    for part in parts(expression):
        _refuse_conditions(target, part)


def _is_number(formula: sympy.Basic) -> bool:
    """No condition among the operands; a Piecewise's own conditions are in pairs."""
    if isinstance(formula, ExprCondPair):
        return True
    own = isinstance(formula, Boolean)
    return not own


MOST_FAULTS = 20
MOST_BITS = 10**6


def _refuse_huge(statement: ast.stmt) -> None:
    """A power of constants is worked out when it is read: not one of a million digits."""
    for node in ast.walk(statement):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow) and _bits(node) > MOST_BITS:
            place = f"line {node.lineno}, column {node.col_offset + 1}"
            raise EquationError(f"{place}: a constant of more than {MOST_BITS:,} binary digits; choose smaller powers")


def _bits(node: ast.expr) -> int:
    """How many binary digits a constant may have, at most; 0 for what is none."""
    match node:
        case ast.Constant(value=int(value)):
            return max(1, value.bit_length())
        case ast.Constant(value=float()):
            return 64
        case ast.UnaryOp(operand=operand):
            return _bits(operand)
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            return _bits(left) + _bits(right)
        case ast.BinOp(left=left, op=ast.Pow(), right=ast.Constant(value=int(exponent))):
            return _bits(left) * exponent
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            return _bits(left) * (arrays.LARGEST_EXPONENT if _bits(right) else 0)
    return 0


def _statements(text: str) -> list[ast.stmt]:
    """Python's statements of a text; none where it has none (then `parse` says why)."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            return ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []


def _lines(text: str, statement: ast.stmt) -> str:
    """The source of one statement, at the column where it stands."""
    rows = text.encode().split(b"\n")[statement.lineno - 1 : statement.end_lineno]
    rows[-1] = rows[-1][: statement.end_col_offset]
    return rows[0][statement.col_offset :].decode() + "".join(f"\n{row.decode()}" for row in rows[1:])


def _targets(statement: ast.stmt) -> list[str]:
    if not isinstance(statement, ast.Assign):
        return []
    return [target.id for target in statement.targets if isinstance(target, ast.Name)]


def defining_lines(text: str) -> dict[str, int]:
    """The line on which each name is assigned, as far as the text is one of assignments."""
    return {name: statement.lineno for statement in reversed(_statements(text)) for name in _targets(statement)}


def _of_equations(problem: Problem) -> Program:
    """The program of equations; of an error with a seed g the sum Σ g·y is the error."""
    equations = _parsed(problem.equations, tuple((array.name, array.shape) for array in problem.arrays))
    variables = [_variable(array.name, array.shape) for array in problem.arrays]
    error = problem.error
    if problem.seed is not None:
        taken = _taken(problem)
        seed, whole = _free("seed", taken), _free("E", taken)
        shape = dict(_shapes(problem, equations))[error]
        variables.append(Variable(seed, shape))
        equations += parse(f"{whole} = sum(g * y)", {"g": Ref(seed, shape), "y": Ref(error, shape)})
        error = whole
    variables += [Variable(e.target, e.expression.shape) for e in equations]
    parameters = problem.parameters
    if parameters is None:
        needed = _needed(equations, error)
        parameters = tuple(array.name for array in problem.arrays if array.name in needed)
    return Program({v.name: v for v in variables}, equations, error, parameters)


def _shapes(problem: Problem, equations: tuple[Equation, ...]) -> list[tuple[str, Shape]]:
    given = [(array.name, array.shape) for array in problem.arrays]
    return given + [(equation.target, equation.expression.shape) for equation in equations]


def _taken(problem: Problem) -> frozenset[str]:
    return frozenset((*defining_lines(problem.equations), *(array.name for array in problem.arrays)))


def _free(name: str, taken: frozenset[str]) -> str:
    """``name``, or where that is taken name_1, name_2, …"""
    others = (f"{name}_{number}" for number in range(1, len(taken) + 2))
    return next(each for each in (name, *others) if each not in taken)


def _needed(equations: tuple[Equation, ...], error: str) -> set[str]:
    """Every array that the error depends on."""
    needed = {error}
    for equation in reversed(equations):
        if equation.target in needed:
            needed |= references(equation.expression)
    return needed


_BIAS = re.compile(r"b\d*|b[a-z]\d*|b_\w+|bias(es)?\d*|bias_\w+|\w+_bias\d*")


def _variable(name: str, shape: Shape) -> Variable:
    """A given array; b, b1, b_h, bias, of at most one axis, are biases."""
    return Variable(name, shape, "bias" if len(shape) < 2 and _BIAS.fullmatch(name) else "array")


# ---- penalty -------------------------------------------------------------------------------


def weights(program: Program) -> tuple[str, ...]:
    """The arrays that a penalty is on: a layered problem's weights; the given parameters that are no biases."""
    layered = tuple(variable.name for variable in program.by_role("weight"))
    own = (name for name in program.parameters if name in program.given)
    return layered or tuple(name for name in own if program.variables[name].role != "bias")


def _penalised(program: Program, penalty: Penalty) -> Program:
    """The program with R = ½·l2·Σw² + l1·Σ|w| over the weights added to its error."""
    terms: list[Expression] = []
    for constant, term in ((penalty.l2, "p = 1/2 * c * sum(w**2)"), (penalty.l1, "p = c * sum(abs(w))")):
        for name in weights(program) if constant else ():
            known = {"c": arrays.constant(Rational(constant)), "w": Ref(name, program.shape(name))}
            terms += [equation.expression for equation in parse(term, known)]
    if not terms:
        return program
    name = _free("R", frozenset(program.variables))
    whole = Equation(name, reduce(arrays.add, terms))
    equations: list[Equation] = []
    for equation in program.equations:
        if equation.target == program.error:
            added = arrays.add(equation.expression, Ref(name, ()))
            equations += [whole, replace(equation, expression=added)]
        else:
            equations.append(equation)
    variables = {**program.variables, name: Variable(name, ())}
    return replace(program, variables=variables, equations=tuple(equations))
