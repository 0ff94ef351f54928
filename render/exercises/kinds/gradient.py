"""Compute one gradient: ∂E by a weight or a bias."""

from __future__ import annotations

from derive.scalars import Scalar
from derive.variants.asked import Asked
from render.compose.pen import prose
from render.exercises.desk import Desk, Ground, Planned
from render.exercises.given import given_first, told_of_way
from render.exercises.kind import Kind, Told, parameters
from render.exercises.kinds.calculation import calculated, to_digits
from render.exercises.lines import backward_lines, way_back
from render.exercises.model import Exercise


def asked(ground: Ground, about: tuple[Scalar, ...]) -> tuple[Asked, ...]:
    """∂E/∂w."""
    return (Asked("gradient", about[0]),)


def told(ground: Ground, about: tuple[Scalar, ...]) -> Told:
    """The forward values are given; the lines of the way back are to be found."""
    return told_of_way(ground, about[0])


def make(desk: Desk, planned: Planned) -> Exercise:
    """How does the error change with a weight?"""
    target, pen = planned.about[0], desk.pen
    prompt = prose(
        "Compute {partial}: how does the error change with {w}?" + to_digits(desk),
        partial=pen.partial(None, target),
        w=pen.symbol(target),
    )
    given = given_first(desk, way_back(desk, target), planned.withheld)
    return calculated(desk, planned, "A gradient", prompt, backward_lines(desk, target), given)


KIND = Kind("gradient", "compute one gradient, ∂E by a weight or a bias", parameters, make, asked, told)
