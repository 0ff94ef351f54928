"""The lines of a worked solution: the forward pass as far as it is needed, and the way back to one quantity."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from derive.chain import Step
from derive.formula import Side
from derive.scalars import Scalar
from derive.verification.lines import leaves
from render.compose import factors
from render.compose.closing import bias_line
from render.compose.network.terms import chain_line
from render.compose.pen import Slot, listed, paragraph, prose
from render.document import Block, Equation, Inlines
from render.exercises.desk import Desk

MOST_LINES = 14
"""So many lines a solution has; what comes before them is stated."""


@dataclass(frozen=True)
class Line:
    """One line: what it computes (``adjoint``: ∂E by it), in symbols, numbers and result; and a sentence before it."""

    scalar: Scalar
    adjoint: bool
    sides: tuple[Side, ...]
    words: Inlines


# ---- forward ---------------------------------------------------------------------------------


def forward_lines(desk: Desk, target: Scalar) -> list[Line]:
    """The definitions that a forward value rests on, in the order of calculation; the last `MOST_LINES` of them."""
    needed = _ancestors(desk, target)[-MOST_LINES:]
    return [Line(each, False, desk.pen.forward_line(each), _computed(desk, each)) for each in needed]


def _ancestors(desk: Desk, target: Scalar) -> list[Scalar]:
    """The computed scalars that one rests on, itself last."""
    graph, found = desk.derivation.graph, {}
    order = {equation.target: place for place, equation in enumerate(desk.derivation.program.equations)}
    waiting = [target]
    while waiting:
        scalar = waiting.pop()
        node = graph.definition(scalar)
        if node is None or scalar in found:
            continue
        found[scalar] = (order[scalar.array], scalar.index)
        waiting += leaves(node)
    return sorted(found, key=lambda each: _unit_by_unit(desk, each, found[each]))


def _unit_by_unit(desk: Desk, scalar: Scalar, place: tuple[int, tuple[int, ...]]) -> tuple[object, ...]:
    """Net input and output of a unit stand together, unit after unit."""
    variable = desk.derivation.program.variables[scalar.array]
    if desk.views and variable.role in ("net", "activation"):
        return (variable.layer, 0, scalar.index, place)
    return (variable.layer if desk.views and variable.layer else 10**6, 1, (), place)


def _computed(desk: Desk, scalar: Scalar) -> Inlines:
    return prose("{What}:", What=capitalised(what(desk, scalar)))


# ---- backward --------------------------------------------------------------------------------


def backward_lines(desk: Desk, target: Scalar) -> list[Line]:
    """The lines from the error back to ∂E/∂target, itself last; the last `MOST_LINES` of them."""
    made = list(_dense_lines(desk, target) if _layered(desk, target) else _chain_lines(desk, target))
    return made[-MOST_LINES:]


def _layered(desk: Desk, target: Scalar) -> bool:
    variable = desk.derivation.program.variables[target.array]
    return bool(desk.views) and variable.role in ("net", "weight", "bias")


def _dense_lines(desk: Desk, target: Scalar) -> Iterator[Line]:
    pen, views = desk.pen, desk.views
    variable = desk.derivation.program.variables[target.array]
    view = views[variable.layer - 1]
    examples = [target.index[0]] if variable.role == "net" else list(range(view.examples))
    units = _units_of(desk, target)
    for later in reversed(views[view.number - 1 :]):
        following = None if later.last else views[later.number]
        for example in examples:
            for unit in units if later is view else range(later.units):
                net = later.net_of(unit, example)
                if net not in desk.memory:
                    sides = factors.delta_line(pen, later, following, unit, example)
                    desk.memory[net] = Line(net, True, sides, prose("The delta of {unit}:", unit=pen.unit(net)))
                yield desk.memory[net]
    if variable.role == "weight":
        words = prose(
            "The gradient is the delta of the unit times the value that comes in over {w}:", w=pen.symbol(target)
        )
        yield Line(target, True, factors.gradient_line(pen, view, target), words)
    elif variable.role == "bias":
        words = prose("What {b} adds to is multiplied by 1, so its gradient is the delta alone:", b=pen.symbol(target))
        yield Line(target, True, bias_line(pen, view, target), words)


def _units_of(desk: Desk, target: Scalar) -> Sequence[int]:
    variable = desk.derivation.program.variables[target.array]
    if variable.role == "bias" and not variable.shape:
        return range(desk.views[variable.layer - 1].units)
    return [target.index[-1] if variable.role == "net" else target.index[0]]


def _chain_lines(desk: Desk, target: Scalar) -> Iterator[Line]:
    """A line for each ∂E/∂v on the way, the error's side first."""
    steps = desk.derivation.gradient_steps
    order = {equation.target: place for place, equation in enumerate(desk.derivation.program.equations)}
    found: dict[Scalar, Step] = {}
    waiting = [target]
    while waiting:
        scalar = waiting.pop()
        if scalar in found or scalar not in steps:
            continue
        found[scalar] = steps[scalar]
        waiting += [each.by for term in steps[scalar].terms for each in term.factors if each.local is None]
    first_last = sorted(found, key=lambda each: (-order.get(each.array, -1), each.index))
    wanted = [each for each in sorted(first_last, key=lambda each: each == target) if found[each].terms]
    for scalar in wanted[-MOST_LINES:]:
        sides = chain_line(desk.pen, found[scalar])
        yield Line(scalar, True, sides, prose("Back to {it}:", it=desk.pen.symbol(scalar)))


