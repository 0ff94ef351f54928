"""The factors of the chain rule, each explained, with its formula, numbers and result."""

from __future__ import annotations

from collections.abc import Sequence

from derive import written
from derive.formula import Call, Mark, Product, Side
from derive.quantities import reads
from derive.scalars import Scalar
from render.compose import definitions, factors, notes
from render.compose.keys import key
from render.compose.pen import Pen, count, equation, paragraph, prose
from render.compose.structure import FULL_ROWS, LayerView, local
from render.document import Block, Colored, Inlines


def first_factor_of_output(pen: Pen, view: LayerView, weight: Scalar, example: int) -> list[Block]:
    """How the error changes with an output, in a sentence and a line."""
    unit = weight.index[0]
    out = view.out_of(unit, example)
    if view.row.over_axis:
        return _softmax_paths(pen, view, weight, example)
    return [
        paragraph(
            "{first}: how much does the error change with the output of {unit}? Of all the errors only {e} contains "
            "{out}:",
            first=Colored(1, "The first factor"),
            unit=pen.unit(view.net_of(unit)),
            e=pen.symbol(Scalar("e", out.index)),
            out=pen.symbol(out),
        ),
        equation(factors.loss_line(pen, out, Mark(1, pen.partial(None, out))), key(weight, "first")),
        *definitions.loss(pen, out),
        *notes.where_the_minus_comes_from(pen, out),
        *notes.where_the_logarithm_goes(pen, out),
    ]


def _telling_outputs(pen: Pen, view: LayerView, unit: int, example: int) -> list[int]:
    """The outputs whose paths are written out: all of a few; of many the unit's own, those wanted, and one other."""
    if view.units <= FULL_ROWS - 2:
        return list(range(view.units))
    wanted = {unit}
    if "t" in pen.derivation.given:
        wanted |= {k for k in range(view.units) if pen.derivation.given["t"][example, k] != 0}
    other = next((k for k in range(view.units) if k not in wanted), unit)
    return sorted({*sorted(wanted)[: FULL_ROWS - 3], other})


def _softmax_paths(pen: Pen, view: LayerView, weight: Scalar, example: int) -> list[Block]:
    net = view.net_of(weight.index[0], example)
    blocks: list[Block] = [
        paragraph(
            "{first} and {second}, path by path. The derivative of {function} is {same} for the unit's own output and "
            "{other} for another's:",
            function="the logarithm of softmax" if view.row.logarithm else "softmax",
            first=Colored(1, "The first factor"),
            second=Colored(2, "the second"),
            same=pen.expression(local(pen.derivation, view.out_of(weight.index[0], example), net)),
            other=pen.expression(local(pen.derivation, view.out_of((weight.index[0] + 1) % view.units, example), net)),
        )
    ]
    shown = _telling_outputs(pen, view, weight.index[0], example)
    for k in shown:
        out = view.out_of(k, example)
        blocks.append(equation(factors.loss_line(pen, out, Mark(1, pen.partial(None, out)))))
        blocks += definitions.loss(pen, out) if view.last and k == shown[0] else ()
        blocks.append(equation(factors.activation_line(pen, view, out, net, Mark(2, pen.partial(out, net)))))
    if len(shown) < view.units:
        blocks.append(paragraph("and so on for {n}.", n=count(view.units - len(shown), "more output")))
    if view.last:
        blocks += definitions.activation(pen, view, net, view.out_of(weight.index[0], example))
    blocks.append(
        paragraph(
            "Together they are the *delta* of {unit}, how the error changes with its net input:", unit=pen.unit(net)
        )
    )
    blocks.append(equation(factors.softmax_delta_line(pen, view, None, weight.index[0], example), key(weight, "delta")))
    blocks += notes.why_softmax_reaches_all(pen, view, weight.index[0], example)
    if (view.row.name, pen.derivation.problem.loss.name) in factors.BECOMES_DIFFERENCE:
        blocks.append(_softmax_and_cross_entropy(pen, view, weight.index[0], example))
        blocks += notes.why_zero_target_counts(pen, view, weight.index[0], example)
    return blocks


