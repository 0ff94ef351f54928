"""Any program over the whole function table: every evaluator against PyTorch's automatic differentiation in float64."""

from __future__ import annotations

import inspect
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

import derive
from derive.evaluate import vectorised
from derive.language import FUNCTIONS
from derive.reverse import gradient_program

pytest.importorskip("torch", reason="PyTorch is not installed: pip install '.[torch]' (the CPU build is enough)")

import any_program
from any_program import BINARY, UNARY, AnyProgram, programs

TOLERANCE = 1e-11


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(program=programs())
def test_every_evaluator_agrees_with_pytorch(program: AnyProgram) -> None:
    parameters = list(program.values)
    derivation = derive.differentiate(
        {"equations": program.equations, "values": program.values, "parameters": parameters}
    )
    gradient = gradient_program(derivation.program)
    outputs = [gradient.adjoints[name] for name in parameters]
    code = vectorised.function((*derivation.program.equations, *gradient.equations), derivation.program.given, outputs)
    by_numpy = code(*(derivation.floats(name) for name in derivation.program.given))
    error, by_floats = derivation.lambdify()()
    assert error == pytest.approx(program.error, rel=TOLERANCE, abs=TOLERANCE * program.scale)
    for name, array in zip(parameters, by_numpy, strict=True):
        exact = derivation.floats(gradient.adjoints[name])
        for found in (exact, by_floats[name], array):
            _near(found, program.gradients[name], program, name)


def _near(found: Any, wanted: np.ndarray, program: AnyProgram, name: str) -> None:
    assert np.shape(found) == wanted.shape, (program.equations, name)
    assert np.abs(found - wanted).max() <= TOLERANCE * program.scale**2, (program.equations, name)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(program=programs(most=3))
def test_sympy_lambdify_and_the_chain_rule_by_element_agree_with_pytorch(program: AnyProgram) -> None:
    parameters = ["y", "s", "W"]
    derivation = derive.differentiate(
        {"equations": program.equations, "values": program.values, "parameters": parameters}
    )
    _, by_sympy = derivation.lambdify("sympy")()
    for name in parameters:
        _near(by_sympy[name], program.gradients[name], program, name)
        for scalar in derivation.graph.scalars(name):
            value = _by_element(derivation, scalar)
            assert abs(value - program.gradients[name][scalar.index]) <= TOLERANCE * program.scale**2


def _by_element(derivation: derive.Derivation, scalar: Any) -> float:
    """∂E/∂scalar by the chain rule's steps, each factor a float."""
    from derive.quantities import reader

    values = derivation.enclosures.at(128)
    found: dict[Any, float] = {}

    def gradient(of: Any) -> float:
        if of.array == derivation.program.error:
            return 1.0
        if of not in found:
            steps = derivation.gradient_steps.get(of)
            total = 0.0
            for term in steps.terms if steps is not None else ():
                product = 1.0
                for factor in term.factors:
                    product *= gradient(factor.by) if factor.local is None else local(factor.local)
                total += product
            found[of] = total
        return found[of]

    def local(expression: Any) -> float:
        value = reader(derivation, expression)(values)
        return float(value.p) / float(value.q) if hasattr(value, "p") else float(value.mid())

    return gradient(scalar)


def test_the_programs_reach_every_function_of_the_language() -> None:
    text = " ".join([*UNARY, *BINARY, inspect.getsource(any_program)])
    missing = {name for name in FUNCTIONS if not re.search(rf"\b{name}\b", text)}
    assert not missing
