"""The section of a full page that derives every local derivative of a program: its functions, formulas and sums."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import sympy

from derive.differentiation import of_activation, of_expression
from derive.formula import Call, Cases, Derivative, Dots, Formula, Name, Number, Partial, Relation, Side, Symbol
from derive.functions import ACTIVATIONS, Activation, Elementwise
from derive.program import Contract, Expression, Gather, Largest, Map, Ref, Softmax, Total, parts, references
from derive.written import formula as as_formula
from render.compose.definitions import by_definition, line_by_line
from render.compose.opening import function_words
from render.compose.pen import Pen, capital, equation, listed, paragraph, prose
from render.document import Block, Section

LETTERS = ("u", "v", "w", "r", "s", "p", "q")
"""What stands for parts of a formula that have no name of their own."""


@dataclass
class Used:
    """What occurs in a program: functions with their constants, formulas, and which operations on arrays."""

    functions: dict[tuple[str, sympy.Expr | None], Activation] = field(default_factory=dict)
    formulas: dict[sympy.Expr, Map] = field(default_factory=dict)
    operations: set[type[Expression]] = field(default_factory=set)
    softmaxes: set[str] = field(default_factory=set)


def used_part(pen: Pen) -> Section:
    """Every local derivative of the page, worked out from its definition."""
    program, adjoints = pen.derivation.program, pen.derivation.gradient.adjoints
    used = Used()
    for each in program.equations:
        if each.target in adjoints and each.target not in program.given:
            _collect(each.expression, used)
    sections = [
        *(_function(pen, row, constant) for (_, constant), row in used.functions.items()),
        *(_softmax(pen, name) for name in sorted(used.softmaxes)),
        *(section for k, map_ in enumerate(used.formulas.values()) if (section := _formula(pen, k, map_, adjoints))),
        *_operations(pen, used.operations),
    ]
    opening = paragraph(
        "The chain rule above is put together from local derivatives. Here is each of them, worked out from its "
        "definition; what is done to an array is done to each of its elements."
    )
    return Section("definitions", prose("The derivatives that were used"), (opening, *sections))


def _collect(expression: Expression, used: Used) -> None:
    match expression:
        case Map(formula):
            calls = sorted(formula.atoms(Elementwise), key=str)
            for call in calls:
                _function_of(call.row, call.args[1] if len(call.args) > 1 else None, used)
            bare = isinstance(formula, Elementwise) and formula.args[0].is_Symbol
            if expression.arguments and not formula.is_Symbol and not bare:
                used.formulas.setdefault(_canonical(expression), expression)
        case Softmax():
            used.softmaxes.add("log_softmax" if expression.logarithm else "softmax")
        case Ref():
            return
        case _:
            used.operations.add(type(expression))
    for part in parts(expression):
        _collect(part, used)


def _function_of(row: Activation, constant: sympy.Expr | None, used: Used) -> None:
    """A function, after those that occur in its definition."""
    for worked in of_activation(row, constant=constant):
        for inner in worked.uses:
            _function_of(inner, None, used)
    used.functions.setdefault((row.name, constant), row)


def _canonical(map_: Map) -> sympy.Expr:
    """The formula with its symbols numbered, the same for the same calculation on other arrays."""
    return map_.formula.xreplace({symbol: sympy.Symbol(f"u{k}") for k, symbol in enumerate(map_.symbols)})


def _function(pen: Pen, row: Activation, constant: sympy.Expr | None) -> Section:
    ending = "" if constant is None else f"-{constant}".replace("/", "-")
    return Section(
        f"definition-{row.name}{ending}",
        prose("{Name}", Name=capital(function_words(row.name))),
        tuple(by_definition(pen, row, constant)),
    )


def _softmax(pen: Pen, name: str) -> Section:
    opening = paragraph(
        "{k} is the number of the element that changes, {j} that of any other, and the sums go over all of them.",
        k=Symbol(Name("k")),
        j=Symbol(Name("j")),
    )
    title = "The logarithm of softmax" if name == "log_softmax" else "Softmax"
    return Section(f"definition-{name}", prose(title), (opening, *by_definition(pen, ACTIVATIONS[name])))


def _formula(pen: Pen, number: int, map_: Map, adjoints: dict[str, str]) -> Section | None:
    """A formula of the program, differentiated by each argument that leads to what was asked for."""
    asked = [
        symbol
        for symbol, argument in zip(map_.symbols, map_.arguments, strict=True)
        if references(argument) & set(adjoints)
    ]
    if not asked:
        return None
    letters = iter(LETTERS)
    known: dict[sympy.Expr, Formula] = {}
    unnamed: list[Formula] = []
    for symbol, argument in zip(map_.symbols, map_.arguments, strict=True):
        if isinstance(argument, Ref):
            known[symbol] = pen.array(argument.name)
        else:
            known[symbol] = Symbol(Name(next(letters, f"u{len(unnamed)}")))
            unnamed.append(known[symbol])
    whole = as_formula(map_.formula, known)
    blocks: list[Block] = []
    if unnamed:
        blocks.append(
            paragraph(
                "Here {letters} {stand} for what is computed from the arrays first.",
                letters=listed(unnamed),
                stand="stands" if len(unnamed) == 1 else "stand",
            )
        )
    for symbol in asked:
        left = Derivative(whole, known[symbol], partial=True)
        worked = of_expression(map_.formula, symbol, known, left)
        blocks.append(paragraph("By {by}:", by=known[symbol]))
        blocks += line_by_line(pen, worked, known[symbol])
    return Section(f"definition-formula-{number + 1}", prose("The formula {whole}", whole=whole), tuple(blocks))


# ---- operations on arrays ------------------------------------------------------------------------


def _operations(pen: Pen, found: set[type[Expression]]) -> Iterator[Section]:
    """Products of arrays, sums, maxima and selections, as far as they occur."""
    w, x = ([sympy.Symbol(f"{letter}{k}") for k in (1, 2, 3)] for letter in "wx")
    known: dict[sympy.Expr, Formula] = {s: Symbol(Name(s.name[0], s.name[1])) for s in (*w, *x)}
    y = Symbol(Name("y"))
    if Contract in found:
        products = sympy.Add(*(a * b for a, b in zip(w, x, strict=True)))
        blocks: list[Block] = [
            paragraph("An element of a product of arrays is a sum of products, of which three are written here.")
        ]
        for by in (w[1], x[1]):
            blocks.append(paragraph("By {by}:", by=known[by]))
            blocks += line_by_line(pen, of_expression(products, by, known, Partial(y, known[by])), known[by])
        yield Section("definition-product", prose("The product of two arrays"), tuple(blocks))
    if Total in found:
        by = x[1]
        worked = of_expression(sympy.Add(*x), by, known, Partial(y, known[by]))
        opening = paragraph("Of three numbers, by the second; a mean is the same, divided by how many there are:")
        yield Section("definition-sum", prose("A sum over an axis"), (opening, *line_by_line(pen, worked, known[by])))
    if Largest in found:
        yield _largest()
    if Gather in found:
        yield Section(
            "definition-selection",
            prose("Selected elements"),
            (
                paragraph(
                    "An element that is picked out, moved or put beside others is the same number as before: its "
                    "derivative by itself is 1, and by every other element 0. Where an element is picked more than "
                    "once, what comes back to its copies is added."
                ),
            ),
        )


def _largest() -> Section:
    first, last, own = (Symbol(Name("x", sub)) for sub in "1nk")
    largest = Call("max", (first, Dots(), last))
    return Section(
        "definition-maximum",
        prose("The largest of several"),
        (
            paragraph(
                "The largest of several numbers is one of them, and a small change of the others does not matter. Of "
                "equal ones the first is taken:"
            ),
            equation(
                (
                    Side(Derivative(largest, own, partial=True), ""),
                    Side(Cases(((Number("1"), Relation(own, "=", largest)), (Number("0"), None)))),
                )
            ),
        ),
    )
