"""Notations: how a course writes its quantities. One row each, and nothing else changes.

A row gives a `Name` template for each role; the fields in braces are filled in for each element:
``{unit}`` (h1, h2, … through the hidden layers, o1, … for the outputs), ``{count}`` (weights
counted from 1 through all layers, row by row), ``{layer}``, ``{row}`` and ``{column}`` (both
counted from 1). Values that differ between examples carry ``example`` as a superscript.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import sympy

from derive.errors import ChainruleError, unknown
from derive.formula import Name
from derive.program import Program, Variable

Index = tuple[int, ...]


ETA = Name("eta")
ONES = Name("1", style="bold")


@dataclass(frozen=True)
class Notation:
    """How each role is written, by element and as a whole array."""

    name: str
    summary: str
    elements: dict[str, Name]
    arrays: dict[str, Name]
    delta: Name
    array_delta: Name
    learning_rate: Name = ETA
    ones: Name = ONES
    example: str = "({n})"


MAZUR = Notation(
    "mazur",
    "net_h1, out_h1, w5, E_total, as in the article that it all began with",
    elements={
        "input": Name("i", "{column}"),
        "target": Name("target", "{output}"),
        "weight": Name("w", "{count}"),
        "bias": Name("b", "{unit}"),
        "shared_bias": Name("b", "{layer}"),
        "net": Name("net", "{unit}"),
        "activation": Name("out", "{unit}"),
        "output_error": Name("E", "{output}"),
        "error": Name("E", "total"),
    },
    arrays={
        "input": Name("x", style="bold"),
        "target": Name("t", style="bold"),
        "weight": Name("W", "{layer}"),
        "bias": Name("b", "{layer}", style="bold"),
        "shared_bias": Name("b", "{layer}"),
        "net": Name("z", "{layer}", style="bold"),
        "activation": Name("a", "{layer}", style="bold"),
        "output_error": Name("e", style="bold"),
        "error": Name("E"),
    },
    delta=Name("delta", "{unit}"),
    array_delta=Name("delta", "{layer}", style="bold"),
)

PLAIN = replace(
    MAZUR,
    name="plain",
    summary="the arrays' own names and indices: z1_1, a1_1, W1_12",
    elements={
        "input": Name("x", "{column}"),
        "target": Name("t", "{column}"),
        "weight": Name("W{layer}", "{row},{column}"),
        "bias": Name("b{layer}", "{row}"),
        "shared_bias": Name("b{layer}"),
        "net": Name("z{layer}", "{column}"),
        "activation": Name("a{layer}", "{column}"),
        "output_error": Name("e", "{column}"),
        "error": Name("E"),
    },
    delta=Name("delta{layer}", "{column}"),
)

NOTATIONS: dict[str, Notation] = {row.name: row for row in (MAZUR, PLAIN)}


class UnknownNameError(ChainruleError, KeyError):
    """A scalar that the problem does not have."""

    def __str__(self) -> str:
        return str(self.args[0])


@dataclass(frozen=True)
class Names:
    """The names of every element of a program's arrays in a notation, and the way back."""

    program: Program
    notation: Notation

    def element(self, array: str, index: Index) -> Name:
        """How one element is written."""
        variable = self.program.variables[array]
        role = self._role(variable)
        if role not in self.notation.elements:
            return array_element(array, index)
        return self._filled(self.notation.elements[role], variable, index)

    def delta(self, array: str, index: Index) -> Name:
        """How the delta of a net input is written, ∂E/∂net."""
        return self._filled(self.notation.delta, self.program.variables[array], index)

    def array(self, array: str) -> Name:
        """How a whole array is written in the matrix form."""
        variable = self.program.variables[array]
        role = self._role(variable)
        return (
            _fill(self.notation.arrays[role], {"layer": str(variable.layer)})
            if role in self.notation.arrays
            else array_element(array, ())
        )

    def array_delta(self, array: str) -> Name:
        """How a whole layer's delta is written in the matrix form."""
        return _fill(self.notation.array_delta, {"layer": str(self.program.variables[array].layer)})

    def unit(self, array: str, index: Index) -> str:
        """The name of the unit that an element of a net input or activation belongs to: h1, o2."""
        return self._unit(self.program.variables[array], index[-1])

    def symbol(self, array: str, index: Index) -> sympy.Symbol:
        """The SymPy symbol of one element, by the name that the notation prints."""
        return sympy.Symbol(plain_name(self.element(array, index)))

    def find(self, name: str) -> tuple[str, Index | None]:
        """The array and index of a name: ``w5``, ``W2[0, 0]``, ``W2`` (the whole array: index None).

        Raises UnknownNameError with the nearest name.
        """
        if name in self.program.variables:
            return name, None
        if bracketed := re.fullmatch(r"(\w+)\s*\[([\d\s,]*)\]", name):
            array = bracketed[1]
            index = tuple(int(part) for part in bracketed[2].split(",") if part.strip())
            if array in self.program.variables and _within(index, self.program.shape(array)):
                return array, index
        if name in self._by_name:
            return self._by_name[name]
        raise UnknownNameError(
            f"no quantity of that name: {unknown(name, dict.fromkeys([*self.program.variables, *self._by_name]))}"
        )

    @cached_property
    def _by_name(self) -> dict[str, tuple[str, Index]]:
        return {
            plain_name(self.element(array, index)): (array, index)
            for array in self.program.variables
            for index in _indices(self.program.shape(array))
        }

    @cached_property
    def _weights_before(self) -> dict[str, int]:
        counts, total = {}, 0
        for variable in self.program.by_role("weight"):
            counts[variable.name] = total
            total += math.prod(variable.shape)
        return counts

    @cached_property
    def _units_before(self) -> dict[int, int]:
        """Hidden units counted through the layers; the last layer's units are outputs."""
        counts, total = {}, 0
        for variable in self.program.by_role("net"):
            counts[variable.layer] = total
            total += variable.shape[-1]
        return counts

    def _unit(self, variable: Variable, number: int) -> str:
        last = max(self._units_before, default=variable.layer)
        if variable.layer == last or variable.role in ("target", "output_error"):
            return f"o{number + 1}"
        return f"h{self._units_before.get(variable.layer, 0) + number + 1}"

    def _role(self, variable: Variable) -> str:
        if variable.role == "bias" and variable.layer == 0:  # of a user's own equations: it has a name already
            return "array"
        return "shared_bias" if variable.role == "bias" and not variable.shape else variable.role

    def _filled(self, template: Name, variable: Variable, index: Index) -> Name:
        fields = {"layer": str(variable.layer)}
        if index:
            fields |= {"row": str(index[0] + 1), "column": str(index[-1] + 1)}
            fields["unit"] = fields["output"] = self._unit(variable, index[-1])
        if variable.role == "weight":
            place = index[0] * variable.shape[-1] + index[-1]
            fields["count"] = str(self._weights_before[variable.name] + place + 1)
        name = _fill(template, fields)
        if variable.per_example and variable.shape[0] > 1:
            return replace(name, sup=_substituted(self.notation.example, {"n": str(index[0] + 1)}))
        return name


