"""What stands around the notes of a MusicXML tree, in a form that partitura reads without stumbling."""

from __future__ import annotations

import math
from typing import Any

from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]  # compiled, ships no stubs

from tocco.music.musicxml_clock import count_of, decimal_from

_READ_IN_BARS = frozenset(("note", "backup", "forward", "attributes", "direction", "sound", "barline"))
_UNREAD = (
    "technical",
    "tuplet",
    "beam",
    "accidental",
    "type",
    "dot",
    "time-modification",
)
"""What no note, bar or mark of a score depends on: partitura refuses a letter for a finger, or a tuplet that
ends before it starts."""

_WITHOUT_NUMBER = "//*[self::staff or self::voice][not(node()[1][self::text()])]"
"""partitura reads such a staff or voice as nothing, and stumbles over it."""

_SEVERAL_LISTS = "//note[notations[2] or notations/articulations[2] or notations/ornaments[2]]"

_OF_ATTRIBUTES = ("divisions", "time", "staff-details")

_MAX_BPM = 2_000.0
_MAX_METRE = 1024


def keep_plain_signs(root: Any) -> None:
    """Drop what is not read, and put what is into the one form in which partitura reads it. In place.

    Parameters
    ----------
    root : the tree's `score-partwise` element; notes and tremolos, which need more, already set
    """
    etree.strip_elements(root, *_UNREAD)
    for measure in root.iter("measure"):
        if measure.get("number") is not None:
            measure.set("number", measure.get("number").strip())
        for element in list(measure):
            if element.tag not in _READ_IN_BARS:
                measure.remove(element)
            elif element.tag == "attributes":
                _keep_metre(element)
            elif element.tag == "direction":
                _keep_directions(element)
    for note in root.xpath(_SEVERAL_LISTS):
        _join_notations(note)
    for sound in root.iter("sound"):
        _keep_tempo(sound)
    for element in root.xpath(_WITHOUT_NUMBER):
        element.getparent().remove(element)
    for slur in list(root.iter("slur")):
        if slur.get("type") not in ("start", "stop"):
            slur.getparent().remove(slur)
    for tie in list(root.iter("tie")):
        if tie.get("type") is None:
            tie.getparent().remove(tie)


def _keep_metre(attributes: Any) -> None:
    """A metre of one fraction, or none: "3+2" eighths are 5/8, and 3/4 with 3/8 is 9/8."""
    for element in list(attributes):
        if element.tag not in _OF_ATTRIBUTES:
            attributes.remove(element)
    times = attributes.findall("time")
    metre = next((metre for time in times if (metre := _metre(time)) is not None), None)
    for time in times:
        if metre is not None or time.find("senza-misura") is None:
            attributes.remove(time)
    if metre is not None:
        plain = etree.SubElement(attributes, "time")
        etree.SubElement(plain, "beats").text = str(metre[0])
        etree.SubElement(plain, "beat-type").text = str(metre[1])


def _metre(time: Any) -> tuple[int, int] | None:
    """Beats and unit of a time signature; None for one without, or in other words."""
    counts = [_sum_of_counts(beats.text or "") for beats in time.findall("beats")]
    units = [_count_of_metre(unit.text or "") for unit in time.findall("beat-type")]
    if not counts or len(counts) != len(units) or not all(counts) or not all(units):
        return None
    common = math.lcm(*units)
    return sum(count * common // unit for count, unit in zip(counts, units, strict=True)), common


def _sum_of_counts(text: str) -> int:
    """3 and 2 of "3+2"; 0 for what is no sum of numbers."""
    counts = [_count_of_metre(count) for count in text.split("+")]
    return sum(counts) if all(counts) else 0


def _count_of_metre(text: str) -> int:
    """A number from 1 to the most that a time signature holds; 0 for any other text."""
    count = count_of(text.strip())
    return count if count is not None and count <= _MAX_METRE else 0


def _keep_directions(direction: Any) -> None:
    for kind in direction.findall("direction-type"):
        if len(kind) == 0:
            direction.remove(kind)


def _join_notations(note: Any) -> None:
    """One list of signs at each note, with one group of each kind: partitura reads the first of them."""
    first, *others = note.findall("notations")
    for other in others:
        first.extend(list(other))
        note.remove(other)
    for name in ("articulations", "ornaments"):
        groups = first.findall(name)
        for group in groups[1:]:
            groups[0].extend(list(group))
            first.remove(group)


def _keep_tempo(sound: Any) -> None:
    """Leave out a tempo that is none, and a loudness, which is not read from there."""
    sound.attrib.pop("dynamics", None)
    if "tempo" in sound.attrib:
        tempo = decimal_from(sound.get("tempo").strip())
        if tempo is None or not 0 < tempo <= _MAX_BPM:
            sound.attrib.pop("tempo")
