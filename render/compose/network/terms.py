"""One ∂E/∂(element) by the chain rule: as an equation where its terms are few, else a table with a row for each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import sympy

from derive import written
from derive.chain import Factor, Step, Term
from derive.derivation import Derivation
from derive.digits import Exact
from derive.evaluate.balls import FIRST_BITS, Array
from derive.formula import Dots, Formula, Negative, Number, Product, Side
from derive.quantities import Read, reader, reads
from derive.scalars import Scalar
from render.compose.network import forward
from render.compose.network.arrays import elements
from render.compose.network.forward import key, looks_back
from render.compose.network.plan import Plan
from render.compose.pen import Pen, Shown, count, equation, paragraph, prose
from render.compose.tables import Cell, table
from render.document import Block

FEW = 3
"""So many terms are written in one equation."""

MANY = 12
"""So many terms have a row of their own; the rest are added up in one."""


LOOKED_AT = 24
"""Among so many elements of a parameter the one with the most terms is sought."""

COUNTED = 100
"""So many terms of each are counted."""


def telling(plan: Plan, name: str) -> Scalar:
    """The element that is worked out: the first whose gradient is not exactly zero."""
    derivation = plan.pen.derivation
    scalars = list(elements(plan, name))
    with_steps = [scalar for scalar in scalars if scalar in derivation.gradient_steps]
    if not with_steps:
        return scalars[0]
    if not plan.pen.numbers:
        return next((s for s in with_steps if derivation.gradient_steps[s].terms), with_steps[0])
    values = derivation.enclosures.at(FIRST_BITS)[derivation.gradient.adjoints[name]]
    entry = plan.by_name.get(name)
    if entry is not None and looks_back(plan, entry):  # the row that the forward pass has worked out
        with_steps = [*forward.telling(plan, entry), *with_steps]
    alive = [s for s in with_steps if values[s.index] != 0]
    if not alive or name not in plan.program.parameters:
        return next(iter(alive), with_steps[0])
    return max(alive[:LOOKED_AT], key=lambda s: _arrivals(derivation, s))


def _arrivals(derivation: Derivation, scalar: Scalar) -> int:
    """How many of its terms are not zero, as far as single factors show it (of very many, the first are counted)."""
    values = derivation.enclosures.at(FIRST_BITS)

    def alive(factor: Factor) -> bool:
        if factor.local is None:
            return bool(values[derivation.gradient.adjoints[factor.by.array]][factor.by.index] != 0)
        symbols = [each for each in sympy.Mul.make_args(factor.local) if each.is_Symbol]
        return all(values[s.array][s.index] != 0 for s in map(derivation.scalar_of, symbols))

    terms = derivation.gradient_steps[scalar].terms[:COUNTED]
    return sum(all(alive(factor) for factor in term.factors) for term in terms)


def chain(plan: Plan, scalar: Scalar, *, boxed: bool = False, rows: bool = False) -> list[Block]:
    """The chain rule for one element; ``rows``: a row for each term, however few they are."""
    pen, step = plan.pen, plan.pen.derivation.gradient_steps.get(scalar)
    if step is None or not step.terms:
        return [paragraph("The error does not depend on {name}: its gradient is zero.", name=pen.symbol(scalar))]
    step = _in_order(plan, step)
    identifier = f"eq-d-{key(scalar)}"
    counted = _counted(plan, step.terms) if pen.numbers else [(term, None) for term in step.terms]
    alive = [(term, shown) for term, shown in counted if shown is None or shown.text != "0"]
    boxed = boxed and pen.numbers
    if len(step.terms) <= FEW and not (rows and len(alive) > 1):
        return [equation(chain_line(pen, step), identifier, boxed=boxed)]
    if not pen.numbers:
        return [equation(chain_line(pen, step), identifier), paragraph("The sum has {n} terms.", n=len(step.terms))]
    if len(alive) <= 1:
        kept = Step(step.kind, step.target, tuple(term for term, _ in alive) or step.terms[:1])
        return [
            equation(chain_line(pen, kept), identifier, boxed=boxed),
            paragraph(
                "The other {terms} of the sum are zero." if alive else "All {terms} of the sum are zero.",
                terms=count(len(step.terms) - len(alive), "term"),
            ),
        ]
    return [
        equation(_shortly(pen, step), identifier, boxed=boxed),
        *_rows(plan, step, alive, len(step.terms) - len(alive)),
    ]


def _in_order(plan: Plan, step: Step) -> Step:
    """The terms in the order of the forward pass."""
    order = {equation.target: place for place, equation in enumerate(plan.program.equations)}
    terms = sorted(step.terms, key=lambda term: (order[term.factors[-1].of.array], term.factors[-1].of.index))
    return replace(step, terms=tuple(terms))


def _counted(plan: Plan, terms: Sequence[Term]) -> list[tuple[Term, Shown | None]]:
    return [(term, plan.pen.show(_product(plan.pen.derivation, [term]))) for term in terms]


def _product(derivation: Derivation, terms: Iterable[Term]) -> Read:
    """Reads the sum of the products of some terms."""
    factors = [[_reader(derivation, factor) for factor in term.factors] for term in terms]

    def read(values: dict[str, Array]) -> Exact:
        total: Exact | None = None
        for each in factors:
            product = each[0](values)
            for factor in each[1:]:
                product = product * factor(values)
            total = product if total is None else total + product
        assert total is not None, "a sum that is asked for has terms"
        return total

    return read


def _reader(derivation: Derivation, factor: Factor) -> Read:
    if factor.local is None:
        return reads(derivation.gradient.adjoints[factor.by.array], factor.by.index)
    return reader(derivation, factor.local)


# ---- a row for each term ---------------------------------------------------------------------


def _rows(plan: Plan, step: Step, alive: Sequence[tuple[Term, Shown | None]], zeros: int) -> list[Block]:
    pen = plan.pen
    shown = list(alive) if len(alive) <= MANY else list(alive[: MANY - 1])
    where = [plan.whereabouts(term.factors[-1].of) for term, _ in shown]
    somewhere = len(set(where)) > 1
    rows: list[list[Cell]] = []
    for (term, product), words in zip(shown, where, strict=True):
        upstream, local = term.factors[0], term.factors[-1]
        through = prose("{u}, {words}", u=pen.symbol(local.of), words=words) if somewhere else pen.symbol(local.of)
        rows.append(
            [
                through,
                pen.show(_reader(pen.derivation, upstream)) if upstream.local is None else Shown("1", exact=True),
                _local(pen, local),
                product if product is not None else "",
            ]
        )
    if len(alive) > MANY:
        rest = pen.show(_product(pen.derivation, [term for term, _ in alive[MANY - 1 :]]))
        rows.append([f"{len(alive) - MANY + 1} more", "", "", rest])
    rows.append(["sum", "", "", pen.gradient(step.target)])
    blocks: list[Block] = list(
        table(
            f"tab-d-{key(step.target)}",
            prose(
                "The terms of {gradient}, one for each element that is computed from {name}.",
                gradient=pen.partial(None, step.target),
                name=pen.symbol(step.target),
            ),
            ("through", "what arrives there", "local derivative", "product"),
            rows,
            (False, True, False, True),
        )
    )
    if zeros:
        blocks.append(paragraph("{Terms} exactly zero and left out.", Terms=_left_out(zeros)))
    return blocks


def _left_out(zeros: int) -> str:
    words = count(zeros, "more term")
    return f"{words[0].upper()}{words[1:]} {'is' if zeros == 1 else 'are'}"


def _local(pen: Pen, factor: Factor) -> Cell:
    """A local derivative: formula and number."""
    assert factor.local is not None, "the last factor of a term is a local derivative"
    symbols = pen.expression(factor.local)
    number = pen.show(reader(pen.derivation, factor.local))
    if symbols == number.formula:
        return number.formula
    return prose("{line}", line=(Side(pen.elided(symbols), ""), number.side))


def _shortly(pen: Pen, step: Step) -> tuple[Side, ...]:
    """∂E/∂v = the first and last of its terms in partials = the sum."""
    terms = [_times([_name(pen, factor) for factor in term.factors], "") for term in step.terms]
    shown = terms if len(terms) <= FEW else [terms[0], Dots(), terms[-1]]
    return (Side(pen.partial(None, step.target), ""), Side(written.added(shown)), pen.gradient(step.target).side)


# ---- in one equation -------------------------------------------------------------------------


def _name(pen: Pen, factor: Factor) -> Formula:
    of = None if factor.of.array == pen.derivation.program.error else factor.of
    return pen.partial(of, factor.by)


def chain_line(pen: Pen, step: Step) -> tuple[Side, ...]:
    """∂E/∂v = Σ ∂E/∂u · ∂u/∂v: partials, local terms, numbers, result."""
    terms = step.terms

    def name(factor: Factor) -> Formula:
        return _name(pen, factor)

    def symbols(factor: Factor) -> Formula:
        return name(factor) if factor.local is None else pen.expression(factor.local)

    sides = [Side(pen.partial(None, step.target), "")]
    for write in (name, symbols):
        formula = pen.elided(written.added([_times([write(f) for f in term.factors], "") for term in terms]))
        if formula != sides[-1].formula:
            sides.append(Side(formula))
    if pen.numbers:
        numbers = [_times([_in_numbers(pen, f) for f in term.factors], "dot") for term in terms]
        result = pen.gradient(step.target)
        filled = pen.elided(written.added(numbers))
        if _signed(filled) not in (_signed(sides[-1].formula), result.formula):
            sides.append(Side(filled))
        if result.formula != _signed(sides[-1].formula):
            sides.append(result.side)
    return tuple(sides)


IN_FULL = 4
"""A local derivative of more symbols than these is put into a line as one number."""


def _in_numbers(pen: Pen, factor: Factor) -> Formula:
    """A factor with numbers: what has arrived, or the local derivative with a number for each symbol."""
    local = factor.local
    if local is None or len(local.free_symbols) > IN_FULL or local.has(sympy.Piecewise, sympy.Max):
        return pen.show(_reader(pen.derivation, factor)).formula
    return pen.expression_in_numbers(local)


def _signed(formula: Formula) -> Formula:
    """−1 as a number, where the minus stands before it."""
    match formula:
        case Negative(Number(text)):
            return Number(f"-{text}")
    return formula


def _times(factors: list[Formula], sign: str) -> Formula:
    kept = [factor for factor in factors if factor != Number("1")]
    if not kept:
        return Number("1")
    if len(kept) == 1:
        return kept[0]
    if isinstance(kept[0], Negative):
        return Negative(_times([kept[0].body, *kept[1:]], sign))
    return Product(tuple(kept), sign)
