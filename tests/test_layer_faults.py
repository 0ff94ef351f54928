"""What is wrong in a problem file with layers of any type, and how it is said: the place, the fault, what is known."""

from __future__ import annotations

import pytest
from layer_tables import IMAGE, SEQUENCE, Table, stated

from derive.errors import ProblemError
from derive.problem import load

LSTM = {"type": "lstm", "units": 2}
CONV = {"type": "conv2d", "filters": 1, "kernel_size": 2}
EMBEDDING = {"type": "embedding", "vocabulary": 3, "size": 2}

REFUSED: dict[str, tuple[Table, str]] = {
    "an unknown type": (stated([{"type": "lstmm"}], SEQUENCE, [1]), 'layers[0].type: found "lstmm"; known: dense, '),
    "a type that is no text": (stated([{"type": 3}, LSTM], SEQUENCE, [1]), "layers[0].type: found 3; text in quotes"),
    "a key of no layer": (
        stated([{**LSTM, "unit": 2}], SEQUENCE, [1]),
        'layers[0].unit: lstm has no key "unit"; known',
    ),
    "a key of another layer": (stated([{**CONV, "reset_after": True}], IMAGE, [1]), 'conv2d has no key "reset_after"'),
    "a ragged array": (stated([{**LSTM, "W_i": [[1, 2], [3]]}], SEQUENCE, [1]), "layers[0].W_i[1]: found 1 elements"),
    "an array of a wrong shape": (
        stated([{**LSTM, "W_i": [[1, 2, 3], [4, 5, 6]]}], SEQUENCE, [1]),
        "layers[0].W_i: found an array of 2 × 3; expected 2 × 2 (2 units, 2 features)",
    ),
    "an array given twice": (
        stated([{"type": "rnn", "W": [[1, 2]], "weights": [[1, 2]]}], SEQUENCE, [1]),
        "layers[0].weights: is given twice, under two names",
    ),
    "an array without use": (
        stated([{"type": "gru", "units": 1, "reset_after": False, "b_hn": [1]}], SEQUENCE, [1]),
        "layers[0].b_hn: is given, but with these settings gru does not use it",
    ),
    "one bias for four gates": (
        stated([{**LSTM, "bias": 0.5}], SEQUENCE, [1, 0]),
        'layers[0].bias: found 0.5; "per_unit" or "shared" is expected; numbers go under b_i, b_f, b_g, b_o',
    ),
    "no size": (stated([{"type": "rnn"}], SEQUENCE, [1]), "layers[0]: has neither weights nor units; one of them"),
    "no window": (stated([{"type": "max_pool2d"}], IMAGE, [1]), "layers[0]: has no size; max_pool2d needs it"),
    "too few axes of a kernel": (
        stated([{"type": "conv2d", "weights": [[1, 2], [3, 4]]}], IMAGE, [1]),
        "layers[0].weights: found an array of 2 × 2; an array with 4 axes is expected",
    ),
    "a kernel larger than the image": (
        stated([{**CONV, "kernel_size": [2, 4]}], IMAGE, [1]),
        "layers[0].kernel_size: found 2 × 4, and the image is 3 × 3: the window does not fit",
    ),
    "a window larger than what came out": (
        stated([CONV, {"type": "max_pool2d", "size": 3}], IMAGE, [1]),
        "layers[1].size: found 3 × 3, and the image is 2 × 2: the window does not fit",
    ),
    "a row where a sequence is wanted": (
        stated([LSTM], [0.1, 0.2], [1, 0]),
        "layers[0].type: lstm wants time × features for each example, and 2 values come in",
    ),
    "a sequence where an image is wanted": (
        stated([CONV], SEQUENCE, [1]),
        "layers[0].type: conv2d wants channels × height × width for each example, and 3 × 2 values come in",
    ),
    "a flag that is none": (
        stated([{"type": "self_attention", "causal": "yes"}], SEQUENCE, SEQUENCE),
        'layers[0].causal: found "yes"; true or false is expected',
    ),
    "heads that do not divide": (
        stated([{"type": "self_attention", "heads": 3}], SEQUENCE, SEQUENCE),
        "layers[0].heads: found 3, which does not divide the 2 features",
    ),
    "a word that is none": (
        stated([{"type": "gru", "units": 1, "update_gate": "keep"}], SEQUENCE, [1]),
        'layers[0].update_gate: found "keep"; known: keeps, renews; did you mean "keeps"?',
    ),
    "no units": (stated([{**LSTM, "units": 0}], SEQUENCE, [1]), "layers[0].units: found 0; a whole number from 1"),
    "a slope without leaky_relu": (
        stated([{"type": "rnn", "units": 1, "slope": 0.1}], SEQUENCE, [1]),
        "layers[0].slope: tanh has no slope; known with one: leaky_relu",
    ),
    "softmax over one unit": (
        stated([{"type": "rnn", "units": 1, "activation": "softmax"}], SEQUENCE, [1]),
        "layers[0].activation: softmax over one unit is always 1; at least two units are needed",
    ),
    "a token that is no word": (
        stated([EMBEDDING, {"type": "flatten"}], [0, 3], 4),
        "layers[0].vocabulary: found the token 3; the words are 0 to 2",
    ),
    "a token that is no whole number": (
        stated([EMBEDDING, {"type": "flatten"}], [0, 0.5], 4),
        "layers[0].type: an embedding reads whole numbers, counted from 0, as inputs",
    ),
    "an embedding that is not first": (
        stated([{"units": 2}, EMBEDDING], [0, 1], [1]),
        "layers[1].type: an embedding reads whole numbers, and so can only be the first layer",
    ),
    "a residual of what comes later": (
        stated([{"units": 2}, {"type": "residual", "from": 5}], [1, 2], [1, 2]),
        "layers[1].from: found 5; 0 (the inputs) to 0 are possible",
    ),
    "a residual of another width": (
        stated([{"units": 3}, {"type": "residual"}], [1, 2], [1, 2, 3]),
        "layers[1].from: 2 values come from the inputs, and 3 from the layer before: they cannot be added",
    ),
    "a rate of 1": (
        stated([{"type": "dropout", "rate": 1}, {"units": 1}], SEQUENCE, SEQUENCE),
        "layers[0].rate: found 1; a number from 0 to less than 1 is expected",
    ),
    "a mask of other numbers": (
        stated([{"type": "dropout", "mask": [1, 3]}, {"units": 1}], [1, 2], [1]),
        "layers[0].mask: has other numbers than 0 (dropped) and 1 (kept)",
    ),
    "a batch of one": (
        stated([{"type": "batch_norm", "affine": True}], [1, 2], [1, 2]),
        "layers[0].type: batch_norm of one value is always 0; at least two examples are needed",
    ),
    "a negative epsilon": (
        stated([{"type": "layer_norm", "epsilon": -1}], SEQUENCE, SEQUENCE),
        "layers[0].epsilon: found -1; a number of at least 0 is expected",
    ),
    "nothing to learn": (
        stated([{"type": "max_pool2d", "size": 3}], IMAGE, [[[1]]]),
        'parameters: is missing, and these layers have nothing to learn; name arrays, such as ["x"]',
    ),
    "a penalty on nothing": (
        stated([{"type": "layer_norm", "affine": True}], SEQUENCE, SEQUENCE, penalty={"l2": 1}),
        "penalty: goes over the weights, and these layers have none (gamma and beta are not among them)",
    ),
    "an unknown parameter": (
        stated([{**LSTM, "units": 2}], SEQUENCE, [1, 2], parameters=["W1_j"]),
        'parameters[0]: found "W1_j"; known: x, t, W1_i, ',
    ),
    "fixing what is not learned": (
        stated([LSTM], SEQUENCE, [1, 2], update={"learning_rate": 1, "fixed": ["h1_t1"]}),
        'update.fixed[0]: found "h1_t1"; known: W1_i, ',
    ),
    "a sequential update": (
        stated([LSTM], SEQUENCE, [1, 2], update={"learning_rate": 1, "order": "sequential"}),
        'update.order: "sequential" is one sweep back through dense layers; here are others',
    ),
    "targets of another shape": (
        stated([{**LSTM, "return_sequences": True}], SEQUENCE, [1, 2]),
        "examples[0].targets: found 2 values, but 3 × 2 come out of the last layer",
    ),
    "a class that does not exist": (
        stated([{"units": 2, "activation": "softmax"}], SEQUENCE, [1, 0, 2], "categorical_cross_entropy"),
        "examples[0].targets: found class 2; the classes are 0 to 1",
    ),
    "targets outside of the interval": (
        stated([{**LSTM, "units": 1}], SEQUENCE, [2], "binary_cross_entropy"),
        "examples[0].targets: found 2; binary_cross_entropy needs targets from 0 to 1",
    ),
    "text among the inputs": (
        stated([LSTM], [["0.1", "one"]], [1, 2]),
        'examples[0].inputs[0][1]: found "one"; a number is expected',
    ),
    "an empty sequence": (stated([LSTM], [[]], [1, 2]), "examples[0].inputs: is empty; at least one number"),
    "symbols of an unknown kind": (
        stated([LSTM], {"shape": [3, 2], "size": 1}, [1, 2]),
        'examples[0].inputs: unknown key "size"; known: shape',
    ),
    "a layer that is no table": (stated([3, LSTM], SEQUENCE, [1]), "layers[0]: found 3; a table is expected"),
    "a huge layer": (
        stated([{**LSTM, "units": 10**7}], SEQUENCE, [1]),
        "layers[0]: W_i would be 10000000 × 2 (10000000 units, 2 features); at most 10,000,000 numbers",
    ),
    "a huge padding": (
        stated([{**CONV, "padding": 10**7}], IMAGE, [1]),
        "layers[0].padding: makes an image of 20000003",
    ),
    "a sequence without end": (stated([LSTM], [[0.1]] * 2000, [1, 2]), "equations; at most 10,000 can be worked out"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_wrong_is_said(name: str) -> None:
    table, message = REFUSED[name]
    with pytest.raises(ProblemError) as raised:
        load(table)
    assert message in str(raised.value)


def test_all_faults_are_told_at_once() -> None:
    table = stated([{**LSTM, "causal": True}, {"units": 0}], [["one", 2]], [1], loss="huber", parameters=["q"])
    table["loss"] = {"name": "huber", "delta": -1}
    with pytest.raises(ProblemError) as raised:
        load(table)
    places = [fault.place for fault in raised.value.faults]
    assert places == ["layers[0].causal", "layers[1].units", "examples[0].inputs[0][0]", "loss.delta"]


def test_arrays_of_all_layers_are_looked_at_at_once() -> None:
    """An array that does not fit is taken for the right one; where nothing can come out of a layer, it ends."""
    layers = [
        {**LSTM, "W_i": [[1, 2, 3], [4, 5, 6]], "b_f": [1]},
        {"weights": [[1, 2, 3]], "bias": [1, 2]},
        {"type": "max_pool2d", "size": 2},
        {"weights": [[1]], "bias": [1, 2]},
    ]
    with pytest.raises(ProblemError) as raised:
        load(stated(layers, SEQUENCE, [1], parameters=["q"]))
    assert [fault.place for fault in raised.value.faults] == [
        "layers[0].W_i",
        "layers[0].b_f",
        "layers[1].weights",
        "layers[1].bias",
        "layers[2].type",
    ]
    with pytest.raises(ProblemError) as raised:
        load(stated(layers[:2], SEQUENCE, [1, 2], parameters=["q"]))
    places = [fault.place for fault in raised.value.faults]
    assert places[-3:] == ["layers[1].bias", "parameters[0]", "examples[0].targets"]
    with pytest.raises(ProblemError) as raised:
        load(stated([layers[0], {"units": 0}, layers[1]], SEQUENCE, [1]))
    assert [fault.place for fault in raised.value.faults] == ["layers[1].units", "layers[0].W_i", "layers[0].b_f"]


def test_examples_have_one_shape() -> None:
    table = stated([LSTM], SEQUENCE, [1, 2])
    table["examples"].append({"inputs": SEQUENCE[:2], "targets": [1, 2]})
    with pytest.raises(ProblemError, match=r"examples\[1\].inputs: found 2 × 2 values, but examples\[0\] has 3 × 2"):
        load(table)
