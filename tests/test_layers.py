"""Every layer type against PyTorch in float64 and against central differences, in NumPy code and in plain floats."""

from __future__ import annotations

import numpy as np
import pytest
from layer_cases import CASES
from layer_programs import Network, drawn, evaluated, network

from derive.layers import LAYERS

TOLERANCE = 1e-12
WITHOUT = "PyTorch is not installed: pip install '.[torch]' (the CPU build is enough)"


def made(name: str) -> Network:
    return network(*CASES[name])


@pytest.mark.parametrize("name", CASES)
def test_central_differences(name: str) -> None:
    net = made(name)
    values = drawn(net, 7)
    found = evaluated(net, values)
    rng = np.random.default_rng(1)
    for parameter in net.program.parameters:
        direction = rng.normal(size=net.program.shape(parameter))
        ends = []
        for step in (1e-5, -1e-5):
            moved = evaluated(net, {**values, parameter: values[parameter] + step * direction})
            ends.append(float((moved["y"] * values["G"]).sum()))
        slope = (ends[0] - ends[1]) / 2e-5
        assert slope == pytest.approx(float((found[parameter] * direction).sum()), rel=1e-6, abs=1e-7), parameter


@pytest.mark.parametrize("name", CASES)
def test_plain_floats_and_numpy_agree(name: str) -> None:
    net = made(name)
    values = drawn(net, 8)
    plain, fast = evaluated(net, values, plain=True), evaluated(net, values)
    for key, value in plain.items():
        assert np.abs(value - fast[key]).max() <= TOLERANCE * max(1.0, np.abs(value).max()), key


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("name", CASES)
def test_pytorch_agrees(name: str, seed: int) -> None:
    pytest.importorskip("torch", reason=WITHOUT)
    from layer_torch import by_torch

    net = made(name)
    values = drawn(net, seed)
    wanted, found = by_torch(name, net, values), evaluated(net, values)
    assert set(wanted) == set(found)
    for key, value in wanted.items():
        assert found[key].shape == value.shape, key
        assert np.abs(found[key] - value).max() <= TOLERANCE * max(1.0, np.abs(value).max()), key


def test_every_layer_type_is_held_against_pytorch() -> None:
    pytest.importorskip("torch", reason=WITHOUT)
    from layer_torch import TORCH

    stated = {each.type for layers, _, _ in CASES.values() for each in layers}
    assert stated == set(LAYERS) == set(TORCH)
