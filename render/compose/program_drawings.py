"""The flow of data of any program, as a figure: which array is computed from which, and with which parameters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from derive.notation import plain_name
from derive.program import BACK, Equation, Program, Variable, references
from render.compose.pen import Pen, prose
from render.document import Block, Figure
from render.drawing import Flow, FlowBox
from render.figures.dataflow import flow_layout
from render.figures.placed import WIDTH

MOST_BOXES = 40
"""Of a program with more boxes than this the layers alone are drawn."""

MOST_READ = 4
"""Of a layer with more parameters than this none are written in its box."""


def figure(pen: Pen) -> tuple[Block, ...]:
    """The flow of data of a program as a figure: array by array, or of a large network layer by layer.

    There is none where neither can be read: many arrays that belong to no layer, or too many side by side.
    """
    arrays = Arrays(pen)
    for flow, caption in (
        (arrays.flow, _caption(arrays)),
        (_by_step(arrays), BY_STEP),
        (_by_layer(arrays), BY_LAYER),
    ):
        if flow is not None and len(flow.boxes) <= MOST_BOXES and flow_layout(flow).width <= WIDTH:
            return (Figure("fig-flow", flow, prose(caption), in_words(flow)),)
    return ()


# ---- array by array ------------------------------------------------------------------------


@dataclass(frozen=True)
class Arrays:
    """A program's arrays as they are drawn: in boxes, in halves of boxes, or as small names within them."""

    pen: Pen

    @property
    def program(self) -> Program:
        """The program."""
        return self.pen.derivation.program

    @cached_property
    def equations(self) -> tuple[Equation, ...]:
        """Those from which the error is computed, in order."""
        wanted = {self.program.error}
        for equation in reversed(self.program.equations):
            if equation.target in wanted:
                wanted |= references(equation.expression)
        return tuple(equation for equation in self.program.equations if equation.target in wanted)

    @cached_property
    def reads(self) -> dict[str, set[str]]:
        """The arrays that each equation reads."""
        return {equation.target: references(equation.expression) for equation in self.equations}

    @cached_property
    def small(self) -> frozenset[str]:
        """Given arrays that are written in the boxes of their readers: parameters and constants, unless they are
        all that an equation reads.
        """
        given = [name for name in self.program.given if any(name in read for read in self.reads.values())]
        small = {name for name in given if self._is_parameter(name)}
        readers = {name: sum(name in read for read in self.reads.values()) for name in given}
        for read in self.reads.values():
            if read and read <= small:  # nothing flows in: what most equations read is where the data come from
                small.discard(max((name for name in given if name in read), key=lambda name: readers[name]))
        return frozenset(small)

    def _is_parameter(self, name: str) -> bool:
        variable = self.program.variables[name]
        return name in self.program.parameters or variable.role in ("weight", "bias") or not variable.shape

    @cached_property
    def folded(self) -> dict[str, str]:
        """A net input that only its activation reads, by that activation: both stand in one box."""
        found: dict[str, str] = {}
        for target, read in self.reads.items():
            sources = read - self.small
            if len(sources) != 1 or target in found.values():
                continue
            (source,) = sources
            alone = sum(source in each for each in self.reads.values()) == 1
            if alone and source in self.reads and source not in found and self._together(source, target):
                found[target] = source
        return found

    def _together(self, source: str, target: str) -> bool:
        first, second = (self.program.variables[name].place for name in (source, target))
        same = first is not None and second is not None and (first.layer, first.time) == (second.layer, second.time)
        return same and not self._state(source) and self.reads[target] == {source}

    @cached_property
    def _states(self) -> frozenset[tuple[int, str]]:
        """Layer and stem of the arrays that another time step of their layer reads."""
        found = set()
        for target, read in self.reads.items():
            here = self.program.variables[target].place
            for name in read:
                there = self.program.variables[name].place
                if here is None or there is None or here.time is None or there.time is None:
                    continue
                if here.layer == there.layer and here.time != there.time:
                    found.add((there.layer, there.stem))
        return frozenset(found)

    def _state(self, name: str) -> bool | None:
        """Does the next time step read this array, or its like at another step? None outside of a recurrence."""
        place = self.program.variables[name].place
        chains = {(layer, stem.endswith(BACK)) for layer, stem in self._states}
        if place is None or place.time is None or (place.layer, place.stem.endswith(BACK)) not in chains:
            return None
        return (place.layer, place.stem) in self._states

    @cached_property
    def flow(self) -> Flow:
        """The boxes and arrows."""
        hidden = set(self.folded.values())
        given = [name for name in self.program.given if name not in self.small]
        drawn = [name for name in given if any(name in read for read in self.reads.values())]
        known: dict[tuple[int, str], tuple[str, ...]] = {}
        boxes = [
            self._box(name, known)
            for name in (*sorted(drawn, key=self._order), *(t for t in self.reads if t not in hidden))
        ]
        box_of = {source: target for target, source in self.folded.items()}
        arrows = dict.fromkeys(
            (box_of.get(source, source), box_of.get(target, target))
            for target in self.reads
            for source in self.program.variables
            if source in self.reads[target] and source not in self.small
        )
        return Flow(tuple(boxes), tuple((source, target) for source, target in arrows if source != target))

    def _order(self, name: str) -> int:
        """Initial states stand in the order in which a step computes the states; other arrays as they are given."""
        place = self.program.variables[name].place
        like = [self.program.variables[target].place for target in self.reads]
        stems = [(each.layer, each.stem) for each in like if each is not None]
        state = place is not None and self._state(name) and (place.layer, place.stem) in stems
        return stems.index((place.layer, place.stem)) if place is not None and state else -1

    def _box(self, name: str, known: dict[tuple[int, str], tuple[str, ...]]) -> FlowBox:
        variable = self.program.variables[name]
        names = [name] if name not in self.folded else [self.folded[name], name]
        read = [each for each in self.program.given if each in self.small and each in self._read_by(names)]
        place, state = variable.place, self._state(name)
        if place is not None and place.time is not None:
            if known.get((place.layer, place.stem)) == tuple(read):
                read = []  # the step before has them written
            else:
                known[place.layer, place.stem] = tuple(read)
        return FlowBox(
            name,
            self._kind(variable),
            tuple(self.pen.array(each).name for each in names),
            reads=tuple(self.pen.array(each).name for each in read),
            chain="" if place is None or state is None else f"{place.layer}{BACK * place.stem.endswith(BACK)}",
            time=0 if place is None else place.time or 0,
            state=bool(state),
        )

    def _read_by(self, names: Sequence[str]) -> set[str]:
        return set().union(*(self.reads.get(name, set()) for name in names))

    def _kind(self, variable: Variable) -> str:
        if variable.name == self.program.error:
            return "error"
        if variable.name in self.reads:
            return "array"
        return "target" if variable.role == "target" or variable.name == "t" else "given"


