"""Which exercises a sheet has: those of the problem file or of the command line, else a selection for its kind."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice

from derive.errors import ChainruleError, Fault, ProblemError, shown, unknown
from derive.files.exercises import Chosen, Exercises
from derive.problem import Problem
from derive.scalars import Scalar
from derive.variants.asked import Asked
from render.exercises.blanks import share
from render.exercises.desk import Ground, Planned
from render.exercises.kind import Kind, Sheetful, chosen, named_in
from render.exercises.kinds import KINDS

USUAL = (
    "forward_value",
    "local_derivative",
    "missing_factor",
    "delta",
    "gradient",
    "update",
    "paths",
    "find_mistake",
    "multiple_choice",
)
"""What a sheet has where nobody has chosen, of these what the problem allows."""

MOST = 100

MOST_TRIED = 4
"""So many candidates of a kind are looked at before it is left out."""


def stated(problem: Problem, text: str | None, place: str = "--exercises") -> Exercises:
    """The exercises of a problem; ``text`` (of the command line) goes before those of the file."""
    own = problem.exercises or Exercises()
    chosen_ones = own.chosen if text is None else tuple(read(text, place))
    return Exercises(own.carry, own.blanks, own.points, chosen_ones)


def read(text: str, place: str = "--exercises") -> list[Chosen]:
    """``gradient:w5,update,delta*2``: kinds, each with the quantity that it is about, or how many of it.

    A comma inside brackets belongs to a name: ``gradient:W2[0,0]``. Raises ChainruleError.
    """
    parts = [part.strip() for part in re.split(r",(?![^\[]*\])", text)]
    if not all(parts):
        raise ChainruleError(f"{place}: found {shown(text)}; a list such as gradient:w5,update,delta*2 is expected")
    found: list[Chosen] = []
    for part in parts:
        kind, colon, of = part.partition(":")
        bare, star, times = (kind if colon else part).partition("*")
        kind = bare.strip()
        _check(kind, place)
        if star and not (times.strip().isdecimal() and 1 <= int(times) <= MOST):
            raise ChainruleError(f"{place}: found {shown(part)}; {kind}*2 asks for two of them, {MOST} at the most")
        if colon and not of.strip():
            raise ChainruleError(f"{place}: found {shown(part)}; a quantity is expected after the colon, such as w5")
        found.append(Chosen(kind, (of.strip(),) if colon else (), int(times) if star else 1))
    return found


def _check(kind: str, place: str) -> None:
    if kind not in KINDS:
        raise ChainruleError(f"{place}: {unknown(kind, KINDS, 'no kind of exercise')}")


def check_kinds(problem: Problem) -> None:
    """Refuse a kind of exercise in a problem file that nobody knows; all of them at once. Raises ProblemError."""
    faults = []
    for each in problem.exercises.chosen if problem.exercises else ():
        place = f"exercises.{each.kind if each.kind.isidentifier() else shown(each.kind)}"
        if each.kind not in KINDS:
            faults.append(Fault(place, unknown(each.kind, KINDS, "no kind of exercise")))
        elif each.mistake is not None and not KINDS[each.kind].mistakes:
            able = ", ".join(kind.name for kind in KINDS.values() if kind.mistakes)
            faults.append(Fault(f"{place}.mistake", f"no mistake is made in this kind of exercise; {able} takes one"))
    if faults:
        raise ProblemError(faults, problem.source)


def planned(
    ground: Ground,
    exercises: Exercises,
    place: str = "exercises.",
    *,
    blanks: str | None = None,
    points: int | None = None,
) -> tuple[Planned, ...]:
    """The exercises, each with what it is about and which numbers it asks for; ``blanks`` and ``points`` go before.

    ``place``: where they are stated, as it stands before a kind in a message.

    Raises ChainruleError for a quantity that a kind cannot ask about.
    """
    wanted = exercises.chosen or tuple(Chosen(name) for name in _possible(ground))
    sheet_blanks = share(blanks) if blanks is not None else _share(exercises.blanks)
    made: list[Planned] = []
    for each, abouts in zip(wanted, _abouts(ground, wanted, place), strict=True):
        kind = KINDS[each.kind]
        due = points if points is not None else each.points if each.points is not None else exercises.points
        blank = sheet_blanks if blanks is not None or each.blanks is None else _share(each.blanks)
        for about in abouts:
            made.append(Planned(kind.name, about, kind.asked(ground, about), due, blank, each.mistake))
    return tuple(_with_secrets(ground, made))


def _abouts(ground: Ground, wanted: Sequence[Chosen], where: str) -> list[list[tuple[Scalar, ...]]]:
    """What each exercise is about: first what somebody has chosen, and the others so that they give nothing away."""
    sheet = Sheetful()
    found: dict[int, list[tuple[Scalar, ...]]] = {}
    for place, each in enumerate(wanted):
        if each.of:
            found[place] = named_in(KINDS[each.kind], ground, each.of, f"{where}{each.kind}")
            for about in found[place]:
                sheet.add(KINDS[each.kind], ground, about)
    for place, each in enumerate(wanted):
        if not each.of:
            found[place] = chosen(KINDS[each.kind], ground, each.count, sheet, f"{where}{each.kind}")
    return [found[place] for place in range(len(wanted))]


def _with_secrets(ground: Ground, made: Sequence[Planned]) -> Iterator[Planned]:
    """Each exercise with the quantities whose ∂E the others want."""
    wants = [
        {fact.scalar for fact in (*plan.asked, *KINDS[plan.kind].told(ground, plan.about).wanted) if fact.kind in BACK}
        for plan in made
    ]
    finds = [_found(ground, plan) for plan in made]
    for place, plan in enumerate(made):
        others = [want for other, want in enumerate(wants) if other != place]
        found = [found for other, found in enumerate(finds) if other != place]
        withheld = frozenset[Asked]().union(*found)
        yield replace(plan, secret=frozenset[Scalar]().union(*others), withheld=withheld)


def _found(ground: Ground, plan: Planned) -> set[Asked]:
    """What whoever does an exercise has found then: its answers, and values of the forward pass on the way to them."""
    wanted = KINDS[plan.kind].told(ground, plan.about).wanted
    return {*plan.asked, *(each for each in wanted if each.kind == "value")}


BACK = ("delta", "gradient")


def _share(blanks: object) -> float:
    return share(blanks) if isinstance(blanks, str) else float(blanks)  # type: ignore[arg-type]


def _possible(ground: Ground) -> Sequence[str]:
    """Of the usual kinds those that this problem has something for."""
    numbers = ground.derivation.has_numbers
    kinds = [KINDS[name] for name in USUAL if numbers or not KINDS[name].numbers]
    if not numbers:
        kinds += [KINDS[name] for name in ("order_factors", "symbols", "matrix_form", "activation_derivative")]
    found = [kind.name for kind in kinds if _has_something(kind, ground)]
    if not found:
        raise ChainruleError("exercises: no kind of exercise has anything to ask about in this problem")
    return found


def _has_something(kind: Kind, ground: Ground) -> bool:
    """Is one of the first things that a kind could ask about possible?"""
    return any(kind.possible(ground, about) for about in islice(kind.candidates(ground), MOST_TRIED))
