"""How formulas and text are written for Typst, and that its compiler takes all of it."""

import json

import pytest
from sample_document import CHAIN, EVERY_FORMULA, HOSTILE, error, name, net, one, out, out_h1, w5
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
from render.document import Code, Document, Emphasis, Equation, Math, Paragraph, Strong, Text
from render.formats import render_text
from render.typeset.lines import TYPST, set_lines
from render.typeset.typst import escape_markup, string, typst, typst_equation

compiler = pytest.importorskip("typst", reason="the PDF compiler is not installed")

a, b, c, x, z = (name(letter) for letter in "abcxz")
half, two, minus = Number("0.5"), Number("2"), Number("-0.5")
W = Symbol(Name("W", "2", style="bold"))

# tree, as displayed, in a line of text ("" where it is the same)
WRITTEN: list[tuple[Formula, str, str]] = [
    (w5, "w_(5)", ""),
    (out, "word(o u t)_(o 1)", ""),
    (error, 'E_(roman("total"))', ""),
    (name("w", "5", "+"), "w_(5)^(+)", ""),
    (name("x", "1,2"), 'x_(1 "," 2)', ""),
    (W, "thick(W)_(2)", ""),
    (Symbol(Name("delta", style="bold")), "bold(δ)", ""),
    (Symbol(Name("y", "1", "(2)", accent="hat")), r"hat(y)_(1)^(\( 2 \))", ""),
    (name("größe"), 'roman("größe")', ""),
    (Number("-2e+05"), "-2 ⋅ 10^(5)", ""),
    (Sum((a, Negative(Sum((b, c))))), r"a - \(b + c\)", ""),
    (Sum((a, Product((minus, b), "dot"))), r"a + \(-0.5\) ⋅ b", ""),
    (Sum((a, Dots(), b)), "a + ⋯ + b", ""),
    (Product((Gap(a, "c"), b)), 'gap(#3em, #1.7em, "c") ⋅ b', ""),
    (Gap(a), 'gap(#3em, #1.7em, "")', ""),
    (Product((w5, out_h1)), "w_(5) thin word(o u t)_(h 1)", ""),
    (Product((a, b), "hadamard"), "a ⊙ b", ""),
    (Product((a, b), "times"), "a × b", ""),
    (Product((two, Fraction(one, a))), "2 ⋅ frac(1, a)", "2 ⋅ 1 slash a"),
    (Fraction(one, Sum((one, a))), "frac(1, 1 + a)", r"1 slash \(1 + a\)"),
    (Power(Fraction(a, b), two), "(frac(a, b))^(2)", r"\(a slash b\)^(2)"),
    (Power(Call("tanh", (z,)), two), r'\(op("tanh") \(z\)\)^(2)', ""),
    (Call("exp", (Negative(net),)), "e^(-word(n e t)_(o 1))", ""),
    (Call("exp", (Fraction(a, b),)), 'op("exp") (frac(a, b))', "e^(a slash b)"),
    (Call("sigma", (z,), prime=True), r"σ' \(z\)", ""),
    (Call("max", (Number("0"), z)), r'op("max") \(0 comma z\)', ""),
    (Call("sqrt", (Sum((a, b)),)), "sqrt(a + b)", ""),
    (Call("abs", (Fraction(a, b),)), "abs(frac(a, b))", "abs(a slash b)"),
    (Partial(error, w5), 'frac(∂ E_(roman("total")), ∂ w_(5))', '∂ E_(roman("total")) slash ∂ w_(5)'),
    (Derivative(Call("sigma", (z,)), z), "frac(d, d z) \\[σ \\(z\\)\\]", "d slash d z \\[σ \\(z\\)\\]"),
    (Derivative(Power(z, two), z, partial=True), "frac(∂, ∂ z) \\[z^(2)\\]", "∂ slash ∂ z \\[z^(2)\\]"),
    (Mark(8, a), "factor(#2, a)", ""),
    (Mark(2, a, Words("what")), 'underbrace(factor(#2, a), "what")', ""),
    (BigSum(name("i"), one, name("n"), Sum((x, a))), r"sum_(i = 1)^(n) \(x + a\)", ""),
    (Matrix(((a, b), (one, minus))), 'mat(delim: "[", thin a, b thin; thin 1, -0.5 thin)', ""),
    (
        Cases(((z, Relation(z, ">", Number("0"))), (Number("0"), None))),
        'cases(z & quad "if" z > 0, 0 & quad "otherwise")',
        "",
    ),
    (Relation(a, "≤", b), "a ≤ b", ""),
    (Transposed(W), "thick(W)_(2)^⊤", ""),
    (Group(a), r"\(a\)", ""),
    (Negative(Negative(a)), r"-\(-a\)", ""),
    (Words('50 % of "x" \\ #y'), r'"50 % of \"x\" \\ #y"', ""),
]


