"""Problem files: their tables and keys, every fault with its place, and the way back to a file."""
