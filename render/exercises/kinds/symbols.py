"""Symbols only: write a gradient as a formula, without numbers."""

from __future__ import annotations

from derive.formula import Formula, Side
from derive.plain import plain_equation
from render.compose.pen import paragraph, prose
from render.document import Equation
from render.exercises.blanks import is_numeric, of_formulas
from render.exercises.desk import Desk, Planned, split
from render.exercises.kind import Kind, parameters
from render.exercises.lines import Line, backward_lines
from render.exercises.model import Exercise, FormulaAnswer, Item, SolutionStep


def make(desk: Desk, planned: Planned) -> Exercise:
    """∂E/∂w in the names of the problem."""
    target, pen = planned.about[0], desk.pen
    lines = [_without_numbers(line) for line in backward_lines(desk, target)]
    points = len(lines) if planned.points is None else planned.points
    deltas = "" if len(lines) == 1 or not desk.views else " Deltas that you need get a formula of their own."
    prompt = paragraph(
        "Write {partial} as a formula in the names of the problem. No numbers." + deltas,
        partial=pen.partial(None, target),
    )
    solution = tuple(
        SolutionStep(
            (paragraph("{words}", words=line.words), Equation(line.sides)),
            due,
            prose("{it} as a formula", it=line.sides[0].formula),
        )
        for line, due in zip(lines, split(points, [1] * len(lines)), strict=True)
    )
    answer: Formula = lines[-1].sides[-1].formula
    item = Item(
        "",
        prose("{it}", it=pen.gradient_symbol(target)),
        FormulaAnswer(answer, plain_equation((Side(answer, ""),))),
        points,
    )
    return Exercise(planned.kind, "In symbols", (prompt,), (item,), solution, of_formulas(solution, planned.blanks))


def _without_numbers(line: Line) -> Line:
    kept = tuple(side for place, side in enumerate(line.sides) if place < 2 or not is_numeric(side.formula))
    return Line(line.scalar, line.adjoint, kept, line.words)


KIND = Kind("symbols", "write a gradient as a formula, without numbers", parameters, make, numbers=False)
