"""From sections to slides: blocks in reading order, as many on each as there is room for, and notes to speak from."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TypeVar

from render.decks.height import HEIGHT, MOST_WRITING, WIDTH, WRITING, height
from render.document import (
    Block,
    Choices,
    Document,
    Equation,
    Figure,
    Inlines,
    ListBlock,
    Note,
    PageBreak,
    Paragraph,
    Section,
    Space,
    Table,
    Text,
)
from render.tables import inlines_width

LED = (Equation, Table, Figure, ListBlock, Choices, Space)  # what the paragraph before introduces
TITLE = 1.45  # a heading's letters, in em of the text
SHORT = 3 * WIDTH  # em; a longer paragraph is no introduction


@dataclass(frozen=True, slots=True)
class Slide(Block):
    """One slide: its heading, the section that it is part of, what stands on it, and what is said to it.

    ``anchors`` are the identifiers of the sections that begin here; ``part`` of ``parts`` slides with one heading.
    """

    title: Inlines
    number: str
    within: Inlines
    within_number: str
    blocks: tuple[Block, ...]
    notes: tuple[Note, ...] = ()
    anchors: tuple[str, ...] = ()
    level: int = 1
    part: int = 1
    parts: int = 1


def arrange(document: Document) -> Document:
    """A numbered document with slides in place of its blocks."""
    heading = Slide((Text(document.title),), "", (), "", ())
    slides: list[Slide] = []
    for is_section, blocks in groupby(document.blocks, lambda block: isinstance(block, Section)):
        if not is_section:
            slides += _laid_out(tuple(blocks), heading)
            continue
        for block in blocks:
            slides += _section(block, (), "", (), 1) if isinstance(block, Section) else ()
    return replace(document, blocks=tuple(slides))


def _section(
    section: Section, within: Inlines, within_number: str, anchors: tuple[str, ...], level: int
) -> Iterator[Slide]:
    """The slides of a section: its own blocks, then its sections'; what begins without a slide begins on the next."""
    anchors = (*anchors, section.identifier) if section.identifier else anchors
    heading = Slide(section.title, section.number, within, within_number, (), (), anchors, level)
    own: list[Block] = []
    begun = False
    for block in (*section.blocks, None):
        if not isinstance(block, Section | None):
            own.append(block)
            continue
        if own or (block is None and not begun):
            yield from _laid_out(tuple(own), heading)
            own, begun, heading = [], True, replace(heading, anchors=())
        if isinstance(block, Section):
            yield from _section(block, section.title, section.number, heading.anchors, level + 1)
            begun, heading = True, replace(heading, anchors=())


def _laid_out(blocks: tuple[Block, ...], heading: Slide) -> Iterator[Slide]:
    """Blocks on as few slides as they need, each about as full as the others."""
    room = _room(heading)
    pages = [page for run in _runs(blocks) for page in _even(list(_units(run, room)), room)] or [[]]
    for part, page in enumerate(pages, 1):
        shown = tuple(block for block in page if not isinstance(block, Note))
        notes = tuple(block for block in page if isinstance(block, Note))
        anchors = heading.anchors if part == 1 else ()
        yield replace(heading, blocks=shown, notes=notes, anchors=anchors, part=part, parts=len(pages))


def _room(heading: Slide) -> float:
    """The height under a heading, which may need more than one line."""
    lines = math.ceil(TITLE * inlines_width(heading.title) / (WIDTH - 3))
    return HEIGHT - TITLE * 1.2 * max(lines - 1, 0)


def _runs(blocks: Iterable[Block]) -> Iterator[tuple[Block, ...]]:
    """The blocks between two page breaks."""
    run: list[Block] = []
    for block in blocks:
        if isinstance(block, PageBreak):
            if run:
                yield tuple(run)
            run = []
        else:
            run.append(block)
    if run:
        yield tuple(run)


Unit = tuple[Block, ...]
Item = TypeVar("Item")


