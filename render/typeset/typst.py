r"""Formula trees as Typst's mathematics: ``frac(∂ E_"total", ∂ w_5)``.

``typst(formula)`` prints one formula, ``typst_equation(sides)`` a line of them, without the dollar signs.
Parentheses stand where the TeX printer puts them. The few functions that Typst does not have
(``word``, ``roman``, ``thick``, ``factor``, ``boxed``) are defined in the page's ``setup.j2``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from derive.formula import (
    BigSum,
    Call,
    Cases,
    Dots,
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
from derive.tex import is_tall, needs_dot, unmarked
from derive.tex_names import FACTOR_COLORS, GREEK, clean

RELATIONS = {"=": "=", "≈": "≈", "<": "<", "≤": "≤", ">": ">", "≥": "≥", "≠": "≠", "→": "→", "∈": "∈"}
PRODUCT_SIGNS = {"dot": "⋅", "hadamard": "⊙", "times": "×"}
LETTERS = {key: letter for name, (letter, _) in GREEK.items() for key in (name, letter)}
STYLES = {"italic": "word", "roman": "roman", "bold": "thick", "code": "mono"}

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
}

# Characters of a subscript or superscript that are signs; a comma among indices has no space after it.
SCRIPT_SIGNS = {c: f"\\{c}" for c in "()[]/*.:|!<>="} | {"+": "+", "-": "-", "−": "-", ",": '","', "→": "→"}
SCRIPT_SIGNS |= {"'": "′", "′": "′"}

_NUMBER = re.compile(r"(?P<digits>-?\d+(?:\.\d+)?)(?:[eE](?P<exponent>[+-]?\d+))?")
_SIGN = re.compile(r"[!-+\-./:<-@\[-`{-~]")  # all of ASCII's but the comma and the semicolon
_SCRIPT_TOKEN = re.compile(r"[A-Za-z]+|\d+(?:\.\d+)?|\s+|.", re.DOTALL)


def typst(formula: Formula) -> str:
    r"""The formula in Typst's math mode.

    Raises `ValueError` for a `Number` that is not decimal text and for an unknown sign.
    """
    return _write(formula)


def typst_equation(sides: Iterable[Side]) -> str:
    """The sides of an equation in one line: ``a = b ≈ c``."""
    return " ".join(part for side in sides for part in (relation(side.sign), typst(side.formula)) if part)


def typst_pieces(formula: Formula) -> list[tuple[str, str, Formula]]:
    """Where a long formula may be broken: (operator, Typst, node), as `derive.tex.tex_pieces` does."""
    match formula:
        case Sum(terms) if len(terms) > 1:
            return list(_terms(terms))
        case Product(factors, sign) if len(factors) > 1:
            return list(_factors(factors, sign))
        case _:
            return [("", typst(formula), formula)]


def relation(sign: str) -> str:
    """A relation sign as Typst takes it; "" stays "" (the first side of an equation has none)."""
    if sign and sign not in RELATIONS:
        raise ValueError(f"unknown sign {sign!r} between the sides of an equation; known are {' '.join(RELATIONS)}")
    return RELATIONS.get(sign, "")


def string(text: str) -> str:
    """The text as a Typst string, in quotation marks: nothing in it is code."""
    return '"' + clean(text).replace("\\", "\\\\").replace('"', '\\"') + '"'


def escape_markup(text: str) -> str:
    r"""Plain characters as Typst markup: every sign that could mean something stands behind a backslash."""
    return _SIGN.sub(r"\\\g<0>", clean(text))


# ---- names and numbers ---------------------------------------------------------------------


def typst_name(name: Name) -> str:
    """A name with its scripts: ``Name("net", "h1")`` is ``word("net")_(h 1)``."""
    base = _base(name)
    if name.accent == "hat":
        base = f"hat({base})"
    elif name.accent:
        raise ValueError(f"unknown accent {name.accent!r} on {name.base!r}; known is 'hat'")
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
    if not (name.base.isascii() and name.base.isalnum()):
        return f"roman({string(name.base)})"
    if name.style == "italic" and (len(name.base) == 1 or name.base.isdigit()):
        return name.base
    return f'{STYLES[name.style]}("{name.base}")'


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


def _place(node: Formula, minimum: Precedence, lead: bool) -> str:
    """The node where its surroundings ask for at least ``minimum``; ``lead`` allows a minus sign in front."""
    if isinstance(node, Mark):
        return _mark(node, _place(node.body, minimum, lead))
    signed = lead and minimum <= Precedence.PRODUCT and isinstance(node, Negative | Number)
    if precedence(node) < minimum and not signed:
        return _parentheses(node)
    return _write(node, lead)


def _parentheses(node: Formula) -> str:
    """Typst lets a plain pair of parentheses grow with what is inside; an escaped one keeps its size."""
    return f"({_write(node)})" if is_tall(node) else rf"\({_write(node)}\)"


def _mark(node: Mark, body: str) -> str:
    if node.factor < 1:
        raise ValueError(f"factors are counted from 1, and this one is {node.factor}")
    colored = f"factor(#{(node.factor - 1) % len(FACTOR_COLORS) + 1}, {body})"
    return colored if node.label is None else f"underbrace({colored}, {_write(node.label)})"


def _write(node: Formula, lead: bool = True) -> str:
    """The node without parentheses of its own."""
    match node:
        case Symbol(name):
            return typst_name(name)
        case Number(text):
            return typst_number(text)
        case Sum(terms):
            return _joined(_terms(terms, lead))
        case Product(factors, sign):
            return _joined(_factors(factors, sign, lead))
        case Negative(body):
            return f"-{_place(body, Precedence.PRODUCT, False)}"
        case Fraction(numerator, denominator):
            return f"frac({_write(numerator)}, {_write(denominator)})"
        case Partial(of, by):
            return f"frac(∂ {_place(of, Precedence.POWER, False)}, ∂ {_place(by, Precedence.POWER, False)})"
        case Power(base, exponent):
            return f"{_power_base(base)}^({_write(exponent)})"
        case Transposed(body):
            return f"{_power_base(body)}^⊤"
        case Call():
            return _call(node)
        case Group(body):
            return _parentheses(body)
        case Mark(_, body, _):
            return _mark(node, _write(body, lead))
        case _:
            return _write_large(node)


def _write_large(node: Formula) -> str:
    """The nodes that are seldom inside others."""
    match node:
        case Relation(left, sign, right):
            return f"{_write(left)} {relation(sign)} {_write(right)}"
        case Cases(rows):
            return f"cases({', '.join(_case_row(*row) for row in rows)})"
        case BigSum():
            return _big_sum(node)
        case Matrix(rows):
            return f'mat(delim: "[", {"; ".join(", ".join(_write(entry) for entry in row) for row in rows)})'
        case Dots():
            return "⋯"
        case Words(text):
            return string(text)
    raise TypeError(f"a formula node that the Typst printer does not know: {type(node).__name__}")


def _terms(terms: tuple[Formula, ...], lead: bool = True) -> Iterator[tuple[str, str, Formula]]:
    for position, term in enumerate(terms):
        if position == 0:
            yield "", _place(term, Precedence.PRODUCT, lead), term
        elif isinstance(term, Negative):
            yield "-", _place(term.body, Precedence.PRODUCT, False), term.body
        else:
            yield "+", _place(term, Precedence.PRODUCT, False), term


def _factors(factors: tuple[Formula, ...], sign: str, lead: bool = True) -> Iterator[tuple[str, str, Formula]]:
    if sign and sign not in PRODUCT_SIGNS:
        raise ValueError(f"unknown product sign {sign!r}; known are {', '.join(PRODUCT_SIGNS)}")
    for position, factor in enumerate(factors):
        first, last = position == 0, position == len(factors) - 1
        if _is_mixed(factor, sign) or (isinstance(unmarked(factor), BigSum) and not last):
            written = _place(factor, Precedence.ATOM, False)
        else:
            written = _place(factor, Precedence.PRODUCT, lead and first)
        dot = "" if first or not needs_dot(factors[position - 1], factor) else PRODUCT_SIGNS["dot"]
        yield "" if first else PRODUCT_SIGNS.get(sign, dot), written, factor


def _is_mixed(node: Formula, sign: str) -> bool:
    """A product of another kind inside a product: ⊙ and × want parentheses, plain ones join."""
    inner = unmarked(node)
    return isinstance(inner, Product) and inner.sign != sign and bool({inner.sign, sign} & {"hadamard", "times"})


def _power_base(node: Formula) -> str:
    bare = unmarked(node)
    plain_call = isinstance(bare, Call) and bare.function not in ("abs", "sqrt")
    if plain_call or (isinstance(bare, Symbol) and bare.name.sup):
        inner = _parentheses(bare)
        return _mark(node, inner) if isinstance(node, Mark) else inner
    return _place(node, Precedence.ATOM, False)


def _call(node: Call) -> str:
    # The word "comma" and not the sign, which would end an argument of the Typst function around it.
    arguments = " comma ".join(_write(argument) for argument in node.arguments)
    tall = any(is_tall(argument) for argument in node.arguments)
    match node.function:
        case "sqrt":
            return f"sqrt({arguments})"
        case "abs":
            return f"abs({arguments})"
        case "exp" if not tall and not node.prime and len(node.arguments) == 1:
            return f"e^({arguments})"
    name = _function(node.function) + ("'" if node.prime else "")
    return f"{name} ({arguments})" if tall else rf"{name} \({arguments}\)"


def _case_row(value: Formula, condition: Formula | None) -> str:
    return f"{_write(value)} & " + ('"otherwise"' if condition is None else f'"if" {_write(condition)}')


def _big_sum(node: BigSum) -> str:
    below = _write(node.index) if node.lower is None else f"{_write(node.index)} = {_write(node.lower)}"
    above = "" if node.upper is None else f"^({_write(node.upper)})"
    return f"sum_({below}){above} {_place(node.body, Precedence.PRODUCT, False)}"


def _joined(pieces: Iterable[tuple[str, str, Formula]]) -> str:
    return " ".join(part for operator, text, _ in pieces for part in (operator, text) if part)
