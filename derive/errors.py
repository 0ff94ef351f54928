"""What can go wrong for a user, and how it is said: the place, what was found, what is known."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable
from dataclasses import dataclass


class ChainruleError(Exception):
    """Base of every error that is meant for the user; its text needs no traceback."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong in a problem: where (``layers[1].activation``; "" for the whole of it), and what."""

    place: str
    message: str


class ProblemError(ChainruleError, ValueError):
    """A problem that cannot be worked out, with all its faults.

    ``source`` is what the user calls the problem (a path, a bundled name); the text has one line
    per fault: ``mazur.toml: layers[1].activation: found "logistik"; known: logistic, tanh``.
    """

    def __init__(self, faults: Iterable[Fault] | str, source: str = "") -> None:
        self.faults = (Fault("", faults),) if isinstance(faults, str) else tuple(faults)
        self.source = source
        super().__init__(self.faults, source)

    def __str__(self) -> str:
        return "\n".join(
            ": ".join(part for part in (printable(self.source), fault.place, fault.message) if part)
            for fault in self.faults
        )


class NotFiniteError(ChainruleError):
    """A quantity that is infinite or undefined at the problem's numbers: a logarithm of zero, a division by zero."""


class MissingDependency(ChainruleError):  # noqa: N818 - it is reported, like the others, by its text
    """Something needed is not installed; the text says what to install. The command exits with 3."""


MAX_LISTED = 30

# What textbooks and libraries call the same thing; only ever used to point at the name that is known here.
OTHER_NAMES = {
    "sigmoid": "logistic",
    "linear": "identity",
    "none": "identity",
    "rectifier": "relu",
    "lrelu": "leaky_relu",
    "mse": "mean_squared_error",
    "sse": "squared_error",
    "bce": "binary_cross_entropy",
    "log_loss": "binary_cross_entropy",
    "cross_entropy": "categorical_cross_entropy",
    "nll_loss": "nll",
    "negative_log_likelihood": "nll",
    "logsoftmax": "log_softmax",
    "sgd": "gradient_descent",
    "gd": "gradient_descent",
    "linear_layer": "dense",
    "fully_connected": "dense",
    "tex": "latex",
    "pdf": "typst",
    "md": "markdown",
    "eta": "learning_rate",
    "lr": "learning_rate",
    "biases": "bias",
    "neurons": "units",
    "optimizer": "update",
}


def closest(name: str, known: Iterable[str]) -> str:
    """The known name nearest to ``name``, in spelling or as another word for the same, or "" when none is near."""
    plain = name.strip().lower().replace("-", "_").replace(" ", "_")
    by_lower_case = {each.lower(): each for each in known}
    other = {word: by_lower_case[meant] for word, meant in OTHER_NAMES.items() if meant in by_lower_case}
    if plain in other:
        return other[plain]
    words = other | by_lower_case  # a known name goes before another word for one
    return next((words[each] for each in difflib.get_close_matches(plain, words, n=1)), "")


def nearest(name: str, known: Iterable[str]) -> str:
    """``did you mean "logistic"?`` for the known name nearest to ``name``, or "" when none is near."""
    found = closest(name, known)
    return f'did you mean "{found}"?' if found else ""


def unknown(name: str, known: Iterable[str], what: str = "found") -> str:
    """``found "logistik"; known: logistic, tanh; did you mean "logistic"?``; ``what`` is its first word."""
    names = tuple(known)
    listed = ", ".join(names[:MAX_LISTED]) + (", …" if len(names) > MAX_LISTED else "")
    parts = (f"{what} {shown(name)}", f"known: {listed}" if names else "none is known", nearest(name, names))
    return "; ".join(part for part in parts if part)


def shown(value: object) -> str:
    """A value as a message shows it: text in quotes on one line, long things cut short."""
    match value:
        case str():
            text = printable(json.dumps(value, ensure_ascii=False))
        case None:
            text = "nothing"
        case bool():
            text = str(value).lower()
        case int() if value.bit_length() > 1000:  # Python declines to print very long ones
            text = "a huge whole number"
        case dict():
            text = "a table"
        case list() | tuple():
            text = "a list"
        case _:
            text = printable(str(value))
    return text if len(text) <= 60 else f"{text[:40]}…{text[-12:]}"


def printable(text: str) -> str:
    """Text without what a terminal would obey: control characters are spelt out."""
    return "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in text)
