"""Blanks in a worked solution: scaffolding that fades, from everything shown to an empty frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil

from derive.errors import ChainruleError, unknown
from derive.formula import Dots, Formula, Gap, Group, Mark, Negative, Number, Product, Sum, Symbol, children
from render.document import Block, Equation, Inline, Math, Paragraph, Space
from render.exercises.model import SolutionStep

LEVELS = {"none": 0.0, "results": 1 / 3, "factors": 2 / 3, "all": 1.0}
"""How much is left blank: nothing; the numbers; the formulas too; everything."""

LINES_PER_EQUATION = 2
MOST_SPACE = 14
LEAST_SPACE = 3


def share(text: str, place: str = "--blanks") -> float:
    """A level by name, or a share from 0 to 1. Raises ChainruleError for anything else."""
    if text in LEVELS:
        return LEVELS[text]
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    if 0 <= found <= 1:
        return found
    raise ChainruleError(f"{place}: {unknown(text, LEVELS)}; or a share from 0 to 1")


@dataclass(frozen=True)
class _Fading:
    """From which place on, counted over the whole solution, each stage of blanks begins."""

    results: float
    factors: float
    frames: float


def scaffold(solution: Sequence[SolutionStep], blank: float) -> tuple[Block, ...]:
    """The solution with a share of it left blank: the last steps first, results before formulas before everything."""
    blocks = [block for step in solution for block in step.blocks]
    equations = sum(isinstance(block, Equation) for block in blocks)
    if blank >= 1:
        return (Space(min(MOST_SPACE, max(LEAST_SPACE, LINES_PER_EQUATION * equations))),)
    fading = _Fading(*(_first_blank(equations, blank, LEVELS[low], LEVELS[high]) for low, high in _STAGES))
    made: list[Block] = []
    place = 0
    for block in blocks:
        if isinstance(block, Equation):
            made.append(_equation(block, place, fading))
            place += 1
        else:
            made.append(_sentence(block, place, fading))
    return tuple(made)


def of_formulas(solution: Sequence[SolutionStep], blank: float) -> tuple[Block, ...]:
    """The scaffold of what is answered with a formula: there the formulas are the results."""
    return scaffold(solution, min(2 * blank, LEVELS["factors"]) if blank <= LEVELS["factors"] else blank)


def shown(solution: Sequence[SolutionStep], blank: float) -> tuple[Block, ...]:
    """The scaffold of what is answered by ticking or ordering, which needs no room to write in."""
    return () if blank >= LEVELS["results"] else scaffold(solution, blank)


_STAGES = (("none", "results"), ("results", "factors"), ("factors", "all"))


def _first_blank(equations: int, blank: float, low: float, high: float) -> float:
    """The first equation that a stage leaves blank: at its beginning none, at its end all."""
    done = min(1.0, max(0.0, (blank - low) / (high - low)))
    return equations - ceil(round(equations * done, 9))


def _equation(block: Equation, place: int, fading: _Fading) -> Block:
    if place >= fading.frames:
        return Space(LINES_PER_EQUATION)
    kept = 1 if len(block.sides) > 1 else 0  # what stands alone goes on from the line before
    made, rest = list(block.sides[:kept]), block.sides[kept:]
    for side in rest:
        numeric = is_numeric(side.formula)
        if numeric and place >= fading.results:
            made.append(replace(side, formula=Gap(side.formula)))
        elif not numeric and place >= fading.factors:
            made.append(replace(side, formula=gapped(side.formula)))
        else:
            made.append(side)
    return replace(block, sides=tuple(made), boxed=False)


def _sentence(block: Block, place: int, fading: _Fading) -> Block:
    """A sentence with its numbers left blank, where the equations after it are."""
    if not isinstance(block, Paragraph) or place < fading.results:
        return block
    return replace(block, inlines=tuple(_inline(each) for each in block.inlines))


def _inline(inline: Inline) -> Inline:
    if not isinstance(inline, Math) or len(inline.sides) < 2:
        return inline
    first, *rest = inline.sides
    return Math(
        (first, *(replace(side, formula=Gap(side.formula)) if is_numeric(side.formula) else side for side in rest))
    )


def is_numeric(formula: Formula) -> bool:
    """Is a formula made of numbers alone?"""
    if isinstance(formula, Symbol | Dots):
        return False
    return isinstance(formula, Number) or (
        bool(children(formula)) and all(is_numeric(each) for each in children(formula))
    )


def gapped(formula: Formula) -> Formula:
    """A formula with a blank in place of each factor of each term."""
    match formula:
        case Sum(terms):
            return Sum(tuple(gapped(term) for term in terms))
        case Product(factors, sign):
            return Product(tuple(Gap(factor) for factor in factors), sign or "dot")
        case Negative(body):
            return Negative(gapped(body))
        case Mark(_, body):
            return gapped(body)
        case Group(body):
            return Group(gapped(body))
        case Dots():
            return formula
    return Gap(formula)
