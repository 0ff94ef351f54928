"""Handouts: exercises as sheets for a class, with solutions, key, marking scheme and manifest."""
