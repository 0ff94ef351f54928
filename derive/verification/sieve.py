"""Of many pairs of mistakes those that may explain the last array of numbers: whole classes of them are tried at once.

Two mistakes of the backward pass lead to the same few lines on most sheets: the second one's rewritten lines and those
that are computed from them. Pairs for which these lines read alike form a class, and their values are stacked.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from derive.evaluate.floats import evaluate
from derive.evaluate.revised import Path, Values
from derive.program import Expression, read_by
from derive.verification.edit import Edit
from derive.verification.points import Compared, Point
from derive.verification.sheet import DoesNotApplyError, Lines
from derive.verification.tried import Flags, Tried

LARGEST = 4096
"""With more numbers than this on a sheet, stacking them gains nothing."""

Class = tuple[Path, tuple[Expression, ...]]


def sieve(point: Point, pairs: Sequence[tuple[Tried, Tried]]) -> list[int]:
    """The places of the pairs that may explain the last array, and of those that are not tried here.

    Each pair is a mistake that was made, and a second one to be made on its sheet.
    """
    last = point.arrays[0]
    kept: list[int] = []
    classes: dict[Class, list[int]] = {}
    for place, (first, second) in enumerate(pairs):
        if second.edit.forward or first.values.size > LARGEST:
            kept.append(place)
            continue
        try:
            lines, to = _rewritten(point, last, first, second.edit)
        except DoesNotApplyError:
            continue
        path = first.values.path(tuple(lines), to)
        if path:
            new = tuple([lines[name] for name, line in path if line is None])
            classes.setdefault((path, new), []).append(place)
        else:
            kept.append(place)
    for (path, new), places in classes.items():
        fit = _fit(point, last, path, new, [pairs[place][0].values for place in places])
        kept += [place for place, fits in zip(places, fit, strict=True) if fits]
    return sorted(kept)


def _rewritten(point: Point, last: Compared, first: Tried, edit: Edit) -> tuple[Lines, str]:
    """The lines that an edit rewrites on a sheet, and the line in which then the last array's numbers stand."""
    revision = edit.revision(first.sheet)
    if not revision.finish:
        return revision.backward, point.line(first.sheet, last.example)
    both = point.ready(first.sheet.revised(revision))
    old = first.values.lines
    lines = {name: line for name, line in both.lines.items() if line is not old.get(name)}
    return lines, point.line(both, last.example)


def _fit(point: Point, last: Compared, path: Path, new: tuple[Expression, ...], rows: Sequence[Values]) -> Flags:
    """Which of these sheets would have the last array's numbers, with the lines of a path computed on them."""
    written = iter(new)
    lines = {name: next(written) if line is None else line for name, line in path}
    inputs = frozenset().union(*map(read_by, lines.values())) - lines.keys()
    values = {name: np.stack([row[name] for row in rows]) for name in inputs}
    with np.errstate(all="ignore"):
        for name, line in lines.items():
            values[name] = evaluate(line, values, stacked=1)
        found = values[path[-1][0]]
        numbers = found.reshape(len(found), -1)[:, last.indices]
        fits = np.abs(numbers - point.yours[last.place]) <= point.slack[last.place]
    return np.broadcast_to(fits.all(axis=1), len(rows))
