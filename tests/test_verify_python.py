"""derive.verify and derive.assert_gradient: whatever Python holds as a gradient, judged as its type says."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy
from numpy.typing import NDArray

import derive

Arrays = dict[str, Any]
MAZUR = derive.differentiate("mazur")
X, T = np.array([[0.05, 0.10]]), np.array([[0.01, 0.99]])
W1, B1 = np.array([[0.15, 0.20], [0.25, 0.30]]), np.float64(0.35)
W2, B2 = np.array([[0.40, 0.45], [0.50, 0.55]]), np.float64(0.60)


def logistic(z: NDArray[Any]) -> NDArray[Any]:
    return 1 / (1 + np.exp(-z))


def backprop(W1: Any, b1: Any, W2: Any, b2: Any, x: Any = X, t: Any = T, sign: int = 1) -> Arrays:
    """The article's network as anybody would write it in NumPy; ``sign`` −1 turns (a − t)."""
    a1 = logistic(x @ W1.T + b1)
    a2 = logistic(a1 @ W2.T + b2)
    delta2 = sign * (a2 - t) * a2 * (1 - a2)
    delta1 = (delta2 @ W2) * a1 * (1 - a1)
    return {"W1": delta1.T @ x, "b1": delta1.sum(), "W2": delta2.T @ a1, "b2": delta2.sum()}


def error(W1: Any, b1: Any, W2: Any, b2: Any) -> Any:
    return ((T - logistic(logistic(X @ W1.T + b1) @ W2.T + b2)) ** 2).sum() / 2


RIGHT = backprop(W1, B1, W2, B2)
FLAT = np.concatenate([np.ravel(RIGHT[name]) for name in ("W1", "b1", "W2", "b2")])


def of_vector(theta: NDArray[Any]) -> NDArray[Any]:
    found = backprop(theta[:4].reshape(2, 2), theta[4], theta[5:9].reshape(2, 2), theta[9])
    return np.concatenate([np.ravel(each) for each in found.values()])


def with_error(W1: Any, b1: Any, W2: Any, b2: Any) -> Any:
    return error(W1, b1, W2, b2), backprop(W1, b1, W2, b2)


def in_order(W1: Any, b1: Any, W2: Any, b2: Any) -> Any:
    return tuple(backprop(W1, b1, W2, b2).values())


def in_float32(W1: Any, b1: Any, W2: Any, b2: Any) -> Any:
    single = [np.asarray(each, dtype=np.float32) for each in (W1, b1, W2, b2, X, T)]
    found = backprop(*single)
    return {name: np.float32(each) for name, each in found.items()}


def overwriting(W1: Any, b1: Any, W2: Any, b2: Any) -> Any:
    found = backprop(W1, b1, W2, b2)
    W1 -= 0.5 * found["W1"]
    W2 -= 0.5 * found["W2"]
    return found


class Network:
    """A gradient as a method."""

    def gradient(self, W1: Any, b1: Any, W2: Any, b2: Any, x: Any, t: Any) -> Arrays:
        return backprop(W1, b1, W2, b2, x, t)


# ---- what may be handed over ---------------------------------------------------------------

FORMS: dict[str, tuple[Any, str, int]] = {
    "arrays by name": (RIGHT, "float64", 1),
    "some of them": ({"W2": RIGHT["W2"]}, "float64", 1),
    "scalars by name": ({"w5": RIGHT["W2"][0, 0], "W1[1, 0]": RIGHT["W1"][1, 0]}, "float64", 1),
    "nested lists": ({name: np.asarray(each).tolist() for name, each in RIGHT.items()}, "float64", 1),
    "with the error and a value": (
        RIGHT | {"E": np.float64(error(W1, B1, W2, B2)), "out_h1": float(logistic(X @ W1.T + B1)[0, 0])},
        "float64",
        1,
    ),
    "sections": ({"gradients": RIGHT}, "float64", 1),
    "a flat vector": (FLAT, "float64", 1),
    "a list of numbers": (FLAT.tolist(), "float64", 1),
    "an array for each": (list(RIGHT.values()), "float64", 1),
    "the error in front": ((error(W1, B1, W2, B2), FLAT), "float64", 1),
    "float32": ({name: np.float32(each) for name, each in RIGHT.items()}, "float32", 1),
    "float32 and float64": (RIGHT | {"W1": np.float32(RIGHT["W1"])}, "float32", 1),
    "float16": (FLAT.astype(np.float16), "float16", 1),
    "long doubles": (FLAT.astype(np.longdouble), "float64", 1),
    "texts": ({"w5": "0.0822", "w6": "0.0827"}, "3sf", 1),
    "Decimals": ({"w5": Decimal("0.082167041")}, "8sf", 1),
    "Fractions": ([Fraction(float(each)) for each in FLAT], "float64", 1),
    "arrays and texts": (RIGHT | {"b1": "0.018726"}, "5sf", 1),
    "a function of arrays": (backprop, "float64", 3),
    "a function of a vector": (of_vector, "float64", 3),
    "a function with the error": (with_error, "float64", 3),
    "a function of a tuple": (in_order, "float64", 3),
    "a function in float32": (in_float32, "float32", 3),
    "a function that overwrites": (overwriting, "float64", 3),
    "a method": (Network().gradient, "float64", 3),
    "our own function": (MAZUR.lambdify(), "float64", 3),
    "a text formula": ({"w5": "-(target_o1 - out_o1)*out_o1*(1 - out_o1)*out_h1"}, "float64", 3),
    "a SymPy formula": ({"w5": MAZUR.gradients["W2"][0, 0]}, "float64", 3),
    "a matrix of formulas": (
        {"W2": sympy.Matrix(2, 2, lambda i, j: MAZUR.gradients["W2"][i, j])},
        "float64",
        3,
    ),
    "all our own formulas": (MAZUR.gradients, "float64", 3),
}


