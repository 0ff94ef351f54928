"""Multiple choice: the wrong answers are those that real mistakes give."""

from __future__ import annotations

from derive.formula import Number
from derive.scalars import Scalar
from derive.variants.asked import Asked
from render.compose.pen import paragraph, prose
from render.exercises.desk import Desk, Ground, Planned, in_words, sentence
from render.exercises.kind import Kind, parameters
from render.exercises.kinds.calculation import steps
from render.exercises.lines import backward_lines, starting_from
from render.exercises.model import ChoiceAnswer, Exercise, Item, Option

MOST_WRONG = 4


def asked(ground: Ground, about: tuple[Scalar, ...]) -> tuple[Asked, ...]:
    """∂E/∂w."""
    return (Asked("gradient", about[0]),)


def make(desk: Desk, planned: Planned) -> Exercise:
    """Which of these is ∂E/∂w?"""
    target, pen = planned.about[0], desk.pen
    (asks,) = planned.asked
    right = desk.answers[asks]
    options = [Option(prose("{n}", n=Number(right.shown)), True, "Right.")]
    printed = {right.shown}
    for each in right.mistaken:
        if each.shown not in printed and len(options) <= MOST_WRONG:
            printed.add(each.shown)
            options.append(Option(prose("{n}", n=Number(each.shown)), False, sentence(each)))
    lines = backward_lines(desk, target)
    points = 2 if planned.points is None else planned.points
    prompt = paragraph(
        "Which of these is {partial}, to {digits}? The others are what comes of a mistake that is often made.",
        partial=pen.partial(None, target),
        digits=in_words(desk.carry),
    )
    item = Item(
        "",
        prose("{it}", it=pen.gradient_symbol(target)),
        ChoiceAnswer(tuple(desk.shuffled(options, "options"))),
        points,
    )
    solution = steps(desk, lines, points, before=starting_from(desk, lines))
    return Exercise(planned.kind, "Which gradient is right?", (prompt,), (item,), solution)


KIND = Kind(
    "multiple_choice",
    "choose the right gradient among those that real mistakes give",
    parameters,
    make,
    asked,
)
