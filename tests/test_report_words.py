"""What a report says, for somebody who hands it back: arrays, lines, examples and numbers by name, in whole words."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import sympy
from bars import derivation_of, handed_over
from injected import Network, Slip, answers
from injected_slips import MAZUR, drawn

import derive
from derive.formula import Cases, Number, Relation
from derive.tex import tex
from derive.verification.family import family
from derive.verification.judge import base_sheet, explanation, judge
from derive.verification.report import Report, Row
from derive.verification.text import left_out
from derive.written import rational
from render.compose.verification import document
from render.formats import render_text
from render.typeset.typst import typst

BATCH = drawn(5, (2, 3, 2), ("tanh", "logistic"), examples=3)
RELU = drawn(3, (2, 3, 2), ("relu", "logistic"))


def report_of(network: Network, *slips: Slip) -> Report:
    return judge(derivation_of(network), [({}, handed_over(network, answers(network, *slips), 4))])


def page_of(problem: Any, numbers: Any) -> str:
    derivation = derive.differentiate(problem)
    return render_text(document(derivation, derive.verify(derivation, numbers)), "markdown")


def gru() -> dict[str, Any]:
    """The right gradients of a network with weights that are read at every time step."""
    derivation = derive.differentiate("gru")
    found: dict[str, Any] = json.loads(json.dumps(derivation.to_json(6)["gradients"]))
    return found


# ---- diagnosis in words --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("slip", "words"),
    [
        (Slip("bias_gradient_not_summed", 1, "last"), "one term of its sum (example 3 alone)"),
        (Slip("bias_gradient_averaged", 1, "over all"), "a mean, not a sum (over the examples)"),
        (Slip("inputs_swapped", "all", "first two"), "nputs were mixed up (features 1 and 2)"),
        (Slip("loss_averaged", "all"), "averaged over the outputs, not summed (divided by 2)"),
        (Slip("loss_without_half"), "lacks its ½ (2 times as large)"),
    ],
)
def test_a_mistake_is_told_by_examples_and_units_and_not_by_axes(slip: Slip, words: str) -> None:
    assert any(words in each.words for each in report_of(BATCH, slip).diagnosis)


@pytest.mark.parametrize("problem", ["mazur", "xor", "lstm", "cnn"])
def test_no_explanation_speaks_of_axes(problem: str) -> None:
    derivation = derive.differentiate(problem)
    told = [explanation((edit,)).words for edit in family(base_sheet(derivation), derivation.problem)]
    assert [words for words in told if "axis" in words] == []


PLACES = {
    ("lstm", "activation_derivative_missing", 3): "At o1 and o2, the derivative of the activation is missing.",
    ("lstm", "weight_gradient_transposed", 4): "In the gradient of Ug, rows and columns are exchanged.",
    ("lstm", "back_pass_not_transposed", 2): "At f2, the delta was passed back through the weights untransposed.",
    ("lstm", "biases_left_out_forward", 1): "At i1 and i2, the forward pass left the bias out.",
    (
        "lstm",
        "accumulated_twice",
        3,
    ): "In the gradients of Wo, Uo and bo, the gradient is there twice, as if it had been added to an earlier one.",
    ("attention", "back_pass_wrong_layer_weights", 3): "At V, the delta was passed back through other weights (Wq).",
    ("rnn", "time_step_missing", 1): "In the gradients of W, U and b, a time step is missing from the way back through "
    "time (the terms of step 1).",
    ("gru", "time_step_missing", 1): "In layer 1, a time step is missing from the way back through time (the terms of "
    "step 1).",
    ("autoencoder", "time_step_missing", 1): "One of the places where W is read is missing from its gradient (that in "
    "h).",
}


@pytest.mark.parametrize("place", PLACES, ids=lambda place: "-".join(map(str, place)))
def test_a_mistake_is_placed_by_what_the_problem_has(place: tuple[str, str, int]) -> None:
    """Equations have lines and no layers, and not every weight that is read twice is read at two time steps."""
    problem, *key = place
    derivation = derive.differentiate(problem)
    edit = next(each for each in family(base_sheet(derivation), derivation.problem) if [*each.key] == key)
    assert explanation((edit,)).words == PLACES[place]
    assert explanation((edit,)).to_json()["mistakes"] == [{"mistake": key[0], "layer": key[1]}]


@pytest.mark.parametrize("problem", ["lstm", "rnn", "attention", "autoencoder", "word2vec", "layer_norm"])
def test_where_there_are_no_layers_none_are_spoken_of(problem: str) -> None:
    derivation = derive.differentiate(problem)
    told = [explanation((e,)).words for e in family(base_sheet(derivation), derivation.problem) if e.layer != "all"]
    assert [words for words in told if "layer" in words] == []


def test_explanations_that_show_in_the_same_line_share_it() -> None:
    derivation = derivation_of(RELU)
    report = report_of(RELU, Slip("relu_mask_missing", 1))
    assert len(report.diagnosis) == 3
    page = render_text(document(derivation, report), "markdown")
    assert page.count("It should be:") == 1
    assert page.count("It shows in the same place as explanation 1, above.") == 2


# ---- where nothing explains the numbers ----------------------------------------------------


def test_one_wrong_number_among_many_is_pointed_at() -> None:
    numbers = gru()
    numbers["W1_z"][0][0] = "0.123456"
    notes = derive.verify("gru", numbers).notes
    assert notes[1] == "of the arrays, W1_z is wrong, and the other 11 right throughout"
    assert notes[2].startswith("one number alone is wrong, W1_z[0, 0]")


def test_of_weights_read_at_every_time_step_no_deltas_are_told() -> None:
    """Their gradient is a sum of products, and a single column is a multiple of anything."""
    numbers = gru()
    numbers["W1_z"] = [["0.123456"], ["0.654321"]]
    assert derive.verify("gru", numbers).notes[-1] == (
        "the first gradients that are wrong, seen from the outputs, are those of W1_z (layer 1)"
    )


def test_arrays_that_are_right_are_named_where_they_are_few() -> None:
    right = {name: value.tolist() for name, value in answers(MAZUR).items() if name[0] == "W"}
    wrong = right | {"W1": (np.array(right["W1"]) * 1.37).tolist()}
    assert "of the arrays, W2 is right throughout, and W1 is not" in derive.verify("mazur", wrong).notes


def other_incoming(gradients: Any) -> None:
    """The deltas times 0.3 and −0.2, whatever the network has there."""
    deltas = [float(row[0]) for row in gradients["W2"]]
    gradients["W2"] = [[f"{delta * value:.6g}" for value in (0.3, -0.2)] for delta in deltas]


def no_product(gradients: Any) -> None:
    gradients["W2"] = [["0.1", "0.2"], ["0.3", "0.4"]]


def other_deltas(gradients: Any) -> None:
    gradients["W2"] = [[f"{7 * factor * float(each):.17g}" for each in gradients["W2"][0]] for factor in (0.3, 0.5)]


def other_forward_pass(gradients: Any) -> None:
    gradients["W2"] = [["-0.05", "0.31"]]


STAGES: dict[str, tuple[str, Any, str]] = {
    "deltas times other values": (
        "mazur",
        other_incoming,
        "the gradients of W2 (layer 2) are deltas times other incoming values than the network's (in the proportion "
        "0.7002, -0.4668; the network's are 0.5933, 0.5969): the mistake is probably in the forward pass before W2",
    ),
    "of one unit": (
        "gru",
        other_forward_pass,
        "than the network's (in the proportion 0.04765, -0.2954; the network's are 0.2318, -0.1892): the mistake is "
        "probably in the forward pass before W2",
    ),
    "no product": (
        "mazur",
        no_product,
        "the gradients of W2 (layer 2) are no product of deltas and what comes in: the mistake is in the last step, "
        "delta times incoming value",
    ),
    "other deltas": ("mazur", other_deltas, "the deltas that they imply for layer 2 are wrong: "),
    "a batch, of which nothing is sure": (
        "xor",
        lambda gradients: gradients.update(W2=[["0.1", "0.2"]]),
        "the first gradients that are wrong, seen from the outputs, are those of W2 (layer 2)",
    ),
}


@pytest.mark.parametrize(("problem", "change", "words"), STAGES.values(), ids=STAGES)
def test_a_mistake_is_put_into_the_stage_that_the_numbers_tell(problem: str, change: Any, words: str) -> None:
    gradients = json.loads(json.dumps(derive.differentiate(problem).to_json(17)["gradients"]))
    change(gradients)
    gradients["b2"] = json.loads(json.dumps(gradients["b2"]).replace("0.", "0.9"))
    assert words in derive.verify(problem, gradients).notes[-1]


PARTS = derive.differentiate("mazur").to_json(17)["gradients"]


def times(gradients: dict[str, Any], digits: int, **constants: float) -> dict[str, Any]:
    """Gradients times a constant for each array (`every`: for all), as texts."""

    def scaled(value: Any, factor: float) -> Any:
        if isinstance(value, list):
            return [scaled(each, factor) for each in value]
        return f"{float(value) * factor:.{digits}g}"

    return {name: scaled(value, constants.get(name, constants.get("every", 1))) for name, value in gradients.items()}


FACTORS: dict[str, tuple[str, int, dict[str, float], list[str]]] = {
    "a third": ("mazur", 17, {"every": 1 / 3}, ["every number is 1/3 of the reference"]),
    "a third at four digits": ("mazur", 4, {"every": 1 / 3}, ["every number is 1/3 of the reference"]),
    "a tenth": ("mazur", 17, {"every": 0.1}, ["every number is 1/10 of the reference"]),
    "no simple fraction": ("mazur", 4, {"every": 0.3719}, ["every number is 0.3719 times the reference"]),
    "turned": ("mazur", 17, {"every": -3}, ["every number is −3 times the reference"]),
    "the mean of three values": (
        "layer_norm",
        17,
        {"every": 1 / 3},
        ["every number is 1/3 of the reference (a mean taken where the error is a sum?)"],
    ),
    "one array": ("mazur", 17, {"W1": 1.37}, ["every number of W1 is 1.37 times the reference"]),
    "each its own": (
        "mazur",
        17,
        {"W1": 1 / 7, "b1": 1 / 7, "W2": 0.6},
        ["every number of W1 and b1 is 1/7 of the reference", "every number of W2 is 3/5 of the reference"],
    ),
    "of a single number, which is always a multiple": ("mazur", 17, {"b1": 1.37}, []),
}


@pytest.mark.parametrize(("problem", "digits", "constants", "told"), FACTORS.values(), ids=FACTORS)
def test_a_constant_factor_is_told(problem: str, digits: int, constants: dict[str, float], told: list[str]) -> None:
    right = derive.differentiate(problem).to_json(17)["gradients"]
    report = derive.verify(problem, times(right, digits, **constants))
    assert report.diagnosis == ()
    assert report.notes[0] == "no known mistake, and no two of them, explains these numbers"
    assert [note for note in report.notes if "of the reference" in note or "times the reference" in note] == told
    assert list(report.notes[1 : 1 + len(told)]) == told


def test_what_is_off_by_more_than_its_bound_is_no_multiple() -> None:
    numbers = times(PARTS, 17, every=1 / 3)
    numbers["W1"][0][0] = f"{float(numbers['W1'][0][0]) * (1 + 1e-9):.17g}"
    assert not any("every number is" in note for note in derive.verify("mazur", numbers).notes)


# ---- quantities and numbers ----------------------------------------------------------------


def test_the_table_writes_every_weight_as_the_page_does() -> None:
    page = page_of("gru", gru())
    assert r"\partial W_{z{,}11}" in page
    assert "W1" not in page


@pytest.mark.parametrize(
    ("handed", "shown"),
    [
        ("-0.0836", r"\(-0.0836\)"),
        ("5.77e-14", r"\(5.77 \cdot 10^{-14}\)"),
        ("5.77E-09", r"\(5.77 \cdot 10^{-9}\)"),
        ("+3", r"\(3\)"),
        ("1/3", r"\(0.33333333\)"),
    ],
)
def test_the_table_writes_its_numbers_as_the_page_does(handed: str, shown: str) -> None:
    derivation = derive.differentiate("mazur")
    page = render_text(document(derivation, derive.verify(derivation, {"w5": handed})), "latex")
    row = next(line for line in page.splitlines() if line.endswith(r"\tabularnewline") and r"\partial w_{5}" in line)
    assert row.split(" & ")[1].removeprefix("{").partition(r"\phantom")[0].removesuffix("}") == shown


def test_what_the_comparison_covers_is_said_once() -> None:
    page = page_of("mazur", {"w1": "0.0004386", "w5": "0.08217"})
    assert page.count("some elements are missing") == 1


def test_the_learning_rate_is_a_decimal() -> None:
    assert rational(sympy.Rational(17, 25)) == Number("0.68")


@pytest.mark.parametrize("where", ["within", "outside"])
def test_one_row_left_out_is_one(where: str) -> None:
    rows = tuple(Row(f"w{k}", "1", "2", "0.5", 0, "0.1", within=where == "within") for k in range(21))
    assert left_out(Report("wrong", rows)) == f"and 1 more {where} its bound"


def test_a_sign_after_if_is_no_difference() -> None:
    """TeX and Typst would put the space of a subtraction round it."""
    cases = Cases(((Number("1"), Relation(Number("-1.5"), ">", Number("0"))), (Number("0"), None)))
    assert r"\text{if } {-1.5} > 0" in tex(cases)
    assert 'class("opening", "if ") -1.5 > 0' in typst(cases)


# ---- the worst first -----------------------------------------------------------------------

MISSED: dict[str, tuple[dict[str, str], list[str]]] = {
    "the larger error stands first": ({"w5": "0.0946", "w6": "0.09", "w7": "-0.2", "w8": "-0.03"}, ["w7", "w8", "w5"]),
    "as large errors keep their order": ({"w1": "0.00087713", "w5": "0.16433409", "w6": "0.2"}, ["w6", "w1", "w5"]),
}


@pytest.mark.parametrize(("numbers", "order"), MISSED.values(), ids=MISSED)
def test_the_worst_stand_first_by_digits_and_then_by_error(numbers: dict[str, str], order: list[str]) -> None:
    rows = derive.verify("mazur", numbers).worst_first
    assert [row.name for row in rows][: len(order)] == order


def test_what_is_not_zero_where_zero_is_right_stands_before_all() -> None:
    V = [["0"] * 2, ["-0.37", "0"], ["-0.9", "-0.444107"], ["0"] * 2, ["0"] * 2]
    rows = derive.verify("word2vec", {"V": V}).worst_first
    assert [row.name for row in rows][:2] == ["V[1, 0]", "V[2, 0]"]


def test_rows_that_are_made_already_have_the_same_order() -> None:
    rows = tuple(
        Row(name, "1", "2", error, 0, "0.1", False) for name, error in (("a", "0.5"), ("b", ""), ("c", "1.28"))
    )
    assert [row.name for row in Report("wrong", rows).worst_first] == ["b", "c", "a"]
