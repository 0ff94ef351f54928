"""How arrays are written that no role of a notation names: gates, states, filters, scores, and a user's own.

A name is the letter of the array's stem, its part as a subscript and the element's indices behind it; an
example, a layer and a time step are marked as the notation marks them: i_1^⟨2⟩ is the input gate of the first unit
at the second step.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from derive.formula import Name
from derive.notations.row import FIELD, Notation, filled_text
from derive.program import Variable

Index = Sequence[int | None]

CAPITAL = ("input", "target", "output")
"""The roles whose whole array has its letter for several examples: others would meet, A with the attention weights."""


def several(variable: Variable) -> bool:
    """Whether the first axis of an array counts more than one example."""
    return axes(variable)[:1] == ("example",) and variable.shape[0] > 1


def axes(variable: Variable) -> tuple[str, ...]:
    """What the axes of an array count, where nothing says so the examples alone."""
    if len(variable.axes) == len(variable.shape):
        return variable.axes
    return tuple("example" if variable.per_example and not axis else "value" for axis in range(len(variable.shape)))


@dataclass(frozen=True)
class Letter:
    """What a name begins with. ``numbered``: whether the notation tells its layer at all."""

    base: str
    accent: str
    part: str
    numbered: bool


def letter(variable: Variable, notation: Notation, *, whole: bool = False) -> Letter:
    """The letter of an array; ``whole`` for the whole array.

    It is the notation's own for a net input and for what comes out of a layer. Weights keep that of their stem, W for
    filters too.
    """
    place = variable.place
    part = "" if place is None else place.part
    back = "left" if place is not None and place.backward else ""
    role = "" if variable.like in ("weight", "bias") else variable.like
    template = notation.array(role, several=whole and role in CAPITAL and several(variable))
    if role == "output_error" and not whole and notation.example.place != "at":
        template = notation.element(role)  # c, an array of errors, would meet the cell state
    if template is None:
        return Letter(variable.name if place is None else place.letter, back, part, place is not None)
    told = FIELD.findall(f"{template.base} {template.sub} {template.sup}")
    return Letter(FIELD.sub("", template.base), template.accent or back, part, bool(told) and place is not None)


def name(variable: Variable, index: Index, notation: Notation, *, layer: bool, example: str | None = None) -> Name:
    """How a part of an array is written: an element, or where indices are None or left out all along those axes.

    ``layer``: whether its number is told; ``example`` stands for the example's own number ("n" for any, "" for none).
    """
    at = (*index, *(None for _ in variable.shape[len(index) :]))
    indices = ", ".join(map(str, at))
    typed = "" if None in at else f"{variable.name}[{indices}]" if at else variable.name
    written = _code if notation.example.place == "at" else _on_paper
    return replace(written(variable, at, notation, layer, example), typed=typed)


def _on_paper(variable: Variable, at: Index, notation: Notation, layer: bool, example: str | None) -> Name:
    first = letter(variable, notation, whole=None in at)
    numbers, time = _numbers(variable, at)
    sup = _layer_mark(variable, notation) if layer and first.numbered else ""
    base = first.base
    if notation.marks.place == "base":
        base, sup = f"{base}{sup}", ""
    made = Name(base, _joined(numbers, variable, notation), sup, _style(variable, at, notation), first.accent)
    if several(variable) and (example is not None or at[0] is not None):
        made = notation.example.on(made, str((at[0] or 0) + 1) if example is None else example)
    joint = notation.example.joint if notation.example.place == "sup" else ""
    step = "" if time is None else filled_text(notation.marks.time, {"t": str(time)})
    sub = ",".join(part for part in (first.part, made.sub) if part)
    return replace(made, sub=sub, sup=joint.join(part for part in (made.sup, step) if part))


def _layer_mark(variable: Variable, notation: Notation) -> str:
    number = 0 if variable.place is None else variable.place.layer
    return filled_text(notation.marks.layer, {"layer": str(number), "level": str(number + 1)})


def _numbers(variable: Variable, at: Index) -> tuple[list[str | None], int | None]:
    """The indices that are written below, from 1, and the time step.

    An axis of length one that a sum kept is not counted. The row of one query is that of its position.
    """
    time = None if variable.place is None else variable.place.time
    numbers: list[str | None] = []
    for word, position in zip(axes(variable), at, strict=True):
        if word == "time":
            time = None if position is None else position + 1
        elif word == "query" and time is not None:
            numbers.append(str(time))
            time = None
        elif word not in ("example", ""):
            numbers.append(None if position is None else str(position + 1))
    return numbers, time


def _joined(numbers: Sequence[str | None], variable: Variable, notation: Notation) -> str:
    """The indices as one script, 12 where none can be longer than a digit; a colon for all along an axis."""
    time = 0 if variable.place is None else variable.place.time or 0
    close = len(numbers) == 2 and None not in numbers and max((*variable.shape, time)) < 10
    between = notation.marks.between if close else ","
    kept = list(numbers)
    while kept and kept[-1] is None:
        kept.pop()
    return between.join(":" if number is None else number for number in kept)


def _style(variable: Variable, at: Index, notation: Notation) -> str:
    """An element is a plain letter; a vector and a matrix are set as the notation sets activations and weights."""
    numbered = ("example", "") if variable.place is None or variable.place.time is None else ("example", "", "query")
    free = sum(p is None and word not in numbered for word, p in zip(axes(variable), at, strict=True))
    like = notation.array(variable.like) or notation.array("weight" if free > 1 else "activation")
    return like.style if free and like is not None else "italic"


def _code(variable: Variable, at: Index, notation: Notation, layer: bool, example: str | None) -> Name:
    """The array's own name with its letter, and the indices that are longer than one."""
    place = variable.place
    first = letter(variable, notation)
    number = _layer_mark(variable, notation) if layer and first.numbered else ""
    part = "" if place is None else place.stem.removeprefix(place.letter)
    time = "" if place is None or place.time is None else filled_text(notation.marks.time, {"t": str(place.time)})
    found: list[str] = []
    for word, position in zip(axes(variable), at, strict=True):
        if word == "example":
            found += [str(position) if example is None and position is not None else example or ":"] * several(variable)
        elif word and not (word == "query" and time):
            found.append(":" if position is None else str(position))
    while found and found[-1] == ":":
        found.pop()
    indices = f"[{','.join(found)}]" if found else ""
    return Name(f"{first.base}{number}{part}{time}{indices}", style="code")


# ---- arrays of equations --------------------------------------------------------------------


_PARTS = re.compile(r"(?P<base>[^\W\d_]+)(?P<number>\d*)(?:_(?P<rest>\w+))?_*")


def array_element(array: str, index: Sequence[int]) -> Name:
    """How an element of an array that a user named is written.

    It is typed as it is indexed, W[0, 0], and printed with subscripts counted from 1, W with 1,1; a number
    at the end of the name and what follows an underscore are subscripts too: theta1, W_xh.
    """
    match = _PARTS.fullmatch(array)
    base, first = (array, []) if match is None else (match["base"], [match["number"], match["rest"]])
    scripts = [*(part.replace("_", ",") for part in first if part), *(str(i + 1) for i in index)]
    typed = f"{array}[{', '.join(map(str, index))}]" if index else array
    return Name(base, ",".join(scripts), typed=typed)
