"""Formula trees as text for a terminal, close to Python: ``(out_o1 - target_o1)*out_o1*(1 - out_o1)*out_h1``."""

from __future__ import annotations

import re
from collections.abc import Iterable

from derive.errors import printable
from derive.formula import (
    BigSum,
    Call,
    Cases,
    Derivative,
    Dots,
    Formula,
    Fraction,
    Gap,
    Group,
    Mark,
    Matrix,
    Name,
    Negative,
    Number,
    Partial,
    Power,
    Product,
    Relation,
    Side,
    Sum,
    Symbol,
    Transposed,
    Words,
)

# How tightly text binds; Python's own order, which is not that of paper: here a fraction is a division.
RELATION, SUM, PRODUCT, POWER, ATOM = range(5)

SIGNS = {"≤": "<=", "≥": ">=", "≠": "!="}
FUNCTIONS = {"logistic": "sigma"}


def plain(formula: Formula) -> str:
    """The formula in one line of text, every multiplication written, colours and braces left out."""
    return printable(_write(formula, RELATION, True))


def plain_equation(sides: Iterable[Side]) -> str:
    """The sides of an equation in one line: ``∂E/∂w5 = (out_o1 - target_o1)*out_h1 ≈ 0.0821670406``."""
    return " ".join(part for side in sides for part in (SIGNS.get(side.sign, side.sign), plain(side.formula)) if part)


def plain_name(name: Name) -> str:
    """A name as it is typed: w5, net_h1, net_h1(2) for the second example, w^2_11, y_hat_1, W[0, 0]."""
    return name.typed or printed_name(name)


def printed_name(name: Name) -> str:
    """A name as it is printed, without TeX: W_1,1 for what is typed W[0, 0]; a letter joins its number."""
    base = f"{name.base}_{ACCENTS[name.accent]}" if name.accent else name.base
    sub = name.sub if not name.sub or (name.sub.isdigit() and len(base) == 1) else f"_{name.sub}"
    if not name.sup or _AFTER.fullmatch(name.sup):
        return f"{base}{sub}{name.sup}"
    return f"{base}^{name.sup}" + (f"_{name.sub}" if name.sub else "")


ACCENTS = {"hat": "hat", "left": "back"}
_AFTER = re.compile(r"\(\w+\)\+?|[+*]")  # what stands behind a name without a sign before it


def _write(node: Formula, minimum: int, lead: bool) -> str:
    """The node where at least ``minimum`` is asked for; ``lead`` allows a minus sign in front."""
    if isinstance(node, Mark):
        return _write(node.body, minimum, lead)
    binding, text = _sign_and_text(node, lead)
    if binding < minimum or (not lead and text.startswith("-")):
        return f"({_sign_and_text(node, True)[1]})"
    return text


def _sign_and_text(node: Formula, lead: bool) -> tuple[int, str]:
    """How tightly the node binds as it is written here, and its text without parentheses of its own."""
    match node:
        case Symbol(name):
            return (POWER if name.sup else ATOM), plain_name(name)
        case Number(text) | Words(text):
            return (SUM if text.startswith("-") and not lead else ATOM), text
        case Sum(terms):
            return SUM, "".join(_term(term, position, lead) for position, term in enumerate(terms))
        case Product(factors, sign):
            return PRODUCT, _product(factors, sign, lead)
        case Negative(body):
            return PRODUCT, f"-{_write(body, PRODUCT, False)}"
        case Fraction(numerator, denominator):
            return PRODUCT, f"{_write(numerator, PRODUCT, lead)}/{_write(denominator, POWER, False)}"
        case Partial(of, by):
            return PRODUCT, f"∂{_write(of, ATOM, False)}/∂{_write(by, ATOM, False)}"
        case Derivative(body, by, partial):
            d = "∂" if partial else "d"
            return PRODUCT, f"{d}/{d}{_write(by, ATOM, False)}[{plain(body)}]"
        case Power(base, exponent):
            return POWER, f"{_write(base, ATOM, False)}**{_write(exponent, ATOM, False)}"
        case Relation(left, sign, right):
            return RELATION, f"{plain(left)} {SIGNS.get(sign, sign)} {plain(right)}"
        case _:
            return ATOM, _atom(node)


def _atom(node: Formula) -> str:
    """The nodes that bring their own brackets."""
    match node:
        case Call(function, arguments, prime):
            name = FUNCTIONS.get(function, function) + ("'" if prime else "")
            return f"{name}({', '.join(map(plain, arguments))})"
        case Group(body):
            return f"({plain(body)})"
        case Transposed(body):
            return f"{_write(body, ATOM, False)}.T"
        case Dots():
            return "..."
        case Gap(_, mark):
            return f"__{mark}__" if mark else "____"
        case Matrix(rows):
            return "[" + ", ".join("[" + ", ".join(map(plain, row)) + "]" for row in rows) + "]"
        case Cases(rows):
            cases = [plain(value) + ("" if test is None else f" if {plain(test)}") for value, test in rows]
            return "(" + " else ".join(cases) + ")"
        case BigSum(index, lower, upper, body):
            start = "" if lower is None else f" = {plain(lower)}"
            stop = "" if upper is None else f"..{plain(upper)}"
            return f"sum({plain(body)} for {plain(index)}{start}{stop})"
    raise TypeError(f"a formula node that the plain printer does not know: {type(node).__name__}")


def _term(term: Formula, position: int, lead: bool) -> str:
    if position == 0:
        return _write(term, PRODUCT, lead)
    if isinstance(term, Negative):
        return f" - {_write(term.body, PRODUCT, False)}"
    return f" + {_write(term, PRODUCT, False)}"


def _product(factors: tuple[Formula, ...], sign: str, lead: bool) -> str:
    """Factors with ``*`` between them; with spaces round it where a factor is itself a quotient."""
    divided = any(isinstance(_bare(factor), Fraction | Partial | Derivative) for factor in factors)
    star = " ⊙ " if sign == "hadamard" else " * " if divided else "*"
    written = []
    for position, factor in enumerate(factors):
        inner = _bare(factor)
        # In a*(b/c) and a*(b ⊙ c) the parentheses keep the tree; partials stand side by side as on paper.
        other = isinstance(inner, Product) and inner.sign != sign and "hadamard" in (inner.sign, sign)
        quotient = isinstance(inner, Fraction) and position > 0
        minimum = POWER if other or quotient else PRODUCT
        written.append(_write(factor, minimum, lead and position == 0))
    return star.join(written)


def _bare(node: Formula) -> Formula:
    while isinstance(node, Mark):
        node = node.body
    return node
