"""Parts 3 and 4: the backward pass, output layer first, then the hidden layers from the last to the first."""

from __future__ import annotations

from collections.abc import Sequence

from derive import written
from derive.formula import BigSum, Formula, Group, Mark, Name, Number, Partial, Product, Side, Symbol
from derive.notation import plain_name
from derive.quantities import reads
from derive.scalars import Scalar
from render.compose import drawings, factors, notes
from render.compose.pen import Pen, count, equation, listed, paragraph, prose
from render.compose.structure import FULL_ROWS, LayerView, Selection, local
from render.compose.tables import Cell, table
from render.document import Block, Colored, Figure, Progress, Reference, Section


def backward_parts(pen: Pen, views: Sequence[LayerView], selection: Selection) -> list[Section]:
    """A section for the output layer and one for each hidden layer."""
    known: set[str] = set()
    sections = []
    for view in reversed(views):
        known.add(view.weight.name)
        following = None if view.last else views[view.number]
        blocks = _layer(pen, views, view, following, selection)
        sections.append(
            Section(
                f"backward-{view.number}",
                prose("The backward pass: {layer}", layer=view.called),
                (*blocks, *progress(pen, views, known)),
            )
        )
    return sections


def progress(pen: Pen, views: Sequence[LayerView], known: set[str]) -> tuple[Progress, ...]:
    """Which gradients are known by now, where they are few enough for a strip."""
    scalars = [s for v in views for s in pen.derivation.graph.scalars(v.weight.name)]
    scalars += [s for v in views if v.bias is not None for s in pen.derivation.graph.scalars(v.bias.name)]
    if len(scalars) > 24:
        entries = [
            (pen.array(name), name in known)
            for v in views
            for name in (v.weight.name, *([v.bias.name] if v.bias else []))
        ]
        return (Progress(tuple(entries)),)
    return (Progress(tuple((pen.symbol(s), s.array in known) for s in scalars)),)


def _layer(
    pen: Pen, views: Sequence[LayerView], view: LayerView, following: LayerView | None, selection: Selection
) -> list[Block]:
    blocks: list[Block] = []
    for position, weight in enumerate(selection.weights[view.number]):
        example = selection.example[weight]
        if position:
            blocks += _one_more(pen, view, following, weight, example)
            continue
        blocks += _opening(pen, views, view, weight, example)
        blocks += _chain_rule(pen, view, weight, example)
        if following is None:
            blocks += _first_factor_of_output(pen, view, weight, example)
        else:
            blocks += _first_factor_of_hidden(pen, views, view, following, weight, example)
        blocks += _other_factors(pen, view, weight, example)
        blocks += _product(pen, views, view, weight, example)
    if view.weight.name in pen.derivation.trained:
        blocks += _updates(pen, views, view, selection)
    return [*blocks, *_the_others(pen, view, following, selection)]


def _one_more(pen: Pen, view: LayerView, following: LayerView | None, weight: Scalar, example: int) -> list[Block]:
    """A further weight of the same layer: its lines without the explanations."""
    unit = weight.index[0]
    figure: list[Block] = []
    if view.last:
        drawing = drawings.output_path(pen, view, weight, example)
        words = prose("The path of {w}.", w=pen.symbol(weight))
        figure.append(Figure(f"fig:path-{_name(weight)}", drawing, words, _path_in_words(pen, view, weight, 0)))
    return [
        paragraph(
            "Now {w}, a weight of {unit}, in the same way:", w=pen.symbol(weight), unit=pen.unit(view.net_of(unit))
        ),
        *figure,
        *_chain_rule(pen, view, weight, example)[1:],
        equation(factors.delta_line(pen, view, following, unit, example), _key(weight, "delta")),
        equation(factors.gradient_line(pen, view, weight), _key(weight, "rule"), boxed=pen.numbers),
    ]


