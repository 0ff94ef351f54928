"""The questions that learners ask of networks with memory, windows, attention or normalization, where they arise."""

from __future__ import annotations

from collections.abc import Callable

from derive.formula import Formula, Negative, Number, Product, Side, Sum
from derive.functions import ACTIVATIONS
from derive.program import Largest, Softmax, references
from derive.scalars import Scalar
from render.compose.network.operations import convolution, functions
from render.compose.network.plan import Entry, Plan
from render.compose.pen import equation, paragraph, prose
from render.compose.topics import TOPICS
from render.document import Block, Note


def _note(identifier: str, question: str, *blocks: Block) -> list[Note]:
    return [Note(f"note-{identifier}", prose(question), blocks)]


def on_the_way(plan: Plan, entry: Entry, scalar: Scalar) -> list[Note]:
    """The notes beside the gradient of an array on the way."""
    return [note for ask in ON_THE_WAY for note in ask(plan, entry, scalar)]


def of_parameter(plan: Plan, name: str, scalar: Scalar) -> list[Note]:
    """The notes beside the gradient of a parameter."""
    return [note for ask in OF_PARAMETERS for note in ask(plan, name, scalar)]


def _readers(plan: Plan, name: str) -> list[Entry]:
    return [entry for entry in plan.entries if name in references(entry.equation.expression)]


# ---- on the way ------------------------------------------------------------------------------


def _jacobian_row(plan: Plan, entry: Entry, scalar: Scalar) -> list[Note]:
    """What softmax's derivatives are."""
    step = plan.pen.derivation.gradient_steps.get(scalar)
    if step is None or not step.terms:
        return []
    factor = step.terms[0].factors[-1]
    reader = plan.by_name[factor.of.array]
    expression = reader.equation.expression
    if not isinstance(expression, Softmax) or expression.shape[expression.axis] < 2:
        return []
    own, other = _pair(expression, factor.of)
    symbol = plan.pen.symbol
    if expression.logarithm:
        return _note(
            "softmax",
            "Why does every result depend on every score?",
            paragraph(
                "The sum under the logarithm is made of all the scores. A score therefore moves its own result by 1 less its "
                "share of the sum, and every other result by its share, downwards. That is why the gradient of a score is "
                "what arrives at its own place, less its share of all that arrives."
            ),
        )
    first, second = symbol(Scalar(reader.name, own)), symbol(Scalar(reader.name, other))
    one_less: Formula = Sum((Number("1"), Negative(first)))
    return _note(
        "softmax",
        "What is a row of softmax's Jacobian?",
        paragraph(
            "The results of one softmax add up to 1, so no score can change one of them alone. A score moves its own result "
            "and takes from the others. The derivatives of all results by all scores make a matrix, the *Jacobian*. In the "
            "row of {first} the entry for its own score is",
            first=first,
        ),
        equation((Side(Product((first, one_less)), ""),)),
        paragraph("and the entry for another, whose result is {second},", second=second),
        equation((Side(Negative(Product((first, second))), ""),)),
        paragraph("Every row adds up to 0: when all scores grow by the same amount, nothing changes."),
    )


def _pair(expression: Softmax, of: Scalar) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The index of a result and that of another of the same row."""
    axis = expression.axis
    other = (of.index[axis] + 1) % expression.shape[axis]
    return of.index, (*of.index[:axis], other, *of.index[axis + 1 :])


def _relu_stops(plan: Plan, entry: Entry, scalar: Scalar) -> list[Note]:
    """Why a rectifier's zero stops the error."""
    found = {name for reader in _readers(plan, entry.name) for name in functions(reader.equation.expression)}
    if "relu" not in found or not ACTIVATIONS["relu"].kink:
        return []
    return _note(
        "relu",
        "Why does nothing come back where ReLU gives zero?",
        paragraph(
            "Where the net input is negative, the rectifier answers 0, and it still does when the net input changes a little. Its "
            "derivative there is 0, and so is every product with it: the weights before it learn nothing from this "
            "place. At 0 itself the derivative is taken as 0 too."
        ),
    )


