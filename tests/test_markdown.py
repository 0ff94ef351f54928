"""Markdown in three dialects: read back by the parsers that people use."""

import html
import json
import re
from pathlib import Path

import pytest
from sample_document import EVERY_FORMULA, EVERYTHING, HOSTILE, SAMPLE, math, name, text, w5
from test_tex import FORMULAS

import derive
import render
from derive.errors import ChainruleError
from derive.formula import Formula, Number, sides
from render.document import (
    Block,
    Document,
    Equation,
    Figure,
    ListBlock,
    Math,
    Note,
    Paragraph,
    Section,
    Space,
    Table,
    Text,
)
from render.figures.svg import LIGHT
from render.formats import FLAVORS, render_text, write
from render.numbering import anchor, number, targets
from render.templating import HERE
from render.typeset.markdown import COLORS, NAMED_COLORS, escape, escape_github, in_text, portable

cmarkgfm = pytest.importorskip("cmarkgfm", reason="GitHub's Markdown parser is not installed")
PROBLEMS = ("mazur", "xor", "softmax", "relu", "symbolic")


def github(markdown: str) -> str:
    """What GitHub makes of it, before its filters."""
    from cmarkgfm.cmark import Options

    return str(cmarkgfm.github_flavored_markdown_to_html(markdown, options=Options.CMARK_OPT_UNSAFE))


def myst(markdown: str):
    """The tokens of the parser that MyST is made of."""
    from markdown_it import MarkdownIt
    from mdit_py_plugins.colon_fence import colon_fence_plugin
    from mdit_py_plugins.dollarmath import dollarmath_plugin
    from mdit_py_plugins.myst_blocks import myst_block_plugin
    from mdit_py_plugins.myst_role import myst_role_plugin

    parser = MarkdownIt("commonmark").enable("table")
    for plugin in (dollarmath_plugin, colon_fence_plugin, myst_block_plugin, myst_role_plugin):
        parser.use(plugin)
    found = []

    def walk(tokens):
        for token in tokens:
            found.append(token)
            walk(token.children or [])
            if token.type == "colon_fence" or (token.type == "fence" and token.info.startswith("{")):
                walk(parser.parse(token.content))

    walk(parser.parse(markdown))
    return found


def worked(problem: str) -> Document:
    return render.worked_example(derive.differentiate(problem)).document


# What each block leaves in each dialect.
TRACES = {
    "github": {
        "equation": '<a id="eq-net"></a>\n\n```math\n\\mathit{net}_{o1} = ',
        "tag": "\n\\tag{1}\n```",
        "list": "\n1. The outputs first.\n1. Then $`\\mathit{out}_{h1}`$.",
        "table": "**Table 1.** All weights, before the step, and their gradients.\n\n| weight | before |",
        "columns": "\n| :-- | --: | --: | :-- |\n| $`w_{1}`$ | 0.15 | 0.0821670406 | layer 1 |",
        "figure": "](sample_figures/fig-network.svg)\n\n**Figure 1.** The network, with the path of $`w_{5}`$ drawn",
        "note": "<details>\n<summary>Where does the −1 come from?</summary>\n\nFrom the inner derivative",
        "progress": "✓ $`\\partial E_{\\mathrm{total}}/\\partial w_{5}`$ · ",
        "section": '<a id="sec-errors"></a>\n\n### 1.1 The error of $`\\mathit{out}_{o1}`$',
        "reference": "as [(1)](#eq-net) says; compare [Figure 1](#fig-network) and [Table 1](#tab-weights).",
        "colored": f"$`\\textcolor{{{COLORS[0]}}}{{\\bullet}}`$ How the error answers to the output",
        "title": "# A step by step backpropagation example\n\nTwo inputs",
    },
    "myst": {
        "equation": "$$\n\\mathit{net}_{o1} = ",
        "tag": "\n$$ (eq-net)",
        "table": ":::{table} All weights, before the step, and their gradients.\n:name: tab-weights\n\n| weight |",
        "figure": '```{figure} sample_figures/fig-network.svg\n:name: fig-network\n:alt: "Two inputs,',
        "note": "(note-minus)=\n::::{admonition} Where does the −1 come from?\n:class: note dropdown\n\nFrom",
        "section": "(sec-errors)=\n### 1.1 The error of $\\mathit{out}_{o1}$",
        "reference": "as {eq}`eq-net` says; compare [Figure 1](#fig-network) and [Table 1](#tab-weights).",
        "colored": f"$\\textcolor{{{COLORS[0]}}}{{\\bullet}}$ How the error",
    },
    "quarto": {
        "equation": "$$\n\\mathit{net}_{o1} = ",
        "tag": "\n$$ {#eq-net}",
        "table": "| w",
        "caption": "\n: All weights, before the step, and their gradients. {#tbl-tab-weights}",
        "figure": '](sample_figures/fig-network.svg){#fig-network fig-alt="Two inputs,',
        "note": '::: {#note-minus .callout-note collapse="true"}\n## Where does the −1 come from?\n\nFrom',
        "section": "## The error of $\\mathit{out}_{o1}$ {#sec-errors}",
        "reference": "as ([-@eq-net]) says; compare @fig-network and @tbl-tab-weights.",
        "colored": f"$\\textcolor{{{NAMED_COLORS[0]}}}{{\\bullet}}$ How the error",
        "title": "---\ntitle: |\n  A step by step backpropagation example\n",
    },
}


