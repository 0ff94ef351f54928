"""How formulas are written: each tree beside its TeX and its plain text."""

import re

import pytest
from sample_document import (
    CHAIN,
    EVERY_FORMULA,
    HOSTILE,
    b2,
    error,
    name,
    net,
    one,
    out,
    out_h1,
    out_h2,
    target,
    w5,
    w6,
)

from derive import formula
from derive.formula import (
    BigSum,
    Call,
    Cases,
    Derivative,
    Dots,
    Formula,
    Fraction,
    Gap,
    Group,
    Mark,
    Matrix,
    Name,
    Negative,
    Number,
    Partial,
    Power,
    Product,
    Relation,
    Side,
    Sum,
    Symbol,
    Transposed,
    Words,
    children,
    sides,
)
from derive.plain import plain, plain_equation
from derive.tex import tex, tex_equation, tex_pieces
from derive.tex_names import LATEX, LATEX_INLINE, escape_text
from derive.width import equation_width, width
from render.typeset.lines import display
from render.typeset.mathml import MATHML, mathml

a, b, c, x, z = (name(letter) for letter in "abcxz")
half, two, minus = Number("0.5"), Number("2"), Number("-0.5")
W = Symbol(Name("W", "2", style="bold"))

FORMULAS: list[tuple[Formula, str, str]] = [
    # names
    (w5, r"w_{5}", "w5"),
    (out, r"\mathit{out}_{o1}", "out_o1"),
    (error, r"E_{\mathrm{total}}", "E_total"),
    (name("delta", "h12"), r"\delta_{h12}", "delta_h12"),
    (name("w", "5", "+"), r"w_{5}^{+}", "w5+"),
    (name("x", "1,2"), r"x_{1{,}2}", "x_1,2"),
    (W, r"\mathbf{W}_{2}", "W2"),
    (Symbol(Name("delta", style="bold")), r"\boldsymbol{\delta}", "delta"),
    (Symbol(Name("net", style="roman")), r"\mathrm{net}", "net"),
    (Symbol(Name("y", "1", accent="hat")), r"\hat{y}_{1}", "y_hat_1"),
    (Symbol(Name("σ")), r"\sigma", "σ"),
    (Symbol(Name("a_b", "c d")), r"\text{a\_b}_{c\text{ }d}", "a_b_c d"),
    # numbers
    (Number("0.593269992"), "0.593269992", "0.593269992"),
    (Number("1.5e-43"), r"1.5 \cdot 10^{-43}", "1.5e-43"),
    (Number("-2e+05"), r"-2 \cdot 10^{5}", "-2e+05"),
    # sums and signs
    (Sum((a, Negative(b), c)), "a - b + c", "a - b + c"),
    (Sum((a, Negative(Sum((b, c))))), "a - (b + c)", "a - (b + c)"),
    (Sum((a, minus)), "a + (-0.5)", "a + (-0.5)"),
    (Sum((minus, a)), "-0.5 + a", "-0.5 + a"),
    (Sum((a, Negative(minus))), "a - (-0.5)", "a - (-0.5)"),
    (Sum((a, Product((minus, b), "dot"))), r"a + (-0.5) \cdot b", "a + (-0.5)*b"),
    (Sum((a, Product((Negative(b), c)))), "a + (-b) c", "a + (-b)*c"),
    (Negative(Sum((target, Negative(out)))), r"-(\mathit{target}_{o1} - \mathit{out}_{o1})", "-(target_o1 - out_o1)"),
    (Negative(Negative(a)), "-(-a)", "-(-a)"),
    (Sum((a, Dots(), b)), r"a + \cdots + b", "a + ... + b"),
    (Sum((Gap(half), b)), r"\chainrulegap{3em}{1.7em}{0.55em} + b", "____ + b"),
    (Gap(half, "a"), r"\underset{\text{a}}{\chainrulegap{3em}{1.7em}{0.55em}}", "__a__"),
    # products
    (Product((w5, out_h1)), r"w_{5} \, \mathit{out}_{h1}", "w5*out_h1"),
    (Product((out_h1, out_h2)), r"\mathit{out}_{h1} \cdot \mathit{out}_{h2}", "out_h1*out_h2"),
    (Product((half, two)), r"0.5 \cdot 2", "0.5*2"),
    (Product((half, minus)), r"0.5 \cdot (-0.5)", "0.5*(-0.5)"),
    (Product((minus, half)), r"-0.5 \cdot 0.5", "-0.5*0.5"),
    (Product((b2, one)), r"b_{2} \cdot 1", "b2*1"),
    (Product((a, Sum((one, Negative(a))))), "a (1 - a)", "a*(1 - a)"),
    (Product((a, b), "dot"), r"a \cdot b", "a*b"),
    (Product((a, b), "hadamard"), r"a \odot b", "a ⊙ b"),
    (Product((a, b), "times"), r"a \times b", "a*b"),
    (Product((a, Product((b, c), "hadamard"))), r"a (b \odot c)", "a*(b ⊙ c)"),
    (Product((Product((Transposed(W), z)), a), "hadamard"), r"(\mathbf{W}_{2}^{\top} z) \odot a", "(W2.T*z) ⊙ a"),
    (Product((two, Fraction(one, a))), r"2 \cdot \frac{1}{a}", "2 * (1/a)"),
    # fractions and powers
    (Fraction(one, Sum((one, a))), r"\frac{1}{1 + a}", "1/(1 + a)"),
    (Fraction(one, Product((a, b))), r"\frac{1}{a b}", "1/(a*b)"),
    (Fraction(minus, Power(a, two)), r"\frac{-0.5}{a^{2}}", "-0.5/a**2"),
    (Power(Sum((a, b)), two), "(a + b)^{2}", "(a + b)**2"),
    (Power(minus, two), "(-0.5)^{2}", "(-0.5)**2"),
    (Power(Number("1.5e-43"), two), r"(1.5 \cdot 10^{-43})^{2}", "1.5e-43**2"),
    (Power(Fraction(a, b), two), r"\left(\frac{a}{b}\right)^{2}", "(a/b)**2"),
    (Power(Call("tanh", (z,)), two), r"(\tanh(z))^{2}", "tanh(z)**2"),
    (Power(name("w", "5", "+"), two), "(w_{5}^{+})^{2}", "(w5+)**2"),
    (Power(Power(a, b), two), "(a^{b})^{2}", "(a**b)**2"),
    # functions
    (Call("exp", (Negative(net),)), r"e^{-\mathit{net}_{o1}}", "exp(-net_o1)"),
    (Call("exp", (Fraction(a, b),)), r"\exp\left(\frac{a}{b}\right)", "exp(a/b)"),
    (Call("log", (a,)), r"\ln(a)", "log(a)"),
    (Call("sigma", (z,), prime=True), r"\sigma'(z)", "sigma'(z)"),
    (Call("max", (Number("0"), z)), r"\max(0,\, z)", "max(0, z)"),
    (Call("relu", (z,)), r"\operatorname{ReLU}(z)", "relu(z)"),
    (Call("softmax", (z,)), r"\operatorname{softmax}(z)", "softmax(z)"),
    (Call("f", (z,)), "f(z)", "f(z)"),
    (Call("my fun", (z,)), r"\text{my fun}(z)", "my fun(z)"),
    (Call("sqrt", (Sum((a, b)),)), r"\sqrt{a + b}", "sqrt(a + b)"),
    (Call("abs", (Fraction(a, b),)), r"\left|\frac{a}{b}\right|", "abs(a/b)"),
    # derivatives and the chain rule
    (Partial(error, w5), r"\frac{\partial E_{\mathrm{total}}}{\partial w_{5}}", "∂E_total/∂w5"),
    (Derivative(Call("sigma", (z,)), z), r"\frac{d}{d z}[\sigma(z)]", "d/dz[sigma(z)]"),
    (
        Derivative(Power(z, two), z, partial=True),
        r"\frac{\partial}{\partial z}[z^{2}]",
        "∂/∂z[z**2]",
    ),
    (
        Product((Partial(a, b), Partial(b, c))),
        r"\frac{\partial a}{\partial b} \cdot \frac{\partial b}{\partial c}",
        "∂a/∂b * ∂b/∂c",
    ),
    (Mark(1, a), r"\textcolor{factor1}{a}", "a"),
    (Mark(8, a), r"\textcolor{factor2}{a}", "a"),
    (Mark(2, a, Words("what")), r"\underbrace{\textcolor{factor2}{a}}_{\text{what}}", "a"),
    (Product((Mark(1, Sum((a, b))), c)), r"\textcolor{factor1}{(a + b)} c", "(a + b)*c"),
    (Sum((a, Mark(1, minus))), r"a + \textcolor{factor1}{(-0.5)}", "a + (-0.5)"),
    (Power(Mark(1, Sum((a, b))), two), r"\textcolor{factor1}{(a + b)}^{2}", "(a + b)**2"),
    # large things
    (BigSum(name("i"), one, name("n"), Sum((x, a))), r"\sum_{i=1}^{n} (x + a)", "sum(x + a for i = 1..n)"),
    (BigSum(name("k"), None, None, x), r"\sum_{k} x", "sum(x for k)"),
    (Product((BigSum(name("k"), None, None, x), a)), r"\left(\sum_{k} x\right) a", "sum(x for k)*a"),
    (Matrix(((a, b), (one, minus))), r"\begin{bmatrix} a & b \\ 1 & -0.5 \end{bmatrix}", "[[a, b], [1, -0.5]]"),
    (
        Cases(((z, Relation(z, ">", Number("0"))), (Number("0"), None))),
        r"\begin{cases} z & \text{if } z > 0 \\ 0 & \text{otherwise} \end{cases}",
        "(z if z > 0 else 0)",
    ),
    (Relation(a, "≤", b), r"a \le b", "a <= b"),
    (Transposed(Sum((a, b))), r"(a + b)^{\top}", "(a + b).T"),
    (Group(a), "(a)", "(a)"),
    (Words("50 % of {x}"), r"\text{50 \% of \{x\}}", "50 % of {x}"),
]


