"""Variants keep what is promised: other numbers for everyone, right answers, and mistakes that can be told apart."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from decimal import Decimal
from fractions import Fraction
from functools import cache
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from injected import FUNCTIONS, SLOPES, Dense, Network, answers
from injected_slips import slips

import derive
from derive.errors import ChainruleError, ProblemError
from derive.files.problem_text import problem_text
from derive.problem import Problem, load_text
from derive.variants.answers import Answered, shown
from derive.variants.asked import Asked
from derive.variants.draw import Variant, Variants
from derive.verification.precision import Precision

FOUR = Precision("sf", 4, steps=True)
COUNT = 50


def network(activations: Sequence[str], widths: Sequence[int], **changes: Any) -> dict[str, Any]:
    """A network whose numbers are drawn, as a problem states it."""
    units = zip(activations, widths[1:], strict=True)
    layers = [{"activation": activation, "units": size, "bias": "per_unit"} for activation, size in units]
    softmax = activations[-1] == "softmax"
    return {
        "examples": [{"inputs": [0.5, -0.3, 0.2][: widths[0]], "targets": 1 if softmax else [0.3, 0.8][: widths[-1]]}],
        "layers": layers,
        "initial": {"seed": 3},
        "loss": {"name": "categorical_cross_entropy" if softmax else "half_squared_error"},
        "update": {"learning_rate": 0.5},
    } | changes


ASKED = (("gradient", "W1[0, 0]"), ("gradient", "W2[0, 0]"), ("delta", "z2[0, 0]"), ("updated", "W2[0, 0]"))
FORWARD = (("value", "a1[0, 0]"), ("value", "E"))

# problem | what is asked besides | carried
CASES: dict[str, tuple[Any, tuple[tuple[str, str], ...], Precision]] = {
    "mazur": ("mazur", (*FORWARD, ("local", "net_h1")), FOUR),
    "relu and softmax": (network(("relu", "softmax"), (2, 3, 2)), FORWARD, FOUR),
    "classes": ("softmax", (("value", "a2[0, 2]"),), FOUR),
    "tanh, to five decimals": (network(("tanh", "logistic"), (3, 2, 2)), FORWARD, Precision("dp", 5, steps=True)),
    "everything varies": (
        network(
            ("logistic", "identity"),
            (2, 2, 1),
            examples=[{"inputs": [0, 1], "targets": [1]}, {"inputs": [1, 0], "targets": [0]}],
            vary={"weights": True, "biases": True, "inputs": True, "targets": True, "learning_rate": True},
        ),
        FORWARD,
        FOUR,
    ),
}


def asked_of(derivation: derive.Derivation, names: Sequence[tuple[str, str]]) -> list[Asked]:
    return [Asked(kind, derivation.scalar(name)) for kind, name in names]


def variants(problem: Any, names: Sequence[tuple[str, str]], carry: Precision = FOUR, seed: int = 7) -> Variants:
    derivation = derive.differentiate(problem)
    return Variants(derivation, asked_of(derivation, names), carry, seed)


@cache
def made(name: str) -> tuple[Variants, tuple[Variant, ...]]:
    problem, more, carry = CASES[name]
    every = variants(problem, (*ASKED, *more), carry)
    return every, tuple(every.variant(number) for number in range(1, COUNT + 1))


def floats(problem: Problem) -> Network:
    """The numbers of a problem for the separately written NumPy code."""

    def array(value: Any) -> Any:
        return np.array(value, dtype=object).astype(float)

    layers = tuple(
        Dense(
            array(layer.weights),
            float(layer.bias) if isinstance(layer.bias, Fraction) else array(layer.bias),
            layer.activation,
        )
        for layer in problem.layers
    )
    rate = 0.5 if problem.update is None else float(problem.update.learning_rate)
    inputs, targets = (array([getattr(each, side) for each in problem.examples]) for side in ("inputs", "targets"))
    return Network(inputs, targets, layers, problem.loss.name, problem.loss.over_examples, rate=rate)


def levels(net: Network) -> list[tuple[str, Any, Any]]:
    """(activation, net inputs, outputs) of every layer."""
    found, a = [], net.inputs
    for layer in net.layers:
        z = a @ layer.weights.T + layer.bias
        a = FUNCTIONS[layer.activation](z)
        found.append((layer.activation, z, a))
    return found


# ---- the numbers ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", CASES)
def test_every_variant_has_other_numbers(name: str) -> None:
    problems = [problem_text(each.derivation.problem) for each in made(name)[1]]
    assert len(set(problems)) == COUNT


@pytest.mark.parametrize("name", CASES)
def test_only_what_varies_has_changed_and_stays_in_its_range(name: str) -> None:
    every, found = made(name)
    ranges = {each.name: each for each in every.space.varied}
    first = every.derivation.given
    for each in found[:10]:
        for array, values in each.derivation.given.items():
            numbers = [Fraction(int(v.p), int(v.q)) for v in values.reshape(-1)]
            if array not in ranges:
                assert values.tolist() == first[array].tolist()
            elif ranges[array].classes:
                assert sorted(numbers) == [0] * (len(numbers) - 1) + [1]
            else:
                varied = ranges[array]
                allowed = varied.among or None
                assert all(n in allowed if allowed else varied.low <= n <= varied.high for n in numbers)
                assert all((n * 10**varied.decimals).denominator == 1 for n in numbers)


@pytest.mark.parametrize("name", CASES)
def test_no_unit_is_saturated_or_at_a_kink(name: str) -> None:
    for each in made(name)[1]:
        for activation, z, a in levels(floats(each.derivation.problem)):
            if activation == "softmax":
                assert ((a > 0.0099) & (a < 0.9901)).all()
            elif activation in ("logistic", "tanh"):
                assert (np.abs(SLOPES[activation](z)) > 0.0099).all()
            elif activation == "relu":
                assert (np.abs(z) > 1e-4).all()


def test_a_variant_is_the_same_whoever_asks() -> None:
    _, found = made("mazur")
    problem, more, carry = CASES["mazur"]
    every = variants(problem, (*ASKED, *more), carry)
    for number in (37, 1):
        alone = every.variant(number)
        assert alone.derivation.problem == found[number - 1].derivation.problem
        assert [told(each) for each in alone.answers] == [told(each) for each in found[number - 1].answers]


def told(answer: Answered) -> tuple[Any, ...]:
    mistaken = [(each.mistakes, each.value, each.shown, each.tolerance) for each in answer.mistaken]
    return answer.asked, answer.value, answer.shown, answer.tolerance, mistaken


IN_ANOTHER_PROCESS = """
import json, sys
sys.path.insert(0, sys.argv[1])
from test_variants import ASKED, CASES, told, variants
problem, more, carry = CASES["mazur"]
found = variants(problem, (*ASKED, *more), carry).variant(23)
print(json.dumps([repr(told(each)) for each in found.answers]))
"""


def test_in_another_process_too() -> None:
    command = [sys.executable, "-c", IN_ANOTHER_PROCESS, str(Path(__file__).parent)]
    environment = os.environ | {"PYTHONHASHSEED": "4", "PYTHONPATH": str(Path(__file__).parent.parent)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    assert json.loads(done.stdout) == [repr(told(each)) for each in made("mazur")[1][22].answers]


def test_another_seed_gives_other_numbers_and_the_same_promises() -> None:
    problem, more, carry = CASES["mazur"]
    other = variants(problem, (*ASKED, *more), carry, seed=8)
    first, found = made("mazur")
    assert other.variant(1).derivation.problem != found[0].derivation.problem
    keys = [[each.keys for each in row] for row in other.promises]
    assert keys == [[each.keys for each in row] for row in first.promises]


# ---- the answers ---------------------------------------------------------------------------

WHERE = {"value": "arrays", "delta": "gradients", "gradient": "gradients", "updated": "updated"}


@pytest.mark.parametrize("name", CASES)
def test_answers_are_what_the_student_s_own_file_gives(name: str) -> None:
    _, found = made(name)
    for each in found[:6]:
        problem = load_text(problem_text(each.derivation.problem))
        more = [answer.asked.scalar.array for answer in each.answers if answer.asked.kind == "delta"]
        own = derive.differentiate(problem)
        printed = own.to_json()
        for answer in each.answers:
            kind, scalar = answer.asked.kind, answer.asked.scalar
            if kind == "local" or (kind == "delta" and more):
                continue
            at: Any = printed["error"] if scalar.array == "E" else printed[WHERE[kind]][scalar.array]
            for index in scalar.index:
                at = at[index]
            assert answer.value == at


def expected(net: Network, asked: Asked) -> float:
    """What the separately written code finds for a number that is asked for."""
    kind, array, index = asked.kind, asked.scalar.array, asked.scalar.index
    layer = int(array[1:] or 1)
    activation, z, a = levels(net)[layer - 1]
    match kind:
        case "gradient":
            found = answers(net)[array][index]
        case "updated":
            found = net.layers[layer - 1].weights[index] - net.rate * answers(net)[array][index]
        case "value":
            found = answers(net)["E"] if array == "E" else a[index]
        case "local":
            found = SLOPES[activation](z)[index]
        case _:
            found = central(net, layer, index)
    return float(found)


@pytest.mark.parametrize("name", CASES)
def test_answers_agree_with_separately_written_code(name: str) -> None:
    _, found = made(name)
    for each in found[:20]:
        net = floats(each.derivation.problem)
        for answer in each.answers:
            close = 1e-6 if answer.asked.kind == "delta" else 1e-12
            assert float(answer.value) == pytest.approx(expected(net, answer.asked), rel=close)


def central(net: Network, layer: int, index: tuple[int, ...]) -> float:
    """∂E/∂z by central differences: the unit's bias moved, for one example alone."""
    example, unit = index
    step = 1e-6

    def error(by: float) -> float:
        a = net.inputs[example : example + 1]
        for number, each in enumerate(net.layers, start=1):
            z = a @ each.weights.T + each.bias
            if number == layer:
                z[0, unit] += by
            a = FUNCTIONS[each.activation](z)
        t = net.targets[example : example + 1]
        return float(-(t * np.log(a)).sum() if net.loss == "categorical_cross_entropy" else ((t - a) ** 2).sum() / 2)

    return (error(step) - error(-step)) / (2 * step)


