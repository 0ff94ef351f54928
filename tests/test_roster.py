"""Class lists, as they come out of spreadsheets and course systems: read rightly, or refused with the line."""

from __future__ import annotations

import codecs
import csv
import io
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from derive.errors import ProblemError
from render.handout.roster import MAX_BYTES, Student, read_roster, roster
from render.handout.roster_columns import SPELLINGS, plain


def read(text: str, encoding: str = "utf-8") -> list[tuple[str, str]]:
    """Name and id of each student."""
    return [(student.name, student.id) for student in roster(text.encode(encoding))]


ADA_AND_ALAN = [("Ada Lovelace", "1815"), ("Alan Turing", "1912")]

# ---- what is read ----------------------------------------------------------------------------

READ = {
    "commas": "name,id\nAda Lovelace,1815\nAlan Turing,1912\n",
    "semicolons": "name;id\nAda Lovelace;1815\nAlan Turing;1912\n",
    "tabs": "name\tid\nAda Lovelace\t1815\nAlan Turing\t1912\n",
    "bars": "name|id\nAda Lovelace|1815\nAlan Turing|1912\n",
    "Windows' line ends": "name,id\r\nAda Lovelace,1815\r\nAlan Turing,1912\r\n",
    "an old Mac's line ends": "name,id\rAda Lovelace,1815\rAlan Turing,1912\r",
    "no line end at the end": "name,id\nAda Lovelace,1815\nAlan Turing,1912",
    "everything in quotes": '"name","id"\n"Ada Lovelace","1815"\n"Alan Turing","1912"\n',
    "blanks around": " name , id \n  Ada Lovelace ,\t1815\n Alan Turing\u00a0, 1912\n",
    "blanks before quotes": 'name, id\n"Ada Lovelace", "1815"\n"Alan Turing", "1912"\n',
    "columns in another order": "group,id,email,name\nA,1815,a@x.org,Ada Lovelace\nB,1912,b@x.org,Alan Turing\n",
    "columns that nobody knows": "name,shoe size,id\nAda Lovelace,39,1815\nAlan Turing,43,1912\n",
    "no header": "Ada Lovelace,1815\nAlan Turing,1912\n",
    "no header, the id first": "1815;Ada Lovelace\n1912;Alan Turing\n",
    "no header, and addresses": "1815,Ada Lovelace,ada@x.org\n1912,Alan Turing,alan@x.org\n",
    "an empty line in the middle": "name,id\nAda Lovelace,1815\n\n\nAlan Turing,1912\n",
    "empty lines around": "\n\nname,id\nAda Lovelace,1815\nAlan Turing,1912\n\n\n",
    "lines of blanks and of delimiters": "name,id\n   \nAda Lovelace,1815\n,\nAlan Turing,1912\n , \n",
    "a spreadsheet's empty cells at the end": "name,id,,\nAda Lovelace,1815,,\nAlan Turing,1912,,\n,,,\n",
    "a spreadsheet's statement of its delimiter": "sep=;\nname;id\nAda Lovelace;1815\nAlan Turing;1912\n",
    "two columns of names": "first name,last name,id\nAda,Lovelace,1815\nAlan,Turing,1912\n",
    "Moodle's export": "First name,Surname,ID number,Email address,Groups\nAda,Lovelace,1815,a@x.org,1\n"
    "Alan,Turing,1912,b@x.org,2\n",
    "Canvas's export": "Student,ID,SIS User ID,SIS Login ID\nAda Lovelace,77,1815,al\nAlan Turing,78,1912,at\n",
    "German": "Nachname;Vorname;Matrikelnummer\nLovelace;Ada;1815\nTuring;Alan;1912\n",
    "German, Name being the family's": "Matrikel-Nr.;Name;Vorname\n1815;Lovelace;Ada\n1912;Turing;Alan\n",
    "French": "Nom;Prénom;N° étudiant\nLovelace;Ada;1815\nTuring;Alan;1912\n",
    "French, in capitals": "NOM DE FAMILLE;PRÉNOM;NUMÉRO ÉTUDIANT\nLovelace;Ada;1815\nTuring;Alan;1912\n",
    "Spanish": "Apellidos;Nombre;Número de matrícula\nLovelace;Ada;1815\nTuring;Alan;1912\n",
    "Spanish, whole names": "Nombre completo;DNI\nAda Lovelace;1815\nAlan Turing;1912\n",
}


@pytest.mark.parametrize("text", READ.values(), ids=READ)
def test_a_class_list_is_read(text: str) -> None:
    assert read(text) == ADA_AND_ALAN


