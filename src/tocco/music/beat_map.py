"""The map between the score's beats and the performance's seconds."""

from __future__ import annotations

import numpy as np

from tocco.units import FloatArray, IntArray

_END_SPAN_BEAT = 4.0
"""Beyond the first and the last anchor the tempo of this many beats goes on: about a bar."""

_MIN_STEP_SEC = 1e-4


def anchor_map(beat: FloatArray, sec: FloatArray) -> tuple[FloatArray, FloatArray]:
    """One point for each score onset, in order of both clocks.

    A chord stands where the median of its keys stands, so that one late key does not move it. Chords
    that would make time run backwards are dropped: of all sequences that ascend on both clocks, the
    one with the most notes is kept.

    Parameters
    ----------
    beat, sec : (K,) score onset and performed onset of each matched note, any order

    Returns
    -------
    anchor_beat, anchor_sec : (G,) strictly ascending
    """
    onsets, chord = np.unique(beat, return_inverse=True)
    time_sec = np.array([np.median(sec[chord == g]) for g in range(len(onsets))])
    weight = np.bincount(chord, minlength=len(onsets))
    kept = _heaviest_ascent(time_sec, weight)
    return onsets[kept], time_sec[kept]


def _heaviest_ascent(time_sec: FloatArray, weight: IntArray) -> IntArray:
    """Indices of the ascending subsequence with the greatest total weight."""
    n = len(time_sec)
    total = np.zeros(n)
    previous = np.full(n, -1)
    for i in range(n):
        before = np.where(time_sec[:i] <= time_sec[i] - _MIN_STEP_SEC, total[:i], 0.0)
        if i and before.max() > 0:
            previous[i] = int(np.argmax(before))
            total[i] = before[previous[i]]
        total[i] += weight[i]
    chain = []
    at = int(np.argmax(total)) if n else -1
    while at >= 0:
        chain.append(at)
        at = int(previous[at])
    return np.array(chain[::-1], dtype=np.int64)


def read_map(x: FloatArray, known_x: FloatArray, known_y: FloatArray, end_span: float) -> FloatArray:
    """Linear interpolation; beyond the ends the mean slope of the last `end_span` goes on.

    Parameters
    ----------
    x : any shape
    known_x, known_y : (G,) ascending, G >= 2
    end_span : in units of x

    Returns
    -------
    Of the shape of x.
    """
    y = np.interp(x, known_x, known_y)
    second = min(int(np.searchsorted(known_x, known_x[0] + end_span)), len(known_x) - 1)
    slope = (known_y[second] - known_y[0]) / (known_x[second] - known_x[0])
    y = np.where(x < known_x[0], known_y[0] + (x - known_x[0]) * slope, y)
    before = max(int(np.searchsorted(known_x, known_x[-1] - end_span, side="right")) - 1, 0)
    slope = (known_y[-1] - known_y[before]) / (known_x[-1] - known_x[before])
    return np.where(x > known_x[-1], known_y[-1] + (x - known_x[-1]) * slope, y)


def sec_from_beat(beat: FloatArray, anchor_beat: FloatArray, anchor_sec: FloatArray) -> FloatArray:
    """When a place in the score sounds."""
    return read_map(beat, anchor_beat, anchor_sec, _END_SPAN_BEAT)


def beat_from_sec(sec: FloatArray, anchor_beat: FloatArray, anchor_sec: FloatArray) -> FloatArray:
    """Where in the score a moment of the performance is."""
    pace = (anchor_sec[-1] - anchor_sec[0]) / (anchor_beat[-1] - anchor_beat[0])
    return read_map(sec, anchor_sec, anchor_beat, _END_SPAN_BEAT * pace)
