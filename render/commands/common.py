"""What the commands share: their arguments, the problem, and how a bad one is said."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from derive.derivation import Derivation
    from derive.problem import Problem

MAX_DIGITS = 100_000

ProblemArgument = Annotated[
    str, typer.Argument(metavar="PROBLEM", help="A problem file, - for standard input, or a bundled name.")
]
DigitsOption = Annotated[
    int | None, typer.Option("--digits", min=1, max=MAX_DIGITS, metavar="N", help="Significant digits.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def load_problem(problem: str) -> Problem:
    """The problem that an argument names; "-" is read from standard input."""
    from derive.problem import load, load_text

    return _checked(load(problem) if problem != "-" else load_text(standard_input(), source=STANDARD_INPUT))


STANDARD_INPUT = "standard input"


def standard_input() -> str:
    """The text on standard input."""
    from derive import bounded

    try:
        return bounded.text_of(sys.stdin.buffer)
    except UnicodeDecodeError as error:
        bad(STANDARD_INPUT, f"is not UTF-8 text (at byte {error.start})")
    except bounded.TooLongError as error:
        bad(STANDARD_INPUT, str(error))


def _checked(problem: Problem) -> Problem:
    """A problem whose kinds of exercises are known; which these are is no business of ``derive``."""
    if problem.exercises is not None:
        from render.exercises.choosing import check_kinds

        check_kinds(problem)
    return problem


def say(*lines: str) -> None:
    """Messages go to standard error, and never into the results."""
    for line in lines:
        print(f"chainrule: {line}", file=sys.stderr)


def bad(place: str, message: str) -> NoReturn:
    """Refuse what was given at ``place`` (an option, a file)."""
    from derive.errors import ProblemError

    raise ProblemError(message, place)


def check_name(option: str, name: str, known: Iterable[str]) -> None:
    """Refuse a name that is not among the known ones, with the nearest of them."""
    from derive.errors import unknown

    if name not in known:
        bad(option, unknown(name, known))


def check_published(derivation: Derivation) -> None:
    """Refuse a printed number whose name says nothing that the problem has; all of them at once."""
    from derive.errors import ChainruleError, Fault, ProblemError
    from derive.quantities import quantity

    faults = []
    for row, published in enumerate(derivation.problem.published):
        try:
            quantity(derivation, published.name)
        except ProblemError as error:
            faults += [Fault(f"published[{row}].name", fault.message) for fault in error.faults]
        except ChainruleError as error:
            faults.append(Fault(f"published[{row}].name", str(error)))
    if faults:
        raise ProblemError(faults, derivation.problem.source)
