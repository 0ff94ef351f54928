"""The sheet of a calculation: a program and its backward pass, line by line, so that single lines can be edited.

First the program is put into a regular form: every product with a weight, every activation and every softmax is an
equation of its own, over named arrays. Then each equation that reads an array passes back one contribution to that
array's gradient, and each contribution is one line. A mistake is an edit of such lines.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache

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
    read_by,
    rebuilt,
    references,
)
from derive.reverse import adjoint_name, between, pulled

Lines = dict[str, Expression]


class DoesNotApplyError(Exception):
    """A line that an edit wants to read or rewrite is not on this sheet: another edit has taken it away."""


@dataclass(frozen=True, eq=False)
class Sheet:
    """A program in regular form and the lines of its backward pass.

    ``backward`` maps a line's name to its expression, in the order of evaluation: contributions (`flow`) and
    gradients (``adjoints``). ``finish`` has the lines after them: what is handed over in place of a gradient
    (``results``: a parameter's name to the line's), and new weights. ``stated``: the backward pass is as laid out.
    """

    program: Program
    backward: Lines
    adjoints: Mapping[str, str]
    finish: Lines = field(default_factory=dict)
    results: Mapping[str, str] = field(default_factory=dict)
    stated: bool = False

    @cached_property
    def equations(self) -> tuple[Equation, ...]:
        """All lines, to be evaluated one after the other."""
        lines = {**self.backward, **self.finish}
        return (*self.program.equations, *(Equation(name, expression) for name, expression in lines.items()))

    @cached_property
    def lines(self) -> Lines:
        """All lines by name."""
        return {**self.program.definitions, **self.backward, **self.finish}

    def line(self, name: str) -> Expression:
        """A line of the backward pass; raises DoesNotApplyError where there is none such."""
        if name not in self.backward:
            raise DoesNotApplyError(name)
        return self.backward[name]

    def upstream(self, target: str) -> Ref:
        """∂E/∂target, by name; raises DoesNotApplyError where nothing is passed back to it."""
        if target not in self.adjoints:
            raise DoesNotApplyError(target)
        return Ref(self.adjoints[target], self.program.shape(target))

    def ref(self, name: str) -> Ref:
        """An array of the program, by name."""
        return Ref(name, self.program.shape(name))

    def result(self, parameter: str) -> Ref:
        """What is handed over as a parameter's gradient."""
        return Ref(self.results.get(parameter, self.adjoints[parameter]), self.program.shape(parameter))

    def revised(self, revision: Revision) -> Sheet:
        """The sheet with lines rewritten and others handed over."""
        return Sheet(
            self.program,
            {**self.backward, **revision.backward},
            self.adjoints,
            {**self.finish, **revision.finish},
            {**self.results, **revision.results},
        )

    @cached_property
    def names(self) -> Names:
        """What the lines are called and in which order they stand: the same for all sheets that are alike in this."""
        program = self.program
        given = _Itself(program.variables), program.error, program.parameters
        return _names(*given, tuple(self.backward), tuple(self.adjoints.items()))


@dataclass(frozen=True)
class Revision:
    """What a mistake changes on a sheet: lines of the backward pass, lines behind it, and which are handed over."""

    backward: Lines = field(default_factory=dict)
    finish: Lines = field(default_factory=dict)
    results: Mapping[str, str] = field(default_factory=dict)

    def __or__(self, later: Revision) -> Revision:
        return Revision(self.backward | later.backward, self.finish | later.finish, {**self.results, **later.results})


@dataclass(frozen=True, eq=False)
class Names:
    """The names on a sheet: a program without its equations, and where each line of the backward pass stands.

    Above the lines stand all arrays of the program.
    """

    program: Program
    places: Mapping[str, int]


class _Itself:
    """A value that equals nothing but itself."""

    def __init__(self, value: Mapping[str, Variable]) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Itself) and self.value is other.value

    def __hash__(self) -> int:
        return id(self.value)


@lru_cache(maxsize=2**10)
def _names(
    variables: _Itself,
    error: str,
    parameters: tuple[str, ...],
    lines: tuple[str, ...],
    adjoints: tuple[tuple[str, str], ...],
) -> Names:
    program = Program(dict(variables.value), (), error, parameters)
    places = dict.fromkeys(program.variables, -1) | {name: place for place, name in enumerate(lines)}
    return Names(program, places)


