"""Compute a value of the forward pass."""

from __future__ import annotations

from derive.scalars import Scalar
from derive.variants.asked import Asked
from render.compose.pen import prose
from render.exercises.desk import Desk, Ground, Planned
from render.exercises.given import given_values
from render.exercises.kind import Kind, Told, values
from render.exercises.kinds.calculation import calculated, to_digits
from render.exercises.lines import forward_lines, stated_before, way_there
from render.exercises.model import Exercise
from render.exercises.wording import named


def asked(ground: Ground, about: tuple[Scalar, ...]) -> tuple[Asked, ...]:
    """The value itself."""
    return (Asked("value", about[0]),)


def told(ground: Ground, about: tuple[Scalar, ...]) -> Told:
    """What comes before its lines is given; what stands in them is to be found."""
    given = tuple(Asked("value", each) for each in stated_before(ground, about[0]))
    return Told(given, tuple(Asked("value", each) for each in way_there(ground, about[0])))


def make(desk: Desk, planned: Planned) -> Exercise:
    """Compute net_h1, out_o1, …, the error."""
    target = planned.about[0]
    prompt = prose("Compute {it}." + to_digits(desk), it=named(desk, target))
    given = given_values(desk, stated_before(desk, target), withheld=planned.withheld)
    return calculated(desk, planned, "The forward pass", prompt, forward_lines(desk, target), given)


KIND = Kind("forward_value", "compute a net input, an output or the error", values, make, asked, told)
