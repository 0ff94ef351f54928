"""How many pairs of mistakes would explain numbers by chance: whether so few numbers can tell two mistakes apart.

Somebody's single number is some multiple of the right one, and of a hundred thousand pairs of mistakes several give
that multiple to four digits, whatever it is. So it is asked of what share of all multiples of the numbers that were
handed over a pair explains: each pair fits an interval of them, as wide as the numbers are coarse.
"""

from __future__ import annotations

import random

import numpy as np

from derive.verification.bounds import Floats, as_floats
from derive.verification.edit import Edit
from derive.verification.search import MOST_EXPLANATIONS, Search

FEW = 8
"""Of more numbers than this chance explains none."""

TOO_MANY = 0.05
"""With so many pairs to be expected by chance alone, one that is found says nothing."""

MOST_TRIED = 3_000
"""So many pairs, drawn from all of them, stand for the rest."""

FARTHEST = 10.0
"""Multiples from a tenth to ten times are looked at."""

FINEST = 1e-14
"""The width of a number that is told to its last digit."""

SEED = 20_150_317

NOTE = (
    "two mistakes at once could explain {numbers} in many ways, and so few cannot tell them apart: hand over the "
    "gradients by all parameters, or more digits"
)


def too_few(search: Search, found: list[tuple[Edit, ...]]) -> str:
    """What is said in place of pairs that explain so few numbers by chance; "" where they are worth telling."""
    count = len(search.first.items)
    if not found or count > FEW:
        return ""
    if (count <= 2 and len(found) >= MOST_EXPLANATIONS) or expected(search) > TOO_MANY:
        return NOTE.format(numbers="this number" if count == 1 else f"these {count} numbers")
    return ""


def expected(search: Search) -> float:
    """How many pairs explain some multiple of the numbers, drawn at random, where none was made."""
    yours, halves = search.first.yours, as_floats(search.first.half_units)
    halves = np.maximum(halves, FINEST * np.abs(yours))
    draw, tried = random.Random(SEED), search.tried
    pairs = len(tried) * (len(tried) - 1) // 2
    count = min(pairs, MOST_TRIED)
    width = 0.0
    for _ in range(count):
        one, other = draw.sample(tried, 2)
        numbers = search.numbers_of_pair(one, other)
        if numbers is not None:
            width += _multiples(numbers, yours, halves)
    return width / max(count, 1) * pairs


def _multiples(found: Floats, yours: Floats, halves: Floats) -> float:
    """For what share of multiples, in the logarithm, these numbers are those multiples of what was handed over."""
    there = yours != 0
    if ((found != 0) != there).any():
        return 0.0
    found, yours, halves = found[there], yours[there], halves[there]
    with np.errstate(all="ignore"):
        middle = found / yours
        wide = halves / np.abs(yours)
        low, high = np.max(middle / (1 + wide), initial=1 / FARTHEST), np.min(middle / (1 - wide), initial=FARTHEST)
    if not (middle > 0).all() or not high > low:
        return 0.0
    return float(np.log(high / low) / np.log(FARTHEST**2))
