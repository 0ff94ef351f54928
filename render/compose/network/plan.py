"""Which equations stand together on the page, which only repeat others, and what each is in words."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby

from derive.program import Equation, Program, references
from derive.scalars import Scalar
from render.compose.network.operations import skeleton
from render.compose.pen import Pen, capital
from render.compose.topics import BY_WORDS, TOPICS, Topic

ALIKE_STEPS = 5
"""Of more time steps than these that only repeat the one before, those in the middle stand in one section."""


@dataclass(frozen=True)
class Entry:
    """One equation on the page. ``stem`` is its name without layer and time step; ``model`` an earlier entry's
    target that it only repeats with other numbers ("" where it is new)."""

    equation: Equation
    stem: str
    time: int | None
    meaning: str
    kind: str
    layer: int = 0
    model: str = ""

    @property
    def name(self) -> str:
        """The array that it defines."""
        return self.equation.target


@dataclass(frozen=True)
class Group:
    """Equations in one section: a layer, or one time step of it."""

    identifier: str
    title: str
    kind: str
    layer: int
    entries: tuple[Entry, ...]
    first_of_layer: bool = False
    times: tuple[int, ...] = ()


@dataclass(frozen=True)
class Plan:
    """A program laid out for the page."""

    pen: Pen

    @property
    def program(self) -> Program:
        """The program."""
        return self.pen.derivation.program

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        """Every equation in order, with what it repeats."""
        seen: dict[Hashable, str] = {}
        stems: dict[Hashable, str] = {}
        made: list[Entry] = []
        for equation in self.program.equations:
            entry = self._entry(equation)
            pattern = (entry.layer, skeleton(equation.expression))
            if (entry.layer, entry.stem) in stems and pattern in seen:
                entry = replace(entry, model=seen[pattern])
            else:
                seen.setdefault(pattern, entry.name)
            stems.setdefault((entry.layer, entry.stem), entry.name)
            made.append(entry)
        return tuple(made)

    @cached_property
    def by_name(self) -> dict[str, Entry]:
        """The entry that defines an array."""
        return {entry.name: entry for entry in self.entries}

    @cached_property
    def families(self) -> dict[str, tuple[str, int]]:
        """Of plain equations that repeat step by step: the stem and the step of each (h3: h and 3)."""
        if self.layered:
            return {}
        found: dict[tuple[str, Hashable], list[tuple[int, Equation]]] = {}
        for equation in self.program.equations:
            match = re.fullmatch(r"(\w*?\D)(\d+)", equation.target)
            if match:
                found.setdefault((match[1], skeleton(equation.expression)), []).append((int(match[2]), equation))
        alike = {key: rows for key, rows in found.items() if len(rows) > 1}
        given = set(self.program.given)
        recurrent = any(
            set.intersection(*(references(equation.expression) & given for _, equation in rows)) & set(self._weights)
            for rows in alike.values()
        )
        return {e.target: (key[0], n) for key, rows in alike.items() for n, e in rows} if recurrent else {}

    @property
    def _weights(self) -> tuple[str, ...]:
        return self.program.parameters

    @property
    def layered(self) -> bool:
        """Whether the problem is stated in layers."""
        return bool(self.pen.derivation.problem.layers)

    @cached_property
    def stepped(self) -> frozenset[int]:
        """The layers whose parameters are read again at every time step."""
        read: dict[tuple[int, str], set[int]] = {}
        for equation in self.program.equations:
            place = self.program.variables[equation.target].place
            if place is not None and place.time is not None:
                for name in references(equation.expression) & set(self.program.given):
                    if self.program.variables[name].place is not None:
                        read.setdefault((place.layer, name), set()).add(place.time)
        return frozenset(layer for layer, _ in read)

    def _entry(self, equation: Equation) -> Entry:
        variable = self.program.variables[equation.target]
        place = variable.place
        if place is not None:
            kind = self.pen.derivation.problem.layers[place.layer - 1].type
            return Entry(equation, place.stem, place.time, self.meaning(variable.name), kind, place.layer)
        stem, time = self.families.get(variable.name, (variable.name, None))
        return Entry(equation, stem, time, self.meaning(variable.name), "")

    def meaning(self, name: str) -> str:
        """What an array is in a few words; "" where nothing says so."""
        variable = self.program.variables[name]
        if variable.meaning:
            return variable.meaning
        comments = {e.target: e.comment for e in self.program.equations if e.comment}
        if name in comments:
            return comments[name]
        stem = self.families.get(name, ("", 0))[0]
        same = (comments[other] for other, (its, _) in self.families.items() if its == stem and other in comments)
        own = {"x": "inputs", "t": "targets", "e": "error of each output"} if self.layered else {}
        role = _role(variable.role) if self.layered else ""
        return next(same, own.get(name, "error" if name == self.program.error else role))

    def topic(self, entry: Entry) -> tuple[Topic, str] | None:
        """The topic that speaks of an entry, and the stem under which."""
        stem = entry.stem.removesuffix("_back")
        if entry.kind in TOPICS:
            return TOPICS[entry.kind], stem
        called = entry.meaning.removeprefix("the ").strip()
        kind, stems = self._told
        return (TOPICS[kind], stems[called]) if called in stems else None

    @cached_property
    def _told(self) -> tuple[str, Mapping[str, str]]:
        """Of plain equations: the layer type of which their comments speak, and what they call its quantities."""
        words = {entry.meaning.removeprefix("the ").strip() for entry in self.entries}
        return next((found for word, found in BY_WORDS.items() if word in words), ("", {}))

    # ---- groups ------------------------------------------------------------------------------

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """The sections of the forward pass."""
        runs = [(key, tuple(run)) for key, run in groupby(self._keyed(), key=lambda pair: pair[0])]
        groups: list[Group] = []
        layers: set[int] = set()
        for (layer, time, back), pairs in runs:
            entries = tuple(entry for _, entry in pairs)
            groups.append(self._group(layer, time, back, entries, layer not in layers, len(runs), bool(groups)))
            layers.add(layer)
        return tuple(_shortened(groups))

    def _keyed(self) -> Iterator[tuple[tuple[int, int | None, bool], Entry]]:
        """Each entry with its layer, its time step and its direction; what stands within a step belongs to it."""
        times = [entry.time if entry.layer == 0 or entry.layer in self.stepped else None for entry in self.entries]
        for place, entry in enumerate(self.entries):
            time = times[place]
            if time is None and not self.layered:
                before = next((t for t in reversed(times[:place]) if t is not None), None)
                after = next((t for t in times[place + 1 :] if t is not None), None)
                time = before if before == after else None
            yield (entry.layer, time, entry.stem.endswith("_back")), entry

    def _group(
        self, layer: int, time: int | None, back: bool, entries: tuple[Entry, ...], first: bool, runs: int, later: bool
    ) -> Group:
        kind = entries[0].kind
        if layer:
            called = TOPICS[kind].called if kind in TOPICS else kind.replace("_", " ")
            title = f"Layer {layer}, {called}"
            if time is not None:
                title += f": time step {time}" + (", from the end" if back else "")
            elif layer in self.stepped:
                title += ": what goes on"
        elif self.layered:
            title = "The error"
        elif time is not None:
            title = f"Time step {time}"
        else:
            title = "" if runs == 1 else ("After the last step" if later else "Before the first step")
        identifier = "-".join(
            [*([f"layer-{layer}"] if layer else []), *([f"step-{time}"] if time is not None else [])]
            + (["back"] if back else [])
        )
        own = identifier or ("error" if self.layered else ("end" if later else "start"))
        if layer in self.stepped and time is None:
            own += "-out"
        return Group(own, title, kind, layer, entries, first, () if time is None else (time,))

    # ---- words -------------------------------------------------------------------------------

    def axes(self, name: str) -> tuple[str, ...]:
        """What the axes of an array count, the examples' first where it has such; "" for unknown."""
        variable = self.program.variables[name]
        rank = len(variable.shape)
        front: tuple[str, ...] = ("example",) if variable.per_example else ()
        own: tuple[str, ...] = ()
        place = variable.place
        if place is not None:
            kind = self.pen.derivation.problem.layers[place.layer - 1].type
            own = TOPICS[kind].axes.get(place.stem.removesuffix("_back"), ()) if kind in TOPICS else ()
        elif self.layered and name == "x":
            step = "time step" if 1 in self.stepped else "position"
            words = ("word",) if self.pen.derivation.problem.layers[0].type == "embedding" else ()
            own = {3: ("channel", "row", "column"), 2: (step, "feature"), 1: words}.get(rank - 1, ())
        if not own and self.layered and rank - len(front) == 3:
            own = ("channel", "row", "column")
        if len(front) + len(own) < rank:  # fewer heads than words for them: one head has no axis
            front += ("",) * (rank - len(front) - len(own))
        return (*front, *own[len(own) - (rank - len(front)) :]) if rank > len(front) else front[:rank]

    def whereabouts(self, scalar: Scalar) -> str:
        """Where an element stands: "time step 2, example 1"; "" where there is nothing to say."""
        variable = self.program.variables[scalar.array]
        entry = self.by_name.get(scalar.array)
        words = []
        if entry is not None and entry.time is not None and (entry.layer in self.stepped or not self.layered):
            words.append(f"time step {entry.time}")
        axes = self.axes(scalar.array)
        for word, place, size in zip(axes, scalar.index, variable.shape, strict=True):
            if word in ("example", "head", "position", "query", "time step", "row", "column") and size > 1:
                words.append(f"{word} {self.pen.nth(place)}")
        return ", ".join(words)

    def sequence_axis(self, name: str) -> int | None:
        """The axis of an array's positions in a sequence, where it has one."""
        axes = self.axes(name)
        return next((k for k, word in enumerate(axes) if word in ("position", "query")), None)


def _role(role: str) -> str:
    return {"weight": "weights", "bias": "biases"}.get(role, "")


def _shortened(groups: Sequence[Group]) -> Iterator[Group]:
    """Time steps that only repeat the one before, many of them, as one group."""
    alike = [bool(g.times) and all(entry.model for entry in g.entries) for g in groups]
    for same, run in groupby(zip(alike, groups, strict=True), key=lambda pair: (pair[0], pair[1].layer)):
        members = [group for _, group in run]
        if not same[0] or len(members) <= ALIKE_STEPS:
            yield from members
            continue
        middle = members[2:-1]
        head = re.sub(r"time step \d+", "time steps", middle[0].title, flags=re.IGNORECASE)
        first, last = sorted((middle[0].times[0], middle[-1].times[0]))
        yield from members[:2]
        yield replace(
            middle[0],
            identifier=f"{middle[0].identifier}-on",
            title=capital(f"{head.rstrip()} {first} to {last}"),
            entries=tuple(entry for group in middle for entry in group.entries),
            times=tuple(group.times[0] for group in middle),
        )
        yield members[-1]
