"""The results and nothing more (``--detail brief``): values, error, gradients and new values, in tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from math import prod

from derive.formula import Formula, Side
from derive.scalars import Scalar
from render.compose import factors, rules
from render.compose.checking import CLOSED_FORM_LIMIT, agreements
from render.compose.closing import bias_line
from render.compose.forward import error_line
from render.compose.network import arrays, terms
from render.compose.network.opening import described, named
from render.compose.network.plan import Plan
from render.compose.opening import given, loss_words
from render.compose.pen import Pen, count, equation, listed, paragraph, prose
from render.compose.structure import FULL_ROWS, TABLE_ROWS, LayerView
from render.compose.tables import Cell, table
from render.document import Block, Inlines

MOST_GIVEN = 8
"""More inputs and targets than these are not listed in the line that states the problem."""

MOST = 2 * TABLE_ROWS
"""So many numbers stand in a table of two halves."""


def dense_page(pen: Pen, views: Sequence[LayerView]) -> tuple[Block, ...]:
    """A dense network's page of results: one sheet has no need of headings."""
    return (
        *network_in_short(pen, views),
        *_units(pen, views),
        _error(pen),
        *_dense_gradients(pen, views),
        *_scalars_updated(pen),
        _checks(pen),
    )


def network_page(pen: Pen) -> tuple[Block, ...]:
    """Any other program's page of results, array by array."""
    plan = Plan(pen)
    return (
        *_program(plan),
        *_arrays(plan),
        _error(pen),
        *_array_gradients(plan),
        *_arrays_updated(plan),
        _checks(pen),
    )


def _rate(pen: Pen) -> Inlines:
    """The rule of the update and its learning rate, as the end of a sentence."""
    update = pen.derivation.problem.update
    if update is None:
        return ()
    name = rules.NAMES.get(update.rule, update.rule.replace("_", " "))
    return prose("; the update is {rule} with {eta}", rule=name, eta=(Side(pen.learning_rate, ""), pen.rate.side))


def _error(pen: Pen) -> Block:
    """The error, as a number where there are numbers, else from what it is computed."""
    if pen.numbers:
        value = pen.value(Scalar(pen.derivation.program.error, ()))
        return equation((Side(pen.error, ""), value.side), "eq-error", boxed=True)
    return equation(error_line(pen), "eq-error")


def _checks(pen: Pen) -> Block:
    """In a line how the gradients were checked."""
    if not pen.numbers:
        return paragraph("Every local derivative was taken by SymPy.")
    program = pen.derivation.program
    small = _size(pen) <= CLOSED_FORM_LIMIT
    most = CLOSED_FORM_LIMIT if small else 1
    scalars = [s for name in program.parameters for s in islice(pen.derivation.graph.scalars(name), most)]
    found = [agreements(pen.derivation, scalar, closed=small) for scalar in scalars[:CLOSED_FORM_LIMIT]]
    return paragraph(
        "Checked: {which} with finite differences to {digits} significant digits"
        + (", and with the derivative of the closed form to {closed}." if small else "."),
        which="all gradients agree" if small else "of each parameter the first gradient agrees",
        digits=min(each["difference"] for each in found),
        closed=min(each["closed"] for each in found) if small else "",
    )


# ---- dense networks ------------------------------------------------------------------------------


def network_in_short(pen: Pen, views: Sequence[LayerView]) -> list[Block]:
    """The network, its error, its update and what is given, in two sentences."""
    first = [views[0].in_of(column) for column in range(views[0].weight.shape[1])]
    targets = [Scalar("t", (0, unit)) for unit in range(views[-1].units)]
    alone = views[0].examples == 1 and len(first) + len(targets) <= MOST_GIVEN
    return [
        paragraph(
            "A network of {inputs}, {layers}; its error {error} is {loss}{rate}.",
            inputs=count(views[0].weight.shape[1], "input"),
            layers=listed([_layer(view) for view in views]),
            error=pen.error,
            loss=loss_words(pen.derivation.problem.loss.name),
            rate=_rate(pen),
        ),
        paragraph(
            "Given are {inputs}, and as targets {targets}.",
            inputs=listed([given(pen, scalar) for scalar in first]),
            targets=listed([given(pen, scalar) for scalar in targets]),
        )
        if alone
        else paragraph("There are {examples}.", examples=count(views[0].examples, "training example")),
    ]


