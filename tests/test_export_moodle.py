"""Moodle XML: marked by an evaluator of its own, which does what Moodle's import and questions do."""

import base64
import html as entities
import re
from collections import Counter
from decimal import Decimal
from fractions import Fraction
from functools import cache
from xml.etree.ElementTree import Element

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree, html

from derive.tex_names import clean
from render.exercises.model import ChoiceAnswer, Item
from render.exports import EXPORTS
from render.exports.accepted import ranges
from render.exports.cloze import blank, escape, in_cloze
from render.exports.formulas import tex_equation_of, tex_line
from render.exports.markup import Page, Style
from render.exports.markup import html as markup
from render.exports.shares import SHARES, share
from tests.export_sheets import HOSTILE, choice, feedback, number, several, sheets


@cache
def quiz() -> etree._Element:
    return etree.fromstring(EXPORTS["moodle"].write(sheets(), "mazur"))


def questions(kind: str = "") -> list[etree._Element]:
    return [each for each in quiz() if each.get("type") != "category" and kind in ("", each.get("type"))]


def question(identifier: str) -> etree._Element:
    (found,) = (each for each in questions() if each.findtext("idnumber") == f"mazur-s7-{identifier}")
    return found


def percent(text: str) -> Fraction:
    """A share as it is meant: 33.33333 is a third."""
    return min(SHARES, key=lambda each: abs(each * 100 - abs(Fraction(text)))) * (-1 if text.startswith("-") else 1)


# ---- the file ------------------------------------------------------------------------------


def test_every_exercise_is_a_category_with_its_variants() -> None:
    found: dict[str, list[str]] = {}
    for each in quiz():
        if each.get("type") == "category":
            path = str(each.findtext("category/text"))
            assert path not in found
            assert path.startswith("$course$/chainrule/")
            assert len(re.split("(?<!/)/(?!/)", path)) == 4  # a slash in a name is doubled
            found[path] = []
        else:
            found[path].append(str(each.findtext("name/text")))
    assert all(len(names) == 3 for names in found.values())


def test_names_and_numbers_are_unique() -> None:
    for path in ("name/text", "idnumber"):
        counted = Counter(each.findtext(path) for each in quiz() if each.get("type") != "category")
        assert max(counted.values()) == 1
    starts = Counter(str(each.findtext("name/text"))[:38] for each in questions())
    assert max(starts.values()) == 1  # Moodle cuts the names of some kinds at 42


def test_every_kind_of_question_is_there_with_its_points() -> None:
    assert set(Counter(each.get("type") for each in questions())) == {
        "numerical",
        "cloze",
        "multichoice",
        "ordering",
        "essay",
    }
    first = [each for each in questions() if str(each.findtext("idnumber")).endswith("-v1")]
    assert sum(int(str(each.findtext("defaultgrade"))) for each in first) == sheets()[0].points
    for each in questions():
        assert {tag.text for tag in each.iterfind("tags/tag/text")} >= {"chainrule", "mazur"}
        assert "By the chain rule" in str(each.findtext("generalfeedback/text"))


def test_every_share_is_one_that_moodle_knows() -> None:
    known = {"100", "90", "83.33333", "80", "75", "70", "66.66667", "60", "50", "40", "33.33333", "30", "25", "20"}
    known |= {"16.66667", "14.28571", "12.5", "11.11111", "10", "5", "0"}
    assert {share(each) for each in SHARES} == known
    for kind in ("numerical", "multichoice"):
        for each in questions(kind):
            assert {str(answer.get("fraction")).removeprefix("-") for answer in each.iterfind("answer")} <= known


@pytest.mark.parametrize("tag", ["questiontext", "generalfeedback", "graderinfo"])
def test_every_figure_lies_beside_the_text_that_shows_it(tag: str) -> None:
    for each in quiz().iter(tag):
        shown = {image.get("src") for image in html.fromstring(f"<div>{each.findtext('text')}</div>").iter("img")}
        files = {f"@@PLUGINFILE@@/{file.get('name')}": file for file in each.iterfind("file")}
        assert set(files) == shown
        for file in files.values():
            drawn = base64.b64decode(str(file.text), validate=True)
            assert etree.fromstring(drawn).tag == "{http://www.w3.org/2000/svg}svg"
            assert b"prefers-color-scheme" not in drawn
    assert any(each.find("file") is not None for each in quiz().iter("questiontext"))


def test_hostile_text_is_text() -> None:
    body = str(question("e1-v1").findtext("questiontext/text"))
    page = html.fromstring(f"<div>{body}</div>")
    assert page.find(".//b") is None
    assert HOSTILE.split("\x00")[0].strip() in page.text_content()
    assert "$$" not in body
    assert r"\(x" not in body
    assert r"\(\partial E/\partial w_{5}\)" in body


