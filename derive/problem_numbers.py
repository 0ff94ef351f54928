"""Numbers as a user writes them, read exactly: 0.15 is 3/20."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from numbers import Rational

from derive.errors import shown

MAX_DIGITS = 10_000
MAX_EXPONENT = 10_000

_DECIMAL = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE]([+-]?\d+))?", re.ASCII)
_NOT_FINITE = re.compile(r"[+-]?(?:nan|inf|infinity)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class NumberText:
    """A number of a file as its own characters, not yet read: no digit lost, no huge power computed."""

    text: str

    def __str__(self) -> str:
        return self.text


def exact(value: object) -> Fraction:
    """The number that ``value`` states, exactly; a float counts as the decimal that Python prints for it.

    Raises ValueError, saying what was found, for anything that is no finite number, and for numbers
    beyond 10,000 digits or an exponent beyond ±10,000.
    """
    match value:
        case bool():
            raise ValueError(f"found {shown(value)}; a number is expected")
        case int():
            if value.bit_length() > 4 * MAX_DIGITS:
                raise ValueError(f"found an integer of more than {MAX_DIGITS} digits; that is not supported")
            return Fraction(value)
        case float():
            return _from_text(repr(float(value)), value)
        case Decimal() | NumberText():
            return _from_text(str(value).replace("_", ""), value)
        case str():
            return _from_text(value.strip(), value)
        case Rational():
            return Fraction(int(value.numerator), int(value.denominator))
        case _:
            raise ValueError(f"found {shown(value)}; a number is expected")


def _from_text(text: str, found: object) -> Fraction:
    """The decimal written in ``text``; its size is looked at before anything is computed."""
    if _NOT_FINITE.fullmatch(text):
        raise ValueError(f"found {shown(found)}; a finite number is expected")
    match = _DECIMAL.fullmatch(text)
    if match is None:
        raise ValueError(f"found {shown(found)}; a number is expected")
    exponent = (match.group(1) or "0").lstrip("+-").lstrip("0") or "0"
    if len(exponent) > len(str(MAX_EXPONENT)) or int(exponent) > MAX_EXPONENT:
        raise ValueError(f"found {shown(found)}; exponents beyond ±{MAX_EXPONENT} are not supported")
    if len(text) > MAX_DIGITS:
        raise ValueError(f"found a number of {len(text)} characters; more than {MAX_DIGITS} digits are not supported")
    # by way of Decimal: Python refuses to read an int of more than 4300 digits from text
    return Fraction(Decimal(text))
