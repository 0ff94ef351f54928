"""`chainrule verify`: somebody's gradient against the derived one, and what is wrong with it."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from render.commands.common import (
    STANDARD_INPUT,
    JsonOption,
    ProblemArgument,
    bad,
    check_name,
    check_published,
    load_problem,
    standard_input,
)
from render.commands.files import check_folder, formats_of, names_of, tell_missing

if TYPE_CHECKING:
    from derive.derivation import Derivation
    from derive.verification.report import Report
    from derive.verification.sources import Source

KINDS: dict[str, Literal["gradients", "updated"]] = {"gradients": "gradients", "updated": "updated"}
NOT_VERIFIED = 1  # exit status


@dataclass(frozen=True)
class Wanted:
    """What is to be written beside what is printed."""

    junit: Path | None
    to: list[str] | None
    out: Path
    undecided_ok: bool


def verify(
    problem: ProblemArgument,
    gradients: Annotated[
        str | None,
        typer.Argument(
            metavar="GRADIENTS",
            help="A .json or .csv file, - for standard input, or code: module.py:function, torch:module.py:name, "
            "jax:…, keras:…, onnx:FILE, cmd:PROGRAM, formula:FILE.",
        ),
    ] = None,
    published: Annotated[
        bool, typer.Option("--published", help="Check the problem's own [[published]] numbers instead.")
    ] = False,
    given: Annotated[
        str,
        typer.Option(
            metavar="PRECISION",
            help="How precise the numbers are: float64, float32, float16, bfloat16, 4sf, 4dp, "
            '4sf-steps (every step rounded), "±1e-6"; auto tells it from the digits.',
        ),
    ] = "auto",
    kind: Annotated[
        str, typer.Option("--as", metavar="gradients|updated", help="What they are: gradients, or new weights.")
    ] = "gradients",
    as_json: JsonOption = False,
    junit: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a JUnit XML report too.")] = None,
    to: Annotated[
        list[str] | None,
        typer.Option(metavar="FORMAT,…", help="Write the report as a document to hand back: html,latex,markdown,pdf."),
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="The folder for --to. Default: output.")] = None,
    undecided_ok: Annotated[
        bool, typer.Option("--undecided-ok", help="Exit with 0 where the digits do not decide, too.")
    ] = False,
    timeout: Annotated[
        float, typer.Option(min=0.1, max=86400, metavar="S", help="Seconds that code which is handed over may take.")
    ] = 60.0,
    points: Annotated[int, typer.Option(min=1, max=100, metavar="N", help="At how many points code is checked.")] = 3,
) -> None:
    """Check a gradient, and say which term of it is wrong. Exit status: 0 verified, 1 wrong or undecided."""
    check_name("--as", kind, KINDS)
    _check_usage(problem, gradients, published, to, out)
    wanted = Wanted(junit, to, out or Path("output"), undecided_ok)
    if to is not None:
        check_folder(wanted.out)
    stated = load_problem(problem)

    from derive.derivation import differentiate
    from derive.verification.precision import read

    precision = read(given)
    derivation = differentiate(stated)
    if published:
        report = _of_published(derivation, given)
    else:
        from derive.verification import sources

        assert gradients is not None, "the usage has been checked"
        _check_numbers(derivation)
        if gradients == "-":
            source = _of_standard_input(derivation, KINDS[kind])
        else:
            source = sources.read(gradients, derivation, kind=KINDS[kind], timeout=timeout, points=points)
        if not derivation.has_numbers and any(not values for values, _ in source.handed):
            bad(stated.source, "leaves symbols where numbers are needed to compare with; formulas can be handed over")
        report = sources.report(derivation, source, precision)
    _put_out(derivation, report, wanted, as_json)
    if report.verdict == "wrong" or (report.verdict == "undecided" and not undecided_ok):
        raise typer.Exit(NOT_VERIFIED)


def _check_usage(problem: str, gradients: str | None, published: bool, to: list[str] | None, out: Path | None) -> None:
    """Refuse what goes not together."""
    if published and gradients is not None:
        bad("--published", f"checks the problem's own printed numbers; {gradients} would not be read")
    if not published and gradients is None:
        bad("GRADIENTS", "is missing: a file of numbers or code; or --published for the problem's printed numbers")
    if problem == "-" and gradients == "-":
        bad("GRADIENTS", "standard input can be read once only, and - is the problem already")
    if out is not None and to is None:
        bad("--out", "has no effect without --to, which names the formats of the report")


def _check_numbers(derivation: Derivation) -> None:
    """Refuse a problem whose error is no finite number."""
    if derivation.has_numbers:
        derivation.floats(derivation.program.error)  # says so where it is not finite


def _of_standard_input(derivation: Derivation, kind: Literal["gradients", "updated"]) -> Source:
    from derive.verification import files, sources

    options = sources.Options(kind)
    handed = files.of_text(standard_input(), derivation, options.item_kind, STANDARD_INPUT)
    return sources.Source((({}, handed),))


def _of_published(derivation: Derivation, given: str) -> Report:
    from derive.verification.published import compare

    if given != "auto":
        bad("--given", "has no effect on printed numbers: their digits are their precision")
    if not derivation.problem.published:
        bad(derivation.problem.source, "has no [[published]] numbers to check")
    check_published(derivation)
    return compare(derivation).report()


def _put_out(derivation: Derivation, report: Report, wanted: Wanted, as_json: bool) -> None:
    """Files first, all or none; then the report on standard output."""
    from render.formats import FORMATS, write_files

    contents: dict[Path, bytes] = {}
    if wanted.to is not None:
        contents |= _documents(derivation, report, wanted)
    if wanted.junit is not None:
        from derive.verification import junit

        contents[wanted.junit] = junit.xml(report, derivation.problem.stem, undecided_ok=wanted.undecided_ok)
    write_files(contents)
    if as_json:
        from render.commands.results import print_json

        print_json(report.to_json())
    else:
        from render.commands.report import print_report

        print_report(derivation, report)
    for path in contents:
        print(path, file=sys.stderr)
    if wanted.to is not None:
        tell_missing(FORMATS, names_of(wanted.to))


def _documents(derivation: Derivation, report: Report, wanted: Wanted) -> dict[Path, bytes]:
    from render.compose.verification import document
    from render.formats import FORMATS, files

    page = document(derivation, report)
    contents: dict[Path, bytes] = {}
    for name in formats_of(wanted.to, FORMATS):
        contents |= files(page, name, wanted.out / f"{page.stem}{FORMATS[name].suffix}")
    return contents
