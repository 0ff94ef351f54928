"""Themes: colours, fonts and a logo in every format, a bundled one, and faults that are told with their keys."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from sample_document import SAMPLE
from test_sheets import HEAD, SVG, sheet

from derive.errors import ProblemError
from render.font_files import read_font
from render.formats import FORMATS, files, render_text
from render.theme_file import HERE, THEMES, bundled, theme_of
from render.theming import FACTORS, LATEX_FONTS, PLAIN, READABLE, contrast, unreadable

HARBOUR = HERE / "harbour"
FONT = HARBOUR / "fonts" / "FiraSans-Regular.ttf"
THEMED = [name for name in FORMATS if name != "markdown"]


def themed(folder: Path, toml: str) -> Path:
    (folder / "theme.toml").write_text(toml, "utf-8")
    return folder


# ---- what a theme changes ---------------------------------------------------------------------


@pytest.mark.parametrize("name", THEMED)
def test_its_colours_are_the_factors_colours(name: str, tmp_path: Path) -> None:
    colors = ", ".join(f'"#{k}a3355"' for k in range(FACTORS))
    own = themed(tmp_path, f"[light]\nfactors = [{colors}]\n")
    made = render_text(SAMPLE, name, templates=own).lower()
    for k in range(FACTORS):
        assert f"{k}a3355" in made
    assert not [color for color in PLAIN.light.factors if color.lower() in re.sub(r"svg\.drawing[^}]*}", "", made)]


@pytest.mark.parametrize("name", ["html", "slides"])
def test_its_fonts_are_inside_the_page(name: str) -> None:
    made = render_text(SAMPLE, name, templates=HARBOUR)
    assert made.count('@font-face { font-family: "Fira Sans"') == 3
    assert "font-weight: 600; src: url(data:font/ttf;base64," in made
    assert '--headings: "Fira Sans"' in made
    assert "STIX Two Text" not in made.partition("{")[0]


def test_its_fonts_are_inside_the_pdf(tmp_path: Path) -> None:
    pypdf = pytest.importorskip("pypdf")
    pytest.importorskip("typst")
    (made,) = files(SAMPLE, "pdf", tmp_path / "x.pdf", templates=HARBOUR).values()
    (tmp_path / "x.pdf").write_bytes(made)
    fonts = {
        str(font["/BaseFont"])
        for page in pypdf.PdfReader(tmp_path / "x.pdf").pages
        for font in page["/Resources"]["/Font"].values()
    }
    assert {name.partition("+")[2] for name in fonts if "Fira" in name} >= {"FiraSans-Regular", "FiraSans-SemiBold"}


@pytest.mark.parametrize("latex", LATEX_FONTS)
@pytest.mark.parametrize("name", ["latex", "beamer"])
def test_every_font_of_latex_is_a_row_of_a_table(name: str, latex: str, tmp_path: Path) -> None:
    made = render_text(SAMPLE, name, templates=themed(tmp_path, f'[fonts]\nlatex = "{latex}"\n'))
    assert all(line in made for line in LATEX_FONTS[latex].lines)


@pytest.mark.skipif(shutil.which("latexmk") is None, reason="LaTeX is not installed")
def test_a_themed_article_compiles(tmp_path: Path) -> None:
    (tmp_path / "x.tex").write_text(render_text(sheet(), "latex", templates=HARBOUR), "utf-8")
    run = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "x.tex"]
    done = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, errors="replace", timeout=120)
    assert done.returncode == 0, done.stdout[-2000:]


@pytest.mark.parametrize("name", FORMATS)
def test_its_logo_stands_on_every_sheet_that_has_none(name: str, tmp_path: Path) -> None:
    pytest.importorskip("typst")
    (tmp_path / "logo.svg").write_bytes(SVG)
    own = themed(tmp_path, 'logo = "logo.svg"\nlogo_alternative = "The crest"\n')
    made = files(sheet(), name, tmp_path / "out" / "x", templates=own)
    assert "The crest" in next(iter(made.values())).decode("latin-1") or len(made) == 2 or name == "pdf"
    assert HEAD.logo is None


def test_without_a_theme_everything_stays_as_it_is(tmp_path: Path) -> None:
    for name in FORMATS:
        assert render_text(SAMPLE, name, templates=themed(tmp_path, "")) == render_text(SAMPLE, name)


# ---- what can be read ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", bundled())
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_bundled_colour_can_be_read(name: str, scheme: str) -> None:
    for theme in (PLAIN, THEMES[name]):
        palette = getattr(theme, scheme)
        assert unreadable(palette, palette.paper) == []
        assert len(set(palette.factors)) == FACTORS


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [("#000000", "#ffffff", 21), ("#777777", "#ffffff", 4.48), ("#767676", "#ffffff", 4.54), ("#aabbcc", "#aabbcc", 1)],
)
def test_contrast_is_counted_as_wcag_does(one: str, other: str, ratio: float) -> None:
    assert contrast(one, other) == contrast(other, one) == pytest.approx(ratio, abs=0.01)
    assert READABLE == 4.5


def test_a_font_says_what_it_is() -> None:
    found = [read_font(path) for path in sorted(FONT.parent.glob("*.ttf"))]
    assert [(font.family, font.style, font.weight) for font in found] == [
        ("Fira Sans", "italic", 400),
        ("Fira Sans", "normal", 400),
        ("Fira Sans", "normal", 600),
    ]


# ---- faults ---------------------------------------------------------------------------------------

FAULTS = {
    "no TOML": ("light = [", r"theme\.toml: is no TOML"),
    "unknown key": ("[light]\npapper = '#ffffff'", r"light\.papper: unknown key \"papper\".*did you mean \"paper\""),
    "unknown table": ("[lihgt]", r"lihgt: unknown key .*\"light\""),
    "no colour": ("[light]\nink = 'red'", r"light\.ink: found \"red\"; a colour such as #1f4e79"),
    "short colour": ("[dark]\nink = '#fff'", r"dark\.ink: found \"#fff\"; a colour"),
    "too few colours": ("[light]\nfactors = ['#000000']", r"light\.factors: has 1 colours; 6 are expected"),
    "a number": ("[light]\nink = 7", r"light\.ink: found 7; text in quotes is expected"),
    "no list": ("[fonts]\ntext = 'x.ttf'", r"fonts\.text: found \"x\.ttf\"; a list is expected"),
    "no table": ("light = 3", r"light: found 3; a table is expected"),
    "too dim": ("[light]\nink = '#bbbbbb'", r"light\.ink: #bbbbbb on paper .* contrast of 1\.9; text needs 4\.5"),
    "dim in print": ("[light]\npaper = '#000000'\nink = '#eeeeee'", r"light\.ink: #eeeeee on white paper"),
    "dim in the dark": ("[dark]\naccent = '#202020'", r"dark\.accent: #202020 on paper"),
    "no such font": ("[fonts]\ntext = ['no.ttf']", r"fonts\.text\[0\]: \"no\.ttf\" cannot be read: No such file"),
    "no font": ("[fonts]\ntext = ['theme.toml']", r"fonts\.text\[0\]: \"theme\.toml\" is no TrueType"),
    "outside": ("[fonts]\nmaths = ['../x.ttf']", r"fonts\.maths\[0\]: .*lies outside the folder"),
    "LaTeX's name": ("[fonts]\nlatex = 'palatinoo'", r"fonts\.latex: .*did you mean \"palatino\""),
    "TeX in it": (r"[fonts]" "\n" r"latex = '\input{x}'", r"fonts\.latex: .*known: lmodern"),
    "no such logo": ("logo = 'no.svg'", r"logo: .*no\.svg: No such file"),
    "no logo": ("logo = 'theme.toml'", r"logo: .*not an image of a known kind"),
}


@pytest.mark.parametrize(("toml", "message"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_told_with_its_key(toml: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ProblemError, match=f"(?s){message}"):
        theme_of(themed(tmp_path, toml))


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ProblemError) as told:
        theme_of(themed(tmp_path, "[fonts]\ntext = ['a.ttf']\nmaths = ['b.ttf']\n[light]\nink = '#cccccc'\n"))
    places = {fault.place for fault in told.value.faults}
    assert places == {"fonts.text[0]", "fonts.maths[0]", "light.ink", "light.heading"}


def test_fonts_of_two_families_are_no_family(tmp_path: Path) -> None:
    shutil.copy(FONT, tmp_path / "a.ttf")
    other = FONT.read_bytes().replace("Fira Sans".encode("utf-16-be"), "Gira Sans".encode("utf-16-be"))
    (tmp_path / "b.ttf").write_bytes(other)
    with pytest.raises(ProblemError, match=r"fonts\.text: .*two families"):
        theme_of(themed(tmp_path, "[fonts]\ntext = ['a.ttf', 'b.ttf']"))


@pytest.mark.parametrize("cut", [3, 20, 200, 3000])
def test_a_font_that_is_cut_off_is_none(cut: int, tmp_path: Path) -> None:
    (tmp_path / "cut.ttf").write_bytes(FONT.read_bytes()[:cut])
    with pytest.raises(ProblemError, match=r"cut\.ttf.* is "):
        theme_of(themed(tmp_path, "[fonts]\ntext = ['cut.ttf']"))


def test_a_theme_that_was_changed_is_read_again(tmp_path: Path) -> None:
    import os

    assert theme_of(themed(tmp_path, "summary = 'one'")).summary == "one"
    themed(tmp_path, "summary = 'two'")
    os.utime(tmp_path / "theme.toml", ns=(1, 1))
    assert theme_of(tmp_path).summary == "two"


# ---- the command ----------------------------------------------------------------------------------


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    run = [sys.executable, "-m", "render.cli", *arguments]
    return subprocess.run(run, capture_output=True, text=True, timeout=120, check=False)


def test_a_bundled_theme_goes_by_its_name(tmp_path: Path) -> None:
    done = command("render", "xor", "--to", "html,latex", "--templates", "harbour", "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "Fira Sans" in (tmp_path / "xor.html").read_text("utf-8")
    assert r"\sfdefault" in (tmp_path / "xor.tex").read_text("utf-8")


REFUSED = [
    (("--templates", "harbor"), 'did you mean "harbour"'),
    (("--templates", "harbour", "--to", "markdown"), "holds no template for markdown"),
]


@pytest.mark.parametrize(("options", "message"), REFUSED)
def test_what_would_have_no_effect_is_refused(options: tuple[str, ...], message: str, tmp_path: Path) -> None:
    done = command("render", "xor", *options, "--out", str(tmp_path / "out"))
    assert done.returncode == 2
    assert message in " ".join(done.stderr.split())
    assert not (tmp_path / "out").exists()


def test_a_faulty_theme_ends_with_2_and_writes_nothing(tmp_path: Path) -> None:
    done = command(
        "render", "xor", "--templates", str(themed(tmp_path, "[light]\nink='x'")), "--out", str(tmp_path / "o")
    )
    assert done.returncode == 2
    assert "theme.toml: light.ink: " in done.stderr
    assert not (tmp_path / "o").exists()


def test_themes_are_listed() -> None:
    from render.commands.information import KINDS

    assert "themes" in KINDS
    assert [name for name in bundled() if THEMES[name].summary] == list(bundled())
