"""Which notes belong together: the onsets of a performance, and the highest and the lowest note of each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tocco.music.statistics.playing import Playing
from tocco.music.statistics.written import Written
from tocco.units import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class Together:
    """Notes that belong to one onset: of the page where there is one, else of the ear.

    Against a page only matched notes are held, so that neither wrong notes nor hands that fall apart
    change what is a chord and what its highest note.

    Attributes
    ----------
    note : (K,) index into `playing.struck`
    onset_of : (K,) index 0..G-1, every onset used
    onset_sec : (G,) seconds on the clock of the performance
    top, bottom : (G,) index into `playing.struck`: the highest and the lowest note of each onset
    size : (G,) notes
    """

    note: IntArray
    onset_of: IntArray
    onset_sec: FloatArray
    top: IntArray
    bottom: IntArray
    size: IntArray


def read_together(playing: Playing, written: Written | None, clock_sec: float) -> Together:
    """Find the onsets of a performance.

    Parameters
    ----------
    playing
    written : None without a score: the ear decides
    clock_sec : second of the performance at which the clock of the other two starts
    """
    if written is None:
        note, onset_of = np.arange(len(playing.struck)), playing.chord_of
        onset_sec = playing.chord_onset_sec + clock_sec
    else:
        note, onset_of, onset_sec = written.played, written.onset_of, written.onset_sec + clock_sec
    size = np.bincount(onset_of) if len(onset_of) else np.zeros(0, dtype=np.int64)
    by_pitch = note[np.lexsort((playing.struck.pitch[note], onset_of))]
    last = np.cumsum(size)
    return Together(note, onset_of, onset_sec, by_pitch[last - 1], by_pitch[last - size], size)
