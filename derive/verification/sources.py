"""What is handed over, wherever it comes from: numbers in a file, code, a framework's module, a program, formulas.

A source is told by how it is written: ``grads.json``, ``grads.csv``, ``formulas.txt``, ``module.py:function``,
``torch:module.py:name``, ``jax:…``, ``keras:…``, ``onnx:model.onnx``, ``cmd:./a.out --flag``, ``formula:FILE``.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from derive.derivation import Derivation
from derive.errors import ChainruleError, printable, unknown
from derive.notation import UnknownNameError
from derive.verification import files, formula_reading, handed, processes, separating
from derive.verification.csv_lines import HandedError
from derive.verification.formulas import Formulas
from derive.verification.handed import Handed
from derive.verification.judge import judge
from derive.verification.precision import UNIT, Precision
from derive.verification.processes import RunError
from derive.verification.report import Explanation, Report
from derive.verification.runner import Task, UserError
from derive.verification.separating import Values

Asked = Literal["gradients", "updated"]

SECONDS = 30.0
"""So long code may run, all its points together, unless it is said."""

POINTS = 3
"""At so many points code is checked, unless it is said."""

MOST_ELEMENTS = 2_000
"""Of more numbers than this the elements have no names that a function could take (w1, w2, …)."""

PRECISIONS = {name: Precision(name) for name in UNIT}

CONSTANTS = "at the problem's own numbers all is right; does the code hold some of them as constants?"


@dataclass(frozen=True)
class Source:
    """What was handed over: numbers at each point, the first of which is the problem's own.

    ``precision`` is known from the type of the numbers, or None. ``failure`` is one sentence where the code gave no
    numbers: then the verdict is "wrong". ``diagnosis`` is what is known beside the numbers (a layout).
    """

    handed: tuple[tuple[Values, Handed], ...] = ()
    precision: Precision | None = None
    notes: tuple[str, ...] = ()
    failure: str = ""
    diagnosis: tuple[Explanation, ...] = ()


@dataclass(frozen=True)
class Options:
    """How a source is read."""

    kind: Asked = "gradients"
    timeout: float = SECONDS
    points: int = POINTS

    @property
    def item_kind(self) -> handed.Kind:
        """What a number claims to be that does not say it."""
        return "updated" if self.kind == "updated" else "gradient"


def read(
    text: str,
    derivation: Derivation,
    *,
    kind: Asked = "gradients",
    timeout: float = SECONDS,
    points: int = POINTS,
) -> Source:
    """What ``text`` names. Raises ChainruleError for what is not there or cannot be read, MissingDependency."""
    options = Options(kind, timeout, points)
    prefix, colon, rest = text.partition(":")
    if colon and prefix in SOURCES:
        return SOURCES[prefix](rest, derivation, options)
    file, colon, name = text.rpartition(":")
    if colon and file.endswith(".py"):
        return _function("python", file, name, derivation, options)
    if colon and prefix.isalpha() and len(prefix) > 1 and not Path(text).exists():  # one letter is a drive
        raise ChainruleError(f"{printable(text)}: {unknown(f'{prefix}:', [f'{each}:' for each in SOURCES])}")
    return _file(text, derivation, options)


def report(derivation: Derivation, source: Source, given: Precision | None = None) -> Report:
    """The report on a source; ``given`` is the precision that was stated, which goes before the one that is known."""
    if source.failure:
        return Report("wrong", (), notes=(source.failure, *source.notes), points=0)
    found = judge(derivation, source.handed, given or source.precision)
    notes = (*source.notes, *found.notes)
    if found.verdict != "wrong":
        return replace(found, notes=notes)
    if found.rows and not found.outside and found.points > 1 and not found.diagnosis:
        notes = (*notes, CONSTANTS)
    own = tuple(each for each in source.diagnosis if each.mistakes not in {e.mistakes for e in found.diagnosis})
    return replace(found, notes=notes, diagnosis=(*own, *found.diagnosis))


# ---- files ---------------------------------------------------------------------------------


def _file(text: str, derivation: Derivation, options: Options) -> Source:
    """Numbers or formulas in a file, by what it is called and what is in it."""
    path = Path(text)
    content = files.text_of(path)
    if path.suffix.lower() == ".py":
        raise ChainruleError(f"{text}: which function? Write {text}:name")
    if path.suffix.lower() == ".txt" or formula_reading.in_json(content) is not None:
        return _of_formulas(content, derivation, options, text)
    return Source((({}, files.of_text(content, derivation, options.item_kind, text)),))


def _formula_file(rest: str, derivation: Derivation, options: Options) -> Source:
    return _of_formulas(files.text_of(Path(rest)), derivation, options, rest)


def _of_formulas(content: str, derivation: Derivation, options: Options, place: str) -> Source:
    """Formulas in a text, a line each, or in a JSON object."""
    named = formula_reading.in_json(content)
    if named is None:
        return of_formulas(formula_reading.of_text(content, derivation, place), derivation, options)
    return of_formulas(formula_reading.of_mapping(named, derivation, place), derivation, options)


def of_formulas(stated: Formulas, derivation: Derivation, options: Options | None = None) -> Source:
    """Formulas, checked as such, and their values at every point."""
    options = options or Options()
    named = {*derivation.program.parameters, *stated.named}
    chosen = separating.chosen(derivation, options.points)
    points = [{name: array for name, array in values.items() if name in named} for values in chosen]
    numbers = tuple((values, stated.handed(values)) for values in points)
    return Source(numbers, PRECISIONS["float64"], tuple(stated.notes(points)))


# ---- code ----------------------------------------------------------------------------------


def _function(kind: str, file: str, name: str, derivation: Derivation, options: Options) -> Source:
    """A function, or a module of a framework, in a Python file."""
    files.text_of(Path(file))  # says what is wrong with it
    if not name:
        raise ChainruleError(f"{file}: which function? Write {file}:name")
    task = task_of(kind, file, name, derivation, options.points)
    return _run(task, derivation, options)


def task_of(kind: str, file: str, name: str, derivation: Derivation, points: int) -> Task:
    """What the child process is told."""
    program = derivation.program
    chosen = separating.chosen(derivation, points)
    arrays = tuple(
        {n: separating.floats(values[n] if n in values else derivation.given[n]) for n in program.given}
        for values in chosen
    )
    single = [n for n in program.given if program.variables[n].per_example and program.shape(n)[0] == 1]
    given = sum(int(np.prod(program.shape(n))) for n in program.given)
    elements = {
        typed: place
        for place, typed in (derivation.names.typed.items() if given <= MOST_ELEMENTS else ())
        if place[0] in program.given and place[1] != ()
    }
    return Task(kind, file, name, arrays, program.parameters, elements, tuple(single), derivation.problem)


def _run(task: Task, derivation: Derivation, options: Options) -> Source:
    try:
        found = processes.run_task(task, options.timeout)
    except RunError as error:
        return Source(failure=str(error))
    place = f"{task.path}: {task.name}" if task.name else task.path
    return of_result(found, derivation, options, separating.chosen(derivation, options.points), place)


def of_result(
    found: Mapping[str, Any], derivation: Derivation, options: Options, points: Sequence[Values], place: str
) -> Source:
    """The source that a child's result makes: its numbers at each point, with the values that reached the code."""
    numbers: list[tuple[Values, Handed]] = []
    notes = list(found["notes"])
    for values, each in zip(points, found["points"], strict=False):
        told = {*found["takes"], *(name for name in values if name not in derivation.given)}
        reached = {name: array for name, array in values.items() if name in told}
        if values and not reached:
            break  # it takes nothing: it is the same everywhere
        asked, beside = _asked(each["values"], derivation)
        if beside and not numbers:
            notes.append(f"{', '.join(beside)}: no parameter, so that its gradient is not compared")
        try:
            numbers.append((reached, handed.of_mapping(asked, derivation, options.item_kind, place)))
        except HandedError as error:
            return Source(failure=str(error), notes=tuple(notes))
    diagnosis = tuple(Explanation((tuple(e["mistake"]),), e["words"]) for e in found.get("diagnosis", ()))
    kinds = [each["dtype"] for each in found["points"]] or ["float64"]
    return Source(tuple(numbers), PRECISIONS[kinds[0]], tuple(notes), diagnosis=diagnosis)


