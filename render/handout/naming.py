"""Names of files: a student's name as letters that every file system takes, each sheet with a name of its own."""

from __future__ import annotations

import re
from collections.abc import Sequence

from render.handout.roster import Student

MAX_NAME = 80  # bytes; endings such as _solutions.html and the stem of a problem still fit under 255
LEAST_DIGITS = 3

# What Windows takes for a device, whatever the ending.
RESERVED = frozenset(
    {"con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in "0123456789")}
)


def slug(text: str) -> str:
    """Text as small ASCII letters, digits and single ``_`` between them; "" where nothing of it is left.

    Other scripts are transliterated: "Łukasz" is lukasz, "王小明" is wangxiaoming.
    """
    from anyascii import anyascii

    return re.sub(r"[^a-z0-9]+", "_", anyascii(text).lower().replace("'", "")).strip("_")


def stem(text: str) -> str:
    """The same as a file's name of its own: never empty, never a device's, never too long."""
    made = slug(text)[:MAX_NAME].strip("_") or "sheet"
    return f"{made}_" if made in RESERVED else made


def sheet_names(count: int, students: Sequence[Student], problem: str) -> tuple[str, ...]:
    """The names of so many sheets, without ending: 001_lovelace_ada for students, mazur_001 where there are none.

    Sheets beyond the students are spare ones: 301_spare. The number makes every name unique, in small and capital
    letters alike, and depends on nothing but the student's place in the list.
    """
    digits = max(LEAST_DIGITS, len(str(count)))
    if not students:
        return tuple(f"{stem(problem)}_{number:0{digits}}" for number in range(1, count + 1))
    words = [_words(student) for student in students] + ["spare"] * (count - len(students))
    return tuple(f"{number:0{digits}}_{word}"[:MAX_NAME].strip("_") for number, word in enumerate(words[:count], 1))


def _words(student: Student) -> str:
    """Family name first where the list tells which it is; the id where no letter of the name can be written."""
    halves = f"{student.last} {student.first}" if student.last or student.first else ""
    return slug(halves) or slug(student.name) or slug(student.id) or "student"


def problem_names(stems: Sequence[str]) -> tuple[str, ...]:
    """What is added to a sheet's name for the files of its problems: "" for one, else _<stem>, each once."""
    if len(stems) == 1:
        return ("",)
    made: list[str] = []
    for each in map(stem, stems):
        twin = 2
        name = each
        while f"_{name}" in made:
            name, twin = f"{each}_{twin}", twin + 1
        made.append(f"_{name}")
    return tuple(made)
