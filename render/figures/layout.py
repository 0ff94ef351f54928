"""The layout of a drawing: a network in columns, a curve on its axes, or a program's flow of data in rows."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from derive.formula import Formula, Words
from render.drawing import Curve, Drawing, Flow, Network
from render.figures.curve import curve_layout
from render.figures.dataflow import flow_layout
from render.figures.edge_labels import edge_labels
from render.figures.letters import SIZES, place, width
from render.figures.nodes import Sized, check, inner_labels, shapes, sized_nodes
from render.figures.own_biases import without_own_biases
from render.figures.placed import Box, Label, Line, Placed, Shape, box_around, framed
from render.figures.routes import length_within, route_all

HEAD = 6.0  # half the length of an arrowhead
INNER = 150.0  # what it costs a bias to stand between two units
DOT = 2.2  # radius of each of the three dots that stand for units left out


@lru_cache(maxsize=64)
def layout(drawing: Drawing) -> Placed:
    """Put everything that a drawing shows into its place; several formats and papers ask for the same one.

    Errors: ChainruleError for a drawing that contradicts itself.
    """
    match drawing:
        case Curve():
            return curve_layout(drawing)
        case Flow():
            return flow_layout(drawing)
        case Network():
            return network_layout(drawing)


def network_layout(network: Network) -> Placed:
    """A network: nodes in columns, edges between them, labels where they fit."""
    check(network)
    network, own = without_own_biases(network)
    sized = sized_nodes(network, own)
    outlines = shapes(network, sized)
    lines = route_all(network.edges, outlines)
    labels = [label for name, size in sized.items() for label in toned(size, inner_labels(size, outlines[name]))]
    boxes = [shape.box for shape in outlines.values()]
    for name, size in sized.items():
        for words in size.outside:
            beside = label_beside(words, size, outlines[name], lines, boxes)
            labels += toned(size, [beside])
            boxes.append(beside.box)
    groups: list[object] = [
        tuple(sorted((sized[edge.source].node.column, sized[edge.target].node.column))) for edge in network.edges
    ]
    labels += edge_labels(network.edges, lines, groups, [*boxes, *map(head_box, lines)])
    drawn = [part for name, shape in outlines.items() for part in parts(sized[name], shape)]
    labels += headings(network, sized, outlines, lines, labels)
    return framed(drawing_order(lines), drawn, labels)


def toned(size: Sized, labels: list[Label]) -> list[Label]:
    """A node's labels as faint as the node."""
    return [replace(label, faint=size.node.faint) for label in labels]


def label_beside(words: Formula, size: Sized, shape: Shape, lines: list[Line], boxes: list[Box]) -> Label:
    """A node's value or bias below its outline, or above it where fewer edges pass."""
    x, y = shape.box.centre
    below = place(words, x, shape.box.bottom + 10, "value")
    if size.node.kind == "bias":
        return below
    above = place(words, x, shape.box.top - 10, "value")
    inner = below if y < 0 else above  # biases stand on the outer side, so that two never meet between two units

    def price(label: Label) -> float:
        hidden = sum(length_within(piece, label.box) for line in lines for piece in line.pieces())
        inside = INNER * (words is size.own and label is inner)
        return inside + hidden + 1000.0 * sum(label.box.overlaps(box) for box in boxes if box != shape.box)

    return replace(min(below, above, key=price), backed=True)


def parts(size: Sized, shape: Shape) -> list[Shape]:
    """What is drawn of a node: its outline, or three dots."""
    if size.node.kind != "dots":
        return [shape]
    x, y = shape.box.centre
    return [
        Shape(f"{shape.identifier}.{k}", "dot", Box(x - DOT, cy - DOT, x + DOT, cy + DOT), shape.mark, shape.faint)
        for k, cy in enumerate((y - 9, y, y + 9))
    ]


def head_box(line: Line) -> Box:
    """What a line's arrowhead takes up, so that no label hides it."""
    (x0, y0), (x1, y1) = line.points[-2], line.points[-1]
    distance = ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5 or 1.0
    return box_around(x1 - (x1 - x0) / distance * HEAD, y1 - (y1 - y0) / distance * HEAD, HEAD, HEAD)


def drawing_order(lines: list[Line]) -> list[Line]:
    """Faint lines first, marked ones last, so that these lie on top."""
    return sorted(lines, key=lambda line: (not line.faint, line.mark is not None))


def headings(
    network: Network, sized: dict[str, Sized], outlines: dict[str, Shape], lines: list[Line], labels: list[Label]
) -> list[Label]:
    """The words over the columns, broken into lines where a column is narrow."""
    middles = {
        sized[name].node.column: shape.box.centre[0]
        for name, shape in outlines.items()
        if sized[name].node.kind != "bias"
    }
    used = sorted(
        (x, network.columns[c]) for c, x in middles.items() if c < len(network.columns) and network.columns[c]
    )
    tops = [box.top for box in (*(shape.box for shape in outlines.values()), *(label.box for label in labels))]
    top = min([*tops, *(y for line in lines for _, y in line.points)]) - 14
    found = []
    for index, (x, text) in enumerate(used):
        rooms = [abs(x - other) - 12 for k, (other, _) in enumerate(used) if k != index]
        wrapped = wrap(text, min(rooms, default=200.0))
        for k, line in enumerate(reversed(wrapped)):
            found.append(place(Words(line), x, top - 16 * k, "note"))
    return found


def wrap(text: str, room: float) -> list[str]:
    """Words in lines that are no wider than the room, as far as single words are not."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and width(Words(longer), SIZES["note"]) <= room:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines
