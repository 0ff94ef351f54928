"""Mistakes made in separately written NumPy code are named, exact and at four digits; right numbers never flagged."""

from __future__ import annotations

import numpy as np
import pytest
from bars import Case, cases, flagged, judged, made, measured, outcome, taken_out
from injected import Network, Slip
from injected_slips import drawn, slips
from right_runs import WAYS

import derive

SHAPES: dict[str, Network] = {
    "2-2-2": drawn(1, (2, 2, 2), ("logistic", "logistic"), "half_squared_error"),
    "3-4-2 tanh": drawn(2, (3, 4, 2), ("tanh", "identity"), "mean_squared_error"),
    "2-3-2 relu": drawn(3, (2, 3, 2), ("relu", "logistic"), "half_squared_error"),
    "softmax": drawn(4, (2, 3, 3), ("tanh", "softmax"), "categorical_cross_entropy"),
    "a batch": drawn(5, (2, 3, 2), ("tanh", "logistic"), "half_squared_error", examples=3),
    "a batch's mean": drawn(
        6, (2, 3, 1), ("logistic", "logistic"), "binary_cross_entropy", examples=4, over_examples="mean"
    ),
    "shared biases and a penalty": drawn(
        7, (2, 2, 2), ("logistic", "logistic"), "half_squared_error", biases="shared", l2=0.05
    ),
    "deeper": drawn(8, (2, 2, 2, 2), ("tanh", "logistic", "logistic"), "half_squared_error"),
}


def visible(name: str) -> list[Case]:
    """Every mistake that can be seen in a network's numbers."""
    return [case for slip in slips(SHAPES[name]) if (case := made(SHAPES[name], (slip,))) is not None]


@pytest.mark.parametrize("name", SHAPES)
def test_every_mistake_is_named_at_four_digits(name: str) -> None:
    found = {(case.slips[0].mistake, case.slips[0].layer): outcome(case, judged(case, 4)) for case in visible(name)}
    assert {key: result for key, result in found.items() if result not in ("named", "alone")} == {}


@pytest.mark.parametrize("name", ["2-2-2", "softmax", "a batch"])
def test_every_mistake_is_named_exactly(name: str) -> None:
    found = [(case.slips[0], outcome(case, judged(case, None))) for case in visible(name)]
    assert [each for each in found if each[1] not in ("named", "alone")] == []


def test_a_mistake_that_nobody_knows_gets_no_other_name() -> None:
    stream = cases(seed=11)
    wrongly = [named for _ in range(60) if (named := taken_out(next(stream)))]
    assert len(wrongly) <= 1


@pytest.mark.parametrize("way", WAYS)
def test_right_runs_are_never_flagged(way: str) -> None:
    if not way.startswith("NumPy"):
        pytest.importorskip(way.partition(" ")[0].lower())
    assert flagged(21, 60, way) == []


def test_a_wrong_network_that_agrees_with_itself_is_flagged() -> None:
    """Central differences of its own loss would pass it: weights transposed on the way forward."""
    case = made(SHAPES["2-2-2"], (Slip("weights_transposed_forward", 2),))
    assert case is not None
    assert not np.allclose(case.handed["E"], case.right["E"])
    assert outcome(case, judged(case)) in ("named", "alone")


def test_two_mistakes_at_once_are_named_together() -> None:
    network = SHAPES["2-2-2"]
    pair = (Slip("activation_derivative_missing", 2, "everywhere"), Slip("weight_gradient_transposed", 1))
    case = made(network, pair)
    assert case is not None
    assert outcome(case, judged(case)) in ("named", "alone")


def test_terms_that_cancel_in_float32_leave_nothing_to_decide() -> None:
    """One number of an array, all of it rounding: a right run of JAX's that was once called undecided."""
    weights = ([[-0.6453, 0.4696], [0.7843, -0.6337]], [[0.0683, 0.5607], [0.4861, 0.3572]])
    last = [[-0.6955, 0.0814], [-0.3197, -0.1085]]
    problem = {
        "examples": [
            {"inputs": [-0.0035, -0.4145], "targets": [0, 1]},
            {"inputs": [0.1991, 0.5493], "targets": [1, 0]},
        ],
        "layers": [
            {"activation": "relu", "weights": weights[0], "bias": 0.4199},
            {"activation": "leaky_relu", "weights": weights[1], "bias": -0.4622},
            {"activation": "softmax", "weights": last, "bias": -0.8723},
        ],
        "loss": {"name": "categorical_cross_entropy"},
    }
    given = {"b1": np.float32(-1.787266228e-7), "b2": np.float32(-4.362082109e-7), "b3": np.float32(-2.98e-8)}
    assert derive.verify(problem, given).verdict == "verified"


TWO_FACTORS = -0.25
"""Half of the change of a parameter in place of its gradient, in the article's network with its rate of ½."""


def two_mistakes(names: str, digits: int) -> derive.Report:
    """The report on some gradients of the article's network, with two mistakes that scale them."""
    derivation = derive.differentiate("mazur")
    right = {name: np.asarray(derivation.to_json()["gradients"][name], dtype=float) for name in ("W1", "W2")}
    flat = [float(value) for array in right.values() for value in array.reshape(-1)]
    by_name = {f"w{place}": value for place, value in enumerate(flat, start=1)}
    chosen = {name: by_name[name] * TWO_FACTORS for name in names.split()}
    return derive.verify(derivation, {name: f"{value:.{digits - 1}e}" for name, value in chosen.items()})


def test_one_number_of_few_digits_cannot_tell_two_mistakes_apart() -> None:
    """Of some tens of thousands of pairs several fit four digits whatever they are: none of them is named."""
    report = two_mistakes("w5", 4)
    assert (report.verdict, report.diagnosis) == ("wrong", ())
    assert any("so few cannot tell them apart" in note for note in report.notes)


def test_all_gradients_tell_two_mistakes_apart() -> None:
    report = two_mistakes("w1 w2 w3 w4 w5 w6 w7 w8", 4)
    assert (("factor_half", "all"), ("update_handed_over", "all")) in [each.mistakes for each in report.diagnosis]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (Slip("back_pass_path_missing", 2, "one 0 1"), Slip("back_pass_updated_weights", 2)),
        (Slip("back_pass_updated_weights", 2), Slip("back_pass_activation_derivative_missing", 2)),
        (Slip("weight_gradient_wrong_input", 2, "net"), Slip("weight_gradient_transposed", 2)),
        (Slip("sign_of_error", 1, "of the delta"), Slip("activation_derivative_at_output", 1)),
        (
            Slip("biases_left_out_forward", 2, "so its gradient is 0"),
            Slip("activation_derivative_missing", 2, "in the gradients"),
        ),
    ],
)
def test_two_mistakes_in_one_line_are_both_made(first: Slip, second: Slip) -> None:
    """Neither takes the other one back; and a line that one has taken away the other need not make wrong."""
    network = drawn(10, (2, 2, 2), ("logistic", "tanh"), "half_squared_error", biases="shared")
    case = made(network, (first, second))
    assert case is not None
    assert outcome(case, judged(case)) in ("named", "alone")


def test_most_pairs_of_mistakes_are_named() -> None:
    """The full measurement is `bars.measured(seed, 1000, mistakes=2)`."""
    assert measured(101, 6, mistakes=2)["named"] == 6
