"""Losses: each stated derivative is proved, each value is checked by hand, by PyTorch and by central differences."""

from __future__ import annotations

import math
import random
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sympy
from networks import Table, flat, numbers
from sympy import Expr, Rational

import derive
from derive.arrays import constant
from derive.derivation import Derivation
from derive.equations import parse
from derive.functions import LOSSES, Loss
from derive.problem import ProblemError, load
from derive.program import Map, Ref

NEW = ("absolute_error", "huber", "hinge", "kl_divergence", "nll")
SQUARES = ("half_squared_error", "squared_error", "mean_squared_error")

# ---- the rows --------------------------------------------------------------------------------


DELTA = Rational(7, 10)


def element(row: Loss) -> tuple[Expr, sympy.Symbol, sympy.Symbol]:
    """A row's error of one output, with its target and its output; huber's with `DELTA`."""
    (equation,) = parse(f"e = {row.element}", {"t": Ref("t", ()), "a": Ref("a", ()), "delta": constant(DELTA)})
    assert isinstance(equation.expression, Map)
    t, a = (sympy.Symbol(name, real=True) for name in "ta")
    return equation.expression.formula.doit(), t, a


def cases(name: str, t: sympy.Symbol, a: sympy.Symbol) -> list[dict[Expr, Expr]]:
    """Targets and outputs, so that every condition is decided: d is any positive number.

    Within huber's δ both derivatives are linear in a: that they agree in five places is proof.
    """
    d = sympy.Symbol("d", positive=True)
    match name:
        case "absolute_error":
            return [{a: t - d}, {a: t + d}, {a: t}]
        case "huber":
            within = (Rational(x, 10) for x in (-7, -3, 0, 2, 7))
            return [{a: t - DELTA - d}, {a: t + DELTA + d}, *({a: t + x} for x in within)]
        case "hinge":
            return [{t: sign, a: sign * x} for sign in (1, -1) for x in (1 - d, 1 + d, Rational(1))]
        case "kl_divergence":
            return [{t: d}, {t: Rational(0)}]
    return [{}]


@pytest.mark.parametrize("name", LOSSES)
def test_every_stated_derivative_is_proved(name: str) -> None:
    row = LOSSES[name]
    formula, t, a = element(row)
    stated = row.stated(t, a) if row.delta is None else row.stated(t, a, DELTA)
    difference = sympy.diff(formula, a) - stated
    for case in cases(name, t, a):
        left = difference.subs(case, simultaneous=True).doit()
        assert not left.has(sympy.Piecewise), case
        assert sympy.cancel(sympy.together(left)) == 0, case


def test_rows_say_how_outputs_are_put_together() -> None:
    for name, row in LOSSES.items():
        assert row.name == name
        assert ("mean" in row.summary) == (row.over_outputs == "mean")
        assert row.over_outputs == "mean" or any(sign in row.summary for sign in ("Σ", "summed"))
        assert row.kink == (" is taken as " in row.summary)


# ---- by hand ---------------------------------------------------------------------------------


def outputs(loss: str, a: list[str], t: list[str], examples: int = 1, **loss_keys: Any) -> Derivation:
    """One layer whose outputs are the numbers ``a``: one input of 1, a weight a unit."""
    return derive.differentiate(
        {
            "examples": [{"inputs": [1], "targets": t}] * examples,
            "layers": [{"weights": [[each] for each in a]}],
            "loss": {"name": loss} | loss_keys,
        }
    )


@pytest.mark.parametrize(
    ("loss", "a", "t", "error", "gradients"),
    [
        ("absolute_error", ["0.2", "0.8"], ["0.5", "-1"], "2.1", ["-1", "1"]),
        ("huber", ["0.2", "3"], ["0.5", "-1"], "3.545", ["-0.3", "1"]),  # ½·0.09 + 4 − ½
        ("hinge", ["0.25", "-2"], ["1", "-1"], "0.75", ["-1", "0"]),
        ("hinge", ["0.25", "2"], ["-1", "-1"], "4.25", ["1", "1"]),
        ("nll", ["-0.5", "-2"], ["0.25", "0.75"], "1.625", ["-0.25", "-0.75"]),
        ("kl_divergence", ["0.5", "0.5"], ["0.5", "0.5"], "0", ["-1", "-1"]),
        ("kl_divergence", ["0.25", "0.5"], ["0", "0.5"], "0", ["0", "-1"]),
    ],
)
@pytest.mark.parametrize(("over", "examples", "share"), [("sum", 1, 1), ("sum", 2, 2), ("mean", 2, 1)])
def test_by_hand(
    loss: str, a: list[str], t: list[str], error: str, gradients: list[str], over: str, examples: int, share: int
) -> None:
    found = outputs(loss, a, t, examples, over_examples=over).to_json(20)
    assert Fraction(found["error"]) == share * Fraction(error)
    assert [Fraction(row[0]) for row in found["gradients"]["W1"]] == [share * Fraction(each) for each in gradients]


