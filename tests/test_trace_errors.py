"""What is said of an array operation that does not fit: in the names of the traced function."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

import derive
from derive.functions_of_arrays import TraceError, concatenate, tanh

# the function, and what is said of it: the operation, the fault, the shapes
SAID: dict[str, tuple[Callable[[Any, Any], Any], str]] = {
    "two given arrays": (lambda x, W: x @ W, "x @ W: 2 against 3 (x (2,), W (3, 2))"),
    "an array made of a given one": (lambda x, W: (x * 2) @ W, "(x * 2) @ W: 2 against 3 ((x * 2) (2,), W (3, 2))"),
    "a call": (lambda x, W: tanh(x) @ W, "tanh(x) @ W: 2 against 3 (tanh(x) (2,), W (3, 2))"),
    "a longer expression": (lambda x, W: (W @ x).T @ x, "….T @ x: 3 against 2 (….T (3,), x (2,))"),
    "a list": (lambda x, W: concatenate([x, W]), "concatenate([x, W]): "),
}


@pytest.mark.parametrize("case", SAID)
def test_a_fault_names_the_functions_own_arrays(case: str) -> None:
    function, said = SAID[case]
    with pytest.raises(TraceError, match=re.escape(said)):
        derive.trace(function, x=(2,), W=(3, 2))
