"""Which column of a class list is which: by the names that a header gives them, or by what stands in them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

# A row for each thing that a list tells of a student: how lists in English, German, French and Spanish call it, as
# `plain` writes it. Where a list has two of one row (an ID of the platform's and a student number), the first is meant.
SPELLINGS: Mapping[str, tuple[str, ...]] = {
    "name": (
        *("full name", "student name", "display name", "name", "student", "participant"),
        *(
            "vollstandiger name",
            "vor und nachname",
            "nachname vorname",
            "vorname nachname",
            "studierende",
            "studierender",
        ),
        *("studentin", "teilnehmer", "teilnehmerin", "nom complet", "nom et prenom", "nom prenom", "nom", "etudiant"),
        *("etudiante", "eleve", "nombre completo", "nombre y apellidos", "apellidos y nombre", "nombre", "estudiante"),
        *("alumno", "alumna"),
    ),
    "first": (
        *("first name", "firstname", "given name", "given names", "forename", "first", "first names"),
        *("vorname", "vornamen", "rufname", "prenom", "prenoms", "nombre de pila", "nombres", "primer nombre"),
    ),
    "last": (
        *(
            "last name",
            "lastname",
            "family name",
            "surname",
            "last",
            "last names",
            "nachname",
            "familienname",
            "zuname",
        ),
        *("nom de famille", "nom usuel", "apellidos", "apellido", "primer apellido"),
    ),
    "id": (
        *("student id", "student number", "student no", "studentid", "matriculation number", "matric number"),
        *("registration number", "enrolment number", "enrollment number", "sis user id", "id number", "university id"),
        *("matrikelnummer", "matrikelnr", "matrikel nr", "matrikel", "mat nr", "matr nr", "personalnummer"),
        *("numero etudiant", "numero d etudiant", "no etudiant", "n etudiant", "num etudiant", "identifiant"),
        *(
            "numero de matricula",
            "numero de estudiante",
            "numero de alumno",
            "matricula",
            "codigo",
            "expediente",
            "dni",
        ),
        *("matricule", "nia", "id", "kennung", "nummer", "number", "numero", "no", "nr", "user id", "username"),
        *("user name", "login", "benutzername", "nutzername"),
    ),
    "email": (
        *("email", "e mail", "email address", "e mail address", "mail", "e mail adresse", "email adresse"),
        *("mailadresse", "courriel", "adresse e mail", "adresse electronique", "adresse mail", "adresse email"),
        *("correo", "correo electronico", "direccion de correo", "direccion de correo electronico"),
    ),
    "group": (
        *("group", "groups", "section", "class", "team", "tutorial", "gruppe", "gruppen", "klasse", "ubungsgruppe"),
        *("tutorium", "groupe", "groupes", "classe", "td", "grupo", "grupos", "clase", "seccion"),
    ),
}

NAMES = ("name", "first", "last")
KNOWN = "name, first name, last name, id, email, group (also in German, French and Spanish)"

# Words that mean the whole name where they stand alone, and one half of it beside the other half.
WHOLE_OR_LAST = ("name", "nom")
WHOLE_OR_FIRST = ("nombre",)


def plain(text: str) -> str:
    """A column's name as `SPELLINGS` has it: small letters without accents, a blank for anything else."""
    letters = unicodedata.normalize("NFKD", text.replace("ß", "ss")).casefold()
    return " ".join(re.findall(r"[^\W_]+", "".join(each for each in letters if not unicodedata.combining(each))))


def role(cell: str) -> str:
    """What a column of this name holds: a row of `SPELLINGS`, or ""."""
    name = plain(cell)
    return next((each for each, spellings in SPELLINGS.items() if name in spellings), "")


def is_header(cells: Iterable[str]) -> bool:
    """A first line is a header when one of its cells is what a column of names is called."""
    return any(role(cell) in NAMES for cell in cells)


def named_columns(header: Sequence[str]) -> dict[str, int]:
    """Where each thing stands that a header names. Raises `ValueError` where two columns have one name."""
    found: dict[str, list[tuple[int, int]]] = {}
    for column, cell in enumerate(header):
        if which := role(cell):
            found.setdefault(which, []).append((SPELLINGS[which].index(plain(cell)), column))
    for places in found.values():
        ranks = [rank for rank, _ in sorted(places)]
        if len(ranks) > 1 and ranks[0] == ranks[1]:
            raise ValueError(f"two columns are called {header[min(places)[1]].strip()!r}")
    columns = {which: min(places)[1] for which, places in found.items()}
    return _halves(columns, header)


def _halves(columns: dict[str, int], header: Sequence[str]) -> dict[str, int]:
    """Name beside Vorname is the family name, Nombre beside Apellidos the first."""
    if "name" not in columns:
        return columns
    called = plain(header[columns["name"]])
    if "last" not in columns and "first" in columns and called in WHOLE_OR_LAST:
        columns["last"] = columns.pop("name")
    elif "first" not in columns and "last" in columns and called in (*WHOLE_OR_FIRST, *WHOLE_OR_LAST):
        columns["first"] = columns.pop("name")
    return columns


def columns_by_content(rows: Sequence[Sequence[str]]) -> dict[str, int]:
    """Where things stand in a list without a header: the one column of names, one with digits, one of addresses.

    Raises `ValueError` where that cannot be told, which two columns of words are enough for.
    """
    found: dict[str, int] = {}
    words = []
    for column in range(len(rows[0])):
        cells = [row[column] for row in rows if row[column].strip()]
        if cells and all("@" in cell for cell in cells):
            which = "email"
        elif cells and all(any(each.isdigit() for each in cell) for cell in cells):
            which = "id"
        else:
            words += [column] if cells else []
            continue
        if which in found:
            raise ValueError(f"columns {found[which] + 1} and {column + 1} could both be the {which}")
        found[which] = column
    if len(words) != 1:
        raise ValueError(
            "no column can be the name" if not words else f"columns {words[0] + 1} and {words[1] + 1} both hold words"
        )
    return found | {"name": words[0]}


def looks_like_a_header(first: Sequence[str], others: Sequence[Sequence[str]]) -> bool:
    """Whether a column has digits, or addresses, in every line but the first."""

    def marked(cell: str) -> bool:
        return "@" in cell or any(each.isdigit() for each in cell)

    below = [[row[column] for row in others if row[column].strip()] for column in range(len(first))]
    return any(
        not marked(cell) and bool(cells) and all(map(marked, cells)) for cell, cells in zip(first, below, strict=True)
    )
