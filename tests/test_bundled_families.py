"""The bundled problems that are no plain dense networks, against PyTorch's own modules, functions and optimisers."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from test_equations_problem import BUNDLED as BY_EQUATIONS

import derive
from derive.problem import bundled, load

torch = pytest.importorskip(
    "torch", reason="PyTorch is not installed: pip install '.[torch]' (the CPU build is enough)"
)
F = torch.nn.functional

TOLERANCE = 1e-12
NAMES = bundled()
WITH_NUMBERS = tuple(name for name in NAMES if name != "symbolic")


def _gru(p: Any) -> Any:
    module = torch.nn.GRU(1, 2, batch_first=True, dtype=torch.float64)
    stacked = {"weight_ih_l0": torch.cat([p[f"W1_{gate}"] for gate in "rzn"])}
    stacked["weight_hh_l0"] = torch.cat([p[f"U1_{gate}"] for gate in "rzn"])
    stacked["bias_ih_l0"] = torch.cat([p[f"b1_{gate}"] for gate in "rzn"])
    stacked["bias_hh_l0"] = torch.cat([torch.zeros(4, dtype=torch.float64), p["b1_hn"]])
    _, last = torch.func.functional_call(module, stacked, (p["x"],))
    return ((p["t"] - F.linear(last[0], p["W2"], p["b2"])) ** 2).sum() / 2


def _cnn(p: Any) -> Any:
    a1 = torch.relu(F.conv2d(p["x"], p["W1"], p["b1"]))
    z4 = F.linear(F.max_pool2d(a1, 2).flatten(1), p["W4"], p["b4"])
    return F.cross_entropy(z4, p["t"], reduction="sum")


def _transformer(p: Any) -> Any:
    a1 = F.embedding(torch.tensor([[0, 2, 1]]), p["W1"])
    q, k, v = ((a1 @ p[f"W2_{letter}"]).unflatten(-1, (2, 2)).transpose(1, 2) for letter in "QKV")
    mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).flatten(-2)
    a3 = a1 + mixed @ p["W2_O"]
    z5 = F.layer_norm(a3, (4,), p["gamma4"], p["beta4"], 1e-5) @ p["W5"].T
    return F.cross_entropy(z5.flatten(0, 1), p["t"].flatten(0, 1), reduction="sum")


def _batch_norm(p: Any) -> Any:
    a2 = F.batch_norm(p["x"] @ p["W1"].T, None, None, p["gamma2"], p["beta2"], training=True, eps=1e-5)
    return F.binary_cross_entropy_with_logits(F.linear(a2, p["W3"], p["b3"]), p["t"])


def _autoencoder(p: Any) -> Any:
    return ((p["x"] - (p["W"].T @ torch.tanh(p["W"] @ p["x"] + p["b"]) + p["c"])) ** 2).sum() / 2


def _adam(p: Any) -> Any:
    a1 = torch.sigmoid(p["x"] @ p["W1"].T + p["b1"])
    return ((p["t"] - torch.sigmoid(a1 @ p["W2"].T + p["b2"])) ** 2).sum() / 2


ERRORS: dict[str, Callable[[Any], Any]] = {
    "gru": _gru,
    "cnn": _cnn,
    "transformer": _transformer,
    "batch_norm": _batch_norm,
    "autoencoder": _autoencoder,
    "adam": _adam,
}


def tensors(derivation: derive.Derivation) -> dict[str, Any]:
    program = derivation.program
    return {name: torch.tensor(derivation.floats(name), requires_grad=name != "t") for name in program.given}


def relative(found: Any, wanted: np.ndarray) -> float:
    return float(np.abs(found - wanted).max()) / max(1.0, float(np.abs(wanted).max()))


def test_every_family_has_a_witness() -> None:
    others = {name for name in NAMES if not load(name).dense}
    assert {*ERRORS, *BY_EQUATIONS} == others | {"adam"}


@pytest.mark.parametrize("name", ERRORS)
def test_error_and_gradients_agree_with_torch(name: str) -> None:
    derivation = derive.differentiate(name)
    given = tensors(derivation)
    wanted = ERRORS[name](given)
    error, found = derivation.lambdify()()
    assert error == pytest.approx(wanted.item(), rel=TOLERANCE)
    asked = [given[key] for key in derivation.program.parameters]
    for key, gradient in zip(derivation.program.parameters, torch.autograd.grad(wanted, asked), strict=True):
        assert relative(found[key], gradient.numpy()) <= TOLERANCE, key


def test_three_steps_of_adam_agree_with_torch() -> None:
    derivation = derive.differentiate("adam")
    given = tensors(derivation)
    asked = [given[key] for key in derivation.program.parameters]
    optimizer = torch.optim.Adam(asked, lr=0.05, betas=(0.9, 0.999), eps=1e-8)
    for _ in range(3):
        optimizer.zero_grad()
        _adam(given).backward()
        optimizer.step()
    trained = derivation.train()
    assert trained["steps"] == 3
    for key, tensor in zip(derivation.program.parameters, asked, strict=True):
        found = np.array(trained["arrays"][key], dtype=float)
        assert relative(found, tensor.detach().numpy()) <= TOLERANCE, key


# ---- what makes a worked example readable --------------------------------------------------


@pytest.mark.parametrize("name", WITH_NUMBERS)
def test_training_lowers_the_error(name: str) -> None:
    history = derive.differentiate(name).train()["history"]
    assert float(history[-1][1]) < float(history[0][1])


@pytest.mark.parametrize("name", WITH_NUMBERS)
def test_nothing_saturates(name: str) -> None:
    """No net input, state or weight runs so far out that a function's derivative vanishes in the page's digits."""
    derivation = derive.differentiate(name)
    values = [derivation.floats(equation.target) for equation in derivation.program.equations]
    assert max(float(np.abs(value).max()) for value in values) < 6


@pytest.mark.parametrize("name", ["cnn", "convolution"])
def test_no_window_of_a_pooling_has_two_largest_values(name: str) -> None:
    derivation = derive.differentiate(name)
    a1 = derivation.floats("a1")
    windows = a1.reshape(*a1.shape[:-2], 2, 2, 2, 2).swapaxes(-3, -2).reshape(-1, 4)
    ordered = np.sort(windows, axis=1)
    assert (ordered[:, 3] > ordered[:, 2]).all()
    assert (derivation.floats("z1") != 0).all()