_PARTS = re.compile(r"(?P<base>[^\W\d_]+)(?P<number>\d*)(?:_(?P<rest>\w+))?_*")


def array_element(array: str, index: Index) -> Name:
    """How an element of an array that a user named is written.

    It is typed as it is indexed, W[0, 0], and printed with subscripts counted from 1, W with 1,1; a number
    at the end of the name and what follows an underscore are subscripts too: theta1, W_xh.
    """
    match = _PARTS.fullmatch(array)
    base, first = (array, []) if match is None else (match["base"], [match["number"], match["rest"]])
    scripts = [*(part.replace("_", ",") for part in first if part), *(str(i + 1) for i in index)]
    typed = f"{array}[{', '.join(map(str, index))}]" if index else array
    return Name(base, ",".join(scripts), typed=typed)


def _within(index: Index, shape: Index) -> bool:
    return len(index) == len(shape) and all(i < size for i, size in zip(index, shape, strict=True))


def _indices(shape: tuple[int, ...]) -> Iterator[Index]:
    import numpy as np

    return iter(np.ndindex(*shape))


def _fill(template: Name, fields: dict[str, str]) -> Name:
    return replace(
        template,
        base=_substituted(template.base, fields),
        sub=_substituted(template.sub, fields),
        sup=_substituted(template.sup, fields),
    )


def _substituted(template: str, fields: dict[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda match: fields[match[1]], template)


def plain_name(name: Name) -> str:
    """A name as it is typed: w5, net_h1, net_h1(2) for the second example, W[0, 0]."""
    if name.typed:
        return name.typed
    sub = name.sub if not name.sub or (name.sub[0].isdigit() and len(name.base) == 1) else f"_{name.sub}"
    return f"{name.base}{sub}{name.sup}"
