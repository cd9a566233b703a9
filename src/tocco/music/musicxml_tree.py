"""MusicXML as a tree that can be relied on: parsed safely, in one order, under plain names.

Files come from strangers. The XML is parsed without network, without external or internal entities,
and within limits of size and depth. What differs between programs but says the same is made the same:
namespaces go, a score ordered by time is put in order of parts, every part is listed and has its own id.
"""

from __future__ import annotations

from collections.abc import Iterator
from html.entities import html5
from typing import Any

from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]  # compiled, ships no stubs

from tocco.errors import InputError
from tocco.music.notation import MAX_SCORE_BARS
from tocco.music.notation_programs import refuse_program_xml

NEXT_STEP = "export the score again as MusicXML from a notation program"

_MAX_DEPTH = 64
"""MusicXML nests to about a dozen."""

_IS_TOO_DEEP = f"boolean({'/*' * (_MAX_DEPTH + 1)})"

_UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_ENCODINGS = (None, "utf-8", "windows-1252")
"""As declared; and for files that were saved in another encoding than they declare."""


def parse_musicxml(content: bytes, source: str) -> Any:
    """The `score-partwise` element of a MusicXML file, its parts listed and with ids of their own.

    Parameters
    ----------
    content : uncompressed MusicXML
    source : for messages

    Raises
    ------
    InputError
        Not XML, not MusicXML, or unsafe.
    """
    root = parse_xml(content, source)
    refuse_program_xml(root.tag, source)
    if b"xmlns" in content.replace(b"\x00", b""):
        _drop_namespaces(root)
    if root.tag == "score-timewise":
        if root.find("measure/part") is None:
            raise InputError(source, "is MusicXML ordered by time without a bar", next_step=NEXT_STEP)
        root = _in_order_of_parts(root)
    if root.tag != "score-partwise":
        raise InputError(
            source, f"is XML but no MusicXML (it is a {str(root.tag)[:60]!r})", next_step=NEXT_STEP
        )
    bars = sum(1 for _ in root.iter("measure"))
    if bars > MAX_SCORE_BARS:
        raise InputError(source, f"has {bars:,} bars", allowed=f"up to {MAX_SCORE_BARS:,}")
    _list_parts(root)
    return root


def parse_xml(content: bytes, source: str) -> Any:
    """Parse XML without trusting it: no entities, no network, bounded depth.

    Parameters
    ----------
    content : in any encoding that it declares, or else UTF-8 or Windows' Latin letters
    source : for messages
    """
    if not content.startswith(_UTF_16_MARKS):
        content = content.strip(b"\x00\t\r\n \x1a")
    root = _parsed(content, source)
    declared = root.getroottree().docinfo.internalDTD
    if declared is not None and any(True for _ in declared.iterentities()):
        raise InputError(source, "declares XML entities, which a score never needs", next_step=NEXT_STEP)
    if root.xpath(_IS_TOO_DEEP):
        raise InputError(
            source,
            f"nests XML {max(_depths(root))} levels deep",
            allowed=f"up to {_MAX_DEPTH}",
            next_step=NEXT_STEP,
        )
    _spell_out_entities(root)
    return root


def _spell_out_entities(root: Any) -> None:
    """Put letters for names that the file leaves to its DTD ("&eacute;"), and nothing for unknown ones."""
    for entity in root.iter(etree.Entity):
        entity.tail = html5.get(f"{entity.name};", "") + (entity.tail or "")
    etree.strip_elements(root, etree.Entity, with_tail=False)


def _parsed(content: bytes, source: str) -> Any:
    fault = None
    for encoding in _ENCODINGS:
        parser = etree.XMLParser(
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
            encoding=encoding,
        )
        try:
            return etree.fromstring(content, parser)
        except etree.XMLSyntaxError as error:
            fault = fault or error
    line, column = fault.position if fault is not None else (0, 0)
    raise InputError(source, f"is broken XML (line {line}, column {column})", next_step=NEXT_STEP) from fault


def _depths(root: Any) -> Iterator[int]:
    depth = 0
    for event, _ in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        yield depth


def _drop_namespaces(root: Any) -> None:
    """Plain names for the elements of the score's namespace; those of others are extensions, and go."""
    own = etree.QName(root).namespace
    for element in list(root.iter()):
        name = etree.QName(element)
        if name.namespace == own:
            element.tag = name.localname
        elif name.namespace is not None and element.getparent() is not None:
            element.getparent().remove(element)
    etree.cleanup_namespaces(root)


def _in_order_of_parts(timewise: Any) -> Any:
    """A `score-timewise` tree, bars of parts, as `score-partwise`, parts of bars."""
    partwise = etree.Element("score-partwise", dict(timewise.attrib))
    parts: dict[str | None, Any] = {}
    for child in list(timewise):
        if child.tag != "measure":
            partwise.append(child)
            continue
        for bar_of_part in child.findall("part"):
            name = bar_of_part.get("id")
            if name not in parts:
                parts[name] = etree.Element("part", {} if name is None else {"id": name})
            measure = etree.SubElement(parts[name], "measure", dict(child.attrib))
            measure.extend(list(bar_of_part))
    partwise.extend(parts.values())
    return partwise


def _list_parts(root: Any) -> None:
    """A plain list of the parts that have bars, in the order in which the file lists them.

    Parts that the file does not list follow; of parts with the same id, or with none, each gets its own.
    """
    parts: dict[str, Any] = {}
    for part in root.findall("part"):
        if part.find("measure") is None:
            root.remove(part)
            continue
        name = (part.get("id") or "").strip() or "P1"
        while name in parts:
            name += "x"
        part.set("id", name)
        parts[name] = part
    listed = (entry.get("id") for entry in root.iterfind("part-list/score-part"))
    order = dict.fromkeys(name for name in listed if name in parts) | dict.fromkeys(parts)
    for element in root.findall("part-list"):
        root.remove(element)
    part_list = etree.Element("part-list")
    for name in order:
        etree.SubElement(part_list, "score-part", id=name)
    root.insert(0, part_list)
