"""Mistakes in the gradient of a weight array: delta times incoming value, and what may stand in their place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from derive import arrays
from derive.program import Expression, Ref
from derive.verification.edit import Edit, on_lines, ones, orders, rearranged, times
from derive.verification.sheet import Sheet, flow
from derive.verification.structure import Affine, Structure

New = Callable[[Sheet], Expression]


def edits(structure: Structure) -> Iterator[Edit]:
    """The mistakes in each weight array's gradient; of one that is read at several time steps in all of them."""
    by_weight: dict[str, list[Affine]] = {}
    for each in structure.affine:
        if each.weight in structure.program.parameters:
            by_weight.setdefault(each.weight, []).append(each)
    for affines in by_weight.values():
        for mistake, variant, make in _wrong(structure, affines):
            lines = {flow(each.weight, each.target, structure.program.error): make(each) for each in affines}
            yield on_lines(mistake, affines[0].layer, variant, lines, affines[0].weight)


def _wrong(structure: Structure, affines: list[Affine]) -> Iterator[tuple[str, str, Callable[[Affine], New]]]:
    first = affines[0]
    if first.square:
        yield "weight_gradient_transposed", "", _transposed
    elif len(first.weight_shape) == 2 and min(first.weight_shape) > 1:
        yield "weight_gradient_transposed", "read row by row all the same", _read_row_by_row
    yield "weight_gradient_input_missing", "", partial(_with_input, None)
    yield "weight_gradient_times_weight", "times the weight too", _times_weight
    yield "weight_gradient_times_weight", "the weight for the input", _weight_for_input
    if len(affines) == 1:
        for variant, name in _others(structure, first):
            yield "weight_gradient_wrong_input", variant, partial(_with_input, name)
    sizes = {structure.program.shape(each.incoming)[-1:] for each in affines}
    if len(sizes) > 1 or not all(sizes):  # tied weights: what comes in is not of one length
        return
    if all(structure.program.shape(e.incoming) == structure.program.shape(e.target) for e in affines):
        yield "weight_gradient_wrong_input", "the value with the unit's own number", _own_number
    ((size,),) = sizes
    for variant, order in orders(size):
        yield "weight_gradient_wrong_input", f"another unit's: {variant}", partial(_with_order, order)
    for unit in range(size if 1 < size <= MOST_UNITS else 0):
        yield "weight_gradient_wrong_input", f"that of unit {unit + 1} for all", partial(_with_order, [unit] * size)


MOST_UNITS = 8
"""Of a wider layer it is not tried whether one unit's value was taken for all."""


def _others(structure: Structure, affine: Affine) -> Iterator[tuple[str, str]]:
    """Other arrays of the incoming values' shape: the net inputs, another layer's activations, the targets."""
    shape = structure.program.shape(affine.incoming)
    nets = {each.target: each.source for each in structure.squashes}
    if affine.incoming in nets:
        yield "the net input", nets[affine.incoming]
    near = {each for pair in nets.items() for each in pair} | set(structure.targets)
    near |= {v.name for v in structure.program.variables.values() if v.role in ("input", "activation", "net")}
    near |= {each.incoming for each in structure.affine}
    for name, variable in structure.program.variables.items():
        if name in near and variable.shape == shape and name not in (affine.incoming, nets.get(affine.incoming)):
            yield f"{name} for {affine.incoming}", name


def _outer(sheet: Sheet, affine: Affine, incoming: Expression) -> Expression:
    weight, entering, out = affine.axes
    return arrays.contract((out, entering), weight, sheet.upstream(affine.target), incoming)


def _with_input(name: str | None, affine: Affine) -> New:
    def new(sheet: Sheet) -> Expression:
        incoming = sheet.ref(affine.incoming)
        return _outer(sheet, affine, ones(incoming) if name is None else sheet.ref(name))

    return new


def _with_order(order: list[int], affine: Affine) -> New:
    return lambda sheet: _outer(sheet, affine, rearranged(sheet.ref(affine.incoming), order))


def _line(sheet: Sheet, affine: Affine) -> Expression:
    return sheet.line(flow(affine.weight, affine.target, sheet.program.error))


def _transposed(affine: Affine) -> New:
    return lambda sheet: arrays.transpose(_line(sheet, affine))


def _read_row_by_row(affine: Affine) -> New:
    return lambda sheet: arrays.reshape(arrays.transpose(_line(sheet, affine)), affine.weight_shape)


def _own_number(affine: Affine) -> New:
    """dE/dw of row i and column j as delta i times value i."""

    def new(sheet: Sheet) -> Expression:
        weight, entering, out = affine.axes
        incoming = sheet.ref(affine.incoming)
        product = times(sheet.upstream(affine.target), incoming)
        return arrays.contract((out, entering), weight, product, ones(incoming))

    return new


def _times_weight(affine: Affine) -> New:
    return lambda sheet: times(_line(sheet, affine), Ref(affine.weight, affine.weight_shape))


def _weight_for_input(affine: Affine) -> New:
    return lambda sheet: times(
        _outer(sheet, affine, ones(sheet.ref(affine.incoming))), Ref(affine.weight, affine.weight_shape)
    )
