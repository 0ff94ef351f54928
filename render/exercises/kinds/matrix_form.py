"""The matrix form: which shapes, which product, what is transposed."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

from derive.formula import Formula, Product, Side, Symbol, Transposed
from derive.scalars import Scalar
from render.compose.matrices import delta_formula
from render.compose.pen import paragraph, prose
from render.compose.structure import LayerView
from render.compose.vectors import back_through, delta_times_incoming, joined
from render.document import Equation, Inlines
from render.exercises.blanks import shown
from render.exercises.desk import Desk, Ground, Planned, split
from render.exercises.kind import Kind
from render.exercises.model import ChoiceAnswer, Exercise, Item, Option, SolutionStep


def candidates(ground: Ground) -> Iterator[tuple[Scalar, ...]]:
    """A weight of each layer, those first whose delta comes back through another layer; of other programs matrices."""
    if ground.views:
        hidden = sorted(ground.views, key=lambda view: (view.last, view.number))
        yield from ((view.weight_of(0, 0),) for view in hidden)
        return
    program = ground.derivation.program
    for name in program.parameters:
        if len(program.shape(name)) >= 2 and len(set(program.shape(name))) > 1:
            yield (Scalar(name, (0,) * len(program.shape(name))),)


def make(desk: Desk, planned: Planned) -> Exercise:
    """Which shape has ∂E/∂W, and which product is it?"""
    target, pen = planned.about[0], desk.pen
    questions = [_shape(desk, target)]
    if desk.views:
        view = desk.views[desk.derivation.program.variables[target.array].layer - 1]
        questions.append(_gradient(desk, view))
        if not view.last:
            questions.append(_way_back(desk, view, desk.views[view.number]))
    points = len(questions) if planned.points is None else planned.points
    shares = split(points, [1] * len(questions))
    letters = "abc" if len(questions) > 1 else [""]
    items, solution = [], []
    for letter, due, (label, options, step) in zip(letters, shares, questions, strict=False):
        items.append(Item(letter, label, ChoiceAnswer(tuple(desk.shuffled(options, f"options {letter}"))), due))
        solution.append(SolutionStep(step.blocks, due, step.criterion))
    opening = " Vectors are rows." if pen.notation.rows else " Vectors are columns."
    prompt = paragraph(
        "Think of {w} as a whole." + (opening if desk.views else "") + " What is right?", w=pen.array(target.array)
    )
    made = tuple(solution)
    return Exercise(planned.kind, "In matrices", (prompt,), tuple(items), made, shown(made, planned.blanks))


Question = tuple[Inlines, list[Option], SolutionStep]


def _shape(desk: Desk, target: Scalar) -> Question:
    pen, shape = desk.pen, desk.derivation.program.shape(target.array)
    others = [each for each in dict.fromkeys(permutations(shape)) if each != shape][:2]
    others += [(shape[0],), (shape[0] * shape[-1],) * 2, (shape[0] + 1, *shape[1:])]
    options = [Option(prose(_by(shape)), True, "Right: a gradient has an element for each element of what it is by.")]
    options += [Option(prose(_by(each)), False, "A gradient has the shape of what it is by.") for each in others[:3]]
    step = SolutionStep(
        (
            paragraph(
                "{gradient} has one element for each element of {w}, and so its shape: {shape}.",
                gradient=pen.array_gradient(target.array),
                w=pen.array(target.array),
                shape=_by(shape),
            ),
        ),
        criterion=prose("the shape"),
    )
    return prose("the shape of {it}", it=pen.array_gradient(target.array)), options, step


def _by(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape)) if len(shape) > 1 else f"a vector of {shape[0]}"


def _gradient(desk: Desk, view: LayerView) -> Question:
    pen = desk.pen
    delta, incoming = Symbol(pen.names.array_delta(view.net.name)), pen.array(view.incoming.name)
    right = delta_times_incoming(pen, delta, incoming)
    inner = joined(delta, Transposed(incoming)) if pen.notation.rows else joined(Transposed(delta), incoming)
    own = delta_times_incoming(pen, delta, pen.array(view.activation.name))
    wrong: list[tuple[Formula, str]] = [
        (delta_times_incoming(pen, incoming, delta), "That is the transpose of the gradient."),
        (inner, "That adds up what should stand apart: a row times a column is a number."),
        (Product((delta, incoming), "hadamard"), "⊙ goes element by element; every delta meets every incoming value."),
        (own, "That has the layer's own outputs, not what comes in."),
    ]
    options = [Option(prose("{f}", f=right), True, "Right: each delta times each value that comes in.")]
    options += [Option(prose("{f}", f=each), False, words) for each, words in wrong if each != right][:4]
    name = pen.array_gradient(view.weight.name)
    step = SolutionStep(
        (
            paragraph("Its element for a unit and an incoming value is the unit's delta times this value:"),
            Equation((Side(name, ""), Side(right))),
        ),
        criterion=prose("the product"),
    )
    return prose("{it}", it=name), options, step


def _way_back(desk: Desk, view: LayerView, following: LayerView) -> Question:
    pen = desk.pen
    weight, delta = pen.array(following.weight.name), Symbol(pen.names.array_delta(following.net.name))
    right = back_through(pen, following)
    own = pen.array(view.weight.name)
    forward = joined(delta, Transposed(weight)) if pen.notation.rows else joined(weight, delta)
    turned = joined(Transposed(weight), Transposed(delta)) if pen.notation.rows else joined(Transposed(delta), weight)
    other = joined(delta, own) if pen.notation.rows else joined(Transposed(own), delta)
    wrong: list[tuple[Formula, str]] = [
        (forward, "That takes the weights as the forward pass does; on the way back they stand the other way round."),
        (turned, "That is the transpose of what is asked for."),
        (other, "Those are the weights that come before the layer, not those behind it."),
    ]
    options = [Option(prose("{f}", f=right), True, "Right: each unit gathers from all units that it feeds.")]
    options += [Option(prose("{f}", f=each), False, words) for each, words in wrong if each != right][:3]
    name = Symbol(pen.names.array_delta(view.net.name))
    step = SolutionStep(
        (
            paragraph(
                "What comes back to the layer's outputs goes through the weights the other way round. Times the "
                "derivative of the activation it is the delta:"
            ),
            Equation((Side(name, ""), Side(delta_formula(pen, view, following)))),
        ),
        criterion=prose("the way back"),
    )
    return prose("what comes back to {a}", a=pen.array(view.activation.name)), options, step


KIND = Kind(
    "matrix_form",
    "shapes, products and transposes of the matrix form",
    candidates,
    make,
    numbers=False,
    nothing="it has no matrix of weights",
)
