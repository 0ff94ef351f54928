"""The worked example of a problem stated in equations: any program, worked out by element, results as arrays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from derive import written
from derive.chain import Factor, Step
from derive.evaluate.balls import FIRST_BITS
from derive.formula import Formula, Matrix, Name, Negative, Number, Partial, Product, Side, Symbol
from derive.program import references
from derive.quantities import reader, reads
from derive.scalars import Scalar
from render.compose import rules
from render.compose.checking import checks_table, published_part
from render.compose.pen import Pen, Shown, count, equation, listed, paragraph, prose
from render.compose.structure import TABLE_ROWS
from render.compose.tables import Cell, table
from render.document import Block, Code, Section

FULL = 3
"""So many elements of an array are worked out one by one."""

WIDEST = 6
"""An array with more rows or columns than this is given by its shape."""

LONGEST_SUM = 5
"""Of a chain rule's sum so many terms are written."""


def parts(pen: Pen) -> list[Section]:
    """The sections of the document."""
    sections = [_problem(pen), _forward(pen), _backward(pen), _parameters(pen), _update(pen), _checks(pen)]
    return [section for section in (*sections, published_part(pen)) if section is not None]


# ---- the problem -----------------------------------------------------------------------------


def _problem(pen: Pen) -> Section:
    program = pen.derivation.program
    lines = _source_lines(pen)
    rows: list[list[Cell]] = [
        [(Code(lines.get(e.target, e.target)),), _shape_in_words(e.expression.shape)] for e in program.equations
    ]
    asked = listed([pen.array(name) for name in program.parameters])
    blocks: list[Block] = [
        paragraph(
            "{What} is computed by {equations}, each from what stands above it. We ask how it changes with {asked}.",
            What=pen.error,
            equations=count(len(program.equations), "equation"),
            asked=asked,
        ),
        *table("tab-equations", prose("The equations."), ("equation", "shape of the result"), rows, (False, False)),
    ]
    given = [name for name in program.given if name in pen.derivation.given]
    if given:
        blocks.append(paragraph("The values to begin with:"))
        blocks += [block for name in given for block in _array_value(pen, name, name)]
    symbols = [name for name in program.given if name not in pen.derivation.given]
    if symbols:
        blocks.append(
            paragraph(
                "{names} {have} no values here and {stay}.",
                names=listed([pen.array(name) for name in symbols]),
                have="has" if len(symbols) == 1 else "have",
                stay="stays a symbol" if len(symbols) == 1 else "stay symbols",
            )
        )
    return Section("problem", prose("The problem"), tuple(blocks))


def _source_lines(pen: Pen) -> dict[str, str]:
    """Each equation as it was written, by the name that it defines."""
    text = getattr(pen.derivation.problem, "equations", "") or ""
    lines: dict[str, str] = {}
    for line in text.splitlines():
        bare = line.split("#")[0].strip()
        name, sign, _ = bare.partition("=")
        if sign and name.strip().isidentifier():
            lines[name.strip()] = bare
    return lines


def _shape_in_words(shape: Sequence[int]) -> str:
    if not shape:
        return "a number"
    return " × ".join(str(size) for size in shape) if len(shape) > 1 else count(shape[0], "number")


# ---- forward ---------------------------------------------------------------------------------


def _forward(pen: Pen) -> Section:
    program = pen.derivation.program
    lines = _source_lines(pen)
    blocks: list[Block] = [paragraph("Each equation is evaluated in turn, element by element.")]
    for step in program.equations:
        shape = step.expression.shape
        scalars = list(pen.derivation.graph.scalars(step.target))
        shown = scalars[: FULL if len(scalars) <= FULL else 1]
        blocks.append(_forward_words(pen, step.target, lines, len(scalars), len(shown)))
        error = step.target == program.error
        for scalar in shown:
            blocks.append(equation(pen.forward_line(scalar), f"eq-{_key(scalar)}", boxed=error and pen.numbers))
        if len(shown) < len(scalars) and pen.numbers and step.target in pen.derivation.numeric:
            blocks += _array_value(pen, step.target, step.target)
        elif len(shown) < len(scalars):
            blocks.append(paragraph("and so on for all {n} elements.", n=int(np.prod(shape))))
    return Section("forward", prose("The forward pass"), tuple(blocks))


def _forward_words(pen: Pen, name: str, lines: dict[str, str], size: int, shown: int) -> Block:
    code = Code(lines.get(name, name))
    if size == 1:
        return paragraph("{line} gives", line=code)
    if size == shown:
        return paragraph("{line} gives {n}:", line=code, n=count(size, "number"))
    return paragraph("{line} gives {n}; the first of them is", line=code, n=count(size, "number"))


# ---- backward --------------------------------------------------------------------------------


