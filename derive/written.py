"""SymPy expressions and scalar definitions as formulas on paper, in the order in which a person writes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction as PlainFraction

import sympy
from sympy import Expr
from sympy.logic.boolalg import ITE

from derive.digits import as_decimal
from derive.formula import (
    Call,
    Cases,
    Formula,
    Fraction,
    Name,
    Negative,
    Number,
    Power,
    Product,
    Relation,
    Sum,
    Symbol,
    Words,
)
from derive.functions import ChosenOf, Elementwise, LargestOf, StopGradient
from derive.scalars import Best, Form, Leaf, Node, Scalar, Share, Terms, Times

Write = Callable[[Scalar], Formula]
CALLS = {
    sympy.exp: "exp",
    sympy.log: "log",
    sympy.tanh: "tanh",
    sympy.Abs: "abs",
    sympy.Max: "max",
    sympy.sin: "sin",
    sympy.cos: "cos",
    sympy.erf: "erf",
    LargestOf: "max",
}
MOST_DECIMALS = 9
ALWAYS, NEVER = Words("always"), Words("never")
SIGNS = {">": ">", ">=": "≥", "<": "<", "<=": "≤", "==": "=", "!=": "≠"}


def definition(node: Node, write: Write) -> Formula:
    """A scalar's definition; ``write`` puts a symbol, or a number, for each scalar that it reads."""
    match node:
        case Leaf(scalar):
            return write(scalar)
        case Terms(terms):
            return added([definition(term, write) for term in terms])
        case Times(left, right):
            return multiplied([definition(left, write), definition(right, write)])
        case Form(expression, symbols, parts):
            known = {s: definition(part, write) for s, part in zip(symbols, parts, strict=True)}
            return formula(expression, known)
        case Best(row, place):
            written_row = [definition(each, write) for each in row]
            return Call("max", tuple(written_row)) if place < 0 else _chosen(place, written_row)
        case Share(scores, place, logarithm):
            powers = [Call("exp", (definition(score, write),)) for score in scores]
            total = added(powers)
            if logarithm:
                return added([definition(scores[place], write), Negative(Call("log", (total,)))])
            return Fraction(powers[place], total)
    raise TypeError(f"no formula for {type(node).__name__}")


def formula(expression: Expr, known: Mapping[Expr, Formula]) -> Formula:
    """A SymPy expression as a formula; ``known`` says what stands for its symbols."""
    if expression in known:
        return known[expression]
    match expression:
        case sympy.Rational():
            return rational(expression)
        case sympy.Add(args=terms):
            written = [formula(term, known) for term in terms]
            positive_first = sorted(written, key=_is_negative) if written and _is_negative(written[0]) else written
            return added(positive_first)
        case sympy.Mul(args=factors):
            return _product(factors, known)
        case sympy.Pow(base=base, exp=exponent) if exponent == sympy.Rational(1, 2):
            return Call("sqrt", (formula(base, known),))
        case sympy.Pow(base=base, exp=exponent):
            if exponent.is_Rational and exponent < 0:
                return Fraction(Number("1"), formula(sympy.Pow(base, -exponent), known))
            return Power(formula(base, known), formula(exponent, known))
        case Elementwise():
            return Call(expression.row.sign, (formula(expression.args[0], known),))
        case sympy.Piecewise(args=rows):
            return Cases(tuple((formula(row.args[0], known), condition(row.args[1], known)) for row in rows))
        case StopGradient():
            return formula(expression.args[0], known)
        case ChosenOf(args=(place, *row)):
            return _chosen(int(place), [formula(each, known) for each in row])
        case sympy.E:
            return Call("exp", (Number("1"),))
        case sympy.pi:
            return Symbol(Name("pi"))
        case sympy.Symbol():
            return Words(expression.name)
    if expression.func in CALLS:
        return Call(CALLS[expression.func], tuple(formula(argument, known) for argument in expression.args))
    raise TypeError(f"no formula for {type(expression).__name__}")


