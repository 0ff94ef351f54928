"""The lines of a worked solution: the forward pass as far as it is needed, and the way back to one quantity."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from derive.chain import Step
from derive.derivation import Derivation
from derive.formula import Side
from derive.scalars import Graph, Scalar, leaves
from render.compose import factors
from render.compose.closing import bias_line
from render.compose.network.terms import chain_line
from render.compose.pen import prose
from render.compose.structure import LayerView, local
from render.document import Inlines
from render.exercises.desk import Desk
from render.exercises.wording import back_to, capitalised, delta_words, what

MOST_LINES = 8
"""So many lines a solution has; what comes before them is given in the exercise."""


class Derived(Protocol):
    """What has a derivation and, of a dense network, its layers: a `Ground` for all variants, a `Desk` for one."""

    @property
    def derivation(self) -> Derivation:
        """The derivation."""

    @property
    def views(self) -> tuple[LayerView, ...]:
        """The layers of a dense network; none of any other."""


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
    return [Line(each, False, desk.pen.forward_line(each), _computed(desk, each)) for each in way_there(desk, target)]


def way_there(derived: Derived, target: Scalar) -> list[Scalar]:
    """The computed scalars that a value rests on, itself last; of very many the last `MOST_LINES`."""
    graph, found = derived.derivation.graph, {}
    order = _order(derived)
    waiting = [target]
    while waiting:
        scalar = waiting.pop()
        node = graph.definition(scalar)
        if node is None or scalar in found:
            continue
        found[scalar] = (order[scalar.array], scalar.index)
        waiting += leaves(node)
    return sorted(found, key=lambda each: _unit_by_unit(derived, each, found[each]))[-MOST_LINES:]


def stated_before(derived: Derived, target: Scalar) -> list[Scalar]:
    """The computed values that the lines of a forward value read and that none of them computes."""
    lines, graph = way_there(derived, target), derived.derivation.graph
    read = dict.fromkeys(each for line in lines for each in _read(graph, line) if each not in lines)
    return in_order(derived, [each for each in read if graph.definition(each) is not None])


def _read(graph: Graph, scalar: Scalar) -> Iterator[Scalar]:
    node = graph.definition(scalar)
    return leaves(node) if node is not None else iter(())


def _unit_by_unit(derived: Derived, scalar: Scalar, place: tuple[int, tuple[int, ...]]) -> tuple[object, ...]:
    """Net input and output of a unit stand together, unit after unit."""
    variable = derived.derivation.program.variables[scalar.array]
    if derived.views and variable.role in ("net", "activation"):
        return (variable.layer, 0, scalar.index, place)
    return (variable.layer if derived.views and variable.layer else 10**6, 1, (), place)


def _order(derived: Derived) -> dict[str, int]:
    """The place of each array in the order of calculation."""
    return {equation.target: place for place, equation in enumerate(derived.derivation.program.equations)}


def in_order(derived: Derived, scalars: Iterable[Scalar]) -> list[Scalar]:
    """Computed values in the order of calculation."""
    order = _order(derived)
    return sorted((each for each in scalars if each.array in order), key=lambda each: (order[each.array], each.index))


def _computed(desk: Desk, scalar: Scalar) -> Inlines:
    return prose("{What}:", What=capitalised(what(desk, scalar)))


# ---- backward --------------------------------------------------------------------------------


def way_back(derived: Derived, target: Scalar) -> list[Scalar]:
    """What has a ∂E by it on the way from the error back to a quantity, itself last; the last `MOST_LINES`."""
    found = list(_dense_way(derived, target)) if _layered(derived, target) else _chain_way(derived, target)
    return found[-MOST_LINES:]


def backward_lines(desk: Desk, target: Scalar) -> list[Line]:
    """The lines from the error back to ∂E/∂target, itself last; the last `MOST_LINES` of them."""
    write = _dense_line if _layered(desk, target) else _chain_line
    made = []
    for scalar in way_back(desk, target):
        if (write, scalar) not in desk.memory:
            desk.memory[write, scalar] = write(desk, scalar)
        made.append(desk.memory[write, scalar])
    return made


def _layered(derived: Derived, target: Scalar) -> bool:
    variable = derived.derivation.program.variables[target.array]
    return bool(derived.views) and variable.role in ("net", "weight", "bias")


def _dense_way(derived: Derived, target: Scalar) -> Iterator[Scalar]:
    views = derived.views
    variable = derived.derivation.program.variables[target.array]
    view = views[variable.layer - 1]
    examples = [target.index[0]] if variable.role == "net" else list(range(view.examples))
    units = _units_of(derived, target)
    for later in reversed(views[view.number - 1 :]):
        for example in examples:
            for unit in units if later is view else range(later.units):
                yield later.net_of(unit, example)
    if variable.role != "net":
        yield target


def _units_of(derived: Derived, target: Scalar) -> Sequence[int]:
    variable = derived.derivation.program.variables[target.array]
    if variable.role == "bias" and not variable.shape:
        return range(derived.views[variable.layer - 1].units)
    return [target.index[-1] if variable.role == "net" else target.index[0]]


def _dense_line(desk: Desk, scalar: Scalar) -> Line:
    pen, views = desk.pen, desk.views
    variable = desk.derivation.program.variables[scalar.array]
    view = views[variable.layer - 1]
    added = ", added up over the examples" if view.examples > 1 else ""
    if variable.role == "net":
        following = None if view.last else views[view.number]
        sides = factors.delta_line(pen, view, following, scalar.index[-1], scalar.index[0])
        return Line(scalar, True, sides, delta_words(desk, scalar))
    if variable.role == "weight":
        words = prose(
            "The gradient is the delta of the unit times the value that comes in over {w}{added}:",
            w=pen.symbol(scalar),
            added=added,
        )
        return Line(scalar, True, factors.gradient_line(pen, view, scalar), words)
    words = prose(
        "What {b} adds to is multiplied by 1, so its gradient is the delta alone{added}:",
        b=pen.symbol(scalar),
        added=added,
    )
    return Line(scalar, True, bias_line(pen, view, scalar), words)


def _chain_way(derived: Derived, target: Scalar) -> list[Scalar]:
    """Each v whose ∂E/∂v is to be calculated on the way, the error's side first; what is a constant is not."""
    steps, order = derived.derivation.gradient_steps, _order(derived)
    found: dict[Scalar, Step] = {}
    waiting = [target]
    while waiting:
        scalar = waiting.pop()
        if scalar in found or scalar not in steps:
            continue
        found[scalar] = steps[scalar]
        waiting += [each.by for term in steps[scalar].terms for each in term.factors if each.local is None]
    first_last = sorted(found, key=lambda each: (each == target, -order.get(each.array, -1), each.index))
    return [each for each in first_last if found[each].terms and (each == target or not _constant(found[each]))]


