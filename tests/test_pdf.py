"""PDFs, read back by an independent reader: text, tags, spoken text, bookmarks, and the same bytes each time."""

import io
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sample_document import EVERYTHING, HOSTILE, SAMPLE, math, name, text, w5

import derive
import render
from derive.errors import ChainruleError, MissingDependency
from derive.formula import Mark, Number, Product, Sum, sides
from render import formats
from render.document import Document, Equation, Figure, Math, Note, Paragraph, Section, Table
from render.formats import FORMATS, render_text, write
from render.numbering import plain_text
from render.typeset import pdf
from render.typeset.speech import speech_equation

pytest.importorskip("typst", reason="the PDF compiler is not installed")
pypdf = pytest.importorskip("pypdf", reason="the PDF reader is not installed")
PROBLEMS = ("mazur", "xor", "softmax", "relu", "symbolic")


def made(document: Document) -> bytes:
    return pdf.compile_pdf(render_text(document, "pdf"))


def page(*blocks) -> Document:
    return Document(title="t", blocks=blocks)


def worked(problem: str) -> Document:
    return render.worked_example(derive.differentiate(problem)).document


def elements(reader) -> Iterator[dict]:
    """Every element of the structure tree, in reading order."""

    def walk(element) -> Iterator[dict]:
        element = element.get_object()
        if isinstance(element, list):
            for each in element:
                yield from walk(each)
        elif isinstance(element, dict):
            if "/S" in element:
                yield element
            if "/K" in element:
                yield from walk(element["/K"])

    yield from walk(reader.trailer["/Root"]["/StructTreeRoot"])


def alternatives(reader, kind: str) -> list[str]:
    return [str(each.get("/Alt", "MISSING")) for each in elements(reader) if each["/S"] == kind]


def blocks_of(blocks) -> Iterator:
    for block in blocks:
        yield block
        if isinstance(block, Section | Note):
            yield from blocks_of(block.blocks)


@pytest.fixture(scope="module", params=PROBLEMS)
def example(request):
    document = worked(request.param)
    return document, pypdf.PdfReader(io.BytesIO(made(document)))


def test_it_says_what_it_is(example):
    document, reader = example
    root = reader.trailer["/Root"]
    assert root["/Lang"] == "en"
    assert root["/MarkInfo"]["/Marked"]
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert reader.metadata.title == document.title
    assert reader.xmp_metadata.dc_title["x-default"] == document.title
    assert b"pdfuaid" in root["/Metadata"].get_object().get_data()


def test_every_formula_and_every_figure_is_spoken(example):
    document, reader = example
    spoken = alternatives(reader, "/Formula")
    assert "MISSING" not in spoken
    blocks = list(blocks_of(document.blocks))
    displayed = [speech_equation(block.sides) for block in blocks if isinstance(block, Equation)]
    for each in displayed:
        assert each in spoken
    told = alternatives(reader, "/Figure")
    figures = [block.alternative for block in blocks if isinstance(block, Figure)]
    assert [each for each in told if each not in ("known", "still to find")] == figures


def test_every_block_has_its_tag(example):
    document, reader = example
    kinds = [each["/S"] for each in elements(reader)]
    blocks = list(blocks_of(document.blocks))
    assert kinds.count("/Title") == 1
    assert sum(kinds.count(f"/H{level}") for level in range(1, 7)) == sum(isinstance(b, Section) for b in blocks)
    assert kinds.count("/Table") >= sum(isinstance(block, Table) for block in blocks)
    assert kinds.count("/THead") == kinds.count("/Table")
    assert kinds.count("/Caption") == sum(isinstance(block, Table | Figure) for block in blocks)


def test_the_bookmarks_are_the_headings(example):
    document, reader = example

    def titles(outline) -> list[str]:
        return [each for entry in outline for each in (titles(entry) if isinstance(entry, list) else [entry.title])]

    found = titles(reader.outline)
    assert len(found) == sum(isinstance(block, Section) for block in blocks_of(document.blocks))
    assert found[0].startswith("1 ")
    assert any(title.startswith("2.1 ") for title in found)


