"""Compute a new weight: one step of the update."""

from __future__ import annotations

from collections.abc import Iterator

from derive.scalars import Scalar
from derive.update_rules import OPTIMIZERS
from derive.variants.asked import Asked
from render.compose import factors, rules
from render.compose.pen import prose
from render.document import Block, Equation
from render.exercises.desk import Desk, Ground, Planned
from render.exercises.given import given_first, told_of_way
from render.exercises.kind import Kind, Told, parameters
from render.exercises.kinds.calculation import calculated, to_digits
from render.exercises.lines import Line, backward_lines, way_back
from render.exercises.model import Exercise


def candidates(ground: Ground) -> Iterator[tuple[Scalar, ...]]:
    """The parameters that the update moves."""
    trained = ground.derivation.trained
    return (about for about in parameters(ground) if about[0].array in trained)


def asked(ground: Ground, about: tuple[Scalar, ...]) -> tuple[Asked, ...]:
    """w⁺."""
    return (Asked("updated", about[0]),)


def told(ground: Ground, about: tuple[Scalar, ...]) -> Told:
    """The forward values are given; the lines of the way back are to be found."""
    return told_of_way(ground, about[0])


def make(desk: Desk, planned: Planned) -> Exercise:
    """What is a weight after one step?"""
    target, pen = planned.about[0], desk.pen
    update = desk.derivation.problem.update
    assert update is not None, "only what an update moves is asked about"
    rule = rules.NAMES.get(update.rule, update.rule.replace("_", " "))
    prompt = prose(
        "One step of {rule} is made with the learning rate {eta}. What is {new}, the new value of {w}?"
        + to_digits(desk),
        rule=rule,
        eta=pen.rate.formula,
        new=pen.updated(target),
        w=pen.symbol(target),
    )
    given = (*_rule(desk, target), *given_first(desk, way_back(desk, target), planned.withheld))
    lines = [*backward_lines(desk, target), *_step(desk, target)]
    return calculated(desk, planned, "An update", prompt, lines, given)


def _rule(desk: Desk, target: Scalar) -> tuple[Block, ...]:
    """A rule with a memory or with constants of its own: what they are, and its equations."""
    pen, update = desk.pen, desk.derivation.problem.update
    if pen.plain_update or pen.sequential(target) or update is None:
        return ()
    lines = [block for block in rules.rule_lines(pen, target) if isinstance(block, Equation)]
    return (
        rules.introduction(pen, update, OPTIMIZERS[update.rule]),
        *(Equation(line.sides[:2]) for line in lines if len(line.sides) > 1),
    )


def _step(desk: Desk, target: Scalar) -> list[Line]:
    pen = desk.pen
    words = prose("Against the gradient, by the learning rate:")
    if pen.plain_update and not pen.sequential(target):
        return [Line(target, False, factors.update_line(pen, target), words)]
    blocks = [block for block in rules.rule_lines(pen, target) if isinstance(block, Equation)]
    if not blocks or pen.sequential(target):
        return [Line(target, False, factors.new_value(pen, target), words)]
    said = [prose("By the rule, line by line:"), *[prose("Then:")] * (len(blocks) - 1)]
    return [Line(target, False, block.sides, word) for block, word in zip(blocks, said, strict=True)]


KIND = Kind(
    "update",
    "compute a new weight after one step of the update",
    candidates,
    make,
    asked,
    told,
    nothing="the problem has no [update] that moves anything",
)
