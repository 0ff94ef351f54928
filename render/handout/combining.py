"""One PDF of many, to be printed on both sides: every sheet begins on a sheet of paper of its own."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path


def combined(parts: Iterable[tuple[str, Path]], title: str) -> bytes:
    """The PDFs one after the other, each from an odd page on, with a bookmark of its name.

    The tags for screen readers stay in the single files: this one is for the printer.
    """
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter()
    for name, path in parts:
        reader = PdfReader(path)
        writer.append(reader, outline_item=name, import_outline=False)
        if len(reader.pages) % 2:
            writer.add_blank_page()
    writer.metadata = {"/Title": title, "/Producer": "chainrule"}
    made = io.BytesIO()
    writer.write(made)
    return made.getvalue()
