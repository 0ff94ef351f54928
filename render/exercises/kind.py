"""What a kind of exercise is: its name, how it chooses what it asks about, and how it makes one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from derive.errors import ChainruleError, shown, unknown
from derive.evaluate.balls import FIRST_BITS
from derive.scalars import Scalar
from derive.variants.asked import Asked
from render.exercises.desk import Desk, Ground, Planned
from render.exercises.model import Exercise

MOST_TRIED = 40
"""So many elements of an array are looked at for one that teaches something."""


@dataclass(frozen=True)
class Told:
    """What an exercise gives on the sheet, and what has to be found on the way to its answer."""

    given: tuple[Asked, ...] = ()
    wanted: tuple[Asked, ...] = ()


@dataclass
class Sheetful:
    """What the exercises that are on a sheet already give, ask for and want on the way; and what they are about."""

    given: set[Asked] = field(default_factory=set)
    asked: Counter[Asked] = field(default_factory=Counter)
    wanted: set[Asked] = field(default_factory=set)
    about: set[tuple[str, tuple[Scalar, ...]]] = field(default_factory=set)

    def add(self, kind: Kind, ground: Ground, about: tuple[Scalar, ...]) -> None:
        """One more exercise."""
        told = kind.told(ground, about)
        self.given |= {*told.given}
        self.asked.update(kind.asked(ground, about))
        self.wanted |= {*told.wanted}
        self.about.add((kind.name, about))

    def cost(self, kind: Kind, ground: Ground, about: tuple[Scalar, ...]) -> tuple[int, int]:
        """How much one more exercise gives away or is given away; and how much of its way has to be gone anyway."""
        told, asked = kind.told(ground, about), {*kind.asked(ground, about)}
        given, wanted = {*told.given}, {*told.wanted}
        secret = {*self.asked} | {each for each in self.wanted if each.kind in ("value", "local")}
        own = asked | {each for each in wanted if each.kind in ("value", "local")}
        return (
            len(given & secret)
            + len(given & {*self.asked})
            + len(own & self.given)
            + sum(self.asked[each] for each in asked),
            len((wanted | asked) & (self.wanted | {*self.asked})),
        )


@dataclass(frozen=True)
class Kind:
    """One kind of exercise: one row of `KINDS`.

    ``candidates`` yields what an exercise of this kind may be about, the most telling first; ``asked`` the numbers
    that it then asks for; ``told`` what else of the calculation it gives or wants; ``possible`` decides, for kinds that
    find it out at some length, whether one of the candidates will do. ``make``: the exercise of one variant.
    ``numbers``: is it about numbers, and so not to be had of a problem that leaves symbols? ``mistakes``: may a file
    say which mistake is made in it?
    """

    name: str
    summary: str
    candidates: Callable[[Ground], Iterable[tuple[Scalar, ...]]]
    make: Callable[[Desk, Planned], Exercise]
    asked: Callable[[Ground, tuple[Scalar, ...]], tuple[Asked, ...]] = lambda ground, about: ()
    told: Callable[[Ground, tuple[Scalar, ...]], Told] = lambda ground, about: Told()
    possible: Callable[[Ground, tuple[Scalar, ...]], bool] = lambda ground, about: True
    numbers: bool = True
    mistakes: bool = False
    nothing: str = "there is nothing in this problem that it could ask about"


def named_in(kind: Kind, ground: Ground, of: Sequence[str], place: str) -> list[tuple[Scalar, ...]]:
    """What the exercises of a kind are about that somebody has chosen at ``place``, a file's key or an option.

    Raises ChainruleError for what it cannot ask about.
    """
    _check_numbers(kind, ground, place)
    by_scalar = {about[0]: about for about in kind.candidates(ground) if about and kind.possible(ground, about)}
    names = ground.derivation.names.typed
    result = []
    for name in of:
        try:
            scalar = ground.derivation.scalar(name)
        except ChainruleError as error:
            raise ChainruleError(f"{place}: {error}") from None
        if scalar not in by_scalar:
            known = [names[each.array, each.index] for each in by_scalar]
            words = unknown(name, known) if known else f"found {shown(name)}; it asks about nothing in particular"
            raise ChainruleError(f"{place}: {words}")
        result.append(by_scalar[scalar])
    return result


def chosen(kind: Kind, ground: Ground, count: int, sheet: Sheetful, place: str) -> list[tuple[Scalar, ...]]:
    """What the exercises of a kind are about where nobody has chosen: what gives nothing away on this sheet.

    Of what is as good in this the most telling. Raises ChainruleError where it has too few.
    """
    _check_numbers(kind, ground, place)
    candidates = list(islice(kind.candidates(ground), max(MOST_WEIGHED, 2 * count)))
    found: list[tuple[Scalar, ...]] = []
    while len(found) < count:
        left = [about for about in candidates if about not in found and (kind.name, about) not in sheet.about]
        costs = {about: _cost(kind, ground, about, sheet) for about in left}
        best = next((a for a in sorted(left, key=lambda about: costs[about]) if kind.possible(ground, a)), None)
        if best is None:
            break
        found.append(best)
        sheet.add(kind, ground, best)
    if not found:
        raise ChainruleError(f"{place}: {kind.nothing}")
    if len(found) < count:
        there = f"there {'is' if len(found) == 1 else 'are'} {len(found)}"
        raise ChainruleError(f"{place}: {count} are asked for, and {there}")
    return found


def _cost(kind: Kind, ground: Ground, about: tuple[Scalar, ...], sheet: Sheetful) -> tuple[int, ...]:
    """How bad a choice is: a gradient of 0, what gives something away, what is long, what is needed elsewhere too."""
    if not about:
        return ()
    given_away, shared = sheet.cost(kind, ground, about)
    back = any(fact.kind in BACK for fact in kind.asked(ground, about))
    return (back and _vanishes(ground, about[0]), given_away, back and _is_long(ground, about[0]), shared)


BACK = ("delta", "gradient", "updated")


def _check_numbers(kind: Kind, ground: Ground, place: str) -> None:
    if kind.numbers and not ground.derivation.has_numbers:
        raise ChainruleError(f"{place}: asks for numbers, and this problem leaves symbols without values")


MOST_WEIGHED = 24
"""So many candidates are weighed against what else is on the sheet."""


# ---- what exercises are about ------------------------------------------------------------------


def weights(ground: Ground) -> Iterator[tuple[Scalar, ...]]:
    """Parameters, layer after layer: of each array one whose gradient is not zero, then the others."""
    arrays = [name for name in ground.derivation.program.parameters if _is_weight(ground, name)]
    found = list(_in_turn([list(_alive(ground, name)) for name in arrays]))
    yield from sorted(found, key=lambda about: _is_long(ground, about[0]))


def parameters(ground: Ground) -> Iterator[tuple[Scalar, ...]]:
    """Weights first, then biases and whatever else is differentiated."""
    yield from weights(ground)
    rest = [name for name in ground.derivation.program.parameters if not _is_weight(ground, name)]
    yield from _in_turn([list(_alive(ground, name)) for name in rest])


def _is_weight(ground: Ground, name: str) -> bool:
    return ground.derivation.program.variables[name].role != "bias"


def nets(ground: Ground) -> Iterator[tuple[Scalar, ...]]:
    """Net inputs with an activation of their own: hidden layers first, the first units first."""
    known = [name for name in ground.outputs if any(True for _ in _alive(ground, name))]
    yield from _in_turn([list(_alive(ground, name)) for name in known])


def quantities(ground: Ground) -> Iterator[tuple[Scalar, ...]]:
    """What has a ∂E by it on the way back: net inputs, those of hidden layers first, else whatever is computed."""
    program = ground.derivation.program
    own = [v.name for v in program.by_role("net") if v.name in program.definitions]
    others = [e.target for e in program.equations if e.target not in (*own, program.error)]
    *hidden, last = own or [""]
    yield from _in_turn([list(_alive(ground, name)) for name in hidden])
    yield from _in_turn([list(_alive(ground, name)) for name in (last,) if name])
    yield from _in_turn([list(_alive(ground, name)) for name in others])


def values(ground: Ground) -> Iterator[tuple[Scalar, ...]]:
    """Values of the forward pass: outputs, then net inputs, then anything that is computed, the error last."""
    program = ground.derivation.program
    order = [*program.by_role("activation"), *program.by_role("net")]
    named = [variable.name for variable in order if variable.name in program.definitions]
    rest = [e.target for e in program.equations if e.target not in (*named, program.error)]
    yield from _in_turn([list(_elements(ground, name)) for name in [*named, *rest]])
    yield (Scalar(program.error, ()),)


def _in_turn(lists: Sequence[Sequence[Scalar]]) -> Iterator[tuple[Scalar, ...]]:
    """The first of each list, then the second of each, …"""
    for place in range(max(map(len, lists), default=0)):
        for each in lists:
            if place < len(each):
                yield (each[place],)


LONG = 14
"""A gradient that rests on more partial derivatives than these is not chosen where there is a shorter one."""


def _is_long(ground: Ground, scalar: Scalar) -> bool:
    """Does the way back to a quantity go over very many others?"""
    steps = ground.derivation.gradient_steps
    seen: set[Scalar] = set()
    waiting = [scalar]
    while waiting and len(seen) <= LONG:
        step = steps.get(waiting.pop())
        if step is None or step.target in seen:
            continue
        seen.add(step.target)
        waiting += [factor.by for term in step.terms for factor in term.factors if factor.local is None]
    return len(seen) > LONG


VANISHES = 1e-12
"""A gradient that is smaller is 0, or as good as 0."""


def _elements(ground: Ground, name: str) -> Iterator[Scalar]:
    for number, scalar in enumerate(ground.derivation.graph.scalars(name)):
        if number >= MOST_TRIED:
            return
        yield scalar


def _alive(ground: Ground, name: str) -> Iterator[Scalar]:
    """The elements on which the error depends, those first whose gradient is not zero as the problem stands."""
    steps = ground.derivation.gradient_steps
    reached = [each for each in _elements(ground, name) if each in steps and steps[each].terms]
    yield from sorted(reached, key=lambda each: _vanishes(ground, each))


def _vanishes(ground: Ground, scalar: Scalar) -> bool:
    """Is ∂E by a quantity 0, or as good as 0, as the problem stands?"""
    derivation = ground.derivation
    adjoint = derivation.gradient.adjoints.get(scalar.array)
    if not derivation.has_numbers or adjoint is None:
        return False
    return abs(float(derivation.enclosures.at(FIRST_BITS)[adjoint][scalar.index])) < VANISHES
