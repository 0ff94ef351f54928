"""The command, as a user meets it: what it prints, what it writes, how it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

import derive
import render.formats
from derive.problem import bundled, load, schema, template
from render.cli import app


def run(*arguments: str, text: str | None = None) -> Result:
    return CliRunner().invoke(app, list(arguments), input=text)


def done(*arguments: str, text: str | None = None) -> str:
    result = run(*arguments, text=text)
    assert result.exit_code == 0, result.output
    return result.stdout


def python(*arguments: str, **settings: Any) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(Path(derive.__file__).parents[1]), "PYTHONWARNINGS": "error"}
    command = [sys.executable, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, **settings)


# ---- before anything is derived ------------------------------------------------------------


def test_help_names_every_command_and_imports_nothing_heavy() -> None:
    heavy = "{'sympy', 'numpy', 'jinja2', 'pydantic', 'flint', 'typst'}"
    code = f"""
import sys, render.cli
try:
    render.cli.app(["--help"])
finally:
    print(sorted({heavy} & set(sys.modules)))
"""
    printed = python("-c", code).stdout
    for command in ("render", "gradients", "train", "verify", "list", "new", "schema", "--version"):
        assert command in printed
    assert printed.splitlines()[-1] == "[]"


@pytest.mark.parametrize("command", ["render", "gradients", "train", "verify", "list", "new", "schema"])
def test_every_command_has_help(command: str) -> None:
    assert "Usage: " in done(command, "--help")


def test_the_version_is_printed() -> None:
    assert done("--version") == f"chainrule {derive.__version__}\n"


# ---- list, new, schema ---------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["problems", "activations", "losses", "layers", "optimizers", "notations", "formats"])
def test_list_has_a_line_with_a_summary_for_every_name(kind: str) -> None:
    lines = done("list", kind).splitlines()
    assert lines
    assert all(len(line.split(maxsplit=1)) == 2 for line in lines)
    everything = [" ".join(line.split()) for line in done("list").splitlines()]
    assert {kind, *(" ".join(line.split()) for line in lines)} <= set(everything)


def test_list_knows_the_bundled_problems() -> None:
    assert [line.split()[0] for line in done("list", "problems").splitlines()] == list(bundled())


def test_new_makes_a_good_problem_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    assert done("new", str(file)) == f"{file}\n"
    assert file.read_text(encoding="utf-8") == template()
    assert load(file).stem == "mine"


def test_new_leaves_an_existing_file_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("mine", encoding="utf-8")
    result = run("new", str(file))
    assert (result.exit_code, result.stdout) == (2, "")
    assert "mine.toml: exists already" in result.stderr
    assert file.read_text(encoding="utf-8") == "mine"


def test_new_needs_a_folder_that_is_there(tmp_path: Path) -> None:
    result = run("new", str(tmp_path / "nowhere" / "mine.toml"))
    assert result.exit_code == 2
    assert "cannot be written: No such file or directory" in result.stderr


def test_schema_prints_the_schema() -> None:
    assert json.loads(done("schema")) == schema()


# ---- gradients -----------------------------------------------------------------------------

# the article's example, worked out elsewhere with 60 digits and rounded to 18
MAZUR = {
    "error": "0.298371108760002689",
    "a1": [["0.593269992107187255", "0.596884378259767056"]],
    "a2": [["0.751365069552315708", "0.772928465321462589"]],
}
MAZUR_GRADIENTS = {
    "W1": [
        ["0.000438567734474346727", "0.000877135468948693454"],
        ["0.000497712735260860072", "0.000995425470521720143"],
    ],
    "b1": "0.018725609394704136",
    "W2": [["0.0821670405642307788", "0.0826676278475332553"], ["-0.0226025404774750598", "-0.0227402422159782108"]],
    "b2": "0.100400325112000749",
}
MAZUR_UPDATED = {
    "W1": [["0.149780716132762827", "0.199561432265525653"], ["0.24975114363236957", "0.29950228726473914"]],
    "b1": "0.35",
    "W2": [["0.358916479717884611", "0.408666186076233372"], ["0.51130127023873753", "0.561370121107989105"]],
    "b2": "0.6",
    "error": "0.291027773693599351",
}


def test_gradients_json_has_every_digit_asked_for() -> None:
    found = json.loads(done("gradients", "mazur", "--json", "--digits", "18"))
    assert list(found) == ["error", "arrays", "gradients", "updated"]
    assert found["error"] == MAZUR["error"]
    assert {name: found["arrays"][name] for name in ("a1", "a2")} == {name: MAZUR[name] for name in ("a1", "a2")}
    assert found["arrays"]["x"] == [["0.05", "0.1"]]
    assert found["gradients"] == MAZUR_GRADIENTS
    assert found["updated"] == MAZUR_UPDATED


def test_gradients_json_has_17_digits_unless_told() -> None:
    assert json.loads(done("gradients", "mazur", "--json"))["error"] == "0.29837110876000269"


def test_gradients_json_is_laid_out_for_people() -> None:
    lines = done("gradients", "mazur", "--json", "--digits", "3").splitlines()
    assert lines[1] == '  "error": "0.298",'
    assert '      ["0.15", "0.2"],' in lines


def test_gradients_prints_a_table() -> None:
    lines = done("gradients", "mazur").splitlines()
    assert lines[0].split() == ["∂E/∂w", "after", "the", "update"]
    assert [line.split()[0] for line in lines[1:]] == ["w1", "w2", "w3", "w4", "b1", "w5", "w6", "w7", "w8", "b2"]
    assert lines[6].split() == ["w5", "0.0821670406", "0.35891648"]
    assert len({line.index(".") for line in lines[1:]}) == 1


def test_gradients_without_an_update_has_no_column_for_it() -> None:
    assert done("gradients", "symbolic", "--symbolic").splitlines()[0].split() == ["∂E/∂w"]
    assert "updated" not in json.loads(done("gradients", "symbolic", "--json"))


def test_gradients_in_symbols_are_formulas() -> None:
    formulas = json.loads(done("gradients", "mazur", "--symbolic", "--json"))
    assert set(formulas["w5"]) > set("out_h1")
    assert not set("0123456789.") & set(formulas["w5"].replace("h1", "").replace("o1", "").replace("1 -", ""))
    assert json.loads(done("gradients", "mazur", "--symbolic", "--closed", "--json")).keys() == formulas.keys()


def test_many_gradients_are_printed_as_matrices() -> None:
    problem = {
        "examples": [{"inputs": [1] * 20, "targets": [1] * 2}],
        "layers": [{"units": 20, "bias": "per_unit"}, {"units": 2}],
        "initial": {"seed": 1},
        "loss": {"name": "squared_error"},
    }
    lines = done("gradients", "-", text=json.dumps(problem)).splitlines()
    assert lines[0].startswith("E = ")
    assert lines[1] == "∂E/∂W1  (20 × 20)"
    assert [line.split()[3] for line in lines[2:9]] == ["…", "…", "…", "⋮", "…", "…", "…"]
    assert lines[9] == "∂E/∂b1  (20)"


def test_formulas_are_printed_without_padding() -> None:
    lines = done("gradients", "symbolic").splitlines()
    assert len({len(line) - len(line[2:].lstrip()) for line in lines[1:]}) == 1


def moved(parameters: list[str], **update: object) -> dict[str, Any]:
    """What `gradients --json` says of the article's network with other parameters."""
    layers = [
        {"activation": "logistic", "weights": [["0.15", "0.2"], ["0.25", "0.3"]], "bias": "0.35"},
        {"activation": "logistic", "weights": [["0.4", "0.45"], ["0.5", "0.55"]], "bias": "0.6"},
    ]
    problem = {
        "examples": [{"inputs": ["0.05", "0.1"], "targets": ["0.01", "0.99"]}],
        "layers": layers,
        "loss": {"name": "half_squared_error"},
        "update": {"learning_rate": "0.5", **update},
        "parameters": parameters,
    }
    derivation = derive.differentiate(problem)
    found = derivation.to_json(18)
    once = derivation.train(1, 18)
    assert set(found["updated"]) == {*parameters, "error"}
    assert once["error"] == found["updated"]["error"]
    assert {name: once["arrays"][name] for name in parameters} == {name: found["updated"][name] for name in parameters}
    assert float(derivation.train(1)["error"]) == pytest.approx(float(once["error"]), rel=1e-13)
    return found


