"""Which paths contribute to a gradient?"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from derive.formula import Product, Side
from derive.scalars import Scalar
from derive.written import added
from render.compose.pen import Pen, count, paragraph, prose
from render.document import Equation, Inline, Inlines, Text
from render.exercises.desk import Desk, Planned
from render.exercises.kind import Kind
from render.exercises.model import ChoiceAnswer, Exercise, Item, Option, SolutionStep
from render.exercises.paths import Path, branching, links, paths

MOST_WRONG = 4
MOST_LEFT_OUT = 4
"""A path of no more quantities than these has no step that could be left out unseen."""


def make(desk: Desk, planned: Planned) -> Exercise:
    """Tick the paths by which a weight acts on the error."""
    target, pen = planned.about[0], desk.pen
    right = paths(desk.derivation, target)
    options = [
        Option(_written(pen, path), True, "It is one of them: every step is an arrow of the network.") for path in right
    ]
    options += [Option(_written(pen, path), False, words) for path, words in _wrong(desk, target, right)]
    points = len(right) if planned.points is None else planned.points
    prompt = paragraph(
        "A change of {w} reaches {error} along several paths. Tick all of them.", w=pen.symbol(target), error=pen.error
    )
    products = [Product(tuple(pen.partial(*each) for each in links(path)), "dot") for path in right]
    solution = (
        SolutionStep(
            (
                paragraph(
                    "{There} {paths}, one term of the gradient each; what comes back along them is added:",
                    There="There are" if len(right) > 1 else "There is",
                    paths=count(len(right), "path"),
                ),
                Equation((Side(pen.partial(None, target), ""), Side(added(list(products))))),
            ),
            points,
            prose("a point for each path that is found; one less for each that is none"),
        ),
    )
    item = Item(
        "",
        prose("the paths of {w}", w=pen.symbol(target)),
        ChoiceAnswer(tuple(desk.shuffled(options, "paths")), True),
        points,
    )
    return Exercise(planned.kind, "Which paths?", (prompt,), (item,), solution)


def _written(pen: Pen, path: Path) -> Inlines:
    """w1 → net_h1 → out_h1 → …"""
    made: list[Inline] = []
    for place, scalar in enumerate(path):
        made += [Text(" → ")] if place else []
        made += prose("{it}", it=pen.symbol(scalar))
    return tuple(made)


def _wrong(desk: Desk, target: Scalar, right: list[Path]) -> list[tuple[Path, str]]:
    """Paths that are none: those of a neighbouring unit, and right ones with a step left out."""
    found: dict[Path, str] = {}
    for neighbour in _neighbours(desk, target):
        for path in paths(desk.derivation, neighbour):
            found.setdefault((target, *path[1:]), "That leads through a unit that it does not feed.")
    found |= {
        path: "An output depends on the net input of its own example, and on that of no other."
        for path in _mixed(desk, right)
        if path not in found
    }
    for path in right:
        if len(path) > MOST_LEFT_OUT or (len(path) == MOST_LEFT_OUT and _is_net(desk, path[1])):
            found.setdefault((path[0], *path[2:]), "A step is left out: it acts through the net input of its unit.")
    wrong = [(path, words) for path, words in found.items() if path not in right]
    return desk.shuffled(wrong, "wrong paths")[:MOST_WRONG]


def _is_net(desk: Desk, scalar: Scalar) -> bool:
    return desk.derivation.program.variables[scalar.array].role == "net"


def _mixed(desk: Desk, right: list[Path]) -> Iterator[Path]:
    """Paths that go from one example to another on their way."""
    for one, other in pairwise(right):
        place = next((k for k, scalar in enumerate(one) if _is_net(desk, scalar)), None)
        if place is not None and len(one) == len(other) and one[place].index[0] != other[place].index[0]:
            yield (*one[: place + 1], *other[place + 1 :])


def _neighbours(desk: Desk, target: Scalar) -> Iterator[Scalar]:
    """The same place in the next unit: of a weight the next row, of a net input the next column."""
    shape = desk.derivation.program.shape(target.array)
    axis = 0 if desk.derivation.program.variables[target.array].role == "weight" else len(shape) - 1
    if shape and shape[axis] > 1:
        index = list(target.index)
        index[axis] = (index[axis] + 1) % shape[axis]
        yield Scalar(target.array, tuple(index))


KIND = Kind(
    "paths",
    "tick the paths by which a weight acts on the error",
    branching,
    make,
    numbers=False,
    nothing="no weight of it acts on the error along several paths that could be listed",
)
