"""One gradient's derivation as TeX, to paste into a document of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from derive import written
from derive.chain import Factor, Step, Term
from derive.errors import ChainruleError
from derive.formula import Formula, Number, Partial, Product, Side, Symbol
from derive.quantities import Read, reader, reads
from derive.scalars import Scalar
from derive.tex import relation, tex

if TYPE_CHECKING:
    from derive.derivation import Derivation

DIGITS = 9


def latex(derivation: Derivation, scalar: Scalar) -> str:
    r"""∂E/∂scalar as an ``aligned`` environment: chain rule, formulas, numbers, result.

    Where the chain branches (a unit that feeds several), the sum over its paths has a line of its own
    above. Needs amsmath. Raises ChainruleError where the error does not depend on the scalar.
    """
    if scalar not in derivation.gradient_steps:
        name = written_name(derivation, scalar)
        raise ChainruleError(
            f"there is no derivation of ∂E/∂{name.name.base}{name.name.sub}: it does not lie between the parameters "
            f"and the error"
        )
    lines: list[tuple[Side, ...]] = []
    _explain(derivation, scalar, lines, set())
    rows = [_aligned(sides) for sides in lines]
    return "\\begin{aligned}\n" + " \\\\[4pt]\n".join(rows) + "\n\\end{aligned}"


def _aligned(sides: tuple[Side, ...]) -> str:
    first, *rest = sides
    parts = [f"{relation(side.sign)} {tex(side.formula)}" for side in rest]
    return f"{tex(first.formula)} &" + " \\\\\n  &".join(parts)


def written_name(derivation: Derivation, scalar: Scalar) -> Symbol:
    """A scalar by its name in the problem's notation."""
    return Symbol(derivation.names.element(scalar.array, scalar.index))


def _explain(derivation: Derivation, scalar: Scalar, lines: list[tuple[Side, ...]], done: set[Scalar]) -> None:
    """The line of a gradient, the lines that it needs before it."""
    if scalar in done:
        return
    done.add(scalar)
    terms = [_expanded(derivation, term) for term in derivation.gradient_steps[scalar].terms]
    for term in terms:
        for factor in term:
            if factor.local is None:
                _explain(derivation, factor.by, lines, done)
    lines.append(_line(derivation, scalar, terms))


def _expanded(derivation: Derivation, term: Term) -> tuple[Factor, ...]:
    """A term's factors, an upstream gradient of a single path replaced by that path."""
    first = term.factors[0]
    if first.local is not None:
        return term.factors
    step: Step = derivation.gradient_steps[first.by]
    if len(step.terms) != 1:
        return term.factors
    return (*_expanded(derivation, step.terms[0]), *term.factors[1:])


def _line(derivation: Derivation, scalar: Scalar, terms: list[tuple[Factor, ...]]) -> tuple[Side, ...]:
    error = Symbol(derivation.names.element(derivation.program.error, ()))

    def name(factor: Factor) -> Formula:
        return Partial(written_name(derivation, factor.of), written_name(derivation, factor.by))

    def symbols(factor: Factor) -> Formula:
        if factor.local is None:
            return name(factor)
        known = {s: written_name(derivation, derivation.scalar_of(s)) for s in factor.local.free_symbols}
        return written.formula(factor.local, known)

    def numbers(factor: Factor) -> Formula:
        if factor.local is None:
            return _number(derivation, reads(derivation.gradient.adjoints[factor.by.array], factor.by.index))
        return _number(derivation, reader(derivation, factor.local))

    sides = [Side(Partial(error, written_name(derivation, scalar)), "")]
    sides.append(Side(written.added([_product([name(f) for f in term], "") for term in terms])))
    sides.append(Side(written.added([_product([symbols(f) for f in term], "") for term in terms])))
    if derivation.has_numbers:
        sides.append(Side(written.added([_product([numbers(f) for f in term], "dot") for term in terms])))
        result = _number(derivation, reads(derivation.gradient.adjoints[scalar.array], scalar.index))
        sides.append(Side(result, "≈"))
    return tuple(side for k, side in enumerate(sides) if k == 0 or side.formula != sides[k - 1].formula)


def _product(factors: list[Formula], sign: str) -> Formula:
    kept = [factor for factor in factors if factor != Number("1")]
    if not kept:
        return Number("1")
    return kept[0] if len(kept) == 1 else Product(tuple(kept), sign)


def _number(derivation: Derivation, read: Read) -> Number:
    return Number(derivation.enclosures.decimal(read, DIGITS))
