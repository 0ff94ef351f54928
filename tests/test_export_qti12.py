"""QTI 1.2: read by somebody else's library, marked by an interpreter of its own, and read as Canvas reads it."""

import io
import logging
import re
import warnings
import zipfile
from dataclasses import replace
from decimal import Decimal
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree, html

from render.exercises.model import NumberAnswer
from render.exports import EXPORTS, wording
from render.exports.accepted import ranges, scaled
from tests.export_sheets import feedback, number, sheets, tiny_exercise

QTI = "{http://www.imsglobal.org/xsd/ims_qtiasiv1p2}"
PACKAGE = "{http://www.imsglobal.org/xsd/imsccv1p1/imscp_v1p1}"


@cache
def package() -> dict[str, bytes]:
    archive = zipfile.ZipFile(io.BytesIO(EXPORTS["qti12"].write(sheets(), "mazur")))
    assert archive.testzip() is None
    return {name: archive.read(name) for name in archive.namelist()}


@cache
def quiz() -> etree._Element:
    return etree.fromstring(package()["mazur-s7/mazur-s7.xml"])


def item(identifier: str) -> etree._Element:
    (found,) = (each for each in quiz().iter(f"{QTI}item") if each.get("ident") == f"mazur-s7-{identifier}")
    return found


def field(of: etree._Element, label: str) -> str:
    fields = {
        each.findtext(f"{QTI}fieldlabel"): each.findtext(f"{QTI}fieldentry")
        for each in of.iter(f"{QTI}qtimetadatafield")
    }
    return str(fields[label])


# ---- the package ---------------------------------------------------------------------------


def test_the_manifest_names_every_file_once_and_no_other() -> None:
    root = etree.fromstring(package()["imsmanifest.xml"])
    named = [each.get("href") for each in root.iter(f"{PACKAGE}file")]
    assert sorted(named) == sorted(set(package()) - {"imsmanifest.xml"})
    resources = [each.get("identifier") for each in root.iter(f"{PACKAGE}resource")]
    assert len(resources) == len(set(resources))
    assert {each.get("identifierref") for each in root.iter(f"{PACKAGE}dependency")} <= set(resources)


def test_figures_lie_in_the_package_and_are_told_in_words() -> None:
    images = [each for text in texts(item("e1-v1")) for each in html.fromstring(text).iter("img")]
    assert images
    for image in images:
        path = image.get("src").removeprefix("%24IMS-CC-FILEBASE%24/")
        assert etree.fromstring(package()[path]).tag == "{http://www.w3.org/2000/svg}svg"
        assert image.get("alt") == 'A "net" of <two> units & one arrow'


def texts(of: etree._Element) -> list[str]:
    return [each.text or "" for each in of.iter(f"{QTI}mattext") if each.get("texttype") == "text/html"]


def test_every_group_draws_one_of_its_variants() -> None:
    groups = [each for each in quiz().iter(f"{QTI}section") if each.get("ident") != "root_section"]
    assert len(groups) > len(sheets()[0].exercises)  # numbers of a table stand apart
    for group in groups:
        assert group.findtext(f".//{QTI}selection_number") == "1"
        items = list(group.iter(f"{QTI}item"))
        assert len(items) == 3
        assert {field(each, "points_possible") for each in items} == {group.findtext(f".//{QTI}points_per_item")}
    assert sum(int(group.findtext(f".//{QTI}points_per_item")) for group in groups) == sheets()[0].points
    meta = etree.fromstring(package()["mazur-s7/assessment_meta.xml"])
    assert float(meta.findtext("{*}points_possible")) == sheets()[0].points


def test_identifiers_are_unique_and_every_feedback_that_is_shown_is_there() -> None:
    idents = [each.get("ident") for each in quiz().iter(f"{QTI}item")]
    assert len(idents) == len(set(idents))
    for each in quiz().iter(f"{QTI}item"):
        shown = {one.get("linkrefid") for one in each.iter(f"{QTI}displayfeedback")}
        assert shown == {one.get("ident") for one in each.iter(f"{QTI}itemfeedback")}


def test_somebody_elses_library_reads_it() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it is of 2017
        library = pytest.importorskip("pyslet.qtiv1.xml")
        logging.disable(logging.CRITICAL)
        document = library.QTIDocument()
        document.read(src=io.BytesIO(package()["mazur-s7/mazur-s7.xml"]))
        logging.disable(logging.NOTSET)
    assert type(document.root).__name__ == "QuesTestInterop"
    root_section = document.root.Assessment.get_children()
    assert root_section is not None


