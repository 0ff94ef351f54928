"""A placed drawing as SVG: real text, classes for the page's colours, right in light and dark on its own."""

from __future__ import annotations

from xml.sax.saxutils import escape

from derive.tex_names import clean
from render.drawing import Drawing
from render.figures.layout import layout
from render.figures.letters import SIZES, Run, runs
from render.figures.placed import WIDTH, Box, Label, Line, Placed, Shape

# The colours of the chain rule's factors 1 to 6, on white and on black: told apart with every common colour vision.
LIGHT = ("#0d6cc0", "#b3560a", "#12806a", "#6b1c60", "#4f4600", "#17127d")
DARK = ("#58aef2", "#f8923c", "#2bbf8a", "#ffbdf0", "#f5e87a", "#8f74ff")
# Colours that are not a factor's: class, the page's custom property, on white, on black.
TONES = (("ink", "--ink", "#222222", "#e4e4e4"), ("soft", "--muted", "#6b6b6b", "#a3a3a3"))
FAINT = ("--faint", "#b4b4b4", "#5c5c5c")
PAPER = ("--paper", "#ffffff", "#141414")
FONTS = '"STIX Two Text","STIX Two Math","Latin Modern Roman","New Computer Modern","Times New Roman",Times,serif'
# Dashes of a marked line, by factor, so that the factors differ without colour too.
DASHES = ("", "9 3", "9 3 2 3", "2.5 3", "14 4", "14 3 2 3 2 3")
FACTORS = len(LIGHT)
BROAD = 550.0  # a wider drawing cannot be made as narrow as a phone without its letters becoming too small

HEADS = {"fine": (7.0, 5.0), "thin": (9.0, 6.5), "bold": (12.0, 10.0)}  # arrowheads: length and width


def factor(mark: int) -> int:
    """The colour of a factor, 1 to 6; a seventh factor starts again at the first."""
    return (mark - 1) % FACTORS + 1


def style_sheet(factors: tuple[str, ...] = LIGHT, family: str = "", *, plain: bool = False) -> str:
    """The styles inside a figure; plain colours first, for viewers that know no custom properties.

    ``factors`` and ``family`` are a theme's colours and font, where it has its own; ``plain`` leaves it at the
    plain colours: for a file that is shown on a white page, whose styles reach into no picture.
    """
    fonts = f'"{family}",{FONTS}' if family else FONTS
    base = [
        f"svg.drawing{{max-width:100%;height:auto;color:{TONES[0][2]};"
        f"font-family:{fonts};font-variant-numeric:lining-nums tabular-nums}}",
        "svg.drawing text{fill:currentColor}",
        "svg.drawing path{fill:none;stroke:currentColor;stroke-width:1.1;stroke-linejoin:round}",
        "svg.drawing .head{fill:currentColor;stroke:none}",
        "svg.drawing .node{fill:#ffffff;stroke-width:1.4}",
        "svg.drawing .bold{stroke-width:2.6}",
        "svg.drawing .rail{stroke-width:3.6}",
        "svg.drawing .rail.bold{stroke-width:5.4}",
        "svg.drawing .paper{fill:#ffffff;stroke:none}",
        "svg.drawing .gap{stroke:#ffffff;stroke-width:1.5}",
        "svg.drawing .gap.bold{stroke-width:2}",
        "svg.drawing .dot{fill:currentColor;stroke:none}",
        "svg.drawing .curve{stroke-width:2}",
        "svg.drawing .fine{stroke-width:.8}",
        "svg.drawing .grid{stroke-width:.7;stroke-dasharray:1 3;stroke-opacity:.7}",
        "svg.drawing .i{font-style:italic}",
        *(f"svg.drawing .{name}{{color:{light}}}" for name, _, light, _ in TONES[1:]),
        f"svg.drawing .faint{{color:{FAINT[1]}}}",
        f"svg.drawing text.faint{{color:{TONES[1][2]}}}",
        *(f"svg.drawing .factor{k}{{color:{colour}}}" for k, colour in enumerate(factors, 1)),
    ]
    if plain:
        return "".join(base)
    night = f"@media screen and (prefers-color-scheme:dark){{{themed(1)}}}"
    return "".join([*base, f"@media all{{{themed(0)}}}", night])


