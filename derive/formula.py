"""A formula as it stands on paper: a small tree that keeps the order in which it was written.

SymPy does the mathematics and is free to reorder what it is given; this tree is what a reader
sees. Every printer (TeX, Typst, speech, plain text) walks the same few node types, and nothing
here is ever a string with a meaning hidden in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


@dataclass(frozen=True, slots=True)
class Name:
    """How a quantity is written: ``Name("net", "h1")`` is net with the subscript h1.

    ``base`` is a letter, a word, or the English name of a Greek letter ("delta", "eta");
    ``style`` is "italic" (the default), "roman", "bold" or "code"; ``accent`` is "", "hat" or "left" (an arrow to
    the left).
    ``typed`` is how the name is typed where that is not what is printed: "W[0, 0]".
    """

    base: str
    sub: str = ""
    sup: str = ""
    style: str = "italic"
    accent: str = ""
    typed: str = ""


class Formula:
    """Base of all nodes; the nodes below are the whole language."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Symbol(Formula):
    """A named quantity."""

    name: Name


@dataclass(frozen=True, slots=True)
class Number(Formula):
    """A number as decimal text ("0.593269992", "-0.5", "1.5e-43"), already rounded for display."""

    text: str


@dataclass(frozen=True, slots=True)
class Sum(Formula):
    """Terms added in this order; a `Negative` term is written with a minus sign."""

    terms: tuple[Formula, ...]


@dataclass(frozen=True, slots=True)
class Product(Formula):
    """Factors multiplied in this order.

    ``sign`` is "" (side by side, with a dot only where numbers or words would run together),
    "dot" (always a dot), "hadamard" (⊙) or "times" (×).
    """

    factors: tuple[Formula, ...]
    sign: str = ""


@dataclass(frozen=True, slots=True)
class Negative(Formula):
    """−body."""

    body: Formula


@dataclass(frozen=True, slots=True)
class Fraction(Formula):
    """numerator over denominator, with a bar."""

    numerator: Formula
    denominator: Formula


@dataclass(frozen=True, slots=True)
class Power(Formula):
    """base to the exponent."""

    base: Formula
    exponent: Formula


@dataclass(frozen=True, slots=True)
class Call(Formula):
    """A function of arguments: "log" (natural), "exp", "tanh", "sigma", "max", "relu", …

    ``prime`` writes f′; "sqrt" and "abs" get their own signs; "exp" may be written e^x.
    """

    function: str
    arguments: tuple[Formula, ...]
    prime: bool = False


@dataclass(frozen=True, slots=True)
class Partial(Formula):
    """∂of/∂by, the partial derivative as a fraction."""

    of: Formula
    by: Formula


@dataclass(frozen=True, slots=True)
class Derivative(Formula):
    """d/d``by`` [body], a derivative that is still to be taken; with ``partial`` ∂/∂``by`` [body]."""

    body: Formula
    by: Formula
    partial: bool = False


@dataclass(frozen=True, slots=True)
class Relation(Formula):
    """left sign right, sign one of = ≈ < ≤ > ≥ ≠ (conditions in `Cases`, and short inline equations)."""

    left: Formula
    sign: str
    right: Formula


@dataclass(frozen=True, slots=True)
class Cases(Formula):
    """A definition by cases; a condition of None is "otherwise"."""

    rows: tuple[tuple[Formula, Formula | None], ...]


@dataclass(frozen=True, slots=True)
class BigSum(Formula):
    """Σ over an index (with optional bounds) of body."""

    index: Formula
    lower: Formula | None
    upper: Formula | None
    body: Formula


@dataclass(frozen=True, slots=True)
class Matrix(Formula):
    """Rows of entries in brackets; a vector is a matrix of one column."""

    rows: tuple[tuple[Formula, ...], ...]


@dataclass(frozen=True, slots=True)
class Transposed(Formula):
    """bodyᵀ."""

    body: Formula


@dataclass(frozen=True, slots=True)
class Group(Formula):
    """body in parentheses that the writer wants even where precedence does not ask for them."""

    body: Formula


@dataclass(frozen=True, slots=True)
class Dots(Formula):
    """An ellipsis between terms that are left out."""


@dataclass(frozen=True, slots=True)
class Words(Formula):
    """Upright words inside a formula ("otherwise", "for every example")."""

    text: str


@dataclass(frozen=True, slots=True)
class Mark(Formula):
    """body in the colour of chain-rule factor ``factor`` (1, 2, 3, …), with a label under a brace if given."""

    factor: int
    body: Formula
    label: Formula | None = None


@dataclass(frozen=True, slots=True)
class Gap(Formula):
    """A blank to be filled in by hand, as wide as what belongs there: ``body``, which no printer ever writes.

    ``mark`` is a letter or a number under it, so that a question can speak of it.
    """

    body: Formula
    mark: str = ""


class Precedence(IntEnum):
    """How tightly a node binds; a child that binds less than its place needs parentheses."""

    RELATION = 0
    SUM = 1
    NEGATIVE = 2
    PRODUCT = 3
    POWER = 4
    ATOM = 5


def precedence(node: Formula) -> Precedence:
    """The precedence of a node as it is written."""
    match node:
        case Relation():
            return Precedence.RELATION
        case Sum():
            return Precedence.SUM
        case Negative():
            return Precedence.NEGATIVE
        case Number(text):
            return (
                Precedence.NEGATIVE
                if text.startswith("-")
                else (Precedence.PRODUCT if "e" in text else Precedence.ATOM)
            )
        case Product() | BigSum() | Derivative():
            return Precedence.PRODUCT
        case Fraction() | Partial() | Power() | Transposed():
            return Precedence.POWER
        case Mark(_, body, label):
            return Precedence.ATOM if label is not None else precedence(body)
        case _:
            return Precedence.ATOM


def children(node: Formula) -> tuple[Formula, ...]:
    """The direct parts of a node, in reading order; a `Gap` has none, so that nothing finds the answer."""
    match node:
        case Sum(parts) | Product(parts) | Call(_, parts):
            return parts
        case Negative(body) | Transposed(body) | Group(body):
            return (body,)
        case Fraction(a, b) | Power(a, b) | Partial(a, b) | Derivative(a, b) | Relation(a, _, b):
            return (a, b)
        case Cases(rows):
            return tuple(part for row in rows for part in row if part is not None)
        case BigSum(index, lower, upper, body):
            return tuple(part for part in (index, lower, upper, body) if part is not None)
        case Matrix(rows):
            return tuple(entry for row in rows for entry in row)
        case Mark(_, body, label):
            return (body,) if label is None else (body, label)
        case _:
            return ()


@dataclass(frozen=True, slots=True)
class Side:
    """One side of an equation, and the sign that stands before it ("=" or "≈"; "" for the first)."""

    formula: Formula
    sign: str = "="


def sides(first: Formula, *others: Formula | Side) -> tuple[Side, ...]:
    """The sides of an equation: ``sides(a, b, Side(c, "≈"))`` reads a = b ≈ c."""
    return (Side(first, ""), *(other if isinstance(other, Side) else Side(other) for other in others))


def marked(node: Formula, factor: int | None) -> Formula:
    """node in the colour of a factor, or as it is for None."""
    return node if factor is None else Mark(factor, node)
