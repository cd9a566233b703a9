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

_IN_COMMON = 2
_PASSED_OVER = 1
_NO_STEP = -(10**6)
"""Notes of different pitch are never common; any gain is smaller than this loss."""


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
    The stretch in which notes in common outweigh notes passed over: a note in common counts
    `_IN_COMMON`, a written note passed over within the stretch costs `_PASSED_OVER`.
    """
    anywhere = np.zeros(len(written) + 1, dtype=np.int32)
    last = int(np.argmax(_gain(played, written, anywhere)))
    from_end = -_PASSED_OVER * np.arange(last + 1, dtype=np.int32)
    gain = _gain(played[::-1], written[:last][::-1], from_end)
    length = int(np.argmax(gain))
    n_common = (int(gain[length]) + _PASSED_OVER * length) // (_IN_COMMON + _PASSED_OVER)
    return CommonStretch(last - length, last, n_common, 2.0 * n_common / (len(played) + length))


def _gain(played: IntArray, written: IntArray, row: IntArray) -> IntArray:
    """(S + 1,) best gain of the whole performance against a stretch that ends before each note.

    Semi-global alignment (Needleman & Wunsch 1970, free ends in the score): `row` holds the gain of a
    stretch that begins there. One row for each played note; passing over written notes is a running
    maximum once the cost of position is added.
    """
    passed = _PASSED_OVER * np.arange(len(row), dtype=np.int32)
    step = {
        p: np.where(written == p, _IN_COMMON + _PASSED_OVER, _NO_STEP).astype(np.int32)
        for p in set(played.tolist())
    }
    row = (row + passed).astype(np.int32)
    candidate = row.copy()
    for pitch in played.tolist():
        np.add(row[:-1], step[pitch], out=candidate[1:], casting="same_kind")
        np.maximum(candidate, row, out=candidate)
        np.maximum.accumulate(candidate, out=row)
    return row - passed
