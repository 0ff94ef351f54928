"""Arrays as a user writes them: nested lists of numbers read exactly, shapes of symbols, every fault with its place."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from derive.errors import Fault, shown
from derive.files.numbers import exact
from derive.problem import GivenArray, Vector

Shape = tuple[int, ...]

MAX_AXES = 16
MAX_ELEMENTS = 10**7


def read_numbers(name: str, value: Any, place: str) -> tuple[GivenArray | None, list[Fault]]:
    """An array from nested lists of numbers; every number that is none, and where the lists are ragged."""
    numbers: list[Fraction] = []
    faults: list[Fault] = []
    shape = tuple(_lengths(value))
    if len(shape) > MAX_AXES:
        return None, [
            Fault(place, f"is nested more than {MAX_AXES} deep; an array of at most {MAX_AXES} axes is expected")
        ]
    if 0 in shape:
        return None, [Fault(place, "is empty; at least one number is expected")]
    _fill(value, shape, place, numbers, faults)
    return (None if faults else GivenArray(name, shape, tuple(numbers))), faults


def _lengths(value: Any) -> Iterator[int]:
    """The lengths of nested lists, those of the first element of each."""
    while isinstance(value, list):
        yield len(value)
        value = value[0] if value else None


def _fill(value: Any, shape: Shape, place: str, numbers: list[Fraction], faults: list[Fault]) -> None:
    if not shape and not isinstance(value, list):
        try:
            numbers.append(exact(value))
        except ValueError as error:
            faults.append(Fault(place, str(error)))
    elif not shape:
        faults.append(Fault(place, "found a list where its neighbours have a number; the lists are ragged"))
    elif not isinstance(value, list):
        faults.append(Fault(place, f"found {shown(value)}; a list of {shape[0]} is expected, like its neighbours"))
    elif len(value) != shape[0]:
        faults.append(
            Fault(place, f"found {len(value)} elements, but the first list has {shape[0]}; the lists are ragged")
        )
    else:
        for row, each in enumerate(value):
            _fill(each, shape[1:], f"{place}[{row}]", numbers, faults)


def read_symbols(name: str, value: Any, place: str) -> tuple[GivenArray | None, list[Fault]]:
    """An array of symbols from its lengths."""
    lengths = value if isinstance(value, list) else [value]
    for length in lengths:
        if not isinstance(length, int) or isinstance(length, bool):
            message = f"found {shown(length)}; a shape is a list of whole numbers, like [3, 2]; [] is a number"
            return None, [Fault(place, message)]
        if length < 1:
            return None, [Fault(place, f"found a length of {shown(length)}; lengths are at least 1")]
    if len(lengths) > MAX_AXES:
        return None, [Fault(place, f"found {len(lengths)} axes; at most {MAX_AXES} are supported")]
    if (size := math.prod(lengths)) > MAX_ELEMENTS:
        return None, [Fault(place, f"found {shown(size)} elements; at most {MAX_ELEMENTS} are supported")]
    return GivenArray(name, tuple(lengths)), []


def nested(numbers: Vector, shape: Shape) -> Any:
    """Numbers row by row as nested tuples of a shape."""
    if not shape:
        return numbers[0]
    size = len(numbers) // shape[0]
    return tuple(nested(numbers[row * size : (row + 1) * size], shape[1:]) for row in range(shape[0]))