def _units(blocks: tuple[Block, ...], room: float) -> Iterator[tuple[Unit, float]]:
    """What stays together, and its height: a paragraph with what it introduces, a block with the notes to it."""
    unit: list[Block] = []
    high = 0.0
    for block in (piece for each in blocks for piece in _pieces(each, room)):
        needed = height(block)
        if unit and not (isinstance(block, Note) or (_introduces(unit[-1], block) and high + needed <= room)):
            yield tuple(unit), high
            unit, high = [], 0.0
        unit.append(block)
        high += needed
    if unit:
        yield tuple(unit), high


def _introduces(paragraph: Block, block: Block) -> bool:
    short = isinstance(paragraph, Paragraph) and inlines_width(paragraph.inlines) <= SHORT
    return short and isinstance(block, LED)


def _even(units: list[tuple[Unit, float]], room: float) -> list[list[Block]]:
    """The units on slides; no more slides than needed, and the fullest of them as low as that allows."""
    pages = _filled(units, room)
    low, high = 0.0, room
    for _ in range(8):
        middle = (low + high) / 2
        tried = _filled(units, middle)
        if len(tried) <= len(pages):
            pages, high = tried, middle
        else:
            low = middle
    return pages


def _filled(units: list[tuple[Unit, float]], room: float) -> list[list[Block]]:
    pages: list[list[Block]] = []
    used = room
    for unit, high in units:
        if pages and used + high <= room:
            pages[-1].extend(unit)
            used += high
        else:
            pages.append(list(unit))
            used = high
    return pages


# ---- what is higher than a slide -----------------------------------------------------------


def _pieces(block: Block, room: float) -> Iterator[Block]:
    """A block that fits a slide, or the parts of one that does not."""
    if height(block) <= room or not isinstance(block, Table | ListBlock | Paragraph | Choices | Space):
        yield block
        return
    match block:
        case Table():
            yield from _table_pieces(block, room)
        case ListBlock(items, ordered):
            for chunk in _chunks(items, room, lambda part: height(ListBlock(part, ordered))):
                yield ListBlock(chunk, ordered)
        case Choices(options):
            at = 0
            for chunk in _chunks(options, room, lambda part: height(replace(block, options=part, ticked=None))):
                ticked = tuple(place - at for place in block.ticked or () if at <= place < at + len(chunk))
                yield replace(block, options=chunk, ticked=None if block.ticked is None else ticked)
                at += len(chunk)
        case Paragraph(inlines):
            for chunk in _chunks(_sentences(inlines), room, lambda part: height(Paragraph(_joined(part)))):
                yield Paragraph(_joined(chunk))
        case Space(lines):
            yield replace(block, lines=min(lines, int(MOST_WRITING / WRITING)))


def _table_pieces(table: Table, room: float) -> Iterator[Table]:
    """The rows of a long table on several slides, as many on each; all of them have its heading and its caption."""
    chunks = _chunks(table.rows, room, lambda part: height(replace(table, rows=part)))
    size = math.ceil(len(table.rows) / len(chunks))
    even = [table.rows[start : start + size] for start in range(0, len(table.rows), size)]
    fits = all(height(replace(table, rows=rows)) <= room for rows in even)
    for part, rows in enumerate(even if fits else chunks):
        yield replace(table, rows=rows, identifier=table.identifier if part == 0 else "")


def _chunks(
    items: tuple[Item, ...], room: float, measure: Callable[[tuple[Item, ...]], float]
) -> list[tuple[Item, ...]]:
    """The items in order, in as few parts as fit a slide each."""
    parts: list[tuple[Item, ...]] = []
    for item in items:
        if parts and measure((*parts[-1], item)) <= room:
            parts[-1] = (*parts[-1], item)
        else:
            parts.append((item,))
    return parts


def _sentences(inlines: Inlines) -> tuple[Inlines, ...]:
    """A paragraph cut after the full stops of its plain text."""
    found: list[Inlines] = []
    sentence: Inlines = ()
    for inline in inlines:
        if not isinstance(inline, Text):
            sentence = (*sentence, inline)
            continue
        *ended, rest = inline.text.replace(". ", ".\0 ").split("\0")
        for text in ended:
            found.append((*sentence, Text(text)))
            sentence = ()
        sentence = (*sentence, Text(rest)) if rest else sentence
    return (*found, sentence) if sentence else tuple(found)


def _joined(sentences: Iterable[Inlines]) -> Inlines:
    return tuple(inline for sentence in sentences for inline in sentence)
