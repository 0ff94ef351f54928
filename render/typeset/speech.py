"""Formula trees as spoken English: "the partial derivative of E total with respect to w 5 equals …".

Made to be heard: whatever is long says where it ends ("end fraction"), and parentheses are spoken
where they are written, so that no two formulas sound alike. Colours are not spoken; the label
under a brace is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

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
from derive.tex import unmarked
from derive.tex_names import GREEK, clean, known_accent

RELATIONS = {
    "=": "equals",
    "≈": "is approximately",
    "<": "is less than",
    "≤": "is at most",
    ">": "is greater than",
    "≥": "is at least",
    "≠": "is not equal to",
    "→": "goes to",
    "∈": "is in",
}
PRODUCT_SIGNS = {"": "times", "dot": "times", "times": "times", "hadamard": "times, element by element,"}
POWERS = {"2": "squared", "3": "cubed"}
PARTS = {("1", "2"): "one half", ("1", "3"): "one third", ("1", "4"): "one quarter"}
STYLES = {"bold": "bold "}
# Functions that are called otherwise than they are written; "{}" is what they are taken of.
FUNCTIONS = {
    "log": "the natural logarithm of",
    "ln": "the natural logarithm of",
    "exp": "the exponential of",
    "logistic": "sigma of",
    "tanh": "the hyperbolic tangent of",
    "sinh": "the hyperbolic sine of",
    "cosh": "the hyperbolic cosine of",
    "sin": "the sine of",
    "cos": "the cosine of",
    "tan": "the tangent of",
    "arctan": "the arc tangent of",
    "atan": "the arc tangent of",
    "max": "the maximum of",
    "min": "the minimum of",
    "Phi": "capital phi of",
    "sign": "the sign of",
    "sqrt": "the square root of",
    "abs": "the absolute value of",
    "relu": "ReLU of",
    "leaky_relu": "leaky ReLU of",
    "elu": "ELU of",
    "gelu": "GELU of",
    "log_softmax": "log softmax of",
}
LETTERS = {letter: name for name, (letter, _) in GREEK.items()}
SCRIPT_SIGNS = {
    "+": "plus",
    "-": "minus",
    "−": "minus",
    "*": "star",
    ",": "comma",
    ".": "point",
    "=": "equals",
    "′": "prime",
    "'": "prime",
    "→": "to",
    ":": "all",
}
# What the brackets and other signs of a name in code are called.
CODE_SIGNS = {"[": "at", "]": "", "_": "", ":": "all"}
ACCENTS = {"hat": "hat", "left": "left arrow"}
AT_TIME = "at time"
OPEN, CLOSE = "open parenthesis", "close parenthesis"

_TOKEN = re.compile(r"[^\W\d_]+|\d+(?:\.\d+)?|[^\w\s]|_", re.UNICODE)
_CODE_TOKEN = re.compile(r"[^\W_]+|[^\w\s]|_", re.UNICODE)
_PIECE = re.compile(rf"\[([^\[\]]*)\]|(?:⟨|\(t=)([^⟨⟩()]*)[⟩)]|\(([^()]*)\)|({_TOKEN.pattern})", re.UNICODE)
_NUMBER = re.compile(r"(?P<minus>-?)(?P<digits>\d+(?:\.\d+)?)(?:[eE](?P<exponent>[+-]?\d+))?")


def speech(formula: Formula) -> str:
    """The formula in words. Raises `ValueError` for a number or a sign that is none."""
    return _write(formula)


def speech_equation(sides: Iterable[Side]) -> str:
    """The sides of an equation in words, a comma before each sign where the side before it is long."""
    made = ""
    for side in sides:
        spoken = _write(side.formula)
        if not side.sign:
            made += spoken
            continue
        pause = "" if made.count(" ") < 4 or made.endswith(",") else ","
        made = f"{made}{pause} {_relation(side.sign)} {spoken}".strip()
    return made


def spoken_name(name: Name) -> str:
    """A name in words: "w 5", "out h 1", "w 5 superscript plus", "y hat 1", "bold W 2"."""
    above = _script(name.sup)
    parts = [
        STYLES.get(name.style, "") + (_code(name.base) if name.style == "code" else _base(name.base)),
        ACCENTS[known_accent(name)] if name.accent else "",
        _script(name.sub),
        above if above.startswith(AT_TIME) or not above else f"superscript {above}",
    ]
    return " ".join(part for part in parts if part)


def _base(base: str) -> str:
    spoken = LETTERS.get(base, base)
    if spoken in GREEK and spoken[0].isupper():
        return f"capital {spoken.lower()}"
    return clean(spoken)


def _code(base: str) -> str:
    """A name as code has it: "W1[0,1]" is "W1 at 0 comma 1"."""
    tokens = _CODE_TOKEN.findall(clean(base))
    return " ".join(spoken for token in tokens if (spoken := CODE_SIGNS.get(token, SCRIPT_SIGNS.get(token, token))))


def _script(text: str) -> str:
    """A script: a layer in brackets, the number of an example in parentheses, a time step, and plain signs."""
    spoken: list[str] = []
    for piece in _PIECE.finditer(clean(text)):
        layer, time, example, sign = piece.groups()
        if layer is not None:
            spoken.append(f"{_script(layer)} in brackets")
        elif time is not None:
            spoken.append(f"{AT_TIME} {_script(time)}")
        elif example is not None:
            spoken.append(f"{_script(example)} in parentheses")
        else:
            spoken.append(SCRIPT_SIGNS.get(sign, LETTERS.get(sign, sign)))
    return " ".join(each for each in spoken if each)


def _number(text: str) -> str:
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise ValueError(f"not a decimal number: {text!r}")
    digits = ("minus " if match["minus"] else "") + match["digits"]
    if match["exponent"] is None:
        return digits
    return f"{digits} times 10 to the power of {_number(str(int(match['exponent'])))}"


def _relation(sign: str) -> str:
    if sign not in RELATIONS:
        raise ValueError(f"unknown sign {sign!r} between the sides of an equation; known are {' '.join(RELATIONS)}")
    return RELATIONS[sign]


def _place(node: Formula, minimum: Precedence, lead: bool = False) -> str:
    """The node where its surroundings ask for at least ``minimum``; ``lead`` allows "minus" in front."""
    if isinstance(node, Mark):
        return _mark(node, _place(node.body, minimum, lead))
    signed = lead and minimum <= Precedence.PRODUCT and isinstance(node, Negative | Number)
    if precedence(node) < minimum and not signed:
        return f"{OPEN} {_write(node)} {CLOSE}"
    return _write(node, lead)


def _mark(node: Mark, body: str) -> str:
    return body if node.label is None else f"{body}, labelled {_write(node.label)},"


def _write(node: Formula, lead: bool = True) -> str:
    """The node without parentheses of its own; ``lead`` allows "minus" in front of its first part."""
    match node:
        case Symbol(name):
            return spoken_name(name)
        case Number(text):
            return _number(text)
        case Sum(terms):
            return "".join(_term(term, position, lead) for position, term in enumerate(terms))
        case Product(factors, sign):
            return _product(factors, sign, lead)
        case Negative(body):
            return f"minus {_place(body, Precedence.PRODUCT)}"
        case Fraction(numerator, denominator):
            return _fraction(numerator, denominator)
        case Partial(of, by):
            of_, by_ = _place(of, Precedence.ATOM), _place(by, Precedence.ATOM)
            return f"the partial derivative of {of_} with respect to {by_}"
        case Derivative(body, by, partial):
            kind = "the partial derivative" if partial else "the derivative"
            return f"{kind} with respect to {_place(by, Precedence.ATOM)} of {_write(body)}, end derivative"
        case Power(base, exponent):
            return _power(base, exponent)
        case Call():
            return _call(node)
        case Group(body):
            return f"{OPEN} {_write(body)} {CLOSE}"
        case Mark(_, body, _):
            return _mark(node, _write(body, lead))
        case _:
            return _write_large(node)


def _write_large(node: Formula) -> str:
    """The nodes that are seldom inside others."""
    match node:
        case Relation(left, sign, right):
            return f"{_write(left)} {_relation(sign)} {_write(right)}"
        case Transposed(body):
            return f"{_place(body, Precedence.ATOM)} transposed"
        case Cases(rows):
            return f"the cases: {'; '.join(_case_row(*row) for row in rows)}; end cases"
        case BigSum():
            return _big_sum(node)
        case Matrix(rows):
            return _matrix(rows)
        case Dots():
            return "and so on"
        case Words(text):
            return clean(text).strip()
        case Gap(_, mark):
            return f"blank {clean(mark)}".strip()
    raise TypeError(f"a formula node that has no words: {type(node).__name__}")


def _term(term: Formula, position: int, lead: bool) -> str:
    if position == 0:
        return _place(term, Precedence.PRODUCT, lead)
    if isinstance(term, Negative):
        return f" minus {_place(term.body, Precedence.PRODUCT)}"
    return f" plus {_place(term, Precedence.PRODUCT)}"


def _product(factors: tuple[Formula, ...], sign: str, lead: bool) -> str:
    """Factors with "times" between them, after a pause where a factor is a derivative or a sum."""
    if sign not in PRODUCT_SIGNS:
        raise ValueError(f"unknown product sign {sign!r}; known are {', '.join(PRODUCT_SIGNS)}")
    made = ""
    for position, factor in enumerate(factors):
        bare = unmarked(factor)
        other = isinstance(bare, Product) and "hadamard" in (bare.sign, sign) and bare.sign != sign
        inner = other or (isinstance(bare, BigSum) and position < len(factors) - 1)
        spoken = _place(factor, Precedence.ATOM if inner else Precedence.PRODUCT, lead and position == 0)
        long = " " in spoken and position > 0 and isinstance(unmarked(factors[position - 1]), Partial | Fraction | Call)
        pause = "," if long and not made.endswith(",") else ""
        made = f"{made}{pause} {PRODUCT_SIGNS[sign]} {spoken}" if position else spoken
    return made


def _is_simple(node: Formula) -> bool:
    """Whether the end of a node is heard without saying so."""
    return isinstance(unmarked(node), Symbol | Number | Words) and precedence(node) == Precedence.ATOM


def _fraction(numerator: Formula, denominator: Formula) -> str:
    above, below = _write(numerator), _write(denominator)
    if (above, below) in PARTS:
        return PARTS[above, below]
    if _is_simple(numerator) and _is_simple(denominator):
        return f"the fraction {above} over {below}"
    return f"the fraction with numerator {above} and denominator {below}, end fraction"


def _power(base: Formula, exponent: Formula) -> str:
    bare = unmarked(base)
    bracketed = isinstance(bare, Call) or (isinstance(bare, Symbol) and bool(bare.name.sup))
    spoken = f"{OPEN} {_write(base)} {CLOSE}" if bracketed else _place(base, Precedence.ATOM)
    if isinstance(exponent, Number) and exponent.text in POWERS:
        return f"{spoken} {POWERS[exponent.text]}"
    return f"{spoken} to the power of {_ended(exponent, 'end power')}"


def _ended(node: Formula, end: str) -> str:
    bare = node.body if isinstance(node, Negative) else node
    return _write(node) if _is_simple(bare) else f"{_write(node)}, {end}"


def _call(node: Call) -> str:
    if node.function == "exp" and len(node.arguments) == 1 and not node.prime:
        return f"e to the power of {_ended(node.arguments[0], 'end power')}"
    name = FUNCTIONS.get(node.function) or f"{_base(node.function)} of"
    if node.prime:
        name = f"{name.removesuffix(' of')} prime of"
    if node.function in ("sqrt", "abs") and len(node.arguments) == 1:
        return f"{name} {_ended(node.arguments[0], 'end root' if node.function == 'sqrt' else 'end absolute value')}"
    if len(node.arguments) == 1 and _is_simple(node.arguments[0]):
        return f"{name} {_write(node.arguments[0])}"
    return f"{name} {OPEN} {' comma '.join(_write(argument) for argument in node.arguments)} {CLOSE}"


def _case_row(value: Formula, condition: Formula | None) -> str:
    return f"{_write(value)} " + ("otherwise" if condition is None else f"if {_write(condition)}")


def _big_sum(node: BigSum) -> str:
    if node.lower is None:
        over = f"over {_write(node.index)}"
    else:
        over = f"from {_write(node.index)} equals {_write(node.lower)}"
    upper = "" if node.upper is None else f" to {_write(node.upper)}"
    return f"the sum {over}{upper} of {_place(node.body, Precedence.PRODUCT)}, end sum"


def _matrix(rows: tuple[tuple[Formula, ...], ...]) -> str:
    columns = max((len(row) for row in rows), default=0)
    spoken = [", ".join(_write(entry) for entry in row) for row in rows]
    if columns == 1:
        return f"the column vector {', '.join(spoken)}, end vector"
    if len(rows) == 1:
        return f"the row vector {spoken[0]}, end vector"
    numbered = "; ".join(f"row {position}: {row}" for position, row in enumerate(spoken, 1))
    return f"the {len(rows)} by {columns} matrix, {numbered}; end matrix"
