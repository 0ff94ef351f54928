"""What derive.verify says of functions that give no gradient, of values that cannot be read, and of options."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy

import derive

MAZUR = derive.differentiate("mazur")
RIGHT = MAZUR.lambdify()()[1]


# ---- functions that give no gradient -------------------------------------------------------


def raising(W1: Any) -> Any:
    raise ZeroDivisionError("no unit left")


def leaving(W1: Any) -> Any:
    raise SystemExit(1)


FAILURES: dict[str, tuple[Callable[..., Any], str]] = {
    "raises": (raising, "raising raised ZeroDivisionError: no unit left (test_verify_faults.py, line "),
    "leaves": (leaving, "leaving raised SystemExit: 1"),
    "returns nothing": (lambda W1: None, "returned nothing; does it end with return?"),
    "returns text": (lambda W1: "0.1", 'returned the text "0.1"'),
    "returns texts": (lambda W1: {"W1": [["a", "b"], ["c", "d"]]}, "returned for W1 text"),
    "returns complex numbers": (lambda W1: {"W1": W1 * 1j}, "returned for W1 complex numbers"),
    "has another shape": (lambda W1: {"W1": [1.0, 2.0, 3.0]}, "W1: found the shape 3; expected 2 × 2"),
    "has ragged rows": (lambda W1: {"W1": [[1.0], [2.0, 3.0]]}, "rows of different lengths"),
    "has another name": (lambda W1: {"W3": W1}, 'found "W3"'),
    "is not a number": (lambda W1: {"W1": W1 * np.nan}, "w1 is nan"),
    "takes another name": (lambda weights, *, rate: weights, "takes weights"),
}


@pytest.mark.parametrize(("function", "words"), FAILURES.values(), ids=FAILURES)
def test_a_function_that_gives_no_gradient_is_wrong_and_told_why(function: Callable[..., Any], words: str) -> None:
    report = derive.verify(MAZUR, function)
    assert report.verdict == "wrong"
    assert words in " ".join(report.notes)
    with pytest.raises(AssertionError) as caught:
        derive.assert_gradient(function, MAZUR)
    assert words in str(caught.value)


def test_what_a_function_raised_is_kept_for_the_traceback() -> None:
    with pytest.raises(AssertionError) as caught:
        derive.assert_gradient(raising, MAZUR)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_an_interrupt_is_the_users() -> None:
    calls = []

    def interrupted(theta: Any) -> Any:
        calls.append(theta)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        derive.verify(MAZUR, interrupted)
    assert len(calls) == 1


# ---- what cannot be read -------------------------------------------------------------------

UNREADABLE: dict[str, tuple[Any, str]] = {
    "an unknown name": ({"w55": 0.1}, 'did you mean "w5"'),
    "another shape": ({"W1": [[0.1, 0.2]]}, "W1: found the shape 1 × 2; expected 2 × 2"),
    "too few": (np.ones(3), "found 3 numbers; expected the gradients by name, or a flat vector of 10 numbers"),
    "nothing": (None, "found nothing"),
    "a number": (0.5, "found 0.5"),
    "an empty table": ({}, "holds no numbers"),
    "a truth value": ({"w5": True}, "expected a number"),
    "twice": ({"w5": 0.1, "W2[0, 0]": 0.1}, "is there twice"),
    "a formula of unknown names": ({"w5": sympy.Symbol("out_h9")}, "out_h9"),
}


@pytest.mark.parametrize(("gradient", "words"), UNREADABLE.values(), ids=UNREADABLE)
def test_values_that_cannot_be_read_are_said(gradient: Any, words: str) -> None:
    with pytest.raises(derive.ChainruleError) as caught:
        derive.verify(MAZUR, gradient)
    assert words in str(caught.value)
    with pytest.raises(AssertionError) as failed:
        derive.assert_gradient(gradient, MAZUR)
    assert words in str(failed.value)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"given": "4"}, "known: auto, float64"),
        ({"given": 4}, "known: auto, float64"),
        ({"kind": "update"}, 'did you mean "updated"'),
        ({"points": 0}, "a whole number from 1 on"),
        ({"points": 2.5}, "a whole number from 1 on"),
    ],
)
def test_options_are_checked(options: dict[str, Any], words: str) -> None:
    for call in (
        lambda: derive.verify(MAZUR, RIGHT, **options),
        lambda: derive.assert_gradient(RIGHT, MAZUR, **options),
    ):
        with pytest.raises(derive.ChainruleError) as caught:
            call()
        assert words in str(caught.value)


def test_a_problem_of_symbols_takes_functions_and_no_numbers() -> None:
    derivation = derive.differentiate("symbolic")
    assert derive.verify(derivation, derivation.lambdify()).points == 3
    with pytest.raises(derive.ChainruleError, match="has symbols where numbers are compared"):
        derive.verify(derivation, {"w1": 0.5})
