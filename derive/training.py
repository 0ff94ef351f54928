"""Training: the update repeated, in float64 at machine speed or in enclosures to any number of digits."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import flint
import numpy as np
from numpy.typing import NDArray

from derive.errors import ChainruleError
from derive.evaluate import balls, unrolled, vectorised
from derive.optimizers import updated_name
from derive.program import Equation, Expression, Program, Ref, Shape, parts

Progress = Callable[[int, int], None]
Floats = NDArray[np.float64]

SMALL = 300
"""Below some 300 parameters plain floats beat NumPy."""
FEW = 1_000
"""Code with a line for each of more numbers than this is slow to make."""


def is_small(program: Program, parameters: Iterable[str]) -> bool:
    """Are plain floats the better way to compute a program, with a line of code for every number?"""
    trained = sum(math.prod(program.shape(name)) for name in parameters)
    return trained <= SMALL and sum(math.prod(program.shape(name)) for name in program.variables) <= FEW


@dataclass(frozen=True)
class Training:
    """What training needs: the program's equations with those of one update, and which parameters move."""

    program: Program
    equations: tuple[Equation, ...]
    trained: tuple[str, ...]

    @cached_property
    def memory(self) -> dict[str, Shape]:
        """The arrays that the rule keeps from step to step: read, but given or defined by nobody. They start at 0."""
        known = {*self.program.given, *(equation.target for equation in self.equations)}
        read = (ref for equation in self.equations for ref in refs(equation.expression))
        return {ref.name: ref.shape for ref in read if ref.name not in known}

    @cached_property
    def carried(self) -> dict[str, Shape]:
        """What changes from step to step: the parameters that move, and the memory."""
        moving = {updated_name(name) for name in self.trained} & {equation.target for equation in self.equations}
        moved = (name for name in self.trained if updated_name(name) in moving)
        return {name: self.program.shape(name) for name in moved} | self.memory

    @cached_property
    def inputs(self) -> dict[str, Shape]:
        """Every array that a step starts from."""
        return {name: self.program.shape(name) for name in self.program.given} | self.memory

    @cached_property
    def small(self) -> bool:
        """Is it trained in plain floats?"""
        return is_small(self.program, self.trained)

    @property
    def parameter_count(self) -> int:
        """How many numbers are trained."""
        return sum(int(np.prod(self.program.shape(name))) for name in self.trained)


def refs(expression: Expression) -> Iterator[Ref]:
    """The named arrays that an expression reads."""
    if isinstance(expression, Ref):
        yield expression
    for part in parts(expression):
        yield from refs(part)


def milestones(steps: int) -> Iterator[int]:
    """The steps at which the error is noted: 0, 1, 2, 5, 10, 20, 50, … and the last."""
    yield 0
    decade = 1
    while decade < steps:
        for factor in (1, 2, 5):
            if decade * factor < steps:
                yield decade * factor
        decade *= 10
    if steps:
        yield steps


def in_floats(
    training: Training, start: Mapping[str, Floats], steps: int, progress: Progress | None = None
) -> tuple[dict[str, Floats], list[tuple[int, float]]]:
    """The arrays after ``steps`` updates in float64, and the error at each milestone.

    Raises ChainruleError where the numbers leave float64's range.
    """
    advance = _unrolled(training) if training.small else _vectorised(training)
    error = _error_function(training)
    values = {name: np.array(start[name], dtype=np.float64) for name in training.program.given}
    values |= {name: np.zeros(shape) for name, shape in training.memory.items()}
    history: list[tuple[int, float]] = []
    done = 0
    try:
        with np.errstate(over="raise", invalid="raise", divide="raise"):
            for milestone in milestones(steps):
                while done < milestone:
                    stride = min(milestone - done, _stride(training))
                    values = advance(stride, values)
                    done += stride
                    if progress is not None:
                        progress(done, steps)
                history.append((milestone, _finite(error(values))))
    except (OverflowError, ZeroDivisionError, ValueError, FloatingPointError):
        raise ChainruleError(
            f"training left the range of float64 between step {done} and step {milestone}: a smaller learning rate "
            f"(where the rule divides by a root, a greater epsilon) may keep it finite"
        ) from None
    return values, history


