"""The layout of a program's flow of data: boxes in rows from the top down, time steps in columns.

An arrow that passes a row has a place of its own there, like a narrow box, so that it never runs through one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from derive.errors import ChainruleError, unknown
from render.drawing import Flow
from render.figures import flow_blocks
from render.figures.flow_blocks import Block
from render.figures.flow_boxes import Sized, labels, outlines, sized
from render.figures.flow_rows import Item, across, ordered, ranks
from render.figures.placed import Line, Placed, Point, framed

ASIDE = 22.0  # between two boxes of a row
DOWN = 34.0  # between two rows
THREAD = 6.0  # half the room that an arrow takes where it passes a row
STRAIGHT = 5  # times as much a passing arrow wants to go straight on as to stand near its ends
SPREAD = 16.0  # between arrows that arrive at one box

Arrows = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Rows:
    """What stands in each row, with the middles of all items, and the top and bottom of each row."""

    rows: list[list[str]]
    row_of: Mapping[str, int]
    xs: Mapping[str, float]
    bounds: list[tuple[float, float]]

    def middle(self, item: str) -> Point:
        """Where an item's middle is."""
        top, bottom = self.bounds[self.row_of[item]]
        return self.xs[item], (top + bottom) / 2


def flow_layout(flow: Flow) -> Placed:
    """Put every box and every arrow into its place; errors: ChainruleError for a drawing that contradicts itself."""
    _check(flow)
    sizes = {box.identifier: sized(box) for box in flow.boxes}
    chains = [size for size in sizes.values() if size.box.chain]
    blocks = {
        name: flow_blocks.block(list(each), flow.arrows)
        for name, each in groupby(
            sorted(chains, key=lambda size: size.box.chain), key=lambda size: f"chain {size.box.chain}"
        )
    }
    item_of = {name: f"chain {size.box.chain}" if size.box.chain else name for name, size in sizes.items()}
    rows = _rows(sizes, blocks, item_of, flow.arrows)
    at = _places(sizes, blocks, item_of, rows)
    drawn = [shape for name, size in sizes.items() for shape in outlines(size, *at[name])]
    written = [label for name, size in sizes.items() for label in labels(size, *at[name])]
    return framed(_lines(sizes, blocks, item_of, rows, at, flow.arrows), drawn, written)


def _check(flow: Flow) -> None:
    known = [box.identifier for box in flow.boxes]
    if not known:
        raise ChainruleError("drawing: a flow without boxes cannot be drawn")
    twice = next((name for name in known if known.count(name) > 1), None)
    if twice is not None:
        raise ChainruleError(f'drawing: there are two boxes "{twice}"')
    for arrow in flow.arrows:
        for end in arrow:
            if end not in known:
                raise ChainruleError(f"drawing: an arrow from {arrow[0]} to {arrow[1]}: {unknown(end, known)}")


# ---- rows ----------------------------------------------------------------------------------


def _rows(sizes: Mapping[str, Sized], blocks: Mapping[str, Block], item_of: Mapping[str, str], arrows: Arrows) -> Rows:
    items = list(dict.fromkeys(item_of.values()))
    links = [link for link in dict.fromkeys((item_of[s], item_of[t]) for s, t in arrows) if link[0] != link[1]]
    given = frozenset(name for name, size in sizes.items() if size.box.kind in ("given", "target")) & set(items)
    rank = ranks(items, links, given)
    stacked: list[list[str]] = []
    for level in sorted(set(rank.values())):
        here = [item for item in items if rank[item] == level]
        plain = [item for item in here if item not in blocks]
        stacked += [row for row in (plain, *([item] for item in here if item in blocks)) if row]
    row_of = {item: number for number, row in enumerate(stacked) for item in row}
    threads: list[tuple[str, str]] = []
    for source, target in links:
        way = [source, *(_thread(source, row) for row in range(row_of[source] + 1, row_of[target])), target]
        for row, name in enumerate(way[1:-1], start=row_of[source] + 1):
            if name not in row_of:
                stacked[row].append(name)
                row_of[name] = row
        threads += pairwise(way)
    threads = list(dict.fromkeys(threads))
    stacked = ordered(stacked, threads)
    threads += [link for link in threads for _ in range(STRAIGHT) if not {*link} & {*items}]
    halves = {name: size.half_width for name, size in sizes.items()} | {n: b.width / 2 for n, b in blocks.items()}
    xs = across([[Item(name, halves.get(name, THREAD)) for name in row] for row in stacked], threads, ASIDE)
    return Rows(stacked, row_of, xs, _bounds(stacked, sizes, blocks))