def test_huber_takes_its_delta() -> None:
    found = outputs("huber", ["0.2", "3"], ["0.5", "-1"], delta="0.2").to_json(20)
    assert Fraction(found["error"]) == Fraction("0.04") + Fraction("0.78")  # 0.2 (0.3 − 0.1) + 0.2 (4 − 0.1)
    assert [row[0] for row in found["gradients"]["W1"]] == ["-0.2", "0.2"]


@pytest.mark.parametrize(
    ("loss", "a", "t", "gradient"),
    [
        ("absolute_error", "0.5", "0.5", "0"),
        ("hinge", "1", "1", "0"),
        ("hinge", "-1", "-1", "0"),
        ("huber", "1.5", "0.5", "1"),  # both pieces have this slope
        ("huber", "-0.5", "0.5", "-1"),
        ("kl_divergence", "0.5", "0", "0"),
    ],
)
def test_at_a_kink_the_convention_holds(loss: str, a: str, t: str, gradient: str) -> None:
    d = outputs(loss, [a], [t])
    assert d.to_json()["gradients"]["W1"] == [[gradient]]
    for backend in ("fast", "sympy"):
        assert d.lambdify(backend)()[1]["W1"][0, 0] == float(gradient)


def test_what_pytorch_takes_at_the_kinks() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install '.[torch]'")
    for t, a, loss in ((0.5, 0.5, torch.nn.functional.l1_loss), (0.5, 1.5, torch.nn.functional.huber_loss)):
        answer = torch.tensor([a], dtype=torch.float64, requires_grad=True)
        loss(answer, torch.tensor([t], dtype=torch.float64), reduction="sum").backward()
        name = {"l1_loss": "absolute_error", "huber_loss": "huber"}[loss.__name__]
        assert outputs(name, [str(a)], [str(t)]).lambdify()()[1]["W1"][0, 0] == answer.grad.item()


# ---- random networks -------------------------------------------------------------------------

LAST = {"kl_divergence": "softmax", "hinge": "tanh", "nll": "identity", "binary_cross_entropy": "logistic"}
LAST |= {"categorical_cross_entropy": "softmax"}


def network(loss: str, seed: int, widths: tuple[int, ...] = (2, 3, 3)) -> Table:
    draw = random.Random(f"{loss} {seed}")

    def number(low: float = -1, high: float = 1) -> str:
        return f"{draw.uniform(low, high):.3f}"

    def targets() -> list[str]:
        match loss:
            case "hinge":
                return [draw.choice(("1", "-1")) for _ in range(widths[-1])]
            case "kl_divergence" | "categorical_cross_entropy" | "nll":
                first = draw.randint(0, 10)
                rest = ["0"] * (widths[-1] - 2)
                return [str(first / 10), str((10 - first) / 10), *rest]
            case "binary_cross_entropy":
                return [number(0) for _ in range(widths[-1])]
        return [number(-3, 3) for _ in range(widths[-1])]

    activations = ["tanh", LAST.get(loss, "identity")]
    return {
        "examples": [{"inputs": [number() for _ in range(widths[0])], "targets": targets()} for _ in range(3)],
        "layers": [
            {
                "activation": activation,
                "weights": [[number() for _ in range(incoming)] for _ in range(units)],
                "bias": [number() for _ in range(units)],
            }
            for incoming, units, activation in zip(widths, widths[1:], activations, strict=False)
        ],
        "loss": {"name": loss, "over_examples": draw.choice(("sum", "mean"))}
        | ({"delta": "0.6"} if loss == "huber" else {}),
    }


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("seed", range(3))
def test_against_pytorch(loss: str, seed: int) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install '.[torch]'")
    functions = torch.nn.functional
    theirs = {
        "half_squared_error": lambda a, t: functions.mse_loss(a, t, reduction="sum") / 2,
        "squared_error": lambda a, t: functions.mse_loss(a, t, reduction="sum"),
        "mean_squared_error": lambda a, t: functions.mse_loss(a, t) * len(t),
        "binary_cross_entropy": lambda a, t: functions.binary_cross_entropy(a, t) * len(t),
        "categorical_cross_entropy": lambda a, t: -(t * torch.log(a)).sum(),
        "absolute_error": lambda a, t: functions.l1_loss(a, t, reduction="sum"),
        "huber": lambda a, t: functions.huber_loss(a, t, reduction="sum", delta=0.6),
        "hinge": lambda a, t: torch.relu(1 - t * a).sum(),
        "kl_divergence": lambda a, t: functions.kl_div(torch.log(a), t, reduction="sum"),
        "nll": lambda a, t: -(t * a).sum(),
    }
    d = derive.differentiate(network(loss, seed))
    given = {name: torch.tensor(np.array(value, dtype=float)) for name, value in numbers(d.problem).items()}
    parameters = {name: given[name].requires_grad_() for name in d.program.parameters}
    last = {"softmax": lambda z: torch.softmax(z, -1), "tanh": torch.tanh, "logistic": torch.sigmoid}
    a = torch.tanh(given["x"] @ given["W1"].T + given["b1"])
    a = last.get(LAST.get(loss, ""), lambda z: z)(a @ given["W2"].T + given["b2"])
    error = theirs[loss](a, given["t"]) / (3 if d.problem.loss.over_examples == "mean" else 1)
    error.backward()
    for backend in ("fast", "sympy"):
        found, gradients = d.lambdify(backend)()
        assert found == pytest.approx(error.item(), rel=1e-12, abs=1e-14)
        for name, parameter in parameters.items():
            assert np.abs(gradients[name] - parameter.grad.numpy()).max() <= 1e-12 * max(
                1.0, float(parameter.grad.abs().max())
            )