RATE = "learning_rate()"
"""How the learning rate is called on sheets that leave it open; no array of a user's can have such a name."""


def open_rate(program: Program) -> Program:
    """The program with the learning rate as one more given number: its sheet is that of every learning rate."""
    return replace(program, variables={**program.variables, RATE: Variable(RATE, ())})


def flow(array: str, target: str, error: str = "E") -> str:
    """The name of the line with what ``target`` passes back to ``array``."""
    return f"d{error}/d{array} by {target}"


def sheet(program: Program) -> Sheet:
    """The sheet of a program."""
    return laid_out(regular(program))


def laid_out(program: Program) -> Sheet:
    """The backward pass of a program in regular form."""
    wanted = between(program)
    adjoints = {name: adjoint_name(program.error, name) for name in program.variables if name in wanted}
    lines: Lines = {}
    terms: dict[str, list[Expression]] = {}

    def finish(name: str) -> None:
        if name in adjoints and adjoints[name] not in lines:
            added = terms.get(name) or [arrays.constant(1 if name == program.error else 0, program.shape(name))]
            lines[adjoints[name]] = _sum(added)

    last_read: dict[str, list[str]] = {}
    first_read: dict[str, str] = {}
    for equation in program.equations:
        for name in read_by(equation.expression):
            first_read.setdefault(name, equation.target)
    for name in program.given:  # a parameter's gradient is finished with the first equation that reads it
        last_read.setdefault(first_read.get(name, ""), []).append(name)
    for equation in reversed(program.equations):
        finish(equation.target)
        if equation.target not in wanted:
            continue
        passed = _passed(
            equation.target,
            equation.expression,
            adjoints[equation.target],
            wanted & read_by(equation.expression),
        )
        for name, total in sorted(passed, key=lambda each: each[0] in program.definitions):
            line = flow(name, equation.target, program.error)
            lines[line] = total
            terms.setdefault(name, []).append(Ref(line, program.shape(name)))
            if name in last_read.get(equation.target, ()):
                finish(name)
        for name in last_read.get(equation.target, ()):
            finish(name)
    for name in last_read.get("", ()):
        finish(name)
    return Sheet(program, lines, adjoints, stated=True)


def laid_out_like(sheet: Sheet, program: Program) -> Sheet:
    """The backward pass of a program that may differ from a sheet's in few equations: the same lines are kept."""
    old, lines = sheet.program.definitions, dict(sheet.backward)
    for equation in program.equations:
        before = old.get(equation.target)
        if before is equation.expression:
            continue
        if not sheet.stated or before is None or read_by(before) != read_by(equation.expression):
            return laid_out(program)
        if equation.target not in sheet.adjoints:
            continue
        passed, passed_before = (_passed_back(sheet, equation.target, each) for each in (equation.expression, before))
        if passed.keys() != passed_before.keys():  # a function without a derivative passes nothing back
            return laid_out(program)
        lines |= passed
    return Sheet(program, lines, sheet.adjoints, stated=True)


def _passed_back(sheet: Sheet, target: str, expression: Expression) -> Lines:
    """The lines with what an equation passes back to the arrays that have a gradient on a sheet."""
    wanted = read_by(expression) & sheet.adjoints.keys()
    passed = _passed(target, expression, sheet.adjoints[target], frozenset(wanted))
    return {flow(name, target, sheet.program.error): total for name, total in passed}


@lru_cache(maxsize=2**14)
def _passed(
    target: str, expression: Expression, adjoint: str, wanted: frozenset[str]
) -> tuple[tuple[str, Expression], ...]:
    """What one equation passes back to each array: most equations of an edited program are as they were."""
    found: dict[str, list[Expression]] = {}
    for name, contribution in pulled(Equation(target, expression), Ref(adjoint, expression.shape), wanted):
        found.setdefault(name, []).append(contribution)
    return tuple((name, _sum(contributions)) for name, contributions in found.items())


def _sum(terms: list[Expression]) -> Expression:
    result = terms[0]
    for term in terms[1:]:
        result = arrays.add(result, term)
    return result


# ---- the regular form ----------------------------------------------------------------------


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
