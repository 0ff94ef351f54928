"""Which mistakes explain the numbers: each alone, or two at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from derive.verification.edit import BACKWARD, Edit
from derive.verification.points import Floats, Point
from derive.verification.sheet import Sheet
from derive.verification.sieve import sieve
from derive.verification.tried import Flags, Made, Tried

Clock = Callable[[], float]

SECONDS_FOR_PAIRS = 20.0
"""So long two mistakes at once are looked for, of the processor's time: what else it does decides no diagnosis."""

PAIRS_AT_ONCE = 64
"""So many are tried before the clock is read again, which takes as long as to try one."""

SIEVED_AT_ONCE = 4096
"""So many are sieved before the first of them is looked at."""

MOST_EXPLANATIONS = 12
"""So many explanations are told."""


@dataclass(frozen=True)
class Candidate:
    """Mistakes that may explain the numbers, the most plausible first; as they were `made` in turn, and the sheet."""

    named: tuple[Edit, ...]
    made: tuple[Edit, ...]
    sheet: Sheet


@dataclass(frozen=True)
class Search:
    """The family of mistakes held against what was handed over at one point or several."""

    points: Sequence[Point]
    made: Sequence[Made]

    @property
    def first(self) -> Point:
        """The point at which mistakes are looked for; the others confirm."""
        return self.points[0]

    @cached_property
    def tried(self) -> tuple[Tried, ...]:
        """Every edit, its numbers, and what it may change."""
        found = []
        for made in self.made:
            numbers, reaches, values = self.first.reached_by(made.sheet)
            fits, changes = self.first.may_fit(numbers), self._changed(numbers)
            if reaches.any():
                rewrites = _rewritten(made.sheet, self.first.sheet)
                found.append(Tried(made.edit, made.sheet, numbers, fits, changes, reaches, rewrites, values))
        return tuple(found)

    def _changed(self, numbers: Floats) -> Flags:
        right = self.first.right
        scale = np.maximum(np.abs(right), np.abs(numbers))
        return ~(np.abs(numbers - right) <= 1e-11 * scale)

    def single(self) -> list[tuple[Edit, ...]]:
        """The edits that alone explain every number, at every point; one for each mistake and layer."""
        fitting = (each for each in self.tried if each.fits.all() and each.changes.any())
        return list(self._confirmed(Candidate((each.edit,), (each.edit,), each.sheet) for each in fitting))

    def pairs(self, clock: Clock = time.process_time) -> list[tuple[Edit, ...]]:
        """Two edits at once that explain every number; the search ends after `SECONDS_FOR_PAIRS`."""
        ends = clock() + SECONDS_FOR_PAIRS

        def candidates() -> Iterator[Candidate]:
            pairs = self._possible_pairs()
            for start in range(0, len(pairs), SIEVED_AT_ONCE):
                turns = [(pair, turn) for pair in pairs[start : start + SIEVED_AT_ONCE] for turn in in_turn(*pair)]
                kept = sieve(self.first, [turn for _, turn in turns])
                for number, place in enumerate(kept):
                    if number % PAIRS_AT_ONCE == 0 and clock() > ends:
                        return
                    (one, other), (first, second) = turns[place]
                    both = self.first.edited(second.edit, first.sheet)
                    if both is not None and self.first.all_may_fit(both, first.values):
                        yield Candidate((one.edit, other.edit), (first.edit, second.edit), both)

        return list(self._confirmed(candidates()))

    def numbers_of_pair(self, one: Tried, other: Tried) -> Floats | None:
        """What two mistakes at once would have given; None where they cannot be made together."""
        if not _two_mistakes(one.edit, other.edit):
            return None
        first, second = next(in_turn(one, other))
        both = self.first.edited(second.edit, first.sheet)
        return None if both is None else self.first.numbers_of(both, first.values)

    def _possible_pairs(self) -> list[tuple[Tried, Tried]]:
        """Pairs that can explain everything: what only one changes it explains alone, what none changes is right."""
        tried = self.tried
        if not tried:
            return []
        starts = np.cumsum([0, *self.first.sizes])[:-1]  # a mistake reaches all of an array or nothing of it
        fits, reaches = (np.logical_and.reduceat(np.array(flags), starts, axis=1) for flags in self._flags())
        right = np.logical_and.reduceat(self.first.may_fit(self.first.right), starts)
        sizes = np.array(self.first.sizes)
        found: list[tuple[int, Tried, Tried]] = []
        for i, one in enumerate(tried):
            others = slice(i + 1, None)
            ok = (right | reaches[i] | reaches[others]).all(axis=1)
            ok &= (fits[i] | ~reaches[i] | reaches[others]).all(axis=1)
            ok &= (fits[others] | ~reaches[others] | reaches[i]).all(axis=1)
            overlap = (reaches[i] & reaches) @ sizes  # pairs that change different numbers are sure, and quickly seen
            found += [(int(overlap[j]), one, tried[j]) for j in np.flatnonzero(ok) + i + 1]
        found.sort(key=lambda pair: pair[0])
        return [(one, other) for _, one, other in found if _two_mistakes(one.edit, other.edit)]

    def _flags(self) -> tuple[list[Flags], list[Flags]]:
        """Of each edit: which numbers may fit, and which it may change."""
        return [each.fits for each in self.tried], [each.reaches for each in self.tried]

    def _confirmed(self, candidates: Iterator[Candidate]) -> Iterator[tuple[Edit, ...]]:
        """Those that hold within their own bounds at every point; one for each set of names."""
        seen: set[tuple[object, ...]] = set()
        for candidate in candidates:
            key = tuple(sorted(str(edit.key) for edit in candidate.named))
            if key in seen or not self._holds(candidate):
                continue
            seen.add(key)
            yield candidate.named
            if len(seen) >= MOST_EXPLANATIONS:
                return

    def _holds(self, candidate: Candidate) -> bool:
        if not self.first.within(self.first.bounds_of(candidate.sheet)).all():
            return False
        for point in self.points[1:]:
            made: Sheet | None = point.sheet
            for edit in candidate.made:
                made = None if made is None else point.edited(edit, made)
            if made is None or not point.within(point.bounds_of(made)).all():
                return False
        return True


def _rewritten(sheet: Sheet, right: Sheet) -> frozenset[str]:
    """The lines of the backward pass that an edit has rewritten."""
    return frozenset(name for name, line in right.backward.items() if sheet.backward.get(name) is not line)


def in_turn(one: Tried, other: Tried) -> Iterator[tuple[Tried, Tried]]:
    """In which order two mistakes may have been made: that of their stages; in one line either may have come first."""
    first, second = sorted((one, other), key=lambda each: each.edit.stage)
    yield first, second
    if first.edit.stage == second.edit.stage == BACKWARD and one.rewrites & other.rewrites:
        yield second, first


def _two_mistakes(one: Edit, other: Edit) -> bool:
    """Are they two? The same mistake twice is one in all layers; and nobody takes two other activations for one."""
    return one.mistake != other.mistake if one.forward and other.forward else one.key != other.key
