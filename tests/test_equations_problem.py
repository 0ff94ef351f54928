"""Problems stated in equations: what they may say, what is refused and where, and that every number is right."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy
from equation_families import FAMILIES
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import derive
from derive import functions_of_arrays as F  # noqa: N812 - as PyTorch's users call theirs
from derive.errors import ProblemError
from derive.evaluate import unrolled, vectorised
from derive.formula import Symbol
from derive.functions_of_arrays import TraceError
from derive.notation import array_element
from derive.problem import GivenArray
from derive.reverse import gradient_program
from derive.tex import tex
from render.cli import app

TEXT = """
z = W @ x + b
a = tanh(z)
E = sum((t - a)**2) / 2
"""
VALUES = {"x": [0.05, 0.1], "W": [[0.15, 0.2], [0.25, 0.3]], "t": [0.01, 0.99]}


def stated(**changes: Any) -> dict[str, Any]:
    """The contract's example; a change to None leaves the key out."""
    whole = {"equations": TEXT, "error": "E", "parameters": ["W", "b"], "values": VALUES, "shapes": {"b": [2]}}
    return {key: value for key, value in (whole | changes).items() if value is not None}


def numbers(**changes: Any) -> dict[str, Any]:
    """The same with numbers for everything."""
    return stated(values=VALUES | {"b": [0.35, 0.6]}, shapes=None) | changes


# ---- what is stated ------------------------------------------------------------------------