def _opening_words(views: Sequence[LayerView], view: LayerView) -> str:
    """Where the layer stands, and what is new about it."""
    if view.row.over_axis and view.last:
        return (
            "We begin at the end, where the error is. Take {w}, a weight of {unit}: how does {error} change when {w} "
            "changes a little? That is the partial "
            "derivative {partial}. {w} acts on the error only through the net input of {unit}. But softmax divides by "
            "the sum over all units, so this net "
            "input changes *every* output, and each of them has its part in the error."
        )
    if view.last:
        return (
            "We begin at the end, where the error is. Take {w}, a weight of {unit}: how does {error} change when {w} "
            "changes a little? That is the partial "
            "derivative {partial}. {w} acts on the error only through the net input of {unit}, and that only through "
            "its output, so we follow the path from the "
            "error back to the weight."
        )
    if view.number == len(views) - 1 and views[view.number].units > 1:
        return (
            "Now a layer further back. Take {w}, a weight of {unit}. The chain rule has the same factors as before; "
            "what is new is the first one. The output of "
            "{unit} goes to {all} of the next layer, so it reaches the error in {ways}, and what comes back along "
            "them is added."
        )
    if view.number == len(views) - 1:
        return (
            "Now a layer further back. Take {w}, a weight of {unit}. The chain rule has the same factors as before; "
            "what is new is the first one, because between "
            "the output of {unit} and the error there is another unit."
        )
    return (
        "One layer further back, and nothing new is needed: the deltas of the layer behind play the part that the "
        "error played at the outputs. Take {w}, a weight of {unit}, "
        "which feeds {all} of the next layer."
    )


def _all(number: int) -> str:
    return {1: "the one unit", 2: "both units"}.get(number, f"all {count(number, 'unit')}")


def _opening(pen: Pen, views: Sequence[LayerView], view: LayerView, weight: Scalar, example: int) -> list[Block]:
    unit = pen.unit(view.net_of(weight.index[0]))
    following = 0 if view.last else views[view.number].units
    blocks: list[Block] = [
        paragraph(
            _opening_words(views, view),
            w=pen.symbol(weight),
            unit=unit,
            error=pen.error,
            partial=pen.partial(None, weight),
            all=_all(following),
            ways=count(following, "way"),
        )
    ]
    if view.examples > 1 and view.last:
        blocks.append(
            paragraph(
                "Every example has a path of its own, and their contributions are added. We work out example {n}; the "
                "others go the same way.",
                n=example + 1,
            )
        )
    elif view.examples > 1:
        blocks.append(paragraph("Again for example {n} first.", n=example + 1))
    drawing = (
        drawings.output_path(pen, view, weight, example)
        if view.last
        else drawings.hidden_paths(pen, views, view, weight)
    )
    caption = (
        "The path of {w}: {third}, {second} and {first} are the factors of the chain rule."
        if view.last
        else "The paths of {w}: {third} into {unit}, {second}, and {first} from there to the errors."
    )
    blocks.append(
        Figure(
            f"fig:path-{_name(weight)}",
            drawing,
            prose(
                caption,
                w=pen.symbol(weight),
                unit=unit,
                first=Colored(1, "from the output to the error" if view.last else "every way"),
                second=Colored(2, "through the activation" if view.last else "through its activation"),
                third=Colored(3, "from the weight to the net input" if view.last else "the weight"),
            ),
            _path_in_words(pen, view, weight, following),
        )
    )
    return blocks


def _name(weight: Scalar) -> str:
    return "-".join([weight.array, *(str(i + 1) for i in weight.index)])


def _path_in_words(pen: Pen, view: LayerView, weight: Scalar, following: int) -> str:
    name = plain_name(pen.names.element(weight.array, weight.index))
    unit = pen.names.unit(view.net.name, (0, weight.index[0]))
    if view.last:
        return f"The path of {name}: from the value that it multiplies into the net input of {unit}, through its activation to its output, and to the error."
    return f"The paths of {name}: into hidden unit {unit}, and from its output through {count(following, 'unit')} of the next layer to the errors."


def _key(weight: Scalar, what: str) -> str:
    return f"eq:{what}-{_name(weight)}"


