"""The update of a rule with a memory (momentum, Adam, …), worked out line by line for one parameter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction as Rational

from derive import arrays, optimizers, written
from derive.equations import parse
from derive.evaluate.balls import element
from derive.formula import Formula, Name, Side, Symbol
from derive.optimizers import Traced
from derive.problem import Update
from derive.program import Expression, Map, Ref
from derive.scalars import Scalar
from derive.update_rules import OPTIMIZERS, Optimizer
from render.compose.pen import Pen, Shown, equation, listed, paragraph, prose
from render.compose.tables import Cell, table
from render.document import Block

MOST_STEPS = 3
"""So many steps are shown of a rule's memory."""

CONSTANTS = {
    "learning_rate": Name("eta"),
    "momentum": Name("mu"),
    "dampening": Name("tau"),
    "beta1": Name("beta", "1"),
    "beta2": Name("beta", "2"),
    "rho": Name("rho"),
    "epsilon": Name("epsilon"),
    "weight_decay": Name("lambda"),
}


def by_rule(pen: Pen, parameters: Sequence[Scalar], *, introduced: bool = False) -> list[Block]:
    """The update of some parameters by a rule with more than one line, and the first few steps of one of them."""
    update = pen.derivation.problem.update
    if update is None:
        return []
    row = OPTIMIZERS[update.rule]
    blocks: list[Block] = []
    if not introduced:
        blocks.append(introduction(pen, update, row))
    for parameter in parameters:
        blocks += rule_lines(pen, parameter)
    if not introduced:
        blocks += several_steps(pen, parameters[0], update.steps)
    return blocks


def introduction(pen: Pen, update: Update, row: Optimizer) -> Block:
    """The rule by name, what it remembers, and its constants."""
    used = [key for key in CONSTANTS if key != "learning_rate" and key in "\n".join(optimizers.written(update))]
    settings = optimizers.settings(update)
    values = [(Side(Symbol(CONSTANTS[key]), ""), pen.fraction(_number(settings[key])).side) for key in used]
    memory = {key: row.memory[key] for key in row.memory if f"{key}_new" in "\n".join(optimizers.written(update))}
    remembered = " and ".join(f"{words} ({key})" for key, words in memory.items())
    return paragraph(
        "The rule here is {rule}{remembers}{constants}. In the first step, {k}:",
        rule=NAMES.get(update.rule, update.rule.replace("_", " ")),
        remembers=f". It remembers {remembered}, which begin at 0" if memory else "",
        constants=prose("; {values}", values=listed(values)) if values else "",
        k=(Side(Symbol(Name("k")), ""), pen.fraction(Rational(1)).side),
    )


NAMES = {"adam": "Adam", "adamw": "AdamW", "adagrad": "Adagrad", "rmsprop": "RMSprop", "momentum": "momentum"}


def _number(setting: object) -> Rational:
    return setting if isinstance(setting, Rational) else Rational(0)


def rule_lines(pen: Pen, parameter: Scalar) -> list[Block]:
    """The first step of a rule for one parameter: each of its equations in symbols and in numbers."""
    update = pen.derivation.problem.update
    if update is None:
        return []
    settings = optimizers.settings(update)
    given = [key for key in CONSTANTS if key in settings and key in "\n".join(optimizers.written(update))]
    traced = optimizers.trace(pen.derivation, 1)[0].get(parameter.array, {}) if pen.numbers else {}
    blocks: list[Block] = []
    names: dict[str, Expression] = {key: Ref(key, ()) for key in given}
    known = {key: Ref(key, ()) for key in ("w", "g", "k", *OPTIMIZERS[update.rule].memory)}
    for line in optimizers.written(update):
        (found,) = parse(line, names | known)
        known[found.target] = Ref(found.target, ())
        sides = [Side(_symbol(pen, parameter, found.target), ""), Side(_formula(pen, parameter, found.expression))]
        if traced:
            sides.append(Side(_in_numbers(pen, parameter, found.expression, traced)))
            sides.append(_value(pen, traced[found.target], parameter).side)
        blocks.append(
            equation(
                tuple(sides),
                f"eq-rule-{found.target}-{parameter.array}-{'-'.join(str(i + 1) for i in parameter.index)}",
            )
        )
    return blocks


def _symbol(pen: Pen, parameter: Scalar, short: str) -> Formula:
    """What the rule calls w, g, m, m_new, m_hat, … for this parameter."""
    own = pen.names.element(parameter.array, parameter.index)
    if short == "w":
        return Symbol(own)
    if short == "w_new":
        return pen.updated(parameter)
    if short == "g":
        return pen.gradient_symbol(parameter)
    if short in CONSTANTS:
        return Symbol(CONSTANTS[short])
    if short == "k":
        return Symbol(Name("k"))
    base, _, kind = short.partition("_")
    sub = own.sub if len(base) == 1 else ""
    name = Name(base, sub) if base != "variance" else Name("s", own.sub)
    if kind == "new":
        name = replace(name, sup="+")
    elif kind == "hat":
        name = replace(name, accent="hat")
    return Symbol(name)


def _formula(pen: Pen, parameter: Scalar, expression: Expression) -> Formula:
    if isinstance(expression, Ref):
        return _symbol(pen, parameter, expression.name)
    assert isinstance(expression, Map), "a rule's equations are elementwise"
    known = {arrays.placeholder(ref): _symbol(pen, parameter, _name(ref)) for ref in expression.arguments}
    return written.formula(expression.formula, known)


def _in_numbers(pen: Pen, parameter: Scalar, expression: Expression, traced: Mapping[str, Traced]) -> Formula:
    update = pen.derivation.problem.update
    settings = optimizers.settings(update) if update is not None else {}

    def number(short: str) -> Formula:
        if short == "k":
            return pen.fraction(Rational(1)).formula
        if short == "w":
            return pen.number(parameter)
        if short in traced:
            return _value(pen, traced[short], parameter).formula
        return pen.fraction(_number(settings.get(short))).formula

    if isinstance(expression, Ref):
        return number(expression.name)
    assert isinstance(expression, Map), "a rule's equations are elementwise"
    known = {arrays.placeholder(ref): number(_name(ref)) for ref in expression.arguments}
    return written.formula(expression.formula, known)


def _name(reference: Expression) -> str:
    assert isinstance(reference, Ref), "a rule's equations read arrays by name"
    return reference.name


def _value(pen: Pen, traced: Traced, parameter: Scalar) -> Shown:
    return pen.show(lambda values: element(values[traced.name], parameter.index), traced.enclosures)


def several_steps(pen: Pen, parameter: Scalar, steps: int) -> tuple[Block, ...]:
    """The memory and the parameter over the first few steps."""
    update = pen.derivation.problem.update
    if update is None or not pen.numbers or steps < 2:
        return ()
    every = optimizers.trace(pen.derivation, min(steps, MOST_STEPS))
    shown = [short for short in every[0][parameter.array] if short not in ("w", *OPTIMIZERS[update.rule].memory)]
    header: list[Cell] = ["step", *(_symbol(pen, parameter, short) for short in shown)]
    rows: list[list[Cell]] = [
        [str(number), *(_value(pen, step[parameter.array][short], parameter) for short in shown)]
        for number, step in enumerate(every, start=1)
    ]
    return (
        paragraph("Over the first steps, for {w}:", w=pen.symbol(parameter)),
        *table(
            "tab-rule",
            prose("What the rule computes for {w} in its first steps.", w=pen.symbol(parameter)),
            header,
            rows,
            [True] * len(header),
        ),
    )
