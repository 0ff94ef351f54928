"""Slides: what stands on which, a step a click, nothing off a slide; one file that needs no network; and beamer."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from sample_document import EVERYTHING, SAMPLE, text, w5

import derive
import render
from derive.formula import Number, Side, sides
from render.decks.height import HEIGHT, height
from render.decks.slides import Slide, arrange
from render.document import (
    Block,
    Choices,
    Document,
    Equation,
    Inlines,
    ListBlock,
    Note,
    PageBreak,
    Paragraph,
    Section,
    Space,
    Table,
)
from render.formats import FORMATS, render_text, write
from render.numbering import number, plain_text, walk
from render.theme_file import HERE

PROBLEMS = ("mazur", "softmax", "lstm")


def deck(*blocks: Block) -> list[Slide]:
    """The slides of one section with these blocks."""
    return slides(Document("t", (Section("s", text("S"), blocks),)))


def slides(document: Document) -> list[Slide]:
    return [block for block in arrange(number(document)).blocks if isinstance(block, Slide)]


def words(count: int) -> Inlines:
    return text("Every word of it is read. " * (count // 6))


@pytest.fixture(scope="module")
def worked() -> dict[str, Document]:
    made = {name: render.worked_example(derive.differentiate(name)).document for name in PROBLEMS}
    return made | {"sample": SAMPLE, "everything": EVERYTHING}


# ---- what stands on which slide ---------------------------------------------------------------


@pytest.mark.parametrize("name", [*PROBLEMS, "sample"])
def test_no_slide_is_fuller_than_it_may_be(name: str, worked: dict[str, Document]) -> None:
    full = [slide for slide in slides(worked[name]) if sum(map(height, slide.blocks)) > HEIGHT]
    assert not [(slide.number, slide.part) for slide in full if len(slide.blocks) > 1]


@pytest.mark.parametrize("name", [*PROBLEMS, "sample", "everything"])
def test_everything_is_on_a_slide_or_in_its_notes_in_reading_order(name: str, worked: dict[str, Document]) -> None:
    numbered = number(worked[name])
    kept = (Equation, Paragraph, Note)
    before = [b for b in walk(numbered.blocks) if isinstance(b, kept)]
    after = [
        block
        for slide in slides(worked[name])
        for block in walk((*slide.blocks, *slide.notes))
        if isinstance(block, kept)
    ]
    assert sorted(map(repr, before)) == sorted(map(repr, after))
    shown = [block for slide in slides(worked[name]) for block in slide.blocks if isinstance(block, Equation)]
    numbers = [block.number for block in shown if block.number]
    assert numbers == sorted(numbers)
    sections = [block.identifier for block in walk(numbered.blocks) if isinstance(block, Section)]
    assert [anchor for slide in slides(worked[name]) for anchor in slide.anchors] == sections


def test_a_long_section_has_several_slides_that_are_counted() -> None:
    made = deck(*(Paragraph(words(60)) for _ in range(12)))
    assert [(slide.part, slide.parts) for slide in made] == [(k, len(made)) for k in range(1, len(made) + 1)]
    assert len({len(slide.blocks) for slide in made}) <= 2  # about as full each as the others
    assert [slide.anchors for slide in made] == [("s",)] + [()] * (len(made) - 1)


def test_a_sentence_stays_with_the_equation_that_it_introduces() -> None:
    blocks = [
        block for _ in range(9) for block in (Paragraph(text("By the chain rule,")), Equation(sides(w5, Number("1"))))
    ]
    for slide in deck(*blocks):
        assert isinstance(slide.blocks[-1], Equation)


def test_a_note_goes_with_the_block_before_it() -> None:
    note = Note("n", text("Why?"), (Paragraph(text("Because.")),))
    (slide,) = deck(Paragraph(text("So it is.")), note)
    assert (slide.blocks, slide.notes) == ((Paragraph(text("So it is.")),), (note,))


def test_a_new_page_is_a_new_slide() -> None:
    first, second = deck(Paragraph(text("one")), PageBreak(), Paragraph(text("two")))
    assert [plain_text(slide.blocks[0].inlines) for slide in (first, second)] == ["one", "two"]


def test_a_section_inside_says_what_it_is_part_of() -> None:
    inner = Section("inner", text("Inner"), (Paragraph(text("x")),))
    (slide,) = deck(inner)
    assert (slide.number, slide.within_number, slide.anchors) == ("1.1", "1", ("s", "inner"))


def test_what_stands_between_sections_stays_between_them() -> None:
    first, last = (Section(name, text(name), (Paragraph(text(name)),), numbered=False) for name in ("first", "last"))
    made = slides(Document("All", (first, Paragraph(text("between")), last, Section("empty", text("empty"), ()))))
    assert [plain_text(slide.title) for slide in made] == ["first", "All", "last", "empty"]
    assert [slide.number for slide in made] == ["", "", "", "1"]
    assert [slide.anchors for slide in made] == [("first",), (), ("last",), ("empty",)]


LONG = [
    Table("t", text("Rows."), (text("a"), text("b")), tuple((text(str(k)), text("x")) for k in range(50))),
    ListBlock(tuple(words(30) for _ in range(20)), ordered=False),
    Choices(tuple(words(60) for _ in range(20)), several=True, ticked=(0, 19)),
    Paragraph(words(900)),
    Space(60),
]


@pytest.mark.parametrize("block", LONG, ids=lambda block: type(block).__name__)
def test_what_is_higher_than_a_slide_is_parted(block: Block) -> None:
    made = deck(block)
    assert all(sum(map(height, slide.blocks)) <= HEIGHT for slide in made)
    pieces = [piece for slide in made for piece in slide.blocks]
    match block:
        case Table():
            assert tuple(row for piece in pieces for row in piece.rows) == block.rows
            assert [piece.identifier for piece in pieces] == ["t"] + [""] * (len(pieces) - 1)
        case ListBlock():
            assert tuple(item for piece in pieces for item in piece.items) == block.items
        case Choices():
            ticked = [piece.options[place] for piece in pieces for place in piece.ticked]
            assert len(ticked) == 2
        case Paragraph():
            assert "".join(plain_text(piece.inlines) for piece in pieces) == plain_text(block.inlines)
        case Space():
            assert len(pieces) == 1


# ---- a step a click ----------------------------------------------------------------------------


def steps(document: Document) -> int:
    """How many clicks there are: one for each block after a slide's first, and for each side after the second."""
    made = slides(document)
    blocks = sum(max(len(slide.blocks) - 1, 0) for slide in made)
    later = [len(b.sides) - 2 for slide in made for b in slide.blocks if isinstance(b, Equation) and len(b.sides) > 2]
    return blocks + sum(later)


