"""The judgement: numbers that were handed over against the derivation, and what explains those that are wrong."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Literal

import numpy as np

from derive.derivation import Derivation
from derive.verification import chance, factors
from derive.verification import precision as precisions
from derive.verification.bounds import as_floats
from derive.verification.edit import Edit, Layer
from derive.verification.family import SENTENCES, family
from derive.verification.handed import Handed
from derive.verification.locate import located
from derive.verification.points import Point, place_of
from derive.verification.precision import Precision
from derive.verification.report import Explanation, Report
from derive.verification.rows import rows_of
from derive.verification.search import Search
from derive.verification.sheet import Sheet, sheet
from derive.verification.structure import Structure
from derive.verification.tried import Made, all_made

GROSS = 0.01
"""A mistake that changes a number by less than this share of it is not asked to be told apart."""

MOST_NAMED = 5
"""So many numbers that are not finite are named."""


def judge(
    derivation: Derivation,
    handed: Sequence[tuple[Mapping[str, object], Handed]],
    given: Precision | None = None,
) -> Report:
    """The report on what was handed over at each point: (given values by array, numbers).

    The first point is the problem's own.
    """
    base = base_sheet(derivation)
    points = [point(derivation, base, values, each, given) for values, each in handed]
    turned = sorted({name for _, each in handed for name in each.turned})
    found = Report(
        "verified",
        rows_of(points[0]),
        precision=str(points[0].precision),
        points=len(points),
        notes=tuple(_kinks(points[0])),
    )
    wrong = [number for number, each in enumerate(points) if not each.within(each.bounds).all()]
    if not wrong:
        if turned:
            words = f"{', '.join(turned)}: {SENTENCES['layout_transposed']}; so turned, the numbers are right"
            return replace(found, verdict="wrong", diagnosis=(Explanation((("layout_transposed", "all"),), words),))
        digits = _undecided(derivation, points)
        return replace(found, verdict="verified" if digits is None else "undecided", digits_needed=digits)
    first = wrong[0]
    diagnosis, more = diagnosed(derivation, [points[first], *points[:first], *points[first + 1 :]])
    if first:
        more = [_elsewhere(handed[first][0], points[first], first), *more]
    diagnosis = tuple(replace(each, point=points[first]) for each in diagnosis)
    if turned:
        only = Structure(base.program).only_square_layer
        diagnosis = tuple(_turned_too(each, only) for each in diagnosis)
    return replace(found, verdict="wrong", diagnosis=diagnosis, notes=(*found.notes, *more))


def _turned_too(explanation: Explanation, only: Layer) -> Explanation:
    """An explanation of arrays that came rows for columns; square ones, which hide it, were turned by the same slip.

    ``only``: the layer that alone has square weights, or "all".
    """
    layout: tuple[str, Layer] = ("layout_transposed", "all")
    same = layout, ("weight_gradient_transposed", "all"), ("weight_gradient_transposed", only)
    rest = [each for each in explanation.mistakes if each not in same]
    found = replace(explanation, mistakes=(layout, *rest))
    return found if rest else replace(found, words=f"{_capital(SENTENCES['layout_transposed'])}.", edits=())


def _elsewhere(values: Mapping[str, object], point: Point, number: int) -> str:
    """The first number that is wrong at a point which is not the problem's own."""
    row = next(row for row in rows_of(point) if not row.within)
    return f"at {place_of(number, values)} {row.name} is {row.yours}, where {row.reference} is right"


@lru_cache(maxsize=8)
def base_sheet(derivation: Derivation) -> Sheet:
    """The sheet of a derivation."""
    return sheet(derivation.program)


@lru_cache(maxsize=8)
def _swept(derivation: Derivation) -> Sheet:
    """The sheet of a sequential update: what is passed back goes through the new weights."""
    base = base_sheet(derivation)
    edits = [e for e in family(base, derivation.problem) if e.mistake == "back_pass_updated_weights"]
    best = next((e for e in edits if e.layer == "all"), edits[0] if edits else None)
    return base if best is None else best.apply(base)


@lru_cache(maxsize=8)
def _mistakes(derivation: Derivation, swept: bool) -> tuple[Made, ...]:
    """Every mistake that can be made, made: it depends on the derivation alone, not on what is handed over."""
    base = _swept(derivation) if swept else base_sheet(derivation)
    return tuple(all_made(base, family(base, derivation.problem)))


def _search(derivation: Derivation, points: Sequence[Point]) -> Search:
    return Search(points, _mistakes(derivation, points[0].sheet is not base_sheet(derivation)))


def point(
    derivation: Derivation, base: Sheet, values: Mapping[str, object], handed: Handed, given: Precision | None
) -> Point:
    """A point: the problem's values with those of ``values`` in their place."""
    texts = [item.text for item in handed.items if item.value is not None]
    precision = given or precisions.told(texts or ["0"])
    update = derivation.problem.update
    if update is not None and update.order == "sequential" and any(i.kind == "updated" for i in handed.items):
        base = _swept(derivation)
    return Point(base, {**derivation.given, **values}, handed.items, precision, update)  # type: ignore[dict-item]


# ---- undecided -----------------------------------------------------------------------------


def _undecided(derivation: Derivation, points: Sequence[Point]) -> int | None:
    """How many digits would decide, where numbers so coarse fit a gross mistake as well as the truth; else None."""
    needed = [_needed_for_array(points[0]), _needed_against_mistakes(derivation, points)]
    return max((digits for digits in needed if digits is not None), default=None)