@pytest.mark.parametrize(("tree", "displayed", "inline"), WRITTEN)
def test_typst(tree: Formula, displayed: str, inline: str):
    assert typst(tree) == displayed
    assert typst(tree, inline=True) == (inline or displayed)


def test_the_table_has_every_node():
    assert {type(tree) for tree, _, _ in WRITTEN} == {type(row[0]) for row in FORMULAS}


def test_every_formula_compiles():
    """One document with all of them, displayed and in a line: the compiler takes it, and sees every one."""
    trees = [row[0] for row in FORMULAS] + list(EVERY_FORMULA)
    blocks = [Equation(sides(tree)) for tree in trees]
    lines = [Paragraph((Math(sides(tree, one)),)) for tree in trees]
    source = render_text(Document(title="t", blocks=(*blocks, *lines)), "pdf")
    found = json.loads(compiler.query(source.encode(), "math.equation", field="block", ignore_system_fonts=True))
    assert found.count(True) == len(trees)
    assert found.count(False) == len(trees)


HOSTILE_TEXTS = [
    HOSTILE,
    "#import \"x\": *", "#panic()", "$x$", "@label", "<label>", "*bold* _emph_", "back\\slash", "`raw`", "// comment",
    "/* comment", "= heading", "- item", "+ item", "/ term: x", "1. one", "-- --- ...", "~", "'quotes' \"too\"",
    "https://example.org", "[content]", "]", "{", "#{", "\\u{41}", "a\\", ";", "(x).y", ".len()", "www.example.org",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE_TEXTS)
def test_hostile_text_is_text_to_the_letter(text: str):
    """What the compiler makes of the source is the characters that went in, after every other inline too."""
    shown = [Text(text), Math(sides(w5)), Text(text), Emphasis(text), Strong(text), Code(text)]
    source = render_text(Document(title=text, blocks=(Paragraph(tuple(shown)),)), "pdf")
    probe = source.split("#title()")[0] + '\n#let show-text(it) = if it.has("text") { it.text } else if '
    probe += 'it.has("children") { it.children.map(show-text).join("") } else if it.has("body") '
    probe += '{ show-text(it.body) } else if it.has("child") { show-text(it.child) } else { " " }\n'
    probe += f"#metadata(show-text([{escape_markup(text)}])) <written>\n"
    (written,) = json.loads(compiler.query(probe.encode(), "<written>", field="value", ignore_system_fonts=True))
    assert written == text
    assert compiler.compile(source.encode(), format="pdf", pdf_standards=["ua-1"], ignore_system_fonts=True)


def test_a_string_is_a_string():
    assert string('a"b\\c\n#d') == r'"a\"b\\c #d"'


def test_equations_are_broken_where_those_of_latex_are():
    terms = tuple(Product((name("w", str(k)), name("out", f"h{k}"))) for k in range(12))
    made = set_lines(sides(net, Sum(terms), half), TYPST, room=30)
    lines = made.tex.split(" \\ ")
    assert made.tex.startswith("word(n e t)_(o 1) & = w_(0)")
    assert all(line.startswith(("& =", '& quad "" +')) for line in lines[1:])
    assert made.tex.count("+") == 11
    boxed = set_lines(sides(a, b), TYPST, room=30, boxed=True)
    assert boxed.tex == "a = boxed(b)"


def test_an_equation_in_one_line():
    line = sides(Partial(error, w5), Product(CHAIN, "dot"), Side(half, "≈"))
    assert typst_equation(line, inline=True).startswith('∂ E_(roman("total")) slash ∂ w_(5) = underbrace(factor(#1, ')


@pytest.mark.parametrize("text", ["1,5", "", "nan", "0x1", "--1", "#x"])
def test_only_decimal_text_is_a_number(text: str):
    with pytest.raises(ValueError, match="not a decimal number"):
        typst(Number(text))


def test_unknown_signs_styles_and_accents_are_errors():
    with pytest.raises(ValueError, match="unknown sign"):
        typst(Relation(a, "?", b))
    with pytest.raises(ValueError, match="unknown product sign"):
        typst(Product((a, b), "cross"))
    with pytest.raises(ValueError, match="unknown style"):
        typst(Symbol(Name("a", style="fancy")))
    with pytest.raises(ValueError, match="unknown accent"):
        typst(Symbol(Name("a", accent="tilde")))
