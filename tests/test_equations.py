"""The equation language: what it takes, what it refuses and where, and that nothing in it is ever run."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from derive.equations import EquationError, parse
from derive.functions import ACTIVATIONS, expand
from derive.functions_of_arrays import Array, TraceError, where
from derive.functions_of_arrays import sum as total
from derive.program import Contract, Map, Ref, Softmax, Total, Transpose, references
from derive.scalars import Scalar, element, to_sympy
from derive.tracing import trace

KNOWN = {
    "x": Ref("x", (2,)),
    "X": Ref("X", (3, 2)),
    "W": Ref("W", (4, 2)),
    "b": Ref("b", (4,)),
    "s": Ref("s", ()),
    "E": Ref("E", ()),
    "lambda_": Ref("lambda_", ()),
    "I": Ref("I", (1, 5, 5)),
    "J": Ref("J", (1, 2000, 2000)),
    "K": Ref("K", (1, 1, 2, 2)),
}


def written(line: str, index: tuple[int, ...] = ()) -> sympy.Expr:
    """One element of the last result, in symbols such as W[0, 1]."""

    def symbol(scalar: Scalar) -> sympy.Symbol:
        return sympy.Symbol(f"{scalar.array}{list(scalar.index)}" if scalar.index else scalar.array, real=True)

    return expand(to_sympy(element(parse(line, KNOWN)[-1].expression, index), symbol).doit())


def s(text: str) -> sympy.Expr:
    """An expected expression over x[0], x[1], W[0, 1], …, s."""
    names = {
        f"{name}{''.join(map(str, index))}": sympy.Symbol(f"{name}{list(index)}" if index else name, real=True)
        for name, index in [("x", (0,)), ("x", (1,)), ("s", ()), ("b", (0,)), ("b", (3,)), ("E", ()), ("lambda_", ())]
        + [("W", (row, column)) for row in range(4) for column in range(2)]
        + [("X", (row, column)) for row in range(3) for column in range(2)]
        + [("I", (0, 0, 0)), ("I", (0, 0, 1)), ("K", (0, 0, 1, 0)), ("K", (0, 0, 1, 1))]
    }
    return sympy.sympify(text, locals=names)


@pytest.mark.parametrize(
    ("line", "index", "shape", "expected"),
    [
        ("r = s + 1", (), (), "s + 1"),
        ("r = -s", (), (), "-s"),
        ("r = 3 - s * 2", (), (), "3 - 2*s"),
        ("r = s / 2", (), (), "s/2"),
        ("r = 1/2 * s", (), (), "s/2"),
        ("r = 0.15 * s", (), (), "s*3/20"),
        ("r = 1e-3 * s", (), (), "s/1000"),
        ("r = 0.12345678901234567890123 * s", (), (), "s*12345678901234567890123/10**23"),
        ("r = 1e-400 * s", (), (), "s/10**400"),
        ("r = 1e400 * s - 1_0.5_0E+2 * s - .5 * s - 5. * s", (), (), "s*10**400 - 1050*s - s/2 - 5*s"),
        ("é = 1.25 * s; r = 2.125 * é  # é\n", (), (), None),
        (
            "r = elu(s, 0.3000000000000000000001) - elu(s, 0.3)",
            (),
            (),
            "Piecewise((0, s > 0), ((exp(s) - 1)/10**22, True))",
        ),
        ("r = X[1, [1, 0]] + X[[0, 2], ..., 0] + X[..., None, 1:, [1]][:2, 0, 0]", (0,), (2,), "X11 + X00 + X11"),
        ("r = sum(conv2d(I, K, padding=(1, 0))[:, 0, 0])", (), (), "I000*K0010 + I001*K0011"),
        ("r = s ** 2", (), (), "s**2"),
        ("r = -s ** 2", (), (), "-s**2"),
        ("r = x * s", (1,), (2,), "x1*s"),
        ("r = X + x", (2, 1), (3, 2), "X21 + x1"),
        ("r = W @ x", (3,), (4,), "W30*x0 + W31*x1"),
        ("r = W @ x + b", (0,), (4,), "W00*x0 + W01*x1 + b0"),
        ("r = X @ W.T", (2, 3), (3, 4), "X20*W30 + X21*W31"),
        ("r = W.T", (1, 3), (2, 4), "W31"),
        ("r = W.T.T", (3, 1), (4, 2), "W31"),
        ("r = x @ x", (), (), "x0**2 + x1**2"),
        ("r = sum(x)", (), (), "x0 + x1"),
        ("r = mean(x)", (), (), "(x0 + x1)/2"),
        ("r = sum((x - 1)**2) / 2", (), (), "((x0 - 1)**2 + (x1 - 1)**2)/2"),
        ("r = sum(X, axis=0)", (1,), (2,), "X01 + X11 + X21"),
        ("r = sum(X, -1)", (2,), (3,), "X20 + X21"),
        ("r = mean(X, axis=1, keepdims=True)", (2, 0), (3, 1), "(X20 + X21)/2"),
        ("r = where(s > 0, x, 1)", (1,), (2,), "Piecewise((x1, s > 0), (1, True))"),
        ("r = where(x[0] == 1, s, -s)", (), (), "Piecewise((s, Eq(x0, 1)), (-s, True))"),
        ("r = where(1 > 0, s, x)", (0,), (2,), "s"),
        ("r = sigmoid(s) - logistic(s)", (), (), "0"),
        ("r = exp(s)", (), (), "exp(s)"),
        ("r = log(s)", (), (), "log(s)"),
        ("y = s + 1\nr = y * y", (), (), None),
        ("r = E + lambda_", (), (), "E + lambda_"),
        ("r = (s)\n# a comment\n", (), (), "s"),
    ],
)
def test_what_it_takes(line: str, index: tuple[int, ...], shape: tuple[int, ...], expected: str | None) -> None:
    equations = parse(line, KNOWN)
    assert equations[-1].target == "r"
    assert equations[-1].expression.shape == shape
    if expected is not None:
        assert sympy.simplify(written(line, index) - s(expected)) == 0


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation_is_a_function_of_the_language(name: str) -> None:
    (equation,) = parse(f"r = {name}(X)", KNOWN)
    assert equation.expression.shape == (3, 2)
    assert references(equation.expression) == {"X"}
    assert isinstance(equation.expression, Softmax if ACTIVATIONS[name].over_axis else (Map, Ref))


def test_formulas_stay_in_the_order_in_which_they_were_written() -> None:
    (equation,) = parse("r = (2 - s)**2 * 1/2", KNOWN)
    assert isinstance(equation.expression, Map)
    assert sympy.printing.sstr(equation.expression.formula, order="none") == "((2 - s)**2*1)/2"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("r = 0.30 * s  # three tenths", [("r = 0.30 * s", "three tenths")]),
        ("é = 1.25 * s; r = 2.125 * é  # é", [("é = 1.25 * s", ""), ("r = 2.125 * é", "é")]),
        ("q = s\rr = (q +  # first\r\n  2)", [("q = s", ""), ("r = (q + 2)", "")]),
        ("q = s\x0c+ 1  # form feed\nr = q", [("q = s\x0c+ 1", "form feed"), ("r = q", "")]),
    ],
)
def test_an_equation_keeps_its_text(text: str, expected: list[tuple[str, str]]) -> None:
    assert [(each.text, each.comment) for each in parse(text, KNOWN)] == expected


def test_a_matrix_product_is_one_contraction() -> None:
    (equation,) = parse("r = X @ W.T", KNOWN)
    assert isinstance(equation.expression, Contract)
    assert not any(isinstance(part, Transpose | Total) for part in equation.expression.arguments)


# what stands there | line and column | what the message says
REFUSED = {
    "an unknown name": ("r = y + 1", "line 1, column 5", "unknown name", '"y"'),
    "a name before it is defined": ("r = a + 1\na = s", "line 1, column 5", "unknown name"),
    "an unknown function": ("r = exq(s)", "line 1, column 5", "unknown function", 'did you mean "exp"?'),
    "a function by another name": ("r = rectifier(s)", "line 1, column 5", 'did you mean "relu"?'),
    "shapes that do not match": ("r = W @ b", "line 1, column 5", "(4, 2)", "(4,)", "2 against 4"),
    "shapes that do not broadcast": ("q = s\nr = x + b", "line 2, column 5", "do not broadcast"),
    "a product of scalars with @": ("r = s @ s", "line 1, column 5", "@ wants arrays"),
    "division by zero": ("r = 1 / 0", "line 1, column 5", "division by the constant 0"),
    "no equation": ("s + 1", "line 1, column 1", "name = expression"),
    "two targets": ("a = r = s", "line 1, column 1", "name = expression"),
    "an index as a target": ("x[0] = s", "line 1, column 1", "name = expression"),
    "an augmented assignment": ("s += 1", "line 1, column 1", "name = expression"),
    "no Python": ("r = s +", "line 1, column 8", "not an equation"),
    "an open bracket": ("r = (s", "line 1", "not an equation"),
    "text": ('r = "s"', "line 1, column 5", "no part of the equation language"),
    "a truth value": ("r = True", "line 1, column 5", "no part of the equation language"),
    "an imaginary number": ("r = 2j", "line 1, column 5", "no part of the equation language"),
    "a comparison": ("r = s > 1", "line 1, column 5", "s > 1: a condition stands only in where(condition, x, y)"),
    "a comparison of numbers": ("r = 1 > 0", "line 1, column 5", "a condition stands only in where"),
    "a comparison as a number": ("r = x * (x > 0)", "line 1, column 10", "for the numbers 1 and 0 write where"),
    "a comparison that is added up": ("r = sum(x > 0)", "line 1, column 9", "a condition stands only in where"),
    "a comparison to be squashed": ("r = tanh(x > 0)", "line 1, column 10", "a condition stands only in where"),
    "a comparison among arrays": ("r = stack([x, x > 0])", "line 1, column 15", "a condition stands only in where"),
    "a comparison with a comparison": ("r = where(x > (x > 0), x, s)", "line 1, column 16", "stands only in where"),
    "an element of a comparison": ("r = where((x > 0)[0], s, 1)", "line 1, column 12", "stands only in where"),
    "a comparison as a choice": ("r = where(x > 0, x > 1, s)", "line 1, column 18", "a condition stands only in where"),
    "two comparisons": ("r = where(0 < s < 1, s, 0)", "line 1, column 11", "no part of the equation language"),
    "a number where a condition belongs": (
        "r = where(x, 1, s)",
        "line 1, column 11",
        "a condition is expected",
        "x > 0",
    ),
    "a comparison of what is not real": ("r = where(log(-1) > 0, s, 1)", "line 1, column 11", "no real number"),
    "a membership": ("r = s in x", "line 1, column 5", "no part of the equation language"),
    "an identity": ("r = s is x", "line 1, column 5", "no part of the equation language"),
    "an and": ("r = where(s > 0 and s < 1, s, 0)", "line 1, column 11", "no part of the equation language"),
    "an attribute": ("r = x.__class__", "line 1, column 5", "no part of the equation language"),
    "an import": ("import os", "line 1, column 1", "name = expression"),
    "a call of an import": ("r = __import__('os')", "line 1, column 5", "unknown function"),
    "a method": ("r = x.tofile('x')", "line 1, column 5", "no part of the equation language"),
    "a lambda": ("r = (lambda: 1)()", "line 1, column 5", "no part of the equation language"),
    "a comprehension": ("r = [x for x in x]", "line 1, column 5", "no part of the equation language"),
    "a walrus": ("r = (q := 1)", "line 1, column 6", "no part of the equation language"),
    "a formatted text": ("r = f'{s}'", "line 1, column 5", "no part of the equation language"),
    "a shift": ("r = 1 << 100", "line 1, column 5", "no part of the equation language"),
    "too few arguments": ("r = exp()", "line 1, column 5", "exp wants x; x is missing"),
    "too many arguments": ("r = exp(s, s, s)", "line 1, column 5", "exp takes x; found 3 arguments"),
    "an array where an axis belongs": ("r = sum(x, x)", "line 1, column 12", "found x; a whole number is expected"),
    "an axis that is not there": ("r = sum(x, axis=1)", "line 1, column 5", "axis 1 of an array of shape (2,)"),
    "an argument by a wrong name": ("r = sum(x, axes=0)", "line 1, column 5", '"axes"', 'did you mean "axis"?'),
    "an argument given twice": ("r = sum(x, 0, axis=0)", "line 1, column 5", "axis is given twice"),
    "a starred argument": ("r = sum(*x)", "line 1, column 5", "no part of the equation language"),
    "a flag that is none": ("r = sum(x, keepdims=1)", "line 1, column 21", "True or False is expected"),
    "a NUL": ("r = s\0", "not an equation"),
    "a number of too many digits": ("r = 1e5000", "line 1, column 5", "found 1e5000; more than 4000 digits"),
    "a small one": ("r = 1e-5000", "line 1, column 5", "found 1e-5000; more than 4000 digits"),
    "a product of too many digits": (
        "r = s * 1e3000 * 1e3000",
        "line 1, column 5",
        "a constant of more than 4000 digits",
    ),
    "numbers 0 and 1 where a condition belongs": ("r = where(x, 1, s)", "line 1, column 11", "write x != 0"),
    "padding beyond all bounds": (
        "r = conv2d(I, K, padding=1000000)",
        "line 1, column 5",
        "an array of shape (1, 2000005, 2000005) has 4,000,020,000,025 elements; at most 10,000,000 can be",
    ),
    "padding on one side": ("r = conv2d(I, K, padding=(0, 100000000))", "(1, 5, 200000005)"),
    "windows beyond all bounds": ("r = sum(max_pool2d(J, (1000, 1000), 1))", "(1, 1001, 1001, 1000, 1000)"),
    "a window that is too large": ("r = conv2d(I[:, :1], K)", "a window of (2, 2) does not fit into (1, 5)"),
    "rows taken again and again": (f"r = take(J, {[0] * 20}, axis=0)", "an array of shape (20, 2000, 2000) has"),
    "rows by number again and again": (f"r = J[{[0] * 20}]", "an array of shape (20, 2000, 2000) has"),
    "columns by number again and again": (f"r = J[0, ..., {[0] * 9000}]", "an array of shape (9000, 2000) has"),
    "too much laid end to end": ("r = concatenate([J, J, J])", "an array of shape (12000000,) has"),
    "too much stacked": ("r = stack([J, J, J])", "an array of shape (12000000,) has"),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_what_it_refuses(fault: str) -> None:
    text, *parts = REFUSED[fault]
    with pytest.raises(EquationError) as caught:
        parse(text, KNOWN)
    for part in parts:
        assert part in str(caught.value)
    assert "\n" not in str(caught.value)


def test_nothing_is_evaluated(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    for text in (
        f"r = __import__('pathlib').Path({str(trace)!r}).touch()",
        f"r = open({str(trace)!r}, 'w')",
        f"r = exec({f'open({str(trace)!r}, chr(119))'!r})",
        f"r = s if open({str(trace)!r}, 'w') else s",
        f"r = [0 for _ in [open({str(trace)!r}, 'w')]]",
    ):
        with pytest.raises(EquationError):
            parse(text, KNOWN)
    assert not trace.exists()


def test_deep_nesting_is_refused_in_words() -> None:
    for text in ("r = " + "(" * 500 + "s" + ")" * 500, "r = " + "-" * 5000 + "s", "r = s" + " + s" * 5000):
        with pytest.raises(EquationError):
            parse(text, KNOWN)


@pytest.fixture(autouse=True)
def syntax_warnings_are_no_crash() -> Iterator[None]:
    """Python warns of odd syntax ("is" with a literal); that is no error of ours."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        yield


