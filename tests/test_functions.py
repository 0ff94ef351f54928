"""The rows of activations and losses: each stated form is proved, each derivative is in a table, each kink is said."""

from __future__ import annotations

import dataclasses
import math

import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st
from proof import is_zero
from sympy import Abs, Expr, Integer, Piecewise, Rational, exp, log, tanh

import derive
from derive.evaluate.code import FLOAT, source
from derive.functions import (
    ACTIVATIONS,
    LOSSES,
    Activation,
    a,
    call,
    derivative,
    expand,
    function,
    slope,
    z,
)

ELEMENTWISE = [name for name, row in ACTIVATIONS.items() if not row.over_axis]
POINTS = [Rational(point) for point in ("-7/2", "-1", "-1/10", "1/3", "2", "31/4")]

# f | f′ as a table of derivatives has it, in z and the output a
TABLE = {
    "logistic": (1 / (1 + exp(-z)), a * (1 - a)),
    "tanh": (tanh(z), 1 - a**2),
    "relu": (Piecewise((z, z > 0), (0, True)), Piecewise((1, z > 0), (0, True))),
    "leaky_relu": (Piecewise((z, z > 0), (slope * z, True)), Piecewise((1, z > 0), (slope, True))),
    "identity": (z, Integer(1)),
    "softplus": (log(1 + exp(z)), function(ACTIVATIONS["logistic"])(z)),
}


def test_the_table_has_every_row() -> None:
    assert set(TABLE) == set(ELEMENTWISE)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_formula_and_derivative_are_the_textbooks(name: str) -> None:
    formula, slope_of = TABLE[name]
    assert ACTIVATIONS[name].formula == formula
    assert derivative(ACTIVATIONS[name]) == slope_of


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
        stated = expand(derivative(row).xreplace({a: call(row, z), slope: row.slope or 0})).subs(z, point)
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
    assert {name for name, row in ACTIVATIONS.items() if row.kink} == {"relu", "leaky_relu"}
    assert {name for name, row in ACTIVATIONS.items() if row.slope is not None} == {"leaky_relu"}


# ---- in floats -------------------------------------------------------------------------------

MATH = {
    "logistic": lambda x: 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x)),
    "tanh": math.tanh,
    "relu": lambda x: max(x, 0.0),
    "leaky_relu": lambda x: x if x > 0 else 0.01 * x,
    "identity": lambda x: x,
    "softplus": lambda x: max(x, 0.0) + math.log1p(math.exp(-abs(x))),
}


@pytest.mark.parametrize("name", ELEMENTWISE)
@given(x=st.floats(-1e6, 1e6))
def test_generated_code_is_accurate_for_every_float(name: str, x: float) -> None:
    text = source(call(ACTIVATIONS[name], z), {z: "x"}, FLOAT)
    names = {"exp": math.exp, "log": math.log, "log1p": math.log1p, "tanh": math.tanh, "abs": abs, "x": x}
    assert eval(text, {"__builtins__": {}} | names) == pytest.approx(MATH[name](x), rel=1e-15, abs=5e-324)  # noqa: S307


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
