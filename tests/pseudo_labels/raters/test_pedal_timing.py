"""The pedal against the music: planted lags, plain harmonies and a pedal that moves at random."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rater_etude import BEAT_SEC, N_BARS, UP, pedal_with_the_bass, play, study_score
from tocco.music.corruption import CORRUPTIONS, corrupt
from tocco.music.performance import PedalCurve, Performance
from tocco.music.statistics.playing import read_playing
from tocco.pseudo_labels.observed.evidence import Evidence
from tocco.pseudo_labels.raters import pedal_timing
from tocco.pseudo_labels.raters.pedal_timing import (
    CHANGE_SEC,
    LEAST_CHANGE,
    LEAST_DEPTH,
    USUAL_LIFT_SEC,
    PedalTiming,
    change_weights,
    distance_from_changes,
    harmonic_change,
    metrical_weight,
    read_pedal_timing,
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


def pedal_of(sustain: PedalCurve) -> PedalTiming:
    performance, alignment = play(SCORE, sustain=sustain)
    pedal = read_pedal_timing(Evidence(performance, alignment))
    assert pedal is not None
    return pedal


def mean_distance(sustain: PedalCurve) -> float:
    return float(np.nanmean(pedal_of(sustain).distance))


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


def test_a_bass_calls_by_its_depth_and_a_chord_by_its_fullness() -> None:
    """Chords two seconds apart have nothing around them; the lower of two keys lies an octave below the mean.

    Of two chords a quarter of a second apart, one of three notes and one of a single one, the first has
    3 / 2 of the mean count and the second 1 / 2.
    """
    strange, alone = (1.0 + LEAST_CHANGE) ** 2, LEAST_DEPTH**2
    call = change_weights(read_playing(struck((48, 72), (61,), (64,), spacing_sec=2.0)))
    np.testing.assert_allclose(call, strange * np.array([(1.0 + LEAST_DEPTH) ** 2, alone, alone]))
    full, single = change_weights(read_playing(struck((60, 72, 84), (72,), spacing_sec=0.25)))
    above = np.mean([60.0, 72.0, 84.0, 72.0]) / 12.0
    assert full == pytest.approx(strange * (LEAST_DEPTH + above - 5.0) ** 2 * 1.5)
    assert single == pytest.approx(LEAST_CHANGE**2 * alone * 0.5)


def test_the_bar_weighs_its_beats() -> None:
    performance, alignment = play(SCORE)
    weight = metrical_weight(alignment, read_playing(performance))
    np.testing.assert_array_equal(weight, np.tile([8.0, 2.0, 4.0, 2.0, 4.0, 2.0, 4.0, 2.0], N_BARS))


def test_in_six_eight_the_pulse_is_a_dotted_quarter() -> None:
    performance, alignment = play(SCORE)
    bars = len(SCORE.bar_onset_beat)
    compound = replace(alignment.score, bar_metre=((6, 8),) * bars)
    weight = metrical_weight(replace(alignment, score=compound), read_playing(performance))
    np.testing.assert_array_equal(weight[:8], [8.0, 2.0, 2.0, 4.0, 2.0, 2.0, 4.0, 2.0])


def test_a_pick_up_does_not_begin_with_a_first_beat() -> None:
    performance, alignment = play(SCORE)
    bars = len(SCORE.bar_onset_beat)
    five_four = replace(alignment.score, bar_metre=((5, 4),) + ((4, 4),) * (bars - 1))
    weight = metrical_weight(replace(alignment, score=five_four), read_playing(performance))
    np.testing.assert_array_equal(weight[:9], [4.0, 2.0, 4.0, 2.0, 4.0, 2.0, 4.0, 2.0, 8.0])


def test_without_a_score_there_is_no_bar() -> None:
    performance, _ = play(SCORE, sustain=pedal_with_the_bass())
    assert read_pedal_timing(Evidence(performance)) is None


def test_distance_from_one_onset() -> None:
    moved = np.array([9.0, 10.04, 11.0])
    found = distance_from_changes(moved, 0.04, np.array([10.0]), np.ones(1))
    assert found[1] == pytest.approx(0.0, abs=1e-12)
    for late in (-0.3, -0.1, 0.05, 0.2, 0.4):
        reach = np.array([1.0 + late, 1.0 - late])
        reach = np.clip(reach, 0.3, 1.0)
        by_chance = CHANCE * (reach**2).sum() / reach.sum()
        found = distance_from_changes(np.array([9.0, 10.0 + late, 11.0]), 0.0, np.array([10.0]), np.ones(1))
        assert found[1] == pytest.approx(abs(late) / by_chance)


def test_onsets_anywhere_are_chance() -> None:
    onset = np.arange(0.0, 40.0, 0.001)
    found = distance_from_changes(np.array([10.0, 10.5, 11.3, 14.0]), 0.04, onset, np.ones(len(onset)))
    np.testing.assert_allclose(found, 1.0, atol=5e-3)


def test_a_pedal_at_random_is_at_chance() -> None:
    rng = np.random.default_rng(5)
    onset = np.sort(rng.uniform(0.0, 2000.0, 60000))
    moved = np.sort(rng.uniform(0.0, 2000.0, 2000))
    found = distance_from_changes(moved, 0.04, onset, rng.uniform(0.0, 1.0, len(onset)))
    assert np.nanmean(found) == pytest.approx(1.0, abs=0.03)


def test_the_strongest_onset_speaks_for_its_surroundings() -> None:
    onset = np.array([9.8, 10.0, 10.2])
    loud, flat = (
        distance_from_changes(np.array([9.0, 10.0, 11.0]), 0.0, onset, np.array(call))[1]
        for call in ([0.01, 1.0, 0.01], [1.0, 1.0, 1.0])
    )
    assert loud < 0.05 * flat + 0.05
    assert flat > 0.3


def test_nothing_in_reach_is_missing() -> None:
    assert np.isnan(distance_from_changes(np.array([5.0]), 0.0, np.array([1.0, 9.0]), np.ones(2)))
    assert np.isnan(distance_from_changes(np.array([5.0]), 0.0, np.array([5.0]), np.zeros(1)))
    assert distance_from_changes(np.zeros(0), 0.0, np.array([1.0]), np.ones(1)).shape == (0,)
    assert pedal_of(UP).distance.shape == (0,)


def test_the_farther_from_the_usual_lag_the_greater_the_distance() -> None:
    late = [mean_distance(pedal_with_the_bass(lag)) for lag in (0.04, 0.1, 0.16, 0.24, 0.3)]
    early = [mean_distance(pedal_with_the_bass(lag)) for lag in (0.04, -0.02, -0.08, -0.16, -0.22)]
    assert np.all(np.diff(late) > 0.0)
    assert np.all(np.diff(early) > 0.0)
    assert late[0] < 0.75 * late[-1]


def test_a_press_that_completes_a_change_is_not_counted() -> None:
    """Up 40 ms after each bass and down 100 ms later: all presses but the very first follow a lift."""
    at = 1.0 + BEAT_SEC * np.arange(4 * N_BARS)
    legato = pedal_of(pedal_with_the_bass(USUAL_LIFT_SEC, 0.1))
    assert len(legato.event_sec) == 4 * N_BARS
    np.testing.assert_allclose(legato.event_sec[1:], at[1:] - 1.0 + USUAL_LIFT_SEC, atol=1e-6)
    dabs = np.stack([at, at + BEAT_SEC - CHANGE_SEC - 0.01], axis=1).ravel()
    touched = pedal_of(PedalCurve(dabs, np.tile([127.0, 0.0], 4 * N_BARS)))
    assert len(touched.event_sec) == 8 * N_BARS


@pytest.mark.parametrize("kind", ["late_pedal", "early_pedal"])
def test_each_step_of_the_ladder_takes_the_pedal_farther(kind: str) -> None:
    performance, alignment = play(SCORE, sustain=pedal_with_the_bass(USUAL_LIFT_SEC, 0.1))
    found = []
    for severity in (0.0, *CORRUPTIONS[kind].ladder):
        worse = corrupt(performance, kind, severity, np.random.default_rng(0)).performance
        pedal = read_pedal_timing(Evidence(worse, alignment))
        assert pedal is not None
        found.append(float(np.nanmean(pedal.distance)))
    assert np.all(np.diff(found) > 0.0)


def test_another_loudness_makes_no_difference() -> None:
    performance, alignment = play(SCORE, sustain=pedal_with_the_bass(0.1))
    louder = replace(performance, velocity=np.minimum(performance.velocity + 20, 127))
    here, there = (read_pedal_timing(Evidence(p, alignment)) for p in (performance, louder))
    assert here is not None
    assert there is not None
    np.testing.assert_array_equal(here.distance, there.distance)


def test_thresholds_are_the_stated_ones() -> None:
    """The tests above take them as they are; here they are held to what their reasons say."""
    assert pedal_timing.USUAL_LIFT_SEC == 0.04
    assert pedal_timing.USUAL_PRESS_SEC == 0.06
    assert pedal_timing.CHANGE_SEC == 0.4
    assert pedal_timing.SHORTEST_REACH_SEC == 0.3
    assert pedal_timing.LONGEST_REACH_SEC == 1.0
    assert pedal_timing.BEFORE_SEC == 0.8
    assert pedal_timing.AFTER_SEC == 0.4
    assert pedal_timing.BASS_PITCH == 55
    assert pedal_timing.AROUND_SEC == 0.5
    assert pedal_timing.QUAVER_BEAT == 0.5
    assert pedal_timing.COMPOUND_PULSE_BEAT == 1.5
    assert pedal_timing.ON_TIME_BEAT == 0.03
    assert pedal_timing.LEAST_CHANGE == 0.2
    assert pedal_timing.LEAST_DEPTH == 0.3
    assert pedal_timing.DEEPEST == 2.0
