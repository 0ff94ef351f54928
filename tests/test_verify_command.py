"""`chainrule verify` as a user meets it: what it prints, what it writes, how it ends.

The gradients that are handed over come from plain NumPy, written for these tests alone.
"""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from typer.testing import CliRunner, Result

import derive
from derive.plain import plain_equation
from derive.verification.family import family
from derive.verification.judge import base_sheet, explanation
from render.cli import app
from render.compose.verification import document
from render.compose.verification.lines import lines_of, pen_of
from render.document import Equation, Paragraph
from render.numbering import number, targets, walk

# ---- the article's network, right and wrong ------------------------------------------------

MISTAKES = ("back_pass_not_transposed", "activation_derivative_missing", "sign_of_error", "weights_transposed_forward")


def gradients(*made: str) -> dict[str, Any]:
    """∂E/∂W1, … of the 2-2-2 network with mistakes in it."""
    x, t = np.array([0.05, 0.10]), np.array([0.01, 0.99])
    w, v = np.array([[0.15, 0.20], [0.25, 0.30]]), np.array([[0.40, 0.45], [0.50, 0.55]])
    h = 1 / (1 + np.exp(-((w.T if "weights_transposed_forward" in made else w) @ x + 0.35)))
    o = 1 / (1 + np.exp(-(v @ h + 0.60)))
    error = (t - o) if "sign_of_error" in made else (o - t)
    delta_o = error if "activation_derivative_missing" in made else error * o * (1 - o)
    back = (v if "back_pass_not_transposed" in made else v.T) @ delta_o
    delta_h = back * h * (1 - h)
    return {
        "W1": (np.outer(x, delta_h) if "weights_transposed_forward" in made else np.outer(delta_h, x)).tolist(),
        "b1": float(delta_h.sum()),
        "W2": np.outer(delta_o, h).tolist(),
        "b2": float(delta_o.sum()),
    }


def rounded(values: Any, digits: int) -> Any:
    """Every number as text with so many significant digits."""
    if isinstance(values, dict):
        return {key: rounded(each, digits) for key, each in values.items()}
    if isinstance(values, list):
        return [rounded(each, digits) for each in values]
    return f"{values:.{digits}g}"


def run(*arguments: str, text: str | None = None) -> Result:
    return CliRunner().invoke(app, ["verify", *arguments], input=text)


@pytest.fixture
def handed(tmp_path: Path) -> Any:
    """Writes numbers to a file and gives its name."""

    def write(numbers: Any, name: str = "numbers.json") -> str:
        file = tmp_path / name
        file.write_text(numbers if isinstance(numbers, str) else json.dumps(numbers), encoding="utf-8")
        return str(file)

    return write


# ---- verdict and status --------------------------------------------------------------------


def test_right_gradients_are_verified(handed: Any) -> None:
    result = run("mazur", handed(gradients()))
    assert result.exit_code == 0
    assert "Verified: all 10 numbers lie within what the rounding of float64 explains." in result.stdout


def test_the_json_of_the_gradients_command_is_verified(handed: Any) -> None:
    printed = CliRunner().invoke(app, ["gradients", "mazur", "--json", "--digits", "6"]).stdout
    result = run("mazur", handed(printed), "--json")
    assert (result.exit_code, json.loads(result.stdout)["given"]) == (0, "6sf")


def test_the_json_report_has_the_keys_that_are_promised(handed: Any) -> None:
    result = run("mazur", handed(gradients("back_pass_not_transposed")), "--json")
    found = json.loads(result.stdout)
    assert result.exit_code == 1
    assert (
        {"verdict", "parameters", "diagnosis"}
        <= set(found)
        <= {"verdict", "parameters", "diagnosis", "given", "points", "notes"}
    )
    assert [set(row) for row in found["parameters"]] == [
        {"name", "yours", "reference", "relative_error", "digits", "bound", "within"}
    ] * 10
    assert [row["name"] for row in found["parameters"]] == ["w1", "w2", "w3", "w4", "b1", "w5", "w6", "w7", "w8", "b2"]
    assert [row["within"] for row in found["parameters"]] == [False] * 5 + [True] * 5
    (entry,) = found["diagnosis"]
    assert entry["mistakes"] == [{"mistake": "back_pass_not_transposed", "layer": 2}]
    assert entry["explanation"]


