"""When each written onset was played, and where the score asks for a freer tempo."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import numpy as np

from tocco.music.score import Score
from tocco.pseudo_labels.observed.evidence import Evidence
from tocco.units import BoolArray, FloatArray, IntArray

FREE_TEMPO: Final = re.compile(
    r"\b(rit|rall|slow|allarg|morendo|calando|smorz|s?lentando|cadenza|ad lib|rubato)", re.IGNORECASE
)
"""Directions after which a slower or freer tempo is what is written."""

LONGEST_FREE_BEAT: Final = 16.0
"""A direction without an end is followed for no longer."""

LAST_BEATS: Final = 2.0
"""At least these many beats at the end of the piece are free, however short its last bar."""

FEWEST_INTERVALS: Final = 8
"""With fewer intervals outside free places nothing is left out."""

EARLY_SHARE: Final = 0.25
RECOVERED_SHARE: Final = 0.75
"""An onset that comes after less than a quarter of its interval, while the next one is in time again, is a
note that the alignment took too early."""

_SAME_BEAT: Final = 0.01
_SHORTEST_SEC: Final = 0.01


@dataclass(frozen=True, eq=False)
class BeatLine:
    """Onsets of a performance over the beats of its score.

    Attributes
    ----------
    beat : (G,) beats, ascending
    sec : (G,) seconds of the performance, ascending
    passage : (G,) index of the passage between restarts and skips that each onset belongs to
    is_free : (G - 1,) whether the score asks for a freer or slower tempo in each interval
    """

    beat: FloatArray
    sec: FloatArray
    passage: IntArray
    is_free: BoolArray

    @property
    def interval_beat(self) -> FloatArray:
        """(G - 1,) beats."""
        return np.diff(self.beat)

    @property
    def interval_sec(self) -> FloatArray:
        """(G - 1,) seconds."""
        return np.diff(self.sec)

    @property
    def log_beat_sec(self) -> FloatArray:
        """(G - 1,) logarithm of the seconds that a beat takes in each interval."""
        return np.log(np.maximum(self.interval_sec, _SHORTEST_SEC) / self.interval_beat)

    @property
    def beat_sec(self) -> float:
        """Seconds of the typical beat: the median over the beats outside free places."""
        kept = ~self.is_free
        return float(np.exp(weighted_median(self.log_beat_sec[kept], self.interval_beat[kept])))

    @property
    def is_strict(self) -> BoolArray:
        """(G,) whether no interval beside an onset is free."""
        free = np.concatenate(([False], self.is_free, [False]))
        return ~(free[:-1] | free[1:])


def read_beat_line(evidence: Evidence) -> BeatLine | None:
    """The onsets that match the score; None without a score, or with too few matches."""
    written = evidence.written
    if written is None or evidence.score is None:
        return None
    beat = written.onset_beat
    sec = np.maximum.accumulate(evidence.written_onset_sec) + 1e-6 * np.arange(len(beat))
    in_time = ~_is_taken_early(beat, sec)
    beat = beat[in_time]
    return BeatLine(beat, sec[in_time], evidence.stretch_of[in_time], free_intervals(evidence.score, beat))


def weighted_median(value: FloatArray, weight: FloatArray) -> float:
    """The value below which half of the weight lies.

    Examples
    --------
    >>> weighted_median(np.array([3.0, 1.0, 2.0]), np.array([5.0, 1.0, 1.0]))
    3.0
    """
    order = np.argsort(value, kind="stable")
    total = np.cumsum(weight[order])
    return float(value[order[np.searchsorted(total, total[-1] / 2.0)]])


def _is_taken_early(beat: FloatArray, sec: FloatArray) -> BoolArray:
    """(G,) which onsets the alignment took from a note that was played before its time."""
    interval_beat, interval_sec = np.diff(beat), np.diff(sec)
    typical = np.exp(
        weighted_median(np.log(np.maximum(interval_sec, _SHORTEST_SEC) / interval_beat), interval_beat)
    )
    early = interval_sec[:-1] < EARLY_SHARE * typical * interval_beat[:-1]
    recovered = sec[2:] - sec[:-2] > RECOVERED_SHARE * typical * (beat[2:] - beat[:-2])
    return np.concatenate(([False], early & recovered, [False]))


def free_intervals(score: Score, beat: FloatArray) -> BoolArray:
    """Which intervals lie at a ritardando, a fermata, a cadenza, or in the last bar of the piece.

    Parameters
    ----------
    score
    beat : (G,) beats of the onsets, ascending

    Returns
    -------
    (G - 1,)
    """
    free = np.zeros(len(beat) - 1, dtype=bool)
    for start, end in [*_free_directions(score), *_fermatas(score), _ending(score)]:
        free |= (beat[1:] > start + _SAME_BEAT) & (beat[:-1] < end - _SAME_BEAT)
    return free if (~free).sum() >= FEWEST_INTERVALS else np.zeros(len(free), dtype=bool)


def _free_directions(score: Score) -> list[tuple[float, float]]:
    """Beats from each direction of freedom, and one before it, to the next tempo direction."""
    tempo = [mark for mark in score.marks if mark.kind == "tempo"]
    found = []
    for mark in tempo:
        if FREE_TEMPO.search(mark.text):
            later = [other.onset_beat for other in tempo if other.onset_beat > mark.onset_beat + _SAME_BEAT]
            longest = mark.onset_beat + LONGEST_FREE_BEAT
            found.append((mark.onset_beat - 1.0, min([longest, *later])))
    return found


def _fermatas(score: Score) -> list[tuple[float, float]]:
    """One beat before to one beat after each fermata."""
    onset = [score.onset_beat[n] for n, names in enumerate(score.articulation) if "fermata" in names]
    return [(float(beat) - 1.0, float(beat) + 1.0) for beat in sorted(set(onset))]


def _ending(score: Score) -> tuple[float, float]:
    """The last bar in which a note begins."""
    last = float(score.onset_beat[-1])
    start = float(score.bar_onset_beat[score.bar_onset_beat <= last + _SAME_BEAT][-1])
    return min(start, last - LAST_BEATS), np.inf
