"""The answer key as data: what is right on each sheet, and what known mistakes give in place of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

from render.exercises.model import Answer, ChoiceAnswer, Feedback, FormulaAnswer, Item, NumberAnswer, OrderAnswer, Sheet

# ---- one sheet's ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Key:
    """A row of the key: one answer of one sheet.

    ``type`` is number, choice, order or formula. ``value`` of a number is the decimal string that `chainrule
    gradients --json` prints for ``problem``, at ``of``/``array``/``index``; choices are letters, orders capitals.
    """

    sheet: int
    variant: int
    student_id: str
    name: str
    file: str
    problem: str
    exercise: int
    kind: str
    item: str
    type: str
    quantity: str
    of: str
    array: str
    index: tuple[int, ...]
    value: str
    shown: str
    asked: str
    tolerance: str
    points: int


@dataclass(frozen=True)
class Mistake:
    """A value that known mistakes give for one answer of one sheet, and the points that are due all the same."""

    sheet: int
    variant: int
    student_id: str
    name: str
    exercise: int
    item: str
    quantity: str
    mistakes: tuple[str, ...]
    layers: tuple[str, ...]
    value: str
    shown: str
    points: int
    feedback: str


KEY = tuple(field.name for field in fields(Key))
MISTAKE = tuple(field.name for field in fields(Mistake))


def answers(sheet: Sheet, problems: Sequence[str]) -> list[dict[str, Any]]:
    """The answers of a sheet as plain data, each with its mistakes; ``problems`` are the files of its parts."""
    found = []
    number = 0
    for part, problem in zip(sheet.parts, problems, strict=True):
        for exercise in part.exercises:
            number += 1
            head = {"problem": problem, "exercise": number, "kind": exercise.kind}
            found += [head | _item(item) for item in exercise.items]
    return found


def _item(item: Item) -> dict[str, Any]:
    return {"item": item.letter, "points": item.points, **_answer(item.answer)}


def _answer(answer: Answer) -> dict[str, Any]:
    match answer:
        case NumberAnswer():
            return {
                "type": "number",
                "quantity": answer.quantity,
                "of": answer.of,
                "array": answer.array,
                "index": list(answer.index),
                "value": answer.value,
                "shown": answer.shown,
                "asked": answer.asked,
                "tolerance": answer.tolerance,
                "mistakes": [_mistake(each) for each in answer.feedback],
            }
        case ChoiceAnswer():
            right = [letter(place) for place, option in enumerate(answer.options) if option.right]
            return _words("choice", ", ".join(right))
        case OrderAnswer():
            orders = (answer.order, *answer.any_of)
            return _words("order", " or ".join(" ".join(map(letter, order)).upper() for order in orders))
        case FormulaAnswer():
            return _words("formula", answer.typed)


def _words(kind: str, value: str) -> dict[str, Any]:
    nothing = dict.fromkeys(("quantity", "of", "array", "asked", "tolerance"), "")
    return {"type": kind, **nothing, "index": [], "value": value, "shown": value, "mistakes": []}


def _mistake(feedback: Feedback) -> dict[str, Any]:
    return {
        "mistakes": [identifier for identifier, _ in feedback.mistakes],
        "layers": [str(layer) for _, layer in feedback.mistakes],
        "value": feedback.value,
        "shown": feedback.shown,
        "points": feedback.points,
        "feedback": feedback.words,
    }


def letter(place: int) -> str:
    """The letter of an option, as it is printed: a, b, …, z, aa."""
    before, last = divmod(place, 26)
    return (letter(before - 1) if before else "") + chr(ord("a") + last)


# ---- all sheets' ----------------------------------------------------------------------------


def key_rows(sheets: Sequence[dict[str, Any]]) -> Iterator[Key]:
    """A row for each answer; ``sheets`` are the records of the copies, in order."""
    for sheet in sheets:
        whose = _whose(sheet) | {"file": sheet["name"]}
        for answer in sheet["answers"]:
            told = {name: value for name, value in answer.items() if name != "mistakes"}
            yield Key(**whose, **told | {"index": tuple(answer["index"])})


def mistake_rows(sheets: Sequence[dict[str, Any]]) -> Iterator[Mistake]:
    """A row for each value that known mistakes give."""
    for sheet in sheets:
        whose = _whose(sheet)
        for answer in sheet["answers"]:
            where = {name: answer[name] for name in ("exercise", "item", "quantity")}
            for each in answer["mistakes"]:
                several = {name: tuple(each[name]) for name in ("mistakes", "layers")}
                yield Mistake(**whose, **where, **each | several)


def _whose(sheet: dict[str, Any]) -> dict[str, Any]:
    student = sheet["student"]
    return {
        "sheet": sheet["number"],
        "variant": sheet["variant"],
        "student_id": student["id"],
        "name": student["name"],
    }
