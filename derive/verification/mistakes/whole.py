"""Mistakes in what is handed over: the step for the gradient, the new weights, the layout."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction

import sympy

from derive import arrays, optimizers
from derive.problem import Update
from derive.program import Expression, Map
from derive.verification.edit import Edit, on_results, scaled, times, zeros
from derive.verification.sheet import RATE, Sheet
from derive.verification.structure import Structure

NewValue = Callable[[Sheet, str], Expression]


def new_value(update: Update) -> NewValue:
    """What one update makes of a parameter, from the gradient that the sheet hands over."""
    w, g, eta = sympy.Symbol("w", real=True), sympy.Symbol("g", real=True), sympy.Symbol("eta", real=True)
    stated, at_any_rate = optimizers.first_step(update, w, g), optimizers.first_step(update, w, g, eta)

    def new(sheet: Sheet, parameter: str) -> Expression:
        known = {w: sheet.ref(parameter), g: sheet.result(parameter)}
        formula = stated
        if RATE in sheet.program.variables:
            formula, known = at_any_rate, {**known, eta: sheet.ref(RATE)}
        symbols = {symbol: arrays.placeholder(part) for symbol, part in known.items()}
        return Map(
            formula.xreplace(symbols), tuple(symbols.values()), tuple(known.values()), sheet.ref(parameter).shape
        )

    return new


def edits(structure: Structure, update: Update | None) -> Iterator[Edit]:
    """The mistakes of the last line."""
    parameters = structure.program.parameters
    if update is not None:
        yield from _of_update(structure, update)
    matrices = [name for name in parameters if len(structure.program.shape(name)) == 2]
    square = [name for name in matrices if len(set(structure.program.shape(name))) == 1]
    if square and len(square) == len(matrices):
        yield on_results("layout_transposed", "all", "", square, lambda s, p: arrays.transpose(s.result(p)))


def _of_update(structure: Structure, update: Update) -> Iterator[Edit]:
    parameters, new = structure.program.parameters, new_value(update)

    def folded(sheet: Sheet, parameter: str) -> Expression:
        if RATE in sheet.program.variables:
            return times(sheet.result(parameter), sheet.ref(RATE))
        return scaled(sheet.result(parameter), _rational(update.learning_rate))

    held = set(optimizers.fixed(structure.program, update)) & set(parameters)
    yield on_results("learning_rate_folded_in", "all", "", parameters, folded)
    for layer, own in structure.parameters_of.items():
        yield on_results("learning_rate_folded_in", layer, "", own, folded)
    yield on_results("update_handed_over", "all", "", parameters, lambda s, p: arrays.subtract(new(s, p), s.ref(p)))
    yield on_results("new_weights_handed_over", "all", "", parameters, new)
    moving = [name for name in parameters if name not in held]
    if held and moving:
        fixed = "fixed ones as they are"
        yield on_results("learning_rate_folded_in", "all", fixed, moving, folded)
        yield on_results("update_handed_over", "all", fixed, parameters, lambda s, p: _change(s, p, new, held))
        yield on_results(
            "new_weights_handed_over", "all", fixed, parameters, lambda s, p: s.ref(p) if p in held else new(s, p)
        )


def _change(sheet: Sheet, parameter: str, new: NewValue, held: set[str]) -> Expression:
    """What the update adds to a parameter: 0 to one that is fixed."""
    own = sheet.ref(parameter)
    return zeros(own) if parameter in held else arrays.subtract(new(sheet, parameter), own)


def _rational(value: Fraction) -> sympy.Rational:
    return sympy.Rational(value.numerator, value.denominator)
