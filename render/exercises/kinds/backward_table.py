"""The whole backward pass as a table: every delta and every gradient."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from derive.formula import Formula, Number
from derive.scalars import Scalar
from derive.variants.asked import Asked
from render.compose.pen import paragraph, prose
from render.compose.tables import Cell, table
from render.document import Block, Equation
from render.exercises.blanks import scaffold
from render.exercises.desk import Desk, Ground, Planned, in_words, split
from render.exercises.given import given_first
from render.exercises.kind import Kind, Told
from render.exercises.lines import Line, backward_lines, known_values
from render.exercises.model import Exercise, Item, SolutionStep

MOST_ROWS = 24
"""A table of more rows is no exercise for paper."""


def candidates(ground: Ground) -> Iterator[tuple[Scalar, ...]]:
    """All of it, once, where it is small enough."""
    found = _all(ground)
    if found and len(found) <= MOST_ROWS:
        yield tuple(each.scalar for each in found)


def _all(ground: Ground) -> tuple[Asked, ...]:
    derivation = ground.derivation
    steps, program = derivation.gradient_steps, derivation.program
    nets = [variable.name for variable in program.by_role("net") if variable.name in program.definitions]
    deltas = [
        Asked("delta", each) for name in reversed(nets) for each in derivation.graph.scalars(name) if each in steps
    ]
    parameters = sorted(program.parameters, key=lambda name: -program.variables[name].layer)
    gradients = [
        Asked("gradient", each) for name in parameters for each in derivation.graph.scalars(name) if each in steps
    ]
    return (*deltas, *gradients)


def asked(ground: Ground, about: tuple[Scalar, ...]) -> tuple[Asked, ...]:
    """Every delta and every gradient."""
    return _all(ground)


def told(ground: Ground, about: tuple[Scalar, ...]) -> Told:
    """The forward values are given."""
    values = known_values(ground, [each.scalar for each in _all(ground)])
    return Told(tuple(Asked("value", each) for each in values))


def make(desk: Desk, planned: Planned) -> Exercise:
    """Fill in the table of the backward pass."""
    total = len(planned.asked) if planned.points is None else planned.points
    shares = split(total, [1] * len(planned.asked))
    items = tuple(
        desk.item(each, due, letter=_letter(number))
        for number, (each, due) in enumerate(zip(planned.asked, shares, strict=True))
    )
    steps = tuple(_step(desk, each, item) for each, item in zip(planned.asked, items, strict=True))
    given = given_first(desk, [each.scalar for each in planned.asked], planned.withheld)
    last = replace(steps[-1], blocks=(*steps[-1].blocks, *_table(desk, planned)))
    solution = (*steps[:-1], last)
    prompt = paragraph(
        "Do the whole backward pass: compute every delta and every gradient, and fill in the table. Carry {digits}.",
        digits=in_words(desk.carry),
    )
    shown = () if planned.blanks >= 1 else scaffold(solution[:-1], planned.blanks)
    return Exercise(planned.kind, "The backward pass", (prompt, *given), items, solution, shown)


def _letter(number: int) -> str:
    return "abcdefghijklmnopqrstuvwxyz"[number]


def _line(desk: Desk, asked: Asked) -> Line:
    return backward_lines(desk, asked.scalar)[-1]


def _step(desk: Desk, asked: Asked, item: Item) -> SolutionStep:
    line = _line(desk, asked)
    return SolutionStep(
        (Equation(line.sides),),
        item.points,
        prose("{it}", it=line.sides[0].formula),
        prose("with a wrong value from before, used rightly, full points"),
    )


def _table(desk: Desk, planned: Planned) -> tuple[Block, ...]:
    rows: list[list[Cell]] = []
    for each in planned.asked:
        label: Formula = desk.label(each)
        rows.append([label, Number(desk.shown(each))])
    return table(
        "", prose("The backward pass, to {digits}.", digits=in_words(desk.carry)), ("", "value"), rows, (False, True)
    )


KIND = Kind(
    "backward_table",
    "the whole backward pass as a table of deltas and gradients",
    candidates,
    make,
    asked,
    told,
    nothing=f"its backward pass has no rows, or more than the {MOST_ROWS} that a person would fill in",
)
