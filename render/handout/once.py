"""What is about a problem itself and not about anybody's variant: slides and notebooks, written once."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from derive.derivation import Derivation
from render.handout.heading import Heading
from render.handout.naming import stem
from render.handout.work import Layout

Files = dict[str, bytes]


@dataclass(frozen=True)
class Once:
    """One such format: a row of `ONCE`. ``files`` makes a problem's files, by name, under a stem."""

    files: Callable[[Derivation, Heading, Layout, str | None, str], Files]
    missing: Callable[[], str] = str
    by_default: bool = False


def _slides(name: str) -> Callable[[Derivation, Heading, Layout, str | None, str], Files]:
    def made(derivation: Derivation, heading: Heading, layout: Layout, notation: str | None, stem: str) -> Files:
        from render.page import worked_example

        document = worked_example(derivation, notation=notation).document
        document = replace(document, title=heading.title) if heading.title else document
        return replace(layout, formats=(name,)).files(document, stem)

    return made


def _notebook(derivation: Derivation, heading: Heading, layout: Layout, notation: str | None, stem: str) -> Files:
    from render.exports.notebook import notebook

    return notebook(derivation, heading, stem)


def _without_nbformat() -> str:
    if importlib.util.find_spec("nbformat") is not None:
        return ""
    return "it needs the package nbformat: python -m pip install nbformat"


ONCE = {
    "slides": Once(_slides("slides")),
    "beamer": Once(_slides("beamer")),
    "notebook": Once(_notebook, _without_nbformat),
}


@dataclass(frozen=True)
class Extras:
    """The files that are written once, of all problems of a handout."""

    derivations: Sequence[Derivation]
    formats: tuple[str, ...]
    heading: Heading
    templates: Path | None = None
    paper: str = "a4"
    notation: str | None = None

    def __call__(self) -> Files:
        """Their contents by name."""
        layout = Layout((), self.templates, self.paper)
        found: Files = {}
        for derivation in self.derivations:
            name = own = stem(derivation.problem.stem)
            twin = 2
            while any(path.startswith((f"{name}_", f"{name}.")) for path in found):  # two files of one name
                name, twin = f"{own}_{twin}", twin + 1
            for each in self.formats:
                found |= ONCE[each].files(derivation, self.heading, layout, self.notation, name)
        return found
