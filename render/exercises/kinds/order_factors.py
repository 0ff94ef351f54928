"""Put the factors of a chain rule in order."""

from __future__ import annotations

from derive.formula import Product, Side
from derive.scalars import Scalar
from derive.variants.asked import Asked
from render.compose.pen import paragraph, prose
from render.document import Equation
from render.exercises.blanks import shown
from render.exercises.desk import Desk, Ground, Planned
from render.exercises.kind import Kind, Told
from render.exercises.model import Exercise, Item, OrderAnswer, SolutionStep
from render.exercises.paths import links, long_paths, paths


def told(ground: Ground, about: tuple[Scalar, ...]) -> Told:
    """The derivatives of the activations on the path stand on the sheet."""
    (path, *_) = paths(ground.derivation, about[0])
    return Told(tuple(Asked("local", by) for _, by in links(path) if by.array in ground.outputs))


def make(desk: Desk, planned: Planned) -> Exercise:
    """From the error back to a weight, which factor follows which?"""
    target, pen = planned.about[0], desk.pen
    every = paths(desk.derivation, target)
    right = links(every[0])
    drawn = desk.shuffled(range(len(right)), "order")
    if drawn == sorted(drawn):  # what stands in order already is no exercise
        drawn = drawn[1:] + drawn[:1]
    order = tuple(drawn.index(k) for k in range(len(right)))
    points = 2 if planned.points is None else planned.points
    items = tuple(prose("{it}", it=pen.partial(*right[k])) for k in drawn)
    prompt = paragraph(
        "These are the factors of one path from {error} back to {w}. Put them in order, beginning at the error.",
        error=pen.error,
        w=pen.symbol(target),
    )
    product = Product(tuple(pen.partial(*each) for each in right), "dot")
    alone = len(every) == 1
    sides = (Side(pen.partial(None, target), ""), Side(product)) if alone else (Side(product, ""),)
    words = "Each factor begins where the one before it ends: what stands below in one stands above in the next."
    more = "" if alone else " This is one of the paths; what comes back along all of them is added."
    criterion = prose("all in order; half of the points where one is out of place")
    solution = (SolutionStep((paragraph(words + more), Equation(sides)), points, criterion),)
    item = Item("", prose("the order"), OrderAnswer(items, order), points)
    return Exercise(planned.kind, "The factors in order", (prompt,), (item,), solution, shown(solution, planned.blanks))


KIND = Kind(
    "order_factors",
    "put the factors of a chain rule in order",
    long_paths,
    make,
    told=told,
    numbers=False,
    nothing="no path of it is longer than two factors",
)
