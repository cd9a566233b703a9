"""Tries that were given up at a stop: the player halts, and strikes the same keys again.

Two chords are enough to hear it, where the way through the score, which may waver by as much, needs more
to tell a restart from hands that are not together. What is struck before the stop and after it is compared
key by key; the score says whether both are written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from tocco.music.matching.chords import PlayedNotes
from tocco.music.matching.path import is_after_stop
from tocco.music.matching.structure import Retry, Walk, extent
from tocco.music.matching.trills import keeps_a_trill_going
from tocco.units import BoolArray, IntArray

_CHORD_SEC = 0.05
"""Keys struck closer than this are one chord; those of a struck chord spread over 30 ms (Goebl, 2001)."""

_MIN_CHORDS = 2
"""A single chord that is struck again is a doubled one."""

_MAX_CHORDS = 48
"""Longer tries are plain from the way through the score."""

_STRAY_COST = 2.0
"""In keys that agree, of one that does not: two thirds of the keys of both tries agree."""

_UNWRITTEN_SHARE = 0.8
"""Of the keys struck again, so many find no note of their own: else the repetition is written."""


def find_stopped_tries(walk: Walk, played: PlayedNotes) -> tuple[Retry, ...]:
    """The tries that end in a stop and are played again from their first chord on.

    Parameters
    ----------
    walk : of the performance
    played : the performance

    Returns
    -------
    In order of playing; none shares a note with another.
    """
    counts = ~keeps_a_trill_going(played)
    starts = np.flatnonzero(np.diff(played.onset_sec, prepend=-np.inf) > _CHORD_SEC)
    edges = np.append(starts, len(played)).tolist()
    keys = _Keys(
        edge=edges,
        chord=[frozenset(played.pitch[a:b].tolist()) for a, b in pairwise(edges)],
        counted=np.concatenate([[0], np.cumsum(counts)]),
        spare=np.concatenate([[0], np.cumsum(counts & ~_has_own_note(walk))]),
    )
    found: list[Retry] = []
    for stop in np.flatnonzero(is_after_stop(played)[starts]).tolist():
        floor = found[-1].last_note + 1 if found else 0
        length = _repeated_chords(keys, stop, floor)
        if length:
            # A note just before the try may sound like one of its first chord.
            begin, last = edges[stop - length], edges[stop] - 1
            first = begin + int(
                np.argmax(np.isin(played.pitch[begin : last + 1], played.pitch[last + 1 : edges[stop + 1]]))
            )
            found.append(Retry(first, last, *extent(walk, first, last)))
    return tuple(found)


@dataclass(frozen=True, eq=False)
class _Keys:
    """The performance chord by chord.

    Attributes
    ----------
    edge : (C + 1,) index into the performance: chord c holds notes edge[c] to edge[c + 1]
    chord : (C,) the keys of each
    counted, spare : (N + 1,) how many of the notes before each count, and are without a note of their own
    """

    edge: list[int]
    chord: list[frozenset[int]]
    counted: IntArray
    spare: IntArray


def _repeated_chords(keys: _Keys, stop: int, floor: int) -> int:
    """How many chords before a stop are struck again after it; 0 for none."""
    chord, edge = keys.chord, keys.edge
    best, best_worth = 0, 0.0
    for length in range(_MIN_CHORDS, min(_MAX_CHORDS, stop, len(chord) - stop) + 1):
        first = stop - length
        if edge[first] < floor:
            break
        if not (chord[first] & chord[stop] and chord[first + 1] & chord[stop + 1]):
            continue
        before, after = chord[first:stop], chord[stop : stop + length]
        agree = 2 * sum(len(one & other) for one, other in zip(before, after, strict=True))
        stray = sum(map(len, before)) + sum(map(len, after)) - agree
        worth = agree - _STRAY_COST * stray
        end = edge[min(stop + 2 * length, len(chord))]
        if worth > best_worth and _is_unwritten(keys, edge[first], edge[stop], edge[stop + length], end):
            best, best_worth = length, worth
    return best


def _is_unwritten(keys: _Keys, start: int, again: int, stop: int, end: int) -> bool:
    """Whether of two tries one is not in the score: as many notes lack their own, up to a little later."""
    struck_twice = min(keys.counted[again] - keys.counted[start], keys.counted[stop] - keys.counted[again])
    return bool(keys.spare[end] - keys.spare[start] >= max(_UNWRITTEN_SHARE * struck_twice, _MIN_CHORDS))


def _has_own_note(walk: Walk) -> BoolArray:
    """(N,) whether a note is written where the player is, and is the first that is struck for it."""
    hits = np.flatnonzero(walk.hit)
    written = walk.pitch[hits] * (int(walk.way.max()) + 1) + walk.way[hits]
    _, first = np.unique(written, return_index=True)
    own = np.zeros(len(walk.way), dtype=bool)
    own[hits[first]] = True
    return own


def dispensable(
    tries: tuple[Retry, ...], stroke_with: IntArray, stroke_without: IntArray, share: float
) -> tuple[Retry, ...]:
    """The tries that the page does without: its notes find their strokes elsewhere.

    Parameters
    ----------
    tries : that may have been given up
    stroke_with, stroke_without : (S,) index into the performance, -1 for none
        The stroke of each written note if all was meant to count, and if none of the tries was.
    share : 0..1
        So many of the notes of a try may be missed.
    """
    lost = stroke_with[(stroke_with >= 0) & (stroke_without < 0)]
    won = stroke_without[(stroke_with < 0) & (stroke_without >= 0)]
    kept = []
    for retry in tries:
        size = retry.last_note - retry.first_note + 1
        low, high = retry.first_note - size, retry.last_note + 2 * size
        around = [((note >= low) & (note <= high)).sum() for note in (lost, won)]
        if around[0] - around[1] <= share * size:
            kept.append(retry)
    return tuple(kept)


def side_by_side(stopped: Sequence[Retry], further: Sequence[Retry]) -> tuple[Retry, ...]:
    """All tries in order of playing; one within another belongs to that one.

    Parameters
    ----------
    stopped : tries that end in a stop
    further : tries found without their notes, which may therefore reach around them

    Returns
    -------
    None shares a note with another.
    """
    alone = [
        retry
        for retry in stopped
        if not any(one.first_note <= retry.first_note and retry.last_note <= one.last_note for one in further)
    ]
    return tuple(sorted((*alone, *further), key=lambda retry: retry.first_note))
