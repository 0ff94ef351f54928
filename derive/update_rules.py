"""The update rules: one row each, equations in the equation language for a parameter w and its gradient g.

``x_new`` is what x becomes in this step: the parameter itself and the rule's memory (m, v, …), which
starts at 0. ``k`` counts the steps from 1. What stands in no line costs nothing: without weight decay
or dampening the equations do not mention them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction

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
