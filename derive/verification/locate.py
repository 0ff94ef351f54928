"""Where no mistake of the family fits: the first number that is wrong, seen from the outputs, and what it implies."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from derive.verification import factors
from derive.verification.points import Point
from derive.verification.structure import Affine, Structure
from derive.verification.text import listed

AGREES = 1e-3
FEW = 3
"""Of so few numbers, one that is wrong is not called an exception."""


def located(points: Sequence[Point]) -> list[str]:
    """Sentences that say which numbers are right, and at which stage the first wrong one arises: at the first point.

    Numbers that are the reference times a constant are told before that, where they are at every point.
    """
    point = points[0]
    structure = Structure(point.sheet.program)
    inside = point.within(point.bounds)
    by_array: dict[tuple[str, str], list[bool]] = {}
    for item, within in zip(point.items, inside, strict=True):
        by_array.setdefault((item.kind, item.scalar.array), []).append(bool(within))
    notes = ["no known mistake, and no two of them, explains these numbers"]
    forward = [name for (kind, name), each in by_array.items() if kind == "value" and not all(each)]
    if forward:
        return [
            *notes,
            f"the first value that is wrong is {forward[0]}: the mistake is in the forward pass or before it",
        ]
    notes += factors.notes(points)
    right = [name for (kind, name), each in by_array.items() if kind != "value" and all(each)]
    wrong = [name for (kind, name), each in by_array.items() if kind != "value" and not all(each)]
    if right:
        notes.append(_throughout(right, wrong))
    outside = [item.name for item, within in zip(point.items, inside, strict=True) if not within]
    if len(outside) == 1 and len(inside) > FEW:
        return [*notes, f"one number alone is wrong, {outside[0]}: look at how this one was worked out, or copied"]
    ordered = sorted(wrong, key=lambda name: -structure.layer_of.get(name, 0))
    for name in ordered:
        reading = [affine for affine in structure.affine if affine.weight == name]
        if reading:
            return [*notes, _implied(point, reading)]
    return notes


def _throughout(right: Sequence[str], wrong: Sequence[str]) -> str:
    """Which arrays are right in every number; where there are many, which are not."""
    if len(right) > FEW:
        return f"of the arrays, {listed(wrong)} {_are(wrong)} wrong, and the other {len(right)} right throughout"
    return f"of the arrays, {listed(right)} {_are(right)} right throughout, and {listed(wrong)} {_are(wrong)} not"


def _are(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _implied(point: Point, reading: Sequence[Affine]) -> str:
    """Is the gradient of a weight array still a delta times what comes in? Then the delta is what is wrong.

    Of weights that are read more than once, or with a single column, every gradient is such, and nothing is told.
    """
    affine, layer = reading[0], reading[0].layer
    given = {
        item.scalar.index: float(item.value or 0)
        for item in point.items
        if item.scalar.array == affine.weight and item.kind == "gradient"
    }
    incoming = np.asarray(point.floats[affine.incoming])
    shape = affine.weight_shape
    if (
        len(reading) > 1
        or len(given) < int(np.prod(shape))
        or len(shape) != 2
        or shape[1] == 1
        or affine.unit_axis != 0
        or incoming.reshape(-1).shape != shape[1:]
    ):
        return (
            f"the first gradients that are wrong, seen from the outputs, are those of {affine.weight} (layer {layer})"
        )
    matrix = np.array([[given[i, j] for j in range(shape[1])] for i in range(shape[0])])
    values = incoming.reshape(-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        deltas = matrix @ values / (values @ values)
        fits = np.abs(matrix - np.outer(deltas, values)) <= AGREES * np.abs(matrix) + 1e-12
    told = ", ".join(f"{value:.6g}" for value in deltas)
    if fits.all():
        return (
            f"the gradients of {affine.weight} are deltas times what comes in, as they should be, but the deltas "
            f"that they imply for layer {layer} are wrong: {told}"
        )
    return (
        f"the gradients of {affine.weight} (layer {layer}) are no product of deltas and what comes in: the mistake is "
        "in the last step, delta times incoming value"
    )
