"""Numbers from a derivation: every evaluator agrees with every other, and says what it does not take."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from networks import stated, symbolic

import derive
from derive.derivation import Derivation
from derive.errors import ChainruleError
from derive.evaluate.lambdified import flat_function
from derive.problem import Update, load
from derive.training import SMALL, in_floats, milestones

LOGISTICS = ("logistic", "logistic")

# widths, activations, loss, examples, over examples, biases
NETWORKS: dict[str, tuple[Any, ...]] = {
    "2-2-2": ((2, 2, 2), LOGISTICS, "half_squared_error", 1, "sum", ("shared", "shared")),
    "3-4-2, five examples": ((3, 4, 2), ("tanh", "logistic"), "binary_cross_entropy", 5, "mean", ("per_unit", None)),
    "softmax": ((3, 5, 4), ("relu", "softmax"), "categorical_cross_entropy", 3, "sum", ("per_unit", "shared")),
    "softmax inside": ((2, 3, 2), ("softmax", "softplus"), "mean_squared_error", 2, "mean", (None, "per_unit")),
    "large": ((20, 30, 10), ("tanh", "softmax"), "categorical_cross_entropy", 1, "sum", ("per_unit", "per_unit")),
    "large, a batch": ((25, 20, 6), ("relu", "logistic"), "binary_cross_entropy", 4, "mean", ("shared", "per_unit")),
    "large, four layers": (
        (12, 12, 12, 12, 3),
        ("softplus", "leaky_relu", "softmax", "identity"),
        "squared_error",
        3,
        "sum",
        ("per_unit", "shared", None, "per_unit"),
    ),
}


def derivation_of(name: str) -> Derivation:
    widths, activations, loss, examples, over, biases = NETWORKS[name]
    return derive.differentiate(
        stated(widths, activations, loss, seed=3, examples=examples, over_examples=over, biases=biases)
    )


def size(derivation: Derivation) -> int:
    return sum(int(np.prod(derivation.program.shape(name))) for name in derivation.program.parameters)


def exact(derivation: Derivation) -> tuple[float, dict[str, np.ndarray]]:
    found = derivation.to_json(17)
    return float(found["error"]), {name: np.array(value, dtype=float) for name, value in found["gradients"].items()}


def same(found: tuple[float, dict[str, np.ndarray]], expected: tuple[float, dict[str, np.ndarray]]) -> None:
    assert found[0] == pytest.approx(expected[0], rel=1e-13)
    assert list(found[1]) == list(expected[1])
    for name, gradient in expected[1].items():
        assert isinstance(found[1][name], np.ndarray)
        assert found[1][name].dtype == np.float64
        assert found[1][name].shape == gradient.shape
        np.testing.assert_allclose(found[1][name], gradient, rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("backend", ["fast", "sympy"])
def test_every_backend_agrees_with_the_enclosures(name: str, backend: str) -> None:
    derivation = derivation_of(name)
    assert (size(derivation) > SMALL) == name.startswith("large")
    same(derivation.lambdify(backend)(), exact(derivation))


@pytest.mark.parametrize("name", NETWORKS)
def test_arrays_can_be_given(name: str) -> None:
    """Keywords stand in for the problem's values, and nothing is remembered from one call to the next."""
    derivation = derivation_of(name)
    random = np.random.default_rng(7)
    given = {
        array: np.round(
            np.asarray(derivation.values[array]) * random.uniform(0.8, 1.1, derivation.program.shape(array)), 6
        )
        for array in ("x", *derivation.program.parameters)
    }
    fast, reference = derivation.lambdify(), derivation.lambdify("sympy")
    same(fast(**given), reference(**given))
    same(fast(), exact(derivation))
    same(fast(W1=given["W1"].tolist()), reference(W1=given["W1"]))


def test_a_large_network_keeps_what_it_returned_unless_reuse_is_asked_for() -> None:
    derivation = derivation_of("large")
    keep, reuse = derivation.lambdify(), derivation.lambdify(reuse=True)
    other = {"x": np.full(derivation.program.shape("x"), 0.5)}
    first, again = keep()[1], keep(**other)[1]
    assert all(first[name] is not again[name] for name in first)
    np.testing.assert_array_equal(first["W1"], keep()[1]["W1"])
    buffers = reuse()[1]
    assert all(buffers[name] is after for name, after in reuse(**other)[1].items())
    np.testing.assert_array_equal(buffers["W1"], again["W1"])


