r"""Moodle XML: a category for each exercise, in it the question of each variant.

Formulas are TeX between ``\(`` and ``\)``, which Moodle's MathJax filter sets. Moodle's text cleaning drops inline
SVG, so that figures are files of their own, embedded beside the text and shown with ``<img>``.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Sequence
from xml.etree.ElementTree import Element, SubElement, indent

from render.exercises.model import Answer, ChoiceAnswer, FormulaAnswer, Item, NumberAnswer, OrderAnswer, Sheet
from render.exports import wording
from render.exports.accepted import ranges, written
from render.exports.cloze import blank, in_cloze
from render.exports.formulas import tex_equation_of, tex_line
from render.exports.markup import Page, Style, append, html, inner_html
from render.exports.pools import Pool, Question, apart, pools, without_free_orders
from render.exports.shares import share, shares
from render.exports.tree import as_file

STYLE = Style(tex_line, tex_equation_of, lambda name: f"@@PLUGINFILE@@/{name}")


def moodle(sheets: Sequence[Sheet], stem: str) -> bytes:
    """The questions of some variants of one sheet as Moodle XML."""
    quiz = Element("quiz")
    prepared = pools([_ordered(sheet) for sheet in sheets], stem, apart(_held))
    for pool in prepared:
        _category(quiz, pool)
        for question in pool.questions:
            _question(quiz, question, stem)
    indent(quiz)
    return as_file(quiz)


# ---- the frame of a question ---------------------------------------------------------------


def _held(answer: Answer) -> bool:
    """What a cloze question holds: numbers and choices."""
    return isinstance(answer, NumberAnswer | ChoiceAnswer)


def _ordered(sheet: Sheet) -> Sheet:
    return wording.with_items(sheet, without_free_orders)


def _category(quiz: Element, pool: Pool) -> None:
    path = [name.replace("/", "//")[:200] for name in (pool.problem, pool.title)]
    made = SubElement(quiz, "question", type="category")
    SubElement(SubElement(made, "category"), "text").text = "/".join(["$course$", "chainrule", *path])
    SubElement(SubElement(made, "info", format="html"), "text")
    SubElement(made, "idnumber").text = pool.identifier


def _question(quiz: Element, question: Question, stem: str) -> None:
    kind = _kind(question)
    made = SubElement(quiz, "question", type=kind)
    SubElement(SubElement(made, "name"), "text").text = question.name[:250]
    _rich(made, "questiontext", question, lambda page: _body(page, question, kind), cloze=kind == "cloze")
    _rich(made, "generalfeedback", question, lambda page: _solution(page, question))
    for tag, text in (
        ("defaultgrade", str(question.points)),
        ("penalty", "0.3333333"),
        ("hidden", "0"),
        ("idnumber", question.identifier),
    ):
        SubElement(made, tag).text = text
    WRITERS[kind](made, question)
    tags = SubElement(made, "tags")
    for tag in ("chainrule", question.kind, stem):
        SubElement(SubElement(tags, "tag"), "text").text = tag


def _kind(question: Question) -> str:
    match question.items:
        case (Item(answer=NumberAnswer()),):
            return "numerical"
        case (Item(answer=ChoiceAnswer()),):
            return "multichoice"
        case (Item(answer=OrderAnswer(any_of=())),):
            return "ordering"
        case (Item(answer=OrderAnswer() | FormulaAnswer()),) | ():
            return "essay"
        case _:
            return "cloze"


def _rich(
    parent: Element, tag: str, question: Question, make: Callable[[Page], Iterable[Element]], *, cloze: bool = False
) -> Element:
    """Text with markup, and the files of its figures beside it."""
    page = Page(STYLE, question.targets)
    made = SubElement(parent, tag, format="html")
    text = html(make(page))
    SubElement(made, "text").text = in_cloze(text, question.items, page) if cloze else text
    for name, content in sorted(page.files.items()):
        file = SubElement(made, "file", name=name, path="/", encoding="base64")
        file.text = base64.b64encode(content).decode("ascii")
    return made


def _body(page: Page, question: Question, kind: str) -> list[Element]:
    made = page.blocks(question.body)
    for position, item in enumerate(question.items):
        line = wording.lead(page, item)
        if kind == "cloze":
            blank(line, position)
        append(line, wording.asked(item))
        made.append(line)
    return made


def _solution(page: Page, question: Question) -> list[Element]:
    return wording.solution(page, question.items, page.blocks(question.solution))


# ---- the kinds of questions ----------------------------------------------------------------


def _numerical(made: Element, question: Question) -> None:
    (item,) = question.items
    for number in ranges(item):
        answer = SubElement(made, "answer", fraction=share(number.share), format="moodle_auto_format")
        SubElement(answer, "text").text = written(number.value)
        _words(answer, "feedback", wording.told(number))
        SubElement(answer, "tolerance").text = written(number.tolerance)
    for tag, text in (("unitgradingtype", "0"), ("unitpenalty", "0.1"), ("showunits", "3"), ("unitsleft", "0")):
        SubElement(made, tag).text = text


def _multichoice(made: Element, question: Question) -> None:
    choice = question.items[0].answer
    assert isinstance(choice, ChoiceAnswer)
    for tag, text in (
        ("single", "false" if choice.several else "true"),
        ("shuffleanswers", "true"),
        ("answernumbering", "abc"),
        ("showstandardinstruction", "1" if choice.several else "0"),
    ):
        SubElement(made, tag).text = text
    _combined(made)
    for option, fraction in zip(wording.offered(choice), shares(choice), strict=True):
        answer = SubElement(made, "answer", fraction=fraction, format="html")
        SubElement(answer, "text").text = inner_html(Page(STYLE, question.targets).line(Element("p"), option.inlines))
        _words(answer, "feedback", option.words)


def _ordering(made: Element, question: Question) -> None:
    order = question.items[0].answer
    assert isinstance(order, OrderAnswer)
    for tag, text in (
        ("layouttype", "VERTICAL"),
        ("selecttype", "ALL"),
        ("selectcount", "0"),
        ("gradingtype", "ABSOLUTE_POSITION"),
        ("showgrading", "SHOW"),
        ("numberingstyle", "none"),
    ):
        SubElement(made, tag).text = text
    _combined(made)
    for position, place in enumerate(order.order, 1):
        answer = SubElement(made, "answer", fraction=str(position), format="html")
        line = Page(STYLE, question.targets).line(Element("p"), order.items[place])
        SubElement(answer, "text").text = inner_html(line)


def _essay(made: Element, question: Question) -> None:
    for tag, text in (
        ("responseformat", "editor"),
        ("responserequired", "1"),
        ("responsefieldlines", "10"),
        ("attachments", "0"),
        ("attachmentsrequired", "0"),
    ):
        SubElement(made, tag).text = text
    _rich(made, "graderinfo", question, lambda page: _solution(page, question))
    SubElement(SubElement(made, "responsetemplate", format="html"), "text")


def _cloze(made: Element, question: Question) -> None:
    """All that a cloze question has stands in its text."""


def _combined(made: Element) -> None:
    for tag in ("correctfeedback", "partiallycorrectfeedback", "incorrectfeedback"):
        SubElement(SubElement(made, tag, format="html"), "text")


def _words(parent: Element, tag: str, words: str) -> None:
    line = Element("p")
    Page(STYLE).text(line, words)
    SubElement(SubElement(parent, tag, format="html"), "text").text = html([line]) if words else ""


WRITERS: dict[str, Callable[[Element, Question], None]] = {
    "numerical": _numerical,
    "multichoice": _multichoice,
    "ordering": _ordering,
    "essay": _essay,
    "cloze": _cloze,
}