# ---- step by step, layer by layer ----------------------------------------------------------

BY_STEP = (
    "The flow of data: every time step of a recurrent layer is one box with its state, and all of them read the same "
    "parameters. Arrows lead from an array to what is computed from it."
)
BY_LAYER = "The flow of data, layer by layer: every box holds what comes out of a layer."


def _by_step(arrays: Arrays) -> Flow | None:
    """The flow with one box for each time step of a recurrence; None where there is no recurrence."""
    boxes = arrays.flow.boxes
    box_of = {box.identifier: f"{box.chain} at {box.time}" if box.chain else box.identifier for box in boxes}
    merged: dict[str, FlowBox] = {}
    for box in boxes:
        name = box_of[box.identifier]
        if not box.chain:
            merged[name] = box
        elif box.state:
            names = (*merged[name].names, *box.names[-1:]) if name in merged else box.names[-1:]
            merged[name] = replace(box, identifier=name, names=names, reads=())
    return None if len(merged) == len(boxes) else Flow(tuple(merged.values()), _joined(arrays.flow.arrows, box_of))


def _by_layer(arrays: Arrays) -> Flow | None:
    """The flow with one box for each layer; None where there are no layers."""
    program, layers = arrays.program, arrays.pen.derivation.problem.layers
    if not layers:
        return None

    def box_of(name: str) -> str:
        place = program.variables[name].place
        return name if place is None else f"layer {place.layer}"

    boxes = {box.identifier: box for box in arrays.flow.boxes if box_of(box.identifier) == box.identifier}
    for name in arrays.reads:  # the last of a layer's arrays is what comes out
        if box_of(name) != name:
            number = int(box_of(name).removeprefix("layer "))
            own = [each for each in program.given if each in arrays.small and box_of(each) == box_of(name)]
            read = tuple(arrays.pen.array(each).name for each in own) if len(own) <= MOST_READ else ()
            words = layers[number - 1].type.replace("_", " ")
            boxes[box_of(name)] = FlowBox(box_of(name), "array", (arrays.pen.array(name).name,), words, read)
    order = [box_of(name) for name in (*program.given, *arrays.reads)]
    kept = tuple(boxes[name] for name in dict.fromkeys(order) if name in boxes)
    links = [(s, t) for t, read in arrays.reads.items() for s in program.variables if s in read]
    drawn = {box.identifier for box in kept}
    return Flow(kept, tuple(a for a in _joined(links, {n: box_of(n) for n in program.variables}) if {*a} <= drawn))


def _joined(arrows: Iterable[tuple[str, str]], box_of: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """The arrows between boxes that hold several others, each once."""
    found = dict.fromkeys((box_of[source], box_of[target]) for source, target in arrows)
    return tuple((source, target) for source, target in found if source != target)


# ---- words ---------------------------------------------------------------------------------


def _caption(arrays: Arrays) -> str:
    sentences = ["The flow of data: an array is computed from those whose arrows reach it, and with the parameters"]
    sentences[0] += " that are written small in its box."
    if any(len(box.names) == 2 for box in arrays.flow.boxes):
        sentences.append("A box of two halves holds a net input and what the activation makes of it.")
    if any(box.chain for box in arrays.flow.boxes):
        sentences.append(
            "Time steps stand side by side; where a later step has no parameters written, they are the same."
        )
    return " ".join(sentences)


def in_words(flow: Flow) -> str:
    """The figure for who cannot see it: what each box is computed from, in order."""
    boxes = {box.identifier: box for box in flow.boxes}
    found = []
    for box in flow.boxes:
        sources = [_called(boxes[source]) for source, target in flow.arrows if target == box.identifier]
        if sources:
            known = [plain_name(name) for name in box.reads]
            found.append(f"{_called(box)} from {_listed(sources)}" + (f" with {_listed(known)}" if known else ""))
    return f"The flow of data, from the top down. Computed are: {'; '.join(found)}."


def _called(box: FlowBox) -> str:
    names = " and ".join(plain_name(name) for name in box.names)
    return f"{box.words} {names}" if box.words else names


def _listed(words: Sequence[str]) -> str:
    *before, last = words
    return f"{', '.join(before)} and {last}" if before else last
