"""How sure a match is."""

from __future__ import annotations

import numpy as np

from tocco.music.matching.chords import OnsetGroups, PlayedNotes, WrittenNotes
from tocco.music.matching.tempo_map import group_times
from tocco.units import BoolArray, FloatArray, IntArray

_AROUND_NOTES = 8
"""Notes on either side whose matches speak for or against a place."""

_LOOSE_SEC = 0.15
"""A note this far from where its neighbours put it is as likely as not another one."""


_CALIBRATION = 3
"""Makes the figure a share of right matches: fitted by hand to planted errors (benchmarks/alignment.py)."""


def match_confidence(
    written: WrittenNotes,
    played: PlayedNotes,
    groups: OnsetGroups,
    match: IntArray,
    is_performed: BoolArray,
    is_counted: BoolArray,
) -> FloatArray:
    """Confidence of each match: agreement around it times closeness to its time.

    Parameters
    ----------
    written, played, groups : both sides
    match : (K, 2) index into the written, index into the played notes
    is_performed : (S,) written notes that take part
    is_counted : (N,) played notes that take part

    Returns
    -------
    (K,) 0..1
    """
    if len(match) == 0:
        return np.zeros(0)
    page = _agreement(match[:, 0], is_performed)
    keys = _agreement(match[:, 1], is_counted)
    distance = _distance_sec(groups.group_of[match[:, 0]], groups, played.onset_sec[match[:, 1]])
    distance = np.where(written.is_grace[match[:, 0]], distance / 2, distance)
    raw = np.minimum(page, keys) / (1.0 + (distance / _LOOSE_SEC) ** 2)
    return 1.0 - (1.0 - raw) ** _CALIBRATION


def _agreement(matched: IntArray, takes_part: BoolArray) -> FloatArray:
    """Share of the notes around each matched one that match as well."""
    is_matched = np.zeros(len(takes_part))
    is_matched[matched] = 1.0
    rank = np.cumsum(takes_part) - 1
    total = np.concatenate([[0.0], np.cumsum(is_matched[takes_part])])
    low = np.maximum(rank[matched] - _AROUND_NOTES, 0)
    high = np.minimum(rank[matched] + _AROUND_NOTES + 1, len(total) - 1)
    return (total[high] - total[low]) / (high - low)


def _distance_sec(group: IntArray, groups: OnsetGroups, onset_sec: FloatArray) -> FloatArray:
    """Seconds between each note and where the groups before and after its own put it."""
    index, sec, _ = group_times(group, onset_sec)
    if len(index) < 3:
        return np.zeros(len(group))
    beat = groups.onset_beat[index]
    share = (beat[1:-1] - beat[:-2]) / (beat[2:] - beat[:-2])
    due = sec.copy()
    due[1:-1] = sec[:-2] + share * (sec[2:] - sec[:-2])
    return np.abs(onset_sec - due[np.searchsorted(index, group)])
