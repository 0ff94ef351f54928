"""Mistakes in how the errors of outputs and examples make the error: the gradient of another error."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from sympy import Rational

from derive import arrays
from derive.functions import LOSSES
from derive.problem import Problem
from derive.program import Expression, Program, Ref, references
from derive.verification.edit import (
    Edit,
    kept_where,
    on_lines,
    on_program,
    on_results,
    replaced,
    scaled,
    with_equation,
    zeros,
)
from derive.verification.sheet import Sheet, flow
from derive.verification.structure import Structure

MOST_OUTPUTS = 12
"""Of a wider output it is not tried whether one was forgotten."""


def edits(structure: Structure, problem: Problem) -> Iterator[Edit]:
    """Mistakes in how the errors of outputs and examples make the error, and the penalty forgotten."""
    if structure.comparison:
        yield from _of_errors(structure, problem)
    yield from _of_penalty(structure)


def _of_errors(structure: Structure, problem: Problem) -> Iterator[Edit]:
    program, comparison = structure.program, structure.comparison
    shape = program.shape(comparison)
    if _halved(structure, problem):
        yield _scaled_error("loss_without_half", 2, comparison)
    examples = shape[0] if len(shape) > 1 else 1
    outputs = int(np.prod(shape)) // examples
    mean_outputs, mean_examples = _means(structure, problem)
    if outputs > 1:
        yield from _of_outputs(structure, mean_outputs, outputs)
    positions = int(np.prod(shape[1:-1]))
    if 1 < positions < outputs and not mean_outputs:  # as frameworks average over the answers of a sequence
        yield _scaled_error("loss_averaged", Rational(1, positions), comparison)
    if examples > 1:
        yield from _of_examples(structure, mean_examples, examples)
    if examples > 1 and outputs > 1 and not mean_outputs and not mean_examples:
        yield _scaled_error("loss_averaged", Rational(1, examples * outputs), comparison)


def _halved(structure: Structure, problem: Problem) -> bool:
    """Is there a ½ where the errors are squared or added?"""
    program = structure.program
    if problem.equations:
        places = (program.error, structure.comparison)
        written = " ".join(e.text for e in program.equations if e.target in places).replace(" ", "")
        return any(half in written for half in ("/2", "0.5*", "1/2"))
    return "/2" in arrays.text(program.definitions[structure.comparison])


def _means(structure: Structure, problem: Problem) -> tuple[bool, bool]:
    """Is the error a mean over outputs, over examples?"""
    program = structure.program
    if problem.equations:
        mean = any("mean(" in e.text for e in program.equations if e.target == program.error)
        return mean, mean
    loss = LOSSES.get(problem.loss.name)
    return loss is not None and loss.over_outputs == "mean", problem.loss.over_examples == "mean"


def _of_outputs(structure: Structure, mean: bool, outputs: int) -> Iterator[Edit]:
    comparison = structure.comparison
    shape = structure.program.shape(comparison)
    yield (
        _scaled_error("loss_summed", outputs, comparison)
        if mean
        else _scaled_error("loss_averaged", Rational(1, outputs), comparison)
    )
    for output in range(shape[-1] if shape[-1] <= MOST_OUTPUTS else 0):
        mask = np.ones(shape, dtype=bool)
        mask[..., output] = False
        yield _masked("output_forgotten_in_loss", f"output {output + 1}", comparison, mask, 1)
        if mean:
            rest = Rational(outputs, outputs - 1)
            yield _masked(
                "output_forgotten_in_loss", f"output {output + 1}, the mean of the rest", comparison, mask, rest
            )


def _of_examples(structure: Structure, mean: bool, examples: int) -> Iterator[Edit]:
    comparison = structure.comparison
    mistake = "examples_summed_not_averaged" if mean else "examples_averaged_not_summed"
    factor = examples if mean else Rational(1, examples)
    yield _scaled_error(mistake, factor, comparison)
    weights = tuple(v.name for v in structure.program.by_role("weight") if v.name in structure.program.parameters)
    biases = tuple(v.name for v in structure.program.by_role("bias") if v.name in structure.program.parameters)
    groups = {"in all gradients": structure.program.parameters, "in the gradients of the weights alone": weights}
    for variant, names in (groups | {"in the gradients of the biases alone": biases}).items():
        if names:
            yield on_results(mistake, "all", variant, names, lambda sheet, name: scaled(sheet.result(name), factor))
    mask = np.zeros(structure.program.shape(comparison), dtype=bool)
    mask[-1] = True
    yield _masked("last_example_only", "", comparison, mask, 1)
    if mean:
        yield _masked("last_example_only", "not averaged", comparison, mask, examples)


def _scaled_error(mistake: str, factor: int | Rational, comparison: str) -> Edit:
    def change(program: Program) -> Program:
        return with_equation(program, {comparison: scaled(program.definitions[comparison], factor)})

    return on_program(mistake, "all", _by(factor), change, comparison)


def _by(factor: int | Rational) -> str:
    """By how much the error is off: in words where its name does not say it."""
    return f"divided by {1 / factor}" if factor < 1 else f"{factor} times as large"


def _masked(
    mistake: str,
    variant: str,
    comparison: str,
    mask: np.ndarray[tuple[int, ...], np.dtype[np.bool_]],
    factor: int | Rational,
) -> Edit:
    """The errors where the mask is false left out of what is added."""

    def change(program: Program) -> Program:
        kept = kept_where(Ref(comparison, program.shape(comparison)), mask)
        names: dict[str, Expression] = {comparison: scaled(kept, factor) if factor != 1 else kept}
        readers = [e for e in program.equations if comparison in references(e.expression)]
        return with_equation(program, {e.target: replaced(e.expression, names) for e in readers})

    return on_program(mistake, "all", variant, change, comparison)


def _of_penalty(structure: Structure) -> Iterator[Edit]:
    """The penalty left out of the error, or out of the gradients of one layer or all."""
    program = structure.program
    name = structure.penalty
    if not name:
        return

    def change(program: Program) -> Program:
        none = {name: arrays.constant(0)}
        changed = {
            e.target: replaced(e.expression, none) for e in program.equations if name in references(e.expression)
        }
        return with_equation(program, changed)

    yield on_program("weight_decay_missing", "all", "", change, name)
    for layer, parameters in structure.parameters_of.items():
        lines = [
            flow(each, name, program.error) for each in parameters if each in references(program.definitions[name])
        ]
        if lines:
            yield on_lines("weight_decay_missing", layer, "in the gradients", {line: _zero(line) for line in lines})


def _zero(line: str) -> Callable[[Sheet], Expression]:
    return lambda sheet: zeros(sheet.line(line))
