"""Mistakes in the gradient of a bias: the sum of the deltas that it reaches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from sympy import Rational

from derive import arrays
from derive.program import Expression, Program, Total
from derive.verification.edit import Edit, on_lines, picked, scaled, times, zeros
from derive.verification.sheet import Sheet, flow
from derive.verification.structure import Bias, Structure, counted

New = Callable[[Sheet], Expression]

MOST_TERMS = 8
"""Of a longer sum only the first and the last term are tried."""


def edits(structure: Structure) -> Iterator[Edit]:
    """The mistakes in each bias's gradient."""
    groups: dict[str, list[Bias]] = {}
    for each in structure.biases:
        if each.name in structure.program.parameters:
            groups.setdefault(each.name, []).append(each)
    for biases in groups.values():
        for mistake, variant, make in _wrong(structure, biases):
            lines = {flow(e.name, e.target, structure.program.error): make(e) for e in biases}
            yield on_lines(mistake, biases[0].layer, variant, lines, biases[0].name)


def _wrong(structure: Structure, biases: list[Bias]) -> Iterator[tuple[str, str, Callable[[Bias], New]]]:
    first = biases[0]
    yield "bias_gradient_zero", "", lambda bias: lambda sheet: zeros(sheet.ref(bias.name))
    yield "bias_gradient_times_bias", "", lambda bias: lambda sheet: times(_line(sheet, bias), sheet.ref(bias.name))
    shape, own = structure.program.shape(first.target), structure.program.shape(first.name)
    summed = [axis for axis in range(len(shape)) if axis < len(shape) - len(own) and shape[axis] > 1]
    for variant, count in _counts(structure.program, first.target, summed):
        yield "bias_gradient_averaged", variant, partial(_mean, count)
    for variant, places in _terms(structure.program, first.target, summed):
        yield "bias_gradient_not_summed", variant, partial(_not_summed, places)


def _terms(program: Program, name: str, summed: list[int]) -> Iterator[tuple[str, dict[int, int]]]:
    """What may be left of a sum: one place along one of its axes, or a place along each."""
    shape = program.shape(name)
    for axis in summed:
        size = shape[axis]
        for place in range(size) if size <= MOST_TERMS else (0, size - 1):
            yield f"{counted(program, name, axis)} {place + 1} alone", {axis: place}
    if len(summed) > 1:
        for name, chosen in (("first", 0), ("last", -1)):
            yield f"the {name} term alone", {axis: range(shape[axis])[chosen] for axis in summed}


def _mean(count: int, bias: Bias) -> New:
    return lambda sheet: scaled(_line(sheet, bias), Rational(1, count))


def _not_summed(places: dict[int, int], bias: Bias) -> New:
    return lambda sheet: _some_terms(sheet, bias, places)


def _line(sheet: Sheet, bias: Bias) -> Expression:
    return sheet.line(flow(bias.name, bias.target, sheet.program.error))


def _counts(program: Program, name: str, summed: list[int]) -> Iterator[tuple[str, int]]:
    """By what a mean would divide: each axis's length, and all of them together."""
    shape = program.shape(name)
    whole = 1
    for axis in summed:
        whole *= shape[axis]
        yield f"over the {counted(program, name, axis)}s", shape[axis]
    if len(summed) > 1:
        yield "over all", whole


def _some_terms(sheet: Sheet, bias: Bias, places: dict[int, int]) -> Expression:
    """The sum without its sum along some axes."""
    rest: Expression = sheet.upstream(bias.target)
    for axis in sorted(places, reverse=True):
        rest = picked(rest, axis, places[axis])
    own = sheet.program.shape(bias.name)
    extra = len(rest.shape) - len(own)
    return Total(rest, tuple(range(extra)), False, own) if extra else arrays.unbroadcast(rest, own)
