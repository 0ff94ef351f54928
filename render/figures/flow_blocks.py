"""The time steps of a recurrence in a dataflow figure: a column for each step, its states at the right of it.

What a step makes from its inputs stands at the left of its column, one under the other; the states that the next
step reads stand at the right, the first above (it runs straight along the top), the last below.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from render.figures.flow_boxes import Sized
from render.figures.placed import Line, Point

BETWEEN = 14.0  # two boxes, down
ASIDE = 22.0  # from what a step makes to its states
APART = 12.0  # two columns
BUS = 9.0  # two lines that run down beside a column
OFF = 6.0  # from the middle of a state to where what is made in its step arrives

Arrows = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Column:
    """One time step: what it makes, and its states."""

    inner: tuple[Sized, ...]
    states: tuple[Sized, ...]

    @property
    def names(self) -> set[str]:
        """The boxes of the step."""
        return {size.box.identifier for size in (*self.inner, *self.states)}


@dataclass(frozen=True)
class Block:
    """A recurrence with its boxes placed: ``places`` are middles seen from the upper left corner, ``buses`` the x of
    the line that brings a source (the key's second part) to a column (its first), ``pitch`` how far apart rows are."""

    columns: tuple[Column, ...]
    places: dict[str, Point]
    buses: dict[tuple[int, str], float]
    width: float
    height: float
    pitch: float


def block(sizes: Sequence[Sized], arrows: Arrows) -> Block:
    """The boxes of one recurrence in columns, in the order in which they come."""
    columns = [_column(list(each), arrows) for _, each in groupby(sizes, key=lambda size: size.box.time)]
    rows = max(len(column.inner) for column in columns)
    pitch = max((2 * size.half_height for column in columns for size in column.inner), default=0.0) + BETWEEN
    tall = max((2 * size.half_height for column in columns for size in column.states), default=0.0) + BETWEEN
    above = max(len(column.states) for column in columns) - 1
    places: dict[str, Point] = {}
    buses: dict[tuple[int, str], float] = {}
    left = 0.0
    for number, column in enumerate(columns):
        if number:
            left += APART
        for source in _brought(column, arrows):
            buses[number, source] = left
            left += BUS
        left += 8.0 if column.inner and number in {each for each, _ in buses} else 0.0
        half = max((size.half_width for size in column.inner), default=0.0)
        for row, size in enumerate(column.inner):
            places[size.box.identifier] = (left + half, above * tall + (row + 0.5) * pitch)
        left += 2 * half + (ASIDE if column.inner else 0.0)
        half = max((size.half_width for size in column.states), default=0.0)
        for row, size in enumerate(column.states):
            last = row == len(column.states) - 1
            down = above * tall + rows * pitch if last else row * tall
            places[size.box.identifier] = (left + half, down + tall / 2)
        left += 2 * half
    return Block(tuple(columns), places, buses, left, above * tall + rows * pitch + tall, pitch)


def _column(sizes: list[Sized], arrows: Arrows) -> Column:
    """The step's boxes; one that another of them is computed from stands right above it."""
    inner = [size for size in sizes if not size.box.state]
    order: list[Sized] = []
    for size in inner:
        if size in order:
            continue
        order.append(size)
        read_by = {target for source, target in arrows if source == size.box.identifier}
        order += [each for each in inner if each.box.identifier in read_by and each not in order]
    return Column(tuple(order), tuple(size for size in sizes if size.box.state))


def _brought(column: Column, arrows: Arrows) -> list[str]:
    """What comes from elsewhere to what the step makes: each is a line beside the column."""
    inner = {size.box.identifier for size in column.inner}
    return list(dict.fromkeys(s for s, t in arrows if t in inner and s not in column.names))


def lines(made: Block, sizes: dict[str, Sized], at: dict[str, Point], left: float, arrows: Arrows) -> list[Line]:
    """The arrows between the boxes of a block, which stand at ``at``; ``left`` is where the block begins."""
    number = {name: k for k, column in enumerate(made.columns) for name in column.names}
    found = []
    for source, target in arrows:
        if source not in number or target not in number:
            continue
        ends = sizes[source], sizes[target], at[source], at[target]
        bus = made.buses.get((number[target], source))
        if bus is not None:
            found.append(_by_bus(*ends, left + bus))
        elif number[source] != number[target]:
            found.append(_onwards(*ends))
        else:
            found.append(_within(*ends, made.pitch))
    return found


def _by_bus(source: Sized, target: Sized, start: Point, end: Point, bus: float) -> Line:
    """From a state to what the next step makes of it: along the bottom or the top, and down or up beside the column."""
    (x0, y0), (x1, y1) = start, end
    return Line(((x0 + source.half_width, y0), (bus, y0), (bus, y1), (x1 - target.half_width, y1)), head=True)


def _onwards(source: Sized, target: Sized, start: Point, end: Point) -> Line:
    """From a state to that of the next step."""
    return Line(((start[0] + source.half_width, start[1]), (end[0] - target.half_width, end[1])), head=True)


def _within(source: Sized, target: Sized, start: Point, end: Point, pitch: float) -> Line:
    """Between two boxes of a step."""
    (x0, y0), (x1, y1) = start, end
    side = 1.0 if y1 > y0 else -1.0
    leave, meet = y0 + side * source.half_height, y1 - side * target.half_height
    if source.box.state and target.box.state:
        return Line(((x0 + OFF, leave), (x1 + OFF, meet)), head=True)
    if source.box.state:
        return Line(((x0 - source.half_width, y0), (x1 + target.half_width, y1)), head=True)
    right = x0 + source.half_width
    if target.box.state:
        return Line(((right, y0), (x1 - OFF, meet)), head=True)
    if abs(y1 - y0) < 1.5 * pitch:
        return Line(((x0, leave), (x1, meet)), head=True)
    out = max(right, x1 + target.half_width) + 18.0
    return Line(((right, y0), (out, y0), (out, y1), (x1 + target.half_width, y1)), curved=True, head=True)


def arrivals(made: Block, column: int, source: str, target: Point, half_width: float, left: float) -> list[Point]:
    """The last points of an arrow from outside to what a step makes: down beside the column, then into the box."""
    bus = left + made.buses[column, source]
    return [(bus, target[1]), (target[0] - half_width, target[1])]
