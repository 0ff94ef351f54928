"""The items of QTI 1.2, as Canvas writes and reads them.

Canvas takes every condition on a number that it can read as one more right answer, whatever it is for. The ranges of
known mistakes are therefore written as "not below and not above", which it passes over and other readers understand;
and since it has no feedback for a wrong number, what can be said of the mistakes also stands in the feedback that
all wrong answers get.
"""

from __future__ import annotations

from collections.abc import Callable
from xml.etree.ElementTree import Element, SubElement

from derive.tex_names import clean
from render.exercises.model import ChoiceAnswer, Item, NumberAnswer, OrderAnswer
from render.exports import wording
from render.exports.accepted import plain, ranges
from render.exports.formulas import tex_equation_of, tex_line
from render.exports.markup import Page, Style, append, html
from render.exports.pools import Question
from render.exports.tree import fields
from render.numbering import plain_text

MEDIA = "media"
STYLE = Style(tex_line, tex_equation_of, lambda name: f"%24IMS-CC-FILEBASE%24/{MEDIA}/{name}")
FIRST, FIRST_PLACE = 1001, 2001  # Canvas wants its answers numbered
PLACES = "Match each with its place in the right order; 1 is the first."


def item(question: Question, files: dict[str, bytes]) -> Element:
    """A question as an item; its figures are added to ``files``."""
    kind = _kind(question)
    page = Page(STYLE, question.targets, files)
    made = Element("item", ident=question.identifier, title=question.name)
    fields(
        SubElement(SubElement(made, "itemmetadata"), "qtimetadata"),
        {
            "question_type": kind,
            "points_possible": str(question.points),
            "assessment_question_identifierref": f"{question.identifier}-ref",
        },
    )
    presentation = SubElement(made, "presentation")
    _rich(SubElement(presentation, "material"), html(_body(page, question, kind)))
    processing = SubElement(made, "resprocessing")
    outcomes = SubElement(processing, "outcomes")
    SubElement(outcomes, "decvar", maxvalue="100", minvalue="0", varname="SCORE", vartype="Decimal")
    _show(_condition(processing, "other", more=True), "general_fb")
    solution = wording.solution(page, question.items, page.blocks(question.solution))
    feedback = {"general_fb": html(solution)}
    WRITERS[kind](page, question, presentation, processing, feedback)
    for identifier, words in feedback.items():
        held = SubElement(SubElement(made, "itemfeedback", ident=identifier), "flow_mat")
        _rich(SubElement(held, "material"), words)
    return made


def _kind(question: Question) -> str:
    if len(question.items) > 1:
        return "multiple_dropdowns_question"
    match question.items:
        case (Item(answer=NumberAnswer()),):
            return "numerical_question"
        case (Item(answer=ChoiceAnswer(_, several)),):
            return "multiple_answers_question" if several else "multiple_choice_question"
        case (Item(answer=OrderAnswer(any_of=())),):
            return "matching_question"
        case _:
            return "essay_question"


def _body(page: Page, question: Question, kind: str) -> list[Element]:
    holder = Element("div")
    holder.extend(page.blocks(question.body))
    for position, each in enumerate(question.items, 1):
        line = wording.lead(page, each)
        if kind == "multiple_dropdowns_question":
            append(line, f" [blank{position}]")
        append(line, wording.asked(each))
        holder.append(line)
    if kind == "matching_question":
        append(SubElement(holder, "p"), PLACES)
    return [holder]


# ---- the kinds of questions ----------------------------------------------------------------

Feedback = dict[str, str]


def _numerical(page: Page, question: Question, presentation: Element, processing: Element, feedback: Feedback) -> None:
    answer = SubElement(presentation, "response_str", ident="response1", rcardinality="Single")
    SubElement(SubElement(answer, "render_fib", fibtype="Decimal"), "response_label", ident="answer1")
    right, *mistakes = ranges(question.items[0])
    condition = _condition(processing)
    either = SubElement(condition[0], "or")
    _limit(either, "varequal", plain(right.value))
    between = SubElement(either, "and")
    _limit(between, "vargte", plain(right.low))
    _limit(between, "varlte", plain(right.high))
    _score(condition, "100")
    for position, mistake in enumerate(mistakes, 1):
        identifier = f"mistake_{position}_fb"
        condition = _condition(processing, more=True)
        outside = SubElement(SubElement(condition[0], "not"), "or")
        _limit(outside, "varlt", plain(mistake.low))
        _limit(outside, "vargt", plain(mistake.high))
        SubElement(SubElement(condition[0], "not"), "unanswered", respident="response1")
        _show(condition, identifier)
        feedback[identifier] = _words(page, wording.told(mistake))
    if mistakes:
        _show(_condition(processing, "other", more=True), "general_incorrect_fb")
        hints = [wording.hint(mistake.feedback) for mistake in mistakes if mistake.feedback]
        feedback["general_incorrect_fb"] = "".join(_words(page, words) for words in hints)


