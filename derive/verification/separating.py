"""The points at which code is checked: the problem's own, and others at which mistakes give numbers far apart.

At one point a mistake may be hidden: a factor that happens to be 1, two inputs that are equal, a unit that is
saturated, a unit of relu that is never off. The other points are drawn around the problem's own, and of several draws
that one is kept at which most mistakes have shown, no unit is saturated or stands at a kink, and the family of mistakes
spreads its numbers most. Where some have not shown yet, it is drawn further until one does.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from derive.derivation import Derivation
from derive.evaluate.balls import Array, exact, filled, fraction
from derive.functions import LOSSES
from derive.program import references
from derive.scalars import Scalar
from derive.verification.family import family
from derive.verification.handed import Item, label
from derive.verification.points import Point
from derive.verification.precision import Precision
from derive.verification.sheet import DoesNotApplyError, Sheet, sheet
from derive.verification.structure import Structure

Values = Mapping[str, Array]
Floats = NDArray[np.float64]

SEED = 20_150_317
DECIMALS = 3
WIDTHS = (0.6, 0.6, 1.5, 1.5)
"""So far around an array's own numbers, as a share of the largest, the draws reach that compete for a point.

The wide ones turn signs, without which a unit of relu may never be off.
"""

MORE_DRAWS = 40
"""So many further draws are tried for what has not shown yet; what then has not, is taken for what never does."""

SHOWN = 1e-6
"""A mistake has shown where it has changed some number by this share."""

MOST_EDITS = 60
MOST_NUMBERS = 5_000
"""With more numbers than this any point tells mistakes apart: the first good draw is kept."""

SATURATED = 5.0
NEAR_A_KINK = 0.02


def chosen(derivation: Derivation, count: int, seed: int = SEED) -> tuple[Values, ...]:
    """``count`` points as the values that differ from the problem's own; the first is {} where it has numbers."""
    generator = random.Random(seed)
    own: tuple[Values, ...] = ({},) if derivation.has_numbers else ()
    names = varied(derivation)
    if not names:
        return own
    base = sheet(derivation.program)
    edited = _some_edits(base, derivation)
    found = list(own)
    apart = _Apart(derivation, base, edited)
    for values in own:
        apart = apart.after(values)
    further = True
    while len(found) < count:
        draws = [_drawn(derivation, names, generator, width) for width in WIDTHS]
        if further and apart.hidden and not any(map(apart.shows_more, draws)):
            more = (_drawn(derivation, names, generator, WIDTHS[-1]) for _ in range(MORE_DRAWS))
            shown = list(islice(filter(apart.shows_more, more), len(WIDTHS)))
            further, draws = bool(shown), draws + shown
        found.append(max(draws, key=apart.score))
        apart = apart.after(found[-1])
    return tuple(found)


def varied(derivation: Derivation) -> tuple[str, ...]:
    """The given arrays whose numbers may be others: parameters and inputs; no targets, masks or tokens.

    Without numbers of its own a problem has to be given all of them.
    """
    program = derivation.program
    if not derivation.has_numbers:
        return program.given
    read = set().union(*(references(equation.expression) for equation in program.equations))
    targets = Structure(program).targets
    return tuple(
        name
        for name in program.given
        if name in program.parameters or (name in read and name not in targets and not _whole(derivation.given[name]))
    )


def _whole(array: Array) -> bool:
    """Only whole numbers: a mask, a choice, a place."""
    return all(value.q == 1 for value in array.reshape(-1))


def floats(array: Array) -> Floats:
    """An exact array in float64, each element correctly rounded."""
    return np.asarray(np.frompyfunc(lambda value: float(fraction(value) or 0), 1, 1)(array), dtype=np.float64)


# ---- drawing -------------------------------------------------------------------------------


def _drawn(derivation: Derivation, names: Iterable[str], generator: random.Random, width: float) -> Values:
    return {name: _array(derivation, name, generator, width) for name in names}


def _array(derivation: Derivation, name: str, generator: random.Random, share: float) -> Array:
    """Decimals around the array's own numbers; for symbols from −1 to 1, for targets what the loss allows."""
    shape = derivation.program.shape(name)
    if name in derivation.given:
        around = floats(derivation.given[name])
        width = max(share * float(np.max(np.abs(around), initial=0.0)), 0.1)
        flat = [float(value) + generator.uniform(-width, width) for value in around.reshape(-1)]
    elif name in Structure(derivation.program).targets:
        return _targets(derivation, shape, generator)
    else:
        flat = [generator.uniform(-1, 1) for _ in range(int(np.prod(shape)))]
    return _exact([Fraction(round(value * 10**DECIMALS) or 1, 10**DECIMALS) for value in flat], shape)


