"""The README is true: its commands run, its Python runs, its problem files load, its differences apply and work."""

from __future__ import annotations

import doctest
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from derive.problem import load_text

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    """The fenced blocks of a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


def run(code: list[str], folder: Path, house: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """A Python in ``folder`` that finds the packages of ``house``."""
    environment = os.environ | {"PYTHONPATH": str(house), "COLUMNS": "120", "NO_COLOR": "1"}
    command = [sys.executable, "-W", "error", *code]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, encoding="utf-8")


# ---- commands --------------------------------------------------------------------------------


def commands() -> list[tuple[str, str]]:
    """(command, what it prints, "" where the README does not say)."""
    found: list[tuple[str, str]] = []
    for block in blocks("console"):
        for line in block.splitlines(keepends=True):
            if line.startswith("$ "):
                found.append((line[2:].strip(), ""))
            else:
                found[-1] = (found[-1][0], found[-1][1] + line)
    return found


def test_a_fresh_machine_needs_two_commands() -> None:
    first, second = [command for command, _ in commands() if "pip install" in command]
    assert first == "python -m pip install '.[pdf]' && chainrule render mazur"
    assert second == "python -m pip install '.[test]' && python -m pytest"


def test_every_command_does_what_is_shown(tmp_path: Path) -> None:
    (numbers,) = blocks("csv")
    (tmp_path / "mine.csv").write_text(numbers, "utf-8")
    for command, shown in commands():
        arguments = shlex.split(command.rpartition("&& ")[2])
        if arguments[0] != "chainrule":
            continue
        done = run(["-m", "render.cli", *arguments[1:]], tmp_path)
        assert done.returncode == int("Wrong: " in shown), f"{command}\n{done.stderr}"
        assert done.stdout
        if shown:
            assert done.stdout == shown, command
    assert (tmp_path / "output" / "mazur.html").exists()


# ---- Python ----------------------------------------------------------------------------------


@pytest.mark.parametrize("block", blocks("python"))
def test_python_runs(block: str, tmp_path: Path) -> None:
    done = run(["-c", block], tmp_path)
    assert done.returncode == 0, done.stderr
    for written in re.findall(r'\.write\("([^"]+)"\)', block):
        assert (tmp_path / written).read_text("utf-8")


@pytest.mark.parametrize("block", blocks("pycon"))
def test_python_answers_as_shown(block: str) -> None:
    flags = doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL
    test = doctest.DocTestParser().get_doctest(block, {}, "README", None, 0)
    assert doctest.DocTestRunner(optionflags=flags).run(test).failed == 0


# ---- problem files ---------------------------------------------------------------------------


@pytest.mark.parametrize("block", blocks("toml"))
def test_problem_files_can_be_worked_out(block: str) -> None:
    import derive

    found = derive.differentiate(load_text(block)).to_json(9)
    assert float(found["error"]) > 0


def test_the_first_problem_file_is_the_article() -> None:
    import derive

    stated = derive.differentiate(load_text(blocks("toml")[0])).to_json()
    assert stated == derive.differentiate("mazur").to_json()


# ---- differences -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Difference:
    """One diff of the README: a file, and the runs of lines that replace others."""

    file: str
    hunks: tuple[tuple[str, str], ...]
    lines: int


def difference(block: str) -> Difference:
    old, new, *rest = block.splitlines()
    assert (old[:6], new[:6], rest[0]) == ("--- a/", "+++ b/", "@@")
    assert old[6:] == new[6:]
    hunks: list[tuple[str, str]] = []
    for line in rest:
        if line == "@@":
            hunks.append(("", ""))
            continue
        before, after = hunks[-1]
        sign, text = line[:1] or " ", f"{line[1:]}\n"
        assert sign in " +-"
        hunks[-1] = (before + text * (sign != "+"), after + text * (sign != "-"))
    return Difference(old[6:], tuple(hunks), sum(line[:1] in "+-" and bool(line[1:]) for line in rest))


ACTIVATION = """
import derive
table = {"examples": [{"inputs": [0.5], "targets": [1]}], "loss": {"name": "half_squared_error"},
         "layers": [{"weights": [[3]], "activation": "silu"}]}