@pytest.mark.parametrize("digits", [4, 17])
@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_named(handed: Any, mistake: str, digits: int) -> None:
    result = run("mazur", handed(rounded(gradients(mistake), digits)), "--json")
    found = json.loads(result.stdout)
    assert (result.exit_code, found["verdict"]) == (1, "wrong")
    named = [each["mistakes"][0]["mistake"] for each in found["diagnosis"] if len(each["mistakes"]) == 1]
    assert mistake in named


def test_numbers_too_coarse_to_decide_end_with_1_unless_that_is_allowed(handed: Any) -> None:
    coarse = handed({"w5": "0.1"})
    assert json.loads(run("mazur", coarse, "--given", "1dp", "--json").stdout)["verdict"] == "undecided"
    assert run("mazur", coarse, "--given", "1dp").exit_code == 1
    allowed = run("mazur", coarse, "--given", "1dp", "--undecided-ok")
    assert allowed.exit_code == 0
    assert "Undecided: " in allowed.stdout
    assert run("mazur", handed(gradients("sign_of_error")), "--undecided-ok").exit_code == 1


# ---- ways of handing over ------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(gradients()),
        "parameter,value\nw5,0.08217\nw6,0.08267\n",
        "w5;0.08217\nw6;0.08267\n",
        "\ufeffw5,0.08217\n# a remark\nw6,0.08267",
    ],
)
def test_standard_input_is_json_or_csv(text: str) -> None:
    result = run("mazur", "-", text=text)
    assert result.exit_code == 0, result.output


def test_new_weights_are_checked_as_such(handed: Any) -> None:
    found = {name: np.array(value) for name, value in gradients().items()}
    new = {
        "W1": (np.array([[0.15, 0.20], [0.25, 0.30]]) - 0.5 * found["W1"]).tolist(),
        "W2": (np.array([[0.40, 0.45], [0.50, 0.55]]) - 0.5 * found["W2"]).tolist(),
    }
    file = handed(new)
    assert run("mazur", file, "--as", "updated").exit_code == 0
    result = run("mazur", file)
    assert result.exit_code == 1
    assert "--as updated" in result.stdout


def test_the_precision_may_be_stated(handed: Any) -> None:
    file = handed(rounded(gradients(), 3))
    assert run("mazur", file, "--given", "3sf").exit_code == 0
    assert run("mazur", file, "--given", "float64").exit_code == 1


# ---- the table and the line ----------------------------------------------------------------


def test_the_worst_stands_first(handed: Any) -> None:
    lines = run("mazur", handed(gradients("back_pass_not_transposed"))).stdout.splitlines()
    assert lines[0].split() == ["parameter", "yours", "reference", "relative", "error", "digits", "right", "bound"]
    assert [line.split()[0] for line in lines[1:11]][:5] == ["w3", "w4", "b1", "w1", "w2"]
    assert lines[1].split() == ["w3", "0.0005810242658", "0.0004977127353", "0.167", "0", lines[1].split()[-1]]


def test_of_many_numbers_twenty_are_shown_and_the_rest_counted(handed: Any) -> None:
    numbers = CliRunner().invoke(app, ["gradients", "softmax", "--json"]).stdout
    result = run("softmax", handed(numbers))
    assert result.exit_code == 0, result.stdout
    shown = result.stdout.partition("\n\n")[0].splitlines()
    assert len(shown) == 22
    assert re.fullmatch(r"and \d+ more within their bounds", shown[-1])


def test_the_line_that_went_wrong_stands_beside_what_it_should_be(handed: Any) -> None:
    said = " ".join(run("mazur", handed(gradients("back_pass_not_transposed"))).stdout.split())
    wrong = "∂E_total/∂out_h1 = w5*delta_o1 + w6*delta_o2 = 0.4*0.138498562 + 0.45*(-0.038098237) ≈ 0.038255218"
    right = "∂E_total/∂out_h1 = w5*delta_o1 + w7*delta_o2 = 0.4*0.138498562 + 0.5*(-0.038098237) ≈ 0.036350306"
    assert f"written, probably: {wrong} should be: {right}" in said


