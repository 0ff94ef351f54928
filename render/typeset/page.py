"""A displayed equation on the web page: pieces of MathML that the browser itself puts into lines.

A page is as wide as its reader's screen, so nothing here decides where a line ends. Every side of
the equation is a piece, a long one is several, and the style sheet sets the sides one under the other,
aligned at their signs, where they do not fit beside each other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from markupsafe import escape

from derive.formula import Call, Formula, Fraction, Gap, Group, Matrix, Negative, Power, Product, Side, Sum
from derive.tex import relation, tex, tex_around, tex_pieces, unmarked
from derive.tex_names import LATEX_BLACK
from derive.tex_spacing import DOT, THIN, is_tall
from derive.width import RELATION, equation_width, width
from render.typeset.lines import display
from render.typeset.mathml import MATHML, mathml_piece

TRUE = 0.88  # of the estimated width is what equations have in the page's font
NUMBER = 3.6  # em that the equation's number takes
LONG = 13.0  # em; a longer side may be broken before its signs
LONGEST = 16.0  # em; wider, two factors side by side are parted by a dot
QUOTIENT = 12.0  # em; the same where the second is a quotient, which some browsers draw wide
FULL = 8.0  # em; so wide, a sum in parentheses may be broken inside them
DEEP = 7.0  # em; under a longer first side the others stand indented where room is short
NARROW = 18.0  # em; what is wider may have to scroll on a phone
FITS = (100, 90, 80, 70, 60, 50)  # per cent of the letters' size on a slide, a class each
WIDTHS = range(12, 39, 2)  # the widths in em that the style sheet has a rule for


@dataclass(frozen=True, slots=True)
class Piece:
    """What is not broken: its TeX, the sign before it ("" for the first), and its estimated width in em."""

    sign: str
    tex: str
    width: float


def equation_html(sides: tuple[Side, ...], *, boxed: bool = False) -> str:
    """The equation as MathML in lines, and its LaTeX to be copied; ``boxed`` draws a box round the last side."""
    first, *others = [_pieces(side, boxed and side is sides[-1]) for side in sides]
    lead = sum(piece.width for piece in first)
    deep = bool(others) and lead > DEEP
    aside = lead if others and not deep else 0.0
    widest = aside + max(piece.width for pieces in ([first], others)[bool(others)] for piece in pieces)
    classes = f"line w{_room(equation_width(sides))}" + (" deep" if deep else "")
    focus = ' tabindex="0"' if widest > NARROW else ""
    rest = f'<span class="sides">{" ".join(map(_side, others))}</span>' if others else ""
    return f'<div class="{classes}"{focus}>{_side(first)}{rest}</div>\n{_source(sides, boxed)}'


def equation_slide(sides: tuple[Side, ...], *, boxed: bool, stacked: bool, room: float, scale: float) -> str:
    """The equation on a slide: the sides after the second are fragments, which appear one by one.

    ``stacked`` sets the sides one under the other; what is wider than ``room`` em then is set smaller, as is
    all of it where ``scale`` is less than 1.
    """
    first, *others = [_pieces(side, boxed and side is sides[-1]) for side in sides]
    lead = sum(piece.width for piece in first) if others else 0.0
    widest = lead + max(piece.width for pieces in (others or [first]) for piece in pieces)
    fit = next((each for each in FITS if each / 100 * TRUE * widest <= room and each <= 100 * scale), FITS[-1])
    classes = "line" + (" stacked" if stacked else "") + (f" fit{fit}" if fit < 100 else "")
    shown = [_side(pieces, "side" if position == 0 else "side fragment") for position, pieces in enumerate(others)]
    rest = f'<span class="sides">{" ".join(shown)}</span>' if others else ""
    return f'<div class="{classes}">{_side(first)}{rest}</div>'


def _room(whole: float) -> int:
    """The width of the page, as a class, below which the sides stand one under the other."""
    needed = math.ceil(TRUE * whole + NUMBER)
    return next((each for each in WIDTHS if each >= needed), WIDTHS[-1])


def _source(sides: tuple[Side, ...], boxed: bool) -> str:
    made = display(sides, LATEX_BLACK, room=34.0, boxed=boxed)
    return f'<details class="tex"><summary>TeX</summary><code>{escape(made.tex)}</code></details>'


def _side(pieces: list[Piece], kind: str = "side") -> str:
    return f'<span class="{kind}">{" ".join(mathml_piece(piece.sign, piece.tex) for piece in pieces)}</span>'


def _pieces(side: Side, boxed: bool) -> list[Piece]:
    """One side: one piece, or where it is long as many as it has terms and factors."""
    sign = relation(side.sign)
    space = RELATION if sign else 0.0
    whole = width(side.formula)
    if boxed and not isinstance(unmarked(side.formula), Gap):
        return [Piece(sign, rf"\boxed{{{tex(side.formula, MATHML)}}}", whole + space + 1.0)]
    if whole <= LONG:
        return [Piece(sign, tex(side.formula, MATHML), whole + space)]
    first, *others = _broken(side.formula, True)
    return [replace(first, sign=sign, width=first.width + space), *others]


def _inside(formula: Formula, node: Formula, lead: bool) -> list[Piece]:
    """The pieces of a long part: the factors of a term, what stands between two parentheses; or none."""
    full = FULL if isinstance(formula, Product) else LONG
    match node:
        case Product() | Negative(Product()) if isinstance(formula, Sum) and width(node) > LONG:
            return _broken(node, lead)
        case Negative(Sum() as terms) if width(terms) > FULL:
            return _parenthesized(terms, sign="-")
        case (Sum() as terms) | Group(Sum() as terms) if node is not formula and width(terms) > full:
            return _parenthesized(terms)
        case Power((Sum() as terms) | Group(Sum() as terms), exponent) if width(terms) > full:
            return _parenthesized(terms, after=f"^{{{tex(exponent, MATHML)}}}")
        case Call() if width(node) > full:
            return _called(node)
        case Negative(Call() as call) if width(call) > full:
            return _called(call, sign="-")
        case _:
            return []


def _parenthesized(terms: Sum, *, sign: str = "", after: str = "") -> list[Piece]:
    """The pieces of a sum in parentheses, with what stands before and after these."""
    opening, closing = (r"\left(", r"\right)") if is_tall(terms) else ("(", ")")
    return _enclosed(sign + opening, _broken(terms, True), closing + after, 1.0)


def _called(call: Call, *, sign: str = "") -> list[Piece]:
    """The pieces of a function's arguments between its parentheses; none under the bar of a root."""
    if call.function == "sqrt":
        return []
    opening, closing = tex_around(call, MATHML)
    pieces: list[Piece] = []
    for argument in call.arguments:
        if pieces:
            pieces[-1] = replace(pieces[-1], tex=f"{pieces[-1].tex},", width=pieces[-1].width + 0.3)
        pieces += _broken(argument, True)
    return _enclosed(sign + opening, pieces, closing, width(replace(call, arguments=())) + 0.6)


