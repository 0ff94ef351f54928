"""Answers: the right number as it is asked for, how far one may be off, and what known mistakes give in its place."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal

import flint
from flint import arb

from derive.digits import Exact, decide
from derive.evaluate.balls import FIRST_BITS, LAST_BITS, UndecidedError
from derive.variants.asked import Asked
from derive.variants.computed import Computed
from derive.variants.promised import Promise, Promises
from derive.variants.space import Number
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
    return _two_digits(value, ROUND_CEILING)


def _two_digits(value: float, rounding: str) -> Decimal:
    exact = Decimal(repr(value))
    if not exact:
        return Decimal(0)
    unit = Decimal((0, (1,), exact.adjusted() - 1))
    return exact.quantize(unit, rounding=rounding, context=_EXACT).normalize()


def plainly(value: Decimal) -> str:
    """A decimal without a power of ten."""
    return f"{value:f}"


# ---- made ----------------------------------------------------------------------------------


def answers(
    computed: Computed, promises: Promises, numbers: Sequence[Number], tolerances: Sequence[Decimal]
) -> tuple[Answered, ...]:
    """The answers of a draw, every value correctly rounded."""
    right, wrong = _exactly(computed, numbers)
    asked = computed.sheets.asked
    rows = zip(asked, right, tolerances, promises, wrong, strict=True)
    return tuple(
        _answered(each, value, off, tuple(zip(own, values, strict=True)), computed.carry)
        for each, value, off, own, values in rows
    )


def _answered(
    asked: Asked, value: str, tolerance: Decimal, wrong: Sequence[tuple[Promise, str]], carry: Precision
) -> Answered:
    size, off = abs(float(value)), float(tolerance)
    mistaken = []
    for promise, found in wrong:
        larger = abs(float(found)) > size > 0
        own = max(tolerance, _two_digits(off * abs(float(found)) / size, ROUND_FLOOR)) if larger else tolerance
        mistaken.append(Mistaken(promise.keys, promise.edits, found, shown(found, carry), plainly(own)))
    return Answered(asked, value, shown(value, carry), plainly(tolerance), tuple(mistaken))


def _exactly(computed: Computed, numbers: Sequence[Number]) -> tuple[list[str], list[list[str]]]:
    """The right values and the mistaken ones, correctly rounded."""
    bits = FIRST_BITS
    while True:
        texts: list[str | None] = [None]
        with suppress(UndecidedError):
            with flint.ctx.workprec(bits):
                right, wrong = computed.exact(numbers)
            texts = [*(decide(each, DIGITS) for each in right), *(_decided(each) for row in wrong for each in row)]
        if None not in texts or bits >= LAST_BITS:
            break
        bits *= 2
    decided = [text or "0" for text in texts]
    start, rows = len(right), []
    for row in wrong:
        rows.append(decided[start : start + len(row)])
        start += len(row)
    return decided[: len(right)], rows


ZERO = 1e-30


def _decided(value: Exact) -> str | None:
    """The digits of a mistaken value; what encloses 0 and is that near to it is 0: no slip has to be proved."""
    if isinstance(value, arb) and value.contains(0) and float(value.abs_upper()) < ZERO:
        return "0"
    return decide(value, DIGITS)
