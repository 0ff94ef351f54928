"""The values of a calculation's lines in float64, and of many revisions of it that differ in a few lines each."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cached_property
from itertools import compress
from operator import is_not

import numpy as np

from derive.evaluate.floats import Floats, evaluate
from derive.program import Expression, read_by

Lines = Mapping[str, Expression]
Path = tuple[tuple[str, Expression | None], ...]
"""Lines to be computed one after the other; None stands for what is rewritten."""


class Values(Mapping[str, Floats]):
    """The values of lines by name, in an order in which each can be computed; computed as far as is asked for.

    Of a revision (`revised`) only the lines that are not the ``base``'s, and those that are computed from them, are
    computed; all others are taken over.
    """

    def __init__(self, lines: Lines, given: Mapping[str, Floats], base: Values | None = None) -> None:
        self.lines, self.given, self.base = lines, given, base
        old: Lines = {} if base is None else base.lines
        others = compress(lines, map(is_not, lines.values(), map(old.get, lines)))
        rewritten = [name for name in others if lines[name] != old.get(name)]
        own = {name: read_by(lines[name]) for name in rewritten}
        self._paths: dict[tuple[tuple[str, ...], str], Path] = {}
        self._below: dict[str, frozenset[str]] = {}
        if base is None:
            self._reads, self._known = own, dict(given)
            self.changed: Collection[str] = lines.keys()
        else:
            self._reads, self._known = base._reads | own, dict(base._whole)
            self.changed = set(rewritten).union(*map(base.below, rewritten))
        self._pending = iter([name for name in lines if name in self.changed])
        if base is not None:
            for name in self.changed:
                self._known.pop(name, None)

    def revised(self, lines: Lines) -> Values:
        """The values of other lines, on the same given arrays."""
        return Values(lines, self.given, self)

    def __getitem__(self, name: str) -> Floats:
        """The value of a line; all above it are computed first."""
        known = self._known
        if name not in known:
            with np.errstate(all="ignore"):
                for line in self._pending:
                    known[line] = evaluate(self.lines[line], known)
                    if line == name:
                        break
        return known[name]

    @cached_property
    def _whole(self) -> Mapping[str, Floats]:
        """All values, the given ones too."""
        with np.errstate(all="ignore"):
            for line in self._pending:
                self._known[line] = evaluate(self.lines[line], self._known)
        return self._known

    def path(self, names: tuple[str, ...], to: str, order: Iterable[str] | None = None) -> Path:
        """The lines that would be computed anew, up to one of them, if these were rewritten.

        ``order``: the names of all lines then, where they are not the same.
        """
        found = self._paths.get((names, to))
        if found is None:
            changed = frozenset(names).union(*map(self.below, names))
            lines = [name for name in order or self.lines if name in changed]
            lines = lines[: lines.index(to) + 1] if to in lines else []
            found = self._paths[names, to] = tuple(
                [(name, None if name in names else self.lines[name]) for name in lines]
            )
        return found

    def below(self, name: str) -> frozenset[str]:
        """The lines that are computed from this one."""
        found = self._below.get(name)
        if found is None:
            found = self._below[name] = _reached(self._readers, self._readers.get(name, ()))
        return found

    @cached_property
    def _readers(self) -> dict[str, set[str]]:
        """Which lines read an array."""
        found: dict[str, set[str]] = {}
        for name in self.lines:
            for each in self._reads[name]:
                found.setdefault(each, set()).add(name)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self.lines)

    def __len__(self) -> int:
        return len(self.lines)


def _reached(steps: Mapping[str, Collection[str]], start: Collection[str]) -> frozenset[str]:
    """All names that are reached from some, themselves included."""
    reached, waiting = set(start), list(start)
    while waiting:
        new = set(steps.get(waiting.pop(), ())) - reached
        reached |= new
        waiting += new
    return frozenset(reached)