@pytest.mark.parametrize("flavor", TRACES)
def test_every_block_in_every_dialect(flavor: str):
    made = render_text(SAMPLE, "markdown", flavor=flavor)
    for block, trace in TRACES[flavor].items():
        assert trace in made, block


def test_an_unknown_dialect_is_told_with_the_nearest_name():
    with pytest.raises(ChainruleError, match=r'"quatro".*did you mean "quarto"'):
        render_text(SAMPLE, "markdown", flavor="quatro")


@pytest.mark.parametrize("flavor", FLAVORS)
@pytest.mark.parametrize("problem", PROBLEMS)
def test_every_number_of_the_page_is_there(problem: str, flavor: str):
    document = worked(problem)
    made = render_text(document, "markdown", flavor=flavor)
    page = render_text(document, "html")

    def numbers(source: str) -> set[str]:
        return set(re.findall(r"\d+\.\d{4,}", source))

    words = re.sub(r"<style.*?</style>|<svg.*?</svg>", "", page, flags=re.DOTALL)
    page = re.sub(r"<[^>]*>", " ", words)
    assert numbers(page) <= numbers(made)
    assert "{{" not in made.replace("{{}", "")
    assert "<<" not in made


def test_figures_lie_beside_the_file_with_a_text_for_each(tmp_path: Path):
    document = worked("mazur")
    paths = write(document, "markdown", tmp_path / "mazur.md")
    assert paths[0].name == "mazur.md"
    assert {path.parent.name for path in paths[1:]} == {"mazur_figures"}
    images = re.findall(r'<img src="([^"]+)" alt="([^"]+)"', github(paths[0].read_text(encoding="utf-8")))
    assert [tmp_path / source for source, _ in images] == paths[1:]
    figures = [block for block in _all(document.blocks) if isinstance(block, Figure)]
    assert [html.unescape(alternative) for _, alternative in images] == [figure.alternative for figure in figures]
    for path in paths[1:]:
        assert path.read_text(encoding="utf-8").startswith("<svg ")


def _all(blocks):
    for block in blocks:
        yield block
        if isinstance(block, Section | Note):
            yield from _all(block.blocks)


# ---- GitHub ------------------------------------------------------------------------------------


def _is_frame(block: Block) -> bool:
    """A frame to write in is a table of one cell."""
    return isinstance(block, Space) and block.style == "frame"


@pytest.mark.parametrize("document", [SAMPLE, EVERYTHING], ids=["sample", "everything"])
def test_github_reads_what_was_meant(document: Document):
    made = github(render_text(document, "markdown"))
    blocks = list(_all(document.blocks))
    count = {
        kind: sum(isinstance(block, kind) for block in blocks) for kind in (Equation, Table, Figure, Note, Section)
    }
    assert made.count('<pre lang="math">') == count[Equation]
    assert made.count("<table>") == count[Table] + sum(map(_is_frame, blocks))
    assert made.count("<img ") == count[Figure]
    assert made.count("<details>") == made.count("</details>") == count[Note]
    assert len(re.findall(r"<h[1-6]>", made)) == count[Section] + 1
    anchors = set(re.findall(r'<a id="([^"]+)">', made))
    assert {html.unescape(link) for link in re.findall(r'<a href="#([^"]+)"', made)} <= anchors
    assert {target.anchor for target in targets(number(document)).values()} == anchors


def test_a_row_of_a_table_has_as_many_cells_as_its_header():
    made = github(render_text(EVERYTHING, "markdown"))
    for table in re.findall(r"<table>.*?</table>", made, re.S):
        rows = [len(re.findall(r"<t[hd][ >]", row)) for row in re.findall(r"<tr>.*?</tr>", table, re.S)]
        assert len(set(rows)) == 1
        assert len(rows) > 1


