"""A worked example as a Jupyter notebook, computed step by step with NumPy: the teacher's, and the student's.

The teacher's has its solutions between nbgrader's marks and tests after them; the student's is the same with the
solutions cut, as nbgrader cuts them. Both run with NumPy alone; the curve needs Matplotlib and is left out without it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from derive import results
from derive.errors import ChainruleError
from derive.program import Equation, Map, Ref
from render.exports.notebook_words import Words
from render.exports.numpy_code import Code
from render.exports.pools import slug

if TYPE_CHECKING:
    from derive.derivation import Derivation
    from render.handout.heading import Heading

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
STUB = ("# YOUR CODE HERE", "raise NotImplementedError()")
MOST_STEPS = 1000  # of training
MOST_NUMBERS = 20_000  # in one array that is written out
MOST_COMPARED = 100  # elements of a parameter that are compared with central differences
WIDTH = 1e-5  # half of it to either side is what a parameter is moved by
CLOSE = "rtol=1e-6, atol=1e-9"


@dataclass(frozen=True)
class Cell:
    """A cell: "markdown" or "code"; ``role`` is "given" (locked), "solution" or "test", which is worth ``points``."""

    kind: str
    text: str
    role: str = ""
    name: str = ""
    points: int = 0
    attachments: dict[str, dict[str, str]] = field(default_factory=dict)


def notebook(derivation: Derivation, heading: Heading | None = None, stem: str = "") -> dict[str, bytes]:
    """The teacher's notebook and the student's, by the names of their files.

    Raises ChainruleError for a problem without numbers.
    """
    if not derivation.has_numbers:
        raise ChainruleError(f"{derivation.problem.source}: has symbols, and a notebook computes with numbers")
    name = stem or derivation.problem.stem
    cells = tuple(_Maker(derivation, Words(derivation, heading)).cells())
    return {
        f"{name}.ipynb": _file(cells, name),
        f"{name}_student.ipynb": _file(tuple(_cut(cell) for cell in cells), name),
    }


def without_solutions(text: str) -> str:
    """Code whose solutions are cut: what stands between two marks becomes a line that says so, as deep as they."""
    kept: list[str] = []
    inside = False
    for line in text.splitlines():
        if line.strip() == BEGIN:
            inside = True
            depth = line[: len(line) - len(line.lstrip())]
            kept += [f"{depth}{each}" for each in STUB]
        elif line.strip() == END:
            inside = False
        elif not inside:
            kept.append(line)
    return "\n".join(kept)


def _cut(cell: Cell) -> Cell:
    return replace(cell, text=without_solutions(cell.text)) if cell.role == "solution" else cell


# ---- what is computed ----------------------------------------------------------------------


@dataclass(frozen=True)
class _Maker:
    derivation: Derivation
    words: Words
    code: Code = field(default_factory=Code)

    def cells(self) -> Iterator[Cell]:
        """All cells, in order."""
        for name in self.derivation.program.given:
            self.code.variable(name)
        forward, backward = list(self._forward()), list(self._backward())
        update = list(self._update()) if self.derivation.trained else []
        check, training = list(self._check()), list(self._training()) if self.derivation.trained else []
        yield from self._opening()
        yield from (*forward, *backward, *check, *update, *training)

    def _opening(self) -> Iterator[Cell]:
        yield Cell("markdown", *self.words.opening())
        code = self.code
        lines = ["import math", "", "import numpy as np"] if "math." in str(code.functions) else ["import numpy as np"]
        for text in code.functions.values():
            lines += ["", "", *text.splitlines()] if text.startswith("def") else ["", text]
        yield Cell("code", "\n".join(lines), "given", "functions")
        given = [f"{code.variable(name)} = {_array(self._value(name))}" for name in self.derivation.program.given]
        given += [f"{name} = {_array(each.array)}" for name, each in code.places.items()]
        yield Cell("markdown", self.words.given(code.places != {}))
        yield Cell("code", "\n".join(given), "given", "numbers")

    def _forward(self) -> Iterator[Cell]:
        yield Cell("markdown", self.words.forward())
        for equation in self.derivation.program.equations:
            yield from self._computed(equation, self.words.value(equation.target))

    def _backward(self) -> Iterator[Cell]:
        yield Cell("markdown", self.words.backward())
        arrays = {adjoint: name for name, adjoint in self.derivation.gradient.adjoints.items()}
        for equation in self.derivation.gradient.equations:
            yield from self._computed(equation, self.words.adjoint(arrays.get(equation.target, ""), self._variable))

    def _variable(self, name: str) -> str:
        return self.code.variable(name)

    def _computed(self, equation: Equation, words: str) -> Iterator[Cell]:
        """An equation: what it is, the line that computes it, and its test; what needs no thought is given."""
        variable, line = self.code.variable(equation.target), self.code.line(equation)
        constant = isinstance(equation.expression, Map) and not equation.expression.arguments
        if constant or isinstance(equation.expression, Ref):
            yield Cell("markdown", words) if words else Cell("markdown", f"`{variable}`:")
            yield Cell("code", line, "given", variable)
            return
        yield Cell("markdown", words or f"`{variable}`:")
        yield from self._asked(variable, line, [(variable, self._value(equation.target))])

    def _asked(
        self, name: str, body: str, expected: list[tuple[str, Any]], points: int = 1, more: tuple[str, ...] = ()
    ) -> Iterator[Cell]:
        """Code that a student writes, and the test of what it computes."""
        yield Cell("code", f"{BEGIN}\n{body}\n{END}" if BEGIN not in body else body, "solution", name)
        lines = []
        for variable, value in expected:
            if np.shape(value):
                lines.append(f"assert np.shape({variable}) == {np.shape(value)}, f'shape {{np.shape({variable})}}'")
            lines.append(f"np.testing.assert_allclose({variable}, {_array(value, whole=False)}, {CLOSE})")
        yield Cell("code", "\n".join((*lines, *more)), "test", f"{name}_test", points)

    def _value(self, name: str) -> Any:
        return self.derivation.floats(name)

    # ---- the check, the update and training --------------------------------------------------

    def _check(self) -> Iterator[Cell]:
        """The error as a function of the parameters, and central differences of it."""
        program = self.derivation.program
        free = [name for name in program.parameters if name in program.given]
        if not free:
            return
        yield Cell("markdown", self.words.check())
        arguments = ", ".join(self.code.variable(name) for name in free)
        error = self.code.variable(program.error)
        body = [f"def error({arguments}):", f"    {BEGIN}"]
        body += [f"    {line}" for line in self.code.lines(program.equations)]
        body += [f"    return {error}", f"    {END}"]
        value = self._value(program.error)
        yield from self._asked("error_function", "\n".join(body), [(f"error({arguments})", value)])
        listed = [
            f"    {self.code.variable(name)!r}: ({self.code.variable(name)}, "
            f"{self.code.variable(self.derivation.gradient.adjoints[name])}),"
            for name in free
        ]
        yield Cell("code", "\n".join(["parameters = {", *listed, "}", "", *DIFFERENCES]), "test", "differences_test", 2)

    def _update(self) -> Iterator[Cell]:
        yield Cell("markdown", self.words.update())
        equations, trained = self.derivation.update_equations, self.derivation.trained
        memory = self._memory()
        if memory:
            yield Cell("code", "\n".join(f"{name} = {value}" for name, value in memory.items()), "given", "memory")
        after = self.derivation.after_update
        expected = [(self.code.variable(f"{name}+"), results.floats(after, name)) for name in trained]
        yield from self._asked("update", "\n".join(self.code.lines(equations)), expected, 2)

    def _memory(self) -> dict[str, str]:
        """What an update's rule remembers, as it is before the first step: nothing."""
        from derive.program import parts

        defined = {equation.target for equation in self.derivation.update_equations}
        shapes: dict[str, tuple[int, ...]] = {}
        waiting = [equation.expression for equation in self.derivation.update_equations]
        while waiting:
            expression = waiting.pop()
            if isinstance(expression, Ref) and f"{expression.name}+" in defined:
                shapes[expression.name] = expression.shape
            waiting += parts(expression)
        known = {*self.derivation.program.variables}
        return {
            self.code.variable(name): f"np.zeros({shape})" if shape else "0.0"
            for name, shape in sorted(shapes.items())
            if name not in known
        }

    def _training(self) -> Iterator[Cell]:
        update = self.derivation.problem.update
        assert update is not None
        steps = max(1, min(update.steps, MOST_STEPS))
        code, program = self.code, self.derivation.program
        yield Cell("markdown", self.words.training(steps))
        moved = [e.target for e in self.derivation.update_equations if e.target.endswith("+")]
        lines = (
            *code.lines(program.equations),
            f"history.append({code.variable(program.error)})",
            *code.lines(self.derivation.gradient.equations),
            *code.lines(self.derivation.update_equations),
            *(f"{code.variable(name.removesuffix('+'))} = {code.variable(name)}" for name in moved),
        )
        body = ["history = []", f"for step in range({steps + 1}):", f"    {BEGIN}"]
        body += [*(f"    {line}" for line in lines), f"    {END}"]
        after = results.floats(self.derivation.after_update, program.error)
        expected = [("history[0]", self._value(program.error)), ("history[1]", after)]
        yield from self._asked("training", "\n".join(body), expected, 2, (f"assert len(history) == {steps + 1}",))
        yield Cell("code", "\n".join(CURVE), "given", "curve")


