"""The child process in which somebody's code runs: it loads the code, calls it at each point, writes JSON.

It is started by `derive.verification.processes` with two paths: the task (pickled by the parent) and where the result
goes. What the code prints goes nowhere; what it raises becomes one sentence with the line of the user's own file.
"""

from __future__ import annotations

import importlib.util
import json
import os
import pickle
import sys
import traceback
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from derive.errors import MissingDependency, nearest
from derive.verification import calls
from derive.verification.calls import CallError, Floats, Quantities

Found = dict[str, Any]


@dataclass(frozen=True)
class Task:
    """What the child has to do: ``kind`` names a row of `KINDS`; ``points`` hold every given array.

    ``elements`` are the names of the arrays' elements; ``single`` the arrays whose first axis is that of one example.
    ``problem`` is there for what has to derive it again; ``options`` are those of a kind. ``started`` is a file that is
    made when the user's own code begins: from then on its time counts.
    """

    kind: str
    path: str
    name: str
    points: tuple[Mapping[str, Floats], ...] = ()
    parameters: tuple[str, ...] = ()
    elements: Mapping[str, tuple[str, tuple[int, ...]]] = field(default_factory=dict)
    single: tuple[str, ...] = ()
    problem: Any = None
    options: Mapping[str, Any] = field(default_factory=dict)
    started: str = ""

    def quantities(self, point: int) -> Quantities:
        """What a function may be called with at a point."""
        return Quantities(self.points[point], self.elements, self.parameters)


class UserError(Exception):
    """The user's code failed: a sentence."""


class AbsentError(Exception):
    """What was named is not there: the user's command is at fault, not the code."""


# ---- the user's file -----------------------------------------------------------------------


def loaded(task: Task) -> Any:
    """The module in a task's file, as Python would import it from its own folder. Raises UserError."""
    path, file = task.path, Path(task.path).resolve()
    sys.path.insert(0, str(file.parent))
    sys.argv = [str(file)]
    specification = importlib.util.spec_from_file_location(file.stem, file)
    if specification is None or specification.loader is None:
        raise AbsentError(f"{path}: is no Python file")
    module = importlib.util.module_from_spec(specification)
    sys.modules[file.stem] = module
    if task.started:
        Path(task.started).touch()
    guarded(path, "", lambda: specification.loader.exec_module(module))  # type: ignore[union-attr]
    return module


def thing(module: Any, path: str, name: str) -> Any:
    """What stands under a name in a module. Raises AbsentError with the nearest name."""
    if not hasattr(module, name):
        known = [each for each, value in vars(module).items() if not each.startswith("_") and callable(value)]
        listed = f"; it has {', '.join(known)}" if known else ""
        hint = nearest(name, known)
        raise AbsentError(f"{path}: has no {name}{listed}" + (f"; {hint}" if hint else ""))
    return getattr(module, name)


def guarded(path: str, name: str, action: Callable[[], Any]) -> Any:
    """The result of the user's own code; whatever it raises becomes a UserError."""
    try:
        return action()
    except (CallError, UserError, AbsentError, MissingDependency):
        raise
    except SystemExit as error:
        raise UserError(f"{_where(path, name, error.__traceback__)}: the code ended the program: exit") from None
    except SyntaxError as error:
        line = f", line {error.lineno}" if error.filename and Path(error.filename).name == Path(path).name else ""
        raise UserError(f"{path}{line}: is not Python: {error.msg}") from None
    except BaseException as error:
        said = _said(error)
        told = f"{type(error).__name__}: {said[:300]}" if said else type(error).__name__
        raise UserError(f"{_where(path, name, error.__traceback__)}: {told}") from None


def _said(error: BaseException) -> str:
    """The words of an exception on one line; "" where it cannot say them."""
    try:
        return " ".join(str(error).split())
    except Exception:
        return ""


def _where(path: str, name: str, trace: TracebackType | None) -> str:
    """The last line of the user's own file on the way to an error."""
    own, line = str(Path(path).resolve()), 0
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == own:
            line = trace.tb_lineno
            name = trace.tb_frame.f_code.co_name.replace("<module>", "") or name
        trace = trace.tb_next
    return path + (f", line {line}" if line else "") + (f", in {name}" if name else "")


