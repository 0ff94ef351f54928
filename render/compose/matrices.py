"""Part 7, the matrix form: the program read by array, written with columns or rows, and its numbers in matrices."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from derive.formula import (
    Call,
    Formula,
    Fraction,
    Group,
    Matrix,
    Negative,
    Number,
    Product,
    Side,
    Sum,
    Symbol,
)
from derive.quantities import reads
from derive.scalars import Scalar
from derive.written import formula
from render.compose import factors
from render.compose.pen import Pen, Shown, equation, paragraph, prose
from render.compose.structure import LayerView
from render.compose.vectors import (
    back_through,
    bias_gradient,
    delta_times_incoming,
    how_vectors_stand,
    over_units,
    spread_bias,
    times_weights,
)
from render.document import Block, Inlines, Section

WIDEST = 6
"""A matrix with more rows or columns than this is given by its shape."""


def matrix_part(pen: Pen, views: Sequence[LayerView]) -> Section:
    """Forward and backward pass with one equation a layer."""
    single = views[0].examples == 1
    blocks: list[Block] = [
        paragraph(
            "Everything so far was done unit by unit. With vectors and matrices it fits on a few lines. "
            + how_vectors_stand(pen, single)
            + " The weight matrix {w} has a row for each unit and a column for each value that comes in"
            + ("; the product takes it transposed" if pen.notation.rows else "")
            + ". {z} are the net inputs and {a} the outputs of the first layer; ⊙ multiplies element by element{ones}.",
            a=pen.array(views[0].activation.name),
            ones=_ones_in_words(pen, views),
            x=pen.array("x"),
            z=pen.array(views[0].net.name),
            w=pen.array(views[0].weight.name),
            n=views[0].examples,
        )
    ]
    forward = [block for view in views for block in _forward(pen, view)]
    backward = [block for view in reversed(views) for block in _backward(pen, views, view)]
    return Section(
        "matrix",
        prose("The same in matrices"),
        (
            *blocks,
            Section("matrix-forward", prose("Forward"), tuple(forward)),
            Section(
                "matrix-backward",
                prose("Backward"),
                (
                    paragraph(
                        "Backward, from the last layer to the first. The deltas of a layer's units stand in a {thing}, "
                        "beginning with {delta}:",
                        thing="vector" if single else "matrix",
                        delta=Symbol(pen.names.array_delta(views[-1].net.name)),
                    ),
                    *backward,
                ),
            ),
        ),
    )


def _ones_in_words(pen: Pen, views: Sequence[LayerView]) -> Inlines:
    """What the bold one is, where a bias needs it."""
    if not any(view.bias is not None and (not view.bias.shape or view.examples > 1) for view in views):
        return ()
    return prose(
        ", and {one} is a vector of ones, which gives every unit or example the same bias",
        one=Symbol(pen.names.notation.ones),
    )


def _forward(pen: Pen, view: LayerView) -> list[Block]:
    activation = (
        Call(view.row.name, (pen.array(view.net.name),)) if view.row.name != "identity" else pen.array(view.net.name)
    )
    return [
        equation(
            _with_numbers(
                pen, pen.array(view.net.name), net_formula(pen, view), view.net.name, _net_numbers(pen, view)
            ),
            f"eq-matrix-{view.net.name}",
        ),
        equation(
            _with_numbers(pen, pen.array(view.activation.name), activation, view.activation.name, None),
            f"eq-matrix-{view.activation.name}",
        ),
    ]


def net_formula(pen: Pen, view: LayerView) -> Formula:
    """W x + b, or x Wᵀ + b, the bias spread over the units and examples that share it."""
    product = times_weights(pen, pen.array(view.weight.name), pen.array(view.incoming.name))
    return product if view.bias is None else Sum((product, spread_bias(pen, view, pen.array(view.bias.name))))


def _net_numbers(pen: Pen, view: LayerView) -> Formula | None:
    weight, incoming = _matrix(pen, view.weight.name), _matrix(pen, view.incoming.name)
    if not pen.numbers or weight is None or incoming is None:
        return None
    if view.bias is None:
        return times_weights(pen, weight, incoming)
    bias = pen.number(Scalar(view.bias.name, ())) if not view.bias.shape else _matrix(pen, view.bias.name)
    return None if bias is None else Sum((times_weights(pen, weight, incoming), spread_bias(pen, view, bias)))


def _backward(pen: Pen, views: Sequence[LayerView], view: LayerView) -> list[Block]:
    following = None if view.last else views[view.number]
    delta = Symbol(pen.names.array_delta(view.net.name))
    adjoint = pen.derivation.gradient.adjoints
    blocks: list[Block] = [
        equation(
            _with_numbers(pen, delta, delta_formula(pen, view, following), adjoint[view.net.name], None),
            f"eq-matrix-delta-{view.number}",
        ),
        equation(
            _with_numbers(
                pen,
                pen.array_gradient(view.weight.name),
                delta_times_incoming(pen, delta, pen.array(view.incoming.name)),
                adjoint[view.weight.name],
                _outer(pen, view),
            ),
            f"eq-matrix-gradient-{view.weight.name}",
        ),
    ]
    if view.bias is not None:
        blocks.append(
            equation(
                _with_numbers(
                    pen,
                    pen.array_gradient(view.bias.name),
                    bias_gradient(pen, view, delta),
                    adjoint[view.bias.name],
                    None,
                ),
                f"eq-matrix-gradient-{view.bias.name}",
            )
        )
    return blocks


def _outer(pen: Pen, view: LayerView) -> Formula | None:
    adjoint = pen.derivation.gradient.adjoints[view.net.name]
    left, right = (
        _matrix(pen, adjoint, across=pen.notation.rows),
        _matrix(pen, view.incoming.name, across=not pen.notation.rows),
    )
    return None if left is None or right is None else Product((left, right))


def delta_formula(pen: Pen, view: LayerView, following: LayerView | None) -> Formula:
    """What comes back to the layer's outputs, times the derivative of its activation, element by element."""
    if view.row.over_axis:
        return _softmax_delta(pen, view, following)
    if following is None and view.row.name == "logistic" and pen.derivation.problem.loss.name == "binary_cross_entropy":
        return _difference(pen, view)  # a(1 − a) cancels
    upstream = _loss_by_outputs(pen, view) if following is None else back_through(pen, following)
    slope = _slope(pen, view)
    return upstream if slope is None else _hadamard(upstream, slope)


