"""Formulas that somebody hands over for ∂E/∂w: read in the problem's own names, checked as formulas, and as numbers.

A text has one formula a line, ``dE/dw5 = -(target_o1 - out_o1) * out_o1 * (1 - out_o1) * out_h1``; a line whose left
side is no quantity of the problem names something for the lines below. It is read by the parser of equations and never
evaluated. A SymPy expression is taken by the names of its symbols. A formula is equal to the derived one for all
values where algebra shows it; else the two are enclosed far beyond floats at several points.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import flint
import numpy as np
import sympy
from flint import arb

from derive.derivation import Derivation
from derive.digits import Exact, ends, significant
from derive.evaluate import balls
from derive.evaluate.balls import Array, UndecidedError
from derive.functions import expand
from derive.program import Equation, Expression, Shape, references
from derive.scalars import Scalar, element, to_sympy
from derive.verification.csv_lines import HandedError
from derive.verification.handed import Handed, Item
from derive.verification.handed import of_mapping as numbers_of
from derive.verification.points import place_of
from derive.verification.structure import Structure

BITS = 512
"""With so many bits a formula's value is compared: two that agree so far at random points are hardly different."""

DIGITS = 24
"""So many digits of a formula's value are handed on."""

MOST_SCALARS = 400
MOST_OPERATIONS = 4_000
"""Beyond this algebra is not tried: points decide."""

MOST_TO_CANCEL = 120
"""With powers of e it takes seconds soon, and minutes for powers in powers."""

Values = Mapping[str, Array]


class FormulaError(HandedError):
    """A formula that cannot be read: where, what was found, what is known."""