def _chosen(place: int, row: list[Formula]) -> Formula:
    """1 where a place holds the largest of a row."""
    largest = Call("max", tuple(row))
    return Cases(((Number("1"), Relation(row[place], "=", largest)), (Number("0"), None)))


def rational(value: sympy.Rational) -> Formula:
    """An exact number: whole, or a fraction, or a decimal where that is shorter (0.68 for 17/25); the sign in front."""
    if value < 0:
        return Negative(rational(-value))
    decimal = as_decimal(PlainFraction(int(value.p), int(value.q)), MOST_DECIMALS)
    if decimal is not None and len(decimal) < len(str(value)):
        return Number(decimal)
    return Number(str(int(value.p))) if value.q == 1 else Fraction(Number(str(int(value.p))), Number(str(int(value.q))))


def added(terms: Sequence[Formula]) -> Formula:
    """A sum, sums within it spread out; one term is itself."""
    flat: list[Formula] = []
    for term in terms:
        flat.extend(term.terms if isinstance(term, Sum) else (term,))
    return flat[0] if len(flat) == 1 else Sum(tuple(flat))


def multiplied(factors: Sequence[Formula]) -> Formula:
    """A product, products within it spread out; a negative factor at the front is a minus sign before the whole."""
    flat: list[Formula] = []
    for factor in factors:
        flat.extend(factor.factors if isinstance(factor, Product) and not factor.sign else (factor,))
    return flat[0] if len(flat) == 1 else Product(tuple(flat))


def _is_negative(written: Formula) -> bool:
    return isinstance(written, Negative) or (isinstance(written, Number) and written.text.startswith("-"))


def _product(factors: Sequence[Expr], known: Mapping[Expr, Formula]) -> Formula:
    """Numbers in front, a minus sign before the whole, negative powers under the bar."""
    number = sympy.Mul(*(f for f in factors if f.is_Rational))
    above = [f for f in factors if not f.is_Rational and not _below(f)]
    below = [sympy.Pow(f.base, -f.exp) for f in factors if not f.is_Rational and _below(f)]
    top = [formula(f, known) for f in above]
    bottom = [formula(f, known) for f in below]
    size = abs(number)
    leading: list[Formula] = []
    if size.q != 1 and top and not bottom:
        leading = [rational(size)]
    else:
        top = [*([Number(str(int(size.p)))] if size.p != 1 or not top else []), *top]
        bottom = [*([Number(str(int(size.q)))] if size.q != 1 else []), *bottom]
    whole = multiplied([*leading, *top])
    if bottom:
        whole = Fraction(whole, multiplied(bottom))
    return Negative(whole) if number < 0 else whole


def _below(factor: Expr) -> bool:
    return isinstance(factor, sympy.Pow) and bool(factor.exp.is_Rational) and bool(factor.exp < 0)


def condition(test: sympy.Basic, known: Mapping[Expr, Formula]) -> Formula | None:
    """The condition of a case; None for "otherwise"."""
    if test == True:  # noqa: E712 - SymPy's own true
        return None
    if test == False:  # noqa: E712
        return NEVER
    if test.is_Relational:
        return Relation(formula(test.lhs, known), SIGNS[test.rel_op], formula(test.rhs, known))
    match test:  # a comparison with something that has cases itself
        case ITE(args=(asked, yes, no)):
            rows = ((yes, asked), (no, sympy.true))
        case sympy.And():
            first, *others = sympy.ordered(test.args)
            rows = ((sympy.And(*others), first), (sympy.false, sympy.true))
        case sympy.Or():
            first, *others = sympy.ordered(test.args)
            rows = ((sympy.true, first), (sympy.Or(*others), sympy.true))
        case sympy.Not(args=(asked,)):
            rows = ((sympy.false, asked), (sympy.true, sympy.true))
        case _:
            raise TypeError(f"no formula for the condition {type(test).__name__}")
    return Cases(tuple((condition(holds, known) or ALWAYS, condition(asked, known)) for holds, asked in rows))


def quotient(numerator: Formula, denominator: Formula) -> Fraction:
    """numerator over denominator."""
    return Fraction(numerator, denominator)
