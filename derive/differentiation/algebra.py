"""From the derivative as the rules leave it to the form in which it is stated: a line for each thing that is done.

Nothing here knows a function: a stated form in the function's output a, a polynomial in it or a product of such, is
reached by writing a as the fraction N/D that it is. 1 − a is 1 − N/D, that is (D − N)/D; whoever multiplies D − N out
has the derivative as the rules left it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sympy
from sympy import Add, Expr, Piecewise, Poly, Symbol

from derive.differentiation.rules import top_and_bottom
from derive.differentiation.terms import Minus, Over, Taken, Term, Times, factors_of, multiplied, put, raised
from derive.functions import Elementwise, expand

Lines = list[tuple[Term, str]]
"""Lines of algebra, each with the name of what was done."""


@dataclass(frozen=True, slots=True)
class _Factor:
    """A factor of the stated form, in each of the forms that it goes through."""

    multiplied_out: Term
    as_difference: Term
    termwise: Term


def to_stated(raw: Expr, stated: Expr, outputs: Mapping[Symbol, Expr], hidden: frozenset[Symbol]) -> Lines:
    """The lines from ``raw`` to ``stated``, the last of them; ``outputs`` are the formulas of the symbols for outputs.

    ``hidden`` are symbols that stand for what has no name on paper: a form that shows one by itself is passed over.
    """
    if isinstance(stated, Piecewise) and raw.doit() == stated.doit():
        return [(Taken(stated), "tidied")]
    used = {symbol: formula for symbol, formula in outputs.items() if symbol in stated.free_symbols}
    if not used:
        return [*_extended(raw, expand(stated)), (Taken(stated), "output")] if stated.has(Elementwise) else _end(stated)
    factors = [_forms(factor, used) for factor in factors_of(stated)]
    if all(factor is not None for factor in factors):
        known = [factor for factor in factors if factor is not None]
        lines: Lines = [
            (_product([factor.as_difference for factor in known]), "split" if len(known) > 1 else "difference"),
            (_product([factor.termwise for factor in known]), "divided"),
            (Taken(stated), "output"),
        ]
        first = _product([factor.multiplied_out for factor in known])
        if len(known) > 1 and not _shows(first, hidden):
            lines = [(first, "split"), (lines[0][0], "difference"), *lines[1:]]
        return lines
    return [(Taken(put(stated, used)), "rearranged"), (Taken(stated), "output")]


def _end(stated: Expr) -> Lines:
    return [(Taken(stated), "rearranged")]


def _extended(raw: Expr, stated: Expr) -> Lines:
    """N/D with both multiplied by the same, where that is what leads to the stated fraction."""
    above, below = top_and_bottom(raw)
    wanted_above, wanted_below = top_and_bottom(stated)
    by = wanted_above / above
    lines: Lines = [(Taken(stated), "rearranged")]
    if below != 1 and by != 1 and sympy.expand(below * by) == sympy.expand(wanted_below):
        both = Over(Times((Taken(above), Taken(by))), Times((Taken(below), Taken(by))))
        lines = [(both, "extended"), (Taken(stated), "multiplied")]
    return lines


def _forms(factor: Expr, outputs: Mapping[Symbol, Expr]) -> _Factor | None:
    """A factor of the stated form as a fraction; None where it is no polynomial in one output that is a fraction."""
    inside = [symbol for symbol in outputs if symbol in factor.free_symbols]
    if not inside:
        taken = Taken(factor)
        return _Factor(taken, taken, taken)
    (symbol, *others) = inside
    above, below = top_and_bottom(outputs[symbol])
    if others or below == 1 or not factor.is_polynomial(symbol):
        return None
    degree = Poly(factor, symbol).degree()
    terms = [
        multiplied([coefficient, raised(above, power) if power else sympy.S.One, _power(below, degree - power)])
        for coefficient, power in (_monomial(term, symbol) for term in Add.make_args(factor))
    ]
    numerator = terms[0] if len(terms) == 1 else Add(*terms, evaluate=False)
    bottom = Taken(_power(below, degree))
    fraction = Over(Taken(above), Taken(below))
    return _Factor(
        Over(Taken(sympy.expand(numerator.doit())), bottom),
        Over(Taken(numerator), bottom),
        fraction if factor == symbol else Taken(put(factor, {symbol: outputs[symbol]})),
    )


def _monomial(term: Expr, symbol: Symbol) -> tuple[Expr, int]:
    coefficient, power = term.as_coeff_exponent(symbol)
    return coefficient, int(power)


def _power(base: Expr, exponent: int) -> Expr:
    return sympy.S.One if exponent == 0 else raised(base, sympy.Integer(exponent))


def _product(factors: list[Term]) -> Term:
    """Factors side by side; −1 is a minus sign before the whole."""
    if factors[0] == Taken(sympy.S.NegativeOne):
        return Minus(_product(factors[1:]))
    return factors[0] if len(factors) == 1 else Times(tuple(factors))


def _shows(term: Term, hidden: frozenset[Symbol]) -> bool:
    """Whether a hidden symbol stands in a numerator by itself."""
    match term:
        case Times(factors):
            return any(_shows(factor, hidden) for factor in factors)
        case Over(Taken(top), _):
            return bool(top.free_symbols & hidden)
        case _:
            return False
