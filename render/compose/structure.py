"""What a layered network looks like to the composers: its layers, and the weights that are worked out in full."""

from __future__ import annotations

from dataclasses import dataclass

import sympy

from derive.derivation import Derivation
from derive.errors import ChainruleError, nearest, shown
from derive.evaluate.balls import FIRST_BITS
from derive.functions import ACTIVATIONS, Activation
from derive.notation import Names, UnknownNameError
from derive.program import Variable
from derive.scalars import Scalar

FULL_ROWS = 6
"""So many lines of the same kind are written out; more of them become a table."""

TABLE_ROWS = 40
"""So many rows of a table are printed; the rest is left to the command line."""


@dataclass(frozen=True)
class LayerView:
    """One layer: its arrays, its activation, and where it stands."""

    number: int
    weight: Variable
    bias: Variable | None
    net: Variable
    activation: Variable
    incoming: Variable
    row: Activation
    last: bool
    only_hidden: bool = False

    @property
    def called(self) -> str:
        """What the prose calls it: the output layer, the hidden layer, hidden layer 2."""
        if self.last:
            return "the output layer"
        return "the hidden layer" if self.only_hidden else f"hidden layer {self.number}"

    @property
    def units(self) -> int:
        """How many units it has."""
        return self.net.shape[-1]

    @property
    def examples(self) -> int:
        """How many examples pass through it."""
        return self.net.shape[0]

    @property
    def hidden(self) -> bool:
        """Whether it is a hidden layer."""
        return not self.last

    def net_of(self, unit: int, example: int = 0) -> Scalar:
        """The net input of a unit."""
        return Scalar(self.net.name, (example, unit))

    def out_of(self, unit: int, example: int = 0) -> Scalar:
        """The output of a unit."""
        return Scalar(self.activation.name, (example, unit))

    def in_of(self, column: int, example: int = 0) -> Scalar:
        """An incoming value."""
        return Scalar(self.incoming.name, (example, column))

    def weight_of(self, unit: int, column: int) -> Scalar:
        """A weight."""
        return Scalar(self.weight.name, (unit, column))


def layer_views(derivation: Derivation) -> tuple[LayerView, ...]:
    """The layers in order."""
    program = derivation.program
    incoming = program.variables["x"]
    views = []
    count = len(derivation.problem.layers)
    for number, layer in enumerate(derivation.problem.layers, start=1):
        activation = program.variables[f"a{number}"]
        views.append(
            LayerView(
                number,
                program.variables[f"W{number}"],
                program.variables.get(f"b{number}"),
                program.variables[f"z{number}"],
                activation,
                incoming,
                ACTIVATIONS[layer.activation],
                number == count,
                count == 2 and number == 1,
            )
        )
        incoming = activation
    return tuple(views)


@dataclass(frozen=True)
class Selection:
    """Which weights are worked out in full; ``example`` is the one whose factors are shown."""

    weights: dict[int, tuple[Scalar, ...]]
    example: dict[Scalar, int]


def select(derivation: Derivation, views: tuple[LayerView, ...], show: str, names: Names) -> Selection:
    """``representative``: one weight a layer; ``all``; or names: ``w5,w1``.

    Names may be those of the problem's notation or of the page's (``names``). Raises ChainruleError for a name that is no weight of the network.
    """
    chosen: dict[int, list[Scalar]] = {view.number: [] for view in views}
    known = (derivation.names, names)
    named = [] if show in ("representative", "all", "") else _names_in(show, known)
    for name in named:
        scalar = _weight(derivation, views, name, known)
        layer = derivation.program.variables[scalar.array].layer
        if scalar not in chosen[layer]:
            chosen[layer].append(scalar)
    for view in views:
        if show == "all":
            chosen[view.number] = list(derivation.graph.scalars(view.weight.name))
        elif not chosen[view.number]:
            chosen[view.number] = [_telling(derivation, view)]
    examples = {weight: _example(derivation, weight) for weights in chosen.values() for weight in weights}
    return Selection({number: tuple(weights) for number, weights in chosen.items()}, examples)


def _names_in(show: str, known: tuple[Names, ...]) -> list[str]:
    """The names in a list with commas; a comma may belong to a name: W2[0, 0]."""
    found: list[str] = []
    parts = [part.strip() for part in show.split(",") if part.strip()]
    while parts:
        name, rest = parts[0], 1
        if len(parts) > 1 and not any(_is_name(each, name) for each in known):
            longer = f"{name},{parts[1]}"
            if any(_is_name(each, longer) for each in known):
                name, rest = longer, 2
        found.append(name)
        parts = parts[rest:]
    return found


def _is_name(names: Names, name: str) -> bool:
    try:
        names.find(name)
    except UnknownNameError:
        return False
    return True


def _weight(derivation: Derivation, views: tuple[LayerView, ...], name: str, known: tuple[Names, ...]) -> Scalar:
    """The weight of a name; ChainruleError with the first and the last, and the nearest, for any other name."""
    arrays = [view.weight.name for view in views]
    array, index = "", None
    for names in known:
        if _is_name(names, name):
            array, index = names.find(name)
            break
    if array in arrays and index is not None:
        return Scalar(array, index)
    asked = [array] if array in arrays else arrays
    every = [known[-1].typed[s.array, s.index] for a in asked for s in derivation.graph.scalars(a)]
    shortly = every[0] if len(every) == 1 else f"{every[0]} to {every[-1]}"
    what = ", a whole array" if array in arrays else ", which is no weight" if array else ""
    parts = (f"found {shown(name)}{what}", f"known: {shortly}", "" if array else nearest(name, every))
    raise ChainruleError(f"--show: {'; '.join(part for part in parts if part)}")


def _telling(derivation: Derivation, view: LayerView) -> Scalar:
    """The first weight of a layer whose gradient is not exactly zero (a dead unit teaches little)."""
    first = Scalar(view.weight.name, (0, 0))
    if not derivation.has_numbers:
        return first
    gradient = derivation.enclosures.at(FIRST_BITS)[derivation.gradient.adjoints[view.weight.name]]
    for scalar in derivation.graph.scalars(view.weight.name):
        if gradient[scalar.index] != 0:
            return scalar
    return first


def _example(derivation: Derivation, weight: Scalar) -> int:
    """The first example that contributes to a weight's gradient."""
    if not derivation.has_numbers:
        return 0
    layer = derivation.program.variables[weight.array].layer
    values = derivation.enclosures.at(FIRST_BITS)
    deltas = values[derivation.gradient.adjoints[f"z{layer}"]]
    incoming = values[f"a{layer - 1}" if layer > 1 else "x"]
    unit, column = weight.index
    for example in range(deltas.shape[0]):
        if deltas[example, unit] != 0 and incoming[example, column] != 0:
            return example
    return 0


def top(derivation: Derivation, out: Scalar) -> sympy.Expr:
    """∂E/∂out of an output unit, through the errors of the outputs, in local terms."""
    return sympy.Add(
        *(
            sympy.Mul(
                *(_above(derivation, factor.by) if factor.local is None else factor.local for factor in term.factors)
            )
            for term in derivation.gradient_steps[out].terms
        )
    )


def _above(derivation: Derivation, error_of_output: Scalar) -> sympy.Expr:
    (term,) = derivation.gradient_steps[error_of_output].terms
    local: sympy.Expr = term.factors[-1].local
    return local


def local(derivation: Derivation, of: Scalar, by: Scalar) -> sympy.Expr:
    """∂of/∂by of two neighbouring scalars."""
    return derivation.graph.partials(of, frozenset((by.array,))).get(by, sympy.S.Zero)
