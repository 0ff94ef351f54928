"""The rows of activations and losses: each stated form is proved, each derivative is in a table, each kink is said."""

from __future__ import annotations

import dataclasses
import math

import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st
from mpmath import mp, mpf
from proof import is_zero
from sympy import Abs, Expr, Integer, Or, Piecewise, Rational, erf, exp, log, pi, sqrt, tanh

import derive
from derive.evaluate.code import FLOAT, source
from derive.functions import (
    ACTIVATIONS,
    LOSSES,
    Activation,
    a,
    alpha,
    call,
    derivative,
    expand,
    function,
    slope,
    z,
)

ELEMENTWISE = [name for name, row in ACTIVATIONS.items() if not row.over_axis]
POINTS = [Rational(point) for point in ("-7/2", "-1", "-1/10", "1/3", "2", "31/4")]

SIGMA = function(ACTIVATIONS["logistic"])(z)
SELU_ALPHA = Rational("1.6732632423543772848170429916717")  # α₀₁ and λ₀₁ of Klambauer et al. (2017)
SELU_LAMBDA = Rational("1.0507009873554804934193349852946")

# f | f′ as a table of derivatives has it, in z and the output a
TABLE = {
    "logistic": (1 / (1 + exp(-z)), a * (1 - a)),
    "tanh": (tanh(z), 1 - a**2),
    "relu": (Piecewise((z, z > 0), (0, True)), Piecewise((1, z > 0), (0, True))),
    "leaky_relu": (Piecewise((z, z > 0), (slope * z, True)), Piecewise((1, z > 0), (slope, True))),
    "identity": (z, Integer(1)),
    "softplus": (log(1 + exp(z)), SIGMA),
    "elu": (Piecewise((z, z > 0), (alpha * (exp(z) - 1), True)), Piecewise((1, z > 0), (alpha * exp(z), True))),
    "selu": (
        SELU_LAMBDA * Piecewise((z, z > 0), (SELU_ALPHA * (exp(z) - 1), True)),
        SELU_LAMBDA * Piecewise((1, z > 0), (SELU_ALPHA * exp(z), True)),
    ),
    "gelu": (z * (1 + erf(z / sqrt(2))) / 2, (1 + erf(z / sqrt(2))) / 2 + z * exp(-(z**2) / 2) / sqrt(2 * pi)),
    "silu": (z * SIGMA, SIGMA + z * SIGMA * (1 - SIGMA)),
    "hard_sigmoid": (
        Piecewise((0, z <= -3), (1, z >= 3), ((z + 3) / 6, True)),
        Piecewise((0, Or(z <= -3, z >= 3)), (Rational(1, 6), True)),
    ),
}


def test_the_table_has_every_row() -> None:
    assert set(TABLE) == set(ELEMENTWISE)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_formula_and_derivative_are_the_textbooks(name: str) -> None:
    formula, slope_of = TABLE[name]
    assert ACTIVATIONS[name].formula == sympy.piecewise_fold(formula)
    assert derivative(ACTIVATIONS[name]) == sympy.piecewise_fold(slope_of)


@pytest.mark.parametrize("name", [name for name in ELEMENTWISE if ACTIVATIONS[name].output_form is not None])
def test_every_output_form_is_proved(name: str) -> None:
    """The form in the output a, with a written out, is SymPy's derivative of the formula: for every z, exactly."""
    row = ACTIVATIONS[name]
    assert row.formula is not None
    assert row.output_form is not None
    in_z = expand(row.output_form.xreplace({a: row.formula}))
    assert is_zero((sympy.diff(row.formula, z) - in_z).rewrite(exp))


@pytest.mark.parametrize(
    ("name", "wrong"),
    [("logistic", a * (1 + a)), ("logistic", a), ("tanh", 1 + a**2), ("tanh", 1 - a), ("softplus", a)],
)
def test_a_wrong_output_form_is_refused(name: str, wrong: Expr) -> None:
    row = dataclasses.replace(ACTIVATIONS[name], output_form=wrong)
    with pytest.raises(ArithmeticError, match="is not the derivative"):
        derivative(row)


@pytest.mark.parametrize("name", [name for name in ELEMENTWISE if ACTIVATIONS[name].float_form is not None])
def test_every_float_form_is_the_same_function(name: str) -> None:
    """Proved for z > 0 and for z < 0, in which |z| is z and −z; at 0 the numbers are compared."""
    row = ACTIVATIONS[name]
    assert row.float_form is not None
    positive = sympy.Symbol("p", positive=True)
    for argument in (positive, -positive):
        difference = (row.float_form - row.formula).xreplace({z: argument})
        difference = difference.doit().replace(sympy.Max, lambda x, zero: x if x.is_positive else zero)
        difference = difference.rewrite(erf)  # erfc u is 1 − erf u
        assert sympy.simplify(sympy.expand_log(sympy.factor(difference), force=True)) == 0
    assert sympy.simplify((row.float_form - row.formula).subs(z, 0)) == 0