# (mistake, layer): the line as it was written, and as it should be, of the article's network; worked out by hand
LINES = {
    ("sign_of_error", "all"): (
        "∂E_total/∂out_o1 = -(out_o1 - target_o1) = -(0.751365070 - 0.01) ≈ -0.741365070",
        "∂E_total/∂out_o1 = out_o1 - target_o1 = 0.751365070 - 0.01 ≈ 0.741365070",
    ),
    ("activation_derivative_missing", 2): (
        "delta_o1 = ∂E_total/∂out_o1 ≈ 0.741365070",
        "delta_o1 = ∂E_total/∂out_o1 * out_o1 * (1 - out_o1) = 0.741365070*0.751365070*(1 - 0.751365070) ≈ 0.138498562",
    ),
    ("weight_gradient_transposed", 2): (
        "∂E_total/∂w6 = delta_o2*out_h1 = -0.038098237*0.593269992 ≈ -0.022602540",
        "∂E_total/∂w6 = delta_o1*out_h2 = 0.138498562*0.596884378 ≈ 0.082667628",
    ),
    ("back_pass_updated_weights", 2): (
        "∂E_total/∂out_h1 = delta_o1*(w5 - 1/2 * ∂E_total/∂w5) + delta_o2*(w7 - 1/2 * ∂E_total/∂w7)"
        " = 0.138498562*(0.4 - 1/2 * 0.082167041) + (-0.038098237)*(0.5 - 1/2 * (-0.022602540)) ≈ 0.030229739",
        "∂E_total/∂out_h1 = w5*delta_o1 + w7*delta_o2 = 0.4*0.138498562 + 0.5*(-0.038098237) ≈ 0.036350306",
    ),
    ("bias_gradient_zero", 2): (
        "∂E_total/∂b2 = 0",
        "∂E_total/∂b2 = delta_o1 + delta_o2 = 0.138498562 + (-0.038098237) ≈ 0.100400325",
    ),
    ("biases_left_out_forward", 1): (
        "net_h1 = w1*i1 + w2*i2 = 0.15*0.05 + 0.2*0.1 = 0.0275",
        "net_h1 = b1 + w1*i1 + w2*i2 = 0.35 + 0.15*0.05 + 0.2*0.1 = 0.3775",
    ),
    ("loss_without_half", "all"): (
        "E_o1 = (target_o1 - out_o1)**2 = (0.01 - 0.751365070)**2 ≈ 0.549622166",
        "E_o1 = 1/2 * (target_o1 - out_o1)**2 = 1/2 * (0.01 - 0.751365070)**2 ≈ 0.274811083",
    ),
    ("accumulated_twice", "all"): (
        "2 * ∂E_total/∂w1 = 2*0.000438568 ≈ 0.000877135",
        "∂E_total/∂w1 ≈ 0.000438568",
    ),
}


@pytest.mark.parametrize("name", LINES, ids=lambda name: f"{name[0]}-{name[1]}")
def test_the_line_of_a_mistake(name: tuple[str, Any]) -> None:
    derivation = derive.differentiate("mazur")
    edit = next(each for each in family(base_sheet(derivation), derivation.problem) if each.key == name)
    (line,) = lines_of(pen_of(derivation), explanation([edit]))
    assert (plain_equation(line.written), plain_equation(line.right)) == LINES[name]


def test_of_two_mistakes_the_second_line_carries_the_first_forward() -> None:
    derivation = derive.differentiate("mazur")
    edits = {each.key: each for each in reversed(family(base_sheet(derivation), derivation.problem))}
    both = [edits["activation_derivative_missing", 1], edits["back_pass_not_transposed", 2]]
    first, second = lines_of(pen_of(derivation), explanation(both))
    assert plain_equation(first.written).endswith("≈ 0.038255218")
    assert plain_equation(second.written) == "delta_h1 = ∂E_total/∂out_h1 ≈ 0.038255218"


