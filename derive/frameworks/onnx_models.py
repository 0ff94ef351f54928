"""An ONNX model beside a problem: the network of its graph is derived, and its gradients compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from derive.derivation import Derivation, differentiate
from derive.errors import ChainruleError
from derive.evaluate.balls import Array
from derive.files.toml_text import Bare, toml
from derive.frameworks.layouts import FLOAT32, Numbers, State, own_digits, paired
from derive.frameworks.modules import beside, layout_of
from derive.frameworks.onnx_graphs import layers_of
from derive.frameworks.problems import numbered
from derive.problem import load_text
from derive.verification.runner import Found, written
from derive.verification.separating import floats


def run(path: str, derivation: Derivation, points: Sequence[Mapping[str, Array]]) -> Found:
    """The gradients of the network in a file by its own weights, with the problem's examples and loss.

    A graph holds no gradient: it is the derived gradient of the graph's network. Raises ChainruleError,
    MissingDependency.
    """
    problem = derivation.problem
    if not problem.layers:
        raise ChainruleError("onnx: is checked beside a problem in layers; this one is in equations")
    tables = _stated(derivation, numbered(layers_of(path)["layers"]))
    theirs = differentiate(load_text(toml(tables), path, "toml"))
    values = {name: theirs.floats(name) for name in theirs.program.parameters}
    states = [_state(name, values) for name in theirs.program.parameters]
    names = derivation.program.parameters
    own = {name: floats(derivation.given[name]) for name in names if name in derivation.given}
    pairs = paired(own, states, own_digits(FLOAT32))
    notes, put, same = beside(own, states, pairs, FLOAT32)
    function = theirs.lambdify()
    found: Found = {"points": [], "takes": ["x", *(pair.parameter for pair in pairs)], "notes": notes}
    for number, point in enumerate(points if same else points[:1]):
        at = {
            name: floats(point[name] if name in point else derivation.given[name]) for name in derivation.program.given
        }
        for pair in pairs if number else put:
            pair.state.write(pair.theirs(at[pair.parameter]))
        error, by_state = function(x=at["x"], t=at["t"], **values)
        named = {_called(name): array for name, array in by_state.items()}
        gradients = {pair.parameter: pair.gradient(named[pair.state.name]) for pair in pairs}
        found["points"].append(written({derivation.program.error: np.float64(error), **gradients}))
        found["points"][-1]["dtype"] = "float64" if put or not _rounded(own, pairs) else "float32"
    found["diagnosis"] = layout_of(derivation, pairs)
    return found


def _stated(derivation: Derivation, layers: list[Any]) -> dict[str, Any]:
    """A graph's layers with the problem's loss and penalty, and symbols for its examples."""
    problem = derivation.problem
    loss: dict[str, Any] = {"name": problem.loss.name, "over_examples": problem.loss.over_examples}
    if problem.loss.delta is not None:
        loss["delta"] = _decimal(problem.loss.delta)
    example = {"inputs": _symbols("x", derivation), "targets": _symbols("t", derivation)}
    tables = {"examples": [example] * len(problem.examples), "layers": layers, "loss": loss}
    if problem.penalty is not None:
        tables["penalty"] = {"l1": _decimal(problem.penalty.l1), "l2": _decimal(problem.penalty.l2)}
    return tables


def _decimal(value: Fraction) -> Bare:
    return Bare(Decimal(value.numerator) / Decimal(value.denominator))


def _rounded(own: Mapping[str, Numbers], pairs: Any) -> bool:
    """Are the graph's weights the problem's but for the rounding to float32?"""
    return not all(pair.same(own[pair.parameter], 0.0) for pair in pairs)


def _symbols(name: str, derivation: Derivation) -> Any:
    shape = derivation.program.shape(name)[1:]
    return shape[0] if len(shape) == 1 else {"shape": list(shape)}


def _called(name: str) -> str:
    return f"{name} of the graph"


def _state(name: str, values: dict[str, Any]) -> State:
    def write(numbers: Numbers) -> None:
        values[name] = np.asarray(numbers, dtype=np.float64)

    return State(_called(name), lambda: np.asarray(values[name]), write)
