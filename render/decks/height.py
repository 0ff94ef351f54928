"""How high a block will be on a slide, in em of its text: a careful guess, rather too high than too low."""

from __future__ import annotations

import math

from derive.formula import Call, Cases, Formula, Fraction, Gap, Matrix, Power, children
from derive.tex import unmarked
from derive.tex_spacing import is_tall
from derive.width import equation_width, gap_size, width
from render.document import (
    Block,
    Choices,
    Equation,
    Figure,
    Inlines,
    ListBlock,
    Math,
    Note,
    PageBreak,
    Paragraph,
    Progress,
    Section,
    Space,
    Table,
)
from render.figures import layout
from render.tables import SIZES, inlines_width, table_layout

WIDTH = 40.0  # em, of a line on a slide
HEIGHT = 18.6  # em, of what stands under a slide's heading
LINE = 1.4
APART = 0.75  # between two blocks
ONE_LINE = 34.0  # em; an equation that is wider stands in several lines
RAGGED = 1.12  # a broken line ends before the signs, not at the margin
TALL, FLAT = 2.8, 1.45  # a line of an equation with fractions, and one without
FIGURE = 14.0  # the most that a drawing takes
TABLE = 0.8  # its letters, as a part of the text's
TABLE_ROOM = 0.9 * WIDTH / TABLE  # of its own em; a slide's columns stand a little further apart
ROW = 1.5  # of the table's own em
WRITING = 1.2  # for a line of handwriting
MOST_WRITING = 12.0
CHARACTER = 1.06  # a line of words is a little longer than it is thought to be


def height(block: Block) -> float:
    """The height of a block, with the space under it."""
    return _height(block) + (APART if not isinstance(block, Note | PageBreak) else 0.0)


def is_stacked(equation: Equation) -> bool:
    """Whether the sides of an equation stand one under the other."""
    return equation_width(equation.sides) > ONE_LINE and len(equation.sides) > 1


def _height(block: Block) -> float:
    match block:
        case Paragraph(inlines):
            return _lines(inlines, WIDTH)
        case Equation():
            return _equation(block)
        case ListBlock(items):
            return sum(_lines(item, WIDTH - 2) + 0.2 for item in items)
        case Choices(options):
            return sum(_lines(option, WIDTH - 4) + 0.2 for option in options)
        case Table():
            return _table(block)
        case Figure():
            drawn = layout(block.drawing)
            caption = 0.8 * _lines(block.caption, WIDTH / 0.8)
            return min(FIGURE, WIDTH * drawn.height / drawn.width) + 0.5 + caption
        case Progress(entries):
            wide = sum(width(formula, display=False) + 2.2 for formula, _ in entries)
            return LINE * (1 + math.ceil(wide / WIDTH))
        case Space(lines):
            return min(WRITING * lines, MOST_WRITING)
        case Note() | PageBreak():
            return 0.0
        case Section():
            raise TypeError("a section has the height of its slides")
    raise TypeError(f"a block whose height on a slide is not known: {type(block).__name__}")


def _lines(inlines: Inlines, room: float) -> float:
    """The height of a paragraph; a tall formula in it makes its line higher."""
    if not inlines:
        return 0.0
    count = math.ceil(CHARACTER * inlines_width(inlines) / room)
    tall = [max(map(_formula, _formulas(inline))) for inline in inlines if isinstance(inline, Math)]
    return LINE * count + sum(max(each - LINE, 0.0) for each in tall)


def _formulas(inline: Math) -> list[Formula]:
    return [side.formula for side in inline.sides]


def _equation(equation: Equation) -> float:
    rows = [_formula(side.formula) for side in equation.sides]
    boxed = 0.8 if equation.boxed else 0.0
    if not is_stacked(equation):
        return max(rows) + boxed
    first, *others = equation.sides
    room = max(WIDTH - 4 - width(first.formula), WIDTH / 2)
    lines = [math.ceil(RAGGED * width(side.formula) / room) for side in others]
    return max(sum(each * count for each, count in zip(rows[1:], lines, strict=True)), rows[0]) + boxed


def _formula(formula: Formula) -> float:
    """The height of a formula's line."""
    inner = unmarked(formula)
    match inner:
        case Matrix(rows):
            return 0.5 + sum(max((_formula(entry) for entry in row), default=FLAT) * 0.95 for row in rows)
        case Cases(rows):
            return 0.4 + sum(max(_formula(value), FLAT) for value, _ in rows)
        case Fraction(above, below):
            return TALL + 0.7 * sum(max(_formula(part) - FLAT, 0.0) for part in (above, below))
        case Power(base, _):
            return _formula(base) + 0.4
        case Call("sqrt", (argument,)):
            return _formula(argument) + 0.4
        case Gap():
            return max(gap_size(inner)[1] + 0.6, FLAT)
        case _:
            inside = max((_formula(child) for child in children(inner)), default=FLAT)
            return max(inside, TALL if is_tall(inner) else FLAT)


def _table(table: Table) -> float:
    """The caption, and each row as high as its highest cell."""
    made = table_layout(table, TABLE_ROOM)
    scale = TABLE * SIZES[made.size]

    def cell(inlines: Inlines, column: int) -> float:
        lines = math.ceil(CHARACTER * inlines_width(inlines) / made.widths[column]) if made.wraps[column] else 1
        formulas = [_formula(each) for inline in inlines if isinstance(inline, Math) for each in _formulas(inline)]
        return max([ROW + LINE * (lines - 1), *(each + 0.3 for each in formulas if each > FLAT)])

    rows = [cells for cells in (table.header, *table.rows) if cells]
    high = sum(max((cell(inlines, column) for column, inlines in enumerate(row)), default=ROW) for row in rows)
    return scale * high * len(made.parts) + TABLE * _lines(table.caption, WIDTH / TABLE) + 0.8
