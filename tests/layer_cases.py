"""Layers of every type, small, with all their options: what the tests of layers are run on."""

from __future__ import annotations

from typing import Any

from derive.layers import Stated

BIAS = {"bias": "per_unit"}


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
    "activation": ([layer("activation", activation="tanh")], (2, 4), None),
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
