"""Backpropagation through time that is cut off somewhere, computed by PyTorch, is named as what it is."""

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
Keep = Callable[[Tensor], Tensor]


def kept(state: Tensor) -> Tensor:
    return state


def cut(state: Tensor) -> Tensor:
    """As a number: nothing is passed back through it."""
    return state.detach()


def rnn(p: dict[str, Tensor], h: Keep, _: Keep) -> Tensor:
    state, answers = p["h0"], []
    for x in p["x"]:
        state = torch.tanh(p["W"] @ x + p["U"] @ h(state) + p["b"])
        answers.append(state @ p["v"])
    return ((p["t"] - torch.stack(answers)) ** 2).sum() / 2


def lstm(p: dict[str, Tensor], h: Keep, c: Keep) -> Tensor:
    state = cell = torch.zeros(2, dtype=torch.float64)
    for x in p["x"]:
        nets = {k: p[f"W{k}"] @ x + p[f"U{k}"] @ h(state) + p[f"b{k}"] for k in "ifog"}
        i, f, o = (torch.sigmoid(nets[k]) for k in "ifo")
        cell = f * c(cell) + i * torch.tanh(nets["g"])
        state = o * torch.tanh(cell)
    return ((p["t"] - state) ** 2).sum() / 2


NETWORKS = {"rnn": rnn, "lstm": lstm}

# problem, what becomes of h and of c, where it is named
CUTS: dict[str, tuple[str, Keep, Keep, Any, str]] = {
    "rnn, h": ("rnn", cut, kept, 1, "nothing passed back at all"),
    "lstm, h": ("lstm", cut, kept, "all", "nothing passed back through h"),
    "lstm, c": ("lstm", kept, cut, 4, "nothing passed back through c"),
}


def gradients(derivation: Derivation, h: Keep, c: Keep) -> dict[str, Any]:
    """By each parameter, as PyTorch has them."""
    values = {name: torch.tensor(floats(array)) for name, array in derivation.given.items()}
    parameters = derivation.program.parameters
    for name in parameters:
        values[name].requires_grad_()
    error = NETWORKS[str(derivation.problem.source).removesuffix(".toml")](values, h, c)
    found = torch.autograd.grad(error, [values[name] for name in parameters])
    return {name: each.numpy() for name, each in zip(parameters, found, strict=True)}


@pytest.mark.parametrize("problem", NETWORKS)
def test_the_whole_way_back_is_right(problem: str) -> None:
    derivation = derive.differentiate(problem)
    assert derive.verify(derivation, gradients(derivation, kept, kept)).verdict == "verified"


@pytest.mark.parametrize("name", CUTS)
def test_a_way_back_that_is_cut_off_is_named(name: str) -> None:
    problem, h, c, layer, variant = CUTS[name]
    derivation = derive.differentiate(problem)
    first = derive.verify(derivation, gradients(derivation, h, c)).diagnosis[0]
    assert first.mistakes == (("time_step_missing", layer),)
    assert f"({variant})" in first.words


def test_a_mean_over_the_answers_of_a_sequence_is_named() -> None:
    """As cross_entropy of PyTorch has it by default: three positions, and every gradient a third of that of the sum."""
    derivation = derive.differentiate("transformer")
    right = derivation.to_json()["gradients"]
    third = {name: np.asarray(right[name], dtype=float) / 3 for name in derivation.program.parameters}
    found = [each.mistakes for each in derive.verify(derivation, third).diagnosis]
    assert (("loss_averaged", "all"),) in found
