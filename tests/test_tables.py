"""How a table finds its place in the line: headings in several lines, words in lines, smaller letters, two parts."""

from derive.formula import Number, Partial, Symbol, sides
from render.document import Code, Inlines, Math, Table, Text
from render.formats import render_text
from render.tables import Layout, table_layout

from sample_document import error, name  # isort: skip

ROOM = 38.5


def text(words: str) -> Inlines:
    return (Text(words),)


def number(digits: str) -> Inlines:
    return (Math(sides(Number(digits))),)


def checks(heading: str = "digits equal to the finite difference's") -> Table:
    header = (text(""), text("by the chain rule"), text("digits equal to the closed form's"), text(heading))
    rows = tuple((text(f"w{k}"), number("-0.022602540"), number("60"), number("25")) for k in range(1, 9))
    return Table("checks", text("The checks."), header, rows, (False, True, True, True))


def layout(table: Table, room: float = ROOM) -> Layout:
    return table_layout(table, room)


def test_a_table_that_fits_is_left_alone():
    made = layout(checks(), 60.0)
    assert (made.size, made.parts, any(made.wraps)) == (0, ((0, 1, 2, 3),), False)


def test_long_headings_of_numbers_are_broken_before_anything_else():
    made = layout(checks())
    assert (made.size, made.parts) == (0, ((0, 1, 2, 3),))
    assert made.wraps == (False, True, True, True)
    assert made.widths[1] >= layout(checks(), 99.0).widths[1] / 2.5
    assert made.widths[2] < layout(checks(), 99.0).widths[2] / 2


def test_a_heading_is_not_broken_inside_a_word_or_a_formula():
    long = "incomprehensibilities"
    assert layout(checks(f"of {long}"), 34.0).widths[3] >= 0.48 * len(long)
    table = checks()
    formula = (Math(sides(Partial(error, name("w", "5")))), Text(" the derivative that was looked for"))
    header = (*table.header[:3], formula)
    made = layout(Table("t", (), header, table.rows, table.numeric))
    assert made.widths[3] >= 4.0


def test_a_broken_heading_in_latex():
    made = render_text_of(checks())
    assert made.count(r"\chainrulehead{") == 3
    assert r"\begin{tabular}{@{}lrrr@{}}" in made


def test_wide_words_are_broken_where_enough_room_is_left():
    words = text("a sentence that explains at some length what this row is about and why it is there")
    table = Table("t", (), (text("what"), text("why")), ((text("row"), words),) * 3)
    made = layout(table)
    assert (made.size, made.wraps) == (0, (False, True))
    assert r">{\raggedright\arraybackslash}p{" in render_text_of(table)


def test_a_little_too_wide_is_set_smaller():
    header = (text("quantity"), text("printed"), text("ours"), text("the same?"), text("where"))
    row = (
        (Code("dout_o1/dnet_o1"),),
        number("0.186815602"),
        number("0.186815602"),
        text("yes"),
        text("The Backwards Pass, Hidden Layer"),
    )
    made = layout(Table("t", (), header, (row,) * 3, (False, True, True, False, False)))
    assert (made.size > 0, made.parts, any(made.wraps)) == (True, ((0, 1, 2, 3, 4),), False)


def test_a_long_table_is_broken_between_pages_and_a_short_one_is_not():
    def made(rows: int) -> str:
        return render_text_of(Table("t", text("Long."), (text("n"),), tuple((number(str(k)),) for k in range(rows))))

    assert r"\begin{longtable}" in made(20)
    assert made(20).count(r"\caption{Long.}") == 1
    assert r"\begin{longtable}" not in made(10)


def test_a_symbol_alone_is_a_cell():
    table = Table("t", (), (text(""),), (((Math(sides(Symbol(name("w", "5").name))),),),))
    assert "<td></td></tr></thead>" in render_text_of(table, "html")


def render_text_of(table: Table, format_name: str = "latex") -> str:
    from render.document import Document

    return render_text(Document("t", (table,)), format_name)
