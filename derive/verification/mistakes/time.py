"""Mistakes with weights that are shared over time steps: a step's term left out, the way back through time cut off."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from derive import arrays
from derive.program import Equation, Expression, Gather, references
from derive.verification.edit import Edit, Layer, on_lines
from derive.verification.sheet import Sheet, flow
from derive.verification.structure import Structure


def edits(structure: Structure) -> Iterator[Edit]:
    """time_step_missing: for each step, its terms in the weights' gradients gone; or nothing passed back to it."""
    for layer in structure.layers:
        steps = _terms(structure, layer)
        if len(steps) < 2:
            continue
        for number, lines in enumerate(steps, start=1):
            yield on_lines("time_step_missing", layer, f"the terms of step {number}", {n: _zero(n) for n in lines})
        cuts = _cuts(structure, layer)
        for number, cut in enumerate(cuts, start=2):
            variant = f"nothing passed back from step {number}"
            yield on_lines("time_step_missing", layer, variant, {n: _zero(n) for n in cut})
        every = [line for lines in cuts for line in lines]
        if len(cuts) > 1 and every:
            yield on_lines("time_step_missing", layer, "nothing passed back at all", {n: _zero(n) for n in every})
    yield from _through_states(structure)


def _through_states(structure: Structure) -> Iterator[Edit]:
    """Where several states are passed on from step to step, as h and c of an LSTM: one of them cut off."""
    by_state: dict[str, dict[str, int]] = {}
    for layer in structure.layers:
        for line, array in (each for lines in _cuts(structure, layer) for each in lines.items()):
            by_state.setdefault(structure.stem(array), {})[line] = layer
    for state, lines in by_state.items():
        layers = set(lines.values())
        if len(by_state) > 1:
            variant = f"nothing passed back through {state}"
            where: Layer = layers.pop() if len(layers) == 1 else "all"
            yield on_lines("time_step_missing", where, variant, {line: _zero(line) for line in lines})


def _zero(line: str) -> Callable[[Sheet], Expression]:
    return lambda sheet: arrays.constant(0, sheet.line(line).shape)


def _step_of(structure: Structure) -> dict[str, int]:
    """The time step of every array that has one: as its layer wrote it, or by how often its weight was read before."""
    found = {
        name: variable.place.time
        for name, variable in structure.program.variables.items()
        if variable.place is not None and variable.place.time
    }
    seen: dict[str, int] = {}
    for each in structure.affine:
        seen[each.weight] = seen.get(each.weight, 0) + 1
        found.setdefault(each.target, seen[each.weight])
    if max(seen.values(), default=1) > 1:
        for equation in structure.program.equations:
            before = {found[name] for name in references(equation.expression) if name in found}
            if before and structure.layer_of[equation.target] in structure.layers and not _collects(equation, before):
                found.setdefault(equation.target, max(before))
    return found


def _collects(equation: Equation, steps: set[int]) -> bool:
    """Is this the states of several steps side by side, which belongs to none of them?"""
    return len(steps) > 1 and (isinstance(equation.expression, Gather) or max(steps) - min(steps) > 1)


def _terms(structure: Structure, layer: int) -> list[list[str]]:
    """The lines of the weights' and biases' contributions, by step, of what is read at several steps."""
    error, steps = structure.program.error, _step_of(structure)
    read = [(each.weight, each.target) for each in structure.affine if each.layer == layer]
    read += [(each.name, each.target) for each in structure.biases if each.layer == layer]
    shared = {name for name, _ in read if sum(other == name for other, _ in read) > 1}
    by_step: dict[int, list[str]] = {}
    for name, target in read:
        if name in shared and name in structure.program.parameters:
            by_step.setdefault(steps.get(target, 0), []).append(flow(name, target, error))
    return [by_step[step] for step in sorted(by_step)]


def _cuts(structure: Structure, layer: int) -> list[dict[str, str]]:
    """The lines in which a step's arrays pass something back to the arrays of the step before; to which array each."""
    steps, error = _step_of(structure), structure.program.error
    found: dict[int, dict[str, str]] = {}
    for equation in structure.program.equations:
        step = steps.get(equation.target)
        if step is None or structure.layer_of[equation.target] != layer:
            continue
        for name in references(equation.expression):
            if name in structure.program.definitions and steps.get(name, step) == step - 1:
                found.setdefault(step, {})[flow(name, equation.target, error)] = name
    return [found[step] for step in sorted(found)]
