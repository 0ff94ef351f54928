"""The questions that learners ask most, each answered where it arises and with this problem's own numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from flint import arb
from sympy import Rational

from derive import written
from derive.derivation import Derivation, differentiate
from derive.digits import Exact
from derive.formula import Call, Formula, Group, Negative, Number, Partial, Power, Product, Side, Sum
from derive.functions import LOSSES
from derive.scalars import Scalar
from render.compose import factors
from render.compose.pen import NUMERALS, Pen, Shown, count, equation, listed, paragraph, prose
from render.compose.structure import LayerView, local
from render.document import Block, Code, Inlines, Note

Notes = list[Block]


def _note(identifier: str, question: str | Inlines, *blocks: Block) -> Notes:
    return [Note(f"note-{identifier}", prose(question) if isinstance(question, str) else question, blocks)]


# ---- at the error ----------------------------------------------------------------------------


def why_half(pen: Pen, views: Sequence[LayerView]) -> Notes:
    """Why the ½, and what a sum or a mean changes."""
    name = pen.derivation.problem.loss.name
    if name == "half_squared_error":
        return _note(
            "half",
            "Why the ½?",
            paragraph(
                "For convenience only. The derivative of the square brings down a 2, and the ½ cancels it. Without it "
                "every gradient on this page "
                "would be twice as large, and half the learning rate would make the same step."
            ),
        )
    if name in ("squared_error", "mean_squared_error"):
        words = "There is no ½ in front of the square here, so the 2 that the derivative brings down stays."
        if name == "mean_squared_error" and views[-1].units > 1:
            words += f" The mean over {count(views[-1].units, 'output')} divides every gradient by {views[-1].units}; the sum would make them that much larger."
        return _note(
            "half",
            "Other texts have a ½ here. Does it matter?",
            paragraph(
                words
                + " Such a factor changes the length of a step and not its direction: it can always be made up for by the learning rate."
            ),
        )
    return []


def sum_or_mean(pen: Pen, views: Sequence[LayerView]) -> Notes:
    """Several examples: summed or averaged."""
    examples = views[0].examples
    if examples == 1:
        return []
    averaged = pen.derivation.problem.loss.over_examples == "mean"
    done, other = ("mean", "sum") if averaged else ("sum", "mean")
    factor = f"{examples} times as large" if averaged else f"{examples} times as small"
    return _note(
        "examples",
        f"Why the {done} over the examples, and not the {other}?",
        paragraph(
            f"Both are in use. With the {other} every gradient would be {factor}, and a learning rate changed by the "
            f"same factor would make exactly the same step. "
            "The mean has the advantage that the learning rate need not change when examples are added."
        ),
        paragraph(
            "The weights are updated once, after all the examples. Updating after each of them is possible too (it is "
            "then called stochastic, or online); the numbers "
            "come out differently, because each example then meets weights that the one before has already changed."
        ),
    )


# ---- the output layer ------------------------------------------------------------------------


def where_the_minus_comes_from(pen: Pen, out: Scalar) -> Notes:
    """The −1 of the inner derivative."""
    row = LOSSES[pen.derivation.problem.loss.name]
    if not row.name.endswith("squared_error"):
        return []
    a, t = pen.symbol(out), pen.symbol(Scalar("t", out.index))
    inner = Group(Sum((t, Negative(a))))
    outer: list[Formula] = [Number("2"), inner, Group(Negative(Number("1")))]
    half = row.name == "half_squared_error"
    if half:
        outer.insert(0, written.rational(Rational(1, 2)))
    result = Negative(inner) if half else Negative(Product((Number("2"), inner)))
    return _note(
        "minus",
        "Where does the minus sign come from?",
        paragraph(
            "{a} stands in the square with a minus sign, and the chain rule asks for the derivative of what is inside "
            "as well. It is −1:",
            a=a,
        ),
        equation((Side(Product(tuple(outer), "dot"), ""), Side(result))),
        paragraph(
            "If the difference is written the other way round, {b}, the minus sign is gone from both places, and the "
            "result is the same.",
            b=Sum((a, Negative(t))),
        ),
    )


def why_output_times_one_minus_output(pen: Pen, view: LayerView, net: Scalar, out: Scalar) -> Notes:
    """The derivative of the logistic function, and where it is taken."""
    if view.row.name != "logistic":
        return _why_tanh(pen, view, net, out)
    z, a = pen.symbol(net), pen.symbol(out)
    power = Call("exp", (Negative(z),))
    one = Number("1")
    below = Sum((one, power))
    steps = (
        Side(Call("logistic", (z,), prime=True), ""),
        Side(written.quotient(power, Power(below, Number("2")))),
        Side(Product((written.quotient(one, below), written.quotient(power, below)), "dot")),
        Side(Product((a, Group(Sum((one, Negative(a))))))),
    )
    blocks: list[Block] = [
        paragraph(
            "Differentiate the logistic function and take the fraction apart. The first part is the output; the "
            "second is what the output lacks to 1:"
        ),
        equation(steps),
    ]
    if pen.numbers:
        wrong = pen.show(lambda values: _logistic_slope(values[out.array][out.index]))
        blocks.append(
            paragraph(
                "The derivative is taken at the *net input*, {z}; it is only written with the output, which has been "
                "computed already. Putting the output into the "
                "function once more, as if {a} were a net input, is a common slip and gives {wrong} instead of "
                "{right}.",
                z=(Side(z, ""), pen.value(net).side),
                a=a,
                wrong=wrong.formula,
                right=pen.local(local(pen.derivation, out, net)).formula,
            )
        )
    return _note(
        "logistic",
        _why_logistic(pen),
        *blocks,
    )


def _why_logistic(pen: Pen) -> str:
    what = "out(1 − out)" if pen.notation.name == "mazur" else "the output times one minus the output"
    return f"Why {what}, and at which value?" if pen.numbers else f"Why {what}?"


def _logistic_slope(value: Exact) -> Exact:
    sigma = 1 / (1 + (-arb(value)).exp())
    return sigma * (1 - sigma)


def _why_tanh(pen: Pen, view: LayerView, net: Scalar, out: Scalar) -> Notes:
    if view.row.name != "tanh":
        return []
    z, a = pen.symbol(net), pen.symbol(out)
    square = Power(Call("tanh", (z,)), Number("2"))
    return _note(
        "tanh",
        "Why one minus the square?",
        paragraph(
            "By the quotient rule for tanh = sinh / cosh: {line}. The derivative is taken at the net input and only "
            "written with the output, which is known already.",
            line=(
                Side(Call("tanh", (z,), prime=True), ""),
                Side(Sum((Number("1"), Negative(square)))),
                Side(Sum((Number("1"), Negative(Power(a, Number("2")))))),
            ),
        ),
    )


def why_softmax_reaches_all(pen: Pen, view: LayerView, unit: int, example: int) -> Notes:
    """Why a weight of one output moves all the outputs."""
    if not view.row.over_axis:
        return []
    if view.row.logarithm:
        return _note(
            "softmax",
            "Why does a weight of one unit change the other outputs?",
            paragraph(
                "The probabilities, whose logarithms the outputs are, share a total of 1. If {net} grows, that of its "
                "unit takes a larger share and the others must give something up: their logarithms fall.",
                net=pen.symbol(view.net_of(unit, example)),
            ),
        )
    return _note(
        "softmax",
        "Why does a weight of one unit change the other outputs?",
        paragraph(
            "The outputs of softmax share a total of 1. If {net} grows, {out} takes a larger share and the others "
            "must give something up: that is why the derivative of another "
            "output is negative. The {n} derivatives by {net} add up to zero.",
            net=pen.symbol(view.net_of(unit, example)),
            out=pen.symbol(view.out_of(unit, example)),
            n=NUMERALS[view.units] if view.units < len(NUMERALS) else view.units,
        ),
    )


def why_zero_target_counts(pen: Pen, view: LayerView, unit: int, example: int) -> Notes:
    """With cross-entropy the error contains only the right class's output; the others learn all the same."""
    if pen.derivation.problem.loss.name != "categorical_cross_entropy" or not pen.numbers or not view.row.over_axis:
        return []
    target = pen.derivation.given["t"][example, unit]
    if target != 0:
        return []
    return _note(
        "zero-target",
        "The target of this unit is 0, and its own error is 0. Why does it have a gradient at all?",
        paragraph(
            "Because its net input changes the output of the right class, by the softmax. Its share {out} is wanted "
            "there, so its delta is positive and the step lowers its net input.",
            out=(Side(pen.symbol(view.out_of(unit, example)), ""), pen.value(view.out_of(unit, example)).side),
        ),
    )


