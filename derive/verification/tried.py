"""Mistakes as they were made on a sheet, with the numbers that they lead to."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from derive.evaluate.floats import Floats
from derive.evaluate.revised import Values
from derive.verification.edit import Edit
from derive.verification.sheet import DoesNotApplyError, Sheet

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Made:
    """An edit and the sheet on which it was made."""

    edit: Edit
    sheet: Sheet


def all_made(base: Sheet, edits: Iterable[Edit]) -> Iterator[Made]:
    """The edits that apply to a sheet, each made on it."""
    for edit in edits:
        with contextlib.suppress(DoesNotApplyError):
            yield Made(edit, edit.apply(base))


@dataclass(frozen=True)
class Tried:
    """An edit with its numbers at the first point: which may fit, and which it changes.

    ``reaches``: which numbers it may change, whatever the values are: those that are computed from what it rewrote.
    ``rewrites``: the lines of the backward pass themselves. ``values`` are those of all lines.
    """

    edit: Edit
    sheet: Sheet
    numbers: Floats
    fits: Flags
    changes: Flags
    reaches: Flags
    rewrites: frozenset[str]
    values: Values
