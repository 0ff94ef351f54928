"""Every layer type: against PyTorch in float64, against central differences, and both readings against each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from layer_programs import Arrays, Network, drawn, evaluated, network

from derive.layers import LAYERS, Stated
from derive.layers.frame import array_name

BIAS = {"bias": "per_unit"}
TOLERANCE = 1e-12


def layer(type: str, shapes: dict[str, tuple[int, ...]] | None = None, **keys: Any) -> Stated:
    return Stated(type, keys, shapes or {})


def attention(**keys: Any) -> Stated:
    return layer("self_attention", **keys)


TOKENS = [[0, 1, 1, 4], [2, 2, 3, 0]]

# what is stated, the shape of the inputs, the tokens
CASES: dict[str, tuple[list[Stated], tuple[int, ...], Any]] = {
    "dense": ([layer("dense", units=3, activation="tanh", **BIAS)], (2, 4), None),
    "dense on a sequence": ([layer("dense", units=3, activation="softmax", **BIAS)], (2, 5, 4), None),
    "dense with a shared bias": ([layer("dense", units=3, bias="shared")], (2, 4), None),
    "conv2d": ([layer("conv2d", filters=3, kernel_size=(2, 3), activation="logistic", **BIAS)], (2, 2, 5, 6), None),
    "conv2d, stride and padding": (
        [layer("conv2d", filters=2, kernel_size=3, stride=(2, 1), padding=(1, 2), activation="relu")],
        (3, 2, 6, 5),
        None,
    ),
    "conv2d with a shared bias": ([layer("conv2d", filters=2, kernel_size=2, bias="shared")], (1, 1, 4, 4), None),
    "max_pool2d": ([layer("max_pool2d", size=2)], (2, 2, 4, 6), None),
    "max_pool2d, overlapping": ([layer("max_pool2d", size=(3, 2), stride=(2, 1))], (2, 2, 5, 4), None),
    "avg_pool2d": ([layer("avg_pool2d", size=(2, 3))], (2, 2, 4, 6), None),
    "flatten": ([layer("flatten"), layer("dense", units=2)], (2, 2, 3, 4), None),
    "embedding": ([layer("embedding", vocabulary=5, size=3)], (2, 4), TOKENS),
    "rnn": ([layer("rnn", units=3, **BIAS)], (2, 4, 2), None),
    "rnn, relu, every step": (
        [layer("rnn", units=3, activation="relu", return_sequences=True, **BIAS)],
        (2, 5, 2),
        None,
    ),
    "rnn with an initial state": ([layer("rnn", {"h0": (2, 3)}, units=3, **BIAS)], (2, 3, 2), None),
    "rnn, both directions": ([layer("rnn", units=2, bidirectional=True, **BIAS)], (2, 3, 2), None),
    "rnn, both directions, every step": (
        [layer("rnn", units=2, bidirectional=True, return_sequences=True, initial_state=True, **BIAS)],
        (2, 3, 2),
        None,
    ),
    "lstm": ([layer("lstm", units=3, **BIAS)], (2, 4, 2), None),
    "lstm, every step, given states": (
        [layer("lstm", {"h0": (2, 3), "c0": (2, 3)}, units=3, return_sequences=True, **BIAS)],
        (2, 3, 4),
        None,
    ),
    "lstm, one state for all examples": ([layer("lstm", units=2, initial_state=True, **BIAS)], (3, 2, 2), None),
    "lstm, both directions": (
        [layer("lstm", units=2, bidirectional=True, return_sequences=True, **BIAS)],
        (2, 3, 2),
        None,
    ),
    "gru": ([layer("gru", units=3, **BIAS)], (2, 4, 2), None),
    "gru, every step, given state": (
        [layer("gru", {"h0": (2, 3)}, units=3, return_sequences=True, **BIAS)],
        (2, 3, 2),
        None,
    ),
    "gru, both directions": ([layer("gru", units=2, bidirectional=True, **BIAS)], (2, 3, 2), None),
    "self_attention": ([attention()], (2, 4, 3), None),
    "self_attention, causal": ([attention(causal=True, key_size=2)], (2, 4, 3), None),
    "self_attention, two heads": ([attention(heads=2, output_projection=True, **BIAS)], (2, 3, 4), None),
    "self_attention, two heads, causal": (
        [attention(heads=2, causal=True, output_projection=True, **BIAS)],
        (2, 4, 6),
        None,
    ),
    "self_attention, three heads, not scaled": ([attention(heads=3, key_size=2, scaled=False)], (2, 3, 4), None),
    "self_attention without projections": ([attention(projections=False)], (2, 3, 4), None),
    "layer_norm": ([layer("layer_norm", affine=True)], (3, 5), None),
    "layer_norm on a sequence": ([layer("layer_norm", epsilon=1)], (2, 3, 4), None),
    "batch_norm": ([layer("batch_norm", affine=True)], (4, 3), None),
    "batch_norm of images": ([layer("batch_norm", affine=True)], (2, 3, 2, 2), None),
    "batch_norm of sequences": ([layer("batch_norm", affine=True)], (2, 3, 4), None),
    "dropout": ([layer("dropout"), layer("dense", units=2)], (3, 4), None),
    "dropout, a mask for all": ([layer("dropout", {"mask": (3, 4)}, rate=0)], (3, 4), None),
    "residual": ([layer("dense", units=4, activation="tanh"), layer("residual")], (3, 4), None),
    "residual with a projection": (
        [
            layer("dense", units=3, activation="tanh"),
            layer("dense", units=2),
            layer("residual", **{"from": 0}, project=True),
        ],
        (3, 4),
        None,
    ),
    "highway": ([layer("highway", activation="tanh", **BIAS)], (3, 4), None),
    "a transformer block": (
        [
            layer("layer_norm", affine=True),
            attention(heads=2, causal=True, output_projection=True),
            layer("residual", **{"from": 0}),
            layer("layer_norm", affine=True),
            layer("dense", units=6, activation="gelu", **BIAS),
            layer("dense", units=4, **BIAS),
            layer("residual", **{"from": 3}),
        ],
        (2, 3, 4),
        None,
    ),
    "a convolutional network": (
        [
            layer("conv2d", filters=2, kernel_size=3, padding=1, activation="relu", **BIAS),
            layer("batch_norm", affine=True),
            layer("max_pool2d", size=2),
            layer("flatten"),
            layer("dense", units=3, activation="softmax", **BIAS),
        ],
        (2, 1, 4, 4),
        None,
    ),
}


def made(name: str) -> Network:
    return network(*CASES[name])


@pytest.mark.parametrize("name", CASES)
def test_central_differences(name: str) -> None:
    net = made(name)
    values = drawn(net, 7)
    found = evaluated(net, values)
    rng = np.random.default_rng(1)
    for parameter in net.program.parameters:
        direction = rng.normal(size=net.program.shape(parameter))
        ends = []
        for step in (1e-5, -1e-5):
            moved = evaluated(net, {**values, parameter: values[parameter] + step * direction})
            ends.append(float((moved["y"] * values["G"]).sum()))
        slope = (ends[0] - ends[1]) / 2e-5
        assert slope == pytest.approx(float((found[parameter] * direction).sum()), rel=1e-6, abs=1e-7), parameter


@pytest.mark.parametrize("name", CASES)
def test_plain_floats_and_numpy_agree(name: str) -> None:
    net = made(name)
    values = drawn(net, 8)
    plain, fast = evaluated(net, values, plain=True), evaluated(net, values)
    for key, value in plain.items():
        assert np.abs(value - fast[key]).max() <= TOLERANCE * max(1.0, np.abs(value).max()), key


# ---- PyTorch -------------------------------------------------------------------------------

torch = pytest.importorskip(
    "torch", reason="PyTorch is not installed: pip install '.[torch]' (the CPU build is enough)"
)

Tensors = dict[str, Any]
ACTIVATION = {
    "tanh": lambda z: torch.tanh(z),
    "relu": lambda z: torch.relu(z),
    "logistic": lambda z: torch.sigmoid(z),
    "softmax": lambda z: torch.softmax(z, -1),
    "gelu": lambda z: torch.nn.functional.gelu(z),
    "identity": lambda z: z,
}


def _activation(stated: Stated) -> Callable[[Any], Any]:
    default = {"rnn": "tanh", "highway": "relu"}.get(stated.type, "identity")
    return ACTIVATION[stated.keys.get("activation", default)]


def _dense(stated: Stated, p: Tensors, x: Any, _: Any) -> Any:
    return _activation(stated)(torch.nn.functional.linear(x, p["W"]) + p.get("b", 0))


def _conv(stated: Stated, p: Tensors, x: Any, _: Any) -> Any:
    keys = stated.keys
    options = {key: keys[key] for key in ("stride", "padding") if key in keys}
    bias = None if "b" not in p else p["b"].expand(p["W"].shape[0])
    return _activation(stated)(torch.nn.functional.conv2d(x, p["W"], bias, **options))


def _functional(name: str) -> Callable[..., Any]:
    def apply(stated: Stated, p: Tensors, x: Any, _: Any) -> Any:
        return getattr(torch.nn.functional, name)(x, stated.keys["size"], stated.keys.get("stride"))

    return apply


def _stacked(p: Tensors, letter: str, gates: tuple[str, ...], back: str) -> Any:
    return torch.cat([p[f"{letter}{gate}{back}"] for gate in gates])


def _torch_recurrent(kind: str, gates: tuple[str, ...]) -> Callable[..., Any]:
    """torch.nn.RNN, LSTM or GRU itself, called through its functional form with our arrays stacked."""

    def apply(stated: Stated, p: Tensors, x: Any, _: Any) -> Any:
        keys, units = stated.keys, stated.keys["units"]
        both = keys.get("bidirectional", False)
        extra = {"nonlinearity": keys.get("activation", "tanh")} if kind == "RNN" else {}
        module = getattr(torch.nn, kind)(
            x.shape[-1], units, batch_first=True, bidirectional=both, dtype=torch.float64, **extra
        )
        given: Tensors = {}
        for back, suffix in (("", ""), ("_back", "_reverse"))[: 1 + both]:
            given[f"weight_ih_l0{suffix}"] = _stacked(p, "W", gates, back)
            given[f"weight_hh_l0{suffix}"] = _stacked(p, "U", gates, back)
            given[f"bias_ih_l0{suffix}"] = _stacked(p, "b", gates, back)
            zeros = torch.zeros(units * (len(gates) - (kind == "GRU")), dtype=torch.float64)
            own = [p[f"b_hn{back}"]] if kind == "GRU" else []
            given[f"bias_hh_l0{suffix}"] = torch.cat([zeros, *own])

        def state(letter: str) -> Any:
            rows = [
                p.get(f"{letter}0{back}", torch.zeros(units, dtype=torch.float64)) for back in ("", "_back")[: 1 + both]
            ]
            return torch.stack([row.expand(x.shape[0], units) for row in rows])

        initial = (state("h"), state("c")) if kind == "LSTM" else state("h")
        sequence, last = torch.func.functional_call(module, given, (x, initial))
        if keys.get("return_sequences"):
            return sequence
        last = last[0] if kind == "LSTM" else last
        return torch.cat(list(last), dim=-1)

    return apply


def _attention(stated: Stated, p: Tensors, x: Any, _: Any) -> Any:
    keys, heads = stated.keys, stated.keys.get("heads", 1)
    if keys.get("projections", True):
        q, k, v = (x @ p[f"W_{letter}"] + p.get(f"b_{letter}", 0) for letter in "QKV")
    else:
        q = k = v = x
    q, k, v = (each.unflatten(-1, (heads, -1)).transpose(1, 2) for each in (q, k, v))
    scale = None if keys.get("scaled", True) else 1.0
    mixed = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=keys.get("causal", False), scale=scale)
    out = mixed.transpose(1, 2).flatten(-2)
    return out @ p["W_O"] + p.get("b_O", 0) if "W_O" in p else out


def _layer_norm(stated: Stated, p: Tensors, x: Any, _: Any) -> Any:
    return torch.nn.functional.layer_norm(
        x, x.shape[-1:], p.get("gamma"), p.get("beta"), stated.keys.get("epsilon", 1e-5)
    )


def _batch_norm(stated: Stated, p: Tensors, x: Any, _: Any) -> Any:
    turned = x.transpose(1, 2) if x.dim() == 3 else x  # PyTorch has a sequence's features before its time
    out = torch.nn.functional.batch_norm(turned, None, None, p["gamma"], p["beta"], training=True)
    return out.transpose(1, 2) if x.dim() == 3 else out


def _residual(stated: Stated, p: Tensors, x: Any, earlier: list[Any]) -> Any:
    start = stated.keys.get("from", len(earlier) - 2)
    return x + (earlier[start] @ p["W"].T if "W" in p else earlier[start])


def _highway(stated: Stated, p: Tensors, x: Any, _: Any) -> Any:
    gate = torch.sigmoid(x @ p["W_T"].T + p["b_T"])
    return gate * _activation(stated)(x @ p["W_H"].T + p["b_H"]) + (1 - gate) * x


TORCH: dict[str, Callable[[Stated, Tensors, Any, list[Any]], Any]] = {
    "dense": _dense,
    "conv2d": _conv,
    "max_pool2d": _functional("max_pool2d"),
    "avg_pool2d": _functional("avg_pool2d"),
    "flatten": lambda stated, p, x, _: x.flatten(1),
    "embedding": lambda stated, p, x, _: torch.nn.functional.embedding(torch.tensor(TOKENS), p["W"]) + 0 * x.sum(),
    "rnn": _torch_recurrent("RNN", ("",)),
    "lstm": _torch_recurrent("LSTM", ("_i", "_f", "_g", "_o")),
    "gru": _torch_recurrent("GRU", ("_r", "_z", "_n")),
    "self_attention": _attention,
    "layer_norm": _layer_norm,
    "batch_norm": _batch_norm,
    "dropout": lambda stated, p, x, _: x * p["mask"] / (1 - stated.keys.get("rate", 0.5)),
    "residual": _residual,
    "highway": _highway,
}


def by_torch(name: str, net: Network, values: Arrays) -> Arrays:
    """What comes out and every gradient, as PyTorch has them."""
    tensors = {key: torch.tensor(value, requires_grad=True) for key, value in values.items()}
    earlier = [tensors["x"]]
    for number, stated in enumerate(CASES[name][0], start=1):
        own = {
            stem: tensors[array_name(stem, number)]
            for stem in LAYERS[stated.type].stems
            if array_name(stem, number) in tensors
        }
        earlier.append(TORCH[stated.type](stated, own, earlier[-1], earlier))
    asked = [tensors[key] for key in net.program.parameters]
    found = torch.autograd.grad((tensors["G"] * earlier[-1]).sum(), asked, allow_unused=True)
    gradients = {
        key: np.zeros(values[key].shape) if gradient is None else gradient.numpy()
        for key, gradient in zip(net.program.parameters, found, strict=True)
    }
    return {"y": earlier[-1].detach().numpy(), **gradients}


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("name", CASES)
def test_pytorch_agrees(name: str, seed: int) -> None:
    net = made(name)
    values = drawn(net, seed)
    wanted, found = by_torch(name, net, values), evaluated(net, values)
    assert set(wanted) == set(found)
    for key, value in wanted.items():
        assert found[key].shape == value.shape, key
        assert np.abs(found[key] - value).max() <= TOLERANCE * max(1.0, np.abs(value).max()), key


def test_every_layer_type_is_held_against_pytorch() -> None:
    stated = {each.type for layers, _, _ in CASES.values() for each in layers}
    assert stated == set(LAYERS) == set(TORCH)