def logistic_and_cross_entropy(pen: Pen, view: LayerView, net: Scalar, out: Scalar) -> Notes:
    """δ = a − t for the logistic function with binary cross-entropy."""
    if pen.derivation.problem.loss.name != "binary_cross_entropy" or view.row.name != "logistic":
        return []
    count_ = pen.loss_divisor
    a, t = pen.symbol(out), pen.symbol(Scalar("t", out.index))
    difference: Formula = Sum((a, Negative(t)))
    if count_ != 1:
        difference = written.quotient(difference, Number(str(count_)))
    sides = pen.line(pen.delta(net), difference, numbers=None, result=pen.gradient(net) if pen.numbers else None)
    return _note(
        "bce",
        "Is there no shorter way to this delta?",
        paragraph(
            "There is. The fractions of the first factor have {below} below the line, and the second factor is just "
            "that, so it cancels:",
            below=Product((a, Group(Sum((Number("1"), Negative(a)))))),
        ),
        equation(sides),
        paragraph(
            "This is why the two are used together: however far the unit is saturated, the delta does not vanish "
            "while the answer is wrong."
        ),
    )


# ---- the update ------------------------------------------------------------------------------


def why_the_old_weights(pen: Pen, views: Sequence[LayerView]) -> Notes:
    """Why the original output weights, and what comes out otherwise."""
    problem = pen.derivation.problem
    if (
        problem.update is None
        or not pen.plain_update
        or len(views) < 2
        or not pen.numbers
        or problem.update.order != "simultaneous"
    ):
        return []
    before = views[-2].weight.name
    last = views[-1].weight
    if last.name not in pen.derivation.trained or before not in pen.derivation.trained:
        return []
    other = _sequential(pen.derivation)
    first = Scalar(before, (0, 0))
    changed = next(
        (s for s in pen.derivation.graph.scalars(before) if pen.after(s) != pen.value(s, other.after_update)), first
    )
    error = Scalar(pen.derivation.program.error, ())
    unit = changed.index[0]
    used = pen.symbol(views[-1].weight_of(0, unit))
    return _note(
        "old-weights",
        prose("Why is the old {used} used for {w}, and not the new one?", used=used, w=pen.symbol(changed)),
        paragraph(
            "A gradient says how the error changes at *one* place, the weights as they are now. With the output weights already updated, {w} would become {there} instead of {here}: that is not "
            "a step against the gradient, neither at the old weights nor at the new ones. The error after the step would be {error_there} instead of {error_here}. {remark}",
            remark=_remark(pen.value(error, other.after_update), pen.value(error, pen.derivation.after_update)),
            w=pen.updated(changed),
            there=pen.value(changed, other.after_update).formula,
            here=pen.after(changed).formula,
            error_there=pen.value(error, other.after_update).formula,
            error_here=pen.value(error, pen.derivation.after_update).formula,
        ),
    )


