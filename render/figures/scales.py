"""Scales for the curve of the error: decades and their numbers, in decimal arithmetic."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from derive.formula import Formula, Number, Power

MOST_TICKS = 6
ROOM_FOR_ZERO = Decimal("0.14")  # of the height, below the logarithmic part
PLAIN_EXPONENTS = range(-5, 6)

Tick = tuple[Decimal, Formula]


@dataclass(frozen=True, slots=True)
class Scale:
    """A vertical scale from ``low`` to ``high`` with its ticks; ``kind`` is "log", "linear" or "zero".

    ``floor`` is the part of the height that stays below ``low``, for errors of 0.
    """

    kind: str
    low: Decimal
    high: Decimal
    ticks: tuple[Tick, ...]
    floor: Decimal = Decimal(0)

    def position(self, error: Decimal) -> Decimal:
        """Where an error lies, from 0 at the bottom to 1 at the top."""
        if self.kind == "zero" or (self.kind == "log" and error == 0):
            return Decimal(0)
        if self.kind == "linear":
            return (error - self.low) / (self.high - self.low)
        share = (error.log10() - self.low.log10()) / (self.high.log10() - self.low.log10())
        return self.floor + share * (1 - self.floor)


def error_scale(errors: list[Decimal]) -> Scale:
    """The scale that holds all errors: logarithmic, unless one is negative or all are 0."""
    positive = [error for error in errors if error > 0]
    if any(error < 0 for error in errors):
        return linear_scale(min(errors), max(errors))
    if not positive:
        return Scale("zero", Decimal(0), Decimal(1), ((Decimal(0), Number("0")),))
    floor = ROOM_FOR_ZERO if len(positive) < len(errors) else Decimal(0)
    ticks = log_ticks(min(positive), max(positive))
    zero = ((Decimal(0), Number("0")),) if floor else ()
    return Scale("log", ticks[0][0], ticks[-1][0], (*zero, *thinned_decades(ticks)), floor)


def linear_scale(low: Decimal, high: Decimal) -> Scale:
    """Evenly spaced round numbers from below the lowest error to above the highest."""
    marks = even_marks(low, high) if low < high else (low - 1, low, low + 1)
    return Scale("linear", marks[0], marks[-1], tuple((mark, Number(plain(mark))) for mark in marks))


def log_ticks(low: Decimal, high: Decimal) -> list[Tick]:
    """Decades round the errors; within less than one decade 1, 2, 5 steps; within much less, round numbers."""
    bottom, top = exponent(low), exponent(high)
    if Decimal(10) ** top < high:
        top += 1
    if low * 8 <= high:
        written_out = bottom in PLAIN_EXPONENTS and top in PLAIN_EXPONENTS
        return [(Decimal(10) ** k, decade(k, written_out)) for k in range(bottom, top + 1)]
    if low < high and low * Decimal("1.5") > high:
        return [(mark, Number(brief(mark))) for mark in even_marks(low, high)]
    marks = [Decimal(m) * Decimal(10) ** k for k in range(bottom - 1, top + 2) for m in (1, 2, 5)]
    under = max(mark for mark in marks if mark < low or (mark == low < high))
    over = min(mark for mark in marks if mark > high or (mark == high > low))
    return [(mark, Number(brief(mark))) for mark in marks if under <= mark <= over]


def thinned_decades(ticks: list[Tick]) -> tuple[Tick, ...]:
    """At most a few of many decades, at round exponents."""
    step = round_up((len(ticks) - 1) // MOST_TICKS + 1)
    return tuple(ticks) if step == 1 else tuple(tick for tick in ticks if exponent(tick[0]) % step == 0)


def round_up(count: int) -> int:
    """The next of 1, 2, 5, 10, 20, 50, …"""
    power = int("1" + "0" * (len(str(count)) - 1))
    return next(multiple * power for multiple in (1, 2, 5, 10) if multiple * power >= count)


def step_marks(last: int) -> list[Tick]:
    """The steps that the horizontal axis names: decades, and between them 2 and 5 where these are few."""
    decades = len(str(last)) - 1
    if decades < 2:
        every = (1, 2, 3, 4, 5, 6, 7, 8, 9) if decades == 0 else (1, 2, 5)
        steps = [m * 10**k for k in range(decades + 1) for m in every if m * 10**k <= last]
        return [(Decimal(step), Number(str(step))) for step in steps]
    stride = round_up(decades // (MOST_TICKS + 1) + 1)
    return [(Decimal(10) ** k, decade(k, k < 2 or decades <= 5)) for k in range(0, decades + 1, stride)]


def even_marks(low: Decimal, high: Decimal) -> tuple[Decimal, ...]:
    """Multiples of a round step, from the last below the range to the first above it."""
    step = (high - low) / 4
    unit = Decimal(10) ** exponent(step)
    step = next(m * unit for m in (Decimal(1), Decimal(2), Decimal(5), Decimal(10)) if m * unit >= step)
    first = int((low / step).to_integral_value(ROUND_FLOOR))
    last = int((high / step).to_integral_value(ROUND_CEILING))
    return tuple(k * step for k in range(first, last + 1))


def exponent(value: Decimal) -> int:
    """The power of ten of a number's first digit."""
    return value.adjusted()


def decade(power: int, written_out: bool) -> Formula:
    """A power of ten, in full or as 10 with an exponent."""
    return Number(plain(Decimal(10) ** power)) if written_out else Power(Number("10"), Number(str(power)))


def plain(value: Decimal) -> str:
    """A number in full, without trailing zeros."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def brief(value: Decimal) -> str:
    """A number in full where that is short, else with a power of ten."""
    if -5 <= exponent(value) <= 6:
        return plain(value)
    return f"{plain(value.scaleb(-exponent(value)))}e{exponent(value)}"
