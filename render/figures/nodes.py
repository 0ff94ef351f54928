"""Where the nodes of a network stand: their outlines, the columns across and the rows down."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from derive.errors import ChainruleError, unknown
from derive.formula import Formula, Symbol
from render.drawing import Edge, Network, Node
from render.figures.letters import SIZES, formula_of, label_formula, place, width
from render.figures.placed import MARGIN, WIDTH, Label, Shape, box_around

ROUND = ("input", "unit", "net", "out")
BOXES = ("target", "error")
LARGEST_CIRCLE = 30.0
SMALLEST_CIRCLE = 21.0
LINE_OF_NAME, LINE_OF_VALUE = -9.0, 10.0  # from the middle of an outline that holds two lines
ROOM_FOR_ARC = 34.0  # for the edge from net to out, and its label, outside a unit drawn large
ROOM_FOR_LABEL = 33.0  # down, for each of the labels between two columns
HANGING = 26.0  # between an error and the target that hangs below it


@dataclass(frozen=True, slots=True)
class Sized:
    """A node with its outline's kind and half extents; ``beside`` puts its value outside, ``own`` is its bias."""

    node: Node
    outline: str
    half_width: float
    half_height: float
    beside: bool = False
    own: Formula | None = None

    @property
    def outside(self) -> tuple[Formula, ...]:
        """What stands outside the outline."""
        value = (formula_of(self.node.value),) if self.beside else ()
        return value if self.own is None else (*value, self.own)

    @property
    def outside_width(self) -> float:
        """How wide that is."""
        return max((width(each, SIZES["value"]) for each in self.outside), default=0.0)


def check(network: Network) -> None:
    """Refuse a drawing without nodes, with a node twice, or with an edge from or to no node of its own."""
    known = [node.identifier for node in network.nodes]
    if not known:
        raise ChainruleError("drawing: a network without nodes cannot be drawn")
    for identifier in known:
        if known.count(identifier) > 1:
            raise ChainruleError(f'drawing: there are two nodes "{identifier}"')
    for edge in network.edges:
        for end in (edge.source, edge.target):
            if end not in known:
                raise ChainruleError(f"drawing: an edge from {edge.source} to {edge.target}: {unknown(end, known)}")


def joined_pairs(network: Network) -> dict[str, str]:
    """The net of every unit drawn large, and its out: same row, neighbouring columns."""
    outs = {(node.column, node.row): node.identifier for node in network.nodes if node.kind == "out"}
    return {
        node.identifier: outs[node.column + 1, node.row]
        for node in network.nodes
        if node.kind == "net" and (node.column + 1, node.row) in outs
    }


def sized_nodes(network: Network, own: Mapping[str, Formula]) -> dict[str, Sized]:
    """Every node with its size: all circles alike, all halves alike, all boxes of a column alike.

    ``own`` holds the bias of each unit that has one to itself.
    """
    pairs = joined_pairs(network)
    halves = {*pairs, *pairs.values()}
    circles = [node for node in network.nodes if node.kind in ROUND and node.identifier not in halves]
    inside, radius = circle_radius(circles)
    half_of_unit = max((text_width(node) for node in network.nodes if node.identifier in halves), default=0.0) / 2 + 14
    sized = {}
    for node in network.nodes:
        if node.identifier in halves:
            outline = "left" if node.identifier in pairs else "right"
            sized[node.identifier] = Sized(node, outline, max(46.0, half_of_unit), 38.0)
        elif node.kind in ROUND:
            half = max(radius, name_width(node) / 2 + 7)
            beside = bool(node.value) and not inside
            sized[node.identifier] = Sized(node, "round", half, radius, beside, own.get(node.identifier))
        elif node.kind == "bias":
            half = max(14.0, name_width(node) / 2 + 6)
            sized[node.identifier] = Sized(node, "square", half, 14.0, beside=bool(node.value))
        elif node.kind == "dots":
            sized[node.identifier] = Sized(node, "plain", 8.0, 14.0)
        elif node.kind in BOXES:
            column = [text_width(each) for each in network.nodes if each.kind in BOXES and each.column == node.column]
            tall = 22.0 if node.value and node.label else 15.0
            sized[node.identifier] = Sized(node, "square", max(24.0, max(column) / 2 + 8), tall)
        else:
            known = (*ROUND, "bias", *BOXES, "dots")
            raise ChainruleError(f"drawing: the kind of node {node.identifier}: {unknown(node.kind, known)}")
    return sized


