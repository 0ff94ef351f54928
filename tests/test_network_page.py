"""The page of any network: which sections it has, what it says, and that its numbers add up."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from typing import Any

import pytest

import derive
from derive.formula import Formula, Number, children
from derive.notations import NOTATIONS
from derive.problem import Problem
from render.compose import document
from render.compose.topics import TOPICS
from render.document import Block, Code, Document, Equation, Inline, Math, Note, Paragraph, Section, Table
from render.formats import FORMATS
from render.numbering import plain_text, walk
from render.writer import render

DRAWN = {"seed": 3, "low": -1, "high": 1, "decimals": 1}
ANSWER: dict[str, Any] = {"units": 1, "bias": "per_unit"}


def layered(title: str, inputs: Any, layers: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """A problem of one example with drawn weights."""
    return {
        "title": title,
        "examples": [{"inputs": inputs, "targets": [0.3]}],
        "layers": layers,
        "initial": DRAWN,
        "loss": {"name": "half_squared_error"},
        "update": {"learning_rate": 0.1},
    } | more


SEQUENCE = [[1, 0.5], [0, -0.5], [0.5, 1]]
IMAGE = [[[1, 0, 0.5, 1], [0.5, 1, 0, 0], [0, 0.5, 1, 0.5], [1, 0, 0, 1]]]
CONVOLUTION = {"type": "conv2d", "filters": 2, "kernel_size": 3, "padding": 1, "activation": "relu", "bias": "per_unit"}
LAYERED = {
    "lstm": layered("LSTM", SEQUENCE, [{"type": "lstm", "units": 2, "bias": "per_unit"}, ANSWER]),
    "gru": layered("GRU", SEQUENCE, [{"type": "gru", "units": 2, "bias": "per_unit"}, ANSWER]),
    "rnn": layered("RNN", SEQUENCE, [{"type": "rnn", "units": 2, "bias": "per_unit"}, ANSWER]),
    "both ways": layered("RNN", SEQUENCE, [{"type": "rnn", "units": 2, "bidirectional": True}, ANSWER]),
    "attention": layered(
        "Attention",
        SEQUENCE,
        [{"type": "self_attention", "causal": True}, {"type": "layer_norm"}, {"type": "flatten"}, ANSWER],
    ),
    "heads": layered("Heads", SEQUENCE, [{"type": "self_attention", "heads": 2}, {"type": "flatten"}, ANSWER]),
    "images": layered("Images", IMAGE, [CONVOLUTION, {"type": "max_pool2d", "size": 2}, {"type": "flatten"}, ANSWER]),
    "mean pooling": layered(
        "Images", IMAGE, [CONVOLUTION, {"type": "avg_pool2d", "size": 2}, {"type": "flatten"}, ANSWER]
    ),
    "batch": layered(
        "Batch",
        [1, 0],
        [{"units": 2}, {"type": "batch_norm", "affine": True}, ANSWER],
        examples=[{"inputs": [1, 0], "targets": [0]}, {"inputs": [0, 1], "targets": [1]}],
    ),
    "highway": layered("Highway", [1, 0.5], [{"type": "highway", "bias": "per_unit"}, {"type": "residual"}, ANSWER]),
    "embedding": layered(
        "Words", [0, 2, 0], [{"type": "embedding", "vocabulary": 3, "size": 2}, {"type": "flatten"}, ANSWER]
    ),
}
BUNDLED = tuple(name for name in derive.problem.bundled() if not derive.load(name).dense)
EVERY = (*BUNDLED, *LAYERED)


@cache
def problem(name: str) -> Problem:
    """A problem by its name here."""
    return derive.load(LAYERED.get(name, name))


@cache
def page(name: str, notation: str | None = None) -> Document:
    """Its document."""
    return document(derive.differentiate(problem(name)), notation=notation)


def sections(made: Document) -> dict[str, Section]:
    """The sections by their identifiers."""
    return {block.identifier: block for block in walk(made.blocks) if isinstance(block, Section)}


def tables(made: Document) -> dict[str, Table]:
    """The tables by their identifiers."""
    return {block.identifier: block for block in walk(made.blocks) if isinstance(block, Table)}


def inlines(blocks: tuple[Block, ...]) -> Iterator[Inline]:
    """Everything that stands in lines of text and in cells."""
    for block in walk(blocks):
        if isinstance(block, Paragraph):
            yield from block.inlines
        if isinstance(block, Table):
            yield from (inline for row in block.rows for cell in row for inline in cell)


def prose_of(blocks: tuple[Block, ...]) -> str:
    """The paragraphs as plain text."""
    return "\n".join(plain_text(block.inlines) for block in walk(blocks) if isinstance(block, Paragraph))


def number(cell: tuple[Inline, ...]) -> Fraction:
    """The number of a table's cell."""
    (inline,) = cell
    assert isinstance(inline, Math)
    formula = inline.sides[0].formula
    assert isinstance(formula, Number)
    return Fraction(formula.text)


