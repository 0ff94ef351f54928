"""Compute a delta: ∂E by a net input, or by any other quantity on the way back."""

from __future__ import annotations

from derive.scalars import Scalar
from derive.variants.asked import Asked
from render.compose.pen import prose
from render.exercises.desk import Desk, Ground, Planned
from render.exercises.given import given_first, told_of_way
from render.exercises.kind import Kind, Told, quantities
from render.exercises.kinds.calculation import calculated, to_digits
from render.exercises.lines import backward_lines, way_back
from render.exercises.model import Exercise
from render.exercises.wording import named


def asked(ground: Ground, about: tuple[Scalar, ...]) -> tuple[Asked, ...]:
    """∂E/∂net."""
    return (Asked("delta", about[0]),)


def told(ground: Ground, about: tuple[Scalar, ...]) -> Told:
    """The forward values are given; the lines of the way back are to be found."""
    return told_of_way(ground, about[0])


def make(desk: Desk, planned: Planned) -> Exercise:
    """How does the error change with a net input?"""
    target, pen = planned.about[0], desk.pen
    short = prose("{delta} = ", delta=pen.delta(target)) if desk.has_delta(target) else ()
    prompt = prose(
        "Compute {short}{partial}: how does the error change with {what}?" + to_digits(desk),
        short=short,
        partial=pen.partial(None, target),
        what=named(desk, target),
    )
    title = "A delta" if desk.has_delta(target) else "On the way back"
    given = given_first(desk, way_back(desk, target), planned.withheld)
    return calculated(desk, planned, title, prompt, backward_lines(desk, target), given)


KIND = Kind("delta", "compute the delta of a unit, ∂E by its net input", quantities, make, asked, told)
