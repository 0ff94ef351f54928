"""log_softmax as a layer's activation and the loss nll, as PyTorch's LogSoftmax and NLLLoss."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
import sympy

import derive
from derive.derivation import Derivation
from derive.errors import ProblemError
from render.formats import render_text
from render.page import worked_example

Table = dict[str, Any]


def stated(hidden: str, units: int, classes: list[int], over: str = "sum", last: str = "log_softmax") -> Table:
    draw = random.Random(f"{hidden} {units} {classes}")

    def layer(activation: str, rows: int, columns: int) -> Table:
        weights = [[f"{draw.uniform(-1, 1):.3f}" for _ in range(columns)] for _ in range(rows)]
        return {"activation": activation, "weights": weights, "bias": [f"{draw.uniform(-1, 1):.3f}" for _ in weights]}

    return {
        "examples": [{"inputs": [f"{draw.uniform(-1, 1):.2f}" for _ in range(3)], "targets": k} for k in classes],
        "layers": [layer(hidden, 4, 3), layer(last, units, 4)],
        "loss": {"name": "nll", "over_examples": over},
    }


def by_torch(torch: Any, derivation: Derivation, hidden: str, over: str) -> tuple[float, dict[str, np.ndarray]]:
    leaves = {name: torch.tensor(derivation.floats(name), requires_grad=True) for name in derivation.program.parameters}
    x = torch.tensor(derivation.floats("x"))
    a = {"tanh": torch.tanh, "log_softmax": torch.nn.LogSoftmax(dim=-1)}[hidden](x @ leaves["W1"].T + leaves["b1"])
    outputs = torch.nn.LogSoftmax(dim=-1)(a @ leaves["W2"].T + leaves["b2"])
    classes = torch.tensor(derivation.floats("t")).argmax(dim=-1)
    error = torch.nn.NLLLoss(reduction=over)(outputs, classes)
    error.backward()
    return error.item(), {name: leaf.grad.numpy() for name, leaf in leaves.items()}


@pytest.mark.parametrize("units", [2, 5, 90])  # 90: NumPy code in place of plain floats
@pytest.mark.parametrize("over", ["sum", "mean"])
@pytest.mark.parametrize("hidden", ["tanh", "log_softmax"])
def test_pytorch_agrees(units: int, over: str, hidden: str) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install '.[torch]'")
    derivation = derive.differentiate(stated(hidden, units, [1, 0, 1], over))
    error, gradients = by_torch(torch, derivation, hidden, over)
    for backend in ("fast", "sympy") if units < 90 else ("fast",):
        found_error, found = derivation.lambdify(backend)()
        assert found_error == pytest.approx(error, rel=1e-14)
        for name, gradient in gradients.items():
            assert np.abs(found[name] - gradient).max() < 1e-13, (name, backend)
    exact = derivation.to_json(17)["gradients"] if units < 90 else {}
    for name, values in exact.items():
        assert np.abs(np.array(values, dtype=float) - gradients[name]).max() < 1e-13, name


def test_it_is_the_same_as_softmax_with_cross_entropy() -> None:
    table = stated("tanh", 3, [2])
    other = table | {"loss": {"name": "categorical_cross_entropy"}}
    other["layers"] = [table["layers"][0], table["layers"][1] | {"activation": "softmax"}]
    assert derive.differentiate(table).to_json(40)["gradients"] == derive.differentiate(other).to_json(40)["gradients"]


@pytest.mark.parametrize("size", ["10000", "-10000"])
@pytest.mark.parametrize("backend", ["fast", "sympy"])
def test_far_out_it_stays_finite_and_right(size: str, backend: str) -> None:
    derivation = derive.differentiate(
        {
            "examples": [{"inputs": [1], "targets": 0}],
            "layers": [{"activation": "log_softmax", "weights": [["0"], [size]]}],
            "loss": {"name": "nll"},
        }
    )
    error, gradients = derivation.lambdify(backend)()
    wanted_error, slope = (10000.0, 1.0) if size == "10000" else (0.0, 0.0)
    assert error == pytest.approx(wanted_error, abs=1e-300)
    np.testing.assert_allclose(gradients["W1"], [[-slope], [slope]], atol=1e-300)
    # e⁻¹⁰⁰⁰⁰ = 1.1355e-4343 is there, and no float holds it
    if size == "-10000":
        assert derivation.to_json(5)["gradients"]["W1"] == [["-1.1355e-4343"], ["1.1355e-4343"]]


def test_the_chain_rule_is_the_flat_derivative_for_all_values() -> None:
    derivation = derive.differentiate(
        {
            "examples": [{"inputs": 1, "targets": 2}],
            "layers": [{"activation": "log_softmax", "units": 2, "bias": "per_unit"}],
            "loss": {"name": "nll"},
        }
    )
    for name in ("W1[0, 0]", "W1[1, 0]", "b1[1]"):
        difference = derivation.flat_derivative(name) - derivation.gradient_of(name)
        assert sympy.simplify(difference.rewrite(sympy.exp)) == 0, name


def test_over_the_channels_of_an_image() -> None:
    image = [[["0.3", "-0.7"], ["1.1", "0.2"]]]
    table = {
        "examples": [{"inputs": image, "targets": [[[1, 0], [0, 1]], [[0, 1], [1, 0]]]}],
        "layers": [{"type": "conv2d", "activation": "log_softmax", "weights": [[[["0.5"]]], [[["-1"]]]]}],
        "loss": {"name": "nll"},
    }
    outputs = np.array(derive.differentiate(table).to_json(17)["arrays"]["a1"], dtype=float)
    np.testing.assert_allclose(np.exp(outputs).sum(axis=1), 1, rtol=1e-15)


@pytest.mark.parametrize(("activation", "always"), [("softmax", 1), ("log_softmax", 0)])
@pytest.mark.parametrize("inputs", [[1, 2], [[1, 2]]])
def test_over_one_unit_it_is_refused(activation: str, always: int, inputs: list[Any]) -> None:
    table = stated("tanh", 1, [0])
    table["examples"] = [{"inputs": inputs, "targets": [1] if inputs == [1, 2] else [[1]]}]
    table["layers"] = [{"activation": activation, "weights": [[1, 2]]}]
    with pytest.raises(ProblemError, match=rf"layers\[0\].activation: {activation} over one unit is always {always}"):
        derive.load(table)


def test_the_page_says_what_the_deltas_are() -> None:
    derivation = derive.differentiate(stated("tanh", 3, [2]))
    page = render_text(worked_example(derivation).document, "latex")
    assert "The logarithm of softmax is a unit's net input less the logarithm of the sum" in " ".join(page.split())
    assert r"\operatorname{LogSoftmax}" in page
    assert r"e^{\mathbf{a}_{2}} - \mathbf{t}" in page  # the matrix form
    delta = np.array(derivation.to_json(17)["gradients"]["b2"], dtype=float)
    outputs = np.asarray(derivation.values["a2"])[0]
    np.testing.assert_allclose(delta, np.exp(outputs) - [0, 0, 1], rtol=1e-14)


def test_inside_a_network_its_matrix_form_is_g_less_the_share_of_the_sum() -> None:
    derivation = derive.differentiate(stated("log_softmax", 3, [2]))
    page = render_text(worked_example(derivation).document, "latex")
    assert r"e^{\mathbf{a}_{1}} \odot" in page
    a, g = (np.asarray(derivation.floats(name)) for name in ("a1", derivation.gradient.adjoints["a1"]))
    z = derivation.floats(derivation.gradient.adjoints["z1"])
    np.testing.assert_allclose(z, g - np.exp(a) * g.sum(), atol=1e-15)