@pytest.mark.parametrize("name", ["mazur", "softmax", "relu", "xor", "rnn", "lstm", "attention", "layer_norm", "cnn"])
def test_every_mistake_of_a_network_has_its_line_or_none(name: str) -> None:
    """None is the answer only where no single quantity is wrong by itself."""
    derivation = derive.differentiate(name)
    pen, seen, without = pen_of(derivation), set(), set()
    for edit in family(base_sheet(derivation), derivation.problem):
        if edit.mistake in seen:
            continue
        seen.add(edit.mistake)
        for line in lines_of(pen, explanation([edit])) or without.add(edit.mistake) or ():
            assert line.written != line.right, edit.mistake
            assert plain_equation(line.written)
    assert len(without) < len(seen) / 3, without


# ---- colour --------------------------------------------------------------------------------


def on_a_terminal(*arguments: str, **environment: str) -> str:
    """What the command prints where standard output is a terminal."""
    ours, theirs = pty.openpty()
    house = str(Path(derive.__file__).parents[1])
    settings = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR")}
    settings |= {"PYTHONPATH": house, "TERM": "xterm-256color", "COLUMNS": "90"} | environment
    command = [sys.executable, "-m", "render.cli", "verify", *arguments]
    with subprocess.Popen(command, stdout=theirs, stderr=subprocess.DEVNULL, env=settings) as process:
        os.close(theirs)
        parts = []
        while True:
            try:
                part = os.read(ours, 4096)
            except OSError:  # the other end is closed
                break
            if not part:
                break
            parts.append(part)
        assert process.wait() == 1
    os.close(ours)
    return b"".join(parts).decode()


def test_colour_is_for_terminals_and_not_where_it_is_unwanted(handed: Any) -> None:
    file = handed(gradients("back_pass_not_transposed"))
    assert "\x1b" not in run("mazur", file).stdout
    drawn = on_a_terminal("mazur", file)
    assert "\x1b[31m" in drawn  # red: outside its bound
    assert not re.search(r"\x1b\[3\dm", on_a_terminal("mazur", file, NO_COLOR="1"))
    assert max(len(re.sub(r"\x1b\[[\d;]*m", "", line).rstrip()) for line in drawn.splitlines()) <= 90


# ---- JUnit ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("numbers", "options", "failing"),
    [
        (gradients(), (), []),
        (gradients("back_pass_not_transposed"), (), ["W1", "b1"]),
        (gradients("sign_of_error"), (), ["W1", "b1", "W2", "b2"]),
        ({"w5": "0.1"}, ("--given", "1dp"), ["verdict"]),
        ({"w5": "0.1"}, ("--given", "1dp", "--undecided-ok"), []),
    ],
)
def test_junit_has_a_case_for_each_array(
    handed: Any, tmp_path: Path, numbers: Any, options: tuple[str, ...], failing: list[str]
) -> None:
    file = tmp_path / "reports" / "report.xml"
    result = run("mazur", handed(numbers), "--junit", str(file), *options)
    assert result.exit_code == int(bool(failing))
    root = ElementTree.fromstring(file.read_bytes())
    check_junit(root)
    cases = root.findall("./testsuite/testcase")
    assert [case.get("name") for case in cases if case.find("failure") is not None] == failing
    assert [case.get("name") for case in cases if case.get("name") != "verdict"] == [
        {"w5": "W2"}.get(name, name) for name in numbers
    ]


def check_junit(root: ElementTree.Element) -> None:
    """The rules of the schema that Jenkins, GitLab and the Ant task agree on."""
    assert root.tag == "testsuites"
    for suite in root:
        assert suite.tag == "testsuite"
        assert suite.get("name")
        order = [child.tag for child in suite]
        assert order == sorted(order, key=["properties", "testcase", "system-out", "system-err"].index)
        cases = suite.findall("testcase")
        assert suite.get("tests") == root.get("tests") == str(len(cases))
        failed = [case for case in cases if case.find("failure") is not None]
        assert suite.get("failures") == root.get("failures") == str(len(failed))
        for case in cases:
            assert case.get("name")
            assert case.get("classname")
            assert float(case.get("time", "")) >= 0
        for failure in suite.iter("failure"):
            assert failure.get("message")
            assert failure.get("type")
            assert failure.text


