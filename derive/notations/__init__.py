"""Notations: how a course writes its quantities. One row each, and nothing else changes."""

from derive.notations.row import Notation
from derive.notations.rows import NOTATIONS

__all__ = ["NOTATIONS", "Notation"]
