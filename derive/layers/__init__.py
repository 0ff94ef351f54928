"""Layers: sugar that writes equations. One row a layer type, each in the file of its family.

A layered problem names its arrays x, t, W1, b1, z1, a1, W2, …, e and E; arrays of values per example have the
examples as their first axis. A sequence is (examples, time, features), an image (examples, channels, height, width).
"""

from __future__ import annotations

from derive.layers.frame import LayerError, LayerType
from derive.layers.network import Stated, given, program, written_layers
from derive.layers.table import LAYERS

__all__ = ["LAYERS", "LayerError", "LayerType", "Stated", "given", "program", "written_layers"]
