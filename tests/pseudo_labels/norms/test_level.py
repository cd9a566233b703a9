"""The expected contour: each predictor says what it should, and nothing where nothing moves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from rater_etude import play, study_score
from tocco.music.notation import Mark
from tocco.music.performance import PedalCurve
from tocco.music.score import Score
from tocco.pseudo_labels.norms.level import (
    around,
    dynamics_contour,
    expected_dynamics_contour,
    level_predictors,
    marked_level,
    relative_to_minute,
)
from tocco.pseudo_labels.norms.model import reference_norms
from tocco.pseudo_labels.observed.evidence import Evidence
from tocco.units import FloatArray, IntArray

SCORE = study_score()
COURSE_VELOCITY = reference_norms().level.velocity.model_dump()
UPPER = SCORE.staff == 1


def evidence(velocity: FloatArray | float = 64.0, marks: tuple[Mark, ...] = ()) -> Evidence:
    return Evidence(*play(study_score(marks=marks), velocity=np.full(len(SCORE), velocity)))


def test_the_mean_around_is_that_of_what_lies_within_reach(rng: np.random.Generator) -> None:
    time_sec, value = np.sort(rng.uniform(0.0, 20.0, 60)), rng.normal(size=(2, 60))
    near = np.abs(time_sec[:, None] - time_sec) <= 1.5
    expected = np.stack([[row[here].mean() for here in near] for row in value])
    np.testing.assert_allclose(around(time_sec, value, 1.5), expected)


def test_voicing_is_no_swell() -> None:
    np.testing.assert_allclose(dynamics_contour(evidence(np.where(UPPER, 90.0, 50.0))), 0.0, atol=1e-9)


def test_a_swell_is_a_swell_in_every_voice() -> None:
    louder = 10.0 * np.sin(SCORE.onset_beat / 4.0)
    plain = dynamics_contour(evidence(60.0 + louder))
    voiced = dynamics_contour(evidence(60.0 + louder + np.where(UPPER, 15.0, 0.0)))
    np.testing.assert_allclose(voiced, plain, atol=0.5)
    assert np.ptp(plain) > 10.0


def test_notes_that_are_not_written_have_no_part_in_the_level() -> None:
    """The first eight strokes are no match: their loudness is nobody's, and no other note's either."""
    performance, alignment = play(SCORE, velocity=np.where(SCORE.onset_beat < 2.0, 120.0, 60.0))
    fewer = replace(alignment, match=alignment.match[alignment.match[:, 1] >= 8])
    given = Evidence(performance, fewer)
    assert performance.velocity[:8].min() == 120
    np.testing.assert_allclose(dynamics_contour(given), 0.0, atol=1e-9)


def test_the_general_level_is_against_the_minute_around() -> None:
    given = evidence()
    np.testing.assert_allclose(
        relative_to_minute(given, np.full(len(given.onset_groups.size), 7.0)), 0.0, atol=1e-9
    )


def test_every_predictor_has_its_weight_and_none_depends_on_the_level(rng: np.random.Generator) -> None:
    assert set(level_predictors(evidence())) == set(COURSE_VELOCITY)
    np.testing.assert_array_equal(
        expected_dynamics_contour(evidence()),
        expected_dynamics_contour(evidence(rng.uniform(30.0, 100.0, len(SCORE)))),
    )


@pytest.mark.parametrize(
    ("mark", "name"),
    [
        (Mark("dynamics", "ff", 32.0, 32.0), "mark"),
        (Mark("crescendo", "crescendo", 28.0, 44.0), "hairpin"),
        (Mark("dynamics", "sfz", 40.0, 40.0), "stress"),
    ],
)
def test_signs_make_the_course_louder_where_they_stand(mark: Mark, name: str) -> None:
    marks = (Mark("dynamics", "p", 0.0, 0.0), mark)
    predictor = level_predictors(evidence(marks=marks))[name]
    at = evidence().onset_groups.onset_sec[80]
    assert predictor[80] > predictor[20], at
    assert expected_dynamics_contour(evidence(marks=marks))[80] > expected_dynamics_contour(evidence())[80]


def test_who_puts_the_soft_pedal_down_means_to_be_soft() -> None:
    performance, alignment = play(SCORE, velocity=np.full(len(SCORE), 64.0))
    middle = float(performance.duration_sec) / 2.0
    soft = PedalCurve(np.array([middle]), np.array([127.0]))
    given = Evidence(replace(performance, soft=soft), alignment)
    change = expected_dynamics_contour(given) - expected_dynamics_contour(Evidence(performance, alignment))
    assert np.ptp(change) == pytest.approx(-COURSE_VELOCITY["soft_pedal"], rel=0.05)
    assert change[10] > 0.0 > change[-10]


def test_who_plays_faster_is_to_be_louder() -> None:
    """The second half at double speed: log 2 more beats a second."""

    def twice_as_fast(beat: FloatArray) -> FloatArray:
        return np.where(beat < 32.0, 0.6 * beat, 19.2 + 0.3 * (beat - 32.0))

    given = Evidence(*play(SCORE, sec_of_beat=twice_as_fast, velocity=np.full(len(SCORE), 64.0)))
    predictor = level_predictors(given)["tempo"]
    assert np.ptp(predictor) == pytest.approx(np.log(2.0), rel=0.05)
    assert predictor[10] < 0.0 < predictor[-10]
    np.testing.assert_allclose(level_predictors(evidence())["tempo"], 0.0, atol=1e-9)
    assert expected_dynamics_contour(given)[-10] > expected_dynamics_contour(evidence())[-10]


def moved(pitch_of: Callable[[Score], IntArray]) -> dict[str, FloatArray]:
    """Hints of the study with other keys."""
    score = replace(SCORE, pitch=pitch_of(SCORE))
    return level_predictors(Evidence(*play(score, velocity=np.full(len(SCORE), 64.0))))


def test_depth_is_below_middle_c_alone() -> None:
    """The second half an octave lower below, where 36 to 43 and 52 to 59 are struck, or higher above."""
    later = SCORE.onset_beat >= 32.0
    deep = moved(lambda score: np.where(later & (score.staff == 2), score.pitch - 12, score.pitch))["depth"]
    # Two of the three notes of a beat lie 12 semitones deeper, and none of the quaver between two beats.
    assert deep[80:110].mean() - deep[20:50].mean() == pytest.approx(12.0 * 2 / 3 / 2, rel=0.05)
    # The upper note of the pair is the F and then the C in the middle, or that C and then the B below it.
    for first, second, deeper in ((65, 60, 0.0), (60, 59, 1 / 6)):
        pair = np.where(later, second, first)
        predictor = moved(
            lambda score, at=pair: np.where((score.staff == 2) & (score.pitch > 48), at, score.pitch)
        )
        change = predictor["depth"][80:110].mean() - predictor["depth"][20:50].mean()
        assert change == pytest.approx(deeper, abs=0.01)
    high = moved(lambda score: np.where(later & (score.staff == 1), score.pitch + 12, score.pitch))["depth"]
    np.testing.assert_allclose(high, level_predictors(evidence())["depth"], atol=1e-9)


def test_doubling_counts_the_notes_with_their_octave() -> None:
    """In the second half the third above the bass becomes its octave: one note of the three on each beat."""
    third = (SCORE.staff == 2) & (SCORE.pitch > 48) & (SCORE.onset_beat >= 32.0)
    predictor = moved(lambda score: np.where(third, score.pitch - 4, score.pitch))["doubling"]
    assert predictor[80:110].mean() - predictor[20:50].mean() == pytest.approx(1 / 3 / 2, rel=0.05)
    np.testing.assert_allclose(level_predictors(evidence())["doubling"], 0.0, atol=1e-9)


def test_a_new_sign_counts_most_where_it_is_new() -> None:
    """p for eight bars, then ff: four steps, two seconds before and after."""
    marks = (Mark("dynamics", "p", 0.0, 0.0), Mark("dynamics", "ff", 32.0, 32.0))
    predictor = level_predictors(evidence(marks=marks))["mark_change"]
    # Two seconds are 3.3 beats, of which the mean of what is near takes some.
    assert int(np.argmax(predictor)) in range(61, 67)
    assert 3.0 < predictor.max() < 4.0
    half = evidence().onset_groups.onset_sec[predictor > predictor.max() / 2.0]
    assert np.ptp(half) == pytest.approx(3.3, abs=0.35)  # twice two seconds, from onset to onset
    assert abs(predictor[20]) < 0.6 > abs(predictor[110])
    falling = (Mark("dynamics", "ff", 0.0, 0.0), Mark("dynamics", "p", 32.0, 32.0))
    np.testing.assert_allclose(
        level_predictors(evidence(marks=falling))["mark_change"], -predictor, atol=1e-9
    )


def test_without_a_page_the_signs_are_not_guessed() -> None:
    performance, _ = play(SCORE, velocity=np.full(len(SCORE), 64.0))
    of_the_ear = {"top", "depth", "doubling", "motion", "dissonance"}
    assert set(level_predictors(Evidence(performance))) == {*of_the_ear, "soft_pedal"}
    assert set(level_predictors(Evidence(replace(performance, origin="transcribed")))) == of_the_ear


def test_the_last_sign_holds() -> None:
    marks = (
        Mark("dynamics", "pp", 4.0, 4.0),
        Mark("dynamics", "sfz", 6.0, 6.0),
        Mark("dynamics", "f", 8.0, 8.0),
    )
    held = marked_level(marks, np.array([0.0, 4.0, 7.0, 8.0, 20.0]))
    np.testing.assert_array_equal(held, [np.nan, -2.5, -2.5, 1.5, 1.5])