WORDS = "x X W b s E r = + - * / ** @ ( ) [ ] . , : 1 0 2.5 1e3 sum exp log T .T axis= keepdims= > == where( True None"
PIECES = st.sampled_from([*WORDS.split(), "\n", ";", "if", "lambda", "'", '"', "\\", "#", "{", "é", "∂", "\0", " "])


@given(st.text(max_size=60) | st.lists(PIECES, max_size=14).map(" ".join) | st.lists(PIECES, max_size=14).map("".join))
def test_no_text_crashes_it(text: str) -> None:
    for each in (text, f"r = {text}"):
        try:
            equations = parse(each, KNOWN)
        except EquationError:
            continue
        assert all(equation.target.isidentifier() for equation in equations)


def chosen(x: Array, w: Array) -> Array:
    larger = w > x
    return total(where(larger, w * x, w) + where(larger, x, 1))


def test_a_traced_comparison_stands_in_where_too() -> None:
    assert trace(chosen, x=(2,), w=(2,)).equations == "E = sum(where(w > x, w * x, w) + where(w > x, x, 1))\n"


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda x: total(x > 0), "a condition stands only in where"),
        (lambda x: total(x * (x > 0)), "a condition stands only in where"),
        (lambda x: total(where((x > 0)[0], x, 1)), "a condition stands only in where"),
        (lambda x: total(where(x, x, 1)), "a condition is expected"),
    ],
)
def test_a_traced_comparison_is_no_number(function: Callable[[Array], Array], said: str) -> None:
    with pytest.raises(TraceError, match=said):
        trace(function, x=(2,))
