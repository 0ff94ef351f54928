"""Tables made ready for templates: which columns are numbers, what pads them to one decimal point, what fits a line."""

from __future__ import annotations

from dataclasses import dataclass

from derive.formula import Number
from render.document import Inlines, Math, Table
from render.numbering import plain_text
from render.typeset.width import equation_width

GAP = 1.2  # em between two columns
LETTER = 0.48
WRAPPED = 14.0  # em; a column of words wider than this is broken into lines where room is short


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the columns of a table go: ``parts`` are the columns printed together, ``size`` counts steps down."""

    parts: tuple[tuple[int, ...], ...]
    numeric: tuple[bool, ...]
    widths: tuple[float, ...]
    wraps: tuple[bool, ...]
    size: int


def table_layout(table: Table, room: float) -> Layout:
    """The layout of a table in ``room`` em.

    A table that is too wide is set smaller (two steps), then its long texts are wrapped, then it
    is split: every part repeats the first column.
    """
    count = max([len(table.header), *(len(row) for row in table.rows)], default=0)
    numeric = tuple(index < len(table.numeric) and table.numeric[index] for index in range(count))
    widths = tuple(
        max((_cell(row[i]) for row in (table.header, *table.rows) if i < len(row)), default=0.0) for i in range(count)
    )
    wraps = tuple(False for _ in widths)
    if _total(widths) > room:
        wraps = tuple(width > WRAPPED and not number for width, number in zip(widths, numeric, strict=True))
        widths = _wrapped(widths, wraps, room)
    for size, scale in enumerate((1.0, 0.92, 0.83)):
        if _total(widths) * scale <= room:
            return Layout((tuple(range(count)),), numeric, widths, wraps, size)
    return Layout(_split(widths, room / 0.83), numeric, widths, wraps, 2)


def padding(table: Table) -> tuple[tuple[str, ...], ...]:
    """For every cell of a numeric column, the digits that are missing at its right ("000", ".00" or "")."""
    shown = [[_decimals(cell) for cell in row] for row in table.rows]
    numeric = [index < len(table.numeric) and table.numeric[index] for index in range(max(map(len, shown), default=0))]
    most = [
        max((row[i] or 0 for row in shown if i < len(row)), default=0) if is_number else 0
        for i, is_number in enumerate(numeric)
    ]
    return tuple(tuple(_pad(has, most[i]) for i, has in enumerate(row)) for row in shown)


def _pad(has: int | None, most: int) -> str:
    if has is None or most <= has:
        return ""
    return ("." if has == 0 else "") + "0" * (most - has)


def _decimals(cell: Inlines) -> int | None:
    """Digits after the decimal point, or None for what is not one plain decimal number."""
    match cell:
        case (Math((side,)),) if isinstance(side.formula, Number):
            text = side.formula.text
        case _:
            text = plain_text(cell)
    whole, _, fraction = text.removeprefix("-").partition(".")
    return len(fraction) if whole.isdigit() and (fraction.isdigit() or not fraction) else None


def _cell(cell: Inlines) -> float:
    return sum(
        equation_width(inline.sides, display=False) if isinstance(inline, Math) else LETTER * len(plain_text((inline,)))
        for inline in cell
    )


def _total(widths: tuple[float, ...]) -> float:
    return sum(widths) + GAP * max(len(widths) - 1, 0)


def _wrapped(widths: tuple[float, ...], wraps: tuple[bool, ...], room: float) -> tuple[float, ...]:
    """The widths with the room that is left shared among the columns that wrap."""
    if not any(wraps):
        return widths
    fixed = sum(width for width, wrap in zip(widths, wraps, strict=True) if not wrap) + GAP * (len(widths) - 1)
    share = max((room - fixed) / sum(wraps), WRAPPED)
    return tuple(min(width, share) if wrap else width for width, wrap in zip(widths, wraps, strict=True))


def _split(widths: tuple[float, ...], room: float) -> tuple[tuple[int, ...], ...]:
    parts: list[list[int]] = [[0]]
    used = widths[0]
    for index in range(1, len(widths)):
        if used + GAP + widths[index] > room and len(parts[-1]) > 1:
            parts.append([0])
            used = widths[0]
        parts[-1].append(index)
        used += GAP + widths[index]
    return tuple(map(tuple, parts))
