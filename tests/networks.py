"""Networks for the tests: problems as a user would state them, drawn with a seed, and read back as plain numbers."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any

from derive.problem import Problem, load

ACTIVATIONS = ("logistic", "tanh", "relu", "leaky_relu", "identity", "softplus", "softmax")
ACTIVATIONS += ("elu", "selu", "gelu", "silu", "hard_sigmoid")
LOSSES = (
    "half_squared_error",
    "squared_error",
    "mean_squared_error",
    "binary_cross_entropy",
    "categorical_cross_entropy",
)
BIASES = ("per_unit", "shared", None)
Table = dict[str, Any]


def symbolic(
    widths: Sequence[int],
    activations: Sequence[str],
    loss: str,
    *,
    examples: int = 1,
    over_examples: str = "sum",
    biases: Sequence[str | None] | None = None,
) -> Problem:
    """A network in which everything is a symbol."""
    biases = biases or ["per_unit"] * len(activations)
    return load(
        {
            "examples": [{"inputs": widths[0], "targets": widths[-1]} for _ in range(examples)],
            "layers": [
                {"units": units, "activation": activation} | ({} if bias is None else {"bias": bias})
                for units, activation, bias in zip(widths[1:], activations, biases, strict=True)
            ],
            "loss": {"name": loss, "over_examples": over_examples},
        }
    )


def stated(
    widths: Sequence[int],
    activations: Sequence[str],
    loss: str,
    seed: int,
    *,
    examples: int = 1,
    over_examples: str = "sum",
    biases: Sequence[str | None] | None = None,
) -> Table:
    """A problem with numbers of two decimals, as a dict.

    The last layer's weights, biases and incoming values are such that a logarithm of an output that
    is not squashed has a positive argument below one: every loss then has every activation in its domain.
    """
    draw = random.Random(f"{seed} {widths} {activations} {loss} {examples}")
    biases = biases or ["per_unit"] * len(activations)
    logarithmic = loss.endswith("cross_entropy")
    layers: list[Table] = []
    for number, ((incoming, units), activation, bias) in enumerate(
        zip(pairwise(widths), activations, biases, strict=True), start=1
    ):
        tame = logarithmic and activation not in ("logistic", "softmax")
        low, high = (0.01, 0.99) if not tame else (0.02, 0.4 / incoming)
        if logarithmic and number < len(activations) and activations[-1] not in ("logistic", "softmax"):
            low, high = 0.02, 0.6 / incoming  # incoming values of the last layer are positive and small
        signed = not logarithmic or activations[-1] in ("logistic", "softmax")

        def weight(low: float = low, high: float = high, signed: bool = signed) -> str:
            return f"{draw.uniform(low, high) * (draw.choice((-1, 1)) if signed else 1):.3f}"

        layer: Table = {
            "activation": activation,
            "weights": [[weight() for _ in range(incoming)] for _ in range(units)],
        }
        if bias is not None:
            layer["bias"] = weight() if bias == "shared" else [weight() for _ in range(units)]
        layers.append(layer)
    return {
        "examples": [
            {
                "inputs": [f"{draw.uniform(0.05, 0.9):.2f}" for _ in range(widths[0])],
                "targets": targets(draw, widths[-1], loss),
            }
            for _ in range(examples)
        ],
        "layers": layers,
        "loss": {"name": loss, "over_examples": over_examples},
    }


def targets(draw: random.Random, outputs: int, loss: str) -> list[str]:
    """Targets for a loss: a distribution, numbers in [0, 1], or any numbers."""
    if loss == "categorical_cross_entropy":
        parts = [draw.randint(0, 9) for _ in range(outputs - 1)]
        scale = max(10, sum(parts) + 1)
        return [str(part / scale) if scale == 10 else f"{part / scale:.3f}" for part in (*parts, scale - sum(parts))]
    low = 0.0 if loss == "binary_cross_entropy" else -1.0
    return [f"{draw.uniform(low, 1.0):.2f}" for _ in range(outputs)]


def flat(values: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """(place, leaf) of nested dicts and lists: ``W1[0][2]``."""
    if isinstance(values, Mapping):
        for key, value in values.items():
            yield from flat(value, str(key))
    elif isinstance(values, list | tuple):
        for index, value in enumerate(values):
            yield from flat(value, f"{name}[{index}]")
    else:
        yield name, values


def numbers(problem: Problem) -> dict[str, Any]:
    """x, t, W1, b1, … of a problem with numbers, as nested lists of Fractions (a shared bias is one Fraction)."""
    found: dict[str, Any] = {
        "x": [list(as_vector(example.inputs)) for example in problem.examples],
        "t": [list(as_vector(example.targets)) for example in problem.examples],
    }
    for number, layer in enumerate(problem.layers, start=1):
        assert layer.weights is not None
        found[f"W{number}"] = [list(row) for row in layer.weights]
        if layer.bias is not None:
            assert not isinstance(layer.bias, str)
            found[f"b{number}"] = layer.bias if isinstance(layer.bias, Fraction) else list(layer.bias)
    return found


def as_vector(values: tuple[Fraction, ...] | int) -> tuple[Fraction, ...]:
    assert not isinstance(values, int)
    return values