def _sequential(derivation: Derivation) -> Derivation:
    update = derivation.problem.update
    return differentiate(
        replace(derivation.problem, update=None if update is None else replace(update, order="sequential"))
    )


def why_my_number_differs(pen: Pen, view: LayerView, weight: Scalar, example: int) -> Notes:
    """Rounding on the way, with three decimals carried."""
    if not pen.numbers or view.row.over_axis or view.examples > 1:
        return []
    unit, column = weight.index
    net, out, source = view.net_of(unit, example), view.out_of(unit, example), view.in_of(column, example)
    numbers = [pen.gradient(out), pen.local(local(pen.derivation, out, net)), pen.value(source)]
    rounded = [round(Fraction(number.text), 3) for number in numbers]
    product = rounded[0] * rounded[1] * rounded[2]
    exact = pen.gradient(weight)
    if product == 0 or Fraction(exact.text) == 0 or abs(product - Fraction(exact.text)) < Fraction(1, 10**8):
        return []
    good = _same_digits(product, Fraction(exact.text))
    shown = [pen.fraction(value) for value in rounded]
    return _note(
        "rounding",
        "My result differs in the last digits. Is it wrong?",
        paragraph(
            "Probably not. Here all digits are carried along and only the printed number is rounded. With factors rounded to three decimals the product is {line}, not {exact}: "
            "{digits} agree, and what follows is lost. If yours differs by more than rounding explains, look at the order of the update, at the sign, and at which weights were used.",
            digits=count(good, "significant digit") if good else "no digits",
            line=(Side(Product(tuple(each.formula for each in shown), "dot"), ""), pen.fraction(product).side),
            exact=exact.formula,
        ),
    )


