"""Problems in layers as a user would state them: dicts with a file's keys."""

from __future__ import annotations

from typing import Any

from derive.problem import Problem, load

IMAGE = [[["0.1", "0.2", "0.3"], ["0.4", "0.5", "0.6"], ["0.7", "0.8", "0.9"]]]
SEQUENCE = [["0.1", "0.2"], ["0.3", "-0.4"], ["0.5", "0.6"]]
Table = dict[str, Any]


def stated(layers: list[Any], inputs: Any, targets: Any, loss: str = "half_squared_error", **more: Any) -> Table:
    examples = [{"inputs": inputs, "targets": targets}]
    return {"examples": examples, "layers": layers, "loss": {"name": loss}, **more}


def problem(layers: list[Any], inputs: Any, targets: Any, **more: Any) -> Problem:
    return load(stated(layers, inputs, targets, **more))
