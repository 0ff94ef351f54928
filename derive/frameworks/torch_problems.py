"""A PyTorch module as a chain of layers: its forward pass is traced, each step is one layer of a problem."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from derive.frameworks.chains import Chain, Claims, NotCoveredError, of_usual, texts
from derive.frameworks.required import framework
from derive.frameworks.torch_layers import MODULES
from derive.frameworks.torch_modules import module_in, numbers_of
from derive.verification.runner import Found, Task, UserError, guarded

ACTIVATIONS = {
    "sigmoid": "logistic",
    "tanh": "tanh",
    "relu": "relu",
    "leakyrelu": "leaky_relu",
    "elu": "elu",
    "selu": "selu",
    "gelu": "gelu",
    "silu": "silu",
    "hardsigmoid": "hard_sigmoid",
    "identity": "identity",
    "softplus": "softplus",
    "softmax": "softmax",
    "logsoftmax": "log_softmax",
}
"""Torch's activations by their names without underscores, in lower case: modules, functions and methods alike."""

CONSTANTS = {"leakyrelu": ("negative_slope", "slope", 0.01), "elu": ("alpha", "alpha", 1.0)}
USUAL = {"gelu": ("approximate", "none"), "softplus": ("beta", 1)}


def run(task: Task) -> Found:
    """The layers of a module."""
    torch = framework("torch", "torch:")
    module = module_in(torch, task)
    place = f"{task.path}: {task.name}"
    if type(module).__module__.startswith("torch.nn.") and not list(module.children()):
        module = torch.nn.Sequential(module)  # so that it is one step, and is not looked into
    try:
        graph = torch.fx.symbolic_trace(module)
    except Exception as error:  # torch.fx says in many ways that the forward pass is no fixed chain
        said = " ".join(str(error).split())[:200]
        raise UserError(f"{place}: its forward pass cannot be traced ({type(error).__name__}: {said})") from None
    walk = _Walk(torch, graph)
    try:
        for node in graph.graph.nodes:
            walk.step(node)
        if walk.values.get(walk.result) != walk.chain.last:
            raise NotCoveredError("what comes out is not what its last layer gives")
    except NotCoveredError as error:
        raise UserError(f"{place}: {error}") from None
    return guarded(task.path, task.name, lambda: walk.chain.found("it"))  # type: ignore[no-any-return]


