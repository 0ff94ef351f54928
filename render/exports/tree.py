"""XML trees as files: name spaces, indents and the small elements that repeat."""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.etree.ElementTree import Element, SubElement, register_namespace, tostring

HEADER = b'<?xml version="1.0" encoding="UTF-8"?>\n'
ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
XSI = "http://www.w3.org/2001/XMLSchema-instance"


def document(root: Element, namespace: str, schemas: Mapping[str, str] | None = None) -> bytes:
    """A tree as a file; elements without a name space are put into this one, which needs no prefix.

    ``schemas`` says where the schema of a name space is, for readers that want to know.
    """
    prefixes: dict[str, str] = {}
    for element in root.iter():
        space = element.tag[1:].partition("}")[0] if element.tag.startswith("{") else ""
        if space and space not in prefixes:
            prefixes[space] = f"m{len(prefixes) or ''}"
    for space, prefix in prefixes.items():
        register_namespace(prefix, space)
    spread(root)
    for element in root.iter():
        if element.tag.startswith("{"):
            space, _, name = element.tag[1:].partition("}")
            element.tag = f"{prefixes[space]}:{name}"
    root.attrib = {"xmlns": namespace, **{f"xmlns:{p}": s for s, p in prefixes.items()}, **root.attrib}
    if schemas:
        root.set("xmlns:xsi", XSI)
        root.set("xsi:schemaLocation", " ".join(f"{space} {place}" for space, place in schemas.items()))
    return as_file(root)


def as_file(root: Element) -> bytes:
    """A tree as it is, as a file, without the characters that no XML can hold."""
    return HEADER + ILLEGAL.sub("", tostring(root, encoding="unicode")).encode("utf-8") + b"\n"


def spread(element: Element, level: int = 0) -> None:
    """Indents, only between elements of which none has text beside it, so that no text changes."""
    children = list(element)
    loose = children and not (element.text or "").strip() and not any((each.tail or "").strip() for each in children)
    if not loose or element.tag in INLINE or element.tag.startswith("{"):
        return
    element.text = "\n" + "  " * (level + 1)
    for child in children:
        child.tail = "\n" + "  " * (level + 1)
        spread(child, level + 1)
    children[-1].tail = "\n" + "  " * level


INLINE = ("p", "li", "td", "th", "caption", "prompt")  # white space in these is text


def texts(parent: Element, values: Mapping[str, str]) -> None:
    """An element with text for each of some tags."""
    for tag, text in values.items():
        SubElement(parent, tag).text = text or None


def fields(parent: Element, values: Mapping[str, str]) -> None:
    """QTI's metadata: fields with a label and an entry."""
    for label, entry in values.items():
        texts(SubElement(parent, "qtimetadatafield"), {"fieldlabel": label, "fieldentry": entry})
