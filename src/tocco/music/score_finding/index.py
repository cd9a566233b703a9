"""Index of the fingerprints of many scores, and where in them those of a performance are found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tocco.cache import Arrays
from tocco.music.score_finding.indexed_score import LAST_BITS, IndexedScore
from tocco.units import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class Hits:
    """Where fingerprints of a performance stand in scores.

    Attributes
    ----------
    asked : (H,) index of the fingerprint that was asked for
    count : (H,) places at which the same fingerprint stands in all scores
    score : (H,) index of the score
    first_beat, last_beat : (H,) beats of the unfolded score, of the first and the third note
    """

    asked: IntArray
    count: IntArray
    score: IntArray
    first_beat: FloatArray
    last_beat: FloatArray


@dataclass(frozen=True, eq=False)
class FingerprintIndex:
    """Fingerprints of many scores, by key.

    Attributes
    ----------
    key : (U,) ascending, each once
    start : (U + 1,) where the places of each key start
    place : (F,) as of `IndexedScore`, the groups of all scores counted on
    beat : (G,) of the groups of all scores
    score_start : (M + 1,) the first group of each score
    """

    key: IntArray
    start: IntArray
    place: IntArray
    beat: FloatArray
    score_start: IntArray

    @classmethod
    def of(cls, scores: Sequence[IndexedScore]) -> FingerprintIndex:
        """The index of some scores, in their order."""
        score_start = np.concatenate(([0], np.cumsum([len(one.group_beat) for one in scores]))).astype(
            np.int64
        )
        empty = np.zeros(0, dtype=np.uint32)
        keys = np.concatenate([empty, *(one.key for one in scores)])
        places = [one.place + (at << LAST_BITS) for one, at in zip(scores, score_start[:-1], strict=True)]
        order = np.argsort(keys, kind="stable")
        key, start = np.unique(keys[order], return_index=True)
        return cls(
            key=key.astype(np.uint32),
            start=np.append(start, len(keys)).astype(np.uint32),
            place=np.concatenate([empty, *places])[order].astype(np.uint32),
            beat=np.concatenate([np.zeros(0), *(one.group_beat for one in scores)]).astype(np.float32),
            score_start=score_start,
        )

    def arrays(self) -> Arrays:
        """The same, as named arrays for a file."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    @classmethod
    def of_arrays(cls, read: Callable[[str], np.ndarray]) -> FingerprintIndex:
        """The index of named arrays, each read by its name."""
        return cls(**{name: read(name) for name in cls.__dataclass_fields__})

    def hits(self, key: IntArray, *, most: int) -> Hits:
        """Where fingerprints stand.

        Parameters
        ----------
        key : (F,) of a performance
        most : places; a fingerprint that stands at more tells little, and is left out
        """
        at = np.searchsorted(self.key, key)
        known = np.flatnonzero(at < len(self.key))
        known = known[self.key[at[known]] == key[known]]
        first, end = (self.start[at[known] + side].astype(np.int64) for side in (0, 1))
        count = end - first
        rare = count <= most
        known, first, count = known[rare], first[rare], count[rare]
        asked = np.repeat(known, count)
        within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        place = self.place[np.repeat(first, count) + within].astype(np.int64)
        group = place >> LAST_BITS
        return Hits(
            asked=asked,
            count=np.repeat(count, count),
            score=np.searchsorted(self.score_start, group, side="right") - 1,
            first_beat=self.beat[group].astype(float),
            last_beat=self.beat[group + (place & ((1 << LAST_BITS) - 1))].astype(float),
        )
