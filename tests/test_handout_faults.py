"""What lecturers get wrong, and what they paste: said in one line with its place, or taken as it is meant."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_sheets import png
from typer.testing import CliRunner, Result

from render.cli import app

SMALL = """
title = "Small"
[[examples]]
inputs = [0.05, 0.10]
targets = [0.01]
[[layers]]
weights = [[0.15, 0.20]]
activation = "logistic"
[loss]
name = "half_squared_error"
[update]
learning_rate = 0.5
"""


def handed_out(folder: Path, *arguments: object, problem: str = SMALL, more: str = "") -> Result:
    line = ["handout", "-", "--to", "html", "--out", folder / "out", *arguments]
    return CliRunner().invoke(app, [str(each) for each in line], input=f"{problem}\n{more}")


EXERCISES = {
    "a kind": ("gradiant = 1", 'exercises.gradiant: no kind of exercise "gradiant"'),
    "a quantity": ('gradient = "w99"', 'exercises.gradient: no quantity of that name: found "w99"; known: x, t, W1'),
    "what it is not about": ('local_derivative = "w1"', 'exercises.local_derivative: found "w1"; known: net_o1'),
    "more than there are": ("backward_table = 3", "exercises.backward_table: 3 are asked for, and there is 1"),
    "too many blanks": ("blanks = 1.5", "exercises.blanks: found 1.5; a share from 0 to 1 is expected"),
    "points": ("points = -1", "exercises.points: found -1; a whole number from 0 to 1000 is expected"),
    "of nothing": ("gradient = { of = [] }", "exercises.gradient.of: found 0 names"),
    "none of it": ("gradient = { count = 0 }", "exercises.gradient.count: found 0; a whole number from 1"),
    "a mistake that nobody knows": ('find_mistake = { mistake = "x" }', 'find_mistake: mistake: found "x"; known: '),
    "a mistake that does not show": (
        'find_mistake = { mistake = "back_pass_weight_missing" }',
        'find_mistake: mistake: found "back_pass_weight_missing"; known: ',
    ),
    "a mistake where none is made": (
        'gradient = { mistake = "target_forgotten" }',
        "exercises.gradient.mistake: no mistake is made in this kind of exercise; find_mistake takes one",
    ),
}


@pytest.mark.parametrize(("line", "told"), EXERCISES.values(), ids=EXERCISES)
def test_a_fault_in_exercises_is_told_with_its_key(tmp_path: Path, line: str, told: str) -> None:
    refused(tmp_path, handed_out(tmp_path, more=f"[exercises]\n{line}"), told)


VARY = {
    "that all is held": (3, "weights = false", "vary: holds everything; say what varies"),
    "five of three hundred": (
        300,
        "learning_rate = { among = [0.1, 0.2, 0.3, 0.4, 0.5] }",
        "no such variants: there are 5 with the ranges of [vary], and 300 were asked for",
    ),
    "what nothing depends on": (
        3,
        'learning_rate = { among = [0.1, 0.2, 0.3] }\n[exercises]\ngradient = "w1"',
        "no such variants: none of the numbers asked for depends on what varies (learning_rate)",
    ),
    "constants": (
        2,
        "weights = { low = 0.5, high = 0.5 }",
        "there is 1 with the ranges of [vary], and 2 were asked for",
    ),
}


@pytest.mark.parametrize(("variants", "lines", "told"), VARY.values(), ids=VARY)
def test_variants_that_cannot_be_had_are_refused(tmp_path: Path, variants: int, lines: str, told: str) -> None:
    refused(tmp_path, handed_out(tmp_path, "--variants", variants, more=f"[vary]\n{lines}"), told)


OPTIONS = {
    "no digits": (("--carry", ""), '--carry: found ""; digits to carry, "4sf" (significant) or "5dp" (decimals), from'),
    "digits that nobody carries": (("--carry", "13sf"), '--carry: found "13sf"; digits to carry'),
    "a quantity": (("--exercises", "gradient:w99"), '--exercises: gradient: no quantity of that name: found "w99"'),
    "a file without end": (("--logo", "/dev/zero"), "--logo: /dev/zero has more than 5,000,000 bytes"),
    "text that turns round": (("--title", "a\u202eb"), r'--title: found "a\u202eb"; one line of text is expected'),
}


@pytest.mark.parametrize(("arguments", "told"), OPTIONS.values(), ids=OPTIONS)
def test_a_fault_in_an_option_is_told_with_it(tmp_path: Path, arguments: tuple[str, ...], told: str) -> None:
    refused(tmp_path, handed_out(tmp_path, *arguments), told)


def test_a_title_may_have_what_its_script_needs(tmp_path: Path) -> None:
    """A space that does not break, as before a French colon; joiners, as in Persian words and in emoji."""
    title = "Analyse\u00a02\u202f: می\u200cخواهم 👩\u200d🎓"
    done = handed_out(tmp_path, "--title", title, "--exercises", "gradient")
    assert done.exit_code == 0, done.output
    (sheet,) = tmp_path.glob("out/sheets/*.html")
    assert "Analyse" in sheet.read_text("utf-8")


LOGOS = {
    "a bitmap without end": (
        png(5, 5).replace(b"\0\0\0\5" * 2, (60_000).to_bytes(4, "big") * 2),
        "an image of 60,000 × 60,000 dots; 100,000,000 are the most",
    ),
    "a length of dots": (
        b"<svg xmlns='http://www.w3.org/2000/svg' width='..' height='1'/>",
        "without width and height",
    ),
    "a size beyond all": (b"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 inf nan'/>", "without a size"),
}


@pytest.mark.parametrize(("data", "told"), LOGOS.values(), ids=LOGOS)
def test_a_logo_that_would_hurt_is_refused(tmp_path: Path, data: bytes, told: str) -> None:
    (tmp_path / "logo").write_bytes(data)
    done = handed_out(tmp_path, "--logo", tmp_path / "logo")
    (tmp_path / "logo").unlink()
    refused(tmp_path, done, told)


def test_a_logo_that_the_compiler_cannot_read_is_found_before_anything_is_written(tmp_path: Path) -> None:
    pytest.importorskip("typst")
    (tmp_path / "logo").write_bytes(png(5, 50)[:33] + png(5, 5)[33:])  # more rows are promised than there are
    done = handed_out(tmp_path, "--to", "pdf", "--logo", tmp_path / "logo", "--exercises", "gradient")
    (tmp_path / "logo").unlink()
    refused(tmp_path, done, "the PDF could not be made: failed to process image")


def refused(folder: Path, done: Result, told: str) -> None:
    assert done.exit_code == 2, done.output
    assert len(done.stderr.splitlines()) == 1
    assert told in done.stderr
    assert not list(folder.iterdir())
