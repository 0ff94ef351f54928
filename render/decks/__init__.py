"""Slide decks: a document laid out on slides, a step a click; `render.formats` writes them as HTML and as LaTeX."""
