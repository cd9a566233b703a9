"""The way that the player took through the score: one onset group for every played note.

Finding the longest common thread of performance and score, chord by chord: a played note that stands in
its group earns a point, once while the player stands there. Going forward costs nothing but the points of
what is passed over, and a little where it comes at another time than the tempo has it; going back costs by
distance up to the price of a jump, which is what a restart is. The notes of a chord may come in any order,
because a group may be left and re-entered cheaply.

What a note earns depends on the way that led to it: each place remembers when the best way to it came there
(a Viterbi search that looks back along its survivors; Raheli, Polydoros and Tzou, 1995, "Per-survivor
processing", IEEE Transactions on Communications 43).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tocco.music.matching.chords import OnsetGroups, PlayedNotes
from tocco.music.matching.corridor import Corridor
from tocco.music.matching.trills import keeps_a_trill_going
from tocco.units import BoolArray, FloatArray, IntArray

FORWARD_COST = 0.02
"""For each group gone forward; keeps a chord together where nothing else decides."""

PASS_OVER_COST = 0.4
"""For passing over groups, however many: one long skip is likelier than several short ones."""

BACK_COST = 0.45
"""For each group gone back over; two hands that are not together differ by a group or two."""

TURN_COST = 0.8
"""For turning back after more than a chord's spread: a restart turns once, and then plays forward."""

JUMP_COST = 9.0
"""In matched notes. Lower, and a wrong note would be sought elsewhere in the piece."""

FAR_COST = 0.004
"""For each group of a jump: of two places with the same music, the nearer one."""

STOP_SHARE = 0.5
"""What is left of the price of going back after a stop: a player who restarts stops first."""

_STOP_GAPS = (1.25, 4.0)
_STOP_SEC = 0.3
"""A gap of so many usual ones begins to be a stop, and is one: the price falls between the two. It has to be
long enough to be noticed."""

_USUAL_GAP_NOTES = 31

STAY_COST = 0.3
"""For striking on in the same group after more than a chord's spread."""

EARLY_COST = 0.3
LATE_COST = 0.05
"""For going on to the next group much earlier or later than the tempo would have it. A repetition that is
missing, or one too many, differs from its neighbours in nothing else."""

_OFF_SHARES = (0.25, 0.75)
_OFF_SEC = 0.06
"""A step off by so much of its due time (and this many seconds) begins to cost, and costs in full."""

_OFF_AT = (-_OFF_SHARES[1], -_OFF_SHARES[0], _OFF_SHARES[0], _OFF_SHARES[1])
_OFF_COSTS = (EARLY_COST, 0.0, 0.0, LATE_COST)

_PACE_SHARE = 0.1
_PACE_BOUNDS = (-0.5, 1.0)
"""A step brings the tempo a tenth of the way to its own, so at most 5 % faster or 10 % slower."""

_LONG_GAPS = 4.0
"""Of a pause, so many usual gaps count for the tempo that a player is first looked for with."""

TRILL_WORTH = 0.1
"""In matched notes, of a note that only keeps a trill going. Else a long trill would wander through the piece
in search of its two keys."""

SPREAD_SEC = 0.06
"""Notes closer than this may well be one chord."""

SOON_SHARE = 0.5
_SOON_SEC = 0.35
"""A key struck again before this share of the time to the next group is a stroke too many, and tells of no
place; unless it took this long, and may be a new try."""

_REGULAR_RATIO = 1.25
"""Nor is a stroke too many if the key's time since the last stroke, and to the last or next, are so alike."""

_SOON_PACE = 0.85
"""What is left of the seconds a beat after such a stroke: many of them are a tempo that has quickened."""

SOON_WORTH = 0.1
"""In matched notes, of such a stroke. Else it would be taken for the key's next repetition."""

_FAR, _NEXT, _STAY = range(3)
"""How a note found the player: by a skip, a turn or a jump; at the next group; or where he was."""


