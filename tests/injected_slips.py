"""Every mistake that can be made in a network, in every reading: what `injected.answers` is asked to make."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
from injected import FORMS, HALVES, Dense, Floats, Network, Slip

CROSS_ENTROPY = ("binary_cross_entropy", "categorical_cross_entropy")
MEANS = ("mean_squared_error", "binary_cross_entropy")


def slips(net: Network) -> Iterator[Slip]:
    """All of them: at the outputs, at each layer, at all layers."""
    yield from of_the_error(net)
    yield from of_the_numbers(net)
    depth = len(net.layers)
    for layer in range(1, depth + 1):
        yield from of_a_layer(net, layer)
        if layer > 1:
            yield from of_the_way_back(net, layer)
    yield from of_all_layers(net)


def of_the_error(net: Network) -> Iterator[Slip]:
    """Mistakes at the outputs, whose layer is "all"."""
    examples, outputs = net.targets.shape
    mean, softmax = net.loss in MEANS, net.layers[-1].activation == "softmax"
    squared = net.loss not in CROSS_ENTROPY
    yield Slip("sign_of_error", "all", "of the difference")
    yield Slip("factor_two", "all", "at the outputs")
    yield Slip("factor_half", "all", "at the outputs")
    for reading in ("for the derivative", "as delta", "whole, as delta"):
        yield Slip("error_value_as_delta", "all", reading)
    if not softmax:  # its Jacobian makes 0 of what is the same everywhere
        yield Slip("error_value_as_delta", "all", "whole, for the derivative")
    if squared:
        yield Slip("target_forgotten", "all", "taken as 0")
    elif softmax or net.layers[-1].activation == "logistic":
        yield Slip("target_forgotten", "all", "delta is the output")
    if softmax and net.loss == "categorical_cross_entropy":
        yield Slip("softmax_and_cross_entropy_both_differentiated", len(net.layers), "Jacobian")
        yield Slip("softmax_and_cross_entropy_both_differentiated", len(net.layers), "diagonal")
    if net.loss == "half_squared_error":
        yield Slip("loss_without_half")
    if not mean and outputs > 1:
        yield Slip("loss_averaged")
        if examples > 1 and net.over_examples == "sum":
            yield Slip("loss_averaged", "all", "over all")
    for output in range(outputs if outputs > 1 else 0):
        yield Slip("output_forgotten_in_loss", "all", str(output))
    if examples > 1:
        averaged = net.over_examples == "mean"
        yield Slip("examples_summed_not_averaged" if averaged else "examples_averaged_not_summed")
        yield Slip("last_example_only")
        if averaged:
            yield Slip("last_example_only", "all", "not averaged")
    for name, size in (("inputs_swapped", net.inputs.shape[1]), ("targets_swapped", outputs)):
        for order in ("first two", "shifted", "reversed") if size > 1 else ():
            yield Slip(name, "all", order)
    first, second = (np.shape(each.bias) if each.bias is not None else None for each in net.layers[:2])
    if first is not None and first == second:
        yield Slip("biases_swapped", "all", "of layers")
        yield Slip("biases_swapped", "all", "of layers, own gradients")
    if net.l2:
        yield Slip("weight_decay_missing")


def of_the_numbers(net: Network) -> Iterator[Slip]:
    """Mistakes in what is handed over."""
    yield Slip("accumulated_twice")
    yield Slip("learning_rate_folded_in")
    yield Slip("update_handed_over")
    yield Slip("new_weights_handed_over")
    if all(square(each) for each in net.layers):
        yield Slip("layout_transposed")


def square(dense: Dense) -> bool:
    return dense.weights.shape[0] == dense.weights.shape[1]


def of_a_layer(net: Network, layer: int) -> Iterator[Slip]:
    """Mistakes in one layer: its activation, its weights, its bias."""
    dense, depth = net.layers[layer - 1], len(net.layers)
    yield from of_an_activation(dense.activation, layer)
    if layer < depth:
        yield Slip("sign_of_error", layer, "of the delta")
    if square(dense):
        yield Slip("weights_transposed_forward", layer)
        yield Slip("weights_transposed_forward", layer, "forward alone")
        yield Slip("weight_gradient_transposed", layer)
    yield Slip("weight_gradient_input_missing", layer)
    yield Slip("weight_gradient_times_weight", layer, "too")
    yield Slip("weight_gradient_times_weight", layer, "for the input")
    yield from of_the_entering(net, layer)
    if dense.bias is not None:
        yield from of_a_bias(net, layer)


def of_an_activation(name: str, layer: int) -> Iterator[Slip]:
    yield from (Slip("wrong_activation_forward", layer, other) for other in others(name))
    if name == "softmax":
        yield Slip("softmax_jacobian_diagonal_only", layer)
    if name in ("identity",):
        return
    yield Slip("activation_derivative_missing", layer, "everywhere")
    yield Slip("activation_derivative_missing", layer, "in the gradients")
    if name == "softmax":
        return
    yield from (Slip("wrong_activation_forward", layer, f"{other}, stated derivative") for other in others(name))
    if name in FORMS:
        yield Slip("activation_derivative_of_net_form", layer)
        yield Slip("activation_derivative_twice", layer)
        yield Slip("activation_derivative_at_output", layer)
    for other in ("logistic", "tanh", "relu"):
        if other != name:
            yield Slip("activation_derivative_wrong_function", layer, f"{other} at the net input")
            if other in FORMS:
                yield Slip("activation_derivative_wrong_function", layer, f"{other} of the output")
    yield from (Slip("activation_derivative_half_formed", layer, half) for half in HALVES.get(name, ()))
    if name in ("relu", "leaky_relu"):
        yield Slip("relu_mask_missing", layer)
    if name == "relu":
        yield Slip("relu_mask_of_gradient", layer)
        yield Slip("relu_mask_of_gradient", layer, "both")


def others(name: str) -> tuple[str, ...]:
    return tuple(each for each in ("logistic", "tanh", "relu", "identity") if each != name)


def of_the_entering(net: Network, layer: int) -> Iterator[Slip]:
    """Another value for the one that enters: its net input, another layer's, another unit's."""
    size = net.layers[layer - 1].weights.shape[1]
    if layer > 1:
        yield Slip("weight_gradient_wrong_input", layer, "net")
    widths = [net.inputs.shape[1], *(len(each.weights) for each in net.layers)]
    for other, width in enumerate(widths):
        if width == size and other != layer - 1:
            yield Slip("weight_gradient_wrong_input", layer, f"output of {other}")
    for order in ("first two", "shifted", "reversed") if size > 1 else ():
        yield Slip("weight_gradient_wrong_input", layer, f"unit of {order}")
    if size > 1:
        yield Slip("weight_gradient_wrong_input", layer, "first unit")


def of_a_bias(net: Network, layer: int) -> Iterator[Slip]:
    dense, examples = net.layers[layer - 1], len(net.inputs)
    shared, units = np.ndim(dense.bias) == 0, len(dense.weights)
    terms = examples * (units if shared else 1)
    yield Slip("biases_left_out_forward", layer, "so its gradient is 0")
    yield Slip("biases_left_out_forward", layer, "differentiated all the same")
    yield Slip("bias_gradient_zero", layer)
    yield Slip("bias_gradient_times_bias", layer)
    if terms > 1:
        yield Slip("bias_gradient_not_summed", layer, "first")
        yield Slip("bias_gradient_not_summed", layer, "last")
        yield Slip("bias_gradient_averaged", layer, "over all")
    if examples > 1 and shared and units > 1:
        yield Slip("bias_gradient_not_summed", layer, "units of the last example")
        yield Slip("bias_gradient_averaged", layer, "over examples")
    if not shared and units > 1:
        yield Slip("biases_swapped", layer, "of units")
        yield Slip("biases_swapped", layer, "of units, own gradients")


def of_the_way_back(net: Network, layer: int) -> Iterator[Slip]:
    """Mistakes where a delta passes back through a layer's weights."""
    dense = net.layers[layer - 1]
    units, entering = dense.weights.shape
    if square(dense):
        yield Slip("back_pass_not_transposed", layer)
    yield Slip("back_pass_updated_weights", layer)
    yield Slip("back_pass_weight_missing", layer)
    if dense.activation != "identity":
        yield Slip("back_pass_activation_derivative_missing", layer)
    if units > 1:
        yield Slip("back_pass_averaged", layer)
        yield from (Slip("back_pass_path_missing", layer, f"output {unit}") for unit in range(units))
        yield Slip("back_pass_path_missing", layer, "all but its own")
    for unit, place in product(range(units), range(entering)):
        yield Slip("back_pass_path_missing", layer, f"one {unit} {place}")
    for other, each in enumerate(net.layers, start=1):
        if other != layer and each.weights.shape == dense.weights.shape:
            yield Slip("back_pass_wrong_layer_weights", layer, f"{other} as they are")
        if other != layer and each.weights.shape[::-1] == dense.weights.shape:
            yield Slip("back_pass_wrong_layer_weights", layer, f"{other} transposed")