@pytest.mark.parametrize(
    ("value", "carry", "text"),
    [
        ("0.082167040564230771", FOUR, "0.08217"),
        ("0.0821", FOUR, "0.08210"),
        ("9.99996", FOUR, "10.00"),
        ("-12345.6", FOUR, "-12350"),
        ("0.00012345", FOUR, "0.0001234"),
        ("0.2", Precision("dp", 3), "0.200"),
        ("-0.0004", Precision("dp", 3), "0.000"),
    ],
)
def test_a_number_is_shown_as_it_is_asked_for(value: str, carry: Precision, text: str) -> None:
    assert shown(value, carry) == text


@pytest.mark.parametrize("name", CASES)
def test_answers_keep_two_digits(name: str) -> None:
    for each in made(name)[1]:
        for answer in each.answers:
            value, off = Decimal(answer.value), Decimal(answer.tolerance)
            assert 0 < off <= abs(value) * Decimal("0.05") * Decimal("1.1")
            assert abs(Decimal(answer.shown) - value) <= off


def rounded(value: float) -> float:
    return float(f"{value:.3e}")


def student(net: Network) -> dict[str, float]:
    """Mazur's network by hand, every single result rounded to four significant digits."""
    r = rounded
    (x,), (t,) = net.inputs.tolist(), net.targets.tolist()
    (w, v), (b1, b2) = [layer.weights.tolist() for layer in net.layers], [layer.bias for layer in net.layers]

    def out(weights: list[float], values: list[float], bias: Any) -> float:
        z = r(r(weights[0] * values[0]) + r(weights[1] * values[1]) + bias)
        return r(1 / (1 + np.exp(-z)))

    h = [out(row, x, b1) for row in w]
    o = [out(row, h, b2) for row in v]
    errors = [r(r(r(t[k] - o[k]) ** 2) / 2) for k in range(2)]
    slopes = [r(o[k] * r(1 - o[k])) for k in range(2)]
    deltas = [r(r(o[k] - t[k]) * slopes[k]) for k in range(2)]
    back = r(r(deltas[0] * v[0][0]) + r(deltas[1] * v[1][0]))
    slope = r(h[0] * r(1 - h[0]))
    gradient = r(deltas[0] * h[0])
    return {
        "gradient W1": r(r(back * slope) * x[0]),
        "gradient W2": gradient,
        "delta z2": deltas[0],
        "updated W2": r(v[0][0] - r(0.5 * gradient)),
        "value a1": h[0],
        "value E": r(errors[0] + errors[1]),
        "local z1": slope,
    }


