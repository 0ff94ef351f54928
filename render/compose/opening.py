"""Part 1, the problem: the network drawn, its numbers in a table, and what is to be learned."""

from __future__ import annotations

from collections.abc import Sequence

from derive.formula import Formula, Side
from derive.functions import LOSSES
from derive.notation import plain_name
from derive.scalars import Scalar
from render.compose import drawings
from render.compose.pen import Pen, capital, count, listed, paragraph, prose
from render.compose.structure import FULL_ROWS, LayerView
from render.compose.tables import Cell, table
from render.document import Block, Figure, Section

FUNCTION_WORDS = {
    "logistic": "the logistic function",
    "tanh": "the hyperbolic tangent",
    "relu": "the rectifier (ReLU)",
    "leaky_relu": "the leaky rectifier",
    "identity": "the identity (they are linear)",
    "softplus": "the softplus function",
    "softmax": "the softmax over all of them",
}


LOSS_WORDS = {
    "half_squared_error": "half the squared difference between target and output",
    "squared_error": "the squared difference between target and output",
    "mean_squared_error": "the squared difference between target and output",
    "binary_cross_entropy": "the binary cross-entropy between target and output",
    "categorical_cross_entropy": "the cross-entropy between target and output",
}


def function_words(name: str) -> str:
    """What the prose calls an activation function; a row without words of its own goes by its name."""
    return FUNCTION_WORDS.get(name, f"the {name.replace('_', ' ')} function")


def loss_words(name: str) -> str:
    """What the prose calls the error of one output."""
    return LOSS_WORDS.get(name, f"the {name.replace('_', ' ')} of target and output")


def problem_part(pen: Pen, views: Sequence[LayerView]) -> Section:
    """The network drawn, its numbers in a table, and what is to be learned."""
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
            drawings.network(pen, views),
            prose(
                "The network{and_numbers}.",
                and_numbers=", with its weights, biases, inputs and targets" if pen.numbers else "",
            ),
            _network_in_words(pen, views),
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
    sizes = [count(view.units, "unit") for view in hidden]
    return f"{count(len(hidden), 'hidden layer')} of {', '.join(sizes[:-1])} and {sizes[-1]}, and {outputs}"


def _activations_in_words(views: Sequence[LayerView]) -> str:
    names = [view.row.name for view in views]
    if len(set(names)) == 1:
        return (
            f"Every unit passes its net input through {function_words(names[0])}."
            if names[0] != "softmax"
            else ("The outputs are the softmax of the net inputs.")
        )
    parts = []
    for view in views:
        who = (
            "the output units"
            if view.last
            else ("the hidden units" if len(views) == 2 else f"the units of hidden layer {view.number}")
        )
        parts.append(f"{who} use {function_words(view.row.name)}")
    return capital(", ".join(parts[:-1]) + " and " + parts[-1]) + "."


def _goal(pen: Pen, views: Sequence[LayerView]) -> Block:
    examples = views[0].examples
    loss = pen.derivation.problem.loss
    if examples == 1:
        what = "Given the inputs {x}, the network is to answer with the targets {t}."
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
        "changes when the weight does: its *gradient*, the partial derivative of {error} by that weight."
    )
    return paragraph(
        what + sentence,
        x=listed([given(pen, views[0].in_of(column)) for column in range(min(views[0].weight.shape[1], FULL_ROWS))]),
        t=listed([given(pen, Scalar("t", (0, unit))) for unit in range(min(views[-1].units, FULL_ROWS))]),
        error=pen.error,
        loss=loss_words(loss.name),
        how=f", {how}" if how else "",
    )


def given(pen: Pen, scalar: Scalar) -> Formula | tuple[Side, ...]:
    """A given quantity: its name, and its number where it has one."""
    if scalar.array in pen.derivation.given:
        return (Side(pen.symbol(scalar), ""), pen.value(scalar).side)
    return pen.symbol(scalar)


def _network_in_words(pen: Pen, views: Sequence[LayerView]) -> str:
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
    numbers = pen.derivation.given
    blocks: list[Block] = []
    if views[0].examples > 1:
        blocks += _examples_table(pen, views)
    rows: list[list[Cell]] = []
    if views[0].examples == 1:
        rows += [
            ["input", pen.symbol(s), pen.value(s) if "x" in numbers else ""] for s in pen.derivation.graph.scalars("x")
        ]
        rows += [
            ["target", pen.symbol(s), pen.value(s) if "t" in numbers else ""] for s in pen.derivation.graph.scalars("t")
        ]
    for view in views:
        for variable, word in ((view.weight, "weight"), (view.bias, "bias")):
            if variable is None:
                continue
            where = f"into {view.called}"
            rows += [
                [f"{word} {where}", pen.symbol(s), pen.value(s) if variable.name in numbers else ""]
                for s in pen.derivation.graph.scalars(variable.name)
            ]
    rate = pen.derivation.problem.update
    if rate is not None:
        rows.append(["learning rate", pen.learning_rate, pen.rate])
    blocks += table(
        "tab-given",
        prose("What is given."),
        ("", "symbol", "value") if pen.numbers else ("", "symbol"),
        [row if pen.numbers else row[:2] for row in rows],
        (False, False, True)[: 3 if pen.numbers else 2],
        more="; they stand in the problem file",
    )
    return blocks


def _examples_table(pen: Pen, views: Sequence[LayerView]) -> tuple[Block, ...]:
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
    return table("tab-examples", prose("The training examples."), header, rows, [True] * len(header))
