"""Ornaments and rolled chords: notes that are not in the score's grid, and yet no mistakes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from tocco.music.matching.assign import match_by_pitch
from tocco.music.matching.chords import OnsetGroups, PlayedNotes, WrittenNotes
from tocco.units import BoolArray, FloatArray, IntArray

OrnamentKind = Literal["trill", "turn", "mordent", "appoggiatura", "other-ornament"]

_NEIGHBOUR_SEMITONES = 2
_LEAD_SEC = 0.35
"""A turn before its main note takes no longer."""

_QUICK_SEC = 0.25
"""Notes of an ornament follow each other faster than this."""

_BRUSH_SEC = 0.03
"""Keys next to each other that go down within this are caught by one finger: an ornament plays one at a time,
and the fastest trills take twice as long from key to key."""

_TRILL_NOTES = 4
_TURN_NOTES = 3
_MORDENT_NOTES = 2

_HIDDEN_REACH_SEC = 0.4
"""A trill that is written out for playback has its own speed: its strokes fall so far from a player's."""

_ROLL_NOTES = 3
_ROLL_STEP_SEC = 0.015
_ROLL_SPREAD_SEC = 0.08
"""A struck chord spreads over some 30 ms (Goebl, 2001); a rolled one over more, in order of pitch."""


@dataclass(frozen=True)
class Ornament:
    """Added notes that adorn a written one.

    Attributes
    ----------
    kind : "trill" | "turn" | "mordent" | "appoggiatura" | "other-ornament"
        The last is what the score says only to the notation program: notes that it plays but does not print.
    written : index into the score: the main note
    played : indices into the performance: the added notes, in order
    """

    kind: OrnamentKind
    written: int
    played: tuple[int, ...]


@dataclass(frozen=True)
class Arpeggio:
    """A chord that was rolled.

    Attributes
    ----------
    group : index of the onset group
    is_upward : whether from low to high
    spread_sec : seconds from its first to its last note
    """

    group: int
    is_upward: bool
    spread_sec: float


def find_ornaments(
    written: WrittenNotes,
    played: PlayedNotes,
    match: IntArray,
    insertion: IntArray,
    end_sec: FloatArray,
    has_sign: BoolArray,
) -> tuple[Ornament, ...]:
    """Added notes next to a matched one in time and pitch, quick enough to be an ornament.

    A single added note is an ornament only where the score has a sign; elsewhere it is a slip. So is a key
    that is brushed along with one of the ornament's own.

    Parameters
    ----------
    written, played : both sides
    match : (K, 2) index into the written, index into the played notes
    insertion : (I,) index into the performance, ascending
    end_sec : (K,) seconds
        When each matched note is written to end.
    has_sign : (S,)
        Whether an ornament sign stands at a written note.
    """
    if len(match) == 0 or len(insertion) == 0:
        return ()
    hosts = _hosts(written, played, match, insertion, end_sec)
    adorning = np.flatnonzero(hosts >= 0)
    brushed = is_brushed(insertion[adorning], played.onset_sec, played.pitch, played.velocity)
    hosts[adorning[brushed]] = -1
    found = []
    for host in np.unique(hosts[hosts >= 0]):
        page, key = int(match[host, 0]), int(match[host, 1])
        notes = _turning(played, insertion[hosts == host], key)
        kind = _kind(played, notes, key, bool(has_sign[page]))
        if kind is not None:
            found.append(Ornament(kind, page, tuple(int(note) for note in notes)))
    return tuple(sorted(found, key=lambda ornament: ornament.played))


def _hosts(
    written: WrittenNotes, played: PlayedNotes, match: IntArray, insertion: IntArray, end_sec: FloatArray
) -> IntArray:
    """(I,) index into the matches of the note that each insertion may adorn; -1 for none."""
    start_sec = played.onset_sec[match[:, 1]]
    pitch = written.pitch[match[:, 0]]
    hosts = np.full(len(insertion), -1, dtype=np.int64)
    order = np.argsort(start_sec, kind="stable")
    latest = np.searchsorted(start_sec[order], played.onset_sec[insertion] + _LEAD_SEC, side="right")
    longest_sec = float(max(np.max(end_sec - start_sec), _LEAD_SEC))
    earliest = np.searchsorted(start_sec[order], played.onset_sec[insertion] - longest_sec)
    for k, note in enumerate(insertion):
        near = order[earliest[k] : latest[k]]
        step = np.abs(pitch[near] - played.pitch[note])
        near = near[(step <= _NEIGHBOUR_SEMITONES) & (end_sec[near] > played.onset_sec[note])]
        if len(near):
            hosts[k] = near[np.argmin(np.abs(start_sec[near] - played.onset_sec[note]))]
    return hosts


def is_brushed(note: IntArray, onset_sec: FloatArray, pitch: IntArray, velocity: IntArray) -> BoolArray:
    """Which notes are neighbour keys caught along with another, and no notes of an ornament.

    Of two keys a semitone or a tone apart that go down together, the one that is struck less often around
    there, or else the softer one.

    Parameters
    ----------
    note : (I,) index into the performance
    onset_sec, pitch, velocity : (N,) of the performance, ascending by onset

    Returns
    -------
    (I,)
    """
    low = np.searchsorted(onset_sec, onset_sec[note] - _BRUSH_SEC)
    high = np.searchsorted(onset_sec, onset_sec[note] + _BRUSH_SEC, side="right")
    first = np.searchsorted(onset_sec, onset_sec[note] - _LEAD_SEC)
    last = np.searchsorted(onset_sec, onset_sec[note] + _LEAD_SEC, side="right")
    brushed = np.zeros(len(note), dtype=bool)
    for k, one in enumerate(note.tolist()):
        around = pitch[first[k] : last[k]]
        weight = ((around == pitch[one]).sum(), velocity[one])
        for other in range(int(low[k]), int(high[k])):
            if 1 <= abs(int(pitch[other]) - int(pitch[one])) <= _NEIGHBOUR_SEMITONES:
                brushed[k] |= weight < ((around == pitch[other]).sum(), velocity[other])
    return brushed


