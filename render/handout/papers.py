"""From a sheet to its papers: the exercises, their solutions, and the marking scheme, each a `Document`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from derive.formula import Gap, Number, Side
from render.compose.pen import paragraph, prose
from render.document import (
    Block,
    Choices,
    Document,
    Emphasis,
    Equation,
    Head,
    Inlines,
    ListBlock,
    Math,
    Paragraph,
    Section,
    Space,
    Strong,
    Table,
    Text,
)
from render.exercises.model import (
    ChoiceAnswer,
    Exercise,
    FormulaAnswer,
    Item,
    NumberAnswer,
    Option,
    OrderAnswer,
    Part,
    Sheet,
)
from render.handout.heading import Heading
from render.handout.marking import CAPITALS, how_to_mark, in_points, marked

TABLE_FROM = 5
"""So many numbers that are asked for stand in a table."""


def sheet_document(sheet: Sheet, heading: Heading, *, paper: str = "a4", stem: str = "sheet") -> Document:
    """What a student gets: the network, its numbers, and the exercises with room for the answers."""
    return _document(sheet, heading, paper, stem, lambda part: part.statement, _asked)


def solution_document(sheet: Sheet, heading: Heading, *, paper: str = "a4", stem: str = "solutions") -> Document:
    """The same with answers and worked solutions."""
    own = replace(heading, title=f"{heading.title}: solutions")
    return _document(sheet, own, paper, stem, lambda part: part.statement, _solved, named=False)


def marking_document(sheet: Sheet, heading: Heading, *, paper: str = "a4", stem: str = "marking") -> Document:
    """What each step is worth, what is due when an error is carried forward, and what known mistakes give."""
    own = replace(heading, title=f"{heading.title}: marking scheme", student="", student_id="", variant=None)
    document = _document(sheet, own, paper, stem, lambda part: (), marked, named=False)
    return replace(document, blocks=(*how_to_mark(sheet), *document.blocks))


Compose = Callable[[Exercise, int], Sequence[Block]]


def _document(
    sheet: Sheet,
    heading: Heading,
    paper: str,
    stem: str,
    opening: Callable[[Part], Sequence[Block]],
    compose: Compose,
    *,
    named: bool = True,
) -> Document:
    blocks: list[Block] = []
    number = 0
    several = len(sheet.parts) > 1
    for place, part in enumerate(sheet.parts, start=1):
        sections = []
        for exercise in part.exercises:
            number += 1
            title = f"Exercise {number}. {exercise.title}"
            title += f" ({in_points(exercise.points)})" if heading.points is not None else ""
            blocks_of = tuple(compose(exercise, number))
            sections.append(Section(f"exercise-{number}", (Text(title),), blocks_of, numbered=False))
        inner = (*opening(part), *sections)
        if several:
            blocks.append(Section(f"problem-{place}", (Text(part.problem.title),), inner, numbered=False))
        else:
            blocks += inner
    return Document(heading.title, tuple(blocks), stem=stem, head=_head(heading, named), paper=paper)


def _head(heading: Heading, named: bool) -> Head:
    return Head(
        course=heading.course,
        institution=heading.institution,
        logo=heading.logo,
        date=heading.date,
        student=heading.student,
        student_id=heading.student_id,
        variant=heading.variant,
        points=heading.points,
        named=named,
    )


# ---- the sheet ---------------------------------------------------------------------------------


def _asked(exercise: Exercise, number: int) -> list[Block]:
    blocks: list[Block] = [*exercise.prompt]
    scaffold = list(exercise.scaffold)
    if scaffold and not all(isinstance(block, Space) for block in scaffold):
        scaffold = _to_fill(scaffold)
    ticked = [item for item in exercise.items if isinstance(item.answer, ChoiceAnswer | OrderAnswer)]
    written = [item for item in exercise.items if item not in ticked]
    for item in ticked:
        blocks += _room(item)
    blocks += scaffold
    if len(written) >= TABLE_FROM:
        return [*blocks, _table_to_fill(written)]
    for item in written:
        blocks += _room(item)
    return blocks


def _to_fill(scaffold: Sequence[Block]) -> list[Block]:
    """The scaffold after what is to be done with it, in one paragraph with its first sentence: none stands alone."""
    first, *rest = scaffold
    if isinstance(first, Paragraph):
        return [Paragraph((Text("Fill in what is missing. "), *first.inlines)), *rest]
    return [paragraph("Fill in what is missing:"), *scaffold]


def _table_to_fill(items: Sequence[Item]) -> Table:
    widest = max((_number(item) for item in items), key=lambda number: len(number.text))
    rows = [(item.label, (Math((Side(Gap(widest), ""),)),)) for item in items]
    half = (len(rows) + 1) // 2
    empty: tuple[Inlines, Inlines] = ((), ())
    beside = tuple((*left, *(rows[half + k] if half + k < len(rows) else empty)) for k, left in enumerate(rows[:half]))
    header: tuple[Inlines, ...] = ((), prose("value"), (), prose("value"))
    return Table("", prose("The answers."), header, beside)


def _number(item: Item) -> Number:
    assert isinstance(item.answer, NumberAnswer), "only numbers stand in a table"
    return Number(item.answer.shown)


def _room(item: Item) -> Iterator[Block]:
    """Where the answer goes."""
    lead = (Text(f"{item.letter}) "),) if item.letter else ()
    match item.answer:
        case NumberAnswer(shown=shown):
            yield Paragraph(
                (*lead, Strong("Answer: "), *item.label, Text(" = "), Math((Side(Gap(Number(shown)), ""),)))
            )
        case ChoiceAnswer(options=options, several=several):
            if item.letter:
                yield Paragraph((*lead, *item.label, Text(":")))
            yield Choices(tuple(option.inlines for option in options), several)
        case OrderAnswer(items=items):
            yield ListBlock(tuple((Strong(f"{CAPITALS[k]} "), *each) for k, each in enumerate(items)))
            blank = Gap(Number("8" * (2 * len(items))))
            yield Paragraph((*lead, Strong("In order: "), Math((Side(blank, ""),))))
        case FormulaAnswer():
            yield Paragraph((*lead, Strong("Answer: "), *item.label, Text(":")))
            yield Space(2)


# ---- the solution ------------------------------------------------------------------------------


def _solved(exercise: Exercise, number: int) -> list[Block]:
    blocks: list[Block] = [*exercise.prompt]
    if len(exercise.items) < TABLE_FROM:  # of more the solution has a table
        blocks += (block for item in exercise.items for block in _answer(item))
    for step in exercise.solution:
        blocks += step.blocks
    return blocks


def _answer(item: Item) -> Iterator[Block]:
    lead = (Text(f"{item.letter}) "),) if item.letter else ()
    match item.answer:
        case NumberAnswer(shown=shown):
            value = Math((Side(Number(shown), ""),))
            yield Paragraph((*lead, Strong("Answer: "), *item.label, Text(" ≈ "), value))
        case ChoiceAnswer(options=options, several=several):
            if item.letter:
                yield Paragraph((*lead, *item.label, Text(":")))
            yield Choices(tuple(_with_reason(option) for option in options), several, _right(options))
        case OrderAnswer(order=order):
            letters = ", ".join(CAPITALS[k] for k in order)
            yield Paragraph((*lead, Strong("In order: "), Text(f"{letters}.")))
        case FormulaAnswer(formula=formula):
            yield Paragraph((*lead, Strong("Answer: "), *item.label, Text(":")))
            yield Equation((Side(formula, ""),))


def _right(options: Sequence[Option]) -> tuple[int, ...]:
    return tuple(place for place, option in enumerate(options) if option.right)


def _with_reason(option: Option) -> Inlines:
    return (*option.inlines, *((Text(". "), Emphasis(option.words)) if option.words else ()))
