"""A report as JUnit XML, which test runners and build servers read: a test case for each array."""

from __future__ import annotations

from xml.etree import ElementTree

from derive.verification.report import Report, Row
from derive.verification.text import arrays, cells, diagnosis, verdict

MOST_LISTED = 50
"""So many numbers of one array are listed."""


def xml(report: Report, name: str, *, undecided_ok: bool = False) -> bytes:
    """The report on a problem of this name. An undecided one fails too, unless it is ``undecided_ok``."""
    fine = report.verdict == "verified" or (report.verdict == "undecided" and undecided_ok)
    suite = ElementTree.Element("testsuite", name=name)
    properties = ElementTree.SubElement(suite, "properties")
    for key, value in (("verdict", report.verdict), ("given", report.precision), ("points", str(report.points))):
        ElementTree.SubElement(properties, "property", name=key, value=value)
    failures = 0
    for array, rows in arrays(report.rows).items():
        outside = [row for row in rows if not row.within]
        case = ElementTree.SubElement(suite, "testcase", classname=name, name=array, time="0")
        if outside:
            failures += 1
            _failure(case, "wrong", f"{len(outside)} of {len(rows)} numbers outside their bounds", _listed(outside))
    if not fine and not failures:  # what is wrong is no single array: the layout, another point, the precision
        failures += 1
        case = ElementTree.SubElement(suite, "testcase", classname=name, name="verdict", time="0")
        _failure(case, report.verdict, verdict(report), "\n".join(diagnosis(report)) or verdict(report))
    ElementTree.SubElement(suite, "system-out").text = _clean("\n".join([verdict(report), *diagnosis(report)]))
    tests = len(suite.findall("testcase"))
    counts = {"tests": str(tests), "failures": str(failures), "errors": "0", "time": "0"}
    suite.attrib.update(counts | {"skipped": "0"})
    whole = ElementTree.Element("testsuites", {"name": "chainrule verify", **counts})
    whole.append(suite)
    ElementTree.indent(whole)
    written: bytes = ElementTree.tostring(whole, encoding="utf-8", xml_declaration=True)
    return written + b"\n"


def _failure(case: ElementTree.Element, kind: str, message: str, text: str) -> None:
    failure = ElementTree.SubElement(case, "failure", type=kind, message=_clean(message))
    failure.text = _clean(text)


def _listed(rows: list[Row]) -> str:
    lines = []
    for row in rows[:MOST_LISTED]:
        name, yours, reference, _, digits, bound = cells(row)
        lines.append(f"{name}: found {yours}; the derivation gives {reference}, digits right: {digits}, bound {bound}")
    if len(rows) > MOST_LISTED:
        lines.append(f"and {len(rows) - MOST_LISTED:,} more")
    return "\n".join(lines)


def _clean(text: str) -> str:
    """Text without what XML has no place for."""
    return "".join(each for each in text if each in "\t\n\r" or (each >= " " and not "\ud800" <= each <= "\udfff"))