def _softmax_and_cross_entropy(pen: Pen, view: LayerView, unit: int, example: int) -> Block:
    net, out, target = view.net_of(unit, example), view.out_of(unit, example), Scalar("t", (example, unit))
    probability = Call("exp", (pen.symbol(out),)) if view.row.logarithm else pen.symbol(out)
    difference = pen.line(
        pen.delta(net),
        written.added(
            [
                probability,
                written.formula(
                    -pen.derivation.graph.symbol(target), {pen.derivation.graph.symbol(target): pen.symbol(target)}
                ),
            ]
        ),
        numbers=None,
        result=pen.gradient(net) if pen.numbers else None,
    )
    mean = pen.derivation.problem.loss.over_examples == "mean" and view.examples > 1
    return paragraph(
        "Because the targets add up to 1, this sum is nothing but {difference}{divided}: {words}.",
        words=factors.BECOMES_DIFFERENCE[view.row.name, pen.derivation.problem.loss.name],
        difference=difference[:2] if mean else difference,
        divided=f", divided by the {view.examples} examples" if mean else "",
    )


def first_factor_of_hidden(
    pen: Pen, views: Sequence[LayerView], view: LayerView, following: LayerView, weight: Scalar, example: int
) -> list[Block]:
    """How the error changes with a hidden unit's output: the sum over the units that it feeds, each path worked out."""
    unit = weight.index[0]
    out = view.out_of(unit, example)
    feeds = factors.paths(pen, following, unit, example)
    left = Mark(1, pen.partial(None, out))
    blocks: list[Block] = [
        paragraph(
            "{first}: how much does the error change with the output of {unit}? One term for each unit that it feeds:",
            first=Colored(1, "The first factor"),
            unit=pen.unit(view.net_of(unit)),
        ),
        equation(
            (
                Side(left, ""),
                Side(
                    pen.elided(
                        written.added([Product((pen.partial(None, net), pen.partial(net, out))) for net, _ in feeds])
                    )
                ),
            ),
            key(weight, "paths"),
        ),
    ]
    if len(feeds) > 1:
        alone = following.last and not following.row.over_axis and pen.error_is_plain_sum
        blocks.append(
            paragraph(
                "In each, the first derivative is the delta of that unit, which we know already, and the second is "
                "the weight between the two, because {net} contains {out} times {w}{alone}:",
                net=pen.symbol(feeds[0][0]),
                out=pen.symbol(out),
                w=pen.symbol(feeds[0][1]),
                alone=_acts_alone(pen, feeds[0][0], example) if alone else "",
            )
        )
        for k, (net, between) in enumerate(feeds[:FULL_ROWS]):
            blocks.append(equation(_one_path(pen, following, k, net, out, between, example)))
        if len(feeds) > FULL_ROWS:
            blocks.append(paragraph("and so on for {n}. Their sum:", n=count(len(feeds) - FULL_ROWS, "more unit")))
        else:
            blocks.append(paragraph("Their sum:"))
    else:
        blocks.append(
            paragraph(
                "The first derivative is the delta of {unit}, which we know already, and the second is the weight "
                "between the two:",
                unit=pen.unit(feeds[0][0]),
            )
        )
    blocks.append(equation(factors.back_through_weights(pen, following, unit, example, left), key(weight, "first")))
    if following.last:
        blocks += definitions.net_input(pen, feeds[0][0], out)
    if following.last:
        blocks += notes.why_paths_are_added(pen, view, following, unit, example)
    blocks += notes.why_deltas_are_enough(pen, views, view)
    return blocks


def _acts_alone(pen: Pen, net: Scalar, example: int) -> Inlines:
    """Why the error of one output may stand for the whole error."""
    return prose(
        ". (Only {e} depends on {net}, so it does not matter whether {e} or {error} is differentiated by it)",
        e=pen.symbol(Scalar("e", net.index)),
        net=pen.symbol(net),
        error=pen.error,
    )


