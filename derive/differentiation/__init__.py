"""The derivative of an expression, worked out step by step as on paper: data for pages and exercises.

>>> from derive.differentiation import of_activation
>>> from derive.functions import ACTIVATIONS
>>> from derive.plain import plain
>>> (worked,) = of_activation(ACTIVATIONS["softplus"])
>>> for line in worked.lines[-2:]:
...     print(plain(line.formula), *line.rules)
1/(1 + exp(-z)) multiplied
sigma(z) output
"""

from __future__ import annotations

from derive.differentiation.rules import RULES
from derive.differentiation.worked import (
    Line,
    Worked,
    defined,
    of_activation,
    of_definition,
    of_expression,
    of_loss,
)

__all__ = ["RULES", "Line", "Worked", "defined", "of_activation", "of_definition", "of_expression", "of_loss"]
