"""Figures: nothing collides, names and numbers are there, SVG and TikZ come from one layout."""

from __future__ import annotations

import itertools
import math
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from derive.errors import ChainruleError
from derive.formula import Name, Number, Symbol, Words
from derive.plain import plain
from derive.tex import tex
from render.compose.drawings import shown_in_words
from render.drawing import Curve, Edge, Network, Node
from render.figures import layout, svg, tikz
from render.figures.placed import WIDTH, Box, box_around
from render.figures.svg import BROAD, DARK, LIGHT, style_sheet

SVG = "{http://www.w3.org/2000/svg}"

# What linear red, green and blue become for the common colour visions (Machado, Oliveira and Fernandes 2009).
VISIONS = {
    "all cones": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "no red cones": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "no green cones": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "no blue cones": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}


def linear(colour: str) -> list[float]:
    """Red, green and blue as amounts of light."""
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    return [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]


def luminance(colour: str) -> float:
    """How bright a colour is."""
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear(colour), strict=True))


def as_seen(colour: str, vision) -> tuple[float, float, float]:
    """A colour in CIELAB, where distances are what an eye tells apart (about 2 is the least)."""
    light = linear(colour)
    red, green, blue = (min(1.0, max(0.0, sum(a * b for a, b in zip(row, light, strict=True)))) for row in vision)
    x = 0.4124 * red + 0.3576 * green + 0.1805 * blue
    y = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    z = 0.0193 * red + 0.1192 * green + 0.9505 * blue
    fx, fy, fz = (t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in (x / 0.95047, y, z / 1.08883))
    return (116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz))


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


def own_biases(*widths: int, values: bool = False) -> Network:
    """A dense network each of whose units has a bias to itself."""
    base = dense(*widths, values=values)
    units = [node for node in base.nodes if node.kind == "unit"]
    biases = [
        Node(f"b.{unit.identifier}", "bias", unit.column, unit.row, Name("b", f"h{k}"), "-0.25")
        for k, unit in enumerate(units, 1)
    ]
    edges = [Edge(bias.identifier, unit.identifier) for bias, unit in zip(biases, units, strict=True)]
    return replace(base, nodes=(*base.nodes, *biases), edges=(*base.edges, *edges))


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
    "own biases": own_biases(3, 4, 2),
    "own biases and values": own_biases(3, 5, 4, 2, values=True),
    "elided": elided(),
    "long labels": long_labels(),
}

BOTH = {**NETWORKS, **CURVES}
every_drawing = pytest.mark.parametrize("drawing", BOTH.values(), ids=list(BOTH))
every_network = pytest.mark.parametrize("network", NETWORKS.values(), ids=list(NETWORKS))
every_curve = pytest.mark.parametrize("drawing", CURVES.values(), ids=list(CURVES))


def read(drawing: Network | Curve, **options: str) -> ET.Element:
    """The SVG, parsed."""
    return ET.fromstring(svg(drawing, **options))


def written(drawing: Network | Curve) -> list[str]:
    """The texts of the SVG, as a reader copies them."""
    return ["".join(text.itertext()) for text in read(drawing).iter(f"{SVG}text")]


