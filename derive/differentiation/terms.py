"""A derivative that is only partly taken: what is known by now, and what still stands as d/dz[…].

SymPy reorders and evaluates what it is given; these few nodes keep a line of the calculation as a person
leaves it, until `tidied` makes one expression of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sympy
from sympy import Add, Expr, Mul, Piecewise, Pow, exp

from derive import written
from derive.formula import Cases, Derivative, Formula, Fraction, Negative

Condition = Any
"""What SymPy takes for the condition of a case; it is not typed."""


class Term:
    """Base of what a line of a differentiation is made of."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Taken(Term):
    """An expression in which nothing is left to differentiate."""

    expression: Expr


@dataclass(frozen=True, slots=True)
class Pending(Term):
    """d/dz[expression], not taken yet."""

    expression: Expr


@dataclass(frozen=True, slots=True)
class Minus(Term):
    """−body."""

    body: Term


@dataclass(frozen=True, slots=True)
class Plus(Term):
    """A sum of terms."""

    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Times(Term):
    """A product of factors."""

    factors: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Over(Term):
    """top over bottom, with a bar."""

    top: Term
    bottom: Term


@dataclass(frozen=True, slots=True)
class Either(Term):
    """A term for each case; the condition of the last may be SymPy's true."""

    rows: tuple[tuple[Term, Condition], ...]


ZERO, ONE = Taken(sympy.S.Zero), Taken(sympy.S.One)


def parts(term: Term) -> tuple[Term, ...]:
    """The direct parts of a term."""
    match term:
        case Minus(body):
            return (body,)
        case Plus(several) | Times(several):
            return several
        case Over(top, bottom):
            return (top, bottom)
        case Either(rows):
            return tuple(row for row, _ in rows)
        case _:
            return ()


def is_pending(term: Term) -> bool:
    """Whether something is left to differentiate."""
    return isinstance(term, Pending) or any(map(is_pending, parts(term)))


def rebuilt(term: Term, change: Callable[[Term], Term]) -> Term:
    """The term with each of its direct parts changed."""
    match term:
        case Minus(body):
            return Minus(change(body))
        case Plus(terms):
            return Plus(tuple(map(change, terms)))
        case Times(factors):
            return Times(tuple(map(change, factors)))
        case Over(top, bottom):
            return Over(change(top), change(bottom))
        case Either(rows):
            return Either(tuple((change(row), condition) for row, condition in rows))
        case _:
            return term


def dropped(term: Term) -> Term:
    """The term without the zeros that it adds and the ones that it multiplies by."""
    term = rebuilt(term, dropped)
    match term:
        case Minus(body) if body == ZERO:
            return ZERO
        case Over(top, _) if top == ZERO:
            return ZERO
        case Plus(terms):
            kept = tuple(each for each in terms if each != ZERO)
            return Plus(kept) if len(kept) > 1 else kept[0] if kept else ZERO
        case Times(factors):
            others = tuple(each for each in factors if each != ONE)
            return ZERO if ZERO in others else Times(others) if len(others) > 1 else others[0] if others else ONE
        case _:
            return term


# ---- on paper ----------------------------------------------------------------------------------


def on_paper(term: Term, known: Mapping[Expr, Formula], by: Formula, *, partial: bool) -> Formula:
    """The term as a formula; ``known`` says what stands for symbols, ``by`` what is differentiated by."""

    def write(each: Term) -> Formula:
        return on_paper(each, known, by, partial=partial)

    match term:
        case Taken(expression):
            return written.formula(expression, known)
        case Pending(expression):
            return Derivative(written.formula(expression, known), by, partial)
        case Minus(body):
            return Negative(write(body))
        case Plus(terms):
            return written.added([write(each) for each in terms])
        case Times(factors):
            return written.multiplied([write(each) for each in factors])
        case Over(top, bottom):
            return Fraction(write(top), write(bottom))
        case Either(rows):
            return Cases(tuple((write(each), written.condition(test, known)) for each, test in rows))
    raise TypeError(f"no formula for {type(term).__name__}")


# ---- as one expression -------------------------------------------------------------------------


def tidied(term: Term) -> Expr:
    """A term without anything pending as one expression: signs and numbers multiplied, like terms collected.

    Nothing is expanded and no function is rewritten; factors and terms keep their order.
    """
    match term:
        case Taken(expression):
            return expression
        case Minus(body):
            return multiplied([sympy.S.NegativeOne, tidied(body)])
        case Plus(terms):
            return added([tidied(each) for each in terms])
        case Times(factors):
            return multiplied([tidied(each) for each in factors])
        case Over(top, bottom):
            return multiplied([tidied(top), *(_inverse(each) for each in factors_of(tidied(bottom)))])
        case Either(rows):
            return Piecewise(*((tidied(each), test) for each, test in rows), evaluate=False)
    raise TypeError(f"{type(term).__name__} has something left to differentiate")


