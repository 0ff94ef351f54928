"""Figures: nothing collides, names and numbers are there, SVG and TikZ come from one layout."""

from __future__ import annotations

from dataclasses import replace

from derive.formula import Name
from render.drawing import Curve, Edge, Network, Node

LETTER_ROWS = ("i", "h", "o")


def weights(layer: int, source: int, target: int, width: int) -> str:
    """A weight that looks like one: nine decimals."""
    return f"0.{(layer * 7919 + target * width * 104729 + source * 1299709 + 123456789) % 10**9:09d}"


def dense(*widths: int, values: bool = True, digits: int | None = None) -> Network:
    """A dense network with every name on it, and every value if asked for."""
    nodes, edges, count = [], [], 0
    for layer, width in enumerate(widths):
        letter = "i" if layer == 0 else "o" if layer == len(widths) - 1 else "h"
        for unit in range(width):
            number = unit + 1 + (sum(widths[1:layer]) if letter == "h" else 0)
            value = weights(9, layer, unit, 5)[:digits] if values else ""
            kind = "input" if layer == 0 else "unit"
            nodes.append(Node(f"n{layer}.{unit}", kind, layer, unit, Name(letter, str(number)), value))
        if layer:
            for target in range(width):
                for source in range(widths[layer - 1]):
                    count += 1
                    value = weights(layer, source, target, width)[:digits] if values else ""
                    edges.append(Edge(f"n{layer - 1}.{source}", f"n{layer}.{target}", Name("w", str(count)), value))
    return Network(tuple(nodes), tuple(edges))


def article(*, forward: bool = False, errors: bool = True) -> Network:
    """The network of the article, with its weights, biases, inputs and targets."""
    outs = {"h1": "0.593269992", "h2": "0.596884378", "o1": "0.751365070", "o2": "0.772928465"} if forward else {}
    nodes = [
        Node("i1", "input", 0, 0, Name("i", "1"), "0.05"),
        Node("i2", "input", 0, 1, Name("i", "2"), "0.1"),
        Node("b1", "bias", 0, 2, Name("b", "1"), "0.35"),
        Node("h1", "unit", 1, 0, Name("h", "1"), outs.get("h1", "")),
        Node("h2", "unit", 1, 1, Name("h", "2"), outs.get("h2", "")),
        Node("b2", "bias", 1, 2, Name("b", "2"), "0.6"),
        Node("o1", "unit", 2, 0, Name("o", "1"), outs.get("o1", "")),
        Node("o2", "unit", 2, 1, Name("o", "2"), outs.get("o2", "")),
    ]
    names = [
        ("i1", "h1"),
        ("i2", "h1"),
        ("i1", "h2"),
        ("i2", "h2"),
        ("h1", "o1"),
        ("h2", "o1"),
        ("h1", "o2"),
        ("h2", "o2"),
    ]
    values = ("0.15", "0.2", "0.25", "0.3", "0.4", "0.45", "0.5", "0.55")
    edges = [
        Edge(source, target, Name("w", str(k)), value)
        for k, ((source, target), value) in enumerate(zip(names, values, strict=True), 1)
    ]
    edges += [Edge(bias, unit) for bias, units in (("b1", ("h1", "h2")), ("b2", ("o1", "o2"))) for unit in units]
    if errors:
        for k, target in ((1, "0.01"), (2, "0.99")):
            nodes.append(Node(f"e{k}", "error", 3, 2 * k, Name("E", f"o{k}"), "0.274811083" if forward else ""))
            nodes.append(Node(f"t{k}", "target", 3, 2 * k + 1, Name("target", f"o{k}"), target))
            edges += [Edge(f"o{k}", f"e{k}"), Edge(f"t{k}", f"e{k}")]
    return Network(tuple(nodes), tuple(edges), ("Inputs", "Hidden layer", "Output layer", "Errors"))


def path_of_w5() -> Network:
    """The zoomed unit of the article: how w5 reaches the error."""
    return Network(
        (
            Node("h1", "unit", 0, 0, Name("out", "h1"), "0.593269992"),
            Node("h2", "unit", 0, 1, Name("out", "h2"), "0.596884378"),
            Node("b2", "bias", 0, 2, Name("b", "2"), "0.6"),
            Node("net", "net", 1, 0, Name("net", "o1"), "1.105905967", mark=3),
            Node("out", "out", 2, 0, Name("out", "o1"), "0.751365070", mark=2),
            Node("E", "error", 3, 0, Name("E", "o1"), "0.274811083", mark=1),
            Node("t", "target", 3, 1, Name("target", "o1"), "0.01"),
        ),
        (
            Edge("h1", "net", Name("w", "5"), "0.4", mark=3),
            Edge("h2", "net", Name("w", "6"), "0.45", faint=True),
            Edge("b2", "net", faint=True),
            Edge("net", "out", Name("sigma"), mark=2),
            Edge("out", "E", mark=1),
            Edge("t", "E"),
        ),
        ("", "net input", "output", "error"),
    )


