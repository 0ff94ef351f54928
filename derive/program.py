"""A network as a program: an ordered list of equations over named arrays.

The program is the one source of truth; it is read by element (`scalars.py`) and by array
(`reverse.py`). Few primitives carry everything: an elementwise expression that SymPy
differentiates, a contraction (einsum), a reduction, an axis permutation, and softmax.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from hashlib import blake2b
from typing import Any

import numpy as np
import sympy
from numpy.typing import NDArray

Shape = tuple[int, ...]


class Expression:
    """Base of the array expressions; each knows its shape."""

    __slots__ = ()
    shape: Shape


@dataclass(frozen=True, slots=True)
class Ref(Expression):
    """A named array."""

    name: str
    shape: Shape


@dataclass(frozen=True, slots=True)
class Map(Expression):
    """A SymPy formula, element by element, over broadcast arguments.

    ``formula`` is in the placeholder symbols ``symbols``, one for each argument, and stands in the
    order in which it was written. No arguments: a constant of any shape.
    """

    formula: sympy.Expr
    symbols: tuple[sympy.Symbol, ...]
    arguments: tuple[Expression, ...]
    shape: Shape


@dataclass(frozen=True, slots=True)
class Contract(Expression):
    """einsum of two arguments: ``axes`` labels the axes of each, ``out`` those of the result."""

    axes: tuple[str, str]
    out: str
    arguments: tuple[Expression, Expression]
    shape: Shape


@dataclass(frozen=True, slots=True)
class Transpose(Expression):
    """numpy.transpose(argument, axes)."""

    argument: Expression
    axes: tuple[int, ...]
    shape: Shape


@dataclass(frozen=True, slots=True)
class Total(Expression):
    """The sum over ``axes``, which stay with length one where ``keepdims``."""

    argument: Expression
    axes: tuple[int, ...]
    keepdims: bool
    shape: Shape


@dataclass(frozen=True, slots=True)
class Softmax(Expression):
    """softmax over ``axis``; its natural logarithm where ``logarithm``."""

    argument: Expression
    axis: int
    shape: Shape
    logarithm: bool = False


@dataclass(frozen=True, slots=True)
class Reshape(Expression):
    """The same elements in the same order, in another shape."""

    argument: Expression
    shape: Shape


class Positions:
    """Whole numbers in an array's shape, to be compared and hashed by value: which element goes where."""

    __slots__ = ("_hash", "array")

    def __init__(self, array: NDArray[Any]) -> None:
        self.array = np.array(array, dtype=np.intp, order="C")
        self.array.setflags(write=False)
        digest = blake2b(repr(self.array.shape).encode() + self.array.tobytes(), digest_size=7).digest()
        self._hash = int.from_bytes(digest, "big")  # the same in every process: it is part of names

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Positions) and self._hash == other._hash and np.array_equal(self.array, other.array)

    def __hash__(self) -> int:
        return self._hash

    def __repr__(self) -> str:
        return f"positions {self._hash:x}"


@dataclass(frozen=True, slots=True)
class Gather(Expression):
    """Elements selected from the arguments, laid end to end: index, slice, take, stack, unfold.

    ``positions`` has the result's shape; −1 puts a zero (padding).
    """

    arguments: tuple[Expression, ...]
    positions: Positions
    shape: Shape


@dataclass(frozen=True, slots=True)
class Scatter(Expression):
    """The reverse of a selection: each element of ``argument`` is added at its position.

    ``positions`` has the argument's shape and counts from ``offset``; what falls outside is left out.
    """

    argument: Expression
    positions: Positions
    offset: int
    shape: Shape


@dataclass(frozen=True, slots=True)
class Largest(Expression):
    """The maximum over one axis; with ``mask`` 1 where it stands (the first, of several) and 0 elsewhere."""

    argument: Expression
    axis: int
    keepdims: bool
    shape: Shape
    mask: bool = False


