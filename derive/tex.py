r"""Formula trees as TeX: amsmath for LaTeX, and the same for converters of TeX to MathML.

``tex(formula)`` prints one formula, ``tex_equation(sides)`` a line of them. What differs between
the readers of the result (the names of the colours, the characters that text may hold) is a
`Dialect`. Parentheses follow from precedence and place, never from the text that came out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

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
    Negative,
    Number,
    Partial,
    Power,
    Precedence,
    Product,
    Relation,
    Side,
    Sum,
    Symbol,
    Transposed,
    Words,
    precedence,
)
from derive.tex_names import LATEX, Dialect, tex_function, tex_name, tex_number
from derive.tex_spacing import THIN as THIN
from derive.tex_spacing import gap, is_slashed, is_tall
from derive.tex_spacing import unmarked as unmarked
from derive.width import gap_size

RELATIONS = {
    "=": "=",
    "≈": r"\approx",
    "<": "<",
    "≤": r"\le",
    ">": ">",
    "≥": r"\ge",
    "≠": r"\ne",
    "→": r"\to",
    "∈": r"\in",
}
PRODUCT_SIGNS = {"dot": r"\cdot", "hadamard": r"\odot", "times": r"\times"}


def tex(formula: Formula, dialect: Dialect = LATEX) -> str:
    r"""The formula in TeX's math mode: ``tex(Partial(E, w5))`` is ``\frac{\partial E}{\partial w_{5}}``.

    Raises `ValueError` for a `Number` that is not decimal text and for an unknown sign.
    """
    return _Printer(dialect).write(formula)


def tex_equation(sides: Iterable[Side], dialect: Dialect = LATEX) -> str:
    r"""The sides of an equation in one line: ``a = b \approx c``."""
    return " ".join(
        part
        for sign, formula in ((s.sign, s.formula) for s in sides)
        for part in (relation(sign), tex(formula, dialect))
        if part
    )


def relation(sign: str) -> str:
    """The TeX of a relation sign; "" stays "" (the first side of an equation has none)."""
    if not sign:
        return ""
    if sign not in RELATIONS:
        raise ValueError(f"unknown sign {sign!r} between the sides of an equation; known are {' '.join(RELATIONS)}")
    return RELATIONS[sign]


def tex_pieces(formula: Formula, dialect: Dialect = LATEX, *, lead: bool = True) -> list[tuple[str, str, Formula]]:
    r"""Where a long formula may be broken: (operator, TeX, node) of each term, or of each factor.

    Written one after another, operator before TeX, the pieces are the formula; a formula that
    cannot be broken is one piece. ``lead`` says whether the first may begin with a minus sign.
    """
    printer = _Printer(dialect)
    match formula:
        case Sum(terms) if len(terms) > 1:
            return list(printer.terms(terms, lead))
        case Product(factors, sign) if len(factors) > 1:
            return list(printer.factors(factors, sign, lead))
        case Negative(Product(factors, sign)) if lead and len(factors) > 1:
            (_, first, node), *others = printer.factors(factors, sign, False)
            return [("", f"-{first}", Negative(node)), *others]
        case _:
            return [("", printer.write(formula, lead), formula)]


def tex_around(node: Call, dialect: Dialect = LATEX) -> tuple[str, str]:
    r"""What stands before and after the arguments of a call: ``\tanh(`` and ``)``; a root's bar is no such pair."""
    return _Printer(dialect).around(node)


