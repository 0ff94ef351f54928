"""The figure of a program's flow of data: what it holds, and that it can be read."""

from itertools import combinations
from typing import Any

import pytest

import derive
from derive.errors import ChainruleError
from derive.formula import Name
from derive.notations import NOTATIONS
from derive.problem import bundled
from derive.program import references
from render.compose.pen import Pen
from render.compose.program_drawings import MOST_BOXES, Arrays, figure
from render.document import Figure
from render.drawing import Flow, FlowBox
from render.figures import Placed, layout, svg, tikz
from render.figures.placed import WIDTH, Box

PROBLEMS = tuple(name for name in bundled() if not derive.load(name).dense)
SEQUENCE = [[0.5, 1], [1, -0.5], [0.3, 0.2], [0.1, 0.4], [0.2, 0.6], [0.9, 0.1], [0.4, 0.4], [0.8, 0.7]]


def recurrent(kind: str, steps: int, **keys: Any) -> dict[str, Any]:
    return {
        "examples": [{"inputs": SEQUENCE[:steps], "targets": [0.3]}],
        "layers": [{"type": kind, "units": 2, "bias": "per_unit", **keys}, {"units": 1}],
        "initial": {"seed": 3},
        "loss": {"name": "half_squared_error"},
    }


CASES: dict[str, Any] = {name: name for name in PROBLEMS} | {
    "an LSTM of three steps": recurrent("lstm", 3),
    "an LSTM with states to begin with": recurrent("lstm", 2, initial_state=True),
    "a GRU of three steps, both ways": recurrent("gru", 2, bidirectional=True),
    "an RNN of eight steps": recurrent("rnn", 8),
    "an LSTM of five steps": recurrent("lstm", 5),
    "an LSTM of eight steps, both ways": recurrent("lstm", 8, bidirectional=True),
}


def pen(case: str, notation: str | None = None) -> Pen:
    derivation = derive.differentiate(CASES[case])
    return Pen(derivation, derivation.names.notation if notation is None else NOTATIONS[notation], 9)


def drawn(case: str) -> tuple[Flow, Placed]:
    (block,) = figure(pen(case))
    assert isinstance(block, Figure)
    assert isinstance(block.drawing, Flow)
    return block.drawing, layout(block.drawing)


def outline(placed: Placed, identifier: str) -> Box:
    boxes = [s.box for s in placed.shapes if s.identifier.removesuffix(".0").removesuffix(".1") == identifier]
    return Box(boxes[0].left, boxes[0].top, boxes[-1].right, boxes[0].bottom)


@pytest.mark.parametrize("case", CASES)
def test_it_fits_the_page_and_nothing_lies_on_anything_else(case: str) -> None:
    flow, placed = drawn(case)
    assert len(flow.boxes) <= MOST_BOXES
    assert placed.width <= WIDTH
    boxes = [outline(placed, box.identifier) for box in flow.boxes]
    assert not [(a, b) for a, b in combinations(boxes, 2) if a.overlaps(b)]
    for label in placed.labels:
        x, y = label.box.centre
        assert any(
            box.left <= label.box.left + 2.5 and label.box.right - 2.5 <= box.right
            for box in boxes
            if box.left < x < box.right and box.top < y < box.bottom
        ), label.formula


@pytest.mark.parametrize("case", CASES)
def test_no_arrow_runs_through_a_box(case: str) -> None:
    flow, placed = drawn(case)
    boxes = [outline(placed, box.identifier).grown(-1.5) for box in flow.boxes]
    for line in placed.lines:
        for (x0, y0), (x1, y1) in line.pieces():
            points = [(x0 + (x1 - x0) * k / 40, y0 + (y1 - y0) * k / 40) for k in range(41)]
            crossed = [b for b in boxes if any(b.left < x < b.right and b.top < y < b.bottom for x, y in points)]
            assert crossed == []


@pytest.mark.parametrize("case", CASES)
def test_every_arrow_begins_and_ends_at_its_boxes(case: str) -> None:
    flow, placed = drawn(case)
    rims = {box.identifier: outline(placed, box.identifier).grown(1.0) for box in flow.boxes}
    ends = [(line.points[0], line.points[-1]) for line in placed.lines]
    assert len(ends) == len(flow.arrows)
    for source, target in flow.arrows:
        assert any(_holds(rims[source], first) and _holds(rims[target], last) for first, last in ends), (source, target)


def _holds(box: Box, point: tuple[float, float]) -> bool:
    return box.left <= point[0] <= box.right and box.top <= point[1] <= box.bottom


