"""The LaTeX of a document goes through pdfTeX: alone, inside a document of somebody's own, and whatever its text is."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from sample_document import EVERY_FORMULA, EVERYTHING, SAMPLE, out, w5

from derive.formula import Number, Product, Sum, sides
from render.document import Block, Document, Equation, Note, Paragraph, Section, Table, Text
from render.formats import render_text, write

pytestmark = pytest.mark.skipif(shutil.which("latexmk") is None, reason="latexmk is not installed")

HOST = r"""\documentclass[12pt]{report}
\usepackage[T1]{fontenc}
\usepackage{amsmath,amssymb,array,booktabs,longtable,xcolor,tikz}
\usetikzlibrary{arrows.meta}
\usepackage{hyperref}
\definecolor{factor1}{HTML}{000000}
\begin{document}
\chapter{Exercises}
\input{body}
\end{document}
"""


def compiled(folder: Path, name: str) -> str:
    """The log of a run that succeeded, its lines joined again where TeX broke them."""
    command = ["latexmk", "-pdf", "-interaction=nonstopmode", "-halt-on-error", f"{name}.tex"]
    run = subprocess.run(command, cwd=folder, capture_output=True, timeout=180, check=False)
    log = (folder / f"{name}.log").read_text(encoding="latin-1")
    assert run.returncode == 0, "\n".join(re.findall(r"^!.*(?:\n.*){4}", log, re.MULTILINE)) or log[-2000:]
    return log.replace("\n", "")


def overfull(log: str) -> list[float]:
    return [float(points) for points in re.findall(r"Overfull \\hbox \(([\d.]+)pt too wide\)", log)]


@pytest.mark.parametrize("document", [SAMPLE, EVERYTHING], ids=lambda document: document.stem)
def test_a_document_compiles_and_fits_its_lines(tmp_path: Path, document: Document):
    write(document, "latex", tmp_path / "page.tex")
    log = compiled(tmp_path, "page")
    assert [points for points in overfull(log) if points > 5] == []
    assert "undefined" not in log
    assert "Token not allowed" not in log


def test_long_equations_and_tables_fit_the_line(tmp_path: Path):
    blocks: list[Equation | Table | Paragraph] = []
    for count in range(2, 16):
        numbers = tuple(Number(f"0.{k:02d}3269992") for k in range(count))
        products = tuple(Product((number, Number("-0.593269992")), "dot") for number in numbers)
        blocks += [
            Equation(sides(EVERY_FORMULA[0], Sum(products), Number("1.5")), f"sum{count}", boxed=True),
            Equation(sides(EVERY_FORMULA[0], Product(numbers, "dot"), Number("1.5")), f"product{count}"),
            Equation(sides(Sum(products), Product((EVERY_FORMULA[19],) * count)), f"matrices{count}"),
        ]
        cells = tuple((Text("0.123456789"),) for _ in range(count))
        words = ((Text("some words that go on and on " * 4),), *cells[1:])
        blocks.append(
            Table(f"table{count}", (Text("Numbers"),), cells, (cells, cells), (False, *(True,) * (count - 1)))
        )
        blocks.append(Table(f"words{count}", (Text("Words"),), cells, (words,) * 2, (False, *(True,) * (count - 1))))
    blocks.append(
        Table("long", (Text("Long"),), ((Text("n"),),), tuple(((Text(str(k)),),) for k in range(90)), (True,))
    )
    write(Document("Wide", tuple(blocks)), "latex", tmp_path / "page.tex")
    assert [points for points in overfull(compiled(tmp_path, "page")) if points > 5] == []


def pages_of(folder: Path, name: str) -> list[str]:
    """The text of each page of a PDF, its white space as single spaces."""
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not installed")
    subprocess.run(["pdftotext", "-layout", f"{name}.pdf"], cwd=folder, check=True)
    return [" ".join(page.split()) for page in (folder / f"{name}.txt").read_text(encoding="utf-8").split("\f")]


def test_what_belongs_together_stands_on_one_page(tmp_path: Path):
    blocks: list[Block] = []
    cells = ((Text("weight"),), (Text("value"),))
    for k in range(100, 160):
        blocks += [
            Section(
                f"s{k}", (Text(f"Heading{k}"),), (Paragraph((Text(f"First{k} words. " + "More words. " * (k % 7)),)),)
            ),
            Paragraph((Text("Words that fill a line or two of the page. " * (k % 5 + 1) + f"Then follows{k}"),)),
            Equation(sides(w5, out, Number(f"0.{k}")), f"e{k}"),
            Note(f"n{k}", (Text(f"Question{k}?"),), (Paragraph((Text(f"Answer{k}. " + "And why. " * 40),)),)),
            Table(f"t{k}", (Text(f"Caption{k}"),), cells, ((((Text(f"first{k}"),), (Text("1"),)),) * 3), (False, True)),
        ]
    write(Document("Breaks", tuple(blocks)), "latex", tmp_path / "page.tex")
    compiled(tmp_path, "page")
    pages = pages_of(tmp_path, "page")
    assert len(pages) > 20

    def page_of(words: str) -> int:
        return next(number for number, page in enumerate(pages) if words in page)

    for k in range(100, 160):
        assert page_of(f"Heading{k}") == page_of(f"First{k}"), k
        assert page_of(f"follows{k}") == page_of(f"0.{k}"), k
        assert page_of(f"Question{k}") == page_of(f"Answer{k}"), k
        assert page_of(f"Caption{k}") == page_of(f"first{k}"), k


def test_paragraphs_one_after_another_stay_two(tmp_path: Path):
    write(Document("Two", (Paragraph((Text("One."),)), Paragraph((Text("Two."),)))), "latex", tmp_path / "page.tex")
    compiled(tmp_path, "page")
    pages_of(tmp_path, "page")
    assert "One. Two." not in (tmp_path / "page.txt").read_text(encoding="utf-8")


def test_a_fragment_goes_into_a_document_of_ones_own(tmp_path: Path):
    (tmp_path / "host.tex").write_text(HOST, encoding="utf-8")
    (tmp_path / "body.tex").write_text(render_text(SAMPLE, "latex", fragment=True), encoding="utf-8")
    log = compiled(tmp_path, "host")
    assert "undefined" not in log


def test_the_text_of_the_pdf(tmp_path: Path):
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not installed")
    write(SAMPLE, "latex", tmp_path / "page.tex")
    compiled(tmp_path, "page")
    subprocess.run(["pdftotext", "-layout", "page.pdf"], cwd=tmp_path, check=True)
    words = (tmp_path / "page.txt").read_text(encoding="utf-8")
    for expected in (
        "A step by step backpropagation example",
        "1.105905967",
        "0.082167041",
        "Figure 2: The error falls.",
    ):
        assert expected in words
    for number in range(1, 8):
        assert f"({number})" in words
