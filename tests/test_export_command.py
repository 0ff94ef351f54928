"""`chainrule export`: real sheets for every platform, checked as files; what is refused, and how."""

import io
import subprocess
import sys
import zipfile
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest
from lxml import etree
from typer.testing import CliRunner

import derive
from derive.errors import ChainruleError
from render.cli import app
from render.exercises.kinds import KINDS
from render.exercises.model import NumberAnswer, Sheet
from render.exercises.sheets import Options, Sheets
from render.exports import EXPORTS

DTD = Path(__file__).parent / "data" / "qti21_subset.dtd"
QTI12 = "{http://www.imsglobal.org/xsd/ims_qtiasiv1p2}"


@cache
def sheets(name: str, count: int) -> tuple[Sheet, ...]:
    """Variants of a sheet with every kind of exercise that a problem has."""
    kinds = []
    for kind in KINDS:
        try:
            assert Sheets((derive.load(name),), 7, Options(kind), False).prepared
            kinds.append(kind)
        except ChainruleError:
            continue
    made = Sheets((derive.load(name),), 7, Options(",".join(kinds)), count > 1)
    return tuple(made.sheet(number) for number in range(1, count + 1))


def archive(content: bytes) -> dict[str, bytes]:
    opened = zipfile.ZipFile(io.BytesIO(content))
    return {name: opened.read(name) for name in opened.namelist()}


@pytest.mark.parametrize(("name", "count"), [("mazur", 2), ("cnn", 1)])
def test_every_kind_of_exercise_is_valid_in_qti21(name: str, count: int) -> None:
    model = etree.DTD(str(DTD))
    for path, content in archive(EXPORTS["qti21"].write(sheets(name, count), name)).items():
        if path.endswith(".xml") and path != "imsmanifest.xml":
            assert model.validate(etree.fromstring(content)), (path, model.error_log)


@pytest.mark.parametrize(("name", "count"), [("mazur", 2), ("cnn", 1)])
def test_every_number_of_a_sheet_is_asked_for(name: str, count: int) -> None:
    """All of the sheets' answers, and no others, are the right answers of the questions: in each of the files."""
    given = sheets(name, count)
    answers = [item.answer for one in given for exercise in one.exercises for item in exercise.items]
    wanted = sorted(Decimal(each.value) for each in answers if isinstance(each, NumberAnswer))
    assert wanted
    quiz = etree.fromstring(EXPORTS["moodle"].write(given, name))
    whole = [
        each for each in quiz.iter("answer") if each.get("fraction") == "100" and each.find("tolerance") is not None
    ]
    single = [Decimal(str(each.findtext("text"))) for each in whole]
    blanks = "".join(str(each.findtext("questiontext/text")) for each in quiz if each.get("type") == "cloze")
    inside = [Decimal(part.partition(":")[0]) for part in blanks.split(":NUMERICAL:=")[1:]]
    assert sorted(single + inside) == wanted
    items = archive(EXPORTS["qti21"].write(given, name))
    roots = [etree.fromstring(content) for path, content in items.items() if path.startswith("items/")]
    floats = [each for root in roots for each in root.iterfind("{*}responseDeclaration[@baseType='float']")]
    assert sorted(Decimal(str(each.findtext("{*}correctResponse/{*}value"))) for each in floats) == wanted


def test_canvas_gets_the_points_of_the_sheet() -> None:
    given = sheets("mazur", 2)
    files = archive(EXPORTS["qti12"].write(given, "mazur"))
    quiz = etree.fromstring(files["mazur-s7/mazur-s7.xml"])
    assert sum(int(str(each.text)) for each in quiz.iter(f"{QTI12}points_per_item")) == given[0].points
    assert len(list(quiz.iter(f"{QTI12}item"))) == 2 * len(list(quiz.iter(f"{QTI12}points_per_item")))


# ---- the command ---------------------------------------------------------------------------


def run(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "render.cli", "export", *arguments]
    root = str(Path(__file__).parent.parent)
    return subprocess.run(command, cwd=folder, env={"PYTHONPATH": root}, capture_output=True, text=True, check=False)


def test_it_writes_a_file_for_each_platform(tmp_path: Path) -> None:
    options = ("--variants", "2", "--seed", "3", "--exercises", "gradient:w5,paths", "--out")
    done = run("mazur", "--to", "moodle,qti12", "--to", "qti21", *options, "a", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["a/mazur_moodle.xml", "a/mazur_qti12.zip", "a/mazur_qti21.zip"]
    assert done.stderr == "chainrule: 4 exercises, seed 3\n"
    again = run("mazur", "--to", "qti12", *options, "one.zip", folder=tmp_path)
    assert again.returncode == 0, again.stderr
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "a/mazur_qti12.zip").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("mazur", "--to", "moodel"), '--to: found "moodel"; known: moodle, qti12, qti21; did you mean "moodle"?'),
        (("mazur", "--to", ","), "--to: names no platform; known: moodle, qti12, qti21"),
        (("mazur", "--to", "moodle,qti12", "--out", "x.zip"), "x.zip is one file, and --to names 2 platforms"),
        (("mazur", "--to", "qti12", "--out", "x.xml"), "x.xml: qti12 is a file whose name ends in .zip"),
        (("mazur", "--to", "qti12", "--notation", "mazu"), "--notation"),
        (("-", "-", "--to", "qti12"), "standard input can be read once only"),
        (("mazur", "--to", "qti12", "--exercises", "gradent"), "gradent"),
        (("no.toml", "--to", "qti12"), "no.toml"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(
    arguments: tuple[str, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["export", *arguments], input="")
    assert done.exit_code == 2, done.output
    assert said in done.stderr
    assert not list(tmp_path.iterdir())


def test_platforms_and_exercises_are_listed() -> None:
    for kind, name in (("exports", "moodle"), ("exercises", "gradient")):
        assert name in CliRunner().invoke(app, ["list", kind]).stdout
