"""Heavy damages: each does what it says, and raises the measures that it is for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rater_etude import pedal_with_the_bass, play, study_score
from tocco.music.performance import Performance
from tocco.pseudo_labels.damage.catalogue import MEASURES
from tocco.pseudo_labels.damage.measure import measure_damage
from tocco.pseudo_labels.fitting import heavy_damage
from tocco.pseudo_labels.fitting.damage import damaged
from tocco.pseudo_labels.fitting.heavy_damage import HEAVY_DAMAGES, lower_hand
from tocco.pseudo_labels.observed.evidence import Evidence

SCORE = study_score()
SHAPED = 65.0 + 0.4 * (SCORE.pitch - 60) + 10.0 * np.sin(SCORE.onset_beat / 5.0)
CLEAN, ALIGNED = play(SCORE, sustain=pedal_with_the_bass(), velocity=SHAPED)


def make(name: str) -> Performance:
    return getattr(heavy_damage, name)(CLEAN, ALIGNED, np.random.default_rng(3))


@pytest.mark.parametrize("name", HEAVY_DAMAGES)
def test_its_measures_rise(name: str) -> None:
    damage = HEAVY_DAMAGES[name]
    evidence = damaged(damage, CLEAN, ALIGNED, np.random.default_rng(1))
    assert evidence is not None
    before, after = measure_damage(Evidence(CLEAN, ALIGNED)).values, measure_damage(evidence).values
    for measure in damage.measures:
        assert after[measure] > 1.2 * before[measure] + 1e-6, measure


def test_every_measure_has_a_damage() -> None:
    assert {measure for damage in HEAVY_DAMAGES.values() for measure in damage.measures} == set(MEASURES)


@pytest.mark.parametrize("name", [one.name for one in HEAVY_DAMAGES.values() if one.alignment == "kept"])
def test_where_the_alignment_is_kept_notes_are_the_same(name: str) -> None:
    worse = HEAVY_DAMAGES[name].make(CLEAN, ALIGNED, np.random.default_rng(1))
    np.testing.assert_array_equal(worse.onset_sec, CLEAN.onset_sec)
    np.testing.assert_array_equal(worse.pitch, CLEAN.pitch)


@pytest.mark.parametrize("name", ["hand_a_semitone_off", "hands_apart", "legatissimo", "mashing"])
def test_the_notes_are_in_order_and_no_key_is_struck_while_down(name: str) -> None:
    worse = make(name)
    np.testing.assert_array_equal(np.lexsort((worse.pitch, worse.onset_sec)), np.arange(len(worse)))
    assert np.all(worse.offset_sec > worse.onset_sec)
    for pitch in np.unique(worse.pitch):
        own = worse.pitch == pitch
        assert np.all(worse.offset_sec[own][:-1] <= worse.onset_sec[own][1:] + 1e-9)
    assert worse.duration_sec >= worse.offset_sec.max()


def test_the_lower_hand_is_that_of_the_score() -> None:
    lower = lower_hand(CLEAN, ALIGNED)
    np.testing.assert_array_equal(lower, CLEAN.pitch < 72)
    unknown = np.zeros(len(SCORE), dtype=int)
    by_pitch = lower_hand(*play(replace(SCORE, staff=unknown)))
    np.testing.assert_array_equal(by_pitch, CLEAN.pitch < 60)


def test_a_semitone_off_and_two_hundred_milliseconds_late() -> None:
    lower = CLEAN.pitch < 72
    assert make("hand_a_semitone_off").pitch.sum() == CLEAN.pitch.sum() + lower.sum()
    assert make("hands_apart").onset_sec.sum() == pytest.approx(CLEAN.onset_sec.sum() + 0.2 * lower.sum())


def test_pedal_held_and_none() -> None:
    assert make("sustain_held").sustain.at(np.linspace(0.0, 30.0, 50)).min() == 127.0
    assert len(make("no_pedal").sustain) == 0
    assert len(make("dry_play").sustain) == 0


def test_velocities_at_random_cover_their_range() -> None:
    velocity = make("random_velocities").velocity
    assert 20 <= velocity.min() < 24
    assert 106 < velocity.max() <= 110


def test_mashing_is_ten_clusters_a_second() -> None:
    worse = make("mashing")
    assert len(worse) == pytest.approx(40.0 * CLEAN.duration_sec, rel=0.05)


def test_half_tempo_is_twice_as_long() -> None:
    worse = make("half_tempo")
    assert worse.duration_sec == pytest.approx(2.0 * CLEAN.duration_sec)
