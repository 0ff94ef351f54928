"""Results as plain data: the JSON of the contract, rows for a table, formulas as text."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy
from numpy.typing import NDArray

from derive import optimizers
from derive.chain import Factor
from derive.digits import from_float
from derive.errors import ChainruleError, NotFiniteError, ProblemError
from derive.evaluate.balls import FIRST_BITS, Enclosures
from derive.formula import Formula, Group, Negative, Number, Symbol, Words
from derive.plain import plain
from derive.scalars import Scalar
from derive.training import Progress, milestones
from derive.written import added, definition, formula, multiplied

if TYPE_CHECKING:
    from derive.derivation import Derivation
    from derive.problem import Problem

NESTED = Any
Renewed = Callable[[Scalar], Formula]


def nested(shape: tuple[int, ...], make: Callable[[tuple[int, ...]], str]) -> NESTED:
    """Nested lists of strings; a bare string for an array without axes."""
    if not shape:
        return make(())
    return [nested(shape[1:], lambda rest, i=i: make((i, *rest))) for i in range(shape[0])]  # type: ignore[misc]


def decimals(enclosures: Enclosures, name: str, digits: int) -> NESTED:
    """An array of decimal strings, correctly rounded. Raises NotFiniteError."""
    broken = "a value"  # of whatever array: they are computed together
    try:
        shape = np.shape(enclosures.at(FIRST_BITS)[name])
        broken = name
        return nested(shape, lambda index: enclosures.decimal(lambda values: values[name][index], digits))
    except ArithmeticError:
        raise NotFiniteError(
            f"{broken} is not finite at these numbers (a logarithm of zero or a division by zero)"
        ) from None


@contextmanager
def said_of(problem: Problem) -> Iterator[None]:
    """Names the problem in what is said of a number that is not finite."""
    try:
        yield
    except NotFiniteError as error:
        raise ProblemError(str(error), problem.source or "the problem") from None


def floats(enclosures: Enclosures, name: str) -> NDArray[np.float64]:
    """An array as float64."""
    return np.array(decimals(enclosures, name, 17), dtype=np.float64)


def gradients(derivation: Derivation, digits: int) -> dict[str, Any]:
    """{"error", "arrays", "gradients", "updated"} with decimal strings, or formulas where there are symbols."""
    program, error = derivation.program, derivation.program.error
    _few_enough(derivation)
    result: dict[str, Any] = {
        "error": _array(derivation, error, digits),
        "arrays": {name: _array(derivation, name, digits) for name in program.variables if name != error},
        "gradients": {name: _gradient(derivation, name, digits) for name in program.parameters},
    }
    if derivation.problem.update is not None:
        result["updated"] = _updated(derivation, digits)
    return result


MOST_FORMULAS = 20_000


def _few_enough(derivation: Derivation) -> None:
    """Refuse to write more formulas than anybody can read."""
    program = derivation.program
    asked = [name for name in program.variables if name not in derivation.numeric]
    asked += [name for name in program.parameters if derivation.gradient.adjoints[name] not in derivation.numeric]
    total = sum(math.prod(program.shape(name)) for name in asked)
    if total > MOST_FORMULAS:
        raise ChainruleError(
            f"{derivation.problem.source or 'the problem'}: has symbols in {total:,} places that would be formulas; at "
            f"most {MOST_FORMULAS:,} are written. With numbers for every array there is no such limit"
        )


def _array(derivation: Derivation, name: str, digits: int) -> NESTED:
    if name in derivation.numeric:
        return decimals(derivation.enclosures, name, digits)
    return nested(derivation.program.shape(name), lambda index: _definition(derivation, Scalar(name, index)))


def _gradient(derivation: Derivation, name: str, digits: int) -> NESTED:
    adjoint = derivation.gradient.adjoints[name]
    if adjoint in derivation.numeric:
        return decimals(derivation.enclosures, adjoint, digits)
    return nested(derivation.program.shape(name), lambda index: local_text(derivation, Scalar(name, index)))


def _updated(derivation: Derivation, digits: int) -> dict[str, Any]:
    """Every parameter after the step: moved, held, or, where an equation defines it, computed anew."""
    names = derivation.program.parameters
    if derivation.has_numbers:
        after, held = derivation.after_update, set(derivation.program.given) - set(derivation.trained)
        moved = {name: decimals(derivation.enclosures if name in held else after, name, digits) for name in names}
        return moved | {"error": decimals(after, derivation.program.error, digits)}
    return {name: _moved_array(derivation, name, digits) for name in names}


def _moved_array(derivation: Derivation, name: str, digits: int) -> NESTED:
    return nested(derivation.program.shape(name), lambda index: _moved(derivation, Scalar(name, index), digits))


def _moved(derivation: Derivation, scalar: Scalar, digits: int) -> str:
    """A parameter's new value where it is a formula: w − η ∂E/∂w, or what another rule makes of w and ∂E/∂w."""
    if scalar.array in derivation.program.definitions:
        return _anew(derivation, scalar, digits)
    update, old = derivation.problem.update, _text(derivation, scalar)
    if scalar.array in derivation.numeric:
        old = derivation.enclosures.decimal(lambda v: v[scalar.array][scalar.index], digits)
    if scalar.array not in derivation.trained or update is None:
        return old
    renewed = _renewed(derivation, digits) if update.order == "sequential" else None
    gradient = local(derivation, scalar, renewed)
    if optimizers.is_plain(update):
        return f"{old} - {plain(formula(sympy.Rational(update.learning_rate), {}))}*({plain(gradient)})"
    w, g = sympy.symbols("w g", real=True)
    named = Symbol(derivation.names.element(scalar.array, scalar.index))
    weight = Number(old) if scalar.array in derivation.numeric else named
    return plain(formula(optimizers.first_step(update, w, g), {w: weight, g: Group(gradient)}))


