"""How fast it is: `python -m tests.benchmarks`, by hand, on a quiet machine. Aims, not conditions."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import derive
from derive import layers
from derive.evaluate.lambdified import flat_function
from derive.problem import Problem, load
from derive.reverse import gradient_program
from derive.training import _unrolled, in_floats
from tests.benchmarks import growth, handout
from tests.benchmarks.measure import Row, print_rows, seconds, side_by_side

ROOT = Path(__file__).parents[2]
MILLI, MICRO = 1e3, 1e6


def network(*widths: int, numbers: bool = False) -> Problem:
    """A dense logistic network with a bias a unit and the half squared error, in symbols or in drawn numbers."""
    example: dict[str, Any] = {"inputs": widths[0], "targets": widths[-1]}
    if numbers:
        example = {"inputs": [round(0.1 + i % 9 / 10, 1) for i in range(widths[0])], "targets": [0.5] * widths[-1]}
    table: dict[str, Any] = {
        "examples": [example],
        "layers": [{"units": units, "activation": "logistic", "bias": "per_unit"} for units in widths[1:]],
        "loss": {"name": "half_squared_error"},
    }
    return load(table | ({"initial": {"seed": 1, "decimals": 3}} if numbers else {}))


def by_array() -> Iterator[Row]:
    for widths, aim in (((784, 30, 10), 0.3), ((784, 128, 10), 0.3), ((784, 1000, 1000, 10), None)):
        program = layers.program(network(*widths))
        found = seconds(lambda program=program: gradient_program(program), number=20)  # type: ignore[misc]
        yield Row(f"derive {'-'.join(map(str, widths))} by array, warm", found * MILLI, "ms", aim)


def by_element() -> Iterator[Row]:
    problem = network(784, 30, 10)
    found = seconds(lambda: derive.differentiate(problem).steps, repeat=3)
    yield Row("derive 784-30-10 by element, every step", found, "s", 0.5)
    sizes, times = [], []
    for width in (8, 16, 32, 64):
        problem = network(100, width, 10)
        sizes.append(sum(math.prod(shape) for shape in ((width, 100), (width,), (10, width), (10,))))
        times.append(seconds(lambda problem=problem: derive.differentiate(problem).steps, repeat=5))  # type: ignore[misc]
    slope, _ = np.polyfit(np.log(sizes), np.log(times), 1)
    yield Row("… and it grows with the number of weights to the power", float(slope), "", 1.1)


def evaluation() -> Iterator[Row]:
    derivation = derive.differentiate(network(784, 30, 10, numbers=True))
    ours = derivation.lambdify(reuse=True)
    x, t, W1, b1, W2, b2 = (np.asarray(derivation.values[name]) for name in ("x", "t", "W1", "b1", "W2", "b2"))
    x, t = x[0], t[0]

    def by_hand() -> tuple[Any, ...]:
        a1 = 1 / (1 + np.exp(-(W1 @ x + b1)))
        a2 = 1 / (1 + np.exp(-(W2 @ a1 + b2)))
        difference = a2 - t
        error = difference @ difference / 2
        delta2 = difference * a2 * (1 - a2)
        delta1 = W2.T @ delta2 * a1 * (1 - a1)
        return error, np.outer(delta1, x), delta1, np.outer(delta2, a1), delta2

    error, gradients = ours()
    assert np.allclose(error, by_hand()[0])
    assert all(np.allclose(mine, theirs) for mine, theirs in zip(gradients.values(), by_hand()[1:], strict=True))
    mine, theirs, ratio = side_by_side(ours, by_hand, number=500)
    yield Row("gradient of 784-30-10", mine * MICRO, "µs")
    yield Row("the same in NumPy, written by hand", theirs * MICRO, "µs")
    yield Row("… ratio", ratio, "", 1.0)

    mazur = derive.differentiate("mazur")
    flat = flat_function(mazur)
    values = [float(v) for name in mazur.program.given for v in np.asarray(mazur.values[name]).reshape(-1)]
    yield Row("error and gradients of 2-2-2", seconds(lambda: flat(*values), number=20_000) * MICRO, "µs", 1.0)
    whole = mazur.lambdify()
    yield Row("… in arrays, by lambdify()", seconds(whole, number=2_000) * MICRO, "µs")
    start = {name: mazur.floats(name) for name in mazur.program.given}
    advance = _unrolled(mazur.training)
    yield Row("10,000 training steps of 2-2-2", seconds(lambda: advance(10_000, start)) * MILLI, "ms", 10)
    whole_training = seconds(lambda: in_floats(mazur.training, start, 10_000))
    yield Row("… with the code made anew, and the history", whole_training * MILLI, "ms")


def processes() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        floor = process(["-c", "import sympy, numpy"], folder)
        yield Row("python", process(["-c", "pass"], folder), "s")
        yield Row("chainrule --help", process(["-m", "render.cli", "--help"], folder), "s", 0.2)
        yield Row('python -c "import sympy, numpy"', floor, "s")
        page = ["-m", "render.cli", "render", "mazur", "--to", "html", "--out", folder]
        run = side_by_side(
            lambda: python(page, folder), lambda: python(["-c", "import sympy, numpy"], folder), repeat=7
        )
        yield Row("chainrule render mazur --to html", run[0], "s")
        yield Row("… ratio to the two imports", run[2], "", 1.5)


def python(arguments: Sequence[str], folder: str) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, *arguments], cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)


def process(arguments: Sequence[str], folder: str) -> float:
    return seconds(lambda: python(arguments, folder), repeat=7)


def main() -> None:
    rows: list[Row] = []
    for part in (
        by_array,
        by_element,
        evaluation,
        processes,
        growth.by_array,
        growth.by_element,
        growth.pages,
        handout.classes,
    ):
        print(f"{part.__module__.rpartition('.')[2].strip('_')}: {part.__name__.replace('_', ' ')} …", file=sys.stderr)
        rows += part()
    print_rows(rows)


if __name__ == "__main__":
    main()
