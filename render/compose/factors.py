"""Lines of the backward pass: deltas, gradients, updates, each as formula, numbers, result."""

from __future__ import annotations

from collections.abc import Callable

import sympy

from derive import written
from derive.evaluate.balls import element, exact
from derive.formula import Call, Formula, Fraction, Group, Mark, Negative, Number, Partial, Product, Side, Sum
from derive.functions import LOSSES
from derive.scalars import Scalar
from render.compose.pen import Pen, Shown
from render.compose.structure import LayerView, local, top

Lines = tuple[Side, ...]

BECOMES_DIFFERENCE = {
    ("softmax", "categorical_cross_entropy"): "softmax and cross-entropy undo each other's complications",
    ("log_softmax", "nll"): "the probability of the unit less its target, as with softmax and cross-entropy",
}
"""Activations over all units and the losses with which the delta is probability minus target, and what to say of it."""


def loss_derivative(pen: Pen, out: Scalar) -> sympy.Expr:
    """∂E/∂out of an output in the form in which textbooks state it, −(t − a) and the like.

    It is SymPy's derivative, or the row's stated form once it is proved equal to it.
    """
    derivation = pen.derivation
    found = top(derivation, out)
    target, answer = derivation.graph.symbol(Scalar("t", out.index)), derivation.graph.symbol(out)
    stated = LOSSES[derivation.problem.loss.name].stated(target, answer)
    share = sympy.cancel(sympy.together(found / stated.doit()))
    if not share.is_Rational:
        return found
    if share == 1:
        return stated
    if stated.is_Mul and stated.args[0].is_Rational:
        return sympy.Mul(share * stated.args[0], *stated.args[1:], evaluate=False)
    return sympy.Mul(share, stated, evaluate=False)


def loss_line(pen: Pen, out: Scalar, first: Formula) -> Lines:
    """∂E/∂out of an output: formula, numbers, result."""
    return pen.local_line(first, loss_derivative(pen, out))


def activation_line(pen: Pen, view: LayerView, out: Scalar, net: Scalar, first: Formula) -> Lines:
    """∂out/∂net: formula, numbers, result; at a unit with a kink the case that holds."""
    partial = local(pen.derivation, out, net)
    if view.row.kink:
        prime = Call(view.row.name, (pen.symbol(net),), prime=True)
        result = pen.local(partial) if pen.numbers else None
        return pen.line(first, prime, pen.expression(partial), numbers=None, result=result)
    return pen.local_line(first, partial)


def paths(pen: Pen, following: LayerView, unit: int, example: int) -> list[tuple[Scalar, Scalar]]:
    """The units of the next layer that a unit feeds, each with the weight between: (net, weight)."""
    return [(following.net_of(k, example), following.weight_of(k, unit)) for k in range(following.units)]


def back_through_weights(pen: Pen, following: LayerView, unit: int, example: int, first: Formula) -> Lines:
    """∂E/∂out of a hidden unit: Σ over the next layer of delta times weight."""
    feeds = paths(pen, following, unit, example)
    symbols = written.added([Product((pen.delta(net), pen.symbol(weight))) for net, weight in feeds])
    if not pen.numbers:
        return pen.line(first, symbols, numbers=None, result=None)
    numbers = written.added([Product((pen.gradient(net).formula, pen.number(weight)), "dot") for net, weight in feeds])
    return pen.line(
        first, symbols, numbers=numbers, result=pen.gradient(Scalar(f"a{following.number - 1}", (example, unit)))
    )


def delta_line(pen: Pen, view: LayerView, following: LayerView | None, unit: int, example: int) -> Lines:
    """The delta of a unit: what comes back to its output, times the derivative of its activation."""
    net, out = view.net_of(unit, example), view.out_of(unit, example)
    if view.row.over_axis:
        return softmax_delta_line(pen, view, following, unit, example)
    partial = local(pen.derivation, out, net)
    if following is None and view.row.name == "logistic" and _is_binary_cross_entropy(pen):
        return _short_delta_line(pen, net, out)
    if following is None:
        upstream = loss_derivative(pen, out)
        symbols, numbers = pen.expression(upstream), (pen.expression_in_numbers(upstream) if pen.numbers else None)
    else:
        sides = back_through_weights(pen, following, unit, example, Number("0"))
        symbols, numbers = sides[1].formula, (sides[2].formula if pen.numbers and len(sides) > 3 else sides[-1].formula)
    slope = Call(view.row.name, (pen.symbol(net),), prime=True) if view.row.kink else pen.expression(partial)
    if not pen.numbers:
        return pen.line(pen.delta(net), times(symbols, slope), numbers=None, result=None)
    slope_number = pen.local(partial).formula if view.row.kink else pen.expression_in_numbers(partial)
    product = None
    if numbers is not None:  # a slope of 1 at a kink is said, not left out
        product = Product((numbers, slope_number), "dot") if view.row.kink else times(numbers, slope_number)
    return pen.line(pen.delta(net), times(symbols, slope), numbers=product, result=pen.gradient(net))


def _is_binary_cross_entropy(pen: Pen) -> bool:
    return pen.derivation.problem.loss.name == "binary_cross_entropy"


