"""Who gets which variant: one copy of a sheet for each student, or as many as are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from render.handout.naming import sheet_names
from render.handout.roster import Student


@dataclass(frozen=True)
class Copy:
    """One sheet to be handed out: its place in the class, its files' name, its variant, and whose it is."""

    number: int
    name: str
    variant: int
    student: Student | None = None


def deal(students: Sequence[Student], variants: int | None, problem: str) -> tuple[Copy, ...]:
    """A copy for each student, the k-th with variant k; fewer variants are dealt out in turn, more are spares.

    Without students there are as many copies as variants; without either, one.
    """
    wanted = variants or len(students) or 1
    count = max(wanted, len(students))
    owners = [*students, *[None] * (count - len(students))]
    return tuple(
        Copy(number, name, (number - 1) % wanted + 1, owner)
        for number, (name, owner) in enumerate(zip(sheet_names(count, students, problem), owners, strict=True), 1)
    )
