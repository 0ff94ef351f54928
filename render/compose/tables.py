"""Tables that several parts need, and cells for them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from derive.formula import Formula
from render.compose.pen import Shown, prose
from render.compose.structure import TABLE_ROWS
from render.document import Block, Inlines, Paragraph, Table

Cell = str | Formula | Shown | Inlines


def cell(content: Cell) -> Inlines:
    """A cell of text, of a formula or of a number."""
    match content:
        case Shown():
            return prose("{n}", n=content.formula)
        case Formula():
            return prose("{f}", f=content)
        case str():
            return prose("{t}", t=content) if content else ()
        case _:
            return content


def table(
    identifier: str,
    caption: Inlines,
    header: Sequence[Cell],
    rows: Iterable[Sequence[Cell]],
    numeric: Sequence[bool],
    *,
    total: int = 0,
    more: str = "",
) -> tuple[Block, ...]:
    """A table; of a very long one the first rows, and ``more`` says where the rest is.

    ``total`` is how many rows there would be, where not all of them were made.
    """
    every = [tuple(cell(each) for each in row) for row in rows]
    block = Table(identifier, caption, tuple(cell(each) for each in header), tuple(every[:TABLE_ROWS]), tuple(numeric))
    if len(every) <= TABLE_ROWS:
        return (block,)
    left_out = max(total, len(every)) - TABLE_ROWS
    rest = Paragraph(prose("{n} more rows are left out here{more}.", n=f"{left_out:,}".replace(",", " "), more=more))
    return (block, rest)
