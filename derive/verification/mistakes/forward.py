"""Mistakes in the forward pass and in the error: the gradient of a network that is not the stated one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import combinations

import numpy as np
import sympy
from sympy import Rational

from derive import arrays
from derive.functions import ACTIVATIONS, call, constant_of, derivative
from derive.program import Expression, Map, Program, Ref, references
from derive.verification.edit import (
    Edit,
    Layer,
    kept_where,
    on_program,
    orders,
    rearranged,
    replaced,
    scaled,
    with_equation,
)
from derive.verification.mistakes.activations import passed
from derive.verification.sheet import Sheet, flow, laid_out
from derive.verification.structure import Affine, Bias, Squash, Structure


def edits(structure: Structure) -> Iterator[Edit]:
    """The mistakes on the way forward."""
    yield from _weights(structure)
    yield from _biases(structure)
    yield from _activations(structure)
    program = structure.program
    for mistake, names in (("inputs_swapped", _inputs(structure)), ("targets_swapped", structure.targets)):
        for name in names:
            shape = program.shape(name)
            for axis in range(len(shape)):
                for variant, order in orders(shape[axis]):
                    if axis == len(shape) - 1 or mistake == "targets_swapped":
                        yield _in_place_of(mistake, f"{name}, axis {axis + 1}: {variant}", name, order, axis)


def _inputs(structure: Structure) -> tuple[str, ...]:
    """The given arrays that a layer's weights are multiplied with."""
    by_role = tuple(v.name for v in structure.program.by_role("input"))
    entering = dict.fromkeys(each.incoming for each in structure.affine if each.incoming in structure.program.given)
    return by_role or tuple(entering)


def _in_place_of(mistake: str, variant: str, name: str, order: list[int], axis: int) -> Edit:
    """A given array read in another order wherever it is read."""

    def change(program: Program) -> Program:
        other = rearranged(Ref(name, program.shape(name)), order, axis)
        changed = {
            e.target: replaced(e.expression, {name: other})
            for e in program.equations
            if name in references(e.expression)
        }
        return with_equation(program, changed)

    return on_program(mistake, "all", variant, change)


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

        yield on_program("weights_transposed_forward", affines[0].layer, "", change, affines[0].target)


def _biases(structure: Structure) -> Iterator[Edit]:
    groups: dict[str, list[Bias]] = {}
    for each in structure.biases:
        groups.setdefault(each.name, []).append(each)
    for name, biases in groups.items():
        change = _without(name, biases)
        layer: Layer = biases[0].layer
        yield on_program("biases_left_out_forward", layer, "", change, biases[0].target)
        yield Edit(
            "biases_left_out_forward",
            layer,
            "differentiated all the same",
            _still_differentiated(name, biases, change),
            biases[0].target,
            forward=True,
        )
        shape = structure.program.shape(name)
        for variant, order in orders(shape[-1]) if shape else ():
            yield _in_place_of("biases_swapped", f"within the layer: {variant}", name, order, -1)
    for one, other in combinations(groups, 2):
        if structure.program.shape(one) == structure.program.shape(other):
            yield on_program("biases_swapped", "all", f"{one} and {other}", _exchanged(one, other))
            yield _values_exchanged(one, other)


def _without(name: str, biases: list[Bias]) -> Callable[[Program], Program]:
    def change(program: Program) -> Program:
        none = {name: arrays.constant(0, program.shape(name))}
        return with_equation(
            program, {each.target: replaced(program.definitions[each.target], none) for each in biases}
        )

    return change


def _still_differentiated(
    name: str, biases: list[Bias], change: Callable[[Program], Program]
) -> Callable[[Sheet], Sheet]:
    def apply(sheet: Sheet) -> Sheet:
        error = sheet.program.error
        made = laid_out(change(sheet.program))
        lines = [sheet.line(flow(name, each.target, error)) for each in biases if name in sheet.adjoints]
        total = lines[0] if lines else arrays.constant(0, sheet.program.shape(name))
        for line in lines[1:]:
            total = arrays.add(total, line)
        return made.with_results({name: total}) if name in sheet.program.parameters else made

    return apply


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


def _values_exchanged(one: str, other: str) -> Edit:
    """The two values mixed up, each gradient handed over for the place where the value was used."""

    def apply(sheet: Sheet) -> Sheet:
        made = laid_out(_exchanged(one, other)(sheet.program))
        return made.with_results({one: made.result(other), other: made.result(one)})

    return Edit("biases_swapped", "all", f"the values of {one} and {other}", apply, forward=True)


# ---- activations ---------------------------------------------------------------------------