def themed(scheme: int) -> str:
    """The page's custom properties for every colour, with our own colour where the page has none."""
    ink, soft = TONES
    paper = f"var({PAPER[0]},{PAPER[1 + scheme]})"
    rules = [
        f"svg.drawing{{color:var({ink[1]},{ink[2 + scheme]})}}",
        f"svg.drawing .soft{{color:var({soft[1]},{soft[2 + scheme]})}}",
        f"svg.drawing .faint{{color:var({FAINT[0]},{FAINT[1 + scheme]})}}",
        f"svg.drawing .paper,svg.drawing .node{{fill:{paper}}}",
        f"svg.drawing text.faint{{color:var({soft[1]},{soft[2 + scheme]})}}",
        f"svg.drawing .gap{{stroke:{paper}}}",
        *(
            f"svg.drawing .factor{k}{{color:var(--factor-{k},{(LIGHT, DARK)[scheme][k - 1]})}}"
            for k in range(1, FACTORS + 1)
        ),
    ]
    return "".join(rules)


def svg(drawing: Drawing, *, id_prefix: str = "", title: str = "", styled: bool = True, styles: str = "") -> str:
    """A drawing as one `<svg>` element.

    ``id_prefix`` keeps the identifiers of several figures in one page apart; ``title`` is what a
    screen reader says; ``styled`` is False in a page that has the `style_sheet` already. Colours come
    from ``styles``, else from the page's custom properties ``--ink``, ``--muted``, ``--faint``, ``--paper`` and
    ``--factor-1`` to ``--factor-6``, where it has them. ``--width`` is the drawing's own width, for a page that has to
    shrink it.
    """
    placed = layout(drawing)
    prefix = "".join(character for character in id_prefix if character.isalnum() or character in "-_")
    shown = min(1.0, WIDTH / placed.width)
    width = number(placed.width * shown)
    size = f'width="{width}" height="{number(placed.height * shown)}" style="--width:{width}px"'
    broad = " broad" if placed.width * shown > BROAD else ""
    heading = f"<title>{escape(clean(title))}</title>" if title else ""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="drawing{broad}" '
        f'viewBox="0 0 {number(placed.width)} {number(placed.height)}" {size}>',
        heading + (f"<style>{styles or style_sheet()}</style>" if styled else ""),
        arrowheads(placed, prefix),
        f'<path class="paper" d="M0 0H{number(placed.width)}V{number(placed.height)}H0Z"/>',
        *(line_path(line, prefix) for line in placed.lines),
        *(shape_path(shape) for shape in placed.shapes),
        *(label_text(label) for label in placed.labels),
        "</svg>",
    ]
    return "\n".join(part for part in parts if part) + "\n"


def number(value: float) -> str:
    """A length with at most two decimals, the same on every machine."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def tone(mark: int | None, faint: bool) -> str:
    """The class that colours a thing."""
    return "faint" if faint else f"factor{factor(mark)}" if mark is not None else "ink"


def classes(*names: str) -> str:
    """A class attribute; the ink is the figure's own colour and needs no class."""
    kept = " ".join(name for name in names if name and name != "ink")
    return f' class="{kept}"' if kept else ""


def head_of(line: Line) -> tuple[str, str]:
    """The size and the colour of a line's arrowhead."""
    if line.style == "fine" and not line.faint:
        return ("fine", "soft")
    return ("bold" if line.mark is not None and not line.faint else "thin", tone(line.mark, line.faint))


def arrowheads(placed: Placed, prefix: str) -> str:
    """The arrowheads that the figure's lines use."""
    markers = []
    for weight, colour in sorted({head_of(line) for line in placed.lines if line.head}):
        length, across = HEADS[weight]
        tip, half, notch = number(length), number(across / 2), number(length * 0.2)
        markers.append(
            f'<marker id="{prefix}{weight}-{colour}" markerUnits="userSpaceOnUse" orient="auto" '
            f'markerWidth="{tip}" markerHeight="{number(across)}" refX="{number(length * 0.55)}" refY="{half}">'
            f'<path{classes("head", colour)} d="M0 0L{tip} {half}L0 {number(across)}L{notch} {half}Z"/></marker>'
        )
    return f"<defs>{''.join(markers)}</defs>" if markers else ""


