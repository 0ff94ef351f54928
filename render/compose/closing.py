"""Part 5, the biases; part 6, all new values, the error after the update, and training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice
from math import prod

from derive import written
from derive.formula import Side
from derive.optimizers import is_plain
from derive.problem import Update
from derive.quantities import reads
from derive.scalars import Scalar
from derive.training import milestones
from render.compose import definitions, drawings, factors, notes, rules
from render.compose.backward import progress
from render.compose.pen import Pen, Shown, equation, paragraph, prose
from render.compose.structure import FULL_ROWS, TABLE_ROWS, LayerView
from render.compose.tables import Cell, table
from render.document import Block, Code, Figure, Section


def biases_part(pen: Pen, views: Sequence[LayerView]) -> Section:
    """The gradients of the biases, and whether they move."""
    with_bias = [view for view in views if view.bias is not None]
    if not with_bias:
        return Section(
            "biases",
            prose("The biases"),
            (
                paragraph(
                    "This network has no biases: a unit's net input is the weighted sum of what comes in and nothing "
                    "more."
                ),
            ),
        )
    shared = any(not view.bias.shape for view in with_bias if view.bias is not None)
    blocks: list[Block] = [
        paragraph(
            "A bias is a weight on an input that is always 1, so its gradient is the delta of its unit times 1."
            + (
                " A bias that a whole layer shares adds to every net input of the layer, so the deltas of all its "
                "units are summed."
                if shared
                else ""
            )
            + (" Over several examples the deltas of all of them are added." if views[0].examples > 1 else "")
        )
    ]
    for view in reversed(with_bias):
        blocks += _bias_gradients(pen, view)
    last = with_bias[-1]
    if last.bias is not None:
        blocks += definitions.net_input(pen, last.net_of(0), next(pen.derivation.graph.scalars(last.bias.name)))
    blocks.append(_do_they_move(pen, with_bias))
    blocks += notes.how_the_biases_would_move(pen, views)
    known = {view.weight.name for view in views} | {view.bias.name for view in with_bias if view.bias is not None}
    return Section("biases", prose("The biases"), (*blocks, *progress(pen, views, known)))


def _bias_gradients(pen: Pen, view: LayerView) -> list[Block]:
    if view.bias is None:
        return []
    scalars = list(pen.derivation.graph.scalars(view.bias.name))
    if len(scalars) > FULL_ROWS and pen.numbers:
        trained = view.bias.name in pen.derivation.trained
        header: list[Cell] = ["bias", "value", "gradient", *(["new value"] if trained else [])]
        rows: list[list[Cell]] = [
            [pen.symbol(s), pen.value(s), pen.gradient(s), *([pen.after(s)] if trained else [])] for s in scalars
        ]
        return list(
            table(
                f"tab-bias-{view.number}",
                prose("The biases of {layer}.", layer=view.called),
                header,
                rows,
                [False] + [True] * (len(header) - 1),
            )
        )
    return [
        equation(bias_line(pen, view, s), f"eq-bias-{view.number}-{'-'.join(map(str, s.index)) or 'shared'}")
        for s in scalars[:FULL_ROWS]
    ]


def bias_line(pen: Pen, view: LayerView, bias: Scalar) -> tuple[Side, ...]:
    """∂E/∂b: the deltas of the units that the bias adds to, over all examples."""
    units = range(view.units) if not bias.index else bias.index
    nets = [view.net_of(unit, example) for example in range(view.examples) for unit in units]
    symbols = written.added([pen.delta(net) for net in nets])
    if not pen.numbers:
        return pen.line(pen.gradient_symbol(bias), symbols, numbers=None, result=None)
    numbers = written.added([pen.gradient(net).formula for net in nets])
    return pen.line(pen.gradient_symbol(bias), symbols, numbers=numbers, result=pen.gradient(bias))


def _do_they_move(pen: Pen, with_bias: Sequence[LayerView]) -> Block:
    update = pen.derivation.problem.update
    names = [view.bias.name for view in with_bias if view.bias is not None]
    moving = [name for name in names if name in pen.derivation.trained]
    if update is None:
        return paragraph("The problem states no update, so nothing moves here.")
    if not moving:
        return paragraph(
            "Here the biases stay as they are: only the weights are trained, as in the article whose numbers are "
            "compared below. It gives no reason, and nothing in the "
            "derivation asks for it: one step shows on the weights all that there is to show. With {key} in the "
            "problem file the biases are updated by the same rule."
            if _like_the_article(pen)
            else "Here the biases stay as they are, because the problem says so; with {key} in its file they are updated by the same rule as the weights.",
            key=Code('biases = "updated"'),
        )
    return paragraph(
        "The biases are updated by the same rule as the weights; their new values stand in the table of the next "
        "section."
    )


def _like_the_article(pen: Pen) -> bool:
    return pen.derivation.problem.notation == "mazur" and bool(pen.derivation.problem.published)


# ---- the update ------------------------------------------------------------------------------


def update_part(pen: Pen, views: Sequence[LayerView]) -> Section | None:
    """All parameters before and after, the forward pass again, and training."""
    update = pen.derivation.problem.update
    if update is None:
        return None
    blocks: list[Block] = [
        paragraph(_in_one_step(update), eta=(Side(pen.learning_rate, ""), pen.rate.side), what=_what_moves(pen, views))
    ]
    if not pen.numbers:
        scalar = Scalar(views[-1].weight.name, (0, 0))
        if pen.plain_update:
            blocks.append(equation(factors.update_line(pen, scalar), "eq-update"))
        else:
            blocks += rules.by_rule(pen, [scalar])
        return Section("update", prose("The update"), tuple(blocks))
    blocks += _all_parameters(pen, views)
    blocks += _again(pen, views)
    sections: list[Block] = [*blocks]
    if update.steps > 1:
        sections.append(_training(pen, views, update))
    return Section("update", prose("The update"), tuple(sections))


def _what_moves(pen: Pen, views: Sequence[LayerView]) -> str:
    biases = any(v.bias is not None and v.bias.name in pen.derivation.trained for v in views)
    return "all weights and biases" if biases else "all weights"


def _in_one_step(update: Update) -> str:
    if not is_plain(update):
        return "Every gradient is known, and now {what} move at once, each by the rule above:"
    if update.order == "sequential":
        return "Every gradient is known. Each weight moves against what came back to it in the sweep, times the learning rate {eta}:"
    return (
        "Every gradient is known, and now {what} move at once, each against its gradient times the learning rate {eta}:"
    )


def _all_parameters(pen: Pen, views: Sequence[LayerView]) -> tuple[Block, ...]:
    """Before, gradient, after; where the update is a sweep, what it subtracts too."""
    swept = any(pen.sequential(Scalar(view.weight.name, (0, 0))) for view in views)
    scalars = [
        scalar
        for view in views
        for variable in (view.weight, view.bias)
        if variable is not None
        for scalar in _first_scalars(pen, variable.name)
    ]
    rows: list[list[Cell]] = []
    for scalar in scalars[: TABLE_ROWS + 1]:
        moved = scalar.array in pen.derivation.trained
        taken = [factors.swept(pen, scalar) if moved else Shown("0", exact=True)] if swept else []
        rows.append([pen.symbol(scalar), pen.value(scalar), pen.gradient(scalar), *taken, pen.after(scalar)])
    fixed = [v.bias.name for v in views if v.bias is not None and v.bias.name not in pen.derivation.trained]
    caption = "All weights and biases: before the update, their gradients, {swept}and after it{fixed}."
    return table(
        "tab-parameters",
        prose(
            caption,
            fixed="; the biases are held fixed" if fixed else "",
            swept="what the sweep subtracts times the learning rate, " if swept else "",
        ),
        ("", "before", "gradient", *(["in the sweep"] if swept else []), "after"),
        rows,
        (False, *[True] * (4 if swept else 3)),
        total=sum(prod(pen.derivation.program.shape(name)) for name in pen.derivation.program.parameters),
        more="; chainrule gradients prints every one",
    )


def _first_scalars(pen: Pen, name: str) -> list[Scalar]:
    return list(islice(pen.derivation.graph.scalars(name), TABLE_ROWS + 1))


def _again(pen: Pen, views: Sequence[LayerView]) -> list[Block]:
    """The forward pass with the new weights: each output, and the error, before and after."""
    after = pen.derivation.after_update
    shown = [
        scalar
        for view in views
        for example in range(view.examples)
        for unit in range(view.units)
        for scalar in (
            (view.net_of(unit, example), view.out_of(unit, example))
            if view.examples == 1 and view.units <= FULL_ROWS
            else (view.out_of(unit, example),)
        )
        if view.last or view.units <= FULL_ROWS
    ]
    error = Scalar(pen.derivation.program.error, ())
    rows: list[list[Cell]] = [[pen.symbol(s), pen.value(s), pen.value(s, after)] for s in shown]
    rows.append([pen.error, pen.value(error), pen.value(error, after)])
    before_value, after_value = pen.value(error), pen.value(error, after)
    fell = float(after_value.text) < float(before_value.text)
    little = float(after_value.text) > 0.9 * float(before_value.text)
    remark = ". That is not much, but it is one step only." if little else "."
    text = (
        "Has it helped? We run the forward pass once more, with the new values. "
        "The error {falls} from {before} to {after}"
        + (remark if fell else ": this step was too long, and a smaller learning rate would have been better.")
    )
    return [
        paragraph(
            text,
            falls="falls" if fell else "does not fall: it goes",
            before=before_value.formula,
            after=after_value.formula,
        ),
        *table(
            "tab-after",
            prose("The forward pass before and after the update."),
            ("", "before", "after"),
            rows,
            (False, True, True),
        ),
    ]


EXACT_WORK = 20_000
"""So many steps times parameters are trained in enclosures for the page; beyond, in double precision."""

Trained = tuple[Callable[[Scalar], Shown], list[tuple[int, Shown]]]


def _trained(pen: Pen, update: Update) -> tuple[Trained, bool]:
    """What the network computes after training, and the error on the way; whether it was computed exactly."""
    derivation = pen.derivation
    size = sum(prod(derivation.program.shape(name)) for name in derivation.trained)
    if update.steps * size <= EXACT_WORK:
        after = derivation.train_exactly(update.steps)
        error = derivation.program.error
        noted = [(step, pen.show(reads(f"{error}@{step}", ()), after)) for step in milestones(update.steps)]
        return ((lambda scalar: pen.value(scalar, after)), noted), True
    final, history = derivation.train_in_floats(update.steps)
    return (
        (lambda scalar: pen.float(float(final[scalar.array][scalar.index]))),
        [(step, pen.float(error)) for step, error in history],
    ), False


def _training(pen: Pen, views: Sequence[LayerView], update: Update) -> Section:
    """The update repeated to the stated number of steps, the error's curve, and what the network answers then."""
    (final, history), exact = _trained(pen, update)
    steps = f"{update.steps:,}".replace(",", " ")
    rows: list[list[Cell]] = []
    for example in range(views[-1].examples):
        for unit in range(views[-1].units):
            out, target = views[-1].out_of(unit, example), Scalar("t", (example, unit))
            rows.append([pen.symbol(out), pen.value(target), pen.value(out), final(out)])
    text = (
        "Training is this step over and over: forward pass, backward pass, update. After {steps} steps"
        + ("" if exact else ", computed in double precision,")
        + " the error is {error}, and the network answers:"
    )
    first, last = history[0][1], history[-1][1]
    blocks: list[Block] = [
        paragraph(text, steps=steps, error=last.formula),
        *table(
            "tab-trained",
            prose("The outputs after {steps} steps.", steps=steps),
            ("", "target", "before", f"after {steps} steps"),
            rows,
            (False, True, True, True),
        ),
        Figure(
            "fig-curve",
            drawings.curve(pen, [(step, error.text) for step, error in history]),
            prose("The error during training; both scales are logarithmic."),
            f"A curve of the error over {steps} training steps: it starts at {first.text} and ends at {last.text}.",
        ),
        *table(
            "tab-history",
            prose("The error on the way."),
            ("step", pen.error),
            [[str(step), error] for step, error in history],
            (True, True),
        ),
    ]
    return Section("training", prose("Training"), tuple(blocks))
