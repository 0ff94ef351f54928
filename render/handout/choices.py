"""What a handout was made from, as its manifest tells it: files by name and contents, never by where they lie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from derive.problem import Problem
from render.handout.roster import Student
from render.handout.storing import digest, digest_of_folder

Told = dict[str, str]


def problem_told(problem: Problem) -> Told:
    """A problem, whatever its file is called and however it is laid out."""
    return _told(problem.stem, repr(replace(problem, source="")).encode())


def roster_told(path: Path, students: Sequence[Student]) -> Told:
    """A class list: its students, whatever delimiter they are written with."""
    return _told(path.name, repr(tuple(students)).encode())


def file_told(path: Path | str | None) -> Told | str | None:
    """A file, or the name of something that comes with the program."""
    if path is None or (isinstance(path, str) and not Path(path).is_file()):
        return path if isinstance(path, str) else None
    return _told(Path(path).name, Path(path).read_bytes())


def folder_told(path: Path | None) -> Told | None:
    """A folder and all files in it."""
    return None if path is None else {"name": path.name, "sha256": digest_of_folder(path)}


def _told(name: str, data: bytes) -> Told:
    return {"name": name, "sha256": digest(data)}
