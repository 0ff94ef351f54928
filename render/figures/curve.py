"""The curve of the error against the training step: axes, decades, end points.

Both axes are logarithmic; step 0, which has no logarithm, stands at the left edge, behind a break of
the axis. Logarithms are decimal, so that an error of 1.5e-4343 has its place and every machine draws
the same curve.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Context, Decimal, InvalidOperation, localcontext

from derive.errors import ChainruleError, shown
from derive.formula import Number, Symbol, Words
from render.drawing import Curve
from render.figures.letters import place
from render.figures.placed import MARGIN, Box, Label, Line, Placed, Point, Shape, box_around, hull
from render.figures.routes import length_within
from render.figures.scales import Scale, brief, error_scale, step_marks

RIGHT, BOTTOM = 450.0, 240.0  # the axes run from (0, 0) to here
BREAK = 46.0  # from step 0 to step 1
BINS = 80  # of the width; of many points in one bin only the lowest and the highest are drawn
LONGEST_VALUE = 13  # characters; a longer one is rounded
ARITHMETIC = Context(prec=28, Emin=-(10**12), Emax=10**12)

Reading = tuple[int, Decimal, str]


def curve_layout(curve: Curve) -> Placed:
    """Axes with their numbers, the curve, and its two ends with their values; errors: ChainruleError."""
    with localcontext(ARITHMETIC):
        readings = read_points(curve)
        finite = [reading for reading in readings if reading[1].is_finite()]
        if not finite:
            raise ChainruleError("drawing: a curve needs at least one finite error")
        scale = error_scale([error for _, error, _ in finite])
        first, last = finite[0][0], finite[-1][0]
        places = [(step_position(step, first, last), height(scale.position(error))) for step, error, _ in finite]
        axes, numbers = axis_lines(scale, first, last)
    line = Line(tuple(thinned(places)), "curve")
    ends = [(0, finite[0][2])] + ([(len(places) - 1, finite[-1][2])] if len(places) > 1 else [])
    labels = [*numbers, *titles(curve, numbers), *remarks(scale, readings, finite)]
    for index, text in ends:
        labels.append(end_label(places[index], text, line, labels))
    discs = [Shape(f"end.{index}", "dot", box_around(*places[index], 3.5, 3.5)) for index, _ in ends]
    return framed_curve([*axes, line], discs, labels)


def read_points(curve: Curve) -> list[Reading]:
    """The points in the order of their steps; errors: ChainruleError for one that is no number."""
    readings = []
    for step, text in sorted(curve.points):
        try:
            readings.append((step, Decimal(text), text))
        except InvalidOperation:
            raise ChainruleError(f"drawing: the error at step {step}: found {shown(text)}, not a number") from None
        if step < 0:
            raise ChainruleError(f"drawing: steps count from 0, found {step}")
    return readings


def step_position(step: int, first: int, last: int) -> float:
    """Where a step stands across: 0 at the left edge, from 1 to the last one by logarithm."""
    start = BREAK if first == 0 else 0.0
    if step == 0:
        return 0.0
    if last == 1:
        return RIGHT
    return start + float(Decimal(step).log10() / Decimal(last).log10()) * (RIGHT - start)


def height(share: Decimal) -> float:
    """The y of a place on the vertical scale."""
    return BOTTOM * (1 - float(round(share, 6)))


def axis_lines(scale: Scale, first: int, last: int) -> tuple[list[Line], list[Label]]:
    """The axes with ticks and numbers, faint lines across, and the break between step 0 and step 1."""
    lines = [Line(((0.0, 0.0), (0.0, BOTTOM)), "axis")]
    labels = []
    broken = first == 0 and last > 0
    ends = ((0.0, BREAK / 2 - 3), (BREAK / 2 + 3, RIGHT)) if broken else ((0.0, RIGHT),)
    lines += [Line(((x0, BOTTOM), (x1, BOTTOM)), "axis") for x0, x1 in ends]
    if scale.kind == "log" and scale.floor:
        y = height(scale.floor / 2)
        lines += [Line(((-5.0, y + k + 3), (5.0, y + k - 3)), "axis") for k in (-3.0, 3.0)]
    if broken:
        lines += [Line(((x - 3, BOTTOM + 5), (x + 3, BOTTOM - 5)), "axis") for x in (BREAK / 2 - 3, BREAK / 2 + 3)]
    for mark, formula in scale.ticks:
        y = height(scale.position(mark))
        if y < BOTTOM:
            lines.append(Line(((0.0, y), (RIGHT, y)), "grid"))
        lines.append(Line(((-5.0, y), (0.0, y)), "axis"))
        labels.append(place(formula, -9.0, y, "value", "end"))
    steps = ([(Decimal(0), Number("0"))] if first == 0 else []) + (step_marks(last) if last > 0 else [])
    for step, formula in steps:
        x = step_position(int(step), first, last)
        lines.append(Line(((x, BOTTOM), (x, BOTTOM + 5)), "axis"))
        labels.append(place(formula, x, BOTTOM + 16, "value"))
    return lines, labels


def titles(curve: Curve, numbers: list[Label]) -> list[Label]:
    """What the axes measure: below the one, over the other."""
    left = min(label.box.left for label in numbers)
    found = [place(Words(curve.x_label), RIGHT / 2, BOTTOM + 38, "note")]
    if curve.y_label:
        found.append(place(Words(curve.y_label), left, -22.0, "note", "start"))
    if curve.y_name is not None:
        start = found[-1].box.right + 3.0 if curve.y_label else left
        found.append(place(Symbol(curve.y_name), start, -22.0, "note", "start"))
    return found


def remarks(scale: Scale, readings: list[Reading], finite: list[Reading]) -> list[Label]:
    """What a reader must know about points that have no place on a logarithmic scale."""
    found = []
    if scale.kind == "zero":
        found.append("The error is 0 throughout; a logarithmic scale has no 0.")
    elif scale.floor:
        found.append("An error of 0 has no logarithm; it is drawn on the lowest line.")
    elif scale.kind == "linear":
        found.append("The error is negative in places, so its scale is not logarithmic.")
    if len(finite) < len(readings):
        step = next(step for step, error, _ in readings if not error.is_finite())
        found.append(f"From step {step} on the error is not always a finite number.")
    return [place(Words(text), 0.0, BOTTOM + 60 + 17 * k, "note", "start") for k, text in enumerate(found)]


def end_label(point: Point, text: str, line: Line, others: list[Label]) -> Label:
    """The value at an end of the curve, on the side where the curve does not run."""
    x, y = point
    anchor = "start" if x < RIGHT / 2 else "end"
    aside = 9.0 if anchor == "start" else -9.0
    formula = Number(rounded(text))
    tries = [
        place(formula, x + dx, y + dy, "value", anchor) for dx in (aside, 0.0) for dy in (-13.0, 14.0, -26.0, 27.0)
    ]

    def price(label: Label) -> float:
        crossed = sum(length_within(piece, label.box) for piece in line.pieces())
        outside = 50.0 * (label.box.bottom > BOTTOM) + 50.0 * (label.box.right > RIGHT + 4)
        return crossed + outside + 100.0 * sum(label.box.overlaps(other.box) for other in others)

    return replace(min(tries, key=price), backed=True)


def rounded(text: str) -> str:
    """An error as it is where that is short, else to six significant digits."""
    if len(text) <= LONGEST_VALUE:
        return text
    with localcontext(ARITHMETIC) as context:
        context.prec = 6
        return brief(+Decimal(text))


def thinned(places: list[Point]) -> list[Point]:
    """The points to draw: of very many, the lowest and the highest in each narrow strip."""
    if len(places) <= 2 * BINS:
        return places
    kept: list[Point] = []
    strips: dict[int, list[Point]] = {}
    for point in places[1:-1]:
        strips.setdefault(int(point[0] * BINS / RIGHT), []).append(point)
    for strip in strips.values():
        kept += sorted({min(strip, key=lambda p: p[1]), max(strip, key=lambda p: p[1])})
    return [places[0], *kept, places[-1]]


def framed_curve(lines: list[Line], discs: list[Shape], labels: list[Label]) -> Placed:
    """Everything moved so that a margin is left all round."""
    frame = hull([*(label.box for label in labels), *(disc.box for disc in discs), Box(0.0, 0.0, RIGHT, BOTTOM)])
    dx, dy = MARGIN - frame.left, MARGIN - frame.top
    return Placed(
        frame.right + dx + MARGIN,
        frame.bottom + dy + MARGIN,
        tuple(replace(line, points=tuple((x + dx, y + dy) for x, y in line.points)) for line in lines),
        tuple(replace(disc, box=disc.box.moved(dx, dy)) for disc in discs),
        tuple(replace(label, x=label.x + dx, y=label.y + dy, box=label.box.moved(dx, dy)) for label in labels),
    )
