"""Verification: is this gradient right, and if not, which term is wrong."""
