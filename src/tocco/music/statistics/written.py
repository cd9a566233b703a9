"""A performance beside its page: which written note each key was, and how time ran against the beats.

Every score-relative statistic reads this one value. Grace notes have no place in the beat and are
left out of it; they count in the accuracy statistics alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from tocco.music.alignment import Alignment
from tocco.music.statistics.playing import Playing
from tocco.music.statistics.summaries import group_median
from tocco.units import BoolArray, FloatArray, IntArray

FEWEST_MATCHES: Final = 10
FEWEST_ONSETS: Final = 5
"""Below these a tempo cannot be distinguished from chance."""
SAME_BEAT: Final = 0.02
"""Written positions closer than this are the same, whatever the file's rounding."""
SHORTEST_BEAT_SEC: Final = 0.02


@dataclass(frozen=True, eq=False)
class Written:
    """The matched notes, in the order of the score, and the written onsets that they belong to.

    Attributes
    ----------
    note : (K,) index into the score
    played : (K,) index into `Playing.struck`
    beat, duration_beat : (K,) beats, as written
    staff : (K,) 1 upper, 2 lower, 0 unknown
    onset_of : (K,) index 0..G-1 of the written onset
    is_top, is_bottom : (K,) highest and lowest of the matched notes of its onset
    in_chord : (K,) the onset has more than one matched note
    is_downbeat, is_on_beat : (K,) on the first beat of a bar, on any quarter of the bar
    onset_beat : (G,) beats, ascending
    onset_sec : (G,) seconds, median of the matched keys of each written onset
    beat_sec : seconds for a beat, over the whole
    local_beat_sec : (G,) seconds for a beat around each written onset
    """

    note: IntArray
    played: IntArray
    beat: FloatArray
    duration_beat: FloatArray
    staff: IntArray
    onset_of: IntArray
    is_top: BoolArray
    is_bottom: BoolArray
    in_chord: BoolArray
    is_downbeat: BoolArray
    is_on_beat: BoolArray
    onset_beat: FloatArray
    onset_sec: FloatArray
    beat_sec: float
    local_beat_sec: FloatArray

    @property
    def span_beat(self) -> float:
        """Beats from the first to the last matched onset."""
        return float(self.onset_beat[-1] - self.onset_beat[0])

    def beat_log_bpm(self) -> FloatArray:
        """Tempo of every whole beat between the first and the last matched onset.

        Returns
        -------
        (Q,) logarithm of quarter notes a minute
            Beats that pass in less than 20 ms (the alignment steps back there) are left out.
        """
        beat = np.arange(np.ceil(self.onset_beat[0]), np.floor(self.onset_beat[-1]) + 1.0)
        period = np.diff(np.interp(beat, self.onset_beat, self.onset_sec))
        return np.log(60.0 / period[period > SHORTEST_BEAT_SEC])


def read_written(playing: Playing, alignment: Alignment) -> Written | None:
    """Bring the matched notes of an alignment into the order and clock of a playing.

    Returns
    -------
    Written
        None where fewer than ten notes or five written onsets are matched.
    """
    score = alignment.score
    struck_of = np.full(len(alignment.performance_beat), -1)
    struck_of[playing.index] = np.arange(len(playing.index))
    note, played = alignment.match[:, 0], struck_of[alignment.match[:, 1]]
    kept = (played >= 0) & ~score.is_grace[note]
    note, played = note[kept], played[kept]
    onset_beat, onset_of = np.unique(np.round(score.onset_beat[note], 3), return_inverse=True)
    if len(note) < FEWEST_MATCHES or len(onset_beat) < FEWEST_ONSETS:
        return None
    onset_sec = group_median(playing.struck.onset_sec[played], onset_of, len(onset_beat))
    beat_sec = (onset_sec[-1] - onset_sec[0]) / (onset_beat[-1] - onset_beat[0])
    if beat_sec < SHORTEST_BEAT_SEC:
        return None
    is_top, is_bottom = _outer_voices(score.pitch[note], onset_of)
    phase = score.onset_beat[note] - score.bar_onset_beat[score.bar[note]]
    return Written(
        note=note,
        played=played,
        beat=score.onset_beat[note],
        duration_beat=score.duration_beat[note],
        staff=score.staff[note],
        onset_of=onset_of,
        is_top=is_top,
        is_bottom=is_bottom,
        in_chord=np.bincount(onset_of)[onset_of] > 1,
        is_downbeat=np.abs(phase) < SAME_BEAT,
        is_on_beat=np.abs(phase - np.round(phase)) < SAME_BEAT,
        onset_beat=onset_beat,
        onset_sec=onset_sec,
        beat_sec=float(beat_sec),
        local_beat_sec=local_beat_sec(onset_beat, onset_sec, float(beat_sec)),
    )


def local_beat_sec(onset_beat: FloatArray, onset_sec: FloatArray, beat_sec: float) -> FloatArray:
    """How long a beat lasts around each written onset.

    The slope of time over beats, its median over five onsets, and no more than threefold away from
    the tempo of the whole, so that one misplaced key does not bend the beat.

    Parameters
    ----------
    onset_beat : (G,) beats, ascending
    onset_sec : (G,) seconds
    beat_sec : seconds for a beat, over the whole

    Returns
    -------
    (G,) seconds
    """
    from scipy.ndimage import median_filter

    slope = np.gradient(np.maximum.accumulate(onset_sec), onset_beat)
    return np.clip(median_filter(slope, 5, mode="nearest"), 0.3 * beat_sec, 3.0 * beat_sec)


def _outer_voices(pitch: IntArray, onset_of: IntArray) -> tuple[BoolArray, BoolArray]:
    """Whether each note is the highest, and whether it is the lowest, of its onset."""
    n_onsets = int(onset_of.max()) + 1
    highest, lowest = np.full(n_onsets, -1), np.full(n_onsets, 128)
    np.maximum.at(highest, onset_of, pitch)
    np.minimum.at(lowest, onset_of, pitch)
    return pitch == highest[onset_of], pitch == lowest[onset_of]
