"""How fast a class's sheets are made, and how that grows: `python -m tests.benchmarks.handout 10 100 1000 10000`."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from tests.benchmarks.measure import Row, print_rows

ROOT = Path(__file__).parents[2]
COUNTS = (10, 100, 300)
AIM = 30  # PDF sheets a second on two cores
KINDS = {"sheets alone": ("--solutions", "none"), "sheets with solutions": (), "… and in one file each": ("--combine",)}


def run(count: int, *options: str) -> tuple[float, float]:
    """Seconds that a class takes, and seconds of all processors, as the command that a lecturer gives."""
    with tempfile.TemporaryDirectory() as folder:
        line = ["-m", "render.cli", "handout", "mazur", "--variants", str(count), "--out", f"{folder}/class", *options]
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        subprocess.run([sys.executable, *line], env=environment, check=True, capture_output=True)
        took, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return took, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def classes(counts: Sequence[int] = COUNTS) -> Iterator[Row]:
    """Sheets a second without and with solutions; what each further sheet costs; how time grows with the class."""
    cores = len(os.sched_getaffinity(0))
    for what, options in KINDS.items():
        times = []
        for count in counts:
            took, processor = run(count, *options)
            times.append(took)
            yield Row(f"{what}: a class of {count} on {cores} cores", took, "s")
            yield Row("… in processor seconds", processor, "s")
        further = (times[-1] - times[0]) / (counts[-1] - counts[0])
        yield Row("… each further student", further * 1e3, "ms", 1e3 / AIM)
        yield Row("… sheets a second, once it runs", 1 / further, "")
        if len(counts) > 2:
            slope, _ = np.polyfit(np.log(counts[1:]), np.log(times[1:]), 1)
            yield Row("… and it grows with the class to the power", float(slope), "", 1.05)


if __name__ == "__main__":
    print_rows(list(classes([int(each) for each in sys.argv[1:]] or COUNTS)))
