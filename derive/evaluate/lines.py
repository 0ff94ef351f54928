"""Lines of many similar sheets, numbered by what they compute: a line that several of them have is there once."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from derive.program import (
    Contract,
    Equation,
    Expression,
    Largest,
    Map,
    Ref,
    Shape,
    Softmax,
    Total,
    parts,
    references,
)
from derive.scalars import Node, Scalar, element, leaves
from derive.sweep import rename

MOST_TERMS = 120_000
"""Code that reads more numbers than this takes long to make."""


PATIENCE, SHORT = 3, 1_000
"""After so many that were too long only those are written out still that read few numbers more."""


class TooLongError(Exception):
    """So many numbers are not written out one by one."""


@dataclass
class Lines:
    """Lines by what they compute: ``given`` are the arrays that none of them defines."""

    given: Mapping[str, Shape]
    expressions: dict[str, Expression] = field(default_factory=dict)
    _known: dict[Expression, str] = field(default_factory=dict)
    _seen: dict[tuple[int, tuple[str, ...]], str] = field(default_factory=dict)
    _reads: dict[int, tuple[Expression, tuple[str, ...]]] = field(default_factory=dict)

    def add(self, equations: Sequence[Equation], outputs: Iterable[str]) -> dict[str, str]:
        """The names here of some lines of a sheet, all lines that they need added: equal names, equal numbers."""
        outputs = tuple(outputs)
        wanted = set(outputs)
        for equation in reversed(equations):
            if equation.target in wanted:
                wanted.update(self._read_by(equation.expression))
        names = {name: name for name in self.given}
        for equation in equations:
            if equation.target in wanted:
                names[equation.target] = self._named(equation.expression, names)
        return {name: names[name] for name in outputs}

    def _read_by(self, expression: Expression) -> tuple[str, ...]:
        """What an expression reads; most of the lines of an edited sheet are the very ones of the right sheet."""
        if id(expression) not in self._reads:
            self._reads[id(expression)] = expression, tuple(sorted(references(expression)))  # kept, so is its id
        return self._reads[id(expression)][1]

    def _named(self, expression: Expression, names: Mapping[str, str]) -> str:
        if isinstance(expression, Ref):
            return names[expression.name]
        key = id(expression), tuple(names[name] for name in self._read_by(expression))
        if key not in self._seen:
            renamed = rename(expression, dict(names))
            name = self._known.setdefault(renamed, f"line {len(self._known)}")
            self.expressions.setdefault(name, renamed)
            self._seen[key] = name
        return self._seen[key]

    def demanded(self, outputs: Iterable[Scalar], most: int) -> dict[Scalar, Node]:
        """The definitions of every element that some elements need, in the order of evaluation.

        Raises TooLongError where these read more numbers than ``most``.
        """
        terms = 0
        wanted: dict[str, set[Scalar]] = {}
        for scalar in outputs:
            wanted.setdefault(scalar.array, set()).add(scalar)
        found: list[tuple[Scalar, Node]] = []
        for name in reversed(self.expressions):
            for scalar in sorted(wanted.get(name, ()), key=lambda each: each.index, reverse=True):
                node = element(self.expressions[name], scalar.index)
                found.append((scalar, node))
                for leaf in leaves(node):
                    wanted.setdefault(leaf.array, set()).add(leaf)
                    terms += 1
                if terms > most:
                    raise TooLongError
        return dict(reversed(found))

    def affordable(self, first: Iterable[Scalar], more: Iterable[Scalar], most: int = 0) -> set[Scalar]:
        """Of ``more`` those, in order, that can be written out with the first: all together read so many numbers."""
        seen: set[Scalar] = set()
        left = most or MOST_TERMS
        for scalar in first:
            found = self._reached(scalar, seen, 100 * MOST_TERMS)
            if found is not None:
                seen |= found[0]
                left -= found[1]
        kept: set[Scalar] = set()
        refused = 0
        for scalar in more:
            found = self._reached(scalar, seen, left if refused < PATIENCE else min(left, SHORT))
            if found is None:
                refused += 1
                continue
            seen |= found[0]
            left -= found[1]
            kept.add(scalar)
        return kept

    def _reached(self, scalar: Scalar, seen: set[Scalar], most: int) -> tuple[set[Scalar], int] | None:
        """The scalars that one needs and that are not seen yet, and how many numbers they read; None: too many."""
        waiting, found, terms = [scalar], set[Scalar](), 0
        while waiting:
            top = waiting.pop()
            if top in seen or top in found or top.array not in self.expressions:
                continue
            found.add(top)
            terms += width(self.expressions[top.array])
            if terms > most:
                return None
            waiting += set(leaves(element(self.expressions[top.array], top.index)))
        return found, terms


def width(expression: Expression) -> int:
    """How many numbers one element of an expression reads, about."""
    inner = [width(part) for part in parts(expression)]
    match expression:
        case Ref():
            return 1
        case Contract(axes, out):
            shapes = [part.shape for part in expression.arguments]
            sizes = {
                name: size
                for row, shape in zip(axes, shapes, strict=True)
                for name, size in zip(row, shape, strict=True)
            }
            return sum(inner) * math.prod(size for name, size in sizes.items() if name not in out)
        case Total(argument, axes):
            return inner[0] * math.prod(argument.shape[axis] for axis in axes)
        case Softmax(argument, axis) | Largest(argument, axis):
            return inner[0] * argument.shape[axis]
        case Map():
            return max(1, sum(inner))
    return max(inner, default=1)
