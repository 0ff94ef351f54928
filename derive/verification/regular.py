"""The regular form of a program: every product with a weight, activation and softmax is an equation of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import sympy

from derive import arrays
from derive.functions import Elementwise
from derive.program import (
    Contract,
    Equation,
    Expression,
    Map,
    Program,
    Ref,
    Softmax,
    Total,
    Variable,
    parts,
    rebuilt,
    references,
)


def regular(program: Program) -> Program:
    """The program with each product with a weight, each activation and each softmax as an equation of its own."""
    variables = dict(program.variables)
    equations: list[Equation] = []
    for equation in program.equations:
        hoist = _Hoist(program, equation.target)
        expression = hoist.top(equation.expression)
        for part in hoist.found:
            owner = program.variables[equation.target]
            shape = part.expression.shape
            variables[part.target] = Variable(
                part.target, shape, "part", owner.layer, owner.per_example, place=owner.place
            )
            equations.append(part)
        equations.append(replace(equation, expression=expression))
    return replace(program, variables=variables, equations=tuple(equations))


class _Hoist:
    """Takes parts of one equation out into equations of their own, named after it: z1.1, z1.2, …"""

    def __init__(self, program: Program, target: str) -> None:
        self.program, self.target = program, target
        self.found: list[Equation] = []

    def top(self, expression: Expression) -> Expression:
        """An equation's expression: what stands alone stays."""
        if _is_weighted(expression, self.program) or isinstance(expression, Softmax) or _is_call(expression):
            return rebuilt(expression, tuple(self.named(part) for part in parts(expression)))
        return self.inner(expression)

    def inner(self, expression: Expression) -> Expression:
        """Part of an expression, with what has to stand alone replaced by its name."""
        if isinstance(expression, Ref):
            return expression
        if _is_weighted(expression, self.program) or isinstance(expression, Softmax):
            return self.named(expression)
        if isinstance(expression, Map):
            return self._map(expression)
        if isinstance(expression, Total) and isinstance(expression.argument, Map) and self._compares(expression):
            return rebuilt(expression, (self.named(expression.argument),))
        return rebuilt(expression, tuple(self.inner(part) for part in parts(expression)))

    def _compares(self, expression: Total) -> bool:
        """Is this a sum over outputs compared with given targets, no parameters?"""
        given = set(self.program.given) - set(self.program.parameters)
        return self.target == self.program.error and bool(references(expression) & given)

    def named(self, expression: Expression) -> Ref:
        """The name of an expression, its equation written first."""
        if isinstance(expression, Ref):
            return expression
        whole = self.top(expression)
        for equation in self.found:
            if equation.expression == whole:
                return Ref(equation.target, whole.shape)
        name = f"{self.target}.{len(self.found) + 1}"
        self.found.append(Equation(name, whole))
        return Ref(name, whole.shape)

    def _map(self, expression: Map) -> Expression:
        arguments = {s: self.inner(part) for s, part in zip(expression.symbols, expression.arguments, strict=True)}
        formula, known = _renamed(expression.formula, arguments)
        for call in _calls(formula):
            used = tuple(s for s in known if s in call.args[0].free_symbols)
            net = Map(call.args[0], used, tuple(known[s] for s in used), arrays.broadcast(known[s].shape for s in used))
            source = self.named(known[used[0]] if call.args[0] == used[0] else net)
            symbol = arrays.placeholder(source)
            own = call.func(symbol, *call.args[1:])
            if formula == call:
                return Map(own, (symbol,), (source,), source.shape)
            result = self.named(Map(own, (symbol,), (source,), source.shape))
            formula = formula.xreplace({call: arrays.placeholder(result)})
            known[arrays.placeholder(result)] = result
        used = tuple(symbol for symbol in known if symbol in formula.free_symbols)
        return Map(formula, used, tuple(known[symbol] for symbol in used), expression.shape)


def _renamed(
    formula: sympy.Expr, arguments: Mapping[sympy.Symbol, Expression]
) -> tuple[sympy.Expr, dict[sympy.Symbol, Expression]]:
    """A formula in the placeholders of what its arguments have become."""
    fresh = {symbol: arrays.placeholder(part) for symbol, part in arguments.items()}
    return formula.xreplace(fresh), {fresh[symbol]: part for symbol, part in arguments.items()}


def _calls(formula: sympy.Expr) -> Iterator[sympy.Expr]:
    """The activations that a formula calls on something that is not constant, inner ones first."""
    for part in sympy.postorder_traversal(formula):
        if isinstance(part, Elementwise | sympy.tanh) and part.args[0].free_symbols:
            yield part


def _is_call(expression: Expression) -> bool:
    """An activation of one named array."""
    if not isinstance(expression, Map) or not isinstance(expression.formula, Elementwise | sympy.tanh):
        return False
    return expression.formula.args[0] in expression.symbols and len(expression.symbols) == 1


def _is_weighted(expression: Expression, program: Program) -> bool:
    """A product with a given array that is no example's."""
    return isinstance(expression, Contract) and any(is_weight(part, program) for part in expression.arguments)


def is_weight(expression: Expression, program: Program) -> bool:
    """Is this a weight matrix by name?"""
    if not isinstance(expression, Ref) or expression.name not in program.given:
        return False
    variable = program.variables[expression.name]
    return variable.role == "weight" or (expression.name in program.parameters and variable.role != "input")