def _constant(step: Step) -> bool:
    """Is ∂E/∂v the same number whatever is computed, as that by the error of one output is 1?"""
    return all(each.local is not None and each.local.is_number for term in step.terms for each in term.factors)


def _chain_line(desk: Desk, scalar: Scalar) -> Line:
    sides = chain_line(desk.pen, desk.derivation.gradient_steps[scalar])
    return Line(scalar, True, sides, back_to(desk, scalar))


# ---- what a line rests on ----------------------------------------------------------------------


def known_values(derived: Derived, way: Sequence[Scalar]) -> list[Scalar]:
    """The computed values of the forward pass that backward lines read, in the order of calculation."""
    derivation = derived.derivation
    found: dict[Scalar, None] = {}
    for scalar in way:
        if derived.views and derivation.program.variables[scalar.array].role == "net":
            found |= dict.fromkeys(_read_by_delta(derived, scalar))
            continue
        step = derivation.gradient_steps.get(scalar)
        factors_of = [each.local for term in step.terms for each in term.factors] if step is not None else []
        symbols = [symbol for each in factors_of if each is not None for symbol in each.free_symbols]
        found |= dict.fromkeys(derivation.scalar_of(symbol) for symbol in symbols)
    return in_order(derived, found)


def _read_by_delta(derived: Derived, net: Scalar) -> list[Scalar]:
    """The values of the forward pass from which a dense network's delta is made."""
    view = derived.views[derived.derivation.program.variables[net.array].layer - 1]
    outs = [view.out_of(unit, net.index[0]) for unit in (range(view.units) if view.row.over_axis else [net.index[-1]])]
    if view.last or view.row.over_axis:
        return [*outs, net] if view.row.kink else outs
    return [derived.derivation.scalar_of(s) for s in local(derived.derivation, outs[0], net).free_symbols]


def missing_upstream(derived: Derived, way: Sequence[Scalar]) -> list[Scalar]:
    """The ∂E/∂v that the lines read and that no line of them computes."""
    error = Scalar(derived.derivation.program.error, ())
    found: dict[Scalar, None] = {}
    for scalar in way:
        if _layered(derived, scalar):
            found |= dict.fromkeys(_deltas_read(derived, scalar))
            continue
        step = derived.derivation.gradient_steps.get(scalar)
        for term in step.terms if step is not None else ():
            found |= dict.fromkeys(each.by for each in term.factors if each.local is None)
    return [scalar for scalar in found if scalar not in way and scalar != error]


def _deltas_read(derived: Derived, scalar: Scalar) -> Iterator[Scalar]:
    """The deltas that a dense network's delta or gradient is made from."""
    variable = derived.derivation.program.variables[scalar.array]
    view = derived.views[variable.layer - 1]
    if variable.role != "net":
        for example in range(view.examples):
            yield from (view.net_of(unit, example) for unit in _units_of(derived, scalar))
    elif not view.last:
        following = derived.views[view.number]
        yield from (following.net_of(unit, scalar.index[0]) for unit in range(following.units))
