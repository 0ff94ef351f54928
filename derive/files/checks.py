"""What the keys of a problem file must be to each other: shapes that fit, names that exist, numbers in range."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from derive.errors import Fault, unknown
from derive.files.updates import update_faults

if TYPE_CHECKING:
    from derive.files.tables import ExampleTable, InitialTable, LayeredFile, LayerTable, ProblemFile
    from derive.functions import Activation, Loss

MAX_PARAMETERS = 10**7


@dataclass(frozen=True)
class _Settings:
    """A file under examination; ``broken`` holds the addresses of keys that are known to be wrong."""

    file: LayeredFile
    broken: frozenset[tuple[str | int, ...]]

    def sound(self, *address: str | int) -> bool:
        """May the value at this address be relied on?"""
        return not any(address[:length] in self.broken for length in range(1, len(address) + 1))


@dataclass(frozen=True)
class _Reading(_Settings):
    """A file of dense layers under examination."""

    file: ProblemFile


def cross_check(file: ProblemFile, broken: frozenset[tuple[str | int, ...]]) -> list[Fault]:
    """Every contradiction between the keys of a file, as far as the keys in ``broken`` allow to tell."""
    reading = _Reading(file, broken)
    return [
        *_inputs(reading),
        *_layers(reading),
        *_targets(reading),
        *_loss(reading),
        *_initial(reading),
        *_update(reading),
        *_parameters(reading),
    ]


def settings_check(file: LayeredFile, broken: frozenset[tuple[str | int, ...]]) -> list[Fault]:
    """Every fault of the tables that know nothing of the layers: loss and initial."""
    reading = _Settings(file, broken)
    return [*_loss(reading), *_initial(reading)]


# ---- examples ------------------------------------------------------------------------------


def _inputs(reading: _Reading) -> Iterator[Fault]:
    first: tuple[int, str, int] | None = None
    for row, example in enumerate(reading.file.examples):
        place = f"examples[{row}].inputs"
        if not reading.sound("examples", row, "inputs"):
            continue
        if example.inputs in (0, []):
            yield Fault(place, "there are none; at least one input is needed")
            continue
        kind, size = _kind_and_size(example.inputs)
        if first is None:
            first = (row, kind, size)
        elif kind != first[1]:
            yield Fault(place, f"found {kind}, but examples[{first[0]}] has {first[1]}; they cannot be mixed")
        elif size != first[2]:
            yield Fault(place, f"found {size} values, but examples[{first[0]}] has {first[2]}")


def _kind_and_size(values: list[Fraction] | int) -> tuple[str, int]:
    return ("symbols", values) if isinstance(values, int) else ("numbers", len(values))


def _targets(reading: _Reading) -> Iterator[Fault]:
    if not reading.sound("loss", "name"):
        return
    last = len(reading.file.layers) - 1
    units = _units(reading, last)
    first: tuple[int, str] | None = None
    for row, example in enumerate(reading.file.examples):
        if not (reading.sound("examples", row, "targets") and reading.sound("examples", row, "inputs")):
            continue
        place = f"examples[{row}].targets"
        if is_class(example, reading.file.loss.name):
            kind = "numbers"
            if units is not None and isinstance(example.targets, int) and example.targets >= units:
                yield Fault(place, f"found class {example.targets}; the classes are 0 to {units - 1}")
        else:
            kind, size = _kind_and_size(example.targets)
            if example.targets == 0:
                yield Fault(place, "found 0; a list of numbers is expected ([0]), or a number of symbols from 1")
            elif units is not None and size != units:
                found = f"found {size} {'value' if kind == 'numbers' else 'symbol'}{'' if size == 1 else 's'}"
                hint = f"; for the number {size} write [{size}]" if kind == "symbols" and units == 1 else ""
                yield Fault(place, f"{found}, but the last layer (layers[{last}]) has {_units_text(units)}{hint}")
            yield from _interval(reading, row, example)
        first = first or (row, kind)
        if kind != first[1]:
            yield Fault(place, f"found {kind}, but examples[{first[0]}] has {first[1]}; they cannot be mixed")


def is_class(example: ExampleTable, loss: str) -> bool:
    """Is the integer target of this example a class, rather than a number of symbols?"""
    from derive.functions import LOSSES

    return LOSSES[loss].classes and isinstance(example.targets, int) and isinstance(example.inputs, list)


def _interval(reading: _Reading, row: int, example: ExampleTable) -> Iterator[Fault]:
    from derive.functions import LOSSES

    if not isinstance(example.targets, int):
        places = (f"examples[{row}].targets[{column}]" for column in range(len(example.targets)))
        yield from target_faults(LOSSES[reading.file.loss.name], example.targets, places)


def target_faults(loss: Loss, targets: Sequence[Fraction], places: Iterable[str]) -> Iterator[Fault]:
    """Targets that a loss cannot do with."""
    for target, place in zip(targets, places, strict=False):
        found = f"found {_decimal(target)}; {loss.name} needs targets"
        if loss.targets_in_unit_interval and not 0 <= target <= 1:
            yield Fault(place, f"{found} from 0 to 1")
        if loss.targets_are_signs and target not in (1, -1):
            yield Fault(place, f"{found} of 1 or -1")


def _decimal(number: Fraction) -> str:
    return str(number) if number.denominator == 1 else f"{float(number):.6g}"


# ---- layers --------------------------------------------------------------------------------


def _units(reading: _Reading, row: int) -> int | None:
    """How many units a layer has, or None where the file does not tell."""
    layer = reading.file.layers[row]
    if layer.weights is not None and reading.sound("layers", row, "weights"):
        return len(layer.weights) or None
    return layer.units if reading.sound("layers", row, "units") else None


def _units_text(units: int) -> str:
    return f"{units} unit{'' if units == 1 else 's'}"


def _incoming(reading: _Reading, row: int) -> tuple[int | None, str]:
    """How many values come into a layer, and where they come from."""
    if row > 0:
        return _units(reading, row - 1), f"layers[{row - 1}]"
    for example, table in enumerate(reading.file.examples):
        if reading.sound("examples", example, "inputs"):
            return _kind_and_size(table.inputs)[1] or None, f"examples[{example}].inputs"
    return None, ""


def _layers(reading: _Reading) -> Iterator[Fault]:
    parameters = 0
    for row, layer in enumerate(reading.file.layers):
        place = f"layers[{row}]"
        units = _units(reading, row)
        yield from _weights(reading, row, layer)
        yield from _activation(reading, row, layer)
        if isinstance(layer.bias, list) and units is not None and len(layer.bias) != units:
            found = f"found {len(layer.bias)} number{'' if len(layer.bias) == 1 else 's'}"
            yield Fault(f"{place}.bias", f"{found}, but the layer has {_units_text(units)}")
        before = parameters
        parameters += (units or 0) * ((_incoming(reading, row)[0] or 1) + (layer.bias is not None))
        if before <= MAX_PARAMETERS < parameters:
            yield Fault(
                f"{place}.{'units' if layer.weights is None else 'weights'}",
                f"found {_units_text(units or 0)}; that makes {parameters} weights and biases up to here, "
                f"and at most {MAX_PARAMETERS} are supported",
            )


def _weights(reading: _Reading, row: int, layer: LayerTable) -> Iterator[Fault]:
    place = f"layers[{row}].weights"
    if not reading.sound("layers", row, "weights"):
        return
    if layer.weights is None:
        if layer.units is None and reading.sound("layers", row, "units"):
            yield Fault(f"layers[{row}]", "has neither weights nor units; one of them is needed")
        return
    if not layer.weights:
        yield Fault(place, "is empty; a row per unit is expected")
        return
    if layer.units not in (None, len(layer.weights)) and reading.sound("layers", row, "units"):
        yield Fault(f"layers[{row}].units", f"found {layer.units}, but weights has {len(layer.weights)} rows")
    columns = len(layer.weights[0])
    ragged = [index for index, weights in enumerate(layer.weights) if len(weights) != columns]
    for index in ragged:
        found = f"found {len(layer.weights[index])} columns, but the first row has {columns}"
        yield Fault(f"{place}[{index}]", f"{found}; the rows are ragged")
    incoming, origin = _incoming(reading, row)
    if not ragged and incoming is not None and columns != incoming:
        yield Fault(place, f"found {columns} columns, but {incoming} values come in, from {origin}")


def _activation(reading: _Reading, row: int, layer: LayerTable) -> Iterator[Fault]:
    from derive.functions import ACTIVATIONS

    if not reading.sound("layers", row, "activation"):
        return
    activation = ACTIVATIONS[layer.activation]
    if activation.over_axis and _units(reading, row) == 1:
        yield Fault(f"layers[{row}].activation", over_one_unit(activation))
    stated = {key: getattr(layer, key) for key in ("slope", "alpha") if reading.sound("layers", row, key)}
    yield from constant_faults(layer.activation, stated, f"layers[{row}]")


def over_one_unit(activation: Activation) -> str:
    """What is said of a softmax over one unit."""
    always = 0 if activation.logarithm else 1
    return f"{activation.name} over one unit is always {always}; at least two units are needed"


def constant_faults(activation: str, stated: Mapping[str, Fraction | None], place: str) -> Iterator[Fault]:
    """Constants (slope, alpha) that a layer states and its activation does not have."""
    from derive.functions import ACTIVATIONS

    for key, value in stated.items():
        if value is not None and str(ACTIVATIONS[activation].constant) != key:
            having = ", ".join(name for name, each in ACTIVATIONS.items() if str(each.constant) == key)
            yield Fault(f"{place}.{key}", f"{activation} has no {key}; known with one: {having}")


# ---- loss, initial, update -----------------------------------------------------------------------


def _loss(reading: _Settings) -> Iterator[Fault]:
    from derive.functions import LOSSES

    loss = reading.file.loss
    if loss.delta is None or not (reading.sound("loss", "name") and reading.sound("loss", "delta")):
        return
    if LOSSES[loss.name].delta is None:
        having = ", ".join(name for name, row in LOSSES.items() if row.delta is not None)
        yield Fault("loss.delta", f"{loss.name} has no delta; known with one: {having}")
    elif loss.delta <= 0:
        yield Fault("loss.delta", f"found {_decimal(loss.delta)}; a number greater than 0 is expected")


def _initial(reading: _Settings) -> Iterator[Fault]:
    initial = reading.file.initial
    if initial is None or not all(reading.sound("initial", key) for key in ("low", "high", "decimals")):
        return
    lowest, highest = grid(initial)
    if initial.low > initial.high:
        yield Fault("initial.low", "is greater than high")
    elif lowest > highest:
        yield Fault("initial", f"no number of {initial.decimals} decimals lies between low and high")


def grid(initial: InitialTable) -> tuple[int, int]:
    """The smallest and the greatest multiple of 10^-decimals within the bounds."""
    scale = 10**initial.decimals
    return math.ceil(initial.low * scale), math.floor(initial.high * scale)


def _update(reading: _Reading) -> Iterator[Fault]:
    update = reading.file.update
    if update is None:
        return
    only_dense = all(layer.type == "dense" for layer in reading.file.layers)
    yield from update_faults(update, reading.sound, only_dense)
    if not all(reading.sound("layers", row, "bias") for row in range(len(reading.file.layers))):
        return
    known = _arrays(reading, "Wb")
    for index, name in enumerate(update.fixed):
        if name not in known:
            yield Fault(f"update.fixed[{index}]", unknown(name, known))


def _parameters(reading: _Reading) -> Iterator[Fault]:
    if not all(reading.sound("layers", row, "bias") for row in range(len(reading.file.layers))):
        return
    known = ["x", "t", *_arrays(reading, "Wbza"), "e"]
    for index, name in enumerate(reading.file.parameters or ()):
        if name not in known:
            yield Fault(f"parameters[{index}]", unknown(name, known))


def _arrays(reading: _Reading, letters: str) -> list[str]:
    """The names of a layered problem's arrays: W1, b1, …, where a layer without a bias has no b."""
    return [
        f"{letter}{row}"
        for row, layer in enumerate(reading.file.layers, start=1)
        for letter in letters
        if letter != "b" or layer.bias is not None
    ]
