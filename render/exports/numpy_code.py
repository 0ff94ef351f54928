"""A program's equations as NumPy code to be read: ``z1 = x @ W1.T + b1``, a line for each equation.

The evaluators print code that is fast; this is code that a student could have written. Names of the problem become
variables by `Variables`, which lets no name of Python's or of NumPy's be hidden.
"""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import sympy
from sympy.printing.numpy import NumPyPrinter
from sympy.printing.precedence import PRECEDENCE

from derive.evaluate.code import expm1
from derive.functions import Elementwise, StopGradient, constant_of, written, z
from derive.program import (
    Contract,
    Equation,
    Expression,
    Gather,
    Largest,
    Map,
    Positions,
    Ref,
    Reshape,
    Scatter,
    Softmax,
    Total,
    Transpose,
)

TAKEN = {"np", "math", *keyword.kwlist, *keyword.softkwlist, *dir(builtins)}
NAME = re.compile(r"[\w.]+")

# What NumPy lacks, by the name that the code calls it.
HELPERS = {
    "softmax": """def softmax(z, axis):
    powers = np.exp(z - np.max(z, axis=axis, keepdims=True))
    return powers / np.sum(powers, axis=axis, keepdims=True)""",
    "log_softmax": """def log_softmax(z, axis):
    shifted = z - np.max(z, axis=axis, keepdims=True)
    return shifted - np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True))""",
    "scattered": '''def scattered(values, places, shape):
    """Each value is added at its place in an array of this shape; what falls outside is left out."""
    values, places, size = np.asarray(values), np.asarray(places), int(np.prod(shape))
    inside = (places >= 0) & (places < size)
    return np.bincount(places[inside], weights=values[inside], minlength=size).reshape(shape)''',
    "picked": '''def picked(places, *arrays):
    """The elements at these places of the arrays laid end to end; -1 is a zero."""
    return np.concatenate([np.ravel(array) for array in arrays] + [[0.0]])[places]''',
    "first_largest": '''def first_largest(values, axis):
    """1 where the largest value stands (the first, of several), 0 elsewhere."""
    mask = np.zeros_like(values)
    np.put_along_axis(mask, np.expand_dims(np.argmax(values, axis=axis), axis), 1.0, axis=axis)
    return mask''',
    "erf": "erf = np.vectorize(math.erf, otypes=[float])",
    "erfc": "erfc = np.vectorize(math.erfc, otypes=[float])",
}


class _Formulas(NumPyPrinter):  # type: ignore[misc] # SymPy is not typed
    """SymPy's own printer of NumPy code, with our functions; ``called`` tells which of them were met."""

    def __init__(self, code: Code) -> None:
        super().__init__({"order": "none", "fully_qualified_modules": True, "allow_unknown_functions": True})
        self.code = code

    def _print_Function(self, node: sympy.Function) -> str:  # noqa: N802 - SymPy looks for this name
        arguments = ", ".join(self._print(each) for each in node.args[:1])
        if isinstance(node, Elementwise):
            return f"{self.code.function(node)}({arguments})"
        if isinstance(node, StopGradient):
            return f"({arguments})"
        if isinstance(node, expm1):
            return f"numpy.expm1({arguments})"
        return str(super()._print_Function(node))

    def _print_Pow(self, node: sympy.Pow, rational: bool = False) -> str:  # noqa: N802
        if node.exp == -1:
            return f"1/{self.parenthesize(node.base, PRECEDENCE['Pow'])}"
        return str(super()._print_Pow(node, rational=rational))

    def _print_Piecewise(self, node: sympy.Piecewise) -> str:  # noqa: N802
        *rows, last = node.args
        text = self._print(last.args[0])
        for row in reversed(rows):
            text = f"numpy.where({self._print(row.args[1])}, {self._print(row.args[0])}, {text})"
        return str(text)

    def _print_erf(self, node: sympy.erf) -> str:
        return f"{self.code.helper('erf')}({self._print(node.args[0])})"

    def _print_erfc(self, node: sympy.erfc) -> str:
        return f"{self.code.helper('erfc')}({self._print(node.args[0])})"


