"""`chainrule gradients` and `chainrule train`: the numbers, as tables or as JSON."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated

import typer

from render.commands.common import DigitsOption, JsonOption, ProblemArgument, bad, load_problem

if TYPE_CHECKING:
    from derive.derivation import Derivation

JSON_DIGITS, SHOWN_DIGITS = 17, 9
MANY = 300  # weights, beyond which arrays are printed as matrices and not row by row


def gradients(
    problem: ProblemArgument,
    as_json: JsonOption = False,
    digits: DigitsOption = None,
    symbolic: Annotated[bool, typer.Option("--symbolic", help="Formulas in local terms instead of numbers.")] = False,
    closed: Annotated[
        bool, typer.Option("--closed", help="With --symbolic: formulas in the parameters alone (these grow fast).")
    ] = False,
) -> None:
    """Print every ∂E/∂w, and the weights after one update."""
    if closed and not symbolic:
        bad("--closed", "goes with --symbolic")
    if symbolic and digits is not None:
        bad("--digits", "has no effect on formulas, which --symbolic asks for")
    stated = load_problem(problem)

    import derive
    from render.commands.results import print_arrays, print_json, print_table

    derivation = derive.differentiate(stated)
    if digits is not None and not _has_digits(derivation, as_json):
        bad("--digits", f"has no effect: {stated.source} has symbols, and all that is printed are formulas")
    if symbolic:
        formulas = derivation.symbolic(closed)
        if as_json:
            print_json(dict(formulas))
        else:
            print_table(("", "∂E/∂w"), formulas, numeric=False)
    elif as_json:
        print_json(derivation.to_json(digits or JSON_DIGITS))
    elif sum(math.prod(derivation.program.shape(name)) for name in derivation.program.parameters) > MANY:
        found = derivation.to_json(digits or SHOWN_DIGITS)
        print(f"E = {found['error']}")
        print_arrays(found["gradients"], digits or SHOWN_DIGITS, "∂E/∂")
    else:
        rows = derivation.gradient_rows(digits or SHOWN_DIGITS)
        updated = stated.update is not None
        print_table(
            ("", "∂E/∂w", "after the update") if updated else ("", "∂E/∂w"),
            [row if updated else row[:2] for row in rows],
        )


def _has_digits(derivation: Derivation, as_json: bool) -> bool:
    """Whether there is a number in what is printed."""
    program = derivation.program
    shown = {derivation.gradient.adjoints[name] for name in program.parameters}
    if derivation.problem.update is not None:
        shown |= set(program.parameters)
    if as_json:
        shown |= set(program.variables)
    return bool(shown & derivation.numeric)


def train(
    problem: ProblemArgument,
    steps: Annotated[
        int | None, typer.Option(min=0, max=10**7, metavar="N", help="Instead of the problem's own number of steps.")
    ] = None,
    as_json: JsonOption = False,
    digits: DigitsOption = None,
) -> None:
    """Update the weights again and again, and print where that leads."""
    stated = load_problem(problem)

    import derive
    from render.commands.results import print_arrays, print_json, print_table, progress, rounded

    derivation = derive.differentiate(stated)
    with progress("training") as report:
        found = derivation.train(steps, digits, report)
    if as_json:
        print_json(found)
        return
    shown = digits or SHOWN_DIGITS
    print_table(("step", "E"), [(str(step), rounded(error, shown)) for step, error in found["history"]])
    print(f"\nafter {found['steps']} steps")
    weights = {name: found["arrays"][name] for name in derivation.program.parameters}
    print_arrays({key: found[key] for key in ("outputs",) if key in found} | weights, shown)
