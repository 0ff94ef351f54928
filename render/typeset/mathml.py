"""TeX to MathML for the page: one converter for the whole process, colours as CSS classes."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from typing import Any

from derive.tex import RELATIONS
from derive.tex_names import TEX_SPECIALS, Dialect, clean

# The converter knows no colours but those of xcolor, and writes them inline, where dark mode cannot
# reach them. So each factor is given one of its colours, which becomes a class on the finished element.
_COLORS = ("RoyalBlue", "BrickRed", "teal", "Mulberry", "olive", "gray")
_COLORED = re.compile(r'<mrow style="color:(#[0-9A-F]{6});">')
# A word comes with an empty space before it, in a row of its own; a word does as well without.
_WORD = re.compile(r"<mrow><mspace/>(<mi>[^<]*</mi>)</mrow>")
_CELL = re.compile(r'<mtd style="([^"]*)">')
_BLOCK = '<math display="block">'

# How the signs that stand before a piece of an equation look; the style sheet keeps the space before them.
SIGNS = {
    "=": "=", r"\approx": "≈", "<": "&lt;", r"\le": "≤", ">": "&gt;", r"\ge": "≥", r"\ne": "≠", r"\to": "→",
    r"\in": "∈", "+": "+", "-": "−", r"\cdot": "⋅", r"\odot": "⊙", r"\times": "×",
}  # fmt: skip


def _text(text: str) -> str:
    return "".join(TEX_SPECIALS.get(c, c) for c in clean(text))


# The converter has no rules: three spaces in a box become a blank of that size, with a word for who hears it.
_GAP = re.compile(
    r'<menclose notation="box"><mrow><mspace width="([\d.]+em)"/><mspace width="([\d.]+)em"/>'
    r'<mspace width="([\d.]+)em"/></mrow></menclose>'
)
MATHML = Dialect(
    colors=_COLORS,
    text=_text,
    code="texttt",
    gap=r"\boxed{\hspace{%(width)sem}\hspace{%(height)sem}\hspace{%(below)sem}}",
)
MATHML_INLINE = replace(MATHML, inline=True)


def mathml(tex: str, *, display: bool = False) -> str:
    """One formula as a ``<math>`` element; ``tex`` is printed in the dialect `MATHML`."""
    converter, classes = _converter()
    made: str = converter.convert_with_local_state(tex, displaystyle=display)
    made = _COLORED.sub(lambda match: f'<mrow class="{classes[match[1]]}">', made)
    made = _CELL.sub(lambda match: f'<mtd class="{_cell_class(match[1])}">', made)
    made = _WORD.sub(r"\1", made)
    made = _GAP.sub(_gap, made)
    # Chromium draws nothing for menclose; a row with a border of the style sheet is drawn everywhere.
    return made.replace('<menclose notation="box">', '<mrow class="boxed">').replace("</menclose>", "</mrow>")


def mathml_piece(sign: str, tex: str) -> str:
    """A piece of a displayed equation, which the style sheet sets large, with the sign that stands before it.

    Raises `KeyError` for a sign that is not in `SIGNS`.
    """
    inner = mathml(tex, display=True).removeprefix(_BLOCK)
    form = "" if sign in RELATIONS.values() else ' form="infix"'  # at the start of a row a "-" would be a number's
    return f"<math><mo{form}>{SIGNS[sign]}</mo>{inner}" if sign else f"<math>{inner}"


def _gap(match: re.Match[str]) -> str:
    width, height, below = match[1], float(match[2]), float(match[3])
    room = f'<mspace width="{width}" height="{height - below:g}em" depth="{below:g}em"/>'
    return f'<mrow class="gap">{room}<mtext>blank</mtext></mrow>'


def _cell_class(style: str) -> str:
    """The class of a table's cell; the converter writes its alignment out for each."""
    side = next((side for side in ("left", "right") if f"text-align: {side}" in style), "middle")
    return f"{side} apart" if "padding-left:1em" in style else side


@cache
def _converter() -> tuple[Any, dict[str, str]]:
    """The converter, and the class of the factor behind each colour that it writes."""
    from math_core import LatexToMathML

    converter = LatexToMathML(fancy_error=False)
    classes: dict[str, str] = {}
    for factor, color in enumerate(_COLORS, 1):
        made = converter.convert_with_local_state(rf"\textcolor{{{color}}}{{x}}", displaystyle=False)
        classes[re.findall(r"#[0-9A-F]{6}", made)[0]] = f"factor{factor}"
    return converter, classes
