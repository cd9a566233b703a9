"""From two lists of notes to what was played, missed, added, tried again and skipped."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tocco.music.matching.assign import match_by_pitch, settle_repeated_keys
from tocco.music.matching.chords import OnsetGroups, PlayedNotes, WrittenNotes, group_onsets
from tocco.music.matching.confidence import match_confidence
from tocco.music.matching.corridor import find_corridor
from tocco.music.matching.path import follow
from tocco.music.matching.stopped_tries import dispensable, find_stopped_tries, side_by_side
from tocco.music.matching.structure import Retry, Skip, Walk, find_retries, find_skips, walk_of
from tocco.music.matching.tempo_map import TempoMap, map_through, smoothed
from tocco.units import BoolArray, FloatArray, IntArray

_ROUGH_REACH_SEC = 0.7
"""How far from its due time a note is sought while the clock is rough."""

_REACH_SEC = (0.15, 0.4)
_REACH_GAPS = 1.5
_REACH_GROUPS = 9
"""With a good clock a note is sought within so many of the usual gaps between the groups around it, within
these bounds: the quicker the music, the sooner a stray note stands where another was due."""

_MAX_REACH_SEC = 3.0
"""Where chords lie further apart than the reach, a note may fall anywhere up to the next one."""

_EXCERPT_GAP_BEAT = 4.0
"""A bar of 4/4. So much of the score before the first or after the last note that was hit is taken as not
performed (an excerpt, a stop); less counts as missing notes."""

_GRACE_LEAD_SEC = 0.08
_GRACE_REACH_SEC = 0.3
"""Grace notes come before their main note, by about a sixteenth at most tempos."""

_MISSED_SHARE = 0.2
"""Of the notes of a try that ends in a stop, no more are missing if it was given up."""

_ASKED_SHARE = 0.5
"""Of the notes of a try that the way goes back over, which may be cut in the wrong place: with more, the
score asks for the try."""


_SHORTEST_STEP_SEC = 1e-3
"""Onsets closer than this say nothing of the tempo."""


@dataclass(frozen=True, eq=False)
class NoteMatching:
    """Which played note is which written note, and what that says of the performance.

    Attributes
    ----------
    match : (K, 2) index into the written, index into the played notes; ascending by the first
    confidence : (K,) 0..1
        How sure each match is: how many of its surroundings match, and how close it is to its time.
    overall : 0..1
        How much of the performed stretch and of the performance agree (F1), given-up tries aside.
    is_performed : (S,)
        Whether a printed note lies in the stretch that was performed, skips left out.
    is_retried : (N,)
        Whether a played note belongs to a try that was given up.
    tempo_map : through one point for each onset group with a match
    groups : of the written notes
    retries, skips : in order of playing
    """

    match: IntArray
    confidence: FloatArray
    overall: float
    is_performed: BoolArray
    is_retried: BoolArray
    tempo_map: TempoMap
    groups: OnsetGroups
    retries: tuple[Retry, ...]
    skips: tuple[Skip, ...]

    @property
    def unsteadiness(self) -> float:
        """How much the length of a beat changes from one onset to the next; 0 for a steady tempo.

        The median of |log ratio| of successive beat lengths; infinite with fewer than four onsets.
        """
        step_beat, step_sec = np.diff(self.tempo_map.beat), np.diff(self.tempo_map.sec)
        counts = (step_beat > 0) & (step_sec > _SHORTEST_STEP_SEC)
        length = np.log(step_sec[counts] / step_beat[counts])
        return float(np.median(np.abs(np.diff(length)))) if len(length) > 2 else math.inf


def match_notes(written: WrittenNotes, played: PlayedNotes) -> NoteMatching | None:
    """Find the written note of every played one.

    Parameters
    ----------
    written : at least one note, ascending by onset
    played : at least one note, ascending by onset

    Returns
    -------
    None where fewer than two onset groups agree, so that there is no clock.
    """
    groups = group_onsets(written)
    walk = _walk(written, groups, played)
    everything = np.arange(len(played))
    found = _match_without_false_restarts(written, played, groups, walk, everything, ())
    if found is None:
        return None
    stopped = find_stopped_tries(walk, played)
    if not stopped:
        return found
    without = _match_without(written, played, groups, stopped)
    if without is None:
        return found
    n_written = len(written)
    real = dispensable(stopped, _stroke_of(found, n_written), _stroke_of(without, n_written), _MISSED_SHARE)
    if len(real) == len(stopped):
        return without
    return (_match_without(written, played, groups, real) if real else None) or found


def _match_without(
    written: WrittenNotes, played: PlayedNotes, groups: OnsetGroups, stopped: tuple[Retry, ...]
) -> NoteMatching | None:
    """The matching if some tries were given up: without them the way is plainer, and is sought anew."""
    note = np.flatnonzero(~_given_up(stopped, len(played)))
    walk = _walk(written, groups, played.kept(note))
    return _match_without_false_restarts(written, played, groups, walk, note, stopped)


def _match_without_false_restarts(
    written: WrittenNotes,
    played: PlayedNotes,
    groups: OnsetGroups,
    walk: Walk,
    note: IntArray,
    stopped: tuple[Retry, ...],
) -> NoteMatching | None:
    """The matching without false restarts: those whose notes the score asks for.

    In a figure that repeats itself the way may go back over music that is played only once: a wrong note
    led it ahead. The written notes of such a try are then missing, and find their places if it counts.
    Parameters as for `_match_along`.
    """
    found = _match_along(written, played, groups, walk, note, stopped, ())
    if found is None:
        return None
    tries = tuple(retry for retry in found.retries if retry not in stopped)
    if not tries:
        return found
    plain = _match_along(written, played, groups, walk, note, stopped, tries)
    if plain is None:
        return found
    n_written = len(written)
    real = dispensable(tries, _stroke_of(plain, n_written), _stroke_of(found, n_written), _ASKED_SHARE)
    if len(real) == len(tries):
        return found
    if not real:
        return plain
    denied = tuple(retry for retry in tries if retry not in real)
    return _match_along(written, played, groups, walk, note, stopped, denied) or found


def _stroke_of(matching: NoteMatching, n_written: int) -> IntArray:
    """(S,) index of the played note of each written one; -1 for none."""
    stroke = np.full(n_written, -1, dtype=np.int64)
    stroke[matching.match[:, 0]] = matching.match[:, 1]
    return stroke


def _walk(written: WrittenNotes, groups: OnsetGroups, played: PlayedNotes) -> Walk:
    return walk_of(follow(groups, played, find_corridor(written, groups, played)), groups, played)


def _match_along(
    written: WrittenNotes,
    played: PlayedNotes,
    groups: OnsetGroups,
    walk: Walk,
    note: IntArray,
    stopped: tuple[Retry, ...],
    denied: tuple[Retry, ...],
) -> NoteMatching | None:
    """The matching that a way through the score leads to.

    Parameters
    ----------
    written, played, groups : both sides
    walk : of the notes that were not given up at a stop
    note : index into the performance of each of these
    stopped : the tries that were
    denied : tries of the way that are none
    """
    found = (
        replace(retry, first_note=int(note[retry.first_note]), last_note=int(note[retry.last_note]))
        for retry in find_retries(walk)
    )
    retries = side_by_side(stopped, [retry for retry in found if retry not in denied])
    is_retried = _given_up(retries, len(played))
    is_counted = ~is_retried[note]
    skips = tuple(
        replace(skip, before_note=int(note[skip.before_note]))
        for skip in find_skips(walk, is_counted, groups)
    )
    counted_hits = np.flatnonzero(walk.hit & is_counted)
    is_performed = _performed(groups, walk.way[counted_hits], skips) & written.is_printed
    tempo_map = map_through(groups, walk.way[counted_hits], walk.sec[counted_hits])
    match = np.zeros((0, 2), dtype=np.int64)
    for is_rough in (True, False):
        if tempo_map is None:
            return None
        clock = smoothed(tempo_map) if is_rough else tempo_map
        match = _match_near(written, played, groups, clock, is_performed, ~is_retried, is_rough)
        match = _settled(written, played, groups, match, ~is_retried, clock)
        in_time = match[_tells_time(written, played, match, clock)]
        tempo_map = map_through(groups, groups.group_of[in_time[:, 0]], played.onset_sec[in_time[:, 1]])
    if tempo_map is None:
        return None
    n_written, n_played = int(is_performed.sum()), int((~is_retried).sum())
    return NoteMatching(
        match=match,
        confidence=match_confidence(written, played, groups, match, is_performed, ~is_retried),
        overall=2 * len(match) / max(n_written + n_played, 1),
        is_performed=is_performed,
        is_retried=is_retried,
        tempo_map=tempo_map,
        groups=groups,
        retries=retries,
        skips=skips,
    )


def _given_up(retries: Sequence[Retry], n_played: int) -> BoolArray:
    """(N,) whether a note belongs to one of the tries."""
    is_retried = np.zeros(n_played, dtype=bool)
    for retry in retries:
        is_retried[retry.first_note : retry.last_note + 1] = True
    return is_retried


def _performed(groups: OnsetGroups, hit_groups: IntArray, skips: tuple[Skip, ...]) -> BoolArray:
    """(S,) the notes from the first to the last group that was hit, without the skipped ones."""
    performed = np.zeros(len(groups), dtype=bool)
    if len(hit_groups):
        first, last = hit_groups.min(), hit_groups.max()
        if groups.onset_beat[first] - groups.onset_beat[0] <= _EXCERPT_GAP_BEAT:
            first = 0
        if groups.onset_beat[-1] - groups.onset_beat[last] <= _EXCERPT_GAP_BEAT:
            last = len(groups) - 1
        performed[first : last + 1] = True
    for skip in skips:
        performed[skip.first_group : skip.last_group + 1] = False
    return performed[groups.group_of]


def _tells_time(written: WrittenNotes, played: PlayedNotes, match: IntArray, clock: TempoMap) -> BoolArray:
    """(K,) matches that tell when their group was played: no grace notes, and none that came early."""
    note = match[:, 0]
    tells = ~written.is_grace[note]
    if len(written.early_beat):
        onset_beat, early_beat = written.onset_beat[note], written.early_beat[note]
        halfway_sec = clock.sec_at(onset_beat - early_beat / 2)
        tells &= (early_beat == 0.0) | (played.onset_sec[match[:, 1]] > halfway_sec)
    return tells


def _settled(
    written: WrittenNotes,
    played: PlayedNotes,
    groups: OnsetGroups,
    match: IntArray,
    is_counted: BoolArray,
    rough: TempoMap,
) -> IntArray:
    """The matches, each note with the nearest stroke of its key by the clock of the notes around it."""
    in_time = match[_tells_time(written, played, match, rough)]
    clock = map_through(groups, groups.group_of[in_time[:, 0]], played.onset_sec[in_time[:, 1]])
    if clock is None or len(clock.beat) < 3:
        return match
    # Each inner point by the straight line between its neighbours.
    share = (clock.beat[1:-1] - clock.beat[:-2]) / (clock.beat[2:] - clock.beat[:-2])
    around = clock.sec.copy()
    around[1:-1] = clock.sec[:-2] + share * (clock.sec[2:] - clock.sec[:-2])
    due_sec = np.interp(groups.onset_beat, clock.beat, around)[groups.group_of]
    free = is_counted.copy()
    free[match[:, 1]] = False
    left_over = np.flatnonzero(free)
    return settle_repeated_keys(
        match,
        due_sec,
        written.pitch,
        played.onset_sec,
        np.column_stack([left_over, played.pitch[left_over]]),
    )


def _match_near(
    written: WrittenNotes,
    played: PlayedNotes,
    groups: OnsetGroups,
    tempo_map: TempoMap,
    is_performed: BoolArray,
    is_counted: BoolArray,
    is_rough: bool,
) -> IntArray:
    """Match the notes that take part, each within reach of its due time."""
    from scipy.ndimage import uniform_filter1d

    pages, keys = np.flatnonzero(is_performed), np.flatnonzero(is_counted)
    due_sec = tempo_map.sec_at(groups.onset_beat)
    gap_sec = np.diff(due_sec)
    reach_sec = np.full(len(groups), _ROUGH_REACH_SEC)
    if not is_rough:
        usual_sec = uniform_filter1d(np.append(gap_sec, gap_sec[-1]), _REACH_GROUPS, mode="nearest")
        reach_sec = np.clip(_REACH_GAPS * usual_sec, *_REACH_SEC)
    early_sec = np.minimum(np.maximum(np.concatenate([[np.inf], gap_sec]), reach_sec), _MAX_REACH_SEC)
    late_sec = np.minimum(np.maximum(np.concatenate([gap_sec, [np.inf]]), reach_sec), _MAX_REACH_SEC)
    group = groups.group_of[pages]
    grace = written.is_grace[pages]
    earliest_sec = early_sec[group] + _GRACE_REACH_SEC * grace
    if len(written.early_beat):
        from_sec = tempo_map.sec_at(written.onset_beat[pages] - written.early_beat[pages])
        earliest_sec += due_sec[group] - from_sec
    found = match_by_pitch(
        due_sec[group] - _GRACE_LEAD_SEC * grace,
        written.pitch[pages],
        earliest_sec,
        late_sec[group],
        played.onset_sec[keys],
        played.pitch[keys],
    )
    return np.column_stack([pages[found[:, 0]], keys[found[:, 1]]])
