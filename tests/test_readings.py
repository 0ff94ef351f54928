"""The two readings of a program are the same mathematics.

By array (the gradient program, expanded element by element), by element (the chain rule's steps) and as plain
`sympy.diff` of the closed-form error: three ways to each ∂E/∂w, proved equal for every value of every symbol.
No number is put in anywhere; `proof.is_zero` says how the proof goes.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
import sympy
from networks import symbolic
from proof import is_zero
from sympy import Expr

import derive
from derive.derivation import Derivation
from derive.functions import expand
from derive.program import Equation
from derive.scalars import Scalar, element, to_sympy

L, T, R, LR, ID, SP, SM = "logistic", "tanh", "relu", "leaky_relu", "identity", "softplus", "softmax"
HALF, SQUARED, MEAN = "half_squared_error", "squared_error", "mean_squared_error"
BCE, CE = "binary_cross_entropy", "categorical_cross_entropy"

# widths, activations, loss, examples, over examples, biases
NETWORKS = {
    "1-1": ((1, 1), (L,), HALF, 1, "sum", ("per_unit",)),
    "1-1 without a bias": ((1, 1), (T,), SQUARED, 1, "sum", (None,)),
    "the article's 2-2-2": ((2, 2, 2), (L, L), HALF, 1, "sum", ("shared", "shared")),
    "2-2-2 with a bias a unit": ((2, 2, 2), (T, L), HALF, 1, "sum", ("per_unit", "per_unit")),
    "2-2-2 without biases": ((2, 2, 2), (SP, ID), MEAN, 1, "sum", (None, None)),
    "2-3-2, a batch of two, summed": ((2, 3, 2), (L, ID), HALF, 2, "sum", ("per_unit", "shared")),
    "2-3-2, a batch of two, averaged": ((2, 3, 2), (T, ID), MEAN, 2, "mean", ("shared", None)),
    "softmax with cross-entropy": ((2, 3), (SM,), CE, 1, "sum", ("per_unit",)),
    "softmax with cross-entropy, a hidden layer": ((2, 2, 2), (T, SM), CE, 1, "sum", ("per_unit", None)),
    "softmax with cross-entropy, a batch": ((1, 2), (SM,), CE, 2, "mean", ("per_unit",)),
    "softmax with squared error": ((1, 3), (SM,), HALF, 1, "sum", ("per_unit",)),
    "softmax inside": ((1, 2, 1), (SM, L), HALF, 1, "sum", ("per_unit", "shared")),
    "logistic with cross-entropy": ((2, 2), (L,), BCE, 1, "sum", ("per_unit",)),
    "logistic with cross-entropy, a batch": ((1, 2, 1), (T, L), BCE, 2, "mean", ("shared", "shared")),
    "relu": ((2, 2, 2), (R, ID), HALF, 1, "sum", ("per_unit", "per_unit")),
    "relu into relu": ((1, 2, 1), (R, R), SQUARED, 1, "sum", ("shared", None)),
    "leaky relu": ((1, 2, 1), (LR, LR), MEAN, 1, "sum", ("per_unit", "per_unit")),
    "1-1-1-1": ((1, 1, 1, 1), (L, T, SP), HALF, 1, "sum", ("per_unit", None, "shared")),
}


@cache
def derivation_of(name: str) -> Derivation:
    widths, activations, loss, examples, over, biases = NETWORKS[name]
    return derive.differentiate(
        symbolic(widths, activations, loss, examples=examples, over_examples=over, biases=biases)
    )


def by_array(derivation: Derivation) -> dict[str, np.ndarray]:
    """Every adjoint of the gradient program in closed form: each equation filled in with those before it."""
    program = derivation.program
    known: dict[Scalar, Expr] = {
        scalar: derivation.graph.symbol(scalar) for name in program.given for scalar in derivation.graph.scalars(name)
    }

    def fill(equation: Equation) -> np.ndarray:
        made = np.empty(equation.expression.shape, dtype=object)
        for index in np.ndindex(*made.shape):
            made[index] = expand(to_sympy(element(equation.expression, index), known.__getitem__))
            known[Scalar(equation.target, index)] = made[index]
        return made

    arrays = {equation.target: fill(equation) for equation in (*program.equations, *derivation.gradient.equations)}
    return {name: arrays[adjoint] for name, adjoint in derivation.gradient.adjoints.items()}


def parameters(derivation: Derivation) -> list[Scalar]:
    return [scalar for name in derivation.program.parameters for scalar in derivation.graph.scalars(name)]


@pytest.mark.parametrize("name", NETWORKS)
def test_by_array_and_by_element_agree(name: str) -> None:
    derivation = derivation_of(name)
    adjoints = by_array(derivation)
    for scalar in parameters(derivation):
        difference = adjoints[scalar.array][scalar.index] - derivation.closed.gradient(scalar)
        assert is_zero(difference), scalar


@pytest.mark.parametrize("name", NETWORKS)
def test_by_element_and_the_flat_derivative_agree(name: str) -> None:
    derivation = derivation_of(name)
    for scalar in parameters(derivation):
        flat = sympy.diff(derivation.error, derivation.graph.symbol(scalar))
        assert is_zero(flat - derivation.closed.gradient(scalar)), scalar


@pytest.mark.parametrize("name", NETWORKS)
def test_the_form_that_is_evaluated_is_the_same_function(name: str) -> None:
    """Code is printed from the program in which ln(softmax) and its kin are rewritten; it is the same mathematics."""
    from derive.reverse import gradient_program, stable

    derivation = derivation_of(name)
    rewritten = Derivation(derivation.problem, stable(derivation.program))
    assert rewritten.gradient == gradient_program(rewritten.program)
    adjoints = by_array(rewritten)
    for scalar in parameters(derivation):
        assert is_zero(adjoints[scalar.array][scalar.index] - derivation.closed.gradient(scalar)), scalar


@pytest.mark.parametrize("name", ["1-1", "softmax with cross-entropy", "relu into relu"])
def test_the_proof_notices_what_is_wrong(name: str) -> None:
    derivation = derivation_of(name)
    for scalar in parameters(derivation):
        symbol = derivation.graph.symbol(scalar)
        right, flat = derivation.closed.gradient(scalar), sympy.diff(derivation.error, symbol)
        for wrong in (-right, 2 * right, right + symbol, right.subs(symbol, symbol + 1)):
            assert is_zero(flat - wrong) == (wrong == right), scalar


def test_every_step_adds_paths_over_all_that_reads_its_target() -> None:
    """A hidden unit of 2-2-2 reaches the error over both outputs; a weight over its own unit alone."""
    derivation = derivation_of("the article's 2-2-2")
    terms = {derivation.names.element(s.array, s.index): step.terms for s, step in derivation.gradient_steps.items()}
    counts = {f"{name.base}_{name.sub}": len(found) for name, found in terms.items()}
    assert counts["out_h1"] == counts["out_h2"] == 2
    assert counts["w_1"] == counts["w_8"] == 1
    assert counts["b_1"] == counts["b_2"] == 2  # one bias that the layer shares: a path over each of its units


def test_the_deltas_of_softmax_and_cross_entropy_are_a_minus_t() -> None:
    """∂E/∂z = a − t where the targets add up to one: the sum over all outputs collapses."""
    derivation = derivation_of("softmax with cross-entropy")
    t = [derivation.graph.symbol(scalar) for scalar in derivation.graph.scalars("t")]
    for scalar in derivation.graph.scalars("z1"):
        delta = derivation.closed.gradient(scalar)
        output = derivation.closed.value(Scalar("a1", scalar.index))
        collapsed = delta.subs(t[-1], 1 - sum(t[:-1]))
        expected = (output - t[scalar.index[-1]]).subs(t[-1], 1 - sum(t[:-1]))
        assert is_zero(collapsed - expected)


def test_the_size_of_the_array_reading_does_not_depend_on_the_width() -> None:
    programs = [derive.differentiate(symbolic((n, n, n), (L, L), HALF)).gradient for n in (1, 2, 50)]
    assert len({len(program.equations) for program in programs}) == 1
    assert math.prod(programs[-1].program.shape("W1")) == 2500
