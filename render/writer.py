"""A document through the templates of one format: every block's view is made here, its markup in its template."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from markupsafe import Markup

from derive.errors import ChainruleError, shown, unknown
from derive.formula import Side
from derive.tex_names import FACTOR_COLORS, clean
from render.document import (
    PAPERS,
    SPACES,
    Block,
    Choices,
    Code,
    Colored,
    Document,
    Emphasis,
    Equation,
    Figure,
    Head,
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
from render.markup import Drawn, Format, View, Writing
from render.numbering import anchor, find, number, plain_text, targets, words
from render.tables import padding, table_layout
from render.templating import environment, faults, names
from render.theming import PLAIN, Theme

INLINES: tuple[type[Inline], ...] = (Text, Emphasis, Strong, Code, Math, Reference, Colored, Link)

URL_SIGNS = "/:?#[]@!$&()*+,;=%-._~"  # what an address may hold as it is


def render(
    document: Document, format: Format, *, fragment: bool = False, templates: Path | None = None
) -> tuple[str, dict[str, str | bytes]]:
    """The document in a format's markup, and the files that belong beside it (path to text).

    Raises `ChainruleError` for a reference without a target and for a faulty template.
    """
    numbered = number(document)
    theme = theme_at(templates)
    views = {**VIEWS, **format.views}
    needed = (*names(views), "inline", "page", "fragment")
    made = environment(format.folder, format.escape, format.delimiters, templates, needed)
    with faults("inline"):
        macros = made.get_template("inline.j2").module
    for name in names(INLINES):
        if not hasattr(macros, name):
            raise ChainruleError(f"{made.get_template('inline.j2').filename}: there is no macro {shown(name)} in it")
    language = words(document.language)
    writing = Writing(format, made, macros, targets(numbered), language, document.stem, theme, views, {})
    body = _blocks(writing, format.arrange(numbered).blocks, 1, False)
    view: View = {
        "title": clean(document.title).strip(),
        "subtitle": line_of(writing, numbered.subtitle),
        "language": clean(document.language),
        "contents": _contents(writing, numbered.blocks),
        "body": body,
        "paper": _paper(document.paper),
        "head": None if document.head is None else _head(writing, document.head, document.title),
        **format.page(theme),
    }
    return _template(writing, "fragment" if fragment else "page", view), writing.files


def theme_at(templates: Path | None) -> Theme:
    """The theme in a folder of templates; without one, the plain theme, for which nothing has to be read."""
    if templates is None or not (templates / "theme.toml").is_file():
        return PLAIN
    from render.theme_file import theme_of

    return theme_of(templates)


def _paper(paper: str) -> str:
    if paper not in PAPERS:
        raise ChainruleError(f"paper: {unknown(paper, PAPERS)}")
    return paper


def _head(writing: Writing, head: Head, title: str) -> View:
    """The head as texts; ``asked`` are those that the reader writes; ``label`` names the sheet on each of its pages."""
    picture = head.logo or writing.theme.logo
    logo = Drawn("") if picture is None else writing.format.picture(picture, writing.stem)
    writing.files.update(logo.files)
    variant = "" if head.variant is None else f"{writing.words['variant']} {head.variant}"
    texts = {"course": head.course, "institution": head.institution, "date": head.date}
    student = {"name": clean(head.student).strip(), "student_id": clean(head.student_id).strip()}
    parts = (variant, student["name"], student["student_id"])
    return {
        **{name: clean(text).strip() for name, text in texts.items()},
        "student": {name: text for name, text in student.items() if text},
        "asked": [name for name, text in student.items() if head.named and not text],
        "variant": variant,
        "points": "" if head.points is None else str(head.points),
        "stated": bool(logo.text or variant or head.course or head.institution or head.date),
        "logo": Markup(logo.text),
        "alternative": "" if picture is None else clean(picture.alternative).strip(),
        "label": clean(head.label).strip() or " · ".join(part for part in parts if part),
        "running": clean(title).strip(),
    }


def _blocks(writing: Writing, blocks: tuple[Block, ...], level: int, aside: bool) -> Markup:
    leads = [isinstance(after, Equation | Table | Space | Choices) for after in (*blocks[1:], None)]
    made = (block_of(writing, block, level, aside, lead) for block, lead in zip(blocks, leads, strict=False))
    return Markup(writing.format.between).join(made)


def block_of(writing: Writing, block: Block, level: int, aside: bool, leads: bool) -> Markup:
    """One block; ``level`` counts sections inside sections, ``aside`` is True inside a note.

    ``leads`` says that an equation, a table or room to write comes next, from which no new page should part it.
    """
    if type(block) not in writing.views:
        raise ChainruleError(f"a kind of block that no format writes: {type(block).__name__}")
    view = {**writing.views[type(block)](writing, block, level, aside), "leads": leads}
    return Markup(_template(writing, names([type(block)])[0], view).strip("\n"))


def _template(writing: Writing, name: str, view: View) -> str:
    with faults(name):
        return writing.environment.get_template(f"{name}.j2").render(view, words=writing.words)


def line_of(writing: Writing, inlines: Inlines) -> Markup:
    """A line of text in the format's markup."""
    calls = [_macro(writing, inline) for inline in inlines]
    with faults("inline"):
        return Markup("").join(Markup(str(getattr(writing.inline, name)(*values))) for name, values in calls)


