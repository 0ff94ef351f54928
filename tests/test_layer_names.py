"""How the arrays of layers are named: as their topic writes them, no two alike, and found again."""

from __future__ import annotations

from functools import cache
from itertools import product
from typing import Any

import pytest
from layer_cases import CASES, attention, layer
from layer_tables import problem
from test_notation import NOTATIONS

import derive
from derive import layers
from derive.derivation import Derivation
from derive.errors import ChainruleError
from derive.formula import Name
from derive.layers import LAYERS, Stated
from derive.layers.frame import singular
from derive.notation import Names
from derive.notations.file import parse, template
from derive.notations.row import Marks
from derive.plain import plain_name, printed_name
from derive.program import Program, Variable
from derive.quantities import quantity
from derive.tex_names import tex_name
from render.typeset.mathml import mathml
from render.typeset.speech import spoken_name
from render.typeset.typst import typst_name

UNITS = {"units": 2, "bias": "per_unit"}
SEQUENCE = [["0.1", "0.2"], ["0.3", "-0.4"], ["0.5", "0.6"]]
IMAGE = [[["0.1", "0.2", "0.3", "0"], ["0.4", "0.5", "0.6", "0"], ["0.7", "0.8", "0.9", "0"], ["0", "0", "0", "1"]]]

# A network of each kind: its layers, and the inputs of one example.
NETWORKS: dict[str, tuple[list[dict[str, Any]], Any]] = {
    "lstm": ([{"type": "lstm", **UNITS}], SEQUENCE),
    "gru": ([{"type": "gru", **UNITS}], SEQUENCE),
    "rnn": ([{"type": "rnn", **UNITS}], SEQUENCE),
    "two rnn": ([{"type": "rnn", "return_sequences": True, **UNITS}, {"type": "rnn", **UNITS}], SEQUENCE),
    "both ways": ([{"type": "lstm", "bidirectional": True, **UNITS}], SEQUENCE),
    "attention": ([{"type": "self_attention"}, {"type": "flatten"}], SEQUENCE),
    "causal": ([{"type": "self_attention", "causal": True}, {"type": "flatten"}], SEQUENCE),
    "two heads": ([{"type": "self_attention", "causal": True, "heads": 2}, {"type": "flatten"}], SEQUENCE),
    "conv": ([{"type": "conv2d", "filters": 2, "kernel_size": 2, "activation": "relu"}, {"type": "flatten"}], IMAGE),
    "norm": ([{**UNITS, "activation": "tanh"}, {"type": "layer_norm", "affine": True}], ["0.1", "0.2"]),
    "highway": ([{"type": "highway", "bias": "per_unit"}], ["0.1", "0.2"]),
}


@cache
def network(kind: str, notation: str = "mazur", examples: int = 1) -> Derivation:
    rows, inputs = NETWORKS[kind]
    each = [{"inputs": inputs, "targets": ["0.5"]} for _ in range(examples)]
    return derive.differentiate(
        problem([*rows, {"units": 1, "bias": "per_unit"}], inputs, ["0.5"], examples=each, notation=notation)
    )


