"""Self-attention and embedding: layers on sequences (examples, time, features)."""

from __future__ import annotations

import math
from typing import Any

from derive.errors import shown
from derive.layers.frame import (
    REQUIRED,
    Key,
    LayerError,
    LayerType,
    Parameter,
    Parameters,
    Scope,
    Settings,
    axes_of,
    biases,
    matrix,
)
from derive.program import Shape


def head_size(settings: Settings, features: int) -> int:
    """How long a query of one head is: key_size, read off W_Q, or the features shared among the heads."""
    heads: int = settings["heads"]
    if not settings["projections"]:
        if heads != 1:
            raise LayerError("heads", f"found {heads}; without projections there is one head")
        return features
    whole = settings.stated["W_Q"][1] if len(settings.stated.get("W_Q", ())) == 2 else features
    if settings["key_size"] is not None:
        return int(settings["key_size"])
    if whole % heads:
        where = "columns of W_Q" if settings.has("W_Q") else "features"
        raise LayerError("heads", f"found {heads}, which does not divide the {whole} {where}")
    return whole // heads


def _parameters(settings: Settings, incoming: Shape) -> Parameters:
    _, features = axes_of(incoming, ("time", "features"), "self_attention")
    size = head_size(settings, features) * settings["heads"]
    if not settings["projections"]:
        return {}
    found = {stem: matrix(features, size, "features", "values of all heads") for stem in ("W_Q", "W_K", "W_V")}
    found |= biases(settings, size, "b_Q", "b_K", "b_V", axis="values of all heads")
    if settings["output_projection"] or settings.has("W_O"):
        found["W_O"] = matrix(size, features, "values of all heads", "features")
        found |= biases(settings, features, "b_O", axis="features")
    return found


def _write(scope: Scope) -> str:
    """Q = X W_Q, K = X W_K, V = X W_V, S = Q Kᵀ / √d, A = softmax(S), O = A V, a = O W_O."""
    settings, x, name = scope.settings, scope.incoming.name, scope.name
    examples, time, features = scope.incoming.shape
    heads, size = settings["heads"], head_size(settings, features)
    lines = []
    if settings["projections"]:
        for letter in "QKV":
            projected = f"{x} @ {name(f'W_{letter}')}{scope.bias(f'b_{letter}')}"
            lines.append(f"{name(letter)} = {_split(projected, (examples, time, heads, size))}")
    q, k, v = (name(letter) if settings["projections"] else x for letter in "QKV")
    turned = f"transpose({k}, {'(0, 2, 1)' if heads == 1 else '(0, 1, 3, 2)'})"
    lines.append(f"{name('S')} = {q} @ {turned}{_scale(size) if settings['scaled'] else ''}")
    mixed = _mixed(scope, v, time)
    *before, joined = mixed
    projected_out = "W_O" in scope.parameters
    out = name("O") if projected_out else name("a")
    merged = (
        joined if heads == 1 else (f"reshape(transpose({joined}, (0, 2, 1, 3)), ({examples}, {time}, {heads * size}))")
    )
    lines += [*before, f"{out} = {merged}"]
    if projected_out:
        lines.append(f"{name('a')} = {out} @ {name('W_O')}{scope.bias('b_O')}")
    return "\n".join(lines)


def _split(projected: str, shape: tuple[int, int, int, int]) -> str:
    """(examples, time, heads · size) → (examples, heads, time, size); one head needs no axis."""
    return projected if shape[2] == 1 else f"transpose(reshape({projected}, {shape}), (0, 2, 1, 3))"


def _scale(size: int) -> str:
    root = math.isqrt(size)
    return f" / {root}" if root * root == size else f" / sqrt({size})"


