"""Formula trees as text for a terminal, close to Python: ``(out_o1 - target_o1)*out_o1*(1 - out_o1)*out_h1``."""

from __future__ import annotations

from collections.abc import Iterable

from derive.errors import printable
from derive.formula import (
    BigSum,
    Call,
    Cases,
    Dots,
    Derivative,
    Formula,
    Fraction,
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
    """A name without TeX: ``w5``, ``out_o1``, ``w5+``; a letter and its number are written together."""
    if name.typed:
        return name.typed
    base = f"{name.base}_hat" if name.accent == "hat" else name.base
    joined = len(base) == 1 and name.sub.isdigit()
    sub = name.sub if joined or not name.sub else f"_{name.sub}"
    sup = name.sup if name.sup in ("", "+", "*") else f"^{name.sup}"
    return base + sub + sup


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
        case Power(base, exponent):
            return POWER, f"{_write(base, ATOM, False)}**{_write(exponent, ATOM, False)}"
        case Relation(left, sign, right):
            return RELATION, f"{plain(left)} {SIGNS.get(sign, sign)} {plain(right)}"
        case _:
            return ATOM, _atom(node)


        case Derivative(body, by, partial):
            d = "∂" if partial else "d"
            return PRODUCT, f"{d}/{d}{_write(by, ATOM, False)}[{plain(body)}]"
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
