"""What a kind of exercise is: its name, how it chooses what it asks about, and how it makes one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from derive.errors import ChainruleError, shown, unknown
from derive.evaluate.balls import FIRST_BITS
from derive.scalars import Scalar
from derive.variants.asked import Asked
from render.exercises.desk import Desk, Ground, Planned
from render.exercises.model import Exercise

MOST_TRIED = 40
"""So many elements of an array are looked at for one that teaches something."""


@dataclass(frozen=True)
class Kind:
    """One kind of exercise: one row of `KINDS`.

    ``candidates`` yields what an exercise of this kind may be about, the most telling first; ``asked`` the numbers
    that it then asks for; ``make`` the exercise of one variant. ``numbers``: is it about numbers, and so not to be had
    of a problem that leaves symbols? ``mistakes``: may a file say which mistake is made in it?
    """

    name: str
    summary: str
    candidates: Callable[[Ground], Iterable[tuple[Scalar, ...]]]
    make: Callable[[Desk, Planned], Exercise]
    asked: Callable[[Ground, tuple[Scalar, ...]], tuple[Asked, ...]] = lambda ground, about: ()
    numbers: bool = True
    mistakes: bool = False
    nothing: str = "there is nothing in this problem that it could ask about"


def chosen(kind: Kind, ground: Ground, of: Sequence[str], count: int, place: str) -> list[tuple[Scalar, ...]]:
    """What the exercises of a kind are about: the quantities named in ``of``, else its own first choices.

    ``place`` is where they are asked for, a file's key or an option. Raises ChainruleError for a name that it cannot ask about, and where it has too few.
    """
    if kind.numbers and not ground.derivation.has_numbers:
        raise ChainruleError(f"{place}: asks for numbers, and this problem leaves symbols without values")
    found = list(_first(kind.candidates(ground), max(count, 1) if not of else None))
    if not found:
        raise ChainruleError(f"{place}: {kind.nothing}")
    if not of:
        if len(found) < count:
            there = f"there {'is' if len(found) == 1 else 'are'} {len(found)}"
            raise ChainruleError(f"{place}: {count} are asked for, and {there}")
        return found
    by_scalar = {about[0]: about for about in found if about}
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


def _first(candidates: Iterable[tuple[Scalar, ...]], count: int | None) -> Iterator[tuple[Scalar, ...]]:
    for number, about in enumerate(candidates):
        if count is not None and number >= count:
            return
        yield about


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
    """What has a ∂E by it on the way back: net inputs, else whatever is computed."""
    program = ground.derivation.program
    own = [v.name for v in program.by_role("net") if v.name in program.definitions]
    others = [e.target for e in program.equations if e.target not in (*own, program.error)]
    yield from _in_turn([list(_alive(ground, name)) for name in own])
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


def _elements(ground: Ground, name: str) -> Iterator[Scalar]:
    for number, scalar in enumerate(ground.derivation.graph.scalars(name)):
        if number >= MOST_TRIED:
            return
        yield scalar


def _alive(ground: Ground, name: str) -> Iterator[Scalar]:
    """The elements on which the error depends, those first whose gradient is not zero as the problem stands."""
    derivation = ground.derivation
    reached = [each for each in _elements(ground, name) if each in derivation.gradient_steps]
    if not derivation.has_numbers or name not in derivation.gradient.adjoints:
        yield from reached
        return
    gradients = derivation.enclosures.at(FIRST_BITS)[derivation.gradient.adjoints[name]]
    yield from sorted(reached, key=lambda each: bool(gradients[each.index] == 0))
