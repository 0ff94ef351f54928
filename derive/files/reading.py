"""Reading a problem file: from its text to a `Problem`, or to every fault in it, each with its place."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from derive.errors import Fault, ProblemError, closest, shown, unknown
from derive.files.checks import cross_check
from derive.files.equations import read_equations
from derive.files.exercises import read_exercises
from derive.files.finish import finished
from derive.files.network_tables import NetworkFile
from derive.files.numbers import NumberText
from derive.files.tables import NOT_YET, TABLES, EitherFile, EquationsFile, ProblemFile
from derive.files.vary import read_vary, resolved
from derive.problem import Problem

MAX_FAULTS = 20

Address = tuple[str | int, ...]

# What stands in for a faulty key that is needed, while the rest of the file is looked at.
STAND_INS: dict[Address, object] = {
    ("examples", "inputs"): 1,
    ("examples", "targets"): 1,
    ("initial", "seed"): 0,
    ("loss",): {"name": "half_squared_error"},
    ("loss", "name"): "half_squared_error",
    ("update", "learning_rate"): 1,
    ("published", "name"): "E",
    ("published", "value"): "0",
}


def parse(text: str, source: str, format: str) -> dict[str, Any]:
    """The tables written in ``text`` ("toml" or "json"), numbers with a point or a power as `NumberText`."""
    if not text.strip("\ufeff \t\r\n"):
        raise ProblemError("is empty; `chainrule new FILE` writes a problem file to start from", source)
    language = format.upper()
    try:
        data = tomllib.loads(text, parse_float=NumberText) if format == "toml" else _parse_json(text)
    except RecursionError:
        raise ProblemError(f"is nested too deeply for {language}", source) from None
    except ValueError as error:  # both decoders' errors, and integers that Python declines to read
        raise ProblemError(f"is not {language}: {error}", source) from None
    if not isinstance(data, dict):
        raise ProblemError(f"found {shown(data)}; a table with the keys of a problem is expected", source)
    return data


def _parse_json(text: str) -> object:
    def whole(digits: str) -> int | NumberText:
        return int(digits) if len(digits) < 4000 else NumberText(digits)

    def table(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in pairs:
            if key in found:
                raise ValueError(f"the key {shown(key)} stands twice in one table")
            found[key] = value
        return found

    return json.loads(text, parse_float=NumberText, parse_int=whole, parse_constant=NumberText, object_pairs_hook=table)


def plain(value: object) -> Any:
    """A Python value with dicts, lists and scalars only: tuples and NumPy arrays become lists."""
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if hasattr(value, "tolist"):
        value = value.tolist()
    return [plain(each) for each in value] if isinstance(value, list | tuple) else value


def build(data: dict[str, Any], source: str, stem: str) -> Problem:
    """The problem that the tables of a file state; `ProblemError` with all the faults that can be told."""
    form = _form(data)
    faults: list[Fault] = []
    broken: frozenset[Address] = frozenset()
    file: EitherFile | None
    problem: Problem | None = None
    try:
        file = form.model_validate(data)
    except ValidationError as error:
        details = error.errors(include_url=False)
        faults, (file, broken) = [_told(form, each) for each in details], _mended(form, data, details)
    if isinstance(file, NetworkFile):
        from derive.files.network import read_network

        problem, contradictions = read_network(file, broken, source, stem)
        faults += contradictions
    elif isinstance(file, ProblemFile):
        faults += cross_check(file, broken)
        problem = None if faults else finished(file, source, stem)
    elif isinstance(file, EquationsFile):
        problem, contradictions = read_equations(file, broken, source, stem)
        faults += contradictions
    if file is not None:
        problem, contradictions = with_variants(file, problem, bool(faults))
        faults += contradictions
    if len(faults) > MAX_FAULTS:
        faults = [*faults[:MAX_FAULTS], Fault("", f"and {len(faults) - MAX_FAULTS} more faults")]
    if faults or problem is None:
        raise ProblemError(faults, source)
    return problem


def with_variants(file: EitherFile, problem: Problem | None, spoilt: bool) -> tuple[Problem | None, list[Fault]]:
    """The problem with its [vary] and [exercises]; what they say of the network is looked at where that is sound."""
    ranges, faults = read_vary(file.vary)
    exercises, wrong = read_exercises(file.exercises)
    faults += wrong
    if problem is None or faults or spoilt:
        return problem, faults
    varied, faults = resolved(problem, ranges) if ranges else ((), [])
    return replace(problem, vary=varied, exercises=exercises), faults


def _form(data: dict[str, Any]) -> type[EitherFile]:
    """Does a file state its network in equations, or in layers? Its keys tell."""
    layered, equations = (_own_keys(form) for form in (ProblemFile, EquationsFile))
    in_equations = "equations" in data or (equations & set(data) and not layered & set(data))
    return EquationsFile if in_equations else NetworkFile if is_network(data) else ProblemFile


def is_network(data: Mapping[str, Any]) -> bool:
    """Does a file state more than dense layers on rows of numbers?"""
    layers, examples = (data.get(key) for key in ("layers", "examples"))
    types = [table.get("type", "dense") for table in _tables(layers)]
    inputs = [table.get(side) for table in _tables(examples) for side in ("inputs", "targets")]
    nested = any(isinstance(value, Mapping) or _is_nested(value) for value in inputs)
    return nested or any(isinstance(each, str) and each != "dense" for each in types)


def _tables(rows: Any) -> list[Mapping[str, Any]]:
    return [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []


def _is_nested(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], list)


def _own_keys(form: type[EitherFile]) -> set[str]:
    """The keys that only this form has."""
    other = ProblemFile if form is EquationsFile else EquationsFile
    return set(form.model_fields) - set(other.model_fields)


# ---- faults --------------------------------------------------------------------------------

_EXPECTED = {
    "int_type": "a whole number",
    "string_type": "text in quotes",
    "list_type": "a list",
    "dict_type": "a table",
    "model_type": "a table",
    "greater_than_equal": "at least {ge}",
    "less_than_equal": "at most {le}",
}


def _told(form: type[EitherFile], detail: ErrorDetails) -> Fault:
    """One of pydantic's errors in our words."""
    return Fault(_place(detail["loc"]), _message(form, detail))


