"""The rating curve as lines to draw: where the music rests, a line ends."""

from __future__ import annotations

import numpy as np

from tocco.inference.assessment import Curve
from tocco.units import FloatArray


def curve_strokes(
    curve: Curve, name: str
) -> list[tuple[FloatArray, FloatArray, FloatArray | None, FloatArray | None]]:
    """The curve of one dimension as unbroken lines: time, value and band; music that rests breaks it.

    A line begins at the start of its first point's time and ends at the end of its last one's, so that
    a single point is a level line too.
    """
    value = np.array([np.nan if v is None else v for v in curve.value[name]], dtype=float)
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
        ends_held = np.concatenate([inside[:1], inside, inside[-1:]])
        band = [
            np.array([np.nan if v is None else v for v in column[name]], dtype=float)[ends_held]
            if name in column
            else None
            for column in (curve.low_90, curve.high_90)
        ]
        strokes.append((time, value[ends_held], band[0], band[1]))
    return strokes
