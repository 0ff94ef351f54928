"""How precise the numbers are that somebody hands over: stated, or told from the digits themselves."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import numpy as np

from derive.errors import ChainruleError

KNOWN = 'auto, float64, float32, float16, bfloat16, 4sf, 4dp, 4sf-steps, 4dp-steps, "±1e-6"'

UNIT = {
    "float64": Fraction(1, 2**53),
    "float32": Fraction(1, 2**24),
    "float16": Fraction(1, 2**11),
    "bfloat16": Fraction(1, 2**8),
}
"""The unit roundoff: half the distance of two neighbouring floats at 1."""

HALVES = ("float16", "bfloat16")
"""Types so coarse that a gross mistake may hide behind their rounding."""

FLOAT16_NEAR_0 = Fraction(1, 2**25)
"""By how much float16 rounds what is next to 0: it has no smaller numbers than 2^-24."""

NONE = Fraction(0)

FULL_DIGITS = 15
"""From so many significant digits on a number is taken for a float's repr."""


@dataclass(frozen=True)
class Precision:
    """A precision: ``kind`` is a type of `UNIT`, sf, dp or within; ``places`` its digits; ``width`` of ±.

    ``steps``: every intermediate result was rounded so too.
    """

    kind: str
    places: int = 0
    width: Fraction = Fraction(0)
    steps: bool = False

    def __str__(self) -> str:
        """As it is typed."""
        if self.kind == "within":
            return f"±{float(self.width):g}"
        return self.kind if self.kind in UNIT else f"{self.places}{self.kind}{'-steps' * self.steps}"

    @property
    def coarse(self) -> bool:
        """Is every step rounded so coarsely that a gross mistake may be taken for it?"""
        return self.steps or self.kind in HALVES

    def half_unit(self, value: Fraction) -> Fraction:
        """By how much a value that is printed so may differ from what was computed, by its printing alone."""
        if self.kind == "within":
            return self.width
        if self.kind == "dp":
            return Fraction(1, 2 * 10**self.places)
        if self.kind == "sf" and value:
            return Fraction(10) ** (_magnitude(value) - self.places + 1) / 2
        return NONE

    @property
    def unit(self) -> Fraction:
        """The relative rounding of each step of the calculation."""
        if self.steps and self.kind == "sf":
            return Fraction(10) ** (1 - self.places) / 2
        return UNIT.get(self.kind, UNIT["float64"])

    @property
    def absolute(self) -> Fraction:
        """The absolute rounding of each step."""
        if self.kind == "float16":
            return FLOAT16_NEAR_0
        return Fraction(1, 2 * 10**self.places) if self.steps and self.kind == "dp" else Fraction(0)


def read(text: str) -> Precision | None:
    """A stated precision; None for "auto". Raises ChainruleError."""
    bare = text.strip()
    if bare == "auto":
        return None
    if bare in UNIT:
        return Precision(bare)
    if match := re.fullmatch(r"(\d{1,3})(sf|dp)(-steps)?", bare):
        places = int(match[1])
        if places or match[2] == "dp":
            return Precision(match[2], places, steps=bool(match[3]))
    if match := re.fullmatch(r"(?:±|\+-|\+/-)\s*(\d*\.?\d+(?:[eE][-+]?\d{1,3})?)", bare):
        width = Fraction(match[1])
        if width > 0:
            return Precision("within", width=width)
    raise ChainruleError(f"--given: {text!r} is no precision; known: {KNOWN}")


def told(texts: Sequence[str]) -> Precision:
    """The precision of numbers from the digits in which they are written."""
    digits = [_digits(text) for text in texts if Decimal(text) != 0]
    most = max((len(each) for each, _ in digits), default=1)
    if most >= FULL_DIGITS:
        exact32 = all(float(np.float32(float(text))) == float(text) for text in texts)
        if exact32 and (len(digits) > 1 or most > FULL_DIGITS):
            return Precision("float32")
        return Precision("sf", most) if most > 17 else Precision("float64")
    if most >= 8 and len(texts) > 2 and all(_is_float32(text) for text in texts):
        return Precision("float32")
    decimals = max((places for _, places in digits), default=0)
    return Precision("dp", decimals) if _to_decimals(texts, most, decimals) else Precision("sf", most)


def _to_decimals(texts: Sequence[str], most: int, decimals: int) -> bool:
    """Is it likelier that the numbers were rounded to decimals than to significant digits?

    A digit that is missing at the end was a 0, once in ten times: fewer missing ones are likelier. A 0 with all its
    decimals speaks for decimals, and where nothing else does, any 0 is taken for a small number that was rounded.
    """
    counted = [_digits(text) for text in texts if Decimal(text) != 0]
    zeros = [_digits(text)[1] for text in texts if Decimal(text) == 0]
    missing_digits = sum(most - len(each) for each, _ in counted) + sum(1 < places == decimals for places in zeros)
    missing_decimals = sum(decimals - places for _, places in counted)
    return decimals > 0 and (missing_decimals < missing_digits or (missing_decimals == missing_digits and bool(zeros)))


def _digits(text: str) -> tuple[str, int]:
    """The significant digits of a number as written, and how many decimals it has."""
    number = Decimal(text)
    digits = "".join(map(str, number.as_tuple().digits)).lstrip("0")
    exponent = number.as_tuple().exponent
    return digits or "0", max(0, -int(exponent)) if isinstance(exponent, int) else 0


def is_full(text: str) -> bool:
    """Has a number so many digits that it is taken for a float's repr?"""
    return len(_digits(text)[0]) >= FULL_DIGITS


def _is_float32(text: str) -> bool:
    """Is this how NumPy prints some float32?"""
    value = np.float32(float(text))
    return bool(Decimal(str(value)) == Decimal(text))


def _magnitude(value: Fraction) -> int:
    from derive.digits import magnitude

    return magnitude(value)
