"""Whose array is whose: a module's state beside a problem's parameters, by value, else by order and shape.

Frameworks lay weights out differently: torch's Linear has a row per unit, as problems have; a Keras kernel has a column
per unit. Where rows and columns differ in number the shape tells; a square matrix hides it, and its values tell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[Any]

FLOAT32 = float(np.finfo(np.float32).eps)


def own_digits(unit: float) -> float:
    """How far numbers may be off that are meant to be the same, in a type of this unit.

    Most weights have been float32 before they were anything else (``.double()``), so a finer type is given no less; of
    a coarser one (bfloat16) a unit is all, or 0.40 and 0.41 would be the same.
    """
    return max(8 * FLOAT32, unit)


@dataclass(frozen=True)
class State:
    """An array of a module, rows for units: its name there, its numbers, and how others are put in.

    ``learned``: a gradient is computed for it.
    """

    name: str
    read: Callable[[], Numbers]
    write: Callable[[Numbers], None]
    learned: bool = True

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of its numbers."""
        return self.read().shape


@dataclass(frozen=True)
class Pair:
    """A problem's parameter and the state that holds it; ``turned``: rows for columns."""

    parameter: str
    shape: tuple[int, ...]
    state: State
    turned: bool = False

    @property
    def shared(self) -> bool:
        """One number in the problem, one a unit in the module."""
        return self.shape == () and self.state.shape not in ((), (1,))

    def ours(self, array: Numbers) -> Numbers:
        """A state's numbers as the problem has them."""
        if self.shared:
            return np.asarray(array.reshape(-1)[0])
        return (array.T if self.turned else array).reshape(self.shape)

    def theirs(self, array: Numbers) -> Numbers:
        """A parameter's numbers as the module has them."""
        if self.shared:
            return np.full(self.state.shape, float(array))
        return array.T if self.turned else array.reshape(self.state.shape)

    def gradient(self, array: Numbers) -> Numbers:
        """A state's gradient as the problem's parameter has it: one shared number has the sum."""
        return np.asarray(array.sum()) if self.shared else self.ours(array)

    def same(self, value: Numbers, digits: float) -> bool:
        """Does the state hold this value, to so many units of its type?"""
        return _close(self.state.read(), np.asarray(self.theirs(value)), digits)


def paired(parameters: Mapping[str, Numbers], states: Sequence[State], digits: float) -> list[Pair]:
    """The pairs of parameters and states: all by value where that is possible, else by order and shape."""
    by_value = _by_value(parameters, states, digits)
    found = by_value if by_value is not None else list(_by_order(parameters, states))
    return [_turned_by_value(pair, parameters[pair.parameter], digits) for pair in found]


def _turned_by_value(pair: Pair, value: Numbers, digits: float) -> Pair:
    """A square matrix that holds the parameter's rows as columns is taken as turned."""
    other = replace(pair, turned=not pair.turned)
    square = len(pair.shape) == 2 and pair.shape[0] == pair.shape[1]
    return other if square and not pair.same(value, digits) and other.same(value, digits) else pair


def _by_value(parameters: Mapping[str, Numbers], states: Sequence[State], digits: float) -> list[Pair] | None:
    """Each parameter with the one state that holds its numbers; None where one is held by none."""
    left = list(states)
    found = []
    for name, value in parameters.items():
        fitting = (pair for state in left if (pair := _fit(name, value, state)) is not None)
        turned = (_turned_by_value(pair, value, digits) for pair in fitting)
        own = next((pair for pair in turned if pair.same(value, digits)), None)
        if own is None:
            return None
        left.remove(own.state)
        found.append(own)
    return found


def _by_order(parameters: Mapping[str, Numbers], states: Sequence[State]) -> Iterator[Pair]:
    """The longest common sequence of parameters and states whose shapes go together."""
    names = list(parameters)
    fits = [[_fit(name, parameters[name], state) for state in states] for name in names]
    best = np.zeros((len(names) + 1, len(states) + 1))
    for i in reversed(range(len(names))):
        for j in reversed(range(len(states))):
            pair = fits[i][j]
            worth = 0.0 if pair is None else (2.0 if pair.shape == pair.state.shape else 1.5) + best[i + 1, j + 1]
            best[i, j] = max(worth, best[i + 1, j], best[i, j + 1])
    i = j = 0
    while i < len(names) and j < len(states):
        pair = fits[i][j]
        if pair is not None:
            worth = (2.0 if pair.shape == pair.state.shape else 1.5) + best[i + 1, j + 1]
            if worth == best[i, j]:
                yield pair
                i, j = i + 1, j + 1
                continue
        i, j = (i + 1, j) if best[i + 1, j] == best[i, j] else (i, j + 1)


def _fit(name: str, value: Numbers, state: State) -> Pair | None:
    """A parameter and a state whose shapes go together; None where they do not."""
    shape, there = value.shape, state.shape
    if shape == there:
        return Pair(name, shape, state)
    if len(shape) == 2 and shape[::-1] == there:
        return Pair(name, shape, state, turned=True)
    if shape == () and len(there) == 1:
        return Pair(name, shape, state)
    longer = [size for size in shape if size != 1]
    if len(shape) != len(there) and longer == [size for size in there if size != 1]:
        return Pair(name, shape, state)
    return None


def _close(found: Numbers, wanted: Numbers, digits: float) -> bool:
    if found.shape != wanted.shape:
        return False
    return bool((np.abs(found - wanted) <= digits * np.abs(wanted) + 1e-30).all())
