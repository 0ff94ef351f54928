"""Building array expressions: NumPy's rules for shapes, and nothing evaluated.

Each builder checks shapes, infers the result's, and keeps formulas in the order in which they were
written. A mismatch raises `ShapeError`, which says both shapes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from string import ascii_letters

import sympy
from sympy import Add, Expr, Integer, Mul, Pow, Rational, Symbol

from derive.functions import Activation, call
from derive.program import (
    Contract,
    Expression,
    Gather,
    Largest,
    Map,
    Ref,
    Reshape,
    Scatter,
    Shape,
    Softmax,
    Total,
    Transpose,
)


class ShapeError(ValueError):
    """Two shapes that do not go together."""


LARGEST_ARRAY = 10**7
"""An array with more elements than this is refused."""


def constant(value: Expr | int, shape: Shape = ()) -> Map:
    """An exact number, the same in every element of ``shape``."""
    return Map(sympy.sympify(value), (), (), shape)


def elementwise(combine: Callable[..., Expr], *operands: Expression) -> Map:
    """``combine`` applied element by element to broadcast operands, their formulas fused into one."""
    formulas: list[Expr] = []
    arguments: dict[Symbol, Expression] = {}
    for operand in operands:
        if isinstance(operand, Map):
            formulas.append(operand.formula)
            arguments.update(zip(operand.symbols, operand.arguments, strict=True))
        else:
            formulas.append(symbol := placeholder(operand))
            arguments[symbol] = operand
    shape = broadcast(operand.shape for operand in operands)
    return Map(combine(*formulas), tuple(arguments), tuple(arguments.values()), shape)


def placeholder(expression: Expression) -> Symbol:
    """The symbol that stands for an argument in a formula: the same for the same expression."""
    return Symbol(text(expression), real=True)


def broadcast(shapes: Iterable[Shape]) -> Shape:
    """The shape that all broadcast to, by NumPy's rule; raises ShapeError."""
    result: list[int] = []
    for shape in shapes:
        longer, shorter = (list(shape), result) if len(shape) >= len(result) else (result, list(shape))
        padded = [1] * (len(longer) - len(shorter)) + shorter
        if any(left != right and 1 not in (left, right) for left, right in zip(longer, padded, strict=True)):
            raise ShapeError(f"shapes {tuple(result)} and {shape} do not broadcast")
        result = [right if left == 1 else left for left, right in zip(longer, padded, strict=True)]
    return tuple(result)


def add(left: Expression, right: Expression) -> Map:
    """left + right."""
    return elementwise(lambda x, y: Add(x, y, evaluate=False), left, right)


def subtract(left: Expression, right: Expression) -> Map:
    """left − right."""
    return elementwise(lambda x, y: Add(x, negated(y), evaluate=False), left, right)


def negated(formula: Expr) -> Expr:
    """−formula, kept as written; a number becomes the negative number."""
    return -formula if formula.is_Number else Mul(-1, formula, evaluate=False)


def negate(operand: Expression) -> Map:
    """−operand."""
    return elementwise(negated, operand)


def multiply(left: Expression, right: Expression) -> Map:
    """left · right, element by element."""
    return elementwise(lambda x, y: Mul(x, y, evaluate=False), left, right)


def divide(left: Expression, right: Expression) -> Map:
    """left / right; of two whole numbers the exact fraction."""

    def quotient(x: Expr, y: Expr) -> Expr:
        if x.is_Rational and y.is_Rational:
            if y == 0:
                raise ShapeError("division by the constant 0")
            return Rational(x, y)
        return Mul(x, Pow(y, -1, evaluate=False), evaluate=False)

    return elementwise(quotient, left, right)


LARGEST_EXPONENT = 1000


def power(base: Expression, exponent: Expression) -> Map:
    """base ** exponent; of two numbers the number."""

    def raised(x: Expr, y: Expr) -> Expr:
        if y.is_Rational and abs(y) > LARGEST_EXPONENT:
            raise ShapeError(f"an exponent of {y}; at most {LARGEST_EXPONENT} can be worked with")
        if x.is_Rational and y.is_Integer:
            if x == 0 and y < 0:
                raise ShapeError("division by the constant 0")
            return Pow(x, y)
        return Pow(x, y, evaluate=False)

    return elementwise(raised, base, exponent)


