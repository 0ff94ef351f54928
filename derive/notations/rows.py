"""The notations that come with the project, a row each."""

from __future__ import annotations

from dataclasses import replace

from derive.formula import Name
from derive.notations.row import Example, Marks, Notation


def _bold(base: str, sub: str = "", sup: str = "") -> Name:
    return Name(base, sub, sup, style="bold")


def _code(base: str) -> Name:
    return Name(base, style="code")


MAZUR = Notation(
    "mazur",
    "net_h1, out_h1, w5, E_total, as in the article that it all began with",
    elements={
        "input": Name("i", "{column}"),
        "target": Name("target", "{unit}"),
        "weight": Name("w", "{count}"),
        "bias": Name("b", "{unit}"),
        "shared_bias": Name("b", "{layer}"),
        "net": Name("net", "{unit}"),
        "activation": Name("out", "{unit}"),
        "output_error": Name("E", "{unit}"),
        "error": Name("E", "total"),
        "delta": Name("delta", "{unit}"),
        "unit": Name("h", "{hidden}"),
        "output_unit": Name("o", "{column}"),
    },
    arrays={
        "input": _bold("x"),
        "target": _bold("t"),
        "weight": Name("W", "{layer}"),
        "bias": _bold("b", "{layer}"),
        "shared_bias": Name("b", "{layer}"),
        "net": _bold("z", "{layer}"),
        "activation": _bold("a", "{layer}"),
        "output_error": _bold("e"),
        "error": Name("E"),
        "delta": _bold("delta", "{layer}"),
    },
)

NIELSEN = Notation(
    "nielsen",
    "z^l_j, a^l_j, δ^l_j, w^l_jk and the cost C, the inputs being layer 1",
    elements={
        "input": Name("x", "{column}"),
        "target": Name("y", "{column}"),
        "weight": Name("w", "{indices}", "{level}"),
        "bias": Name("b", "{column}", "{level}"),
        "shared_bias": Name("b", "", "{level}"),
        "net": Name("z", "{column}", "{level}"),
        "activation": Name("a", "{column}", "{level}"),
        "output_error": Name("C", "{column}"),
        "error": Name("C"),
        "delta": Name("delta", "{column}", "{level}"),
    },
    arrays={
        "input": Name("x"),
        "target": Name("y"),
        "weight": Name("w", "", "{level}"),
        "bias": Name("b", "", "{level}"),
        "shared_bias": Name("b", "", "{level}"),
        "net": Name("z", "", "{level}"),
        "activation": Name("a", "", "{level}"),
        "output_error": Name("c"),
        "error": Name("C"),
        "delta": Name("delta", "", "{level}"),
    },
    example=Example(first=True, joint=","),
    marks=Marks(layer="{level}"),
)

GOODFELLOW = Notation(
    "goodfellow",
    "a and h for net inputs and hidden units, ŷ, W, b, the cost J; bold vectors, layers as (l)",
    elements={
        "input": Name("x", "{column}"),
        "target": Name("y", "{column}"),
        "weight": Name("W", "{row},{column}", "({layer})"),
        "bias": Name("b", "{column}", "({layer})"),
        "shared_bias": Name("b", "", "({layer})"),
        "net": Name("a", "{column}", "({layer})"),
        "activation": Name("h", "{column}", "({layer})"),
        "output": Name("y", "{column}", accent="hat"),
        "output_error": Name("L", "{column}"),
        "error": Name("J"),
        "delta": Name("g", "{column}", "({layer})"),
    },
    arrays={
        "input": _bold("x"),
        "target": _bold("y"),
        "weight": _bold("W", "", "({layer})"),
        "bias": _bold("b", "", "({layer})"),
        "shared_bias": Name("b", "", "({layer})"),
        "net": _bold("a", "", "({layer})"),
        "activation": _bold("h", "", "({layer})"),
        "output": Name("y", style="bold", accent="hat"),
        "output_error": _bold("L"),
        "error": Name("J"),
        "delta": _bold("g", "", "({layer})"),
    },
    batch={
        "input": _bold("X"),
        "target": _bold("Y"),
        "net": _bold("A", "", "({layer})"),
        "activation": _bold("H", "", "({layer})"),
        "output": Name("Y", style="bold", accent="hat"),
        "delta": _bold("G", "", "({layer})"),
    },
    example=Example(joint=","),
    marks=Marks(layer="({layer})", time="(t={t})", between=","),
    learning_rate=Name("epsilon"),
    ones=_bold("1"),
)

