"""Mistakes made in separately written NumPy code are named, exact and at four digits; right numbers never flagged."""

from __future__ import annotations

import numpy as np
import pytest
from bars import Case, cases, flagged, judged, made, outcome, taken_out
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
