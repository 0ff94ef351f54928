"""The notebook: it runs with NumPy alone, its numbers are the derivation's, and the student's has no solution in it."""

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import derive
from derive.errors import ChainruleError
from render.exports.notebook import BEGIN, END, notebook, without_solutions

nbformat = pytest.importorskip("nbformat")

PROBLEMS = ("mazur", "adam", "cnn", "word2vec")
AWKWARD = {
    "equations": "np = W @ x + b\nlist = tanh(np)\nlogistic_ = logistic(list)\nE = sum((t - logistic_)**2) / 2",
    "error": "E",
    "parameters": ["W", "b"],
    "values": {"x": [0.5, -1.0], "t": [1, 0], "W": [[0.1, 0.2], [0.3, -0.4]], "b": [0.1, 0.2]},
    "update": {"rule": "gradient_descent", "learning_rate": 0.5},
}

RUN = """
import json, sys
import numpy
cells = json.load(open(sys.argv[1], encoding="utf-8"))["cells"]
names, space = sys.argv[2].split(","), {}
for cell in cells:
    if cell["cell_type"] == "code":
        exec(compile("".join(cell["source"]), cell["id"], "exec"), space)
        if cell["metadata"]["nbgrader"]["grade_id"] == "update_test":
            found = {name: numpy.asarray(space[name]).tolist() for name in names}
print("values", json.dumps(found))
"""


@cache
def derivation(name: str) -> Any:
    return derive.differentiate(AWKWARD if name == "awkward" else name)


@cache
def made(name: str) -> dict[str, Any]:
    return {file: json.loads(content) for file, content in notebook(derivation(name), stem=name).items()}


def run(folder: Path, content: Any, names: list[str]) -> subprocess.CompletedProcess[str]:
    (folder / "notebook.ipynb").write_text(json.dumps(content), encoding="utf-8")
    command = [sys.executable, "-W", "error", "-c", RUN, "notebook.ipynb", ",".join(names)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def code(content: Any, role: str) -> list[str]:
    keys = {"solution": "solution", "test": "grade"}
    return [
        "".join(cell["source"])
        for cell in content["cells"]
        if cell["cell_type"] == "code" and cell["metadata"]["nbgrader"][keys[role]]
    ]


@pytest.mark.parametrize("name", [*PROBLEMS, "awkward"])
def test_the_teachers_runs_and_computes_what_the_derivation_does(name: str, tmp_path: Path) -> None:
    one = derivation(name)
    wanted = {} if name == "awkward" else {each: one.floats(each) for each in one.program.variables}
    wanted |= {f"dE_d{each}": one.floats(one.gradient.adjoints[each]) for each in one.program.parameters}
    done = run(tmp_path, made(name)[f"{name}.ipynb"], list(wanted))
    assert done.returncode == 0, done.stderr
    line = next(line for line in done.stdout.splitlines() if line.startswith("values "))
    for each, value in json.loads(line.removeprefix("values ")).items():
        np.testing.assert_allclose(value, wanted[each], rtol=1e-9, atol=1e-14, err_msg=each)


def test_the_students_stops_at_the_first_thing_to_do(tmp_path: Path) -> None:
    done = run(tmp_path, made("mazur")["mazur_student.ipynb"], [])
    assert done.returncode == 1
    assert done.stderr.strip().endswith("NotImplementedError")


@pytest.mark.parametrize("name", PROBLEMS)
def test_the_students_is_the_teachers_without_its_solutions(name: str) -> None:
    teacher, student = made(name)[f"{name}.ipynb"], made(name)[f"{name}_student.ipynb"]
    assert [cell["metadata"] for cell in teacher["cells"]] == [cell["metadata"] for cell in student["cells"]]
    assert code(teacher, "test") == code(student, "test")
    for full, cut in zip(code(teacher, "solution"), code(student, "solution"), strict=True):
        assert full.count(BEGIN) == full.count(END) == 1
        assert BEGIN not in cut
        assert cut.count("raise NotImplementedError()") == 1
        hidden = full[full.index(BEGIN) + len(BEGIN) : full.index(END)].strip().splitlines()
        assert not any(line.strip() in cut for line in hidden)


@pytest.mark.parametrize("name", PROBLEMS)
def test_every_code_cell_is_one_that_nbgrader_knows(name: str) -> None:
    for content in made(name).values():
        nbformat.validate(nbformat.from_dict(content))
        graders = [cell["metadata"]["nbgrader"] for cell in content["cells"] if cell["cell_type"] == "code"]
        identifiers = [each["grade_id"] for each in graders]
        assert len(identifiers) == len(set(identifiers))
        for each in graders:
            assert each["schema_version"] == 3
            assert each["locked"] is not each["solution"]
            assert not (each["grade"] and each["solution"])
            assert ("points" in each) is each["grade"]


def test_solutions_are_cut_as_nbgrader_cuts_them() -> None:
    text = f"def f(x):\n    {BEGIN}\n    return x\n    {END}\n{BEGIN}\na = 1\nb = 2\n{END}\nf(1)"
    stub = "# YOUR CODE HERE\n{0}raise NotImplementedError()"
    assert without_solutions(text) == f"def f(x):\n    {stub.format('    ')}\n{stub.format('')}\nf(1)"


def test_the_figure_goes_with_the_notebook() -> None:
    first = made("mazur")["mazur.ipynb"]["cells"][0]
    (name,) = first["attachments"]
    assert f"](attachment:{name})" in "".join(first["source"])
    assert set(first["attachments"][name]) == {"image/svg+xml"}


def test_code_reads_as_a_student_would_write_it() -> None:
    lines = "\n".join(code(made("mazur")["mazur.ipynb"], "solution")).splitlines()
    for line in ("z1 = x @ W1.T + b1", "a1 = logistic(z1)", "dE_dz2 = a2*dE_da2*(1 - a2)", "dE_dW2 = dE_dz2.T @ a1"):
        assert line in lines


def test_a_problem_of_symbols_has_no_notebook() -> None:
    with pytest.raises(ChainruleError, match=r"symbolic.toml: has symbols"):
        notebook(derive.differentiate("symbolic"))


def test_the_same_problem_gives_the_same_bytes() -> None:
    assert notebook(derivation("mazur")) == notebook(derivation("mazur"))


def test_a_heading_stands_at_the_top() -> None:
    from render.handout.heading import Heading

    heading = Heading(title="Sheet *3*", course="Deep learning", date="today")
    first = json.loads(notebook(derivation("mazur"), heading)["mazur.ipynb"])["cells"][0]["source"]
    assert "".join(first).startswith("# Sheet \\*3\\*\n\nDeep learning · today\n")
