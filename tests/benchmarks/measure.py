"""Medians of short and of long runs, and a table of them beside their aims."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Run = Callable[[], object]


@dataclass(frozen=True)
class Row:
    """One measurement: what was measured, the number found, its unit, and the aim (None: told for comparison)."""

    what: str
    found: float
    unit: str
    aim: float | None = None

    @property
    def verdict(self) -> str:
        if self.aim is None:
            return ""
        return "within the aim" if self.found <= self.aim else f"{self.found / self.aim:.2f} times the aim"


def once(run: Run) -> float:
    """Seconds that one run takes, garbage aside."""
    gc.collect()
    gc.disable()
    try:
        start = time.perf_counter()
        run()
        return time.perf_counter() - start
    finally:
        gc.enable()


def seconds(run: Run, *, repeat: int = 7, number: int = 1) -> float:
    """The median of ``repeat`` measurements of ``number`` runs each, for one run; the first run is not counted."""
    run()

    def several() -> None:
        for _ in range(number):
            run()

    return statistics.median(once(several) for _ in range(repeat)) / number


def side_by_side(first: Run, second: Run, *, repeat: int = 15, number: int = 1) -> tuple[float, float, float]:
    """Both medians, and the median ratio of measurements taken in turn: what slows the machine slows both."""
    first()
    second()
    pairs = []
    for _ in range(repeat):
        pairs.append(tuple(once(lambda run=run: [run() for _ in range(number)]) / number for run in (first, second)))  # type: ignore[misc]
    return (
        statistics.median(a for a, _ in pairs),
        statistics.median(b for _, b in pairs),
        statistics.median(a / b for a, b in pairs),
    )


def print_rows(rows: Sequence[Row]) -> None:
    width = max(len(row.what) for row in rows)
    print(f"{'':{width}}  {'found':>12}  {'aim':>12}")
    for row in rows:
        aim = "" if row.aim is None else f"{row.aim:.4g} {row.unit}"
        print(f"{row.what:{width}}  {f'{row.found:.3g} {row.unit}':>12}  {aim:>12}  {row.verdict}".rstrip())
