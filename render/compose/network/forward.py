"""The forward pass of any network: layer by layer and step by step, one element of each array worked out."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from math import prod

from derive.scalars import Leaf, Scalar
from render.compose.network import arrays, pictures
from render.compose.network.opening import source
from render.compose.network.operations import kind
from render.compose.network.plan import Entry, Group, Plan
from render.compose.pen import capital, equation, listed, paragraph, prose
from render.compose.tables import Cell
from render.compose.topics import OPERATIONS, TOPICS
from render.document import Block, Code, Inline, Section

ROW = 4
"""Of a row that is worked out whole so many elements are written."""

STEP = "This step reads its own input and the state that the step before has left."

MOVED = ("copied", "rearranged", "selected", "joined")
"""Kinds of equations that calculate nothing."""


def forward(plan: Plan) -> Section:
    """The forward pass."""
    blocks: list[Block] = [
        paragraph(
            "The equations are evaluated in order. Of each array one element is worked out, first in symbols, then in "
            "numbers; the table after them has all its numbers."
            if plan.pen.numbers
            else "The equations are evaluated in order. Of each array one element is written out."
        )
    ]
    if plan.layered and len(plan.pen.derivation.problem.examples) > 1:
        blocks.append(paragraph("All examples go through the network together; every quantity names its example."))
    said: set[str] = set()
    for group in plan.groups:
        inner = _group(plan, group, said)
        if group.title:
            blocks.append(Section(f"forward-{group.identifier}", prose(group.title), tuple(inner)))
        else:
            blocks += inner
    return Section("forward", prose("The forward pass"), tuple(blocks))


def _group(plan: Plan, group: Group, said: set[str]) -> list[Block]:
    blocks: list[Block] = []
    introduction = TOPICS[group.kind].introduction if group.kind in TOPICS and group.first_of_layer else ""
    if introduction and introduction not in said:
        said.add(introduction)
        blocks.append(paragraph(introduction))
    if len(group.times) > 1:
        return [*blocks, *_many_steps(plan, group)]
    worked = [entry for entry in group.entries if in_full(plan, group, entry)]
    if group.times and not group.first_of_layer and group.layer and STEP not in said:
        said.add(STEP)
        blocks.append(paragraph(STEP))
    for entry in worked:
        blocks += _entry(plan, entry, said)
    alike = [entry for entry in group.entries if entry not in worked]
    blocks += _alike(plan, alike, worked)
    return [*blocks, *_values(plan, group)]


def in_full(plan: Plan, group: Group, entry: Entry) -> bool:
    """Whether one of its elements is worked out: of several rows that compute alike the last, which sees most."""
    same = [
        each
        for each in group.entries
        if each.stem == entry.stem and (each.model or each.name) == (entry.model or entry.name)
    ]
    if len(same) > 1:
        return entry is same[-1] and not same[0].model
    return not entry.model


def _entry(plan: Plan, entry: Entry, said: set[str]) -> list[Block]:
    """What one equation does, in words, and one element worked out."""
    pen = plan.pen
    does = kind(entry.equation.expression)
    words = sentence(plan, entry)
    blocks = _introduced(plan, entry, words if not words or words not in said else _plainly(plan, entry))
    said.add(words)
    if does in MOVED:
        return [*blocks, *_moved(plan, entry, does)]
    scalars = telling(plan, entry)
    blocks += pictures.before(plan, entry, scalars[0])
    error = entry.name == plan.program.error
    for scalar in scalars:
        blocks.append(equation(pen.forward_line(scalar), f"eq-{key(scalar)}", boxed=error and pen.numbers))
    return blocks


def _introduced(plan: Plan, entry: Entry, words: str) -> list[Block]:
    """The words before one element; of plain equations the line itself, and what its comment says."""
    text = source(plan, entry)
    if plan.layered or not text:
        return [paragraph(words)] if words else []
    comment = entry.meaning.rstrip(".") if entry.equation.comment else ""
    told = words if words != _plainly(plan, entry) else ""  # a sentence, and not the comment over again
    if comment and comment.lower() in told.lower():
        comment = ""
    last = entry.name == plan.program.error
    start = "The first line is {line}" if entry is plan.entries[0] else "The next line is {line}"
    start = "Last comes the error, {line}" if last else start
    return [paragraph(f"{start}{f': {comment}' if comment else ''}.{f' {told}' if told else ''}", line=Code(text))]


def sentence(plan: Plan, entry: Entry) -> str:
    """What the topic, the operation or the meaning says of an entry."""
    found, does = plan.topic(entry), kind(entry.equation.expression)
    if does == "copied" or ("softmax" in does and entry.kind != "self_attention" and not entry.meaning):
        return OPERATIONS[does][0]
    if found is not None and found[1] in found[0].forward:
        return found[0].forward[found[1]]
    if does in OPERATIONS and (not entry.meaning or does in MOVED):
        return OPERATIONS[does][0]
    return _plainly(plan, entry)


def _plainly(plan: Plan, entry: Entry) -> str:
    if entry.name == plan.program.error:
        return "Last comes the error."
    if entry.layer and entry.stem.startswith("z_"):
        gate = plan.by_name.get(net_of(plan, entry))
        if gate is not None and gate.meaning:
            return f"The net input of the {gate.meaning.removeprefix('the ')}:"
    return f"{capital(entry.meaning)}:" if entry.meaning else "The next equation gives:"


def net_of(plan: Plan, entry: Entry) -> str:
    """The gate whose net input an entry is."""
    stem = entry.stem.removeprefix("z_")
    return next((e.name for e in plan.entries if (e.layer, e.stem, e.time) == (entry.layer, stem, entry.time)), "")


def telling(plan: Plan, entry: Entry) -> list[Scalar]:
    """The elements that are worked out: one that is neither 0 nor 1; of a row that looks at others the whole row."""
    found = plan.topic(entry)
    shape = entry.equation.expression.shape
    if found is not None and looks_back(plan, entry):
        row = (*(0 for _ in shape[:-2]), shape[-2] - 1)
        return [Scalar(entry.name, (*row, k)) for k in range(min(ROW, shape[-1]) if found[1] in found[0].rows else 1)]
    chosen = pictures.focus(plan, entry)
    return [chosen if chosen is not None else _moving(plan, entry)]


def looks_back(plan: Plan, entry: Entry) -> bool:
    """Whether its last row is the one that is worked out."""
    found = plan.topic(entry)
    return (
        found is not None and found[1] in (*found[0].rows, *found[0].last) and len(plan.program.shape(entry.name)) > 1
    )


def _moving(plan: Plan, entry: Entry) -> Scalar:
    """The first element that is neither 0 nor 1, where there is one."""
    scalars = list(islice(arrays.elements(plan, entry.name), 64))
    if not plan.pen.numbers or entry.name not in plan.pen.derivation.numeric:
        return scalars[0]
    values = plan.pen.derivation.floats(entry.name)
    return next((s for s in scalars if 1e-12 < abs(values[s.index]) != 1), scalars[0])


def _moved(plan: Plan, entry: Entry, does: str) -> list[Block]:
    """Where the numbers come from, for an equation that only moves them."""
    if does == "copied":
        return []
    scalar = next(arrays.elements(plan, entry.name))
    node = plan.pen.derivation.graph.definition(scalar)
    if not isinstance(node, Leaf):
        return []
    blocks: list[Block] = []
    if does == "selected" and len(node.scalar.index) > 1:
        row = plan.pen.nth(node.scalar.index[-2])
        blocks.append(
            paragraph(
                "The first number here comes from row {row} of {table}:",
                row=row,
                table=plan.pen.array(node.scalar.array),
            )
        )
    return [*blocks, equation(plan.pen.forward_line(scalar), f"eq-{key(scalar)}")]


# ---- what repeats ----------------------------------------------------------------------------


def _alike(plan: Plan, entries: Sequence[Entry], worked: Sequence[Entry]) -> list[Block]:
    """Which arrays are computed like others, and like which: the one of their stem that is worked out here, if it is."""
    here = {entry.stem: entry.name for entry in worked}
    models: dict[str, list[Entry]] = {}
    for entry in entries:
        models.setdefault(here.get(entry.stem) or entry.model or entry.name, []).append(entry)
    pen = plan.pen
    pairs: list[Inline] = []
    for model, same in models.items():
        own = [entry for entry in same if entry.name != model]
        if own:
            pairs += prose("; ") if pairs else ()
            pairs += prose(
                "{names} like {model}", names=listed([pen.array(e.name) for e in own]), model=pen.array(model)
            )
    if not pairs:
        return []
    start = "The others are computed as before" if worked else "Everything here is computed as before"
    return [paragraph(f"{start}: {{pairs}}.", pairs=tuple(pairs))]


def _many_steps(plan: Plan, group: Group) -> list[Block]:
    """Time steps that are all alike: the states alone."""
    first, last = group.entries[0], group.entries[-1]
    blocks: list[Block] = [
        paragraph(
            "These steps are computed like the one before, each with the input of its own step and with what the step "
            "before has left. The table has what each hands to the next."
        )
    ]
    handed = [e for e in group.entries if e.stem == last.stem and e.layer == first.layer]
    return [*blocks, *_table(plan, group, handed)]


def _values(plan: Plan, group: Group) -> tuple[Block, ...]:
    entries = [
        entry
        for entry in group.entries
        if prod(plan.program.shape(entry.name)) > 1 and kind(entry.equation.expression) != "copied"
    ]
    return _table(plan, group, entries)


def _table(plan: Plan, group: Group, entries: Sequence[Entry]) -> tuple[Block, ...]:
    """All the numbers of some arrays; none where they are symbols."""
    rows: list[Sequence[Cell]] = []
    for entry in entries:
        if plan.pen.numbers and entry.name in plan.pen.derivation.numeric:
            rows += arrays.rows(plan, entry.name, plan.pen.array(entry.name), meaning(plan, entry))
    if not rows:
        return ()
    caption = (
        prose("All the numbers of this section.")
        if not group.title
        else prose("{Where}, in numbers.", Where=group.title)
    )
    return arrays.laid_out(f"tab-forward-{group.identifier}", caption, ("", "what it is", "value"), rows)


def meaning(plan: Plan, entry: Entry) -> str:
    """What an entry is, in a table."""
    return entry.meaning


def key(scalar: Scalar) -> str:
    """An identifier of an element."""
    return "-".join([scalar.array, *(str(i + 1) for i in scalar.index)])
