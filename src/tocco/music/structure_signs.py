"""Structure signs of a MusicXML file: repeat barlines, endings, segno, coda, fine, da capo, dal segno.

A jump is written as a `<sound>` attribute, which programs play, as words, which people read, or as both;
a sign that stands in words alone is not `sure`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

SignKind = Literal[
    "repeat_start",
    "repeat_end",
    "ending_start",
    "ending_end",
    "final_barline",
    "segno",
    "coda",
    "to_coda",
    "fine",
    "da_capo",
    "dal_segno",
]
Until = Literal["", "fine", "coda", "segno"]

_HOLDERS = ("barline", "direction", "sound")

_MAX_PASSES = 10_000
"""Above every sane `times`; what is played is bounded by the length of the reading."""

_MAX_ENDING_NUMBER = 99

_ENDPOINTS = {"dacapo": "da_capo", "dalsegno": "dal_segno", "tocoda": "to_coda", "fine": "fine"}
_TARGETS = {"segno": "segno", "coda": "coda"}
_SOUNDS = {**_ENDPOINTS, **_TARGETS}
_JUMPS = frozenset({"da_capo", "dal_segno"})

_SEGNO_GLYPH, _CODA_GLYPH = "\U0001d10b", "\U0001d10c"
_DA_CAPO = re.compile(r"\bda capo\b|\bd ?c\b")
_DAL_SEGNO = re.compile(r"\b(?:dal|del) segno\b|\bd ?s\b")
_TO_CODA = re.compile(r"(?:to|al|alla) coda(?: coda)?")


@dataclass(frozen=True)
class Sign:
    """One structure sign.

    Attributes
    ----------
    kind
    bar : index 0.. of the bar in its part
    beat : quarter notes from the start of the bar
    at_end : whether nothing of the bar comes after it
    label : name by which a jump finds its segno or coda, "" for any
    numbers : passes of an ending, () where the file does not say; how often a repeat is played
    until : where a da capo or dal segno ends, as far as its words say
    sure : written for programs, not in words alone
    after_jump : whether a repeat is played after a da capo or dal segno as well
    """

    kind: SignKind
    bar: int
    beat: float = 0.0
    at_end: bool = False
    label: str = ""
    numbers: tuple[int, ...] = ()
    until: Until = ""
    sure: bool = True
    after_jump: bool = False


def take_structure_signs(root: Any) -> dict[str, tuple[Sign, ...]]:
    """Read the structure signs of every part, and remove from the tree what only unfolding needs.

    Parameters
    ----------
    root : the tree's `score-partwise` element, durations in whole numbers

    Returns
    -------
    Signs of each part by its id, in the order of the file.
    """
    signs: dict[str, tuple[Sign, ...]] = {}
    for part in root.iter("part"):
        divisions = 1
        found: list[Sign] = []
        for bar, measure in enumerate(part.findall("measure")):
            at = {element: list(_signs_at(element)) for element in measure.iterchildren(*_HOLDERS)}
            if any(at.values()):
                found.extend(_placed([(e, at.get(e, [])) for e in measure], bar, divisions))
            divisions = _last_divisions(measure, divisions)
        signs[part.get("id", "P1")] = tuple(found)
    for barline in root.iter("barline"):
        for name in ("repeat", "ending"):
            for element in barline.findall(name):
                barline.remove(element)
    for sound in root.iter("sound"):
        for name in _SOUNDS:
            sound.attrib.pop(name, None)
    return signs


def _last_divisions(measure: Any, divisions: int) -> int:
    for stated in measure.findall("attributes/divisions"):
        divisions = int(stated.text or divisions)
    return divisions


def _placed(elements: list[tuple[Any, list[Sign]]], bar: int, divisions: int) -> Iterator[Sign]:
    """Give the signs of a bar their places."""
    cursor = longest = chord_onset = 0.0
    placed: list[tuple[float | None, Sign]] = []
    for element, signs in elements:
        if element.tag == "attributes":
            divisions = int(element.findtext("divisions") or divisions)
        elif element.tag in ("note", "backup", "forward") and element.find("grace") is None:
            beats = int(element.findtext("duration") or 0) / divisions
            if element.tag == "note" and element.find("chord") is not None:
                cursor = chord_onset + beats
            else:
                chord_onset = cursor
                cursor = max(cursor - beats if element.tag == "backup" else cursor + beats, 0.0)
            longest = max(longest, cursor)
        location = element.get("location", "right") if element.tag == "barline" else ""
        beat = {"left": 0.0, "right": None}.get(location, cursor)
        placed.extend((beat, sign) for sign in signs)
    for beat, sign in placed:
        place = longest if beat is None else beat
        yield replace(sign, bar=bar, beat=place, at_end=beat is None or (0 < longest <= place))


def _signs_at(element: Any) -> Iterator[Sign]:
    """The signs that an element of a bar holds, their places aside."""
    if element.tag == "barline":
        yield from _barline_signs(element)
    elif element.tag == "sound":
        yield from _sound_signs(element)
    elif element.tag == "direction":
        yield from _direction_signs(element)


def _barline_signs(barline: Any) -> Iterator[Sign]:
    repeat = barline.find("repeat")
    if repeat is not None:
        if repeat.get("direction") == "forward":
            yield Sign("repeat_start", 0)
        elif repeat.get("direction") == "backward":
            times = repeat.get("times", "").strip()
            count = min(int(times), _MAX_PASSES) if times.isdecimal() and len(times) < 10 else 2
            after_jump = repeat.get("after-jump") == "yes"
            yield Sign("repeat_end", 0, numbers=(max(count, 2),), after_jump=after_jump)
    elif barline.findtext("bar-style") == "light-heavy":
        yield Sign("final_barline", 0)
    for ending in barline.findall("ending"):
        if ending.get("type") == "start":
            numbers = _ending_numbers(ending.get("number") or "") or _ending_numbers(ending.text or "")
            yield Sign("ending_start", 0, numbers=numbers)
        else:
            yield Sign("ending_end", 0)
    for name, kind in _TARGETS.items():
        if barline.get(name) is not None or barline.find(name) is not None:
            yield Sign(kind, 0, label=barline.get(name, ""))  # type: ignore[arg-type]


def _ending_numbers(text: str) -> tuple[int, ...]:
    """Passes that an ending is for: of "1, 2", "1-3", "1.-3.", "1. 2."; () of a blank."""
    numbers: set[int] = set()
    for first, last in re.findall(r"(\d{1,3})\.?(?:\s*[-\u2013\u2014]\s*(\d{1,3}))?", text):
        numbers.update(range(int(first), int(last or first) + 1))
    return tuple(sorted(n for n in numbers if 1 <= n <= _MAX_ENDING_NUMBER))


def _sound_signs(sound: Any) -> Iterator[Sign]:
    for name, kind in _SOUNDS.items():
        value = sound.get(name)
        if value is None or (name in ("dacapo", "fine") and value.strip().lower() in ("no", "false", "")):
            continue
        label = "" if name in ("dacapo", "fine") else value.strip()
        yield Sign(kind, 0, label=label)  # type: ignore[arg-type]
    if sound.get("forward-repeat") == "yes":
        yield Sign("repeat_start", 0)


def _direction_signs(direction: Any) -> Iterator[Sign]:
    """Signs of a direction: its sound, its words as far as the sound leaves them open, its symbols."""
    sounded = [sign for sound in direction.findall("sound") for sign in _sound_signs(sound)]
    words = " ".join(element.text or "" for element in direction.iterfind("direction-type/words"))
    said = list(_word_signs(words)) if words.strip() else []
    kinds = {sign.kind for sign in sounded}
    until = next((sign.until for sign in said), "")
    for sign in sounded:
        yield replace(sign, until=until) if sign.kind in _JUMPS else sign
    if not kinds & set(_ENDPOINTS.values()):
        yield from (sign for sign in said if sign.kind not in kinds)
    named = kinds | {sign.kind for sign in said}
    # A symbol beside a jump names what the jump leads to; it does not stand there.
    for name, others in (("segno", _JUMPS), ("coda", {"to_coda", *_JUMPS})):
        if not named & {name, *others} and direction.find(f"direction-type/{name}") is not None:
            yield Sign(name, 0)  # type: ignore[arg-type]


def _word_signs(text: str) -> Iterator[Sign]:
    """Structure signs that words name."""
    text = text.replace(_SEGNO_GLYPH, " segno ").replace(_CODA_GLYPH, " coda ")
    plain = " ".join(re.sub(r"[^\w ]", " ", text.lower()).split())
    for kind, pattern in (("da_capo", _DA_CAPO), ("dal_segno", _DAL_SEGNO)):
        match = pattern.search(plain)
        if match is not None:
            yield Sign(kind, 0, until=_until(plain[match.end() :]), sure=False)  # type: ignore[arg-type]
            return
    if plain in ("fine", "il fine", "fin"):
        yield Sign("fine", 0, sure=False)
    elif _TO_CODA.fullmatch(plain):
        yield Sign("to_coda", 0, sure=False)
    elif plain in ("coda", "segno"):
        yield Sign(plain, 0, sure=False)  # type: ignore[arg-type]


def _until(rest: str) -> Until:
    """Where the words after "da capo" or "dal segno" say that it ends."""
    if re.search(r"\bal? ?segno\b", rest):
        return "segno"
    if re.search(r"\bcoda\b", rest):
        return "coda"
    return "fine" if re.search(r"\bfine?\b", rest) else ""
