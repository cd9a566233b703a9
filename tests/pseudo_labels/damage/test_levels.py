"""Levels: what follows from voice, register and surroundings is shaping, the rest is chance."""

from __future__ import annotations

import numpy as np
import pytest

from rater_etude import play, study_score
from tocco.pseudo_labels.damage.levels import (
    Levels,
    measure_flat_levels,
    measure_random_levels,
    read_levels,
)
from tocco.pseudo_labels.damage.reading import TOO_FEW_NOTES, Reading
from tocco.pseudo_labels.observed.evidence import Evidence
from tocco.units import FloatArray

SCORE = study_score()
SHAPED = 65.0 + 0.4 * (SCORE.pitch - 60) + 10.0 * np.sin(2.0 * np.pi * SCORE.onset_beat / 32.0)


def evidence(velocity: FloatArray) -> Evidence:
    """Without a score: none is needed."""
    return Evidence(play(SCORE, velocity=velocity)[0])


def levels(velocity: FloatArray) -> Levels:
    found = read_levels(evidence(velocity))
    assert found is not None
    return found


def value(found: Reading | str) -> float:
    assert isinstance(found, Reading)
    return found.value


def test_shaping_is_predicted() -> None:
    found = levels(SHAPED)
    assert found.chance < 1.6
    assert found.shaped == pytest.approx(np.std(SHAPED), rel=0.05)


def test_chance_is_not(rng: np.random.Generator) -> None:
    for sd in (5.0, 10.0, 20.0):
        found = levels(SHAPED + rng.normal(0.0, sd, len(SCORE)))
        assert found.chance == pytest.approx(sd, rel=0.2)


def test_random_velocities_are_random_and_not_shaped(rng: np.random.Generator) -> None:
    velocity = rng.integers(20, 111, len(SCORE)).astype(float)
    assert value(measure_random_levels(evidence(velocity))) > 24.0
    assert levels(velocity).shaped < 8.0


def test_flat_levels_grow_as_the_range_shrinks() -> None:
    values = [
        value(measure_flat_levels(evidence(65.0 + share * (SHAPED - 65.0)))) for share in (1.0, 0.6, 0.3, 0.0)
    ]
    assert values == sorted(values)
    assert values[-1] == pytest.approx(1.0, abs=0.01)
    assert values[0] == pytest.approx(1.0 / (1.0 + np.std(SHAPED)), rel=0.1)


def test_chance_beyond_a_pianists_does_not_hide_flatness(rng: np.random.Generator) -> None:
    noise = rng.normal(0.0, 1.0, len(SCORE))
    at_most = value(measure_flat_levels(evidence(65.0 + 30.0 * noise)))
    assert at_most > 1.0 / (1.0 + np.hypot(8.0, 9.0))


def test_the_measure_is_the_same_for_a_part(rng: np.random.Generator) -> None:
    velocity = SHAPED + rng.normal(0.0, 8.0, len(SCORE))
    whole = evidence(velocity)
    performance = whole.performance
    half = Evidence(performance.only(performance.onset_sec < np.median(performance.onset_sec)))
    assert value(measure_random_levels(half)) == pytest.approx(value(measure_random_levels(whole)), rel=0.15)


def test_the_place_of_random_levels(rng: np.random.Generator) -> None:
    bad = (SCORE.onset_beat >= 30.0) & (SCORE.onset_beat < 38.0)
    found = measure_random_levels(evidence(SHAPED + bad * rng.normal(0.0, 25.0, len(SCORE))))
    assert isinstance(found, Reading)
    (second, _), *_ = found.worst(1)
    assert 1.0 + 30.0 * 0.6 - 2.0 < second < 1.0 + 38.0 * 0.6 + 2.0


def test_a_crowd_of_notes_at_once_is_no_chord() -> None:
    performance = play(SCORE, sec_of_beat=lambda beat: 0.01 * beat)[0]
    assert np.isfinite(value(measure_random_levels(Evidence(performance))))


def test_too_few_notes() -> None:
    few = Evidence(play(SCORE)[0].only(np.arange(19)))
    assert measure_random_levels(few) == measure_flat_levels(few) == TOO_FEW_NOTES
    assert isinstance(measure_flat_levels(Evidence(play(SCORE)[0].only(np.arange(20)))), Reading)