@pytest.mark.parametrize(("tree", "written", "_plain"), FORMULAS)
def test_tex(tree: Formula, written: str, _plain: str):
    assert tex(tree) == written


IN_A_LINE: list[tuple[Formula, str]] = [
    (Partial(error, w5), r"\partial E_{\mathrm{total}}/\partial w_{5}"),
    (Product((a, Partial(b, c))), r"a \, \partial b/\partial c"),
    (Product((Partial(a, b), Partial(b, c))), r"\partial a/\partial b \cdot \partial b/\partial c"),
    (Power(Partial(a, b), two), r"(\partial a/\partial b)^{2}"),
    (Power(Mark(1, Partial(a, b)), two), r"\textcolor{factor1}{(\partial a/\partial b)}^{2}"),
    (Fraction(one, Sum((one, Call("exp", (Negative(z),))))), r"1/(1 + e^{-z})"),
    (Fraction(Sum((a, b)), Product((b, c))), r"(a + b)/(b c)"),
    (Fraction(Fraction(a, b), Fraction(b, c)), r"a/b/(b/c)"),
    (Product((Fraction(one, two), Power(a, two))), r"\frac{1}{2} \, a^{2}"),
    (Call("exp", (Fraction(a, b),)), r"e^{a/b}"),
    (Call("abs", (Fraction(a, b),)), r"\lvert a/b\rvert "),
    (Call("tanh", (Matrix(((a,),)),)), r"\tanh\left(\begin{bmatrix} a \end{bmatrix}\right)"),
]


