"""What an equation does, seen from its expression: its pattern, and its kind where that has a name."""

from __future__ import annotations

from collections.abc import Hashable

import sympy

from derive.functions import Elementwise
from derive.program import (
    Contract,
    Expression,
    Gather,
    Largest,
    Map,
    Ref,
    Reshape,
    Scatter,
    Softmax,
    Total,
    Transpose,
    parts,
)


def skeleton(expression: Expression) -> Hashable:
    """The expression without its names and lengths: two equations that compute the same way have the same."""
    inner = tuple(skeleton(part) for part in parts(expression))
    match expression:
        case Ref(shape=shape):
            return ("array", len(shape))
        case Map(formula, symbols):
            places = {symbol: sympy.Symbol(f"_{place}") for place, symbol in enumerate(symbols)}
            return ("map", str(formula.xreplace(places)), inner)
        case Contract(axes, out):
            return ("contract", axes, out, inner)
        case Total(axes=summed, keepdims=keepdims):
            return ("total", summed, keepdims, inner)
        case Softmax(axis=axis, logarithm=logarithm):
            return ("softmax", axis, logarithm, inner)
        case Largest(axis=axis, mask=mask):
            return ("largest", axis, mask, inner)
        case Transpose(axes=order):
            return ("transpose", order, inner)
    return (type(expression).__name__, inner)


def kind(expression: Expression) -> str:
    """A key of `topics.OPERATIONS`, or "" for an ordinary formula."""
    match expression:
        case Softmax(logarithm=logarithm):
            return "log_softmax" if logarithm else "softmax"
        case Largest(argument=Gather()):
            return "pooling"
        case Ref():
            return "copied"
        case Map(formula=formula, symbols=(symbol,), arguments=(Ref(),)) if formula == symbol:
            return "copied"
        case Reshape(argument=inner) | Transpose(argument=inner):
            return "rearranged" if not computes(inner) else ""
        case Gather(arguments=arguments) if not any(computes(each) for each in arguments):
            return "selected" if len(arguments) == 1 else "joined"
        case Contract(arguments=(Ref(), Ref())) | Map(arguments=(Contract(arguments=(Ref(), Ref())),)):
            return "product"
        case Map(formula=formula, symbols=symbols, arguments=(Contract(arguments=(Ref(), Ref())), Ref())):
            if formula == sympy.Add(*symbols):
                return "weighted"
    return "convolution" if convolution(expression) is not None else ""


def computes(expression: Expression) -> bool:
    """Whether anything is calculated, and not only moved or chosen."""
    if isinstance(expression, Ref):
        return False
    moving = isinstance(expression, Gather | Reshape | Transpose | Scatter)
    return not moving or any(computes(part) for part in parts(expression))


def convolution(expression: Expression) -> tuple[str, str] | None:
    """The names of the image and of the filters, where the expression slides filters over an image."""
    match expression:
        case Contract(axes=(image, filters), arguments=(Gather(arguments=(Ref(name=x),)), Ref(name=w))):
            return (x, w) if len(filters) == 4 and len(image) in (5, 6) else None
        case Map(arguments=arguments):
            return next((found for each in arguments if (found := convolution(each)) is not None), None)
    return None


def uses_softmax(expression: Expression) -> bool:
    """Whether softmax stands anywhere in it."""
    return isinstance(expression, Softmax) or any(uses_softmax(part) for part in parts(expression))


def functions(expression: Expression) -> set[str]:
    """The names of the activation functions that stand in it."""
    own = {call.row.name for call in expression.formula.atoms(Elementwise)} if isinstance(expression, Map) else set()
    return own.union(*(functions(part) for part in parts(expression)))
