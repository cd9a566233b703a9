"""What the way through the score says of restarts and skips.

A player who stops, goes back and plays on has played some bars twice. The try that carries on counts; what
the abandoned one played of the same bars stands aside as a span of its own. Whether bars were really
played twice, or left out, is decided by the clock: a repetition takes time, and a skip saves it.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

import numpy as np

from tocco.music.matching.chords import OnsetGroups, PlayedNotes
from tocco.music.matching.trills import keeps_a_trill_going
from tocco.units import BoolArray, FloatArray, IntArray

_DISORDER_GROUPS = 2
"""Hands that are not together go back by so many groups without restarting."""

_MIN_REPEATED_NOTES = 4
_MIN_REPEATED_GROUPS = 3
_MIN_REPEATED_SEC = 0.4
"""A restart strikes at least so many notes again, in so many groups and so long; less is a trill."""

_MIN_SKIPPED_GROUPS = 4
_MIN_SKIPPED_BEAT = 2.0
"""Less than this left out counts as missing notes."""

_REPEAT_TIME = 1.5
"""Twice the same bars take twice their time; hesitation adds to it. Less than this and the way merely
wavers, as it does in a trill."""

_SKIP_TIME = 0.6
"""Bars passed over in less than this share of their time were skipped."""

_CHANCE_NOTES = 4
"""So many notes in a row may be hit by chance on the way from one side of a skip to the other."""

_EDGE_NOTES = 6
"""A place next to a gap may be hit by chance; the time over the gap is taken so many notes further out."""

_TEMPO_NOTES = (30, 120)
"""Played notes on either side from which the tempo around a place is taken: as many of these as are needed
for a steady figure."""


@dataclass(frozen=True)
class Retry:
    """Played notes that were given up and played again.

    Attributes
    ----------
    first_note, last_note : index into the performance, inclusive
    first_group, last_group : index of the onset groups that were tried, inclusive
    """

    first_note: int
    last_note: int
    first_group: int
    last_group: int


@dataclass(frozen=True)
class Skip:
    """A stretch of the score that was passed over.

    Attributes
    ----------
    first_group, last_group : index of the onset groups that were left out, inclusive
    before_note : index into the performance: the last note before the skip
    """

    first_group: int
    last_group: int
    before_note: int


@dataclass(frozen=True, eq=False)
class Walk:
    """The way of a player, with what is asked of it again and again.

    Attributes
    ----------
    way : (N,) onset group of each played note
    hit : (N,) whether the note is written in its group
    firm : (N,) whether it was hit, and does more than keep a trill going
    beat, sec : (N,) where and when
    pitch : (N,)
    """

    way: IntArray
    hit: BoolArray
    firm: BoolArray
    beat: FloatArray
    sec: FloatArray
    pitch: IntArray

    def beat_sec_around(self, first: int, last: int) -> float:
        """Seconds a beat takes just before one note and just after another; nan if unknown."""
        tempos = [self._beat_sec(first, -1), self._beat_sec(last, 1)]
        tempos = [tempo for tempo in tempos if not np.isnan(tempo)]
        return float(np.mean(tempos)) if tempos else float("nan")

    def _beat_sec(self, note: int, direction: int) -> float:
        """Seconds a beat takes on one side of a note; nan if that side is too short to tell."""
        for reach in _TEMPO_NOTES:
            low, high = sorted((note, note + direction * reach))
            notes = np.arange(max(low, 0), min(high + 1, len(self.way)))
            notes = notes[self.hit[notes]]
            if len(notes) < 2:
                continue
            beats = self.beat[notes[-1]] - self.beat[notes[0]]
            if beats >= _MIN_SKIPPED_BEAT:
                return float((self.sec[notes[-1]] - self.sec[notes[0]]) / beats)
        return float("nan")


def walk_of(way: IntArray, groups: OnsetGroups, played: PlayedNotes) -> Walk:
    """Put the way, the page and the clock side by side."""
    hit = groups.holds_pitch[played.pitch, way]
    return Walk(
        way=way,
        hit=hit,
        firm=hit & ~keeps_a_trill_going(played),
        beat=groups.onset_beat[way],
        sec=played.onset_sec,
        pitch=played.pitch,
    )


def find_retries(walk: Walk) -> tuple[Retry, ...]:
    """The abandoned tries of a performance, in order of playing."""
    standing: list[tuple[int, int]] = []
    retries: list[Retry] = []
    for first, last in _passes(walk):
        begin, end = extent(walk, first, last)
        given_up = False
        while standing and not given_up:
            earlier_first, earlier_last = standing.pop()
            span = np.maximum.accumulate(walk.way[earlier_first : earlier_last + 1])
            if span[-1] < begin:
                standing.append((earlier_first, earlier_last))
                break
            if end < span[-1]:
                retries.append(Retry(first, last, begin, end))
                standing.append((earlier_first, earlier_last))
                given_up = True
                continue
            cut = earlier_first + int(np.searchsorted(span, begin))
            retries.append(Retry(cut, earlier_last, begin, int(span[-1])))
            if cut > earlier_first:
                standing.append((earlier_first, cut - 1))
                break
        if not given_up:
            standing.append((first, last))
    return tuple(sorted(retries, key=lambda retry: retry.first_note))


def extent(walk: Walk, first: int, last: int) -> tuple[int, int]:
    """First and last onset group of a stretch of playing, without notes that stray.

    Parameters
    ----------
    walk : of the performance
    first, last : index of the first and the last note of the stretch
    """
    hits = walk.way[first : last + 1][walk.firm[first : last + 1]]
    if len(hits) == 0:
        return int(walk.way[first : last + 1].min()), int(walk.way[first : last + 1].max())
    place = hits[_rising(hits)]
    return int(place[0]), int(place[-1])


def _passes(walk: Walk) -> list[tuple[int, int]]:
    """Cut the way where the player goes back and plays again; first and last note of each stretch."""
    starts = [0]
    struck: set[tuple[int, int]] = set()
    top = left_at = -1
    way, firm, pitch = walk.way.tolist(), walk.firm.tolist(), walk.pitch.tolist()
    for note, place in enumerate(way):
        if place < top - _DISORDER_GROUPS and _plays_again(walk, starts[-1], note, top, struck):
            starts.append(note)
            struck, top, left_at = set(), -1, top
        elif top < left_at - _DISORDER_GROUPS and place > left_at:
            # The new try stops short as well, and the player goes on where the earlier one was left.
            starts.append(note)
            struck, top = set(), -1
        top = max(top, place)
        if firm[note]:
            struck.add((place, pitch[note]))
    return list(zip(starts, [s - 1 for s in starts[1:]] + [len(way) - 1], strict=True))


def _plays_again(walk: Walk, start: int, note: int, top: int, struck: set[tuple[int, int]]) -> bool:
    """Whether what follows was struck before, and took its time both times."""
    beyond = np.flatnonzero(walk.way[note:] >= top)
    stop = note + int(beyond[0]) if len(beyond) else len(walk.way) - 1
    later = range(note, stop + 1)
    again = {(int(walk.way[k]), int(walk.pitch[k])) for k in later if walk.firm[k]} & struck
    if len(again) < _MIN_REPEATED_NOTES or len({place for place, _ in again}) < _MIN_REPEATED_GROUPS:
        return False
    begin = int(walk.way[note])
    earlier = np.maximum.accumulate(walk.way[start:note])
    arrival = start + int(np.searchsorted(earlier, begin))
    if walk.sec[note] - walk.sec[arrival] < _MIN_REPEATED_SEC:
        return False
    beat_sec = walk.beat_sec_around(arrival, stop)
    if np.isnan(beat_sec):
        return True
    once = (walk.beat[stop] - walk.beat[note]) * beat_sec
    return bool(walk.sec[stop] - walk.sec[arrival] >= _REPEAT_TIME * once)


def find_skips(walk: Walk, is_counted: BoolArray, groups: OnsetGroups) -> tuple[Skip, ...]:
    """The stretches of the score that were passed over, in order.

    Parameters
    ----------
    walk : of the performance
    is_counted : (N,) whether a note belongs to the try that counts
    groups : of the score
    """
    hits = np.flatnonzero(is_counted & walk.hit)
    notes = hits[_rising(walk.way[hits])]
    place = walk.way[notes]
    skips = []
    for first, last in _leaps(place):
        before, after = int(place[first]), int(place[last])
        beats = float(groups.onset_beat[after] - groups.onset_beat[before])
        if beats <= _MIN_SKIPPED_BEAT:
            continue
        low, high = notes[max(first - _EDGE_NOTES, 0)], notes[min(last + _EDGE_NOTES, len(notes) - 1)]
        due_sec = (walk.beat[high] - walk.beat[low]) * walk.beat_sec_around(int(low), int(high))
        saved_sec = due_sec - (walk.sec[high] - walk.sec[low])
        if saved_sec > (1.0 - _SKIP_TIME) * due_sec * beats / (walk.beat[high] - walk.beat[low]):
            skips.append(Skip(before + 1, after - 1, int(notes[first])))
    return tuple(skips)


def _leaps(place: IntArray) -> list[tuple[int, int]]:
    """Steps over more groups than are lost by chance; last note before and first after each.

    Leaps with but a few notes between them are one: on the way, a chord was hit by chance.
    """
    steps = np.flatnonzero(np.diff(place) > _MIN_SKIPPED_GROUPS)
    breaks = np.flatnonzero(np.diff(steps) > _CHANCE_NOTES) + 1
    return [(int(run[0]), int(run[-1]) + 1) for run in np.split(steps, breaks) if len(run)]


def _rising(place: IntArray) -> IntArray:
    """Indices of the longest stretch of places, not all adjacent, that never goes back.

    Notes that stray ahead or behind by chance fall out (Fredman, 1975).
    """
    ends: list[int] = []
    last_of: list[int] = []
    previous = np.full(len(place), -1, dtype=np.int64)
    for note, value in enumerate(place.tolist()):
        length = bisect_right(ends, value)
        if length:
            previous[note] = last_of[length - 1]
        if length == len(ends):
            ends.append(value)
            last_of.append(note)
        else:
            ends[length], last_of[length] = value, note
    chain = [last_of[-1]] if last_of else []
    while chain and previous[chain[-1]] >= 0:
        chain.append(int(previous[chain[-1]]))
    return np.array(chain[::-1], dtype=np.int64)
