"""From layers to a program: each writes its equations, the loss writes the last ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sympy import Rational

from derive.arrays import LARGEST_ARRAY, constant
from derive.equations import EquationError, parse
from derive.evaluate.balls import Array, exact_array
from derive.files.arrays import nested
from derive.functions import LOSSES
from derive.layers.frame import (
    Axes,
    LayerError,
    LayerType,
    Parameter,
    Scope,
    array_name,
    incoming_axes,
    product,
    settled,
    shape_text,
    singular,
    usual_name,
    wanted_text,
)
from derive.layers.table import LAYERS
from derive.problem import Symbols, lengths
from derive.program import BACK, Equation, Expression, Program, Ref, Shape, Variable

if TYPE_CHECKING:
    from derive.problem import Layer, Problem


TRAINED = ("weight", "bias", "scale")
"""The roles of parameters that are learned."""

MEANINGS = {"x": "inputs", "t": "targets", "e": "error of each output", "E": "error"}
"""What the arrays are that belong to no layer."""


@dataclass(frozen=True)
class Stated:
    """A layer as it is stated: its type, its keys, and the shapes of the arrays that are given by stem."""

    type: str = "dense"
    keys: Mapping[str, Any] = field(default_factory=dict)
    shapes: Mapping[str, Shape] = field(default_factory=dict)


@dataclass(frozen=True)
class Written:
    """What one layer wrote: its variables (given ones first), its equations, and what comes out."""

    variables: tuple[Variable, ...]
    equations: tuple[Equation, ...]
    parameters: Mapping[str, Parameter]
    output: Variable
    activation: str = "identity"

    @property
    def named(self) -> dict[str, Parameter]:
        """The parameters by the names of their arrays."""
        given = self.variables[: len(self.parameters)]
        return {v.name: parameter for v, parameter in zip(given, self.parameters.values(), strict=True)}


def written_layers(layers: Sequence[Stated], x: Variable, tokens: Any = None) -> tuple[Written, ...]:
    """The equations of all layers in order, from the inputs x (``tokens``: x as nested whole numbers).

    Raises LayerError, its key beginning with the layer's number ("layers[1].kernel_size").
    """
    found, errors = tried_layers(layers, x, tokens)
    if errors:
        raise errors[0]
    return found


def tried_layers(
    layers: Sequence[Stated], x: Variable, tokens: Any = None
) -> tuple[tuple[Written, ...], list[LayerError]]:
    """The layers as far as they can be written, and every fault in them, as `written_layers` raises it.

    Arrays of a wrong shape are told one by one, and taken for the right ones; where what comes out of a layer cannot be
    known, the layers behind it are not looked at.
    """
    found: list[Written] = []
    errors: list[LayerError] = []
    earlier = [x if x.axes else replace(x, axes=_incoming_axes(layers, x.shape))]
    for number, stated in enumerate(layers, start=1):
        faults: list[LayerError] = []
        try:
            found.append(_layer(LAYERS[stated.type], stated, number, tuple(earlier), tokens, faults))
        except LayerError as error:
            faults.append(error)
        except EquationError as error:
            faults.append(LayerError("", str(error)))
        place = f"layers[{number - 1}]"
        errors += [LayerError(f"{place}.{each.key}" if each.key else place, each.message) for each in faults]
        if len(found) < number:
            break
        earlier.append(found[-1].output)
    return tuple(found), errors


def _incoming_axes(layers: Sequence[Stated], shape: Shape) -> Axes:
    """What the axes of the inputs count: a problem with an unknown type of layer is refused later."""
    return incoming_axes([LAYERS[layer.type] for layer in layers if layer.type in LAYERS], len(shape))


def _layer(
    row: LayerType,
    stated: Stated,
    number: int,
    earlier: tuple[Variable, ...],
    tokens: Any,
    faults: list[LayerError],
) -> Written:
    """What a layer writes; arrays that do not fit are added to ``faults``. Raises LayerError where none is."""
    incoming = earlier[-1]
    settings = settled(row, stated.keys, stated.shapes, tuple(variable.shape for variable in earlier))
    parameters = row.parameters(settings, incoming.shape)
    faults += _misfits(row, stated.shapes, parameters)
    scope = Scope(number, incoming, settings, parameters, earlier, tokens)
    units = row.name == "dense" and len(incoming.shape) == 2
    given = {scope.name(stem): _given(scope.name(stem), each, number, units) for stem, each in parameters.items()}
    known = {variable.name: Ref(variable.name, variable.shape) for variable in (*earlier, *given.values())}
    equations = parse(row.write(scope), known)
    given = {
        name: _described(variable, scope, row, tuple(map(singular, parameter.axes)))
        for (name, variable), parameter in zip(given.items(), parameters.values(), strict=True)
    }
    axes = row.axes(settings, incoming.axes)
    defined = [
        _described(v, scope, row, axes.get(_stem(v, scope), incoming.axes))
        for v in _defined(equations, number, units, incoming.shape[0])
    ]
    activation = settings.values.get("activation", "identity")
    return Written((*given.values(), *defined), equations, parameters, defined[-1], activation)


def _described(variable: Variable, scope: Scope, row: LayerType, axes: Axes) -> Variable:
    """A layer's variable with its place, its meaning, and what its axes count."""
    place = scope.places[variable.name]
    like = row.like.get(place.stem, "")
    return replace(variable, place=place, meaning=row.meaning(place), axes=axes, like=like)


