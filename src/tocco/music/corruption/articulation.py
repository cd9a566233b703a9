"""Clipped and smeared articulation: keys left too early or too late. Onsets, levels, pedal stay."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from tocco.music.corruption.context import Context
from tocco.music.corruption.draft import MIN_STRIKE_SEC, Draft, RowEdit
from tocco.units import FloatArray

SHORTEST_SEC: Final = 0.03
"""No touch is shorter: the key has to reach its bed and come back."""
IOI_RANGE_SEC: Final = (0.08, 1.0)
"""Spacing of the notes by which keys overlap, kept to what a hand can hold on to."""


def clipped_articulation(context: Context, severity: float, rng: np.random.Generator) -> Draft:
    """Keys let go too early; share of each note's length that is lost."""
    del rng  # every corruption has one signature, and this one leaves nothing to chance
    played = context.performance
    length = played.offset_sec - played.onset_sec
    shorter = np.maximum((1.0 - severity) * length, np.minimum(length, SHORTEST_SEC))
    return _released_at(context, played.onset_sec + shorter)


def smeared_articulation(context: Context, severity: float, rng: np.random.Generator) -> Draft:
    """Keys held into the notes that follow; overlap, as a share of the notes' spacing there.

    A key that was let go before the next chord or note stays down until that is struck (a detached
    touch with less of a gap would be no smear), and all of them by the overlap longer. Where the next is
    more than a second away, its silence stays; a key that is to be struck again is let go 30 ms before.
    The ladder starts at a quarter: four in five single notes of a melody are held for up to 1.2 to 1.4 of
    what is written (`tocco.pseudo_labels.norms.touch`), so that less is still a legato (Repp 1995).
    """
    del rng  # as above
    played = context.performance
    following = np.append(context.group_sec[1:], np.inf)[context.group_of]
    is_near = following - played.offset_sec < IOI_RANGE_SEC[1]
    joined = np.where(is_near, np.maximum(played.offset_sec, following), played.offset_sec)
    longer = joined + severity * _spacing_at(context, joined)
    order = np.lexsort((played.onset_sec, played.pitch))
    before, after = order[:-1], order[1:]
    again = played.pitch[before] == played.pitch[after]
    before, after = before[again], after[again]
    limit = np.maximum(played.onset_sec[after] - MIN_STRIKE_SEC, played.offset_sec[before])
    longer[before] = np.minimum(longer[before], limit)
    return _released_at(context, longer)


def _spacing_at(context: Context, sec: FloatArray) -> FloatArray:
    """(K,) seconds between the chords or notes on either side of each time."""
    ioi = np.diff(context.group_sec)
    if len(ioi) == 0:
        return np.full(len(sec), IOI_RANGE_SEC[1])
    # A legato key is let go about when the next goes down: what counts is the spacing from there on.
    place = np.searchsorted(context.group_sec, sec - 0.05, side="left")
    return np.clip(ioi[np.clip(place, 0, len(ioi) - 1)], *IOI_RANGE_SEC)


def _released_at(context: Context, offset_sec: FloatArray) -> Draft:
    played = context.performance
    change = offset_sec - played.offset_sec
    shorter, longer = np.flatnonzero(change < 0).tolist(), np.flatnonzero(change > 0).tolist()
    edits = (
        *(RowEdit("shortened", note, note) for note in shorter),
        *(RowEdit("lengthened", note, note) for note in longer),
    )
    return replace(Draft.of(played), offset_sec=offset_sec, edits=edits)
