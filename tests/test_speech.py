"""How formulas are spoken: each tree beside its words."""

import pytest
from sample_document import CHAIN, EVERY_FORMULA, error, name, net, one, out, out_h1, target, w5
from test_tex import FORMULAS

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
    sides,
)
from render.typeset.speech import speech, speech_equation, spoken_name

a, b, c, x, z = (name(letter) for letter in "abcxz")
half, two, minus = Number("0.5"), Number("2"), Number("-0.5")
W = Symbol(Name("W", "2", style="bold"))

SPOKEN: list[tuple[Formula, str]] = [
    # names and numbers
    (w5, "w 5"),
    (out, "out o 1"),
    (error, "E total"),
    (name("w", "5", "+"), "w 5 superscript plus"),
    (name("x", "1,2"), "x 1 comma 2"),
    (name("out", "h1", "(2)"), "out h 1 superscript 2 in parentheses"),
    (W, "bold W 2"),
    (Symbol(Name("y", "1", accent="hat")), "y hat 1"),
    (name("σ"), "sigma"),
    (name("Delta"), "capital delta"),
    (Number("0.593269992"), "0.593269992"),
    (Number("-1.5e-43"), "minus 1.5 times 10 to the power of minus 43"),
    # sums, with their parentheses
    (Sum((a, Negative(b), c)), "a minus b plus c"),
    (Sum((a, Negative(Sum((b, c))))), "a minus open parenthesis b plus c close parenthesis"),
    (Sum((a, minus)), "a plus open parenthesis minus 0.5 close parenthesis"),
    (
        Sum((a, Product((minus, b), "dot"))),
        "a plus open parenthesis minus 0.5 close parenthesis times b",
    ),
    (Negative(Sum((target, Negative(out)))), "minus open parenthesis target o 1 minus out o 1 close parenthesis"),
    (Sum((a, Dots(), b)), "a plus and so on plus b"),
    (Sum((Gap(a, "c"), Gap(b))), "blank c plus blank"),
    (Gap(a), "blank"),
    # products
    (Product((w5, out_h1)), "w 5 times out h 1"),
    (Product((half, minus), "dot"), "0.5 times open parenthesis minus 0.5 close parenthesis"),
    (Product((a, Sum((one, Negative(a))))), "a times open parenthesis 1 minus a close parenthesis"),
    (Product((a, b), "hadamard"), "a times, element by element, b"),
    (
        Product((a, Product((b, c), "hadamard"))),
        "a times open parenthesis b times, element by element, c close parenthesis",
    ),
    (
        Product((Partial(a, b), Partial(b, c))),
        "the partial derivative of a with respect to b, times the partial derivative of b with respect to c",
    ),
    # fractions and powers, which say where they end
    (Fraction(one, two), "one half"),
    (Fraction(a, b), "the fraction a over b"),
    (
        Fraction(one, Sum((one, Call("exp", (Negative(net),))))),
        "the fraction with numerator 1 and denominator 1 plus e to the power of minus net o 1, end fraction",
    ),
    (Power(a, two), "a squared"),
    (Power(a, Number("3")), "a cubed"),
    (Power(a, Sum((b, c))), "a to the power of b plus c, end power"),
    (Power(Sum((a, b)), two), "open parenthesis a plus b close parenthesis squared"),
    (Power(Call("tanh", (z,)), two), "open parenthesis the hyperbolic tangent of z close parenthesis squared"),
    (Power(name("w", "5", "+"), two), "open parenthesis w 5 superscript plus close parenthesis squared"),
    # functions
    (Call("log", (a,)), "the natural logarithm of a"),
    (Call("log", (Sum((a, b)),)), "the natural logarithm of open parenthesis a plus b close parenthesis"),
    (Call("sigma", (z,), prime=True), "sigma prime of z"),
    (Call("max", (Number("0"), z)), "the maximum of open parenthesis 0 comma z close parenthesis"),
    (Call("relu", (z,)), "ReLU of z"),
    (Call("f", (z,)), "f of z"),
    (Call("sqrt", (Sum((a, b)),)), "the square root of a plus b, end root"),
    (Call("abs", (a,)), "the absolute value of a"),
    # derivatives
    (Partial(error, w5), "the partial derivative of E total with respect to w 5"),
    (Derivative(Call("sigma", (z,)), z), "the derivative with respect to z of sigma of z, end derivative"),
    (
        Derivative(Power(z, two), z, partial=True),
        "the partial derivative with respect to z of z squared, end derivative",
    ),
    (Mark(1, a), "a"),
    (Mark(2, a, Words("what")), "a, labelled what,"),
    # large things
    (
        BigSum(name("i"), one, name("n"), Sum((x, a))),
        "the sum from i equals 1 to n of open parenthesis x plus a close parenthesis, end sum",
    ),
    (BigSum(name("k"), None, None, x), "the sum over k of x, end sum"),
    (Matrix(((a, b), (one, minus))), "the 2 by 2 matrix, row 1: a, b; row 2: 1, minus 0.5; end matrix"),
    (Matrix(((a,), (b,))), "the column vector a, b, end vector"),
    (Matrix(((a, b),)), "the row vector a, b, end vector"),
    (
        Cases(((z, Relation(z, ">", Number("0"))), (Number("0"), None))),
        "the cases: z if z is greater than 0; 0 otherwise; end cases",
    ),
    (Relation(a, "≤", b), "a is at most b"),
    (Transposed(W), "bold W 2 transposed"),
    (Group(a), "open parenthesis a close parenthesis"),
    (Words("for every example"), "for every example"),
]