def _needed_for_array(point: Point) -> int | None:
    """Where no number of an array has a digit that is sure: how many the smallest of them would want.

    A float type has its digits whatever is asked for: where it leaves none that is sure, terms have cancelled.
    """
    if point.precision.kind in precisions.UNIT and not point.precision.coarse:
        return None
    wide, middles, radii = 2 * point.bounds.reaches, *point.reference_in_floats
    known_at_all = (middles != 0) & (np.abs(middles) > 2 * radii)
    start, arrays = 0, []
    for each in point.sizes:
        place = slice(start, start + each)
        known = known_at_all[place]
        arrays.append(known.any() and (wide[place][known] >= np.abs(middles[place][known])).all())
        start += each
    return 2 if any(arrays) else None


def _needed_against_mistakes(derivation: Derivation, points: Sequence[Point]) -> int | None:
    halves = as_floats(points[0].half_units)
    yours = np.abs(points[0].yours)
    coarse = float(np.max(halves[yours > 0] / yours[yours > 0], initial=0.0))
    if coarse < GROSS / 4 and not points[0].precision.coarse:
        return None  # nothing gross can hide behind so fine a rounding
    search = _search(derivation, points)
    found = [each for each in search.tried if each.fits.all()]
    needed = []
    for each in found:
        right = points[0].right
        with np.errstate(divide="ignore", invalid="ignore"):
            change = np.abs(each.numbers - right) / np.abs(right)
        largest = float(np.nanmax(np.where(np.isfinite(change), change, 0.0)))
        if largest > GROSS and points[0].within(points[0].bounds_of(each.sheet)).all():
            needed.append(max(1, math.ceil(-math.log10(min(largest, 1.0))) + 1) + 1)
    return max(needed, default=None)


# ---- diagnosis -----------------------------------------------------------------------------


def diagnosed(derivation: Derivation, points: Sequence[Point]) -> tuple[tuple[Explanation, ...], list[str]]:
    """The explanations that are consistent, the most plausible first; and notes where there is none."""
    notes: list[str] = []
    if strange := [item for item in points[0].items if item.value is None]:
        listed = ", ".join(f"{item.name} is {item.text}" for item in strange[:MOST_NAMED])
        more = f", and {len(strange) - MOST_NAMED:,} more are such" if len(strange) > MOST_NAMED else ""
        notes.append(f"{listed}{more}: not a finite number")
    found: list[Explanation] = []
    if points[0].precision.kind == "float64" and _as_float32(points):
        found.append(Explanation((("float32_rounding", "all"),), _sentence("float32_rounding", "all", "")))
    found += _other_biases(points)
    search = _search(derivation, points)
    singles = search.single()
    found += [explanation(edits) for edits in singles]
    if not found and not notes:
        pairs = search.pairs()
        if too_few := chance.too_few(search, pairs):
            return (), [too_few]
        found += [explanation(edits) for edits in pairs]
        notes += factors.notes(points) if found else []  # one constant is simpler than two mistakes that make it
    if not found and not notes:
        notes += [steps] if (steps := _rounded_at_every_step(points)) else located(points)
    return tuple(found), notes


def _rounded_at_every_step(points: Sequence[Point]) -> str:
    """What is said where the numbers may be right if every step was rounded to the digits that they have; else ""."""
    precision = points[0].precision
    if precision.kind not in ("sf", "dp") or precision.steps:
        return ""
    stepwise = replace(precision, steps=True)
    rounded = [replace(each, precision=stepwise) for each in points]
    if not all(each.within(each.bounds).all() for each in rounded):
        return ""
    digits = f"{precision.places} {'significant digits' if precision.kind == 'sf' else 'decimals'}"
    return (
        f"whoever rounds every step to {digits} may well get these numbers from the right calculation: "
        f"--given {stepwise} takes them so"
    )


def _as_float32(points: Sequence[Point]) -> bool:
    loose = [replace(each, precision=Precision("float32")) for each in points]
    return all(each.within(each.bounds).all() for each in loose)


def _other_biases(points: Sequence[Point]) -> list[Explanation]:
    """New weights that are right where the biases are updated that the problem keeps, or kept that it updates."""
    update = points[0].update
    if update is None or not any(item.kind == "updated" for item in points[0].items):
        return []
    other: Literal["fixed", "updated"] = "updated" if update.biases == "fixed" else "fixed"
    varied = [replace(each, update=replace(update, biases=other)) for each in points]
    if not all(each.within(each.bounds).all() for each in varied):
        return []
    name = f"biases_{other}"
    return [Explanation(((name, "all"),), f"{_capital(SENTENCES[name])}.")]


def explanation(edits: Sequence[Edit]) -> Explanation:
    """An explanation in words."""
    words = "; and ".join(edit.words or _sentence(edit.mistake, edit.layer, edit.variant) for edit in edits)
    return Explanation(tuple(edit.key for edit in edits), f"{_capital(words)}.", tuple(edits))


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _sentence(mistake: str, layer: object, variant: str) -> str:
    where = "" if layer == "all" else f"in layer {layer}, "
    return f"{where}{SENTENCES[mistake]}" + (f" ({variant})" if variant else "")


def _kinks(point: Point) -> list[str]:
    """Where a net input stands exactly on a kink, any slope between the two sides is accepted; that is said."""
    values = point.floats
    found = []
    for squash in Structure(point.sheet.program).squashes:
        if squash.row is not None and squash.row.kink and (values[squash.source] == 0).any():
            found.append(
                f"{squash.source} has a 0, the kink of {squash.row.name}: the reference takes the derivative as 0 "
                "there, and any value between the slopes of the two sides is accepted"
            )
    return found
