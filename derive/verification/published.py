"""Numbers that somebody printed, and the conventions by which those that do not hold would.

Each convention is tried alone, then two at a time; what makes every number that does not hold come out as printed
is an explanation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import combinations
from math import floor, log10

from derive.derivation import Derivation
from derive.digits import significant
from derive.errors import ChainruleError
from derive.problem import Published
from derive.quantities import checked, places_of, quantity
from derive.verification.conventions import Convention, conventions
from derive.verification.precision import Precision
from derive.verification.report import Explanation, Report, Row
from derive.verification.rounded import rounded_quantity
from derive.verification.text import AS_PRINTED, listed


@dataclass(frozen=True)
class Printed:
    """A printed number beside the derived one at the same precision."""

    published: Published
    derived: str
    same: bool


@dataclass(frozen=True)
class Explained:
    """Conventions with which numbers that did not hold come out as printed, and what they change besides.

    ``values``: each printed number's with them; ``held``: those that hold only with them; ``lost``: those that hold
    only without them.
    """

    conventions: tuple[Convention, ...]
    values: Mapping[Published, str]
    held: tuple[Published, ...]
    lost: tuple[Published, ...]

    @property
    def words(self) -> str:
        """The conventions in words that follow "if"."""
        return ", and ".join(convention.words for convention in self.conventions)


@dataclass(frozen=True)
class Comparison:
    """A problem's printed numbers held against its derivation."""

    derivation: Derivation

    @cached_property
    def rows(self) -> tuple[Printed, ...]:
        """Each number, in the order of the file."""
        return tuple(printed(self.derivation, each) for each in self.derivation.problem.published)

    @cached_property
    def differing(self) -> tuple[Published, ...]:
        """The numbers that do not hold."""
        return tuple(row.published for row in self.rows if not row.same)

    @cached_property
    def explanations(self) -> tuple[Explained, ...]:
        """What makes all of them hold: one convention, or where none does two; those that break least first."""
        if not self.differing:
            return ()
        single = tuple(conventions(self.derivation))
        found = self._explaining([(each,) for each in single])
        return found or self._explaining([pair for pair in combinations(single, 2) if _go_together(*pair)])

    def _explaining(self, candidates: Sequence[tuple[Convention, ...]]) -> tuple[Explained, ...]:
        found: dict[tuple[str, ...], Explained] = {}
        for chosen in candidates:
            names = tuple(each.identifier for each in chosen)
            if names not in found and (explained := self._explained(chosen)) is not None:
                found[names] = explained
        return tuple(sorted(found.values(), key=lambda each: len(each.lost)))

    def _explained(self, chosen: tuple[Convention, ...]) -> Explained | None:
        varied = _Varied.of(self.derivation, chosen)
        if varied is None:
            return None
        cheap_first = sorted(self.differing, key=lambda each: "@" in each.name)
        if not all(varied.holds(each) for each in cheap_first):
            return None
        return self._with(chosen, varied)

    def _with(self, chosen: tuple[Convention, ...], varied: _Varied) -> Explained:
        values = {row.published: varied.value(row.published) for row in self.rows}
        held = tuple(each for each in self.differing if varied.holds(each))
        lost = tuple(row.published for row in self.rows if row.same and not varied.holds(row.published))
        return Explained(chosen, values, held, lost)

    @cached_property
    def partly(self) -> Explained | None:
        """Where nothing explains all: the one convention that makes most of them hold, if it makes any."""
        if not self.differing or self.explanations:
            return None
        tried = [(each, _Varied.of(self.derivation, (each,))) for each in conventions(self.derivation)]
        found = [self._with((each,), varied) for each, varied in tried if varied is not None]
        best = max(found, key=lambda each: len(each.held), default=None)
        return best if best is not None and best.held else None

    def report(self) -> Report:
        """The comparison as a report: wrong where a number does not hold, with what explains it."""
        rows = tuple(_row(self.derivation, each) for each in self.rows)
        if not self.differing:
            return Report("verified", rows, precision=AS_PRINTED)
        diagnosis = tuple(self._explanation(each) for each in self.explanations)
        return Report("wrong", rows, diagnosis, precision=AS_PRINTED, notes=() if diagnosis else self._notes())

    def _notes(self) -> tuple[str, ...]:
        nothing = "no convention that is known, and no two of them, makes all of these numbers hold"
        if self.partly is None:
            return (nothing,)
        held = _listed(self.partly.held)
        return nothing, f"{held} {_come(self.partly.held)} out as printed if {self.partly.words}"

    def _explanation(self, explained: Explained) -> Explanation:
        words = f"{_listed(explained.held)} {_come(explained.held)} out as printed if {explained.words}."
        if explained.lost:
            hold = "holds" if len(explained.lost) == 1 else "hold"
            words += f" {_listed(explained.lost)}, however, {hold} only without that."
        return Explanation(tuple((each.identifier, "all") for each in explained.conventions), words)


