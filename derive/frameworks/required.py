"""A framework that is needed: imported where it is installed, else said."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

from derive.errors import MissingDependency


def framework(name: str, what: str) -> Any:
    """The module of a framework. Raises MissingDependency, which says what to install."""
    if importlib.util.find_spec(name) is None:
        raise MissingDependency(f"{what} needs {name}, which is not installed: pip install {name}")
    return importlib.import_module(name)
