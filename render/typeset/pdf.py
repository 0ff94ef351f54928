"""What a PDF is made of: Typst with spoken text beside every formula and figure, and the compiler."""

from __future__ import annotations

import importlib.util
import re
import unicodedata
from functools import cache
from pathlib import Path
from typing import Any

from derive.errors import ChainruleError, shown
from derive.formula import Number, Side
from derive.tex_names import TEXT_SIGNS
from render.document import Equation, Figure
from render.figures import svg
from render.figures.layout import layout
from render.figures.placed import WIDTH
from render.figures.svg import style_sheet
from render.markup import Displayed, Drawn
from render.theming import PLAIN, Theme, family, own_color
from render.typeset.lines import TYPST, set_lines
from render.typeset.speech import speech_equation
from render.typeset.typst import string, typst_equation

# Not Latin, Greek, punctuation, a sign that is typed in text, or one that the formulas are made of.
_UNUSUAL = re.compile(rf"[^\x00-\u017f\u0370-\u03ff\u2010-\u2027\u2032\u2033⊤⊙⋯∂ℓ{''.join(TEXT_SIGNS)}]")

UNIT = 0.66  # pt on paper for a unit of a drawing, whose letters are then a little smaller than the text's
ROOM, ROOM_ASIDE = 35.0, 31.0  # em for an equation with its number; inside a note


def formula(sides: tuple[Side, ...]) -> str:
    """A formula in a line of text, with what a screen reader says; a mere number is text itself."""
    match sides:
        case (Side(Number(text)),) if "e" not in text.lower():
            return text.replace("-", "−")
    return f"#formula({string(speech_equation(sides))}, ${typst_equation(sides, inline=True)}$);"


def display(equation: Equation, aside: bool) -> Displayed:
    """A displayed equation: what a screen reader says, and the formula, as two arguments."""
    made = set_lines(equation.sides, TYPST, room=ROOM_ASIDE if aside else ROOM, boxed=equation.boxed)
    return Displayed(f"{string(speech_equation(equation.sides))}, $ {made.tex} $", made.wide)


def figure(block: Figure, stem: str, theme: Theme) -> Drawn:
    """A drawing as SVG inside the document, with its alternative text."""
    styles = style_sheet(theme.light.factors, family(theme.text))
    drawing, width = svg(block.drawing, styles=styles), min(layout(block.drawing).width, WIDTH) * UNIT
    in_one_line = " ".join(drawing.split())  # as `string` would write it, sign by sign
    return Drawn(
        f'image(bytes({string(in_one_line)}), format: "svg", width: {width:.1f}pt, alt: {string(block.alternative)})'
    )


def page(theme: Theme) -> dict[str, object]:
    """What the page needs besides the document: the factors' colours, and a theme's fonts."""
    return {
        "colors": list(enumerate(theme.light.factors, 1)),
        "text_font": family(theme.text),
        "heading_font": family(theme.headings) or family(theme.text),
        "heading_weight": theme.headings[0].weight if theme.headings else 700,
        "math_font": family(theme.maths),
        "ink": own_color(theme, "ink"),
        "heading": own_color(theme, "heading"),
    }


def missing() -> str:
    """What has to be installed before a PDF can be made, or ""."""
    if importlib.util.find_spec("typst") is not None:
        return ""
    return "it needs the package typst: python -m pip install 'chainrule[pdf]'"


def compile_pdf(source: str, theme: Theme = PLAIN) -> bytes:
    """The PDF of a page in Typst: PDF/UA-1, fonts embedded, the same bytes on every machine.

    Only the fonts that come with the compiler and the theme are used. A character that is in none of them is looked for
    in the fonts of the machine; where it is not there either a letter is spelt in Latin ones (Li for 李), and of any
    other sign the number is printed ("[U+1F642]"). Raises
    `ChainruleError` for what does not compile, with the compiler's own words.
    """
    problem = ""
    for text, only_bundled in ((source, True), (source, False), (_UNUSUAL.sub(_spelt, source), True)):
        try:
            return _compile(text, _fonts(theme.folder, not only_bundled))
        except ChainruleError as error:
            problem = problem or str(error)
    raise ChainruleError(problem)


@cache
def _fonts(folder: Path | None, of_the_machine: bool) -> Any:
    """The fonts that the compiler may use; they are looked for once."""
    import typst

    folders: list[Path] = [] if folder is None else [folder]
    return typst.Fonts(include_system_fonts=of_the_machine, font_paths=folders)


def _compile(source: str, fonts: Any) -> bytes:
    import typst

    try:
        made = typst.compile(
            source.encode(),
            format="pdf",
            pdf_standards=["ua-1"],
            font_paths=fonts,
            timestamp=0,
        )
    except typst.TypstError as error:
        raise ChainruleError(f"the PDF could not be made: {_told(error.message, error.diagnostic, source)}") from error
    if not isinstance(made, bytes):
        raise ChainruleError(f"the PDF could not be made: the compiler gave {type(made).__name__}")
    return made


def _told(message: str, diagnostic: str, source: str) -> str:
    """The compiler's first complaint, and the beginning of the line that it is about."""
    place = re.search(r"\.typ:(\d+):", diagnostic)
    if place is None:
        return message
    line = int(place[1])
    return f"{message} (line {line} of its Typst source: {shown(source.splitlines()[line - 1].strip())})"


def _spelt(match: re.Match[str]) -> str:
    """A letter of another script in Latin letters, as in a passport; any other sign by its number."""
    from anyascii import anyascii

    latin = anyascii(match[0]) if unicodedata.category(match[0]).startswith("L") else ""
    return latin if latin.isalpha() else f"[U+{ord(match[0]):04X}]"
