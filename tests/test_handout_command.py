"""`chainrule handout`, as a lecturer meets it: a class of awkward names, its key, and what is refused."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from handout_fakes import tree
from pypdf import PdfReader
from typer.testing import CliRunner, Result

import derive
from render.cli import app

HERE = Path(__file__).parent
ROOT = HERE.parent

ROSTER = '''\
Matrikelnummer;Nachname;Vorname
0042;Lovelace;Ada
=1+2;"O'Neill; Jr.";"Robert ""Bob"""

7;王;小明
@8;الفارسي;محمد
'''
NAMES = ["001_lovelace_ada", "002_oneill_jr_robert_bob", "003_wang_xiaoming", "004_lfrsy_mhmd"]


def command(*arguments: object, hash_seed: str = "1") -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": hash_seed, "PYTHONWARNINGS": "error"}
    line = [sys.executable, "-m", "render.cli", "handout", *map(str, arguments)]
    return subprocess.run(line, env=environment, capture_output=True, text=True, check=False)


def refused(*arguments: object, text: str | None = None) -> Result:
    return CliRunner().invoke(app, ["handout", *map(str, arguments)], input=text)


@pytest.fixture(scope="module")
def roster(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("roster") / "class.csv"
    path.write_text(ROSTER, encoding="utf-8-sig")
    return path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, roster: Path) -> Path:
    pytest.importorskip("typst")
    out = tmp_path_factory.mktemp("class") / "out"
    done = command("mazur", "--roster", roster, "--seed", 7, "--out", out, "--combine", "--course", "AI 1")
    assert done.returncode == 0, done.stderr
    assert done.stderr == "chainrule: 4 sheets, seed 7\n"
    assert done.stdout.splitlines() == [str(out / name) for name in sorted(each.name for each in out.iterdir())]
    return out


# ---- a class -------------------------------------------------------------------------------------


def test_every_student_has_a_sheet_and_a_solution_as_pdf(made: Path) -> None:
    assert sorted(path.stem for path in made.glob("sheets/*.pdf")) == NAMES
    assert sorted(path.stem for path in made.glob("solutions/*.pdf")) == [f"{name}_solutions" for name in NAMES]
    text = PdfReader(made / "sheets" / f"{NAMES[0]}.pdf").pages[0].extract_text()
    assert "Ada Lovelace" in text
    assert "0042" in text
    assert "AI 1" in text


def test_every_answer_in_the_key_is_what_the_students_own_problem_file_gives(made: Path) -> None:
    rows = list(csv.DictReader(io.StringIO((made / "key.csv").read_text())))
    held = [row for row in rows if row["of"]]
    assert {row["of"] for row in held} == {"arrays", "gradients", "updated"}
    assert {row["sheet"] for row in held} == {"1", "2", "3", "4"}
    found: dict[str, Any] = {}
    for row in held:
        if row["problem"] not in found:
            found[row["problem"]] = derive.differentiate(derive.load(made / row["problem"])).to_json(17)
        number = found[row["problem"]][row["of"]][row["array"]]
        for place in row["index"].split(",") if row["index"] else ():
            number = number[int(place)]
        assert row["value"] == number


def test_no_two_students_have_the_same_numbers(made: Path) -> None:
    texts = [path.read_text() for path in made.glob("sheets/*.toml")]
    assert len(set(texts)) == len(texts) == 4


def test_the_manifest_names_no_time_and_no_place(made: Path, roster: Path) -> None:
    text = (made / "manifest.json").read_text()
    choices = json.loads(text)["choices"]
    assert choices["seed"] == 7
    assert choices["roster"]["name"] == "class.csv"
    assert str(made) not in text
    assert str(roster.parent) not in text


def test_the_same_command_gives_the_same_bytes(made: Path, roster: Path, tmp_path: Path) -> None:
    out = tmp_path / "elsewhere"
    arguments = ("mazur", "--roster", roster, "--seed", 7, "--out", out, "--combine", "--course", "AI 1")
    assert command(*arguments, "--workers", 1, hash_seed="4711").returncode == 0
    assert tree(out) == tree(made)


def test_a_whole_handout_is_not_made_again(made: Path, roster: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in made.rglob("*")}
    arguments = ("mazur", "--roster", roster, "--seed", 7, "--out", made, "--combine", "--course", "AI 1", "--resume")
    done = command(*arguments)
    assert done.stderr == "chainrule: 4 sheets, seed 7, 4 of them there before\n"
    assert {path: path.stat().st_mtime_ns for path in made.rglob("*")} == before


def test_several_problems_without_a_roster_and_what_is_written_once(tmp_path: Path) -> None:
    done = command(
        *("mazur", "xor", "--variants", 2, "--to", "markdown,slides,beamer", "--out", tmp_path),
        *("--exercises", "gradient,delta", "--points", 0, "--solutions", "none"),
    )
    assert done.returncode == 0, done.stderr
    names = set(tree(tmp_path))
    assert {f"sheets/mazur_00{n}{end}" for n in (1, 2) for end in (".md", "_mazur.toml", "_xor.toml")} <= names
    assert {"mazur_slides.html", "xor_slides.html", "mazur_beamer.tex", "marking.md", "key.xlsx"} <= names
    assert not [name for name in names if name.startswith("solutions")]
    sheets = json.loads((tmp_path / "key.json").read_text())["sheets"]
    assert [answer["kind"] for answer in sheets[0]["answers"]] == ["gradient", "delta"] * 2
    assert "points" not in (tmp_path / "sheets" / "mazur_001.md").read_text().lower()


def test_without_variants_the_problem_keeps_its_own_numbers(tmp_path: Path) -> None:
    done = command("mazur", "--to", "markdown", "--exercises", "gradient:w5", "--carry", "5sf", "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    exact = derive.differentiate("mazur").to_json(17)["gradients"]["W2"][0][0]
    (sheet,) = json.loads((tmp_path / "key.json").read_text())["sheets"]
    assert [(a["value"], a["shown"]) for a in sheet["answers"]] == [(exact, "0.082167")]
    assert derive.load(tmp_path / "sheets" / "mazur_001.toml").layers == derive.load("mazur").layers


# ---- refused, and nothing written ------------------------------------------------------------------

# arguments | what is said
FAULTS: dict[str, tuple[tuple[object, ...], str]] = {
    "an unknown problem": (("mazzur",), 'did you mean "mazur"'),
    "a format": (("mazur", "--to", "pfd"), '--to: found "pfd"; known: '),
    "no format": (("mazur", "--to", ","), "--to: names no format"),
    "solutions": (("mazur", "--solutions", "apart"), '--solutions: found "apart"; known: none, separate, only'),
    "paper": (("mazur", "--paper", "a5"), '--paper: found "a5"; known: a4, letter'),
    "blanks": (("mazur", "--blanks", "most"), '--blanks: found "most"; known: '),
    "a share of blanks": (("mazur", "--blanks", "1.5"), '--blanks: found "1.5"; known: '),
    "digits": (("mazur", "--carry", "many"), "--carry: found "),
    "a kind of exercise": (("mazur", "--exercises", "gradients"), '--exercises: no kind of exercise "gradients"'),
    "what it is about": (("mazur", "--exercises", "gradient:w99"), "w99"),
    "notation": (("mazur", "--notation", "mazurr"), '--notation: found "mazurr"'),
    "no folder of templates": (("mazur", "--templates", "nowhere"), "--templates: nowhere is no folder"),
    "no logo": (("mazur", "--logo", "logo.png"), "--logo: logo.png: "),
    "a logo that is none": (("mazur", "--logo", Path(__file__)), "--logo: "),
    "no roster": (("mazur", "--roster", "nobody.csv"), "nobody.csv: cannot be read: No such file or directory"),
    "a title of two lines": (("mazur", "--title", "a\nb"), "--title: found "),
    "a course without end": (("mazur", "--course", "x" * 301), "--course: has 301 characters; 300 are the most"),
    "standard input twice": (("-", "-"), "PROBLEM: standard input can be read once only"),
    "to begin anew and to go on": (("mazur", "--resume", "--force"), "--force: begins anew, and --resume goes on"),
    "combined, without PDF": (("mazur", "--to", "html", "--combine"), "--combine: makes one PDF of many; add pdf"),
    "variants of slides": (("mazur", "--to", "slides", "--variants", 3), "--variants: has no effect on slides"),
    "variants of symbols": (("symbolic", "--variants", 3, "--to", "html"), "leaves symbols"),
    "too many variants": (("mazur", "--variants", 100_001), "Invalid value for '--variants'"),
    "no variant": (("mazur", "--variants", 0), "Invalid value for '--variants'"),
    "a seed": (("mazur", "--seed", -1), "Invalid value for '--seed'"),
    "no worker": (("mazur", "--workers", 0), "Invalid value for '--workers'"),
    "points": (("mazur", "--points", -1), "Invalid value for '--points'"),
    "nothing": ((), "Missing argument 'PROBLEM…'"),
}


@pytest.mark.parametrize(("arguments", "expected"), FAULTS.values(), ids=FAULTS)
def test_what_is_wrong_is_said_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[object, ...], expected: str
) -> None:
    monkeypatch.chdir(tmp_path)
    done = refused(*arguments)
    assert done.exit_code == 2, done.output
    assert expected in " ".join(done.stderr.replace("│", " ").split())
    assert "Traceback" not in done.output
    assert list(tmp_path.iterdir()) == []


def test_a_roster_is_refused_with_the_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("class.csv").write_text("name,id\nAda,1\nAlan,1\n")
    done = refused("mazur", "--roster", "class.csv")
    assert done.exit_code == 2
    assert done.stderr == 'chainrule: class.csv: line 3: the id "1" is that of line 2 already\n'
    assert [path.name for path in tmp_path.iterdir()] == ["class.csv"]


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    done = refused("mazur", "--out", tmp_path / "out")
    assert done.exit_code == 2
    assert "is a file; a folder is expected" in done.stderr
    assert (tmp_path / "out").read_text() == "mine"


def test_a_handout_of_another_seed_is_refused_with_what_differs(made: Path, roster: Path) -> None:
    before = tree(made)
    arguments = ("mazur", "--roster", roster, "--seed", 8, "--out", made, "--combine", "--course", "AI 1")
    for more, told in (((), "seed was 7 and is 8"), (("--resume",), "seed was 7 and is 8")):
        done = command(*arguments, *more)
        assert done.returncode == 2
        assert told in done.stderr
        assert len(done.stderr.splitlines()) == 1
    assert tree(made) == before


def test_a_format_that_lacks_something_is_told_and_the_others_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    from render.formats import FORMATS

    monkeypatch.setitem(FORMATS, "pdf", replace(FORMATS["pdf"], missing=lambda: "it needs a printer"))
    done = refused("mazur", "--to", "pdf", "--out", tmp_path / "out")
    assert (done.exit_code, done.stderr) == (3, "chainrule: pdf cannot be written: it needs a printer\n")
    assert not (tmp_path / "out").exists()


# ---- how it ends ------------------------------------------------------------------------------------

SCRIPT = """
import sys
from pathlib import Path
import handout_fakes as fakes
import render.commands.handout as command
from render.cli import main
out, kind = Path(sys.argv.pop(1)), sys.argv.pop(1)
sheets = fakes.FakeSheets(fails=(2, 3) if kind == "fails" else (), seconds=0.05 if kind == "slow" else 0.0)
command.planned = lambda names, chosen: fakes.handout(out, sheets, students=fakes.CLASS * 4)
main()
"""


def start(out: Path, kind: str, *arguments: str) -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": f"{ROOT}:{HERE}"}
    line = [sys.executable, "-c", SCRIPT, str(out), kind, "handout", "xor", "--out", str(out), *arguments]
    return subprocess.Popen(
        line, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def test_sheets_that_fail_are_told_at_the_end_with_exit_status_1(tmp_path: Path) -> None:
    with start(tmp_path, "fails") as process:
        printed, told = process.communicate(timeout=60)
    assert process.returncode == 1
    assert told.splitlines() == [
        "chainrule: 18 sheets, seed 1",
        "chainrule: not written: 002_wangxiaoming: variant 2 cannot be drawn",
        "chainrule: not written: 003_cmd_c_calc_a1: variant 3 cannot be drawn",
        "chainrule: all others are whole; the same command with --resume tries these again",
    ]
    assert str(tmp_path / "key.csv") in printed.splitlines()


def test_interrupted_it_says_how_to_go_on_and_ends_with_130(tmp_path: Path) -> None:
    with start(tmp_path, "slow") as process:
        end = time.monotonic() + 30
        while len(list(tmp_path.glob("sheets/*.md"))) < 3 and time.monotonic() < end:
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGINT)
        printed, told = process.communicate(timeout=10)
    assert process.returncode == 130
    first, second = told.splitlines()
    assert first.startswith("chainrule: interrupted: ")
    assert first.endswith(f" of 20 sheets are whole in {tmp_path}")
    assert second == "chainrule: go on with the same command and --resume"
    assert printed == ""
    with start(tmp_path, "quick", "--resume") as process:
        _, told = process.communicate(timeout=60)
    assert process.returncode == 0
    assert told.startswith("chainrule: 20 sheets, seed 1, ")
    assert told.endswith(" of them there before\n")