class _Walk:
    """Goes through the traced nodes. ``values``: the layer whose output a node is; ``constants``: weights.

    ``origins``: the parameters from which a constant comes.
    """

    def __init__(self, torch: Any, graph: Any) -> None:
        self.torch, self.graph = torch, graph
        self.chain = Chain()
        self.values: dict[Any, int] = {}
        self.constants: dict[Any, Any] = {}
        self.origins: dict[Any, tuple[Any, ...]] = {}
        self.claims = Claims()
        self.sizes: set[Any] = set()
        self.states: dict[Any, str] = {}
        self.hidden: dict[Any, str] = {}
        self.result: Any = None

    def step(self, node: Any) -> None:
        """One node."""
        match node.op:
            case "placeholder":
                self._input(node)
            case "get_attr":
                self.origins[node] = (operator.attrgetter(node.target)(self.graph),)
                self.constants[node] = self.origins[node][0].detach()
            case "call_module":
                self._module(node, self.graph.get_submodule(node.target))
            case "call_function" | "call_method":
                self._function(node)
            case "output":
                self.result = node.args[0]

    def _input(self, node: Any) -> None:
        if self.values:
            raise NotCoveredError(f"takes several inputs ({node.name}); a problem has one")
        self.values[node] = 0

    def _incoming(self, node: Any, what: str) -> None:
        """Does a node read what the last layer gives?"""
        source = node.args[0] if node.args else next(iter(node.kwargs.values()), None)
        if source in self.states:
            raise NotCoveredError(f"{what} reads all that {self.states[source]} gives; take its sequence, [0]")
        if self.values.get(source) != self.chain.last:
            raise NotCoveredError(f"{what} reads what an earlier layer gives: branches are no chain of layers")

    # ---- modules ---------------------------------------------------------------------------

    def _module(self, node: Any, module: Any) -> None:
        kind = type(module).__name__
        where = f"{node.target} ({kind})"
        self._incoming(node, where)
        name = kind.lower()
        if name in ACTIVATIONS:
            options = {
                key: getattr(module, key)
                for key in ("negative_slope", "alpha", "approximate", "beta", "dim")
                if hasattr(module, key)
            }
            self.values[node] = self._activation(node, name, options, where)
        elif name in MODULES:
            for parameter in module.parameters():
                self.claims.claim(parameter, where)
            MODULES[name](self.chain, module, where)
            self.values[node] = self.chain.last
            if name in ("rnn", "lstm", "gru"):
                self.states[node] = where
        else:
            raise NotCoveredError(f"{where} has no counterpart in a problem; known: {', '.join(KNOWN)}")

    def _activation(self, node: Any, name: str, options: dict[str, Any], where: str) -> int:
        if name in USUAL and USUAL[name][0] in options:
            of_usual(USUAL[name][0], options[USUAL[name][0]], USUAL[name][1], where)
        if name in ("softmax", "logsoftmax"):
            self._dim(options.get("dim"), where)
        constants = {}
        if name in CONSTANTS:
            theirs, ours, usual = CONSTANTS[name]
            value = options.get(theirs, usual)
            constants = {} if value == usual else {ours: texts(np.float64(value))}
        alone = len(node.all_input_nodes[0].users) > 1
        return self.chain.activation(ACTIVATIONS[name], alone=alone, **constants)

    def _dim(self, dim: Any, where: str) -> None:
        """Softmax goes over the units: the last axis, the channels of images."""
        types = [layer.get("type", "dense") for layer in self.chain.layers]
        images = bool(types) and types[-1] == "conv2d"
        sequence = any(t in ("rnn", "lstm", "gru", "embedding") for t in types)
        allowed = (1, -3) if images else (-1, 2) if sequence else (-1, 1)
        if dim not in allowed:
            raise NotCoveredError(f"{where}: dim = {dim} is not the axis of the units, {allowed[0]}")

    # ---- functions and methods -------------------------------------------------------------

    def _function(self, node: Any) -> None:
        name = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", str(node.target))
        plain = name.replace("_", "")
        if self._folded(node, name) or self._of_size(node, name):
            return
        if name == "getitem":
            self._item(node)
        elif name == "squeeze" and self.hidden.get(node.args[0]) == "h":
            held = node.args[0]
            self._last(node, held.args[0] if held.args[0] in self.values else held.args[0].args[0])
        elif plain in ACTIVATIONS:
            self._incoming(node, name)
            options = dict(node.kwargs)
            if len(node.args) > 1 and plain in ("softmax", "logsoftmax", "leakyrelu", "elu"):
                options[{"leakyrelu": "negative_slope", "elu": "alpha"}.get(plain, "dim")] = node.args[1]
            self.values[node] = self._activation(node, plain, options, name)
        elif name in FUNCTIONS:
            self.values[node] = FUNCTIONS[name](self, node, name)
        else:
            raise NotCoveredError(f"{name} has no counterpart in a problem; known: {', '.join(KNOWN)}")

    def _folded(self, node: Any, name: str) -> bool:
        """A function of weights alone, such as W.t(): its value is known."""
        read = node.all_input_nodes
        if not read or any(each not in self.constants for each in read):
            return False
        args = [self.constants.get(each, each) if not isinstance(each, slice) else each for each in node.args]
        self.origins[node] = tuple(origin for each in read for origin in self.origins[each])
        target = node.target if callable(node.target) else None
        self.constants[node] = (
            target(*args, **node.kwargs) if target else getattr(args[0], name)(*args[1:], **node.kwargs)
        )
        return True

    def _of_size(self, node: Any, name: str) -> bool:
        """x.size(0), x.shape[0]: how many examples there are."""
        if name == "size" or (name == "getattr" and node.args[1] == "shape"):
            self.sizes.add(node)
            return True
        if name == "getitem" and node.args[0] in self.sizes:
            self.sizes.add(node)
            return True
        return False

    def _item(self, node: Any) -> None:
        """Of a recurrent layer: its sequence, and of that the last step; or its last hidden state."""
        source, key = node.args
        if source in self.states and key == 0:
            self.values[node] = self.values[source]
        elif source in self.states and key == 1:
            self.hidden[node] = "both" if self.chain.layers[-1].get("type") == "lstm" else "h"
        elif self.hidden.get(source) == "both":
            self.hidden[node] = "h" if key == 0 else "c"
        elif self.hidden.get(source) == "h" and key in (-1, 0):
            self._last(node, source.args[0] if source.args[0] in self.values else source.args[0].args[0])
        elif source in self.values and _last_step(key):
            self._last(node, source)
        else:
            raise NotCoveredError(f"takes the part {key} of what a layer gives; only the last step can be taken")

    def _last(self, node: Any, source: Any) -> None:
        """The state of the last step alone; the sequence itself is then there no more."""
        if not self._recurrent_last() or self.values.get(source) != self.chain.last:
            raise NotCoveredError("takes the last step of what is no sequence of one direction, or is read twice")
        self.chain.layers[-1].pop("return_sequences", None)
        self._stale()
        self.values[node] = self.chain.last

    def _stale(self) -> None:
        """What the last layer gave before it was changed is not to be had any more."""
        for each in [each for each, value in self.values.items() if value == self.chain.last]:
            del self.values[each]

    def _recurrent_last(self) -> bool:
        own = self.chain.layers[-1] if self.chain.layers else {}
        return own.get("type") in ("rnn", "lstm", "gru") and not own.get("bidirectional")

    def linear(self, node: Any, name: str) -> int:
        """F.linear(x, W, b)."""
        self._incoming(node, name)
        weight, bias = (*node.args[1:], node.kwargs.get("bias"))[:2]
        return self.chain.add("dense", weights=texts(self._constant(weight, node)), bias=self._bias(bias, node))

    def matmul(self, node: Any, name: str) -> int:
        """x @ W: rows of W are incoming values."""
        self._incoming(node, name)
        return self.chain.add("dense", weights=texts(np.asarray(self._constant(node.args[1], node)).T))

    def add(self, node: Any, name: str) -> int:
        """x + b behind a product; or the sum of two layers."""
        left, right = node.args[:2]
        if left in self.constants:
            left, right = right, left
        if right in self.constants:
            own = self.chain.layers[-1] if self.chain.layers else {}
            array = self._constant(right, node)
            plain = self.values.get(left) == self.chain.last and "weights" in own and "type" not in own
            if plain and "bias" not in own and "activation" not in own and array.ndim == 1:
                own["bias"] = texts(array)
                self._stale()
                return self.chain.last
            raise NotCoveredError("adds an array that is no bias of a dense layer")
        if left not in self.values or right not in self.values:
            raise NotCoveredError(f"{name} of a number has no counterpart in a problem")
        return self.chain.added(self.values[left], self.values[right])

    def flatten(self, node: Any, name: str) -> int:
        """All values of an example in one row: flatten(x, 1), view(n, -1), reshape(n, -1)."""
        self._incoming(node, name)
        if name == "flatten":
            start = node.args[1] if len(node.args) > 1 else node.kwargs.get("start_dim", 0)
            of_usual("start_dim", start, 1, name)
        else:
            shape = node.args[1] if len(node.args) == 2 and isinstance(node.args[1], tuple | list) else node.args[1:]
            if len(shape) != 2 or shape[1] != -1 or not (shape[0] in self.sizes or isinstance(shape[0], int)):
                raise NotCoveredError(f"{name} to {tuple(shape)}: only one row for each example, (n, -1), is known")
        return self.chain.add("flatten")

    def _constant(self, node: Any, reader: Any) -> Any:
        """A weight, as it is written for the node that reads it."""
        if node not in self.constants or not hasattr(self.constants[node], "detach"):
            raise NotCoveredError("multiplies what two layers give; only weights can be multiplied with")
        for parameter in self.origins[node]:
            self.claims.claim(parameter, reader.name)
        return numbers_of(self.constants[node])

    def _bias(self, node: Any, reader: Any) -> Any:
        return None if node is None else texts(self._constant(node, reader))


def _last_step(key: Any) -> bool:
    """[:, -1] or [:, -1, :]"""
    whole = slice(None, None, None)
    return isinstance(key, tuple) and key[:2] == (whole, -1) and key[2:] in ((), (whole,))


FUNCTIONS: dict[str, Callable[[_Walk, Any, str], int]] = {
    "linear": _Walk.linear,
    "matmul": _Walk.matmul,
    "add": _Walk.add,
    "iadd": _Walk.add,
    "flatten": _Walk.flatten,
    "view": _Walk.flatten,
    "reshape": _Walk.flatten,
}

KNOWN = (
    "Linear, Conv2d, MaxPool2d, AvgPool2d, Flatten, Embedding, LayerNorm, BatchNorm1d, BatchNorm2d, RNN, LSTM, GRU",
    ", ".join(sorted(set(ACTIVATIONS.values()))),
    "sums of layers",
)
