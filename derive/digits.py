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
    low, high, scale = _whole_ends(value)
    return Fraction(low, scale), Fraction(high, scale)


def _whole_ends(value: arb) -> tuple[int, int, int]:
    """The ends of a ball as whole numbers over a power of two."""
    if not value.is_finite():
        raise ArithmeticError("not finite")
    (middle, up), (radius, down) = _dyadic(value.mid()), _dyadic(value.rad())
    least = min(up, down, 0)
    middle, radius = middle << (up - least), radius << (down - least)
    return middle - radius, middle + radius, 1 << -least


def _dyadic(value: arb) -> tuple[int, int]:
    """An exact ball as mantissa and exponent of two."""
    mantissa, exponent = value.man_exp()
    return int(mantissa), int(exponent)


def decide(value: Exact, digits: int) -> str | None:
    """``digits`` significant digits of an enclosed number, or None where the enclosure is too wide for them."""
    if isinstance(value, fmpq):
        return _significant(int(value.p), int(value.q), digits)
    low, high, scale = _whole_ends(value)
    if low == high:
        return _significant(low, scale, digits)
    if low <= 0 <= high:
        return None
    text = _significant(low, scale, digits)
    return text if text == _significant(high, scale, digits) else None


def significant(value: Fraction, digits: int) -> str:
    """An exact number rounded (half to even) to significant digits, trailing zeros dropped."""
    return _significant(value.numerator, value.denominator, digits)


def _significant(top: int, bottom: int, digits: int) -> str:
    """top/bottom, rounded so."""
    if top == 0:
        return "0"
    negative, top = top < 0, abs(top)
    exponent = _magnitude(top, bottom)
    if (shift := digits - 1 - exponent) >= 0:
        top *= 10**shift
    else:
        bottom *= 10**-shift
    scaled, rest = divmod(top, bottom)
    if 2 * rest > bottom or (2 * rest == bottom and scaled % 2):
        scaled += 1
    return _plain(negative, scaled, exponent - digits + 1)


def magnitude(value: Fraction) -> int:
    """The decimal exponent of the first significant digit: 0.05 has −2."""
    return _magnitude(abs(value.numerator), value.denominator)


def _magnitude(top: int, bottom: int) -> int:
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
