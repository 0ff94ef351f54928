"""Where no mistake of the family fits: the first number that is wrong, seen from the outputs, and what it implies."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from derive.verification import factors
from derive.verification.points import Point
from derive.verification.structure import Affine, Structure
from derive.verification.text import listed

Floats = NDArray[np.float64]

AGREES = 1e-3

MOST_VALUES = 6
"""So many incoming values are told."""

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
            return [*notes, _implied(point, structure, reading)]
    return notes


def _throughout(right: Sequence[str], wrong: Sequence[str]) -> str:
    """Which arrays are right in every number; where there are many, which are not."""
    if len(right) > FEW:
        return f"of the arrays, {listed(wrong)} {_are(wrong)} wrong, and the other {len(right)} right throughout"
    return f"of the arrays, {listed(right)} {_are(right)} right throughout, and {listed(wrong)} {_are(wrong)} not"


def _are(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _implied(point: Point, structure: Structure, reading: Sequence[Affine]) -> str:
    """Is the gradient of a weight array still a delta times what comes in? Then the delta is what is wrong.

    If it is a delta times other values, these came in, or were taken to. Of weights that are read more than once or
    for several examples the gradient is a sum of products, a single column is a multiple of anything, and nothing is
    told.
    """
    affine = reading[0]
    weight = affine.weight + (f" (layer {affine.layer})" if structure.in_layers else "")
    first = f"the first gradients that are wrong, seen from the outputs, are those of {weight}"
    places = {
        item.scalar.index: place
        for place, item in enumerate(point.items)
        if item.scalar.array == affine.weight and item.kind == "gradient"
    }
    incoming = np.asarray(point.floats[affine.incoming])
    shape = affine.weight_shape
    if (
        len(reading) > 1
        or len(places) < int(np.prod(shape))
        or len(shape) != 2
        or shape[1] == 1
        or affine.unit_axis != 0
        or incoming.reshape(-1).shape != shape[1:]
    ):
        return first
    own = np.array([[places[i, j] for j in range(shape[1])] for i in range(shape[0])])
    matrix, slack = point.yours[own], point.slack[own]
    values = incoming.reshape(-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        deltas = matrix @ values / (values @ values)
        fits = np.abs(matrix - np.outer(deltas, values)) <= AGREES * np.abs(matrix) + 1e-12
    if fits.all():
        told = ", ".join(f"{value:.6g}" for value in deltas)
        where = f"layer {affine.layer}" if structure.in_layers else affine.target.partition(".")[0]
        return (
            f"the gradients of {affine.weight} are deltas times what comes in, as they should be, but the deltas "
            f"that they imply for {where} are wrong: {told}"
        )
    if not _is_product(matrix, slack):
        return (
            f"the gradients of {weight} are no product of deltas and what comes in: the mistake is in the last step, "
            "delta times incoming value"
        )
    if len(matrix) == 1 and point.within(point.bounds)[own].any():  # other values came in, and some are the same?
        return first
    return (
        f"the gradients of {weight} are deltas times other incoming values than the network's"
        f"{_proportion(matrix, values)}: the mistake is probably in the forward pass before {affine.weight}"
    )


def _is_product(matrix: Floats, slack: Floats) -> bool:
    """Is a matrix a column times a row, as far as its numbers are known? Then every 2 × 2 determinant is 0."""
    row, column = np.unravel_index(np.argmax(np.abs(matrix)), matrix.shape)
    pivot, beside, above = matrix[row, column], matrix[:, [column]], matrix[[row], :]
    off = np.abs(matrix * pivot - beside * above)
    sizes, around, over = np.abs(matrix), slack[:, [column]], slack[[row], :]
    allowed = slack * np.abs(pivot) + sizes * slack[row, column] + around * np.abs(above) + over * np.abs(beside)
    return bool((off <= allowed + slack * slack[row, column] + around * over).all())


def _proportion(matrix: Floats, values: Floats) -> str:
    """The incoming values that a product implies, as large together as the network's own; "" where they are many."""
    row = matrix[np.argmax(np.abs(matrix).max(axis=1))]
    length = float(np.linalg.norm(row))
    if len(row) > MOST_VALUES or not length:
        return ""
    implied = row * (np.linalg.norm(values) / length) * (-1 if row @ values < 0 else 1)
    told, own = (", ".join(f"{value:.4g}" for value in each) for each in (implied, values))
    return f" (in the proportion {told}; the network's are {own})"
