"""Conventions by which somebody's printed numbers may differ: each is a variation of the problem.

The other order of update, other biases moving, another constant in the error, a step more or less, every step
rounded: they are generated from the problem itself, and nothing is tried that could not apply to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import prod

import sympy

from derive import build
from derive.derivation import Derivation
from derive.functions import LOSSES
from derive.optimizers import is_plain
from derive.problem import Problem, Published
from derive.program import Program
from derive.quantities import places_of
from derive.verification.edit import scaled, with_equation
from derive.verification.precision import Precision
from derive.verification.regular import regular
from derive.verification.structure import Structure

SENTENCES: dict[str, str] = {
    "update_order_sequential": "the layers are updated in sequence: the output layer's weights first, and then "
    "the deltas are passed back through the weights already updated",
    "update_order_simultaneous": "all weights are updated at once, each by the gradient at the old weights",
    "biases_updated": "the biases are updated too, by the same rule as the weights",
    "biases_fixed": "the biases stay as they are, and only the weights are updated",
    "loss_without_half": "the error is the squared difference, without the ½",
    "loss_with_half": "the error is half the squared difference, with a ½",
    "loss_averaged": "the error is the mean over the outputs, not their sum",
    "loss_summed": "the error is the sum over the outputs, not their mean",
    "examples_averaged_not_summed": "the error is the mean over the examples, not their sum",
    "examples_summed_not_averaged": "the error is the sum over the examples, not their mean",
    "steps_off_by_one": "the steps are counted otherwise by one",
    "rounded_at_each_step": "every intermediate result is rounded before the next one is computed from it",
}
"""What each convention is, in words that follow "if": one row each, the most plausible first."""


@dataclass(frozen=True)
class Convention:
    """One convention: ``vary`` makes the derivation with it (None where it has nothing to say there)."""

    identifier: str
    variant: str = ""
    vary: Callable[[Derivation], Derivation | None] = lambda derivation: derivation
    shift: int = 0
    rounded: Precision | None = None

    @property
    def words(self) -> str:
        """The convention in words that follow "if"."""
        return SENTENCES[self.identifier] + (f" ({self.variant})" if self.variant else "")


# ---- the conventions of a problem ----------------------------------------------------------


def conventions(derivation: Derivation) -> Iterator[Convention]:
    """Every convention that the problem may be held to instead of its own, the most plausible first."""
    yield from _of_update(derivation)
    yield from _of_error(derivation)
    names = [each.name for each in derivation.problem.published]
    if any("@" in name for name in names):
        yield Convention("steps_off_by_one", "one fewer", shift=-1)
        yield Convention("steps_off_by_one", "one more", shift=1)
    for places, kind in _precisions(derivation.problem.published):
        unit = f"{places} {'decimals' if kind == 'dp' else 'significant digits'}"
        yield Convention("rounded_at_each_step", f"to {unit}", rounded=Precision(kind, places, steps=True))


def _of_update(derivation: Derivation) -> Iterator[Convention]:
    problem = derivation.problem
    update = problem.update
    if update is None:
        return
    if problem.dense and len(problem.layers) > 1 and is_plain(update):
        order = {"simultaneous": "sequential", "sequential": "simultaneous"}[update.order]
        yield Convention(f"update_order_{order}", vary=_updating(order=order))
    if derivation.program.by_role("bias"):
        other = {"fixed": "updated", "updated": "fixed"}[update.biases]
        yield Convention(f"biases_{other}", vary=_updating(biases=other))
        if other == "updated" and any(isinstance(layer.bias, Fraction) and layer.units > 1 for layer in problem.layers):
            yield Convention("biases_updated", "a bias of its own for each unit", vary=_own_biases)


def _updating(**changed: str) -> Callable[[Derivation], Derivation | None]:
    def vary(derivation: Derivation) -> Derivation | None:
        update = derivation.problem.update
        assert update is not None, "a convention of the update is of a problem that has one"
        return _with(derivation, replace(derivation.problem, update=replace(update, **changed)))  # type: ignore[arg-type]

    return vary


def _with(derivation: Derivation, problem: Problem) -> Derivation:
    """The derivation of the same program, its update another one."""
    return Derivation(problem, derivation.program)


def _own_biases(derivation: Derivation) -> Derivation | None:
    """The biases updated, each unit with one of its own that starts as the shared one does."""
    problem = derivation.problem
    layers = tuple(
        replace(layer, bias=(layer.bias,) * layer.units) if isinstance(layer.bias, Fraction) else layer
        for layer in problem.layers
    )
    assert problem.update is not None
    own = replace(problem, layers=layers, update=replace(problem.update, biases="updated"))
    return Derivation(own, build.program(own))


def _of_error(derivation: Derivation) -> Iterator[Convention]:
    """Other constants in the error: its ½, and sums for means."""
    structure = Structure(regular(derivation.program))
    comparison, problem = structure.comparison, derivation.problem
    if not comparison or comparison not in derivation.program.definitions:
        return
    shape = derivation.program.shape(comparison)
    examples = shape[0] if len(shape) > 1 and derivation.program.variables[comparison].per_example else 1
    outputs = prod(shape) // examples
    if problem.loss.name in ("half_squared_error", "squared_error", "mean_squared_error"):
        half = problem.loss.name == "half_squared_error"
        factor = sympy.Integer(2) if half else sympy.Rational(1, 2)
        yield _scaled("loss_without_half" if half else "loss_with_half", comparison, factor)
    loss = LOSSES.get(problem.loss.name)
    whole = derivation.program.error if problem.penalty is None else comparison
    if outputs > 1 and loss is not None:
        mean = loss.over_outputs == "mean"
        factor = sympy.Integer(outputs) if mean else sympy.Rational(1, outputs)
        yield _scaled("loss_summed" if mean else "loss_averaged", whole, factor)
    if examples > 1:
        mean = problem.loss.over_examples == "mean"
        factor = sympy.Integer(examples) if mean else sympy.Rational(1, examples)
        name = "examples_summed_not_averaged" if mean else "examples_averaged_not_summed"
        yield _scaled(name, whole, factor)


def _scaled(identifier: str, array: str, factor: sympy.Rational) -> Convention:
    def vary(derivation: Derivation) -> Derivation:
        program: Program = derivation.program
        return Derivation(
            derivation.problem, with_equation(program, {array: scaled(program.definitions[array], factor)})
        )

    return Convention(identifier, vary=vary)


def _precisions(published: Sequence[Published]) -> Iterator[tuple[int, str]]:
    """To how many decimals, or significant digits, somebody who prints so may round: what is printed most alike."""
    decimals = [places_of(each.value) for each in published]
    figures = [_significant_digits(each.value) for each in published]
    alike = {kind: max(map(digits.count, digits)) for kind, digits in (("dp", decimals), ("sf", figures))}
    kind, digits = ("dp", decimals) if alike["dp"] >= alike["sf"] else ("sf", figures)
    for places in sorted({each for each in digits if each > 0 and digits.count(each) * 3 >= len(digits)}, reverse=True):
        yield places, kind


def _significant_digits(value: str) -> int:
    return len(value.partition("e")[0].partition("E")[0].lstrip("+-").replace(".", "").lstrip("0"))
