"""What lecturers get wrong, and what they paste: said in one line with its place, or taken as it is meant."""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_sheets import png
from typer.testing import CliRunner, Result

from derive.derivation import differentiate
from derive.errors import ChainruleError
from derive.files.vary import default
from derive.problem import bundled, load
from derive.scalars import Scalar
from derive.variants.space import REACH, Space
from render.cli import app
from render.exercises.model import ChoiceAnswer
from render.exercises.sheets import Options, Sheets

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


# ---- odd networks --------------------------------------------------------------------------------

RELU = """
[[examples]]
inputs = [0.5, 0.5]
targets = [0.3]
[[layers]]
activation = "relu"
weights = [[-0.5, -0.5], [0.3, 0.4]]
[[layers]]
weights = [[0.2, 0.4]]
[loss]
name = "half_squared_error"
"""


def test_a_mistake_is_found_in_the_units_that_live_whichever_these_are(tmp_path: Path) -> None:
    """The first unit is off in the file and on in other variants; the weight that is asked about is another's."""
    done = handed_out(tmp_path, "--variants", 3, "--exercises", "find_mistake", problem=RELU)
    assert done.exit_code == 0, done.output
    assert len(list(tmp_path.glob("out/sheets/*.html"))) == 3


@pytest.mark.parametrize(("weight", "x"), [("1e300", "1e300"), ("1e-300", "1e-300")])
def test_numbers_that_nobody_calculates_with_are_refused(tmp_path: Path, weight: str, x: str) -> None:
    problem = RELU.replace("[[-0.5, -0.5], [0.3, 0.4]]", f"[[{weight}, 0], [0, 0]]").replace("[0.5, 0.5]", f"[{x}, 0]")
    refused(tmp_path, handed_out(tmp_path, "--exercises", "forward_value:z1[0,0]", problem=problem), "is beyond 1e±280")


@pytest.mark.parametrize("name", sorted(set(bundled()) - {"transformer", "lstm", "gru", "rnn", "cnn"}))
def test_no_two_options_look_alike(name: str) -> None:
    problem = load(name)
    for kind in ("missing_factor", "multiple_choice", "paths", "matrix_form", "find_mistake"):
        with suppress(ChainruleError):  # it cannot be asked about this problem
            for exercise in Sheets((problem,), 1, Options(kind), varied=False).sheet(1).exercises:
                for item in exercise.items:
                    if isinstance(item.answer, ChoiceAnswer):
                        printed = [repr(option.inlines) for option in item.answer.options]
                        assert len(set(printed)) == len(printed)


# ---- wide networks -------------------------------------------------------------------------------


def wide(inputs: int, units: int) -> dict[str, Any]:
    layer = {"activation": "logistic", "bias": "per_unit"}
    return {
        "examples": [{"inputs": [0.5] * inputs, "targets": [0.01, 0.99]}],
        "layers": [{"units": units, **layer}, {"units": 2, **layer}],
        "initial": {"seed": 1, "low": -0.5, "high": 0.5, "decimals": 2},
        "loss": {"name": "half_squared_error"},
    }


def test_into_wide_layers_come_small_weights_so_that_units_are_seldom_saturated() -> None:
    ranges = {each.name: (each.low, each.high, each.decimals) for each in default(load(wide(784, 4)))}
    assert ranges["W1"] == (-Fraction(14, 100), Fraction(14, 100), 3)
    assert ranges["W2"] == (-1, 1, 2)


def test_of_thousands_of_numbers_points_are_counted_as_far_as_anybody_counts() -> None:
    derivation = differentiate(load(wide(784, 4)))
    inputs = tuple(Scalar(name, index) for name, array in derivation.given.items() for index in np.ndindex(array.shape))
    space = Space(derivation, inputs, 7)
    assert REACH <= space.size < REACH * max(space.radices)
    points = [space.scrambled(index) for index in (0, 1, 2, space.size // 2, space.size - 1)]
    assert len(set(points)) == len(points)
    assert all(len(set(point[-100:])) > 20 for point in points)  # the last numbers vary too


def test_a_wide_network_has_variants() -> None:
    sheets = Sheets((load(wide(100, 6)),), 7, Options("gradient,multiple_choice"))
    sheets.check(2)
    one, other = (sheets.sheet(number).exercises[0].items[0].answer for number in (1, 2))
    assert one != other


def refused(folder: Path, done: Result, told: str) -> None:
    assert done.exit_code == 2, done.output
    assert len(done.stderr.splitlines()) == 1
    assert told in done.stderr
    assert not list(folder.iterdir())
