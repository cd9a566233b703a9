"""Which reading of a score was played, and which stretch of it: a quick look at the pitches alone.

The longest common subsequence of two pitch sequences counts how many notes a performance shares with a
score, in order, whatever the tempo. Restricted to a stretch of the score it shows where the
performance begins and ends.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tocco.units import FloatArray, IntArray

_CHORD_GAP_SEC = 0.035
"""Keys struck within this time of each other count as one chord: their order is not the score's."""


@dataclass(frozen=True)
class CommonStretch:
    """The stretch of a score that a performance shares most notes with.

    Attributes
    ----------
    first, last
        Bounds in notes of the score, `last` exclusive.
    n_common
        Notes in common, in order.
    likeness : 0..1
        Share of notes in common, among those of the performance and of the stretch (Dice).
    """

    first: int
    last: int
    n_common: int
    likeness: float


def in_chord_order(onset_sec: FloatArray, pitch: IntArray) -> IntArray:
    """Performed pitches, those of one chord from the lowest up, as a score lists them.

    Parameters
    ----------
    onset_sec : (N,) seconds, ascending
    pitch : (N,) 0..127

    Returns
    -------
    (N,) pitches
    """
    if len(pitch) == 0:
        return pitch
    chord = np.cumsum(np.diff(onset_sec, prepend=onset_sec[0]) > _CHORD_GAP_SEC)
    return pitch[np.lexsort((pitch, chord))]


def common_stretch(played: IntArray, written: IntArray) -> CommonStretch:
    """Find the stretch of a score that a performance plays.

    Parameters
    ----------
    played : (N,) pitches in the order of the performance, N >= 1
    written : (S,) pitches in the order of the score, S >= 1

    Returns
    -------
    The stretch with the highest likeness: first its end is found, then its beginning.
    """
    ends = _common_with_prefixes(played, written)
    last = int(np.argmax(2.0 * ends / (len(played) + np.arange(len(ends)))))
    if last == 0:
        return CommonStretch(0, 0, 0, 0.0)
    starts = _common_with_prefixes(played[::-1], written[:last][::-1])
    length = int(np.argmax(2.0 * starts / (len(played) + np.arange(len(starts)))))
    n_common = int(starts[length])
    return CommonStretch(last - length, last, n_common, 2.0 * n_common / (len(played) + length))


def _common_with_prefixes(played: IntArray, written: IntArray) -> IntArray:
    """(S + 1,) notes in common between the whole performance and each beginning of the score.

    The usual recurrence, one row for each played note. Within a row, a value is the largest of what a
    match or the row above offers anywhere to its left, hence a running maximum.
    """
    matches = {pitch: (written == pitch).astype(np.int32) for pitch in np.unique(played).tolist()}
    row = np.zeros(len(written) + 1, dtype=np.int32)
    candidate = np.empty_like(row)
    for pitch in played.tolist():
        candidate[0] = 0
        np.add(row[:-1], matches[pitch], out=candidate[1:])
        np.maximum(candidate, row, out=candidate)
        np.maximum.accumulate(candidate, out=row)
    return row