@dataclass(frozen=True, eq=False)
class _Costs:
    """What depends on the gap before each note: staying, turning, the share of the price of going back."""

    stay: FloatArray
    turn: FloatArray
    back_share: FloatArray


@dataclass(frozen=True, eq=False)
class _Prices:
    """What depends on where in the score one stands; a move costs the difference between two places.

    Attributes
    ----------
    ahead, behind, far : (W,) of going forward, of going back before its share, of a jump
    to_next : (W - 1,) to the next column; endless where groups between are closed
    beats : (W - 1,) beats to the next column
    """

    ahead: FloatArray
    behind: FloatArray
    far: FloatArray
    to_next: FloatArray
    beats: FloatArray

    @classmethod
    def of(cls, columns: IntArray, onset_beat: FloatArray) -> _Prices:
        place = columns.astype(float)
        return cls(
            FORWARD_COST * place,
            BACK_COST * place,
            FAR_COST * place,
            np.where(np.diff(columns) == 1, FORWARD_COST, np.inf),
            np.diff(onset_beat[columns]),
        )


@dataclass(eq=False)
class _Stand:
    """The best way to each open place, and what of it the next step depends on.

    Attributes
    ----------
    columns : (W,) onset groups
    worth : (W,) in matched notes
    since : (W,) the note that found the player here first
    pace : (W,) seconds a beat, smoothed; where a player comes from afar, that of the best place
    """

    columns: IntArray
    worth: FloatArray
    since: IntArray
    pace: FloatArray

    def is_soon(self, best: int, again_sec: float, prices: _Prices) -> bool:
        """Whether a key is struck again long before the next group is due, from the place that is best."""
        if best == len(prices.beats):
            return False
        return again_sec < min(SOON_SHARE * prices.beats[best] * self.pace[best], _SOON_SEC)

    def carried_to(self, columns: IntArray, note: int) -> _Stand:
        """The same on the columns of the next block; a place not open before has no way to it yet."""
        at = np.minimum(np.searchsorted(self.columns, columns), len(self.columns) - 1)
        stays = self.columns[at] == columns
        best = int(self.worth.argmax())
        return _Stand(
            columns,
            np.where(stays, self.worth[at], -np.inf),
            np.where(stays, self.since[at], note),
            np.where(stays, self.pace[at], self.pace[best]),
        )


def follow(groups: OnsetGroups, played: PlayedNotes, corridor: Corridor) -> IntArray:
    """The onset group in which the player is at each played note.

    Parameters
    ----------
    groups : of the score
    played : at least one note
    corridor : where to look

    Returns
    -------
    (N,) index of a group; the note may or may not be written there
    """
    gap_sec = np.diff(played.onset_sec, prepend=played.onset_sec[0])
    in_trill = keeps_a_trill_going(played)
    note_worth = np.where(in_trill, TRILL_WORTH, 1.0)
    is_apart = np.clip(gap_sec / SPREAD_SEC - 1.0, 0.0, 1.0)
    costs = _Costs(
        stay=STAY_COST * is_apart,
        turn=TURN_COST * is_apart,
        back_share=_back_share(played, in_trill),
    )
    last_stroke = _last_stroke(played)
    again_sec = np.where(last_stroke >= 0, played.onset_sec - played.onset_sec[last_stroke], np.inf)
    is_single = ~_is_regular(again_sec, last_stroke)
    rows: list[FloatArray] = []
    steps: list[IntArray] = []
    stand = _at_start(corridor.open_groups[0], groups, played)
    for block, columns in enumerate(corridor.open_groups):
        stand = stand.carried_to(columns, corridor.first_note[block])
        prices = _Prices.of(columns, groups.onset_beat)
        groups_of = groups.holds_pitch[:, columns]
        for note in range(corridor.first_note[block], corridor.first_note[block + 1]):
            before, best = last_stroke[note], int(stand.worth.argmax())
            if is_single[note] and stand.is_soon(best, again_sec[note], prices):
                note_worth[note] = min(note_worth[note], SOON_WORTH)
                stand.pace = _SOON_PACE * stand.pace
            holds = groups_of[played.pitch[note]]
            if note:
                is_again = holds & (stand.since <= before)
                stay_cost = np.where(is_again, note_worth[note], costs.stay[note])
                steps.append(_advance(stand, prices, costs, stay_cost, played.onset_sec, note, best))
            stand.worth = stand.worth + note_worth[note] * holds
            rows.append(stand.worth)
    return _trace_back(rows, steps, corridor, costs)


