"""Derivatives worked out step by step: every line, read back from paper, is the derivative that SymPy finds."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
import sympy
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sympy import Expr, Integer, Piecewise, Rational

from derive.differentiation import RULES, Worked, of_activation, of_expression, of_loss
from derive.differentiation.rules import applied
from derive.equations import parse
from derive.formula import (
    BigSum,
    Call,
    Cases,
    Derivative,
    Formula,
    Fraction,
    Name,
    Negative,
    Number,
    Partial,
    Power,
    Product,
    Relation,
    Sum,
    Symbol,
    Words,
    children,
)
from derive.functions import ACTIVATIONS, LOSSES, SELU_ALPHA, SELU_SCALE, call, expand
from derive.plain import plain
from derive.program import Map, Ref
from derive.written import condition as written_condition

Z, A, T = (sympy.Symbol(name, real=True) for name in "zat")
ERROR = Partial(Symbol(Name("e")), Symbol(Name("a")))
NETS = sympy.symbols("z1:4", real=True)  # j, k and one more

BY_SIGN = {row.sign: row for row in ACTIVATIONS.values() if row.formula is not None}
FUNCTIONS: dict[str, Callable[..., Expr]] = {
    "exp": sympy.exp,
    "log": sympy.log,
    "sqrt": sympy.sqrt,
    "tanh": sympy.tanh,
    "sin": sympy.sin,
    "cos": sympy.cos,
    "erf": sympy.erf,
}
LETTERS = {
    "z": Z,
    "a": A,
    "t": T,
    "pi": sympy.pi,
    "slope": Rational(3, 7),
    "alpha": SELU_ALPHA,
    "lambda": SELU_SCALE,
    "delta": Rational(5, 4),
}
SIGNS = {">": sympy.Gt, "≥": sympy.Ge, "<": sympy.Lt, "≤": sympy.Le}


def meaning(node: Formula, index: int = 0) -> Expr:
    """What a formula says, derivatives in brackets taken by SymPy; ``index`` is the running one of a sum."""
    match node:
        case Symbol(Name(base="z", sub=sub)) if sub:
            return NETS[{"j": 0, "k": 1, "i": index}[sub]]
        case Symbol(Name(base=base, sub=sub)) if sub:
            scores = [sympy.exp(net) for net in NETS]
            return scores[{"j": 0, "k": 1}[sub]] / sum(scores)
        case Symbol(Name(base=base)):
            return LETTERS[base]
        case Number(text):
            return Rational(text)
        case Sum(terms):
            return sympy.Add(*(meaning(term, index) for term in terms))
        case Product(factors):
            return sympy.Mul(*(meaning(factor, index) for factor in factors))
        case Negative(body):
            return -meaning(body, index)
        case Fraction(above, below):
            return meaning(above, index) / meaning(below, index)
        case Power(base, exponent):
            return meaning(base, index) ** meaning(exponent, index)
        case BigSum(_, None, None, body):
            return sympy.Add(*(meaning(body, i) for i in range(len(NETS))))
        case Derivative(body, by):
            return sympy.diff(meaning(body, index), meaning(by, index))
        case Relation(left, sign, right):
            return SIGNS[sign](meaning(left, index), meaning(right, index))
        case Words("always" | "never" as truth):
            return sympy.true if truth == "always" else sympy.false
        case Cases(((yes, asked), (no, None))) if is_condition(yes):  # a condition that has cases itself
            return sympy.ITE(*(meaning(part, index) for part in (asked, yes, no) if part is not None))
        case Cases(rows):
            return Piecewise(*((meaning(v, index), True if c is None else meaning(c, index)) for v, c in rows))
        case Call(function, arguments) if function in FUNCTIONS:
            return FUNCTIONS[function](*(meaning(argument, index) for argument in arguments))
        case Call(function, (argument,)):
            row = BY_SIGN[function]
            constant = {row.constant: row.default} if row.constant is not None else {}
            return expand(row.formula).xreplace({**constant, Z: meaning(argument, index)})
    raise TypeError(node)


def is_condition(node: Formula) -> bool:
    """Whether a formula is true or false, and no number."""
    return isinstance(node, Relation | Words) or (isinstance(node, Cases) and is_condition(node.rows[0][0]))


POINTS = [Rational(n, 7) for n in (-30, -11, -4, 1, 3, 9, 25)]


def at(expression: Expr, point: dict[sympy.Symbol, Expr]) -> Expr:
    return sympy.N(expression.subs(point), 30)


def same(left: Expr, right: Expr, points: list[dict[sympy.Symbol, Expr]]) -> bool:
    """Equal at exact points to 25 digits."""
    return all(abs(at(left, p) - at(right, p)) <= Rational(1, 10**24) * (1 + abs(at(right, p))) for p in points)


def check(worked: Worked, expected: Expr, points: list[dict[sympy.Symbol, Expr]]) -> None:
    for line in worked.lines:
        assert same(meaning(line.formula), expected, points), plain(line.formula)
        assert line.rules
        assert set(line.rules) <= set(RULES)
    assert not any(pending(line.formula) for line in worked.lines[-1:])
    formulas = [line.formula for line in worked.lines]
    assert len(set(formulas)) == len(formulas), "no line is written twice"


def pending(node: Formula) -> bool:
    return isinstance(node, Derivative) or any(map(pending, children(node)))


# ---- activations -----------------------------------------------------------------------------


@pytest.mark.parametrize("row", [row for row in ACTIVATIONS.values() if row.formula is not None], ids=lambda r: r.name)
def test_every_line_of_an_activation_is_its_derivative(row) -> None:
    (worked,) = of_activation(row)
    constant = {} if row.constant is None else {row.constant: LETTERS[str(row.constant)]}
    expected = sympy.diff(expand(row.formula).xreplace(constant), Z)
    check(worked, expected, [{Z: point} for point in POINTS])


@pytest.mark.parametrize("name", ["logistic", "tanh", "softplus"])
def test_lines_of_smooth_activations_are_identities(name: str) -> None:
    (worked,) = of_activation(ACTIVATIONS[name])
    for line in worked.lines:
        assert (
            sympy.simplify((meaning(line.formula) - sympy.diff(ACTIVATIONS[name].formula, Z)).rewrite(sympy.exp)) == 0
        )


@pytest.mark.parametrize(
    ("name", "ends"),
    [
        ("logistic", ["sigma(z)*(1 - sigma(z))"]),
        ("tanh", ["1 - tanh(z)**2"]),
        ("relu", ["(1 if z > 0 else 0)"]),
        ("leaky_relu", ["(1 if z > 0 else slope)"]),
        ("elu", ["(1 if z > 0 else alpha*exp(z))"]),
        ("selu", ["(lambda if z > 0 else lambda*alpha*exp(z))"]),
        ("hard_sigmoid", ["(0 if z <= -3 else 0 if z >= 3 else 1/6)"]),
        ("identity", ["1"]),
        ("softplus", ["sigma(z)"]),
        ("silu", ["sigma(z) + z*sigma(z)*(1 - sigma(z))"]),
        ("softmax", ["a_k*(1 - a_k)", "-a_j*a_k"]),
    ],
)
def test_the_last_line_is_the_stated_form(name: str, ends: list[str]) -> None:
    assert [plain(worked.lines[-1].formula) for worked in of_activation(ACTIVATIONS[name])] == ends


def test_the_logistic_function_as_a_lecturer_does_it() -> None:
    (worked,) = of_activation(ACTIVATIONS["logistic"])
    assert [(plain(line.formula), line.rules[0]) for line in worked.lines] == [
        ("d/dz[1/(1 + exp(-z))]", "definition"),
        ("-d/dz[1 + exp(-z)]/(1 + exp(-z))**2", "reciprocal"),
        ("-(0 + d/dz[exp(-z)])/(1 + exp(-z))**2", "sum"),
        ("-exp(-z) * d/dz[-z]/(1 + exp(-z))**2", "exp"),
        ("-exp(-z)*(-1)/(1 + exp(-z))**2", "linear"),
        ("exp(-z)/(1 + exp(-z))**2", "tidied"),
        ("1/(1 + exp(-z)) * (exp(-z)/(1 + exp(-z)))", "split"),
        ("1/(1 + exp(-z)) * ((1 + exp(-z) - 1)/(1 + exp(-z)))", "difference"),
        ("1/(1 + exp(-z)) * (1 - 1/(1 + exp(-z)))", "divided"),
        ("sigma(z)*(1 - sigma(z))", "output"),
    ]


def test_tanh_is_derived_from_exponentials() -> None:
    (worked,) = of_activation(ACTIVATIONS["tanh"])
    assert plain(worked.lines[0].formula) == "d/dz[(exp(z) - exp(-z))/(exp(z) + exp(-z))]"
    assert worked.lines[1].rules == ("quotient",)


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_a_kink_is_said_and_only_a_kink(name: str) -> None:
    row = ACTIVATIONS[name]
    assert any("kink" in line.rules for worked in of_activation(row) for line in worked.lines) == row.kink


@pytest.mark.parametrize(("worked", "place"), list(zip(of_activation(ACTIVATIONS["softmax"]), (1, 0), strict=True)))
def test_both_cases_of_softmax(worked: Worked, place: int) -> None:
    """∂a_k/∂z_k and ∂a_j/∂z_k, over three units."""
    shares = [sympy.exp(net) / sum(sympy.exp(each) for each in NETS) for net in NETS]
    points = [dict(zip(NETS, POINTS[k : k + 3], strict=True)) for k in range(4)]
    check(worked, sympy.diff(shares[place], NETS[1]), points)


@pytest.mark.parametrize(("worked", "place"), list(zip(of_activation(ACTIVATIONS["log_softmax"]), (1, 0), strict=True)))
def test_both_cases_of_its_logarithm(worked: Worked, place: int) -> None:
    total = sum(sympy.exp(each) for each in NETS)
    points = [dict(zip(NETS, POINTS[k : k + 3], strict=True)) for k in range(4)]
    check(worked, sympy.diff(NETS[place] - sympy.log(total), NETS[1]), points)


def test_a_page_writes_its_own_names_and_numbers() -> None:
    (worked,) = of_activation(
        ACTIVATIONS["leaky_relu"], Symbol(Name("net", "h1")), Symbol(Name("out", "h1")), constant=Rational(1, 100)
    )
    assert plain(worked.left) == "∂out_h1/∂net_h1"
    assert plain(worked.lines[0].formula) == "∂/∂net_h1[(net_h1 if net_h1 > 0 else 0.01*net_h1)]"
    assert plain(worked.lines[-1].formula) == "(1 if net_h1 > 0 else 0.01)"


def test_a_function_inside_another_is_taken_as_known() -> None:
    (worked,) = of_activation(ACTIVATIONS["silu"])
    assert [row.name for row in worked.uses] == ["logistic"]
    assert any("function" in line.rules for line in worked.lines)


# ---- losses ----------------------------------------------------------------------------------


@pytest.mark.parametrize("row", LOSSES.values(), ids=lambda row: row.name)
def test_every_line_of_a_loss_is_its_derivative(row) -> None:
    worked = of_loss(row, ERROR)
    (equation,) = parse(f"e = {row.element}", {name: Ref(name, ()) for name in ("t", "a", "delta")})
    assert isinstance(equation.expression, Map)
    formula = equation.expression.formula.subs(sympy.Symbol("delta", real=True), LETTERS["delta"])
    points = [{T: t, A: a} for t in (Rational(1, 3), Rational(9, 10)) for a in (Rational(1, 7), Rational(5, 9))]
    points += (
        [] if formula.has(sympy.log) else [{T: Integer(-1), A: Rational(1, 2)}, {T: Integer(2), A: Rational(1, 5)}]
    )
    check(worked, sympy.diff(formula.doit(), A), points)


@pytest.mark.parametrize("row", LOSSES.values(), ids=lambda row: row.name)
def test_the_last_line_of_a_loss_is_what_the_row_states(row) -> None:
    stated = row.stated(T, A) if row.delta is None else row.stated(T, A, LETTERS["delta"])
    found = meaning(of_loss(row, ERROR).lines[-1].formula)
    assert sympy.simplify(found - stated.doit()) == 0


@pytest.mark.parametrize("width", [Integer(1), Rational(3, 2)])
def test_a_number_for_the_constant_of_a_loss(width: Rational) -> None:
    worked = of_loss(LOSSES["huber"], ERROR, width=width)
    expected = LOSSES["huber"].stated(T, A, width).doit()
    points = [{T: t, A: a} for t in (Integer(-2), Rational(1, 3), Integer(3)) for a in (Rational(1, 7), Integer(2))]
    check(worked, expected, points)
    assert not [line for line in worked.lines if "product" in line.rules]


def test_half_the_squared_error_line_by_line() -> None:
    worked = of_loss(LOSSES["half_squared_error"], ERROR)
    assert [plain(line.formula) for line in worked.lines] == [
        "∂/∂a[1/2 * (t - a)**2]",
        "1/2 * ∂/∂a[(t - a)**2]",
        "1/2 * 2 * (t - a) * ∂/∂a[t - a]",
        "1/2 * 2 * (t - a) * (0 - 1)",
        "-(t - a)",
    ]


# ---- any expression of the language ----------------------------------------------------------

NAMES = ("sin", "cos", "tanh", "exp", "erf", "logistic", "silu", "softplus", "gelu", "identity")


def expressions() -> st.SearchStrategy[str]:
    """Texts of the language in z and a constant c, in which nothing is undefined for any numbers."""
    leaves = st.sampled_from(["z", "c", "2", "0.5", "3", "pi"])
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.tuples(inner, st.sampled_from(["+", "-", "*"]), inner).map(lambda p: f"({p[0]} {p[1]} {p[2]})"),
            st.tuples(inner, inner).map(lambda p: f"({p[0]} / (1 + ({p[1]})**2))"),
            st.tuples(st.sampled_from(NAMES), inner).map(lambda p: f"{p[0]}({p[1]})"),
            inner.map(lambda u: f"log(1 + exp({u}))"),
            inner.map(lambda u: f"sqrt(2 + sin({u}))"),
            inner.map(lambda u: f"({u})**3"),
            inner.map(lambda u: f"2**tanh({u})"),
            inner.map(lambda u: f"(2 + cos({u}))**tanh({u})"),
            inner.map(lambda u: f"-({u})"),
            st.tuples(inner, inner).map(lambda p: f"maximum({p[0]}, {p[1]})"),
            inner.map(lambda u: f"abs({u})"),
            inner.map(lambda u: f"leaky_relu({u})"),
        ),
        max_leaves=5,
    )


@settings(max_examples=150, deadline=None)
@given(text=expressions())
def test_any_expression_of_the_language(text: str) -> None:
    (equation,) = parse(f"y = {text}", {"z": Ref("z", ()), "c": Ref("c", ())})
    expression = equation.expression
    if isinstance(expression, Ref):
        return
    assert isinstance(expression, Map)
    c, point = sympy.Symbol("c", real=True), {Z: Rational(5, 9), sympy.Symbol("c", real=True): Rational(-7, 5)}
    worked = of_expression(expression.formula, Z, {c: Symbol(Name("c"))}, ERROR)
    formula = expand(expression.formula).doit()
    reference = (at(formula, {**point, Z: point[Z] + h}) for h in (Rational(1, 10**12), -Rational(1, 10**12)))
    above, below = reference
    slope = at(sympy.diff(formula, Z), point)
    assume(slope.is_number and abs(slope) < 10**6)
    assume(abs((above - below) * 10**12 / 2 - slope) < Rational(1, 10**6) * (1 + abs(slope)))  # not at a kink
    for line in worked.lines:
        found = at(meaning_in(line.formula, c), point)
        assert abs(found - slope) <= Rational(1, 10**15) * (1 + abs(slope)), plain(line.formula)
    assert not pending(worked.lines[-1].formula)


def meaning_in(formula: Formula, c: sympy.Symbol) -> Expr:
    LETTERS["c"] = c
    return meaning(formula)


@pytest.mark.parametrize(
    "condition",
    [
        sympy.And(Z > 1, A < 2),
        sympy.Or(Z > 1, A < 2, T > 0),
        sympy.Not(sympy.And(Z > 1, A < 2)),
        sympy.ITE(Z > 1, A < 2, sympy.false),
        sympy.ITE(Z > 1, sympy.Or(A < 2, T > 0), sympy.And(A < 1, T < 0)),
    ],
    ids=str,
)
def test_a_condition_that_is_no_single_comparison_reads_as_it_is(condition) -> None:
    written = written_condition(condition, {symbol: Symbol(Name(symbol.name)) for symbol in (Z, A, T)})
    for values in itertools.product((Integer(-1), Rational(3, 2), Integer(3)), repeat=3):
        point = dict(zip((Z, A, T), values, strict=True))
        assert meaning(written).subs(point) == condition.subs(point)


def test_a_function_without_a_rule_is_refused() -> None:
    with pytest.raises(TypeError, match="no rule for the derivative of gamma"):
        applied(sympy.gamma(Z), Z)


def test_rules_that_are_never_used_are_not_in_the_table() -> None:
    """Each name of the table is reached by some row or by one of these."""
    texts = [
        "2**z",
        "z**z",
        "sqrt(z)",
        "sin(z)",
        "cos(z)",
        "tanh(2*z)",
        "stop_gradient(z) * z",
        "1 / z",
        "z**3 / (1+z)",
    ]
    used = set()
    for text in texts:
        (equation,) = parse(f"y = {text}", {"z": Ref("z", ())})
        assert isinstance(equation.expression, Map)
        used |= {rule for line in of_expression(equation.expression.formula, Z, {}, ERROR).lines for rule in line.rules}
    used |= {rule for line in of_expression(sympy.tanh(2 * Z), Z, {}, ERROR).lines for rule in line.rules}
    every = [w for row in ACTIVATIONS.values() for w in of_activation(row)]
    every += [of_loss(row, ERROR) for row in LOSSES.values()]
    used |= {rule for worked in every for line in worked.lines for rule in line.rules}
    assert used == set(RULES)


def test_a_call_keeps_its_constant() -> None:
    worked = of_expression(call(ACTIVATIONS["elu"], 2 * Z, constant=Integer(3)), Z, {}, ERROR)
    assert plain(worked.lines[-1].formula) == "2*(1 if 2*z > 0 else 3*exp(2*z))"