def _chain_rule(pen: Pen, view: LayerView, weight: Scalar, example: int) -> list[Block]:
    """∂E/∂w as a product of partials; over several examples the sum of such products."""
    many = view.examples > 1
    unit = weight.index[0]
    net = pen.in_example(view.net_of(unit), "n") if many else pen.symbol(view.net_of(unit))
    outs = [view.out_of(k) for k in range(view.units)] if view.row.over_axis else [view.out_of(unit)]
    written_outs = [pen.in_example(o, "n") if many else pen.symbol(o) for o in outs]
    paths = [Product((Mark(1, Partial(pen.error, out)), Mark(2, Partial(out, net)))) for out in written_outs]
    third = Mark(3, Partial(net, pen.symbol(weight)))
    whole: Formula = (
        Product((Group(pen.elided(written.added(paths))), third))
        if len(paths) > 1
        else Product((*paths[0].factors, third))
    )
    if many:
        index = Symbol(Name("n"))
        whole = BigSum(index, Number("1"), Number(str(view.examples)), whole)
    sentence = "By the chain rule, with one term for each example," if many else "By the chain rule,"
    return [paragraph(sentence), equation((Side(pen.partial(None, weight), ""), Side(whole)), _key(weight, "chain"))]


def _first_factor_of_output(pen: Pen, view: LayerView, weight: Scalar, example: int) -> list[Block]:
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
        equation(factors.loss_line(pen, out, Mark(1, pen.partial(None, out))), _key(weight, "first")),
        *notes.where_the_minus_comes_from(pen, out),
    ]


def _softmax_paths(pen: Pen, view: LayerView, weight: Scalar, example: int) -> list[Block]:
    net = view.net_of(weight.index[0], example)
    blocks: list[Block] = [
        paragraph(
            "{first} and {second}, path by path. The derivative of softmax is {same} for the unit's own output and "
            "{other} for another's:",
            first=Colored(1, "The first factor"),
            second=Colored(2, "the second"),
            same=pen.expression(local(pen.derivation, view.out_of(weight.index[0], example), net)),
            other=pen.expression(local(pen.derivation, view.out_of((weight.index[0] + 1) % view.units, example), net)),
        )
    ]
    for k in range(min(view.units, FULL_ROWS)):
        out = view.out_of(k, example)
        blocks.append(equation(factors.loss_line(pen, out, Mark(1, pen.partial(None, out)))))
        blocks.append(equation(factors.activation_line(pen, view, out, net, Mark(2, pen.partial(out, net)))))
    blocks.append(
        paragraph(
            "Together they are the *delta* of {unit}, how the error changes with its net input:", unit=pen.unit(net)
        )
    )
    blocks.append(
        equation(factors.softmax_delta_line(pen, view, None, weight.index[0], example), _key(weight, "delta"))
    )
    blocks += notes.why_softmax_reaches_all(pen, view, weight.index[0], example)
    if pen.derivation.problem.loss.name == "categorical_cross_entropy":
        blocks.append(_softmax_and_cross_entropy(pen, view, weight.index[0], example))
        blocks += notes.why_zero_target_counts(pen, view, weight.index[0], example)
    return blocks