def circle_radius(circles: list[Node]) -> tuple[bool, float]:
    """Whether every value fits into its circle under the name, and the radius that all circles have."""
    plain = max([SMALLEST_CIRCLE, *(name_width(node) / 2 + 7 for node in circles)])
    values = [width(formula_of(node.value), SIZES["value"]) / 2 for node in circles if node.value]
    if not values:
        return True, min(plain, LARGEST_CIRCLE)
    needed = max(plain, ((max(values) - 3) ** 2 + 17.0**2) ** 0.5 + 3)
    return (True, needed) if needed <= LARGEST_CIRCLE else (False, min(plain, LARGEST_CIRCLE))


def name_width(node: Node) -> float:
    """How wide the name is in its outline."""
    return width(Symbol(node.label), SIZES["name"]) if node.label else 0.0


def text_width(node: Node) -> float:
    """How wide the wider of name and value is."""
    return max(name_width(node), width(formula_of(node.value), SIZES["value"]) if node.value else 0.0)


def slots(nodes: list[Node], edges: tuple[Edge, ...]) -> list[list[Node]]:
    """A column's nodes from the top; a target hangs below its error where both stand in one column."""
    ordered = sorted(nodes, key=lambda node: (node.row, node.identifier))
    errors = {node.identifier for node in ordered if node.kind == "error"}
    links = {edge.source: edge.target for edge in edges if edge.target in errors}
    links |= {edge.target: edge.source for edge in edges if edge.source in errors}
    rows: dict[str, list[Node]] = {node.identifier: [node] for node in ordered if node.kind != "target"}
    for node in ordered:
        if node.kind == "target":
            rows.setdefault(links.get(node.identifier, node.identifier), []).append(node)
    return sorted(rows.values(), key=lambda row: row[0].row)


def row_positions(network: Network, sized: dict[str, Sized]) -> dict[str, float]:
    """The y of every node's middle, around 0; biases share one line below the columns that they serve."""
    columns = {
        column: slots([n for n in network.nodes if n.column == column and n.kind != "bias"], network.edges)
        for column in {node.column for node in network.nodes}
    }
    pitch = row_pitch(network, sized, columns)
    ys: dict[str, float] = {}
    for rows in columns.values():
        for index, row in enumerate(rows):
            y = (index - (len(rows) - 1) / 2) * pitch
            for above, node in zip([None, *row], row, strict=False):
                if above is not None:
                    y += sized[above.identifier].half_height + HANGING + sized[node.identifier].half_height
                ys[node.identifier] = y
    served = {column + step for column in bias_columns(network) for step in (0, 1)}
    bottoms = [
        ys[node.identifier] + sized[node.identifier].half_height + 18 * len(sized[node.identifier].outside)
        for node in network.nodes
        if node.identifier in ys and (node.column in served or not served)
    ]
    for node in network.nodes:
        if node.kind == "bias":
            ys[node.identifier] = max(bottoms, default=0.0) + 20 + sized[node.identifier].half_height
    return ys


def bias_columns(network: Network) -> set[int]:
    """The columns below which biases stand."""
    return {node.column for node in network.nodes if node.kind == "bias"}


def row_pitch(network: Network, sized: dict[str, Sized], columns: dict[int, list[list[Node]]]) -> float:
    """How far apart the rows are: room for the outlines, and for the labels between them."""
    pairs = joined_pairs(network)
    arcs = {edge.source for edge in network.edges if pairs.get(edge.source) == edge.target}
    heights = [
        sum(2 * sized[node.identifier].half_height for node in row)
        + (len(row) - 1) * HANGING
        + 18 * max(len(sized[node.identifier].outside) for node in row)
        + ROOM_FOR_ARC * any(node.identifier in arcs for node in row)
        for rows in columns.values()
        for row in rows
        if len(rows) > 1  # one row alone has no neighbour to keep away from
    ]
    most = max(len(rows) for rows in columns.values())
    labels = Counter(
        frozenset((sized[edge.source].node.column, sized[edge.target].node.column))
        for edge in network.edges
        if label_formula(edge.label, edge.value) is not None
    )
    room = 0.0 if not labels else 126.0 if most <= 2 else 96.0 if most <= 3 else 80.0 if most <= 5 else 68.0
    crowd = min(ROOM_FOR_LABEL * max(labels.values(), default=0) / most, 120.0)
    return max([*(height + 20 for height in heights), room, crowd])


