"""One backward sweep: layers updated from the last to the first, each delta through weights already new."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from derive.program import Equation, Expression, Ref, parts, rebuilt, references
from derive.reverse import GradientProgram

UpdateOf = Callable[[str, str], dict[str, Equation]]


def swept_name(adjoint: str) -> str:
    """How an adjoint is called that was passed back through new weights."""
    return f"{adjoint} swept"


def sweep(gradient: GradientProgram, trained: Sequence[str], update: UpdateOf) -> tuple[Equation, ...]:
    """The equations of a sequential update; ``update(parameter, adjoint)`` gives those of one parameter."""
    program = gradient.program
    definitions = {equation.target: equation.expression for equation in gradient.equations}
    of_adjoint = {adjoint: name for name, adjoint in gradient.adjoints.items()}
    result: dict[str, Equation] = {}
    moved: dict[str, str] = {}

    def swept(adjoint: str) -> str:
        """The adjoint in this sweep, its equation written after those that it needs."""
        name = swept_name(adjoint)
        if name not in result:
            expression = definitions[adjoint]
            renamed = {read: swept(read) for read in sorted(references(expression)) if read in definitions}
            if of_adjoint[adjoint] not in trained:
                renamed |= {read: new_value(read) for read in sorted(references(expression)) if read in trained}
            result[name] = Equation(name, rename(expression, renamed))
        return name

    def new_value(parameter: str) -> str:
        if parameter not in moved:
            equations = update(parameter, swept(gradient.adjoints[parameter]))
            result.update({equation.target: equation for equation in equations.values()})
            moved[parameter] = equations["w_new"].target
        return moved[parameter]

    for parameter in reversed(program.parameters):
        if parameter in trained:
            new_value(parameter)
    return tuple(result.values())


def rename(expression: Expression, names: dict[str, str]) -> Expression:
    """The same expression, reading other arrays."""
    if isinstance(expression, Ref):
        return replace(expression, name=names.get(expression.name, expression.name))
    return rebuilt(expression, tuple(rename(part, names) for part in parts(expression)))
