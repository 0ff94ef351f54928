"""Exact numbers as decimal text: correctly rounded, plain from 1e-6 to 1e21, never underflowing."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

import flint
import mpmath
import pytest
from flint import arb, fmpq
from hypothesis import given
from hypothesis import strategies as st

import derive
from derive.derivation import Derivation
from derive.digits import as_decimal, decide, from_float, magnitude, significant
from derive.evaluate.balls import Enclosures

EXACT = st.builds(
    lambda mantissa, exponent: Fraction(mantissa) * Fraction(10) ** exponent,
    st.integers(-(10**40), 10**40),
    st.integers(-60, 40),
)
RATIONAL = st.builds(Fraction, st.integers(-(10**30), 10**30), st.integers(1, 10**30))


def rounded(value: Fraction, digits: int) -> Decimal:
    """The same by the decimal module: a quotient with so many more digits that rounding it again is no danger."""
    with_all = Context(prec=digits, rounding=ROUND_HALF_EVEN)
    return with_all.divide(Decimal(value.numerator), Decimal(value.denominator))


@given(EXACT | RATIONAL, st.integers(1, 60))
def test_significant_digits_are_those_of_the_decimal_module(value: Fraction, digits: int) -> None:
    text = significant(value, digits)
    assert Decimal(text) == rounded(value, digits)
    assert decide(fmpq(value.numerator, value.denominator), digits) == text


@given(EXACT | RATIONAL, st.integers(1, 40))
def test_the_text_has_no_digit_too_many(value: Fraction, digits: int) -> None:
    text = significant(value, digits)
    mantissa, _, exponent = text.partition("e")
    figures = mantissa.lstrip("-").replace(".", "").lstrip("0")
    assert "." not in mantissa or not mantissa.endswith(("0", "."))
    if value and (exponent or "." in mantissa):
        assert len(figures) <= digits
    leading = math.floor(Decimal(text).adjusted()) if value else 0
    assert bool(exponent) == (not -6 <= leading < 21)
    assert not exponent.startswith("+")


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        ("0", 5, "0"),
        ("0.15", 17, "0.15"),
        ("100", 1, "100"),
        ("-0.05", 3, "-0.05"),
        # half to even
        ("0.125", 2, "0.12"),
        ("0.135", 2, "0.14"),
        ("2.5", 1, "2"),
        ("3.5", 1, "4"),
        ("-2.5", 1, "-2"),
        ("2.50000000000000000000000001", 1, "3"),
        ("9.995", 3, "10"),
        ("99.5", 2, "100"),
        # plain from 1e-6 …
        ("0.000001", 3, "0.000001"),
        ("0.00000123", 3, "0.00000123"),
        ("0.000000999", 3, "9.99e-7"),
        ("0.0000009996", 3, "0.000001"),
        # … to 1e21
        ("999999999999999999999", 21, "999999999999999999999"),
        ("999999999999999999999", 3, "1e21"),
        ("1000000000000000000000", 3, "1e21"),
        ("100000000000000000000", 3, "100000000000000000000"),
        ("123456789012345678901234", 5, "1.2346e23"),
        ("1.5e-4343", 9, "1.5e-4343"),
        ("-1.5e4343", 9, "-1.5e4343"),
        ("1e-10000", 2, "1e-10000"),
    ],
)
def test_borders(value: str, digits: int, text: str) -> None:
    assert significant(Fraction(value), digits) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_is_the_shortest_text_that_reads_back(value: float) -> None:
    text = from_float(value)
    assert float(text) == value
    assert Decimal(text) == Decimal(repr(value))
    assert ("e" in text) == (value != 0 and not 1e-6 <= abs(value) < 1e21)
    assert text != "-0"


@given(EXACT.filter(bool))
def test_magnitude_is_the_exponent_of_the_first_digit(value: Fraction) -> None:
    exponent = magnitude(value)
    assert Fraction(10) ** exponent <= abs(value) < Fraction(10) ** (exponent + 1)


@given(EXACT, st.integers(0, 30))
def test_an_exact_decimal_is_kept_where_it_is_short(value: Fraction, most: int) -> None:
    text = as_decimal(value, most)
    assert (text is not None) == ((value * 10**most).denominator == 1)
    assert text is None or Fraction(text) == value


# ---- enclosures ------------------------------------------------------------------------------


@given(RATIONAL.filter(bool), st.integers(1, 25), st.integers(2, 200))
def test_an_enclosure_decides_only_what_it_knows(value: Fraction, digits: int, bits: int) -> None:
    with flint.ctx.workprec(bits):
        ball = arb(fmpq(value.numerator, value.denominator))
    text = decide(ball, digits)
    assert text is None or text == significant(value, digits)


def test_an_enclosure_of_a_tie_is_not_decided() -> None:
    assert decide(arb("0.125", 1e-30), 2) is None
    assert decide(arb(0, 1e-30), 2) is None
    assert decide(arb(fmpq(1, 8)), 2) == "0.12"


@pytest.mark.parametrize("digits", [1, 17, 30, 50, 1000])
def test_digits_of_e(digits: int) -> None:
    """Precision is doubled until as many digits are decided as were asked for."""
    enclosures = Enclosures(lambda bits: {"e": arb(1).exp()})  # type: ignore[dict-item]
    with mpmath.workdps(digits + 20):
        expected = mpmath.nstr(mpmath.e, digits + 10, strip_zeros=False)
    assert enclosures.decimal(lambda values: values["e"], digits) == significant(Fraction(expected), digits)


def test_what_encloses_zero_at_the_last_precision_is_zero() -> None:
    """ln 2 + ln 3 − ln 6 is 0, and no number of bits shows it."""
    enclosures = Enclosures(lambda bits: {"nothing": arb(2).log() + arb(3).log() - arb(6).log()})  # type: ignore[dict-item]
    assert enclosures.decimal(lambda values: values["nothing"], 17) == "0"


# ---- a whole problem to many digits ----------------------------------------------------------


@pytest.fixture(scope="module")
def mazur() -> Derivation:
    return derive.differentiate("mazur")


def leaves(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value
    return [leaf for each in inner for leaf in leaves(each)]  # type: ignore[union-attr]


@pytest.mark.parametrize("digits", [1, 2, 9, 17, 30, 50])
def test_fewer_digits_are_more_digits_rounded(mazur: Derivation, digits: int) -> None:
    few, many = leaves(mazur.to_json(digits)), leaves(mazur.to_json(90))
    assert len(few) == len(many)
    for short, long in zip(few, many, strict=True):
        assert Fraction(short) == Fraction(significant(Fraction(long), digits))


def test_a_thousand_digits(mazur: Derivation) -> None:
    """∂E/∂w5 by mpmath, straight from the article's formula: −(t − out)·out·(1 − out)·out_h1."""
    with mpmath.workdps(1030):
        number = mpmath.mpf

        def squash(z: mpmath.mpf) -> mpmath.mpf:
            return 1 / (1 + mpmath.exp(-z))

        h1 = squash(number("0.15") * number("0.05") + number("0.2") * number("0.1") + number("0.35"))
        h2 = squash(number("0.25") * number("0.05") + number("0.3") * number("0.1") + number("0.35"))
        o1 = squash(number("0.4") * h1 + number("0.45") * h2 + number("0.6"))
        expected = mpmath.nstr(-(number("0.01") - o1) * o1 * (1 - o1) * h1, 1020, strip_zeros=False)
    found = mazur.to_json(1000)["gradients"]["W2"][0][0]
    assert found == significant(Fraction(expected), 1000)
    assert len(found) > 990


