"""Numbers from programs: exact enclosures, plain floats for small networks, NumPy for large ones."""