# (network, examples, array, index) -> TeX in the default notation, and in others.
WRITTEN: dict[tuple[str, int, str, tuple[int, ...]], dict[str, str]] = {
    ("lstm", 1, "i1_t2", (0, 0)): {
        "mazur": r"i_{1}^{\langle 2\rangle }",
        "nielsen": r"i_{1}^{\langle 2\rangle }",
        "goodfellow": "i_{1}^{(t=2)}",
        "bishop": r"i_{1}^{\langle 2\rangle }",
        "cs231n": r"\mathtt{i1\_t2[0]}",
        "ng": r"i_{1}^{\langle 2\rangle }",
        "plain": r"\mathit{i1}_{1}^{\langle 2\rangle }",
    },
    ("lstm", 1, "W1_i", (0, 0)): {
        "mazur": "W_{i{,}11}",
        "goodfellow": "W_{i{,}1{,}1}",
        "cs231n": r"\mathtt{W1\_i[0{,}0]}",
        "plain": r"\mathit{W1}_{i{,}1{,}1}",
    },
    ("lstm", 1, "z1_f_t3", (0, 1)): {"mazur": r"z_{f{,}2}^{\langle 3\rangle }", "cs231n": r"\mathtt{z1\_f\_t3[1]}"},
    ("lstm", 1, "x", (0, 1, 0)): {"mazur": r"x_{1}^{\langle 2\rangle }", "cs231n": r"\mathtt{x[1{,}0]}"},
    ("lstm", 1, "b1_o", (1,)): {"mazur": "b_{o{,}2}^{[1]}", "ng": "b_{o{,}2}"},  # b_{o1} is the output unit's
    ("lstm", 2, "h1_t2", (1, 0)): {
        "mazur": r"h_{1}^{(2)\langle 2\rangle }",
        "nielsen": r"h_{1}^{(2){,}\langle 2\rangle }",
        "goodfellow": "h_{1}^{(2){,}(t=2)}",
        "bishop": r"h_{2{,}1}^{\langle 2\rangle }",
        "cs231n": r"\mathtt{h1\_t2[1{,}0]}",
        "ng": r"h_{1}^{(2)\langle 2\rangle }",
    },
    ("lstm", 2, "z1_i_t1", (1, 0)): {"bishop": r"z_{i{,}2{,}1}^{\langle 1\rangle }"},
    ("gru", 1, "z1_t2", (0, 0)): dict.fromkeys(("mazur", "nielsen", "bishop", "ng"), r"z_{1}^{\langle 2\rangle }"),
    ("gru", 1, "z1_z_t2", (0, 0)): {"mazur": r"z_{z{,}1}^{\langle 2\rangle }", "goodfellow": "z_{z{,}1}^{(t=2)}"},
    ("rnn", 1, "U1", (1, 0)): {"mazur": "U_{21}", "goodfellow": "U_{2{,}1}", "ng": "U_{21}"},
    ("two rnn", 1, "h2_t1", (0, 0)): {
        "mazur": r"h_{1}^{[2]\langle 1\rangle }",
        "nielsen": r"h_{1}^{3{,}\langle 1\rangle }",
        "goodfellow": "h_{1}^{(2){,}(t=1)}",
        "bishop": r"h_{1}^{(2)\langle 1\rangle }",
        "ng": r"h_{1}^{[2]\langle 1\rangle }",
    },
    ("two rnn", 1, "a1", (0, 2, 0)): {"mazur": r"a_{1}^{\langle 3\rangle }"},
    ("both ways", 1, "h1_back_t2", (0, 0)): {
        "mazur": r"\overleftarrow{h}_{1}^{\langle 2\rangle }",
        "cs231n": r"\mathtt{h1\_back\_t2[0]}",
    },
    ("both ways", 1, "W1_i_back", (0, 1)): {"mazur": r"\overleftarrow{W}_{i{,}12}"},
    ("attention", 1, "Q1", (0, 2, 1)): {"mazur": "Q_{32}", "goodfellow": "Q_{3{,}2}", "cs231n": r"\mathtt{Q1[2{,}1]}"},
    ("attention", 1, "x", (0, 2, 1)): {"mazur": "x_{32}"},
    ("causal", 1, "A1_t2", (0, 0, 0)): {"mazur": "A_{21}", "goodfellow": "A_{2{,}1}", "cs231n": r"\mathtt{A1\_t2[0]}"},
    ("two heads", 1, "A1_t2", (0, 1, 0, 0)): {"mazur": "A_{2{,}2{,}1}"},
    ("conv", 1, "W1", (1, 0, 0, 1)): {"mazur": "W_{2{,}1{,}1{,}2}^{[1]}", "ng": "W_{2{,}1{,}1{,}2}^{[1]}"},
    ("conv", 1, "z1", (0, 0, 1, 1)): {"mazur": "z_{1{,}2{,}2}^{[1]}", "goodfellow": "a_{1{,}2{,}2}^{(1)}"},
    ("conv", 1, "a1", (0, 0, 1, 1)): {"bishop": "z_{1{,}2{,}2}^{(1)}", "cs231n": r"\mathtt{h1[0{,}1{,}1]}"},
    ("norm", 1, "m2", (0, 0)): {"mazur": "m", "goodfellow": "m", "cs231n": r"\mathtt{m2}"},
    ("norm", 2, "m2", (1, 0)): {"mazur": "m^{(2)}", "bishop": "m_{2}", "ng": "m^{(2)}", "cs231n": r"\mathtt{m2[1]}"},
    ("norm", 2, "a2", (1, 0)): {"mazur": "a_{1}^{(2)}", "ng": "a_{1}^{[2](2)}", "goodfellow": "h_{1}^{(2){,}(2)}"},
    ("norm", 1, "gamma2", (1,)): {"mazur": r"\gamma_{2}"},
    ("highway", 1, "z1_T", (0, 0)): {"mazur": "z_{T{,}1}", "goodfellow": "a_{T{,}1}"},
}


