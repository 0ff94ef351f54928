"""The steps of which a mistake in the backward pass is made.

What a step makes of a sheet follows from what it is shown of it: its own lines, and what the others are called. So it
is worked out once for all sheets that are alike in these.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field

from derive.program import Expression, read_by
from derive.verification.sheet import DoesNotApplyError, Lines, Names, Revision, Sheet

Rewrite = Callable[[Sheet], Expression]
ResultOf = Callable[[Sheet, str], Expression]


@dataclass(frozen=True, eq=False)
class Rewriting:
    """Rewrites lines of the backward pass; each is told the sheet, of which only these lines can be read.

    Lines that another mistake has taken away (a bias that was left out has no gradient) cannot be made wrong again.
    """

    lines: Mapping[str, Rewrite]
    known: dict[Hashable, tuple[Lines, Lines | str]] = field(default_factory=dict, repr=False)

    def revision(self, sheet: Sheet, before: Revision) -> Revision:
        """The lines as they are then; raises DoesNotApplyError where there are none, or one reads what is below it."""
        lines = sheet.backward | before.backward if before.backward else sheet.backward
        own = {line: lines[line] for line in self.lines if line in lines}
        if not own:
            raise DoesNotApplyError(min(self.lines))
        key = (sheet.names, *map(id, own.values()))
        if key not in self.known:  # own lines are kept, so that no other line can get their id
            self.known[key] = own, self._rewritten(Sheet(sheet.names.program, own, sheet.adjoints), sheet.names)
        made = self.known[key][1]
        if isinstance(made, str):
            raise DoesNotApplyError(made)
        return Revision(made)

    def _rewritten(self, seen: Sheet, names: Names) -> Lines | str:
        """The lines rewritten, or which line is missing; a line may read only what stands above it."""
        try:
            changed = {line: new(seen) for line, new in self.lines.items() if line in seen.backward}
        except DoesNotApplyError as error:
            return str(error)
        for line, expression in changed.items():
            own = names.places[line]
            for name in read_by(expression):
                if names.places.get(name, own) >= own:
                    return name
        return changed


@dataclass(frozen=True, eq=False)
class HandingOver:
    """Hands over ``new(sheet, parameter)`` in place of parameters' gradients; of the sheet it reads names alone."""

    parameters: tuple[str, ...]
    new: ResultOf
    known: dict[Hashable, Revision] = field(default_factory=dict, repr=False)

    def revision(self, sheet: Sheet, before: Revision) -> Revision:
        """The lines behind the others, and which of them are handed over."""
        results = {**sheet.results, **before.results}
        taken = frozenset([*sheet.finish, *before.finish])
        key = sheet.names, tuple(results.items()), taken
        if key not in self.known:
            seen = Sheet(sheet.names.program, {}, sheet.adjoints, results=results)
            named = {parameter: f"{parameter} handed over" for parameter in self.parameters}
            while not taken.isdisjoint(named.values()):
                named = {parameter: f"{name}'" for parameter, name in named.items()}
            finish = {named[parameter]: self.new(seen, parameter) for parameter in self.parameters}
            self.known[key] = Revision({}, finish, named)
        return self.known[key]


Step = Rewriting | HandingOver