def _listed(numbers: Sequence[Published]) -> str:
    """Their names."""
    return listed([each.name for each in numbers])


def _come(numbers: Sequence[Published]) -> str:
    return "comes" if len(numbers) == 1 else "come"


def compare(derivation: Derivation) -> Comparison:
    """The printed numbers of a problem and its derivation.

    Raises ChainruleError where a number is of something that the problem does not have.
    """
    return Comparison(derivation)


def printed(derivation: Derivation, published: Published) -> Printed:
    """One printed number beside the derived one."""
    return Printed(published, *checked(published.name, published.value, quantity(derivation, published.name)))


def _row(derivation: Derivation, row: Printed) -> Row:
    """One number as a report has it: its bound is half a unit of its last place."""
    name, value = row.published.name, row.published.value
    reference = Fraction(quantity(derivation, name).decimal(30))
    bound = Fraction(10) ** -places_of(value) / 2
    relative = abs(Fraction(value) - reference) / abs(reference) if reference else None
    digits = 17 if relative == 0 else 0 if relative is None or relative >= 1 else min(17, floor(-log10(relative)))
    error = "" if relative is None else significant(relative, 3)
    return Row(name, value, significant(reference, 17), error, digits, significant(bound, 3), row.same)


# ---- a derivation with conventions ---------------------------------------------------------


@dataclass(frozen=True)
class _Varied:
    """The derivation with some conventions; quantities that it does not have hold nowhere."""

    derivation: Derivation
    shift: int
    rounded: Precision | None

    @classmethod
    def of(cls, derivation: Derivation, chosen: Sequence[Convention]) -> _Varied | None:
        varied: Derivation | None = derivation
        for convention in chosen:
            varied = None if varied is None else convention.vary(varied)
        if varied is None:
            return None
        rounded = next((each.rounded for each in chosen if each.rounded is not None), None)
        return cls(varied, sum(each.shift for each in chosen), rounded)

    def holds(self, published: Published) -> bool:
        return self._found(published)[1]

    def value(self, published: Published) -> str:
        return self._found(published)[0]

    def _found(self, published: Published) -> tuple[str, bool]:
        name = published.name
        what, at, steps = name.rpartition("@")
        if at and self.shift:
            if int(steps) + self.shift < 0:
                return "", False
            name = f"{what}@{int(steps) + self.shift}"
        try:
            if self.rounded is not None:
                return rounded_quantity(self.derivation, name, published.value, self.rounded)
            return checked(published.name, published.value, quantity(self.derivation, name))
        except (ChainruleError, ArithmeticError):
            return "", False


def _go_together(one: Convention, other: Convention) -> bool:
    """Two of one kind are one thing said twice."""
    kinds = {_kind(one.identifier), _kind(other.identifier)}
    return len(kinds) == 2


def _kind(identifier: str) -> str:
    return {"loss_with_half": "half", "loss_without_half": "half"}.get(identifier, identifier.partition("_")[0])
