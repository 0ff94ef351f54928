"""Compute a value of the forward pass."""

from __future__ import annotations

from derive.scalars import Scalar
from derive.variants.asked import Asked
from render.compose.pen import prose
from render.exercises.desk import Desk, Ground, Planned
from render.exercises.kind import Kind, values
from render.exercises.kinds.calculation import calculated, to_digits
from render.exercises.lines import forward_lines, named
from render.exercises.model import Exercise


def asked(ground: Ground, about: tuple[Scalar, ...]) -> tuple[Asked, ...]:
    """The value itself."""
    return (Asked("value", about[0]),)


def make(desk: Desk, planned: Planned) -> Exercise:
    """Compute net_h1, out_o1, …, the error."""
    target = planned.about[0]
    prompt = prose("Compute {it}." + to_digits(desk), it=named(desk, target))
    return calculated(desk, planned, "The forward pass", prompt, forward_lines(desk, target))


KIND = Kind("forward_value", "compute a net input, an output or the error", values, make, asked)
