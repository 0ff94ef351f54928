"""One equation, typeset: how wide it will be, where it is broken, and the MathML of a page."""
