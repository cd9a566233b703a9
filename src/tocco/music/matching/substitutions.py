"""Wrong notes: a missing note and an added one that belong together."""

from __future__ import annotations

import numpy as np

from tocco.units import FloatArray, IntArray

_WRONG_NOTE_SEC = 0.3
"""A wrong note falls this close to where the right one was due: an eighth note at 100 beats a minute."""

_WRONG_NOTE_SEMITONES = 5
_OCTAVE = 12


def pair_wrong_notes(
    deletion: IntArray,
    due_sec: FloatArray,
    due_pitch: IntArray,
    insertion: IntArray,
    sec: FloatArray,
    pitch: IntArray,
) -> IntArray:
    """Pair a missing note with an extra one where the two are one wrong note.

    As many pairs as possible, and of those pairings the one closest in time and pitch (the assignment
    problem). A neighbouring key up to a fourth away, or the same key an octave off.

    Parameters
    ----------
    deletion : (D,) index into score
    due_sec, due_pitch : (D,) when and what was due
    insertion : (I,) index into performance
    sec, pitch : (I,) when and what was played

    Returns
    -------
    (Q, 2) score index, performance index; ascending
    """
    from scipy.optimize import linear_sum_assignment

    pairs: list[tuple[int, int]] = []
    for group in _groups_in_time(due_sec, sec):
        rows, columns = group
        delay = np.abs(due_sec[rows][:, None] - sec[columns])
        interval = np.abs(due_pitch[rows][:, None] - pitch[columns])
        interval = np.where(interval == _OCTAVE, _WRONG_NOTE_SEMITONES, interval)
        near = (delay <= _WRONG_NOTE_SEC) & (interval <= _WRONG_NOTE_SEMITONES) & (interval > 0)
        cost = np.where(near, delay / _WRONG_NOTE_SEC + interval / _WRONG_NOTE_SEMITONES, 4.0 * near.size)
        pairs.extend(
            (int(deletion[rows[i]]), int(insertion[columns[j]]))
            for i, j in zip(*linear_sum_assignment(cost), strict=True)
            if near[i, j]
        )
    return np.array(sorted(pairs), dtype=np.int64).reshape(-1, 2)


def _groups_in_time(due_sec: FloatArray, sec: FloatArray) -> list[tuple[IntArray, IntArray]]:
    """Missing and extra notes that can only pair among themselves, so that problems stay small."""
    time_sec = np.concatenate((due_sec, sec))
    order = np.argsort(time_sec, kind="stable")
    breaks = np.flatnonzero(np.diff(time_sec[order]) > _WRONG_NOTE_SEC) + 1
    groups = []
    for members in np.split(order, breaks):
        rows = members[members < len(due_sec)]
        columns = members[members >= len(due_sec)] - len(due_sec)
        if len(rows) and len(columns):
            groups.append((rows, columns))
    return groups