@pytest.mark.parametrize(("tree", "written"), IN_A_LINE)
def test_in_a_line_fractions_have_a_slash(tree: Formula, written: str):
    assert tex(tree, LATEX_INLINE) == written


SIDE_BY_SIDE: list[tuple[Formula, Formula, str]] = [
    (w5, out_h1, r"\,"),
    (out_h1, w5, r"\,"),
    (name("delta", "o1"), out_h1, r"\,"),
    (name("eta"), Partial(error, w5), r"\,"),
    (Fraction(one, two), Power(Group(Sum((a, b))), two), r"\,"),
    (a, b, ""),
    (out_h1, Sum((one, Negative(out_h1))), ""),
    (Number("-0.5"), Call("log", (half,)), r"\cdot"),
    (a, Call("log", (half,)), ""),
    (half, Power(half, two), r"\cdot"),
]


@pytest.mark.parametrize(("left", "right", "between"), SIDE_BY_SIDE)
def test_factors_that_would_run_together_are_kept_apart(left: Formula, right: Formula, between: str):
    (_, first, _), (sign, second, _) = tex_pieces(Product((left, right)))
    assert sign == between
    assert tex(Product((left, right))) == " ".join(part for part in (first, sign, second) if part)


@pytest.mark.parametrize(("tree", "_tex", "written"), FORMULAS)
def test_plain(tree: Formula, _tex: str, written: str):
    assert plain(tree) == written


def test_the_tables_above_have_every_node():
    def nodes(tree: Formula) -> set[type]:
        return {type(tree)}.union(*(nodes(child) for child in children(tree)))

    known = {kind for kind in vars(formula).values() if isinstance(kind, type) and issubclass(kind, Formula)}
    assert set().union(*(nodes(row[0]) for row in FORMULAS)) == known - {Formula}
    assert set().union(*(nodes(tree) for tree in EVERY_FORMULA)) == known - {Formula}


@pytest.mark.parametrize("tree", [row[0] for row in FORMULAS] + list(EVERY_FORMULA))
@pytest.mark.parametrize("block", [False, True])
def test_every_formula_converts_to_mathml(tree: Formula, block: bool):
    made = mathml(tex(tree, MATHML), display=block)
    assert made.startswith("<math")
    assert "merror" not in made
    assert "color:" not in made
    assert width(tree) > 0


