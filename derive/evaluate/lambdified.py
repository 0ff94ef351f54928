"""``derivation.lambdify()``: a function of arrays, by the fast code or by sympy.lambdify itself."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy
from numpy.typing import NDArray

from derive.errors import ChainruleError, unknown
from derive.evaluate import unrolled, vectorised
from derive.evaluate.code import expm1, steady
from derive.functions import expand
from derive.reverse import gradient_program, stable
from derive.scalars import Scalar, element, softmaxed, to_sympy
from derive.training import is_small, split

if TYPE_CHECKING:
    from derive.derivation import Derivation

Evaluator = Callable[..., tuple[float, dict[str, NDArray[np.float64]]]]
Flat = Callable[..., Any]

BACKENDS = ("fast", "sympy")


def evaluator(derivation: Derivation, backend: str, *, reuse: bool) -> Evaluator:
    """A function of keyword arrays that gives the error and every gradient.

    Raises ChainruleError for an unknown backend; the function raises TypeError for an unknown or
    missing array, ValueError for a wrong shape, and ChainruleError where the numbers are not finite.
    """
    if backend not in BACKENDS:
        raise ChainruleError(f"backend: {unknown(backend, BACKENDS)}")
    program = derivation.program
    if backend == "fast" and not is_small(program, program.parameters):
        return _vectorised(derivation, reuse)
    flat = flat_function(derivation) if backend == "fast" else sympy_function(derivation)
    shapes = [(name, program.shape(name)) for name in program.parameters]
    read = _reader(derivation)

    def evaluate(**arrays: Any) -> tuple[float, dict[str, NDArray[np.float64]]]:
        values = read(arrays)
        with _finite_or_said():
            error, *gradients = flat(*(float(v) for name in program.given for v in values[name].reshape(-1)))
        return float(error), split(gradients, shapes)

    return evaluate


def flat_function(derivation: Derivation) -> Flat:
    """Plain floats in (every given array's elements, row by row), plain floats out (error, then gradients)."""
    gradient = gradient_program(stable(derivation.program))
    program = derivation.program
    return unrolled.function(
        (*gradient.program.equations, *gradient.equations),
        [(name, program.shape(name)) for name in program.given],
        [(program.error, ()), *((gradient.adjoints[name], program.shape(name)) for name in program.parameters)],
    )


def sympy_function(derivation: Derivation) -> Flat:
    """The same by `sympy.lambdify`, which is handed the program's own assignments in place of cse."""
    from sympy.codegen import cfunctions

    gradient = gradient_program(stable(derivation.program))
    program = derivation.program
    symbols: dict[Scalar, sympy.Symbol] = {}

    def symbol(scalar: Scalar) -> sympy.Symbol:
        return symbols.setdefault(scalar, sympy.Symbol(f"v{len(symbols)}"))

    arguments = [symbol(Scalar(name, index)) for name in program.given for index in np.ndindex(*program.shape(name))]
    outputs = [program.error, *(gradient.adjoints[name] for name in program.parameters)]
    assignments = []
    for equation in unrolled.needed((*gradient.program.equations, *gradient.equations), outputs):
        for index in np.ndindex(*equation.expression.shape):
            value = expand(to_sympy(element(equation.expression, index), symbol, _shifted), in_floats=True)
            value = value.replace(_is_log_of_one_more, lambda found: cfunctions.log1p(found.args[0] - 1))
            value = value.replace(lambda part: isinstance(part, sympy.Add), steady).replace(expm1, cfunctions.expm1)
            value = value.replace(_is_odd_power, lambda found: power(*found.args))
            assignments.append((symbol(Scalar(equation.target, index)), value))
    shapes = [(), *(program.shape(name) for name in program.parameters)]
    results = [
        symbol(Scalar(name, index)) for name, shape in zip(outputs, shapes, strict=True) for index in np.ndindex(*shape)
    ]
    made: Flat = sympy.lambdify(
        arguments, results, modules=[OWN, "math"], cse=lambda expressions: (assignments, expressions)
    )
    return made


def _shifted(scores: list[sympy.Expr], place: int, logarithm: bool) -> sympy.Expr:
    """Softmax with the largest score taken off first, so that no power of e overflows."""
    largest = sympy.Max(*scores)
    return softmaxed([score - largest for score in scores], place, logarithm)


power = sympy.Function("power")
OWN = {
    "power": math.pow,
    "StopGradient": float,
    "LargestOf": lambda *row: max(row),
    "ChosenOf": lambda place, *row: unrolled.NAMESPACE["chosen"](int(place), *row),
}
"""What `math` lacks: our own functions, and a power that is real or raises ValueError, as everywhere else."""


def _is_odd_power(expression: sympy.Expr) -> bool:
    """A power that Python's ** would make complex of a negative number; square roots are written as such."""
    return isinstance(expression, sympy.Pow) and not (expression.exp.is_Integer or abs(expression.exp) == sympy.S.Half)


def _is_log_of_one_more(expression: sympy.Expr) -> bool:
    """ln(1 + u), which cancels in float64 where u is small."""
    return (
        isinstance(expression, sympy.log)
        and isinstance(expression.args[0], sympy.Add)
        and sympy.S.One in expression.args[0].args
    )


def _vectorised(derivation: Derivation, reuse: bool) -> Evaluator:
    gradient = gradient_program(stable(derivation.program))
    program = derivation.program
    outputs = [program.error, *(gradient.adjoints[name] for name in program.parameters)]
    code = vectorised.function((*gradient.program.equations, *gradient.equations), program.given, outputs, reuse=reuse)
    read = _reader(derivation)

    def evaluate(**arrays: Any) -> tuple[float, dict[str, NDArray[np.float64]]]:
        values = read(arrays)
        with _finite_or_said(), np.errstate(over="raise", divide="raise", invalid="raise"):
            error, *gradients = code(*(values[name] for name in program.given))
        return float(error), dict(zip(program.parameters, gradients, strict=True))

    return evaluate


@contextmanager
def _finite_or_said() -> Iterator[None]:
    """What Python and NumPy raise for a logarithm of zero or an overflow, as an error that says so."""
    try:
        yield
    except (OverflowError, ZeroDivisionError, ValueError, FloatingPointError):
        raise ChainruleError(
            "the error or a gradient is not finite at these numbers, or beyond float64 (a logarithm of zero, a "
            "division by zero)"
        ) from None


def _reader(derivation: Derivation) -> Callable[[Mapping[str, Any]], dict[str, NDArray[np.float64]]]:
    """Puts the problem's values where the caller gave none, and checks names and shapes."""
    program = derivation.program
    defaults = {name: derivation.floats(name) for name in program.given if name in derivation.given}

    def read(arrays: Mapping[str, Any]) -> dict[str, NDArray[np.float64]]:
        if not arrays and len(defaults) == len(program.given):
            return defaults
        for name in arrays:
            if name not in program.given:
                raise TypeError(f"no array of that name: {unknown(name, program.given)}")
        values = dict(defaults)
        for name, value in arrays.items():
            values[name] = np.asarray(value, dtype=np.float64)
            if values[name].shape != program.shape(name):
                raise ValueError(f"{name}: found shape {values[name].shape}, expected {program.shape(name)}")
        missing = [name for name in program.given if name not in values]
        if missing:
            raise TypeError(f"no values for {', '.join(missing)}: the problem leaves them symbols")
        return values

    return read