# ---- the hidden layers -----------------------------------------------------------------------


def why_paths_are_added(pen: Pen, view: LayerView, following: LayerView, unit: int, example: int) -> Notes:
    """Several ways to the error: their effects add up."""
    feeds = factors.paths(pen, following, unit, example)
    if len(feeds) < 2:
        return []
    names: Inlines = listed([pen.symbol(net) for net, _ in feeds])
    if len(feeds) > 4:
        names = prose("{first}, …, {last}", first=pen.symbol(feeds[0][0]), last=pen.symbol(feeds[-1][0]))
    return _note(
        f"paths-{view.number}",
        "Why are the paths added, and which ones?",
        paragraph(
            "A small change of {out} changes {nets} at the same time, and each of them changes the error. For "
            "small changes the effects simply add up: one term for each unit into "
            "which {out} goes, whether it raises the error or lowers it. What does not lead from {out} to the error "
            "has no part in it.",
            out=pen.symbol(view.out_of(unit, example)),
            nets=names,
        ),
    )


def why_deltas_are_enough(pen: Pen, views: Sequence[LayerView], view: LayerView) -> Notes:
    """With more layers: the deltas of the next layer sum up everything behind it."""
    if len(views) - view.number < 2:
        return []
    paths = 1
    for later in views[view.number :]:
        paths *= later.units
    return _note(
        f"deep-{view.number}",
        "Should I not follow every path to the end?",
        paragraph(
            "You could: there are {paths} of them from a unit of this layer to the outputs. But all that lies behind "
            "a unit of the next layer is summed up in that unit's delta already. "
            "To use it instead of walking the paths again is the whole economy of backpropagation.",
            paths=f"{paths:,}".replace(",", " "),
        ),
    )


def why_the_gradients_shrink(pen: Pen, weight: Scalar, compared: Scalar, views: Sequence[LayerView]) -> Notes:
    """Why a hidden weight's gradient is smaller than an output weight's, factor by factor."""
    if not pen.numbers or views[0].examples > 1 or views[-1].row.over_axis:
        return []
    small, large = pen.gradient(weight), pen.gradient(compared)
    if Fraction(small.text) == 0 or abs(Fraction(large.text) / Fraction(small.text)) < 3:
        return []
    times = round(abs(Fraction(large.text) / Fraction(small.text)))
    mine, theirs = (_three_factors(pen, views, each) for each in (weight, compared))
    logistic = all(view.row.name == "logistic" for view in views)
    return _note(
        "shrink",
        prose("Why is this gradient so much smaller than that of {w}?", w=pen.symbol(compared)),
        paragraph(
            "It is about {times} times smaller. Factor by factor: what comes back to the output is {a1} here and {b1} there, the derivative of the activation {a2} and {b2}, "
            "and what comes in over the weight {a3} and {b3}.",
            times=times,
            a1=mine[0].formula,
            b1=theirs[0].formula,
            a2=mine[1].formula,
            b2=theirs[1].formula,
            a3=mine[2].formula,
            b3=theirs[2].formula,
        ),
        *(
            [
                paragraph(
                    "The middle one is never more than ¼ for the logistic function, and with every layer further back there is one more of them: in deep networks of such units little "
                    "arrives at the first layers. This is known as the vanishing gradient."
                )
            ]
            if logistic
            else []
        ),
    )


def _three_factors(pen: Pen, views: Sequence[LayerView], weight: Scalar) -> tuple[Shown, Shown, Shown]:
    view = next(view for view in views if view.weight.name == weight.array)
    unit, column = weight.index
    net, out = view.net_of(unit), view.out_of(unit)
    return pen.gradient(out), pen.local(local(pen.derivation, out, net)), pen.value(view.in_of(column))


