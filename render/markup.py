"""What a format is, as data: how it writes formulas, figures and pages, and a document on its way through it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import jinja2

from derive.formula import Side
from render.document import Block, Document, Equation, Figure, Picture
from render.numbering import Target
from render.theming import PLAIN, Theme

View = dict[str, object]


@dataclass(frozen=True, slots=True)
class Displayed:
    """A displayed equation in a format's own markup; ``wide`` when it will not fit a line."""

    text: str
    wide: bool


@dataclass(frozen=True, slots=True)
class Drawn:
    """A figure in a format's own markup, and the files that have to lie beside the document."""

    text: str
    files: Mapping[str, str | bytes] = field(default_factory=dict)


def _utf8(text: str, theme: Theme = PLAIN) -> bytes:
    return text.encode()


def _as_it_is(document: Document) -> Document:
    return document


def _nothing(theme: Theme) -> dict[str, object]:
    return {}


@dataclass(frozen=True, slots=True)
class Format:
    """One output format: one row of `FORMATS` and one folder of templates.

    ``delimiters`` names a row of `templating.DELIMITERS`; ``missing`` says what has to be
    installed first, or ""; ``page`` is what the page template gets besides the document;
    ``table_room`` is the width in em that a table may take before it is set smaller or split;
    ``between`` is what stands between two blocks. ``arrange`` lays a numbered document out anew, as slides, with blocks
    that ``views`` has and the other formats have not. ``by_default``: `chainrule render` writes it without being asked.
    """

    name: str
    suffix: str
    summary: str
    folder: str
    delimiters: str
    escape: Callable[[str], str]
    formula: Callable[[tuple[Side, ...]], str]
    display: Callable[[Equation, bool], Displayed]
    figure: Callable[[Figure, str, Theme], Drawn]
    picture: Callable[[Picture, str], Drawn]
    page: Callable[[Theme], dict[str, object]] = _nothing
    encode: Callable[[str, Theme], bytes] = _utf8
    missing: Callable[[], str] = str
    table_room: float = float("inf")
    between: str = "\n"
    arrange: Callable[[Document], Document] = _as_it_is
    views: Mapping[type[Block], Callable[[Writing, Any, int, bool], View]] = field(default_factory=dict)
    by_default: bool = True


@dataclass(frozen=True, slots=True)
class Writing:
    """One document on its way through one format."""

    format: Format
    environment: jinja2.Environment
    inline: Any  # the macros of inline.j2
    targets: Mapping[str, Target]
    words: Mapping[str, str]
    stem: str
    theme: Theme
    views: Mapping[type[Block], Callable[[Writing, Any, int, bool], View]]
    files: dict[str, str | bytes]
