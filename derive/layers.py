"""Layers: sugar that writes equations. One row a layer type.

A layered problem names its arrays x, t, W1, b1, z1, a1, W2, …, e and E; arrays of values per
example have the examples as their first axis.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from sympy import Rational

from derive.arrays import apply, constant
from derive.equations import parse
from derive.evaluate.balls import Array, exact_array
from derive.functions import ACTIVATIONS, LOSSES
from derive.program import Equation, Expression, Program, Ref, Variable

if TYPE_CHECKING:
    from derive.problem import Layer, Problem


@dataclass(frozen=True)
class LayerType:
    """A layer type: how it writes its variables and equations."""

    name: str
    summary: str
    write: Callable[[Layer, int, Variable], tuple[tuple[Variable, ...], tuple[Equation, ...]]]


def _dense(layer: Layer, number: int, incoming: Variable) -> tuple[tuple[Variable, ...], tuple[Equation, ...]]:
    """z = x Wᵀ + b, a = f(z): W has a row per unit, a column per incoming value."""
    examples, columns = incoming.shape
    units = layer.units
    weight = Variable(f"W{number}", (units, columns), "weight", number)
    shape = (examples, units)
    net = Variable(f"z{number}", shape, "net", number, per_example=True)
    activation = Variable(f"a{number}", shape, "activation", number, per_example=True)
    given = [weight]
    line = f"{net.name} = {incoming.name} @ {weight.name}.T"
    if layer.bias is not None:
        shared = layer.bias == "shared" or isinstance(layer.bias, Fraction)
        bias = Variable(f"b{number}", () if shared else (units,), "bias", number)
        given.append(bias)
        line += f" + {bias.name}"
    equations = parse(line, {v.name: Ref(v.name, v.shape) for v in (incoming, *given)})
    slope = None if layer.slope is None else Rational(layer.slope)
    squash = apply(ACTIVATIONS[layer.activation], Ref(net.name, shape), slope)
    return (*given, net, activation), (*equations, Equation(activation.name, squash))


LAYERS: dict[str, LayerType] = {
    row.name: row for row in (LayerType("dense", "every unit sees every incoming value: a = f(W x + b)", _dense),)
}


def program(problem: Problem) -> Program:
    """The program of a layered problem, with its weights and biases as parameters unless it says otherwise."""
    examples = len(problem.examples)
    inputs, targets = (_size(side) for side in (problem.examples[0].inputs, problem.examples[0].targets))
    x = Variable("x", (examples, inputs), "input", per_example=True)
    t = Variable("t", (examples, targets), "target", per_example=True)
    variables = [x, t]
    equations: list[Equation] = []
    incoming = x
    for number, layer in enumerate(problem.layers, start=1):
        new, written = LAYERS[layer.type].write(layer, number, incoming)
        variables += new
        equations += written
        incoming = new[-1]
    variables += [Variable("e", t.shape, "output_error", per_example=True), Variable("E", (), "error")]
    equations += _loss(problem, incoming, t)
    parameters = problem.parameters or tuple(v.name for v in variables if v.role in ("weight", "bias"))
    defined = {equation.target for equation in equations}
    ordered = [v for v in variables if v.name not in defined] + [v for v in variables if v.name in defined]
    return Program({v.name: v for v in ordered}, tuple(equations), "E", parameters)


def _size(values: tuple[object, ...] | int) -> int:
    return values if isinstance(values, int) else len(values)


def _loss(problem: Problem, output: Variable, target: Variable) -> tuple[Equation, ...]:
    """The error of each output, e, and the error E: summed or averaged over outputs and examples."""
    row = LOSSES[problem.loss.name]
    examples, outputs = target.shape
    count = (outputs if row.over_outputs == "mean" else 1) * (examples if problem.loss.over_examples == "mean" else 1)
    names: dict[str, Expression] = {"t": Ref("t", target.shape), "a": Ref(output.name, output.shape)}
    if row.delta is not None:
        names["delta"] = constant(row.delta if problem.loss.delta is None else Rational(problem.loss.delta))
    whole = "E = sum(e)" if count == 1 else f"E = 1/{count} * sum(e)"
    return parse(f"e = {row.element}\n{whole}", names)


def given(problem: Problem, program: Program) -> dict[str, Array]:
    """The exact values of the arrays that a problem gives numbers for."""
    values: dict[str, object] = {}
    for name, side in (("x", "inputs"), ("t", "targets")):
        rows = [getattr(example, side) for example in problem.examples]
        if not isinstance(rows[0], int):
            values[name] = rows
    for number, layer in enumerate(problem.layers, start=1):
        if layer.weights is not None:
            values[f"W{number}"] = layer.weights
        if layer.bias is not None and not isinstance(layer.bias, str):
            values[f"b{number}"] = layer.bias
    return {name: exact_array(value, program.shape(name)) for name, value in values.items()}
