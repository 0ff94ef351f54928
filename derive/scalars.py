"""Reading a program by element: every array becomes scalars, every equation gives each its definition.

A node is an element of a named equation: net_h1 = w1·i1 + w2·i2 + b1 is one node. Its local
derivatives are taken by SymPy once for an equation's formula and filled in for each element.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
import sympy
from sympy import Add, Expr, Mul

from derive.arrays import placeholder
from derive.functions import ChosenOf, LargestOf
from derive.notation import Names
from derive.program import (
    Contract,
    Expression,
    Gather,
    Largest,
    Map,
    Program,
    Ref,
    Reshape,
    Scatter,
    Softmax,
    Total,
    Transpose,
    references,
)
from derive.reverse import local_derivative

Index = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Scalar:
    """One element of a named array."""

    array: str
    index: Index


class Node:
    """Base of a scalar's definition, as a tree over other scalars."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Leaf(Node):
    """Another scalar."""

    scalar: Scalar


@dataclass(frozen=True, slots=True)
class Form(Node):
    """A formula of one element; ``symbols`` stand for ``parts``."""

    formula: Expr
    symbols: tuple[sympy.Symbol, ...]
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Terms(Node):
    """A sum of terms."""

    terms: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Times(Node):
    """A product of two."""

    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Share(Node):
    """Softmax: e to the ``place``-th of ``scores`` over the sum of all; its logarithm where asked."""

    scores: tuple[Node, ...]
    place: int
    logarithm: bool


@dataclass(frozen=True, slots=True)
class Best(Node):
    """The largest of a row; with a ``place`` 1 where that is the first largest, else 0."""

    row: tuple[Node, ...]
    place: int = -1


def leaves(node: Node) -> Iterator[Scalar]:
    """The scalars that a definition reads, in order; one that is read twice comes twice."""
    match node:
        case Leaf(scalar):
            yield scalar
        case Form(_, _, parts) | Terms(parts) | Share(parts) | Best(parts):
            for part in parts:
                yield from leaves(part)
        case Times(left, right):
            yield from leaves(left)
            yield from leaves(right)


def element(expression: Expression, index: Index, first: frozenset[str] = frozenset()) -> Node:
    """One element of an array expression; in a product the arrays of ``first`` stand first."""
    match expression:
        case Ref(name):
            return Leaf(Scalar(name, index))
        case Map(formula, symbols, arguments):
            return Form(formula, symbols, tuple(element(part, cast(index, part.shape), first) for part in arguments))
        case Contract(axes, _, arguments):
            pairs = [
                tuple(element(part, at, first) for part, at in zip(arguments, both, strict=True))
                for both in contracted(expression, index)
            ]
            swap = isinstance(arguments[1], Ref) and arguments[1].name in first
            products = tuple(Times(right, left) if swap else Times(left, right) for left, right in pairs)
            return products[0] if len(products) == 1 else Terms(products)
        case Transpose(argument, axes):
            return element(argument, tuple(index[axes.index(axis)] for axis in range(len(axes))), first)
        case Total():
            terms = tuple(element(expression.argument, at, first) for at in summed(expression, index))
            return terms[0] if len(terms) == 1 else Terms(terms)
        case Softmax(argument, axis, shape, logarithm):
            scores = tuple(element(argument, (*index[:axis], k, *index[axis + 1 :]), first) for k in range(shape[axis]))
            return Share(scores, index[axis], logarithm)
        case Reshape(argument, shape):
            return element(argument, reshaped(index, shape, argument.shape), first)
        case Gather(arguments, positions):
            source = gathered(arguments, int(positions.array[index]))
            return Form(sympy.S.Zero, (), ()) if source is None else element(*source, first)
        case Scatter():
            found = scattered(expression, index)
            parts = tuple(element(expression.argument, at, first) for at in found)
            return Form(sympy.S.Zero, (), ()) if not parts else parts[0] if len(parts) == 1 else Terms(parts)
        case Largest(argument, axis, keepdims, _, mask):
            kept = index if keepdims or mask else (*index[:axis], 0, *index[axis:])
            row = tuple(
                element(argument, (*kept[:axis], k, *kept[axis + 1 :]), first) for k in range(argument.shape[axis])
            )
            return Best(row, kept[axis] if mask else -1)
    raise TypeError(f"no element of {type(expression).__name__}")


def reshaped(index: Index, shape: Index, before: Index) -> Index:
    """Where an element of a reshaped array stood before."""
    place = int(np.ravel_multi_index(index, shape)) if shape else 0
    return tuple(int(i) for i in np.unravel_index(place, before))


def gathered(arguments: tuple[Expression, ...], position: int) -> tuple[Expression, Index] | None:
    """Which argument's which element stands at a position of the arguments laid end to end; None for padding."""
    if position < 0:
        return None
    for argument in arguments:
        size = math.prod(argument.shape)
        if position < size:
            return argument, tuple(int(i) for i in np.unravel_index(position, argument.shape))
        position -= size
    raise IndexError(position)