def _one_path(
    pen: Pen, following: LayerView, k: int, net: Scalar, out: Scalar, between: Scalar, example: int
) -> tuple[Side, ...]:
    """One path: ∂E/∂net · ∂net/∂out; where an error belongs to this output alone, by that error's name."""
    of: Scalar | None = None
    if following.last and not following.row.over_axis and pen.error_is_plain_sum:
        of = Scalar("e", (example, k))
    names = Product((pen.partial(of, net), pen.partial(net, out)))
    symbols = Product((pen.delta(net), pen.symbol(between)))
    first = pen.partial(of, out) if of is not None else names
    middle = (names, symbols) if of is not None else (symbols,)
    if not pen.numbers:
        return pen.line(first, *middle, numbers=None, result=None)
    numbers = Product((pen.gradient(net).formula, pen.number(between)), "dot")
    adjoint, weight = reads(pen.derivation.gradient.adjoints[net.array], net.index), reads(between.array, between.index)
    result = pen.show(lambda values: adjoint(values) * weight(values))
    return pen.line(first, *middle, numbers=numbers, result=result)


def other_factors(pen: Pen, views: Sequence[LayerView], view: LayerView, weight: Scalar, example: int) -> list[Block]:
    """The second factor, through the activation, and the third, by the weight."""
    unit, column = weight.index
    net, out, source = view.net_of(unit, example), view.out_of(unit, example), view.in_of(column, example)
    blocks: list[Block] = []
    if not view.row.over_axis:
        question = "{second}: how much does the output of {unit} change with its net input? {answer}"
        blocks += [
            paragraph(
                question,
                second=Colored(2, "The second factor"),
                unit=pen.unit(net),
                answer=_slope_in_words(pen, views, view, net),
            ),
            equation(
                factors.activation_line(pen, view, out, net, Mark(2, pen.partial(out, net))), key(weight, "second")
            ),
            *(definitions.activation(pen, view, net, out) if _first_of_its_kind(views, view) else ()),
            *(notes.why_output_times_one_minus_output(pen, view, net, out) if view.last else ()),
            *(notes.dead_units(pen, view) if _first_of_its_kind(views, view) else ()),
        ]
    blocks += [
        paragraph(
            "{third}: how much does the net input of {unit} change with {w}? In the sum that makes {net}, only one "
            "term contains {w}, and there it is multiplied by {source}:",
            third=Colored(3, "The third factor"),
            unit=pen.unit(net),
            w=pen.symbol(weight),
            net=pen.symbol(net),
            source=pen.symbol(source),
        ),
        equation(
            pen.local_line(Mark(3, pen.partial(net, weight)), local(pen.derivation, net, weight)),
            key(weight, "third"),
        ),
        *(definitions.net_input(pen, net, weight) if view.last else ()),
    ]
    return blocks


SLOPES = {
    "logistic": "The derivative of the logistic function is its output times one minus its output:",
    "tanh": "The derivative of the hyperbolic tangent is one minus the square of its output:",
    "identity": "The unit is linear, so the two change alike:",
    "softplus": "The derivative of softplus is the logistic function of the net input:",
}


def _first_of_its_kind(views: Sequence[LayerView], view: LayerView) -> bool:
    """Whether no layer nearer the output has the same activation: it was explained there."""
    return all(later.row.name != view.row.name for later in views[view.number :])


def _slope_in_words(pen: Pen, views: Sequence[LayerView], view: LayerView, net: Scalar) -> str:
    if view.row.name in SLOPES:
        return SLOPES[view.row.name] if _first_of_its_kind(views, view) else "The activation is the same as before:"
    if not pen.numbers:
        return "It depends on the sign of the net input:"
    value = pen.value(net).text
    if value == "0":
        return "The net input is exactly zero, at the kink; there the derivative is taken from the left:"
    side = "negative" if value.startswith("-") else "positive"
    return f"The net input, {value}, is {side}:"
