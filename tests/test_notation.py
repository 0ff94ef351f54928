"""Names of scalars: as the article prints them and by index, there and back."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sympy
from networks import symbolic

import derive
from derive.derivation import Derivation
from derive.errors import ChainruleError
from derive.formula import Name
from derive.notation import NOTATIONS, UnknownNameError, plain_name

L = "logistic"


def network(*widths: int, examples: int = 1, bias: str | None = "shared", notation: str = "mazur") -> Derivation:
    depth = len(widths) - 1
    problem = symbolic(widths, [L] * depth, "half_squared_error", examples=examples, biases=[bias] * depth)
    return derive.differentiate(replace(problem, notation=notation))


MAZUR = {
    "w1": ("W1", (0, 0)),
    "w2": ("W1", (0, 1)),
    "w3": ("W1", (1, 0)),
    "w4": ("W1", (1, 1)),
    "w5": ("W2", (0, 0)),
    "w8": ("W2", (1, 1)),
    "i1": ("x", (0, 0)),
    "i2": ("x", (0, 1)),
    "net_h1": ("z1", (0, 0)),
    "net_h2": ("z1", (0, 1)),
    "out_h2": ("a1", (0, 1)),
    "net_o1": ("z2", (0, 0)),
    "out_o2": ("a2", (0, 1)),
    "target_o1": ("t", (0, 0)),
    "E_o2": ("e", (0, 1)),
    "E_total": ("E", ()),
}


@pytest.mark.parametrize("name", MAZUR)
def test_the_articles_names_and_indices_mean_the_same(name: str) -> None:
    derivation = network(2, 2, 2)
    array, index = MAZUR[name]
    scalar = derivation.scalar(name)
    assert (scalar.array, scalar.index) == (array, index)
    assert plain_name(derivation.names.element(array, index)) == name
    if index:
        assert derivation.scalar(f"{array}{list(index)}") == scalar
        assert derivation.scalar(f"{array}[{','.join(map(str, index))}]") == scalar


def test_the_shared_biases_are_arrays_of_their_own_name() -> None:
    derivation = network(2, 2, 2)
    assert derivation.scalar("b1") == derivation.scalar("b1[]")
    assert plain_name(derivation.names.element("b2", ())) == "b2"


def test_one_bias_a_unit_is_named_by_its_unit() -> None:
    derivation = network(2, 2, 2, bias="per_unit")
    assert derivation.scalar("b_h1") == derivation.scalar("b1[0]")
    assert derivation.scalar("b_o2") == derivation.scalar("b2[1]")
    name = derivation.names.element("b1", (0,))
    assert (name.base, name.sub) == ("b", "h1")


def test_an_arrays_name_goes_before_a_scalars() -> None:
    """b1 is the whole array where there is one bias a unit; one element has to be named."""
    derivation = network(2, 2, 2, bias="per_unit")
    assert derivation.names.find("b1") == ("b1", None)
    with pytest.raises(ChainruleError, match=r"b1 is an array of shape \(2,\); name one element, like b1\[0\]"):
        derivation.scalar("b1")


def test_hidden_units_and_weights_are_counted_through_the_layers() -> None:
    derivation = network(2, 2, 3, 2, bias="per_unit")
    assert derivation.scalar("net_h3") == derivation.scalar("z2[0, 0]")
    assert derivation.scalar("out_h5") == derivation.scalar("a2[0, 2]")
    assert derivation.scalar("net_o1") == derivation.scalar("z3[0, 0]")
    assert derivation.scalar("b_h4") == derivation.scalar("b2[1]")
    assert derivation.scalar("w5") == derivation.scalar("W2[0, 0]")
    assert derivation.scalar("w11") == derivation.scalar("W3[0, 0]")
    assert derivation.scalar("w16") == derivation.scalar("W3[1, 2]")


def test_a_network_without_hidden_units_has_outputs_only() -> None:
    derivation = network(2, 1)
    assert derivation.scalar("net_o1") == derivation.scalar("z1[0, 0]")
    assert derivation.scalar("w2") == derivation.scalar("W1[0, 1]")


def test_several_examples_are_told_apart() -> None:
    derivation = network(2, 2, 1, examples=2)
    assert derivation.scalar("net_h1(2)") == derivation.scalar("z1[1, 0]")
    assert derivation.scalar("i2(1)") == derivation.scalar("x[0, 1]")
    assert derivation.scalar("E_o1(2)") == derivation.scalar("e[1, 0]")
    assert derivation.scalar("w1") == derivation.scalar("W1[0, 0]")
    name = derivation.names.element("z1", (1, 0))
    assert (name.base, name.sub, name.sup) == ("net", "h1", "(2)")
    with pytest.raises(UnknownNameError):
        derivation.scalar("net_h1")


@pytest.mark.parametrize("notation", NOTATIONS)
@pytest.mark.parametrize("bias", ["shared", "per_unit", None])
@pytest.mark.parametrize("widths", [(1, 1), (2, 2, 2), (3, 4, 2, 3)])
@pytest.mark.parametrize("examples", [1, 3])
def test_every_name_leads_back_to_its_element(
    notation: str, bias: str | None, widths: tuple[int, ...], examples: int
) -> None:
    derivation = network(*widths, examples=examples, bias=bias, notation=notation)
    seen: dict[str, object] = {}
    for array in derivation.program.variables:
        for scalar in derivation.graph.scalars(array):
            name = plain_name(derivation.names.element(scalar.array, scalar.index))
            assert seen.setdefault(name, scalar) == scalar, f"{name} stands for two"
            if name not in derivation.program.variables:
                assert derivation.scalar(name) == scalar
            assert derivation.graph.symbol(scalar) == sympy.Symbol(name)


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("w9", "w8"),
        ("nte_h1", 'did you mean "net_h1"?'),
        ("out_h11", 'did you mean "out_h1"?'),
        ("W3", 'did you mean "w3"?'),
        ("W2[0, 2]", "no quantity of that name"),
        ("W2[-1, 0]", "no quantity of that name"),
        ("W2[0]", "no quantity of that name"),
        ("", "known: "),
        ("__class__", "known: "),
        ("w5; drop", "known: "),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(name: str, part: str) -> None:
    derivation = network(2, 2, 2)
    with pytest.raises(UnknownNameError) as caught:
        derivation.gradient_of(name)
    assert part in str(caught.value)
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, KeyError)


def test_every_known_name_is_listed_once() -> None:
    with pytest.raises(UnknownNameError) as caught:
        network(1, 1).scalar("w7")
    known = str(caught.value).partition("known: ")[2].partition(";")[0].split(", ")
    assert len(known) == len(set(known))


def test_gradients_by_either_name() -> None:
    derivation = derive.differentiate("mazur")
    assert derivation.gradient_of("w5") == derivation.gradients["W2"][0, 0]
    assert derivation.gradient_of("W2[0, 0]") == derivation.gradients["W2"][0, 0]
    assert derivation.gradient_of("b2") == derivation.gradients["b2"]
    assert derivation.gradients["W2"].shape == (2, 2)
    with pytest.raises(IndexError):
        derivation.gradients["W2"][0, 2]
    with pytest.raises(KeyError):
        derivation.gradients["W9"]


def test_deltas_and_whole_arrays_have_names() -> None:
    derivation = network(2, 2, 2)
    names = derivation.names
    assert plain_name(names.delta("z2", (0, 0))) == "delta_o1"
    assert plain_name(names.delta("z1", (0, 1))) == "delta_h2"
    assert (names.array("W1").base, names.array("W1").sub) == ("W", "1")
    assert names.array("a1").style == "bold"
    assert (names.array_delta("z2").base, names.array_delta("z2").sub) == ("delta", "2")
    assert names.unit("z1", (0, 1)) == Name("h", "2")
