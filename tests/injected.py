"""Backpropagation of dense networks in plain NumPy, right or with any known mistake: a witness apart from `derive`.

Nothing here knows how mistakes are looked for. Each is written as somebody would make it in vectorised code, in the
readings that its name allows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Layer = int | str
Answers = dict[str, Any]


@dataclass(frozen=True)
class Dense:
    """One layer: ``bias`` is None, a number that all units share, or a number for each."""

    weights: Floats
    bias: float | Floats | None
    activation: str


@dataclass(frozen=True, eq=False)
class Network:
    """``inputs`` and ``targets`` have a row for each example."""

    inputs: Floats
    targets: Floats
    layers: tuple[Dense, ...]
    loss: str = "half_squared_error"
    over_examples: str = "sum"
    l2: float = 0.0
    rate: float = 0.5

    @property
    def problem(self) -> dict[str, Any]:
        """The same network as a problem file states it."""
        layers = [
            {"activation": each.activation, "weights": each.weights.tolist()}
            | ({} if each.bias is None else {"bias": np.asarray(each.bias).tolist()})
            for each in self.layers
        ]
        pairs = zip(self.inputs.tolist(), self.targets.tolist(), strict=True)
        stated: dict[str, Any] = {
            "examples": [{"inputs": inputs, "targets": targets} for inputs, targets in pairs],
            "layers": layers,
            "loss": {"name": self.loss, "over_examples": self.over_examples},
            "update": {"learning_rate": self.rate},
        }
        return stated | ({"penalty": {"l2": self.l2}} if self.l2 else {})


@dataclass(frozen=True)
class Slip:
    """One mistake, where it is made (``layer``: a number from 1, or "all"), and in which reading of its name."""

    mistake: str
    layer: Layer = "all"
    reading: str = "plain"


class Made:
    """Asks which reading of a mistake is made at a layer: "" where it is not made."""

    def __init__(self, slips: tuple[Slip, ...]) -> None:
        self.slips = slips

    def __call__(self, mistake: str, layer: int | None = None) -> str:
        for slip in self.slips:
            if slip.mistake == mistake and (layer is None or slip.layer in ("all", layer)):
                return slip.reading
        return ""


# ---- activations ---------------------------------------------------------------------------


def logistic(z: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-z)))


def softmax(z: Floats) -> Floats:
    powers = np.exp(z - z.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


FUNCTIONS: dict[str, Callable[[Floats], Floats]] = {
    "logistic": logistic,
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0),
    "leaky_relu": lambda z: np.where(z > 0, z, 0.01 * z),
    "identity": lambda z: z,
    "softmax": softmax,
}

SLOPES: dict[str, Callable[[Floats], Floats]] = {
    "logistic": lambda z: logistic(z) * (1 - logistic(z)),
    "tanh": lambda z: 1 - np.tanh(z) ** 2,
    "relu": lambda z: (z > 0) * 1.0,
    "leaky_relu": lambda z: np.where(z > 0, 1.0, 0.01),
    "identity": np.ones_like,
}

FORMS: dict[str, Callable[[Floats], Floats]] = {"logistic": lambda a: a * (1 - a), "tanh": lambda a: 1 - a**2}
"""Derivatives as they are written in the output."""

HALVES: dict[str, dict[str, Callable[[Floats], Floats]]] = {
    "logistic": {"only a": lambda a: a, "only 1 - a": lambda a: 1 - a, "a (1 + a)": lambda a: a * (1 + a)},
    "tanh": {"1 + a squared": lambda a: 1 + a**2, "1 - a": lambda a: 1 - a, "a squared": lambda a: a**2},
}


def jacobian_times(s: Floats, g: Floats) -> Floats:
    """What softmax passes back."""
    return np.asarray(s * (g - (g * s).sum(axis=1, keepdims=True)))


# ---- the network ---------------------------------------------------------------------------


def answers(net: Network, *slips: Slip) -> Answers:
    """What somebody hands over who makes these mistakes: W1, b1, W2, … and the error."""
    return _Pass(net, Made(slips)).results()


ORDERS: dict[str, Callable[[int], list[int]]] = {
    "first two": lambda size: [1, 0, *range(2, size)],
    "shifted": lambda size: [*range(1, size), 0],
    "reversed": lambda size: list(range(size))[::-1],
}


class _Pass:
    def __init__(self, net: Network, made: Made) -> None:
        self.net, self.made = net, made
        self.depth = len(net.layers)
        self.examples, self.outputs = net.targets.shape
        x, t = net.inputs, net.targets
        self.x = x[:, ORDERS[order](x.shape[1])] if (order := made("inputs_swapped")) else x
        self.t = t[:, ORDERS[order](t.shape[1])] if (order := made("targets_swapped")) else t
        self.forward()
        self.grads: Answers = {}
        self.error, passed = self.compare()
        for layer in range(self.depth, 0, -1):
            passed = self.backward(layer, passed)

    # ---- forward ---------------------------------------------------------------------------

    def forward(self) -> None:
        net, made = self.net, self.made
        self.a, self.z = [self.x], [self.x]
        self.stored: list[int] = list(range(self.depth))  # whose bias each layer reads
        if made("biases_swapped") in ("of layers", "of layers, own gradients"):
            self.stored[:2] = [1, 0]
        for layer, dense in enumerate(net.layers, start=1):
            bias = net.layers[self.stored[layer - 1]].bias
            z = self.a[-1] @ self.weights(layer).T
            if bias is not None and not made("biases_left_out_forward", layer):
                swapped = made("biases_swapped", layer) in ("of units", "of units, own gradients")
                z = z + (np.asarray(bias)[::-1] if swapped else bias)
            self.z.append(z)
            self.a.append(FUNCTIONS[self.forward_activation(layer, dense)](z))

    def weights(self, layer: int) -> Floats:
        """The weights as the forward pass reads them, a row for each unit."""
        weights = self.net.layers[layer - 1].weights
        return weights.T if self.made("weights_transposed_forward", layer) else weights

    def turned(self, layer: int) -> bool:
        """Does the backward pass, too, take the weights transposed?"""
        return self.made("weights_transposed_forward", layer) == "plain"

    def forward_activation(self, layer: int, dense: Dense) -> str:
        return self.made("wrong_activation_forward", layer).split(",")[0] or dense.activation

    # ---- the error -------------------------------------------------------------------------

    def compare(self) -> tuple[float, Floats]:
        """The error and what it passes back to the outputs."""
        net, made, a, t = self.net, self.made, self.a[-1], self.t
        factor = np.ones_like(t) * self.factor()
        if output := made("output_forgotten_in_loss"):
            factor[:, int(output)] = 0
        if made("last_example_only"):
            factor[:-1] = 0
        values = errors(net.loss, a, t) * factor
        penalty = net.l2 / 2 * sum(float((each.weights**2).sum()) for each in net.layers)
        error = float(values.sum()) + penalty * (not made("weight_decay_missing"))
        slope = slopes(net.loss, a, np.zeros_like(t) if made("target_forgotten") == "taken as 0" else t)
        passed = slope * factor
        self.values, self.whole = values, error
        if made("sign_of_error") == "of the difference":
            passed = -passed
        if made("factor_two") == "at the outputs":
            passed = 2 * passed
        if made("factor_half") == "at the outputs":
            passed = passed / 2
        if made("error_value_as_delta") == "for the derivative":
            passed = values
        if made("error_value_as_delta") == "whole, for the derivative":
            passed = np.full_like(t, error)
        return error, passed

    def factor(self) -> float:
        """What each element's error is multiplied with."""
        net, made = self.net, self.made
        mean = net.loss in ("mean_squared_error", "binary_cross_entropy")
        found = 1 / self.outputs if mean else 1.0
        if net.over_examples == "mean":
            found /= self.examples
        if made("loss_without_half"):
            found *= 2
        if made("loss_averaged"):
            found /= self.outputs
        if made("loss_averaged") == "over all":
            found /= self.examples
        if made("examples_averaged_not_summed"):
            found /= self.examples
        if made("examples_summed_not_averaged") or made("last_example_only") == "not averaged":
            found *= self.examples
        return found

    # ---- backward --------------------------------------------------------------------------

    def backward(self, layer: int, passed: Floats) -> Floats:
        """The gradients of a layer, from what is passed back to its outputs; and what it passes back."""
        delta = self.delta(layer, passed)
        if layer < self.depth:
            sign = -1 if self.made("sign_of_error", layer) == "of the delta" else 1
            delta = delta * sign * (2 if self.made("factor_two", layer) == "of the delta" else 1)
        missing = self.made("activation_derivative_missing", layer) == "in the gradients"
        self.weight_gradient(layer, passed if missing else delta)
        self.bias_gradient(layer, passed if missing else delta)
        return self.back(layer, delta, passed) if layer > 1 else passed

    def delta(self, layer: int, g: Floats) -> Floats:
        made, z, a = self.made, self.z[layer], self.a[layer]
        if layer == self.depth and (delta := self.output_delta(z, a)) is not None:
            return delta
        name, stated = self.forward_activation(layer, self.net.layers[layer - 1]), self.net.layers[layer - 1].activation
        if made("activation_derivative_missing", layer) == "everywhere":
            return g
        if made("relu_mask_missing", layer) and stated in ("relu", "leaky_relu"):
            return g
        if name == "softmax":
            return self.softmax_delta(layer, a, g)
        if made("wrong_activation_forward", layer).endswith("stated derivative"):
            return g * (FORMS[stated](a) if stated in FORMS else SLOPES[stated](z))
        return g * self.slope(layer, name, z, a, g)

    def slope(self, layer: int, name: str, z: Floats, a: Floats, g: Floats) -> Floats:
        """The derivative of the activation, as somebody takes it."""
        made = self.made
        if made("activation_derivative_of_net_form", layer) and name in FORMS:
            return FORMS[name](z)
        if made("activation_derivative_at_output", layer):
            return SLOPES[name](a)
        if made("activation_derivative_twice", layer):
            return SLOPES[name](z) ** 2
        if half := made("activation_derivative_half_formed", layer):
            return HALVES[name][half](a) if half in HALVES.get(name, {}) else SLOPES[name](z)
        if other := made("activation_derivative_wrong_function", layer):
            function, _, place = other.partition(" ")
            return FORMS[function](a) if place == "of the output" else SLOPES[function](z)
        if (masked := made("relu_mask_of_gradient", layer)) and name == "relu":
            return (g > 0) * (SLOPES[name](z) if masked == "both" else 1.0)
        return SLOPES[name](z)

    def softmax_delta(self, layer: int, a: Floats, g: Floats) -> Floats:
        if self.made("softmax_jacobian_diagonal_only", layer):
            return np.asarray(g * a * (1 - a))
        return jacobian_times(a, g)

    def output_delta(self, z: Floats, a: Floats) -> Floats | None:
        """Where the delta of the outputs is not what the chain rule makes of the loss."""
        made = self.made
        if made("error_value_as_delta") == "as delta":
            return self.values
        if made("error_value_as_delta") == "whole, as delta":
            return np.full_like(a, self.whole)
        if made("target_forgotten") == "delta is the output":
            return a * self.factor()
        if both := made("softmax_and_cross_entropy_both_differentiated"):
            difference = (a - self.t) * self.factor()
            return jacobian_times(a, difference) if both == "Jacobian" else difference * a * (1 - a)
        return None

    def weight_gradient(self, layer: int, delta: Floats) -> None:
        made, weights, entering = self.made, self.net.layers[layer - 1].weights, self.a[layer - 1]
        match made("weight_gradient_wrong_input", layer).split(" of "):
            case ["net"]:
                entering = self.z[layer - 1]
            case ["output", other]:
                entering = self.a[int(other)]
            case ["unit", order]:
                entering = entering[:, ORDERS[order](entering.shape[1])]
            case ["first unit"]:
                entering = np.repeat(entering[:, :1], entering.shape[1], axis=1)
        if made("weight_gradient_input_missing", layer):
            entering = np.ones_like(entering)
        found = delta.T @ entering
        if self.turned(layer) != bool(made("weight_gradient_transposed", layer)):
            found = found.T
        if times := made("weight_gradient_times_weight", layer):
            found = weights * (found if times == "too" else delta.T @ np.ones_like(entering))
        decay = not made("weight_decay_missing")
        self.grads[f"W{layer}"] = found + (self.net.l2 * weights if decay else 0)

    def bias_gradient(self, layer: int, delta: Floats) -> None:
        made, place = self.made, self.stored[layer - 1]
        if made("biases_swapped").endswith("own gradients"):
            place = layer - 1
        bias = self.net.layers[place].bias
        if bias is None:
            return
        shared = np.ndim(bias) == 0
        terms = delta.size if shared else len(delta)
        found = np.asarray(delta.sum() if shared else delta.sum(axis=0))
        if made("biases_left_out_forward", layer) == "so its gradient is 0" or made("bias_gradient_zero", layer):
            found = np.zeros_like(found)
        if part := made("bias_gradient_not_summed", layer):
            rows = delta[0] if part.startswith("first") else delta[-1]
            found = np.asarray(rows[0 if part.startswith("first") else -1] if shared else rows)
            if part == "units of the last example":
                found = np.asarray(rows.sum())
        if part := made("bias_gradient_averaged", layer):
            found = found / (terms if part == "over all" else len(delta))
        if made("bias_gradient_times_bias", layer):
            found = found * np.asarray(bias)
        if made("biases_swapped", layer) == "of units":
            found = found[::-1]
        self.grads[f"b{place + 1}"] = found

    def back(self, layer: int, delta: Floats, passed: Floats) -> Floats:
        """What is passed back through a layer's weights."""
        made, weights = self.made, self.net.layers[layer - 1].weights
        if made("back_pass_activation_derivative_missing", layer):
            delta = passed
        if made("back_pass_updated_weights", layer):
            weights = weights - self.net.rate * self.grads[f"W{layer}"]
        if self.turned(layer) != bool(made("back_pass_not_transposed", layer)):
            weights = weights.T
        if made("back_pass_weight_missing", layer):
            weights = np.ones_like(weights)
        if other := made("back_pass_wrong_layer_weights", layer):
            chosen = self.net.layers[int(other.split()[0]) - 1].weights
            weights = chosen.T if other.endswith("transposed") else chosen
        if path := made("back_pass_path_missing", layer):
            weights = weights * paths(weights.shape, path)
        if made("back_pass_averaged", layer):
            weights = weights / len(weights)
        return delta @ weights

    # ---- what is handed over ---------------------------------------------------------------

    def results(self) -> Answers:
        made, found = self.made, dict(self.grads)
        for name, value in self.grads.items():
            layer, stored = int(name[1:]), self.net.layers[int(name[1:]) - 1]
            own = np.asarray(stored.weights if name[0] == "W" else stored.bias)
            if made("sign_of_error", layer) == "of the gradients":
                value = -value
            if made("factor_two", layer) == "of the gradients":
                value = 2 * value
            if made("factor_half", layer) == "of the gradients":
                value = value / 2
            if made("accumulated_twice", layer):
                value = 2 * value
            if made("learning_rate_folded_in", layer):
                value = self.net.rate * value
            if made("update_handed_over"):
                value = -self.net.rate * value
            if made("new_weights_handed_over"):
                value = own - self.net.rate * value
            if made("layout_transposed") and name[0] == "W":
                value = np.asarray(value).T
            found[name] = value
        order = sorted(found, key=lambda name: (int(name[1:]), name[0]))
        return {"E": self.error, **{name: found[name] for name in order}}


