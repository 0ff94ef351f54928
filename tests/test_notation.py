"""Names of scalars: as the article prints them and by index, there and back."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from functools import cache
from itertools import product
from pathlib import Path

import pytest
import sympy
from networks import symbolic

import derive
from derive.derivation import Derivation
from derive.errors import ChainruleError, ProblemError
from derive.formula import Name
from derive.notation import NOTATIONS, Names, UnknownNameError, plain_name
from derive.notations.file import notation as notation_of
from derive.notations.file import parse, read, template
from derive.problem import bundled
from derive.tex_names import tex_name
from render.compose import document
from render.formats import render_text

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


# ---- the notations, row by row -----------------------------------------------------------------

# (notation, array, index) -> TeX, and how it is typed, for one example through 2-2-2 with a bias for each unit.
WRITTEN = {
    ("mazur", "x", (0, 1)): ("i_{2}", "i2"),
    ("mazur", "W2", (0, 0)): ("w_{5}", "w5"),
    ("mazur", "b1", (1,)): ("b_{h2}", "b_h2"),
    ("mazur", "z1", (0, 1)): (r"\mathit{net}_{h2}", "net_h2"),
    ("mazur", "a2", (0, 0)): (r"\mathit{out}_{o1}", "out_o1"),
    ("mazur", "E", ()): (r"E_{\mathrm{total}}", "E_total"),
    ("nielsen", "x", (0, 1)): ("x_{2}", "x2"),
    ("nielsen", "t", (0, 0)): ("y_{1}", "y1"),
    ("nielsen", "W1", (1, 0)): ("w_{21}^{2}", "w^2_21"),
    ("nielsen", "W2", (0, 1)): ("w_{12}^{3}", "w^3_12"),
    ("nielsen", "b1", (1,)): ("b_{2}^{2}", "b^2_2"),
    ("nielsen", "z1", (0, 1)): ("z_{2}^{2}", "z^2_2"),
    ("nielsen", "a2", (0, 0)): ("a_{1}^{3}", "a^3_1"),
    ("nielsen", "E", ()): ("C", "C"),
    ("goodfellow", "W1", (1, 0)): ("W_{2{,}1}^{(1)}", "W_2,1(1)"),
    ("goodfellow", "b2", (0,)): ("b_{1}^{(2)}", "b1(2)"),
    ("goodfellow", "z1", (0, 0)): ("a_{1}^{(1)}", "a1(1)"),
    ("goodfellow", "a1", (0, 1)): ("h_{2}^{(1)}", "h2(1)"),
    ("goodfellow", "a2", (0, 1)): (r"\hat{y}_{2}", "y_hat_2"),
    ("goodfellow", "t", (0, 1)): ("y_{2}", "y2"),
    ("goodfellow", "e", (0, 0)): ("L_{1}", "L1"),
    ("goodfellow", "E", ()): ("J", "J"),
    ("bishop", "W1", (1, 0)): ("w_{21}^{(1)}", "w21(1)"),
    ("bishop", "b1", (1,)): ("w_{20}^{(1)}", "w20(1)"),
    ("bishop", "z2", (0, 0)): ("a_{1}^{(2)}", "a1(2)"),
    ("bishop", "a1", (0, 0)): ("z_{1}^{(1)}", "z1(1)"),
    ("bishop", "a2", (0, 1)): ("y_{2}", "y2"),
    ("bishop", "t", (0, 1)): ("t_{2}", "t2"),
    ("bishop", "E", ()): ("E", "E"),
    ("cs231n", "x", (0, 1)): (r"\mathtt{x[1]}", "x[1]"),
    ("cs231n", "W1", (1, 0)): (r"\mathtt{W1[1{,}0]}", "W1[1,0]"),
    ("cs231n", "b1", (1,)): (r"\mathtt{b1[1]}", "b1[1]"),
    ("cs231n", "a1", (0, 1)): (r"\mathtt{h1[1]}", "h1[1]"),
    ("cs231n", "z2", (0, 0)): (r"\mathtt{scores[0]}", "scores[0]"),
    ("cs231n", "E", ()): (r"\mathtt{loss}", "loss"),
    ("ng", "W2", (0, 1)): ("w_{12}^{[2]}", "w^[2]_12"),
    ("ng", "b1", (1,)): ("b_{2}^{[1]}", "b^[1]_2"),
    ("ng", "z1", (0, 1)): ("z_{2}^{[1]}", "z^[1]_2"),
    ("ng", "a1", (0, 1)): ("a_{2}^{[1]}", "a^[1]_2"),
    ("ng", "a2", (0, 0)): (r"\hat{y}_{1}", "y_hat_1"),
    ("ng", "E", ()): ("J", "J"),
    ("plain", "W1", (1, 0)): (r"\mathit{W1}_{2{,}1}", "W1_2,1"),
    ("plain", "z2", (0, 1)): (r"\mathit{z2}_{2}", "z2_2"),
}


@pytest.mark.parametrize(("notation", "array", "index"), WRITTEN)
def test_a_row_says_how_a_role_is_written_and_typed(notation: str, array: str, index: tuple[int, ...]) -> None:
    names = network(2, 2, 2, bias="per_unit", notation=notation).names
    name = names.element(array, index)
    assert (tex_name(name), plain_name(name)) == WRITTEN[notation, array, index]
    assert names.find(plain_name(name)) in ((array, index), (array, index or None))


BATCH = {
    ("mazur", "z1"): (r"\mathit{net}_{h2}^{(3)}", "net_h2(3)"),
    ("nielsen", "z1"): ("z_{2}^{(3){,}2}", "z^(3),2_2"),
    ("nielsen", "x"): ("x_{2}^{(3)}", "x2(3)"),
    ("goodfellow", "a1"): ("h_{2}^{(1){,}(3)}", "h^(1),(3)_2"),
    ("bishop", "z1"): ("a_{3{,}2}^{(1)}", "a_3,2(1)"),
    ("bishop", "a2"): ("y_{3{,}2}", "y_3,2"),
    ("cs231n", "a1"): (r"\mathtt{h1[2{,}1]}", "h1[2,1]"),
    ("ng", "a1"): ("a_{2}^{[1](3)}", "a^[1](3)_2"),
    ("ng", "a2"): (r"\hat{y}_{2}^{(3)}", "y_hat_2(3)"),
}


@pytest.mark.parametrize(("notation", "array"), BATCH)
def test_a_row_says_how_examples_are_told_apart(notation: str, array: str) -> None:
    names = network(2, 2, 2, examples=3, notation=notation).names
    name = names.element(array, (2, 1))
    assert (tex_name(name), plain_name(name)) == BATCH[notation, array]
    assert names.find(plain_name(name)) == (array, (2, 1))


ARRAYS = {
    "mazur": ("W_{1}", r"\mathbf{z}_{1}", r"\mathbf{a}_{2}", r"\boldsymbol{\delta}_{2}", r"\eta"),
    "nielsen": ("w^{2}", "z^{2}", "a^{3}", r"\delta^{3}", r"\eta"),
    "goodfellow": (r"\mathbf{W}^{(1)}", r"\mathbf{a}^{(1)}", r"\hat{\mathbf{y}}", r"\mathbf{g}^{(2)}", r"\varepsilon"),
    "bishop": (r"\mathbf{W}^{(1)}", r"\mathbf{a}^{(1)}", r"\mathbf{y}", r"\boldsymbol{\delta}^{(2)}", r"\eta"),
    "cs231n": (r"\mathtt{W1}", r"\mathtt{z1}", r"\mathtt{out}", r"\mathtt{dscores}", r"\mathtt{step\_size}"),
    "ng": ("W^{[1]}", "z^{[1]}", r"\hat{y}", r"\mathit{dz}^{[2]}", r"\alpha"),
    "plain": ("W_{1}", r"\mathbf{z}_{1}", r"\mathbf{a}_{2}", r"\boldsymbol{\delta}_{2}", r"\eta"),
}


@pytest.mark.parametrize("notation", NOTATIONS)
def test_a_row_says_how_whole_arrays_are_written(notation: str) -> None:
    names = network(2, 2, 2, notation=notation).names
    found = (names.array("W1"), names.array("z1"), names.array("a2"), names.array_delta("z2"))
    assert tuple(map(tex_name, (*found, NOTATIONS[notation].learning_rate))) == ARRAYS[notation]
    assert NOTATIONS[notation].rows == (notation == "cs231n")
    for array in ("W1", "z1", "a2"):
        assert names.find(plain_name(names.array(array)))[0] == array


def test_several_examples_make_capital_matrices() -> None:
    names = network(2, 2, 2, examples=2, notation="ng").names
    assert [tex_name(names.array(a)) for a in ("x", "z1", "a2")] == ["X", "Z^{[1]}", r"\hat{Y}"]
    assert tex_name(names.array_delta("z1")) == r"\mathit{dZ}^{[1]}"


@pytest.mark.parametrize(
    ("notation", "gradient"),
    [("mazur", None), ("bishop", None), ("ng", r"\mathit{dw}_{12}^{[2]}"), ("cs231n", r"\mathtt{dW2[0{,}1]}")],
)
def test_a_gradient_may_have_a_short_name(notation: str, gradient: str | None) -> None:
    names = network(2, 2, 2, notation=notation).names
    short = names.gradient(names.element("W2", (0, 1)))
    assert (None if short is None else tex_name(short)) == gradient


@pytest.mark.parametrize("name", ["w^3_12", "w_12^3", "w^{3}_{12}", "w_{12}^{3}", "w_{1,2}^3", "w12^3", "W2[0, 1]"])
def test_scripts_may_stand_in_any_order(name: str) -> None:
    assert network(2, 2, 2, notation="nielsen").names.find(name) == ("W2", (0, 1))


def test_many_units_are_told_apart_by_a_comma() -> None:
    names = network(1, 12, 11, notation="nielsen").names
    assert tex_name(names.element("W2", (0, 11))) == "w_{1{,}12}^{3}"
    assert names.find("w^3_11,2") == ("W2", (10, 1))
    with pytest.raises(UnknownNameError):
        names.find("w^3_112")


def test_where_two_names_would_meet_an_element_goes_by_its_index() -> None:
    """Here every weight would be w: the first one has the name, the others are typed as they are indexed."""
    same = parse('elements.weight = "w"')
    names = Names(network(2, 2, 2).program, same)
    symbols = [names.symbol(array, index) for array in ("W1", "W2") for index in product(range(2), repeat=2)]
    assert len(set(symbols)) == 8
    assert names.find("w") == ("W1", (0, 0))
    assert names.symbol("W2", (1, 0)) == sympy.Symbol("W2[1, 0]")
    assert names.find("W2[1, 0]") == ("W2", (1, 0))
    clash = Names(network(2, 2, 2).program, parse('elements.weight = { base = "a", sub = "{count}" }'))
    assert clash.find("a1") == ("a1", None)
    assert clash.symbol("W1", (0, 0)) == sympy.Symbol("W1[0, 0]")
    assert clash.find("a3") == ("W1", (1, 0))


# ---- every problem in every notation -----------------------------------------------------------

NUMBER = re.compile(r"(?<![\w.])\d+\.\d{4,}(?![\w.])")


@cache
def derived(problem: str) -> Derivation:
    return derive.differentiate(problem)


@pytest.mark.parametrize("format", ["html", "latex"])
@pytest.mark.parametrize("notation", NOTATIONS)
@pytest.mark.parametrize("problem", bundled())
def test_every_problem_renders_in_every_notation(problem: str, notation: str, format: str) -> None:
    text = render_text(document(derived(problem), notation=notation), format)
    for field in ("{layer}", "{column}"):
        left = tex_name(Name("x", field)).removeprefix("x_")[1:-1] if format == "latex" else field
        assert left not in text


@cache
def numbers(notation: str) -> Counter[str]:
    page = render_text(document(derived("mazur"), notation=notation), "html")
    without_figures = re.sub(r"<svg.*?</svg>", " ", page, flags=re.DOTALL)
    return Counter(NUMBER.findall(re.sub(r"<[^>]+>", " ", without_figures)))


@pytest.mark.parametrize("notation", NOTATIONS)
def test_the_numbers_are_the_same_in_all_notations(notation: str) -> None:
    assert numbers(notation) == numbers("mazur")


def test_the_matrix_section_follows_how_vectors_stand() -> None:
    text = render_text(document(derived("xor"), notation="cs231n"), "latex")
    assert r"\mathtt{x} \cdot \mathtt{W1}^{\top} + \mathbf{1} \cdot \mathtt{b1}" in text
    assert r"\mathtt{dz1}^{\top} \cdot \mathtt{x}" in text
    assert "Vectors are rows" in render_text(document(derived("mazur"), notation="cs231n"), "latex")
    assert "Vectors are columns" in render_text(document(derived("mazur"), notation="ng"), "latex")


@pytest.mark.parametrize(
    ("notation", "words"), [("mazur", "h_{1}"), ("bishop", "hidden unit 1"), ("cs231n", "hidden unit 0")]
)
def test_units_are_called_as_the_notation_has_them(notation: str, words: str) -> None:
    text = render_text(document(derived("mazur"), notation=notation), "latex")
    assert words in text.partition("The net input of")[2][:40]


@pytest.mark.parametrize("show", ["w^3_12", "W2[0, 1]", "w6", "w6, w^2_11", "W2[0,1],w1"])
def test_show_takes_the_names_of_the_problem_and_of_the_page(show: str) -> None:
    text = render_text(document(derived("mazur"), notation="nielsen", show=show), "latex")
    assert r"Take \(w_{12}^{3}\)" in text


# ---- a notation of one's own -------------------------------------------------------------------


def test_the_template_is_a_notation_that_renders() -> None:
    own = parse(template(), stem="own")
    names = Names(network(2, 2, 2).program, own)
    assert tex_name(names.element("z1", (0, 1))) == "s_{2}^{(1)}"
    assert tex_name(names.element("a2", (0, 1))) == r"\hat{y}_{2}"
    assert own.name == "own"


def test_a_file_of_ones_own_renders(tmp_path: Path) -> None:
    path = tmp_path / "ours.toml"
    path.write_text('start = "ng"\nlearning_rate = "gamma"\n[elements]\nerror = "Q"\n', "utf-8")
    text = render_text(document(derived("mazur"), notation=str(path)), "latex")
    assert r"\gamma \cdot \mathit{dw}_{11}^{[2]}" in text
    assert r"\partial Q" in text
    assert notation_of("ours.toml", tmp_path) == read(path)


def test_hostile_text_in_a_notation_is_text(tmp_path: Path) -> None:
    path = tmp_path / "hostile.toml"
    path.write_text('[elements]\nerror = "<b>&$_%"\nweight = { base = "\\\\input", sub = "{count}" }', "utf-8")
    page = render_text(document(derived("mazur"), notation=str(path)), "html")
    assert "<b>" not in page
    assert "&lt;b&gt;" in page
    latex = render_text(document(derived("mazur"), notation=str(path)), "latex")
    assert r"\input" not in latex


FAULTS = {
    "an unknown key": ("vektors = 1", "vektors: unknown key", 'did you mean "vectors"?'),
    "an unknown start": ('start = "nielson"', 'start: found "nielson"', 'did you mean "nielsen"?'),
    "an unknown role": ('[elements]\nweigth = "w"', "elements.weigth: unknown key", 'did you mean "weight"?'),
    "an unknown field": ('[elements]\nweight = "w{foo}"', 'elements.weight.base: unknown field "{foo}"', "{count}"),
    "a field of another role": ('[elements]\nnet = "w{count}"', 'unknown field "{count}"', "known: {layer}, {level}"),
    "a field where none is known": ('[elements]\nerror = "E{layer}"', 'unknown field "{layer}"', "none is known"),
    "an attribute": ('[elements]\nnet = "{column.__class__}"', "unknown field", "{column}"),
    "a lone brace": ('[elements]\nnet = "{column"', "elements.net.base", "a brace that holds no field"),
    "a style": ('[elements]\nnet = {base = "z", style = "blod"}', 'elements.net.style: found "blod"', '"bold"'),
    "an accent": ('[elements]\nnet = {base = "z", accent = "tilde"}', "elements.net.accent", "hat"),
    "no base": ('[elements]\nnet = {sub = "1"}', "elements.net.base", "is missing"),
    "a number": ("[elements]\nnet = 3", "elements.net: found 3", "text or a table"),
    "a list": ("elements = []", "elements: found a list", "a table is expected"),
    "long text": (f'[elements]\nerror = "{"E" * 50}"', "elements.error.base", "at most 40"),
    "a control character": ('[elements]\nerror = "E\\u0007"', "elements.error.base", "printable"),
    "a place": ('[example]\nplace = "over"', 'example.place: found "over"', "sup, sub, at"),
    "a truth": ("[example]\nfirst = 1", "example.first: found 1", "true or false"),
    "no TOML": ("[elements", "is not TOML", ""),
}


@pytest.mark.parametrize("what", FAULTS)
def test_a_fault_in_a_notation_is_said_with_its_place(what: str) -> None:
    text, place, known = FAULTS[what]
    with pytest.raises(ProblemError) as caught:
        parse(text, "ours.toml")
    said = str(caught.value)
    assert said.startswith("ours.toml: ")
    assert place in said
    assert known in said


def test_all_faults_are_said_at_once() -> None:
    with pytest.raises(ProblemError) as caught:
        parse('vektors = 1\n[elements]\nnet = "{foo}"\nerror = 3\n')
    assert len(caught.value.faults) == 3


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nielson", '--notation: found "nielson"; known: mazur'),
        ("nowhere.toml", "nowhere.toml: cannot be read: No such file"),
    ],
)
def test_a_notation_that_is_not_there(name: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ProblemError) as caught:
        notation_of(name, tmp_path, "--notation")
    assert said in str(caught.value)
