"""Durations of a MusicXML tree in whole numbers, on one clock for each part.

MusicXML counts durations in divisions of a quarter note, which may be decimals, may change on the way, and
are sometimes left out. What they say is kept; after this every part has one number of divisions, and every
note, step back and step forward a whole number of them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]  # compiled, ships no stubs

from tocco.errors import InputError
from tocco.music.musicxml_tree import NEXT_STEP

_STEPS = ("backup", "forward")

_FINEST_DIVISIONS = 10_080
"""Holds tuplets of up to ten notes down to the 128th; decimals such as 0.333 are taken as the nearest."""

_MAX_DIGITS = 18

_DECIMAL = re.compile(r"[+-]?([0-9]{1,18}(\.[0-9]{0,18})?|\.[0-9]{1,18})")

_TYPE_QUARTERS = {
    "maxima": Fraction(32),
    "long": Fraction(16),
    "breve": Fraction(8),
    "whole": Fraction(4),
    "half": Fraction(2),
    "quarter": Fraction(1),
    "eighth": Fraction(1, 2),
    **{f"{2**k}{'nd' if k == 5 else 'th'}": Fraction(4, 2**k) for k in range(4, 11)},
}


def decimal_of(element: Any, source: str) -> Fraction | None:
    """The number that an element holds; None for an empty one.

    Raises
    ------
    InputError
        The element holds something else.
    """
    text = (element.text or "").strip()
    if not text:
        return None
    value = decimal_from(text)
    if value is None:
        raise InputError(
            source,
            f"holds {'an' if element.tag[0] in 'aeiou' else 'a'} {element.tag} of {text[:30]!r}"
            f" (line {element.sourceline})",
            allowed="numbers",
            next_step=NEXT_STEP,
        )
    return value


def decimal_from(text: str) -> Fraction | None:
    """The number that a text says without a power or a fraction; None for any other text."""
    if _DECIMAL.fullmatch(text) is None:
        return None
    return Fraction(int(text)) if text.isdecimal() else Fraction(text.rstrip("."))


def count_of(text: str) -> int | None:
    """The whole number from 0 that a text says; None for any other text, and for one of too many digits."""
    if not (text.isascii() and text.isdecimal() and len(text) < _MAX_DIGITS):
        return None
    return int(text)


def set_whole_durations(root: Any, source: str) -> None:
    """Put every part of a tree on one clock of whole numbers, in place.

    Parameters
    ----------
    root : the tree's `score-partwise` element
    source : for messages

    Raises
    ------
    InputError
        A duration cannot be determined.
    """
    for grace in list(root.iter("grace")):
        # Small notes take no time in the score; old exporters give them some, which would shift the bar.
        for duration in grace.getparent().findall("duration"):
            grace.getparent().remove(duration)
    stated = next(root.iterfind("part//divisions"), None)
    usual = Fraction(1) if stated is None else _divisions(stated, source) or Fraction(1)
    for part in root.findall("part"):
        if not _is_whole(part):
            _set_clock(part, usual, source)


def _is_whole(part: Any) -> bool:
    """Whether a part counts in whole numbers of one kind, and leaves none out, as nearly all parts do."""
    divisions = [element.text or "" for element in part.iter("divisions")]
    if len(set(divisions)) != 1 or not count_of(divisions[0]):
        return False
    if part.find("measure").find("attributes/divisions") is None:
        return False
    lengths = [element.text or "" for element in part.iterfind("measure/*/duration")]
    n_graces = sum(1 for _ in part.iter("grace"))
    n_timed = sum(1 for _ in part.iter("note", *_STEPS)) - n_graces
    return len(lengths) == n_timed and all(count_of(length) is not None for length in lengths)


def _set_clock(part: Any, usual: Fraction, source: str) -> None:
    timed: list[tuple[Any, Fraction, Fraction]] = []
    known: Fraction | None = None
    in_use: set[Fraction] = set()
    for element in _timed_elements(part):
        if element.tag == "divisions":
            known = _divisions(element, source) or known
            continue
        if element.find("grace") is not None:
            continue
        if known is None:
            known = _divisions_by_type(part, source) or usual
        in_use.add(known)
        timed.append((element, _duration(element, known, source), known))
    divisions = _common_divisions(in_use, [(length, own) for _, length, own in timed])
    for element, length, own in timed:
        _set_duration(element, length.numerator if own == divisions else round(length * divisions / own))
    _state_divisions(part, divisions)


def _timed_elements(part: Any) -> Iterator[Any]:
    for child in part.iterfind("measure/*"):
        if child.tag == "attributes":
            yield from child.findall("divisions")
        elif child.tag == "note" or child.tag in _STEPS:
            yield child


def _divisions(element: Any, source: str) -> Fraction | None:
    value = decimal_of(element, source)
    if value is not None and value <= 0:
        raise InputError(
            source,
            f"holds a divisions of {(element.text or '').strip()[:30]!r} (line {element.sourceline})",
            allowed="numbers above 0",
            next_step=NEXT_STEP,
        )
    return value


def _divisions_by_type(part: Any, source: str) -> Fraction | None:
    """Divisions of a part that does not state them, by the first note that has a type and a duration."""
    for note in part.iterfind("measure/note"):
        duration = note.find("duration")
        quarters = _written_quarters(note)
        if duration is not None and quarters:
            value = decimal_of(duration, source)
            if value:
                return value / quarters
    return None


def _written_quarters(note: Any) -> Fraction | None:
    """Length of a note by its looks, in quarter notes; None where the file does not say."""
    quarters = _TYPE_QUARTERS.get((note.findtext("type") or "").strip())
    if quarters is None:
        return None
    quarters *= 2 - Fraction(1, 2 ** len(note.findall("dot")))
    actual, normal = (
        count_of((note.findtext(f"time-modification/{name}-notes") or "1").strip())
        for name in ("actual", "normal")
    )
    if actual and normal is not None:
        quarters *= Fraction(normal, actual)
    return quarters


def _duration(element: Any, divisions: Fraction, source: str) -> Fraction:
    """Duration of a note or a step, in the divisions in force."""
    duration = element.find("duration")
    value = None if duration is None else decimal_of(duration, source)
    if duration is None or value is None:
        if element.tag in _STEPS:
            return Fraction(0)
        quarters = _written_quarters(element)
        if quarters is None:
            return _length_of_silence(element, source)
        return quarters * divisions
    if value < 0 and element.tag == "note":
        # Finale writes such where it took two tuplets for one in the other: the rest of the voice is then
        # as wrong, and nothing in the file says how long its notes are.
        raise InputError(
            source,
            f"holds a note with a duration of {duration.text.strip()[:30]!r} (line {duration.sourceline}),"
            " in a bar whose rhythm is damaged",
            allowed="durations from 0",
            next_step="correct the tuplets of this bar in a notation program and export it again",
        )
    return value


def _length_of_silence(note: Any, source: str) -> Fraction:
    """A rest for a bar takes no time of its own, for bars are filled later; nor does a note in a chord."""
    rest = note.find("rest")
    if note.find("chord") is not None or (rest is not None and _fills_bar(rest, note.getparent())):
        return Fraction(0)
    raise InputError(
        source,
        f"holds a note or rest without a duration (line {note.sourceline})",
        allowed="a duration, or else a type, in every note",
        next_step=NEXT_STEP,
    )


def _fills_bar(rest: Any, measure: Any) -> bool:
    return rest.get("measure") == "yes" or all(note.find("rest") is not None for note in measure.iter("note"))


def _common_divisions(in_use: set[Fraction], lengths: list[tuple[Fraction, Fraction]]) -> int:
    """Divisions of a quarter note in which all lengths are whole.

    Parameters
    ----------
    in_use : the divisions that the part counts in
    lengths : each duration with the divisions in which it is counted
    """
    if all(divisions.denominator == 1 for divisions in in_use) and all(
        length.denominator == 1 for length, _ in lengths
    ):
        common = math.lcm(1, *(divisions.numerator for divisions in in_use))
        if len(in_use) <= 1 or common <= _FINEST_DIVISIONS:
            return common
    common = 1
    for denominator in {(length / divisions).denominator for length, divisions in lengths}:
        common = math.lcm(common, denominator)
        if common > _FINEST_DIVISIONS:
            return _FINEST_DIVISIONS
    return common


def _set_duration(element: Any, length: int) -> None:
    duration = element.find("duration")
    if duration is None:
        duration = etree.Element("duration")
        voice = element.find("voice")
        element.insert(len(element) if voice is None else element.index(voice), duration)
    duration.text = str(length)


def _state_divisions(part: Any, divisions: int) -> None:
    """Say the divisions once, ahead of everything."""
    for attributes in part.iterfind("measure/attributes"):
        for element in attributes.findall("divisions"):
            attributes.remove(element)
    opening = etree.Element("attributes")
    etree.SubElement(opening, "divisions").text = str(divisions)
    part.find("measure").insert(0, opening)
