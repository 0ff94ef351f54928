"""``theme.toml``: the colours, fonts and logo in a folder of templates, checked whole before anything is written."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from derive import bounded
from derive.errors import ChainruleError, Fault, ProblemError, shown, unknown
from render.document import Picture
from render.font_files import Font, read_font
from render.pictures import read_picture
from render.theming import FACTORS, LATEX_FONTS, PLAIN, READABLE, WHITE, Palette, Theme, unreadable

HERE = Path(__file__).parent / "themes"
NAME = "theme.toml"
_COLOR = re.compile(r"#[0-9a-fA-F]{6}")


def _color(text: str) -> str:
    if not _COLOR.fullmatch(text):
        raise ValueError(f"found {shown(text)}; a colour such as #1f4e79 is expected")
    return text.lower()


def _latex(name: str) -> str:
    if name not in LATEX_FONTS:
        raise ValueError(unknown(name, LATEX_FONTS))
    return name


Color = Annotated[str, AfterValidator(_color)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class ColorTable(_Table):
    """``[light]`` and ``[dark]``: the colours of the page, of text and of the chain rule's factors."""

    ink: Color | None = None
    muted: Color | None = None
    faint: Color | None = None
    paper: Color | None = None
    rule: Color | None = None
    accent: Color | None = None
    heading: Color | None = None
    factors: Annotated[list[Color], Field(min_length=FACTORS, max_length=FACTORS)] | None = None


class FontTable(_Table):
    """``[fonts]``: files beside the theme for text, headings and mathematics; for LaTeX the name of a row."""

    text: list[str] = []
    headings: list[str] = []
    maths: list[str] = []
    latex: Annotated[str, AfterValidator(_latex)] = PLAIN.latex


class ThemeFile(_Table):
    """The whole file; every key may be left out."""

    summary: str = ""
    logo: str = ""
    logo_alternative: str = "Logo"
    light: ColorTable = ColorTable()
    dark: ColorTable = ColorTable()
    fonts: FontTable = FontTable()


TABLES: dict[str, type[_Table]] = {"": ThemeFile, "light": ColorTable, "dark": ColorTable, "fonts": FontTable}


def bundled() -> tuple[str, ...]:
    """The names of the themes that come with the project."""
    return tuple(sorted(path.parent.name for path in HERE.glob(f"*/{NAME}")))


class _Bundled(Mapping[str, Theme]):
    """The bundled themes by name, each read when it is asked for."""

    def __getitem__(self, name: str) -> Theme:
        return theme_of(HERE / name)

    def __iter__(self) -> Iterator[str]:
        return iter(bundled())

    def __len__(self) -> int:
        return len(bundled())


THEMES: Mapping[str, Theme] = _Bundled()


def folder_of(templates: str | Path) -> Path:
    """The folder of templates that a name or a path means: one that is there, else a bundled theme's."""
    path = Path(templates)
    return HERE / path if not path.exists() and str(templates) in bundled() else path


def theme_of(templates: Path | None) -> Theme:
    """The theme of a folder of templates; the plain one where it has no ``theme.toml``.

    Raises `ProblemError` with every fault of the file.
    """
    file = None if templates is None else templates / NAME
    if file is None or not file.is_file():
        return PLAIN
    return _read(file, file.stat().st_mtime_ns)


@lru_cache(maxsize=16)
def _read(file: Path, _changed: int) -> Theme:
    try:
        table = tomllib.loads(bounded.read_text(file))
    except (OSError, ValueError, RecursionError) as error:
        raise ProblemError(f"is no TOML that can be read: {error}", str(file)) from error
    return parse(table, file)


