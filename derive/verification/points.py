"""A point at which a gradient is checked: the values there, the sheet, and the numbers that were handed over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import flint
import numpy as np
from flint import fmpq
from numpy.typing import NDArray

from derive import optimizers
from derive.digits import Exact, ends, significant
from derive.evaluate import balls, revised, rounding
from derive.evaluate import floats as numbers
from derive.evaluate.balls import FIRST_BITS, LAST_BITS, Array
from derive.problem import Update
from derive.verification.bounds import ANYTHING, NOTHING, ZERO, Bounds, Ends, as_floats, exactly, middle, radius
from derive.verification.edit import Edit
from derive.verification.handed import Item
from derive.verification.mistakes import whole
from derive.verification.precision import Precision
from derive.verification.sheet import DoesNotApplyError, Sheet

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Compared:
    """An array that is compared: one of its items, the flat positions of all, and where they stand among all items."""

    example: Item
    indices: NDArray[np.intp]
    place: slice


@dataclass(frozen=True)
class Point:
    """``items`` were handed over with ``precision`` for the values ``given``."""

    sheet: Sheet
    given: dict[str, Array]
    items: tuple[Item, ...]
    precision: Precision
    update: Update | None = None

    # ---- what is compared ------------------------------------------------------------------

    def ready(self, sheet: Sheet) -> Sheet:
        """The sheet with the new weights behind it, where such were handed over."""
        wanted = self._updated
        if not wanted or self.update is None:
            return sheet
        held = optimizers.fixed(sheet.program, self.update)
        new = whole.new_value(self.update)
        lines = {f"{name}+": sheet.ref(name) if name in held else new(sheet, name) for name in wanted}
        return Sheet(sheet.program, sheet.backward, sheet.adjoints, {**sheet.finish, **lines}, sheet.results)

    @cached_property
    def _updated(self) -> tuple[str, ...]:
        """The arrays whose new values were handed over."""
        return tuple(sorted({item.scalar.array for item in self.items if item.kind == "updated"}))

    def line(self, sheet: Sheet, item: Item) -> str:
        """The line of a sheet in which an item's number stands."""
        name = item.scalar.array
        match item.kind:
            case "gradient":
                return sheet.result(name).name
            case "updated":
                return f"{name}+"
            case "delta":
                return sheet.adjoints[name]
        return name

    @cached_property
    def parameters(self) -> frozenset[str]:
        """The arrays whose gradients or new values were handed over."""
        return frozenset(item.scalar.array for item in self.items if item.kind in ("gradient", "updated"))

    @cached_property
    def values(self) -> tuple[Fraction, ...]:
        """The numbers that were handed over; 0 for what is not finite, which never counts as right."""
        return tuple(item.value or Fraction(0) for item in self.items)

    @cached_property
    def half_units(self) -> tuple[Fraction, ...]:
        """By how much printing alone may have changed each."""
        return tuple(self.precision.half_unit(value) for value in self.values)

    @cached_property
    def finite(self) -> NDArray[np.bool_]:
        """Which of them are finite."""
        return np.array([item.value is not None for item in self.items])

    # ---- exactly ---------------------------------------------------------------------------

    @cached_property
    def reference(self) -> tuple[Exact, ...]:
        """The right numbers, enclosed far below the bounds."""
        sheet, bits = self.ready(self.sheet), FIRST_BITS
        wanted = 2e-3 * self.bounds.reaches
        while True:
            try:
                with flint.ctx.workprec(bits):
                    values = balls.run(sheet.equations, self.given)
                found = self._read(sheet, values)
                radii = np.array([radius(value) for value in found])
                wide = bool((radii > wanted)[wanted > 0].any())
            except balls.UndecidedError:
                wide = True
            if not wide or bits >= LAST_BITS:
                return found
            bits *= 2

    @cached_property
    def reference_in_floats(self) -> tuple[Floats, Floats]:
        """The right numbers in float64, and the radii of their enclosures."""
        middles = np.array([middle(ball) for ball in self.reference])
        return middles, np.array([radius(ball) for ball in self.reference])

    @cached_property
    def bounds(self) -> Bounds:
        """Between which ends each number may lie if it is right: anywhere, where rounding may do anything."""
        return self.bounds_of(self.sheet, otherwise=(-ANYTHING, ANYTHING))

    def bounds_of(self, sheet: Sheet, *, otherwise: Ends = NOTHING) -> Bounds:
        """Between which ends each number may lie, on this sheet: its rounding, and that of the print.

        ``otherwise``: the ends of what has no finite bound.
        """
        ready = self.ready(sheet)
        how = rounding.Rounding(self.precision.unit, self.precision.absolute)
        found = self._read(ready, rounding.enclosed(ready.equations, self.given, how))
        return Bounds(found, self.half_units, otherwise)

    def right_number(self, place: int) -> fmpq:
        """A right number, 0 where it cannot be told from it."""
        between, reach = exactly(self.reference[place])
        return between if not reach or abs(between) > 2 * reach else ZERO

    def within(self, bounds: Bounds) -> NDArray[np.bool_]:
        """Which of the numbers lie between the ends."""
        return bounds.hold(self.values, self.yours) & self.finite

    def _read(self, sheet: Sheet, values: Mapping[str, Array]) -> tuple[Exact, ...]:
        found: list[Exact] = []
        for key, indices in self._groups.items():
            array = values[self.line(sheet, self._example[key])]
            found += array.reshape(-1)[indices].tolist()
        return tuple(found)

    # ---- in floats -------------------------------------------------------------------------

    @cached_property
    def floats(self) -> revised.Values:
        """The right sheet in float64, for comparison with edited ones."""
        given = {name: numbers.floats(array) for name, array in self.given.items()}
        return revised.Values(self.ready(self.sheet).lines, given)

    @cached_property
    def yours(self) -> Floats:
        """The numbers that were handed over, in float64."""
        return as_floats(self.values)

    def numbers_of(self, sheet: Sheet, like: revised.Values | None = None) -> Floats:
        """The numbers of an edited sheet in float64; ``like`` are the values of a sheet that differs in few lines."""
        ready = self.ready(sheet)
        return self._gathered(ready, (like or self.floats).revised(ready.lines))

    def reached_by(self, sheet: Sheet) -> tuple[Floats, NDArray[np.bool_], revised.Values]:
        """The numbers of an edited sheet in float64, which of them are computed from what is edited, and all values."""
        ready = self.ready(sheet)
        values = self.floats.revised(ready.lines)
        found = self._gathered(ready, values)
        reached = []
        for key, indices in self._groups.items():
            line, own = (self.line(each, self._example[key]) for each in (ready, self.sheet))
            reached.append(np.full(len(indices), line != own or line in values.changed))
        return found, np.concatenate(reached) if reached else np.zeros(0, dtype=bool), values

    @cached_property
    def right(self) -> Floats:
        """The right numbers in float64."""
        return self._gathered(self.ready(self.sheet), self.floats)

    def all_may_fit(self, sheet: Sheet, like: revised.Values) -> bool:
        """May every number of an edited sheet be the one handed over? The first array that may not ends it.

        ``like`` are the values of a sheet from which it differs in few lines. Those of the last layer are looked at
        first: they are computed from the fewest lines.
        """
        ready = self.ready(sheet)
        values = like.revised(ready.lines)
        for array in self.arrays:
            found = values[self.line(ready, array.example)].reshape(-1)[array.indices]
            with np.errstate(invalid="ignore"):
                if not (np.abs(found - self.yours[array.place]) <= self.slack[array.place]).all():
                    return False
        return bool(self.finite.all())

    @cached_property
    def arrays(self) -> tuple[Compared, ...]:
        """The arrays that are compared; the last one, which is computed from the fewest lines, comes first."""
        found, start = [], 0
        for key, indices in self._groups.items():
            found.append(Compared(self._example[key], indices, slice(start, start + len(indices))))
            start += len(indices)
        return tuple(reversed(found))

    @cached_property
    def _example(self) -> dict[tuple[str, str], Item]:
        """One item of each array."""
        return {(item.kind, item.scalar.array): item for item in self.items}

    def _gathered(self, sheet: Sheet, values: Mapping[str, Floats]) -> Floats:
        parts = []
        for (kind, array), indices in self._groups.items():
            parts.append(np.asarray(values[self.line(sheet, self._example[kind, array])]).reshape(-1)[indices])
        return np.concatenate(parts) if parts else np.zeros(0)

    @cached_property
    def _groups(self) -> dict[tuple[str, str], NDArray[np.intp]]:
        """The items by array, as flat positions; items of one array stand together."""
        found: dict[tuple[str, str], list[int]] = {}
        for item in self.items:
            shape = self.sheet.program.shape(item.scalar.array)
            flat = int(np.ravel_multi_index(item.scalar.index, shape)) if shape else 0
            found.setdefault((item.kind, item.scalar.array), []).append(flat)
        return {key: np.array(flats, dtype=np.intp) for key, flats in found.items()}

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many items there are of each array, in order."""
        return tuple(len(indices) for indices in self._groups.values())

    @cached_property
    def slack(self) -> Floats:
        """How far an edited sheet's float64 numbers may be off and still be looked at exactly."""
        halves = as_floats(self.half_units)
        loose = 1e-6 if self.precision.kind != "float32" else 1e-3
        if self.precision.coarse:
            loose = max(loose, 40 * float(self.precision.unit))
        largest = float(np.max(np.abs(self.yours), initial=0.0))
        steps = float(self.precision.absolute) * 40
        return np.asarray(halves * 1.000001 + loose * np.abs(self.yours) + 1e-9 * largest * (loose / 1e-6) + steps)

    def may_fit(self, found: Floats) -> NDArray[np.bool_]:
        """Which numbers of an edited sheet may be those that were handed over."""
        with np.errstate(invalid="ignore"):
            return (np.abs(found - self.yours) <= self.slack) & self.finite

    def edited(self, edit: Edit, sheet: Sheet | None = None) -> Sheet | None:
        """The sheet with an edit, or None where it does not apply."""
        try:
            return edit.apply(sheet or self.sheet)
        except DoesNotApplyError:
            return None


LONGEST_PLACE = 400
"""The values of a point are told in at most so many characters."""


def place_of(number: int, values: Mapping[str, object]) -> str:
    """A point in words: the problem's own numbers, or its number (from 0 on) with its values, where they are few."""
    if not values:
        return "the problem's own numbers"
    text = ", ".join(f"{name} = {_nested(np.asarray(array))}" for name, array in values.items())
    return f"point {number + 1}" + (f" ({text})" if len(text) <= LONGEST_PLACE else "")


def _nested(array: NDArray[np.object_]) -> str:
    texts = np.frompyfunc(lambda value: significant(ends(value)[0], 10), 1, 1)(array)
    return str(np.asarray(texts).tolist()).replace("'", "")
