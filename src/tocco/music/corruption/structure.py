"""Restarts, hesitations and dropped bars: where the playing does not go on.

Places are ranked at random and taken from the first on, so that with one generator state the places
of a lower severity are among those of a higher one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from tocco.errors import InputError
from tocco.music.corruption.context import Context, planned_count
from tocco.music.corruption.draft import Draft, RowEdit, pedal_of_steps
from tocco.music.corruption.record import SpanEdit
from tocco.music.performance import PedalCurve
from tocco.music.time_map import TimeMap
from tocco.units import FloatArray, IntArray

HESITATION_SEC: Final = (0.35, 1.4)
"""From clearly longer than any comma of phrasing to a search for the next chord; drawn log-uniformly."""
RESTART_PAUSE_SEC: Final = (0.4, 1.5)
"""From breaking off to playing again."""
BACK_BEATS: Final = (1.0, 4.0)
"""How far a player goes back where the score gives beats."""
BACK_GROUPS: Final = (2, 6)
"""How far a player goes back, in chords and single notes, where there is no score; the least with one."""

_LET_GO_SEC: Final = 0.12
"""After breaking off, keys and pedal are up within this."""
_APART_GROUPS: Final = 3
"""Two stumbles have at least so many chords or notes between them."""


@dataclass(frozen=True)
class _Stumble:
    """Breaking off before a group and going on from an earlier or the same one, after a pause."""

    back_to: int
    broken_off: int
    pause_sec: float


@dataclass(frozen=True)
class _FirstTry:
    """The notes that are given up: where they stand in the clean performance, and how much later here.

    Attributes
    ----------
    stumble
    start_sec, tried_sec : seconds of the clean performance
    shift_sec : seconds, >= 0
        What earlier stumbles have put in. It is summed up, not taken as a difference of new times: that
        would round, to before the recording where the first note begins with it.
    """

    stumble: _Stumble
    start_sec: float
    tried_sec: float
    shift_sec: float

    @property
    def break_sec(self) -> float:
        """When it is broken off, on the new clock."""
        return self.start_sec + self.shift_sec + self.tried_sec

    @property
    def inserted_sec(self) -> float:
        """How much longer the performance becomes by it."""
        return self.tried_sec + self.stumble.pause_sec


def hesitations(context: Context, severity: float, rng: np.random.Generator) -> Draft:
    """Pauses before a chord or note, keys and pedal held; so many a minute."""
    rank = 1 + rng.permutation(max(context.n_groups - 1, 0))
    low, high = np.log(HESITATION_SEC)
    pause = np.exp(rng.uniform(low, high, context.n_groups))
    candidates = [_Stumble(g, g, float(pause[g])) for g in rank.tolist()]
    stumbles = _apart(context, candidates, severity)
    clock = _jump_map([(context.group_sec[s.broken_off], s.pause_sec) for s in stumbles])
    played = context.performance
    draft = replace(
        Draft.of(played).on_clock(clock),
        onset_sec=clock(played.onset_sec),
        offset_sec=clock(played.offset_sec),
        time_map=clock,
    )
    spans = []
    for stumble in stumbles:
        at = float(context.group_sec[stumble.broken_off])
        end, bar = float(clock(at)), context.bar_name(at)
        spans.append(SpanEdit("hesitation", end - stumble.pause_sec, end, at, at, bar, bar))
    return replace(draft, spans=tuple(spans))


def restarts(context: Context, severity: float, rng: np.random.Generator) -> Draft:
    """Breaking off, going back some beats, and playing them again; so many a minute."""
    rank = rng.permutation(context.n_groups)
    back_beats = rng.uniform(*BACK_BEATS, context.n_groups)
    back_groups = rng.integers(*BACK_GROUPS, context.n_groups, endpoint=True)
    pause = rng.uniform(*RESTART_PAUSE_SEC, context.n_groups)
    start = _goes_back_to(context, back_beats, back_groups)
    candidates = [_Stumble(int(start[g]), g, float(pause[g])) for g in rank.tolist() if g - start[g] >= 2]
    stumbles = _apart(context, candidates, severity)
    tries = _first_tries(context, stumbles)
    clock = _jump_map([(first.start_sec, first.inserted_sec) for first in tries])
    played = context.performance
    onset = clock(played.onset_sec)
    draft = replace(
        Draft.of(played),
        onset_sec=onset,
        offset_sec=onset + (played.offset_sec - played.onset_sec),
        time_map=clock,
    )
    for first in tries:
        draft = _with_first_try(context, draft, first, clock)
    return _with_pedals_tried_again(context, draft, tries, clock)


def dropped_bars(context: Context, severity: float, rng: np.random.Generator) -> Draft:
    """Bars left out, the next one played in their place; a share of the bars (never first or last)."""
    bars = np.unique(context.group_bar)
    inner = rng.permutation(bars[1:-1])
    count = planned_count(severity, len(bars))
    if count > len(inner):
        raise InputError(
            context.performance.source or "performance",
            f"has {len(bars)} bars; {count} of the inner ones cannot be dropped",
            next_step="choose a lower severity or a longer performance",
        )
    is_gone = np.isin(context.group_bar, inner[:count])
    edges = np.flatnonzero(np.diff(is_gone.astype(int)))
    cuts = context.group_sec[edges + 1].reshape(-1, 2)
    gone_sec = np.concatenate(([0.0], np.cumsum(np.diff(cuts, axis=1))))
    new = np.repeat(cuts[:, 0] - gone_sec[:-1], 2)
    clock = TimeMap(cuts.ravel(), new)
    played = context.performance
    gone = np.flatnonzero(is_gone[context.group_of])
    onset = clock(played.onset_sec)
    draft = replace(
        Draft.of(played).on_clock(clock),
        onset_sec=onset,
        offset_sec=onset + (played.offset_sec - played.onset_sec),
    ).without(gone)
    last_gone = context.group_sec[edges.reshape(-1, 2)[:, 1]]
    spans = tuple(
        SpanEdit(
            "dropped_bars", float(at), float(at), float(a), float(b), context.bar_name(a), context.bar_name(z)
        )
        for at, (a, b), z in zip(new[::2], cuts, last_gone, strict=True)
    )
    edits = tuple(RowEdit("dropped", int(note), -1) for note in gone)
    return replace(draft, time_map=clock, spans=spans, edits=edits)


def _apart(context: Context, candidates: list[_Stumble], a_minute: float) -> list[_Stumble]:
    """The first so many stumbles that keep their distance from each other, in order of time."""
    count = max(1, round(a_minute * context.minutes))
    taken: list[_Stumble] = []
    is_near = np.zeros(context.n_groups + 2 * _APART_GROUPS, dtype=bool)
    for stumble in candidates:
        if len(taken) == count:
            break
        # One group more than apart on either side, in an array that begins that much earlier.
        if not is_near[stumble.back_to + _APART_GROUPS : stumble.broken_off + _APART_GROUPS + 1].any():
            is_near[stumble.back_to : stumble.broken_off + 2 * _APART_GROUPS + 1] = True
            taken.append(stumble)
    if len(taken) < count:
        raise InputError(
            context.performance.source or "performance",
            f"has room for {len(taken)} stumbles; {count} are asked for",
            next_step="choose a lower severity or a longer performance",
        )
    return sorted(taken, key=lambda s: s.broken_off)


def _goes_back_to(context: Context, back_beats: FloatArray, back_groups: IntArray) -> IntArray:
    """(G,) the group from which a player who breaks off before each group plays again."""
    group = np.arange(context.n_groups)
    if context.group_beat is None:
        return np.maximum(group - back_groups, 0)
    beat = np.maximum.accumulate(context.group_beat)
    start = np.searchsorted(beat, beat - back_beats - 1e-3, side="left")
    return np.maximum(np.minimum(start, group - BACK_GROUPS[0]), 0)


def _first_tries(context: Context, stumbles: list[_Stumble]) -> list[_FirstTry]:
    tries, shift_sec = [], 0.0
    for stumble in stumbles:
        start, end = (float(context.group_sec[g]) for g in (stumble.back_to, stumble.broken_off))
        tries.append(_FirstTry(stumble, start, end - start, shift_sec))
        shift_sec += tries[-1].inserted_sec
    return tries


def _jump_map(jumps: list[tuple[float, float]]) -> TimeMap:
    """The clock that stops for so many seconds at each of some times."""
    old = np.repeat(np.array([at for at, _ in jumps]), 2)
    length = np.array([sec for _, sec in jumps])
    before = np.concatenate(([0.0], np.cumsum(length)[:-1]))
    return TimeMap(old, old + np.column_stack((before, before + length)).ravel())


def _with_first_try(context: Context, draft: Draft, first: _FirstTry, clock: TimeMap) -> Draft:
    """Add the notes that are given up, and let go of what was held when they were broken off."""
    played, stumble = context.performance, first.stumble
    let_go = first.break_sec + _LET_GO_SEC
    inside = (context.group_of >= stumble.back_to) & (context.group_of < stumble.broken_off)
    notes = np.flatnonzero(inside)
    first_row = len(draft.onset_sec)
    offset = draft.offset_sec.copy()
    earlier = draft.onset_sec < first.start_sec + first.shift_sec
    offset[earlier] = np.minimum(offset[earlier], let_go)
    tries = replace(draft, offset_sec=offset).with_notes(
        played.onset_sec[notes] + first.shift_sec,
        np.minimum(played.offset_sec[notes] + first.shift_sec, let_go),
        played.pitch[notes],
        played.velocity[notes],
    )
    edits = tuple(RowEdit("given_up", int(note), first_row + k) for k, note in enumerate(notes))
    last_tried = float(context.group_sec[stumble.broken_off - 1])
    span = SpanEdit(
        "restart",
        first.start_sec + first.shift_sec,
        float(clock(first.start_sec)),
        first.start_sec,
        float(context.group_sec[stumble.broken_off]),
        context.bar_name(first.start_sec),
        context.bar_name(last_tried),
    )
    return replace(tries, edits=draft.edits + edits, spans=(*draft.spans, span))


def _with_pedals_tried_again(context: Context, draft: Draft, tries: list[_FirstTry], clock: TimeMap) -> Draft:
    played = context.performance
    sustain, sostenuto, soft = (
        _pedal_tried_again(curve, tries, clock) for curve in (played.sustain, played.sostenuto, played.soft)
    )
    return replace(draft, sustain=sustain, sostenuto=sostenuto, soft=soft)


def _pedal_tried_again(curve: PedalCurve, tries: list[_FirstTry], clock: TimeMap) -> PedalCurve:
    """A pedal through all first tries: let go at each break, and taken again as it was at the start."""
    times, values = [clock(curve.time_sec)], [curve.value]
    for first in tries:
        start = first.start_sec
        inside = (curve.time_sec >= start) & (curve.time_sec < start + first.tried_sec)
        # At the very start of the second try the position of before it comes first, then its own step.
        before = curve.value[curve.time_sec < start]
        position = before[-1] if len(before) else 0.0
        times += [curve.time_sec[inside] + first.shift_sec, np.array([first.break_sec + _LET_GO_SEC])]
        values += [curve.value[inside], np.zeros(1)]
        times.append(np.array([float(clock(start)) - 1e-3]))
        values.append(np.array([position]))
    time, value = np.concatenate(times), np.concatenate(values)
    order = np.argsort(time, kind="stable")
    return pedal_of_steps(time[order], value[order])