REFUSED = r"\\(operatorname|mbox|phantom|def|newcommand|href|unicode|class|style|cssId)\b"  # by GitHub's MathJax


@pytest.mark.parametrize("tree", [row[0] for row in FORMULAS] + list(EVERY_FORMULA))
def test_every_formula_is_one_that_each_reader_knows(tree: Formula):
    from math_core import LatexToMathML

    made = render_text(
        Document(title="t", blocks=(Equation(sides(tree)), Paragraph((Math(sides(tree, w5)),)))), "markdown"
    )
    display = re.findall(r"```math\n(.*?)\n```", made, re.S)
    inline = re.findall(r"\$`([^`]*)`\$", made)
    assert len(display) == len(inline) == 1
    for formula in (*display, *inline):
        assert not re.search(REFUSED, formula)
        assert "|" not in formula
        # math-core knows no hexadecimal colours and no rules; everything else it has to take
        known = re.sub(r"\\rule\[-[\d.]+em\]\{0pt\}\{[\d.]+em\}", "", re.sub(r"#[0-9a-f]{6}", "red", formula))
        LatexToMathML().convert_with_local_state(known, displaystyle=True)


def test_a_number_is_text_and_a_power_of_ten_is_not():
    def written(number: str) -> str:
        return render_text(Document(title="t", blocks=(Paragraph((Math(sides(Number(number))),)),)), "markdown")

    assert written("-0.25").splitlines()[-1] == "-0.25"
    assert written("1.5e-43").splitlines()[-1] == r"$`1.5 \cdot 10^{-43}`$"


@pytest.mark.parametrize(
    ("tex", "made"), [(r"\operatorname{ReLU}(x)", r"\mathrm{ReLU}(x)"), (r"\left|x\right|", r"\left\vert x\right\vert")]
)
def test_commands_that_github_refuses(tex: str, made: str):
    assert portable(tex) == made


# ---- hostile text ------------------------------------------------------------------------------

HOSTILE_TEXTS = [
    HOSTILE, "# heading", "1. one", "2) two", "- item", "+ item", "* item", "> quote", "```\ncode\n```", "~~~", "---",
    "===", "a | b", "|a|\n|-|\n|b|", "[link](x)", "![image](x)", "[^1]", "<script>alert(1)</script>", "<!-- x -->",
    "&amp; &lt;", "*bold* _it_ **b** __b__", "`code`", "a\\b \\* \\", "$x$ and $`y`$", "$$ z $$", "{eq}`x`",
    "{{ sub }}", "(label)=", "% comment", ":::{note}", "::: {.x}", "@fig-x", "[@key]", "~~gone~~", "H~2~O x^2^",
    "term\n: definition", "-- ... ---", '"quoted" \'too\'', "${x}$", "\\[x\\] \\(y\\)", "a  \nb", "    indented",
]  # fmt: skip


def _plain(made: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]*>", "", made)).split())


