"""Why there are no such variants, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from derive.derivation import Derivation
from derive.errors import ProblemError
from derive.notation import plain_name
from derive.scalars import Scalar
from derive.variants.asked import Asked
from derive.verification.edit import Edit
from derive.verification.precision import Precision

Pair = tuple[Edit | None, Edit | None]


@dataclass(frozen=True)
class Reason:
    """Why a draw will not do.

    ``kind``: "saturated" (a unit), "kink", "vanishes" (an answer), "told" (two values of an answer that cannot be told
    apart; None is the right one), or "hidden" (no known mistake shows in an answer).
    """

    kind: str
    of: Asked | Scalar | None = None
    pair: Pair = (None, None)


def impossible(derivation: Derivation, carry: Precision, refused: Counter[Reason], tried: int) -> ProblemError:
    """That none of so many draws will do, with the reason by which most of them failed."""
    if not refused:
        return _said(derivation, "nothing can be drawn")
    ((reason, count),) = refused.most_common(1)
    words = _words(derivation, reason, carry)
    if reason.kind != "hidden":
        of_all = "in every one" if count == tried else f"in {count:,} of them"
        words = f"of {tried:,} draw{'s' * (tried > 1)} none will do: {words} ({of_all})"
    return _said(derivation, f"{words}; {REMEDIES[reason.kind]}")


REMEDIES = {
    "saturated": "make the ranges of [vary] smaller",
    "kink": "widen the ranges of [vary], or carry more digits",
    "vanishes": "widen the ranges of [vary], ask for another number, or carry more digits",
    "told": "widen the ranges of [vary], or carry more digits",
    "hidden": "carry more digits, widen the ranges of [vary], or ask for another number",
}


def too_few(derivation: Derivation, there: int, wanted: int) -> ProblemError:
    """That there are fewer variants than were asked for."""
    words = f"there {'is' if there == 1 else 'are'} {there:,} with the ranges of [vary], and {wanted:,} were asked for"
    return _said(derivation, f"{words}; vary more numbers, over wider ranges or with more decimals")


def unchanged(derivation: Derivation, varied: Sequence[str]) -> ProblemError:
    """That the variants would all have the same answers."""
    words = f"none of the numbers asked for depends on what varies ({', '.join(varied)})"
    return _said(derivation, f"{words}; vary something else too, or ask for another number")


def beyond(derivation: Derivation, asked: Asked) -> ProblemError:
    """That a number is too large or too small to be asked for."""
    words = f"{asked_name(derivation, asked)} is beyond 1e±280, and nobody is asked for such numbers"
    return ProblemError(f"exercises: {words}", derivation.problem.source or "the problem")


def _said(derivation: Derivation, message: str) -> ProblemError:
    return ProblemError(f"no such variants: {message}", derivation.problem.source or "the problem")


def _words(derivation: Derivation, reason: Reason, carry: Precision) -> str:
    digits = f"{carry.places} {'significant digits' if carry.kind == 'sf' else 'decimals'}"
    if isinstance(reason.of, Scalar):
        return f"{_name(derivation, reason.of)} is saturated"
    if reason.of is None:
        return f"a net input lies within a rounding of its activation's kink at {digits}"
    name = asked_name(derivation, reason.of)
    match reason.kind:
        case "vanishes":
            return f"{name} has no two digits left that are sure when {digits} are carried"
        case "hidden":
            one = _edit(reason.pair[0])
            return f"in {name} no known mistake can be told from the right value when {digits} are carried, not {one}"
    if reason.pair == (None, None):
        return f"values of known mistakes cannot be told apart in {name} when {digits} are carried"
    one, other = (_edit(each) for each in reason.pair)
    return f"{one} and {other} cannot be told apart in {name} when {digits} are carried"


def _edit(edit: Edit | None) -> str:
    if edit is None:
        return "the right value"
    layer = "" if edit.layer == "all" else f" in layer {edit.layer}"
    return f"{edit.mistake}{layer}" + (f" ({edit.variant})" if edit.variant else "")


def _name(derivation: Derivation, scalar: Scalar) -> str:
    if scalar.array not in derivation.program.variables:
        return f"{scalar.array}{list(scalar.index)}"
    return plain_name(derivation.names.element(scalar.array, scalar.index))


def asked_name(derivation: Derivation, asked: Asked) -> str:
    """How a message calls what is asked."""
    name = _name(derivation, asked.scalar)
    return {
        "value": name,
        "delta": f"dE/d{name}",
        "gradient": f"dE/d{name}",
        "updated": f"{name}+",
        "local": f"the derivative of the activation at {name}",
    }[asked.kind]
