"""What an update and a penalty make of normalisations, and what is said of symbols in place of numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy
from typer.testing import CliRunner

import derive
from derive.derivation import Derivation
from derive.errors import ChainruleError
from derive.notation import plain_name
from derive.quantities import quantity
from render.cli import app

# ---- gamma and beta --------------------------------------------------------------------------

NORMED: dict[str, Any] = {
    "examples": [{"inputs": ["0.5", "-1", "0.25"], "targets": ["0.3", "0.9"]}],
    "layers": [
        {"type": "layer_norm", "gamma": ["1.5", "0.5", "-1"], "beta": ["0.1", "0.2", "0.3"]},
        {"activation": "tanh", "weights": [["0.15", "0.2", "-0.4"], ["0.3", "-0.5", "0.1"]], "bias": ["0.1", "-0.2"]},
    ],
    "loss": {"name": "half_squared_error"},
}


def by_torch(
    derivation: Derivation, l1: float, l2: float, held: tuple[str, ...] = (), **options: Any
) -> tuple[float, dict[str, np.ndarray], dict[str, np.ndarray]]:
    """The error, the gradients, and every parameter after a step of SGD, with a penalty on what is called W."""
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install '.[torch]'")
    leaves = {name: torch.tensor(derivation.floats(name), requires_grad=True) for name in derivation.program.parameters}
    x, t = (torch.tensor(derivation.floats(name)) for name in "xt")
    normal = torch.nn.functional.layer_norm(x, (3,), leaves["gamma1"], leaves["beta1"])
    a = torch.tanh(normal @ leaves["W2"].T + leaves["b2"])
    error = ((t - a) ** 2).sum() / 2 + l2 / 2 * (leaves["W2"] ** 2).sum() + l1 * leaves["W2"].abs().sum()
    error.backward()
    moved = [leaf for name, leaf in leaves.items() if name not in held]
    gradients = {name: leaf.grad.numpy().copy() for name, leaf in leaves.items()}
    torch.optim.SGD(moved, lr=0.5, **options).step()
    return error.item(), gradients, {name: leaf.detach().numpy() for name, leaf in leaves.items()}


def agree(found: dict[str, Any], expected: dict[str, np.ndarray]) -> None:
    assert set(found) - {"error"} == set(expected)
    for name, value in expected.items():
        assert np.abs(np.array(found[name], dtype=float) - value).max() < 1e-14, name


def test_a_penalty_leaves_gamma_and_beta_out() -> None:
    derivation = derive.differentiate(NORMED | {"penalty": {"l1": "0.01", "l2": "0.3"}})
    error, gradients, _ = by_torch(derivation, 0.01, 0.3)
    found = derivation.to_json()
    assert float(found["error"]) == pytest.approx(error, rel=1e-15)
    agree(found["gradients"], gradients)


def test_fixed_biases_are_those_that_pytorch_calls_bias() -> None:
    derivation = derive.differentiate(NORMED | {"update": {"learning_rate": "0.5", "biases": "fixed"}})
    _, _, after = by_torch(derivation, 0, 0, held=("beta1", "b2"))
    found = derivation.to_json()["updated"]
    agree(found, after)
    assert found["beta1"] == ["0.1", "0.2", "0.3"]
    assert found["gamma1"] != ["1.5", "0.5", "-1"]


def test_weight_decay_is_on_everything_that_moves_as_in_pytorch() -> None:
    derivation = derive.differentiate(NORMED | {"update": {"learning_rate": "0.5", "weight_decay": "0.1"}})
    _, _, after = by_torch(derivation, 0, 0, weight_decay=0.1)
    agree(derivation.to_json()["updated"], after)


# ---- symbols ---------------------------------------------------------------------------------

LAYERS = [{"units": 2, "activation": "tanh", "bias": "shared"}, {"units": 2, "activation": "logistic"}]
SYMBOLS: dict[str, Any] = {
    "examples": [{"inputs": ["0.5", "-1"], "targets": 2}],
    "layers": LAYERS,
    "loss": {"name": "half_squared_error"},
    "update": {"learning_rate": "0.5", "order": "sequential"},
}
WEIGHTS = {
    "W1": [["0.15", "0.2"], ["-0.4", "0.3"]],
    "b1": "0.35",
    "W2": [["0.4", "-0.45"], ["0.5", "0.55"]],
    "t": ["0.01", "0.99"],
}


def with_numbers(order: str) -> Derivation:
    layers = [
        {"activation": "tanh", "weights": WEIGHTS["W1"], "bias": WEIGHTS["b1"]},
        {"activation": "logistic", "weights": WEIGHTS["W2"]},
    ]
    examples = [{"inputs": ["0.5", "-1"], "targets": WEIGHTS["t"]}]
    update = {"learning_rate": "0.5", "order": order}
    return derive.differentiate(SYMBOLS | {"examples": examples, "layers": layers, "update": update})


@pytest.mark.parametrize("order", ["sequential", "simultaneous"])
def test_the_formula_of_an_update_is_that_of_its_order(order: str) -> None:
    """Every formula, with the numbers put in, is the number that the exact update gives in that order."""
    numbers = with_numbers(order)
    values = {
        plain_name(numbers.names.element(array, scalar.index)): numbers.floats(array)[scalar.index]
        for array in numbers.program.variables
        for scalar in numbers.graph.scalars(array)
    }
    symbolic = derive.differentiate(SYMBOLS | {"update": {"learning_rate": "0.5", "order": order}})
    found, expected = symbolic.to_json()["updated"], numbers.to_json(17)["updated"]
    other = with_numbers("simultaneous" if order == "sequential" else "sequential").to_json(17)["updated"]
    assert expected["W1"] != other["W1"]
    for name in ("W1", "b1", "W2"):
        formulas, wanted = np.array(found[name]).reshape(-1), np.array(expected[name], dtype=float).reshape(-1)
        for text, number in zip(formulas, wanted, strict=True):
            assert float(sympy.sympify(str(text), locals=values)) == pytest.approx(number, rel=1e-14), (name, text)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("w1", "w1 is a formula here and no number: the problem leaves t, W1, b1, W2 symbols"),
        ("out_h1", "out_h1 is a formula here and no number"),
        ("dE/dw1", "dE/dw1 is a formula here and no number"),
        ("delta_h1", "delta_h1 is a formula here and no number"),
        ("w1+", "has symbols where training needs numbers"),
        ("E@10", "has symbols where training needs numbers"),
        ("E", "E is a formula here and no number"),
    ],
)
def test_a_printed_number_is_not_compared_with_a_formula(name: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ChainruleError, match="symbols"):
        quantity(derive.differentiate(SYMBOLS), name)
    file = tmp_path / "symbols.json"
    file.write_text(json.dumps(SYMBOLS | {"published": [{"name": name, "value": "0.15"}]}))
    result = CliRunner().invoke(app, ["render", str(file), "--to", "markdown", "--out", str(tmp_path / "out")])
    assert result.exit_code == 2
    assert f"published[0].name: {said}" in result.stderr
    assert not (tmp_path / "out").exists()


def test_a_number_among_symbols_is_one() -> None:
    assert quantity(derive.differentiate(SYMBOLS), "i2").decimal(5) == "-1"
