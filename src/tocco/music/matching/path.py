"""The way that the player took through the score: one onset group for every played note.

Finding the longest common thread of performance and score, chord by chord: a played note that stands in
its group earns a point. Going forward costs nothing but the points of what is passed over; going back
costs by distance up to the price of a jump, which is what a restart is. The notes of a chord may come in
any order, because a group may be left and re-entered cheaply.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import median_filter

from tocco.music.matching.chords import OnsetGroups, PlayedNotes
from tocco.music.matching.corridor import Corridor
from tocco.music.matching.shakes import keeps_a_trill_going
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

TRILL_WORTH = 0.1
"""In matched notes, of a note that only keeps a trill going. Else a long trill would wander through the piece
in search of its two keys."""

SPREAD_SEC = 0.06
"""Notes closer than this may well be one chord."""


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
    """

    ahead: FloatArray
    behind: FloatArray
    far: FloatArray
    to_next: FloatArray

    @classmethod
    def of(cls, columns: IntArray) -> _Prices:
        place = columns.astype(float)
        to_next = np.where(np.diff(columns) == 1, FORWARD_COST, np.inf)
        return cls(FORWARD_COST * place, BACK_COST * place, FAR_COST * place, to_next)


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
    rows: list[FloatArray] = []
    worth = np.zeros(0)
    columns = np.zeros(0, dtype=np.int64)
    for block, open_groups in enumerate(corridor.open_groups):
        worth = _carry_over(worth, columns, open_groups)
        columns = open_groups
        prices = _Prices.of(columns)
        holds = groups.holds_pitch[:, columns].astype(float)
        for note in range(corridor.first_note[block], corridor.first_note[block + 1]):
            come = _arrive(worth, prices, costs, note) if note else np.zeros(len(columns))
            worth = come + note_worth[note] * holds[played.pitch[note]]
            rows.append(worth)
    return _trace_back(rows, corridor, costs)


def _carry_over(worth: FloatArray, columns: IntArray, open_groups: IntArray) -> FloatArray:
    """The worth of each place on the next block's columns; a place not open before has none."""
    carried = np.full(len(open_groups), -np.inf)
    if len(columns) == 0:
        return np.zeros(len(open_groups))
    at = np.searchsorted(open_groups, columns)
    at[at == len(open_groups)] = 0
    stays = open_groups[at] == columns
    carried[at[stays]] = worth[stays]
    if not stays.any():
        carried[0] = worth.max()
    return carried


def is_after_stop(played: PlayedNotes) -> BoolArray:
    """(N,) whether the player halted before a note for long enough to be noticed."""
    return _back_share(played, keeps_a_trill_going(played)) < 1.0


def _back_share(played: PlayedNotes, in_trill: BoolArray) -> FloatArray:
    """(N,) what is left of the price of going back, by how long the player paused before a note."""
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


def _arrive(worth: FloatArray, prices: _Prices, costs: _Costs, note: int) -> FloatArray:
    """Best worth with which the next note can find the player at each place."""
    share = costs.back_share[note]
    jump_cost = JUMP_COST * share
    ahead, far = prices.ahead, prices.far
    come = worth - costs.stay[note]
    jump_back = np.maximum.accumulate((worth - far)[::-1])[::-1]
    np.maximum(come, jump_back + (far - jump_cost), out=come)
    if ahead[-1] - ahead[0] > jump_cost:
        jump_on = np.maximum.accumulate(worth + far)
        np.maximum(come, jump_on - (far + jump_cost), out=come)
    forward = np.maximum.accumulate(worth + ahead)
    np.maximum(come[1:], worth[:-1] - prices.to_next, out=come[1:])
    np.maximum(come[1:], forward[:-1] - (ahead[1:] + PASS_OVER_COST), out=come[1:])
    behind = share * prices.behind
    back = np.maximum.accumulate((worth - behind)[::-1])[::-1]
    np.maximum(come[:-1], back[1:] + (behind[:-1] - costs.turn[note]), out=come[:-1])
    return come


def _trace_back(rows: list[FloatArray], corridor: Corridor, costs: _Costs) -> IntArray:
    """Read the best way from its end to its start."""
    way = np.zeros(len(rows), dtype=np.int64)
    block = len(corridor.open_groups) - 1
    way[-1] = corridor.open_groups[block][np.argmax(rows[-1])]
    for note in range(len(rows) - 2, -1, -1):
        while note < corridor.first_note[block]:
            block -= 1
        columns = corridor.open_groups[block]
        step = way[note + 1] - columns
        share = costs.back_share[note + 1]
        back_cost = costs.turn[note + 1] - BACK_COST * share * step
        cost = np.where(step > 0, FORWARD_COST * step + PASS_OVER_COST, back_cost)
        cost[step == 0] = costs.stay[note + 1]
        cost[step == 1] = FORWARD_COST
        np.minimum(cost, JUMP_COST * share + FAR_COST * np.abs(step), out=cost)
        way[note] = columns[np.argmax(rows[note] - cost)]
    return way
