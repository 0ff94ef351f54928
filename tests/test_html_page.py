"""The HTML page: well-formed, alone in the world, and right in a real browser from a phone's width to a desk's."""

import html
import json
import re
import shutil
import subprocess
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest
from sample_document import EVERYTHING, SAMPLE, name, net, w5

import derive
import render
from derive.formula import Negative, Number, Partial, Product, Side, Sum, sides
from derive.tex import tex_equation
from render.document import Document
from render.formats import render_text, write
from render.typeset.mathml import MATHML, mathml
from render.typeset.page import equation_html

BROWSER = next(
    (found for each in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(each))), None
)
VOID = {"meta", "link", "br", "hr", "img", "input", "mspace", "path", "use"}

# Opens the page in a frame of a given width and says what is in it.
PROBE = """<!DOCTYPE html><body style="margin:0">
<iframe style="border:0" width="{width}" height="900" src="page.html"></iframe>
<script>
const frame = document.querySelector("iframe");
frame.onload = async () => {{
  const inner = frame.contentDocument, root = inner.documentElement;
  const fonts = await Promise.all(["STIX Two Math", "STIX Two Text"].map(each => inner.fonts.load(`16px "${{each}}"`)));
  const wider = [...inner.querySelectorAll("main > *, section > *, header > *, nav > *, aside")].filter(
    each => each.getBoundingClientRect().right > root.clientWidth + 1).map(each => each.outerHTML.slice(0, 80));
  document.body.innerHTML = "<pre></pre>";
  document.querySelector("pre").textContent = JSON.stringify({{
    width: root.scrollWidth, room: root.clientWidth, wider,
    fonts: fonts.map(each => each.map(face => face.status)),
  }});
}};
</script></body>"""


