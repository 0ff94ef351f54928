"""Running somebody's code or program in a process of its own, with an end: nothing that it does takes us down."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from derive.errors import ChainruleError, MissingDependency, printable

if TYPE_CHECKING:
    from derive.verification.runner import Task

MOST_OUTPUT = 64 * 1024 * 1024
"""A program that prints more than so many bytes is not read."""

SECONDS_TO_DIE = 0.5
"""So long processes are waited for that were killed: until then they may still write."""

SECONDS_TO_START = 120.0
"""So long a child may take until it comes to the user's code: frameworks are large."""

START = "import sys; sys.path.insert(0, {root!r}); from derive.verification.runner import main; main(*sys.argv[1:])"


class RunError(ChainruleError):
    """What ran did not come to an end, or ended badly: a sentence about it."""


def run_task(task: Task, timeout: float) -> dict[str, Any]:
    """The result of a task. Raises RunError, MissingDependency, and ChainruleError for what is not there."""
    root = str(Path(__file__).resolve().parents[2])
    with tempfile.TemporaryDirectory(prefix="chainrule-", ignore_cleanup_errors=True) as folder:
        given, result, started = Path(folder, "task"), Path(folder, "result.json"), Path(folder, "started")
        given.write_bytes(pickle.dumps(replace(task, started=str(started))))
        command = [sys.executable, "-P", "-c", START.format(root=root), str(given), str(result)]
        called = f"{task.path}: {task.name}" if task.name else task.path
        status = _ended(command, called, Clock(timeout, started), Streams())
        if not result.exists():
            raise RunError(f"{called} {_left(status)} before it gave a result")
        found: dict[str, Any] = json.loads(result.read_text("utf-8"))
    if "defect" in found:
        raise RuntimeError(found["defect"])
    if "absent" in found:
        raise ChainruleError(printable(found["absent"]))
    if "missing" in found:
        raise MissingDependency(found["missing"])
    if "failure" in found:
        raise RunError(printable(found["failure"]))
    return found


def run_program(command: Sequence[str], text: str, timeout: float) -> str:
    """What a program prints when it is given a text on standard input. Raises RunError and ChainruleError."""
    called = f"cmd:{printable(' '.join(command))}"
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as wrong, tempfile.TemporaryFile() as given:
        given.write(text.encode())
        given.seek(0)
        status = _ended(command, called, Clock(timeout), Streams(given, said, wrong))
        if status:
            wrong.seek(0)
            last = wrong.read(100_000).decode("utf-8", "replace").strip().splitlines()[-1:]
            raise RunError(f"{called} {_left(status)}" + (f": {printable(last[0])}" if last else ""))
        said.seek(0, os.SEEK_END)
        if said.tell() > MOST_OUTPUT:
            raise RunError(f"{called} printed more than {MOST_OUTPUT // 2**20} MB")
        said.seek(0)
        try:
            return said.read().decode("utf-8-sig")
        except UnicodeDecodeError:
            raise RunError(f"{called} printed what is not UTF-8 text") from None


@dataclass(frozen=True)
class Clock:
    """So many seconds, counted from the moment at which a file is there, if one is named."""

    seconds: float
    started: Path | None = None

    def wait(self, process: subprocess.Popen[bytes]) -> int:
        """The exit status. Raises subprocess.TimeoutExpired."""
        ends = time.monotonic() + SECONDS_TO_START
        while self.started is not None and not self.started.exists() and time.monotonic() < ends:
            with suppress(subprocess.TimeoutExpired):
                return process.wait(0.02)
        return process.wait(self.seconds)


@dataclass(frozen=True)
class Streams:
    """Where a process reads and writes."""

    given: Any = subprocess.DEVNULL
    said: Any = subprocess.DEVNULL
    wrong: Any = subprocess.DEVNULL


def _ended(command: Sequence[str], called: str, clock: Clock, streams: Streams) -> int:
    """The exit status of a process; past its time all its group is ended, and nothing of it is left behind."""
    try:
        process = subprocess.Popen(
            command, stdin=streams.given, stdout=streams.said, stderr=streams.wrong, start_new_session=True
        )
    except OSError as error:
        raise ChainruleError(f"{called}: cannot be run: {error.strerror or error}") from None
    try:
        return clock.wait(process)
    except subprocess.TimeoutExpired:
        raise RunError(f"{called} did not end within {clock.seconds:g} s") from None
    finally:
        _end_group(process)


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and all that it has started, and wait until none of them writes any more."""
    if not hasattr(os, "killpg"):  # where there are no groups
        with suppress(OSError):
            process.kill()
        process.wait()
        return
    ends = time.monotonic() + SECONDS_TO_DIE
    with suppress(OSError):  # nobody is left
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        while time.monotonic() < ends:
            os.killpg(process.pid, signal.SIGKILL)
            time.sleep(0.005)
    process.wait()


def _left(status: int) -> str:
    if status >= 0:
        return f"ended with status {status}"
    with suppress(ValueError):
        return f"was ended by the signal {signal.Signals(-status).name}"
    return f"was ended by the signal {-status}"
