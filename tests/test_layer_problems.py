"""Problem files with layers of any type: what they say, what is refused and how, and the numbers that come out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from layer_cases import CASES
from layer_programs import network
from layer_tables import SEQUENCE, Table, problem, stated

import derive
from derive.layers import LAYERS
from derive.layers.frame import array_name, usual_name
from derive.problem import load, load_text, schema

# ---- numbers -------------------------------------------------------------------------------

AS_TABLES = {name for name, (layers, _, _) in CASES.items() if all("initial_state" not in each.keys for each in layers)}


def table_of(name: str, seed: int) -> Table:
    """One of the networks of `test_layers` as a problem, its numbers of two decimals."""
    layers, x, tokens = CASES[name]
    net = network(layers, x, tokens)
    rng = np.random.default_rng(seed)

    def drawn(shape: tuple[int, ...]) -> Any:
        return (rng.integers(-150, 151, size=shape) / 100).tolist()

    inputs = drawn(x) if tokens is None else tokens
    targets = drawn(net.program.shape(net.output))
    tables: list[Table] = []
    for number, layer in enumerate(layers, start=1):
        keys = {key: list(value) if isinstance(value, tuple) else value for key, value in layer.keys.items()}
        arrays = {
            stem: own for stem in LAYERS[layer.type].stems if (own := array_name(stem, number)) in net.program.given
        }
        row = LAYERS[layer.type]
        given = {usual_name(row, stem): drawn(net.program.shape(own)) for stem, own in arrays.items()}
        if "mask" in given:
            given["mask"] = (np.array(given["mask"]) > 0).astype(int).tolist()
        tables.append({"type": layer.type, **{key: keys[key] for key in keys if key != "bias"}, **given})
    return {
        "examples": [{"inputs": i, "targets": t} for i, t in zip(inputs, targets, strict=True)],
        "layers": tables,
        "loss": {"name": "half_squared_error"},
        "parameters": list(net.program.parameters),
    }


@pytest.mark.parametrize("name", sorted(AS_TABLES))
def test_a_problem_file_agrees_with_pytorch(name: str) -> None:
    pytest.importorskip("torch", reason="PyTorch is not installed: pip install '.[torch]' (the CPU build is enough)")
    from layer_torch import by_torch

    table = table_of(name, 5)
    derivation = derive.differentiate(json.loads(json.dumps(table)))
    net = network(*CASES[name])
    values = {array: derivation.values[array] for array in net.program.given if array != "G"}
    output = derivation.values[net.output]
    values["G"] = output - derivation.values["t"]  # ∂E/∂output of half the squared error
    wanted = by_torch(name, net, values)
    assert np.abs(output - wanted["y"]).max() <= 1e-12 * max(1.0, np.abs(output).max())
    error, found = derivation.lambdify()()
    assert error == pytest.approx(float((values["G"] ** 2).sum() / 2), rel=1e-12)
    for key in net.program.parameters:
        assert np.abs(found[key] - wanted[key]).max() <= 1e-12 * max(1.0, np.abs(wanted[key]).max()), key


def by_hand_gru(t: Mapping[str, Any], x: np.ndarray, update_gate: str) -> float:
    """The candidate from r ⊙ h, as it was published first."""
    w = {stem: np.array(value, dtype=float) for stem, value in t.items() if stem[0] in "WU"}
    h = np.zeros(w["W_r"].shape[0])
    for row in x:
        r = 1 / (1 + np.exp(-(w["W_r"] @ row + w["U_r"] @ h)))
        z = 1 / (1 + np.exp(-(w["W_z"] @ row + w["U_z"] @ h)))
        n = np.tanh(w["W_n"] @ row + w["U_n"] @ (r * h))
        h = z * h + (1 - z) * n if update_gate == "keeps" else (1 - z) * h + z * n
    return float((h**2).sum() / 2)


@pytest.mark.parametrize("update_gate", ["keeps", "renews"])
def test_the_other_gru(update_gate: str) -> None:
    rng = np.random.default_rng(4)
    weights = {f"W_{gate}": (rng.integers(-99, 99, size=(2, 2)) / 100).tolist() for gate in "rzn"}
    weights |= {f"U_{gate}": (rng.integers(-99, 99, size=(2, 2)) / 100).tolist() for gate in "rzn"}
    layer = {"type": "gru", "reset_after": False, "update_gate": update_gate, **weights}
    derivation = derive.differentiate(stated([layer], SEQUENCE, [0, 0]))
    wanted = by_hand_gru(weights, np.array(SEQUENCE, dtype=float), update_gate)
    assert derivation.lambdify()()[0] == pytest.approx(wanted, rel=1e-13)


def test_json_has_every_array_and_the_update() -> None:
    layers = [{"type": "rnn", "units": 2, "bias": "per_unit"}, {"units": 1, "activation": "logistic"}]
    table = stated(layers, SEQUENCE, [1], initial={"seed": 2}, update={"learning_rate": 0.5}, penalty={"l2": 0.1})
    found = derive.differentiate(table).to_json(8)
    assert list(found["gradients"]) == ["W1", "U1", "b1", "W2"]
    assert {"x", "t", "z1_t1", "h1_t1", "h1_t3", "z2", "a2", "e"} <= set(found["arrays"])
    assert float(found["updated"]["error"]) < float(found["error"])


def test_training() -> None:
    layers = [{"type": "lstm", "units": 2, "bias": "per_unit"}, {"units": 1, "activation": "logistic"}]
    table = stated(layers, SEQUENCE, [1], "binary_cross_entropy", initial={"seed": 2}, update={"learning_rate": 0.5})
    trained = derive.differentiate(table).train(50)
    assert float(trained["error"]) < 0.1
    assert np.shape(trained["outputs"]) == (1, 1)


def test_what_comes_out_of_a_recurrent_layer_is_its_output() -> None:
    table = stated([{"type": "rnn", "units": 2}], SEQUENCE, [1, 0], initial={"seed": 2}, update={"learning_rate": 0.1})
    trained = derive.differentiate(table).train(1)
    assert trained["outputs"] == trained["arrays"]["h1_t3"]


def test_symbols() -> None:
    derivation = derive.differentiate(
        stated([{"type": "self_attention"}], {"shape": [2, 1]}, {"shape": [2, 1]}, parameters=["W1_V"])
    )
    ((name, formula),) = derivation.symbolic()
    assert name == "W1_V[0, 0]"
    assert "A1[0, 1, 0]" in formula
    assert "x[0, 1, 0]" in formula


def test_a_toml_file() -> None:
    text = """
    [[examples]]
    inputs = [[[0.1, 0.2], [0.3, 0.4]]]
    targets = 1

    [[layers]]
    type = "conv2d"
    weights = [[[[0.5, -0.5], [0.25, 1]]], [[[1, 0], [0, 1]]]]
    bias = [0.1, 0.2]
    activation = "relu"

    [[layers]]
    type = "flatten"

    [[layers]]
    weights = [[1, -1], [0.5, 2]]
    activation = "softmax"

    [loss]
    name = "categorical_cross_entropy"
    """
    found = derive.differentiate(load_text(text)).to_json(6)
    # 0.05 − 0.1 + 0.075 + 0.4 + 0.1 and 0.1 + 0.4 + 0.2
    assert found["arrays"]["z1"] == [[[["0.525"]], [["0.7"]]]]
    assert found["arrays"]["t"] == [["0", "1"]]
    assert found["arrays"]["z3"] == [["-0.175", "1.6625"]]


# ---- what files say ------------------------------------------------------------------------


def test_what_is_missing_is_drawn_in_order() -> None:
    first, second = problem(
        [{"type": "lstm", "units": 2, "b_i": [1, 2]}, {"units": 1}], SEQUENCE, [1], initial={"seed": 3}
    ).layers
    assert [array.name for array in first.arrays] == ["b_i", *(f"{w}_{g}" for w in "WU" for g in "ifgo")]
    assert [array.name for array in second.arrays] == ["W"]
    again = problem([{"type": "lstm", "units": 2, "b_i": [1, 2]}, {"units": 1}], SEQUENCE, [1], initial={"seed": 3})
    assert again.layers == (first, second)


def test_sizes_are_read_off_the_arrays() -> None:
    layers = problem(
        [{"type": "embedding", "weights": [[1, 2, 3], [4, 5, 6]]}, {"type": "flatten"}], [0, 1, 1], 9
    ).layers
    assert [layer.units for layer in layers] == [3, 9]


def test_classes_for_each_step() -> None:
    table = stated([{"units": 2, "activation": "softmax"}], SEQUENCE, [1, 0, 1], "categorical_cross_entropy")
    assert load(table).examples[0].targets == ((0, 1), (1, 0), (0, 1))


def test_titles() -> None:
    assert problem([{"type": "layer_norm", "affine": True}], SEQUENCE, SEQUENCE).title == (
        "One layer_norm layer, step by step"
    )
    layers = [{"type": "rnn", "units": 2}, {"units": 2}, {"units": 1}]
    assert problem(layers, SEQUENCE, [1]).title == "A network of rnn and dense layers, step by step"


def test_dense_layers_on_rows_of_numbers_are_as_they_were() -> None:
    assert load("mazur").layers[0].weights is not None
    assert load("mazur").layers[0].keys == ()
    assert load("mazur").dense
    assert not problem([{"units": 2}], SEQUENCE, SEQUENCE).dense


def test_the_schema_knows_every_layer_type_and_key() -> None:
    rows = schema()["$defs"]["NetworkFile"]["properties"]["layers"]["items"]["anyOf"]
    assert [row["title"] for row in rows] == list(LAYERS)
    for row in rows:
        assert {*LAYERS[row["title"]].keys, *LAYERS[row["title"]].stems} <= set(row["properties"])


def test_classes_of_several_examples_may_differ() -> None:
    """A class is a whole number, and no count of symbols, whichever it is."""
    layers = [{"type": "activation", "activation": "softmax"}]
    loss = {"name": "categorical_cross_entropy"}
    examples = [{"inputs": [0.1, 0.2, 0.3], "targets": which} for which in (2, 0, 1)]
    problem = derive.load({"examples": examples, "layers": layers, "loss": loss, "parameters": ["x"]})
    assert [[int(each) for each in example.targets] for example in problem.examples] == [
        [0, 0, 1],
        [1, 0, 0],
        [0, 1, 0],
    ]
