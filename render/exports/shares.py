"""Shares of the points as Moodle writes them: percentages, of which it knows a few."""

from __future__ import annotations

from fractions import Fraction
from functools import cache

from render.exercises.model import ChoiceAnswer
from render.exports import wording

# The shares that Moodle knows; an import is refused where it finds another.
SHARES = (
    *(Fraction(1, n) for n in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 20)),
    *(Fraction(*each) for each in ((0, 1), (3, 10), (2, 5), (3, 5), (2, 3), (7, 10), (3, 4), (4, 5), (5, 6), (9, 10))),
)


@cache
def share(fraction: Fraction) -> str:
    """The share nearest to a fraction that Moodle knows, as it writes it: "33.33333"."""
    sign = "-" if fraction < 0 else ""
    nearest = min(SHARES, key=lambda each: (abs(each - abs(fraction)), each))
    text = f"{float(100 * nearest):.5f}".rstrip("0").rstrip(".")
    return text if text == "0" else sign + text


def shares(choice: ChoiceAnswer) -> tuple[str, ...]:
    """The share of each option: the right ones make up the whole, of several the wrong ones take it away again."""
    options = wording.offered(choice)
    right = sum(option.right for option in options)
    wrong = len(options) - right
    if not choice.several:
        return tuple(share(Fraction(int(option.right))) for option in options)
    return tuple(share(Fraction(1, right) if option.right else Fraction(-1, wrong)) for option in options)