def column_positions(network: Network, sized: dict[str, Sized], ys: dict[str, float]) -> dict[int, float]:
    """The x of every column's middle: wide gaps where labels stand, narrower until the whole fits the page."""
    columns = sorted({node.column for node in network.nodes})
    main = [size for size in sized.values() if size.node.kind != "bias"] or list(sized.values())
    half = {c: max((s.half_width for s in main if s.node.column == c), default=20.0) for c in columns}
    gaps = [gap(network, sized, ys, half, pair) for pair in pairwise(columns)]
    overhang = sum(
        max([0.0, *(s.outside_width / 2 - half[c] for s in main if s.outside and s.node.column == c)])
        for c in (columns[0], columns[-1])
    )
    available = WIDTH - 2 * MARGIN - 2 * sum(half.values()) - overhang - 6
    wanted, least = sum(want for want, _ in gaps), sum(need for _, need in gaps)
    share = 1.0 if wanted <= available or wanted == least else max(0.0, (available - least) / (wanted - least))
    x = half[columns[0]]
    positions = {columns[0]: x}
    for (left, right), (want, need) in zip(pairwise(columns), gaps, strict=True):
        x += half[left] + need + (want - need) * share + half[right]
        positions[right] = x
    return positions


def gap(
    network: Network, sized: dict[str, Sized], ys: dict[str, float], half: dict[int, float], pair: tuple[int, int]
) -> tuple[float, float]:
    """The clear width that two neighbouring columns would like between them, and the least that does."""
    left, right = pair
    halves = joined_pairs(network)
    if any(sized[net].node.column == left and sized[out].node.column == right for net, out in halves.items()):
        return 0.0, 0.0
    values = {c: max((s.outside_width for s in sized.values() if s.node.column == c), default=0.0) for c in pair}
    apart = (values[left] + values[right]) / 2 + 14 - half[left] - half[right]
    edges = [
        edge
        for edge in network.edges
        if {sized[edge.source].node.column, sized[edge.target].node.column} == {left, right}
    ]
    full = [width(f, SIZES["edge"]) for e in edges if (f := label_formula(e.label, e.value)) is not None]
    short = [width(f, SIZES["edge"]) for e in edges if (f := label_formula(e.label, "" if e.label else e.value))]
    steep = max((abs(ys[edge.source] - ys[edge.target]) for edge in edges), default=0.0)
    if not full:
        return max(apart, min(46 + 0.3 * steep, 110.0)), max(apart, 30.0)
    abreast = 1.0 if len(full) <= 8 else 2.0 if len(full) <= 20 else 3.0
    wish = max(abreast * (max(full) + 14) + 34, 0.45 * steep)
    return max(apart, min(wish, 330.0)), max(apart, max(short) + 26)


def bias_offsets(network: Network, sized: dict[str, Sized], xs: dict[int, float]) -> dict[str, tuple[float, float]]:
    """How far each bias stands right of and below its column's first place: side by side, then in further lines."""
    offsets = {}
    for column in bias_columns(network):
        biases = sorted(
            (s for s in sized.values() if s.node.kind == "bias" and s.node.column == column), key=bias_order
        )
        step = max(max(2 * s.half_width + 16, s.outside_width + 12) for s in biases)
        room = min((x - xs[column] for c, x in xs.items() if c > column), default=120.0)
        across = max(1, int(room // step)) if len(biases) > 1 else 1
        first = min(66.0, room * 0.36) if len(biases) == 1 else 10.0
        for index, each in enumerate(biases):
            down = (2 * each.half_height + (32 if each.beside else 12)) * (index // across)
            offsets[each.node.identifier] = (first + step * (index % across), down)
    return offsets


def bias_order(size: Sized) -> tuple[int, str]:
    """Biases stand in the order of their rows."""
    return (size.node.row, size.node.identifier)


def shapes(network: Network, sized: dict[str, Sized]) -> dict[str, Shape]:
    """Every node's outline in its place, the first column's middle row being about (0, 0)."""
    ys = row_positions(network, sized)
    xs = column_positions(network, sized, ys)
    offsets = bias_offsets(network, sized, xs)
    placed = {}
    for identifier, size in sized.items():
        dx, dy = offsets.get(identifier, (0.0, 0.0))
        box = box_around(xs[size.node.column] + dx, ys[identifier] + dy, size.half_width, size.half_height)
        node = size.node
        placed[identifier] = Shape(identifier, size.outline, box, node.mark, node.faint, dashed=node.kind == "target")
    return placed


def inner_labels(size: Sized, shape: Shape) -> list[Label]:
    """The name, and the value where it stands inside, of one node."""
    node = size.node
    x, y = shape.box.centre
    x += {"left": 5.0, "right": -5.0}.get(size.outline, 0.0)  # the round end leaves less room than the straight one
    inside = bool(node.value) and not size.beside
    found = []
    if node.label is not None:
        found.append(place(Symbol(node.label), x, y + (LINE_OF_NAME if inside else 0.0), "name"))
    if inside:
        found.append(place(formula_of(node.value), x, y + (LINE_OF_VALUE if node.label is not None else 0.0), "value"))
    return found
