"""Every activation with every loss: right against high-precision differences, finite where the mathematics is."""

from __future__ import annotations

from typing import Any

import pytest
import sympy
from by_hand import central_differences, error, exact_values, relative
from mpmath import mp, mpf
from networks import ACTIVATIONS, LOSSES, flat, stated
from sympy import Rational
from test_losses import NEW as LATER_LOSSES

import derive
from derive.derivation import Derivation
from derive.errors import ChainruleError
from derive.functions import ACTIVATIONS as ACTIVATION_ROWS
from derive.functions import LOSSES as LOSS_ROWS
from derive.problem import load

BACKENDS = ("fast", "sympy")
PAIRS = [(activation, loss) for activation in ACTIVATIONS for loss in LOSSES]


@pytest.fixture(autouse=True)
def sixty_digits() -> Any:
    with mp.workdps(60):
        yield


def test_the_tables_here_name_every_row_there_is() -> None:
    logarithms = {"log_softmax"}  # outputs below 0, for nll alone: see test_log_softmax.py
    assert {*ACTIVATIONS, *logarithms} == set(ACTIVATION_ROWS)
    assert {*LOSSES, *LATER_LOSSES} == set(LOSS_ROWS)


def pair(activation: str, loss: str, widths: tuple[int, ...], examples: int = 1) -> Derivation:
    activations = [*["tanh"] * (len(widths) - 3), *[activation] * min(2, len(widths) - 1)]
    return derive.differentiate(load(stated(widths, activations, loss, seed=1, examples=examples)))


@pytest.mark.parametrize(("activation", "loss"), PAIRS)
def test_against_central_differences(activation: str, loss: str) -> None:
    """2-3-2, two examples, the activation in both layers: (E(w + h) − E(w − h)) / 2h with h = 1e-20 in 60 digits."""
    derivation = pair(activation, loss, (2, 3, 2), examples=2)
    found = derivation.to_json(40)
    assert relative(found["error"], error(derivation.problem, exact_values(derivation.problem))) < mpf("1e-38")
    gradients = dict(flat(found["gradients"]))
    differences = dict(central_differences(derivation.problem))
    assert set(gradients) == set(differences)
    for place, difference in differences.items():
        assert abs(mpf(gradients[place]) - difference) <= mpf("1e-32") * (1 + abs(difference)), place


@pytest.mark.parametrize(("activation", "loss"), PAIRS)
def test_against_the_flat_derivative(activation: str, loss: str) -> None:
    """2-2-2: plain `sympy.diff` of the closed-form error, in exact numbers to 30 digits."""
    derivation = pair(activation, loss, (2, 2, 2))
    found = derivation.to_json(30)
    exact = {
        derivation.graph.symbol(scalar): Rational(leaf)
        for name in derivation.program.parameters
        for scalar, (_, leaf) in zip(derivation.graph.scalars(name), flat(found["arrays"][name], name), strict=True)
    }
    gradients = dict(flat(found["gradients"]))
    for name, place in (("W1[0, 1]", "W1[0][1]"), ("W2[1, 0]", "W2[1][0]"), ("b1[0]", "b1[0]")):
        value = sympy.N(derivation.flat_derivative(name).xreplace(exact), 40)
        assert relative(gradients[place], mpf(str(value))) < mpf("1e-29"), name


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("loss", LOSSES)
def test_floats_agree_with_the_digits(activation: str, loss: str) -> None:
    derivation = pair(activation, loss, (2, 3, 2), examples=2)
    exact = dict(flat(derivation.to_json(17)["gradients"]))
    for backend in BACKENDS:
        value, gradients = derivation.lambdify(backend)()
        assert value == pytest.approx(float(derivation.to_json(17)["error"]), rel=1e-13)
        found = dict(flat({name: array.tolist() for name, array in gradients.items()}))
        assert found == pytest.approx({place: float(text) for place, text in exact.items()}, rel=1e-12, abs=1e-15)


# ---- where a logarithm has nothing to take ---------------------------------------------------


def single(activation: str, loss: str, z: list[str], t: list[str]) -> Derivation:
    """One layer whose net inputs are the numbers ``z``: one input of 1, a weight a unit."""
    return derive.differentiate(
        {
            "examples": [{"inputs": [1], "targets": t}],
            "layers": [{"activation": activation, "weights": [[each] for each in z]}],
            "loss": {"name": loss},
        }
    )


@pytest.mark.parametrize(
    ("activation", "loss", "z", "t"),
    [
        ("identity", "binary_cross_entropy", ["-0.5"], ["1"]),
        ("identity", "binary_cross_entropy", ["1.5"], ["1"]),
        ("identity", "binary_cross_entropy", ["0"], ["0.5"]),
        ("tanh", "binary_cross_entropy", ["-0.1"], ["0"]),
        ("relu", "categorical_cross_entropy", ["-1", "2"], ["0.5", "0.5"]),
        ("leaky_relu", "categorical_cross_entropy", ["-1", "2"], ["0.5", "0.5"]),
        ("softplus", "binary_cross_entropy", ["3"], ["0"]),
    ],
)
def test_an_error_that_is_not_finite_is_said_so(activation: str, loss: str, z: list[str], t: list[str]) -> None:
    derivation = single(activation, loss, z, t)
    with pytest.raises(ChainruleError, match=r"e is not finite|E is not finite"):
        derivation.to_json()
    for backend in BACKENDS:
        with pytest.raises(ChainruleError, match="not finite"):
            derivation.lambdify(backend)()


