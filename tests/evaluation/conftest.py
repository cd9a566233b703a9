"""A small cross-validation whose answers are known by construction."""

from __future__ import annotations

import numpy as np
import pytest

from tocco.evaluation.cross_validation.result import CrossValidationResult

NAMES = ("note_accuracy", "phrasing", "timing_stable_unstable", "pedal_clean_blurred")


@pytest.fixture(scope="session")
def small_result() -> CrossValidationResult:
    """120 performances: 12 clusters of two passages of five; a good, a poor and a constant system."""
    rng = np.random.default_rng(7)
    n, d = 120, len(NAMES)
    cluster = np.arange(n) // 10
    labels = np.clip(rng.normal(50, 6, (12, d))[cluster] + rng.normal(0, 8, (n, d)), 0, 100)
    good, poor = (labels + rng.normal(0, noise, (n, d)) for noise in (5, 15))
    labels[:, 0] = np.nan
    labels[::7, 1] = np.nan
    return CrossValidationResult(
        names=NAMES,
        segment_ids=np.array([f"take{i:03d}" for i in range(n)]),
        clusters=np.array([f"c{c:02d}" for c in cluster]),
        passages=np.array([f"p{i // 5:02d}" for i in range(n)]),
        performers=np.array([f"player{i % 5}" for i in range(n)]),
        is_score=np.arange(n) % 5 == 4,
        fold=cluster % 4,
        labels=labels,
        predictions={"good": good, "poor": poor, "constant": np.full((n, d), 50.0)},
        sd={"good": np.full((n, d), 2.5)},
    )
