"""Reading a program by array: its gradient program, by reverse mode.

Every equation's adjoint ∂E/∂(array) becomes an equation itself, so that what comes out is again a
program. Each elementwise formula is differentiated by SymPy, once; the cost does not depend on how
wide the arrays are.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import sympy
from sympy import Expr, Mul, Symbol

from derive import arrays
from derive.errors import NotFiniteError
from derive.functions import Elementwise
from derive.program import (
    Contract,
    Equation,
    Expression,
    Gather,
    Largest,
    Map,
    Program,
    Ref,
    Reshape,
    Scatter,
    Softmax,
    Total,
    Transpose,
    references,
)


@dataclass(frozen=True)
class _Walk:
    """What a walk back needs to know: which arrays are wanted, and which softmax already has a name."""

    wanted: set[str]
    named: dict[Expression, Ref]


@dataclass(frozen=True)
class GradientProgram:
    """A program and the equations of its adjoints.

    ``adjoints`` maps an array to the name of ∂E/∂(array), for every array between the parameters
    and the error; ``equations`` define them, to be evaluated after the program's own.
    """

    program: Program
    equations: tuple[Equation, ...]
    adjoints: dict[str, str]


def adjoint_name(error: str, name: str) -> str:
    """How the adjoint of an array is called; no equation of a user's can have such a name."""
    return f"d{error}/d{name}"


def gradient_program(program: Program) -> GradientProgram:
    """∂E/∂(array) for the parameters and for every array on the way to them."""
    wanted = _between(program)
    named: dict[Expression, Ref] = {
        e.expression: Ref(e.target, e.expression.shape) for e in program.equations if isinstance(e.expression, Softmax)
    }
    walk = _Walk(wanted, named)
    contributions: dict[str, list[Expression]] = {program.error: [arrays.constant(1)]}
    adjoints: dict[str, str] = {}
    equations: list[Equation] = []

    def finish(name: str) -> Expression | None:
        """Name the adjoint of an array once all its contributions are known."""
        if name not in wanted or name not in contributions:
            return None
        adjoint = _sum(contributions[name], program.shape(name))
        adjoints[name] = adjoint_name(program.error, name)
        equations.append(Equation(adjoints[name], adjoint))
        constant = isinstance(adjoint, Map) and not adjoint.arguments
        return adjoint if constant else Ref(adjoints[name], adjoint.shape)

    for equation in reversed(program.equations):
        upstream = finish(equation.target)
        if upstream is None:
            continue
        for name, contribution in pullback(equation, upstream, walk):
            contributions.setdefault(name, []).append(contribution)
    for name in program.given:
        finish(name)
    for name in program.parameters:
        if name not in adjoints:
            adjoints[name] = adjoint_name(program.error, name)
            equations.append(Equation(adjoints[name], arrays.constant(0, program.shape(name))))
    return GradientProgram(program, tuple(equations), adjoints)


def _between(program: Program) -> set[str]:
    """The arrays that depend on a parameter, or are one: only these need an adjoint."""
    wanted = set(program.parameters)
    for equation in program.equations:
        if references(equation.expression) & wanted:
            wanted.add(equation.target)
    return wanted


def _sum(terms: list[Expression], shape: tuple[int, ...]) -> Expression:
    result = terms[0]
    for term in terms[1:]:
        result = arrays.add(result, term)
    return arrays.elementwise(lambda x: x, result, arrays.constant(0, shape)) if result.shape != shape else result


def pullback(equation: Equation, upstream: Expression, walk: _Walk) -> Iterator[tuple[str, Expression]]:
    """What an equation passes back to each array that it reads: upstream gradient times local derivative."""
    own = Ref(equation.target, equation.expression.shape)
    yield from _pull(equation.expression, upstream, own, walk)


def between(program: Program) -> frozenset[str]:
    """The arrays between the parameters and the error, both included: those that have an adjoint."""
    wanted, needed = _between(program), {program.error}
    for equation in reversed(program.equations):
        if equation.target in needed and equation.target in wanted:
            needed |= references(equation.expression) & wanted
    return frozenset(needed & wanted) | frozenset(program.parameters)


def pulled(equation: Equation, upstream: Expression, wanted: frozenset[str]) -> Iterator[tuple[str, Expression]]:
    """What one equation passes back to each of the arrays ``wanted`` that it reads."""
    yield from pullback(equation, upstream, _Walk(set(wanted), {}))


