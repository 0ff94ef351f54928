"""Mistakes in the forward pass: another activation than the stated one."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import sympy

from derive import arrays
from derive.functions import ACTIVATIONS, call, derivative
from derive.program import Map, Program, Ref
from derive.verification.edit import DERIVATIVE, Edit, on_program, with_equation
from derive.verification.mistakes.activations import passed
from derive.verification.sheet import Sheet, flow, laid_out
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
            yield on_program("wrong_activation_forward", layer, other.name, change, line)
            if squashes[0].row is not None:
                yield from _stated_derivative(structure, layer, squashes, other.name)


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


def _stated_derivative(structure: Structure, layer: int, squashes: list[Squash], name: str) -> Iterator[Edit]:
    """Another activation forward, and backwards the derivative of the stated one."""
    row = squashes[0].row
    assert row is not None
    if row.formula is None or ACTIVATIONS[name].over_axis:
        return
    constants = squashes[0].constants
    z = sympy.Symbol("z", real=True)
    written = {"in the output": derivative(row), "at the net input": sympy.diff(row.formula, z)}
    forms = {variant: form.xreplace(constants) for variant, form in written.items()}
    change = _other_activation(squashes, name)
    for variant, form in forms.items():

        def apply(sheet: Sheet, form: sympy.Expr = form) -> Sheet:
            made = laid_out(change(sheet.program))
            lines = {flow(e.source, e.target, sheet.program.error): passed(e, form)(made) for e in squashes}
            return made.with_lines({line: new for line, new in lines.items() if line in made.backward})

        yield Edit(
            "wrong_activation_forward",
            layer,
            f"{name}, with the derivative of the stated one {variant}",
            apply,
            squashes[0].target,
            DERIVATIVE,
        )
