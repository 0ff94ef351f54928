"""From problems to sheets: derived once, planned once, and then a sheet for each number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from derive.derivation import Derivation, differentiate
from derive.errors import ChainruleError
from derive.files.exercises import carry
from derive.notation import Names
from derive.notations.file import notation as notation_of
from derive.problem import Problem
from derive.variants.draw import Variant, Variants
from derive.verification.precision import Precision
from derive.verification.precision import read as read_precision
from render.exercises import choosing
from render.exercises.desk import Desk, Ground, Planned
from render.exercises.kinds import KINDS
from render.exercises.model import Exercise, Part, Sheet
from render.exercises.statement import statement

STRIDE = 1_000_003
"""So far apart are the seeds of several problems on one sheet."""


@dataclass(frozen=True)
class Options:
    """What a user chooses for all sheets; None leaves it to the problem files.

    ``exercises``, ``carry`` and ``blanks`` are texts as on the command line, ``points`` what each exercise is worth;
    ``alone``: each exercise is answered without the others, as in a quiz that is drawn from pools.
    """

    exercises: str | None = None
    carry: str | None = None
    blanks: str | None = None
    points: int | None = None
    notation: str | None = None
    alone: bool = False


@dataclass(frozen=True)
class _Prepared:
    """One problem, ready to be varied; without ``variants`` where it leaves symbols."""

    ground: Ground
    planned: tuple[Planned, ...]
    carry: Precision
    variants: Variants | None


@dataclass(frozen=True)
class Sheets:
    """All the sheets of a handout. ``varied``: each has numbers of its own; else they are the problems' own.

    The same problems, seed and options give the same sheets, in whichever order and process they are asked for.
    """

    problems: tuple[Problem, ...]
    seed: int
    options: Options = Options()
    varied: bool = True

    def __reduce__(self) -> tuple[type[Sheets], tuple[object, ...]]:
        """What it was made from: where processes are not forked each derives the problems again."""
        return Sheets, (self.problems, self.seed, self.options, self.varied)

    @cached_property
    def prepared(self) -> tuple[_Prepared, ...]:
        """The problems derived and planned. Raises ChainruleError for what cannot be asked."""
        return tuple(self._prepared(number, problem) for number, problem in enumerate(self.problems))

    def _prepared(self, number: int, problem: Problem) -> _Prepared:
        choosing.check_kinds(problem)
        derivation = differentiate(problem)
        own = derivation.names.notation
        notation = own if self.options.notation is None else notation_of(self.options.notation, place="--notation")
        names = derivation.names if notation is own else Names(derivation.program, notation)
        ground = Ground(derivation, names)
        exercises = choosing.stated(problem, self.options.exercises)
        place = "--exercises: " if self.options.exercises is not None else f"{problem.source}: exercises."
        planned = choosing.planned(ground, exercises, place, blanks=self.options.blanks, points=self.options.points)
        if self.options.alone:
            planned = tuple(replace(each, withheld=frozenset()) for each in planned)
        digits = _carry(exercises.carry if self.options.carry is None else self.options.carry)
        asked = tuple(dict.fromkeys(each for plan in planned for each in plan.asked))
        seed = self.seed + STRIDE * number
        variants = Variants(derivation, asked, digits, seed) if derivation.has_numbers else None
        return _Prepared(ground, planned, digits, variants)

    def check(self, count: int) -> None:
        """Raise ChainruleError, with the reason, where so many sheets cannot be had."""
        for each in self.prepared:
            if not self.varied:
                continue
            if each.variants is None:
                raise ChainruleError(
                    f"{each.ground.derivation.problem.source}: leaves symbols, so its variants would all be the same; "
                    "leave out --variants, or give it numbers"
                )
            each.variants.check(count)

    def sheet(self, number: int) -> Sheet:
        """The sheet of a number, from 1 on."""
        several = len(self.prepared) > 1
        parts = tuple(
            self._part(each, number, f"p{place}-" if several else "")
            for place, each in enumerate(self.prepared, start=1)
        )
        return Sheet(number, self.seed, parts)

    def _part(self, prepared: _Prepared, number: int, prefix: str) -> Part:
        variant = self._variant(prepared, number)
        desk = self._desk(prepared, variant)
        exercises = tuple(self._exercises(prepared, desk))
        return Part(variant.derivation.problem, statement(prepared.ground, desk.pen, prefix), exercises)

    def _variant(self, prepared: _Prepared, number: int) -> Variant:
        if prepared.variants is None:
            return Variant(number, self.seed, prepared.ground.derivation, ())
        return prepared.variants.variant(number) if self.varied else prepared.variants.own()

    def _desk(self, prepared: _Prepared, variant: Variant) -> Desk:
        pen = prepared.ground.pen(variant.derivation, prepared.carry.places)
        answers = {each.asked: each for each in variant.answers}
        return Desk(prepared.ground, pen, answers, prepared.carry, f"{self.seed}/{variant.number}")

    def _exercises(self, prepared: _Prepared, desk: Desk) -> Iterator[Exercise]:
        for place, plan in enumerate(prepared.planned):
            yield KINDS[plan.kind].make(replace(desk, seed=f"{desk.seed}/{place}"), plan)


def _carry(text: str) -> Precision:
    """How many digits are carried: "4sf", "5dp". Raises ChainruleError."""
    try:
        found = read_precision(carry(text))
    except ValueError as error:
        raise ChainruleError(f"--carry: {error}") from None
    assert found is not None, "digits are stated"
    return found


def derivation_of(sheets: Sheets, number: int = 0) -> Derivation:
    """The derivation of one of the problems, with its own numbers."""
    return sheets.prepared[number].ground.derivation
