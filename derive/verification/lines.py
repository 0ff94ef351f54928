"""The line in which a mistake was made, read by element: as it was probably written, beside what it should be.

Two sheets are laid side by side, one without the mistake and one with it. The first quantity that the derivation
has a name for, and that they compute differently, is where the calculation goes wrong. What has no name of its own
(the parts of an equation, the contributions to a gradient) is written out in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import sympy

from derive import written
from derive.derivation import Derivation
from derive.evaluate import floats as numbers
from derive.evaluate.balls import Array, Enclosures
from derive.evaluate.floats import Floats
from derive.evaluate.unrolled import needed
from derive.formula import Formula
from derive.program import Equation, Expression, Map, Ref, references
from derive.scalars import Best, Form, Leaf, Node, Scalar, Share, Terms, Times, element, leaves
from derive.verification.edit import Edit
from derive.verification.points import Point
from derive.verification.sheet import DoesNotApplyError, Sheet

CHANGED = 1e-9
"""A relative change of less than this is rounding."""

LONGEST = 400
"""A definition that reads more elements than this is not written out."""

Write = Callable[[Scalar], Formula]


@dataclass(frozen=True)
class Reading:
    """One element of a line of a sheet: ``node`` is its definition over what has a name.

    The scalars of the node are of the program's arrays and of their adjoints; ``gradients`` has the array of each
    adjoint.
    """

    node: Node
    line: str
    index: tuple[int, ...]
    enclosures: Enclosures
    gradients: Mapping[str, str]

    def formula(self, write: Write) -> Formula:
        """The definition on paper, ``write`` putting a symbol or a number for each scalar."""
        return written.definition(self.node, write)

    @property
    def scalar(self) -> Scalar:
        """The element of the line itself, to be read from the enclosures."""
        return Scalar(self.line, self.index)


@dataclass(frozen=True)
class Wrong:
    """Where an edit shows first: an element of ``array`` (``adjoint``: of its gradient), wrong and right.

    ``handed``: the gradient is right, and something else was handed over in its place.
    """

    edit: Edit
    array: str
    index: tuple[int, ...]
    adjoint: bool
    handed: bool
    written: Reading
    right: Reading

    @property
    def scalar(self) -> Scalar:
        """The quantity that the line computes, or whose gradient it is."""
        return Scalar(self.array, self.index)


def wrong_lines(derivation: Derivation, base: Sheet, edits: Sequence[Edit], point: Point | None = None) -> list[Wrong]:
    """The line of each edit, the error of those before it carried forward; edits that show in no one line left out.

    The numbers are those of a point, and of parameters those lines go first whose gradients were handed over there.
    """
    values = derivation.given if point is None else point.given
    handed = frozenset(derivation.program.parameters) if point is None else point.parameters
    found, sheet = [], base
    for edit in sorted(edits, key=lambda each: _place(base, each)):
        try:
            edited = edit.apply(sheet)
        except DoesNotApplyError:
            continue
        sides = _Side(derivation, sheet, values), _Side(derivation, edited, values)
        line = _wrong_line(*sides, edit, handed) or _wrong_line(*sides, edit)
        if line is not None:
            found.append(line)
        sheet = edited
    return found


def reading_of(derivation: Derivation, sheet: Sheet, array: str, index: tuple[int, ...]) -> Reading | None:
    """∂E by an element as a sheet computes it, in quantities that have a name; None where no line of it is that short.

    Its enclosures are those of the derivation's own numbers.
    """
    line = sheet.adjoints.get(array)
    side = _Side(derivation, sheet, dict(derivation.given))
    if line is None or line not in side.lines or side.constant(line) is not None:
        return None
    try:
        node = _Expansion(side).of(_collected(side.lines[line]), index)
    except _TooLongError:
        return None
    return Reading(node, line, index, Enclosures.of(sheet.equations, derivation.given), side.arrays)


def _place(base: Sheet, edit: Edit) -> int:
    """At which line of the calculation an edit is made: the number of the first that it changes."""
    try:
        edited = edit.apply(base)
    except DoesNotApplyError:
        return len(base.equations)
    lines = {equation.target: equation.expression for equation in edited.equations}
    places = (place for place, each in enumerate(base.equations) if lines.get(each.target) != each.expression)
    return next(places, len(base.equations))


def _wrong_line(right: _Side, wrong: _Side, edit: Edit, among: frozenset[str] | None = None) -> Wrong | None:
    """The first line that differs; of those of parameters only ``among`` some, where these are named."""
    sides = right, wrong
    parameters = frozenset(right.derivation.program.parameters)
    for line, array, handed in wrong.shown():
        before = right.of_result(array) if handed else line
        if before not in right.lines or not _differ(before, line, *sides):
            continue
        if among is not None and array in parameters - among:
            continue
        index = _first_changed(before, line, *sides)
        adjoint = handed or line in wrong.arrays
        try:
            readings = _facing(wrong.reading(line, index), right.reading(before, index, whole=handed))
        except _TooLongError:
            return None
        return Wrong(edit, array if adjoint else line, index, adjoint, handed, *readings)
    return None


LONG_SUM = 4
"""The terms of a longer sum may be left out where it is written: those that matter stand first."""


def _facing(written: Reading, right: Reading) -> tuple[Reading, Reading]:
    """Two readings of one line; of long sums the terms that differ come first."""
    sums = _terms(written.node), _terms(right.node)
    if max(map(len, sums)) <= LONG_SUM or min(map(len, sums)) == 1:
        return written, right
    first, second = (Terms(tuple(sorted(one, key=other.__contains__))) for one, other in (sums, sums[::-1]))
    return replace(written, node=first), replace(right, node=second)


def _terms(node: Node) -> list[Node]:
    """The terms of a sum, those of sums in it among them."""
    match node:
        case Terms(terms):
            return [each for term in terms for each in _terms(term)]
        case Form(sympy.Add(args=args), symbols, parts):
            known = dict(zip(symbols, parts, strict=True))
            return [each for part in args for each in _terms(_part(part, known))]
    return [node]


def _part(formula: sympy.Expr, known: Mapping[sympy.Symbol, Node]) -> Node:
    """Part of a formula as a definition."""
    if formula in known:
        return known[formula]
    used = tuple(symbol for symbol in known if symbol in formula.free_symbols)
    return Form(formula, used, tuple(known[symbol] for symbol in used))


class _TooLongError(Exception):
    """A definition with more elements than anybody would read."""


@dataclass(frozen=True)
class _Side:
    """One of the two sheets, with what its lines are called."""

    derivation: Derivation
    sheet: Sheet
    given: dict[str, Array]

    @cached_property
    def lines(self) -> dict[str, Expression]:
        return {equation.target: equation.expression for equation in self.sheet.equations}

    @cached_property
    def arrays(self) -> dict[str, str]:
        """The array of every adjoint that has a name in the derivation."""
        known = self.derivation.program.variables
        return {adjoint: array for array, adjoint in self.sheet.adjoints.items() if array in known}

    def of_result(self, parameter: str) -> str:
        """The line that is handed over as a parameter's gradient."""
        return self.sheet.results.get(parameter, self.sheet.adjoints[parameter])

    def shown(self) -> Iterator[tuple[str, str, bool]]:
        """The lines that have a name, in order: (line, its array, whether it is handed over for a gradient)."""
        results = {line: parameter for parameter, line in self.sheet.results.items()}
        for line in self.lines:
            if line in results:
                yield line, results[line], True
            elif line in self.arrays:
                yield line, self.arrays[line], False
            elif line in self.derivation.program.variables:
                yield line, line, False

    def named(self, line: str) -> bool:
        return line in self.derivation.program.variables or line in self.arrays

    @cached_property
    def _constants(self) -> dict[str, sympy.Expr | None]:
        return {}

    def constant(self, line: str) -> sympy.Expr | None:
        """The number that every element of a line is by construction, as ∂E/∂e is 1; None where it is computed."""
        if line not in self._constants:
            self._constants[line] = self._constant(self.lines.get(line))
        return self._constants[line]

    def _constant(self, expression: Expression | None) -> sympy.Expr | None:
        if isinstance(expression, Ref):
            return self.constant(expression.name)
        if not isinstance(expression, Map):
            return None
        parts = [self.constant(part.name) if isinstance(part, Ref) else None for part in expression.arguments]
        if any(part is None for part in parts):
            return None
        value = expression.formula.xreplace(dict(zip(expression.symbols, parts, strict=True)))
        return value if value.is_Rational else None

    def reached(self, line: str) -> set[str]:
        """The line and those without a name that are written out in it."""
        found, waiting = {line}, [line]
        while waiting:
            for name in references(self.lines[waiting.pop()]):
                if name not in found and name in self.lines and not self.named(name):
                    found.add(name)
                    waiting.append(name)
        return found

    @cached_property
    def floats(self) -> dict[str, Floats]:
        return numbers.run(self.sheet.equations, {name: numbers.floats(array) for name, array in self.given.items()})

    def reading(self, line: str, index: tuple[int, ...], *, whole: bool = False) -> Reading:
        """One element of a line, what has no name written out; ``whole`` names the line itself where it has a name."""
        if whole and self.named(line):
            node: Node = Leaf(Scalar(line, index))
        else:
            node = _Expansion(self).of(_collected(self.lines[line]), index)
        equations = tuple(Equation(name, expression) for name, expression in self.lines.items())
        used = needed(equations, [line, *{leaf.array for leaf in leaves(node) if leaf.array in self.lines}])
        return Reading(node, line, index, Enclosures.of(tuple(used), self.given), self.arrays)