@pytest.mark.parametrize(("gradient", "precision", "points"), FORMS.values(), ids=FORMS)
def test_a_right_gradient_is_verified_in_every_form(gradient: Any, precision: str, points: int) -> None:
    report = derive.verify(MAZUR, gradient)
    assert (report.verdict, report.precision, report.points) == ("verified", precision, points)
    assert derive.assert_gradient(gradient, MAZUR) is None  # type: ignore[func-returns-value]


@pytest.mark.parametrize("problem", ["mazur", MAZUR, MAZUR.problem, Path("derive/problems/mazur.toml")], ids=type)
def test_a_problem_is_whatever_load_takes(problem: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).parent.parent)
    assert derive.verify(problem, RIGHT)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_tensors_are_arrays(dtype: str) -> None:
    torch = pytest.importorskip("torch")
    parameters = [torch.tensor(each, dtype=getattr(torch, dtype), requires_grad=True) for each in (W1, B1, W2, B2)]
    x, t = (torch.tensor(each, dtype=getattr(torch, dtype)) for each in (X, T))
    w1, b1, w2, b2 = parameters
    outputs = torch.sigmoid(torch.sigmoid(x @ w1.T + b1) @ w2.T + b2)
    (((t - outputs) ** 2).sum() / 2).backward()
    report = derive.verify(MAZUR, [each.grad for each in parameters])
    assert (report.verdict, report.precision) == ("verified", dtype)


def test_a_torch_module_is_not_taken_for_a_gradient() -> None:
    torch = pytest.importorskip("torch")
    with pytest.raises(derive.ChainruleError, match=r"torch:module\.py:name"):
        derive.verify(MAZUR, torch.nn.Linear(2, 2))


CODE = """
import numpy as np

def found(W2):
    hidden = np.array([0.593269992107187, 0.596884378259767])
    a = 1 / (1 + np.exp(-(W2 @ hidden + 0.6)))
    return {"W2": np.outer((a - [0.01, 0.99]) * a * (1 - a), hidden)}
"""


@pytest.mark.parametrize("source", ["numbers.json", "numbers.csv", "code.py:found"])
def test_a_text_names_a_file(source: str, tmp_path: Path) -> None:
    (tmp_path / "numbers.json").write_text('{"w5": 0.0821670406}')
    (tmp_path / "numbers.csv").write_text("w5,0.0821670406\n")
    (tmp_path / "code.py").write_text(CODE)
    assert derive.verify(MAZUR, f"{tmp_path}/{source}")
    assert derive.verify(MAZUR, {"w5": "0.0821670406"}, given="10dp")


def test_new_weights_are_said_to_be_such() -> None:
    new = {name: value - 0.5 * RIGHT[name] for name, value in (("W1", W1), ("W2", W2))}
    assert derive.verify(MAZUR, new, kind="updated")
    assert {("new_weights_handed_over", "all")} <= named(derive.verify(MAZUR, new))


@pytest.mark.parametrize(
    ("stated", "done", "identifier"), [("fixed", "updated", "biases_updated"), ("updated", "fixed", "biases_fixed")]
)
def test_new_weights_whose_biases_moved_otherwise_than_stated_are_explained(
    stated: str, done: str, identifier: str
) -> None:
    problem = MAZUR.problem
    assert problem.update is not None
    own, other = (replace(problem, update=replace(problem.update, biases=each)) for each in (stated, done))
    new = {n: v for n, v in derive.differentiate(other).to_json()["updated"].items() if n != "error"}
    report = derive.verify(own, new, kind="updated")
    assert report.verdict == "wrong"
    assert report.diagnosis[0].mistakes == ((identifier, "all"),)


