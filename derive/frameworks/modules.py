"""A framework's module checked: its state beside the problem's parameters, its gradient at every point."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from derive.derivation import Derivation, differentiate
from derive.frameworks import tensors
from derive.frameworks.layouts import Numbers, Pair, State, own_digits, paired
from derive.frameworks.tensors import Operations, Tensor
from derive.program import Expression, Map, Ref, Softmax
from derive.verification.runner import Found, Task, UserError, written
from derive.verification.structure import Structure

Error = Callable[[Tensor, Mapping[str, Tensor]], Tensor]
"""The error of outputs; a penalty is of the states themselves, by name, where the framework can differentiate these."""


class Module(Protocol):
    """What is asked of a framework; ``unit`` is that of the weights' type, ``kind`` the type it computes in."""

    operations: Operations
    unit: float
    kind: str
    notes: list[str]

    def states(self) -> list[State]:
        """The arrays that it learns, in order."""

    def outputs(self, x: Numbers) -> Numbers:
        """What the module makes of inputs. Raises UserError."""

    def tensor(self, array: Numbers) -> Tensor:
        """Numbers of the module's own type."""

    def gradients(self, x: Numbers, error: Error) -> tuple[Numbers, dict[str, Numbers]]:
        """The error of the outputs, and its derivative by every state."""

    def own_error(self) -> Callable[[Tensor, Tensor], Tensor] | None:
        """The loss that the module brings along, or None."""


@dataclass(frozen=True)
class Checked:
    """A module beside a problem: which state is which parameter, and what it gives for inputs.

    ``put``: the states in whose place the problem's numbers are put at its own point.
    """

    task: Task
    module: Module
    derivation: Derivation
    pairs: Sequence[Pair]
    put: Sequence[Pair]

    def at(self, number: int) -> dict[str, Numbers]:
        """The error and the gradients at a point."""
        point = self.task.points[number]
        for pair in self.pairs if number else self.put:
            pair.state.write(pair.theirs(np.asarray(point[pair.parameter])))
        error, by_state = self.module.gradients(point["x"], self.error(point))
        held = {p.parameter: p.gradient(by_state[p.state.name]) for p in self.pairs if p.state.name in by_state}
        return {self.derivation.program.error: error, **held}

    def error(self, point: Mapping[str, Numbers]) -> Error:
        """The error as a function of the outputs, in the framework's own operations."""
        module, program = self.module, self.derivation.program
        target = module.tensor(point["t"]) if "t" in point else None
        own = module.own_error()
        if own is not None:
            return lambda outputs, live: own(outputs, target)
        start = self.output
        given = {name: module.tensor(array) for name, array in point.items() if name not in self.task.parameters}
        equations = tensors.error_from(program, start)

        def error(outputs: Tensor, live: Mapping[str, Tensor]) -> Tensor:
            shaped = module.operations.reshape(outputs, program.shape(start))
            own = {p.parameter: self._ours(p, live[p.state.name]) for p in self.pairs if p.state.name in live}
            return tensors.computed(equations, {**given, **own, start: shaped}, module.operations)[program.error]

        return error

    def _ours(self, pair: Pair, tensor: Tensor) -> Tensor:
        """A state as the problem has it, still the framework's to differentiate."""
        do = self.module.operations
        if pair.shared:
            return do.reshape(tensor, (-1,))[0]
        return do.reshape(do.transpose(tensor, (1, 0)) if pair.turned else tensor, pair.shape)

    @cached_property
    def output(self) -> str:
        """The array that the module's outputs are: the problem's outputs, or their net input where that is nearer."""
        program, x = self.derivation.program, self.task.points[0]["x"]
        (output,) = Structure(program).outputs[:1] or ("",)
        if not output:
            raise UserError("this problem compares no outputs with targets: no module can be checked by it")
        found = self.module.outputs(x)
        if found.size != int(np.prod(program.shape(output))):
            raise UserError(f"gives outputs of shape {found.shape}; {program.shape(output)} are expected")
        if not self.derivation.has_numbers:
            return output
        near = max(1e-3, own_digits(self.module.unit))
        own = [pair for pair in self.pairs if pair not in self.put]
        if not all(pair.same(np.asarray(self.task.points[0][pair.parameter]), near) for pair in own):
            return output
        candidates = [output, *_before(program.definitions[output])]
        far = {name: _far(found, self.derivation.values[name]) for name in candidates}
        return min(candidates, key=lambda name: (far[name] > 0.01 * far[output], far[name]))


def _before(expression: Expression) -> tuple[str, ...]:
    """The net input of an activation that losses are often given without (softmax, the logistic function)."""
    match expression:
        case Softmax(Ref(name)):
            return (name,)
        case Map(formula, (_,), (Ref(name),)) if "logistic" in str(formula):
            return (name,)
    return ()


