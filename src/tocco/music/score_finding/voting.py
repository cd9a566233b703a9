"""Votes of fingerprints for stretches of scores: the right ones lie on one line of beat over time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from tocco.music.score_finding.fingerprints import Groups, fingerprints
from tocco.music.score_finding.index import FingerprintIndex
from tocco.units import BoolArray, FloatArray, IntArray

PLAYED_AHEAD: Final = 3
"""Groups by which the notes of a played fingerprint lie apart, at most: one more than in the score, so that
an extra note, or a chord that is not quite together, may lie between."""

SAME_ONSET_SEC: Final = 0.035
"""Notes of a chord that pianists strike together lie within this (Goebl 2001: 30 ms)."""

MOST_PLACES: Final = 200
"""A fingerprint that stands at more places tells little."""

CELL_BEAT: Final = 4.0
"""Width of a cell of votes; neighbours overlap by half."""

_COUNTED_CELLS: Final = 500

TEMPO_RANGE_BEAT_PER_SEC: Final = (0.2, 12.0)


@dataclass(frozen=True)
class Candidate:
    """A stretch of a score that may be what was played.

    Attributes
    ----------
    score : index of the score
    votes : weighted number of notes whose fingerprints stand there
    share : 0..1, share of the notes that do
    middle_beat : beats of the unfolded score, where the middle of the query lies
    beat_per_sec : tempo
    """

    score: int
    votes: float
    share: float
    middle_beat: float
    beat_per_sec: float


@dataclass(frozen=True, eq=False)
class _Votes:
    """Votes for cells of beats.

    Attributes
    ----------
    place : (H,) the score, and the half cell that the middle of the query falls into, as one number
    score : (H,)
    note : (H,) index of the note
    weight : (H,) the rarer a fingerprint, the more
    middle_beat, beat_per_sec : (H,) as of `Candidate`
    """

    place: IntArray
    score: IntArray
    note: IntArray
    weight: FloatArray
    middle_beat: FloatArray
    beat_per_sec: FloatArray

    def only(self, kept: BoolArray) -> _Votes:
        """Some of the votes."""
        return _Votes(*(getattr(self, name)[kept] for name in self.__dataclass_fields__))


def candidates(
    index: FingerprintIndex, onset_sec: FloatArray, pitch: IntArray, *, most: int
) -> list[Candidate]:
    """Stretches of scores that may be what was played, the likeliest first; one of each score.

    Parameters
    ----------
    index
    onset_sec, pitch : (N,) of some seconds of a performance
    most : candidates
    """
    groups = Groups.of(onset_sec, pitch, apart=SAME_ONSET_SEC)
    votes = _votes(index, groups)
    if not len(votes.place):
        return []
    places, counted, share = _counted(_of_likeliest(votes), len(groups.pitch))
    found: dict[int, Candidate] = {}
    for c in np.argsort(-counted, kind="stable").tolist():
        inside = (votes.place == places[c]) | (votes.place == places[c] + 1)
        score = int(votes.score[np.argmax(inside)])
        if score in found:
            continue
        middle, tempo = np.median(votes.middle_beat[inside]), np.median(votes.beat_per_sec[inside])
        found[score] = Candidate(score, float(counted[c]), float(share[c]), float(middle), float(tempo))
        if len(found) == most:
            break
    return list(found.values())


def _votes(index: FingerprintIndex, groups: Groups) -> _Votes:
    """Each place at which a fingerprint of the query stands says where the middle of the query would be."""
    asked = fingerprints(groups, ahead=PLAYED_AHEAD, both_bins=True)
    hits = index.hits(asked.key, most=MOST_PLACES)
    first_sec, last_sec = groups.time[asked.first[hits.asked]], groups.time[asked.last[hits.asked]]
    tempo = (hits.last_beat - hits.first_beat) / (last_sec - first_sec)
    middle = hits.first_beat + tempo * ((groups.time[0] + groups.time[-1]) / 2.0 - first_sec)
    cell = np.floor(middle / (CELL_BEAT / 2.0)).astype(np.int64)
    # One cell is left free on either side of each score, so that no two neighbours are of two scores.
    cell -= int(cell.min(initial=0)) - 1
    width = int(cell.max(initial=0)) + 2
    slow, fast = TEMPO_RANGE_BEAT_PER_SEC
    weight = 1.0 / np.log2(2.0 + hits.count)
    votes = _Votes(hits.score * width + cell, hits.score, asked.note[hits.asked], weight, middle, tempo)
    return votes.only((tempo >= slow) & (tempo <= fast))


def _of_likeliest(votes: _Votes) -> _Votes:
    """The votes for the cells that have most, each with its neighbour; counting notes is slow."""
    total = np.bincount(votes.place, votes.weight, minlength=int(votes.place.max()) + 2)
    total[:-1] += total[1:].copy()
    if np.count_nonzero(total) <= _COUNTED_CELLS:
        return votes
    likeliest = np.zeros(len(total) + 1, dtype=bool)
    likeliest[np.argpartition(-total, _COUNTED_CELLS)[:_COUNTED_CELLS]] = True
    likeliest[1:] |= likeliest[:-1].copy()
    return votes.only(likeliest[votes.place])


def _counted(votes: _Votes, n_notes: int) -> tuple[IntArray, FloatArray, FloatArray]:
    """Votes of notes for cells of two halves: a note counts once in a cell, by its rarest fingerprint.

    Returns
    -------
    (C,) first half of each cell, its votes, and the share of the notes that vote for it
    """
    place = np.concatenate((votes.place, votes.place - 1))
    weight = np.tile(votes.weight, 2)
    pair = place * n_notes + np.tile(votes.note, 2)
    order = np.lexsort((-weight, pair))
    pairs, first = np.unique(pair[order], return_index=True)
    places, cell = np.unique(pairs // n_notes, return_inverse=True)
    votes_of_cell = np.bincount(cell, weight[order][first]).astype(float)
    return places, votes_of_cell, np.bincount(cell) / n_notes
