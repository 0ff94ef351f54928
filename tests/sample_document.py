"""A document with every block and every inline in it, and with text that is hostile to every format."""

from itertools import pairwise

from derive.formula import (
    BigSum,
    Call,
    Cases,
    Derivative,
    Dots,
    Formula,
    Fraction,
    Gap,
    Group,
    Mark,
    Matrix,
    Name,
    Negative,
    Number,
    Partial,
    Power,
    Product,
    Relation,
    Side,
    Sum,
    Symbol,
    Transposed,
    Words,
    sides,
)
from render.document import (
    Choices,
    Code,
    Colored,
    Document,
    Emphasis,
    Equation,
    Figure,
    Inlines,
    Link,
    ListBlock,
    Math,
    Note,
    PageBreak,
    Paragraph,
    Progress,
    Reference,
    Section,
    Space,
    Strong,
    Table,
    Text,
)
from render.drawing import Curve, Edge, Network, Node

HOSTILE = r"""<b>&"'%_$#{}~^\input{x}{{ 7*7 }}<% x %><< y >>\VAR{z}</script><!-- -- -->"""


def name(base: str, sub: str = "", sup: str = "") -> Symbol:
    return Symbol(Name(base, sub, sup))


w5, w6, w1, b2 = name("w", "5"), name("w", "6"), name("w", "1"), name("b", "2")
out, net, target = name("out", "o1"), name("net", "o1"), name("target", "o1")
out_h1, out_h2 = name("out", "h1"), name("out", "h2")
error = name("E", "total")
one = Number("1")


def text(words: str) -> Inlines:
    return (Text(words),)


def math(formula: Formula) -> Math:
    return Math(sides(formula))


def difference() -> Formula:
    return Sum((out, Negative(target)))


CHAIN = (
    Mark(1, Partial(error, out), Words("error")),
    Mark(2, Partial(out, net), Words("squashing")),
    Mark(3, Partial(net, w5), Words("weight")),
)

EVERY_FORMULA: tuple[Formula, ...] = (
    w5,
    Number("-0.5"),
    Number("1.5e-43"),
    Sum((Product((w5, out_h1)), Product((w6, out_h2)), Product((b2, one)))),
    Product((Number("0.74136507"), Number("0.186815602"), Number("-0.593269992")), "dot"),
    Product((Matrix(((w5,), (w6,))), Matrix(((one,), (one,)))), "hadamard"),
    Negative(Sum((target, Negative(out)))),
    Fraction(one, Sum((one, Call("exp", (Negative(net),))))),
    Power(Sum((target, Negative(out))), Number("2")),
    Call("relu", (net,)),
    Call("sigma", (net,), prime=True),
    Call("sqrt", (Fraction(one, net),)),
    Call("abs", (Sum((out, Negative(target))),)),
    Call("max", (Number("0"), net)),
    Partial(error, w5),
    Relation(net, "≤", Number("0")),
    Cases(((net, Relation(net, ">", Number("0"))), (Number("0"), None))),
    BigSum(name("i"), one, name("n"), Product((name("w", "i"), name("x", "i")))),
    BigSum(name("k"), None, None, Partial(error, name("z", "k"))),
    Matrix(((Number("0.15"), Number("0.20")), (Number("0.25"), Dots()))),
    Transposed(Symbol(Name("W", "2", style="bold"))),
    Group(Sum((one, Negative(out)))),
    Sum((w5, Dots(), w6)),
    Words("for every example & 100 % of <them>"),
    Mark(1, Partial(error, out), Words("error")),
    Mark(8, out),
    Symbol(Name("y", "1", "(2)", accent="hat")),
    Symbol(Name(HOSTILE, HOSTILE, HOSTILE)),
    Call(HOSTILE, (net,)),
    Words(HOSTILE),
    Symbol(Name("delta", "o1", style="bold")),
    Symbol(Name("weights", style="code")),
    Symbol(Name("größe", "é")),
    Derivative(Call("sigma", (net,)), net),
    Derivative(Power(net, Number("2")), net, partial=True),
    Product((Gap(Number("0.4711")), Gap(Partial(error, out), HOSTILE), w5)),
)


