"""From a sheet to its papers: the exercises, their solutions, and the marking scheme, each a `Document`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from derive.formula import Gap, Number, Side
from render.compose.pen import count, paragraph, prose
from render.compose.tables import Cell, table
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
    Feedback,
    FormulaAnswer,
    Item,
    NumberAnswer,
    Option,
    OrderAnswer,
    Part,
    Sheet,
    SolutionStep,
)
from render.handout.heading import Heading

LETTERS = "abcdefghijklmnopqrstuvwxyz"
CAPITALS = LETTERS.upper()

MOST_MISTAKES = 12
"""So many mistakes stand in the marking scheme of an answer; the key has all."""

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
    document = _document(sheet, own, paper, stem, lambda part: (), _marked, named=False)
    return replace(document, blocks=(*_how_to_mark(sheet), *document.blocks))


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
            title += f" ({_points(exercise.points)})" if heading.points is not None else ""
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


def _points(points: int) -> str:
    return f"{points} point{'' if points == 1 else 's'}"


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


# ---- the marking scheme ------------------------------------------------------------------------


def _how_to_mark(sheet: Sheet) -> list[Block]:
    return [
        paragraph(
            "The sheet is worth {points}. Points are for steps: who makes a mistake loses the points of the step in which "
            "it was made and no others, as long as what follows is right with what came out (*error carried forward*). An "
            "answer counts as right within its tolerance, which is as far as rounding every result on the way can lead.",
            points=_points(sheet.points),
        ),
        paragraph(
            "The numbers here are those of sheet {n}; the key has those of every sheet, and for each what known mistakes "
            "give in it.",
            n=sheet.number,
        ),
    ]


def _marked(exercise: Exercise, number: int) -> list[Block]:
    blocks: list[Block] = []
    worth = [step for step in exercise.solution if step.points]
    rows = [_step_row(place, step) for place, step in enumerate(worth, start=1)]
    carried = any(step.follows for step in worth)
    blocks += table(
        f"tab-steps-{number}",
        prose("What each step is worth."),
        ("step", "for what", "points", *(("with an earlier error",) if carried else ())),
        [row if carried else row[:3] for row in rows],
        (False, False, True, False)[: 4 if carried else 3],
    )
    for item in exercise.items:
        blocks += _item_marked(item, number)
    return blocks


def _step_row(place: int, step: SolutionStep) -> list[Cell]:
    return [str(place), step.criterion, str(step.points), step.follows]


def _item_marked(item: Item, number: int) -> Iterator[Block]:
    lead = (Text(f"{item.letter}) "),) if item.letter else ()
    match item.answer:
        case NumberAnswer(shown=shown, tolerance=tolerance, feedback=feedback):
            value = Math((Side(Number(shown), ""),))
            within = Math((Side(Number(_short(tolerance)), ""),))
            yield Paragraph((*lead, *item.label, Text(" ≈ "), value, Text(", accepted within ± "), within, Text(".")))
            if feedback:
                rows = _mistake_rows(feedback)
                name = f"tab-mistakes-{number}{'-' + item.letter if item.letter else ''}"
                caption = prose("What known mistakes give, and the points that are still due.")
                columns = ("answer", "mistake", "points")
                yield from table(name, caption, columns, rows[:MOST_MISTAKES], (True, False, True))
                if len(rows) > MOST_MISTAKES:
                    left = count(len(rows) - MOST_MISTAKES, "more mistake")
                    yield paragraph("The key has {left}, less plausible.", left=left)
        case ChoiceAnswer(options=options):
            right = ", ".join(LETTERS[k] for k, option in enumerate(options) if option.right)
            yield Paragraph((*lead, *item.label, Text(": "), Strong(right), Text(".")))
        case OrderAnswer(order=order):
            yield Paragraph((*lead, *item.label, Text(": "), Strong(", ".join(CAPITALS[k] for k in order)), Text(".")))
        case FormulaAnswer(formula=formula):
            yield Paragraph(
                (*lead, *item.label, Text(": "), Emphasis("any form that is equal to "), Math((Side(formula, ""),)))
            )


def _mistake_rows(feedback: Sequence[Feedback]) -> list[list[Cell]]:
    """A row for each mistake, the most plausible first, with the first of the values that it gives."""
    first: dict[str, Feedback] = {}
    for each in feedback:
        first.setdefault(each.words, each)
    return [[Number(each.shown), each.words, str(each.points)] for each in first.values()]


def _short(decimal: str) -> str:
    """A tolerance to two significant digits, rounded down so that it promises nothing."""
    from decimal import ROUND_DOWN, Context, Decimal

    return format(Context(prec=2, rounding=ROUND_DOWN).plus(Decimal(decimal)), "f")
