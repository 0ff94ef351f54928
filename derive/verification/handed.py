"""What somebody hands over: numbers by name, read from JSON, CSV or Python, and what each of them claims to be."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from itertools import product
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from derive.derivation import Derivation
from derive.errors import printable, shown
from derive.notation import UnknownNameError, plain_name
from derive.scalars import Scalar
from derive.verification.csv_lines import HandedError, csv_rows

Kind = Literal["value", "delta", "gradient", "updated"]

LONGEST_NUMBER = 2000
"""A number of more characters is refused."""

LARGEST_EXPONENT = 5000


@dataclass(frozen=True)
class Item:
    """One number: what it claims to be, its text, and its exact value (None where it is not finite)."""

    kind: Kind
    scalar: Scalar
    name: str
    text: str
    value: Fraction | None


@dataclass(frozen=True)
class Handed:
    """The numbers of one point, in the program's order; ``turned`` names arrays that came rows for columns."""

    items: tuple[Item, ...]
    turned: tuple[str, ...] = ()


SECTIONS: Mapping[str, Kind] = {"gradients": "gradient", "updated": "updated", "arrays": "value", "deltas": "delta"}
"""The tables that a JSON file may be divided into, as `chainrule gradients --json` divides its own."""


def of_json(text: str, derivation: Derivation, kind: Kind, place: str) -> Handed:
    """Numbers from a JSON object. Raises HandedError."""
    try:
        data = json.loads(text, parse_float=_Text, parse_int=_Text, parse_constant=_Text, object_pairs_hook=_no_twice)
    except RecursionError:
        raise HandedError(f"{place}: is nested too deeply to be read") from None
    except ValueError as error:
        raise HandedError(f"{place}: not JSON: {printable(str(error))}") from None
    if not isinstance(data, dict):
        raise HandedError(f"{place}: found {shown(data)}; expected an object, a name to each number or array")
    return of_mapping(data, derivation, kind, place)


class _Text(str):
    """A number as it was written."""


def _no_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"{_short(name)} is there twice")
        found[name] = value
    return found


def of_csv(text: str, derivation: Derivation, kind: Kind, place: str) -> Handed:
    """Numbers from lines ``w1,0.000439`` or ``W1,0.1,0.2,0.3,0.4`` (row by row). Raises HandedError."""
    found: dict[str, Any] = {}
    for number, name, values in csv_rows(text.removeprefix("\ufeff"), place):
        if name in found:
            raise HandedError(f"{place}, line {number}: {_short(name)} is there twice")
        found[name] = _Text(values[0]) if len(values) == 1 else [_Text(value) for value in values]
    if not found:
        raise HandedError(f"{place}: is empty; expected lines such as w1,0.000439")
    return of_mapping(found, derivation, kind, place, flat=True)


def of_mapping(
    data: Mapping[str, Any], derivation: Derivation, kind: Kind, place: str, *, flat: bool = False
) -> Handed:
    """Numbers by name: arrays and scalars, gradients unless a name or a section says otherwise. Raises HandedError."""
    reader = _Reader(derivation, kind, place, flat)
    for name, value in data.items():
        if name in SECTIONS and isinstance(value, Mapping):
            for inner, each in value.items():
                if (name, inner) == ("updated", "error"):
                    continue  # the error after the update is a number of the next pass
                reader.read(str(inner), each, SECTIONS[name])
        else:
            reader.read(str(name), value, None)
    if not reader.items:
        raise HandedError(f"{place}: holds no numbers; expected the gradients by name, such as w1 or W1")
    order = {name: place for place, name in enumerate(derivation.program.variables)}
    ranks: dict[Kind, int] = {"value": 0, "delta": 1, "gradient": 2, "updated": 3}
    items = sorted(
        reader.items.values(), key=lambda item: (ranks[item.kind], order[item.scalar.array], item.scalar.index)
    )
    return Handed(tuple(items), tuple(reader.turned))


