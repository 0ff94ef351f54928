"""The report as a document to hand back: verdict, numbers, diagnosis, and the derivation as far as it went right."""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import prod

from derive.derivation import Derivation
from derive.formula import Number
from derive.verification import text
from derive.verification.report import Report, Row
from render.compose.pen import Pen, count, equation, listed, paragraph, prose
from render.compose.structure import TABLE_ROWS
from render.compose.tables import Cell, table
from render.compose.verification.lines import ELSEWHERE, WrittenLine, lines_of, pen_of, shown_elsewhere
from render.compose.verification.step import up_to
from render.document import Block, Document, Inlines, ListBlock, Paragraph, Section, Strong

SHOWN_DIGITS = 8
"""So many digits of a number stand in the table, where that hides no difference."""

MOST_LINES = 3
"""Of so many explanations the line is worked out."""


def document(derivation: Derivation, report: Report) -> Document:
    """The report on the gradients of a derivation, as a document."""
    pen = pen_of(derivation)
    blocks: list[Block] = [_verdict(pen, report)]
    if report.precision == text.AS_PRINTED:
        from render.compose.checking import published_part

        section = published_part(pen)
        blocks += [section] if section is not None else []
        return _titled(derivation, "the printed numbers checked", blocks)
    lines = [lines_of(pen, each) for each in report.diagnosis[:MOST_LINES]]
    if report.verdict == "wrong":
        blocks.append(_diagnosis(derivation, report, lines))
        blocks += up_to(pen, next((each[0] for each in lines if each), None))
    elif report.notes:
        blocks.append(Section("notes", prose("What else there is to say"), _notes(report)))
    return _titled(derivation, "the gradients checked", blocks)


def _titled(derivation: Derivation, what: str, blocks: Sequence[Block]) -> Document:
    problem = derivation.problem
    return Document(f"{problem.title}: {what}", tuple(blocks), stem=f"{problem.stem}_report")


# ---- verdict and numbers ---------------------------------------------------------------------


def _verdict(pen: Pen, report: Report) -> Section:
    blocks: list[Block] = [Paragraph((Strong(text.verdict(report)),))]
    if report.rows and report.precision != text.AS_PRINTED:
        blocks.append(_checked(pen, report))
        blocks += _numbers(pen, report)
    return Section("verdict", prose("The verdict"), tuple(blocks))


def _checked(pen: Pen, report: Report) -> Paragraph:
    """What the verdict is about, and what it is not."""
    handed = text.arrays(report.rows)
    missing = [name for name in pen.derivation.program.parameters if not {name, f"{name}+"} & set(handed)]
    partly = [name for name, rows in handed.items() if len(rows) < _size(pen, name)]
    what = "The comparison covers {arrays}, at the numbers of the problem"
    what += (" and at {others}" if report.points > 1 else "") + "."
    what += " Of {partly}, some elements are missing." if partly else ""
    what += " Of {missing} nothing was handed over, and nothing is said." if missing else ""
    return paragraph(
        what + " The bound says how far a number may lie from the reference if it is right.",
        others=count(report.points - 1, "more point"),
        arrays=listed([_array(pen, name) for name in handed]),
        partly=listed([_array(pen, name) for name in partly]),
        missing=listed([pen.array_gradient(name) for name in missing]),
    )


def _size(pen: Pen, name: str) -> int:
    array = _known(pen, name)
    return prod(pen.derivation.program.shape(array)) if array else 0


def _known(pen: Pen, name: str) -> str:
    """The array of the program that a report's array is of; "" for a name that is none."""
    array = name.removeprefix("dE/d").removesuffix("+")
    return array if array in pen.derivation.program.variables else ""


def _array(pen: Pen, name: str) -> Inlines:
    array = _known(pen, name)
    if not array:
        return prose("{name}", name=name)
    if name.endswith("+"):
        return prose("{symbol} after the update", symbol=pen.array(array))
    if name.startswith("dE/d") or array in pen.derivation.program.parameters:
        return prose("{symbol}", symbol=pen.array_gradient(array))
    return prose("{symbol}", symbol=pen.array(array))


