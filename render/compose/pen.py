"""The pen: a derivation's symbols, numbers and lines, written in one notation with so many decimals.

What it writes are formulas (`derive.formula`); which of them stand where is the composers' affair.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction as Rational
from functools import cached_property

import flint
import sympy
from flint import fmpq

from derive import written
from derive.derivation import Derivation
from derive.digits import Exact, as_decimal, ends, magnitude
from derive.evaluate.balls import FIRST_BITS, LAST_BITS, Enclosures, exact, fraction
from derive.formula import (
    Call,
    Dots,
    Formula,
    Fraction,
    Negative,
    Number,
    Partial,
    Power,
    Product,
    Side,
    Sum,
    Symbol,
)
from derive.notation import Names, Notation, plain_name
from derive.optimizers import is_plain
from derive.program import Map
from derive.quantities import Read, reader, reads
from derive.scalars import Scalar
from render.document import Emphasis, Equation, Inline, Inlines, Math, Paragraph, Text

LONG_SUM = 6
"""A sum of more terms than this is written with dots."""

SIX = 6
"""Never fewer significant digits than these."""


@dataclass(frozen=True)
class Shown:
    """A number as it is printed: all of it (``exact``), or rounded."""

    text: str
    exact: bool

    @property
    def formula(self) -> Number:
        """The number in a formula."""
        return Number(self.text)

    @property
    def side(self) -> Side:
        """The number as the last side of an equation: = where it is exact, ≈ where it is rounded."""
        return Side(self.formula, "=" if self.exact else "≈")


def telling(source: Enclosures, read: Read) -> Exact:
    """A number enclosed tightly enough to see its size; what still encloses zero at the last precision is zero."""
    bits = FIRST_BITS
    while True:
        with flint.ctx.workprec(bits):
            value = read(source.at(bits))
        if isinstance(value, fmpq) or bits >= LAST_BITS or (value.is_finite() and not value.contains(0)) or value == 0:
            return value
        bits *= 2


@dataclass(frozen=True)
class Pen:
    """Writes a derivation's quantities. ``decimals`` is how many are shown of a rounded number."""

    derivation: Derivation
    notation: Notation
    decimals: int

    @cached_property
    def names(self) -> Names:
        """The names of the notation in which the document is written."""
        return Names(self.derivation.program, self.notation)

    @property
    def numbers(self) -> bool:
        """Whether there are numbers at all, or only symbols."""
        return self.derivation.has_numbers

    # ---- symbols ---------------------------------------------------------------------------

    def symbol(self, scalar: Scalar) -> Symbol:
        """A scalar by its name."""
        return Symbol(self.names.element(scalar.array, scalar.index))

    def array(self, name: str) -> Symbol:
        """A whole array by its name."""
        return Symbol(self.names.array(name))

    def nameless(self, scalar: Scalar) -> Symbol:
        """A kind of scalar, of no unit in particular: out."""
        return Symbol(replace(self.names.element(scalar.array, scalar.index), sub="", sup=""))

    def bare_delta(self, net: Scalar) -> Symbol:
        """A delta's name without its example."""
        return Symbol(self.names.delta(net.array, net.index, example=""))

    def delta(self, net: Scalar) -> Symbol:
        """The delta of a unit: ∂E/∂net."""
        return Symbol(self.names.delta(net.array, net.index))

    @property
    def error(self) -> Symbol:
        """The error."""
        return self.symbol(Scalar(self.derivation.program.error, ()))

    @property
    def learning_rate(self) -> Symbol:
        """The learning rate."""
        return Symbol(self.notation.learning_rate)

    def partial(self, of: Scalar | None, by: Scalar) -> Partial:
        """∂of/∂by; None for the error."""
        return Partial(self.error if of is None else self.symbol(of), self.symbol(by))

    def updated(self, scalar: Scalar) -> Symbol:
        """A parameter's new value, w⁺."""
        name = self.names.element(scalar.array, scalar.index)
        mark = ",+" if name.sup[-1:].isalnum() else "+"
        return Symbol(replace(name, sup=f"{name.sup}{mark}", typed=f"{name.typed}+" if name.typed else ""))

    def expression(self, expression: sympy.Expr) -> Formula:
        """A SymPy expression in the symbols of scalars."""
        return written.formula(
            expression, {s: self.symbol(self.derivation.scalar_of(s)) for s in expression.free_symbols}
        )

    def definition(self, scalar: Scalar) -> Formula:
        """What a scalar is computed from, in symbols."""
        node = self.derivation.graph.definition(scalar)
        return self.symbol(scalar) if node is None else written.definition(node, self.symbol)

    def unit(self, net: Scalar) -> Formula | str:
        """The unit itself: by its name, h1, where the notation has one for it, else in words."""
        name = self.names.unit(net.array, net.index)
        return self.unit_in_words(net) if name is None else Symbol(name)

    def nth(self, position: int) -> int:
        """How the text counts what stands at a position: from 1, or from 0 with a notation in the style of code."""
        return position if self.notation.example.place == "at" else position + 1

    def unit_in_words(self, net: Scalar) -> str:
        """The unit in plain text: h1; output unit 2; unit 3 of hidden layer 1."""
        name = self.names.unit(net.array, net.index)
        if name is not None:
            return plain_name(name)
        layer, number = self.derivation.program.variables[net.array].layer, self.nth(net.index[-1])
        if self.names.is_last(layer):
            return f"output unit {number}"
        alone = len(self.derivation.program.by_role("net")) == 2
        return f"hidden unit {number}" if alone else f"unit {number} of hidden layer {layer}"

    def gradient_symbol(self, scalar: Scalar) -> Formula:
        """∂E/∂scalar of a parameter, or its short name, dw, where the notation has one."""
        short = self.names.gradient(self.symbol(scalar).name)
        return self.partial(None, scalar) if short is None else Symbol(short)

    def array_gradient(self, name: str) -> Formula:
        """∂E/∂(a whole parameter), or its short name."""
        short = self.names.gradient(self.names.array(name))
        return Partial(self.error, self.array(name)) if short is None else Symbol(short)

    def in_example(self, scalar: Scalar, example: str) -> Symbol:
        """A scalar's name in an example that is not a number: out^(n)."""
        return Symbol(self.names.element(scalar.array, scalar.index, example))

    def bare(self, scalar: Scalar) -> Symbol:
        """A scalar's name without its example."""
        return Symbol(self.names.element(scalar.array, scalar.index, example=""))

    def elided(self, formula: Formula) -> Formula:
        """Long sums with dots in place of their middle, wherever they stand in a formula."""
        match formula:
            case Sum(terms):
                kept = [self.elided(term) for term in terms]
                return Sum(tuple(kept)) if len(kept) <= LONG_SUM else Sum(_shortened(kept))
            case Call(function, arguments, prime):
                return Call(function, tuple(self.elided(argument) for argument in arguments), prime)
            case Negative(body):
                return Negative(self.elided(body))
            case Fraction(numerator, denominator):
                return Fraction(self.elided(numerator), self.elided(denominator))
            case Product(factors, sign):
                return Product(tuple(self.elided(factor) for factor in factors), sign)
        return formula

    @property
    def rate(self) -> Shown:
        """The learning rate's number."""
        update = self.derivation.problem.update
        return self.fraction(update.learning_rate if update is not None else Rational(0))

    # ---- numbers ---------------------------------------------------------------------------

    def show(self, read: Read, enclosures: Enclosures | None = None) -> Shown:
        """A number read from the values: an exact short one as it is, else rounded to the decimals shown."""
        source = self.derivation.enclosures if enclosures is None else enclosures
        value = telling(source, read)
        known = fraction(value)
        if known is not None and (text := as_decimal(known, self.decimals)) is not None:
            return Shown(text, exact=True)
        low, high = ends(value)
        middle = (low + high) / 2
        if middle == 0:
            return Shown("0", exact=low == high)
        digits = max(SIX, self.decimals + magnitude(middle) + 1)
        return Shown(self._padded(source.decimal(read, digits), digits, magnitude(middle)), exact=False)

    def _padded(self, text: str, digits: int, leading: int) -> str:
        """Zeros at the end of a rounded number are digits too."""
        if "e" in text or text == "0":
            return text
        places = digits - 1 - leading
        whole, _, decimals = text.partition(".")
        return f"{whole}.{decimals.ljust(places, '0')}" if places > 0 else text

    def value(self, scalar: Scalar, enclosures: Enclosures | None = None) -> Shown:
        """The number of a scalar."""
        return self.show(reads(scalar.array, scalar.index), enclosures)

    def float(self, value: float) -> Shown:
        """A float64 as training computes it, rounded for display."""
        return self.fraction(Rational(value))

    def gradient(self, scalar: Scalar) -> Shown:
        """The number of ∂E/∂scalar."""
        return self.show(reads(self.derivation.gradient.adjoints[scalar.array], scalar.index))

    def product_of(self, net: Scalar, source: Scalar) -> Shown:
        """The number of delta times incoming value: what one example contributes to a gradient."""
        delta, value = reads(self.derivation.gradient.adjoints[net.array], net.index), reads(source.array, source.index)
        return self.show(lambda values: delta(values) * value(values))

    def after(self, parameter: Scalar) -> Shown:
        """The number of a parameter after one update."""
        if parameter.array not in self.derivation.trained:
            return self.value(parameter)
        return self.value(parameter, self.derivation.after_update)

    @property
    def plain_update(self) -> bool:
        """Whether the update is w − η ∂E/∂w and nothing more."""
        update = self.derivation.problem.update
        return update is None or is_plain(update)

    def sequential(self, parameter: Scalar) -> bool:
        """Whether a parameter is updated by the sequential sweep, which differs from the gradient below the last layer."""
        update = self.derivation.problem.update
        last = max(variable.layer for variable in self.derivation.program.variables.values())
        here = self.derivation.program.variables[parameter.array].layer
        return self.numbers and update is not None and update.order == "sequential" and here < last

    def swept_gradient(self, parameter: Scalar) -> Symbol:
        """What the sequential sweep subtracts in place of the gradient: g, with the parameter's subscript."""
        name = self.names.element(parameter.array, parameter.index)
        delta = self.notation.element("delta")
        letter = "s" if delta is not None and delta.base == "g" else "g"
        if name.style == "code":
            return Symbol(replace(name, base=f"{letter}_{name.base}", typed=""))
        return Symbol(replace(name, base=letter, style="italic"))

    @cached_property
    def error_is_plain_sum(self) -> bool:
        """Whether the error is the sum of the outputs' errors, not a mean."""
        adjoint = self.derivation.gradient.adjoints.get("e")
        whole = next((e.expression for e in self.derivation.gradient.equations if e.target == adjoint), None)
        return isinstance(whole, Map) and whole.formula == 1

    def local(self, expression: sympy.Expr) -> Shown:
        """The number of an expression in the symbols of scalars."""
        return self.show(reader(self.derivation, expression))

    def number(self, scalar: Scalar) -> Number:
        """The number of a scalar, for a formula with numbers in it."""
        return self.value(scalar).formula

    def expression_in_numbers(self, expression: sympy.Expr) -> Formula:
        """A SymPy expression with a number for each symbol."""
        return written.formula(
            expression, {s: self.number(self.derivation.scalar_of(s)) for s in expression.free_symbols}
        )

    def definition_in_numbers(self, scalar: Scalar) -> Formula:
        """What a scalar is computed from, in numbers."""
        node = self.derivation.graph.definition(scalar)
        return self.number(scalar) if node is None else written.definition(node, self.number)

    def fraction(self, value: Rational) -> Shown:
        """An exact number that was computed beside the derivation."""
        number = exact(value)
        return self.show(lambda values: number, Enclosures(lambda bits: {}))

    def moved(self, parameter: Scalar) -> Shown:
        """What one step of gradient descent would make of a parameter, also of one that is held fixed."""
        rate = exact(self.derivation.problem.update.learning_rate) if self.derivation.problem.update else 0
        adjoint = self.derivation.gradient.adjoints[parameter.array]
        return self.show(
            lambda values: values[parameter.array][parameter.index] - rate * values[adjoint][parameter.index]
        )

    @property
    def loss_divisor(self) -> int:
        """By how much the means over outputs and examples divide the error."""
        adjoint = self.derivation.gradient.adjoints["e"]
        whole = next(e.expression for e in self.derivation.gradient.equations if e.target == adjoint)
        return int(1 / whole.formula) if isinstance(whole, Map) and whole.formula.is_Rational else 1

    def power_of_ten(self, exponent: int) -> Formula:
        """10 to an exponent."""
        return Power(Number("10"), Number(str(exponent)))

    # ---- lines -----------------------------------------------------------------------------

    def line(
        self, first: Formula, *formulas: Formula, numbers: Formula | None, result: Shown | None
    ) -> tuple[Side, ...]:
        """first = formulas = the same with numbers = result; sides that say nothing new are left out."""
        sides = [Side(first, "")]
        numbers = None if numbers is None else self.elided(numbers)
        for formula in (self.elided(each) for each in formulas):
            if formula != sides[-1].formula:
                sides.append(Side(formula))
        if not self.numbers or result is None:
            return tuple(sides)
        if numbers is not None and numbers not in (result.formula, sides[-1].formula):
            sides.append(Side(numbers))
        if len(sides) == 1 or result.formula != sides[-1].formula:
            sides.append(result.side)
        return tuple(sides)

    def forward_line(self, scalar: Scalar) -> tuple[Side, ...]:
        """A scalar's definition: formula, numbers, result."""
        if not self.numbers:
            return self.line(self.symbol(scalar), self.definition(scalar), numbers=None, result=None)
        return self.line(
            self.symbol(scalar),
            self.definition(scalar),
            numbers=self.definition_in_numbers(scalar),
            result=self.value(scalar),
        )

    def local_line(self, first: Formula, expression: sympy.Expr) -> tuple[Side, ...]:
        """A local derivative: formula, numbers, result."""
        if not self.numbers:
            return self.line(first, self.expression(expression), numbers=None, result=None)
        return self.line(
            first,
            self.expression(expression),
            numbers=self.expression_in_numbers(expression),
            result=self.local(expression),
        )


