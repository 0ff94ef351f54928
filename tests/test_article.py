"""The article's example: every number that it prints, and every true value to twenty digits, by name."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any

import pytest
from sympy import Rational

import derive
from derive.derivation import Derivation
from derive.problem import load
from derive.quantities import quantity as published_quantity
from derive.scalars import Scalar

SEED: dict[str, dict[str, str]] = json.loads((Path(__file__).parent / "data" / "article.json").read_text("utf-8"))
DIGITS = 20


@pytest.fixture(scope="module")
def mazur() -> Derivation:
    return derive.differentiate("mazur")


@pytest.fixture(scope="module")
def sequential() -> Derivation:
    problem = load("mazur")
    assert problem.update is not None
    return derive.differentiate(replace(problem, update=replace(problem.update, order="sequential")))


def element(nested: Any, index: tuple[int, ...]) -> str:
    for i in index:
        nested = nested[i]
    return str(nested)


def path(derivation: Derivation, output: str, hidden: str, digits: int) -> str:
    """∂(error of one output)/∂(output of a hidden unit): the one path between the two."""
    net, out = derivation.scalar(f"net_{output}"), derivation.scalar(f"out_{hidden}")
    weight = Scalar("W2", (net.index[-1], out.index[-1]))
    delta = derivation.gradient.adjoints["z2"]
    return derivation.enclosures.decimal(lambda v: v[delta][net.index] * v[weight.array][weight.index], digits)


def local(derivation: Derivation, of: str, by: str, digits: int) -> str:
    """∂of/∂by, one factor of the chain rule: SymPy's expression, in enclosures."""
    of_scalar, by_scalar = derivation.scalar(of), derivation.scalar(by)
    partial = derivation.graph.partials(of_scalar, frozenset({by_scalar.array}))[by_scalar]
    read = {derivation.graph.symbol(s): s for s in map(derivation.scalar, map(str, partial.free_symbols))}
    arrays = derivation.to_json(digits + 10)["arrays"]
    exact = {symbol: Rational(element(arrays[s.array], s.index)) for symbol, s in read.items()}
    return str(partial.xreplace(exact).evalf(digits))


def quantity(derivation: Derivation, name: str, digits: int) -> str:
    """A number of the article by the name that the data file has for it."""
    found = derivation.to_json(digits)
    base, plus = name.removesuffix("_plus").removesuffix("_after_1"), name.endswith(("_plus", "_after_1"))
    if plus and base == "E_total":
        return str(found["updated"]["error"])
    if plus and base.startswith("w"):
        scalar = derivation.scalar(base)
        return element(found["updated"][scalar.array], scalar.index)
    if plus:
        scalar = derivation.scalar(base)
        return derivation.after_update.decimal(lambda values: values[scalar.array][scalar.index], digits)
    if base == "E_total":
        return str(found["error"])
    of, _, by = base.partition("_d") if base.startswith("d") and "_d" in base else ("", "", "")
    if base.startswith("delta_"):
        of, by = "dEtotal", f"net_{base.removeprefix('delta_')}"
    if base.startswith("dE_db"):
        of, by = "dEtotal", base.removeprefix("dE_d")
    if base.startswith("dE_o"):
        return path(derivation, of.removeprefix("dE_"), by.removeprefix("out_"), digits)
    if of == "dEtotal":
        scalar = derivation.scalar(by)
        adjoint = derivation.gradient.adjoints[scalar.array]
        return derivation.enclosures.decimal(lambda values: values[adjoint][scalar.index], digits)
    if of:
        return local(derivation, of.removeprefix("d"), by, digits)
    scalar = derivation.scalar(base)
    return element(found["arrays"][scalar.array], scalar.index)


@pytest.mark.parametrize("name", SEED["simultaneous_1"])
def test_every_value_to_twenty_digits(mazur: Derivation, name: str) -> None:
    assert Decimal(quantity(mazur, name, DIGITS)) == Decimal(SEED["simultaneous_1"][name])


@pytest.mark.parametrize("name", SEED["printed"])
def test_every_printed_number_at_its_precision(mazur: Derivation, name: str) -> None:
    printed = Decimal(SEED["printed"][name])
    assert Decimal(quantity(mazur, name, DIGITS)).quantize(printed, ROUND_HALF_EVEN) == printed