def _softmax_and_cross_entropy(pen: Pen, view: LayerView, unit: int, example: int) -> Block:
    net, out, target = view.net_of(unit, example), view.out_of(unit, example), Scalar("t", (example, unit))
    difference = pen.line(
        pen.delta(net),
        written.added(
            [
                pen.symbol(out),
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
        "Because the targets add up to 1, this sum is nothing but {difference}{divided}: softmax and cross-entropy "
        "undo each other's complications.",
        difference=difference[:2] if mean else difference,
        divided=f", divided by the {view.examples} examples" if mean else "",
    )


def _first_factor_of_hidden(
    pen: Pen, views: Sequence[LayerView], view: LayerView, following: LayerView, weight: Scalar, example: int
) -> list[Block]:
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
            _key(weight, "paths"),
        ),
    ]
    if len(feeds) > 1:
        blocks.append(
            paragraph(
                "In each, the first derivative is the delta of that unit, which we know already, and the second is "
                "the weight between the two, because {net} contains {out} times {w}:",
                net=pen.symbol(feeds[0][0]),
                out=pen.symbol(out),
                w=pen.symbol(feeds[0][1]),
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
    blocks.append(equation(factors.back_through_weights(pen, following, unit, example, left), _key(weight, "first")))
    blocks += notes.why_paths_are_added(pen, view, following, unit, example)
    blocks += notes.why_deltas_are_enough(pen, views, view)
    return blocks


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


def _other_factors(pen: Pen, view: LayerView, weight: Scalar, example: int) -> list[Block]:
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
                answer=_slope_in_words(pen, view, net),
            ),
            equation(
                factors.activation_line(pen, view, out, net, Mark(2, pen.partial(out, net))), _key(weight, "second")
            ),
            *(notes.why_output_times_one_minus_output(pen, view, net, out) if view.last else ()),
            *notes.dead_units(pen, view),
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
            _key(weight, "third"),
        ),
    ]
    return blocks


SLOPES = {
    "logistic": "The derivative of the logistic function is its output times one minus its output:",
    "tanh": "The derivative of the hyperbolic tangent is one minus the square of its output:",
    "identity": "The unit is linear, so the two change alike:",
    "softplus": "The derivative of softplus is the logistic function of the net input:",
}


def _slope_in_words(pen: Pen, view: LayerView, net: Scalar) -> str:
    if view.row.name in SLOPES:
        return SLOPES[view.row.name]
    if not pen.numbers:
        return "It depends on the sign of the net input:"
    value = pen.value(net).text
    if value == "0":
        return "The net input is exactly zero, at the kink; there the derivative is taken from the left:"
    side = "negative" if value.startswith("-") else "positive"
    return f"The net input, {value}, is {side}:"


def _product(pen: Pen, views: Sequence[LayerView], view: LayerView, weight: Scalar, example: int) -> list[Block]:
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
            equation(_delta_definition(pen, view, net, out), _key(weight, "delta")),
            *notes.logistic_and_cross_entropy(pen, view, net, out),
            paragraph(
                "With it the gradient is short, and is known as the *delta rule*: the delta of the unit times what "
                "comes in over the weight."
            ),
        ]
    else:
        blocks += [
            paragraph("Again the first two factors make the delta of the unit, which serves for all of its weights:"),
            equation(_delta_definition(pen, view, net, out), _key(weight, "delta")),
        ]
    if not single:
        return blocks + _over_examples(pen, view, weight)
    if view.hidden and not view.row.over_axis:
        blocks.append(paragraph("The delta rule holds here as it does at the outputs:"))
    blocks.append(
        equation(
            factors.gradient_line(pen, view, weight), _key(weight, "rule"), boxed=view.row.over_axis and pen.numbers
        )
    )
    return blocks + notes.why_the_gradients_shrink(pen, view, views)


def _factors_together(pen: Pen, view: LayerView, weight: Scalar, example: int) -> list[Block]:
    unit, column = weight.index
    net, out, source = view.net_of(unit, example), view.out_of(unit, example), view.in_of(column, example)
    single = view.examples == 1
    numbers = [pen.gradient(out), pen.local(local(pen.derivation, out, net)), pen.value(source)]
    marked = Product(tuple(Mark(k, number.formula) for k, number in enumerate(numbers, start=1)), "dot")
    names = Product(factors.chain(pen, weight, net, out))
    result = pen.gradient(weight) if single else pen.product_of(net, source)
    left: Formula = pen.partial(None, weight) if single else Product((pen.delta(net), pen.symbol(source)))
    sentence = (
        "The three factors together:" if single else "The three factors together are what example {n} contributes:"
    )
    return [
        paragraph(sentence, n=example + 1),
        equation((Side(left, ""), Side(names), Side(marked), result.side), _key(weight, "product"), boxed=single),
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
            "By the same rule every other example contributes its delta times its incoming value, and the contributions add up:"
        ),
        equation(factors.gradient_line(pen, view, weight), _key(weight, "rule"), boxed=pen.numbers),
    ]
    if pen.numbers and view.examples > 2:
        rows: list[list[Cell]] = []
        for example in range(view.examples):
            net, source = view.net_of(unit, example), view.in_of(column, example)
            rows.append([str(example + 1), pen.gradient(net), pen.value(source), pen.product_of(net, source)])
        rows.append(["sum", "", "", pen.gradient(weight)])
        header: list[Cell] = ["example", pen.bare_delta(view.net_of(unit)), pen.bare(view.in_of(column)), "product"]
        blocks += table(
            f"tab:examples-{_key(weight, 'w')}",
            prose("What each example contributes to {g}.", g=pen.partial(None, weight)),
            header,
            rows,
            [True] * 4,
        )
    return blocks