def _hadamard(left: Formula, right: Formula) -> Formula:
    first = (
        Group(left)
        if isinstance(left, Sum | Negative) or (isinstance(left, Product) and left.sign != "hadamard")
        else left
    )
    rest = right.factors if isinstance(right, Product) and right.sign == "hadamard" else (right,)
    return Product((first, *rest), "hadamard")


def _loss_by_outputs(pen: Pen, view: LayerView) -> Formula:
    """∂E/∂a of the output layer with arrays for the symbols of one element."""
    out = view.out_of(0)
    expression = factors.loss_derivative(pen, out).doit()
    graph = pen.derivation.graph
    arrays = {graph.symbol(out): pen.array(view.activation.name), graph.symbol(Scalar("t", out.index)): pen.array("t")}
    return formula(expression, arrays)


def _slope(pen: Pen, view: LayerView) -> Formula | None:
    """f′ as an array: in the outputs where the derivative is stated in them, else f′(z)."""
    a, z = pen.array(view.activation.name), pen.array(view.net.name)
    one = Number("1")
    forms: dict[str, Callable[[], Formula | None]] = {
        "identity": lambda: None,
        "logistic": lambda: Product((a, Group(Sum((one, Negative(a))))), "hadamard"),
        "tanh": lambda: Group(Sum((one, Negative(Product((a, a), "hadamard"))))),
    }
    return forms[view.row.name]() if view.row.name in forms else Call(view.row.name, (z,), prime=True)


