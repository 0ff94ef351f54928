"""Array expressions that select and rearrange: index, slice, reshape, join, unfold; and what is built on them.

A selection is worked out once, as whole-number positions; nothing of it is left to be evaluated but
the picking.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from derive.arrays import ShapeError, add, bounded, contract, matmul, mean, multiply, normal_axis, reshape, transpose
from derive.program import Expression, Gather, Largest, Positions, Shape

Pair = tuple[int, int]


def _positions(shape: Shape) -> np.ndarray[Any, np.dtype[np.intp]]:
    return np.arange(math.prod(bounded(shape)), dtype=np.intp).reshape(shape)


def index(argument: Expression, key: tuple[Any, ...]) -> Expression:
    """NumPy's basic indexing with whole numbers, slices, None and …, and lists of whole numbers."""
    try:
        bounded(_most_picked(argument.shape, key))
        picked = _positions(argument.shape)[key]
    except IndexError as error:
        raise ShapeError(f"of an array of shape {argument.shape}: {error}") from None
    return _gathered((argument,), np.asarray(picked))


def _most_picked(shape: Shape, key: tuple[Any, ...]) -> Shape:
    """How many elements a key with lists picks at most, before any is: the lengths of the lists, and of what is left.

    A key without lists picks no more than there is.
    """
    lists = [np.shape(part) for part in key if isinstance(part, list)]
    if not lists:
        return ()
    counted = [part for part in key if part is not None and part is not ...]
    before = next((place for place, part in enumerate(key) if part is ...), len(key))
    first = sum(part is not None for part in key[:before])
    axes = [*range(first), *range(len(shape) - (len(counted) - first), len(shape))]
    left = [size for axis, size in enumerate(shape) if axis not in axes]
    for part, axis in zip(counted, axes, strict=True):
        if isinstance(part, slice) and 0 <= axis < len(shape):
            left.append(len(range(*part.indices(shape[axis]))))
    return (*(max(sizes) for sizes in zip(*lists, strict=False)), *left)


def _gathered(arguments: tuple[Expression, ...], positions: np.ndarray[Any, np.dtype[np.intp]]) -> Expression:
    bounded(positions.shape)
    (first, *others) = arguments
    if (
        not others
        and positions.size == math.prod(first.shape)
        and (positions.ravel() == np.arange(positions.size)).all()
    ):
        return reshape(first, positions.shape)
    return Gather(arguments, Positions(positions), tuple(positions.shape))


def take(argument: Expression, indices: Sequence[int] | int, axis: int = 0) -> Expression:
    """numpy.take: rows (or whatever lies along ``axis``) by number; an embedding's look-up."""
    chosen = normal_axis(axis, argument.shape)
    bounded((*argument.shape[:chosen], *np.shape(indices), *argument.shape[chosen + 1 :]))
    try:
        return _gathered(
            (argument,), np.take(_positions(argument.shape), np.asarray(indices, dtype=np.intp), axis=chosen)
        )
    except IndexError as error:
        raise ShapeError(f"of an array of shape {argument.shape}: {error}") from None


def concatenate(arguments: Sequence[Expression], axis: int = 0) -> Expression:
    """numpy.concatenate along an axis."""
    return _joined(
        arguments, axis, lambda parts, at: np.concatenate(parts, axis=at), len(arguments[0].shape) if arguments else 0
    )


def stack(arguments: Sequence[Expression], axis: int = 0) -> Expression:
    """numpy.stack along a new axis."""
    return _joined(
        arguments, axis, lambda parts, at: np.stack(parts, axis=at), len(arguments[0].shape) + 1 if arguments else 0
    )


def _joined(arguments: Sequence[Expression], axis: int, join: Any, axes: int) -> Expression:
    if not arguments:
        raise ShapeError("nothing to join")
    if not -axes <= axis < axes:
        raise ShapeError(f"axis {axis} of arrays of shape {arguments[0].shape}")
    bounded((sum(math.prod(argument.shape) for argument in arguments),))
    offset, parts = 0, []
    for argument in arguments:
        parts.append(_positions(argument.shape) + offset)
        offset += math.prod(argument.shape)
    try:
        joined = join(parts, axis)
    except ValueError:
        raise ShapeError(
            f"shapes {', '.join(str(a.shape) for a in arguments)} cannot be joined along axis {axis}"
        ) from None
    return _gathered(tuple(arguments), joined)


def largest(argument: Expression, axis: int | None = None, *, keepdims: bool = False) -> Expression:
    """The maximum over one axis, or over all of them for None; of several the first counts."""
    if axis is None:
        flat = largest(reshape(argument, (math.prod(argument.shape),)), 0)
        return reshape(flat, (1,) * len(argument.shape)) if keepdims else flat
    at = normal_axis(axis, argument.shape)
    if argument.shape[at] == 0:
        raise ShapeError("the maximum of nothing")
    shape = tuple(1 if k == at else size for k, size in enumerate(argument.shape) if keepdims or k != at)
    return Largest(argument, at, keepdims, shape)