def scattered(expression: Scatter, index: Index) -> list[Index]:
    """The elements that are added at an index."""
    place = int(np.ravel_multi_index(index, expression.shape)) if expression.shape else 0
    return [tuple(int(i) for i in at) for at in np.argwhere(expression.positions.array == place + expression.offset)]


def cast(index: Index, shape: tuple[int, ...]) -> Index:
    """The index into a broadcast argument."""
    own = index[len(index) - len(shape) :]
    return tuple(0 if size == 1 else i for i, size in zip(own, shape, strict=True))


def contracted(expression: Contract, index: Index) -> Iterator[tuple[Index, Index]]:
    """The pairs of indices whose products a contraction sums for one element."""
    fixed = dict(zip(expression.out, index, strict=True))
    sizes = {
        letter: size
        for letters, part in zip(expression.axes, expression.arguments, strict=True)
        for letter, size in zip(letters, part.shape, strict=True)
    }
    free = [letter for letter in sizes if letter not in fixed]
    left, right = expression.axes
    for values in np.ndindex(*(sizes[letter] for letter in free)):
        at = fixed | dict(zip(free, values, strict=True))
        yield tuple(at[letter] for letter in left), tuple(at[letter] for letter in right)


def summed(expression: Total, index: Index) -> Iterator[Index]:
    """The indices that a total adds for one element."""
    shape = expression.argument.shape
    rest = iter(
        index if not expression.keepdims else [i for axis, i in enumerate(index) if axis not in expression.axes]
    )
    kept = {axis: next(rest) for axis in range(len(shape)) if axis not in expression.axes}
    for values in np.ndindex(*(shape[axis] for axis in expression.axes)):
        at = kept | dict(zip(expression.axes, values, strict=True))
        yield tuple(at[axis] for axis in range(len(shape)))


Softmaxed = Callable[[list[Expr], int, bool], Expr]


def softmaxed(scores: list[Expr], place: int, logarithm: bool) -> Expr:
    """e to the ``place``-th of ``scores`` over the sum of all, or its logarithm."""
    total = Add(*(sympy.exp(score) for score in scores))
    return scores[place] - sympy.log(total) if logarithm else sympy.exp(scores[place]) / total


def to_sympy(node: Node, symbol: Callable[[Scalar], Expr], softmax: Softmaxed = softmaxed) -> Expr:
    """A definition as a SymPy expression; ``symbol`` writes the scalars, ``softmax`` what a `Share` is."""
    match node:
        case Leaf(scalar):
            return symbol(scalar)
        case Form(formula, symbols, parts):
            known = {s: to_sympy(part, symbol, softmax) for s, part in zip(symbols, parts, strict=True)}
            return formula.xreplace(known)
        case Terms(terms):
            return Add(*(to_sympy(term, symbol, softmax) for term in terms))
        case Times(left, right):
            return Mul(to_sympy(left, symbol, softmax), to_sympy(right, symbol, softmax))
        case Share(scores, place, logarithm):
            return softmax([to_sympy(score, symbol, softmax) for score in scores], place, logarithm)
        case Best(row, place):
            return _best([to_sympy(each, symbol) for each in row], place)
    raise TypeError(f"no SymPy expression for {type(node).__name__}")


def _best(row: list[Expr], place: int) -> Expr:
    """The largest of a row; or 1 if ``place`` holds the first largest, else 0."""
    return LargestOf(*row) if place < 0 else ChosenOf(place, *row)


