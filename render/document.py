"""The document as data: few block types and few inline types, and no markup of any format.

A composer makes a `Document`; a format's templates write it. Equations are numbered here, once
for all formats, when `number_equations` is applied to the finished tree.
"""

from __future__ import annotations

from dataclasses import dataclass

from derive.formula import Formula, Side
from render.drawing import Drawing

# ---- inlines -------------------------------------------------------------------------------


class Inline:
    """Base of what stands in a line of text."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Text(Inline):
    """Plain characters; every format escapes them."""

    text: str


@dataclass(frozen=True, slots=True)
class Emphasis(Inline):
    """Words set off: a term where it is introduced."""

    text: str


@dataclass(frozen=True, slots=True)
class Strong(Inline):
    """Words in bold."""

    text: str


@dataclass(frozen=True, slots=True)
class Code(Inline):
    """Something typed: a command, a key, a name in a file."""

    text: str


@dataclass(frozen=True, slots=True)
class Math(Inline):
    """A formula in a line; ``sides`` as in an equation (one side for a mere symbol)."""

    sides: tuple[Side, ...]


@dataclass(frozen=True, slots=True)
class Reference(Inline):
    """A link to an equation, figure, table or section by its identifier: "(7)", "Figure 2", "Section 3"."""

    target: str


@dataclass(frozen=True, slots=True)
class Colored(Inline):
    """Words in the colour of chain-rule factor ``factor`` (1, 2, 3, …)."""

    factor: int
    text: str


@dataclass(frozen=True, slots=True)
class Link(Inline):
    """A link to an address outside; only http and https."""

    text: str
    address: str


Inlines = tuple[Inline, ...]

# ---- blocks --------------------------------------------------------------------------------


class Block:
    """Base of what stands on its own."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Paragraph(Block):
    """A paragraph of prose."""

    inlines: Inlines


@dataclass(frozen=True, slots=True)
class Equation(Block):
    """One displayed equation: sides in order, numbered if it has an identifier.

    The sides stand in one line where there is room, else one under the other, aligned at their
    signs. ``boxed`` puts the last side in a box: the result that a section was after.
    """

    sides: tuple[Side, ...]
    identifier: str = ""
    boxed: bool = False
    number: int = 0


@dataclass(frozen=True, slots=True)
class ListBlock(Block):
    """A list of items, each a tuple of inlines."""

    items: tuple[Inlines, ...]
    ordered: bool = False


@dataclass(frozen=True, slots=True)
class Table(Block):
    """A table: cells are inlines; ``numeric`` says which columns are set flush at the decimal point."""

    identifier: str
    caption: Inlines
    header: tuple[Inlines, ...]
    rows: tuple[tuple[Inlines, ...], ...]
    numeric: tuple[bool, ...] = ()
    number: int = 0


@dataclass(frozen=True, slots=True)
class Figure(Block):
    """A drawing, its caption, and the same in words for who cannot see it."""

    identifier: str
    drawing: Drawing
    caption: Inlines
    alternative: str
    number: int = 0


@dataclass(frozen=True, slots=True)
class Note(Block):
    """An answer to a learner's question, beside the place where it arises."""

    identifier: str
    question: Inlines
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Progress(Block):
    """The strip after a section: which gradients are known by now. ``entries`` are (name, known)."""

    entries: tuple[tuple[Formula, bool], ...]


@dataclass(frozen=True, slots=True)
class Section(Block):
    """A headed part; ``identifier`` is its anchor. Sections nest (two levels are used)."""

    identifier: str
    title: Inlines
    blocks: tuple[Block, ...]
    number: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """A whole worked example, exercise sheet or report."""

    title: str
    blocks: tuple[Block, ...]
    subtitle: Inlines = ()
    language: str = "en"
    stem: str = "document"
