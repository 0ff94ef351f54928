"""The kinds of exercises: one file and one row each."""

from __future__ import annotations

from render.exercises.kind import Kind
from render.exercises.kinds import (
    activation_derivative,
    backward_table,
    delta,
    find_mistake,
    forward_value,
    gradient,
    local_derivative,
    matrix_form,
    missing_factor,
    multiple_choice,
    order_factors,
    symbols,
    update,
    which_paths,
)

ROWS = (
    forward_value.KIND,
    local_derivative.KIND,
    delta.KIND,
    gradient.KIND,
    update.KIND,
    backward_table.KIND,
    missing_factor.KIND,
    order_factors.KIND,
    which_paths.KIND,
    activation_derivative.KIND,
    matrix_form.KIND,
    symbols.KIND,
    find_mistake.KIND,
    multiple_choice.KIND,
)

KINDS: dict[str, Kind] = {row.name: row for row in ROWS}
