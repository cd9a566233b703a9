"""Tone: planted voicing comes out in velocity, planted colour in semitones, and no room's filter does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.signal import firwin2, lfilter

from rater_etude import play, study_score
from tocco.music.performance import Performance
from tocco.pseudo_labels.observed.evidence import NO_AUDIO, Evidence
from tocco.pseudo_labels.observed.onset_spectra import read_onset_spectra
from tocco.pseudo_labels.raters import tone_quality
from tocco.pseudo_labels.raters.articulation_quality import measure_articulation_quality
from tocco.pseudo_labels.raters.tone_quality import (
    COMPONENTS,
    measure_tone_quality,
    read_voicing,
)
from tocco.units import SAMPLE_RATE_HZ, FloatArray, hz_from_pitch

SCORE = study_score()
UPPER = SCORE.staff == 1
INNER = ~UPPER & (SCORE.pitch >= 50)
BASS = ~UPPER & (SCORE.pitch < 50)


def values(given: Evidence, span_sec: tuple[float, float] | None = None) -> dict[str, float]:
    return {name: c.value for name, c in measure_tone_quality(given, span_sec).components.items()}


def voiced(upper: float, inner: float, bass: float) -> Evidence:
    return Evidence(*play(SCORE, velocity=np.select([UPPER, INNER], [upper, inner], bass)))


def sound(played: Performance, overtone: FloatArray | float) -> FloatArray:
    """Each note as two partials; the second carries the colour."""
    waveform = np.zeros(int((played.duration_sec + 1.0) * SAMPLE_RATE_HZ))
    time = np.arange(int(0.25 * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    strength = np.broadcast_to(overtone, len(played))
    for k in range(len(played)):
        hz = float(hz_from_pitch(played.pitch[k]))
        tone = np.sin(2 * np.pi * hz * time) + strength[k] * np.sin(2 * np.pi * 3 * hz * time)
        start = int(played.onset_sec[k] * SAMPLE_RATE_HZ)
        waveform[start : start + len(time)] += 0.02 * tone * np.exp(-8.0 * time)
    return waveform


def test_voicing_is_the_top_above_the_mean_of_the_rest_in_the_range_used() -> None:
    given = voiced(80.0, 60.0, 64.0)
    got, used = values(given), given.once(read_voicing).used
    assert got["voicing_lead"] * used == pytest.approx(80.0 - 62.0)
    # The upper line stays at 80; the lower one, smoothed, is the bass or, between beats, the melody alone.
    assert 0.0 < used <= 80.0 - 64.0
    assert got["bass_weight"] == pytest.approx(64.0 - 80.0)
    assert (got["top_leads"], got["bass_covers"]) == (1.0, 0.0)
    assert got["voicing_unsteadiness"] == pytest.approx(0.0)


def test_less_of_everything_is_not_less_voicing() -> None:
    full, half = values(voiced(90.0, 50.0, 60.0)), values(voiced(75.0, 55.0, 60.0))
    assert half["voicing_lead"] == pytest.approx(full["voicing_lead"], rel=0.1)
    assert half["top_leads"] == full["top_leads"]


def test_covering_the_melody_lowers_the_lead_step_by_step() -> None:
    leads = []
    for s in (0, 5, 15, 20):
        given = voiced(80.0 - s, 60.0 + s, 60.0 + s)
        leads.append(values(given)["voicing_lead"] * given.once(read_voicing).used)
    assert leads == pytest.approx([20.0, 10.0, -10.0, -20.0])
    assert values(voiced(60.0, 80.0, 80.0))["top_leads"] == 0.0
    assert values(voiced(60.0, 80.0, 80.0))["bass_covers"] == 1.0


def test_equal_keys_have_no_voicing() -> None:
    label = measure_tone_quality(voiced(70.0, 70.0, 70.0))
    assert label.missing["top_leads"] == "all notes of a chord are equally loud"


def test_a_hammered_treble() -> None:
    velocity = np.where(UPPER & (SCORE.pitch >= 76), 88.0, 70.0)
    given = Evidence(*play(SCORE, velocity=velocity))
    assert values(given)["treble_hardness"] == pytest.approx(18.0 / given.once(read_voicing).used)


def test_a_loud_passage_is_not_a_hammered_treble() -> None:
    """The music grows where the line is high, and the lower line grows with it."""
    swell = 60.0 + 20.0 * np.sin(SCORE.onset_beat / 10.0)
    given = Evidence(*play(SCORE, velocity=swell + np.where(UPPER, 10.0, 0.0)))
    turned = Evidence(*play(SCORE, velocity=120.0 - swell + np.where(UPPER, 10.0, 0.0)))
    assert abs(values(given)["treble_hardness"]) < 0.15
    assert abs(values(turned)["treble_hardness"]) < 0.15


def test_the_general_level_and_the_timing_do_not_enter(rng: np.random.Generator) -> None:
    quiet, loud = voiced(60.0, 45.0, 50.0), voiced(85.0, 70.0, 75.0)
    assert values(quiet) == pytest.approx(values(loud))
    velocity = np.select([UPPER, INNER], [80.0, 60.0], 64.0)
    late = 0.05 * rng.random(len(SCORE))
    assert values(Evidence(*play(SCORE, velocity=velocity, late_sec=late))) == values(
        voiced(80.0, 60.0, 64.0)
    )


def test_covered_tops_are_named() -> None:
    velocity = np.where(UPPER, 75.0, 60.0)
    velocity[(SCORE.onset_beat == 8.0) & UPPER] = 40.0
    label = measure_tone_quality(Evidence(*play(SCORE, velocity=velocity)))
    assert (
        label.causes[0].text
        == "bar 3, beat 1: the top note is masked (velocity -20 of 127 relative to the chord)"
    )


def test_without_audio_the_colour_is_missing() -> None:
    label = measure_tone_quality(voiced(80.0, 60.0, 64.0))
    assert label.missing["colour_range"] == NO_AUDIO
    assert label.confidence == pytest.approx(0.75)


def test_colour_that_changes_has_a_range_and_the_room_has_none(rng: np.random.Generator) -> None:
    performance, alignment = play(SCORE)
    colourful = sound(performance, rng.uniform(0.0, 1.5, len(performance)))
    even = sound(performance, 0.5)
    wide = values(Evidence(performance, alignment, colourful))["colour_range"]
    narrow = values(Evidence(performance, alignment, even))["colour_range"]
    assert wide > 1.5 * narrow
    room = firwin2(101, [0.0, 0.05, 0.1, 0.3, 0.6, 1.0], [0.5, 1.0, 0.4, 0.8, 0.3, 0.2])
    filtered = np.asarray(lfilter(room, 1.0, 0.25 * colourful))
    heard = values(Evidence(performance, alignment, filtered))["colour_range"]
    assert heard == pytest.approx(wide, rel=0.1)


def test_a_gain_changes_nothing() -> None:
    performance, alignment = play(SCORE)
    waveform = sound(performance, 0.5)
    soft = read_onset_spectra(Evidence(performance, alignment, 0.1 * waveform))
    loud = read_onset_spectra(Evidence(performance, alignment, waveform))
    assert soft is not None
    assert loud is not None
    np.testing.assert_allclose(soft.brightness, loud.brightness, atol=1e-6)
    np.testing.assert_allclose(soft.rise_db, loud.rise_db, atol=1e-6)


def test_brightness_against_the_take_is_reported_for_a_span() -> None:
    performance, alignment = play(SCORE)
    late = performance.onset_sec > 20.0
    given = Evidence(performance, alignment, sound(performance, np.where(late, 1.5, 0.1)))
    assert values(given, (24.0, 34.0))["brightness"] > 0.5
    assert values(given, (1.0, 11.0))["brightness"] < -0.5


def test_sound_outside_the_recording_is_not_heard() -> None:
    performance, alignment = play(SCORE)
    waveform = sound(performance, 0.5)[: 20 * SAMPLE_RATE_HZ]
    given = Evidence(performance, alignment, waveform)
    assert "colour_range" in values(given, (1.0, 11.0))
    label = measure_tone_quality(given, (25.0, 35.0))
    assert label.missing["colour_range"] == "fewer than five onsets are in the recording"


def test_attacks_in_silence_are_clearer_than_in_noise(rng: np.random.Generator) -> None:
    performance, alignment = play(SCORE)
    clean = sound(performance, 0.5)
    noisy = clean + 0.02 * rng.normal(size=len(clean))
    clear, veiled = (
        measure_articulation_quality(Evidence(performance, alignment, w)).components["attack_clarity"].value
        for w in (clean, noisy)
    )
    assert clear > veiled + 3.0


def test_components_enter_the_rating_with_these_weights_and_shapes() -> None:
    """Weight, which way is better, how the value is bent, and what is added before a logarithm."""
    entering = {c.name: (c.weight, c.better, c.shape, c.from_value) for c in COMPONENTS if c.weight > 0.0}
    assert entering == {
        "voicing_lead": (0.55, "more", "plain", 1.0),
        "treble_hardness": (0.2, "less", "plain", 1.0),
        "colour_range": (0.25, "more", "log", 0.2),
    }
    assert [c.name for c in COMPONENTS if c.weight == 0.0] == [
        "top_leads",
        "bass_covers",
        "bass_weight",
        "voicing_unsteadiness",
        "brightness",
    ]


def test_thresholds_are_the_stated_ones() -> None:
    """The tests above take them as they are; here they are held to what their reasons say."""
    assert tone_quality.FEWEST == 5
    assert tone_quality.RANGE_ONSETS == 15
    assert tone_quality.AUDIBLE_LEAD == 1.0
    assert tone_quality.TREBLE_PITCH == 76
    assert tone_quality.AROUND_SEC == 2.0


@pytest.mark.parametrize(("covered", "is_named"), [(11.0, True), (9.0, False)])
def test_a_top_note_ten_below_its_chord_is_named(covered: float, is_named: bool) -> None:
    velocity = np.where(UPPER, 75.0, 60.0)
    velocity[(SCORE.onset_beat == 8.0) & UPPER] = 60.0 - covered
    assert bool(measure_tone_quality(Evidence(*play(SCORE, velocity=velocity))).causes) == is_named


@pytest.mark.parametrize(("lead", "is_reported"), [(1.0, True), (0.0, False)])
def test_one_step_of_velocity_is_a_voicing(lead: float, is_reported: bool) -> None:
    assert ("top_leads" in values(voiced(70.0 + lead, 70.0, 70.0))) == is_reported


def test_the_treble_begins_at_e5() -> None:
    """E5 is played 18 louder than the semitone below it."""
    pitch = np.where(UPPER, np.where(SCORE.onset_beat % 1 == 0.0, 76, 75), SCORE.pitch)
    velocity = np.where(UPPER & (pitch >= 76), 88.0, 70.0)
    given = Evidence(*play(replace(SCORE, pitch=pitch), velocity=velocity))
    hardness = values(given)["treble_hardness"] * given.once(read_voicing).used
    assert hardness == pytest.approx(18.0)


def test_five_chords_are_enough() -> None:
    given = voiced(80.0, 60.0, 64.0)
    begins = 1.0 + 20 * 0.6 - 0.01
    assert "voicing_lead" in values(given, (begins, begins + 4.5 * 0.6))
    label = measure_tone_quality(given, (begins, begins + 3.5 * 0.6))
    assert label.missing["voicing_lead"] == "fewer than five chords in this span"


def test_the_lower_line_is_remembered_for_two_seconds() -> None:
    """A bass of 40 before beat 32 and 60 from there: what stands out changes within two seconds of it."""
    velocity = np.where(UPPER, 80.0, np.where(SCORE.onset_beat < 32.0, 40.0, 60.0))
    given = Evidence(*play(SCORE, velocity=velocity))
    stands_out = given.once(read_voicing).stands_out
    at = given.onset_groups.onset_sec - (1.0 + 32 * 0.6)
    assert stands_out[at < -2.01] == pytest.approx(40.0)
    # The last soft bass is a beat of 0.6 s before.
    assert stands_out[at > 1.41] == pytest.approx(20.0)
    near = stands_out[(at > -1.99) & (at < 1.39)]
    assert near.min() > 20.1
    assert near.max() < 39.9
