"""The report of a verification: what was found for each number, the verdict, and the explanations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from derive.verification.edit import Edit, Layer

Verdict = Literal["verified", "wrong", "undecided"]


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


@dataclass(frozen=True)
class Explanation:
    """One consistent explanation, of one mistake or more: each with its layer and the edit that it is."""

    mistakes: tuple[tuple[str, Layer], ...]
    words: str
    edits: tuple[Edit, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As in the JSON report."""
        named = [{"mistake": mistake, "layer": layer} for mistake, layer in self.mistakes]
        return {"mistakes": named, "explanation": self.words}


@dataclass(frozen=True)
class Report:
    """What was found: ``digits_needed`` significant digits would decide what is undecided."""

    verdict: Verdict
    rows: tuple[Row, ...]
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
    def worst_first(self) -> tuple[Row, ...]:
        """The rows, those farthest outside their bound first."""
        return tuple(sorted(self.rows, key=lambda row: (row.within, row.digits)))
