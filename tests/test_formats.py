"""Documents as files: every block in every format, references, templates of one's own, whole files."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from sample_document import EVERYTHING, HOSTILE, SAMPLE, math, name, text, w5

from derive.errors import ChainruleError, MissingDependency
from derive.formula import Number, sides
from render import document as model
from render import formats, numbering, writer
from render.document import (
    Block,
    Colored,
    Document,
    Equation,
    Inline,
    Link,
    ListBlock,
    Math,
    Paragraph,
    Reference,
    Section,
    Table,
    Text,
)
from render.formats import FORMATS, render_text, write
from render.tables import padding, table_layout
from render.templating import HERE, names
from render.theming import Theme

BLOCKS = [
    kind for kind in vars(model).values() if isinstance(kind, type) and issubclass(kind, Block) and kind is not Block
]
INLINES = [
    kind for kind in vars(model).values() if isinstance(kind, type) and issubclass(kind, Inline) and kind is not Inline
]

# What each block leaves in each format.
TRACES = {
    "html": {
        "paragraph": "<p>A network learns",
        "equation": 'id="eq-net"',
        "list": "<ol>\n<li>The outputs first.</li>",
        "table": '<th scope="col">weight</th>',
        "figure": '<figure id="fig-network">',
        "note": "<summary>Where does the −1 come from?</summary>",
        "progress": '<li class="open">',
        "section": '<h3><a class="anchor" href="#sec-errors"><span class="label">1.1</span>',
        "space": '<div class="space ruled">',
        "pagebreak": '<div class="page-break">',
        "choices": '<ol class="choices several">\n<li><span class="tick ticked"',
    },
    "latex": {
        "paragraph": "\nA network learns",
        "equation": r"\begin{equation}\label{eq-net}",
        "list": "\\begin{enumerate}\n  \\item {}The outputs first.",
        "table": r"{weight} & {before}",
        "figure": r"\begin{tikzpicture}",
        "note": r"\begin{chainrulenote}{\phantomsection\label{note-minus}Where does the \ensuremath{-}1 come from?}",
        "progress": r"\chainruleopen{\(\partial E_{\mathrm{total}}/\partial w_{1}\)}",
        "section": r"\section{The backward pass}\label{sec-backward}",
        "space": r"\chainrulelines{3}",
        "pagebreak": r"\clearpage",
        "choices": r"\item[a)\enspace\(\boxtimes\)] {}Right",
    },
    "markdown": {
        "paragraph": "\n\nA network learns",
        "equation": '<a id="eq-net"></a>\n\n```math\n',
        "list": "\n1. The outputs first.",
        "table": "| weight | before |",
        "figure": "](sample_figures/fig-network.svg)",
        "note": "<details>\n<summary>Where does the −1 come from?</summary>\n",
        "progress": r"○ $`\partial E_{\mathrm{total}}/\partial w_{1}`$",
        "section": '<a id="sec-backward"></a>\n\n## 2 The backward pass\n',
        "space": "&nbsp;\n\n***",
        "pagebreak": "\n\n***\n\n",
        "choices": "- **a)** ☒ Right\n",
    },
    "pdf": {
        "paragraph": "#par[A network learns",
        "equation": ', number: "(1)")#label("eq-net")',
        "list": "#enum([The outputs first",
        "table": "([weight], [before], ",
        "figure": "<svg xmlns=",
        "note": "#note[Where does the −1 come from\\?][",
        "progress": '#entry(false, "still to find")',
        "section": '#heading(level: 2, numbering: (..) => "1.1")[The error of #formula("out o 1", ',
        "space": '#space(3, "ruled")',
        "pagebreak": "#pagebreak(weak: true)",
        "choices": '#tick(true, true, "ticked")#h(.5em)Right]',
    },
}
TRACES["slides"] = TRACES["html"] | {
    "equation": '<div class="equation" id="eq-net">\n<div class="line">',
    "note": '<p id="note-minus"><strong>Where does the −1 come from?</strong></p>',
    "section": '<h2><span class="label">1.1</span> The error of <math>',
    "pagebreak": '<section class="slide">',
    "table": '<th scope="col" class="">weight</th>',
}
TRACES["beamer"] = TRACES["latex"] | {
    "equation": r"\chainruleequation{(1)}{\mathit{net}_{o1} = ",
    "note": "\\note{%\n\\textbf{Where does the \\ensuremath{-}1 come from?}",
    "section": "\\section{The backward pass}\n\\begin{frame}[t]",
    "pagebreak": r"\begin{frame}",
    "space": r"\rule{0pt}{1.2em}",
}


def page(*blocks: Block) -> Document:
    return Document(title="t", blocks=blocks)


@pytest.mark.parametrize("name", FORMATS)
def test_every_block_has_a_view_a_template_and_a_trace(name: str):
    assert set(writer.VIEWS) == set(BLOCKS)
    assert set(writer.INLINES) == set(INLINES)
    assert set(TRACES[name]) == set(names(BLOCKS))
    made = render_text(SAMPLE, name)
    for block, trace in TRACES[name].items():
        places = (FORMATS[name].folder, *map(str, Path(FORMATS[name].folder).parents))
        assert any((HERE / place / f"{block}.j2").is_file() for place in places)
        assert trace in made, block


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_document_is_the_same_text(name: str):
    assert render_text(EVERYTHING, name) == render_text(EVERYTHING, name)


@pytest.mark.parametrize("name", FORMATS)
def test_hostile_text_is_text(name: str):
    made = render_text(EVERYTHING, name)
    assert (
        "49" not in re.sub(r"base64,[^)]*|<path[^>]*>|\d*\.\d+|#[0-9A-Fa-f]+", "", made).split("Characters:")[0][-4000:]
    )
    assert "{{ 7*7 }}" in made.replace(r"\{", "{").replace(r"\}", "}")
    assert not re.search(r"\\input|\\VAR", made) if name == "latex" else True
    assert "</script" not in made if name == "html" else True


def test_html_shows_hostile_text_to_the_letter():
    class Words(HTMLParser):
        title = ""
        inside = False

        def handle_starttag(self, tag, attrs):
            self.inside = tag == "title"

        def handle_data(self, data):
            self.title += data if self.inside else ""

        def handle_endtag(self, tag):
            self.inside = False

    words = Words()
    words.feed(render_text(EVERYTHING, "html"))
    assert words.title == HOSTILE


# ---- numbers and references ----------------------------------------------------------------


def test_numbers_are_given_in_reading_order():
    numbered = numbering.number(SAMPLE)
    found = numbering.targets(numbered)
    labels = {key: target.label for key, target in found.items()}
    assert labels["eq-net"] == "(1)"
    assert labels["eq-result"] == "(7)"
    assert labels["fig-curve"] == "Figure 2"
    assert labels["tab-weights"] == "Table 1"
    assert labels["sec-errors"] == "Section 1.1"
    assert labels["note-minus"] == "“Where does the −1 come from?”"


def test_an_equation_without_identifier_has_no_number():
    numbered = numbering.number(page(Equation(sides(w5)), Equation(sides(w5), "a"))).blocks
    assert [block.number for block in numbered if isinstance(block, Equation)] == [0, 1]


@pytest.mark.parametrize("name", FORMATS)
def test_an_unknown_reference_is_an_error_with_the_nearest_name(name: str):
    with pytest.raises(ChainruleError, match=r"eq-nett.*eq-net"):
        render_text(page(Equation(sides(w5), "eq-net"), Paragraph((Reference("eq-nett"),))), name)


def test_two_things_with_one_identifier_are_an_error():
    with pytest.raises(ChainruleError, match="identifier 'a'"):
        render_text(page(Equation(sides(w5), "a"), Section("a", text("A"), ())), "html")


def test_anchors_hold_only_what_html_and_latex_take():
    assert numbering.anchor("eq net_h1/é") == "eq-20-net_h1-2f--e9-"


# ---- single things -------------------------------------------------------------------------


def test_only_web_addresses_are_linked_to():
    for address in ("javascript:alert(1)", "file:///etc/passwd", "//x"):
        with pytest.raises(ChainruleError, match="http"):
            render_text(page(Paragraph((Link("x", address),))), "html")


def test_a_seventh_factor_starts_again_at_the_first_colour():
    assert '<span class="factor1">x</span>' in render_text(page(Paragraph((Colored(7, "x"),))), "html")
    assert r"\textcolor{factor1}{x}" in render_text(page(Paragraph((Colored(7, "x"),))), "latex")


def test_a_long_formula_in_a_line_may_break_at_its_signs():
    numbers = tuple(Number("0.123456789") for _ in range(4))
    assert render_text(page(Paragraph((Math(sides(*numbers)),))), "html").count("<math>") == 4
    assert render_text(page(Paragraph((Math(sides(w5, Number("0.4"))),))), "html").count("<math>") == 1


def test_numbers_of_a_column_stand_at_their_decimal_point():
    column = ("1.5", "12", "0.25", "-3.125", "many", "1.5e-9")
    table = Table("t", (), (text("n"),), tuple((text(each),) for each in column), (True,))
    assert [row[0] for row in padding(table)] == ["00", ".000", "0", "", "", ""]
    assert '>12<span class="pad" aria-hidden="true">.000</span></td>' in render_text(page(table), "html")
    assert r"{12\phantom{.000}}" in render_text(page(table), "latex")


def test_a_table_too_wide_for_the_line_is_made_smaller_and_then_split():
    def layout(columns: int):
        cells = tuple(text("0.123456789") for _ in range(columns))
        return table_layout(Table("t", (), cells, (cells,), (True,) * columns), 37.0)

    assert (layout(5).size, layout(5).parts) == (0, ((0, 1, 2, 3, 4),))
    assert (layout(6).size, len(layout(6).parts)) == (1, 1)
    assert (layout(7).size, len(layout(7).parts)) == (2, 1)
    assert [part[0] for part in layout(12).parts] == [0] * len(layout(12).parts)
    assert sorted({column for part in layout(12).parts for column in part}) == list(range(12))


def test_a_fragment_has_no_page_around_it():
    html = render_text(SAMPLE, "html", fragment=True)
    assert "<html" not in html
    assert "<main" in html
    latex = render_text(SAMPLE, "latex", fragment=True)
    assert "\\documentclass" not in latex
    assert "\\providecolor{factor1}" in latex
    for package in ("amsmath", "booktabs", "tikz", "xcolor"):
        assert re.search(rf"^%.*{package}", latex, re.MULTILINE)


def test_an_empty_document():
    for each in FORMATS:
        assert render_text(Document(title="Nothing", blocks=()), each)
        assert render_text(page(ListBlock(()), Table("t", (), (), ())), each)


# ---- templates of one's own ------------------------------------------------------------------


@pytest.mark.parametrize("below", ["", "html"])
def test_one_block_can_be_replaced(tmp_path: Path, below: str):
    (tmp_path / below).mkdir(exist_ok=True)
    (tmp_path / below / "paragraph.j2").write_text('<p class="mine">{{ text }}</p>\n', encoding="utf-8")
    made = render_text(SAMPLE, "html", templates=tmp_path)
    assert '<p class="mine">A network learns' in made
    assert '<p class="mine">' not in render_text(SAMPLE, "html")


def test_a_template_that_was_changed_is_read_again(tmp_path: Path):
    for words in ("one", "another one"):
        (tmp_path / "paragraph.j2").write_text(f"<p>{words}</p>", encoding="utf-8")
        assert f"<p>{words}</p>" in render_text(SAMPLE, "html", templates=tmp_path)


@pytest.mark.parametrize("name", ["html", "slides"])
def test_slides_take_what_they_have_not_from_the_page(tmp_path: Path, name: str):
    for folder, words in (("html", "of the page"), ("html/slides", "of the slides")):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / "list.j2").write_text(f"<p>{words}</p>", encoding="utf-8")
    (tmp_path / "html" / "paragraph.j2").write_text('<p class="both">{{ text }}</p>', encoding="utf-8")
    made = render_text(SAMPLE, name, templates=tmp_path)
    assert 'class="both"' in made
    assert ("of the slides" in made, "of the page" in made) == (name == "slides", name == "html")


@pytest.mark.parametrize("part", ["head", "student"])
def test_the_head_of_a_sheet_can_be_replaced(tmp_path: Path, part: str):
    (tmp_path / "html").mkdir()
    (tmp_path / "html" / f"{part}.j2").write_text("<p>{{ head.course }}, ours</p>", encoding="utf-8")
    sheet = replace(SAMPLE, head=model.Head(course="Networks", points=3))
    assert "<p>Networks, ours</p>" in render_text(sheet, "html", templates=tmp_path)


BROKEN = [
    ("paragraph.j2", "<p>\n{% if %}</p>", r"paragraph\.j2, line 2: "),
    ("paragraph.j2", "<p>\n\n{{ txet }}</p>", r"paragraph\.j2, line 3: 'txet' is undefined"),
    ("paragraph.j2", "<p>\n{{ 1 / 0 }}</p>", r"paragraph\.j2, line 2: division by zero"),
    ("equation.j2", "{% include 'nothing.j2' %}", r"there is no template \"nothing\.j2\""),
    ("paragraf.j2", "<p>{{ text }}</p>", r"paragraf\.j2: no block has this name; .* \"paragraph\.j2\""),
    ("inline.j2", "{% macro text(text) %}{{ text }}{% endmacro %}", r"inline\.j2: there is no macro \"emphasis\""),
    (
        "inline.j2",
        "".join(f"{{% macro {each}() %}}{{% endmacro %}}\n" for each in names(INLINES)),
        r"inline\.j2: macro 'text' takes not more than 0",
    ),
    (
        "inline.j2",
        "".join(f"{{% macro {each}(a, b, c, d) %}}\n{{{{ a.b.c }}}}\n{{% endmacro %}}\n" for each in names(INLINES)),
        r"inline\.j2, line 2: .* has no attribute 'b'",
    ),
]


@pytest.mark.parametrize(("file", "source", "message"), BROKEN)
def test_a_broken_template_is_told_with_file_and_line(tmp_path: Path, file: str, source: str, message: str):
    (tmp_path / file).write_text(source, encoding="utf-8")
    with pytest.raises(ChainruleError, match=message):
        render_text(SAMPLE, "html", templates=tmp_path)


def test_a_template_that_is_not_text(tmp_path: Path):
    (tmp_path / "paragraph.j2").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ChainruleError, match="UTF-8"):
        render_text(SAMPLE, "html", templates=tmp_path)


def test_a_folder_of_templates_that_is_not_there(tmp_path: Path):
    with pytest.raises(ChainruleError, match="no such folder"):
        render_text(SAMPLE, "html", templates=tmp_path / "nowhere")


# ---- files -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FORMATS)
def test_write_makes_the_folder_and_returns_the_paths(tmp_path: Path, name: str):
    path = tmp_path / "new" / f"sample{FORMATS[name].suffix}"
    paths = write(SAMPLE, name, path)
    assert paths[0] == path
    assert path.read_bytes() == FORMATS[name].encode(render_text(SAMPLE, name))
    assert sorted(each for each in path.parent.rglob("*") if each.is_file()) == sorted(paths)


def test_an_unknown_format_is_told_with_the_nearest_name(tmp_path: Path):
    with pytest.raises(ChainruleError, match=r'"htm".*did you mean "html"'):
        write(SAMPLE, "htm", tmp_path / "x")


def test_a_document_that_fails_leaves_no_file(tmp_path: Path):
    with pytest.raises(ChainruleError):
        write(page(Paragraph((Reference("nothing"),))), "html", tmp_path / "x.html")
    assert list(tmp_path.iterdir()) == []


def test_a_failure_midway_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "x.html"
    path.write_text("before", encoding="utf-8")

    def fails(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fails)
    with pytest.raises(ChainruleError, match="No space left"):
        write(SAMPLE, "html", path)
    assert [each.name for each in tmp_path.iterdir()] == ["x.html"]
    assert path.read_text(encoding="utf-8") == "before"


def test_a_folder_in_the_place_of_the_file(tmp_path: Path):
    (tmp_path / "x.html").mkdir()
    with pytest.raises(ChainruleError, match=r"x\.html: cannot be written: it is a folder"):
        write(SAMPLE, "html", tmp_path / "x.html")
    assert [each.name for each in tmp_path.iterdir()] == ["x.html"]


def test_a_file_in_the_place_of_the_folder(tmp_path: Path):
    (tmp_path / "out").write_text("", encoding="utf-8")
    with pytest.raises(ChainruleError, match="cannot be written"):
        write(SAMPLE, "html", tmp_path / "out" / "x.html")


def test_a_format_that_needs_something_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    lacking = replace(FORMATS["html"], missing=lambda: "needs what is not there")
    monkeypatch.setattr(formats, "FORMATS", {"html": lacking})
    with pytest.raises(MissingDependency, match="needs what is not there"):
        write(SAMPLE, "html", tmp_path / "x.html")


def test_files_beside_the_document_are_written_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def drawn(figure: model.Figure, stem: str, theme: Theme) -> writer.Drawn:
        return writer.Drawn("<img>", {f"{stem}_figures/{figure.identifier}.svg": "<svg/>"})

    monkeypatch.setattr(formats, "FORMATS", {"html": replace(FORMATS["html"], figure=drawn)})
    paths = write(SAMPLE, "html", tmp_path / "x.html")
    assert [path.relative_to(tmp_path).as_posix() for path in paths] == [
        "x.html",
        "sample_figures/fig-network.svg",
        "sample_figures/fig-curve.svg",
    ]
    assert all(path.is_file() for path in paths)


def test_symbols_and_words_of_a_line():
    line = (Text("of "), math(name("w", "5")), Text(" & more"))
    assert numbering.plain_text(line) == "of w5 & more"