def apply(row: Activation, argument: Expression, constant: Expr | None = None) -> Expression:
    """An activation by its row: element by element, or over the last axis for softmax."""
    if row.over_axis:
        return softmax(argument, logarithm=row.logarithm)
    return elementwise(lambda x: call(row, x, constant=constant), argument)


def softmax(argument: Expression, axis: int = -1, *, logarithm: bool = False) -> Softmax:
    """softmax over ``axis`` (its logarithm where asked)."""
    return Softmax(argument, normal_axis(axis, argument.shape), argument.shape, logarithm)


def normal_axis(axis: int, shape: Shape) -> int:
    """``axis`` counted from 0; raises ShapeError where there is none such."""
    if not -len(shape) <= axis < len(shape):
        raise ShapeError(f"axis {axis} of an array of shape {shape}")
    return axis % len(shape)


def transpose(argument: Expression, axes: tuple[int, ...] | None = None) -> Expression:
    """numpy.transpose; two in a row become one, and none where nothing moves."""
    count = len(argument.shape)
    axes = tuple(reversed(range(count))) if axes is None else tuple(normal_axis(axis, argument.shape) for axis in axes)
    if sorted(axes) != list(range(count)):
        raise ShapeError(f"axes {axes} of an array of shape {argument.shape}")
    if axes == tuple(range(len(argument.shape))):
        return argument
    if isinstance(argument, Transpose):
        return transpose(argument.argument, tuple(argument.axes[axis] for axis in axes))
    return Transpose(argument, axes, tuple(argument.shape[axis] for axis in axes))


def total(argument: Expression, axes: tuple[int, ...] | None = None, *, keepdims: bool = False) -> Expression:
    """The sum over axes (all of them for None)."""
    chosen = (
        tuple(range(len(argument.shape)))
        if axes is None
        else tuple(sorted({normal_axis(axis, argument.shape) for axis in axes}))
    )
    if not chosen:
        return argument
    shape = tuple(
        1 if axis in chosen else size for axis, size in enumerate(argument.shape) if keepdims or axis not in chosen
    )
    return Total(argument, chosen, keepdims, shape)


def mean(argument: Expression, axes: tuple[int, ...] | None = None, *, keepdims: bool = False) -> Expression:
    """The mean over axes (all of them for None)."""
    summed = total(argument, axes, keepdims=keepdims)
    count = math.prod(argument.shape) // math.prod(summed.shape)
    return divide(summed, constant(count))


def bounded(shape: Shape) -> Shape:
    """The shape, if an array of it is of a size that can be worked with; else ShapeError."""
    if math.prod(shape) > LARGEST_ARRAY:
        raise ShapeError(
            f"an array of shape {shape} has {math.prod(shape):,} elements; at most {LARGEST_ARRAY:,} can be"
        )
    return shape


