"""The paths by which a quantity acts on the error, and the factors of the chain rule along them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from derive.derivation import Derivation
from derive.scalars import Scalar
from render.exercises.desk import Ground
from render.exercises.kind import nets, weights

Path = tuple[Scalar, ...]
Link = tuple[Scalar | None, Scalar]
"""∂of/∂by; None for the error."""

MOST_PATHS = 200


def paths(derivation: Derivation, start: Scalar) -> list[Path]:
    """Every path from a quantity to the error, the quantity first; of very many the first `MOST_PATHS`."""
    return list(islice(_walk(derivation, start), MOST_PATHS))


def _walk(derivation: Derivation, start: Scalar) -> Iterator[Path]:
    error = derivation.program.error
    if start.array == error:
        yield (start,)
        return
    step = derivation.gradient_steps.get(start)
    for term in step.terms if step is not None else ():
        following = term.factors[-1].of
        for rest in _walk(derivation, following):
            yield (start, *rest) if _counts(derivation, start) else rest


def _counts(derivation: Derivation, scalar: Scalar) -> bool:
    """The error of one output is a stage of its own only where nothing else is between output and error."""
    return derivation.program.variables[scalar.array].role != "output_error"


def links(path: Path) -> tuple[Link, ...]:
    """The factors along a path, from the error back: ∂E/∂out, ∂out/∂net, ∂net/∂w."""
    pairs = list(zip(path[1:], path, strict=False))[::-1]
    return tuple((None if number == 0 else of, by) for number, (of, by) in enumerate(pairs))


def factors_of(derivation: Derivation, start: Scalar) -> tuple[Link, ...]:
    """∂E/∂start as one product: the way up as long as it does not branch, then ∂E by where it branches."""
    found: list[Link] = []
    scalar = start
    while True:
        step = derivation.gradient_steps.get(scalar)
        following = {term.factors[-1].of for term in step.terms} if step is not None else set()
        if len(following) != 1:
            break
        (of,) = following
        if derivation.program.variables[of.array].role in ("output_error", "error"):
            break
        found.append((of, scalar))
        scalar = of
    return ((None, scalar), *found[::-1])


def single_products(ground: Ground) -> Iterator[tuple[Scalar, ...]]:
    """Weights, else net inputs, whose gradient is one product of three factors or more; else of two."""
    for least in (3, 2):
        found = [
            about
            for source in (weights, nets)
            for about in source(ground)
            if len(factors_of(ground.derivation, about[0])) >= least
        ]
        if found:
            yield from found
            return


def long_paths(ground: Ground) -> Iterator[tuple[Scalar, ...]]:
    """Weights, else net inputs, that lie three factors or more from the error, the farthest first."""
    found = [about for source in (weights, nets) for about in source(ground) if about]
    lengths = {about: len(next(_walk(ground.derivation, about[0]), ())) for about in found}
    yield from sorted((about for about in found if lengths[about] > 3), key=lambda about: -lengths[about])


def branching(ground: Ground) -> Iterator[tuple[Scalar, ...]]:
    """Weights, else net inputs, that act on the error along several paths, few enough to be listed."""
    for source in (weights, nets):
        for about in source(ground):
            if 2 <= len(paths(ground.derivation, about[0])) <= MOST_LISTED:
                yield about


MOST_LISTED = 8
