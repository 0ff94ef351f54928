"""What a layer type is made of: its keys, its parameters, and the equations it writes."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from derive.errors import ChainruleError
from derive.functions import ACTIVATIONS
from derive.program import BACK, Place, Shape, Variable


class LayerError(ChainruleError):
    """A layer that cannot be written: ``key`` is where in its table the fault lies ("" for the whole of it)."""

    def __init__(self, key: str, message: str) -> None:
        self.key, self.message = key, message
        super().__init__(f"{key}: {message}" if key else message)


@dataclass(frozen=True)
class Key:
    """A key of a layer's table.

    ``kind``: "whole", "pair" (a whole number, or two for height and width), "flag", "number", "activation",
    "bias" or "word" (one of ``choices``). ``least`` bounds whole numbers. ``size_of``: where the key is absent,
    it is the length of this axis (or axes) of the array of that stem.
    """

    kind: str
    default: Any
    summary: str
    least: int = 1
    choices: tuple[str, ...] = ()
    size_of: tuple[str, int | slice] | None = None


@dataclass(frozen=True)
class Parameter:
    """An array that a layer is given: its role, its shape, and what each axis counts."""

    role: str
    shape: Shape
    axes: tuple[str, ...]


@dataclass(frozen=True)
class Settings:
    """The values of a layer's keys, defaults filled in, and the shapes of the arrays that are given by stem.

    ``earlier``: the shapes of the inputs and of what came out of each layer before.
    """

    values: Mapping[str, Any]
    stated: Mapping[str, Shape] = field(default_factory=dict)
    earlier: tuple[Shape, ...] = ()

    def __getitem__(self, key: str) -> Any:
        """The value of a key."""
        return self.values[key]

    def has(self, stem: str) -> bool:
        """Is an array of this stem given?"""
        return stem in self.stated


@dataclass(frozen=True)
class Scope:
    """Where a layer writes: its number, what comes in, its settings, and what came out of the layers before.

    ``earlier`` begins with the inputs x; ``tokens`` are the inputs as nested whole numbers, where they are such.
    """

    number: int
    incoming: Variable
    settings: Settings
    parameters: Mapping[str, Parameter]
    earlier: tuple[Variable, ...] = ()
    tokens: Any = None
    places: dict[str, Place] = field(default_factory=dict)

    def name(self, stem: str, step: int | None = None) -> str:
        """The name of an array of this layer: W_i becomes W1_i, and with a time step W1_i_t2. Its place is noted."""
        name = array_name(stem, self.number, step)
        self.places[name] = place(stem, self.number, step)
        return name

    def bias(self, stem: str = "b") -> str:
        """`` + b1``, or nothing where there is no bias."""
        return f" + {self.name(stem)}" if stem in self.parameters else ""

    def squashed(self, argument: str, key: str = "activation") -> str:
        """The layer's activation of an array, as text."""
        return activated(self.settings, argument, key)


Parameters = dict[str, Parameter]
Axes = tuple[str, ...]


def as_incoming(settings: Settings, incoming: Axes) -> Mapping[str, Axes]:
    """Every array that the layer writes has the axes of what comes in."""
    return {}


LIKE_UNITS: Mapping[str, str] = {"W": "weight", "b": "bias", "z": "net", "a": "activation"}
"""The stems of what is there in a layer of units too, and its role there."""


@dataclass(frozen=True)
class LayerType:
    """A layer type: one row.

    ``keys`` are its own keys in a problem file; ``parameters`` tells, for the settings and the incoming shape
    (examples first), which arrays it wants by stem; every stem is a key too. ``write`` writes the equations, of
    which the last defines what comes out. ``aliases``: other names of stems. ``meanings``: what each array is,
    by stem, in a few words ("input gate"). ``reads``: what the axes of one example's incoming values count, where
    the layer wants certain ones. ``axes``: what those of the arrays that it writes count, by stem, where they are
    not the incoming ones. ``like``: the roles, by stem, that arrays would have in a layer of units.
    """

    name: str
    summary: str
    keys: Mapping[str, Key]
    parameters: Callable[[Settings, Shape], Parameters]
    write: Callable[[Scope], str]
    aliases: Mapping[str, str] = field(default_factory=dict)
    stems: tuple[str, ...] = ()
    meanings: Mapping[str, str] = field(default_factory=dict)
    reads: Axes = ()
    axes: Callable[[Settings, Axes], Mapping[str, Axes]] = as_incoming
    like: Mapping[str, str] = field(default_factory=lambda: LIKE_UNITS)

    def meaning(self, place: Place) -> str:
        """What an array of this layer is, in a few words; "" where no row of ``meanings`` says it."""
        stem = place.stem.removesuffix(BACK)
        own = self.meanings.get(f"{stem}0") if place.time == 0 else None
        found = own or self.meanings.get(stem, "")
        return f"{found}, direction from the end" if found and place.backward else found


def incoming_axes(rows: Sequence[LayerType], rank: int) -> Axes:
    """What the axes of the inputs count, by what the layers read: "example" first.

    A sequence that a recurrent layer reads, be it behind others, has time steps; any other has positions.
    """
    wanted = [row.reads for row in rows if len(row.reads) == rank - 1]
    usual = {2: ("feature",), 3: ("position", "feature"), 4: ("channel", "row", "column")}
    found = wanted[0] if wanted else usual.get(rank, ("",) * (rank - 1))
    timed = any("time" in row.reads for row in rows)
    return ("example", *("time" if timed and word == "position" else word for word in found))


