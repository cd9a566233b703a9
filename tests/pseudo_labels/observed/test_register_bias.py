"""Tilt over the keyboard: what is planted is found, half is taken out, and of flat playing nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from origins import transcribed
from rater_etude import play, study_score
from tocco.music.performance import Performance
from tocco.music.statistics.playing import read_playing
from tocco.pseudo_labels.observed.evidence import Evidence
from tocco.pseudo_labels.observed.onsets import OnsetGroups, group_onsets
from tocco.pseudo_labels.observed.register_bias import (
    INSTRUMENT_SHARE,
    MIDDLE_PITCH,
    register_slope,
    without_register_bias,
)
from tocco.pseudo_labels.raters.dynamics_control import measure_dynamics_control
from tocco.pseudo_labels.raters.tone_quality import measure_tone_quality
from tocco.units import FloatArray

SCORE = study_score()
OCTAVE = (SCORE.pitch - MIDDLE_PITCH) / 12.0
UPPER = SCORE.staff == 1


def leaping(strength: FloatArray, rng: np.random.Generator) -> tuple[FloatArray, FloatArray, OnsetGroups]:
    """Notes of 200 chords of three random keys, every quarter of a second, with given velocities."""
    n = len(strength) // 3
    pitch = np.sort(rng.integers(30, 95, (n, 3)) + np.array([0, 1, 2]), axis=1).ravel().astype(float)
    onset_of = np.repeat(np.arange(n), 3)
    first = 3 * np.arange(n)
    together = OnsetGroups(np.arange(3 * n), onset_of, 0.25 * np.arange(n), first + 2, first, np.full(n, 3))
    return pitch, strength, together


def octaves(pitch: FloatArray) -> FloatArray:
    return (pitch - MIDDLE_PITCH) / 12.0


def played(velocity: FloatArray) -> Evidence:
    return Evidence(*play(SCORE, velocity=velocity))


def from_transcription(velocity: FloatArray) -> Evidence:
    return transcribed(played(velocity))


def tilt(given: Evidence) -> float:
    struck = given.playing.struck
    return register_slope(struck.pitch, struck.velocity, given.onset_groups)


@pytest.mark.parametrize("planted", [-6.0, 0.0, 4.9, 9.0])
@pytest.mark.parametrize("lead", [-20.0, 0.0, 20.0])
def test_a_tilt_is_found_whichever_note_of_the_chord_leads(
    planted: float, lead: float, rng: np.random.Generator
) -> None:
    pitch, place, together = leaping(np.tile([0.0, 7.0, lead], 200), rng)
    reported = 60.0 + place + planted * octaves(pitch) + rng.normal(0.0, 3.0, len(pitch))
    assert register_slope(pitch, reported, together) == pytest.approx(planted, abs=0.4)


def test_a_swell_that_rises_is_no_tilt() -> None:
    """Eight seconds louder and higher, eight softer and lower: next to a note nothing changes."""
    wave, each = np.sin(2.0 * np.pi * np.arange(400) / 64.0), np.arange(400)
    pitch = 66.0 + np.round(12.0 * wave) + np.tile([0.0, 5.0, -4.0, 2.0], 100)
    swell = 20.0 * wave
    single = OnsetGroups(each, each, 0.25 * each, each, each, np.ones(400, dtype=int))
    at_once = np.polyfit(octaves(pitch), swell, 1)[0]
    assert at_once > 15.0
    assert register_slope(pitch, 60.0 + swell, single) < 0.3 * at_once


def test_of_flat_playing_nothing_is_taken() -> None:
    flat = from_transcription(np.full(len(SCORE), 64.0))
    assert tilt(flat) == pytest.approx(0.0, abs=1e-9)
    np.testing.assert_allclose(flat.velocity, 64.0)
    assert measure_tone_quality(flat).missing["top_leads"] == "all notes of a chord are equally loud"
    assert measure_dynamics_control(flat).components["level_range"].value == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("n_notes", [0, 1])
def test_where_no_pitch_moves_there_is_no_tilt(n_notes: int) -> None:
    assert tilt(Evidence(play(SCORE)[0].only(np.arange(n_notes)))) == pytest.approx(0.0)


def test_half_of_the_tilt_is_taken_out_about_e4(rng: np.random.Generator) -> None:
    pitch, level, together = leaping(np.full(600, 60.0), rng)
    reported = level + 8.0 * octaves(pitch)
    found = register_slope(pitch, reported, together)
    freed = without_register_bias(pitch, reported, together)
    assert INSTRUMENT_SHARE == 0.5
    np.testing.assert_allclose(reported - freed, 0.5 * found * octaves(pitch))
    assert found == pytest.approx(8.0, rel=0.02)


def test_notes_that_match_no_written_one_are_freed_as_well() -> None:
    performance, alignment = play(SCORE, velocity=60.0 + 8.0 * OCTAVE)
    matched = replace(alignment, match=alignment.match[alignment.match[:, 1] != 7])
    given = Evidence(replace(performance, origin="transcribed"), matched)
    assert 7 not in given.onset_groups.note
    struck = given.playing.struck
    added = INSTRUMENT_SHARE * tilt(given) * octaves(struck.pitch)
    assert given.velocity[7] == pytest.approx((struck.velocity - added)[7])


def test_the_order_of_the_notes_does_not_matter(rng: np.random.Generator) -> None:
    pitch, place, together = leaping(np.tile([0.0, 4.0, 9.0], 200), rng)
    reported = 60.0 + place + 5.0 * octaves(pitch) + rng.normal(0.0, 3.0, len(pitch))
    mixed = rng.permutation(len(pitch))
    shuffled = replace(together, note=together.note[mixed], onset_of=together.onset_of[mixed])
    in_order, out_of_order = (register_slope(pitch, reported, one) for one in (together, shuffled))
    assert out_of_order == pytest.approx(in_order)


def test_strength_that_keys_sent_stays_as_it_is() -> None:
    bright = played(60.0 + 8.0 * OCTAVE)
    assert bright.velocity is bright.playing.struck.velocity
    assert np.abs(transcribed(bright).velocity - bright.velocity).max() > 5.0


@pytest.mark.parametrize("bright", [-4.0, 4.0])
def test_from_transcription_voicing_and_dynamics_follow_the_instrument_half_as_much(bright: float) -> None:
    line = 60.0 + np.where(UPPER, 20.0 + 5.0 * np.sin(SCORE.onset_beat), 0.0)

    def moved(hear, component: str, measure) -> float:
        as_played, reported = (
            measure(hear(line + extra * OCTAVE)).components[component].value for extra in (0.0, bright)
        )
        return reported - as_played

    for component, measure in (
        ("bass_weight", measure_tone_quality),
        ("melody_above_accompaniment", measure_dynamics_control),
    ):
        by_keys = moved(played, component, measure)
        assert abs(by_keys) > 5.0
        assert moved(from_transcription, component, measure) == pytest.approx(0.5 * by_keys, rel=0.2)


def test_single_notes_in_two_hands_lose_half_of_the_melody() -> None:
    """Where nothing sounds together, a voice is reported from an instrument by nothing: said in the docs."""
    n = 200
    pitch = np.tile([79.0, 43.0], n // 2)
    velocity = np.tile([80.0, 50.0], n // 2)
    alone = group_onsets(read_playing(_strokes(pitch, velocity)), None, 0.0)
    freed = without_register_bias(pitch, velocity, alone)
    assert freed[0] - freed[1] == pytest.approx(15.0, abs=0.5)


def _strokes(pitch: FloatArray, velocity: FloatArray) -> Performance:
    onset = 0.3 * np.arange(len(pitch))
    return replace(
        play(SCORE)[0],
        onset_sec=onset,
        offset_sec=onset + 0.2,
        pitch=pitch.astype(int),
        velocity=velocity.astype(int),
        duration_sec=float(onset[-1] + 0.2),
    )
