"""How wide words and small formulas are, and the runs of letters that they are set from.

Figures need few formulas: a name, a number, "name = number", a power of ten, words. The widths are
those of Times and Latin Modern, whichever is wider, so that a box holds its text in either.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace

from derive.formula import Formula, Name, Number, Power, Relation, Symbol, Words
from derive.tex_names import GREEK, clean, known_accent
from render.figures.placed import Label, box_around

SIZES = {"name": 16.0, "edge": 14.0, "value": 13.0, "note": 12.5}
SCRIPT = 0.74  # of the size of the letters that carry the script
SMALLEST = 11.0

ACCENTS = {"hat": "\N{COMBINING CIRCUMFLEX ACCENT}", "left": "\N{COMBINING LEFT ARROW ABOVE}"}
NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
SCRIPT_TOKEN = re.compile(r"[^\W\d_]+|[\d\W_]+")

# Widths in units of the size: (characters, width).
WIDTHS = (
    ("ijlt.,:;'|!()[]", 0.36),
    ("frsIJ ", 0.45),
    ("\u2009", 0.2),
    ("abcdeghknopquvxyz0123456789-–?/", 0.54),
    ("w=+−<>×·⋅", 0.76),
    ("mM", 0.94),
    ("W", 1.0),
)
WIDTH_OF = {character: width for characters, width in WIDTHS for character in characters}
WIDE = 0.76  # capitals, Greek, and whatever is not listed


@dataclass(frozen=True, slots=True)
class Run:
    """Letters of one size and slant; ``rise`` lifts them over the base line, ``back`` moves them left first."""

    text: str
    size: float
    rise: float = 0.0
    italic: bool = False
    bold: bool = False
    back: float = 0.0

    @property
    def width(self) -> float:
        """How far the run reaches, in pixels."""
        return self.size * sum(WIDTH_OF.get(character, WIDE) for character in self.text if not is_accent(character))


def is_accent(character: str) -> bool:
    """Whether a character stands over the one before it."""
    return unicodedata.combining(character) > 0


def formula_of(value: str) -> Formula:
    """A value as a formula: a number where it is one, else words."""
    return Number(value) if NUMBER.fullmatch(value) else Words(value)


def label_formula(name: Name | None, value: str) -> Formula | None:
    """What is written on an edge: "w_1 = 0.15", the name alone, the value alone, or nothing."""
    if name is None:
        return formula_of(value) if value else None
    return Relation(Symbol(name), "=", formula_of(value)) if value else Symbol(name)


def runs(formula: Formula, size: float) -> tuple[Run, ...]:
    """The runs of letters that write a formula at a size; errors: TypeError for one that no figure needs."""
    match formula:
        case Symbol(name):
            return name_runs(name, size)
        case Number(text):
            return number_runs(text, size)
        case Words(text):
            return (Run(clean(text), size),)
        case Relation(left, sign, right):
            return (*runs(left, size), Run(f" {sign} ", size), *runs(right, size))
        case Power(base, exponent):
            raised = (replace(run, rise=run.rise + 0.4 * size) for run in runs(exponent, script_size(size)))
            return (*runs(base, size), *raised)
        case _:
            raise TypeError(f"a figure cannot set a {type(formula).__name__}")


def script_size(size: float) -> float:
    """The size of a sub- or superscript, never too small to read."""
    return max(SMALLEST, size * SCRIPT)


def number_runs(text: str, size: float) -> tuple[Run, ...]:
    """A number with a true minus sign; 1.5e-43 becomes 1.5 · 10 to the −43."""
    mantissa, _, exponent = text.replace("-", "−").lower().partition("e")
    if not exponent:
        return (Run(mantissa, size),)
    small = script_size(size)
    return (Run(f"{mantissa}\u2009·\u200910", size), Run(exponent.removeprefix("+"), small, rise=0.4 * size))


def name_runs(name: Name, size: float) -> tuple[Run, ...]:
    """A name with its scripts; where it has both, the upper one stands over the lower one."""
    base = greek(name.base)
    if name.accent:
        base = f"{base[:1]}{ACCENTS[known_accent(name)]}{base[1:]}"
    bold = name.style == "bold"
    slanted = name.style == "italic"
    parts = [Run(base, size, italic=slanted, bold=bold)]
    both = bool(name.sub and name.sup)
    below = script(name.sub, script_size(size), (-0.34 if both else -0.22) * size) if name.sub else ()
    above = script(name.sup, script_size(size), (0.46 if both else 0.4) * size) if name.sup else ()
    if not (below and above):
        return (*parts, *below, *above)
    first, second = sorted((below, above), key=_length)  # what follows begins behind the longer one
    return (*parts, *first, replace(second[0], back=_length(first)), *second[1:])


def _length(pieces: tuple[Run, ...]) -> float:
    return sum(run.width for run in pieces)


def script(text: str, size: float, rise: float) -> tuple[Run, ...]:
    """A script as the page's formulas have it: single letters slanted; words, digits and signs upright."""
    pieces = SCRIPT_TOKEN.findall(clean(text))
    return tuple(
        Run(greek(each).replace("-", "−"), size, rise, italic=each.isalpha() and len(each) == 1) for each in pieces
    )


def greek(word: str) -> str:
    """The Greek letter that a word names ("delta" is δ, "Delta" is Δ), or the word itself."""
    return GREEK[word][0] if word in GREEK else clean(word)


def width(formula: Formula, size: float) -> float:
    """How wide a formula is at a size, in pixels."""
    reach = farthest = 0.0
    for run in runs(formula, size):
        reach += run.width - run.back
        farthest = max(farthest, reach)
    return farthest


def place(formula: Formula, x: float, y: float, size: str, anchor: str = "middle") -> Label:
    """A label whose box has its middle (or its start, or its end) at (x, y); y is the middle of the line."""
    half = width(formula, SIZES[size]) / 2 + 2
    centre = {"start": x + half - 2, "middle": x, "end": x - half + 2}[anchor]
    height = SIZES[size]
    return Label(formula, x, y + 0.33 * height, box_around(centre, y, half, 0.62 * height), size, anchor)
