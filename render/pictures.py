"""Image files for documents: read, recognised by their first bytes, and handed to each format as a kind that it takes.

A format that does not take a kind gets another: SVG and PDF become each other with the Typst compiler.
"""

from __future__ import annotations

import base64
import math
import re
import struct
import xml.etree.ElementTree as Tree
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal
from urllib.parse import quote

from derive.errors import ChainruleError, MissingDependency, ProblemError, shown
from derive.tex_names import clean
from render.document import Picture
from render.markup import Drawn
from render.typeset import pdf
from render.typeset.typst import string

KINDS = ("png", "jpeg", "svg", "pdf")
SUFFIXES = {"jpeg": "jpg"}
MEDIA = {"png": "image/png", "jpeg": "image/jpeg", "svg": "image/svg+xml"}
LARGEST = 5_000_000  # bytes; it is copied into every sheet
MOST_DOTS = 100_000_000  # of a bitmap; a compiler needs four bytes for each
ROOM = (130.0, 40.0)  # pt that a logo may take on paper

_LENGTH = re.compile(r"\s*(\d+\.?\d*|\.\d+)(?:px|pt|mm|cm|in|em)?\s*")


def read_picture(path: Path, alternative: str, place: str = "") -> Picture:
    """The image in a file. Raises `ProblemError` at ``place`` (an option, a key) for what is none."""
    where = place or str(path)
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)  # a device may never end
    except OSError as error:
        raise ProblemError(f"{path}: {error.strerror or error}", where) from error
    except ValueError as error:  # a NUL character in the name
        raise ProblemError(f"{shown(str(path))} is no file name: {error}", where) from error
    if len(data) > LARGEST:
        raise ProblemError(f"{path} has more than {LARGEST:,} bytes; so many are taken at the most", where)
    try:
        return picture(data, alternative)
    except ChainruleError as error:
        raise ProblemError(f"{path}: {error}", where) from error


def picture(data: bytes, alternative: str) -> Picture:
    """The image that these bytes are. Raises `ChainruleError` unless they are PNG, JPEG, SVG or PDF."""
    kind, (width, height) = _recognised(data)
    if not (0 < width < math.inf and 0 < height < math.inf):
        raise ChainruleError(f"an image without a size ({kind})")
    if kind in ("png", "jpeg") and width * height > MOST_DOTS:
        raise ChainruleError(f"an image of {width:,} × {height:,} dots; {MOST_DOTS:,} are the most")
    return Picture(data, kind, width, height, alternative)


def _recognised(data: bytes) -> tuple[str, tuple[float, float]]:
    if data.startswith(b"\x89PNG\r\n\x1a\n") and data[12:16] == b"IHDR" and len(data) > 24:
        return "png", struct.unpack(">II", data[16:24])
    if data.startswith(b"\xff\xd8\xff"):
        return "jpeg", _jpeg_size(data)
    if data.startswith(b"%PDF-"):
        return "pdf", (1.0, 1.0)  # the compiler knows it
    if b"<svg" in data[:4096] or b":svg" in data[:4096]:
        return "svg", _svg_size(data)
    raise ChainruleError(f"not an image of a known kind; known: {', '.join(kind.upper() for kind in KINDS)}")


def _jpeg_size(data: bytes) -> tuple[float, float]:
    """The size in the first frame header: each segment says how long it is."""
    at = 2
    while at + 9 < len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return width, height
        at += 2 + struct.unpack(">H", data[at + 2 : at + 4])[0]
    raise ChainruleError("a JPEG image that is cut off")


def _svg_size(data: bytes) -> tuple[float, float]:
    if b"<!ENTITY" in data:
        raise ChainruleError("an SVG image with entities of its own, which are not read")
    try:
        root = Tree.fromstring(data)
    except Tree.ParseError as error:
        raise ChainruleError(f"an SVG image that is no XML: {error}") from error
    if root.tag.rpartition("}")[2] != "svg":
        raise ChainruleError("an XML file that is no SVG image")
    sizes = [_LENGTH.fullmatch(root.get(name, "")) for name in ("width", "height")]
    if all(sizes):
        return float(sizes[0][1]), float(sizes[1][1])  # type: ignore[index]
    box = root.get("viewBox", "").replace(",", " ").split()
    try:
        return float(box[2]), float(box[3])
    except (IndexError, ValueError):
        raise ChainruleError("an SVG image without width and height and without a viewBox") from None


# ---- for each format -----------------------------------------------------------------------


def embedded(image: Picture, stem: str) -> Drawn:
    """The address of an image inside a web page."""
    made = converted(image, "svg") if image.kind == "pdf" else image
    return Drawn(f"data:{MEDIA[made.kind]};base64,{base64.b64encode(made.data).decode('ascii')}")


def included(image: Picture, stem: str) -> Drawn:
    r"""The name of a file beside the LaTeX source, for ``\includegraphics``."""
    return _beside(converted(image, "pdf") if image.kind == "svg" else image, stem)


def beside(image: Picture, stem: str) -> Drawn:
    """The address of a file beside a Markdown document."""
    made = _beside(converted(image, "svg") if image.kind == "pdf" else image, stem)
    return Drawn(quote(made.text), made.files)


def drawn(image: Picture, stem: str) -> Drawn:
    """Typst's call that draws it, the image inside the source: a bitmap is wrapped in SVG, which is text."""
    made = converted(image, "svg") if image.kind == "pdf" else image
    text = made.data.decode("utf-8-sig", "replace") if made.kind == "svg" else _wrapped(made)
    width = min(ROOM[0], ROOM[1] * made.width / made.height)
    alternative = string(image.alternative)
    return Drawn(f'image(bytes({_verbatim(text)}), format: "svg", width: {width:.1f}pt, alt: {alternative})')


def _beside(image: Picture, stem: str) -> Drawn:
    path = f"{stem}_figures/logo.{SUFFIXES.get(image.kind, image.kind)}"
    return Drawn(path, {path: image.data})


def _verbatim(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


@cache
def _wrapped(image: Picture) -> str:
    size = f"width='{image.width:g}' height='{image.height:g}'"
    return f"<svg xmlns='http://www.w3.org/2000/svg' {size}><image {size} href='{embedded(image, '').text}'/></svg>"


@cache
def converted(image: Picture, kind: str) -> Picture:
    """A vector image as SVG or PDF. Raises `MissingDependency` without the Typst compiler."""
    if lacking := pdf.missing():
        raise MissingDependency(f"a logo in {image.kind.upper()} is needed as {kind.upper()} here: {lacking}")
    import typst

    name = f"picture.{image.kind}"
    words = string(clean(image.alternative))
    to: Literal["svg", "pdf"] = "svg" if kind == "svg" else "pdf"
    with TemporaryDirectory() as folder:  # the compiler takes bytes for text only
        main = Path(folder, "main.typ")
        main.write_text(f'#set page(width: auto, height: auto, margin: 0pt)\n#image("{name}", alt: {words})', "utf-8")
        main.with_name(name).write_bytes(image.data)
        try:
            made = typst.compile(main, format=to, ignore_system_fonts=True, timestamp=0)
        except typst.TypstError as error:
            raise ChainruleError(f"the logo cannot be made {kind.upper()}: {error.message}") from error
    return picture(made, image.alternative)
