"""What stands where on a sheet: products with weights, biases, activations, the output and its targets, by layer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import sympy

from derive.functions import ACTIVATIONS, Activation, Elementwise, constant_of
from derive.program import Contract, Expression, Map, Program, Ref, Softmax, references
from derive.verification.regular import is_weight


@dataclass(frozen=True)
class Affine:
    """A product of incoming values with a weight array: ``target`` = einsum(incoming, weight)."""

    target: str
    weight: str
    incoming: str
    contract: Contract
    layer: int

    @property
    def axes(self) -> tuple[str, str, str]:
        """The labels of the weight, of the incoming values, and of the result."""
        first = isinstance(self.contract.arguments[0], Ref) and self.contract.arguments[0].name == self.weight
        left, right = self.contract.axes
        return (left, right, self.contract.out) if first else (right, left, self.contract.out)

    @property
    def unit_axis(self) -> int | None:
        """Which axis of the weight counts units; None where there is only one unit."""
        return next((i for i, letter in enumerate(self.axes[0]) if letter in self.axes[2]), None)

    @property
    def square(self) -> bool:
        """May the weight be transposed and still fit?"""
        shape = self.weight_shape
        return len(shape) == 2 and shape[0] == shape[1]

    @property
    def weight_shape(self) -> tuple[int, ...]:
        """The weight's shape."""
        return next(p.shape for p in self.contract.arguments if isinstance(p, Ref) and p.name == self.weight)


@dataclass(frozen=True)
class Bias:
    """A bias that is added: ``target`` = … + ``name``."""

    target: str
    name: str
    layer: int


@dataclass(frozen=True)
class Squash:
    """An activation: ``target`` = f(``source``). ``row`` is None for softmax."""

    target: str
    source: str
    layer: int
    row: Activation | None
    expression: Expression

    @property
    def name(self) -> str:
        """The activation's name."""
        return "softmax" if self.row is None else self.row.name

    @property
    def constants(self) -> dict[sympy.Expr, sympy.Expr]:
        """What the activation was given for its constant (a slope)."""
        call = self.expression.formula if isinstance(self.expression, Map) else None
        return constant_of(call) if isinstance(call, Elementwise) else {}


def counted(program: Program, name: str, axis: int) -> str:
    """What an axis of an array counts, in the singular."""
    variable = program.variables[name]
    if variable.per_example and axis == 0:
        return "example"
    known = variable.axes[axis] if axis < len(variable.axes) else ""
    if known:
        return {"time": "time step"}.get(known, known)
    if len(variable.shape) - variable.per_example == 1:
        return "unit" if name in program.definitions else "number"
    return "row" if axis == len(variable.shape) - 2 else "column" if axis == len(variable.shape) - 1 else "channel"