class TestNothingCollides:
    @every_drawing
    def test_labels_keep_clear_of_each_other(self, drawing):
        labels = layout(drawing).labels
        assert [
            (first.formula, second.formula)
            for first, second in itertools.combinations(labels, 2)
            if first.box.overlaps(second.box)
        ] == []

    @every_network
    def test_labels_keep_clear_of_outlines_unless_they_stand_inside(self, network):
        placed = layout(network)
        for label, shape in itertools.product(placed.labels, placed.shapes):
            if label.box.overlaps(shape.box):
                assert shape.box.left <= label.box.left
                assert label.box.right <= shape.box.right
                assert all(
                    shape.holds(x, y)
                    for x in (label.box.left + 2, label.box.right - 2)
                    for y in (label.box.centre[1] - 4, label.box.centre[1] + 4)
                )

    @every_network
    def test_outlines_keep_clear_of_each_other(self, network):
        shapes = layout(network).shapes
        for first, second in itertools.combinations(shapes, 2):
            assert not first.box.overlaps(second.box) or {first.outline, second.outline} == {"left", "right"}

    @every_network
    def test_edges_run_outside_the_nodes(self, network):
        placed = layout(network)
        for line, shape in itertools.product(placed.lines, placed.shapes):
            assert not any(shape.holds(*line.at(k / 50)) for k in range(1, 50))

    @every_network
    def test_no_label_hides_an_arrowhead(self, network):
        placed = layout(network)
        for line, label in itertools.product(placed.lines, placed.labels):
            x, y = line.points[-1]
            assert not label.backed or not label.box.overlaps(box_around(x, y, 0.5, 0.5))

    @every_drawing
    def test_all_stands_on_a_page_as_wide_as_the_text(self, drawing):
        placed = layout(drawing)
        assert placed.width <= WIDTH * 1.02
        frame = Box(0, 0, placed.width, placed.height)
        for box in (*(label.box for label in placed.labels), *(shape.box for shape in placed.shapes)):
            assert frame.left <= box.left < box.right <= frame.right
            assert frame.top <= box.top < box.bottom <= frame.bottom

    @given(
        widths=st.lists(st.integers(1, 6), min_size=1, max_size=5),
        values=st.booleans(),
        digits=st.sampled_from([4, 7, 11]),
    )
    @settings(max_examples=25, deadline=None)
    def test_any_dense_network(self, widths, values, digits):
        network = dense(*widths, values=values, digits=digits)
        self.test_labels_keep_clear_of_each_other(network)
        self.test_outlines_keep_clear_of_each_other(network)
        self.test_edges_run_outside_the_nodes(network)


class TestTheNetworkOfTheArticle:
    def test_every_name_and_number_stands_on_it(self):
        texts = written(article())
        for k, value in enumerate(("0.15", "0.2", "0.25", "0.3", "0.4", "0.45", "0.5", "0.55"), 1):
            assert f"w{k} = {value}" in texts
        assert {"i1", "i2", "h1", "h2", "o1", "o2", "b1", "b2", "Eo1", "targeto2"} <= set(texts)
        assert {"0.05", "0.1", "0.35", "0.6", "0.01", "0.99"} <= set(texts)
        assert {"Inputs", "Hidden layer", "Output layer", "Errors"} <= set(texts)

    def test_columns_go_from_left_to_right_and_are_centred(self):
        boxes = {shape.identifier: shape.box for shape in layout(article()).shapes}
        assert boxes["i1"].right < boxes["h1"].left < boxes["h1"].right < boxes["o1"].left < boxes["e1"].left
        assert boxes["i1"].centre[1] == boxes["h1"].centre[1] == boxes["o1"].centre[1] == boxes["e1"].centre[1]
        assert boxes["b1"].top > boxes["i2"].bottom
        assert boxes["t1"].top > boxes["e1"].bottom

    def test_long_values_stand_outside_the_circles_and_short_ones_inside(self):
        for network, inside in ((article(), True), (article(forward=True), False)):
            placed = layout(network)
            circle = next(shape.box for shape in placed.shapes if shape.identifier == "i1")
            value = next(label.box for label in placed.labels if label.formula == Number("0.05"))
            assert circle.overlaps(value) is inside

    def test_the_halves_of_a_unit_drawn_large_are_joined(self):
        boxes = {shape.identifier: shape for shape in layout(path_of_w5()).shapes}
        assert boxes["net"].box.right == boxes["out"].box.left
        assert (boxes["net"].outline, boxes["out"].outline) == ("left", "right")

    def test_a_bias_of_one_unit_stands_at_its_unit_without_an_arrow(self):
        network = own_biases(3, 5, 4, 2)
        placed = layout(network)
        circles = {shape.identifier: shape.box for shape in placed.shapes}
        assert not any(name.startswith("b.") for name in circles)
        assert len(placed.lines) == 3 * 5 + 5 * 4 + 4 * 2
        units = [node.identifier for node in network.nodes if node.kind == "unit"]
        for k, unit in enumerate(units, 1):
            (label,) = (each for each in placed.labels if plain(each.formula) == f"b_h{k} = -0.25")
            assert label.box.centre[0] == circles[unit].centre[0]
            gap = min(abs(label.box.top - circles[unit].bottom), abs(label.box.bottom - circles[unit].top))
            assert gap < 4

    def test_deltas_flow_from_right_to_left_on_double_lines(self):
        for line in layout(deltas()).lines:
            leftward = line.points[-1][0] < line.points[0][0]
            assert leftward == (line.style == "backward")
        assert svg(deltas()).count('class="rail') == 4

    def test_a_delta_bows_beside_the_weight_that_it_came_along(self):
        network = article(errors=False)
        back = tuple(replace(edge, backward=True) for edge in network.edges[4:8])
        lines = layout(replace(network, edges=network.edges + back)).lines
        assert [line.curved for line in lines if line.style == "backward"] == [True] * 4
        assert not any(line.curved for line in lines if line.style == "edge")


