"""Sheets made by hand, with every kind of answer and with text that is hostile to every format of an export."""

from dataclasses import replace

from derive.formula import Call, Fraction, Name, Number, Partial, Power, Product, Sum, Symbol, Words, sides
from derive.problem import load
from render.document import (
    Code,
    Emphasis,
    Equation,
    Figure,
    Link,
    ListBlock,
    Math,
    Paragraph,
    Reference,
    Strong,
    Table,
    Text,
)
from render.drawing import Edge, Network, Node
from render.exercises.model import (
    ChoiceAnswer,
    Exercise,
    Feedback,
    FormulaAnswer,
    Item,
    NumberAnswer,
    Option,
    OrderAnswer,
    Part,
    Sheet,
    SolutionStep,
)

HOSTILE = "<b>&\"'{1:SA:=x}#~\\%$=]]> \\(x\\) $$y$$ {#1} \x00\x1b\ud800 \\} \\~ ½ 数 é 😀 &amp;lt; [blank1]"
LAYER = "2"
w5, out, error = (Symbol(Name(*each)) for each in (("w", "5"), ("out", "h1"), ("E",)))
SLOPE = Partial(error, w5)
LABEL = (Math(sides(SLOPE)),)


def feedback(value: str, words: str, points: int = 1) -> Feedback:
    return Feedback(((f"m{value}", LAYER),), value, value if "e" in value else value[:7], words, points)  # type: ignore[arg-type]


def number(value: str, tolerance: str, *mistakes: Feedback) -> NumberAnswer:
    return NumberAnswer(
        "dE/dw5",
        value,
        value if "e" in value else value[:11],
        "4 significant digits",
        tolerance,
        mistakes,
        "W2",
        (0, 0),
        "gradients",
    )


def network(value: str) -> Figure:
    nodes = (Node("a", "input", 0, 0, Name("x", "1"), value), Node("b", "unit", 1, 0, Name("h", "1")))
    drawing = Network(nodes, (Edge("a", "b", Name("w", "1"), "0.15"),))
    return Figure("net", drawing, (Text("The net & <all>"),), 'A "net" of <two> units & one arrow')


def statement(value: str) -> tuple:
    rows = ((LABEL, (Math(sides(Number(value))),)), ((Text(HOSTILE),), (Math(sides(Number("-1.5e-7"))),)))
    return (
        Paragraph((Text(f"Here is {HOSTILE}, see "), Reference("net"), Text(" and "), Reference("eq"), Text("."))),
        Equation(sides(error, Product((Number("0.5"), Power(Sum((out, w5)), Number("2"))))), "eq"),
        network(value),
        Table("numbers", (Text("Numbers"),), ((Text("name"),), (Text("value"),)), rows, (False, True)),
        ListBlock(
            ((Strong("bold"), Code("W[0] <= {x}")), (Emphasis("so"), Link("here", "https://example.org/?a=1&b=2")))
        ),
    )


def solution() -> tuple[SolutionStep, ...]:
    line = Equation(sides(SLOPE, Fraction(out, w5), Words(HOSTILE), Call("relu", (w5,))), "result", True)
    return (SolutionStep((Paragraph((Text("By the chain rule, "), Reference("result"))), line), 2, (Text("all"),)),)


def number_exercise(value: str = "0.082167040564230774") -> Exercise:
    mistakes = (
        feedback("0.16433408112846155", f"The ½ was kept {HOSTILE}"),
        feedback("-0.082167040564230774", "A sign.", 0),
    )
    item = Item("", LABEL, number(value, "0.00003", *mistakes), 2)
    return Exercise("gradient", f"One gradient {HOSTILE}", (Paragraph((Text("Compute."),)),), (item,), solution())


def tiny_exercise(value: str = "0.0000043480000000000001") -> Exercise:
    item = Item("", LABEL, number(value, "0.000000002", feedback("8.696e-6", "Twice too much.")), 3)
    return Exercise("gradient", "A tiny gradient", (Paragraph((Text("Compute."),)),), (item,), solution())


def table_exercise(value: str = "-1.5") -> Exercise:
    items = (
        Item("a", LABEL, number(value, "0.001", feedback("3", f"Twice {HOSTILE}"), feedback("4", "ends in \\", 0)), 2),
        Item("b", (Text(HOSTILE),), number("1.25e-43", "1e-46"), 1),
        Item("c", (Text("Which?"),), choice(), 1),
        Item("d", (Text("Which ones?"),), several(), 1),
    )
    return Exercise("table", "Backward pass / all", (Paragraph((Text("Fill in."),)),), items, solution())


def choice() -> ChoiceAnswer:
    words = "No: " + HOSTILE
    return ChoiceAnswer(
        (Option((Text(HOSTILE),), False, words), Option(LABEL, True), Option((Text("=50%"),), False, "No."))
    )


def several() -> ChoiceAnswer:
    options = (Option(LABEL, True), Option((Text("two"),), True, "Yes."), Option((Text("three \\"),), False, "No"))
    return ChoiceAnswer((*options, Option((Text("four"),), True)), several=True)


def choice_exercise(answer: ChoiceAnswer | None = None) -> Exercise:
    item = Item("", (), answer or choice(), 4)
    return Exercise("choice", "A choice", (Paragraph((Text("Choose."),)),), (item,), solution())


def dropdowns_exercise() -> Exercise:
    items = (Item("a", (Text("first"),), choice(), 2), Item("b", (Text("second"),), choice(), 2))
    return Exercise("paths", "Two choices", (Paragraph((Text("Choose."),)),), items, solution())


def order_exercise(*any_of: tuple[int, ...]) -> Exercise:
    answer = OrderAnswer(((Text("net"),), LABEL, (Text(HOSTILE),)), (2, 0, 1), any_of)
    item = Item("", (Text("From the error back"),), answer, 3)
    return Exercise("order", "Order the factors", (Paragraph((Text("Order."),)),), (item,), solution())


def formula_exercise() -> Exercise:
    answer = FormulaAnswer(Product((out, w5)), "out_h1*w5 <&>")
    return Exercise("symbols", "A formula", (Paragraph((Text("Derive."),)),), (Item("", LABEL, answer, 5),), solution())


def mixed_exercise() -> Exercise:
    items = (*table_exercise().items[:2], *order_exercise().items, *formula_exercise().items)
    lettered = tuple(replace(item, letter=letter) for letter, item in zip("abcd", items, strict=True))
    return Exercise("mixed", "All of it", (Paragraph((Text("Do."),)),), lettered, solution())


def exercises(step: int = 0) -> tuple[Exercise, ...]:
    return (
        number_exercise(f"0.0{82167040564230774 + step}"),
        tiny_exercise(f"0.000004348{step}00000000001"),
        table_exercise(f"-1.5{step}"),
        choice_exercise(),
        choice_exercise(several()),
        dropdowns_exercise(),
        order_exercise(),
        order_exercise((0, 2, 1)),
        formula_exercise(),
        mixed_exercise(),
    )


def sheet(number_: int = 1, seed: int = 7) -> Sheet:
    problem = replace(load("mazur"), title=f"A problem / {HOSTILE}")
    other = replace(load("xor"), title="Another")
    parts = (
        Part(problem, statement(f"0.0{number_}"), exercises(number_)),
        Part(other, (Paragraph((Text("Now this one."),)),), (number_exercise(),)),
    )
    return Sheet(number_, seed, parts)


def sheets(count: int = 3) -> tuple[Sheet, ...]:
    return tuple(sheet(number_) for number_ in range(1, count + 1))
