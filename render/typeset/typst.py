r"""Formula trees as Typst's mathematics: ``frac(∂ E_"total", ∂ w_5)``.

``typst(formula)`` prints one formula, ``typst_equation(sides)`` a line of them, without the dollar signs.
Dots, gaps and parentheses stand where the TeX printer puts them. The few functions that Typst does not have
(``word``, ``roman``, ``thick``, ``slash``, ``factor``, ``boxed``) are defined in the page's ``setup.j2``.
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
    Mark,
    Name,
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
)
from derive.tex import PRODUCT_SIGNS, THIN, _Printer
from derive.tex_names import FACTOR_COLORS, GREEK, LATEX, LATEX_INLINE, clean, known_accent
from derive.width import gap_size

RELATIONS = {"=": "=", "≈": "≈", "<": "<", "≤": "≤", ">": ">", "≥": "≥", "≠": "≠", "→": "→", "∈": "∈"}
# What the TeX printer puts between factors, and the same here.
OPERATORS = {
    PRODUCT_SIGNS["dot"]: "⋅",
    PRODUCT_SIGNS["hadamard"]: "⊙",
    PRODUCT_SIGNS["times"]: "×",
    THIN: "thin",
    "": "",
}
LETTERS = {key: letter for name, (letter, _) in GREEK.items() for key in (name, letter)}
STYLES = {"italic": "word", "roman": "roman", "bold": "thick", "code": "mono"}
ACCENTS = {"hat": "hat", "left": "arrow.l"}

# The functions that are not written as their name in upright letters.
FUNCTIONS = {
    "log": 'op("ln")',
    "ln": 'op("ln")',
    "sigma": "σ",
    "logistic": "σ",
    "Phi": "Φ",
    "phi": "φ",
    "atan": 'op("arctan")',
    "sign": 'op("sgn")',
    "relu": 'op("ReLU")',
    "leaky_relu": 'op("LeakyReLU")',
    "elu": 'op("ELU")',
    "gelu": 'op("GELU")',
    "log_softmax": 'op("LogSoftmax")',
}

# Characters of a subscript or superscript that are signs; a comma among indices has no space after it.
SCRIPT_SIGNS = {c: f"\\{c}" for c in "()[]⟨⟩/*.:|!<>="} | {"+": "+", "-": "-", "−": "-", ",": '","', "→": "→"}
SCRIPT_SIGNS |= {"'": "′", "′": "′"}

_NUMBER = re.compile(r"(?P<digits>-?\d+(?:\.\d+)?)(?:[eE](?P<exponent>[+-]?\d+))?")
_SIGN = re.compile(r"[!-+\-./:<-@\[-`{-~]")  # all of ASCII's but the comma and the semicolon
_IN_STRING = str.maketrans({"\\": "\\\\", '"': '\\"'})
_SCRIPT_TOKEN = re.compile(r"[A-Za-z]+|\d+(?:\.\d+)?|\s+|.", re.DOTALL)


def typst(formula: Formula, *, inline: bool = False) -> str:
    r"""The formula in Typst's math mode; ``inline`` writes fractions with a slash, as a line of text wants them.

    Raises `ValueError` for a `Number` that is not decimal text and for an unknown sign.
    """
    return (INLINE if inline else DISPLAYED).write(formula)


def typst_equation(sides: Iterable[Side], *, inline: bool = False) -> str:
    """The sides of an equation in one line: ``a = b ≈ c``."""
    return " ".join(
        part for side in sides for part in (relation(side.sign), typst(side.formula, inline=inline)) if part
    )


def typst_pieces(formula: Formula) -> list[tuple[str, str, Formula]]:
    """Where a long formula may be broken: (operator, Typst, node), as `derive.tex.tex_pieces` does."""
    match formula:
        case Sum(terms) if len(terms) > 1:
            return list(DISPLAYED.terms(terms))
        case Product(factors, sign) if len(factors) > 1:
            return list(DISPLAYED.factors(factors, sign))
        case _:
            return [("", typst(formula), formula)]


def relation(sign: str) -> str:
    """A relation sign as Typst takes it; "" stays "" (the first side of an equation has none)."""
    if sign and sign not in RELATIONS:
        raise ValueError(f"unknown sign {sign!r} between the sides of an equation; known are {' '.join(RELATIONS)}")
    return RELATIONS.get(sign, "")


def string(text: str) -> str:
    """The text as a Typst string, in quotation marks: nothing in it is code."""
    return '"' + clean(text).translate(_IN_STRING) + '"'


def escape_markup(text: str) -> str:
    r"""Plain characters as Typst markup: every sign that could mean something stands behind a backslash."""
    return _SIGN.sub(r"\\\g<0>", clean(text))


# ---- names and numbers ---------------------------------------------------------------------


def typst_name(name: Name) -> str:
    """A name with its scripts: ``Name("net", "h1")`` is ``word(n e t)_(h 1)``."""
    base = _base(name)
    if name.accent:
        base = f"{ACCENTS[known_accent(name)]}({base})"
    sub = f"_({_script(name.sub)})" if name.sub else ""
    sup = f"^({_script(name.sup)})" if name.sup else ""
    return base + sub + sup


def typst_number(text: str) -> str:
    """Decimal text: ``1.5e-43`` is ``1.5 ⋅ 10^(-43)``. Raises `ValueError` for anything else."""
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise ValueError(f"not a decimal number: {text!r}")
    return match["digits"] if match["exponent"] is None else f"{match['digits']} ⋅ 10^({int(match['exponent'])})"


def _base(name: Name) -> str:
    if name.style not in STYLES:
        raise ValueError(f"unknown style {name.style!r} of {name.base!r}; known are {', '.join(STYLES)}")
    if letter := LETTERS.get(name.base):
        return f"bold({letter})" if name.style == "bold" else letter
    if name.style == "code":
        return f"mono({string(name.base)})"
    if not (name.base.isascii() and name.base.isalnum()):
        return f"roman({string(name.base)})"
    if name.style == "italic" and (len(name.base) == 1 or name.base.isdigit()):
        return name.base
    # Letter by letter: round a word in quotation marks Typst keeps the spaces, as in running text.
    return f"{STYLES[name.style]}({' '.join(name.base)})"


def _script(text: str) -> str:
    return " ".join(_script_token(match.group()) for match in _SCRIPT_TOKEN.finditer(text))


def _script_token(token: str) -> str:
    if token in LETTERS:
        return LETTERS[token]
    if token in SCRIPT_SIGNS:
        return SCRIPT_SIGNS[token]
    if token.isascii() and (token[0].isdigit() or (token.isalpha() and len(token) == 1)):
        return token
    return f"roman({string(token)})"


def _function(function: str) -> str:
    if function in FUNCTIONS:
        return FUNCTIONS[function]
    if len(function) == 1 or function in LETTERS:
        return _base(Name(function))
    return f"op({string(function)})"


# ---- the tree --------------------------------------------------------------------------------


class _TypstPrinter(_Printer):
    """The TeX printer with Typst's words: where a dot, a gap or parentheses stand is decided there, once."""

    def parentheses(self, node: Formula) -> str:
        """Typst lets a plain pair of parentheses grow with what is inside; an escaped one keeps its size."""
        return f"({self.write(node)})" if self.is_tall(node) else rf"\({self.write(node)}\)"

    def mark(self, node: Mark, body: str) -> str:
        if node.factor < 1:
            raise ValueError(f"factors are counted from 1, and this one is {node.factor}")
        colored = f"factor(#{(node.factor - 1) % len(FACTOR_COLORS) + 1}, {body})"
        return colored if node.label is None else f"underbrace({colored}, {self.write(node.label)})"

    def write(self, node: Formula, lead: bool = True) -> str:
        match node:
            case Symbol(name):
                return typst_name(name)
            case Number(text):
                return typst_number(text)
            case Fraction() | Partial():
                return self.fraction(node, lead)
            case Derivative(body, by, partial):
                return self.derivative(body, by, partial)
            case Power(base, exponent):
                return f"{self.power_base(base)}^({self.write(exponent)})"
            case Transposed(body):
                return f"{self.power_base(body)}^⊤"
            case _:
                return super().write(node, lead)

    def gap(self, node: Gap) -> str:
        width, height = gap_size(node)
        return f"gap(#{width:g}em, #{height:g}em, {string(node.mark)})"

    def fraction(self, node: Fraction | Partial, lead: bool) -> str:
        """With a bar, or in a line of text with a slash where the TeX printer writes one."""
        slashed = self.precedence(node) == Precedence.PRODUCT
        if isinstance(node, Partial):
            of, by = f"∂ {self.argument(node.of)}", f"∂ {self.argument(node.by)}"
        elif slashed:
            of = self.place(node.numerator, Precedence.PRODUCT, lead)
            by = self.place(node.denominator, Precedence.POWER, False)
        else:
            of, by = self.write(node.numerator), self.write(node.denominator)
        return f"{of} slash {by}" if slashed else f"frac({of}, {by})"

    def derivative(self, body: Formula, by: Formula, partial: bool) -> str:
        """d over d z, and in brackets of what."""
        d, under = "∂" if partial else "d", self.argument(by)
        over = f"{d} slash {d} {under}" if self.dialect.inline else f"frac({d}, {d} {under})"
        inner = self.write(body)
        return f"{over} [{inner}]" if self.is_tall(body) else rf"{over} \[{inner}\]"

    def write_large(self, node: Formula) -> str:
        match node:
            case Relation(left, sign, right):
                return f"{self.write(left)} {relation(sign)} {self.write(right)}"
            case Cases(rows):
                return f"cases({', '.join(self.case_row(*row) for row in rows)})"
            case Dots():
                return "⋯"
            case Words(text):
                return string(text)
            case _:
                return super().write_large(node)

    def factors(self, factors: tuple[Formula, ...], sign: str, lead: bool = True) -> Iterator[tuple[str, str, Formula]]:
        for operator, written, node in super().factors(factors, sign, lead):
            yield OPERATORS[operator], written, node

    def call(self, node: Call) -> str:
        # The word "comma" and not the sign, which would end an argument of the Typst function around it.
        arguments = " comma ".join(self.write(argument) for argument in node.arguments)
        tall = any(self.is_tall(argument) for argument in node.arguments)
        match node.function:
            case "sqrt" | "abs":
                return f"{node.function}({arguments})"
            case "exp" if not tall and not node.prime and len(node.arguments) == 1:
                return f"e^({arguments})"
        name = _function(node.function) + ("'" if node.prime else "")
        return f"{name} ({arguments})" if tall else rf"{name} \({arguments}\)"

    def case_row(self, value: Formula, condition: Formula | None) -> str:
        if condition is None:
            return f'{self.write(value)} & quad "otherwise"'
        read = self.write(condition)
        word = 'class("opening", "if ")' if read.startswith("-") else '"if"'  # before a sign, not a difference
        return f"{self.write(value)} & quad {word} {read}"

    def big_sum(self, node: BigSum) -> str:
        index = self.write(node.index)
        below = index if node.lower is None else f"{index} = {self.write(node.lower)}"
        above = "" if node.upper is None else f"^({self.write(node.upper)})"
        return f"sum_({below}){above} {self.place(node.body, Precedence.PRODUCT, False)}"

    def matrix(self, rows: tuple[tuple[Formula, ...], ...]) -> str:
        """Typst sets its brackets close; a thin space at either end of a row keeps them off."""
        written = [", ".join(self.write(entry) for entry in row) for row in rows]
        return f'mat(delim: "[", {"; ".join(f"thin {row} thin" for row in written)})'


DISPLAYED, INLINE = _TypstPrinter(LATEX), _TypstPrinter(LATEX_INLINE)