@pytest.mark.parametrize("name", [name for name in ELEMENTWISE if ACTIVATIONS[name].logarithms is not None])
def test_every_rewritten_logarithm_is_the_same(name: str) -> None:
    row = ACTIVATIONS[name]
    assert row.logarithms is not None
    for rewritten, meant in zip(row.logarithms(z), (row.formula, 1 - row.formula), strict=True):
        assert is_zero(sympy.diff(expand(rewritten) - log(meant), z))  # so they differ by a constant …
        assert sympy.simplify((expand(rewritten) - log(meant)).subs(z, 0)) == 0  # … and agree at 0


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_the_derivative_is_the_limit_of_differences(name: str) -> None:
    row = ACTIVATIONS[name]
    h = Rational(1, 10**20)
    for point in POINTS:
        value = expand(call(row, z))
        quotient = (value.subs(z, point + h) - value.subs(z, point - h)) / (2 * h)
        constant = {} if row.constant is None else {row.constant: row.default}
        stated = expand(derivative(row).xreplace({a: call(row, z), **constant})).subs(z, point)
        assert abs(sympy.N(quotient - stated, 40)) < Rational(1, 10**30), point


# ---- kinks -----------------------------------------------------------------------------------


def at_zero(activation: str, **layer: object) -> dict[str, object]:
    """One unit with the net input 0 and the error a: the gradient by its bias is f′(0) · ∂E/∂a."""
    return {
        "examples": [{"inputs": [1], "targets": ["-0.5"]}],
        "layers": [{"activation": activation, "weights": [[2]], "bias": [-2], **layer}],
        "loss": {"name": "half_squared_error"},
    }


@pytest.mark.parametrize(
    ("activation", "layer", "slope_at_zero"),
    [
        ("relu", {}, "0"),
        ("leaky_relu", {}, "0.01"),
        ("leaky_relu", {"slope": "0.2"}, "0.2"),
        ("logistic", {}, "0.25"),
        ("tanh", {}, "1"),
        ("identity", {}, "1"),
        ("softplus", {}, "0.5"),
        ("elu", {}, "1"),
        ("selu", {}, "1.7580993408473768599402175208123"),
        ("gelu", {}, "0.5"),
        ("silu", {}, "0.5"),
        ("hard_sigmoid", {}, "0.16666666666666666667"),
        ("hard_sigmoid", {"bias": [-5]}, "0"),  # its own kinks are at −3 …
        ("hard_sigmoid", {"bias": [1]}, "0"),  # … and at 3
    ],
)
def test_the_slope_at_zero(activation: str, layer: dict[str, object], slope_at_zero: str) -> None:
    derivation = derive.differentiate(at_zero(activation, **layer))
    output = float(derivation.values["a1"][0, 0])
    expected = (output + 0.5) * float(slope_at_zero)
    assert float(derivation.to_json()["gradients"]["b1"][0]) == pytest.approx(expected, rel=1e-15)
    for backend in ("fast", "sympy"):
        assert derivation.lambdify(backend)()[1]["b1"][0] == pytest.approx(expected, rel=1e-15)


def test_kinks_are_marked() -> None:
    assert {name for name, row in ACTIVATIONS.items() if row.kink} == {
        "relu",
        "leaky_relu",
        "elu",  # but for α = 1
        "selu",
        "hard_sigmoid",
    }


def test_the_constants_and_their_defaults() -> None:
    stated = {name: (row.constant, row.default) for name, row in ACTIVATIONS.items() if row.constant is not None}
    assert stated == {"leaky_relu": (slope, Rational(1, 100)), "elu": (alpha, 1)}
    assert all((row.constant is None) == (row.default is None) for row in ACTIVATIONS.values())
    for name, (constant, _) in stated.items():
        given = call(ACTIVATIONS[name], z, constant=Rational(1, 5))
        assert expand(given) == TABLE[name][0].xreplace({constant: Rational(1, 5)})
        assert expand(given.diff(z)) == TABLE[name][1].xreplace({constant: Rational(1, 5)})


# ---- in floats -------------------------------------------------------------------------------

