"""The constants of activations, leaky_relu's slope and elu's α, in layers of every type that has an activation."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import sympy

import derive
from derive.errors import ProblemError
from derive.layers import LAYERS

SQUASHING = [name for name, row in LAYERS.items() if "activation" in row.keys]
IMAGE = [[[0.3, -0.7, 1.1], [-1.2, 0.4, 0.9], [0.8, -0.5, -0.1]]]
# inputs and targets of one example, and the keys of one layer with numbers on both sides of the kink
STATED: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "activation": ([0.5, -1.0], [0.3, 1.0], {}),
    "dense": ([0.5, -1.0], [0.3, 1.0], {"weights": [[1.5, 0.5], [-0.5, 1.0]], "bias": [0.1, -0.2]}),
    "highway": ([0.5, -1.0], [0.3, 1.0], {"W_H": [[1.5, 0.5], [-0.5, 1.0]], "W_T": [[0.3, -0.2], [0.7, 0.4]]}),
    "rnn": ([[0.5], [-1.0]], [0.3, 1.0], {"W": [[1.5], [0.5]], "U": [[-0.5, 1.0], [0.25, -0.75]]}),
    "conv2d": (
        IMAGE,
        [[[0.1, 0.2], [0.3, 0.4]]],
        {"weights": [[[[0.5, -1.0], [1.5, 0.25]]]], "bias": [0.1]},
    ),
}
CONSTANTS = {"elu": ("alpha", 0.4), "leaky_relu": ("slope", 0.3)}


def problem(type: str, activation: str, **constants: Any) -> dict[str, Any]:
    inputs, targets, keys = STATED[type]
    return {
        "examples": [{"inputs": inputs, "targets": targets}],
        "layers": [{"type": type, "activation": activation, **keys, **constants}],
        "loss": {"name": "half_squared_error"},
        **({} if keys else {"parameters": ["x"]}),
    }


def test_every_layer_with_an_activation_is_tried() -> None:
    assert set(SQUASHING) == set(STATED)


@pytest.mark.parametrize("type", STATED)
@pytest.mark.parametrize("activation", CONSTANTS)
def test_pytorch_agrees(type: str, activation: str) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install '.[torch]'")
    key, value = CONSTANTS[activation]
    derivation = derive.differentiate(problem(type, activation, **{key: value}))
    leaves = {name: torch.tensor(derivation.floats(name), requires_grad=True) for name in derivation.program.parameters}
    x, t = (torch.tensor(derivation.floats(name)) for name in "xt")

    def f(z: Any) -> Any:
        return getattr(torch.nn.functional, activation)(z, value)

    def output() -> Any:
        if type == "activation":
            return f(leaves["x"])
        if type == "dense":
            return f(x @ leaves["W1"].T + leaves["b1"])
        if type == "conv2d":
            return f(torch.nn.functional.conv2d(x, leaves["W1"], leaves["b1"]))
        if type == "highway":
            gate = torch.sigmoid(x @ leaves["W1_T"].T)
            return gate * f(x @ leaves["W1_H"].T) + (1 - gate) * x
        state = f(x[:, 0] @ leaves["W1"].T)
        return f(x[:, 1] @ leaves["W1"].T + state @ leaves["U1"].T)

    error = ((t - output()) ** 2).sum() / 2
    error.backward()
    for backend in ("fast", "sympy"):
        found_error, found = derivation.lambdify(backend)()
        assert found_error == pytest.approx(error.item(), rel=1e-14)
        for name, leaf in leaves.items():
            assert np.abs(found[name] - leaf.grad.numpy()).max() < 1e-14, (name, backend)


def test_the_closed_form_has_alpha() -> None:
    """By hand, at z = w x < 0: E = ½(t − α(eᶻ − 1))², dE/dw = −(t − a) α eᶻ x."""
    derivation = derive.differentiate(
        {
            "examples": [{"inputs": [2], "targets": ["0.5"]}],
            "layers": [{"activation": "elu", "alpha": "0.4", "weights": [["-0.75"]]}],
            "loss": {"name": "half_squared_error"},
        }
    )
    gradient = derivation.gradients["W1"][0, 0]
    (w,) = gradient.free_symbols
    a = sympy.Rational(2, 5) * (sympy.exp(2 * w) - 1)
    below = sympy.refine(gradient.subs(w, -sympy.Symbol("m", positive=True)))
    by_hand = (-(sympy.Rational(1, 2) - a) * sympy.Rational(4, 5) * sympy.exp(2 * w)).subs(
        w, -sympy.Symbol("m", positive=True)
    )
    assert sympy.simplify(below - by_hand) == 0
    assert derivation.to_json(15)["gradients"]["W1"] == [[str(by_hand.subs(dict.fromkeys(by_hand.free_symbols, 0.75)))]]


@pytest.mark.parametrize("type", STATED)
@pytest.mark.parametrize("activation", ["relu", "selu", "leaky_relu", "elu"])
@pytest.mark.parametrize("key", ["slope", "alpha"])
def test_an_activation_without_it_refuses_it(type: str, activation: str, key: str) -> None:
    if CONSTANTS.get(activation, ("",))[0] == key:
        derive.load(problem(type, activation, **{key: 0.5}))
        return
    having = next(name for name, (each, _) in CONSTANTS.items() if each == key)
    with pytest.raises(ProblemError) as caught:
        derive.load(problem(type, activation, **{key: 0.5}))
    assert str(caught.value).endswith(f"layers[0].{key}: {activation} has no {key}; known with one: {having}")


def test_the_schema_knows_them_and_the_template_names_them() -> None:
    schema = derive.problem.schema()
    tables = [table["properties"] for table in _objects(schema) if "activation" in table.get("properties", {})]
    assert len(tables) == len(SQUASHING) + 1  # and the table of a network of dense layers alone
    assert all({"slope", "alpha"} <= set(table) for table in tables)
    assert json.dumps(schema).count("of elu, which goes to -alpha") == len(tables)
    assert "alpha" in derive.problem.template()


def _objects(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict):
        return [value, *(each for part in value.values() for each in _objects(part))]
    return [each for part in value for each in _objects(part)] if isinstance(value, list) else []
