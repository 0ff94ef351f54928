"""Multiple choice: the wrong answers are those that real mistakes give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from derive.formula import Number
from derive.variants.answers import Mistaken
from derive.variants.asked import Asked
from render.compose.pen import paragraph, prose
from render.document import Paragraph
from render.exercises.desk import Desk, Planned, in_words
from render.exercises.given import given_first
from render.exercises.kind import Kind, parameters
from render.exercises.kinds.calculation import steps
from render.exercises.kinds.gradient import asked, told
from render.exercises.lines import backward_lines, way_back
from render.exercises.model import ChoiceAnswer, Exercise, Item, Option

MOST_WRONG = 4

MULTIPLES = ("sign_of_error", "factor_two", "factor_half", "accumulated_twice")
"""Of mistakes that only multiply the right answer one is enough: several would show which it is."""


def make(desk: Desk, planned: Planned) -> Exercise:
    """Which of these is ∂E/∂w?"""
    target, pen = planned.about[0], desk.pen
    (asks,) = planned.asked
    right = desk.answers[asks]
    options = [Option(prose("{n}", n=Number(right.shown)), True, "Right.")]
    options += [Option(prose("{n}", n=Number(each.shown)), False, desk.sentence(each)) for each in _wrong(desk, asks)]
    points = 2 if planned.points is None else planned.points
    given = given_first(desk, way_back(desk, target), planned.withheld)
    values = given[0].inlines if len(given) == 1 and isinstance(given[0], Paragraph) else ()
    question = paragraph(
        "{values}{space}Which of these is {partial}, to {digits}? The others are what comes of a mistake that is often "
        "made.",
        values=values,
        space=" " if values else "",
        partial=pen.partial(None, target),
        digits=in_words(desk.carry),
    )
    item = Item(
        "",
        prose("{it}", it=pen.gradient_symbol(target)),
        ChoiceAnswer(tuple(desk.shuffled(options, "options"))),
        points,
    )
    *before, last = [replace(each, points=0, follows=()) for each in steps(desk, backward_lines(desk, target), 0)]
    solution = (*before, replace(last, points=points, criterion=prose("the right choice")))
    prompt = (question,) if values else (*given, question)
    return Exercise(planned.kind, "Which gradient is right?", prompt, (item,), solution)


def _wrong(desk: Desk, asks: Asked) -> Sequence[Mistaken]:
    """What different mistakes give: of each the first value, and of those that are multiples of the answer one."""
    right = desk.answers[asks]
    printed, names = {right.shown}, set[str]()
    found: list[Mistaken] = []
    later: list[Mistaken] = []
    for each in right.mistaken:
        name = each.mistakes[0][0]
        alike = "multiple" if name in MULTIPLES else name
        if each.shown in printed:
            continue
        printed.add(each.shown)
        (later if alike in names else found).append(each)
        names.add(alike)
    return [*found, *later][:MOST_WRONG]


KIND = Kind(
    "multiple_choice",
    "choose the right gradient among those that real mistakes give",
    parameters,
    make,
    asked,
    told,
)
