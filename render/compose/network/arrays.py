"""Arrays on the page: one value, a row, a matrix, or a matrix for each slice; of large ones the corners."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from derive.evaluate.balls import Enclosures
from derive.formula import Dots, Formula, Matrix, Number, Side
from derive.program import Shape
from derive.quantities import reads
from derive.scalars import Index, Scalar
from render.compose.network.plan import Plan
from render.compose.pen import Shown, count, prose
from render.compose.tables import Cell, cell, table
from render.document import Block, Inlines

WIDEST = 6
"""An array with more rows or columns than this is shown with its first ones, dots, and the last."""

KEPT = 2
"""So many of them stand before the dots."""

SLICES = 6
"""So many matrices of an array with more axes are shown."""

Write = Callable[[Index], Shown]


@dataclass(frozen=True)
class Part:
    """A matrix out of an array: which one in words ("head 1"; "" for the whole), and its entries."""

    words: str
    formula: Formula
    exact: bool

    @property
    def side(self) -> Side:
        """The matrix as the last side of an equation."""
        return Side(self.formula, "=" if self.exact else "≈")


def parts(plan: Plan, name: str, values: str | None = None, source: Enclosures | None = None) -> list[Part]:
    """An array's numbers; ``values`` names the array that has them, of the same shape (its gradient).

    ``source`` has them at another time: after the update.
    """
    return _parts(plan, name, lambda index: plan.pen.show(reads(values or name, index), source))


def _parts(plan: Plan, name: str, write: Write) -> list[Part]:
    shape = plan.program.shape(name)
    axes = plan.axes(name)
    alone = bool(shape) and axes[0] == "example" and shape[0] == 1
    front: Index = (0,) if alone else ()
    rest, words = shape[len(front) :], axes[len(front) :]
    found = []
    fronts = np.ndindex(*rest[:-2])
    for outer in islice(fronts, SLICES):
        formula, exact = _matrix(rest[-2:], front + tuple(int(i) for i in outer), write)
        found.append(Part(_slice_words(plan, words, outer, rest), formula, exact))
    return found


def left_out(plan: Plan, name: str) -> int:
    """How many slices of an array `parts` leaves out."""
    shape = plan.program.shape(name)
    alone = bool(shape) and plan.axes(name)[0] == "example" and shape[0] == 1
    return max(0, int(np.prod(shape[1 if alone else 0 : -2])) - SLICES) if len(shape) > 2 else 0


def _slice_words(plan: Plan, words: Sequence[str], outer: Sequence[int], shape: Shape) -> str:
    named = [
        f"{word or 'part'} {plan.pen.nth(place)}"
        for word, place, size in zip(words, outer, shape, strict=False)
        if size > 1
    ]
    return ", ".join(named)


def _matrix(shape: Shape, front: Index, write: Write) -> tuple[Formula, bool]:
    """A number, a row or a matrix; whether every number of it is exact."""
    if not shape:
        shown = write(front)
        return shown.formula, shown.exact
    rows: list[tuple[Formula, ...]] = []
    exact = True
    for i in _places(shape[0]) if len(shape) == 2 else [0]:
        row: list[Formula] = []
        for j in _places(shape[-1]):
            if i is None or j is None:
                row.append(Dots())
                continue
            shown = write((*front, i, j) if len(shape) == 2 else (*front, j))
            exact = exact and shown.exact
            row.append(shown.formula)
        rows.append(tuple(row))
    return Matrix(tuple(rows)), exact


def _places(size: int) -> Iterator[int | None]:
    """The places that are shown; None for the dots between."""
    if size <= WIDEST:
        yield from range(size)
        return
    yield from range(KEPT)
    yield None
    yield size - 1


def rows(
    plan: Plan, name: str, symbol: Formula, what: str, values: str | None = None
) -> Iterator[tuple[Cell, Cell, Cell]]:
    """Rows of a table: symbol, what it is, value; a row for each slice."""
    found = parts(plan, name, values)
    for part in found:
        words = ", ".join(each for each in (what, part.words) if each)
        yield (symbol, words, part.formula)
    if more := left_out(plan, name):
        yield ("", f"{count(more, 'more slice')} of {what or name}", Dots())


def laid_out(
    identifier: str, caption: Inlines, header: Sequence[Cell], rows: Sequence[Sequence[Cell]]
) -> tuple[Block, ...]:
    """A table of arrays, without a column of words where there are none; beside wide matrices the words join the names."""
    if any(is_wide(entry) for row in rows for entry in row):
        header = [prose("what it is"), *header[2:]]
        rows = [
            [prose("{name}, {words}", name=cell(row[0]), words=cell(row[1])) if row[1] else row[0], *row[2:]]
            for row in rows
        ]
    kept = [place for place, _ in enumerate(header) if place == 0 or any(row[place] != "" for row in rows)]
    return table(
        identifier, caption, [header[k] for k in kept], [[row[k] for k in kept] for row in rows], [False] * len(kept)
    )


WIDE = 3
"""More columns of rounded numbers than these fill a line."""


def is_wide(entry: Cell) -> bool:
    """Whether a cell is a matrix that leaves little room beside it."""
    if not isinstance(entry, Matrix) or len(entry.rows[0]) <= WIDE:
        return False
    return any(isinstance(number, Number) and len(number.text) > LONG for row in entry.rows for number in row)


LONG = 7
"""A number of more characters than this is a long one."""


def shape_in_words(plan: Plan, name: str) -> str:
    """2 × 3, or "a number"; one example counts for none. It is not broken across lines."""
    shape = plan.program.shape(name)
    if shape and plan.axes(name)[0] == "example" and shape[0] == 1:
        shape = shape[1:]
    if not shape:
        return "a number"
    return "\u00a0×\u00a0".join(str(size) for size in shape) if len(shape) > 1 else count(shape[0], "number")


def counted(plan: Plan, name: str) -> str:
    """Its size in words, "two time steps × one feature", or its shape where nothing is known of its axes."""
    axes = list(zip(plan.axes(name), plan.program.shape(name), strict=True))
    kept = [(word, size) for word, size in axes if word != "example" or size > 1]
    if len(kept) > 1 and kept[-1][0] == "" and all(word for word, _ in kept[:-1]):
        kept[-1] = ("number", kept[-1][1])
    if not kept or not all(word for word, _ in kept):
        return shape_in_words(plan, name)
    return " × ".join(count(size, word) for word, size in kept)


def reading(plan: Plan, name: str) -> str:
    """How its rows are to be read: "a row for each position"; "" where nothing is known."""
    axes = [
        word
        for word, size in zip(plan.axes(name), plan.program.shape(name), strict=True)
        if word != "example" or size > 1
    ]
    return f"a row for each {axes[-2]}" if len(axes) > 1 and axes[-2] not in ("", "row") else ""


def elements(plan: Plan, name: str) -> Iterator[Scalar]:
    """The elements of an array, row by row."""
    return plan.pen.derivation.graph.scalars(name)


def symbol(plan: Plan, name: str) -> Formula:
    """A whole array by its name."""
    return plan.pen.error if name == plan.program.error else plan.pen.array(name)


def gradient_symbol(plan: Plan, name: str) -> Formula:
    """∂E/∂(array), or its short name."""
    return plan.pen.array_gradient(name)