# ---- saturated units -------------------------------------------------------------------------

LARGE = ("10000", "-10000", "9999.5", "745.2", "-745.2", "710", "-710", "40", "-40", "0", "0.001")
TARGETS = ("0", "1", "0.3")


def close(found: float, expected: mpf) -> bool:
    """Equal to 1e-12; where the true number is below float64's smallest normal one, equally small."""
    return abs(mpf(found) - expected) <= max(mpf("1e-12") * abs(expected), mpf("2.3e-308"))


@pytest.mark.parametrize("z", LARGE)
@pytest.mark.parametrize("t", TARGETS)
def test_logistic_with_binary_cross_entropy_when_saturated(z: str, t: str) -> None:
    """E = softplus(z) − t z and ∂E/∂z = σ(z) − t, to every digit and in float64."""
    derivation = single("logistic", "binary_cross_entropy", [z], [t])
    with mp.workdps(9000):
        expected_error = mp.log(1 + mp.exp(mpf(z))) - mpf(t) * mpf(z)
        expected = 1 / (1 + mp.exp(-mpf(z))) - mpf(t)
        found = derivation.to_json(30)
        assert relative_or_zero(found["error"], expected_error) < mpf("1e-29")
        assert relative_or_zero(found["gradients"]["W1"][0][0], expected) < mpf("1e-29")
        for backend in BACKENDS:
            value, gradients = derivation.lambdify(backend)()
            assert close(value, expected_error)
            assert close(gradients["W1"][0, 0], expected)


def relative_or_zero(text: str, expected: mpf) -> mpf:
    return abs(mpf(text) - expected) / abs(expected) if expected else abs(mpf(text))


@pytest.mark.parametrize("z", [("10000", "0", "-10000"), ("-10000", "-9999", "10000"), ("9999", "10000", "10000")])
@pytest.mark.parametrize("t", [("1", "0", "0"), ("0", "0", "1"), ("0.2", "0.3", "0.5")])
def test_softmax_with_cross_entropy_when_saturated(z: tuple[str, ...], t: tuple[str, ...]) -> None:
    """E = Σ t (ln Σe^z − z) and ∂E/∂z = a Σt − t."""
    derivation = single("softmax", "categorical_cross_entropy", list(z), list(t))
    with mp.workdps(18_000):
        scores, targets = [mpf(each) for each in z], [mpf(each) for each in t]
        powers = [mp.exp(score) for score in scores]
        total = mp.fsum(powers)
        expected_error = mp.fsum(tk * (mp.log(total) - zk) for zk, tk in zip(scores, targets, strict=True))
        expected = [power / total * mp.fsum(targets) - tk for power, tk in zip(powers, targets, strict=True)]
        found = derivation.to_json(30)
        assert relative_or_zero(found["error"], expected_error) < mpf("1e-29")
        for text, true in zip(found["gradients"]["W1"], expected, strict=True):
            assert relative_or_zero(text[0], true) < mpf("1e-29")
        for backend in BACKENDS:
            value, gradients = derivation.lambdify(backend)()
            assert close(value, expected_error)
            assert all(close(row[0], true) for row, true in zip(gradients["W1"], expected, strict=True))


@pytest.mark.parametrize("activation", ["logistic", "tanh", "softplus", "relu", "leaky_relu", "identity"])
@pytest.mark.parametrize("z", ["10000", "-10000", "1000", "-1000"])
def test_every_activation_is_finite_far_out(activation: str, z: str) -> None:
    derivation = single(activation, "half_squared_error", [z], ["0.5"])
    exact = derivation.to_json(17)
    for backend in BACKENDS:
        value, gradients = derivation.lambdify(backend)()
        assert close(value, mpf(exact["error"]))
        assert close(gradients["W1"][0, 0], mpf(exact["gradients"]["W1"][0][0]))


def test_a_derivative_far_out_has_its_true_digits() -> None:
    """a(1 − a) at z = 10⁴ is 0 at two hundred digits, and truly 1.135e-4343."""
    derivation = single("logistic", "half_squared_error", ["10000"], ["0.5"])
    with mp.workdps(5000):
        power = mp.exp(mpf(-10_000))
        true = (1 / (1 + power) - mpf("0.5")) * power / (1 + power) ** 2
        found = derivation.to_json(8)["gradients"]["W1"][0][0]
        assert found == "5.6774193e-4344"
        assert relative(found, true) < mpf("1e-7")