def test_an_update_moves_what_is_given_and_never_what_is_computed() -> None:
    found = moved(["x", "z1", "W2"])
    step = [Decimal(each) / 2 for each in found["gradients"]["x"][0]]
    x = [Decimal("0.05") - step[0], Decimal("0.1") - step[1]]
    assert [Decimal(each) for each in found["updated"]["x"][0]] == pytest.approx(x, rel=Decimal("1e-16"))
    z1 = [Decimal("0.15") * x[0] + Decimal("0.2") * x[1], Decimal("0.25") * x[0] + Decimal("0.3") * x[1]]
    expected = [each + Decimal("0.35") for each in z1]
    assert [Decimal(each) for each in found["updated"]["z1"][0]] == pytest.approx(expected, rel=Decimal("1e-16"))
    assert found["updated"]["W2"] == MAZUR_UPDATED["W2"]


def test_asking_for_a_computed_gradient_changes_no_update() -> None:
    plain, asked = moved(["W1", "W2"]), moved(["W1", "z1", "a2", "W2"])
    assert {name: asked["updated"][name] for name in plain["updated"]} == plain["updated"]
    assert plain["updated"]["error"] == MAZUR_UPDATED["error"]
    plain, asked = (moved(names, order="sequential") for names in (["W1", "W2"], ["W1", "z1", "a2", "W2"]))
    assert {name: asked["updated"][name] for name in plain["updated"]} == plain["updated"]


