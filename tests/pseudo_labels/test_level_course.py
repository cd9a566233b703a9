"""The suggested course: each hint says what it should, and nothing where nothing moves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rater_etude import play, study_score
from tocco.music.notation import Mark
from tocco.music.performance import PedalCurve
from tocco.pseudo_labels.evidence import Evidence
from tocco.pseudo_labels.level_course import (
    against_minute,
    around,
    general_level,
    marked_level,
    read_hints,
    suggested_course,
)
from tocco.pseudo_labels.norms import reference_norms
from tocco.units import FloatArray

SCORE = study_score()
COURSE_VELOCITY = reference_norms().course.velocity.model_dump()
UPPER = SCORE.staff == 1


def evidence(velocity: FloatArray | float = 64.0, marks: tuple[Mark, ...] = ()) -> Evidence:
    return Evidence(*play(study_score(marks=marks), velocity=np.full(len(SCORE), velocity)))


def test_the_mean_around_is_that_of_what_lies_within_reach(rng: np.random.Generator) -> None:
    time_sec, value = np.sort(rng.uniform(0.0, 20.0, 60)), rng.normal(size=(2, 60))
    near = np.abs(time_sec[:, None] - time_sec) <= 1.5
    expected = np.stack([[row[here].mean() for here in near] for row in value])
    np.testing.assert_allclose(around(time_sec, value, 1.5), expected)


def test_voicing_is_no_swell() -> None:
    np.testing.assert_allclose(general_level(evidence(np.where(UPPER, 90.0, 50.0))), 0.0, atol=1e-9)


def test_a_swell_is_a_swell_in_every_voice() -> None:
    louder = 10.0 * np.sin(SCORE.onset_beat / 4.0)
    plain = general_level(evidence(60.0 + louder))
    voiced = general_level(evidence(60.0 + louder + np.where(UPPER, 15.0, 0.0)))
    np.testing.assert_allclose(voiced, plain, atol=0.5)
    assert np.ptp(plain) > 10.0


def test_notes_that_are_not_written_have_no_part_in_the_level() -> None:
    """The first eight strokes are no match: their loudness is nobody's, and no other note's either."""
    performance, alignment = play(SCORE, velocity=np.where(SCORE.onset_beat < 2.0, 120.0, 60.0))
    fewer = replace(alignment, match=alignment.match[alignment.match[:, 1] >= 8])
    given = Evidence(performance, fewer)
    assert performance.velocity[:8].min() == 120
    np.testing.assert_allclose(general_level(given), 0.0, atol=1e-9)


def test_the_general_level_is_against_the_minute_around() -> None:
    given = evidence()
    np.testing.assert_allclose(against_minute(given, np.full(len(given.together.size), 7.0)), 0.0, atol=1e-9)


def test_every_hint_has_its_weight_and_none_depends_on_the_level(rng: np.random.Generator) -> None:
    assert set(read_hints(evidence())) == set(COURSE_VELOCITY)
    np.testing.assert_array_equal(
        suggested_course(evidence()), suggested_course(evidence(rng.uniform(30.0, 100.0, len(SCORE))))
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
    hint = read_hints(evidence(marks=marks))[name]
    at = evidence().together.onset_sec[80]
    assert hint[80] > hint[20], at
    assert suggested_course(evidence(marks=marks))[80] > suggested_course(evidence())[80]


def test_who_puts_the_soft_pedal_down_means_to_be_soft() -> None:
    performance, alignment = play(SCORE, velocity=np.full(len(SCORE), 64.0))
    middle = float(performance.duration_sec) / 2.0
    soft = PedalCurve(np.array([middle]), np.array([127.0]))
    given = Evidence(replace(performance, soft=soft), alignment)
    change = suggested_course(given) - suggested_course(Evidence(performance, alignment))
    assert np.ptp(change) == pytest.approx(-COURSE_VELOCITY["soft_pedal"], rel=0.05)
    assert change[10] > 0.0 > change[-10]


def test_without_a_page_the_signs_are_not_guessed() -> None:
    performance, _ = play(SCORE, velocity=np.full(len(SCORE), 64.0))
    assert set(read_hints(Evidence(performance))) == {"top", "bottom", "motion", "dissonance", "soft_pedal"}
    heard = read_hints(Evidence(performance, is_transcribed=True))
    assert set(heard) == {"top", "bottom", "motion", "dissonance"}


def test_the_last_sign_holds() -> None:
    marks = (
        Mark("dynamics", "pp", 4.0, 4.0),
        Mark("dynamics", "sfz", 6.0, 6.0),
        Mark("dynamics", "f", 8.0, 8.0),
    )
    held = marked_level(marks, np.array([0.0, 4.0, 7.0, 8.0, 20.0]))
    np.testing.assert_array_equal(held, [np.nan, -2.5, -2.5, 1.5, 1.5])
