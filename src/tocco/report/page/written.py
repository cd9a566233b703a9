"""The score beside the performance: written notes and dynamic signs, at the tempo of each bar or steady."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tocco.inference.evidence import AlignmentReport
from tocco.music.score import Score
from tocco.report.played_reading import played_reading
from tocco.units import FloatArray, IntArray

_SHOWN_MARKS: Final = ("dynamics", "crescendo", "diminuendo")


@dataclass(frozen=True)
class Sign:
    """A dynamic sign of the score.

    Attributes
    ----------
    kind : "dynamics" | "crescendo" | "diminuendo"
    text : as printed
    start_sec, end_sec : equal for a sign that holds from there on
    """

    kind: str
    text: str
    start_sec: float
    end_sec: float


@dataclass(frozen=True, eq=False)
class Written:
    """The bars that were played, as they are written.

    Attributes
    ----------
    start_sec, end_sec : (W,) seconds at which each note would sound, evenly within its bar
    pitch : (W,)
    signs : in order of time
    bar_sec : (K+1,) seconds at which each bar begins, and the end of the last
    bar_beat : (K+1,) the same in beats of the score
    """

    start_sec: FloatArray
    end_sec: FloatArray
    pitch: IntArray
    signs: tuple[Sign, ...]
    bar_sec: FloatArray
    bar_beat: FloatArray

    def steady_bar_sec(self) -> FloatArray:
        """(K+1,) seconds from 0 at which each bar would begin in the median tempo of the performed bars."""
        beats = np.diff(self.bar_beat)
        sec_per_beat = float(np.median(np.diff(self.bar_sec)[beats > 0.0] / beats[beats > 0.0]))
        return sec_per_beat * (self.bar_beat - self.bar_beat[0])


def place_written(readings: Sequence[Score], report: AlignmentReport) -> Written | None:
    """The reading of a score that was played, on the clock of the performance.

    Parameters
    ----------
    readings : every way through the score
    report : says which bars were played, and when

    Returns
    -------
    None where no reading has these bars one after another, or fewer than two bars were played.
    """
    found = played_reading(readings, report) if len(report.bars) > 1 else None
    if found is None:
        return None
    score, first = found.score, found.first
    last = first + len(report.bars)
    beat = score.bar_onset_beat[first:last]
    sec = np.array([start for _, start in report.bars])
    end_beat = float(beat[-1] + score.bar_beats[last - 1])
    per_beat = (sec[-1] - sec[-2]) / (beat[-1] - beat[-2])
    beat = np.append(beat, end_beat)
    sec = np.append(sec, sec[-1] + per_beat * (end_beat - beat[-2]))
    inside = (score.onset_beat >= beat[0]) & (score.onset_beat < end_beat)
    ends = np.minimum(score.onset_beat + score.duration_beat, end_beat)
    return Written(
        start_sec=np.interp(score.onset_beat[inside], beat, sec),
        end_sec=np.interp(ends[inside], beat, sec),
        pitch=score.pitch[inside],
        signs=_signs(score, beat, sec),
        bar_sec=sec,
        bar_beat=beat,
    )


def _signs(score: Score, beat: FloatArray, sec: FloatArray) -> tuple[Sign, ...]:
    signs = []
    for mark in score.marks:
        if mark.kind in _SHOWN_MARKS and beat[0] <= mark.onset_beat < beat[-1]:
            start, end = np.interp([mark.onset_beat, min(mark.end_beat, beat[-1])], beat, sec)
            signs.append(Sign(mark.kind, mark.text, float(start), float(max(end, start))))
    return tuple(sorted(signs, key=lambda sign: sign.start_sec))
