"""Running somebody's code or program in a process of its own, with an end: nothing that it does takes us down."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from derive.errors import ChainruleError, MissingDependency, printable

if TYPE_CHECKING:
    from derive.verification.runner import Task

MOST_OUTPUT = 64 * 1024 * 1024
"""A program that prints more than so many bytes is not read."""

START = "import sys; sys.path.insert(0, {root!r}); from derive.verification.runner import main; main(*sys.argv[1:])"


class RunError(ChainruleError):
    """What ran did not come to an end, or ended badly: a sentence about it."""


def run_task(task: Task, timeout: float) -> dict[str, Any]:
    """The result of a task. Raises RunError, MissingDependency, and ChainruleError for what is not there."""
    root = str(Path(__file__).resolve().parents[2])
    with tempfile.TemporaryDirectory(prefix="chainrule-") as folder:
        given, result = Path(folder, "task"), Path(folder, "result.json")
        given.write_bytes(pickle.dumps(task))
        command = [sys.executable, "-P", "-c", START.format(root=root), str(given), str(result)]
        called = f"{task.path}: {task.name}" if task.name else task.path
        status = _ended(command, called, timeout, None, subprocess.DEVNULL, subprocess.DEVNULL)
        if not result.exists():
            raise RunError(f"{called} {_left(status)} before it gave a result")
        found: dict[str, Any] = json.loads(result.read_text("utf-8"))
    if "absent" in found:
        raise ChainruleError(printable(found["absent"]))
    if "missing" in found:
        raise MissingDependency(found["missing"])
    if "failure" in found:
        raise RunError(printable(found["failure"]))
    return found


def run_program(command: Sequence[str], text: str, timeout: float) -> str:
    """What a program prints when it is given a text on standard input. Raises RunError and ChainruleError."""
    called = printable(" ".join(command))
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as wrong, tempfile.TemporaryFile() as given:
        given.write(text.encode())
        given.seek(0)
        status = _ended(command, called, timeout, given, said, wrong)
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


def _ended(command: Sequence[str], called: str, timeout: float, given: Any, said: Any, wrong: Any) -> int:
    """The exit status of a process and of nothing that it leaves behind: past the time all its group is ended."""
    source = subprocess.DEVNULL if given is None else given
    try:
        process = subprocess.Popen(command, stdin=source, stdout=said, stderr=wrong, start_new_session=True)
    except OSError as error:
        raise ChainruleError(f"{called}: cannot be run: {error.strerror or error}") from None
    try:
        return process.wait(timeout)
    except subprocess.TimeoutExpired:
        raise RunError(f"{called} did not end within {timeout:g} s") from None
    finally:
        _end_group(process)


def _end_group(process: subprocess.Popen[bytes]) -> None:
    with suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:  # where there are no groups
            process.kill()
    process.wait()


def _left(status: int) -> str:
    if status >= 0:
        return f"ended with status {status}"
    with suppress(ValueError):
        return f"was ended by the signal {signal.Signals(-status).name}"
    return f"was ended by the signal {-status}"
