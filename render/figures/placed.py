"""A drawing with everything in its place: pure data, from which SVG and TikZ are printed alike.

Lengths are pixels of a page on which the figure is at most `WIDTH` wide; y grows downwards.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

from derive.formula import Formula

WIDTH = 680.0
MARGIN = 8.0

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Box:
    """An upright rectangle."""

    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: Box, gap: float = 0.0) -> bool:
        """Whether the two come nearer to each other than ``gap``, both across and down."""
        return (
            self.left < other.right + gap
            and other.left < self.right + gap
            and self.top < other.bottom + gap
            and other.top < self.bottom + gap
        )

    def moved(self, dx: float, dy: float) -> Box:
        """The same box, shifted."""
        return Box(self.left + dx, self.top + dy, self.right + dx, self.bottom + dy)

    def grown(self, by: float) -> Box:
        """The box with a rim all round."""
        return Box(self.left - by, self.top - by, self.right + by, self.bottom + by)

    @property
    def centre(self) -> Point:
        """The middle."""
        return ((self.left + self.right) / 2, (self.top + self.bottom) / 2)


def box_around(x: float, y: float, half_width: float, half_height: float) -> Box:
    """The box whose middle is (x, y)."""
    return Box(x - half_width, y - half_height, x + half_width, y + half_height)


def hull(boxes: list[Box]) -> Box:
    """The smallest box that holds them all."""
    return Box(
        min(box.left for box in boxes),
        min(box.top for box in boxes),
        max(box.right for box in boxes),
        max(box.bottom for box in boxes),
    )


@dataclass(frozen=True, slots=True)
class Shape:
    """An outline: "round" (a circle, or a pill if it is wider than high), "square" (rounded corners),
    "left" and "right" (the halves of a pill), "dot" (a filled disc) or "plain" (no outline).
    """

    identifier: str
    outline: str
    box: Box
    mark: int | None = None
    faint: bool = False
    dashed: bool = False

    def holds(self, x: float, y: float) -> bool:
        """Whether the point lies within the outline."""
        box = self.box
        if not (box.left <= x <= box.right and box.top <= y <= box.bottom):
            return False
        if self.outline in ("square", "plain"):
            return True
        radius = (box.bottom - box.top) / 2
        middle = (box.top + box.bottom) / 2
        if self.outline in ("round", "left", "dot") and x < box.left + radius:
            return (x - box.left - radius) ** 2 + (y - middle) ** 2 <= radius**2
        if self.outline in ("round", "right", "dot") and x > box.right - radius:
            return (x - box.right + radius) ** 2 + (y - middle) ** 2 <= radius**2
        return True


@dataclass(frozen=True, slots=True)
class Line:
    """A line through its points, or one cubic Bézier curve over its four points if ``curved``.

    ``style``: "edge", "fine" (one of many edges), "backward" (double), "axis", "grid" or "curve";
    ``head`` puts an arrowhead at the last point.
    """

    points: tuple[Point, ...]
    style: str = "edge"
    curved: bool = False
    head: bool = False
    mark: int | None = None
    faint: bool = False

    def at(self, t: float) -> Point:
        """The point at parameter t from 0 (first point) to 1 (last)."""
        if not self.curved:
            (x0, y0), (x1, y1) = self.points[0], self.points[-1]
            return (x0 + (x1 - x0) * t, y0 + (y1 - y0) * t)
        u = 1 - t
        weights = (u * u * u, 3 * u * u * t, 3 * u * t * t, t * t * t)
        return (
            sum(w * x for w, (x, _) in zip(weights, self.points, strict=True)),
            sum(w * y for w, (_, y) in zip(weights, self.points, strict=True)),
        )

    def pieces(self) -> tuple[tuple[Point, Point], ...]:
        """The line as straight pieces, for measuring."""
        points = tuple(self.at(k / 10) for k in range(11)) if self.curved else self.points
        return tuple(pairwise(points))


@dataclass(frozen=True, slots=True)
class Label:
    """Words or a formula: its anchor ("start", "middle" or "end" of the base line at x, y) and its box.

    ``size``: "name", "edge", "value" or "note". ``backed`` hides what lies behind the box.
    """

    formula: Formula
    x: float
    y: float
    box: Box
    size: str = "name"
    anchor: str = "middle"
    mark: int | None = None
    faint: bool = False
    backed: bool = False


@dataclass(frozen=True, slots=True)
class Placed:
    """A finished layout: lines lie under shapes, shapes under labels."""

    width: float
    height: float
    lines: tuple[Line, ...]
    shapes: tuple[Shape, ...]
    labels: tuple[Label, ...]


def framed(lines: list[Line], shapes: list[Shape], labels: list[Label]) -> Placed:
    """Everything moved so that a margin is left all round."""
    ways = ([line.at(k / 8) for k in range(9)] if line.curved else line.points for line in lines)
    points = [Box(x - 3, y - 3, x + 3, y + 3) for way in ways for x, y in way]
    frame = hull([*(shape.box for shape in shapes), *(label.box for label in labels), *points])
    dx, dy = MARGIN - frame.left, MARGIN - frame.top
    return Placed(
        frame.right + dx + MARGIN,
        frame.bottom + dy + MARGIN,
        tuple(replace(line, points=tuple((x + dx, y + dy) for x, y in line.points)) for line in lines),
        tuple(replace(shape, box=shape.box.moved(dx, dy)) for shape in shapes),
        tuple(replace(label, x=label.x + dx, y=label.y + dy, box=label.box.moved(dx, dy)) for label in labels),
    )
