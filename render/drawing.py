"""What a figure shows, as data: one description, from which `figures.py` makes SVG and TikZ."""

from __future__ import annotations

from dataclasses import dataclass

from derive.formula import Name


@dataclass(frozen=True, slots=True)
class Node:
    """A circle (unit, input), a box (error, target) or a small square (bias) of a network.

    ``kind``: "input", "unit", "bias", "target", "error", "net", "out" (the halves of a unit drawn
    large) or "dots" (units left out). ``column`` counts from the left, ``row`` from the top within
    the column. ``mark`` is the factor whose colour it carries; ``faint`` draws it in the background.
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

    ``backward`` draws the arrow from target to source (deltas flowing back).
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

    ``points`` are (step, error) with the error as decimal text; steps count from 0.
    """

    points: tuple[tuple[int, str], ...]
    x_label: str
    y_label: str


Drawing = Network | Curve