def test_who_rounds_every_step_comes_within_the_tolerance() -> None:
    widths = []
    for each in made("mazur")[1]:
        got = student(floats(each.derivation.problem))
        for answer in each.answers:
            off = abs(got[f"{answer.asked.kind} {answer.asked.scalar.array}"] - float(answer.value))
            assert off <= float(answer.tolerance)
            widths.append(off / float(answer.tolerance))
    assert max(widths) > 0.5, "and the tolerance is not much wider than that"


# ---- mistakes ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CASES)
def test_values_can_be_told_apart(name: str) -> None:
    for each in made(name)[1]:
        for answer in each.answers:
            intervals = [(Fraction(answer.value), Fraction(answer.tolerance))]
            intervals += [(Fraction(m.value), Fraction(m.tolerance)) for m in answer.mistaken]
            intervals.sort()
            for (low, below), (high, above) in pairwise(intervals):
                assert high - low > (below + above) * Fraction(999_999, 1_000_000)


@pytest.mark.parametrize("name", CASES)
def test_each_mistake_stands_once_and_the_likeliest_first(name: str) -> None:
    for answer in made(name)[1][0].answers:
        firsts = [each.edits[0] for each in answer.mistaken]
        assert len({(edit.mistake, edit.layer, edit.variant) for edit in firsts}) == len(firsts)
        assert all(each.mistakes[0] == each.edits[0].key for each in answer.mistaken)


