"""Which mistakes can be told apart: measured on pilot draws, and promised for every variant.

Of the hundreds of values that known mistakes give some always coincide: these are one. Some never change the answer:
they are none. And of so many numbers some always lie within a rounding of each other, whatever is drawn. So in the
order of plausibility (that of `family.SENTENCES`; of each mistake one way to make it before further ways) a mistake is
promised if it costs few draws: in at most `COST` of the pilot draws its value may lie too near to the right one or to a
more plausible one's, and `LEFT` of the draws must be left that keep all promises made. What is not promised is left
out of the feedback.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from derive.scalars import Scalar
from derive.variants.sheets import Slipped
from derive.verification.edit import Edit, Layer
from derive.verification.family import SENTENCES

COST = 0.06
LEFT = 0.4
SAME = 1e-9
"""Numbers that agree so far in every pilot draw are the same."""

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Promise:
    """Mistakes that give one value, the most plausible first, and where it stands."""

    edits: tuple[Edit, ...]
    scalar: Scalar

    @cached_property
    def keys(self) -> tuple[tuple[str, Layer], ...]:
        """Identifier and layer of each, once."""
        return tuple(dict.fromkeys(edit.key for edit in self.edits))


@dataclass(frozen=True)
class Seen:
    """An asked number in all pilot draws: the right values, tolerances, and each mistake's values, a column each."""

    right: Floats
    tolerance: Floats
    wrong: Floats
    slipped: tuple[Slipped, ...]


@dataclass(frozen=True)
class Candidate:
    """Mistakes that coincide in every draw, with their values."""

    row: int
    promise: Promise
    values: Floats
    rank: tuple[int, ...]


def told(
    seen: Sequence[Seen], cost: float = COST
) -> tuple[tuple[tuple[Promise, ...], ...], tuple[tuple[Promise, ...], ...]]:
    """For each asked number the mistakes that are promised, and those that change it and are not."""
    candidates = [each for row, one in enumerate(seen) for each in _distinct(row, one)]
    candidates.sort(key=lambda each: (*each.rank, each.row))
    draws = len(seen[0].right) if seen else 0
    left: Flags = np.ones(draws, dtype=bool)
    kept: list[list[Candidate]] = [[] for _ in seen]
    rest: list[list[Candidate]] = [[] for _ in seen]
    for each in candidates:
        near = _near(seen[each.row], each.values, [other.values for other in kept[each.row]])
        after = left & ~near
        cheap = near.mean() <= cost and after.sum() >= LEFT * draws
        if cheap or not near.any():
            left = after
            kept[each.row].append(each)
        else:
            rest[each.row].append(each)
    found, others = (
        tuple(tuple(each.promise for each in sorted(row, key=lambda one: one.rank[1:])) for row in side)
        for side in (kept, rest)
    )
    return found, others


def _distinct(row: int, seen: Seen) -> list[Candidate]:
    """Mistakes together whose values always coincide; without those that never change the answer or have no value."""
    scale = np.maximum(np.abs(seen.right), 1e-300)
    finite = np.isfinite(seen.wrong).all(axis=0)
    with np.errstate(invalid="ignore"):
        changes = (np.abs(seen.wrong - seen.right[:, None]) > SAME * scale[:, None]).any(axis=0)
    groups: list[tuple[Floats, list[int]]] = []
    for column in np.flatnonzero(finite & changes):
        values = seen.wrong[:, column]
        size = SAME * np.maximum(np.abs(values), scale * 1e-3)
        same = next((members for other, members in groups if (np.abs(values - other) <= size).all()), None)
        if same is None:
            groups.append((values, [int(column)]))
        else:
            same.append(int(column))
    found = [_candidate(row, seen, values, members) for values, members in groups]
    ways: Counter[tuple[str, object]] = Counter()
    ranked = []
    for each in sorted(found, key=lambda one: one.rank):
        ways[each.promise.edits[0].key] += 1
        ranked.append(replace(each, rank=(ways[each.promise.edits[0].key], *each.rank)))
    return ranked


def _candidate(row: int, seen: Seen, values: Floats, members: list[int]) -> Candidate:
    ranked = sorted(
        ((_rank(edit), edit, seen.slipped[column].scalar) for column in members for edit in seen.slipped[column].edits),
        key=lambda each: each[0],
    )
    return Candidate(row, Promise(tuple(edit for _, edit, _ in ranked), ranked[0][2]), values, ranked[0][0])


_ORDER = {mistake: place for place, mistake in enumerate(SENTENCES)}


def _rank(edit: Edit) -> tuple[int, int]:
    """How plausible a mistake is: the smaller the more."""
    return _ORDER[edit.mistake], int(edit.layer == "all")


def _near(seen: Seen, values: Floats, others: Sequence[Floats]) -> Flags:
    """In which draws a value cannot be told from the right one or from those of other mistakes."""
    own = reach(values, seen.right, seen.tolerance)
    near: Flags = np.abs(values - seen.right) <= own + seen.tolerance
    for other in others:
        near |= np.abs(values - other) <= own + reach(other, seen.right, seen.tolerance)
    return near


def reach(values: Floats, right: Floats, tolerance: Floats) -> Floats:
    """How far mistaken values may be off: relatively as far as the right one, and at least as far."""
    return np.asarray(tolerance * np.maximum(1.0, np.abs(values) / np.abs(right)))