@pytest.mark.parametrize("mark", [codecs.BOM_UTF8, b""])
def test_a_byte_order_mark_is_no_part_of_the_first_name(mark: bytes) -> None:
    assert [student.name for student in roster(mark + b"name,id\nAda,1\n")] == ["Ada"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("text", [READ["French"], READ["tabs"]], ids=["French", "tabs"])
def test_encodings_that_say_what_they_are(text: str, encoding: str) -> None:
    assert read(text, encoding) == ADA_AND_ALAN


def test_utf_16_of_either_order() -> None:
    text = "name\tid\n王小明\t1\n"
    for mark, encoding in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        assert [student.name for student in roster(mark + text.encode(encoding))] == ["王小明"]


NAMES = [
    'Robert "Bob" Smith',
    "Lovelace, Ada",
    "O'Neill; Jr.",
    "=HYPERLINK(1)",
    "José Ñuñez",
    "Łukasz Żak",
    "王小明",
    "Nguyễn Thị Ánh",
    "محمد الفارسي",
    "שרה כהן",
    "ประยุทธ์",
    "می‌خواهم",  # a joiner that Persian needs
    "𠮷野家",  # beyond sixteen bits
    "-",
    "Null",
    "Name",
]


def test_names_of_all_kinds_are_kept() -> None:
    text = io.StringIO()
    csv.writer(text).writerows([["name", "id"], *([name, str(number)] for number, name in enumerate(NAMES))])
    assert [name for name, _ in read(text.getvalue())] == NAMES


def test_accents_are_composed() -> None:
    assert read("name\nJose\u0301\n")[0][0] == "José"


def test_names_alone_one_in_a_line() -> None:
    assert [name for name, _ in read("Ada Lovelace\nAlan Turing\n")] == ["Ada Lovelace", "Alan Turing"]
    assert [name for name, _ in read("name\nLovelace, Ada\nTuring, Alan\n")] == ["Lovelace, Ada", "Turing, Alan"]


def test_a_comma_in_names_is_no_delimiter_where_semicolons_are() -> None:
    assert read("Lovelace, Ada;1815\nTuring, Alan;1912\n") == [("Lovelace, Ada", "1815"), ("Turing, Alan", "1912")]


def test_everything_that_a_list_tells_is_kept() -> None:
    text = "number,first name,last name,email,group\n007,Ada,Lovelace,ada@x.org,Tuesday\n"
    assert roster(text.encode()) == (Student(1, "Ada Lovelace", "007", "Ada", "Lovelace", "ada@x.org", "Tuesday"),)


def test_one_name_is_enough() -> None:
    assert read("first name,last name,id\n,Plato,1\nAristotle,,2\n") == [("Plato", "1"), ("Aristotle", "2")]


def test_namesakes_are_two_students() -> None:
    assert read("name,id\nAda,1\nAda,2\nAda,\n") == [("Ada", "1"), ("Ada", "2"), ("Ada", "")]


def test_no_spelling_of_a_column_means_two_things_and_each_is_written_plainly() -> None:
    spellings = [each for row in SPELLINGS.values() for each in row]
    assert len(spellings) == len(set(spellings))
    assert [plain(each) for each in spellings] == spellings


# ---- what is refused -------------------------------------------------------------------------

REFUSED = {
    "nothing": (b"", "class.csv: has no rows"),
    "empty lines": (b"\n \n,,\n", "class.csv: has no rows"),
    "a header alone": (b"name,id\n\n", "line 1: is a header, and no row follows it"),
    "the same id twice": (b"name,id\nAda,1\n\nAlan,1\n", 'line 4: the id "1" is that of line 2 already'),
    "the same id in capitals": (b"name,id\nAda,ab\nAlan,AB\n", 'line 3: the id "AB" is that of line 2 already'),
    "no name": (b"name,id\nAda,1\n,2\n", "line 3: has no name"),
    "no name, of two columns": (b"first,last,id\nAda,L,1\n,,2\n", "line 3: has no name"),
    "a field too many": (b"name,id\nLovelace, Ada,1\n", "line 2: has 3 fields, and 2 are expected"),
    "a field too few": (b"name,id\nAda,1\nAlan\n", "line 3: has 1 field, and 2 are expected"),
    "a field too few, no header": (b"Ada,1\nAlan\n", "line 2: has 1 field, and 2 are expected"),
    "a quote that is not closed": (
        b'name,id\nAda,1\n"Alan,2\nGrace,3\n',
        'line 3: a quote (") is opened and never closed',
    ),
    "a quote closed in the middle": (b'name,id\n"Ada" L,1\n', 'line 2: a quote (") is closed and no "," follows'),
    "Latin-1": ("name,id\nAda,1\nJosé,2\n".encode("latin-1"), "line 3: byte 0xE9 at position 17 is not UTF-8"),
    "half a UTF-16": (codecs.BOM_UTF16_LE + "name\nAda".encode("utf-16-le")[:-1], "is not UTF-16"),
    "UTF-16 without a mark": ("name,id\nAda,1\n".encode("utf-16-le"), "looks like UTF-16 without a byte order mark"),
    "a workbook": (b"PK\x03\x04....", "is a workbook or another archive; save the list as CSV"),
    "a control character": (
        b"name,id\nA\x07da,1\n",
        r'line 2: the name has a character that no name has: U+0007 in "A\u0007da"',
    ),
    "a line break in a name": (b'name,id\n"Ada\nLovelace",1\nAlan,2\n', "line 2: the name has a character"),
    "a turned direction": (
        "name\nAda\u202egnp.exe\n".encode(),
        "line 2: the name has a character that no name has: U+202E",
    ),
    "a lost character": ("name\nJos\ufffd\n".encode(), "U+FFFD (lost when the list was saved in another encoding)"),
    "a name without end": (
        b"name,id\n" + b"A" * 201 + b",1\n",
        "line 2: the name has 201 characters; 200 are the most",
    ),
    "a field without end": (
        b"name,id\n" + b"A" * 200_000 + b",1\n",
        "line 2: a field is longer than 100,000 characters",
    ),
    "an id without end": (b"name,id\nAda," + b"1" * 65 + b"\n", "line 2: the id has 65 characters; 64 are the most"),
    "two columns of one name": (b"name,Name,id\nAda,L,1\n", "line 1: two columns are called 'name'"),
    "two columns of words": (
        b"Ada,Lovelace\nAlan,Turing\n",
        "line 1: there is no header, and columns 1 and 2 both hold words",
    ),
    "two columns of digits": (
        b"1,Ada,2\n3,Alan,4\n",
        "line 1: there is no header, and columns 1 and 3 could both be the id",
    ),
    "no column of words": (b"1\n2\n", "line 1: there is no header, and no column can be the name"),
    "a header in another language": (b"Nimi,Numero\nAda,1\nAlan,2\n", "line 1: looks like a header"),
    "too large": (b"name\n" + b"Ada\n" * (MAX_BYTES // 4), "is larger than 16 MiB"),
}


@pytest.mark.parametrize(("data", "expected"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_read_rightly_is_refused(data: bytes, expected: str) -> None:
    with pytest.raises(ProblemError) as found:
        roster(data, "class.csv")
    assert expected in str(found.value)
    assert str(found.value).startswith("class.csv: ")
    assert "\n" not in str(found.value)


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(ProblemError) as found:
        roster(b"name,id\nAda,1\n,2\nAlan,1\nGr\x00ace,3\n")
    assert [fault.place for fault in found.value.faults] == ["line 3", "line 4", "line 5"]


@pytest.mark.parametrize("make", [lambda path: None, lambda path: path.mkdir()], ids=["no file", "a folder"])
def test_a_list_that_cannot_be_opened_is_one_line(tmp_path: Path, make: object) -> None:
    make(tmp_path / "class.csv")  # type: ignore[operator]
    with pytest.raises(ProblemError, match=r"class\.csv: cannot be read: "):
        read_roster(tmp_path / "class.csv")


# ---- any list at all -------------------------------------------------------------------------


def is_kept(text: str) -> bool:
    return unicodedata.normalize("NFC", text.strip()) == text and "\ufeff" not in text


LETTERS = st.characters(
    exclude_categories=["Cc", "Cs", "Co", "Cn", "Zl", "Zp"],
    exclude_characters="\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufffd",
)
TEXT = st.text(LETTERS, min_size=1, max_size=30).filter(is_kept) | st.sampled_from(
    [*NAMES, ",", '"', ";,|", '""', 'a"b']
)


@st.composite
def lists(draw: st.DrawFn) -> tuple[bytes, list[tuple[str, str]]]:
    """A class list as some program writes it, and what is in it."""
    names = draw(st.lists(TEXT, min_size=1, max_size=8))
    ids = draw(st.lists(st.integers(0, 10**9), min_size=len(names), max_size=len(names), unique=True))
    columns = draw(st.permutations(["Name", "Student ID", "Group", "Shoe size"]))
    rows = [
        [{"Name": name, "Student ID": str(number), "Group": "A", "Shoe size": ""}[column] for column in columns]
        for name, number in zip(names, ids, strict=True)
    ]
    text = io.StringIO(newline="")
    writer = csv.writer(
        text,
        delimiter=draw(st.sampled_from(",;\t|")),
        quoting=draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC])),
        lineterminator=draw(st.sampled_from(["\n", "\r\n", "\r"])),
    )
    writer.writerow(columns)
    for row in rows:
        writer.writerow(row)
        text.write(draw(st.sampled_from(["", "", writer.dialect.lineterminator])))
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
    return text.getvalue().encode(encoding), [(name, str(number)) for name, number in zip(names, ids, strict=True)]


@given(lists())
def test_whatever_a_csv_writer_writes_is_read_back(made: tuple[bytes, list[tuple[str, str]]]) -> None:
    data, expected = made
    assert [(student.name, student.id) for student in roster(data)] == expected


@given(st.binary(max_size=80) | st.text(max_size=80).map(str.encode))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        found = roster(data)
    except ProblemError:
        return
    assert found
    assert all(student.name and is_kept(student.name) for student in found)
    assert not {unicodedata.category(each) for student in found for each in student.name + student.id} & {"Cc", "Cs"}
    assert [student.number for student in found] == list(range(1, len(found) + 1))