def test_the_words_and_numbers_stand_in_order(example):
    document, reader = example
    read = " ".join(each.extract_text() for each in reader.pages)
    numbers = {
        part.text.removeprefix("-")
        for block in blocks_of(document.blocks)
        if isinstance(block, Equation)
        for side in block.sides
        for part in _numbers(side.formula)
    }
    for each in numbers:
        assert each in read
    titles = [plain_text(block.title) for block in document.blocks if isinstance(block, Section)]
    place = 0
    for title in titles:
        place = read.index(title, place) + len(title)
    spoken = iter(alternatives(reader, "/Formula"))
    displayed = [block for block in blocks_of(document.blocks) if isinstance(block, Equation)]
    assert all(speech_equation(block.sides) in spoken for block in displayed)  # one after another


def _numbers(formula) -> Iterator[Number]:
    from derive.formula import children

    if isinstance(formula, Number) and "e" not in formula.text:
        yield formula
    for child in children(formula):
        yield from _numbers(child)


def test_fonts_are_embedded(example):
    _, reader = example
    for each in reader.pages:
        for font in each["/Resources"].get("/Font", {}).values():
            described = font.get_object()["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object()
            assert {"/FontFile", "/FontFile2", "/FontFile3"} & set(described)


# ---- single things -----------------------------------------------------------------------------


def test_the_same_document_is_the_same_file():
    assert made(SAMPLE) == made(SAMPLE)
    dates = re.findall(rb"/CreationDate|/ModDate", made(SAMPLE))
    assert not dates


def test_everything_hostile_compiles_and_is_text():
    reader = pypdf.PdfReader(io.BytesIO(made(EVERYTHING)))
    assert reader.metadata.title == HOSTILE
    assert "MISSING" not in alternatives(reader, "/Formula") + alternatives(reader, "/Figure")


@pytest.mark.parametrize("language", ["en", "en-GB", "de", 'x"); #panic()', "", "12", "zh-Hant-TW", "a\\b"])
def test_the_language(language: str):
    reader = pypdf.PdfReader(io.BytesIO(made(Document(title="t", blocks=(Paragraph(text("x")),), language=language))))
    known = {"en": "en", "en-GB": "en-GB", "de": "de", "zh-Hant-TW": "zh"}
    assert reader.trailer["/Root"]["/Lang"] == known.get(language, "en")


def test_a_character_that_no_font_has_is_printed_as_its_number():
    reader = pypdf.PdfReader(io.BytesIO(made(page(Paragraph(text("a \U0001f642 b"))))))
    assert "a [U+1F642] b" in reader.pages[0].extract_text() or "🙂" in reader.pages[0].extract_text()


def test_a_mere_number_in_a_line_is_text():
    reader = pypdf.PdfReader(
        io.BytesIO(made(page(Paragraph((Math(sides(Number("-0.25"))), *text(" and "), math(w5))))))
    )
    assert alternatives(reader, "/Formula") == ["w 5"]
    assert "−0.25 and" in reader.pages[0].extract_text()


def test_an_equation_stays_with_its_introduction():
    """Wherever a page ends, the words before an equation stand on the equation's page."""
    for lines in range(44, 60):
        filler = tuple(Paragraph(text(f"Filler {k}.")) for k in range(lines))
        document = page(*filler, Paragraph(text("The introduction:")), Equation(sides(w5, Number("0.123456")), "e"))
        pages = [each.extract_text() for each in pypdf.PdfReader(io.BytesIO(made(document))).pages]
        (introduced,) = [index for index, read in enumerate(pages) if "The introduction:" in read]
        assert "0.123456" in pages[introduced]


def test_a_heading_is_not_the_last_thing_on_a_page():
    for lines in range(20, 29):
        filler = tuple(Paragraph(text(f"Filler {k}.")) for k in range(lines))
        document = page(*filler, Section("s", text("The heading"), (Paragraph(text("The first words.")),)))
        pages = [each.extract_text() for each in pypdf.PdfReader(io.BytesIO(made(document))).pages]
        (headed,) = [index for index, read in enumerate(pages) if "The heading" in read]
        assert "The first words." in pages[headed]


def test_a_long_table_repeats_its_header():
    rows = tuple((text(f"row {k}"), text("0.5")) for k in range(120))
    table = Table("t", text("Many rows."), (text("the name"), text("the value")), rows, (False, True))
    pages = [each.extract_text() for each in pypdf.PdfReader(io.BytesIO(made(page(table)))).pages]
    assert len(pages) > 2
    for read in pages:
        assert "the name" in read
    assert "Many rows." in pages[0]
    assert "row 0" in pages[0]


def test_padding_at_the_decimal_point_is_not_read():
    table = Table("t", text("c"), (text("n"),), ((text("1.5"),), (text("0.125"),)), (True,))
    read = pypdf.PdfReader(io.BytesIO(made(page(table)))).pages[0].extract_text()
    assert re.search(r"1\.5\s", read)
    assert "1.500" not in read


def test_a_wide_equation_is_made_smaller_and_stays_on_the_page():
    wide = Equation(sides(name("y"), Mark(1, Sum(tuple(name("w", str(k), "+") for k in range(60))))), "e")
    reader = pypdf.PdfReader(io.BytesIO(made(page(wide))))
    found: list[float] = []
    reader.pages[0].extract_text(visitor_text=lambda written, cm, tm, font, size: found.append(cm[4] + tm[4]))
    assert max(found) < float(reader.pages[0].mediabox.width)
    assert min(each for each in found if each) > 60


def test_factors_have_the_colours_of_the_figures():
    from render.figures.svg import LIGHT

    source = render_text(page(Equation(sides(Product((Mark(1, w5), Mark(2, w5)), "dot")))), "pdf")
    assert f'rgb("{LIGHT[0]}"), rgb("{LIGHT[1]}")' in source
    assert "factor(#1, w_(5)) ⋅ factor(#2, w_(5))" in source


# ---- the command -------------------------------------------------------------------------------


def test_write_makes_exactly_one_file(tmp_path: Path):
    assert write(SAMPLE, "pdf", tmp_path / "sample.pdf") == [tmp_path / "sample.pdf"]
    assert [each.name for each in tmp_path.iterdir()] == ["sample.pdf"]
    assert (tmp_path / "sample.pdf").read_bytes().startswith(b"%PDF-1.7")


def test_without_the_compiler_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pdf.importlib.util, "find_spec", lambda name: None)
    assert "chainrule[pdf]" in pdf.missing()
    with pytest.raises(MissingDependency, match=r"pip install 'chainrule\[pdf\]'"):
        write(SAMPLE, "pdf", tmp_path / "x.pdf")
    assert list(tmp_path.iterdir()) == []


