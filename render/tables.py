"""Tables made ready for templates: which columns are numbers, what pads them to one decimal point, what fits a line."""

from __future__ import annotations

import operator
from dataclasses import dataclass

from derive.formula import Matrix, Number
from derive.width import equation_width
from render.document import Code, Inline, Inlines, Math, Table
from render.numbering import plain_text

GAP = 1.2  # em between two columns
LETTER = 0.48
CODE = 0.53
COLUMN = 0.22  # em more for each column of a matrix, whose gaps do not become smaller with the letters
WRAPPED = 14.0  # em; a column of words wider than this is broken into lines where room is short
NARROWEST = 11.0  # em; so narrow it is made before a table is split
TIGHT = 6.0  # em; the same beside a matrix, which cannot be split off
COMFORTABLE = 20.0  # em; so wide, words in lines are better than words set smaller
SIZES = (1.0, 0.92, 0.83)  # the table's own, small, footnotes'


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the columns of a table go: ``parts`` are the columns printed together, ``size`` counts steps down.

    Of a column that ``wraps`` the texts are broken into lines; if it is numeric, the heading alone.
    """

    parts: tuple[tuple[int, ...], ...]
    numeric: tuple[bool, ...]
    widths: tuple[float, ...]
    wraps: tuple[bool, ...]
    size: int


def table_layout(table: Table, room: float) -> Layout:
    """The layout of a table in ``room`` em.

    A table that is too wide gets the headings of its numbers in several lines, then its long texts too
    where enough room is left for them; then it is set smaller (two steps); then it is split: every
    part repeats the first column.
    """
    count = max([len(table.header), *(len(row) for row in table.rows)], default=0)
    numeric = tuple(index < len(table.numeric) and table.numeric[index] for index in range(count))
    heads = [inlines_width(cell) for cell in table.header] + [0.0] * count
    bodies = [max((inlines_width(row[i]) for row in table.rows if i < len(row)), default=0.0) for i in range(count)]
    whole = tuple(map(max, bodies, heads))
    if _total(whole) <= room:
        return Layout((tuple(range(count)),), numeric, whole, (False,) * count, 0)
    tall = tuple(number and head > body for number, head, body in zip(numeric, heads, bodies, strict=False))
    headed = tuple(
        max(body, _broken(table.header[i])) if tall[i] else width
        for i, (body, width) in enumerate(zip(bodies, whole, strict=True))
    )
    whole_only = tuple(any(i < len(row) and _has_matrix(row[i]) for row in table.rows) for i in range(count))
    texts = tuple(
        width > WRAPPED and not number and not unbroken
        for width, number, unbroken in zip(headed, numeric, whole_only, strict=True)
    )
    both = tuple(map(operator.or_, tall, texts))
    wrapped = _wrapped(headed, texts, room, WRAPPED)
    narrow = _wrapped(headed, texts, room / SIZES[2], NARROWEST)
    tight = _wrapped(headed, texts, room / SIZES[2], TIGHT) if any(whole_only) else narrow
    easy = all(width >= COMFORTABLE for width, text in zip(wrapped, texts, strict=True) if text)
    tries = [(headed, tall, 0), *([(wrapped, both, 0)] if easy else []), (headed, tall, 1), (headed, tall, 2)]
    for widths, wraps, size in [
        *tries,
        *((wrapped, both, step) for step in range(3)),
        (narrow, both, 2),
        (tight, both, 2),
    ]:
        if _total(widths) * SIZES[size] <= room + 1e-6:
            return Layout((tuple(range(count)),), numeric, widths, wraps, size)
    return Layout(_split(wrapped, room / SIZES[2]), numeric, wrapped, both, 2)


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


def _has_matrix(cell: Inlines) -> bool:
    """Whether a cell holds what cannot be broken into lines."""
    return any(
        isinstance(inline, Math) and any(isinstance(side.formula, Matrix) for side in inline.sides) for inline in cell
    )


def inlines_width(cell: Inlines) -> float:
    """The estimated width of a line of text in em."""
    return sum(map(_inline, cell))


def _inline(inline: Inline) -> float:
    if isinstance(inline, Math):
        matrices = (side.formula for side in inline.sides if isinstance(side.formula, Matrix))
        columns = sum(max(map(len, matrix.rows), default=0) for matrix in matrices)
        return equation_width(inline.sides, display=False) + COLUMN * columns
    return (CODE if isinstance(inline, Code) else LETTER) * len(plain_text((inline,)))


def _broken(heading: Inlines) -> float:
    """The width of a heading in two or three lines, its longest word at least."""
    words = [word for inline in heading for word in ([] if isinstance(inline, Math) else plain_text((inline,)).split())]
    formulas = [_inline(inline) for inline in heading if isinstance(inline, Math)]
    return max(inlines_width(heading) / 2.5, *(LETTER * len(word) + 0.3 for word in words), *formulas, 0.0)


def _total(widths: tuple[float, ...]) -> float:
    return sum(widths) + GAP * max(len(widths) - 1, 0)


def _wrapped(widths: tuple[float, ...], wraps: tuple[bool, ...], room: float, least: float) -> tuple[float, ...]:
    """The widths with the room that is left shared among the columns that wrap, ``least`` for each at the least."""
    if not any(wraps):
        return widths
    fixed = sum(width for width, wrap in zip(widths, wraps, strict=True) if not wrap) + GAP * (len(widths) - 1)
    share = max((room - fixed) / sum(wraps), least)
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
