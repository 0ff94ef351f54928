"""A Keras model beside a problem: kernels turned to a row per unit, outputs, the gradient of its backend."""

from __future__ import annotations

import importlib.util
import os
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import sympy

from derive.errors import MissingDependency
from derive.frameworks import modules
from derive.frameworks.layouts import Numbers, State
from derive.frameworks.modules import Error
from derive.frameworks.required import framework
from derive.frameworks.tensors import Operations, Tensor
from derive.verification.runner import AbsentError, Found, Task, UserError, guarded, loaded, thing

BACKENDS = ("torch", "jax")

GATES: dict[str, tuple[tuple[str, int], ...]] = {
    "SimpleRNN": (("", 0),),
    "LSTM": (("_i", 0), ("_f", 1), ("_g", 2), ("_o", 3)),
    "GRU": (("_r", 1), ("_z", 0), ("_n", 2)),
}
"""The gates of recurrent layers in a problem's order, each with its place among the columns that Keras stacks."""


def run(task: Task) -> Found:
    """Check a model, or what a class or function of that name makes."""
    backend = os.environ.get("KERAS_BACKEND") or _installed()
    os.environ["KERAS_BACKEND"] = backend
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    keras = framework("keras", "keras:")
    found = thing(loaded(task), task.path, task.name)
    if keras.backend.backend() not in BACKENDS:
        raise UserError(f"Keras runs on {keras.backend.backend()}; set KERAS_BACKEND to {' or '.join(BACKENDS)}")
    if not isinstance(found, keras.Model) and callable(found):
        found = guarded(task.path, task.name, found)
    if not isinstance(found, keras.Model):
        raise AbsentError(f"{task.path}: {task.name} is a {type(found).__name__}; a keras.Model is expected")
    return modules.run(task, KerasModel(keras, task, found))


def _installed() -> str:
    """The first backend that is installed."""
    for name in BACKENDS:
        if importlib.util.find_spec(name) is not None:
            return name
    raise MissingDependency("keras: needs a backend, and none is installed: pip install torch (or jax)")


class KerasModel:
    """A model, built by the problem's inputs where it is not yet."""

    def __init__(self, keras: Any, task: Task, model: Any) -> None:
        self.keras, self.task, self.model = keras, task, model
        self.notes: list[str] = []
        for layer in _inside(model):
            of_images = any(each in type(layer).__name__ for each in ("Conv", "Pool"))
            if of_images and getattr(layer, "data_format", "") == "channels_last":
                place = f"{task.path}: {task.name}: {layer.name}"
                raise UserError(f'{place} has channels last; a problem has them first: data_format="channels_first"')
        if task.points and "x" in task.points[0]:
            self._called(self.tensor(task.points[0]["x"]))
        kinds = {str(v.dtype) for v in model.trainable_variables}
        self.unit = float(np.finfo(np.float64 if kinds == {"float64"} else np.float32).eps)
        self.kind = self._dtype
        self.operations = _operations(keras, self.tensor)

    def states(self) -> list[State]:
        """The learned arrays in the order of their definition, kernels with a row per unit."""
        found: list[State] = []
        for layer in _layers(self.model):
            found += _states(layer)
        return found

    def tensor(self, array: Numbers) -> Tensor:
        """A tensor of the model's type."""
        return self.keras.ops.convert_to_tensor(np.asarray(array), dtype=self._dtype)

    @property
    def _dtype(self) -> str:
        return str(self.model.compute_dtype)

    def own_error(self) -> Callable[[Tensor, Tensor], Tensor] | None:
        """The problem's loss is taken: what a model was compiled with belongs to its training."""
        return None

    def outputs(self, x: Numbers) -> Numbers:
        """The outputs as numbers."""
        return np.asarray(self.keras.ops.convert_to_numpy(self._called(self.tensor(x))), dtype=np.float64)

    def _called(self, x: Tensor) -> Tensor:
        return guarded(self.task.path, self.task.name, lambda: self.model(x, training=False))

    def gradients(self, x: Numbers, error: Error) -> tuple[Numbers, dict[str, Numbers]]:
        """The error, and its derivative by every state."""
        how = _by_torch if self.keras.backend.backend() == "torch" else _by_jax
        whole, by_variable = guarded(self.task.path, self.task.name, lambda: how(self, self.tensor(x), error))
        found = {}
        for layer in _layers(self.model):
            for state, (path, cut, _) in zip(_states(layer), _cuts(layer), strict=True):
                found[state.name] = cut(by_variable[path])
        return whole, found


def _by_torch(own: KerasModel, x: Tensor, error: Error) -> tuple[Numbers, dict[str, Numbers]]:
    own.model.zero_grad()
    whole = error(own.model(x, training=False), {})
    whole.backward()
    found = {}
    for variable in own.model.trainable_variables:
        gradient = variable.value.grad
        found[variable.path] = np.zeros(variable.shape) if gradient is None else gradient.detach().cpu().numpy()
    return whole.detach().cpu().numpy(), found