@pytest.mark.parametrize("name", CASES)
def test_who_made_it_is_told_a_good_deal(name: str) -> None:
    every, _ = made(name)
    counts = {asked: len(row) for asked, row in zip(every.asked, every.promises, strict=True)}
    gradients = [count for asked, count in counts.items() if asked.kind in ("gradient", "delta")]
    assert min(gradients) >= 5, counts
    assert all(counts.values()), counts


WITNESSED = {
    "sign_of_error",
    "factor_two",
    "factor_half",
    "activation_derivative_missing",
    "activation_derivative_of_net_form",
    "activation_derivative_at_output",
    "weight_gradient_input_missing",
    "back_pass_not_transposed",
    "back_pass_weight_missing",
    "weights_transposed_forward",
    "targets_swapped",
    "output_forgotten_in_loss",
    "loss_without_half",
    "loss_averaged",
}


@pytest.mark.parametrize("name", ["mazur", "relu and softmax", "everything varies"])
def test_mistaken_values_are_those_of_slips_in_separately_written_code(name: str) -> None:
    _, found = made(name)
    seen: set[str] = set()
    for each in found[:5]:
        net = floats(each.derivation.problem)
        with np.errstate(all="ignore"):
            wrong = [(slip.mistake, slip.layer, answers(net, slip)) for slip in slips(net)]
        for answer in each.answers:
            array, index = answer.asked.scalar.array, answer.asked.scalar.index
            if answer.asked.kind not in ("gradient", "updated"):
                continue
            for mistake in answer.mistaken:
                own = {key for key in mistake.mistakes if key[0] in WITNESSED}
                values = [float(got[array][index]) for m, layer, got in wrong if (m, layer) in own]
                if answer.asked.kind == "updated":
                    weight = net.layers[int(array[1:]) - 1].weights[index]
                    values = [float(weight - net.rate * value) for value in values]
                if values:
                    assert any(value == pytest.approx(float(mistake.value), rel=1e-9) for value in values), mistake
                    seen |= {key[0] for key in own}
    assert len(seen) >= 6, seen


def test_a_local_derivative_has_the_mistakes_of_its_own_layer() -> None:
    answer = made("mazur")[1][0].answers[-1]
    (_, z, a), _ = levels(floats(made("mazur")[1][0].derivation.problem))
    values = {each.mistakes[0][0]: float(each.value) for each in answer.mistaken}
    assert values["activation_derivative_missing"] == 1
    halves = [pytest.approx(half) for half in (a[0, 0], 1 - a[0, 0], a[0, 0] * (1 + a[0, 0]))]
    assert values["activation_derivative_half_formed"] in halves
    assert {layer for each in answer.mistaken for _, layer in each.mistakes} <= {1, "all"}
    if "activation_derivative_of_net_form" in values:
        assert values["activation_derivative_of_net_form"] == pytest.approx((z * (1 - z))[0, 0])


# ---- somebody's own numbers ------------------------------------------------------------------


def test_the_problem_s_own_numbers_are_answered_too() -> None:
    own = variants("mazur", (*ASKED, *FORWARD)).own()
    assert own.derivation.problem.published
    assert [each.shown for each in own.answers[1:4]] == ["0.08217", "0.1385", "0.3589"]
    for answer in own.answers:
        values = [float(answer.value), *(float(each.value) for each in answer.mistaken)]
        assert all(abs(one - other) > 1e-9 * abs(one) for one, other in combinations(values, 2))
    assert len(own.answers[1].mistaken) > 30