def hidden_paths() -> Network:
    """The two paths by which h1 reaches the total error."""
    base = article(forward=True)
    marks = {("h1", "o1"): 2, ("h1", "o2"): 5, ("o1", "e1"): 1, ("o2", "e2"): 4, ("i1", "h1"): 3}
    edges = tuple(
        replace(edge, mark=marks[ends]) if (ends := (edge.source, edge.target)) in marks else replace(edge, faint=True)
        for edge in base.edges
    )
    nodes = (*base.nodes, Node("E", "error", 4, 0, Name("E", "total"), "0.298371109"))
    return Network(nodes, (*edges, Edge("e1", "E"), Edge("e2", "E")), base.columns)


def deltas() -> Network:
    """Deltas that flow back."""
    base = article(errors=False)
    nodes = tuple(node for node in base.nodes if node.kind != "bias")
    shown = ("0.138498562", "0.138498562", "-0.038098236", "-0.038098236")
    back = [
        Edge(e.source, e.target, Name("delta", e.target), v, mark=1 if e.target == "o1" else None, backward=True)
        for e, v in zip(base.edges[4:8], shown, strict=True)
    ]
    return Network(nodes, (*base.edges[:4], *back))


def deep(columns: int = 8) -> Network:
    """A deep and narrow network."""
    return dense(*([3] * columns), values=False)


def elided() -> Network:
    """A long layer with its middle left out."""
    nodes = [Node(f"i{k}", "input", 0, k, Name("x", str(k + 1))) for k in range(3)]
    nodes += [Node("idots", "dots", 0, 3), Node("ilast", "input", 0, 4, Name("x", "784"))]
    nodes += [Node(f"h{k}", "unit", 1, k, Name("h", str(k + 1))) for k in range(2)]
    nodes += [Node("hdots", "dots", 1, 2), Node("hlast", "unit", 1, 3, Name("h", "30"))]
    nodes += [Node("o", "unit", 2, 0, Name("z", "2", "[2]"))]
    real = [node for node in nodes if node.kind != "dots"]
    edges = [Edge(a.identifier, b.identifier) for a in real for b in real if b.column == a.column + 1]
    return Network(tuple(nodes), tuple(edges), ("784 pixels", "30 hidden units", "Output"))


def long_labels() -> Network:
    """Matrix notation, with values of nine digits."""
    nodes = [Node(f"a{k}", "unit", 0, k, Name("a", str(k + 1), "[1]"), "0.593269992") for k in range(2)]
    nodes += [Node(f"z{k}", "unit", 1, k, Name("z", str(k + 1), "[2]"), "-1.105905967") for k in range(2)]
    nodes += [Node("E", "error", 2, 0, Name("E", "total"), "1.5e-4343")]
    edges = [
        Edge(f"a{s}", f"z{t}", Name("w", f"{t + 1}{s + 1}", "[2]"), "-0.408666186") for s in (0, 1) for t in (0, 1)
    ]
    edges += [Edge(f"z{k}", "E") for k in (0, 1)]
    return Network(tuple(nodes), tuple(edges))


FALL = ("0.298371109", "0.291027774", "0.283547133", "0.2609", "0.2229", "0.1631", "0.0789", "0.0336", "0.014",
        "0.0047", "0.00199", "0.000788", "0.000224", "0.000082", "0.000035102")  # fmt: skip
STEPS = (0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 8000, 10000)


def curve(*errors: str, steps: tuple[int, ...] = STEPS) -> Curve:
    """Errors at the usual steps."""
    return Curve(tuple(zip(steps, errors, strict=False)), "training step", "error E")


CURVES = {
    "falling": curve(*FALL),
    "rising": curve("0.1", "0.2", "1.5", "40", "1e5", "3.25e12"),
    "constant": curve("0.25", "0.25", "0.25"),
    "zero at last": curve("0.5", "0.01", "0.0003", "0"),
    "zero": curve("0", "0", "0"),
    "tiny": curve("1.5e-4343", "2e-4350", "7e-5000"),
    "narrow": curve("0.298371109", "0.291027774"),
    "negative": curve("1.5", "0.2", "-0.7"),
    "one step": curve("0.298371109"),
    "not finite": curve("1", "1e30", "inf"),
}

NETWORKS = {
    "article": article(),
    "article forward": article(forward=True),
    "path of w5": path_of_w5(),
    "hidden paths": hidden_paths(),
    "deltas": deltas(),
    "2-2-2": dense(2, 2, 2),
    "3-5-4-2": dense(3, 5, 4, 2),
    "3-5-4-2 short": dense(3, 5, 4, 2, digits=4),
    "4-8-8-3": dense(4, 8, 8, 3),
    "1-1": dense(1, 1),
    "6-6": dense(6, 6),
    "deep": deep(),
    "elided": elided(),
    "long labels": long_labels(),
}
