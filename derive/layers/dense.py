"""Layers of units that see every value of the last axis: dense, and the highway connection."""

from __future__ import annotations

from derive.layers.frame import (
    BIAS,
    CONSTANTS,
    REQUIRED,
    UNITS,
    Key,
    LayerError,
    LayerType,
    Parameters,
    Scope,
    Settings,
    activation_key,
    biases,
    matrix,
)
from derive.program import Shape


def _parameters(settings: Settings, incoming: Shape) -> Parameters:
    return {"W": matrix(settings["units"], incoming[-1]), **biases(settings, settings["units"], "b")}


def _write(scope: Scope) -> str:
    """z = x Wᵀ + b, a = f(z): W has a row per unit, a column per incoming value."""
    z = scope.name("z")
    return "\n".join(
        (
            f"{z} = {scope.incoming.name} @ {scope.name('W')}.T{scope.bias()}",
            f"{scope.name('a')} = {scope.squashed(z)}",
        )
    )


DENSE = LayerType(
    "dense",
    "every unit sees every incoming value: a = f(W x + b); of a sequence, at each step",
    {"units": UNITS, "activation": activation_key(), **CONSTANTS, "bias": BIAS},
    _parameters,
    _write,
    aliases={"weights": "W"},
    stems=("W", "b"),
    meanings={"W": "weights", "b": "biases", "z": "net inputs", "a": "activations"},
    axes=lambda settings, incoming: dict.fromkeys("za", (*incoming[:-1], "unit")),
)


ACTIVATION = LayerType(
    "activation",
    "an activation by itself, a = f(x), behind a layer that has none of its own (a normalization, a sum)",
    {"activation": Key("activation", REQUIRED, "see `chainrule list activations`"), **CONSTANTS},
    lambda settings, incoming: {},
    lambda scope: f"{scope.name('a')} = {scope.squashed(scope.incoming.name)}",
    meanings={"a": "activations"},
)


def _highway_parameters(settings: Settings, incoming: Shape) -> Parameters:
    features = incoming[-1]
    if settings["units"] not in (None, features):
        raise LayerError(
            "units", f"found {settings['units']}, but {features} values come in, and what is carried past has as many"
        )
    weights = {stem: matrix(features, features) for stem in ("W_H", "W_T")}
    return {**weights, **biases(settings, features, "b_H", "b_T")}


def _highway(scope: Scope) -> str:
    """H = f(W_H x + b_H), T = σ(W_T x + b_T), a = T ⊙ H + (1 − T) ⊙ x."""
    x, name = scope.incoming.name, scope.name
    return "\n".join(
        (
            f"{name('z_H')} = {x} @ {name('W_H')}.T{scope.bias('b_H')}",
            f"{name('H')} = {scope.squashed(name('z_H'))}",
            f"{name('z_T')} = {x} @ {name('W_T')}.T{scope.bias('b_T')}",
            f"{name('T')} = logistic({name('z_T')})",
            f"{name('a')} = {name('T')} * {name('H')} + (1 - {name('T')}) * {x}",
        )
    )


HIGHWAY = LayerType(
    "highway",
    "a gate T carries the incoming values past a dense layer H: a = T H(x) + (1 − T) x",
    {
        "units": Key("whole", None, "as many as values come in, which is known without it"),
        "activation": activation_key("relu"),
        **CONSTANTS,
        "bias": BIAS,
    },
    _highway_parameters,
    _highway,
    stems=("W_H", "W_T", "b_H", "b_T"),
    meanings={
        "W_H": "weights of the layer's own answer",
        "b_H": "biases of the layer's own answer",
        "W_T": "weights of the transform gate",
        "b_T": "biases of the transform gate",
        "z_H": "net input of the layer's own answer",
        "H": "the layer's own answer",
        "z_T": "net input of the transform gate",
        "T": "transform gate",
        "a": "own answer and carried values, mixed by the gate",
    },
    axes=lambda settings, incoming: dict.fromkeys(("z_H", "H", "z_T", "T", "a"), (*incoming[:-1], "unit")),
    like={"z_H": "net", "z_T": "net", "a": "activation"},
)


def _residual_parameters(settings: Settings, incoming: Shape) -> Parameters:
    if "W" not in settings.stated and not settings["project"]:
        return {}
    skipped = settings.earlier[source(settings, len(settings.earlier))]
    return {"W": matrix(incoming[-1], skipped[-1], "values of the layer before", "values that are added")}


def _residual(scope: Scope) -> str:
    """A = x + skipped, or x + skipped Wᵀ where the widths differ."""
    start = source(scope.settings, scope.number)  # len(earlier) is the number of this layer
    skipped = scope.earlier[start]
    where = "the inputs" if start == 0 else f"layer {start}"
    line = f"{scope.name('a')} = {scope.incoming.name} + {skipped.name}"
    if "W" in scope.parameters:
        return f"{line} @ {scope.name('W')}.T"
    if skipped.shape != scope.incoming.shape:
        raise LayerError(
            "from",
            f"{_values(skipped.shape)} values come from {where}, and {_values(scope.incoming.shape)} from the layer "
            "before: they cannot be added; weights can make them fit",
        )
    return line


def _values(shape: Shape) -> str:
    return " × ".join(map(str, shape[1:]))


def source(settings: Settings, number: int) -> int:
    """The layer (0: the inputs) whose output is added: by default what came into the layer before."""
    start: int = number - 2 if settings["from"] is None else settings["from"]
    if not 0 <= start < number - 1:
        what = "the first layer has none before it" if number == 1 else f"0 (the inputs) to {number - 2} are possible"
        raise LayerError("from", f"found {start}; {what}")
    return start


RESIDUAL = LayerType(
    "residual",
    "adds what came out of an earlier layer: a = F(x) + x, where the layers between are F",
    {
        "from": Key(
            "whole",
            None,
            "the layer whose output is added, 0 for the inputs; absent: what came into the layer before",
            least=0,
        ),
        "project": Key("flag", False, "multiply it by a matrix W first, where the widths differ"),
    },
    _residual_parameters,
    _residual,
    aliases={"weights": "W"},
    stems=("W",),
    meanings={"W": "weights that make the earlier values fit", "a": "sum with the earlier values"},
)