def _activations(structure: Structure) -> Iterator[Edit]:
    groups: dict[tuple[int, str], list[Squash]] = {}
    for squash in structure.squashes:
        groups.setdefault((squash.layer, "softmax" if squash.row is None else squash.row.name), []).append(squash)
    for (layer, name), squashes in groups.items():
        for other in ACTIVATIONS.values():
            if other.name == name:
                continue
            change = _other_activation(squashes, other.name)
            line = squashes[0].target
            yield on_program("wrong_activation_forward", layer, f"{other.name} for {name}", change, line)
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
    constants = constant_of(squashes[0].call) if hasattr(squashes[0].call, "row") else {}
    z = sympy.Symbol("z", real=True)
    forms = {"in the output": derivative(row), "at the net input": sympy.diff(row.formula, z)}
    change = _other_activation(squashes, name)
    for variant, form in forms.items():

        def apply(sheet: Sheet, form: sympy.Expr = form.xreplace(constants)) -> Sheet:
            made = laid_out(change(sheet.program))
            lines = {flow(e.source, e.target, sheet.program.error): passed(e, form)(made) for e in squashes}
            return made.with_lines({line: new for line, new in lines.items() if line in made.backward})

        yield Edit(
            "wrong_activation_forward",
            layer,
            f"{name} for {row.name}, its derivative the stated one {variant}",
            apply,
            squashes[0].target,
            forward=True,
        )


# ---- the error -----------------------------------------------------------------------------


def errors(structure: Structure, mean_over_outputs: bool, mean_over_examples: bool) -> Iterator[Edit]:
    """Mistakes in how the errors of outputs and examples make the error."""
    program, comparison = structure.program, structure.comparison
    if not comparison:
        return
    expression = program.definitions[comparison]
    shape = expression.shape
    if "1/2" in arrays.text(expression) or "/2" in arrays.text(expression):
        yield _scaled_error("loss_without_half", 2, comparison)
    if not shape:
        return
    examples = shape[0] if len(shape) > 1 and program.variables[comparison].per_example else 1
    outputs = int(np.prod(shape)) // examples
    if outputs > 1:
        if mean_over_outputs:
            yield _scaled_error("loss_summed", outputs, comparison)
        else:
            yield _scaled_error("loss_averaged", Rational(1, outputs), comparison)
        for output in range(shape[-1] if shape[-1] <= MOST_OUTPUTS else 0):
            mask = np.ones(shape, dtype=bool)
            mask[..., output] = False
            yield _masked("output_forgotten_in_loss", f"output {output + 1}", comparison, mask, 1)
    if examples > 1:
        if mean_over_examples:
            yield _scaled_error("examples_summed_not_averaged", examples, comparison)
        else:
            yield _scaled_error("examples_averaged_not_summed", Rational(1, examples), comparison)
        mask = np.zeros(shape, dtype=bool)
        mask[-1] = True
        yield _masked("last_example_only", "", comparison, mask, 1)
        if mean_over_examples:
            yield _masked("last_example_only", "not averaged", comparison, mask, examples)
    yield from _both(structure, examples, outputs, mean_over_outputs, mean_over_examples)


MOST_OUTPUTS = 12
"""Of a wider output it is not tried whether one was forgotten."""


def _both(structure: Structure, examples: int, outputs: int, mean_outputs: bool, mean_examples: bool) -> Iterator[Edit]:
    """A mean over everything where a sum was meant."""
    if examples > 1 and outputs > 1 and not mean_outputs and not mean_examples:
        yield _scaled_error("loss_averaged", Rational(1, examples * outputs), structure.comparison)


def _scaled_error(mistake: str, factor: int | Rational, comparison: str) -> Edit:
    def change(program: Program) -> Program:
        return with_equation(program, {comparison: scaled(program.definitions[comparison], factor)})

    return on_program(mistake, "all", str(factor), change, comparison)


def _masked(
    mistake: str, variant: str, comparison: str, mask: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], factor: int
) -> Edit:
    """The errors where the mask is false left out."""

    def change(program: Program) -> Program:
        whole = f"{comparison} whole"
        old = program.definitions[comparison]
        variables = {**program.variables, whole: replace(program.variables[comparison], name=whole, role="part")}
        ref = Ref(whole, old.shape)
        new: Expression = kept_where(ref, mask)
        made = with_equation(program, {comparison: scaled(new, factor) if factor != 1 else new})
        equations = []
        for equation in made.equations:
            if equation.target == comparison:
                equations.append(replace(equation, target=whole, expression=old))
            equations.append(equation)
        return replace(made, variables=variables, equations=tuple(equations))

    return on_program(mistake, "all", variant, change, comparison)


def penalty(program: Program, name: str) -> Edit:
    """The penalty left out of the error."""

    def change(program: Program) -> Program:
        none = {name: arrays.constant(0)}
        changed = {
            e.target: replaced(e.expression, none) for e in program.equations if name in references(e.expression)
        }
        return with_equation(program, changed)

    return on_program("weight_decay_missing", "all", "", change, name)
