"""Variants: the same exercises with other numbers, drawn so that every promised mistake can be seen in the answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

import numpy as np

from derive.derivation import Derivation
from derive.evaluate.balls import UndecidedError
from derive.evaluate.shared import LEAST, MOST, half_unit
from derive.variants.answers import Answered, answers, upwards
from derive.variants.asked import Asked
from derive.variants.computed import Computed
from derive.variants.guarantees import Pilot, Sound, mixed_up, pilot, sound, tolerance
from derive.variants.promised import Promises, Seen, by_plausibility, hidden, told, told_here
from derive.variants.sheets import Sheets, Slipped
from derive.variants.space import ATTEMPTS, Number, Point, Space
from derive.variants.words import Reason, beyond, impossible, too_few, unchanged
from derive.verification.precision import Precision

SAMPLE = 20
SAFE = 25
"""Where the first variants find their numbers in this share of their attempts, so will the others."""


IN_VAIN = 100_000
"""After so many draws that will not do, one after the other, no more are looked at."""


@dataclass(frozen=True)
class Variant:
    """One variant: its number from 1, the derivation of its problem, and an answer for each asked number."""

    number: int
    seed: int
    derivation: Derivation
    answers: tuple[Answered, ...]


@dataclass(frozen=True)
class _Drawn:
    """Numbers that will do, and the tolerance of each asked number."""

    numbers: list[Number]
    tolerances: tuple[Decimal, ...]


class Variants:
    """All variants of a derivation's problem: made once, and then each is had by its number.

    ``carry`` is the precision to which every step is rounded. Which mistakes are promised depends on the problem, what
    is asked and ``carry``, not on the seed. Raises ChainruleError for what cannot be asked.
    """

    def __init__(self, derivation: Derivation, asked: Sequence[Asked], carry: Precision, seed: int) -> None:
        self.derivation, self.asked, self.carry, self.seed = derivation, tuple(asked), carry, seed
        self._sheets = Sheets(derivation, self.asked)
        self._accepted: list[_Drawn] = []

    @cached_property
    def space(self) -> Space:
        """All numbers that may be drawn."""
        return Space(self.derivation, self._sheets.inputs, self.seed)

    # ---- what is promised ------------------------------------------------------------------

    @cached_property
    def _slipped(self) -> tuple[tuple[Slipped, ...], ...]:
        """The mistakes that can be computed for every draw: of large networks the most plausible ones."""
        every, lines = self._sheets.slipped(), self._sheets.lines
        kept = lines.affordable(self._sheets.right, by_plausibility(every))
        return tuple(tuple(each for each in row if each.scalar in kept) for row in every)

    @cached_property
    def _pilot(self) -> Pilot:
        return pilot(self.derivation, self._sheets, self._slipped, self.carry)

    @cached_property
    def promises(self) -> Promises:
        """For each asked number the mistakes whose values are told apart in every variant.

        Raises ProblemError where no draw will do, or where no known mistake can be seen in an answer.
        """
        found = self._pilot
        if not found.draws:
            raise impossible(self.derivation, self.carry, found.refused, found.tried)
        for asked, each in zip(self.asked, found.seen, strict=True):
            if (edit := hidden(each)) is not None:
                raise impossible(self.derivation, self.carry, Counter([Reason("hidden", asked, (edit, None))]), 1)
        return told(found.seen, found.draws / found.tried)[0]

    def _computing(self, promises: Promises) -> Computed:
        return Computed(self._sheets, [[each.scalar for each in row] for row in promises], self.carry)

    @cached_property
    def _computed(self) -> Computed:
        return self._computing(self.promises)

    # ---- a draw ----------------------------------------------------------------------------

    def _drawn(self, point: Point) -> Reason | _Drawn:
        """The numbers of a point, if they keep every guarantee; else why not."""
        numbers = self.space.numbers(point)
        found = sound(self._computed, numbers, self._pilot.limits, self._pilot.least)
        if not isinstance(found, Sound):
            return next(found)
        for row, asked in enumerate(self.asked):
            pair = mixed_up(found.right[row], float(found.tolerances[row]), found.wrong[row])
            if pair is not None:
                one, other = (None if each < 0 else self.promises[row][each].edits[0] for each in pair)
                return Reason("told", asked, (one, other))
        return _Drawn(numbers, tuple(found.tolerances))

    def _many(self, number: int) -> tuple[_Drawn, int]:
        """The first draw that will do, of the points that this number has for its own; and which one it is."""
        own = self.space.size // ATTEMPTS
        if number > own:
            raise too_few(self.derivation, own, number)
        refused: Counter[Reason] = Counter()
        for attempt in range(ATTEMPTS):
            found = self._drawn(self.space.scrambled(number - 1 + attempt * own))
            if not isinstance(found, Reason):
                return found, attempt + 1
            refused[found] += 1
        raise impossible(self.derivation, self.carry, refused, ATTEMPTS)

    def _few(self, number: int) -> _Drawn:
        """Of all points in their shuffled order those that will do, up to this number."""
        refused: Counter[Reason] = Counter()
        while len(self._accepted) < number:
            try:
                found = next(self._rest)
            except StopIteration:
                if not self._accepted:
                    raise impossible(self.derivation, self.carry, refused, self.space.size) from None
                raise too_few(self.derivation, len(self._accepted), number) from None
            if not isinstance(found, Reason):
                self._accepted.append(found)
                refused.clear()
                continue
            refused[found] += 1
            if refused.total() == IN_VAIN:
                raise impossible(self.derivation, self.carry, refused, IN_VAIN)
        return self._accepted[number - 1]

    @cached_property
    def _rest(self) -> Iterator[Reason | _Drawn]:
        return (self._drawn(self.space.shuffled(index)) for index in range(self.space.size))

    # ---- variants --------------------------------------------------------------------------

    def variant(self, number: int) -> Variant:
        """The variant of a number, from 1: the same whoever asks for it. Raises ProblemError where there is none."""
        drawn = self._few(number) if self.space.few else self._many(number)[0]
        derivation = self.derivation.with_numbers(self.space.problem(drawn.numbers))
        found = answers(self._computed, self.promises, drawn.numbers, drawn.tolerances)
        return Variant(number, self.seed, derivation, found)

    def check(self, count: int) -> None:
        """Raise ProblemError, with the reason, if there are not so many variants: before anything is written."""
        if count > 1 and self._is_constant:
            raise unchanged(self.derivation, [varied.name for varied in self.space.varied])
        if self.space.few:
            self._few(count)
            return
        if count > self.space.size // ATTEMPTS:
            raise too_few(self.derivation, self.space.size // ATTEMPTS, count)
        attempts = [self._many(number)[1] for number in range(1, min(count, SAMPLE) + 1)]
        if sum(attempts) * SAFE > ATTEMPTS * len(attempts):  # so seldom does a draw do that each is looked at
            for number in range(len(attempts) + 1, count + 1):
                self._many(number)

    @property
    def _is_constant(self) -> bool:
        """Would all variants have the same answers? Not of derivatives: each is at another number."""
        if not self.asked or any(asked.kind == "local" for asked in self.asked):
            return False
        return self._pilot.draws > 1 and not self._pilot.changes

    def own(self) -> Variant:
        """The variant of the problem's own numbers, of which nothing is promised.

        Mistakes that coincide are together; those that cannot be told from the right value or from more plausible
        ones are left out.
        """
        numbers = Space(self.derivation, self._sheets.inputs, self.seed).own
        every = Computed(self._sheets, [[each.scalar for each in row] for row in self._slipped], self.carry)
        _, right, wrong = every.floats(numbers)
        self._check_sizes(right)
        off = self._own_tolerances(every, numbers, right)
        seen = tuple(
            Seen(np.array([right[q]]), np.array([float(off[q])]), np.array([wrong[q]]), self._slipped[q])
            for q in range(len(self.asked))
        )
        promises = told_here(seen)
        found = answers(self._computing(promises), promises, numbers, off)
        for each in found:
            if float(each.value) == 0 != Decimal(each.value):  # no float is that small
                raise beyond(self.derivation, each.asked)
        return Variant(1, self.seed, self.derivation, found)

    def _check_sizes(self, values: Iterable[float]) -> None:
        for asked, value in zip(self.asked, values, strict=True):
            if value and not LEAST <= abs(value) <= MOST:
                raise beyond(self.derivation, asked)

    def _own_tolerances(
        self, computed: Computed, numbers: Sequence[Number], right: Sequence[float]
    ) -> tuple[Decimal, ...]:
        """As for any variant; where rounding may do anything, at a kink, what printing the number does."""
        printed = [half_unit(abs(value), self.carry.kind, self.carry.places) for value in right]
        try:
            rounded = computed.rounded(numbers)
        except UndecidedError:
            return tuple(map(upwards, printed))
        off = [tolerance(ball, value, self.carry) for ball, value in zip(rounded, right, strict=True)]
        return tuple(upwards(max(pair)) for pair in zip(off, printed, strict=True))