class _Reader:
    """Gathers items, and refuses what it does not know."""

    def __init__(self, derivation: Derivation, kind: Kind, place: str, flat: bool) -> None:
        self.derivation, self.kind, self.place, self.flat = derivation, kind, place, flat
        self.items: dict[tuple[Kind, Scalar], Item] = {}
        self.turned: list[str] = []

    def read(self, name: str, value: Any, section: Kind | None) -> None:
        """One name and its number or array."""
        kind, array, index = self._meant(name, section)
        name = _short(name)
        shape = self.derivation.program.shape(array)
        if index is not None or not shape:
            self._add(kind, Scalar(array, index or ()), value, name)
            return
        found = self._array(name, array, value, shape)
        for at, each in zip(product(*map(range, shape)), found.reshape(-1).tolist(), strict=True):
            self._add(kind, Scalar(array, at), each, name, at)

    def _meant(self, name: str, section: Kind | None) -> tuple[Kind, str, tuple[int, ...] | None]:
        """What a name claims: its kind, its array, its index (None: the whole array)."""
        program, names = self.derivation.program, self.derivation.names
        bare = name.strip()
        if bare in ("error", "loss") and bare not in program.variables:
            return "value", program.error, ()
        if (delta := _deltas(self.derivation).get(bare)) is not None:
            return "delta", delta.array, delta.index
        told: Kind | None = section
        for prefix in _prefixes(self.derivation):
            if bare.startswith(prefix) and bare != prefix:
                bare, told = bare.removeprefix(prefix), "gradient"
        if bare.endswith(("+", "⁺")):
            bare, told = bare[:-1], "updated"
        try:
            array, index = names.find(bare)
        except UnknownNameError as error:
            raise HandedError(f"{self.place}: {_short(name)}: {error}") from None
        if told in ("gradient", "updated") or (told is None and array in program.parameters):
            if array in program.parameters:
                return told or self.kind, array, index
            if told == "gradient" and array in self.derivation.gradient.adjoints:
                return "delta", array, index
            known = ", ".join(program.parameters)
            raise HandedError(f"{self.place}: {_short(name)}: {array} is no parameter of this problem; known: {known}")
        return "value" if told != "delta" else "delta", array, index

    def _array(self, name: str, array: str, value: Any, shape: tuple[int, ...]) -> NDArray[np.object_]:
        """What was handed over as a whole array, in the shape that it should have. Raises HandedError."""
        found = _nested(value, f"{self.place}: {name}")
        size = int(np.prod(shape))
        if found.shape != shape and found.shape == shape[::-1] and len(shape) == 2:
            self.turned.append(array)
            found = found.T
        elif (
            found.shape != shape
            and (self.flat or found.shape in (shape[1:], (1, *shape), (*shape, 1)))
            and found.size == size
        ):
            found = found.reshape(shape)
        if found.shape != shape:
            raise HandedError(f"{self.place}: {name}: found the shape {_shape(found.shape)}; expected {_shape(shape)}")
        return found

    def _add(self, kind: Kind, scalar: Scalar, value: Any, array: str, at: tuple[int, ...] | None = None) -> None:
        """One number: an element of what is called ``array``, or that itself."""
        if (there := self.items.get((kind, scalar))) is not None:
            raise HandedError(f"{self.place}: {_element(array, at)} is there twice: {there.name} is the same")
        plain = type(value) is float and math.isfinite(value)  # as most of many are: their place need not be told
        text, exact = (repr(value), Fraction(value)) if plain else number(value, self._place(array, at))
        self.items[kind, scalar] = Item(kind, scalar, label(self.derivation, kind, scalar), text, exact)

    def _place(self, array: str, at: tuple[int, ...] | None) -> str:
        return f"{self.place}: {_element(array, at)}"


def _element(array: str, at: tuple[int, ...] | None) -> str:
    """How an element is told in a message."""
    return array if at is None else f"{array}[{', '.join(map(str, at))}]"


def label(derivation: Derivation, kind: Kind, scalar: Scalar) -> str:
    """How a number is called in a report: w5, w5+, out_h1, delta_o1."""
    if kind == "delta":
        net = derivation.program.variables[scalar.array].role == "net"
        name = derivation.names.delta(scalar.array, scalar.index) if net else None
        return plain_name(name) if name is not None else f"dE/d{_typed(derivation, scalar)}"
    return _typed(derivation, scalar) + ("+" if kind == "updated" else "")


def _typed(derivation: Derivation, scalar: Scalar) -> str:
    return derivation.names.typed[scalar.array, scalar.index]


def _deltas(derivation: Derivation) -> dict[str, Scalar]:
    return {
        plain_name(derivation.names.delta(variable.name, scalar.index)): scalar
        for variable in derivation.program.by_role("net")
        for scalar in derivation.graph.scalars(variable.name)
    }


def _prefixes(derivation: Derivation) -> tuple[str, ...]:
    error = derivation.names.typed[derivation.program.error, ()]
    return tuple(f"{d}{name}/{d}" for d in "d∂" for name in dict.fromkeys((error, derivation.program.error, "E")))


# ---- numbers -------------------------------------------------------------------------------


def number(value: Any, place: str) -> tuple[str, Fraction | None]:
    """A number's text and exact value; None for nan and infinities. Raises HandedError."""
    if isinstance(value, bool) or value is None or isinstance(value, Mapping | list | tuple):
        raise HandedError(f"{place}: found {shown(value)}; expected a number")
    if isinstance(value, Fraction):
        return str(value), value
    if isinstance(value, int | np.integer):
        return str(int(value)), Fraction(int(value))
    if isinstance(value, float | np.floating):
        floating = float(value)
        text = str(value) if isinstance(value, np.float32 | np.float16) else repr(floating)
        return text, Fraction(floating) if math.isfinite(floating) else None
    text = str(value).strip().replace("\u2212", "-")
    if len(text) > LONGEST_NUMBER:
        raise HandedError(f"{place}: a number of {len(text):,} characters; at most {LONGEST_NUMBER:,} are read")
    try:
        decimal = Decimal(text)
    except InvalidOperation:
        raise HandedError(f"{place}: found {shown(str(value))}; expected a decimal number") from None
    if not decimal.is_finite():
        return text, None
    if abs(decimal.adjusted()) > LARGEST_EXPONENT:
        raise HandedError(f"{place}: {text} is beyond 10^±{LARGEST_EXPONENT}")
    return text, Fraction(decimal)


def _nested(value: Any, place: str) -> NDArray[np.object_]:
    """Nested lists as an array of whatever they hold."""
    if isinstance(value, np.ndarray):
        return value.astype(object)
    shape: list[int] = []
    level: Any = value
    while isinstance(level, Sequence) and not isinstance(level, str):
        shape.append(len(level))
        level = level[0] if level else None
    found = np.empty(shape, dtype=object)
    _fill(found, value, (), place)
    return found


def _fill(found: NDArray[np.object_], value: Any, at: tuple[int, ...], place: str) -> None:
    if len(at) == found.ndim:
        found[at] = value
        return
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) != found.shape[len(at)]:
        raise HandedError(f"{place}: the rows of an array have to be of one length")
    for place_, each in enumerate(value):
        _fill(found, each, (*at, place_), place)


LONGEST_NAME = 60


def _short(name: str) -> str:
    """A name as a message shows it: without what a terminal would obey, and cut where it is long."""
    return printable(name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}…")


def _shape(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape)) if shape else "a number"