def of_all_layers(net: Network) -> Iterator[Slip]:
    """The same mistake in every layer."""
    names = {each.activation for each in net.layers}
    if names == {"logistic"} or names == {"tanh"}:
        for mistake in ("of_net_form", "at_output", "twice"):
            yield Slip(f"activation_derivative_{mistake}")
        for half in HALVES[names.copy().pop()]:
            yield Slip("activation_derivative_half_formed", "all", half)
        yield Slip("activation_derivative_wrong_function", "all", "relu at the net input")
        yield Slip("wrong_activation_forward", "all", "relu")
        yield Slip("wrong_activation_forward", "all", "relu, stated derivative")
    if "identity" not in names:
        yield Slip("activation_derivative_missing", "all", "everywhere")
    yield Slip("weight_gradient_input_missing")
    yield Slip("weight_gradient_times_weight", "all", "too")
    if all(square(each) for each in net.layers):
        yield Slip("weights_transposed_forward")
        yield Slip("weight_gradient_transposed")
    if all(each.bias is not None for each in net.layers):
        yield Slip("biases_left_out_forward", "all", "so its gradient is 0")
        yield Slip("bias_gradient_zero")
    if len(net.layers) > 2:
        yield Slip("back_pass_updated_weights")
        yield Slip("back_pass_weight_missing")
        if all(square(each) for each in net.layers[1:]):
            yield Slip("back_pass_not_transposed")


