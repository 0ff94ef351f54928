"""`chainrule render`: the worked example as files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from render.commands.common import ProblemArgument, bad, check_name, check_published, load_problem, say
from render.commands.files import check_folder, formats_of, names_of, tell_missing
from render.commands.templates import TemplatesOption, templates_of

FLAVORS = ("github", "myst", "quarto")
SHOW = "all, representative, or names such as w5,w1"
ALWAYS_WHOLE = ("pdf", "slides", "beamer")  # formats of which there are no fragments


def render(
    problem: ProblemArgument = "mazur",
    to: Annotated[
        list[str] | None,
        typer.Option(metavar="FORMAT,…", help="See `chainrule list formats`. Default: html, latex, markdown, pdf."),
    ] = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="The folder to write to.")] = Path("output"),
    notation: Annotated[
        str | None,
        typer.Option(metavar="NAME|FILE.toml", help="See `chainrule list notations`; or a file of your own."),
    ] = None,
    detail: Annotated[
        str,
        typer.Option(
            metavar="brief|standard|full",
            help="Results only; every step with its numbers; or every algebraic step and each derivative's definition.",
        ),
    ] = "standard",
    show: Annotated[str, typer.Option(metavar="WHICH", help=f"Weights in full: {SHOW}.")] = "representative",
    decimals: Annotated[int, typer.Option(min=1, max=1000, help="Decimals of the numbers shown.")] = 9,
    flavor: Annotated[str | None, typer.Option(help=f"Of Markdown: {', '.join(FLAVORS)}. Default: github.")] = None,
    fragment: Annotated[bool, typer.Option("--fragment", help="Leave out the page around it.")] = False,
    templates: TemplatesOption = None,
) -> None:
    """Write the worked example: <stem>.html, <stem>.tex and more."""
    from derive.derivation import differentiate
    from render.formats import FORMATS, check_places, files, format_named, write_files
    from render.page import worked_example

    formats = formats_of(to, FORMATS)
    _check_contents(notation, detail, show)
    _check_flavor(flavor, formats)
    whole = _whole(formats) if fragment else []
    flavor = flavor or FLAVORS[0]
    own = templates_of(templates, {name: format_named(name, flavor) for name in formats})
    check_folder(out)
    stated = load_problem(problem)
    paths = {name: out / f"{stated.stem}{FORMATS[name].suffix}" for name in formats}
    check_places(paths.values())
    derivation = differentiate(stated)
    if derivation.has_numbers:
        derivation.floats(derivation.program.error)  # says so where it is not finite
    check_published(derivation)
    page = worked_example(derivation, notation=notation, detail=detail, show=show, decimals=decimals)
    contents: dict[Path, bytes] = {}
    for name, path in paths.items():
        contents |= files(page.document, name, path, fragment=fragment, templates=own, flavor=flavor)
    write_files(contents)
    print(*contents, sep="\n")
    say(*(f"--fragment: {name} is written as a whole page, as always" for name in whole))
    tell_missing(FORMATS, names_of(to))


def _check_contents(notation: str | None, detail: str, show: str) -> None:
    """Refuse an unknown choice of what the page shows."""
    from derive.notations.file import notation as notation_of
    from render.compose import DETAILS

    if notation is not None:
        notation_of(notation, place="--notation")
    check_name("--detail", detail, DETAILS)
    if not any(name.strip() for name in show.split(",")):
        bad("--show", f"names no weight; known: {SHOW}")


def _check_flavor(flavor: str | None, formats: tuple[str, ...]) -> None:
    """Refuse an unknown dialect of Markdown, and one that would go unused."""
    if flavor is None:
        return
    check_name("--flavor", flavor, FLAVORS)
    if "markdown" not in formats:
        bad("--flavor", "is for Markdown, which --to leaves out")


def _whole(formats: tuple[str, ...]) -> list[str]:
    """The formats that have no fragments; refused where no other is asked for."""
    whole = [name for name in formats if name in ALWAYS_WHOLE]
    if whole and len(whole) == len(formats):
        bad("--fragment", f"{whole[0]} is always a whole page; html, latex and markdown have fragments")
    return whole
