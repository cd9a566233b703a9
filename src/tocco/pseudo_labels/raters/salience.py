"""Perceptual salience of note errors: larger in melody and bass, and for long or loud notes.

Wrong notes of good pianists are mostly soft and in inner voices, and listeners with the score miss most of
them (Repp 1996, "The art of inaccuracy", Music Perception 14).
"""

from __future__ import annotations

from typing import Final

import numpy as np

from tocco.music.performance import Performance
from tocco.music.score import Score
from tocco.music.statistics.summaries import rolling_mean
from tocco.units import BoolArray, FloatArray

MELODY_WEIGHT: Final = 1.0
BASS_WEIGHT: Final = 0.5
LONG_WEIGHT: Final = 0.5
"""Added to the base weight of 1: for the highest note of an onset, the lowest, and a note of four times the
median duration."""

GRACE_WEIGHT: Final = 0.5
SOFTEST_WEIGHT: Final = 0.25
LOUDEST_WEIGHT: Final = 2.0
LEVEL_NOTES: Final = 31
"""Number of notes over which the surrounding level of an added note is averaged."""


def written_salience(score: Score) -> FloatArray:
    """Salience of each written note when it is missing.

    Returns
    -------
    (S,) 0.5..3, 1 for a short inner note
    """
    is_top, is_bottom = outer_voices(score)
    main = ~score.is_grace
    usual = float(np.median(score.duration_beat[main])) if main.any() else 1.0
    length = np.log2(np.maximum(score.duration_beat, 1e-3) / max(usual, 1e-3))
    long = np.clip(length / 2.0, 0.0, 1.0)
    weight = 1.0 + MELODY_WEIGHT * is_top + BASS_WEIGHT * is_bottom + LONG_WEIGHT * long
    return np.where(score.is_grace, GRACE_WEIGHT, weight)


def outer_voices(score: Score) -> tuple[BoolArray, BoolArray]:
    """Whether each written note is the highest, and whether it is the lowest; graces never are."""
    main = np.flatnonzero(~score.is_grace)
    is_top, is_bottom = np.zeros((2, len(score)), dtype=bool)
    if len(main):
        _, group = np.unique(np.round(score.onset_beat[main], 3), return_inverse=True)
        by_pitch = main[np.lexsort((score.pitch[main], group))]
        last = np.cumsum(np.bincount(group)) - 1
        is_top[by_pitch[last]] = True
        is_bottom[by_pitch[np.concatenate([[0], last[:-1] + 1])]] = True
    return is_top, is_bottom


def played_salience(performance: Performance) -> FloatArray:
    """Salience of each played note when it is an addition: its velocity relative to the surrounding level.

    Returns
    -------
    (N,) 0.25..2, 1 for a note at the surrounding level
    """
    velocity = performance.velocity.astype(float)
    around = rolling_mean(velocity, LEVEL_NOTES)
    return np.clip(velocity / np.maximum(around, 1.0), SOFTEST_WEIGHT, LOUDEST_WEIGHT)
