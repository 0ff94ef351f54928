"""The report of a verification: what was found for each number, the verdict, and the explanations."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from derive.verification.edit import Edit, Layer

if TYPE_CHECKING:
    from derive.verification.points import Point

Verdict = Literal["verified", "wrong", "undecided"]
Errors = tuple[NDArray[np.int_], NDArray[np.float64]]


@dataclass(frozen=True)
class Row:
    """One number beside its reference.

    ``bound``: how far it may be from it with its precision; ``relative_error`` is "" where the reference is 0;
    ``digits``: how many of its significant digits are right. ``array`` is what it is an element of: W1, W1+ for
    new weights, dE/dz1 for deltas.
    """

    name: str
    yours: str
    reference: str
    relative_error: str
    digits: int
    bound: str
    within: bool
    array: str = ""

    @property
    def relative(self) -> float:
        """The relative error as a number: infinite where the reference is 0 and the number is not."""
        return float(self.relative_error or ("0" if self.digits else "inf"))

    def to_json(self) -> dict[str, Any]:
        """As in the JSON report."""
        return {
            "name": self.name,
            "yours": self.yours,
            "reference": self.reference,
            "relative_error": self.relative_error,
            "digits": self.digits,
            "bound": self.bound,
            "within": self.within,
        }


class Rows(Sequence[Row]):
    """Rows of which each is made when it is asked for; which are within their bounds is known before.

    ``errors``: how many of each number's digits are right, and its relative error as a row tells it (infinite where
    the reference is 0); asked for where the worst are to stand first.
    """

    def __init__(self, row: Callable[[int], Row], within: NDArray[np.bool_], errors: Callable[[], Errors]) -> None:
        self._row, self._within, self._errors = cache(row), within, errors

    def __len__(self) -> int:
        """How many there are."""
        return len(self._within)

    def __getitem__(self, place: Any) -> Any:
        """One row, or the rows of a slice."""
        places = range(len(self))[place]
        return self._row(places) if isinstance(places, int) else tuple(map(self._row, places))

    def __iter__(self) -> Iterator[Row]:
        """Every row."""
        return map(self._row, range(len(self)))

    @property
    def outside(self) -> int:
        """How many are outside their bounds."""
        return int(np.sum(~self._within))

    @cached_property
    def worst_first(self) -> Rows:
        """The same rows, the worst first; of those that are equally wrong the first stays first."""
        digits, relative = self._errors()
        order = np.lexsort((-relative, digits, self._within))
        return Rows(
            lambda place: self[int(order[place])], self._within[order], lambda: (digits[order], relative[order])
        )


def outside(rows: Sequence[Row]) -> int:
    """How many rows are outside their bounds."""
    return rows.outside if isinstance(rows, Rows) else sum(not row.within for row in rows)


@dataclass(frozen=True)
class Explanation:
    """One consistent explanation, of one mistake or more: each with its layer and the edit that it is.

    ``point``: where it was found, with all that was handed over there.
    """

    mistakes: tuple[tuple[str, Layer], ...]
    words: str
    edits: tuple[Edit, ...] = ()
    point: Point | None = field(default=None, compare=False, repr=False)

    def to_json(self) -> dict[str, Any]:
        """As in the JSON report."""
        named = [{"mistake": mistake, "layer": layer} for mistake, layer in self.mistakes]
        return {"mistakes": named, "explanation": self.words}


@dataclass(frozen=True)
class Report:
    """What was found: ``digits_needed`` significant digits would decide what is undecided."""

    verdict: Verdict
    rows: Sequence[Row]
    diagnosis: tuple[Explanation, ...] = ()
    precision: str = ""
    points: int = 1
    notes: tuple[str, ...] = ()
    digits_needed: int | None = None

    def __bool__(self) -> bool:
        """Is it verified?"""
        return self.verdict == "verified"

    def __str__(self) -> str:
        """Verdict, table and diagnosis in plain text."""
        from derive.verification.text import report_text

        return report_text(self)

    def __repr__(self) -> str:
        """The same: what a session shows of it."""
        return str(self)

    def to_json(self) -> dict[str, Any]:
        """The JSON report."""
        found: dict[str, Any] = {
            "verdict": self.verdict,
            "given": self.precision,
            "points": self.points,
            "parameters": [row.to_json() for row in self.rows],
            "diagnosis": [each.to_json() for each in self.diagnosis],
            "notes": list(self.notes),
        }
        return found if self.digits_needed is None else found | {"digits_needed": self.digits_needed}

    @property
    def worst_first(self) -> Sequence[Row]:
        """The rows outside their bounds first, of these the fewest right digits, and of these the largest error."""
        if isinstance(self.rows, Rows):
            return self.rows.worst_first
        return tuple(sorted(self.rows, key=lambda row: (row.within, row.digits, -row.relative)))

    @property
    def outside(self) -> int:
        """How many numbers are outside their bounds."""
        return outside(self.rows)
