"""The answer key as files: CSV, JSON, and a workbook with a table to enter points in."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from render.handout.key import KEY, MISTAKE, Key, Mistake, key_rows, mistake_rows

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

Sheets = Sequence[dict[str, Any]]
Cells = Sequence[str | int]

MADE = datetime(2000, 1, 1)  # so that the same key is the same file
MAX_ROWS = 2**20  # of a worksheet
SMALLEST, LARGEST = 1e-300, 1e300  # of a spreadsheet's numbers, with all their digits
NUMBER = re.compile(r"[+-]?\d+(\.\d+)?(e[+-]?\d+)?", re.ASCII)


def key_files(sheets: Sheets, scratch: Path | None = None) -> dict[str, bytes]:
    """The key's files by name; ``sheets`` are the records of the copies, ``scratch`` a folder for what is passing."""
    return {
        "key.csv": _csv(KEY, key_rows(sheets)),
        "key_mistakes.csv": _csv(MISTAKE, mistake_rows(sheets)),
        "key.json": _json(sheets),
        "key.xlsx": workbook(sheets, scratch),
    }


# ---- CSV -----------------------------------------------------------------------------------


def _csv(header: Sequence[str], rows: Iterable[Key | Mistake]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([inert(cell) for cell in _cells(row)] for row in rows)
    return text.getvalue().encode()


def _cells(row: Key | Mistake) -> list[str | int]:
    """Lists in one cell: an index as 0,1; mistakes and their layers parted by semicolons."""
    return [_cell(value) for value in vars(row).values()]


def _cell(value: str | int | tuple[str, ...] | tuple[int, ...]) -> str | int:
    if isinstance(value, tuple):
        return (";" if value and isinstance(value[0], str) else ",").join(map(str, value))
    return value


def inert(cell: str | int) -> str | int:
    """Text that a spreadsheet would run as a formula gets an apostrophe in front; a number, negative too, stays."""
    if isinstance(cell, int) or not cell.startswith(("=", "+", "-", "@")) or NUMBER.fullmatch(cell):
        return cell
    return f"'{cell}"


# ---- JSON ----------------------------------------------------------------------------------


def _json(sheets: Sheets) -> bytes:
    """One object, a line for each answer, so that two keys can be compared line by line."""
    made = []
    for sheet in sheets:
        head = {name: value for name, value in sheet.items() if name not in ("answers", "files")}
        lines = ",\n".join(f"  {_line(answer)}" for answer in sheet["answers"])
        made.append(f'{_line(head)[:-1]}, "answers": [\n{lines}\n ]}}')
    body = ",\n ".join(made)
    return f'{{"sheets": [\n {body}\n]}}\n'.encode()


def _line(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


# ---- the workbook ----------------------------------------------------------------------------

TITLES = {
    "student_id": "id",
    "file": "sheet's file",
    "value": "value (exact)",
    "shown": "as asked for",
    "points": "points",
}
WIDTHS = {
    "name": 26,
    "student_id": 14,
    "file": 26,
    "problem": 32,
    "kind": 18,
    "quantity": 16,
    "value": 24,
    "shown": 14,
    "asked": 22,
    "tolerance": 14,
    "mistakes": 34,
    "feedback": 60,
    "number": 14,
}
AS_NUMBER = "number"  # a column beside the exact value: what a spreadsheet can calculate with


def workbook(sheets: Sheets, scratch: Path | None = None) -> bytes:
    """The key as XLSX: all answers, all mistakes, and a table of points with their sums."""
    import xlsxwriter

    memory = io.BytesIO()
    options: dict[str, Any] = {
        "constant_memory": True,  # rows go out one by one: a class of ten thousand needs no more room than one of ten
        "tmpdir": None if scratch is None else str(scratch),
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    book = xlsxwriter.Workbook(memory, options)
    book.set_properties({"title": "Answer key", "created": MADE})
    bold = book.add_format({"bold": True, "bottom": 1})
    _table(book, "Key", KEY, map(_cells, key_rows(sheets)), bold)
    _table(book, "Mistakes", MISTAKE, map(_cells, mistake_rows(sheets)), bold)
    _points(book, sheets, bold)
    book.close()
    return memory.getvalue()


def _table(book: Workbook, name: str, columns: Sequence[str], rows: Iterable[Cells], bold: Format) -> None:
    """Rows on a sheet, and on further ones where a spreadsheet takes no more."""
    places = {column: place + (place > columns.index("value")) for place, column in enumerate(columns)}
    places[AS_NUMBER] = places["value"] + 1
    page, row, number = _page(book, name, places, bold), 0, 1
    for cells in rows:
        row += 1
        if row == MAX_ROWS:
            number, row = number + 1, 1
            page = _page(book, f"{name} {number}", places, bold)
        for column, cell in zip(columns, cells, strict=True):
            _write(page, row, places[column], cell)
        value = _number(str(cells[columns.index("value")]))
        if value is not None:
            page.write_number(row, places[AS_NUMBER], value)


def _page(book: Workbook, name: str, places: dict[str, int], bold: Format) -> Worksheet:
    page = book.add_worksheet(name)
    page.freeze_panes(1, 0)
    for column, place in places.items():
        page.set_column(place, place, WIDTHS.get(column, 10))
    for column, place in sorted(places.items(), key=lambda each: each[1]):
        page.write_string(0, place, TITLES.get(column, column.replace("_", " ")), bold)
    return page


def _write(page: Worksheet, row: int, column: int, cell: str | int) -> None:
    """Text is text, whatever it begins with."""
    if isinstance(cell, int):
        page.write_number(row, column, cell)
    elif cell:
        page.write_string(row, column, cell[:32767])


def _number(text: str) -> float | None:
    """A decimal as a spreadsheet's number, where that has all the digits a spreadsheet has."""
    if not NUMBER.fullmatch(text):
        return None
    value = float(text)
    is_zero = not re.search("[1-9]", text.partition("e")[0])
    return value if is_zero or SMALLEST < abs(value) < LARGEST else None


def _points(book: Workbook, sheets: Sheets, bold: Format) -> None:
    """A line for each sheet with a cell for every answer's points, and their sum as a formula."""
    from xlsxwriter.utility import xl_rowcol_to_cell

    asked = _asked(sheets)
    page = book.add_worksheet("Points")
    page.freeze_panes(2, len(WHOSE))
    for column, title in enumerate((*WHOSE, *(f"{exercise}{item}" for exercise, item in asked), "sum")):
        page.set_column(column, column, WIDTHS.get(title, 8))
        page.write_string(0, column, title, bold)
    page.write_string(1, len(WHOSE) - 1, "at most", bold)
    for column, most in enumerate(asked.values(), len(WHOSE)):
        page.write_number(1, column, most, bold)
        limit = f"={xl_rowcol_to_cell(1, column, row_abs=True)}"
        page.data_validation(2, column, len(sheets) + 1, column, POINTS | {"maximum": limit})
    for row, sheet in enumerate(({}, *sheets), 1):
        if sheet:
            student = sheet["student"]
            for column, cell in enumerate((sheet["number"], sheet["variant"], student["id"], student["name"])):
                _write(page, row, column, cell)
        if asked:
            ends = (xl_rowcol_to_cell(row, len(WHOSE)), xl_rowcol_to_cell(row, len(WHOSE) + len(asked) - 1))
            total = 0 if sheet else sum(asked.values())
            page.write_formula(row, len(WHOSE) + len(asked), f"=SUM({':'.join(ends)})", bold, total)


WHOSE = ("sheet", "variant", "id", "name")
POINTS = {
    "validate": "decimal",
    "criteria": "between",
    "minimum": 0,
    "error_title": "Points",
    "error_message": "From 0 to what the answer is worth, which stands at the head of the column.",
}


def _asked(sheets: Sheets) -> dict[tuple[int, str], int]:
    """All answers that are asked for on any sheet, in order, and what they are worth."""
    found: dict[tuple[int, str], int] = {}
    for sheet in sheets:
        for answer in sheet["answers"]:
            found.setdefault((answer["exercise"], answer["item"]), answer["points"])
    return {each: found[each] for each in sorted(found, key=lambda each: (each[0], len(each[1]), each[1]))}