def _numbers(pen: Pen, report: Report) -> list[Block]:
    rows = report.worst_first
    columns = ("parameter", "yours", "reference", "relative error", "digits right", "bound", "within?")
    return list(
        table(
            "tab-numbers",
            prose("The numbers that were handed over, the worst first."),
            columns,
            [_row(pen, row) for row in rows[: TABLE_ROWS + 1]],
            (False, True, True, True, True, True, False),
            total=len(rows),
            more="; all of them lie within their bounds" if all(row.within for row in rows[TABLE_ROWS:]) else "",
        )
    )


def _row(pen: Pen, row: Row) -> list[Cell]:
    _, *cells = text.cells(row, SHOWN_DIGITS)
    return [_name(pen, row), *map(_number, cells), "yes" if row.within else prose("{no}", no=Strong("no"))]


def _number(written: str) -> Cell:
    """A number as the page writes numbers; what is none (nan) as it came."""
    match = _NUMBER.fullmatch(written)
    if match is None:
        return written
    minus, digits, exponent = match.groups()
    return Number(minus + digits.rstrip(".") + (f"e{int(exponent)}" if exponent else ""))


_NUMBER = re.compile(r"\+?(-?)(\d+\.?\d*)(?:[eE]([+-]?\d+))?")


def _name(pen: Pen, row: Row) -> Cell:
    """The quantity as the page writes it."""
    from render.compose.checking import written_quantity

    array = _known(pen, row.array)
    if not array:
        return row.name
    parameter = array in pen.derivation.program.parameters and row.array == array
    try:
        return written_quantity(pen, f"dE/d{row.name}" if parameter else row.name)
    except KeyError:
        return row.name


# ---- diagnosis -------------------------------------------------------------------------------


def _diagnosis(derivation: Derivation, report: Report, lines: Sequence[Sequence[WrittenLine]]) -> Section:
    several = len(report.diagnosis) > 1
    blocks: list[Block] = []
    if several:
        blocks.append(
            paragraph(
                "Each of these {n} explanations accounts for every number; the most plausible stands first.",
                n=len(report.diagnosis),
            )
        )
    for position, explanation in enumerate(report.diagnosis):
        front = f"Explanation {position + 1}. " if several else ""
        blocks.append(paragraph("{front}{words}", front=front, words=explanation.words))
        if (same := same_lines(lines, position)) is not None:
            blocks.append(paragraph("It shows in the same place as explanation {n}, above.", n=same + 1))
            continue
        own = lines[position] if position < len(lines) else ()
        if own and shown_elsewhere(derivation, explanation):
            blocks.append(paragraph(ELSEWHERE))
        for number, line in enumerate(own, start=1):
            blocks += both_versions(line, f"{position + 1}-{number}")
    return Section("diagnosis", prose("What went wrong"), (*blocks, *_notes(report)))


def same_lines(lines: Sequence[Sequence[WrittenLine]], position: int) -> int | None:
    """The earlier explanation whose lines read the same as this one's; None where there is none."""
    if position >= len(lines) or not lines[position]:
        return None
    read = [[(line.written, line.right) for line in each] for each in lines[: position + 1]]
    first = read.index(read[position])
    return first if first < position else None


def both_versions(line: WrittenLine, identifier: str = "") -> list[Block]:
    """What was probably written, beside what it should be."""
    name = f"eq-written-{identifier}" if identifier else ""
    if line.wrong.handed:
        words = "What was handed over is probably", "It should be"
    else:
        words = "Probably this was written:", "It should be:"
    return [
        paragraph(words[0]),
        equation(line.written, name),
        paragraph(words[1]),
        equation(line.right, name and f"eq-right-{identifier}", boxed=True),
    ]


def _notes(report: Report) -> tuple[Block, ...]:
    if not report.notes:
        return ()
    return (ListBlock(tuple(prose("{note}", note=text.sentence(note)) for note in report.notes)),)