# ---- the document --------------------------------------------------------------------------


def test_the_report_is_written_as_documents(handed: Any, tmp_path: Path) -> None:
    out = tmp_path / "pages"
    file = handed(gradients("back_pass_not_transposed"))
    result = run("mazur", file, "--to", "html,latex,markdown,pdf", "--out", str(out))
    assert result.exit_code == 1
    assert {path.name for path in out.iterdir()} == {
        "mazur_report.html", "mazur_report.tex", "mazur_report.md", "mazur_report_figures", "mazur_report.pdf",
    }  # fmt: skip
    for name in ("mazur_report.html", "mazur_report.tex", "mazur_report.md"):
        text = (out / name).read_text("utf-8")
        assert "5 of 10 numbers lie outside" in text
        assert "0.038255218" in text, "what was written"
        assert "0.036350306" in text, "what it should be"
        assert text.count("Here the calculation went wrong") == 1


def report_of(problem: str, numbers: Any) -> Any:
    from derive.verification.files import of_text
    from derive.verification.judge import judge

    derivation = derive.differentiate(problem)
    report = judge(derivation, [({}, of_text(json.dumps(numbers), derivation, "gradient", "numbers"))])
    return document(derivation, report)


def test_the_derivation_ends_at_the_step_that_went_wrong() -> None:
    page = report_of("mazur", gradients("back_pass_not_transposed"))
    *_, right, mark, written = list(walk(page.blocks))
    assert isinstance(right, Equation)
    assert plain_equation(right.sides[:1]) == "∂E_total/∂out_h1"
    assert isinstance(mark, Paragraph)
    assert isinstance(written, Equation)
    assert plain_equation(written.sides).endswith("≈ 0.038255218")


def test_a_verified_report_has_no_derivation() -> None:
    page = report_of("mazur", gradients())
    assert [block.identifier for block in page.blocks] == ["verdict"]


def test_what_was_not_handed_over_is_said() -> None:
    page = report_of("mazur", {"W2": gradients()["W2"]})
    paragraphs = [block for block in walk(page.blocks) if isinstance(block, Paragraph)]
    words = "".join(getattr(inline, "text", "") for inline in paragraphs[1].inlines)
    assert "nothing was handed over, and nothing is said" in words


SIGN, ODD = -1, 0.7310001  # a sign too much, which is named, and a factor that nothing explains


@pytest.mark.parametrize(
    ("problem", "factor"),
    [
        *((name, SIGN) for name in ("softmax", "xor", "lstm", "batch_norm")),
        *((n, ODD) for n in ("relu", "rnn", "attention")),
    ],
)
def test_a_report_can_be_made_of_any_network(problem: str, factor: float) -> None:
    """Its references all lead somewhere, and HTML can be made of it."""
    right = json.loads(CliRunner().invoke(app, ["gradients", problem, "--json"]).stdout)["gradients"]
    wrong = {name: (np.array(value, dtype=np.float64) * factor).tolist() for name, value in right.items()}
    page = number(report_of(problem, wrong))
    known = targets(page)
    from render.formats import render_text

    assert "diagnosis" in known
    assert render_text(page, "html", fragment=True)


# ---- what is refused -----------------------------------------------------------------------

BAD = {
    "no file": (("mazur", "nowhere.json"), "nowhere.json: no such file"),
    "no folder": (("mazur", "no/where.json"), "where.json: no such folder"),
    "a folder": (("mazur", "."), ".: is a directory"),
    "nothing to check": (("mazur",), "GRADIENTS: is missing"),
    "an unknown kind": (("mazur", "-", "--as", "gradient"), 'did you mean "gradients"?'),
    "an unknown precision": (
        ("mazur", "-", "--given", "four"),
        "--given: 'four' is no precision; known: auto, float64",
    ),
    "a folder without formats": (("mazur", "-", "--out", "x"), "--out: has no effect without --to"),
    "an unknown format": (("mazur", "-", "--to", "htm"), 'did you mean "html"?'),
    "standard input twice": (("-", "-"), "standard input can be read once only"),
    "an unknown problem": (("mazurr", "-"), 'did you mean "mazur"?'),
}