def _by_jax(own: KerasModel, x: Tensor, error: Error) -> tuple[Numbers, dict[str, Numbers]]:
    jax = framework("jax", "keras: on the backend jax")
    fixed = [variable.value for variable in own.model.non_trainable_variables]

    def whole(learned: Any) -> Any:
        outputs, _ = own.model.stateless_call(learned, fixed, x, training=False)
        return error(outputs, {})

    value, gradients = jax.value_and_grad(whole)([variable.value for variable in own.model.trainable_variables])
    paths = [variable.path for variable in own.model.trainable_variables]
    return np.asarray(value), {path: np.asarray(each) for path, each in zip(paths, gradients, strict=True)}


# ---- the state, layer by layer -------------------------------------------------------------


def _inside(model: Any) -> Iterator[Any]:
    """The layers, those inside of others too."""
    for layer in model.layers:
        yield from _inside(layer) if getattr(layer, "layers", None) else (layer,)


def _layers(model: Any) -> Iterator[Any]:
    """The layers that hold variables."""
    return (layer for layer in _inside(model) if layer.trainable_variables)


Cut = Callable[[Numbers], Numbers]
Share = tuple[str, Cut, Cut | None]


def _cuts(layer: Any) -> list[Share]:
    """What each array of a problem is of a layer's variables: the path, the part, and a part that is added to it."""
    kind = type(layer).__name__
    by_name = {variable.name: variable for variable in layer.trainable_variables}
    if kind in GATES:
        return _of_recurrent(kind, by_name)
    turned: dict[int, Cut] = {2: np.transpose, 4: lambda array: array.transpose(3, 2, 0, 1)}
    plain: Cut = np.asarray
    return [
        (variable.path, turned.get(len(variable.shape), plain) if name == "kernel" else plain, None)
        for name, variable in by_name.items()
    ]


def _of_recurrent(kind: str, by_name: dict[str, Any]) -> list[Share]:
    """W, U and b, gate by gate; a GRU that resets after the product has two rows of biases, added but for the last."""
    size = by_name["recurrent_kernel"].shape[0]
    gates = GATES[kind]

    def part(place: int) -> Cut:
        return lambda array: array[..., place * size : (place + 1) * size].T

    found: list[Share] = [
        (by_name[name].path, part(place), None) for name in ("kernel", "recurrent_kernel") for _, place in gates
    ]
    if "bias" not in by_name:
        return found
    path = by_name["bias"].path
    if len(by_name["bias"].shape) == 1:
        return [*found, *((path, part(place), None) for _, place in gates)]

    def row(number: int, place: int) -> Cut:
        return lambda array: array[number, place * size : (place + 1) * size]

    *added, (_, last) = gates
    found += [(path, row(0, place), row(1, place)) for _, place in added]
    return [*found, (path, row(0, last), None), (path, row(1, last), None)]


def _states(layer: Any) -> list[State]:
    variables = {variable.path: variable for variable in layer.trainable_variables}
    shares = _cuts(layer)
    counts = Counter(path for path, _, _ in shares)
    return [
        _state(path if counts[path] == 1 else f"{path}, part {number}", variables[path], cut, also)
        for number, (path, cut, also) in enumerate(shares, start=1)
    ]


def _state(name: str, variable: Any, cut: Cut, also: Cut | None) -> State:
    def read() -> Numbers:
        whole = _numpy(variable)
        return np.asarray(cut(whole) if also is None else cut(whole) + also(whole))

    def write(numbers: Numbers) -> None:
        places = np.arange(int(np.prod(variable.shape))).reshape(variable.shape)
        whole = _numpy(variable).reshape(-1).copy()
        whole[np.asarray(cut(places)).reshape(-1)] = np.asarray(numbers).reshape(-1)
        if also is not None:
            whole[np.asarray(also(places)).reshape(-1)] = 0
        variable.assign(whole.reshape(variable.shape))

    return State(name, read, write)


def _numpy(variable: Any) -> Numbers:
    return np.asarray(framework("keras", "keras:").ops.convert_to_numpy(variable.value))


def _operations(keras: Any, tensor: Callable[[Any], Tensor]) -> Operations:
    ops = keras.ops
    functions = {
        sympy.exp: ops.exp,
        sympy.log: ops.log,
        sympy.tanh: ops.tanh,
        sympy.Abs: ops.abs,
        sympy.sin: ops.sin,
        sympy.cos: ops.cos,
        sympy.erf: ops.erf,
    }
    return Operations(
        functions,
        ops.where,
        ops.einsum,
        lambda x, axes, keep: ops.sum(x, axis=axes, keepdims=keep) if axes else x,
        ops.transpose,
        ops.reshape,
        lambda x, axis: ops.softmax(x, axis=axis),
        lambda x, axis: ops.log_softmax(x, axis=axis),
        lambda tensors: ops.concatenate(tensors, axis=0),
        lambda x, places: ops.take(x, np.asarray(places), axis=0),
        tensor,
    )
