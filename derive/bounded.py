"""Text from files and streams that are somebody else's, read up to a bound: a device never ends."""

from __future__ import annotations

from io import IncrementalNewlineDecoder
from pathlib import Path
from typing import BinaryIO

MOST_BYTES = 256 * 2**20
"""Ten million numbers of 25 characters: the largest array that is worked with."""


class TooLongError(ValueError):
    """There is more than `MOST_BYTES`; the message says so in words that go on after a name."""

    def __init__(self) -> None:
        super().__init__(f"is larger than {MOST_BYTES // 2**20} MiB")


def text_of(stream: BinaryIO) -> str:
    """UTF-8 text, every line ended by a line feed. Raises TooLongError and UnicodeDecodeError."""
    data = stream.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise TooLongError
    return IncrementalNewlineDecoder(None, translate=True).decode(data.decode("utf-8-sig"), final=True)


def read_text(path: Path) -> str:
    """The text of a file. Raises besides what opening it raises."""
    with path.open("rb") as file:
        return text_of(file)
