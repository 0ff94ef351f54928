r"""Formulas for learning platforms: TeX between ``\(`` and ``\)`` for MathJax, and MathML that is valid in QTI.

Colours are left out: platforms' MathJax differs in the commands for them, and some pages are dark.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from html import unescape
from xml.etree.ElementTree import Element, fromstring

from derive.formula import Side
from derive.tex import tex_equation
from derive.tex_names import Dialect
from render.document import Equation
from render.exports.markup import append
from render.typeset.lines import display
from render.typeset.markdown import GITHUB, portable
from render.typeset.markdown import display as tex_display

MATHML = "http://www.w3.org/1998/Math/MathML"
MATHJAX = replace(GITHUB, colors=())
MATHJAX_INLINE = replace(MATHJAX, inline=True)
DISPLAYED = tex_display(MATHJAX)
ENTITY = re.compile("&(?!amp;|lt;|gt;|quot;|apos;|#)[A-Za-z0-9]+;")  # HTML has names that XML has not
EM = "\u2003"  # a space as wide as the letters are high
ROOM = 38.0  # em that a displayed equation may take

# Attributes that MathML 2 has, and which of ours they are; what is not here is left out.
KEPT = frozenset(
    {"display", "stretchy", "form", "fence", "separator", "lspace", "rspace", "minsize", "maxsize", "accent"}
    | {"accentunder", "mathvariant", "columnalign", "linethickness", "movablelimits", "largeop", "symmetric", "width"}
    | {"height", "depth", "displaystyle"}
)


# ---- TeX -----------------------------------------------------------------------------------


def tex_line(parent: Element, sides: tuple[Side, ...]) -> None:
    r"""A formula in a line, between ``\(`` and ``\)``."""
    append(parent, rf"\({portable(tex_equation(sides, MATHJAX_INLINE))}\)")


def tex_equation_of(parent: Element, equation: Equation) -> None:
    r"""A displayed equation, between ``\[`` and ``\]``."""
    append(parent, rf"\[{DISPLAYED(equation, False).text}\]")


# ---- MathML --------------------------------------------------------------------------------


def mathml_line(parent: Element, sides: tuple[Side, ...]) -> None:
    """A formula in a line, as a ``math`` element."""
    parent.append(_math(tex_equation(sides, replace(_dialect(), inline=True)), False))


def mathml_equation(parent: Element, equation: Equation) -> None:
    """A displayed equation, as a ``math`` element."""
    made = display(equation.sides, _dialect(), room=ROOM, boxed=equation.boxed)
    parent.append(_math(made.tex, True))


@cache
def _dialect() -> Dialect:
    from render.typeset.mathml import MATHML as OURS

    return replace(OURS, colors=())


def _math(tex: str, block: bool) -> Element:
    from render.typeset.mathml import mathml

    made = ENTITY.sub(lambda entity: unescape(entity.group()), mathml(tex, display=block))
    return _valid(fromstring(made))


def _gap(element: Element) -> Element:
    """A blank as brackets with space between them: players differ in whether they draw boxes."""
    width = next((space.get("width", "") for space in element.iter("mspace")), "").removesuffix("em")
    made = Element(f"{{{MATHML}}}mtext")
    made.text, made.tail = f"[{EM * max(1, round(float(width or 2)))}]", element.tail
    return made


def _valid(element: Element) -> Element:
    """An element of our converter as MathML 2 has it: its name space, its attributes, its boxes and its columns."""
    classes = element.get("class", "").split()
    if "gap" in classes:
        return _gap(element)
    made = Element(f"{{{MATHML}}}{'menclose' if 'boxed' in classes else element.tag}")
    for name, value in element.items():
        if name in KEPT:
            made.set(name, f"{value}em" if name in ("lspace", "rspace") and value == "0" else value)
    if element.tag == "mtd" and (side := {"left", "right"} & set(classes)):
        where = side.pop()
        made.set("columnalign", where)
        made.set("style", f"text-align:{where}")  # browsers know no columnalign
    if "boxed" in classes:
        made.set("notation", "box")
    made.text, made.tail = element.text, element.tail
    made.extend(_valid(child) for child in element)
    return made
