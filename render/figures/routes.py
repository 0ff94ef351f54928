"""How edges run: straight from outline to outline, bowed round what stands in the way."""

from __future__ import annotations

from itertools import chain

from render.drawing import Edge
from render.figures.placed import Box, Line, Point, Shape

CLEARANCE = 3.0
CROWD = 24  # edges from which on they are drawn finer
BOWS = (0.0, 24.0, -24.0, 48.0, -48.0, 72.0, -72.0, 100.0, -100.0, 140.0, -140.0)
TWIN_BOWS = (18.0, -18.0, 36.0, -36.0, *BOWS[3:])


def length_within(piece: tuple[Point, Point], box: Box) -> float:
    """How much of a straight piece lies within a box."""
    (x0, y0), (x1, y1) = piece
    dx, dy = x1 - x0, y1 - y0
    length: float = (dx * dx + dy * dy) ** 0.5
    enter, leave = 0.0, 1.0
    for start, step, low, high in ((x0, dx, box.left, box.right), (y0, dy, box.top, box.bottom)):
        if step == 0:
            if not low < start < high:
                return 0.0
            continue
        first, second = (low - start) / step, (high - start) / step
        enter, leave = max(enter, min(first, second)), min(leave, max(first, second))
        if enter >= leave:
            return 0.0
    return (leave - enter) * length


def boundary(shape: Shape, towards: Point) -> Point:
    """Where the line from the middle of an outline towards a point leaves the outline."""
    (x0, y0), (x1, y1) = shape.box.centre, towards
    if shape.holds(x1, y1):
        return towards
    inside, outside = 0.0, 1.0
    for _ in range(24):
        middle = (inside + outside) / 2
        if shape.holds(x0 + (x1 - x0) * middle, y0 + (y1 - y0) * middle):
            inside = middle
        else:
            outside = middle
    return (x0 + (x1 - x0) * outside, y0 + (y1 - y0) * outside)


def connection(source: Shape, target: Shape, bow: float) -> tuple[Point, ...]:
    """Two points of a straight line, or four of a curve bowed by so many pixels (downwards if positive)."""
    start, end = source.box.centre, target.box.centre
    if bow == 0:
        return boundary(source, end), boundary(target, start)
    dx, dy = end[0] - start[0], end[1] - start[1]
    distance = (dx * dx + dy * dy) ** 0.5 or 1.0
    across = (-dy / distance, dx / distance) if dx >= 0 else (dy / distance, -dx / distance)
    first = (start[0] + dx * 0.3 + across[0] * bow, start[1] + dy * 0.3 + across[1] * bow)
    second = (start[0] + dx * 0.7 + across[0] * bow, start[1] + dy * 0.7 + across[1] * bow)
    return boundary(source, first), first, second, boundary(target, second)


def arc(net: Shape, out: Shape, below: bool) -> tuple[Point, ...]:
    """From one half of a unit drawn large to the other, over its top or under its bottom."""
    (x0, _), (x1, _) = net.box.centre, out.box.centre
    y, lift = (net.box.bottom, 30.0) if below else (net.box.top, -30.0)
    return (x0, y), (x0 + 0.2 * (x1 - x0), y + lift), (x1 - 0.2 * (x1 - x0), y + lift), (x1, y)


def blocked(points: tuple[Point, ...], others: list[Shape]) -> bool:
    """Whether a line runs through an outline that is not its own."""
    pieces = Line(points, curved=len(points) == 4).pieces()
    for shape in others:
        room = shape.box.grown(CLEARANCE)
        if any(length_within(piece, room) > 0 for piece in pieces):
            return True
    return False


def route(edge: Edge, shapes: dict[str, Shape], twin: bool, crowded: bool) -> Line:
    """The line of one edge; a ``twin`` joins nodes that another edge joins too, a ``crowded`` one is drawn fine."""
    source, target = shapes[edge.source], shapes[edge.target]
    if source.outline == "left" and target.outline == "right" and source.box.right == target.box.left:
        points = arc(source, target, below=edge.backward)
    else:
        others = [shape for name, shape in shapes.items() if name not in (edge.source, edge.target)]
        usual, *more = TWIN_BOWS if twin else BOWS
        first = connection(source, target, usual)
        tries = chain((first,), (connection(source, target, bow) for bow in more))
        points = next((each for each in tries if not blocked(each, others)), first)
    points = points[::-1] if edge.backward else points
    style = "backward" if edge.backward else "fine" if crowded and edge.mark is None else "edge"
    return Line(points, style, len(points) == 4, head=True, mark=edge.mark, faint=edge.faint)


def route_all(edges: tuple[Edge, ...], shapes: dict[str, Shape]) -> list[Line]:
    """The line of every edge, in the order of the edges."""
    seen: set[frozenset[str]] = set()
    lines: dict[int, Line] = {}
    for index, edge in sorted(enumerate(edges), key=lambda each: each[1].backward):  # a delta bows, not its weight
        ends = frozenset((edge.source, edge.target))
        lines[index] = route(edge, shapes, ends in seen, len(edges) > CROWD)
        seen.add(ends)
    return [lines[index] for index in range(len(edges))]
