"""Reading formulas: lines of text in the problem's own names, or SymPy expressions; nothing of it is evaluated."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import numpy as np
import sympy

from derive import arrays, selections
from derive.derivation import Derivation
from derive.equations import EquationError, parse
from derive.evaluate import balls
from derive.notation import UnknownNameError
from derive.plain import plain_name
from derive.program import Equation, Expression, Map, Ref
from derive.scalars import Scalar
from derive.verification.csv_lines import HandedError
from derive.verification.formulas import FormulaError, Formulas
from derive.verification.handed import of_mapping as numbers_of


def in_json(text: str) -> dict[str, str] | None:
    """The formulas of a JSON object of texts; None where it holds numbers or is no such object."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(data, dict) or not data or not all(isinstance(value, str) for value in data.values()):
        return None
    return None if all(_is_number(value) for value in data.values()) else data


def _is_number(text: str) -> bool:
    return (
        re.fullmatch(r"\s*[-+−]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*|\s*[-+]?(nan|inf(inity)?)\s*", text, re.I)
        is not None
    )


def of_text(text: str, derivation: Derivation, place: str) -> Formulas:
    """Formulas from lines ``dE/dw5 = …``. Raises FormulaError."""
    reader = _Reader(derivation, place)
    for number, line in _joined(text):
        left, equals, right = _parted(line)
        if not equals:
            raise FormulaError(f"{place}, line {number}: found {line!r}; expected a formula such as dE/dw5 = …")
        reader.add(left, right, f"{place}, line {number}")
    return reader.formulas()


def of_mapping(stated: Mapping[str, Any], derivation: Derivation, place: str) -> Formulas:
    """Formulas by name: texts, SymPy expressions or matrices of them. Raises FormulaError."""
    reader = _Reader(derivation, place)
    for name, formula in stated.items():
        if isinstance(formula, str | int | float):
            reader.add(name, str(formula), f"{place}: {name}")
        else:
            reader.add_sympy(name, formula, f"{place}: {name}")
    return reader.formulas()


def _joined(text: str) -> Iterator[tuple[int, str]]:
    """Lines without comments, those with open brackets joined to the next."""
    whole, start = "", 0
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), start=1):
        bare = line.split("#")[0].strip()
        if not bare:
            continue
        start = start if whole else number
        whole = f"{whole} {bare}".strip()
        if sum(whole.count(each) for each in "([") <= sum(whole.count(each) for each in ")]"):
            yield start, whole
            whole = ""
    if whole:
        yield start, whole


def _parted(line: str) -> tuple[str, str, str]:
    """The two sides of the first = that is no comparison."""
    match = re.search(r"(?<![<>=!])=(?!=)", line)
    if match is None:
        return line, "", ""
    return line[: match.start()].strip(), "=", line[match.end() :].strip()


