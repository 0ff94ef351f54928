"""A notation of one's own: a small TOML table, checked whole and never evaluated."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from importlib import resources
from pathlib import Path
from typing import Any

from derive import tex_names
from derive.errors import Fault, ProblemError, shown, unknown
from derive.formula import Name
from derive.notations.row import ARRAY_FIELDS, ELEMENT_FIELDS, FIELD, Example, Marks, Notation
from derive.notations.rows import NOTATIONS

LONGEST = 40
STYLES = ("italic", "roman", "bold", "code")
ACCENTS = ("", *tex_names.ACCENTS)
PLACES = ("sup", "sub", "at")
VECTORS = ("columns", "rows")

_NAME_KEYS = ("base", "sub", "sup", "style", "accent")


def notation(name: str, folder: str | os.PathLike[str] = "", place: str = "notation") -> Notation:
    """The notation of a name: a row of `NOTATIONS`, or a file (``ours.toml``, looked for in ``folder``).

    ``place`` is where the name was given. Raises ProblemError: an unknown name with the nearest, or every fault of
    the file with its place.
    """
    if name in NOTATIONS:
        return NOTATIONS[name]
    if not is_file_name(name):
        raise ProblemError(f"{unknown(name, NOTATIONS)}; a file of your own ends in .toml", place)
    return read(Path(folder) / name)


def beside(name: str, source: str) -> str:
    """A notation's name as a problem keeps it: that of a file with its folder, which is the problem file's.

    ``source`` is the problem file. Raises ProblemError where the notation's file is not there or has faults.
    """
    if not is_file_name(name):
        return name
    path = Path(source).parent / name
    read(path)
    return str(path)


def is_file_name(name: str) -> bool:
    """Whether a notation's name is that of a file."""
    return name.lower().endswith(".toml")


def template() -> str:
    """A commented notation to start from."""
    return (resources.files("derive") / "notations" / "template.toml").read_text(encoding="utf-8")


def read(path: str | os.PathLike[str]) -> Notation:
    """The notation that a TOML file states. Raises ProblemError with every fault and its place."""
    source = str(path)
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ProblemError(f"is not UTF-8 text (at byte {error.start}); a notation is expected", source) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ProblemError(f"cannot be read: {reason}; a notation is expected", source) from None
    return parse(text, source, Path(path).stem)


def parse(text: str, source: str = "notation", stem: str = "own") -> Notation:
    """The notation that TOML text states; ``stem`` is its name where the text gives none."""
    try:
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ProblemError(f"is not TOML: {error}", source) from None
    reader = _Reader()
    found = reader.notation(table, stem)
    if reader.faults:
        raise ProblemError(reader.faults, source)
    return found


