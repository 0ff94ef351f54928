"""Formats and folders: what the commands that write files check before they begin."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from render.commands.common import bad, check_name, say

if TYPE_CHECKING:
    from render.writer import Format


def names_of(to: list[str] | None) -> tuple[str, ...]:
    """The names in ``--to html,latex --to pdf``, each once."""
    return tuple(dict.fromkeys(name.strip() for part in to or () for name in part.split(",") if name.strip()))


def formats_of(to: list[str] | None, known: dict[str, Format]) -> tuple[str, ...]:
    """The formats to write: those asked for, else all; without those that lack something installed."""
    names = names_of(to)
    for name in names:
        check_name("--to", name, known)
    if to is not None and not names:
        bad("--to", f"names no format; known: {', '.join(known)}")
    return tuple(name for name in names or known if not known[name].missing())


def tell_missing(known: dict[str, Format], asked: tuple[str, ...]) -> None:
    """What was not written for want of something installed: an error only where it was asked for by name."""
    from derive.errors import MissingDependency

    missing = [f"{name} was not written: {known[name].missing()}" for name in asked or known if known[name].missing()]
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


def check_templates(own: Path, chosen: dict[str, Format]) -> None:
    """Refuse a folder of templates that is none, or in which a template would never be looked for."""
    from derive.errors import unknown
    from render.formats import FLAVORS, FORMATS

    if not own.is_dir():
        bad("--templates", f"{own} is no folder")
    known = _with_parents(row.folder for row in (*FORMATS.values(), *FLAVORS.values()))
    folders = sorted({path.parent for pattern in ("*.j2", "*/*.j2", "*/*/*.j2") for path in own.glob(pattern)})
    if not folders:
        bad("--templates", f"{own} holds no templates; one is called FORMAT/BLOCK.j2, such as html/note.j2")
    for folder in folders:
        name = folder.relative_to(own).as_posix()
        if name not in known:
            bad("--templates", f"{folder}: no format has a folder of this name: {unknown(name, sorted(known - {'.'}))}")
    if not _with_parents(row.folder for row in chosen.values()) & {f.relative_to(own).as_posix() for f in folders}:
        bad("--templates", f"{own} holds no template for {', '.join(chosen)}; found {', '.join(map(str, folders))}")


def _with_parents(folders: Iterable[str]) -> set[str]:
    """The folders and those that they lie in: markdown/myst, markdown and "."."""
    return {str(place) for folder in folders for place in (PurePosixPath(folder), *PurePosixPath(folder).parents)}