@dataclass(frozen=True)
class Graph:
    """A program's scalars, their definitions, and their local derivatives."""

    program: Program
    names: Names

    @cached_property
    def parameters(self) -> frozenset[str]:
        """The arrays that are written first in a product."""
        return frozenset(v.name for v in self.program.variables.values() if v.role == "weight") or frozenset(
            self.program.parameters
        )

    @cached_property
    def _symbols(self) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.object_]]]:
        return {}

    def symbol(self, scalar: Scalar) -> sympy.Symbol:
        """The SymPy symbol of a scalar."""
        if scalar.array not in self._symbols:
            shape = self.program.shape(scalar.array)
            made = np.empty(shape, dtype=object)
            for index in np.ndindex(*shape):
                made[index] = self.names.symbol(scalar.array, index)
            self._symbols[scalar.array] = made
        found: sympy.Symbol = self._symbols[scalar.array][scalar.index]
        return found

    def scalars(self, array: str) -> Iterator[Scalar]:
        """The elements of an array, row by row."""
        return (Scalar(array, index) for index in np.ndindex(*self.program.shape(array)))

    def definition(self, scalar: Scalar) -> Node | None:
        """The definition of a scalar, or None for a given one."""
        expression = self.program.definitions.get(scalar.array)
        return None if expression is None else element(expression, scalar.index, self.parameters)

    def expression(self, scalar: Scalar) -> Expr | None:
        """The definition as SymPy has it, in the symbols of other scalars."""
        node = self.definition(scalar)
        return None if node is None else to_sympy(node, self.symbol)

    def partials(self, scalar: Scalar, wanted: frozenset[str]) -> dict[Scalar, Expr]:
        """∂scalar/∂v for every scalar v of the arrays ``wanted`` that its definition reads."""
        found: dict[Scalar, Expr] = {}
        for reached, partial in self._pull(
            self.program.definitions[scalar.array], scalar.index, sympy.S.One, scalar, wanted
        ):
            found[reached] = found[reached] + partial if reached in found else partial
        return found

    def _value(self, expression: Expression, index: Index) -> Expr:
        return (
            self.symbol(Scalar(expression.name, index))
            if isinstance(expression, Ref)
            else to_sympy(element(expression, index), self.symbol)
        )

    def _pull(
        self, expression: Expression, index: Index, upstream: Expr, own: Scalar | None, wanted: frozenset[str]
    ) -> Iterator[tuple[Scalar, Expr]]:
        match expression:
            case Ref(name):
                if name in wanted:
                    yield Scalar(name, index), upstream
            case Map():
                yield from self._pull_map(expression, index, upstream, own, wanted)
            case Contract(_, _, (left, right)):
                for at_left, at_right in contracted(expression, index):
                    if _reads(left) & wanted:
                        yield from self._pull(
                            left, at_left, _times(upstream, self._value(right, at_right)), None, wanted
                        )
                    if _reads(right) & wanted:
                        yield from self._pull(
                            right, at_right, _times(upstream, self._value(left, at_left)), None, wanted
                        )
            case Transpose(argument, axes):
                yield from self._pull(
                    argument, tuple(index[axes.index(axis)] for axis in range(len(axes))), upstream, None, wanted
                )
            case Total(argument):
                for at in summed(expression, index):
                    yield from self._pull(argument, at, upstream, None, wanted)
            case Softmax():
                yield from self._pull_softmax(expression, index, upstream, own, wanted)
            case Reshape(argument, shape):
                yield from self._pull(argument, reshaped(index, shape, argument.shape), upstream, None, wanted)
            case Gather(arguments, positions):
                source = gathered(arguments, int(positions.array[index]))
                if source is not None:
                    yield from self._pull(*source, upstream, None, wanted)
            case Largest(argument, axis, keepdims):
                kept = index if keepdims else (*index[:axis], 0, *index[axis:])
                row = [(*kept[:axis], k, *kept[axis + 1 :]) for k in range(argument.shape[axis])]
                values = [self._value(argument, at) for at in row]
                for k, at in enumerate(row):
                    yield from self._pull(argument, at, _times(upstream, _best(values, k)), None, wanted)

    def _pull_map(
        self, expression: Map, index: Index, upstream: Expr, own: Scalar | None, wanted: frozenset[str]
    ) -> Iterator[tuple[Scalar, Expr]]:
        own_symbol = None if own is None else placeholder(Ref(own.array, ()))
        for symbol, argument in zip(expression.symbols, expression.arguments, strict=True):
            if not _reads(argument) & wanted:
                continue
            partial = local_derivative(expression.formula, symbol, own_symbol)
            if not partial.is_Number:
                filled = {
                    s: self._value(part, cast(index, part.shape))
                    for s, part in zip(expression.symbols, expression.arguments, strict=True)
                    if s in partial.free_symbols
                }
                if own is not None and own_symbol is not None:
                    filled[own_symbol] = self.symbol(own)
                partial = partial.xreplace(filled)
            yield from self._pull(argument, cast(index, argument.shape), _times(upstream, partial), None, wanted)

    def _pull_softmax(
        self, expression: Softmax, index: Index, upstream: Expr, own: Scalar | None, wanted: frozenset[str]
    ) -> Iterator[tuple[Scalar, Expr]]:
        """∂s_j/∂z_k = s_j (δ_jk − s_k); of the logarithm l = ln s: δ_jk − s_k, with e^l_k for s_k."""
        axis = expression.axis
        for place in range(expression.shape[axis]):
            at = (*index[:axis], place, *index[axis + 1 :])
            same = sympy.Integer(place == index[axis])
            other = self._share(expression, at, own)
            partial = same - other if expression.logarithm else Mul(self._share(expression, index, own), same - other)
            yield from self._pull(expression.argument, at, _times(upstream, partial), None, wanted)

    def _share(self, expression: Softmax, index: Index, own: Scalar | None) -> Expr:
        if own is not None:
            result = self.symbol(Scalar(own.array, index))
            return sympy.exp(result) if expression.logarithm else result
        plain = Softmax(expression.argument, expression.axis, expression.shape)
        return to_sympy(element(plain, index), self.symbol)


@cache
def _reads(expression: Expression) -> frozenset[str]:
    return frozenset(references(expression))


def _times(left: Expr, right: Expr) -> Expr:
    return right if left is sympy.S.One else Mul(left, right)
