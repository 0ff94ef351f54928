"""A SymPy formula as Python source, for plain floats and for balls.

Only formulas that this project built are printed; names of a user's never reach the source.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import sympy
from sympy import Expr, Rational

from derive.errors import NotFiniteError
from derive.functions import ChosenOf, Elementwise, LargestOf, StopGradient, a, constant_of, written, z

LARGEST_FLOAT = int(sys.float_info.max)
Printer = Callable[[Expr], str]

expm1 = sympy.Function("expm1")
"""eᵘ − 1; SymPy's own would cost an import of its code generators."""


@dataclass(frozen=True)
class Dialect:
    """How one kind of number writes what differs between them; everything else is Python."""

    name: str
    rational: Callable[[sympy.Rational], str]
    choose: Callable[[str, str, str], str]
    pi: str
    positive: str = ""
    same: str = ""


def float_number(value: sympy.Rational) -> str:
    """An exact number as float source; a fraction is divided by Python, correctly rounded.

    Raises NotFiniteError for a number beyond float64.
    """
    if abs(value) > LARGEST_FLOAT:
        raise NotFiniteError("an equation holds a constant beyond float64; `--digits` computes with it exactly")
    if max(abs(value.p), value.q) > LARGEST_FLOAT:  # Python divides no such whole numbers
        return repr(Fraction(int(value.p), int(value.q)).__float__())
    return repr(float(value)) if value.q == 1 or float(value) == value else f"({int(value.p)}.0/{int(value.q)}.0)"


FLOAT = Dialect("float", float_number, lambda condition, yes, no: f"({yes} if {condition} else {no})", "pi")
BALL = Dialect(
    "ball",
    lambda value: f"({int(value)})" if value.q == 1 else f"fmpq({int(value.p)}, {int(value.q)})",
    lambda condition, yes, no: f"({yes} if {condition} else {no})",
    "pi()",
    "positive",
    "same",
)

FUNCTIONS = {
    sympy.exp: "exp",
    sympy.log: "log",
    sympy.tanh: "tanh",
    sympy.Abs: "abs",
    sympy.sin: "sin",
    sympy.cos: "cos",
    sympy.erf: "erf",
    sympy.erfc: "erfc",
    expm1: "expm1",
}
RELATIONS = {">": ">", ">=": ">=", "<": "<", "<=": "<=", "==": "==", "!=": "!="}


def definition(call: Elementwise, dialect: Dialect) -> Expr:
    """What a named function is computed by: its exact definition for balls, else its float form."""
    return written(call.row, dialect is not BALL).xreplace({z: call.args[0], a: call, **constant_of(call)})


def steady(total: Expr) -> Expr:
    """A sum in which c(eᵘ − 1), c(1 ± erf u) and c(n + u) are of one piece: multiplied out, they cancel in float64."""
    number, rest = total.as_coeff_Add()
    for term in sympy.Add.make_args(rest) if number else ():
        coefficient, function = term.as_coeff_Mul()
        others = [each for each in sympy.Add.make_args(rest) if each != term]
        if isinstance(function, sympy.exp) and coefficient == -number:
            return sympy.Add(*others, coefficient * expm1(function.args[0]), evaluate=False)
        if isinstance(function, sympy.erf) and abs(coefficient) == abs(number):
            argument = sympy.Mul(-sympy.sign(coefficient * number), function.args[0], evaluate=False)
            # not evaluated: SymPy writes erfc(−u) as 2 − erfc(u), which cancels again
            return sympy.Add(
                *others, sympy.Mul(number, sympy.erfc(argument, evaluate=False), evaluate=False), evaluate=False
            )
    coefficient, inner = rest.as_coeff_Mul()  # SymPy multiplies (3 + z)/6 out, and −3 is a zero no more
    if number and coefficient not in (1, -1) and (number / coefficient).is_Integer and not inner.is_Add:
        return sympy.Mul(coefficient, inner + number / coefficient, evaluate=False)
    return total


