"""Names of files: safe on every system, each once, and the same whoever asks."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from render.handout.copies import deal
from render.handout.naming import MAX_NAME, RESERVED, problem_names, sheet_names, slug, stem
from render.handout.roster import Student

# name of a student | what is made of it
WORDS = {
    "Ada Lovelace": "ada_lovelace",
    "Lovelace, Ada": "lovelace_ada",
    "Łukasz Żak": "lukasz_zak",
    "Gödel": "godel",
    "Strauß": "strauss",
    "O'Neill": "oneill",
    "王小明": "wangxiaoming",
    "Αλέξανδρος": "alexandros",
    "Пётр": "petr",
    "../../etc/passwd": "etc_passwd",
    "C:\\temp\\x": "c_temp_x",
    "a.b..c": "a_b_c",
    ".hidden": "hidden",
    "--rf": "rf",
    "x\u202ey": "xy",
    "🙂": "",
    "...": "",
}


@pytest.mark.parametrize(("name", "expected"), WORDS.items(), ids=[ascii(name) for name in WORDS])
def test_a_name_becomes_letters_that_every_file_system_takes(name: str, expected: str) -> None:
    assert re.fullmatch(r"([a-z0-9]+(_[a-z0-9]+)*)?", slug(name))
    assert slug(name) == expected or not expected


def test_the_family_name_goes_first_where_it_is_known() -> None:
    students = [Student(1, "Ada Lovelace", "7", "Ada", "Lovelace"), Student(2, "Alan Turing")]
    assert sheet_names(2, students, "mazur") == ("001_lovelace_ada", "002_alan_turing")


def test_where_no_letter_is_left_the_id_serves() -> None:
    assert sheet_names(2, [Student(1, "…", "ab-12"), Student(2, "…")], "mazur") == ("001_ab_12", "002_student")


def test_without_students_the_problem_gives_the_name() -> None:
    assert sheet_names(2, [], "mazur") == ("mazur_001", "mazur_002")
    assert sheet_names(1000, [], "../Größe 2")[-1] == "grosse_2_1000"


def test_sheets_beyond_the_students_are_spare_ones() -> None:
    assert sheet_names(3, [Student(1, "Ada")], "mazur") == ("001_ada", "002_spare", "003_spare")


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_no_file_has_the_name_of_a_device(name: str) -> None:
    assert stem(name) not in RESERVED
    assert stem(name.upper()) not in RESERVED


@given(st.lists(st.text(max_size=300), min_size=1, max_size=12), st.text(max_size=20))
def test_names_are_safe_and_each_is_there_once(names: list[str], identifier: str) -> None:
    students = [Student(number, name, identifier, name[::-1]) for number, name in enumerate(names, 1)]
    made = sheet_names(len(students), students, "mazur")
    assert len({name.casefold() for name in made}) == len(students)
    for name in made:
        assert re.fullmatch(r"[a-z0-9_]+", name)
        assert len(name.encode()) <= MAX_NAME <= 100
        assert name not in RESERVED
    assert sheet_names(len(students), students[:-1], "mazur")[:-1] == made[:-1], "a name depends on nobody else"


@given(st.text(max_size=300))
def test_a_stem_is_a_file_name(text: str) -> None:
    assert re.fullmatch(r"[a-z0-9_]{1,100}", stem(text))
    assert stem(text) not in RESERVED


@pytest.mark.parametrize(
    ("stems", "expected"),
    [
        (["mazur"], ("",)),
        (["mazur", "xor"], ("_mazur", "_xor")),
        (["a", "A", "a_2", "a"], ("_a", "_a_2", "_a_2_2", "_a_3")),
    ],
)
def test_each_problem_of_a_sheet_has_a_file_of_its_own(stems: list[str], expected: tuple[str, ...]) -> None:
    assert problem_names(stems) == expected


# ---- who gets which variant --------------------------------------------------------------------

TWO = (Student(1, "Ada"), Student(2, "Alan"))
NOBODY: tuple[Student, ...] = ()


@pytest.mark.parametrize(
    ("students", "variants", "expected"),
    [
        (TWO, None, [("Ada", 1), ("Alan", 2)]),
        (TWO, 1, [("Ada", 1), ("Alan", 1)]),
        (TWO * 2, 3, [("Ada", 1), ("Alan", 2), ("Ada", 3), ("Alan", 1)]),
        (TWO, 4, [("Ada", 1), ("Alan", 2), ("", 3), ("", 4)]),
        (NOBODY, 3, [("", 1), ("", 2), ("", 3)]),
        (NOBODY, None, [("", 1)]),
    ],
)
def test_variants_are_dealt_out(
    students: tuple[Student, ...], variants: int | None, expected: list[tuple[str, int]]
) -> None:
    copies = deal(students, variants, "mazur")
    assert [(copy.student.name if copy.student else "", copy.variant) for copy in copies] == expected
    assert [copy.number for copy in copies] == list(range(1, len(copies) + 1))
