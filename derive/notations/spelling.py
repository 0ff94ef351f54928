"""Names as people type them: scripts in any order, with braces or without, time steps as <2>."""

from __future__ import annotations

import re

_BASE = r"(?P<base>[^\W\d_]+(?:_(?:hat|back)(?![^\W\d_]))?|\w+\[.*\])"
_SPELT = re.compile(
    _BASE + r"(?:\^(?P<first>[^_]+))?_?(?P<sub>[\w,:]*)(?:\^(?P<last>.+)|(?P<after>[(\[<].*))?",
)
_TYPED = str.maketrans("⟨⟩", "<>")


def scripts(name: str) -> str:
    """A name with its scripts in one order and without what only joins them: w^{2}_{11} as w_11^2.

    Two names that differ in commas alone are the same.
    """
    bare = re.sub(r"\\[lr]angle|[\s{}\\]", _angle, name).translate(_TYPED)
    found = _SPELT.fullmatch(bare)
    if found is None:
        return bare
    sup = found["first"] or found["last"] or found["after"] or ""
    return f"{found['base']}_{found['sub'].replace(',', '')}^{sup}"


def _angle(match: re.Match[str]) -> str:
    return {r"\langle": "<", r"\rangle": ">"}.get(match[0], "")
