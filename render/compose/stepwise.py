"""Arithmetic one operation at a time: between the numbers of a line and its result, what comes out on the way.

A number that is written here remembers the quantity that it rounds, so that an intermediate result is computed from
the quantities themselves and not from their printed digits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction as Rational
from functools import partial, reduce
from operator import add, mul

import flint

from derive.digits import Exact
from derive.evaluate.balls import NAMESPACE, Enclosures, element, exact, filled
from derive.formula import Call, Formula, Fraction, Group, Mark, Negative, Number, Power, Product, Side, Sum
from derive.quantities import Read
from render.compose.pen import Pen, Shown
from render.document import Block, Equation, Note, Section

At = Callable[[int], Exact]
"""A quantity at so many bits of working precision."""


@dataclass(frozen=True, slots=True, eq=False)
class Known(Number):
    """A number on paper that knows the quantity behind it, and whether its digits are all of it."""

    at: At
    exact: bool

    def __eq__(self, other: object) -> bool:
        """On paper it is any other number of the same digits."""
        return self.text == other.text if isinstance(other, Number) else NotImplemented

    def __hash__(self) -> int:
        return hash(Number(self.text))


@dataclass(frozen=True)
class KnownShown(Shown):
    """A number as it is printed, with the quantity behind it."""

    at: At

    @property
    def formula(self) -> Number:
        """The number in a formula."""
        return Known(self.text, self.at, self.exact)


@dataclass(frozen=True)
class FullPen(Pen):
    """The pen of a page that shows every algebraic step."""

    def show(self, read: Read, enclosures: Enclosures | None = None) -> Shown:
        """A number read from the values; it remembers from where."""
        source = self.derivation.enclosures if enclosures is None else enclosures
        shown = super().show(read, source)
        return KnownShown(shown.text, shown.exact, partial(_read_at, source, read))


def _read_at(source: Enclosures, read: Read, bits: int) -> Exact:
    with flint.ctx.workprec(bits):
        return read(source.at(bits))


def spelled_out(blocks: Sequence[Block], pen: Pen) -> tuple[Block, ...]:
    """The blocks with every calculation in their equations done one operation at a time."""
    made: list[Block] = []
    for block in blocks:
        match block:
            case Section() | Note():
                made.append(replace(block, blocks=spelled_out(block.blocks, pen)))
            case Equation():
                made.append(replace(block, sides=spelled_sides(block.sides, pen)))
            case _:
                made.append(block)
    return tuple(made)


def spelled_sides(sides: tuple[Side, ...], pen: Pen) -> tuple[Side, ...]:
    """The sides of an equation with intermediate results before each result."""
    made: list[Side] = []
    for position, side in enumerate(sides):
        made.append(side)
        if position + 1 < len(sides) and _is_value(sides[position + 1].formula):
            made += intermediate(side.formula, pen)
    return tuple(made)


def intermediate(calculation: Formula, pen: Pen) -> list[Side]:
    """What comes out on the way from a calculation with numbers to its result; nothing for any other formula."""
    made: list[Side] = []
    try:
        while not _is_value(calculation):
            done = _Round(pen)
            calculation = done.reduced(calculation)
            made.append(Side(calculation, "=" if done.exact else "≈"))
    except (_NoCalculationError, ArithmeticError):  # or one that is infinite on the way
        return []
    return made[:-1]


class _NoCalculationError(Exception):
    """A formula that is not made of numbers alone."""


def _bare(node: Formula) -> Formula:
    while isinstance(node, Mark | Group):
        node = node.body
    return node


def _is_value(node: Formula) -> bool:
    """A number, a negative one, or a fraction of whole numbers, which stays as it is until it is multiplied."""
    match _bare(node):
        case Number():
            return True
        case Negative(body):
            return _is_value(body)
        case Fraction(Number(above), Number(below)):
            return above.isdigit() and below.isdigit()
    return False


def _at(node: Formula, bits: int) -> Exact:
    match _bare(node):
        case Known(at=at):
            return at(bits)
        case Number(text):
            return exact(Rational(text))
        case Negative(body):
            return -_at(body, bits)
        case Fraction(above, below):
            return _at(above, bits) / _at(below, bits)
    raise _NoCalculationError


class _Round:
    """One round: every operation whose parts are numbers is done; of a longer product the first two factors."""

    def __init__(self, pen: Pen) -> None:
        self.pen = pen
        self.exact = True

    def reduced(self, node: Formula) -> Formula:
        if _is_value(node):
            return node
        match node:
            case Mark(factor, body):
                return Mark(factor, self.reduced(body))
            case Group(body):
                inner = self.reduced(body)
                return inner if _is_value(inner) else Group(inner)
            case Negative(body):
                return Negative(self.reduced(body))
            case Sum(terms):
                return self.done(_total, terms) or Sum(tuple(map(self.reduced, terms)))
            case Product(factors, sign) if sign in ("", "dot"):
                return self.product(factors)
            case Fraction(above, below):
                return self.done(_quotient, (above, below)) or Fraction(self.reduced(above), self.reduced(below))
            case Power(base, exponent):
                return self.done(NAMESPACE["power"], (base, exponent)) or Power(
                    self.reduced(base), self.reduced(exponent)
                )
            case Call(function, arguments, False) if function in FUNCTIONS:
                called = self.done(FUNCTIONS[function], arguments)
                return called or Call(function, tuple(map(self.reduced, arguments)))
        raise _NoCalculationError

    def product(self, factors: tuple[Formula, ...]) -> Formula:
        if not all(map(_is_value, factors)):
            return Product(tuple(map(self.reduced, factors)), "dot")
        first, second, *others = factors
        result = self.done(_multiplied, (first, second))
        return Product((result, *others), "dot") if others and result is not None else result or Product(factors)

    def done(self, compute: Callable[..., Exact], parts: tuple[Formula, ...]) -> Formula | None:
        """The number that an operation gives; None where a part is no number yet."""
        if not all(map(_is_value, parts)):
            return None

        def at(bits: int) -> Exact:
            with flint.ctx.workprec(bits):
                return compute(*(_at(part, bits) for part in parts))

        computed = Enclosures(lambda bits: {"": filled(at(bits), ())})
        shown = self.pen.show(lambda values: element(values[""], ()), computed)
        self.exact = self.exact and shown.exact
        return Known(shown.text, at, shown.exact)


def _total(*terms: Exact) -> Exact:
    return reduce(add, terms)


def _multiplied(*factors: Exact) -> Exact:
    return reduce(mul, factors)


def _quotient(above: Exact, below: Exact) -> Exact:
    return above / below


def _logistic(z: Exact) -> Exact:
    falling: Exact = NAMESPACE["exp"](-z)
    return 1 / (1 + falling)


FUNCTIONS: dict[str, Callable[..., Exact]] = {
    **{name: NAMESPACE[name] for name in ("exp", "log", "tanh", "sqrt", "sin", "cos", "erf", "abs")},
    "sigma": _logistic,
    "max": NAMESPACE["largest"],
}
"""What the functions of a formula compute."""
