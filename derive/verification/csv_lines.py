"""The lines of a CSV file: a name and numbers in each, whatever separates them."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation

from derive.errors import ChainruleError, shown


class HandedError(ChainruleError):
    """What was handed over cannot be read: where, what was found, what is expected."""


def csv_rows(text: str, place: str) -> Iterator[tuple[int, str, list[str]]]:
    """(line, name, numbers) of every line but a header, comments and empty ones. Raises HandedError."""
    delimiter = _delimiter(text)
    rows = csv.reader(io.StringIO(text), delimiter=delimiter)
    first = True
    try:
        for row in rows:
            cells = [cell.strip() for cell in row]
            if not any(cells) or cells[0].startswith("#"):
                continue
            values = [cell for cell in cells[1:] if cell]
            header = first and values and not any(_begins_a_number(value) for value in values)
            first = False
            if header:
                continue
            if not cells[0] or not values:
                found = shown(delimiter.join(row))
                raise HandedError(f"{place}, line {rows.line_num}: found {found}; expected a name and a number")
            _check(values, delimiter, f"{place}, line {rows.line_num}")
            yield rows.line_num, cells[0], values
    except csv.Error as error:
        raise HandedError(f"{place}, line {rows.line_num}: not CSV: {error}") from None


def _delimiter(text: str) -> str:
    """What separates: a tab or a semicolon wherever one stands, for a comma may stand in numbers then."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    return next((each for each in "\t;" if lines and all(each in line for line in lines)), ",")


def _check(values: list[str], delimiter: str, place: str) -> None:
    """Raise HandedError for a number that is none."""
    for value in values:
        if not _is_number(value):
            comma = delimiter != "," and re.fullmatch(r"[-+−]?\d+,\d+", value)
            expected = "a decimal number" + (", with a point" if comma else "")
            raise HandedError(f"{place}: found {shown(value)}; expected {expected}")


def _begins_a_number(text: str) -> bool:
    return _is_number(text) or re.match(r"[-+−.]?\d", text) is not None


def _is_number(text: str) -> bool:
    try:
        Decimal(text.replace("\u2212", "-"))
    except InvalidOperation:
        return False
    return True
