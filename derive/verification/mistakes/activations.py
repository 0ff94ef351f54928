"""Mistakes with the derivative of an activation."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import sympy
from sympy import Expr

from derive import arrays
from derive.functions import ACTIVATIONS, Activation, a, derivative, z
from derive.program import Expression, Map, Ref, Softmax
from derive.verification.edit import Edit, on_lines, replaced, times
from derive.verification.sheet import Sheet, flow
from derive.verification.structure import Squash, Structure

MASKED = ("relu", "leaky_relu", "elu", "selu")
"""Activations that are said to mask what is negative."""


def edits(structure: Structure) -> Iterator[Edit]:
    """The mistakes with each activation's derivative; of several in one layer (gates, time steps) in all at once."""
    groups: dict[tuple[int, str], list[Squash]] = {}
    for squash in structure.squashes:
        groups.setdefault((squash.layer, squash.name), []).append(squash)
    for (layer, _), squashes in groups.items():
        first = squashes[0]
        if first.row is None:
            yield from _softmax(structure, layer, squashes)
            yield from _only_in_gradients(structure, layer, squashes)
            continue
        gates = dict.fromkeys(structure.stem(each.target) for each in squashes)
        gates = gates if len(gates) > 1 else {}
        for mistake, variant, local in _wrong(first.row, first.constants):
            lines = {_line(structure, each): passed(each, local) for each in squashes}
            yield on_lines(mistake, layer, variant, lines, first.name)
            for stem in gates:
                own = {_line(structure, e): passed(e, local) for e in squashes if structure.stem(e.target) == stem}
                yield on_lines(mistake, layer, f"{variant}, of {stem} alone".removeprefix(", "), own)
        if first.row.name in MASKED:
            for variant, mask in (("", _by_gradient), ("both masks", _by_both)):
                masked = {_line(structure, each): mask(each) for each in squashes}
                yield on_lines("relu_mask_of_gradient", layer, variant, masked, first.name)
        if first.row.formula != z:
            yield from _only_in_gradients(structure, layer, squashes)


def _line(structure: Structure, squash: Squash) -> str:
    return flow(squash.source, squash.target, structure.program.error)


def passed(squash: Squash, local: Expr) -> Callable[[Sheet], Expression]:
    """The upstream gradient times a formula in z and a."""

    shape = squash.expression.shape
    net, out = Ref(squash.source, shape), Ref(squash.target, shape)
    symbols = {z: arrays.placeholder(net), a: arrays.placeholder(out)}
    used = tuple(part for symbol, part in ((z, net), (a, out)) if symbol in local.free_symbols)
    factor = Map(local.xreplace(symbols), tuple(arrays.placeholder(part) for part in used), used, shape)
    return lambda sheet: times(sheet.upstream(squash.target), factor)


def _wrong(row: Activation, constants: dict[Expr, Expr]) -> Iterator[tuple[str, str, Expr]]:
    """(mistake, variant, what stands where f′(z) belongs) for an activation; constants are filled in."""
    if row.formula == z:
        return
    right = derivative(row).xreplace(constants)
    in_net = sympy.diff(row.formula, z).xreplace(constants)
    yield "activation_derivative_missing", "", sympy.Integer(1)
    if row.name in MASKED:
        yield "relu_mask_missing", "", sympy.Integer(1)
    if right.has(a):
        yield "activation_derivative_of_net_form", "", right.xreplace({a: z})
    yield "activation_derivative_at_output", "", in_net.xreplace({z: a})
    yield "activation_derivative_twice", "", right**2
    for variant, half in _half_formed(right):
        yield "activation_derivative_half_formed", variant, half
    for other in ACTIVATIONS.values():
        if other.name == row.name or other.over_axis or other.formula == z:
            continue
        known = {} if other.constant is None else {other.constant: sympy.sympify(other.default)}
        for variant, wrong in _of_other(other):
            yield "activation_derivative_wrong_function", variant, wrong.xreplace(known)


def _of_other(other: Activation) -> Iterator[tuple[str, Expr]]:
    yield f"{other.name}′ at the net input", sympy.diff(other.formula, z)
    form = derivative(other)
    if form.has(a):
        yield f"{other.name}′ in the output", form


def _half_formed(right: Expr) -> Iterator[tuple[str, Expr]]:
    """Parts of a derivative in the output: one factor or term alone, or a sign inside turned."""
    if not right.has(a) or right.has(sympy.Piecewise):
        return
    found: list[Expr] = []
    if isinstance(right, sympy.Mul):
        found += list(right.args)
        found += [right.xreplace({part: _turned(part)}) for part in right.args if isinstance(part, sympy.Add)]
    elif isinstance(right, sympy.Add):
        found += [term for term in right.args if term.has(a)]
        found += [-term for term in right.args if term.has(a)]
        found.append(_turned(right))
        found += [right.xreplace({power: power.base}) for power in right.atoms(sympy.Pow)]
        found += [right.xreplace({power: power.base}) ** power.exp for power in right.atoms(sympy.Pow)]
    seen: set[Expr] = {right, sympy.S.One, sympy.S.NegativeOne}
    for half in found:
        if half not in seen and half.has(a):
            seen.add(half)
            yield str(half), half