class TestColour:
    def test_a_factor_has_its_class_and_is_told_apart_without_colour(self):
        text = svg(hidden_paths())
        assert {f"factor{k}" for k in range(1, 6)} <= set(re.findall(r"factor\d", text.split("</style>")[1]))
        dashes = re.findall(r'<path class="factor\d bold"( stroke-dasharray="[^"]*")?', text)
        assert len(set(dashes)) == len(dashes) == 5

    def test_colours_come_from_the_page_with_our_own_for_light_and_dark_behind_them(self):
        style = svg(article()).split("<style>")[1].split("</style>")[0]
        for k, (light, dark) in enumerate(zip(LIGHT, DARK, strict=True), 1):
            assert f"svg.drawing .factor{k}{{color:{light}}}" in style  # for viewers without custom properties
            assert f"var(--factor-{k},{light})" in style
            assert f"var(--factor-{k},{dark})" in style.split("prefers-color-scheme:dark")[1]

    @pytest.mark.parametrize(("palette", "paper"), [(LIGHT, "#fffefb"), (DARK, "#161614")])
    def test_factors_stand_out_from_the_paper(self, palette, paper):
        for colour in palette:
            dark, light = sorted((luminance(colour), luminance(paper)))
            assert (light + 0.05) / (dark + 0.05) >= 4.5

    @pytest.mark.parametrize("vision", VISIONS)
    @pytest.mark.parametrize("palette", [LIGHT, DARK])
    def test_factors_differ_for_every_common_colour_vision(self, palette, vision):
        seen = [as_seen(colour, VISIONS[vision]) for colour in palette]
        assert min(math.dist(a, b) for a, b in itertools.combinations(seen, 2)) > 12


