"""Answers: the right number as it is asked for, how far one may be off, and what known mistakes give in its place."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Context, Decimal

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


_EXACT = Context(prec=400, rounding=ROUND_HALF_EVEN, Emin=-(10**6), Emax=10**6)


def shown(value: str, carry: Precision) -> str:
    """A decimal as it is asked for: rounded half to even, zeros at the end kept."""
    number = Decimal(value)
    last = -carry.places
    if carry.kind == "sf":
        last = number.adjusted() - carry.places + 1 if number else 0
    rounded = number.quantize(Decimal((0, (1,), last)), context=_EXACT)
    if carry.kind == "sf" and rounded.adjusted() > number.adjusted():  # 9.9996 to four digits is 10.00
        rounded = rounded.quantize(Decimal((0, (1,), last + 1)), context=_EXACT)
    return f"{rounded:f}" if rounded else f"{abs(rounded):f}"


def upwards(value: float) -> Decimal:
    """A positive number rounded up to two significant digits."""
    exact = Decimal(value)
    if not exact:
        return exact
    unit = Decimal((0, (1,), exact.adjusted() - 1))
    return exact.quantize(unit, rounding=ROUND_CEILING, context=_EXACT).normalize()


def plainly(value: Decimal) -> str:
    """A decimal without a power of ten."""
    return f"{value:f}"
