"""What a layer has besides the weight that was worked out: its update, the other deltas and weights, briefly."""

from __future__ import annotations

from collections.abc import Sequence

from derive.formula import Partial, Side
from derive.scalars import Scalar
from render.compose import factors, notes, rules
from render.compose.keys import key
from render.compose.pen import Pen, count, equation, listed, paragraph, prose
from render.compose.structure import FULL_ROWS, TABLE_ROWS, LayerView, Selection
from render.compose.tables import Cell, table
from render.document import Block, Reference


def updates(pen: Pen, views: Sequence[LayerView], view: LayerView, selection: Selection) -> list[Block]:
    """The update of the weights that were worked out."""
    weights = selection.weights[view.number]
    if view.last:
        text = (
            "To make the error smaller the weight has to move against its gradient. How far is set by the learning "
            "rate, {eta}" + (". The new value of {w}:" if pen.plain_update else ", and by the rule of the update.")
        )
    else:
        text = "The new value of {w}:" if len(weights) == 1 else "The new values of {w}:"
        text = text if pen.plain_update else "The same rule for {w}:"
    blocks: list[Block] = []
    value = (Side(pen.learning_rate, ""), pen.rate.side)
    blocks.append(paragraph(text, eta=value, w=listed([pen.symbol(w) for w in weights])))
    if pen.sequential(weights[0]):
        blocks.append(
            paragraph(
                "In this problem the layers are updated one after the other, in a single sweep from the output "
                "backwards: the deltas of this layer are "
                "passed back through the weights {w} *already updated*. What is subtracted is therefore not the true "
                "gradient; it is called {g} here.",
                w=pen.array(f"W{view.number + 1}"),
                g=pen.swept_gradient(weights[0]),
            )
        )
        if view.number == len(views) - 1 and view.examples == 1 and not views[-1].row.over_axis:
            blocks.append(equation(factors.swept_line(pen, view, views[-1], weights[0]), key(weights[0], "swept")))
    if pen.plain_update:
        blocks += [equation(factors.update_line(pen, weight), key(weight, "update")) for weight in weights]
    else:
        blocks += rules.by_rule(pen, weights, introduced=not view.last)
    if (
        view.last
        and len(views) > 1
        and pen.derivation.problem.update is not None
        and pen.derivation.problem.update.order == "simultaneous"
    ):
        blocks.append(
            paragraph(
                "The new values are put aside for now. Until every gradient is known, the backward pass goes on with "
                "the old weights: all of the gradients belong to one and the same network."
            )
        )
        blocks += notes.why_the_old_weights(pen, views)
    return blocks


def the_others(pen: Pen, view: LayerView, following: LayerView | None, selection: Selection) -> list[Block]:
    """The layer's other deltas and weights, briefly, with every number."""
    done = set(selection.weights[view.number])
    weights = [weight for weight in pen.derivation.graph.scalars(view.weight.name) if weight not in done]
    known = {(weight.index[0], selection.example[weight]) for weight in done}
    blocks: list[Block] = []
    deltas = [(u, e) for e in range(view.examples) for u in range(view.units) if (u, e) not in known]
    if deltas:
        blocks += _other_deltas(pen, view, following, deltas)
    if weights:
        blocks += _other_weights(pen, view, weights)
    return blocks


def _other_deltas(pen: Pen, view: LayerView, following: LayerView | None, deltas: list[tuple[int, int]]) -> list[Block]:
    if len(deltas) <= FULL_ROWS - 2 or not pen.numbers:
        shown = deltas[: FULL_ROWS - 2]
        sentence = (
            "The other deltas of this layer are found in the same way:"
            if len(shown) > 1
            else "The other delta of this layer is found in the same way:"
        )
        lines = [
            equation(factors.delta_line(pen, view, following, u, e), f"eq-delta-{view.number}-{u + 1}-{e + 1}")
            for u, e in shown
        ]
        return [paragraph(sentence), *lines]
    header: list[Cell] = [
        "unit",
        *(["example"] if view.examples > 1 else []),
        Partial(pen.error, pen.nameless(view.out_of(0))),
        "delta",
    ]
    rows: list[list[Cell]] = []
    for example in range(view.examples):
        for unit in range(view.units):
            net, out = view.net_of(unit, example), view.out_of(unit, example)
            rows.append(
                [
                    pen.unit(net),
                    *([str(pen.nth(example))] if view.examples > 1 else []),
                    pen.gradient(out),
                    pen.gradient(net),
                ]
            )
    numeric = [False, *([True] if view.examples > 1 else []), True, True]
    caption = prose("The deltas of {layer}.", layer=view.called)
    return [
        paragraph(
            "The other deltas of this layer are found in the same way; {ref} has them all.",
            ref=Reference(f"tab-deltas-{view.number}"),
        ),
        *table(f"tab-deltas-{view.number}", caption, header, rows, numeric),
    ]


def _other_weights(pen: Pen, view: LayerView, weights: list[Scalar]) -> list[Block]:
    trained = view.weight.name in pen.derivation.trained
    one = len(weights) == 1
    if (len(weights) <= FULL_ROWS and view.examples <= 2) or not pen.numbers:
        shown = weights[:FULL_ROWS]
        blocks: list[Block] = [
            paragraph(
                "{The} of the layer by the delta rule:", The="The other gradient" if one else "The other gradients"
            )
        ]
        blocks += [equation(factors.gradient_line(pen, view, w), key(w, "rule")) for w in shown]
        if len(shown) < len(weights):
            blocks.append(paragraph("and so on for {n}.", n=count(len(weights) - len(shown), "more weight")))
        if trained and pen.numbers:
            blocks.append(paragraph("and {the}:", the="its new value" if one else "their new values"))
            blocks += [equation(factors.new_value(pen, w), key(w, "update")) for w in shown]
        return blocks
    header: list[Cell] = ["weight", "value", "gradient", *(["new value"] if trained else [])]
    every = list(pen.derivation.graph.scalars(view.weight.name))
    rows: list[list[Cell]] = [
        [pen.symbol(w), pen.value(w), pen.gradient(w), *([pen.after(w)] if trained else [])]
        for w in every[: TABLE_ROWS + 1]
    ]
    return [
        paragraph(
            "The other gradients of the layer by the delta rule; {ref} has them.",
            ref=Reference(f"tab-weights-{view.number}"),
        ),
        *table(
            f"tab-weights-{view.number}",
            prose("The weights of {layer}.", layer=view.called),
            header,
            rows,
            [False, True, True, *([True] if trained else [])],
            total=len(every),
            more="; chainrule gradients prints every one",
        ),
    ]