def test_toml_json_and_a_dict_state_the_same_program(tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text(json.dumps(stated()), encoding="utf-8")
    toml = f"""
        equations = '''{TEXT}'''
        error = "E"
        parameters = ["W", "b"]
        [values]
        x = [0.05, 0.10]
        W = [[0.15, 0.20], [0.25, 0.30]]
        t = [0.01, 0.99]
        [shapes]
        b = [2]
        """
    (tmp_path / "mine.toml").write_text(toml, encoding="utf-8")
    programs = [derive.differentiate(source).program for source in (stated(), tmp_path / "mine.json")]
    programs.append(derive.differentiate(tmp_path / "mine.toml").program)
    assert programs[0] == programs[1] == programs[2]
    assert programs[0].parameters == ("W", "b")
    assert programs[0].given == ("x", "W", "t", "b")


def test_numbers_are_exact_arrays_of_any_rank() -> None:
    values = {"x": [[[0.1], ["1e-30"]]], "s": 3}
    problem = derive.load({"equations": "E = sum(x) * s", "values": values, "shapes": {"y": [], "s": []}})
    assert problem.arrays == (
        GivenArray("x", (1, 2, 1), (Fraction(1, 10), Fraction(1, 10**30))),
        GivenArray("s", (), (Fraction(3),)),
        GivenArray("y", ()),
    )
    assert (problem.examples, problem.layers, problem.widths, problem.error) == ((), (), (), "E")
    assert problem.title == "One equation, step by step"
    assert hash(problem) == hash(problem)


def test_numpy_arrays_give_values() -> None:
    assert derive.load(
        numbers(values={k: np.array(v) for k, v in (VALUES | {"b": [0.35, 0.6]}).items()})
    ) == derive.load(numbers())


def test_without_parameters_every_given_array_is_one_that_the_error_depends_on() -> None:
    text = "y = q * 2\nE = sum(W @ x)"
    derivation = derive.differentiate({"equations": text, "values": VALUES, "shapes": {"q": [3]}})
    assert derivation.program.parameters == ("x", "W")


def test_inputs_and_intermediates_can_be_asked_for() -> None:
    derivation = derive.differentiate(numbers(parameters=["x", "z", "E"]))
    found = derivation.to_json(12)["gradients"]
    z = np.array(VALUES["W"]) @ VALUES["x"] + [0.35, 0.6]
    delta = (np.tanh(z) - VALUES["t"]) * (1 - np.tanh(z) ** 2)
    assert np.allclose(np.array(found["z"], float), delta, atol=1e-11)
    assert np.allclose(np.array(found["x"], float), np.array(VALUES["W"]).T @ delta, atol=1e-11)
    assert found["E"] == "1"


def test_a_seed_makes_a_number_of_an_array() -> None:
    whole = {"equations": "y = W @ x\nE = y", "error": "y", "seed": [2, -0.5], "values": VALUES}
    found = derive.differentiate(whole).to_json()
    assert found["error"] == "0.03375"  # 2 · 0.0275 − 0.5 · 0.0425
    assert found["gradients"]["W"] == [["0.1", "0.2"], ["-0.025", "-0.05"]]
    assert found["arrays"]["y"] == ["0.0275", "0.0425"]
    assert found["arrays"]["E"] == ["0.0275", "0.0425"], "the sum takes a name that is free"


def test_a_penalty_is_on_the_weights_and_not_on_biases() -> None:
    bare = derive.differentiate(numbers()).to_json()
    found = derive.differentiate(numbers(penalty={"l2": 0.1, "l1": "0.01"})).to_json()
    weights = [Fraction(str(w)) for row in VALUES["W"] for w in row]
    added = sum(w * w for w in weights) / 20 + sum(weights) / 100
    assert float(Fraction(found["error"]) - Fraction(bare["error"])) == pytest.approx(float(added), abs=1e-15)
    assert found["gradients"]["b"] == bare["gradients"]["b"]
    difference = np.array(found["gradients"]["W"], float) - np.array(bare["gradients"]["W"], float)
    assert np.allclose(difference, 0.1 * np.array(VALUES["W"]) + 0.01, atol=1e-15)


def test_a_penalty_on_layers_is_on_their_weights() -> None:
    row = {"weights": [[0.5, -2]], "bias": 3}
    layers = {"examples": [{"inputs": [1, 1], "targets": [0]}], "layers": [row], "loss": {"name": "half_squared_error"}}
    found = derive.differentiate(layers | {"penalty": {"l2": 2, "l1": 1}}).to_json()
    assert found["error"] == "7.875"  # ½(1.5)² + 0.25 + 4 + 0.5 + 2
    assert found["gradients"] == {"W1": [["3.5", "-3.5"]], "b1": "1.5"}


def test_an_update_moves_what_is_given_and_what_follows() -> None:
    derivation = derive.differentiate(
        numbers(parameters=["W", "b", "z"], update={"learning_rate": 0.5, "biases": "fixed"})
    )
    found = derivation.to_json()
    assert found["updated"]["b"] == ["0.35", "0.6"]
    after = np.array(found["updated"]["W"], float)
    assert np.allclose(after, np.array(VALUES["W"]) - 0.5 * np.array(found["gradients"]["W"], float))
    assert np.allclose(np.array(found["updated"]["z"], float), after @ VALUES["x"] + [0.35, 0.6])


def test_training_prints_the_outputs_that_are_named() -> None:
    update = {"learning_rate": 0.5, "steps": 20}
    found = derive.differentiate(numbers(update=update, outputs="a")).train()
    assert found["outputs"] == found["arrays"]["a"]
    assert float(found["error"]) < float(found["history"][0][1])
    exact = derive.differentiate(numbers(update=update, outputs="a")).train(digits=12)
    assert float(exact["error"]) == pytest.approx(float(found["error"]), abs=1e-11)
    assert "outputs" not in derive.differentiate(numbers(update=update)).train()


# ---- symbols and names ---------------------------------------------------------------------


def test_without_numbers_there_are_formulas() -> None:
    found = derive.differentiate(stated()).to_json()
    assert found["arrays"]["b"] == ["b[0]", "b[1]"]
    assert found["arrays"]["z"][0] == "W[0, 0]*x[0] + W[0, 1]*x[1] + b[0]"
    assert found["gradients"]["W"][1][0] == "(a[1] - t[1])*(1 - a[1]**2)*x[0]"
    assert found["arrays"]["x"] == ["0.05", "0.1"]


def test_every_reading_of_a_gradient_is_the_same() -> None:
    derivation = derive.differentiate(numbers())
    by_digits = float(derivation.to_json()["gradients"]["W"][0][1])
    known = {sympy.Symbol(f"W[{i}, {j}]"): VALUES["W"][i][j] for i in range(2) for j in range(2)}
    known |= {sympy.Symbol("b[0]"): 0.35, sympy.Symbol("b[1]"): 0.6}
    for formula in (
        derivation.gradient_of("W[0, 1]"),
        derivation.gradients["W"][0, 1],
        derivation.flat_derivative("W[0,1]"),
    ):
        assert float(formula.subs(known)) == pytest.approx(by_digits, abs=1e-14)
    for backend in ("fast", "sympy"):
        assert derivation.lambdify(backend)()[1]["W"][0, 1] == pytest.approx(by_digits, abs=1e-16)
    assert r"\frac{\partial E}{\partial W_{1{,}2}}" in derivation.latex("W[0, 1]")


@pytest.mark.parametrize(
    ("array", "index", "typed", "printed"),
    [
        ("W", (0, 0), "W[0, 0]", "W_{1{,}1}"),
        ("x", (2,), "x[2]", "x_{3}"),
        ("theta1", (), "theta1", r"\theta_{1}"),
        ("theta1", (0,), "theta1[0]", r"\theta_{1{,}1}"),
        ("W_xh", (0, 1), "W_xh[0, 1]", r"W_{\mathrm{xh}{,}1{,}2}"),
        ("lambda_", (), "lambda_", r"\lambda"),
        ("scores", (1,), "scores[1]", r"\mathit{scores}_{2}"),
        ("_", (), "_", r"\text{\_}"),
    ],
)
def test_elements_are_typed_as_indexed_and_printed_with_subscripts(
    array: str, index: tuple[int, ...], typed: str, printed: str
) -> None:
    name = array_element(array, index)
    assert (name.typed, tex(Symbol(name))) == (typed, printed)


# ---- the command ---------------------------------------------------------------------------


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, list(arguments))


