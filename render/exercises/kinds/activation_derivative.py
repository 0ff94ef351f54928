"""Derive the derivative of an activation from its definition."""

from __future__ import annotations

from collections.abc import Iterator

from derive.differentiation import of_activation
from derive.differentiation.worked import LETTERS
from derive.formula import Side
from derive.functions import z
from derive.plain import plain_equation
from derive.scalars import Scalar
from derive.verification.structure import Structure
from render.compose.definitions import in_words as rule_in_words
from render.compose.definitions import short
from render.compose.opening import function_words
from render.compose.pen import paragraph, prose
from render.document import Equation
from render.exercises.blanks import of_formulas
from render.exercises.desk import Desk, Ground, Planned, split
from render.exercises.kind import Kind
from render.exercises.model import Exercise, FormulaAnswer, Item, SolutionStep

PLAIN = ("identity",)
"""Activations whose derivative nobody has to derive."""


def candidates(ground: Ground) -> Iterator[tuple[Scalar, ...]]:
    """A net input of each activation that occurs."""
    seen: set[str] = set(PLAIN)
    for squash in Structure(ground.base.program).squashes:
        if squash.row is not None and squash.name not in seen and squash.source in ground.derivation.program.variables:
            seen.add(squash.name)
            yield (next(ground.derivation.graph.scalars(squash.source)),)


def make(desk: Desk, planned: Planned) -> Exercise:
    """Show that σ′ = σ(1 − σ)."""
    net = planned.about[0]
    squash = next(each for each in Structure(desk.ground.base.program).squashes if each.source == net.array)
    assert squash.row is not None, "softmax is no function of one value"
    constant = next(iter(squash.constants.values()), None)
    (worked,) = of_activation(squash.row, constant=constant)
    first, *others = worked.lines
    points = max(2, len(others)) if planned.points is None else planned.points
    shares = split(points, [1] * len(others))
    pen = desk.pen
    steps = [
        SolutionStep(
            (
                *((Equation((Side(worked.left, ""), Side(short(pen, first.formula)))),) if number == 0 else ()),
                paragraph("{words}", words=rule_in_words(line, worked, LETTERS[z])),
                Equation((Side(short(pen, line.formula)),), boxed=number == len(others) - 1),
            ),
            due,
            rule_in_words(line, worked, LETTERS[z]),
        )
        for number, (line, due) in enumerate(zip(others, shares, strict=True))
    ]
    result = worked.lines[-1].formula
    prompt = paragraph(
        "Derive the derivative of {function}, from its definition, one rule after the other, and bring it into the form "
        "in which it is used: with the function's own value, where that is shorter.",
        function=function_words(squash.row.name),
    )
    item = Item("", prose("{it}", it=worked.left), FormulaAnswer(result, plain_equation((Side(result, ""),))), points)
    solution = tuple(steps)
    title = "The derivative of an activation"
    return Exercise(planned.kind, title, (prompt,), (item,), solution, of_formulas(solution, planned.blanks))


KIND = Kind(
    "activation_derivative",
    "derive the derivative of an activation from its definition",
    candidates,
    make,
    numbers=False,
    nothing="it has no activation whose derivative would have to be derived",
)
