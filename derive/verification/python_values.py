"""Gradients as Python holds them: by name, as a flat vector, as a tuple of arrays; and how precise their types are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import sympy
from numpy.typing import NDArray

from derive.derivation import Derivation
from derive.errors import shown
from derive.program import Program
from derive.verification import precision as precisions
from derive.verification.csv_lines import HandedError
from derive.verification.handed import SECTIONS
from derive.verification.precision import Precision

PLACE = "gradient"
"""What messages call the argument."""

PRECISIONS = {name: Precision(name) for name in precisions.UNIT}
"""What a type says about every number of it, and about every step on the way to it."""

NUMBER = re.compile(r"\s*[-+\u2212]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*")
NOT_FINITE = re.compile(r"\s*[-+\u2212]?(nan|inf(inity)?)\s*", re.IGNORECASE)


@dataclass
class Found:
    """What stood in the values: types of arrays, digits of texts and Decimals, and whether there were formulas."""

    types: set[str] = field(default_factory=set)
    texts: list[str] = field(default_factory=list)
    formulas: bool = False

    @property
    def precision(self) -> Precision | None:
        """The precision that the types tell, the coarsest of several; None where only digits can tell it."""
        known = self._precisions
        return max(known, key=_coarseness) if self.types else None

    @property
    def several(self) -> str:
        """A note where numbers of several precisions came together; "" where they did not."""
        names = [str(each) for each in sorted(self._precisions, key=_coarseness)]
        if not self.types or len(names) < 2:
            return ""
        return (
            f"the numbers are of several precisions ({', '.join(names)}): all are judged by {names[-1]}, the coarsest"
        )

    @property
    def _precisions(self) -> set[Precision]:
        texts = {precisions.told(self.texts)} if self.texts else set()
        return {PRECISIONS[name] for name in self.types} | texts


def _coarseness(precision: Precision) -> Fraction:
    """The relative rounding of a number; decimals and ± know none, and go before all others."""
    if precision.kind == "sf":
        return Fraction(10) ** (1 - precision.places) / 2
    return precisions.UNIT.get(precision.kind, Fraction(1))


def named(gradient: Any, derivation: Derivation) -> tuple[dict[str, Any], Found]:
    """Numbers or formulas by name, ready for `handed.of_mapping`, and what they are. Raises HandedError."""
    found = Found()
    program = derivation.program
    if isinstance(gradient, Mapping) and not hasattr(gradient, "shape"):
        by_name = {str(name): _named(str(name), value, program, found) for name, value in gradient.items()}
    else:
        by_name = _in_order(plain(gradient, found), program)
    return by_name, found


def _named(name: str, value: Any, program: Program, found: Found) -> Any:
    if name in SECTIONS and isinstance(value, Mapping) and not hasattr(value, "shape"):
        return {str(inner): _named(str(inner), each, program, found) for inner, each in value.items()}
    given = plain(value, found)
    one = isinstance(given, np.ndarray) and given.size == 1
    return given.reshape(-1)[0] if one and name in program.variables and program.shape(name) == () else given


# ---- one value -----------------------------------------------------------------------------


def plain(value: Any, found: Found) -> Any:
    """A value as NumPy and Python have it, with each number's own precision kept; what it is goes into ``found``."""
    if isinstance(value, str | Decimal | Fraction | sympy.Basic | sympy.MatrixBase):
        return _exact(value, found)
    if isinstance(value, Mapping) and hasattr(value, "shape"):  # elements that are made when they are asked for
        array = np.empty(value.shape, dtype=object)
        for index in value:
            array[index] = plain(value[index], found)
        return array
    if isinstance(value, list | tuple):
        return [plain(each, found) for each in value]
    for step in ("detach", "cpu"):
        value = getattr(value, step)() if hasattr(value, step) else value
    if str(getattr(value, "dtype", "")) == "torch.bfloat16":
        found.types.add("bfloat16")
        value = value.float()
        return _array(np.asarray(value), None)
    if isinstance(value, np.ndarray | np.generic) or hasattr(value, "__array__"):
        return _array(np.asarray(value), found)
    return value