def line_path(line: Line, prefix: str) -> str:
    """A line; one that flows backward is drawn as two rails."""
    bold = "bold" if line.mark is not None and not line.faint else ""
    rail = "rail" if line.style == "backward" else ""
    kind = {"axis": "soft", "grid": "grid soft", "curve": "curve", "fine": "fine soft"}.get(line.style, "")
    dash = DASHES[factor(line.mark) - 1] if line.mark is not None and not line.faint else ""
    dashed = f' stroke-dasharray="{dash}"' if dash and not rail else ""
    path = path_of(line)
    colour = "" if kind.endswith("soft") and not line.faint else tone(line.mark, line.faint)
    end = f' marker-end="url(#{prefix}{"-".join(head_of(line))})"' if line.head else ""
    if not rail:
        return f'<path{classes(kind, colour, bold)}{dashed} d="{path}"{end}/>'
    rails = f'<path{classes(rail, colour, bold)} d="{path}"/>'
    hollow = f'<path{classes("gap", bold)} d="{path}"{end}/>'
    return rails + hollow


def path_of(line: Line) -> str:
    """The path of a line, ending a little before the point of its arrowhead."""
    points = list(line.points)
    if line.head:
        length = HEADS[head_of(line)[0]][0] * 0.45
        (x0, y0), (x1, y1) = points[-2], points[-1]
        distance = ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5 or 1.0
        points[-1] = (x1 - (x1 - x0) / distance * length, y1 - (y1 - y0) / distance * length)
    pairs = [f"{number(x)} {number(y)}" for x, y in points]
    return f"M{pairs[0]}{'C' if line.curved else 'L'}{' '.join(pairs[1:])}"


def shape_path(shape: Shape) -> str:
    """The outline of a node."""
    if shape.outline == "plain":
        return ""
    colour = tone(shape.mark, shape.faint)
    bold = "bold" if shape.mark is not None and not shape.faint else ""
    dash = ' stroke-dasharray="4 3"' if shape.dashed else ""
    kind = "dot" if shape.outline == "dot" else "node"
    return f'<path{classes(kind, colour, bold)}{dash} d="{outline_path(shape.outline, shape.box)}"/>'


def outline_path(outline: str, box: Box) -> str:
    """Straight sides, and arcs where the outline is round."""
    left, top, right, bottom = (number(side) for side in (box.left, box.top, box.right, box.bottom))
    radius = 5.0 if outline == "square" else (box.bottom - box.top) / 2
    r = number(radius)
    inner_left, inner_right = number(box.left + radius), number(box.right - radius)
    upper, lower = number(box.top + radius), number(box.bottom - radius)
    arc = f"A{r} {r} 0 0 1 "
    east = f"{arc}{right} {upper}V{lower}{arc}{inner_right} {bottom}"
    west = f"{arc}{left} {lower}V{upper}{arc}{inner_left} {top}"
    if outline == "left":
        return f"M{inner_left} {top}H{right}V{bottom}H{inner_left}{west}Z"
    if outline == "right":
        return f"M{left} {top}H{inner_right}{east}H{left}Z"
    return f"M{inner_left} {top}H{inner_right}{east}H{inner_left}{west}Z"


def label_text(label: Label) -> str:
    """A label as text, with a backing in the page's colour where lines pass behind it."""
    size = SIZES[label.size]
    colour = "soft" if label.size == "note" and label.mark is None else tone(label.mark, label.faint)
    spans = "".join(span_chain(runs(label.formula, size), size))
    anchor = "" if label.anchor == "start" else f' text-anchor="{label.anchor}"'
    where = f'x="{number(label.x)}" y="{number(label.y)}"{anchor} font-size="{number(size)}"'
    text = f"<text{classes(colour)} {where}>{spans}</text>"
    if not label.backed:
        return text
    box = label.box
    backing = f"M{number(box.left)} {number(box.top)}H{number(box.right)}V{number(box.bottom)}H{number(box.left)}Z"
    return f'<path class="paper" d="{backing}"/>{text}'


def span_chain(letters: tuple[Run, ...], size: float) -> list[str]:
    """Runs of letters as tspans, each lifted relative to the one before."""
    spans = []
    rise = 0.0
    for run in letters:
        attributes = []
        if run.back:
            attributes.append(f'dx="{number(-run.back)}"')
        if run.rise != rise:
            attributes.append(f'dy="{number(rise - run.rise)}"')
        if run.size != size:
            attributes.append(f'font-size="{number(run.size)}"')
        if run.italic:
            attributes.append('class="i"')
        if run.bold:
            attributes.append('font-weight="bold"')
        rise = run.rise
        written = escape(run.text)
        spans.append(f"<tspan {' '.join(attributes)}>{written}</tspan>" if attributes else written)
    return spans
