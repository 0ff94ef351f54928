"""QTI 2.1: read, checked and played by somebody else's library (pyslet), and held against a DTD of its model."""

import io
import logging
import re
import warnings
import zipfile
from decimal import Decimal
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any
from xml.etree.ElementTree import Element

import pytest
from lxml import etree

from derive.formula import Gap, Number, Product, sides
from render.document import Equation
from render.exports import EXPORTS
from render.exports.accepted import ranges
from render.exports.formulas import mathml_equation
from tests.export_sheets import (
    choice_exercise,
    formula_exercise,
    order_exercise,
    several,
    sheets,
    table_exercise,
)

QTI = "{http://www.imsglobal.org/xsd/imsqti_v2p1}"
PACKAGE = "{http://www.imsglobal.org/xsd/imscp_v1p1}"
DTD = Path(__file__).parent / "data" / "qti21_subset.dtd"


@cache
def package() -> dict[str, bytes]:
    archive = zipfile.ZipFile(io.BytesIO(EXPORTS["qti21"].write(sheets(), "mazur")))
    assert archive.testzip() is None
    return {name: archive.read(name) for name in archive.namelist()}


def item_of(exercise: int, variant: int = 1) -> bytes:
    return package()[f"items/mazur-s7-e{exercise}-v{variant}.xml"]


XML = sorted(name for name in package() if name.endswith(".xml") and name != "imsmanifest.xml")


@pytest.mark.parametrize("name", XML)
def test_every_file_is_valid(name: str) -> None:
    model = etree.DTD(str(DTD))
    assert model.validate(etree.fromstring(package()[name])), model.error_log


@pytest.mark.parametrize("name", XML)
def test_every_identifier_is_declared(name: str) -> None:
    root = etree.fromstring(package()[name])
    assert re.fullmatch(r"[A-Za-z_][\w.-]*", root.get("identifier"))
    if root.tag != f"{QTI}assessmentItem":
        return
    responses = {each.get("identifier") for each in root.iter(f"{QTI}responseDeclaration")}
    outcomes = {each.get("identifier") for each in root.iter(f"{QTI}outcomeDeclaration")}
    asked = [each.get("responseIdentifier") for each in root.iter() if each.get("responseIdentifier")]
    assert sorted(asked) == sorted(responses)
    for tag in ("variable", "correct", "mapResponse"):
        assert {each.get("identifier") for each in root.iter(f"{QTI}{tag}")} <= responses | outcomes
    assert {each.get("identifier") for each in root.iter(f"{QTI}setOutcomeValue")} <= outcomes
    said = {each.text for each in root.iter(f"{QTI}baseValue") if each.getparent().tag == f"{QTI}multiple"}
    assert said == {each.get("identifier") for each in root.iter(f"{QTI}modalFeedback")}
    for declared in root.iter(f"{QTI}responseDeclaration"):
        if declared.get("baseType") == "identifier":
            holder = root.find(f".//*[@responseIdentifier='{declared.get('identifier')}']")
            options = {each.get("identifier") for each in holder.iter(f"{QTI}simpleChoice")}
            assert {each.text for each in declared.iter(f"{QTI}value")} <= options


def test_the_manifest_names_every_file_once_and_no_other() -> None:
    root = etree.fromstring(package()["imsmanifest.xml"])
    assert next(iter(package())) == "imsmanifest.xml"
    resources = {each.get("identifier"): each for each in root.iter(f"{PACKAGE}resource")}
    assert len(resources) == len(list(root.iter(f"{PACKAGE}resource")))
    named = {each.get("href") for each in root.iter(f"{PACKAGE}file")}
    assert named == set(package()) - {"imsmanifest.xml"}
    assert {each.get("identifierref") for each in root.iter(f"{PACKAGE}dependency")} < set(resources)
    for each in resources.values():
        files = {file.get("href") for file in each.iter(f"{PACKAGE}file")}
        assert each.get("href") in files
        for image in etree.fromstring(package()[each.get("href")]).iter(f"{QTI}img"):
            path = PurePosixPath(each.get("href")).parent.parent / image.get("src").removeprefix("../")
            assert str(path) in files
            assert etree.fromstring(package()[str(path)]).tag == "{http://www.w3.org/2000/svg}svg"


def test_the_test_draws_one_variant_of_each_exercise() -> None:
    root = etree.fromstring(package()["test.xml"])
    sections = list(root.iter(f"{QTI}assessmentSection"))
    assert len(sections) == len(sheets()[0].exercises)
    for section in sections:
        assert section.find(f"{QTI}selection").get("select") == "1"
        references = [each.get("href") for each in section.iter(f"{QTI}assessmentItemRef")]
        assert len(references) == 3
        points = {
            etree.fromstring(package()[each]).findtext(
                f".//{QTI}outcomeDeclaration[@identifier='MAXSCORE']//{QTI}value"
            )
            for each in references
        }
        assert len(points) == 1


# ---- played by somebody else's library -----------------------------------------------------

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it is of 2017
    pyslet = pytest.importorskip("pyslet.qtiv2.xml")
    from pyslet.qtiv2 import core, expressions, variables


