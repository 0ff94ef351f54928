"""One ``[[layers]]`` table of any type: its keys by the type's row, its arrays exactly, all faults placed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from derive.errors import Fault, nearest, shown, unknown
from derive.files.arrays import read_numbers
from derive.files.checks import constant_faults
from derive.files.numbers import exact
from derive.functions import ACTIVATIONS
from derive.layers import LAYERS, LayerType, Stated
from derive.layers.frame import CONSTANTS, REQUIRED, Key, usual_name
from derive.problem import GivenArray
from derive.program import BACK

MAX_WHOLE = 10**7
BIASES = ("shared", "per_unit")


@dataclass(frozen=True)
class ReadLayer:
    """A layer's table without faults: its type, the values of its keys, and its arrays by stem."""

    type: str
    keys: Mapping[str, Any] = field(default_factory=dict)
    arrays: Mapping[str, GivenArray] = field(default_factory=dict)

    @property
    def stated(self) -> Stated:
        """What the layer's equations are written from."""
        return Stated(self.type, self.keys, {stem: array.shape for stem, array in self.arrays.items()})


def read_layer(table: Mapping[str, Any], place: str) -> tuple[ReadLayer | None, list[Fault]]:
    """A layer's table read; None, and every fault in it, where there is one."""
    name = table.get("type", "dense")
    if not isinstance(name, str):
        return None, [Fault(f"{place}.type", f"found {shown(name)}; text in quotes is expected")]
    if name not in LAYERS:
        return None, [Fault(f"{place}.type", unknown(name, LAYERS))]
    row, faults = LAYERS[name], []
    keys: dict[str, Any] = {}
    arrays: dict[str, GivenArray] = {}
    for key, value in table.items():
        at = f"{place}.{key if key.isidentifier() else shown(key)}"
        stem = _stem(row, key, value)
        if key == "type":
            continue
        if stem is not None and stem in arrays:
            faults.append(Fault(at, "is given twice, under two names"))
        elif stem is not None:
            array, wrong = read_numbers(stem, value, at)
            faults += wrong
            arrays |= {} if array is None else {stem: array}
        elif key in row.keys:
            try:
                keys[key] = KINDS[row.keys[key].kind](row, row.keys[key], value)
            except ValueError as error:
                faults.append(Fault(at, str(error)))
        else:
            faults.append(Fault(at, unknown(key, known_keys(row), f"{name} has no key")))
    faults += _constants(row, keys, place)
    return (None if faults else ReadLayer(name, keys, arrays)), faults


def known_keys(row: LayerType) -> tuple[str, ...]:
    """The keys of a layer type's table, arrays under the name that is usual."""
    arrays = (usual_name(row, stem) for stem in row.stems if not stem.endswith(BACK))
    return tuple(dict.fromkeys(("type", *row.keys, *arrays)))


def _stem(row: LayerType, key: str, value: Any) -> str | None:
    """The stem of the array that a key gives; None where it gives none. A bias that is no word is one."""
    if key == "bias" and "b" in row.stems and not isinstance(value, str):
        return "b"
    stem = row.aliases.get(key, key)
    return stem if stem in row.stems else None


def _constants(row: LayerType, keys: Mapping[str, Any], place: str) -> Iterator[Fault]:
    if "activation" in row.keys:
        activation = keys.get("activation", row.keys["activation"].default)
        yield from constant_faults(activation, {key: keys[key] for key in CONSTANTS if key in keys}, place)


# ---- the kinds of keys ---------------------------------------------------------------------


def _whole(row: LayerType, key: Key, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not key.least <= value <= MAX_WHOLE:
        raise ValueError(f"found {shown(value)}; a whole number from {key.least} to {MAX_WHOLE} is expected")
    return value


def _pair(row: LayerType, key: Key, value: Any) -> int | tuple[int, int]:
    if not isinstance(value, list):
        return _whole(row, key, value)
    if len(value) != 2:
        raise ValueError(f"found a list of {len(value)}; a whole number or two (height and width) are expected")
    return _whole(row, key, value[0]), _whole(row, key, value[1])


def _flag(row: LayerType, key: Key, value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"found {shown(value)}; true or false is expected")
    return value


def _number(row: LayerType, key: Key, value: Any) -> Fraction:
    return exact(value)


def _word(row: LayerType, key: Key, value: Any) -> str:
    if value not in key.choices:
        raise ValueError(unknown(str(value), key.choices))
    return str(value)


def _activation(row: LayerType, key: Key, value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"found {shown(value)}; text in quotes is expected")
    if value not in ACTIVATIONS:
        raise ValueError(unknown(value, ACTIVATIONS))
    return value


def _bias(row: LayerType, key: Key, value: Any) -> str:
    if value in BIASES:
        return str(value)
    own = [stem for stem in row.stems if stem.startswith("b") and not stem.endswith(BACK)]
    numbers = "numbers" if own == ["b"] else f"numbers go under {', '.join(own)}"
    hint = f'found {shown(value)}; "per_unit" or "shared" is expected; {numbers}'
    raise ValueError("; ".join(filter(None, (hint, nearest(str(value), BIASES)))))


KINDS: dict[str, Callable[[LayerType, Key, Any], Any]] = {
    "whole": _whole,
    "pair": _pair,
    "flag": _flag,
    "number": _number,
    "word": _word,
    "activation": _activation,
    "bias": _bias,
}

# ---- the JSON schema -----------------------------------------------------------------------

_NUMBER: dict[str, Any] = {"anyOf": [{"type": "number"}, {"type": "string", "description": "a decimal"}]}


def layer_schemas() -> list[dict[str, Any]]:
    """The JSON schema of each layer type's table."""
    return [_schema(row) for row in LAYERS.values()]


def _schema(row: LayerType) -> dict[str, Any]:
    first = {"const": row.name} | ({"default": "dense"} if row.name == "dense" else {})
    properties: dict[str, Any] = {"type": first}
    properties |= {name: _key_schema(key) for name, key in row.keys.items()}
    nested = {"anyOf": [{"type": "array"}, *_NUMBER["anyOf"]], "description": "numbers, in nested lists"}
    for stem in (*row.stems, *row.aliases):
        properties[stem] = nested
    if "b" in row.stems:
        properties["bias"] = {"anyOf": [nested, {"enum": list(BIASES)}], "description": row.keys["bias"].summary}
    return {
        "title": row.name,
        "type": "object",
        "description": row.summary,
        "properties": properties,
        "required": [] if row.name == "dense" else ["type"],
        "additionalProperties": False,
    }


def _key_schema(key: Key) -> dict[str, Any]:
    whole = {"type": "integer", "minimum": key.least}
    kinds: dict[str, dict[str, Any]] = {
        "whole": whole,
        "pair": {"anyOf": [whole, {"type": "array", "items": whole, "minItems": 2, "maxItems": 2}]},
        "flag": {"type": "boolean"},
        "number": _NUMBER,
        "word": {"enum": list(key.choices)},
        "activation": {"enum": list(ACTIVATIONS)},
        "bias": {"enum": list(BIASES)},
    }
    default = key.default if isinstance(key.default, bool | int | str) and key.default is not REQUIRED else None
    return kinds[key.kind] | {"description": key.summary} | ({} if default is None else {"default": default})
