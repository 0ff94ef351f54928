"""What the kinds that ask for one calculated number share: the prompt, the answer, the lines that lead to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from derive.formula import Number
from derive.variants.asked import Asked
from render.compose.pen import paragraph, prose
from render.document import Block, Equation, Inlines
from render.exercises.blanks import scaffold
from render.exercises.desk import Desk, Planned, in_words, split
from render.exercises.lines import Line
from render.exercises.model import Exercise, SolutionStep


def steps(desk: Desk, lines: Sequence[Line], points: int) -> tuple[SolutionStep, ...]:
    """A step for each line, the points split over them; the last is the answer."""
    shares = split(points, [1] * len(lines))
    made = []
    for number, (line, due) in enumerate(zip(lines, shares, strict=True)):
        last = number == len(lines) - 1
        sentence = paragraph("{words}", words=line.words)
        block = Equation(line.sides, boxed=last and desk.pen.numbers)
        left = line.sides[0].formula
        made.append(
            SolutionStep(
                (sentence, block),
                due,
                prose("{it}: formula and number", it=left),
                () if number == 0 else prose("with a wrong value from before, used rightly, full points"),
            )
        )
    return tuple(made)


def default_points(lines: Sequence[Line], planned: Planned) -> int:
    """A point for each line, unless the sheet says otherwise."""
    return len(lines) if planned.points is None else planned.points


def calculated(
    desk: Desk, planned: Planned, title: str, prompt: Inlines, lines: Sequence[Line], given: tuple[Block, ...] = ()
) -> Exercise:
    """An exercise that asks for one number, worked out in lines; ``given``: what they start from."""
    (asked,) = planned.asked
    points = default_points(lines, planned)
    solution = steps(desk, lines, points)
    answer = paragraph(
        "So {it} is {number} to {digits}.",
        it=desk.label(asked),
        number=number_text(desk, asked),
        digits=in_words(desk.carry),
    )
    whole = (*solution[:-1], replace(solution[-1], blocks=(*solution[-1].blocks, answer)))
    asks = (paragraph("{prompt}", prompt=prompt), *given)
    worth = {line.scalar.array: step.points for line, step in zip(lines, solution, strict=True)}
    return Exercise(
        planned.kind, title, asks, (desk.item(asked, points, worth),), whole, scaffold(solution, planned.blanks)
    )


def number_text(desk: Desk, asked: Asked) -> Inlines:
    """The answer as a number in a sentence."""
    return prose("{n}", n=Number(desk.shown(asked)))


def to_digits(desk: Desk) -> str:
    """The end of a prompt: how exactly to calculate."""
    return f" Carry {in_words(desk.carry)}."