def _at_start(columns: IntArray, groups: OnsetGroups, played: PlayedNotes) -> _Stand:
    """Anywhere, at the usual tempo: by the count of notes, as if without tries, skips and pauses."""
    beats = float(groups.onset_beat[-1] - groups.onset_beat[0])
    gap_sec = np.diff(played.onset_sec)
    apart_sec = gap_sec[gap_sec > SPREAD_SEC]
    pace = 0.0
    if beats > 0.0 and len(apart_sec):
        took_sec = np.minimum(gap_sec, _LONG_GAPS * np.median(apart_sec)).sum()
        pace = float(took_sec / len(played) * groups.first_note[-1] / beats)
    return _Stand(
        columns,
        np.zeros(len(columns)),
        np.zeros(len(columns), dtype=np.int64),
        np.full(len(columns), pace),
    )


def _last_stroke(played: PlayedNotes) -> IntArray:
    """(N,) index of the note that struck the same key last; -1 for none."""
    order = np.argsort(played.pitch, kind="stable")
    again = np.diff(played.pitch[order]) == 0
    last = np.full(len(played), -1, dtype=np.int64)
    last[order[1:][again]] = order[:-1][again]
    return last


def _is_regular(again_sec: FloatArray, last_stroke: IntArray) -> BoolArray:
    """(N,) whether a note goes on with an even repetition of its key, or begins one.

    Parameters
    ----------
    again_sec : (N,) seconds since the last stroke of the same key; endless for none
    last_stroke : (N,) index of that stroke; -1 for none
    """
    again = np.flatnonzero(last_stroke >= 0)
    ratio = np.full(len(again_sec), np.inf)
    ratio[again] = again_sec[again] / np.maximum(again_sec[last_stroke[again]], 1e-9)
    regular = (ratio <= _REGULAR_RATIO) & (ratio >= 1.0 / _REGULAR_RATIO)
    begins = np.zeros(len(again_sec), dtype=bool)
    begins[last_stroke[regular]] = True
    return regular | begins


def is_after_stop(played: PlayedNotes) -> BoolArray:
    """(N,) whether the player halted before a note for long enough to be noticed."""
    return _back_share(played, keeps_a_trill_going(played)) < 1.0


def _back_share(played: PlayedNotes, in_trill: BoolArray) -> FloatArray:
    """(N,) what is left of the price of going back, by how long the player paused before a note."""
    from scipy.ndimage import median_filter

    gap_sec = np.diff(played.onset_sec, prepend=played.onset_sec[0])
    apart = np.where((gap_sec > SPREAD_SEC) & ~in_trill, gap_sec, np.nan)
    known = np.flatnonzero(~np.isnan(apart))
    if len(known) == 0:
        return np.ones(len(gap_sec))
    usual = np.interp(
        np.arange(len(gap_sec)), known, median_filter(apart[known], _USUAL_GAP_NOTES, mode="nearest")
    )
    share = np.interp(gap_sec / usual, _STOP_GAPS, (1.0, STOP_SHARE))
    return np.where(gap_sec > _STOP_SEC, share, 1.0)


