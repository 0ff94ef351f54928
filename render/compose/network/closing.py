"""The update of any network, training, and how the numbers were checked."""

from __future__ import annotations

from derive.formula import Side
from derive.scalars import Scalar
from render.compose import rules
from render.compose.checking import checks_table
from render.compose.network import arrays, terms
from render.compose.network.opening import described
from render.compose.network.plan import Plan
from render.compose.pen import listed, paragraph, prose
from render.compose.tables import Cell
from render.document import Block, Section

CHECKED = 12
"""So many gradients are checked one by one on the page."""


def update(plan: Plan) -> Section | None:
    """One step: every parameter before, its gradient, and after."""
    pen = plan.pen
    stated = pen.derivation.problem.update
    if stated is None or not pen.numbers:
        return None
    program, trained = plan.program, pen.derivation.trained
    before, after = (pen.value(Scalar(program.error, ()), source) for source in (None, pen.derivation.after_update))
    blocks: list[Block] = []
    if trained and not pen.plain_update:
        blocks += rules.by_rule(pen, [terms.telling(plan, trained[0])])
    rule = rules.NAMES.get(stated.rule, stated.rule.replace("_", " "))
    blocks.append(
        paragraph(
            "One step of {rule} with the learning rate {eta} makes of every number the new one:",
            rule=rule,
            eta=(Side(pen.learning_rate, ""), pen.rate.side),
        )
    )
    rows: list[list[Cell]] = []
    for name in trained:
        for old, new in zip(
            arrays.parts(plan, name), arrays.parts(plan, name, source=pen.derivation.after_update), strict=True
        ):
            what = ", ".join(each for each in (described(plan, name), old.words) if each)
            rows.append([pen.array(name), what, old.formula, new.formula])
    blocks += arrays.laid_out(
        "tab-parameters",
        prose("The parameters before the step and after it."),
        ("", "what it is", "before", "after"),
        rows,
    )
    held = [pen.array(name) for name in program.parameters if name not in trained]
    if held:
        blocks.append(
            paragraph(
                "{names} {stay} as {they} as before.",
                names=listed(held),
                stay="stays" if len(held) == 1 else "stay",
                they="it is" if len(held) == 1 else "they are",
            )
        )
    fell = float(after.text) < float(before.text)
    blocks.append(
        paragraph(
            "The forward pass with the new numbers shows whether it has helped: the error goes from {before} to {after}"
            + ("." if fell else ", so this step was too long."),
            before=before.formula,
            after=after.formula,
        )
    )
    return Section("update", prose("The update"), tuple(blocks))


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
