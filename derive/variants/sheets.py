"""The right sheet of a problem and every sheet with a known mistake, as far as they give the numbers asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property

from derive import arrays, optimizers
from derive.derivation import Derivation
from derive.errors import ChainruleError, unknown
from derive.evaluate.lines import Lines
from derive.evaluate.unrolled import indices
from derive.program import Expression
from derive.scalars import Scalar
from derive.variants.asked import KINDS, Asked
from derive.verification.edit import Edit, replaced
from derive.verification.family import family
from derive.verification.mistakes import whole
from derive.verification.sheet import DoesNotApplyError, Sheet, flow, open_rate, sheet
from derive.verification.structure import Squash, Structure
from derive.verification.tried import all_made

NOT_ASKED = frozenset(("new_weights_handed_over", "update_handed_over", "layout_transposed", "float32_rounding"))
"""Mistakes in what is handed over: who is asked for one number hands over that."""


@dataclass(frozen=True)
class Slipped:
    """Mistakes that by the lines of their sheets give the same number, which stands in ``scalar``."""

    edits: tuple[Edit, ...]
    scalar: Scalar


class Sheets:
    """All sheets of a derivation, numbered lines: ``right`` has the place of each asked number.

    Raises ChainruleError for a number that cannot be asked for.
    """

    def __init__(self, derivation: Derivation, asked: Sequence[Asked]) -> None:
        self.derivation, self.asked = derivation, tuple(asked)
        program = derivation.program if derivation.problem.update is None else open_rate(derivation.program)
        symbols = [name for name in derivation.program.given if name not in derivation.given]
        if symbols:
            raise ChainruleError(f"{', '.join(symbols)}: made of symbols, and exercises with answers need numbers")
        self.base = sheet(program)
        for each in self.asked:
            self._check(each)
        self.lines = Lines({name: program.shape(name) for name in program.given})
        self.names = self.lines.add(self.base.equations, self.base.program.definitions)
        self.right = tuple(self._right(each) for each in self.asked)

    def _right(self, asked: Asked) -> Scalar:
        line = self._line(asked)
        return Scalar(self.lines.add(self._ready(self._start(asked)).equations, [line])[line], asked.scalar.index)

    # ---- what is asked ---------------------------------------------------------------------

    def _check(self, asked: Asked) -> None:
        name, program = asked.scalar.array, self.base.program
        if asked.kind not in KINDS:
            raise ChainruleError(f"{asked.kind}: no such kind of number; known: {', '.join(KINDS)}")
        where = f"{name}{list(asked.scalar.index) or ''}"
        if name not in program.variables:
            raise ChainruleError(unknown(name, program.variables))
        if asked.kind == "value" and name not in program.definitions:
            raise ChainruleError(f"{where} is given; nothing computes it")
        if asked.kind in ("delta", "gradient") and name not in self.base.adjoints:
            raise ChainruleError(f"{where} has no derivative of the error: it is not on the way to a parameter")
        if asked.kind == "updated" and (self.derivation.problem.update is None or name not in program.parameters):
            raise ChainruleError(f"{where} is not updated: there is no [update], or it is no parameter")
        if asked.kind == "local" and not self._squash(name):
            raise ChainruleError(f"{where} is no net input that an activation is applied to")

    def _squash(self, name: str) -> Squash | None:
        return next((s for s in self.structure.squashes if s.source == name and s.row is not None), None)

    def _line(self, asked: Asked) -> str:
        name = asked.scalar.array
        return {
            "value": name,
            "delta": self.base.adjoints.get(name, ""),
            "gradient": f"{name} asked",
            "updated": f"{name}+",
            "local": f"{name} local",
        }[asked.kind]

    def _ready(self, made: Sheet) -> Sheet:
        """A sheet with the lines behind it in which the numbers asked for stand."""
        lines: dict[str, Expression] = {}
        update = self.derivation.problem.update
        for each in self.asked:
            name = each.scalar.array
            if each.kind == "gradient":
                lines[f"{name} asked"] = made.result(name)
            elif each.kind == "updated" and update is not None:
                held = name in optimizers.fixed(made.program, update)
                lines[f"{name}+"] = made.ref(name) if held else whole.new_value(update)(made, name)
            elif each.kind == "local":
                squash = self._squash(name)
                assert squash is not None, "it has been looked at"
                line = made.line(flow(name, squash.target, made.program.error))
                ones = {made.adjoints[squash.target]: arrays.constant(1, made.program.shape(squash.target))}
                lines[f"{name} local"] = replaced(line, ones)
        return replace(made, finish={**made.finish, **lines})

    def _start(self, asked: Asked) -> Sheet:
        """The right sheet: that of a sequential update passes back through new weights."""
        return self._swept if asked.kind == "updated" else self.base

    @cached_property
    def _swept(self) -> Sheet:
        update = self.derivation.problem.update
        if update is None or update.order != "sequential":
            return self.base
        edits = [e for e in family(self.base, self.derivation.problem) if e.mistake == "back_pass_updated_weights"]
        best = next((e for e in edits if e.layer == "all"), edits[0] if edits else None)
        return self.base if best is None else best.apply(self.base)

    @cached_property
    def structure(self) -> Structure:
        """What stands where on the right sheet."""
        return Structure(self.base.program)

    # ---- what is given ---------------------------------------------------------------------

    @cached_property
    def inputs(self) -> tuple[Scalar, ...]:
        """Every given number, in order, the learning rate among them where there is one."""
        return tuple(Scalar(name, index) for name, shape in self.lines.given.items() for index in indices(shape))

    # ---- mistakes --------------------------------------------------------------------------

    def slipped(self) -> tuple[tuple[Slipped, ...], ...]:
        """For each asked number the mistakes whose lines reach it, those with the same lines together."""
        found: list[dict[Scalar, list[Edit]]] = [{} for _ in self.asked]
        for start in {id(one): one for one in map(self._start, self.asked)}.values():
            rows = [row for row, each in enumerate(self.asked) if self._start(each) is start]
            for edit, made in self._edited(start):
                read = {row: self._line(self.asked[row]) for row in rows if self._fits(self.asked[row], edit)}
                if not read:
                    continue
                names = self.lines.add(made.equations, dict.fromkeys(read.values()))
                for row, line in read.items():
                    scalar = Scalar(names[line], self.asked[row].scalar.index)
                    if scalar != self.right[row]:
                        found[row].setdefault(scalar, []).append(edit)
        return tuple(tuple(Slipped(tuple(edits), scalar) for scalar, edits in each.items()) for each in found)

    def _edited(self, start: Sheet) -> Iterator[tuple[Edit, Sheet]]:
        edits = [e for e in family(start, self.derivation.problem) if e.mistake not in NOT_ASKED]
        for made in all_made(start, edits):
            with suppress(DoesNotApplyError, KeyError):
                yield made.edit, self._ready(made.sheet)

    def _fits(self, asked: Asked, edit: Edit) -> bool:
        """Does a mistake make sense for what is asked? Of a local derivative those with it, in its layer."""
        if asked.kind != "local":
            return True
        return edit.mistake.startswith("activation_derivative_")