def paths(shape: tuple[int, ...], path: str) -> Floats:
    """1 where a path back is kept, 0 where it is missing."""
    kept = np.ones(shape)
    match path.split():
        case ["one", unit, entering]:
            kept[int(unit), int(entering)] = 0
        case ["output", unit]:
            kept[int(unit)] = 0
        case _:
            kept = np.eye(*shape)
    return kept


def errors(loss: str, a: Floats, t: Floats) -> Floats:
    """Each element's share of the error."""
    if loss == "half_squared_error":
        return np.asarray((t - a) ** 2 / 2)
    if loss in ("squared_error", "mean_squared_error"):
        return np.asarray((t - a) ** 2)
    if loss == "categorical_cross_entropy":
        return np.asarray(-t * np.log(a))
    return np.asarray(-(t * np.log(a) + (1 - t) * np.log(1 - a)))


def slopes(loss: str, a: Floats, t: Floats) -> Floats:
    """The derivative of each element's share by the output."""
    if loss == "half_squared_error":
        return np.asarray(a - t)
    if loss in ("squared_error", "mean_squared_error"):
        return np.asarray(2 * (a - t))
    if loss == "categorical_cross_entropy":
        return np.asarray(-t / a)
    return np.asarray(-t / a + (1 - t) / (1 - a))