def test_a_class_is_a_target_of_nll() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install '.[torch]'")
    table = network("nll", 5)
    for example, chosen in zip(table["examples"], (2, 0, 1), strict=True):
        example["targets"] = chosen
    d = derive.differentiate(table | {"loss": {"name": "nll"}})
    a = torch.tensor(d.values["a2"])
    wanted = torch.nn.functional.nll_loss(a, torch.tensor([2, 0, 1]), reduction="sum").item()
    assert float(d.to_json()["error"]) == pytest.approx(wanted, rel=1e-14)


@pytest.mark.parametrize("loss", NEW)
def test_against_central_differences(loss: str) -> None:
    """(E(w + h) − E(w − h)) / 2h with h = 1e-20 in sixty digits; the networks keep off the kinks."""
    table = network(loss, 1)
    gradients = derive.differentiate(table).to_json(30)["gradients"]
    h = Fraction(1, 10**20)

    def error(layer: int, key: str, place: tuple[int, ...], by: Fraction) -> Fraction:
        moved: Any = {**table, "layers": [dict(each) for each in table["layers"]]}
        values: Any = np.array(moved["layers"][layer][key], dtype=object)
        values[place] = Fraction(values[place]) + by
        moved["layers"][layer][key] = values.tolist()
        return Fraction(derive.differentiate(moved).to_json(60)["error"])

    for layer, key, place, name in (
        (0, "weights", (1, 0), "W1"),
        (1, "weights", (2, 1), "W2"),
        (1, "bias", (0,), "b2"),
    ):
        difference = (error(layer, key, place, h) - error(layer, key, place, -h)) / (2 * h)
        found = gradients[name]
        for index in place:
            found = found[index]
        assert abs(Fraction(found) - difference) <= Fraction(1, 10**25) * (1 + abs(difference))


@pytest.mark.parametrize("loss", NEW)
def test_floats_agree_with_the_digits(loss: str) -> None:
    """Also where NumPy code is printed, and where a target of 0 meets a logarithm."""
    for widths in ((2, 3, 3), (12, 24, 4)):
        d = derive.differentiate(network(loss, 2, widths))
        exact = dict(flat(d.to_json(17)["gradients"]))
        error, gradients = d.lambdify()()
        assert error == pytest.approx(float(d.to_json(17)["error"]), rel=1e-13, abs=1e-15)
        found = dict(flat({name: array.tolist() for name, array in gradients.items()}))
        assert found == pytest.approx({place: float(text) for place, text in exact.items()}, rel=1e-11, abs=1e-14)


def test_the_divergence_of_a_softmax_far_out_stays_finite() -> None:
    """ln(softmax) is rewritten before it is computed: an output of e^-2000 is no 0 here."""
    d = derive.differentiate(
        {
            "examples": [{"inputs": [1], "targets": ["0", "0.5", "0.5"]}],
            "layers": [{"activation": "softmax", "weights": [["1000"], ["-1000"], ["0"]]}],
            "loss": {"name": "kl_divergence"},
        }
    )
    for backend in ("fast", "sympy"):
        assert d.lambdify(backend)()[0] == pytest.approx(1500 + math.log(0.5), rel=1e-14)
    assert d.to_json()["gradients"]["W1"] == [["1"], ["-0.5"], ["-0.5"]]


# ---- what is refused -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("loss", "target", "message"),
    [
        ({"name": "hinge"}, "0.5", "examples[0].targets[0]: found 0.5; hinge needs targets of 1 or -1"),
        (
            {"name": "kl_divergence"},
            "1.5",
            "examples[0].targets[0]: found 1.5; kl_divergence needs targets from 0 to 1",
        ),
        ({"name": "huber", "delta": 0}, "1", "loss.delta: found 0; a number greater than 0 is expected"),
        ({"name": "huber", "delta": "big"}, "1", 'loss.delta: found "big"; a number is expected'),
        ({"name": "hinge", "delta": 1}, "1", "loss.delta: hinge has no delta; known with one: huber"),
        ({"name": "hubert"}, "1", 'did you mean "huber"?'),
    ],
)
def test_a_loss_that_cannot_be(loss: Table, target: str, message: str) -> None:
    with pytest.raises(ProblemError) as refused:
        load({"examples": [{"inputs": [1], "targets": [target]}], "layers": [{"weights": [["0.5"]]}], "loss": loss})
    assert message in str(refused.value)
    assert len(refused.value.faults) == 1


def test_delta_is_kept_exactly() -> None:
    table = network("huber", 0)
    assert load(table).loss.delta == Fraction(3, 5)
    assert load(table | {"loss": {"name": "huber"}}).loss.delta is None
