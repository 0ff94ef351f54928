"""A JAX function: a loss, which JAX differentiates, or a gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from derive.frameworks.required import framework
from derive.verification.calls import CallError, Quantities, Way, gradients
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
        if isinstance(value, dict | tuple | list):
            return value
        if np.ndim(value):
            return _gradient(value, way, quantities)
        if np.asarray(value).dtype.kind not in "fV":
            return value
        by = way.argument(quantities, convert)
        return jax.value_and_grad(lambda own: way.call(function, quantities, convert, own))(by)

    return called_everywhere(task, function, call)


def _gradient(value: Any, way: Way, quantities: Quantities) -> Any:
    """An array, if it can be a gradient. Raises CallError, which says that a loss is no array."""
    try:
        gradients(value, way.order(quantities), [(name, quantities.shape(name)) for name in quantities.parameters])
    except CallError as error:
        raise CallError(f"{error}, or a loss, which is one number") from None
    return value
