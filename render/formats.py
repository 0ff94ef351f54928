"""The formats that a document can be written in: one row each, and the writing of files."""

from __future__ import annotations

import base64
import os
import secrets
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import cache
from pathlib import Path

import markupsafe
from markupsafe import Markup

from derive.errors import ChainruleError, MissingDependency, unknown
from derive.formula import Side
from derive.tex import tex_equation
from derive.tex_names import LATEX, LATEX_INLINE, escape_text
from derive.width import equation_width
from render import pictures
from render.decks.height import HEIGHT, ONE_LINE, TABLE_ROOM, WIDTH, height, is_stacked
from render.decks.slides import Slide, arrange
from render.decks.views import slide
from render.document import Document, Equation, Figure
from render.figures import svg, tikz
from render.figures.svg import style_sheet
from render.font_files import Font
from render.markup import Displayed, Drawn, Format
from render.numbering import anchor
from render.theming import LATEX_FONTS, Theme, family, own_color
from render.typeset import markdown, pdf
from render.typeset.lines import display, set_lines, tex_script
from render.typeset.mathml import MATHML_INLINE, mathml
from render.typeset.page import WIDTHS, equation_html, equation_slide
from render.typeset.typst import escape_markup
from render.writer import render, theme_at

STATIC = Path(__file__).parent / "static"
INLINE_ROOM = 12.0  # em; a longer formula in a line of the page is cut at its signs, where the line may break


def _html_formula(sides: tuple[Side, ...]) -> str:
    if len(sides) == 1 or equation_width(sides, display=False) <= INLINE_ROOM:
        return mathml(tex_equation(sides, MATHML_INLINE))
    return " ".join(mathml(tex_equation((side,), MATHML_INLINE)) for side in sides)


def _html_display(equation: Equation, aside: bool) -> Displayed:
    return Displayed(equation_html(equation.sides, boxed=equation.boxed), False)


def _html_figure(figure: Figure, stem: str, theme: Theme) -> Drawn:
    return Drawn(svg(figure.drawing, id_prefix=f"{anchor(figure.identifier)}-", styled=False))


@cache
def _html_page(theme: Theme) -> dict[str, object]:
    return {"css": Markup(f"{styles('parts.css', 'page.css')}\n{style_sheet()}"), "widths": WIDTHS, **html_theme(theme)}


def styles(*names: str) -> str:
    """Style sheets of the folder ``static``, one after another."""
    return "\n\n".join((STATIC / name).read_text(encoding="utf-8").strip() for name in names)


def html_theme(theme: Theme) -> dict[str, object]:
    """What a web page takes from a theme: fonts to embed, and the values of its custom properties."""
    used = {"text": theme.text or _STIX[1:], "maths": theme.maths or _STIX[:1], "headings": theme.headings}
    fonts = [
        {
            "family": font.family,
            "style": font.style,
            "weight": font.weight,
            "kind": font.kind,
            "media": {"truetype": "ttf", "opentype": "otf"}.get(font.kind, font.kind),
            "data": base64.b64encode(font.data).decode("ascii"),
        }
        for font in dict.fromkeys((*used["maths"], *used["text"], *used["headings"]))
    ]
    own = theme.headings
    text, maths = family(used["text"]), family(used["maths"])
    properties = {
        "text": f'"{text}"',
        "maths": f'"{maths}"',
        "headings": f'"{family(own) or text}", "{text}", "STIX Two Math", serif',
        "heading-weight": str(own[0].weight if own else 400),
        "heading-style": own[0].style if own else "italic",
    }
    names = {"ink": "ink", "muted": "muted", "faint": "faint", "paper": "paper", "rule": "rule", "link": "accent"}
    colors = [
        (name, getattr(theme.light, key), getattr(theme.dark, key))
        for name, key in (names | {"heading": "heading"}).items()
    ]
    factors = zip(range(1, 7), theme.light.factors, theme.dark.factors, strict=True)
    colors += [(f"factor-{factor}", light, dark) for factor, light, dark in factors]
    return {
        "fonts": fonts,
        "properties": [(name, Markup(value)) for name, value in properties.items()],
        "colors": colors,
    }


def _slides_display(equation: Equation, aside: bool) -> Displayed:
    if aside:
        return _html_display(equation, aside)
    stacked = is_stacked(equation)
    scale = min(1.0, HEIGHT / height(equation))
    made = equation_slide(equation.sides, boxed=equation.boxed, stacked=stacked, room=WIDTH - 4, scale=scale)
    return Displayed(made, stacked)


@cache
def _slides_page(theme: Theme) -> dict[str, object]:
    scripts = [Markup((STATIC / "reveal" / name).read_text("utf-8").strip()) for name in ("reveal.js", "notes.js")]
    css = Markup(f"{styles('reveal/reveal.css', 'parts.css', 'slides.css')}\n{style_sheet()}")
    return {"css": css, "widths": (), "scripts": scripts, **html_theme(theme)}


