"""What other checkers of gradients say about somebody's code, each set up as its documentation has it.

The code is the same for all: a function of the parameters that returns its error and its gradients.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from bars import derivation_of
from injected import Answers, Dense, Network, Slip, answers
from numpy.typing import NDArray
from right_runs import in_single

import derive
from derive.verification.report import Report

Vector = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Code:
    """Somebody's NumPy code for a network, with the mistakes made in it, in float64 or float32 (``single``)."""

    network: Network
    slips: tuple[Slip, ...] = ()
    single: bool = False

    def __call__(self, **arrays: Any) -> tuple[Any, Answers]:
        """The error and the gradients by name, for these arrays W1, b1, … (and x and t, if they are given)."""
        layers = tuple(_layer(each, place, arrays) for place, each in enumerate(self.network.layers, start=1))
        inputs, targets = arrays.get("x", self.network.inputs), arrays.get("t", self.network.targets)
        network = replace(self.network, layers=layers, inputs=inputs, targets=targets)
        with np.errstate(all="ignore"):
            found = answers(in_single(network) if self.single else network, *self.slips)
        error, gradients = found.pop("E"), {name: np.asarray(value, self.kind) for name, value in found.items()}
        return self.kind(error), gradients

    @property
    def kind(self) -> type[Any]:
        return np.float32 if self.single else np.float64

    @property
    def parameters(self) -> dict[str, Vector]:
        stored = {
            f"{name}{place}": values
            for place, each in enumerate(self.network.layers, start=1)
            for name, values in (("W", each.weights), ("b", each.bias))
            if values is not None
        }
        return {name: np.asarray(values, self.kind) for name, values in stored.items()}

    def flat(self) -> Vector:
        """The parameters end to end."""
        return np.concatenate([each.reshape(-1) for each in self.parameters.values()])

    def of_flat(self, vector: Vector) -> tuple[Any, Vector]:
        """The error and the gradient as a flat vector, for a flat vector of parameters."""
        arrays, start = {}, 0
        for name, each in self.parameters.items():
            arrays[name] = vector[start : start + each.size].reshape(each.shape)
            start += each.size
        error, gradients = self(**arrays)
        return error, np.concatenate([gradients[name].reshape(-1) for name in arrays])


def _layer(dense: Dense, place: int, values: Mapping[str, Any]) -> Dense:
    bias = None if dense.bias is None else np.asarray(values[f"b{place}"])
    return replace(dense, weights=np.asarray(values[f"W{place}"]), bias=bias)


def consistent(code: Code) -> bool:
    """Is the gradient that of the code's own error? By differences of the fourth order, in float64."""
    start, step = code.flat(), 1e-3
    _, gradient = code.of_flat(start)

    def slope(direction: Vector) -> float:
        near, far = (
            code.of_flat(start + k * direction)[0] - code.of_flat(start - k * direction)[0] for k in (step, 2 * step)
        )
        return float(8 * near - far) / (12 * step)

    found = np.array([slope(direction) for direction in np.eye(len(start))])
    return bool(np.allclose(found, gradient, rtol=1e-6, atol=1e-8))


# ---- the checkers ----------------------------------------------------------------------------


def chainrule(code: Code) -> Report:
    """`derive.verify`, at three points as it does unless told otherwise."""
    return derive.verify(derivation_of(code.network), code)


def by_chainrule(code: Code) -> bool:
    return bool(chainrule(code))


def by_torch(code: Code) -> bool:
    """`torch.autograd.gradcheck` with its defaults, of a Function whose backward pass is the gradient handed over."""
    import torch

    class Handed(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, vector: Any) -> Any:
            error, gradient = code.of_flat(vector.detach().numpy())
            ctx.save_for_backward(torch.as_tensor(gradient))
            return torch.as_tensor(error)

        @staticmethod
        def backward(ctx: Any, passed: Any) -> Any:
            return passed * ctx.saved_tensors[0]

    start = torch.tensor(code.flat(), requires_grad=True)
    return bool(torch.autograd.gradcheck(Handed.apply, (start,), raise_exception=False))


def by_jax(code: Code) -> bool:
    """`jax.test_util.check_grads` with its defaults, of a `custom_vjp`: first order, reverse mode alone."""
    import jax
    from jax.test_util import check_grads

    with jax.enable_x64(not code.single):

        @jax.custom_vjp
        def handed(vector: Any) -> Any:
            return jax.numpy.asarray(code.of_flat(np.asarray(vector))[0])

        def forward(vector: Any) -> tuple[Any, Any]:
            error, gradient = code.of_flat(np.asarray(vector))
            return jax.numpy.asarray(error), jax.numpy.asarray(gradient)

        handed.defvjp(forward, lambda gradient, passed: (passed * gradient,))
        try:
            check_grads(handed, (jax.numpy.asarray(code.flat()),), order=1, modes=("rev",))
        except AssertionError:
            return False
    return True


def by_scipy(threshold: float) -> Callable[[Code], bool]:
    """`scipy.optimize.check_grad` with its defaults. It returns a distance, and says of none that it is too large."""
    from scipy.optimize import check_grad

    def passes(code: Code) -> bool:
        return bool(check_grad(lambda v: code.of_flat(v)[0], lambda v: code.of_flat(v)[1], code.flat()) < threshold)

    return passes


OF_ITS_TESTS = 1.5e-7
"""What scipy's own tests of check_grad hold its result against (assert_almost_equal to 7 decimals)."""

LOOSE = 1e-5
"""A threshold as users type it who met right gradients above the other."""

PEERS: dict[str, Callable[[Code], bool]] = {
    "chainrule verify": by_chainrule,
    "torch gradcheck": by_torch,
    "jax check_grads": by_jax,
    f"scipy check_grad < {OF_ITS_TESTS:g}": by_scipy(OF_ITS_TESTS),
    f"scipy check_grad < {LOOSE:g}": by_scipy(LOOSE),
}
