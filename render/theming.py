"""Themes: the colours, fonts and logo of a lecturer's own; what every format takes from one, and the plain one."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from render.document import Picture
from render.figures.svg import DARK, LIGHT
from render.font_files import Font

WHITE = "#ffffff"  # paper
READABLE = 4.5  # times as light: WCAG's least contrast of text and what it stands on
FACTORS = 6


@dataclass(frozen=True)
class Palette:
    """The colours of a page; each ``#rrggbb``. ``factors`` are those of the chain rule's factors 1 to 6."""

    ink: str
    muted: str
    faint: str
    paper: str
    rule: str
    accent: str
    heading: str
    factors: tuple[str, ...]


@dataclass(frozen=True)
class Latex:
    """Fonts for LaTeX: the lines of the preamble that load them; slides are set without serifs where it is ``sans``."""

    summary: str
    lines: tuple[str, ...]
    sans: bool = False


# Fonts that every TeX installation has; a theme names one, so that nothing of its own gets into the preamble.
LATEX_FONTS = {
    "lmodern": Latex("Latin Modern, with serifs", (r"\usepackage{lmodern}",), sans=True),
    "lmodern-sans": Latex(
        "Latin Modern without serifs",
        (r"\usepackage{lmodern}", r"\renewcommand{\familydefault}{\sfdefault}"),
        sans=True,
    ),
    "palatino": Latex("Palatino, with mathematics", (r"\usepackage{mathpazo}",)),
    "times": Latex("Times, with mathematics", (r"\usepackage{mathptmx}",)),
    "charter": Latex("Charter", (r"\usepackage{lmodern}", r"\usepackage{charter}")),
    "bookman": Latex("Bookman", (r"\usepackage{lmodern}", r"\usepackage{bookman}")),
    "schoolbook": Latex("New Century Schoolbook", (r"\usepackage{lmodern}", r"\usepackage{newcent}")),
    "helvetica": Latex(
        "Helvetica, without serifs",
        (r"\usepackage{lmodern}", r"\usepackage[scaled=.9]{helvet}", r"\renewcommand{\familydefault}{\sfdefault}"),
        sans=True,
    ),
}


@dataclass(frozen=True)
class Theme:
    """How documents look. ``folder`` is where the fonts lie, for a compiler that looks for them by name."""

    name: str
    light: Palette
    dark: Palette
    summary: str = ""
    text: tuple[Font, ...] = ()
    headings: tuple[Font, ...] = ()
    maths: tuple[Font, ...] = ()
    latex: str = "lmodern"
    logo: Picture | None = field(default=None, repr=False)
    folder: Path | None = None

    @property
    def fonts(self) -> tuple[Font, ...]:
        """All its fonts, each file once."""
        return tuple(dict.fromkeys((*self.text, *self.headings, *self.maths)))


PLAIN = Theme(
    name="plain",
    light=Palette(
        ink="#1c1b19",
        muted="#63605a",
        faint="#b8b4ab",
        paper="#fffefb",
        rule="#d9d5cc",
        accent="#1f4e79",
        heading="#1c1b19",
        factors=LIGHT,
    ),
    dark=Palette(
        ink="#e6e3dc",
        muted="#a8a49b",
        faint="#5f5c56",
        paper="#161614",
        rule="#3b3935",
        accent="#9cc4ea",
        heading="#e6e3dc",
        factors=DARK,
    ),
)


def family(fonts: tuple[Font, ...]) -> str:
    """The name under which a theme's fonts are asked for, "" where it has none."""
    return fonts[0].family if fonts else ""


def own_color(theme: Theme, name: str) -> str:
    """A colour for paper where a theme has its own, "" where it is the plain one, which on paper is black."""
    color: str = getattr(theme.light, name)
    return "" if color == getattr(PLAIN.light, name) else color


def contrast(one: str, other: str) -> float:
    """How many times lighter the lighter of two colours is, as WCAG 2 counts it: 1 to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(color: str) -> float:
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def unreadable(palette: Palette, paper: str) -> list[tuple[str, str, float]]:
    """(key, colour, contrast) of the colours of text that cannot be read on this paper."""
    texts = {"ink": palette.ink, "muted": palette.muted, "accent": palette.accent, "heading": palette.heading}
    texts |= {f"factors[{index}]": color for index, color in enumerate(palette.factors)}
    measured = [(key, color, contrast(color, paper)) for key, color in texts.items()]
    return [each for each in measured if each[2] < READABLE]