def _layer(view: LayerView) -> str:
    """The units of a layer and their function: two hidden units (the logistic function)."""
    return f"{count(view.units, 'output unit' if view.last else 'hidden unit')} ({named(view.row.name)})"


def _units(pen: Pen, views: Sequence[LayerView]) -> tuple[Block, ...]:
    """A row for each unit and example: net input, output, and at the outputs target and error."""
    many = views[0].examples > 1
    rows: list[list[Cell]] = []
    places = [(v, e, u) for v in views for e in range(v.examples) for u in range(v.units)]
    for view, example, unit in places[: TABLE_ROWS + 1]:
        net, out = view.net_of(unit, example), view.out_of(unit, example)
        target, error = Scalar("t", out.index), Scalar("e", out.index)
        ends = [_valued(pen, target), _valued(pen, error)] if view.last else ["", ""]
        rows.append(
            [pen.unit(net), *([str(pen.nth(example))] if many else []), _valued(pen, net), _valued(pen, out), *ends]
        )
    return table(
        "tab-forward",
        prose("Every unit: its net input, its output, and at the outputs target and error."),
        ("unit", *(["example"] if many else []), "net input", "output", "target", "error"),
        rows,
        (False, *[pen.numbers] * (5 if many else 4)),
        total=len(places),
    )


def _valued(pen: Pen, scalar: Scalar) -> Cell:
    """A number, or where there is none what the scalar is computed from."""
    if pen.numbers:
        return pen.value(scalar)
    return pen.elided(pen.definition(scalar))


def _dense_gradients(pen: Pen, views: Sequence[LayerView]) -> tuple[Block, ...]:
    """The deltas from the output back, then the gradient of every weight and bias."""
    if not pen.numbers:
        return tuple(_formulas(pen, views))
    nets = [view.net_of(u, e) for view in reversed(views) for e in range(view.examples) for u in range(view.units)]
    scalars = [s for name in _parameters(pen) for s in islice(pen.derivation.graph.scalars(name), MOST)]
    pairs: list[tuple[Formula, Scalar]] = [(pen.delta(net), net) for net in nets]
    pairs += [(pen.gradient_symbol(scalar), scalar) for scalar in scalars]
    rows: list[list[Cell]] = [[symbol, pen.gradient(scalar)] for symbol, scalar in pairs[:MOST]]
    total = len(nets) + _size(pen)
    caption = prose("The deltas, and the gradient of every weight and bias.")
    return (*in_halves("tab-gradients", caption, ("", "value"), rows), *_rest(total - len(rows)))


def in_halves(identifier: str, caption: Inlines, header: tuple[Cell, ...], rows: list[list[Cell]]) -> tuple[Block, ...]:
    """A table of narrow rows, the second half of them beside the first."""
    half = (len(rows) + 1) // 2
    empty: list[Cell] = [""] * len(header)
    beside = [[*left, *(rows[half + k] if half + k < len(rows) else empty)] for k, left in enumerate(rows[:half])]
    numeric = (False, *[True] * (len(header) - 1))
    return table(identifier, caption, header * 2, beside, numeric * 2)


def _rest(number: int) -> tuple[Block, ...]:
    """What to do for the rows that a table leaves out."""
    if number <= 0:
        return ()
    return (paragraph("{n} more are left out here; chainrule gradients prints every one.", n=number),)


def _size(pen: Pen) -> int:
    """How many numbers the parameters have."""
    return sum(prod(pen.derivation.program.shape(name)) for name in _parameters(pen))


def _parameters(pen: Pen) -> tuple[str, ...]:
    return pen.derivation.program.parameters


def _formulas(pen: Pen, views: Sequence[LayerView]) -> Iterator[Block]:
    """Without numbers: the deltas and the delta rule as formulas, of a large layer the first few."""
    for view in reversed(views):
        following = None if view.last else views[view.number]
        for unit in range(min(view.units, FULL_ROWS)):
            yield equation(factors.delta_line(pen, view, following, unit, 0))
        for weight in islice(pen.derivation.graph.scalars(view.weight.name), FULL_ROWS):
            yield equation(factors.gradient_line(pen, view, weight))
        for bias in islice(pen.derivation.graph.scalars(view.bias.name), FULL_ROWS) if view.bias is not None else ():
            yield equation(bias_line(pen, view, bias))


