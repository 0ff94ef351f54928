"""The boxes of a dataflow figure: how large they are, and what is written in them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from derive.formula import Formula, Name, Symbol, Words
from render.drawing import FlowBox
from render.figures.letters import SIZES, place, width
from render.figures.placed import Label, Shape, box_around

NAME_ROW, SMALL_ROW = 22.0, 17.0  # the heights of the lines in a box
PADDING = 9.0
TIGHT = 3.0  # less of it where two names share a box
COMMA = 5.0  # between two parameters
MOST_ABREAST = 2  # parameters that stand in one line


@dataclass(frozen=True)
class Sized:
    """A box with the half widths of its parts (one, or two halves) and its half height."""

    box: FlowBox
    parts: tuple[float, ...]
    half_height: float

    @property
    def half_width(self) -> float:
        """Of the whole box."""
        return sum(self.parts)


def sized(box: FlowBox) -> Sized:
    """The box as large as what is written in it."""
    names = [width(Symbol(name), SIZES["name"]) / 2 + PADDING for name in box.names]
    lines = _small_lines(box)
    small = max((_width(line) for line in lines), default=0.0) / 2 + 7.0
    words = width(Words(box.words), SIZES["value"]) / 2 + PADDING if box.words else 0.0
    rows = NAME_ROW * bool(box.names) + SMALL_ROW * bool(box.words) + SMALL_ROW * len(lines)
    half_height = max(rows + 8.0, 28.0) / 2
    if len(box.names) == 2:
        first, second = (max(half - TIGHT, 17.0) for half in names)
        return Sized(box, (max(first, small, words - second), second), half_height)
    round_ends = half_height - PADDING if box.kind == "given" else 0.0
    return Sized(box, (max([*names, small, words, 19.0]) + round_ends / 2,), half_height)


def _small_lines(box: FlowBox) -> list[tuple[Name, ...]]:
    """The parameters in one line, or two of them where they are many."""
    half = (len(box.reads) + 1) // 2
    lines = [box.reads[:half], box.reads[half:]] if len(box.reads) > MOST_ABREAST else [box.reads]
    return [line for line in lines if line]


def _width(line: tuple[Name, ...]) -> float:
    return sum(width(Symbol(name), SIZES["note"]) for name in line) + (COMMA + 4) * (len(line) - 1)


def outlines(size: Sized, x: float, y: float) -> Iterator[Shape]:
    """A box's outline: a pill for what is given, two boxes joined for two names."""
    box = size.box
    if len(size.parts) == 2:
        left, right = size.parts
        start = x - size.half_width
        yield Shape(f"{box.identifier}.0", "square", box_around(start + left, y, left, size.half_height))
        yield Shape(f"{box.identifier}.1", "square", box_around(start + 2 * left + right, y, right, size.half_height))
        return
    outline = "round" if box.kind == "given" else "square"
    frame = box_around(x, y, size.half_width, size.half_height)
    yield Shape(box.identifier, outline, frame, dashed=box.kind == "target")


def labels(size: Sized, x: float, y: float) -> Iterator[Label]:
    """What is written in a box, line by line."""
    box = size.box
    heights = [SMALL_ROW] * bool(box.words) + [NAME_ROW] * bool(box.names) + [SMALL_ROW] * len(_small_lines(box))
    top = y - sum(heights) / 2
    middles = [top + sum(heights[:k]) + height / 2 for k, height in enumerate(heights)]
    if box.words:
        yield place(Words(box.words), x, middles.pop(0), "value")
    if box.names:
        middle = middles.pop(0)
        start = x - size.half_width
        for part, name in zip(size.parts, box.names, strict=True):
            yield place(Symbol(name), start + part, middle, "name")
            start += 2 * part
    left = x - size.half_width + size.parts[0]  # below the net input, where there are two names
    for line, middle in zip(_small_lines(box), middles, strict=True):
        yield from _small(line, left if len(size.parts) == 2 else x, middle, line[-1] != box.reads[-1])


def _small(line: tuple[Name, ...], x: float, y: float, goes_on: bool) -> Iterator[Label]:
    """A line of parameters, with commas between them, and one at its end where it goes on."""
    start = x - _width(line) / 2
    for position, name in enumerate(line):
        if position:
            start += COMMA + 4
        formula: Formula = Symbol(name)
        half = width(formula, SIZES["note"]) / 2
        yield place(formula, start + half, y, "note")
        start += 2 * half
        if goes_on or position < len(line) - 1:
            yield place(Words(","), start + 1.0, y, "note", "start")
