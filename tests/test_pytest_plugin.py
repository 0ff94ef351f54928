"""The pytest plugin, as pytest itself finds it: by the entry point that pyproject.toml states."""

from __future__ import annotations

import re
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parent.parent
GRADIENT = """
import pytest
import derive

right = derive.differentiate("mazur").lambdify()

def wrong(W1, b1, W2, b2):
    error, gradients = right(W1=W1, b1=b1, W2=W2, b2=b2)
    return gradients | {"W2": -gradients["W2"]}

def broken(W1):
    return W1 @ [1, 2, 3]
"""


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch):
    """Runs tests in a process of their own, where chainrule is installed beside them."""
    entry_points = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["entry-points"]
    installed = pytester.path / "installed" / "chainrule-0.dist-info"
    installed.mkdir(parents=True)
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: chainrule\nVersion: 0\n")
    lines = [f"[{group}]\n{name} = {value}" for group, names in entry_points.items() for name, value in names.items()]
    (installed / "entry_points.txt").write_text("\n".join(lines) + "\n")
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}:{installed.parent}")
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)

    def pytest_of(code: str, *options: str, imports: str = GRADIENT) -> pytest.RunResult:
        pytester.makepyfile(test_it=imports + code)
        return pytester.runpytest_subprocess("-W", "error", "--strict-markers", "-p", "no:cacheprovider", *options)

    return pytest_of


def test_the_fixture_checks_against_the_problem_of_the_mark(run) -> None:
    done = run("""
@pytest.mark.gradient("mazur", points=2)
def test_right(check_gradient):
    check_gradient(right)

@pytest.mark.gradient("mazur", points=2)
def test_wrong(check_gradient):
    check_gradient(wrong)
""")
    done.assert_outcomes(passed=1, failed=1)
    done.stdout.fnmatch_lines(
        [
            ">       check_gradient(wrong)",
            "E       AssertionError: Wrong: 4 of * numbers lie outside what the rounding of float64 explains.",
            "E       w5 *",
            "E       *the sign of the error is turned*",
        ]
    )
    done.stdout.no_fnmatch_line("*api.py:*")
    done.stdout.fnmatch_lines("FAILED test_it.py::test_wrong - AssertionError: Wrong: 4 of*")


def test_what_a_marked_test_returns_is_checked(run) -> None:
    done = run("""
@pytest.mark.gradient("mazur")
def test_right():
    return right

@pytest.mark.gradient("mazur", given="4sf")
def test_numbers():
    return {"w5": "0.08217"}

@pytest.mark.gradient("mazur")
def test_wrong():
    return wrong
""")
    done.assert_outcomes(passed=2, failed=1)
    done.stdout.fnmatch_lines(["Wrong: 4 of * numbers lie outside *", "*the sign of the error is turned*"])
    done.stdout.no_fnmatch_line("*pytest_plugin.py*")


@pytest.mark.parametrize(
    ("problem", "returned", "said"),
    [
        ("mazur", "wrong", "Wrong: 4 of * numbers lie outside *"),
        ("mazor", "right", '*did you mean "mazur"*'),
        ("mazur", "{'w55': 1.0}", "*w55*"),
    ],
)
def test_what_is_wrong_with_a_returned_gradient_is_said_once(run, problem: str, returned: str, said: str) -> None:
    done = run(f'\n@pytest.mark.gradient("{problem}")\ndef test_it():\n    return {returned}\n', "-rN")
    assert sum(fnmatch(line, said) for line in done.outlines) == 1
    done.stdout.no_fnmatch_line("*During handling*")


def test_a_function_that_raises_is_shown_where_it_raised(run) -> None:
    done = run("""
@pytest.mark.gradient("mazur")
def test_fixture(check_gradient):
    check_gradient(broken)

@pytest.mark.gradient("mazur")
def test_return():
    return broken
""")
    done.assert_outcomes(failed=2)
    assert str(done.stdout).count(">       return W1 @ [[]1, 2, 3]".replace("[[]", "[")) == 2
    assert str(done.stdout).count("The function broken raised ValueError") >= 2


def test_a_marked_test_that_checks_nothing_has_failed(run) -> None:
    done = run("""
import unittest

@pytest.mark.gradient("mazur")
def test_empty():
    pass

@pytest.mark.gradient("mazur")
def test_fixture_alone(check_gradient):
    pass

class TestOld(unittest.TestCase):
    @pytest.mark.gradient("mazur")
    def test_method(self):
        pass

@pytest.mark.gradient("mazur")
def test_skipped():
    pytest.skip("not today")

@pytest.mark.gradient("mazur")
class TestHelpers:
    def test_other(self):
        pass
""")
    done.assert_outcomes(failed=3, skipped=1, passed=1)
    done.stdout.fnmatch_lines("*but no gradient was checked: return it, or hand it to the fixture check_gradient*")


