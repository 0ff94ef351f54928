"""Closed forms: in the independent parameters alone, and what they are differentiated to by hand with sympy.diff."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sympy
from sympy import Expr, Symbol, tanh

import derive
from derive.derivation import Derivation

w, u = Symbol("w", real=True), Symbol("u", real=True)
SKIPPING = "z = w * x\na = tanh(z)\ny = u * a + z**2 + w\nE = (t - y)**2 / 2"  # w and z reach E on several ways
NUMBERS = {"x": 2, "t": 1}


def z_of(w: Expr) -> Expr:
    return 2 * w


def error_of(w: Expr, u: Expr, z: Expr | None = None, a: Expr | None = None) -> Expr:
    """The error as a function of whatever is asked for: what is not given follows from the rest."""
    z = z_of(w) if z is None else z
    a = tanh(z) if a is None else a
    return (1 - (u * a + z**2 + w)) ** 2 / 2


def derivation(*parameters: str) -> Derivation:
    values = {name: value for name, value in (*NUMBERS.items(), ("w", "0.3"), ("u", "0.7")) if name not in parameters}
    shapes: dict[str, list[int]] = {name: [] for name in ("w", "u") if name in parameters}
    return derive.differentiate(
        {"equations": SKIPPING, "values": values, "shapes": shapes, "parameters": list(parameters)}
    )


def own(d: Derivation, expression: Expr) -> Expr:
    """An expression of a derivation's in the symbols of this file."""
    return expression.xreplace({symbol: Symbol(symbol.name, real=True) for symbol in expression.free_symbols})


Z, A = Symbol("z", real=True), Symbol("a", real=True)
BY_HAND: dict[str, Callable[[], Expr]] = {
    "w": lambda: sympy.diff(error_of(w, u), w),
    "u": lambda: sympy.diff(error_of(w, u), u),
    "z": lambda: sympy.diff(error_of(w, u, Z), Z).subs(Z, z_of(w)),
    "a": lambda: sympy.diff(error_of(w, u, None, A), A).subs(A, tanh(z_of(w))),
    "y": lambda: -(1 - (u * tanh(z_of(w)) + z_of(w) ** 2 + w)),
    "E": lambda: sympy.Integer(1),
}


@pytest.mark.parametrize(
    "parameters", [("w", "u"), ("w", "u", "z"), ("z", "u", "w", "a"), ("w", "u", "y", "E", "z", "a")]
)
def test_parameters_that_others_lead_to_are_written_out(parameters: tuple[str, ...]) -> None:
    d = derivation(*parameters)
    assert sympy.simplify(own(d, d.error) - error_of(w, u)) == 0
    for name in parameters:
        for found in (d.gradients[name], d.flat_derivative(name)):
            assert own(d, found).free_symbols <= {w, u}
            assert sympy.simplify(own(d, found) - BY_HAND[name]()) == 0, name


def test_a_parameter_that_no_other_leads_to_stays_a_symbol_although_it_is_computed() -> None:
    d = derivation("a")
    w0, u0, z0 = sympy.Rational(3, 10), sympy.Rational(7, 10), sympy.Rational(6, 10)
    expected = error_of(w0, u0, z0, A)
    assert sympy.simplify(own(d, d.error) - expected) == 0
    for found in (d.gradients["a"], d.flat_derivative("a")):
        assert sympy.simplify(own(d, found) - sympy.diff(expected, A)) == 0


def test_the_layered_form_holds_a_net_input_while_it_differentiates() -> None:
    """∂E/∂z1 of 2-1-1 with logistic units, by hand: E(σ(w5 σ(z) + b)) held at z, then z = w1 i1 + w2 i2."""
    d = derive.differentiate(
        {
            "examples": [{"inputs": [1, 2], "targets": ["0.5"]}],
            "layers": [{"units": 1, "activation": "tanh"}, {"units": 1, "activation": "identity"}],
            "loss": {"name": "half_squared_error"},
            "parameters": ["W1", "z1", "W2"],
        }
    )
    w1, w2, w3 = (d.graph.symbol(d.scalar(name)) for name in ("W1[0, 0]", "W1[0, 1]", "W2[0, 0]"))
    held = Symbol("held", real=True)
    error = (sympy.Rational(1, 2) - w3 * tanh(held)) ** 2 / 2
    by_z = sympy.diff(error, held).subs(held, w1 + 2 * w2)
    expected = {"z1[0, 0]": by_z, "W1[0, 0]": by_z, "W1[0, 1]": 2 * by_z}
    for name, by_hand in expected.items():
        assert sympy.simplify(d.flat_derivative(name) - by_hand) == 0, name
        assert sympy.simplify(d.gradient_of(name) - by_hand) == 0, name
