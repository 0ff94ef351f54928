"""Processes that work through a list of numbers: each is warm once, one that dies takes one number with it."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import sys
import threading
import traceback
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, Self

from derive.errors import ChainruleError
from render.handout.storing import WritingStoppedError

THREADED = ("typst", "jax")
"""Libraries whose threads nobody counts."""

AHEAD = 2  # numbers that a worker has at once, so that it never waits for the next


@dataclass(frozen=True)
class Outcome:
    """What became of one number: done, or what went wrong; ``stops`` where nothing else can be done either."""

    number: int
    problem: str = ""
    stops: bool = False


@dataclass
class _Worker:
    process: Any  # a Process of whichever start method
    pipe: Connection
    given: deque[int] = field(default_factory=deque)


class Crew:
    """Some processes that all do the same; ``do`` has to be picklable where processes are not forked."""

    def __init__(self, do: Callable[[int], None], workers: int, method: str = "") -> None:
        self._do = do
        self._context: Any = multiprocessing.get_context(method or start_method())
        self._count = workers
        self._workers: list[_Worker] = []

    def __enter__(self) -> Self:
        try:
            for _ in range(self._count):
                self._workers.append(self._hired())
        except BaseException:
            self._dismiss()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._dismiss()

    def outcomes(self, numbers: Iterable[int]) -> Iterator[Outcome]:
        """What becomes of each number, as soon as it is known."""
        waiting = deque(numbers)
        for worker in list(self._workers) * AHEAD:
            self._give(worker, waiting)
        while busy := [worker for worker in self._workers if worker.given]:
            ready = wait([worker.pipe for worker in busy])
            for worker in [each for each in busy if each.pipe in ready]:
                try:
                    outcome: Outcome = worker.pipe.recv()
                    worker.given.popleft()
                except (EOFError, OSError):
                    yield self._replaced(worker, waiting)
                else:
                    self._give(worker, waiting)
                    yield outcome

    def _give(self, worker: _Worker, waiting: deque[int]) -> None:
        if waiting:
            worker.given.append(waiting.popleft())
            with suppress(OSError):  # it has died; that is found when it is listened to
                worker.pipe.send(worker.given[-1])

    def _replaced(self, worker: _Worker, waiting: deque[int]) -> Outcome:
        """A worker has died over the first number that it had; another does the rest."""
        worker.process.join()
        number = worker.given.popleft()
        waiting.extendleft(reversed(worker.given))
        worker.pipe.close()
        place = self._workers.index(worker)
        self._workers[place] = self._hired()
        for _ in range(AHEAD):
            self._give(self._workers[place], waiting)
        return Outcome(number, f"the process that made it ended ({_ending(worker.process.exitcode)})")

    def _hired(self) -> _Worker:
        ours, theirs = self._context.Pipe()
        forked = self._context.get_start_method() == "fork"
        copied = [ours, *(worker.pipe for worker in self._workers)] if forked else []
        process = self._context.Process(target=_serve, args=(self._do, theirs, copied), daemon=True)
        with _no_interrupt(), warnings.catch_warnings():
            for kind in (DeprecationWarning, RuntimeWarning):  # of a bar's thread, and of JAX's
                warnings.simplefilter("ignore", kind)
            process.start()
        theirs.close()
        return _Worker(process, ours)

    def _dismiss(self) -> None:
        """Nothing that a worker writes is ever half there: it can be killed at any moment."""
        for worker in self._workers:
            worker.process.kill()
        for worker in self._workers:
            worker.process.join()
            worker.pipe.close()
        self._workers = []


def start_method() -> str:
    """Forked workers have all that was derived at once; not where threads would be missing in the copy.

    The Typst compiler has threads of its own once it has run, without which it waits for ever; so has JAX.
    """
    threaded = threading.active_count() > 1 or any(name in sys.modules for name in THREADED)
    return "fork" if sys.platform == "linux" and not threaded else "spawn"


def default_workers() -> int:
    """As many as there are cores that we may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def _no_interrupt() -> Iterator[None]:
    """Ctrl-C goes to the parent alone, a moment later; the child is born deaf to it."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(do: Callable[[int], None], pipe: Connection, copied: Iterable[Connection]) -> None:
    """Until the parent closes its end, which it does when it dies too: the copies of it that a fork makes go first."""
    for end in copied:
        end.close()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.enable()
    gc.freeze()
    with suppress(EOFError, OSError):
        while True:
            pipe.send(_done(do, pipe.recv()))


def _done(do: Callable[[int], None], number: int) -> Outcome:
    try:
        do(number)
    except WritingStoppedError as error:
        return Outcome(number, str(error), stops=True)
    except ChainruleError as error:
        return Outcome(number, str(error))
    except Exception as error:  # a defect of ours harms one sheet, and is told with its place
        last = traceback.extract_tb(error.__traceback__)[-1]
        return Outcome(number, f"{type(error).__name__}: {error} ({Path(last.filename).name}, line {last.lineno})")
    return Outcome(number)


def _ending(code: int | None) -> str:
    if code is not None and code < 0:
        try:
            return f"killed by {signal.Signals(-code).name}"
        except ValueError:
            return f"killed by signal {-code}"
    return f"exit status {code}"