@pytest.mark.parametrize("case", CASES)
def test_arrays_are_joined_as_the_equations_read_them(case: str) -> None:
    arrays = Arrays(pen(case))
    program = arrays.program
    hidden = dict(arrays.folded)
    box_of = {source: target for target, source in hidden.items()}
    wanted = {
        (box_of.get(source, source), box_of.get(e.target, e.target))
        for e in arrays.equations
        for source in references(e.expression) - arrays.small
    }
    assert set(arrays.flow.arrows) == {(s, t) for s, t in wanted if s != t}
    shown = {box.identifier for box in arrays.flow.boxes} | set(box_of)
    assert {e.target for e in arrays.equations} <= shown
    assert set(program.parameters) <= shown | arrays.small


def test_parameters_are_written_where_they_are_read() -> None:
    boxes = {box.identifier: box for box in Arrays(pen("transformer")).flow.boxes}
    assert [name.sub for name in boxes["Q2"].reads] == ["Q"]
    assert boxes["W1"].kind == "given"  # the embedding reads nothing else: the words come from there
    boxes = {box.identifier: box for box in Arrays(pen("gru")).flow.boxes}
    assert [len(boxes[f"r1_t{step}"].reads) for step in (1, 2, 3)] == [2, 3, 0]  # U comes in at the second step


def test_net_input_and_activation_share_a_box() -> None:
    boxes = {box.identifier: box for box in Arrays(pen("cnn")).flow.boxes}
    assert len(boxes["a1"].names) == 2
    assert len(boxes["a2"].names) == 1
    assert "z1" not in boxes


def test_time_steps_stand_side_by_side() -> None:
    _, placed = drawn("gru")
    for name in ("r1", "z1", "n1", "h1"):
        first, second, third = (outline(placed, f"{name}_t{step}") for step in (1, 2, 3))
        assert first.right < second.left
        assert second.right < third.left
        assert len({each.centre[1] for each in (first, second, third)}) == 1


@pytest.mark.parametrize(
    ("case", "boxes", "chained"),
    [("an LSTM of three steps", 22, 17), ("an LSTM of five steps", 10, 5), ("an LSTM of eight steps, both ways", 6, 0)],
)
def test_what_is_too_large_is_drawn_by_step_and_then_by_layer(case: str, boxes: int, chained: int) -> None:
    flow, _ = drawn(case)
    assert (len(flow.boxes), sum(bool(box.chain) for box in flow.boxes)) == (boxes, chained)


def test_many_arrays_without_layers_are_not_drawn() -> None:
    lines = "\n".join(f"a{k} = tanh(a{k - 1})" for k in range(1, 60))
    derivation = derive.differentiate({"equations": f"{lines}\nE = sum(a59)", "values": {"a0": [0.1]}})
    assert figure(Pen(derivation, derivation.names.notation, 9)) == ()


def test_what_does_not_reach_the_error_is_left_out() -> None:
    derivation = derive.differentiate({"equations": "u = x**3\nE = sum(x**2)", "values": {"x": [1, 2]}})
    assert [box.identifier for box in Arrays(Pen(derivation, derivation.names.notation, 9)).flow.boxes] == ["x", "E"]


@pytest.mark.parametrize("case", CASES)
def test_the_words_name_every_box(case: str) -> None:
    (block,) = figure(pen(case))
    assert isinstance(block, Figure)
    assert isinstance(block.drawing, Flow)
    assert block.alternative.startswith("The flow of data")
    computed = {target for _, target in block.drawing.arrows}
    assert block.alternative.count(" from ") == len(computed) + 1


@pytest.mark.parametrize("notation", NOTATIONS)
@pytest.mark.parametrize("case", ["gru", "transformer", "attention"])
def test_svg_and_tikz_in_every_notation(case: str, notation: str) -> None:
    (block,) = figure(pen(case, notation))
    assert isinstance(block, Figure)
    made = svg(block.drawing, id_prefix="f")
    assert made.count("marker-end") == len(layout(block.drawing).lines)
    assert tikz(block.drawing).count(r"\draw[") >= made.count("marker-end")


@pytest.mark.parametrize(
    ("flow", "message"),
    [
        (Flow((), ()), "without boxes"),
        (Flow((FlowBox("a", "array"), FlowBox("a", "array")), ()), 'two boxes "a"'),
        (Flow((FlowBox("a", "array", (Name("a"),)),), (("a", "b"),)), "an arrow from a to b"),
    ],
)
def test_a_drawing_that_contradicts_itself_is_refused(flow: Flow, message: str) -> None:
    with pytest.raises(ChainruleError, match=message):
        layout(flow)
