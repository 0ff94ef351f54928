"""Variants: the same exercises with other numbers, drawn so that every promised mistake can be seen in the answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from itertools import pairwise

import flint
import numpy as np
from flint import arb, fmpq

from derive.derivation import Derivation
from derive.digits import Exact, decide
from derive.evaluate.balls import FIRST_BITS, LAST_BITS, UndecidedError
from derive.evaluate.shared import half_unit
from derive.variants.answers import DIGITS, Answered, Mistaken, plainly, shown, upwards
from derive.variants.asked import Asked
from derive.variants.computed import Computed, Limit
from derive.variants.promised import Promise, Seen, told
from derive.variants.sheets import Sheets, Slipped
from derive.variants.space import ATTEMPTS, Number, Point, Space
from derive.variants.words import Reason, impossible, too_few
from derive.verification.precision import Precision

SURE = 0.05
"""By at most this share of itself an answer may be off: it keeps more than one digit that is sure."""

PILOTS = 400
MOST_PILOTS = 4000
"""So many draws are looked at to see which mistakes can be told apart, and so many to find these."""

SAMPLE = 20
SAFE = 25
"""Where the first variants find their numbers in this share of their attempts, so will the others."""


@dataclass(frozen=True)
class Variant:
    """One variant: its number from 1, the derivation of its problem, and an answer for each asked number."""

    number: int
    seed: int
    derivation: Derivation
    answers: tuple[Answered, ...]


@dataclass(frozen=True)
class _Drawn:
    """Numbers that will do, with the tolerance of each asked number."""

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
        self.space = Space(derivation, self._sheets.inputs, seed)
        self._accepted: list[_Drawn] = []

    # ---- what is promised ------------------------------------------------------------------

    @cached_property
    def _slipped(self) -> tuple[tuple[Slipped, ...], ...]:
        return self._sheets.slipped()

    @cached_property
    def _pilot(self) -> tuple[tuple[Seen, ...], tuple[Limit, ...], Counter[Reason]]:
        """What draws show that keep all guarantees but those on mistakes; and why others do not."""
        every = Computed(self._sheets, [[each.scalar for each in row] for row in self._slipped], self.carry)
        space = Space(self.derivation, self._sheets.inputs, 0)
        tried = min(MOST_PILOTS, space.size)
        points = (space.shuffled(i) if space.few else space.scrambled(i * (space.size // tried)) for i in range(tried))
        limits = every.varying([space.numbers(space.scrambled(i)) for i in range(min(20, space.size))])
        refused: Counter[Reason] = Counter()
        rows: list[tuple[list[float], list[float], list[list[float]]]] = []
        for point in points:
            numbers = space.numbers(point)
            found = self._sound(every, numbers, limits)
            if isinstance(found, Reason):
                refused[found] += 1
                continue
            rows.append((found[0], [float(each) for each in found[1]], found[2]))
            if len(rows) == PILOTS:
                break
        seen = tuple(
            Seen(
                np.array([right[q] for right, _, _ in rows]),
                np.array([tolerance[q] for _, tolerance, _ in rows]),
                np.array([wrong[q] for _, _, wrong in rows]).reshape(len(rows), len(self._slipped[q])),
                self._slipped[q],
            )
            for q in range(len(self.asked))
        )
        return seen, limits, refused

    @cached_property
    def promises(self) -> tuple[tuple[Promise, ...], ...]:
        """For each asked number the mistakes whose values are told apart in every variant. Raises ProblemError."""
        seen, _, refused = self._pilot
        if not len(seen[0].right if seen else [0]):
            raise impossible(self.derivation, self.asked, self.carry, refused)
        found, others = told(seen)
        for asked, kept, rest in zip(self.asked, found, others, strict=True):
            if rest and not kept:
                reason = Reason("hidden", asked, (rest[0].edits[0], None))
                raise impossible(self.derivation, self.asked, self.carry, Counter([reason]))
        return found

    @cached_property
    def _computed(self) -> Computed:
        return Computed(self._sheets, [[each.scalar for each in row] for row in self.promises], self.carry)

    # ---- a draw ----------------------------------------------------------------------------

    def _sound(
        self, computed: Computed, numbers: Sequence[Number], limits: Sequence[Limit]
    ) -> Reason | tuple[list[float], list[Decimal], list[list[float]]]:
        """(right values, tolerances, mistaken values) of a draw, or why it will not do, mistakes apart."""
        levels, right, wrong = computed.floats(numbers)
        for limit in limits:
            if not limit.low <= levels[limit.place] <= limit.high:
                return Reason("saturated", limit.scalar)
        try:
            rounded = computed.rounded(numbers)
        except UndecidedError:
            return Reason("kink")
        tolerances = []
        for asked, value, ball in zip(self.asked, right, rounded, strict=True):
            off = _distance(ball, value)
            if off is None or not off <= SURE * abs(value) or value == 0:
                return Reason("vanishes", asked)
            tolerances.append(upwards(off))
        return right, tolerances, wrong

    def _drawn(self, point: Point) -> Reason | _Drawn:
        """The numbers of a point, if they keep every guarantee; else why not."""
        numbers = self.space.numbers(point)
        found = self._sound(self._computed, numbers, self._pilot[1])
        if isinstance(found, Reason):
            return found
        right, tolerances, wrong = found
        for row, asked in enumerate(self.asked):
            pair = _mixed_up(right[row], float(tolerances[row]), wrong[row])
            if pair is not None:
                edits = [None if each < 0 else self.promises[row][each].edits[0] for each in pair]
                return Reason("told", asked, (edits[0], edits[1]))
        return _Drawn(numbers, tuple(tolerances))

    # ---- variants --------------------------------------------------------------------------

    def variant(self, number: int) -> Variant:
        """The variant of a number, from 1: the same whoever asks for it. Raises ProblemError where there is none."""
        drawn = self._few(number) if self.space.few else self._many(number)[0]
        derivation = self.derivation.with_numbers(self.space.problem(drawn.numbers))
        return Variant(number, self.seed, derivation, self._answers(drawn, self._computed, self.promises))

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
        raise impossible(self.derivation, self.asked, self.carry, refused)

    def _few(self, number: int) -> _Drawn:
        """Of all points in their shuffled order those that will do, up to this number."""
        refused: Counter[Reason] = Counter()
        while len(self._accepted) < number:
            try:
                found = next(self._rest)
            except StopIteration:
                if not self._accepted:
                    raise impossible(self.derivation, self.asked, self.carry, refused) from None
                raise too_few(self.derivation, len(self._accepted), number) from None
            if isinstance(found, Reason):
                refused[found] += 1
                if refused.total() == ATTEMPTS:
                    raise impossible(self.derivation, self.asked, self.carry, refused)
            else:
                self._accepted.append(found)
                refused.clear()
        return self._accepted[number - 1]

    @cached_property
    def _rest(self) -> Iterator[Reason | _Drawn]:
        return (self._drawn(self.space.shuffled(index)) for index in range(self.space.size))

    def check(self, count: int) -> None:
        """Raise ProblemError, with the reason, if there are not so many variants. Nothing is written before."""
        if self.space.few:
            self._few(count)
            return
        attempts = [self._many(number)[1] for number in range(1, min(count, SAMPLE) + 1)]
        if count > self.space.size // ATTEMPTS:
            raise too_few(self.derivation, self.space.size // ATTEMPTS, count)
        if sum(attempts) * SAFE > ATTEMPTS * len(attempts):  # so seldom does a draw do that each is looked at
            for number in range(len(attempts) + 1, count + 1):
                self._many(number)

    def own(self) -> Variant:
        """The variant of the problem's own numbers, of which nothing is promised.

        Mistakes that coincide are together; those that cannot be told from the right value or from more plausible
        ones are left out.
        """
        numbers = list(self.space.own)
        every = Computed(self._sheets, [[each.scalar for each in row] for row in self._slipped], self.carry)
        _, right, wrong = every.floats(numbers)
        tolerances = self._own_tolerances(every, numbers, right)
        seen = tuple(
            Seen(np.array([right[q]]), np.array([float(tolerances[q])]), np.array([wrong[q]]), self._slipped[q])
            for q in range(len(self.asked))
        )
        promises, _ = told(seen, cost=0.0)
        computed = Computed(self._sheets, [[each.scalar for each in row] for row in promises], self.carry)
        answers = self._answers(_Drawn(numbers, tolerances), computed, promises)
        return Variant(1, self.seed, self.derivation, answers)

    def _own_tolerances(
        self, computed: Computed, numbers: Sequence[Number], right: Sequence[float]
    ) -> tuple[Decimal, ...]:
        """As for any variant; where rounding may do anything, at a kink, what printing the number does."""
        try:
            found = [_distance(ball, value) for ball, value in zip(computed.rounded(numbers), right, strict=True)]
        except UndecidedError:
            found = [None] * len(right)
        printed = [half_unit(abs(value), self.carry.kind, self.carry.places) for value in right]
        return tuple(upwards(half if off is None else off) for off, half in zip(found, printed, strict=True))

    # ---- answers ---------------------------------------------------------------------------

    def _answers(
        self, drawn: _Drawn, computed: Computed, promises: Sequence[Sequence[Promise]]
    ) -> tuple[Answered, ...]:
        right, wrong = _exactly(computed, drawn.numbers)
        return tuple(
            self._answered(asked, right[row], drawn.tolerances[row], tuple(zip(promises[row], wrong[row], strict=True)))
            for row, asked in enumerate(self.asked)
        )

    def _answered(self, asked: Asked, value: str, tolerance: Decimal, wrong: Sequence[tuple[Promise, str]]) -> Answered:
        size, off = abs(float(value)), float(tolerance)
        mistaken = tuple(
            Mistaken(
                promise.keys,
                promise.edits,
                found,
                shown(found, self.carry),
                plainly(upwards(off * abs(float(found)) / size) if abs(float(found)) > size > 0 else tolerance),
            )
            for promise, found in wrong
        )
        return Answered(asked, value, shown(value, self.carry), plainly(tolerance), mistaken)


def _exactly(computed: Computed, numbers: Sequence[Number]) -> tuple[list[str], list[list[str]]]:
    """The right values and the mistaken ones, correctly rounded."""
    bits = FIRST_BITS
    while True:
        texts: list[str | None] = [None]
        with suppress(UndecidedError):
            with flint.ctx.workprec(bits):
                right, wrong = computed.exact(numbers)
            texts = [decide(value, DIGITS) for value in (*right, *(each for row in wrong for each in row))]
        if None not in texts or bits >= LAST_BITS:
            break
        bits *= 2
    decided = [text or "0" for text in texts]
    start, rows = len(right), []
    for row in wrong:
        rows.append(decided[start : start + len(row)])
        start += len(row)
    return decided[: len(right)], rows


def _distance(ball: Exact, value: float) -> float | None:
    """How far from a value the numbers of a ball may lie; None where they may lie anywhere."""
    if isinstance(ball, fmpq):
        ball = arb(ball)
    if not ball.is_finite():
        return None
    return float((ball - arb(value)).abs_upper())


def _mixed_up(right: float, tolerance: float, wrong: Sequence[float]) -> tuple[int, int] | None:
    """Two values that cannot be told apart, by their places (−1: the right one); None where all can."""
    size = abs(right)
    ends = [(right - tolerance, right + tolerance, -1)]
    for place, value in enumerate(wrong):
        off = tolerance * max(1.0, abs(value) / size)
        ends.append((value - off, value + off, place))
    ends.sort()
    for (_, high, one), (low, _, other) in pairwise(ends):
        if not high < low:
            return (one, other) if one < other else (other, one)
    return None