MATH = {
    "logistic": lambda x: 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x)),
    "tanh": math.tanh,
    "relu": lambda x: max(x, 0.0),
    "leaky_relu": lambda x: x if x > 0 else 0.01 * x,
    "identity": lambda x: x,
    "softplus": lambda x: max(x, 0.0) + math.log1p(math.exp(-abs(x))),
    "elu": lambda x: x if x > 0 else math.expm1(x),
    "selu": lambda x: float(SELU_LAMBDA) * (x if x > 0 else float(SELU_ALPHA) * math.expm1(x)),
    "gelu": lambda x: float(mpf(x) * mp.erfc(-mpf(x) / mp.sqrt(2)) / 2),
    "silu": lambda x: x * MATH["logistic"](x),
    "hard_sigmoid": lambda x: min(1.0, max(0.0, (x + 3) / 6)),
}
NAMES = ("exp", "expm1", "log", "log1p", "tanh", "sqrt", "erf", "erfc", "pi")
SLOPES = {
    "logistic": lambda x: mp.exp(-x) / (1 + mp.exp(-x)) ** 2,
    "tanh": lambda x: mp.sech(x) ** 2,
    "relu": lambda x: mpf(x > 0),
    "leaky_relu": lambda x: mpf(1) if x > 0 else mpf(1) / 100,
    "identity": lambda x: mpf(1),
    "softplus": lambda x: 1 / (1 + mp.exp(-x)),
    "elu": lambda x: mp.exp(min(x, mpf(0))),
    "selu": lambda x: mpf(str(SELU_LAMBDA.n(32))) * (1 if x > 0 else mpf(str(SELU_ALPHA.n(32))) * mp.exp(x)),
    "gelu": lambda x: mp.ncdf(x) + x * mp.npdf(x),
    "silu": lambda x: (1 + x * mp.exp(-x) / (1 + mp.exp(-x))) / (1 + mp.exp(-x)),
    "hard_sigmoid": lambda x: mpf(abs(x) < 3) / 6,
}


def run(expression: Expr, x: float) -> float:
    """The value that the generated code gives."""
    names = {name: getattr(math, name) for name in NAMES} | {"abs": abs, "x": x}
    return eval(source(expression, {z: "x"}, FLOAT), {"__builtins__": {}} | names)  # noqa: S307 - our own source


@pytest.mark.parametrize("name", ELEMENTWISE)
@given(x=st.floats(-1e6, 1e6) | st.floats(-40, 4) | st.floats(-3.001, -2.999))
def test_generated_code_is_accurate_for_every_float(name: str, x: float) -> None:
    # erfc(u) multiplies the half unit by which u = x/√2 is rounded by about 2u², and x the smallest float there is
    rel, smallest = (1e-15 * (1 + x * x), 1e-322) if name == "gelu" and -40 < x < 0 else (1e-15, 5e-324)
    assert run(call(ACTIVATIONS[name], z), x) == pytest.approx(MATH[name](x), rel=rel, abs=smallest)


@pytest.mark.parametrize("name", ELEMENTWISE)
@given(x=st.floats(-1e3, 1e3) | st.floats(-40, 40) | st.floats(-1e-6, 1e-6))
def test_generated_derivatives_are_accurate_for_every_float(name: str, x: float) -> None:
    """To 1e-15 of the largest slope there is, about 1: a derivative multiplies what comes back to it, and is added.

    silu′ has z(1 − σ), in which the last digit of σ counts z times before it vanishes at z = 37.
    """
    row = ACTIVATIONS[name]
    with mp.workdps(60):
        expected = float(SLOPES[name](mpf(x)))
    assert run(call(row, z).diff(z), x) == pytest.approx(expected, rel=2e-15, abs=5e-15 if name == "silu" else 1e-15)


# ---- losses ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("half_squared_error", 0.5 * (0.3**2 + 0.2**2)),
        ("squared_error", 0.3**2 + 0.2**2),
        ("mean_squared_error", (0.3**2 + 0.2**2) / 2),
        ("binary_cross_entropy", -(0.5 * math.log(0.2) + 0.5 * math.log(0.8) + math.log(0.8)) / 2),
        ("categorical_cross_entropy", -(0.5 * math.log(0.2) + 1.0 * math.log(0.8))),
    ],
)
@pytest.mark.parametrize(("over", "share"), [("sum", 1.0), ("mean", 0.5)])
def test_the_errors_by_hand(name: str, error: float, over: str, share: float) -> None:
    """Outputs 0.2 and 0.8, targets 0.5 and 1, the same example twice."""
    derivation = derive.differentiate(
        {
            "examples": [{"inputs": [1], "targets": ["0.5", "1"]}] * 2,
            "layers": [{"weights": [["0.2"], ["0.8"]]}],
            "loss": {"name": name, "over_examples": over},
        }
    )
    assert float(derivation.to_json()["error"]) == pytest.approx(2 * share * error, rel=1e-15)


def test_rows_are_data() -> None:
    for name, row in ACTIVATIONS.items():
        assert isinstance(row, Activation)
        assert row.name == name
        assert row.summary
        assert (row.formula is None) == row.over_axis
    assert all(row.name == name and row.summary for name, row in LOSSES.items())
    assert not any(row.formula.has(Abs, sympy.Max) for row in ACTIVATIONS.values() if row.formula is not None)
