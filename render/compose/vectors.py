"""How products of arrays are written: with vectors as columns, or as rows where the notation has them so.

A product of rows is the transposed product of columns: its factors change places.
"""

from __future__ import annotations

from derive.formula import Formula, Group, Product, Symbol, Transposed
from derive.tex_names import GREEK_COMMANDS
from render.compose.pen import Pen
from render.compose.structure import LayerView


def how_vectors_stand(pen: Pen, single: bool) -> str:
    """The sentences that say how vectors and examples stand in this section."""
    if pen.notation.rows and single:
        return "Vectors are rows: {x} holds the inputs, {z} the net inputs of the first layer, and so on, as in the JSON output."
    if pen.notation.rows:
        return (
            "The examples stand one below the other as rows, as in the tables and the JSON output: {x} has one row for "
            "each of the {n} examples, and so have {z} and all that follows."
        )
    transposed = " (The tables and the JSON output have the examples as rows; here they are transposed.)"
    if single:
        return (
            "Vectors are columns: {x} holds the inputs, {z} the net inputs of the first layer, and so on." + transposed
        )
    return (
        "The examples stand side by side as columns: {x} has one column for each of the {n} examples, and so have "
        "{z} and all that follows." + transposed
    )


def joined(*factors: Formula) -> Product:
    """A matrix product: factors side by side, with a dot where a name is a word, as in code."""
    return Product(factors, "dot" if any(_is_word(factor) for factor in factors) else "")


def _is_word(factor: Formula) -> bool:
    bare = factor.body if isinstance(factor, Transposed) else factor
    return isinstance(bare, Symbol) and len(bare.name.base) > 1 and bare.name.base not in GREEK_COMMANDS


def times_weights(pen: Pen, weight: Formula, incoming: Formula) -> Product:
    """W x, or x Wᵀ."""
    return joined(*((incoming, Transposed(weight)) if pen.notation.rows else (weight, incoming)))


def spread_bias(pen: Pen, view: LayerView, bias: Formula) -> Formula:
    """A bias spread over the units and examples that share it, by a vector of ones."""
    one = Symbol(pen.notation.ones)
    if view.bias is not None and not view.bias.shape:
        across = Transposed(one) if pen.notation.rows else one
        return joined(bias, across) if view.examples == 1 else joined(bias, one, Transposed(one))
    if view.examples == 1:
        return bias
    return joined(one, bias) if pen.notation.rows else joined(bias, Transposed(one))


def delta_times_incoming(pen: Pen, delta: Formula, incoming: Formula) -> Product:
    """δ aᵀ, or δᵀ a: either way a row for each unit and a column for each incoming value."""
    return joined(Transposed(delta), incoming) if pen.notation.rows else joined(delta, Transposed(incoming))


def bias_gradient(pen: Pen, view: LayerView, delta: Formula) -> Formula:
    """The deltas summed over the units and examples that share a bias."""
    one = Symbol(pen.notation.ones)
    if view.bias is not None and not view.bias.shape:
        if view.examples > 1:
            return joined(Transposed(one), delta, one)
        return joined(delta, one) if pen.notation.rows else joined(Transposed(one), delta)
    if view.examples == 1:
        return delta
    return joined(Transposed(one), delta) if pen.notation.rows else joined(delta, one)


def back_through(pen: Pen, following: LayerView) -> Product:
    """Wᵀ δ, or δ W: what comes back to a layer's outputs from the next layer's deltas."""
    weight, delta = pen.array(following.weight.name), Symbol(pen.names.array_delta(following.net.name))
    return joined(delta, weight) if pen.notation.rows else joined(Transposed(weight), delta)


def over_units(pen: Pen, inner: Formula) -> Product:
    """The sums over a layer's units, each in the place of every unit: 𝟏𝟏ᵀ(…), or (…)𝟏𝟏ᵀ."""
    one = Symbol(pen.notation.ones)
    factors = (one, Transposed(one))
    return Product((Group(inner), *factors) if pen.notation.rows else (*factors, Group(inner)))
