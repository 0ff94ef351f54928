"""How times grow: a power law fitted to each, by array against the width, by element against the local derivatives."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import derive
import render
from derive import layers
from derive.layers import LAYERS, Stated, written_layers
from derive.problem import Problem, load
from derive.program import Variable
from derive.reverse import gradient_program
from render.formats import render_text
from tests.benchmarks.measure import Row, seconds

WIDTHS = (8, 16, 32, 64, 128, 256, 512)
FEW = {"image": (2, 4, 8, 16), "other": (8, 16, 32, 64)}
"""Widths by element, where the number of local derivatives grows with the width or with its square."""

STEPS, IMAGE = 3, 8

Table = dict[str, Any]


@dataclass(frozen=True)
class Family:
    """A network around one layer type: its layers for a width, an example's inputs, and by what it is differentiated
    where that is not all its parameters."""

    layers: Callable[[int], list[Table]]
    inputs: Callable[[int], Any]
    examples: int = 1
    by: tuple[str, ...] | None = None


def _symbols(*shape: int) -> Table | int:
    return {"shape": list(shape)} if len(shape) > 1 else shape[0]


def _on_row(*tables: Table) -> Family:
    return Family(lambda width: _sized(tables, width), lambda width: _symbols(width))


def _on_sequence(*tables: Table) -> Family:
    return Family(lambda width: _sized(tables, width), lambda width: _symbols(STEPS, width))


def _on_image(*tables: Table, by: tuple[str, ...] | None = None) -> Family:
    """Of images the width is the number of channels."""
    return Family(lambda width: _sized(tables, width), lambda width: _symbols(width, IMAGE, IMAGE), by=by)


def _sized(tables: Sequence[Table], width: int) -> list[Table]:
    return [{key: width if value is WIDTH else value for key, value in table.items()} for table in tables]


WIDTH = object()
"""Stands for the width in a layer's table."""


def _numbers(*shape: int) -> Any:
    """Inputs of that shape, from 0.1 to 0.9 in turn."""
    return np.resize(np.arange(1, 10) / 10, shape).round(1).tolist()


DENSE = {"type": "dense", "units": WIDTH, "activation": "tanh", "bias": "per_unit"}
CONV = {"type": "conv2d", "filters": WIDTH, "kernel_size": 3, "activation": "tanh", "bias": "per_unit"}

FAMILIES: dict[str, Family] = {
    "dense": _on_row(DENSE, DENSE),
    "conv2d": _on_image(CONV),
    "max_pool2d": _on_image({"type": "max_pool2d", "size": 2}, by=("x",)),
    "avg_pool2d": _on_image({"type": "avg_pool2d", "size": 2}, by=("x",)),
    "flatten": _on_image({"type": "flatten"}, by=("x",)),
    "embedding": Family(lambda n: [{"type": "embedding", "vocabulary": 4, "size": n}], lambda n: [0, 2, 1]),
    "rnn": _on_sequence({"type": "rnn", "units": WIDTH, "bias": "per_unit"}),
    "lstm": _on_sequence({"type": "lstm", "units": WIDTH, "bias": "per_unit"}),
    "gru": _on_sequence({"type": "gru", "units": WIDTH, "bias": "per_unit"}),
    "self_attention": _on_sequence({"type": "self_attention", "heads": 2, "causal": True, "output_projection": True}),
    "layer_norm": _on_sequence({"type": "layer_norm", "affine": True}),
    "batch_norm": Family(
        lambda n: _sized([{"type": "batch_norm", "affine": True}], n), lambda n: _symbols(n), examples=4
    ),
    "dropout": _on_row(DENSE, {"type": "dropout"}),
    "residual": _on_row(DENSE, {"type": "residual"}),
    "highway": _on_row({"type": "highway", "bias": "per_unit"}),
}