# ---- what a line rests on ----------------------------------------------------------------------


def known_values(desk: Desk, lines: Sequence[Line]) -> list[Scalar]:
    """The computed values of the forward pass that backward lines read, in the order of calculation."""
    derivation = desk.derivation
    found: dict[Scalar, None] = {}
    for line in lines:
        step = derivation.gradient_steps.get(line.scalar)
        targets = [line.scalar] if step is not None else []
        if desk.views and derivation.program.variables[line.scalar.array].role == "net":
            view = desk.views[derivation.program.variables[line.scalar.array].layer - 1]
            outs = range(view.units) if view.row.over_axis else [line.scalar.index[-1]]
            found |= dict.fromkeys(view.out_of(unit, line.scalar.index[0]) for unit in outs)
            if view.row.kink:
                found[line.scalar] = None
            continue
        for target in targets:
            for term in derivation.gradient_steps[target].terms:
                for factor in term.factors:
                    if factor.local is not None:
                        found |= dict.fromkeys(
                            derivation.scalar_of(s) for s in sorted(factor.local.free_symbols, key=str)
                        )
    order = {equation.target: place for place, equation in enumerate(derivation.program.equations)}
    computed = [scalar for scalar in found if scalar.array in order]
    return sorted(computed, key=lambda each: (order[each.array], each.index))


def missing_upstream(desk: Desk, lines: Sequence[Line]) -> list[Scalar]:
    """The ∂E/∂v that the lines read and that no line of them computes."""
    computed = {line.scalar for line in lines}
    error = Scalar(desk.derivation.program.error, ())
    found: dict[Scalar, None] = {}
    for line in lines:
        if _layered(desk, line.scalar):
            continue
        step = desk.derivation.gradient_steps.get(line.scalar)
        for term in step.terms if step is not None else ():
            found |= dict.fromkeys(each.by for each in term.factors if each.local is None)
    return [scalar for scalar in found if scalar not in computed and scalar != error]


MOST_KNOWN = 12
"""So many values are listed in a sentence."""


def starting_from(desk: Desk, lines: Sequence[Line]) -> tuple[Block, ...]:
    """The sentence that lists what backward lines start from; nothing where they start from given numbers alone."""
    pen = desk.pen
    values: list[Slot] = [(Side(pen.symbol(each), ""), pen.value(each).side) for each in known_values(desk, lines)]
    values += [(Side(pen.partial(None, each), ""), pen.gradient(each).side) for each in missing_upstream(desk, lines)]
    if not values:
        return ()
    shown = values[:MOST_KNOWN]
    more = f", and {len(values) - MOST_KNOWN} more" if len(values) > MOST_KNOWN else ""
    return (paragraph("From the forward pass we have {values}{more}.", values=listed(shown), more=more),)


def equation_of(line: Line, *, boxed: bool = False) -> Equation:
    """A line as a displayed equation."""
    return Equation(line.sides, boxed=boxed)


# ---- words -------------------------------------------------------------------------------------


def what(desk: Desk, scalar: Scalar) -> Inlines:
    """What a quantity is, in words, without its name: the net input of h1; the error of output 2."""
    pen, variable = desk.pen, desk.derivation.program.variables[scalar.array]
    several = "" if not variable.per_example or variable.shape[0] == 1 else f" in example {pen.nth(scalar.index[0])}"
    if desk.views:
        match variable.role:
            case "net":
                return prose("the net input of {unit}{several}", unit=pen.unit(scalar), several=several)
            case "activation":
                net = Scalar(desk.views[variable.layer - 1].net.name, scalar.index)
                return prose("the output of {unit}{several}", unit=pen.unit(net), several=several)
            case "output_error":
                return prose("the error of output {n}{several}", n=pen.nth(scalar.index[-1]), several=several)
            case "weight":
                return prose("the weight")
            case "bias":
                return prose("the bias")
    if scalar.array == desk.derivation.program.error:
        return prose("the error")
    words = variable.meaning.removeprefix("the ").strip()
    return prose("the {words}{several}", words=words or "value", several=several)


def named(desk: Desk, scalar: Scalar) -> Inlines:
    """The same with its name behind it: the net input of h1, net_h1."""
    return prose("{what}, {name}", what=what(desk, scalar), name=desk.pen.symbol(scalar))


def capitalised(inlines: Inlines) -> Inlines:
    """Inlines with the first letter large."""
    from dataclasses import replace

    from render.document import Text

    first, *rest = inlines
    if isinstance(first, Text):
        return (replace(first, text=first.text[:1].upper() + first.text[1:]), *rest)
    return inlines
