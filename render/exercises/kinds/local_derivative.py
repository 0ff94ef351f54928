"""Compute one local derivative: that of an activation at its net input."""

from __future__ import annotations

from collections.abc import Iterator

from derive.formula import Side
from derive.scalars import Scalar
from derive.variants.asked import Asked
from render.compose import factors
from render.compose.pen import prose
from render.compose.structure import local
from render.exercises.desk import Desk, Ground, Planned
from render.exercises.kind import Kind, Told, nets
from render.exercises.kinds.calculation import calculated, to_digits
from render.exercises.lines import Line, forward_lines
from render.exercises.model import Exercise


def candidates(ground: Ground) -> Iterator[tuple[Scalar, ...]]:
    """Net inputs whose activation has a derivative that is no constant."""
    for about in nets(ground):
        net = about[0]
        if local(ground.derivation, Scalar(ground.outputs[net.array], net.index), net).free_symbols:
            yield about


def asked(ground: Ground, about: tuple[Scalar, ...]) -> tuple[Asked, ...]:
    """∂out/∂net."""
    return (Asked("local", about[0]),)


def told(ground: Ground, about: tuple[Scalar, ...]) -> Told:
    """The net input is given."""
    return Told((Asked("value", about[0]),))


def make(desk: Desk, planned: Planned) -> Exercise:
    """How much does an output change with its net input?"""
    net = planned.about[0]
    pen = desk.pen
    stated = Asked("value", net) not in planned.withheld
    prompt = prose(
        "At {values}, what is {partial}, the derivative of the activation?" + to_digits(desk),
        values=(Side(pen.symbol(net), ""), *((pen.value(net).side,) if stated else ())),
        partial=pen.partial(desk.output_of(net), net),
    )
    lines = derivative_lines(desk, net)
    return calculated(desk, planned, "A local derivative", prompt, lines)


def derivative_lines(desk: Desk, net: Scalar) -> list[Line]:
    """The derivative of an activation at its net input, after the output where it is made from this."""
    out = desk.output_of(net)
    line = derivative_line(desk, net, out)
    read = local(desk.derivation, out, net).free_symbols
    return [forward_lines(desk, out)[-1], line] if out in map(desk.derivation.scalar_of, read) else [line]


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
    candidates,
    make,
    asked,
    told,
    nothing="no activation of it has an equation of its own and a derivative to be computed",
)