@cache
def _stix(name: str, style: str, file: str) -> Font:
    return Font(name, style, 400, "woff2", (STATIC / file).read_bytes())


_STIX = (
    _stix("STIX Two Math", "normal", "STIXTwoMath-subset.woff2"),
    _stix("STIX Two Text", "normal", "STIXTwoText-subset.woff2"),
    _stix("STIX Two Text", "italic", "STIXTwoText-Italic-subset.woff2"),
)


def _latex_formula(sides: tuple[Side, ...]) -> str:
    return tex_equation(sides, LATEX_INLINE)


def _latex_display(equation: Equation, aside: bool) -> Displayed:
    made = display(equation.sides, LATEX, room=30.0 if aside else 34.0, boxed=equation.boxed)
    return Displayed(made.tex, made.wide)


_STEPS = replace(tex_script(LATEX), step=r"\uncover<+->{%s}", same_step=r"\uncover<.->{%s}")


def _beamer_display(equation: Equation, aside: bool) -> Displayed:
    if aside:
        return _latex_display(equation, aside)
    made = set_lines(equation.sides, _STEPS, room=ONE_LINE, boxed=equation.boxed)
    return Displayed(made.tex, made.wide)


def _beamer_page(theme: Theme) -> dict[str, object]:
    names = ("ink", "paper", "muted", "heading")
    colors = {name: getattr(theme.light, name).removeprefix("#").upper() for name in names}
    return {**_latex_page(theme), **colors, "serif": not LATEX_FONTS[theme.latex].sans}


def _latex_figure(figure: Figure, stem: str, theme: Theme) -> Drawn:
    return Drawn(tikz(figure.drawing))


def _latex_page(theme: Theme) -> dict[str, object]:
    def color(text: str) -> str:
        return text.removeprefix("#").upper()

    return {
        "colors": [(factor, color(each)) for factor, each in enumerate(theme.light.factors, 1)],
        "fonts": [Markup(line) for line in LATEX_FONTS[theme.latex].lines],
        "heading": color(own_color(theme, "heading")),
        "accent": color(theme.light.accent),
    }


FORMATS: dict[str, Format] = {
    "html": Format(
        name="html",
        suffix=".html",
        summary="one self-contained web page with MathML; needs no network and no script",
        folder="html",
        delimiters="braces",
        escape=markupsafe.escape,
        formula=_html_formula,
        display=_html_display,
        figure=_html_figure,
        picture=pictures.embedded,
        page=_html_page,
    ),
    "latex": Format(
        name="latex",
        suffix=".tex",
        summary="a LaTeX article, figures in TikZ; with --fragment a body to \\input",
        folder="latex",
        delimiters="angles",
        escape=escape_text,
        formula=_latex_formula,
        display=_latex_display,
        figure=_latex_figure,
        picture=pictures.included,
        page=_latex_page,
        table_room=38.5,
    ),
    "markdown": Format(
        name="markdown",
        suffix=".md",
        summary="Markdown for GitHub, MyST or Quarto (--flavor), with a folder of SVG figures",
        folder="markdown",
        delimiters="angles",
        escape=markdown.escape_github,
        formula=markdown.formula(markdown.GITHUB_INLINE, "$`", "`$"),
        display=markdown.display(markdown.GITHUB),
        figure=markdown.figure,
        picture=pictures.beside,
        between="\n\n",
    ),
    "pdf": Format(
        name="pdf",
        suffix=".pdf",
        summary="an accessible PDF (PDF/UA-1), made with Typst; always a whole page",
        folder="typst",
        delimiters="angles",
        escape=escape_markup,
        formula=pdf.formula,
        display=pdf.display,
        figure=pdf.figure,
        picture=pictures.drawn,
        page=pdf.page,
        encode=pdf.compile_pdf,
        missing=pdf.missing,
        table_room=37.0,
    ),
}

FORMATS["slides"] = replace(
    FORMATS["html"],
    name="slides",
    suffix="_slides.html",
    summary="slides, a step a click: one file for the browser (reveal.js inside), with notes to speak from",
    folder="html/slides",
    display=_slides_display,
    page=_slides_page,
    table_room=TABLE_ROOM,
    arrange=arrange,
    views={Slide: slide},
    by_default=False,
)

FORMATS["beamer"] = replace(
    FORMATS["latex"],
    name="beamer",
    suffix="_beamer.tex",
    summary="the same slides for LaTeX's class beamer, figures in TikZ",
    folder="latex/beamer",
    display=_beamer_display,
    page=_beamer_page,
    table_room=TABLE_ROOM,
    arrange=arrange,
    views={Slide: slide},
    by_default=False,
)

