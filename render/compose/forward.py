"""Part 2, the forward pass: every unit's net input and output, and the error."""

from __future__ import annotations

from collections.abc import Sequence

from derive import written
from derive.formula import Call, Formula, Number, Side
from derive.functions import LOSSES, expand
from derive.scalars import Form, Scalar
from render.compose import notes
from render.compose.opening import function_words, given
from render.compose.pen import Pen, capital, count, equation, listed, paragraph, prose
from render.compose.structure import FULL_ROWS, LayerView
from render.compose.tables import Cell, table
from render.document import Block, Reference, Section

# ---- the forward pass ------------------------------------------------------------------------


def forward_part(pen: Pen, views: Sequence[LayerView]) -> Section:
    """Every unit's net input and output, and the error."""
    opening = paragraph(
        "First we see what the network answers with the weights that it has. Each unit adds up what comes in, every "
        "value "
        "times its weight, and the bias if there is one: this is its *net input*. Then it passes the net input "
        "through its "
        "activation function: this is its *output*."
        + (
            f" With several examples this is done for each of them; {_which_example(pen)} says which example is meant."
            if views[0].examples > 1
            else ""
        )
    )
    layers = [_forward_layer(pen, view, len(views)) for view in views]
    return Section("forward", prose("The forward pass"), (opening, *layers, _error_section(pen, views)))


def _which_example(pen: Pen) -> str:
    """Where a name says to which example it belongs."""
    example = pen.notation.example
    order = "first" if example.first or example.place == "at" else "last"
    if example.place != "sup":
        return f"the {order} index"
    raised = "raised number in parentheses" if example.mark == "({n})" else "raised number"
    others = any("(" in template.sup for template in pen.notation.elements.values())
    return f"the {order} {raised}" if others else f"a {raised}"


def _forward_layer(pen: Pen, view: LayerView, layers: int) -> Section:
    title = "The output layer" if view.last else ("The hidden layer" if layers == 2 else f"Hidden layer {view.number}")
    net, out = view.net_of(0), view.out_of(0)
    unit = pen.unit(net)
    blocks: list[Block] = [
        paragraph("The net input of {unit}:", unit=unit),
        equation(pen.forward_line(net), f"eq-{_key(net)}"),
    ]
    if view.row.name == "identity":
        blocks.append(paragraph("The unit is linear: its output is its net input, {out}.", out=_same(pen, out, net)))
    else:
        blocks.append(_activation_sentence(pen, view))
        blocks.append(equation(activation_line(pen, view, out), f"eq-{_key(out)}"))
    rest = [
        (unit, example) for example in range(view.examples) for unit in range(view.units) if (unit, example) != (0, 0)
    ]
    if rest:
        blocks += _the_others(pen, view, rest)
    return Section(f"forward-{view.number}", prose(title), tuple(blocks))


def _same(pen: Pen, out: Scalar, net: Scalar) -> tuple[Side, ...]:
    return (Side(pen.symbol(out), ""), Side(pen.symbol(net)), *([pen.value(out).side] if pen.numbers else []))


def _activation_sentence(pen: Pen, view: LayerView) -> Block:
    if view.row.logarithm:
        return paragraph(
            "The logarithm of softmax is a unit's net input less the logarithm of the sum of the exponentials of all "
            "{n} of the layer; the exponentials of the outputs are probabilities, which add up to 1:",
            n=view.units,
        )
    if view.row.over_axis:
        return paragraph(
            "Softmax divides the exponential of a unit's net input by the sum of the exponentials of all {n} of the "
            "layer, so that the outputs are positive and add up to 1:",
            n=view.units,
        )
    if view.row.kink:
        return paragraph(
            "{Function} lets a positive net input through as it is{negative}:",
            Function=capital(function_words(view.row.name)),
            negative=" and makes a negative one 0" if view.row.name == "relu" else "",
        )
    return paragraph(
        "{Function} squashes it:" if view.row.name in ("logistic", "tanh") else "{Function} turns it into the output:",
        Function=capital(function_words(view.row.name)),
    )


def activation_line(pen: Pen, view: LayerView, out: Scalar) -> tuple[Side, ...]:
    """out = f(net) = the definition written out = the same with numbers = result."""
    node = pen.derivation.graph.definition(out)
    if not isinstance(node, Form) or view.row.name == "tanh":
        return pen.forward_line(out)
    (part,) = node.parts
    definition = expand(node.formula)

    def write(by: Formula) -> Formula:
        return written.formula(definition, {node.symbols[0]: by})

    symbol = written.definition(part, pen.symbol)
    if not pen.numbers:
        return pen.line(pen.symbol(out), pen.definition(out), write(symbol), numbers=None, result=None)
    number = written.definition(part, pen.number)
    middle = (_max(symbol),) if view.row.name == "relu" else ((write(symbol),) if not view.row.kink else ())
    numbers = _max(number) if view.row.name == "relu" else (write(number) if not view.row.kink else None)
    return pen.line(
        pen.symbol(out),
        *(middle if view.row.name == "relu" else (pen.definition(out), *middle)),
        numbers=numbers,
        result=pen.value(out),
    )


def _max(argument: Formula) -> Formula:
    return Call("max", (Number("0"), argument))