def test_the_command_writes_the_others_and_ends_with_three(tmp_path: Path):
    hidden = "import sys; sys.modules['typst'] = None; from importlib import util; find = util.find_spec; "
    hidden += "util.find_spec = lambda name, package=None: None if name == 'typst' else find(name, package); "
    hidden += (
        "from render.cli import main; sys.argv = ['chainrule', 'render', 'mazur', '--to', 'markdown,pdf', '--out', "
    )
    hidden += f"{str(tmp_path)!r}]; sys.exit(main())"
    run = subprocess.run([sys.executable, "-c", hidden], capture_output=True, text=True, check=False)
    assert run.returncode == 3
    assert "pdf was not written" in run.stderr
    assert (tmp_path / "mazur.md").is_file()
    assert not (tmp_path / "mazur.pdf").exists()


def test_a_template_that_does_not_compile_is_told_in_the_compilers_words(tmp_path: Path):
    (tmp_path / "paragraph.j2").write_text("#nothing-of-this-name[<< text >>]\n", encoding="utf-8")
    with pytest.raises(
        ChainruleError, match=r"unknown variable: nothing-of-this-name \(line \d+ of its Typst source: \"#nothing"
    ):
        write(SAMPLE, "pdf", tmp_path / "x.pdf", templates=tmp_path)
    assert not (tmp_path / "x.pdf").exists()


def test_a_fragment_is_a_whole_page_all_the_same():
    assert render_text(SAMPLE, "pdf", fragment=True) == render_text(SAMPLE, "pdf")
    assert FORMATS["pdf"] is formats.FORMATS["pdf"]
