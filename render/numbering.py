"""Numbers for equations, figures, tables and sections, given once for all formats, and what a `Reference` finds."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from derive.errors import ChainruleError, unknown
from derive.plain import plain_equation
from render.document import (
    Block,
    Code,
    Colored,
    Document,
    Emphasis,
    Equation,
    Figure,
    Inline,
    Inlines,
    Link,
    Math,
    Note,
    Reference,
    Section,
    Strong,
    Table,
    Text,
)

# The words of a page that no composer writes.
WORDS = {
    "en": {
        "contents": "Contents",
        "equation": "Equation",
        "figure": "Figure",
        "table": "Table",
        "section": "Section",
        "known": "known",
        "open": "still to find",
        "progress": "What is known by now",
        "skip": "Skip to the text",
        "to_equation": "Link to equation",
        "note": "A question that arises here",
        "name": "Name",
        "student_id": "Student ID",
        "variant": "Sheet",
        "points": "Points",
        "page": "Page",
        "of": "of",
        "room": "Room to write",
        "lines": "lines",
        "ticked": "ticked",
        "unticked": "not ticked",
    }
}


@dataclass(frozen=True, slots=True)
class Target:
    """What a reference may point to: its kind, its anchor, and how it is called in a sentence."""

    kind: str
    anchor: str
    label: str


def words(language: str) -> dict[str, str]:
    """The page's own words in a language, English where there is no row for it."""
    return WORDS.get(language.partition("-")[0], WORDS["en"])


def number(document: Document) -> Document:
    """The document with its equations, figures, tables ("1", 2, …) and sections ("1", "1.1") numbered.

    Equations, figures and tables without an identifier stay without a number.
    """
    counter: Counter[str] = Counter()
    return replace(document, blocks=_numbered(document.blocks, counter, ""))


def targets(document: Document) -> dict[str, Target]:
    """Every identifier of a numbered document. Raises `ChainruleError` where two things share one."""
    label = words(document.language)
    found: dict[str, Target] = {}
    anchors: set[str] = set()
    for block in walk(document.blocks):
        target = _target(block, label)
        if target is None:
            continue
        identifier, made = target
        if identifier in found or made.anchor in anchors:
            raise ChainruleError(
                f"two parts of the document have the identifier {identifier!r}; it has to be one's own"
            )
        found[identifier] = made
        anchors.add(made.anchor)
    return found


def find(known: Mapping[str, Target], reference: Reference) -> Target:
    """The target of a reference. Raises `ChainruleError` when nothing in the document has its identifier."""
    if reference.target not in known:
        raise ChainruleError(f"a reference to what is not in the document: {unknown(reference.target, known)}")
    return known[reference.target]


def anchor(identifier: str) -> str:
    """The identifier as HTML and LaTeX take it: ASCII letters, digits, ``-``, ``_``, ``.``; others as their code."""
    return re.sub(r"[^A-Za-z0-9_.-]", lambda match: f"-{ord(match.group()):x}-", identifier)


def walk(blocks: tuple[Block, ...]) -> Iterator[Block]:
    """Every block, each before the blocks inside it."""
    for block in blocks:
        yield block
        if isinstance(block, Section | Note):
            yield from walk(block.blocks)


def plain_text(inlines: Inlines) -> str:
    """The words of a line without markup; formulas as they are typed."""
    return "".join(_plain(inline) for inline in inlines)


def _plain(inline: Inline) -> str:
    match inline:
        case Math(sides):
            return plain_equation(sides)
        case Text(text) | Emphasis(text) | Strong(text) | Code(text) | Colored(_, text) | Link(text, _):
            return text
        case Reference(target):
            return target
    raise TypeError(f"an inline that has no plain text: {type(inline).__name__}")


def _numbered(blocks: tuple[Block, ...], counter: Counter[str], within: str) -> tuple[Block, ...]:
    sections = 0
    made: list[Block] = []
    for block in blocks:
        match block:
            case Section(numbered=False):
                made.append(replace(block, blocks=_numbered(block.blocks, counter, within)))
            case Section():
                sections += 1
                own = f"{within}{sections}"
                made.append(replace(block, number=own, blocks=_numbered(block.blocks, counter, f"{own}.")))
            case Note():
                made.append(replace(block, blocks=_numbered(block.blocks, counter, within)))
            case Equation() | Figure() | Table():
                made.append(replace(block, number=_next(counter, type(block).__name__) if block.identifier else 0))
            case _:
                made.append(block)
    return tuple(made)


def _next(counter: Counter[str], kind: str) -> int:
    counter[kind] += 1
    return counter[kind]


def _target(block: Block, label: dict[str, str]) -> tuple[str, Target] | None:
    match block:
        case Equation(identifier=identifier) if identifier:
            return identifier, Target("equation", anchor(identifier), f"({block.number})")
        case Figure(identifier=identifier) if identifier:
            return identifier, Target("figure", anchor(identifier), f"{label['figure']} {block.number}")
        case Table(identifier=identifier) if identifier:
            return identifier, Target("table", anchor(identifier), f"{label['table']} {block.number}")
        case Section(identifier=identifier) if identifier:
            return identifier, Target("section", anchor(identifier), f"{label['section']} {block.number}")
        case Note(identifier=identifier) if identifier:
            return identifier, Target("note", anchor(identifier), f"“{plain_text(block.question)}”")
        case _:
            return None
