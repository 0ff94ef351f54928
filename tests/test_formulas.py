"""Formulas: read in the names of the problem, equal to the derived ones or not, and explained like numbers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import sympy

import derive
from derive.derivation import Derivation
from derive.verification import separating, sources
from derive.verification.formula_reading import in_json, of_mapping, of_text
from derive.verification.formulas import FormulaError, Formulas
from derive.verification.report import Report

MAZUR = derive.differentiate("mazur")
DELTA = "-(target_o1 - out_o1) * out_o1 * (1 - out_o1)"


def judged(stated: Formulas, derivation: Derivation = MAZUR) -> Report:
    return sources.report(derivation, sources.of_formulas(stated, derivation))


def of(named: Mapping[str, Any], derivation: Derivation = MAZUR) -> Report:
    return judged(of_mapping(named, derivation, "formulas"), derivation)


BY_ALGEBRA = {
    "in the article's form": {"w5": f"{DELTA} * out_h1"},
    "multiplied out": {"w5": "(out_o1**2 - out_o1**3 - target_o1*out_o1 + target_o1*out_o1**2) * out_h1"},
    "by dE/dw": {"dE/dw5": f"{DELTA} * out_h1"},
    "by ∂E/∂w": {"∂E/∂w5": f"{DELTA} * out_h1"},
    "by the name of the error": {"dE_total/dw5": f"{DELTA} * out_h1"},
    "by index": {"W2[0, 0]": f"{DELTA} * a1[0, 0]"},
    "with a delta": {"w5": "delta_o1 * out_h1"},
    "in the net input": {"w5": "-(target_o1 - out_o1) * exp(-net_o1) / (1 + exp(-net_o1))**2 * out_h1"},
    "with the logistic function": {"w5": "-(target_o1 - out_o1) * sigmoid(net_o1) * (1 - logistic(net_o1)) * out_h1"},
    "a hidden weight": {
        "w1": f"({DELTA} * w5 - (target_o2 - out_o2) * out_o2 * (1 - out_o2) * w7) * out_h1 * (1 - out_h1) * i1"
    },
    "a bias": {"b2": "delta_o1 + delta_o2"},
    "a whole array": {"W2": "((a2 - t) * a2 * (1 - a2)).T @ a1"},
    "a delta": {"delta_o1": DELTA},
    "a SymPy expression": {
        "w5": sympy.sympify("out_o1*(1 - out_o1)*(out_o1 - target_o1)*out_h1"),
    },
}


@pytest.mark.parametrize("named", BY_ALGEBRA.values(), ids=BY_ALGEBRA)
def test_a_formula_is_equal_for_all_values(named: dict[str, Any]) -> None:
    report = of(named)
    assert report.verdict == "verified"
    assert all(note.endswith("for all values, by algebra") for note in report.notes)
    assert len(report.notes) == 1


def test_a_closed_form_is_equal_at_points() -> None:
    """In the parameters alone, two layers deep: no algebra is tried that would not end."""
    report = of({"w1": MAZUR.gradients["W1"][0, 0]})
    assert report.verdict == "verified"
    assert report.notes == ("w1: equal to the derived formula to 128 digits at 3 points",)


def test_sympys_own_derivative_is_equal() -> None:
    assert of({"w5": MAZUR.flat_derivative("w5")}).verdict == "verified"


UNEQUAL = {
    "the sign": ("(target_o1 - out_o1) * out_o1 * (1 - out_o1) * out_h{k}", "sign_of_error"),
    "no derivative": ("-(target_o1 - out_o1) * out_h{k}", "activation_derivative_missing"),
    "half of it": ("-(target_o1 - out_o1) * out_o1 * out_h{k}", "activation_derivative_half_formed"),
    "of the net input": (
        "-(target_o1 - out_o1) * net_o1 * (1 - net_o1) * out_h{k}",
        "activation_derivative_of_net_form",
    ),
    "the net input for the output": (DELTA + " * net_h{k}", "weight_gradient_wrong_input"),
    "a factor two": ("2 * " + DELTA + " * out_h{k}", "factor_two"),
}


@pytest.mark.parametrize(("formula", "mistake"), UNEQUAL.values(), ids=UNEQUAL)
def test_a_formula_that_is_not_equal_is_shown_by_a_point_and_explained(formula: str, mistake: str) -> None:
    report = of({f"w{4 + k}": formula.format(k=k) for k in (1, 2)})
    assert report.verdict == "wrong"
    assert any(note.startswith("w5: not the derived formula: at the problem's own numbers") for note in report.notes)
    assert mistake in {each.mistakes[0][0] for each in report.diagnosis}


def test_what_is_equal_at_the_problems_own_point_alone_is_shown_by_another() -> None:
    """0.05 is the input i1 of this problem, and of no other."""
    report = of({"w1": "delta_h1 * 0.05"})
    assert report.verdict == "verified"  # i1 is a number of the problem, and the formula names it nowhere
    report = of({"w5": "delta_o1 * out_h1 * w5 / 0.4"})
    assert report.verdict == "wrong"
    assert "point" in report.notes[0]
    assert "problem's own" not in report.notes[0]


SYMBOLIC = derive.differentiate("symbolic")


def test_a_problem_of_symbols_is_checked_at_points_that_are_drawn() -> None:
    weight = SYMBOLIC.names.typed["W2", (0, 0)]
    true = dict(SYMBOLIC.symbolic())[weight]
    assert true
    right = of({weight: SYMBOLIC.gradients["W2"][0, 0]}, SYMBOLIC)
    wrong = of({weight: 2 * SYMBOLIC.gradients["W2"][0, 0]}, SYMBOLIC)
    assert (right.verdict, wrong.verdict) == ("verified", "wrong")


# ---- files -----------------------------------------------------------------------------------


def test_a_file_has_a_formula_a_line_and_names_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"""
        # the deltas first
        d1 = {DELTA}     # of the first output
        d2 = (out_o2 - target_o2) * (
            out_o2 * (1 - out_o2)
        )
        dE/dw5 = d1 * out_h1
        dE/dw7 = d2 * out_h1
        """
    monkeypatch.chdir(tmp_path)
    tmp_path.joinpath("mine.txt").write_text(text, "utf-8")
    report = sources.report(MAZUR, sources.read("mine.txt", MAZUR))
    assert report.verdict == "verified"
    assert [row.name for row in report.rows] == ["w5", "w7"]
    tmp_path.joinpath("mine.md").write_text(text, "utf-8")
    assert sources.report(MAZUR, sources.read("formula:mine.md", MAZUR)).verdict == "verified"


def test_a_wrong_delta_goes_on_in_what_follows() -> None:
    report = judged(of_text("delta_o1 = out_o1 - target_o1\ndE/dw5 = delta_o1 * out_h1\n", MAZUR, "mine.txt"))
    assert report.verdict == "wrong"
    assert [row.within for row in report.rows] == [False, False]
    assert ("activation_derivative_missing", 2) in {each.mistakes[0] for each in report.diagnosis}


JSON = {
    '{"w5": "delta_o1 * out_h1"}': True,
    '{"w5": "0.25", "w6": "1e-3"}': False,
    '{"w5": 0.25}': False,
    '{"W2": [["0.1", "0.2"], ["0.3", "0.4"]]}': False,
    '{"w5": "nan"}': False,
    "[1, 2]": False,
    "no json": False,
}


@pytest.mark.parametrize(("text", "formulas"), JSON.items())
def test_texts_in_json_are_formulas_unless_they_are_numbers(text: str, formulas: bool) -> None:
    assert (in_json(text) is not None) is formulas


FAULTS = {
    "dE/dw5 = out_o9 * out_h1": r'mine.txt, line 1: .*out_o9.*did you mean "out_o\d"',
    "dE/dw99 = out_o1": "mine.txt, line 1: dE/dw99: no quantity of that name",
    "dE/dw5 = out_o1 +": "mine.txt, line 1: .*not an equation",
    "dE/dw5": "mine.txt, line 1: found 'dE/dw5'; expected a formula",
    "dE/dw5 = W2": "found the shape|expected",
    "dE/dw5 = out_o1\ndE/dw5 = out_o2": "mine.txt, line 2: dE/dw5 is there twice",
    "dE/dw5 = __import__('os')": "mine.txt, line 1: .*(unknown function|no part of the equation language)",
    "dE/dw5 = out_o1; out_o2": "mine.txt, line 1",
    "# nothing": "mine.txt: holds no formula",
    "d1 = out_o1": "mine.txt: holds no formula",
}


@pytest.mark.parametrize(("text", "said"), FAULTS.items())
def test_a_formula_that_cannot_be_read_is_told_with_its_line(text: str, said: str) -> None:
    with pytest.raises(FormulaError, match=said):
        of_text(text, MAZUR, "mine.txt")


@pytest.mark.parametrize(
    "expression",
    [sympy.Function("f")(sympy.Symbol("out_o1")), sympy.Symbol("out_o9"), sympy.Integral(sympy.Symbol("out_o1")), "no"],
)
def test_an_expression_that_cannot_be_computed_is_refused(expression: Any) -> None:
    with pytest.raises(FormulaError):
        of_mapping({"w5": expression}, MAZUR, "formulas")


def test_values_are_exact_to_many_digits_where_floats_cancel() -> None:
    """(1 + u) − 1 with u = 10⁻³⁰ is u."""
    problem = {
        "equations": "E = w * x",
        "error": "E",
        "parameters": ["w"],
        "values": {"w": 2, "x": 1},
    }
    derivation = derive.differentiate(problem)
    points = separating.chosen(derivation, 2)
    stated = of_mapping({"w": "(1 + x / 10**30 - 1) * 10**30"}, derivation, "formulas")
    assert stated.handed(points[0]).items[0].value == 1
    assert of({"w": "(1 + x / 10**30 - 1) * 10**30"}, derivation).verdict == "verified"