def _updates(pen: Pen, views: Sequence[LayerView], view: LayerView, selection: Selection) -> list[Block]:
    """The update of the weights that were worked out."""
    weights = selection.weights[view.number]
    if view.last:
        text = (
            "To make the error smaller the weight has to move against its gradient. How far is set by the learning "
            "rate, {eta}. "
            "The new value of {w}:"
        )
    else:
        text = "The new value of {w}:" if len(weights) == 1 else "The new values of {w}:"
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
    blocks += [equation(factors.update_line(pen, weight), _key(weight, "update"), boxed=False) for weight in weights]
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


def _the_others(pen: Pen, view: LayerView, following: LayerView | None, selection: Selection) -> list[Block]:
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
            equation(factors.delta_line(pen, view, following, u, e), f"eq:delta-{view.number}-{u + 1}-{e + 1}")
            for u, e in shown
        ]
        return [paragraph(sentence), *lines]
    header: list[Cell] = ["unit", *(["example"] if view.examples > 1 else []), "change by the output", "delta"]
    rows: list[list[Cell]] = []
    for example in range(view.examples):
        for unit in range(view.units):
            net, out = view.net_of(unit, example), view.out_of(unit, example)
            rows.append(
                [
                    pen.unit(net),
                    *([str(example + 1)] if view.examples > 1 else []),
                    pen.gradient(out),
                    pen.gradient(net),
                ]
            )
    numeric = [False, *([True] if view.examples > 1 else []), True, True]
    caption = prose("The deltas of {layer}.", layer=view.called)
    return [
        paragraph(
            "The other deltas of this layer are found in the same way; {ref} has them all.",
            ref=Reference(f"tab:deltas-{view.number}"),
        ),
        *table(f"tab:deltas-{view.number}", caption, header, rows, numeric),
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
        blocks += [equation(factors.gradient_line(pen, view, w), _key(w, "rule")) for w in shown]
        if len(shown) < len(weights):
            blocks.append(paragraph("and so on for {n}.", n=count(len(weights) - len(shown), "more weight")))
        if trained and pen.numbers:
            blocks.append(paragraph("and {the}:", the="its new value" if one else "their new values"))
            blocks += [equation(factors.update_line(pen, w), _key(w, "update")) for w in shown]
        return blocks
    header: list[Cell] = ["weight", "value", "gradient", *(["new value"] if trained else [])]
    every = list(pen.derivation.graph.scalars(view.weight.name))
    rows: list[list[Cell]] = [
        [pen.symbol(w), pen.value(w), pen.gradient(w), *([pen.after(w)] if trained else [])] for w in every[:200]
    ]
    return [
        paragraph(
            "The other gradients of the layer by the delta rule; {ref} has them.",
            ref=Reference(f"tab:weights-{view.number}"),
        ),
        *table(
            f"tab:weights-{view.number}",
            prose("The weights of {layer}.", layer=view.called),
            header,
            rows,
            [False, True, True, *([True] if trained else [])],
            more=f" ({len(every)} weights in all; chainrule gradients prints every one)",
        ),
    ]
