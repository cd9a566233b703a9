"""The map between the score's beats and the performance's seconds."""

from __future__ import annotations

import numpy as np

from tocco.units import FloatArray

_END_SPAN_BEAT = 4.0
"""Beyond the first and the last anchor the tempo of this many beats goes on: about a bar."""


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
