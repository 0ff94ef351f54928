"""A problem file from a framework's module: its layers with their weights, inputs and targets as symbols or numbers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from derive.errors import ChainruleError, shown, unknown
from derive.files.layers import read_layer
from derive.files.numbers import NumberText
from derive.files.toml_text import Bare, toml
from derive.functions import LOSSES
from derive.layers.frame import LayerError
from derive.layers.network import tried_layers
from derive.problem import load_text
from derive.program import Variable
from derive.verification import processes
from derive.verification.files import text_of
from derive.verification.runner import Task

Table = dict[str, Any]

USUAL_LOSS = {"softmax": "categorical_cross_entropy", "log_softmax": "nll"}
"""The loss that goes with the last activation, unless another is asked for."""

LOGITS = {"categorical_cross_entropy": "softmax"}
"""Losses that frameworks take of net inputs: the activation that they have in them."""

RANKS = {"dense": 1, "conv2d": 3, "max_pool2d": 3, "avg_pool2d": 3, "embedding": 1, "rnn": 2, "lstm": 2, "gru": 2}
"""How many axes one example has, told by the layer that first reads it."""

SECONDS = 120.0


@dataclass(frozen=True)
class Asked:
    """What is said beside the module: numbers as JSON text, the shape of one example, the loss, the title."""

    inputs: str = ""
    targets: str = ""
    shape: tuple[int, ...] = ()
    loss: str = ""
    title: str = ""


@dataclass(frozen=True)
class Made:
    """The text of a problem file, and what has to be said about it."""

    text: str
    notes: tuple[str, ...] = ()


def problem_text(source: str, asked: Asked) -> Made:
    """The problem file of ``torch:module.py:name`` or ``onnx:model.onnx``. Raises ChainruleError, MissingDependency."""
    prefix, colon, rest = source.partition(":")
    if not colon or prefix not in SOURCES:
        raise ChainruleError(f"--from: {unknown(prefix, SOURCES)}: torch:module.py:name or onnx:model.onnx")
    found = SOURCES[prefix](rest)
    layers: list[Table] = [numbered(layer) for layer in found["layers"]]
    notes = list(found["notes"])
    loss = asked.loss or USUAL_LOSS.get(str(layers[-1].get("activation")), "half_squared_error")
    if loss not in LOSSES:
        raise ChainruleError(f"--loss: {unknown(loss, LOSSES)}")
    if asked.loss in LOGITS and layers[-1].get("activation", "identity") == "identity":
        layers[-1]["activation"] = LOGITS[asked.loss]
        notes.append(f"{LOGITS[asked.loss]} is written as the last activation: frameworks have it in that loss")
    examples = _examples(layers, asked, LOSSES[loss].classes)
    tables = {
        "title": asked.title or f"The network of {Path(rest.split(':')[0]).name}, step by step",
        "examples": examples,
        "layers": layers,
        "loss": {"name": loss},
    }
    text = toml(tables, f"Made from {Path(rest.split(':')[0]).name}; the weights are its own, digit for digit.")
    load_text(text, source, "toml")
    return Made(text, tuple(notes))


def _torch(rest: str) -> Mapping[str, Any]:
    file, colon, name = rest.rpartition(":")
    if not colon or not file.endswith(".py") or not name:
        raise ChainruleError(f"torch:{rest}: expected torch:module.py:name")
    text_of(Path(file))  # says what is wrong with it
    return processes.run_task(Task("torch problem", file, name), SECONDS)


def _onnx(rest: str) -> Mapping[str, Any]:
    from derive.frameworks.onnx_graphs import layers_of

    return layers_of(rest)


SOURCES: dict[str, Callable[[str], Mapping[str, Any]]] = {"torch": _torch, "onnx": _onnx}


WORDS = ("type", "activation")


def numbered(value: Any, key: str = "") -> Any:
    """Texts of numbers as numbers of a file; names stay names."""
    if isinstance(value, str):
        return value if key in WORDS else Bare(value)
    if isinstance(value, list):
        return [numbered(each, key) for each in value]
    return {k: numbered(each, k) for k, each in value.items()} if isinstance(value, dict) else value


# ---- examples ------------------------------------------------------------------------------


def _examples(layers: Sequence[Table], asked: Asked, classes: bool) -> list[Table]:
    """The examples: numbers that were given, or symbols in the shape that the layers want.

    Beside numbers one whole number for a target is a class, where the loss has such: symbols are a table then.
    """
    first = next((RANKS[kind] for layer in layers if (kind := layer.get("type", "dense")) in RANKS), 1)
    inputs = _given("--inputs", asked.inputs, first) if asked.inputs else None
    shape = _shape_of(inputs[0]) if inputs else asked.shape or _told(layers)
    count = len(inputs) if inputs else 2 if any(layer.get("type") == "batch_norm" for layer in layers) else 1
    out = _outputs(layers, (count, *shape), inputs)
    targets = (
        _given("--targets", asked.targets, _target_rank(asked.targets, len(out), count)) if asked.targets else None
    )
    if targets and len(targets) != count:
        raise ChainruleError(f"--targets: found {len(targets)} targets; there are {count} inputs")
    rows = []
    for number in range(count):
        given = inputs[number] if inputs else _symbols(shape)
        symbols = {"shape": list(out)} if classes and inputs else _symbols(out)
        rows.append({"inputs": given, "targets": targets[number] if targets else symbols})
    return rows


def _told(layers: Sequence[Table]) -> tuple[int, ...]:
    """The shape of one example, where the first layer with weights alone tells it."""
    for layer in layers:
        kind = layer.get("type", "dense")
        if kind == "dense":
            return (len(layer["weights"][0]),)
        if kind == "embedding":
            raise ChainruleError("--inputs: an embedding reads whole numbers; give them: --inputs '[0, 2, 1]'")
        if kind in RANKS or kind == "flatten":
            what = {3: "1,6,6 (channels, height, width)", 2: "3,2 (steps, features)"}.get(RANKS.get(kind, 3), "2")
            raise ChainruleError(f"--shape: the shape of one input cannot be told from {kind}; such as --shape {what}")
        if "gamma" in layer:
            return (len(layer["gamma"]),)
    raise ChainruleError("--shape: no layer tells the shape of one input; such as --shape 2")


def _outputs(layers: Sequence[Table], shape: tuple[int, ...], inputs: Any) -> tuple[int, ...]:
    """The shape of one example's outputs. Raises ChainruleError where the layers do not fit."""
    read = [read_layer(_exact(layer), f"layers[{row}]") for row, layer in enumerate(layers)]
    for _, faults in read:
        for fault in faults:
            raise ChainruleError(f"{fault.place}: {fault.message}")
    tokens = None
    if layers[0].get("type") == "embedding":
        try:
            tokens = json.loads(json.dumps(inputs, default=str), parse_float=int)
            tokens = _whole(tokens)
        except (TypeError, ValueError):
            raise ChainruleError("--inputs: an embedding reads whole numbers") from None
    written, errors = tried_layers(
        [layer.stated for layer, _ in read if layer is not None], Variable("x", shape), tokens
    )
    for error in errors:
        raise ChainruleError(str(error) if isinstance(error, LayerError) else repr(error))
    return written[-1].output.shape[1:]


