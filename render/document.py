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
    """A headed part; ``identifier`` is its anchor. Sections nest (two levels are used).

    One that is not ``numbered`` has a heading without a number: its title says by itself where it stands.
    """

    identifier: str
    title: Inlines
    blocks: tuple[Block, ...]
    number: str = ""
    numbered: bool = True


@dataclass(frozen=True, slots=True)
class Space(Block):
    """Empty room to write in, so many lines of handwriting high; ``style`` is a row of `SPACES`.

    A "ruled" one has light lines, a "frame" a border, a "plain" one nothing.
    """

    lines: int
    style: str = "ruled"


SPACES = ("ruled", "frame", "plain")


@dataclass(frozen=True, slots=True)
class PageBreak(Block):
    """What follows begins on a new page, on slides on a new slide."""


@dataclass(frozen=True, slots=True)
class Choices(Block):
    """Options to tick, lettered a), b), …: one of them (circles), or ``several`` (boxes).

    ``ticked`` are the positions of those that are ticked already, on a solution; None leaves all of them to the reader.
    """

    options: tuple[Inlines, ...]
    several: bool = False
    ticked: tuple[int, ...] | None = None


# ---- documents -----------------------------------------------------------------------------

PAPERS = ("a4", "letter")


@dataclass(frozen=True, slots=True)
class Picture:
    """An image file: its bytes, its kind ("png", "jpeg", "svg" or "pdf"), its size, and the same in words.

    `render.pictures.read_picture` makes one. Every format writes every kind, if need be as another.
    """

    data: bytes
    kind: str
    width: float
    height: float
    alternative: str


@dataclass(frozen=True, slots=True)
class Head:
    """What stands over a document that is handed out; its title is the document's own.

    ``student`` and ``student_id`` are printed where they are given; where they are not, and ``named`` is true, there
    are lines to write them. ``label`` names the sheet where pages lie loose; without one it is made of the
    variant and the student.
    """

    course: str = ""
    institution: str = ""
    logo: Picture | None = None
    date: str = ""
    student: str = ""
    student_id: str = ""
    variant: int | None = None
    points: int | None = None
    named: bool = True
    label: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """A whole worked example, exercise sheet or report.

    One with a ``head`` is a sheet to be handed out: its pages are counted ("page 1 of 2") and say whose they are.
    """

    title: str
    blocks: tuple[Block, ...]
    subtitle: Inlines = ()
    language: str = "en"
    stem: str = "document"
    head: Head | None = None
    paper: str = "a4"