def _thread(source: str, row: int) -> str:
    """The name of the place at which the arrows from a box pass a row: they part only where they have to."""
    return f"{source} past row {row}"


def _bounds(
    rows: list[list[str]], sizes: Mapping[str, Sized], blocks: Mapping[str, Block]
) -> list[tuple[float, float]]:
    found: list[tuple[float, float]] = []
    top = 0.0
    for row in rows:
        heights = [2 * sizes[name].half_height for name in row if name in sizes]
        height = max([*heights, *(blocks[name].height for name in row if name in blocks)])
        found.append((top, top + height))
        top += height + DOWN
    return found


def _places(
    sizes: Mapping[str, Sized], blocks: Mapping[str, Block], item_of: Mapping[str, str], rows: Rows
) -> dict[str, Point]:
    """The middle of every box."""
    found: dict[str, Point] = {}
    for name in sizes:
        x, y = rows.middle(item_of[name])
        made = blocks.get(item_of[name])
        if made is not None:
            dx, dy = made.places[name]
            x, y = x - made.width / 2 + dx, y - made.height / 2 + dy
        found[name] = (x, y)
    return found


# ---- arrows --------------------------------------------------------------------------------


def _lines(
    sizes: dict[str, Sized],
    blocks: Mapping[str, Block],
    item_of: Mapping[str, str],
    rows: Rows,
    at: dict[str, Point],
    arrows: Arrows,
) -> list[Line]:
    found: list[Line] = []
    for name, made in blocks.items():
        found += flow_blocks.lines(made, sizes, at, rows.xs[name] - made.width / 2, arrows)
    outer = [(s, t) for s, t in arrows if item_of[s] != item_of[t]]
    ways = {arrow: _way(sizes[arrow[0]], at[arrow[0]], item_of, rows, arrow) for arrow in outer}
    for arrow, way in ways.items():
        source, target = arrow
        within = blocks.get(item_of[target])
        column = _column(within, target)
        if within is not None and (column, source) in within.buses:
            left = rows.xs[item_of[target]] - within.width / 2
            end = flow_blocks.arrivals(within, column, source, at[target], sizes[target].half_width, left)
            end = [(end[0][0], rows.bounds[rows.row_of[item_of[target]]][0]), *end]
        else:
            end = [_arrival(sizes[target], at[target], arrow, ways)]
        found.append(Line((*way, *end), head=True))
    return found


def _column(made: Block | None, name: str) -> int:
    columns = () if made is None else made.columns
    return next((k for k, column in enumerate(columns) if name in column.names), -1)


def _way(source: Sized, start: Point, item_of: Mapping[str, str], rows: Rows, arrow: tuple[str, str]) -> list[Point]:
    """From the bottom of a box, past the rows between."""
    first, last = (item_of[name] for name in arrow)
    out = start[0] + (source.half_width - source.parts[-1] if len(source.parts) == 2 else 0.0)
    way = [(out, start[1] + source.half_height)]
    for row in range(rows.row_of[first] + 1, rows.row_of[last]):
        x = rows.xs[_thread(first, row)]
        way += [(x, rows.bounds[row][0]), (x, rows.bounds[row][1])]
    return way


def _arrival(target: Sized, end: Point, arrow: tuple[str, str], ways: Mapping[tuple[str, str], list[Point]]) -> Point:
    """Where an arrow meets the top of its box: beside the others, in the order in which they come."""
    coming = sorted((way[-1][0], each) for each, way in ways.items() if each[1] == arrow[1])
    place = [each for _, each in coming].index(arrow)
    half = target.parts[0] if len(target.parts) == 2 else target.half_width
    middle = end[0] - target.half_width + half
    step = min(SPREAD, 1.2 * half / len(coming))
    return middle + (place - (len(coming) - 1) / 2) * step, end[1] - target.half_height
