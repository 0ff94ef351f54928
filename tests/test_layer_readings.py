"""Layers read by element and by array are the same mathematics.

Shown step by step: ∂E/∂(scalar) by either reading is a formula in the network's scalars and in the ∂E/∂(scalar) of what
reads it; where these formulas are equal for every scalar, so are the gradients, by induction from the error downwards.
Networks small enough are written out in closed form besides, and compared with SymPy's derivative of the whole.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
import sympy
from layer_cases import CASES, attention, layer
from layer_programs import network
from proof import is_zero
from sympy import Expr

from derive.chain import Factor, backward_steps
from derive.closed_form import ClosedForms, flat_derivative
from derive.functions import ChosenOf, LargestOf, expand
from derive.layers import Stated
from derive.notation import NOTATIONS, Names
from derive.program import Program
from derive.reverse import gradient_program
from derive.scalars import Graph, Scalar, element, to_sympy

ONE = {"bias": "per_unit"}

# Small in every axis, and yet with every term there is.
SMALL: dict[str, tuple[list[Stated], tuple[int, ...]]] = {
    "dense on a sequence": ([layer("dense", units=2, activation="softmax", **ONE)], (2, 2, 1)),
    "conv2d": ([layer("conv2d", filters=2, kernel_size=2, padding=1, activation="relu", **ONE)], (1, 2, 2, 3)),
    "max_pool2d": ([layer("max_pool2d", size=2, stride=1)], (1, 1, 3, 3)),
    "avg_pool2d": ([layer("avg_pool2d", size=2, stride=1)], (1, 1, 3, 3)),
    "rnn": ([layer("rnn", units=2, bidirectional=True, **ONE)], (2, 3, 2)),
    "lstm": ([layer("lstm", units=2, initial_state=True, **ONE)], (2, 3, 2)),
    "gru": ([layer("gru", units=2, return_sequences=True, **ONE)], (2, 2, 2)),
    "gru, reset before": ([layer("gru", units=2, reset_after=False, update_gate="renews")], (1, 3, 1)),
    "self_attention": ([attention()], (2, 2, 2)),
    "self_attention, two heads": ([attention(heads=2, causal=True, output_projection=True, **ONE)], (1, 3, 2)),
    "layer_norm": ([layer("layer_norm", affine=True)], (2, 3)),
    "batch_norm": ([layer("batch_norm", affine=True)], (3, 2)),
    "batch_norm of images": ([layer("batch_norm", affine=True)], (2, 2, 1, 2)),
    "dropout": ([layer("dropout"), layer("flatten")], (1, 2, 2)),
    "residual": ([layer("dense", units=1, activation="tanh"), layer("residual", project=True)], (2, 2)),
    "highway": ([layer("highway", activation="tanh", **ONE)], (2, 2)),
}
# So small that the error can be written as one expression.
TINY: dict[str, tuple[list[Stated], tuple[int, ...]]] = {
    "dense on a sequence": ([layer("dense", units=1, activation="tanh", **ONE)], (1, 2, 1)),
    "conv2d": ([layer("conv2d", filters=1, kernel_size=2, activation="relu", **ONE)], (1, 1, 2, 2)),
    "conv2d with padding": ([layer("conv2d", filters=1, kernel_size=2, padding=1, stride=2)], (1, 1, 2, 2)),
    "avg_pool2d": ([layer("avg_pool2d", size=2)], (1, 1, 2, 4)),
    "rnn": ([layer("rnn", units=1, activation="identity", **ONE)], (1, 3, 1)),
    "rnn, tanh": ([layer("rnn", units=1)], (1, 2, 1)),
    "lstm": ([layer("lstm", units=1)], (1, 1, 1)),
    "self_attention": ([attention(projections=False, scaled=False)], (1, 2, 1)),
    "highway": ([layer("highway", activation="identity")], (1, 1)),
}


def graph_of(program: Program) -> Graph:
    return Graph(program, Names(program, NOTATIONS["mazur"]))


def upstream(scalar: Scalar) -> Expr:
    """The symbol for ∂E/∂(scalar)."""
    return sympy.Symbol(f"dE/d{scalar.array}{list(scalar.index)}", real=True)


def by_element(graph: Graph) -> dict[Scalar, Expr]:
    """∂E/∂(scalar) in local terms, from the chain rule's steps."""

    def written(factor: Factor) -> Expr:
        return upstream(factor.by) if factor.local is None else factor.local

    return {
        step.target: sympy.Add(*(sympy.Mul(*map(written, term.factors)) for term in step.terms))
        for step in backward_steps(graph)
    }


