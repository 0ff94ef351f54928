"""An update as equations: its rule's lines written for every parameter, and what each step computes."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import sympy

from derive import arrays
from derive.equations import parse
from derive.evaluate.balls import Enclosures
from derive.program import Equation, Expression, Map, Program, Ref, Shape, references
from derive.reverse import GradientProgram
from derive.sweep import sweep, swept_name
from derive.update_rules import OPTIMIZERS, Setting

if TYPE_CHECKING:
    from derive.derivation import Derivation
    from derive.problem import Update

STEP = "k()"
"""How the number of steps done is called among the arrays."""


def settings(update: Update) -> dict[str, Setting]:
    """Every key that an update's rule knows with its value: the stated one, or the textbook's."""
    chosen: dict[str, Setting | None] = dict(OPTIMIZERS[update.rule].settings)
    stated = {key: getattr(update, key) for key in chosen}
    chosen |= {key: value for key, value in stated.items() if value is not None}
    return {key: value for key, value in chosen.items() if value is not None}


def written(update: Update) -> tuple[str, ...]:
    """The equations of an update in the equation language, the last one for ``w_new``."""
    chosen = settings(update)
    decays, coupled = chosen["weight_decay"] != 0, chosen["decay"] == "coupled"
    lines, step = OPTIMIZERS[update.rule].write(chosen, "g_decayed" if decays and coupled else "g")
    first = ["g_decayed = g + weight_decay * w"] if decays and coupled else []
    shrunk = "w - learning_rate * weight_decay * w" if decays and not coupled else "w"
    return (*first, *lines, f"w_new = {shrunk} {step}")


def is_plain(update: Update) -> bool:
    """Is it w − η ∂E/∂w and nothing else?"""
    return update.rule == "gradient_descent" and settings(update)["weight_decay"] == 0


def fixed(program: Program, update: Update) -> frozenset[str]:
    """The parameters that the update leaves as they are."""
    biases = {v.name for v in program.by_role("bias")} if update.biases == "fixed" else set()
    return frozenset(biases | set(update.fixed))


def updated_name(name: str) -> str:
    """How the new value of a parameter (or of a rule's memory) is called among the equations."""
    return f"{name}+"


def update_equations(gradient: GradientProgram, update: Update) -> tuple[Equation, ...]:
    """The equations of one update step, to be evaluated after the program's and the gradients'.

    Every trained parameter P gets an equation for P+, and so does what the rule remembers of it. An
    array that an equation defines is no number that could be changed: it is not trained. In sequential
    order these are one backward sweep in which a layer's delta is passed back through the weights
    already updated.
    """
    program, held = gradient.program, fixed(gradient.program, update)
    trained = [name for name in program.parameters if name not in held and name not in program.definitions]
    if update.order == "sequential":
        return sweep(gradient, trained, lambda name, adjoint: one_update(program, update, name, adjoint))
    equations = [e for name in trained for e in one_update(program, update, name, gradient.adjoints[name]).values()]
    counted = updated_name(STEP)
    if any(counted in references(equation.expression) for equation in equations):
        equations.insert(0, Equation(counted, arrays.add(Ref(STEP, ()), arrays.constant(1))))
    return tuple(equations)


def quantities(update: Update, parameter: str, adjoint: str) -> dict[str, str]:
    """The arrays' names for what the rule's equations call w, g, m, w_new, …"""
    full = {"w": parameter, "g": adjoint, "k": updated_name(STEP), "w_new": updated_name(parameter)}
    for state in OPTIMIZERS[update.rule].memory:
        full[state] = f"{state}({parameter})"
        full[f"{state}_new"] = updated_name(full[state])
    return full


def one_update(program: Program, update: Update, parameter: str, adjoint: str) -> dict[str, Equation]:
    """The equations of a parameter's update, by what the rule calls their targets."""
    full, shape = quantities(update, parameter, adjoint), program.shape(parameter)
    names = constants(update) | {"k": Ref(full["k"], ())}
    names |= {short: Ref(full[short], shape) for short in ("w", "g", *OPTIMIZERS[update.rule].memory)}
    result: dict[str, Equation] = {}
    for line in written(update):
        (equation,) = parse(line, names)
        name = full.get(equation.target, f"{equation.target}({parameter})")
        names[equation.target] = Ref(name, shape)
        result[equation.target] = Equation(name, equation.expression)
    return result


def constants(update: Update) -> dict[str, Expression]:
    """The numbers among the settings, as exact constants."""
    numbers = {key: value for key, value in settings(update).items() if isinstance(value, Fraction)}
    return {key: arrays.constant(sympy.Rational(value.numerator, value.denominator)) for key, value in numbers.items()}


def first_step(update: Update, w: sympy.Symbol, g: sympy.Symbol, rate: sympy.Symbol | None = None) -> sympy.Expr:
    """w after the first step as one formula in w and its gradient g: the memory is 0 and k is 1.

    ``rate`` is a symbol for the learning rate, where that is to stay open.
    """
    names = constants(update) | {state: arrays.constant(0) for state in OPTIMIZERS[update.rule].memory}
    count = sympy.Symbol("k", positive=True)
    names |= {"k": _symbol(count), "w": _symbol(w), "g": _symbol(g)}
    names |= {} if rate is None else {"learning_rate": _symbol(rate)}
    for line in written(update):
        (equation,) = parse(line, names)
        names[equation.target] = equation.expression
    after = names["w_new"]
    assert isinstance(after, Map)
    return after.formula.doit().xreplace({count: sympy.S.One}).doit()


def _symbol(symbol: sympy.Symbol) -> Map:
    return Map(symbol, (symbol,), (Ref(symbol.name, ()),), ())


@dataclass(frozen=True)
class Traced:
    """An array at one step of training, to any precision: ``enclosures`` has it as ``name``."""

    enclosures: Enclosures
    name: str
    shape: Shape

    def decimal(self, index: tuple[int, ...], digits: int) -> str:
        """One element, correctly rounded to significant digits; raises ArithmeticError where it is not finite."""
        return self.enclosures.decimal(lambda values: values[self.name][index], digits)


def trace(derivation: Derivation, steps: int) -> list[dict[str, dict[str, Traced]]]:
    """What each of the first steps computes: for every trained parameter the arrays of its equations.

    ``trace(d, 3)[0]["W1"]["m_hat"].decimal((0, 0), 12)``: in the first step, the corrected mean for the
    first element of W1. The keys are the names in `written`: w and g (and m, v, … as they stood), then what
    the equations define, in order. Raises ChainruleError where there is nothing to train by.
    """
    from derive.training import noted_steps

    update, training = derivation.problem.update, derivation.training
    assert update is not None, "a problem that has a training has an update"
    program, adjoints = derivation.program, derivation.gradient.adjoints
    names: dict[str, dict[str, str]] = {}
    for parameter in (name for name in training.trained if name in training.carried):
        adjoint = adjoints[parameter] if update.order == "simultaneous" else swept_name(adjoints[parameter])
        full, equations = quantities(update, parameter, adjoint), one_update(program, update, parameter, adjoint)
        read = {short: full[short] for short in ("w", "g", *OPTIMIZERS[update.rule].memory)}
        kept = {short: name for short, name in read.items() if short in ("w", "g") or name in training.memory}
        names[parameter] = kept | {short: equation.target for short, equation in equations.items()}
    every = noted_steps(training, derivation.given, steps, [name for each in names.values() for name in each.values()])
    return [
        {
            parameter: {
                short: Traced(every, f"{name}@{step}", program.shape(parameter)) for short, name in each.items()
            }
            for parameter, each in names.items()
        }
        for step in range(1, steps + 1)
    ]