def play(content: bytes, answers: dict[str, Any]) -> tuple[float, set[str]]:
    """The score that the library's own response processing gives, and the feedback that it shows."""
    logging.disable(logging.CRITICAL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        document = pyslet.QTIDocument()
        document.read(src=io.BytesIO(content))
        item = document.root
        for each in item.find_children_depth_first(expressions.Equal):
            each.tolerance = each.tolerance.split()  # it reads the list as one text, and then takes its first letters
            assert len(each.tolerance) == 2
        session = variables.ItemSessionState(item)
        session.begin_session()
        for each in item.ResponseDeclaration:  # as begin_attempt does, which also draws the page, without MathML
            session.map[each.identifier] = variables.Value.copy_value(session.map[f"{each.identifier}.DEFAULT"])
        for name, value in answers.items():
            session[name].set_value(value)
        session.end_attempt()
        shown = set(session["FEEDBACK"].value or ())
    logging.disable(logging.NOTSET)
    return float(session["SCORE"].value or 0), shown - {"SOLUTION"}


def test_the_library_checks_what_it_reads() -> None:
    bad = item_of(1).replace(b"<itemBody>", b"<itemBody><textEntryInteraction responseIdentifier='R'/>")
    with pytest.raises(core.QTIValidityError):
        play(bad, {})


@pytest.mark.parametrize("variant", [1, 2, 3])
@pytest.mark.parametrize("number", [1, 2])
def test_a_number_is_marked_with_its_tolerance_and_its_known_mistakes(number: int, variant: int) -> None:
    exercise = sheets()[variant - 1].exercises[number - 1]
    points = exercise.points
    right, *mistakes = ranges(exercise.items[0])
    content = item_of(number, variant)
    inside = right.tolerance * Decimal("0.999")
    for value in (right.value, right.value + inside, right.value - inside):
        assert play(content, {"RESPONSE_1": float(value)}) == (points, set())
    for value in (right.value + right.tolerance * 2, Decimal(0), Decimal("12345")):
        assert play(content, {"RESPONSE_1": float(value)}) == (0, set())
    for place, mistake in enumerate(mistakes, 1):
        assert mistake.feedback is not None
        expected = (float(mistake.feedback.points), {f"MISTAKE_1_{place}"})
        assert play(content, {"RESPONSE_1": float(mistake.feedback.value)}) == expected


def test_an_empty_answer_is_worth_nothing() -> None:
    assert play(item_of(1), {}) == (0, set())
    assert play(item_of(10), {}) == (0, set())


def test_several_items_add_up() -> None:
    right = {"RESPONSE_1": -1.51, "RESPONSE_2": 1.25e-43, "RESPONSE_3": "OPTION_2"}
    content = item_of(3)
    several_right = {"RESPONSE_4": ["OPTION_1", "OPTION_2", "OPTION_4"]}
    assert play(content, right | several_right) == (table_exercise().points, {"CHOSEN_4_2"})
    assert play(content, right)[0] == table_exercise().points - 1
    assert play(content, {**right, "RESPONSE_1": 3.0})[0] == table_exercise().points - 2  # one of its two points is due


@pytest.mark.parametrize(
    ("chosen", "score"),
    [
        (["OPTION_1", "OPTION_2", "OPTION_4"], 4),
        (["OPTION_1"], 4 / 3),
        (["OPTION_1", "OPTION_2", "OPTION_3", "OPTION_4"], 0),
        (["OPTION_3"], 0),
        (["OPTION_1", "OPTION_3"], 0),
    ],
)
def test_of_several_options_wrong_ones_take_away(chosen: list[str], score: float) -> None:
    assert several().several
    assert choice_exercise(several()).points == 4
    assert play(item_of(5), {"RESPONSE_1": chosen})[0] == pytest.approx(score)


def test_one_option() -> None:
    assert play(item_of(4), {"RESPONSE_1": "OPTION_2"}) == (4, set())
    assert play(item_of(4), {"RESPONSE_1": "OPTION_1"}) == (0, {"CHOSEN_1_1"})


def test_an_order_and_the_others_that_are_right_too() -> None:
    order = ["OPTION_3", "OPTION_1", "OPTION_2"]
    other = ["OPTION_1", "OPTION_3", "OPTION_2"]
    assert order_exercise().points == 3
    assert play(item_of(7), {"RESPONSE_1": order}) == (3, set())
    assert play(item_of(7), {"RESPONSE_1": other}) == (0, set())
    assert play(item_of(8), {"RESPONSE_1": order}) == (3, set())
    assert play(item_of(8), {"RESPONSE_1": other}) == (3, set())
    assert play(item_of(8), {"RESPONSE_1": order[::-1]}) == (0, set())


def test_who_marks_a_formula_sees_the_solution_and_a_student_does_not() -> None:
    root = etree.fromstring(item_of(9))
    assert formula_exercise().points == 5
    rubric = root.find(f"{QTI}itemBody/{QTI}rubricBlock")
    assert rubric.get("view") == "scorer"
    assert "By the chain rule" in "".join(rubric.itertext())
    body = "".join(text for each in root.find(f"{QTI}itemBody") if each is not rubric for text in each.itertext())
    assert "By the chain rule" not in body


def test_a_blank_is_drawn_without_its_answer() -> None:
    line = Element("p")
    mathml_equation(line, Equation(sides(Number("1"), Product((Gap(Number("0.123")), Number("2"))))))
    text = "".join(line.itertext())
    assert re.search("\\[\u2003+\\]", text)
    assert "blank" not in text
    assert "0.123" not in text


def test_tiny_numbers_stay_as_they_are() -> None:
    root = etree.fromstring(item_of(2))
    assert root.findtext(f".//{QTI}correctResponse/{QTI}value") == sheets()[0].exercises[1].items[0].answer.value
