"""Jinja2 for documents: where templates are found, what is checked when they are loaded, and how faults are told."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache, lru_cache
from pathlib import Path, PurePosixPath

import jinja2
from markupsafe import Markup

from derive.errors import ChainruleError, closest, shown

HERE = Path(__file__).parent / "templates"
PARTS = ("setup", "head", "student")  # templates that a page includes, and that may be replaced like a block's

# LaTeX is full of braces and percent signs, so its templates mark what is theirs with angles.
DELIMITERS: dict[str, dict[str, str]] = {
    "braces": {},
    "angles": {
        "block_start_string": "<%",
        "block_end_string": "%>",
        "variable_start_string": "<<",
        "variable_end_string": ">>",
        "comment_start_string": "<#",
        "comment_end_string": "#>",
    },
}


class TemplateError(ChainruleError):
    """A template that is missing, cannot be read, or asks for what is not there; with its file and line."""


def environment(
    folder: str, escape: Callable[[str], str], delimiters: str, own: Path | None, needed: tuple[str, ...]
) -> jinja2.Environment:
    """The templates of one format, the user's ``own`` folder first; each of ``needed`` has been compiled.

    A folder inside a folder ("markdown/myst") takes what it does not have from the one around it.
    A user's folder holds ``<format>/<block>.j2`` or, for one format alone, ``<block>.j2``.
    Raises `TemplateError` for a template that is missing, misspelt or does not parse.
    """
    if own is None:
        return _bundled(folder, escape, delimiters, needed)
    folders = [*_places(own, folder), own]
    stamps = tuple((path, path.stat().st_mtime_ns) for place in folders for path in sorted(place.glob("*.j2")))
    if not stamps and own.is_dir():
        return _bundled(folder, escape, delimiters, needed)
    return _own(tuple(folders), stamps, folder, escape, delimiters, needed)


@lru_cache(maxsize=32)
def _own(
    folders: tuple[Path, ...],
    _stamps: tuple[tuple[Path, int], ...],
    folder: str,
    escape: Callable[[str], str],
    delimiters: str,
    needed: tuple[str, ...],
) -> jinja2.Environment:
    """A user's templates are compiled once as long as none of their files is changed: a class needs them 300 times."""
    _check_folders(list(folders), needed)
    return _environment(list(folders), folder, escape, delimiters, needed)


@cache
def _bundled(folder: str, escape: Callable[[str], str], delimiters: str, needed: tuple[str, ...]) -> jinja2.Environment:
    """The project's own templates do not change while it runs: they are compiled once."""
    return _environment([], folder, escape, delimiters, needed)


def _environment(
    folders: list[Path], folder: str, escape: Callable[[str], str], delimiters: str, needed: tuple[str, ...]
) -> jinja2.Environment:
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader([*folders, *_places(HERE, folder)]),
        undefined=jinja2.StrictUndefined,
        autoescape=delimiters == "braces",
        finalize=None if delimiters == "braces" else lambda value: _escaped(value, escape),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
        auto_reload=False,
        **DELIMITERS[delimiters],  # type: ignore[arg-type]
    )
    made.filters["css_string"] = css_string
    for name in needed:
        with faults(name):
            made.get_template(f"{name}.j2")
    return made


def css_string(text: str) -> Markup:
    """The text as a string of CSS inside a page: every sign that could mean something there is its number."""
    return Markup('"' + "".join(c if c.isalnum() or c == " " else f"\\{ord(c):06x}" for c in str(text)) + '"')


def _places(root: Path, folder: str) -> list[Path]:
    """Where the templates of a folder are looked for, the innermost first."""
    return [root / place for place in (folder, *map(str, PurePosixPath(folder).parents)) if place != "."]


def _escaped(value: object, escape: Callable[[str], str]) -> object:
    """What a template prints: markup as it is, anything else escaped; undefined names stay an error."""
    if isinstance(value, Markup | jinja2.Undefined):
        return value
    return Markup(escape(str(value)))


def _check_folders(folders: list[Path], needed: tuple[str, ...]) -> None:
    """A user's folder has to be there, and every template in it has to be one that is used."""
    own = folders[-1]
    if not own.is_dir():
        raise TemplateError(f"{own}: no such folder of templates")
    found = [path for place in folders for path in sorted(place.glob("*.j2"))]
    for path in found:
        if path.stem not in (*needed, *PARTS):
            near = closest(path.stem, needed)
            hint = f'; did you mean "{near}.j2"?' if near else ""
            raise TemplateError(f"{path}: no block has this name; known: {', '.join(needed)}{hint}")


@contextmanager
def faults(name: str) -> Iterator[None]:
    """Turns what goes wrong inside a template into a `TemplateError` with the template's file and line."""
    try:
        yield
    except TemplateError:
        raise
    except jinja2.TemplateSyntaxError as error:
        place = f"{error.filename or error.name or name}, line {error.lineno}"
        raise TemplateError(f"{place}: {error.message}") from error
    except jinja2.TemplateNotFound as error:
        raise TemplateError(f"there is no template {shown(error.name or str(error))}, which {name}.j2 needs") from error
    except ChainruleError:
        raise
    except UnicodeDecodeError as error:
        raise TemplateError(f"{name}.j2: not UTF-8 text ({error.reason} at byte {error.start})") from error
    except OSError as error:
        raise TemplateError(f"{name}.j2: {error.strerror or error}") from error
    except Exception as error:
        place = _place_of(error) or (f"{name}.j2" if _is_call_of_macro(error) else "")
        if not place:
            raise
        raise TemplateError(f"{place}: {error}") from error


def _place_of(error: Exception) -> str | None:
    """The deepest line of a template on the way to an error."""
    place = None
    for frame, line in traceback.walk_tb(error.__traceback__):
        if not frame.f_code.co_filename.endswith(".j2"):
            continue
        # A macro that was called from here is still compiled Python; Jinja knows the line that it came from.
        template = frame.f_globals.get("__jinja_template__")
        source_line = line if template is None else template.get_corresponding_lineno(line)
        place = f"{frame.f_code.co_filename}, line {source_line}"
    return place


def _is_call_of_macro(error: Exception) -> bool:
    """A macro that was called with more than it takes fails in Jinja, before any line of it is reached."""
    last = list(traceback.walk_tb(error.__traceback__))[-1][0]
    return isinstance(error, TypeError) and last.f_globals.get("__name__") == "jinja2.runtime"


def names(types: Iterable[type]) -> tuple[str, ...]:
    """The template of each type: ``ListBlock`` is served by ``list.j2``."""
    return tuple(kind.__name__.removesuffix("Block").lower() for kind in types)
