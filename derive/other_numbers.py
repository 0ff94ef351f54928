"""The same problem with other numbers: which problems have one program, and how values are put into a problem."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

from derive.files.arrays import nested
from derive.layers.frame import array_name
from derive.problem import Example, GivenArray, Layer, Problem, Symbols, Vector, lengths


def same_program(one: Problem, other: Problem) -> bool:
    """Do two problems differ in numbers alone? Then their programs are equal, by construction."""
    return one is other or _outline(one) == _outline(other)


def _outline(problem: Problem) -> Problem:
    """A problem without its numbers and without what its program does not depend on."""
    tokens = bool(problem.layers) and problem.layers[0].type == "embedding"  # written into the equations
    return replace(
        problem,
        title="",
        notation=problem.notation,
        examples=tuple(
            Example(each.inputs if tokens else _side(each.inputs), _side(each.targets)) for each in problem.examples
        ),
        layers=tuple(_layer(each) for each in problem.layers),
        update=None if problem.update is None else replace(problem.update, learning_rate=Fraction(1)),
        initial=None,
        published=(),
        arrays=tuple(_array(each) for each in problem.arrays),
        seed=None if problem.seed is None else (Fraction(1),) * len(problem.seed),
        vary=(),
        exercises=None,
        source="",
        stem="",
    )


def _side(values: Any) -> Any:
    symbols = isinstance(values, int | Symbols)
    return values if symbols else Symbols((-1, *lengths(values)))


def _array(array: GivenArray) -> GivenArray:
    return replace(array, numbers=None if array.numbers is None else ())


def _layer(layer: Layer) -> Layer:
    bias: Any = layer.bias
    if isinstance(bias, Fraction):
        bias = Fraction(0)
    elif isinstance(bias, tuple):
        bias = (Fraction(0),) * len(bias)
    return replace(
        layer,
        weights=None if layer.weights is None else ((Fraction(len(layer.weights[0])),),),
        bias=bias,
        arrays=tuple(_array(each) for each in layer.arrays),
    )


def with_values(problem: Problem, values: Mapping[str, Vector], rate: Fraction | None = None) -> Problem:
    """The problem with other numbers in some arrays, row by row, and another learning rate; published ones are gone."""
    update = problem.update
    if rate is not None and update is not None:
        update = replace(update, learning_rate=rate)
    if problem.equations:
        arrays = tuple(replace(each, numbers=values.get(each.name, each.numbers)) for each in problem.arrays)
        return replace(problem, arrays=arrays, update=update, published=())
    return replace(
        problem,
        examples=_examples(problem, values),
        layers=tuple(_with_values(layer, number, values) for number, layer in enumerate(problem.layers, start=1)),
        update=update,
        published=(),
    )


def _examples(problem: Problem, values: Mapping[str, Vector]) -> tuple[Example, ...]:
    if "x" not in values and "t" not in values:
        return problem.examples
    rows = []
    for row, example in enumerate(problem.examples):
        sides = {"x": example.inputs, "t": example.targets}
        for name, side in sides.items():
            if name in values:
                shape = lengths(side)
                size = len(values[name]) // len(problem.examples)
                sides[name] = nested(values[name][row * size : (row + 1) * size], shape)
        rows.append(Example(sides["x"], sides["t"]))
    return tuple(rows)


def _with_values(layer: Layer, number: int, values: Mapping[str, Vector]) -> Layer:
    if layer.arrays:
        arrays = (replace(a, numbers=values.get(array_name(a.name, number), a.numbers)) for a in layer.arrays)
        return replace(layer, arrays=tuple(arrays))
    weights, bias = values.get(array_name("W", number)), values.get(array_name("b", number))
    if weights is not None and layer.weights is not None:
        layer = replace(layer, weights=nested(weights, (len(layer.weights), len(layer.weights[0]))))
    if bias is not None:
        layer = replace(layer, bias=bias[0] if isinstance(layer.bias, Fraction) else bias)
    return layer