@pytest.mark.parametrize(("kind", "examples", "array", "index"), WRITTEN)
def test_an_element_is_written_as_its_topic_and_its_course_write_it(
    kind: str, examples: int, array: str, index: tuple[int, ...]
) -> None:
    row = WRITTEN[kind, examples, array, index]
    found = {n: tex_name(network(kind, n, examples).names.element(array, index)) for n in row}
    assert found == row


WHOLE = {
    ("lstm", "h1_t2"): {"mazur": r"\mathbf{h}^{\langle 2\rangle }", "ng": r"h^{\langle 2\rangle }"},
    ("lstm", "W1_i"): {"mazur": "W_{i}", "goodfellow": r"\mathbf{W}_{i}", "cs231n": r"\mathtt{W1\_i}"},
    ("causal", "A1_t2"): {"mazur": r"\mathbf{A}_{2}"},
    ("two heads", "A1_t2"): {"mazur": r"A_{:{,}2}"},
    ("attention", "A1"): {"mazur": "A", "bishop": r"\mathbf{A}"},
    ("conv", "a1"): {"mazur": r"\mathbf{a}^{[1]}", "goodfellow": r"\mathbf{h}^{(1)}", "nielsen": "a^{2}"},
    ("both ways", "h1_back_t1"): {"ng": r"\overleftarrow{h}^{\langle 1\rangle }"},
}


@pytest.mark.parametrize(("kind", "array"), WHOLE)
def test_a_whole_array_has_no_indices(kind: str, array: str) -> None:
    row = WHOLE[kind, array]
    assert {n: tex_name(network(kind, n).names.array(array)) for n in row} == row


# ---- what every printer makes of a time step -------------------------------------------------

STEP = Name("h", "1", "[1](3)⟨2⟩")
BACKWARD = Name("h", "1", "⟨2⟩", accent="left")


def test_a_time_step_is_set_and_spoken() -> None:
    assert tex_name(STEP) == r"h_{1}^{[1](3)\langle 2\rangle }"
    assert typst_name(STEP) == r"h_(1)^(\[ 1 \] \( 3 \) \⟨ 2 \⟩)"
    assert spoken_name(STEP) == "h 1 superscript 1 in brackets 3 in parentheses at time 2"
    assert spoken_name(Name("h", "1", "(3),(t=2)")) == "h 1 superscript 3 in parentheses comma at time 2"
    assert plain_name(STEP) == "h^[1](3)⟨2⟩_1"
    assert '<mo stretchy="false">⟨</mo><mn>2</mn><mo stretchy="false">⟩</mo>' in mathml(tex_name(STEP))


def test_what_reads_from_the_end_has_an_arrow_to_the_left() -> None:
    assert typst_name(BACKWARD) == r"arrow.l(h)_(1)^(\⟨ 2 \⟩)"
    assert spoken_name(BACKWARD) == "h left arrow 1 at time 2"
    assert plain_name(BACKWARD) == "h_back^⟨2⟩_1"
    assert "<mo>←</mo>" in mathml(tex_name(BACKWARD))


# ---- no two alike, and back ----------------------------------------------------------------------

