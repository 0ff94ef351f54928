"""The desk at which exercises are made: one variant's numbers, a pen, how many digits are carried, and chance."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

from derive.derivation import Derivation
from derive.formula import Formula
from derive.notation import Names
from derive.reverse import adjoint_name
from derive.scalars import Scalar
from derive.variants.answers import Answered, Mistaken
from derive.variants.asked import Asked
from derive.verification.edit import Edit, Layer
from derive.verification.family import SENTENCES, family
from derive.verification.judge import base_sheet
from derive.verification.precision import Precision
from derive.verification.sheet import Sheet as BackwardSheet
from derive.verification.sheet import flow
from derive.verification.structure import Structure
from render.compose.pen import Pen, capital, prose
from render.compose.structure import LayerView, layer_views
from render.exercises.model import Feedback, Item, NumberAnswer

T = TypeVar("T")

JSON_PLACES = {"value": "arrays", "delta": "", "local": "", "gradient": "gradients", "updated": "updated"}
"""Where `chainrule gradients --json` prints a number of each kind."""


@dataclass(frozen=True, eq=False)
class Ground:
    """What all variants of a problem have in common: the first derivation, names, and where mistakes are made."""

    derivation: Derivation
    names: Names

    @cached_property
    def base(self) -> BackwardSheet:
        """The lines of the backward pass, on which mistakes are made."""
        return base_sheet(self.derivation)

    @cached_property
    def edits(self) -> tuple[Edit, ...]:
        """Every mistake that can be made on them."""
        return family(self.base, self.derivation.problem)

    @cached_property
    def outputs(self) -> Mapping[str, str]:
        """The activation of each net input that has one of its own, element by element: array to array."""
        program = self.derivation.program
        return {
            each.source: each.target
            for each in Structure(self.base.program).squashes
            if each.row is not None and {each.source, each.target} <= set(program.variables)
        }

    def places(self, line: str) -> tuple[str, ...]:
        """The arrays in whose steps a line of the backward pass stands."""
        if line not in self._places:
            error, nets = self.derivation.program.error, {out: net for net, out in self.outputs.items()}
            found: list[str] = []
            for array in self.derivation.program.variables:
                if line == adjoint_name(error, array) or line.startswith(flow(array, "", error)):
                    found += [array, nets.get(array, array)]
            self._places[line] = tuple(found)
        return self._places[line]

    @cached_property
    def _places(self) -> dict[str, tuple[str, ...]]:
        return {}

    @cached_property
    def views(self) -> tuple[LayerView, ...]:
        """The layers of a dense network; none of any other."""
        return layer_views(self.derivation) if self.derivation.problem.dense else ()

    def pen(self, derivation: Derivation, decimals: int) -> Pen:
        """A pen for a variant, in the notation of the handout."""
        pen = Pen(derivation, self.names.notation, decimals)
        vars(pen)["names"] = self.names  # the names of thousands of sheets are the same: they are made once
        return pen


@dataclass(frozen=True)
class Planned:
    """An exercise as it is planned for all variants: its kind, what it is about, the numbers that it asks for.

    ``secret``: the quantities whose ∂E is asked for, or needed on the way, in other exercises of the sheet;
    ``withheld``: what is to be found in those, and is not stated here.
    """

    kind: str
    about: tuple[Scalar, ...]
    asked: tuple[Asked, ...] = ()
    points: int | None = None
    blanks: float = 1.0
    mistake: str | None = None
    secret: frozenset[Scalar] = frozenset()
    withheld: frozenset[Asked] = frozenset()


@dataclass(frozen=True)
class Desk:
    """What an exercise of one variant is made from.

    ``memory`` has the lines of its calculation that were written already: several exercises rest on the same ones.
    """

    ground: Ground
    pen: Pen
    answers: Mapping[Asked, Answered]
    carry: Precision
    seed: str
    memory: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def derivation(self) -> Derivation:
        """The variant's derivation."""
        return self.pen.derivation

    @property
    def views(self) -> tuple[LayerView, ...]:
        """The layers of a dense network; none of any other."""
        return self.ground.views

    def shuffled(self, things: Sequence[T], what: str) -> list[T]:
        """The things in an order that is drawn for one purpose, all orders equally likely, the same everywhere."""
        chance, left = random.Random(f"{self.seed}/{what}"), list(things)
        return [left.pop(chance.randrange(len(left))) for _ in things]

    # ---- answers ---------------------------------------------------------------------------

    def item(self, asked: Asked, points: int, worth: Mapping[str, int] | None = None, *, letter: str = "") -> Item:
        """An item that asks for a number; ``worth``: what the step is worth that computes an array, or ∂E by it."""
        return Item(letter, prose("{it}", it=self.label(asked)), self.number(asked, points, worth or {}), points)

    def number(self, asked: Asked, points: int, worth: Mapping[str, int]) -> NumberAnswer:
        """The answer to a number that is asked for, with what each known mistake gives in its place."""
        found = self.answers[asked]
        return NumberAnswer(
            quantity=self.quantity(asked),
            value=found.value,
            shown=found.shown,
            asked=in_words(self.carry),
            tolerance=found.tolerance,
            feedback=tuple(self._feedback(each, points, worth) for each in found.mistaken),
            array=asked.scalar.array,
            index=asked.scalar.index,
            of=JSON_PLACES[asked.kind],
        )

    def _feedback(self, mistaken: Mistaken, points: int, worth: Mapping[str, int]) -> Feedback:
        """One step is wrong, and the rest is done right with what came out of it: that step's points are lost.

        Of a mistake in no step of the solution, such as one of the forward pass, one point is lost.
        """
        lost = next((worth[each] for each in self.places(mistaken.edits[0]) if worth.get(each)), 1)
        due = max(0, points - lost)
        return Feedback(mistaken.mistakes, mistaken.value, mistaken.shown, self.sentence(mistaken), due)

    def sentence(self, mistaken: Mistaken) -> str:
        """What is said to who hands in the value that mistakes give: the most plausible of them in words."""
        mistake, layer = mistaken.mistakes[0]
        return self.said(mistake, layer)

    def said(self, mistake: str, layer: Layer = "all") -> str:
        """A mistake as a sentence. What begins with a formula does not get a capital.

        What the general sentence says about the error holds for the layer of the outputs only.
        """
        where = "" if layer == "all" else f"in layer {layer}, "
        last = max(variable.layer for variable in self.derivation.program.variables.values())
        words, inside = SENTENCES[mistake], layer not in ("all", last)
        if mistake == "sign_of_error" and inside:
            words = "the sign is turned"
        if mistake == "factor_two" and (inside or "squared" not in self.derivation.problem.loss.name):
            words = "a factor 2 too much"
        return f"{words}." if not where and words.startswith("a −") else f"{capital(where + words)}."

    def places(self, edit: Edit) -> tuple[str, ...]:
        """The array in whose step a mistake is made; what comes back to an output belongs to its net input's step."""
        return self.ground.places(edit.line)

    def shown(self, asked: Asked) -> str:
        """The answer as it is asked for."""
        return self.answers[asked].shown

    def label(self, asked: Asked) -> Formula:
        """What stands before the blank: the quantity by its name."""
        pen, scalar = self.pen, asked.scalar
        match asked.kind:
            case "gradient":
                return pen.gradient_symbol(scalar)
            case "updated":
                return pen.updated(scalar)
            case "delta":
                return self.by(scalar)
            case "local":
                return pen.partial(self.output_of(scalar), scalar)
        return pen.symbol(scalar)

    def quantity(self, asked: Asked) -> str:
        """The quantity as it is typed, in the problem's own notation."""
        typed, error = self._typed(asked.scalar), self.derivation.program.error
        match asked.kind:
            case "gradient" | "delta":
                return f"d{error}/d{typed}"
            case "updated":
                return f"{typed}+"
            case "local":
                return f"d{self._typed(self.output_of(asked.scalar))}/d{typed}"
        return typed

    def _typed(self, scalar: Scalar) -> str:
        return self.ground.derivation.names.typed[scalar.array, scalar.index]

    def by(self, scalar: Scalar) -> Formula:
        """∂E by a quantity on the way, its delta where it has one."""
        return self.pen.delta(scalar) if self.has_delta(scalar) else self.pen.partial(None, scalar)

    def has_delta(self, scalar: Scalar) -> bool:
        """Does the notation have a name for ∂E/∂scalar, its delta?"""
        variable = self.derivation.program.variables[scalar.array]
        return variable.role == "net" and bool(variable.layer) and self.pen.notation.element("delta") is not None

    def output_of(self, net: Scalar) -> Scalar:
        """The activation of a net input, element for element."""
        return Scalar(self.ground.outputs[net.array], net.index)


def in_words(carry: Precision) -> str:
    """How an answer is asked for: "4 significant digits"."""
    unit = {"sf": "significant digit", "dp": "decimal place"}[carry.kind]
    return f"{carry.places} {unit}{'' if carry.places == 1 else 's'}"


def split(points: int, shares: Sequence[int]) -> list[int]:
    """Points split over steps in proportion to their shares, whole points, the largest remainders rounded up."""
    total = sum(shares) or 1
    whole = [points * share // total for share in shares]
    rest = sorted(range(len(shares)), key=lambda k: (-(points * shares[k] % total), -k))
    for k in rest[: points - sum(whole)]:
        whole[k] += 1
    return whole
