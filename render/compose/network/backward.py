"""The backward pass of any network: the sections of the forward pass in reverse, then the parameters."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from functools import cache
from math import prod

from derive.program import Equation, Expression, Ref, parts, references
from derive.scalars import Scalar
from render.compose.network import arrays, asides, terms
from render.compose.network.forward import MOVED, net_of
from render.compose.network.opening import described
from render.compose.network.operations import kind, skeleton
from render.compose.network.plan import Entry, Group, Plan
from render.compose.pen import count, listed, paragraph, prose
from render.compose.tables import Cell
from render.compose.topics import OPERATIONS, TOPICS
from render.document import Block, Inline, Inlines, Section


def backward(plan: Plan) -> Section | None:
    """Every array between the parameters and the error, the error's side first."""
    pen, program = plan.pen, plan.program
    wanted = {
        entry.name
        for entry in plan.entries
        if entry.name in pen.derivation.gradient.adjoints and entry.name not in (program.error, *program.parameters)
    }
    if not wanted:
        return None
    blocks: list[Block] = [
        paragraph(
            "Now backwards, from {error} towards what we ask for, in the reverse order. An array changes the error through "
            "every equation that reads it. For each of its elements the chain rule adds up one term for every element "
            "that is computed from it: the gradient that has arrived there, times the local derivative.",
            error=pen.error,
        )
    ]
    seen: dict[Hashable, str] = {}
    said: set[str] = set()
    for group in reversed(plan.groups):
        entries = [entry for entry in reversed(group.entries) if entry.name in wanted]
        if not entries:
            continue
        inner = _group(plan, group, entries, seen, said)
        if group.title:
            blocks.append(Section(f"backward-{group.identifier}", prose(group.title), tuple(inner)))
        else:
            blocks += inner
    return Section("backward", prose("The backward pass"), tuple(blocks))


def _group(
    plan: Plan, group: Group, entries: Sequence[Entry], seen: dict[Hashable, str], said: set[str]
) -> list[Block]:
    blocks: list[Block] = []
    alike: list[tuple[str, str]] = []
    shown: list[str] = []
    for entry in entries:
        pattern = _pattern(plan, entry.name, entry.layer)
        model = seen.get(pattern) or next((each for each in shown if plan.by_name[each].stem == entry.stem), "")
        if model:
            alike.append((entry.name, model))
            continue
        seen[pattern] = entry.name
        shown.append(entry.name)
        blocks += _array(plan, entry, said)
    blocks += _alike(plan, alike, bool(blocks), group)
    rows: list[Sequence[Cell]] = []
    if plan.pen.numbers:
        for entry in entries if len(group.times) < 2 else [e for e in entries if e.stem == group.entries[-1].stem]:
            if prod(plan.program.shape(entry.name)) > 1:
                rows += _rows(plan, entry.name, entry.meaning)
    if rows:
        where = (
            prose("{Where}: the gradients.", Where=group.title) if group.title else prose("The gradients on the way.")
        )
        blocks += arrays.laid_out(f"tab-backward-{group.identifier}", where, ("", "by what", "value"), rows)
    return blocks


def _rows(plan: Plan, name: str, words: str) -> list[Sequence[Cell]]:
    symbol = arrays.gradient_symbol(plan, name)
    return list(arrays.rows(plan, name, symbol, words, plan.pen.derivation.gradient.adjoints[name]))


def _alike(plan: Plan, pairs: Sequence[tuple[str, str]], more: bool, group: Group) -> list[Block]:
    """Which gradients are found like others, and like which."""
    if not pairs:
        return []
    if len(group.times) > 1:
        return [paragraph("These steps go like the one after them, each with its own numbers.")]
    models: dict[str, list[str]] = {}
    for name, model in pairs:
        models.setdefault(model, []).append(name)
    words: list[Inline] = []
    for model, names in models.items():
        words += prose(
            "; {names} like {model}" if words else "{names} like {model}",
            names=listed([plan.pen.array(name) for name in names]),
            model=plan.pen.array(model),
        )
    start = "The rest goes as before" if more else "Everything here goes as before"
    return [paragraph(f"{start}, by the same equations: {{words}}.", words=tuple(words))]