def _enclosed(opening: str, pieces: list[Piece], closing: str, room: float) -> list[Piece]:
    """The pieces between two parentheses that need so much room; each piece's TeX is whole, so tall
    parentheses are matched by nothing in their own piece.
    """
    first, *others = pieces
    if not others:
        return [replace(first, tex=f"{opening}{first.tex}{closing}", width=first.width + room + 0.5)]
    *middle, last = others
    closed, opened = (r"\right.", r"\left.") if r"\left" in opening else ("", "")
    return [
        replace(first, tex=f"{opening}{first.tex}{closed}", width=first.width + room),
        *middle,
        replace(last, tex=f"{opened}{last.tex}{closing}", width=last.width + 0.5),
    ]


def _abreast(inner: list[Piece], node: Formula) -> float:
    """How wide two factors side by side may be, the second of them this node, without a dot to part them."""
    if inner:
        return LONG
    return QUOTIENT if isinstance(node, Negative | Fraction) else LONGEST


def _broken(formula: Formula, lead: bool) -> list[Piece]:
    """The pieces of a formula: broken before the signs of its terms and of the factors of a long term,
    and before a large matrix. Factors side by side have no sign to break before; where
    two are long together, a dot is written between them.
    """
    found: list[Piece] = []
    unsigned = formula.body if isinstance(formula, Negative) else formula
    for sign, written, node in tex_pieces(formula, MATHML, lead=lead):
        inner = _inside(unsigned, node, lead and not found)
        first, *others = inner or [Piece("", written, width(node))]
        if found and sign in ("", THIN) and not (isinstance(node, Matrix) and width(node) > FULL):
            if found[-1].width + first.width > _abreast(inner, node):
                found += [replace(first, sign=DOT), *others]
                continue
            last = found.pop()
            joined = " ".join(part for part in (last.tex, sign, first.tex) if part)
            found.append(replace(last, tex=joined, width=last.width + first.width))
        else:
            found.append(replace(first, sign=sign))
        found += others
    return found
