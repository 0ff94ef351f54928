"""Blocks and lines as HTML elements, of the few kinds that every learning platform keeps; formulas as it wants them.

The elements are of no name space; who writes them puts them into the one of the platform's format.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from xml.etree.ElementTree import Element, SubElement, tostring

from derive.errors import ChainruleError
from derive.formula import Formula, Number, Side
from derive.tex_names import clean
from render.document import (
    Block,
    Choices,
    Code,
    Colored,
    Emphasis,
    Equation,
    Figure,
    Inline,
    Inlines,
    Link,
    ListBlock,
    Math,
    Note,
    PageBreak,
    Paragraph,
    Progress,
    Reference,
    Section,
    Space,
    Strong,
    Table,
    Text,
)
from render.drawing import Drawing
from render.figures.svg import style_sheet, svg
from render.numbering import Target, find, words

SPECIAL = re.compile(r"([$\\])")  # what begins a formula in the text of a platform that has TeX
WORDS = words("en")


@dataclass(frozen=True)
class Style:
    """How a platform writes: a formula in a line, a displayed one, and the address of a figure's file.

    ``formula`` and ``display`` append to an element; with ``guarded`` the signs that begin TeX in text are set apart.
    """

    formula: Callable[[Element, tuple[Side, ...]], None]
    display: Callable[[Element, Equation], None]
    address: Callable[[str], str]
    guarded: bool = True


@dataclass
class Page:
    """Elements on their way: what references point to, and the figures (name of file to content) that were met."""

    style: Style
    targets: dict[str, Target] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)

    def blocks(self, blocks: Iterable[Block]) -> list[Element]:
        """Each block as an element."""
        return [made for block in blocks for made in self._block(block)]

    def line(self, parent: Element, inlines: Inlines) -> Element:
        """Inlines, appended to an element, which is given back."""
        for inline in inlines:
            self._inline(parent, inline)
        return parent

    def text(self, parent: Element, text: str) -> None:
        """Plain characters, appended to an element."""
        for piece in SPECIAL.split(clean(text)) if self.style.guarded else [clean(text)]:
            if self.style.guarded and SPECIAL.fullmatch(piece):
                SubElement(parent, "span").text = piece
            else:
                append(parent, piece)

    def formula(self, parent: Element, formula: Formula) -> None:
        """A formula in a line, appended to an element."""
        self._formula(parent, (Side(formula, ""),))

    # ---- inlines ---------------------------------------------------------------------------

    def _inline(self, parent: Element, inline: Inline) -> None:
        match inline:
            case Text(text):
                self.text(parent, text)
            case Emphasis(text) | Colored(_, text):
                self.text(SubElement(parent, "em"), text)
            case Strong(text):
                self.text(SubElement(parent, "strong"), text)
            case Code(text):
                self.text(SubElement(parent, "code"), text)
            case Link(text, address):
                if not address.startswith(("https://", "http://")):
                    raise ChainruleError(f"a link to {address}; only http and https addresses are linked to")
                self.text(SubElement(parent, "a", href=clean(address)), text)
            case Reference():
                self.text(parent, find(self.targets, inline).label)
            case Math(sides):
                self._formula(parent, sides)
            case _:
                raise ChainruleError(f"a kind of inline that no export writes: {type(inline).__name__}")

    def _formula(self, parent: Element, sides: tuple[Side, ...]) -> None:
        """A formula in a line; a mere number is text."""
        if len(sides) == 1 and isinstance(sides[0].formula, Number) and "e" not in sides[0].formula.text.lower():
            self.text(parent, sides[0].formula.text.replace("-", "−"))
        else:
            self.style.formula(parent, sides)

    # ---- blocks ----------------------------------------------------------------------------

    def _block(self, block: Block) -> Iterator[Element]:
        match block:
            case Paragraph(inlines):
                yield self.line(Element("p"), inlines)
            case Equation():
                yield self._equation(block)
            case ListBlock():
                yield self._list(block)
            case Table():
                yield self._table(block)
            case Figure():
                yield self._figure(block)
            case Note(_, question, blocks):
                yield self._headed("note", question, blocks)
            case Section(_, title, blocks):
                yield self._headed("section", title, blocks)
            case Progress(entries):
                yield self._progress(entries)
            case Space() | PageBreak():  # for paper alone
                return
            case Choices(options):
                yield self._list(ListBlock(options))
            case _:
                raise ChainruleError(f"a kind of block that no export writes: {type(block).__name__}")

    def _equation(self, block: Equation) -> Element:
        made = Element("div", {"class": "equation"})
        self.style.display(made, block)
        if block.number:
            append(made, f" ({block.number})")
        return made

    def _list(self, block: ListBlock) -> Element:
        made = Element("ol" if block.ordered else "ul")
        for item in block.items:
            self.line(SubElement(made, "li"), item)
        return made

    def _headed(self, kind: str, title: Inlines, blocks: tuple[Block, ...]) -> Element:
        made = Element("div", {"class": kind})
        heading = SubElement(made, "p")
        self.line(SubElement(heading, "strong"), title)
        made.extend(self.blocks(blocks))
        return made

    def _progress(self, entries: tuple[tuple[Formula, bool], ...]) -> Element:
        made = Element("p")
        append(made, f"{WORDS['progress']}: ")
        for position, (formula, known) in enumerate(entries):
            append(made, f"{' · ' if position else ''}{'✓' if known else '○'} ")
            self.formula(made, formula)
        return made

    def _table(self, block: Table) -> Element:
        made = Element("table", {"class": "table"})
        self._caption(SubElement(made, "caption"), "table", block.number, block.caption)
        if any(block.header):
            row = SubElement(SubElement(made, "thead"), "tr")
            for cell in block.header:
                self.line(SubElement(row, "th", scope="col"), cell)
        body = SubElement(made, "tbody")
        for cells in block.rows:
            row = SubElement(body, "tr")
            for cell in cells:
                self.line(SubElement(row, "td"), cell)
        return made

    def _figure(self, block: Figure) -> Element:
        made = Element("div", {"class": "figure"})
        name, drawn = picture(block.drawing, block.alternative)
        self.files[name] = drawn
        holder = SubElement(made, "p")
        SubElement(holder, "img", src=self.style.address(name), alt=clean(block.alternative).strip())
        if block.number or block.caption:
            self._caption(SubElement(made, "p"), "figure", block.number, block.caption)
        return made

    def _caption(self, parent: Element, kind: str, number: int, caption: Inlines) -> None:
        if number:
            SubElement(parent, "strong").text = f"{WORDS[kind]} {number}."
            append(parent, " ")
        self.line(parent, caption)


@lru_cache(maxsize=256)  # a variant's figure stands before each of its questions, and in every export
def picture(drawing: Drawing, words: str) -> tuple[str, bytes]:
    """A figure as a file: its name, which is its content's, and its content."""
    drawn = svg(drawing, title=words, styles=style_sheet(plain=True)).encode("utf-8")
    return f"figure-{hashlib.sha256(drawn).hexdigest()[:12]}.svg", drawn


def append(parent: Element, text: str) -> None:
    """Characters after all that an element holds."""
    if len(parent):
        parent[-1].tail = (parent[-1].tail or "") + text
    else:
        parent.text = (parent.text or "") + text


def html(elements: Iterable[Element]) -> str:
    """Elements as HTML text, which goes as text into the XML of a platform."""
    return "".join(tostring(element, encoding="unicode", method="html") for element in elements)


def inner_html(element: Element) -> str:
    """What an element holds, as HTML text."""
    whole = tostring(element, encoding="unicode", method="html")
    return whole[whole.index(">") + 1 : whole.rindex("</")]