def _exact(value: Any) -> Any:
    """Bare numbers as a file's are read."""
    if isinstance(value, Bare):
        return NumberText(value)
    if isinstance(value, list):
        return [_exact(each) for each in value]
    return {k: _exact(v) for k, v in value.items()} if isinstance(value, dict) else value


def _whole(value: Any) -> Any:
    return [_whole(each) for each in value] if isinstance(value, list) else int(value)


def _symbols(shape: tuple[int, ...]) -> Any:
    return shape[0] if len(shape) == 1 else {"shape": list(shape)}


def _given(option: str, text: str, rank: int) -> list[Any]:
    """Numbers of an option, JSON or a file with it: one example, or a list of them."""
    written = text if text.lstrip().startswith(("[", "{")) or _is_number(text) else text_of(Path(text))
    try:
        found = json.loads(written, parse_float=Bare, parse_int=Bare, parse_constant=Bare)
    except (ValueError, RecursionError) as error:
        raise ChainruleError(f"{option}: is not JSON: {error}") from None
    depth, level = 0, found
    while isinstance(level, list) and level:
        depth, level = depth + 1, level[0]
    if depth == rank:
        return [found]
    if depth == rank + 1:
        return list(found)
    raise ChainruleError(
        f"{option}: found {shown(text)}; expected {'nested ' * (rank > 1)}lists of numbers, such as [0.1, 0.2]"
    )


def _is_number(text: str) -> bool:
    return text.strip().lstrip("-").replace(".", "", 1).isdigit()


def _target_rank(text: str, rank: int, count: int) -> int:
    """How deep one target's lists are: a class is no list."""
    try:
        found = json.loads(text)
    except ValueError:
        return rank
    if isinstance(found, int):
        return 0
    classes = isinstance(found, list) and len(found) == count and all(isinstance(each, int) for each in found)
    return 0 if classes and count > 1 else rank


def _shape_of(value: Any) -> tuple[int, ...]:
    shape = []
    while isinstance(value, list):
        shape.append(len(value))
        value = value[0] if value else None
    return tuple(shape)