@pytest.mark.parametrize("hostile", HOSTILE_TEXTS)
def test_hostile_text_is_text_to_the_letter(hostile: str):
    """A paragraph, an item, a cell and a heading, read by the parser: the characters that went in."""
    clean = " ".join(hostile.split())
    line = text(hostile)
    table = Table("t", line, (line, line), ((line, line),))
    document = Document(title=hostile, blocks=(Paragraph(line), ListBlock((line,)), table, Section("s", line, ())))
    made = github(render_text(document, "markdown"))
    assert _plain(re.findall(r"<h1>(.*?)</h1>", made, re.S)[0]) == clean
    assert _plain(re.findall(r"<p>(.*?)</p>", made, re.S)[0]) == clean
    assert _plain(re.findall(r"<li>(.*?)</li>", made, re.S)[0]) == clean
    assert [_plain(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", made, re.S)] == [clean] * 4
    assert _plain(re.findall(r"<h2>(.*?)</h2>", made, re.S)[0]) == f"1 {clean}"
    assert set(re.findall(r"<([a-z0-9]+)", made)) <= {
        "h1",
        "h2",
        "p",
        "ul",
        "li",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "a",
        "span",
        "strong",
    }


@pytest.mark.parametrize("hostile", HOSTILE_TEXTS)
def test_hostile_text_is_text_for_myst_too(hostile: str):
    clean = " ".join(hostile.split())
    tokens = myst(escape(hostile) + "\n")
    assert [token.type for token in tokens[:3]] == ["paragraph_open", "inline", "text"]
    assert "".join(token.content for token in tokens[1].children) == clean
    assert {token.type for token in tokens[1].children} <= {"text", "text_special"}


def test_a_dollar_sign_is_set_apart_where_github_would_take_it_for_mathematics():
    assert escape_github("5 $ and 6 $") == "5 <span>$</span> and 6 <span>$</span>"
    assert escape("5 $") == r"5 \$"


def test_text_inside_a_formula():
    assert in_text("a_b") == r"a}\_\text{b"
    assert "|" not in in_text("|")
    assert "`" not in in_text("`")


# ---- MyST and Quarto -----------------------------------------------------------------------------


@pytest.mark.parametrize("document", [SAMPLE, EVERYTHING], ids=["sample", "everything"])
def test_myst_reads_what_was_meant(document: Document):
    tokens = myst(render_text(document, "markdown", flavor="myst"))
    kinds = [token.type for token in tokens]
    blocks = list(_all(document.blocks))
    equations = [block for block in blocks if isinstance(block, Equation)]
    named = [anchor(block.identifier) for block in equations if block.identifier]
    assert [token.info for token in tokens if token.type == "math_block_label"] == named
    assert kinds.count("math_block") == len(equations) - len(named)
    assert kinds.count("table_open") == sum(isinstance(block, Table) or _is_frame(block) for block in blocks)
    assert kinds.count("heading_open") == sum(isinstance(block, Section) for block in blocks) + 1
    labels = {token.content for token in tokens if token.type == "myst_target"}
    directives = [token for token in tokens if token.type in ("fence", "colon_fence")]
    labels |= {label for token in directives for label in re.findall(r"^:name: (.+)$", token.content, re.M)}
    links = [str(token.attrs["href"]) for token in tokens if token.type == "link_open"]
    assert {link[1:] for link in links if link.startswith("#")} <= labels
    roles = [token for token in tokens if token.type == "myst_role"]
    assert {role.content for role in roles} <= set(named)
    assert {role.meta["name"] for role in roles} == {"eq"}
    alternatives = [
        json.loads(found) for token in directives for found in re.findall(r"^:alt: (.+)$", token.content, re.M)
    ]
    assert alternatives == [block.alternative for block in blocks if isinstance(block, Figure)]


@pytest.mark.parametrize("document", [SAMPLE, EVERYTHING], ids=["sample", "everything"])
def test_quarto_labels_and_references_agree(document: Document):
    made = render_text(document, "markdown", flavor="quarto")
    labels = re.findall(r"\{#([^ }\n]+)", made)
    assert len(labels) == len(set(labels)) == len(targets(number(document)))
    cited = re.findall(r"(?<!\\)@((?:eq|fig|tbl|sec)-[\w.-]*\w)", made)
    assert cited
    assert set(cited) <= set(labels)
    assert made.count("\n:::\n") == made.count("::: {#note")


# ---- templates -----------------------------------------------------------------------------------


@pytest.mark.parametrize("below", ["", "markdown", "markdown/myst"])
def test_one_block_of_a_dialect_can_be_replaced(tmp_path: Path, below: str):
    (tmp_path / below).mkdir(parents=True, exist_ok=True)
    (tmp_path / below / "note.j2").write_text("MINE << question >>\n", encoding="utf-8")
    assert "MINE Where does" in render_text(SAMPLE, "markdown", templates=tmp_path, flavor="myst")
    assert ("MINE" in render_text(SAMPLE, "markdown", templates=tmp_path)) == (below != "markdown/myst")


def test_the_colours_of_words_are_those_of_formulas():
    for flavor, colors in (("", COLORS), ("myst", COLORS), ("quarto", NAMED_COLORS)):
        template = (HERE / "markdown" / flavor / "inline.j2").read_text(encoding="utf-8")
        assert f"set colors = {json.dumps(list(colors))}" in template
    assert len(COLORS) == len(NAMED_COLORS) == len(LIGHT)


@pytest.mark.parametrize("color", COLORS)
def test_a_colour_is_read_on_white_and_on_black(color: str):
    def luminance(hexadecimal: str) -> float:
        parts = [int(hexadecimal[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light = luminance(color)
    assert 1.05 / (light + 0.05) > 4
    assert (light + 0.05) / (luminance("#0d1117") + 0.05) > 4


def test_two_texts_are_the_same():
    assert render_text(EVERYTHING, "markdown") == render_text(EVERYTHING, "markdown")
    assert Text("x") in text("x")
    assert math(name("x"))