DEEP = {"return_sequences": True, **UNITS}
SQUARE = {"type": "conv2d", "filters": 1, "kernel_size": 3, "padding": 1, "activation": "tanh", "bias": "per_unit"}
TWICE: dict[str, tuple[list[dict[str, Any]], Any]] = {
    "dense": ([{**UNITS, "activation": "tanh"}], ["0.1", "0.2"]),
    "dense, one bias": ([{"units": 2, "bias": "shared"}], ["0.1", "0.2"]),
    "dense on a sequence": ([{**UNITS, "activation": "tanh"}], SEQUENCE),
    "conv2d": ([SQUARE], IMAGE),
    "pooling": ([{"type": "max_pool2d", "size": 2, "stride": 1}, {"type": "avg_pool2d", "size": 1}], IMAGE),
    "flatten": ([{"type": "flatten"}], SEQUENCE),
    "rnn": ([{"type": "rnn", **DEEP}], SEQUENCE),
    "rnn with given states": ([{"type": "rnn", "initial_state": True, **DEEP}], SEQUENCE),
    "rnn, both ways": ([{"type": "rnn", "bidirectional": True, **DEEP}], SEQUENCE),
    "lstm": ([{"type": "lstm", "initial_state": True, **DEEP}], SEQUENCE),
    "lstm, both ways": ([{"type": "lstm", "bidirectional": True, **DEEP}], SEQUENCE),
    "gru": ([{"type": "gru", **DEEP}], SEQUENCE),
    "gru, one bias": ([{"type": "gru", **DEEP, "bias": "shared"}], SEQUENCE),
    "self_attention": ([{"type": "self_attention", "bias": "per_unit", "output_projection": True}], SEQUENCE),
    "self_attention, causal": ([{"type": "self_attention", "causal": True}], SEQUENCE),
    "self_attention, heads": ([{"type": "self_attention", "heads": 2, "causal": True}], SEQUENCE),
    "layer_norm": ([{"type": "layer_norm", "affine": True}], SEQUENCE),
    "batch_norm": ([{"type": "batch_norm", "affine": True}], SEQUENCE),
    "dropout": ([{"type": "dropout"}], SEQUENCE),
    "residual": ([{**UNITS, "activation": "tanh"}, {"type": "residual", "project": True}], SEQUENCE),
    "highway": ([{"type": "highway", "bias": "per_unit"}], SEQUENCE),
    "rnn and attention": ([{"type": "rnn", **DEEP}, {"type": "self_attention", "causal": True}], SEQUENCE),
    "many things": (
        [{"type": "layer_norm", "affine": True}, {"type": "gru", **DEEP}, {**UNITS, "activation": "tanh"}],
        SEQUENCE,
    ),
}
ENDS = {"none": [], "dense": [{"type": "flatten"}, {"units": 2, "bias": "shared"}, {"units": 2, "bias": "per_unit"}]}


@cache
def programs() -> dict[str, Program]:
    """Every network of ``TWICE`` once and stacked twice, alone and with dense layers behind it; and an embedding."""
    stacks = {
        f"{kind}, {times} times, then {end}": ([*rows * times, *ENDS[end]], inputs)
        for (kind, (rows, inputs)), times, end in product(TWICE.items(), (1, 2), ENDS)
    }
    stacks["embedding"] = ([{"type": "embedding", "vocabulary": 3, "size": 2}, {"type": "lstm", **DEEP}], [0, 2, 1])
    return {f"{kind}, {n} examples": _program(rows, x, n) for kind, (rows, x) in stacks.items() for n in (1, 3)}


def _program(rows: list[dict[str, Any]], inputs: Any, examples: int) -> Program:
    targets = _zeros(_outputs(rows, inputs, examples)[1:])
    each = [{"inputs": inputs, "targets": targets}] * examples
    asked = {} if rows[0].get("type") == "embedding" else {"parameters": ["x"]}
    return derive.differentiate(problem(rows, inputs, targets, examples=each, **asked)).program


def _outputs(rows: list[dict[str, Any]], inputs: Any, examples: int) -> tuple[int, ...]:
    """The shape of what comes out of the layers."""
    stated = [Stated(row.get("type", "dense"), {k: v for k, v in row.items() if k != "type"}) for row in rows]
    tokens = [inputs] * examples if rows[0].get("type") == "embedding" else None
    x = Variable("x", (examples, *_shape(inputs)), "array")
    return layers.written_layers(stated, x, tokens)[-1].output.shape


def _shape(values: Any) -> tuple[int, ...]:
    return (len(values), *_shape(values[0])) if isinstance(values, list) else ()


def _zeros(shape: tuple[int, ...]) -> Any:
    return [_zeros(shape[1:]) for _ in range(shape[0])] if shape else 0


def _on_a_keyboard(text: str) -> str:
    return text.replace("⟨", "<").replace("⟩", ">")


def printed(name: Name) -> tuple[str, ...]:
    return (name.base, name.sub, name.sup, name.accent)


