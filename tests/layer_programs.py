"""Programs of layers alone, for the tests: E = Σ G·y of what comes out, on numbers drawn with a seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from derive.equations import parse
from derive.evaluate import unrolled, vectorised
from derive.layers import Stated, written_layers
from derive.program import Program, Ref, Variable
from derive.reverse import gradient_program

Arrays = dict[str, NDArray[np.float64]]


@dataclass(frozen=True)
class Network:
    program: Program
    output: str
    tokens: Any = None


def network(layers: Sequence[Stated], x: tuple[int, ...], tokens: Any = None, *, seeded: bool = True) -> Network:
    """The layers' program with E = Σ G·y (or half the sum of squares), by every given array."""
    inputs = Variable("x", x, "array")
    written = written_layers(layers, inputs, tokens)
    output = written[-1].output
    known = {"y": Ref(output.name, output.shape), "G": Ref("G", output.shape)}
    error = parse("E = sum(G * y)" if seeded else "E = 1/2 * sum(y**2)", known)
    variables = [inputs, *(variable for each in written for variable in each.variables)]
    equations = (*(equation for each in written for equation in each.equations), *error)
    variables += [Variable("G", output.shape)] if seeded else []
    defined = {equation.target for equation in equations}
    given = [v for v in variables if v.name not in defined]
    ordered = [*given, *(v for v in variables if v.name in defined), Variable("E", (), "error")]
    parameters = tuple(v.name for v in given if v.role != "mask" and v.name != "G" and not v.name.startswith("mask"))
    return Network(Program({v.name: v for v in ordered}, equations, "E", parameters), output.name, tokens)


def drawn(net: Network, seed: int) -> Arrays:
    """Numbers for every given array: normal, masks of 0 and 1."""
    rng = np.random.default_rng(seed)
    values = {name: rng.normal(size=net.program.shape(name)) for name in net.program.given}
    for name in values:
        if name.startswith("mask"):
            values[name] = (values[name] > 0).astype(float)
    return values


def evaluated(net: Network, values: Arrays, plain: bool = False) -> Arrays:
    """What comes out ("y") and every gradient, by NumPy code, or by plain floats."""
    program, gradient = net.program, gradient_program(net.program)
    equations = (*program.equations, *gradient.equations)
    names = [net.output, *(gradient.adjoints[name] for name in program.parameters)]
    keys = ["y", *program.parameters]
    shapes = [program.shape(net.output), *(program.shape(name) for name in program.parameters)]
    if not plain:
        found = vectorised.function(equations, list(program.given), names)(*(values[n] for n in program.given))
        return {key: np.asarray(value, float).reshape(s) for key, value, s in zip(keys, found, shapes, strict=True)}
    code = unrolled.function(
        equations, [(n, program.shape(n)) for n in program.given], list(zip(names, shapes, strict=True))
    )
    flat = np.array(code(*(float(v) for name in program.given for v in values[name].reshape(-1))))
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
    parts = np.split(flat, ends[:-1])
    return {key: part.reshape(shape) for key, part, shape in zip(keys, parts, shapes, strict=True)}
