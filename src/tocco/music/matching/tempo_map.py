"""The clock of a performance: which second belongs to which beat."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

import numpy as np

from tocco.music.beat_map import sec_from_beat
from tocco.music.matching.chords import OnsetGroups
from tocco.units import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class TempoMap:
    """Points through which beats and seconds are joined by straight lines.

    Attributes
    ----------
    beat, sec : (K,) strictly ascending
    """

    beat: FloatArray
    sec: FloatArray

    def sec_at(self, beat: FloatArray) -> FloatArray:
        """(M,) seconds at beats; outside the points the tempo of the nearest bar goes on."""
        return sec_from_beat(beat, self.beat, self.sec)


def group_times(group: IntArray, onset_sec: FloatArray) -> tuple[IntArray, FloatArray, IntArray]:
    """Median onset of the notes of each onset group.

    Parameters
    ----------
    group : (K,) index of the group of each note
    onset_sec : (K,) seconds

    Returns
    -------
    index of each group that has notes, its median onset in seconds, its count of notes
    """
    order = np.lexsort((onset_sec, group))
    sorted_group, sorted_sec = group[order], onset_sec[order]
    starts = np.flatnonzero(np.concatenate([[True], np.diff(sorted_group) > 0]))
    counts = np.diff(np.append(starts, len(group)))
    lower = sorted_sec[starts + (counts - 1) // 2]
    upper = sorted_sec[starts + counts // 2]
    return sorted_group[starts], (lower + upper) / 2, counts


def ascending_points(sec: FloatArray, weight: IntArray) -> IntArray:
    """The heaviest selection of points whose times ascend.

    Parameters
    ----------
    sec : (K,) seconds, in the order of the score
    weight : (K,) count of notes behind each point, >= 1

    Returns
    -------
    (L,) indices, ascending
    """
    if len(sec) < 2 or (np.diff(sec) > 0).all():
        return np.arange(len(sec))
    # Of all chains that end at or before a time, only the heaviest can be continued best: a front on
    # which both times and weights ascend.
    front_sec: list[float] = []
    front_weight: list[int] = []
    front_point: list[int] = []
    previous = np.full(len(sec), -1)
    for point, (time_sec, own) in enumerate(zip(sec.tolist(), weight.tolist(), strict=True)):
        at = bisect_left(front_sec, time_sec)
        total = own + (front_weight[at - 1] if at else 0)
        previous[point] = front_point[at - 1] if at else -1
        beaten = at
        while beaten < len(front_sec) and front_weight[beaten] <= total:
            beaten += 1
        if beaten == at and at < len(front_sec) and front_sec[at] == time_sec:
            continue
        front_sec[at:beaten] = [time_sec]
        front_weight[at:beaten] = [total]
        front_point[at:beaten] = [point]
    chain = []
    at = front_point[-1]
    while at >= 0:
        chain.append(at)
        at = int(previous[at])
    return np.array(chain[::-1])


def map_through(groups: OnsetGroups, group: IntArray, onset_sec: FloatArray) -> TempoMap | None:
    """The clock that given notes keep: each group at the median of its notes.

    Parameters
    ----------
    groups : of the score
    group : (K,) index of the group of each note
    onset_sec : (K,) seconds

    Returns
    -------
    None where fewer than two groups are known.
    """
    if len(group) == 0:
        return None
    index, sec, weight = group_times(group, onset_sec)
    chosen = ascending_points(sec, weight)
    if len(chosen) < 2:
        return None
    return TempoMap(groups.onset_beat[index[chosen]], sec[chosen])


_SMOOTH_POINTS = 4
_SMOOTH_SEC = 0.2
"""A point further than this from its neighbours' tempo is a stop or a held note, and stays."""


def smoothed(clock: TempoMap) -> TempoMap:
    """The clock with each point moved to where the tempo of its neighbours puts it.

    A first matching may take one repeated note for the next; its own times would confirm it, those of its
    neighbours do not. Each point is predicted by a straight line through up to four on either side (least
    squares, without the point itself); a point far from its line is left where it is.

    Parameters
    ----------
    clock : at least two points
    """
    beat, sec = clock.beat - clock.beat.mean(), clock.sec - clock.sec.mean()
    points = np.arange(len(beat))
    low, high = np.maximum(points - _SMOOTH_POINTS, 0), np.minimum(points + _SMOOTH_POINTS + 1, len(beat))

    def around(value: FloatArray) -> FloatArray:
        total = np.concatenate([[0.0], np.cumsum(value)])
        return total[high] - total[low] - value

    count = np.maximum(high - low - 1, 1)
    mean_beat, mean_sec = around(beat) / count, around(sec) / count
    spread = around(beat * beat) / count - mean_beat**2
    common = around(beat * sec) / count - mean_beat * mean_sec
    slope = np.where(spread > 1e-9, common / np.maximum(spread, 1e-9), 0.0)
    predicted = clock.sec.mean() + mean_sec + slope * (beat - mean_beat)
    moved = np.where((np.abs(predicted - clock.sec) < _SMOOTH_SEC) & (spread > 1e-9), predicted, clock.sec)
    return TempoMap(clock.beat, np.maximum.accumulate(moved))
