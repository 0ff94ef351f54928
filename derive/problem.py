"""What a user states: a problem file, a dict or a bundled name, read exactly into a frozen `Problem`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from derive import bounded
from derive.errors import ProblemError, nearest, printable, shown

if TYPE_CHECKING:
    from derive.files.exercises import Exercises
    from derive.files.vary import Varied

Vector = tuple[Fraction, ...]


@dataclass(frozen=True, slots=True)
class Symbols:
    """Symbols instead of numbers, in an array of this shape."""

    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Example:
    """One training example: numbers (nested tuples for a sequence or an image), or how many symbols stand for them.

    A class target of a file is the one-hot vector here.
    """

    inputs: Vector | int | Symbols | tuple[Any, ...]
    targets: Vector | int | Symbols | tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer: ``weights`` has a row per unit and a column per incoming value; None leaves symbols.

    ``bias`` is a number (one that the layer shares), a tuple (one per unit), "shared" or "per_unit" (the
    same as symbols), or None (no bias). ``slope`` is leaky_relu's, ``alpha`` elu's; None is the row's own.
    In a network of layers of any type a layer has ``keys``, as its table states them, and ``arrays`` by stem
    with their numbers; ``weights`` is None then, and ``units`` is how many values its last axis has.
    """

    units: int
    activation: str = "identity"
    weights: tuple[Vector, ...] | None = None
    bias: Fraction | Vector | str | None = None
    slope: Fraction | None = None
    alpha: Fraction | None = None
    type: str = "dense"
    keys: tuple[tuple[str, Any], ...] = ()
    arrays: tuple[GivenArray, ...] = ()

    @property
    def constants(self) -> dict[str, Fraction | None]:
        """The constants of the activation, None for its own: the slope of leaky_relu, the α of elu."""
        return {"slope": self.slope, "alpha": self.alpha}


@dataclass(frozen=True, slots=True)
class Initial:
    """How missing weights were drawn: multiples of 10^-decimals from ``low`` to ``high``, both included."""

    seed: int
    low: Fraction = Fraction(-1)
    high: Fraction = Fraction(1)
    decimals: int = 2


@dataclass(frozen=True, slots=True)
class Loss:
    """The loss by name, and whether the errors of several examples are summed or averaged.

    ``delta`` is huber's constant; None leaves the one that its row states.
    """

    name: str
    over_examples: str = "sum"
    delta: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Update:
    """How parameters move: the rule, its learning rate, what stays fixed, in which order, how often.

    ``biases`` "fixed" holds every bias, the β of a normalisation too, which PyTorch calls its bias; its γ is no bias.
    The rest are the rule's settings; None is the rule's own value, or none where the rule does not
    know the key (`optimizers.settings` has them with their values).
    """

    learning_rate: Fraction
    rule: str = "gradient_descent"
    biases: str = "updated"
    fixed: tuple[str, ...] = ()
    order: str = "simultaneous"
    steps: int = 1
    momentum: Fraction | None = None
    dampening: Fraction | None = None
    beta1: Fraction | None = None
    beta2: Fraction | None = None
    rho: Fraction | None = None
    epsilon: Fraction | None = None
    weight_decay: Fraction | None = None
    nesterov: bool | None = None
    velocity: str | None = None
    first_step: str | None = None
    bias_correction: bool | None = None
    epsilon_inside: bool | None = None
    centered: bool | None = None
    decay: str | None = None


@dataclass(frozen=True, slots=True)
class Penalty:
    """What large weights cost: ½·l2·Σw² + l1·Σ|w| over the weights is added to the error.

    Biases are not among them, nor are the γ and β of normalisations, which scale and shift: a γ that shrinks makes
    nothing simpler. (The weight decay of an update is, as in PyTorch, on everything that the update moves.)
    """

    l1: Fraction = Fraction(0)
    l2: Fraction = Fraction(0)


@dataclass(frozen=True, slots=True)
class GivenArray:
    """An array that equations read and do not define: its numbers row by row, or None where they stay symbols."""

    name: str
    shape: tuple[int, ...]
    numbers: Vector | None = None


@dataclass(frozen=True, slots=True)
class Published:
    """A number that somebody printed: the digits of ``value`` are its precision."""

    name: str
    value: str
    where: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """A whole problem, every number exact, every shape checked, every default filled in.

    A problem is stated in layers or in equations. With ``equations`` there are no examples and no layers, and
    the loss has no name; instead there are the ``arrays`` that the equations start from, the name of the
    ``error``, the ``outputs`` that training prints, and a ``seed`` where the error is an array: its upstream
    gradient, row by row. ``vary`` is what changes from sheet to sheet (nothing stated: `derive.files.vary.default`),
    and ``exercises`` what is asked on them.
    ``source`` is how messages call it; ``stem`` is how files written from it are called.
    """

    title: str
    examples: tuple[Example, ...]
    layers: tuple[Layer, ...]
    loss: Loss
    update: Update | None = None
    initial: Initial | None = None
    notation: str = "mazur"
    published: tuple[Published, ...] = ()
    parameters: tuple[str, ...] | None = None
    penalty: Penalty | None = None
    equations: str = ""
    arrays: tuple[GivenArray, ...] = ()
    error: str = "E"
    outputs: str = ""
    seed: Vector | None = None
    vary: tuple[Varied, ...] = ()
    exercises: Exercises | None = None
    source: str = ""
    stem: str = "problem"

    @property
    def dense(self) -> bool:
        """Is it a network of dense layers on rows of numbers, with units that have names and can be drawn?"""
        return bool(self.layers) and not any(each.type != "dense" or each.keys or each.arrays for each in self.layers)

    @property
    def widths(self) -> tuple[int, ...]:
        """How many values there are at the inputs and after each layer: (2, 2, 2); () for equations."""
        if not self.examples:
            return ()
        return (lengths(self.examples[0].inputs)[-1], *(layer.units for layer in self.layers))