def test_what_is_computed_stays_where_nothing_moves() -> None:
    assert moved(["z1"])["updated"]["z1"] == [["0.3775", "0.3925"]]
    assert moved(["z1", "b1"], biases="fixed")["updated"]["b1"] == "0.35"


def test_what_is_computed_from_symbols_reads_their_new_values() -> None:
    problem = {
        "examples": [{"inputs": 1, "targets": 1}],
        "layers": [{"units": 1, "activation": "tanh"}],
        "loss": {"name": "half_squared_error"},
        "update": {"learning_rate": "0.5"},
        "parameters": ["W1", "a1"],
    }
    updated = derive.differentiate(problem).to_json()["updated"]
    ((weight,),) = updated["W1"]
    assert weight == "w1 - 1/2*((out_o1 - target_o1)*(1 - out_o1**2)*i1)"
    assert updated["a1"] == [[f"tanh(({weight})*i1)"]]


# ---- train ---------------------------------------------------------------------------------


def test_train_json_is_the_contracts_object() -> None:
    found = json.loads(done("train", "mazur", "--steps", "100", "--json"))
    assert list(found) == ["steps", "error", "outputs", "arrays", "history"]
    assert found["steps"] == 100
    assert [step for step, _ in found["history"]] == [0, 1, 2, 5, 10, 20, 50, 100]
    assert float(found["history"][-1][1]) == pytest.approx(float(found["error"]), rel=1e-14)


def test_train_takes_the_problems_own_number_of_steps() -> None:
    found = json.loads(done("train", "mazur", "--json"))
    assert found["steps"] == 10000
    assert float(found["error"]) == pytest.approx(0.000035101877829788458742, rel=1e-11)
    assert [float(each) for each in found["outputs"][0]] == pytest.approx(
        [0.015913620443550626595, 0.98406427351462375687]
    )


def test_train_gives_as_many_digits_as_asked_for() -> None:
    found = json.loads(done("train", "mazur", "--steps", "1", "--json", "--digits", "18"))
    assert found["error"] == MAZUR_UPDATED["error"]
    assert found["arrays"]["W1"] == MAZUR_UPDATED["W1"]


def test_xor_is_learned_in_the_steps_it_states() -> None:
    found = json.loads(done("train", "xor", "--json"))
    assert float(found["error"]) < 0.01
    assert [round(float(output)) for (output,) in found["outputs"]] == [0, 1, 1, 0]


def test_train_prints_tables() -> None:
    printed = done("train", "xor", "--steps", "2")
    assert printed.splitlines()[0].split() == ["step", "E"]
    assert "after 2 steps" in printed
    assert "outputs  (4 × 1)" in printed


# ---- render --------------------------------------------------------------------------------