BACK = "_back"
"""What the stem of an array of a layer's second direction ends in, which reads from the end."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an array stands: its layer's number, the stem of its name (z_i), its time step (0: before the first)."""

    layer: int
    stem: str
    time: int | None = None

    @property
    def backward(self) -> bool:
        """Whether it is of the direction that reads from the end."""
        return self.stem.endswith(BACK)

    @property
    def letter(self) -> str:
        """What the stem begins with: z of z_i."""
        return self.stem.partition("_")[0]

    @property
    def part(self) -> str:
        """Which one of that letter it is: i of z_i, "" where there is one only."""
        return self.stem.removesuffix(BACK).partition("_")[2]


@dataclass(frozen=True, slots=True)
class Variable:
    """A named array: its shape, and the part it plays.

    ``role``: input, target, weight, bias, net, activation, output_error, error, or array (any
    other). ``layer`` counts from 1 (0: belongs to none). ``per_example``: the first axis is the
    example. ``meaning`` says in a few words what it is, where that is known ("input gate"). An array
    that a layer wrote has the ``place`` of its name. ``axes`` says what each axis counts, where that is known:
    "example", "time" (the step of a recurrent layer), "position", "query" (the row of a score), "" for one that
    a sum or mean kept with length one, and words such as "unit" and "feature". ``like`` is the role that an array
    outside the layers of units would have in one (output: what comes out of the last layer).
    """

    name: str
    shape: Shape
    role: str = "array"
    layer: int = 0
    per_example: bool = False
    meaning: str = ""
    place: Place | None = None
    axes: tuple[str, ...] = ()
    like: str = ""


@dataclass(frozen=True, slots=True)
class Equation:
    """target = expression; ``text`` and ``comment`` as they were written, where they were."""

    target: str
    expression: Expression
    text: str = field(default="", compare=False)
    comment: str = field(default="", compare=False)


@dataclass(frozen=True)
class Program:
    """Equations in the order of their evaluation.

    ``variables`` has every array, given ones first; ``error`` names the scalar that is
    differentiated and ``parameters`` the arrays by which.
    """

    variables: dict[str, Variable]
    equations: tuple[Equation, ...]
    error: str
    parameters: tuple[str, ...]

    @cached_property
    def definitions(self) -> dict[str, Expression]:
        """Each defined array's expression."""
        return {equation.target: equation.expression for equation in self.equations}

    @cached_property
    def given(self) -> tuple[str, ...]:
        """The arrays that no equation defines: inputs, targets, parameters."""
        return tuple(name for name in self.variables if name not in self.definitions)

    def shape(self, name: str) -> Shape:
        """The shape of a named array."""
        return self.variables[name].shape

    def by_role(self, role: str) -> tuple[Variable, ...]:
        """The variables of a role, in order."""
        return tuple(variable for variable in self.variables.values() if variable.role == role)


def parts(expression: Expression) -> tuple[Expression, ...]:
    """The direct arguments of an expression."""
    match expression:
        case Map(_, _, arguments) | Gather(arguments):
            return arguments
        case Contract(_, _, arguments):
            return arguments
        case Transpose(argument) | Total(argument) | Softmax(argument) | Reshape(argument):
            return (argument,)
        case Scatter(argument) | Largest(argument):
            return (argument,)
        case _:
            return ()


def references(expression: Expression) -> set[str]:
    """The names that an expression reads."""
    if isinstance(expression, Ref):
        return {expression.name}
    return set().union(*(references(part) for part in parts(expression)))


@lru_cache(maxsize=2**14)
def read_by(expression: Expression) -> frozenset[str]:
    """The names that an expression reads; remembered for those that are asked for again and again."""
    return frozenset(references(expression))


def rebuilt(expression: Expression, arguments: tuple[Expression, ...]) -> Expression:
    """The same operation on other arguments of the same shapes."""
    match expression:
        case Map() | Gather():
            return replace(expression, arguments=arguments)
        case Contract():
            return replace(expression, arguments=(arguments[0], arguments[1]))
        case Transpose() | Total() | Softmax() | Reshape() | Scatter() | Largest():
            return replace(expression, argument=arguments[0])
    return expression
