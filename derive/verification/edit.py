"""An edit: one mistake, made on a sheet. And the few rewritings of expressions that mistakes are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, reduce
from typing import Literal

import numpy as np
import sympy

from derive import arrays
from derive.program import Equation, Expression, Gather, Positions, Program, Ref, parts, rebuilt
from derive.verification.sheet import Revision, Sheet, laid_out_like
from derive.verification.steps import HandingOver, ResultOf, Rewrite, Rewriting, Step

Layer = int | Literal["all"]
Change = Callable[[Program], Program]

FORWARD, DERIVATIVE, VALUES, BACKWARD = range(4)


@dataclass(frozen=True)
class Edit:
    """One mistake: its identifier, its layer, which way it was made, and what it does to a sheet.

    ``change`` is what it does to the program, ``steps`` what then to the lines of the backward pass. ``line`` names
    the line in which it was made, or "" where there is no single one. ``stage``: of several edits those of a lower
    stage are made first. FORWARD: in the forward pass or in the error, so that what follows is the gradient of another
    network; DERIVATIVE: so too, but for the derivative of its activation; VALUES: in the values of the forward pass
    alone, with the lines of the backward pass as they stood; BACKWARD: in the backward pass. ``subject``: the weight,
    bias or activation in which it is made, of which a layer may have several. ``words``: what is said of it, where that
    is not the sentence of its mistake.
    """

    mistake: str
    layer: Layer
    variant: str
    line: str = ""
    stage: int = BACKWARD
    change: Change | None = None
    steps: tuple[Step, ...] = ()
    subject: str = ""
    words: str = ""

    @property
    def forward(self) -> bool:
        """Is it made in the forward pass?"""
        return self.stage < BACKWARD

    @property
    def key(self) -> tuple[str, Layer]:
        """What is named in a report."""
        return self.mistake, self.layer

    def apply(self, sheet: Sheet) -> Sheet:
        """The sheet with the mistake; raises DoesNotApplyError where it cannot be made there."""
        if self.change is not None:
            if self.stage == VALUES:
                sheet = replace(sheet, program=self.change(sheet.program), stated=False)
            else:
                sheet = _differentiated(self.change, sheet)
        return sheet.revised(self.revision(sheet)) if self.steps else sheet

    def revision(self, sheet: Sheet) -> Revision:
        """What its steps change on a sheet; raises DoesNotApplyError."""
        made = Revision()
        for step in self.steps:
            made = made | step.revision(sheet, made)
        return made


@lru_cache(maxsize=64)
def _differentiated(change: Change, sheet: Sheet) -> Sheet:
    """The sheet of a changed program: ways that differ in their steps alone are tried one after the other."""
    return laid_out_like(sheet, change(sheet.program))


def on_lines(mistake: str, layer: Layer, variant: str, rewrite: Mapping[str, Rewrite], subject: str = "") -> Edit:
    """An edit that rewrites lines of the backward pass; each is told what a `Rewriting` sees of the sheet."""
    return Edit(mistake, layer, variant, next(iter(rewrite)), steps=(Rewriting(rewrite),), subject=subject)


def on_results(mistake: str, layer: Layer, variant: str, parameters: Iterable[str], new: ResultOf) -> Edit:
    """An edit of what is handed over: ``new(sheet, parameter)`` in place of each parameter's gradient."""
    return Edit(mistake, layer, variant, steps=(HandingOver(tuple(parameters), new),))


def on_program(mistake: str, layer: Layer, variant: str, change: Change, line: str = "", subject: str = "") -> Edit:
    """An edit of the forward pass or the error: the backward pass is that of the changed program."""
    return Edit(mistake, layer, variant, line, FORWARD, change, subject=subject)


def with_derivative(edit: Edit, variant: str, rewrite: Mapping[str, Rewrite]) -> Edit:
    """The same slip on the way forward, with lines of the backward pass rewritten after it."""
    return _another_way(edit, variant, DERIVATIVE, (Rewriting(rewrite),))


def backward_as_stated(edit: Edit, variant: str) -> Edit:
    """The same slip on the way forward alone: the lines of the backward pass stay those of the right network."""
    return _another_way(edit, variant, VALUES)


def _another_way(edit: Edit, variant: str, stage: int, steps: tuple[Step, ...] = ()) -> Edit:
    return replace(edit, variant=f"{edit.variant}, {variant}".removeprefix(", "), stage=stage, steps=steps)


FORWARD_ALONE = "in the forward pass alone"


def with_equation(program: Program, changed: Mapping[str, Expression]) -> Program:
    """A program with other expressions for some of its arrays."""
    equations = tuple(Equation(e.target, changed.get(e.target, e.expression)) for e in program.equations)
    return Program(program.variables, equations, program.error, program.parameters)