def test_a_dead_unit_is_answered_with_0() -> None:
    (answer,) = variants("relu", [("gradient", "W1[1, 0]")]).own().answers
    assert (answer.value, answer.shown, answer.tolerance) == ("0", "0", "0")


# ---- what cannot be ------------------------------------------------------------------------

LINEAR = network(("identity", "identity"), (2, 2, 1))
FIXED = network(("logistic", "logistic"), (2, 2, 1))


def with_vary(problem: dict[str, Any], **keys: Any) -> dict[str, Any]:
    return problem | {"vary": keys}


# problem | what is asked | carried | how many | what the message must contain
IMPOSSIBLE: dict[str, tuple[Any, ...]] = {
    "saturated": (
        with_vary(FIXED, weights={"low": 30, "high": 40}),
        ASKED[1:2],
        FOUR,
        1,
        "is saturated (in",
        "make the ranges of [vary] smaller",
    ),
    "a kink": (
        with_vary(network(("relu", "identity"), (2, 2, 1)), W1={"among": [0]}, b1={"among": [0]}, W2=True),
        ASKED[1:2],
        FOUR,
        1,
        "none will do: a net input lies within a rounding of its activation's kink",
    ),
    "it vanishes": (
        with_vary(FIXED, weights={"low": -1}),
        ASKED[:1],
        Precision("dp", 2, steps=True),
        1,
        "dE/dw1 has no two digits left that are sure when 2 decimals are carried",
        "carry more digits",
    ),
    "nothing can be seen": (
        with_vary(FIXED | {"update": {"learning_rate": "0.00001"}}, weights={"low": "0.5"}),
        ASKED[3:],
        FOUR,
        1,
        "no known mistake can be told from the right value",
        "carry more digits",
    ),
    "too few": (
        with_vary(FIXED, W1={"low": 0.1, "high": 0.2, "decimals": 1}),
        ASKED[1:2],
        FOUR,
        300,
        "and 300 were asked for; vary more numbers",
    ),
    "too few of many": (
        with_vary(LINEAR, weights=True, inputs=True),
        ASKED[1:2],
        FOUR,
        10**30,
        "were asked for",
    ),
}


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_what_cannot_be_is_said_before_anything_is_written(name: str) -> None:
    problem, names, carry, count, *said = IMPOSSIBLE[name]
    with pytest.raises(ProblemError) as caught:
        variants(problem, names, carry).check(count)
    for part in said:
        assert part in str(caught.value)


def test_all_that_there_are_can_be_had_and_no_more() -> None:
    problem = with_vary(FIXED, W1={"low": 0.1, "high": 0.3, "decimals": 1})
    every = variants(problem, ASKED[1:2])
    with pytest.raises(ProblemError, match="there are") as caught:
        every.check(10**4)
    there = int(str(caught.value).split("there are ")[1].split(" ")[0])
    assert 5 <= there <= 81
    found = {problem_text(every.variant(number).derivation.problem) for number in range(1, there + 1)}
    assert len(found) == there


# what is asked | what the message must contain
NOT_ASKED: dict[str, tuple[Callable[[derive.Derivation], Asked], str]] = {
    "a kind": (lambda d: Asked("gradeint", d.scalar("w1")), "known: value, delta"),
    "a given value": (lambda d: Asked("value", d.scalar("w1")), "is given"),
    "a target's": (lambda d: Asked("delta", d.scalar("t[0, 0]")), "no derivative"),
    "an update": (lambda d: Asked("updated", d.scalar("out_h1")), "is not updated"),
    "no net input": (lambda d: Asked("local", d.scalar("out_h1")), "no net input"),
}


@pytest.mark.parametrize("name", NOT_ASKED)
def test_what_cannot_be_asked_is_refused(name: str) -> None:
    ask, said = NOT_ASKED[name]
    derivation = derive.differentiate("mazur")
    with pytest.raises(ChainruleError, match=said):
        Variants(derivation, [ask(derivation)], FOUR, 1)


def test_symbols_have_no_variants() -> None:
    derivation = derive.differentiate("symbolic")
    with pytest.raises(ChainruleError, match="symbols"):
        Variants(derivation, [Asked("gradient", derivation.scalar("w1"))], FOUR, 1)