def _macro(writing: Writing, inline: Inline) -> tuple[str, tuple[object, ...]]:
    """The macro that writes an inline, and what it is handed."""
    match inline:
        case Text(text):
            return "text", (clean(text),)
        case Emphasis(text):
            return "emphasis", (clean(text),)
        case Strong(text):
            return "strong", (clean(text),)
        case Code(text):
            return "code", (clean(text),)
        case Math(sides):
            return "math", (Markup(writing.format.formula(sides)),)
        case Reference():
            target = find(writing.targets, inline)
            return "reference", (clean(target.label), Markup(target.anchor), target.kind, writing.words[target.kind])
        case Colored(factor, text):
            return "colored", ((factor - 1) % len(FACTOR_COLORS) + 1, clean(text))
        case Link(text, address):
            if not address.startswith(("https://", "http://")):
                raise ChainruleError(f"a link to {shown(address)}; only http and https addresses are linked to")
            return "link", (clean(text), quote(clean(address).strip(), safe=URL_SIGNS))
        case _:
            raise ChainruleError(f"a kind of inline that no format writes: {type(inline).__name__}")


def _contents(writing: Writing, blocks: tuple[Block, ...]) -> list[View]:
    return [
        {
            "number": block.number,
            "title": line_of(writing, block.title),
            "anchor": anchor_of(block.identifier),
            "contents": _contents(writing, block.blocks),
        }
        for block in blocks
        if isinstance(block, Section)
    ]


def anchor_of(identifier: str) -> Markup:
    """An anchor needs no escaping in any format: it is letters, digits, ``-``, ``_`` and ``.`` only."""
    return Markup(anchor(identifier))


def _paragraph(writing: Writing, block: Paragraph, level: int, aside: bool) -> View:
    return {"text": line_of(writing, block.inlines)}


def _equation(writing: Writing, block: Equation, level: int, aside: bool) -> View:
    made = writing.format.display(block, aside)
    return {
        "anchor": anchor_of(block.identifier),
        "number": block.number,
        "math": Markup(made.text),
        "wide": made.wide,
        "boxed": block.boxed,
    }


def _list(writing: Writing, block: ListBlock, level: int, aside: bool) -> View:
    return {"items": [line_of(writing, item) for item in block.items], "ordered": block.ordered}


