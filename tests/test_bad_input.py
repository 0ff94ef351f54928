"""Whatever a user gets wrong is said in lines that name the place, the fault and what is known; nothing is written."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from derive import bounded
from derive.errors import ProblemError
from derive.problem import load, load_text
from render.cli import app
from render.typeset.pdf import missing

GOOD = """
title = "A small network"

[[examples]]
inputs  = [0.05, 0.10]
targets = [0.01, 0.99]

[[layers]]
activation = "logistic"
weights = [[0.15, 0.20], [0.25, 0.30]]
bias = 0.35

[[layers]]
activation = "tanh"
units = 2
bias = [0.1, 0.2]

[initial]
seed = 7

[loss]
name = "half_squared_error"
over_examples = "sum"

[update]
learning_rate = 0.5
fixed = ["W1"]
steps = 3
"""

# what is wrong | what stands in the good file | what stands there instead | what the message must contain
SPOILT = {
    "a misspelt word in vary": ("[loss]", "[vary]\nweigths = true\n[loss]", "vary.weigths", 'did you mean "weights"?'),
    "nothing to draw": ("[loss]", "[vary]\nW1 = { low = 2 }\n[loss]", "vary.W1.low: found 2, greater than high"),
    "digits that are none": ("[loss]", '[exercises]\ncarry = "4"\n[loss]', "exercises.carry", '"4sf"'),
    "no exercise": ("[loss]", "[exercises]\ngradient = 0\n[loss]", "exercises.gradient: found 0; a whole number"),
    "a misspelt key": ("bias = 0.35", "bais = 0.35", 'layers[0].bais: unknown key "bais"; known:', '"bias"?'),
    "a misspelt key at the top": ("title =", "titel =", 'titel: unknown key "titel"', 'did you mean "title"?'),
    "a key that hides something": (
        "bias = 0.35",
        r'"\u001b[2J" = 1',
        r'layers[0]."\u001b[2J": unknown key "\u001b[2J"',
    ),
    "a key like markup": ("title =", '"<list>" = 1\ntitle =', '"<list>": unknown key "<list>"; known: title'),
    "a misspelt table": ("[update]", "[updaet]", 'updaet: unknown key "updaet"', 'did you mean "update"?'),
    "an unknown activation": (
        '"logistic"',
        '"logistik"',
        'layers[0].activation: found "logistik"; known: logistic, tanh, relu',
        'did you mean "logistic"?',
    ),
    "another word, misspelt": ('"logistic"', '"sigmoide"', 'found "sigmoide"', 'did you mean "logistic"?'),
    "another word for an activation": ('"logistic"', '"Sigmoid"', 'found "Sigmoid"', 'did you mean "logistic"?'),
    "an unknown loss": (
        '"half_squared_error"',
        '"half_square_error"',
        "loss.name",
        'did you mean "half_squared_error"?',
    ),
    "an unknown layer type": ("units = 2", 'units = 2\ntype = "desne"', "layers[1].type", 'did you mean "dense"?'),
    "an unknown rule": ("steps = 3", 'rule = "gradient_decent"', "update.rule", 'did you mean "gradient_descent"?'),
    "an unknown notation": ("title =", 'notation = "mazzur"\ntitle =', "notation: found", 'did you mean "mazur"?'),
    "an unknown order": ("steps = 3", 'order = "sequentially"', "update.order", 'did you mean "sequential"?'),
    "an unknown sum over examples": ('"sum"', '"average"', "loss.over_examples", "known: sum, mean"),
    "an unknown fixed array": (
        '["W1"]',
        '["w1"]',
        'update.fixed[0]: found "w1"; known: W1, b1, W2, b2; did you mean "W1"?',
    ),
    "an unknown parameter": (
        "title =",
        'parameters = ["W1", "w2"]\ntitle =',
        'parameters[1]: found "w2"; known: x, t, W1, b1, z1, a1, W2, b2, z2, a2, e; did you mean "W2"?',
    ),
    "no parameter": ("title =", "parameters = []\ntitle =", "parameters: is empty"),
    "a misspelt word for a bias": ("[0.1, 0.2]\n", '"shard"\n', "layers[1].bias", 'did you mean "shared"?'),
    "ragged weights": (", [0.25, 0.30]]", ", [0.25]]", "layers[0].weights[1]: found 1 columns", "ragged"),
    "weights that do not fit the inputs": (
        "[[0.15, 0.20], [0.25, 0.30]]",
        "[[0.15, 0.20, 0.1], [0.25, 0.30, 0.1]]",
        "layers[0].weights: found 3 columns, but 2 values come in, from examples[0].inputs",
    ),
    "weights that do not fit the layer before": (
        "units = 2",
        "weights = [[1], [2]]",
        "layers[1].weights: found 1 columns, but 2 values come in, from layers[0]",
    ),
    "no weights at all": ("[[0.15, 0.20], [0.25, 0.30]]", "[]", "layers[0].weights: is empty"),
    "weights and units that disagree": (
        "bias = 0.35",
        "units = 3",
        "layers[0].units: found 3, but weights has 2 rows",
    ),
    "neither weights nor units": ("units = 2\n", "", "layers[1]: has neither weights nor units"),
    "a bias too many": ("[0.1, 0.2]", "[0.1, 0.2, 0.3]", "layers[1].bias: found 3 numbers, but the layer has 2 units"),
    "no units": ("units = 2", "units = 0", "layers[1].units: found 0; at least 1 is expected"),
    "half a unit": ("units = 2", "units = 2.5", "layers[1].units: found 2.5; a whole number is expected"),
    "a trillion units": (
        "units = 2",
        "units = 1_000_000_000_000",
        "layers[1].units: found 1000000000000 units",
        "10000000",
    ),
    "a missing target": ("[0.01, 0.99]", "[0.01]", "examples[0].targets: found 1 value, but the last layer", "2 units"),
    "no targets": ("targets = [0.01, 0.99]\n", "", "examples[0].targets: is missing"),
    "no inputs": ("inputs  = [0.05, 0.10]", "inputs = []", "examples[0].inputs: there are none"),
    "no loss": ('[loss]\nname = "half_squared_error"\nover_examples = "sum"\n', "", "loss: is missing"),
    "no learning rate": ("learning_rate = 0.5\n", "", "update.learning_rate: is missing"),
    "text where a number belongs": (
        "[0.15, 0.20]",
        '[0.15, "much"]',
        'layers[0].weights[0][1]: found "much"; a number',
    ),
    "a table where a number belongs": (
        "learning_rate = 0.5",
        "learning_rate = {}",
        "update.learning_rate: found a table",
    ),
    "a truth value where a number belongs": ("0.05, 0.10", "true, 0.10", "examples[0].inputs[0]: found true; a number"),
    "a number where text belongs": ('"A small network"', "3", "title: found 3; text in quotes is expected"),
    "nan": ("0.05, 0.10", "nan, 0.10", "examples[0].inputs[0]: found nan; a finite number is expected"),
    "infinity": ("[0.1, 0.2]", "[0.1, -inf]", "layers[1].bias[1]: found -inf; a finite number is expected"),
    "an exponent without end": (
        "0.05, 0.10",
        "1e999999999, 0.10",
        "examples[0].inputs[0]: found 1e999999999",
        "more than 4000 digits",
    ),
    "digits without end": (
        "0.05, 0.10",
        f"0.{'1' * 20_000}, 0.10",
        "examples[0].inputs[0]: found 0.111",
        "more than 4000 digits",
    ),
    "an integer without end": ("0.05, 0.10", f"{'1' * 20_000}, 0.10", "is not TOML: Exceeds the limit"),
    "negative steps": ("steps = 3", "steps = -1", "update.steps: found -1; at least 0 is expected"),
    "too many steps": (
        "steps = 3",
        "steps = 100_000_000",
        "update.steps: found 100000000; at most 10000000 is expected",
    ),
    "bounds the wrong way round": ("seed = 7", "seed = 7\nlow = 1\nhigh = 0", "initial.low: is greater than high"),
    "bounds with nothing between": (
        "seed = 7",
        "seed = 7\nlow = 0.001\nhigh = 0.002",
        "initial: no number of 2 decimals",
    ),
    "a slope for a function without": (
        "units = 2",
        "units = 2\nslope = 0.1",
        "layers[1].slope: tanh has no slope",
        "leaky",
    ),
    "an unprintable title": ('"A small network"', r'"a\u0000b"', "title: found the unprintable character U+0000"),
    "a published value that is none": (
        "[loss]",
        '[[published]]\nname = "E"\nvalue = "0.29x"\n[loss]',
        'published[0].value: found "0.29x"; a number is expected',
    ),
    "equations besides layers": (
        "title =",
        'equations = "E = x"\ntitle =',
        "layers: goes with layers, and this problem states equations; it cannot have both",
        "examples: goes with layers",
        'equations: line 1, column 5: unknown name: found "x"',
    ),
    "values besides layers": (
        "[loss]",
        "[values]\nW1 = [1]\n[loss]",
        "values: goes with equations, and this problem states layers; it cannot have both",
    ),
    "a negative penalty": ("[loss]", "[penalty]\nl2 = -0.01\n[loss]", "penalty.l2: found -0.01; at least 0"),
    "a misspelt penalty": ("[loss]", "[penalty]\nl3 = 1\n[loss]", 'penalty.l3: unknown key "l3"', "known: l1, l2"),
    "momentum for a rule without": ("steps = 3", "momentum = 0.9", "update.momentum: gradient_descent does not use it"),
    "text that is no TOML": ("[loss]", "[loss", "is not TOML: Expected", "at line"),
    "a key given twice": ("steps = 3", "steps = 3\nsteps = 4", "is not TOML: Cannot overwrite a value"),
}

ONE_OUTPUT = GOOD.replace("targets = [0.01, 0.99]", "targets = [0.5]").replace(
    "units = 2\nbias = [0.1, 0.2]", "units = 1"
)
CLASSES = GOOD.replace("half_squared_error", "categorical_cross_entropy").replace('"tanh"', '"softmax"')

# whole files that are wrong
WRONG = {
    "an empty file": ("", "is empty", "chainrule new"),
    "blanks only": (" \n\t\n", "is empty"),
    "only a title": ('title = "x"', "examples: is missing", "layers: is missing", "loss: is missing"),
    "no example": (
        "examples = []\n" + GOOD.replace("[[examples]]", "[[published]]"),
        "examples: is empty",
        "at least one",
    ),
    "nested without end": ("x = " + "[" * 100_000, "is nested too deeply for TOML"),
    "softmax on one unit": (ONE_OUTPUT.replace("tanh", "softmax"), "layers[1].activation: softmax over one unit"),
    "targets beyond 1 with binary cross-entropy": (
        GOOD.replace("half_squared_error", "binary_cross_entropy").replace("[0.01, 0.99]", "[1.5, -0.25]"),
        "examples[0].targets[0]: found 1.5; binary_cross_entropy needs targets from 0 to 1",
        "examples[0].targets[1]: found -0.25; binary_cross_entropy",
    ),
    "a class that is none": (
        CLASSES.replace("[0.01, 0.99]", "2"),
        "examples[0].targets: found class 2; the classes are 0 to 1",
    ),
    "zero where [0] is meant": (ONE_OUTPUT.replace("[0.5]", "0"), "examples[0].targets: found 0; a list", "([0])"),
    "a number where [5] is meant": (ONE_OUTPUT.replace("[0.5]", "5"), "examples[0].targets: found 5 symbols", "[5]"),
    "examples of different sizes": (
        GOOD + "[[examples]]\ninputs = [1]\ntargets = [1, 2]",
        "examples[1].inputs: found 1 values, but examples[0] has 2",
    ),
    "examples of symbols and of numbers": (
        GOOD + "[[examples]]\ninputs = 2\ntargets = 2",
        "examples[1].inputs: found symbols, but examples[0] has numbers; they cannot be mixed",
        "examples[1].targets: found symbols, but examples[0] has numbers",
    ),
    "a trillion inputs": (
        GOOD.replace("[0.05, 0.10]", "1_000_000_000_000"),
        "examples[0].inputs: found 1000000000000; a whole number from 0 to 10000000",
    ),
}


def spoil(old: str, new: str) -> str:
    assert GOOD.count(old) >= 1, f"{old!r} is not in the good file"
    return GOOD.replace(old, new, 1)


CASES = {name: (spoil(old, new), *said) for name, (old, new, *said) in SPOILT.items()} | WRONG


def test_the_good_file_is_good() -> None:
    assert load_text(GOOD).widths == (2, 2, 2)


@pytest.mark.parametrize("name", CASES)
def test_a_bad_file_is_refused_with_place_and_fault(name: str, tmp_path: Path) -> None:
    text, *said = CASES[name]
    file = tmp_path / "mine.toml"
    file.write_text(text, encoding="utf-8")
    result = CliRunner().invoke(app, ["render", str(file), "--to", "html", "--out", str(tmp_path / "out")])
    assert result.exit_code == 2, result.output
    for part in said:
        assert part in result.stderr
    assert all(line.startswith(f"chainrule: {file}: ") for line in result.stderr.splitlines())
    assert result.stdout == ""
    assert not isinstance(result.exception, Exception)
    assert list(tmp_path.iterdir()) == [file]


def test_all_faults_are_told_at_once() -> None:
    text = GOOD
    for old, new in {
        "titel": "title",
        '"logistik"': '"logistic"',
        "[0.15, 0.20, 0.7]": "[0.15, 0.20]",
        "[0.1, nan]": "[0.1, 0.2]",
        "[0.01]": "[0.01, 0.99]",
        '["W9"]': '["W1"]',
    }.items():
        text = text.replace(new, old)
    with pytest.raises(ProblemError) as caught:
        load_text(text, "mine.toml")
    assert [fault.place for fault in caught.value.faults] == [
        "layers[0].activation",
        "layers[1].bias[1]",
        "titel",
        "layers[0].weights[1]",
        "examples[0].targets",
    ]
    assert str(caught.value).count("mine.toml: ") == 5


def test_a_fault_does_not_cause_others_to_be_told() -> None:
    text = GOOD.replace("units = 2", 'units = "two"').replace("[0.1, 0.2]", "[0.1, 0.2, 0.3]")
    with pytest.raises(ProblemError) as caught:
        load_text(text)
    assert [fault.place for fault in caught.value.faults] == ["layers[1].units"]


def test_a_thousand_faults_are_cut_short() -> None:
    with pytest.raises(ProblemError, match="and 980 more faults"):
        load_text(GOOD.replace("[0.05, 0.10]", str(["x"] * 1000)))


NO_FILES = {
    "a bundled name misspelt": ("mazurr", "no bundled problem of that name", "known: adam", 'mazur"?'),
    "no such file": ("nowhere.toml", "nowhere.toml: no such file"),
    "a bundled name with an ending": ("mazurr.toml", "no such file", 'did you mean "mazur"?'),
    "a directory": (".", "is a directory; a problem file is expected"),
    "a name that no file can have": ("a\0b", "is no file name"),
    "a name that hides something": ("\x1b[2Jx", r"\u001b[2Jx: no such file"),
}


@pytest.mark.parametrize("name", NO_FILES)
def test_what_is_no_file_is_refused(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    argument, *said = NO_FILES[name]
    result = CliRunner().invoke(app, ["render", argument])
    assert result.exit_code == 2
    for part in said:
        assert part in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_nearest_file_beside_it_is_named(tmp_path: Path) -> None:
    (tmp_path / "lecture3.toml").write_text(GOOD, encoding="utf-8")
    with pytest.raises(ProblemError, match=r'no such file; did you mean "lecture3\.toml"\?'):
        load(tmp_path / "lectur3.toml")


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_bytes(b"title = '\xff'")
    with pytest.raises(ProblemError, match=r"is not UTF-8 text \(at byte 9\)"):
        load(tmp_path / "mine.toml")
    result = CliRunner().invoke(app, ["gradients", "-"], input=b"\xff\xfe")
    assert result.exit_code == 2
    assert "standard input: is not UTF-8 text" in result.stderr


@pytest.mark.parametrize("arguments", [["gradients", "/dev/zero"], ["verify", "mazur", "/dev/zero"]])
def test_a_device_that_never_ends_is_refused(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded, "MOST_BYTES", 2**20)
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2
    assert result.stderr.startswith("chainrule: /dev/zero: is larger than 1 MiB; a ")


@pytest.mark.parametrize("arguments", [["gradients", "-"], ["verify", "mazur", "-"]])
def test_more_than_can_be_a_problem_is_not_read_from_standard_input(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounded, "MOST_BYTES", 2**20)
    result = CliRunner().invoke(app, arguments, input=b"#" * (2**20 + 1))
    assert (result.exit_code, result.stderr) == (2, "chainrule: standard input: is larger than 1 MiB\n")


def test_lines_may_end_as_they_do_on_other_systems(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert load(tmp_path / "mine.toml").examples == load_text(GOOD).examples


JSON = {
    "no JSON": ("{", "is not JSON: Expecting property name"),
    "a list": ("[1]", "found a list; a table with the keys of a problem is expected"),
    "a key given twice": ('{"title": "a", "title": "b"}', 'is not JSON: the key "title" stands twice'),
    "NaN": ('{"examples": [{"inputs": [NaN], "targets": [0]}]}', "examples[0].inputs[0]: found NaN; a finite number"),
    "an integer without end": (
        f'{{"examples": [{{"inputs": [{"1" * 20_000}]}}]}}',
        "digits, written out in full, are not supported",
    ),
    "nested without end": ("[" * 100_000, "is nested too deeply for JSON"),
}


@pytest.mark.parametrize("name", JSON)
def test_bad_json_is_refused(name: str) -> None:
    text, said = JSON[name]
    with pytest.raises(ProblemError) as caught:
        load_text(text, "mine.json", "json")
    assert said in str(caught.value)


def test_what_is_no_problem_in_python_is_refused() -> None:
    with pytest.raises(ProblemError, match="found 3; a bundled name, a path or a dict is expected"):
        load(3)  # type: ignore[arg-type]
    with pytest.raises(ProblemError, match="problem: layers: is missing"):
        load({})
    within_itself: dict[str, Any] = {}
    within_itself["title"] = within_itself
    with pytest.raises(ProblemError, match="problem: is nested too deeply, or within itself"):
        load(within_itself)
    with pytest.raises(ProblemError, match="problem: title: found a huge whole number; text in quotes is expected"):
        load({"title": 10**5000})


OPTIONS = {
    "an unknown format": (["render", "--to", "html,latx"], '--to: found "latx"', 'did you mean "latex"?'),
    "no format": (["render", "--to", ","], "--to: names no format; known: html"),
    "an unknown notation": (["render", "--notation", "mazr"], '--notation: found "mazr"', 'did you mean "mazur"?'),
    "an unknown flavor": (["render", "--flavor", "qarto"], '--flavor: found "qarto"', 'did you mean "quarto"?'),
    "a flavor without Markdown": (["render", "--to", "html", "--flavor", "myst"], "--flavor: is for Markdown"),
    "a fragment of a PDF": (["render", "--to", "pdf", "--fragment"], "--fragment: pdf is always a whole page"),
    "no weight to show": (["render", "--show", ""], "--show: names no weight; known: all, representative"),
    "only commas to show": (["render", "--show", " , "], "--show: names no weight"),
    "digits of formulas": (["gradients", "mazur", "--symbolic", "--digits", "5"], "--digits: has no effect"),
    "digits of symbols": (["gradients", "symbolic", "--digits", "5"], "--digits: has no effect", "symbolic.toml"),
    "digits of symbols as JSON": (["gradients", "symbolic", "--json", "--digits", "5"], "--digits: has no effect"),
    "no folder of templates": (["render", "--templates", "nowhere"], "--templates: nowhere is no folder"),
    "an unknown weight to show": (["render", "--show", "w99"], '--show: found "w99"; known: w1 to w8\n'),
    "a misspelt weight to show": (["render", "--show", "w_11"], "known: w1 to w8; did you mean "),
    "a bias to show": (["render", "--show", "b1"], '--show: found "b1", which is no weight; known: w1 to w8'),
    "an array to show": (["render", "--show", "w1,W2"], '--show: found "W2", a whole array; known: w5 to w8'),
    "an unknown kind": (["list", "activatoins"], 'found "activatoins"', 'did you mean "activations"?'),
    "closed without symbolic": (["gradients", "mazur", "--closed"], "--closed: goes with --symbolic"),
    "an unknown command": (["rendr"], "rendr", "Did you mean 'render'?"),
    "an unknown option": (["render", "--flavour", "myst"], "--flavour", "--flavor"),
    "no digits": (["gradients", "mazur", "--digits", "0"], "--digits"),
    "steps that are no number": (["train", "mazur", "--steps", "many"], "--steps", "integer"),
    "nothing to train by": (["train", "symbolic"], "update"),
}


@pytest.mark.parametrize("name", OPTIONS)
def test_bad_usage_is_refused(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    arguments, *said = OPTIONS[name]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2, result.output
    for part in said:
        assert part in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_output_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine", encoding="utf-8")
    for folder in ("out", "out/deeper"):
        result = CliRunner().invoke(app, ["render", "mazur", "--to", "html", "--out", str(tmp_path / folder)])
        assert result.exit_code == 2
        assert "--out: " in result.stderr
        assert "is a file; a folder is expected" in result.stderr
    assert (tmp_path / "out").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("name", ["mazur.html", "mazur.tex", "mazur.md", "mazur.pdf"])
def test_a_folder_in_the_place_of_one_file_and_none_is_written(name: str, tmp_path: Path) -> None:
    (tmp_path / name).mkdir()
    result = CliRunner().invoke(app, ["render", "mazur", "--out", str(tmp_path)])
    if Path(name).suffix == ".pdf" and missing():
        assert result.exit_code == 0
        return
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr == f"chainrule: {tmp_path / name}: cannot be written: it is a folder\n"
    assert list(tmp_path.rglob("*")) == [tmp_path / name]


def test_a_file_in_the_place_of_the_figures_folder_and_none_is_written(tmp_path: Path) -> None:
    (tmp_path / "mazur_figures").write_text("mine", encoding="utf-8")
    result = CliRunner().invoke(app, ["render", "mazur", "--to", "html,markdown", "--out", str(tmp_path)])
    assert result.exit_code == 2
    assert "mazur_figures is a file; a folder is expected" in result.stderr
    assert list(tmp_path.iterdir()) == [tmp_path / "mazur_figures"]


def test_a_disk_that_fails_at_the_last_file_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, opened = Path.open, []

    def full(path: Path, *arguments: Any, **others: Any) -> Any:
        if path.name.endswith(".tmp"):
            opened.append(path)
            if "mazur.tex" in path.name:
                raise OSError(28, "No space left on device")
        return real(path, *arguments, **others)

    monkeypatch.setattr(Path, "open", full)
    out = tmp_path / "new" / "deeper"
    result = CliRunner().invoke(app, ["render", "mazur", "--to", "html,latex", "--out", str(out)])
    assert result.exit_code == 2
    assert "mazur.tex: cannot be written: No space left on device" in result.stderr
    assert len(opened) == 2
    assert list(tmp_path.iterdir()) == []


TEMPLATES = {
    "a misspelt folder": (
        "htm/note.j2",
        'found "htm"; known: html, html/slides, latex, latex/beamer, markdown, markdown/myst',
        'did you mean "html"?',
    ),
    "a format's name that is no folder's": ("pdf/note.j2", 'found "pdf"', 'did you mean "typst"?'),
    "a misspelt flavor": ("markdown/mist/note.j2", 'found "markdown/mist"', 'did you mean "markdown/myst"?'),
    "no template": ("html/note.txt", "holds no templates; one is called FORMAT/BLOCK.j2"),
    "templates of other formats only": ("html/note.j2", "holds no template for latex"),
}


@pytest.mark.parametrize("name", TEMPLATES)
def test_templates_that_would_go_unused_are_refused(name: str, tmp_path: Path) -> None:
    file, *said = TEMPLATES[name]
    (tmp_path / "own" / file).parent.mkdir(parents=True)
    (tmp_path / "own" / file).write_text("{{ body }}", encoding="utf-8")
    arguments = ["render", "mazur", "--to", "latex", "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(app, [*arguments, "--templates", str(tmp_path / "own")])
    assert result.exit_code == 2
    for part in ("--templates: ", *said):
        assert part in result.stderr
    assert not (tmp_path / "out").exists()


# ---- numbers that do not work out ------------------------------------------------------------

PUBLISHED = {
    "a misspelt quantity": ("w55", 'no quantity of that name: found "w55"; known: ', 'did you mean "w5"?'),
    "a misspelt derivative": ("dE/dww5", 'found "ww5"', 'did you mean "w5"?'),
    "a unit that is not there": ("delta_o3", 'found "delta_o3"'),
    "a whole array": ("W2", "W2 is an array of shape (2, 2); name one element"),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_printed_number_of_nothing_is_refused_with_its_place(name: str, tmp_path: Path) -> None:
    published, *said = PUBLISHED[name]
    entries = [{"name": "w5", "value": "0.5"}, {"name": published, "value": "0.5"}, {"name": "E@x", "value": "1"}]
    file = tmp_path / "mine.toml"
    tables = "".join(f'[[published]]\nname = "{each["name"]}"\nvalue = "{each["value"]}"\n' for each in entries)
    file.write_text(GOOD + tables, encoding="utf-8")
    result = CliRunner().invoke(app, ["render", str(file), "--to", "html", "--out", str(tmp_path / "out")])
    assert result.exit_code == 2
    first, second = result.stderr.splitlines()
    assert first.startswith(f"chainrule: {file}: published[1].name: ")
    assert second.startswith(f"chainrule: {file}: published[2].name: ")
    for part in said:
        assert part in first
    assert not (tmp_path / "out").exists()


def test_a_printed_number_after_an_update_needs_one(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    text = GOOD[: GOOD.index("[update]")] + '[[published]]\nname = "w5+"\nvalue = "0.5"\n'
    file.write_text(text, encoding="utf-8")
    result = CliRunner().invoke(app, ["render", str(file), "--to", "html", "--out", str(tmp_path / "out")])
    assert result.exit_code == 2
    assert result.stderr.startswith(f"chainrule: {file}: published[0].name: has no [update]")


DEAD = {
    "examples": [{"inputs": [1], "targets": [1]}],
    "layers": [{"weights": [[-1]], "activation": "relu"}],
    "loss": {"name": "binary_cross_entropy"},
    "update": {"learning_rate": 1},
}


@pytest.mark.parametrize(
    "command", [["gradients"], ["gradients", "--json"], ["train"], ["train", "--digits", "4"], ["render"]], ids=" ".join
)
def test_the_logarithm_of_zero_is_told_with_its_problem(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("dead.json").write_text(json.dumps(DEAD), encoding="utf-8")
    result = CliRunner().invoke(app, [*command, "dead.json"])
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("chainrule: dead.json: a value is not finite at these numbers")
    assert [each.name for each in tmp_path.iterdir()] == ["dead.json"]


def test_training_that_diverges_is_told_with_its_problem() -> None:
    diverging = {**DEAD, "layers": [{"weights": [[-1]]}], "loss": {"name": "squared_error"}}
    diverging["update"] = {"learning_rate": 1e300}
    result = CliRunner().invoke(app, ["train", "-", "--steps", "9"], input=json.dumps(diverging))
    assert result.exit_code == 2
    assert result.stderr.startswith("chainrule: standard input: training left the range of float64")


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs Linux's /proc, where nothing can be made")
def test_an_output_folder_that_cannot_be_made_is_refused() -> None:
    result = CliRunner().invoke(app, ["render", "mazur", "--to", "html", "--out", "/proc/self/out"])
    assert result.exit_code == 2
    assert "--out: /proc/self" in result.stderr
    assert "cannot be written" in result.stderr


HOSTILE = (
    "__import__('os').system('echo')",
    "{{ 7 * 7 }}{% raw %}",
    r"\input{/etc/passwd} $x_1$ & 100% #1 ~ ^",
    "<script>alert(1)</script> <b>&amp;",
)


@pytest.mark.parametrize("title", HOSTILE)
def test_hostile_text_is_only_text(title: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.json"
    problem = {"title": title, "examples": [{"inputs": [1], "targets": [1]}], "layers": [{"weights": [[2]]}]}
    file.write_text(json.dumps(problem | {"loss": {"name": "squared_error"}}), encoding="utf-8")
    assert load(file).title == title
    result = CliRunner().invoke(app, ["render", str(file), "--to", "html,latex", "--out", str(tmp_path / "out")])
    assert result.exit_code == 0, result.output
    page = (tmp_path / "out" / "mine.html").read_text(encoding="utf-8")
    assert "<script>alert" not in page
    assert "49" not in page.partition("</title>")[0].partition("<title>")[2]
    assert r"\input{/etc" not in (tmp_path / "out" / "mine.tex").read_text(encoding="utf-8")


def test_hostile_names_are_refused_as_names() -> None:
    for name in HOSTILE:
        with pytest.raises(ProblemError, match=r"layers\[0\]\.activation: found"):
            load({"examples": [{"inputs": [1], "targets": [1]}], "layers": [{"units": 1, "activation": name}]})


# ---- whatever comes ------------------------------------------------------------------------

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.builds(list) | st.builds(dict),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
PLACES = [
    *(
        (key,)
        for key in ("title", "notation", "examples", "layers", "loss", "update", "initial", "published", "parameters")
    ),
    *(("examples", row, key) for row in (0, 1) for key in ("inputs", "targets", "weight")),
    *(
        ("layers", row, key)
        for row in (0, 1)
        for key in ("type", "activation", "slope", "alpha", "weights", "units", "bias", "x")
    ),
    *(("initial", key) for key in ("seed", "low", "high", "decimals")),
    *(("update", key) for key in ("rule", "learning_rate", "biases", "fixed", "order", "steps", "rho")),
    *(("loss", key) for key in ("name", "over_examples", "")),
    *(("published", 0, key) for key in ("name", "value", "where")),
    *((table, 0) for table in ("examples", "layers", "published")),
]


def put(table: Any, place: tuple[str | int, ...], value: object) -> None:
    """Set what stands at a place, if an earlier change has left such a place."""
    with suppress(KeyError, IndexError, TypeError):
        for part in place[:-1]:
            table = table[part]
        table[place[-1]] = value


def refusal(stated: dict[str, Any]) -> ProblemError | None:
    try:
        load(stated)
    except ProblemError as error:
        return error
    return None


@settings(deadline=None, max_examples=300)
@given(changes=st.lists(st.tuples(st.sampled_from(PLACES), ANYTHING), min_size=1, max_size=3))
def test_whatever_stands_in_a_file_it_is_a_problem_or_refused(
    changes: list[tuple[tuple[str | int, ...], object]],
) -> None:
    stated: Any = {
        "examples": [{"inputs": [1, 2], "targets": [1]}, {"inputs": [1, 2], "targets": [1]}],
        "layers": [{"units": 2, "bias": 1}, {"weights": [[1, 2]]}],
        "loss": {"name": "binary_cross_entropy"},
        "initial": {"seed": 1},
        "update": {"learning_rate": 1},
        "published": [{"name": "E", "value": "1"}],
    }
    for place, value in changes:
        put(stated, place, value)
    refused = refusal(stated)
    if refused is not None:
        assert refused.faults
        assert all(line.startswith("problem: ") and line.isprintable() for line in str(refused).splitlines())


@settings(deadline=None)
@given(text=st.text(), format=st.sampled_from(["toml", "json", ""]))
def test_whatever_text_a_file_has_it_is_refused_in_words(text: str, format: str) -> None:
    with pytest.raises(ProblemError, match="mine: "):
        load_text(text, "mine", format)
