"""What a mistake is called in words: by layers where the problem has layers, else by the lines and arrays it has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from derive.program import references
from derive.verification.edit import Edit
from derive.verification.sheet import Sheet, flow
from derive.verification.steps import HandingOver, Rewriting
from derive.verification.structure import Structure
from derive.verification.text import listed

MOST_NAMED = 4
"""So many lines or arrays are named; of more, the first and how many others."""

WITHOUT_LAYERS = {
    "back_pass_wrong_layer_weights": "the delta was passed back through other weights",
    "weight_gradient_transposed": "rows and columns are exchanged",
}
"""What mistakes are called where the array is named and not the layer, if not by their own sentence."""


@dataclass(frozen=True)
class Words:
    """Puts the mistakes of one sheet in words. ``sentences``: what each is called in general."""

    sheet: Sheet
    structure: Structure
    sentences: dict[str, str]

    def told(self, edit: Edit) -> Edit:
        """The edit with its own words, where those that name its layer or its time step do not fit."""
        timeless = edit.mistake == "time_step_missing" and not self._in_time(edit)
        if self.structure.in_layers and not timeless:
            return edit
        where = self._where(edit) if edit.layer != "all" and not timeless else ""
        if self.structure.in_layers and edit.layer != "all":
            where = f"in layer {edit.layer}, "
        if timeless:
            return replace(edit, words=f"{where}{self._one_place(edit)}")
        sentence = (WITHOUT_LAYERS if where else {}).get(edit.mistake, self.sentences[edit.mistake])
        variant = edit.variant.removeprefix("within the layer: ")
        if where and edit.subject:
            variant = variant.removesuffix(f"of {edit.subject} alone").removesuffix(", ")
        if "layer" in variant or (where and variant == "in the gradients"):
            variant = ""
        return replace(edit, words=f"{where}{sentence}" + (f" ({variant})" if variant else ""))

    # ---- where -----------------------------------------------------------------------------

    def _where(self, edit: Edit) -> str:
        """In the gradients of Wo and Uo; at o1 and o2: the lines of the problem in which a mistake is made."""
        parameters, lines = self._touched(edit)
        if parameters and not lines:
            return f"in the gradient{'s' * (len(parameters) > 1)} of {_few(parameters)}, "
        return f"at {_few(lines or self._lines_of(edit.layer))}, "

    def _touched(self, edit: Edit) -> tuple[list[str], list[str]]:
        """The parameters whose gradients an edit changes, and the lines at which it changes what is passed back."""
        parameters: dict[str, None] = {}
        lines: dict[str, None] = {}
        for step in edit.steps:
            if isinstance(step, HandingOver):
                parameters.update(dict.fromkeys(step.parameters))
            for line in step.lines if isinstance(step, Rewriting) else ():
                array, target = self._flows[line]
                if array in self.structure.program.parameters and not edit.mistake.startswith("back_pass"):
                    parameters[array] = None
                else:
                    lines[_owner(target or array)] = None
        if edit.forward:
            lines |= dict.fromkeys(self._lines_of(edit.layer))
        return [each for each in self.structure.program.parameters if each in parameters], self._ordered(lines)

    @cached_property
    def _flows(self) -> dict[str, tuple[str, str]]:
        """The array of each line of the backward pass, and the equation that passes something back in it, or ""."""
        program = self.structure.program
        found = {adjoint: (array, "") for array, adjoint in self.sheet.adjoints.items()}
        for equation in program.equations:
            for name in references(equation.expression):
                found[flow(name, equation.target, program.error)] = name, equation.target
        return found

    def _lines_of(self, layer: object) -> list[str]:
        """The problem's lines that read the weights and biases of a layer."""
        read = [each.target for each in self.structure.affine if each.layer == layer]
        read += [each.target for each in self.structure.biases if each.layer == layer]
        return self._ordered({_owner(target) for target in read})

    def _ordered(self, lines: dict[str, None] | set[str]) -> list[str]:
        return [each for each in self.structure.program.definitions if each in lines] or sorted(lines)

    # ---- time ------------------------------------------------------------------------------

    def _in_time(self, edit: Edit) -> bool:
        """Are the places where its weights are read time steps? The same product, each of them after the one before."""
        layers = self.structure.layers if edit.layer == "all" else (edit.layer,)
        return any(layer in self._layers_in_time for layer in layers)

    @cached_property
    def _layers_in_time(self) -> frozenset[int]:
        variables = self.structure.program.variables
        found = {v.place.layer for v in variables.values() if v.place is not None and v.place.time}
        read: dict[tuple[str, int | None], list[str]] = {}
        for each in self.structure.affine:
            read.setdefault((each.weight, each.unit_axis), []).append(each.target)
        for (weight, _), targets in read.items():
            if len(targets) > 1 and targets[0] in self._before(targets[-1]):
                found.add(self.structure.layer_of[weight])
        return frozenset(found)

    def _before(self, target: str) -> set[str]:
        """All arrays that one is computed from."""
        needed = {target}
        for equation in reversed(self.structure.program.equations):
            if equation.target in needed:
                needed |= references(equation.expression)
        return needed

    def _one_place(self, edit: Edit) -> str:
        """What is missing from the gradient of weights that are read at places which are no time steps."""
        touched = [self._flows[line] for step in edit.steps if isinstance(step, Rewriting) for line in step.lines]
        parameters = [each for each in self.structure.program.parameters if each in {array for array, _ in touched}]
        at = _few(self._ordered({_owner(target) for _, target in touched}))
        if not parameters:
            return f"nothing is passed back from {at} to {_few(self._ordered({_owner(array) for array, _ in touched}))}"
        are, their = ("is", "its gradient") if len(parameters) == 1 else ("are", "their gradients")
        return f"one of the places where {_few(parameters)} {are} read is missing from {their} (that in {at})"


def _owner(target: str) -> str:
    """The array as the problem knows it: parts of its equation are written with a dot behind it."""
    return target.partition(".")[0]


def _few(names: Sequence[str]) -> str:
    if len(names) <= MOST_NAMED:
        return listed(names)
    return f"{', '.join(names[: MOST_NAMED - 1])} and {len(names) - MOST_NAMED + 1} more"