def _lstm_memory(plan: Plan, entry: Entry, scalar: Scalar) -> list[Note]:
    """Why the cell state keeps the error alive."""
    found = plan.topic(entry)
    if found is None or found[0].called != "LSTM" or found[1] != "c":
        return []
    if not any((other := plan.topic(reader)) is not None and other[1] == "c" for reader in _readers(plan, entry.name)):
        return []
    return _note(
        "memory",
        "Why does the gradient of an LSTM not vanish as fast?",
        paragraph(
            "From one cell state to the one before, the error is multiplied with the forget gate and with nothing else: no "
            "weight matrix and no derivative of a squashing function lies on this path. A forget gate close to 1 lets the "
            "error through almost unchanged over many steps. In a plain recurrent network every step multiplies it with "
            "the recurrent weights and with a derivative that is at most 1, and after many steps little is left."
        ),
    )


def _vanishing(plan: Plan, entry: Entry, scalar: Scalar) -> list[Note]:
    """Why a plain recurrent net forgets."""
    later = [other for other in _readers(plan, entry.name) if other.time is not None and other.time != entry.time]
    found = plan.topic(entry)
    unknown = found is None or found[0].called == TOPICS["rnn"].called
    plain = bool(later) and entry.name in plan.families and unknown
    if not (plain or (entry.kind == "rnn" and entry.stem == "h" and later)):
        return []
    return _note(
        "vanishing",
        "Why do early time steps learn so little?",
        paragraph(
            "Each step back multiplies the error with the recurrent weights and with the derivative of the activation "
            "function, which is at most 1 for tanh and at most ¼ for the logistic function. After many steps the product "
            "is very small, or, with large weights, very large: the gradient vanishes or explodes."
        ),
    )


def _winner(plan: Plan, entry: Entry, scalar: Scalar) -> list[Note]:
    """Why only the winner of a maximum has a gradient."""
    if not any(isinstance(reader.equation.expression, Largest) for reader in _readers(plan, entry.name)):
        return []
    return _note(
        "winner",
        "Why do the losers of a window get nothing?",
        paragraph(
            "When a value that is not the largest changes a little, the largest stays what it is. So the derivative of the "
            "maximum is 1 by the winner and 0 by all the others. Where two are equally large, the first counts as the winner."
        ),
    )


def _three_paths(plan: Plan, entry: Entry, scalar: Scalar) -> list[Note]:
    """The three ways through a normalization."""
    stems = {plan.by_name[r.name].stem for r in _readers(plan, entry.name) if r.kind in ("layer_norm", "batch_norm")}
    if not {"m", "v"} <= stems:
        return []
    return _note(
        "three-paths",
        "Why three paths through a normalization?",
        paragraph(
            "A value counts in three ways: it is normalized itself, it is part of the mean, and it is part of the variance. "
            "The chain rule adds the three. Together they take out of the gradient what the normalization takes out of the "
            "values: a common shift of the values changes nothing that goes on, so the gradients of the values that are "
            "normalized together add up to 0."
        ),
    )


# ---- at the parameters -----------------------------------------------------------------------


def _shared(plan: Plan, name: str, scalar: Scalar) -> list[Note]:
    """Why the gradient of what is used several times is a sum."""
    step = plan.pen.derivation.gradient_steps.get(scalar)
    if step is None or len(step.terms) < 2:
        return []
    positions = any(convolution(reader.equation.expression) for reader in _readers(plan, name))
    words = "at every place of the image" if positions else "more than once"
    return _note(
        "shared",
        "Why is the gradient of a shared weight a sum?",
        paragraph(
            f"The same number is used {words}. Imagine a copy of it at each place: each copy would have a gradient of its "
            "own, its row of the table. But the copies cannot move one by one. When the number moves, all of them move, "
            "and the error changes by all the parts together."
        ),
    )


def _looked_up(plan: Plan, name: str, scalar: Scalar) -> list[Note]:
    """Why most rows of an embedding stay as they are."""
    if not any(reader.kind == "embedding" for reader in _readers(plan, name)):
        return []
    steps = plan.pen.derivation.gradient_steps
    read = {each.index[0] for each in plan.pen.derivation.graph.scalars(name) if each in steps and steps[each].terms}
    if len(read) == plan.program.shape(name)[0]:
        return []
    return _note(
        "looked-up",
        "Why is the gradient of some words zero?",
        paragraph(
            "The row of a word that does not occur was never read. The error does not depend on it, so its gradient is zero."
        ),
    )


ON_THE_WAY: tuple[Callable[[Plan, Entry, Scalar], list[Note]], ...] = (
    _jacobian_row,
    _relu_stops,
    _lstm_memory,
    _vanishing,
    _winner,
    _three_paths,
)
OF_PARAMETERS: tuple[Callable[[Plan, str, Scalar], list[Note]], ...] = (_shared, _looked_up)