def _table(writing: Writing, block: Table, level: int, aside: bool) -> View:
    """Cells as (text, padding, numeric), column by column in each of the parts that the table is split into."""
    made = table_layout(block, writing.format.table_room * (0.85 if aside else 1.0))
    pads = padding(block)
    header = [line_of(writing, cell) for cell in block.header]
    rows = [[line_of(writing, cell) for cell in row] for row in block.rows]

    def cell(row: int, column: int) -> View:
        if column >= len(rows[row]):
            return {"text": Markup(""), "pad": "", "numeric": False}
        return {"text": rows[row][column], "pad": pads[row][column], "numeric": made.numeric[column]}

    def part(columns: tuple[int, ...]) -> View:
        return {
            "columns": [
                {"numeric": made.numeric[c], "wraps": made.wraps[c], "width": f"{made.widths[c]:.1f}"} for c in columns
            ],
            "header": [
                {"text": header[c] if c < len(header) else Markup(""), "numeric": made.numeric[c]} for c in columns
            ],
            "rows": [[cell(row, c) for c in columns] for row in range(len(rows))],
        }

    return {
        "anchor": anchor_of(block.identifier),
        "number": block.number,
        "caption": line_of(writing, block.caption),
        "label": clean(plain_text(block.caption)).strip(),
        "size": made.size,
        "long": len(rows) > 30,
        "parts": [part(columns) for columns in made.parts],
    }


def _figure(writing: Writing, block: Figure, level: int, aside: bool) -> View:
    drawn = writing.format.figure(block, writing.stem, writing.theme)
    writing.files.update(drawn.files)
    return {
        "anchor": anchor_of(block.identifier),
        "number": block.number,
        "drawing": Markup(drawn.text.strip("\n")),
        "caption": line_of(writing, block.caption),
        "alternative": clean(block.alternative).strip(),
    }


def _note(writing: Writing, block: Note, level: int, aside: bool) -> View:
    return {
        "anchor": anchor_of(block.identifier),
        "question": line_of(writing, block.question),
        "plain_question": clean(plain_text(block.question)).strip(),
        "body": _blocks(writing, block.blocks, level, True),
    }


def _progress(writing: Writing, block: Progress, level: int, aside: bool) -> View:
    entries = [
        {"formula": Markup(writing.format.formula((Side(formula, ""),))), "known": known}
        for formula, known in block.entries
    ]
    return {"entries": entries}


def _section(writing: Writing, block: Section, level: int, aside: bool) -> View:
    return {
        "anchor": anchor_of(block.identifier),
        "number": block.number,
        "level": level,
        "title": line_of(writing, block.title),
        "plain_title": clean(plain_text(block.title)).strip(),
        "is_plain": all(isinstance(inline, Text) for inline in block.title),
        "body": _blocks(writing, block.blocks, level + 1, aside),
    }


def _space(writing: Writing, block: Space, level: int, aside: bool) -> View:
    if block.style not in SPACES:
        raise ChainruleError(f"a space to write in: {unknown(block.style, SPACES)}")
    if block.lines < 1:
        raise ChainruleError(f"a space to write in has one line or more; this one has {block.lines}")
    return {"lines": block.lines, "style": block.style}


def _pagebreak(writing: Writing, block: PageBreak, level: int, aside: bool) -> View:
    return {}


def _choices(writing: Writing, block: Choices, level: int, aside: bool) -> View:
    if len(block.options) > len(LETTERS):
        raise ChainruleError(f"{len(block.options)} options to choose from; there are letters for {len(LETTERS)}")
    ticked = block.ticked or ()
    options = [
        {"text": line_of(writing, inlines), "letter": letter, "ticked": position in ticked}
        for position, (letter, inlines) in enumerate(zip(LETTERS, block.options, strict=False))
    ]
    return {"options": options, "several": block.several, "answered": block.ticked is not None}


LETTERS = "abcdefghijklmnopqrstuvwxyz"

VIEWS: dict[type[Block], Callable[[Writing, Any, int, bool], View]] = {
    Paragraph: _paragraph,
    Equation: _equation,
    ListBlock: _list,
    Table: _table,
    Figure: _figure,
    Note: _note,
    Progress: _progress,
    Section: _section,
    Space: _space,
    PageBreak: _pagebreak,
    Choices: _choices,
}
