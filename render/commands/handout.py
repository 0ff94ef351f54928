"""`chainrule handout`: from problems to a class's sheets, solutions, key and marking scheme."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from render.commands.common import say
from render.commands.files import names_of, tell_missing
from render.commands.handout_plan import Choices, known_formats, planned
from render.commands.templates import TemplatesOption

if TYPE_CHECKING:
    from render.handout.run import Done, Handout

MOST_VARIANTS = 100_000
SOME_FAILED, INTERRUPTED = 1, 130  # exit statuses


def handout(
    problems: Annotated[
        list[str],
        typer.Argument(metavar="PROBLEM…", help="Problem files, - for standard input, or bundled names: a part each."),
    ],
    variants: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=MOST_VARIANTS,
            metavar="N",
            help="Sheets with different numbers. Default: one for each student; without --roster one sheet with the "
            "problem's own numbers.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 1, metavar="S", help="The same seed, the same bytes.")] = 1,
    roster: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The class list, CSV: columns such as name, first name, last name, id."),
    ] = None,
    to: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FORMAT,…",
            help="html,latex,markdown,pdf: for each student; slides,beamer,notebook: once. Default: pdf.",
        ),
    ] = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="The folder to write to.")] = Path("output"),
    exercises: Annotated[
        str | None,
        typer.Option(
            metavar="KIND[:OF],…", help="Instead of the problem's own, such as gradient:w5,delta. See `list exercises`."
        ),
    ] = None,
    solutions: Annotated[
        str, typer.Option(metavar="none|separate|only", help="Solutions beside the sheets, or without them.")
    ] = "separate",
    blanks: Annotated[
        str | None,
        typer.Option(metavar="none|results|factors|all|0..1", help="How much of the way is left to the student."),
    ] = None,
    carry: Annotated[
        str | None, typer.Option(metavar="4sf|5dp", help="The digits to calculate with: they make the tolerance.")
    ] = None,
    points: Annotated[
        int | None, typer.Option(min=0, max=1000, metavar="N", help="What an exercise is worth; 0: shows no points.")
    ] = None,
    title: Annotated[str, typer.Option(metavar="TEXT", help="At the head of each sheet: what it is.")] = "",
    course: Annotated[str, typer.Option(metavar="TEXT", help="… in which course.")] = "",
    institution: Annotated[str, typer.Option(metavar="TEXT", help="… and where.")] = "",
    logo: Annotated[Path | None, typer.Option(metavar="FILE", help="… an image: SVG, PNG, JPEG or PDF.")] = None,
    date: Annotated[str, typer.Option(metavar="TEXT", help="… a date, printed as it is written.")] = "",
    paper: Annotated[str, typer.Option(metavar="a4|letter", help="The size of the paper.")] = "a4",
    notation: Annotated[
        str | None,
        typer.Option(metavar="NAME|FILE.toml", help="See `chainrule list notations`; or a file of your own."),
    ] = None,
    templates: TemplatesOption = None,
    combine: Annotated[
        bool, typer.Option("--combine", help="One PDF of all sheets too, each on paper of its own, to be printed.")
    ] = False,
    workers: Annotated[
        int | None, typer.Option(min=1, max=256, metavar="N", help="Processes at work. Default: one for each core.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where an interrupted run with the same options has stopped.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Remove the handout of other options that is in the folder first.")
    ] = False,
) -> None:
    """Write exercise sheets for a class, each with numbers of its own, with solutions, key and marking scheme.

    In DIR: sheets/ and solutions/ with a file for each student, all answers in key.csv, key.json and key.xlsx, marking.*, manifest.json.

    Exit status: 0 done, 1 some sheets could not be made, 130 interrupted. Whatever is there is whole.
    """  # noqa: E501 - a paragraph of help is one line, which the terminal folds
    chosen = Choices(
        variants, seed, roster, to, out, exercises, solutions, blanks, carry, points, title, course, institution,
        logo, date, paper, notation, templates, combine, workers, resume, force,
    )  # fmt: skip
    try:
        _handout(tuple(problems), chosen)
    except KeyboardInterrupt:
        say("interrupted; nothing has been written")
        raise typer.Exit(INTERRUPTED) from None


def _handout(names: tuple[str, ...], chosen: Choices) -> None:
    from render.commands.results import progress
    from render.handout.run import InterruptedRunError, hand_out

    made = planned(names, chosen)
    try:
        done = hand_out(made, resume=chosen.resume, force=chosen.force, progress=partial(progress, "sheets"))
    except InterruptedRunError as error:
        say(
            f"interrupted: {error.whole} of {error.total} sheets are whole in {chosen.out}",
            "go on with the same command and --resume",
        )
        raise typer.Exit(INTERRUPTED) from None
    _tell(made, done, chosen)
    tell_missing(known_formats(), names_of(chosen.to))


MANY = 20  # sheets that are named, of those that one reason kept from being made


def _tell(made: Handout, done: Done, chosen: Choices) -> None:
    """Where everything is, on standard output; how it went, on standard error."""
    work, out = made.work, chosen.out
    for name in dict.fromkeys(path.partition("/")[0] for path in sorted(done.files)):
        print(out / name)
    if work.copies:
        sheets = f"{done.sheets} sheet{'' if done.sheets == 1 else 's'}"
        before = f", {done.before} of them there before" if done.before else ""
        say(f"{sheets}, seed {chosen.seed}{before}")
    if not done.failures:
        return
    reasons: dict[str, list[str]] = {}
    for failure in done.failures:
        reasons.setdefault(failure.problem, []).append(failure.name)
    for reason, names in reasons.items():
        more = f", and {len(names) - MANY} more" if len(names) > MANY else ""
        say(f"not written: {', '.join(names[:MANY])}{more}: {reason.splitlines()[0]}")
    say("all others are whole; the same command with --resume tries these again")
    sys.stdout.flush()
    raise typer.Exit(SOME_FAILED)