@pytest.mark.parametrize("name", [*PROBLEMS, "sample"])
def test_every_step_is_a_click(name: str, worked: dict[str, Document]) -> None:
    page = render_text(worked[name], "slides").partition("</style>")[2].partition("<script>")[0]
    assert len(re.findall(r'class="[^"]*\bfragment\b', page)) == steps(worked[name])
    latex = render_text(worked[name], "beamer").partition(r"\begin{document}")[2]
    shown = latex.count("<+->") - len([slide for slide in slides(worked[name]) if slide.blocks])
    assert shown == steps(worked[name])


def test_formula_numbers_and_result_appear_one_after_another() -> None:
    document = Document("t", (Equation((*sides(w5, Number("1"), Number("2")), Side(Number("3"), "≈"))),))
    page = render_text(document, "slides").partition("</style>")[2]
    assert re.findall(r'<span class="(side(?: [^"]*)?)">', page) == ["side", "side", "side fragment", "side fragment"]
    assert r"w_{5} = 1 \uncover<+->{{} = 2} \uncover<+->{{} \approx 3}" in render_text(document, "beamer")


def test_notes_have_no_steps() -> None:
    note = Note("n", text("Why?"), (Equation(sides(w5, Number("1"), Number("2"), Number("3"))),))
    document = Document("t", (Paragraph(text("x")), note))
    assert "fragment" not in re.sub(
        r"<style>.*?</style>|<script>.*?</script>", "", render_text(document, "slides"), flags=re.S
    )
    assert r"\uncover" not in render_text(document, "beamer").partition(r"\begin{document}")[2]


# ---- one file for the browser --------------------------------------------------------------------

MEASURE = """() => {
  const slide = Reveal.getCurrentSlide(), box = slide.getBoundingClientRect();
  slide.querySelectorAll('.fragment').forEach(each => each.classList.add('visible'));
  let low = 0, right = 0;
  for (const each of slide.querySelectorAll('.heading *, .step, .step *')) {
    if (each.closest('.unseen') || each.closest('mtext')) continue;
    const its = each.getBoundingClientRect();
    if (its.width) { low = Math.max(low, its.bottom - box.top); right = Math.max(right, its.right - box.left); }
  }
  return [low, right, slide.scrollHeight];
}"""


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("Chromium is not installed")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield opened
        opened.close()


