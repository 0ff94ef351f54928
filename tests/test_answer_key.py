"""The answer key says what the sheets say, in three kinds of files, whatever students are called."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from handout_fakes import CLASS, FakeSheets, handout, tree

from render.exercises.model import NumberAnswer
from render.handout import key_files
from render.handout.key import KEY, MISTAKE, answers, letter
from render.handout.key_files import inert, workbook
from render.handout.run import hand_out


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("class")
    hand_out(handout(folder))
    return tree(folder)


def rows(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode(), newline="")))


def pages(data: bytes) -> dict[str, list[tuple[Any, ...]]]:
    book = openpyxl.load_workbook(io.BytesIO(data))
    return {page.title: list(page.values) for page in book.worksheets}


def as_numbers() -> Iterable[tuple[int, NumberAnswer]]:
    for number in range(1, len(CLASS) + 1):
        for exercise in FakeSheets().sheet(number).exercises:
            for item in exercise.items:
                if isinstance(item.answer, NumberAnswer):
                    yield number, item.answer


# ---- the same in every file --------------------------------------------------------------------


def test_every_number_of_every_sheet_is_in_the_key(made: dict[str, bytes]) -> None:
    found = [row for row in rows(made["key.csv"]) if row["type"] == "number"]
    told = [(int(row["sheet"]), row["value"], row["shown"], row["tolerance"], row["of"], row["array"]) for row in found]
    assert told == [(n, a.value, a.shown, a.tolerance, a.of, a.array) for n, a in as_numbers()]
    assert [row["index"] for row in found[:2]] == ["0,1", ""]
    assert all(made[row["problem"]] for row in found)


def test_every_mistake_of_every_number_has_a_row(made: dict[str, bytes]) -> None:
    found = rows(made["key_mistakes.csv"])
    expected = [(number, each) for number, answer in as_numbers() for each in answer.feedback]
    assert [(int(row["sheet"]), row["value"], int(row["points"])) for row in found] == [
        (number, each.value, each.points) for number, each in expected
    ]
    assert found[0]["mistakes"].split(";") == ["sign_of_delta", "update_added"]
    assert found[0]["layers"].split(";") == ["2", "all"]


def test_choices_and_orders_are_letters_and_formulas_as_they_are_typed(made: dict[str, bytes]) -> None:
    found = {row["type"]: row["value"] for row in rows(made["key.csv"])}
    assert found["choice"] == "b"
    assert found["order"] == "C A B or C B A"
    assert found["formula"] == "'-(t - a)*a*(1 - a)"  # the apostrophe keeps a spreadsheet from calculating it


def test_letters_go_on_after_z() -> None:
    assert [letter(place) for place in (0, 25, 26, 27, 701, 702)] == ["a", "z", "aa", "ab", "zz", "aaa"]


def test_json_has_it_all_sheet_by_sheet(made: dict[str, bytes]) -> None:
    sheets = json.loads(made["key.json"])["sheets"]
    assert [sheet["student"] for sheet in sheets] == [{"id": each.id, "name": each.name} for each in CLASS]
    expected = rows(made["key.csv"])
    told = [answer for sheet in sheets for answer in sheet["answers"]]
    assert [answer["value"] for answer in told] == [row["value"].removeprefix("'") for row in expected]
    problems = [f"sheets/{sheet['name']}.toml" for sheet in sheets for _ in sheet["answers"]]
    assert [answer["problem"] for answer in told] == problems


def test_the_workbook_has_the_rows_of_the_csv_files(made: dict[str, bytes]) -> None:
    book = pages(made["key.xlsx"])
    assert list(book) == ["Key", "Mistakes", "Points"]
    for page, file, columns in (("Key", "key.csv", KEY), ("Mistakes", "key_mistakes.csv", MISTAKE)):
        place = columns.index("value") + 1  # of the number beside the exact value
        body = [row[:place] + row[place + 1 :] for row in book[page][1:]]
        told = [["" if cell is None else str(cell) for cell in row] for row in body]
        assert told == [[cell.removeprefix("'") for cell in row.values()] for row in rows(made[file])]


def test_the_workbook_has_numbers_to_calculate_with_beside_exact_ones(made: dict[str, bytes]) -> None:
    header, *body = pages(made["key.xlsx"])["Key"]
    exact, number = header.index("value (exact)"), header.index("number")
    for row in body:
        is_number = row[header.index("type")] == "number"
        assert row[number] == (pytest.approx(float(row[exact]), rel=1e-15) if is_number else None)
        assert isinstance(row[exact], str)


# ---- points --------------------------------------------------------------------------------------


def test_points_are_summed_by_a_formula_for_every_student(made: dict[str, bytes]) -> None:
    header, most, *body = pages(made["key.xlsx"])["Points"]
    assert header == ("sheet", "variant", "id", "name", "1a", "1b", "2", "3", "4", "sum")
    assert most == (None, None, None, "at most", 3, 2, 1, 2, 4, "=SUM(E2:I2)")
    assert [row[3] for row in body] == [student.name for student in CLASS]
    assert [row[-1] for row in body] == [f"=SUM(E{row}:I{row})" for row in range(3, 3 + len(CLASS))]


def test_no_cell_takes_more_points_than_the_answer_is_worth(made: dict[str, bytes]) -> None:
    page = openpyxl.load_workbook(io.BytesIO(made["key.xlsx"]))["Points"]
    checks = {
        str(each.sqref): (each.type, each.formula1, each.formula2) for each in page.data_validations.dataValidation
    }
    assert checks["E3:E7"] == ("decimal", "0", "E$2")
    assert page.freeze_panes == "E3"


# ---- names that a spreadsheet would run ------------------------------------------------------------

CELLS = {
    "=1+2": "'=1+2",
    "@SUM(A1)": "'@SUM(A1)",
    "-cmd|'/c calc'!A1": "'-cmd|'/c calc'!A1",
    "+49 30 1234": "'+49 30 1234",
    "-7": "-7",
    "-0.0821": "-0.0821",
    "-1.5e-4343": "-1.5e-4343",
    "+1": "+1",
    "−7": "−7",
    "'t Hooft": "'t Hooft",
    "": "",
}


@pytest.mark.parametrize(("cell", "expected"), CELLS.items())
def test_text_is_never_a_formula_and_a_number_stays_one(cell: str, expected: str) -> None:
    assert inert(cell) == expected


def test_no_text_of_the_workbook_is_a_formula(made: dict[str, bytes]) -> None:
    book = openpyxl.load_workbook(io.BytesIO(made["key.xlsx"]))
    formulas = [cell.value for page in book for row in page for cell in row if cell.data_type == "f"]
    assert formulas
    assert all(str(each).startswith("=SUM(") for each in formulas)
    assert {"=1+2", "=cmd|'/c calc'!A1"} <= {cell.value for row in book["Key"] for cell in row}


# ---- large and extreme -----------------------------------------------------------------------------


def test_numbers_that_no_spreadsheet_has_are_text_only() -> None:
    sheet = FakeSheets().sheet(1)
    record = {
        "number": 1,
        "name": "x",
        "variant": 1,
        "student": {"id": "", "name": ""},
        "answers": answers(sheet, ["x"]),
    }
    for value, expected in (("1.5e-4343", None), ("0", 0), ("1e-299", 1e-299), ("-3e300", None), ("0.1", 0.1)):
        record["answers"][0]["value"] = value
        header, first, *_ = pages(workbook([record]))["Key"]
        assert first[header.index("number")] == expected
        assert first[header.index("value (exact)")] == value


def test_more_rows_than_a_worksheet_has_go_on_in_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_files, "MAX_ROWS", 4)
    record = {
        "number": 1,
        "name": "x",
        "variant": 1,
        "student": {"id": "", "name": ""},
        "answers": answers(FakeSheets().sheet(1), ["x"]),
    }
    book = pages(workbook([record]))
    assert list(book) == ["Key", "Key 2", "Mistakes", "Mistakes 2", "Points"]
    assert [len(page) for page in book.values()] == [4, 3, 4, 2, 3]
    assert book["Key"][0] == book["Key 2"][0]


def test_the_same_key_is_the_same_file(tmp_path: Path, made: dict[str, bytes]) -> None:
    hand_out(handout(tmp_path / "again"))
    assert (tmp_path / "again" / "key.xlsx").read_bytes() == made["key.xlsx"]


def test_values_are_decimals(made: dict[str, bytes]) -> None:
    for row in rows(made["key.csv"]):
        if row["type"] == "number":
            assert Decimal(row["value"]).is_finite()
            assert Decimal(row["tolerance"]) > 0