def tolerance(cells: list[tuple[Inline, ...]]) -> Fraction:
    """Half a unit of the last printed place of each."""
    return sum((Fraction(1, 2 * 10 ** _places(plain_text(cell))) for cell in cells), Fraction(0))


def _places(text: str) -> int:
    return len(text.partition(".")[2]) if "." in text and "e" not in text else 9


# ---- every page ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EVERY)
def test_its_sections_are_those_of_a_worked_example_in_this_order(name: str) -> None:
    top = [block.identifier for block in page(name).blocks if isinstance(block, Section)]
    wanted = ["problem", "forward", "backward", "gradients", "update", "checks"]
    assert [identifier for identifier in top if identifier in wanted] == wanted


@pytest.mark.parametrize("name", EVERY)
def test_every_equation_stands_there_as_it_was_written(name: str) -> None:
    program = derive.differentiate(problem(name)).program
    shown = {inline.text for inline in inlines(page(name).blocks) if isinstance(inline, Code)}
    wanted = {equation.text for equation in program.equations if equation.target != "e"}
    assert wanted <= shown


@pytest.mark.parametrize("name", EVERY)
def test_no_array_is_called_by_its_bare_name_in_code(name: str) -> None:
    program = derive.differentiate(problem(name)).program
    shown = {inline.text for inline in inlines(page(name).blocks) if isinstance(inline, Code)}
    assert shown.isdisjoint(program.variables)


@pytest.mark.parametrize("name", EVERY)
def test_the_terms_of_every_sum_add_up_to_the_printed_result(name: str) -> None:
    found = {key: table for key, table in tables(page(name)).items() if key.startswith("tab-d-")}
    for key, table in found.items():
        *terms, total = [row[-1] for row in table.rows]
        assert abs(sum(map(number, terms)) - number(total)) <= tolerance([*terms, total]), key


@pytest.mark.parametrize("name", EVERY)
def test_each_term_is_what_arrives_times_the_local_derivative(name: str) -> None:
    for key, table in tables(page(name)).items():
        for row in table.rows[:-1] if key.startswith("tab-d-") else ():
            if not row[1]:
                continue  # the row that adds up what is left
            local = row[2][0]
            assert isinstance(local, Math)
            factor = local.sides[-1].formula
            assert isinstance(factor, Number)
            arrived, factor_value, product = float(number(row[1])), float(factor.text), float(number(row[3]))
            assert product == pytest.approx(arrived * factor_value, rel=2e-5, abs=1e-8), key


@pytest.mark.parametrize("name", EVERY)
def test_every_gradient_stands_in_the_last_table(name: str) -> None:
    derivation = derive.differentiate(problem(name))
    rows = tables(page(name))["tab-gradients"].rows
    printed = {each.text for row in rows for each in numbers(row[-1])}
    for parameter in derivation.program.parameters:
        corner = derivation.floats(derivation.gradient.adjoints[parameter]).reshape(-1)[0]
        assert any(float(text) == pytest.approx(corner, rel=2e-5, abs=1e-9) for text in printed), parameter


def numbers(cell: tuple[Inline, ...]) -> Iterator[Number]:
    """The numbers in a cell's formulas."""
    for inline in cell:
        if isinstance(inline, Math):
            for side in inline.sides:
                yield from _numbers(side.formula)


