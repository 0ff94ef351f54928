"""A problem as the text of a problem file that states it again: numbers as exact decimals, defaults left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from fractions import Fraction
from typing import Any

from derive.errors import ProblemError
from derive.files.arrays import nested
from derive.files.toml_text import Bare, Lines, toml
from derive.problem import Example, Initial, Layer, Loss, Penalty, Problem, Symbols, Update

Table = dict[str, Any]


def problem_text(problem: Problem, comment: str = "") -> str:
    """The text of a TOML file from which an equal problem is loaded; [vary] and [exercises] are left out.

    ``comment`` stands at its head. Raises ProblemError for a number that is no decimal (1/3, which a dict may state).
    """
    try:
        return toml(problem_tables(problem), comment)
    except ValueError as error:
        raise ProblemError(str(error), problem.source or "the problem") from None


def problem_tables(problem: Problem) -> Table:
    """The tables of such a file."""
    tables: Table = {"title": problem.title}
    if problem.notation != "mazur":
        tables["notation"] = problem.notation
    tables |= _equations(problem) if problem.equations else _layered(problem)
    if problem.parameters is not None:
        tables["parameters"] = list(problem.parameters)
    if problem.update is not None:
        tables["update"] = {"learning_rate": _number(problem.update.learning_rate)} | _stated(problem.update)
    if problem.penalty is not None:
        tables["penalty"] = _stated(problem.penalty) or {"l1": 0}
    if problem.published:
        tables["published"] = [
            {"name": each.name, "value": each.value} | ({"where": each.where} if each.where else {})
            for each in problem.published
        ]
    return tables


def _stated(table: Update | Penalty | Loss | Initial) -> Table:
    """The keys that are not what they are by default; one without a default always."""
    found: Table = {}
    for each in fields(table):
        value = getattr(table, each.name)
        if value != each.default:
            found[each.name] = value if isinstance(value, str) else _value(value)
    return found


# ---- layers --------------------------------------------------------------------------------


def _layered(problem: Problem) -> Table:
    rows = _dense_layer if problem.dense else _any_layer
    tables: Table = {
        "examples": [_example(problem, each) for each in problem.examples],
        "layers": [rows(layer) for layer in problem.layers],
        "loss": _stated(problem.loss),
    }
    return tables | ({} if problem.initial is None else {"initial": _stated(problem.initial)})


def _example(problem: Problem, example: Example) -> Table:
    return {
        "inputs": _side(example.inputs, problem.dense),
        "targets": _side(example.targets, problem.dense),
    }


def _side(values: Any, dense: bool) -> Any:
    """Numbers, or how many symbols; where layers may be of any type, these as a shape, which no class can be."""
    if isinstance(values, int):
        return values if dense else {"shape": [values]}
    return {"shape": list(values.shape)} if isinstance(values, Symbols) else _value(values)


def _dense_layer(layer: Layer) -> Table:
    table: Table = {"activation": layer.activation}
    table |= {key: _number(value) for key, value in layer.constants.items() if value is not None}
    table |= {"units": layer.units} if layer.weights is None else {"weights": _value(layer.weights)}
    if layer.bias is not None:
        table["bias"] = layer.bias if isinstance(layer.bias, str) else _value(layer.bias)
    return table


def _any_layer(layer: Layer) -> Table:
    """A layer by its keys and arrays, these under the usual name or, where a key has that, under their stem."""
    from derive.layers import LAYERS
    from derive.layers.frame import usual_name

    table: Table = {"type": layer.type} | {key: _keyed(value) for key, value in layer.keys}
    for array in layer.arrays:
        name = usual_name(LAYERS[layer.type], array.name)
        numbers = array.numbers or ()
        table[array.name if name in table else name] = _value(nested(numbers, array.shape))
    return table


def _keyed(value: Any) -> Any:
    return value if isinstance(value, bool | int | str) else _value(value)


# ---- equations -----------------------------------------------------------------------------


def _equations(problem: Problem) -> Table:
    tables: Table = {"equations": Lines(problem.equations), "error": problem.error}
    if problem.outputs:
        tables["outputs"] = problem.outputs
    if problem.seed is not None:
        tables["seed"] = _value(nested(problem.seed, _shape_of_error(problem)))
    values = {each.name: _value(nested(each.numbers, each.shape)) for each in problem.arrays if each.numbers}
    shapes = {each.name: list(each.shape) for each in problem.arrays if not each.numbers}
    return tables | ({"values": values} if values else {}) | ({"shapes": shapes} if shapes else {})


def _shape_of_error(problem: Problem) -> tuple[int, ...]:
    from derive.files.equation_text import equations

    found = equations(problem.equations, tuple((each.name, each.shape) for each in problem.arrays))
    return next(each.expression.shape for each in found if each.target == problem.error)


# ---- numbers -------------------------------------------------------------------------------


def _value(value: Any) -> Any:
    """Numbers as they stand in a file, nested as they are."""
    if isinstance(value, Mapping):
        return {key: _value(each) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return [_value(each) for each in value]
    return _number(value) if isinstance(value, Fraction) else value


def _number(value: Fraction) -> Bare:
    """An exact number as a decimal; raises ValueError for one that is none."""
    return Bare(decimal_text(value))


def decimal_text(value: Fraction) -> str:
    """The decimal that a number is exactly: 3/20 is 0.15. Raises ValueError for a number that is no decimal."""
    from derive.digits import as_decimal

    text = as_decimal(value, sum(_powers(value.denominator)))
    if text is None:
        raise ValueError(f"{value} is no decimal number, and a problem file holds decimals")
    return text


def _powers(denominator: int) -> Iterator[int]:
    """The greatest power of two and of five in a denominator: no more decimals are needed than both together."""
    for prime in (2, 5):
        power = 0
        while denominator % prime == 0:
            denominator, power = denominator // prime, power + 1
        yield power
