"""Quantities and lines in words: the net input of h1, the delta of h1 in example 2, back to out_h1."""

from __future__ import annotations

from dataclasses import replace

from derive.scalars import Scalar
from render.compose.pen import prose
from render.document import Inlines, Text
from render.exercises.desk import Desk


def what(desk: Desk, scalar: Scalar) -> Inlines:
    """What a quantity is, in words: the net input of h1; the error of output 2; of other programs its name."""
    pen, variable = desk.pen, desk.derivation.program.variables[scalar.array]
    several = _in_example(desk, scalar)
    if desk.views:
        match variable.role:
            case "net":
                return prose("the net input of {unit}{several}", unit=pen.unit(scalar), several=several)
            case "activation":
                net = Scalar(desk.views[variable.layer - 1].net.name, scalar.index)
                return prose("the output of {unit}{several}", unit=pen.unit(net), several=several)
            case "output_error":
                return prose("the error of output {n}{several}", n=pen.nth(scalar.index[-1]), several=several)
    if scalar.array == desk.derivation.program.error:
        return prose("the error")
    return prose("{name}", name=pen.symbol(scalar))


def _in_example(desk: Desk, scalar: Scalar) -> str:
    variable = desk.derivation.program.variables[scalar.array]
    several = variable.per_example and variable.shape[0] > 1
    return f" in example {desk.pen.nth(scalar.index[0])}" if several else ""


def named(desk: Desk, scalar: Scalar) -> Inlines:
    """The same with its name: the net input of h1, net_h1; of other programs i_1 (input gate)."""
    described, name = what(desk, scalar), desk.pen.symbol(scalar)
    if isinstance(described[0], Text):
        return prose("{what}, {name}", what=described, name=name)
    words = desk.derivation.program.variables[scalar.array].meaning
    return prose("{name}{words}", name=name, words=f" ({words})" if words else "")


def capitalised(inlines: Inlines) -> Inlines:
    """Inlines with the first letter large."""
    first, *rest = inlines
    if isinstance(first, Text):
        return (replace(first, text=first.text[:1].upper() + first.text[1:]), *rest)
    return inlines


def delta_words(desk: Desk, net: Scalar) -> Inlines:
    """Before the line of a delta: the delta of h1 (in example 2)."""
    return prose("The delta of {unit}{several}:", unit=desk.pen.unit(net), several=_in_example(desk, net))


def back_to(desk: Desk, scalar: Scalar) -> Inlines:
    """Before a line of the way back: back to out_h1."""
    return prose("Back to {it}:", it=desk.pen.symbol(scalar))
