"""The program that a problem states, in layers or in equations, and the exact numbers that it gives."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import reduce

from sympy import Rational

from derive import arrays, layers
from derive.equations import parse
from derive.evaluate.balls import Array, exact_array
from derive.files.equation_text import defining_lines, equations
from derive.problem import Penalty, Problem
from derive.program import Equation, Expression, Program, Ref, Shape, Variable, references


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


def _of_equations(problem: Problem) -> Program:
    """The program of equations; of an error with a seed g the sum Σ g·y is the error."""
    found = equations(problem.equations, tuple((array.name, array.shape) for array in problem.arrays))
    variables = [_variable(array.name, array.shape) for array in problem.arrays]
    error = problem.error
    if problem.seed is not None:
        taken = _taken(problem)
        seed, whole = _free("seed", taken), _free("E", taken)
        shape = next(equation.expression.shape for equation in found if equation.target == error)
        variables.append(Variable(seed, shape))
        found += parse(f"{whole} = sum(g * y)", {"g": Ref(seed, shape), "y": Ref(error, shape)})
        error = whole
    variables += [Variable(e.target, e.expression.shape, meaning=e.comment) for e in found]
    parameters = problem.parameters
    if parameters is None:
        needed = _needed(found, error)
        parameters = tuple(array.name for array in problem.arrays if array.name in needed)
    return Program({v.name: v for v in variables}, found, error, parameters)


def _taken(problem: Problem) -> frozenset[str]:
    return frozenset((*defining_lines(problem.equations), *(array.name for array in problem.arrays)))


def _free(name: str, taken: frozenset[str]) -> str:
    """``name``, or where that is taken name_1, name_2, …"""
    others = (f"{name}_{number}" for number in range(1, len(taken) + 2))
    return next(each for each in (name, *others) if each not in taken)


def _needed(found: tuple[Equation, ...], error: str) -> set[str]:
    """Every array that the error depends on."""
    needed = {error}
    for equation in reversed(found):
        if equation.target in needed:
            needed |= references(equation.expression)
    return needed


_BIAS = re.compile(r"b\d*|b[a-z]\d*|b_\w+|bias(es)?\d*|bias_\w+|\w+_bias\d*")


def _variable(name: str, shape: Shape) -> Variable:
    """A given array; b, b1, b_h, bias, of at most one axis, are biases."""
    return Variable(name, shape, "bias" if len(shape) < 2 and _BIAS.fullmatch(name) else "array")


# ---- penalty -------------------------------------------------------------------------------


def weights(program: Program) -> tuple[str, ...]:
    """The arrays that a penalty is on: a layered problem's weights; the given parameters that are no biases.

    γ and β of a normalisation are neither; of equations those that are no weights are left out of ``parameters``.
    """
    if program.by_role("error"):  # made of layers
        return tuple(variable.name for variable in program.by_role("weight"))
    own = (name for name in program.parameters if name in program.given)
    return tuple(name for name in own if program.variables[name].role != "bias")


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
    changed: list[Equation] = []
    for equation in program.equations:
        if equation.target == program.error:
            added = arrays.add(equation.expression, Ref(name, ()))
            changed += [whole, replace(equation, expression=added)]
        else:
            changed.append(equation)
    variables = {**program.variables, name: Variable(name, ())}
    return replace(program, variables=variables, equations=tuple(changed))