class Reader(HTMLParser):
    """Checks that elements nest, and keeps what the tests ask for."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: Counter[str] = Counter()
        self.links: list[str] = []
        self.tags: Counter[str] = Counter()
        self.headings: list[int] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.tags[tag] += 1
        if tag not in VOID:
            self.open.append(tag)
        if values.get("id"):
            self.ids[str(values["id"])] += 1
        if "href" in values:
            self.links.append(str(values["href"]))
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        assert "onclick" not in values
        assert not {"src", "srcset"} & values.keys()

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag, self.getpos()


def read(document: Document) -> Reader:
    reader = Reader()
    reader.feed(render_text(document, "html"))
    reader.close()
    return reader


@pytest.mark.parametrize("document", [SAMPLE, EVERYTHING], ids=lambda document: document.stem)
def test_the_page_is_well_formed(document: Document):
    reader = read(document)
    assert reader.open == []
    assert [each for each, count in reader.ids.items() if count > 1] == []
    assert reader.tags["h1"] == reader.tags["main"] == reader.tags["title"] == 1
    assert all(below - above <= 1 for above, below in zip(reader.headings, reader.headings[1:], strict=False))


@pytest.mark.parametrize("document", [SAMPLE, EVERYTHING], ids=lambda document: document.stem)
def test_every_link_inside_the_page_arrives(document: Document):
    reader = read(document)
    assert {link[1:] for link in reader.links if link.startswith("#")} <= set(reader.ids)


def test_the_page_needs_no_script_and_no_network():
    page = render_text(SAMPLE, "html")
    assert "<script" not in page
    assert not re.search(r"@import|<link|url\((?!data:|#)", page)
    assert len(page.encode()) < 250 * 1024


def test_every_figure_is_said_in_words():
    page = render_text(SAMPLE, "html")
    assert page.count('role="img"') == page.count("<figcaption>") == 2
    assert 'aria-label="Two inputs, two hidden units' in page


def test_factors_have_a_colour_in_light_and_in_dark():
    page = render_text(SAMPLE, "html")
    for factor in range(1, 7):
        assert page.count(f"--factor-{factor}: #") == 2


def probe(tmp_path: Path, document: Document, width: int) -> dict[str, object]:
    if BROWSER is None:
        pytest.skip("chromium is not installed")
    write(document, "html", tmp_path / "page.html")
    (tmp_path / "probe.html").write_text(PROBE.format(width=width), encoding="utf-8")
    command = [
        BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
        "--allow-file-access-from-files", f"--user-data-dir={tmp_path / 'profile'}", f"--window-size={width + 40},1000",
        "--virtual-time-budget=5000", "--dump-dom", (tmp_path / "probe.html").as_uri(),
    ]  # fmt: skip
    run = subprocess.run(command, capture_output=True, timeout=120, check=False)
    found = re.search(r"<pre>(.*?)</pre>", run.stdout.decode(), re.DOTALL)
    assert found, run.stderr.decode()[-2000:]
    answer: dict[str, object] = json.loads(found[1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
    return answer


@pytest.mark.parametrize("width", [360, 768, 1280])
@pytest.mark.parametrize("document", [SAMPLE, EVERYTHING], ids=lambda document: document.stem)
def test_nothing_is_wider_than_the_page(tmp_path: Path, document: Document, width: int):
    answer = probe(tmp_path, document, width)
    assert answer["wider"] == []
    assert answer["width"] == answer["room"]
    assert answer["fonts"] == [["loaded"], ["loaded"]]


def test_no_class_of_a_link_is_a_class_of_a_block():
    page = render_text(SAMPLE, "html")
    links = set(re.findall(r'<a class="([^"]*)"', page))
    blocks = set(re.findall(r'<(?:div|aside|nav|section|figure) class="([^"]*)"', page))
    assert {each for line in links for each in line.split()} & {
        each for line in blocks for each in line.split()
    } == set()


def test_every_equation_carries_its_latex():
    page = render_text(SAMPLE, "html")
    assert page.count('<details class="tex">') == page.count('<div class="equation')
    sources = [html.unescape(each) for each in re.findall(r'<details class="tex">.*?<code>(.*?)</code>', page)]
    assert r"\mathit{net}_{o1} = w_{5} \, \mathit{out}_{h1} + w_{6} \, \mathit{out}_{h2} + b_{2} \cdot 1" in sources
    assert not any("textcolor" in each for each in sources)


def test_the_page_keeps_its_styles_in_one_place():
    page = render_text(EVERYTHING, "html")
    assert ' style="' not in re.sub(r"<code>.*?</code>|<svg.*?</svg>", "", page, flags=re.DOTALL)
    assert "<style" not in "".join(re.findall(r"<svg.*?</svg>", page, re.DOTALL))
    assert page.count("svg.drawing{") == page.count("svg.drawing{max-width") + 2  # light and dark


def test_what_an_equation_is_put_into_lines_by_is_in_the_style_sheet():
    page = render_text(EVERYTHING, "html")
    for room in set(re.findall(r'class="line w(\d+)', page)):
        assert f"@container (max-width: {room}em) {{ .chainrule .w{room} " in page


LONG = Sum(tuple(Product((name("w", str(k)), name("out", f"h{k}"))) for k in range(1, 13)))
FACTORS = tuple(Sum((Number(f"0.{k}23456789"), Negative(Number("0.123456789")))) for k in range(1, 7))
BREAKS = [
    (sides(net, LONG), 12),
    (sides(net, Product((Number("0.5"), LONG), "dot")), 13),
    (sides(net, Negative(LONG)), 12),
    (sides(net, Product(FACTORS, "dot")), 6 * 2),
    (sides(net, Negative(Product(FACTORS, "dot"))), 6 * 2),
    (sides(net, Sum((Product(FACTORS, "dot"), net))), 6 * 2 + 1),
    (sides(net, Product((Number("0.5"), Sum(tuple(Partial(w5, net) for _ in range(9)))), "dot")), 10),
    (sides(net, Number("0.5")), 1),
]


@pytest.mark.parametrize(("equation", "count"), BREAKS)
def test_a_long_side_is_pieces_and_nothing_is_lost(equation: tuple[Side, ...], count: int):
    made = equation_html(equation).partition("<details")[0]
    assert made.count("<math>") == count + 1
    whole = mathml(tex_equation(equation, MATHML), display=True)

    def shown(markup: str) -> str:
        return html.unescape(re.sub(r"<[^>]*>|\s", "", markup)).replace("\u2063", "")

    assert shown(made) == shown(whole)


def test_the_bundled_example_stays_small():
    page = render.worked_example(derive.differentiate(derive.load("mazur"))).document
    assert len(render_text(page, "html").encode()) < 250 * 1024
