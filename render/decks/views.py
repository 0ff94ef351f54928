"""A slide on its way through a format: its heading, the steps in which it is shown, and its notes."""

from __future__ import annotations

from collections.abc import Iterator

from derive.tex_names import clean
from render.decks.slides import Slide
from render.document import Block, Note, Section
from render.markup import View, Writing
from render.numbering import plain_text, walk
from render.writer import anchor_of, block_of, line_of


def slide(writing: Writing, block: Slide, level: int, aside: bool) -> View:
    """``steps`` are the blocks, each shown with a click; ``anchors`` begin with the slide, ``inside`` are on it."""
    return {
        "title": line_of(writing, block.title),
        "plain_title": clean(plain_text(block.title)).strip(),
        "number": block.number,
        "within": line_of(writing, block.within),
        "within_number": block.within_number,
        "level": block.level,
        "part": block.part,
        "parts": block.parts,
        "anchors": [anchor_of(identifier) for identifier in block.anchors],
        "inside": [anchor_of(identifier) for identifier in _identifiers((*block.blocks, *block.notes))],
        "steps": [block_of(writing, each, 2, aside, False) for each in block.blocks],
        "notes": [_note(writing, note) for note in block.notes],
    }


def _note(writing: Writing, note: Note) -> View:
    return {
        "anchor": anchor_of(note.identifier),
        "question": line_of(writing, note.question),
        "blocks": [block_of(writing, each, 2, True, False) for each in note.blocks],
    }


def _identifiers(blocks: tuple[Block, ...]) -> Iterator[str]:
    for block in walk(blocks):
        identifier = getattr(block, "identifier", "")
        if identifier and not isinstance(block, Section):
            yield identifier
