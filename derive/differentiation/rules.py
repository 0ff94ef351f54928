"""The rules of differentiation, one at a time: what each makes of d/dz[…], and what it leaves to be done.

`once` applies one rule to everything that is pending in a line, as a person writes the next line. Every rule is
called by a name of `RULES`; which words a reader gets for it is the page's affair.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import sympy
from sympy import Add, Expr, Mul, Piecewise, Pow, Symbol, exp, log, pi, sqrt

from derive.differentiation.terms import (
    ONE,
    ZERO,
    Either,
    Minus,
    Over,
    Pending,
    Plus,
    Taken,
    Term,
    Times,
    base_and_exponent,
    dropped,
    factors_of,
    multiplied,
    put,
    raised,
    rebuilt,
    terms_of,
)
from derive.functions import Activation, Elementwise, StopGradient, a, constant_of, derivative, z

RULES = {
    "definition": "the definition",
    "constant": "c′ = 0",
    "variable": "z′ = 1",
    "linear": "(c z)′ = c",
    "sum": "(u + v)′ = u′ + v′",
    "factor": "(c u)′ = c u′",
    "product": "(u v)′ = u′ v + u v′",
    "quotient": "(u / v)′ = (u′ v − u v′) / v²",
    "reciprocal": "(1 / u)′ = −u′ / u²",
    "power": "(uⁿ)′ = n uⁿ⁻¹ u′",
    "root": "(√u)′ = u′ / (2 √u)",
    "exp": "(eᵘ)′ = eᵘ u′",
    "base": "(cᵘ)′ = cᵘ ln c · u′",
    "rewritten": "uᵛ = e^(v ln u)",
    "log": "(ln u)′ = u′ / u",
    "sin": "sin′ = cos",
    "cos": "cos′ = −sin",
    "tanh": "tanh′ = 1 − tanh²",
    "erf": "erf′(u) = 2/√π · e^(−u²)",
    "function": "a function of the table of activations, whose derivative is derived by itself",
    "stopped": "0, by decree: nothing flows back through stop_gradient",
    "cases": "each case by itself",
    "chain": "f(u)′ = f′(u) u′",
    "tidied": "zeros and ones dropped, signs and numbers multiplied",
    "split": "one fraction as a product of fractions",
    "difference": "a numerator as a difference that has the denominator in it",
    "divided": "each term of a numerator over the denominator",
    "extended": "numerator and denominator multiplied by the same",
    "multiplied": "multiplied out",
    "rearranged": "the same, in the order of the stated form",
    "output": "the function's own output written for its formula",
    "kink": "where two cases meet at an angle, the case that holds there is taken",
}
"""The name of every rule and of every step of algebra, with what it says."""

SQUARE = sympy.Integer(2)


Found = tuple[Term, tuple[str, ...]]
"""What a rule makes of a derivative, and the names of the rules used."""


def once(term: Term, by: Symbol) -> Found:
    """The next line: zeros and ones dropped, and one rule applied to everything that is pending."""
    used: list[str] = []

    def step(each: Term) -> Term:
        if not isinstance(each, Pending):
            return rebuilt(each, step)
        made, names = applied(each.expression, by)
        used.extend(name for name in names if name not in used)
        return made

    return step(dropped(term)), tuple(used)


def applied(expression: Expr, by: Symbol) -> Found:
    """d/d``by`` of an expression after the one rule that fits its outermost operation.

    Raises TypeError for a function that has no rule.
    """
    at_once = _at_once(expression, by)
    if at_once is not None:
        return at_once
    match expression:
        case Add():
            return _sum(terms_of(expression), by)
        case Mul():
            return _product(expression, by)
        case Pow():
            return _power(expression, by)
        case Piecewise(args=rows):
            return _cases(rows), ("cases",)
        case StopGradient():
            return ZERO, ("stopped",)
        case Elementwise():
            return _chain(_slope(expression), expression.args[0], by, "function")
    if expression.func in FUNCTIONS:
        (inner,) = expression.args
        return _chain(FUNCTIONS[expression.func](inner), inner, by, expression.func.__name__)
    raise TypeError(f"no rule for the derivative of {type(expression).__name__}")


def named_functions(expression: Expr) -> Iterator[Activation]:
    """The rows of the table of activations that an expression calls, each once."""
    seen: set[str] = set()
    for each in sympy.preorder_traversal(expression):
        if isinstance(each, Elementwise) and each.row.name not in seen:
            seen.add(each.row.name)
            yield each.row


FUNCTIONS: dict[type[sympy.Function], Callable[[Expr], Term]] = {
    exp: lambda u: Taken(exp(u, evaluate=False)),
    log: lambda u: Over(ONE, Taken(u)),
    sympy.sin: lambda u: Taken(sympy.cos(u, evaluate=False)),
    sympy.cos: lambda u: Minus(Taken(sympy.sin(u, evaluate=False))),
    sympy.tanh: lambda u: Taken(1 - sympy.tanh(u) ** 2),
    sympy.erf: lambda u: Times((Over(Taken(SQUARE), Taken(sqrt(pi))), Taken(exp(-(u**2))))),
}
"""f′(u) of the functions that have a rule of their own."""


def _at_once(expression: Expr, by: Symbol) -> Found | None:
    """What needs no further line: a constant, z, and z times a constant."""
    if by not in expression.free_symbols:
        return ZERO, ("constant",)
    if expression == by:
        return ONE, ("variable",)
    others = [factor for factor in factors_of(expression) if by in factor.free_symbols]
    if isinstance(expression, Mul) and others == [by]:
        return Taken(_without(expression, others)), ("linear",)
    return None


def _without(product: Expr, left_out: list[Expr]) -> Expr:
    kept = [factor for factor in factors_of(product) if factor not in left_out]
    return kept[0] if len(kept) == 1 else multiplied(kept)


def _sum(terms: tuple[Expr, ...], by: Symbol) -> Found:
    made: list[Term] = []
    names = ["sum"]
    for term in sorted(terms, key=_is_negative) if _is_negative(terms[0]) else terms:  # as sums are written
        negative = _is_negative(term)
        bare = multiplied([sympy.S.NegativeOne, term]) if negative else term
        at_once = _at_once(bare, by)
        if at_once is not None:
            names += [name for name in at_once[1] if name not in names]
        taken: Term = Pending(bare) if at_once is None else at_once[0]
        made.append(Minus(taken) if negative else taken)
    return Plus(tuple(made)), tuple(names)


def _is_negative(term: Expr) -> bool:
    return any(factor.is_Rational and factor < 0 for factor in factors_of(term))


def _product(expression: Expr, by: Symbol) -> Found:
    """Constants stay in front; then a quotient, the reciprocal of something, or a product."""
    factors = factors_of(expression)
    moving = [factor for factor in factors if by in factor.free_symbols]
    constant = multiplied([factor for factor in factors if by not in factor.free_symbols])
    if constant != 1:
        rest = Pending(moving[0] if len(moving) == 1 else Mul(*moving, evaluate=False))
        if constant == -1:
            return Minus(rest), ("factor",)
        size = multiplied([sympy.S.NegativeOne, constant]) if _is_negative(constant) else constant
        product = Times((Taken(size), rest))
        return (Minus(product) if size != constant else product), ("factor",)
    if len(moving) == 1 and moving[0] != expression:  # a factor of 1 beside it
        return applied(moving[0], by)
    above, below = top_and_bottom(expression)
    if below == 1:
        first, *others = moving
        rest_of = others[0] if len(others) == 1 else Mul(*others, evaluate=False)
        return Plus((Times((Pending(first), Taken(rest_of))), Times((Taken(first), Pending(rest_of))))), ("product",)
    if above == 1:
        return _reciprocal(below, by), ("reciprocal",)
    numerator = Plus((Times((Pending(above), Taken(below))), Minus(Times((Taken(above), Pending(below))))))
    return Over(numerator, Taken(_squared(below))), ("quotient",)


def top_and_bottom(expression: Expr) -> tuple[Expr, Expr]:
    """Numerator and denominator as they stand: what has a negative power is below."""
    above: list[Expr] = []
    below: list[Expr] = []
    for factor in factors_of(expression):
        base, exponent = base_and_exponent(factor)
        if factor.is_Rational:
            above.append(sympy.Integer(factor.p))
            below.append(sympy.Integer(factor.q))
        elif exponent < 0:
            below.append(raised(base, -exponent))
        else:
            above.append(factor)
    return multiplied(above), multiplied(below)


def _reciprocal(below: Expr, by: Symbol) -> Term:
    return Minus(Over(ONE if below == by else Pending(below), Taken(_squared(below))))


def _squared(expression: Expr) -> Expr:
    base, exponent = base_and_exponent(expression)
    return raised(base, SQUARE * exponent)


def _power(expression: Expr, by: Symbol) -> Found:
    base, exponent = expression.base, expression.exp
    if by not in base.free_symbols:
        slope: Term = Times((Taken(expression), Taken(log(base, evaluate=False))))
        return _chain(slope, exponent, by, "base")
    if by in exponent.free_symbols:
        return Pending(exp(multiplied([exponent, log(base, evaluate=False)]), evaluate=False)), ("rewritten",)
    if exponent == sympy.Rational(1, 2):
        return _over(base, by, multiplied([SQUARE, expression]), "root")
    if exponent.is_Rational and exponent < 0:
        return _reciprocal(raised(base, -exponent), by), ("reciprocal",)
    lower = raised(base, exponent - 1)
    return _chain(Times((Taken(exponent), Taken(lower))), base, by, "power")


def _over(inner: Expr, by: Symbol, below: Expr, name: str) -> Found:
    """u′ over something."""
    if inner == by:
        return Over(ONE, Taken(below)), (name,)
    return Over(Pending(inner), Taken(below)), (name, "chain")


def _chain(slope: Term, inner: Expr, by: Symbol, name: str) -> Found:
    """f′(u) u′; for u = z nothing is left."""
    if inner == by:
        return slope, (name,)
    factors = slope.factors if isinstance(slope, Times) else (slope,)
    return Times((*factors, Pending(inner))), (name, "chain")


def _slope(call: Elementwise) -> Term:
    """f′ at a call's argument, in the call itself where the row states its derivative in the output."""
    return Taken(put(derivative(call.row), {z: call.args[0], a: call, **constant_of(call)}))


def _cases(rows: tuple[Expr, ...]) -> Term:
    made: list[tuple[Term, sympy.Basic]] = []
    for row in rows:
        value, condition = row.args
        if condition == True and isinstance(value, Piecewise):  # noqa: E712 - SymPy's own true
            made += [(Pending(each.args[0]), each.args[1]) for each in value.args]
        else:
            made.append((Pending(value), condition))
    return Either(tuple(made))