def _shortened(terms: list[Formula]) -> tuple[Formula, ...]:
    """A long sum with dots for its middle; among many zeros what is not zero stays."""
    telling = [k for k, term in enumerate(terms) if not _is_zero(term)]
    if len(telling) > 3 or not telling:
        return (*terms[:3], Dots(), terms[-1])
    kept = sorted({0, *telling, len(terms) - 1})
    shown: list[Formula] = []
    for position, k in enumerate(kept):
        if position and k > kept[position - 1] + 1:
            shown.append(Dots())
        shown.append(terms[k])
    return tuple(shown)


def _is_zero(term: Formula) -> bool:
    match term:
        case Number(text):
            return text == "0"
        case Product(factors):
            return any(_is_zero(factor) for factor in factors)
        case Negative(body) | Fraction(body):
            return _is_zero(body)
    return False


# ---- prose -----------------------------------------------------------------------------------

Slot = Inline | Formula | str | int | Inlines | tuple[Side, ...]


def prose(sentence: str, **slots: Slot) -> Inlines:
    """A whole sentence with named slots: formulas become mathematics, ``*words*`` are set off."""
    parts: list[Inline] = []
    for piece in re.split(r"(\{\w+\}|\*[^*]+\*)", sentence):
        if not piece:
            continue
        if piece.startswith("{"):
            parts.extend(_slot(slots[piece[1:-1]]))
        elif piece.startswith("*"):
            parts.append(Emphasis(piece[1:-1]))
        else:
            parts.append(Text(piece))
    return tuple(parts)