def test_the_nearest_mark_names_the_problem_and_options_add_up(run) -> None:
    done = run("""
@pytest.mark.gradient("xor", points=1, given="1sf")
class TestMine:
    @pytest.mark.gradient("mazur")
    def test_of_the_class(self, check_gradient):
        check_gradient({"w5": 0.08})

    @pytest.mark.gradient("mazur", given="2sf")
    def test_its_own(self, check_gradient):
        check_gradient({"w5": 0.082})

    @pytest.mark.gradient("mazur")
    def test_of_the_call(self, check_gradient):
        check_gradient({"w5": 0.08217}, given="4sf")
""")
    done.assert_outcomes(passed=2, failed=1)
    done.stdout.fnmatch_lines(["*test_of_the_class*", "*Undecided*1 significant digit explains*"])


def test_assert_gradient_is_a_fixture_too(run) -> None:
    done = run("""
def test_two(assert_gradient):
    assert_gradient(right, "mazur", points=1)
    assert_gradient(wrong, "mazur", points=1)
""")
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines('>       assert_gradient(wrong, "mazur", points=1)')


def test_a_file_is_found_beside_the_test(run, pytester: pytest.Pytester) -> None:
    text = (ROOT / "derive" / "problems" / "mazur.toml").read_text("utf-8")
    folder = pytester.mkdir("deep")
    (folder / "mine.toml").write_text(text)
    (folder / "test_deep.py").write_text(
        GRADIENT + '@pytest.mark.gradient("mine.toml")\ndef test_right(check_gradient):\n    check_gradient(right)\n'
    )
    run("").assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("mark", "words"),
    [
        ("", "the problem is missing: mark the test with @pytest.mark.gradient*"),
        ("@pytest.mark.gradient(points=2)", "the problem is missing*"),
        ('@pytest.mark.gradient("mazur", "xor")', "*found 2 arguments; one problem is expected*"),
        ('@pytest.mark.gradient("mazur", digits=4)', "*digits: no such option; known: points, given, kind*"),
        ('@pytest.mark.gradient("mazor")', '*ProblemError: *did you mean "mazur"*'),
        ('@pytest.mark.gradient("mazur", given="4")', "*'4' is no precision*"),
    ],
)
def test_a_mistaken_mark_is_said(run, mark: str, words: str) -> None:
    done = run(f"\n{mark}\ndef test_it(check_gradient):\n    check_gradient(right)\n")
    assert not done.parseoutcomes().get("passed")
    done.stdout.fnmatch_lines(words)


def test_the_readme_shows_tests_that_pass(run) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```$", (ROOT / "README.md").read_text("utf-8"), re.DOTALL | re.MULTILINE)
    (block,) = [each for each in blocks if "pytest.mark.gradient" in each]
    run(block, imports="").assert_outcomes(passed=3)


def test_the_mark_and_the_fixtures_explain_themselves(run) -> None:
    run("", "--markers").stdout.fnmatch_lines("@pytest.mark.gradient(problem, [*], points=3*")
    run("", "--fixtures").stdout.fnmatch_lines(["assert_gradient*", "check_gradient*"])


UNRELATED = """
import sys

def test_nothing_is_imported_for_nothing():
    assert "derive.pytest_plugin" in sys.modules
    assert not {"numpy", "sympy", "flint", "pydantic", "derive.derivation", "render"} & set(sys.modules)

def test_marks_of_others_are_left_alone():
    assert True
"""


def test_other_suites_are_left_alone(run) -> None:
    run(UNRELATED, imports="").assert_outcomes(passed=2)


def test_it_can_be_switched_off(run) -> None:
    done = run("\ndef test_it(check_gradient):\n    pass\n", "-p", "no:chainrule", imports="")
    done.stdout.fnmatch_lines("*fixture 'check_gradient' not found*")


def test_the_plugin_imports_pytest_and_nothing_heavy(run, pytester: pytest.Pytester) -> None:
    code = "import sys, pytest; old = {*sys.modules}; import derive.pytest_plugin; print(*{*sys.modules} - old)"
    found = pytester.run(sys.executable, "-c", code).outlines[0].split()
    assert set(found) == {"derive", "derive.pytest_plugin"}
