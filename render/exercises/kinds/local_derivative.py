"""Compute one local derivative: that of an activation at its net input."""

from __future__ import annotations

from derive.formula import Side
from derive.scalars import Scalar
from derive.variants.asked import Asked
from render.compose import factors
from render.compose.pen import prose
from render.compose.structure import local
from render.exercises.desk import Desk, Ground, Planned
from render.exercises.kind import Kind, nets
from render.exercises.kinds.calculation import calculated, to_digits
from render.exercises.lines import Line, forward_lines
from render.exercises.model import Exercise


def asked(ground: Ground, about: tuple[Scalar, ...]) -> tuple[Asked, ...]:
    """∂out/∂net."""
    return (Asked("local", about[0]),)


def make(desk: Desk, planned: Planned) -> Exercise:
    """How much does an output change with its net input?"""
    net = planned.about[0]
    out, pen = desk.output_of(net), desk.pen
    prompt = prose(
        "At {values}, what is {partial}, the derivative of the activation?" + to_digits(desk),
        values=(Side(pen.symbol(net), ""), pen.value(net).side),
        partial=pen.partial(out, net),
    )
    output = forward_lines(desk, out)[-1]
    lines = [output, derivative_line(desk, net, out)]
    return calculated(desk, planned, "A local derivative", prompt, lines)


def derivative_line(desk: Desk, net: Scalar, out: Scalar) -> Line:
    """∂out/∂net: formula, numbers, result."""
    pen = desk.pen
    first = pen.partial(out, net)
    if desk.views:
        view = desk.views[desk.derivation.program.variables[net.array].layer - 1]
        sides = factors.activation_line(pen, view, out, net, first)
    else:
        sides = pen.local_line(first, local(pen.derivation, out, net))
    return Line(out, True, sides, prose("Its derivative:"))


KIND = Kind(
    "local_derivative",
    "compute the derivative of an activation at its net input",
    nets,
    make,
    asked,
    nothing="no activation of it has an equation of its own",
)
