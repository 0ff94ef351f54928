"""Mistakes where a delta is passed back through weights to the layer before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from numpy.typing import NDArray
from sympy import Rational

from derive import arrays
from derive.program import Contract, Expression, Ref, references
from derive.verification.edit import Edit, kept_where, on_lines, ones, replaced, scaled
from derive.verification.sheet import DoesNotApplyError, Sheet, flow
from derive.verification.structure import Affine, Squash, Structure

New = Callable[[Sheet], Expression]
Update = Callable[[Sheet, str], Expression]

Mask = NDArray[np.bool_]

MOST_PATHS = 64
"""Of a larger weight array no single paths are tried."""


def edits(structure: Structure, update: Update | None) -> Iterator[Edit]:
    """The mistakes on the way back.

    ``update(sheet, weight)`` is a weight's new value, None where nothing is updated.
    """
    groups: dict[str, list[Affine]] = {}
    for each in structure.affine:
        if _wanted(structure, each):
            groups.setdefault(each.weight, []).append(each)
    for affines in groups.values():
        for mistake, variant, make in _wrong(structure, affines, update):
            lines = {flow(e.incoming, e.target, structure.program.error): make(e) for e in affines}
            yield on_lines(mistake, affines[0].layer, variant, lines, affines[0].weight)
        yield from _unbent(structure, affines)


def _wanted(structure: Structure, affine: Affine) -> bool:
    """Is anything passed back: do the incoming values depend on a parameter?"""
    reached = set(structure.program.parameters)
    for equation in structure.program.equations:
        if references(equation.expression) & reached:
            reached.add(equation.target)
    return affine.incoming in reached


def _wrong(
    structure: Structure, affines: list[Affine], update: Update | None
) -> Iterator[tuple[str, str, Callable[[Affine], New]]]:
    first = affines[0]
    if first.square:
        yield "back_pass_not_transposed", "", _not_transposed
    reads = sum(each.weight == first.weight for each in structure.affine)
    if update is not None and reads == 1 and first.weight in structure.program.parameters:
        yield "back_pass_updated_weights", "", lambda affine: _updated(affine, update)
    yield "back_pass_weight_missing", "", lambda affine: _through(affine, ones)
    units = 1 if first.unit_axis is None else first.weight_shape[first.unit_axis]
    if units > 1:
        yield "back_pass_averaged", "", lambda affine: _averaged(affine, units)
    if _activation_after(structure, first) is not None:
        yield (
            "back_pass_activation_derivative_missing",
            "",
            lambda affine: _upstream_of_activation(structure, affine),
        )
    yield from _wrong_weights(structure, first)
    yield from _paths(first)


def _back(sheet: Sheet, affine: Affine, weight: Expression, upstream: Expression) -> Expression:
    letters, entering, out = affine.axes
    return arrays.contract((out, letters), entering, upstream, weight)


def _factors(sheet: Sheet, affine: Affine) -> tuple[Expression, Expression]:
    """The delta and the weights that a line multiplies: as another mistake has made them, where there is one."""
    letters, entering, out = affine.axes
    line = sheet.line(flow(affine.incoming, affine.target, sheet.program.error))
    if isinstance(line, Contract) and line.out == entering:
        found = {
            frozenset(labels): _in_order(part, labels, wanted)
            for labels, part in zip(line.axes, line.arguments, strict=True)
            for wanted in (out, letters)
            if set(wanted) == set(labels) and len(wanted) == len(labels)
        }
        if len(found) == 2:
            return found[frozenset(out)], found[frozenset(letters)]
    return sheet.upstream(affine.target), sheet.ref(affine.weight)


def _in_order(part: Expression, labels: str, wanted: str) -> Expression:
    """An argument of a product with its axes in another order."""
    if labels == wanted:
        return part
    return arrays.transpose(part, tuple(labels.index(letter) for letter in wanted))


def _through(affine: Affine, change: Callable[[Expression], Expression]) -> New:
    """The delta passed back through other weights than those of the forward pass."""

    def new(sheet: Sheet) -> Expression:
        upstream, weight = _factors(sheet, affine)
        return _back(sheet, affine, change(weight), upstream)

    return new


def _not_transposed(affine: Affine) -> New:
    return _through(affine, arrays.transpose)


def _updated(affine: Affine, update: Update) -> New:
    def new(sheet: Sheet) -> Expression:
        upstream, weight = _factors(sheet, affine)
        return _back(sheet, affine, replaced(weight, {affine.weight: update(sheet, affine.weight)}), upstream)

    return new


def _averaged(affine: Affine, units: int) -> New:
    def new(sheet: Sheet) -> Expression:
        return scaled(sheet.line(flow(affine.incoming, affine.target, sheet.program.error)), Rational(1, units))

    return new


def _activation_after(structure: Structure, affine: Affine) -> str | None:
    """The activation that the product goes into, in the same layer and of the same shape."""
    reached = {affine.target}
    for equation in structure.program.equations:
        if references(equation.expression) & reached and structure.layer_of[equation.target] == affine.layer:
            for squash in structure.squashes:
                if squash.target == equation.target and not _bends(squash):
                    return None
                if squash.target == equation.target:
                    same = structure.program.shape(squash.target) == structure.program.shape(affine.target)
                    return squash.target if same else None
            reached.add(equation.target)
    return None


def _before(structure: Structure, affine: Affine) -> Squash | None:
    """The activation whose output comes in, where nothing else reads that output."""
    readers = [e.target for e in structure.program.equations if affine.incoming in references(e.expression)]
    if readers != [affine.target]:
        return None
    return next((each for each in structure.squashes if each.target == affine.incoming and _bends(each)), None)


def _unbent(structure: Structure, affines: list[Affine]) -> Iterator[Edit]:
    """The delta of the layer before as what was passed back, without that layer's own derivative."""
    squashes = [_before(structure, each) for each in affines]
    lines = {flow(s.source, s.target, structure.program.error): _upstream_of(s) for s in squashes if s is not None}
    if len(lines) == len(affines):
        variant = "in the layer that it reaches"
        yield on_lines("back_pass_activation_derivative_missing", affines[0].layer, variant, lines, affines[0].weight)


