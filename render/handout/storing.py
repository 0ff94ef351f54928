"""The folder of a handout: whole files only, whatever ends the run, and what a later run needs to go on.

Everything is written under `WORK` first, a folder inside the handout's own, and moved to its place when it is whole.
There too stand the choices of the run, and a record for every sheet, written before its files are moved: a sheet is
whole when each file that its record names has the contents that the record tells. At the end the folder is removed.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from derive.errors import ChainruleError, ProblemError, shown

WORK = ".handout"
MANIFEST = "manifest.json"
PATIENCE = 3.0  # seconds in which the processes of a run that was killed have ended

Record = dict[str, Any]
Choices = Mapping[str, Any]


class WritingStoppedError(ChainruleError):
    """Nothing more can be written: the disk is full, the folder is gone. No single sheet is to blame."""


def digest(data: bytes) -> str:
    """The SHA-256 of a file's contents, in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def digest_of_folder(folder: Path) -> str:
    """The SHA-256 of what a folder holds: every file's path in it and its contents."""
    found = hashlib.sha256()
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        found.update(f"{path.relative_to(folder).as_posix()}\0{digest(path.read_bytes())}\n".encode())
    return found.hexdigest()


def to_json(value: object) -> bytes:
    """JSON whose bytes depend on the value alone."""
    return (json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()


class Store:
    """Writes the files of one handout; cheap to make, and handed to every process."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.work = out / WORK
        self.parts = self.work / "parts"
        self.records = self.work / "records"
        self.plan = self.work / "plan.json"

    # ---- files -------------------------------------------------------------------------------

    def put(self, contents: Mapping[str, bytes]) -> None:
        """Files by their path in the folder, each whole or not there. Raises `WritingStoppedError`."""
        for path, data in contents.items():
            target = self.out / path
            part = self.parts / f"{os.getpid()}-{target.name}"
            try:
                part.write_bytes(data)
                target.parent.mkdir(parents=True, exist_ok=True)
                part.replace(target)
            except OSError as error:
                raise WritingStoppedError(f"{target}: cannot be written: {_reason(error)}") from error

    def put_copy(self, record: Record, contents: Mapping[str, bytes]) -> None:
        """The files of one sheet, after the record that tells what they must be."""
        told = record | {"files": {path: digest(data) for path, data in contents.items()}}
        name = f"{WORK}/records/{record['number']:09}.json"
        self.put({name: json.dumps(told, ensure_ascii=False).encode()} | dict(contents))

    def record_of(self, number: int) -> Record | None:
        """The record of a sheet, or None where there is none that can be read."""
        try:
            found = json.loads((self.records / f"{number:09}.json").read_bytes())
        except (OSError, ValueError):
            return None
        return found if isinstance(found, dict) and found.get("number") == number else None

    def is_whole(self, files: Mapping[str, str]) -> bool:
        """Whether every file is there with the contents that were recorded."""
        return all(self._has(path, expected) for path, expected in files.items())

    def _has(self, path: str, expected: str) -> bool:
        try:
            return digest((self.out / path).read_bytes()) == expected
        except OSError:
            return False

    # ---- runs --------------------------------------------------------------------------------

    def check(self, choices: Choices, *, resume: bool, force: bool) -> None:
        """Raises `ProblemError` for a folder with a handout of other choices, or with one that is not finished."""
        before = self._choices_before()
        if before is None or force:
            return
        self._check_same(before, choices, "--resume" if resume else "--out")
        if self.plan.exists() and not resume:
            raise ProblemError(
                "holds a handout that is not finished; go on with --resume, or begin anew with --force", str(self.out)
            )

    def begin(self, choices: Choices, *, resume: bool, force: bool) -> None:
        """Make the folder ready. Raises `ProblemError` as `check` does."""
        self.check(choices, resume=resume, force=force)
        if force and self._choices_before() is not None:
            self._remove_all()
        try:
            shutil.rmtree(self.parts, ignore_errors=True)
            if not resume:
                shutil.rmtree(self.records, ignore_errors=True)
            for folder in (self.parts, self.records):
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise WritingStoppedError(f"{self.work}: cannot be written: {_reason(error)}") from error
        self.put({f"{WORK}/plan.json": to_json(choices)})

    def is_complete(self, choices: Choices) -> bool:
        """Whether all of a handout of these choices is here, whole: the manifest, written last, tells of every file.

        What only an unfinished run needs may be there still, or half of it, where the run ended while it was removed.
        """
        manifest = _read(self.out / MANIFEST)
        if manifest is None or _choices(manifest) != _plain(choices):
            return False
        return not manifest.get("failed") and self.is_whole(_listed(manifest))

    def listed(self) -> list[str]:
        """Every file that the manifest in the folder tells of, and itself."""
        return [*_listed(_read(self.out / MANIFEST) or {}), MANIFEST]

    def finish(self) -> None:
        """Remove what only an interrupted run needs; the choices last, so that they are there while anything is."""
        for folder in (self.parts, self.records):
            shutil.rmtree(folder, ignore_errors=True)
        self.plan.unlink(missing_ok=True)
        shutil.rmtree(self.work, ignore_errors=True)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """No two runs at once in one folder (where the system can tell)."""
        if sys.platform == "win32":
            yield
            return
        import fcntl

        file = os.open(self.out, os.O_RDONLY)
        try:
            until = time.monotonic() + PATIENCE
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > until:
                        raise ProblemError("another run is writing to it", str(self.out)) from None
                    time.sleep(0.05)
                except OSError:  # a file system without locks
                    break
            yield
        finally:
            os.close(file)

    def _choices_before(self) -> dict[str, Any] | None:
        """The choices of the handout that is in the folder, interrupted or finished; None where there is none."""
        plan = _read(self.plan)
        if plan is not None:
            return plan
        manifest = _read(self.out / MANIFEST)
        return None if manifest is None else _choices(manifest)

    def _check_same(self, before: Choices, choices: Choices, option: str) -> None:
        now = _plain(choices)
        different = [key for key in sorted({*before, *now}) if before.get(key) != now.get(key)]
        if not different:
            return
        told = "; ".join(f"{key} was {_told(before.get(key))} and is {_told(now.get(key))}" for key in different)
        what = "the unfinished handout" if self.plan.exists() else "the handout"
        raise ProblemError(
            f"{what} in {self.out} was made with other choices: {told}; "
            "write to another folder, or replace it with --force",
            option,
        )

    def _remove_all(self) -> None:
        """Remove every file that the handout in the folder is known to have written, and nothing else."""
        manifest = _read(self.out / MANIFEST) or {}
        records = [_read(path) or {} for path in sorted(self.records.glob("*.json"))]
        names = {*_listed(manifest), *(path for record in records for path in _files(record)), MANIFEST}
        folders = set()
        for name in names:
            path = PurePosixPath(name)
            if path.is_absolute() or ".." in path.parts:
                continue  # nothing that we have written
            (self.out / path).unlink(missing_ok=True)
            folders |= {self.out / folder for folder in path.parents if folder != PurePosixPath(".")}
        for folder in sorted(folders, key=lambda each: -len(each.parts)):
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()
        self.finish()


def _read(path: Path) -> dict[str, Any] | None:
    """A JSON object, or None for a file that is not there or holds anything else."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _choices(manifest: Mapping[str, Any]) -> dict[str, Any] | None:
    found = manifest.get("choices")
    return found if isinstance(found, dict) else None


def _listed(manifest: Mapping[str, Any]) -> dict[str, str]:
    """All files of a manifest, with what they should hold."""
    sheets = manifest.get("sheets")
    parts: Iterable[Any] = (manifest, *(sheets if isinstance(sheets, list) else ()))
    return {path: expected for part in parts if isinstance(part, dict) for path, expected in _files(part).items()}


def _files(part: Mapping[str, Any]) -> dict[str, str]:
    found = part.get("files")
    return found if isinstance(found, dict) else {}


def _plain(choices: Choices) -> dict[str, Any]:
    """The choices as they are read back."""
    found: dict[str, Any] = json.loads(to_json(choices))
    return found


def _told(value: object) -> str:
    """A choice in a message: two hashes say nothing, that something differs does."""
    match value:
        case {"name": str(name), "sha256": str(found)}:
            return f"{name} (SHA-256 {found[:8]}…)"
        case list():
            return ", ".join(_told(each) for each in value) or "none"
    return shown(value)


def _reason(error: OSError) -> str:
    if error.errno == errno.EXDEV:
        return "it is on another disk than the folder that it is in"
    return error.strerror or str(error)
