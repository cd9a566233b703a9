"""How far a performance falls short of competent playing."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from corruption_etude import etude
from tocco.inference.shortfalls import (
    local_deductions,
    measure_shortfalls,
    shortfall,
    window_shortfalls,
)
from tocco.music.alignment import Alignment, align_performance_to_score
from tocco.music.corruption import corrupt
from tocco.music.performance import Performance
from tocco.pseudo_labels.observed.evidence import Evidence


@pytest.mark.parametrize(
    ("rating", "expected"),
    [(50.0, 0.0), (35.0, math.log1p(math.e) - math.log(2)), (80.0, math.log1p(math.exp(-2)) - math.log(2))],
)
def test_the_shortfall_of_a_rule_rating(rating: float, expected: float):
    assert shortfall(rating) == pytest.approx(expected)


def test_windows_lose_what_they_lack_beyond_the_mean():
    windows = [{"tone_quality": 1.0}, {"tone_quality": 0.0}, {}]
    found = local_deductions(windows, [{"tone_quality": 12.0}, {}], np.array([0.25, 0.25, 0.5]))
    np.testing.assert_allclose(found, [[6.0, 0.0], [-6.0, 0.0], [0.0, 0.0]])


def test_a_window_that_does_not_count_has_no_part_in_the_mean():
    windows = [{"tone_quality": 1.0}, {"tone_quality": 0.0}]
    found = local_deductions(windows, [{"tone_quality": 12.0}], np.array([1.0, 0.0]))
    np.testing.assert_allclose(found, [[0.0], [0.0]])


def test_a_performance_and_what_damage_does_to_it(rng: np.random.Generator):
    performance, alignment = etude()
    clean = measure_shortfalls(Evidence(performance, alignment))
    worse = corrupt(performance, "wrong_notes", 0.15, rng, alignment=alignment).performance
    damaged = measure_shortfalls(Evidence(worse, alignment_of(worse, alignment)))
    assert damaged.of["note_accuracy"] > clean.of["note_accuracy"] + 0.5
    assert damaged.of["note_errors"] > clean.of["note_errors"] + 0.2
    alone = measure_shortfalls(Evidence(performance, None))
    assert {"note_accuracy", "note_errors", "lost_time"} <= set(alone.missing)
    assert "dynamics_control" in alone.of
    assert not set(alone.of) & set(alone.missing)


def alignment_of(performance: Performance, alignment: Alignment) -> Alignment:
    return align_performance_to_score(performance, alignment.score)


def test_the_window_with_the_damage_falls_short(rng: np.random.Generator):
    performance, alignment = etude()
    bounds = np.array([[0.0, 16.0], [16.0, 32.0]])
    late = performance.onset_sec > 16.0
    velocity = performance.velocity.astype(float)
    velocity[late] = rng.uniform(20, 110, int(late.sum()))
    worse = replace(performance, velocity=velocity.round().astype(performance.velocity.dtype))
    first, second = window_shortfalls(Evidence(worse, alignment), bounds)
    assert second["dynamics_control"] > first["dynamics_control"] + 0.5
