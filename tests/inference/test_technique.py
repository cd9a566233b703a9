"""The technique of an assessment: what the raters measured, for a person to read."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError

from rater_etude import pedal_with_the_bass, play, study_score
from tocco.inference.technique import KEYS_ALONE, Place, technique_report
from tocco.pseudo_labels.norms.competent import competent_playing


def test_a_late_and_a_loud_note_are_named_with_bar_and_beat() -> None:
    score = study_score()
    odd = int(np.flatnonzero((score.onset_beat == 20.5) & (score.staff == 1))[0])
    late, level = np.zeros(len(score)), np.full(len(score), 64.0)
    late[odd], level[odd] = 0.15, 110.0
    found = technique_report(*play(score, late_sec=late, velocity=level, sustain=pedal_with_the_bass()))
    assert list(found)[:3] == ["note_accuracy", "rhythmic_precision", "dynamics_control"]
    first = found["rhythmic_precision"].places[0]
    assert (first.kind, first.text) == ("late", "bar 6, beat 1.5: 150 ms late relative to the local tempo")
    assert first.start_sec == pytest.approx(1.0 + 20.5 * 0.6 + 0.15, abs=0.01)
    assert found["dynamics_control"].places[0].text.startswith("bar 6, beat 1.5: one note is louder")
    assert found["note_accuracy"].places == ()
    accuracy = found["note_accuracy"].measures["weighted_error"]
    assert (accuracy.value, accuracy.unit) == (0.0, "fraction")


def test_a_place_has_its_size_bar_and_beat() -> None:
    score = study_score()
    late = np.zeros(len(score))
    late[int(np.flatnonzero((score.onset_beat == 20.5) & (score.staff == 1))[0])] = 0.15
    performance, alignment = play(score, late_sec=late)
    first = technique_report(performance, alignment)["rhythmic_precision"].places[0]
    assert first.size == pytest.approx(0.15, abs=0.01)
    assert (first.bar, first.beat) == ("6", 1.5)
    alone = technique_report(performance, None)["dynamics_control"].places
    assert all(place.bar is place.beat is None for place in alone)


def test_what_is_usual_is_known_of_recorded_keys_beside_a_score() -> None:
    performance, alignment = play(study_score())
    usual = competent_playing().usual("dynamics_control", "level_range", 38.0)
    assert usual is not None
    found = technique_report(performance, alignment)["dynamics_control"].measures["level_range"]
    assert found.usual == (usual.low, usual.high)
    transcribed = replace(performance, origin="transcribed")
    for other in ((performance, None), (transcribed, alignment)):
        assert technique_report(*other)["dynamics_control"].measures["level_range"].usual is None


def test_what_needs_sound_score_or_pedal_says_so() -> None:
    performance, alignment = play(study_score())
    with_score = technique_report(performance, alignment)
    assert with_score["tone_quality"].missing["colour_range"] == KEYS_ALONE
    assert "the MIDI holds no pedal data" in with_score["pedaling_technique"].missing.values()
    alone = technique_report(performance, None)
    assert alone["note_accuracy"].missing["note_accuracy"] == "no score was given"
    assert alone["note_accuracy"].measures == {}
    assert alone["dynamics_control"].measures["level"].unit == "velocity"
    reasons = [why for one in alone.values() for why in one.missing.values()]
    assert not any("no audio was given" in why for why in reasons)


def test_a_place_does_not_end_before_it_begins() -> None:
    with pytest.raises(ValidationError, match="is before start_sec"):
        Place(kind="late", text="bar 1", start_sec=2.0, end_sec=1.0)
