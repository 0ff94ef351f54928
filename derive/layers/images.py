"""Layers on images (channels × height × width): convolution and pooling; and flatten."""

from __future__ import annotations

from derive.arrays import LARGEST_ARRAY
from derive.layers.frame import (
    BIAS,
    CONSTANTS,
    REQUIRED,
    Key,
    LayerError,
    LayerType,
    Parameter,
    Parameters,
    Scope,
    Settings,
    activated,
    activation_key,
    axes_of,
    biases,
    product,
)
from derive.program import Shape
from derive.selections import pair

IMAGE = ("channels", "height", "width")
AXES = ("channel", "row", "column")


def _fits(size: tuple[int, int], incoming: Shape, padding: tuple[int, int], key: str) -> None:
    """Raise LayerError where a window is larger than the image, or the padding beyond all measure."""
    room = tuple(length + 2 * pad for length, pad in zip(incoming[-2:], padding, strict=True))
    if product((*incoming[:-2], *room)) > LARGEST_ARRAY:
        raise LayerError("padding", f"makes an image of {room[0]} × {room[1]}, which is too large to be worked with")
    if size[0] > room[0] or size[1] > room[1]:
        padded = " with its padding" if padding != (0, 0) else ""
        raise LayerError(
            key, f"found {size[0]} × {size[1]}, and the image is {room[0]} × {room[1]}{padded}: the window does not fit"
        )


def _conv_parameters(settings: Settings, incoming: Shape) -> Parameters:
    channels, *_ = axes_of(incoming, IMAGE, "conv2d")
    size = pair(settings["kernel_size"], "kernel_size")
    _fits(size, incoming, pair(settings["padding"], "padding"), "W" if settings.has("W") else "kernel_size")
    kernel = Parameter("weight", (settings["filters"], channels, *size), ("filters", "channels", "rows", "columns"))
    return {"W": kernel, **biases(settings, settings["filters"], "b", axis="filters")}


def _conv(scope: Scope) -> str:
    """z = x ⋆ W + b (cross-correlation, as every library has it), a = f(z)."""
    settings, z, a = scope.settings, scope.name("z"), scope.name("a")
    shared = "b" in scope.parameters and not scope.parameters["b"].shape
    operands = [scope.incoming.name, scope.name("W")]
    if "b" in scope.parameters and not shared:
        operands.append(scope.name("b"))
    options = [
        f"{key}={_written(settings[key])}" for key, usual in (("stride", 1), ("padding", 0)) if settings[key] != usual
    ]
    convolved = f"conv2d({', '.join((*operands, *options))}){scope.bias() if shared else ''}"
    if settings["activation"] == "identity":
        return f"{a} = {convolved}"
    return f"{z} = {convolved}\n{a} = {activated(settings, z, axis=1)}"


def _written(value: int | tuple[int, ...]) -> str:
    return str(value) if isinstance(value, int) else f"({', '.join(map(str, value))})"


CONV2D = LayerType(
    "conv2d",
    "kernels slid over an image (channels × height × width): a = f(x ⋆ W + b)",
    {
        "filters": Key("whole", REQUIRED, "how many kernels, where the weights are not given", size_of=("W", 0)),
        "kernel_size": Key("pair", REQUIRED, "their height and width", size_of=("W", slice(2, 4))),
        "stride": Key("pair", 1, "how far the kernel moves"),
        "padding": Key("pair", 0, "zeros around the image", least=0),
        "activation": activation_key(),
        **CONSTANTS,
        "bias": BIAS,
    },
    _conv_parameters,
    _conv,
    aliases={"weights": "W"},
    stems=("W", "b"),
    meanings={"W": "filters", "b": "biases of the filters", "z": "net inputs of the feature maps", "a": "feature maps"},
    reads=AXES,
)


def _pooling(name: str, summary: str, meaning: str) -> LayerType:
    def parameters(settings: Settings, incoming: Shape) -> Parameters:
        axes_of(incoming, IMAGE, name)
        _fits(pair(settings["size"], "size"), incoming, (0, 0), "size")
        return {}

    def write(scope: Scope) -> str:
        size, stride = scope.settings["size"], scope.settings["stride"]
        options = _written(size) if stride is None else f"{_written(size)}, {_written(stride)}"
        return f"{scope.name('a')} = {name}({scope.incoming.name}, {options})"

    keys = {
        "size": Key("pair", REQUIRED, "height and width of the window"),
        "stride": Key("pair", None, "how far the window moves; absent: its size"),
    }
    return LayerType(name, summary, keys, parameters, write, meanings={"a": meaning}, reads=AXES)


MAX_POOL2D = _pooling(
    "max_pool2d", "the largest value of each window of an image; of several the first", "largest value of each window"
)
AVG_POOL2D = _pooling("avg_pool2d", "the mean of each window of an image", "mean of each window")


def _flatten(scope: Scope) -> str:
    examples, *rest = scope.incoming.shape
    return f"{scope.name('a')} = reshape({scope.incoming.name}, ({examples}, {product(rest)}))"


FLATTEN = LayerType(
    "flatten",
    "all values of an example in one row, in order",
    {},
    lambda settings, incoming: {},
    _flatten,
    meanings={"a": "all values in one row"},
    axes=lambda settings, incoming: {"a": ("example", "value")},
)