def _backward(pen: Pen) -> Section | None:
    """Every array between the parameters and the error, the error's side first."""
    program = pen.derivation.program
    between = [e.target for e in reversed(program.equations) if e.target in pen.derivation.gradient.adjoints]
    blocks: list[Block] = [
        paragraph(
            "Now backwards, from {error} to what we ask for. An array changes the error through every equation that "
            "reads it; the chain rule adds up, for each of its elements, one term for every element that is computed "
            "from it.",
            error=pen.error,
        )
    ]
    for name in between:
        if name != program.error and name not in program.parameters:
            blocks += _gradient_of_array(pen, name, boxed=False)
    if len(blocks) == 1:
        return None
    return Section("backward", prose("The backward pass"), tuple(blocks))


def _parameters(pen: Pen) -> Section:
    blocks: list[Block] = [paragraph("What was asked for:")]
    for name in pen.derivation.program.parameters:
        blocks += _gradient_of_array(pen, name, boxed=True)
    return Section("gradients", prose("The gradients"), tuple(blocks))


def _gradient_of_array(pen: Pen, name: str, *, boxed: bool) -> Iterator[Block]:
    """One element in full, by the chain rule; then all of them."""
    program = pen.derivation.program
    readers = [e.target for e in program.equations if name in references(e.expression)]
    scalar = _telling(pen, name)
    step = pen.derivation.gradient_steps.get(scalar)
    if step is None or not step.terms:
        yield paragraph("The error does not depend on {name}: its gradient is zero.", name=pen.array(name))
        return
    size = int(np.prod(program.shape(name)))
    read_by = listed([pen.array(each) for each in readers])
    which = "" if size == 1 else " Take one of its elements, {element}:"
    yield paragraph(
        "{Name} is read by the equation for {readers}." + which
        if len(readers) == 1
        else "{Name} is read by the equations for {readers}." + which,
        Name=pen.array(name),
        readers=read_by,
        element=pen.symbol(scalar),
    )
    yield equation(chain_line(pen, step), f"eq-d-{_key(scalar)}", boxed=boxed and pen.numbers and size == 1)
    if len(step.terms) > LONGEST_SUM:
        yield paragraph("The sum has {n} terms; they are all alike.", n=len(step.terms))
    if size > 1 and pen.numbers:
        yield paragraph("All of them:")
        yield from _array_value(pen, pen.derivation.gradient.adjoints[name], name, gradient=True, boxed=boxed)


def _telling(pen: Pen, name: str) -> Scalar:
    """The first element whose gradient is not exactly zero and whose chain rule has terms."""
    scalars = list(pen.derivation.graph.scalars(name))
    if not pen.numbers:
        return scalars[0]
    values = pen.derivation.enclosures.at(FIRST_BITS)[pen.derivation.gradient.adjoints[name]]
    for scalar in scalars:
        if values[scalar.index] != 0 and scalar in pen.derivation.gradient_steps:
            return scalar
    return scalars[0]


def chain_line(pen: Pen, step: Step) -> tuple[Side, ...]:
    """∂E/∂v = Σ ∂E/∂u · ∂u/∂v: partials, local terms, numbers, result."""
    terms = step.terms

    def name(factor: Factor) -> Formula:
        of = None if factor.of.array == pen.derivation.program.error else factor.of
        return pen.partial(of, factor.by)

    def symbols(factor: Factor) -> Formula:
        return name(factor) if factor.local is None else pen.expression(factor.local)

    def number(factor: Factor) -> Formula:
        if factor.local is None:
            return pen.show(reads(pen.derivation.gradient.adjoints[factor.by.array], factor.by.index)).formula
        return pen.show(reader(pen.derivation, factor.local)).formula

    left = pen.partial(None, step.target)
    sides = [Side(left, "")]
    for write, sign in ((name, ""), (symbols, "")):
        formula = pen.elided(written.added([_times([write(f) for f in term.factors], sign) for term in terms]))
        if formula != sides[-1].formula:
            sides.append(Side(formula))
    if pen.numbers:
        numbers = pen.elided(written.added([_times([number(f) for f in term.factors], "dot") for term in terms]))
        result = pen.gradient(step.target)
        if numbers not in (sides[-1].formula, result.formula):
            sides.append(Side(numbers))
        if result.formula != sides[-1].formula:
            sides.append(result.side)
    return tuple(sides)


def _times(factors: list[Formula], sign: str) -> Formula:
    kept = [factor for factor in factors if factor != Number("1")]
    if not kept:
        return Number("1")
    if len(kept) == 1:
        return kept[0]
    if isinstance(kept[0], Negative):
        return Negative(_times([kept[0].body, *kept[1:]], sign))
    return Product(tuple(kept), sign)


# ---- arrays ----------------------------------------------------------------------------------