def test_mixed_precisions_are_judged_by_the_coarsest_and_that_is_said() -> None:
    report = derive.verify(MAZUR, RIGHT | {"W1": np.float32(RIGHT["W1"])})
    assert any("float64, float32" in note for note in report.notes)
    stated = derive.verify(MAZUR, RIGHT | {"W1": np.float32(RIGHT["W1"])}, given="float32")
    assert stated.notes == ()


# ---- what is wrong -------------------------------------------------------------------------


def named(report: derive.Report) -> set[tuple[str, Any]]:
    """The mistakes that explain a report alone."""
    return {each.mistakes[0] for each in report.diagnosis if len(each.mistakes) == 1}


def test_a_mistake_is_named() -> None:
    def mistaken(W1: Any, b1: Any, W2: Any, b2: Any) -> Arrays:
        return backprop(W1, b1, W2, b2, sign=-1)

    assert ("sign_of_error", "all") in named(derive.verify(MAZUR, mistaken))
    assert ("sign_of_error", "all") in named(derive.verify(MAZUR, mistaken(W1, B1, W2, B2)))


def test_float32_that_calls_itself_float64_is_named() -> None:
    widened = {name: np.float64(each) for name, each in in_float32(W1, B1, W2, B2).items()}
    assert named(derive.verify(MAZUR, widened)) == {("float32_rounding", "all")}


RELU = derive.load(
    {
        "examples": [{"inputs": [0.5, 0.25], "targets": [0.3]}],
        "layers": [
            {"weights": [[0.4, 0.3], [0.2, 0.6]], "bias": [0.1, 0.2], "activation": "relu"},
            {"weights": [[0.7, -0.5]], "bias": [0.1]},
        ],
        "loss": {"name": "half_squared_error"},
    }
)


def without_mask(W1: Any, b1: Any, W2: Any, b2: Any, x: Any, t: Any) -> Arrays:
    """relu's mask is forgotten, which shows only where a unit is off."""
    a1 = np.maximum(x @ W1.T + b1, 0)
    delta2 = a1 @ W2.T + b2 - t
    delta1 = delta2 @ W2
    return {"W1": delta1.T @ x, "b1": delta1.sum(0), "W2": delta2.T @ a1, "b2": delta2.sum(0)}


def test_a_mistake_that_the_problem_hides_shows_at_another_point() -> None:
    assert derive.verify(RELU, without_mask, points=1)
    report = derive.verify(RELU, without_mask)
    assert report.verdict == "wrong"
    assert all(row.within for row in report.rows), "the rows are those of the problem's own numbers"
    assert ("relu_mask_missing", 1) in named(report)
    assert any("is right" in note and "at point" in note for note in report.notes)


def test_the_right_numbers_for_one_point_are_no_gradient() -> None:
    def constant(W1: Any, b1: Any, W2: Any, b2: Any) -> Arrays:
        return RIGHT

    assert derive.verify(MAZUR, constant).verdict == "wrong"


def test_doubles_that_were_rounded_are_told_how_to_say_so() -> None:
    rounded = FLAT.round(6)
    report = derive.verify(MAZUR, rounded)
    assert (report.verdict, report.notes[-1].rpartition("=")[2]) == ("wrong", '"6dp"')
    assert derive.verify(MAZUR, rounded, given="6dp").verdict != "wrong"


def test_digits_that_do_not_decide_are_no_pass() -> None:
    report = derive.verify(MAZUR, {"w5": "0.1"})
    assert (report.verdict, bool(report)) == ("undecided", False)
    with pytest.raises(AssertionError, match="Undecided"):
        derive.assert_gradient({"w5": "0.1"}, MAZUR)
    derive.assert_gradient({"w5": "0.1"}, MAZUR, undecided_ok=True)


# ---- the report ----------------------------------------------------------------------------


def test_a_report_is_true_where_it_is_verified_and_prints_as_a_table() -> None:
    report = derive.verify(MAZUR, RIGHT)
    assert report
    lines = str(report).splitlines()
    assert lines[0].startswith("Verified: all 10 numbers lie within what the rounding of float64 explains")
    assert lines[2].split() == ["parameter", "yours", "reference", "relative", "error", "digits", "right", "bound"]
    assert len(lines) == 13
    assert repr(report) == str(report)


def test_a_failed_assertion_tells_verdict_table_and_diagnosis() -> None:
    with pytest.raises(AssertionError) as caught:
        derive.assert_gradient(RIGHT | {"W2": -RIGHT["W2"]}, MAZUR)
    text = str(caught.value)
    assert text.startswith("Wrong: 4 of 10 numbers lie outside")
    assert "w5         -0.08216704056   0.08216704056" in text
    assert text.index("\nw5 ") < text.index("\nw1 "), "the worst stand first"
    assert "the sign of the error is turned" in text