# ---- numbers -------------------------------------------------------------------------------


def taken(each: etree._Element, value: Decimal) -> tuple[Fraction, str]:
    """As Moodle does: the first answer within its tolerance."""
    for answer in each.iterfind("answer"):
        if abs(value - Decimal(str(answer.findtext("text")))) <= Decimal(str(answer.findtext("tolerance"))):
            words = str(answer.findtext("feedback/text") or "")
            return percent(str(answer.get("fraction"))), html.fromstring(words).text_content() if words else ""
    return Fraction(0), ""


@pytest.mark.parametrize("variant", [1, 2, 3])
@pytest.mark.parametrize("exercise", [1, 2, 11])
def test_a_number_is_marked_with_its_tolerance_and_its_known_mistakes(exercise: int, variant: int) -> None:
    asked = sheets()[variant - 1].exercises[exercise - 1].items[0]
    each = question(f"e{exercise}-v{variant}")
    right, *mistakes = ranges(asked)
    for value in (right.value, right.low, right.high):
        assert taken(each, value) == (1, "")
    assert taken(each, right.value + right.tolerance * Decimal("1.0001")) == (0, "")
    for mistake in mistakes:
        told = mistake.feedback
        assert told is not None
        due, words = taken(each, Decimal(told.value))
        assert due == percent(share(Fraction(told.points, asked.points)))
        assert words.split()[:2] == told.words.split()[:2]


VALUES = st.decimals("-1000", "1000", places=6)


@given(VALUES, st.decimals("0.000001", "10", places=6), st.lists(VALUES, max_size=6))
def test_ranges_never_meet(value: Decimal, tolerance: Decimal, wrong: list[Decimal]) -> None:
    asked = Item("", (), number(str(value), str(tolerance), *(feedback(str(each), "No.", 1) for each in wrong)), 2)
    right, *mistakes = ranges(asked)
    assert (right.value, right.tolerance) == (value, tolerance)
    for each in mistakes:
        assert each.low > right.high or each.high < right.low
        assert each.tolerance >= 0
    for one in mistakes:
        for other in mistakes:
            assert one.value == other.value or one.low > other.high or one.high < other.low


# ---- choices and orders --------------------------------------------------------------------


def test_the_right_options_make_up_the_whole() -> None:
    for each in questions("multichoice"):
        shares = [percent(str(answer.get("fraction"))) for answer in each.iterfind("answer")]
        assert sum(one for one in shares if one > 0) == 1
        if each.findtext("single") == "false":
            assert sum(shares) == 0  # to tick everything is worth nothing
        else:
            assert sorted(shares)[-2] == 0


def test_an_order_is_listed_in_the_right_one() -> None:
    texts = [
        html.fromstring(str(each.findtext("text"))).text_content() for each in question("e7-v1").iterfind("answer")
    ]
    assert texts[0].startswith("<b>&")
    assert texts[1] == "net"
    assert texts[2].startswith(r"\(")
    assert question("e8-v1").get("type") == "multichoice"


def test_an_essay_has_the_solution_for_who_marks_it() -> None:
    assert "By the chain rule" in str(question("e9-v1").findtext("graderinfo/text"))


def test_a_library_reads_the_choices() -> None:
    library = pytest.importorskip("moodle_xml_parser.parser")
    found = library.parse_bytes(EXPORTS["moodle"].write(sheets(), "mazur"))
    read = {each.name: each for each in found["multichoice"]}
    assert len(read) == len(questions("multichoice"))
    for each in questions("multichoice"):
        one = next(value for name, value in read.items() if name[:30] == str(each.findtext("name/text"))[:30])
        assert [option.score_fraction for option in one.options] == [
            float(a.get("fraction")) for a in each.iterfind("answer")
        ]


# ---- cloze ---------------------------------------------------------------------------------

KINDS = "NUMERICAL|MULTICHOICE_VS|MULTIRESPONSE_S|MULTICHOICE|SHORTANSWER|SA|MC"


def blanks(text: str) -> tuple[str, list[tuple[int, str, list[tuple[Fraction, str, str]]]]]:
    """The blanks of a cloze text, and the text with their numbers in their places, read character by character.

    An answer ends before ``~``, ``}`` or ``#``, a feedback before ``~`` or ``}``, unless a backslash stands before
    (for an answer, an ampersand too). Then entities are decoded once, and the backslash of ``\\}`` and ``\\#`` dropped.
    """
    found: list[tuple[int, str, list[tuple[Fraction, str, str]]]] = []
    rest = ""
    while start := re.search(rf"\{{([0-9]*):({KINDS}):", text):
        position, alternatives = start.end(), []
        while True:
            fraction = re.match(r"=|%(-?[0-9.]+)%", text[position:])
            assert fraction, "every alternative says what it is worth"
            position += fraction.end()
            end = position + 1
            while text[end] not in "~}#" or text[end - 1] in "\\&":
                end += 1
            answer, words = text[position:end], ""
            if text[end] == "#":
                position = end = end + 1
                while text[end] not in "~}" or text[end - 1] == "\\":
                    end += 1
                words = text[position:end]
            worth = Fraction(1) if fraction.group() == "=" else percent(fraction.group(1))
            alternatives.append((worth, decoded(answer), decoded(words)))
            position = end + 1
            if text[end] == "}":
                break
        found.append((int(start.group(1)), start.group(2), alternatives))
        rest += f"{text[: start.start()]}[[{len(found)}]]"
        text = text[position:]
    return rest + text, found


