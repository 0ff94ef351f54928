"""The sentences that exports add to an exercise: what stands round the blanks, and how mistakes are spoken of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from xml.etree.ElementTree import Element, SubElement

from derive.formula import Number
from render.document import Math, Text
from render.exercises.model import (
    ChoiceAnswer,
    Feedback,
    FormulaAnswer,
    Item,
    NumberAnswer,
    Option,
    OrderAnswer,
    Sheet,
)
from render.exports.accepted import Range, power, scaled, units
from render.exports.markup import Page, append
from render.numbering import plain_text

SOLUTION = "Worked solution"


def lead(page: Page, item: Item) -> Element:
    """A paragraph with what stands before an item's blank: its letter, its label and the sign of equality."""
    made = Element("p")
    if item.letter:
        SubElement(made, "strong").text = f"{item.letter})"
        append(made, " ")
    page.line(made, item.label)
    append(made, _between(item))
    return made


def _between(item: Item) -> str:
    """What stands between a label and its blank."""
    if not item.label:
        return ""
    named = isinstance(item.answer, FormulaAnswer) and isinstance(item.label[-1], Math)
    if named or isinstance(item.answer, NumberAnswer):
        return " = "
    return " " if plain_text(item.label).rstrip().endswith(("?", ":", ".")) else ": "


def asked(item: Item) -> str:
    """How a number is asked for, in parentheses."""
    return f" ({item.answer.asked})" if isinstance(item.answer, NumberAnswer) and item.answer.asked else ""


def in_units(item: Item) -> Item:
    """An item whose answer is too small for a platform, asked for in units of a power of ten; others as they are.

    The label says so, and so does what stands beside the blank; all values are moved exactly.
    """
    if not isinstance(item.answer, NumberAnswer) or not (exponent := power(item.answer)):
        return item
    unit = units(exponent)
    said = f"in units of {unit}: for 3 · {unit} enter 3"
    answer = scaled(item.answer, exponent)
    answer = replace(answer, asked=f"{answer.asked}, {said}" if answer.asked else said)
    return replace(item, label=(*item.label, Text(f" in units of {unit}")), answer=answer)


def with_items(sheet: Sheet, change: Callable[[tuple[Item, ...]], tuple[Item, ...]]) -> Sheet:
    """A sheet whose exercises' items have been changed."""
    parts = tuple(
        replace(part, exercises=tuple(replace(each, items=change(each.items)) for each in part.exercises))
        for part in sheet.parts
    )
    return replace(sheet, parts=parts)


def offered(choice: ChoiceAnswer) -> tuple[Option, ...]:
    """The options of a choice; where none of several is right, one more that says so, for platforms that need one."""
    if any(option.right for option in choice.options):
        return choice.options
    return (*choice.options, Option((Text("none of these"),), True))


def told(number: Range) -> str:
    """What is said to who hands in a known mistake's value."""
    return number.feedback.words if number.feedback else ""


def hint(feedback: Feedback) -> str:
    """The same where a platform shows it to everyone whose answer is wrong."""
    return f"If your answer is about {feedback.shown}: {feedback.words}"


def solution(page: Page, items: tuple[Item, ...], blocks: list[Element]) -> list[Element]:
    """The worked solution, the right answers under it."""
    made = Element("p")
    SubElement(made, "strong").text = SOLUTION
    return [made, *blocks, *(answer(page, item) for item in items)]


def answer(page: Page, item: Item) -> Element:
    """An item's right answer in a line."""
    made = lead(page, item)
    match item.answer:
        case NumberAnswer() as number:
            page.formula(made, Number(number.shown))
        case ChoiceAnswer() as choice:
            for position, option in enumerate(option for option in offered(choice) if option.right):
                append(made, "; " if position else "")
                page.line(made, option.inlines)
        case OrderAnswer(items, order):
            for position, place in enumerate(order):
                append(made, ", " if position else "")
                page.line(made, items[place])
        case FormulaAnswer(formula):
            page.formula(made, formula)
    return made
