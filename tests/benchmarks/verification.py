"""The table of `chainrule verify` beside other checkers of gradients: python -m tests.benchmarks.verification.

All of them are given the same code for the same networks, drawn from a seed. Takes about a quarter of an hour; the
README's table is that of --count 300 --pairs 100 --runs 10000.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # the witnesses stand beside the tests, which are no package

import bars
from bars import Case, cases, networks
from injected_slips import MAZUR
from right_runs import WAYS

import derive
from tests.benchmarks.measure import seconds
from tests.benchmarks.peers import PEERS, Code, chainrule, consistent

Line = tuple[str, list[str]]
"""What was measured, and what was found for each checker; "" where it is not asked."""

OURS = next(iter(PEERS))


def right_code(seed: int, count: int) -> Iterator[Line]:
    """Right gradients that are called wrong, in float64 and in float32."""
    for single in (False, True):
        codes = [Code(network, (), single) for network in islice(networks(seed), count)]
        flagged = [_of(count - sum(passes(code) for code in codes), count) for passes in PEERS.values()]
        yield f"right float{32 if single else 64} gradients called wrong", flagged


def wrong_code(seed: int, count: int) -> Iterator[Line]:
    """Mistakes that are seen and named: in the gradient alone, and in a network whose gradient agrees with itself."""
    kinds: dict[str, Callable[[Case], bool]] = {
        "mistakes in the gradient": lambda case: bool(case.handed["E"] == case.right["E"]),
        "wrong networks whose gradient is that of their own error": lambda case: consistent(
            Code(case.network, case.slips)
        ),
    }
    for what, wanted in kinds.items():
        chosen = list(islice(filter(wanted, cases(seed)), count))
        codes = [Code(case.network, case.slips) for case in chosen]
        reports = [chainrule(code) for code in codes]
        seen = {name: sum(not passes(code) for code in codes) for name, passes in PEERS.items() if name != OURS}
        ours = sum(report.verdict == "wrong" for report in reports)
        yield f"{what}, seen", [_of(ours, count), *(_of(each, count) for each in seen.values())]
        results = Counter(bars.outcome(case, report) for case, report in zip(chosen, reports, strict=True))
        yield "… and named", _alone(_of(results["named"] + results["alone"], count))


def on_paper(seed: int, count: int) -> Iterator[Line]:
    """What is named where all there is are the numbers, to four significant digits."""
    found = bars.measured(seed, count)["named"]
    yield "named from the gradient's numbers alone, at 4 significant digits", _alone(_of(found, count))
    wrongly = sum(bool(bars.taken_out(case)) for case in islice(cases(seed), count))
    yield "another mistake named, the true one taken out of the family", _alone(_of(wrongly, count))


def right_runs(seed: int, count: int) -> Iterator[Line]:
    """Right gradients as the frameworks compute them, at the precision of their type: so many over all ways."""
    each = -(-count // len(WAYS))
    found = sum(len(bars.flagged(seed + place, each, way)) for place, way in enumerate(WAYS))
    ways = ", ".join(dict.fromkeys(way.partition(" ")[0] for way in WAYS))
    yield f"right runs of {ways} called wrong", _alone(_of(found, each * len(WAYS)))


def times() -> Iterator[Line]:
    """A check of the 2-2-2 network, all imports done."""
    code = Code(MAZUR)
    found = [seconds(lambda passes=passes: passes(code), repeat=9) for passes in PEERS.values()]  # type: ignore[misc]
    yield "median time of a check of 2-2-2", [_milliseconds(each) for each in found]
    wrong = (case for case in cases(1) if case.network.inputs.shape == (1, 2) and len(case.handed) <= 5)
    codes = [Code(case.network, case.slips) for case in islice(wrong, 9)]
    took = statistics.median(map(_duration, codes))
    yield "… of wrong code for networks as small, with the explanation", _alone(_milliseconds(took))
    took = seconds(lambda: derive.verify(MAZUR.problem, UNEXPLAINED), repeat=9)
    yield "… of numbers that no mistake and no two explain, after all pairs", _alone(_milliseconds(took))


UNEXPLAINED = {
    "W1": [["0.0014616", "0.0039231"], ["0.0015810", "0.0031620"]],
    "W2": [["0.05217", "0.06267"], ["-0.01260", "-0.03274"]],
}
"""Gradients of the article's network by which nothing is said: the search has to go to its end."""


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1e3:#.2g}".rstrip(".") + " ms" if seconds < 0.0995 else f"{seconds * 1e3:.0f} ms"


def _duration(code: Code) -> float:
    start = time.perf_counter()
    chainrule(code)
    return time.perf_counter() - start


def pairs(seed: int, count: int) -> Iterator[Line]:
    """Two mistakes at once, named together."""
    yield "two mistakes at once named together, at 4 digits", _alone(_of(bars.measured(seed, count, 2)["named"], count))


def _of(found: int, count: int) -> str:
    return f"{found:,} of {count:,}"


def _alone(found: str) -> list[str]:
    return [found, *("" for _ in PEERS if _ != OURS)]


def print_table(lines: Sequence[Line]) -> None:
    """As Markdown."""
    print("|  |", " | ".join(PEERS), "|")
    print("| --- |", " | ".join("--:" for _ in PEERS), "|")
    for what, found in lines:
        print(f"| {what} |", " | ".join(each or "–" for each in found), "|")


def main() -> None:
    """The table, or the parts of it that are asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.verification", description=__doc__)
    parser.add_argument("--count", type=int, default=200, help="networks or mistakes for each line (default: 200)")
    parser.add_argument("--pairs", type=int, default=50, help="pairs of mistakes (default: 50)")
    parser.add_argument("--runs", type=int, default=1200, help="right runs over all frameworks (default: 1200)")
    parser.add_argument("--seed", type=int, default=2024)
    known = ("right_code", "wrong_code", "on_paper", "right_runs", "times", "pairs")
    parser.add_argument("--only", choices=known, nargs="*", default=known, help="these parts of it alone")
    asked = parser.parse_args()
    warnings.filterwarnings("ignore", message="Input #0 requires gradient and is not a double")  # known, and measured
    parts: dict[str, Callable[[], Iterator[Line]]] = {
        "right_code": lambda: right_code(asked.seed, asked.count),
        "wrong_code": lambda: wrong_code(asked.seed, asked.count),
        "on_paper": lambda: on_paper(asked.seed, asked.count),
        "right_runs": lambda: right_runs(asked.seed, asked.runs),
        "times": times,
        "pairs": lambda: pairs(asked.seed, asked.pairs),
    }
    lines: list[Line] = []
    for name in asked.only:
        start = time.perf_counter()
        print(f"{name.replace('_', ' ')} …", end=" ", file=sys.stderr, flush=True)
        lines += parts[name]()
        print(f"{time.perf_counter() - start:.0f} s", file=sys.stderr)
    print_table(lines)


if __name__ == "__main__":
    main()
