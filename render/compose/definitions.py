"""Derivatives worked out from the definition, line by line, each line with its rule in words (``--detail full``)."""

from __future__ import annotations

from collections.abc import Iterator

import sympy

from derive.differentiation import Line, Worked, of_activation, of_definition, of_loss
from derive.formula import Call, Derivative, Formula, Fraction, Name, Negative, Number, Power, Product, Side, Symbol
from derive.functions import LOSSES, Activation, Elementwise
from derive.scalars import Form, Scalar
from render.compose.opening import function_words
from render.compose.pen import Pen, Slot, equation, listed, paragraph, prose
from render.compose.stepwise import FullPen
from render.compose.structure import LayerView
from render.document import Block, Inlines, Text

WORDS = {
    "definition": "We begin with the definition.",
    "constant": "What does not contain {by} is constant, and its derivative is 0.",
    "variable": "The derivative of {by} by itself is 1.",
    "linear": "The derivative of {by} times a constant is the constant.",
    "sum": "A sum is differentiated term by term.",
    "factor": "A constant factor stays in front.",
    "product": "The product rule: the first factor differentiated times the second, plus the first times the second "
    "differentiated.",
    "quotient": "The quotient rule: the numerator differentiated times the denominator, less the numerator times the "
    "denominator differentiated, over the square of the denominator.",
    "reciprocal": "The derivative of 1 over something is minus the derivative of this, over its square.",
    "power": "The power rule: the exponent comes to the front, and the new exponent is one less.",
    "root": "The derivative of a square root is 1 over twice the root.",
    "exp": "The exponential function is its own derivative.",
    "base": "A constant to a power is its own derivative, times the logarithm of the constant.",
    "rewritten": "Where base and exponent both vary, the power is written as {e} to the exponent times the logarithm "
    "of the base.",
    "log": "The derivative of the natural logarithm is 1 over what stands in it.",
    "sin": "The derivative of the sine is the cosine.",
    "cos": "The derivative of the cosine is minus the sine.",
    "tanh": "The derivative of the hyperbolic tangent is 1 minus its square.",
    "erf": "The error function of {u} is the integral of {bell}, which is therefore its derivative.",
    "function": "The derivative of {functions} is known: it is worked out by itself.",
    "stopped": "Nothing flows back through a stopped gradient: its derivative is taken as 0.",
    "cases": "Each case is differentiated by itself.",
    "chain": "By the chain rule the derivative of what is inside comes in as a factor.",
    "tidied": "Zeros and factors of 1 are left out, signs and numbers multiplied.",
    "split": "The fraction is written as a product of fractions.",
    "difference": "The numerator is written as a difference in which the denominator stands.",
    "divided": "Each term of the numerator is divided by the denominator.",
    "extended": "Numerator and denominator are multiplied by the same.",
    "multiplied": "This is multiplied out.",
    "rearranged": "The same, put in another order.",
    "output": "What stands here now is the function itself, for which its name is written.",
    "kink": "Where two cases meet at an angle there is no derivative; by convention the case that holds there is "
    "taken.",
}
"""What a reader is told of each rule and of each step of algebra, by its name in `derive.differentiation.RULES`."""

U, TWO = Symbol(Name("u")), Number("2")
BELL = Product(
    (Fraction(TWO, Call("sqrt", (Symbol(Name("pi")),))), Call("exp", (Negative(Power(U, TWO)),)))
)  # the derivative of the error function at u


def line_by_line(pen: Pen, worked: Worked, by: Formula) -> Iterator[Block]:
    """A derivative line by line: the rule in a sentence, and under it the line."""
    first, *others = worked.lines
    named = () if worked.left == first.formula else (Side(worked.left, ""),)
    yield equation((*named, Side(short(pen, first.formula), "=" if named else "")))
    for line in others:
        yield paragraph("{words}", words=in_words(line, worked, by))
        yield equation((Side(short(pen, line.formula)),))


def in_words(line: Line, worked: Worked, by: Formula) -> Inlines:
    """The rules of a line, a sentence for each."""
    functions = listed([function_words(row.name) for row in worked.uses])
    slots: dict[str, Slot] = {"by": by, "e": Symbol(Name("e")), "u": U, "bell": BELL, "functions": functions}
    sentences = [prose(WORDS[rule], **slots) for rule in line.rules]
    return tuple(inline for k, said in enumerate(sentences) for inline in (((Text(" "),) if k else ()) + said))


