"""The score beside the performance: written notes and dynamic signs, at the tempo of each bar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tocco.inference.evidence import AlignmentReport
from tocco.music.score import Score
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
    """

    start_sec: FloatArray
    end_sec: FloatArray
    pitch: IntArray
    signs: tuple[Sign, ...]


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
    found = _reading(readings, report)
    if found is None:
        return None
    score, first = found
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
    )


def _reading(readings: Sequence[Score], report: AlignmentReport) -> tuple[Score, int] | None:
    """The reading with the bars that were played, and the index of the first of them."""
    names = tuple(name for name, _ in report.bars)
    if len(names) < 2:
        return None
    alike = sorted(readings, key=lambda score: score.repeats != report.repeats)
    for score in alike:
        for first in range(len(score.bar_name) - len(names) + 1):
            if tuple(score.bar_name[first : first + len(names)]) == names:
                return score, first
    return None


def _signs(score: Score, beat: FloatArray, sec: FloatArray) -> tuple[Sign, ...]:
    signs = []
    for mark in score.marks:
        if mark.kind in _SHOWN_MARKS and beat[0] <= mark.onset_beat < beat[-1]:
            start, end = np.interp([mark.onset_beat, min(mark.end_beat, beat[-1])], beat, sec)
            signs.append(Sign(mark.kind, mark.text, float(start), float(max(end, start))))
    return tuple(sorted(signs, key=lambda sign: sign.start_sec))