class TestSvg:
    @every_drawing
    def test_is_well_formed_and_small(self, drawing):
        root = read(drawing, id_prefix="fig-1-", title="a < b")
        assert root.get("class") == ("drawing broad" if float(root.get("width")) > BROAD else "drawing")
        assert root.get("style") == f"--width:{root.get('width')}px"
        assert root.find(f"{SVG}title").text == "a < b"
        assert float(root.get("width")) <= WIDTH
        if isinstance(drawing, Curve):
            assert len(svg(drawing)) < 7 * 1024

    @every_drawing
    def test_no_text_is_too_small_to_read(self, drawing):
        root = read(drawing)
        scale = float(root.get("width")) / float(root.get("viewBox").split()[2])
        sizes = [float(each.get("font-size")) for each in root.iter() if each.get("font-size")]
        assert min(sizes) * scale > 10.7

    @every_drawing
    def test_its_identifiers_are_its_own(self, drawing):
        text = svg(drawing, id_prefix="fig-7-")
        identifiers = re.findall(r'id="([^"]*)"', text)
        assert len(set(identifiers)) == len(identifiers)
        assert all(identifier.startswith("fig-7-") for identifier in identifiers)
        assert set(re.findall(r"url\(#([^)]*)\)", text)) == set(identifiers)

    def test_hostile_text_is_text(self):
        text = '<script>&"\x00]]>{{ 7*7 }}\\input{x}'
        network = Network(
            (Node("a", "input", 0, 0, Name(text, text, text), text), Node("b", "error", 1, 0, Name("E"), "1")),
            (Edge("a", "b", Name(text), text),),
            (text,),
        )
        found = "".join(written(network))
        assert "<script>" in found
        assert "<script" not in svg(network, id_prefix='"><script>')
        assert read(network, title=text).find(f"{SVG}title").text.startswith("<script>")
        assert "\\input" not in tikz(network)

    @every_drawing
    def test_is_the_same_every_time(self, drawing):
        assert svg(drawing) == svg(drawing)
        assert tikz(drawing) == tikz(drawing)
        assert not re.search(r"\d\.\d{3,}", re.sub(r">[^<]*<", "><", svg(drawing)))

    def test_names_are_written_as_in_mathematics(self):
        network = Network((Node("a", "unit", 0, 0, Name("delta", "o1", "[2]"), "-1.5e-43"),), ())
        assert written(network) == ["δo1[2]", "−1.5\u2009·\u200910−43"]
        hat = Network((Node("a", "unit", 0, 0, Name("y", accent="hat")),), ())
        assert written(hat) == ["y\u0302"]


class TestCurve:
    @every_curve
    def test_both_ends_carry_their_values(self, drawing):
        texts = written(drawing)
        first, last = (
            text.replace("-", "−") for text in (drawing.points[0][1], [e for _, e in drawing.points if e != "inf"][-1])
        )
        for text in (first, last):
            assert any(each in (text, text.replace("e", "\u2009·\u200910")) for each in texts)

    def test_the_decades_that_are_needed_and_no_others(self):
        texts = written(CURVES["falling"])
        assert {"1", "0.1", "0.01", "0.001", "0.0001", "0.00001", "0", "10", "100", "1000", "10000"} <= set(texts)
        assert "0.000001" not in texts
        assert {"0.29", "0.3"} <= set(written(CURVES["narrow"]))

    def test_a_falling_error_falls_and_steps_go_right(self):
        points = next(line.points for line in layout(CURVES["falling"]).lines if line.style == "curve")
        assert list(points) == sorted(points)
        assert [y for _, y in points] == sorted(y for _, y in points)

    def test_equal_factors_are_equal_heights(self):
        drawing = curve("1e-4000", "1e-4100", "1e-4200", "1e-4300")
        ys = [y for line in layout(drawing).lines if line.style == "curve" for _, y in line.points]
        assert {round(b - a, 2) for a, b in itertools.pairwise(ys)} == {round(ys[1] - ys[0], 2)}

    @pytest.mark.parametrize(
        ("name", "words"),
        [
            ("zero", "The error is 0 throughout; a logarithmic scale has no 0."),
            ("zero at last", "An error of 0 has no logarithm; it is drawn on the lowest line."),
            ("negative", "The error is negative in places, so its scale is not logarithmic."),
            ("not finite", "From step 2 on the error is not always a finite number."),
        ],
    )
    def test_what_has_no_place_on_the_scale_is_said(self, name, words):
        assert words in written(CURVES[name])

    def test_an_error_of_zero_lies_at_the_bottom(self):
        placed = layout(CURVES["zero at last"])
        end = next(line.points[-1] for line in placed.lines if line.style == "curve")
        assert end[1] == max(y for line in placed.lines if line.style == "axis" for _, y in line.points) - 5

    def test_a_long_history_stays_small(self):
        drawing = Curve(tuple((k, f"{1 / (k + 1):.12f}") for k in range(5000)), "step", "E")
        assert len(svg(drawing)) < 7 * 1024

    @given(
        st.lists(
            st.decimals(allow_nan=False, allow_infinity=False, places=6).map(str)
            | st.from_regex(r"\A[1-9]e-?[1-9][0-9]{0,3}\Z"),
            min_size=1,
            max_size=12,
        )
    )
    @settings(max_examples=60, deadline=None)
    def test_any_errors(self, errors):
        placed = layout(Curve(tuple(enumerate(errors)), "training step", "error"))
        for line in placed.lines:
            assert all(0 <= x <= placed.width and 0 <= y <= placed.height for x, y in line.points)

    @pytest.mark.parametrize(("errors", "message"), [(("1", "much"), 'step 1: found "much"'), ((), "at least one")])
    def test_what_is_no_curve_is_refused(self, errors, message):
        with pytest.raises(ChainruleError, match=message):
            layout(curve(*errors))


