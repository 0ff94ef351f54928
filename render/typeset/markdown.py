"""What Markdown is made of: TeX that every renderer of it takes, escaped text, figures beside the file.

The three dialects differ in their delimiters and in how things are labelled. GitHub's MathJax refuses some
commands (``\\operatorname`` among them), MyST's and Quarto's readers may use KaTeX: what is written here is
what all of them know.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import quote

from derive.formula import Number, Side
from derive.tex import tex_equation
from derive.tex_names import PLAIN_GAP, Dialect, clean
from render.document import Equation, Figure
from render.figures import svg
from render.markup import Displayed, Drawn
from render.numbering import anchor
from render.theming import Theme
from render.typeset.lines import Script, set_lines, tex_script

ROOM, ROOM_ASIDE = 38.0, 36.0  # em

# The factors' colours, of one brightness, since the reader's page may be white or black: 4.2 : 1 on either.
COLORS = ("#2b7fd4", "#c0640a", "#14866d", "#b8509e", "#857a00", "#7a62e6")
# Quarto also makes LaTeX, which knows colours by name only; these names are known everywhere.
NAMED_COLORS = ("blue", "brown", "teal", "purple", "olive", "gray")

# What \text{…} cannot hold in one renderer or another stands outside of it, as mathematics.
_OUTSIDE = {
    "\\": r"\backslash", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "%": r"\%", "#": r"\#", "_": r"\_",
    "^": r"\wedge", "~": r"\sim", "|": r"\vert",
}  # fmt: skip
_IN_TEXT = str.maketrans({c: f"}}{command}\\text{{" for c, command in _OUTSIDE.items()} | {"`": "‘"})

# Signs that mean something somewhere in a line of Markdown: behind a backslash they do not, or they have a name.
_ESCAPES = {c: f"\\{c}" for c in '\\`*_{}[]#~^"@%=$'} | {"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;"}
_TABLE = str.maketrans(_ESCAPES)
# GitHub takes a dollar sign for mathematics even behind a backslash, unless it has an element to itself.
_GITHUB_TABLE = str.maketrans(_ESCAPES | {"$": "<span>$</span>"})
_START = re.compile(r"^( *(?:\d+(?=[.)](?:\s|$))|(?=[-+](?:[\s-]|$))|(?=:::)))")  # a list, a rule or a fence


_RUN = re.compile(r"(?<=[-.])(?=[-.])")  # two of them would become a dash or an ellipsis


def in_text(text: str) -> str:
    r"""Plain characters inside ``\text{…}``."""
    return clean(text).translate(_IN_TEXT)


GITHUB = Dialect(colors=COLORS, text=in_text, gap=PLAIN_GAP)
GITHUB_INLINE = replace(GITHUB, inline=True)
QUARTO = Dialect(colors=NAMED_COLORS, text=in_text, gap=PLAIN_GAP)
QUARTO_INLINE = replace(QUARTO, inline=True)


def escape(text: str) -> str:
    """Plain characters as a line of MyST's or Quarto's Markdown."""
    return _START.sub(r"\1\\", _RUN.sub(r"\\", clean(text).translate(_TABLE)))


def escape_github(text: str) -> str:
    """Plain characters as a line of GitHub's Markdown."""
    return _START.sub(r"\1\\", clean(text).translate(_GITHUB_TABLE))


def portable(tex: str) -> str:
    r"""TeX without the commands that GitHub refuses, and without a bar, which would end a table's cell.

    No text can hold these: `in_text` writes neither a backslash of its own nor a bar.
    """
    return re.sub(r"\\operatorname(?![A-Za-z])", r"\\mathrm", tex).replace("|", r"\vert ").strip()


def formula(dialect: Dialect, opening: str, closing: str) -> Callable[[tuple[Side, ...]], str]:
    """How formulas stand in a line. A mere number is text: it is lighter to read, and can be copied."""

    def write(sides: tuple[Side, ...]) -> str:
        if len(sides) == 1 and isinstance(sides[0].formula, Number) and "e" not in sides[0].formula.text.lower():
            return sides[0].formula.text
        return f"{opening}{portable(tex_equation(sides, dialect))}{closing}"

    return write


def display(dialect: Dialect) -> Callable[[Equation, bool], Displayed]:
    """How displayed equations are set: TeX without delimiters, a line of source for each line."""
    script: Script = replace(tex_script(dialect), newline=" \\\\\n  ", lines="\\begin{aligned}\n  %s\n\\end{aligned}")

    def write(equation: Equation, aside: bool) -> Displayed:
        made = set_lines(equation.sides, script, room=ROOM_ASIDE if aside else ROOM, boxed=equation.boxed)
        return Displayed(portable(made.tex), made.wide)

    return write


def figure(block: Figure, stem: str, theme: Theme) -> Drawn:
    """A drawing as a file of its own, and the address of that file."""
    path = f"{stem}_figures/{anchor(block.identifier) or 'figure'}.svg"
    return Drawn(quote(path), {path: svg(block.drawing, title=block.alternative)})
