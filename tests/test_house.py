"""The house itself: which room may look into which, what is imported when, and that nothing runs a user's text."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("derive", "render")
SOURCES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
HEAVY = ("sympy", "numpy", "flint", "mpmath", "jinja2", "pydantic", "math_core", "typst", "rich.console")


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imports(tree: ast.AST, path: Path) -> Iterator[str]:
    """Every module that a file imports, wherever the import stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import hides which room it looks into"
            assert node.module is not None
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_derive_never_looks_into_render(path: Path) -> None:
    found = set(imports(ast.parse(path.read_text("utf-8")), path))
    rooms = {module.partition(".")[0] for module in found}
    if path.relative_to(ROOT).parts[0] == "derive":
        assert "render" not in rooms
    assert "tests" not in rooms


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_only_the_evaluators_run_code(path: Path) -> None:
    """`eval` and `exec` stand in derive/evaluate alone, where they run what this project has printed itself."""
    called = {
        node.func.id if isinstance(node.func, ast.Name) else node.func.attr
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute)
    }
    assert not called & {"parse_expr", "__import__", "execfile", "system"}
    if path.relative_to(ROOT).parts[:2] != ("derive", "evaluate"):
        builtins = {
            node.func.id
            for node in ast.walk(ast.parse(path.read_text("utf-8")))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        assert not builtins & {"eval", "exec", "compile"}


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_every_file_says_what_it_is(path: Path) -> None:
    text = path.read_text("utf-8")
    assert not text or ast.get_docstring(ast.parse(text)), "a file begins with what it is"
    assert "\t" not in text
    assert not [row for row, line in enumerate(text.splitlines(), 1) if line != line.rstrip()]


def test_the_top_level_holds_the_house_and_nothing_else() -> None:
    allowed = {"derive", "render", "tests", "output", "pyproject.toml", "README.md", "LICENSE"}
    there = {path.name for path in ROOT.iterdir()}
    assert allowed - {"output"} <= there
    if (ROOT / ".git").exists() and shutil.which("git"):  # what a user has made beside it is nobody's business
        listed = subprocess.run(["git", "ls-files"], capture_output=True, text=True, cwd=ROOT, check=True).stdout
        found = {Path(name).parts[0] for name in listed.splitlines()}
        assert {name for name in found if not name.startswith(".")} == allowed


def test_the_wheel_has_the_two_packages() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == list(PACKAGES)
    assert project["project"]["scripts"] == {"chainrule": "render.cli:main"}
    import derive

    assert project["project"]["version"] == derive.__version__


# ---- what is imported when -------------------------------------------------------------------


def loaded_after(code: str) -> set[str]:
    """The heavy modules that are loaded in a fresh Python after some lines."""
    script = f"{code}\nimport sys\nprint('loaded', *[m for m in {HEAVY!r} if m in sys.modules], file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=True)
    return set(done.stderr.splitlines()[-1].split()[1:])


HELP = """
import sys
from render.cli import app
sys.argv = ["chainrule", {arguments}]
try:
    app()
except SystemExit:
    pass
"""


@pytest.mark.parametrize(
    "code",
    [
        "import derive",
        "import render",
        "import derive, render",
        "from derive.errors import ProblemError",
        HELP.format(arguments='"--version"'),
        "import render.cli",
    ],
)
def test_nothing_heavy_is_imported_before_it_is_needed(code: str) -> None:
    assert loaded_after(code) == set()


def test_help_needs_nothing_heavy_but_its_own_colours() -> None:
    assert loaded_after(HELP.format(arguments='"--help"')) <= {"rich.console"}


def test_a_problem_file_is_read_without_sympy_unless_a_name_is_looked_up() -> None:
    assert loaded_after("import derive; derive.load").isdisjoint({"sympy", "numpy", "jinja2"})


def test_numbers_need_no_templates() -> None:
    assert loaded_after("import derive; derive.differentiate('mazur').to_json()").isdisjoint({"jinja2", "math_core"})


# ---- the same bytes --------------------------------------------------------------------------


def run(arguments: list[str], folder: Path, hash_seed: str) -> str:
    """A command in a folder of its own, with another seed for Python's hashes."""
    environment = os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "render.cli", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment, check=True)
    return done.stdout


@pytest.mark.parametrize("problem", ["mazur", "softmax", "symbolic"])
def test_two_builds_are_byte_identical(tmp_path: Path, problem: str) -> None:
    folders = [tmp_path / "first", tmp_path / "a second one"]
    for folder, seed in zip(folders, ("1", "4711"), strict=True):
        folder.mkdir()
        run(["render", problem, "--out", "pages"], folder, seed)
    first, second = (
        {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        for folder in folders
    )
    assert set(first) == set(second)
    assert {path.suffix for path in first} >= {".html", ".tex", ".md"}
    for path, content in first.items():
        assert content == second[path], path


@pytest.mark.parametrize(
    "arguments",
    [
        ["gradients", "mazur", "--json"],
        ["gradients", "softmax", "--symbolic"],
        ["train", "xor", "--json"],
        ["schema"],
        ["list"],
    ],
)
def test_two_runs_print_the_same(tmp_path: Path, arguments: list[str]) -> None:
    assert run(arguments, tmp_path, "1") == run(arguments, tmp_path, "4711") != ""
