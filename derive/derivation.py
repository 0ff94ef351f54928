"""The derivation of a problem: what `derive.differentiate` gives, everything made when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import sympy
from numpy.typing import NDArray
from sympy import Expr

from derive import build, optimizers, results
from derive.chain import Step, backward_steps, forward_steps
from derive.closed_form import ClosedForms, flat_derivative
from derive.errors import ChainruleError, ProblemError
from derive.evaluate import balls
from derive.evaluate.balls import element, fraction
from derive.evaluate.lambdified import Evaluator, evaluator
from derive.formula import Name
from derive.notation import Names
from derive.notations.file import notation
from derive.other_numbers import same_program
from derive.problem import Problem, load
from derive.program import Equation, Program, references
from derive.reverse import GradientProgram, gradient_program, stable
from derive.scalars import Graph, Scalar
from derive.training import Progress, Training, in_floats

Index = tuple[int, ...]
FloatTraining = tuple[dict[str, NDArray[np.float64]], list[tuple[int, float]]]


def differentiate(problem: Problem | str | Mapping[str, Any]) -> Derivation:
    """Derive a problem's error by every parameter.

    ``problem`` is a `Problem` or anything that `derive.load` takes. Raises `ProblemError`.
    """
    loaded = load(problem)
    return Derivation(loaded, build.program(loaded))


class Elements(Mapping[Any, Any]):
    """An array whose elements are made when they are asked for: ``array[0, 1]``, ``array.shape``."""

    def __init__(self, shape: Index, make: Callable[[Index], Any]) -> None:
        self.shape = shape
        self._make = make

    def __getitem__(self, index: Any) -> Any:
        """One element; IndexError outside the shape."""
        at = index if isinstance(index, tuple) else (index,)
        if len(at) != len(self.shape):
            raise IndexError(f"{len(at)} indices for an array of shape {self.shape}")
        if any(not -size <= i < size for i, size in zip(at, self.shape, strict=True)):
            raise IndexError(f"index {at} for an array of shape {self.shape}")
        return self._make(tuple(i % size for i, size in zip(at, self.shape, strict=True)))

    def __iter__(self) -> Iterator[Index]:
        return iter(np.ndindex(*self.shape))

    def __len__(self) -> int:
        return int(np.prod(self.shape))


class Arrays(Mapping[str, Any]):
    """Arrays by name; one without axes is its only element."""

    def __init__(self, shapes: Mapping[str, Index], make: Callable[[str], Any]) -> None:
        self._shapes = shapes
        self._make = make

    def __getitem__(self, name: str) -> Any:
        """The array of a name; KeyError where there is none."""
        if name not in self._shapes:
            raise KeyError(name)
        return self._make(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._shapes)

    def __len__(self) -> int:
        return len(self._shapes)


@dataclass(frozen=True, eq=False)
class Derivation:
    """A problem's program with its gradients: steps, closed forms, numbers, functions."""

    problem: Problem
    program: Program
    origin: Derivation | None = field(default=None, repr=False)
    """The derivation of the same program with other numbers, whose symbols this one shares; None: it has its own."""

    def with_numbers(self, problem: Problem) -> Derivation:
        """The derivation of the same program with the numbers of another problem; nothing symbolic is made twice.

        Raises ProblemError for a problem that differs in more than its numbers (and title, published numbers, …).
        """
        if not same_program(self.problem, problem):
            message = "differs in more than its numbers; derive it with derive.differentiate"
            raise ProblemError(message, problem.source or "the problem")
        return Derivation(problem, self.program, self.origin or self)

    # ---- the two readings ------------------------------------------------------------------

    @cached_property
    def names(self) -> Names:
        """The names of every scalar in the problem's notation."""
        if self.origin is not None:
            return self.origin.names
        return Names(self.program, notation(self.problem.notation))

    @cached_property
    def graph(self) -> Graph:
        """The program read by element."""
        return Graph(self.program, self.names) if self.origin is None else self.origin.graph

    @cached_property
    def gradient(self) -> GradientProgram:
        """The program read by array: its adjoints as equations."""
        return gradient_program(self.program) if self.origin is None else self.origin.gradient

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """The derivation's steps: forward, error, delta, gradient and, where the problem updates, update."""
        if self.origin is not None:
            return self.origin.steps
        backward = tuple(backward_steps(self.graph))
        updates = tuple(Step("update", step.target) for step in backward if step.target.array in self.trained)
        return (*forward_steps(self.graph), *backward, *updates)

    @cached_property
    def gradient_steps(self) -> dict[Scalar, Step]:
        """The step of ∂E/∂(scalar) for every scalar that has one."""
        if self.origin is not None:
            return self.origin.gradient_steps
        return {step.target: step for step in self.steps if step.kind in ("delta", "gradient")}

    @cached_property
    def trained(self) -> tuple[str, ...]:
        """The parameters that the problem's update changes; what an equation computes follows them."""
        if self.problem.update is None:
            return ()
        held = optimizers.fixed(self.program, self.problem.update)
        return tuple(name for name in self.program.parameters if name in self.program.given and name not in held)

    # ---- closed forms ----------------------------------------------------------------------

    @cached_property
    def closed(self) -> ClosedForms:
        """Closed forms in the parameters alone; given inputs and targets are exact numbers in them."""
        if self.origin is not None and self._constants == self.origin._constants:
            return self.origin.closed
        known = {
            Scalar(name, index): sympy.Rational(fraction(element(values, index)) or 0)
            for name, values in self.given.items()
            if name not in self.program.parameters
            for index in np.ndindex(*values.shape)
        }
        return ClosedForms(self.graph, known, self.gradient_steps)

    @property
    def _constants(self) -> dict[str, list[Any]]:
        """The numbers that closed forms hold."""
        return {name: array.tolist() for name, array in self.given.items() if name not in self.program.parameters}

    @property
    def error(self) -> Expr:
        """The error in closed form, an expression in the parameters alone."""
        return self.closed.value(Scalar(self.program.error, ()))

    @cached_property
    def gradients(self) -> Arrays:
        """∂E/∂(parameter) in closed form, element by element: ``gradients["W2"][0, 0]``."""

        def make(name: str) -> Any:
            shape = self.program.shape(name)
            elements = Elements(shape, lambda index: self.closed.gradient(Scalar(name, index)))
            return elements if shape else self.closed.gradient(Scalar(name, ()))

        return Arrays({name: self.program.shape(name) for name in self.program.parameters}, make)

    def flat_derivative(self, name: str) -> Expr:
        """∂E/∂(scalar) as plain `sympy.diff` of the closed-form error: slow, and the chain rule's oracle."""
        return flat_derivative(self.closed, self.scalar(name))

    def scalar(self, name: str) -> Scalar:
        """The scalar of a name: ``w5``, ``W2[0, 0]``, ``net_h1``.

        Raises UnknownNameError (a KeyError) with the nearest name.
        """
        array, index = self.names.find(name)
        if index is None and self.program.shape(array):
            shape = self.program.shape(array)
            first = f"{name}[{', '.join('0' * len(shape))}]"
            raise ChainruleError(f"{name} is an array of shape {shape}; name one element, like {first}")
        return Scalar(array, index or ())

    def scalar_of(self, symbol: Expr) -> Scalar:
        """The scalar that a SymPy symbol stands for."""
        array, index = self.names.find(symbol.name)
        return Scalar(array, index or ())

    def element_name(self, symbol: Expr) -> Name:
        """How the scalar of a SymPy symbol is written."""
        scalar = self.scalar_of(symbol)
        return self.names.element(scalar.array, scalar.index)

    def gradient_of(self, name: str) -> Expr:
        """∂E/∂(scalar) in closed form, by the name that the notation prints (``w5``) or by index (``W2[0, 0]``)."""
        return self.closed.gradient(self.scalar(name))

    def latex(self, name: str) -> str:
        """The derivation of one gradient as TeX, ready to paste: chain rule, formula, numbers, result."""
        from derive.excerpt import latex

        return latex(self, self.scalar(name))

    # ---- numbers ---------------------------------------------------------------------------

    @cached_property
    def given(self) -> dict[str, balls.Array]:
        """The exact values of the arrays that the problem gives numbers for."""
        return build.given(self.problem, self.program)

    @cached_property
    def numeric(self) -> frozenset[str]:
        """The arrays whose numbers follow from what is given."""
        if self.origin is not None:
            return self.origin.numeric
        known = set(self.given)
        for equation in (*self.program.equations, *self.gradient.equations):
            if references(equation.expression) <= known:
                known.add(equation.target)
        return frozenset(known)

    @property
    def has_numbers(self) -> bool:
        """Whether the error is a number, not a formula."""
        return self.program.error in self.numeric

    @cached_property
    def enclosures(self) -> balls.Enclosures:
        """Every array and adjoint that has numbers, to any precision."""
        equations = (*self.program.equations, *self.gradient.equations)
        return balls.Enclosures.of(tuple(e for e in equations if e.target in self.numeric), self.given)

    @cached_property
    def update_equations(self) -> tuple[Equation, ...]:
        """The equations of one update step."""
        return () if self.problem.update is None else optimizers.update_equations(self.gradient, self.problem.update)

    @cached_property
    def after_update(self) -> balls.Enclosures:
        """Every array of the program after one update, to any precision."""
        return self.train_exactly(1)

    @cached_property
    def training(self) -> Training:
        """What repeated updates need, in the form that never overflows."""
        if self.problem.update is None:
            raise ProblemError("has no [update]: nothing says how it is trained", self.problem.source or "the problem")
        if not self.has_numbers:
            raise ProblemError("has symbols where training needs numbers", self.problem.source or "the problem")
        gradient = gradient_program(stable(self.program))
        update = optimizers.update_equations(gradient, self.problem.update)
        return Training(self.program, (*gradient.program.equations, *gradient.equations, *update), self.trained)

    def train_exactly(self, steps: int, progress: Progress | None = None) -> balls.Enclosures:
        """Every array after so many updates, to any precision; the error at milestones is ``E@step``."""
        from derive.training import in_balls

        return in_balls(self.training, self.given, steps, progress)

    @cached_property
    def _float_trainings(self) -> dict[int, FloatTraining]:
        return {}

    def train_in_floats(self, steps: int, progress: Progress | None = None) -> FloatTraining:
        """Every array after so many updates in float64, and the error at the milestones; each run is kept."""
        if steps not in self._float_trainings:
            ready = self.training  # first: it says what is missing
            start = {name: self.floats(name) for name in self.program.given}
            try:
                values, history = in_floats(ready, start, steps, progress)
            except ChainruleError as error:
                raise ProblemError(str(error), self.problem.source or "the problem") from None
            self._float_trainings[steps] = (results.forward(self, values), history)
        return self._float_trainings[steps]

    @cached_property
    def values(self) -> Arrays:
        """The numbers of every array of the program, in float64, correctly rounded."""
        return Arrays(
            {name: self.program.shape(name) for name in self.program.variables if name in self.numeric},
            lambda name: self.floats(name),
        )

    def floats(self, name: str) -> NDArray[np.float64]:
        """An array (or an adjoint) as float64, correctly rounded from its enclosure."""
        with results.said_of(self.problem):
            return results.floats(self.enclosures, name)

    # ---- what goes out ---------------------------------------------------------------------

    def lambdify(self, backend: str = "fast", *, reuse: bool = False) -> Evaluator:
        """``f(**arrays) -> (error, {parameter: gradient})`` in float64.

        Keywords are parameter names, inputs and targets; absent ones take the problem's values.
        ``backend="fast"`` prints code from the program, plain floats for small networks and NumPy for
        large ones; "sympy" is `sympy.lambdify`, handed the program's own assignments. ``reuse`` lets a
        large network's gradients be overwritten by the next call.
        """
        return evaluator(self, backend, reuse=reuse)

    def to_json(self, digits: int = 17) -> dict[str, Any]:
        """What ``chainrule gradients --json`` prints."""
        with results.said_of(self.problem):
            return results.gradients(self, digits)

    def train(
        self, steps: int | None = None, digits: int | None = None, progress: Progress | None = None
    ) -> dict[str, Any]:
        """What ``chainrule train --json`` prints: float64, or enclosures to ``digits``."""
        with results.said_of(self.problem):
            return results.training(self, steps, digits, progress)

    def gradient_rows(self, digits: int = 10) -> list[tuple[str, str, str]]:
        """(name, ∂E/∂name, value after the update) for every parameter's elements."""
        with results.said_of(self.problem):
            return results.rows(self, digits)

    def symbolic(self, closed: bool = False) -> list[tuple[str, str]]:
        """(name, ∂E/∂name as a formula) in local terms, or in closed form."""
        return results.formulas(self, closed)
