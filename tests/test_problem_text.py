"""A problem written as a file is the same problem when it is read; with other numbers it is derived the same way."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from networks import stated

import derive
from derive.errors import ProblemError
from derive.files.problem_text import decimal_text, problem_text
from derive.other_numbers import with_values
from derive.problem import Problem, bundled, load, load_text, template


def bare(problem: Problem) -> Problem:
    """Without what a written file need not keep."""
    return replace(problem, vary=(), exercises=None, source="", stem="")


CASES: dict[str, Any] = {name: name for name in bundled()} | {
    "drawn": stated((3, 4, 2), ("relu", "softmax"), "categorical_cross_entropy", 5, examples=3),
    "symbols": {"examples": [{"inputs": 2, "targets": 1}], "layers": [{"units": 1}], "loss": {"name": "squared_error"}},
    "shapes of symbols": {
        "examples": [{"inputs": {"shape": [2]}, "targets": 2}],
        "layers": [{"units": 2, "bias": "shared"}],
        "loss": {"name": "squared_error"},
    },
    "every setting": {
        "title": 'quotes " and \\ and ∂',
        "notation": "plain",
        "examples": [{"inputs": ["1e-30", 3], "targets": [1e22]}],
        "layers": [{"activation": "leaky_relu", "slope": 0.2, "units": 1, "bias": "per_unit"}],
        "initial": {"seed": 3, "low": -2, "decimals": 3},
        "loss": {"name": "huber", "delta": 0.5, "over_examples": "mean"},
        "penalty": {"l1": 0.1},
        "update": {"rule": "momentum", "learning_rate": 1, "momentum": 0.5, "nesterov": True, "fixed": ["W1"]},
        "parameters": ["W1", "x"],
        "published": [{"name": "w1", "value": "0.10"}],
    },
    "an error with a seed": {
        "equations": 'y = W * x   # say "so"\r\nz = 2 * y',
        "error": "z",
        "seed": [[1, 2]],
        "values": {"x": [[1, 2]]},
        "shapes": {"W": [1, 2]},
    },
    "a bias of its own beside a word": {
        "examples": [{"inputs": [[0.1, 0.2], [0.3, 0.4]], "targets": [1]}],
        "layers": [{"type": "rnn", "units": 1, "bias": "per_unit"}],
        "initial": {"seed": 1},
        "loss": {"name": "squared_error"},
    },
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_written_is_read_as_the_same_problem(name: str) -> None:
    problem = load(CASES[name])
    assert bare(load_text(problem_text(problem))) == bare(problem)


def test_the_template_too() -> None:
    problem = load_text(template())
    assert bare(load_text(problem_text(problem, "a comment\nof two lines"))) == bare(problem)


def test_what_varies_is_not_for_students() -> None:
    assert load("mazur").vary
    assert "vary" not in problem_text(load("mazur"))


@pytest.mark.parametrize(("number", "text"), [("0.35", "0.35"), ("-3", "-3"), ("1e-9", "1e-9"), ("0.0625", "0.0625")])
def test_numbers_are_written_as_the_decimals_that_they_are(number: str, text: str) -> None:
    assert decimal_text(Fraction(number)) == text


def test_what_is_no_decimal_cannot_be_written() -> None:
    problem = with_values(load("mazur"), {"x": (Fraction(1, 3), Fraction(1))})
    with pytest.raises(ProblemError, match="1/3 is no decimal"):
        problem_text(problem)


# ---- the same program with other numbers -------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in bundled() if name != "symbolic"])
def test_other_numbers_give_what_a_new_derivation_gives(name: str) -> None:
    first = derive.differentiate(name)
    moved = {
        array: tuple(Fraction(int(v.p), int(v.q)) + Fraction(1, 100) for v in first.given[array].reshape(-1))
        for array in first.program.parameters
        if array in first.given
    }
    problem = with_values(first.problem, moved, Fraction(1, 5))
    other = first.with_numbers(problem)
    assert other.gradient is first.gradient
    assert other.to_json() == derive.differentiate(problem).to_json()


def test_closed_forms_hold_their_own_inputs() -> None:
    first = derive.differentiate("mazur")
    assert first.with_numbers(with_values(first.problem, {"W1": (Fraction(1),) * 4})).closed is first.closed
    problem = with_values(first.problem, {"x": (Fraction(1), Fraction(2))})
    assert first.with_numbers(problem).gradient_of("w5") == derive.differentiate(problem).gradient_of("w5")


def test_names_and_steps_are_shared() -> None:
    first = derive.differentiate("mazur")
    other = first.with_numbers(with_values(first.problem, {"x": (Fraction(1), Fraction(2))}))
    again = other.with_numbers(first.problem)
    assert other.steps is first.steps
    assert again.graph is first.graph
    assert again.to_json() == first.to_json()


@pytest.mark.parametrize(
    "changes",
    [
        {"layers": [{"activation": "tanh", "weights": [[1, 2], [3, 4]]}]},
        {"loss": {"name": "squared_error"}},
        {"update": {"learning_rate": 1, "rule": "adam"}},
        {"examples": [{"inputs": 2, "targets": 2}]},
        {"penalty": {"l2": 1}},
    ],
)
def test_another_program_is_refused(changes: dict[str, Any]) -> None:
    import tomllib

    text = problem_text(load("mazur"))
    with pytest.raises(ProblemError, match="differs in more than its numbers"):
        derive.differentiate("mazur").with_numbers(load(tomllib.loads(text) | changes))


def test_files_of_students_are_read_from_a_folder(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(problem_text(load("cnn")), encoding="utf-8")
    assert bare(load(tmp_path / "mine.toml")) == bare(load("cnn"))
