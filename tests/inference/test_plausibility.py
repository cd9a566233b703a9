"""Playing that is no music is not rated."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from corruption_etude import etude
from tocco.inference import plausibility
from tocco.inference.plausibility import (
    clustered,
    implausible,
    keys_apart,
    notes_a_second,
    share_in_scale,
)
from tocco.music.performance import Performance


def played(onset_sec: np.ndarray, pitch: np.ndarray) -> Performance:
    performance, _ = etude()
    n = len(onset_sec)
    return replace(
        performance,
        onset_sec=onset_sec,
        offset_sec=onset_sec + 0.05,
        pitch=pitch.astype(np.int64),
        velocity=np.full(n, 64, dtype=np.int64),
        duration_sec=float(onset_sec.max() + 1.0),
    )


def test_music_is_plausible():
    assert implausible(etude()[0]) == ()


def test_random_keys_are_not(rng: np.random.Generator):
    onset = np.sort(rng.uniform(0.0, 24.0, 144))
    found = implausible(played(onset, rng.integers(21, 109, 144)))
    assert len(found) == 1
    assert found[0].startswith("the keys are as if drawn at random: ")


def test_mashing_and_impossible_speed_are_not():
    onset = np.repeat(np.arange(60) * 0.2, 5)
    assert implausible(played(onset, np.tile(np.arange(60, 65), 60))) == (
        "100 % of the notes are struck in clusters of neighbouring keys",
    )
    scale = 60 + np.tile([0, 4, 7, 11, 14, 17, 21, 24], 60)
    assert implausible(played(np.arange(480) / 50.0, scale)) == (
        "50 notes a second are more than hands can play",
    )
    assert implausible(played(np.arange(480) / 37.0, scale)) == ()


def test_too_little_is_not_judged(rng: np.random.Generator):
    assert implausible(played(np.arange(12.0), rng.integers(21, 109, 12))) == ()


def test_wide_leaps_within_a_scale_are_music():
    """Arpeggios over five octaves, as in Chopin's op. 10 no. 1."""
    pitch = 36 + np.tile([0, 7, 12, 16, 24, 31, 36, 40, 48, 52, 60], 20)
    assert implausible(played(np.arange(220) * 0.1, pitch)) == ()


def test_the_measures():
    onset = np.arange(13) * 0.5
    assert notes_a_second(onset) == pytest.approx(6 / 3.0)
    assert keys_apart(onset, np.arange(13) * 3) == 3.0
    assert keys_apart(np.zeros(13), np.arange(13)) == 0.0
    chord = np.array([60, 61, 62, 72])
    assert clustered(np.zeros(4), chord) == 0.75
    assert clustered(np.array([0.0, 0.02, 0.05, 0.06]), chord) == 0.25
    assert share_in_scale(np.array([60, 62, 64, 66])) == 1.0  # of G major
    assert share_in_scale(np.arange(60, 72)) == pytest.approx(7 / 12)


@pytest.mark.parametrize(
    ("limit", "value"),
    [
        ("MOST_NOTES_A_SEC", 44.0),
        ("MOST_CLUSTERED", 0.25),
        ("FARTHEST_APART", 2.6),
        ("LEAST_IN_SCALE", 0.8),
    ],
)
def test_the_limits(limit: str, value: float):
    assert getattr(plausibility, limit) == value
