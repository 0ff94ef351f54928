"""What `chainrule handout` is to make: its options checked, the problems derived, everybody's sheet decided."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from render.commands.common import bad, check_name, load_problem, say
from render.commands.files import check_folder, formats_of, names_of
from render.commands.templates import templates_of

if TYPE_CHECKING:
    from derive.problem import Problem
    from render.commands.files import Row
    from render.exercises.sheets import Sheets
    from render.handout.copies import Copy
    from render.handout.heading import Heading
    from render.handout.once import Extras
    from render.handout.roster import Student
    from render.handout.run import Handout

SOLUTIONS = ("none", "separate", "only")
PAPERS = ("a4", "letter")
LONGEST_LINE = 300


@dataclass(frozen=True)
class Choices:
    """The options as they were given."""

    variants: int | None
    seed: int
    roster: Path | None
    to: list[str] | None
    out: Path
    exercises: str | None
    solutions: str
    blanks: str | None
    carry: str | None
    points: int | None
    title: str
    course: str
    institution: str
    logo: Path | None
    date: str
    paper: str
    notation: str | None
    templates: Path | None
    combine: bool
    workers: int | None
    resume: bool
    force: bool


def planned(names: tuple[str, ...], chosen: Choices) -> Handout:
    """The whole handout decided, and whatever could be wrong with it refused."""
    from render.handout.crew import default_workers
    from render.handout.run import Handout, kept
    from render.handout.storing import Store

    formats = _formats(chosen)
    each = tuple(name for name in formats if name not in _once())
    _check_usage(names, chosen, formats)
    check_folder(chosen.out)
    students = _students(chosen)
    stated = tuple(load_problem(name) for name in names)
    heading = _heading(chosen, stated)
    told = _told(stated, students, formats, chosen)
    Store(chosen.out).check(kept(told), resume=chosen.resume, force=chosen.force)  # before anything is derived
    copies = _copies(students, chosen, stated, each)
    sheets = _sheets(stated, chosen, varied=chosen.variants is not None or bool(students))
    if copies:
        sheets.check(max(copy.variant for copy in copies))
    return Handout(
        work=_work(sheets, copies, each, heading, chosen),
        choices=told,
        combine=chosen.combine,
        workers=chosen.workers or default_workers(),
        extras=_extras(sheets, heading, formats, chosen),
    )


def _formats(chosen: Choices) -> tuple[str, ...]:
    """The formats to write; PDF where nothing is said, and it can be made."""
    from derive.errors import MissingDependency

    known = known_formats()
    if chosen.to is None:
        if known["pdf"].missing():
            say(f"the sheets are written as html; pdf: {known['pdf'].missing()}")
            return ("html",)
        return ("pdf",)
    formats = formats_of(chosen.to, known)
    if not formats:
        raise MissingDependency(
            "\n".join(f"{name} cannot be written: {known[name].missing()}" for name in names_of(chosen.to))
        )
    return formats


def known_formats() -> dict[str, Row]:
    """The formats of sheets, and those that are about the problem itself and written once."""
    from render.formats import FORMATS
    from render.handout.once import ONCE

    return {**FORMATS, **ONCE}


def _once() -> tuple[str, ...]:
    from render.handout.once import ONCE

    return tuple(ONCE)


def _check_usage(names: tuple[str, ...], chosen: Choices, formats: tuple[str, ...]) -> None:
    """Refuse unknown names, and what goes not together."""
    each = [name for name in formats if name not in _once()]
    check_name("--solutions", chosen.solutions, SOLUTIONS)
    check_name("--paper", chosen.paper, PAPERS)
    for option in ("title", "course", "institution", "date"):
        _check_line(f"--{option}", getattr(chosen, option))
    if names.count("-") > 1:
        bad("PROBLEM", "standard input can be read once only")
    if chosen.resume and chosen.force:
        bad("--force", "begins anew, and --resume goes on; one of them is meant")
    for option, given in (("--variants", chosen.variants), ("--roster", chosen.roster), ("--combine", chosen.combine)):
        if given and not each:
            bad(option, f"has no effect on {', '.join(names_of(chosen.to))}, which are written once; add pdf to --to")
    if chosen.combine and "pdf" not in each:
        bad("--combine", "makes one PDF of many; add pdf to --to")
    if chosen.combine:
        _check_pypdf()
    if chosen.notation is not None:
        from derive.notations.file import notation as notation_of

        notation_of(chosen.notation, place="--notation")
    if chosen.templates is not None:
        from render.formats import format_named

        named = [name for name in formats if name != "notebook"]
        templates_of(chosen.templates, {name: format_named(name) for name in named})


def _check_line(option: str, text: str) -> None:
    from derive.errors import shown
    from render.handout.roster import is_forbidden

    if any(map(is_forbidden, text)):
        bad(option, f"found {shown(text)}; one line of text is expected")
    if len(text) > LONGEST_LINE:
        bad(option, f"has {len(text)} characters; {LONGEST_LINE} are the most")


def _check_pypdf() -> None:
    import importlib.util

    from derive.errors import MissingDependency

    if importlib.util.find_spec("pypdf") is None:
        raise MissingDependency("--combine needs the package pypdf: python -m pip install 'chainrule[pdf]'")


def _students(chosen: Choices) -> tuple[Student, ...]:
    from render.handout.roster import read_roster

    return () if chosen.roster is None else read_roster(chosen.roster)


def _copies(
    students: tuple[Student, ...], chosen: Choices, stated: tuple[Problem, ...], each: tuple[str, ...]
) -> tuple[Copy, ...]:
    from render.handout.copies import deal

    return deal(students, chosen.variants, stated[0].stem) if each else ()


def _heading(chosen: Choices, stated: tuple[Problem, ...]) -> Heading:
    """What all heads have in common; the logo is read once."""
    from render.handout.heading import Heading
    from render.pictures import read_picture

    name = f"The logo of {chosen.institution}" if chosen.institution else "Logo"
    logo = None if chosen.logo is None else read_picture(chosen.logo, name, "--logo")
    title = chosen.title or (f"Exercises: {stated[0].title}" if len(stated) == 1 and stated[0].title else "Exercises")
    return Heading(title, chosen.course, chosen.institution, logo, chosen.date)


def _sheets(stated: tuple[Problem, ...], chosen: Choices, *, varied: bool) -> Sheets:
    """The sheets, their problems derived; what cannot be asked is said here."""
    from render.exercises.sheets import Options, Sheets

    options = Options(chosen.exercises, chosen.carry, chosen.blanks, chosen.points or None, chosen.notation)
    made = Sheets(stated, chosen.seed, options, varied)
    assert made.prepared
    return made


def _work(sheets: Sheets, copies: tuple[Copy, ...], formats: tuple[str, ...], heading: Heading, chosen: Choices) -> Any:
    from derive.files.problem_text import problem_text
    from render.handout.naming import problem_names
    from render.handout.papers import marking_document, sheet_document, solution_document
    from render.handout.storing import Store
    from render.handout.work import Layout, Papers, Work

    return Work(
        store=Store(chosen.out),
        copies=copies,
        sheets=sheets,
        papers=Papers(sheet_document, solution_document, marking_document, problem_text),
        layout=Layout(formats, _own(chosen), chosen.paper),
        heading=heading,
        problems=problem_names([problem.stem for problem in sheets.problems]),
        solutions=chosen.solutions,
        points=chosen.points != 0,
    )


def _told(
    stated: tuple[Problem, ...], students: tuple[Student, ...], formats: tuple[str, ...], chosen: Choices
) -> dict[str, Any]:
    """All that the files depend on, as it stands in the manifest: options as given, files by their contents."""
    from render.handout.choices import file_told, folder_told, problem_told, roster_told

    as_given = ("variants", "seed", "exercises", "solutions", "blanks", "carry", "points", "combine")
    at_the_head = ("title", "course", "institution", "date", "paper")
    return {name: getattr(chosen, name) for name in as_given + at_the_head} | {
        "problems": [problem_told(problem) for problem in stated],
        "to": sorted(formats),
        "roster": None if chosen.roster is None else roster_told(chosen.roster, students),
        "logo": file_told(chosen.logo),
        "notation": file_told(chosen.notation),
        "templates": folder_told(_own(chosen)),
    }


def _extras(sheets: Sheets, heading: Heading, formats: tuple[str, ...], chosen: Choices) -> tuple[Extras, ...]:
    """What is written once: slides and notebooks of each problem."""
    from render.exercises.sheets import derivation_of
    from render.handout.once import Extras

    once = tuple(name for name in formats if name in _once())
    own = replace(heading, title=chosen.title)
    derivations = [derivation_of(sheets, number) for number in range(len(sheets.problems))]
    return (Extras(derivations, once, own, _own(chosen), chosen.paper, chosen.notation),) if once else ()


def _own(chosen: Choices) -> Path | None:
    """The folder of templates that was asked for, of one's own or bundled."""
    from render.theme_file import folder_of

    return None if chosen.templates is None else folder_of(chosen.templates)
