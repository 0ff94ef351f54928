"""Font files: TrueType and OpenType, and what their tables say: family, weight, whether it is an italic."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field
from pathlib import Path

from derive.errors import ChainruleError

KINDS = {b"\x00\x01\x00\x00": "truetype", b"true": "truetype", b"OTTO": "opentype"}
LARGEST = 3_000_000  # bytes; it is copied into every page
FAMILY, FAMILY_OF_WEIGHTS = 1, 16  # numbers of names in the table "name"

_WEIGHTS = re.compile(
    r"[ -]+(thin|extra ?light|light|regular|book|medium|semi ?bold|demi ?bold|bold|extra ?bold|black|italic)$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Font:
    """A font: its family, its style ("normal" or "italic"), its weight (400 is regular), and the file's bytes."""

    family: str
    style: str
    weight: int
    kind: str
    data: bytes = field(repr=False)


def read_font(path: Path) -> Font:
    """The font in a file. Raises `ChainruleError` for what is none, `OSError` for what cannot be read."""
    with path.open("rb") as file:
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise ChainruleError(f"has more than {LARGEST} bytes; at most so many are taken, since every page holds it")
    kind = KINDS.get(data[:4])
    if kind is None:
        raise ChainruleError("is no TrueType or OpenType font (.ttf, .otf)")
    try:
        tables = _tables(data)
        weight, selection = (
            struct.unpack_from(">H", tables["OS/2"], 4)[0],
            struct.unpack_from(">H", tables["OS/2"], 62)[0],
        )
        family = _family(tables["name"])
    except (struct.error, KeyError, UnicodeDecodeError, IndexError):
        raise ChainruleError("is a font whose tables cannot be read") from None
    if not re.fullmatch(r"[\w .-]{1,60}", family):
        raise ChainruleError(f"is a font with an unusual family name, {family!r}")
    return Font(family, "italic" if selection & 1 else "normal", weight, kind, data)


def _tables(data: bytes) -> dict[str, bytes]:
    (count,) = struct.unpack_from(">H", data, 4)
    found = {}
    for index in range(count):
        tag, _, offset, length = struct.unpack_from(">4sIII", data, 12 + 16 * index)
        found[tag.decode("latin-1")] = data[offset : offset + length]
    return found


def _family(table: bytes) -> str:
    """The family's name; without the weight, where an old name holds it too."""
    _, count, start = struct.unpack_from(">HHH", table)
    names: dict[int, str] = {}
    for index in range(count):
        platform, _, _, number, length, offset = struct.unpack_from(">HHHHHH", table, 6 + 12 * index)
        raw = table[start + offset : start + offset + length]
        names.setdefault(number, raw.decode("utf-16-be" if platform in (0, 3) else "mac-roman"))
    if FAMILY_OF_WEIGHTS in names:
        return names[FAMILY_OF_WEIGHTS]
    name = names[FAMILY]
    while (shorter := _WEIGHTS.sub("", name)) != name:
        name = shorter
    return name