# The dialects of Markdown: GitHub's templates, and those that the others have of their own.
FLAVORS: dict[str, Format] = {
    "github": FORMATS["markdown"],
    "myst": replace(
        FORMATS["markdown"],
        folder="markdown/myst",
        escape=markdown.escape,
        formula=markdown.formula(markdown.GITHUB_INLINE, "$", "$"),
    ),
    "quarto": replace(
        FORMATS["markdown"],
        folder="markdown/quarto",
        escape=markdown.escape,
        formula=markdown.formula(markdown.QUARTO_INLINE, "$", "$"),
        display=markdown.display(markdown.QUARTO),
    ),
}


def format_named(name: str, flavor: str = "github") -> Format:
    """The row of `FORMATS` with this name, of Markdown the one of `FLAVORS`.

    Raises `ChainruleError` with the nearest name for an unknown one.
    """
    if name not in FORMATS:
        raise ChainruleError(f"format: {unknown(name, FORMATS)}")
    if flavor not in FLAVORS:
        raise ChainruleError(f"flavor: {unknown(flavor, FLAVORS)}")
    return FLAVORS[flavor] if name == "markdown" and flavor != "github" else FORMATS[name]


def render_text(
    document: Document,
    format_name: str,
    *,
    fragment: bool = False,
    templates: Path | None = None,
    flavor: str = "github",
) -> str:
    """The document as the text of one format (LaTeX source, an HTML page; for PDF the Typst source).

    ``fragment`` leaves out the page around it; ``templates`` is a folder whose files replace single
    blocks; ``flavor`` is the dialect of Markdown. Raises `ChainruleError`.
    """
    return render(document, format_named(format_name, flavor), fragment=fragment, templates=templates)[0]


def write(
    document: Document,
    format_name: str,
    path: Path | str,
    *,
    fragment: bool = False,
    templates: Path | None = None,
    flavor: str = "github",
) -> list[Path]:
    """Writes the document to ``path``, and what lies beside it; returns all paths, the document's first.

    All files or none, as in `write_files`. Raises `ChainruleError` for what cannot be written, `MissingDependency`
    for a format that needs something installed.
    """
    contents = files(document, format_name, path, fragment=fragment, templates=templates, flavor=flavor)
    write_files(contents)
    return list(contents)


def files(
    document: Document,
    format_name: str,
    path: Path | str,
    *,
    fragment: bool = False,
    templates: Path | None = None,
    flavor: str = "github",
) -> dict[Path, bytes]:
    """What `write` writes: the content of ``path`` first, then of the files that lie beside it; nothing is touched."""
    chosen = format_named(format_name, flavor)
    if lacking := chosen.missing():
        raise MissingDependency(lacking)
    text, beside = render(document, chosen, fragment=fragment, templates=templates)
    data = chosen.encode(text, theme_at(templates))
    target = Path(path)
    return {target: data} | {
        target.parent / name: each.encode() if isinstance(each, str) else each for name, each in beside.items()
    }


def write_files(contents: Mapping[Path, bytes]) -> None:
    """All files or none: each is written next to its place under another name first, and moved when all are whole.

    Folders that are not there are made. Raises `ChainruleError`, and leaves nothing behind, where a folder
    is in the place of a file, a file in the place of a folder, or something cannot be written.
    """
    check_places(contents)
    made: list[Path] = []
    waiting: dict[Path, Path] = {}
    target = Path()
    try:
        for target, data in contents.items():
            made += [folder for folder in target.parents if not folder.exists()]
            target.parent.mkdir(parents=True, exist_ok=True)
            beside = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
            with beside.open("xb") as file:
                waiting[target] = beside
                file.write(data)
        for target, beside in list(waiting.items()):
            beside.replace(target)
            del waiting[target]
        made.clear()
    except OSError as error:
        raise ChainruleError(f"{target}: cannot be written: {error.strerror or error}") from error
    finally:
        for beside in waiting.values():
            beside.unlink(missing_ok=True)
        for folder in made:
            with suppress(OSError):  # not empty: somebody else's by now
                folder.rmdir()


def check_places(targets: Iterable[Path]) -> None:
    """Raises `ChainruleError` for the first file that something else is in the way of; nothing is touched."""
    for target in targets:
        if target.is_dir():
            raise ChainruleError(f"{target}: cannot be written: it is a folder")
        there = next((folder for folder in target.absolute().parents if folder.exists()), target)
        if not there.is_dir():
            raise ChainruleError(f"{target}: cannot be written: {there} is a file; a folder is expected")
        if not os.access(there, os.W_OK | os.X_OK):
            raise ChainruleError(f"{target}: cannot be written: permission denied in {there}")
