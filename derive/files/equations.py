"""A problem stated in equations: its arrays read exactly, its names and shapes checked, every fault with its place."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from derive.errors import Fault, shown, unknown
from derive.files.arrays import MAX_ELEMENTS, read_numbers, read_symbols
from derive.files.finish import updated
from derive.files.updates import update_faults
from derive.notations.file import beside
from derive.problem import GivenArray, Loss, Penalty, Problem, Published, Vector

if TYPE_CHECKING:
    from derive.files.tables import EquationsFile

Shape = tuple[int, ...]
Broken = frozenset[tuple[str | int, ...]]


def read_equations(file: EquationsFile, broken: Broken, source: str, stem: str) -> tuple[Problem | None, list[Fault]]:
    """The problem that a file in equations states, and every fault in it; None where there is one.

    ``broken`` holds the addresses of keys that are known to be wrong; ``source`` and ``stem`` as in `Problem`.
    """
    given = _given(file)
    faults = list(given.faults)
    arrays = tuple(given.arrays.values())
    program = _Program.of(file, arrays, given.unsure)
    faults += program.faults
    known = dict.fromkeys([*given.arrays, *given.unsure, *program.shapes, *program.unsure])
    if ("equations",) not in broken and (program.shapes or program.unsure):
        faults += _names(file, known, {*program.shapes, *(program.unsure - given.unsure)}, broken)
    seed, wrong = _seed(file, program)
    faults += wrong
    faults += _update(file, known, broken)
    if faults or broken:
        return None, faults
    problem = Problem(
        title=file.title or _title(len(program.shapes)),
        notation=beside(file.notation, source),
        examples=(),
        layers=(),
        loss=Loss(""),
        update=None if file.update is None else updated(file.update),
        published=tuple(Published(**dict(each)) for each in file.published),
        parameters=None if file.parameters is None else tuple(file.parameters),
        penalty=None if file.penalty is None else Penalty(**dict(file.penalty)),
        equations=file.equations,
        arrays=arrays,
        error=file.error,
        outputs=file.outputs,
        seed=seed,
        source=source,
        stem=stem,
    )
    return problem, list(_penalty(problem))


def _title(equations: int) -> str:
    return "One equation, step by step" if equations == 1 else f"A network of {equations} equations, step by step"


# ---- arrays --------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Given:
    """The arrays that were read; ``unsure`` names those that have faults."""

    arrays: dict[str, GivenArray]
    faults: tuple[Fault, ...]
    unsure: frozenset[str]


def _given(file: EquationsFile) -> _Given:
    from derive.equations import illegal_name

    arrays: dict[str, GivenArray] = {}
    faults: list[Fault] = []
    unsure: set[str] = set()
    for key, stated in (("values", file.values), ("shapes", file.shapes)):
        for name, value in stated.items():
            place = f"{key}.{name if name.isidentifier() else shown(name)}"
            if message := illegal_name(name):
                faults.append(Fault(place, message))
                continue
            found, wrong = read_numbers(name, value, place) if key == "values" else read_symbols(name, value, place)
            faults += wrong
            if found is None:
                unsure.add(name)
            elif name not in arrays:
                arrays[name] = found
            elif arrays[name].shape != found.shape:
                faults.append(Fault(place, f"found {found.shape}, but its values have the shape {arrays[name].shape}"))
    if (total := sum(math.prod(array.shape) for array in arrays.values())) > MAX_ELEMENTS:
        faults.append(Fault("", f"the arrays have {total:,} elements; at most {MAX_ELEMENTS:,} are supported"))
        unsure |= set(arrays)
    return _Given({name: each for name, each in arrays.items() if name not in unsure}, tuple(faults), frozenset(unsure))


# ---- equations -----------------------------------------------------------------------------


@dataclass(frozen=True)
class _Program:
    """What the equations define: shapes by name, the names whose equation is in doubt, and the faults found."""

    shapes: dict[str, Shape]
    unsure: frozenset[str]
    faults: tuple[Fault, ...]

    @classmethod
    def of(cls, file: EquationsFile, arrays: tuple[GivenArray, ...], unsure: frozenset[str]) -> _Program:
        """Read the equations over the arrays given; of those that read a faulty array nothing can be told."""
        from derive.files.equation_text import defining_lines, read

        faults: list[Fault] = []
        lines = defining_lines(file.equations)
        for name in [name for name in (*(array.name for array in arrays), *unsure) if name in lines]:
            key = "values" if name in file.values else "shapes"
            message = f"is defined by an equation too (line {lines[name]}); leave one of them out"
            faults.append(Fault(f"{key}.{name}", message))
        shapes = {array.name: array.shape for array in arrays if array.name not in lines}
        found = read(file.equations, shapes, unsure - set(lines))
        faults += [Fault("equations", message) for message in found.faults]
        if not (found.equations or found.faults or found.unsure):
            faults.append(Fault("equations", "is empty; at least one equation is expected"))
        return cls({e.target: e.expression.shape for e in found.equations}, found.unsure, tuple(faults))


def _names(file: EquationsFile, known: dict[str, None], computed: set[str], broken: Broken) -> Iterator[Fault]:
    """Names that the program does not have."""
    defined = [name for name in known if name in computed]
    if ("error",) not in broken and file.error not in defined:
        if file.error in known:
            message = f"found {shown(file.error)}, which is given; the error is computed by an equation"
        elif "error" in file.model_fields_set:
            message = unknown(file.error, defined)
        else:
            message = f"is missing, and no equation defines E; known: {', '.join(defined)}"
        yield Fault("error", message)
    if file.outputs and file.outputs not in known:
        yield Fault("outputs", unknown(file.outputs, known))
    if ("parameters",) not in broken:
        for index, name in enumerate(file.parameters or ()):
            if name not in known:
                yield Fault(f"parameters[{index}]", unknown(name, known))


def _seed(file: EquationsFile, program: _Program) -> tuple[Vector | None, list[Fault]]:
    """The upstream gradient, in the shape of the error; an error without one has to be a number."""
    shape = program.shapes.get(file.error)
    if file.seed is None:
        if not shape:
            return None, []
        message = (
            f"{file.error} has the shape {shape}; a number is differentiated, or an array with a seed of its shape"
        )
        return None, [Fault("error", message)]
    found, faults = read_numbers("seed", file.seed, "seed")
    if found is None:
        return None, faults
    if shape is not None and found.shape != shape:
        message = f"found the shape {found.shape}, but {file.error} has {shape}; they have to be the same"
        return None, [Fault("seed", message)]
    return found.numbers, []


def _update(file: EquationsFile, known: dict[str, None], broken: Broken) -> Iterator[Fault]:
    update = file.update
    if update is None:
        return
    yield from update_faults(update, lambda *address: address not in broken, only_dense=False)
    for index, name in enumerate(update.fixed):
        if name not in known and ("equations",) not in broken:
            yield Fault(f"update.fixed[{index}]", unknown(name, file.parameters or known))


def _penalty(problem: Problem) -> Iterator[Fault]:
    """A penalty has to know which arrays are weights."""
    from derive import build

    if problem.penalty is None:
        return
    if problem.parameters is None:
        message = 'goes over the weights; name them: parameters = ["W", …] (of these, b, b1, b_h, bias are biases)'
        yield Fault("penalty", message)
    elif not build.weights(build.program(problem)):
        yield Fault("penalty", f"there is no weight among the parameters {', '.join(problem.parameters)}")
