"""A whole class: every sheet in parallel, then key, marking scheme and manifest; to be interrupted and gone on with."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from derive import __version__
from derive.errors import ChainruleError
from render.handout.combining import combined
from render.handout.crew import Crew, Outcome
from render.handout.key_files import key_files
from render.handout.storing import MANIFEST, Record, Store, WritingStoppedError, digest, to_json
from render.handout.work import SHEETS_FOLDER, SOLUTIONS_FOLDER, Work

Report = Callable[[int, int], None]
Files = dict[str, bytes]


@dataclass(frozen=True)
class Failure:
    """A sheet that could not be made, and why."""

    number: int
    name: str
    problem: str


@dataclass(frozen=True)
class Handout:
    """A class's handout, decided in every detail.

    ``choices`` is all that the files depend on, as it stands in the manifest; ``extras`` makes what is written once:
    slides, a notebook.
    """

    work: Work
    choices: Mapping[str, Any]
    combine: bool = False
    workers: int = 1
    method: str = ""
    extras: tuple[Callable[[], Files], ...] = ()

    @property
    def told(self) -> dict[str, Any]:
        """The choices as they are kept."""
        return kept(self.choices)


@dataclass(frozen=True)
class Done:
    """What there is now: how many sheets, how many of them before, those that could not be made, and all files."""

    sheets: int
    before: int
    failures: tuple[Failure, ...]
    files: tuple[str, ...] = field(default=(), compare=False)


def kept(choices: Mapping[str, Any]) -> dict[str, Any]:
    """Choices as they stand in the manifest: the program's version is one of them."""
    return {"chainrule": __version__, **choices}


class InterruptedRunError(Exception):
    """Ctrl-C: how many sheets are whole."""

    def __init__(self, whole: int, total: int) -> None:
        self.whole, self.total = whole, total
        super().__init__(whole, total)


@contextmanager
def silent() -> Iterator[Report | None]:
    """No progress is shown."""
    yield None


def hand_out(
    handout: Handout, *, resume: bool = False, force: bool = False, progress: Callable[[], Any] = silent
) -> Done:
    """Write everything. Raises `ChainruleError` before anything is written for what would go wrong on every sheet.

    A sheet that fails harms no other: it is told in the result, left out of the key, and tried again by ``resume``.
    """
    work, store = handout.work, handout.work.store
    store.check(handout.told, resume=resume, force=force)
    work.rehearse()
    _rehearse_apart(handout)
    gc.enable()
    _make(store)
    with store.locked():
        total = len(work.copies)
        if resume and store.is_complete(handout.told):
            store.finish()
            return Done(total, total, (), tuple(store.listed()))
        store.begin(handout.told, resume=resume, force=force)
        whole = [copy.number for copy in work.copies if _is_whole(store, copy.number)] if resume else []
        failures = _sheets(handout, whole, progress)
        _rest(handout, failures)
        if not failures:
            store.finish()
        return Done(total - len(failures), len(whole), failures, tuple(store.listed()))


def _rehearse_apart(handout: Handout) -> None:
    """What only the compiler can tell of a user's own logo or templates: in a process of its own, which it spoils."""
    work = handout.work
    if work.copies and "pdf" in work.layout.formats and (work.heading.logo or work.layout.templates):
        with Crew(_Rehearsal(work), 1, handout.method) as crew:
            for outcome in crew.outcomes([1]):
                if outcome.problem:
                    raise ChainruleError(outcome.problem)


@dataclass(frozen=True)
class _Rehearsal:
    """The marking scheme made and thrown away."""

    work: Work

    def __call__(self, number: int) -> None:
        self.work.marking()


def _make(store: Store) -> None:
    try:
        store.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WritingStoppedError(f"{store.out}: cannot be written: {error.strerror or error}") from error


def _is_whole(store: Store, number: int) -> bool:
    record = store.record_of(number)
    return record is not None and store.is_whole(record["files"])


def _sheets(handout: Handout, whole: list[int], progress: Callable[[], Any]) -> tuple[Failure, ...]:
    """All sheets that are not there yet, in as many processes as are asked for."""
    work = handout.work
    missing = [copy.number for copy in work.copies if copy.number not in set(whole)]
    done, total, failures = len(whole), len(work.copies), []
    try:
        if missing:
            with Crew(work, min(handout.workers, len(missing)), handout.method) as crew, progress() as report:
                for outcome in crew.outcomes(missing):
                    if outcome.stops:
                        raise WritingStoppedError(f"{outcome.problem}; {done} of {total} sheets are whole")
                    failures += [_failure(work, outcome)] if outcome.problem else []
                    done += not outcome.problem
                    if report:
                        report(done + len(failures), total)
    except KeyboardInterrupt:
        raise InterruptedRunError(done, total) from None
    return tuple(sorted(failures, key=lambda each: each.number))


def _failure(work: Work, outcome: Outcome) -> Failure:
    return Failure(outcome.number, work.copies[outcome.number - 1].name, outcome.problem)


def _rest(handout: Handout, failures: tuple[Failure, ...]) -> None:
    """What is written once: key, marking scheme, what is combined; the manifest last."""
    work, store = handout.work, handout.work.store
    failed = {failure.number for failure in failures}
    records = [_record(store, copy.number) for copy in work.copies if copy.number not in failed]
    hashes: dict[str, str] = {}

    def put(contents: Files) -> None:
        store.put(contents)
        hashes.update({path: digest(data) for path, data in contents.items()})

    try:
        if records:
            put(key_files(records, store.parts))
        put(work.marking())
        for extra in handout.extras:
            put(extra())
        for name, folder, ending in _combined(handout):
            parts = [(record["name"], store.out / folder / f"{record['name']}{ending}.pdf") for record in records]
            put({name: combined(parts, work.heading.title or name.removesuffix(".pdf").replace("_", " "))})
        store.put({MANIFEST: to_json(_manifest(handout, records, failures, hashes))})
    except KeyboardInterrupt:
        raise InterruptedRunError(len(records), len(work.copies)) from None
    except OSError as error:  # the room for what is passing, while the workbook is made
        raise WritingStoppedError(f"{store.out}: cannot be written: {error.strerror or error}") from error


def _record(store: Store, number: int) -> Record:
    record = store.record_of(number)
    if record is None:
        raise WritingStoppedError(f"{store.records}: the record of sheet {number} is gone; begin anew with --force")
    return record


def _combined(handout: Handout) -> Iterator[tuple[str, str, str]]:
    if handout.combine and handout.work.solutions != "only":
        yield "all_sheets.pdf", SHEETS_FOLDER, ""
    if handout.combine and handout.work.solutions != "none":
        yield "all_solutions.pdf", SOLUTIONS_FOLDER, "_solutions"


def _manifest(
    handout: Handout, records: list[Record], failures: tuple[Failure, ...], hashes: Mapping[str, str]
) -> dict[str, Any]:
    """What was made from what: no time, no place, so that the same choices give the same bytes."""
    kept = ("number", "name", "variant", "seed", "student", "files")
    found: dict[str, Any] = {
        "choices": handout.told,
        "sheets": [{key: record[key] for key in kept} for record in records],
        "files": dict(hashes),
    }
    if failures:
        found["failed"] = [{"number": each.number, "name": each.name, "problem": each.problem} for each in failures]
    return found
