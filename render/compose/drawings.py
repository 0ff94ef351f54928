"""What the figures of a worked example show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from derive.formula import Name
from derive.scalars import Scalar
from render.compose.pen import Pen
from render.compose.structure import LayerView
from render.drawing import Curve, Edge, Network, Node

MOST_UNITS = 5
"""A column with more units than this shows the first ones, dots, and the last."""

MOST_LABELS = 12
"""With more edges than this in a gap, or with units left out, the weights' names are left to the tables."""

MOST_BIASES = 12
"""With more biases than this, or with units left out, single units' biases are left to the tables."""


def shown_units(units: int) -> list[int | None]:
    """The units of a column that are drawn; None stands for the dots."""
    if units <= MOST_UNITS:
        return list(range(units))
    return [*range(MOST_UNITS - 2), None, units - 1]


def _unit_name(pen: Pen, view: LayerView, unit: int) -> Name:
    """The circle's own name, without the example: h1, o2; where units have no names, that of what they put out."""
    name = pen.names.unit(view.net.name, (0, unit))
    return pen.bare(view.out_of(unit)).name if name is None else name


def _input_name(pen: Pen, view: LayerView, column: int) -> Name:
    return pen.bare(view.in_of(column)).name


def network(pen: Pen, views: Sequence[LayerView], *, marks: dict[tuple[str, str], int] | None = None) -> Network:
    """The whole network with weights and biases, inputs and targets; ``marks`` colours edges and pales the others."""
    nodes: list[Node] = []
    edges: list[Edge] = []
    single = views[0].examples == 1 and pen.numbers
    columns = [shown_units(views[0].weight.shape[1]), *(shown_units(view.units) for view in views)]
    labels = _few_edges(columns)
    for row, unit in enumerate(columns[0]):
        if unit is None:
            nodes.append(Node("i:dots", "dots", 0, row))
        else:
            value = pen.value(views[0].in_of(unit)).text if single else ""
            nodes.append(Node(f"i:{unit}", "input", 0, row, _input_name(pen, views[0], unit), value))
    for position, view in enumerate(views, start=1):
        before, letter = columns[position - 1], "i" if position == 1 else str(position - 1)
        for row, unit in enumerate(columns[position]):
            if unit is None:
                nodes.append(Node(f"{position}:dots", "dots", position, row))
                continue
            nodes.append(Node(f"{position}:{unit}", "unit", position, row, _unit_name(pen, view, unit)))
            edges += [
                _edge(pen, view, f"{letter}:{column}", f"{position}:{unit}", unit, column, labels, marks)
                for column in before
                if column is not None
            ]
        bias_nodes, bias_edges = _biases(pen, view, position, columns, labels, faint=marks is not None)
        nodes += bias_nodes
        edges += bias_edges
    error_nodes, error_edges = _errors(pen, views[-1], columns[-1], len(views) + 1, single, marks)
    return Network(
        tuple(nodes + error_nodes), tuple(edges + error_edges), _headings(views, targets=single and marks is None)
    )


def _few_edges(columns: list[list[int | None]]) -> bool:
    whole = all(None not in column for column in columns)
    return whole and max(len(a) * len(b) for a, b in pairwise(columns)) <= MOST_LABELS and len(columns) <= 4


def _few_units(columns: list[list[int | None]]) -> bool:
    return all(None not in column for column in columns) and sum(map(len, columns)) <= MOST_BIASES


def shown_in_words(drawing: Network) -> str:
    """What is written on the drawing, to end its caption: ", with its weights, biases, inputs and targets", or ""."""
    shown = {
        "weights": any(edge.label is not None for edge in drawing.edges),
        "biases": any(node.kind == "bias" for node in drawing.nodes),
        "inputs": any(node.kind == "input" and node.value for node in drawing.nodes),
        "targets": any(node.kind == "target" for node in drawing.nodes),
    }
    *before, last = [word for word, there in shown.items() if there] or [""]
    return f", with its {' and '.join(part for part in (', '.join(before), last) if part)}" if last else ""


