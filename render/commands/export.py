"""`chainrule export`: exercises as questions for a learning platform, a file each."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from render.commands.common import bad, check_name, load_problem, say
from render.commands.files import check_folder, names_of

if TYPE_CHECKING:
    from render.exercises.model import Sheet
    from render.exercises.sheets import Sheets

MOST_VARIANTS = 10_000
FILES = (".xml", ".zip")  # how the name of a file ends, where --out names one


def export(
    problems: Annotated[
        list[str],
        typer.Argument(metavar="PROBLEM…", help="Problem files, - for standard input, or bundled names."),
    ],
    to: Annotated[
        list[str], typer.Option(metavar="PLATFORM,…", help="moodle,qti12,qti21; see `chainrule list exports`.")
    ],
    variants: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=MOST_VARIANTS,
            metavar="N",
            help="Questions with different numbers for each exercise, of which the platform draws one. "
            "Default: one, with the problem's own numbers.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 1, metavar="S", help="The same seed, the same bytes.")] = 1,
    out: Annotated[
        Path, typer.Option(metavar="FILE|DIR", help="The folder to write to, or for one platform the file.")
    ] = Path("output"),
    exercises: Annotated[
        str | None,
        typer.Option(
            metavar="KIND[:OF],…", help="Instead of the problem's own, such as gradient:w5,delta. See `list exercises`."
        ),
    ] = None,
    carry: Annotated[
        str | None, typer.Option(metavar="4sf|5dp", help="The digits to calculate with: they make the tolerance.")
    ] = None,
    points: Annotated[int | None, typer.Option(min=1, max=1000, metavar="N", help="What an exercise is worth.")] = None,
    notation: Annotated[
        str | None,
        typer.Option(metavar="NAME|FILE.toml", help="See `chainrule list notations`; or a file of your own."),
    ] = None,
) -> None:
    """Write exercises as questions for a learning platform: numbers with tolerance, feedback for known mistakes."""
    from render.exports import EXPORTS
    from render.formats import write_files

    names = _platforms(to)
    if notation is not None:
        from derive.notations.file import notation as notation_of

        notation_of(notation, place="--notation")
    if problems.count("-") > 1:
        bad("PROBLEM", "standard input can be read once only")
    single = _single(out, names)
    stated = tuple(load_problem(name) for name in problems)
    paths = _paths(names, out, single, stated[0].stem)

    from render.exercises.sheets import Options, Sheets

    chosen = Options(exercises, carry, None, points, notation, alone=True)
    sheets = Sheets(stated, seed, chosen, variants is not None)
    made = _made(sheets, variants or 1)
    write_files({path: EXPORTS[name].write(made, stated[0].stem) for name, path in paths.items()})
    print(*paths.values(), sep="\n")
    questions = sum(len(sheet.exercises) for sheet in made)
    say(f"{questions} exercise{'' if questions == 1 else 's'}, seed {seed}")


def _platforms(to: list[str]) -> tuple[str, ...]:
    """The names of exports, checked."""
    from render.exports import EXPORTS

    names = names_of(to)
    for name in names:
        check_name("--to", name, EXPORTS)
    if not names:
        bad("--to", f"names no platform; known: {', '.join(EXPORTS)}")
    return names


def _single(out: Path, names: tuple[str, ...]) -> bool:
    """Whether --out names one file and not a folder; its name has to end as such a file's does."""
    from render.exports import EXPORTS

    if out.suffix not in FILES or out.is_dir():
        return False
    if len(names) > 1:
        bad("--out", f"{out} is one file, and --to names {len(names)} platforms; a folder is expected")
    wanted = Path(EXPORTS[names[0]].suffix).suffix
    if out.suffix != wanted:
        bad("--out", f"{out}: {names[0]} is a file whose name ends in {wanted}")
    return True


def _paths(names: tuple[str, ...], out: Path, single: bool, stem: str) -> dict[str, Path]:
    """Where each export goes; refused where it cannot be written, before any work is done."""
    from render.exports import EXPORTS
    from render.formats import check_places

    check_folder(out.parent if single else out)
    paths = {name: out if single else out / f"{stem}{EXPORTS[name].suffix}" for name in names}
    check_places(paths.values())
    return paths


def _made(sheets: Sheets, count: int) -> list[Sheet]:
    """All sheets, after what cannot be asked has been said."""
    from render.commands.results import progress

    sheets.check(count)
    with progress("variants") as tell:
        made = []
        for number in range(1, count + 1):
            made.append(sheets.sheet(number))
            if tell is not None:
                tell(number, count)
    return made
