"""Blanks: as wide as what belongs in them, seen in every format, and what belongs in them is found in none."""

from __future__ import annotations

import pytest
from sample_document import CHAIN, math, text
from sample_document import name as symbol

from derive.formula import Formula, Gap, Matrix, Name, Negative, Number, Partial, Product, Sum, Symbol, Words, sides
from derive.plain import plain
from derive.tex import tex
from derive.tex_names import LATEX_BLACK
from derive.width import WIDEST_GAP, gap_size, width
from render.document import Choices, Document, Equation, ListBlock, Note, Paragraph, Progress, Section, Table, Text
from render.formats import FLAVORS, FORMATS, render_text
from render.typeset.mathml import MATHML, mathml
from render.typeset.speech import speech
from render.typeset.typst import typst

SECRETS = ("4711", "Geheim", "secret")
ANSWERS: list[Formula] = [
    Number("-0.4711"),
    Symbol(Name("Geheim", "4711", "secret")),
    Partial(symbol("Geheim"), symbol("secret")),
    Product((Words("secret"), Number("4711"))),
    Matrix(((Number("4711"), Symbol(Name("Geheim"))),)),
]
PRINTERS = {
    "TeX": tex,
    "TeX to paste": lambda tree: tex(tree, LATEX_BLACK),
    "MathML": lambda tree: mathml(tex(tree, MATHML)),
    "Typst": typst,
    "speech": speech,
    "plain": plain,
}
WRITTEN = [(name, flavor) for name in FORMATS for flavor in (FLAVORS if name == "markdown" else ("github",))]


def everywhere(gap: Gap) -> Document:
    """A document that has the blank wherever a formula may stand."""
    line = (Text("Here "), math(gap))
    return Document(
        title="Blanks",
        subtitle=line,
        blocks=(
            Section(
                "s",
                line,
                (
                    Paragraph(line),
                    Equation(sides(symbol("w"), gap, Sum((gap, Negative(gap)))), "e", boxed=True),
                    Equation(sides(symbol("w"), Product((CHAIN[0], gap), "dot"), gap), "f", boxed=True),
                    ListBlock((line,)),
                    Table("t", line, (line, text("b")), ((line, (math(gap),)),), (False, True)),
                    Note("n", line, (Paragraph(line),)),
                    Progress(((gap, True),)),
                    Choices((line,)),
                ),
            ),
        ),
    )


@pytest.mark.parametrize("answer", ANSWERS, ids=plain)
@pytest.mark.parametrize("printer", PRINTERS)
def test_no_printer_writes_the_answer(printer: str, answer: Formula) -> None:
    for mark in ("", "a"):
        written = PRINTERS[printer](Gap(answer, mark))
        assert written
        assert not [secret for secret in SECRETS if secret in written]
        assert ("a" in written.replace("chainrulegap", "").replace("blank", "")) >= bool(mark)


@pytest.mark.parametrize("answer", ANSWERS, ids=plain)
@pytest.mark.parametrize(("name", "flavor"), WRITTEN)
def test_no_format_writes_the_answer(name: str, flavor: str, answer: Formula) -> None:
    made = render_text(everywhere(Gap(answer)), name, flavor=flavor)
    made = made.partition("</style>")[2].partition("<script>")[0] or made  # base64 may spell anything
    letters = "".join(c for c in made if c.isalnum())  # a name may be spelt with spaces: G e h e i m
    assert not [secret for secret in SECRETS if secret in letters]


@pytest.mark.parametrize(("name", "flavor"), WRITTEN)
def test_two_answers_of_one_width_are_the_same_document(name: str, flavor: str) -> None:
    one, other = (render_text(everywhere(Gap(Number(text))), name, flavor=flavor) for text in ("0.1234", "-0.999"))
    assert one == other


@pytest.mark.parametrize(
    ("answer", "size"),
    [
        (Number("1"), (3, 1.7)),
        (Number("0.0821670406"), (10, 1.7)),
        (Number("-0.082167040"), (10, 1.7)),
        (Partial(symbol("E"), symbol("w")), (3, 3.2)),
        (Sum(tuple(Number("0.12345678") for _ in range(9))), (WIDEST_GAP, 3.4)),
    ],
)
def test_a_blank_has_room_for_handwriting(answer: Formula, size: tuple[float, float]) -> None:
    assert gap_size(Gap(answer)) == size
    assert size[0] >= min(1.6 * width(answer), WIDEST_GAP)
    assert width(Gap(answer)) > size[0]


def test_a_blank_stands_apart_from_its_neighbours() -> None:
    half = Gap(Number("0.5"))
    assert tex(Product((symbol("w"), half, symbol("x"))), LATEX_BLACK).count(r"\cdot") == 2


def test_a_blank_for_the_result_is_boxed_once() -> None:
    boxed, plain_ = (
        Document("t", (Equation(sides(symbol("w"), Gap(Number("1"))), boxed=boxed),)) for boxed in (True, False)
    )
    for name in FORMATS:
        one, other = render_text(boxed, name), render_text(plain_, name)
        assert one.replace(" result", "") == other


def test_a_blank_is_spoken_and_not_only_drawn() -> None:
    page = render_text(everywhere(Gap(Number("1"), "a")), "html")
    assert "<mtext>blank</mtext></mrow><mtext>a</mtext></munder>" in page
    assert '#formula("blank a", ' in render_text(everywhere(Gap(Number("1"), "a")), "pdf")
