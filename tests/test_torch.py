"""PyTorch in float64 as an independent witness: two hundred random dense networks, every gradient."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from networks import ACTIVATIONS, BIASES, LOSSES, Table, numbers, stated

import derive
from derive.problem import Problem, load

torch = pytest.importorskip(
    "torch", reason="PyTorch is not installed: pip install '.[torch]' (the CPU build is enough)"
)

COUNT = 240
TOLERANCE = 1e-12  # of the largest term that is summed

APPLY = {
    "logistic": lambda z: torch.sigmoid(z),
    "tanh": lambda z: torch.tanh(z),
    "relu": lambda z: torch.relu(z),
    "leaky_relu": lambda z: torch.nn.functional.leaky_relu(z, 0.01),
    "identity": lambda z: z,
    "softplus": lambda z: torch.nn.functional.softplus(z, threshold=1e9),
    "softmax": lambda z: torch.softmax(z, dim=-1),
    "elu": lambda z: torch.nn.functional.elu(z),
    "selu": lambda z: torch.selu(z),
    "gelu": lambda z: torch.nn.functional.gelu(z),
    "silu": lambda z: torch.nn.functional.silu(z),
    "hard_sigmoid": lambda z: torch.clamp((z + 3) / 6, 0, 1),  # hardsigmoid's own gradient is 1/6 in float32
}

LOSS_OF = {
    "half_squared_error": lambda t, a: ((t - a) ** 2).sum() / 2,
    "squared_error": lambda t, a: ((t - a) ** 2).sum(),
    "mean_squared_error": lambda t, a: ((t - a) ** 2).mean(dim=-1).sum(),
    "binary_cross_entropy": lambda t, a: -(t * torch.log(a) + (1 - t) * torch.log(1 - a)).mean(dim=-1).sum(),
    "categorical_cross_entropy": lambda t, a: -(t * torch.log(a)).sum(),
}


def network(number: int) -> Table:
    """Depth 1 to 4, width 1 to 6; activations and losses in turn, so that each pair comes up; biases at random."""
    draw = random.Random(number)
    depth = 1 + number % 4
    last = ACTIVATIONS[number % len(ACTIVATIONS)]
    loss = LOSSES[number // len(ACTIVATIONS) % len(LOSSES)]
    activations = [draw.choice(ACTIVATIONS) for _ in range(depth - 1)] + [last]
    widths = [draw.randint(1, 6)]
    widths += [draw.randint(2 if activation == "softmax" else 1, 6) for activation in activations]
    if loss.endswith("cross_entropy") and last not in ("logistic", "softmax"):
        activations[:-1] = [draw.choice(("logistic", "softplus")) for _ in activations[:-1]]  # the logarithms' domain
        widths = [width if width > 1 else 2 for width in widths]
    return stated(
        widths,
        activations,
        loss,
        seed=number,
        examples=draw.randint(1, 5),
        over_examples=draw.choice(("sum", "mean")),
        biases=[draw.choice(BIASES) for _ in activations],
    )


def by_torch(problem: Problem) -> tuple[float, dict[str, np.ndarray], float]:
    """The error, every gradient, and the largest term that is summed on the way to one (from each example alone)."""
    given = {name: torch.tensor(np.array(value, dtype=float)) for name, value in numbers(problem).items()}
    trained = {name: tensor.requires_grad_() for name, tensor in given.items() if name[0] in "Wb"}
    scale = 1 / len(problem.examples) if problem.loss.over_examples == "mean" else 1.0

    def error_of(rows: slice) -> Any:
        a = given["x"][rows]
        for layer, row in enumerate(problem.layers, start=1):
            z = a @ given[f"W{layer}"].T
            a = APPLY[row.activation](z + given[f"b{layer}"] if f"b{layer}" in given else z)
        return LOSS_OF[problem.loss.name](given["t"][rows], a) * scale

    error = error_of(slice(None))
    found = torch.autograd.grad(error, list(trained.values()), allow_unused=True)
    gradients = {
        name: np.zeros(tensor.shape) if gradient is None else gradient.numpy()
        for (name, tensor), gradient in zip(trained.items(), found, strict=True)
    }
    largest = 0.0
    for row in range(len(problem.examples)):
        terms = torch.autograd.grad(error_of(slice(row, row + 1)), list(trained.values()), allow_unused=True)
        largest = max([largest, *(float(term.abs().max()) for term in terms if term is not None)])
    return error.item(), gradients, largest


@pytest.mark.parametrize("number", range(COUNT))
def test_random_network(number: int) -> None:
    problem = load(network(number))
    error, gradients, largest = by_torch(problem)
    found_error, found = derive.differentiate(problem).lambdify()()
    assert found_error == pytest.approx(error, rel=TOLERANCE)
    assert set(found) == set(gradients)
    for name, gradient in gradients.items():
        assert found[name].shape == gradient.shape
        assert np.abs(found[name] - gradient).max() <= TOLERANCE * largest, name


def test_the_networks_cover_what_there_is() -> None:
    tables = [network(number) for number in range(COUNT)]
    pairs = {(table["layers"][-1]["activation"], table["loss"]["name"]) for table in tables}
    assert len(pairs) == len(ACTIVATIONS) * len(LOSSES)
    assert {len(table["layers"]) for table in tables} == {1, 2, 3, 4}
    assert {len(table["examples"]) for table in tables} == {1, 2, 3, 4, 5}
    assert {table["loss"]["over_examples"] for table in tables} == {"sum", "mean"}
    kinds = {type(layer.get("bias")) for table in tables for layer in table["layers"]}
    assert kinds == {list, str, type(None)}


def test_a_large_network() -> None:
    """Above three hundred parameters NumPy code is printed instead of plain floats."""
    table = stated((20, 30, 10), ("tanh", "softmax"), "categorical_cross_entropy", seed=5, examples=5)
    problem = load(table)
    error, gradients, largest = by_torch(problem)
    found_error, found = derive.differentiate(problem).lambdify()()
    assert found_error == pytest.approx(error, rel=TOLERANCE)
    for name, gradient in gradients.items():
        assert np.abs(found[name] - gradient).max() <= TOLERANCE * largest, name
