"""Which score is played: votes of fingerprints, then alignment of the likeliest, then a decision."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tocco.music.excerpt import performance_excerpt
from tocco.music.matching.chords import PlayedNotes
from tocco.music.matching.matcher import match_notes
from tocco.music.performance import Performance
from tocco.music.score_finding.index import FingerprintIndex
from tocco.music.score_finding.indexed_score import IndexedScore
from tocco.music.score_finding.voting import Candidate, candidates

WINDOW_SEC: Final = 10.0
"""Length of what is looked up at a time."""

MOST_WINDOWS: Final = 5
"""So many windows of a long performance are looked up, an equal number of notes apart."""

FEWEST_NOTES: Final = 6
"""A window with fewer notes tells nothing."""

MOST_ALIGNED: Final = 4
"""Scores that are aligned, the likeliest ones by their votes."""

LEAST_VOTES: Final = 0.4
"""Scores with less than this share of the votes of the likeliest are not aligned."""

LEAST_FIT: Final = 0.3
"""A score fits from here on (`Fit.value`)."""

EQUAL_FIT: Final = 0.95
"""Scores that fit almost as well as the best fit equally well."""

_ROOM_BEAT: Final = 6.0
_ROOM_SHARE: Final = 0.15
"""Beyond the stretch that the votes name, so much of the score is aligned on either side."""


@dataclass(frozen=True)
class Fit:
    """How well a score fits a performance, or a stretch of a performance.

    Attributes
    ----------
    score : index of the score
    agreement : 0..1, share of the notes of both that the alignment matches (F1)
    share : 0..1, share of the notes whose fingerprints stand there
    bars : printed names of the first and the last bar that was played
    """

    score: int
    agreement: float
    share: float
    bars: tuple[str, str]

    @property
    def value(self) -> float:
        """0..1. Chance gives one of the two now and then, but hardly both together."""
        return self.agreement * self.share


@dataclass(frozen=True)
class Search:
    """What a search came to.

    Attributes
    ----------
    found : the score that is played; None where none fits
    alike : others that fit as well, the best first
    best : the likeliest score, whether it fits or not; None where nothing speaks for any
    """

    found: Fit | None
    alike: tuple[Fit, ...] = ()
    best: Fit | None = None


ReadScore = Callable[[int], IndexedScore]
"""What is cached of a score, by its index."""


def find_score(index: FingerprintIndex, read: ReadScore, performance: Performance) -> Search:
    """Find which of the scores of an index a performance plays.

    Parameters
    ----------
    index
    read
        Called for the likeliest scores alone.
    performance : of any length; of a long one a few windows are looked up
    """
    windows = _windows(performance)
    if not windows:
        return Search(None)
    by_window = [candidates(index, w.onset_sec, w.pitch, most=4 * MOST_ALIGNED) for w in windows]
    fits = [
        _fit(score, read(score), windows, [_of_score(found, score) for found in by_window])
        for score in _likeliest(windows, by_window)
    ]
    return decide(fits)


def decide(fits: Sequence[Fit]) -> Search:
    """Which of the scores that were aligned is played, if any.

    Parameters
    ----------
    fits : the likeliest scores, in any order
    """
    if not fits:
        return Search(None)
    best, *others = sorted(fits, key=lambda fit: (-fit.value, fit.score))
    if best.value < LEAST_FIT:
        return Search(None, best=best)
    alike = tuple(fit for fit in others if fit.value >= max(EQUAL_FIT * best.value, LEAST_FIT))
    return Search(best, alike, best)


def _windows(performance: Performance) -> list[Performance]:
    """Windows around notes that lie an equal number of notes apart; those with too few notes left out."""
    onset = performance.onset_sec
    if len(onset) < FEWEST_NOTES:
        return []
    start, span = float(onset[0]), float(onset[-1] - onset[0])
    n = int(np.clip(span // WINDOW_SEC, 1, MOST_WINDOWS))
    at = onset[((np.arange(n) + 0.5) / n * len(onset)).astype(int)]
    if n == 1:
        at = np.array([start + span / 2.0])
    length = max(WINDOW_SEC, min(span, 2.0 * WINDOW_SEC)) + 1e-3 if n == 1 else WINDOW_SEC
    cuts = [performance_excerpt(performance, None, t - length / 2.0, t + length / 2.0)[0] for t in at]
    return [cut for cut in cuts if len(cut) >= FEWEST_NOTES]


def _likeliest(windows: Sequence[Performance], by_window: Sequence[Sequence[Candidate]]) -> list[int]:
    votes: dict[int, float] = {}
    for window, found in zip(windows, by_window, strict=True):
        for one in found:
            votes[one.score] = votes.get(one.score, 0.0) + one.votes / len(window)
    most = max(votes.values(), default=0.0)
    ordered = sorted(votes, key=lambda score: (-votes[score], score))
    return [score for score in ordered if votes[score] >= LEAST_VOTES * most][:MOST_ALIGNED]


def _of_score(found: Sequence[Candidate], score: int) -> Candidate | None:
    return next((one for one in found if one.score == score), None)


def _fit(
    score: int, page: IndexedScore, windows: Sequence[Performance], found: Sequence[Candidate | None]
) -> Fit:
    """The mean over all windows; one in which nothing speaks for the score counts as nothing."""
    spans = []
    agreement = share = 0.0
    for window, candidate in zip(windows, found, strict=True):
        if candidate is not None:
            of_window, *span = _aligned(page, window, candidate)
            agreement += of_window
            share += candidate.share
            spans.append(span)
    start_beat, end_beat = min(start for start, _ in spans), max(end for _, end in spans)
    return Fit(score, agreement / len(windows), share / len(windows), page.bars(start_beat, end_beat))


def _aligned(page: IndexedScore, window: Performance, found: Candidate) -> tuple[float, float, float]:
    """How far a window agrees with the stretch that its votes name, and the beats of its start and end."""
    onset = window.onset_sec
    reach = (float(onset[-1]) - float(onset[0])) * found.beat_per_sec / 2.0
    room = 2.0 * _ROOM_SHARE * reach + _ROOM_BEAT
    named = (found.middle_beat - reach, found.middle_beat + reach)
    written = page.part(named[0] - room, named[1] + room)
    played = PlayedNotes(onset, window.offset_sec, window.pitch, window.velocity)
    result = match_notes(written, played) if len(written) else None
    if result is None:
        return 0.0, *named
    return result.overall, float(result.tempo_map.beat[0]), float(result.tempo_map.beat[-1])
