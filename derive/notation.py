"""The names of a program's scalars and arrays in a notation, and the way back from a name.

How a notation writes each role is a row in `derive.notations`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product

import sympy

from derive.errors import ChainruleError, unknown
from derive.formula import Name
from derive.notations import NOTATIONS, Notation, placed
from derive.notations.placed import array_element
from derive.notations.row import FIELD, filled
from derive.notations.spelling import scripts
from derive.plain import plain_name, printed_name
from derive.program import Program, Variable

__all__ = ["NOTATIONS", "Names", "Notation", "UnknownNameError", "array_element", "plain_name"]

Index = tuple[int, ...]
Place = tuple[str, Index]

AXES = {"weight": 2, "bias": 1, "shared_bias": 0, "error": 0}
"""How many axes the arrays of a role have in a layered network; the others have two, examples and units."""


class UnknownNameError(ChainruleError, KeyError):
    """A scalar that the problem does not have."""

    def __str__(self) -> str:
        return str(self.args[0])


@dataclass(frozen=True)
class Names:
    """The names of every element of a program's arrays in a notation, and the way back."""

    program: Program
    notation: Notation

    def element(self, array: str, index: Index, example: str | None = None) -> Name:
        """How one element is written; ``example`` stands for its own ("n" for any, "" for none)."""
        variable = self.program.variables[array]
        template = self._template(variable)
        if template is None:
            return self._other(variable, index, example)
        return self._filled(template, variable, index, example)

    def delta(self, array: str, index: Index, example: str | None = None) -> Name:
        """How the delta of a net input is written, ∂E/∂net."""
        variable = self.program.variables[array]
        template = self.notation.element("output_delta" if self.is_last(variable.layer) else "delta")
        if template is None or len(index) != 2:
            own = self._other(variable, index, example)
            return Name("delta", own.sub, own.sup, typed=f"delta_{plain_name(own)}")
        return self._filled(template, variable, index, example)

    def array(self, array: str) -> Name:
        """How a whole array is written in the matrix form."""
        variable = self.program.variables[array]
        template = self.notation.array(self._role(variable), several=_several(variable))
        return self._other(variable, ()) if template is None else filled(template, _layer_fields(variable))

    def array_delta(self, array: str) -> Name:
        """How a whole layer's delta is written in the matrix form."""
        variable = self.program.variables[array]
        role = "output_delta" if self.is_last(variable.layer) else "delta"
        template = self.notation.array(role, several=_several(variable))
        return Name("delta", array) if template is None else filled(template, _layer_fields(variable))

    def gradient(self, name: Name) -> Name | None:
        """The short name of a parameter's gradient, dW, where the notation has one."""
        prefix = self.notation.gradient
        return replace(name, base=f"{prefix}{name.base}", typed="") if prefix else None

    def unit(self, array: str, index: Index) -> Name | None:
        """How the unit of a net input or activation is called, h1 or o2; None where it has no name of its own."""
        variable = self.program.variables[array]
        template = self.notation.elements.get("output_unit" if self.is_last(variable.layer) else "unit")
        return None if template is None else filled(template, self._fields(variable, index, ""))

    def is_last(self, layer: int) -> bool:
        """Whether a layer is the last one, whose units are the outputs."""
        return layer == self._last

    def symbol(self, array: str, index: Index) -> sympy.Symbol:
        """The SymPy symbol of one element, by the name that the notation types; no two are the same."""
        return sympy.Symbol(self.typed[array, index])

    def find(self, name: str) -> tuple[str, Index | None]:
        """The array and index of a name: ``w5``, ``W2[0, 0]``, ``W2`` (the whole array: index None).

        Scripts may stand in any order: ``w^2_11`` and ``w_11^2`` are the same. Raises UnknownNameError with
        the nearest name.
        """
        if name in self.program.variables:
            return name, None
        if bracketed := re.fullmatch(r"(\w+)\s*\[\s*((?:\d+\s*,\s*)*(?:\d+\s*)?)\]", name):
            array = bracketed[1]
            index = tuple(int(part) for part in bracketed[2].split(",") if part.strip())
            if array in self.program.variables and _within(index, self.program.shape(array)):
                return array, index
        if name in self._by_name:
            return self._by_name[name]
        for names in (self._by_scripts, self._by_print):
            if (found := names.get(scripts(name))) is not None:
                return found
        raise UnknownNameError(
            f"no quantity of that name: {unknown(name, dict.fromkeys([*self.program.variables, *self._by_name]))}"
        )

    @cached_property
    def typed(self) -> dict[Place, str]:
        """The name by which each element is typed, all of them different.

        Where two elements would have the same, or one has an array's name, the later one goes by its index.
        """
        found: dict[Place, str] = {}
        taken: set[str] = set()
        for array, variable in self.program.variables.items():
            for index in _indices(variable.shape):
                name = plain_name(self.element(array, index))
                if name in taken or (name in self.program.variables and (name, ()) != (array, index)):
                    name = f"{array}[{', '.join(map(str, index))}]" if index else array
                taken.add(name)
                found[array, index] = name
        return found

    @cached_property
    def _by_name(self) -> dict[str, Place]:
        return {name: place for place, name in self.typed.items()}

    @cached_property
    def _by_scripts(self) -> dict[str, tuple[str, Index | None] | None]:
        """The same names in every order of their scripts, and the arrays by their names; None where two would meet."""
        found: dict[str, tuple[str, Index | None] | None] = {}
        for array, variable in self.program.variables.items():
            if self._template(variable) is not None:
                for index in _indices(variable.shape):
                    key = scripts(plain_name(self.element(array, index)))
                    found[key] = None if key in found else (array, index)
        for array in self.program.variables:
            found.setdefault(scripts(plain_name(self.array(array))), (array, None))
        return found

    @cached_property
    def _by_print(self) -> dict[str, Place | tuple[str, None] | None]:
        """The arrays of layers and of equations, and their elements, by what is printed of them."""
        found: dict[str, Place | tuple[str, None] | None] = {}
        for array, variable in self.program.variables.items():
            if self._template(variable) is None:
                for index in _indices(variable.shape):
                    key = scripts(printed_name(self.element(array, index)))
                    found[key] = None if key in found else (array, index)
        for array in self.program.variables:
            found.setdefault(scripts(printed_name(self.array(array))), (array, None))
        return found

    @cached_property
    def _numbered(self) -> frozenset[str]:
        """The arrays of layers whose layer is told: several have the letter, or a name would meet another."""
        rows = [v for v in self.program.variables.values() if v.place is not None and self._template(v) is None]
        if self.notation.marks.place == "base":
            return frozenset(variable.name for variable in rows)
        letters = {variable.name: placed.letter(variable, self.notation) for variable in rows}
        taken = self._printed({letter.base for letter in letters.values()})
        groups: dict[placed.Letter | None, list[Variable]] = {}
        for variable in rows:
            groups.setdefault(letters[variable.name], []).append(variable)
            if variable.like and not letters[variable.name].part:
                groups.setdefault(None, []).append(variable)  # what is there in every layer of units goes together
        told: set[str] = set()
        for letter, group in groups.items():
            layers = {variable.place.layer for variable in group if variable.place is not None}
            layers |= set() if letter else self._layers_of_units({letters[v.name].base for v in group})
            if len(layers) > 1:
                told |= {variable.name for variable in group}
        met = {letters[v.name].base for v in rows if self._meets(v, taken)}
        return frozenset(told | {name for name, letter in letters.items() if letter.base in met})

    def _layers_of_units(self, letters: set[str]) -> set[int]:
        """The layers of units whose net inputs or activations have one of these letters."""
        return {
            variable.layer
            for role in ("net", "activation")
            for variable in self.program.by_role(role)
            if (template := self.notation.elements.get(role)) is not None and FIELD.sub("", template.base) in letters
            if variable.layer
        }

    def _printed(self, bases: set[str]) -> set[str]:
        """What is printed of the arrays of units whose names begin with one of these letters."""
        return {
            scripts(printed_name(self.element(array, index)))
            for array, variable in self.program.variables.items()
            if (template := self._template(variable)) is not None and template.base in bases
            for index in _indices(variable.shape)
        }

    def _meets(self, variable: Variable, taken: set[str]) -> bool:
        """Whether a name would be taken for another, commas aside: b_o,1 for b_o1."""
        names = (placed.name(variable, at, self.notation, layer=False) for at in _indices(variable.shape))
        return bool(taken) and any(scripts(printed_name(name)) in taken for name in names)

    @cached_property
    def _weights_before(self) -> dict[str, int]:
        counts, total = {}, 0
        for variable in self.program.by_role("weight"):
            if variable.layer:  # what belongs to no dense layer has a name of its own
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

    @cached_property
    def _last(self) -> int:
        return max(self._units_before, default=0)

    def _role(self, variable: Variable) -> str:
        """The role as a notation knows it: the last layer's quantities may have names of their own."""
        role = variable.role
        if variable.layer == 0 and role in ("weight", "bias", "net", "activation"):
            return "array"  # of a user's own equations: it has a name already
        if role == "bias" and not variable.shape:
            return "shared_bias"
        if self.is_last(variable.layer) and role in ("net", "activation"):
            return "output_net" if role == "net" else "output"
        return role

    def _template(self, variable: Variable) -> Name | None:
        """The notation's row for the elements of an array of units; None for any other array."""
        role = self._role(variable)
        return self.notation.element(role) if len(variable.shape) == AXES.get(role, 2) else None

    def _other(self, variable: Variable, index: Index, example: str | None = None) -> Name:
        """The name of an array that no row names: as its layer has it, or as its user."""
        if variable.place is not None or variable.like:
            told = variable.name in self._numbered
            return placed.name(variable, index, self.notation, layer=told, example=example)
        array = variable.name
        name = array_element(array, index)
        if self.notation.example.place != "at":
            return name
        return Name(f"{array}[{','.join(map(str, index))}]" if index else array, style="code", typed=name.typed)

    def _filled(self, template: Name, variable: Variable, index: Index, example: str | None) -> Name:
        if not _several(variable):
            return filled(template, self._fields(variable, index, ""))
        number = str(index[0] + 1) if example is None else example
        at = str(index[0]) if example is None else example or ":"
        return self.notation.example.on(filled(template, self._fields(variable, index, at)), number)

    def _fields(self, variable: Variable, index: Index, at: str) -> dict[str, str]:
        """What stands in the braces; ``at`` is the example as code has it, "" where there is one only."""
        fields = _layer_fields(variable)
        if not index:
            return fields
        row, column = str(index[0] + 1), str(index[-1] + 1)
        fields |= {"row": row, "column": column, "at": f"{at},{index[-1]}" if at else str(index[-1])}
        if variable.role == "weight":
            place = index[0] * variable.shape[-1] + index[-1]
            fields["count"] = str(self._weights_before[variable.name] + place + 1)
            fields["indices"] = f"{row}{column}" if max(variable.shape) < 10 else f"{row},{column}"
            fields["at"] = f"{index[0]},{index[-1]}"
            return fields
        hidden = self._units_before.get(variable.layer, 0) + index[-1] + 1
        output = self.is_last(variable.layer) or variable.role in ("target", "output_error")
        return fields | {"hidden": str(hidden), "unit": f"o{column}" if output else f"h{hidden}"}


def _several(variable: Variable) -> bool:
    return variable.per_example and variable.shape[0] > 1


def _layer_fields(variable: Variable) -> dict[str, str]:
    return {"layer": str(variable.layer), "level": str(variable.layer + 1)}


def _within(index: Index, shape: Index) -> bool:
    return len(index) == len(shape) and all(i < size for i, size in zip(index, shape, strict=True))


def _indices(shape: tuple[int, ...]) -> Iterator[Index]:
    return product(*(range(size) for size in shape))