def test_a_shared_bias_is_an_array_without_axes() -> None:
    derivation = derivation_of("2-2-2")
    error, gradients = derivation.lambdify()(b1=0.25)
    assert isinstance(error, float)
    assert gradients["b1"].shape == ()
    assert derivation.values["b1"].shape == ()


@pytest.mark.parametrize("name", ["2-2-2", "large"])
@pytest.mark.parametrize(
    ("arrays", "kind", "message"),
    [
        ({"w1": 0.1}, TypeError, 'did you mean "W1"?'),
        ({"E": 1.0}, TypeError, 'found "E"; known: x, t, W1'),
        ({"W1": [[0.1]]}, ValueError, r"W1: found shape \(1, 1\), expected"),
        ({"b1": [0.1] * 99}, ValueError, r"b1: found shape \(99,\), expected"),
    ],
)
def test_wrong_arrays_are_refused(name: str, arrays: dict[str, Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        derivation_of(name).lambdify()(**arrays)


def test_an_unknown_backend_is_refused() -> None:
    with pytest.raises(ChainruleError, match=r'found "symppy"; known: fast, sympy; did you mean "sympy"\?'):
        derivation_of("2-2-2").lambdify("symppy")


def test_values_are_correctly_rounded_arrays() -> None:
    derivation = derivation_of("3-4-2, five examples")
    exact_arrays = derivation.to_json(17)["arrays"]
    assert set(derivation.values) == {*exact_arrays, "E"}
    for name, array in exact_arrays.items():
        np.testing.assert_array_equal(derivation.values[name], np.array(array, dtype=float))
    with pytest.raises(KeyError):
        derivation.values["W9"]


def test_plain_floats_in_and_out() -> None:
    """What a small network's function is made of: no array anywhere, the error first, then the gradients in order."""
    derivation = derive.differentiate("mazur")
    flat = flat_function(derivation)
    found = flat(0.05, 0.1, 0.01, 0.99, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6)
    error, gradients = exact(derivation)
    assert all(type(each) is float for each in found)
    expected = [error, *(v for name in derivation.program.parameters for v in gradients[name].reshape(-1))]
    assert found == pytest.approx(expected, rel=1e-14)


# ---- symbols ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def symbols() -> Derivation:
    return derive.differentiate("symbolic")


def test_symbols_have_formulas_and_no_numbers(symbols: Derivation) -> None:
    found = symbols.to_json()
    assert not symbols.has_numbers
    assert found["arrays"]["x"] == [["i1", "i2"]]
    assert found["arrays"]["W2"] == [["w5", "w6"], ["w7", "w8"]]
    assert "w5" in found["arrays"]["z2"][0][0]
    assert "out_h1" in found["gradients"]["W2"][0][0]
    assert "updated" not in found
    assert "a1" not in symbols.values
    assert list(symbols.values) == []


@pytest.mark.parametrize("backend", ["fast", "sympy"])
def test_symbols_become_numbers_when_arrays_are_given(symbols: Derivation, backend: str) -> None:
    mazur = derive.differentiate("mazur")
    given = {name: mazur.values[name] for name in mazur.program.given}
    same(symbols.lambdify(backend)(**given), exact(mazur))


def test_missing_arrays_are_named(symbols: Derivation) -> None:
    with pytest.raises(TypeError, match="no values for W1, b1, W2, b2: the problem leaves them symbols"):
        symbols.lambdify()(x=[[0.05, 0.1]], t=[[0.01, 0.99]])


def test_symbols_cannot_be_trained() -> None:
    problem = replace(load("symbolic"), update=Update(learning_rate=load("mazur").update.learning_rate))  # type: ignore[union-attr]
    with pytest.raises(ChainruleError, match="symbols where training needs numbers"):
        derive.differentiate(problem).train(1)
    with pytest.raises(ChainruleError, match=r"has no \[update\]"):
        derive.differentiate("symbolic").train(1)


def test_an_update_of_symbols_is_a_formula() -> None:
    problem = replace(load("symbolic"), update=load("mazur").update)
    updated = derive.differentiate(problem).to_json()["updated"]
    assert updated["W2"][0][0].startswith("w5 - ")
    assert updated["b1"] == "b1"
    assert "error" not in updated


def test_some_numbers_among_symbols() -> None:
    """Numbers as far as they reach, formulas beyond: here the hidden layer has numbers and the output layer has not."""
    derivation = derive.differentiate(
        {
            "examples": [{"inputs": [1, 2], "targets": [0]}],
            "layers": [{"weights": [[0.5, 0.25]], "activation": "tanh"}, {"units": 1}],
            "loss": {"name": "squared_error"},
        }
    )
    found = derivation.to_json(5)
    assert found["arrays"]["z1"] == [["1"]]
    assert found["arrays"]["a1"] == [["0.76159"]]
    assert found["arrays"]["W2"] == [["w3"]]
    assert not derivation.has_numbers
    assert "w3" in found["gradients"]["W1"][0][0]


# ---- training --------------------------------------------------------------------------------


def trained(name: str, **update: Any) -> Derivation:
    derivation = derivation_of(name)
    rate = load({**derivation_table(), "update": {"learning_rate": "0.1"}}).update
    assert rate is not None
    return derive.differentiate(replace(derivation.problem, update=replace(rate, **update)))


def derivation_table() -> dict[str, Any]:
    return stated((1, 1), ("identity",), "squared_error", seed=0)


@pytest.mark.parametrize("order", ["simultaneous", "sequential"])
@pytest.mark.parametrize("name", NETWORKS)
def test_training_in_floats_agrees_with_training_in_enclosures(name: str, order: str) -> None:
    derivation = trained(name, order=order)
    floats, digits = derivation.train(7), derivation.train(7, digits=17)
    assert floats["steps"] == digits["steps"] == 7
    assert [step for step, _ in floats["history"]] == [0, 1, 2, 5, 7]
    assert float(floats["error"]) == pytest.approx(float(digits["error"]), rel=1e-12)
    for (_, found), (_, expected) in zip(floats["history"], digits["history"], strict=True):
        assert float(found) == pytest.approx(float(expected), rel=1e-12)
    assert set(floats["arrays"]) == set(digits["arrays"])
    for array, expected in digits["arrays"].items():
        np.testing.assert_allclose(
            np.array(floats["arrays"][array], float), np.array(expected, float), rtol=1e-10, atol=1e-13
        )


@pytest.mark.parametrize("name", ["2-2-2", "softmax inside", "large, a batch"])
def test_one_step_of_training_is_the_update_of_the_gradients(name: str) -> None:
    derivation = trained(name)
    found, after = derivation.to_json(17), derivation.train(1, digits=17)
    assert after["error"] == found["updated"]["error"]
    for parameter in derivation.program.parameters:
        assert after["arrays"][parameter] == found["updated"][parameter]
        gradient = np.array(found["gradients"][parameter], float)
        moved = np.array(found["arrays"][parameter], float) - 0.1 * gradient
        np.testing.assert_allclose(np.array(found["updated"][parameter], float), moved, rtol=1e-14)


@pytest.mark.parametrize("widths", [(1, 1), (2, 3, 2), (3, 2, 4, 2)])
def test_the_sequential_order_is_one_backward_sweep(widths: tuple[int, ...]) -> None:
    """δ of the last layer, its weights updated, δ of the layer before through the new weights, and so on down."""
    depth = len(widths) - 1
    table = stated(widths, ["tanh"] * depth, "half_squared_error", seed=1, examples=3)
    found = derive.differentiate(table | {"update": {"learning_rate": "0.3", "order": "sequential"}}).to_json(17)
    v = {name: np.array(value, dtype=float) for name, value in found["arrays"].items()}
    delta = (v[f"a{depth}"] - v["t"]) * (1 - v[f"a{depth}"] ** 2)
    for layer in range(depth, 0, -1):
        incoming = v["x"] if layer == 1 else v[f"a{layer - 1}"]
        new = v[f"W{layer}"] - 0.3 * delta.T @ incoming
        np.testing.assert_allclose(np.array(found["updated"][f"W{layer}"], float), new, rtol=1e-13)
        biases = v[f"b{layer}"] - 0.3 * delta.sum(axis=0)
        np.testing.assert_allclose(np.array(found["updated"][f"b{layer}"], float), biases, rtol=1e-13)
        delta = delta @ new * (1 - incoming**2) if layer > 1 else delta


def test_plain_floats_and_numpy_train_alike() -> None:
    """The same training by the loop in plain floats and by NumPy code."""
    import derive.training as training

    derivation = trained("softmax")
    start = {name: derivation.floats(name) for name in derivation.program.given}
    advance = training._unrolled(derivation.training), training._vectorised(derivation.training)
    small, large = (each(20, start) for each in advance)
    for name in derivation.program.given:
        np.testing.assert_allclose(small[name], large[name], rtol=1e-12, atol=1e-15)


def test_what_is_fixed_stays() -> None:
    derivation = trained("2-2-2", biases="fixed", fixed=("W1",))
    assert derivation.trained == ("W2",)
    found, after = derivation.to_json(), derivation.train(5)
    for name in ("W1", "b1", "b2"):
        assert after["arrays"][name] == found["arrays"][name]
        assert found["updated"][name] == found["arrays"][name]
    assert after["arrays"]["W2"] != found["arrays"]["W2"]
    assert float(found["gradients"]["W1"][0][0]) != 0


def test_the_history_is_noted_at_one_two_five_and_so_on() -> None:
    assert list(milestones(0)) == [0]
    assert list(milestones(1)) == [0, 1]
    assert list(milestones(3)) == [0, 1, 2, 3]
    assert list(milestones(100)) == [0, 1, 2, 5, 10, 20, 50, 100]
    assert list(milestones(120)) == [0, 1, 2, 5, 10, 20, 50, 100, 120]


def test_no_steps_leave_everything_as_it_is() -> None:
    derivation = trained("2-2-2")
    after = derivation.train(0)
    assert after["history"] == [[0, after["error"]]]
    assert float(after["error"]) == pytest.approx(float(derivation.to_json()["error"]), rel=1e-15)


def test_the_problem_says_how_many_steps() -> None:
    derivation = trained("2-2-2", steps=3)
    assert derivation.train()["steps"] == 3
    assert derivation.train()["history"][-1][0] == 3


def test_progress_is_told_as_training_goes_on() -> None:
    told: list[tuple[int, int]] = []
    derivation = trained("2-2-2")
    derivation.train(20, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (20, 20)
    assert [done for done, _ in told] == sorted(done for done, _ in told)


def test_training_that_leaves_the_range_of_floats_is_said_so() -> None:
    table = stated((2, 2), ("identity",), "squared_error", seed=1) | {"update": {"learning_rate": 1000}}
    derivation = derive.differentiate(table)
    with pytest.raises(ChainruleError, match=r"left the range of float64 between step \d+ and step \d+"):
        derivation.train(10_000)


@pytest.mark.parametrize("units", [1, 400])
@pytest.mark.parametrize(
    ("activation", "loss", "weights", "targets"),
    [
        ("logistic", "binary_cross_entropy", [1000], [1]),
        ("logistic", "binary_cross_entropy", [1000], [0]),
        ("softmax", "categorical_cross_entropy", [1000, -1000], [0, 1]),
    ],
)
def test_saturated_units_can_be_trained(
    activation: str, loss: str, weights: list[int], targets: list[int], units: int
) -> None:
    """In plain floats and, with many weights of which one input alone is not 0, in NumPy: the error stays finite."""
    derivation = derive.differentiate(
        {
            "examples": [{"inputs": [1] + [0] * (units - 1), "targets": targets}],
            "layers": [{"activation": activation, "weights": [[weight] * units for weight in weights]}],
            "loss": {"name": loss},
            "update": {"learning_rate": 1},
        }
    )
    floats, digits = derivation.train(3), derivation.train(3, digits=17)
    for (_, found), (_, expected) in zip(floats["history"], digits["history"], strict=True):
        assert float(found) == pytest.approx(float(expected), rel=1e-12)


def test_xor_is_learned() -> None:
    after = derive.differentiate("xor").train()
    outputs = [float(row[0]) for row in after["outputs"]]
    assert [round(output) for output in outputs] == [0, 1, 1, 0]
    assert float(after["error"]) < 0.05
    assert after["steps"] == 1000


def test_the_start_is_not_changed() -> None:
    derivation = trained("large")
    start = {name: derivation.floats(name) for name in derivation.program.given}
    kept = {name: value.copy() for name, value in start.items()}
    in_floats(derivation.training, start, 3)
    for name, value in kept.items():
        np.testing.assert_array_equal(start[name], value)


# ---- what is differentiated ------------------------------------------------------------------


def test_any_array_may_be_a_parameter() -> None:
    """∂E/∂z1 is a delta; ∂E/∂x is how the error depends on the inputs."""
    table = stated((2, 3, 2), ("tanh", "logistic"), "half_squared_error", seed=2)
    whole, asked = derive.differentiate(table), derive.differentiate(table | {"parameters": ["z1", "x", "W2"]})
    found = asked.to_json(20)
    assert list(found["gradients"]) == ["z1", "x", "W2"]
    assert found["gradients"]["W2"] == whole.to_json(20)["gradients"]["W2"]
    delta = whole.enclosures.decimal(lambda values: values[whole.gradient.adjoints["z1"]][0, 1], 20)
    assert found["gradients"]["z1"][0][1] == delta
    numbers = {
        asked.graph.symbol(scalar): float(asked.values[scalar.array][scalar.index])
        for name in asked.program.parameters
        for scalar in asked.graph.scalars(name)
    }
    closed = float(asked.gradients["z1"][0, 1].subs(numbers).evalf())
    assert closed == pytest.approx(float(delta), rel=1e-12)


def test_a_parameter_without_effect_has_the_gradient_zero() -> None:
    table = stated((2, 1), ("identity",), "squared_error", seed=2) | {"parameters": ["W1", "x", "t"]}
    unmoved = {"examples": [example | {"inputs": [0, 0]} for example in table["examples"]]}
    found = derive.differentiate(table | unmoved).to_json()
    assert found["gradients"]["W1"] == [["0", "0"]]
    assert float(found["gradients"]["t"][0][0]) != 0


def test_what_is_asked_twice_is_computed_once() -> None:
    derivation = derive.differentiate(symbolic((2, 2, 2), LOGISTICS, "half_squared_error"))
    assert derivation.gradient is derivation.gradient
    assert derivation.steps is derivation.steps
    assert derivation.error is derivation.error


# ---- cases -----------------------------------------------------------------------------------


def cases(formula: str, x: list[str]) -> Derivation:
    """E = Σ f(w x) with w = 1: a weight for each x, so many that NumPy code is printed."""
    size = SMALL + 1
    row = (x * size)[:size]
    equations = f"z = w * x\ny = {formula}\nE = sum(y)"
    return derive.differentiate(
        {"equations": equations, "error": "E", "parameters": ["w"], "values": {"x": row, "w": ["1"] * size}}
    )


@pytest.mark.parametrize(
    ("formula", "x"),
    [
        ("elu(z)", ["1000", "-1000", "0.5", "-1e-9"]),
        ("selu(z)", ["1000", "-1000", "0.5", "-1e-9"]),
        ("where(z > 0, log(z), z)", ["2", "-1", "0"]),
        ("where(z != 0, 1 / z, 0)", ["2", "0", "-4"]),
        ("where(z < 700, exp(z) - 1, z)", ["1e-12", "1000", "-3"]),
        ("(1 + erf(z)) / 2", ["-5", "1e-9", "3"]),
    ],
)
def test_a_case_that_does_not_hold_may_overflow(formula: str, x: list[str]) -> None:
    derivation = cases(formula, x)
    expected = exact(derivation)
    for backend in ("fast", "sympy"):
        same(derivation.lambdify(backend)(), expected)


@pytest.mark.parametrize(("formula", "x"), [("where(z > -1, log(z), z)", ["2", "0"]), ("elu(z) + exp(z)", ["1000"])])
def test_a_case_that_holds_may_not(formula: str, x: list[str]) -> None:
    for backend in ("fast", "sympy"):
        with pytest.raises(ChainruleError, match="not finite"):
            cases(formula, x).lambdify(backend)()
