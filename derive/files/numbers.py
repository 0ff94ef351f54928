"""Numbers as a user writes them, read exactly: 0.15 is 3/20."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from numbers import Rational

from derive.errors import shown

# Written out in full, without a power of ten. Python itself declines to print or to read whole
# numbers of more than 4300 digits, and nobody's network needs them.
MAX_DIGITS = 4000

_DECIMAL = re.compile(r"[+-]?(?P<digits>\d+(?:\.\d*)?|\.\d+)(?:[eE](?P<exponent>[+-]?\d+))?", re.ASCII)
_NOT_FINITE = re.compile(r"[+-]?(?:nan|inf|infinity)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class NumberText:
    """A number of a file as its own characters, not yet read: no digit lost, no huge power computed."""

    text: str

    def __str__(self) -> str:
        return self.text


def exact(value: object) -> Fraction:
    """The number that ``value`` states, exactly; a float counts as the decimal that Python prints for it.

    Raises ValueError, saying what was found, for anything that is no finite number, and for numbers of
    more than 4000 digits (1e5000 has 5001).
    """
    match value:
        case bool():
            raise ValueError(f"found {shown(value)}; a number is expected")
        case float():
            return _from_text(repr(float(value)), value)
        case Decimal() | NumberText():
            return _from_text(str(value).replace("_", ""), value)
        case str():
            return _from_text(value.strip(), value)
        case Rational():
            parts = int(value.numerator), int(value.denominator)
            if max(part.bit_length() for part in parts) > math.log2(10) * MAX_DIGITS:
                raise ValueError(_TOO_LONG.format("a number"))
            return Fraction(*parts)
        case _:
            raise ValueError(f"found {shown(value)}; a number is expected")


def _from_text(text: str, found: object) -> Fraction:
    """The decimal written in ``text``; its size is looked at before anything is computed."""
    if _NOT_FINITE.fullmatch(text):
        raise ValueError(f"found {shown(found)}; a finite number is expected")
    match = _DECIMAL.fullmatch(text)
    if match is None:
        raise ValueError(f"found {shown(found)}; a number is expected")
    digits, exponent = len(match["digits"]), (match["exponent"] or "0").lstrip("+-").lstrip("0") or "0"
    if len(exponent) > len(str(MAX_DIGITS)) or digits + int(exponent) > MAX_DIGITS:
        raise ValueError(_TOO_LONG.format(shown(found)))
    return Fraction(Decimal(text))


_TOO_LONG = f"found {{}}; more than {MAX_DIGITS} digits, written out in full, are not supported"
