"""Notes that a score file holds but does not print: what they are for, and which of them count as written.

Notation programs play what is written. To make them play a trill as it should sound, people write it out
beside the printed note and hide it. A hidden note is no written note: leaving it out is no mistake. But it
tells how an ornament can be played, so striking it is no mistake either.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tocco.music.notation import PrintedNote
from tocco.units import BoolArray, FloatArray, IntArray

NotePlace = tuple[str, int]
"""Id of a part, and place of a note among the part's notes as the file lists them."""

_ADORNED_SHARE = 0.5
"""Of a hand that is hidden by accident fewer notes start while a neighbour key of the other sounds; of a
staff for playback nearly all do."""

_NEIGHBOUR_SEMITONES = 2
_SAME_BEAT = 1e-6


def unprinted_notes(root: Any) -> frozenset[NotePlace]:
    """Place of every note that is not printed: hidden itself, or on a staff that is hidden from there on.

    Parameters
    ----------
    root : the `score-partwise` element of a MusicXML tree
    """
    if any(details.get("print-object") == "no" for details in root.iter("staff-details")):
        return frozenset(place for part in root.iter("part") for place in _unprinted_in(part))
    return frozenset(
        (part.get("id"), place)
        for part in root.iter("part")
        for place, note in enumerate(part.iterfind("measure/note"))
        if note.get("print-object") == "no"
    )


def _unprinted_in(part: Any) -> Iterator[NotePlace]:
    """As above, for a part in which staves may be hidden."""
    hidden_staves: set[str | None] = set()
    place = 0
    for element in part.iterfind("measure/*"):
        if element.tag == "attributes":
            for details in element.findall("staff-details"):
                if details.get("print-object") == "no":
                    hidden_staves.add(details.get("number"))
                else:
                    hidden_staves.discard(details.get("number"))
        elif element.tag == "note":
            if element.get("print-object") == "no" or (
                hidden_staves
                and not hidden_staves.isdisjoint(((element.findtext("staff") or "1").strip(), None))
            ):
                yield part.get("id"), place
            place += 1


def separate_hidden_notes(
    notes: Sequence[PrintedNote], is_hidden: BoolArray
) -> tuple[tuple[PrintedNote, ...], tuple[PrintedNote, ...]]:
    """The notes that count as written, and those that only show how to play them.

    Where nothing at all is printed, everything is written: the file was exported with all its notes hidden.
    So is a staff without a single printed note, unless most of its notes adorn or double what is printed on
    others, as those of a staff for playback do: a hand that was hidden by accident does not get lost.

    Parameters
    ----------
    notes : of a whole score, any order
    is_hidden : (S,) of each of them

    Returns
    -------
    written, hidden
    """
    is_hidden = is_hidden & ~_tied_to_printed(notes, is_hidden)
    if is_hidden.all() or not is_hidden.any():
        return tuple(notes), ()
    staff = np.array([note.staff for note in notes])
    counts = ~is_hidden
    printed = [note for note, hidden in zip(notes, is_hidden, strict=True) if not hidden]
    for unseen in np.setdiff1d(staff[is_hidden], staff[~is_hidden]):
        on_staff = staff == unseen
        adorning = _adorns([note for note, there in zip(notes, on_staff, strict=True) if there], printed)
        if adorning.mean() < _ADORNED_SHARE:
            counts[on_staff] = True
    written = tuple(note for note, count in zip(notes, counts, strict=True) if count)
    unseen_notes = (note for note, count in zip(notes, counts, strict=True) if not count)
    return written, tuple(note for note in unseen_notes if not note.tie_stop)


def _tied_to_printed(notes: Sequence[PrintedNote], is_hidden: BoolArray) -> BoolArray:
    """(S,) whether something of the tied notes that each hidden one belongs to is printed."""
    found = np.zeros(len(notes), dtype=bool)
    tied = [k for k, note in enumerate(notes) if note.tie_start or note.tie_stop]
    tied.sort(key=lambda k: notes[k].onset_beat)
    if not is_hidden[tied].any():
        return found
    for forwards in (True, False):
        ends: set[tuple[int, int, float]] = set()
        for k in tied if forwards else reversed(tied):
            note = notes[k]
            start, end = ((note.part, note.pitch, round(beat, 3)) for beat in _edges(note))
            leads_on, comes_from = (
                (note.tie_start, note.tie_stop) if forwards else (note.tie_stop, note.tie_start)
            )
            found[k] |= comes_from and (start if forwards else end) in ends
            if leads_on and (found[k] or not is_hidden[k]):
                ends.add(end if forwards else start)
    return found & is_hidden


def _edges(note: PrintedNote) -> tuple[float, float]:
    return note.onset_beat, note.onset_beat + note.duration_beat


def _adorns(hidden: Sequence[PrintedNote], printed: Sequence[PrintedNote]) -> BoolArray:
    """(H,) whether a printed note of about the same pitch sounds at the onset of each hidden one."""
    onset, end, pitch = _columns(printed)
    order = np.argsort(onset, kind="stable")
    onset, end, pitch = onset[order], end[order], pitch[order]
    at, _, key = _columns(hidden)
    found = np.zeros(len(hidden), dtype=bool)
    for step in range(-_NEIGHBOUR_SEMITONES, _NEIGHBOUR_SEMITONES + 1):
        for one in np.unique(key):
            there, asked = pitch == one + step, np.flatnonzero(key == one)
            last = np.searchsorted(onset[there], at[asked] + _SAME_BEAT, side="right") - 1
            sounds_until = np.append(np.maximum.accumulate(end[there]), -np.inf)
            found[asked] |= sounds_until[last] + _SAME_BEAT > at[asked]
    return found


def _columns(notes: Sequence[PrintedNote]) -> tuple[FloatArray, FloatArray, IntArray]:
    """Onset and end in beats, and pitch, of each note."""
    onset = np.array([note.onset_beat for note in notes])
    end = onset + np.array([note.duration_beat for note in notes])
    return onset, end, np.array([note.pitch for note in notes], dtype=np.int64)
