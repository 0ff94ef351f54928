"""Archives whose bytes depend on their content alone: sorted names, one fixed time stamp, fixed permissions."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

TIME = (1980, 1, 1, 0, 0, 0)  # the first that a zip file can hold


def zipped(files: Mapping[str, bytes], first: str = "") -> bytes:
    """The files as a zip archive, ``first`` before the others, these sorted by name."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name in sorted(files, key=lambda each: (each != first, each)):
            entry = zipfile.ZipInfo(name, TIME)
            entry.create_system = 3  # Unix, on every machine
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, files[name], compresslevel=9)
    return held.getvalue()
