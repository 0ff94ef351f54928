"""How wide a formula will be, in em of the surrounding text: a careful guess, rather too wide than too narrow."""

from __future__ import annotations

import math
from itertools import pairwise

from derive.formula import (
    BigSum,
    Call,
    Cases,
    Derivative,
    Dots,
    Formula,
    Fraction,
    Gap,
    Group,
    Mark,
    Matrix,
    Name,
    Negative,
    Number,
    Partial,
    Power,
    Product,
    Relation,
    Side,
    Sum,
    Symbol,
    Transposed,
    Words,
)
from derive.tex_spacing import is_tall, needs_dot

LETTER = 0.56
DIGIT = 0.51
SCRIPT = 0.72  # the size of a sub- or superscript
PARENTHESIS = 0.42
BINARY = 1.25  # + − with the space round them
DOT = 0.85
RELATION = 1.35
UPRIGHT = 0.5  # a letter of a word
TYPED = 0.58  # a letter of code
COLUMN = 1.0  # between the columns of a matrix
HANDWRITING = 1.6  # times as wide as print
NARROWEST_GAP, WIDEST_GAP = 3, 24  # em


def width(node: Formula, *, display: bool = True) -> float:
    """The estimated width of a formula; ``display`` is False inside a line, where fractions are small."""
    match node:
        case Symbol(name):
            return name_width(name)
        case Number(text):
            return number_width(text)
        case Words(text):
            return UPRIGHT * len(text) + 0.2
        case Sum(terms):
            return sum(width(term, display=display) for term in terms) + BINARY * (len(terms) - 1)
        case Product(factors, _):
            return sum(_factor(factor, display) for factor in factors) + sum(_gaps(node))
        case Negative(body):
            return 0.9 + _factor(body, display)
        case Fraction(a, b) | Partial(a, b) if not display:  # may be slashed
            return width(a, display=False) + width(b, display=False) + (2.0 if isinstance(node, Partial) else 0.6)
        case Fraction(a, b) | Partial(a, b):
            both = max(width(a, display=False), width(b, display=False)) + (0.6 if isinstance(node, Partial) else 0.0)
            return both + 0.25
        case Derivative(body, by):
            return width(by, display=False) + (1.4 if display else 2.6) + width(body, display=display)
        case Power(base, exponent):
            return _factor(base, display) + SCRIPT * width(exponent, display=False)
        case Call(function, arguments):
            return _call(function, arguments, display)
        case Relation(left, _, right):
            return width(left, display=display) + RELATION + width(right, display=display)
        case Group(body):
            return width(body, display=display) + 2 * PARENTHESIS
        case Transposed(body):
            return _factor(body, display) + 0.6
        case Mark(_, body, label):
            return max(_factor(body, display), 0.0 if label is None else SCRIPT * width(label, display=False))
        case Dots():
            return 1.2
        case Gap():
            return gap_size(node)[0] + 0.5
        case _:
            return _large(node, display)


def equation_width(sides: tuple[Side, ...], *, display: bool = True) -> float:
    """The estimated width of an equation in one line."""
    return sum(width(side.formula, display=display) + (RELATION if side.sign else 0.0) for side in sides)


def gap_size(gap: Gap) -> tuple[float, float]:
    """The width and height in em of a blank: handwriting's, in whole steps, since a sign may not be read off it.

    What would be too long for one line gets two.
    """
    needed = max(NARROWEST_GAP, math.ceil(HANDWRITING * width(gap.body)))
    height = 3.2 if is_tall(gap.body) else 1.7
    return (needed, height) if needed <= WIDEST_GAP else (WIDEST_GAP, 2 * height)


def name_width(name: Name) -> float:
    """The estimated width of a name with its scripts."""
    if name.style == "code":
        return TYPED * len(name.base) + SCRIPT * TYPED * max(len(name.sub), len(name.sup))
    base = LETTER if len(name.base) == 1 else min(len(name.base) * UPRIGHT + 0.1, 0.6 if not name.base else 99)
    return base + SCRIPT * DIGIT * 1.05 * max(len(name.sub), len(name.sup))


def number_width(text: str) -> float:
    """The estimated width of a number; a power of ten takes the place of the exponent's "e"."""
    digits, _, exponent = text.partition("e")
    return DIGIT * len(digits) + (BINARY + 2 * DIGIT + SCRIPT * DIGIT * len(exponent) if exponent else 0.0)


def _factor(node: Formula, display: bool) -> float:
    bare = node
    while isinstance(bare, Mark):
        bare = bare.body
    bracketed = isinstance(bare, Sum | Negative) or (isinstance(bare, Number) and bare.text.startswith("-"))
    return width(node, display=display) + (2 * PARENTHESIS if bracketed and not isinstance(node, Mark) else 0.0)


def _gaps(product: Product) -> list[float]:
    """The width of what stands between the factors: a sign, a dot, or nothing but a little space."""
    if product.sign:
        return [DOT if product.sign == "dot" else BINARY] * (len(product.factors) - 1)
    return [DOT if needs_dot(left, right) else 0.2 for left, right in pairwise(product.factors)]


def _call(function: str, arguments: tuple[Formula, ...], display: bool) -> float:
    inner = sum(width(argument, display=display) for argument in arguments) + 0.6 * (len(arguments) - 1)
    return inner + (LETTER if function in ("sigma", "exp", "logistic") else UPRIGHT * len(function)) + 2 * PARENTHESIS


def _large(node: Formula, display: bool) -> float:
    match node:
        case Cases(rows):
            value = max(width(value, display=False) for value, _ in rows)
            condition = max(width(test, display=False) if test else 4.5 for _, test in rows)
            return value + condition + 3.5
        case Matrix(rows):
            columns = max((len(row) for row in rows), default=0)
            widest = (
                max((width(row[c], display=False) for row in rows if c < len(row)), default=0.0) for c in range(columns)
            )
            return sum(widest) + COLUMN * columns + 1.4
        case BigSum(_, _, _, body):
            return 1.9 + _factor(body, display)
    raise TypeError(f"a formula node that has no width: {type(node).__name__}")