def _renewed(derivation: Derivation, digits: int) -> Renewed:
    """The new values that deltas are passed back through in a sequential sweep."""
    return lambda scalar: Group(Words(_moved(derivation, scalar, digits)))


def _anew(derivation: Derivation, scalar: Scalar, digits: int) -> str:
    """What is computed, after the step: its definition, with the new values of all that it reads."""
    found: dict[Scalar, Formula] = {}

    def write(read: Scalar) -> Formula:
        if read not in found:
            node = derivation.graph.definition(read)
            if node is not None:
                found[read] = definition(node, write)
            else:
                text = Words(_moved(derivation, read, digits))
                found[read] = Group(text) if read.array in derivation.trained else text
        return found[read]

    return plain(write(scalar))


def _text(derivation: Derivation, scalar: Scalar) -> str:
    return plain(Symbol(derivation.names.element(scalar.array, scalar.index)))


def _definition(derivation: Derivation, scalar: Scalar) -> str:
    node = derivation.graph.definition(scalar)
    if node is None:
        return _text(derivation, scalar)
    return plain(definition(node, lambda s: Symbol(derivation.names.element(s.array, s.index))))


def local(derivation: Derivation, scalar: Scalar, renewed: Renewed | None = None) -> Formula:
    """∂E/∂scalar in local terms, in the order of the chain rule.

    Activations stay symbols, upstream gradients are written out. In a sequential sweep the deltas are passed back
    through new values, which ``renewed`` writes.
    """
    found: dict[Scalar, Formula] = {}

    def gradient(of: Scalar) -> Formula:
        if of.array == derivation.program.error:
            return Number("1")
        if of not in found:
            step = derivation.gradient_steps.get(of)
            terms = [times([factor(f) for f in term.factors]) for term in step.terms] if step is not None else []
            kept = [term for term in terms if term != Number("0")]
            found[of] = added(kept) if kept else Number("0")
        return found[of]

    def factor(f: Factor) -> Formula:
        if f.local is None:
            return gradient(f.by)
        return _written(derivation, f.local, None if f.by.array in derivation.trained else renewed)

    return gradient(scalar)


