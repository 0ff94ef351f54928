"""Random programs over the whole function table, each line with what it is in PyTorch."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from hypothesis import strategies as st
from torch.nn import functional as F  # noqa: N812 - PyTorch's own custom

Tensor = Any
Line = tuple[str, Callable[[], Tensor]]

# f(u) as text in the language, with u for the argument | in PyTorch
UNARY: dict[str, Callable[[Tensor], Tensor]] = {
    "exp(u / 4)": lambda u: torch.exp(u / 4),
    "log(u * u + 0.5)": lambda u: torch.log(u * u + 0.5),
    "sqrt(u**2 + 0.1)": lambda u: torch.sqrt(u**2 + 0.1),
    "sin(u)": torch.sin,
    "cos(u)": torch.cos,
    "tanh(u)": torch.tanh,
    "erf(u)": torch.erf,
    "abs(u)": torch.abs,
    "logistic(u)": torch.sigmoid,
    "sigmoid(-u)": lambda u: torch.sigmoid(-u),
    "relu(u)": torch.relu,
    "leaky_relu(u)": F.leaky_relu,
    "leaky_relu(u, 0.3)": lambda u: F.leaky_relu(u, 0.3),
    "elu(u)": F.elu,
    "elu(u, alpha=0.7)": lambda u: F.elu(u, 0.7),
    "selu(u)": torch.selu,
    "softplus(2 * u)": lambda u: F.softplus(2 * u, threshold=1e9),
    "gelu(u)": F.gelu,
    "silu(u)": F.silu,
    "hard_sigmoid(3 * u)": lambda u: torch.clamp((3 * u + 3) / 6, 0, 1),
    "identity(u)": lambda u: u,
    "u**3 / 4": lambda u: u**3 / 4,
    "(u * u + 1)**-0.5": lambda u: (u * u + 1) ** -0.5,
    "1 / (u * u + 2)": lambda u: 1 / (u * u + 2),
    "-u": lambda u: -u,
    "2 - pi * u": lambda u: 2 - math.pi * u,
    "1.5**u": lambda u: 1.5**u,
    "where(u > 0.1, u, u * u)": lambda u: torch.where(u > 0.1, u, u * u),
    "where(u <= -0.2, exp(u), 1 - u)": lambda u: torch.where(u <= -0.2, torch.exp(u), 1 - u),
    "u * stop_gradient(tanh(u))": lambda u: u * torch.tanh(u).detach(),
    "log(softmax(reshape(u, -1), 0))": lambda u: torch.log_softmax(u.reshape(-1), 0),
    "log(1 - logistic(u))": lambda u: F.logsigmoid(-u),
}
BINARY: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "u + v": lambda u, v: u + v,
    "u - v": lambda u, v: u - v,
    "u * v": lambda u, v: u * v,
    "u / (v * v + 1)": lambda u, v: u / (v * v + 1),
    "(u * u + 1)**v": lambda u, v: (u * u + 1) ** v,
    "maximum(u, v)": torch.maximum,
    "minimum(u, v)": torch.minimum,
    "where(u > v, u * v, u - v)": lambda u, v: torch.where(u > v, u * v, u - v),
    "where(u * v < 0.3, v, u)": lambda u, v: torch.where(u * v < 0.3, v, u),
    "outer(u, v)": lambda u, v: torch.outer(u.reshape(-1), v.reshape(-1)),
}
GIVEN = {"x": (2, 3), "y": (3,), "W": (3, 2), "s": (), "X": (2, 5, 4), "K": (3, 2, 2, 3), "b": (3,), "B": (2, 2, 4, 5)}
LARGEST = 150


@dataclass
class Drawn:
    """A program as far as it is drawn: its lines, and every array as a tensor."""

    draw: st.DrawFn
    arrays: dict[str, Tensor]
    lines: list[str] = field(default_factory=list)

    def name(self, fits: Callable[[Tensor], bool] = lambda tensor: True) -> str:
        return self.draw(st.sampled_from([name for name, tensor in self.arrays.items() if fits(tensor)]))

    def axis(self, count: int) -> int:
        return self.draw(st.integers(-count, count - 1))

    def some(self, *values: Any) -> Any:
        return self.draw(st.sampled_from(values))


def _unary(drawn: Drawn) -> Line:
    text, u = drawn.some(*UNARY), drawn.name()
    return _with(text, u=u), lambda: UNARY[text](drawn.arrays[u])


def _binary(drawn: Drawn) -> Line:
    text, u = drawn.some(*BINARY), drawn.name()
    shape = drawn.arrays[u].shape
    v = drawn.name(lambda tensor: text.startswith("outer") or _broadcast(shape, tensor.shape) is not None)
    return _with(text, u=u, v=v), lambda: BINARY[text](drawn.arrays[u], drawn.arrays[v])


def _broadcast(*shapes: Any) -> Any:
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        return None


def _with(text: str, **names: str) -> str:
    for letter, name in names.items():
        text = "".join(f" {name} " if word == letter else word for word in _words(text)).replace("  ", " ")
    return text


def _words(text: str) -> list[str]:
    words, word = [], ""
    for character in text:
        if character.isalnum() or character == "_":
            word += character
        else:
            words += [word, character]
            word = ""
    return [*words, word]


def _product(drawn: Drawn) -> Line:
    u = drawn.name(lambda tensor: tensor.dim() > 0)

    def fits(tensor: Tensor) -> bool:
        if not tensor.dim() or _broadcast(drawn.arrays[u].shape[:-2], tensor.shape[:-2]) is None:
            return False
        return bool(tensor.shape[-2:][0] == drawn.arrays[u].shape[-1])

    partners = [name for name, tensor in drawn.arrays.items() if fits(tensor)]
    if not partners:
        return (
            f"{u} @ transpose({u}, {_last_swapped(drawn.arrays[u])}) / 3",
            lambda: drawn.arrays[u] @ drawn.arrays[u].permute(_last_swapped(drawn.arrays[u])) / 3,
        )
    v = drawn.some(*partners)
    if drawn.some(True, False) and drawn.arrays[v].dim() <= 2:
        return f"dot({u}, {v}) / 2", lambda: drawn.arrays[u] @ drawn.arrays[v] / 2
    return f"{u} @ {v} / 2", lambda: drawn.arrays[u] @ drawn.arrays[v] / 2


def _last_swapped(tensor: Tensor) -> tuple[int, ...]:
    axes = list(range(tensor.dim()))
    return (*axes[:-2], *axes[-2:][::-1])


def _reduction(drawn: Drawn) -> Line:
    u = drawn.name()
    count, keep = drawn.arrays[u].dim(), drawn.some(True, False)
    function = drawn.some("sum", "mean", "max")
    axes = drawn.draw(st.lists(st.integers(0, count - 1), min_size=1, max_size=count, unique=True)) if count else []
    if not count or drawn.some(True, False, False):
        text, chosen = f"{function}({u}, keepdims={keep})", tuple(range(count))
    elif len(axes) == 1:
        axis = axes[0] - drawn.some(0, count)
        text, chosen = f"{function}({u}, {axis}, {keep})", (axis,)
    else:
        text, chosen = f"{function}({u}, axis={tuple(axes)}, keepdims={keep})", tuple(axes)
    by_name = {"sum": torch.sum, "mean": torch.mean, "max": torch.amax}
    if not count:
        return text, lambda: drawn.arrays[u]
    return text, lambda: by_name[function](drawn.arrays[u], dim=chosen, keepdim=keep)


def _softmax(drawn: Drawn) -> Line:
    u = drawn.name(lambda tensor: tensor.dim() > 0)
    name, axis = drawn.some("softmax", "log_softmax"), drawn.axis(drawn.arrays[u].dim())
    return f"{name}({u}, axis={axis})", lambda: getattr(torch, name)(drawn.arrays[u], dim=axis)


def _index(drawn: Drawn) -> Line:
    """Indices one after the other: whole numbers, slices of any step, None, …, lists."""
    u = drawn.name(lambda tensor: tensor.dim() > 0)
    text, found = u, np.arange(drawn.arrays[u].numel()).reshape(drawn.arrays[u].shape)
    for _ in range(drawn.some(1, 1, 2, 3)):
        parts = [drawn.some("{at}", "1:", ":-1", "::-1", "::2", ":", "...", "None", "[0, {at}]", "{at}:")]
        if drawn.some(True, False) and found.ndim > 1:
            parts.append(drawn.some("{at}", "1:", "::-1", ":", "None") if "[" not in parts[0] else "...")
        if not found.ndim or (found.ndim == 1 and parts[0] in ("None", "...") and len(parts) == 1 and not found.size):
            break
        least = min(found.shape)
        key = ", ".join(part.format(at=drawn.draw(st.integers(-least, least - 1))) for part in parts)
        picked = eval(f"found[{key}]", {"found": found})  # noqa: S307 - our own text
        if not np.size(picked):
            break
        text, found = f"{text}[{key}]", np.asarray(picked)
    return text, lambda: drawn.arrays[u].reshape(-1)[torch.tensor(found.copy())]


def _rearranged(drawn: Drawn) -> Line:
    u = drawn.name()
    tensor = drawn.arrays[u]
    match drawn.some("T", "transpose", "reshape", "take"):
        case "T":
            return f"{u}.T", lambda: drawn.arrays[u].permute(tuple(reversed(range(tensor.dim()))))
        case "transpose":
            axes = tuple(drawn.draw(st.permutations(range(tensor.dim()))))
            return f"transpose({u}, {axes})", lambda: drawn.arrays[u].permute(axes)
        case "take" if tensor.dim():
            axis = drawn.axis(tensor.dim())
            size = tensor.shape[axis]
            rows = drawn.draw(st.lists(st.integers(-size, size - 1), min_size=1, max_size=4))
            chosen = torch.tensor([row % size for row in rows])
            return f"take({u}, {rows}, axis={axis})", lambda: torch.index_select(drawn.arrays[u], axis, chosen)
    count = tensor.numel()
    divisors = [each for each in range(1, count + 1) if count % each == 0]
    rows = drawn.some(*divisors)
    shape = drawn.some((rows, -1), (-1,), (1, rows, count // rows), (count // rows, rows, 1))
    return f"reshape({u}, {shape})", lambda: drawn.arrays[u].reshape(shape)


def _joined(drawn: Drawn) -> Line:
    u = drawn.name(lambda tensor: tensor.dim() > 0)
    shape = drawn.arrays[u].shape
    if drawn.some(True, False):
        others = [drawn.name(lambda tensor: tensor.shape == shape) for _ in range(drawn.some(0, 1, 2))]
        axis = drawn.draw(st.integers(-len(shape) - 1, len(shape)))
        return f"stack([{', '.join([u, *others])}], axis={axis})", lambda: torch.stack(
            [drawn.arrays[name] for name in (u, *others)], dim=axis
        )
    axis = drawn.axis(len(shape))

    def fits(tensor: Tensor) -> bool:
        return tensor.dim() == len(shape) and all(
            left == right
            for at, (left, right) in enumerate(zip(tensor.shape, shape, strict=True))
            if at != axis % len(shape)
        )

    others = [drawn.name(fits) for _ in range(drawn.some(0, 1, 2))]
    return f"concatenate([{', '.join([u, *others])}], {axis})", lambda: torch.cat(
        [drawn.arrays[name] for name in (u, *others)], dim=axis
    )


def _convolved(drawn: Drawn) -> Line:
    images = [name for name, t in drawn.arrays.items() if t.dim() in (3, 4) and t.shape[-3] == 2]
    kernels = [n for n, t in drawn.arrays.items() if t.dim() == 4 and t.shape[1] == 2 and max(t.shape[2:]) <= 3]
    x, k = drawn.some(*images), drawn.some(*kernels)
    stride, padding = drawn.some(1, 2, (2, 1), (1, 3)), drawn.some(1, 2, (0, 1), (2, 1))
    if any(
        s + 2 * p < w
        for s, p, w in zip(drawn.arrays[x].shape[-2:], _two(padding), drawn.arrays[k].shape[-2:], strict=True)
    ):
        padding = 2
    biases = [name for name, t in drawn.arrays.items() if t.shape == drawn.arrays[k].shape[:1]]
    bias = drawn.some(None, *biases)
    text = f"conv2d({x}, {k}{'' if bias is None else f', {bias}'}, stride={stride}, padding={padding}) / 2"
    return (
        text,
        lambda: (
            F.conv2d(
                drawn.arrays[x],
                drawn.arrays[k],
                None if bias is None else drawn.arrays[bias],
                stride=stride,
                padding=padding,
            )
            / 2
        ),
    )


def _two(size: int | tuple[int, int]) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else size


def _pooled(drawn: Drawn) -> Line:
    x = drawn.name(lambda tensor: tensor.dim() >= 2)
    tensor = drawn.arrays[x]
    size = tuple(drawn.draw(st.integers(1, min(3, each))) for each in tensor.shape[-2:])
    stride = drawn.some(None, 1, 2, (1, 2), (3, 1))
    name = drawn.some("max_pool2d", "avg_pool2d")
    given = "" if stride is None else f", stride={stride}"

    def pooled() -> Tensor:
        image = drawn.arrays[x].reshape(-1, *tensor.shape[-2:])
        found = getattr(F, name)(image, size, stride)
        return found.reshape(*tensor.shape[:-2], *found.shape[-2:])

    return f"{name}({x}, {size}{given})", pooled


KINDS = (
    _unary,
    _unary,
    _unary,
    _binary,
    _binary,
    _product,
    _reduction,
    _softmax,
    _index,
    _rearranged,
    _joined,
    _convolved,
    _pooled,
)


@dataclass(frozen=True)
class AnyProgram:
    """A program, its numbers, and its error and gradients by PyTorch; ``scale`` is the largest number on the way."""

    equations: str
    values: dict[str, np.ndarray]
    error: float
    gradients: dict[str, np.ndarray]
    scale: float


@st.composite
def programs(draw: st.DrawFn, most: int = 5) -> AnyProgram:
    """A program of up to ``most`` lines and an error; numbers without ties, but where two are one and the same."""
    random = np.random.default_rng(draw(st.integers(0, 10**6)))
    values = {name: np.round(random.normal(size=shape), 4) for name, shape in GIVEN.items()}
    leaves = {name: torch.tensor(value, requires_grad=True) for name, value in values.items()}
    drawn = Drawn(draw, dict(leaves))
    for number in range(draw(st.integers(1, most))):
        text, compute = draw(st.sampled_from(KINDS))(drawn)
        tensor = compute()
        if tensor.numel() > LARGEST or tensor.abs().max() > 50:
            text, tensor = f"mean(tanh({text}))", torch.tanh(tensor).mean()
        drawn.arrays[f"v{number}"] = tensor
        drawn.lines.append(f"v{number} = {' '.join(text.split())}")
    last = f"v{len(drawn.lines) - 1}"
    other = drawn.name()
    ends = {
        f"E = sum({last}**2) / 2 + mean({other})": lambda: (
            (drawn.arrays[last] ** 2).sum() / 2 + drawn.arrays[other].mean()
        ),
        f"E = mean({last}) * max({other})": lambda: drawn.arrays[last].mean() * drawn.arrays[other].max(),
        f"E = sum(cos({last})) - sum(sin({other}))": lambda: (
            torch.cos(drawn.arrays[last]).sum() - torch.sin(drawn.arrays[other]).sum()
        ),
    }
    end = draw(st.sampled_from(list(ends)))
    error = ends[end]()
    gradients = torch.autograd.grad(error, list(leaves.values()), allow_unused=True)
    found = {
        name: np.zeros(leaf.shape) if gradient is None else gradient.numpy()
        for (name, leaf), gradient in zip(leaves.items(), gradients, strict=True)
    }
    sizes = [abs(error.item()), *(float(tensor.detach().abs().max()) for tensor in drawn.arrays.values())]
    scale = max([1.0, *sizes, *(np.abs(gradient).max() for gradient in found.values())])
    return AnyProgram("\n".join([*drawn.lines, end]), values, error.item(), found, scale)
