"""Layers that rescale: layer_norm, batch_norm, and dropout with a given mask."""

from __future__ import annotations

from fractions import Fraction

from derive.layers.frame import (
    Key,
    LayerError,
    LayerType,
    Parameter,
    Parameters,
    Scope,
    Settings,
    product,
    written,
)
from derive.program import Shape

EPSILON = Key("number", Fraction(1, 10**5), "added to the variance; absent: 1e-5")
AFFINE = Key("flag", False, "multiply by gamma and add beta without their being given (drawn, or symbols)")


def _scale_and_shift(settings: Settings, size: int, axis: str) -> Parameters:
    """Gamma and beta, where given or asked for."""
    if settings["epsilon"] < 0:
        raise LayerError("epsilon", f"found {settings['epsilon']}; a number of at least 0 is expected")
    roles = {"gamma": "scale", "beta": "bias"}
    return {
        stem: Parameter(role, (size,), (axis,))
        for stem, role in roles.items()
        if settings["affine"] or settings.has(stem)
    }


def _normalized(scope: Scope, axes: str, shape: Shape | None) -> str:
    """m, v, n = (x − m)/√(v + ε) over ``axes``, and a = γ n + β, the two spread to ``shape``."""
    x, m, v, n, a = (scope.incoming.name, *(scope.name(letter) for letter in "mvna"))

    def spread(stem: str) -> str:
        return scope.name(stem) if shape is None else f"reshape({scope.name(stem)}, {shape})"

    gamma, beta = (stem in scope.parameters for stem in ("gamma", "beta"))
    normal = n if gamma or beta else a
    lines = [
        f"{m} = mean({x}, axis={axes}, keepdims=True)",
        f"{v} = mean(({x} - {m})**2, axis={axes}, keepdims=True)",
        f"{normal} = ({x} - {m}) / sqrt({v} + {written(scope.settings['epsilon'])})",
    ]
    if gamma or beta:
        scaled = f"{spread('gamma')} * {n}" if gamma else n
        lines.append(f"{a} = {scaled}" + (f" + {spread('beta')}" if beta else ""))
    return "\n".join(lines)


def _meanings(over: str) -> dict[str, str]:
    return {
        "gamma": "scale",
        "beta": "shift",
        "m": f"mean over {over}",
        "v": f"variance over {over}",
        "n": "normalized values",
        "a": "output of the normalization",
    }


LAYER_NORM = LayerType(
    "layer_norm",
    "each example's features (each step's, each row's) with mean 0 and variance 1, then γ times that plus β",
    {"epsilon": EPSILON, "affine": AFFINE},
    lambda settings, incoming: _scale_and_shift(settings, incoming[-1], "features"),
    lambda scope: _normalized(scope, "-1", None),
    stems=("gamma", "beta"),
    meanings=_meanings("the features"),
    axes=lambda settings, incoming: dict.fromkeys("mv", (*incoming[:-1], "")),
)


def _batch_axes(incoming: Shape) -> tuple[tuple[int, ...], int]:
    """The axes over which a feature is averaged, and the axis of the features: the channels of an image."""
    features = 1 if len(incoming) == 4 else len(incoming) - 1
    return tuple(axis for axis in range(len(incoming)) if axis != features), features


def _batch_parameters(settings: Settings, incoming: Shape) -> Parameters:
    axes, features = _batch_axes(incoming)
    if product([incoming[axis] for axis in axes]) < 2:
        raise LayerError("type", "batch_norm of one value is always 0; at least two examples are needed")
    return _scale_and_shift(settings, incoming[features], "channels" if len(incoming) == 4 else "features")


def _batch(scope: Scope) -> str:
    axes, features = _batch_axes(scope.incoming.shape)
    shape = (scope.incoming.shape[features], 1, 1) if len(scope.incoming.shape) == 4 else None
    return _normalized(scope, str(axes) if len(axes) > 1 else str(axes[0]), shape)


def _averaged(settings: Settings, incoming: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """The axes of the mean and the variance: only the features' is longer than one."""
    features = 1 if len(incoming) == 4 else len(incoming) - 1
    return dict.fromkeys("mv", tuple(word if axis == features else "" for axis, word in enumerate(incoming)))


BATCH_NORM = LayerType(
    "batch_norm",
    "each feature (each channel of images) with mean 0 and variance 1 over the batch, then γ times that plus β",
    {"epsilon": EPSILON, "affine": AFFINE},
    _batch_parameters,
    _batch,
    stems=("gamma", "beta"),
    meanings=_meanings("the batch"),
    axes=_averaged,
)


def _mask(settings: Settings, incoming: Shape) -> Parameters:
    if not 0 <= settings["rate"] < 1:
        raise LayerError("rate", f"found {settings['rate']}; a number from 0 to less than 1 is expected")
    axes = ("examples", *("values" for _ in incoming[1:]))
    whole = len(settings.stated.get("mask", ())) == len(incoming)
    first = 0 if whole else 1
    return {"mask": Parameter("mask", incoming[first:], axes[first:])}


def _dropout(scope: Scope) -> str:
    """A = x ⊙ mask / (1 − rate)."""
    kept = 1 - scope.settings["rate"]
    scale = "" if kept == 1 else f" / {written(kept)}"
    return f"{scope.name('a')} = {scope.incoming.name} * {scope.name('mask')}{scale}"


DROPOUT = LayerType(
    "dropout",
    "values where the mask is 0 are dropped, the others divided by 1 − rate",
    {"rate": Key("number", Fraction(1, 2), "the share that is dropped; absent: 0.5")},
    _mask,
    _dropout,
    stems=("mask",),
    meanings={"mask": "mask: 0 where a value is dropped", "a": "values that are kept"},
)