@pytest.mark.parametrize("notation", NOTATIONS)
def test_no_two_elements_are_printed_alike_and_every_name_leads_back(notation: str) -> None:
    for kind, program in programs().items():
        names = Names(program, NOTATIONS[notation])
        seen: dict[tuple[str, ...], tuple[str, tuple[int, ...]]] = {}
        for array, index in names.typed:
            here = (array, index)
            name = names.element(array, index)
            other = seen.setdefault(printed(name), here)
            assert other == here, f"{kind}: {array}{index} and {other} are both printed {printed_name(name)}"
            assert names.find(names.typed[here]) in (here, (array, index or None)), f"{kind}: {names.typed[here]}"
            text = printed_name(name)
            if text not in program.variables:
                assert names.find(text) == names.find(_on_a_keyboard(text)) == here, f"{kind}: {text}"


@pytest.mark.parametrize("notation", NOTATIONS)
def test_no_two_arrays_of_layers_are_printed_alike(notation: str) -> None:
    for kind, program in programs().items():
        names = Names(program, NOTATIONS[notation])
        seen: dict[str, str] = {}
        for array, variable in program.variables.items():
            if variable.place is not None and variable.layer == 0:
                text = tex_name(names.array(array))
                assert seen.setdefault(text, array) == array, f"{kind}: {text}"


@pytest.mark.parametrize(
    "name",
    [
        "W1_i[1, 0]", "W1_i[1,0]", "W_i,21", "W_{i,21}", "W_i,2,1",
    ],
)  # fmt: skip
def test_a_weight_is_found_by_its_index_and_as_it_is_printed(name: str) -> None:
    assert network("lstm").names.find(name) == ("W1_i", (1, 0))


@pytest.mark.parametrize(
    "name", ["h1_t2[0, 0]", "h_1^<2>", "h^<2>_1", "h1<2>", "h_{1}^{⟨2⟩}", r"h_1^{\langle 2\rangle}"]
)
def test_a_state_is_found_in_every_spelling_of_its_time_step(name: str) -> None:
    assert network("lstm").names.find(name) == ("h1_t2", (0, 0))


@pytest.mark.parametrize(
    ("kind", "name", "array"), [("lstm", "h^<2>", "h1_t2"), ("lstm", "W_i", "W1_i"), ("conv", "a^[1]", "a1")]
)
def test_a_whole_array_is_found_as_it_is_printed(kind: str, name: str, array: str) -> None:
    assert network(kind).names.find(name) == (array, None)


def test_both_spellings_of_an_example_are_understood() -> None:
    names = network("norm", examples=2).names
    assert names.find("net_h1(2)") == names.find("net_h1^(2)") == ("z1", (1, 0))
    assert plain_name(names.element("z1", (1, 0))) == "net_h1(2)"


def test_arrays_of_equations_are_found_as_they_are_printed() -> None:
    derivation = derive.differentiate({"equations": "E = sum(W**2)", "error": "E", "shapes": {"W": [2, 2]}})
    assert tex_name(derivation.names.element("W", (0, 1))) == "W_{1{,}2}"
    assert derivation.names.find("W_1,2") == derivation.names.find("W[0, 1]") == ("W", (0, 1))


# ---- quantities, and notations of one's own -------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["dE/dW2[0, 1]", "dE/dW2[0,1]", "∂E/∂W2[0, 1]", "dE / dW2[0, 1]", "dE/dw2"],
)
def test_a_derivative_is_found_with_and_without_spaces(name: str) -> None:
    derivation = network_with_numbers()
    wanted = derivation.to_json(20)["gradients"]["W2"][0][1]
    assert quantity(derivation, name).decimal(20) == wanted


@pytest.mark.parametrize("name", ["dE/dh_1^<2>", "dE/dh1_t2[0, 0]", "dE/dh^⟨2⟩_1"])
def test_a_state_has_a_derivative_by_every_name(name: str) -> None:
    derivation = network_with_numbers()
    step = {float(quantity(derivation, f"dE/dh_{unit}^<3>").decimal(17)) for unit in (1, 2)}
    assert step == {float(derivation.to_json(17)["gradients"]["h1_t3"][0][unit]) for unit in (0, 1)}
    assert quantity(derivation, name).decimal(12) == quantity(derivation, "dE/dh1_t2[0, 0]").decimal(12)