def _stem(variable: Variable, scope: Scope) -> str:
    return scope.places[variable.name].stem.removesuffix(BACK)


def _given(name: str, parameter: Parameter, number: int, units: bool) -> Variable:
    """A given array. Layer 0 where it is no layer of units: then a notation's rows leave it its own name."""
    role = parameter.role if parameter.role in ("weight", "bias") else "array"
    return Variable(name, parameter.shape, role, number if units else 0)


def _defined(equations: Sequence[Equation], number: int, units: bool, examples: int) -> list[Variable]:
    found = []
    for equation in equations:
        shape = equation.expression.shape
        role = "activation" if equation is equations[-1] else "net" if units else "array"
        found.append(Variable(equation.target, shape, role, number if units else 0, shape[:1] == (examples,)))
    return found


def _misfits(row: LayerType, shapes: Mapping[str, Shape], parameters: Mapping[str, Parameter]) -> list[LayerError]:
    """Given arrays of the wrong shape, or of no use to this layer. Raises LayerError for one that is too large."""
    for stem, parameter in parameters.items():
        if product(parameter.shape) > LARGEST_ARRAY:
            message = f"{stem} would be {wanted_text(parameter)}; at most {LARGEST_ARRAY:,} numbers are supported"
            raise LayerError("", message)
    found = []
    for stem, shape in shapes.items():
        key = usual_name(row, stem)
        if stem not in parameters:
            found.append(LayerError(key, f"is given, but with these settings {row.name} does not use it"))
        elif shape != parameters[stem].shape:
            found.append(LayerError(key, f"found {shape_text(shape)}; expected {wanted_text(parameters[stem])}"))
    return found


# ---- a layered problem ---------------------------------------------------------------------


def program(problem: Problem) -> Program:
    """The program of a layered problem, with its weights and biases as parameters unless it says otherwise."""
    layers = [stated(layer) for layer in problem.layers]
    inputs, targets = _side(problem, "inputs"), _side(problem, "targets")
    x = _whole("x", inputs, "input", _incoming_axes(layers, inputs))
    written = written_layers(layers, x, _tokens(problem))
    output = written[-1].output
    t = _whole("t", targets, "target", output.axes)
    variables = [x, t, *(_as_output(v) if v is output else v for each in written for v in each.variables)]
    variables += [
        _whole("e", targets, "output_error", output.axes),
        Variable("E", (), "error", meaning=MEANINGS["E"]),
    ]
    equations = [*(equation for each in written for equation in each.equations), *_loss(problem, output, t)]
    trained = (name for each in written for name, parameter in each.named.items() if parameter.role in TRAINED)
    defined = {equation.target for equation in equations}
    ordered = [v for v in variables if v.name not in defined] + [v for v in variables if v.name in defined]
    return Program({v.name: v for v in ordered}, tuple(equations), "E", problem.parameters or tuple(trained))