@pytest.mark.parametrize("arguments, message", BAD.values(), ids=BAD)  # noqa: PT006
def test_bad_usage_is_one_clear_message(
    arguments: tuple[str, ...], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(*arguments, text='{"w5": 0.1}')
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
    assert all(line.startswith("chainrule: ") for line in result.stderr.splitlines())
    assert list(tmp_path.iterdir()) == []


NUMBERS = {
    "an unknown name": ('{"w55": 1}', ["w55", 'did you mean "w5"?']),
    "an unknown array": ('{"W3": [[1]]}', ["W3", "known: "]),
    "a wrong shape": ('{"W1": [1, 2, 3]}', ["W1: found the shape 3; expected 2 × 2"]),
    "ragged rows": ('{"W1": [[1, 2], [3]]}', ["W1: the rows of an array have to be of one length"]),
    "a string": ('{"w5": "much"}', ['w5: found "much"; expected a decimal number']),
    "nothing": ('{"w5": null}', ["w5: found nothing; expected a number"]),
    "an empty object": ("{}", ["holds no numbers"]),
    "an empty file": ("", ["is empty"]),
    "a list": ("[1, 2]", ["found a list; expected an object"]),
    "broken JSON": ('{"w5": 1', ["not JSON"]),
    "a name twice": ('{"w5": 1, "w5": 2}', ["w5 is there twice"]),
    "one number by two names": ('{"w5": 1, "W2[0, 0]": 2}', ["is there twice"]),
    "a line without a number": ("w5\n", ["line 1", "expected a name and a number"]),
}


@pytest.mark.parametrize("text, messages", NUMBERS.values(), ids=NUMBERS)  # noqa: PT006
def test_bad_numbers_are_refused_and_nothing_is_written(text: str, messages: list[str], tmp_path: Path) -> None:
    options = ("--junit", str(tmp_path / "report.xml"), "--to", "html", "--out", str(tmp_path / "pages"))
    result = run("mazur", "-", *options, text=text)
    assert (result.exit_code, result.stdout) == (2, "")
    assert all(message in result.stderr for message in messages), result.stderr
    assert "standard input" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_misspelt_file_is_told_from_its_neighbour(handed: Any) -> None:
    file = handed(gradients(), "gradients.json")
    result = run("mazur", file.replace("gradients.json", "gradiens.json"))
    assert result.exit_code == 2
    assert 'did you mean "gradients.json"?' in result.stderr


def test_nothing_is_written_where_one_of_the_files_cannot_be(handed: Any, tmp_path: Path) -> None:
    blocked = tmp_path / "blocked"
    blocked.write_text("mine", encoding="utf-8")
    result = run(
        "mazur",
        handed(gradients()),
        "--to",
        "html",
        "--out",
        str(tmp_path / "pages"),
        "--junit",
        str(blocked / "r.xml"),
    )
    assert result.exit_code == 2
    assert not (tmp_path / "pages").exists()
    assert blocked.read_text("utf-8") == "mine"


def test_numbers_that_are_not_finite_are_wrong_and_said(handed: Any) -> None:
    result = run("mazur", handed('{"w5": NaN, "w6": 0.08266762785}'))
    assert result.exit_code == 1
    assert "w5 is NaN: not a finite number" in result.stdout.replace("W5", "w5").replace("nan", "NaN")


def test_a_problem_of_symbols_has_no_numbers_to_compare(handed: Any) -> None:
    result = run("symbolic", handed({"w5": 0.1}))
    assert (result.exit_code, result.stdout) == (2, "")
    assert "symbol" in result.stderr


def test_help_says_what_may_be_handed_over() -> None:
    said = " ".join(run("--help").stdout.split())
    for word in ("--given", "--as", "--published", "--junit", "--undecided-ok", "--timeout", "--points", "torch:"):
        assert word in said
