"""Mistakes in the forward pass: the gradient of a network that is not the stated one, or its values alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations

from derive import arrays
from derive.program import Program, Ref, references
from derive.verification.edit import (
    FORWARD_ALONE,
    Edit,
    Layer,
    backward_as_stated,
    on_program,
    orders,
    rearranged,
    replaced,
    with_equation,
)
from derive.verification.structure import Affine, Bias, Structure, counted


def edits(structure: Structure) -> Iterator[Edit]:
    """The mistakes on the way forward."""
    yield from _weights(structure)
    yield from _biases(structure)
    program = structure.program
    for mistake, names in (("inputs_swapped", _inputs(structure)), ("targets_swapped", structure.targets)):
        for name in names:
            for axis, size in enumerate(program.shape(name)):
                for variant, order in orders(size):
                    where = f"{name}, " * (len(names) > 1) + f"{counted(program, name, axis)}s"
                    edit = _in_place_of(mistake, "all", f"{where} {variant}", name, order, axis)
                    yield edit
                    if mistake == "inputs_swapped":
                        yield backward_as_stated(edit, FORWARD_ALONE)


def _inputs(structure: Structure) -> tuple[str, ...]:
    """The given arrays that a layer's weights are multiplied with."""
    by_role = tuple(v.name for v in structure.program.by_role("input"))
    entering = dict.fromkeys(each.incoming for each in structure.affine if each.incoming in structure.program.given)
    return by_role or tuple(entering)


def _in_place_of(mistake: str, layer: Layer, variant: str, name: str, order: list[int], axis: int) -> Edit:
    """A given array read in another order wherever it is read."""

    def change(program: Program) -> Program:
        other = rearranged(Ref(name, program.shape(name)), order, axis)
        changed = {
            e.target: replaced(e.expression, {name: other})
            for e in program.equations
            if name in references(e.expression)
        }
        return with_equation(program, changed)

    return on_program(mistake, layer, variant, change)


# ---- weights and biases --------------------------------------------------------------------


def _weights(structure: Structure) -> Iterator[Edit]:
    groups: dict[str, list[Affine]] = {}
    for each in structure.affine:
        groups.setdefault(each.weight, []).append(each)
    for weight, affines in groups.items():
        if not affines[0].square:
            continue

        def change(program: Program, affines: list[Affine] = affines, weight: str = weight) -> Program:
            turned = {}
            for each in affines:
                letters, entering, out = each.axes
                turned[each.target] = arrays.contract(
                    (entering, letters[::-1]),
                    out,
                    Ref(each.incoming, program.shape(each.incoming)),
                    Ref(weight, program.shape(weight)),
                )
            return with_equation(program, turned)

        edit = on_program("weights_transposed_forward", affines[0].layer, "", change, affines[0].target, weight)
        yield edit
        yield backward_as_stated(edit, FORWARD_ALONE)


def _biases(structure: Structure) -> Iterator[Edit]:
    groups: dict[str, list[Bias]] = {}
    for each in structure.biases:
        groups.setdefault(each.name, []).append(each)
    for name, biases in groups.items():
        change = _without(name, biases)
        layer: Layer = biases[0].layer
        edit = on_program("biases_left_out_forward", layer, "", change, biases[0].target, name)
        yield edit
        yield backward_as_stated(edit, "differentiated all the same")
        shape = structure.program.shape(name)
        for variant, order in orders(shape[-1]) if shape else ():
            edit = _in_place_of("biases_swapped", layer, f"within the layer: {variant}", name, order, -1)
            yield edit
            yield backward_as_stated(edit, FORWARD_ALONE)
    for one, other in combinations(groups, 2):
        if structure.program.shape(one) == structure.program.shape(other):
            edit = on_program("biases_swapped", "all", f"{one} and {other}", _exchanged(one, other))
            yield edit
            yield backward_as_stated(edit, FORWARD_ALONE)


def _without(name: str, biases: list[Bias]) -> Callable[[Program], Program]:
    def change(program: Program) -> Program:
        none = {name: arrays.constant(0, program.shape(name))}
        return with_equation(
            program, {each.target: replaced(program.definitions[each.target], none) for each in biases}
        )

    return change


def _exchanged(one: str, other: str) -> Callable[[Program], Program]:
    def change(program: Program) -> Program:
        shape = program.shape(one)
        names = {one: Ref(other, shape), other: Ref(one, shape)}
        changed = {
            e.target: replaced(e.expression, names)
            for e in program.equations
            if references(e.expression) & {one, other}
        }
        return with_equation(program, changed)

    return change