def test_an_equation_in_one_line():
    line = sides(a, Sum((b, c)), Side(half, "≈"))
    assert tex_equation(line) == r"a = b + c \approx 0.5"
    assert plain_equation(line) == "a = b + c ≈ 0.5"


def test_colours_become_classes_that_the_page_can_darken():
    made = mathml(tex(Product(CHAIN, "dot"), MATHML), display=True)
    assert [f'class="factor{k}"' in made for k in (1, 2, 3)] == [True] * 3
    assert "⏟" in made


def test_a_number_stays_one_token():
    assert "<mn>0.593269992</mn>" in mathml(tex(Number("0.593269992"), MATHML))


def test_text_in_a_formula_stays_text():
    made = mathml(tex(Words('<mrow style="color:#0073C0;"><menclose notation="box">'), MATHML))
    assert "<menclose" not in made
    assert "factor" not in made
    assert "boxed" not in made
    for command in ("input", "VAR"):
        assert f"\\{command}" not in escape_text(HOSTILE)


@pytest.mark.parametrize("text", ["1,5", "", "nan", "0x1", "1e", "--1", r"\input"])
def test_only_decimal_text_is_a_number(text: str):
    with pytest.raises(ValueError, match="not a decimal number"):
        tex(Number(text))


def test_unknown_signs_are_errors():
    with pytest.raises(ValueError, match="unknown sign"):
        tex(Relation(a, "?", b))
    with pytest.raises(ValueError, match="unknown product sign"):
        tex(Product((a, b), "cross"))


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("50 % of_x & {y} #1 $2 ^~", r"50 \% of\_x \& \{y\} \#1 \$2 \textasciicircum{}\textasciitilde{}"),
        ("\\input{x}", r"\textbackslash{}input\{x\}"),
        ("a -- b << c", r"a -{}- b <{}< c"),
        ("∂E/∂w ≈ δ", r"\ensuremath{\partial}E/\ensuremath{\partial}w \ensuremath{\approx} \ensuremath{\delta}"),
        ("日", r"\unicodechar{65E5}"),
        ("a\u0301\n\tb\x00\u202e", "á b"),
    ],
)
def test_text_for_latex(text: str, escaped: str):
    assert escape_text(text) == escaped


def test_a_short_equation_stays_in_one_line():
    made = display(sides(a, b, c), LATEX, room=30)
    assert made.tex == "a = b = c"
    assert not made.wide


def test_a_long_equation_is_aligned_at_its_signs_and_broken_before_operators():
    terms = tuple(Product((name("w", str(k)), name("out", f"h{k}"))) for k in range(12))
    made = display(sides(net, Sum(terms), half), LATEX, room=30)
    lines = made.tex.split(r" \\ ")
    assert made.tex.startswith(r"\begin{aligned} \mathit{net}_{o1} & = w_{0}")
    assert [re.match(r"& (=|\\quad \{\} \+)", line) is not None for line in lines[1:]] == [True] * (len(lines) - 1)
    assert not made.wide
    # nothing is lost and nothing is added
    assert [f"w_{{{k}}}" in made.tex for k in range(12)] == [True] * 12
    assert made.tex.count("+") == 11
    assert mathml(made.tex, display=True).count("<mtr>") == len(lines)


def test_a_long_first_side_stands_alone():
    terms = tuple(name("w", str(k)) for k in range(20))
    made = display(sides(Sum(terms), half), LATEX, room=30)
    assert made.tex.count(r"\\") == 1
    assert r"& \quad = 0.5" in made.tex


def test_the_last_side_is_boxed_in_one_line_and_in_many():
    assert display(sides(a, b), LATEX, room=30, boxed=True).tex == r"a = \boxed{b}"
    many = display(sides(a, Sum(tuple(name("w", str(k)) for k in range(40))), half), LATEX, room=30, boxed=True)
    assert many.tex.endswith(r"& = \boxed{0.5} \end{aligned}")
    assert 'class="boxed"' in mathml(many.tex, display=True)


def test_what_cannot_be_broken_is_reported_as_wide():
    numbers = tuple(Number("0.123456789") for _ in range(12))
    assert display(sides(a, Matrix((numbers,))), LATEX, room=30).wide


def test_a_matrix_of_more_than_ten_columns():
    made = tex(Matrix((tuple(Number(str(k)) for k in range(12)),)))
    assert r"\begin{array}{cccccccccccc}" in made
    assert mathml(made).count("<mtd>") == 12


def test_the_estimated_width_grows_with_the_formula():
    assert equation_width(sides(w5, w6)) > width(w5) + width(w6)
