"""A class list as lecturers have them: any usual delimiter, encoding and order of columns; read rightly or refused."""

from __future__ import annotations

import codecs
import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from derive.errors import Fault, ProblemError, shown
from render.handout.roster_columns import (
    KNOWN,
    columns_by_content,
    is_header,
    looks_like_a_header,
    named_columns,
    role,
)

DELIMITERS = "\t;|,"  # the rarer a sign is in names, the more it says when every line has it
MAX_BYTES = 16 * 2**20
LONGEST = {"name": 200, "first": 200, "last": 200, "id": 64, "email": 254, "group": 200}
MARKS = (  # byte order marks; that of UTF-32 begins like that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Signs that change in which direction everything after them is read; letters of such scripts need none of them.
OVERRIDES = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@dataclass(frozen=True)
class Student:
    """One line of a class list: ``number`` counts from 1; ``name`` is as it is printed.

    ``first`` and ``last`` are "" where the list has whole names only; so is whatever else it does not have.
    """

    number: int
    name: str
    id: str = ""
    first: str = ""
    last: str = ""
    email: str = ""
    group: str = ""


@dataclass(frozen=True)
class _Row:
    """A line of the list that is not empty: where it begins, its cells but for empty ones at its end, and how many."""

    line: int
    cells: tuple[str, ...]
    fields: int


def read_roster(path: Path | str) -> tuple[Student, ...]:
    """The students of a class list, in its order. Raises `ProblemError` with every line that is not right."""
    try:
        with Path(path).open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ProblemError(f"cannot be read: {error.strerror or error}", str(path)) from None
    return roster(data, str(path))


def roster(data: bytes, source: str = "roster") -> tuple[Student, ...]:
    """The students of a class list that is given as bytes."""
    if len(data) > MAX_BYTES:
        raise ProblemError(f"is larger than {MAX_BYTES // 2**20} MiB; a class list is expected", source)
    rows = _rows(_decoded(data, source), source)
    if not rows:
        raise ProblemError("has no rows", source)
    if is_header(rows[0].cells):
        columns, width, students = _named(rows[0], source), len(rows[0].cells), rows[1:]
    else:
        width = max(len(row.cells) for row in rows)
        columns, students = {}, rows
    if not students:
        raise ProblemError([Fault(f"line {rows[0].line}", "is a header, and no row follows it")], source)
    if faults := [fault for row in students for fault in _width_faults(row, width)]:
        raise ProblemError(faults, source)
    return _students(students, columns or _unnamed(students, source), source)


# ---- from bytes to text ----------------------------------------------------------------------


def _decoded(data: bytes, source: str) -> str:
    """The text: UTF-8, or what a byte order mark says."""
    if data.startswith(b"PK\x03\x04"):
        raise ProblemError("is a workbook or another archive; save the list as CSV (UTF-8)", source)
    encoding = next((name for mark, name in MARKS if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        wanted = "UTF-8" if encoding.startswith("utf-8") else encoding.upper()
        raise ProblemError(
            f"line {line}: byte 0x{data[error.start]:02X} at position {error.start} is not {wanted}; save it as UTF-8",
            source,
        ) from None
    if encoding == "utf-8" and text.count("\0") * 4 > len(text):
        raise ProblemError("looks like UTF-16 without a byte order mark; save it as UTF-8", source)
    return text


# ---- from text to rows -----------------------------------------------------------------------


def _rows(text: str, source: str) -> list[_Row]:
    """The lines that are not empty, split at the delimiter that the list is written with."""
    skipped = 0
    if stated := re.match(r'"?sep=([\t;|,])"?[ \t]*(?:\r\n|\n|\r)', text, re.IGNORECASE):  # as Excel writes it
        text, skipped = text[stated.end() :], 1
        return _parsed(text, stated[1], source, skipped)
    return _parsed(text, _delimiter(text), source, skipped)


def _delimiter(text: str) -> str:
    """The delimiter by which most of the header's names are known, else one that every line has as often."""
    found: list[tuple[int, bool, int, str]] = []
    for order, delimiter in enumerate(DELIMITERS):
        try:
            rows = _parsed(text, delimiter, "", 0)
        except ProblemError:
            continue
        if rows:
            found.append((_names_known(rows), _is_even(rows), -order, delimiter))
    known, even, _, delimiter = max(found, default=(0, False, 0, ","))
    if known or even:
        return delimiter
    return max(reversed(DELIMITERS), key=text.count)


def _names_known(rows: Sequence[_Row]) -> int:
    """How many columns have a name that is known; one column alone only where nothing else could be a delimiter."""
    header = rows[0].cells
    if not is_header(header) or (len(header) == 1 and (set(header[0]) & set(DELIMITERS) or not _is_even(rows, 1))):
        return 0
    return sum(bool(role(cell)) for cell in header)


def _is_even(rows: Sequence[_Row], least: int = 2) -> bool:
    widths = {len(row.cells) for row in rows}
    return len(widths) == 1 and min(widths) >= least


def _parsed(text: str, delimiter: str, source: str, skipped: int) -> list[_Row]:
    """All rows but the empty ones. Raises `ProblemError` for a quote that is not closed, or that closes too early."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True, skipinitialspace=True)
    rows: list[_Row] = []
    line = 0
    while True:
        line = reader.line_num + skipped + 1
        try:
            cells = next(reader)
        except StopIteration:
            return rows
        except csv.Error as error:
            raise ProblemError([Fault(f"line {line}", _said(str(error), delimiter))], source) from None
        if any(cell.strip() for cell in cells):
            rows.append(_Row(line, _without_empty_end(cells), len(cells)))


def _said(message: str, delimiter: str) -> str:
    """What the csv module found, in words for who wrote the list."""
    if "unexpected end of data" in message:
        return 'a quote (") is opened and never closed'
    if "expected after" in message:
        return f'a quote (") is closed and no {shown(delimiter)} follows; a quote inside a field is written twice ("")'
    if "field larger than" in message:
        return 'a field is longer than 100,000 characters; is a quote (") opened and not closed?'
    return message


def _without_empty_end(cells: Sequence[str]) -> tuple[str, ...]:
    """Cells of a row; spreadsheets add empty ones at its end."""
    kept = len(cells)
    while kept > 1 and not cells[kept - 1].strip():
        kept -= 1
    return tuple(cells[:kept])


# ---- from rows to students -------------------------------------------------------------------


def _named(header: _Row, source: str) -> dict[str, int]:
    try:
        return named_columns(header.cells)
    except ValueError as error:
        raise ProblemError([Fault(f"line {header.line}", str(error))], source) from None


def _unnamed(rows: list[_Row], source: str) -> dict[str, int]:
    """The columns of a list without a header; one that we would take for a student is refused."""
    width = max(len(row.cells) for row in rows)
    cells = [_padded(row, width) for row in rows]
    first = f"line {rows[0].line}"
    hint = f"begin the list with a line such as name{',' if width > 1 else ''}{'id' if width > 1 else ''}"
    if len(rows) > 1 and looks_like_a_header(cells[0], cells[1:]):
        raise ProblemError([Fault(first, f"looks like a header, and none of its names is known: {KNOWN}")], source)
    try:
        return columns_by_content(cells)
    except ValueError as error:
        raise ProblemError([Fault(first, f"there is no header, and {error}; {hint}")], source) from None


def _padded(row: _Row, width: int) -> tuple[str, ...]:
    return row.cells + ("",) * (width - len(row.cells))


def _width_faults(row: _Row, width: int) -> Iterator[Fault]:
    """Empty fields too many are a spreadsheet's; anything else is a delimiter too many or too few."""
    if len(row.cells) > width or row.fields < width:
        found = max(len(row.cells), min(row.fields, width))
        yield Fault(f"line {row.line}", f"has {found} field{'s' * (found != 1)}, and {width} are expected")


def _students(rows: list[_Row], columns: dict[str, int], source: str) -> tuple[Student, ...]:
    faults: list[Fault] = []
    students: list[Student] = []
    seen: dict[str, int] = {}
    width = max(columns.values()) + 1
    for number, row in enumerate(rows, 1):
        cells = _padded(row, width)
        fields = {which: _clean(cells[column]) for which, column in columns.items()}
        wrong = [*_field_faults(fields), *_repeated(fields.get("id", ""), row.line, seen)]
        faults += [Fault(f"line {row.line}", message) for message in wrong]
        students.append(_student(number, fields))
    if faults:
        raise ProblemError(faults, source)
    return tuple(students)


def _clean(cell: str) -> str:
    """A cell without blanks around it, its accents composed; a BOM that was copied along is none of its text."""
    return unicodedata.normalize("NFC", cell.replace("\ufeff", "").strip())


def _student(number: int, fields: dict[str, str]) -> Student:
    name = fields.get("name") or " ".join(part for part in (fields.get("first"), fields.get("last")) if part)
    return Student(number, **(fields | {"name": name}))


def _field_faults(fields: dict[str, str]) -> Iterator[str]:
    if not any(fields.get(which) for which in ("name", "first", "last")):
        yield "has no name"
    for which, text in fields.items():
        if len(text) > LONGEST[which]:
            yield f"the {_WORDS[which]} has {len(text)} characters; {LONGEST[which]} are the most"
        if bad := next((each for each in text if is_forbidden(each)), ""):
            yield f"the {_WORDS[which]} has a character that no name has: {_code(bad)} in {shown(text)}"


_WORDS = {"name": "name", "first": "first name", "last": "last name", "id": "id", "email": "email", "group": "group"}


def _repeated(identifier: str, line: int, seen: dict[str, int]) -> Iterator[str]:
    """The same id twice is the same student twice, or a slip."""
    if not identifier:
        return
    if (before := seen.setdefault(identifier.casefold(), line)) != line:
        yield f"the id {shown(identifier)} is that of line {before} already"


def is_forbidden(each: str) -> bool:
    """What no line of text has: controls, lost ones (U+FFFD), non-characters, signs that turn its direction."""
    code = ord(each)
    return (
        unicodedata.category(each) in {"Cc", "Cs", "Co", "Zl", "Zp"}
        or each in OVERRIDES
        or each == "\ufffd"
        or code & 0xFFFE == 0xFFFE
        or 0xFDD0 <= code <= 0xFDEF
    )


def _code(each: str) -> str:
    return f"U+{ord(each):04X}" + (" (lost when the list was saved in another encoding)" if each == "\ufffd" else "")
