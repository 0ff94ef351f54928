"""The worked example: derivation → document, part by part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from derive.derivation import Derivation, differentiate
from derive.errors import ChainruleError, unknown
from derive.notations.file import notation as notation_of
from render.compose import brief, network
from render.compose.backward import backward_parts
from render.compose.checking import checks_part, published_part
from render.compose.closing import biases_part, update_part
from render.compose.forward import forward_part
from render.compose.matrices import matrix_part
from render.compose.opening import problem_part
from render.compose.pen import Pen
from render.compose.stepwise import FullPen, spelled_out
from render.compose.structure import layer_views, select
from render.compose.used import used_part
from render.document import Block, Document

DETAILS = {
    "brief": "the results only: values, gradients and new values in tables",
    "standard": "every step with its numbers, in prose",
    "full": "every algebraic step too, down to each derivative from its definition",
}
"""How much the page explains, and what each choice shows."""


def document(
    derivation: Derivation,
    *,
    notation: str | None = None,
    detail: str = "standard",
    show: str = "representative",
    decimals: int = 9,
) -> Document:
    """The worked example of a derivation.

    ``notation`` is a name or a file of `derive.notations` (the problem's own if absent), ``show`` which
    weights are worked out in full ("representative": one a layer; "all"; or names, "w5,w1"), ``decimals``
    how many decimals a rounded number shows, ``detail`` one of `DETAILS`. Raises ChainruleError for an unknown
    choice.
    """
    if detail not in DETAILS:
        raise ChainruleError(f"--detail: {unknown(detail, DETAILS)}")
    chosen = derivation.names.notation if notation is None else notation_of(notation, place="--notation")
    if derivation.problem.dense and derivation.problem.parameters is not None:  # the page shows every weight and bias
        derivation = differentiate(replace(derivation.problem, parameters=None))
    pen = (FullPen if detail == "full" else Pen)(derivation, chosen, decimals)
    parts = _dense(pen, detail, show) if derivation.problem.dense else _network(pen, detail)
    blocks = spelled_out(parts, pen) if detail == "full" else parts
    return Document(derivation.problem.title, tuple(blocks), stem=derivation.problem.stem)


def _network(pen: Pen, detail: str) -> Sequence[Block]:
    """The page of any program that is no stack of dense layers."""
    if detail == "brief":
        return brief.network_page(pen)
    sections = network.parts(pen)
    if detail == "full":
        place = next((k for k, section in enumerate(sections) if section.identifier == "checks"), len(sections))
        sections.insert(place, used_part(pen))
    return sections


def _dense(pen: Pen, detail: str, show: str) -> Sequence[Block]:
    """The page of a stack of dense layers."""
    derivation = pen.derivation
    views = layer_views(derivation)
    selection = select(derivation, views, show, pen.names)
    if detail == "brief":
        return brief.dense_page(pen, views)
    parts = [
        problem_part(pen, views),
        forward_part(pen, views),
        *backward_parts(pen, views, selection),
        biases_part(pen, views),
        update_part(pen, views),
        matrix_part(pen, views),
        checks_part(pen, views, selection),
        published_part(pen),
    ]
    return [part for part in parts if part is not None]
