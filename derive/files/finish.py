"""From a problem file without faults to the problem: defaults filled in, classes as vectors, weights drawn."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

from derive.files.checks import grid, is_class
from derive.notations.file import beside
from derive.problem import Example, Initial, Layer, Loss, Penalty, Problem, Published, Update, Vector, lengths

if TYPE_CHECKING:
    from derive.files.tables import ExampleTable, InitialTable, LayerTable, ProblemFile, UpdateTable

_LONG = 8  # so many layers are named one by one in a title


def finished(file: ProblemFile, source: str, stem: str) -> Problem:
    """The problem that a file without faults states; ``source`` and ``stem`` as in `Problem`."""
    layers = tuple(_layers(file))
    examples = tuple(_example(example, layers[-1].units, file.loss.name) for example in file.examples)
    initial, update = file.initial, file.update
    return Problem(
        title=file.title or _title((lengths(examples[0].inputs)[-1], *(layer.units for layer in layers))),
        notation=beside(file.notation, source),
        examples=examples,
        layers=layers,
        loss=Loss(**dict(file.loss)),
        update=None if update is None else updated(update),
        initial=None if initial is None else Initial(**dict(initial)),
        published=tuple(Published(**dict(each)) for each in file.published),
        parameters=None if file.parameters is None else tuple(file.parameters),
        penalty=None if file.penalty is None else Penalty(**dict(file.penalty)),
        source=source,
        stem=stem,
    )


def updated(update: UpdateTable) -> Update:
    """An [update] with its rule's own learning rate where none is stated."""
    from derive.update_rules import OPTIMIZERS

    rate = OPTIMIZERS[update.rule].settings["learning_rate"] if update.learning_rate is None else update.learning_rate
    return Update(**{**dict(update), "fixed": tuple(update.fixed), "learning_rate": rate})


def _example(example: ExampleTable, units: int, loss: str) -> Example:
    targets = _values(example.targets)
    if is_class(example, loss):
        targets = tuple(Fraction(unit == example.targets) for unit in range(units))
    return Example(_values(example.inputs), targets)


def _values(values: list[Fraction] | int) -> Vector | int:
    return values if isinstance(values, int) else tuple(values)


def _size(values: Vector | int) -> int:
    return values if isinstance(values, int) else len(values)


def _layers(file: ProblemFile) -> Iterator[Layer]:
    """The layers; what is missing is drawn layer by layer, the weights row by row, then the biases."""
    draw = None if file.initial is None else drawing(file.initial)
    incoming = _size(_values(file.examples[0].inputs))
    for layer in file.layers:
        units = layer.units if layer.weights is None else len(layer.weights)
        assert units is not None, "a layer without weights and units has passed the checks"
        yield Layer(
            units=units,
            activation=layer.activation,
            weights=_weights(layer, units, incoming, draw),
            bias=_bias(layer, units, draw),
            slope=layer.slope,
            alpha=layer.alpha,
            type=layer.type,
        )
        incoming = units


def _weights(
    layer: LayerTable, units: int, incoming: int, draw: Callable[[], Fraction] | None
) -> tuple[Vector, ...] | None:
    if layer.weights is not None:
        return tuple(tuple(row) for row in layer.weights)
    return None if draw is None else tuple(tuple(draw() for _ in range(incoming)) for _ in range(units))


def _bias(layer: LayerTable, units: int, draw: Callable[[], Fraction] | None) -> Fraction | Vector | str | None:
    if isinstance(layer.bias, list):
        return tuple(layer.bias)
    if draw is not None and layer.bias == "shared":
        return draw()
    if draw is not None and layer.bias == "per_unit":
        return tuple(draw() for _ in range(units))
    return layer.bias


def drawing(initial: InitialTable) -> Callable[[], Fraction]:
    """A source of multiples of 10^-decimals between the bounds, all equally likely.

    `random.Random(seed).randrange` over the whole numbers in between: the same seed gives the same
    numbers with every version of Python.
    """
    lowest, highest = grid(initial)
    scale = 10**initial.decimals
    generator = random.Random(initial.seed)
    drawn: dict[int, Fraction] = {}  # few different numbers, however many weights

    def draw() -> Fraction:
        number = generator.randrange(lowest, highest + 1)
        if number not in drawn:
            drawn[number] = Fraction(number, scale)
        return drawn[number]

    return draw


def _title(widths: tuple[int, ...]) -> str:
    """``A 2-2-2 network, step by step``."""
    if len(widths) > _LONG:
        return f"A network of {len(widths) - 1} layers, step by step"
    first = str(widths[0])
    spoken_with_vowel = first.startswith("8") or (first[:2] in ("11", "18") and len(first) % 3 == 2)
    return f"{'An' if spoken_with_vowel else 'A'} {'-'.join(map(str, widths))} network, step by step"
