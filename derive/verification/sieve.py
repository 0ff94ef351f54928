"""Of many pairs of mistakes those that may explain one array of numbers: whole classes of pairs are tried at once.

Two mistakes of the backward pass lead to the same few lines on most sheets: the second one's rewritten lines and those
that are computed from them. Pairs for which these lines read alike form a class, and their values are stacked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from derive.evaluate.floats import evaluate
from derive.evaluate.revised import Path
from derive.program import Expression, parts, read_by
from derive.verification.points import Compared, Point
from derive.verification.sheet import DoesNotApplyError
from derive.verification.tried import Flags, Tried

MOST_NUMBERS = 2**20
"""So many are computed at once, all lines of a stack together."""


@dataclass(frozen=True)
class Work:
    """What is to be computed for an array (by its place among those that are compared): a path, its rewritten lines."""

    array: int
    path: Path
    rewritten: tuple[Expression, ...]

    def lines(self) -> Iterator[tuple[str, Expression]]:
        """The lines, one after the other."""
        rewritten = iter(self.rewritten)
        for name, line in self.path:
            yield name, next(rewritten) if line is None else line


def sieve(point: Point, pairs: Sequence[tuple[Tried, Tried]]) -> list[int]:
    """The places of the pairs that may explain the last array that they change, and of those that are not tried here.

    Each pair is a mistake that was made, and a second one to be made on its sheet.
    """
    kept: list[int] = []
    classes: dict[Work, list[int]] = {}
    for place, (first, second) in enumerate(pairs):
        if second.edit.forward:
            kept.append(place)
            continue
        try:
            work = _work(point, first, second)
        except DoesNotApplyError:
            continue
        if work is None:
            kept.append(place)
        else:
            classes.setdefault(work, []).append(place)
    for work, places in classes.items():
        for some in _batches(work, places):
            fit = _fit(point, point.arrays[work.array], work, [pairs[place][0] for place in some])
            kept += [place for place, fits in zip(some, fit, strict=True) if fits]
    return sorted(kept)


def _batches(work: Work, places: Sequence[int]) -> Iterator[Sequence[int]]:
    """So many at a time as can be stacked without filling the memory."""
    numbers = sum(prod(part.shape) for _, line in work.lines() for part in (line, *parts(line)))
    size = max(1, MOST_NUMBERS // max(1, numbers))
    for start in range(0, len(places), size):
        yield places[start : start + size]


def _work(point: Point, first: Tried, second: Tried) -> Work | None:
    """What the second mistake gives to do on the first one's sheet; None where it changes no array."""
    revision = second.edit.revision(first.sheet)
    lines, order, sheet = revision.backward, None, first.sheet
    if revision.finish:
        sheet = point.ready(first.sheet.revised(revision))
        order, old = sheet.lines, first.values.lines
        lines = {name: line for name, line in order.items() if line is not old.get(name)}
    for place, array in enumerate(point.arrays):
        path = first.values.path(tuple(lines), point.line(sheet, array.example), order)
        if path:
            return Work(place, path, tuple([lines[name] for name, line in path if line is None]))
    return None


def _fit(point: Point, array: Compared, work: Work, rows: Sequence[Tried]) -> Flags:
    """Which of these sheets would have an array's numbers, with the work done on them."""
    lines = dict(work.lines())
    inputs = frozenset().union(*map(read_by, lines.values())) - lines.keys()
    values = {name: np.stack([row.values[name] for row in rows]) for name in inputs}
    with np.errstate(all="ignore"):
        for name, line in lines.items():
            found = values[name] = evaluate(line, values, stacked=1)
        numbers = found.reshape(len(found), -1)[:, array.indices]
        fits = np.abs(numbers - point.yours[array.place]) <= point.slack[array.place]
    return np.broadcast_to(fits.all(axis=1), len(rows))