def source(
    expression: Expr, names: dict[Expr, str], dialect: Dialect, temporary: Callable[[str], str] | None = None
) -> str:
    """Python source of a formula; ``names`` maps its symbols (and known parts) to variables.

    ``temporary(source)`` may put a part that is needed twice into a variable and return its name.
    """

    def keep(text: str) -> str:
        return text if temporary is None or text.isidentifier() else temporary(text)

    def write(node: Expr) -> str:
        if node in names:
            return names[node]
        if isinstance(node, Elementwise):
            if temporary is None:
                return write(definition(node, dialect))
            argument = sympy.Symbol(keep(write(node.args[0])), real=True)
            names[argument] = argument.name
            inner = definition(node.func(argument, *node.args[1:]), dialect)
            for part in (sympy.exp(-sympy.Abs(argument)), sympy.exp(argument)):
                if inner.count(part) > 1 and part not in names:
                    names[part] = keep(write(part))
            names[node] = keep(write(inner))
            return names[node]
        match node:
            case sympy.Rational():
                return dialect.rational(node)
            case sympy.pi:
                return dialect.pi
            case sympy.E:
                return f"exp({dialect.rational(sympy.Integer(1))})"
            case StopGradient():
                return write(node.args[0])
            case LargestOf(args=row):
                return f"largest({', '.join(write(value) for value in row)})"
            case ChosenOf(args=(place, *row)):
                return f"chosen({int(place)}, {', '.join(write(value) for value in row)})"
            case sympy.Add() if dialect is not BALL and (whole := steady(node)) != node:
                return write(whole)
            case sympy.Add(args=terms):
                return "(" + " + ".join(write(term) for term in terms) + ")"
            case sympy.Mul(args=factors):
                return _product(factors, write, dialect)
            case sympy.Pow(base=base, exp=exponent):
                return _power(base, exponent, write, keep, dialect)
            case sympy.Max(args=values):
                result = write(values[0])
                for value in values[1:]:
                    left, right = keep(result), keep(write(value))
                    result = dialect.choose(f"{left} >= {right}", left, right)
                return result
            case sympy.Piecewise(args=rows):
                result = write(rows[-1][0])
                for value, condition in reversed(rows[:-1]):
                    result = dialect.choose(_condition(condition, write, dialect), write(value), result)
                return result
            case sympy.log(args=(sympy.Add(args=(sympy.Integer() as one, rest)),)) if one == 1 and dialect is not BALL:
                return f"log1p({write(rest)})"
            case sympy.Function() if node.func in FUNCTIONS:
                return f"{FUNCTIONS[node.func]}({', '.join(write(argument) for argument in node.args)})"
        raise NotImplementedError(f"no source for {type(node).__name__}: {node}")

    return write(expression)


def _product(factors: tuple[Expr, ...], write: Printer, dialect: Dialect) -> str:
    """a·b/c, a leading −1 as a sign."""
    above = [f for f in factors if not (isinstance(f, sympy.Pow) and f.exp == -1)]
    below = [f.base for f in factors if isinstance(f, sympy.Pow) and f.exp == -1]
    sign = "-" if above and above[0] == -1 and len(above) > 1 else ""
    top = "*".join(write(f) for f in above[bool(sign) :]) or dialect.rational(sympy.Integer(1))
    for factor in below:
        top += f"/{write(factor)}"
    return f"({sign}{top})"


def _power(base: Expr, exponent: Expr, write: Printer, keep: Callable[[str], str], dialect: Dialect) -> str:
    if exponent == -1:
        return f"({dialect.rational(sympy.Integer(1))}/{write(base)})"
    if exponent.is_Integer and 2 <= int(exponent) <= 4:
        name = keep(write(base))
        return "(" + "*".join([name] * int(exponent)) + ")"
    if exponent == Rational(1, 2):
        return f"sqrt({write(base)})"
    if exponent.is_Rational and exponent < 0:
        return f"({dialect.rational(sympy.Integer(1))}/{_power(base, -exponent, write, keep, dialect)})"
    return f"power({write(base)}, {write(exponent)})"


def _condition(condition: sympy.Basic, write: Printer, dialect: Dialect) -> str:
    if condition in (sympy.true, sympy.false):
        return str(condition)
    match condition:
        case sympy.And() | sympy.Or():
            word = " and " if isinstance(condition, sympy.And) else " or "
            return "(" + word.join(_condition(part, write, dialect) for part in condition.args) + ")"
        case sympy.Not():
            return f"(not {_condition(condition.args[0], write, dialect)})"
        case sympy.ITE():
            test, yes, no = (_condition(part, write, dialect) for part in condition.args)
            return f"({yes} if {test} else {no})"
    if dialect.positive and condition.rel_op in (">", ">="):
        strict = condition.rel_op == ">"
        return f"{dialect.positive}({write(condition.lhs)} - {write(condition.rhs)}, {strict})"
    if dialect.same and condition.rel_op in ("==", "!="):
        equal = f"{dialect.same}({write(condition.lhs)}, {write(condition.rhs)})"
        return equal if condition.rel_op == "==" else f"(not {equal})"
    return f"{write(condition.lhs)} {RELATIONS[condition.rel_op]} {write(condition.rhs)}"