# ---- marking -------------------------------------------------------------------------------


def holds(node: etree._Element, answers: dict[str, list[str]]) -> bool:
    """Whether a condition of QTI 1.2 holds; numbers are compared as numbers, one that is missing fulfils none."""
    name = node.tag.removeprefix(QTI)
    if name in ("conditionvar", "and"):
        return all(holds(each, answers) for each in node)
    if name == "or":
        return any(holds(each, answers) for each in node)
    if name == "not":
        return not holds(node[0], answers)
    if name == "other":
        return True
    given = answers.get(str(node.get("respident")), [])
    if name == "unanswered":
        return not given
    if name == "varequal":
        return str(node.text) in given or any(number_of(each) == number_of(str(node.text)) != None for each in given)  # noqa: E711
    limit = Decimal(str(node.text))
    values = [value for each in given if (value := number_of(each)) is not None]
    compare = {
        "vargte": lambda value: value >= limit,
        "vargt": lambda value: value > limit,
        "varlte": lambda value: value <= limit,
        "varlt": lambda value: value < limit,
    }[name]
    return any(compare(value) for value in values)


def number_of(text: str) -> Decimal | None:
    return Decimal(text) if re.fullmatch(r"-?[0-9.]+(e-?[0-9]+)?", text) else None


def mark(of: etree._Element, answers: dict[str, list[str]]) -> tuple[Decimal, set[str]]:
    """The share of the points, in percent, and what is shown."""
    score, shown = Decimal(0), set()
    for condition in of.iter(f"{QTI}respcondition"):
        if not holds(condition.find(f"{QTI}conditionvar"), answers):
            continue
        for variable in condition.iter(f"{QTI}setvar"):
            value = Decimal(str(variable.text))
            score = value if variable.get("action") == "Set" else score + value
        shown |= {str(each.get("linkrefid")) for each in condition.iter(f"{QTI}displayfeedback")}
        if condition.get("continue") == "No":
            break
    return score, shown - {"general_fb"}


@pytest.mark.parametrize("variant", [1, 2, 3])
@pytest.mark.parametrize("exercise", [1, 2])
def test_a_number_is_marked_with_its_tolerance_and_its_known_mistakes(exercise: int, variant: int) -> None:
    asked = wording.in_units(sheets()[variant - 1].exercises[exercise - 1].items[0])
    question = item(f"e{exercise}-v{variant}")
    right, *mistakes = ranges(asked)
    assert field(question, "question_type") == "numerical_question"
    for value in (right.value, right.low, right.high):
        assert mark(question, {"response1": [str(value)]}) == (100, set())
    for value in (right.value + right.tolerance * Decimal("1.0001"), Decimal(0), Decimal("999999")):
        assert mark(question, {"response1": [str(value)]}) == (0, {"general_incorrect_fb"})
    assert mark(question, {}) == (0, {"general_incorrect_fb"})
    for place, mistake in enumerate(mistakes, 1):
        for value in (mistake.value, mistake.low, mistake.high):
            assert mark(question, {"response1": [str(value)]}) == (0, {f"mistake_{place}_fb", "general_incorrect_fb"})


@pytest.mark.parametrize("question", list(quiz().iter(f"{QTI}item")), ids=lambda each: each.get("ident"))
def test_canvas_takes_no_known_mistake_for_a_right_answer(question: etree._Element) -> None:
    """Canvas Classic: each condition with an `or` over an equality, or with an `and` over a range, is a right answer.

    New Quizzes: so is each condition that sets the score.
    """
    if field(question, "question_type") != "numerical_question":
        return
    conditions = list(question.iter(f"{QTI}respcondition"))
    classic = [each for each in conditions if each.find(f".//{QTI}or/{QTI}varequal") is not None]
    classic += [
        each for each in conditions if each.find(f".//{QTI}and/{QTI}vargte") is not None and each not in classic
    ]
    assert len(classic) == 1
    assert [each for each in conditions if each.find(f"{QTI}setvar") is not None] == classic
    exact, low, high = (
        Decimal(str(classic[0].find(f".//{QTI}{tag}").text)) for tag in ("varequal", "vargte", "varlte")
    )
    assert exact - low == high - exact > 0


CANVAS_FIELDS = re.compile(r"wrong|incorrect|_IC$|correct|_C$|solution|general_|_all", re.IGNORECASE)


def test_feedback_has_names_that_canvas_takes_for_what_they_are() -> None:
    for each in quiz().iter(f"{QTI}itemfeedback"):
        ident = str(each.get("ident"))
        assert bool(CANVAS_FIELDS.search(ident)) == (ident in ("general_fb", "general_incorrect_fb"))


