"""The items of QTI 2.1: several interactions in one item, each with its score, feedback for each known mistake."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from xml.etree.ElementTree import Element, SubElement

from derive.tex_names import clean
from render.document import Inlines
from render.exercises.model import Answer, ChoiceAnswer, FormulaAnswer, Item, NumberAnswer, OrderAnswer
from render.exports import wording
from render.exports.accepted import ranges, written
from render.exports.formulas import mathml_equation, mathml_line
from render.exports.markup import Page, Style, append
from render.exports.pools import Question

MEDIA = "media"
STYLE = Style(mathml_line, mathml_equation, lambda name: f"../{MEDIA}/{name}", guarded=False)
LENGTH, LINES = "20", "8"  # what is expected of a number, of a formula

Words = dict[str, str]  # feedback by its identifier


def item(question: Question, files: dict[str, bytes]) -> Element:
    """A question as an item; its figures are added to ``files``."""
    page = Page(STYLE, question.targets, files)
    made = Element(
        "assessmentItem",
        identifier=question.identifier,
        title=question.name,
        adaptive="false",
        timeDependent="false",
    )
    answers = list(enumerate(question.items, 1))
    made.extend(_declaration(position, each) for position, each in answers)
    made.append(outcome("SCORE", "float", "0"))
    made.append(outcome("MAXSCORE", "float", str(question.points)))
    made.append(outcome("FEEDBACK", "identifier", cardinality="multiple"))
    made.extend(outcome(f"SCORE_{position}", "float", "0") for position, _ in answers)
    made.append(_body(page, question))
    words: Words = {}
    made.append(_processing(answers, words))
    for identifier, text in words.items():
        page.text(SubElement(_feedback(made, identifier), "p"), text)
    solution = wording.solution(page, question.items, page.blocks(question.solution))
    _feedback(made, "SOLUTION").extend(solution)
    return made


def outcome(identifier: str, kind: str, default: str = "", cardinality: str = "single") -> Element:
    """The declaration of an outcome."""
    made = Element("outcomeDeclaration", identifier=identifier, cardinality=cardinality, baseType=kind)
    if default:
        SubElement(SubElement(made, "defaultValue"), "value").text = default
    return made


def _feedback(parent: Element, identifier: str) -> Element:
    return SubElement(parent, "modalFeedback", outcomeIdentifier="FEEDBACK", identifier=identifier, showHide="show")


# ---- what is declared ----------------------------------------------------------------------


def _declaration(position: int, asked: Item) -> Element:
    cardinality, kind = _type(asked.answer)
    made = Element("responseDeclaration", identifier=f"RESPONSE_{position}", cardinality=cardinality, baseType=kind)
    right = _right(asked.answer)
    if right:
        correct = SubElement(made, "correctResponse")
        for value in right:
            SubElement(correct, "value").text = value
    if isinstance(asked.answer, ChoiceAnswer) and asked.answer.several:
        made.append(_mapping(asked.answer, asked.points))
    return made


def _type(answer: Answer) -> tuple[str, str]:
    match answer:
        case NumberAnswer():
            return "single", "float"
        case ChoiceAnswer():
            return ("multiple" if answer.several else "single"), "identifier"
        case OrderAnswer():
            return "ordered", "identifier"
        case _:
            return "single", "string"


def _right(answer: Answer) -> list[str]:
    match answer:
        case NumberAnswer():
            return [answer.value]
        case ChoiceAnswer():
            return [_option(n) for n, option in enumerate(wording.offered(answer)) if option.right]
        case OrderAnswer():
            return [_option(place) for place in answer.order]
        case FormulaAnswer():
            return [clean(answer.typed)] if answer.typed else []


def _option(position: int) -> str:
    return f"OPTION_{position + 1}"


def _mapping(choice: ChoiceAnswer, points: int) -> Element:
    """What each option adds: the right ones make up the points together, the wrong ones take them away again."""
    options = wording.offered(choice)
    right = sum(option.right for option in options)
    made = Element("mapping", lowerBound="0", upperBound=str(points), defaultValue="0")
    for position, option in enumerate(options):
        value = Fraction(points, right) if option.right else -Fraction(points, len(options) - right)
        SubElement(made, "mapEntry", mapKey=_option(position), mappedValue=repr(float(value)))
    return made


# ---- what is shown -------------------------------------------------------------------------


def _body(page: Page, question: Question) -> Element:
    made = Element("itemBody")
    made.extend(page.blocks(question.body))
    for position, asked in enumerate(question.items, 1):
        line = wording.lead(page, asked)
        made.append(line)
        identifier = f"RESPONSE_{position}"
        match asked.answer:
            case NumberAnswer():
                SubElement(line, "textEntryInteraction", responseIdentifier=identifier, expectedLength=LENGTH)
                append(line, wording.asked(asked))
            case ChoiceAnswer():
                several = asked.answer.several
                options = [option.inlines for option in wording.offered(asked.answer)]
                made.append(_choices(page, "choiceInteraction", identifier, options, "0" if several else "1"))
            case OrderAnswer(items):
                made.append(_choices(page, "orderInteraction", identifier, items))
            case FormulaAnswer():
                SubElement(made, "extendedTextInteraction", responseIdentifier=identifier, expectedLines=LINES)
    if any(isinstance(asked.answer, FormulaAnswer) for asked in question.items):
        marking = SubElement(made, "rubricBlock", view="scorer")
        marking.extend(wording.solution(page, question.items, page.blocks(question.solution)))
    return made


def _choices(page: Page, tag: str, identifier: str, options: Sequence[Inlines], most: str = "") -> Element:
    made = Element(tag, responseIdentifier=identifier, shuffle="true")
    if most:
        made.set("maxChoices", most)
    for position, inlines in enumerate(options):
        option = SubElement(made, "simpleChoice", identifier=_option(position))
        page.line(SubElement(option, "p"), inlines)
    return made


# ---- how it is marked ----------------------------------------------------------------------


def _processing(answers: Sequence[tuple[int, Item]], words: Words) -> Element:
    made = Element("responseProcessing")
    for position, asked in answers:
        MARKING[type(asked.answer)](made, position, asked, words)
    total = SubElement(SubElement(made, "setOutcomeValue", identifier="SCORE"), "sum")
    for position, _ in answers:
        SubElement(total, "variable", identifier=f"SCORE_{position}")
    _say(made, "SOLUTION")
    return made


def _number(made: Element, position: int, asked: Item, words: Words) -> None:
    condition = SubElement(made, "responseCondition")
    for place, number in enumerate(ranges(asked)):
        branch = SubElement(condition, "responseElseIf" if place else "responseIf")
        tolerance = written(number.tolerance)
        test = SubElement(branch, "equal", toleranceMode="absolute", tolerance=f"{tolerance} {tolerance}")
        SubElement(test, "variable", identifier=f"RESPONSE_{position}")
        _value(test, "float", written(number.value))
        _score(branch, position, number.share * asked.points)
        if text := wording.told(number):
            identifier = f"MISTAKE_{position}_{place}"
            words[identifier] = text
            _say(branch, identifier)


def _choice(made: Element, position: int, asked: Item, words: Words) -> None:
    assert isinstance(asked.answer, ChoiceAnswer)
    if asked.answer.several:
        total = SubElement(made, "setOutcomeValue", identifier=f"SCORE_{position}")
        SubElement(total, "mapResponse", identifier=f"RESPONSE_{position}")
    else:
        _matched(made, position, asked.points, [])
    for place, option in enumerate(wording.offered(asked.answer)):
        if not option.words:
            continue
        identifier = f"CHOSEN_{position}_{place + 1}"
        words[identifier] = option.words
        branch = SubElement(SubElement(made, "responseCondition"), "responseIf")
        test = SubElement(branch, "member" if asked.answer.several else "match")
        _value(test, "identifier", _option(place))
        SubElement(test, "variable", identifier=f"RESPONSE_{position}")
        _say(branch, identifier)


def _order(made: Element, position: int, asked: Item, words: Words) -> None:
    assert isinstance(asked.answer, OrderAnswer)
    others = [order for order in asked.answer.any_of if order != asked.answer.order]
    _matched(made, position, asked.points, others)


def _formula(made: Element, position: int, asked: Item, words: Words) -> None:
    """A person marks it."""


MARKING: dict[type[Answer], Callable[[Element, int, Item, Words], None]] = {
    NumberAnswer: _number,
    ChoiceAnswer: _choice,
    OrderAnswer: _order,
    FormulaAnswer: _formula,
}


def _matched(made: Element, position: int, points: int, others: Sequence[tuple[int, ...]]) -> None:
    """All points for the correct response, or for one of some other orders."""
    branch = SubElement(SubElement(made, "responseCondition"), "responseIf")
    held = SubElement(branch, "or") if others else branch
    test = SubElement(held, "match")
    SubElement(test, "variable", identifier=f"RESPONSE_{position}")
    SubElement(test, "correct", identifier=f"RESPONSE_{position}")
    for order in others:
        test = SubElement(held, "match")
        SubElement(test, "variable", identifier=f"RESPONSE_{position}")
        listed = SubElement(test, "ordered")
        for place in order:
            _value(listed, "identifier", _option(place))
    _score(branch, position, Fraction(points))


def _score(parent: Element, position: int, points: Fraction) -> None:
    text = str(points) if points.denominator == 1 else repr(float(points))
    _value(SubElement(parent, "setOutcomeValue", identifier=f"SCORE_{position}"), "float", text)


def _say(parent: Element, identifier: str) -> None:
    """Add to what is shown afterwards."""
    added = SubElement(SubElement(parent, "setOutcomeValue", identifier="FEEDBACK"), "multiple")
    SubElement(added, "variable", identifier="FEEDBACK")
    _value(added, "identifier", identifier)


def _value(parent: Element, kind: str, text: str) -> None:
    SubElement(parent, "baseValue", baseType=kind).text = text