def short(pen: Pen, formula: Formula) -> Formula:
    """A formula with dots in its long sums, inside a derivative too."""
    if isinstance(formula, Derivative):
        return Derivative(short(pen, formula.body), formula.by, formula.partial)
    return pen.elided(formula)


# ---- where they first arise on the page of a dense network ---------------------------------------


def loss(pen: Pen, out: Scalar) -> Iterator[Block]:
    """∂e/∂out of an output's own error, and what a mean makes of it."""
    if not isinstance(pen, FullPen):
        return
    problem = pen.derivation.problem.loss
    row = LOSSES[problem.name]
    error, target = Scalar("e", out.index), Scalar("t", out.index)
    width = None if row.delta is None else sympy.Rational(row.delta if problem.delta is None else problem.delta)
    left = pen.partial(error, out)
    worked = of_loss(row, left, target=pen.symbol(target), output=pen.symbol(out), width=width)
    yield paragraph(
        "This derivative is found from the definition of {e}, in which {t} is a constant:",
        e=pen.symbol(error),
        t=pen.symbol(target),
    )
    yield from line_by_line(pen, worked, pen.symbol(out))
    if pen.loss_divisor != 1:
        yield paragraph(
            "{error} is a mean, in which {e} is divided by {n}; so is its derivative.",
            error=pen.error,
            e=pen.symbol(error),
            n=pen.loss_divisor,
        )


def activation(pen: Pen, view: LayerView, net: Scalar, out: Scalar) -> Iterator[Block]:
    """∂out/∂net from the definition of the activation; of softmax both cases."""
    if not isinstance(pen, FullPen):
        return
    if view.row.over_axis:
        yield from _over_axis(pen, view.row)
        return
    node = pen.derivation.graph.definition(out)
    call = node.formula if isinstance(node, Form) else None
    constant = call.args[1] if isinstance(call, Elementwise) and len(call.args) > 1 else None
    worked = of_activation(view.row, pen.symbol(net), pen.symbol(out), constant=constant)
    for row in worked[0].uses:
        yield paragraph("First {function}, which occurs in the definition:", function=function_words(row.name))
        yield from by_definition(pen, row)
    if any("quotient" in line.rules for line in worked[0].lines):  # long lines, which want a short name
        letter = Symbol(Name("z"))
        yield paragraph(
            "This derivative is found from the definition of the activation, with {z} for {net}:",
            z=letter,
            net=pen.symbol(net),
        )
        yield from by_definition(pen, view.row, constant)
        return
    yield paragraph("This derivative is found from the definition of the activation:")
    yield from line_by_line(pen, worked[0], pen.symbol(net))


def _over_axis(pen: Pen, row: Activation) -> Iterator[Block]:
    yield paragraph(
        "The derivatives of {function} are found from its definition. Here {k} is the unit whose net input changes, {j} any other, "
        "and the sums go over all units of the layer:",
        k=Symbol(Name("k")),
        j=Symbol(Name("j")),
        function="the logarithm of softmax" if row.logarithm else "softmax",
    )
    yield from by_definition(pen, row)


def by_definition(pen: Pen, row: Activation, constant: sympy.Expr | None = None) -> Iterator[Block]:
    """A function's derivative from its definition, in the letter z."""
    net = Symbol(Name("z", "k")) if row.over_axis else Symbol(Name("z"))
    for position, worked in enumerate(of_activation(row, constant=constant)):
        if position:
            yield paragraph("And by the net input of another unit:")
        yield from line_by_line(pen, worked, net)


def net_input(pen: Pen, net: Scalar, by: Scalar) -> Iterator[Block]:
    """∂net/∂(a weight, a bias or an incoming value) from the sum that makes the net input."""
    if not isinstance(pen, FullPen):
        return
    yield paragraph("Worked out from the sum, in which everything but {by} is a constant:", by=pen.symbol(by))
    yield from line_by_line(pen, of_definition(pen.derivation.graph, net, by, pen.symbol), pen.symbol(by))
