"""How the symbols and the lines of code on a page are read, said once, before they are used."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator

from derive import written
from derive.formula import Call, Formula, Name, Side, Symbol
from derive.functions import ACTIVATIONS, z
from derive.scalars import Index, Scalar
from render.compose.network.operations import functions
from render.compose.network.plan import Plan
from render.compose.opening import function_words
from render.compose.pen import equation, listed, paragraph, prose
from render.document import Block, Code, Inlines

MOST = 6
"""So many kinds of arrays have an element named as an example."""

CODE: tuple[tuple[str, str, str], ...] = (
    (r"@", "@", "is the matrix product"),
    (r"\.T\b", ".T", "exchanges rows and columns"),
    (r"[^*]\*[^*]", "*", "multiplies place by place"),
    (r"\*\*", "**", "is a power"),
    (r"\btranspose\(", "transpose", "puts the axes into another order"),
    (r"\breshape\(", "reshape", "writes the same numbers, in order, in another shape"),
    (r"\btake\(", "take", "picks rows by their numbers"),
    (r"\bidentity\(", "identity", "leaves a value as it is"),
    (r"\bkeepdims=", "keepdims", "keeps an axis that is summed over, with length 1"),
    (r"\baxis=-1", "axis=-1", "is the last axis"),
)
"""What stands in lines of code (as a pattern, and as it is quoted), and what it does."""

COUNTED = r"\w\[[^\]]*\d|\btake\(|\baxis=\d"
"""Where a line of code counts places."""

UNNAMED = ("", "example", "place", "row", "column", "part")
"""What is said of axes of which nothing else is known."""

KNOWN = ("identity", "tanh", "softmax", "log_softmax")
"""Functions that every reader knows by their sign, or that the page explains where they arise."""


def legend(plan: Plan) -> Iterator[Block]:
    """How the code, the elements of arrays and the functions are written."""
    yield from _code(plan)
    if examples := _elements(plan):
        yield paragraph("An element is written with its place in the array: {examples}.", examples=_joined(examples))
    yield from _functions(plan)


def _joined(items: list[Inlines]) -> Inlines:
    """Items with semicolons between them, which have commas of their own."""
    return tuple(inline for k, item in enumerate(items) for inline in ((*(prose("; ") if k else ()), *item)))


def _code(plan: Plan) -> Iterator[Block]:
    texts = "\n".join(entry.equation.text for entry in plan.entries)
    if not texts.strip():
        return
    said = [prose(f"{{code}} {words}", code=Code(code)) for pattern, code, words in CODE if re.search(pattern, texts)]
    sentences = ["In the equations {said}."] if said else []
    if re.search(COUNTED, texts):
        rest = "as everywhere on this page" if plan.pen.nth(0) == 0 else "but from 1 on the rest of this page"
        sentences.append(f"Places in an array are counted from 0 in them, {rest}.")
    if sentences:
        yield paragraph(" ".join(sentences), said=listed(said))


def _elements(plan: Plan) -> list[Inlines]:
    """An element of the first array of each kind: what its numbers count."""
    seen: set[Hashable] = set()
    found: list[tuple[bool, Inlines]] = []
    for name in (*plan.program.given, *(entry.name for entry in plan.entries)):
        variable, entry = plan.program.variables[name], plan.by_name.get(name)
        words = _axes(plan, name)
        time = entry.time if entry is not None else None
        bare = not set(words) - set(UNNAMED)
        role = variable.role if plan.layered and bare and time is None and variable.role != "bias" else ""
        kind = (words, time is not None, role)
        if not words or kind in seen or (time == 1 and _later(plan, name)):
            continue
        seen.add(kind)
        found.append((bare and time is None and role not in ("net", "activation"), _example(plan, name, words)))
    return [example for _, example in sorted(found, key=lambda pair: pair[0])[:MOST]]  # what needs it most, first


def _later(plan: Plan, name: str) -> bool:
    """Whether the same array occurs at a later time step, where it tells more."""
    own = plan.by_name[name]
    return any((e.layer, e.stem) == (own.layer, own.stem) and (e.time or 0) > 1 for e in plan.entries)


def _axes(plan: Plan, name: str) -> tuple[str, ...]:
    """What each axis counts, "" for the sole example; () for a single number."""
    variable = plan.program.variables[name]
    if not variable.shape:
        return ()
    words = list(plan.axes(name)) + [""] * (len(variable.shape) - len(plan.axes(name)))
    alone = variable.per_example and variable.shape[0] == 1
    own = range(1 if alone else 0, len(variable.shape))
    rank = len(own) - (1 if variable.per_example and not alone else 0)
    last = {1: ("place",), 2: ("row", "column")}.get(rank, ("part",) * (rank - 2) + ("row", "column"))
    for place, fallback in zip(reversed(own), reversed(last), strict=False):
        words[place] = words[place] or fallback
    return tuple("" if k not in own else word for k, word in enumerate(words))


def _example(plan: Plan, name: str, words: tuple[str, ...]) -> Inlines:
    """ "w₃ stands in W at row 2, column 1"; the places differ where they can, so that their order shows."""
    shape = plan.program.shape(name)
    last = len(shape) - 1
    index: Index = tuple(min(size - 1, max(0, last - k)) for k, size in enumerate(shape))
    entry = plan.by_name.get(name)
    time = entry.time if entry is not None else None
    row = time is not None and plan.layered and entry is not None and entry.layer not in plan.stepped
    places = [
        f"{word} {time if row and word == 'query' else plan.pen.nth(place)}"
        for word, place in zip(words, index, strict=True)
        if word
    ]
    return prose(
        "{element} stands in {array} at {places}{time}",
        element=plan.pen.symbol(Scalar(name, index)),
        array=plan.pen.array(name),
        places=", ".join(places),
        time=f", at time step {time}" if time is not None and not row else "",
    )


def _functions(plan: Plan) -> Iterator[Block]:
    """The definition of each function that goes by a sign."""
    used = set().union(*(functions(entry.equation.expression) for entry in plan.entries))
    net: Formula = Symbol(Name("u"))
    for name in (name for name in ACTIVATIONS if name in used and name not in KNOWN):
        row = ACTIVATIONS[name]
        if row.formula is None:
            continue
        letters: dict[object, Formula] = {z: net}
        if row.constant is not None:
            letters[row.constant] = Symbol(Name(str(row.constant)))
        definition = written.formula(row.formula, letters)
        called = Call(row.sign, (net,))
        yield paragraph("{called} is {words}:", called=called, words=function_words(name))
        yield equation((Side(called, ""), Side(definition)))