def by_array(graph: Graph) -> dict[Scalar, Expr]:
    """The same, from the equations of the gradient program."""
    gradient = gradient_program(graph.program)
    arrays = {adjoint: name for name, adjoint in gradient.adjoints.items()}

    def symbol(scalar: Scalar) -> Expr:
        return upstream(Scalar(arrays[scalar.array], scalar.index)) if scalar.array in arrays else graph.symbol(scalar)

    return {
        Scalar(arrays[equation.target], index): to_sympy(element(equation.expression, index), symbol)
        for equation in gradient.equations
        for index in np.ndindex(*equation.expression.shape)
    }


def opaque(expression: Expr) -> Expr:
    """Roots and maxima as symbols: the same on both sides, and nothing of them is used."""
    found = {f: sympy.Dummy() for f in expression.atoms(LargestOf, ChosenOf)}
    found |= {p: sympy.Dummy(positive=True) for p in expression.atoms(sympy.Pow) if p.exp == sympy.Rational(1, 2)}
    roots = {p: p.base ** sympy.Rational(1, 2) for p in expression.atoms(sympy.Pow) if not p.exp.is_Integer}
    named = {p: found.setdefault(root, sympy.Dummy(positive=True)) ** (2 * p.exp) for p, root in roots.items()}
    return expression.xreplace({**found, **named})


@pytest.mark.parametrize("name", SMALL)
def test_each_step_is_the_same_by_element_and_by_array(name: str) -> None:
    graph = graph_of(network(*SMALL[name], seeded=False).program)
    elements, arrays = by_element(graph), by_array(graph)
    constants = {upstream(s): value for s, value in arrays.items() if value.is_number}
    assert len(elements) + 1 == len(arrays)  # all but the error itself
    for scalar, found in elements.items():
        difference = (found - arrays[scalar]).xreplace(constants)
        assert is_zero(opaque(expand(difference))), scalar


@pytest.mark.parametrize("name", TINY)
def test_the_steps_and_the_derivative_of_the_closed_form_are_equal(name: str) -> None:
    graph = graph_of(network(*TINY[name], seeded=False).program)
    closed = ClosedForms(graph, {}, {step.target: step for step in backward_steps(graph)})
    for parameter in graph.program.parameters:
        for scalar in graph.scalars(parameter):
            assert is_zero(flat_derivative(closed, scalar) - closed.gradient(scalar)), scalar


@pytest.mark.parametrize("name", CASES)
def test_every_scalar_has_a_name_of_its_own(name: str) -> None:
    program = network(*CASES[name]).program
    names = Names(program, NOTATIONS["mazur"])
    typed = [names.symbol(array, index) for array in program.variables for index in np.ndindex(*program.shape(array))]
    assert len(set(typed)) == len(typed)


WIDE = {
    "dense": lambda n: ([layer("dense", units=n, activation="tanh", **ONE)], (2, 3, n)),
    "conv2d": lambda n: ([layer("conv2d", filters=n, kernel_size=2, activation="relu", **ONE)], (2, n, 3 + n, 4)),
    "max_pool2d": lambda n: ([layer("max_pool2d", size=2)], (n, n, 2 * n, 2 * n)),
    "embedding": lambda n: ([layer("embedding", vocabulary=5 * n, size=n)], (2, 2)),
    "rnn": lambda n: ([layer("rnn", units=n, **ONE)], (n, 4, n)),
    "lstm": lambda n: ([layer("lstm", units=n, **ONE)], (n, 4, n)),
    "gru": lambda n: ([layer("gru", units=n, **ONE)], (n, 4, n)),
    "self_attention": lambda n: ([attention(heads=2, output_projection=True)], (2, n, 4 * n)),
    "self_attention, causal": lambda n: ([attention(causal=True)], (2, 3, 4 * n)),
    "layer_norm": lambda n: ([layer("layer_norm", affine=True)], (2, n, n + 1)),
    "batch_norm": lambda n: ([layer("batch_norm", affine=True)], (2, n, n, n)),
    "dropout": lambda n: ([layer("dropout")], (2, n)),
    "residual": lambda n: ([layer("dense", units=n), layer("residual")], (2, n)),
    "highway": lambda n: ([layer("highway", **ONE)], (2, n)),
}


@pytest.mark.parametrize("name", WIDE)
def test_the_size_of_the_array_reading_does_not_depend_on_the_width(name: str) -> None:
    tokens = [[0, 1], [2, 1]] if name == "embedding" else None
    sizes = set()
    for width in (2, 5, 12):
        gradient = gradient_program(network(*WIDE[name](width), tokens).program)
        sizes.add((len(gradient.program.equations), len(gradient.equations)))
    assert len(sizes) == 1
    assert math.prod(gradient.program.shape("x")) > 3
