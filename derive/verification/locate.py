"""Where no mistake of the family fits: the first number that is wrong, seen from the outputs, and what it implies."""

from __future__ import annotations

import numpy as np

from derive.verification.points import Point
from derive.verification.structure import Affine, Structure

AGREES = 1e-3


def located(point: Point) -> list[str]:
    """Sentences that say which numbers are right, and at which stage the first wrong one arises."""
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
    right = [name for (kind, name), each in by_array.items() if kind != "value" and all(each)]
    wrong = [name for (kind, name), each in by_array.items() if kind != "value" and not all(each)]
    if right:
        notes.append(f"right: {', '.join(right)}; wrong: {', '.join(wrong)}")
    ordered = sorted(wrong, key=lambda name: -structure.layer_of.get(name, 0))
    for name in ordered:
        for affine in structure.affine:
            if affine.weight == name:
                return [*notes, _implied(point, affine)]
    return notes


def _implied(point: Point, affine: Affine) -> str:
    """Is the gradient of a weight array still a delta times what comes in? Then the delta is what is wrong."""
    layer = affine.layer
    given = {
        item.scalar.index: float(item.value or 0)
        for item in point.items
        if item.scalar.array == affine.weight and item.kind == "gradient"
    }
    incoming = np.asarray(point.floats[affine.incoming])
    shape = affine.weight_shape
    if (
        len(given) < int(np.prod(shape))
        or len(shape) != 2
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
