r"""Names, numbers and text in TeX: the leaves of a formula, and the tables that say how they are written."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from derive.formula import Name

# What TeX reads as more than a character.
TEX_SPECIALS = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "%": r"\%",
    "#": r"\#",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
}
# Signs that are typed in text and live in TeX's mathematics.
TEXT_SIGNS = {
    "−": "-", "±": r"\pm", "×": r"\times", "·": r"\cdot", "⋅": r"\cdot", "÷": r"\div", "⊙": r"\odot",
    "∂": r"\partial", "∇": r"\nabla", "∞": r"\infty", "∑": r"\sum", "∏": r"\prod", "√": r"\surd", "✓": r"\surd",
    "≈": r"\approx", "≠": r"\ne", "≤": r"\le", "≥": r"\ge", "∈": r"\in", "→": r"\to", "←": r"\gets",
    "⇒": r"\Rightarrow", "↦": r"\mapsto", "′": r"{}^{\prime}", "″": r"{}^{\prime\prime}", "ᵀ": r"{}^{\top}",
    "⊤": r"\top", "½": r"\tfrac{1}{2}", "¼": r"\tfrac{1}{4}", "¾": r"\tfrac{3}{4}", "⅓": r"\tfrac{1}{3}",
    "⅔": r"\tfrac{2}{3}", "⅛": r"\tfrac{1}{8}", "²": "{}^{2}", "³": "{}^{3}",
}  # fmt: skip


def escape_text(text: str) -> str:
    r"""Plain characters as LaTeX text: nothing in them is a command, and pdfTeX can print each of them.

    A character for which pdfTeX's fonts have no place is handed to the macro
    ``\unicodechar{<hexadecimal>}``, which the page's preamble defines.
    """
    characters = clean(text)
    return "".join(
        ("{}" if c in "-<>,'`" and c == before else "") + _escape_character(c)  # no ligatures: -- stays two signs
        for before, c in zip(" " + characters, characters, strict=False)
    )


def clean(text: str) -> str:
    """The text without control characters, in composed form, its white space as single spaces."""
    composed = text if text.isascii() else unicodedata.normalize("NFC", text)
    if composed.isprintable() and "  " not in composed:
        return composed  # nearly every text, and nothing in it to change
    return re.sub(r"\s+", " ", "".join(" " if c.isspace() else c for c in composed if c.isspace() or _is_printed(c)))


def _is_printed(character: str) -> bool:
    if (
        character in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    ):  # they would turn the text after them round
        return False
    return unicodedata.category(character) not in ("Cc", "Cs", "Co", "Cn")


def _escape_character(c: str) -> str:
    if c in TEX_SPECIALS:
        return TEX_SPECIALS[c]
    if c.isascii() or c in "–—‘’“”„…•€™§©°" or ("À" <= c <= "ž" and c not in "×÷ĦħĸĿŀŉŦŧ"):
        return c
    if c in GREEK_COMMANDS:
        return rf"\ensuremath{{{GREEK_COMMANDS[c]}}}"
    if c in TEXT_SIGNS:
        return rf"\ensuremath{{{TEXT_SIGNS[c]}}}"
    return rf"\unicodechar{{{ord(c):04X}}}"


# English name -> (character, command). Letters that look Latin have no command of their own.
GREEK = {
    "alpha": ("α", r"\alpha"),
    "beta": ("β", r"\beta"),
    "gamma": ("γ", r"\gamma"),
    "delta": ("δ", r"\delta"),
    "epsilon": ("ε", r"\varepsilon"),
    "zeta": ("ζ", r"\zeta"),
    "eta": ("η", r"\eta"),
    "theta": ("θ", r"\theta"),
    "iota": ("ι", r"\iota"),
    "kappa": ("κ", r"\kappa"),
    "lambda": ("λ", r"\lambda"),
    "mu": ("μ", r"\mu"),
    "nu": ("ν", r"\nu"),
    "xi": ("ξ", r"\xi"),
    "pi": ("π", r"\pi"),
    "rho": ("ρ", r"\rho"),
    "sigma": ("σ", r"\sigma"),
    "tau": ("τ", r"\tau"),
    "upsilon": ("υ", r"\upsilon"),
    "phi": ("φ", r"\varphi"),
    "chi": ("χ", r"\chi"),
    "psi": ("ψ", r"\psi"),
    "omega": ("ω", r"\omega"),
    "Gamma": ("Γ", r"\Gamma"),
    "Delta": ("Δ", r"\Delta"),
    "Theta": ("Θ", r"\Theta"),
    "Lambda": ("Λ", r"\Lambda"),
    "Xi": ("Ξ", r"\Xi"),
    "Pi": ("Π", r"\Pi"),
    "Sigma": ("Σ", r"\Sigma"),
    "Phi": ("Φ", r"\Phi"),
    "Psi": ("Ψ", r"\Psi"),
    "Omega": ("Ω", r"\Omega"),
    "ell": ("ℓ", r"\ell"),
    "nabla": ("∇", r"\nabla"),
}
GREEK_COMMANDS = {key: command for name, (letter, command) in GREEK.items() for key in (name, letter)}

# Characters that may stand in a subscript or superscript as they are.
SCRIPT_SIGNS = {c: c for c in "+-()[]=<>/*.:|!"} | {",": "{,}", "′": r"\prime", "'": r"\prime", "→": r"\to", "−": "-"}
SCRIPT_SIGNS |= {"⟨": r"\langle", "⟩": r"\rangle"}
# Signs of a name in the style of code, without the space that mathematics puts after a comma.
CODE_SIGNS = {"[": "[", "]": "]", "(": "(", ")": ")", ".": ".", ",": "{,}", ":": "{:}", "_": r"\_"}
STYLES = {"italic": r"\mathit", "roman": r"\mathrm", "bold": r"\mathbf", "code": r"\mathtt"}
# An accent over a letter, and over a word.
ACCENTS = {"hat": (r"\hat", r"\widehat"), "left": (r"\overleftarrow", r"\overleftarrow")}

# The functions that are not written as their name in upright letters.
FUNCTIONS = {
    "log": r"\ln",
    "ln": r"\ln",
    "exp": r"\exp",
    "sigma": r"\sigma",
    "logistic": r"\sigma",
    "tanh": r"\tanh",
    "sinh": r"\sinh",
    "cosh": r"\cosh",
    "sin": r"\sin",
    "cos": r"\cos",
    "tan": r"\tan",
    "arctan": r"\arctan",
    "atan": r"\arctan",
    "max": r"\max",
    "min": r"\min",
    "Phi": r"\Phi",
    "phi": r"\varphi",
    "sign": r"\operatorname{sgn}",
    "relu": r"\operatorname{ReLU}",
    "leaky_relu": r"\operatorname{LeakyReLU}",
    "elu": r"\operatorname{ELU}",
    "gelu": r"\operatorname{GELU}",
    "log_softmax": r"\operatorname{LogSoftmax}",
}

_NUMBER = re.compile(r"(?P<minus>-?)(?P<digits>\d+(?:\.\d+)?)(?:[eE](?P<exponent>[+-]?\d+))?")
_SCRIPT_TOKEN = re.compile(r"[A-Za-z]+|\d+(?:\.\d+)?|\s+|.", re.DOTALL)


FACTOR_COLORS = ("factor1", "factor2", "factor3", "factor4", "factor5", "factor6")


@dataclass(frozen=True, slots=True)
class Dialect:
    """What differs between readers of TeX: the names of the factors' colours, and how text is escaped.

    Without colours the factors are written in black. ``inline`` is for a line of text: fractions
    and derivatives are written with a slash, so that the lines keep their distance. ``code`` sets names in
    the style of code: "mathtt", or "texttt" where mathematics has no such letters. ``gap`` is a blank, with
    ``%(width)s`` and ``%(height)s`` in em, and ``%(below)s`` for how far it reaches under the line.
    """

    colors: tuple[str, ...] = FACTOR_COLORS
    text: Callable[[str], str] = escape_text
    inline: bool = False
    code: str = "mathtt"
    gap: str = r"\chainrulegap{%(width)sem}{%(height)sem}{%(below)sem}"


LATEX = Dialect()
LATEX_INLINE = Dialect(inline=True)
PLAIN_GAP = r"\boxed{\rule[-%(below)sem]{0pt}{%(height)sem}\hspace{%(width)sem}}"  # what every reader of TeX knows
LATEX_BLACK = Dialect(colors=(), gap=PLAIN_GAP)  # to paste into a document that knows none of our colours


def tex_name(name: Name, dialect: Dialect = LATEX) -> str:
    r"""A name with its scripts: ``Name("net", "h1")`` is ``\mathit{net}_{h1}``."""
    base = _base(name, dialect)
    if name.accent:
        narrow, wide = ACCENTS[known_accent(name)]
        base = (narrow if len(name.base) == 1 or name.base in GREEK_COMMANDS else wide) + f"{{{base}}}"
    sub = f"_{{{_script(name.sub, dialect)}}}" if name.sub else ""
    sup = f"^{{{_script(name.sup, dialect)}}}" if name.sup else ""
    return base + sub + sup


def known_accent(name: Name) -> str:
    """The accent of a name. Raises `ValueError` for one that no printer has."""
    if name.accent not in ACCENTS:
        raise ValueError(f"unknown accent {name.accent!r} on {name.base!r}; known are {', '.join(ACCENTS)}")
    return name.accent


def _base(name: Name, dialect: Dialect) -> str:
    if name.style not in STYLES:
        raise ValueError(f"unknown style {name.style!r} of {name.base!r}; known are {', '.join(STYLES)}")
    if command := GREEK_COMMANDS.get(name.base):
        return rf"\boldsymbol{{{command}}}" if name.style == "bold" else command
    if name.style == "code" and dialect.code != "mathtt":
        return rf"\{dialect.code}{{{dialect.text(name.base)}}}"
    if name.style == "code" and all(c.isascii() and (c.isalnum() or c in CODE_SIGNS) for c in name.base):
        return rf"\mathtt{{{''.join(CODE_SIGNS.get(c, c) for c in name.base)}}}"
    if not (name.base.isascii() and name.base.isalnum()):
        return rf"\text{{{dialect.text(name.base)}}}"
    if name.style == "italic" and (len(name.base) == 1 or name.base.isdigit()):
        return name.base
    return f"{STYLES[name.style]}{{{name.base}}}"


def _script(text: str, dialect: Dialect) -> str:
    """A sub- or superscript: letters and digits as they are, words upright, the rest as text."""
    return "".join(_script_token(match.group(), dialect) for match in _SCRIPT_TOKEN.finditer(text))


def _script_token(token: str, dialect: Dialect) -> str:
    if token in GREEK_COMMANDS:
        return f"{GREEK_COMMANDS[token]}{{}}"
    if token in SCRIPT_SIGNS:
        sign = SCRIPT_SIGNS[token]
        return f"{sign} " if sign.startswith("\\") else sign
    if token.isascii() and token.isalpha():
        return token if len(token) == 1 else rf"\mathrm{{{token}}}"
    if token.isascii() and token[0].isdigit():
        return token
    return rf"\text{{{dialect.text(token)}}}"


def tex_number(text: str) -> str:
    r"""Decimal text as TeX: ``1.5e-43`` is ``1.5 \cdot 10^{-43}``. Raises `ValueError` for anything else."""
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise ValueError(f"not a decimal number: {text!r}")
    digits = match["minus"] + match["digits"]
    return digits if match["exponent"] is None else rf"{digits} \cdot 10^{{{int(match['exponent'])}}}"


def tex_function(function: str, dialect: Dialect) -> str:
    """The name of a function: its row in `FUNCTIONS`, a letter, or upright letters."""
    if function in FUNCTIONS:
        return FUNCTIONS[function]
    if len(function) == 1 or function in GREEK_COMMANDS:
        return _base(Name(function), dialect)
    if function.isascii() and function.isalnum():
        return rf"\operatorname{{{function}}}"
    return rf"\text{{{dialect.text(function)}}}"
