"""Expected accents: what each predictor measures, and that neither level nor voicing is an accent."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from origins import ORIGIN
from rater_etude import play, study_score
from tocco.music.notation import Mark
from tocco.music.score import Score
from tocco.pseudo_labels.norms.accents import (
    accent_predictors,
    expected_accents,
    played_accents,
    read_accents,
)
from tocco.pseudo_labels.norms.model import reference_norms
from tocco.pseudo_labels.observed.evidence import Evidence
from tocco.pseudo_labels.observed.voices import local_deviation
from tocco.units import FloatArray

SCORE = study_score()
VELOCITY = reference_norms().accents.velocity.model_dump()


def evidence(score: Score = SCORE, velocity: FloatArray | float = 64.0) -> Evidence:
    return Evidence(*play(score, velocity=np.full(len(score), velocity)))


def one_note(sign: str, note: int) -> Score:
    """The study with one sign."""
    return replace(SCORE, articulation=tuple(sign if k == note else "" for k in range(len(SCORE))))


def test_every_predictor_has_its_weight_and_none_depends_on_the_level(rng: np.random.Generator) -> None:
    assert set(accent_predictors(evidence())) == set(VELOCITY)
    loud = evidence(velocity=rng.uniform(30.0, 100.0, len(SCORE)))
    np.testing.assert_array_equal(expected_accents(evidence()), expected_accents(loud))


def test_the_sum_of_the_predictors_is_suggested() -> None:
    predictors = accent_predictors(evidence())
    expected = np.sum([VELOCITY[name] * predictor for name, predictor in predictors.items()], axis=0)
    np.testing.assert_allclose(expected_accents(evidence()), expected)


@pytest.mark.parametrize(
    ("sign", "name"),
    [
        ("staccato", "staccato"),
        ("staccatissimo", "staccato"),
        ("tenuto,slur", "slur"),
        ("accent", "stress"),
    ],
)
def test_a_sign_over_one_note_is_a_predictor_for_that_note(sign: str, name: str) -> None:
    note = int(np.flatnonzero((SCORE.staff == 1) & (SCORE.onset_beat == 20.5))[0])
    given = evidence(one_note(sign, note))
    assert given.written is not None
    at = int(np.flatnonzero(given.written.note == note)[0])
    predictor = accent_predictors(given)[name]
    assert predictor[at] == pytest.approx(1.0, abs=0.25)
    assert int(np.argmax(predictor)) == at
    assert not accent_predictors(evidence())[name].any()
    stronger = expected_accents(given) - expected_accents(evidence())
    assert stronger[at] == pytest.approx(VELOCITY[name] * predictor[at])


def test_a_sign_beside_the_notes_stresses_its_onset() -> None:
    mark = Mark("dynamics", "sfz", 40.0, 40.0)
    given = evidence(study_score(marks=(mark,)))
    assert given.written is not None
    predictor = accent_predictors(given)["stress"]
    stressed = given.written.beat == 40.0
    assert predictor[stressed].min() > 0.5
    assert np.abs(predictor[~stressed]).max() < 0.5


def test_beats_and_long_values_stand_above_what_is_between() -> None:
    """Of the quavers above, those on the beat; crotchets sound in the lower staff alone."""
    given = evidence()
    assert given.written is not None
    upper = given.written.staff == 1
    on_beat = given.written.is_on_beat
    predictor = accent_predictors(given)["beat"]
    assert predictor[upper & on_beat].min() > 0.0 > predictor[upper & ~on_beat].max()
    longer = SCORE.duration_beat.copy()
    at = int(np.flatnonzero((SCORE.staff == 1) & (SCORE.onset_beat == 20.5))[0])
    longer[at] = 2.0
    held = evidence(replace(SCORE, duration_beat=longer))
    assert held.written is not None
    value = accent_predictors(held)["value"]
    assert int(np.argmax(value)) == int(np.flatnonzero(held.written.note == at)[0])


def test_a_note_after_a_quick_one_is_come_to_soon() -> None:
    """Without a page proximity in time decides: the seconds since the onset before."""
    late = np.where((SCORE.onset_beat == 20.5) & (SCORE.staff == 1), 0.12, 0.0)
    performance, _ = play(SCORE, late_sec=late)
    alone = Evidence(performance)
    predictors = accent_predictors(alone)
    assert set(predictors) == {"pitch", "approach"}
    after = int(np.argmax(predictors["approach"]))
    assert alone.onset_groups.onset_sec[alone.onset_groups.onset_of[after]] > performance.onset_sec[0] + 12.0
    expected = VELOCITY["pitch"] * predictors["pitch"] + VELOCITY["approach"] * predictors["approach"]
    np.testing.assert_allclose(expected_accents(alone), expected)


def test_the_upper_staff_stands_above_the_lower_one_in_the_same_voice() -> None:
    """A chord of the lower staff alone: its highest note is in the voice of the upper staff's notes."""
    at = (SCORE.staff == 1) & (SCORE.onset_beat == 20.0)
    lower = replace(SCORE, staff=np.where(at, 2, SCORE.staff))
    given = evidence(lower)
    assert given.written is not None
    predictor = accent_predictors(given)["upper_staff"]
    at_note = int(np.flatnonzero((given.written.beat == 20.0) & given.written.is_top)[0])
    assert int(np.argmin(predictor)) == at_note
    assert predictor[at_note] == pytest.approx(-1.0, abs=0.2)


