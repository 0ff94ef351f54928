"""Parts 3 and 4: the backward pass, output layer first, then the hidden layers from the last to the first."""

from __future__ import annotations

from collections.abc import Sequence

from derive import written
from derive.formula import BigSum, Formula, Group, Mark, Name, Number, Partial, Product, Side, Symbol
from derive.notation import plain_name
from derive.scalars import Scalar
from render.compose import drawings, factors
from render.compose.briefly import the_others, updates
from render.compose.chain_factors import first_factor_of_hidden, first_factor_of_output, other_factors
from render.compose.keys import key, name_of
from render.compose.pen import Pen, count, equation, paragraph, prose
from render.compose.products import product
from render.compose.structure import LayerView, Selection
from render.document import Block, Colored, Figure, Progress, Reference, Section


def backward_parts(pen: Pen, views: Sequence[LayerView], selection: Selection) -> list[Section]:
    """A section for the output layer and one for each hidden layer."""
    known: set[str] = set()
    sections = []
    for view in reversed(views):
        known.add(view.weight.name)
        following = None if view.last else views[view.number]
        blocks = _layer(pen, views, view, following, selection)
        if view.hidden and view.number == 1:
            blocks += _all_deltas(pen, views)
        sections.append(
            Section(
                f"backward-{view.number}",
                prose("The backward pass: {layer}", layer=view.called),
                (*blocks, *progress(pen, views, known)),
            )
        )
    return sections


def _which_example(pen: Pen, view: LayerView, weight: Scalar, example: int) -> Block:
    """Why just this example is worked out."""
    if example == 0 or not pen.numbers:
        return paragraph("Again there is a path for every example, and we work out example {n}.", n=pen.nth(example))
    zero = pen.value(view.in_of(weight.index[1], 0)).text == "0"
    reason = "there {what} is 0, and so would be the product" if zero else "there the product is 0"
    return paragraph(
        "Again there is a path for every example. This time we take example {n}, not the first: " + reason + ".",
        n=pen.nth(example),
        what=pen.symbol(view.in_of(weight.index[1], 0)),
    )


def _all_deltas(pen: Pen, views: Sequence[LayerView]) -> list[Block]:
    """The way back as a whole, in one figure."""
    single = views[0].examples == 1
    whose = "" if single else " for each example"
    return [
        paragraph(
            "With that we have come back to the inputs. {ref} shows the whole way: from the errors to the deltas of the outputs, and from there over the "
            "same weights, against the direction of the forward pass, to the deltas of the layer before"
            + whose
            + ". Each delta is what arrives, added up, times the derivative of the unit's activation.",
            ref=Reference("fig-deltas"),
        ),
        Figure(
            "fig-deltas",
            drawings.deltas(pen, views),
            prose(
                "The deltas flow back over the weights{values}.",
                values=", their values beside the circles" if pen.numbers and single else "",
            ),
            "The network without its inputs, every arrow turned round: from the errors to the output units and from each unit to all units of the layer before.",
        ),
    ]


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
            blocks += first_factor_of_output(pen, view, weight, example)
        else:
            blocks += first_factor_of_hidden(pen, views, view, following, weight, example)
        blocks += other_factors(pen, views, view, weight, example)
        blocks += product(pen, views, view, weight, example, selection)
    if view.weight.name in pen.derivation.trained:
        blocks += updates(pen, views, view, selection)
    return [*blocks, *the_others(pen, view, following, selection)]


def _one_more(pen: Pen, view: LayerView, following: LayerView | None, weight: Scalar, example: int) -> list[Block]:
    """A further weight of the same layer: its lines without the explanations."""
    unit = weight.index[0]
    figure: list[Block] = []
    if view.last:
        drawing = drawings.output_path(pen, view, weight, example)
        words = prose("The path of {w}.", w=pen.symbol(weight))
        figure.append(Figure(f"fig-path-{name_of(weight)}", drawing, words, _path_in_words(pen, view, weight, 0)))
    return [
        paragraph(
            "Now {w}, a weight of {unit}, in the same way:", w=pen.symbol(weight), unit=pen.unit(view.net_of(unit))
        ),
        *figure,
        *_chain_rule(pen, view, weight, example)[1:],
        equation(factors.delta_line(pen, view, following, unit, example), key(weight, "delta")),
        equation(factors.gradient_line(pen, view, weight), key(weight, "rule"), boxed=pen.numbers),
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
        "One layer further back, and nothing new is needed: the deltas of the next layer, nearer the output, play the part that the "
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
                n=pen.nth(example),
            )
        )
    elif view.examples > 1:
        blocks.append(_which_example(pen, view, weight, example))
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
            f"fig-path-{name_of(weight)}",
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


def _path_in_words(pen: Pen, view: LayerView, weight: Scalar, following: int) -> str:
    name = plain_name(pen.names.element(weight.array, weight.index))
    unit = pen.unit_in_words(view.net_of(weight.index[0]))
    hidden = "hidden unit " if pen.names.unit(view.net.name, (0, weight.index[0])) else ""
    if view.last:
        return f"The path of {name}: from the value that it multiplies into the net input of {unit}, through its activation to its output, and to the error."
    return f"The paths of {name}: into {hidden}{unit}, and from its output through {count(following, 'unit')} of the next layer to the errors."


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
    return [paragraph(sentence), equation((Side(pen.partial(None, weight), ""), Side(whole)), key(weight, "chain"))]
