"""Exercises generated from a derivation: what is asked, what is right, how it is worked out, what mistakes give."""