def network() -> Network:
    columns = (("i1", "i2"), ("h1", "h2"), ("o1", "o2"))
    kinds = ("input", "unit", "unit")
    nodes = tuple(
        Node(each, kinds[c], c, r, Name(each[0], each[1]), "0.05" if c == 0 else "")
        for c, column in enumerate(columns)
        for r, each in enumerate(column)
    )
    numbers = iter(range(1, 9))
    edges = tuple(
        Edge(a, b, Name("w", str(number := next(numbers))), f"0.{10 + 5 * number}", mark=3 if number == 5 else None)
        for left, right in pairwise(columns)
        for b in right
        for a in left
    )
    return Network(nodes, edges)


def curve() -> Curve:
    return Curve(tuple((10**k, f"{0.3 / 4**k:.6f}") for k in range(5)), "steps", "error")


def forward() -> Section:
    long_sum = Sum(tuple(Product((name("w", str(k)), name("out", f"h{k}"))) for k in range(1, 9)))
    long_numbers = Sum(tuple(Product((Number(f"0.{k}5"), Number(f"0.59326999{k}")), "dot") for k in range(1, 9)))
    inner = Section(
        "sec-errors",
        (Text("The error of "), math(out)),
        (
            Equation(
                sides(
                    error,
                    Product((Fraction(one, Number("2")), Power(Group(difference()), Number("2")))),
                    Number("0.274811083"),
                ),
                "eq-error",
            ),
            Note(
                "note-half",
                (Text("Why the ½ in "), math(error), Text("?")),
                (
                    Paragraph(
                        (
                            Text(
                                "Because the 2 that comes down from the square cancels it: the derivative is then just "
                            ),
                            math(difference()),
                            Text(", see "),
                            Reference("eq-error"),
                            Text("."),
                        )
                    ),
                    Equation(sides(Partial(error, out), difference()), ""),
                ),
            ),
            Equation(sides(name("f"), EVERY_FORMULA[16]), "eq-cases"),
        ),
    )
    return Section(
        "sec-forward",
        text("The forward pass"),
        (
            Paragraph(
                (
                    Text("Each unit adds up what comes in. The "),
                    Emphasis("net input"),
                    Text(" of "),
                    math(out_h1),
                    Text(" is a weighted sum, and "),
                    Strong("nothing else"),
                    Text("; its key in the file is "),
                    Code("weights_1"),
                    Text(". Here "),
                    Math(sides(net, Sum((Product((w5, out_h1)), Product((w6, out_h2)), b2)), Number("1.105905967"))),
                    Text(", as "),
                    Reference("eq-net"),
                    Text(" says; compare "),
                    Reference("fig-network"),
                    Text(" and "),
                    Reference("tab-weights"),
                    Text("."),
                )
            ),
            Equation(sides(net, Sum((Product((w5, out_h1)), Product((w6, out_h2)), Product((b2, one))))), "eq-net"),
            Equation(sides(net, long_sum, long_numbers, Number("1.105905967")), "eq-long"),
            Equation(
                sides(out, Fraction(one, Sum((one, Call("exp", (Negative(net),))))), Side(Number("0.75136507"), "≈")),
                "eq-out",
                boxed=True,
            ),
            Figure(
                "fig-network",
                network(),
                (Text("The network, with the path of "), math(w5), Text(" drawn strong.")),
                "Two inputs, two hidden units and two outputs; every unit is joined to every unit of the next layer.",
            ),
            inner,
        ),
    )


