"""QTI 1.2 in an IMS content package, in the dialect that Canvas Classic imports: one quiz, a group for each exercise.

A group draws one of its questions, the variants of the exercise. Canvas has no question of several numbers that knows
a tolerance, so that each number is a question of its own, with the exercise's whole statement before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement

from render.exercises.model import ChoiceAnswer, Item, Sheet
from render.exports import qti12_items, wording
from render.exports.archive import zipped
from render.exports.pools import Pool, pools, slug, without_free_orders
from render.exports.tree import document, fields, texts

QTI = "http://www.imsglobal.org/xsd/ims_qtiasiv1p2"
CANVAS = "http://canvas.instructure.com/xsd/cccv1p0"
PACKAGE = "http://www.imsglobal.org/xsd/imsccv1p1/imscp_v1p1"
MEDIA = qti12_items.MEDIA


def qti12(sheets: Sequence[Sheet], stem: str) -> bytes:
    """The questions of some variants of one sheet as a package for Canvas."""
    prepared = pools([wording.with_items(sheet, _asked) for sheet in sheets], stem, _together)
    name = f"{slug(stem)}-s{sheets[0].seed}"
    title = prepared[0].problem if len({pool.problem for pool in prepared}) == 1 else stem
    files: dict[str, bytes] = {}
    quiz = _assessment(name, title, prepared, files)
    media = {f"{MEDIA}/{file}": content for file, content in files.items()}
    held = {
        f"{name}/{name}.xml": document(quiz, QTI),
        f"{name}/assessment_meta.xml": document(_meta(name, title, prepared), CANVAS),
        **media,
    }
    return zipped({**held, "imsmanifest.xml": document(_manifest(name, title, media), PACKAGE)}, "imsmanifest.xml")


def _asked(items: tuple[Item, ...]) -> tuple[Item, ...]:
    """The items as Canvas can ask for them: small numbers in units, free orders as choices."""
    return tuple(wording.in_units(item) for item in without_free_orders(items))


def _together(items: tuple[Item, ...]) -> tuple[tuple[Item, ...], ...]:
    """Every item a question of its own, but choices of one that are worth the same, which share one with drop-downs."""
    choices = all(isinstance(item.answer, ChoiceAnswer) and not item.answer.several for item in items)
    if choices and len(items) > 1 and len({item.points for item in items}) == 1:
        return (items,)
    return tuple((item,) for item in items)


def _assessment(name: str, title: str, prepared: Sequence[Pool], files: dict[str, bytes]) -> Element:
    root = Element("questestinterop")
    quiz = SubElement(root, "assessment", ident=name, title=title)
    fields(SubElement(quiz, "qtimetadata"), {"cc_maxattempts": "1"})
    section = SubElement(quiz, "section", ident="root_section")
    for pool in prepared:
        group = SubElement(section, "section", ident=pool.identifier, title=pool.title)
        selection = SubElement(SubElement(group, "selection_ordering"), "selection")
        SubElement(selection, "selection_number").text = "1"
        extension = SubElement(selection, "selection_extension")
        SubElement(extension, "points_per_item").text = str(pool.points)
        for question in pool.questions:
            group.append(qti12_items.item(question, files))
    return root


def _meta(name: str, title: str, prepared: Sequence[Pool]) -> Element:
    """What Canvas wants to know of a quiz besides."""
    quiz = Element("quiz", identifier=name)
    texts(
        quiz,
        {
            "title": title,
            "description": "",
            "shuffle_answers": "false",
            "scoring_policy": "keep_highest",
            "quiz_type": "assignment",
            "points_possible": f"{sum(pool.points for pool in prepared)}.0",
            "show_correct_answers": "true",
            "allowed_attempts": "1",
            "available": "false",
        },
    )
    return quiz


def _manifest(name: str, title: str, media: dict[str, bytes]) -> Element:
    root = Element("manifest", identifier=f"{name}-manifest")
    texts(SubElement(root, "metadata"), {"schema": "IMS Content", "schemaversion": "1.1.3"})
    SubElement(root, "organizations")
    resources = SubElement(root, "resources")
    quiz = SubElement(resources, "resource", identifier=name, type="imsqti_xmlv1p2")
    SubElement(quiz, "file", href=f"{name}/{name}.xml")
    SubElement(quiz, "dependency", identifierref=f"{name}-meta")
    kind = "associatedcontent/imscc_xmlv1p1/learning-application-resource"
    meta = SubElement(resources, "resource", identifier=f"{name}-meta", type=kind, href=f"{name}/assessment_meta.xml")
    SubElement(meta, "file", href=f"{name}/assessment_meta.xml")
    for position, path in enumerate(sorted(media), 1):
        made = SubElement(resources, "resource", identifier=f"{name}-media-{position}", type="webcontent", href=path)
        SubElement(made, "file", href=path)
    return root