def parse(table: dict[str, Any], file: Path) -> Theme:
    """The theme that a table states; ``file`` is where it stands. Raises `ProblemError` with every fault."""
    try:
        stated = ThemeFile.model_validate(table)
    except ValidationError as error:
        raise ProblemError([_fault(each) for each in error.errors(include_url=False)], str(file)) from None
    faults: list[Fault] = []
    fonts = {key: tuple(_fonts(file.parent, key, getattr(stated.fonts, key), faults)) for key in _FONT_KEYS}
    theme = Theme(
        name=file.parent.name,
        summary=stated.summary,
        light=_palette(stated.light, PLAIN.light),
        dark=_palette(stated.dark, PLAIN.dark),
        latex=stated.fonts.latex,
        logo=_logo(file.parent, stated, faults),
        folder=file.parent if any(fonts.values()) else None,
        **fonts,
    )
    faults += _dim(theme)
    if faults:
        raise ProblemError(faults, str(file))
    return theme


_FONT_KEYS = ("text", "headings", "maths")


def _palette(stated: ColorTable, plain: Palette) -> Palette:
    """The stated colours over the plain ones; headings are ink unless they have a colour of their own."""
    given = {key: value for key, value in stated.model_dump().items() if value is not None}
    if "ink" in given:
        given.setdefault("heading", given["ink"])
    if "factors" in given:
        given["factors"] = tuple(given["factors"])
    return replace(plain, **given)


def _fonts(folder: Path, key: str, names: list[str], faults: list[Fault]) -> Iterator[Font]:
    found: list[Font] = []
    for index, name in enumerate(names):
        try:
            found.append(read_font(_beside(folder, name)))
        except OSError as error:
            faults.append(Fault(f"fonts.{key}[{index}]", f"{shown(name)} cannot be read: {error.strerror or error}"))
        except ChainruleError as error:
            faults.append(Fault(f"fonts.{key}[{index}]", f"{shown(name)} {error}"))
    for font in found[1:]:
        if font.family != found[0].family:
            message = f"the files are of two families, {shown(found[0].family)} and {shown(font.family)}"
            faults.append(Fault(f"fonts.{key}", message))
            break
    yield from found


def _logo(folder: Path, stated: ThemeFile, faults: list[Fault]) -> Picture | None:
    if not stated.logo:
        return None
    try:
        return read_picture(_beside(folder, stated.logo), stated.logo_alternative, "logo")
    except ChainruleError as error:
        faults.append(Fault("", str(error)))
        return None


def _beside(folder: Path, name: str) -> Path:
    """A file of the theme, which lies in its folder."""
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise ChainruleError("lies outside the folder of the theme")
    return path


def _dim(theme: Theme) -> list[Fault]:
    """The colours of text that nobody can read, on the page and in print."""
    found = []
    for table, palette, papers in (
        ("light", theme.light, {"paper": theme.light.paper, "white paper": WHITE}),
        ("dark", theme.dark, {"paper": theme.dark.paper}),
    ):
        for called, paper in papers.items():
            for key, color, ratio in unreadable(palette, paper):
                message = f"{color} on {called} ({paper}) has a contrast of {ratio:.1f}; text needs {READABLE}"
                found.append(Fault(f"{table}.{key}", message))
    return found


def _fault(detail: Any) -> Fault:
    """One of pydantic's errors in our words."""
    place = ""
    for part in detail["loc"]:
        place += f"[{part}]" if isinstance(part, int) else f".{part}"
    context = detail.get("ctx", {})
    match detail["type"]:
        case "extra_forbidden":
            *table, key = detail["loc"]
            message = unknown(str(key), TABLES[str(table[0]) if table else ""].model_fields, "unknown key")
        case "value_error":
            message = str(context["error"])
        case "too_short" | "too_long":
            message = f"has {context['actual_length']} colours; {FACTORS} are expected"
        case "string_type":
            message = f"found {shown(detail['input'])}; text in quotes is expected"
        case "list_type":
            message = f"found {shown(detail['input'])}; a list is expected"
        case "model_type" | "model_attributes_type":
            message = f"found {shown(detail['input'])}; a table is expected"
        case _:
            message = f"found {shown(detail['input'])}; {detail['msg']}"
    return Fault(place.lstrip("."), message)