def _stride(training: Training) -> int:
    """Steps between two reports of progress: about a tenth of a second's worth."""
    return max(1, 2_000_000 // (20 + training.parameter_count))


def _finite(value: float) -> float:
    if not np.isfinite(value):
        raise OverflowError
    return float(value)


def _given(program: Program) -> list[tuple[str, tuple[int, ...]]]:
    return [(name, program.shape(name)) for name in program.given]


def _error_function(training: Training) -> Callable[[Mapping[str, Floats]], float]:
    program = training.program
    if training.small:
        plain = unrolled.function(training.equations, _given(program), [(program.error, ())])
        return lambda values: float(plain(*(float(v) for name in program.given for v in values[name].reshape(-1)))[0])
    code = vectorised.function(training.equations, program.given, [program.error])
    return lambda values: float(code(*(values[name] for name in program.given))[0])


def _unrolled(training: Training) -> Callable[[int, Mapping[str, Floats]], dict[str, Floats]]:
    state = [(name, updated_name(name), shape) for name, shape in training.carried.items()]
    constants = [(name, shape) for name, shape in training.inputs.items() if name not in training.carried]
    run = unrolled.loop(training.equations, state, constants)

    def advance(steps: int, values: Mapping[str, Floats]) -> dict[str, Floats]:
        order = [*training.carried, *(name for name, _ in constants)]
        flat = run(steps, *(float(v) for name in order for v in values[name].reshape(-1)))
        return dict(values) | split(flat, list(training.carried.items()))

    return advance


def _vectorised(training: Training) -> Callable[[int, Mapping[str, Floats]], dict[str, Floats]]:
    new = [updated_name(name) for name in training.carried]
    step = vectorised.function(training.equations, list(training.inputs), new, reuse=True)

    def advance(steps: int, values: Mapping[str, Floats]) -> dict[str, Floats]:
        held = {name: np.array(value) for name, value in values.items()}
        for _ in range(steps):
            for name, value in zip(training.carried, step(*(held[name] for name in training.inputs)), strict=True):
                np.copyto(held[name], value)
        return held

    return advance


def split(flat: Sequence[float], shapes: Sequence[tuple[str, tuple[int, ...]]]) -> dict[str, Floats]:
    """A flat sequence cut into named arrays."""
    result, at = {}, 0
    for name, shape in shapes:
        size = int(np.prod(shape))
        result[name] = np.array(flat[at : at + size], dtype=np.float64).reshape(shape)
        at += size
    return result


def in_balls(
    training: Training, given: Mapping[str, balls.Array], steps: int, progress: Progress | None = None
) -> balls.Enclosures:
    """The arrays after ``steps`` updates, enclosed to any precision; the error at a milestone is ``error@step``."""
    program = training.program
    new = [updated_name(name) for name in training.carried]
    forward = unrolled.needed(program.equations, [program.error])
    update = unrolled.needed(training.equations, new)

    def compute(bits: int) -> dict[str, balls.Array]:
        values = start_in_balls(training, given) if steps > 1 else start_exactly(training, given)
        noted: dict[str, balls.Array] = {}
        done = 0
        for milestone in milestones(steps):
            while done < milestone:
                after = balls.run(update, values)
                values |= {name: after[updated] for name, updated in zip(training.carried, new, strict=True)}
                done += 1
                if progress is not None and done % 50 == 0:
                    progress(done, steps)
            noted[f"{program.error}@{milestone}"] = balls.run(forward, values)[program.error]
        return balls.run(program.equations, values) | noted

    return balls.Enclosures(compute)


def start_exactly(training: Training, given: Mapping[str, balls.Array]) -> dict[str, balls.Array]:
    """What training starts from, as exact fractions, which stay short for a step."""
    zero = balls.exact(0)
    return dict(given) | {name: balls.filled(zero, shape) for name, shape in training.memory.items()}


def start_in_balls(training: Training, given: Mapping[str, balls.Array]) -> dict[str, balls.Array]:
    """What training starts from, as balls: exact fractions would grow with every step."""
    values = {
        name: balls.filled(np.frompyfunc(flint.arb, 1, 1)(array), training.program.shape(name))
        for name, array in given.items()
    }
    return values | {name: balls.filled(flint.arb(0), shape) for name, shape in training.memory.items()}


def noted_steps(
    training: Training, given: Mapping[str, balls.Array], steps: int, names: Sequence[str]
) -> balls.Enclosures:
    """Arrays as each of the first ``steps`` updates reads or makes them, to any precision, as ``name@step``."""
    carried = {name: updated_name(name) for name in training.carried}
    needed = unrolled.needed(training.equations, [*carried.values(), *names])

    def compute(bits: int) -> dict[str, balls.Array]:
        values = start_in_balls(training, given)
        noted: dict[str, balls.Array] = {}
        for step in range(1, steps + 1):
            after = balls.run(needed, values)
            noted |= {f"{name}@{step}": after[name] for name in names}
            values |= {name: after[new] for name, new in carried.items()}
        return noted

    return balls.Enclosures(compute)