@dataclass
class _Reader:
    """Reads tables and collects what is wrong with them."""

    faults: list[Fault] = field(default_factory=list)

    def fault(self, place: str, message: str) -> None:
        self.faults.append(Fault(place, message))

    def notation(self, table: Mapping[str, Any], stem: str) -> Notation:
        self.keys(table, tuple(self._readers()), "")
        start = NOTATIONS[self.word(table.get("start", "mazur"), NOTATIONS, "start")]
        begun = replace(start, name=stem, summary=f"{stem}, which starts from {start.name}")
        changes: dict[str, Any] = {}
        for key, read_value in self._readers().items():
            if key in table and key != "start":
                changes |= read_value(table[key], begun)
        return replace(begun, **changes)

    def _readers(self) -> dict[str, Callable[[Any, Notation], dict[str, Any]]]:
        """What each key changes."""
        return {
            "start": lambda value, start: {},
            "name": lambda value, start: {"name": self.text(value, "name", ())},
            "summary": lambda value, start: {"summary": self.text(value, "summary", (), longest=200)},
            "vectors": lambda value, start: {"rows": self.word(value, VECTORS, "vectors") == "rows"},
            "gradient": lambda value, start: {"gradient": self.text(value, "gradient", ())},
            "learning_rate": lambda value, start: {"learning_rate": self.name(value, "learning_rate", ())},
            "ones": lambda value, start: {"ones": self.name(value, "ones", ())},
            "example": lambda value, start: {"example": self.example(value, start.example)},
            "marks": lambda value, start: {"marks": self.marks(value, start.marks)},
            "elements": lambda value, start: {
                "elements": start.elements | self.roles(value, ELEMENT_FIELDS, "elements")
            },
            "arrays": lambda value, start: {"arrays": start.arrays | self.roles(value, ARRAY_FIELDS, "arrays")},
            "batch": lambda value, start: {"batch": start.batch | self.roles(value, ARRAY_FIELDS, "batch")},
        }

    def roles(self, table: Any, known: Mapping[str, tuple[str, ...]], place: str) -> dict[str, Name]:
        if not self.is_table(table, place):
            return {}
        self.keys(table, known, place)
        return {
            role: self.name(value, f"{place}.{role}", known[role]) for role, value in table.items() if role in known
        }

    def name(self, value: Any, place: str, fields: tuple[str, ...]) -> Name:
        """A name: text, which is its base, or a table."""
        if isinstance(value, str):
            value = {"base": value}
        if not self.is_table(value, place, "text or a table with base, sub, sup, style and accent"):
            return Name("x")
        self.keys(value, _NAME_KEYS, place)
        if not value.get("base"):
            self.fault(f"{place}.base", "is missing")
        base, sub, sup = (self.text(value.get(key, ""), f"{place}.{key}", fields) for key in _NAME_KEYS[:3])
        style = self.word(value.get("style", "italic"), STYLES, f"{place}.style")
        accent = self.word(value.get("accent", ""), ACCENTS, f"{place}.accent")
        return Name(base, sub, sup, style, accent)

    def example(self, table: Any, start: Example) -> Example:
        if not self.is_table(table, "example"):
            return start
        self.keys(table, ("mark", "place", "first", "joint"), "example")
        first = table.get("first", start.first)
        if not isinstance(first, bool):
            self.fault("example.first", f"found {shown(first)}; true or false is expected")
        return Example(
            self.text(table.get("mark", start.mark), "example.mark", ("n",)),
            self.word(table.get("place", start.place), PLACES, "example.place"),
            bool(first),
            self.text(table.get("joint", start.joint), "example.joint", ()),
        )

    def marks(self, table: Any, start: Marks) -> Marks:
        if not self.is_table(table, "marks"):
            return start
        self.keys(table, ("layer", "time", "place", "between"), "marks")
        return Marks(
            self.text(table.get("layer", start.layer), "marks.layer", ("layer", "level")),
            self.text(table.get("time", start.time), "marks.time", ("t",)),
            self.word(table.get("place", start.place), ("sup", "base"), "marks.place"),
            self.text(table.get("between", start.between), "marks.between", ()),
        )

    # ---- values ----------------------------------------------------------------------------

    def keys(self, table: Mapping[str, Any], known: Iterable[str], place: str) -> None:
        for key in table:
            if key not in known:
                self.fault(
                    ".".join(filter(None, (place, key if key.isidentifier() else shown(key)))),
                    unknown(key, known, "unknown key"),
                )

    def is_table(self, value: Any, place: str, expected: str = "a table") -> bool:
        if not isinstance(value, dict):
            self.fault(place, f"found {shown(value)}; {expected} is expected")
        return isinstance(value, dict)

    def word(self, value: Any, known: Iterable[str], place: str) -> str:
        words = tuple(known)
        if isinstance(value, str) and value in words:
            return value
        self.fault(
            place, unknown(value, words) if isinstance(value, str) else f"found {shown(value)}; text is expected"
        )
        return words[0]

    def text(self, value: Any, place: str, fields: tuple[str, ...], *, longest: int = LONGEST) -> str:
        """Text of printable characters whose braces hold known fields."""
        if not isinstance(value, str):
            self.fault(place, f"found {shown(value)}; text is expected")
            return ""
        if not value.isprintable() or len(value) > longest:
            self.fault(place, f"found {shown(value)}; at most {longest} printable characters are expected")
            return ""
        for name in dict.fromkeys(FIELD.findall(value)):
            if name not in fields:
                self.fault(place, unknown(f"{{{name}}}", [f"{{{each}}}" for each in fields], "unknown field"))
        if any(brace in FIELD.sub("", value) for brace in "{}"):
            self.fault(place, f"found {shown(value)}; a brace that holds no field")
        return value
