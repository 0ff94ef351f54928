"""Which mistakes can be told apart: measured on pilot draws, and promised for every variant.

Of the hundreds of values that known mistakes give some always coincide: these are one. Some never change the answer:
they are none. And of so many numbers some always lie within a rounding of each other, whatever is drawn. So in the
order of plausibility a mistake is promised if it costs few draws: its value may lie too near to the right one, or to a
more plausible one's, in at most a share of `COST` of the pilot draws, and of all draws a share of `LEFT` is to be left
that keep every promise (or `OF_SOUND` of those that keep the other guarantees, where these are few). What is not
promised is left out of the feedback.

Plausible first: one way to make each mistake before further ways, what learners do before what is `RARE`, a slip in one
place before the same in every layer, and else the order of `family.SENTENCES`. Each asked number has its turn, so many
mistakes `AT_A_TIME`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from derive.scalars import Scalar
from derive.variants.sheets import Slipped
from derive.verification.edit import Edit, Layer
from derive.verification.family import SENTENCES

COST = 0.1
LEFT = 0.22
OF_SOUND = 0.6
AT_A_TIME = 4
RARE = frozenset(
    (
        "error_value_as_delta",
        "activation_derivative_twice",
        "activation_derivative_wrong_function",
        "activation_derivative_half_formed",
        "weight_gradient_times_weight",
        "back_pass_wrong_layer_weights",
        "bias_gradient_times_bias",
        "wrong_activation_forward",
    )
)
"""Mistakes that are seldom made on paper."""
SEEN = 0.5
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


Promises = tuple[tuple[Promise, ...], ...]


def told(seen: Sequence[Seen], sound: float) -> tuple[Promises, Promises]:
    """For each asked number the mistakes that are promised, and those that change it and are not.

    ``sound`` is the share of draws that keep the other guarantees: the draws that were seen are of these.
    """
    draws = len(seen[0].right) if seen else 0
    least = min(LEFT, sound * OF_SOUND)
    left: Flags = np.ones(draws, dtype=bool)

    def cheap(near: Flags) -> bool:
        nonlocal left, sound
        cost = (left & near).sum() / max(1, left.sum())
        after = sound * (1 - cost) * (1 - 1 / (draws + 1))  # never near in so few draws, it may be so in others
        if near.mean() > COST or after < least:
            return False
        left, sound = left & ~near, after
        return True

    return _sorted_out(seen, cheap)


def told_here(seen: Sequence[Seen]) -> Promises:
    """Of one draw, whatever it is, the mistakes that can be told apart in it."""
    return _sorted_out(seen, lambda near: not near.any())[0]


def _sorted_out(seen: Sequence[Seen], fits: Callable[[Flags], bool]) -> tuple[Promises, Promises]:
    """The mistakes in order of plausibility: those that fit, by the draws in which one is near others, and the rest."""
    candidates = []
    for row, one in enumerate(seen):
        own = sorted(_distinct(row, one), key=lambda each: each.rank)
        candidates += [replace(each, rank=(place // AT_A_TIME, *each.rank)) for place, each in enumerate(own)]
    kept: list[list[Candidate]] = [[] for _ in seen]
    rest: list[list[Candidate]] = [[] for _ in seen]
    for each in sorted(candidates, key=lambda one: (*one.rank, one.row)):
        near = _near(seen[each.row], each.values, [other.values for other in kept[each.row]])
        (kept if fits(near) else rest)[each.row].append(each)
    found, others = (tuple(tuple(each.promise for each in row) for row in side) for side in (kept, rest))
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
    in_one = {edit.mistake for each in found for edit in each.promise.edits if edit.layer != "all"}
    ways: Counter[tuple[str, Layer]] = Counter()
    ranked = []
    for each in sorted(found, key=lambda one: one.rank):
        first = each.promise.edits[0]
        ways[first.key] += 1
        everywhere = first.layer == "all" and first.mistake in in_one
        ranked.append(replace(each, rank=(ways[first.key], int(first.mistake in RARE), int(everywhere), *each.rank)))
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


def by_plausibility(slipped: Sequence[Sequence[Slipped]]) -> list[Scalar]:
    """Where the values of mistakes stand, the most plausible first."""
    every = ((min(map(_rank, each.edits)), each.scalar) for row in slipped for each in row)
    return list(dict.fromkeys(scalar for _, scalar in sorted(every, key=lambda each: each[0])))


def _near(seen: Seen, values: Floats, others: Sequence[Floats]) -> Flags:
    """In which draws a value cannot be told from the right one or from those of other mistakes."""
    own = reach(values, seen.right, seen.tolerance)
    near: Flags = np.abs(values - seen.right) <= own + seen.tolerance
    for other in others:
        near |= np.abs(values - other) <= own + reach(other, seen.right, seen.tolerance)
    return near


def reach(values: Floats, right: Floats, tolerance: Floats) -> Floats:
    """How far mistaken values may be off: relatively as far as the right one, and at least as far."""
    with np.errstate(divide="ignore", invalid="ignore"):
        larger = np.where(right == 0, 1.0, np.abs(values) / np.abs(right))
    return np.asarray(tolerance * np.maximum(1.0, larger))


def hidden(seen: Seen) -> Edit | None:
    """The most plausible mistake of an answer in which none can be told from the right value in half of the draws."""
    found = _distinct(0, seen)
    if not found or any(_near(seen, each.values, ()).mean() <= SEEN for each in found):
        return None
    return min(found, key=lambda each: each.rank).promise.edits[0]
