"""Where the labels of edges stand: on their line or just beside it, clear of nodes and of each other.

Every label may stand at several places along its edge; those that hide the least of other edges,
and that line up with their neighbours, are taken. Where the full labels of a gap between two
columns do not fit, all of them are shortened to the name; where even these do not, the labels of
marked edges alone stay.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from derive.formula import Formula
from render.drawing import Edge
from render.figures.letters import label_formula, place
from render.figures.placed import Box, Label, Line, Point, hull
from render.figures.routes import length_within

STATIONS = 19  # places tried along an edge
TOO_MANY = 40  # labels in one gap that nobody could read
NEAR = 4.0  # pixels within which a label beside its line is easily taken for another line's
MANY = 12  # labels in one gap from which on fewer arrangements are tried
FLAT = 0.25  # a slope below which a label stands rather above its line than on it
OFF_CENTRE = 6.0  # what it costs to stand at an end of the edge rather than in its middle


@dataclass(frozen=True, slots=True)
class Candidate:
    """One place of one label, and what it costs on its own."""

    label: Label
    cost: float


@dataclass(frozen=True, slots=True)
class Extent:
    """A line, the box round it and its straight pieces, measured once for all labels."""

    line: Line
    box: Box
    pieces: tuple[tuple[Point, Point], ...]

    @classmethod
    def of(cls, line: Line) -> Extent:
        """The extent of a line."""
        xs, ys = zip(*line.points, strict=True)
        return cls(line, Box(min(xs), min(ys), max(xs), max(ys)), line.pieces())


@dataclass(frozen=True, slots=True)
class Wanted:
    """A label to be placed: its edge and the edge's line."""

    edge: Edge
    line: Line


def edge_labels(edges: tuple[Edge, ...], lines: list[Line], groups: list[object], taken: list[Box]) -> list[Label]:
    """The labels of all edges.

    ``groups`` says for each edge in which gap it runs; ``taken`` is what the labels must not touch.
    """
    found: list[Label] = []
    for group in dict.fromkeys(groups):
        wanted = [
            Wanted(edge, line)
            for edge, line, its in zip(edges, lines, groups, strict=True)
            if its == group and label_formula(edge.label, edge.value) is not None
        ]
        if wanted:
            found += place_group(wanted, lines, [*taken, *(label.box for label in found)])
    return found


def place_group(wanted: list[Wanted], lines: list[Line], taken: list[Box]) -> list[Label]:
    """The labels of one gap, all written alike: as full as they fit."""
    marked = [each for each in wanted if each.edge.mark is not None]
    for these, full in ((wanted, True), (wanted, False), (marked, True), (marked, False)):
        arranged = arrange(these, full, lines, taken)
        if arranged is not None:
            return arranged
    return []


def arrange(wanted: list[Wanted], full: bool, lines: list[Line], taken: list[Box]) -> list[Label] | None:
    """The cheapest arrangement in which no two labels touch, or None if none was found."""
    if not wanted:
        return []
    if len(wanted) > TOO_MANY:
        return None
    region = hull([Box(min(x), min(y), max(x), max(y)) for x, y in (zip(*w.line.points, strict=True) for w in wanted)])
    formulas = [shortened(each.edge, full) for each in wanted]
    areas = sum((b.right - b.left) * (b.bottom - b.top) for b in (place(f, 0, 0, "edge").box for f in formulas))
    if areas > 0.6 * (region.right - region.left) * (region.bottom - region.top) and len(wanted) > MANY:
        return None
    near = [extent for extent in map(Extent.of, lines) if extent.box.overlaps(region, 1.0)]
    candidates = [
        [
            Candidate(label, cost(label, each.line, near) + OFF_CENTRE * abs(t - 0.5))
            for label, t in places(formula, each, len(wanted))
            if free(label, taken)
        ]
        for formula, each in zip(formulas, wanted, strict=True)
    ]
    if not all(candidates):
        return None
    step = (region.right - region.left) / (STATIONS + 1)
    best: tuple[float, list[Label]] | None = None
    for station in range(1, STATIONS + 1, 1 if len(wanted) <= MANY else 3):
        arranged = arrange_at(region.left + step * station, candidates)
        if arranged is not None and (best is None or arranged[0] < best[0]):
            best = arranged
    return None if best is None else best[1]