def _headings(views: Sequence[LayerView], *, targets: bool) -> tuple[str, ...]:
    hidden = len(views) - 1
    middle = ["Hidden layer"] if hidden == 1 else [f"Hidden layer {n}" for n in range(1, hidden + 1)]
    return ("Inputs", *middle, "Output layer", "Targets" if targets else "Errors")


def _edge(
    pen: Pen,
    view: LayerView,
    source: str,
    target: str,
    unit: int,
    column: int,
    labels: bool,
    marks: dict[tuple[str, str], int] | None,
) -> Edge:
    weight = view.weight_of(unit, column)
    mark = None if marks is None else marks.get((source, target))
    faint = marks is not None and mark is None
    written = labels or mark is not None
    value = pen.value(weight).text if written and weight.array in pen.derivation.given and (not faint) else ""
    return Edge(
        source,
        target,
        pen.names.element(weight.array, weight.index) if written and not faint else None,
        value,
        mark,
        faint,
    )


def _biases(
    pen: Pen, view: LayerView, position: int, columns: list[list[int | None]], labels: bool, *, faint: bool
) -> tuple[list[Node], list[Edge]]:
    """One node for a bias that the layer shares, below its inputs; one for each unit's own, in the unit's column."""
    if view.bias is None or (faint and view.bias.shape):
        return [], []
    units = [unit for unit in columns[position] if unit is not None]
    if not view.bias.shape:
        shared = _bias(pen, Scalar(view.bias.name, ()), position - 1, len(columns[position - 1]), faint=faint)
        edges = [Edge(shared.identifier, f"{position}:{unit}", faint=faint) for unit in units]
        return ([shared], edges) if labels else ([], [])
    if not _few_units(columns[1:]):
        return [], []
    own = [_bias(pen, Scalar(view.bias.name, (unit,)), position, unit) for unit in units]
    return own, [Edge(node.identifier, f"{position}:{unit}") for node, unit in zip(own, units, strict=True)]


def _bias(pen: Pen, scalar: Scalar, column: int, row: int, *, faint: bool = False) -> Node:
    identifier = ":".join(("b", scalar.array, *map(str, scalar.index)))
    value = pen.value(scalar).text if scalar.array in pen.derivation.given else ""
    return Node(identifier, "bias", column, row, pen.names.element(scalar.array, scalar.index), value, faint=faint)


def _errors(
    pen: Pen,
    view: LayerView,
    units: list[int | None],
    column: int,
    single: bool,
    marks: dict[tuple[str, str], int] | None,
) -> tuple[list[Node], list[Edge]]:
    """The error of each output, with its target where there is one example."""
    nodes, edges = [], []
    for row, unit in enumerate(units):
        if unit is None:
            nodes.append(Node("e:dots", "dots", column, row))
            continue
        source, target = f"{view.number}:{unit}", f"e:{unit}"
        mark = None if marks is None else marks.get((source, target))
        faint = marks is not None and mark is None
        if single and marks is None:
            scalar = Scalar("t", (0, unit))
            nodes.append(Node(target, "target", column, row, pen.names.element("t", (0, unit)), pen.value(scalar).text))
        else:
            name = pen.bare(Scalar("e", (0, unit))).name
            nodes.append(Node(target, "error", column, row, name, faint=faint))
        edges.append(Edge(source, target, mark=mark, faint=faint))
    return nodes, edges


def output_path(pen: Pen, view: LayerView, weight: Scalar, example: int) -> Network:
    """One output unit drawn large: what comes in, net, out, error and target, and the weight's path through them."""
    unit, column = weight.index
    nodes: list[Node] = []
    edges: list[Edge] = []
    shown = shown_units(view.weight.shape[1])
    if column not in shown:
        shown = [column if each is None else each for each in shown]
    for row, each in enumerate(shown):
        if each is None:
            nodes.append(Node("i:dots", "dots", 0, row))
            continue
        scalar, mine = view.in_of(each, example), each == column
        nodes.append(
            Node(
                f"i:{each}",
                "input",
                0,
                row,
                pen.symbol(scalar).name,
                _value(pen, scalar),
                mark=3 if mine else None,
                faint=not mine,
            )
        )
        label = view.weight_of(unit, each)
        value = pen.value(label).text if label.array in pen.derivation.given else ""
        edges.append(Edge(f"i:{each}", "net", pen.symbol(label).name, value, 3 if mine else None, not mine))
    net, out = view.net_of(unit, example), view.out_of(unit, example)
    error, target = Scalar("e", (example, unit)), Scalar("t", (example, unit))
    nodes += [
        Node("net", "net", 1, 0, pen.symbol(net).name, _value(pen, net), mark=3),
        Node("out", "out", 2, 0, pen.symbol(out).name, _value(pen, out), mark=2),
        Node("error", "error", 3, 0, pen.symbol(error).name, _value(pen, error), mark=1),
        Node("target", "target", 3, 1, pen.symbol(target).name, _value(pen, target)),
    ]
    edges += [Edge("net", "out", mark=2), Edge("out", "error", mark=1), Edge("target", "error")]
    return Network(tuple(nodes), tuple(edges))


