"""Exact numbers as decimal text: correctly rounded, from an exact value or from an enclosure.

A ball whose two ends round to the same digits has decided them; one that has not says so (None),
and the caller doubles the precision. Plain notation from 1e-6 to 1e21, scientific beyond.
"""

from __future__ import annotations

from fractions import Fraction

from flint import arb, fmpq

Exact = arb | fmpq


def ends(value: Exact) -> tuple[Fraction, Fraction]:
    """The ends of an enclosure as exact fractions; the same twice for an exact value.

    Raises ArithmeticError for an enclosure that is not finite.
    """
    if isinstance(value, fmpq):
        exact = Fraction(int(value.p), int(value.q))
        return exact, exact
    if not value.is_finite():
        raise ArithmeticError("not finite")
    (middle, up), (radius, down) = _dyadic(value.mid()), _dyadic(value.rad())
    least = min(up, down, 0)
    middle, radius = middle << (up - least), radius << (down - least)
    scale = 1 << -least
    return Fraction(middle - radius, scale), Fraction(middle + radius, scale)


def _dyadic(value: arb) -> tuple[int, int]:
    """An exact ball as mantissa and exponent of two."""
    mantissa, exponent = value.man_exp()
    return int(mantissa), int(exponent)


def decide(value: Exact, digits: int) -> str | None:
    """``digits`` significant digits of an enclosed number, or None where the enclosure is too wide for them."""
    low, high = ends(value)
    if low == high:
        return significant(low, digits)
    if low <= 0 <= high:
        return None
    text = significant(low, digits)
    return text if text == significant(high, digits) else None


def significant(value: Fraction, digits: int) -> str:
    """An exact number rounded (half to even) to significant digits, trailing zeros dropped."""
    if value == 0:
        return "0"
    exponent = magnitude(value)
    top, bottom = abs(value.numerator), value.denominator
    if (shift := digits - 1 - exponent) >= 0:
        top *= 10**shift
    else:
        bottom *= 10**-shift
    scaled, rest = divmod(top, bottom)
    if 2 * rest > bottom or (2 * rest == bottom and scaled % 2):
        scaled += 1
    return _plain(value < 0, scaled, exponent - digits + 1)


def magnitude(value: Fraction) -> int:
    """The decimal exponent of the first significant digit: 0.05 has −2."""
    top, bottom = abs(value.numerator), value.denominator
    guess = int((top.bit_length() - bottom.bit_length()) * 0.30102999566398120)
    while not _reaches(top, bottom, guess):
        guess -= 1
    while _reaches(top, bottom, guess + 1):
        guess += 1
    return guess


def _reaches(top: int, bottom: int, exponent: int) -> bool:
    """Is top/bottom at least 10^exponent?"""
    scale = int(10 ** abs(exponent))
    return top >= bottom * scale if exponent >= 0 else top * scale >= bottom


def _plain(negative: bool, mantissa: int, exponent: int) -> str:
    """mantissa · 10^exponent as text."""
    figures = str(mantissa)
    trimmed = figures.rstrip("0")
    exponent += len(figures) - len(trimmed)
    leading = exponent + len(trimmed) - 1
    sign = "-" * negative
    if not -6 <= leading < 21:
        fraction = f".{trimmed[1:]}" if len(trimmed) > 1 else ""
        return f"{sign}{trimmed[0]}{fraction}e{leading}"
    if exponent >= 0:
        return sign + trimmed + "0" * exponent
    padded = trimmed.rjust(1 - exponent, "0")
    return f"{sign}{padded[:exponent]}.{padded[exponent:]}"


def as_decimal(value: Fraction, most: int) -> str | None:
    """An exact number as it is, where it needs at most ``most`` decimals; else None."""
    scaled = value * 10**most
    if scaled.denominator != 1:
        return None
    return "0" if value == 0 else _plain(value < 0, abs(int(scaled)), -most)


def from_float(value: float) -> str:
    """The shortest decimal text that reads back as the same float64."""
    mantissa, _, exponent = repr(abs(value)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    figures = int(whole + fraction)
    return "0" if figures == 0 else _plain(value < 0, figures, int(exponent or 0) - len(fraction))
