"""A report in plain text: the verdict in a sentence, the numbers as cells of a table, and all of it together."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

from derive.digits import significant
from derive.verification.precision import HALVES
from derive.verification.report import Report, Row

HEADER = ("parameter", "yours", "reference", "relative error", "digits right", "bound")

MOST_ROWS = 20
"""So many numbers are shown; the rest is counted."""

SHOWN_DIGITS = 10
FULL_DIGITS = 17


def cells(row: Row, shown: int = SHOWN_DIGITS) -> tuple[str, ...]:
    """One number's cells: shortened to so many digits where that hides no difference."""
    digits = FULL_DIGITS if not row.within and row.digits >= shown - 1 else shown
    return (
        row.name,
        _shortened(row.yours, digits),
        _shortened(row.reference, digits),
        row.relative_error or ("0" if row.digits else ""),
        str(row.digits),
        row.bound,
    )


def _shortened(number: str, digits: int) -> str:
    """A number with at most so many significant digits; what is no number as it is, cut where it is long."""
    try:
        value = Fraction(number)
    except (ValueError, ZeroDivisionError):
        return number if len(number) <= 2 * FULL_DIGITS else f"{number[:FULL_DIGITS]}…"
    figures = number.lstrip("+-").partition("e")[0].partition("E")[0].replace(".", "").lstrip("0")
    return significant(value, digits) if len(figures) > digits else number


def verdict(report: Report) -> str:
    """The verdict in a sentence."""
    outside, every = report.outside, len(report.rows)
    if report.precision == AS_PRINTED:
        if not outside:
            return f"Verified: {_all(every, 'printed number')} {_s(every, 'hold')} to the last digit."
        return f"Wrong: {outside} of {_count(every, 'printed number')} {_s(outside, 'do')} not hold."
    places = "" if report.points == 1 else f" at each of {report.points} points"
    if report.verdict == "verified":
        return f"Verified: {_all(every, 'number')} {_s(every, 'lie')} within what {explains(report.precision)}{places}."
    if report.verdict == "undecided":
        return _undecided(report, every)
    if not every:
        return "Wrong: no numbers came that could be compared."
    if outside:
        which = "the number lies" if every == 1 else f"{outside:,} of {every:,} numbers {_s(outside, 'lie')}"
        return f"Wrong: {which} outside what {explains(report.precision)}."
    if report.points == 1:
        return f"Wrong: {_all(every, 'number')} would be right, but not as they were handed over."
    return (
        f"Wrong: at the problem's own numbers {_all(every, 'number')} {_s(every, 'lie')} within what "
        f"{explains(report.precision)}, but at another point not."
    )


AS_PRINTED = "as printed"


def _undecided(report: Report, every: int) -> str:
    words = (
        f"Undecided: {_all(every, 'number')} {_s(every, 'lie')} within what {explains(report.precision)}, but numbers "
        "so coarse fit a mistake as well."
    )
    if report.digits_needed is None:
        return words
    if report.precision in HALVES:  # whose digits nobody can choose
        return f"{words} In float32 it would be decided."
    return f"{words} {_count(report.digits_needed, 'significant digit')} would decide."


def explains(precision: str) -> str:
    """What a precision explains, in words that follow "what": rounding to 4 significant digits explains."""
    if match := re.fullmatch(r"(\d+)(sf|dp)(-steps)?", precision):
        digits = _count(int(match[1]), "significant digit" if match[2] == "sf" else "decimal")
        return f"rounding {'every step ' if match[3] else ''}to {digits} explains"
    if precision.startswith("±"):
        return f"a deviation of {precision[1:]} explains"
    return f"the rounding of {precision or 'float64'} explains"


def left_out(report: Report) -> str:
    """What is said of the rows that are not shown; "" where all are."""
    rest = len(report.rows) - MOST_ROWS
    outside = max(report.outside - MOST_ROWS, 0)  # those outside stand first
    if rest <= 0:
        return ""
    bounds = "its bound" if rest == 1 else "their bounds"
    if outside in (0, rest):
        return f"and {rest:,} more {'outside' if outside else 'within'} {bounds}"
    return f"and {rest:,} more, {outside:,} of them outside {bounds}"


def diagnosis(report: Report) -> list[str]:
    """The explanations in words, each a paragraph, and the notes."""
    found = [each.words for each in report.diagnosis]
    if len(found) > 1:
        found = [f"{number}. {words}" for number, words in enumerate(found, start=1)]
        found.insert(0, several(len(found)))
    return [*found, *(sentence(note) for note in report.notes)]


def several(count: int) -> str:
    """What stands before more than one explanation."""
    return f"Each of these {count} explanations accounts for every number, the most plausible first:"


def sentence(note: str) -> str:
    """A note as a sentence; a name in front (w1, out_h1) stays as it is."""
    first = note.partition(" ")[0]
    start = note[:1].upper() if first.isalpha() else note[:1]
    return f"{start}{note[1:]}{'' if note.endswith(('.', ':', '?')) else '.'}"


def report_text(report: Report) -> str:
    """The whole report for a message: the verdict first, so that one line tells; table; diagnosis."""
    rows = [HEADER, *(cells(row) for row in report.worst_first[:MOST_ROWS])] if report.rows else []
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    table = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    table += [left_out(report)] if left_out(report) else []
    parts = [verdict(report), "\n".join(table), "\n".join(diagnosis(report))]
    return "\n\n".join(part for part in parts if part)


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}{'s' * (number != 1)}"


def _all(number: int, word: str) -> str:
    return f"the {word}" if number == 1 else f"all {_count(number, word)}"


def _s(number: int, verb: str) -> str:
    """The verb as it goes with so many."""
    if number != 1:
        return verb
    return {"do": "does"}.get(verb, f"{verb}s")


def listed(names: Sequence[str]) -> str:
    """E@1; E@1 and w1+; E@1, w1+ and w2+."""
    *front, last = names
    return f"{', '.join(front)} and {last}" if front else last


def arrays(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """The rows by their array."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row.array or row.name, []).append(row)
    return found
