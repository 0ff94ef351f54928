r"""A displayed equation: in one line where there is room, else line by line, aligned at the signs.

A side that is too wide for a line of its own is broken before an operator; what cannot be broken
is reported as ``wide``, and the page scrolls it or paper makes it smaller. Where to break is decided
here once; how it is written is a `Script`, TeX's or Typst's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from derive.formula import Formula, Gap, Mark, Side
from derive.tex import relation, tex, tex_pieces, unmarked
from derive.tex_names import Dialect
from derive.width import BINARY, RELATION, equation_width, width
from render.typeset import typst

INDENT = 2.0  # em before a continued line


@dataclass(frozen=True, slots=True)
class Display:
    """A displayed equation without its delimiters; its estimated width in em; whether that is too wide."""

    tex: str
    width: float
    wide: bool


@dataclass(frozen=True, slots=True)
class Script:
    """A language of formulas: how its parts are printed, and what stands round the lines of an equation.

    ``box`` and ``lines`` hold ``%s`` where the formula goes; ``empty`` is an operand of no width, so that
    an operator at the beginning of a line keeps its space. ``step`` holds ``%s`` too: what stands round each side after
    the second where they appear one by one, and ``same_step`` round the further lines of such a side.
    """

    formula: Callable[[Formula], str]
    pieces: Callable[[Formula], list[tuple[str, str, Formula]]]
    relation: Callable[[str], str]
    box: str
    lines: str
    newline: str
    indent: str
    empty: str
    dot: str
    step: str = "%s"
    same_step: str = "%s"


def tex_script(dialect: Dialect) -> Script:
    """TeX with amsmath, in one of its dialects."""
    return Script(
        formula=lambda formula: tex(formula, dialect),
        pieces=lambda formula: tex_pieces(formula, dialect),
        relation=relation,
        box=r"\boxed{%s}",
        lines=r"\begin{aligned} %s \end{aligned}",
        newline=r" \\ ",
        indent=r"\quad",
        empty="{}",
        dot=r"\cdot",
    )


TYPST = Script(
    formula=typst.typst,
    pieces=typst.typst_pieces,
    relation=typst.relation,
    box="boxed(%s)",
    lines="%s",
    newline=" \\ ",
    indent="quad",
    empty='""',
    dot="⋅",
)


def display(sides: tuple[Side, ...], dialect: Dialect, *, room: float, boxed: bool = False) -> Display:
    r"""The equation in TeX, set into ``room`` em; ``boxed`` puts ``\boxed`` around the last side."""
    return set_lines(sides, tex_script(dialect), room=room, boxed=boxed)


def set_lines(sides: tuple[Side, ...], script: Script, *, room: float, boxed: bool = False) -> Display:
    """The equation set into ``room`` em; ``boxed`` puts a box around the last side."""
    boxed = boxed and not isinstance(unmarked(sides[-1].formula), Gap)  # a blank is a box already
    whole = equation_width(sides) + (1.0 if boxed else 0.0)
    if whole <= room or (len(sides) == 1 and len(script.pieces(sides[0].formula)) == 1):
        return Display(_one_line(sides, script, boxed), whole, whole > room)
    first, *others = sides
    lead = width(first.formula)
    if others and lead > room / 2:
        rows = [Row(_written(first, script, boxed and not others), lead)]
        left, indent = 0.0, f"{script.indent} "
    else:
        rows, left, indent = [], lead if others else 0.0, ""
    if not others:
        rows.extend(_broken(first, script, room, False))
    for position, side in enumerate(others):
        last = boxed and position == len(others) - 1
        made = _broken(side, script, room - left, last)
        shown = _stepped([row.text for row in made], script) if position else [row.text for row in made]
        rows.extend(Row(indent + text, row.width + INDENT) for text, row in zip(shown, made, strict=True))
    start = "" if rows and (indent or not others) else script.formula(first.formula)
    body = script.newline.join(f"{start if index == 0 else ''} & {row.text}".strip() for index, row in enumerate(rows))
    widest = left + max(row.width for row in rows)
    return Display(script.lines % body, widest, widest > room + INDENT)


@dataclass(frozen=True, slots=True)
class Row:
    """What stands to the right of the alignment in one line."""

    text: str
    width: float


def _one_line(sides: tuple[Side, ...], script: Script, boxed: bool) -> str:
    last = len(sides) - 1
    written = [_written(side, script, boxed and index == last) for index, side in enumerate(sides)]
    return " ".join([*written[:2], *(_stepped([text], script)[0] for text in written[2:])])


def _stepped(lines: list[str], script: Script) -> list[str]:
    """The lines of a side that appears by itself, in scripts that know of such a thing."""
    if script.step == "%s":
        return lines
    first, *others = (f"{script.empty} {line}" for line in lines)
    return [script.step % first, *(script.same_step % line for line in others)]


def _written(side: Side, script: Script, boxed: bool) -> str:
    written = script.formula(side.formula)
    return f"{script.relation(side.sign)} " * bool(side.sign) + (script.box % written if boxed else written)


def _broken(side: Side, script: Script, room: float, boxed: bool) -> list[Row]:
    """One side as one or more lines, each after the first indented and begun with its operator."""
    whole = RELATION + width(side.formula)
    pieces = script.pieces(side.formula)
    if boxed or whole <= room or len(pieces) == 1 or isinstance(side.formula, Mark):
        return [Row(_written(side, script, boxed), whole + (1.0 if boxed else 0.0))]
    rows, line, used = [], script.relation(side.sign), RELATION
    for operator, written, node in pieces:
        needed = width(node) + (BINARY if operator else 0.0)
        if used + needed > room and used > RELATION + INDENT:
            rows.append(Row(line.strip(), used))
            line, used = f"{script.indent} {script.empty} {operator or script.dot} {written}", INDENT + needed
        else:
            line, used = " ".join(part for part in (line, operator, written) if part), used + needed
    return [*rows, Row(line.strip(), used)]
