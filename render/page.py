"""``render.worked_example(derivation)``: the document, ready to be written or shown in a notebook."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from derive.derivation import Derivation
from derive.errors import ChainruleError, unknown
from render.compose import document
from render.document import Document
from render.formats import FORMATS, render_text, write


@dataclass(frozen=True)
class WorkedExample:
    """A worked example: its document, and the ways out."""

    document: Document

    def write(self, path: str | os.PathLike[str], **options: Any) -> list[Path]:
        """Write the file; its ending says the format (.html, .tex, …). Returns the files written.

        Options are those of `render.formats.write`: ``fragment``, ``templates``, ``flavor``.
        """
        return write(self.document, _format_of(Path(path)), Path(path), **options)

    @cached_property
    def _fragment(self) -> str:
        return render_text(self.document, "html", fragment=True)

    def _repr_html_(self) -> str:
        return self._fragment


def _format_of(path: Path) -> str:
    by_suffix = {row.suffix: name for name, row in FORMATS.items()}
    ending = max((suffix for suffix in by_suffix if path.name.endswith(suffix)), key=len, default=path.suffix)
    if ending not in by_suffix:
        raise ChainruleError(f"{path}: the ending says the format: {unknown(path.suffix, by_suffix)}")
    return by_suffix[ending]


def worked_example(
    derivation: Derivation,
    notation: str | None = None,
    detail: str = "standard",
    show: str = "representative",
    decimals: int = 9,
) -> WorkedExample:
    """The worked example of a derivation; see `render.compose.document` for the choices."""
    return WorkedExample(document(derivation, notation=notation, detail=detail, show=show, decimals=decimals))
