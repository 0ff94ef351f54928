"""The gradients of the same network as NumPy, PyTorch and JAX compute them, in float64 and in float32: all right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from injected import Answers, Network, answers


def in_single(network: Network) -> Network:
    """The same network in float32."""
    layers = tuple(
        replace(each, weights=each.weights.astype(np.float32), bias=None if each.bias is None else _single(each.bias))
        for each in network.layers
    )
    inputs, targets = network.inputs.astype(np.float32), network.targets.astype(np.float32)
    return replace(network, inputs=inputs, targets=targets, layers=layers)  # type: ignore[arg-type]


def _single(values: Any) -> Any:
    return np.asarray(values, dtype=np.float32)


def of_torch(network: Network, single: bool) -> Answers:
    """What PyTorch's autograd makes of the same network."""
    import torch

    kind = torch.float32 if single else torch.float64
    parameters: dict[str, Any] = {}
    for layer, dense in enumerate(network.layers, start=1):
        for name, values in ((f"W{layer}", dense.weights), (f"b{layer}", dense.bias)):
            if values is not None:
                parameters[name] = torch.tensor(np.asarray(values), dtype=kind, requires_grad=True)
    a, t = torch.tensor(network.inputs, dtype=kind), torch.tensor(network.targets, dtype=kind)
    functions: dict[str, Any] = {
        "logistic": torch.sigmoid,
        "tanh": torch.tanh,
        "relu": torch.relu,
        "leaky_relu": torch.nn.functional.leaky_relu,
        "identity": lambda z: z,
        "softmax": lambda z: torch.softmax(z, dim=1),
    }
    for layer, dense in enumerate(network.layers, start=1):
        a = functions[dense.activation](a @ parameters[f"W{layer}"].T + parameters.get(f"b{layer}", 0))
    each = {
        "half_squared_error": lambda: ((t - a) ** 2).sum(1) / 2,
        "mean_squared_error": lambda: ((t - a) ** 2).mean(1),
        "binary_cross_entropy": lambda: -(t * a.log() + (1 - t) * (1 - a).log()).mean(1),
        "categorical_cross_entropy": lambda: -(t * a.log()).sum(1),
    }[network.loss]()
    penalty = sum((parameters[f"W{k}"] ** 2).sum() for k in range(1, len(network.layers) + 1)) * network.l2 / 2
    error = (each.sum() if network.over_examples == "sum" else each.mean()) + penalty
    error.backward()
    found = {name: value.grad.numpy() for name, value in parameters.items()}
    return {"E": error.detach().numpy(), **found}


def of_jax(network: Network, single: bool) -> Answers:
    """What JAX's `grad` makes of the same network."""
    import jax
    import jax.numpy as jnp

    kind = np.float32 if single else np.float64
    functions: dict[str, Any] = {
        "logistic": jax.nn.sigmoid,
        "tanh": jnp.tanh,
        "relu": jax.nn.relu,
        "leaky_relu": jax.nn.leaky_relu,
        "identity": lambda z: z,
        "softmax": jax.nn.softmax,
    }
    losses: dict[str, Any] = {
        "half_squared_error": lambda a, t: ((t - a) ** 2).sum(1) / 2,
        "mean_squared_error": lambda a, t: ((t - a) ** 2).mean(1),
        "binary_cross_entropy": lambda a, t: -(t * jnp.log(a) + (1 - t) * jnp.log(1 - a)).mean(1),
        "categorical_cross_entropy": lambda a, t: -(t * jnp.log(a)).sum(1),
    }
    with jax.enable_x64(not single):
        x, t = jnp.asarray(network.inputs, kind), jnp.asarray(network.targets, kind)

        def error(parameters: dict[str, Any]) -> Any:
            a = x
            for layer, dense in enumerate(network.layers, start=1):
                z = a @ parameters[f"W{layer}"].T + parameters.get(f"b{layer}", 0)
                a = functions[dense.activation](z)
            each = losses[network.loss](a, t)
            penalty = sum((parameters[f"W{k}"] ** 2).sum() for k in range(1, len(network.layers) + 1))
            return (each.sum() if network.over_examples == "sum" else each.mean()) + penalty * network.l2 / 2

        value, found = jax.value_and_grad(error)(
            {
                f"{letter}{layer}": jnp.asarray(values, kind)
                for layer, dense in enumerate(network.layers, start=1)
                for letter, values in (("W", dense.weights), ("b", dense.bias))
                if values is not None
            }
        )
        return {"E": np.asarray(value), **{name: np.asarray(each) for name, each in found.items()}}


WAYS: dict[str, Callable[[Network], Answers]] = {
    "NumPy float64": answers,
    "NumPy float32": lambda network: answers(in_single(network)),
    "torch float64": lambda network: of_torch(network, False),
    "torch float32": lambda network: of_torch(network, True),
    "JAX float64": lambda network: of_jax(network, False),
    "JAX float32": lambda network: of_jax(network, True),
}
