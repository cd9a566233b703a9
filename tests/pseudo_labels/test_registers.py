"""The instrument's registers: a planted slope is found and taken out, and nothing else is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rater_etude import play, study_score
from tocco.pseudo_labels.evidence import Evidence
from tocco.pseudo_labels.registers import MIDDLE_PITCH, USUAL_SLOPE, register_slope, without_registers
from tocco.pseudo_labels.tone_quality import measure_tone_quality
from tocco.units import FloatArray

SCORE = study_score()
OCTAVE = (SCORE.pitch - MIDDLE_PITCH) / 12.0
UPPER = SCORE.staff == 1
BASS = SCORE.pitch < 50


def played(velocity: FloatArray) -> Evidence:
    return Evidence(*play(SCORE, velocity=velocity))


def slope(given: Evidence) -> float:
    struck = given.playing.struck
    return register_slope(struck.pitch, struck.velocity, given.together)


def usual(lead: float = 12.0) -> FloatArray:
    """Upper line over the lower one, each as much harder an octave higher as is usual."""
    return 60.0 + USUAL_SLOPE * OCTAVE + np.where(UPPER, lead, 0.0)


@pytest.mark.parametrize("planted", [-6.0, 0.0, 4.0, 9.0])
def test_the_slope_of_the_instrument_is_found(planted: float) -> None:
    """All but an eighth of it: within two seconds the study moves by little, and the rest is as usual."""
    added = slope(played(usual() + planted * OCTAVE)) - USUAL_SLOPE
    assert added == pytest.approx(0.9 * planted, abs=0.35)


@pytest.mark.parametrize("lead", [-15.0, 0.0, 15.0])
def test_which_note_of_a_chord_leads_is_no_slope(lead: float) -> None:
    leading = usual(0.0) + np.where(UPPER & (SCORE.onset_beat % 1.0 == 0.0), lead, 0.0)
    assert slope(played(leading)) == pytest.approx(USUAL_SLOPE, abs=0.5)


def test_a_swell_is_no_slope() -> None:
    """Loud for half a minute, whatever is played there."""
    swell = 20.0 * np.sin(SCORE.onset_beat * 2.0 * np.pi / 64.0)
    assert slope(played(usual() + swell)) == pytest.approx(USUAL_SLOPE, abs=0.6)


def test_where_no_pitch_moves_the_slope_is_taken_for_the_usual_one() -> None:
    alone = Evidence(play(SCORE)[0].only(np.arange(1)))
    nothing = Evidence(play(SCORE)[0].only(np.arange(0)))
    assert slope(alone) == pytest.approx(USUAL_SLOPE)
    assert slope(nothing) == USUAL_SLOPE


def test_what_the_instrument_adds_is_taken_out() -> None:
    right, told = played(usual()), played(usual() + 6.0 * OCTAVE)
    struck = told.playing.struck
    freed = without_registers(struck.pitch, struck.velocity, told.together)
    assert np.abs(told.playing.struck.velocity - right.playing.struck.velocity).max() > 10.0
    np.testing.assert_allclose(freed, right.playing.struck.velocity, atol=2.5)


def test_strength_that_keys_sent_stays_as_it_is() -> None:
    bright = played(usual() + 6.0 * OCTAVE)
    assert bright.velocity is bright.playing.struck.velocity
    by_ear = replace(bright, is_transcribed=True)
    assert np.abs(by_ear.velocity - bright.velocity).max() > 10.0


def test_voicing_by_ear_does_not_follow_the_instrument() -> None:
    lead = np.where(UPPER, 20.0 + 5.0 * np.sin(SCORE.onset_beat), 0.0)
    strengths = [60.0 + USUAL_SLOPE * OCTAVE + lead + bright * OCTAVE for bright in (-4.0, 0.0, 4.0)]
    found = {
        by_ear: [
            measure_tone_quality(replace(played(strength), is_transcribed=by_ear))
            .components["voicing_lead"]
            .value
            for strength in strengths
        ]
        for by_ear in (False, True)
    }
    assert np.ptp(found[True]) < 0.2 * np.ptp(found[False])
    assert found[True] == pytest.approx([found[False][1]] * 3, rel=0.05)
