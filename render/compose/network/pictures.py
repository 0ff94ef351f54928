"""Windows on images: the patch under a filter and the window of a pooling, marked in the image itself."""

from __future__ import annotations

import numpy as np

from derive.derivation import Derivation
from derive.formula import Formula, Mark, Matrix, Side
from derive.program import Largest, references
from derive.quantities import reads
from derive.scalars import Scalar
from render.compose.network import arrays
from render.compose.network.operations import convolution, kind
from render.compose.network.plan import Entry, Plan
from render.compose.pen import Pen, equation, paragraph, prose
from render.document import Block, Inlines

LARGEST_IMAGE = 8
"""An image with more rows or columns than this is not drawn whole."""

TRIED = 400
"""So many places of a feature map are looked at for one that the filter covers whole."""


def focus(plan: Plan, entry: Entry) -> Scalar | None:
    """The place of a feature map that is worked out: where the whole filter lies on the image."""
    found = convolution(entry.equation.expression)
    if found is None:
        return None
    image, _ = found
    candidates = list(arrays.elements(plan, entry.name))[:TRIED]
    sizes = [len(_covered(plan.pen.derivation, scalar, image)) for scalar in candidates]
    full = [scalar for scalar, size in zip(candidates, sizes, strict=True) if size == max(sizes)]
    if plan.pen.numbers:
        values = plan.pen.derivation.floats(entry.name)
        return next((scalar for scalar in full if values[scalar.index] > 0), full[0])
    return full[0]


def before(plan: Plan, entry: Entry, scalar: Scalar) -> list[Block]:
    """What stands before the line of one element: its window in the image, where it has one."""
    does = kind(entry.equation.expression)
    if does == "convolution":
        return _filter(plan, entry, scalar)
    if does == "pooling":
        return _window(plan, entry, scalar)
    return []


def _covered(derivation: Derivation, scalar: Scalar, image: str) -> list[Scalar]:
    """The elements of the image from which one element is computed."""
    return list(derivation.graph.partials(scalar, frozenset((image,))))


def _filter(plan: Plan, entry: Entry, scalar: Scalar) -> list[Block]:
    found = convolution(entry.equation.expression)
    assert found is not None, "asked for only of a convolution"
    image, weights = found
    covered = set(_covered(plan.pen.derivation, scalar, image))
    drawn = _marked(plan, image, covered, 1)
    if drawn is None:
        return []
    used = set(_covered(plan.pen.derivation, scalar, weights))
    shape = plan.program.shape(weights)
    first = min(used, key=lambda each: each.index).index
    filters = _slice(plan.pen, weights, first[:-2], shape[-2:], used, 2)
    return [
        paragraph(
            "Take {element}. For it the filter lies on the coloured patch of {image}, and each of its weights is "
            "multiplied with the number under it.{of_image}{of_filter}",
            element=plan.pen.symbol(scalar),
            image=plan.pen.array(image),
            of_image=_which(plan, image, min(covered, key=lambda each: each.index)),
            of_filter=_which(plan, weights, min(used, key=lambda each: each.index)),
        ),
        equation((Side(plan.pen.array(image), ""), Side(drawn))),
        equation((Side(plan.pen.array(weights), ""), Side(filters))),
    ]


def _window(plan: Plan, entry: Entry, scalar: Scalar) -> list[Block]:
    expression = entry.equation.expression
    assert isinstance(expression, Largest), "asked for only of a pooling"
    (image,) = references(expression)
    window = _covered(plan.pen.derivation, scalar, image)
    drawn = _marked(plan, image, set(window), 1)
    if drawn is None or not plan.pen.numbers:
        return []
    winner = max(window, key=lambda each: (plan.pen.derivation.floats(image)[each.index], [-i for i in each.index]))
    row, column = (plan.pen.nth(i) for i in winner.index[-2:])
    return [
        paragraph(
            "Take {element}. Its window is coloured in {image}; the largest value in it is {value}, in row {row} and column "
            "{column} of {image}, and that is the winner.{which}",
            element=plan.pen.symbol(scalar),
            image=plan.pen.array(image),
            value=plan.pen.value(winner).formula,
            row=row,
            column=column,
            which=_which(plan, image, winner),
        ),
        equation((Side(plan.pen.array(image), ""), Side(drawn))),
    ]


def _which(plan: Plan, name: str, shown: Scalar) -> Inlines:
    """Which matrix of an array is shown, where it has several: " Of W, filter 1 is shown."."""
    axes = zip(plan.axes(name)[:-2], shown.index, plan.program.shape(name), strict=False)
    words = [f"{word or 'part'} {plan.pen.nth(place)}" for word, place, size in axes if size > 1]
    if not words:
        return ()
    return prose(" Of {name}, {words} is shown.", name=plan.pen.array(name), words=", ".join(words))


def _marked(plan: Plan, image: str, marked: set[Scalar], factor: int) -> Formula | None:
    """The channel of an image in which the first of the marked elements lies, they in colour; None for a large one."""
    shape = plan.program.shape(image)
    if max(shape[-2:]) > LARGEST_IMAGE or image not in plan.pen.derivation.numeric:
        return None
    front = min(marked, key=lambda each: each.index).index[:-2]
    return _slice(plan.pen, image, front, shape[-2:], marked, factor)


def _slice(
    pen: Pen, name: str, front: tuple[int, ...], shape: tuple[int, ...], marked: set[Scalar], factor: int
) -> Formula:
    numeric = name in pen.derivation.numeric
    rows: list[list[Formula]] = [[] for _ in range(shape[0])]
    for i, j in np.ndindex(*shape):
        scalar = Scalar(name, (*front, int(i), int(j)))
        shown: Formula = pen.show(reads(name, scalar.index)).formula if numeric else pen.symbol(scalar)
        rows[i].append(Mark(factor, shown) if scalar in marked else shown)
    return Matrix(tuple(tuple(row) for row in rows))
