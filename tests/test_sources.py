"""What may be handed over as code: a function in a file, or a program; and whatever it may do instead."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import derive
from derive.derivation import Derivation
from derive.errors import ChainruleError, MissingDependency
from derive.verification import processes, separating, sources
from derive.verification.calls import CallError, Quantities, gradients, ways
from derive.verification.report import Report
from derive.verification.separating import floats

RIGHT = """
import numpy as np

def s(z):
    return 1 / (1 + np.exp(-z))

def backward(x, t, W1, b1, W2, b2, turn=False):
    h = s(W1 @ x + b1)
    o = s(W2 @ h + b2)
    d2 = (o - t) * o * (1 - o)
    d1 = ((W2 if turn else W2.T) @ d2) * h * (1 - h)
    return 0.5 * ((o - t) ** 2).sum(), np.outer(d1, x), d1.sum(), np.outer(d2, h), d2.sum()

X, T = np.array([0.05, 0.10]), np.array([0.01, 0.99])
"""

SIGNATURES = {
    "keywords, a tuple": "def f(W1, b1, W2, b2): return backward(X, T, W1, b1, W2, b2)[1:]",
    "keywords, a dict": """
        def f(W1, b1, W2, b2):
            return dict(zip(("W1", "b1", "W2", "b2"), backward(X, T, W1, b1, W2, b2)[1:]))
        """,
    "scalars by name in the dict": """
        def f(W1, b1, W2, b2):
            dW1, db1, dW2, db2 = backward(X, T, W1, b1, W2, b2)[1:]
            return {"w1": dW1[0, 0], "dE/dw6": dW2[0, 1], "b2": db2}
        """,
    "the loss too": """
        def f(W1, b1, W2, b2):
            loss, *found = backward(X, T, W1, b1, W2, b2)
            return loss, tuple(found)
        """,
    "the loss in front": "def f(W1, b1, W2, b2): return backward(X, T, W1, b1, W2, b2)",
    "arguments in another order": """
        def f(W2, b2, W1, b1):
            _, dW1, db1, dW2, db2 = backward(X, T, W1, b1, W2, b2)
            return dW2, db2, dW1, db1
        """,
    "inputs of one example": "def f(x, t, W1, b1, W2, b2): return backward(x, t, W1, b1, W2, b2)[1:]",
    "inputs with the axis of examples": """
        def f(x, t, W1, b1, W2, b2):
            assert x.shape == (1, 2)
            return backward(x[0], t[0], W1, b1, W2, b2)[1:]
        """,
    "any keywords": """
        def f(**given):
            return backward(given["x"][0], given["t"][0], given["W1"], given["b1"], given["W2"], given["b2"])[1:]
        """,
    "a flat vector": """
        def f(theta):
            W1, b1, W2, b2 = theta[:4].reshape(2, 2), theta[4], theta[5:9].reshape(2, 2), theta[9]
            return np.concatenate([np.ravel(each) for each in backward(X, T, W1, b1, W2, b2)[1:]])
        """,
    "a flat vector, the inputs, the loss too": """
        def f(theta, x):
            W1, b1, W2, b2 = theta[:4].reshape(2, 2), theta[4], theta[5:9].reshape(2, 2), theta[9]
            loss, *found = backward(np.ravel(x), T, W1, b1, W2, b2)
            return loss, np.concatenate([np.ravel(each) for each in found])
        """,
    "a table of parameters": """
        def f(parameters):
            return backward(X, T, *(parameters[name] for name in ("W1", "b1", "W2", "b2")))[1:]
        """,
    "scalars": """
        def f(w1, w2, w3, w4, b1, w5, w6, w7, w8, b2):
            found = backward(X, T, np.array([[w1, w2], [w3, w4]]), b1, np.array([[w5, w6], [w7, w8]]), b2)[1:]
            return [float(each) for array in found for each in np.ravel(array)]
        """,
    "column vectors": """
        def f(W1, b1, W2, b2):
            dW1, db1, dW2, db2 = backward(X, T, W1, b1, W2, b2)[1:]
            return dW1, np.array([[db1]]), dW2, np.array([db2])
        """,
    "one parameter alone": "def f(W2): return backward(X, T, np.array([[.15, .2], [.25, .3]]), .35, W2, .6)[3]",
    "it prints": """
        print("{", flush=True)
        def f(W1, b1, W2, b2):
            print("gradients", W1)
            import sys; print("oh", file=sys.stderr)
            return backward(X, T, W1, b1, W2, b2)[1:]
        """,
    "without arguments": """
        def f():
            W1, W2 = np.array([[0.15, 0.20], [0.25, 0.30]]), np.array([[0.40, 0.45], [0.50, 0.55]])
            return backward(X, T, W1, 0.35, W2, 0.60)[1:]
        """,
}

MAZUR = derive.differentiate("mazur")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def report_on(text: str, derivation: Derivation = MAZUR, **options: Any) -> Report:
    return sources.report(derivation, sources.read(text, derivation, **options))


def code(folder: Path, body: str, name: str = "user_code.py") -> str:
    folder.joinpath(name).write_text(RIGHT + textwrap.dedent(body), "utf-8")
    return f"{name}:f"


@pytest.mark.parametrize("body", SIGNATURES.values(), ids=SIGNATURES)
def test_a_right_function_is_verified_however_it_takes_and_gives(folder: Path, body: str) -> None:
    report = report_on(code(folder, body))
    assert report.verdict == "verified", report.notes
    assert report.points == (1 if "f()" in body else 3)


def test_what_comes_back_for_an_input_is_not_compared(folder: Path) -> None:
    body = """
        def f(**given):
            names = ("W1", "b1", "W2", "b2")
            found = backward(given["x"][0], given["t"][0], *(given[name] for name in names))[1:]
            return dict(zip(names, found), x=np.ones((1, 2)), i1=0.3)
        """
    report = report_on(code(folder, body))
    assert report.verdict == "verified"
    assert report.notes == ("x, i1: no parameter, so that its gradient is not compared",)


MISTAKEN = {
    "untransposed": ("backward(X, T, W1, b1, W2, b2, turn=True)[1:]", ("back_pass_not_transposed", 2)),
    "twice": ("[2 * each for each in backward(X, T, W1, b1, W2, b2)[1:]]", ("factor_two", "all")),
    "no biases": ("backward(X, T, W1, 0, W2, 0)[1:]", ("biases_left_out_forward", "all")),
    "float32": (
        "[np.float64(np.float32(each)) for each in backward(X, T, W1, b1, W2, b2)[1:]]",
        ("float32_rounding", "all"),
    ),
}


@pytest.mark.parametrize(("expression", "named"), MISTAKEN.values(), ids=MISTAKEN)
def test_a_mistake_in_a_function_is_named(folder: Path, expression: str, named: tuple[str, Any]) -> None:
    report = report_on(code(folder, f"def f(W1, b1, W2, b2): return {expression}"))
    assert report.verdict == "wrong"
    assert (named,) in {each.mistakes for each in report.diagnosis}


def test_constants_in_place_of_arguments_are_found_at_another_point(folder: Path) -> None:
    body = "def f(W1, b1, W2, b2): return backward(X, T, W1, 0.35, W2, b2)[1:]"
    report = report_on(code(folder, body))
    assert report.verdict == "wrong"
    assert sources.CONSTANTS in report.notes
    assert report_on(code(folder, body), points=1).verdict == "verified"


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_the_precision_is_told_by_the_type(folder: Path, dtype: str) -> None:
    if dtype == "bfloat16":
        pytest.importorskip("ml_dtypes", reason="ml_dtypes, of JAX, is not installed")
    body = f"""
        {"import ml_dtypes" * (dtype == "bfloat16")}
        def f(W1, b1, W2, b2):
            given = [np.asarray(each, dtype="{dtype}") for each in (X, T, W1, b1, W2, b2)]
            return [np.asarray(each, dtype="{dtype}") for each in backward(*given)[1:]]
        """
    source = sources.read(code(folder, body), MAZUR)
    assert source.precision == sources.PRECISIONS[dtype]
    assert sources.report(MAZUR, source).verdict in ("verified", "undecided")


def test_new_weights_may_be_handed_over(folder: Path) -> None:
    body = """
        def f(W1, b1, W2, b2):
            _, dW1, db1, dW2, db2 = backward(X, T, W1, b1, W2, b2)
            return {"W1": W1 - 0.5 * dW1, "W2": W2 - 0.5 * dW2}
        """
    derivation = derive.differentiate("mazur")
    assert report_on(code(folder, body), derivation, kind="updated").verdict == "verified"


# ---- code that gives no gradient -------------------------------------------------------------

FAILING = {
    "it raises": ("def f(W1):\n    return W1 / nothing", r"user_code.py, line \d+, in f: NameError: .*nothing"),
    "it raises deep inside": (
        "def g(W1): raise ValueError('so\\nit is')\ndef f(W1): return g(W1)",
        r"in g: ValueError: so it is",
    ),
    "it cannot be imported": ("import no_such_module_anywhere\ndef f(W1): return W1", "ModuleNotFoundError"),
    "it is no Python": ("def f(W1) return W1", r"user_code.py, line \d+: is not Python"),
    "it exits": ("import sys\ndef f(W1): sys.exit(0)", "the code ended the program"),
    "it leaves": ("import os\ndef f(W1): os._exit(0)", "ended with status 0 before it gave a result"),
    "it crashes": ("import os, signal\ndef f(W1): os.kill(os.getpid(), signal.SIGSEGV)", "signal SIGSEGV"),
    "text": ("def f(W1): return 'W1'", 'returned the text "W1"'),
    "nothing": ("def f(W1): W1 * 2", "returned nothing; does it end with return"),
    "text for an array": ("def f(W1): return {'W1': 'big'}", "returned for W1 text; real numbers"),
    "complex numbers": ("def f(W1): return W1 * 1j", "complex numbers; real numbers"),
    "truth values": ("def f(W1): return W1 > 0", "truth values; real numbers"),
    "rows of different lengths": ("def f(W1): return {'W1': [[1, 2], [3]]}", "rows of different lengths"),
    "a wrong shape": ("def f(W1, b1): return {'W1': np.zeros((3, 3))}", "W1: found the shape 3 × 3; expected 2 × 2"),
    "too few": ("def f(W1, b1, W2): return W1, b1", "returned 2 values; 3 are expected, the gradients by W1, b1, W2"),
    "an unknown name": ("def f(W1): return {'W3': W1}", "W3"),
    "strange arguments": ("def f(alpha, beta): return 0", "takes alpha, beta, which is no array of this problem"),
    "recursion": ("def f(W1): return f(W1)", "RecursionError"),
}


@pytest.mark.parametrize(("body", "said"), FAILING.values(), ids=FAILING)
def test_code_that_gives_no_gradient_is_wrong_and_the_report_says_why(folder: Path, body: str, said: str) -> None:
    source = sources.read(code(folder, body), MAZUR)
    assert not source.handed
    with pytest.raises(AssertionError, match=said):
        raise AssertionError(source.failure)
    assert "Traceback" not in source.failure
    report = sources.report(MAZUR, source)
    assert (report.verdict, report.notes[0]) == ("wrong", source.failure)


def test_numbers_that_are_not_finite_are_wrong(folder: Path) -> None:
    report = report_on(code(folder, "def f(W1, b1): return W1 * np.nan, np.inf"))
    assert report.verdict == "wrong"
    assert not any(row.within for row in report.rows)


def test_code_that_does_not_end_is_ended(folder: Path) -> None:
    body = """
        import subprocess, sys
        def f(W1):
            subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3); open('still', 'w')"])
            while True: pass
        """
    source = sources.read(code(folder, body), MAZUR, timeout=0.7)
    assert source.failure == "user_code.py: f did not end within 0.7 s"
    time.sleep(3.5)  # what it has started is ended too
    assert not folder.joinpath("still").exists()


FORKS = """
    import os, sys, time
    from pathlib import Path
    def f(W1, b1, W2, b2):
        if not os.fork():
            {away}
            ends = time.monotonic() + 2
            while time.monotonic() < ends:
                try:
                    Path(sys.orig_argv[-1]).with_name(str(time.monotonic_ns())).touch()
                except OSError:
                    os._exit(0)
        return backward(X, T, W1, b1, W2, b2)[1:]
    """


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.parametrize("away", ["pass", "os.setsid()"], ids=["in its group", "in a group of its own"])
def test_code_that_forks_may_leave_what_still_writes_into_our_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch, away: str
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    assert report_on(code(folder, FORKS.format(away=away))).verdict == "verified"


def test_what_the_code_prints_goes_nowhere(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    report_on(code(folder, SIGNATURES["it prints"]))
    assert capfd.readouterr() == ("", "")


def test_the_code_runs_in_the_users_folder_with_the_users_modules(folder: Path) -> None:
    folder.joinpath("beside.py").write_text("factor = 1\n", "utf-8")
    folder.joinpath("numbers.txt").write_text("1", "utf-8")
    body = """
        import beside
        one = beside.factor * int(open("numbers.txt").read())
        def f(W1, b1, W2, b2): return [one * each for each in backward(X, T, W1, b1, W2, b2)[1:]]
        """
    assert report_on(code(folder, body)).verdict == "verified"


# ---- what is not there -----------------------------------------------------------------------

ABSENT = {
    "no file": ("there.py:f", "there.py: no such file"),
    "no function": ("user_code.py:backwards", 'user_code.py: has no backwards; it has .*did you mean "backward"'),
    "no callable": ("user_code.py:X", "X is a ndarray; a function is expected"),
    "no name": ("user_code.py:", "which function"),
    "a file alone": ("user_code.py", "which function"),
    "torch without a name": ("torch:net", "expected torch:module.py:name"),
    "no such file": ("numbers.jsn", "numbers.jsn: no such file"),
    "no such prefix": ("pytorch:net.py", 'found "pytorch:"; known: torch:, jax:, keras:, onnx:, cmd:, formula:; did'),
    "an empty command": ("cmd:", "which program"),
    "an unclosed quote": ("cmd:a 'b", "No closing quotation"),
    "no such program": ("cmd:./no-such-program", "no-such-program: cannot be run: No such file"),
    "no onnx file": ("onnx:there.onnx", "there.onnx: no such file"),
}


@pytest.mark.parametrize(("text", "said"), ABSENT.values(), ids=ABSENT)
def test_what_is_not_there_is_bad_input(folder: Path, text: str, said: str) -> None:
    code(folder, "")
    with pytest.raises(ChainruleError, match=said):
        sources.read(text, MAZUR)


def test_a_framework_that_is_not_installed_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        processes, "START", processes.START.replace("from derive", "sys.modules['jax'] = None; from derive", 1)
    )
    code(folder, "def f(W1): return W1")
    with pytest.raises(MissingDependency, match="pip install jax"):
        sources.read("jax:user_code.py:f", MAZUR)


# ---- programs --------------------------------------------------------------------------------

PROGRAM = """
import json, sys
sys.path.insert(0, "")
from user_code import backward
import numpy as np
given = {name: np.array(array) for name, array in json.load(sys.stdin).items()}
_, *found = backward(given["x"][0], given["t"][0], *(given[name] for name in ("W1", "b1", "W2", "b2")))
print(json.dumps({name: np.asarray(each).tolist() for name, each in zip(("W1", "b1", "W2", "b2"), found)}))
"""


@pytest.fixture
def program(folder: Path) -> str:
    code(folder, "")
    folder.joinpath("program.py").write_text(PROGRAM, "utf-8")
    return f"cmd:{sys.executable} program.py"


def test_a_program_reads_parameters_and_prints_gradients(program: str) -> None:
    report = report_on(program)
    assert (report.verdict, report.points) == ("verified", 3)


PROGRAMS = {
    "no JSON": ("print('hello')", "not JSON"),
    "a failure": ("import sys; sys.stderr.write('first\\nlast words'); sys.exit(4)", "ended with status 4: last words"),
    "a name that is unknown": ("print('{\"W9\": 1}')", "W9"),
    "no end": ("while True: pass", "did not end within 0.5 s"),
    "no text": ("import sys; sys.stdout.buffer.write(b'\\xff\\xfe')", "not UTF-8"),
}


@pytest.mark.parametrize(("body", "said"), PROGRAMS.values(), ids=PROGRAMS)
def test_a_program_that_prints_no_gradient_is_wrong(folder: Path, body: str, said: str) -> None:
    folder.joinpath("program.py").write_text(body, "utf-8")
    source = sources.read(f"cmd:{sys.executable} program.py", MAZUR, timeout=0.5 if "True" in body else 30)
    assert said in source.failure


def test_a_programs_name_stays_as_it_is_typed(folder: Path) -> None:
    report = sources.report(MAZUR, sources.read("cmd:sleep 9", MAZUR, timeout=0.2))
    assert "\n\ncmd:sleep 9 did not end within 0.2 s." in str(report)


def test_no_shell_reads_the_command(folder: Path) -> None:
    sources.read(f"cmd:{sys.executable} -c 0 ; touch made", MAZUR)
    assert not folder.joinpath("made").exists()


# ---- the points ------------------------------------------------------------------------------


def test_the_points_are_the_problems_own_and_others_that_are_drawn_the_same_every_time() -> None:
    first, *others = separating.chosen(MAZUR, 4)
    assert first == {}
    assert len(others) == 3
    again = separating.chosen(derive.differentiate("mazur"), 4)
    for one, other in zip(others, again[1:], strict=True):
        assert set(one) == {"x", "W1", "b1", "W2", "b2"}
        assert all((floats(one[name]) == floats(other[name])).all() for name in one)
        assert not any((floats(one[name]) == floats(MAZUR.given[name])).all() for name in one)


def test_targets_masks_and_tokens_are_not_varied() -> None:
    assert separating.varied(derive.differentiate("xor")) == ("W1", "b1", "W2", "b2")  # its inputs are 0 and 1
    assert "x" not in separating.varied(derive.differentiate("transformer"))  # tokens
    assert "t" not in separating.varied(derive.differentiate("softmax"))


def test_a_mistake_that_the_problems_own_point_hides_shows_at_others(folder: Path) -> None:
    """Where both inputs are equal, nobody can see that they were swapped."""
    problem = {
        "examples": [{"inputs": [0.3, 0.3], "targets": [0.2]}],
        "layers": [{"weights": [[0.5, 0.5]], "bias": [0.1], "activation": "tanh"}],
        "loss": {"name": "half_squared_error"},
    }
    body = """
        def f(x, W1, b1):
            x = np.ravel(x)[::-1]
            a = np.tanh(W1 @ x + b1)
            d = (a - 0.2) * (1 - a ** 2)
            return np.outer(d, x), d
        """
    derivation = derive.differentiate(problem)
    assert report_on(code(folder, body), derivation, points=1).verdict == "verified"
    report = report_on(code(folder, body), derivation)
    assert report.verdict == "wrong"
    assert (("inputs_swapped", "all"),) in {each.mistakes for each in report.diagnosis}


# ---- how answers are read --------------------------------------------------------------------

QUANTITIES = Quantities({"W": np.zeros((2, 3)), "b": np.zeros(2), "x": np.zeros((1, 3))}, {}, ("W", "b"))
ORDER = (("W", (2, 3)), ("b", (2,)))
W, B = np.arange(6.0).reshape(2, 3), np.array([7.0, 8.0])

ANSWERS = {
    "a tuple": (W, B),
    "a list": [W.tolist(), B.tolist()],
    "a dict": {"b": B, "W": W},
    "a vector": np.concatenate([W.ravel(), B]),
    "a column": np.concatenate([W.ravel(), B])[:, None],
    "a list of numbers": [*W.ravel(), *B],
    "a bias as a column": (W, B[:, None]),
    "whole numbers": (W.astype(int), B.astype(int)),
}


@pytest.mark.parametrize("returned", ANSWERS.values(), ids=ANSWERS)
def test_gradients_may_be_returned_as(returned: Any) -> None:
    found = gradients(returned, ORDER, ORDER)
    assert {name: array.tolist() for name, array in found.items()} == {"W": W.tolist(), "b": B.tolist()}


def test_a_function_without_a_signature_is_given_the_vector() -> None:
    (way,) = ways(max, QUANTITIES)
    assert way.first == "vector"
    assert way.call(max, QUANTITIES) == 0


def test_names_that_are_known_are_told_with_the_nearest() -> None:
    with pytest.raises(CallError, match=r"takes W2.*known: W, b, x"):
        ways(lambda W2, b: None, QUANTITIES)


def test_the_command_runs_code_and_tells_by_its_exit_status(folder: Path) -> None:
    code(folder, "def f(W1, b1, W2, b2): return backward(X, T, W1, b1, W2, b2)[1:]\ndef g(W1): return W1")
    root = str(Path(derive.__file__).parents[1])

    def run(source: str) -> subprocess.CompletedProcess[str]:
        start = f"import sys; sys.path.insert(0, {root!r}); from render.cli import main; main()"
        command = [sys.executable, "-c", start, "verify", "mazur", source]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    done = [run(source) for source in ("user_code.py:f", "user_code.py:g", "user_code.py:h")]
    assert [each.returncode for each in done] == [0, 1, 2]
    assert done[2].stderr.startswith("chainrule: user_code.py: has no h")