def _value(pen: Pen, scalar: Scalar) -> str:
    return pen.value(scalar).text if pen.numbers else ""


def hidden_paths(pen: Pen, views: Sequence[LayerView], view: LayerView, weight: Scalar) -> Network:
    """The paths by which a hidden unit reaches the errors, through every later layer."""
    unit, column = weight.index
    source = f"{'i' if view.number == 1 else view.number - 1}:{column}"
    marks = {(source, f"{view.number}:{unit}"): 3}
    reached = [f"{view.number}:{unit}"]
    for later in views[view.number :]:
        targets = [f"{later.number}:{each}" for each in shown_units(later.units) if each is not None]
        marks |= {(before, target): 1 for before in reached for target in targets}
        reached = targets
    marks |= {
        (f"{views[-1].number}:{each}", f"e:{each}"): 1 for each in shown_units(views[-1].units) if each is not None
    }
    drawing = network(pen, views, marks=marks)
    nodes = tuple(
        replace(node, mark=2) if node.identifier == f"{view.number}:{unit}" else node for node in drawing.nodes
    )
    return replace(drawing, nodes=nodes)


def deltas(pen: Pen, views: Sequence[LayerView]) -> Network:
    """The deltas of all units, flowing back from the errors over the weights by which the forward pass came."""
    single = views[0].examples == 1 and pen.numbers
    columns = [shown_units(view.units) for view in views]
    labels = _few_edges([shown_units(views[0].weight.shape[1]), *columns])
    nodes: list[Node] = []
    edges: list[Edge] = []
    for position, view in enumerate(views):
        for row, unit in enumerate(columns[position]):
            if unit is None:
                nodes.append(Node(f"{view.number}:dots", "dots", position, row))
                continue
            net = view.net_of(unit)
            value = pen.gradient(net).text if single else ""
            nodes.append(Node(f"{view.number}:{unit}", "unit", position, row, pen.bare_delta(net).name, value))
            for before in columns[position - 1] if position else ():
                if before is not None:
                    edges.append(_back(pen, view, unit, before, labels=labels))
    for row, unit in enumerate(columns[-1]):
        if unit is None:
            nodes.append(Node("e:dots", "dots", len(views), row))
            continue
        error = replace(pen.names.element("e", (0, unit)), sup="")
        nodes.append(Node(f"e:{unit}", "error", len(views), row, error))
        reached = columns[-1] if views[-1].row.over_axis else [unit]  # softmax: every output moves with every net input
        edges += [
            Edge(f"{views[-1].number}:{each}", f"e:{unit}", backward=True) for each in reached if each is not None
        ]
    return Network(tuple(nodes), tuple(edges), _headings(views, targets=False)[1:])


def _back(pen: Pen, view: LayerView, unit: int, before: int, *, labels: bool) -> Edge:
    """The way back over one weight."""
    weight = view.weight_of(unit, before)
    value = pen.value(weight).text if labels and weight.array in pen.derivation.given else ""
    name = pen.symbol(weight).name if labels else None
    return Edge(f"{view.number - 1}:{before}", f"{view.number}:{unit}", name, value, backward=True)


def curve(pen: Pen, history: Sequence[tuple[int, str]]) -> Curve:
    """The error at the steps where it was noted."""
    return Curve(tuple(history), "training step", "error", pen.error.name)
