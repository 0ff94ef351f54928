"""The worked example: derivation → document, part by part."""

from __future__ import annotations

from dataclasses import replace

from derive.derivation import Derivation, differentiate
from derive.errors import ChainruleError, unknown
from derive.notations.file import notation as notation_of
from render.compose import network
from render.compose.backward import backward_parts
from render.compose.checking import checks_part, published_part
from render.compose.closing import biases_part, update_part
from render.compose.forward import forward_part
from render.compose.matrices import matrix_part
from render.compose.opening import problem_part
from render.compose.pen import Pen
from render.compose.structure import layer_views, select
from render.document import Document

DETAILS = {"standard": "every step with its numbers, in prose"}


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
    how many decimals a rounded number shows. Raises ChainruleError for an unknown choice.
    """
    if detail not in DETAILS:
        raise ChainruleError(f"--detail: {unknown(detail, DETAILS)}")
    chosen = derivation.names.notation if notation is None else notation_of(notation, place="--notation")
    if not derivation.problem.dense:
        pen = Pen(derivation, chosen, decimals)
        return Document(derivation.problem.title, tuple(network.parts(pen)), stem=derivation.problem.stem)
    if derivation.problem.parameters is not None:  # the page shows every weight and bias
        derivation = differentiate(replace(derivation.problem, parameters=None))
    pen = Pen(derivation, chosen, decimals)
    views = layer_views(derivation)
    selection = select(derivation, views, show, pen.names)
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
    return Document(
        derivation.problem.title,
        tuple(part for part in parts if part is not None),
        stem=derivation.problem.stem,
    )