def decoded(text: str) -> str:
    return entities.unescape(text).replace(r"\}", "}").replace(r"\#", "#")


def test_a_table_of_numbers_is_one_question() -> None:
    rest, found = blanks(str(question("e3-v1").findtext("questiontext/text")))
    assert [(points, kind) for points, kind, _ in found] == [
        (2, "NUMERICAL"), (1, "NUMERICAL"), (1, "MULTICHOICE_VS"), (1, "MULTIRESPONSE_S"),
    ]  # fmt: skip
    items = sheets()[0].exercises[2].items
    for asked, (_, _, alternatives) in list(zip(items, found, strict=True))[:2]:
        for expected, (worth, value, words) in zip(ranges(asked), alternatives, strict=True):
            assert worth == expected.share
            center, _, reach = value.partition(":")
            assert (Decimal(center), Decimal(reach)) == (expected.value, expected.tolerance)
            said = html.fromstring(words).text_content() if words else ""
            assert said.split() == shown(expected.feedback.words if expected.feedback else "").split()
    options = found[2][2]
    assert [worth for worth, _, _ in options] == [0, 1, 0]
    assert html.fromstring(options[0][1]).text_content().strip() == shown(HOSTILE)
    assert options[1][1].strip() == r"\(\partial E/\partial w_{5}\)"
    assert [worth for worth, _, _ in found[3][2]] == [Fraction(1, 3), Fraction(1, 3), -1, Fraction(1, 3)]
    text = html.fromstring(f"<div>{rest}</div>").text_content()
    assert shown(HOSTILE) in text
    assert all(f"[[{place}]]" in text for place in (1, 2, 3, 4))


def shown(text: str) -> str:
    return clean(text).strip()


ANY_TEXT = st.text(st.sampled_from("ab1{}~#%\\/:=&;\"'<> $!?.,amplt()"), max_size=25) | st.text(max_size=12)
STYLE = Style(tex_line, tex_equation_of, str)


@given(st.lists(ANY_TEXT, min_size=1, max_size=4), ANY_TEXT)
def test_whatever_is_said_in_a_blank_comes_back_as_it_was(words: list[str], around: str) -> None:
    page = Page(STYLE)
    told = [feedback(str(place + 2), text) for place, text in enumerate(words)]
    asked = Item("a", (), number("1", "0.01", *told), 2)
    made = Element("p")
    page.text(made, around)
    blank(made, 0)
    rest, found = blanks(in_cloze(markup([made]), (asked,), page))
    ((_, kind, alternatives),) = found
    assert kind == "NUMERICAL"
    said = [html.fromstring(f"<div>{text}</div>").text_content() for _, _, text in alternatives[1:]]
    assert [text.split() for text in said] == [shown(text).split() for text in words]
    assert html.fromstring(f"<div>{rest}</div>").text_content().split() == f"{clean(around)}[[1]]".split()


@given(ANY_TEXT)
def test_an_escaped_text_ends_where_it_should(text: str) -> None:
    made = escape(entities.escape(text, quote=False))
    assert not re.search(r"(?<!\\)[~}]", made)
    assert not made.endswith("\\")
    assert decoded(made).strip() == entities.escape(text, quote=False).replace("\n", " ").strip()


def test_a_choice_without_a_right_option_gets_one() -> None:
    from render.exports.wording import offered

    wrong = ChoiceAnswer(tuple(each for each in several().options if not each.right), True)
    assert [each.right for each in offered(wrong)] == [False, True]
    assert offered(choice()) == choice().options


# ---- all of them ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", EXPORTS)
def test_the_same_sheets_give_the_same_bytes(name: str) -> None:
    assert EXPORTS[name].write(sheets(), "mazur") == EXPORTS[name].write(sheets(), "mazur")


@pytest.mark.parametrize("name", EXPORTS)
@pytest.mark.parametrize("stem", ["mazur", "Übung 1", "../x", "数", "a" * 300, ""])
def test_any_stem_will_do(name: str, stem: str) -> None:
    assert EXPORTS[name].write(sheets(1), stem)
