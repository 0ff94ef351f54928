"""The work on one sheet: from its number to its files. What every process of a crew does again and again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from derive.problem import Problem
from render.document import Document
from render.exercises.model import Sheet
from render.handout.copies import Copy
from render.handout.heading import Heading
from render.handout.key import answers
from render.handout.storing import Record, Store

SOLUTIONS = ("none", "separate", "only")
SHEETS_FOLDER, SOLUTIONS_FOLDER = "sheets", "solutions"


class Sheets(Protocol):
    """What makes the sheets: pure, so that a number gives the same sheet in whichever process.

    Where processes are not forked it is pickled; it may then be made anew from what it was made from.
    """

    def sheet(self, number: int) -> Sheet:
        """The sheet of a variant, from 1."""


@dataclass(frozen=True)
class Papers:
    """What is written from a sheet: its documents, the marking scheme, and the problem file of each part."""

    sheet: Callable[[Sheet, Heading], Document]
    solution: Callable[[Sheet, Heading], Document]
    marking: Callable[[Sheet, Heading], Document]
    problem: Callable[[Problem], str]


@dataclass(frozen=True)
class Layout:
    """How documents are set: the formats that each student's are written in, and what else formats take."""

    formats: tuple[str, ...]
    templates: Path | None = None
    paper: str = "a4"

    def set(self, document: Document, stem: str) -> Document:
        """The document as it is printed: under its files' name, on its paper."""
        return replace(document, stem=stem, paper=self.paper)

    def files(self, document: Document, path: str) -> dict[str, bytes]:
        """The document in every format, by path without ending; what lies beside it too."""
        from render.formats import FORMATS, files

        named = self.set(document, path.rpartition("/")[2])
        found: dict[str, bytes] = {}
        for each in self.formats:
            target = f"{path}{FORMATS[each].suffix}"
            made = files(named, each, Path(target), templates=self.templates)
            found |= {place.as_posix(): data for place, data in made.items()}
        return found


@dataclass(frozen=True)
class Work:
    """All that is needed for the copies of a class; called with a copy's number it writes that copy's files."""

    store: Store
    copies: tuple[Copy, ...]
    sheets: Sheets
    papers: Papers
    layout: Layout
    heading: Heading
    problems: tuple[str, ...]
    solutions: str = "separate"
    points: bool = False

    def __call__(self, number: int) -> None:
        """Write the files of a copy: everything is made before anything is written."""
        copy = self.copies[number - 1]
        record, contents = self.made(copy)
        self.store.put_copy(record, contents)

    def made(self, copy: Copy) -> tuple[Record, dict[str, bytes]]:
        """A copy's record and the contents of its files."""
        sheet = self.sheets.sheet(copy.variant)
        heading = self.heading_of(copy, sheet)
        names = [f"{SHEETS_FOLDER}/{copy.name}{suffix}.toml" for suffix in self.problems]
        contents = {
            name: self.papers.problem(part.problem).encode() for name, part in zip(names, sheet.parts, strict=True)
        }
        if self.solutions != "only":
            contents |= self.layout.files(self.papers.sheet(sheet, heading), f"{SHEETS_FOLDER}/{copy.name}")
        if self.solutions != "none":
            path = f"{SOLUTIONS_FOLDER}/{copy.name}_solutions"
            contents |= self.layout.files(self.papers.solution(sheet, heading), path)
        student = {"id": heading.student_id, "name": heading.student}
        record = {"number": copy.number, "name": copy.name, "variant": copy.variant, "seed": sheet.seed}
        return record | {"student": student, "answers": answers(sheet, names)}, contents

    def heading_of(self, copy: Copy | None, sheet: Sheet) -> Heading:
        """The head of a copy's papers; of no copy in particular: that of the variant."""
        several = len({each.variant for each in self.copies}) > 1
        student = copy.student if copy else None
        return replace(
            self.heading,
            student=student.name if student else "",
            student_id=student.id if student else "",
            variant=sheet.number if several else None,
            points=sheet.points if self.points else None,
        )

    def marking(self) -> dict[str, bytes]:
        """The marking scheme, with the numbers of the first variant."""
        if not self.copies:
            return {}
        sheet = self.sheets.sheet(self.copies[0].variant)
        return self.layout.files(self.papers.marking(sheet, self.heading_of(None, sheet)), "marking")

    def rehearse(self) -> None:
        """Raises `ChainruleError` for what would go wrong on every sheet; warms what forked processes then share.

        No PDF is compiled: the compiler's threads would be missing in a forked process.
        """
        from render.formats import render_text

        if not self.copies:
            return
        sheet = self.sheets.sheet(self.copies[0].variant)
        heading = self.heading_of(None, sheet)
        for part in sheet.parts:
            self.papers.problem(part.problem)
        documents = [self.papers.marking(sheet, heading)]
        documents += [self.papers.sheet(sheet, heading)] if self.solutions != "only" else []
        documents += [self.papers.solution(sheet, heading)] if self.solutions != "none" else []
        for document in documents:
            for each in self.layout.formats:
                render_text(self.layout.set(document, "sheet"), each, templates=self.layout.templates)
