"""Frameworks: their modules read, run and turned into problems; each is imported in a child process only."""
