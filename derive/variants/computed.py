"""A draw computed: levels of units, right and mistaken values in floats, in balls, and with every step rounded."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from flint import arb

from derive.digits import Exact
from derive.evaluate import shared
from derive.evaluate.balls import UndecidedError
from derive.evaluate.unrolled import indices
from derive.functions import Activation
from derive.program import Softmax
from derive.scalars import Scalar
from derive.variants.sheets import Sheets
from derive.variants.space import Number
from derive.verification.precision import Precision

FLAT = 0.01
"""A unit whose derivative is less than this is saturated; so is a share of a softmax that near to 0 or 1."""

_EDGE = (1 - math.sqrt(1 - 4 * FLAT)) / 2

LEVELS = {
    "logistic": (_EDGE, 1 - _EDGE),
    "tanh": (-math.sqrt(1 - FLAT), math.sqrt(1 - FLAT)),
    "hard_sigmoid": (1e-9, 1 - 1e-9),
}
"""Between which outputs an activation that saturates is not flat."""

KINKS = {"hard_sigmoid": (-3, 3)}
"""Where the kinks of an activation are, if not at 0."""


@dataclass(frozen=True)
class Limit:
    """Between which ends the value at a ``place`` of the levels has to lie; ``scalar`` is the unit."""

    place: int
    scalar: Scalar
    low: float
    high: float


class Computed:
    """The asked numbers of sheets with some of the mistakes (``wrong``: their places, for each asked number)."""

    def __init__(self, sheets: Sheets, wrong: Sequence[Sequence[Scalar]], carry: Precision) -> None:
        self.sheets, self.wrong, self.carry = sheets, [tuple(row) for row in wrong], carry
        self.limits = tuple(_limits(sheets))

    @cached_property
    def _every(self) -> tuple[Scalar, ...]:
        return tuple(scalar for row in self.wrong for scalar in row)

    @cached_property
    def _levels(self) -> tuple[Scalar, ...]:
        return tuple(Scalar(self.sheets.names[each.scalar.array], each.scalar.index) for each in self.limits)

    @cached_property
    def _floats(self) -> shared.Function:
        outputs = (*self._levels, *self.sheets.right, *self._every)
        return shared.in_floats(self.sheets.lines, self.sheets.inputs, outputs)

    @cached_property
    def _balls(self) -> shared.Function:
        return shared.in_balls(self.sheets.lines, self.sheets.inputs, (*self.sheets.right, *self._every))

    @cached_property
    def _rounded(self) -> shared.Function:
        sheets = self.sheets
        program = sheets.base.program
        forward = [
            Scalar(sheets.names[name], index)
            for name in program.definitions
            if sheets.names[name] in sheets.lines.expressions
            for index in indices(program.shape(name))
        ]
        carry = self.carry
        outputs = (*sheets.right, *(net for net, _ in self._kinks))
        return shared.in_roundings(sheets.lines, sheets.inputs, outputs, forward, carry.kind, carry.places)

    @cached_property
    def _kinks(self) -> tuple[tuple[Scalar, int], ...]:
        """Net inputs of activations with a kink, and where that is."""
        sheets = self.sheets
        return tuple(
            (Scalar(sheets.names.get(squash.source, squash.source), index), kink)
            for squash in sheets.structure.squashes
            if squash.row is not None and squash.row.kink
            for index in indices(sheets.base.program.shape(squash.source))
            for kink in KINKS.get(squash.row.name, (0,))
        )

    def floats(self, numbers: Sequence[Number]) -> tuple[tuple[float, ...], list[float], list[list[float]]]:
        """Levels, right values, and mistaken ones for each asked number."""
        found = self._floats(*(number.close for number in numbers))
        levels = len(self._levels)
        return (found[:levels], *self._split(found[levels:]))

    def exact(self, numbers: Sequence[Number]) -> tuple[list[Exact], list[list[Exact]]]:
        """Right and mistaken values in balls, at the context's precision."""
        return self._split(self._balls(*(number.ball for number in numbers)))

    def rounded(self, numbers: Sequence[Number]) -> tuple[Exact, ...]:
        """Balls with all that rounding may make of the right values. Raises UndecidedError at a kink."""
        found = self._rounded(*(number.ball for number in numbers))
        right = len(self.sheets.right)
        for net, (_, kink) in zip(found[right:], self._kinks, strict=True):
            if net == kink or (isinstance(net, arb) and net.contains(kink)):
                raise UndecidedError
        return found[:right]

    def _split(self, values: tuple[Any, ...]) -> tuple[list[Any], list[list[Any]]]:
        start = len(self.sheets.right)
        rows: list[list[Any]] = []
        for row in self.wrong:
            rows.append(list(values[start : start + len(row)]))
            start += len(row)
        return list(values[: len(self.sheets.right)]), rows

    def varying(self, draws: Sequence[Sequence[Number]]) -> tuple[Limit, ...]:
        """The limits on what some draws change: what no draw can change is not asked of one."""
        rows = [self.floats(numbers)[0] for numbers in draws]
        return tuple(each for each in self.limits if len({row[each.place] for row in rows}) > 1)


def _limits(sheets: Sheets) -> Iterator[Limit]:
    place = 0
    for name, low, high in _saturating(sheets):
        for index in indices(sheets.base.program.shape(name)):
            yield Limit(place, Scalar(name, index), low, high)
            place += 1


def _saturating(sheets: Sheets) -> Iterator[tuple[str, float, float]]:
    """The arrays of units that may be saturated, and between which values they are not."""
    for squash in sheets.structure.squashes:
        row: Activation | None = squash.row
        if row is not None and row.name in LEVELS:
            yield (squash.target, *LEVELS[row.name])
    for equation in sheets.base.program.equations:
        if isinstance(equation.expression, Softmax):
            low, high = FLAT, 1 - FLAT
            logarithm = equation.expression.logarithm
            yield (equation.target, math.log(low), math.log(high)) if logarithm else (equation.target, low, high)
