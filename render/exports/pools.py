"""Sheets as pools of questions: one for each exercise, its variants inside, of which a platform draws one."""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from derive.errors import ChainruleError
from derive.tex_names import clean
from render.document import Block, Document, Inlines, Text
from render.exercises.model import (
    Answer,
    ChoiceAnswer,
    Exercise,
    Item,
    Option,
    OrderAnswer,
    Part,
    Sheet,
)
from render.numbering import Target, number, targets

MOST_WRONG = 4  # orders beside the right one, where an order is asked for as a choice


@dataclass(frozen=True)
class Question:
    """One question of one variant: items of one exercise, and all that stands before and after them.

    ``body`` is the statement, the prompt and the scaffold; ``solution`` the worked solution; both are numbered, and
    ``targets`` is what their references point to. ``identifier`` is the same for the same sheet, ASCII and a NCName.
    """

    identifier: str
    name: str
    variant: int
    kind: str
    body: tuple[Block, ...]
    items: tuple[Item, ...]
    solution: tuple[Block, ...]
    targets: dict[str, Target]

    @property
    def points(self) -> int:
        """What the question is worth."""
        return sum(item.points for item in self.items)


@dataclass(frozen=True)
class Pool:
    """The variants of one exercise, or of one part of it where the platform has no question that holds it whole."""

    identifier: str
    problem: str
    title: str
    questions: tuple[Question, ...]

    @property
    def points(self) -> int:
        """What each of its questions is worth."""
        return self.questions[0].points


Together = Callable[[tuple[Item, ...]], tuple[tuple[Item, ...], ...]]


def whole(items: tuple[Item, ...]) -> tuple[tuple[Item, ...], ...]:
    """All items in one question."""
    return (items,)


def apart(held: Callable[[Answer], bool]) -> Together:
    """The items whose answers are ``held`` in one question, each of the others in one of its own."""

    def split(items: tuple[Item, ...]) -> tuple[tuple[Item, ...], ...]:
        together = tuple(item for item in items if held(item.answer))
        first = together[0] if together else None
        return tuple(together if item is first else (item,) for item in items if item is first or not held(item.answer))

    return split


def pools(sheets: Sequence[Sheet], stem: str, together: Together = whole) -> tuple[Pool, ...]:
    """The pools of some variants of one sheet; their questions say which variant they are of, from ``sheet.number``."""
    found: list[Pool] = []
    if not sheets or not sheets[0].exercises:
        raise ChainruleError("there are no exercises to make questions of")
    first = sheets[0]
    for position, (part, exercise) in enumerate(_placed(first), 1):
        for group, items in enumerate(together(exercise.items)):
            split = len(items) < len(exercise.items)
            letters = "".join(item.letter for item in items) if split else ""
            key = f"{slug(stem)}-s{first.seed}-e{position}{f'-{group + 1}' if split else ''}"
            questions = []
            for sheet in sheets:
                own = _placed(sheet)[position - 1]
                place = f"Exercise {position}{letters}, variant {sheet.number}"
                questions.append(_question(f"{key}-v{sheet.number}", place, sheet, *own, together(own[1].items)[group]))
            title = f"{position}{letters}. {clean(exercise.title)}"
            found.append(Pool(key, clean(part.problem.title) or stem, title, tuple(questions)))
    return tuple(found)


def _placed(sheet: Sheet) -> list[tuple[Part, Exercise]]:
    return [(part, exercise) for part in sheet.parts for exercise in part.exercises]


def _question(
    identifier: str, place: str, sheet: Sheet, part: Part, exercise: Exercise, items: tuple[Item, ...]
) -> Question:
    before = (*part.statement, *exercise.prompt, *exercise.scaffold)
    after = tuple(block for step in exercise.solution for block in step.blocks)
    document = number(Document("", (*before, *after)))
    body, solution = document.blocks[: len(before)], document.blocks[len(before) :]
    name = f"{place}: {clean(exercise.title)}"
    return Question(identifier, name, sheet.number, exercise.kind, body, items, solution, targets(document))


def slug(stem: str) -> str:
    """A stem as identifiers take it: ASCII letters, digits and hyphens, begun with a letter, and never too long."""
    plain = re.sub(r"[^A-Za-z0-9]+", "-", stem).strip("-").lower()
    if plain == stem and len(plain) <= 24 and plain[:1].isalpha():
        return plain
    return f"c{hashlib.sha256(stem.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}-{plain[:14]}".strip("-")


def as_choice(answer: OrderAnswer) -> ChoiceAnswer | None:
    """An order that is not the only right one, as a choice among orders; None where every order is right.

    For platforms whose questions of order know one right order only: there, an order that is right too would be
    marked wrong.
    """
    right = {answer.order, *answer.any_of}
    every = itertools.permutations(sorted(answer.order))
    wrong = list(itertools.islice((order for order in every if order not in right), MOST_WRONG))
    if not wrong:
        return None
    orders = [*wrong]
    orders.insert(sum(answer.order[: len(answer.order) // 2 + 1]) % (len(wrong) + 1), answer.order)
    return ChoiceAnswer(tuple(Option(_in_order(answer, order), order == answer.order) for order in orders))


def _in_order(answer: OrderAnswer, order: Sequence[int]) -> Inlines:
    joined = [inline for place in order for inline in (Text(", "), *answer.items[place])]
    return tuple(joined[1:])


def without_free_orders(question_items: tuple[Item, ...]) -> tuple[Item, ...]:
    """The items, those of an order that is not the only right one as choices (see `as_choice`)."""
    return tuple(_one_order(item) for item in question_items)


def _one_order(item: Item) -> Item:
    if isinstance(item.answer, OrderAnswer) and item.answer.any_of and (choice := as_choice(item.answer)):
        return replace(item, answer=choice)
    return item
