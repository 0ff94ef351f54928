"""The pytest plugin: a marker that names the problem, and fixtures that hold a gradient against it.

It is loaded with every run of pytest where chainrule is installed, so it imports nothing until a gradient is checked.

    @pytest.mark.gradient("mazur", points=3)
    def test_my_backprop(check_gradient):
        check_gradient(my_function)

    @pytest.mark.gradient("mazur")
    def test_it_in_short():
        return my_function                                   # what the test returns is checked

    def test_two_problems(assert_gradient):
        assert_gradient(my_function, "mazur", points=5)      # as derive.assert_gradient
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

MARKER = (
    "gradient(problem, *, points=3, given='auto', kind='gradients', undecided_ok=False): the problem (a bundled name, "
    "a file, a dict) whose gradient the test checks, by the fixture check_gradient or by returning it."
)
CHECKED = pytest.StashKey[bool]()
"""Has this test checked a gradient?"""


@dataclass(frozen=True)
class Checked:
    """What the marks of a test say: the problem of the nearest mark that names one, and the options of all."""

    problem: Any
    options: dict[str, Any]


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", MARKER)


def _marked(node: pytest.Item) -> Checked:
    """What the marks of a test say, a nearer one before one farther out. Fails where no mark names a problem."""
    problems: list[Any] = []
    options: dict[str, Any] = {}
    for mark in node.iter_markers("gradient"):
        if len(mark.args) > 1:
            pytest.fail(
                f"pytest.mark.gradient: found {len(mark.args)} arguments; one problem is expected", pytrace=False
            )
        named = {**mark.kwargs}
        problems += mark.args or ([named["problem"]] if "problem" in named else [])
        named.pop("problem", None)
        options = named | options
    if not problems:
        pytest.fail('the problem is missing: mark the test with @pytest.mark.gradient("mazur")', pytrace=False)
    unknown = [name for name in options if name not in ("points", "given", "kind", "undecided_ok")]
    if unknown:
        pytest.fail(
            f"pytest.mark.gradient: {unknown[0]}: no such option; known: points, given, kind, undecided_ok",
            pytrace=False,
        )
    return Checked(_beside(problems[0], node), options)


def _beside(problem: Any, node: pytest.Item) -> Any:
    """A problem's file is looked for beside the test first, so that it matters not from where pytest is started."""
    if isinstance(problem, str | Path) and Path(problem).suffix and (beside := node.path.parent / problem).is_file():
        return beside
    return problem


@pytest.fixture
def assert_gradient(request: pytest.FixtureRequest) -> Callable[..., None]:
    """`derive.assert_gradient`: ``assert_gradient(gradient, problem, points=3, given="auto", …)``."""

    def check(gradient: Any, problem: Any, **options: Any) -> None:
        __tracebackhide__ = True
        import derive

        request.node.stash[CHECKED] = True
        derive.assert_gradient(gradient, _beside(problem, request.node), **options)

    return check


@pytest.fixture
def check_gradient(request: pytest.FixtureRequest) -> Callable[..., None]:
    """``check_gradient(gradient, **options)``: holds a gradient against the problem that the test is marked with."""
    stated = _marked(request.node)

    def check(gradient: Any, **options: Any) -> None:
        __tracebackhide__ = True
        import derive

        request.node.stash[CHECKED] = True
        derive.assert_gradient(gradient, stated.problem, **{**stated.options, **options})

    return check


# ---- tests that return their gradient -----------------------------------------------------------


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """What a marked test returns is its gradient."""
    function = pyfuncitem.obj
    if pyfuncitem.get_closest_marker("gradient") is None or _runs_later(function):
        return (yield)
    returned: list[Any] = []

    def test(**arguments: Any) -> None:
        returned.append(function(**arguments))

    pyfuncitem.obj = test
    try:
        result = yield
    finally:
        pyfuncitem.obj = function
    if returned and returned[0] is not None:
        _check(returned[0], pyfuncitem)
    return result


def _runs_later(function: Any) -> bool:
    """Is it a coroutine or a generator, whose result another plugin awaits?"""
    return any(
        kind(function)
        for kind in (inspect.iscoroutinefunction, inspect.isasyncgenfunction, inspect.isgeneratorfunction)
    )


def _check(gradient: Any, item: pytest.Item) -> None:
    """Check what a test returned. There is no line of the test to point at, but where its function raised."""
    import derive

    stated = _marked(item)
    item.stash[CHECKED] = True
    said: str | None = None
    try:
        derive.assert_gradient(gradient, stated.problem, **stated.options)
    except AssertionError as error:
        if error.__cause__ is not None and not isinstance(error.__cause__, derive.ChainruleError):
            raise
        said = str(error)
    except derive.ChainruleError as error:
        said = str(error)
    if said is not None:  # out here, where no other exception is being handled that pytest would print too
        pytest.fail(said, pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """A test that is marked itself, and checks nothing, has not passed."""
    yield
    if any(mark.name == "gradient" for mark in item.own_markers) and not item.stash.get(CHECKED, False):
        pytest.fail(
            "marked with pytest.mark.gradient, but no gradient was checked: return it, or hand it to the fixture "
            "check_gradient",
            pytrace=False,
        )