def _softmax_delta(pen: Pen, view: LayerView, following: LayerView | None) -> Formula:
    a, problem = _probabilities(pen, view), pen.derivation.problem
    if following is None and (view.row.name, problem.loss.name) in factors.BECOMES_DIFFERENCE and _targets_add_up(pen):
        return _difference(pen, view)
    upstream = _loss_by_outputs(pen, view) if following is None else back_through(pen, following)
    if view.row.logarithm:
        return Sum((upstream, Negative(_hadamard(a, Group(over_units(pen, upstream))))))
    inner = Product((a, Group(upstream)), "hadamard")
    spread = over_units(pen, inner)
    return Sum((inner, Negative(Product((a, Group(spread)), "hadamard"))))


def _probabilities(pen: Pen, view: LayerView) -> Formula:
    """What softmax makes of the net inputs: the outputs, or the exponentials of those that are logarithms."""
    a = pen.array(view.activation.name)
    return Call("exp", (a,)) if view.row.logarithm else a


def _difference(pen: Pen, view: LayerView) -> Formula:
    """a − t, divided by what the means divide by; of the logarithm of softmax eᵃ − t."""
    difference = Sum((_probabilities(pen, view), Negative(pen.array("t"))))
    divisor = pen.loss_divisor
    return difference if divisor == 1 else Fraction(difference, Number(str(divisor)))


def _targets_add_up(pen: Pen) -> bool:
    targets = pen.derivation.given.get("t")
    return targets is not None and all(sum(row[1:], row[0]) == 1 for row in targets)


def _with_numbers(pen: Pen, left: Formula, right: Formula, name: str, numbers: Formula | None) -> tuple[Side, ...]:
    sides = [Side(left, ""), Side(right)]
    if pen.numbers:
        if numbers is not None:
            sides.append(Side(numbers))
        result = _matrix(pen, name)
        if result is not None:
            sides.append(Side(result, "=" if _exact(pen, name) else "≈"))
    return tuple(sides)


def _entries(pen: Pen, name: str) -> list[list[Shown]] | None:
    """The numbers of an array as it stands in the matrix form, or None where it is too large."""
    values = pen.derivation.enclosures.at(128)[name]
    shape = values.shape
    if any(size > WIDEST for size in shape):
        return None

    def shown(*index: int) -> Shown:
        return pen.show(reads(name, tuple(index)))

    if not shape:
        return [[shown()]]
    if len(shape) == 1:
        vector = [shown(i) for i in range(shape[0])]
        return [vector] if pen.notation.rows else [[each] for each in vector]
    rows = [[shown(i, j) for j in range(shape[1])] for i in range(shape[0])]
    upright = _per_example(pen, name) and not pen.notation.rows
    return [list(column) for column in zip(*rows, strict=True)] if upright else rows


def _per_example(pen: Pen, name: str) -> bool:
    of_adjoint = {adjoint: array for array, adjoint in pen.derivation.gradient.adjoints.items()}
    return pen.derivation.program.variables[of_adjoint.get(name, name)].per_example


def _exact(pen: Pen, name: str) -> bool:
    entries = _entries(pen, name)
    return entries is not None and all(each.exact for row in entries for each in row)


def _matrix(pen: Pen, name: str, *, across: bool = False) -> Formula | None:
    """The numbers of an array in brackets (a bare number for a scalar)."""
    if not pen.numbers:
        return None
    entries = _entries(pen, name)
    if entries is None:
        return None
    if not pen.derivation.enclosures.at(128)[name].shape:
        return entries[0][0].formula
    rows = [tuple(each.formula for each in row) for row in entries]
    return Matrix(tuple(zip(*rows, strict=True))) if across else Matrix(tuple(rows))
