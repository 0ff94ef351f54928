"""A problem file says what the contract says it says: numbers exactly, shapes checked, defaults filled in."""

from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from derive.errors import Fault, ProblemError, nearest, printable, unknown
from derive.files.numbers import exact
from derive.problem import Problem, bundled, load, load_text, schema, summary, template

SEED = {"seed": 7}


def problem(**changes: Any) -> dict[str, Any]:
    """A good problem as a dict; a change to None leaves the key out."""
    stated: dict[str, Any] = {
        "examples": [{"inputs": [0.05, 0.1], "targets": [0.01, 0.99]}],
        "layers": [
            {"activation": "logistic", "weights": [[0.15, 0.2], [0.25, 0.3]], "bias": 0.35},
            {"activation": "logistic", "weights": [[0.4, 0.45], [0.5, 0.55]], "bias": 0.6},
        ],
        "loss": {"name": "half_squared_error"},
    }
    return {key: value for key, value in (stated | changes).items() if value is not None}


def layers(*rows: dict[str, Any], **changes: Any) -> Problem:
    return load(problem(layers=list(rows), **changes))


# ---- numbers -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stated", "number"),
    [
        (0.15, Fraction(3, 20)),
        (3, Fraction(3)),
        (-0.0, Fraction(0)),
        ("0.15", Fraction(3, 20)),
        (" +.5 ", Fraction(1, 2)),
        ("1e-30", Fraction(1, 10**30)),
        (Decimal("0.1000"), Fraction(1, 10)),
        (Fraction(1, 3), Fraction(1, 3)),
        (1e22, Fraction(10**22)),
        ("1" * 4_000, Fraction((10**4_000 - 1) // 9)),
        ("1e-3999", Fraction(1, 10**3_999)),
    ],
)
def test_numbers_are_read_exactly(stated: object, number: Fraction) -> None:
    assert exact(stated) == number


@pytest.mark.parametrize(
    "stated", [True, None, "", "1/3", "0x10", "1_000", "٣", "nan", "-Infinity", [1], {}, 1j, "1e4000", 10**4000]
)
def test_what_is_no_finite_number_is_refused(stated: object) -> None:
    with pytest.raises(ValueError, match="found"):
        exact(stated)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_is_the_decimal_that_python_prints(number: float) -> None:
    assert exact(number) == Fraction(Decimal(repr(number)))


@settings(deadline=None)  # the first example imports SymPy
@given(st.decimals(allow_nan=False, allow_infinity=False, places=40))
def test_toml_json_and_python_read_the_same_number(number: Decimal) -> None:
    text = f"{number:f}"
    in_toml = template_with_bias(text)
    in_json = json.dumps(problem()).replace("0.35", text)
    read = (load_text(in_toml).layers[0].bias, load_text(in_json).layers[0].bias, exact(number))
    assert read == (Fraction(number),) * 3


def template_with_bias(text: str) -> str:
    return f"""
        examples = [{{inputs = [1], targets = [1]}}]
        layers = [{{weights = [[1]], bias = {text}}}]
        loss.name = "squared_error"
        """


# ---- sources -------------------------------------------------------------------------------


def test_toml_json_and_a_dict_state_the_same_problem(tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text(json.dumps(problem()), encoding="utf-8")
    from_file = load(tmp_path / "mine.json")
    from_dict = load(problem())
    assert (from_file.stem, from_file.source) == ("mine", str(tmp_path / "mine.json"))
    assert (from_dict.stem, from_dict.source) == ("problem", "problem")
    assert (from_file.examples, from_file.layers, from_file.loss) == (
        from_dict.examples,
        from_dict.layers,
        from_dict.loss,
    )
    assert from_dict.layers == load("mazur").layers


def test_numpy_arrays_and_tuples_are_lists() -> None:
    stated = problem()
    stated["examples"] = ({"inputs": np.array([0.05, 0.1]), "targets": (np.float64(0.01), Decimal("0.99"))},)
    stated["layers"][0]["weights"] = np.array([[0.15, 0.2], [0.25, 0.3]])
    stated["update"] = {"learning_rate": "0.5", "steps": np.int64(3)}
    assert load(stated).examples == load(problem()).examples
    assert load(stated).layers == load(problem()).layers


def test_a_loaded_problem_is_loaded_once() -> None:
    stated = load("mazur")
    assert load(stated) is stated


def test_a_problem_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        load("mazur").title = "mine"  # type: ignore[misc]
    assert hash(load("mazur")) == hash(load("mazur"))


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text(json.dumps(problem()), encoding="utf-8-sig")
    assert load(str(tmp_path / "mine.json")).layers == load("mazur").layers


# ---- defaults ------------------------------------------------------------------------------


def test_what_is_absent_has_the_contracts_default() -> None:
    stated = layers({"units": 2}, update={"learning_rate": 1})
    layer, update = stated.layers[0], stated.update
    assert (layer.type, layer.activation, layer.weights, layer.bias, layer.slope) == (
        "dense",
        "identity",
        None,
        None,
        None,
    )
    assert update is not None
    assert (update.rule, update.biases, update.fixed) == ("gradient_descent", "updated", ())
    assert (update.order, update.steps) == ("simultaneous", 1)
    assert (stated.notation, stated.loss.over_examples, stated.parameters) == ("mazur", "sum", None)
    assert load(problem()).update is None


@pytest.mark.parametrize(
    ("widths", "title"),
    [
        ((2, 2, 2), "A 2-2-2 network, step by step"),
        ((8, 2), "An 8-2 network, step by step"),
        ((11, 1), "An 11-1 network, step by step"),
        ((80, 1), "An 80-1 network, step by step"),
        ((110, 1), "A 110-1 network, step by step"),
        ((1,) * 21, "A network of 20 layers, step by step"),
    ],
)
def test_a_problem_without_a_title_is_called_by_its_network(widths: tuple[int, ...], title: str) -> None:
    inputs, *units = widths
    examples = [{"inputs": inputs, "targets": units[-1]}]
    assert layers(*({"units": each} for each in units), examples=examples).title == title


def test_white_space_in_a_title_is_one_blank() -> None:
    assert load(problem(title=" two\n  lines\t")).title == "two lines"


# ---- shapes and symbols --------------------------------------------------------------------


def test_units_are_always_known() -> None:
    assert load("mazur").widths == (2, 2, 2)
    assert layers({"units": 5}, {"units": 2}).widths == (2, 5, 2)


@pytest.mark.parametrize(
    ("bias", "read"),
    [
        (None, None),
        (0.35, Fraction(7, 20)),
        ([0.1, 0.2], (Fraction(1, 10), Fraction(1, 5))),
        ("shared", "shared"),
        ("per_unit", "per_unit"),
    ],
)
def test_a_bias_is_shared_or_per_unit_or_none(bias: object, read: object) -> None:
    layer = {"units": 2} if bias is None else {"units": 2, "bias": bias}
    assert layers(layer).layers[0].bias == read


def test_integers_stand_for_symbols() -> None:
    example = layers({"units": 3}, examples=[{"inputs": 4, "targets": 3}]).examples[0]
    assert (example.inputs, example.targets) == (4, 3)


def test_a_class_is_a_vector_where_inputs_are_numbers_and_the_loss_is_categorical() -> None:
    loss = {"name": "categorical_cross_entropy"}
    row = {"units": 3, "activation": "softmax"}
    by_class = layers(
        row, loss=loss, examples=[{"inputs": [1, 2], "targets": 2}, {"inputs": [3, 4], "targets": [1, 0, 0]}]
    )
    assert [example.targets for example in by_class.examples] == [(0, 0, 1), (1, 0, 0)]
    symbols = layers(row, loss=loss, examples=[{"inputs": 2, "targets": 3}])
    assert symbols.examples[0].targets == 3


# ---- drawing -------------------------------------------------------------------------------


def test_missing_weights_and_biases_are_drawn_with_the_seed() -> None:
    rows = ({"units": 2, "bias": "per_unit"}, {"weights": [[1, 2], [3, 4]], "bias": "shared"})
    first, second = layers(*rows, initial=SEED).layers
    # fixed for good: the same seed has to give the same page, on every machine
    assert first.weights == ((Fraction("-0.18"), Fraction("-0.62")), (Fraction("0.01"), Fraction("0.66")))
    assert first.bias == (Fraction("-0.88"), Fraction("-0.82"))
    assert (second.weights, second.bias) == (((1, 2), (3, 4)), Fraction("0.37"))


def test_a_layer_without_a_bias_draws_none() -> None:
    assert layers({"units": 2}, initial=SEED).layers[0].bias is None


@settings(deadline=None)
@given(
    seed=st.integers(0, 2**64),
    decimals=st.integers(0, 6),
    bounds=st.tuples(st.integers(-3, 3), st.integers(-3, 3)).map(sorted),
)
def test_drawn_numbers_keep_to_bounds_and_decimals(seed: int, decimals: int, bounds: list[int]) -> None:
    initial = {"seed": seed, "decimals": decimals, "low": bounds[0], "high": bounds[1]}
    for row in layers({"units": 2}, initial=initial).layers[0].weights or ():
        for weight in row:
            assert bounds[0] <= weight <= bounds[1]
            assert (weight * 10**decimals).denominator == 1


def test_both_bounds_can_be_drawn() -> None:
    initial = {"seed": 0, "decimals": 0}
    drawn = layers({"units": 50}, {"units": 2}, initial=initial).layers[0].weights or ()
    assert {weight for row in drawn for weight in row} == {-1, 0, 1}


# ---- bundled problems, template, schema ----------------------------------------------------


def test_the_bundled_problems_are_good_and_say_what_they_teach() -> None:
    dense = ("adam", "mazur", "relu", "softmax", "symbolic", "xor")
    layered = (*dense, "batch_norm", "cnn", "gru", "transformer")
    equations = ("attention", "autoencoder", "convolution", "layer_norm", "lstm", "rnn", "word2vec")
    assert bundled() == tuple(sorted((*layered, *equations)))
    assert [name for name in bundled() if load(name).equations] == list(equations)
    assert [name for name in bundled() if load(name).dense] == list(dense)
    for name in bundled():
        stated = load(name)
        assert (stated.stem, stated.source) == (name, f"{name}.toml")
        assert summary(name).endswith(".")


def test_mazur_holds_every_number_that_the_article_prints() -> None:
    published = {each.name: each for each in load("mazur").published}
    assert len(published) == 31
    assert published["dE/dw5"].value == "0.082167041"
    assert published["w7+"].value == "0.511301270"
    assert published["out_o2@10000"].where == "Mazur (2015), The Backwards Pass, last paragraph"


def test_the_relu_problem_has_a_dead_unit_and_live_ones() -> None:
    stated = load("relu")
    layer, inputs = stated.layers[0], stated.examples[0].inputs
    assert isinstance(inputs, tuple)
    assert isinstance(layer.bias, tuple)
    assert layer.weights is not None
    net = [
        sum(w * x for w, x in zip(row, inputs, strict=True)) + b
        for row, b in zip(layer.weights, layer.bias, strict=True)
    ]
    assert [value > 0 for value in net] == [True, False, True, True]


def test_the_symbolic_problem_has_no_number() -> None:
    stated = load("symbolic")
    assert (stated.examples[0].inputs, stated.examples[0].targets) == (2, 2)
    assert [(layer.weights, layer.bias) for layer in stated.layers] == [(None, "shared")] * 2


def test_the_template_is_a_good_problem_with_numbers_only() -> None:
    stated = load_text(template())
    assert stated.widths == (2, 2, 2)
    assert all(layer.weights is not None and not isinstance(layer.bias, str) for layer in stated.layers)


def test_the_schema_lists_keys_and_known_names() -> None:
    described = schema()["$defs"]
    layer, layered, equations = (described[each] for each in ("LayerTable", "ProblemFile", "EquationsFile"))
    assert (layered["required"], equations["required"]) == (["examples", "layers", "loss"], ["equations"])
    assert "logistic" in layer["properties"]["activation"]["enum"]
    assert layer["additionalProperties"] is False
    both = {"title", "notation", "update", "penalty", "published", "parameters", "vary", "exercises"}
    assert set(layered["properties"]) == both | {"examples", "layers", "loss", "initial"}
    assert set(equations["properties"]) == both | {"equations", "error", "seed", "outputs", "values", "shapes"}


# ---- how faults are said -------------------------------------------------------------------


def test_an_error_has_a_line_for_each_fault() -> None:
    error = ProblemError([Fault("layers[1].bias", "is wrong"), Fault("", "is odd")], "mine.toml")
    assert str(error) == "mine.toml: layers[1].bias: is wrong\nmine.toml: is odd"
    assert isinstance(error, ValueError)


@pytest.mark.parametrize(
    ("name", "named"),
    [
        ("logistik", "logistic"),
        ("LOGISTIC", "logistic"),
        ("sigmoid", "logistic"),
        ("leaky-relu", "leaky_relu"),
        ("xyz", ""),
    ],
)
def test_the_nearest_name_is_found(name: str, named: str) -> None:
    assert nearest(name, ("logistic", "leaky_relu")) == (f'did you mean "{named}"?' if named else "")


def test_long_lists_of_known_names_are_cut_short() -> None:
    assert unknown("x", map(str, range(1000))).endswith("28, 29, …")


def test_messages_hold_nothing_that_a_terminal_obeys() -> None:
    assert printable("a\x1b[2J\r\nδ") == r"a\u001b[2J\u000d\u000aδ"
