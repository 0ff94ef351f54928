"""PyTorch's layers as a problem has them: one row a module, its weights as the decimals that are its floats."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from derive.frameworks.chains import Chain, NotCoveredError, of_usual, square, texts
from derive.frameworks.torch_modules import GATES, numbers_of


def _numbers(tensor: Any) -> Any:
    return None if tensor is None else texts(numbers_of(tensor))


def _linear(chain: Chain, module: Any, where: str) -> None:
    chain.add("dense", weights=_numbers(module.weight), bias=_numbers(module.bias))


def _conv2d(chain: Chain, module: Any, where: str) -> None:
    for name, usual in (("dilation", 1), ("groups", 1), ("padding_mode", "zeros")):
        of_usual(name, getattr(module, name), usual, where)
    padding = 0 if module.padding == "valid" else module.padding
    if isinstance(padding, str):
        raise NotCoveredError(f"{where}: padding = {padding!r} has to be given as numbers")
    options = {"stride": square(module.stride), "padding": square(padding)}
    given = {key: value for key, value in options.items() if value != {"stride": 1, "padding": 0}[key]}
    chain.add("conv2d", weights=_numbers(module.weight), bias=_numbers(module.bias), **given)


def _pool(kind: str) -> Callable[[Chain, Any, str], None]:
    def add(chain: Chain, module: Any, where: str) -> None:
        for name, usual in (("padding", 0), ("dilation", 1), ("ceil_mode", False), ("divisor_override", None)):
            of_usual(name, getattr(module, name, usual), usual, where)
        size, stride = square(module.kernel_size), square(module.stride)
        chain.add(kind, size=size, stride=None if stride == size else stride)

    return add


def _flatten(chain: Chain, module: Any, where: str) -> None:
    of_usual("start_dim", module.start_dim, 1, where)
    of_usual("end_dim", module.end_dim, -1, where)
    chain.add("flatten")


def _embedding(chain: Chain, module: Any, where: str) -> None:
    for name in ("padding_idx", "max_norm"):
        of_usual(name, getattr(module, name), None, where)
    chain.add("embedding", weights=_numbers(module.weight))


def _epsilon(module: Any) -> str | None:
    return None if module.eps == 1e-5 else texts(np.float64(module.eps))


def _layer_norm(chain: Chain, module: Any, where: str) -> None:
    if len(module.normalized_shape) != 1:
        raise NotCoveredError(
            f"{where}: normalizes over {len(module.normalized_shape)} axes; a problem does over the last"
        )
    affine = {"gamma": _numbers(module.weight), "beta": _numbers(module.bias)}
    chain.add("layer_norm", **affine, epsilon=_epsilon(module))


def _batch_norm(chain: Chain, module: Any, where: str) -> None:
    if not module.training and module.track_running_stats:
        raise NotCoveredError(f"{where}: uses its running mean in place of the batch's; call .train() on the module")
    affine = {"gamma": _numbers(module.weight), "beta": _numbers(module.bias)}
    chain.add("batch_norm", **affine, epsilon=_epsilon(module))


def _recurrent(chain: Chain, module: Any, where: str) -> None:
    of_usual("batch_first", module.batch_first, True, where)
    of_usual("proj_size", getattr(module, "proj_size", 0), 0, where)
    if module.num_layers > 1:
        of_usual("dropout", module.dropout if module.training else 0, 0, where)
    kind = next(kind for kind in GATES if module.mode.startswith(kind))
    keys: dict[str, Any] = {"activation": "relu"} if module.mode == "RNN_RELU" else {}
    if module.bidirectional:
        keys["bidirectional"] = True
    for layer in range(module.num_layers):
        arrays: dict[str, Any] = {}
        for back, end in (("", ""), ("_back", "_reverse")) if module.bidirectional else (("", ""),):
            arrays |= _gates(module, kind, f"_l{layer}{end}", back)
        chain.add(kind.lower(), **arrays, **keys, return_sequences=True)


def _gates(module: Any, kind: str, end: str, back: str) -> dict[str, Any]:
    """The matrices of each gate, taken apart; the two biases that torch adds as one."""
    found: dict[str, Any] = {}
    size, gates = module.hidden_size, GATES[kind]
    for ours, theirs in (("W", f"weight_ih{end}"), ("U", f"weight_hh{end}")):
        whole = getattr(module, theirs).detach()
        found |= {f"{ours}{gate}{back}": _numbers(whole[k * size : (k + 1) * size]) for k, gate in enumerate(gates)}
    if not module.bias:
        return found
    one, other = (getattr(module, f"bias_{each}{end}").detach() for each in ("ih", "hh"))
    for k, gate in enumerate(gates):
        cut = slice(k * size, (k + 1) * size)
        if kind == "GRU" and gate == "_n":
            found |= {f"b_n{back}": _numbers(one[cut]), f"b_hn{back}": _numbers(other[cut])}
        else:  # the sum in double precision, so that nothing is rounded
            found[f"b{gate}{back}"] = _numbers(one[cut].double() + other[cut].double())
    return found


def _dropout(chain: Chain, module: Any, where: str) -> None:
    if module.training and module.p > 0:
        raise NotCoveredError(f"{where}: is random; call .eval() on it, or leave it out")


MODULES: dict[str, Callable[[Chain, Any, str], None]] = {
    "linear": _linear,
    "conv2d": _conv2d,
    "maxpool2d": _pool("max_pool2d"),
    "avgpool2d": _pool("avg_pool2d"),
    "flatten": _flatten,
    "embedding": _embedding,
    "layernorm": _layer_norm,
    "batchnorm1d": _batch_norm,
    "batchnorm2d": _batch_norm,
    "rnn": _recurrent,
    "lstm": _recurrent,
    "gru": _recurrent,
    "dropout": _dropout,
}