def _targets(derivation: Derivation, shape: tuple[int, ...], generator: random.Random) -> Array:
    """One of several classes, signs, or numbers between 0 and 1."""
    loss = LOSSES.get(derivation.problem.loss.name)
    size = int(np.prod(shape))
    if loss is not None and loss.classes and shape and shape[-1] > 1:
        rows = [generator.randrange(shape[-1]) for _ in range(size // shape[-1])]
        return _exact([Fraction(int(place == row)) for row in rows for place in range(shape[-1])], shape)
    if loss is not None and loss.targets_are_signs:
        return _exact([Fraction(generator.choice((-1, 1))) for _ in range(size)], shape)
    return _exact([Fraction(generator.randrange(1, 1000), 1000) for _ in range(size)], shape)


def _exact(flat: Sequence[Fraction], shape: tuple[int, ...]) -> Array:
    found = np.empty(len(flat), dtype=object)
    found[:] = [exact(value) for value in flat]
    return filled(found.reshape(shape), shape)


# ---- how good a point is -------------------------------------------------------------------


def _some_edits(base: Sheet, derivation: Derivation) -> list[Sheet]:
    """Edited sheets: the first edit of each mistake in each layer, up to so many."""
    if sum(int(np.prod(base.program.shape(name))) for name in base.program.parameters) > MOST_NUMBERS:
        return []
    by_key: dict[object, Sheet] = {}
    for edit in family(base, derivation.problem):
        if edit.layer != "all" and edit.key not in by_key and len(by_key) < MOST_EDITS:
            try:
                by_key[edit.key] = edit.apply(base)
            except DoesNotApplyError:
                continue
    return list(by_key.values())


@dataclass(frozen=True)
class _Apart:
    """How far apart the edited sheets' numbers were at the points so far: ``best`` for each two of them, relatively."""

    derivation: Derivation
    base: Sheet
    edited: Sequence[Sheet]
    best: Floats | float = 1e-9

    @property
    def hidden(self) -> tuple[Sheet, ...]:
        """Those whose numbers were the right ones at every point so far."""
        if isinstance(self.best, float):
            return ()
        return tuple(each for each, apart in zip(self.edited, self.best[0, 1:], strict=True) if apart < SHOWN)

    def shows_more(self, values: Values) -> bool:
        """Does one of these show at this point?"""
        point = self._point(values)
        return any(_apart(point.right, point.numbers_of(each)) >= SHOWN for each in self.hidden)

    def score(self, values: Values) -> tuple[float, float]:
        """How many have shown with this point too, fewer where it is a bad one; then how far all are from each other.

        That in powers of ten: two that no earlier point could tell apart count for more than all the rest.
        """
        point = self._point(values)
        if not np.isfinite(point.right).all():
            return -np.inf, 0.0
        apart = self._with(point)
        shown = np.mean(apart[0] >= SHOWN)
        return float(shown - _bad(self.base, point.floats)), float(np.mean(np.log10(apart)))

    def after(self, values: Values) -> _Apart:
        """The same with one point more."""
        return replace(self, best=self._with(self._point(values)))

    def _point(self, values: Values) -> Point:
        given = {**self.derivation.given, **values}
        return Point(self.base, given, _items(self.derivation), Precision("float64"))

    def _with(self, point: Point) -> Floats:
        with np.errstate(all="ignore"):
            rows = np.stack([point.right, *(point.numbers_of(each) for each in self.edited)])
        return np.asarray(np.clip(np.maximum(_apart(rows[:, None], rows[None, :]), self.best), 1e-9, 1.0))


def _apart(one: Floats, other: Floats) -> Floats:
    """By which share numbers differ, the most of each row."""
    with np.errstate(all="ignore"):
        apart, size = np.abs(one - other), np.maximum(np.abs(one), np.abs(other))
        return np.asarray(np.nanmax(np.where(size > 0, apart / size, 0.0), axis=-1, initial=0.0))


def _items(derivation: Derivation) -> tuple[Item, ...]:
    return tuple(
        Item("gradient", Scalar(name, at), label(derivation, "gradient", Scalar(name, at)), "0", Fraction(0))
        for name in derivation.program.parameters
        for at in np.ndindex(*derivation.program.shape(name))
    )


def _bad(base: Sheet, values: Mapping[str, Floats]) -> float:
    """The share of units that are saturated or beside a kink."""
    found: list[float] = []
    for squash in Structure(base.program).squashes:
        net = np.abs(np.asarray(values[squash.source], dtype=np.float64))
        if squash.row is not None and squash.row.kink:
            found.append(float(np.mean(np.minimum(net, np.abs(net - 3)) < NEAR_A_KINK)))
        else:
            found.append(float(np.mean(net > SATURATED)))
    return max(found, default=0.0)
