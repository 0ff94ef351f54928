"""A problem's last equations over a framework's own tensors: from a module's outputs to the error.

The framework differentiates what is computed here, so that the gradient is all its own.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

import sympy

from derive.functions import Elementwise, expand
from derive.program import (
    Contract,
    Equation,
    Expression,
    Gather,
    Map,
    Program,
    Ref,
    Reshape,
    Softmax,
    Total,
    Transpose,
    references,
)
from derive.reverse import stable
from derive.verification.runner import UserError

Tensor = Any


@dataclass(frozen=True)
class Operations:
    """What a framework calls the few operations that an error is made of.

    ``functions`` maps SymPy's functions; ``constant(number)`` makes a tensor of the module's type.
    """

    functions: Mapping[Any, Callable[[Tensor], Tensor]]
    where: Callable[[Tensor, Tensor, Tensor], Tensor]
    einsum: Callable[..., Tensor]
    total: Callable[[Tensor, tuple[int, ...], bool], Tensor]
    transpose: Callable[[Tensor, tuple[int, ...]], Tensor]
    reshape: Callable[[Tensor, tuple[int, ...]], Tensor]
    softmax: Callable[[Tensor, int], Tensor]
    log_softmax: Callable[[Tensor, int], Tensor]
    joined: Callable[[list[Tensor]], Tensor]
    taken: Callable[[Tensor, Any], Tensor]
    constant: Callable[[float], Tensor]


def error_from(program: Program, start: str) -> tuple[Equation, ...]:
    """The equations from an array to the error, and those that the error needs besides it.

    From a net input the logarithms of softmax and of the logistic function are written so that they never vanish.
    """
    source = stable(program) if _is_net(program, start) else program
    needed, found = {program.error}, []
    for equation in reversed(source.equations):
        if equation.target in needed and equation.target != start:
            needed |= references(equation.expression)
            found.append(equation)
    if start not in needed:
        raise UserError(f"the error of this problem does not depend on {start}: no module can give it")
    return tuple(reversed(found))


def _is_net(program: Program, name: str) -> bool:
    """Does an activation come after this array?"""
    for equation in program.equations:
        match equation.expression:
            case Softmax(Ref(source)) if source == name:
                return True
            case Map(formula, (_,), (Ref(source),)) if source == name and isinstance(formula, Elementwise):
                return True
    return False


def computed(equations: tuple[Equation, ...], given: Mapping[str, Tensor], operations: Operations) -> dict[str, Tensor]:
    """The arrays of some equations. Raises UserError for what no tensor operation is known for."""
    values = dict(given)
    for equation in equations:
        values[equation.target] = evaluate(equation.expression, values, operations)
    return values


def evaluate(expression: Expression, values: Mapping[str, Tensor], do: Operations) -> Tensor:
    """One expression over tensors."""
    match expression:
        case Ref(name):
            if name not in values:
                raise UserError(f"the error of this problem needs {name} itself (a penalty?), which cannot be had here")
            return values[name]
        case Map(formula, symbols, arguments):
            parts = [evaluate(part, values, do) for part in arguments]
            return formula_of(expand(formula), dict(zip(symbols, parts, strict=True)), do)
        case Contract(axes, out, (left, right)):
            return do.einsum(f"{axes[0]},{axes[1]}->{out}", evaluate(left, values, do), evaluate(right, values, do))
        case Transpose(argument, order):
            return do.transpose(evaluate(argument, values, do), order)
        case Total(argument, axes, keepdims):
            return do.total(evaluate(argument, values, do), tuple(axes), keepdims)
        case Softmax(argument, axis, _, logarithm):
            return (do.log_softmax if logarithm else do.softmax)(evaluate(argument, values, do), axis)
        case Reshape(argument, shape):
            return do.reshape(evaluate(argument, values, do), shape)
        case Gather(arguments, positions) if (positions.array >= 0).all():
            pool = do.joined([do.reshape(evaluate(part, values, do), (-1,)) for part in arguments])
            return do.reshape(do.taken(pool, positions.array.reshape(-1)), expression.shape)
    raise UserError(
        f"the error of this problem has a {type(expression).__name__} for which no tensor operation is known"
    )


def formula_of(formula: sympy.Expr, values: Mapping[sympy.Expr, Tensor], do: Operations) -> Tensor:
    """A formula over tensors, by element."""
    if formula in values:
        return values[formula]
    if formula.is_number:
        return do.constant(float(formula))
    match formula:
        case sympy.Add(args=terms):
            return reduce(operator.add, (formula_of(term, values, do) for term in terms))
        case sympy.Mul(args=factors):
            return reduce(operator.mul, (formula_of(factor, values, do) for factor in factors))
        case sympy.Pow(base=base, exp=exponent) if exponent.is_Integer:
            return formula_of(base, values, do) ** int(exponent)
        case sympy.Pow(base=base, exp=exponent):
            return formula_of(base, values, do) ** formula_of(exponent, values, do)
        case sympy.Piecewise(args=rows):
            *first, (last, _) = rows
            result = formula_of(last, values, do)
            for value, condition in reversed(first):
                result = do.where(_truth(condition, values, do), formula_of(value, values, do), result)
            return result
    if type(formula) in do.functions:
        return do.functions[type(formula)](formula_of(formula.args[0], values, do))
    raise UserError(f"the error of this problem has {formula.func.__name__}, for which no tensor operation is known")


COMPARISONS = {
    sympy.StrictGreaterThan: operator.gt,
    sympy.GreaterThan: operator.ge,
    sympy.StrictLessThan: operator.lt,
    sympy.LessThan: operator.le,
    sympy.Equality: operator.eq,
    sympy.Unequality: operator.ne,
}


def _truth(condition: Any, values: Mapping[sympy.Expr, Tensor], do: Operations) -> Tensor:
    compare = COMPARISONS[type(condition)]
    return compare(formula_of(condition.lhs, values, do), formula_of(condition.rhs, values, do))