def _choice(page: Page, question: Question, presentation: Element, processing: Element, feedback: Feedback) -> None:
    choice = question.items[0].answer
    assert isinstance(choice, ChoiceAnswer)
    cardinality = "Multiple" if choice.several else "Single"
    answer = SubElement(presentation, "response_lid", ident="response1", rcardinality=cardinality)
    shown = SubElement(answer, "render_choice")
    options = list(enumerate(wording.offered(choice), FIRST))
    for number, option in options:
        label = SubElement(shown, "response_label", ident=str(number))
        _rich(SubElement(label, "material"), html([page.line(Element("p"), option.inlines)]))
        if option.words:
            condition = _condition(processing, more=True)
            _limit(condition[0], "varequal", str(number))
            _show(condition, f"{number}_fb")
            feedback[f"{number}_fb"] = _words(page, option.words)
    condition = _condition(processing)
    held = SubElement(condition[0], "and") if choice.several else condition[0]
    for number, option in options:
        if option.right:
            _limit(held, "varequal", str(number))
        elif choice.several:
            _limit(SubElement(held, "not"), "varequal", str(number))
    _score(condition, "100")


def _dropdowns(page: Page, question: Question, presentation: Element, processing: Element, feedback: Feedback) -> None:
    number = FIRST
    for position, each in enumerate(question.items, 1):
        assert isinstance(each.answer, ChoiceAnswer)
        respident = f"response_blank{position}"
        answer = SubElement(presentation, "response_lid", ident=respident)
        _plain(SubElement(answer, "material"), f"blank{position}")
        shown = SubElement(answer, "render_choice")
        for option in wording.offered(each.answer):
            label = SubElement(shown, "response_label", ident=str(number))
            _plain(SubElement(label, "material"), plain_text(option.inlines))
            if option.words:
                condition = _condition(processing, more=True)
                _limit(condition[0], "varequal", str(number), respident)
                _show(condition, f"{number}_fb")
                feedback[f"{number}_fb"] = _words(page, option.words)
            if option.right:
                condition = _condition(processing, more=True)
                _limit(condition[0], "varequal", str(number), respident)
                _score(condition, f"{100 / len(question.items):.2f}", "Add")
            number += 1


def _matching(page: Page, question: Question, presentation: Element, processing: Element, feedback: Feedback) -> None:
    order = question.items[0].answer
    assert isinstance(order, OrderAnswer)
    for position, inlines in enumerate(order.items):
        respident = f"response_{FIRST + position}"
        answer = SubElement(presentation, "response_lid", ident=respident)
        _rich(SubElement(answer, "material"), html([page.line(Element("p"), inlines)]))
        shown = SubElement(answer, "render_choice")
        for place in range(len(order.items)):
            label = SubElement(shown, "response_label", ident=str(FIRST_PLACE + place))
            _plain(SubElement(label, "material"), str(place + 1))
        condition = _condition(processing, more=True)
        _limit(condition[0], "varequal", str(FIRST_PLACE + order.order.index(position)), respident)
        _score(condition, f"{100 / len(order.items):.2f}", "Add")


def _essay(page: Page, question: Question, presentation: Element, processing: Element, feedback: Feedback) -> None:
    answer = SubElement(presentation, "response_str", ident="response1", rcardinality="Single")
    SubElement(SubElement(answer, "render_fib"), "response_label", ident="answer1", rshuffle="No")
    _condition(processing, "other")


WRITERS: dict[str, Callable[[Page, Question, Element, Element, Feedback], None]] = {
    "numerical_question": _numerical,
    "multiple_choice_question": _choice,
    "multiple_answers_question": _choice,
    "multiple_dropdowns_question": _dropdowns,
    "matching_question": _matching,
    "essay_question": _essay,
}

# ---- small parts ---------------------------------------------------------------------------


def _condition(processing: Element, holds: str = "", *, more: bool = False) -> Element:
    """A condition, its variables first; with ``more`` the conditions after it are looked at too."""
    made = SubElement(processing, "respcondition", {"continue": "Yes" if more else "No"})
    variables = SubElement(made, "conditionvar")
    if holds:
        SubElement(variables, holds)
    return made


def _limit(parent: Element, tag: str, text: str, respident: str = "response1") -> None:
    SubElement(parent, tag, respident=respident).text = text


def _score(condition: Element, value: str, action: str = "Set") -> None:
    SubElement(condition, "setvar", action=action, varname="SCORE").text = value


def _show(condition: Element, identifier: str) -> None:
    SubElement(condition, "displayfeedback", feedbacktype="Response", linkrefid=identifier)


def _rich(material: Element, text: str) -> None:
    SubElement(material, "mattext", texttype="text/html").text = text


def _plain(material: Element, text: str) -> None:
    SubElement(material, "mattext", texttype="text/plain").text = clean(text)


def _words(page: Page, words: str) -> str:
    line = Element("p")
    page.text(line, words)
    return html([line])