@dataclass(frozen=True)
class Formulas:
    """Equations for what is handed over. ``claims`` maps a left side as it was written to the line that defines it."""

    derivation: Derivation
    place: str
    lines: tuple[Equation, ...]
    claims: Mapping[str, str]
    _values: dict[int, dict[str, Array]] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def named(self) -> frozenset[str]:
        """The arrays that the formulas name. Inputs that they do not name are the problem's own, as numbers in them."""
        return frozenset(name for line in self.lines for name in references(line.expression))

    # ---- as numbers ------------------------------------------------------------------------

    def handed(self, values: Values) -> Handed:
        """What the formulas give at a point. Raises FormulaError."""
        found = self._at(values)
        numbers = {name: np.frompyfunc(_text, 1, 1)(found[line]) for name, line in self.claims.items()}
        return numbers_of(numbers, self.derivation, "gradient", self.place)

    def _at(self, values: Values) -> dict[str, Array]:
        """All arrays at a point: the problem's own, ∂E by them, and the lines of the formulas."""
        if id(values) not in self._values:
            self._values[id(values)] = self._computed(values)
        return self._values[id(values)]

    def _computed(self, values: Values) -> dict[str, Array]:
        gradient = self.derivation.gradient
        equations = (*gradient.program.equations, *gradient.equations)
        bits = BITS
        while True:
            try:
                with flint.ctx.workprec(bits):
                    found = balls.run(equations, {**self.derivation.given, **values})
                    return balls.run(self.lines, found)
            except UndecidedError:
                bits *= 2

    # ---- as formulas -----------------------------------------------------------------------

    def notes(self, points: Sequence[Values]) -> Iterator[str]:
        """For each formula a sentence: equal to the derived one, and how that is known; or where it differs."""
        for claim, line in self.claims.items():
            name = claim.removeprefix("dE/d")
            if (shown := self._differs(claim, line, points)) is not None:
                yield shown
            elif self._proved(claim, line):
                yield f"{name}: equal to the derived formula for all values, by algebra"
            else:
                yield f"{name}: equal to the derived formula to {int(BITS * 0.25)} digits at {_points(len(points))}"

    def _differs(self, name: str, line: str, points: Sequence[Values]) -> str | None:
        """The first point at which a formula and the derived one differ, in a sentence."""
        for number, values in enumerate(points):
            found = self._at(values)
            for item, at in self._items(name, found[line].shape):
                mine = found[line][at]
                right = found[self._line(item)][item.scalar.index]
                with flint.ctx.workprec(BITS):
                    apart = arb(mine) - arb(right)
                if not apart.contains(0):
                    where = place_of(number, values)
                    return (
                        f"{item.name}: not the derived formula: at {where} it is {_short(mine)}, where {_short(right)} "
                        "is right"
                    )
        return None

    def _items(self, name: str, shape: Shape) -> list[tuple[Item, Shape]]:
        """What a formula claims, element by element, each with its place in the formula's own array."""
        places = np.arange(int(np.prod(shape))).reshape(shape).tolist()
        read = numbers_of({name: places}, self.derivation, "gradient", self.place)
        return [(item, tuple(map(int, np.unravel_index(int(item.value or 0), shape)))) for item in read.items]

    def _line(self, item: Item) -> str:
        """Where the right value stands."""
        return item.scalar.array if item.kind == "value" else self.derivation.gradient.adjoints[item.scalar.array]

    def _proved(self, name: str, line: str) -> bool:
        """Is the difference to the derived formula 0 for all values, in the local terms or in the net inputs?"""
        program = self.derivation.program
        if sum(int(np.prod(program.shape(each))) for each in program.variables) > MOST_SCALARS:
            return False
        expression = {each.target: each.expression for each in self.lines}[line]
        for item, at in self._items(name, expression.shape):
            mine = self._closed(Scalar(line, at))
            if not _is_zero(mine - self._closed(Scalar(self._line(item), item.scalar.index)), self._in_nets):
                return False
        return True

    @cached_property
    def _definitions(self) -> dict[str, Expression]:
        gradient = self.derivation.gradient
        return {each.target: each.expression for each in (*gradient.equations, *self.lines)}

    def _closed(self, scalar: Scalar) -> sympy.Expr:
        """A scalar of the backward pass or of the formulas in the symbols of the forward pass."""
        if scalar.array not in self._definitions:
            return self.derivation.graph.symbol(scalar)
        return to_sympy(element(self._definitions[scalar.array], scalar.index), self._closed)

    @cached_property
    def _in_nets(self) -> dict[sympy.Symbol, sympy.Expr]:
        """Each activation's output in its net input."""
        graph = self.derivation.graph
        outputs = {each.target for each in Structure(self.derivation.program).squashes}
        return {
            graph.symbol(scalar): expand(graph.expression(scalar))
            for name in outputs & set(self.derivation.program.definitions)
            for scalar in graph.scalars(name)
        }


def _is_zero(difference: sympy.Expr, in_nets: Mapping[sympy.Symbol, sympy.Expr]) -> bool:
    """Is a formula 0 identically, by multiplying out, or with powers of e as symbols of their own?"""
    if difference.count_ops() > MOST_OPERATIONS:
        return False
    if sympy.expand(difference) == 0:
        return True
    written = expand(difference).xreplace(dict(in_nets))
    if written.has(sympy.Piecewise) or written.count_ops() > MOST_TO_CANCEL:
        return False
    powers = {each: sympy.Dummy() for each in written.rewrite(sympy.exp).atoms(sympy.exp)}
    return bool(sympy.cancel(sympy.together(sympy.expand_power_exp(written.rewrite(sympy.exp)).xreplace(powers))) == 0)


def _text(value: Exact) -> str:
    """A value with many digits; what is not finite in words that are no number."""
    if isinstance(value, arb) and not value.is_finite():
        return "nan"
    low, high = ends(value)
    return significant((low + high) / 2, DIGITS)


def _short(value: Exact) -> str:
    if isinstance(value, arb) and not value.is_finite():
        return "not finite"
    low, high = ends(value)
    return significant((low + high) / 2, 10)


def _points(count: int) -> str:
    return "one point" if count == 1 else f"{count} points"
