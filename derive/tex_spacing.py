r"""What stands between and around the parts of a formula in TeX: dots, thin spaces, slashes, parentheses that grow."""

from __future__ import annotations

from derive.formula import (
    BigSum,
    Call,
    Cases,
    Derivative,
    Dots,
    Formula,
    Fraction,
    Gap,
    Mark,
    Matrix,
    Name,
    Negative,
    Number,
    Partial,
    Power,
    Product,
    Symbol,
    Words,
    children,
)
from derive.tex_names import GREEK_COMMANDS

DOT = r"\cdot"
THIN = r"\,"  # between factors that would seem one word


def is_tall(node: Formula, *, inline: bool = False) -> bool:
    """Whether the node stands higher than a line of letters, so that its parentheses have to grow.

    ``inline`` is for a dialect that writes fractions with a slash.
    """
    match node:
        case Cases() | Matrix() | BigSum() | Gap():
            return True
        case Fraction() | Partial() | Derivative() if not inline:
            return True
        case Mark(_, body, label):
            return label is not None or is_tall(body, inline=inline)
        case Power(base, _):
            return is_tall(base, inline=inline)
        case _:
            return any(is_tall(child, inline=inline) for child in children(node))


def unmarked(node: Formula) -> Formula:
    """The node beneath its colours."""
    while isinstance(node, Mark):
        node = node.body
    return node


def needs_dot(left: Formula, right: Formula) -> bool:
    """Whether two factors side by side would be misread without a dot: numbers, words, fractions of ∂, blanks."""
    before, after = _edge(left, last=True), _edge(right, last=False)
    if isinstance(before, Gap) or isinstance(after, Gap):
        return True
    if isinstance(before, Number) and (isinstance(after, Call) or _is_digit(after)):
        return True
    if isinstance(after, Number) or (isinstance(before, Partial) and isinstance(after, Partial | Fraction)):
        return True
    if (
        isinstance(before, Dots)
        or isinstance(after, Dots)
        or (isinstance(before, Number) and isinstance(after, Fraction | Derivative))
    ):
        return True
    if isinstance(before, Symbol) and isinstance(after, Symbol):
        bare = not (before.name.sub or before.name.sup)
        return (_is_word(before.name) and (bare or _is_word(after.name))) or (bare and _is_word(after.name))
    return isinstance(before, Words) or isinstance(after, Words)


def is_slashed(node: Formula) -> bool:
    """Whether a fraction gets a slash in a line of text; one of short whole numbers (½) keeps its bar."""
    short = all(isinstance(part, Number) and part.text.isdigit() and len(part.text) < 3 for part in children(node))
    return isinstance(node, Partial) or (isinstance(node, Fraction) and not short)


def gap(left: Formula, right: Formula) -> str:
    """What stands between two factors side by side: a dot, a thin space, or nothing."""
    if needs_dot(left, right):
        return DOT
    before, after = _edge(left, last=True), _edge(right, last=False)
    if isinstance(before, Fraction | Partial | Derivative) or isinstance(after, Fraction | Partial | Derivative):
        return THIN
    words = [isinstance(node, Symbol) and _is_word(node.name) for node in (before, after)]
    return THIN if any(words) and isinstance(before, Symbol) and isinstance(after, Symbol) else ""


def _edge(node: Formula, *, last: bool) -> Formula:
    """The node that the eye meets at the left or right end."""
    match node:
        case Product(factors) if factors:
            return _edge(factors[-1 if last else 0], last=last)
        case Mark(_, body, _):
            return _edge(body, last=last)
        case Negative(Number()):
            return Number("0")  # in parentheses, and still a number
        case Power(base, _) if not last:
            return _edge(base, last=False)
        case _:
            return node


def _is_word(name: Name) -> bool:
    return len(name.base) > 1 and name.base not in GREEK_COMMANDS


def _is_digit(node: Formula) -> bool:
    """A name that is a digit, as the vector of ones."""
    return isinstance(node, Symbol) and node.name.base.isdigit()
