"""A mistake in one gate, or in one weight, of a layer that has several: computed by PyTorch, and named."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import derive
from derive.derivation import Derivation
from derive.verification.separating import floats

Tensor = torch.Tensor


class Missing(torch.autograd.Function):
    """The logistic function whose derivative is forgotten on the way back."""

    @staticmethod
    def forward(_: Any, z: Tensor) -> Tensor:
        return torch.sigmoid(z)

    @staticmethod
    def backward(_: Any, upstream: Tensor) -> Tensor:  # type: ignore[override]
        return upstream


class HalfFormed(torch.autograd.Function):
    """tanh with 1 − a in place of 1 − a²."""

    @staticmethod
    def forward(context: Any, z: Tensor) -> Tensor:
        context.save_for_backward(torch.tanh(z))
        return torch.tanh(z)

    @staticmethod
    def backward(context: Any, upstream: Tensor) -> Tensor:  # type: ignore[override]
        (a,) = context.saved_tensors
        return upstream * (1 - a)


Gate = Callable[[Tensor], Tensor]


def gru(p: dict[str, Tensor], r: Gate = torch.sigmoid, z: Gate = torch.sigmoid, n: Gate = torch.tanh) -> Tensor:
    """The error of the bundled GRU, as PyTorch's own GRU computes its states."""
    state = torch.zeros(2, dtype=torch.float64)
    for x in p["x"][0]:
        nets = {k: p[f"W1_{k}"] @ x + p[f"b1_{k}"] for k in "rzn"}
        reset = r(nets["r"] + p["U1_r"] @ state)
        update = z(nets["z"] + p["U1_z"] @ state)
        new = n(nets["n"] + reset * (p["U1_n"] @ state + p["b1_hn"]))
        state = (1 - update) * new + update * state
    return ((p["t"] - (p["W2"] @ state + p["b2"])) ** 2).sum() / 2


def gradients(derivation: Derivation, **gates: Gate) -> dict[str, Any]:
    values = {name: torch.tensor(floats(array)) for name, array in derivation.given.items()}
    parameters = derivation.program.parameters
    for name in parameters:
        values[name].requires_grad_()
    found = torch.autograd.grad(gru(values, **gates), [values[name] for name in parameters])
    return {name: each.numpy() for name, each in zip(parameters, found, strict=True)}


@pytest.fixture(scope="module")
def derivation() -> Derivation:
    return derive.differentiate("gru")


def named(derivation: Derivation, found: dict[str, Any]) -> tuple[Any, str]:
    first = derive.verify(derivation, found).diagnosis[0]
    return first.mistakes, first.words


def test_the_right_gradient_is_verified(derivation: Derivation) -> None:
    assert derive.verify(derivation, gradients(derivation)).verdict == "verified"


# gates, as they are computed | mistake | of what
GATES: dict[str, tuple[dict[str, Gate], str, str]] = {
    "the reset gate": ({"r": Missing.apply}, "activation_derivative_missing", "of r alone"),
    "the update gate": ({"z": Missing.apply}, "activation_derivative_missing", "of z alone"),
    "both gates": ({"r": Missing.apply, "z": Missing.apply}, "activation_derivative_missing", "of logistic alone"),
    "the new state": ({"n": HalfFormed.apply}, "activation_derivative_half_formed", "of tanh alone"),
}


@pytest.mark.parametrize("name", GATES)
def test_a_derivative_that_is_wrong_in_one_gate_is_named_with_the_gate(name: str, derivation: Derivation) -> None:
    gates, mistake, where = GATES[name]
    mistakes, words = named(derivation, gradients(derivation, **gates))
    assert mistakes == ((mistake, 1),)
    assert where in words


@pytest.mark.parametrize("weight", ["U1_r", "U1_z", "U1_n"])
def test_a_gradient_transposed_for_one_weight_of_a_layer_is_named_with_the_weight(
    weight: str, derivation: Derivation
) -> None:
    found = gradients(derivation)
    mistakes, words = named(derivation, found | {weight: np.transpose(found[weight])})
    assert mistakes == (("weight_gradient_transposed", 1),)
    assert f"of {weight} alone" in words


def test_a_gradient_transposed_for_every_weight_of_a_layer_is_one_mistake(derivation: Derivation) -> None:
    found = gradients(derivation)
    turned = {name: np.transpose(array) for name, array in found.items() if name.startswith("U1")}
    mistakes, words = named(derivation, found | turned)
    assert mistakes == (("weight_gradient_transposed", 1),)
    assert "alone" not in words


def test_a_weight_of_one_gate_that_is_turned_on_the_way_forward_is_named(derivation: Derivation) -> None:
    """W.T in the code: the gradient is that of the turned network, by the array as it is stored."""
    values = {name: torch.tensor(floats(array)) for name, array in derivation.given.items()}
    parameters = derivation.program.parameters
    for name in parameters:
        values[name].requires_grad_()
    error = gru(values | {"U1_z": values["U1_z"].T})
    found = torch.autograd.grad(error, [values[name] for name in parameters])
    mistakes, words = named(derivation, {name: g.numpy() for name, g in zip(parameters, found, strict=True)})
    assert mistakes == (("weights_transposed_forward", 1),)
    assert "of U1_z alone" in words
