"""A zero test for closed forms: rational in powers of e, logarithms and tanh, with definitions by cases.

An expression is zero if it is zero in every case of its conditions, with every independent e^u, ln u and
tanh u replaced by a new symbol. That is exact: the replaced powers multiply as powers of e do, and a rational
function of independent symbols is zero only where its numerator expands to 0.
"""

from __future__ import annotations

from collections.abc import Iterator

import sympy
from sympy import Add, Expr, Piecewise, Symbol


def is_zero(expression: Expr) -> bool:
    """Is the expression zero for all values of its symbols? True only where that is proved."""
    return all(_rational_is_zero(case) for case in cases(expression.doit()))


def cases(expression: Expr) -> Iterator[Expr]:
    """The expression in each combination of its conditions; a condition within another is decided first."""
    conditions = sorted(
        {row[1] for piece in expression.atoms(Piecewise) for row in piece.args if row[1] != True},  # noqa: E712
        key=lambda condition: (condition.count(Piecewise), str(condition)),
    )
    if not conditions:
        yield expression
        return
    for truth in (sympy.true, sympy.false):
        yield from cases(expression.xreplace({conditions[0]: truth}).doit())


def _rational_is_zero(expression: Expr) -> bool:
    expression = _without_functions(expression)
    numerator, _ = sympy.fraction(sympy.together(expression))
    return bool(sympy.expand(numerator) == 0)


def _without_functions(expression: Expr) -> Expr:
    """Every e^u, ln u, tanh u as a symbol, the innermost first."""
    while functions := expression.atoms(sympy.exp, sympy.log, sympy.tanh):
        innermost = [f for f in functions if not f.args[0].has(sympy.exp, sympy.log, sympy.tanh)]
        symbols = _powers([f for f in innermost if isinstance(f, sympy.exp)])
        symbols |= {f: sympy.Dummy(f.func.__name__) for f in innermost if not isinstance(f, sympy.exp)}
        expression = expression.xreplace(symbols)
    return expression


def _powers(found: list[Expr]) -> dict[Expr, Expr]:
    """e^u for several u as products of powers of independent symbols: e^(u + 2v) is yz² where e^u is y and e^v is z."""
    terms = {f: _terms(f.args[0]) for f in found}
    monomials = sorted({m for each in terms.values() for m in each}, key=sympy.default_sort_key)
    basis: list[tuple[sympy.Matrix, Symbol]] = []
    result: dict[Expr, Expr] = {}
    for power in sorted(found, key=lambda f: (len(terms[f]), sympy.default_sort_key(f))):
        vector = sympy.Matrix([terms[power].get(m, 0) for m in monomials])
        coefficients = _combination([v for v, _ in basis], vector)
        if coefficients is None:
            basis.append((vector, sympy.Dummy("y", positive=True)))
            result[power] = basis[-1][1]
        else:
            result[power] = sympy.Mul(*(y**c for (_, y), c in zip(basis, coefficients, strict=True)))
    return result


def _terms(exponent: Expr) -> dict[Expr, Expr]:
    result: dict[Expr, Expr] = {}
    for term in Add.make_args(sympy.expand_mul(exponent)):
        number, monomial = term.as_coeff_Mul()
        result[monomial] = result.get(monomial, sympy.S.Zero) + number
    return result


def _combination(basis: list[sympy.Matrix], vector: sympy.Matrix) -> list[Expr] | None:
    """The coefficients that make ``vector`` of the basis, or None where it is independent of it."""
    if not basis:
        return None
    matrix = sympy.Matrix.hstack(*basis)
    if matrix.rank() < sympy.Matrix.hstack(matrix, vector).rank():
        return None
    return list((matrix.T * matrix).LUsolve(matrix.T * vector))
