"""Closed forms: the error and its derivatives as single expressions in the parameters alone.

They swell fast with depth, so nothing else depends on them; they are what a user may ask to see,
and `flat_derivative`, plain `sympy.diff` of the error, is the oracle of the chain rule's result.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import sympy
from sympy import Expr

from derive.chain import Step
from derive.functions import expand
from derive.scalars import Graph, Scalar, to_sympy


@dataclass(frozen=True)
class ClosedForms:
    """Closed forms of a graph's scalars; ``known`` are the exact values of inputs and targets."""

    graph: Graph
    known: Mapping[Scalar, Expr]
    steps: Mapping[Scalar, Step]
    _values: dict[Scalar, Expr] = field(default_factory=dict, repr=False)
    _gradients: dict[Scalar, Expr] = field(default_factory=dict, repr=False)

    def value(self, scalar: Scalar) -> Expr:
        """The scalar in the parameters alone, every function written out."""
        if scalar not in self._values:
            node = None if scalar.array in self.graph.program.parameters else self.graph.definition(scalar)
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
    """∂E/∂scalar as plain `sympy.diff` of the closed-form error: the chain rule's oracle."""
    return sympy.diff(forms.value(Scalar(forms.graph.program.error, ())), forms.graph.symbol(scalar))