def test_the_commands_take_equations(tmp_path: Path) -> None:
    file = tmp_path / "mine.json"
    file.write_text(json.dumps(numbers(update={"learning_rate": 0.5, "steps": 3}, outputs="a")), encoding="utf-8")
    assert json.loads(run("gradients", str(file), "--json").stdout)["gradients"]["b"]
    assert "W[0, 1]" in run("gradients", str(file)).stdout
    assert "(1 - a[1]**2)*x[0]" in run("gradients", str(file), "--symbolic").stdout
    assert "tanh" in run("gradients", str(file), "--symbolic", "--closed").stdout
    trained = run("train", str(file))
    assert trained.exit_code == 0
    assert "outputs" in trained.stdout


@pytest.mark.parametrize("name", ["attention", "convolution", "layer_norm", "lstm", "rnn", "word2vec"])
def test_the_commands_take_the_bundled_ones(name: str) -> None:
    for arguments in (("gradients", name), ("gradients", name, "--symbolic"), ("train", name, "--steps", "3")):
        result = run(*arguments)
        assert result.exit_code == 0, result.output


# ---- what is refused -----------------------------------------------------------------------

# what is wrong | the keys that are | what the message says
REFUSED: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "ragged lists": ({"values": {"x": [1, 2], "W": [[1, 2], [3]]}}, ("values.W[1]: found 1 elements", "ragged")),
    "a list among numbers": ({"values": VALUES | {"x": [1, [2]]}}, ("values.x[1]: found a list", "ragged")),
    "a number among lists": ({"values": VALUES | {"W": [[1, 2], 3]}}, ("values.W[1]: found 3; a list of 2",)),
    "text in an array": ({"values": VALUES | {"x": [1, "a"]}}, ('values.x[1]: found "a"; a number',)),
    "no number": (
        {"values": VALUES | {"x": [float("nan"), None]}},
        ("values.x[0]: found nan", "values.x[1]: found nothing"),
    ),
    "an empty array": ({"values": VALUES | {"x": []}}, ("values.x: is empty",)),
    "arrays without end": (
        {"values": {"x": [[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]}},
        ("values.x: is nested more than 16",),
    ),
    "a function's name": ({"values": VALUES | {"exp": 1}}, ("values.exp: exp is a function of the language",)),
    "a keyword": ({"shapes": {"lambda": [2]}}, ("shapes.lambda: 'lambda' is no name",)),
    "no name": ({"values": VALUES | {"a b\x1b": 1}}, ('values."a b\\u001b"', "is no name")),
    "values of what an equation defines": (
        {"values": VALUES | {"a": [1, 2]}},
        ("values.a: is defined by an equation too (line 3)",),
    ),
    "shapes that disagree": (
        {"shapes": {"b": [2], "x": [3]}},
        ("shapes.x: found (3,), but its values have the shape (2,)",),
    ),
    "half a length": ({"shapes": {"b": [2.5]}}, ("shapes.b: found 2.5; a shape is a list of whole numbers",)),
    "no length": ({"shapes": {"b": [0]}}, ("shapes.b: found a length of 0",)),
    "a trillion elements": ({"shapes": {"b": [10**6, 10**6]}}, ("shapes.b: found 1000000000000 elements",)),
    "an unknown parameter": (
        {"parameters": ["w"]},
        ('parameters[0]: found "w"; known: x, W, t, b, z, a, E', 'mean "W"?'),
    ),
    "no parameter": ({"parameters": []}, ("parameters: is empty",)),
    "an unknown error": ({"error": "e"}, ('error: found "e"; known: z, a, E; did you mean "E"?',)),
    "an error that is given": ({"error": "x"}, ('error: found "x", which is given',)),
    "an error that is no number": ({"error": "a"}, ("error: a has the shape (2,)", "seed")),
    "no error": (
        {"equations": "e = sum(x)", "error": None},
        ("error: is missing, and no equation defines E; known: e",),
    ),
    "a seed of another shape": ({"error": "a", "seed": [1, 2, 3]}, ("seed: found the shape (3,), but a has (2,)",)),
    "a seed that is none": ({"error": "a", "seed": ["x", 1]}, ('seed[0]: found "x"',)),
    "unknown outputs": ({"outputs": "y"}, ('outputs: found "y"; known: x, W, t, b, z, a, E',)),
    "an unknown fixed array": (
        {"update": {"learning_rate": 1, "fixed": ["w"]}},
        ('update.fixed[0]: found "w"', '"W"?'),
    ),
    "a sweep": ({"update": {"learning_rate": 1, "order": "sequential"}}, ("update.order",)),
    "a penalty on nothing in particular": (
        {"parameters": None, "penalty": {"l2": 1}},
        ("penalty: goes over the weights",),
    ),
    "a penalty on biases": ({"parameters": ["b"], "penalty": {"l2": 1}}, ("penalty: there is no weight",)),
    "layers too": ({"layers": [], "loss": {}}, ("layers: goes with layers, and this problem states equations",)),
    "equations that are no text": ({"equations": ["E = x"]}, ("equations: found a list; text in quotes",)),
    "no equations": ({"equations": None}, ("equations: is missing",)),
    "empty equations": ({"equations": " \n# nothing\n"}, ("equations: is empty; at least one",)),
    "several faults": (
        {"equations": "z = W @ q\na = z + 1\nc = W @ t[:1]\nE = sum(x)"},
        ('equations: line 1, column 9: unknown name: found "q"', "equations: line 3, column 5: W @ t[:1]: shapes"),
    ),
    "no Python": ({"equations": "E = sum(x"}, ("equations: line 1, column 8: not an equation",)),
    "a condition": ({"equations": "E = sum(x > 1)"}, ("line 1, column 9: x > 1: a condition stands only in where",)),
    "a condition in a sum": (
        {"equations": "E = sum((x > 1) * x)"},
        ("line 1, column 10: x > 1: a condition stands only in where",),
    ),
    "a choice without condition": (
        {"equations": "E = sum(where(x, 1, t))"},
        ("line 1, column 15: found x; a condition is expected",),
    ),
    "division by the constant 0": (
        {"equations": "E = sum(x) / (2 - 2)"},
        ("line 1, column 5: sum(x) / (2 - 2): it holds a constant that is no",),
    ),
    "the logarithm of the constant 0": ({"equations": "E = sum(x) * log(0)"}, ("no finite real number",)),
    "a root of the constant -1": ({"equations": "E = sum(x * sqrt(-1))"}, ("no finite real number",)),
    "a huge power": (
        {"equations": "E = sum(x)**(10**9)"},
        ("equations: line 1, column 5", "an exponent of 1000000000"),
    ),
    "a tower": ({"equations": "E = 10**10**10"}, ("equations: line 1, column 5", "an exponent of 10000000000")),
    "another tower": (
        {"equations": "E = ((9**999)**999)**999"},
        ("equations: line 1, column 5: a constant of more than",),
    ),
    "a product without end": (
        {"equations": "E = sum(outer(b, b))", "shapes": {"b": [20_000]}},
        ("400,000,000 elements",),
    ),
    "nesting without end": ({"equations": f"E = {'-' * 50_000}sum(x)"}, ("equations: not an equation",)),
    "text without end": ({"equations": f"E = sum(x)#{'-' * 2_000_000}"}, ("equations: 2,000,011 characters",)),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name: str) -> None:
    changes, parts = REFUSED[name]
    before = time.perf_counter()
    with pytest.raises(ProblemError) as caught:
        derive.load(stated(**changes))
    assert time.perf_counter() - before < 5
    for part in parts:
        assert part in str(caught.value)
    assert all(line.startswith("problem: ") and line.isprintable() for line in str(caught.value).splitlines())