def lengths(values: object) -> tuple[int, ...]:
    """The shape of an example's inputs or targets."""
    if isinstance(values, Symbols):
        return values.shape
    if isinstance(values, int):
        return (values,)
    found: list[int] = []
    while isinstance(values, tuple):
        found.append(len(values))
        values = values[0] if values else None
    return tuple(found)


# ---- where problems come from --------------------------------------------------------------

_SUFFIXES = (".toml", ".json")
_TEMPLATE = "template.toml"


def bundled() -> tuple[str, ...]:
    """The names of the problems that come with the project."""
    files = (resources.files("derive") / "problems").iterdir()
    return tuple(sorted(file.name.removesuffix(".toml") for file in files if _is_problem(file.name)))


def _is_problem(file_name: str) -> bool:
    return file_name.endswith(".toml") and file_name != _TEMPLATE


def summary(name: str) -> str:
    """What a bundled problem teaches: the comment at the head of its file, on one line."""
    lines = _bundled_text(f"{name}.toml").splitlines()
    head = lines[: next((row for row, line in enumerate(lines) if not line.startswith("#")), len(lines))]
    return " ".join(line.lstrip("# ") for line in head)


def template() -> str:
    """A commented problem file to start from."""
    return _bundled_text(_TEMPLATE)


def _bundled_text(file_name: str) -> str:
    return (resources.files("derive") / "problems" / file_name).read_text(encoding="utf-8")


def load(source: str | os.PathLike[str] | Mapping[str, Any] | Problem) -> Problem:
    """The problem that ``source`` states: a bundled name ("mazur"), a path, or a dict with a file's keys.

    A bundled name goes before a file of the same name (write ``./mazur`` for the file). In a dict,
    numbers may be floats (read as the decimal that Python prints), ints, Decimals, Fractions, decimal
    strings or NumPy arrays. Raises `ProblemError` with every fault that was found.
    """
    if isinstance(source, Problem):
        return source
    if isinstance(source, Mapping):
        from derive.files.reading import build, plain

        try:
            tables = plain(source)
        except RecursionError:
            raise ProblemError("is nested too deeply, or within itself", "problem") from None
        return build(tables, source="problem", stem="problem")
    if isinstance(source, str) and source in bundled():
        return load_text(_bundled_text(f"{source}.toml"), source=f"{source}.toml", stem=source)
    if not isinstance(source, str | os.PathLike):
        raise ProblemError(f"found {shown(source)}; a bundled name, a path or a dict is expected")
    path = Path(source)
    return load_text(_read(path), source=str(source), stem=path.stem, format=path.suffix.lower().lstrip("."))


def load_text(text: str, source: str = "text", format: str = "", stem: str = "problem") -> Problem:
    """The problem written in ``text``, which is "toml" or "json" (anything else: whichever it looks like)."""
    from derive.files.reading import build, parse

    if format not in ("toml", "json"):
        format = "json" if text.lstrip("\ufeff \t\r\n").startswith("{") else "toml"
    return build(parse(text, source, format), source=source, stem=stem)


def schema() -> dict[str, Any]:
    """The JSON schema of a problem file, with the names that are known."""
    from pydantic import TypeAdapter

    from derive.files.network_tables import NetworkFile
    from derive.files.tables import EquationsFile, ProblemFile

    whole: TypeAdapter[Any] = TypeAdapter(ProblemFile | NetworkFile | EquationsFile)
    return whole.json_schema() | {"title": "chainrule problem"}


def _read(path: Path) -> str:
    """The text of a file; every way in which that can fail is said in a line."""
    source = str(path)
    try:
        return bounded.read_text(path)
    except FileNotFoundError:
        raise ProblemError(_no_such_file(path), source) from None
    except IsADirectoryError:
        raise ProblemError("is a directory; a problem file is expected", source) from None
    except UnicodeDecodeError as error:
        raise ProblemError(f"is not UTF-8 text (at byte {error.start}); a problem file is expected", source) from None
    except OSError as error:
        raise ProblemError(f"cannot be read: {error.strerror or error}", source) from None
    except bounded.TooLongError as error:
        raise ProblemError(f"{error}; a problem file is expected", source) from None
    except ValueError as error:  # a NUL character in the name
        raise ProblemError(f"is no file name: {printable(str(error))}", source) from None


def _no_such_file(path: Path) -> str:
    """No such file; with the bundled names where a name was typed, and the nearest of all there is."""
    typed_a_name = path.name == str(path) and path.suffix not in _SUFFIXES
    names = bundled() if typed_a_name else ()
    beside = [each.name for each in path.parent.glob("*") if each.suffix in _SUFFIXES] if path.parent.is_dir() else []
    parts = (
        "no such file" + (", and no bundled problem of that name" if typed_a_name else ""),
        f"known: {', '.join(names)}" if names else "",
        nearest(path.name, (*names, *beside)) or ("" if typed_a_name else nearest(path.stem, bundled())),
    )
    return "; ".join(part for part in parts if part)