@dataclass(frozen=True)
class Structure:
    """A program in regular form, read as a network. Layers are numbered from 1."""

    program: Program

    @property
    def only_square_layer(self) -> int | Literal["all"]:
        """The layer that alone has square weights; "all" where none has, or several."""
        layers = {each.layer for each in self.affine if each.square and each.weight in self.program.parameters}
        return layers.pop() if len(layers) == 1 else "all"

    @cached_property
    def penalty(self) -> str:
        """The penalty that a problem file asked for: made of parameters alone, and part of the error; "" for none."""
        program = self.program
        given = set(program.parameters) | set(program.given)
        names = ("R", *(f"R_{k}" for k in range(1, 9)))
        return next((n for n in names if n in program.definitions and references(program.definitions[n]) <= given), "")

    def stem(self, array: str) -> str:
        """What an array is called at every time step: z of z1_t2, h of h3."""
        place = self.program.variables[array].place
        return array.rstrip("0123456789").rstrip("_") if place is None else place.stem

    @cached_property
    def layer_of(self) -> Mapping[str, int]:
        """The layer of every array: that which wrote it, or the last layer with a weight before it."""
        found: dict[str, int] = {}
        weights = self._layer_of_weight
        for name, variable in self.program.variables.items():
            if variable.place is not None:
                found[name] = variable.place.layer
        for equation in self.program.equations:
            read = references(equation.expression)
            own = [weights[name] for name in read if name in weights]
            before = [found[name] for name in read if name in found and name in self.program.definitions]
            found.setdefault(equation.target, max(own or before, default=1))
        return found | weights

    @cached_property
    def _layer_of_weight(self) -> dict[str, int]:
        """Weights are of the layers that wrote them; else they are numbered as they are first read."""
        found: dict[str, int] = {}
        groups: dict[str, int] = {}
        for equation in self.program.equations:
            for part in sorted(references(equation.expression)):
                if part in found or not is_weight(Ref(part, ()), self.program):
                    continue
                place = self.program.variables[part].place
                if place is not None:
                    found[part] = place.layer
                elif self.program.variables[part].role == "bias" and groups:
                    found[part] = max(groups.values())
                else:  # weights of one equation of the user's are of one layer
                    owner = equation.target.split(".")[0]
                    found[part] = groups.setdefault(owner, len(groups) + 1)
        return found

    @cached_property
    def affine(self) -> tuple[Affine, ...]:
        """Every product with a weight, in order."""
        found = []
        for equation in self.program.equations:
            expression = equation.expression
            if not isinstance(expression, Contract):
                continue
            names = [part.name for part in expression.arguments if isinstance(part, Ref)]
            weights = [name for name in names if is_weight(Ref(name, ()), self.program)]
            weights.sort(key=self._readers.__getitem__)  # an input that is asked for is read more often than a weight
            if len(set(names)) == 2 and weights:
                (incoming,) = [name for name in names if name != weights[0]]
                found.append(Affine(equation.target, weights[0], incoming, expression, self.layer_of[equation.target]))
        return tuple(found)

    @cached_property
    def _readers(self) -> Mapping[str, int]:
        """By how many equations each array is read."""
        return Counter(name for e in self.program.equations for name in references(e.expression))

    @cached_property
    def biases(self) -> tuple[Bias, ...]:
        """Every addition of a given array that is no weight of a product."""
        weights = {each.weight for each in self.affine}
        found = []
        for equation in self.program.equations:
            if not isinstance(equation.expression, Map):
                continue
            formula = equation.expression.formula
            for symbol, part in zip(equation.expression.symbols, equation.expression.arguments, strict=True):
                if not isinstance(part, Ref) or part.name in weights or part.name not in self.program.parameters:
                    continue
                if part.name in self.program.given and sympy.diff(formula, symbol) == 1:
                    found.append(Bias(equation.target, part.name, self.layer_of[equation.target]))
        return tuple(found)

    @cached_property
    def squashes(self) -> tuple[Squash, ...]:
        """Every activation, in order."""
        found = []
        for equation in self.program.equations:
            layer = self.layer_of[equation.target]
            match equation.expression:
                case Softmax(Ref(source), _, _, False) as expression:
                    found.append(Squash(equation.target, source, layer, None, expression))
                case Map(formula, (symbol,), (Ref(source),)) as expression:
                    row = row_of(formula, symbol)
                    if formula == symbol and self.program.variables[equation.target].role == "activation":
                        row = ACTIVATIONS["identity"]
                    if row is not None:
                        found.append(Squash(equation.target, source, layer, row, expression))
                case Ref(source) as expression if self.program.variables[equation.target].role == "activation":
                    found.append(Squash(equation.target, source, layer, ACTIVATIONS["identity"], expression))
        return tuple(found)

    @cached_property
    def targets(self) -> tuple[str, ...]:
        """The given arrays that the outputs are compared with: no parameters, and read by nothing before a weight."""
        before_weights = self._upstream_of({each.target for each in self.affine})
        given = (name for name in self.program.given if name not in self.program.parameters)
        by_role = tuple(v.name for v in self.program.by_role("target"))
        read = set().union(*(references(e.expression) for e in self.program.equations))
        return by_role or tuple(name for name in given if name not in before_weights and name in read)

    def _upstream_of(self, names: set[str]) -> set[str]:
        needed = set(names)
        for equation in reversed(self.program.equations):
            if equation.target in needed:
                needed |= references(equation.expression)
        return needed

    @cached_property
    def comparison(self) -> str:
        """The equation in which outputs and targets meet; "" where there is none."""
        for equation in self.program.equations:
            if references(equation.expression) & set(self.targets):
                return equation.target
        return ""

    @cached_property
    def outputs(self) -> tuple[str, ...]:
        """The arrays that are compared with targets."""
        if not self.comparison:
            return ()
        read = references(self.program.definitions[self.comparison])
        return tuple(name for name in self.program.definitions if name in read)

    @cached_property
    def in_layers(self) -> bool:
        """Is the problem stated in layers? One in equations has none that its reader knows of."""
        return any(variable.place is not None for variable in self.program.variables.values())

    @cached_property
    def layers(self) -> tuple[int, ...]:
        """The numbers of the layers that have weights."""
        return tuple(sorted({each.layer for each in self.affine}))

    @cached_property
    def parameters_of(self) -> Mapping[int, tuple[str, ...]]:
        """The parameters of each layer."""
        return {
            layer: tuple(n for n in self.program.parameters if self.layer_of.get(n) == layer) for layer in self.layers
        }

    @cached_property
    def last(self) -> int:
        """The number of the last layer."""
        return max(self.layers, default=1)


def row_of(formula: sympy.Expr, symbol: sympy.Symbol) -> Activation | None:
    """The row of an activation that is applied to a symbol, or None."""
    if isinstance(formula, Elementwise) and formula.args[0] == symbol:
        return formula.row
    if isinstance(formula, sympy.tanh) and formula.args[0] == symbol:
        return ACTIVATIONS["tanh"]
    return None
