"""What verification has to reach, measured on networks and mistakes drawn at random."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any

import numpy as np
from injected import Answers, Network, Slip, answers
from injected_slips import drawn, slips
from right_runs import WAYS

import derive
from derive.derivation import Derivation
from derive.verification import judge as judging
from derive.verification.handed import Handed, of_mapping
from derive.verification.judge import judge
from derive.verification.precision import Precision
from derive.verification.report import Report
from derive.verification.search import Search

VISIBLE = 5e-3
"""A mistake that changes no number by this share of its array's largest is not asked to be seen at four digits."""

EXACTLY = 1e-9


# ---- what is drawn -------------------------------------------------------------------------

SHAPES = ((2, 2, 2), (3, 4, 2), (2, 3, 2), (3, 3, 3), (2, 3, 3, 2), (4, 2, 3), (2, 4, 1), (2, 2, 2, 2))


def networks(seed: int) -> Iterator[Network]:
    """Dense networks at random points: all activations, losses, batches, kinds of bias, with a penalty or none."""
    draw = np.random.default_rng(seed)
    while True:
        widths = SHAPES[draw.integers(len(SHAPES))]
        hidden = [str(draw.choice(["logistic", "tanh", "relu", "leaky_relu", "logistic"])) for _ in widths[2:]]
        output, loss = (
            ("logistic", "half_squared_error"),
            ("identity", "mean_squared_error"),
            ("tanh", "half_squared_error"),
            ("logistic", "binary_cross_entropy"),
            ("softmax", "categorical_cross_entropy"),
        )[draw.integers(5 if widths[-1] > 1 else 4)]
        yield drawn(
            int(draw.integers(2**31)),
            widths,
            (*hidden, output),
            loss,
            examples=int(draw.choice([1, 1, 2, 4])),
            over_examples=str(draw.choice(["sum", "mean"])),
            biases=(None, "shared", "per unit", "per unit")[draw.integers(4)],
            l2=float(draw.choice([0.0, 0.0, 0.0, 0.01])),
        )


@dataclass(frozen=True)
class Case:
    """A network, what somebody handed over who made these mistakes in it, and the right numbers."""

    network: Network
    slips: tuple[Slip, ...]
    handed: Answers
    right: Answers


def cases(seed: int, mistakes: int = 1) -> Iterator[Case]:
    """Networks with so many mistakes made in each: every identifier as likely as the others, each to be seen."""
    draw = np.random.default_rng([seed, mistakes])
    for network in networks(seed):
        by_name: dict[str, list[Slip]] = {}
        for slip in slips(network):
            by_name.setdefault(slip.mistake, []).append(slip)
        names = draw.choice(sorted(by_name), size=mistakes, replace=False)
        chosen = tuple(by_name[str(name)][draw.integers(len(by_name[str(name)]))] for name in names)
        case = made(network, chosen)
        if case is not None:
            yield case


def made(network: Network, chosen: tuple[Slip, ...]) -> Case | None:
    """The mistakes made; None where one of them cannot be seen in the numbers, or makes them infinite."""
    with np.errstate(all="ignore"):
        right, handed = answers(network), answers(network, *chosen)
        others = [right] if len(chosen) == 1 else [answers(network, slip) for slip in chosen]
    if not all(np.isfinite(value).all() for name, value in handed.items() if name != "E"):
        return None
    seen = all(_differ(handed, other) > VISIBLE for other in (right, *others))
    return Case(network, chosen, handed, right) if seen else None


def _differ(one: Answers, other: Answers) -> float:
    """By how much the arrays differ, as a share of the largest element of each."""
    names = [name for name in one if name != "E"]
    return max(float(np.max(np.abs(one[n] - other[n])) / max(float(np.max(np.abs(other[n]))), 1e-12)) for n in names)


# ---- what is handed over -------------------------------------------------------------------


@lru_cache(maxsize=4)
def derivation_of(network: Network) -> Derivation:
    """A network's derivation, made once while its cases are tried."""
    return derive.differentiate(network.problem)