def _collected(expression: Expression) -> Expression:
    """A sum in which terms cancel, as w − η g − w does, without them."""
    if isinstance(expression, Map) and isinstance(expression.formula, sympy.Add):
        collected = expression.formula.doit()
        if len(sympy.Add.make_args(collected)) < len(sympy.Add.make_args(expression.formula.expand())):
            return replace(expression, formula=collected)
        if collected.free_symbols != expression.formula.free_symbols:
            return replace(expression, formula=collected)
    return expression


def _differ(before: str, after: str, right: _Side, wrong: _Side) -> bool:
    """Are two lines computed differently from what has a name?"""
    if before != after:
        return True
    reached = right.reached(before) | wrong.reached(after)
    return any(right.lines.get(name) != wrong.lines.get(name) for name in reached)


def _first_changed(before: str, after: str, right: _Side, wrong: _Side) -> tuple[int, ...]:
    """The first element whose number differs; the first of all where none does."""
    old, new = np.asarray(right.floats[before]), np.asarray(wrong.floats[after])
    with np.errstate(invalid="ignore"):
        changed = ~(np.abs(new - old) <= CHANGED * np.maximum(np.abs(old), np.abs(new)))
    places = np.argwhere(changed) if changed.any() else np.zeros((1, old.ndim), dtype=int)
    return tuple(int(i) for i in places[0])


