"""Right work and plausible mistakes that an independent audit handed over, and what is said of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import derive

# 2-2-2 of the article: i, W1 (rows: h1, h2), b1, W2, b2, targets
I, T = np.array([0.05, 0.10]), np.array([0.01, 0.99])  # noqa: E741 - as the article calls them
W1, W2 = np.array([[0.15, 0.20], [0.25, 0.30]]), np.array([[0.40, 0.45], [0.50, 0.55]])


def to_four(value: Any) -> Any:
    """As somebody writes it who rounds to four significant digits."""
    return np.vectorize(lambda x: float(f"{x:.3e}"))(value)


def stepwise() -> dict[str, str]:
    """The gradient of the article's network, every step of the calculation rounded to four significant digits."""
    z1 = to_four(to_four(W1 * I).sum(axis=1) + 0.35)
    h = to_four(1 / to_four(1 + to_four(np.exp(-z1))))
    z2 = to_four(to_four(W2 * h).sum(axis=1) + 0.60)
    o = to_four(1 / to_four(1 + to_four(np.exp(-z2))))
    d2 = to_four(to_four(o - T) * to_four(o * to_four(1 - o)))
    back = to_four(to_four(W2.T * d2).sum(axis=1))
    d1 = to_four(back * to_four(h * to_four(1 - h)))
    numbers = [*to_four(np.outer(d1, I)).ravel(), *to_four(np.outer(d2, h)).ravel()]
    return {f"w{place}": f"{number:.3e}" for place, number in enumerate(numbers, start=1)}


def test_who_rounds_every_step_is_told_how_to_be_taken_so() -> None:
    report = derive.verify("mazur", stepwise())
    assert (report.verdict, report.diagnosis) == ("wrong", ())
    assert [note for note in report.notes if "--given 4sf-steps" in note]
    assert derive.verify("mazur", stepwise(), given="4sf-steps").verdict == "verified"


NETWORK: dict[str, Any] = {
    "examples": [{"inputs": [0.3, -0.6], "targets": [0.2]}, {"inputs": [0.8, 0.4], "targets": [-0.4]}],
    "layers": [
        {"activation": "tanh", "weights": [[0.5, -0.3], [0.2, 0.7], [0.4, 0.1]], "bias": [0.1, -0.2, 0.3]},
        {
            "activation": "tanh",
            "weights": [[0.6, -0.4, 0.2], [0.3, 0.5, -0.7], [0.1, 0.9, 0.8]],
            "bias": [0.0, 0.1, 0.2],
        },
        {"activation": "identity", "weights": [[0.7, -0.5, 0.4]], "bias": [0.05]},
    ],
    "loss": {"name": "half_squared_error", "over_examples": "mean"},
}


def gradient(mistake: str = "") -> dict[str, Any]:
    """By backpropagation in NumPy, a column for each example, with one mistake."""
    x = np.array([each["inputs"] for each in NETWORK["examples"]]).T
    t = np.array([each["targets"] for each in NETWORK["examples"]]).T
    w1, w2, w3 = (np.array(layer["weights"]) for layer in NETWORK["layers"])
    b1, b2, b3 = (np.array(layer["bias"])[:, None] for layer in NETWORK["layers"])
    h1 = np.tanh(w1 @ x + b1)
    h2 = np.tanh(w2 @ h1 + b2)
    o = w3 @ h2 + b3
    bend = (lambda a: (1 - a) ** 2) if mistake == "(1 - a)²" else (lambda a: 1 - a**2)
    upstream = 0.5 * (o - t) ** 2 if mistake == "own error, then the mean" else o - t
    d3 = upstream / 2
    d2 = (w3.T @ d3) * bend(h2)
    d1 = (w2.T @ d2) * bend(h1)
    found = {"W1": d1 @ x.T, "W2": d2 @ h1.T, "W3": d3 @ h2.T}
    if mistake == "all turned":
        found = {name: array.T for name, array in found.items()}
    sums = {"b1": d1, "b2": d2, "b3": d3}
    return found | {name: each.sum(axis=1, keepdims=mistake == "columns") for name, each in sums.items()}


@pytest.mark.parametrize("way", ["", "columns"])
def test_right_work_is_verified(way: str) -> None:
    """Biases may come as columns, as they stand in many a NumPy code."""
    assert derive.verify(NETWORK, gradient(way)).verdict == "verified"


MISTAKES = {
    "(1 - a)²": (("activation_derivative_half_formed", "all"),),
    "all turned": (("layout_transposed", "all"),),
    "own error, then the mean": (("error_value_as_delta", "all"),),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_named_alone(mistake: str) -> None:
    report = derive.verify(NETWORK, gradient(mistake))
    assert MISTAKES[mistake] in [each.mistakes for each in report.diagnosis]
    assert {len(each.mistakes) for each in report.diagnosis} == {1}
