"""Tremolos written out: the strokes that an abbreviation stands for.

A tremolo of one or two slashes is measured: it abbreviates eighths or sixteenths (finer from notes with
flags), and a player strikes exactly those. Three slashes and more are played freely; those stay one
note, with "tremolo" among its signs.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from tocco.music.musicxml_clock import count_of

_MEASURED_SLASHES = (1, 2)
_FLAGS = {"eighth": 1, "16th": 2, "32nd": 3}
_ONLY_ONCE = ("tie", "notations", "time-modification", "dot", "beam", "accidental")


def write_out_tremolos(root: Any) -> None:
    """Replace every measured tremolo of a MusicXML tree by its strokes, in place.

    Parameters
    ----------
    root : the tree's `score-partwise` element, durations in whole numbers
    """
    for part in root.iter("part"):
        divisions = 1
        for measure in part.iter("measure"):
            for element in list(measure):
                if element.tag == "attributes":
                    divisions = int(element.findtext("divisions") or divisions)
                elif element.tag == "note" and element.getparent() is measure:
                    _write_out(element, divisions)


def _write_out(note: Any, divisions: int) -> None:
    """Write out the tremolo that begins on a note, if one does."""
    sign = note.find("notations/ornaments/tremolo")
    if sign is None or note.find("chord") is not None or note.find("grace") is not None:
        return
    slashes = count_of((sign.text or "").strip()) or 0
    if slashes not in _MEASURED_SLASHES:
        return
    chords = [_chord_from(note)]
    if sign.get("type") == "start":
        second = chords[0][-1].getnext()
        other = None if second is None else second.find("notations/ornaments/tremolo")
        if other is None or other.get("type") != "stop":
            return
        chords.append(_chord_from(second))
    elif sign.get("type", "single") != "single":
        return
    total = sum(int(chord[0].findtext("duration") or 0) for chord in chords)
    halvings = 2 ** (slashes + _FLAGS.get(note.findtext("type") or "", 0))
    if divisions % halvings or total * halvings % divisions:
        return
    stroke = divisions // halvings
    n_strokes = total // stroke
    if n_strokes >= len(chords) and n_strokes % len(chords) == 0:
        _replace(chords, n_strokes, stroke)


def _chord_from(note: Any) -> list[Any]:
    """A note and those that stand on its stem."""
    chord = [note]
    following = note.getnext()
    while following is not None and following.tag == "note" and following.find("chord") is not None:
        chord.append(following)
        following = following.getnext()
    return chord


def _replace(chords: list[list[Any]], n_strokes: int, stroke: int) -> None:
    """Put strokes that take the chords in turn where the chords stood; the first ones keep their ids."""
    strokes = [note for k in range(n_strokes) for note in _stroke(chords[k % len(chords)], k, chords)]
    first = chords[0][0]
    parent = first.getparent()
    place = parent.index(first)
    for chord in chords:
        for note in chord:
            parent.remove(note)
    for note in strokes:
        duration = note.find("duration")
        duration.text = str(stroke)
    parent[place:place] = strokes


def _stroke(chord: list[Any], rank: int, chords: list[list[Any]]) -> Iterator[Any]:
    for note in chord:
        struck = deepcopy(note)
        for ornaments in struck.findall("notations/ornaments"):
            for sign in ornaments.findall("tremolo"):
                ornaments.remove(sign)
        # The strokes go on into what a tremolo is tied to.
        for tie in (*struck.findall("tie"), *struck.findall("notations/tied")):
            if tie.get("type") == "start":
                tie.getparent().remove(tie)
            elif tie.get("type") == "continue":
                tie.set("type", "stop")
        if rank >= len(chords):
            struck.attrib.pop("id", None)
            for name in _ONLY_ONCE:
                for element in struck.findall(name):
                    struck.remove(element)
        yield struck