def _inverse(factor: Expr) -> Expr:
    if factor.is_Rational:
        return 1 / factor
    base, exponent = base_and_exponent(factor)
    return Pow(base, -exponent, evaluate=False)


def base_and_exponent(factor: Expr) -> tuple[Expr, Expr]:
    """A power's base and rational exponent; e to something is a base of its own."""
    if isinstance(factor, Pow) and factor.exp.is_Rational:
        return factor.base, factor.exp
    return factor, sympy.S.One


def factors_of(expression: Expr) -> tuple[Expr, ...]:
    """The factors of a product, those of a product within it too."""
    if not isinstance(expression, Mul):
        return (expression,)
    return tuple(factor for each in expression.args for factor in factors_of(each))


def terms_of(expression: Expr) -> tuple[Expr, ...]:
    """The terms of a sum, those of a sum within it too."""
    if not isinstance(expression, Add):
        return (expression,)
    return tuple(term for each in expression.args for term in terms_of(each))


def multiplied(factors: Sequence[Expr]) -> Expr:
    """A product in this order: numbers in front, equal bases as one power; exponentials stay as they are."""
    flat = [each for whole in factors for each in factors_of(whole)]
    number = Mul(*(factor.doit() for factor in flat if _is_root(factor)))
    powers: list[tuple[Expr, Expr]] = []
    for factor in flat:
        if _is_root(factor):
            continue
        base, exponent = base_and_exponent(factor)
        found = next((k for k, (known, _) in enumerate(powers) if _alike(known, base)), None)
        if found is None or isinstance(base, exp):
            powers.append((base, exponent))
        else:
            powers[found] = (base, powers[found][1] + exponent)
    if number == 0:
        return sympy.S.Zero
    kept = [raised(base, exponent) for base, exponent in powers if exponent != 0]
    if number != 1 or not kept:
        kept = [*Mul.make_args(number), *kept]
    return kept[0] if len(kept) == 1 else Mul(*kept, evaluate=False)


def _is_root(factor: Expr) -> bool:
    """A rational number, or a rational power of one."""
    return bool(factor.is_Rational) or (
        isinstance(factor, Pow) and bool(factor.exp.is_Rational) and _is_root(factor.base)
    )


def _alike(left: Expr, right: Expr) -> bool:
    """The same, or the same sum in another order."""
    if isinstance(left, Add) and isinstance(right, Add):
        return bool(Add(*terms_of(left)) == Add(*terms_of(right)))
    return bool(left == right)


def put(expression: Expr, known: Mapping[Expr, Expr]) -> Expr:
    """The expression with other things for its symbols, in its own order, nothing evaluated."""
    if expression in known:
        return known[expression]
    if isinstance(expression, Add | Mul | Pow):
        return expression.func(*(put(part, known) for part in expression.args), evaluate=False)
    if isinstance(expression, Piecewise):
        rows = ((put(value, known), test.xreplace(dict(known))) for value, test in expression.args)
        return Piecewise(*rows, evaluate=False)
    if isinstance(expression, sympy.Function):
        return expression.func(*(put(part, known) for part in expression.args))
    return expression.xreplace(dict(known))


def raised(base: Expr, exponent: Expr) -> Expr:
    """base to the exponent, kept as written."""
    return base if exponent == 1 else Pow(base, exponent, evaluate=False)


def added(terms: Sequence[Expr]) -> Expr:
    """A sum in this order, like terms collected, zeros left out."""
    found: list[tuple[Expr, Expr]] = []
    for term in (each for whole in terms for each in terms_of(whole)):
        number, rest = _coefficient(term)
        place = next((k for k, (_, known) in enumerate(found) if _alike(known, rest)), None)
        if place is None:
            found.append((number, rest))
        else:
            found[place] = (found[place][0] + number, rest)
    kept = [multiplied([number, rest]) for number, rest in found if number != 0]
    if not kept:
        return sympy.S.Zero
    return kept[0] if len(kept) == 1 else Add(*kept, evaluate=False)


def _coefficient(term: Expr) -> tuple[Expr, Expr]:
    """A term's rational number, and what it multiplies."""
    numbers = [factor for factor in factors_of(term) if factor.is_Rational]
    others = [factor for factor in factors_of(term) if not factor.is_Rational]
    return Mul(*numbers), multiplied(others)
