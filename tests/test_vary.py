"""[vary] and [exercises] in a problem file say what they say, in all three forms; what makes no sense is refused."""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from derive.errors import ProblemError
from derive.files.exercises import Chosen, Exercises
from derive.files.vary import Varied, default
from derive.problem import load, schema

DENSE: dict[str, Any] = {
    "examples": [{"inputs": [0.5, -0.25], "targets": [0.1, 0.9]}],
    "layers": [
        {"activation": "logistic", "weights": [[0.1, 0.2], [0.3, 0.4]], "bias": 0.5},
        {"activation": "logistic", "weights": [[0.1, 0.2], [0.3, 0.4]], "bias": [0.1, 0.2]},
    ],
    "loss": {"name": "half_squared_error"},
    "update": {"learning_rate": 0.5},
}
CLASSES = DENSE | {
    "examples": [{"inputs": [0.5, 0.25], "targets": 1}],
    "layers": [{"activation": "softmax", "weights": [[1, 2], [3, 4], [5, 6]]}],
    "loss": {"name": "categorical_cross_entropy"},
}
SIGNS = DENSE | {
    "examples": [{"inputs": [1, 2], "targets": [1]}],
    "layers": [{"weights": [[1, 2]]}],
    "loss": {"name": "hinge"},
}
TOKENS = DENSE | {
    "examples": [{"inputs": [0, 1], "targets": [[1, 0], [0, 1]]}],
    "layers": [{"type": "embedding", "weights": [[0.1, 0.2], [0.3, 0.4]]}, {"activation": "logistic", "units": 2}],
    "initial": {"seed": 1},
}
DROPPED = DENSE | {"layers": [*DENSE["layers"], {"type": "dropout", "rate": 0.5, "mask": [1, 0]}]}
SYMBOLS = DENSE | {"examples": [{"inputs": 2, "targets": 2}]}
EQUATIONS: dict[str, Any] = {
    "equations": "z = W @ x + b\nE = sum((t - z)**2) * c",
    "parameters": ["W", "b"],
    "values": {"W": [[1, 2]], "x": [0.5, 0.1], "b": [0], "t": [1], "c": 2},
}
TWO = Fraction(1, 100)


def vary(problem: dict[str, Any], **keys: Any) -> dict[str, tuple[Any, ...]]:
    """{array: (low, high, decimals)} or {array: what it is drawn among}."""
    found = load(problem | {"vary": keys}).vary
    return {each.name: each.among or (each.low, each.high, each.decimals) for each in found}


# what is stated | what is drawn
SAID: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, tuple[Any, ...]]]] = {
    "weights as usual": (DENSE, {"weights": True}, {"W1": (-1, 1, 2), "W2": (-1, 1, 2)}),
    "biases": (DENSE, {"biases": {"high": 0.5}}, {"b1": (-1, Fraction(1, 2), 2), "b2": (-1, Fraction(1, 2), 2)}),
    "inputs and targets": (DENSE, {"inputs": True, "targets": True}, {"x": (0, 1, 2), "t": (0, 1, 2)}),
    "the learning rate": (DENSE, {"learning_rate": True}, {"learning_rate": (Fraction(1, 10), Fraction(9, 10), 1)}),
    "a choice": (DENSE, {"learning_rate": {"among": [1, "0.1"]}}, {"learning_rate": (1, Fraction(1, 10))}),
    "one array": (DENSE, {"W2": {"low": 0, "decimals": 1}}, {"W2": (0, 1, 1)}),
    "an array apart": (DENSE, {"W1": {"low": 0}, "weights": True}, {"W1": (0, 1, 2), "W2": (-1, 1, 2)}),
    "an array held": (DENSE, {"weights": True, "W1": False}, {"W2": (-1, 1, 2)}),
    "classes": (CLASSES, {"targets": True}, {"t": (0, 1, 2)}),
    "some classes": (CLASSES, {"t": {"among": [0, 2]}}, {"t": (0, 2)}),
    "signs": (SIGNS, {"targets": True}, {"t": (-1, 1)}),
    "an embedding": (TOKENS, {"weights": True}, {"W1": (-1, 1, 2), "W2": (-1, 1, 2)}),
    "equations": (
        EQUATIONS,
        {"c": {"among": [1, 2]}, "weights": True, "biases": True, "x": True, "targets": True},
        {"W": (-1, 1, 2), "x": (0, 1, 2), "b": (-1, 1, 2), "t": (0, 1, 2), "c": (1, 2)},
    ),
}


@pytest.mark.parametrize("name", SAID)
def test_what_varies_is_read_exactly(name: str) -> None:
    problem, keys, drawn = SAID[name]
    assert vary(problem, **keys) == drawn


