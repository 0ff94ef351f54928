"""What the network is in words, its equations, and what is given."""

from __future__ import annotations

import re

from derive.formula import Formula
from derive.functions import LOSSES
from derive.layers import LAYERS
from derive.problem import Layer
from render.compose.network import arrays
from render.compose.network.legend import legend
from render.compose.network.plan import Entry, Plan
from render.compose.opening import function_words, loss_words
from render.compose.pen import capital, count, listed, paragraph, prose
from render.compose.program_drawings import figure
from render.compose.tables import Cell, table
from render.compose.topics import TOPICS
from render.document import Block, Code, Section

SIZES = {
    "units": "unit",
    "filters": "filter",
    "heads": "head",
    "vocabulary": "word",
}
"""The keys of a layer that count something, and what they count."""


def problem(plan: Plan) -> Section:
    """The problem."""
    blocks: list[Block] = [*(_layers(plan) if plan.layered else [_in_equations(plan)]), *_equations(plan)]
    return Section("problem", prose("The problem"), (*blocks, *legend(plan), *figure(plan.pen), *_given(plan)))


def _in_equations(plan: Plan) -> Block:
    pen = plan.pen
    asked = listed([pen.array(name) for name in plan.program.parameters])
    return paragraph(
        "{What} is computed by {equations}, each from what stands above it. We ask how it changes with {asked}: the "
        "*gradient*, which has one partial derivative for every number in them.",
        What=pen.error,
        equations=count(len(plan.entries), "equation"),
        asked=asked,
    )


def _layers(plan: Plan) -> list[Block]:
    """The layers in order, and what is asked."""
    problem, pen = plan.pen.derivation.problem, plan.pen
    out = {entry.layer: entry.name for entry in plan.entries if entry.layer}
    rows: list[list[Cell]] = [
        [str(number), capital(layer_in_words(layer)), arrays.shape_in_words(plan, out[number])]
        for number, layer in enumerate(problem.layers, start=1)
    ]
    examples = len(problem.examples)
    asked = (
        prose("every weight and bias")
        if problem.parameters is None
        else listed([pen.array(name) for name in plan.program.parameters])
    )
    loss = LOSSES[problem.loss.name]
    mean = loss.over_outputs == "mean" and len(plan.program.shape("t")) > 1 and plan.program.shape("t")[-1] > 1
    return [
        paragraph(
            "The network has {layers}. What comes in, {x}, is {shape}{examples}; each layer works on what the one before "
            "it hands on.",
            layers=count(len(problem.layers), "layer"),
            x=pen.array("x"),
            shape=arrays.counted(plan, "x"),
            examples="" if examples == 1 else ", all worked on together as a batch",
        ),
        *table(
            "tab-layers",
            prose("The layers in order, and what each hands on."),
            ("layer", "what it is", "it hands on"),
            rows,
            (False, False, False),
        ),
        *[
            paragraph("{What}: {summary}.", What=capital(layer_in_words(layer)), summary=LAYERS[layer.type].summary)
            for layer in {each.type: each for each in problem.layers}.values()
            if layer.type not in TOPICS
        ],
        paragraph(
            "How far the answer is from the target {t} is measured by the error {error}: {loss}{how}. We ask how {error} "
            "changes with {asked}: its *gradient*, one partial derivative for every number.",
            t=pen.array("t"),
            error=pen.error,
            loss=loss_words(loss.name),
            how=_over(mean, plan.program.shape("t"), examples, problem.loss.over_examples),
            asked=asked,
        ),
    ]


def _over(mean: bool, shape: tuple[int, ...], examples: int, over_examples: str) -> str:
    words = []
    if shape[1:] not in ((), (1,)):
        words.append("averaged over the outputs" if mean else "summed over the outputs")
    if examples > 1:
        words.append(f"{'averaged' if over_examples == 'mean' else 'summed'} over the examples")
    return f", {' and '.join(words)}" if words else ""


AMONG = {"softmax": "softmax over all of them", "log_softmax": "the logarithm of softmax over all of them"}
"""Functions over all units of a layer, as they are called after the layer itself."""


