"""Sheets and papers made by hand, so that what is done with a class can be tested without deriving anything."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import derive
from derive.errors import ChainruleError
from derive.formula import Number
from derive.problem import Problem
from render.document import Document, Paragraph, Text
from render.exercises.model import (
    ChoiceAnswer,
    Exercise,
    Feedback,
    FormulaAnswer,
    Item,
    NumberAnswer,
    Option,
    OrderAnswer,
    Part,
    Sheet,
)
from render.handout.copies import deal
from render.handout.heading import Heading
from render.handout.roster import Student
from render.handout.run import Handout
from render.handout.storing import Store
from render.handout.work import Layout, Papers, Work


def said(text: str) -> tuple[Text]:
    return (Text(text),)


def number(variant: int, array: str, index: tuple[int, ...], points: int, letter: str) -> Item:
    value = f"-0.0{variant}12345678901234567"
    feedback = (
        Feedback(
            (("sign_of_delta", 2), ("update_added", "all")), value[1:], value[1:7], "The sign is wrong.", points - 1
        ),
        Feedback((("bias_forgotten", 1),), f"0.5{variant}", "0.5000", "=The bias is missing.", 0),
    )
    answer = NumberAnswer(
        f"dE/d{array}{index}", value, value[:7], "4 significant digits", "5e-06", feedback, array, index, "gradients"
    )
    return Item(letter, said("∂E/∂w"), answer, points)


def exercises(variant: int) -> tuple[Exercise, ...]:
    options = tuple(Option(said(word), word == "right") for word in ("wrong", "right", "worse"))
    order = OrderAnswer(tuple(map(said, "abc")), (2, 0, 1), ((2, 1, 0),))
    formula = FormulaAnswer(Number("1"), "-(t - a)*a*(1 - a)")
    return (
        Exercise(
            "gradient",
            "Two gradients",
            (),
            (number(variant, "W2", (0, 1), 3, "a"), number(variant, "b2", (), 2, "b")),
            (),
        ),
        Exercise("choice", "Choose", (), (Item("", (), ChoiceAnswer(options), 1),), ()),
        Exercise("order", "Order", (), (Item("", (), order, 2),), ()),
        Exercise("symbols", "Derive", (), (Item("", (), formula, 4),), ()),
    )


XOR = derive.load("xor")


@dataclass(frozen=True)
class FakeSheets:
    """``fails`` on a variant, ``dies`` over one, waits ``seconds`` over each; ``parts`` is how many problems it has."""

    fails: tuple[int, ...] = ()
    dies: tuple[int, ...] = ()
    seconds: float = 0.0
    parts: int = 1

    def sheet(self, number: int) -> Sheet:
        time.sleep(self.seconds)
        if number in self.fails:
            raise ChainruleError(f"variant {number} cannot be drawn")
        if number in self.dies:
            os.kill(os.getpid(), signal.SIGKILL)
        return Sheet(number, 7000 + number, (Part(XOR, (), exercises(number)),) * self.parts)


def paper(kind: str, sheet: Sheet, heading: Heading) -> Document:
    whose = f"{heading.student} {heading.student_id} variant {heading.variant} points {heading.points}"
    lines = [said(f"{kind} {whose}"), *(said(exercise.title) for exercise in sheet.exercises)]
    return Document(f"{heading.title or 'Exercises'}", tuple(map(Paragraph, lines)))


def sheet_document(sheet: Sheet, heading: Heading) -> Document:
    return paper("sheet of", sheet, heading)


def solution_document(sheet: Sheet, heading: Heading) -> Document:
    return paper("solution of", sheet, heading)


def marking_document(sheet: Sheet, heading: Heading) -> Document:
    return paper("marking of", sheet, heading)


def problem_text(problem: Problem) -> str:
    return f'title = "{problem.title}"\n'


PAPERS = Papers(sheet_document, solution_document, marking_document, problem_text)

CLASS = (
    Student(1, "Ada Lovelace", "=1+2", "Ada", "Lovelace"),
    Student(2, "王小明", "0042"),
    Student(3, "=cmd|'/c calc'!A1", "-7"),
    Student(4, "محمد الفارسي", "@4"),
    Student(5, 'Robert "Bob"; O\'Neill, Jr.', "5"),
)


def handout(
    out: Path,
    sheets: Any = None,
    *,
    students: tuple[Student, ...] = CLASS,
    variants: int | None = None,
    formats: tuple[str, ...] = ("markdown",),
    workers: int = 2,
    method: str = "fork",
    choices: dict[str, Any] | None = None,
    combine: bool = False,
    solutions: str = "separate",
    points: bool = True,
) -> Handout:
    sheets = sheets or FakeSheets()
    suffixes = ("",) if sheets.parts == 1 else tuple(f"_p{part}" for part in range(sheets.parts))
    work = Work(
        Store(out),
        deal(students, variants, "xor"),
        sheets,
        PAPERS,
        Layout(formats),
        Heading(title="Sheet 3"),
        suffixes,
        solutions,
        points,
    )
    return Handout(work, choices or {"seed": 7}, combine, workers, method)


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
