"""Expected key-down duration of a note, from its written duration and its technical context.

The written duration alone is no norm of articulation. Keys are released early before a leap and before a
repetition, full chords are held shorter than single notes, the melody longer than its accompaniment, and
slurs and staccato signs change the duration (Bresin and Battel 2000; Repp 1995). The deviation from this norm
depends on the playing more and on the piece less; the two spreads are in `TouchNorms`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from tocco.music.score import Score
from tocco.music.statistics.score_articulation import SHORTEST_WRITTEN_BEAT
from tocco.music.statistics.written import Written
from tocco.pseudo_labels.norms.model import TouchTable, reference_norms
from tocco.units import BoolArray, FloatArray, IntArray

SHORT_SIGNS: Final = frozenset({"staccato", "staccatissimo", "spiccato", "detached-legato"})
SLUR: Final = "slur"

WIDEST_LEAP_SEMITONES: Final = 24.0
_OCTAVE_SEMITONES = 12.0


@dataclass(frozen=True, eq=False)
class TouchNorm:
    """Expected articulation of each matched note.

    Attributes
    ----------
    usual_log : (K,) log ratio of key-down to written duration, median of competent pianists
    long_log : (K,) the same, 80th percentile
    is_short : (K,) the note has a staccato sign
    """

    usual_log: FloatArray
    long_log: FloatArray
    is_short: BoolArray


def read_touch_norm(written: Written, score: Score) -> TouchNorm:
    """Expected articulation of every matched note of a performance.

    The tables are interpolated linearly in log duration and constant beyond their ends. Of the performance
    only the tempo enters.
    """
    norms = reference_norms().touch
    is_short, is_slurred = articulation_signs(written, score)
    value_log = np.log(written_sec(written))
    context = technical_context(written, score.pitch[written.note])

    def expected(table: TouchTable) -> FloatArray:
        staccato, slurred, plain = (
            np.interp(value_log, np.log(norms.value_sec), column)
            for column in (table.staccato, table.slurred, table.plain)
        )
        by_sign = np.select([is_short, is_slurred], [staccato, slurred], plain)
        return by_sign + context @ np.array(
            [table.doubling, table.octave, table.repeated, table.accompanying]
        )

    return TouchNorm(expected(norms.usual), expected(norms.long), is_short)


def articulation_signs(written: Written, score: Score) -> tuple[BoolArray, BoolArray]:
    """(K,), (K,) which of the matched notes have a staccato sign, and which are under a slur."""
    signs = [score.articulation[note].split(",") for note in written.note]
    is_short = np.array([not SHORT_SIGNS.isdisjoint(names) for names in signs], dtype=bool)
    return is_short, np.array([SLUR in names for names in signs], dtype=bool)


def written_sec(written: Written) -> FloatArray:
    """(K,) seconds, > 0: written duration of each matched note at the local tempo."""
    beat_sec = written.local_beat_sec[written.onset_of]
    return np.maximum(written.duration_beat, SHORTEST_WRITTEN_BEAT) * beat_sec


def technical_context(written: Written, pitch: IntArray) -> FloatArray:
    """Technical context of each note: what prevents holding it for its full duration.

    Parameters
    ----------
    written
    pitch : (K,) of the matched notes, as written

    Returns
    -------
    (K, 4)
        Base-2 logarithm of the number of notes of its onset; octaves from it to the nearest note of the
        range of the next chord of its staff, 0 inside that range and at most 2; whether that chord repeats
        the key; whether it is not the highest note of its onset.
    """
    n_onsets = len(written.onset_beat)
    chord, chord_of = np.unique(written.staff * n_onsets + written.onset_of, return_inverse=True)
    low, high = np.full(len(chord), np.inf), np.full(len(chord), -np.inf)
    np.minimum.at(low, chord_of, pitch)
    np.maximum.at(high, chord_of, pitch)
    goes_on = np.append(np.diff(chord // n_onsets) == 0, False)
    next_low, next_high = np.append(low[1:], np.inf)[chord_of], np.append(high[1:], -np.inf)[chord_of]
    leap = np.clip(np.maximum(next_low - pitch, pitch - next_high), 0.0, WIDEST_LEAP_SEMITONES)
    follows = goes_on[chord_of]
    repeated = np.isin(128 * (chord_of + 1) + pitch, 128 * chord_of + pitch) & follows
    size = np.bincount(written.onset_of, minlength=n_onsets)[written.onset_of]
    columns = (np.log2(size), np.where(follows, leap, 0.0) / _OCTAVE_SEMITONES, repeated, ~written.is_top)
    return np.stack(columns, axis=1, dtype=np.float64)
