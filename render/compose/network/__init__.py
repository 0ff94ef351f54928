"""The worked example of any network that is not a plain stack of dense layers: in layers or in equations."""

from __future__ import annotations

from render.compose.checking import published_part
from render.compose.network.backward import backward, gradients
from render.compose.network.closing import checks, update
from render.compose.network.forward import forward
from render.compose.network.opening import problem
from render.compose.network.plan import Plan
from render.compose.pen import Pen
from render.document import Section


def parts(pen: Pen) -> list[Section]:
    """The sections of the document."""
    plan = Plan(pen)
    sections = [
        problem(plan),
        forward(plan),
        backward(plan),
        gradients(plan),
        update(plan),
        checks(plan),
        published_part(pen),
    ]
    return [section for section in sections if section is not None]