def _advance(
    stand: _Stand,
    prices: _Prices,
    costs: _Costs,
    stay_cost: FloatArray,
    onset_sec: FloatArray,
    note: int,
    best: int,
) -> IntArray:
    """Let the next note find the player at each place, but for what it earns there; tell by which step.

    Parameters
    ----------
    stand : is brought up to date
    prices, costs
    stay_cost : (W,)
        What a note earns that its group has earned before: it may be a note too many. Else that of staying.
    onset_sec : (N,) seconds
    note : index
    best : the place with the best way so far

    Returns
    -------
    (W,) the step that led to each place
    """
    worth, since, pace = stand.worth, stand.since, stand.pace
    due_sec = prices.beats * pace[:-1]
    took_sec = onset_sec[note] - onset_sec[since[:-1]]
    off = (took_sec - due_sec) / (due_sec + _OFF_SEC)
    by_next = worth[:-1] - prices.to_next - np.interp(off, _OFF_AT, _OFF_COSTS)
    come = _come_from_afar(worth, prices, costs, note)
    is_next = by_next >= come[1:]
    np.maximum(come[1:], by_next, out=come[1:])
    stay = worth - stay_cost
    stays = stay >= come
    step = np.zeros(len(worth), dtype=np.int8)
    step[1:] = is_next
    step[stays] = _STAY
    share = _PACE_SHARE * np.minimum(np.maximum(off, _PACE_BOUNDS[0]), _PACE_BOUNDS[1])
    new_pace = np.full(len(worth), pace[best])
    np.copyto(new_pace[1:], pace[:-1] * (1.0 + share), where=is_next)
    stand.pace = np.where(stays, pace, new_pace)
    stand.since = np.where(stays, since, note)
    stand.worth = np.maximum(come, stay, out=come)
    return step


def _come_from_afar(worth: FloatArray, prices: _Prices, costs: _Costs, note: int) -> FloatArray:
    """Best worth with which a note can find the player at each place by a skip, a turn or a jump."""
    share = costs.back_share[note]
    jump_cost = JUMP_COST * share
    ahead, far = prices.ahead, prices.far
    come = np.maximum.accumulate((worth - far)[::-1])[::-1] + (far - jump_cost)
    if ahead[-1] - ahead[0] > jump_cost:
        jump_on = np.maximum.accumulate(worth + far)
        np.maximum(come, jump_on - (far + jump_cost), out=come)
    forward = np.maximum.accumulate(worth + ahead)
    np.maximum(come[1:], forward[:-1] - (ahead[1:] + PASS_OVER_COST), out=come[1:])
    behind = share * prices.behind
    back = np.maximum.accumulate((worth - behind)[::-1])[::-1]
    np.maximum(come[:-1], back[1:] + (behind[:-1] - costs.turn[note]), out=come[:-1])
    return come


def _trace_back(rows: list[FloatArray], steps: list[IntArray], corridor: Corridor, costs: _Costs) -> IntArray:
    """Read the best way from its end to its start."""
    way = np.zeros(len(rows), dtype=np.int64)
    block = len(corridor.open_groups) - 1
    at = int(np.argmax(rows[-1]))
    way[-1] = corridor.open_groups[block][at]
    for note in range(len(rows) - 2, -1, -1):
        step = steps[note][at]
        while note < corridor.first_note[block]:
            block -= 1
        columns = corridor.open_groups[block]
        if step == _FAR:
            worth = rows[note] - _far_cost(way[note + 1] - columns, costs, note + 1)
            if note + 1 == corridor.first_note[block + 1] and block + 1 < len(corridor.open_groups):
                worth[~np.isin(columns, corridor.open_groups[block + 1])] = -np.inf
            at = int(np.argmax(worth))
        else:
            at = int(np.searchsorted(columns, way[note + 1] - (step == _NEXT)))
        way[note] = columns[at]
    return way


def _far_cost(step: IntArray, costs: _Costs, note: int) -> FloatArray:
    """(W,) of coming by so many groups from each place, other than by staying."""
    share = costs.back_share[note]
    back_cost = costs.turn[note] - BACK_COST * share * step
    cost = np.where(step > 0, FORWARD_COST * step + PASS_OVER_COST, back_cost)
    cost[step == 0] = np.inf
    return np.minimum(cost, JUMP_COST * share + FAR_COST * np.abs(step))