class _Printer:
    """Walks a tree. ``lead`` says whether a minus sign may come first without parentheses."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect

    def place(self, node: Formula, minimum: Precedence, lead: bool) -> str:
        """The node where its surroundings ask for at least ``minimum``."""
        if isinstance(node, Mark):
            return self.mark(node, self.place(node.body, minimum, lead))
        if self.precedence(node) < minimum and not (lead and minimum <= Precedence.PRODUCT and _is_signed(node)):
            return self.parentheses(node)
        return self.write(node, lead)

    def precedence(self, node: Formula) -> Precedence:
        """How tightly a node binds as this dialect writes it: a slash binds like a product."""
        return Precedence.PRODUCT if self.dialect.inline and is_slashed(unmarked(node)) else precedence(node)

    def is_tall(self, node: Formula) -> bool:
        """As `is_tall`, for this dialect."""
        return is_tall(node, inline=self.dialect.inline)

    def parentheses(self, node: Formula) -> str:
        inner = self.write(node)
        return rf"\left({inner}\right)" if self.is_tall(node) else f"({inner})"

    def mark(self, node: Mark, body: str) -> str:
        if node.factor < 1:
            raise ValueError(f"factors are counted from 1, and this one is {node.factor}")
        colors = self.dialect.colors
        colored = rf"\textcolor{{{colors[(node.factor - 1) % len(colors)]}}}{{{body}}}" if colors else body
        return colored if node.label is None else rf"\underbrace{{{colored}}}_{{{self.write(node.label)}}}"

    def write(self, node: Formula, lead: bool = True) -> str:
        """The node without parentheses of its own."""
        match node:
            case Symbol(name):
                return tex_name(name, self.dialect)
            case Number(text):
                return tex_number(text)
            case Sum(terms):
                return _joined(self.terms(terms, lead))
            case Product(factors, sign):
                return _joined(self.factors(factors, sign, lead))
            case Negative(body):
                return f"-{self.place(body, Precedence.PRODUCT, False)}"
            case Fraction(over, under) if self.dialect.inline and is_slashed(node):
                return f"{self.place(over, Precedence.PRODUCT, lead)}/{self.place(under, Precedence.POWER, False)}"
            case Partial(of, by) if self.dialect.inline:
                return rf"\partial {self.argument(of)}/\partial {self.argument(by)}"
            case Fraction(numerator, denominator):
                return rf"\frac{{{self.write(numerator)}}}{{{self.write(denominator)}}}"
            case Partial(of, by):
                return rf"\frac{{\partial {self.argument(of)}}}{{\partial {self.argument(by)}}}"
            case Derivative(body, by, partial):
                return self.derivative(body, by, partial)
            case Power(base, exponent):
                return f"{self.power_base(base)}^{{{self.write(exponent)}}}"
            case Transposed(body):
                return rf"{self.power_base(body)}^{{\top}}"
            case Call():
                return self.call(node)
            case Group(body):
                return self.parentheses(body)
            case Mark(_, body, _):
                return self.mark(node, self.write(body, lead))
            case _:
                return self.write_large(node)

    def derivative(self, body: Formula, by: Formula, partial: bool) -> str:
        """d over d z, and in brackets of what."""
        d, under = r"\partial" if partial else "d", self.argument(by)
        over = f"{d}/{d} {under}" if self.dialect.inline else rf"\frac{{{d}}}{{{d} {under}}}"
        inner = self.write(body)
        return rf"{over}\left[{inner}\right]" if self.is_tall(body) else f"{over}[{inner}]"

    def write_large(self, node: Formula) -> str:
        """The nodes that are seldom inside others."""
        match node:
            case Relation(left, sign, right):
                return f"{self.write(left)} {relation(sign)} {self.write(right)}"
            case Cases(rows):
                return r"\begin{cases} " + r" \\ ".join(self.case_row(*row) for row in rows) + r" \end{cases}"
            case BigSum():
                return self.big_sum(node)
            case Matrix(rows):
                return self.matrix(rows)
            case Dots():
                return r"\cdots"
            case Words(text):
                return rf"\text{{{self.dialect.text(text)}}}"
            case Gap():
                return self.gap(node)
        raise TypeError(f"a formula node that the TeX printer does not know: {type(node).__name__}")

    def gap(self, node: Gap) -> str:
        """A blank, the middle of its height at the middle of a line, and the mark under it."""
        width, height = gap_size(node)
        empty = self.dialect.gap % {"width": f"{width:g}", "height": f"{height:g}", "below": f"{height / 2 - 0.3:g}"}
        return rf"\underset{{\text{{{self.dialect.text(node.mark)}}}}}{{{empty}}}" if node.mark else empty

    def argument(self, node: Formula) -> str:
        """What stands after ∂."""
        return self.place(node, Precedence.POWER, False)

    def terms(self, terms: tuple[Formula, ...], lead: bool = True) -> Iterator[tuple[str, str, Formula]]:
        """(sign, TeX, node) of each term of a sum."""
        for position, term in enumerate(terms):
            if position == 0:
                yield "", self.place(term, Precedence.PRODUCT, lead), term
            elif isinstance(term, Negative):
                yield "-", self.place(term.body, Precedence.PRODUCT, False), term.body
            else:
                yield "+", self.place(term, Precedence.PRODUCT, False), term

    def factors(self, factors: tuple[Formula, ...], sign: str, lead: bool = True) -> Iterator[tuple[str, str, Formula]]:
        """(sign, TeX, node) of each factor of a product."""
        if sign and sign not in PRODUCT_SIGNS:
            raise ValueError(f"unknown product sign {sign!r}; known are {', '.join(PRODUCT_SIGNS)}")
        for position, factor in enumerate(factors):
            first, last = position == 0, position == len(factors) - 1
            if _is_mixed(factor, sign) or (isinstance(unmarked(factor), BigSum) and not last):
                written = self.place(factor, Precedence.ATOM, False)
            else:
                written = self.place(factor, Precedence.PRODUCT, lead and first)
            if first:
                yield "", written, factor
            else:
                yield PRODUCT_SIGNS[sign] if sign else gap(factors[position - 1], factor), written, factor

    def power_base(self, node: Formula) -> str:
        bare = unmarked(node)
        plain_call = isinstance(bare, Call) and bare.function not in ("abs", "sqrt")
        scripted = isinstance(bare, Symbol) and bare.name.sup
        if plain_call or scripted:
            inner = self.parentheses(bare)
            return self.mark(node, inner) if isinstance(node, Mark) else inner
        return self.place(node, Precedence.ATOM, False)

    def call(self, node: Call) -> str:
        arguments = r",\, ".join(self.write(argument) for argument in node.arguments)
        match node.function:
            case "sqrt":
                return rf"\sqrt{{{arguments}}}"
            case "exp" if not self.is_tall(node) and not node.prime and len(node.arguments) == 1:
                return f"e^{{{arguments}}}"
        before, after = self.around(node)
        return f"{before}{arguments}{after}"

    def around(self, node: Call) -> tuple[str, str]:
        """What stands before and after the arguments."""
        tall = self.is_tall(node)
        if node.function == "abs":
            return (r"\left|", r"\right|") if tall else (r"\lvert ", r"\rvert ")
        name = tex_function(node.function, self.dialect) + ("'" if node.prime else "")
        return (rf"{name}\left(", r"\right)") if tall else (f"{name}(", ")")

    def case_row(self, value: Formula, condition: Formula | None) -> str:
        if condition is None:
            return rf"{self.write(value)} & \text{{otherwise}}"
        read = re.sub(r"^-[\d.]+", r"{\g<0>}", self.write(condition))  # a sign, not a difference from the word before
        return rf"{self.write(value)} & \text{{if }} {read}"

    def big_sum(self, node: BigSum) -> str:
        below = self.write(node.index) if node.lower is None else f"{self.write(node.index)}={self.write(node.lower)}"
        above = "" if node.upper is None else f"^{{{self.write(node.upper)}}}"
        return rf"\sum_{{{below}}}{above} {self.place(node.body, Precedence.PRODUCT, False)}"

    def matrix(self, rows: tuple[tuple[Formula, ...], ...]) -> str:
        body = r" \\ ".join(" & ".join(self.write(entry) for entry in row) for row in rows)
        columns = max((len(row) for row in rows), default=0)
        if columns <= 10:  # amsmath's bmatrix has ten columns and no more
            return rf"\begin{{bmatrix}} {body} \end{{bmatrix}}"
        return rf"\left[\begin{{array}}{{{'c' * columns}}} {body} \end{{array}}\right]"


def _is_signed(node: Formula) -> bool:
    return isinstance(node, Negative | Number)


def _is_mixed(node: Formula, sign: str) -> bool:
    """A product of another kind inside a product: ⊙ and × want parentheses, plain ones join."""
    inner = unmarked(node)
    return isinstance(inner, Product) and inner.sign != sign and bool({inner.sign, sign} & {"hadamard", "times"})


def _joined(pieces: Iterable[tuple[str, str, Formula]]) -> str:
    return " ".join(part for operator, text, _ in pieces for part in (operator, text) if part)
