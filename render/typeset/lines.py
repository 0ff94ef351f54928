r"""A displayed equation in TeX: in one line where there is room, else line by line, aligned at the signs.

A side that is too wide for a line of its own is broken before an operator; what cannot be broken
is reported as ``wide``, and the page scrolls it or LaTeX makes it smaller.
"""

from __future__ import annotations

from dataclasses import dataclass

from derive.formula import Mark, Side
from derive.tex import relation, tex, tex_equation, tex_pieces
from derive.tex_names import Dialect
from render.typeset.width import BINARY, RELATION, equation_width, width

INDENT = 2.0  # em before a continued line


@dataclass(frozen=True, slots=True)
class Display:
    """TeX of a displayed equation without its delimiters; its estimated width in em; whether that is too wide."""

    tex: str
    width: float
    wide: bool


def display(sides: tuple[Side, ...], dialect: Dialect, *, room: float, boxed: bool = False) -> Display:
    r"""The equation set into ``room`` em; ``boxed`` puts ``\boxed`` around the last side."""
    whole = equation_width(sides) + (1.0 if boxed else 0.0)
    if whole <= room or (len(sides) == 1 and len(tex_pieces(sides[0].formula, dialect)) == 1):
        return Display(_one_line(sides, dialect, boxed), whole, whole > room)
    first, *others = sides
    lead = width(first.formula)
    if others and lead > room / 2:
        rows = [Row(_written(first, dialect, boxed and not others), lead)]
        left, indent = 0.0, r"\quad "
    else:
        rows, left, indent = [], lead if others else 0.0, ""
    if not others:
        rows.extend(_broken(first, dialect, room, False))
    for position, side in enumerate(others):
        last = boxed and position == len(others) - 1
        rows.extend(Row(indent + row.tex, row.width + INDENT) for row in _broken(side, dialect, room - left, last))
    start = "" if rows and (indent or not others) else tex(first.formula, dialect)
    body = r" \\ ".join(f"{start if index == 0 else ''} & {row.tex}".strip() for index, row in enumerate(rows))
    widest = left + max(row.width for row in rows)
    return Display(rf"\begin{{aligned}} {body} \end{{aligned}}", widest, widest > room + INDENT)


@dataclass(frozen=True, slots=True)
class Row:
    """What stands to the right of the alignment in one line."""

    tex: str
    width: float


def _one_line(sides: tuple[Side, ...], dialect: Dialect, boxed: bool) -> str:
    if not boxed:
        return tex_equation(sides, dialect)
    *before, last = sides
    return f"{tex_equation(before, dialect)} {_written(last, dialect, True)}".strip()


def _written(side: Side, dialect: Dialect, boxed: bool) -> str:
    written = tex(side.formula, dialect)
    return f"{relation(side.sign)} " * bool(side.sign) + (rf"\boxed{{{written}}}" if boxed else written)


def _broken(side: Side, dialect: Dialect, room: float, boxed: bool) -> list[Row]:
    """One side as one or more lines, each after the first indented and begun with its operator."""
    whole = RELATION + width(side.formula)
    pieces = tex_pieces(side.formula, dialect)
    if boxed or whole <= room or len(pieces) == 1 or isinstance(side.formula, Mark):
        return [Row(_written(side, dialect, boxed), whole + (1.0 if boxed else 0.0))]
    rows, line, used = [], relation(side.sign), RELATION
    for operator, written, node in pieces:
        needed = width(node) + (BINARY if operator else 0.0)
        if used + needed > room and used > RELATION + INDENT:
            rows.append(Row(line.strip(), used))
            line, used = rf"\quad {{}} {operator or chr(92) + 'cdot'} {written}", INDENT + needed
        else:
            line, used = " ".join(part for part in (line, operator, written) if part), used + needed
    return [*rows, Row(line.strip(), used)]
