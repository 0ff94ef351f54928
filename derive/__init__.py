"""chainrule's mathematics: problems, programs, derivations, numbers.

>>> import derive
>>> derivation = derive.differentiate("mazur")
>>> round(float(derivation.values["a2"][0, 0]), 9)
0.75136507
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from derive.derivation import Derivation, differentiate
    from derive.errors import ChainruleError, ProblemError
    from derive.problem import Problem, load
    from derive.tracing import trace
    from derive.verification.api import assert_gradient, verify
    from derive.verification.report import Report

__version__ = "0.1.0"

_HOMES = {
    "Derivation": "derive.derivation",
    "differentiate": "derive.derivation",
    "ChainruleError": "derive.errors",
    "ProblemError": "derive.errors",
    "Problem": "derive.problem",
    "load": "derive.problem",
    "trace": "derive.tracing",
    "Report": "derive.verification.report",
    "assert_gradient": "derive.verification.api",
    "verify": "derive.verification.api",
}

__all__ = [
    "ChainruleError",
    "Derivation",
    "Problem",
    "ProblemError",
    "Report",
    "assert_gradient",
    "differentiate",
    "load",
    "trace",
    "verify",
]


def __getattr__(name: str) -> Any:
    """Public names are imported when they are first used: SymPy costs a third of a second."""
    if name not in _HOMES:
        raise AttributeError(f"module 'derive' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