def backward() -> Section:
    rows = tuple(
        (
            (math(name("w", str(k))),),
            (Math(sides(Number(f"0.{10 + 5 * k}"))),),
            (Math(sides(Number("0.0821670406" if k % 2 else "-0.02"))),),
            text("layer 2" if k > 4 else "layer 1"),
        )
        for k in range(1, 9)
    )
    wide = tuple(tuple(text(f"{row}.{column}23456789") for column in range(12)) for row in range(4))
    return Section(
        "sec-backward",
        text("The backward pass"),
        (
            Paragraph(
                (
                    Text("Three factors. "),
                    Colored(1, "How the error answers to the output"),
                    Text(", "),
                    Colored(2, "how the output answers to the net input"),
                    Text(", and "),
                    Colored(3, "how the net input answers to the weight"),
                    Text(". More in "),
                    Link("the article", "https://example.org/a_b?x=1&y=2#z%20"),
                    Text(", and in "),
                    Reference("sec-errors"),
                    Text("; see also the note "),
                    Reference("note-half"),
                    Text("."),
                )
            ),
            Equation(sides(Partial(error, w5), Product(CHAIN, "dot")), "eq-chain"),
            Equation(
                sides(
                    Partial(error, w5),
                    Product(
                        (Mark(1, Number("0.74136507")), Mark(2, Number("0.186815602")), Mark(3, Number("0.593269992"))),
                        "dot",
                    ),
                    Number("0.082167041"),
                ),
                "eq-result",
                boxed=True,
            ),
            Note(
                "note-minus",
                text("Where does the −1 come from?"),
                (
                    Paragraph(text("From the inner derivative of target − out, by out.")),
                    ListBlock((text("first"), (Text("then "), math(w5)))),
                ),
            ),
            Table(
                "tab-weights",
                text("All weights, before the step, and their gradients."),
                (text("weight"), text("before"), (math(Partial(error, name("w"))),), text("where")),
                rows,
                (False, True, True, False),
            ),
            Table(
                "tab-wide",
                text("A table that is wider than a line."),
                tuple(text(f"column {k}") for k in range(12)),
                wide,
                (False, *(True,) * 11),
            ),
            ListBlock((text("The outputs first."), (Text("Then "), math(out_h1), Text("."))), ordered=True),
            Progress(((Partial(error, w5), True), (Partial(error, w6), True), (Partial(error, w1), False))),
            Choices((text("It grows."), (Text("It is "), math(w5)), text(HOSTILE))),
            Choices((text("Right"), text("wrong"), text("right")), several=True, ticked=(0, 2)),
            Space(3),
            PageBreak(),
            Space(2, "frame"),
            Figure(
                "fig-curve",
                curve(),
                text("The error falls."),
                "The error against the step, on logarithmic scales, falls steadily.",
            ),
        ),
    )


def hostile() -> Section:
    line: Inlines = tuple(kind(HOSTILE) for kind in (Text, Emphasis, Strong, Code))
    return Section(
        "sec hostile/é",
        (Text(HOSTILE), math(w5)),
        (
            Paragraph((*line, Colored(9, HOSTILE), Link(HOSTILE, "https://example.org/%5Cinput{x}\"'<b>"))),
            Paragraph(
                text(
                    "Characters: ∂E/∂w ≈ 3 × 4 − δ·η, café, naïve — “so” 日本 🙂 a\u0301 \x07 \u202e tabs\tand\nlines."
                )
            ),
            Equation(sides(EVERY_FORMULA[27], EVERY_FORMULA[29]), HOSTILE),
            Table("tab-hostile", text(HOSTILE), (text(HOSTILE),), ((text(HOSTILE),), (text("[2pt] brackets"),))),
            Note("note-hostile", text(HOSTILE), (Paragraph(line),)),
            *(Equation(sides(formula)) for formula in EVERY_FORMULA),
        ),
    )


SAMPLE = Document(
    title="A step by step backpropagation example",
    subtitle=(
        Text("Two inputs, two hidden units, two outputs: every number worked out, from "),
        math(w1),
        Text(" on."),
    ),
    blocks=(
        Paragraph(
            text(
                "A network learns by asking of every weight how much the error would change if the weight did. "
                "This is that question, answered eight times."
            )
        ),
        forward(),
        backward(),
    ),
    stem="sample",
)

EVERYTHING = Document(title=HOSTILE, subtitle=text(HOSTILE), blocks=(*SAMPLE.blocks, hostile()), stem="everything")