def test_what_canvas_shows_of_a_wrong_number_names_the_known_mistakes() -> None:
    (said,) = (each for each in item("e2-v1").iter(f"{QTI}itemfeedback") if each.get("ident") == "general_incorrect_fb")
    assert "If your answer is about 8.696: Twice too much." in html.fromstring("".join(texts(said))).text_content()


# ---- small answers -------------------------------------------------------------------------


def test_a_small_answer_is_asked_for_in_units() -> None:
    question = item("e2-v1")
    body = html.fromstring(texts(question)[0]).text_content()
    assert "in units of 10⁻⁶" in body
    assert "for 3 · 10⁻⁶ enter 3" in body
    exact = question.findtext(f".//{QTI}varequal")
    own = sheets()[0].exercises[1].items[0].answer
    assert isinstance(own, NumberAnswer)
    assert Decimal(exact) * Decimal("1e-6") == Decimal(own.value)
    assert "0.0000" not in "".join(texts(question)).replace("0.00003", "")


def test_no_answer_is_so_small_that_canvas_makes_it_zero() -> None:
    exact = [Decimal(str(each.text)) for each in quiz().iter(f"{QTI}varequal") if number_of(str(each.text)) is not None]
    assert exact
    assert all(abs(value) >= Decimal("1e-4") for value in exact)


DECIMALS = st.tuples(st.integers(1, 10**17 - 1), st.integers(-60, -22), st.sampled_from(["", "-"]))


@given(DECIMALS, st.integers(1, 999))
def test_scaling_is_exact(value: tuple[int, int, str], tolerance: int) -> None:
    digits, exponent, sign = value
    answer = number(
        f"{sign}{digits}e{exponent}", f"{tolerance}e{exponent}", feedback(f"{digits * 2}e{exponent}", "Twice.")
    )
    asked = wording.in_units(replace(tiny_exercise().items[0], answer=answer)).answer
    assert isinstance(asked, NumberAnswer)
    assert 1 <= abs(Decimal(asked.value)) < 1000
    power = Decimal(answer.value).adjusted() // 3 * 3
    for before, after in (
        (answer.value, asked.value),
        (answer.shown, asked.shown),
        (answer.tolerance, asked.tolerance),
        (answer.feedback[0].value, asked.feedback[0].value),
        (answer.feedback[0].shown, asked.feedback[0].shown),
    ):
        assert Decimal(after).scaleb(power) == Decimal(before)
    assert scaled(answer, 0) is answer


# ---- the other kinds -----------------------------------------------------------------------


def test_one_option() -> None:
    question = item("e4-v1")
    assert field(question, "question_type") == "multiple_choice_question"
    assert mark(question, {"response1": ["1002"]}) == (100, set())
    assert mark(question, {"response1": ["1001"]}) == (0, {"1001_fb"})


def test_several_options() -> None:
    question = item("e5-v1")
    assert field(question, "question_type") == "multiple_answers_question"
    assert mark(question, {"response1": ["1001", "1002", "1004"]})[0] == 100
    assert mark(question, {"response1": ["1001", "1002"]})[0] == 0
    assert mark(question, {"response1": ["1001", "1002", "1003", "1004"]})[0] == 0


def test_several_choices_are_drop_downs() -> None:
    question = item("e6-v1")
    assert field(question, "question_type") == "multiple_dropdowns_question"
    assert "[blank1]" in texts(question)[0]
    assert "[blank2]" in texts(question)[0]
    assert mark(question, {"response_blank1": ["1002"], "response_blank2": ["1005"]})[0] == 100
    assert mark(question, {"response_blank1": ["1001"], "response_blank2": ["1005"]}) == (50, {"1001_fb"})


def test_an_order_is_matched_with_places() -> None:
    question = item("e7-v1")
    assert field(question, "question_type") == "matching_question"
    right = {"response_1003": ["2001"], "response_1001": ["2002"], "response_1002": ["2003"]}
    assert mark(question, right)[0] == pytest.approx(Decimal(100), abs=Decimal("0.1"))


def test_an_order_that_is_not_the_only_right_one_is_a_choice() -> None:
    question = item("e8-v1")
    assert field(question, "question_type") == "multiple_choice_question"
    assert len(list(question.iter(f"{QTI}response_label"))) == 5  # of six orders one other is right too


def test_a_formula_is_an_essay_with_its_solution() -> None:
    question = item("e9-v1")
    assert field(question, "question_type") == "essay_question"
    assert "By the chain rule" in texts(question)[-1]
