"""A JAX function: a loss, which JAX differentiates, or a gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from derive.frameworks.required import framework
from derive.verification.calls import Quantities, Way
from derive.verification.runner import AbsentError, Found, Task, called_everywhere, loaded, thing


def run(task: Task) -> Found:
    """The gradients of a function at every point, differentiated by JAX where it gives one number."""
    jax = framework("jax", "jax:")
    function = thing(loaded(task), task.path, task.name)
    if not callable(function):
        raise AbsentError(f"{task.path}: {task.name} is a {type(function).__name__}; a function is expected")
    convert = jax.numpy.asarray

    def call(function: Callable[..., Any], way: Way, quantities: Quantities) -> Any:
        value = way.call(function, quantities, convert)
        if isinstance(value, dict | tuple | list) or np.ndim(value) or np.asarray(value).dtype.kind not in "fV":
            return value
        by = way.argument(quantities, convert)
        return jax.value_and_grad(lambda own: way.call(function, quantities, convert, own))(by)

    return called_everywhere(task, function, call)
