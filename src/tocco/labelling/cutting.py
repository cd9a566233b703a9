"""Where a performance is cut into segments: between notes, at a pause if there is one."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import numpy as np

from tocco.units import FloatArray

SEGMENT_SEC: Final = 25.0
"""Length that is aimed at."""

LEAST_SEC, LONGEST_SEC = 20.0, 30.0
"""Range of the segments of a performance that is longer."""

SHORTEST_SEC: Final = 8.0
"""A shorter performance is no segment; up to `LONGEST_SEC` it is one segment as it is."""

SHIFT_SEC: Final = 2.5
"""How far a cut may move to a pause."""

_BEFORE_NOTE_SEC: Final = 0.05


def cut(start: float, end: float, onset_sec: FloatArray | None) -> list[tuple[float, float]]:
    """Segments of a performance, without overlap; what is left over at the end is left out.

    Parameters
    ----------
    start, end : seconds of the music
    onset_sec : (N,) of the notes; None where they are not known: then cuts are at equal distances

    Returns
    -------
    (start, end) of each, `LEAST_SEC` to `LONGEST_SEC` long; shorter if the performance is

    Examples
    --------
    >>> cut(0.0, 60.0, None)
    [(0.0, 30.0), (30.0, 60.0)]
    >>> cut(0.0, 12.0, None), cut(0.0, 5.0, None)
    ([(0.0, 12.0)], [])
    """
    length = end - start
    if length < SHORTEST_SEC:
        return []
    if length <= LONGEST_SEC:
        return [(start, end)]
    n = int(length / SEGMENT_SEC)
    step = min(length / n, LONGEST_SEC)
    onset = np.sort(onset_sec) if onset_sec is not None else np.zeros(0)
    edges = [start, *(_at_a_pause(start + i * step, onset) for i in range(1, n)), start + n * step]
    bounds = []
    for a, b in pairwise(edges):
        last = min(b, a + LONGEST_SEC)
        if last - a >= LEAST_SEC:
            bounds.append((a, last))
    return bounds


def _at_a_pause(edge: float, onset: FloatArray) -> float:
    """Just before the note that follows the longest pause nearby."""
    nearby = np.flatnonzero((onset >= edge - SHIFT_SEC) & (onset <= edge + SHIFT_SEC))
    nearby = nearby[nearby > 0]
    if len(nearby) == 0:
        return edge
    pause = onset[nearby] - onset[nearby - 1]
    after = nearby[int(np.argmax(pause))]
    return float(max(onset[after] - _BEFORE_NOTE_SEC, onset[after - 1]))
