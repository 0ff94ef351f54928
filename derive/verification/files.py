"""Numbers handed over in a file or on standard input: JSON or CSV, told apart by how they begin."""

from __future__ import annotations

from pathlib import Path

from derive import bounded
from derive.derivation import Derivation
from derive.errors import nearest, printable
from derive.verification.csv_lines import HandedError
from derive.verification.handed import Handed, Kind, of_csv, of_json


def of_text(text: str, derivation: Derivation, kind: Kind, place: str) -> Handed:
    """Numbers from JSON (what begins with a brace or a bracket) or CSV. Raises HandedError."""
    read = of_json if text.lstrip("\ufeff \t\r\n").startswith(("{", "[")) else of_csv
    return read(text.removeprefix("\ufeff"), derivation, kind, place)


def text_of(path: Path) -> str:
    """The text of a file; every way in which that can fail is said in a line. Raises HandedError."""
    place = printable(str(path))
    try:
        return bounded.read_text(path)
    except FileNotFoundError:
        there = path.parent.is_dir()
        beside = [each.name for each in path.parent.iterdir() if each.is_file()] if there else []
        found = nearest(path.name, beside)
        missing = "no such file" if there else "no such folder"
        raise HandedError(f"{place}: {missing}{f'; {found}' if found else ''}") from None
    except IsADirectoryError:
        raise HandedError(f"{place}: is a directory; a file of numbers is expected (JSON or CSV)") from None
    except UnicodeDecodeError as error:
        raise HandedError(f"{place}: is not UTF-8 text (at byte {error.start})") from None
    except OSError as error:
        raise HandedError(f"{place}: cannot be read: {error.strerror or error}") from None
    except bounded.TooLongError as error:
        raise HandedError(f"{place}: {error}; a file of numbers is expected (JSON or CSV)") from None
    except ValueError as error:  # a NUL character in the name
        raise HandedError(f"{place}: is no file name: {printable(str(error))}") from None