def _array(plan: Plan, entry: Entry, said: set[str]) -> list[Block]:
    """The gradient of one array: through which equations, in words, and one element worked out."""
    words = sentence(plan, entry)
    blocks: list[Block] = [through(plan, entry.name, words if words not in said else "")]
    said.add(words)
    readers = read_by(plan, entry.name)
    moved = len(readers) == 1 and kind(readers[0].expression) in MOVED
    scalar = terms.telling(plan, entry.name)
    if not moved or plan.program.error == readers[0].target:
        blocks += terms.chain(plan, scalar)
    for note in asides.on_the_way(plan, entry, scalar):
        if note.identifier not in said:
            said.add(note.identifier)
            blocks.append(note)
    return blocks


def through(plan: Plan, name: str, words: str, element: Scalar | None = None) -> Block:
    """Which equations read an array, what its topic says of the way back, and which element is taken."""
    readers = read_by(plan, name)
    return paragraph(
        "{Name} is read by {equations} for {readers}."
        + (f" {words}" if words else "")
        + (" Take {element}." if element is not None else ""),
        Name=arrays.symbol(plan, name),
        equations="the equation" if len(readers) == 1 else f"{count(len(readers), 'equation')}, those",
        readers=_names(plan, readers),
        element=plan.pen.symbol(element) if element is not None else "",
    )


MANY = 5
"""Of more equations that read an array than these the first and the last are named."""


def _names(plan: Plan, readers: Sequence[Equation]) -> Inlines:
    symbols = [arrays.symbol(plan, equation.target) for equation in readers]
    if len(symbols) <= MANY:
        return listed(symbols)
    return prose("{first}, {second}, …, {last}", first=symbols[0], second=symbols[1], last=symbols[-1])


def read_by(plan: Plan, name: str) -> list[Equation]:
    """The equations that read an array and lead to the error."""
    adjoints = plan.pen.derivation.gradient.adjoints
    return [e for e in plan.program.equations if e.target in adjoints and name in references(e.expression)]


def sentence(plan: Plan, entry: Entry) -> str:
    """What the topic or the operation that reads it says of the way back."""
    found = plan.topic(entry)
    readers = read_by(plan, entry.name)
    if any(reader.target == plan.program.error for reader in readers):
        return "This is where the error enters."
    if readers and all(kind(reader.expression) == "copied" for reader in readers):
        return OPERATIONS["copied"][1]
    shares = [does for reader in readers if "softmax" in (does := kind(reader.expression))]
    spoken = found is not None and not _handed_on(plan, entry, found[1], readers) and not (shares and found[1] == "z")
    if found is not None and spoken and found[1] in found[0].backward:
        return found[0].backward[found[1]]
    if shares:
        return OPERATIONS[shares[0]][1]
    if entry.layer and entry.stem.startswith("z_") and net_of(plan, entry):
        return "The derivative of its activation function, written in the output, is the factor."
    if any(_later(plan, entry, reader) for reader in readers):
        return RECURRENCE
    for reader in readers:
        does = kind(reader.expression)
        other = plan.by_name[reader.target]
        if (
            other.kind in TOPICS
            and other.stem == "a"
            and other.layer != entry.layer
            and "a" in TOPICS[other.kind].backward
        ):
            return TOPICS[other.kind].backward["a"]
        if other.kind == "dense" and other.stem == "z":
            return WEIGHED
        if does in OPERATIONS:
            return OPERATIONS[does][1]
    return ""


WEIGHED = (
    "Every unit of the layer that reads it has a weight for it, and sends back the gradient by its net input, times that "
    "weight."
)
RECURRENCE = "The next time step reads it too, and sends back its part of the error."


def _handed_on(plan: Plan, entry: Entry, stem: str, readers: Sequence[Equation]) -> bool:
    """Whether an entry is only what a layer puts out: then what reads it has the word."""
    return stem == "a" or (stem == "h" and len(readers) == 1 and not _later(plan, entry, readers[0]))


def _later(plan: Plan, entry: Entry, reader: Equation) -> bool:
    """Whether an equation that reads an entry belongs to another time step."""
    other = plan.by_name[reader.target]
    return entry.time is not None and other.time is not None and other.time != entry.time