def _numbers(formula: Formula) -> Iterator[Number]:
    if isinstance(formula, Number):
        yield formula
    for part in children(formula):
        yield from _numbers(part)


@pytest.mark.parametrize("name", EVERY)
def test_the_error_is_boxed_once_in_the_forward_pass(name: str) -> None:
    boxed = [b for b in walk(sections(page(name))["forward"].blocks) if isinstance(b, Equation) and b.boxed]
    assert [block.identifier for block in boxed] == [f"eq-{derive.differentiate(problem(name)).program.error}"]


@pytest.mark.parametrize("name", EVERY)
def test_identifiers_are_there_once(name: str) -> None:
    found = [block.identifier for block in walk(page(name).blocks) if getattr(block, "identifier", "")]
    assert len(found) == len(set(found))


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("notation", NOTATIONS)
def test_every_notation_and_every_format_of_text_writes_it(name: str, notation: str) -> None:
    made = page(name, notation)
    for format in ("html", "latex", "markdown"):
        text, _ = render(made, FORMATS[format])
        assert problem(name).title in text


# ---- what a topic says -----------------------------------------------------------------------

SAID = [
    ("lstm", "forward", "The forget gate decides how much of the old cell state stays."),
    ("lstm", "backward", "from the cell state there, simply multiplied by the forget gate"),
    ("gru", "forward", "The reset gate decides how much of the old state the candidate sees."),
    ("rnn", "backward", "Where the next time step or a later layer reads the hidden state"),
    ("attention", "forward", "Softmax turns the scores of a row into weights"),
    ("attention", "backward", "The values are reached by the mixture alone."),
    ("attention", "backward", "The part through the variance is zero"),
    ("images", "forward", "the filter lies on the coloured patch"),
    ("images", "forward", "and that is the winner"),
    ("images", "backward", "What arrives at a window goes back to its winner alone"),
    ("images", "gradients", "A weight of the filter was used at every place that the filter covered."),
    ("mean pooling", "backward", "shared out equally"),
    ("embedding", "forward", "The first number here comes from row 1 of"),
    ("embedding", "gradients", "A word that occurs twice has two terms."),
    ("batch", "forward", "every quantity names its example"),
    ("highway", "backward", "the difference between them is its factor"),
]


@pytest.mark.parametrize(("name", "section", "words"), SAID)
def test_it_speaks_of_its_topic(name: str, section: str, words: str) -> None:
    assert words in prose_of(sections(page(name))[section].blocks)


@pytest.mark.parametrize("name", EVERY)
def test_no_sentence_of_a_topic_is_said_twice(name: str) -> None:
    said = prose_of(page(name).blocks)
    topics = [{t.introduction, *t.forward.values(), *t.backward.values()} for t in TOPICS.values()]
    assert [words for words in set().union(*topics) if words and said.count(words) > 1] == []


HOW_SYMBOLS_ARE_READ = [
    ("gru", "at place 1, at time step 2"),
    ("lstm", "is the logistic function"),
    ("images", "at filter 2, channel 1, row 2, column 1"),
    ("heads", "at head 2, position 2, value 1"),
    ("batch", "at example 2, place 1"),
    ("embedding", "Places in an array are counted from 0 in them, but from 1 on the rest of this page."),
    ("attention", "@ is the matrix product"),
]


@pytest.mark.parametrize(("name", "words"), HOW_SYMBOLS_ARE_READ)
def test_symbols_are_explained_before_they_are_used(name: str, words: str) -> None:
    problem = sections(page(name))["problem"]
    assert words in "\n".join(plain_text(b.inlines) for b in problem.blocks if isinstance(b, Paragraph))


STATE = """
h1 = tanh(W * x[0])  # hidden state
h2 = tanh(W * x[1] + U * h1)  # hidden state
E = (t - h2)**2 / 2
"""
GATED = """
z1 = sigmoid(W * x[0])  # update gate
h1 = z1 * x[0]  # hidden state
z2 = sigmoid(W * x[1] + U * h1)  # update gate
h2 = (1 - z2) * x[1] + z2 * h1  # hidden state
E = (t - h2)**2 / 2
"""