def reshape(argument: Expression, shape: Sequence[int] | int) -> Expression:
    """numpy.reshape; one length may be −1."""
    wanted = (shape,) if isinstance(shape, int) else tuple(shape)
    size = math.prod(argument.shape)
    if wanted.count(-1) == 1:
        rest = math.prod(length for length in wanted if length != -1)
        if rest and size % rest == 0:
            wanted = tuple(size // rest if length == -1 else length for length in wanted)
    if any(length < 0 for length in wanted) or math.prod(wanted) != size:
        raise ShapeError(
            f"an array of shape {argument.shape} cannot be reshaped to "
            f"{tuple(shape) if not isinstance(shape, int) else (shape,)}"
        )
    if wanted == argument.shape:
        return argument
    return Reshape(argument.argument if isinstance(argument, Reshape) else argument, wanted)


def matmul(left: Expression, right: Expression) -> Expression:
    """left @ right, by NumPy's rule for one and two axes and for stacks of matrices."""
    if not left.shape or not right.shape:
        raise ShapeError(f"@ wants arrays, and found shapes {left.shape} and {right.shape}")
    inner = right.shape[-2] if len(right.shape) > 1 else right.shape[-1]
    if left.shape[-1] != inner:
        raise ShapeError(f"shapes {left.shape} and {right.shape} do not match for @: {left.shape[-1]} against {inner}")
    batch_left, batch_right = left.shape[:-2], right.shape[:-2]
    stack = broadcast((batch_left, batch_right))
    row, summed, column = (ascii_letters[len(stack) + k] for k in range(3))
    own_left, left = _batch_letters(left, batch_left, stack)
    own_right, right = _batch_letters(right, batch_right, stack)
    axes_left = own_left + (row if len(left.shape) > len(own_left) + 1 else "") + summed
    axes_right = own_right + summed + (column if len(right.shape) > len(own_right) + 1 else "")
    kept = "".join(letter for letter in ascii_letters[: len(stack)] if letter in own_left + own_right)
    ones = tuple(1 if letter not in kept else 0 for letter in ascii_letters[: len(stack)])
    out = kept + (row if row in axes_left else "") + (column if column in axes_right else "")
    product = contract((axes_left, axes_right), out, left, right)
    if not any(ones):
        return product
    return reshape(product, (*stack, *product.shape[len(kept) :]))


def _batch_letters(operand: Expression, batch: Shape, stack: Shape) -> tuple[str, Expression]:
    """The labels of an operand's stack; an axis of length one is broadcast by leaving it out."""
    first = len(stack) - len(batch)
    letters = "".join(ascii_letters[first + k] for k, size in enumerate(batch) if size != 1)
    if len(letters) == len(batch):
        return letters, operand
    return letters, reshape(operand, (*(size for size in batch if size != 1), *operand.shape[len(batch) :]))


def contract(axes: tuple[str, str], out: str, left: Expression, right: Expression) -> Expression:
    """numpy.einsum(f"{axes[0]},{axes[1]}->{out}", left, right), transposes absorbed into the labels."""
    sizes: dict[str, int] = {}
    arguments: list[Expression] = []
    labels: list[str] = []
    for letters, argument in zip(axes, (left, right), strict=True):
        if isinstance(argument, Transpose):
            letters = "".join(letters[argument.axes.index(axis)] for axis in range(len(letters)))
            argument = argument.argument
        for letter, size in zip(letters, argument.shape, strict=True):
            if sizes.setdefault(letter, size) != size:
                raise ShapeError(f"shapes {left.shape} and {right.shape} do not match: {sizes[letter]} against {size}")
        arguments.append(argument)
        labels.append(letters)
    shape = tuple(sizes[letter] for letter in out)
    return Contract((labels[0], labels[1]), out, (arguments[0], arguments[1]), shape)


def unbroadcast(expression: Expression, shape: Shape) -> Expression:
    """Sum ``expression`` down to ``shape``: what broadcasting does to a gradient on its way back."""
    extra = len(expression.shape) - len(shape)
    axes = tuple(range(extra)) + tuple(
        extra + axis for axis, size in enumerate(shape) if size == 1 and expression.shape[extra + axis] != 1
    )
    if not axes:
        return expression
    summed = (
        total(expression, axes[:extra]) if extra and len(axes) == extra else total(expression, axes, keepdims=not extra)
    )
    if summed.shape != shape:
        summed = total(
            total(expression, tuple(range(extra))), tuple(axis - extra for axis in axes[extra:]), keepdims=True
        )
    return summed


def text(expression: Expression) -> str:
    """An expression in the equation language, or as near to it as can be (for messages and placeholders)."""
    match expression:
        case Ref(name):
            return name
        case Map(formula):
            return f"({formula})"
        case Contract(axes, out, (left, right)):
            return f"einsum({axes[0]},{axes[1]}->{out}; {text(left)}, {text(right)})"
        case Transpose(argument, axes):
            return f"transpose({text(argument)}, {axes})"
        case Total(argument, axes, keepdims):
            return f"sum({text(argument)}, {axes}, {keepdims})"
        case Softmax(argument, axis, _, logarithm):
            return f"{'log_' * logarithm}softmax({text(argument)}, {axis})"
        case Reshape(argument, shape):
            return f"reshape({text(argument)}, {shape})"
        case Gather(arguments, positions):
            return f"gather({', '.join(text(argument) for argument in arguments)}, {positions})"
        case Scatter(argument, positions, offset, shape):
            return f"scatter({text(argument)}, {positions}, {offset}, {shape})"
        case Largest(argument, axis, keepdims, _, mask):
            return f"{'mask' if mask else 'max'}({text(argument)}, {axis}, {keepdims})"
    raise TypeError(f"no text for {type(expression).__name__}")


def number(value: int | sympy.Rational) -> Map:
    """An exact constant from a Python or SymPy number."""
    return constant(Integer(value) if isinstance(value, int) else value)
