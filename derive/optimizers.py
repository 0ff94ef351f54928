"""Update rules: one row each, an equation for the new value of a parameter w from its gradient g."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import sympy

from derive import arrays
from derive.equations import parse
from derive.program import Contract, Equation, Expression, Map, Program, Ref, Softmax, Total, Transpose, references
from derive.reverse import GradientProgram

if TYPE_CHECKING:
    from derive.problem import Update


@dataclass(frozen=True)
class Optimizer:
    """An update rule: ``rule`` is w's new value, in w, g and the rule's constants."""

    name: str
    summary: str
    rule: str


OPTIMIZERS: dict[str, Optimizer] = {
    row.name: row for row in (Optimizer("gradient_descent", "w⁺ = w − η ∂E/∂w", "w - learning_rate * g"),)
}


def fixed(program: Program, update: Update) -> frozenset[str]:
    """The parameters that the update leaves as they are."""
    biases = {v.name for v in program.by_role("bias")} if update.biases == "fixed" else set()
    return frozenset(biases | set(update.fixed))


def updated_name(name: str) -> str:
    """How a parameter's new value is called among the equations."""
    return f"{name}+"


def update_equations(gradient: GradientProgram, update: Update) -> tuple[Equation, ...]:
    """The equations of one update step, to be evaluated after the program's and the gradients'.

    Every trained parameter P gets an equation for P+. An array that an equation defines is no number
    that could be changed: it is not trained. In sequential order these are one backward sweep in which
    a layer's delta is passed back through the weights already updated.
    """
    held = {*fixed(gradient.program, update), *gradient.program.definitions}
    trained = [name for name in gradient.program.parameters if name not in held]
    if update.order == "sequential":
        return _sweep(gradient, update, set(trained))
    return tuple(_update(gradient.program, update, name, gradient.adjoints[name]) for name in trained)


def _update(program: Program, update: Update, name: str, adjoint: str) -> Equation:
    shape = program.shape(name)
    rate = sympy.Rational(update.learning_rate.numerator, update.learning_rate.denominator)
    names: dict[str, Expression] = {"w": Ref(name, shape), "g": Ref(adjoint, shape)}
    names["learning_rate"] = arrays.constant(rate)
    (equation,) = parse(f"new = {OPTIMIZERS[update.rule].rule}", names)
    return Equation(updated_name(name), equation.expression)


def _sweep(gradient: GradientProgram, update: Update, trained: set[str]) -> tuple[Equation, ...]:
    program = gradient.program
    definitions = {equation.target: equation.expression for equation in gradient.equations}
    of_adjoint = {adjoint: name for name, adjoint in gradient.adjoints.items()}
    result: dict[str, Equation] = {}

    def swept(adjoint: str) -> str:
        """The adjoint in this sweep, its equation written after those that it needs."""
        name = f"{adjoint} swept"
        if name not in result:
            expression = definitions[adjoint]
            renamed = {read: swept(read) for read in sorted(references(expression)) if read in definitions}
            if of_adjoint[adjoint] not in trained:
                renamed |= {read: new_value(read) for read in sorted(references(expression)) if read in trained}
            result[name] = Equation(name, rename(expression, renamed))
        return name

    def new_value(parameter: str) -> str:
        name = updated_name(parameter)
        if name not in result:
            result[name] = _update(program, update, parameter, swept(gradient.adjoints[parameter]))
        return name

    for parameter in reversed(program.parameters):
        if parameter in trained:
            new_value(parameter)
    return tuple(result.values())


def rename(expression: Expression, names: dict[str, str]) -> Expression:
    """The same expression, reading other arrays."""
    match expression:
        case Ref(name):
            return replace(expression, name=names.get(name, name))
        case Map(formula, symbols, arguments, shape):
            parts = tuple(rename(part, names) for part in arguments)
            return Map(formula, symbols, parts, shape)
        case Contract(_, _, (left, right)):
            return replace(expression, arguments=(rename(left, names), rename(right, names)))
        case Transpose(argument) | Total(argument) | Softmax(argument):
            return replace(expression, argument=rename(argument, names))
    raise TypeError(f"cannot rename in {type(expression).__name__}")
