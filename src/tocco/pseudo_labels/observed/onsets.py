"""Onset groups: the notes of each onset, with its highest and its lowest note."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tocco.music.statistics.playing import Playing
from tocco.music.statistics.written import Written
from tocco.units import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class OnsetGroups:
    """Notes grouped by onset: written onsets where there is a score, else performed chords.

    With a score only matched notes belong to a group, so neither wrong notes nor asynchrony between the
    hands change what is a chord and which note is its highest.

    Attributes
    ----------
    note : (K,) index into `playing.struck`
    onset_of : (K,) index 0..G-1, every onset used
    onset_sec : (G,) seconds of the performance
    top, bottom : (G,) index into `playing.struck`: the highest and the lowest note of each onset
    size : (G,) notes
    """

    note: IntArray
    onset_of: IntArray
    onset_sec: FloatArray
    top: IntArray
    bottom: IntArray
    size: IntArray


def group_onsets(playing: Playing, written: Written | None, clock_sec: float) -> OnsetGroups:
    """Group the notes of a performance by onset.

    Parameters
    ----------
    playing
    written : None without a score; chords are then found by proximity in time
    clock_sec : second of the performance at which the time axis of the other two starts
    """
    if written is None:
        note, onset_of = np.arange(len(playing.struck)), playing.chord_of
        onset_sec = playing.chord_onset_sec + clock_sec
    else:
        note, onset_of, onset_sec = written.played, written.onset_of, written.onset_sec + clock_sec
    size = np.bincount(onset_of) if len(onset_of) else np.zeros(0, dtype=np.int64)
    by_pitch = note[np.lexsort((playing.struck.pitch[note], onset_of))]
    last = np.cumsum(size)
    return OnsetGroups(note, onset_of, onset_sec, by_pitch[last - 1], by_pitch[last - size], size)
