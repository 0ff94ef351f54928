"""The sheet of a calculation: a program and its backward pass, line by line, so that single lines can be edited.

First the program is put into a regular form: every product with a weight, every activation and every softmax is an
equation of its own, over named arrays. Then each equation that reads an array passes back one contribution to that
array's gradient, and each contribution is one line. A mistake is an edit of such lines.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache

from derive import arrays
from derive.program import Equation, Expression, Program, Ref, Variable, read_by
from derive.reverse import adjoint_name, between, pulled
from derive.verification.regular import regular

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