def shortened(edge: Edge, full: bool) -> Formula:
    """The label of an edge, with its value or without."""
    formula = label_formula(edge.label, edge.value if full or edge.label is None else "")
    assert formula is not None
    return formula


def free(label: Label, taken: list[Box]) -> bool:
    """Whether a label keeps clear of what is there already."""
    return not any(label.box.overlaps(box, 2.0) for box in taken)


def places(formula: Formula, wanted: Wanted, count: int) -> Iterator[tuple[Label, float]]:
    """The places of a label along its line, and the parameter of each: on the line, above it, below it."""
    for station in range(1, STATIONS + 1):
        t = station / (STATIONS + 1)
        x, y = wanted.line.at(t)
        (x0, y0), (x1, y1) = wanted.line.at(t - 0.02), wanted.line.at(t + 0.02)
        label = place(formula, x, y, "edge")
        label = replace(label, mark=wanted.edge.mark, faint=wanted.edge.faint, backed=True)
        yield label, t
        if count > MANY:
            continue
        half_width, half_height = (label.box.right - label.box.left) / 2, (label.box.bottom - label.box.top) / 2
        rim = 4.0 if wanted.edge.backward or wanted.edge.mark is not None else 2.0
        slope = abs(y1 - y0) / max(abs(x1 - x0), 0.01)
        aside, lift = half_width + 5, half_height + slope * half_width + rim
        if slope > 4:
            yield moved(label, aside, 0.0), t
            yield moved(label, -aside, 0.0), t
        elif lift < 26:
            yield moved(label, 0.0, -lift), t
            yield moved(label, 0.0, lift), t


def moved(label: Label, dx: float, dy: float) -> Label:
    """The label somewhere else."""
    return replace(label, x=label.x + dx, y=label.y + dy, box=label.box.moved(dx, dy))


def cost(label: Label, own: Line, extents: list[Extent]) -> float:
    """What a place hides of other edges, and how far it stands from its own."""
    covered = sum(length_within(piece, label.box) for piece in own.pieces())
    room = label.box if covered else label.box.grown(NEAR)
    hidden = 0.0
    for extent in extents:
        if extent.line is not own and extent.box.overlaps(room):
            weight = 1.0 if extent.line.faint else 6.0 if extent.line.mark is not None else 3.0
            hidden += weight * sum(length_within(piece, room) for piece in extent.pieces)
    return hidden + (0.12 * covered + on_the_line(own, covered) if covered else beside_the_line(own, label))


def on_the_line(own: Line, covered: float) -> float:
    """What it costs to stand on an edge: more if it is flat, or if little is left to see of it."""
    (x0, y0), (x1, y1) = own.points[0], own.points[-1]
    length: float = sum(math.dist(*piece) for piece in own.pieces())
    flat = abs(y1 - y0) < FLAT * abs(x1 - x0)
    return max(0.0, covered - 0.5 * length) + (4.0 if flat else 0.0)


def beside_the_line(own: Line, label: Label) -> float:
    """What it costs to stand beside an edge: least above it, or on the outer side of a curve."""
    x, y = label.box.centre
    start, end, middle = own.points[0], own.points[-1], own.at(0.5)
    bulge = middle[1] - (start[1] + end[1]) / 2
    if own.curved and abs(bulge) > NEAR:
        return 1.0 if (y - middle[1]) * bulge > 0 else 20.0
    below = any(min(x0, x1) <= x <= max(x0, x1) and y > max(y0, y1) for (x0, y0), (x1, y1) in own.pieces())
    return 20.0 if below else 6.0


def arrange_at(x: float, candidates: list[list[Candidate]]) -> tuple[float, list[Label]] | None:
    """Every label as near to one vertical line as it can stand, those with the fewest places first."""
    chosen: dict[int, Label] = {}
    total = 0.0
    for index in sorted(range(len(candidates)), key=lambda each: (len(candidates[each]), each)):
        best: tuple[float, Label] | None = None
        for candidate in candidates[index]:
            price = candidate.cost + 0.5 * abs(candidate.label.box.centre[0] - x)
            if best is not None and price >= best[0]:
                continue
            if not any(candidate.label.box.overlaps(other.box, 2.0) for other in chosen.values()):
                best = (price, candidate.label)
        if best is None:
            return None
        total += best[0]
        chosen[index] = best[1]
    return total, [chosen[index] for index in range(len(candidates))]
