"""An exercise as data: one form from which every sheet, solution, key and quiz is written, so that they agree."""

from __future__ import annotations

from dataclasses import dataclass

from derive.formula import Formula
from derive.problem import Problem
from derive.verification.edit import Layer
from render.document import Block, Inlines

# ---- answers -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Feedback:
    """What known mistakes give in place of the answer, and what is said to who hands it in.

    ``mistakes``: (identifier, layer) of all that give this value, the most plausible first. ``value`` is a decimal to
    17 significant digits, ``shown`` the same as it is asked for. ``points`` are still due when all but the one step
    is right (error carried forward).
    """

    mistakes: tuple[tuple[str, Layer], ...]
    value: str
    shown: str
    words: str
    points: int


@dataclass(frozen=True)
class NumberAnswer:
    """A number. ``quantity`` is its name as `derive.quantities` takes it: "dE/dw5", "delta_o1", "w5+", "out_h1".

    ``array``, ``index`` and ``of`` ("arrays", "gradients", "updated" or "") say where `chainrule gradients --json`
    prints the same number; ``value`` is that very decimal string, ``shown`` the number as it is asked for ("0.08217"),
    ``asked`` how it is asked for ("4 significant digits"), ``tolerance`` how far an answer may be from ``value``.
    """

    quantity: str
    value: str
    shown: str
    asked: str
    tolerance: str
    feedback: tuple[Feedback, ...] = ()
    array: str = ""
    index: tuple[int, ...] = ()
    of: str = ""


@dataclass(frozen=True)
class Option:
    """One thing to choose: what is printed, whether it is right, and what is said to who chooses it."""

    inlines: Inlines
    right: bool
    words: str = ""


@dataclass(frozen=True)
class ChoiceAnswer:
    """Options in the order in which they are printed: one of them is right, or with ``several`` any number."""

    options: tuple[Option, ...]
    several: bool = False


@dataclass(frozen=True)
class OrderAnswer:
    """Things to be put in order: ``items`` as they are printed, ``order`` the positions in the right order.

    ``any_of``: further orders that are right too.
    """

    items: tuple[Inlines, ...]
    order: tuple[int, ...]
    any_of: tuple[tuple[int, ...], ...] = ()


@dataclass(frozen=True)
class FormulaAnswer:
    """A formula or a short text, to be marked by a person; ``typed`` is how it is typed."""

    formula: Formula
    typed: str


Answer = NumberAnswer | ChoiceAnswer | OrderAnswer | FormulaAnswer

# ---- exercises -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Item:
    """One answer that is asked for: a letter where there are several, and what stands before the blank (∂E/∂w5)."""

    letter: str
    label: Inlines
    answer: Answer
    points: int


@dataclass(frozen=True)
class SolutionStep:
    """A step of the worked solution: sentences and equations, what it is worth, and what the points are for.

    ``follows``: how an error made before is carried forward here, "" where nothing earlier is used.
    """

    blocks: tuple[Block, ...]
    points: int = 0
    criterion: Inlines = ()
    follows: Inlines = ()


@dataclass(frozen=True)
class Exercise:
    """One exercise: ``kind`` names a row of `render.exercises.kinds`; points are those of its items, split over steps.

    ``scaffold`` stands on the sheet between prompt and answers: the solution with as many blanks as were asked for.
    """

    kind: str
    title: str
    prompt: tuple[Block, ...]
    items: tuple[Item, ...]
    solution: tuple[SolutionStep, ...]
    scaffold: tuple[Block, ...] = ()

    @property
    def points(self) -> int:
        """What the whole exercise is worth."""
        return sum(item.points for item in self.items)


@dataclass(frozen=True)
class Part:
    """The exercises on one problem, after its statement: the network and this variant's numbers."""

    problem: Problem
    statement: tuple[Block, ...]
    exercises: tuple[Exercise, ...]


@dataclass(frozen=True)
class Sheet:
    """One variant: what one student gets. ``number`` counts from 1; ``seed`` is what all of it was drawn from."""

    number: int
    seed: int
    parts: tuple[Part, ...]

    @property
    def exercises(self) -> tuple[Exercise, ...]:
        """All exercises, in order; the sheet numbers them from 1."""
        return tuple(exercise for part in self.parts for exercise in part.exercises)

    @property
    def points(self) -> int:
        """What the whole sheet is worth."""
        return sum(exercise.points for exercise in self.exercises)