def _the_others(pen: Pen, view: LayerView, rest: list[tuple[int, int]]) -> list[Block]:
    if not pen.numbers or (len(rest) < FULL_ROWS and view.examples == 1):
        few = rest[: FULL_ROWS - 1]
        blocks: list[Block] = [
            paragraph("In the same way for {units}:", units=listed([pen.unit(view.net_of(u, e)) for u, e in few]))
        ]
        for unit, example in few:
            blocks.append(
                equation(pen.forward_line(view.net_of(unit, example)), f"eq-{_key(view.net_of(unit, example))}")
            )
            if view.row.name != "identity":
                blocks.append(
                    equation(
                        activation_line(pen, view, view.out_of(unit, example)), f"eq-{_key(view.out_of(unit, example))}"
                    )
                )
        if len(few) < len(rest):
            blocks.append(paragraph("and so on for the other {n}.", n=count(len(rest) - len(few), "unit")))
        return blocks
    header: list[Cell] = ["unit", *(["example"] if view.examples > 1 else []), "net input", "output"]
    rows: list[list[Cell]] = []
    for example in range(view.examples):
        for unit in range(view.units):
            net, out = view.net_of(unit, example), view.out_of(unit, example)
            rows.append(
                [pen.unit(net), *([str(pen.nth(example))] if view.examples > 1 else []), pen.value(net), pen.value(out)]
            )
    return [
        paragraph(
            "In the same way for the other units{examples}; {ref} has them all.",
            examples=" and examples" if view.examples > 1 else "",
            ref=Reference(f"tab-forward-{view.number}"),
        ),
        *table(
            f"tab-forward-{view.number}",
            prose(
                "Net inputs and outputs of {layer}.",
                layer=view.called,
            ),
            header,
            rows,
            [False, *([True] if view.examples > 1 else []), True, True],
        ),
    ]


def _error_section(pen: Pen, views: Sequence[LayerView]) -> Section:
    last = views[-1]
    scalars = [Scalar("e", (example, unit)) for example in range(last.examples) for unit in range(last.units)]
    error = Scalar(pen.derivation.program.error, ())
    first = scalars[0]
    blocks: list[Block] = [
        paragraph(
            "Now the error. For {unit}{example} the target is {t} and the network answers {a}, so that its error is",
            unit=pen.unit(last.net_of(0)),
            example=" and the first example" if last.examples > 1 else "",
            t=given(pen, Scalar("t", (0, 0))),
            a=_given_or_value(pen, last.out_of(0)),
        ),
        equation(pen.forward_line(first), f"eq-{_key(first)}"),
    ]
    if len(scalars) > 1:
        if len(scalars) <= FULL_ROWS or not pen.numbers:
            blocks.append(
                paragraph(
                    "and in the same way" if len(scalars) > 2 else "and for {unit}",
                    unit=pen.unit(last.net_of(last.units - 1)),
                )
            )
            blocks += [equation(pen.forward_line(s), f"eq-{_key(s)}") for s in scalars[1:FULL_ROWS]]
        else:
            header: list[Cell] = ["output", *(["example"] if last.examples > 1 else []), "target", "answer", "error"]
            rows: list[list[Cell]] = []
            for s in scalars:
                example, unit = s.index
                rows.append(
                    [
                        pen.unit(last.net_of(unit, example)),
                        *([str(pen.nth(example))] if last.examples > 1 else []),
                        pen.value(Scalar("t", s.index)),
                        pen.value(Scalar(last.activation.name, s.index)),
                        pen.value(s),
                    ]
                )
            blocks += table(
                "tab-errors",
                prose("The error of each output."),
                header,
                rows,
                [False, *([True] if last.examples > 1 else []), True, True, True],
            )
    if len(scalars) > 1 or pen.definition(error) != pen.symbol(first):
        blocks.append(paragraph("The error of the network is {what}:", what=_what_the_error_is(pen, views)))
    else:
        blocks.append(paragraph("With a single output this is the error of the network:"))
    blocks.append(equation(error_line(pen), "eq-error", boxed=pen.numbers))
    blocks += notes.why_half(pen, views)
    blocks += notes.sum_or_mean(pen, views)
    return Section("forward-error", prose("The error"), tuple(blocks))


def _given_or_value(pen: Pen, scalar: Scalar) -> Formula | tuple[Side, ...]:
    return (Side(pen.symbol(scalar), ""), pen.value(scalar).side) if pen.numbers else pen.symbol(scalar)


def _what_the_error_is(pen: Pen, views: Sequence[LayerView]) -> str:
    loss = pen.derivation.problem.loss
    row = LOSSES[loss.name]
    several = views[-1].units > 1
    mean_outputs, mean_examples = (
        row.over_outputs == "mean" and several,
        loss.over_examples == "mean" and views[0].examples > 1,
    )
    if (mean_outputs and (mean_examples or views[0].examples == 1)) or (mean_examples and not several):
        return "the mean of these"
    if mean_outputs or mean_examples:
        return "their sum, divided by the number of " + ("outputs" if mean_outputs else "examples")
    return "the sum of these"


def error_line(pen: Pen) -> tuple[Side, ...]:
    """The error as the sum (or mean) of the outputs' errors, long sums elided."""
    sides = pen.forward_line(Scalar(pen.derivation.program.error, ()))
    return tuple(Side(pen.elided(side.formula), side.sign) for side in sides)


def _key(scalar: Scalar) -> str:
    return "-".join([scalar.array, *(str(i + 1) for i in scalar.index)])