@cache
def network_with_numbers() -> Derivation:
    rows = [{"type": "rnn", **UNITS}, {"units": 1, "bias": "per_unit"}]
    drawn = {"seed": 1, "low": -1, "high": 1, "decimals": 1}
    wanted = ["W1", "W2", "h1_t3"]
    return derive.differentiate(problem(rows, SEQUENCE, ["0.5"], initial=drawn, parameters=wanted))


def test_an_unknown_derivative_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(ChainruleError, match=r"W2\[0, 7\]"):
        quantity(network_with_numbers(), "dE/dW2[0, 7]")


def test_a_notation_of_ones_own_marks_layers_and_time_steps() -> None:
    own = parse('start = "ng"\n[marks]\ntime = "[t={t}]"\nlayer = "<{level}>"\nbetween = "."', stem="own")
    assert own.marks == Marks("<{level}>", "[t={t}]", "sup", ".")
    names = Names(network("two rnn").program, own)
    assert printed(names.element("h2_t1", (0, 0))) == ("h", "1", "<3>[t=1]", "")
    assert printed(names.element("W2", (0, 1))) == ("W", "1.2", "<3>", "")
    assert parse(template(), stem="own").marks == Marks()


# ---- what the arrays are -------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES)
def test_every_array_of_every_layer_has_a_meaning_and_axes(case: str) -> None:
    rows, shape, tokens = CASES[case]
    for written in layers.written_layers(rows, Variable("x", shape, "array"), tokens):
        for variable in written.variables:
            assert variable.meaning, variable.name
            assert len(variable.axes) == len(variable.shape), (variable.name, variable.axes)
            assert variable.place is not None
            kept = [size for word, size in zip(variable.axes, variable.shape, strict=True) if not word]
            assert all(size == 1 for size in kept)


def test_the_cases_have_every_type_of_layer() -> None:
    assert {row.type for rows, _, _ in CASES.values() for row in rows} == set(LAYERS)


@pytest.mark.parametrize("type", LAYERS)
def test_every_parameter_of_a_layer_type_has_a_meaning(type: str) -> None:
    row = LAYERS[type]
    assert [stem for stem in row.stems if not stem.endswith("_back") and stem not in row.meanings] == []


MEANINGS = {
    ("lstm", "i1_t1"): "input gate",
    ("lstm", "z1_f_t2"): "net input of the forget gate",
    ("lstm", "W1_i"): "weights from the inputs to the input gate",
    ("lstm", "U1_o"): "weights from the state to the output gate",
    ("lstm", "c1_t1"): "cell state",
    ("gru", "z1_t1"): "update gate",
    ("both ways", "h1_back_t1"): "hidden state, direction from the end",
    ("attention", "A1"): "attention weights",
    ("conv", "W1"): "filters",
    ("norm", "m2"): "mean over the features",
    ("norm", "W1"): "weights",
    ("norm", "x"): "inputs",
    ("norm", "t"): "targets",
    ("norm", "e"): "error of each output",
    ("norm", "E"): "error",
}


@pytest.mark.parametrize(("kind", "array"), MEANINGS)
def test_an_array_says_what_it_is(kind: str, array: str) -> None:
    assert network(kind).program.variables[array].meaning == MEANINGS[kind, array]


AXES = {
    ("lstm", "x"): ("example", "time", "feature"),
    ("attention", "x"): ("example", "position", "feature"),
    ("conv", "x"): ("example", "channel", "row", "column"),
    ("two heads", "A1_t2"): ("example", "head", "query", "key"),
    ("two rnn", "a1"): ("example", "time", "unit"),
    ("norm", "m2"): ("example", ""),
    ("conv", "W1"): ("filter", "channel", "row", "column"),
}


@pytest.mark.parametrize(("kind", "array"), AXES)
def test_an_array_says_what_its_axes_count(kind: str, array: str) -> None:
    assert network(kind).program.variables[array].axes == AXES[kind, array]


def test_a_sequence_before_a_recurrent_layer_has_time_steps() -> None:
    rows = [attention(), layer("rnn", units=2)]
    written = layers.written_layers(rows, Variable("x", (1, 3, 2), "array"))
    queries = next(variable for variable in written[0].variables if variable.name == "Q1")
    assert queries.axes == ("example", "time", "feature")


@pytest.mark.parametrize(
    ("words", "one"),
    [("units", "unit"), ("values of all heads", "value of all heads"), ("incoming values", "incoming value")],
)
def test_one_of_many(words: str, one: str) -> None:
    assert singular(words) == one
