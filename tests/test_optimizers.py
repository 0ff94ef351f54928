"""Update rules: against PyTorch, against the rules written by hand, and by numbers that can be checked in the head."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import sympy
from networks import Table, numbers, stated

import derive
from derive import optimizers, training
from derive.derivation import Derivation
from derive.problem import ProblemError, load
from derive.update_rules import OPTIMIZERS

TOLERANCE = 1e-12
STEPS = 6
Settings = dict[str, Any]

# rule and settings | torch.optim's class and what it calls them
RATE = {"learning_rate": "0.05"}
BY_TORCH: dict[str, tuple[Settings, str, Settings]] = {
    "gradient descent": ({"rule": "gradient_descent"}, "SGD", {}),
    "… with decay": ({"rule": "gradient_descent", "weight_decay": "0.1"}, "SGD", {"weight_decay": 0.1}),
    "momentum": ({"rule": "momentum"}, "SGD", {"momentum": 0.9}),
    "… dampened": ({"rule": "momentum", "dampening": "0.3"}, "SGD", {"momentum": 0.9, "dampening": 0.3}),
    "… Nesterov": ({"rule": "momentum", "nesterov": True}, "SGD", {"momentum": 0.9, "nesterov": True}),
    "… Nesterov with decay": (
        {"rule": "momentum", "momentum": "0.5", "nesterov": True, "weight_decay": "0.1"},
        "SGD",
        {"momentum": 0.5, "nesterov": True, "weight_decay": 0.1},
    ),
    "… dampened with decay": (
        {"rule": "momentum", "dampening": "0.5", "weight_decay": "0.1", "first_step": "gradient"},
        "SGD",
        {"momentum": 0.9, "dampening": 0.5, "weight_decay": 0.1},
    ),
    "adagrad": ({"rule": "adagrad"}, "Adagrad", {}),
    "… with decay and ε": (
        {"rule": "adagrad", "weight_decay": "0.1", "epsilon": "0.001"},
        "Adagrad",
        {"weight_decay": 0.1, "eps": 0.001},
    ),
    "rmsprop": ({"rule": "rmsprop"}, "RMSprop", {"alpha": 0.9}),
    "… with PyTorch's alpha": ({"rule": "rmsprop", "rho": "0.99"}, "RMSprop", {}),
    "… centered": ({"rule": "rmsprop", "centered": True}, "RMSprop", {"alpha": 0.9, "centered": True}),
    "… with momentum": (
        {"rule": "rmsprop", "momentum": "0.8", "weight_decay": "0.1"},
        "RMSprop",
        {"alpha": 0.9, "momentum": 0.8, "weight_decay": 0.1},
    ),
    "… all at once": (
        {"rule": "rmsprop", "momentum": "0.8", "centered": True, "epsilon": "0.01"},
        "RMSprop",
        {"alpha": 0.9, "momentum": 0.8, "centered": True, "eps": 0.01},
    ),
    "adam": ({"rule": "adam"}, "Adam", {}),
    "… other constants": (
        {"rule": "adam", "beta1": "0.8", "beta2": "0.9", "epsilon": "0.001"},
        "Adam",
        {"betas": (0.8, 0.9), "eps": 0.001},
    ),
    "… coupled decay": ({"rule": "adam", "weight_decay": "0.1"}, "Adam", {"weight_decay": 0.1}),
    "… decoupled decay": (
        {"rule": "adam", "weight_decay": "0.1", "decay": "decoupled"},
        "AdamW",
        {"weight_decay": 0.1},
    ),
    "adamw": ({"rule": "adamw"}, "AdamW", {}),
    "… more decay": ({"rule": "adamw", "weight_decay": "0.2"}, "AdamW", {"weight_decay": 0.2}),
}

# settings that PyTorch lacks
OURS: dict[str, Settings] = {
    "momentum, first step dampened": {"rule": "momentum", "dampening": "0.3", "first_step": "dampened"},
    "momentum of steps": {"rule": "momentum", "velocity": "step"},
    "momentum of steps, dampened": {"rule": "momentum", "velocity": "step", "dampening": "0.3"},
    "momentum of steps, Nesterov": {"rule": "momentum", "velocity": "step", "nesterov": True, "weight_decay": "0.1"},
    "adagrad, ε inside": {"rule": "adagrad", "epsilon_inside": True, "epsilon": "0.01"},
    "rmsprop, ε inside": {"rule": "rmsprop", "epsilon_inside": True, "epsilon": "0.01", "centered": True},
    "adam, ε inside": {"rule": "adam", "epsilon_inside": True, "epsilon": "0.01"},
    "adam, uncorrected": {"rule": "adam", "bias_correction": False},
    "adamw, both": {"rule": "adamw", "bias_correction": False, "epsilon_inside": True, "epsilon": "0.01"},
    "gradient descent, decoupled": {"rule": "gradient_descent", "weight_decay": "0.1", "decay": "decoupled"},
    "rmsprop, decoupled": {"rule": "rmsprop", "weight_decay": "0.1", "decay": "decoupled", "momentum": "0.5"},
}
EVERY: dict[str, Settings] = {name: settings for name, (settings, *_) in BY_TORCH.items()} | OURS


def network(seed: int) -> Table:
    """A small dense network: depth 1 to 3, width 1 to 4, all bias modes."""
    draw = random.Random(seed)
    depth = 1 + seed % 3
    widths = [draw.randint(1, 4) for _ in range(depth + 1)]
    activations = [draw.choice(("logistic", "tanh", "softplus")) for _ in range(depth)]
    biases = [draw.choice(("per_unit", "shared", None)) for _ in range(depth)]
    return stated(widths, activations, "squared_error", seed, examples=1 + seed % 3, biases=biases)


def derivation(table: Table, settings: Settings) -> Derivation:
    return derive.differentiate(table | {"update": RATE | settings})


def trained(values: dict[str, Any], names: tuple[str, ...]) -> dict[str, np.ndarray]:
    return {name: np.asarray(values[name], dtype=np.float64) for name in names}


def in_numpy(d: Derivation, steps: int) -> dict[str, np.ndarray]:
    """The vectorised code, which large networks are trained by, on a small one."""
    start = {name: d.floats(name) for name in d.program.given}
    start |= {name: np.zeros(shape) for name, shape in d.training.memory.items()}
    return dict(training._vectorised(d.training)(steps, start))


def agree(found: dict[str, np.ndarray], wanted: dict[str, np.ndarray]) -> None:
    for name, values in wanted.items():
        assert found[name].shape == values.shape
        assert np.abs(found[name] - values).max() <= TOLERANCE * max(1.0, np.abs(values).max()), name


# ---- PyTorch ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BY_TORCH)
@pytest.mark.parametrize("seed", range(3))
def test_against_pytorch(name: str, seed: int) -> None:
    """Every step, by the unrolled loop, in NumPy and in exact enclosures."""
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install '.[torch]'")
    settings, kind, theirs = BY_TORCH[name]
    d = derivation(network(seed), settings)
    tensors = {key: torch.tensor(np.array(value, dtype=float)) for key, value in numbers(d.problem).items()}
    parameters = {key: tensors[key].requires_grad_() for key in d.trained}
    optimizer = getattr(torch.optim, kind)(list(parameters.values()), lr=0.05, **theirs)
    apply = {"logistic": torch.sigmoid, "tanh": torch.tanh, "softplus": torch.nn.functional.softplus}
    for step in range(1, STEPS + 1):
        a = tensors["x"]
        for number, layer in enumerate(d.problem.layers, start=1):
            a = apply[layer.activation](a @ tensors[f"W{number}"].T + tensors.get(f"b{number}", 0.0))
        optimizer.zero_grad()
        ((tensors["t"] - a) ** 2).sum().backward()
        optimizer.step()
        wanted = {key: tensor.detach().numpy() for key, tensor in parameters.items()}
        agree(trained(d.train(step)["arrays"], d.trained), wanted)
        agree(in_numpy(d, step), wanted)
    agree(trained(d.train(STEPS, digits=17)["arrays"], d.trained), wanted)
    agree(trained(d.to_json()["updated"], d.trained), trained(d.train(1)["arrays"], d.trained))


# ---- the rules by hand -----------------------------------------------------------------------


def by_hand(settings: Settings, w: np.ndarray, gradient: Callable[[np.ndarray], np.ndarray], steps: int) -> np.ndarray:
    """The rules as textbooks write them, in NumPy: everything that can be set, in one place."""
    s = {
        key: float(value) if isinstance(value, str) and value[0].isdigit() else value for key, value in settings.items()
    }
    rule, eta = s["rule"], s["learning_rate"]
    wide = s.get("weight_decay", 0.01 if rule == "adamw" else 0.0)
    decoupled = rule == "adamw" or s.get("decay") == "decoupled"
    epsilon = s.get("epsilon", 1e-10 if rule == "adagrad" else 1e-8)

    def root(x: np.ndarray) -> np.ndarray:
        return np.sqrt(x + epsilon) if s.get("epsilon_inside") else np.sqrt(x) + epsilon

    m = v = r = np.zeros_like(w)
    for k in range(1, steps + 1):
        g = gradient(w) + (0.0 if decoupled else wide * w)
        kept = w * (1 - eta * wide) if decoupled else w
        if rule == "gradient_descent":
            w = kept - eta * g
        elif rule == "momentum":
            mu, tau = s.get("momentum", 0.9), s.get("dampening", 0.0)
            part = g if k == 1 and s.get("first_step") != "dampened" else (1 - tau) * g
            if s.get("velocity") == "step":
                v = mu * v - eta * part
                w = kept + (mu * v - eta * g if s.get("nesterov") else v)
            else:
                v = mu * v + part
                w = kept - eta * (g + mu * v if s.get("nesterov") else v)
        elif rule == "adagrad":
            r = r + g * g
            w = kept - eta * g / root(r)
        elif rule == "rmsprop":
            rho = s.get("rho", 0.9)
            r, m = rho * r + (1 - rho) * g * g, rho * m + (1 - rho) * g
            v = s.get("momentum", 0.0) * v + g / root(r - m * m if s.get("centered") else r)
            w = kept - eta * v
        else:
            beta1, beta2 = s.get("beta1", 0.9), s.get("beta2", 0.999)
            m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g * g
            corrected = s.get("bias_correction", True)
            m_hat, v_hat = (m / (1 - beta1**k), v / (1 - beta2**k)) if corrected else (m, v)
            w = kept - eta * m_hat / root(v_hat)
    return w


@pytest.mark.parametrize("name", EVERY)
def test_against_the_rule_by_hand(name: str) -> None:
    table = stated((3, 2), ("tanh",), "squared_error", seed=4, examples=2, biases=[None])
    d = derivation(table, EVERY[name])
    f = d.lambdify()
    for steps in (1, 2, STEPS):
        wanted = by_hand(RATE | EVERY[name], d.floats("W1"), lambda w: f(W1=w)[1]["W1"], steps)
        agree(trained(d.train(steps)["arrays"], ("W1",)), {"W1": wanted})
        agree(in_numpy(d, steps), {"W1": wanted})
        agree(trained(d.train(steps, digits=17)["arrays"], ("W1",)), {"W1": wanted})


@pytest.mark.parametrize("rule", OPTIMIZERS)
def test_a_large_network_is_trained_in_numpy(rule: str) -> None:
    d = derivation(stated((20, 16, 4), ("tanh", "logistic"), "squared_error", seed=2), {"rule": rule})
    assert d.training.parameter_count > training.SMALL
    agree(trained(d.train(3)["arrays"], d.trained), trained(d.train(3, digits=17)["arrays"], d.trained))


# ---- in the head -----------------------------------------------------------------------------


def linear(settings: Settings, w: str = "1") -> Derivation:
    """E = ½ w²: one linear unit with input 1 and target 0, so that the gradient is w itself."""
    return derive.differentiate(
        {
            "examples": [{"inputs": [1], "targets": [[0]][0]}],
            "layers": [{"weights": [[w]]}],
            "loss": {"name": "half_squared_error"},
            "update": settings,
        }
    )


@pytest.mark.parametrize(
    ("settings", "weights"),
    [
        ({"rule": "gradient_descent", "learning_rate": "0.1"}, ["0.9", "0.81", "0.729"]),
        ({"rule": "momentum", "learning_rate": "0.1"}, ["0.9", "0.72", "0.486"]),  # v: 1, 1.8, 2.34
        ({"rule": "momentum", "learning_rate": "0.1", "velocity": "step"}, ["0.9", "0.72", "0.486"]),
        ({"rule": "momentum", "learning_rate": "0.1", "nesterov": True}, ["0.81", "0.5751"]),  # v: 1, 1.71
        ({"rule": "momentum", "learning_rate": "0.1", "dampening": "0.5"}, ["0.9", "0.765"]),  # v: 1, 1.35
        (
            {"rule": "momentum", "learning_rate": "0.1", "dampening": "0.5", "first_step": "dampened"},
            ["0.95", "0.8575"],  # v: 0.5, 0.925
        ),
        ({"rule": "gradient_descent", "learning_rate": "0.1", "weight_decay": 1}, ["0.8", "0.64"]),
        ({"rule": "adagrad", "learning_rate": "0.5", "epsilon": 0}, ["0.5"]),
        ({"rule": "adagrad", "learning_rate": "0.5", "epsilon": 1}, ["0.75"]),
        ({"rule": "adagrad", "learning_rate": 1, "epsilon": 3, "epsilon_inside": True}, ["0.5"]),
        ({"rule": "rmsprop", "learning_rate": "0.1", "rho": "0.75", "epsilon": 0}, ["0.8"]),  # √¼
        ({"rule": "adam", "epsilon": 0}, ["0.999"]),
        ({"rule": "adam", "epsilon": 1}, ["0.9995"]),
        ({"rule": "adam", "bias_correction": False, "beta2": "0.75", "epsilon": 0}, ["0.9998"]),  # 0.1 / √¼
        ({"rule": "adamw", "epsilon": 0}, ["0.99899"]),  # 1 − 0.001·0.01 − 0.001
    ],
)
def test_steps_by_head(settings: Settings, weights: list[str]) -> None:
    d = linear(settings)
    for step, weight in enumerate(weights, start=1):
        assert d.train(step, digits=20)["arrays"]["W1"] == [[weight]]
        assert float(d.train(step)["arrays"]["W1"][0][0]) == pytest.approx(float(weight), rel=1e-14)
    assert d.to_json(20)["updated"]["W1"] == [[weights[0]]]


@pytest.mark.parametrize("w", ["3", "-0.0001", "70000"])
def test_adams_first_step_is_the_learning_rate_with_the_gradients_sign(w: str) -> None:
    """m̂ = g and v̂ = g², so that the step is η g / (|g| + ε): to sixty digits."""
    g = Fraction(w)
    moved = g - Fraction(1, 1000) * g / (abs(g) + Fraction(1, 10**8))
    found = Fraction(linear({"rule": "adam"}, w).to_json(60)["updated"]["W1"][0][0])
    assert abs(found - moved) < Fraction(abs(g), 10**55)
    assert abs(abs(found - g) - Fraction(1, 1000)) < Fraction(1, 10**6)


def test_both_velocities_go_the_same_way() -> None:
    """With one learning rate throughout, gathering gradients or gathering steps is the same."""
    table = network(2)
    for extra in ({}, {"nesterov": True}, {"dampening": "0.4"}):
        ways = [
            derivation(table, {"rule": "momentum", "velocity": velocity, **extra}).train(9, digits=30)["arrays"]
            for velocity in ("gradient", "step")
        ]
        assert ways[0] == ways[1]


def test_centered_rmsprop_knows_that_a_constant_gradient_has_no_variance() -> None:
    """By the first step: the mean of squares 0.1 g² less the squared mean 0.01 g² is 0.09 g², its root 0.3 |g|."""
    d = linear({"rule": "rmsprop", "learning_rate": "0.3", "centered": True, "epsilon": 0}, "5")
    assert d.to_json()["updated"]["W1"] == [["4"]]


# ---- what is asked of every rule -------------------------------------------------------------


@pytest.mark.parametrize("name", EVERY)
def test_a_trace_shows_the_steps_that_training_takes(name: str) -> None:
    d = derivation(network(1), EVERY[name])
    found, last = optimizers.trace(d, 3), d.train_exactly(3)
    assert len(found) == 3
    memory = [state for state in OPTIMIZERS[d.problem.update.rule].memory if state in found[0]["W1"]]  # type: ignore[union-attr]
    for parameter in d.trained:
        for index in np.ndindex(*d.program.shape(parameter)):
            for before, after in pairwise(found):
                for short in ("w", *memory):
                    left, right = before[parameter][f"{short}_new"], after[parameter][short]
                    assert left.decimal(index, 20) == right.decimal(index, 20)
            assert all(found[0][parameter][short].decimal(index, 20) == "0" for short in memory)
            wanted = last.decimal(lambda values: values[parameter][index], 25)  # noqa: B023
            assert found[-1][parameter]["w_new"].decimal(index, 25) == wanted
            gradient = d.enclosures.decimal(lambda v: v[d.gradient.adjoints[parameter]][index], 20)  # noqa: B023
            assert found[0][parameter]["g"].decimal(index, 20) == gradient


def test_a_trace_has_what_the_equations_define() -> None:
    step = optimizers.trace(derivation(network(0), {"rule": "adam"}), 1)[0]["W1"]
    assert list(step) == ["w", "g", "m", "v", "m_new", "v_new", "m_hat", "v_hat", "w_new"]
    assert step["m_hat"].decimal((0, 0), 15) == step["g"].decimal((0, 0), 15)
    written = optimizers.written(derivation(network(0), {"rule": "adam"}).problem.update)  # type: ignore[arg-type]
    assert [line.split(" = ")[0] for line in written] == ["m_new", "v_new", "m_hat", "v_hat", "w_new"]


def test_a_trace_of_a_sequential_sweep() -> None:
    d = derivation(network(2), {"rule": "gradient_descent", "order": "sequential"})
    step = optimizers.trace(d, 1)[0]
    assert list(step["W1"]) == ["w", "g", "w_new"]
    after = d.after_update.decimal(lambda values: values["W1"][0, 0], 20)
    assert step["W1"]["w_new"].decimal((0, 0), 20) == after
    true = d.enclosures.decimal(lambda values: values[d.gradient.adjoints["W1"]][0, 0], 20)
    assert step["W1"]["g"].decimal((0, 0), 20) != true


@pytest.mark.parametrize("name", EVERY)
def test_the_first_step_as_a_formula(name: str) -> None:
    settings = RATE | EVERY[name]
    update = linear(settings).problem.update
    assert update is not None
    w, g = sympy.symbols("w g", real=True)
    found = optimizers.first_step(update, w, g)
    assert found.free_symbols <= {w, g}
    value = float(found.subs({w: 0.7, g: -0.3}))
    assert value == pytest.approx(float(by_hand(settings, np.array(0.7), lambda _: np.array(-0.3), 1)), rel=1e-12)


def test_plain_gradient_descent_remembers_nothing() -> None:
    d = derivation(network(0), {"rule": "gradient_descent"})
    assert d.training.memory == {}
    assert optimizers.written(d.problem.update) == ("w_new = w - learning_rate * g",)  # type: ignore[arg-type]


@pytest.mark.parametrize("rule", OPTIMIZERS)
def test_what_is_fixed_stays(rule: str) -> None:
    table = stated((2, 2, 1), ("tanh", "tanh"), "squared_error", seed=3)
    d = derivation(table, {"rule": rule, "biases": "fixed", "fixed": ["W1"]})
    assert d.trained == ("W2",)
    moved = trained(d.train(4)["arrays"], d.program.parameters)
    assert {name for name, values in moved.items() if not np.array_equal(values, d.floats(name))} == {"W2"}
    assert not any("W1" in name or "b" in name for name in d.training.memory)


def test_every_rule_knows_weight_decay_and_says_its_values() -> None:
    for name, row in OPTIMIZERS.items():
        assert row.name == name
        assert row.summary
        assert {"learning_rate", "weight_decay", "decay"} <= set(row.settings)
    defaults = {name: dict(row.settings) for name, row in OPTIMIZERS.items()}
    assert defaults["momentum"]["momentum"] == Fraction("0.9")
    assert defaults["rmsprop"]["rho"] == Fraction("0.9")
    assert defaults["adagrad"]["epsilon"] == Fraction("1e-10")
    adam = {"learning_rate": "0.001", "beta1": "0.9", "beta2": "0.999", "epsilon": "1e-8", "weight_decay": "0"}
    assert all(defaults["adam"][key] == Fraction(value) for key, value in adam.items())
    assert (defaults["adamw"]["weight_decay"], defaults["adamw"]["decay"]) == (Fraction("0.01"), "decoupled")


# ---- what is refused -------------------------------------------------------------------------


def refusals() -> Iterator[tuple[Settings, str]]:
    yield {"learning_rate": 1, "momentum": 1}, "update.momentum: gradient_descent does not use it; known to"
    yield {"learning_rate": 1, "momentum": 1}, "momentum is used by: momentum, rmsprop"
    yield {"rule": "adam", "rho": "0.9"}, "update.rho: adam does not use it; known to adam: learning_rate, weight_decay"
    yield {"rule": "adamw", "nesterov": False}, "update.nesterov: adamw does not use it"
    yield {"rule": "rmsprop"}, "update.learning_rate: is missing"
    yield {"rule": "adam", "beta1": 1}, "update.beta1: found 1; a number from 0 to below 1 is expected"
    yield {"rule": "adam", "beta2": "-0.1"}, "update.beta2: found -0.1; a number from 0"
    yield {"rule": "adam", "epsilon": "-0.1"}, "update.epsilon: found -0.1; a number of at least 0"
    yield {"rule": "adam", "weight_decay": -1}, "update.weight_decay: found -1"
    yield {"rule": "adam", "decay": "copled"}, 'update.decay: found "copled"; known: coupled, decoupled; did you mean'
    yield {"rule": "adam", "bias_correction": "no"}, 'update.bias_correction: found "no"; true or false is expected'
    yield {"rule": "adam", "beta_1": "0.9"}, 'update.beta_1: unknown key "beta_1"; known: '
    momentum = {"rule": "momentum", "learning_rate": 1}
    yield momentum | {"momentum": 2}, "update.momentum: found 2; a number from 0 to 1"
    yield momentum | {"nesterov": True, "dampening": "0.1"}, "update.nesterov: goes with dampening 0 only"
    yield momentum | {"order": "sequential"}, 'update.order: "sequential" is one sweep of gradient_descent; momentum'
    yield momentum | {"velocity": "both"}, 'update.velocity: found "both"; known: gradient, step'
    yield {"rule": "nadam"}, 'update.rule: found "nadam"; known: gradient_descent, momentum, adagrad, rmsprop, adam'


@pytest.mark.parametrize(("settings", "message"), list(refusals()))
def test_a_setting_that_cannot_be(settings: Settings, message: str) -> None:
    with pytest.raises(ProblemError) as refused:
        load(network(0) | {"update": settings})
    assert message in str(refused.value)
    assert len(refused.value.faults) == 1


def test_dividing_by_a_root_of_zero_is_said() -> None:
    """Target reached, ε 0: 0 / 0."""
    d = linear({"rule": "adam", "epsilon": 0}, "0")
    with pytest.raises(derive.ChainruleError, match="a greater epsilon"):
        d.train(1)
    with pytest.raises(derive.ChainruleError, match="not finite"):
        d.to_json()
    kept = linear({"rule": "adam"}, "0")
    assert kept.train(5)["arrays"]["W1"] == [["0"]]
    assert kept.to_json()["updated"]["W1"] == [["0"]]
    assert not math.isnan(float(kept.train(5)["error"]))


@pytest.mark.parametrize("name", EVERY)
def test_where_there_are_symbols_the_new_value_is_a_formula(name: str) -> None:
    """One unit of two inputs: the formula, computed at the numbers, is the step that the numbers take."""
    layer = {"activation": "logistic", "weights": [["0.3", "-0.2"]]}
    loss, update = {"name": "half_squared_error"}, RATE | EVERY[name]
    symbols = {"examples": [{"inputs": 2, "targets": 1}], "layers": [layer], "loss": loss, "update": update}
    d = derive.differentiate(symbols | {"examples": [{"inputs": ["0.5", "0.7"], "targets": ["0.9"]}]})
    known = {"i1": 0.5, "i2": 0.7, "target_o1": 0.9, "out_o1": float(d.values["a1"][0, 0])}
    names = known | {"abs": abs, "sqrt": math.sqrt, "__builtins__": {}}
    for text, number in zip(
        derive.differentiate(symbols).to_json()["updated"]["W1"][0], d.to_json()["updated"]["W1"][0], strict=True
    ):
        assert eval(text.replace("^", "**"), names) == pytest.approx(float(number), rel=1e-12)  # noqa: S307