def _turning(played: PlayedNotes, notes: IntArray, key: int) -> IntArray:
    """The added notes without those that strike a key twice in a row, and turn about nothing.

    In a trill, which has many, one may well be heard or struck twice.

    Parameters
    ----------
    played
    notes : index of each added note
    key : index of their main note
    """
    if len(notes) >= _TRILL_NOTES:
        return notes
    together = np.append(notes, key)
    together = together[np.argsort(played.onset_sec[together], kind="stable")]
    again = np.flatnonzero(np.diff(played.pitch[together]) == 0)
    later = together[again + 1]
    return np.setdiff1d(notes, np.where(later == key, together[again], later))


def _kind(played: PlayedNotes, notes: IntArray, key: int, has_sign: bool) -> OrnamentKind | None:
    """What added notes and their main note make together; None for a slip."""
    together = np.sort(np.append(played.onset_sec[notes], played.onset_sec[key]))
    if len(together) > 1 and np.median(np.diff(together)) > _QUICK_SEC:
        return None
    step = played.pitch[notes] - played.pitch[key]
    if not (step != 0).any():
        return None
    if len(notes) >= _TRILL_NOTES:
        return "trill"
    if len(notes) == _TURN_NOTES and (step > 0).any() and (step < 0).any():
        return "turn"
    if len(notes) >= _MORDENT_NOTES and (step == 0).any():
        return "mordent"
    return "appoggiatura" if has_sign else None


def find_hidden_ornaments(
    written: WrittenNotes,
    played: PlayedNotes,
    match: IntArray,
    insertion: IntArray,
    hidden_sec: FloatArray,
    hidden_pitch: IntArray,
) -> tuple[Ornament, ...]:
    """Added notes that the score holds but does not print.

    Parameters
    ----------
    written, played : both sides
    match : (K, 2) index into the written, index into the played notes
    insertion : (I,) index into the performance, ascending
    hidden_sec : (H,) seconds
        When each note that is not printed is due.
    hidden_pitch : (H,)

    Returns
    -------
    In order of playing; each hidden note allows one stroke, be it of a printed note or an added one.
    """
    if min(len(match), len(insertion), len(hidden_sec)) == 0:
        return ()
    reach_sec = np.full(len(hidden_sec), _HIDDEN_REACH_SEC)
    strokes = np.union1d(match[:, 1], insertion)
    pairs = match_by_pitch(
        hidden_sec, hidden_pitch, reach_sec, reach_sec, played.onset_sec[strokes], played.pitch[strokes]
    )
    adorning = np.intersect1d(strokes[pairs[:, 1]], insertion)
    start_sec = played.onset_sec[match[:, 1]]
    far = np.abs(start_sec[None, :] - played.onset_sec[adorning, None])
    step = np.abs(written.pitch[match[:, 0]][None, :] - played.pitch[adorning, None])
    # The nearest note a step away at most, or else the nearest of all: an arpeggio leaps.
    host = np.argmin(np.where(step <= _NEIGHBOUR_SEMITONES, far, far + _HIDDEN_REACH_SEC), axis=1)
    found = [
        Ornament("other-ornament", int(match[one, 0]), tuple(adorning[host == one].tolist()))
        for one in np.unique(host)
    ]
    return tuple(sorted(found, key=lambda ornament: ornament.played))


def find_arpeggios(
    written: WrittenNotes, played: PlayedNotes, groups: OnsetGroups, match: IntArray
) -> tuple[Arpeggio, ...]:
    """Chords of which at least three neighbouring notes come one after another.

    The other hand may strike its notes together: only one hand need roll.

    Parameters
    ----------
    written, played, groups : both sides
    match : (K, 2) index into the written, index into the played notes; ascending by the first
    """
    struck = match[~written.is_grace[match[:, 0]]]
    group = groups.group_of[struck[:, 0]]
    edges = np.flatnonzero(np.diff(group)) + 1
    found = []
    for members in np.split(np.arange(len(struck)), edges):
        if len(members) < _ROLL_NOTES:
            continue
        by_pitch = members[np.argsort(written.pitch[struck[members, 0]], kind="stable")]
        sec = played.onset_sec[struck[by_pitch, 1]]
        first, last = max((_longest_roll(sec), _longest_roll(-sec)), key=lambda run: run[1] - run[0])
        spread_sec = float(abs(sec[last] - sec[first]))
        if last - first + 1 >= _ROLL_NOTES and spread_sec >= _ROLL_SPREAD_SEC:
            found.append(Arpeggio(int(group[members[0]]), bool(sec[last] > sec[first]), spread_sec))
    return tuple(found)


def _longest_roll(sec: FloatArray) -> tuple[int, int]:
    """First and last of the longest run of neighbouring notes, each clearly later than the one before."""
    best = (0, 0)
    first = 0
    for note, step in enumerate(np.diff(sec), start=1):
        if step <= _ROLL_STEP_SEC:
            first = note
        elif note - first > best[1] - best[0]:
            best = (first, note)
    return best
