"""The layers as PyTorch has them, from its own modules and functions wherever there are such."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from layer_cases import CASES, TOKENS
from layer_programs import Arrays, Network

from derive.layers import LAYERS, Stated
from derive.layers.frame import array_name

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
    "activation": lambda stated, p, x, _: _activation(stated)(x),
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
