"""`chainrule render`: the worked example as files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from render.commands.common import ProblemArgument, bad, check_name, load_problem, say

if TYPE_CHECKING:
    from render.writer import Format

FLAVORS = ("github", "myst", "quarto")


def render(
    problem: ProblemArgument = "mazur",
    to: Annotated[
        list[str] | None, typer.Option(metavar="FORMAT,…", help="Formats; see `chainrule list formats`. Default: all.")
    ] = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="The folder to write to.")] = Path("output"),
    notation: Annotated[
        str | None,
        typer.Option(metavar="NAME|FILE.toml", help="See `chainrule list notations`; or a file of your own."),
    ] = None,
    detail: Annotated[str, typer.Option(help="How much is explained.")] = "standard",
    show: Annotated[
        str, typer.Option(metavar="WHICH", help="Weights in full: all, representative, or names such as w5,w1.")
    ] = "representative",
    decimals: Annotated[int, typer.Option(min=1, max=1000, help="Decimals of the numbers shown.")] = 9,
    flavor: Annotated[str, typer.Option(help=f"Of Markdown: {', '.join(FLAVORS)}.")] = "github",
    fragment: Annotated[bool, typer.Option("--fragment", help="Leave out the page around it.")] = False,
    templates: Annotated[Path | None, typer.Option(metavar="DIR", help="A folder of templates of your own.")] = None,
) -> None:
    """Write the worked example: <stem>.html, <stem>.tex and more."""
    from derive.derivation import differentiate
    from derive.notations.file import notation as notation_of
    from render.compose import DETAILS
    from render.formats import FORMATS, write
    from render.page import worked_example

    formats = _formats(to, FORMATS)
    check_name("--flavor", flavor, FLAVORS)
    check_name("--detail", detail, DETAILS)
    if notation is not None:
        notation_of(notation, place="--notation")
    if templates is not None and not templates.is_dir():
        bad("--templates", f"{templates} is no folder")
    _check_folder(out)
    stated = load_problem(problem)
    page = worked_example(differentiate(stated), notation=notation, detail=detail, show=show, decimals=decimals)
    for name in formats:
        path = out / f"{stated.stem}{FORMATS[name].suffix}"
        for written in write(page.document, name, path, fragment=fragment, templates=templates, flavor=flavor):
            print(written)
    _tell_missing(FORMATS, _names(to))


def _names(to: list[str] | None) -> tuple[str, ...]:
    """The names in ``--to html,latex --to pdf``, each once."""
    return tuple(dict.fromkeys(name.strip() for part in to or () for name in part.split(",") if name.strip()))


def _formats(to: list[str] | None, known: dict[str, Format]) -> tuple[str, ...]:
    """The formats to write: those asked for, else all; without those that lack something installed."""
    names = _names(to)
    for name in names:
        check_name("--to", name, known)
    if to is not None and not names:
        bad("--to", f"names no format; known: {', '.join(known)}")
    return tuple(name for name in names or known if not known[name].missing())


def _tell_missing(known: dict[str, Format], asked: tuple[str, ...]) -> None:
    """What was not written for want of something installed: an error only where it was asked for by name."""
    from derive.errors import MissingDependency

    missing = [f"{name} was not written: {known[name].missing()}" for name in asked or known if known[name].missing()]
    if missing and asked:
        raise MissingDependency("\n".join(missing))
    say(*missing)


def _check_folder(out: Path) -> None:
    """Refuse a folder that cannot be written, before any work is done and without making anything."""
    there = next((folder for folder in (out, *out.absolute().parents) if folder.exists()), Path.cwd())
    if not there.is_dir():
        bad("--out", f"{there} is a file; a folder is expected")
    if not os.access(there, os.W_OK | os.X_OK):
        bad("--out", f"{there} cannot be written: permission denied")