def _mixed(scope: Scope, v: str, time: int) -> list[str]:
    """The attention weights A and, last, the expression A V.

    A causal row looks back only: its softmax is over the steps so far, one equation per step.
    """
    scores, name = scope.name("S"), scope.name
    if not scope.settings["causal"]:
        return [f"{name('A')} = softmax({scores}, axis=-1)", f"{name('A')} @ {v}"]
    rows = [
        f"{name('A', step)} = softmax({scores}[..., {step - 1}:{step}, :{step}], axis=-1)"
        for step in range(1, time + 1)
    ]
    seen = [f"{name('A', step)} @ {v}[..., :{step}, :]" for step in range(1, time + 1)]
    return [*rows, seen[0] if time == 1 else f"concatenate([{', '.join(seen)}], axis=-2)"]


_PROJECTED = {"Q": "queries", "K": "keys", "V": "values", "O": "outputs"}


def _axes(settings: Settings, incoming: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """A row of scores for each query; several heads have an axis of their own."""
    example, step, feature = incoming
    front = (example,) if settings["heads"] == 1 else (example, "head")
    return {
        **dict.fromkeys("QKV", (*front, step, feature)),
        **dict.fromkeys("SA", (*front, "query", "key")),
    }


SELF_ATTENTION = LayerType(
    "self_attention",
    "each step of a sequence looks at all steps: softmax(Q Kᵀ / √d) V with Q = X W_Q, K = X W_K, V = X W_V",
    {
        "heads": Key("whole", 1, "how many heads; head h has columns of its own of W_Q, W_K and W_V"),
        "key_size": Key("whole", None, "the length d of one head's queries; absent: the features shared among heads"),
        "scaled": Key("flag", True, "divide the scores by √d"),
        "causal": Key("flag", False, "a step looks only at itself and at those before it"),
        "projections": Key("flag", True, "false: Q, K and V are the incoming sequence itself"),
        "output_projection": Key("flag", False, "multiply what comes out by W_O; W_O given means the same"),
        "bias": Key("bias", None, "biases b_Q, b_K, b_V (and b_O); absent: none"),
    },
    _parameters,
    _write,
    stems=("W_Q", "W_K", "W_V", "W_O", "b_Q", "b_K", "b_V", "b_O"),
    meanings={
        **{f"W_{letter}": f"weights of the {what}" for letter, what in _PROJECTED.items()},
        **{f"b_{letter}": f"biases of the {what}" for letter, what in _PROJECTED.items()},
        "Q": "queries",
        "K": "keys",
        "V": "values",
        "S": "scores",
        "A": "attention weights",
        "O": "mixtures of the values",
        "a": "outputs of the attention",
    },
    reads=("position", "feature"),
    axes=_axes,
)


def _embedding_parameters(settings: Settings, incoming: Shape) -> Parameters:
    return {"W": Parameter("weight", (settings["vocabulary"], settings["size"]), ("words", "features"))}


def _embedding(scope: Scope) -> str:
    """A row of W for each token."""
    if scope.number != 1:
        raise LayerError("type", "an embedding reads whole numbers, and so can only be the first layer")
    if scope.tokens is None:
        raise LayerError("type", "an embedding reads whole numbers, counted from 0, as inputs")
    words = scope.settings["vocabulary"]
    for token in _flat(scope.tokens):
        if not 0 <= token < words:
            raise LayerError("vocabulary", f"found the token {shown(token)}; the words are 0 to {words - 1}")
    return f"{scope.name('a')} = take({scope.name('W')}, {scope.tokens}, axis=0)"


def _flat(tokens: Any) -> list[int]:
    return [each for part in tokens for each in _flat(part)] if isinstance(tokens, list) else [tokens]


EMBEDDING = LayerType(
    "embedding",
    "a row of W for each token; the inputs are whole numbers counted from 0",
    {
        "vocabulary": Key("whole", REQUIRED, "how many words there are", size_of=("W", 0)),
        "size": Key("whole", REQUIRED, "how long a word's row is", size_of=("W", 1)),
    },
    _embedding_parameters,
    _embedding,
    aliases={"weights": "W"},
    stems=("W",),
    meanings={"W": "table of the words", "a": "rows of the words, looked up"},
    reads=("position",),
    axes=lambda settings, incoming: {"a": (*incoming, "feature")},
)
