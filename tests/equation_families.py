"""Networks of every family as equations, and the same in PyTorch, to be held against each other."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Shapes = dict[str, tuple[int, ...]]


@dataclass(frozen=True)
class Family:
    """``make(draw)`` gives equations, the shapes of their arrays, and the same function of torch tensors."""

    make: Callable[[random.Random], tuple[str, Shapes, Callable[..., Any]]]
    low: float = -1.0
    high: float = 1.0


def _torch() -> Any:
    import torch

    return torch


def dense(draw: random.Random) -> tuple[str, Shapes, Callable[..., Any]]:
    n, i, h, o = (draw.randint(1, 5) for _ in range(4))
    activation = draw.choice(["tanh", "sigmoid", "gelu", "silu", "softplus", "elu", "selu"])
    text = f"z = x @ W.T + b\na = {activation}(z)\ny = a @ V.T\nE = mean(sum((t - y)**2, axis=-1))"

    def error(x: Any, W: Any, b: Any, V: Any, t: Any) -> Any:
        torch = _torch()
        functional = torch.nn.functional
        apply = {"tanh": torch.tanh, "sigmoid": torch.sigmoid}.get(activation) or getattr(functional, activation)
        return ((t - apply(x @ W.T + b) @ V.T) ** 2).sum(-1).mean()

    return text, {"x": (n, i), "W": (h, i), "b": (h,), "V": (o, h), "t": (n, o)}, error


def convolution(draw: random.Random) -> tuple[str, Shapes, Callable[..., Any]]:
    n, c, o, k, stride, padding = (draw.randint(1, 2) for _ in range(6))
    size = draw.randint(5, 6)
    text = f"""
    z = conv2d(x, K, b, stride={stride}, padding={padding})
    p = max_pool2d(tanh(z), 2, stride=1)
    q = avg_pool2d(z, 2)
    E = sum(p**2) + sum(q**3)
    """

    def error(x: Any, K: Any, b: Any) -> Any:
        torch = _torch()
        z = torch.nn.functional.conv2d(x, K, b, stride=stride, padding=padding)
        p = torch.nn.functional.max_pool2d(torch.tanh(z), 2, stride=1)
        return (p**2).sum() + (torch.nn.functional.avg_pool2d(z, 2) ** 3).sum()

    return _flush(text), {"x": (n, c, size, size), "K": (o, c, k, k), "b": (o,)}, error


def _flush(text: str) -> str:
    return "\n".join(line.strip() for line in text.strip().splitlines())


def rnn(draw: random.Random) -> tuple[str, Shapes, Callable[..., Any]]:
    steps, i, h = (draw.randint(2, 4) for _ in range(3))
    lines = [f"h{t} = tanh(W @ x[{t - 1}] + bi + U @ h{t - 1} + bh)" for t in range(1, steps + 1)]
    text = "\n".join(lines) + f"\nE = sum(h{steps}**2) + sum(h1)"

    def error(x: Any, W: Any, U: Any, bi: Any, bh: Any, h0: Any) -> Any:
        cell = lambda x, h: _torch().rnn_tanh_cell(x[None], h[None], W, U, bi, bh)[0]  # noqa: E731
        held = [h0]
        for row in x:
            held.append(cell(row, held[-1]))
        return (held[-1] ** 2).sum() + held[1].sum()

    return text, {"x": (steps, i), "W": (h, i), "U": (h, h), "bi": (h,), "bh": (h,), "h0": (h,)}, error


def lstm(draw: random.Random) -> tuple[str, Shapes, Callable[..., Any]]:
    steps, i, h = (draw.randint(1, 3) for _ in range(3))
    lines = []
    for t in range(1, steps + 1):
        lines.append(f"z{t} = W @ x[{t - 1}] + b + U @ h{t - 1}")
        gates = ["sigmoid", "sigmoid", "tanh", "sigmoid"]
        for place, (gate, function) in enumerate(zip("ifgo", gates, strict=True)):
            lines.append(f"{gate}{t} = {function}(z{t}[{place * h}:{(place + 1) * h}])")
        lines += [f"c{t} = f{t} * c{t - 1} + i{t} * g{t}", f"h{t} = o{t} * tanh(c{t})"]
    text = "\n".join([*lines, f"E = sum(h{steps}**2) + sum(c{steps})"])

    def error(x: Any, W: Any, U: Any, b: Any, h0: Any, c0: Any) -> Any:
        hidden, cell = h0[None], c0[None]
        for row in x:
            hidden, cell = _torch().lstm_cell(row[None], (hidden, cell), W, U, b, b * 0)
        return (hidden**2).sum() + cell.sum()

    return text, {"x": (steps, i), "W": (4 * h, i), "U": (4 * h, h), "b": (4 * h,), "h0": (h,), "c0": (h,)}, error


def gru(draw: random.Random) -> tuple[str, Shapes, Callable[..., Any]]:
    steps, i, h = (draw.randint(1, 3) for _ in range(3))
    lines = []
    for t in range(1, steps + 1):
        lines += [f"p{t} = W @ x[{t - 1}] + bi", f"q{t} = U @ h{t - 1} + bh"]
        lines += [f"r{t} = sigmoid(p{t}[:{h}] + q{t}[:{h}])", f"u{t} = sigmoid(p{t}[{h}:{2 * h}] + q{t}[{h}:{2 * h}])"]
        lines += [f"n{t} = tanh(p{t}[{2 * h}:] + r{t} * q{t}[{2 * h}:])"]
        lines += [f"h{t} = (1 - u{t}) * n{t} + u{t} * h{t - 1}"]
    text = "\n".join([*lines, f"E = sum(h{steps}**2)"])

    def error(x: Any, W: Any, U: Any, bi: Any, bh: Any, h0: Any) -> Any:
        hidden = h0[None]
        for row in x:
            hidden = _torch().gru_cell(row[None], hidden, W, U, bi, bh)
        return (hidden**2).sum()

    shapes = {"x": (steps, i), "W": (3 * h, i), "U": (3 * h, h), "bi": (3 * h,), "bh": (3 * h,), "h0": (h,)}
    return text, shapes, error


def attention(draw: random.Random) -> tuple[str, Shapes, Callable[..., Any]]:
    length, heads, size = draw.randint(1, 4), draw.randint(1, 3), draw.randint(1, 3)
    width = heads * size
    text = f"""
    Q = transpose(reshape(X @ Wq.T, ({length}, {heads}, {size})), (1, 0, 2))
    K = transpose(reshape(X @ Wk.T, ({length}, {heads}, {size})), (1, 0, 2))
    V = transpose(reshape(X @ Wv.T, ({length}, {heads}, {size})), (1, 0, 2))
    A = softmax(Q @ transpose(K, (0, 2, 1)) / sqrt({size}))
    Y = reshape(transpose(A @ V, (1, 0, 2)), ({length}, {width})) @ Wo.T
    E = sum(Y**2)
    """

    def error(X: Any, Wq: Any, Wk: Any, Wv: Any, Wo: Any) -> Any:
        split = lambda W: (X @ W.T).reshape(length, heads, size).permute(1, 0, 2)  # noqa: E731
        y = _torch().nn.functional.scaled_dot_product_attention(split(Wq), split(Wk), split(Wv))
        return ((y.permute(1, 0, 2).reshape(length, width) @ Wo.T) ** 2).sum()

    square = (width, width)
    return _flush(text), {"X": (length, width), "Wq": square, "Wk": square, "Wv": square, "Wo": square}, error


def layer_norm(draw: random.Random) -> tuple[str, Shapes, Callable[..., Any]]:
    n, width = draw.randint(1, 4), draw.randint(2, 5)
    text = """
    d = x - mean(x, axis=-1, keepdims=True)
    v = mean(d**2, axis=-1, keepdims=True)
    y = gamma * d / sqrt(v + 0.00001) + beta
    E = sum(y * t)
    """

    def error(x: Any, gamma: Any, beta: Any, t: Any) -> Any:
        return (_torch().nn.functional.layer_norm(x, (width,), gamma, beta, eps=1e-5) * t).sum()

    return _flush(text), {"x": (n, width), "gamma": (width,), "beta": (width,), "t": (n, width)}, error


def batch_norm(draw: random.Random) -> tuple[str, Shapes, Callable[..., Any]]:
    n, width = draw.randint(2, 5), draw.randint(1, 4)
    text = """
    d = x - mean(x, axis=0)
    v = mean(d**2, axis=0)
    y = gamma * d / sqrt(v + 0.00001) + beta
    E = sum(y * t)
    """

    def error(x: Any, gamma: Any, beta: Any, t: Any) -> Any:
        norm = _torch().nn.functional.batch_norm
        return (norm(x, None, None, gamma, beta, training=True, eps=1e-5) * t).sum()

    return _flush(text), {"x": (n, width), "gamma": (width,), "beta": (width,), "t": (n, width)}, error


def embedding(draw: random.Random) -> tuple[str, Shapes, Callable[..., Any]]:
    words, width, length = (draw.randint(1, 5) for _ in range(3))
    rows = [draw.randrange(words) for _ in range(length)]

    def error(W: Any, v: Any) -> Any:
        torch = _torch()
        return torch.tanh(torch.nn.functional.embedding(torch.tensor(rows), W) @ v).sum()

    return f"E = sum(tanh(take(W, {rows}) @ v))", {"W": (words, width), "v": (width,)}, error


def highway(draw: random.Random) -> tuple[str, Shapes, Callable[..., Any]]:
    width = draw.randint(1, 5)
    text = "h = tanh(W @ x + b)\ng = sigmoid(V @ x + b_g)\ny = g * h + (1 - g) * x\nE = sum(y**2)"

    def error(x: Any, W: Any, b: Any, V: Any, b_g: Any) -> Any:
        torch = _torch()
        g = torch.sigmoid(V @ x + b_g)
        return ((g * torch.tanh(W @ x + b) + (1 - g) * x) ** 2).sum()

    return text, {"x": (width,), "W": (width, width), "b": (width,), "V": (width, width), "b_g": (width,)}, error


def word2vec(draw: random.Random) -> tuple[str, Shapes, Callable[..., Any]]:
    words, width = draw.randint(3, 6), draw.randint(1, 4)
    middle, beside, other = (draw.randrange(words) for _ in range(3))
    text = (
        f"h = V[{middle}]\nE = -log(sigmoid(U[{beside}] @ h)) - log(sigmoid(-U[{other}] @ h)) - log_softmax(U @ h)[0]"
    )

    def error(V: Any, U: Any) -> Any:
        functional = _torch().nn.functional
        h = V[middle]
        sampled = functional.logsigmoid(U[beside] @ h) + functional.logsigmoid(-U[other] @ h)
        return -sampled - functional.log_softmax(U @ h, dim=0)[0]

    return text, {"V": (words, width), "U": (words, width)}, error


def huber(draw: random.Random) -> tuple[str, Shapes, Callable[..., Any]]:
    n = draw.randint(1, 6)
    text = "d = t - y\nE = sum(where(abs(d) <= 0.5, d**2 / 2, 0.5 * (abs(d) - 0.25)))"

    def error(y: Any, t: Any) -> Any:
        return _torch().nn.functional.huber_loss(y, t, reduction="sum", delta=0.5)

    return text, {"y": (n,), "t": (n,)}, error


def kl(draw: random.Random) -> tuple[str, Shapes, Callable[..., Any]]:
    n, width = draw.randint(1, 4), draw.randint(2, 5)

    def error(z: Any, t: Any) -> Any:
        functional = _torch().nn.functional
        return functional.kl_div(functional.log_softmax(z, -1), t, reduction="sum")

    return "E = sum(t * (log(t) - log_softmax(z)))", {"z": (n, width), "t": (n, width)}, error


FAMILIES: dict[str, Family] = {
    "dense": Family(dense),
    "convolution": Family(convolution),
    "rnn": Family(rnn),
    "lstm": Family(lstm),
    "gru": Family(gru),
    "attention": Family(attention),
    "layer_norm": Family(layer_norm),
    "batch_norm": Family(batch_norm),
    "embedding": Family(embedding),
    "highway": Family(highway),
    "word2vec": Family(word2vec),
    "huber": Family(huber),
    "kl": Family(kl, low=0.05),
}