def opened(browser, path: Path, complaints: list[str]):
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    page.on("console", lambda message: complaints.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
    page.on("request", lambda request: request.url.startswith(("http", "ws")) and complaints.append(request.url))
    page.goto(path.as_uri())
    page.wait_for_function("window.Reveal && Reveal.isReady()")
    return page


@pytest.mark.parametrize(("name", "theme"), [*((name, None) for name in (*PROBLEMS, "sample")), ("lstm", "harbour")])
def test_nothing_runs_off_a_slide_and_nothing_is_fetched(
    name: str, theme: str | None, browser, tmp_path: Path, worked: dict[str, Document]
) -> None:
    write(worked[name], "slides", tmp_path / "deck.html", templates=theme and HERE / theme)
    complaints: list[str] = []
    page = opened(browser, tmp_path / "deck.html", complaints)
    assert page.evaluate("Reveal.getTotalSlides()") == len(slides(worked[name])) + 1
    for index in range(page.evaluate("Reveal.getTotalSlides()")):
        page.evaluate(f"Reveal.slide({index})")
        low, right, scrolled = page.evaluate(MEASURE)
        assert low <= 700, f"slide {index + 1}: {low}"
        assert right <= 1280, f"slide {index + 1}: {right}"
        assert scrolled <= 720, f"slide {index + 1}"
    assert complaints == []
    page.close()


def test_the_keyboard_goes_through_the_steps(browser, tmp_path: Path) -> None:
    document = Document(
        "t", (Section("s", text("S"), (Equation(sides(w5, *map(Number, "123"))), Paragraph(text("end")))),)
    )
    write(document, "slides", tmp_path / "deck.html")
    page = opened(browser, tmp_path / "deck.html", [])
    visible = []
    for _ in range(4):
        page.keyboard.press("Space")
        visible.append(page.evaluate("document.querySelectorAll('.fragment.visible').length"))
    assert visible == [0, 1, 2, 3]
    page.close()


def test_the_headings_of_the_slides_are_headings(worked: dict[str, Document]) -> None:
    page = render_text(worked["mazur"], "slides").partition("</style>")[2].partition("<script>")[0]
    assert page.count("<h1>") == 1
    assert page.count("<h2>") == page.count('<section class="slide"')
    assert {"<math>"} <= set(re.findall(r"<math[^>]*>", page))


# ---- beamer ----------------------------------------------------------------------------------------

needs_latex = pytest.mark.skipif(shutil.which("latexmk") is None, reason="LaTeX is not installed")


@needs_latex
@pytest.mark.parametrize("name", ["lstm", "everything"])
def test_beamer_compiles_and_nothing_runs_off_a_slide(name: str, tmp_path: Path, worked: dict[str, Document]) -> None:
    write(worked[name], "beamer", tmp_path / "deck.tex")
    run = ["latexmk", "-pdf", "-interaction=nonstopmode", "-halt-on-error", "deck.tex"]
    done = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, errors="replace", timeout=300)
    log = (tmp_path / "deck.log").read_text("utf-8", "replace")
    assert done.returncode == 0, log[-2000:]
    assert "Overfull \\vbox" not in log
    if name != "everything":  # its hostile words are longer than any line
        assert "Overfull \\hbox" not in log


@needs_latex
def test_the_notes_of_beamer_compile_where_they_are_shown(tmp_path: Path) -> None:
    source = render_text(Document("t", SAMPLE.blocks), "beamer")
    shown = source.replace(r"\begin{document}", "\\setbeameroption{show notes}\n\\begin{document}", 1)
    (tmp_path / "deck.tex").write_text(shown, "utf-8")
    run = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "deck.tex"]
    done = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, errors="replace", timeout=300)
    assert done.returncode == 0, done.stdout[-2000:]


# ---- the command -------------------------------------------------------------------------------------


def test_decks_are_written_where_they_are_asked_for(tmp_path: Path) -> None:
    from render.commands.files import formats_of

    assert formats_of(None, FORMATS) == tuple(
        n for n in ("html", "latex", "markdown", "pdf") if not FORMATS[n].missing()
    )
    assert formats_of(["slides,beamer"], FORMATS) == ("slides", "beamer")
    page = render.worked_example(derive.differentiate("xor"))
    (deck,) = page.write(tmp_path / "xor_slides.html")
    assert "Reveal.initialize" in deck.read_text("utf-8")
    (latex,) = page.write(tmp_path / "xor_beamer.tex")
    assert "{beamer}" in latex.read_text("utf-8")
    (article,) = page.write(tmp_path / "xor.tex")
    assert "{article}" in article.read_text("utf-8")


def test_reveal_says_its_version_and_its_licence() -> None:
    static = Path(render.__file__).parent / "static"
    assert (static / "reveal" / "LICENSE").read_text("utf-8").startswith("Copyright")
    assert "reveal.js" in (static / "README.md").read_text("utf-8")
