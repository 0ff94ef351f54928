"""Documents that are handed out: the head, lines for a name, a logo of every kind, pages that can be sorted."""

from __future__ import annotations

import re
import struct
import zlib
from dataclasses import replace
from pathlib import Path

import pytest
from sample_document import HOSTILE, SAMPLE, text

from derive.errors import ChainruleError, ProblemError
from render.document import Choices, Document, Head, PageBreak, Paragraph, Picture, Space
from render.formats import FLAVORS, FORMATS, files, render_text
from render.pictures import converted, picture, read_picture

SVG = b"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 30 10'><rect width='30' height='10'/></svg>"


def png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + b"\x33\x66\x99" * width) * height
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


# A JPEG image of 16 × 8 grey points: one block repeated, written out by hand.
JPEG = bytes.fromhex(
    "ffd8ffe000104a46494600010100000100010000ffdb004300" + "01" * 64 + "ffc0000b080008001001011100"
    "ffc4001f0000010501010101010100000000000000000102030405060708090a0b"
    "ffc400b5100002010303020403050504040000017d01020300041105122131410613516107227114328191a1082342b1c11552d1f0"
    "2433627282090a161718191a25262728292a3435363738393a434445464748494a535455565758595a636465666768696a73747576"
    "7778797a838485868788898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6"
    "d7d8d9dae1e2e3e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8f9fa"
    "ffda0008010100003f00028a28a0ffd9"
)
LOGOS = {"svg": SVG, "png": png(30, 10), "jpeg": JPEG, "pdf": b""}
HEAD = Head(
    course="Machine learning",
    institution="The University",
    date="28 November 2026",
    student="Zoë O’Neil",
    student_id="s-001",
    variant=17,
    points=24,
)
WRITTEN = [(name, flavor) for name in FORMATS for flavor in (FLAVORS if name == "markdown" else ("github",))]


def sheet(head: Head | None = HEAD, paper: str = "a4") -> Document:
    blocks = (Paragraph(text("Why?")), Space(5), PageBreak(), Choices((text("yes"), text("no"))))
    return Document("Exercise sheet 3", blocks, head=head, paper=paper, stem="sheet")


def logo(kind: str) -> Picture:
    made = picture(LOGOS[kind] or converted(picture(SVG, "x"), "pdf").data, "The crest")
    assert made.kind == kind
    return made


def body(made: str) -> str:
    """A page without its styles and scripts."""
    return made.partition("</style>")[2].partition("<script>")[0] or made


@pytest.mark.parametrize(("name", "flavor"), WRITTEN)
def test_the_head_stands_over_the_text(name: str, flavor: str) -> None:
    made = body(render_text(sheet(), name, flavor=flavor)).replace(r"\-", "-")
    places = [made.index(word) for word in ("Machine learning", "28 November 2026", "Zoë O’Neil", "s-001", "24", "Why")]
    assert places[-1] == max(places)


@pytest.mark.parametrize(("name", "flavor"), WRITTEN)
def test_a_sheet_of_nobody_has_lines_for_name_and_number(name: str, flavor: str) -> None:
    nobody = replace(HEAD, student="", student_id="")
    asked, bare = (render_text(sheet(each), name, flavor=flavor) for each in (nobody, replace(nobody, named=False)))
    for word in ("Name", "Student ID"):
        assert word in asked
        assert word not in body(bare)


@pytest.mark.parametrize(("name", "flavor"), WRITTEN)
def test_hostile_words_in_the_head_are_words(name: str, flavor: str) -> None:
    head = replace(HEAD, **dict.fromkeys(("course", "institution", "date", "student", "student_id"), HOSTILE))
    made = render_text(sheet(head), name, flavor=flavor)
    assert r"\input{x}" not in made or name in ("html", "slides")
    assert "</script>" not in body(made) or name in ("latex", "beamer", "pdf")
    if name == "pdf":
        assert FORMATS["pdf"].encode(made).startswith(b"%PDF")


@pytest.mark.parametrize("kind", LOGOS)
@pytest.mark.parametrize(("name", "flavor"), WRITTEN)
def test_a_logo_of_every_kind_goes_with_every_format(name: str, flavor: str, kind: str) -> None:
    pytest.importorskip("typst")
    made = files(sheet(replace(HEAD, logo=logo(kind))), name, Path(f"sheet{FORMATS[name].suffix}"), flavor=flavor)
    (main, *beside) = made
    assert "The crest" in made[main].decode("latin-1") or name not in ("html", "markdown")
    assert [path.suffix for path in beside] in ([], [".pdf"], [".svg"], [".png"], [".jpg"])
    assert bool(beside) == (name in ("latex", "markdown", "beamer"))
    if name in ("latex", "beamer"):
        assert beside[0].suffix in (".pdf", ".png", ".jpg")
        assert beside[0].as_posix() in made[main].decode()


NO_IMAGES = {
    "text": (b"hello", "not an image of a known kind; known: PNG, JPEG, SVG, PDF"),
    "cut": (JPEG[:20], "cut off"),
    "flat": (png(0, 3), "without a size"),
    "xml": (b"<x><svg/></x>", "no SVG"),
    "broken": (b"<svg", "no XML"),
    "sizeless": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "without a viewBox"),
}


@pytest.mark.parametrize(("data", "message"), NO_IMAGES.values(), ids=NO_IMAGES)
def test_what_is_no_image_is_refused_with_its_file(data: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "logo.png").write_bytes(data)
    with pytest.raises(ProblemError, match=f"--logo.*logo.png: .*{message}"):
        read_picture(tmp_path / "logo.png", "Logo", "--logo")


def test_a_logo_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ProblemError, match=r"no\.svg: No such file"):
        read_picture(tmp_path / "no.svg", "Logo", "--logo")


@pytest.mark.parametrize("paper", ["a4", "letter"])
def test_every_page_says_whose_it_is(paper: str, tmp_path: Path) -> None:
    pypdf = pytest.importorskip("pypdf")
    (tmp_path / "x.pdf").write_bytes(FORMATS["pdf"].encode(render_text(sheet(paper=paper), "pdf")))
    pages = pypdf.PdfReader(tmp_path / "x.pdf").pages
    assert len(pages) == 2
    for number, page in enumerate(pages, 1):
        words = re.sub(r"\s+", " ", page.extract_text())
        assert f"Page {number} of 2" in words
        assert "Sheet 17 · Zoë O’Neil · s-001" in words
    assert [round(side) for side in pages[0].mediabox[2:]] == ([595, 842] if paper == "a4" else [612, 792])


def test_the_page_and_latex_are_set_on_the_paper_too() -> None:
    assert "@page { size: letter;" in render_text(sheet(paper="letter"), "html")
    assert r"\documentclass[11pt,letterpaper]" in render_text(sheet(paper="letter"), "latex")
    with pytest.raises(ChainruleError, match=r'paper: .*"a3".*a4, letter'):
        render_text(sheet(paper="a3"), "html")


FAULTS = [
    (Space(0), "one line or more"),
    (Space(2, "dotted"), "dotted.*ruled"),
    (Choices(tuple(text("x") for _ in range(27))), "27 options"),
]


@pytest.mark.parametrize(("block", "message"), FAULTS)
def test_blocks_that_cannot_be_are_told(block: Space | Choices, message: str) -> None:
    with pytest.raises(ChainruleError, match=message):
        render_text(Document("t", (block,)), "html")


@pytest.mark.parametrize("name", FORMATS)
def test_without_a_head_nothing_is_added(name: str) -> None:
    made = render_text(SAMPLE, name)
    assert "Student ID" not in body(made)
    assert "fancyhdr" not in made
