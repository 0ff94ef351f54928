r"""Cloze: the blanks of Moodle's embedded answers, and the escaping that their little language asks for.

A blank is ``{points:NUMERICAL:=value:tolerance#feedback~%50%value:tolerance#feedback}``. Moodle takes an answer or a
feedback up to the next ``~`` or ``}`` that no backslash precedes (an answer also up to ``#``), then decodes entities
once and drops the backslash of ``\}`` and of ``\#``. It never drops that of ``\~``, so a tilde is an entity.
"""

from __future__ import annotations

import re
from fractions import Fraction
from xml.etree.ElementTree import Element

from render.exercises.model import ChoiceAnswer, Item, NumberAnswer
from render.exports import wording
from render.exports.accepted import ranges, written
from render.exports.markup import Page, append, inner_html
from render.exports.shares import share, shares

# A place in the text that the blank replaces when the text is written; no cleaned text can hold this character.
MARK = "\ue000"
PLACE = re.compile(f"{MARK}([0-9]+){MARK}")
BLANK = re.compile(r"\{(?=[0-9]*:|#)")  # what Moodle would take for a blank of its own
ENTITIES = {"&": "&amp;", "~": "&#126;", '"': "&quot;", "}": r"\}", "#": r"\#"}
ESCAPES = re.compile('[&~"}#]')


def escape(markup: str) -> str:
    """HTML text as a blank's answer or feedback holds it."""
    made = ESCAPES.sub(lambda sign: ENTITIES[sign.group()], markup)
    made = BLANK.sub("&#123;", made.replace("\n", " "))
    return f"{made} " if made.endswith(("\\", "&")) else made  # else it would escape what comes next


def blank(parent: Element, position: int) -> None:
    """A place for the blank of the item at this position."""
    append(parent, f"{MARK}{position}{MARK}")


def in_cloze(text: str, items: tuple[Item, ...], page: Page) -> str:
    """HTML text with its blanks written out, in which nothing else looks like one."""
    guarded = BLANK.sub("&#123;", text)
    return PLACE.sub(lambda place: written_blank(items[int(place.group(1))], page), guarded)


def written_blank(item: Item, page: Page) -> str:
    """The blank of one item."""
    match item.answer:
        case NumberAnswer():
            alternatives = [_number(page, *each) for each in _numbers(item)]
            kind = "NUMERICAL"
        case ChoiceAnswer() as choice:
            alternatives = _options(page, choice)
            kind = "MULTIRESPONSE_S" if choice.several else "MULTICHOICE_VS"
        case _:
            raise TypeError(f"no blank holds a {type(item.answer).__name__}")
    return f"{{{item.points}:{kind}:{'~'.join(alternatives)}}}"


def _numbers(item: Item) -> list[tuple[str, str, str]]:
    return [
        (share(number.share), f"{written(number.value)}:{written(number.tolerance)}", wording.told(number))
        for number in ranges(item)
    ]


def _number(page: Page, fraction: str, value: str, words: str) -> str:
    return _alternative(fraction, value, _html(page, words))


def _options(page: Page, choice: ChoiceAnswer) -> list[str]:
    return [
        _alternative(fraction, escape(inner_html(page.line(Element("p"), option.inlines))), _html(page, option.words))
        for option, fraction in zip(wording.offered(choice), shares(choice), strict=True)
    ]


def _html(page: Page, words: str) -> str:
    line = Element("p")
    page.text(line, words)
    return escape(inner_html(line))


def _alternative(fraction: str, answer: str, feedback: str) -> str:
    sign = "=" if Fraction(fraction) == 100 else f"%{fraction}%"
    return f"{sign}{answer}{f'#{feedback}' if feedback else ''}"
