"""How long competent pianists hold such a key: the length that a note asks for, beyond what is printed.

The printed value is no norm of touch. A quaver of an accompaniment is let go long before its end where
the hand has to leap, a repeated key has to come up, full chords are held for less than single notes, the
melody for more than what goes with it, and slurs and staccato signs say their own (Bresin and Battel
2000; Repp 1995). What remains against this norm tells of the playing and less of the piece: by how much
is told in the file of the norms (`norms.TouchNorms`).
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
    """What is usual for each matched note.

    Attributes
    ----------
    usual_log : (K,) logarithm of key-down against written time, median of competent players
    long_log : (K,) the same, 80th percentile
    is_short : (K,) a staccato sign stands at it
    """

    usual_log: FloatArray
    long_log: FloatArray
    is_short: BoolArray


def read_touch_norm(written: Written, score: Score) -> TouchNorm:
    """What competent players do with every matched note of a performance.

    Written times between those of the tables are straight in their logarithm, and beyond them level.
    Neither keys nor pedals that were played enter, but for the tempo.
    """
    norms = reference_norms().touch
    is_short, is_slurred = signs_over(written, score)
    value_log = np.log(written_sec(written))
    asked = asked_of_the_hand(written, score.pitch[written.note])

    def expected(table: TouchTable) -> FloatArray:
        staccato, slurred, plain = (
            np.interp(value_log, np.log(norms.value_sec), column)
            for column in (table.staccato, table.slurred, table.plain)
        )
        by_sign = np.select([is_short, is_slurred], [staccato, slurred], plain)
        return by_sign + asked @ np.array([table.doubling, table.octave, table.repeated, table.accompanying])

    return TouchNorm(expected(norms.usual), expected(norms.long), is_short)


def signs_over(written: Written, score: Score) -> tuple[BoolArray, BoolArray]:
    """(K,), (K,) which of the matched notes stand under a staccato sign, and which under a slur."""
    signs = [score.articulation[note].split(",") for note in written.note]
    is_short = np.array([not SHORT_SIGNS.isdisjoint(names) for names in signs], dtype=bool)
    return is_short, np.array([SLUR in names for names in signs], dtype=bool)


def written_sec(written: Written) -> FloatArray:
    """(K,) seconds, > 0: how long each matched note is written, at the tempo around it."""
    beat_sec = written.local_beat_sec[written.onset_of]
    return np.maximum(written.duration_beat, SHORTEST_WRITTEN_BEAT) * beat_sec


def asked_of_the_hand(written: Written, pitch: IntArray) -> FloatArray:
    """What keeps a hand from holding each note for its full length.

    Parameters
    ----------
    written
    pitch : (K,) of the matched notes, as written

    Returns
    -------
    (K, 4)
        Doublings of the notes of its onset; octaves from it to the nearest end of the next chord of its
        staff, 0 where that encloses it and at most 2; whether that chord strikes the key again; whether
        it is not the highest of its onset.
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
    again = np.isin(128 * (chord_of + 1) + pitch, 128 * chord_of + pitch) & follows
    size = np.bincount(written.onset_of, minlength=n_onsets)[written.onset_of]
    columns = (np.log2(size), np.where(follows, leap, 0.0) / _OCTAVE_SEMITONES, again, ~written.is_top)
    return np.stack(columns, axis=1, dtype=np.float64)
