"""A curve over time as lines to draw: where the music rests, a line ends."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tocco.inference.assessment import Curve
from tocco.units import FloatArray, IntArray


def curve_strokes(
    curve: Curve, name: str
) -> list[tuple[FloatArray, FloatArray, FloatArray | None, FloatArray | None]]:
    """The curve of one dimension as unbroken lines: time, value and band; music that rests breaks it.

    A line begins at the start of its first point's time and ends at the end of its last one's, so that
    a single point is a level line too.
    """
    band = [column.get(name) for column in (curve.low_90, curve.high_90)]
    strokes = []
    for inside, time, value in _strokes(curve, curve.value[name]):
        low, high = (None if edge is None else _held(_numbers(edge), inside) for edge in band)
        strokes.append((time, value, low, high))
    return strokes


def value_strokes(curve: Curve, values: Sequence[float | None]) -> list[tuple[FloatArray, FloatArray]]:
    """Other values at the points of a curve, as unbroken lines: time and value."""
    return [(time, value) for _, time, value in _strokes(curve, values)]


def _strokes(curve: Curve, values: Sequence[float | None]) -> list[tuple[IntArray, FloatArray, FloatArray]]:
    """Of each line: the points that it joins, its times, and its values."""
    value = _numbers(values)
    start, end = np.array(curve.start_sec), np.array(curve.end_sec)
    heard = ~np.isnan(value)
    step = float(np.median(end - start)) if len(start) else 0.0
    apart = np.ones(len(value), dtype=bool)
    apart[1:] = (start[1:] - end[:-1] > 0.5 * step) | ~heard[:-1]
    strokes = []
    for run in np.split(np.arange(len(value)), np.flatnonzero(apart)[1:]):
        inside = run[heard[run]]
        if len(inside) == 0:
            continue
        time = np.concatenate([[start[inside[0]]], np.array(curve.time_sec)[inside], [end[inside[-1]]]])
        strokes.append((inside, time, _held(value, inside)))
    return strokes


def _numbers(values: Sequence[float | None]) -> FloatArray:
    return np.array([np.nan if v is None else v for v in values], dtype=float)


def _held(values: FloatArray, inside: IntArray) -> FloatArray:
    """The values of a line, its first and last one held to the ends of their time."""
    return values[np.concatenate([inside[:1], inside, inside[-1:]])]