def _place(address: Address) -> str:
    """``layers[1].weights[0][2]``."""
    place = ""
    for part in _keys(address):
        name = part if isinstance(part, int) or part.isidentifier() else shown(part)
        place += f"[{name}]" if isinstance(part, int) else f".{name}"
    return place.lstrip(".")


def _keys(location: Address) -> Address:
    """Pydantic's location without the names of alternatives, which follow ("examples", 0, "inputs")."""
    return (*location[:3], *(part for part in location[3:] if isinstance(part, int)))


def _message(form: type[EitherFile], detail: ErrorDetails) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    match kind:
        case "extra_forbidden":
            table, key = _table_and_key(detail["loc"])
            if key in NOT_YET.get(table, ()):
                return "is not supported by this version of chainrule"
            if not table and key in (*ProblemFile.model_fields, *EquationsFile.model_fields):
                this, other = ("equations", "layers") if form is EquationsFile else ("layers", "equations")
                return f"goes with {other}, and this problem states {this}; it cannot have both"
            return unknown(key, _known_keys(form, table), "unknown key")
        case "missing":
            return "is missing"
        case "too_short":
            return "is empty; at least one is needed"
        case "value_error":
            return str(context["error"])
        case _ if kind in _EXPECTED:
            return f"found {shown(detail['input'])}; {_EXPECTED[kind].format(**context)} is expected"
        case _:
            return f"found {shown(detail['input'])}; {detail['msg']}"


def _table_and_key(address: Address) -> tuple[str, str]:
    """In which table ("" at the top) a key stands."""
    return (str(address[0]) if len(address) > 1 else "", str(address[-1]))


def _known_keys(form: type[EitherFile], table: str) -> tuple[str, ...]:
    return tuple(TABLES.get(table, form).model_fields)


def _mended(
    form: type[EitherFile], data: dict[str, Any], details: list[ErrorDetails]
) -> tuple[EitherFile | None, frozenset[Address]]:
    """The file with its faulty keys left out or stood in for, and the addresses of those keys.

    What is left can be checked further, so that a user is told everything at once. None where too
    little is left for that.
    """
    rough: dict[str, Any] = {key: _opened(value) for key, value in data.items()}
    broken: set[Address] = set()
    for detail in details:
        address = _field(detail["loc"])
        table: Any = rough
        for part in address[:-1]:
            table = table[part]
        key = address[-1]
        if isinstance(key, int):  # a row that is no table
            return None, frozenset()
        if detail["type"] == "extra_forbidden":  # very likely another key, misspelt
            broken.add((*address[:-1], closest(key, _known_keys(form, _table_and_key(address)[0]))))
        broken.add(address)
        table.pop(key, None)
        stand_in = STAND_INS.get(tuple(part for part in address if isinstance(part, str)))
        if stand_in is not None and detail["type"] != "extra_forbidden":
            table[key] = stand_in
    try:
        return form.model_validate(rough), frozenset(broken)
    except ValidationError:
        return None, frozenset()


def _opened(value: object) -> object:
    """A copy of a table, or of a list of tables, that may be changed."""
    if isinstance(value, list):
        return [_opened(each) if isinstance(each, dict) else each for each in value]
    return dict(value) if isinstance(value, dict) else value


def _field(location: Address) -> Address:
    """The address of the key of a table under which a fault lies: ("layers", 1, "weights")."""
    address = _keys(location)
    if address[0] not in TABLES:
        return address[:1]
    return address[: 3 if len(address) > 1 and isinstance(address[1], int) else 2]