def _side(problem: Problem, side: str) -> Shape:
    """The shape of the inputs or the targets of all examples as one array."""
    return (len(problem.examples), *lengths(getattr(problem.examples[0], side)))


def _whole(name: str, shape: Shape, role: str, axes: Axes) -> Variable:
    """An array of the inputs, the targets or their errors: of its role where it is of units, one value each."""
    here = axes if len(axes) == len(shape) else ()
    own = role if len(shape) == 2 else "array"
    return Variable(name, shape, own, per_example=True, meaning=MEANINGS[name], axes=here, like=role)


def _as_output(variable: Variable) -> Variable:
    """What comes out of the last layer has the letter of an output."""
    return replace(variable, like="output") if variable.like == "activation" else variable


def stated(layer: Layer) -> Stated:
    """A problem's layer as it is stated."""
    if layer.type != "dense" or layer.keys or layer.arrays:
        return Stated(layer.type, dict(layer.keys), {array.name: array.shape for array in layer.arrays})
    shapes: dict[str, Shape] = {} if layer.weights is None else {"W": lengths(layer.weights)}
    keys = {"units": layer.units, "activation": layer.activation} | layer.constants
    if isinstance(layer.bias, str):
        keys["bias"] = layer.bias
    elif layer.bias is not None:
        shapes["b"] = lengths(layer.bias)
    return Stated(layer.type, keys, shapes)


def _tokens(problem: Problem) -> Any:
    """The inputs as nested whole numbers, where an embedding reads them."""
    if problem.layers[0].type != "embedding":
        return None
    return [whole(example.inputs) for example in problem.examples]


def whole(values: Any) -> Any:
    """Nested tuples of whole numbers as nested lists of integers."""
    return [whole(each) for each in values] if isinstance(values, tuple) else int(values)


def _loss(problem: Problem, output: Variable, target: Variable) -> tuple[Equation, ...]:
    """The error of each output, e, and the error E: summed or averaged over outputs and examples."""
    row = LOSSES[problem.loss.name]
    examples, *outputs = target.shape
    count = product(outputs) if row.over_outputs == "mean" else 1
    count *= examples if problem.loss.over_examples == "mean" else 1
    names: dict[str, Expression] = {"t": Ref("t", target.shape), "a": Ref(output.name, output.shape)}
    if row.delta is not None:
        names["delta"] = constant(row.delta if problem.loss.delta is None else Rational(problem.loss.delta))
    whole = "E = sum(e)" if count == 1 else f"E = 1/{count} * sum(e)"
    return parse(f"e = {row.element}\n{whole}", names)


def given(problem: Problem, program: Program) -> dict[str, Array]:
    """The exact values of the arrays that a problem gives numbers for."""
    values: dict[str, object] = {}
    for name, side in (("x", "inputs"), ("t", "targets")):
        rows = [getattr(example, side) for example in problem.examples]
        if not isinstance(rows[0], int | Symbols):
            values[name] = rows
    for number, layer in enumerate(problem.layers, start=1):
        values |= {
            array_name(array.name, number): nested(array.numbers, array.shape)
            for array in layer.arrays
            if array.numbers is not None
        }
        if layer.weights is not None:
            values[array_name("W", number)] = layer.weights
        if layer.bias is not None and not isinstance(layer.bias, str) and not layer.arrays:
            values[array_name("b", number)] = layer.bias
    return {name: exact_array(value, program.shape(name)) for name, value in values.items()}
