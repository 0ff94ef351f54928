"""The factors put together: the gradient, the delta, the delta rule, and the sum over the examples."""

from __future__ import annotations

from collections.abc import Sequence

from derive.formula import Mark, Product, Side
from derive.scalars import Scalar
from render.compose import factors, notes
from render.compose.keys import key
from render.compose.pen import Pen, equation, paragraph, prose
from render.compose.structure import LayerView, Selection, local
from render.compose.tables import Cell, table
from render.document import Block


def product(
    pen: Pen, views: Sequence[LayerView], view: LayerView, weight: Scalar, example: int, selection: Selection
) -> list[Block]:
    """The factors together, the delta, the delta rule."""
    unit = weight.index[0]
    net, out = view.net_of(unit, example), view.out_of(unit, example)
    single = view.examples == 1
    blocks: list[Block] = []
    if pen.numbers and not view.row.over_axis:
        blocks += _factors_together(pen, view, weight, example)
        if view.last and single:
            blocks += notes.why_my_number_differs(pen, view, weight, example)
    if view.row.over_axis:
        blocks.append(
            paragraph(
                "So the gradient of a weight is the delta of its unit times what comes in over the weight, the *delta "
                "rule*:"
            )
        )
    elif view.last:
        blocks += [
            paragraph(
                "The first two factors belong to the unit and not to the weight; they are needed for each of its "
                "weights. Their product has a name, "
                "the *delta* of the unit: how the error changes with its net input."
            ),
            equation(_delta_definition(pen, view, net, out), key(weight, "delta")),
            *notes.logistic_and_cross_entropy(pen, view, net, out),
        ]
        if single:
            blocks.append(
                paragraph(
                    "With it the gradient is short, and is known as the *delta rule*: the delta of the unit times what "
                    "comes in over the weight."
                )
            )
    else:
        blocks += [
            paragraph("Again the first two factors make the delta of the unit, which serves for all of its weights:"),
            equation(_delta_definition(pen, view, net, out), key(weight, "delta")),
        ]
    if not single:
        return blocks + _over_examples(pen, view, weight)
    if view.hidden and not view.row.over_axis:
        blocks.append(paragraph("The delta rule holds here as it does at the outputs:"))
    blocks.append(
        equation(
            factors.gradient_line(pen, view, weight), key(weight, "rule"), boxed=view.row.over_axis and pen.numbers
        )
    )
    if view.number == len(views) - 1:
        telling = selection.weights[views[-1].number][0]
        blocks += notes.why_the_gradients_shrink(pen, weight, telling, views)
    return blocks


def _factors_together(pen: Pen, view: LayerView, weight: Scalar, example: int) -> list[Block]:
    unit, column = weight.index
    net, out, source = view.net_of(unit, example), view.out_of(unit, example), view.in_of(column, example)
    single = view.examples == 1
    numbers = [pen.gradient(out), pen.local(local(pen.derivation, out, net)), pen.value(source)]
    marked = Product(tuple(Mark(k, number.formula) for k, number in enumerate(numbers, start=1)), "dot")
    names = Product(factors.chain(pen, weight, net, out))
    result = pen.gradient(weight) if single else pen.product_of(net, source)
    left = pen.gradient_symbol(weight)
    whole = (Side(pen.partial(None, weight)),) if left != pen.partial(None, weight) else ()
    sentence = (
        "The three factors together:" if single else "The three factors together are what example {n} contributes:"
    )
    return [
        paragraph(sentence, n=pen.nth(example)),
        equation(
            ((Side(left, ""), *whole, Side(names)) if single else (Side(names, ""),)) + (Side(marked), result.side),
            key(weight, "product"),
            boxed=single,
        ),
    ]


def _delta_definition(pen: Pen, view: LayerView, net: Scalar, out: Scalar) -> tuple[Side, ...]:
    names = Product((pen.partial(None, out), pen.partial(out, net)))
    sides = [Side(pen.delta(net), ""), Side(pen.partial(None, net)), Side(names)]
    if pen.numbers:
        partial = pen.local(local(pen.derivation, out, net))
        sides.append(Side(Product((pen.gradient(out).formula, partial.formula), "dot")))
        sides.append(pen.gradient(net).side)
    return tuple(sides)


def _over_examples(pen: Pen, view: LayerView, weight: Scalar) -> list[Block]:
    unit, column = weight.index
    blocks: list[Block] = [
        paragraph(
            "With it the gradient is short: every example contributes the delta of the unit times what comes in over "
            "the weight, and the contributions are added. This is the *delta rule*:"
            if view.last
            else "By the delta rule every example contributes its delta times its incoming value:"
        ),
        equation(factors.gradient_line(pen, view, weight), key(weight, "rule"), boxed=pen.numbers),
    ]
    if pen.numbers and view.examples > 2:
        rows: list[list[Cell]] = []
        for example in range(view.examples):
            net, source = view.net_of(unit, example), view.in_of(column, example)
            rows.append([str(pen.nth(example)), pen.gradient(net), pen.value(source), pen.product_of(net, source)])
        rows.append(["sum", "", "", pen.gradient(weight)])
        header: list[Cell] = ["example", pen.bare_delta(view.net_of(unit)), pen.bare(view.in_of(column)), "product"]
        blocks += table(
            f"tab-examples-{key(weight, 'w')}",
            prose("What each example contributes to {g}.", g=pen.gradient_symbol(weight)),
            header,
            rows,
            [True] * 4,
        )
    return blocks
