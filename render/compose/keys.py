"""How equations of a weight are called, so that they can be linked."""

from __future__ import annotations

from derive.scalars import Scalar


def key(weight: Scalar, what: str) -> str:
    """The identifier of an equation about a weight."""
    return f"eq-{what}-{name_of(weight)}"


def name_of(weight: Scalar) -> str:
    """A weight as part of an identifier."""
    return "-".join([weight.array, *(str(i + 1) for i in weight.index)])