class TestFaults:
    @pytest.mark.parametrize(
        ("network", "message"),
        [
            (Network((), ()), "without nodes"),
            (Network((Node("h1", "unit", 0, 0),), (Edge("h1", "h2"),)), 'found "h2"; known: h1'),
            (Network((Node("a", "unit", 0, 0), Node("a", "unit", 1, 0)), ()), "two nodes"),
            (Network((Node("a", "units", 0, 0),), ()), 'did you mean "unit"'),
        ],
    )
    def test_a_drawing_that_contradicts_itself_is_refused(self, network, message):
        with pytest.raises(ChainruleError, match=message):
            layout(network)


class TestTikz:
    @every_drawing
    def test_shows_what_the_svg_shows(self, drawing):
        placed, text = layout(drawing), tikz(drawing)
        assert text.count(r"\node[") == len(placed.labels)
        assert text.count("{") == text.count("}")
        for label in placed.labels:
            assert f"${tex(label.formula)}$" in text

    @pytest.mark.skipif(shutil.which("latexmk") is None, reason="latexmk is not installed")
    def test_compiles_without_complaint(self, tmp_path):
        colours = "".join(
            rf"\definecolor{{factor{k}}}{{HTML}}{{{colour[1:].upper()}}}" for k, colour in enumerate(LIGHT, 1)
        )
        drawings = "\n\n".join(rf"\noindent {tikz(drawing)}" for drawing in BOTH.values())
        (tmp_path / "figures.tex").write_text(
            r"\documentclass{article}\usepackage[T1]{fontenc}\usepackage{lmodern,amsmath,xcolor,tikz}"
            rf"\usetikzlibrary{{arrows.meta}}{colours}\begin{{document}}{drawings}\end{{document}}",
            encoding="utf-8",
        )
        command = ["latexmk", "-pdf", "-interaction=nonstopmode", "-halt-on-error", "figures.tex"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False, timeout=120)
        log = (tmp_path / "figures.log").read_text(encoding="utf-8", errors="replace")
        assert done.returncode == 0, log[-3000:]
        assert not re.findall(r"Overfull|Warning: .*", log)


def test_the_symbol_of_the_error_is_set_as_a_name():
    drawing = Curve(((0, "0.3"), (10, "0.1")), "training step", "error", Name("E", "total"))
    placed = layout(drawing)
    words = next(label for label in placed.labels if label.formula == Words("error"))
    symbol = next(label for label in placed.labels if label.formula == Symbol(Name("E", "total")))
    assert symbol.y == words.y
    assert 0 < symbol.box.left - words.box.right < 6
    assert r"$E_{\mathrm{total}}$" in tikz(drawing)
    assert ">total</tspan>" in svg(drawing)


def test_a_page_may_keep_the_style_sheet_once_for_all_figures():
    drawing = Curve(((0, "0.3"), (10, "0.1")), "training step", "error")
    assert "<style>" in svg(drawing)
    assert svg(drawing, styled=False) == svg(drawing).replace(f"<style>{style_sheet()}</style>\n", "")


@pytest.mark.parametrize(
    ("drawing", "words"),
    [
        (article(), ", with its weights, biases, inputs and targets"),
        (dense(2, 3, 1), ", with its weights and inputs"),
        (own_biases(2, 3, 1), ", with its weights and biases"),
        (elided(), ""),
    ],
)
def test_a_caption_says_what_is_written_on_the_drawing(drawing, words):
    assert shown_in_words(drawing) == words
