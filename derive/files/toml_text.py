"""Tables of a problem as the text of a TOML file, numbers as they were written."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

WIDTH = 100
"""An array that is longer has a line for each of its rows."""


class Bare(str):
    """A number as text: it stands in a file without quotes."""

    __slots__ = ()


class Lines(str):
    """Text of several lines: it stands in a file as it would be typed."""

    __slots__ = ()


def toml(tables: Mapping[str, Any], comment: str = "") -> str:
    """The text of a problem file: plain keys first, then tables, then lists of tables in order."""
    lines = [f"# {line}" for line in comment.splitlines()]
    lines += [""] if lines else []
    for key, value in tables.items():
        if not _is_table(value) and not _is_tables(value):
            lines.append(f"{_key(key)} = {_value(value)}")
    for key, value in tables.items():
        if _is_tables(value):
            for row in value:
                lines += ["", f"[[{_key(key)}]]", *_rows(row)]
        elif _is_table(value):
            lines += ["", f"[{_key(key)}]", *_rows(value)]
    return "\n".join(lines) + "\n"


def _rows(table: Mapping[str, Any]) -> Iterator[str]:
    return (f"{_key(key)} = {_value(value)}" for key, value in table.items())


def _is_table(value: Any) -> bool:
    return isinstance(value, Mapping)


def _is_tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], Mapping)


def _key(key: str) -> str:
    return key if key.isascii() and key.replace("_", "").isalnum() else _text(key)


def _value(value: Any, indent: str = "") -> str:
    """A value on one line, or where that is too long a line for each row."""
    match value:
        case Bare():
            return str(value)
        case Lines():
            return _long_text(value)
        case bool():
            return "true" if value else "false"
        case str():
            return _text(value)
        case Mapping():
            return "{ " + ", ".join(f"{_key(key)} = {_value(each)}" for key, each in value.items()) + " }"
        case list() | tuple():
            whole = "[" + ", ".join(_value(each, indent) for each in value) + "]"
            if len(whole) + len(indent) <= WIDTH or not any(isinstance(each, list | tuple) for each in value):
                return whole
            inner = indent + "  "
            return "[\n" + "".join(f"{inner}{_value(each, inner)},\n" for each in value) + f"{indent}]"
    return str(value)


def _text(text: str) -> str:
    """A basic string: JSON's escapes are TOML's, but for the delete character."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _long_text(text: str) -> str:
    """A basic string over several lines; what has to be escaped is."""
    lines = (_text(line)[1:-1] for line in text.split("\n"))
    return '"""\n' + "\n".join(lines) + '"""'
