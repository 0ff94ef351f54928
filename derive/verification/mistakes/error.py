"""Mistakes where the error meets the outputs: its sign, its factors, its targets."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import sympy
from sympy import Rational

from derive import arrays
from derive.program import Expression, Softmax
from derive.verification.edit import Edit, Layer, on_lines, on_results, replaced, scaled, times
from derive.verification.sheet import Sheet, flow
from derive.verification.structure import Squash, Structure

FACTORS = (("sign_of_error", -1), ("factor_two", 2), ("factor_half", Rational(1, 2)))


def edits(structure: Structure) -> Iterator[Edit]:
    """The mistakes at the outputs, and a factor too much or too little further down."""
    yield from _factors(structure)
    error = structure.program.error
    for output in structure.outputs:
        line = flow(output, structure.comparison, error)
        yield on_lines("target_forgotten", "all", f"{output}: no target", {line: _without_targets(structure, line)})
        for name, value in _error_values(structure, output):
            yield on_lines("error_value_as_delta", "all", f"{name}, in place of the derivative", {line: value})
        squash = next((each for each in structure.squashes if each.target == output), None)
        if squash is None:
            continue
        at_net = flow(squash.source, output, error)
        for name, value in _error_values(structure, output):
            yield on_lines("error_value_as_delta", "all", f"{name}, as the delta", {at_net: value})
        yield from _combined(structure, squash)


def _factors(structure: Structure) -> Iterator[Edit]:
    error = structure.program.error
    for mistake, factor in FACTORS:
        for output in structure.outputs:
            line = flow(output, structure.comparison, error)
            yield on_lines(mistake, "all", "at the outputs", {line: _scaled(line, factor)})
        for layer in structure.layers[:-1]:
            lines = [flow(each.source, each.target, error) for each in structure.squashes if each.layer == layer]
            if lines:
                yield on_lines(mistake, layer, "in the delta", {line: _scaled(line, factor) for line in lines})
        for layer, parameters in structure.parameters_of.items():
            result_of = _scaled_result(factor)
            for name in (mistake, "accumulated_twice") if factor == 2 else (mistake,):
                yield on_results(name, layer, "in the gradients", parameters, result_of)
                for parameter in parameters if len(parameters) > 1 else ():
                    yield on_results(name, layer, f"in the gradient of {parameter} alone", (parameter,), result_of)
        everything = structure.program.parameters
        yield on_results(mistake, "all", "in all gradients", everything, _scaled_result(factor))
    yield on_results("accumulated_twice", "all", "", structure.program.parameters, _scaled_result(2))


def _scaled(line: str, factor: int | Rational) -> Callable[[Sheet], Expression]:
    return lambda sheet: scaled(sheet.line(line), factor)


def _scaled_result(factor: int | Rational) -> Callable[[Sheet, str], Expression]:
    return lambda sheet, parameter: scaled(sheet.result(parameter), factor)


def _without_targets(structure: Structure, line: str) -> Callable[[Sheet], Expression]:
    """The line as if every target were 0."""

    def new(sheet: Sheet) -> Expression:
        gone = {name: arrays.constant(0, structure.program.shape(name)) for name in structure.targets}
        return replaced(sheet.line(line), gone)

    return new


def _error_values(structure: Structure, output: str) -> Iterator[tuple[str, Callable[[Sheet], Expression]]]:
    """What may stand where the derivative belongs: the error of the output, or the whole error."""
    shape, error = structure.program.shape(output), structure.program.error
    comparison = structure.comparison
    if structure.program.shape(comparison) == shape:
        yield "the output's own error", lambda sheet: sheet.ref(comparison)
        yield (
            "the output's own share of the error",
            lambda sheet: times(sheet.ref(comparison), sheet.upstream(comparison)),
        )
        if len(shape) > 1 and shape[0] > 1:

            def of_example(sheet: Sheet) -> Expression:
                return arrays.total(sheet.ref(comparison), (len(shape) - 1,), keepdims=True)

            def share(sheet: Sheet, error: Expression) -> Expression:
                return times(_spread(error, shape), sheet.upstream(comparison))

            yield "the error of the example", lambda sheet: _spread(of_example(sheet), shape)
            yield "the example's share of the error", lambda sheet: share(sheet, of_example(sheet))
            yield "the whole error, divided among the examples", lambda sheet: share(sheet, sheet.ref(error))
        if structure.penalty:
            yield (
                "the whole error without the penalty",
                lambda sheet: _spread(arrays.total(times(sheet.ref(comparison), sheet.upstream(comparison))), shape),
            )
    yield "the whole error", lambda sheet: _spread(sheet.ref(error), shape)


def _spread(expression: Expression, shape: tuple[int, ...]) -> Expression:
    """The same number in every element that it is broadcast to."""
    return arrays.elementwise(lambda e, zero: e + zero, expression, arrays.constant(0, shape))


def _combined(structure: Structure, squash: Squash) -> Iterator[Edit]:
    """Where the loss and the activation simplify to a − t: the target forgotten in it, or differentiated once more."""
    program = structure.program
    expression = program.definitions[structure.comparison]
    if program.shape(structure.comparison) != program.shape(squash.target):
        return
    line = flow(squash.source, squash.target, program.error)

    def scale(sheet: Sheet) -> Expression:
        return arrays.elementwise(sympy.Abs, sheet.upstream(structure.comparison))

    simplified = "log" in arrays.text(expression) and (
        isinstance(squash.expression, Softmax) or (squash.row is not None and squash.row.name == "logistic")
    )
    if not simplified:
        return
    layer: Layer = squash.layer
    yield on_lines(
        "target_forgotten",
        "all",
        f"{squash.target}: delta = a",
        {line: lambda sheet: times(scale(sheet), sheet.ref(squash.target))},
    )
    if isinstance(squash.expression, Softmax):
        yield from _twice(structure, squash, line, layer, scale)


def _twice(
    structure: Structure, squash: Squash, line: str, layer: Layer, scale: Callable[[Sheet], Expression]
) -> Iterator[Edit]:
    (target,) = structure.targets[:1]
    probabilities, axis = squash.target, squash.expression.axis if isinstance(squash.expression, Softmax) else -1

    def difference(sheet: Sheet) -> Expression:
        return times(scale(sheet), arrays.subtract(sheet.ref(probabilities), sheet.ref(target)))

    def whole(sheet: Sheet) -> Expression:
        s, g = sheet.ref(probabilities), difference(sheet)
        total = arrays.total(times(s, g), (axis,), keepdims=True)
        return times(s, arrays.elementwise(lambda left, right: left - right, g, total))

    def diagonal(sheet: Sheet) -> Expression:
        s = sheet.ref(probabilities)
        return times(difference(sheet), arrays.elementwise(lambda a: a * (1 - a), s))

    name = "softmax_and_cross_entropy_both_differentiated"
    yield on_lines(name, layer, "the whole Jacobian", {line: whole})
    yield on_lines(name, layer, "its diagonal", {line: diagonal})