def _short_delta_line(pen: Pen, net: Scalar, out: Scalar) -> Lines:
    """The delta of a logistic output under binary cross-entropy: output minus target, over what the means divide by."""
    target, divisor = Scalar("t", out.index), pen.loss_divisor

    def write(of: Callable[[Scalar], Formula]) -> Formula:
        difference = Sum((of(out), Negative(of(target))))
        return difference if divisor == 1 else Fraction(difference, Number(str(divisor)))

    numbers = write(pen.number) if pen.numbers else None
    return pen.line(
        pen.delta(net), write(pen.symbol), numbers=numbers, result=pen.gradient(net) if pen.numbers else None
    )


def softmax_delta_line(pen: Pen, view: LayerView, following: LayerView | None, unit: int, example: int) -> Lines:
    """The delta of a softmax unit: Σ over all outputs of the layer, each of which its net input changes."""
    net = view.net_of(unit, example)
    outs = [view.out_of(k, example) for k in range(view.units)]
    symbols = written.added([Product((pen.partial(None, out), pen.partial(out, net))) for out in outs])
    if not pen.numbers:
        return pen.line(pen.delta(net), symbols, numbers=None, result=None)
    numbers = written.added(
        [
            Product((pen.gradient(out).formula, pen.local(local(pen.derivation, out, net)).formula), "dot")
            for out in outs
        ]
    )
    return pen.line(pen.delta(net), symbols, numbers=numbers, result=pen.gradient(net))


def times(*factors: Formula) -> Formula:
    """A product of factors; a factor of 1 says nothing, and a leading minus stands before the whole."""
    kept = [factor for factor in factors if factor != Number("1")]
    if not kept:
        return Number("1")
    if isinstance(kept[0], Negative):
        return Negative(times(kept[0].body, *kept[1:])) if len(kept) > 1 else kept[0]
    return kept[0] if len(kept) == 1 else Product(tuple(kept))


def gradient_line(pen: Pen, view: LayerView, weight: Scalar) -> Lines:
    """∂E/∂w by the delta rule: delta times incoming value, summed over the examples."""
    unit, column = weight.index
    pairs = [(view.net_of(unit, example), view.in_of(column, example)) for example in range(view.examples)]
    symbols = written.added([Product((pen.delta(net), pen.symbol(source))) for net, source in pairs])
    if not pen.numbers:
        return pen.line(pen.gradient_symbol(weight), symbols, numbers=None, result=None)
    numbers = written.added([Product((pen.gradient(net).formula, pen.number(source)), "dot") for net, source in pairs])
    return pen.line(pen.gradient_symbol(weight), symbols, numbers=numbers, result=pen.gradient(weight))


def new_value(pen: Pen, parameter: Scalar) -> Lines:
    """A parameter's new value, with its calculation where that is one line."""
    return (
        update_line(pen, parameter)
        if pen.plain_update
        else (Side(pen.updated(parameter), ""), pen.after(parameter).side)
    )


def update_line(pen: Pen, parameter: Scalar) -> Lines:
    """w⁺ = w − η ∂E/∂w: formula, numbers, result."""
    step = Product((pen.learning_rate, pen.gradient_symbol(parameter)))
    symbols = Sum((pen.symbol(parameter), Negative(step)))
    if not pen.numbers:
        return pen.line(pen.updated(parameter), symbols, numbers=None, result=None)
    used = swept(pen, parameter) if pen.sequential(parameter) else pen.gradient(parameter)
    numbers = Sum((pen.number(parameter), Negative(Product((pen.rate.formula, used.formula), "dot"))))
    if pen.sequential(parameter):
        symbols = Sum((pen.symbol(parameter), Negative(Product((pen.learning_rate, pen.swept_gradient(parameter))))))
    return pen.line(pen.updated(parameter), symbols, numbers=numbers, result=pen.after(parameter))


def swept(pen: Pen, parameter: Scalar) -> Shown:
    """What the sequential sweep subtracts from a parameter, before the learning rate: (w − w⁺)/η."""
    update = pen.derivation.problem.update
    if update is None:
        return Shown("0", exact=True)
    rate = update.learning_rate
    after = pen.derivation.after_update
    eta, old = exact(rate), element(pen.derivation.given[parameter.array], parameter.index)
    return pen.show(lambda values: (old - element(values[parameter.array], parameter.index)) / eta, after)


def swept_line(pen: Pen, view: LayerView, following: LayerView, weight: Scalar) -> Lines:
    """What the sweep subtracts below the last layer: the delta passed back through the weights already updated."""
    unit, column = weight.index
    net, out = view.net_of(unit), view.out_of(unit)
    partial = local(pen.derivation, out, net)
    feeds = paths(pen, following, unit, 0)
    symbols = written.added([Product((pen.delta(k), pen.updated(w))) for k, w in feeds])
    numbers = written.added([Product((pen.gradient(k).formula, pen.after(w).formula), "dot") for k, w in feeds])
    slope = Call(view.row.name, (pen.symbol(net),), prime=True) if view.row.kink else pen.expression(partial)
    source = view.in_of(column)
    return pen.line(
        pen.swept_gradient(weight),
        Product((Group(symbols), slope, pen.symbol(source))),
        numbers=Product((Group(numbers), pen.local(partial).formula, pen.number(source)), "dot"),
        result=swept(pen, weight),
    )


def chain(pen: Pen, weight: Scalar, net: Scalar, out: Scalar, *, marked: bool = True) -> tuple[Formula, ...]:
    """The three factors of ∂E/∂w by name: ∂E/∂out, ∂out/∂net, ∂net/∂w."""
    names: tuple[Partial, ...] = (pen.partial(None, out), pen.partial(out, net), pen.partial(net, weight))
    return tuple(Mark(k, name) for k, name in enumerate(names, start=1)) if marked else names
