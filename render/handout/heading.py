"""What stands at the head of a sheet: the course, the date, whose sheet it is."""

from __future__ import annotations

from dataclasses import dataclass

from render.document import Picture


@dataclass(frozen=True)
class Heading:
    """The head of a sheet; what is "" or None is left out.

    ``date`` is printed as it is written, so that the same command gives the same bytes tomorrow. ``variant`` is the
    number of the variant, None where there is one only; ``points`` is what the sheet is worth, None where points are
    not to be shown, neither here nor at the exercises.
    """

    title: str = ""
    course: str = ""
    institution: str = ""
    logo: Picture | None = None
    date: str = ""
    student: str = ""
    student_id: str = ""
    variant: int | None = None
    points: int | None = None
