"""Mistakes in the forward pass: another activation than the stated one."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import sympy

from derive import arrays
from derive.functions import ACTIVATIONS, call, derivative, z
from derive.program import Map, Program, Ref
from derive.verification.edit import Edit, on_program, with_derivative, with_equation
from derive.verification.mistakes.activations import passed
from derive.verification.sheet import flow
from derive.verification.structure import Squash, Structure


def edits(structure: Structure) -> Iterator[Edit]:
    """Each activation taken for each other, with its own derivative or the stated one's."""
    groups: dict[tuple[int, str], list[Squash]] = {}
    for squash in structure.squashes:
        groups.setdefault((squash.layer, squash.name), []).append(squash)
    for (layer, name), squashes in groups.items():
        for other in ACTIVATIONS.values():
            if other.name == name or other.logarithm:
                continue
            change = _other_activation(squashes, other.name)
            line = squashes[0].target
            edit = on_program("wrong_activation_forward", layer, other.name, change, line, name)
            yield edit
            if squashes[0].row is not None and not other.over_axis:
                yield from _stated_derivative(structure, edit, squashes)


def _other_activation(squashes: list[Squash], name: str) -> Callable[[Program], Program]:
    def change(program: Program) -> Program:
        row = ACTIVATIONS[name]
        changed = {}
        for each in squashes:
            source = Ref(each.source, program.shape(each.source))
            symbol = arrays.placeholder(source)
            changed[each.target] = (
                arrays.softmax(source)
                if row.over_axis
                else source
                if row.name == "identity"
                else Map(call(row, symbol), (symbol,), (source,), source.shape)
            )
        return with_equation(program, changed)

    return change


def _stated_derivative(structure: Structure, edit: Edit, squashes: list[Squash]) -> Iterator[Edit]:
    """Another activation forward, and backwards the derivative of the stated one."""
    row = squashes[0].row
    assert row is not None
    if row.formula is None:
        return
    for variant, form in (("in the output", derivative(row)), ("at the net input", sympy.diff(row.formula, z))):
        local = form.xreplace(squashes[0].constants)
        lines = {flow(each.source, each.target, structure.program.error): passed(each, local) for each in squashes}
        yield with_derivative(edit, f"with the derivative of the stated one {variant}", lines)
