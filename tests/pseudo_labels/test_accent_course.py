"""Suggested accents: each hint says what it should of single notes, and neither level nor voicing is one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rater_etude import play, study_score
from tocco.music.notation import Mark
from tocco.music.score import Score
from tocco.pseudo_labels.accent_course import played_accents, read_accent_hints, suggested_accents
from tocco.pseudo_labels.evidence import Evidence
from tocco.pseudo_labels.norms import reference_norms
from tocco.units import FloatArray

SCORE = study_score()
VELOCITY = reference_norms().accents.velocity.model_dump()


def evidence(score: Score = SCORE, velocity: FloatArray | float = 64.0) -> Evidence:
    return Evidence(*play(score, velocity=np.full(len(score), velocity)))


def one_note(sign: str, note: int) -> Score:
    """The study with one sign."""
    return replace(SCORE, articulation=tuple(sign if k == note else "" for k in range(len(SCORE))))


def test_every_hint_has_its_weight_and_none_depends_on_the_level(rng: np.random.Generator) -> None:
    assert set(read_accent_hints(evidence())) == set(VELOCITY)
    loud = evidence(velocity=rng.uniform(30.0, 100.0, len(SCORE)))
    np.testing.assert_array_equal(suggested_accents(evidence()), suggested_accents(loud))


def test_the_sum_of_the_hints_is_suggested() -> None:
    hints = read_accent_hints(evidence())
    expected = np.sum([VELOCITY[name] * hint for name, hint in hints.items()], axis=0)
    np.testing.assert_allclose(suggested_accents(evidence()), expected)


@pytest.mark.parametrize(("sign", "name"), [("staccato", "staccato"), ("slur", "slur"), ("accent", "stress")])
def test_a_sign_over_one_note_is_a_hint_for_that_note(sign: str, name: str) -> None:
    note = int(np.flatnonzero((SCORE.staff == 1) & (SCORE.onset_beat == 20.5))[0])
    given = evidence(one_note(sign, note))
    assert given.written is not None
    at = int(np.flatnonzero(given.written.note == note)[0])
    hint = read_accent_hints(given)[name]
    assert hint[at] == pytest.approx(1.0, abs=0.25)
    assert int(np.argmax(hint)) == at
    assert not read_accent_hints(evidence())[name].any()
    stronger = suggested_accents(given) - suggested_accents(evidence())
    assert stronger[at] == pytest.approx(VELOCITY[name] * hint[at])


def test_a_sign_beside_the_notes_stresses_its_onset() -> None:
    mark = Mark("dynamics", "sfz", 40.0, 40.0)
    given = evidence(study_score(marks=(mark,)))
    assert given.written is not None
    hint = read_accent_hints(given)["stress"]
    stressed = given.written.beat == 40.0
    assert hint[stressed].min() > 0.5
    assert np.abs(hint[~stressed]).max() < 0.5


def test_beats_and_long_values_stand_above_what_is_between() -> None:
    """Of the quavers above, those on the beat; crotchets sound in the lower staff alone."""
    given = evidence()
    assert given.written is not None
    upper = given.written.staff == 1
    on_beat = given.written.is_on_beat
    hint = read_accent_hints(given)["beat"]
    assert hint[upper & on_beat].min() > 0.0 > hint[upper & ~on_beat].max()
    longer = SCORE.duration_beat.copy()
    at = int(np.flatnonzero((SCORE.staff == 1) & (SCORE.onset_beat == 20.5))[0])
    longer[at] = 2.0
    held = evidence(replace(SCORE, duration_beat=longer))
    assert held.written is not None
    value = read_accent_hints(held)["value"]
    assert int(np.argmax(value)) == int(np.flatnonzero(held.written.note == at)[0])


def test_a_note_after_a_quick_one_is_come_to_soon() -> None:
    """Without a page the ear decides: the seconds since the onset before."""
    late = np.where((SCORE.onset_beat == 20.5) & (SCORE.staff == 1), 0.12, 0.0)
    performance, _ = play(SCORE, late_sec=late)
    alone = Evidence(performance)
    hints = read_accent_hints(alone)
    assert set(hints) == {"pitch", "approach"}
    after = int(np.argmax(hints["approach"]))
    assert alone.together.onset_sec[alone.together.onset_of[after]] > performance.onset_sec[0] + 12.0
    expected = VELOCITY["pitch"] * hints["pitch"] + VELOCITY["approach"] * hints["approach"]
    np.testing.assert_allclose(suggested_accents(alone), expected)


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
    assert read_accent_hints(none) == {}
    assert suggested_accents(none).shape == played_accents(none).shape == (0,)