BISHOP = Notation(
    "bishop",
    "a_j for net inputs, z_j for hidden units, y_k for outputs, w_ji, t_k, E_n",
    elements={
        "input": Name("x", "{column}"),
        "target": Name("t", "{column}"),
        "weight": Name("w", "{indices}", "({layer})"),
        "bias": Name("w", "{column}0", "({layer})"),
        "shared_bias": Name("w", "0", "({layer})"),
        "net": Name("a", "{column}", "({layer})"),
        "activation": Name("z", "{column}", "({layer})"),
        "output": Name("y", "{column}"),
        "output_error": Name("E", "{column}"),
        "error": Name("E"),
        "delta": Name("delta", "{column}", "({layer})"),
    },
    arrays={
        "input": _bold("x"),
        "target": _bold("t"),
        "weight": _bold("W", "", "({layer})"),
        "bias": _bold("w", "0", "({layer})"),
        "shared_bias": Name("w", "0", "({layer})"),
        "net": _bold("a", "", "({layer})"),
        "activation": _bold("z", "", "({layer})"),
        "output": _bold("y"),
        "output_error": _bold("E"),
        "error": Name("E"),
        "delta": _bold("delta", "", "({layer})"),
    },
    batch={
        "input": _bold("X"),
        "target": _bold("T"),
        "net": _bold("A", "", "({layer})"),
        "activation": _bold("Z", "", "({layer})"),
        "output": _bold("Y"),
        "delta": _bold("Delta", "", "({layer})"),
    },
    example=Example("{n}", "sub", first=True, joint=","),
    marks=Marks(layer="({layer})"),
)

CS231N = Notation(
    "cs231n",
    "scores, h1, W1, dW1 in the style of code: indices from 0, examples as rows",
    elements={
        "input": _code("x[{at}]"),
        "target": _code("y[{at}]"),
        "weight": _code("W{layer}[{at}]"),
        "bias": _code("b{layer}[{at}]"),
        "shared_bias": _code("b{layer}"),
        "net": _code("z{layer}[{at}]"),
        "output_net": _code("scores[{at}]"),
        "activation": _code("h{layer}[{at}]"),
        "output": _code("out[{at}]"),
        "output_error": _code("L[{at}]"),
        "error": _code("loss"),
        "delta": _code("dz{layer}[{at}]"),
        "output_delta": _code("dscores[{at}]"),
    },
    arrays={
        "input": _code("x"),
        "target": _code("y"),
        "weight": _code("W{layer}"),
        "bias": _code("b{layer}"),
        "shared_bias": _code("b{layer}"),
        "net": _code("z{layer}"),
        "output_net": _code("scores"),
        "activation": _code("h{layer}"),
        "output": _code("out"),
        "output_error": _code("L"),
        "error": _code("loss"),
        "delta": _code("dz{layer}"),
        "output_delta": _code("dscores"),
    },
    example=Example(place="at"),
    marks=Marks(layer="{layer}", time="_t{t}", place="base"),
    learning_rate=_code("step_size"),
    rows=True,
    gradient="d",
)

NG = Notation(
    "ng",
    "z^[l], a^[l](i), dW^[l], ŷ, the loss L and the cost J",
    elements={
        "input": Name("x", "{column}"),
        "target": Name("y", "{column}"),
        "weight": Name("w", "{indices}", "[{layer}]"),
        "bias": Name("b", "{column}", "[{layer}]"),
        "shared_bias": Name("b", "", "[{layer}]"),
        "net": Name("z", "{column}", "[{layer}]"),
        "activation": Name("a", "{column}", "[{layer}]"),
        "output": Name("y", "{column}", accent="hat"),
        "output_error": Name("L", "{column}"),
        "error": Name("J"),
        "delta": Name("dz", "{column}", "[{layer}]"),
    },
    arrays={
        "input": Name("x"),
        "target": Name("y"),
        "weight": Name("W", "", "[{layer}]"),
        "bias": Name("b", "", "[{layer}]"),
        "shared_bias": Name("b", "", "[{layer}]"),
        "net": Name("z", "", "[{layer}]"),
        "activation": Name("a", "", "[{layer}]"),
        "output": Name("y", accent="hat"),
        "output_error": Name("L"),
        "error": Name("J"),
        "delta": Name("dz", "", "[{layer}]"),
    },
    batch={
        "input": Name("X"),
        "target": Name("Y"),
        "net": Name("Z", "", "[{layer}]"),
        "activation": Name("A", "", "[{layer}]"),
        "output": Name("Y", accent="hat"),
        "delta": Name("dZ", "", "[{layer}]"),
    },
    learning_rate=Name("alpha"),
    gradient="d",
)

PLAIN = replace(
    MAZUR,
    name="plain",
    summary="the arrays' own names and indices: z1_1, a1_1, W1_1,2",
    elements={
        "input": Name("x", "{column}"),
        "target": Name("t", "{column}"),
        "weight": Name("W{layer}", "{row},{column}"),
        "bias": Name("b{layer}", "{column}"),
        "shared_bias": Name("b{layer}"),
        "net": Name("z{layer}", "{column}"),
        "activation": Name("a{layer}", "{column}"),
        "output_error": Name("e", "{column}"),
        "error": Name("E"),
        "delta": Name("delta{layer}", "{column}"),
    },
    marks=Marks(layer="{layer}", place="base", between=","),
)

ROWS = (MAZUR, NIELSEN, GOODFELLOW, BISHOP, CS231N, NG, PLAIN)

NOTATIONS: dict[str, Notation] = {row.name: row for row in ROWS}
