"""What an exercise gives of the calculation: the values from which its lines start, each unless it is asked for."""

from __future__ import annotations

from collections.abc import Sequence

from derive.formula import Formula, Side
from derive.scalars import Scalar
from derive.variants.asked import Asked
from render.compose.brief import in_halves
from render.compose.pen import Shown, Slot, listed, paragraph, prose
from render.compose.tables import Cell
from render.document import Block
from render.exercises.desk import Desk, Ground
from render.exercises.kind import Told
from render.exercises.lines import known_values, missing_upstream, way_back

Facts = frozenset[Asked]


def given_first(desk: Desk, way: Sequence[Scalar], withheld: Facts = frozenset()) -> tuple[Block, ...]:
    """The sentence that gives what backward lines start from; nothing where they start from given numbers alone."""
    return given_values(desk, known_values(desk, way), missing_upstream(desk, way), withheld)


MOST_LISTED = 9
"""So many values stand in a sentence; of more there is a table."""


def given_values(
    desk: Desk, values: Sequence[Scalar], upstream: Sequence[Scalar] = (), withheld: Facts = frozenset()
) -> tuple[Block, ...]:
    """The sentence that gives values of the forward pass, and ∂E by some of them.

    What is ``withheld`` is named without its number: it is the answer of another exercise.
    """
    pen = desk.pen
    if not pen.numbers:
        return ()
    facts: list[tuple[Asked, Formula, Shown]] = [
        (Asked("value", each), pen.symbol(each), pen.value(each)) for each in values
    ]
    facts += [(Asked("delta", each), desk.by(each), pen.gradient(each)) for each in upstream]
    told = [(name, shown) for fact, name, shown in facts if fact not in withheld]
    names: list[Slot] = [name for fact, name, _ in facts if fact in withheld]
    start = "From the calculation so far" if upstream else "From the forward pass"
    made: list[Block] = []
    if told and len(told) <= MOST_LISTED:
        stated: list[Slot] = [(Side(name, ""), shown.side) for name, shown in told]
        made.append(paragraph("{start} we have {values}.", start=start, values=listed(stated)))
    elif told:
        rows: list[list[Cell]] = [[name, shown] for name, shown in told]
        made += in_halves("", prose("{start}.", start=start), ("", "value"), rows)
    if names:
        more = "too" if told else "here"
        sentence = "You need {names} {more}, from the other exercises on this sheet."
        made.append(paragraph(sentence, names=listed(names), more=more))
    return tuple(made)


def told_of_way(ground: Ground, target: Scalar) -> Told:
    """What an exercise about ∂E/∂target gives, and what has to be found on the way."""
    way = way_back(ground, target)
    values = tuple(Asked("value", each) for each in known_values(ground, way))
    upstream = tuple(Asked("delta", each) for each in missing_upstream(ground, way))
    return Told((*values, *upstream), tuple(Asked("delta", each) for each in way))
