"""Tempo-invariant fingerprints of notes: three onsets, their pitches and the ratio of their distances.

After Arzt, Böck and Widmer, "Fast identification of piece and score position via symbolic fingerprinting"
(ISMIR 2012). Of a chord only the notes nearest in pitch to the one before take part, so that the number of
fingerprints grows with the number of notes, and a missing or an extra note spoils only the few around it.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Final

import numpy as np

from tocco.units import BoolArray, FloatArray, IntArray

LARGEST_STEP: Final = 31
"""Semitones between two notes of a fingerprint, at most: two and a half octaves."""

LARGEST_RATIO: Final = 3
"""Ratios of the time differences are distinguished up to two to this power; what lies beyond is the same."""

_STEP_BITS: Final = 6
_RATIO_BITS: Final = 3


@dataclass(frozen=True, eq=False)
class Groups:
    """Notes gathered into what is struck together.

    Attributes
    ----------
    time : (G,) ascending, beats or seconds; of the first note of each group
    group : (N,) index of each note's group, ascending
    pitch : (N,) 0..127, ascending within a group
    """

    time: FloatArray
    group: IntArray
    pitch: IntArray

    @classmethod
    def of(cls, onset: FloatArray, pitch: IntArray, *, apart: float) -> Groups:
        """Gather notes.

        Parameters
        ----------
        onset : (N,) beats or seconds, any order
        pitch : (N,)
        apart : in the unit of onset
            A note begins a new group if it comes later than this after the first of the group.
        """
        order = np.argsort(onset, kind="stable")
        onset, pitch = onset[order], pitch[order]
        group, start = np.zeros(len(onset), dtype=np.int64), []
        for i, at in enumerate(onset.tolist()):
            if not start or at - start[-1] > apart:
                start.append(at)
            group[i] = len(start) - 1
        place = np.unique(128 * group + pitch)
        return cls(np.array(start, dtype=float), place // 128, place % 128)


@dataclass(frozen=True, eq=False)
class Fingerprints:
    """Fingerprints of a score or of a performance.

    Attributes
    ----------
    key : (F,) below 2**22: pitch of the first note, two steps in semitones, the ratio's bin
    note : (F,) index of the first note
    first, last : (F,) index of the groups of the first and of the third note
    """

    key: IntArray
    note: IntArray
    first: IntArray
    last: IntArray


def fingerprints(groups: Groups, *, ahead: int, both_bins: bool = False) -> Fingerprints:
    """All fingerprints of some notes.

    Parameters
    ----------
    groups
    ahead : groups by which the second and the third note each lie ahead of the one before, at most
    both_bins
        Whether each fingerprint is given with the two ratios that are nearest to its own, for notes that were
        played: their ratio is not exact.

    Returns
    -------
    Each key and first group once for each third group.
    """
    note = np.arange(len(groups.pitch))
    parts = []
    for step_1, step_2 in product(range(1, ahead + 1), repeat=2):
        for above_1, above_2 in product((True, False), repeat=2):
            second, has_second = _nearest(groups, note, step_1, above=above_1)
            third, has_third = _nearest(groups, second, step_2, above=above_2)
            parts.append(_keys(groups, note, second, third, has_second & has_third, both_bins))
    key, note, first, last = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Fingerprints(key, note, first, last)


def _nearest(groups: Groups, note: IntArray, step: int, *, above: bool) -> tuple[IntArray, BoolArray]:
    """The note nearest in pitch, not below or below each one, in the group that lies `step` ahead of its own.

    Returns
    -------
    (M,) index of it, and whether there is one
    """
    place = 128 * groups.group + groups.pitch
    aim = groups.group[note] + step
    found = np.searchsorted(place, 128 * aim + groups.pitch[note]) - (0 if above else 1)
    inside = np.clip(found, 0, len(place) - 1)
    return inside, (found == inside) & (groups.group[inside] == aim)


def _keys(
    groups: Groups, note: IntArray, second: IntArray, third: IntArray, exists: BoolArray, both_bins: bool
) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    step_1 = groups.pitch[second] - groups.pitch[note]
    step_2 = groups.pitch[third] - groups.pitch[second]
    exists = exists & (np.abs(step_1) <= LARGEST_STEP) & (np.abs(step_2) <= LARGEST_STEP)
    note, second, third = note[exists], second[exists], third[exists]
    first, last = groups.group[note], groups.group[third]
    middle = groups.time[groups.group[second]]
    ratio = np.log2((groups.time[last] - middle) / (middle - groups.time[first]))
    pitches = groups.pitch[note] << (2 * _STEP_BITS + _RATIO_BITS)
    pitches |= (step_1[exists] + LARGEST_STEP) << (_STEP_BITS + _RATIO_BITS)
    pitches |= (step_2[exists] + LARGEST_STEP) << _RATIO_BITS
    nearest = np.rint(ratio)
    key = pitches | _bin(nearest)
    if not both_bins:
        return key, note, first, last
    other = pitches | _bin(nearest + np.where(ratio >= nearest, 1.0, -1.0))
    differs = other != key
    return (
        np.append(key, other[differs]),
        np.append(note, note[differs]),
        np.append(first, first[differs]),
        np.append(last, last[differs]),
    )


def _bin(ratio: FloatArray) -> IntArray:
    return np.clip(ratio, -LARGEST_RATIO, LARGEST_RATIO).astype(np.int64) + LARGEST_RATIO