@pytest.mark.parametrize(
    ("equations", "words"),
    [(STATE, TOPICS["rnn"].forward["h"]), (GATED, TOPICS["gru"].forward["h"])],
)
def test_a_hidden_state_in_plain_equations_is_that_of_its_own_network(equations: str, words: str) -> None:
    stated = {
        "title": "In equations",
        "equations": equations,
        "error": "E",
        "parameters": ["W", "U"],
        "values": {"x": [1, 0.5], "t": 0.3, "W": 0.4, "U": -0.2},
    }
    said = prose_of(sections(document(derive.differentiate(stated)))["forward"].blocks)
    assert words in said
    assert "cell state" not in said


ASKED = [
    ("lstm", "note-memory"),
    ("lstm", "note-shared"),
    ("rnn", "note-vanishing"),
    ("attention", "note-softmax"),
    ("attention", "note-three-paths"),
    ("images", "note-relu"),
    ("images", "note-winner"),
    ("embedding", "note-looked-up"),
]


@pytest.mark.parametrize(("name", "note"), ASKED)
def test_a_learners_question_is_answered_where_it_arises(name: str, note: str) -> None:
    assert [b.identifier for b in walk(page(name).blocks) if isinstance(b, Note)].count(note) == 1


@pytest.mark.parametrize("name", ["lstm", "gru", "rnn"])
def test_each_time_step_has_a_section_forwards_and_backwards(name: str) -> None:
    titles = [plain_text(section.title) for section in sections(page(name)).values()]
    steps = [title.rpartition(" ")[2] for title in titles if "time step" in title]
    assert steps == ["1", "2", "3", "3", "2", "1"]


@pytest.mark.parametrize(("name", "parameter"), [("lstm", "W1_i"), ("gru", "W1_r"), ("rnn", "W1")])
def test_a_weight_of_a_recurrent_layer_has_a_row_for_each_time_step(name: str, parameter: str) -> None:
    (rows,) = [table.rows for key, table in tables(page(name)).items() if key.startswith(f"tab-d-{parameter}-")]
    where = [plain_text(row[0]) for row in rows[:-1]]
    assert [words.rpartition(", ")[2] for words in where] == ["time step 1", "time step 2", "time step 3"]


def test_time_steps_are_known_in_plain_equations_too() -> None:
    titles = [
        plain_text(section.title) for section in sections(page("rnn" if "rnn" not in BUNDLED else "lstm")).values()
    ]
    assert any("ime step 1" in title for title in titles)


# ---- size ------------------------------------------------------------------------------------


def test_a_large_network_does_not_make_a_long_page() -> None:
    small, large = (
        document(derive.differentiate(layered("LSTM", SEQUENCE, [{"type": "lstm", "units": units}, ANSWER])))
        for units in (2, 12)
    )
    assert len(list(walk(large.blocks))) <= len(list(walk(small.blocks))) + 10


def test_many_time_steps_alike_share_a_section() -> None:
    made = document(
        derive.differentiate(layered("RNN", [[k / 10] for k in range(12)], [{"type": "rnn", "units": 1}, ANSWER]))
    )
    titles = [plain_text(section.title) for section in sections(made).values()]
    assert "Layer 1, recurrent layer: time steps 5 to 11" in titles


def test_the_first_steps_of_a_rule_with_memory_are_shown() -> None:
    adam = {"rule": "adam", "learning_rate": 0.1, "steps": 3}
    made = document(derive.differentiate(layered("RNN", SEQUENCE, [{"type": "rnn", "units": 1}, ANSWER], update=adam)))
    assert [plain_text(row[0]) for row in tables(made)["tab-rule"].rows] == ["1", "2", "3"]


def test_symbols_have_formulas_and_no_numbers() -> None:
    stated = layered("RNN", SEQUENCE, [{"type": "rnn", "units": 1}, ANSWER])
    made = document(derive.differentiate({key: value for key, value in stated.items() if key != "initial"}))
    assert {"problem", "forward", "backward", "gradients", "checks"} <= set(sections(made))
    assert "tab-gradients" not in tables(made)
