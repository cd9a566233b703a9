"""Which way through the repeats was played."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tocco.music.matching.chords import PlayedNotes, WrittenNotes, group_onsets
from tocco.music.matching.corridor import find_corridor
from tocco.music.matching.path import follow
from tocco.units import IntArray


@dataclass(frozen=True, eq=False)
class Reading:
    """One way through a page.

    Attributes
    ----------
    written : the notes in the order in which they are to be played
    printed : (S,) number of the printed note behind each
        The same printed note has the same number in every reading and in every pass.
    """

    written: WrittenNotes
    printed: IntArray


def choose_reading(readings: Sequence[Reading], played: PlayedNotes) -> int:
    """Index of the reading that was played; of equals the first.

    The longest reading is followed, jumps allowed, and the printed places that were passed, in the order
    of playing, are compared with every reading.

    Parameters
    ----------
    readings : at least one
    played : at least one note
    """
    if len(readings) == 1:
        return 0
    longest = max(readings, key=lambda reading: len(reading.written))
    groups = group_onsets(longest.written)
    way = follow(groups, played, find_corridor(longest.written, groups, played))
    hit = groups.holds_pitch[played.pitch, way]
    passed = longest.printed[groups.first_note[way[hit]]]
    passed = passed[np.concatenate([[True], np.diff(passed) != 0])] if len(passed) else passed
    similarity = [_similarity(passed, reading) for reading in readings]
    return int(np.argmax(np.round(similarity, 9)))


def _similarity(passed: IntArray, reading: Reading) -> float:
    """Agreement of the places passed with those of a reading, 0..1: their longest common thread (F1)."""
    groups = group_onsets(reading.written)
    places = reading.printed[groups.first_note[:-1]]
    if len(passed) == 0:
        return 0.0
    return 2 * _common_thread(passed.tolist(), places.tolist()) / (len(passed) + len(places))


def _common_thread(first: list[int], second: list[int]) -> int:
    """Length of the longest common subsequence (Hunt and Szymanski, 1977)."""
    at: dict[int, list[int]] = {}
    for index, item in enumerate(second):
        at.setdefault(item, []).append(index)
    tails: list[int] = []
    for item in first:
        for index in reversed(at.get(item, ())):
            slot = bisect_left(tails, index)
            if slot == len(tails):
                tails.append(index)
            else:
                tails[slot] = index
    return len(tails)
