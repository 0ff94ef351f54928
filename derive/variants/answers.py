"""Answers: the right number as it is asked for, how far one may be off, and what known mistakes give in its place."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from derive.digits import magnitude
from derive.quantities import fixed
from derive.variants.asked import Asked
from derive.verification.edit import Edit, Layer
from derive.verification.precision import Precision

DIGITS = 17
"""So many significant digits have exact numbers, as `chainrule gradients --json` prints them."""


@dataclass(frozen=True)
class Mistaken:
    """A value that known mistakes give: (identifier, layer) and their edits, the most plausible first.

    ``tolerance``: how far the same slip may be off with rounded steps; at least that of the right answer.
    """

    mistakes: tuple[tuple[str, Layer], ...]
    edits: tuple[Edit, ...]
    value: str
    shown: str
    tolerance: str


@dataclass(frozen=True)
class Answered:
    """A number that is asked for, with its answer.

    ``value`` is the decimal that ``chainrule gradients --json`` prints (17 digits), ``shown`` the same as it is asked
    for, zeros at its end kept ("0.08210"). Whoever rounds every step as is asked for comes within ``tolerance``.
    """

    asked: Asked
    value: str
    shown: str
    tolerance: str
    mistaken: tuple[Mistaken, ...]


def shown(value: str, carry: Precision) -> str:
    """A decimal as it is asked for: rounded half to even, zeros at the end kept."""
    number = Fraction(value)
    places = carry.places
    if carry.kind == "sf" and number:
        places = carry.places - 1 - magnitude(number)
        rounded = round(number * Fraction(10) ** places) / Fraction(10) ** places
        if magnitude(rounded) > magnitude(number):  # 9.9996 to four digits is 10.00
            places -= 1
    return fixed(round(number * Fraction(10) ** places) / Fraction(10) ** places, places)


def upwards(value: float) -> Fraction:
    """A positive number rounded up to two significant digits."""
    exact = Fraction(value)
    if exact == 0:
        return exact
    unit = Fraction(10) ** (magnitude(exact) - 1)
    return -(-exact // unit) * unit
