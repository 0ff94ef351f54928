"""What varies from sheet to sheet: the [vary] table of a problem file, read exactly and held against the problem."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from derive.errors import Fault, ProblemError, shown, unknown
from derive.files.numbers import exact

if TYPE_CHECKING:
    from derive.problem import Problem
    from derive.program import Program

RATE = "learning_rate"
MOST_DECIMALS = 30
MOST_CHOICES = 1000
"""So many numbers may stand in ``among``."""


@dataclass(frozen=True, slots=True)
class Varied:
    """An array of which every number is drawn, or the learning rate (``name`` is "learning_rate" then).

    Multiples of 10^-decimals from ``low`` to ``high``, both included, or one of ``among``. With ``classes`` each row
    is a class: ``among`` has the classes that may be drawn, counted from 0.
    """

    name: str
    low: Fraction = Fraction(-1)
    high: Fraction = Fraction(1)
    decimals: int = 2
    among: tuple[Fraction, ...] = ()
    classes: bool = False

    @property
    def grid(self) -> tuple[int, int]:
        """The smallest and the greatest multiple of 10^-decimals within the bounds."""
        scale = 10**self.decimals
        return math.ceil(self.low * scale), math.floor(self.high * scale)

    @property
    def choices(self) -> int:
        """Among how many numbers each is drawn."""
        lowest, highest = self.grid
        return len(self.among) or max(0, highest - lowest + 1)

    def choice(self, place: int) -> Fraction:
        """The number (or the class) that stands at a place, from 0, of all that may be drawn."""
        return self.among[place] if self.among else Fraction(self.grid[0] + place, 10**self.decimals)


@dataclass(frozen=True, slots=True)
class StatedRange:
    """One key of [vary] as it was written; None where the default holds. ``held``: it stays as it is stated."""

    key: str
    low: Fraction | None = None
    high: Fraction | None = None
    decimals: int | None = None
    among: tuple[Fraction, ...] | None = None
    held: bool = False


@dataclass(frozen=True, slots=True)
class _Usual:
    """What is drawn where nothing else is said."""

    low: Fraction
    high: Fraction
    decimals: int = 2


_SIGNED = _Usual(Fraction(-1), Fraction(1))
_SHARE = _Usual(Fraction(0), Fraction(1))
MANY = 16
"""Where no more values come into a unit, weights are usually drawn from −1 to 1; where more do, nearer to 0."""


def _weights(incoming: int) -> _Usual:
    """The usual weights: net inputs stay so small that few draws saturate a unit, however many values come in."""
    if incoming <= MANY:
        return _SIGNED
    high = Fraction(round(100 * math.sqrt(MANY / incoming)) or 1, 100)
    return _Usual(-high, high, 2 if high >= Fraction(1, 2) else 3)


_RATES = _Usual(Fraction(1, 10), Fraction(9, 10), 1)

GROUPS = {"weights": "weight", "biases": "bias", "inputs": "input", "targets": "target"}
"""Words for several arrays at once, and the role of these arrays."""

KEYS = ("low", "high", "decimals", "among")

SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "what changes from sheet to sheet: weights, biases, inputs, targets, learning_rate, or an array by "
    "its name (W1, b2, x); absent: weights and inputs, when variants are asked for",
    "additionalProperties": {
        "anyOf": [
            {"type": "boolean", "description": "true: in the usual range; false: as it is stated"},
            {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "low": {"type": "number", "description": "absent: -1; of inputs and targets 0"},
                    "high": {"type": "number", "description": "absent: 1; of weights in wide layers less"},
                    "decimals": {"type": "integer", "minimum": 0, "maximum": MOST_DECIMALS, "default": 2},
                    "among": {
                        "type": "array",
                        "items": {"type": "number"},
                        "minItems": 1,
                        "description": "one of these numbers, in place of a range",
                    },
                },
            },
        ]
    },
}
"""The JSON schema of [vary]."""


# ---- reading -------------------------------------------------------------------------------


def read_vary(table: Mapping[str, Any] | None) -> tuple[tuple[StatedRange, ...], list[Fault]]:
    """The keys of [vary] by themselves, and every fault in them."""
    found: list[StatedRange] = []
    faults: list[Fault] = []
    for key, value in (table or {}).items():
        stated, wrong = _read(key, value, f"vary.{key if key.isidentifier() else shown(key)}")
        faults += wrong
        if stated is not None and not wrong:
            found.append(stated)
    if table is not None and not table:
        faults.append(Fault("vary", f"is empty; known: {', '.join((*GROUPS, RATE))}, or the name of an array"))
    return tuple(found), faults


def _read(key: str, value: Any, place: str) -> tuple[StatedRange | None, list[Fault]]:
    if isinstance(value, bool):
        return StatedRange(key, held=not value), []
    if not isinstance(value, Mapping):
        message = "{ low = -1, high = 1, decimals = 2 }, { among = [0.1, 0.5] } or true is expected"
        return None, [Fault(place, f"found {shown(value)}; {message}")]
    faults = [
        Fault(f"{place}.{name if name.isidentifier() else shown(name)}", unknown(name, KEYS, "unknown key"))
        for name in value
        if name not in KEYS
    ]
    others = [name for name in ("low", "high", "decimals") if name in value]
    if "among" in value and others:
        faults.append(Fault(f"{place}.{others[0]}", "does not go with among, which lists what is drawn"))
    ends: dict[str, Fraction] = {}
    for name in ("low", "high"):
        if name in value:
            try:
                ends[name] = exact(value[name])
            except ValueError as error:
                faults.append(Fault(f"{place}.{name}", str(error)))
    among, wrong = _among(value["among"], f"{place}.among") if "among" in value else (None, [])
    faults += wrong
    decimals = value.get("decimals")
    if decimals is not None and not _is_whole(decimals):
        message = f"found {shown(decimals)}; a whole number from 0 to {MOST_DECIMALS} is expected"
        faults.append(Fault(f"{place}.decimals", message))
    return (None if faults else StatedRange(key, ends.get("low"), ends.get("high"), decimals, among)), faults


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_DECIMALS


def _among(value: Any, place: str) -> tuple[tuple[Fraction, ...] | None, list[Fault]]:
    if not isinstance(value, list):
        return None, [Fault(place, f"found {shown(value)}; a list of numbers is expected")]
    if not value or len(value) > MOST_CHOICES:
        return None, [Fault(place, f"found {len(value)} numbers; from 1 to {MOST_CHOICES} are expected")]
    numbers: list[Fraction] = []
    faults: list[Fault] = []
    for row, each in enumerate(value):
        try:
            number = exact(each)
        except ValueError as error:
            faults.append(Fault(f"{place}[{row}]", str(error)))
            continue
        if number in numbers:
            faults.append(Fault(f"{place}[{row}]", f"found {shown(each)}, which stands there twice"))
        numbers.append(number)
    return tuple(numbers), faults


# ---- against the problem -------------------------------------------------------------------


def resolved(problem: Problem, stated: tuple[StatedRange, ...]) -> tuple[tuple[Varied, ...], list[Fault]]:
    """What the keys mean in this problem, an entry for each array; and every key that makes no sense in it."""
    scene = _Scene.of(problem)
    known = (*GROUPS, RATE, *scene.names)
    found: dict[str, Varied] = {}
    faults: list[Fault] = []
    for each in sorted(stated, key=lambda one: one.key in GROUPS and one.key not in scene.roles, reverse=True):
        place = f"vary.{each.key if each.key.isidentifier() else shown(each.key)}"
        names: tuple[str, ...]
        if each.key == RATE and RATE not in scene.roles:
            names, message = (RATE,), "" if problem.update is not None else "there is no [update] with a learning rate"
        elif each.key in GROUPS and each.key not in scene.roles:
            names, message = scene.group(each.key)
        elif each.key in scene.roles:
            names, message = (each.key,), scene.refused(each.key)
        else:
            names, message = (), unknown(each.key, known)
        if message:
            faults.append(Fault(place, message))
            continue
        for name in names:
            found.pop(name, None)
            if not each.held:
                varied, wrong = _varied(scene, name, each, place)
                faults += [fault for fault in wrong if fault not in faults]
                found[name] = varied
    if stated and not found and not faults:
        faults.append(Fault("vary", "holds everything; say what varies, or leave [vary] out for what usually does"))
    order = {name: row for row, name in enumerate((*scene.roles, RATE))}
    return tuple(sorted(found.values(), key=lambda varied: order[varied.name])), faults


def default(problem: Problem) -> tuple[Varied, ...]:
    """What varies where nothing is said: weights from −1 to 1 (of wide layers nearer to 0), inputs from 0 to 1.

    Inputs are from −1 where one is negative. Raises ProblemError where there are no such numbers.
    """
    scene = _Scene.of(problem)
    found: list[StatedRange] = []
    if not scene.group("weights")[1]:
        found.append(StatedRange("weights"))
    inputs, refused = scene.group("inputs")
    if not refused:
        negative = any(number < 0 for name in inputs for number in scene.numbers[name])
        found.append(StatedRange("inputs", low=Fraction(-1) if negative else None))
    if not found:
        message = "has no weights or inputs with numbers, and no [vary] that says what changes from sheet to sheet"
        raise ProblemError(message, problem.source or "the problem")
    return resolved(problem, tuple(found))[0]


@dataclass(frozen=True)
class _Scene:
    """The given arrays of a problem: what part each plays, its numbers (none where symbols), how many a unit has."""

    problem: Problem
    roles: dict[str, str]
    numbers: dict[str, tuple[Fraction, ...]]
    incoming: dict[str, int]

    @classmethod
    def of(cls, problem: Problem) -> _Scene:
        from derive import build
        from derive.evaluate.balls import fraction

        program = build.program(problem)
        given = build.given(problem, program)
        flat = {name: tuple(fraction(v) or Fraction(0) for v in array.reshape(-1)) for name, array in given.items()}
        incoming = {name: math.prod(program.shape(name)[1:]) for name in program.given}
        return cls(problem, {name: _role(problem, program, name) for name in program.given}, flat, incoming)

    @property
    def names(self) -> tuple[str, ...]:
        """The arrays that may vary."""
        return tuple(name for name in self.roles if not self.refused(name))

    def refused(self, name: str) -> str:
        """Why an array cannot vary, or ""."""
        if self.roles[name] == "mask":
            return "is a mask of what is dropped; it stays as it is stated"
        if name == "x" and self.problem.layers and self.problem.layers[0].type == "embedding":
            return "are tokens, whole numbers that an embedding looks up; they stay as they are stated"
        if name not in self.numbers:
            return "has no numbers here: it is made of symbols"
        return ""

    def group(self, key: str) -> tuple[tuple[str, ...], str]:
        """The arrays that a word stands for; or why there are none."""
        every = [name for name, role in self.roles.items() if role == GROUPS[key]]
        names = tuple(name for name in every if not self.refused(name))
        if names:
            return names, ""
        if every:
            return (), f"{', '.join(every)}: {self.refused(every[0])}"
        return (), f"there are none in this problem; arrays that may vary: {', '.join(self.names) or 'none'}"


_INPUT = re.compile(r"[xX]\d*|[xX]_\w+|inputs?\d*")
_TARGET = re.compile(r"[tT]\d*|[tT]_\w+|targets?\d*")


def _role(problem: Problem, program: Program, name: str) -> str:
    """The part that a given array plays; in equations x and X are inputs, t and T targets, parameters the rest."""
    role = program.variables[name].role
    if not problem.equations:
        place = program.variables[name].place
        return "mask" if place is not None and place.letter == "mask" else {"x": "input", "t": "target"}.get(name, role)
    if role == "bias":
        return role
    if problem.seed is not None and not any(array.name == name for array in problem.arrays):
        return "mask"  # the seed of the error, which is no array of the user's
    if _INPUT.fullmatch(name):
        return "input"
    if _TARGET.fullmatch(name):
        return "target"
    return "weight" if name in program.parameters else "array"


def _varied(scene: _Scene, name: str, stated: StatedRange, place: str) -> tuple[Varied, list[Fault]]:
    if name == RATE and RATE not in scene.roles:
        return _ranged(name, stated, place, _RATES, lambda value: value > 0, "greater than 0")
    role = scene.roles[name]
    if role == "target" and scene.problem.layers:
        return _target(scene, name, stated, place)
    usual = _SHARE if role in ("input", "target") else _weights(scene.incoming[name]) if role == "weight" else _SIGNED
    return _ranged(name, stated, place, usual)


def _target(scene: _Scene, name: str, stated: StatedRange, place: str) -> tuple[Varied, list[Fault]]:
    """Targets as the loss wants them: classes, signs, shares."""
    from derive.functions import LOSSES

    loss = LOSSES[scene.problem.loss.name]
    if not (loss.classes or loss.targets_are_signs):
        if loss.targets_in_unit_interval:
            return _ranged(name, stated, place, _SHARE, lambda value: 0 <= value <= 1, f"from 0 to 1, for {loss.name}")
        return _ranged(name, stated, place, _SHARE)
    units = _last_axis(scene.problem)
    usual = tuple(map(Fraction, range(units))) if loss.classes else (Fraction(-1), Fraction(1))
    words = f"classes from 0 to {units - 1}" if loss.classes else "signs, -1 and 1"
    found = Varied(name, among=stated.among or usual, classes=loss.classes)
    if (stated.low, stated.high, stated.decimals) != (None, None, None):
        return found, [
            Fault(place, f"the targets of {loss.name} are {words}; true or {{ among = [0, 1] }} is expected")
        ]
    wrong = [number for number in found.among if number not in usual]
    if wrong:
        return found, [Fault(f"{place}.among", f"found {_text(wrong[0])}; the targets of {loss.name} are {words}")]
    return found, []


def _last_axis(problem: Problem) -> int:
    from derive.problem import lengths

    return lengths(problem.examples[0].targets)[-1]


def _ranged(
    name: str,
    stated: StatedRange,
    place: str,
    usual: _Usual,
    fits: Callable[[Fraction], bool] | None = None,
    wanted: str = "",
) -> tuple[Varied, list[Fault]]:
    """A range with its defaults, and what is wrong with it; ``fits`` says which numbers make sense."""
    if stated.among is not None:
        odd = [number for number in stated.among if fits is not None and not fits(number)]
        faults = [Fault(f"{place}.among", f"found {_text(odd[0])}; numbers {wanted} are expected")] if odd else []
        return Varied(name, among=stated.among), faults
    low = usual.low if stated.low is None else stated.low
    high = usual.high if stated.high is None else stated.high
    found = Varied(name, low, high, usual.decimals if stated.decimals is None else stated.decimals)
    if low > high:
        key = "low" if stated.low is not None else "high"
        other = f"high, which is {_text(high)}" if key == "low" else f"low, which is {_text(low)}"
        word = "greater" if key == "low" else "less"
        return found, [Fault(f"{place}.{key}", f"found {_text(low if key == 'low' else high)}, {word} than {other}")]
    if fits is not None and not (fits(low) and fits(high)):
        key, end = ("low", low) if not fits(low) else ("high", high)
        return found, [Fault(f"{place}.{key}", f"found {_text(end)}; numbers {wanted} are expected")]
    if not found.choices:
        message = f"no number of {found.decimals} decimals lies between {_text(low)} and {_text(high)}"
        return found, [Fault(place, message)]
    return found, []


def _text(number: Fraction) -> str:
    return str(number) if number.denominator == 1 else f"{float(number):.6g}"