def largest_over(argument: Expression, axes: tuple[int, ...] | None, *, keepdims: bool = False) -> Expression:
    """The maximum over several axes."""
    if axes is None or len(axes) < 2:
        return largest(argument, None if axes is None else axes[0], keepdims=keepdims)
    chosen = sorted({normal_axis(axis, argument.shape) for axis in axes})
    kept = tuple(axis for axis in range(len(argument.shape)) if axis not in chosen)
    moved = transpose(argument, (*kept, *chosen))
    flat = largest(reshape(moved, (*(argument.shape[axis] for axis in kept), -1)), -1)
    shape = tuple(1 if axis in chosen else size for axis, size in enumerate(argument.shape))
    return reshape(flat, shape) if keepdims else flat


def dot(left: Expression, right: Expression) -> Expression:
    """numpy.dot: of vectors the inner product, of matrices the product, of a scalar the multiple."""
    if not left.shape or not right.shape:
        return multiply(left, right)
    if len(right.shape) > 2:
        raise ShapeError(f"dot of shapes {left.shape} and {right.shape}; write @ for stacks of matrices")
    return matmul(left, right)


def outer(left: Expression, right: Expression) -> Expression:
    """numpy.outer: every product of an element of the one with an element of the other."""
    a, b = (reshape(operand, (math.prod(operand.shape),)) for operand in (left, right))
    return contract(("i", "j"), "ij", a, b)


def pair(value: int | Sequence[int], name: str) -> Pair:
    """A size for height and width: one whole number for both, or two."""
    both = (value, value) if isinstance(value, int) else tuple(value)
    if len(both) != 2 or any(not isinstance(each, int) for each in both):
        raise ShapeError(f"{name}: found {value}; a whole number or two are expected")
    return both[0], both[1]


def windows(shape: Shape, size: Pair, stride: Pair, padding: Pair = (0, 0)) -> np.ndarray[Any, np.dtype[np.intp]]:
    """The positions of every window of an array (…, height, width): (…, rows, columns, *size); −1 is padding."""
    if len(shape) < 2:
        raise ShapeError(f"an image has height and width; found shape {shape}")
    if min(size) < 1 or min(stride) < 1 or min(padding) < 0:
        raise ShapeError(
            f"window {size}, stride {stride}, padding {padding}: sizes and strides are at least 1, padding at least 0"
        )
    *front, height, width = shape
    padded = (height + 2 * padding[0], width + 2 * padding[1])
    if padded[0] < size[0] or padded[1] < size[1]:
        raise ShapeError(f"a window of {size} does not fit into {padded}")
    steps = tuple((whole - part) // step + 1 for whole, part, step in zip(padded, size, stride, strict=True))
    bounded((*front, *padded))  # both looked at before anything of their size is made
    bounded((*front, *steps, *size))
    edge = [(0, 0)] * len(front) + [(p, p) for p in padding]
    places = np.pad(_positions(shape), edge, constant_values=-1)
    view = np.lib.stride_tricks.sliding_window_view(places, size, axis=(-2, -1))
    return view[..., :: stride[0], :: stride[1], :, :]


def conv2d(
    x: Expression,
    kernel: Expression,
    bias: Expression | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
) -> Expression:
    """Cross-correlation, as every library calls convolution.

    x (channels, height, width), or with examples in front; kernel (out, in, height, width); bias (out,) or none.
    """
    if len(x.shape) not in (3, 4) or len(kernel.shape) != 4:
        raise ShapeError(
            f"conv2d wants (channels, height, width) or examples of them, and a kernel (out, in, height, width); "
            f"found {x.shape} and {kernel.shape}"
        )
    if x.shape[-3] != kernel.shape[1]:
        raise ShapeError(
            f"conv2d: x of shape {x.shape} has {x.shape[-3]} channels, the kernel of shape {kernel.shape} takes "
            f"{kernel.shape[1]}"
        )
    size: Pair = (kernel.shape[2], kernel.shape[3])
    positions = windows(x.shape, size, pair(stride, "stride"), pair(padding, "padding"))
    front = "n" if len(x.shape) == 4 else ""
    unfolded = _gathered((x,), positions)
    result = contract((f"{front}chwij", "ocij"), f"{front}ohw", unfolded, kernel)
    if bias is None:
        return result
    if bias.shape != (kernel.shape[0],):
        raise ShapeError(f"conv2d: a bias of shape {bias.shape} for {kernel.shape[0]} output channels")
    return add(result, reshape(bias, (kernel.shape[0], 1, 1)))


def max_pool2d(x: Expression, size: int | Sequence[int], stride: int | Sequence[int] | None = None) -> Expression:
    """The largest element of each window; of several the first."""
    return largest(_pooled(x, size, stride), -1)


def avg_pool2d(x: Expression, size: int | Sequence[int], stride: int | Sequence[int] | None = None) -> Expression:
    """The mean of each window."""
    windows_of_x = _pooled(x, size, stride)
    return mean(windows_of_x, (len(windows_of_x.shape) - 1,))


def _pooled(x: Expression, size: int | Sequence[int], stride: int | Sequence[int] | None) -> Expression:
    both = pair(size, "size")
    positions = windows(x.shape, both, both if stride is None else pair(stride, "stride"))
    return _gathered((x,), positions.reshape(*positions.shape[:-2], -1))