def test_classes_are_drawn_as_classes() -> None:
    (targets,) = load(CLASSES | {"vary": {"targets": True}}).vary
    assert (targets.classes, targets.choices) == (True, 3)


def test_without_vary_weights_and_inputs_do() -> None:
    names = {each.name: (each.low, each.high) for each in default(load(DENSE))}
    assert names == {"x": (-1, 1), "W1": (-1, 1), "W2": (-1, 1)}, "one given input is negative"
    assert [(each.name, each.low) for each in default(load(CLASSES))] == [("x", 0), ("W1", -1)]
    assert [each.name for each in default(load(TOKENS))] == ["W1", "W2"]
    assert load(DENSE).vary == ()


def test_without_numbers_nothing_can_vary() -> None:
    with pytest.raises(ProblemError, match="no weights or inputs with numbers"):
        default(load("symbolic"))


# what is wrong | in which problem | what stands there | what the message must contain
REFUSED: dict[str, tuple[Any, ...]] = {
    "a misspelt word": (DENSE, {"weigths": True}, 'vary.weigths: found "weigths"', 'did you mean "weights"?'),
    "an unknown array": (DENSE, {"W3": True}, "vary.W3", "known: weights, biases, inputs, targets, learning_rate, x"),
    "a misspelt key": (DENSE, {"W1": {"lwo": 0}}, 'vary.W1.lwo: unknown key "lwo"', 'did you mean "low"?'),
    "no table": (DENSE, {"W1": 3}, "vary.W1: found 3", "true is expected"),
    "nothing": (DENSE, {}, "vary: is empty"),
    "low and high": (DENSE, {"W1": {"low": 2}}, "vary.W1.low: found 2, greater than high, which is 1"),
    "high and low": (DENSE, {"W1": {"high": -2}}, "vary.W1.high: found -2, less than low, which is -1"),
    "no number": (DENSE, {"x": {"low": 0.11, "high": 0.19, "decimals": 1}}, "no number of 1 decimals lies between"),
    "no decimals": (DENSE, {"x": {"decimals": -1}}, "vary.x.decimals: found -1; a whole number from 0 to 30"),
    "not finite": (DENSE, {"x": {"low": "nan"}}, "vary.x.low", "finite"),
    "both": (DENSE, {"x": {"low": 0, "among": [1]}}, "vary.x.low: does not go with among"),
    "an empty choice": (DENSE, {"x": {"among": []}}, "vary.x.among: found 0 numbers"),
    "a number twice": (DENSE, {"x": {"among": [1, 1.0]}}, "vary.x.among[1]: found 1.0, which stands there twice"),
    "no number among": (DENSE, {"x": {"among": ["a"]}}, 'vary.x.among[0]: found "a"'),
    "no update": (DENSE | {"update": None}, {"learning_rate": True}, "there is no [update] with a learning rate"),
    "no learning": (DENSE, {"learning_rate": {"low": 0}}, "vary.learning_rate.low: found 0; numbers greater than 0"),
    "no class": (CLASSES, {"targets": {"among": [3]}}, "vary.targets.among: found 3", "classes from 0 to 2"),
    "a range of classes": (CLASSES, {"targets": {"low": 0}}, "vary.targets", "are classes from 0 to 2"),
    "no sign": (SIGNS, {"t": {"among": [0.5]}}, "vary.t.among: found 0.5", "signs"),
    "tokens": (TOKENS, {"inputs": True}, "vary.inputs: x: are tokens"),
    "a mask": (DROPPED, {"mask3": True}, "vary.mask3: is a mask"),
    "symbols": (SYMBOLS, {"inputs": True}, "vary.inputs: x: has no numbers here: it is made of symbols"),
    "no inputs": (
        EQUATIONS | {"equations": "E = sum(W) * c", "values": {"W": [1], "c": 1}, "parameters": ["W"]},
        {"inputs": True},
        "vary.inputs: there are none in this problem; arrays that may vary: W, c",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_makes_no_sense_is_refused(name: str) -> None:
    problem, keys, *said = REFUSED[name]
    stated = {key: value for key, value in problem.items() if value is not None}
    with pytest.raises(ProblemError) as caught:
        load(stated | {"vary": keys})
    for part in said:
        assert part in str(caught.value)


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(ProblemError) as caught:
        load(DENSE | {"vary": {"W1": 3, "x": {"lo": 1}}, "exercises": {"carry": "many"}})
    assert len(caught.value.faults) == 3


WHOLE = st.integers(-300, 300)


@settings(max_examples=60, deadline=None)
@given(st.tuples(WHOLE, WHOLE), st.integers(0, 3))
def test_every_choice_lies_in_the_range(ends: tuple[int, int], decimals: int) -> None:
    low, high = (Fraction(end, 100) for end in sorted(ends))
    varied = Varied("W1", low, high, decimals)
    drawn = [varied.choice(place) for place in range(varied.choices)]
    assert len(set(drawn)) == len(drawn)
    assert all(low <= number <= high and (number * 10**decimals).denominator == 1 for number in drawn)
    assert not drawn or (drawn[0] - low < Fraction(1, 10**decimals) and high - drawn[-1] < Fraction(1, 10**decimals))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(("low", "high", "among", "x")), inner),
    max_leaves=6,
)