def problem(name: str, width: int) -> Problem:
    """The family's network of that width, everything in it a symbol, with as many targets as values come out."""
    family = FAMILIES[name]
    tables, inputs = family.layers(width), family.inputs(width)
    shape = (
        (len(inputs),)
        if isinstance(inputs, list)
        else tuple(inputs["shape"])
        if isinstance(inputs, dict)
        else (inputs,)
    )
    tokens = [inputs] * family.examples if isinstance(inputs, list) else None
    x = Variable("x", (family.examples, *shape), per_example=True)
    stated = [Stated(table["type"], {key: value for key, value in table.items() if key != "type"}) for table in tables]
    targets = _symbols(*written_layers(stated, x, tokens)[-1].output.shape[1:])
    return load(
        {
            "examples": [{"inputs": inputs, "targets": targets}] * family.examples,
            "layers": tables,
            "loss": {"name": "half_squared_error"},
            **({} if family.by is None else {"parameters": list(family.by)}),
        }
    )


def power(sizes: Sequence[float], times: Sequence[float]) -> float:
    """The exponent of the power law that fits best: the slope on logarithmic scales."""
    slope, _ = np.polyfit(np.log(sizes), np.log(times), 1)
    return float(slope)


def by_array() -> Iterator[Row]:
    """The exponent of the derivation by array against the width, for every layer type."""
    if set(FAMILIES) != set(LAYERS):
        raise SystemExit(f"tests/benchmarks/growth.py: no network for {sorted(set(LAYERS) ^ set(FAMILIES))}")
    for name in FAMILIES:
        times = []
        for width in WIDTHS:
            made = layers.program(problem(name, width))
            times.append(seconds(lambda made=made: gradient_program(made), number=10))  # type: ignore[misc]
        yield Row(f"{name}: by array at width {WIDTHS[-1]}", times[-1] * 1e3, "ms")
        yield Row(f"… power of the width, {WIDTHS[0]} to {WIDTHS[-1]}", power(WIDTHS, times), "", 0.1)


def by_element() -> Iterator[Row]:
    """The exponent of the derivation by element against the number of local derivatives, for every layer type."""
    for name in FAMILIES:
        sizes, times = [], []
        image = FAMILIES[name].layers(1)[0]["type"] in ("conv2d", "max_pool2d", "avg_pool2d", "flatten")
        for width in FEW["image" if image else "other"]:
            stated = problem(name, width)
            steps = derive.differentiate(stated).gradient_steps.values()
            sizes.append(sum(len(step.terms) for step in steps))
            times.append(seconds(lambda stated=stated: derive.differentiate(stated).gradient_steps, repeat=3))  # type: ignore[misc]
        yield Row(f"{name}: by element, {sizes[-1]:,} local derivatives", times[-1] * 1e3, "ms")
        yield Row("… power of their number", power(sizes, times), "", 1.15)


# A thousand weights each, and a page of each: (what it is, inputs, layers).
THOUSAND = (
    (
        "a convolution and two dense layers",
        _numbers(1, 10, 10),
        [
            {"type": "conv2d", "filters": 3, "kernel_size": 3, "activation": "relu", "bias": "per_unit"},
            {"type": "max_pool2d", "size": 2},
            {"type": "flatten"},
            {"units": 18, "activation": "tanh", "bias": "per_unit"},
            {"units": 5, "activation": "softmax", "bias": "per_unit"},
        ],
    ),
    (
        "an LSTM of 13 units over three steps",
        _numbers(3, 5),
        [{"type": "lstm", "units": 13, "bias": "per_unit"}, {"units": 1}],
    ),
    (
        "dense, 20-35-8",
        _numbers(20),
        [{"units": 35, "activation": "logistic", "bias": "per_unit"}, {"units": 8, "activation": "logistic"}],
    ),
)


def pages() -> Iterator[Row]:
    """The seconds from a problem of a thousand weights to its web page."""
    for what, inputs, tables in THOUSAND:
        outputs = tables[-1]["units"]
        stated = load(
            {
                "examples": [{"inputs": inputs, "targets": [1] + [0] * (outputs - 1)}],
                "layers": tables,
                "initial": {"seed": 1, "decimals": 2},
                "loss": {"name": "half_squared_error"},
                "update": {"learning_rate": 0.1},
            }
        )
        program = layers.program(stated)
        weights = sum(math.prod(program.shape(name)) for name in program.parameters)

        def page(stated: Problem = stated) -> str:
            return render_text(render.worked_example(derive.differentiate(stated)).document, "html")

        yield Row(f"page of {what}, {weights:,} weights and biases", seconds(page, repeat=3), "s", 10)