@pytest.mark.parametrize(("tree", "spoken"), SPOKEN)
def test_speech(tree: Formula, spoken: str):
    assert speech(tree) == spoken


def test_the_table_has_every_node():
    assert {type(tree) for tree, _ in SPOKEN} == {type(row[0]) for row in FORMULAS}


@pytest.mark.parametrize("tree", [row[0] for row in FORMULAS] + list(EVERY_FORMULA))
def test_every_formula_can_be_spoken(tree: Formula):
    spoken = speech(tree)
    assert spoken
    assert "  " not in spoken
    assert ",," not in spoken


def test_no_two_of_the_formulas_sound_alike():
    """Where a formula is another one with parentheses elsewhere, the words are others too."""
    trees = [
        Sum((a, Product((b, c)))),
        Product((Sum((a, b)), c)),
        Fraction(Sum((a, b)), c),
        Sum((a, Fraction(b, c))),
        Power(a, Sum((b, c))),
        Sum((Power(a, b), c)),
        Call("sqrt", (Sum((a, b)),)),
        Sum((Call("sqrt", (a,)), b)),
        Fraction(one, Product((a, b))),
        Product((Fraction(one, a), b)),
        Product((BigSum(x, None, None, a), b)),
        BigSum(x, None, None, Product((a, b))),
        Negative(Power(a, two)),
        Power(Negative(a), two),
    ]
    assert len({speech(tree) for tree in trees}) == len(trees)


def test_an_equation():
    chain = sides(Partial(error, w5), Product(CHAIN, "dot"), Side(Number("0.082167041"), "≈"))
    assert speech_equation(chain) == (
        "the partial derivative of E total with respect to w 5, equals "
        "the partial derivative of E total with respect to out o 1, labelled error, times "
        "the partial derivative of out o 1 with respect to net o 1, labelled squashing, times "
        "the partial derivative of net o 1 with respect to w 5, labelled weight, is approximately 0.082167041"
    )
    assert speech_equation(sides(w5, half)) == "w 5 equals 0.5"


@pytest.mark.parametrize("sign", ["?", "=="])
def test_an_unknown_sign_is_an_error(sign: str):
    with pytest.raises(ValueError, match="unknown sign"):
        speech(Relation(a, sign, b))


def test_what_is_no_number_and_no_accent_is_an_error():
    with pytest.raises(ValueError, match="not a decimal number"):
        speech(Number("1,5"))
    with pytest.raises(ValueError, match="unknown accent"):
        spoken_name(Name("a", accent="tilde"))
    with pytest.raises(ValueError, match="unknown product sign"):
        speech(Product((a, b), "cross"))
