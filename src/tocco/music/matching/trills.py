"""Notes that only keep a trill going: they say where the player is no more than the first ones did."""

from __future__ import annotations

import numpy as np

from tocco.music.matching.chords import N_PITCHES, PlayedNotes
from tocco.units import BoolArray, IntArray

_RETURN_SEC = 0.35
"""A trill comes back to its key within this time; sixteenths do so at 170 quarter notes a minute."""

_NEIGHBOUR_SEMITONES = 2


def keeps_a_trill_going(played: PlayedNotes) -> BoolArray:
    """Whether each note goes on with a quick alternation of two neighbouring keys.

    Parameters
    ----------
    played : ascending by onset

    Returns
    -------
    (N,) True from the third stroke of either key on; other keys may be struck in between, and one stroke
    may be left out

    Examples
    --------
    >>> sec = np.arange(8) * 0.1
    >>> alternating = np.array([72, 74, 72, 74, 72, 74, 72, 71])
    >>> keeps_a_trill_going(PlayedNotes(sec, sec + 0.1, alternating, np.full(8, 60))).tolist()
    [False, False, False, False, True, True, True, False]
    """
    notes = np.arange(len(played))
    key = np.sort(played.pitch * len(played) + notes)
    before = _last_stroke(key, played.pitch, notes)
    there = before >= 0
    soon = there & (played.onset_sec - played.onset_sec[before] <= _RETURN_SEC)
    before_last = np.where(there, before[before], -1)
    neighbour = np.zeros(len(played), dtype=bool)
    for step in range(1, _NEIGHBOUR_SEMITONES + 1):
        for pitch in (played.pitch - step, played.pitch + step):
            # Since the stroke before the last: one that does not speak is no end of a trill.
            neighbour |= _last_stroke(key, pitch, notes) > before_last
    returns = soon & neighbour
    return returns & returns[before]


def _last_stroke(key: IntArray, pitch: IntArray, notes: IntArray) -> IntArray:
    """(N,) index of the last stroke of a pitch before each note, -1 where there is none."""
    place = np.searchsorted(key, pitch * len(notes) + notes) - 1
    found = key[np.maximum(place, 0)]
    is_it = (place >= 0) & (found // len(notes) == pitch) & (pitch >= 0) & (pitch < N_PITCHES)
    return np.where(is_it, found % len(notes), -1)