for weight in (3, -3, -2000, 2000):
    table["layers"][0]["weights"] = [[weight]]
    derivation = derive.differentiate(table)
    exact = float(derivation.to_json()["gradients"]["W1"][0][0])
    for backend in ("fast", "sympy"):
        found = derivation.lambdify(backend)()[1]["W1"][0, 0]
        assert abs(found - exact) <= 1e-12 * max(1, abs(exact)), (weight, backend, found, exact)
from mpmath import diff, exp, mpf
true = diff(lambda w: (1 - w / 2 / (1 + exp(-w / 2))) ** 2 / 2, mpf(3))
table["layers"][0]["weights"] = [[3]]
assert abs(float(derive.differentiate(table).to_json()["gradients"]["W1"][0][0]) - true) < 1e-12
import render
render.worked_example(derive.differentiate(table)).write("silu.html")
render.worked_example(derive.differentiate(table)).write("silu.tex")
"""
LOSS = """
import derive, math
table = {"examples": [{"inputs": [0.5], "targets": [2]}], "loss": {"name": "poisson"},
         "layers": [{"weights": [[3]]}]}
derivation = derive.differentiate(table)
error, gradients = derivation.lambdify()()
assert math.isclose(error, 1.5 - 2 * math.log(1.5))
assert math.isclose(gradients["W1"][0, 0], (1 - 2 / 1.5) * 0.5)
import render
render.worked_example(derivation).write("poisson.html")
"""
NOTATION = """
import derive
from derive.problem import load
from dataclasses import replace
derivation = derive.differentiate(replace(load("mazur"), notation="ours", published=()))
assert derivation.scalar("s_h1") == derivation.scalar("z1[0, 0]")
assert derivation.scalar("f_o2") == derivation.scalar("a2[0, 1]")
import render
render.worked_example(derivation).write("ours.html")
"""
FORMAT = """
import derive, render
from render.formats import FORMATS, write
document = render.worked_example(derive.differentiate("mazur")).document
(path, *_) = write(document, "mathjax", "mazur.mathjax.html")
text = path.read_text("utf-8")
assert r"\\(w_{5}" in text
assert "<math" not in text
"""
EXERCISE = """
import derive
from render.exercises.sheets import Options, Sheets
sheets = Sheets((derive.load("mazur"),), 7, Options(exercises="bias_gradient"), varied=False)
((item,),) = (made.items for made in sheets.sheet(1).exercises)
assert item.answer.shown == "0.01873", item.answer
"""
USES = {"activation": ACTIVATION, "loss": LOSS, "notation": NOTATION, "format": FORMAT, "exercise": EXERCISE}
NAMES = {
    "activation": "silu",
    "loss": "poisson",
    "notation": "ours",
    "format": "mathjax",
    "exercise": "bias_gradient",
}


def test_there_is_a_difference_for_each_table() -> None:
    found = [difference(block) for block in blocks("diff")]
    assert len(found) == len(USES)
    assert all(each.lines <= 12 for each in found)


@pytest.mark.parametrize(("what", "block"), list(zip(USES, blocks("diff"), strict=False)), ids=list(USES))
def test_every_difference_applies_and_works(what: str, block: str, tmp_path: Path) -> None:
    for package in ("derive", "render"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    change = difference(block)
    text = (tmp_path / change.file).read_text("utf-8")
    for before, after in change.hunks:
        assert text.count(before) == 1, f"{change.file} has not the lines that the README changes:\n{before}"
        text = text.replace(before, after)
    (tmp_path / change.file).write_text(text, "utf-8")
    done = run(["-c", USES[what]], tmp_path, house=tmp_path)
    assert done.returncode == 0, done.stderr
    listed = run(["-m", "render.cli", "list"], tmp_path, house=tmp_path)
    assert listed.returncode == 0
    assert NAMES[what] in listed.stdout
