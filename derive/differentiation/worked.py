"""A differentiation as ordered lines, each with the rules that lead to it; of expressions, activations and losses.

Every line is equal to the derivative, what is pending in it included. The first is d/dz of the formula, the last the
form in which the row states the derivative.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import sympy
from sympy import Add, Expr, Mul, Rational, exp, log

from derive.differentiation.algebra import Lines, to_stated
from derive.differentiation.rules import named_functions, once
from derive.differentiation.terms import Pending, Taken, Term, is_pending, on_paper, put, tidied
from derive.equations import parse
from derive.formula import BigSum, Call, Derivative, Formula, Name, Partial, Symbol
from derive.functions import Activation, Loss, a, alpha, delta, derivative, scale, slope, t, z
from derive.program import Map, Ref
from derive.scalars import Form, Graph, Leaf, Node, Scalar, Terms, Times, leaves

LETTERS: dict[Expr, Formula] = {
    z: Symbol(Name("z")),
    a: Symbol(Name("a")),
    t: Symbol(Name("t")),
    slope: Symbol(Name("slope", style="roman")),
    alpha: Symbol(Name("alpha")),
    scale: Symbol(Name("lambda")),
    delta: Symbol(Name("delta")),
}
"""How the letters of a row are written where a page has no name of its own for them."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line: the derivative as it stands now, and the names (in `RULES`) of what was done to reach it."""

    formula: Formula
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Worked:
    """A derivative worked out: ``left`` names it, every line equals it, ``uses`` are the functions taken as known."""

    left: Formula
    lines: tuple[Line, ...]
    uses: tuple[Activation, ...] = ()


@dataclass(frozen=True)
class _Paper:
    """How a differentiation is written: what stands for the symbols, and by what is differentiated."""

    by: sympy.Symbol
    known: Mapping[Expr, Formula]
    partial: bool = True
    hidden: frozenset[sympy.Symbol] = field(default=frozenset())

    def write(self, term: Term) -> Formula:
        return on_paper(term, self.known, self.known[self.by], partial=self.partial)


def of_expression(expression: Expr, by: sympy.Symbol, known: Mapping[Expr, Formula], left: Formula) -> Worked:
    """∂/∂``by`` of an expression by the rules, one after the other, tidied at the end.

    ``known`` says how its symbols are written, ``left`` what the derivative is called. Raises TypeError for a
    function without a rule.
    """
    paper = _Paper(by, {**LETTERS, **known})
    return Worked(left, _lines(expression, paper), tuple(named_functions(expression)))


def of_activation(
    row: Activation,
    argument: Formula | None = None,
    output: Formula | None = None,
    *,
    constant: Expr | None = None,
) -> tuple[Worked, ...]:
    """An activation's derivative from its definition to the stated form; of softmax both cases.

    ``argument`` and ``output`` are what the page calls them (else z and f(z)); ``constant`` is the number of the row's
    constant, which stays a letter without it.
    """
    if row.formula is None:
        return _log_softmax() if row.logarithm else _softmax()
    net = LETTERS[z] if argument is None else argument
    called = Call(row.sign, (net,))
    definition = defined(row) if constant is None else defined(row).xreplace({row.constant: constant})
    paper = _Paper(z, {**LETTERS, z: net, a: output or called}, partial=argument is not None)
    stated = None if row.output_form is None else derivative(row)
    left = Derivative(called, net) if output is None else Partial(output, net)
    lines = _lines(definition, paper, stated, {a: definition}, kink=row.kink)
    return (Worked(left, lines, tuple(named_functions(definition))),)


def defined(row: Activation) -> Expr:
    """A row's formula as it is differentiated on paper: tanh by exponentials, letters for long constants."""
    formula = row.formula if row.on_paper is None else row.on_paper
    return formula.rewrite(exp) if isinstance(formula, sympy.tanh) else formula


def of_loss(
    row: Loss,
    left: Formula,
    *,
    target: Formula | None = None,
    output: Formula | None = None,
    width: Rational | None = None,
) -> Worked:
    """∂/∂a of the error of one output, from the loss's own text to the form in which the row states it.

    ``left`` is what the derivative is called, ``target`` and ``output`` what stands for t and a; ``width`` is the
    number of the loss's δ, which stays a letter without it.
    """
    letters = ("t", "a") if row.delta is None else ("t", "a", "delta")
    (equation,) = parse(f"e = {row.element}", {letter: Ref(letter, ()) for letter in letters})
    if not isinstance(equation.expression, Map):
        raise TypeError(f"{row.name}: the error of one output is no formula in t and a")
    numbers = {} if width is None else {delta: width}
    stated = row.stated(t, a) if row.delta is None else row.stated(t, a, delta)
    known = {**LETTERS, t: target or LETTERS[t], a: output or LETTERS[a]}
    formula = put(equation.expression.formula, numbers)
    return Worked(left, _lines(formula, _Paper(a, known), put(stated, numbers), kink=row.kink))


