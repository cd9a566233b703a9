"""A small piece, and ways to play it, for tests of the alignment."""

from __future__ import annotations

import numpy as np

from tocco.music.alignment import Alignment
from tocco.music.performance import PedalCurve, Performance
from tocco.music.score import Score

N_BARS = 16
BEAT_SEC = 0.5


def piece(seed: int = 3, n_bars: int = N_BARS) -> Score:
    """Eighth notes in the right hand, half notes in the left, in 4/4; no pitch near another."""
    generator = np.random.default_rng(seed)
    right = 60 + np.cumsum(generator.choice([-3, -2, 2, 4], n_bars * 8)) % 24
    left = 36 + generator.integers(0, 12, n_bars * 2)
    onset = np.concatenate((np.arange(n_bars * 8) / 2, np.arange(n_bars * 2) * 2.0))
    return score_of(onset, np.concatenate((right, left)), staff=[1] * len(right) + [2] * len(left))


def score_of(onset: np.ndarray, pitch: np.ndarray, *, staff: list[int] | None = None) -> Score:
    order = np.lexsort((pitch, onset))
    onset, pitch = np.asarray(onset, float)[order], np.asarray(pitch)[order]
    staves = np.ones(len(onset), dtype=int) if staff is None else np.array(staff)[order]
    n_bars = int(onset[-1] // 4) + 1
    return Score(
        note_id=tuple(f"n{i}" for i in range(len(onset))),
        onset_beat=onset,
        duration_beat=np.where(staves == 1, 0.5, 2.0),
        pitch=pitch,
        voice=staves,
        staff=staves,
        is_grace=np.zeros(len(onset), dtype=bool),
        articulation=("",) * len(onset),
        velocity=np.zeros(len(onset), dtype=int),
        bar=(onset // 4).astype(int),
        bar_onset_beat=np.arange(n_bars) * 4.0,
        bar_beats=np.full(n_bars, 4.0),
        bar_name=tuple(str(i + 1) for i in range(n_bars)),
        tempo_bpm=120.0,
        marks=(),
        source="piece.musicxml",
    )


def play(score: Score, *, start_sec: float = 1.0, jitter_sec: float = 0.01, seed: int = 0) -> Performance:
    """The score at an even tempo, each key a little off."""
    noise = np.clip(np.random.default_rng(seed).normal(0, jitter_sec, len(score)), -0.03, 0.03)
    onset = start_sec + score.onset_beat * BEAT_SEC + noise
    return performance_of(onset, score.pitch)


def performance_of(onset: np.ndarray, pitch: np.ndarray) -> Performance:
    order = np.lexsort((pitch, onset))
    onset = np.asarray(onset, float)[order]
    return Performance(
        onset_sec=onset,
        offset_sec=onset + 0.2,
        pitch=np.asarray(pitch)[order],
        velocity=np.full(len(onset), 64),
        sustain=PedalCurve(),
        sostenuto=PedalCurve(),
        soft=PedalCurve(),
        duration_sec=float(onset[-1] + 0.2),
        source="take.mid",
    )


def without(performance: Performance, note: int) -> Performance:
    keep = np.arange(len(performance)) != note
    return performance_of(performance.onset_sec[keep], performance.pitch[keep])


def check_is_partition(alignment: Alignment, n_performed: int) -> None:
    written = np.concatenate((alignment.match[:, 0], alignment.deletion, alignment.unplayed))
    played = np.concatenate((alignment.match[:, 1], alignment.insertion))
    np.testing.assert_array_equal(np.sort(written), np.arange(len(alignment.score)))
    np.testing.assert_array_equal(np.sort(played), np.arange(n_performed))
    assert np.isin(alignment.substitution[:, 0], alignment.deletion).all()
    assert np.isin(alignment.substitution[:, 1], alignment.insertion).all()
    assert (np.diff(alignment.anchor_beat) > 0).all()
    assert (np.diff(alignment.anchor_sec) > 0).all()