def _pull(
    expression: Expression, upstream: Expression, own: Ref | None, walk: _Walk
) -> Iterator[tuple[str, Expression]]:
    """Walk an expression from its result to the arrays it reads; ``own`` names the result if it has a name."""
    if not references(expression) & walk.wanted:
        return
    match expression:
        case Ref(name):
            yield name, upstream
        case Map():
            for part, passed in _pull_map(expression, upstream, own, walk):
                yield from _pull(part, passed, None, walk)
        case Contract(axes, out, (left, right)):
            if references(left) & walk.wanted:
                yield from _pull(left, _contract_back(axes[0], out, axes[1], upstream, right), None, walk)
            if references(right) & walk.wanted:
                yield from _pull(right, _contract_back(axes[1], out, axes[0], upstream, left), None, walk)
        case Transpose(argument, axes):
            inverse = tuple(sorted(range(len(axes)), key=axes.__getitem__))
            yield from _pull(argument, arrays.transpose(upstream, inverse), None, walk)
        case Total(argument, axes, keepdims):
            yield from _pull(argument, _spread(upstream, argument, axes, keepdims), None, walk)
        case Softmax(argument):
            yield from _pull(argument, _softmax_back(expression, upstream, own, walk), None, walk)
        case Reshape(argument):
            yield from _pull(argument, arrays.reshape(upstream, argument.shape), None, walk)
        case Gather(arguments, positions):
            offset = 0
            for argument in arguments:
                back = Scatter(upstream, positions, offset, argument.shape)
                offset += math.prod(argument.shape)
                yield from _pull(argument, back, None, walk)
        case Largest(argument, axis):
            whole = arrays.reshape(upstream, (*argument.shape[:axis], 1, *argument.shape[axis + 1 :]))
            mask = Largest(argument, axis, True, argument.shape, mask=True)
            yield from _pull(argument, arrays.elementwise(times, whole, mask), None, walk)


def _pull_map(
    expression: Map, upstream: Expression, own: Ref | None, walk: _Walk
) -> Iterator[tuple[Expression, Expression]]:
    for symbol, argument in zip(expression.symbols, expression.arguments, strict=True):
        if not references(argument) & walk.wanted:
            continue
        partial = local_derivative(expression.formula, symbol, None if own is None else arrays.placeholder(own))
        known = dict(zip(expression.symbols, expression.arguments, strict=True))
        if own is not None:
            known[arrays.placeholder(own)] = own
        used = tuple(name for name in known if name in partial.free_symbols)
        local = Map(
            partial, used, tuple(known[name] for name in used), arrays.broadcast(known[name].shape for name in used)
        )
        passed = arrays.elementwise(times, upstream, local)
        yield argument, _fit(passed, expression.shape, argument)


def _fit(passed: Map, shape: tuple[int, ...], argument: Expression) -> Expression:
    """The gradient in the shape of the argument: spread to the result's shape, summed where it was broadcast."""
    full = passed if passed.shape == shape else Map(passed.formula, passed.symbols, passed.arguments, shape)
    return arrays.unbroadcast(_unwrapped(full), argument.shape)


def _unwrapped(expression: Map) -> Expression:
    """The sole argument of a Map that does nothing to it."""
    if (
        expression.arguments
        and expression.formula == expression.symbols[0]
        and expression.arguments[0].shape == expression.shape
    ):
        return expression.arguments[0]
    return expression


def _is_divided_power(part: Expr) -> bool:
    """uᵛ/u, as SymPy differentiates uᵛ: uᵛ⁻¹ is the same, and a number at u = 0 as well."""
    return isinstance(part, Mul) and any(
        isinstance(factor, sympy.Pow) and not factor.exp.is_number and 1 / factor.base in part.args
        for factor in part.args
    )


@cache
def local_derivative(formula: Expr, symbol: Symbol, own: Symbol | None) -> Expr:
    """∂formula/∂symbol by SymPy; where the formula itself occurs in it, ``own`` (the result) is written.

    Raises NotFiniteError where it is no real number, whatever the symbols are: that of (−2)ᵘ holds ln(−2).
    """
    partial = sympy.diff(formula.doit(), symbol)
    if partial.has(sympy.I, sympy.zoo, sympy.nan, sympy.oo):
        raise NotFiniteError(f"the derivative of {formula} is no real number")
    partial = partial.replace(_is_divided_power, lambda product: sympy.powsimp(product, combine="exp"))
    if own is not None:
        partial = partial.xreplace({formula.doit(): own, formula: own})
    return partial


