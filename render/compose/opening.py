"""Part 1, the problem: the network drawn, its numbers in a table, and what is to be learned."""

from __future__ import annotations

from collections.abc import Sequence

from derive.formula import Formula, Side
from derive.functions import LOSSES
from derive.notation import plain_name
from derive.scalars import Scalar
from render.compose import drawings
from render.compose.pen import NUMERALS, Pen, capital, count, listed, paragraph, prose
from render.compose.structure import FULL_ROWS, LayerView
from render.compose.tables import Cell, table
from render.document import Block, Figure, Inlines, Reference, Section

FUNCTION_WORDS = {
    "logistic": "the logistic function",
    "tanh": "the hyperbolic tangent",
    "relu": "the rectifier (ReLU)",
    "leaky_relu": "the leaky rectifier",
    "identity": "the identity, which leaves it as it is",
    "softplus": "the softplus function",
    "softmax": "the softmax over all of them",
    "log_softmax": "the logarithm of the softmax over all of them",
}


LOSS_WORDS = {
    "half_squared_error": "half the squared difference between target and output",
    "squared_error": "the squared difference between target and output",
    "mean_squared_error": "the squared difference between target and output",
    "binary_cross_entropy": "the binary cross-entropy between target and output",
    "categorical_cross_entropy": "the cross-entropy between target and output",
    "nll": "minus the target times the output, which is the logarithm of a probability",
}


def function_words(name: str) -> str:
    """What the prose calls an activation function; a row without words of its own goes by its name."""
    return FUNCTION_WORDS.get(name, f"the {name.replace('_', ' ')} function")


def loss_words(name: str) -> str:
    """What the prose calls the error of one output."""
    return LOSS_WORDS.get(name, f"the {name.replace('_', ' ')} of target and output")


def problem_part(pen: Pen, views: Sequence[LayerView]) -> Section:
    """The network drawn, its numbers in a table, and what is to be learned."""
    drawing = drawings.network(pen, views)
    blocks: list[Block] = [
        paragraph(
            "The network has {inputs}, {layers}. {activations}",
            inputs=count(views[0].weight.shape[1], "input"),
            layers=_layers_in_words(views),
            activations=_activations_in_words(views),
        ),
        _goal(pen, views),
        Figure(
            "fig-network",
            drawing,
            prose(
                "The network{and_numbers}.",
                and_numbers=drawings.shown_in_words(drawing),
            ),
            network_in_words(pen, views),
        ),
        *_given_tables(pen, views),
    ]
    return Section("problem", prose("The problem"), tuple(blocks))


def _layers_in_words(views: Sequence[LayerView]) -> str:
    hidden = [view for view in views if view.hidden]
    outputs = count(views[-1].units, "output unit")
    if not hidden:
        return f"no hidden layer, and {outputs}"
    if len(hidden) == 1:
        return f"one hidden layer of {count(hidden[0].units, 'unit')}, and {outputs}"
    numbers = [NUMERALS[view.units] if view.units < len(NUMERALS) else str(view.units) for view in hidden]
    sizes = f"{', '.join(numbers[:-1])} and {numbers[-1]}"
    return f"{count(len(hidden), 'hidden layer')} of {sizes} units, and {outputs}"


def _activations_in_words(views: Sequence[LayerView]) -> str:
    names = [view.row.name for view in views]
    if len(set(names)) == 1 and views[0].row.over_axis:
        return f"The outputs are {'the logarithms of ' * views[0].row.logarithm}the softmax of the net inputs."
    if len(set(names)) == 1:
        return f"Every unit passes its net input through {function_words(names[0])}."
    groups: list[tuple[list[LayerView], str]] = []
    for view in views:
        if groups and groups[-1][1] == view.row.name and not view.last:
            groups[-1][0].append(view)
        else:
            groups.append(([view], view.row.name))
    hidden = [view for view in views if view.hidden]
    parts = [f"{_who(members, hidden)} {function_words(name)}" for members, name in groups]
    return capital(", ".join(parts[:-1]) + " and " + parts[-1]) + "."


def _who(members: list[LayerView], hidden: list[LayerView]) -> str:
    """The units of some neighbouring layers, with their verb."""
    if members[0].last:
        return "the output unit uses" if members[0].units == 1 else "the output units use"
    units = sum(view.units for view in members)
    if len(members) == len(hidden):
        return (
            "the hidden unit uses"
            if units == 1
            else "all hidden units use"
            if len(hidden) > 1
            else "the hidden units use"
        )
    if len(members) == 1:
        return f"{'the unit' if units == 1 else 'the units'} of hidden layer {members[0].number} {'uses' if units == 1 else 'use'}"
    return f"the units of hidden layers {members[0].number} to {members[-1].number} use"


def _all_given(pen: Pen, scalars: list[Scalar]) -> Inlines:
    """A few quantities with their numbers; of many only which they are, for the table has the numbers."""
    if len(scalars) <= FULL_ROWS:
        return listed([given(pen, scalar) for scalar in scalars])
    first, last = pen.symbol(scalars[0]), pen.symbol(scalars[-1])
    return prose("{first}, …, {last} of {ref}", first=first, last=last, ref=Reference("tab-given"))


