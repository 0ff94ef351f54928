"""The derivation as ordered steps: each scalar's definition, then each ∂E/∂(scalar) by the chain rule.

A step is data. Its symbols, the same with numbers, and its result are one step printed three ways.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sympy import Expr

from derive.program import references
from derive.scalars import Graph, Node, Scalar


@dataclass(frozen=True, slots=True)
class Factor:
    """∂of/∂by: a local derivative as SymPy found it, or (``local`` None) an upstream gradient with its own step."""

    of: Scalar
    by: Scalar
    local: Expr | None = None


@dataclass(frozen=True, slots=True)
class Term:
    """One path: the product of its factors."""

    factors: tuple[Factor, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the derivation.

    ``kind``: "forward" (a definition), "error" (the error of an output, or the whole), "delta"
    (∂E/∂target for a quantity on the way), "gradient" (∂E/∂target for a parameter) or "update".
    ``terms`` are the paths whose products are summed; ``definition`` what a forward step computes.
    """

    kind: str
    target: Scalar
    terms: tuple[Term, ...] = ()
    definition: Node | None = None


def forward_steps(graph: Graph) -> Iterator[Step]:
    """A step for each scalar that an equation defines, in order."""
    for equation in graph.program.equations:
        role = graph.program.variables[equation.target].role
        kind = "error" if role in ("error", "output_error") else "forward"
        for scalar in graph.scalars(equation.target):
            yield Step(kind, scalar, definition=graph.definition(scalar))


def backward_steps(graph: Graph) -> Iterator[Step]:
    """A step for each ∂E/∂(scalar) between the error and the parameters, the error's side first.

    Each scalar's terms go over the scalars that read it: ∂E/∂v · ∂v/∂scalar.
    """
    program = graph.program
    wanted = frozenset(between(graph))
    error = Scalar(program.error, ())
    terms: dict[Scalar, list[Term]] = {}
    for equation in reversed(program.equations):
        if equation.target not in wanted:
            continue
        for scalar in graph.scalars(equation.target):
            if scalar != error:
                yield Step(_kind(graph, scalar), scalar, tuple(terms.get(scalar, ())))
            elif scalar.array in program.parameters:
                yield Step("gradient", scalar)
            upstream = () if scalar == error else (Factor(error, scalar),)
            for source, local in graph.partials(scalar, wanted).items():
                terms.setdefault(source, []).append(Term((*upstream, Factor(scalar, source, local))))
    for name in program.given:
        if name in wanted:
            for scalar in graph.scalars(name):
                yield Step(_kind(graph, scalar), scalar, tuple(terms.get(scalar, ())))


def _kind(graph: Graph, scalar: Scalar) -> str:
    return "gradient" if scalar.array in graph.program.parameters else "delta"


def between(graph: Graph) -> Iterator[str]:
    """The arrays that lie between the parameters and the error, both included."""
    reached = set(graph.program.parameters)
    yield from reached
    for equation in graph.program.equations:
        if references(equation.expression) & reached:
            reached.add(equation.target)
            yield equation.target