# ---- writing out what has no name ----------------------------------------------------------


class _Expansion:
    """Definitions over what has a name, with the ones and zeros left out that stand there by construction."""

    def __init__(self, side: _Side) -> None:
        self.side, self.read = side, 0
        self.weights = frozenset(v.name for v in side.derivation.program.by_role("weight"))
        self.first = self.weights | frozenset(side.sheet.adjoints.values())

    def of(self, expression: Expression, index: tuple[int, ...]) -> Node:
        """One element of an expression."""
        return self.plain(element(expression, index, self.first))

    def plain(self, node: Node) -> Node:
        match node:
            case Leaf(scalar):
                return self._leaf(scalar)
            case Terms(terms):
                kept = [part for part in map(self.plain, terms) if _constant(part) != 0]
                return number(0) if not kept else kept[0] if len(kept) == 1 else Terms(tuple(kept))
            case Times(left, right):
                return self._times(self.plain(left), self.plain(right))
            case Form(formula, symbols, parts):
                return self._form(formula, dict(zip(symbols, map(self.plain, parts), strict=True)))
            case Share(scores):
                return replace(node, scores=tuple(map(self.plain, scores)))
            case Best(row):
                return replace(node, row=tuple(map(self.plain, row)))
        raise TypeError(f"no definition of {type(node).__name__}")

    def _leaf(self, scalar: Scalar) -> Node:
        self.read += 1
        if self.read > LONGEST:
            raise _TooLongError
        if scalar.array in self.side.arrays and (value := self.side.constant(scalar.array)) is not None:
            return number(value)
        if self.side.named(scalar.array) or scalar.array not in self.side.lines:
            return Leaf(scalar)
        return self.of(self.side.lines[scalar.array], scalar.index)

    def _form(self, formula: sympy.Expr, known: dict[sympy.Symbol, Node]) -> Node:
        if formula in known:
            return known[formula]
        constants = {symbol: value for symbol, part in known.items() if (value := _constant(part)) is not None}
        factors = [constants.get(factor, factor) for factor in sympy.Mul.make_args(formula)]
        coefficient = sympy.Mul(*(factor for factor in factors if factor.is_Rational))
        if coefficient == 0:
            return number(0)
        rest = [factor.xreplace(constants) for factor in factors if not factor.is_Rational]
        rest.sort(key=lambda factor: not self._is_adjoint(known.get(factor)))
        if not rest or any(factor == 0 for factor in rest):
            return number(coefficient if not rest else 0)
        kept = rest if coefficient == 1 else [coefficient, *rest]
        whole = kept[0] if len(kept) == 1 else sympy.Mul(*kept, evaluate=False)
        used = tuple(symbol for symbol in known if symbol in whole.free_symbols)
        return known[whole] if whole in known else Form(whole, used, tuple(known[symbol] for symbol in used))

    def _times(self, left: Node, right: Node) -> Node:
        for one, other in ((left, right), (right, left)):
            value = _constant(one)
            if value == 0:
                return number(0)
            if value == 1:
                return other
        weight_first = isinstance(right, Leaf) and right.scalar.array in self.weights
        return Times(right, left) if weight_first else Times(left, right)

    def _is_adjoint(self, part: Node | None) -> bool:
        return isinstance(part, Leaf) and part.scalar.array in self.side.arrays


def number(value: sympy.Expr | int) -> Form:
    """A number as a definition that reads nothing."""
    return Form(sympy.sympify(value), (), ())


def _constant(node: Node) -> sympy.Expr | None:
    return node.formula if isinstance(node, Form) and not node.parts and node.formula.is_Rational else None
