"""The derivation as far as the step that went wrong, with that step marked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass, replace

from derive.formula import Formula, Mark, Number
from derive.scalars import Scalar
from render.compose import network
from render.compose.backward import backward_parts
from render.compose.closing import biases_part
from render.compose.forward import forward_part
from render.compose.opening import problem_part
from render.compose.pen import Pen, equation, paragraph
from render.compose.structure import LayerView, layer_views, select
from render.compose.verification.lines import WrittenLine, left_of
from render.document import Block, Equation, Inline, Note, Paragraph, Reference, Section, Strong, Text

LAST = ("update", "checks", "published", "matrix")
"""Sections of a page that come after the gradients."""


def up_to(pen: Pen, line: WrittenLine | None) -> list[Block]:
    """The sections of the worked example, cut after the step of the line, which is marked; all of them without one."""
    sections = _dense(pen, line) if pen.derivation.problem.dense else network.parts(pen)
    sections = [each for each in sections if each.identifier not in LAST]
    cut = None if line is None else _cut(pen, sections, line)
    kept = sections if cut is None else cut
    opening = (
        "What follows is the derivation as far as the step that went wrong."
        if cut is not None
        else "What follows is the derivation of the right gradients, to compare with step by step."
    )
    first, *rest = _without_dangling(kept)
    assert isinstance(first, Section), "a page begins with the problem"
    return [replace(first, blocks=(paragraph(opening), *first.blocks)), *rest]


def _dense(pen: Pen, line: WrittenLine | None) -> list[Section]:
    views = layer_views(pen.derivation)
    selection = select(pen.derivation, views, _shown(pen, views, line), pen.names)
    parts = [
        problem_part(pen, views),
        forward_part(pen, views),
        *backward_parts(pen, views, selection),
        biases_part(pen, views),
    ]
    return [part for part in parts if part is not None]


def _shown(pen: Pen, views: Sequence[LayerView], line: WrittenLine | None) -> str:
    """The weight that is worked out in full: the one of the line, or one of its unit."""
    if line is None:
        return "representative"
    scalar, variable = line.wrong.scalar, pen.derivation.program.variables[line.wrong.array]
    if variable.role == "weight":
        return pen.derivation.names.typed[scalar.array, scalar.index]
    if variable.role in ("net", "activation") and variable.layer:
        weight = Scalar(views[variable.layer - 1].weight.name, (scalar.index[-1], 0))
        return pen.derivation.names.typed[weight.array, weight.index]
    return "representative"


# ---- cutting ---------------------------------------------------------------------------------


def _cut(pen: Pen, sections: Sequence[Section], line: WrittenLine) -> list[Section] | None:
    """The sections up to the equation that computes what the line does; None where no equation does."""
    left = left_of(pen, line.wrong)
    wanted = {left, pen.partial(None, line.wrong.scalar)} if line.wrong.adjoint else {left}
    kept: list[Section] = []
    for section in sections:
        blocks = _cut_blocks(section.blocks, wanted, line)
        if blocks is not None:
            return [*kept, replace(section, blocks=blocks)]
        kept.append(section)
    return None


def _cut_blocks(blocks: Sequence[Block], wanted: set[Formula], line: WrittenLine) -> tuple[Block, ...] | None:
    for place, block in enumerate(blocks):
        if isinstance(block, Equation) and _computes(block, wanted):
            return (*blocks[: place + 1], *_mark(line))
        if isinstance(block, Section):
            inner = _cut_blocks(block.blocks, wanted, line)
            if inner is not None:
                return (*blocks[:place], replace(block, blocks=inner))
    return None


def _computes(block: Equation, wanted: set[Formula]) -> bool:
    """Does the equation compute one of these, to a number?"""
    first, last = _bare(block.sides[0].formula), _bare(block.sides[-1].formula)
    return first in wanted and isinstance(last, Number)


def _bare(formula: Formula) -> Formula:
    while isinstance(formula, Mark):
        formula = formula.body
    return formula


def _mark(line: WrittenLine) -> list[Block]:
    """The mark at the step: what stood there instead."""
    return [
        Paragraph((Strong("Here the calculation went wrong."), Text(" Probably this was written instead:"))),
        equation(line.written),
    ]


# ---- references to what was cut off ----------------------------------------------------------


def _without_dangling(sections: Sequence[Section]) -> list[Block]:
    """The sections without the paragraphs that point to what is no longer there."""
    known = set(_identifiers(sections))
    return [block for section in sections for block in _kept(section, known)]


def _kept(block: Block, known: set[str]) -> list[Block]:
    if isinstance(block, Section | Note):
        inner = tuple(each for part in block.blocks for each in _kept(part, known))
        return [replace(block, blocks=inner)] if inner else []
    return [block] if all(target in known for target in _pointed(block)) else []


def _identifiers(blocks: Sequence[Block]) -> Iterator[str]:
    for block in blocks:
        identifier = getattr(block, "identifier", "")
        if identifier:
            yield identifier
        if isinstance(block, Section | Note):
            yield from _identifiers(block.blocks)


def _pointed(value: object) -> Iterator[str]:
    """The targets of the references in a block."""
    if isinstance(value, Reference):
        yield value.target
    elif isinstance(value, tuple):
        for each in value:
            yield from _pointed(each)
    elif is_dataclass(value) and isinstance(value, Block | Inline):
        for field in fields(value):
            yield from _pointed(getattr(value, field.name))
