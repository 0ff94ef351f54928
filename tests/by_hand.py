"""A network computed a second time, by mpmath and from the textbook alone: nothing of the project is used."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from fractions import Fraction
from typing import Any

import mpmath
from mpmath import mp, mpf
from networks import numbers

from derive.problem import Problem

Vector = list[mpf]

SELU = (
    "1.6732632423543772848170429916717",
    "1.0507009873554804934193349852946",
)
"""α and λ, as their authors print them."""

ONE_BY_ONE: dict[str, Callable[[mpf], mpf]] = {
    "logistic": lambda z: 1 / (1 + mp.exp(-z)),
    "tanh": mp.tanh,
    "relu": lambda z: z if z > 0 else mpf(0),
    "leaky_relu": lambda z: z if z > 0 else z / 100,
    "identity": lambda z: z,
    "softplus": lambda z: mp.log(1 + mp.exp(z)),
    "elu": lambda z: z if z > 0 else mp.expm1(z),
    "selu": lambda z: mpf(SELU[1]) * (z if z > 0 else mpf(SELU[0]) * mp.expm1(z)),
    "gelu": lambda z: z * mp.ncdf(z),
    "silu": lambda z: z / (1 + mp.exp(-z)),
    "hard_sigmoid": lambda z: min(mpf(1), max(mpf(0), (z + 3) / 6)),
}


def activation(name: str, net: Vector) -> Vector:
    if name == "softmax":
        powers = [mp.exp(z) for z in net]
        return [power / mp.fsum(powers) for power in powers]
    return [ONE_BY_ONE[name](z) for z in net]


def loss(name: str, targets: Vector, outputs: Vector) -> mpf:
    pairs = list(zip(targets, outputs, strict=True))
    match name:
        case "half_squared_error":
            return mp.fsum((t - a) ** 2 / 2 for t, a in pairs)
        case "squared_error":
            return mp.fsum((t - a) ** 2 for t, a in pairs)
        case "mean_squared_error":
            return mp.fsum((t - a) ** 2 for t, a in pairs) / len(pairs)
        case "binary_cross_entropy":
            return -mp.fsum(t * mp.log(a) + (1 - t) * mp.log(1 - a) for t, a in pairs) / len(pairs)
        case "categorical_cross_entropy":
            return -mp.fsum(t * mp.log(a) for t, a in pairs)
    raise KeyError(name)


def error(problem: Problem, values: dict[str, Any]) -> mpf:
    """The error at these values, at mpmath's precision."""
    total = mpf(0)
    for x, t in zip(values["x"], values["t"], strict=True):
        a = x
        for number, layer in enumerate(problem.layers, start=1):
            bias = values.get(f"b{number}", mpf(0))
            biases = bias if isinstance(bias, list) else [bias] * layer.units
            rows = zip(values[f"W{number}"], biases, strict=True)
            a = activation(layer.activation, [mp.fdot(row, a) + b for row, b in rows])
        total += loss(problem.loss.name, t, a)
    return total / len(values["x"]) if problem.loss.over_examples == "mean" else total


def exact_values(problem: Problem) -> dict[str, Any]:
    """The problem's numbers at mpmath's precision."""

    def convert(value: Any) -> Any:
        if isinstance(value, list):
            return [convert(each) for each in value]
        assert isinstance(value, Fraction)
        return mpf(value.numerator) / value.denominator

    return {name: convert(value) for name, value in numbers(problem).items()}


def central_differences(problem: Problem, step: str = "1e-20") -> Iterator[tuple[str, mpf]]:
    """(place, (E(w + h) − E(w − h)) / 2h) for every weight and bias: ``W1[0][2]``."""
    values = exact_values(problem)
    h = mpf(step)
    for name in values:
        if name[0] not in "Wb":
            continue
        for place in places(values[name]):
            ends = []
            for sign in (1, -1):
                moved = deepcopy(values)
                move(moved, name, place, sign * h)
                ends.append(error(problem, moved))
            yield name + "".join(f"[{i}]" for i in place), (ends[0] - ends[1]) / (2 * h)


def places(value: Any) -> Iterator[tuple[int, ...]]:
    if not isinstance(value, list):
        yield ()
        return
    for index, each in enumerate(value):
        for rest in places(each):
            yield (index, *rest)


def move(values: dict[str, Any], name: str, place: tuple[int, ...], by: mpf) -> None:
    holder: Any = values
    key: Any = name
    for index in place:
        holder, key = holder[key], index
    holder[key] += by


def relative(found: Any, expected: mpf) -> mpf:
    """|found − expected| relative to the expected, or to 1 where that is smaller than 1e-30."""
    return mpmath.fabs(mpf(found) - expected) / (mpmath.fabs(expected) if mpmath.fabs(expected) > mpf("1e-30") else 1)