def _turned(total: Expr) -> Expr:
    """A sum with the signs of the terms in a turned: 1 − a becomes 1 + a."""
    return sympy.Add(*(-term if term.has(a) else term for term in total.args))


def _by_gradient(squash: Squash) -> Callable[[Sheet], Expression]:
    """The gradient masked by its own sign, in place of the net input's."""

    def new(sheet: Sheet) -> Expression:
        upstream = sheet.upstream(squash.target)
        return arrays.elementwise(lambda g: sympy.Piecewise((g, g > 0), (0, True)), upstream)

    return new


def _by_both(squash: Squash) -> Callable[[Sheet], Expression]:
    """The right gradient, and of that only what is positive."""

    def new(sheet: Sheet) -> Expression:
        upstream = sheet.upstream(squash.target)
        return arrays.elementwise(
            lambda g, right: sympy.Piecewise((right, g > 0), (0, True)),
            upstream,
            sheet.line(flow(squash.source, squash.target, sheet.program.error)),
        )

    return new


def _only_in_gradients(structure: Structure, layer: int, squashes: list[Squash]) -> Iterator[Edit]:
    """The derivative missing from the gradients of the layer's own parameters, not from what is passed back; or twice.

    Where the layer has several activations, in all of them.
    """
    missing: dict[str, Callable[[Sheet], Expression]] = {}
    twice: dict[str, Callable[[Sheet], Expression]] = {}
    for squash in squashes:
        for name, target in _read_by_net(structure, layer, squash.source):
            if structure.program.shape(target) != structure.program.shape(squash.target):
                continue  # the net input is another shape of the product: nobody mixes up the two
            line = flow(name, target, structure.program.error)
            missing[line] = _renamed(line, target, squash.target)
            if squash.row is not None:
                twice[line] = _once_more(line, target, squash)
    if missing:
        yield on_lines("activation_derivative_missing", layer, "in the gradients alone", missing, squashes[0].name)
    if twice:
        yield on_lines("activation_derivative_twice", layer, "in the gradients alone", twice, squashes[0].name)


def _read_by_net(structure: Structure, layer: int, net: str) -> Iterator[tuple[str, str]]:
    """The weights and biases that a net input is made of, each with the array that it goes into first."""
    read = [(each.weight, each.target, each.layer) for each in structure.affine]
    read += [(each.name, each.target, each.layer) for each in structure.biases]
    for name, target, its_layer in read:
        reached = target == net or target.rpartition(".")[0] in (net, net.rpartition(".")[0])
        if its_layer == layer and reached and name in structure.program.parameters:
            yield name, target


def _once_more(line: str, target: str, squash: Squash) -> Callable[[Sheet], Expression]:
    assert squash.row is not None
    local = sympy.diff(squash.row.formula, z).xreplace(squash.constants)

    def new(sheet: Sheet) -> Expression:
        upstream, net = sheet.upstream(target), sheet.ref(squash.source)
        symbol = arrays.placeholder(net)
        slope = Map(local.xreplace({z: symbol}), (symbol,), (net,), net.shape)
        again = times(upstream, _in_shape_of(upstream, slope))
        return replaced(sheet.line(line), {upstream.name: again})

    return new


def _renamed(line: str, target: str, output: str) -> Callable[[Sheet], Expression]:
    def new(sheet: Sheet) -> Expression:
        right = sheet.upstream(target)
        return replaced(sheet.line(line), {right.name: _in_shape_of(right, sheet.upstream(output))})

    return new


def _in_shape_of(wanted: Ref, found: Expression) -> Expression:
    """The same elements as another array has them: a product may have its rows in one axis, which were in two."""
    return found if found.shape == wanted.shape else arrays.reshape(found, wanted.shape)


def _softmax(structure: Structure, layer: int, squashes: list[Squash]) -> Iterator[Edit]:
    lines = {_line(structure, each): each for each in squashes}

    def diagonal(squash: Squash) -> Callable[[Sheet], Expression]:
        return lambda sheet: times(
            sheet.upstream(squash.target),
            arrays.elementwise(lambda s: s * (1 - s), sheet.ref(squash.target)),
        )

    def missing(squash: Squash) -> Callable[[Sheet], Expression]:
        return lambda sheet: sheet.upstream(squash.target)

    def twice(squash: Squash) -> Callable[[Sheet], Expression]:
        assert isinstance(squash.expression, Softmax)
        axis = squash.expression.axis

        def back(s: Expression, g: Expression) -> Expression:
            total = arrays.total(times(s, g), (axis,), keepdims=True)
            return times(s, arrays.elementwise(lambda left, right: left - right, g, total))

        return lambda sheet: back(
            sheet.ref(squash.target), back(sheet.ref(squash.target), sheet.upstream(squash.target))
        )

    yield on_lines("softmax_jacobian_diagonal_only", layer, "", {n: diagonal(e) for n, e in lines.items()})
    yield on_lines("activation_derivative_missing", layer, "", {n: missing(e) for n, e in lines.items()})
    yield on_lines(
        "softmax_and_cross_entropy_both_differentiated",
        layer,
        "the Jacobian twice",
        {n: twice(e) for n, e in lines.items()},
    )
