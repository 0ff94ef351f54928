"""What stands before the exercises: the network, and the numbers of this variant."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace

from derive.formula import Side
from derive.scalars import Scalar
from render.compose import drawings
from render.compose.brief import in_halves, network_in_short
from render.compose.network.opening import problem as network_problem
from render.compose.network.plan import Plan
from render.compose.opening import examples_table, network_in_words
from render.compose.pen import Pen, count, equation, paragraph, prose
from render.compose.tables import Cell
from render.document import Block, Figure, Inline, Reference
from render.exercises.desk import Ground

MOST_NUMBERS = 48
"""So many given numbers are listed one by one."""


def statement(ground: Ground, pen: Pen, prefix: str = "") -> tuple[Block, ...]:
    """The network and its numbers; ``prefix`` tells the identifiers of several problems on a sheet apart."""
    if ground.views:
        return tuple(_dense(ground, pen, prefix))
    return tuple(_renamed(block, prefix) for block in network_problem(Plan(pen)).blocks)


def _dense(ground: Ground, pen: Pen, prefix: str) -> Iterator[Block]:
    views = ground.views
    drawing = drawings.network(pen, views)
    yield network_in_short(pen, views)[0]
    yield Figure(
        f"{prefix}fig-network",
        drawing,
        prose("The network{and_numbers}.", and_numbers=drawings.shown_in_words(drawing)),
        network_in_words(pen, views),
    )
    yield paragraph(
        "Each unit adds up what comes in, each value times its weight, and passes the sum through its function:"
    )
    unit = views[0].net_of(0)
    yield equation(_symbols(pen, unit))
    if not views[0].row.over_axis and views[0].row.name != "identity":
        yield equation(_symbols(pen, views[0].out_of(0)))
    yield from _given(ground, pen, prefix)


def _symbols(pen: Pen, scalar: Scalar) -> tuple[Side, ...]:
    return (Side(pen.symbol(scalar), ""), Side(pen.elided(pen.definition(scalar))))


def _given(ground: Ground, pen: Pen, prefix: str) -> Iterator[Block]:
    derivation = ground.derivation
    program = derivation.program
    scalars = [
        each for name in program.given for each in derivation.graph.scalars(name) if name in pen.derivation.given
    ]
    if ground.views[0].examples > 1:
        yield from examples_table(pen, ground.views, f"{prefix}tab-examples")
        scalars = [each for each in scalars if each.array not in ("x", "t")]
    rows: list[list[Cell]] = [[pen.symbol(each), pen.value(each)] for each in scalars[:MOST_NUMBERS]]
    if pen.derivation.problem.update is not None:
        rows.append([pen.learning_rate, pen.rate])
    if rows:
        yield from in_halves(f"{prefix}tab-given", prose("The numbers."), ("", "value"), rows)
    if len(scalars) > MOST_NUMBERS:
        left = count(len(scalars) - MOST_NUMBERS, "more number")
        yield paragraph("{left} stand in the problem file.", left=left)


def _renamed(block: Block, prefix: str) -> Block:
    """A block with its identifiers told apart from those of other problems."""
    if not prefix:
        return block

    def changed(value: object) -> object:
        if isinstance(value, Reference):
            return replace(value, target=f"{prefix}{value.target}")
        if isinstance(value, tuple):
            return tuple(changed(each) for each in value)
        if is_dataclass(value) and isinstance(value, Block | Inline):
            made = {field.name: changed(getattr(value, field.name)) for field in fields(value)}
            if made.get("identifier"):
                made["identifier"] = f"{prefix}{made['identifier']}"
            return type(value)(**made)
        return value

    result = changed(block)
    assert isinstance(result, Block)
    return result