def _exact(value: Any, found: Found) -> Any:
    """What has digits, or is exact, or a formula."""
    if isinstance(value, sympy.Rational):
        value = Fraction(int(value.p), int(value.q))
    if isinstance(value, Fraction):
        found.types.add("float64")
        return value
    if isinstance(value, sympy.Float):
        value = str(value)
    if isinstance(value, str | Decimal):
        text = str(value)
        if NUMBER.fullmatch(text):
            found.texts.append(text.strip().replace("\u2212", "-"))
        found.formulas |= isinstance(value, str) and not NUMBER.fullmatch(text) and not NOT_FINITE.fullmatch(text)
        return value
    found.formulas = True
    return value


def _array(array: NDArray[Any], found: Found | None) -> Any:
    """An array's numbers; its type is noted. Those of float32 stay such, so that they are shown as they are printed."""
    name = array.dtype.name
    if name == "object":
        values: list[Any] = [plain(each, found or Found()) for each in array.reshape(-1)]
    elif array.dtype.kind in "US":
        values = [plain(str(each), found or Found()) for each in array.reshape(-1)]
    else:
        if name == "bfloat16":
            array = array.astype(np.float32)
        if found is not None and (array.dtype.kind in "iuf"):
            found.types.add(name if name in PRECISIONS else "float64")
        if array.dtype.kind != "f" or array.dtype.itemsize >= np.dtype(np.float64).itemsize:
            return array if array.ndim else array[()]
        values = list(array.reshape(-1))
    result = np.empty(len(values), dtype=object)
    result[:] = values
    return result.reshape(array.shape) if array.ndim else values[0]


# ---- values without names ------------------------------------------------------------------


def _in_order(values: Any, program: Program) -> dict[str, Any]:
    """A flat vector, or one array for each parameter, by name; the error may stand in front. Raises HandedError."""
    names = program.parameters
    sizes = [int(np.prod(program.shape(name))) for name in names]
    if isinstance(values, list) and len(values) == 2 and _size(values[0]) == 1 < _size(values[1]) and sizes[0] != 1:
        return {"error": values[0]} | _in_order(values[1], program)
    if isinstance(values, list) and len(values) == len(names) and any(_size(each) > 1 for each in values):
        return dict(zip(names, values, strict=True))
    flat = list(_elements(values))
    if len(flat) == sum(sizes):
        found, start = {}, 0
        for name, size in zip(names, sizes, strict=True):
            part = np.empty(size, dtype=object)
            part[:] = flat[start : start + size]
            found[name] = part.reshape(program.shape(name)) if program.shape(name) else part[0]
            start += size
        return found
    listed = ", ".join(names)
    what = f"{len(flat)} numbers" if isinstance(values, list | np.ndarray) else shown(values)
    raise HandedError(
        f"{PLACE}: found {what}; expected the gradients by name, or a flat vector of {sum(sizes)} numbers "
        f"({listed} end to end), or {len(names)} arrays in this order"
    )


def _size(value: Any) -> int:
    return sum(1 for _ in _elements(value))


def _elements(value: Any) -> Iterator[Any]:
    if isinstance(value, np.ndarray):
        yield from value.reshape(-1)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for each in value:
            yield from _elements(each)
    else:
        yield value


# ---- formulas ------------------------------------------------------------------------------


def formulas_by_name(by_name: Mapping[str, Any]) -> dict[str, Any]:
    """Formulas as `formulas.of_mapping` takes them: arrays of them as their elements, matrices as they are."""
    found: dict[str, Any] = {}
    for name, value in by_name.items():
        given = np.asarray(value, dtype=object) if isinstance(value, list) else value
        if isinstance(given, np.ndarray) and given.ndim == 2:
            found[name] = sympy.Matrix(given.tolist())
        elif isinstance(given, np.ndarray):
            for index in np.ndindex(*given.shape):
                found[f"{name}[{', '.join(map(str, index))}]"] = given[index]
        elif isinstance(given, Fraction):
            found[name] = sympy.Rational(given.numerator, given.denominator)
        else:
            found[name] = given
    return found