def times(factors: list[Formula]) -> Formula:
    """A product without factors of 1, a minus sign of any factor in front of the whole; with a factor of 0 it is 0."""
    if Number("0") in factors:
        return Number("0")
    bare = [factor.body if isinstance(factor, Negative) else factor for factor in factors]
    negative = sum(isinstance(factor, Negative) for factor in factors) % 2 == 1
    kept = [factor for factor in bare if factor != Number("1")]
    product = multiplied(kept) if kept else Number("1")
    return Negative(product) if negative else product


def local_text(derivation: Derivation, scalar: Scalar) -> str:
    """∂E/∂scalar in local terms as text."""
    return plain(local(derivation, scalar))


def _written(derivation: Derivation, expression: sympy.Expr, renewed: Renewed | None = None) -> Formula:
    known: dict[sympy.Expr, Formula] = {}
    for symbol in expression.free_symbols:
        scalar = derivation.scalar_of(symbol)
        new = renewed is not None and scalar.array in derivation.trained
        known[symbol] = renewed(scalar) if renewed is not None and new else Symbol(derivation.element_name(symbol))
    return formula(expression, known)


def formulas(derivation: Derivation, closed: bool) -> list[tuple[str, str]]:
    """(name, formula) for every element of every parameter."""
    return [
        (
            _text(derivation, scalar),
            plain(_written(derivation, derivation.closed.gradient(scalar)))
            if closed
            else local_text(derivation, scalar),
        )
        for name in derivation.program.parameters
        for scalar in derivation.graph.scalars(name)
    ]


def rows(derivation: Derivation, digits: int) -> list[tuple[str, str, str]]:
    """(name, gradient, new value) for every element of every parameter; the last is "" without an update."""
    found = gradients(derivation, digits)
    flat = []
    for name in derivation.program.parameters:
        after = found.get("updated", {}).get(name)
        for scalar in derivation.graph.scalars(name):
            flat.append(
                (
                    _text(derivation, scalar),
                    _at(found["gradients"][name], scalar.index),
                    "" if after is None else _at(after, scalar.index),
                )
            )
    return flat


def _at(values: NESTED, index: tuple[int, ...]) -> str:
    for i in index:
        values = values[i]
    return str(values)


def training(
    derivation: Derivation, steps: int | None, digits: int | None, progress: Progress | None
) -> dict[str, Any]:
    """{"steps", "error", "outputs", "arrays", "history"} after training."""
    count = steps if steps is not None else (derivation.problem.update.steps if derivation.problem.update else 0)
    error, program = derivation.program.error, derivation.program
    output = _output(derivation)
    if digits is None:
        values, noted = derivation.train_in_floats(count, progress)
        every = {name: value.tolist() for name, value in values.items()}
        arrays = {name: _shortest(value) for name, value in every.items()}
        history = [[step, from_float(value)] for step, value in noted]
    else:
        after = derivation.train_exactly(count, progress)
        arrays = {name: decimals(after, name, digits) for name in program.variables}
        history = [[step, decimals(after, f"{error}@{step}", digits)] for step in milestones(count)]
    del arrays[error]
    found: dict[str, Any] = {"steps": count, "error": history[-1][1]}
    if output:
        found["outputs"] = arrays[output] if output != error else found["error"]
    return found | {"arrays": arrays, "history": history}


def _output(derivation: Derivation) -> str:
    """The array that is printed as outputs: the last activation of layers, what equations name, or "" for none."""
    activations = derivation.program.by_role("activation")
    return derivation.problem.outputs or (activations[-1].name if activations else "")


def forward(derivation: Derivation, values: dict[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
    """All arrays of a forward pass in float64."""
    from derive.evaluate import vectorised

    program, stable = derivation.program, derivation.training.equations
    names = list(program.variables)
    code = vectorised.function(stable, program.given, names)
    found = code(*(values[name] for name in program.given))
    return {name: np.asarray(value) for name, value in zip(names, found, strict=True)}


def _shortest(value: Any) -> NESTED:
    return [_shortest(each) for each in value] if isinstance(value, list) else from_float(value)
