"""Exercises for learning platforms, a file each."""