@pytest.mark.parametrize("name", SEED["printed"] | SEED["printed_after_training"])
def test_every_printed_number_by_the_name_in_the_problem_file(
    mazur: Derivation, sequential: Derivation, name: str
) -> None:
    printed = Decimal((SEED["printed"] | SEED["printed_after_training"])[name])
    derivation = sequential if name in SEED["printed_after_training"] else mazur
    found = published_quantity(derivation, published_name(name)).decimal(DIGITS)
    assert Decimal(found).quantize(printed, ROUND_HALF_EVEN) == printed


def test_json_holds_the_same_digits(mazur: Derivation) -> None:
    """`gradients mazur --json --digits 18`: every gradient, rounded from the twenty digits."""
    found = mazur.to_json(18)
    for number in range(1, 9):
        scalar = mazur.scalar(f"w{number}")
        expected = Decimal(SEED["simultaneous_1"][f"dEtotal_dw{number}"])
        text = element(found["gradients"][scalar.array], scalar.index)
        assert Decimal(text) == round_to(expected, 18)
        assert not text.endswith("0")
    assert Decimal(found["error"]) == round_to(Decimal(SEED["simultaneous_1"]["E_total"]), 18)


def round_to(value: Decimal, digits: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(value.adjusted() - digits + 1), ROUND_HALF_EVEN)


AFTER = {"simultaneous": "simultaneous_10000", "sequential": "sequential_10000"}


@pytest.mark.parametrize("order", AFTER)
@pytest.mark.parametrize("digits", [None, DIGITS], ids=["float64", "exact"])
def test_training_ten_thousand_steps(mazur: Derivation, sequential: Derivation, order: str, digits: int | None) -> None:
    derivation = {"simultaneous": mazur, "sequential": sequential}[order]
    found = derivation.train(10_000, digits=digits)
    assert found["steps"] == 10_000
    assert found["history"][0][0] == 0
    assert found["history"][-1] == [10_000, found["error"]]
    for name, expected in SEED[AFTER[order]].items():
        base = name.removesuffix("_after_10000")
        if base == "E_total":
            text = found["error"]
        else:
            scalar = derivation.scalar(base)
            text = element(found["arrays"][scalar.array], scalar.index)
        if digits is None:
            assert float(text) == pytest.approx(float(expected), rel=1e-12), name
        else:
            assert Decimal(text) == Decimal(expected), name
    assert found["outputs"] == found["arrays"]["a2"]


@pytest.mark.parametrize("name", SEED["sequential_1"])
def test_one_step_in_sequential_order(sequential: Derivation, name: str) -> None:
    assert Decimal(quantity(sequential, name, DIGITS)) == Decimal(SEED["sequential_1"][name])


def test_sequential_order_leaves_the_gradients_as_they_are(mazur: Derivation, sequential: Derivation) -> None:
    assert sequential.to_json(DIGITS)["gradients"] == mazur.to_json(DIGITS)["gradients"]


@pytest.mark.parametrize("name", SEED["printed_after_training"])
def test_the_four_last_printed_numbers_come_from_the_sequential_order(sequential: Derivation, name: str) -> None:
    """They are not what gradient descent on the printed weights gives; layer after layer, every digit is right."""
    printed = Decimal(SEED["printed_after_training"][name])
    base, _, steps = name.rpartition("_after_")
    scalar = Scalar("E", ()) if base == "E_total" else sequential.scalar(base)
    after = sequential.train_exactly(int(steps)).decimal(lambda values: values[scalar.array][scalar.index], DIGITS)
    assert Decimal(after).quantize(printed, ROUND_HALF_EVEN) == printed


def test_the_problem_file_states_what_the_article_prints() -> None:
    """Nothing in the data file is missing from `[[published]]`, and nothing differs."""
    stated = {each.name: each.value for each in load("mazur").published}
    expected = SEED["printed"] | SEED["printed_after_training"]
    assert {published_name(name): value for name, value in expected.items()} == stated


def published_name(name: str) -> str:
    base, _, steps = name.partition("_after_")
    base = {"E_total": "E"}.get(base, base).removesuffix("_plus") + "+" * name.endswith("_plus")
    if base.startswith("d") and not base.startswith("delta"):
        of, _, by = base.partition("_d")
        base = f"{of.replace('dEtotal', 'dE')}/d{by}"
    return f"{base}@{steps}" if steps else base