def test_with_a_page_time_does_not_enter(rng: np.random.Generator) -> None:
    """What is near changes a little with the seconds; which onset follows soon is for the page to say."""
    straight = accent_predictors(evidence())["approach"]
    waits = Evidence(*play(SCORE, late_sec=np.where(SCORE.onset_beat >= 20.5, 0.4, 0.0)))
    assert waits.written is not None
    at = np.flatnonzero(waits.written.beat == 20.5)
    np.testing.assert_allclose(accent_predictors(waits)["approach"][at], straight[at], atol=0.15)


def test_values_and_waits_are_reported_by_their_logarithm() -> None:
    """Twice as long is log 2 more, whatever what is near takes off."""
    at = int(np.flatnonzero((SCORE.staff == 1) & (SCORE.onset_beat == 20.5))[0])

    def of(beats: float) -> float:
        longer = SCORE.duration_beat.copy()
        longer[at] = beats
        given = evidence(replace(SCORE, duration_beat=longer))
        assert given.written is not None
        return float(accent_predictors(given)["value"][given.written.note == at][0])

    share = (of(2.0) - of(1.0)) / np.log(2.0)
    assert 0.8 < share < 1.0
    assert of(4.0) - of(2.0) == pytest.approx(share * np.log(2.0))
    assert of(0.2) - of(0.1) == pytest.approx(share * np.log(2.0))


def test_from_transcription_what_is_taken_for_the_tilt_is_no_accent() -> None:
    rising = 40.0 + (SCORE.pitch - 40.0)
    performance, alignment = play(SCORE, velocity=rising)
    keys, heard = (Evidence(replace(performance, origin=ORIGIN[ear]), alignment) for ear in (False, True))
    struck = heard.velocity[heard.onset_groups.note]
    np.testing.assert_allclose(played_accents(heard), local_deviation(heard.onset_groups, struck))
    assert np.abs(played_accents(heard)).mean() < 0.9 * np.abs(played_accents(keys)).mean()


def test_what_the_page_asks_for_is_read_with_how_far_it_stands_out() -> None:
    """An accent asks its note, a sign the onset."""
    at = (SCORE.staff == 1) & (SCORE.onset_beat == 20.0)
    score = replace(
        study_score(marks=(Mark("dynamics", "sf", 40.0, 40.0),)),
        articulation=tuple("accent" if one else "" for one in at),
    )
    given = evidence(score, np.where(at, 84.0, 64.0))
    got = read_accents(given)
    assert given.written is not None
    beat = given.written.beat
    np.testing.assert_array_equal(got.is_marked, ((beat == 20.0) & given.written.is_top) | (beat == 40.0))
    np.testing.assert_array_equal(
        np.isfinite(got.marked_deviation), np.isin(given.written.onset_beat, (20.0, 40.0))
    )
    np.testing.assert_allclose(
        got.marked_deviation[given.written.onset_beat == 20.0], got.played[got.is_marked][:1]
    )
    np.testing.assert_allclose(
        got.marked_deviation[given.written.onset_beat == 40.0], got.played[beat == 40.0].mean()
    )
    assert not read_accents(Evidence(given.performance)).is_marked.any()


def test_what_is_played_is_against_the_voice_and_what_is_near() -> None:
    at = int(np.flatnonzero((SCORE.staff == 1) & (SCORE.onset_beat == 20.5))[0])
    swell = 50.0 + 0.4 * SCORE.onset_beat + np.where(SCORE.staff == 1, 15.0, 0.0)
    accented = np.where(np.arange(len(SCORE)) == at, swell + 20.0, swell)
    given = evidence(velocity=accented)
    assert given.written is not None
    got = played_accents(given)
    assert got[given.written.note == at] == pytest.approx(20.0, abs=3.5)
    assert np.abs(got[given.written.note != at]).max() < 3.5


def test_without_notes_nothing_is_suggested() -> None:
    performance, _ = play(SCORE)
    none = Evidence(performance.only(np.zeros(0, dtype=np.int64)))
    assert accent_predictors(none) == {}
    assert expected_accents(none).shape == played_accents(none).shape == (0,)
