"""A problem in layers of any type: sequences, images and tokens as inputs, outputs of any number of axes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import repeat, takewhile
from typing import TYPE_CHECKING, Any

from derive.errors import Fault, shown, unknown
from derive.files.arrays import nested, read_numbers, read_symbols
from derive.files.checks import MAX_PARAMETERS, over_one_unit, settings_check, target_faults
from derive.files.finish import drawing, updated
from derive.files.layers import ReadLayer, read_layer
from derive.files.updates import update_faults
from derive.functions import ACTIVATIONS, LOSSES
from derive.layers.network import TRAINED, Written, tried_layers, whole
from derive.problem import Example, GivenArray, Initial, Layer, Loss, Penalty, Problem, Published, Symbols
from derive.program import Variable

if TYPE_CHECKING:
    from derive.files.network_tables import NetworkFile

Shape = tuple[int, ...]
Broken = frozenset[tuple[str | int, ...]]


def read_network(file: NetworkFile, broken: Broken, source: str, stem: str) -> tuple[Problem | None, list[Fault]]:
    """The problem that a file in layers of any type states, and every fault in it; None where there is one.

    ``broken`` holds the addresses of keys that are known to be wrong; ``source`` and ``stem`` as in `Problem`.
    """
    read = [read_layer(table, f"layers[{row}]") for row, table in enumerate(file.layers)]
    faults = [fault for _, wrong in read for fault in wrong]
    layers = [layer for layer, _ in read if layer is not None]
    inputs, wrong = _sides(file, "inputs", broken)
    targets, wrong_targets = _sides(file, "targets", broken)
    faults += [*wrong, *wrong_targets, *settings_check(file, broken)]
    if file.update is not None:
        faults += update_faults(file.update, lambda *address: address not in broken, only_dense=False)
    sound = [layer for layer, _ in takewhile(lambda each: each[0] is not None, read) if layer is not None]
    if not inputs or not sound:
        return None, faults
    x = Variable("x", (len(file.examples), *inputs[0].shape))
    written, errors = tried_layers([layer.stated for layer in sound], x, _tokens(sound[0], inputs))
    faults += [Fault(error.key, error.message) for error in errors]
    if len(written) < len(read):
        return None, faults
    faults += [*_names(file, written), *_too_many(written), *_senseless(layers, written)]
    loss = ("loss", "name") not in broken and ("loss",) not in broken
    if targets and loss:
        targets, wrong = _classes(file, targets, inputs, written[-1].output.shape[1:])
        faults += wrong
    if faults or broken:
        return None, faults
    draw = None if file.initial is None else drawing(file.initial)
    problem = Problem(
        title=file.title or _title(layers),
        notation=file.notation,
        examples=tuple(Example(_values(x), _values(t)) for x, t in zip(inputs, targets, strict=True)),
        layers=tuple(_layer(layer, each, draw) for layer, each in zip(layers, written, strict=True)),
        loss=Loss(**dict(file.loss)),
        update=None if file.update is None else updated(file.update),
        initial=None if file.initial is None else Initial(**dict(file.initial)),
        published=tuple(Published(**dict(each)) for each in file.published),
        parameters=None if file.parameters is None else tuple(file.parameters),
        penalty=None if file.penalty is None else Penalty(**dict(file.penalty)),
        source=source,
        stem=stem,
    )
    return problem, faults


def _title(layers: Sequence[ReadLayer]) -> str:
    """``A network of lstm and dense layers, step by step``."""
    types = list(dict.fromkeys(layer.type for layer in layers))
    if len(types) > 4:
        return f"A network of {len(layers)} layers, step by step"
    *first, last = types
    joined = f"{', '.join(first)} and {last}" if first else last
    one = len(layers) == 1
    return f"{'One' if one else 'A network of'} {joined} layer{'' if one else 's'}, step by step"


# ---- examples ------------------------------------------------------------------------------


def _sides(file: NetworkFile, side: str, broken: Broken) -> tuple[list[GivenArray], list[Fault]]:
    """The inputs, or the targets, of every example; an empty list where one has a fault."""
    found: list[GivenArray] = []
    faults: list[Fault] = []
    for row, example in enumerate(file.examples):
        if ("examples", row, side) in broken:
            continue
        place = f"examples[{row}].{side}"
        array, wrong = _side(side, getattr(example, side), place)
        faults += wrong
        if array is None:
            continue
        if found and (array.numbers is None) != (found[0].numbers is None):
            faults.append(Fault(place, "numbers and symbols cannot be mixed, and examples[0] has the other kind"))
        elif found and array.shape != found[0].shape and not (side == "targets" and isinstance(example.targets, int)):
            faults.append(
                Fault(place, f"found {_text(array.shape)} values, but examples[0] has {_text(found[0].shape)}")
            )
        found.append(array)
    return ([] if faults or len(found) < len(file.examples) else found), faults


def _side(name: str, value: Any, place: str) -> tuple[GivenArray | None, list[Fault]]:
    """Nested lists of numbers, or symbols: so many, or of the lengths in ``{ shape = [3, 2] }``."""
    if isinstance(value, Mapping):
        if set(value) != {"shape"}:
            other = next((key for key in value if key != "shape"), "")
            message = unknown(str(other), ("shape",), "unknown key") if other else "has no shape"
            return None, [Fault(place, message)]
        return read_symbols(name, value["shape"], f"{place}.shape")
    if isinstance(value, int) and not isinstance(value, bool):
        return (GivenArray(name, (value,)), []) if value >= 0 else (None, [Fault(place, f"found {value}")])
    if not isinstance(value, list):
        return None, [Fault(place, f"found {shown(value)}; nested lists of numbers are expected")]
    return read_numbers(name, value, place)


def _text(shape: Shape) -> str:
    return " × ".join(map(str, shape)) or "1"


def _values(array: GivenArray) -> Any:
    if array.numbers is not None:
        return nested(array.numbers, array.shape)
    return array.shape[0] if len(array.shape) == 1 else Symbols(array.shape)


def _tokens(first: ReadLayer, inputs: Sequence[GivenArray]) -> Any:
    """The inputs as nested whole numbers, for an embedding."""
    if first.type != "embedding" or any(each.numbers is None for each in inputs):
        return None
    if any(number.denominator != 1 for each in inputs for number in each.numbers or ()):
        return None
    return [whole(nested(each.numbers or (), each.shape)) for each in inputs]


def _classes(
    file: NetworkFile, targets: list[GivenArray], inputs: list[GivenArray], outputs: Shape
) -> tuple[list[GivenArray], list[Fault]]:
    """The targets in the shape of what comes out; classes, counted from 0, as rows with a 1."""
    loss = LOSSES[file.loss.name]
    made: list[GivenArray] = []
    faults: list[Fault] = []
    for row, (target, x) in enumerate(zip(targets, inputs, strict=True)):
        place = f"examples[{row}].targets"
        stated = file.examples[row].targets
        if loss.classes and x.numbers is not None and _classes_of(stated, target, outputs) is not None:
            chosen = _classes_of(stated, target, outputs) or ()
            wrong = next((each for each in chosen if not 0 <= each < outputs[-1]), None)
            if wrong is not None:
                faults.append(Fault(place, f"found class {wrong}; the classes are 0 to {outputs[-1] - 1}"))
                continue
            ones = tuple(Fraction(each == unit) for each in chosen for unit in range(outputs[-1]))
            target = replace(target, shape=outputs, numbers=ones)
        elif target.shape != outputs:
            message = f"found {_text(target.shape)} values, but {_text(outputs)} come out of the last layer"
            faults.append(Fault(place, message))
            continue
        faults += target_faults(loss, target.numbers or (), repeat(place))
        made.append(target)
    return made, faults


def _classes_of(stated: Any, target: GivenArray, outputs: Shape) -> tuple[int, ...] | None:
    """The classes that a target names: one whole number for each row that comes out; None where it is no such."""
    if isinstance(stated, int):
        return (stated,) if len(outputs) == 1 else None
    numbers = target.numbers or ()
    if not numbers or target.shape != outputs[:-1] or any(number.denominator != 1 for number in numbers):
        return None
    return tuple(int(number) for number in numbers)


# ---- layers --------------------------------------------------------------------------------


def _names(file: NetworkFile, written: Sequence[Written]) -> Iterator[Fault]:
    """Names that the network does not have, and a network in which nothing is learned."""
    variables = [variable for each in written for variable in each.variables]
    learned = [name for each in written for name, parameter in each.named.items() if parameter.role in TRAINED]
    known = ["x", "t", *(variable.name for variable in variables), "e"]
    for index, name in enumerate(file.parameters or ()):
        if name not in known:
            yield Fault(f"parameters[{index}]", unknown(name, known))
    for index, name in enumerate(file.update.fixed if file.update else ()):
        if name not in learned:
            yield Fault(f"update.fixed[{index}]", unknown(name, learned))
    weights = any(parameter.role == "weight" for each in written for parameter in each.parameters.values())
    if file.penalty is not None and not weights:
        yield Fault("penalty", "goes over the weights, and these layers have none (gamma and beta are not among them)")
    if not learned and file.parameters is None:
        yield Fault("parameters", 'is missing, and these layers have nothing to learn; name arrays, such as ["x"]')


def _too_many(written: Sequence[Written]) -> Iterator[Fault]:
    count = 0
    for row, each in enumerate(written):
        before = count
        count += sum(math.prod(parameter.shape) for parameter in each.parameters.values())
        if before <= MAX_PARAMETERS < count:
            message = f"makes {count} weights and biases up to here, and at most {MAX_PARAMETERS} are supported"
            yield Fault(f"layers[{row}]", message)


def _senseless(layers: Sequence[ReadLayer], written: Sequence[Written]) -> Iterator[Fault]:
    """A softmax over one unit, a mask of other numbers than 0 and 1."""
    for row, (layer, each) in enumerate(zip(layers, written, strict=True)):
        shape = each.output.shape
        activation = ACTIVATIONS[each.activation]
        if activation.over_axis and (shape[1] if len(shape) == 4 else shape[-1]) == 1:
            yield Fault(f"layers[{row}].activation", over_one_unit(activation))
        for stem, parameter in each.parameters.items():
            numbers = layer.arrays[stem].numbers if stem in layer.arrays else None
            if parameter.role == "mask" and not set(numbers or ()) <= {0, 1}:
                yield Fault(f"layers[{row}].{stem}", "has other numbers than 0 (dropped) and 1 (kept)")


def _layer(layer: ReadLayer, written: Written, draw: Callable[[], Fraction] | None) -> Layer:
    """A layer of the problem; what is learned and not given is drawn, row by row."""
    arrays = dict(layer.arrays)
    for stem, parameter in written.parameters.items():
        if draw is not None and stem not in arrays and parameter.role != "mask":
            numbers = tuple(draw() for _ in range(math.prod(parameter.shape)))
            arrays[stem] = GivenArray(stem, parameter.shape, numbers)
    return Layer(
        units=written.output.shape[-1],
        activation=written.activation,
        slope=layer.keys.get("slope"),
        alpha=layer.keys.get("alpha"),
        bias=layer.keys.get("bias"),
        type=layer.type,
        keys=tuple(layer.keys.items()),
        arrays=tuple(arrays.values()),
    )