def test_equations_that_are_refused_end_with_2(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('equations = "E = x + y"\n[values]\nx = 1\n', encoding="utf-8")
    result = run("gradients", str(file))
    assert result.exit_code == 2
    assert result.stderr == f'chainrule: {file}: equations: line 1, column 9: unknown name: found "y"; known: x\n'


def test_more_formulas_than_anybody_reads_are_refused() -> None:
    derivation = derive.differentiate({"equations": "E = sum(x**2)", "shapes": {"x": [200, 200]}})
    with pytest.raises(derive.ChainruleError, match="symbols in 80,001 places"):
        derivation.to_json()
    error, found = derivation.lambdify()(x=np.ones((200, 200)))
    assert error == 40_000
    assert (found["x"] == 2).all()


# ---- trace ---------------------------------------------------------------------------------


def test_a_traced_function_gives_the_same_program_as_the_text() -> None:
    def f(x: Any, W: Any, b: Any, t: Any) -> Any:
        z = W @ x + b
        a = F.tanh(z)
        return F.sum((t - a) ** 2) / 2

    traced = derive.trace(f, x=(2,), W=(2, 2), t=(2,), b=(2,), values=VALUES, parameters=["W", "b"])
    assert derive.differentiate(traced).program.equations == derive.differentiate(stated()).program.equations
    assert traced.equations == "z = W @ x + b\na = tanh(z)\nE = sum((t - a) ** 2) / 2\n"
    assert traced.parameters == ("W", "b")


def test_a_loop_is_traced_step_by_step() -> None:
    def f(x: Any, W: Any, U: Any) -> Any:
        h = F.tanh(W @ x[0])
        for row in x[1:]:
            h = F.tanh(W @ row + U @ h)
        loss = F.sum(h**2)
        return loss  # noqa: RET504 - the variable names its equation

    traced = derive.trace(f, x=np.eye(3, 2), W=(2, 2), U=(2, 2))
    lines = traced.equations.splitlines()
    assert [line.partition(" = ")[0] for line in lines if "tanh" in line] == ["h1", "h2", "h3"]
    assert lines[-1] == "loss = sum(h3 ** 2)"
    assert traced.error == "loss"


ON_ONE: list[tuple[Callable[[Any], Any], str]] = [
    (lambda x: F.sum(x * 0.1 - (-2) + x / 3), "sum(x * 0.1 - -2 + x / 3)"),
    (lambda x: F.sum(2 - x) + 1 / x[0, 0] ** 2, "sum(2 - x) + 1 / x[0, 0] ** 2"),
    (lambda x: F.sum(np.float64(0.5) * x.T[::-1, None]), "sum(0.5 * x.T[::-1, None])"),
    (lambda x: F.sum(Fraction(1, 3) * x), "sum(1 / 3 * x)"),
    (lambda x: F.sum(-x @ x.T, axis=(0, 1)), "sum(-x @ x.T, axis=(0, 1))"),
    (lambda x: F.sum(F.where(x >= 0, x, F.pi)), "sum(where(x >= 0, x, pi))"),
    (lambda x: F.sum(F.concatenate([x, x], axis=-1)), "sum(concatenate([x, x], axis=-1))"),
    (lambda x: F.sum(F.conv2d(x[None], F.reshape(x, (1, 1, 2, 2)), padding=1)), "padding=1"),
    (lambda x: F.sum(F.take(x, np.array([0, 1, 1]))), "sum(take(x, indices=[0, 1, 1]))"),
    (lambda x: x[..., 0, 1] * len(x), "x[..., 0, 1] * 2"),
]


@pytest.mark.parametrize(("function", "text"), ON_ONE)
def test_what_can_be_traced(function: Callable[[Any], Any], text: str) -> None:
    assert text in derive.trace(function, x=(2, 2)).equations


def test_every_function_of_the_language_can_be_traced() -> None:
    from derive.language import FUNCTIONS

    assert set(F.__all__) == {*FUNCTIONS, "pi"}
    for name, row in FUNCTIONS.items():
        if row.operands == ("x",) and set(row.options) <= {"axis", "keepdims", "slope", "alpha", "axes"}:
            assert f"{name}(x)" in derive.trace(lambda x, name=name: F.sum(getattr(F, name)(x)), x=(2, 2)).equations


NOT_TRACED: list[tuple[Callable[..., Any], str]] = [
    (lambda x: 3, "the error, an array, is expected"),
    (lambda x: F.sum(x) if x else x, "neither true nor false"),
    (lambda x: x @ F.pi, "@ wants arrays"),
    (lambda x: x * [1, 2], "give it as a named argument"),
    (lambda x: F.sum(x, axes=1), 'found "axes"; known: x, axis, keepdims'),
    (lambda x: F.sum(x, x), "a whole number is expected"),
    (lambda x: F.sum(x, axis=1, keepdims=True, more=2), "more"),
    (lambda x: F.sum(x) + float("nan"), "a finite number"),
    (lambda x, y: x, "missing a required argument: 'y'"),
    (lambda x: F.exp(float(x[0, 0])), "no numbers yet"),
]


@pytest.mark.parametrize(("function", "message"), NOT_TRACED)
def test_what_cannot_be_traced_is_said(function: Callable[..., Any], message: str) -> None:
    with pytest.raises(TraceError) as caught:
        derive.trace(function, x=(2, 2))
    assert message in str(caught.value)


def test_options_are_keys_of_a_problem() -> None:
    traced = derive.trace(
        lambda x: F.tanh(x), x=[1, 2], options={"seed": [1, 1], "title": "Two", "update": {"learning_rate": 1}}
    )
    assert (traced.title, traced.seed) == ("Two", (1, 1))
    assert derive.differentiate(traced).has_numbers


# ---- PyTorch -------------------------------------------------------------------------------

TOLERANCE = 1e-12


def against_torch(problem: Any, values: dict[str, Any], error: Callable[..., Any]) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install '.[torch]'")
    tensors = {name: torch.tensor(np.array(value, dtype=float), requires_grad=True) for name, value in values.items()}
    wanted = error(**tensors)
    found_error, found = derive.differentiate(problem).lambdify()()
    assert found_error == pytest.approx(wanted.item(), rel=TOLERANCE, abs=TOLERANCE)
    gradients = torch.autograd.grad(wanted, list(tensors.values()), allow_unused=True)
    largest = max(1.0, *(float(each.abs().max()) for each in gradients if each is not None))
    for (name, tensor), gradient in zip(tensors.items(), gradients, strict=True):
        expected = np.zeros(tensor.shape) if gradient is None else gradient.numpy()
        if name in found:
            assert np.abs(found[name] - expected).max() <= TOLERANCE * largest, name


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_agrees_with_torch(name: str, number: int) -> None:
    family = FAMILIES[name]
    text, shapes, error = family.make(random.Random(f"{name} {number}"))
    draw = np.random.default_rng(number)
    values = {array: np.round(draw.uniform(family.low, family.high, shape), 3) for array, shape in shapes.items()}
    against_torch({"equations": text, "values": values}, values, error)


def _lstm(x: Any, t: Any, h0: Any, c0: Any, **given: Any) -> Any:
    import torch

    W, U, b = (torch.cat([given[f"{letter}{gate}"] for gate in "ifgo"]) for letter in "WUb")
    state = (h0[None], c0[None])
    for row in x:
        state = torch.lstm_cell(row[None], state, W, U, b, 0 * b)
    return ((t - state[0][0]) ** 2).sum() / 2


def _rnn(x: Any, t: Any, h0: Any, W: Any, U: Any, b: Any, v: Any) -> Any:
    import torch

    held = [h0]
    for row in x:
        held.append(torch.rnn_tanh_cell(row[None], held[-1][None], W, U, b, 0 * b)[0])
    return ((t - torch.stack(held[1:]) @ v) ** 2).sum() / 2


def _attention(X: Any, Wq: Any, Wk: Any, Wv: Any, T: Any, mask: Any) -> Any:
    from torch.nn.functional import scaled_dot_product_attention

    return ((T - scaled_dot_product_attention(X @ Wq, X @ Wk, X @ Wv, is_causal=True)) ** 2).sum() / 2


def _layer_norm(x: Any, t: Any, gamma: Any, beta: Any, epsilon: Any) -> Any:
    from torch.nn.functional import layer_norm

    return ((t - layer_norm(x, (3,), gamma, beta, eps=epsilon.item())) ** 2).sum() / 2


def _convolution(x: Any, t: Any, K: Any, b: Any, W: Any, c: Any) -> Any:
    from torch.nn.functional import conv2d, cross_entropy, max_pool2d, relu

    return cross_entropy(W @ max_pool2d(relu(conv2d(x, K, b)), 2).reshape(4) + c, t)


def _word2vec(V: Any, U: Any) -> Any:
    import torch
    from torch.nn.functional import cross_entropy

    scores = U @ V[2]
    return cross_entropy(torch.stack([scores, scores]), torch.tensor([1, 3]), reduction="sum")


BUNDLED = {
    "attention": _attention,
    "convolution": _convolution,
    "layer_norm": _layer_norm,
    "lstm": _lstm,
    "rnn": _rnn,
    "word2vec": _word2vec,
}


@pytest.mark.parametrize("name", BUNDLED)
def test_the_bundled_problems_agree_with_torch(name: str) -> None:
    derivation = derive.differentiate(name)
    values = {array: derivation.floats(array) for array in derivation.program.given}
    against_torch(name, values, BUNDLED[name])


# ---- any program ---------------------------------------------------------------------------

SMOOTH = ("tanh", "sigmoid", "softplus", "sin", "cos", "silu", "exp", "erf", "softmax", "log_softmax")


Shape = tuple[int, ...]


def _line(draw: st.DrawFn, arrays: dict[str, Shape]) -> tuple[str, Shape]:
    """One right-hand side over the arrays there are, and its shape."""
    left = draw(st.sampled_from(sorted(arrays)))
    shape = arrays[left]
    partners = {name: other for name, other in arrays.items() if other in (shape, shape[-1:], ())}
    factors = {name: other for name, other in arrays.items() if shape and other and other[-2:][0] == shape[-1]}
    kind = draw(st.sampled_from(["call", "join", "product", "reduce", "pick"]))
    if kind == "product" and factors:
        right = draw(st.sampled_from(sorted(factors)))
        return f"{left} @ {right} / 2", (np.zeros(shape) @ np.zeros(factors[right])).shape
    if kind == "reduce" and shape:
        axis, keep = draw(st.integers(-len(shape), len(shape) - 1)), draw(st.booleans())
        text = f"{draw(st.sampled_from(['sum', 'mean']))}({left}, axis={axis}, keepdims={keep})"
        return text, np.zeros(shape).sum(axis=axis, keepdims=keep).shape
    if kind == "pick" and len(shape) == 2:
        picks = [(".T", shape[::-1]), ("[0]", shape[1:]), ("[::-1]", shape), ("[:, [0, 0]]", (shape[0], 2))]
        key, picked = draw(st.sampled_from(picks))
        return f"{left}{key}", picked
    if kind == "join":
        right = draw(st.sampled_from(sorted(partners)))
        return f"{left} {draw(st.sampled_from('+-*'))} {right} * 0.5", shape
    return f"{draw(st.sampled_from(SMOOTH if shape else SMOOTH[:-2]))}({left} / 2)", shape


@st.composite
def programs(draw: st.DrawFn) -> dict[str, Any]:
    """A well-formed program over small arrays, every operation smooth, its numbers of moderate size."""
    given_shapes: dict[str, Shape] = {"x": (2, 3), "y": (3,), "W": (3, 2), "s": ()}
    arrays = dict(given_shapes)
    lines: list[str] = []
    for number in range(draw(st.integers(1, 5))):
        text, arrays[f"v{number}"] = _line(draw, arrays)
        lines.append(f"v{number} = {text}")
    lines.append(f"E = sum(v{len(lines) - 1}**2) / 2 + sum({draw(st.sampled_from(sorted(arrays)))})")
    tenths = st.integers(-9, 9).map(lambda tenth: tenth / 10)
    sizes = {name: int(np.prod(shape)) for name, shape in given_shapes.items()}
    flat = {name: draw(st.lists(tenths, min_size=size, max_size=size)) for name, size in sizes.items()}
    return {
        "equations": "\n".join(lines),
        "values": {name: np.array(flat[name]).reshape(shape) for name, shape in given_shapes.items()},
    }


@settings(max_examples=150)
@given(problem=programs())
def test_every_reading_of_any_program_agrees(problem: dict[str, Any]) -> None:
    derivation = derive.differentiate(problem)
    program, gradient = derivation.program, gradient_program(derivation.program)
    error, fast = derivation.lambdify()()
    scale = max(1.0, abs(error), *(np.abs(found).max() for found in fast.values()))
    by_sympy = derivation.lambdify("sympy")()[1]
    code = vectorised.function(
        (*program.equations, *gradient.equations),
        program.given,
        [gradient.adjoints[name] for name in program.parameters],
    )
    by_numpy = code(*(derivation.floats(name) for name in program.given))
    for name, arrays in zip(program.parameters, by_numpy, strict=True):
        exactly = derivation.floats(gradient.adjoints[name])
        for found in (fast[name], by_sympy[name], arrays):
            assert np.abs(found - exactly).max() <= 1e-13 * scale, name
    _against_differences(derivation, fast, scale)


def _against_differences(derivation: derive.Derivation, gradients: dict[str, Any], scale: float) -> None:
    program = derivation.program
    shapes = [(name, program.shape(name)) for name in program.given]
    error = unrolled.function(program.equations, shapes, [(program.error, ())])
    start = {name: derivation.floats(name) for name in program.given}
    step = 1e-5
    for name in program.parameters:
        for index in np.ndindex(*program.shape(name)):
            ends = []
            for sign in (1, -1):
                moved = {each: np.array(value) for each, value in start.items()}
                moved[name][index] += sign * step
                ends.append(error(*(v for each, _ in shapes for v in moved[each].reshape(-1)))[0])
            assert abs((ends[0] - ends[1]) / (2 * step) - gradients[name][index]) <= 1e-6 * scale


WORDS = "E x W = + - * / ** @ ( ) [ ] , : . 0 1 -1 2.5 9 sum exp max reshape conv2d where stack T .T axis= None > pi"
PIECES = st.sampled_from([*WORDS.split(), "\n", "\nE = ", ";", "if", "lambda", '"', "\\", "#", "{", "∂", "\0", "99999"])


@settings(max_examples=300)
@given(
    text=st.text(max_size=40) | st.lists(PIECES, max_size=14).map(" ".join) | st.lists(PIECES, max_size=14).map("".join)
)
def test_whatever_stands_in_equations_it_is_a_problem_or_refused(text: str) -> None:
    for equations in (text, f"E = {text}", f"a = {text}\nE = sum(a)"):
        try:
            derivation = derive.differentiate(
                {"equations": equations, "values": {"x": [0.5, 1], "W": [[1, 2], [3, 4]]}}
            )
            derivation.to_json(5)
        except derive.ChainruleError:
            continue
