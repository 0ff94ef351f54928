"""All numbers that may be drawn, as points that are counted: every variant gets points of its own.

A point is a place among the choices of every number that varies. Point i of a seed is had by scrambling the digits of
i with a Feistel cipher over their mixed radices, or, where there are few points, by shuffling them: either way each
point comes up once, whoever asks for it and in whichever process.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property

from flint import fmpq

from derive.derivation import Derivation
from derive.evaluate.balls import fraction
from derive.files.vary import RATE, Varied, default
from derive.other_numbers import with_values
from derive.problem import Problem
from derive.scalars import Scalar
from derive.verification import sheet as sheets

ROUNDS = 4
FEW = 10**9
"""So few points are shuffled; of more, each variant has `ATTEMPTS` of its own."""
ATTEMPTS = 5000
REACH = 10**60
"""So many points are counted, of as many numbers as there may be: dividing longer counts would take longest of all."""

Point = tuple[int, ...]


@dataclass(frozen=True)
class Number:
    """A number as it is computed with: exactly, in floats, in balls."""

    exact: Fraction
    close: float
    ball: fmpq

    @classmethod
    def of(cls, value: Fraction) -> Number:
        """From an exact number."""
        return cls(value, float(value), fmpq(value.numerator, value.denominator))


@dataclass(frozen=True)
class Digit:
    """One number that varies (or one row with a class): the places that it fills, and how many choices it has.

    ``known`` has the numbers of choices that came up, for all numbers of an array.
    """

    varied: Varied
    places: tuple[int, ...]
    radix: int
    known: dict[int, Number] = field(compare=False)

    def number(self, choice: int) -> Number:
        """The number of a choice; the class, for a row of classes."""
        if choice not in self.known:
            if len(self.known) > 10_000:
                self.known.clear()
            self.known[choice] = Number.of(self.varied.choice(choice))
        return self.known[choice]


_ZERO, _ONE = Number.of(Fraction(0)), Number.of(Fraction(1))


@dataclass(frozen=True)
class Space:
    """The points of a derivation's [vary], in the order of a seed; ``inputs`` says where each given number stands."""

    derivation: Derivation
    inputs: tuple[Scalar, ...]
    seed: int

    @cached_property
    def varied(self) -> tuple[Varied, ...]:
        """What varies: as stated, or by default."""
        return self.derivation.problem.vary or default(self.derivation.problem)

    @cached_property
    def digits(self) -> tuple[Digit, ...]:
        """The numbers that vary, one after the other."""
        found: list[Digit] = []
        for varied in self.varied:
            name = sheets.RATE if varied.name == RATE else varied.name
            places = [place for place, scalar in enumerate(self.inputs) if scalar.array == name]
            width = self.derivation.program.shape(name)[-1] if varied.classes else 1
            radix, known = varied.choices, dict[int, Number]()
            found += [Digit(varied, tuple(places[i : i + width]), radix, known) for i in range(0, len(places), width)]
        return tuple(found)

    @cached_property
    def radices(self) -> tuple[int, ...]:
        """How many choices each number has."""
        return tuple(digit.radix for digit in self.digits)

    @cached_property
    def size(self) -> int:
        """How many points there are to be counted: all, or at least `REACH`, in which the first numbers differ."""
        size = 1
        for radix in self.radices:
            if size >= REACH:
                break
            size *= radix
        return size

    @cached_property
    def few(self) -> bool:
        """Are the points so few that all variants share them?"""
        return self.size <= FEW or len(self.digits) < 2

    # ---- points ----------------------------------------------------------------------------

    def scrambled(self, index: int) -> Point:
        """The point of a number below the size: another one for each."""
        point = list(self._in_radices(index))
        radices = self.radices
        for turn in range(ROUNDS):
            fixed, moved = (
                (slice(0, None, 2), slice(1, None, 2)) if turn % 2 else (slice(1, None, 2), slice(0, None, 2))
            )
            stream = random.Random(f"{self.seed} {turn} {point[fixed]}")
            point[moved] = [
                (digit + stream.randrange(radix)) % radix
                for digit, radix in zip(point[moved], radices[moved], strict=True)
            ]
        return tuple(point)

    def _in_radices(self, index: int) -> Point:
        found = []
        for radix in self.radices:
            index, digit = divmod(index, radix)
            found.append(digit)
        return tuple(found)

    @cached_property
    def _shuffle(self) -> _Shuffle:
        return _Shuffle(self.size, random.Random(f"{self.seed} shuffled"))

    def shuffled(self, index: int) -> Point:
        """The point that stands at a place when all are shuffled."""
        return self._in_radices(self._shuffle.at(index))

    # ---- what a point stands for -----------------------------------------------------------

    @cached_property
    def own(self) -> tuple[Number, ...]:
        """The problem's own numbers."""
        given, update = self.derivation.given, self.derivation.problem.update
        found = []
        for scalar in self.inputs:
            rate = scalar.array == sheets.RATE and update is not None
            value = update.learning_rate if rate and update else fraction(given[scalar.array][scalar.index])
            found.append(Number.of(value or Fraction(0)))
        return tuple(found)

    def numbers(self, point: Point) -> list[Number]:
        """Every given number of a point, in the order of the inputs."""
        found = list(self.own)
        for digit, choice in zip(self.digits, point, strict=True):
            number = digit.number(choice)
            if digit.varied.classes:
                for unit, place in enumerate(digit.places):
                    found[place] = _ONE if unit == number.exact else _ZERO
            else:
                found[digit.places[0]] = number
        return found

    def problem(self, numbers: Sequence[Number]) -> Problem:
        """The problem with these numbers."""
        names = {varied.name for varied in self.varied}
        values: dict[str, list[Fraction]] = {}
        rate = None
        for scalar, number in zip(self.inputs, numbers, strict=True):
            if scalar.array == sheets.RATE:
                rate = number.exact if RATE in names else None
            elif scalar.array in names:
                values.setdefault(scalar.array, []).append(number.exact)
        found = {name: tuple(numbers) for name, numbers in values.items()}
        return with_values(self.derivation.problem, found, rate)


class _Shuffle:
    """The numbers below a size in a random order, as many of them as are asked for (Fisher and Yates)."""

    def __init__(self, size: int, stream: random.Random) -> None:
        self.size, self.stream = size, stream
        self.moved: dict[int, int] = {}
        self.found: list[int] = []

    def at(self, index: int) -> int:
        """The number that stands at a place."""
        while len(self.found) <= index:
            here = len(self.found)
            there = here + self.stream.randrange(self.size - here)
            self.found.append(self.moved.get(there, there))
            self.moved[there] = self.moved.pop(here, here) if there != here else here
            self.moved.pop(here, None)
        return self.found[index]
