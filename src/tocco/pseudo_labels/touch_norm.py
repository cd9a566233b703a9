"""How long competent pianists hold such a key: the length that a note asks for, beyond what is printed.

The printed value is no norm of touch. A quaver of an accompaniment is let go long before its end where
the hand has to leap, a repeated key has to come up, full chords are held for less than single notes, the
melody for more than what goes with it, and slurs and staccato signs say their own (Bresin and Battel
2000; Repp 1995). What remains against this norm tells of the playing and less of the piece: the spread
of the pieces' medians about it is 0.18, and 0.26 about the printed value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from tocco.music.score import Score
from tocco.music.statistics.score_articulation import SHORTEST_WRITTEN_BEAT
from tocco.music.statistics.written import Written
from tocco.units import BoolArray, FloatArray, IntArray

SHORT_SIGNS: Final = frozenset({"staccato", "staccatissimo", "spiccato", "detached-legato"})
SLUR: Final = "slur"

WIDEST_LEAP_SEMITONES: Final = 24.0
_OCTAVE_SEMITONES = 12.0


@dataclass(frozen=True)
class TouchTable:
    """Logarithm of key-down against written time, as a function of what is written.

    Attributes
    ----------
    staccato, slurred, plain : (6,) at `VALUE_SEC`, for a single note of the melody
    doubling : added for every doubling of the notes of the onset
    octave : added for every octave that the hand then leaps
    repeated : added where the next chord of the staff strikes the key again
    accompanying : added where the note is not the highest of its onset
    """

    staccato: tuple[float, ...]
    slurred: tuple[float, ...]
    plain: tuple[float, ...]
    doubling: float
    octave: float
    repeated: float
    accompanying: float


VALUE_SEC: Final = (0.1, 0.15, 0.25, 0.4, 0.8, 1.6)
"""Written time, at the tempo around the note, at which the tables stand; straight in its logarithm between,
and level outside."""

USUAL: Final = TouchTable(
    staccato=(-0.04, -0.74, -0.96, -0.85, -0.66, -0.53),
    slurred=(0.10, 0.10, 0.17, 0.20, 0.14, 0.08),
    plain=(0.06, -0.02, -0.12, 0.04, 0.10, 0.20),
    doubling=-0.17,
    octave=-0.26,
    repeated=-0.53,
    accompanying=-0.12,
)
LONG: Final = TouchTable(
    staccato=(0.50, -0.61, -0.64, -0.07, -0.37, -0.25),
    slurred=(0.33, 0.27, 0.36, 0.36, 0.24, 0.18),
    plain=(0.27, 0.18, 0.24, 0.31, 0.27, 0.24),
    doubling=-0.08,
    octave=-0.10,
    repeated=-0.53,
    accompanying=-0.07,
)
"""What half of the keys are held for at most, and what four in five are: quantile regression (Koenker and
Bassett 1978) over 515,828 matched notes of 239 performances of the reference pool, each of its 106 pieces
weighing the same. Where a staccato stands on a very short note, few players can do anything about it."""


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

    Neither keys nor pedals that were played enter, but for the tempo.
    """
    signs = [score.articulation[note].split(",") for note in written.note]
    is_short = np.array([not SHORT_SIGNS.isdisjoint(names) for names in signs], dtype=bool)
    is_slurred = np.array([SLUR in names for names in signs], dtype=bool)
    asked = asked_of_the_hand(written, score.pitch[written.note])

    def expected(table: TouchTable) -> FloatArray:
        signed = [_at_value(written, column) for column in (table.staccato, table.slurred)]
        by_sign = np.select([is_short, is_slurred], signed, _at_value(written, table.plain))
        return by_sign + asked @ np.array([table.doubling, table.octave, table.repeated, table.accompanying])

    return TouchNorm(expected(USUAL), expected(LONG), is_short)


def _at_value(written: Written, column: tuple[float, ...]) -> FloatArray:
    beat_sec = written.local_beat_sec[written.onset_of]
    value_sec = np.maximum(written.duration_beat, SHORTEST_WRITTEN_BEAT) * beat_sec
    return np.interp(np.log(value_sec), np.log(VALUE_SEC), column)


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
