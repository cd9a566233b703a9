"""The foot against the music: planted lags, plain harmonies and a foot that moves at random."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from rater_etude import BEAT_SEC, N_BARS, UP, pedal_with_the_bass, play, study_score

from tocco.music.corruption import CORRUPTIONS, corrupt
from tocco.music.performance import PedalCurve, Performance
from tocco.music.statistics.playing import read_playing
from tocco.pseudo_labels.evidence import Evidence
from tocco.pseudo_labels.pedal_timing import (
    LEAST_DEPTH,
    USUAL_LIFT_SEC,
    calls_for_change,
    distance_from_calls,
    harmonic_change,
    read_foot_timing,
)

SCORE = study_score()
CHANCE = 1.0 - 2.0 / np.pi
"""Mean distance from anywhere within a reach of 1 s either way, weighted by the cosine."""


def struck(*chords: tuple[int, ...], spacing_sec: float = 1.0) -> Performance:
    """Chords one after the other, each held for a tenth of a second."""
    onset = np.concatenate([np.full(len(chord), k * spacing_sec) for k, chord in enumerate(chords)])
    pitch = np.concatenate([np.sort(chord) for chord in chords])
    return Performance(
        onset_sec=onset,
        offset_sec=onset + 0.1,
        pitch=pitch.astype(int),
        velocity=np.full(len(pitch), 64),
        sustain=UP,
        sostenuto=UP,
        soft=UP,
        duration_sec=float(onset[-1] + 1.0),
    )


def mean_lift_distance(sustain: PedalCurve) -> float:
    performance, alignment = play(SCORE, sustain=sustain)
    return float(np.nanmean(read_foot_timing(Evidence(performance, alignment)).lift_distance))


def test_harmonies_that_stay_change_nothing_and_strange_ones_everything() -> None:
    c_major, f_sharp_major, a_minor = (60, 64, 67), (66, 70, 73), (57, 60, 64)
    change = harmonic_change(
        read_playing(struck(c_major, c_major, f_sharp_major, c_major, a_minor, spacing_sec=0.6))
    )
    np.testing.assert_allclose(change, [1.0, 0.0, 1.0, 1.0, 1.0 / 3.0], atol=1e-12)


def test_the_bass_counts_twice_for_the_harmony() -> None:
    """C over a bass G against C with a new bass F: the cosine of (1, 2) and (1, 0, 2) is 1 / 5."""
    change = harmonic_change(read_playing(struck((43, 72), (41, 72), spacing_sec=0.6)))
    assert change[1] == pytest.approx(1.0 - 1.0 / 5.0)


def test_a_bass_calls_by_its_depth() -> None:
    """The mean of the second around lies one octave above the lower note of the first chord."""
    call = calls_for_change(read_playing(struck((48, 72), (60,), (61,), spacing_sec=2.0)))
    np.testing.assert_allclose(call, [(1.0 + LEAST_DEPTH) ** 2, LEAST_DEPTH**2, LEAST_DEPTH**2])


def test_distance_from_one_onset() -> None:
    moved = np.array([9.0, 10.04, 11.0])
    found = distance_from_calls(moved, 0.04, np.array([10.0]), np.ones(1))
    assert found[1] == pytest.approx(0.0, abs=1e-12)
    for late in (-0.3, -0.1, 0.05, 0.2, 0.4):
        reach = np.array([1.0 + late, 1.0 - late])
        reach = np.clip(reach, 0.3, 1.0)
        by_chance = CHANCE * (reach**2).sum() / reach.sum()
        found = distance_from_calls(np.array([9.0, 10.0 + late, 11.0]), 0.0, np.array([10.0]), np.ones(1))
        assert found[1] == pytest.approx(abs(late) / by_chance)


def test_onsets_anywhere_are_chance() -> None:
    onset = np.arange(0.0, 40.0, 0.001)
    found = distance_from_calls(np.array([10.0, 10.5, 11.3, 14.0]), 0.04, onset, np.ones(len(onset)))
    np.testing.assert_allclose(found, 1.0, atol=5e-3)


def test_a_foot_at_random_is_at_chance() -> None:
    rng = np.random.default_rng(5)
    onset = np.sort(rng.uniform(0.0, 2000.0, 60000))
    moved = np.sort(rng.uniform(0.0, 2000.0, 2000))
    found = distance_from_calls(moved, 0.04, onset, rng.uniform(0.0, 1.0, len(onset)))
    assert np.nanmean(found) == pytest.approx(1.0, abs=0.03)


def test_the_strongest_onset_speaks_for_its_surroundings() -> None:
    onset = np.array([9.8, 10.0, 10.2])
    loud, flat = (
        distance_from_calls(np.array([9.0, 10.0, 11.0]), 0.0, onset, np.array(call))[1]
        for call in ([0.01, 1.0, 0.01], [1.0, 1.0, 1.0])
    )
    assert loud < 0.05 * flat + 0.05
    assert flat > 0.3


def test_nothing_in_reach_is_missing() -> None:
    assert np.isnan(distance_from_calls(np.array([5.0]), 0.0, np.array([1.0, 9.0]), np.ones(2)))
    assert np.isnan(distance_from_calls(np.array([5.0]), 0.0, np.array([5.0]), np.zeros(1)))
    assert distance_from_calls(np.zeros(0), 0.0, np.array([1.0]), np.ones(1)).shape == (0,)
    assert read_foot_timing(Evidence(struck((60,), (62,)))).lift_distance.shape == (0,)


def test_the_farther_from_the_usual_lag_the_greater_the_distance() -> None:
    late = [mean_lift_distance(pedal_with_the_bass(lag)) for lag in (0.04, 0.1, 0.16, 0.24, 0.3)]
    early = [mean_lift_distance(pedal_with_the_bass(lag)) for lag in (0.04, -0.02, -0.08, -0.16, -0.22)]
    assert np.all(np.diff(late) > 0.0)
    assert np.all(np.diff(early) > 0.0)
    assert late[0] < 0.75 * late[-1]


def test_lifts_and_presses_are_those_of_the_pedal() -> None:
    performance, alignment = play(SCORE, sustain=pedal_with_the_bass(USUAL_LIFT_SEC, 0.1))
    foot = read_foot_timing(Evidence(performance, alignment))
    bass = BEAT_SEC * np.arange(4 * N_BARS)
    np.testing.assert_allclose(foot.press_sec, bass + USUAL_LIFT_SEC + 0.1, atol=1e-6)
    np.testing.assert_allclose(foot.lift_sec, bass[1:] + USUAL_LIFT_SEC, atol=1e-6)
    assert len(foot.lift_distance) == len(foot.lift_sec)


@pytest.mark.parametrize("kind", ["late_pedal", "early_pedal"])
def test_each_step_of_the_ladder_takes_the_foot_farther(kind: str) -> None:
    """As far as the pedal can move: half a beat here."""
    performance, alignment = play(SCORE, sustain=pedal_with_the_bass(USUAL_LIFT_SEC, 0.1))
    found = [
        read_foot_timing(
            Evidence(corrupt(performance, kind, severity, np.random.default_rng(0)).performance, alignment)
        )
        for severity in (0.0, *(step for step in CORRUPTIONS[kind].ladder if step < BEAT_SEC / 2.0))
    ]
    lifts = [float(np.nanmean(foot.lift_distance)) for foot in found]
    assert len(lifts) > 2
    assert np.all(np.diff(lifts) > 0.0)


def test_another_clock_makes_no_difference() -> None:
    performance, _ = play(SCORE, sustain=pedal_with_the_bass(0.1))
    here, there = (read_foot_timing(Evidence(p)) for p in (performance, performance.shifted(7.25)))
    np.testing.assert_allclose(here.lift_distance, there.lift_distance, rtol=1e-5)
    louder = replace(performance, velocity=np.minimum(performance.velocity + 20, 127))
    np.testing.assert_array_equal(here.lift_distance, read_foot_timing(Evidence(louder)).lift_distance)
