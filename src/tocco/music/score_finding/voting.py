"""Votes of fingerprints for stretches of scores: those of the right stretch lie on one line of beat over time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from tocco.music.score_finding.fingerprints import Groups, fingerprints
from tocco.music.score_finding.index import FingerprintIndex, Hits
from tocco.units import FloatArray, IntArray

PLAYED_AHEAD: Final = 3
"""Groups by which the notes of a played fingerprint lie apart, at most: one more than in the score, so that an
extra note, or a chord that is not quite together, may lie between."""

SAME_ONSET_SEC: Final = 0.035
"""Notes of a chord that pianists strike together lie within this (Goebl 2001: 30 ms)."""

MOST_PLACES: Final = 200
"""A fingerprint that stands at more places tells little."""

CELL_BEAT: Final = 4.0
"""Width of a cell of votes; neighbours overlap by half."""

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
    asked = fingerprints(groups, ahead=PLAYED_AHEAD, both_bins=True)
    hits = index.hits(asked.key, most=MOST_PLACES)
    first_sec, last_sec = groups.time[asked.first[hits.asked]], groups.time[asked.last[hits.asked]]
    tempo = (hits.last_beat - hits.first_beat) / (last_sec - first_sec)
    middle_sec = (groups.time[0] + groups.time[-1]) / 2.0
    middle = hits.first_beat + tempo * (middle_sec - first_sec)
    slow, fast = TEMPO_RANGE_BEAT_PER_SEC
    kept = (tempo >= slow) & (tempo <= fast)
    return _counted(hits, asked.note[hits.asked], middle, tempo, kept, len(groups.pitch), most)


def _counted(
    hits: Hits,
    note: IntArray,
    middle: FloatArray,
    tempo: FloatArray,
    kept: np.ndarray,
    n_notes: int,
    most: int,
) -> list[Candidate]:
    weight = 1.0 / np.log2(2.0 + hits.count)
    cell = np.floor(middle / (CELL_BEAT / 2.0)).astype(np.int64)
    lowest = int(cell.min(initial=0))
    score, cell, note, weight, middle, tempo = (
        column[kept] for column in (hits.score, cell - lowest + 1, note, weight, middle, tempo)
    )
    if not len(cell):
        return []
    width = int(cell.max()) + 2
    place = score * width + cell
    # A note counts once in a cell: its rarest fingerprint.
    votes = np.zeros(0)
    both = np.concatenate((place, place - 1)) * n_notes + np.concatenate((note, note))
    order = np.lexsort((-np.tile(weight, 2), both))
    unique, at = np.unique(both[order], return_index=True)
    cells, which = np.unique(unique // n_notes, return_inverse=True)
    votes = np.bincount(which, np.tile(weight, 2)[order][at])
    share = np.bincount(which) / n_notes
    found: list[Candidate] = []
    of_score = cells // width
    seen: set[int] = set()
    for c in np.argsort(-votes, kind="stable"):
        one = int(of_score[c])
        if one in seen:
            continue
        seen.add(one)
        inside = (place == cells[c]) | (place == cells[c] + 1)
        found.append(
            Candidate(
                one,
                float(votes[c]),
                float(share[c]),
                float(np.median(middle[inside])),
                float(np.median(tempo[inside])),
            )
        )
        if len(found) == most:
            break
    return found
