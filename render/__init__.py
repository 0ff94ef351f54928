"""chainrule's paper: worked examples as HTML, LaTeX and more.

>>> import derive, render
>>> page = render.worked_example(derive.differentiate("mazur"))
>>> page.document.title
'A step by step backpropagation example'
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from render.page import WorkedExample, worked_example

__all__ = ["WorkedExample", "worked_example"]


def __getattr__(name: str) -> Any:
    """Public names are imported when they are first used."""
    if name not in __all__:
        raise AttributeError(f"module 'render' has no attribute {name!r}")
    from render import page

    return getattr(page, name)
