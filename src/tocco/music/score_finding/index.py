"""Index of the fingerprints of many scores, and where in them those of a performance are found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tocco.music.score import Score
from tocco.music.score_finding.fingerprints import Groups, fingerprints
from tocco.units import FloatArray, IntArray

SCORE_AHEAD: Final = 2
"""Groups by which the notes of a fingerprint of a score lie apart, at most."""

SAME_ONSET_BEAT: Final = 0.02
"""Notes of a chord may be written apart by the rounding of ticks."""

_LAST_BITS: Final = 3
"""A place holds the group of the first note, and in so many bits how many groups later the third lies."""


@dataclass(frozen=True, eq=False)
class ScoreFingerprints:
    """Fingerprints of one score.

    Attributes
    ----------
    key, place : (F,) sorted by key; place is the first group times eight, plus the groups to the third
    beat : (G,) beats of the unfolded score, of each group
    """

    key: IntArray
    place: IntArray
    beat: FloatArray

    @classmethod
    def of(cls, score: Score) -> ScoreFingerprints:
        """Fingerprints of a reading of a score; small notes take no time in it and have none."""
        main = ~score.is_grace
        groups = Groups.of(score.onset_beat[main], score.pitch[main], apart=SAME_ONSET_BEAT)
        found = fingerprints(groups, ahead=SCORE_AHEAD)
        place = (found.first << _LAST_BITS) + found.last - found.first
        both = np.unique(np.stack([found.key, place], axis=1), axis=0)
        return cls(both[:, 0].astype(np.uint32), both[:, 1].astype(np.uint32), groups.time)


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
    place : (F,) as of `ScoreFingerprints`, the groups of all scores counted on
    beat : (G,) of the groups of all scores
    score_start : (M + 1,) the first group of each score
    """

    key: IntArray
    start: IntArray
    place: IntArray
    beat: FloatArray
    score_start: IntArray

    @classmethod
    def of(cls, scores: Sequence[ScoreFingerprints]) -> FingerprintIndex:
        """The index of some scores, in their order."""
        score_start = np.concatenate(([0], np.cumsum([len(one.beat) for one in scores]))).astype(np.int64)
        empty = np.zeros(0, dtype=np.uint32)
        keys = np.concatenate([empty, *(one.key for one in scores)])
        places = [one.place + (at << _LAST_BITS) for one, at in zip(scores, score_start[:-1], strict=True)]
        order = np.argsort(keys, kind="stable")
        key, start = np.unique(keys[order], return_index=True)
        return cls(
            key=key.astype(np.uint32),
            start=np.append(start, len(keys)).astype(np.uint32),
            place=np.concatenate([empty, *places])[order].astype(np.uint32),
            beat=np.concatenate([np.zeros(0), *(one.beat for one in scores)]).astype(np.float32),
            score_start=score_start,
        )

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
        group = place >> _LAST_BITS
        return Hits(
            asked=asked,
            count=np.repeat(count, count),
            score=np.searchsorted(self.score_start, group, side="right") - 1,
            first_beat=self.beat[group].astype(float),
            last_beat=self.beat[group + (place & ((1 << _LAST_BITS) - 1))].astype(float),
        )