def _slot(value: Slot) -> Inlines:
    match value:
        case Formula():
            return (Math((Side(value, ""),)),)
        case Inline():
            return (value,)
        case tuple():
            return (Math(value),) if value and isinstance(value[0], Side) else value  # type: ignore[return-value]
        case _:
            return (Text(str(value)),)


def paragraph(sentence: str, **slots: Slot) -> Paragraph:
    """A paragraph of one or more sentences."""
    return Paragraph(prose(sentence, **slots))


def equation(sides: tuple[Side, ...], identifier: str = "", *, boxed: bool = False) -> Equation:
    """A displayed equation; with an identifier it is numbered."""
    return Equation(sides, identifier, boxed)


def listed(items: Sequence[Slot], conjunction: str = "and") -> Inlines:
    """a; a and b; a, b and c."""
    result: list[Inline] = []
    for position, item in enumerate(items):
        if position:
            result.append(Text(f" {conjunction} " if position == len(items) - 1 else ", "))
        result.extend(_slot(item))
    return tuple(result)


NUMERALS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


def count(number: int, singular: str, plural: str | None = None) -> str:
    """ "one weight", "three weights", "14 weights"."""
    word = NUMERALS[number] if number < len(NUMERALS) else f"{number:,}".replace(",", " ")
    return f"{word} {singular if number == 1 else plural or singular + 's'}"


def capital(text: str) -> str:
    """The text with its first letter large."""
    return text[:1].upper() + text[1:]


Write = Callable[[Scalar], Formula]
