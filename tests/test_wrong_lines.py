"""The line that a report shows is one in which the mistake is to be seen, at a point at which it shows."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch.nn.functional import conv2d, max_pool2d
from typer.testing import CliRunner

import derive
from derive.verification.family import family
from derive.verification.judge import base_sheet
from derive.verification.lines import LONG_SUM, wrong_lines
from derive.verification.separating import chosen, floats
from render.cli import app

NEVER_OFF: dict[str, Any] = {
    "examples": [{"inputs": [0.5, 0.9], "targets": [0.3]}],
    "layers": [
        {"activation": "relu", "weights": [[0.4, 0.7], [0.2, 0.6]], "bias": [0.3, 0.2]},
        {"activation": "identity", "weights": [[0.5, 0.8]], "bias": [0.1]},
    ],
    "loss": {"name": "half_squared_error"},
}
"""At its own numbers no unit of relu is off: there nobody sees whether its mask is missing."""

NO_MASK = """
import numpy as np

def gradient(W1, b1, W2, b2):
    x, t = np.array([0.5, 0.9]), 0.3
    z = W1 @ x + b1
    a = np.maximum(z, 0)
    delta2 = W2 @ a + b2 - t
    delta1 = W2.T @ delta2
    return {"W1": np.outer(delta1, x), "b1": delta1, "W2": np.outer(delta2, a), "b2": delta2}
"""


def test_a_mask_that_is_missing_shows_at_some_point_and_is_named_with_the_numbers_there(tmp_path: Path) -> None:
    (tmp_path / "code.py").write_text(NO_MASK, encoding="utf-8")
    problem = tmp_path / "never_off.json"
    problem.write_text(json.dumps(NEVER_OFF), encoding="utf-8")
    result = CliRunner().invoke(
        app, ["verify", str(problem), f"{tmp_path / 'code.py'}:gradient"], env={"COLUMNS": "120"}
    )
    assert result.exit_code == 1
    assert "the mask of relu is missing" in result.stdout
    assert "(the numbers are those of the point that is told below: there the mistake shows)" in result.stdout
    shown = next(line for line in result.stdout.splitlines() if "if -0." in line or "if -1." in line)
    assert shown.endswith("> 0 else 0) = 0")


class WithoutMask(torch.autograd.Function):
    """relu whose backward pass lets everything through."""

    @staticmethod
    def forward(_: Any, z: torch.Tensor) -> torch.Tensor:
        return torch.relu(z)

    @staticmethod
    def backward(_: Any, upstream: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        return upstream


def kernel_gradient(values: dict[str, torch.Tensor], relu: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
    """∂E/∂K of the bundled convolution, by PyTorch."""
    kernel = values["K"].requires_grad_()
    pooled = max_pool2d(relu(conv2d(values["x"], kernel, values["b"])), 2)
    scores = values["W"] @ pooled.reshape(-1) + values["c"]
    error = -(values["t"] * torch.log_softmax(scores, 0)).sum()
    return torch.autograd.grad(error, kernel)[0]


def test_a_missing_mask_shows_at_one_of_three_points_of_the_convolution() -> None:
    """A pixel has to win the pooling of four that are all below zero: at most random points none does."""
    derivation = derive.differentiate("convolution")
    apart = []
    for values in chosen(derivation, 3):
        given = {name: torch.tensor(floats(array)) for name, array in {**derivation.given, **values}.items()}
        right, wrong = (kernel_gradient(dict(given), relu) for relu in (torch.relu, WithoutMask.apply))
        apart.append(float((right - wrong).abs().max()))
    assert apart[0] == 0
    assert max(apart) > 1e-3


def test_of_a_long_sum_the_terms_that_differ_are_shown() -> None:
    derivation = derive.differentiate("lstm")
    base = base_sheet(derivation)
    edits = [edit for edit in family(base, derivation.problem) if edit.mistake == "activation_derivative_missing"]
    long = 0
    for edit in edits:
        for line in wrong_lines(derivation, base, [edit]):
            terms = [getattr(reading.node, "terms", ()) for reading in (line.written, line.right)]
            if min(map(len, terms)) > LONG_SUM:
                long += 1
                assert terms[0][0] not in terms[1]
                assert terms[1][0] not in terms[0]
    assert long > 0


def test_of_two_formulas_the_line_is_that_of_one_of_them() -> None:
    report = derive.verify("mazur", {"w5": "0.439829649", "w1": "0.0004385677345"})
    explanation = report.diagnosis[0]
    derivation = derive.differentiate("mazur")
    (line,) = wrong_lines(derivation, base_sheet(derivation), explanation.edits, explanation.point)
    assert (line.array, line.index) == ("W2", (0, 0))