def of_definition(graph: Graph, scalar: Scalar, by: Scalar, write: Callable[[Scalar], Formula]) -> Worked:
    """∂scalar/∂``by`` from a scalar's definition, in the order in which that is written; ``write`` names scalars.

    Raises TypeError for one that is no formula: a maximum, softmax.
    """
    node = graph.definition(scalar)
    if node is None:
        raise TypeError(f"{scalar.array} is given: nothing defines it")
    expression = _as_written(node, graph)
    known = {graph.symbol(read): write(read) for read in leaves(node)}
    paper = _Paper(graph.symbol(by), {**LETTERS, **known})
    return Worked(Partial(write(scalar), write(by)), _lines(expression, paper), tuple(named_functions(expression)))


def _as_written(node: Node, graph: Graph) -> Expr:
    match node:
        case Leaf(scalar):
            return graph.symbol(scalar)
        case Form(formula, symbols, arguments):
            return put(formula, {s: _as_written(each, graph) for s, each in zip(symbols, arguments, strict=True)})
        case Terms(terms):
            return Add(*(_as_written(term, graph) for term in terms), evaluate=False)
        case Times(left, right):
            return Mul(_as_written(left, graph), _as_written(right, graph), evaluate=False)
    raise TypeError(f"no formula to differentiate: {type(node).__name__}")


def _softmax() -> tuple[Worked, ...]:
    """∂a_k/∂z_k and ∂a_j/∂z_k of a_k = e^(z_k) / Σ e^(z_i), by the quotient rule."""
    own, other, others, a_own, a_other = (sympy.Symbol(name, real=True) for name in ("zk", "zj", "rest", "ak", "aj"))
    total = exp(own) + others
    net, out = ({index: Symbol(Name(letter, index)) for index in "ijk"} for letter in "za")
    known = {
        own: net["k"],
        other: net["j"],
        a_own: out["k"],
        a_other: out["j"],
        total: BigSum(Symbol(Name("i")), None, None, Call("exp", (net["i"],))),
    }
    paper = _Paper(own, known, hidden=frozenset((others,)))
    shares = {a_own: exp(own) / total, a_other: exp(other) / total}
    stated = {"k": a_own * (1 - a_own), "j": -a_other * a_own}
    return tuple(
        Worked(Partial(out[index], net["k"]), _lines(shares[symbol], paper, stated[index], shares))
        for index, symbol in (("k", a_own), ("j", a_other))
    )


def _log_softmax() -> tuple[Worked, ...]:
    """∂y_k/∂z_k and ∂y_j/∂z_k of y_k = z_k − ln Σ e^(z_i), with s_k for the softmax."""
    own, other, others, share = (sympy.Symbol(name, real=True) for name in ("zk", "zj", "rest", "sk"))
    total = exp(own) + others
    net = {index: Symbol(Name("z", index)) for index in "ijk"}
    known = {
        own: net["k"],
        other: net["j"],
        share: Symbol(Name("s", "k")),
        total: BigSum(Symbol(Name("i")), None, None, Call("exp", (net["i"],))),
    }
    paper = _Paper(own, known, hidden=frozenset((others,)))
    return tuple(
        Worked(
            Partial(Symbol(Name("y", index)), net["k"]),
            _lines(symbol - log(total), paper, stated, {share: exp(own) / total}),
        )
        for index, symbol, stated in (("k", own, 1 - share), ("j", other, -share))
    )


def _lines(
    expression: Expr,
    paper: _Paper,
    stated: Expr | None = None,
    outputs: Mapping[sympy.Symbol, Expr] | None = None,
    *,
    kink: bool = False,
) -> tuple[Line, ...]:
    """The definition, a line for each rule, the same tidied, and the algebra to the stated form."""
    term: Term = Pending(expression)
    lines = [Line(paper.write(term), ("definition",))]
    while is_pending(term):
        term, rules = once(term, paper.by)
        lines.append(Line(paper.write(term), rules))
    raw = tidied(term)
    algebra: Lines = [(Taken(raw), "tidied")]
    if stated is not None:
        lead = to_stated(raw, stated, outputs or {}, paper.hidden)
        algebra = lead if lead[0][1] == "tidied" else [*algebra, *lead]
    lines += [Line(paper.write(step), (rule,)) for step, rule in algebra]
    kept = _without_detours(lines)
    if kink:
        kept[-1] = Line(kept[-1].formula, (*kept[-1].rules, "kink"))
    return tuple(kept)


def _without_detours(lines: Sequence[Line]) -> list[Line]:
    """The lines without those after which the same is written once more."""
    kept: list[Line] = []
    for line in lines:
        again = next((k for k, earlier in enumerate(kept) if earlier.formula == line.formula), None)
        if again is None:
            kept.append(line)
        else:
            del kept[again + 1 :]
    return kept