def place(stem: str, number: int, step: int | None = None) -> Place:
    """The place of an array by its stem: h0 is the state h before the first step."""
    letter, joint, rest = stem.partition("_")
    return Place(number, f"{letter[:-1]}{joint}{rest}", 0) if letter.endswith("0") else Place(number, stem, step)


def array_name(stem: str, number: int, step: int | None = None) -> str:
    """The name of an array by its stem, its layer and its time step; h0 is the state h before the first step."""
    at = place(stem, number, step)
    letter, joint, rest = at.stem.partition("_")
    return f"{letter}{number}{joint}{rest}" + ("" if at.time is None else f"_t{at.time}")


def settled(
    row: LayerType, given: Mapping[str, Any], stated: Mapping[str, Shape], earlier: tuple[Shape, ...] = ()
) -> Settings:
    """The settings of a layer: keys given, read off the arrays that are given, or by default.

    Raises LayerError for a size that nothing tells.
    """
    values: dict[str, Any] = {}
    for name, key in row.keys.items():
        value = given.get(name)
        if value is None and key.size_of is not None and key.size_of[0] in stated:
            stem, axes = key.size_of
            value = _size(row, stem, stated[stem], axes)
        if value is None:
            value = key.default
        if value is REQUIRED:
            raise LayerError("", f"has {_neither(row, name, key)}")
        values[name] = value
    return Settings(values, stated, earlier)


REQUIRED = object()
"""The default of a key that has none."""


def _neither(row: LayerType, name: str, key: Key) -> str:
    if key.size_of is None:
        return f"no {name}; {row.name} needs it: {key.summary}"
    return f"neither {usual_name(row, key.size_of[0])} nor {name}; one of them is needed"


def usual_name(row: LayerType, stem: str) -> str:
    """The key under which an array usually stands in a problem file: W under weights, b under bias."""
    return next((alias for alias, each in row.aliases.items() if each == stem), "bias" if stem == "b" else stem)


def _size(row: LayerType, stem: str, shape: Shape, axes: int | slice) -> Any:
    wanted = axes.stop if isinstance(axes, slice) else axes + 1
    if len(shape) < wanted:
        message = f"found {shape_text(shape)}; an array with {max(2, wanted)} axes is expected"
        raise LayerError(usual_name(row, stem), message)
    return shape[axes]


def shape_text(shape: Shape) -> str:
    """A shape in words: ``a number``, ``2 numbers``, ``an array of 2 × 3``."""
    if not shape:
        return "a number"
    return f"{shape[0]} numbers" if len(shape) == 1 else f"an array of {' × '.join(map(str, shape))}"


def wanted_text(parameter: Parameter) -> str:
    """What is expected of an array and why: ``2 × 3 (2 units, 3 incoming values)``."""
    if not parameter.shape:
        return "a number"
    counted = ", ".join(
        f"{size} {axis if size != 1 else singular(axis)}"
        for size, axis in zip(parameter.shape, parameter.axes, strict=True)
    )
    return f"{' × '.join(map(str, parameter.shape))} ({counted})"


def singular(words: str) -> str:
    """Value of the state, of: values of the state."""
    return re.sub(r"s\b", "", words, count=1)


def activated(settings: Settings, argument: str, key: str = "activation", axis: int | None = None) -> str:
    """An activation of an array as text, with its constant where one is given; softmax over ``axis``."""
    name = settings[key]
    constant = settings.values.get(str(ACTIVATIONS[name].constant))
    options = "" if constant is None else f", {constant}"
    if ACTIVATIONS[name].over_axis and axis is not None:
        options = f", axis={axis}"
    return f"{name}({argument}{options})"


def biases(settings: Settings, units: int, *stems: str, axis: str = "units") -> Parameters:
    """The biases that a layer has: those given, and all of ``stems`` where ``bias`` asks for them.

    A number, or "shared", is one bias for all units.
    """
    found: Parameters = {}
    for stem in stems:
        if stem in settings.stated or settings["bias"] is not None:
            one = settings.stated[stem] == () if stem in settings.stated else settings["bias"] == "shared"
            found[stem] = Parameter("bias", () if one else (units,), () if one else (axis,))
    return found


def matrix(rows: int, columns: int, of_rows: str = "units", of_columns: str = "incoming values") -> Parameter:
    """A matrix of weights: a row per unit, a column per incoming value."""
    return Parameter("weight", (rows, columns), (of_rows, of_columns))


def axes_of(incoming: Shape, wanted: Sequence[str], layer: str) -> tuple[int, ...]:
    """The incoming lengths without the examples', if there is one for each of ``wanted``; else LayerError."""
    if len(incoming) - 1 != len(wanted):
        found = " × ".join(map(str, incoming[1:])) or "one"
        raise LayerError("type", f"{layer} wants {' × '.join(wanted)} for each example, and {found} values come in")
    return incoming[1:]


UNITS = Key("whole", REQUIRED, "how many units, where the weights are not given", size_of=("W", 0))
BIAS = Key("bias", None, 'one per unit, one for all, "per_unit" or "shared" (drawn, or symbols); absent: none')
CONSTANTS = {
    "slope": Key("number", None, "of leaky_relu, for negative net inputs; absent: 0.01"),
    "alpha": Key("number", None, "of elu, which goes to -alpha for negative net inputs; absent: 1"),
}
"""The constants of activations, by the names that their rows give them."""


def activation_key(default: str = "identity") -> Key:
    """The key of a layer's activation."""
    return Key("activation", default, f"see `chainrule list activations`; absent: {default}")


def product(sizes: Sequence[int]) -> int:
    """How many elements."""
    return math.prod(sizes)


def written(number: Fraction) -> str:
    """An exact number in the equation language."""
    return f"({number})" if number.denominator != 1 or number < 0 else str(number)