# ---- networks ------------------------------------------------------------------------------


def drawn(
    seed: int,
    widths: tuple[int, ...],
    activations: tuple[str, ...],
    loss: str = "half_squared_error",
    *,
    examples: int = 1,
    over_examples: str = "sum",
    biases: tuple[str | None, ...] | str | None = "per unit",
    l2: float = 0.0,
) -> Network:
    """A network with numbers of four decimals; its relu units are on and off as it happens."""
    draw = np.random.default_rng(seed)
    kinds = biases if isinstance(biases, tuple) else (biases,) * len(activations)

    def some(*shape: int, low: float = -1.0, high: float = 1.0) -> Floats:
        return np.round(draw.uniform(low, high, shape), 4)

    layers = []
    for entering, units, activation, kind in zip(widths, widths[1:], activations, kinds, strict=False):
        bias = None if kind is None else float(some()) if kind == "shared" else some(units)
        layers.append(Dense(some(units, entering), bias, activation))
    targets = some(examples, widths[-1], low=0.05, high=0.95)
    if loss == "categorical_cross_entropy":
        targets = np.eye(widths[-1])[draw.integers(widths[-1], size=examples)]
    rate = float(np.round(draw.uniform(0.1, 0.9), 2))
    return Network(some(examples, widths[0]), targets, tuple(layers), loss, over_examples, l2, rate)


MAZUR = Network(
    np.array([[0.05, 0.10]]),
    np.array([[0.01, 0.99]]),
    (
        Dense(np.array([[0.15, 0.20], [0.25, 0.30]]), 0.35, "logistic"),
        Dense(np.array([[0.40, 0.45], [0.50, 0.55]]), 0.60, "logistic"),
    ),
)
"""The network of Mazur's article."""