def _scalars_updated(pen: Pen) -> tuple[Block, ...]:
    """Every weight and bias before and after the step, and the error."""
    if pen.derivation.problem.update is None or not pen.numbers:
        return ()
    every = [s for name in _parameters(pen) for s in islice(pen.derivation.graph.scalars(name), MOST)]
    rows: list[list[Cell]] = [[pen.symbol(s), pen.value(s), pen.after(s)] for s in every[: MOST - 1]]
    caption = prose("Before and after one step{fixed}.", fixed=_held(pen))
    rows.append(_error_row(pen))
    return (
        *in_halves("tab-parameters", caption, ("", "before", "after"), rows),
        *_rest(_size(pen) - len(rows) + 1),
    )


def _error_row(pen: Pen) -> list[Cell]:
    error = Scalar(pen.derivation.program.error, ())
    return [pen.error, pen.value(error), pen.value(error, pen.derivation.after_update)]


def _held(pen: Pen) -> Inlines:
    """Which parameters the update leaves as they are, at the end of a sentence."""
    held = [pen.array(name) for name in _parameters(pen) if name not in pen.derivation.trained]
    return prose("; {names} held fixed", names=listed(held)) if held else ()


# ---- any other program ---------------------------------------------------------------------------


def _program(plan: Plan) -> list[Block]:
    pen = plan.pen
    return [
        paragraph(
            "{error} is computed by {equations}{rate}.",
            error=pen.error,
            equations=count(len(plan.entries), "equation"),
            rate=_rate(pen),
        ),
        paragraph("Asked for is how it changes with {asked}.", asked=listed([pen.array(n) for n in _parameters(pen)])),
    ]


def _arrays(plan: Plan) -> tuple[Block, ...]:
    """A row for each array, given ones first: its name, what it is, its numbers."""
    pen = plan.pen
    if not pen.numbers:
        firsts = [next(iter(pen.derivation.graph.scalars(entry.name))) for entry in plan.entries[:TABLE_ROWS]]
        return tuple(equation(pen.forward_line(s)) for s in firsts if s.array != plan.program.error)
    rows: list[Sequence[Cell]] = []
    for name in (*plan.program.given, *(entry.name for entry in plan.entries)):
        if name in pen.derivation.numeric and name not in _parameters(pen) and name != plan.program.error:
            rows += arrays.rows(plan, name, pen.array(name), described(plan, name))
    return arrays.laid_out(
        "tab-forward", prose("What is given and what is computed."), ("", "what it is", "value"), rows
    )


def _array_gradients(plan: Plan) -> Sequence[Block]:
    pen = plan.pen
    if not pen.numbers:
        return [block for name in _parameters(pen) for block in terms.chain(plan, terms.telling(plan, name))]
    rows: list[Sequence[Cell]] = []
    for name in _parameters(pen):
        adjoint = pen.derivation.gradient.adjoints[name]
        rows += arrays.rows(plan, name, pen.array_gradient(name), described(plan, name), adjoint)
    return arrays.laid_out("tab-gradients", prose("All the gradients."), ("", "by what", "value"), rows)


def _arrays_updated(plan: Plan) -> Sequence[Block]:
    """Every parameter that moves, before and after the step, and the error; wide matrices under each other."""
    pen = plan.pen
    if pen.derivation.problem.update is None or not pen.numbers:
        return ()
    pairs: list[tuple[Formula, str, Formula, Formula]] = []
    for name in pen.derivation.trained:
        after = arrays.parts(plan, name, source=pen.derivation.after_update)
        for old, new in zip(arrays.parts(plan, name), after, strict=True):
            pairs.append((pen.array(name), old.words, old.formula, new.formula))
    symbol, before_error, after_error = _error_row(pen)
    caption = prose("Before and after one step{fixed}.", fixed=_held(pen))
    if any(arrays.is_wide(new) for *_, new in pairs):
        under: list[list[Cell]] = []
        for name_of, words, old_value, new_value in pairs:
            under += [[name_of, _with(words, "before"), old_value], [name_of, _with(words, "after"), new_value]]
        under += [[symbol, "before", before_error], [symbol, "after", after_error]]
        return arrays.laid_out("tab-parameters", caption, ("", "what it is", "value"), under)
    beside: list[list[Cell]] = [list(pair) for pair in pairs]
    beside.append([symbol, "", before_error, after_error])
    return arrays.laid_out("tab-parameters", caption, ("", "what it is", "before", "after"), beside)


def _with(words: str, when: str) -> str:
    return f"{words}, {when}" if words else when