def _upstream_of(squash: Squash) -> New:
    return lambda sheet: sheet.upstream(squash.target)


def _bends(squash: Squash) -> bool:
    return squash.name != "identity"


def _upstream_of_activation(structure: Structure, affine: Affine) -> New:
    def new(sheet: Sheet) -> Expression:
        after = _activation_after(structure, affine)
        if after is None:
            raise DoesNotApplyError(affine.target)
        return _back(sheet, affine, _factors(sheet, affine)[1], sheet.upstream(after))

    return new


def _wrong_weights(structure: Structure, affine: Affine) -> Iterator[tuple[str, str, Callable[[Affine], New]]]:
    name = "back_pass_wrong_layer_weights"
    weights = list(dict.fromkeys(each.weight for each in structure.affine))
    for other in weights:
        shape = structure.program.shape(other)
        if other == affine.weight:
            continue
        steps = weights.index(other) - weights.index(affine.weight)
        words = {-1: "the layer before", 1: "the layer after"}.get(steps, other)
        if shape == affine.weight_shape:
            yield name, words, partial(_other_weights, Ref(other, shape))
        if shape == affine.weight_shape[::-1] and len(shape) == 2:
            yield name, f"{words}, transposed", partial(_other_weights, arrays.transpose(Ref(other, shape)))


def _other_weights(other: Expression, affine: Affine) -> New:
    return _through(affine, lambda _: other)


def _paths(affine: Affine) -> Iterator[tuple[str, str, Callable[[Affine], New]]]:
    """One path gone; all the paths of one output; all but unit j's path to output j."""
    shape = affine.weight_shape
    if affine.unit_axis is None or len(shape) != 2 or int(np.prod(shape)) > MOST_PATHS or int(np.prod(shape)) < 2:
        return
    name, units = "back_pass_path_missing", affine.unit_axis
    masks: list[tuple[str, Mask]] = []
    for output in range(shape[units] if shape[units] > 1 else 0):
        mask: Mask = np.ones(shape, dtype=bool)
        mask[(output, slice(None)) if units == 0 else (slice(None), output)] = False
        masks.append((f"those of output {output + 1}", mask))
    masks.append(("all but unit j's to output j", np.eye(*shape, dtype=bool)))
    for place in np.ndindex(*shape):
        mask = np.ones(shape, dtype=bool)
        mask[place] = False
        masks.append((f"that of {affine.weight}[{place[0]}, {place[1]}]", mask))
    for variant, mask in masks:
        if mask.any() and not mask.all():
            yield name, variant, partial(_kept, mask)


def _kept(mask: Mask, affine: Affine) -> New:
    return _through(affine, lambda weight: kept_where(weight, mask))