def named(function: str) -> str:
    """What an activation function is called after its layer."""
    return AMONG.get(function) or function_words(function)


def layer_in_words(layer: Layer) -> str:
    """A layer by its kind, its sizes and its activation: "LSTM of two units"."""
    keys = dict(layer.keys) | {"units": layer.units}
    called = TOPICS[layer.type].called if layer.type in TOPICS else layer.type.replace("_", " ")
    shapes = {array.name: array.shape for array in layer.arrays}
    sizes = []
    for key, singular in SIZES.items():
        number = keys.get(key)
        described = LAYERS[layer.type].keys.get(key)
        if number is None and described is not None and described.size_of is not None:
            stem, axis = described.size_of
            found = shapes.get(stem)
            number = found[axis] if found is not None and isinstance(axis, int) else None
        if number is None and key == "units" and layer.weights is not None and described is not None:
            number = len(layer.weights)
        if isinstance(number, int) and described is not None:
            sizes.append(count(number, singular))
    words = called + (f" of {' and '.join(sizes)}" if sizes else "")
    if "activation" in LAYERS[layer.type].keys:
        name = keys.get("activation") or layer.activation
        if name is not None and name != "identity":
            words += f", with {named(str(name))}"
    return words


# ---- the equations ---------------------------------------------------------------------------


def _equations(plan: Plan) -> tuple[Block, ...]:
    rows: list[list[Cell]] = []
    for group in plan.groups:
        if group.title:
            rows.append([prose(f"*{group.title}*"), "", ""])
        if len(group.times) > 1:
            rows.append(["as in the step before, each with its own input", "", ""])
            continue
        rows += [_equation_row(plan, entry) for entry in group.entries]
    header: list[Cell] = ["equation", "what it is", "shape"]
    return arrays.laid_out("tab-equations", prose("The equations."), header, rows)


def _equation_row(plan: Plan, entry: Entry) -> list[Cell]:
    text = source(plan, entry)
    line: Cell = (Code(text),) if text else prose("{name}, traced", name=plan.pen.array(entry.name))
    what: Cell = entry.meaning
    if plan.layered and what and entry.name != plan.program.error:  # the code's name may be another than the notation's
        what = prose("{symbol}, {what}", symbol=plan.pen.array(entry.name), what=entry.meaning)
    return [line, what, arrays.shape_in_words(plan, entry.name)]


def source(plan: Plan, entry: Entry) -> str:
    """An equation as it was written; a loss names what it reads a, which is the output of the last layer."""
    text = entry.equation.text
    if plan.layered and entry.name == "e":
        last = next(each.name for each in reversed(plan.entries) if each.layer)
        text = re.sub(r"\ba\b", last, text)
    return text


# ---- what is given ---------------------------------------------------------------------------


def _given(plan: Plan) -> list[Block]:
    pen = plan.pen
    given = [name for name in plan.program.given if name in pen.derivation.given]
    blocks: list[Block] = []
    if given:
        rows: list[list[Cell]] = []
        for name in given:
            what = capital(", ".join(each for each in (described(plan, name), arrays.reading(plan, name)) if each))
            rows += [[first, second, third] for first, second, third in arrays.rows(plan, name, pen.array(name), what)]
        blocks += arrays.laid_out("tab-given", prose("What is given."), ("", "what it is", "value"), rows)
    symbols: list[Formula] = [pen.array(name) for name in plan.program.given if name not in given]
    if symbols:
        blocks.append(
            paragraph(
                "{names} {have} no values here and {stay}.",
                names=listed(symbols),
                have="has" if len(symbols) == 1 else "have",
                stay="stays a symbol" if len(symbols) == 1 else "stay symbols",
            )
        )
    return blocks


def described(plan: Plan, name: str) -> str:
    """What a given array is, and of which layer."""
    variable = plan.program.variables[name]
    words = plan.meaning(name)
    if variable.place is None:
        return words
    several = len(plan.pen.derivation.problem.layers) > 1
    words = words or variable.place.stem
    return f"layer {variable.place.layer}, {words}" if several else words
