"""At the border of a function's domain: what is 0 only because it cancels has a root, what is negative has none."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, localcontext
from typing import Any

import numpy as np
import pytest
from flint import arb, ctx, fmpq

import derive
from derive.derivation import Derivation
from derive.equations import parse
from derive.errors import ChainruleError, ProblemError
from derive.evaluate import unrolled
from derive.evaluate.balls import LAST_BITS, NAMESPACE, UndecidedError
from derive.program import Ref

# σ(w) + σ(−w) is 1 whatever w: its derivative is 0, but no enclosure of it ever excludes other numbers
CANCELS = "E = logistic(w) + logistic(-w) + (v - 1)**2 / 2"


def stated(equations: str, values: Mapping[str, Any], parameters: list[str], **keys: Any) -> Derivation:
    return derive.differentiate({"equations": equations, "values": values, "parameters": parameters, **keys})


def exact(value: str) -> Decimal:
    return Decimal(value)


# the rule and its settings | what becomes of v = 3 with the gradient 2 in the first step, by hand
RULES: dict[str, tuple[dict[str, Any], Any]] = {
    "adam": ({"rule": "adam", "learning_rate": "0.1"}, lambda: 3 - exact("0.1") * 2 / (2 + exact("1e-8"))),
    "adam, ε inside": (
        {"rule": "adam", "learning_rate": "0.1", "epsilon_inside": True, "epsilon": "0.5"},
        lambda: 3 - exact("0.2") / exact("4.5").sqrt(),
    ),
    "adamw": (
        {"rule": "adamw", "learning_rate": "0.1", "weight_decay": "0.5"},
        lambda: 3 - exact("0.15") - exact("0.1") * 2 / (2 + exact("1e-8")),
    ),
    "rmsprop": (
        {"rule": "rmsprop", "learning_rate": "0.1"},
        lambda: 3 - exact("0.2") / (exact("0.4").sqrt() + exact("1e-8")),
    ),
    "rmsprop, centered": (
        {"rule": "rmsprop", "learning_rate": "0.1", "centered": True},
        lambda: 3 - exact("0.2") / (exact("0.36").sqrt() + exact("1e-8")),
    ),
    "adagrad": ({"rule": "adagrad", "learning_rate": "0.1"}, lambda: 3 - exact("0.2") / (2 + exact("1e-10"))),
}


@pytest.mark.parametrize("name", RULES)
def test_a_gradient_that_is_0_by_cancellation_moves_nothing(name: str) -> None:
    update, by_hand = RULES[name]
    found = stated(CANCELS, {"w": "0.7", "v": 3}, ["w", "v"], update=update).to_json(30)
    with localcontext(prec=60):
        after = by_hand()
    still = exact("0.7") * exact("0.95") if name == "adamw" else exact("0.7")
    assert found["gradients"] == {"w": "0", "v": "2"}
    assert exact(found["updated"]["w"]) == still
    with localcontext(prec=30):
        assert exact(found["updated"]["v"]) == +after


def test_training_to_any_number_of_digits_goes_on_over_it() -> None:
    update = {"rule": "adam", "learning_rate": "0.1"}
    derivation = stated(CANCELS, {"w": "0.7", "v": 3}, ["w", "v"], update=update)
    exactly, in_floats = derivation.train(steps=5, digits=20), derivation.train(steps=5)
    assert exactly["arrays"]["w"] == "0.7"
    assert float(exactly["arrays"]["v"]) == pytest.approx(float(in_floats["arrays"]["v"]), rel=1e-14)


def test_without_epsilon_it_is_nought_by_nought() -> None:
    update = {"rule": "adagrad", "learning_rate": "0.1", "epsilon": 0}
    with pytest.raises(ProblemError, match="is not finite at these numbers"):
        stated(CANCELS, {"w": "0.7", "v": 3}, ["w", "v"], update=update).to_json()


# z = σ(w) + σ(−w) − 1 is 0 by cancellation | the error, to 12 digits; None where it has no real value
AT_THE_BORDER: dict[str, str | None] = {
    "sqrt(z) + 1": "1",
    "z**0.5 + 1": "1",
    "z**1.5 + 1": "1",
    "z**5 + z**6 + 1": "1",
    "z**x + 1": "1",
    "sqrt(z + 1e-80)": "1e-40",
    "sqrt(z - 1e-80) + 1": None,
    "(z - 1e-80)**1.5 + 1": None,
    "(z - 1e-80)**5 * 1e400": "-1",
    "(z - 1e-80)**-1 * 1e-80": "-1",
    "z**-1": None,
    "z**-0.5": None,
    "log(z)": None,
    "log(z + 1e-80) / log(10)": "-80",
    "where(z == 0, 2, 3)": "2",
    "where(z != 0, 2, 3)": "3",
    "where(z == 1e-80, 2, 3)": "3",
    "where(z >= 0, 2, 3)": "2",
    "where(z > 0, 2, 3)": "3",
}


@pytest.mark.parametrize("error", AT_THE_BORDER)
def test_what_a_function_makes_of_a_nought_that_is_not_seen(error: str) -> None:
    text = error.replace("1e400", "(1e200 * 1e200)")
    derivation = stated(
        f"z = logistic(w) + logistic(-w) - 1\nE = {text} + 0 * v", {"w": "0.7", "x": "0.3", "v": 1}, ["v"]
    )
    if AT_THE_BORDER[error] is None:
        with pytest.raises(ProblemError, match="is not finite at these numbers"):
            derivation.to_json(12)
    else:
        assert derivation.to_json(12)["error"] == AT_THE_BORDER[error]


@pytest.mark.parametrize("bits", [128, LAST_BITS])
@pytest.mark.parametrize("middle", ["0", "1e-20", "-1e-20"])
@pytest.mark.parametrize("exponent", [fmpq(1, 2), fmpq(3, 2), fmpq(1, 3)])
def test_an_enclosure_encloses_the_root_of_all_in_it_that_has_one(bits: int, middle: str, exponent: fmpq) -> None:
    with ctx.workprec(bits):
        ball = arb(middle, "1e-10")
        try:
            root = NAMESPACE["sqrt"](ball) if exponent == fmpq(1, 2) else NAMESPACE["power"](ball, exponent)
        except UndecidedError:
            assert bits < LAST_BITS
            return
        assert bits == LAST_BITS
        assert all(root.contains(arb(inside) ** arb(exponent)) for inside in ("0", "1e-30", "1e-11", "9.9e-11"))


@pytest.mark.parametrize("exponent", range(2, 9))
def test_a_whole_power_of_a_ball_around_0(exponent: int) -> None:
    power = NAMESPACE["power"](arb(0, "0.5"), exponent)
    assert all(power.contains(arb(inside) ** exponent) for inside in ("-0.5", "-0.25", "0", "0.125", "0.5"))
    assert abs(power.upper()) < 0.51**exponent


@pytest.mark.parametrize("count", [1, 400])
@pytest.mark.parametrize("backend", ["fast", "sympy"])
@pytest.mark.parametrize("error", ["sum(x**y)", "sum(x**0.4)", "sum(x**2.5)", "sum(sqrt(x))", "sum(log(x))"])
def test_floats_make_nothing_complex(count: int, backend: str, error: str) -> None:
    derivation = stated(f"E = {error} + 0 * y", {"x": [-2] * count, "y": "0.5"}, ["x"])
    with pytest.raises(ChainruleError, match="not finite at these numbers"):
        derivation.lambdify(backend)()


@pytest.mark.parametrize(
    ("error", "gradient"),
    [
        ("max(x)", [0, 1, 0, 0]),
        ("sum(max(reshape(x, (2, 2)), axis=1))", [0, 1, 1, 0]),
        ("sum(stop_gradient(x) * x)", [1.5, 2, 2, 0.5]),
        ("sum(max_pool2d(reshape(x, (1, 2, 2)), 2)**2)", [0, 4, 0, 0]),
        ("sum(x**y)", [3 * each**2 for each in (1.5, 2, 2, 0.5)]),
        ("max(x**2) * stop_gradient(max(x))", [0, 8, 0, 0]),
    ],
)
@pytest.mark.parametrize("backend", ["fast", "sympy"])
def test_both_backends_choose_the_first_largest_and_stop_gradients(
    error: str, gradient: list[float], backend: str
) -> None:
    derivation = stated(f"E = {error} + 0 * y", {"x": ["1.5", 2, 2, "0.5"], "y": 3}, ["x"])
    np.testing.assert_allclose(derivation.lambdify(backend)()[1]["x"], gradient, rtol=1e-14)
    assert [float(each) for each in derivation.to_json()["gradients"]["x"]] == pytest.approx(gradient, rel=1e-15)


@pytest.mark.parametrize("size", [25, 250])  # a line for every number, and NumPy where there are too many
def test_sums_of_many_terms(size: int) -> None:
    """Σ (a bᵀ)² = (Σ a²)(Σ b²): its derivative by a is 2 a Σ b²."""
    a, b = [f"{k}e-2" for k in range(size)], [f"{k * k}e-4" for k in range(size)]
    derivation = stated("y = outer(a, b)\nE = sum(y * y) + max(y) + 0 * log(sum(exp(y)))", {"a": a, "b": b}, ["a"])
    wanted = 2 * np.array(a, float) * (np.array(b, float) ** 2).sum()
    wanted[-1] += float(b[-1])
    np.testing.assert_allclose(derivation.lambdify()()[1]["a"], wanted, rtol=1e-13)
    update = {"learning_rate": "1e-6"}
    trained = stated("E = sum(outer(a, b)**2)", {"a": a, "b": b}, ["a"], update=update).train(steps=1)
    after = np.array(a, float) * (1 - 2e-6 * (np.array(b, float) ** 2).sum())
    np.testing.assert_allclose(np.array(trained["arrays"]["a"], float), after, rtol=1e-13)


def test_a_sum_of_thousands_of_terms_in_plain_floats() -> None:
    """A term more is no level deeper for Python's compiler."""
    count = 20_000
    add = unrolled.function(parse("E = sum(x * x)", {"x": Ref("x", (count,))}), [("x", (count,))], [("E", ())])
    assert add(*[0.5] * count) == (count / 4,)
