"""An edit: one mistake, made on a sheet. And the few rewritings of expressions that mistakes are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import sympy

from derive import arrays
from derive.program import Equation, Expression, Gather, Positions, Program, Ref, parts, rebuilt, references
from derive.verification.sheet import DoesNotApplyError, Sheet, laid_out

Layer = int | Literal["all"]
Apply = Callable[[Sheet], Sheet]

FORWARD, DERIVATIVE, VALUES, BACKWARD = range(4)


@dataclass(frozen=True)
class Edit:
    """One mistake: its identifier, its layer, which way it was made, and what it does to a sheet.

    ``line`` names the line in which it was made, or "" where there is no single one. ``stage``: of several edits
    those of a lower stage are made first. FORWARD: in the forward pass or in the error, so that what follows is the
    gradient of another network; DERIVATIVE: so too, but for the derivative of its activation; VALUES: in the values
    of the forward pass alone; BACKWARD: in the backward pass.
    """

    mistake: str
    layer: Layer
    variant: str
    apply: Apply
    line: str = ""
    stage: int = BACKWARD

    @property
    def forward(self) -> bool:
        """Is it made in the forward pass?"""
        return self.stage < BACKWARD

    @property
    def key(self) -> tuple[str, Layer]:
        """What is named in a report."""
        return self.mistake, self.layer


def on_lines(mistake: str, layer: Layer, variant: str, rewrite: Mapping[str, Callable[[Sheet], Expression]]) -> Edit:
    """An edit that rewrites lines of the backward pass; each is told the sheet as it stands.

    Lines that another mistake has taken away (a bias that was left out has no gradient) cannot be made wrong again.
    """

    def apply(sheet: Sheet) -> Sheet:
        changed = {line: new(sheet) for line, new in rewrite.items() if line in sheet.backward}
        if not changed:
            raise DoesNotApplyError(min(rewrite))
        _check_order(sheet, changed)
        return sheet.with_lines(changed)

    return Edit(mistake, layer, variant, apply, next(iter(rewrite)))


def _check_order(sheet: Sheet, changed: Mapping[str, Expression]) -> None:
    """A line may read only what stands above it."""
    known = set(sheet.program.variables)
    for line in sheet.backward:
        if line in changed and (unknown := references(changed[line]) - known):
            raise DoesNotApplyError(min(unknown))
        known.add(line)


def on_results(mistake: str, layer: Layer, variant: str, parameters: Iterable[str], new: ResultOf) -> Edit:
    """An edit of what is handed over: ``new(sheet, parameter)`` in place of each parameter's gradient."""
    chosen = tuple(parameters)
    return Edit(mistake, layer, variant, lambda sheet: sheet.with_results({name: new(sheet, name) for name in chosen}))


ResultOf = Callable[[Sheet, str], Expression]


def on_program(mistake: str, layer: Layer, variant: str, change: Callable[[Program], Program], line: str = "") -> Edit:
    """An edit of the forward pass or the error: the backward pass is that of the changed program."""
    return Edit(mistake, layer, variant, lambda sheet: laid_out(change(sheet.program)), line, FORWARD)


def backward_as_stated(edit: Edit, variant: str) -> Edit:
    """The same slip on the way forward alone: the lines of the backward pass stay those of the right network."""

    def apply(sheet: Sheet) -> Sheet:
        return replace(sheet, program=edit.apply(sheet).program)

    return replace(edit, variant=f"{edit.variant}, {variant}".removeprefix(", "), apply=apply, stage=VALUES)


FORWARD_ALONE = "in the forward pass alone"


def with_equation(program: Program, changed: Mapping[str, Expression]) -> Program:
    """A program with other expressions for some of its arrays."""
    equations = tuple(Equation(e.target, changed.get(e.target, e.expression)) for e in program.equations)
    return Program(program.variables, equations, program.error, program.parameters)


def together(edits: Sequence[Edit], layer: Layer) -> Edit:
    """The same mistake in several layers, as one."""

    def apply(sheet: Sheet) -> Sheet:
        for edit in edits:
            sheet = edit.apply(sheet)
        return sheet

    return Edit(edits[0].mistake, layer, edits[0].variant, apply, edits[0].line, edits[0].stage)


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


# ---- rewriting expressions -----------------------------------------------------------------


def scaled(expression: Expression, factor: sympy.Expr | int) -> Expression:
    """The expression times a number."""
    return arrays.elementwise(lambda x: sympy.Mul(factor, x), expression)


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
