"""Detection of duplicate takes, and of the same music under two titles.

A recording that is twice in a corpus can be in training and test at once; so can a movement that is listed
with and without its repeats.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from tocco.music.performance import Performance
from tocco.units import IntArray

SAME_TAKE_SHARE: Final = 0.5
"""Minimum share of the shorter take's timed note runs for two files to count as one take.

In ASAP, one take under two names has 1.0, and two takes of one piece at most 0.02.
"""

SAME_MUSIC_SHARE: Final = 0.3
"""Minimum share of the shorter score's pitch runs for two scores to count as one piece.

In ASAP, two versions of a movement (with and without repeats) have 0.97 and more, and two pieces at
most 0.02.
"""

WRITTEN_RUN_NOTES: Final = 12
"""Notes in one run of a score. With 8, scales would count as common music."""

_ONSET_STEP_SEC = 0.001
# The odd multiplier of the splits' fingerprint (Knuth's, 2^64 / golden ratio).
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class Overlap:
    """Two names and the share of the shorter one's note runs that they have in common."""

    first: str
    second: str
    share: float


def written_runs(score: Performance) -> IntArray:
    """Fingerprint of a score that is independent of tempo: runs of pitches.

    Parameters
    ----------
    score
        A score MIDI as it would be played: notes of a chord start together.

    Returns
    -------
    (G,) uint64, ascending, distinct
        Hashes of runs of `WRITTEN_RUN_NOTES` pitches; none for a score with fewer notes.
    """
    order = np.lexsort((score.pitch, np.rint(score.onset_sec / _ONSET_STEP_SEC)))
    if len(order) < WRITTEN_RUN_NOTES:
        return np.zeros(0, dtype=np.uint64)
    runs = np.lib.stride_tricks.sliding_window_view(score.pitch[order].astype(np.uint64), WRITTEN_RUN_NOTES)
    hashed = np.zeros(len(runs), dtype=np.uint64)
    for column in runs.T:
        hashed = (hashed ^ column) * _MULTIPLIER
        hashed ^= hashed >> np.uint64(29)
    return np.unique(hashed)


def overlaps(runs_of: Mapping[str, IntArray], share: float) -> tuple[Overlap, ...]:
    """All pairs of names that share at least this fraction of their runs, in order of the names.

    Parameters
    ----------
    runs_of : name -> (G,) distinct hashes
    share : 0 < share <= 1
    """
    names = sorted(name for name, runs in runs_of.items() if len(runs))
    if len(names) < 2:
        return ()
    size = np.array([len(runs_of[name]) for name in names], dtype=float)
    every = np.concatenate([runs_of[name] for name in names])
    vocabulary, columns = np.unique(every, return_inverse=True)
    starts = np.concatenate([[0], np.cumsum(size)]).astype(np.int64)
    ones = np.ones(len(columns), dtype=np.int64)
    has = sparse.csr_array((ones, columns, starts), shape=(len(names), len(vocabulary)))
    common = sparse.triu(has @ has.T, k=1).tocoo()
    of_shorter = common.data / np.minimum(size[common.row], size[common.col])
    found = [
        Overlap(names[i], names[j], float(value))
        for i, j, value in zip(common.row, common.col, of_shorter, strict=True)
        if value >= share
    ]
    return tuple(sorted(found, key=lambda pair: (pair.first, pair.second)))


def clusters(names: Iterable[str], pairs: Sequence[Overlap | tuple[str, str]]) -> dict[str, str]:
    """Name -> the first name, in order, of its connected component.

    >>> clusters("abcd", [("d", "b"), ("b", "c")])
    {'a': 'a', 'b': 'b', 'c': 'b', 'd': 'b'}
    """
    ordered = sorted(set(names))
    index = {name: i for i, name in enumerate(ordered)}
    links = [(pair.first, pair.second) if isinstance(pair, Overlap) else pair for pair in pairs]
    rows, columns = [index[a] for a, _ in links], [index[b] for _, b in links]
    graph = sparse.coo_array((np.ones(len(links)), (rows, columns)), shape=(len(ordered), len(ordered)))
    _, group = csgraph.connected_components(graph, directed=False)
    first: dict[int, str] = {}
    for name, number in zip(ordered, group.tolist(), strict=True):
        first.setdefault(number, name)
    return {name: first[number] for name, number in zip(ordered, group.tolist(), strict=True)}
