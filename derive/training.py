"""Training: the update repeated, in float64 at machine speed or in enclosures to any number of digits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import flint
import numpy as np
from numpy.typing import NDArray

from derive.errors import ChainruleError
from derive.evaluate import balls, unrolled, vectorised
from derive.optimizers import updated_name
from derive.program import Equation, Program

Progress = Callable[[int, int], None]
Floats = NDArray[np.float64]

SMALL = 300
"""Below some 300 parameters plain floats beat NumPy."""


@dataclass(frozen=True)
class Training:
    """What training needs: the program's equations with those of one update, and the numbers to begin with."""

    program: Program
    equations: tuple[Equation, ...]
    trained: tuple[str, ...]

    @property
    def parameter_count(self) -> int:
        """How many numbers are trained."""
        return sum(int(np.prod(self.program.shape(name))) for name in self.trained)


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
    advance = _unrolled(training) if training.parameter_count <= SMALL else _vectorised(training)
    error = _error_function(training)
    values = {name: np.array(start[name], dtype=np.float64) for name in training.program.given}
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
            f"may keep it finite"
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
    if training.parameter_count <= SMALL:
        plain = unrolled.function(training.equations, _given(program), [(program.error, ())])
        return lambda values: float(plain(*(float(v) for name in program.given for v in values[name].reshape(-1)))[0])
    code = vectorised.function(training.equations, program.given, [program.error])
    return lambda values: float(code(*(values[name] for name in program.given))[0])


def _unrolled(training: Training) -> Callable[[int, Mapping[str, Floats]], dict[str, Floats]]:
    program = training.program
    state = [(name, updated_name(name), program.shape(name)) for name in training.trained]
    constants = [(name, program.shape(name)) for name in program.given if name not in training.trained]
    run = unrolled.loop(training.equations, state, constants)

    def advance(steps: int, values: Mapping[str, Floats]) -> dict[str, Floats]:
        order = [*training.trained, *(name for name, _ in constants)]
        flat = run(steps, *(float(v) for name in order for v in values[name].reshape(-1)))
        return dict(values) | split(flat, [(name, program.shape(name)) for name in training.trained])

    return advance


def _vectorised(training: Training) -> Callable[[int, Mapping[str, Floats]], dict[str, Floats]]:
    program = training.program
    new = [updated_name(name) for name in training.trained]
    step = vectorised.function(training.equations, program.given, new, reuse=True)

    def advance(steps: int, values: Mapping[str, Floats]) -> dict[str, Floats]:
        held = {name: np.array(value) for name, value in values.items()}
        for _ in range(steps):
            for name, value in zip(training.trained, step(*(held[name] for name in program.given)), strict=True):
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
    new = [updated_name(name) for name in training.trained]
    forward = unrolled.needed(program.equations, [program.error])
    update = unrolled.needed(training.equations, new)

    def compute(bits: int) -> dict[str, balls.Array]:
        values = dict(given)
        if steps > 1:  # fractions would grow from step to step
            values = {
                name: balls.filled(np.frompyfunc(flint.arb, 1, 1)(array), program.shape(name))
                for name, array in given.items()
            }
        noted: dict[str, balls.Array] = {}
        done = 0
        for milestone in milestones(steps):
            while done < milestone:
                after = balls.run(update, values)
                values |= {name: after[updated] for name, updated in zip(training.trained, new, strict=True)}
                done += 1
                if progress is not None and done % 50 == 0:
                    progress(done, steps)
            noted[f"{program.error}@{milestone}"] = balls.run(forward, values)[program.error]
        return balls.run(program.equations, values) | noted

    return balls.Enclosures(compute)