def _goal(pen: Pen, views: Sequence[LayerView]) -> Block:
    examples = views[0].examples
    loss = pen.derivation.problem.loss
    if examples == 1:
        what = "Given the {inputs} {x}, the network is to answer with the {targets} {t}."
    else:
        what = (
            "There are "
            + count(examples, "training example")
            + ", one a row of the table below; for each of them the network is to answer with the targets of its row."
        )
    averaged = LOSSES[loss.name].over_outputs == "mean" and views[-1].units > 1
    outputs = "averaged over the outputs" if averaged else ("summed over the outputs" if views[-1].units > 1 else "")
    over = ("averaged" if loss.over_examples == "mean" else "summed") + " over the examples" if examples > 1 else ""
    how = " and ".join(part for part in (outputs, over) if part)
    sentence = (
        " How far it is from that is measured by an error, {error}: {loss}{how}. To learn means to change the "
        "weights so that this error becomes smaller, and for that we need to know, for every weight, how the error "
        "changes when the weight does: its *gradient*, the partial derivative of {error} with respect to that weight."
    )
    return paragraph(
        what + sentence,
        inputs="input" if views[0].weight.shape[1] == 1 else "inputs",
        targets="target" if views[-1].units == 1 else "targets",
        x=_all_given(pen, [views[0].in_of(column) for column in range(views[0].weight.shape[1])]),
        t=_all_given(pen, [Scalar("t", (0, unit)) for unit in range(views[-1].units)]),
        error=pen.error,
        loss=loss_words(loss.name),
        how=f", {how}" if how else "",
    )


def given(pen: Pen, scalar: Scalar) -> Formula | tuple[Side, ...]:
    """A given quantity: its name, and its number where it has one."""
    if scalar.array in pen.derivation.given:
        return (Side(pen.symbol(scalar), ""), pen.value(scalar).side)
    return pen.symbol(scalar)


def network_in_words(pen: Pen, views: Sequence[LayerView]) -> str:
    """The drawing of the network for who cannot see it."""
    layers = [
        f"{count(view.units, 'unit')} in {'the output layer' if view.last else f'hidden layer {view.number}'}"
        for view in views
    ]
    text = f"A layered network: {count(views[0].weight.shape[1], 'input')}, then {', then '.join(layers)}, every unit joined to all of the layer before."
    if pen.numbers and sum(view.weight.shape[0] * view.weight.shape[1] for view in views) <= 12:
        weights = [
            f"{_plain(pen, scalar)} = {pen.value(scalar).text}"
            for view in views
            for scalar in pen.derivation.graph.scalars(view.weight.name)
        ]
        text += f" The weights: {', '.join(weights)}."
    return text


def _plain(pen: Pen, scalar: Scalar) -> str:
    return plain_name(pen.names.element(scalar.array, scalar.index))


def _given_tables(pen: Pen, views: Sequence[LayerView]) -> list[Block]:
    blocks: list[Block] = []
    if views[0].examples > 1:
        blocks += examples_table(pen, views)
    rows: list[list[Cell]] = []
    if views[0].examples == 1:
        rows += _rows(pen, "x", "input") + _rows(pen, "t", "target")
    for view in views:
        for variable, word in ((view.weight, "weight"), (view.bias, "bias")):
            if variable is not None:
                rows += _rows(pen, variable.name, f"{word} into {view.called}")
    rate = pen.derivation.problem.update
    if rate is not None:
        rows.append(["learning rate", pen.learning_rate, pen.rate])
    blocks += table(
        "tab-given",
        prose("What is given."),
        ("", "symbol", "value") if pen.numbers else ("", "symbol"),
        [row if pen.numbers else row[:2] for row in rows],
        (False, False, True)[: 3 if pen.numbers else 2],
    )
    return blocks


MOST_OF_A_KIND = 16
"""Of more inputs or weights of a kind than these the table has the first and the last."""


def _rows(pen: Pen, name: str, words: str) -> list[list[Cell]]:
    """A row for each element of an array; of many only the first ones and the last."""
    scalars = list(pen.derivation.graph.scalars(name))
    shown = scalars if len(scalars) <= MOST_OF_A_KIND else [*scalars[:3], scalars[-1]]
    rows: list[list[Cell]] = [
        [words, pen.symbol(s), pen.value(s) if name in pen.derivation.given else ""] for s in shown
    ]
    if len(shown) < len(scalars):
        rows.insert(3, [f"… {len(scalars) - 4} more", "", ""])
    return rows


def examples_table(pen: Pen, views: Sequence[LayerView], identifier: str = "tab-examples") -> tuple[Block, ...]:
    """A row for each training example: its inputs and its targets."""
    columns, outputs = views[0].weight.shape[1], views[-1].units
    header: list[Cell] = ["example"]
    header += [pen.bare(views[0].in_of(column)) for column in range(columns)]
    header += [pen.bare(Scalar("t", (0, unit))) for unit in range(outputs)]
    rows: list[list[Cell]] = []
    for example in range(views[0].examples):
        scalars = [views[0].in_of(column, example) for column in range(columns)] + [
            Scalar("t", (example, unit)) for unit in range(outputs)
        ]
        rows.append(
            [
                str(pen.nth(example)),
                *(pen.value(s) if s.array in pen.derivation.given else pen.symbol(s) for s in scalars),
            ]
        )
    return table(identifier, prose("The training examples."), header, rows, [True] * len(header))