def test_render_writes_what_is_asked_for_and_says_where(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out"
    printed = done("render", "mazur", "--to", "html,latex", "--out", str(out))
    assert printed.splitlines() == [str(out / "mazur.html"), str(out / "mazur.tex")]
    assert sorted(each.name for each in out.iterdir()) == ["mazur.html", "mazur.tex"]


def test_render_begins_with_mazur_and_every_format(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    printed = done("render").splitlines()
    there = [row for row in render.formats.FORMATS.values() if row.by_default and not row.missing()]
    assert {f"output/mazur{row.suffix}" for row in there} <= set(printed)


def test_render_is_the_same_twice(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        done("render", "xor", "--to", "html", "--to", "latex", "--out", str(tmp_path / folder))
    for name in ("xor.html", "xor.tex"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_render_reads_standard_input(tmp_path: Path) -> None:
    done("render", "-", "--to", "latex", "--out", str(tmp_path), text=template())
    assert [each.name for each in tmp_path.iterdir()] == ["problem.tex"]


def test_a_fragment_has_no_page_around_it(tmp_path: Path) -> None:
    done("render", "mazur", "--to", "latex", "--fragment", "--out", str(tmp_path))
    assert r"\documentclass" not in (tmp_path / "mazur.tex").read_text(encoding="utf-8")


@pytest.mark.skipif(bool(render.formats.FORMATS["pdf"].missing()), reason="needs typst, which makes the PDF")
def test_a_pdf_beside_fragments_is_said_to_be_whole(tmp_path: Path) -> None:
    result = run("render", "xor", "--to", "latex,pdf", "--fragment", "--out", str(tmp_path))
    assert result.exit_code == 0
    assert result.stderr == "chainrule: --fragment: pdf is written as a whole page, as always\n"


@pytest.mark.parametrize("asked", [True, False])
def test_a_format_that_lacks_something_ends_with_3_only_if_asked_for(
    asked: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lacking = replace(render.formats.FORMATS["latex"], missing=lambda: "python -m pip install something")
    monkeypatch.setitem(render.formats.FORMATS, "latex", lacking)
    result = run("render", "mazur", *(("--to", "latex,html") if asked else ()), "--out", str(tmp_path))
    assert result.exit_code == (3 if asked else 0)
    assert "latex was not written: python -m pip install something" in result.stderr
    assert (tmp_path / "mazur.html").exists()
    assert not (tmp_path / "mazur.tex").exists()


# ---- how it ends ---------------------------------------------------------------------------


def test_an_interrupt_ends_with_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("derive.problem.load", interrupted)
    assert run("gradients", "mazur").exit_code == 130


@pytest.mark.skipif(os.name != "posix", reason="pipes end differently elsewhere")
def test_a_closed_pipe_ends_quietly() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    environment = {**os.environ, "PYTHONPATH": str(Path(derive.__file__).parents[1])}
    command = [sys.executable, "-m", "render.cli", "schema"]
    ended = subprocess.run(command, env=environment, stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    assert (ended.returncode, ended.stderr) == (141, "")


def test_a_defect_of_ours_is_not_dressed_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: str) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("derive.problem.load", broken)
    assert isinstance(run("gradients", "mazur").exception, RuntimeError)


def test_the_command_runs_as_a_process() -> None:
    folder = Path(derive.__file__).parent / "problems"
    bundled = sorted(path.stem for path in folder.glob("*.toml") if path.stem != "template")
    ended = python("-m", "render.cli", "gradients", "mazurr")
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr == (
        "chainrule: mazurr: no such file, and no bundled problem of that name; "
        f"known: {', '.join(bundled)}; "
        'did you mean "mazur"?\n'
    )


@pytest.mark.parametrize("name", ["w_1", "w1", "W1[0, 0]"])
def test_a_weight_to_show_is_named_as_it_is_printed_or_by_its_index(name: str, tmp_path: Path) -> None:
    pages = []
    for shown, folder in (("w1", "expected"), (name, "found")):
        done("render", "mazur", "--to", "latex", "--show", shown, "--out", str(tmp_path / folder))
        pages.append((tmp_path / folder / "mazur.tex").read_bytes())
    assert pages[0] == pages[1]
