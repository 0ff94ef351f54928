"""Which numbers are taken for what: the right answer's range, and one for each known mistake, which never meet."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import ROUND_DOWN, Context, Decimal, localcontext
from fractions import Fraction

from render.exercises.model import Feedback, Item, NumberAnswer

DIGITS = 60  # more than any value or tolerance has
SMALLEST = Decimal("1e-4")  # Canvas takes a smaller answer for 0
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Range:
    """Numbers from ``value`` − ``tolerance`` to ``value`` + ``tolerance``, what share of the points they are worth."""

    value: Decimal
    tolerance: Decimal
    share: Fraction
    feedback: Feedback | None = None

    @property
    def low(self) -> Decimal:
        """The smallest number that is taken."""
        with localcontext(Context(prec=DIGITS)):
            return self.value - self.tolerance

    @property
    def high(self) -> Decimal:
        """The largest number that is taken."""
        with localcontext(Context(prec=DIGITS)):
            return self.value + self.tolerance


def ranges(item: Item) -> tuple[Range, ...]:
    """The right answer's range first, then those of the known mistakes, cut so that no two of them meet.

    A mistake's range is as wide as the right one's, relative to its value. A mistake whose value lies inside the right
    answer's range has none: who hands that in has the right answer.
    """
    answer = item.answer
    assert isinstance(answer, NumberAnswer)
    right = Range(Decimal(answer.value), abs(Decimal(answer.tolerance)), Fraction(1))
    with localcontext(Context(prec=DIGITS, rounding=ROUND_DOWN)) as exact:
        told = [(Decimal(feedback.value), feedback) for feedback in answer.feedback]
        kept = [(value, feedback) for value, feedback in told if abs(value - right.value) > right.tolerance]
        found = [right]
        for value, feedback in kept:
            room = [abs(value - right.value) - right.tolerance]
            room += [abs(value - other) / 2 for other, _ in kept if other != value]
            wide = right.tolerance * abs(value / right.value) if right.value else right.tolerance
            reach = min(max(right.tolerance, wide), *(each * Decimal("0.99") for each in room))
            exact.prec = 3
            short = +reach
            exact.prec = DIGITS
            share = Fraction(feedback.points, item.points) if item.points else Fraction(0)
            found.append(Range(value, short, min(max(share, Fraction(0)), Fraction(1)), feedback))
    return tuple(found)


def plain(value: Decimal) -> str:
    """A number in digits, never with an exponent, without zeros at the end."""
    text = format(value, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


def written(value: Decimal) -> str:
    """A number as short as it can be written exactly: digits from 1e-6 to 1e21, else with an exponent."""
    if not value or -6 <= value.adjusted() <= 20:
        return plain(value)
    sign, digits, _ = value.normalize(Context(prec=DIGITS)).as_tuple()
    mantissa = "".join(map(str, digits))
    body = mantissa[0] + ("." + mantissa[1:] if len(mantissa) > 1 else "")
    return f"{'-' if sign else ''}{body}e{value.adjusted()}"


# ---- units for small answers ---------------------------------------------------------------


def power(answer: NumberAnswer) -> int:
    """The power of ten, a multiple of three, in whose units a small answer is asked for; 0 for any other."""
    value = Decimal(answer.value)
    if not value or abs(value) >= SMALLEST:
        return 0
    return (value.adjusted() // 3) * 3


def scaled(answer: NumberAnswer, exponent: int) -> NumberAnswer:
    """The answer in units of ten to the ``exponent``: values, tolerance and mistakes are moved exactly."""
    if not exponent:
        return answer
    feedback = tuple(
        replace(each, value=_moved(each.value, exponent), shown=_moved(each.shown, exponent, keep=True))
        for each in answer.feedback
    )
    return replace(
        answer,
        value=_moved(answer.value, exponent),
        shown=_moved(answer.shown, exponent, keep=True),
        tolerance=_moved(answer.tolerance, exponent),
        feedback=feedback,
    )


def _moved(text: str, exponent: int, *, keep: bool = False) -> str:
    """A decimal number divided by ten to the ``exponent``; ``keep`` leaves the zeros at its end."""
    value = Decimal(text).scaleb(-exponent, Context(prec=DIGITS))
    return format(value, "f") if keep else written(value)


def units(exponent: int) -> str:
    """What is said of the units: "10⁻⁶"."""
    return f"10{str(exponent).translate(SUPERSCRIPTS)}"
