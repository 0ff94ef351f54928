"""Figures: one layout of a `Drawing`, printed as SVG and as TikZ."""

from render.figures.layout import layout
from render.figures.placed import Placed
from render.figures.svg import svg
from render.figures.tikz import tikz

__all__ = ["Placed", "layout", "svg", "tikz"]
