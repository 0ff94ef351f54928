"""The marking scheme of an exercise: what each step is worth, within what an answer counts, what mistakes give."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import ROUND_DOWN, Context, Decimal

from derive.formula import Number, Side
from render.compose.pen import count, paragraph, prose
from render.compose.tables import Cell, table
from render.document import Block, Emphasis, Math, Paragraph, Strong, Text
from render.exercises.model import (
    ChoiceAnswer,
    Exercise,
    Feedback,
    FormulaAnswer,
    Item,
    NumberAnswer,
    OrderAnswer,
    Sheet,
    SolutionStep,
)

LETTERS = "abcdefghijklmnopqrstuvwxyz"
CAPITALS = LETTERS.upper()

MOST_MISTAKES = 12
"""So many mistakes stand in the marking scheme of an answer; the key has all."""


def in_points(points: int) -> str:
    """Points in words: 1 point, 3 points."""
    return f"{points} point{'' if points == 1 else 's'}"


def how_to_mark(sheet: Sheet) -> list[Block]:
    """What points are for, and where the other sheets' numbers are."""
    return [
        paragraph(
            "The sheet is worth {points}. Points are for steps: who makes a mistake loses the points of the step in "
            "which it was made, and no others as long as what follows is right with what came out (*error carried forward*). "
            "An answer counts as right within its tolerance, which is as far as rounding every result on the way can "
            "lead.",
            points=in_points(sheet.points),
        ),
        paragraph(
            "The numbers here are those of sheet {n}; the key has those of every sheet, and for each what known "
            "mistakes give in it.",
            n=sheet.number,
        ),
    ]


def marked(exercise: Exercise, number: int) -> list[Block]:
    """What each step of an exercise is worth, its answers, and what known mistakes give."""
    blocks: list[Block] = []
    worth = [step for step in exercise.solution if step.points]
    rows = [_step_row(place, step) for place, step in enumerate(worth, start=1)]
    carried = any(step.follows for step in worth)
    blocks += table(
        f"tab-steps-{number}",
        prose("What each step is worth."),
        ("step", "for what", "points", *(("with an earlier error",) if carried else ())),
        [row if carried else row[:3] for row in rows],
        (False, False, True, False)[: 4 if carried else 3],
    )
    for item in exercise.items:
        blocks += _item_marked(item, number)
    return blocks


def _step_row(place: int, step: SolutionStep) -> list[Cell]:
    return [str(place), step.criterion, str(step.points), step.follows]


def _item_marked(item: Item, number: int) -> Iterator[Block]:
    lead = (Text(f"{item.letter}) "),) if item.letter else ()
    match item.answer:
        case NumberAnswer(shown=shown, tolerance=tolerance, feedback=feedback):
            value = Math((Side(Number(shown), ""),))
            within = Math((Side(Number(_short(tolerance)), ""),))
            yield Paragraph((*lead, *item.label, Text(" ≈ "), value, Text(", accepted within ± "), within, Text(".")))
            if feedback:
                rows = _mistake_rows(feedback)
                name = f"tab-mistakes-{number}{'-' + item.letter if item.letter else ''}"
                caption = prose("What known mistakes give, and the points that are still due.")
                columns = ("answer", "mistake", "points")
                yield from table(name, caption, columns, rows[:MOST_MISTAKES], (True, False, True))
                if len(rows) > MOST_MISTAKES:
                    left = count(len(rows) - MOST_MISTAKES, "more mistake")
                    yield paragraph("The key has {left}, less plausible.", left=left)
        case ChoiceAnswer(options=options):
            right = ", ".join(LETTERS[k] for k, option in enumerate(options) if option.right)
            yield Paragraph((*lead, *item.label, Text(": "), Strong(right), Text(".")))
        case OrderAnswer(order=order):
            yield Paragraph((*lead, *item.label, Text(": "), Strong(", ".join(CAPITALS[k] for k in order)), Text(".")))
        case FormulaAnswer(formula=formula):
            yield Paragraph(
                (*lead, *item.label, Text(": "), Emphasis("any form that is equal to "), Math((Side(formula, ""),)))
            )


def _mistake_rows(feedback: Sequence[Feedback]) -> list[list[Cell]]:
    """A row for each mistake, the most plausible first, with the first of the values that it gives."""
    first: dict[str, Feedback] = {}
    for each in feedback:
        first.setdefault(each.words, each)
    return [[Number(each.shown), each.words, str(each.points)] for each in first.values()]


def _short(decimal: str) -> str:
    """A tolerance to two significant digits, rounded down so that it promises nothing."""
    return format(Context(prec=2, rounding=ROUND_DOWN).plus(Decimal(decimal)), "f")