# ---- what repeats ----------------------------------------------------------------------------


def _pattern(plan: Plan, name: str, layer: int) -> Hashable:
    """How an array reaches the error: the patterns of the equations that read it, and at which places."""
    readers = read_by(plan, name)
    return (layer, frozenset((skeleton(e.expression), _places(e.expression, name)) for e in readers))


@cache
def _places(expression: Expression, name: str) -> tuple[int, ...]:
    """At which places of an expression, counted through, an array is read; what is only joined stands anywhere."""
    if kind(expression) == "joined":
        return ()
    return tuple(place for place, leaf in enumerate(_leaves(expression)) if leaf == name)


def _leaves(expression: Expression) -> list[str]:
    if isinstance(expression, Ref):
        return [expression.name]
    return [leaf for part in parts(expression) for leaf in _leaves(part)]


# ---- the parameters --------------------------------------------------------------------------


def gradients(plan: Plan) -> Section:
    """∂E/∂(parameter): one element of each new kind, then all of them in a table."""
    pen, program = plan.pen, plan.program
    blocks: list[Block] = [
        paragraph(
            "Now come the gradients that were asked for. A gradient has arrived at every place where a parameter is used; "
            "each is multiplied by the local derivative there, which is often the value that the parameter was "
            "multiplied with, and the products are added up."
        )
    ]
    seen: dict[Hashable, str] = {}
    said: set[str] = set()
    alike: list[tuple[str, str]] = []
    for name in program.parameters:
        if not read_by(plan, name):
            blocks.append(paragraph(_no_reader(plan, name), name=pen.array(name)))
            continue
        place = program.variables[name].place
        pattern = _pattern(plan, name, place.layer if place else 0)
        if pattern in seen:
            alike.append((name, seen[pattern]))
            continue
        seen[pattern] = name
        blocks += _parameter(plan, name, said)
    if alike:
        blocks += _alike(plan, alike, True, Group("", "", "", 0, ()))
    if pen.numbers:
        rows = [row for name in program.parameters for row in _rows(plan, name, described(plan, name))]
        blocks += arrays.laid_out("tab-gradients", prose("All the gradients."), ("", "by what", "value"), rows)
    return Section("gradients", prose("The gradients"), tuple(blocks))


def _no_reader(plan: Plan, name: str) -> str:
    if name == plan.program.error:
        return "The derivative of {name} by itself is 1."
    return "The error does not depend on {name}: its gradient is zero."


def _parameter(plan: Plan, name: str, said: set[str]) -> list[Block]:
    variable = plan.program.variables[name]
    scalar = terms.telling(plan, name)
    words = ""
    if variable.place is not None:
        kind_of_layer = plan.pen.derivation.problem.layers[variable.place.layer - 1].type
        topic = TOPICS.get(kind_of_layer)
        words = topic.backward.get(variable.place.stem, "") if topic is not None else ""
    step = plan.pen.derivation.gradient_steps.get(scalar)
    shared = step is not None and len(step.terms) > 1
    if not words and shared:
        words = _sum_words(plan, scalar)
    blocks: list[Block] = [
        through(plan, name, words if words not in said else "", scalar if variable.shape else None),
        *terms.chain(plan, scalar, boxed=True, rows=shared),
    ]
    said.add(words)
    for note in asides.of_parameter(plan, name, scalar):
        if note.identifier not in said:
            said.add(note.identifier)
            blocks.append(note)
    return blocks


def _sum_words(plan: Plan, scalar: Scalar) -> str:
    """Over what the sum of a shared parameter goes."""
    step = plan.pen.derivation.gradient_steps[scalar]
    where = [plan.whereabouts(term.factors[-1].of) for term in step.terms]
    kinds = [word for word in ("time step", "example", "position", "row") if len({_of(w, word) for w in where}) > 1]
    if not kinds:
        return ""
    over = {"time step": "time steps", "example": "examples", "position": "positions", "row": "places"}
    return f"The same numbers are used every time, and the gradient is a sum over the {' and the '.join(over[k] for k in kinds)}."


def _of(where: str, word: str) -> str:
    return next((part for part in where.split(", ") if part.startswith(word)), "")
