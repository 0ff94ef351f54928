"""What an exercise asks for: a number that a derivation determines."""

from __future__ import annotations

from dataclasses import dataclass

from derive.scalars import Scalar

KINDS = ("value", "delta", "gradient", "updated", "local")


@dataclass(frozen=True)
class Asked:
    """A number that an exercise asks for.

    ``kind``: "value" (an array's element in the forward pass), "delta" (∂E/∂scalar of any quantity on the way),
    "gradient" (of a parameter), "updated" (a parameter after one update), "local" (∂a/∂z of an activation at its net
    input ``scalar``).
    """

    kind: str
    scalar: Scalar
