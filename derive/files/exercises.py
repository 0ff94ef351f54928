"""Which exercises are chosen: the [exercises] table of a problem file, its shape checked; kinds are known elsewhere."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from derive.errors import Fault, shown, unknown
from derive.files.numbers import exact

BLANKS = ("none", "results", "factors", "all")
"""How much of a solution is left blank, from nothing to everything; a number from 0 to 1 is a share of it."""

MOST_DIGITS = 12
MOST_EXERCISES = 100
MOST_POINTS = 1000

Blanks = str | Fraction


@dataclass(frozen=True, slots=True)
class Chosen:
    """Exercises of one kind: of which quantities, how many, and what holds for them alone.

    ``of`` is empty where the kind chooses; ``points`` and ``blanks`` are None where those of the sheet hold.
    """

    kind: str
    of: tuple[str, ...] = ()
    count: int = 1
    points: int | None = None
    blanks: Blanks | None = None
    mistake: str | None = None


@dataclass(frozen=True, slots=True)
class Exercises:
    """The exercises on a problem, in order. ``carry``: how many digits every step is rounded to, "4sf" or "5dp"."""

    carry: str = "4sf"
    blanks: Blanks = "all"
    points: int | None = None
    chosen: tuple[Chosen, ...] = ()


_BLANKS_SCHEMA = {"anyOf": [{"enum": list(BLANKS)}, {"type": "number", "minimum": 0, "maximum": 1}]}
_COUNT_SCHEMA = {"type": "integer", "minimum": 1, "maximum": MOST_EXERCISES}
_POINTS_SCHEMA = {"type": "integer", "minimum": 0, "maximum": MOST_POINTS}
_NAMES_SCHEMA = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}

SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "the exercises of a sheet, by kind and in order; `chainrule list exercises` shows the kinds",
    "properties": {
        "carry": {"type": "string", "pattern": r"^\d{1,2}(sf|dp)$", "default": "4sf"},
        "blanks": _BLANKS_SCHEMA | {"default": "all"},
        "points": _POINTS_SCHEMA | {"description": "what each exercise is worth; absent: what its kind says"},
    },
    "additionalProperties": {
        "anyOf": [
            {"const": True, "description": "one, of a quantity that is chosen for it"},
            _COUNT_SCHEMA,
            *_NAMES_SCHEMA["anyOf"],
            {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "of": _NAMES_SCHEMA,
                    "count": _COUNT_SCHEMA,
                    "points": _POINTS_SCHEMA,
                    "blanks": _BLANKS_SCHEMA,
                    "mistake": {"type": "string"},
                },
            },
        ]
    },
}
"""The JSON schema of [exercises]."""

KEYS = ("of", "count", "points", "blanks", "mistake")


def read_exercises(table: Mapping[str, Any] | None) -> tuple[Exercises | None, list[Fault]]:
    """The [exercises] of a file and every fault in them; None where there are none stated."""
    if table is None:
        return None, []
    faults: list[Fault] = []
    settings = {
        key: _tried(read, table[key], f"exercises.{key}", faults)
        for key, read in (("carry", carry), ("blanks", _blanks), ("points", _points))
        if key in table
    }
    chosen = []
    for kind, value in table.items():
        if kind not in ("carry", "blanks", "points"):
            place = f"exercises.{kind if kind.isidentifier() else shown(kind)}"
            found = _chosen(kind, value, place, faults)
            chosen += [] if found is None else [found]
    return (None if faults else Exercises(**settings, chosen=tuple(chosen))), faults


def _tried(read: Any, value: Any, place: str, faults: list[Fault]) -> Any:
    """A value read; its fault noted, and None, where it has one."""
    try:
        return read(value)
    except ValueError as error:
        faults.append(Fault(place, str(error)))
        return None


def _chosen(kind: str, value: Any, place: str, faults: list[Fault]) -> Chosen | None:
    before = len(faults)
    match value:
        case True:
            return Chosen(kind)
        case bool():
            found = None
        case int():
            count = _tried(_count, value, place, faults)
            return None if count is None else Chosen(kind, count=count)
        case str() | list():
            names = _tried(_names, value, place, faults)
            return None if names is None else Chosen(kind, names, len(names))
        case Mapping():
            found = _table(kind, value, place, faults)
            return found if len(faults) == before else None
        case _:
            found = None
    if found is None:
        message = 'true, a whole number, "w5", ["w5", "w1"] or { of = ["w5"], points = 4 } is expected'
        faults.append(Fault(place, f"found {shown(value)}; {message}"))
    return None


def _table(kind: str, table: Mapping[str, Any], place: str, faults: list[Fault]) -> Chosen:
    for key in table:
        if key not in KEYS:
            at = f"{place}.{key if key.isidentifier() else shown(key)}"
            faults.append(Fault(at, unknown(key, KEYS, "unknown key")))
    read = {"of": _names, "count": _count, "points": _points, "blanks": _blanks, "mistake": _word}
    values = {key: _tried(read[key], table[key], f"{place}.{key}", faults) for key in KEYS if key in table}
    of = values.get("of") or ()
    count = values.get("count") or max(1, len(of))
    if of and count > len(of):
        faults.append(Fault(f"{place}.count", f"found {count}, but of names {len(of)}"))
    return Chosen(kind, of, count, values.get("points"), values.get("blanks"), values.get("mistake"))


# ---- the values of keys --------------------------------------------------------------------


def carry(value: Any) -> str:
    """How many digits are carried: "4sf", "5dp". Raises ValueError."""
    match = re.fullmatch(r"(\d{1,2})(sf|dp)", value.strip()) if isinstance(value, str) else None
    if match is None or not 1 <= int(match[1]) <= MOST_DIGITS:
        raise ValueError(
            f'found {shown(value)}; digits to carry, "4sf" (significant) or "5dp" (decimals), from 1 to {MOST_DIGITS}, '
            "are expected"
        )
    return f"{int(match[1])}{match[2]}"


def _blanks(value: Any) -> Blanks:
    if isinstance(value, str):
        if value not in BLANKS:
            raise ValueError(f"{unknown(value, BLANKS)}; or a number from 0 to 1")
        return value
    share = exact(value)
    if not 0 <= share <= 1:
        raise ValueError(f"found {shown(value)}; a share from 0 to 1 is expected, or {', '.join(BLANKS)}")
    return share


def _points(value: Any) -> int:
    return _whole(value, 0, MOST_POINTS)


def _count(value: Any) -> int:
    return _whole(value, 1, MOST_EXERCISES)


def _whole(value: Any, least: int, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise ValueError(f"found {shown(value)}; a whole number from {least} to {most} is expected")
    return value


def _word(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"found {shown(value)}; text in quotes is expected")
    return value.strip()


def _names(value: Any) -> tuple[str, ...]:
    names = value if isinstance(value, list) else [value]
    if not names or len(names) > MOST_EXERCISES:
        raise ValueError(f"found {len(names)} names; from 1 to {MOST_EXERCISES} are expected")
    found = tuple(_word(each) for each in names)
    twice = next((each for row, each in enumerate(found) if each in found[:row]), "")
    if twice:
        raise ValueError(f"found {shown(twice)} twice")
    return found