DIFFERENCES = (
    f"width = {WIDTH}",
    "for name, (values, gradient) in parameters.items():",
    f"    for index in list(np.ndindex(np.shape(values)))[:{MOST_COMPARED}]:",
    "        moved = {each: np.array(pair[0], dtype=float) for each, pair in parameters.items()}",
    "        moved[name][index] += width",
    "        above = error(*moved.values())",
    "        moved[name][index] -= 2 * width",
    "        slope = (above - error(*moved.values())) / (2 * width)",
    "        assert np.isclose(slope, np.asarray(gradient)[index], rtol=1e-4, atol=1e-7), (name, index, slope)",
)
CURVE = (
    "try:",
    "    import matplotlib.pyplot as plt",
    "except ImportError:",
    '    print("E after", len(history) - 1, "steps:", history[-1])',
    "else:",
    "    plt.plot(history)",
    '    plt.xlabel("step")',
    '    plt.ylabel("E")',
    "    plt.show()",
)


def _array(values: Any, *, whole: bool = True) -> str:
    """Numbers as source, shortest digits that give the same float; ``whole`` makes an array of a list."""
    array = np.asarray(values)
    if array.size > MOST_NUMBERS:
        raise ChainruleError(f"a notebook would have {array.size} numbers to write out; {MOST_NUMBERS} are the most")
    text = repr(array.tolist())
    if not whole or not array.shape:
        return text
    if array.ndim == 2 and len(text) > 60:
        rows = "".join(f"\n    {row!r}," for row in array.tolist())
        return f"np.array([{rows}\n])"
    return f"np.array({text})"


# ---- the file ------------------------------------------------------------------------------


def _file(cells: tuple[Cell, ...], stem: str) -> bytes:
    import nbformat

    v4: Any = nbformat.v4
    made = v4.new_notebook(
        metadata={
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
    )
    made.cells = [_made(v4, cell, f"{slug(stem)}-{position}") for position, cell in enumerate(cells, 1)]
    nbformat.validate(made)
    text: str = v4.writes(made)
    return f"{text}\n".encode()


def _made(v4: Any, cell: Cell, identifier: str) -> Any:
    make = v4.new_markdown_cell if cell.kind == "markdown" else v4.new_code_cell
    made = make(cell.text, id=identifier)
    if cell.attachments:
        made["attachments"] = cell.attachments
    if cell.kind == "code":
        grader: dict[str, Any] = {
            "grade": cell.role == "test",
            "grade_id": cell.name,
            "locked": cell.role != "solution",
            "schema_version": 3,
            "solution": cell.role == "solution",
            "task": False,
        }
        if cell.role == "test":
            grader["points"] = cell.points
        made["metadata"]["nbgrader"] = grader
        if cell.role != "solution":
            made["metadata"] |= {"deletable": False, "editable": False}
    return made