@cache
def times(left: Expr, right: Expr) -> Expr:
    """left · right, simplified by SymPy's own rules and no more."""
    return Mul(left, right)


def _contract_back(mine: str, out: str, other: str, upstream: Expression, factor: Expression) -> Expression:
    """The gradient of one operand of an einsum: an einsum of the upstream gradient and the other operand."""
    return arrays.contract((out, other), mine, upstream, factor)


def _spread(upstream: Expression, argument: Expression, axes: tuple[int, ...], keepdims: bool) -> Expression:
    """A sum passes its upstream gradient to every element alike."""
    if isinstance(upstream, Map) and not upstream.arguments:
        return arrays.constant(upstream.formula, argument.shape)
    if not upstream.shape or keepdims:
        return arrays.elementwise(times, upstream, arrays.constant(1, argument.shape))
    kept = tuple(1 if axis in axes else size for axis, size in enumerate(argument.shape))
    return arrays.elementwise(times, arrays.reshape(upstream, kept), arrays.constant(1, argument.shape))


def _softmax_back(expression: Softmax, upstream: Expression, own: Ref | None, walk: _Walk) -> Expression:
    """softmax: s ⊙ (g − Σ g s); log softmax: g − s Σ g."""
    if expression.logarithm:
        plain = arrays.softmax(expression.argument, expression.axis)
        probabilities: Expression = walk.named.get(plain, plain)
        summed = arrays.total(upstream, (expression.axis,), keepdims=True)
        return arrays.elementwise(lambda g, s, total: g - s * total, upstream, probabilities, summed)
    probabilities = expression if own is None else own
    weighted = arrays.elementwise(times, upstream, probabilities)
    summed = arrays.total(weighted, (expression.axis,), keepdims=True)
    return arrays.elementwise(lambda s, g, total: s * (g - total), probabilities, upstream, summed)


def stable(program: Program) -> Program:
    """The same program with ln(softmax z), ln(logistic z) and ln(1 − logistic z) written without a vanishing argument.

    Equal in exact arithmetic; in float64 finite for every z. What a user asked to differentiate by stays as it is.
    """
    definitions = {e.target: e.expression for e in program.equations if e.target not in program.parameters}
    return Program(
        program.variables,
        tuple(Equation(e.target, _stable(e.expression, definitions)) for e in program.equations),
        program.error,
        program.parameters,
    )


def _stable(expression: Expression, definitions: dict[str, Expression]) -> Expression:
    if not isinstance(expression, Map) or not expression.formula.has(sympy.log):
        return expression
    formula, arguments = expression.formula, dict(zip(expression.symbols, expression.arguments, strict=True))
    for symbol, argument in zip(expression.symbols, expression.arguments, strict=True):
        inner = definitions.get(argument.name, argument) if isinstance(argument, Ref) else argument
        if isinstance(inner, Softmax) and not inner.logarithm:
            rewritten: Expression = Softmax(inner.argument, inner.axis, inner.shape, logarithm=True)
            formula = _replaced(formula, {sympy.log(symbol): arrays.placeholder(rewritten)})
            arguments[arrays.placeholder(rewritten)] = rewritten
        elif isinstance(inner, Map) and isinstance(inner.formula, Elementwise) and inner.formula.row.logarithms:
            log_of, log_of_rest = inner.formula.row.logarithms(inner.formula.args[0])
            formula = _replaced(formula, {sympy.log(symbol): log_of, sympy.log(1 - symbol): log_of_rest})
            arguments.update(zip(inner.symbols, inner.arguments, strict=True))
    used = tuple(symbol for symbol in arguments if symbol in formula.free_symbols)
    return Map(formula, used, tuple(arguments[symbol] for symbol in used), expression.shape)


@cache
def _replaced_cached(formula: Expr, rules: tuple[tuple[Expr, Expr], ...]) -> Expr:
    return formula.doit().xreplace(dict(rules))


def _replaced(formula: Expr, rules: dict[Expr, Expr]) -> Expr:
    return _replaced_cached(formula, tuple(rules.items()))
