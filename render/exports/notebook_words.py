"""What a notebook says between its cells, as Markdown by the Markdown writer's own templates."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from derive.formula import Formula, Side
from derive.scalars import Scalar
from render.compose.network.terms import chain_line
from render.compose.pen import Pen
from render.document import Block, Code, Document, Figure, Inlines, Math, Paragraph, Text
from render.formats import FLAVORS
from render.writer import render

if TYPE_CHECKING:
    from derive.derivation import Derivation
    from render.handout.heading import Heading

DECIMALS = 9
# Jupyter takes MyST's dollars, and of the directives none.
JUPYTER = replace(FLAVORS["myst"], folder="markdown")
Attachments = dict[str, dict[str, str]]


@dataclass(frozen=True)
class Words:
    """The text of a notebook on one derivation."""

    derivation: Derivation
    heading: Heading | None = None

    @cached_property
    def pen(self) -> Pen:
        """The pen that writes the problem's symbols."""
        return Pen(self.derivation, self.derivation.names.notation, DECIMALS)

    def opening(self) -> tuple[str, str, str, int, Attachments]:
        """Title, what is to be done and the figure: the values of a cell after its kind."""
        heading, title = self.heading, self.derivation.problem.title or self.derivation.problem.stem
        lines = [f"# {markdown(_line(heading.title if heading and heading.title else title))}"]
        if heading:
            known = (heading.institution, heading.course, heading.date)
            lines += [markdown(_line(" · ".join(each for each in known if each)))] if any(known) else []
        lines.append(
            markdown(
                _line(
                    "We compute the forward pass, the error and its gradients line by line with NumPy. After each cell "
                    "comes one that tests it; it says nothing when all is well."
                )
            )
        )
        text, attachments = self._figure()
        return "\n\n".join((*lines, text) if text else lines), "", "", 0, attachments

    def _figure(self) -> tuple[str, Attachments]:
        """The first figure of the worked example."""
        from render.numbering import walk
        from render.page import worked_example

        found = next((b for b in walk(worked_example(self.derivation).document.blocks) if isinstance(b, Figure)), None)
        if found is None:
            return "", {}
        figure = Figure("", found.drawing, found.caption, found.alternative)
        text, files = render(Document("", (figure,), stem="x"), JUPYTER, fragment=True)
        attachments: Attachments = {}
        for path, content in files.items():
            name = path.rpartition("/")[2]
            text = text.replace(f"({path})", f"(attachment:{name})")
            data = content.encode("utf-8") if isinstance(content, str) else content
            attachments[name] = {"image/svg+xml": base64.b64encode(data).decode("ascii")}
        return text.strip(), attachments

    def given(self, places: bool) -> str:
        """Before the numbers."""
        more = " The index arrays say which elements an equation picks." if places else ""
        return _section("The given numbers", f"They stay as they are until the update.{more}")

    def forward(self) -> str:
        """Before the forward pass."""
        return _section("The forward pass", "Each array from those before it.")

    def backward(self) -> str:
        """Before the backward pass."""
        text = "From the error back: `dE_da` is the derivative of the error by each element of the array `a`."
        return _section("The backward pass", text)

    def check(self) -> str:
        """Before the check."""
        text = (
            "A gradient can be checked without any calculus: move one parameter a little up and a little down, and see "
            "how much the error changes. For that the error has to be a function of the parameters."
        )
        return _section("A check by central differences", text)

    def update(self) -> str:
        """Before the update."""
        return _section("The update", "One step: every new value from the old value and the gradients.")

    def training(self, steps: int) -> str:
        """Before training."""
        text = f"The same again and again: {steps} steps, and the error before each of them and after the last."
        return _section("Training", text)

    def value(self, name: str) -> str:
        """What an array of the forward pass is."""
        scalar = self._first(name)
        sides = self.pen.forward_line(scalar)[:2]
        return self._told(name, name, sides, scalar)

    def adjoint(self, name: str, variable: Callable[[str], str]) -> str:
        """What a derivative of the error is; "" for one of no array that has a name."""
        if not name or name not in self.derivation.program.variables:
            return ""
        scalar = self._first(name)
        step = self.derivation.gradient_steps.get(scalar)
        sides: tuple[Side, ...] = ()
        if step is not None and step.terms:
            sides = chain_line(self.pen, step)[:2]
        shown = variable(self.derivation.gradient.adjoints[name])
        return self._told(name, shown, sides, scalar)

    def _first(self, name: str) -> Scalar:
        return Scalar(name, (0,) * len(self.derivation.program.shape(name)))

    def _told(self, name: str, variable: str, sides: Sequence[Side], scalar: Scalar) -> str:
        shape = self.derivation.program.shape(name)
        inlines: Inlines = (Code(variable),)
        if shape:
            inlines += (Text(f", an array of the shape {' × '.join(map(str, shape))}"),)
        if len(sides) > 1:
            formula: tuple[Formula, ...] = tuple(side.formula for side in sides)
            assert formula
            inlines += (Text(". Its first element: " if scalar.index else ": "), Math(tuple(sides)))
        return markdown((*inlines, Text(".")))


def _line(text: str) -> Inlines:
    return (Text(text),)


def _section(title: str, text: str) -> str:
    pieces = text.split("`")
    inlines = tuple(Code(piece) if place % 2 else Text(piece) for place, piece in enumerate(pieces) if piece)
    return f"## {markdown(_line(title))}\n\n{markdown(inlines)}"


def markdown(inlines: Inlines) -> str:
    """A line as Markdown of a notebook."""
    block: Block = Paragraph(inlines)
    return render(Document("", (block,)), JUPYTER, fragment=True)[0].strip()
