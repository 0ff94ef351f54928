"""How the commands print what they found: JSON that a person can read, tables, matrices, progress."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Context, Decimal, InvalidOperation
from typing import Any

Row = tuple[str, ...]
Progress = Callable[[int, int], None]

EDGE = 3  # so many rows and columns of a large matrix are shown at either end


def print_json(value: object) -> None:
    """One JSON object, indented, each innermost list on a line of its own."""
    print(_json(value, ""))


def _json(value: object, indent: str) -> str:
    inner = indent + "  "
    if isinstance(value, dict) and value:
        lines = (f"{inner}{json.dumps(key, ensure_ascii=False)}: {_json(each, inner)}" for key, each in value.items())
        return "{\n" + ",\n".join(lines) + f"\n{indent}}}"
    if isinstance(value, list | tuple) and any(isinstance(each, dict | list | tuple) for each in value):
        return "[\n" + ",\n".join(inner + _json(each, inner) for each in value) + f"\n{indent}]"
    return json.dumps(value, ensure_ascii=False)


def print_table(header: Row, rows: Iterable[Row], *, numeric: bool = True) -> None:
    """A table with its columns aligned; on a terminal it is coloured and folded to the width.

    ``numeric`` sets every column but the first flush at the decimal point.
    """
    columns = list(zip(*rows, strict=True)) or [() for _ in header]
    if numeric:
        columns[1:] = [at_the_point(column) for column in columns[1:]]
    if sys.stdout.isatty():
        _print_drawn(header, zip(*columns, strict=True))
    else:
        titled = [(title, *column) if any(header) else column for title, column in zip(header, columns, strict=True)]
        _print_plain(zip(*titled, strict=True))


def _print_drawn(header: Row, rows: Iterable[Row]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=any(header), pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for title in header:
        table.add_column(Text(title), overflow="fold")
    for first, *others in rows:
        table.add_row(Text(first, style="cyan"), *map(Text, others))  # Text: nothing in it is markup
    Console().print(table)


def _print_plain(rows: Iterable[Row], indent: str = "") -> None:
    lines = list(rows)
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for row in lines:
        print((indent + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))).rstrip())


def at_the_point(column: Sequence[str]) -> Row:
    """The numbers of a column, padded so that their decimal points stand one under the other; formulas as they are."""
    before = [0 if _is_formula(cell) else len(cell.partition("e")[0].partition(".")[0]) for cell in column]
    widest = max(before, default=0)
    return tuple(" " * (widest - length) * (length > 0) + cell for cell, length in zip(column, before, strict=True))


def _is_formula(cell: str) -> bool:
    """Whether a cell is neither a number nor a sign that stands for some."""
    try:
        Decimal(cell)
    except InvalidOperation:
        return len(cell) > 1
    return False


def print_arrays(arrays: dict[str, Any], digits: int, prefix: str = "") -> None:
    """Arrays as matrices, one under the other; of a large one the corners. A vector is written as a row.

    An array of more axes is written as its matrices, name[0], name[1], ….
    """
    for name, array in matrices(arrays):
        rows = [[array]] if isinstance(array, str) else [array] if isinstance(array[0], str) else array
        size = "" if isinstance(array, str) else f"  ({' × '.join(map(str, _shape(array)))})"
        print(f"{prefix}{name}{size}")
        cells = [_ends([rounded(cell, digits) for cell in row], "…") for row in rows]
        cells = _ends(cells, ["⋮"] * len(cells[0]))
        _print_plain(zip(*(at_the_point(column) for column in zip(*cells, strict=True)), strict=True), "  ")


def matrices(arrays: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The arrays of at most two axes, and the matrices that those of more are made of."""
    for name, array in arrays.items():
        if isinstance(array, str) or isinstance(array[0], str) or isinstance(array[0][0], str):
            yield name, array
        else:
            yield from matrices({f"{name}[{row}]": each for row, each in enumerate(array)})


def _shape(array: Sequence[Any]) -> tuple[int, ...]:
    return (len(array),) if isinstance(array[0], str) else (len(array), len(array[0]))


def _ends(items: list[Any], dots: Any) -> list[Any]:
    return items if len(items) <= 2 * EDGE + 1 else [*items[:EDGE], dots, *items[-EDGE:]]


def rounded(number: str, digits: int) -> str:
    """A decimal string with at most so many significant digits; a formula as it is."""
    try:
        return f"{Decimal(number).normalize(Context(prec=digits)):{'e' if 'e' in number else 'f'}}"
    except InvalidOperation:
        return number


@contextmanager
def progress(label: str) -> Iterator[Progress | None]:
    """A bar on standard error that is told (done, total); None where nobody looks at a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress as Bar

    with Bar(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label)
        yield lambda done, total: bar.update(task, completed=done, total=total)
