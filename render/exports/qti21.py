"""QTI 2.1 in an IMS content package: an item for each question, and a test that draws one variant of each exercise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from xml.etree.ElementTree import Element, SubElement

from render.exercises.model import Sheet
from render.exports import qti21_items
from render.exports.archive import zipped
from render.exports.pools import Pool, pools, slug
from render.exports.tree import document, texts

QTI = "http://www.imsglobal.org/xsd/imsqti_v2p1"
PACKAGE = "http://www.imsglobal.org/xsd/imscp_v1p1"
SCHEMA = {QTI: "http://www.imsglobal.org/xsd/qti/qtiv2p1/imsqti_v2p1.xsd"}
PACKAGE_SCHEMA = {PACKAGE: "http://www.imsglobal.org/xsd/qti/qtiv2p1/qtiv2p1_imscpv1p2_v1p0.xsd"}
TEST = "test.xml"


def qti21(sheets: Sequence[Sheet], stem: str) -> bytes:
    """The questions of some variants of one sheet as a package."""
    prepared = pools(sheets, stem)
    name = f"{slug(stem)}-s{sheets[0].seed}"
    title = prepared[0].problem if len({pool.problem for pool in prepared}) == 1 else stem
    held: dict[str, bytes] = {}
    needed: dict[str, tuple[str, ...]] = {}
    for pool in prepared:
        for question in pool.questions:
            files: dict[str, bytes] = {}
            held[_path(question.identifier)] = document(qti21_items.item(question, files), QTI, SCHEMA)
            media = {f"{qti21_items.MEDIA}/{file}": content for file, content in files.items()}
            held |= media
            needed[question.identifier] = tuple(sorted(media))
    held[TEST] = document(_test(name, title, prepared), QTI, SCHEMA)
    held["imsmanifest.xml"] = document(_manifest(name, needed), PACKAGE, PACKAGE_SCHEMA)
    return zipped(held, "imsmanifest.xml")


def _path(identifier: str) -> str:
    return f"items/{identifier}.xml"


def _test(name: str, title: str, prepared: Sequence[Pool]) -> Element:
    test = Element("assessmentTest", identifier=name, title=title, toolName="chainrule")
    test.append(qti21_items.outcome("SCORE", "float", "0"))
    part = SubElement(test, "testPart", identifier="part-1", navigationMode="nonlinear", submissionMode="individual")
    for pool in prepared:
        section = SubElement(part, "assessmentSection", identifier=pool.identifier, title=pool.title, visible="true")
        SubElement(section, "selection", select="1")
        for question in pool.questions:
            SubElement(
                section,
                "assessmentItemRef",
                identifier=f"ref-{question.identifier}",
                href=_path(question.identifier),
            )
    total = SubElement(SubElement(test, "outcomeProcessing"), "setOutcomeValue", identifier="SCORE")
    SubElement(SubElement(total, "sum"), "testVariables", variableIdentifier="SCORE")
    return test


def _manifest(name: str, needed: Mapping[str, tuple[str, ...]]) -> Element:
    root = Element("manifest", identifier=f"{name}-manifest")
    texts(SubElement(root, "metadata"), {"schema": "QTIv2.1 Package", "schemaversion": "1.0.0"})
    SubElement(root, "organizations")
    resources = SubElement(root, "resources")
    test = SubElement(resources, "resource", identifier=f"{name}-test", type="imsqti_test_xmlv2p1", href=TEST)
    SubElement(test, "file", href=TEST)
    for identifier, media in needed.items():
        SubElement(test, "dependency", identifierref=f"res-{identifier}")
        made = SubElement(
            resources,
            "resource",
            identifier=f"res-{identifier}",
            type="imsqti_item_xmlv2p1",
            href=_path(identifier),
        )
        for path in (_path(identifier), *media):
            SubElement(made, "file", href=path)
    return root