@settings(max_examples=80, deadline=None)
@given(st.dictionaries(st.sampled_from(("weights", "x", "W1", "learning_rate", "odd")), JSON, min_size=1))
def test_whatever_stands_there_is_read_or_refused(table: dict[str, Any]) -> None:
    found: tuple[Varied, ...] = ()
    with suppress(ProblemError):
        found = load(DENSE | {"vary": table}).vary
    assert all(each.choices > 0 for each in found)


# ---- exercises -----------------------------------------------------------------------------

# what stands there | what is chosen
CHOSEN: dict[str, tuple[Any, Chosen]] = {
    "one": (True, Chosen("gradient")),
    "so many": (3, Chosen("gradient", count=3)),
    "a name": ("w5", Chosen("gradient", ("w5",))),
    "names": (["w5", " w1"], Chosen("gradient", ("w5", "w1"), 2)),
    "a table": (
        {"of": ["w5", "w1"], "count": 1, "points": 4, "blanks": 0.5, "mistake": "sign_of_error"},
        Chosen("gradient", ("w5", "w1"), 1, 4, Fraction(1, 2), "sign_of_error"),
    ),
    "a table that says little": ({"points": 0}, Chosen("gradient", points=0)),
}


@pytest.mark.parametrize("name", CHOSEN)
def test_exercises_are_chosen_by_kind(name: str) -> None:
    stated, chosen = CHOSEN[name]
    assert load(DENSE | {"exercises": {"gradient": stated}}).exercises == Exercises(chosen=(chosen,))


def test_the_sheet_has_its_own_settings_and_the_kinds_keep_their_order() -> None:
    stated = {"update": True, "carry": "5dp", "delta": 2, "points": 3, "blanks": "results"}
    found = load(DENSE | {"exercises": stated}).exercises
    assert found == Exercises("5dp", "results", 3, (Chosen("update"), Chosen("delta", count=2)))
    assert load(DENSE).exercises is None


# what stands there | what the message must contain
NO_EXERCISE: dict[str, tuple[Any, ...]] = {
    "digits in words": ({"carry": "four"}, 'exercises.carry: found "four"', '"4sf"'),
    "no digits": ({"carry": "0sf"}, "exercises.carry", "from 1 to 12"),
    "a misspelt blank": ({"blanks": "al"}, 'exercises.blanks: found "al"', 'did you mean "all"?'),
    "too much blank": ({"blanks": 1.5}, "exercises.blanks: found 1.5; a share from 0 to 1"),
    "half a point": ({"points": 0.5}, "exercises.points", "a whole number from 0"),
    "none": ({"delta": 0}, "exercises.delta: found 0; a whole number from 1"),
    "false": ({"delta": False}, "exercises.delta: found false; true, a whole number"),
    "a number": ({"delta": 1.5}, "exercises.delta: found 1.5"),
    "a name twice": ({"delta": ["a", "a"]}, 'exercises.delta: found "a" twice'),
    "no name": ({"delta": {"of": []}}, "exercises.delta.of: found 0 names"),
    "more than there are": ({"delta": {"of": ["a"], "count": 2}}, "exercises.delta.count: found 2, but of names 1"),
    "a misspelt key": ({"delta": {"pionts": 2}}, "exercises.delta.pionts", 'did you mean "points"?'),
}


@pytest.mark.parametrize("name", NO_EXERCISE)
def test_what_is_no_exercise_is_refused(name: str) -> None:
    stated, *said = NO_EXERCISE[name]
    with pytest.raises(ProblemError) as caught:
        load(DENSE | {"exercises": stated})
    for part in said:
        assert part in str(caught.value)


def test_the_schema_knows_both_tables() -> None:
    for form in ("ProblemFile", "NetworkFile", "EquationsFile"):
        keys = schema()["$defs"][form]["properties"]
        assert "among" in str(keys["vary"])
        assert "blanks" in str(keys["exercises"])
