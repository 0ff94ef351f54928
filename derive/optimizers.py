"""Update rules: one row each, equations in the equation language for a parameter w and its gradient g.

``x_new`` is what x becomes in this step: the parameter itself and the rule's memory (m, v, …), which
starts at 0. ``k`` counts the steps from 1. What stands in no line costs nothing: without weight decay
or dampening the equations do not mention them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
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

if TYPE_CHECKING:
    from derive.derivation import Derivation
    from derive.problem import Update

Setting = Fraction | bool | str
Settings = Mapping[str, Setting]
Lines = tuple[list[str], str]


@dataclass(frozen=True)
class Optimizer:
    """An update rule.

    ``write(settings, g)`` gives its equations, and what is added to w in the end; ``g`` is how the
    gradient is called there. ``settings`` has every key that the rule knows, with the textbook's value
    (None: it has to be stated). ``memory`` says what each array is that the rule keeps between steps.
    """

    name: str
    summary: str
    write: Callable[[Settings, str], Lines]
    settings: Mapping[str, Setting | None]
    memory: Mapping[str, str]


def _gradient_descent(s: Settings, g: str) -> Lines:
    return [], f"- learning_rate * {g}"


def _momentum(s: Settings, g: str) -> Lines:
    """v gathers gradients (PyTorch), or the steps themselves (Sutskever, Goodfellow)."""
    steps = s["velocity"] == "step"
    sign, scaled = ("-", f"learning_rate * {g}") if steps else ("+", g)
    gathered = f"momentum * v {sign} {f'(1 - dampening) * {scaled}' if s['dampening'] else scaled}"
    if s["dampening"] and s["first_step"] == "gradient":
        gathered = f"where(k == 1, {'-' * steps}{scaled}, {gathered})"
    if steps:
        ahead = f"+ momentum * v_new - {scaled}" if s["nesterov"] else "+ v_new"
    else:
        ahead = f"- learning_rate * {f'({g} + momentum * v_new)' if s['nesterov'] else 'v_new'}"
    return [f"v_new = {gathered}"], ahead


def _adagrad(s: Settings, g: str) -> Lines:
    return [f"r_new = r + {g}**2"], f"- learning_rate * {g} / {_root('r_new', s)}"


def _rmsprop(s: Settings, g: str) -> Lines:
    lines, squares = [f"r_new = rho * r + (1 - rho) * {g}**2"], "r_new"
    if s["centered"]:
        lines += [f"m_new = rho * m + (1 - rho) * {g}", "variance = r_new - m_new**2"]
        squares = "variance"
    if not s["momentum"]:
        return lines, f"- learning_rate * {g} / {_root(squares, s)}"
    return [*lines, f"v_new = momentum * v + {g} / {_root(squares, s)}"], "- learning_rate * v_new"


def _adam(s: Settings, g: str) -> Lines:
    lines = [f"m_new = beta1 * m + (1 - beta1) * {g}", f"v_new = beta2 * v + (1 - beta2) * {g}**2"]
    if not s["bias_correction"]:
        return lines, f"- learning_rate * m_new / {_root('v_new', s)}"
    lines += ["m_hat = m_new / (1 - beta1**k)", "v_hat = v_new / (1 - beta2**k)"]
    return lines, f"- learning_rate * m_hat / {_root('v_hat', s)}"


def _root(squares: str, s: Settings) -> str:
    """The root that is divided by, kept from 0 by ε beside it or under it."""
    if not s["epsilon"]:
        return f"sqrt({squares})"
    return f"sqrt({squares} + epsilon)" if s["epsilon_inside"] else f"(sqrt({squares}) + epsilon)"


EVERY: dict[str, Setting | None] = {"learning_rate": None, "weight_decay": Fraction(0), "decay": "coupled"}
ROOT: dict[str, Setting | None] = {"epsilon": Fraction(1, 10**8), "epsilon_inside": False}
ADAM: dict[str, Setting | None] = {
    **EVERY,
    "learning_rate": Fraction(1, 1000),
    "beta1": Fraction(9, 10),
    "beta2": Fraction(999, 1000),
    **ROOT,
    "bias_correction": True,
}
ADAM_MEMORY = {"m": "the running mean of the gradients", "v": "the running mean of their squares"}

OPTIMIZERS: dict[str, Optimizer] = {
    row.name: row
    for row in (
        Optimizer("gradient_descent", "w⁺ = w − η ∂E/∂w", _gradient_descent, EVERY, {}),
        Optimizer(
            "momentum",
            "v gathers the gradients, v⁺ = μ v + ∂E/∂w, and w⁺ = w − η v⁺ (μ 0.9 unless given)",
            _momentum,
            {
                **EVERY,
                "momentum": Fraction(9, 10),
                "dampening": Fraction(0),
                "nesterov": False,
                "velocity": "gradient",
                "first_step": "gradient",
            },
            {"v": "the velocity"},
        ),
        Optimizer(
            "adagrad",
            "each weight's rate is divided by the root of the sum of its squared gradients (ε 1e-10 unless given)",
            _adagrad,
            {**EVERY, **ROOT, "epsilon": Fraction(1, 10**10)},
            {"r": "the sum of the squared gradients"},
        ),
        Optimizer(
            "rmsprop",
            "as adagrad, with a running mean in place of the sum (ρ 0.9, ε 1e-8 unless given)",
            _rmsprop,
            {**EVERY, "rho": Fraction(9, 10), "momentum": Fraction(0), **ROOT, "centered": False},
            {
                "r": "the running mean of the squared gradients",
                "m": "the running mean of the gradients",
                "v": "the velocity",
            },
        ),
        Optimizer(
            "adam",
            "running means of gradient and squared gradient, corrected for their start at 0 "
            "(η 0.001, β₁ 0.9, β₂ 0.999, ε 1e-8 unless given)",
            _adam,
            ADAM,
            ADAM_MEMORY,
        ),
        Optimizer(
            "adamw",
            "adam with the weight decay taken off the weights themselves, not added to the gradient "
            "(decay 0.01 unless given)",
            _adam,
            {**ADAM, "weight_decay": Fraction(1, 100), "decay": "decoupled"},
            ADAM_MEMORY,
        ),
    )
}

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


def first_step(update: Update, w: sympy.Symbol, g: sympy.Symbol) -> sympy.Expr:
    """w after the first step as one formula in w and its gradient g: the memory is 0 and k is 1."""
    names = constants(update) | {state: arrays.constant(0) for state in OPTIMIZERS[update.rule].memory}
    count = sympy.Symbol("k", positive=True)
    names |= {"k": _symbol(count), "w": _symbol(w), "g": _symbol(g)}
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