def _same_digits(left: Fraction, right: Fraction) -> int:
    digits = 0
    while digits < 9 and abs(left - right) < abs(right) / 10 ** (digits + 1):
        digits += 1
    return digits


def _remark(mixed: Shown, proper: Shown) -> str:
    """What the two errors say, and what they do not."""
    if Fraction(mixed.text) < Fraction(proper.text):
        return "That it comes out lower here is chance; nothing makes it so."
    if Fraction(mixed.text) - Fraction(proper.text) < Fraction(proper.text) / 1000:
        return "The two lie close together because the step is small."
    return ""


def where_the_logarithm_goes(pen: Pen, out: Scalar) -> Notes:
    """The derivative of a cross-entropy, term by term."""
    name = pen.derivation.problem.loss.name
    if not name.endswith("cross_entropy"):
        return []
    a, t = pen.symbol(out), pen.symbol(Scalar("t", out.index))
    one = Number("1")
    rest = Sum((one, Negative(a)))
    divisor = pen.loss_divisor
    lines = [
        paragraph("The derivative of {ln} is {inverse}:", ln=Call("log", (a,)), inverse=written.quotient(one, a)),
        equation(
            (Side(Partial(Negative(Product((t, Call("log", (a,))))), a), ""), Side(Negative(written.quotient(t, a))))
        ),
    ]
    if name == "binary_cross_entropy":
        other = Sum((one, Negative(t)))
        lines += [
            paragraph(
                "In the other part {a} stands with a minus sign inside the logarithm, and the chain rule brings it out:",
                a=a,
            ),
            equation(
                (
                    Side(Partial(Negative(Product((Group(other), Call("log", (rest,))))), a), ""),
                    Side(written.quotient(other, rest)),
                )
            ),
        ]
    if divisor != 1:
        lines.append(
            paragraph(
                "The factor {share} in front is that of the mean.", share=written.quotient(one, Number(str(divisor)))
            )
        )
    return _note("logarithm", "Where do these fractions come from?", *lines)


def dead_units(pen: Pen, view: LayerView) -> Notes:
    """ReLU units that let nothing through."""
    if view.row.name != "relu":
        return []
    blocks: list[Block] = [
        paragraph(
            "The rectifier is flat for negative net inputs: a small change there changes nothing behind it, so the "
            "derivative is 0, and with it the delta and the gradients of all weights into the unit. "
            "For positive ones the output *is* the net input, and the derivative is 1. At exactly 0 there is a kink "
            "and no derivative; by convention it is taken as 0."
        )
    ]
    if pen.numbers:
        dead = [
            (u, e)
            for e in range(view.examples)
            for u in range(view.units)
            if pen.value(view.net_of(u, e)).text.startswith("-")
        ]
        if dead:
            unit, example = dead[0]
            blocks.append(
                paragraph(
                    "Here {unit} is such a unit: {net}. It does not learn from this example; a unit that is so for "
                    "every example never learns again, and is called dead.",
                    unit=pen.unit(view.net_of(unit)),
                    net=(Side(pen.symbol(view.net_of(unit, example)), ""), pen.value(view.net_of(unit, example)).side),
                )
            )
    return _note(f"relu-{view.number}", "What does ReLU do on the way back?", *blocks)


# ---- the biases ------------------------------------------------------------------------------


def how_the_biases_would_move(pen: Pen, views: Sequence[LayerView]) -> Notes:
    """What the update would make of biases that are held fixed."""
    update = pen.derivation.problem.update
    held = [v.bias.name for v in views if v.bias is not None and v.bias.name not in pen.derivation.trained]
    if update is None or not held or not pen.numbers:
        return []
    scalars = [s for name in held for s in pen.derivation.graph.scalars(name)][:3]
    lines = []
    for s in scalars:
        new = pen.moved(s)
        numbers = Sum((pen.number(s), Negative(Product((pen.rate.formula, pen.gradient(s).formula), "dot"))))
        lines.append(equation((Side(pen.updated(s), ""), Side(numbers), new.side)))
    return _note(
        "biases",
        "How would the biases move?",
        paragraph("By the same rule as every weight, against their gradients:"),
        *lines,
        paragraph("Set {key} to let them.", key=Code('biases = "updated"')),
    )