def together(edits: Sequence[Edit], layer: Layer) -> Edit:
    """The same mistake in several layers, as one."""
    changes = tuple(edit.change for edit in edits if edit.change is not None)
    steps = tuple(step for edit in edits for step in edit.steps)
    return replace(edits[0], layer=layer, change=_in_turn(changes) if changes else None, steps=steps, subject="")


@lru_cache(maxsize=256)
def _in_turn(changes: tuple[Change, ...]) -> Change:
    """Several changes of a program as one; the same ones give the same."""
    return lambda program: reduce(lambda changed, change: change(changed), changes, program)


def in_every_layer(edits: Iterable[Edit]) -> Iterator[Edit]:
    """The edits, and each that can be made in several layers made in all of them."""
    groups: dict[tuple[str, str], dict[Layer, list[Edit]]] = {}
    for edit in edits:
        yield edit
        groups.setdefault((edit.mistake, edit.variant), {}).setdefault(edit.layer, []).append(edit)
    for by_layer in groups.values():
        if len(by_layer) > 1 and "all" not in by_layer:
            ordered = sorted(by_layer, key=lambda layer: -int(layer))
            yield together([edit for layer in ordered for edit in by_layer[layer]], "all")


def one_of_a_kind(edits: Iterable[Edit]) -> Iterator[Edit]:
    """The edits, no two alike: what a layer has several subjects for is made in all of them at once, and in each."""
    groups: dict[tuple[str, Layer, str], list[Edit]] = {}
    for edit in edits:
        groups.setdefault((edit.mistake, edit.layer, edit.variant), []).append(edit)
    for (_, layer, variant), alike in groups.items():
        each = {edit.subject: edit for edit in reversed(alike)}
        if len(each) == 1:
            yield alike[0]
            continue
        yield together(list(each.values())[::-1], layer)
        for subject, edit in reversed(each.items()):
            yield replace(edit, variant=f"{variant}, of {subject} alone".removeprefix(", "))


# ---- rewriting expressions -----------------------------------------------------------------


@lru_cache(maxsize=2**12)
def scaled(expression: Expression, factor: sympy.Expr | int) -> Expression:
    """The expression times a number."""
    return arrays.elementwise(lambda x: sympy.Mul(factor, x), expression)


@lru_cache(maxsize=2**12)
def times(left: Expression, right: Expression) -> Expression:
    """left ⊙ right, as sympy multiplies."""
    return arrays.elementwise(sympy.Mul, left, right)


def ones(expression: Expression) -> Expression:
    """1 in every element."""
    return arrays.constant(1, expression.shape)


def zeros(expression: Expression) -> Expression:
    """0 in every element."""
    return arrays.constant(0, expression.shape)


def replaced(expression: Expression, names: Mapping[str, Expression]) -> Expression:
    """The expression with other expressions of the same shapes in place of named arrays."""
    if isinstance(expression, Ref):
        return names.get(expression.name, expression)
    return rebuilt(expression, tuple(replaced(part, names) for part in parts(expression)))


def kept_where(expression: Expression, mask: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Expression:
    """The elements where the mask is true, zero elsewhere."""
    places = np.arange(mask.size).reshape(mask.shape)
    return Gather((expression,), Positions(np.where(mask, places, -1)), expression.shape)


def rearranged(expression: Expression, order: Sequence[int], axis: int = -1) -> Expression:
    """The elements in another order along an axis."""
    places = np.arange(int(np.prod(expression.shape))).reshape(expression.shape)
    taken = np.take(places, order, axis=axis)
    return Gather((expression,), Positions(taken), tuple(taken.shape))


def picked(expression: Expression, axis: int, place: int) -> Expression:
    """One slice along an axis, the axis gone."""
    places = np.take(np.arange(int(np.prod(expression.shape))).reshape(expression.shape), place, axis=axis)
    return Gather((expression,), Positions(np.asarray(places)), tuple(np.shape(places)))


MOST_ORDERS = 6
"""Of an axis longer than this only the shifts by one, the reversal and neighbouring swaps are tried."""


def orders(size: int) -> Iterator[tuple[str, list[int]]]:
    """Ways in which somebody may mix up the order of so many things: two of them swapped, all shifted, reversed."""
    seen = {tuple(range(size))}
    wide = size > MOST_ORDERS
    swaps = [(i, j) for i in range(size) for j in range(i + 1, size) if not wide or j == i + 1]
    found = []
    for i, j in swaps[:40]:
        order = list(range(size))
        order[i], order[j] = j, i
        found.append((f"{i + 1} and {j + 1}", order))
    shifts = (1, size - 1) if wide else range(1, size)
    found += [(f"shifted by {shift}", [(place + shift) % size for place in range(size)]) for shift in shifts]
    found.append(("reversed", list(range(size))[::-1]))
    for name, order in found:
        if tuple(order) not in seen:
            seen.add(tuple(order))
            yield name, order