def saturated(activation: str, z: str, target: str) -> Derivation:
    return derive.differentiate(
        {
            "examples": [{"inputs": [1], "targets": [target]}],
            "layers": [{"activation": activation, "weights": [[z]]}],
            "loss": {"name": "squared_error"},
        }
    )


def test_exact_zeros_are_zero() -> None:
    found = saturated("relu", "-3", "0.5").to_json()
    assert found["gradients"] == {"W1": [["0"]]}
    assert found["arrays"]["a1"] == [["0"]]
    assert saturated("identity", "0.5", "0.5").to_json()["error"] == "0"
    assert saturated("tanh", "0", "0").to_json()["gradients"]["W1"] == [["0"]]


def test_far_out_nothing_underflows() -> None:
    """a(1 − a) at z = 10⁴, where two hundred digits would print 0."""
    derivation = saturated("logistic", "10000", "0")
    with mpmath.workdps(4400):
        power = mpmath.exp(-10000)
        slope = power / (1 + power) ** 2
        true = 2 * slope / (1 + power)
        expected = Fraction(int(true.man)) * Fraction(2) ** int(true.exp)
    assert derivation.to_json(17)["gradients"]["W1"][0][0] == significant(expected, 17)
    assert significant(expected, 4) == "2.271e-4343"
