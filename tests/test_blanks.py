"""Blanks: scaffolding that fades from everything shown to an empty frame, and never gives an answer away."""

from __future__ import annotations

from functools import cache

import pytest

import derive
from derive.errors import ChainruleError
from derive.formula import Formula, Gap, Group, Negative, Number, Product, Sum, children
from render.document import Equation, Space
from render.exercises.blanks import LEVELS, gapped, is_numeric, share
from render.exercises.model import Exercise, NumberAnswer
from render.exercises.sheets import Options, Sheets
from render.formats import render_text
from render.handout.heading import Heading
from render.handout.papers import sheet_document

HEADING = Heading(title="Exercises")


@cache
def made(blanks: str, text: str = "gradient:w1") -> Exercise:
    (exercise,) = (
        Sheets((derive.load("mazur"),), 7, Options(exercises=text, blanks=blanks), varied=False).sheet(1).exercises
    )
    return exercise


def gaps(formula: Formula) -> int:
    if isinstance(formula, Gap):
        return 1
    inner = (formula.body,) if isinstance(formula, Negative | Group) else children(formula)
    return sum(gaps(child) for child in inner)


def counted(blanks: str) -> tuple[int, int, int]:
    """How many equations, how many blanks in them, how many empty frames."""
    blocks = made(blanks).scaffold
    equations = [block for block in blocks if isinstance(block, Equation)]
    return (
        len(equations),
        sum(gaps(side.formula) for block in equations for side in block.sides),
        sum(isinstance(block, Space) for block in blocks),
    )


def test_none_leaves_nothing_blank() -> None:
    assert counted("none") == (4, 0, 0)


def test_results_leaves_the_numbers_blank() -> None:
    equations, blank, frames = counted("results")
    assert (equations, frames) == (4, 0)
    assert blank == 8  # in each of four lines the calculation and its result


def test_factors_leaves_the_formulas_blank_too() -> None:
    assert counted("factors")[1] > counted("results")[1]


def test_all_is_an_empty_frame() -> None:
    assert counted("all")[::2] == (0, 1)


def test_a_share_fades_from_one_level_to_the_next() -> None:
    steps = [counted(str(k / 12)) for k in range(12)]
    blank = [gaps + 100 * frames for _, gaps, frames in steps]
    assert blank == sorted(blank)
    assert len(set(blank)) > 8


def test_the_last_steps_fade_first() -> None:
    blocks = [block for block in made("0.1").scaffold if isinstance(block, Equation)]
    assert [sum(gaps(side.formula) for side in block.sides) > 0 for block in blocks] == [False, False, False, True] or [
        sum(gaps(side.formula) for side in block.sides) > 0 for block in blocks
    ] == [False, False, True, True]


@pytest.mark.parametrize(("text", "found"), [*LEVELS.items(), ("0", 0.0), ("0.25", 0.25), ("1", 1.0)])
def test_a_level_goes_by_name_or_by_share(text: str, found: float) -> None:
    assert share(text) == found


@pytest.mark.parametrize("text", ["half", "-0.1", "1.5", "nan", "", "inf", "result"])
def test_what_is_no_level_is_refused(text: str) -> None:
    with pytest.raises(ChainruleError, match="--blanks: "):
        share(text)


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        (Product((Number("2"), Number("3"))), Product((Gap(Number("2")), Gap(Number("3"))), "dot")),
        (Sum((Number("1"), Negative(Number("2")))), Sum((Gap(Number("1")), Negative(Gap(Number("2")))))),
    ],
)
def test_each_factor_of_each_term_has_a_blank_of_its_own(formula: Formula, expected: Formula) -> None:
    assert is_numeric(formula)
    assert gapped(formula) == expected


@pytest.mark.parametrize("blanks", ["results", "factors", "all", "0.5"])
def test_a_sheet_never_holds_its_answers(blanks: str) -> None:
    exercises = "forward_value:out_o1,delta:net_h1,gradient:w5,gradient:w1,update:w1"
    sheet = Sheets((derive.load("mazur"),), 7, Options(exercises=exercises, blanks=blanks)).sheet(3)
    answers = [item.answer for made in sheet.exercises for item in made.items if isinstance(item.answer, NumberAnswer)]
    assert len(answers) == 5
    for format_name in ("html", "latex", "markdown", "pdf"):
        text = render_text(sheet_document(sheet, HEADING), format_name)
        for answer in answers:
            assert answer.shown.lstrip("-") not in text
            assert answer.value.lstrip("-")[:7] not in text
