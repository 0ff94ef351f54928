"""What a figure shows, as data: one description, from which `render.figures` makes SVG and TikZ."""

from __future__ import annotations

from dataclasses import dataclass

from derive.formula import Name


@dataclass(frozen=True, slots=True)
class Node:
    """A circle (unit, input), a box (error, target) or a small square (bias) of a network.

    ``kind``: "input", "unit", "bias", "target", "error", "net", "out" (the halves of a unit drawn
    large) or "dots" (units left out). ``column`` counts from the left, ``row`` from the top within
    the column. ``mark`` is the factor whose colour it carries; ``faint`` draws it in the background.

    Rows only order a column, whose nodes are spread evenly about its middle. A bias stands below the
    column that it is given, whatever its row, and serves the column after it. A target that stands in
    the column of its error (an edge joins them) hangs below that error. A "net" and an "out" in
    neighbouring columns and the same row are drawn joined; otherwise either is a circle like a unit.
    """

    identifier: str
    kind: str
    column: int
    row: int
    label: Name | None = None
    value: str = ""
    mark: int | None = None
    faint: bool = False


@dataclass(frozen=True, slots=True)
class Edge:
    """An arrow between two nodes, with its weight's name and value written on it.

    ``backward`` draws the arrow from target to source (deltas flowing back), as a double line. Of the
    labels between two columns either all carry their values or, for want of room, none does; more than
    about forty are left out, the marked ones excepted.
    """

    source: str
    target: str
    label: Name | None = None
    value: str = ""
    mark: int | None = None
    faint: bool = False
    backward: bool = False


@dataclass(frozen=True, slots=True)
class Network:
    """A layered drawing of a network or of a part of it; ``columns`` are headings over the columns."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Curve:
    """The error against the step on logarithmic scales.

    ``points`` are (step, error) with the error as decimal text; steps count from 0. Both ends are
    labelled with their text as it is, or rounded where it is longer than 13 characters. ``y_name`` is
    the symbol of the error, written after ``y_label``.
    """

    points: tuple[tuple[int, str], ...]
    x_label: str
    y_label: str
    y_name: Name | None = None


@dataclass(frozen=True, slots=True)
class FlowBox:
    """An array in a dataflow figure.

    ``kind``: "given", "target" (given too, drawn dashed), "array" or "error". ``names``: the array's name, or two of
    them, a net input and what is made of it alone, drawn as the halves of one box. ``words`` stand in place of
    names or above them. ``reads``: names written small below, the parameters that its equation reads. ``chain`` and
    ``time``: the recurrence that it belongs to and its time step; the boxes of a step stand in one column, the
    steps side by side in the order of the boxes. ``state``: the next step reads it.
    """

    identifier: str
    kind: str
    names: tuple[Name, ...] = ()
    words: str = ""
    reads: tuple[Name, ...] = ()
    chain: str = ""
    time: int = 0
    state: bool = False


@dataclass(frozen=True, slots=True)
class Flow:
    """Which array is computed from which: boxes from the top down, and arrows (source, target) between them."""

    boxes: tuple[FlowBox, ...]
    arrows: tuple[tuple[str, str], ...]


Drawing = Network | Curve | Flow
