"""How a report stands on a terminal: the table, the verdict, the diagnosis, and the line that went wrong."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from derive.plain import plain_equation
from derive.verification import text
from render.commands.results import at_the_point, print_table

if TYPE_CHECKING:
    from rich.console import Console

    from derive.derivation import Derivation
    from derive.verification.report import Report
    from render.compose.verification.lines import WrittenLine

MOST_LINES = 3
"""Of so many explanations the line is written out."""

COLOURS = {"verified": "green", "wrong": "red", "undecided": "yellow"}
PLAIN_WIDTH = 120


def print_report(derivation: Derivation, report: Report) -> None:
    """The report on standard output; on a terminal in colour and folded to its width."""
    console = _console()
    rows = report.worst_first[: text.MOST_ROWS]
    if rows and console is not None:
        _print_drawn(console, report)
    elif rows:
        print_table(text.HEADER, [text.cells(row) for row in rows])
    if text.left_out(report):
        print(text.left_out(report))
    if rows:
        print()
    _say(console, text.verdict(report), f"bold {COLOURS[report.verdict]}")
    _print_diagnosis(console, derivation, report)
    for note in report.notes:
        _say(console, text.sentence(note))


def _print_diagnosis(console: Console | None, derivation: Derivation, report: Report) -> None:
    if not report.diagnosis:
        return
    from render.compose.verification.lines import ELSEWHERE, lines_of, pen_of, shown_elsewhere
    from render.compose.verification.report import same_lines

    pen = pen_of(derivation)
    lines = [lines_of(pen, explanation) for explanation in report.diagnosis[:MOST_LINES]]
    for number, explanation in enumerate(report.diagnosis):
        front = f"{number + 1}. " if len(report.diagnosis) > 1 else ""
        if number == 0 and front:
            _say(console, text.several(len(report.diagnosis)))
        _say(console, front + explanation.words)
        if (same := same_lines(lines, number)) is not None:
            _say(console, f"  (the same line as in {same + 1})")
        elif number < MOST_LINES:
            if lines[number] and shown_elsewhere(derivation, explanation):
                _say(console, f"  ({ELSEWHERE[:1].lower()}{ELSEWHERE[1:-1]})")
            _print_lines(console, lines[number])


def _console() -> Console | None:
    """What draws on a terminal; None where nobody looks at one."""
    if not sys.stdout.isatty():
        return None
    from rich.console import Console

    return Console(highlight=False, soft_wrap=False)


def _print_drawn(console: Console, report: Report) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for title in text.HEADER:
        table.add_column(Text(title), overflow="fold")
    rows = report.worst_first[: text.MOST_ROWS]
    names, *columns = zip(*(text.cells(row) for row in rows), strict=True)
    for row, name, yours, *others in zip(rows, names, *map(at_the_point, columns), strict=True):
        colour = "cyan" if row.within else "red"
        table.add_row(Text(name, style=colour), Text(yours, style="" if row.within else "red"), *map(Text, others))
    console.print(table)


def _say(console: Console | None, words: str, style: str = "") -> None:
    """A sentence, folded between words."""
    if console is None:
        print(words)
        return
    from rich.text import Text

    console.print(Text(words, style=style))


def _print_lines(console: Console | None, lines: Sequence[WrittenLine]) -> None:
    for line in lines:
        for title, colour, sides in _versions(line):
            width = PLAIN_WIDTH if console is None else console.width
            for row in _folded(title, sides, width):
                if console is None:
                    print(row)
                else:
                    from rich.text import Text

                    console.print(Text(row, style=colour), soft_wrap=True)


def _versions(line: WrittenLine) -> Iterator[tuple[str, str, list[str]]]:
    """The two versions of a line: its title, its colour, its sides as text."""
    handed = line.wrong.handed
    for title, colour, sides in (
        ("handed over, probably" if handed else "written, probably", "red", line.written),
        ("should be", "green", line.right),
    ):
        yield title, colour, [plain_equation((side,)) for side in sides]


TITLE = 26


def _folded(title: str, sides: list[str], width: int) -> Iterator[str]:
    """Sides one after the other, a new row where the next one does not fit; long ones broken between terms."""
    room = max(30, width - TITLE - 1)
    rows: list[str] = []
    for side in sides:
        if rows and len(rows[-1]) + 1 + len(side) <= room:
            rows[-1] += f" {side}"
        else:
            rows += textwrap.wrap(side, room, subsequent_indent="    ", break_long_words=False) or [""]
    for position, row in enumerate(rows):
        yield f"{f'  {title}:' if position == 0 else '':<{TITLE}}{row}"
