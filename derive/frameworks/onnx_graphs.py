"""An ONNX graph as a chain of layers: each node is one layer of a problem, or part of one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from derive.errors import ChainruleError
from derive.frameworks.chains import Chain, Claims, NotCoveredError, of_usual, square, texts
from derive.frameworks.required import framework
from derive.verification.runner import Found, UserError

ACTIVATIONS: dict[str, tuple[str, dict[str, tuple[str, float, float]]]] = {
    "Sigmoid": ("logistic", {}),
    "Tanh": ("tanh", {}),
    "Relu": ("relu", {}),
    "LeakyRelu": ("leaky_relu", {"alpha": ("slope", 0.01, 0.01)}),
    "Elu": ("elu", {"alpha": ("alpha", 1.0, 1.0)}),
    "Selu": ("selu", {}),
    "Softplus": ("softplus", {}),
    "Softmax": ("softmax", {}),
    "LogSoftmax": ("log_softmax", {}),
    "Gelu": ("gelu", {}),
    "Identity": ("identity", {}),
}
"""An operator's activation, and of its attributes: the constant's name here, ONNX's default and the problem's."""


def layers_of(path: str) -> Found:
    """The layers of a graph in a file. Raises ChainruleError, MissingDependency."""
    onnx = framework("onnx", "onnx:")
    if not Path(path).is_file():
        raise ChainruleError(f"{path}: no such file; an ONNX model is expected")
    try:
        model = onnx.load(path)
        onnx.checker.check_model(model)
    except Exception as error:  # protobuf's and onnx's own, of many kinds
        said = " ".join(str(error).split())[:200]
        raise ChainruleError(f"{path}: is no ONNX model that can be read ({type(error).__name__}: {said})") from None
    try:
        return _Graph(onnx, model.graph).found()
    except UserError as error:
        raise ChainruleError(f"{path}: {error}") from None


class _Graph:
    """Goes through the nodes. ``values``: the layer whose output a name is; ``constants``: weights by name.

    ``origins``: the constant from which another was rearranged.
    """

    def __init__(self, onnx: Any, graph: Any) -> None:
        self.onnx, self.graph = onnx, graph
        self.chain = Chain()
        self.constants = {each.name: onnx.numpy_helper.to_array(each) for each in graph.initializer}
        self.origins: dict[str, str] = {}
        self.claims = Claims()
        inputs = [each.name for each in graph.input if each.name not in self.constants]
        if len(inputs) != 1 or len(graph.output) != 1:
            raise NotCoveredError(
                f"has {len(inputs)} inputs and {len(graph.output)} outputs; a problem has one of each"
            )
        self.values = {inputs[0]: 0}

    def found(self) -> Found:
        """The layers."""
        for node in self.graph.node:
            self._step(node)
        if self.values.get(self.graph.output[0].name) != self.chain.last:
            raise NotCoveredError("its output is not what its last layer gives")
        return self.chain.found("the graph")

    def _step(self, node: Any) -> None:
        name, out = node.op_type, node.output[0]
        options = {each.name: self.onnx.helper.get_attribute_value(each) for each in node.attribute}
        where = f"{name} {node.name}".strip()
        if name == "Constant":
            self.constants[out] = self.onnx.numpy_helper.to_array(options["value"])
        elif name in ("Transpose", "Identity", "Reshape") and node.input[0] in self.constants:
            self.constants[out] = self._folded(name, node, options, where)
            self.origins[out] = self.origins.get(node.input[0], node.input[0])
        elif name in ACTIVATIONS:
            self._incoming(node.input[:1], where)
            self.values[out] = self._activation(node, options, where)
        elif name in NODES:
            self.values[out] = NODES[name](self, node, options, where)
        else:
            known = ", ".join(sorted({*ACTIVATIONS, *NODES}))
            raise NotCoveredError(f"the operator {where} has no counterpart in a problem; known: {known}")

    def _folded(self, name: str, node: Any, options: dict[str, Any], where: str) -> Any:
        """A rearranged constant."""
        array = self.constants[node.input[0]]
        if name == "Transpose":
            return array.transpose(options.get("perm"))
        return array if name == "Identity" else array.reshape([int(n) for n in self.constant(node.input[1], where)])

    def _activation(self, node: Any, options: dict[str, Any], where: str) -> int:
        name = node.op_type
        ours, constants = ACTIVATIONS[name]
        if ours in ("softmax", "log_softmax"):
            images = bool(self.chain.layers) and self.chain.layers[-1].get("type") == "conv2d"
            if options.get("axis", -1) not in ((1, -3) if images else (-1, 1)):
                raise NotCoveredError(f"{where}: axis = {options['axis']} is not the axis of the units")
        if name == "Gelu":
            of_usual("approximate", options.get("approximate", b"none"), b"none", where)
        given = {}
        for theirs, (key, default, usual) in constants.items():
            value = options.get(theirs, default)
            if np.float32(value) != np.float32(usual):
                given[key] = texts(np.float32(value))
        source = node.input[0]
        alone = source == self.graph.output[0].name or sum(source in each.input for each in self.graph.node) > 1
        return self.chain.activation(ours, alone=alone, **given)

    def _incoming(self, names: Iterable[str], where: str) -> None:
        for name in names:
            if self.values.get(name) != self.chain.last:
                raise NotCoveredError(f"{where} reads what an earlier node gives: branches are no chain of layers")

    def weight(self, name: str, where: str) -> Any:
        """A weight by name, as it is written for the node that reads it."""
        array = self.constant(name, where)
        origin = self.origins.get(name, name)
        if array.ndim > 1:  # of biases and scales exporters store equal ones once: those are not one parameter
            self.claims.claim(origin, where, origin)
        return array

    def constant(self, name: str, where: str) -> Any:
        """A constant by name."""
        if name not in self.constants:
            raise NotCoveredError(f"{where}: multiplies what two nodes give; only weights can be multiplied with")
        return self.constants[name]

    # ---- one method a node -----------------------------------------------------------------

    def gemm(self, node: Any, options: dict[str, Any], where: str) -> int:
        """α x W + β b, W with a row per unit where transB is set."""
        self._incoming(node.input[:1], where)
        for name, usual in (("alpha", 1.0), ("beta", 1.0), ("transA", 0)):
            of_usual(name, options.get(name, usual), usual, where)
        weight = self.weight(node.input[1], where)
        bias = self.weight(node.input[2], where) if len(node.input) > 2 and node.input[2] else None
        weight = weight if options.get("transB", 0) else weight.T
        return self.chain.add("dense", weights=texts(weight), bias=None if bias is None else _bias(bias, len(weight)))

    def matmul(self, node: Any, options: dict[str, Any], where: str) -> int:
        """x W: a column per unit."""
        self._incoming(node.input[:1], where)
        weight = self.weight(node.input[1], where)
        if weight.ndim != 2:
            raise NotCoveredError(f"{where}: multiplies with an array of {weight.ndim} axes; a matrix is expected")
        return self.chain.add("dense", weights=texts(weight.T))

    def add(self, node: Any, options: dict[str, Any], where: str) -> int:
        """A bias behind a product; or the sum of two layers."""
        left, right = node.input
        left, right = (right, left) if left in self.constants else (left, right)
        if right in self.values:
            return self.chain.added(self.values[left], self.values[right])
        own = self.chain.layers[-1] if self.chain.layers else {}
        self._incoming([left], where)
        if "weights" not in own or "type" in own or "bias" in own or "activation" in own:
            raise NotCoveredError(f"{where}: adds an array that is no bias of a dense layer")
        own["bias"] = _bias(self.weight(right, where), len(own["weights"]))
        self.values = {name: value for name, value in self.values.items() if value != self.chain.last}
        return self.chain.last

    def conv(self, node: Any, options: dict[str, Any], where: str) -> int:
        """A convolution of images."""
        self._incoming(node.input[:1], where)
        of_usual("dilations", tuple(options.get("dilations", (1, 1))), 1, where)
        of_usual("group", options.get("group", 1), 1, where)
        kernel = self.weight(node.input[1], where)
        if kernel.ndim != 4:
            raise NotCoveredError(f"{where}: convolves over {kernel.ndim - 2} axes; images have two")
        bias = self.weight(node.input[2], where) if len(node.input) > 2 else None
        stride, padding = square(options.get("strides", (1, 1))), _padding(options, where)
        given = {key: value for key, value, usual in (("stride", stride, 1), ("padding", padding, 0)) if value != usual}
        return self.chain.add("conv2d", weights=texts(kernel), bias=None if bias is None else texts(bias), **given)

    def pool(self, node: Any, options: dict[str, Any], where: str) -> int:
        """The largest or the mean of each window."""
        self._incoming(node.input[:1], where)
        of_usual("pads", _padding(options, where), 0, where)
        of_usual("dilations", tuple(options.get("dilations", (1, 1))), 1, where)
        of_usual("ceil_mode", options.get("ceil_mode", 0), 0, where)
        size, stride = square(options["kernel_shape"]), square(options.get("strides", (1, 1)))
        kind = "max_pool2d" if node.op_type == "MaxPool" else "avg_pool2d"
        return self.chain.add(kind, size=size, stride=None if stride == size else stride)

    def flatten(self, node: Any, options: dict[str, Any], where: str) -> int:
        """All values of an example in one row."""
        self._incoming(node.input[:1], where)
        if node.op_type == "Reshape":
            shape = [int(each) for each in self.constant(node.input[1], where)]
            if len(shape) != 2 or (-1 not in shape and shape[0] != 0):
                raise NotCoveredError(f"{where}: reshapes to {shape}; only one row for each example is known")
        else:
            of_usual("axis", options.get("axis", 1), 1, where)
        return self.chain.add("flatten")

    def layer_norm(self, node: Any, options: dict[str, Any], where: str) -> int:
        """Mean 0 and variance 1 over the last axis."""
        self._incoming(node.input[:1], where)
        of_usual("axis", options.get("axis", -1), -1, where)
        epsilon = np.float32(options.get("epsilon", 1e-5))
        affine = {
            key: texts(self.weight(name, where)) for key, name in zip(("gamma", "beta"), node.input[1:], strict=False)
        }
        own = {} if epsilon == np.float32(1e-5) else {"epsilon": texts(epsilon)}
        return self.chain.add("layer_norm", **affine, **own)

    def dropout(self, node: Any, options: dict[str, Any], where: str) -> int:
        """Nothing, where it is not training."""
        self._incoming(node.input[:1], where)
        if len(node.input) > 2 and node.input[2] and bool(np.any(self.constants.get(node.input[2], True))):
            raise NotCoveredError(f"{where}: is random while training; export the model for inference")
        return self.chain.last


def _bias(array: Any, units: int) -> Any:
    flat = np.asarray(array).reshape(-1)
    if flat.size == 1 and units > 1:
        flat = np.repeat(flat, units)
    if flat.size != units:
        raise NotCoveredError(f"adds {flat.size} numbers to {units} units")
    return texts(flat)


def _padding(options: dict[str, Any], where: str) -> Any:
    """The same on both sides of each axis."""
    of_usual("auto_pad", options.get("auto_pad", b"NOTSET"), b"NOTSET", where)
    pads = [int(each) for each in options.get("pads", (0, 0, 0, 0))]
    if pads[:2] != pads[2:]:
        raise NotCoveredError(f"{where}: pads = {pads} differ from side to side")
    return square(pads[:2])


NODES: dict[str, Callable[[_Graph, Any, dict[str, Any], str], int]] = {
    "Gemm": _Graph.gemm,
    "MatMul": _Graph.matmul,
    "Add": _Graph.add,
    "Conv": _Graph.conv,
    "MaxPool": _Graph.pool,
    "AveragePool": _Graph.pool,
    "Flatten": _Graph.flatten,
    "Reshape": _Graph.flatten,
    "LayerNormalization": _Graph.layer_norm,
    "Dropout": _Graph.dropout,
}
"""The operators beside activations: one row each."""
