"""A placed drawing as TikZ: plain pictures at absolute places, their labels set as the page's formulas."""

from __future__ import annotations

from derive.tex import tex
from render.drawing import Drawing
from render.figures.layout import layout
from render.figures.placed import WIDTH, Label, Line, Placed, Point, Shape
from render.figures.svg import factor

WIDEST = 16.0  # centimetres, for a figure of full width
POINTS_PER_CM = 28.45274

SIZES = {"name": (10, 12), "edge": (9, 11), "value": (8, 9.5), "note": (8, 9.5)}  # font size and line distance
DASHES = (
    "",
    "on 6pt off 2pt",
    "on 6pt off 2pt on 1.4pt off 2pt",
    "on 1.7pt off 2pt",
    "on 9pt off 3pt",
    "on 9pt off 2pt on 1.4pt off 2pt",
)
STYLES = (
    r"figure edge/.style={line width=.7pt}",
    r"figure fine/.style={line width=.5pt}",
    r"figure bold/.style={line width=1.6pt}",
    r"figure head/.style={-{Stealth[length=5.5pt,width=4pt]}}",
    r"figure fine head/.style={-{Stealth[length=4.5pt,width=3.2pt]}}",
    r"figure bold head/.style={-{Stealth[length=7.5pt,width=6pt]}}",
    r"figure backward/.style={double,double distance=1pt}",
    r"figure axis/.style={black!60,line width=.5pt}",
    r"figure grid/.style={black!22,line width=.4pt,densely dotted}",
    r"figure curve/.style={line width=1.1pt,line join=round}",
    r"figure text/.style={anchor=base,inner sep=1.2pt,outer sep=0pt}",
)


def tikz(drawing: Drawing) -> str:
    """A drawing as a `tikzpicture`, never wider than the line that it stands in.

    It needs the package tikz with the library arrows.meta, what the formulas need (amsmath), and
    the colours factor1 to factor6.
    """
    placed = layout(drawing)
    unit = WIDEST / max(WIDTH, placed.width)
    width = placed.width * unit
    lines = [
        r"\begingroup%",
        rf"\pgfmathsetmacro{{\figurescale}}{{min(1,\linewidth/{width * POINTS_PER_CM:.2f}pt)}}%",
        r"\begin{tikzpicture}[scale=\figurescale,every node/.append style={transform shape},",
        "  " + ",\n  ".join(STYLES) + "]",
        rf"\useasboundingbox (0,0) rectangle ({width:.3f},{placed.height * unit:.3f});",
        *(line_path(line, placed, unit) for line in placed.lines),
        *(shape_path(shape, placed, unit) for shape in placed.shapes if shape.outline != "plain"),
        *(label_node(label, placed, unit) for label in placed.labels),
        r"\end{tikzpicture}%",
        r"\endgroup",
    ]
    return "\n".join(lines) + "\n"


def at(point: Point, placed: Placed, unit: float) -> str:
    """A point in centimetres, y upwards."""
    return f"({point[0] * unit:.3f},{(placed.height - point[1]) * unit:.3f})"


def colour(mark: int | None, faint: bool) -> str:
    """The colour of a thing."""
    return "black!32" if faint else f"factor{factor(mark)}" if mark is not None else "black!85"


def line_path(line: Line, placed: Placed, unit: float) -> str:
    """A line or a curve, with its arrowhead."""
    bold = line.mark is not None and not line.faint
    options = (
        [f"figure {line.style}"]
        if line.style in ("fine", "axis", "grid", "curve")
        else ["figure bold" if bold else "figure edge"]
    )
    if line.style not in ("axis", "grid"):
        fine = line.style == "fine" and not line.faint
        options.append(f"draw={'black!60' if fine else colour(line.mark, line.faint)}")
    if line.style == "backward":
        options.append("figure backward")
    elif bold and line.mark is not None and (dash := DASHES[factor(line.mark) - 1]):
        options.append(f"dash pattern={dash}")
    if line.head:
        options.append("figure bold head" if bold else "figure fine head" if line.style == "fine" else "figure head")
    places = [at(point, placed, unit) for point in line.points]
    curve = f"{places[0]} .. controls {places[1]} and {places[2]} .. {places[-1]}" if line.curved else ""
    path = curve or " -- ".join(places)
    return rf"\draw[{','.join(options)}] {path};"


def shape_path(shape: Shape, placed: Placed, unit: float) -> str:
    """The outline of a node."""
    box = shape.box
    tone = colour(shape.mark, shape.faint)
    bold = "figure bold" if shape.mark is not None and not shape.faint else "figure edge"
    corner, opposite = at((box.left, box.bottom), placed, unit), at((box.right, box.top), placed, unit)
    radius = (box.bottom - box.top) / 2
    if shape.outline == "dot":
        return rf"\fill[{tone}] {at(box.centre, placed, unit)} circle[radius={radius * unit:.3f}];"
    options = [bold, f"draw={tone}", "fill=white", *(["densely dashed"] if shape.dashed else [])]
    if shape.outline in ("left", "right"):
        turn = f"arc[start angle={90 if shape.outline == 'left' else -90},delta angle=180,radius={radius * unit:.3f}]"
        straight, round_end = (
            (box.right, box.left + radius) if shape.outline == "left" else (box.left, box.right - radius)
        )
        first, last = (box.top, box.bottom) if shape.outline == "left" else (box.bottom, box.top)
        corners = [at(point, placed, unit) for point in ((straight, first), (round_end, first), (straight, last))]
        return rf"\draw[{','.join(options)}] {corners[0]} -- {corners[1]} {turn} -- {corners[2]} -- cycle;"
    rounding = 5.0 if shape.outline == "square" else radius
    options.append(f"rounded corners={rounding * unit * POINTS_PER_CM:.2f}pt")
    if shape.outline == "round" and box.right - box.left == box.bottom - box.top:
        options.pop()
        return rf"\draw[{','.join(options)}] {at(box.centre, placed, unit)} circle[radius={radius * unit:.3f}];"
    return rf"\draw[{','.join(options)}] {corner} rectangle {opposite};"


def label_node(label: Label, placed: Placed, unit: float) -> str:
    """A label on its base line; its words are escaped by the printer of formulas."""
    size, skip = SIZES[label.size]
    note = label.size == "note" and label.mark is None
    tone = "black!65" if note or label.faint else colour(label.mark, label.faint)
    anchor = {"start": "base west", "middle": "base", "end": "base east"}[label.anchor]
    options = ["figure text", f"text={tone}", rf"font=\fontsize{{{size}}}{{{skip}}}\selectfont"]
    if anchor != "base":
        options.append(f"anchor={anchor}")
    if label.backed:
        options.append("fill=white")
    return rf"\node[{','.join(options)}] at {at((label.x, label.y), placed, unit)} {{${tex(label.formula)}$}};"
