"""The HTML page: well-formed, alone in the world, and right in a real browser from a phone's width to a desk's."""

import json
import re
import shutil
import subprocess
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest
from sample_document import EVERYTHING, SAMPLE

from render.document import Document
from render.formats import render_text, write

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