def _asked(values: Mapping[str, Any], derivation: Derivation) -> tuple[dict[str, Any], list[str]]:
    """What code gives but for inputs and their like, handed to it, by which no gradient is asked; and their names."""
    given = {*derivation.program.given} - {*derivation.program.parameters}

    def is_given(name: str) -> bool:
        try:
            return derivation.names.find(name.strip())[0] in given
        except UnknownNameError:
            return False

    beside = [name for name in values if is_given(name)]
    return {name: value for name, value in values.items() if name not in beside}, beside


def of_function(
    function: Callable[..., Any], derivation: Derivation, *, kind: Asked = "gradients", points: int = POINTS
) -> Source:
    """A function of this very process, called here: what it raises is the caller's. Raises CallError, HandedError."""
    from derive.verification.runner import called_everywhere, plainly

    name = getattr(function, "__name__", "the function")
    task = task_of("python", name, "", derivation, points)
    found = called_everywhere(task, function, plainly)
    return of_result(found, derivation, Options(kind), separating.chosen(derivation, points), name)


# ---- programs ------------------------------------------------------------------------------


def _command(text: str, derivation: Derivation, options: Options) -> Source:
    """A program that reads {"W1": …} on standard input and prints gradients as JSON."""
    try:
        command = shlex.split(text)
    except ValueError as error:
        raise ChainruleError(f"cmd: {text}: {error}") from None
    if not command:
        raise ChainruleError("cmd: which program? Write cmd:./a.out")
    numbers = []
    for values in separating.chosen(derivation, options.points):
        arrays = {
            name: separating.floats(values[name] if name in values else derivation.given[name]).tolist()
            for name in derivation.program.given
        }
        try:
            said = processes.run_program(command, json.dumps(arrays), options.timeout)
            numbers.append((values, handed.of_json(said, derivation, options.item_kind, command[0])))
        except (RunError, HandedError) as error:
            return Source(failure=str(error))
    return Source(tuple(numbers))


def _in_python(kind: str) -> Callable[[str, Derivation, Options], Source]:
    def read(rest: str, derivation: Derivation, options: Options) -> Source:
        file, colon, name = rest.rpartition(":")
        if not colon or not file.endswith(".py"):
            raise ChainruleError(f"{kind}:{rest}: expected {kind}:module.py:name")
        return _function(kind, file, name, derivation, options)

    return read


def _onnx(rest: str, derivation: Derivation, options: Options) -> Source:
    from derive.frameworks import onnx_models

    points = separating.chosen(derivation, options.points)
    try:
        found = onnx_models.run(rest, derivation, points)
    except UserError as error:
        return Source(failure=f"{rest}: {error}")
    return of_result(found, derivation, options, points, rest)


SOURCES: dict[str, Callable[[str, Derivation, Options], Source]] = {
    "torch": _in_python("torch"),
    "jax": _in_python("jax"),
    "keras": _in_python("keras"),
    "onnx": _onnx,
    "cmd": _command,
    "formula": _formula_file,
}
"""What may stand before a colon: one row each."""