def _array_value(
    pen: Pen, values_name: str, name: str, *, gradient: bool = False, boxed: bool = False
) -> Iterator[Block]:
    """An array's numbers: a vector or matrix; of more axes a matrix for each slice; of a large one its shape."""
    shape = pen.derivation.program.shape(name)
    left: Formula = pen.array(name)
    if gradient:
        left = Partial(pen.error, left)
    if len(shape) > 2:
        yield from _slices(pen, values_name, name, gradient=gradient)
        return
    if any(size > WIDEST for size in shape):
        yield paragraph(
            "{name} has the shape {shape}; its numbers are in the JSON output.", name=left, shape=_shape_in_words(shape)
        )
        return
    entries = _entries(pen, values_name, shape)
    exact = all(entry.exact for row in entries for entry in row)
    body: Formula = (
        entries[0][0].formula if not shape else Matrix(tuple(tuple(e.formula for e in row) for row in entries))
    )
    yield equation((Side(left, ""), Side(body, "=" if exact else "≈")), boxed=boxed)


def _entries(pen: Pen, name: str, shape: Sequence[int], front: tuple[int, ...] = ()) -> list[list[Shown]]:
    if not shape:
        return [[pen.show(reads(name, front))]]
    if len(shape) == 1:
        return [[pen.show(reads(name, (*front, i)))] for i in range(shape[0])]
    return [[pen.show(reads(name, (*front, i, j))) for j in range(shape[1])] for i in range(shape[0])]


def _slices(pen: Pen, values_name: str, name: str, *, gradient: bool) -> Iterator[Block]:
    shape = pen.derivation.program.shape(name)
    fronts = list(np.ndindex(*shape[:-2]))
    if any(size > WIDEST for size in shape[-2:]) or len(fronts) > WIDEST:
        yield paragraph(
            "{name} has the shape {shape}; its numbers are in the JSON output.",
            name=pen.array(name),
            shape=_shape_in_words(shape),
        )
        return
    for front in fronts:
        entries = _entries(pen, values_name, shape[-2:], tuple(int(i) for i in front))
        exact = all(entry.exact for row in entries for entry in row)
        label = Symbol(_slice_name(pen.array(name).name, front))
        left: Formula = label
        if gradient:
            left = Partial(pen.error, label)
        yield equation(
            (
                Side(left, ""),
                Side(Matrix(tuple(tuple(e.formula for e in row) for row in entries)), "=" if exact else "≈"),
            )
        )


def _slice_name(name: Name, front: Sequence[int]) -> Name:
    """A part of an array of several axes, counted from 1: K_{1,2}."""
    place = ",".join(str(i + 1) for i in front)
    return replace(name, sub=f"{name.sub},{place}" if name.sub else place)


# ---- update and checks -----------------------------------------------------------------------


def _update(pen: Pen) -> Section | None:
    update = pen.derivation.problem.update
    if update is None or not pen.numbers:
        return None
    rows: list[list[Cell]] = []
    scalars = [s for name in pen.derivation.program.parameters for s in pen.derivation.graph.scalars(name)]
    for scalar in scalars[: TABLE_ROWS + 1]:
        rows.append([pen.symbol(scalar), pen.value(scalar), pen.gradient(scalar), pen.after(scalar)])
    error = Scalar(pen.derivation.program.error, ())
    before, after = pen.value(error), pen.value(error, pen.derivation.after_update)
    trained = [name for name in pen.derivation.program.parameters if name in pen.derivation.trained]
    by_rule = rules.by_rule(pen, [_telling(pen, trained[0])]) if trained and not pen.plain_update else []
    blocks: list[Block] = [
        *by_rule,
        paragraph(
            "One step of {rule} with the learning rate {eta}:",
            rule=update.rule.replace("_", " "),
            eta=(Side(pen.learning_rate, ""), pen.rate.side),
        ),
        *table(
            "tab-parameters",
            prose("Before the step, the gradient, and after it."),
            ("", "before", "gradient", "after"),
            rows,
            (False, True, True, True),
            more=f" ({len(scalars)} in all; chainrule gradients prints every one)",
        ),
        paragraph("The error goes from {before} to {after}.", before=before.formula, after=after.formula),
    ]
    return Section("update", prose("The update"), tuple(blocks))


def _checks(pen: Pen) -> Section:
    if not pen.numbers:
        return Section(
            "checks",
            prose("How the formulas were checked"),
            (
                paragraph(
                    "Every local derivative on this page was taken by SymPy, and the gradients were put together from them by the chain rule."
                ),
            ),
        )
    scalars = [_telling(pen, name) for name in pen.derivation.program.parameters]
    return Section("checks", prose("How the numbers were checked"), tuple(checks_table(pen, scalars)))


def _key(scalar: Scalar) -> str:
    return "-".join([scalar.array, *(str(i + 1) for i in scalar.index)])
