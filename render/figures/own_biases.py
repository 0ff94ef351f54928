"""Biases that belong to one unit alone: words under the unit, where a shared bias is a node with edges."""

from __future__ import annotations

from dataclasses import replace

from derive.formula import Formula
from render.drawing import Network
from render.figures.letters import label_formula


def without_own_biases(network: Network) -> tuple[Network, dict[str, Formula]]:
    """The network without the biases that stand in the column of the unit that they are joined to, and their words.

    The words ("b_1 = 0.35") are found by the identifier of the unit.
    """
    nodes = {node.identifier: node for node in network.nodes}
    found: dict[str, Formula] = {}
    owned = set()
    for edge in network.edges:
        bias, unit = nodes[edge.source], nodes[edge.target]
        words = label_formula(bias.label, bias.value)
        if bias.kind == "bias" and bias.column == unit.column and words is not None:
            found[unit.identifier] = words
            owned.add(bias.identifier)
    if not owned:
        return network, {}
    kept = tuple(node for node in network.nodes if node.identifier not in owned)
    edges = tuple(edge for edge in network.edges if edge.source not in owned)
    return replace(network, nodes=kept, edges=edges), found
