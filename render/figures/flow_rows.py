"""Rows of a dataflow figure: which boxes stand beside each other, in which order, and how far apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

SWEEPS = 6
"""Passes over the rows, down and up, in which each item moves towards what it is joined to."""

PASSES = 80
"""Passes in which the rows settle."""


@dataclass(frozen=True)
class Item:
    """What takes up room in a row: a box, a block of time steps, or a line that passes through."""

    name: str
    half_width: float


Links = Sequence[tuple[str, str]]


def ranks(names: Sequence[str], links: Links, given: frozenset[str]) -> dict[str, int]:
    """How many arrows lie at most before each item; a given one stands right above the first that reads it."""
    before: dict[str, list[str]] = {name: [] for name in names}
    after: dict[str, list[str]] = {name: [] for name in names}
    for source, target in links:
        before[target].append(source)
        after[source].append(target)
    found: dict[str, int] = {}
    waiting = [name for name in names if name not in given]
    while waiting:
        ready = [name for name in waiting if all(each in given or each in found for each in before[name])]
        for name in ready:
            found[name] = 1 + max((found.get(each, 0) for each in before[name]), default=0)
        waiting = [name for name in waiting if name not in found]
    last = max(found.values(), default=1)
    return found | {
        name: min((found[each] for each in after[name]), default=last) - 1 for name in names if name in given
    }


def ordered(rows: list[list[str]], links: Links) -> list[list[str]]:
    """The rows with few crossings: each item near the middle of what it is joined to in the row before or after."""
    joined = _neighbours(links)
    for sweep in range(SWEEPS):
        sequence = range(1, len(rows)) if sweep % 2 == 0 else range(len(rows) - 2, -1, -1)
        for number in sequence:
            beside = rows[number - 1 if sweep % 2 == 0 else number + 1]
            place = {name: (index + 0.5) / len(beside) for index, name in enumerate(beside)}

            def middle(name: str, place: dict[str, float] = place, row: list[str] = rows[number]) -> float:
                found = [place[each] for each in joined.get(name, ()) if each in place]
                return sum(found) / len(found) if found else (row.index(name) + 0.5) / len(row)

            rows[number] = sorted(rows[number], key=middle)
    return rows


def across(rows: list[list[Item]], links: Links, gap: float) -> dict[str, float]:
    """The x of every item's middle: as near to what it is joined to as its row leaves room."""
    joined = _neighbours(links)
    xs: dict[str, float] = {}
    for row in rows:
        start = -sum(2 * item.half_width + gap for item in row) / 2
        for item in row:
            xs[item.name] = start + item.half_width
            start += 2 * item.half_width + gap
    for sweep in range(PASSES):
        for row in rows if sweep % 2 == 0 else rows[::-1]:
            wanted = [_mean([xs[each] for each in joined.get(item.name, ())], xs[item.name]) for item in row]
            xs |= dict(zip((item.name for item in row), _spread(row, wanted, gap), strict=True))
    return xs


def _neighbours(links: Links) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for source, target in links:
        found.setdefault(source, []).append(target)
        found.setdefault(target, []).append(source)
    return found


def _mean(values: list[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _spread(row: list[Item], wanted: list[float], gap: float) -> list[float]:
    """The places nearest to those wanted at which the items keep their order and do not touch (least squares)."""
    offsets = [0.0]
    for left, right in pairwise(row):
        offsets.append(offsets[-1] + left.half_width + gap + right.half_width)
    groups: list[tuple[float, int]] = []  # the mean of wanted − offset, and how many items share it
    for want, offset in zip(wanted, offsets, strict=True):
        groups.append((want - offset, 1))
        while len(groups) > 1 and groups[-2][0] > groups[-1][0]:
            (second, n), (first, m) = groups.pop(), groups.pop()
            groups.append(((first * m + second * n) / (m + n), m + n))
    shifts = [shift for shift, count in groups for _ in range(count)]
    return [shift + offset for shift, offset in zip(shifts, offsets, strict=True)]
