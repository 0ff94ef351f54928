"""``--templates``: a folder of somebody's own templates and theme, or a bundled theme by its name."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated

import typer

from derive.errors import closest, unknown
from render.commands.common import bad

if TYPE_CHECKING:
    from render.markup import Format

TemplatesOption = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR|THEME", help="A folder of templates of your own, with a theme.toml or without; or a bundled theme."
    ),
]


def templates_of(templates: Path | None, chosen: dict[str, Format]) -> Path | None:
    """The folder that the option means: one that is there, else a bundled theme's; None without the option.

    Refused: a folder that is none, one in which a template would never be looked for, a faulty theme.
    """
    if templates is None:
        return None
    from render.theme_file import NAME, bundled, folder_of, theme_of

    own = folder_of(templates)
    if not own.is_dir():
        near = closest(str(templates), bundled())
        hint = f'; did you mean "{near}"?' if near else ""
        bad("--templates", f"{own} is no folder and no bundled theme; bundled: {', '.join(bundled())}{hint}")
    theme_of(own)
    _check_templates(own, chosen, (own / NAME).is_file())
    return own


def _check_templates(own: Path, chosen: dict[str, Format], has_theme: bool) -> None:
    """Refuse a folder in which a template would never be looked for; a theme alone serves all formats but Markdown."""
    from render.formats import FLAVORS, FORMATS

    known = _with_parents(row.folder for row in (*FORMATS.values(), *FLAVORS.values()))
    folders = sorted({path.parent for pattern in ("*.j2", "*/*.j2", "*/*/*.j2") for path in own.glob(pattern)})
    if not folders and not has_theme:
        bad("--templates", f"{own} holds no templates; one is called FORMAT/BLOCK.j2, such as html/note.j2")
    for folder in folders:
        name = folder.relative_to(own).as_posix()
        if name not in known:
            bad("--templates", f"{folder}: no format has a folder of this name: {unknown(name, sorted(known - {'.'}))}")
    if has_theme and any(name != "markdown" for name in chosen):
        return
    if not _with_parents(row.folder for row in chosen.values()) & {f.relative_to(own).as_posix() for f in folders}:
        bad("--templates", f"{own} holds no template for {', '.join(chosen)}; found {', '.join(map(str, folders))}")


def _with_parents(folders: Iterable[str]) -> set[str]:
    """The folders and those that they lie in: markdown/myst, markdown and "."."""
    return {str(place) for folder in folders for place in (PurePosixPath(folder), *PurePosixPath(folder).parents)}
