"""Closed forms: the error and its derivatives as single expressions in the parameters alone.

Where a parameter is computed from another, the two are not independent, and it is written out by the other.
They swell fast with depth, so nothing else depends on them; they are what a user may ask to see,
and `flat_derivative`, plain `sympy.diff` of the error, is the oracle of the chain rule's result.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import sympy
from sympy import Expr

from derive.chain import Step
from derive.functions import expand
from derive.program import references
from derive.scalars import Graph, Scalar, to_sympy


@dataclass(frozen=True)
class ClosedForms:
    """Closed forms of a graph's scalars; ``known`` are the exact values of inputs and targets.

    An array that is ``held`` stays symbols, although it is computed from parameters.
    """

    graph: Graph
    known: Mapping[Scalar, Expr]
    steps: Mapping[Scalar, Step]
    held: frozenset[str] = frozenset()
    _values: dict[Scalar, Expr] = field(default_factory=dict, repr=False)
    _gradients: dict[Scalar, Expr] = field(default_factory=dict, repr=False)

    @cached_property
    def independent(self) -> frozenset[str]:
        """The parameters that stay symbols: those that no other parameter leads to, and what is held."""
        program = self.graph.program
        parameters, moved = set(program.parameters), set(program.parameters)
        reached = set()
        for equation in program.equations:
            if references(equation.expression) & moved:
                moved.add(equation.target)
                reached.add(equation.target)
        return frozenset(parameters - reached - {program.error}) | self.held

    def value(self, scalar: Scalar) -> Expr:
        """The scalar in the independent parameters alone, every function written out."""
        if scalar not in self._values:
            node = None if scalar.array in self.independent else self.graph.definition(scalar)
            if node is not None:
                self._values[scalar] = expand(to_sympy(node, self.value))
            else:
                self._values[scalar] = self.known.get(scalar, self.graph.symbol(scalar))
        return self._values[scalar]

    def gradient(self, scalar: Scalar) -> Expr:
        """∂E/∂scalar in the parameters alone, by the chain rule's steps."""
        error = Scalar(self.graph.program.error, ())
        if scalar == error:
            return sympy.S.One
        if scalar not in self._gradients:
            terms = []
            for term in self.steps[scalar].terms if scalar in self.steps else ():
                factors = [self.gradient(f.by) if f.local is None else self._local(f.local) for f in term.factors]
                terms.append(sympy.Mul(*factors))
            self._gradients[scalar] = sympy.Add(*terms)
        return self._gradients[scalar]

    def _local(self, local: Expr) -> Expr:
        read = {symbol: self.value(self._scalar(symbol)) for symbol in local.free_symbols}
        return expand(local.xreplace(read))

    def _scalar(self, symbol: Expr) -> Scalar:
        array, index = self.graph.names.find(symbol.name)
        return Scalar(array, () if index is None else index)


def flat_derivative(forms: ClosedForms, scalar: Scalar) -> Expr:
    """∂E/∂scalar as plain `sympy.diff` of the closed-form error: the chain rule's oracle.

    By a parameter that is computed from another: the array is held while the error is differentiated, and then
    written out.
    """
    error = Scalar(forms.graph.program.error, ())
    if scalar.array in forms.independent or scalar == error:
        return sympy.diff(forms.value(error), forms.graph.symbol(scalar)) if scalar != error else sympy.S.One
    held = replace(forms, held=frozenset({scalar.array}), _values={}, _gradients={})
    found = sympy.diff(held.value(error), forms.graph.symbol(scalar))
    return found.xreplace({forms.graph.symbol(each): forms.value(each) for each in forms.graph.scalars(scalar.array)})
