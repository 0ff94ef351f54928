"""The functions of the equation language: one row each, with NumPy's and PyTorch's arguments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import sympy
from sympy import Expr, Piecewise

from derive import arrays, selections
from derive.functions import ACTIVATIONS, StopGradient
from derive.program import Expression


@dataclass(frozen=True)
class Function:
    """A function of the language.

    ``build`` makes the expression. ``operands`` are its array arguments by name, of which the last
    ``optional`` may be left out; ``options`` are the others with the kind of each ("axis", "axes",
    "flag", "whole", "wholes", "number"), given by position after the operands or by name.
    ``listed``: the first operand is a list of arrays.
    """

    build: Callable[..., Expression]
    operands: tuple[str, ...] = ("x",)
    options: dict[str, str] = field(default_factory=dict)
    optional: int = 0
    listed: bool = False


def _of_one(function: Callable[[Expr], Expr]) -> Function:
    return Function(lambda x: arrays.elementwise(function, x))


def _of_two(function: Callable[[Expr, Expr], Expr]) -> Function:
    return Function(lambda x, y: arrays.elementwise(function, x, y), ("x", "y"))


def _unevaluated(function: Any) -> Callable[[Expr], Expr]:
    return lambda x: function(x, evaluate=False)


def _absolute(x: Expr) -> Expr:
    return Piecewise((x, x > 0), (-x, x < 0), (0, True))


def _larger(x: Expr, y: Expr) -> Expr:
    return Piecewise((x, x >= y), (y, True))


def _smaller(x: Expr, y: Expr) -> Expr:
    return Piecewise((x, x <= y), (y, True))


def _where(condition: Expression, x: Expression, y: Expression) -> Expression:
    return arrays.elementwise(lambda test, yes, no: Piecewise((yes, test), (no, True)), condition, x, y)


def _activation(name: str) -> Function:
    row = ACTIVATIONS[name]
    if row.over_axis:
        return Function(lambda x, axis=-1: arrays.softmax(x, axis, logarithm=row.logarithm), options={"axis": "axis"})
    constant = {} if row.constant is None else {str(row.constant): "number"}
    return Function(lambda x, **given: arrays.apply(row, x, next(iter(given.values()), None)), options=constant)


REDUCTION = {"axis": "axes", "keepdims": "flag"}

FUNCTIONS: dict[str, Function] = {
    "exp": _of_one(_unevaluated(sympy.exp)),
    "log": _of_one(_unevaluated(sympy.log)),
    "sqrt": _of_one(lambda x: sympy.Pow(x, sympy.Rational(1, 2), evaluate=False)),
    "sin": _of_one(_unevaluated(sympy.sin)),
    "cos": _of_one(_unevaluated(sympy.cos)),
    "erf": _of_one(_unevaluated(sympy.erf)),
    "abs": _of_one(_absolute),
    "maximum": _of_two(_larger),
    "minimum": _of_two(_smaller),
    "where": Function(_where, ("condition", "x", "y")),
    "stop_gradient": _of_one(StopGradient),
    **{name: _activation(name) for name in ACTIVATIONS},
    "sigmoid": _activation("logistic"),
    "sum": Function(lambda x, axis=None, keepdims=False: arrays.total(x, axis, keepdims=keepdims), options=REDUCTION),
    "mean": Function(lambda x, axis=None, keepdims=False: arrays.mean(x, axis, keepdims=keepdims), options=REDUCTION),
    "max": Function(
        lambda x, axis=None, keepdims=False: selections.largest_over(x, axis, keepdims=keepdims), options=REDUCTION
    ),
    "dot": Function(selections.dot, ("x", "y")),
    "outer": Function(selections.outer, ("x", "y")),
    "transpose": Function(lambda x, axes=None: arrays.transpose(x, axes), options={"axes": "wholes"}),
    "reshape": Function(arrays.reshape, options={"shape": "wholes"}),
    "concatenate": Function(selections.concatenate, ("arrays",), {"axis": "axis"}, listed=True),
    "stack": Function(selections.stack, ("arrays",), {"axis": "axis"}, listed=True),
    "take": Function(selections.take, options={"indices": "indices", "axis": "axis"}),
    "conv2d": Function(selections.conv2d, ("x", "K", "b"), {"stride": "wholes", "padding": "wholes"}, optional=1),
    "max_pool2d": Function(selections.max_pool2d, options={"size": "wholes", "stride": "wholes"}),
    "avg_pool2d": Function(selections.avg_pool2d, options={"size": "wholes", "stride": "wholes"}),
}

REQUIRED = {"reshape": ("shape",), "take": ("indices",), "max_pool2d": ("size",), "avg_pool2d": ("size",)}
"""Options without a default."""