def printed(values: Any, digits: int | None) -> Any:
    """Numbers as they are written to so many significant digits; None: every digit of the float."""
    array = np.asarray(values, dtype=np.float64)
    text = np.frompyfunc(lambda x: repr(float(x)) if digits is None else f"{x:.{digits - 1}e}", 1, 1)
    return np.asarray(text(array), dtype=object).tolist()


def handed_over(network: Network, values: Answers, digits: int | None, *, error: bool = False) -> Handed:
    written = {name: printed(value, digits) for name, value in values.items() if error or name != "E"}
    return of_mapping(written, derivation_of(network), "gradient", "handed")


def judged(case: Case, digits: int | None = 4) -> Report:
    return judge(derivation_of(case.network), [({}, handed_over(case.network, case.handed, digits))])


# ---- what comes out ------------------------------------------------------------------------


def outcome(case: Case, report: Report) -> str:
    """ "named": the mistakes are among the explanations; "alone": and no other is; else what went wrong."""
    if report.verdict != "wrong":
        return f"not seen: {report.verdict}"
    wanted = sorted((slip.mistake, str(slip.layer)) for slip in case.slips)
    found = [sorted((name, str(layer)) for name, layer in each.mistakes) for each in report.diagnosis]
    if wanted not in found:
        return "missed" if found else "not named"
    return "alone" if len(found) == 1 else "named"


def measured(seed: int, count: int, mistakes: int = 1, digits: int | None = 4) -> Counter[str]:
    """How often the mistakes are named right."""
    found: Counter[str] = Counter()
    stream = cases(seed, mistakes)
    for _ in range(count):
        case = next(stream)
        result = outcome(case, judged(case, digits))
        found["named" if result == "alone" else result] += 1
    return found


def taken_out(case: Case, digits: int | None = 4) -> Sequence[tuple[tuple[str, Any], ...]]:
    """What is named once everything that truly explains the numbers is taken out of the family: all of it wrongly."""
    derivation = derivation_of(case.network)
    base = judging.base_sheet(derivation)
    exact = judging.point(derivation, base, {}, handed_over(case.network, case.handed, None), None)
    whole = judging._mistakes(derivation, False)
    rest = [each for each in whole if not _equal(exact.numbers_of(each.sheet), exact.yours)]
    rest = [each for each in rest if each.edit.mistake not in {slip.mistake for slip in case.slips}]
    point = judging.point(derivation, base, {}, handed_over(case.network, case.handed, digits), None)
    return [tuple(edit.key for edit in edits) for edits in Search([point], rest).single()]


def _equal(found: Any, given: Any) -> bool:
    return bool((np.abs(found - given) <= EXACTLY * np.max(np.abs(given))).all())


# ---- right numbers -------------------------------------------------------------------------


def flagged(seed: int, count: int, way: str) -> list[tuple[Network, Report]]:
    """The right runs among so many that are not verified."""
    given = Precision("float32") if way.endswith("32") else Precision("float64")
    found = []
    for network in islice(networks(seed), count):
        handed = handed_over(network, WAYS[way](network), None, error=True)
        report = judge(derivation_of(network), [({}, handed)], given)
        if report.verdict != "verified":
            found.append((network, report))
    return found


def flagged_in_print(seed: int, count: int) -> list[tuple[Network, str, Report]]:
    """The right numbers, printed to so many digits or decimals, that are called wrong."""
    draw = np.random.default_rng(seed)
    found = []
    for network in islice(networks(seed), count):
        places, kind = int(draw.integers(2, 7)), str(draw.choice(["sf", "dp"]))
        right = answers(network)
        texts = {n: _written(v, places, kind) for n, v in right.items() if n != "E"}
        handed = of_mapping(texts, derivation_of(network), "gradient", "handed")
        for given in (None, Precision(kind, places)):
            report = judge(derivation_of(network), [({}, handed)], given)
            if report.verdict == "wrong":
                found.append((network, f"{places}{kind} {given}", report))
    return found


def _written(values: Any, places: int, kind: str) -> Any:
    form = f".{places}f" if kind == "dp" else f"#.{places}g"
    text = np.frompyfunc(lambda x: f"{x:{form}}", 1, 1)
    return np.asarray(text(np.asarray(values, dtype=np.float64)), dtype=object).tolist()
