"""What a notation is: a template for each role, and the fields that a template may have.

The fields in braces are filled in for each element:

``{layer}`` counted from 1, ``{level}`` the same counted with the inputs as the first;
``{row}`` and ``{column}`` counted from 1, ``{indices}`` both together (12, or 1,12 where one is longer);
``{at}`` the indices as code has them, counted from 0 and with the example in front where there are several;
``{count}`` of a weight, counted from 1 through all layers, row by row;
``{unit}`` h1, h2, … through the hidden layers, o1, … for the outputs; ``{hidden}`` only the number.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

from derive.formula import Name

_LAYER = ("layer", "level")
_OF_UNIT = (*_LAYER, "column", "unit", "at")

ELEMENT_FIELDS: dict[str, tuple[str, ...]] = {
    "input": ("column", "at"),
    "target": ("column", "unit", "at"),
    "weight": (*_LAYER, "row", "column", "indices", "count", "at"),
    "bias": (*_LAYER, "column", "unit", "at"),
    "shared_bias": _LAYER,
    "net": _OF_UNIT,
    "output_net": _OF_UNIT,
    "activation": _OF_UNIT,
    "output": _OF_UNIT,
    "delta": _OF_UNIT,
    "output_delta": _OF_UNIT,
    "output_error": ("column", "unit", "at"),
    "error": (),
    "unit": (*_LAYER, "column", "hidden"),
    "output_unit": (*_LAYER, "column"),
}
"""The roles of single quantities, and the fields that each knows."""

ARRAY_FIELDS: dict[str, tuple[str, ...]] = {
    role: _LAYER if "layer" in fields else () for role, fields in ELEMENT_FIELDS.items() if not role.endswith("unit")
}
"""The roles of whole arrays, and the fields that each knows."""

FALLBACK = {"output": "activation", "output_net": "net", "output_delta": "delta"}
"""The last layer's quantities are written like every layer's, unless they have a template of their own."""

ETA = Name("eta")
ONES = Name("1", style="bold")
FIELD = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True)
class Example:
    """How an example is marked where there are several: ``mark`` in the ``place`` "sub" or "sup".

    It stands after what is there already, or ``first``, with ``joint`` between. In the place "at" nothing
    is added: the templates have the example in their ``{at}``.
    """

    mark: str = "({n})"
    place: str = "sup"
    first: bool = False
    joint: str = ""

    def on(self, name: Name, number: str) -> Name:
        """The name with the mark of an example."""
        if self.place == "at" or not number:
            return name
        mark = filled_text(self.mark, {"n": number})
        there: str = getattr(name, self.place)
        parts = [part for part in ((mark, there) if self.first else (there, mark)) if part]
        return replace(name, **{self.place: self.joint.join(parts)})


@dataclass(frozen=True)
class Marks:
    """How an array that a layer writes tells its layer and its time step, and what stands between two indices.

    ``layer``, with {layer} or {level}, is a superscript that is written where several layers have an array of the
    same letter; with ``place`` "base" it is written behind the letter, and always. ``time``, with {t}, is the last
    superscript, in the style of code (examples "at") the end of the name.
    """

    layer: str = "[{layer}]"
    time: str = "⟨{t}⟩"
    place: str = "sup"
    between: str = ""


@dataclass(frozen=True)
class Notation:
    """How each role is written, by element and as a whole array.

    ``batch`` has the arrays that are written otherwise where they hold several examples. ``rows`` says
    that vectors are rows and examples stand one below the other; else they are columns side by side.
    ``gradient`` is put before a parameter's name to abbreviate its gradient ("d": dW); "" writes ∂E/∂W.
    ``marks`` is for arrays outside the layers of units: filters, gates, attention.
    """

    name: str
    summary: str
    elements: dict[str, Name]
    arrays: dict[str, Name]
    batch: dict[str, Name] = field(default_factory=dict)
    example: Example = Example()
    learning_rate: Name = ETA
    ones: Name = ONES
    rows: bool = False
    gradient: str = ""
    marks: Marks = Marks()

    def element(self, role: str) -> Name | None:
        """The template of one quantity, or None where the notation has none for the role."""
        return self.elements.get(role) or self.elements.get(FALLBACK.get(role, ""))

    def array(self, role: str, *, several: bool = False) -> Name | None:
        """The template of a whole array, which may hold ``several`` examples."""
        found = self.arrays.get(role) or self.arrays.get(FALLBACK.get(role, ""))
        return (self.batch.get(role) or self.batch.get(FALLBACK.get(role, "")) or found) if several else found


def filled(template: Name, fields: Mapping[str, str]) -> Name:
    """The name that a template gives with these fields; KeyError for a field that is not there."""
    base, sub, sup = (filled_text(part, fields) for part in (template.base, template.sub, template.sup))
    return Name(base, sub, sup, template.style, template.accent, template.typed)


def filled_text(template: str, fields: Mapping[str, str]) -> str:
    """A template's text; what stands in braces is looked up and never evaluated."""
    if "{" not in template:
        return template
    return "".join([fields[part] if place % 2 else part for place, part in enumerate(_parts(template))])


@lru_cache(maxsize=1024)
def _parts(template: str) -> tuple[str, ...]:
    """Text and fields by turns."""
    return tuple(FIELD.split(template))