@dataclass
class Code:
    """What the code needs besides its lines: functions and index arrays by name, variables by the program's names."""

    variables: dict[str, str] = field(default_factory=dict)
    functions: dict[str, str] = field(default_factory=dict)
    places: dict[str, Positions] = field(default_factory=dict)
    _calls: dict[sympy.Expr, str] = field(default_factory=dict)

    def variable(self, name: str) -> str:
        """The variable of an array: dE/dW1 is dE_dW1, W1+ is W1_new."""
        if name not in self.variables:
            plain = re.sub(r"\W+", "_", name.replace("+", "_new").replace("∂", "d"), flags=re.ASCII).strip("_") or "v"
            plain = f"v_{plain}" if plain[0].isdigit() else plain
            while plain in TAKEN or plain in HELPERS or plain in self.functions or plain in self.variables.values():
                plain += "_"
            self.variables[name] = plain
        return self.variables[name]

    def line(self, equation: Equation) -> str:
        """An equation as a statement."""
        return f"{self.variable(equation.target)} = {self.text(equation.expression)}"

    def lines(self, equations: Sequence[Equation]) -> list[str]:
        """Equations as statements."""
        return [self.line(equation) for equation in equations]

    def helper(self, name: str) -> str:
        """The name of one of `HELPERS`, which the code needs from now on."""
        self.functions.setdefault(name, HELPERS[name])
        return name

    def function(self, call: Elementwise) -> str:
        """The name of a function such as the logistic, which the code defines."""
        key = call.func(z, *call.args[1:])
        if key not in self._calls:
            name = call.row.name
            while name in TAKEN or name in HELPERS or name in self.functions or name in self.variables.values():
                name += "_"
            self._calls[key] = name
            self.functions[name] = ""  # its place, before the functions that it calls itself
            formula = written(call.row, False).xreplace(constant_of(call)).xreplace({z: sympy.Symbol("z", real=True)})
            self.functions[name] = f"def {name}(z):\n    return {self.formula(formula)}"
        return self._calls[key]

    def formula(self, formula: sympy.Expr) -> str:
        """A SymPy formula."""
        return str(_Formulas(self).doprint(formula)).replace("numpy.", "np.").replace("math.", "np.")

    # ---- array expressions -------------------------------------------------------------------

    def text(self, expression: Expression) -> str:
        """An array expression."""
        match expression:
            case Ref(name):
                return self.variable(name)
            case Map():
                return self._map(expression)
            case Contract():
                return self._contract(expression)
            case Transpose(argument, axes):
                two = axes == (1, 0)
                return f"{self._atom(argument)}.T" if two else f"np.transpose({self.text(argument)}, {axes})"
            case Total(argument, axes, keepdims):
                whole = not keepdims and len(axes) == len(argument.shape)
                where = "" if whole else f", axis={axes[0] if len(axes) == 1 else axes}"
                return f"np.sum({self.text(argument)}{where}{', keepdims=True' if keepdims else ''})"
            case Softmax(argument, axis, _, logarithm):
                name = self.helper("log_softmax" if logarithm else "softmax")
                return f"{name}({self.text(argument)}, axis={axis})"
            case Reshape(argument, shape):
                return f"np.reshape({self.text(argument)}, {shape})"
            case _:
                return self._selection(expression)

    def _selection(self, expression: Expression) -> str:
        match expression:
            case Gather(arguments, positions):
                listed = "".join(f", {self.text(argument)}" for argument in arguments)
                return f"{self.helper('picked')}({self._kept(positions)}{listed})"
            case Scatter(argument, positions, offset, shape):
                places = self._kept(Positions(positions.array - offset))
                return f"{self.helper('scattered')}({self.text(argument)}, {places}, {shape})"
            case Largest(argument, axis, keepdims, _, mask):
                if mask:
                    return f"{self.helper('first_largest')}({self.text(argument)}, axis={axis})"
                return f"np.max({self.text(argument)}, axis={axis}{', keepdims=True' if keepdims else ''})"
        raise NotImplementedError(f"no code for a {type(expression).__name__}")

    def _kept(self, positions: Positions) -> str:
        for name, known in self.places.items():
            if known == positions:
                return name
        name = self.variable(f"places_{len(self.places) + 1}")
        self.places[name] = positions
        return name

    def _atom(self, expression: Expression) -> str:
        text = self.text(expression)
        return text if _is_whole(text) else f"({text})"

    def _map(self, expression: Map) -> str:
        if not expression.arguments:
            value = self.formula(expression.formula)
            if not expression.shape:
                return value
            return f"np.ones({expression.shape})" if value == "1" else f"np.full({expression.shape}, {value})"
        terms = expression.formula.args if isinstance(expression.formula, sympy.Add) else ()
        texts = {
            symbol: sympy.Symbol(self.text(argument) if symbol in terms else self._atom(argument), real=True)
            for symbol, argument in zip(expression.symbols, expression.arguments, strict=True)
        }
        made = self.formula(_renamed(expression.formula, texts))
        if np.broadcast_shapes(*(argument.shape for argument in expression.arguments)) != expression.shape:
            return f"np.broadcast_to({made}, {expression.shape})"
        return made

    def _contract(self, expression: Contract) -> str:
        (left, right), (first, second) = expression.axes, expression.arguments
        shared = set(left) & set(right)
        if len(left) == len(right) == len(expression.out) == 2 and len(shared) == 1 and len(set(left + right)) == 3:
            (inner,) = shared
            if expression.out[0] in right:
                left, right, first, second = right, left, second, first
            rows = self._atom(first) + ("" if left[1] == inner else ".T")
            return f"{rows} @ {self._atom(second)}{'' if right[0] == inner else '.T'}"
        axes = f"{','.join(expression.axes)}->{expression.out}"
        return f"np.einsum({axes!r}, {self.text(first)}, {self.text(second)})"


def _is_whole(text: str) -> bool:
    """Whether a text is a name or one call, so that it needs no parentheses."""
    text = text.removesuffix(".T")
    start = NAME.match(text)
    if start is None or start.end() == len(text):
        return start is not None
    depth = 0
    for position, sign in enumerate(text[start.end() :], start.end()):
        depth += (sign in "([") - (sign in ")]")
        if depth == 0:
            return position == len(text) - 1
    return False


def _renamed(formula: sympy.Expr, names: dict[sympy.Symbol, sympy.Symbol]) -> sympy.Expr:
    """Other symbols in the same places; nothing is put in another order or simplified."""
    if formula in names:
        return names[formula]
    if not formula.args:
        return formula
    arguments = [_renamed(each, names) for each in formula.args]
    if isinstance(formula, sympy.Add | sympy.Mul | sympy.Pow):
        return formula.func(*arguments, evaluate=False)
    return formula.func(*arguments)