class _Reader:
    """Reads formulas one after the other; each may use what the ones before it named."""

    def __init__(self, derivation: Derivation, place: str) -> None:
        self.derivation, self.place = derivation, place
        self.lines: list[Equation] = []
        self.claims: dict[str, str] = {}
        self.own: dict[str, Expression] = {}

    def formulas(self) -> Formulas:
        """All that was read. Raises FormulaError where it is nothing."""
        if not self.claims:
            raise FormulaError(f"{self.place}: holds no formula; expected lines such as dE/dw5 = …")
        return Formulas(self.derivation, self.place, tuple(self.lines), self.claims)

    def add(self, left: str, right: str, place: str) -> None:
        """One formula as text."""
        words = set(re.findall(r"[^\W\d]\w*", right))
        known = {word: found for word in words if (found := self._quantity(word)) is not None}
        try:
            (equation,) = parse(f"formula = {right}", known)
        except EquationError as error:
            self._say_unknown(str(error), place)
            raise FormulaError(f"{place}: {error}") from None
        except ValueError:
            raise FormulaError(f"{place}: found {right!r}; one formula is expected") from None
        self._keep(left, equation.expression, place)

    def add_sympy(self, left: str, formula: Any, place: str) -> None:
        """One formula as a SymPy expression, or a matrix of them."""
        if hasattr(formula, "shape") and hasattr(formula, "tolist"):
            rows = [[self._expression(each, place) for each in row] for row in sympy.Matrix(formula).tolist()]
            self._keep(left, selections.stack([selections.stack(row, 0) for row in rows], 0), place)
            return
        self._keep(left, self._expression(formula, place), place)

    def _expression(self, formula: Any, place: str) -> Expression:
        if not isinstance(formula, sympy.Expr):
            raise FormulaError(f"{place}: found a {type(formula).__name__}; a SymPy expression or text is expected")
        exact = formula.replace(lambda part: part.is_Float, lambda part: sympy.Rational(str(part)))
        plain = exact.replace(
            lambda part: (
                isinstance(part, sympy.functions.elementary.hyperbolic.HyperbolicFunction)
                and not isinstance(part, sympy.tanh)
            ),
            lambda part: part.rewrite(sympy.exp),
        )
        found: dict[sympy.Symbol, Expression] = {}
        for symbol in sorted(plain.free_symbols, key=str):
            quantity = self._quantity(symbol.name)
            if quantity is None or quantity.shape:
                self._say_unknown(f"unknown name {symbol.name!r}", place, symbol.name)
                raise FormulaError(f"{place}: {symbol.name} is a whole array; its elements are wanted")
            found[symbol] = quantity
        fresh = {symbol: arrays.placeholder(part) for symbol, part in found.items()}
        expression = Map(plain.xreplace(fresh), tuple(fresh.values()), tuple(found.values()), ())
        try:
            balls.compiled(expression.formula, expression.symbols)
        except (TypeError, KeyError, NotImplementedError, ValueError, SyntaxError, AttributeError) as error:
            raise FormulaError(f"{place}: {formula}: {error}; only elementary functions can be computed") from None
        return expression

    def _keep(self, left: str, expression: Expression, place: str) -> None:
        line = f"formula {len(self.lines) + 1}"
        self.lines.append(Equation(line, expression))
        if left.isidentifier() and self._quantity(left, own=False) is None:
            self.own[left] = Ref(line, expression.shape)
            return
        try:
            zeros = np.zeros(expression.shape, dtype=int).tolist() if expression.shape else 0
            read = numbers_of({left: zeros}, self.derivation, "gradient", place)
        except HandedError as error:
            raise FormulaError(str(error)) from None
        if left in self.claims:
            raise FormulaError(f"{place}: {left} is there twice")
        self.claims[left] = line
        if read.items[0].kind != "gradient":
            self.own[left] = Ref(line, expression.shape)  # what follows goes on with it

    def _quantity(self, word: str, *, own: bool = True) -> Expression | None:
        """What a name stands for: a line above, a quantity of the problem, a delta."""
        if own and word in self.own:
            return self.own[word]
        program, gradient = self.derivation.program, self.derivation.gradient
        if word in self._deltas:
            at = self._deltas[word]
            return _at(gradient.adjoints[at.array], program.shape(at.array), at.index)
        try:
            array, index = self.derivation.names.find(word)
        except UnknownNameError:
            return None
        return _at(array, program.shape(array), index)

    @cached_property
    def _deltas(self) -> dict[str, Scalar]:
        names, gradient = self.derivation.names, self.derivation.gradient
        return {
            plain_name(names.delta(variable.name, scalar.index)): scalar
            for variable in self.derivation.program.by_role("net")
            if variable.name in gradient.adjoints
            for scalar in self.derivation.graph.scalars(variable.name)
        }

    def _say_unknown(self, error: str, place: str, name: str = "") -> None:
        """Raise FormulaError with the nearest name, where an unknown one is the fault."""
        match = re.search(r'unknown name: found "([^"]*)"', error)
        word = name or (match[1] if match else "")
        if not word or word in self.own:
            return
        try:
            self.derivation.names.find(word)
        except UnknownNameError as unknown:
            raise FormulaError(f"{place}: {unknown}") from None


def _at(name: str, shape: tuple[int, ...], index: tuple[int, ...] | None) -> Expression:
    whole = Ref(name, shape)
    return whole if not index else selections.index(whole, index)