# ---- what is run ---------------------------------------------------------------------------


def run_function(task: Task) -> Found:
    """A NumPy function, at every point."""
    function = thing(loaded(task), task.path, task.name)
    if not callable(function):
        raise AbsentError(f"{task.path}: {task.name} is a {type(function).__name__}; a function is expected")
    return called_everywhere(task, function, plainly)


Caller = Callable[[Callable[..., Any], calls.Way, Quantities], Any]


def plainly(function: Callable[..., Any], way: calls.Way, quantities: Quantities) -> Any:
    """The function called with NumPy arrays."""
    return way.call(function, quantities)


def called_everywhere(task: Task, function: Callable[..., Any], call: Caller) -> Found:
    """The gradients of a function at every point, by the first way of calling it that works."""
    found: Found = {"points": [], "notes": [], "takes": []}
    working: tuple[calls.Way, bool] | None = None
    for number in range(len(task.points)):
        whole = task.quantities(number)
        tries = [working] if working is not None else _tries(task, function, whole)
        unread: CallError | None = None
        for place, (way, single) in enumerate(tries):
            quantities = whole.without_examples(task.single) if single else whole
            try:
                returned = guarded(task.path, task.name, lambda w=way, q=quantities: call(function, w, q))  # type: ignore[misc]
                everything = [(name, quantities.shape(name)) for name in task.parameters]
                given = calls.gradients(returned, way.order(quantities), everything)
            except (UserError, CallError) as error:
                unread = unread or (error if isinstance(error, CallError) else None)
                if place + 1 < len(tries):
                    continue
                raise unread or error from None
            working = way, single
            break
        assert working is not None
        found["points"].append(written(given, calls.type_of(returned)))
        found["takes"] = list(working[0].takes(quantities))
        if not found["takes"]:
            break
    if working is not None and working[1]:
        found["notes"].append(f"{', '.join(task.single)}: handed over without the axis of examples")
    return found


def _tries(task: Task, function: Callable[..., Any], quantities: Quantities) -> list[tuple[calls.Way, bool]]:
    """Ways to call a function: each with arrays as they are, then with the one example alone.

    An answer that cannot be read is told before a call that failed; of these the first one, which so stands last again.
    """
    found = calls.ways(function, quantities)
    tries = [(way, False) for way in found]
    tries += [(way, True) for way in found if set(task.single) & set(way.names)]
    return tries if len(tries) == 1 else [*tries, tries[0]]


def written(given: Mapping[str, Any], kind: str = "") -> Found:
    """The numbers of one point and their type, to be written as JSON; ``kind`` is one that NumPy does not tell."""
    values, kinds = {}, {kind} - {""}
    for name, nested, own in calls.numbers(given):
        values[name] = nested
        kinds.add(own)
    order = ("bfloat16", "float16", "float32", "float64")
    return {"values": values, "dtype": min(kinds, key=order.index, default="float64")}


def _framework(module: str) -> Callable[[Task], Found]:
    def run(task: Task) -> Found:
        found: Found = importlib.import_module(f"derive.frameworks.{module}").run(task)
        return found

    return run


KINDS: dict[str, Callable[[Task], Found]] = {
    "python": run_function,
    "jax": _framework("jax_functions"),
    "torch": _framework("torch_modules"),
    "keras": _framework("keras_models"),
    "torch problem": _framework("torch_problems"),
}


def main(task_path: str, result_path: str) -> None:
    """Run one task and write its result; then leave at once, whatever threads the code has started."""
    task: Task = pickle.loads(Path(task_path).read_bytes())
    np.seterr(all="ignore")
    warnings.simplefilter("ignore")
    try:
        found = KINDS[task.kind](task)
    except (UserError, CallError) as error:
        text = str(error)
        found = {"failure": text if isinstance(error, UserError) else f"{task.path}: {task.name} {text}"}
    except AbsentError as error:
        found = {"absent": str(error)}
    except MissingDependency as error:
        found = {"missing": str(error)}
    except Exception:  # a defect of ours: the parent raises it
        found = {"defect": traceback.format_exc()}
    temporary = Path(f"{result_path}.{os.getpid()}")  # code that forks comes here twice
    temporary.write_text(json.dumps(found), "utf-8")
    temporary.replace(result_path)
    os._exit(0)
