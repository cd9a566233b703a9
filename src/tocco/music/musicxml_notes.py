"""Notes of a MusicXML tree as a pianist plays them: at sounding pitch, in chords, without cues and drums.

partitura reads some odd notes wrongly and stumbles over others. Both are mended here, before it reads.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]  # compiled, ships no stubs

from tocco.errors import InputError
from tocco.music.musicxml_clock import count_of, decimal_of
from tocco.music.musicxml_tree import NEXT_STEP

_OCTAVE_SEMITONES = 12

_STEPS = frozenset("ABCDEFG")

_USUAL_OCTAVES = frozenset("0123456789")
_USUAL_ALTERS = ("-2", "-1", "0", "1", "2")

_ACCIDENTAL_ALTER = {
    "natural": 0,
    "sharp": 1,
    "flat": -1,
    "double-sharp": 2,
    "sharp-sharp": 2,
    "double-flat": -2,
    "flat-flat": -2,
    "natural-sharp": 1,
    "natural-flat": -1,
    "triple-sharp": 3,
    "triple-flat": -3,
    "other": 0,
}

_NOT_OF_A_REST = ("cue", "pitch", "unpitched", "tie", "notations", "accidental")


def set_played_notes(root: Any, source: str) -> None:
    """Bring all notes into a form that reads as they are played, in place.

    Parameters
    ----------
    root : the tree's `score-partwise` element
    source : for messages

    Raises
    ------
    InputError
        A note has no pitch that a piano has, or the part is for a transposing instrument.
    """
    if any("MuseScore" in (software.text or "") for software in root.iter("software")):
        # MuseScore knows no cue notes: it writes small ones so, such as those of a cadenza.
        etree.strip_elements(root, "cue")
    for part in root.findall("part"):
        _number_voices(part)
        is_percussion = _is_percussion(part)
        if is_percussion or next(part.iter("cue", "unpitched", "transpose"), None) is not None:
            _set_kinds(part, is_percussion, source)
        else:
            for pitch in part.iter("pitch"):
                _set_pitch(pitch, 0, source)
        for measure in part.iterfind("measure"):
            _mend_chords(measure)


def _set_kinds(part: Any, is_percussion: bool, source: str) -> None:
    """Sounding pitches, and rests for what is not played on the piano, in a part that holds such things."""
    for note, octaves in _notes_with_shift(part, source):
        pitch = note.find("pitch")
        if is_percussion or note.find("cue") is not None or note.find("unpitched") is not None:
            _silence(note)
        elif pitch is not None:
            _set_pitch(pitch, octaves, source)


def _is_percussion(part: Any) -> bool:
    """Whether a part has clefs for percussion alone: what it writes as pitches are places on the staff."""
    signs = {(sign.text or "").strip() for sign in part.iterfind("measure/attributes/clef/sign")}
    return signs == {"percussion"}


def _number_voices(part: Any) -> None:
    """Voices that are named otherwise ("1a", "Soprano") as numbers of their own."""
    voices = list(part.iter("voice"))
    names = {(voice.text or "").strip() for voice in voices}
    odd = sorted(name for name in names if name and not count_of(name))
    if not odd:
        return
    free = max(count_of(name) or 0 for name in names) + 1
    number = {name: str(free + k) for k, name in enumerate(odd)}
    for voice in voices:
        name = (voice.text or "").strip()
        voice.text = number.get(name, name)


def _notes_with_shift(part: Any, source: str) -> Iterator[tuple[Any, int]]:
    """Every note of a part with the octaves that it sounds above what is written.

    The sum of chromatic steps and octaves counts. What stands an octave off (a part for celesta, a score with
    its left hand an octave up) is known to sound so; an instrument in another key is no piano.
    """
    octaves: dict[str | None, int] = {}
    for element in list(part.iterfind("measure/*")):
        if element.tag == "attributes":
            for transpose in element.findall("transpose"):
                if transpose.get("number") is None:
                    octaves.clear()
                octaves[transpose.get("number")] = _octaves(transpose, source)
                element.remove(transpose)
        elif element.tag == "note":
            if octaves:
                staff = (element.findtext("staff") or "1").strip()
                yield element, octaves.get(staff, octaves.get(None, 0))
            else:
                yield element, 0


def _octaves(transpose: Any, source: str) -> int:
    parts = [transpose.find(name) for name in ("chromatic", "octave-change")]
    chromatic, changes = (
        Fraction(0) if part is None else decimal_of(part, source) or Fraction(0) for part in parts
    )
    semitones = chromatic + _OCTAVE_SEMITONES * changes
    if semitones % _OCTAVE_SEMITONES:
        raise InputError(
            source,
            f"holds a transposing instrument ({float(semitones):+g} semitones)",
            allowed="piano parts",
            next_step=NEXT_STEP,
        )
    return int(semitones // _OCTAVE_SEMITONES)


def _silence(note: Any) -> None:
    """Turn what is not played on the piano (a cue, a drum) into a rest of its length."""
    if note.find("grace") is not None:
        note.getparent().remove(note)
        return
    for name in _NOT_OF_A_REST:
        for element in note.findall(name):
            note.remove(element)
    if note.find("rest") is None:
        note.insert(0, etree.Element("rest"))


def _set_pitch(pitch: Any, octaves: int, source: str) -> None:
    """The sounding pitch in whole numbers, its alteration spelled out."""
    if not octaves and _is_plain(pitch):
        return
    step = (pitch.findtext("step") or "").strip().upper()
    octave = pitch.find("octave")
    number = None if octave is None else decimal_of(octave, source)
    if step not in _STEPS or octave is None or number is None or number.denominator != 1:
        written = f"{step}{'' if octave is None else (octave.text or '').strip()}"
        raise InputError(
            source,
            f"cannot be read as music: it holds a note of pitch {written[:30]!r} (line {pitch.sourceline})",
            allowed="a step from A to G and an octave",
            next_step=NEXT_STEP,
        )
    pitch.find("step").text = step
    octave.text = str(int(number) + octaves)
    _set_alter(pitch, source)


def _is_plain(pitch: Any) -> bool:
    """Whether a pitch is written as it is read, as nearly all are."""
    said = {element.tag: element.text for element in pitch}
    return (
        said.get("step") in _STEPS
        and said.get("octave") in _USUAL_OCTAVES
        and (
            said["alter"] in _USUAL_ALTERS
            if "alter" in said
            else pitch.getparent().find("accidental") is None
        )
    )


def _set_alter(pitch: Any, source: str) -> None:
    stated, printed = pitch.find("alter"), pitch.getparent().find("accidental")
    value = None if stated is None else decimal_of(stated, source)
    sign = "" if printed is None else (printed.text or "").strip()
    if value is None:
        # Some programs for music recognition leave it to the printed accidental.
        if sign and sign not in _ACCIDENTAL_ALTER:
            _refuse_microtone(printed, source)
        value = Fraction(_ACCIDENTAL_ALTER.get(sign, 0))
    if value.denominator != 1:
        _refuse_microtone(stated, source)
    if stated is None and value:
        stated = etree.Element("alter")
        pitch.insert(1, stated)
    if stated is not None:
        stated.text = str(int(value))


def _refuse_microtone(element: Any, source: str) -> None:
    raise InputError(
        source,
        f"holds an {element.tag} of {element.text.strip()[:30]!r} (line {element.sourceline})",
        allowed="whole semitones; a piano has no quarter tones",
        next_step=NEXT_STEP,
    )


def _mend_chords(measure: Any) -> None:
    """Let every chord begin with a note. In place.

    A note on the stem of a rest stands where the rest does, one on the stem of nothing where it is; a rest on
    the stem of a note is none; and a main note does not stand on the stem of a small one.
    """
    if measure.find("note/chord") is None:
        return
    leader = None
    for element in list(measure):
        if element.tag in ("backup", "forward"):
            leader = None
        if element.tag != "note":
            continue
        chord = element.find("chord")
        if chord is None:
            leader = element
        elif leader is not None and element.find("pitch") is None:
            measure.remove(element)
        elif leader is None or (leader.find("grace") is not None and element.find("grace") is None):
            element.remove(chord)
            leader = element
        elif leader.find("pitch") is None:
            element.remove(chord)
            _put_beside(measure, leader, element)


def _put_beside(measure: Any, rest: Any, note: Any) -> None:
    """Let a note start where a rest does: ahead of it, and back by its own length."""
    place = measure.index(rest)
    measure.remove(note)
    measure.insert(place, note)
    if note.find("grace") is not None:
        return
    duration = note.find("duration")
    if duration.text == "0":
        duration.text = rest.findtext("duration")
    back = etree.Element("backup")
    etree.SubElement(back, "duration").text = duration.text
    measure.insert(place + 1, back)
