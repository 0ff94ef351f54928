"""The update of any network, training, and how the numbers were checked."""

from __future__ import annotations

from derive.formula import Matrix, Side
from derive.scalars import Scalar
from render.compose import rules
from render.compose.checking import checks_table
from render.compose.factors import update_line
from render.compose.network import arrays, terms
from render.compose.network.forward import key
from render.compose.network.opening import described
from render.compose.network.plan import Plan
from render.compose.pen import equation, listed, paragraph, prose
from render.compose.tables import Cell, table
from render.document import Block, Section

BESIDE = 2
"""Matrices of more columns stand under each other, before and after."""

CHECKED = 12
"""So many gradients are checked one by one on the page."""


def update(plan: Plan) -> Section | None:
    """One step: every parameter before and after; what it does to the error; and training where it is asked for."""
    pen = plan.pen
    stated = pen.derivation.problem.update
    if stated is None or not pen.numbers:
        return None
    trained = pen.derivation.trained
    blocks: list[Block] = []
    if trained and not pen.plain_update:
        blocks += rules.by_rule(pen, [terms.telling(plan, trained[0])])
    rate = (Side(pen.learning_rate, ""), pen.rate.side)
    if trained and pen.plain_update:
        told = terms.telling(plan, trained[0])
        blocks.append(
            paragraph(
                "One step of gradient descent subtracts from every number its gradient, times the learning rate {eta}. So "
                "{w} becomes",
                eta=rate,
                w=pen.symbol(told),
            )
        )
        blocks += [equation(update_line(pen, told), f"eq-update-{key(told)}"), paragraph("and all of them:")]
    else:
        rule = rules.NAMES.get(stated.rule, stated.rule.replace("_", " "))
        blocks.append(
            paragraph(
                "One step of {rule} with the learning rate {eta} moves every number in this way:", rule=rule, eta=rate
            )
        )
    blocks += [*_parameters(plan), *_again(plan), *(_training(plan, stated.steps) if stated.steps > 1 else [])]
    return Section("update", prose("The update"), tuple(blocks))


def _parameters(plan: Plan) -> list[Block]:
    """The parameters before and after the step, and which stay."""
    pen, trained = plan.pen, plan.pen.derivation.trained
    pairs: list[tuple[Cell, str, arrays.Part, arrays.Part]] = []
    for name in trained:
        after = arrays.parts(plan, name, source=pen.derivation.after_update)
        for old, new in zip(arrays.parts(plan, name), after, strict=True):
            what = ", ".join(each for each in (described(plan, name), old.words) if each)
            pairs.append((pen.array(name), what, old, new))
    caption = prose("The parameters before the step and after it.")
    if any(isinstance(new.formula, Matrix) and len(new.formula.rows[0]) > BESIDE for *_, new in pairs):
        under: list[list[Cell]] = []
        for symbol, what, old, new in pairs:
            under.append([symbol, ", ".join(each for each in (what, "before") if each), old.formula])
            under.append([symbol, ", ".join(each for each in (what, "after") if each), new.formula])
        blocks = list(arrays.laid_out("tab-parameters", caption, ("", "what it is", "value"), under))
    else:
        beside: list[list[Cell]] = [[symbol, what, old.formula, new.formula] for symbol, what, old, new in pairs]
        blocks = list(arrays.laid_out("tab-parameters", caption, ("", "what it is", "before", "after"), beside))
    held = [pen.array(name) for name in plan.program.parameters if name not in trained]
    if held:
        words = "{names} stays as it is." if len(held) == 1 else "{names} stay as they are."
        blocks.append(paragraph(words, names=listed(held)))
    return blocks


def _again(plan: Plan) -> list[Block]:
    """The error before and after."""
    pen, error = plan.pen, Scalar(plan.program.error, ())
    before, after = pen.value(error), pen.value(error, pen.derivation.after_update)
    fell = float(after.text) < float(before.text)
    return [
        paragraph(
            "The forward pass with the new numbers shows whether it has helped: the error goes from {before} to {after}"
            + ("." if fell else ", so this step was too long."),
            before=before.formula,
            after=after.formula,
        )
    ]


def _training(plan: Plan, steps: int) -> list[Block]:
    """The error during the steps that the problem asks for."""
    pen = plan.pen
    _, history = pen.derivation.train_in_floats(steps)
    return [
        paragraph(
            "Training is this step over and over. After {steps} steps, computed in double precision, the error is {error}.",
            steps=f"{steps:,}".replace(",", " "),
            error=pen.float(history[-1][1]).formula,
        ),
        *table(
            "tab-history",
            prose("The error on the way."),
            ("step", pen.error),
            [[str(step), pen.float(error)] for step, error in history],
            (True, True),
        ),
    ]


def checks(plan: Plan) -> Section:
    """How the numbers, or the formulas, were checked."""
    pen = plan.pen
    if not pen.numbers:
        return Section(
            "checks",
            prose("How the formulas were checked"),
            (
                paragraph(
                    "Every local derivative on this page was taken by SymPy, and the gradients were put together from "
                    "them by the chain rule."
                ),
            ),
        )
    scalars = [terms.telling(plan, name) for name in plan.program.parameters][:CHECKED]
    return Section("checks", prose("How the numbers were checked"), tuple(checks_table(pen, scalars)))
