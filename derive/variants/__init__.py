"""Variants of a problem: the same derivation with other numbers, drawn so that every mistake can be seen in them."""
