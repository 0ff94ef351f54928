"""What every variant is promised to be: no unit saturated or at a kink, no answer vanishing, no two values mixed up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from itertools import pairwise

import numpy as np
from flint import arb, fmpq

from derive.derivation import Derivation
from derive.digits import Exact
from derive.evaluate.balls import UndecidedError
from derive.evaluate.shared import half_unit
from derive.variants.answers import upwards
from derive.variants.computed import Computed, Limit
from derive.variants.promised import Seen
from derive.variants.sheets import Sheets, Slipped
from derive.variants.space import Number, Space
from derive.variants.words import Reason
from derive.verification.precision import Precision

SURE = 0.05
"""By at most this share of itself an answer may be off: it keeps more than one digit that is sure."""


@dataclass(frozen=True)
class Sound:
    """A draw that will do, mistakes apart: the right values, how far each may be off, and the mistaken values."""

    right: list[float]
    tolerances: list[Decimal]
    wrong: list[list[float]]


def sound(
    computed: Computed, numbers: Sequence[Number], limits: Sequence[Limit], least: Sequence[float] = ()
) -> Sound | Iterator[Reason]:
    """The values of a draw, or every reason why it will not do.

    ``least``: at least such a share of itself each answer may be off. Values that are mixed up even so are refused
    before the roundings are followed, which takes longest.
    """
    levels, right, wrong = computed.floats(numbers)
    flat = [each for each in limits if not each.low <= levels[each.place] <= each.high]
    if flat:
        return (Reason("saturated", each.scalar) for each in flat)
    for row, share in enumerate(least):
        if right[row] and mixed_up(right[row], share * abs(right[row]), wrong[row]) is not None:
            return iter((Reason("told", computed.sheets.asked[row]),))
    try:
        rounded = computed.rounded(numbers)
    except UndecidedError:
        return iter((Reason("kink"),))
    off = [tolerance(ball, value, computed.carry) for ball, value in zip(rounded, right, strict=True)]
    lost = [row for row, value in enumerate(right) if value == 0 or not 0 <= off[row] <= SURE * abs(value)]
    if lost:
        return (Reason("vanishes", computed.sheets.asked[row]) for row in lost)
    return Sound(right, [upwards(each) for each in off], wrong)


def tolerance(ball: Exact, value: float, carry: Precision) -> float:
    """How far from a value the numbers of a ball may lie, and the number as it is asked for; −1: anywhere."""
    if isinstance(ball, fmpq):
        ball = arb(ball)
    if not ball.is_finite():
        return -1.0
    return max(float((ball - arb(value)).abs_upper()), half_unit(abs(value), carry.kind, carry.places))


def mixed_up(right: float, off: float, wrong: Sequence[float]) -> tuple[int, int] | None:
    """Two values that cannot be told apart, by their places (−1: the right one); None where all can."""
    size = abs(right)
    ends = [(right - off, right + off, -1)]
    for place, value in enumerate(wrong):
        own = off * max(1.0, abs(value) / size)
        ends.append((value - own, value + own, place))
    ends.sort()
    for (_, high, one), (low, _, other) in pairwise(ends):
        if not high < low:
            return min(one, other), max(one, other)
    return None


# ---- pilot draws ---------------------------------------------------------------------------

PILOTS = 400
MOST_TRIED = 4000
"""So many sound draws are looked at to see which mistakes can be told apart, and so many to find these."""

LARGE, FEWER = 1_000, 8
"""Where so many numbers are given, an eighth of them."""


@dataclass(frozen=True)
class Pilot:
    """Draws that are sound, of all that were tried, and why others are not. The same for every seed."""

    seen: tuple[Seen, ...]
    draws: int
    tried: int
    limits: tuple[Limit, ...]
    refused: Counter[Reason]

    @property
    def changes(self) -> bool:
        """Does any number that is asked for differ between draws?"""
        return any(np.ptp(each.right) > 0 for each in self.seen)

    @cached_property
    def least(self) -> tuple[float, ...]:
        """The smallest tolerance of each asked number, as a share of it."""
        return tuple(float(np.min(each.tolerance / np.abs(each.right))) for each in self.seen)


def pilot(derivation: Derivation, sheets: Sheets, slipped: Sequence[Sequence[Slipped]], carry: Precision) -> Pilot:
    """Draw until enough draws are sound."""
    every = Computed(sheets, [[each.scalar for each in row] for row in slipped], carry)
    space = Space(derivation, sheets.inputs, 0)
    large = len(sheets.inputs) >= LARGE
    most = min(MOST_TRIED // FEWER if large else MOST_TRIED, space.size)
    limits = every.varying([space.numbers(space.scrambled(index)) for index in range(min(20, space.size))])
    wanted = PILOTS // FEWER if large else PILOTS
    refused: Counter[Reason] = Counter()
    found: list[Sound] = []
    tried = 0
    for tried in range(1, most + 1):
        point = space.shuffled(tried - 1) if space.few else space.scrambled((tried - 1) * (space.size // most))
        result = sound(every, space.numbers(point), limits)
        if isinstance(result, Sound):
            found.append(result)
        else:
            refused.update(result)
        if len(found) == wanted:
            break
    return Pilot(tuple(_seen(found, row, each) for row, each in enumerate(slipped)), len(found), tried, limits, refused)


def _seen(found: Sequence[Sound], row: int, slipped: Sequence[Slipped]) -> Seen:
    return Seen(
        np.array([each.right[row] for each in found]),
        np.array([float(each.tolerances[row]) for each in found]),
        np.array([each.wrong[row] for each in found]).reshape(len(found), len(slipped)),
        tuple(slipped),
    )
