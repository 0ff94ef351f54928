"""Formats and folders: what the commands that write files check before they begin."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from render.commands.common import bad, check_name, say

if TYPE_CHECKING:
    from render.writer import Format


def names_of(to: list[str] | None) -> tuple[str, ...]:
    """The names in ``--to html,latex --to pdf``, each once."""
    return tuple(dict.fromkeys(name.strip() for part in to or () for name in part.split(",") if name.strip()))


def formats_of(to: list[str] | None, known: dict[str, Format]) -> tuple[str, ...]:
    """The formats to write: those asked for, else the usual ones; without those that lack something installed."""
    names = names_of(to)
    for name in names:
        check_name("--to", name, known)
    if to is not None and not names:
        bad("--to", f"names no format; known: {', '.join(known)}")
    return tuple(name for name in names or _usual(known) if not known[name].missing())


def _usual(known: dict[str, Format]) -> list[str]:
    """The formats that are written without being asked for."""
    return [name for name, row in known.items() if row.by_default]


def tell_missing(known: dict[str, Format], asked: tuple[str, ...]) -> None:
    """What was not written for want of something installed: an error only where it was asked for by name."""
    from derive.errors import MissingDependency

    missing = [
        f"{name} was not written: {known[name].missing()}" for name in asked or _usual(known) if known[name].missing()
    ]
    if missing and asked:
        raise MissingDependency("\n".join(missing))
    say(*missing)


def check_folder(out: Path, option: str = "--out") -> None:
    """Refuse a folder that cannot be written, before any work is done and without making anything."""
    there = next((folder for folder in (out, *out.absolute().parents) if folder.exists()), Path.cwd())
    if not there.is_dir():
        bad(option, f"{there} is a file; a folder is expected")
    if not os.access(there, os.W_OK | os.X_OK):
        bad(option, f"{there} cannot be written: permission denied")
