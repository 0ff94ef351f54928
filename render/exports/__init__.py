"""Exercises for learning platforms, a file each: one row a format."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from render.exercises.model import Sheet


@dataclass(frozen=True, slots=True)
class Export:
    """One learning platform's format: ``write`` makes its file from the variants of one sheet, and a stem for names."""

    name: str
    suffix: str
    summary: str
    write: Callable[[Sequence[Sheet], str], bytes]


def _moodle(sheets: Sequence[Sheet], stem: str) -> bytes:
    from render.exports.moodle import moodle

    return moodle(sheets, stem)


def _qti12(sheets: Sequence[Sheet], stem: str) -> bytes:
    from render.exports.qti12 import qti12

    return qti12(sheets, stem)


def _qti21(sheets: Sequence[Sheet], stem: str) -> bytes:
    from render.exports.qti21 import qti21

    return qti21(sheets, stem)


EXPORTS: dict[str, Export] = {
    "moodle": Export("moodle", "_moodle.xml", "Moodle XML: a category of variants for each exercise", _moodle),
    "qti12": Export(
        "qti12", "_qti12.zip", "QTI 1.2 as Canvas Classic imports it: a quiz that draws one variant of each", _qti12
    ),
    "qti21": Export(
        "qti21", "_qti21.zip", "QTI 2.1, a package of items and a test that draws one variant of each", _qti21
    ),
}