def _far(found: Numbers, wanted: Any) -> float:
    return float(np.max(np.abs(found.reshape(-1) - np.asarray(wanted).reshape(-1)), initial=0.0)) + 1e-300


def run(task: Task, module: Module) -> Found:
    """What the parent is told of a module: its gradients at each point, notes, what its layout says."""
    derivation = differentiate(task.problem)
    if "x" not in derivation.program.variables:
        raise UserError("is a module, which takes inputs; this problem has no array x of inputs")
    states = module.states()
    own = {name: task.points[0][name] for name in task.parameters if name in task.points[0]}
    pairs = paired(own, states, own_digits(module.unit))
    notes, put, same = beside(own, states, pairs, module.unit)
    checked = Checked(task, module, derivation, pairs, put)
    found: Found = {"points": [], "takes": ["x", *(p.parameter for p in pairs)]}
    for number in range(len(task.points) if same else 1):
        found["points"].append(written(checked.at(number), module.kind))
    found["diagnosis"] = layout_of(derivation, pairs)
    if module.own_error() is not None:
        notes.append("the loss is the module's own")
    found["notes"] = [*module.notes, *notes]
    return found


def _square(pair: Pair) -> bool:
    return pair.shape == pair.shape[::-1]


def _check_pairs(own: Mapping[str, Numbers], states: Sequence[State], pairs: Sequence[Pair]) -> None:
    """Raise UserError where a weight of the problem is nowhere in the module."""
    held = {pair.parameter for pair in pairs}
    missing = [name for name, value in own.items() if name not in held and value.ndim > 1]
    if missing or not pairs:
        theirs = ", ".join(f"{s.name} ({_shape(s.shape)})" for s in states) or "nothing that is learned"
        ours = ", ".join(f"{name} ({_shape(value.shape)})" for name, value in own.items())
        raise UserError(f"holds {theirs}; the problem has {ours}: by order and shape they do not go together")


def _shape(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape)) or "one number"


def beside(
    own: Mapping[str, Numbers], states: Sequence[State], pairs: Sequence[Pair], unit: float
) -> tuple[list[str], Sequence[Pair], bool]:
    """What is said of the module's numbers, in whose place the problem's are put, whether they are the same.

    Numbers that are all others are an initialisation, and the problem's are put in; where some weights are the
    problem's, the others are meant to be, and stay as they are. Those that are the problem's but for a rounding that
    is coarser than the module's type give way to the problem's, and nothing need be said of it. Raises UserError where
    a weight is nowhere.
    """
    _check_pairs(own, states, pairs)
    notes = []
    for pair in pairs:
        if pair.turned:
            how = "transposed" if _square(pair) else "with a row per incoming value"
            notes.append(f"{pair.state.name} holds {pair.parameter} {how}")
    same = [pair for pair in pairs if pair.same(np.asarray(own[pair.parameter]), own_digits(unit))]
    other = [pair for pair in pairs if pair not in same]
    extra = [s.name for s in states if s.name not in {p.state.name for p in pairs}]
    if extra:
        notes.append(f"{', '.join(extra)}: the problem has no such parameter")
    if lacking := [name for name in own if name not in {p.parameter for p in pairs}]:
        notes.append(f"the module has no {', '.join(lacking)}")
    weights = [pair for pair in same if len(pair.shape) > 1]
    if other and not weights:
        notes.append("the module's own weights are not the problem's; the problem's were put in")
        return notes, pairs, True
    notes += [_difference(pair, np.asarray(own[pair.parameter])) for pair in other]
    rounded = [pair for pair in same if not pair.same(np.asarray(own[pair.parameter]), 8 * unit)]
    return notes, rounded, not other


def _difference(pair: Pair, value: Numbers) -> str:
    """The first number of a state that is not the problem's."""
    found, wanted = pair.state.read(), np.asarray(pair.theirs(value))
    at = np.unravel_index(int(np.argmax(np.abs(found - wanted))), found.shape)
    place = f"[{', '.join(map(str, at))}]" if at else ""
    return f"{pair.state.name} is not {pair.parameter}: {pair.state.name}{place} is {found[at]!s}, not {wanted[at]:g}"


def layout_of(derivation: Derivation, pairs: Sequence[Pair]) -> list[dict[str, Any]]:
    """The explanations that the layout of square matrices suggests; told where the numbers come out wrong."""
    layers = Structure(derivation.program).layer_of
    return [
        {
            "mistake": ["layout_transposed", layers.get(pair.parameter, "all")],
            "words": f"{pair.state.name} holds {pair.parameter} with rows and columns exchanged.",
        }
        for pair in pairs
        if pair.turned and _square(pair)
    ]
